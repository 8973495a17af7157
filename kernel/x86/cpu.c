/* SPDX-License-Identifier: ISC */
/*
 * cpu.c - what a processor has and what it owns: features by CPUID (Intel SDM
 * vol. 2, CPUID), descriptor tables, control registers, struct percpu.
 */
#include "x86/cpu.h"
#include "kern/page.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "x86/layout.h"
#include "x86/machdep.h"

#define MSR_EFER     0xc0000080
#define MSR_STAR     0xc0000081
#define MSR_LSTAR    0xc0000082
#define MSR_SFMASK   0xc0000084
#define MSR_GS_BASE  0xc0000101
#define MSR_KGS_BASE 0xc0000102

#define CR4_UMIP     (1ul << 11)
#define CR4_FSGSBASE (1ul << 16)
#define CR4_SMEP     (1ul << 20)
#define CR4_SMAP     (1ul << 21)

#define IST_STACK   4096
#define DEBUG_STACK 128 /* trap_debug needs ten words */

/* Intel SDM vol. 3, 8.7. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp0, rsp1, rsp2, reserved1, ist[7], reserved2;
	uint16_t reserved3, iomap;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM 8.7");

struct cpu_tables {
	struct percpu pc;
	uint64_t gdt[10];
	struct tss tss;
	char debug_stack[DEBUG_STACK] __attribute__((aligned(16)));
	char ist[3][IST_STACK] __attribute__((aligned(16)));
};

static struct cpu_tables boot_cpu;
static struct percpu *cpus[MAX_CPUS];
static struct cpu_features features;
uint64_t cpus_online = 1;

const struct cpu_features *
cpu_features(void)
{
	return &features;
}

/* CPUID leaf 0x40000000, by its twelve letters. */
const char *
cpu_hypervisor(void)
{
	static const struct {
		const char *vendor, *name;
	} known[] = { { "TCGTCGTCGTCG", "QEMU TCG" }, { "KVMKVMKVM", "KVM" },
		{ "XenVMMXenVMM", "Xen" }, { "Microsoft Hv", "Hyper-V" },
		{ "bhyve bhyve ", "bhyve" }, { "VMwareVMware", "VMware" } };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(features.hv_vendor, known[i].vendor) == 0)
			return known[i].name;
	return features.hypervisor ? features.hv_vendor : "hardware";
}

/*
 * QEMU up to 7.2 translates the fences of an only processor to nothing, as if
 * no device ran beside it.  To read the time stamp counter it takes a lock.
 */
void
cpu_device_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (features.emulated)
		(void)rdtsc();
}

struct percpu *
cpu_nth(unsigned i)
{
	return i < MAX_CPUS ? __atomic_load_n(&cpus[i], __ATOMIC_ACQUIRE) :
			      NULL;
}

static bool
bit(uint32_t word, unsigned n)
{
	return (word >> n & 1) != 0;
}

static void
find_extended(struct cpu_features *f)
{
	uint32_t max = cpuid(0x80000000, 0).eax;
	struct cpuid r;
	unsigned i;

	r = cpuid(0x80000001, 0);
	f->nx = bit(r.edx, 20);
	f->gbpages = bit(r.edx, 26);
	f->rdtscp = bit(r.edx, 27);
	f->phys_bits = 36;
	f->virt_bits = 48;
	if (max >= 0x80000007)
		f->invariant_tsc = bit(cpuid(0x80000007, 0).edx, 8);
	if (max >= 0x80000008) {
		r = cpuid(0x80000008, 0);
		f->phys_bits = r.eax;
		f->virt_bits = r.eax >> 8;
	}
	for (i = 0; i < 3 && max >= 0x80000004; i++) {
		r = cpuid(0x80000002 + i, 0);
		memcpy(f->brand + 16 * i, &r, 16);
	}
}

static void
find_features(struct cpu_features *f)
{
	struct cpuid r = cpuid(0, 0);
	uint32_t max = r.eax;

	memcpy(f->vendor, &r.ebx, 4);
	memcpy(f->vendor + 4, &r.edx, 4);
	memcpy(f->vendor + 8, &r.ecx, 4);
	r = cpuid(1, 0);
	f->signature = r.eax;
	f->hwcap = r.edx;
	f->pge = bit(r.edx, 13);
	f->pcid = bit(r.ecx, 17);
	f->x2apic = bit(r.ecx, 21);
	f->tsc_deadline = bit(r.ecx, 24);
	f->xsave = bit(r.ecx, 26);
	f->rdrand = bit(r.ecx, 30);
	f->hypervisor = bit(r.ecx, 31);
	if (max >= 7) {
		r = cpuid(7, 0);
		f->fsgsbase = bit(r.ebx, 0);
		f->smep = bit(r.ebx, 7);
		f->erms = bit(r.ebx, 9);
		f->rdseed = bit(r.ebx, 18);
		f->smap = bit(r.ebx, 20);
		f->umip = bit(r.ecx, 2);
		f->rdpid = bit(r.ecx, 22);
	}
	if (f->hypervisor) {
		r = cpuid(0x40000000, 0);
		memcpy(f->hv_vendor, &r.ebx, 12);
		f->emulated = strcmp(f->hv_vendor, "TCGTCGTCGTCG") == 0;
	}
	find_extended(f);
}

static uint64_t
tss_low(const struct tss *tss)
{
	uint64_t base = (uint64_t)tss;

	return (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
	    (base >> 24 & 0xff) << 56;
}

static void
load_tables(struct cpu_tables *t)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed))
	gdtr = { sizeof(t->gdt) - 1, (uint64_t)t->gdt };
	unsigned i;

	t->gdt[SEL_KCODE / 8] = 0x00af9b000000ffff;
	t->gdt[SEL_KDATA / 8] = 0x00cf93000000ffff;
	t->gdt[SEL_UDATA / 8] = 0x00cff3000000ffff;
	t->gdt[SEL_UCODE / 8] = 0x00affb000000ffff;
	t->gdt[SEL_TSS / 8] = tss_low(&t->tss);
	t->gdt[SEL_TSS / 8 + 1] = (uint64_t)&t->tss >> 32;
	t->tss.iomap = sizeof(t->tss);
	for (i = 0; i < ARRAY_SIZE(t->ist); i++)
		t->tss.ist[i] = (uint64_t)t->ist[i] + IST_STACK;
	t->tss.ist[i] = (uint64_t)t->debug_stack + DEBUG_STACK;
	__asm__ volatile("lgdt %0" ::"m"(gdtr));
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
}

static void
load_msrs(struct percpu *pc)
{
	wrmsr(MSR_GS_BASE, (uint64_t)pc);
	wrmsr(MSR_KGS_BASE, 0);
	wrmsr(MSR_STAR,
	    (uint64_t)SEL_KCODE << 32 | (uint64_t)(SEL_UDATA - 8) << 48);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr(MSR_SFMASK,
	    RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_AC | 0x4000);
}

static void
load_cr4(const struct cpu_features *f)
{
	uint64_t cr4 = read_cr4();

	if (f->umip)
		cr4 |= CR4_UMIP;
	if (f->fsgsbase)
		cr4 |= CR4_FSGSBASE;
	if (f->smep)
		cr4 |= CR4_SMEP;
	write_cr4(cr4);
}

void
cpu_init(void)
{
	struct cpu_tables *t = &boot_cpu;

	t->pc.self = &t->pc;
	t->pc.preempt_count = 1; /* until the scheduler runs */
	cpus[0] = &t->pc;
	load_tables(t);
	load_msrs(&t->pc);
	find_features(&features);
	load_cr4(&features);
	fpu_init();
}

struct percpu *
cpu_create(unsigned i)
{
	unsigned order = 0;
	struct cpu_tables *t;
	struct page *p;

	if (cpu_nth(i) != NULL)
		return cpu_nth(i);
	while (PAGE_SIZE << order < sizeof(*t))
		order++;
	p = page_alloc(order, 0);
	if (p == NULL)
		return NULL;
	t = page_kva(p);
	memset(t, 0, offsetof(struct cpu_tables, ist));
	t->pc.self = &t->pc;
	t->pc.id = i;
	t->pc.preempt_count = 1;
	__atomic_store_n(&cpus[i], &t->pc, __ATOMIC_RELEASE);
	return &t->pc;
}

void
cpu_init_other(struct percpu *pc)
{
	load_tables(container_of(pc, struct cpu_tables, pc));
	load_msrs(pc);
	fpu_init_other();
}

void
cpu_set_kstack(uint64_t top)
{
	struct percpu *pc = cpu_self();
	struct cpu_tables *t = container_of(pc, struct cpu_tables, pc);

	pc->kstack_top = top;
	t->tss.rsp0 = top;
}

/* Turns the place-holders in the entry paths into CLAC and STAC. */
int
cpu_smap_on(bool wanted)
{
	static const uint8_t insn[2][3] = { { 0x0f, 0x01, 0xca },
		{ 0x0f, 0x01, 0xcb } };
	const struct patch *p;

	if (!features.smap || !wanted)
		return 0;
	write_cr4(read_cr4() | CR4_SMAP);
	for (p = kernel_patches; p < kernel_patches_end; p++)
		memcpy((void *)(p->at - KVA_IMAGE + KVA_DIRECT),
		    insn[p->kind & 1], 3);
	return 0;
}

size_t
cpu_random(void *buf, size_t len)
{
	uint8_t *out = buf;
	uint64_t v;
	size_t n, done = 0;
	bool ok;

	if (!features.rdrand)
		return 0;
	while (done < len) {
		__asm__ volatile("rdrand %0" : "=r"(v), "=@ccc"(ok));
		if (!ok)
			break;
		n = MIN(len - done, sizeof(v));
		memcpy(out + done, &v, n);
		done += n;
	}
	return done;
}
