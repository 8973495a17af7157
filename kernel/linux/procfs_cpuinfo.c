/* SPDX-License-Identifier: ISC */
/*
 * procfs_cpuinfo.c - /proc/cpuinfo: what CPUID says, in Linux's words.
 * Intel SDM vol. 2, CPUID; AMD APM vol. 3, appendix E.
 */
#include "kern/clock.h"
#include "linux/procfs.h"
#include "x86/cpu.h"
#include "x86/topology.h"

enum { EAX, EBX, ECX, EDX };

/*
 * One register full of flags: names by bit, separated by blanks, "-" where
 * there is none; the order of the lines is Linux's.
 */
static const struct flag_word {
	uint32_t leaf, sub;
	unsigned reg;
	const char *names;
} flag_words[] = {
	{ 1, 0, EDX,
	    "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge "
	    "mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht "
	    "tm ia64 pbe" },
	{ 0x80000001, 0, EDX,
	    "- - - - - - - - - - - syscall - - - - - - - mp "
	    "nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow" },
	{ 1, 0, ECX,
	    "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 "
	    "ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 "
	    "x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c "
	    "rdrand hypervisor" },
	{ 0x80000001, 0, ECX,
	    "lahf_lm cmp_legacy svm extapic cr8_legacy abm "
	    "sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp "
	    "fma4 tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb - "
	    "bpext ptsc perfctr_llc mwaitx" },
	{ 7, 0, EBX,
	    "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms "
	    "invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx smap "
	    "avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd "
	    "sha_ni avx512bw avx512vl" },
	{ 0xd, 1, EAX, "xsaveopt xsavec xgetbv1 xsaves" },
	{ 0x80000008, 0, EBX,
	    "clzero irperf xsaveerptr - - - - - - wbnoinvd "
	    "- - amd_ibpb - amd_ibrs amd_stibp" },
	{ 7, 0, ECX,
	    "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni "
	    "vaes vpclmulqdq avx512_vnni avx512_bitalg tme avx512_vpopcntdq - "
	    "la57 - - - - - rdpid - - cldemote - movdiri movdir64b enqcmd" },
	{ 7, 0, EDX,
	    "- - avx512_4vnniw avx512_4fmaps fsrm - - - "
	    "avx512_vp2intersect - md_clear - - - serialize - tsxldtrk - "
	    "pconfig arch_lbr - - amx_bf16 avx512_fp16 amx_tile amx_int8 - - "
	    "flush_l1d arch_capabilities" },
};

static uint32_t
word_of(const struct flag_word *w)
{
	struct cpuid r = cpuid(w->leaf & 0x80000000, 0);

	if (r.eax < w->leaf)
		return 0;
	r = cpuid(w->leaf, w->sub);
	switch (w->reg) {
	case EAX: return r.eax;
	case EBX: return r.ebx;
	case ECX: return r.ecx;
	default: return r.edx;
	}
}

static void
print_word(struct sbuf *sb, const struct flag_word *w)
{
	uint32_t bits = word_of(w);
	const char *name = w->names, *end;

	for (; *name != '\0'; name = end, bits >>= 1) {
		for (end = name; *end != '\0' && *end != ' '; end++)
			;
		if ((bits & 1) != 0 && *name != '-') {
			sbuf_puts(sb, " ");
			sbuf_write(sb, name, end - name);
		}
		while (*end == ' ')
			end++;
	}
}

static void
print_flags(struct sbuf *sb)
{
	const struct cpu_features *f = cpu_features();
	unsigned i;

	sbuf_puts(sb, "flags\t\t:");
	for (i = 0; i < ARRAY_SIZE(flag_words); i++) {
		print_word(sb, &flag_words[i]);
		if (i == 1 && f->invariant_tsc) /* word 3: Linux's own */
			sbuf_puts(sb, " constant_tsc nonstop_tsc");
		if (i == 1)
			sbuf_puts(sb, " rep_good nopl cpuid");
	}
	sbuf_puts(sb, "\n");
}

/* Family, model and stepping as the manuals put them together. */
static void
print_signature(struct sbuf *sb, const struct cpu_features *f)
{
	uint32_t s = f->signature, family = s >> 8 & 15, model = s >> 4 & 15;
	bool extended = family == 15 || family == 6;

	if (family == 15)
		family += s >> 20 & 0xff;
	if (extended)
		model += (s >> 16 & 15) << 4;
	sbuf_printf(sb,
	    "vendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
	    "model name\t: %s\nstepping\t: %u\n",
	    f->vendor, family, model,
	    f->brand[0] != '\0' ? f->brand : "unknown", s & 15);
}

static unsigned
threads_of(uint32_t package)
{
	unsigned i, n = 0;

	for (i = 0; i < cpu_count(); i++)
		n += cpu_place(i).package == package;
	return n;
}

/* Its cores, each counted with the first of its threads. */
static unsigned
cores_of(uint32_t package)
{
	struct cpu_place a, b;
	unsigned i, j, n = 0;

	for (i = 0; i < cpu_count(); i++) {
		a = cpu_place(i);
		if (a.package != package)
			continue;
		for (j = 0; j < i; j++) {
			b = cpu_place(j);
			if (b.package == package && b.core == a.core)
				break;
		}
		n += j == i;
	}
	return n;
}

static void
print_cpu(struct sbuf *sb, unsigned n)
{
	const struct cpu_features *f = cpu_features();
	uint64_t khz = clock_tsc_hz() / 1000;
	struct cpu_place at = cpu_place(n);
	unsigned apic = cpu_apic_id(n);
	unsigned line = (cpuid(1, 0).ebx >> 8 & 0xff) * 8;

	sbuf_printf(sb, "processor\t: %u\n", n);
	print_signature(sb, f);
	if (khz != 0)
		sbuf_printf(sb, "cpu MHz\t\t: %lu.%03lu\n", khz / 1000,
		    khz % 1000);
	sbuf_printf(sb,
	    "physical id\t: %u\nsiblings\t: %u\ncore id\t\t: %u\n"
	    "cpu cores\t: %u\napicid\t\t: %u\n"
	    "initial apicid\t: %u\n",
	    at.package, threads_of(at.package), at.core, cores_of(at.package),
	    apic, apic);
	sbuf_printf(sb,
	    "fpu\t\t: yes\nfpu_exception\t: yes\n"
	    "cpuid level\t: %u\nwp\t\t: yes\n",
	    cpuid(0, 0).eax);
	print_flags(sb);
	sbuf_puts(sb, "bugs\t\t:\n");
	if (khz != 0)
		sbuf_printf(sb, "bogomips\t: %lu.%02lu\n", khz / 500,
		    khz / 5 % 100);
	sbuf_printf(sb,
	    "clflush size\t: %u\ncache_alignment\t: %u\n"
	    "address sizes\t: %u bits physical, %u bits virtual\n"
	    "power management:\n\n",
	    line, line, f->phys_bits, f->virt_bits);
}

int
proc_show_cpuinfo(const struct pseudo_id *id, struct sbuf *sb)
{
	unsigned i;

	(void)id;
	for (i = 0; i < cpu_count(); i++)
		print_cpu(sb, i);
	return 0;
}
