/* SPDX-License-Identifier: ISC */
/*
 * state.c - builds the memory that Firecracker prepares for a guest kernel.
 * Owns the pieces' data for the rest of the program's life.
 */
#include "state.h"

#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asm/bootparam.h>
#include <xen/arch-x86/hvm/start_info.h>

#define PAGE                  4096ull
#define XEN_NOTE_PHYS32_ENTRY 18

static void *
allocate(size_t size)
{
	void *p = calloc(1, size == 0 ? 1 : size);

	if (p == NULL)
		errx(1, "out of memory");
	return p;
}

static void
add_piece(struct fc_state *st, uint64_t paddr, const void *data,
    uint64_t data_size, uint64_t size)
{
	if (st->count == FC_PIECES)
		errx(1, "too many pieces");
	st->piece[st->count++] = (struct fc_piece){ .paddr = paddr,
		.data = data,
		.data_size = data_size,
		.size = size };
}

static void *
read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat sb;
	char *data;
	ssize_t got;

	if (fd < 0 || fstat(fd, &sb) != 0)
		err(1, "%s", path);
	data = allocate(sb.st_size);
	for (*size = 0; *size < (size_t)sb.st_size; *size += got) {
		got = read(fd, data + *size, sb.st_size - *size);
		if (got <= 0)
			err(1, "%s", path);
	}
	close(fd);
	return data;
}

/* --- the kernel ----------------------------------------------------------- */

/* The PVH entry from one PT_NOTE, or 0. */
static uint64_t
find_pvh_note(const char *note, size_t size)
{
	const Elf64_Nhdr *nh;
	size_t at = 0, name, desc;
	uint32_t entry;

	while (at + sizeof(*nh) <= size) {
		nh = (const void *)(note + at);
		name = at + sizeof(*nh);
		desc = name + (nh->n_namesz + 3) / 4 * 4;
		if (nh->n_type == XEN_NOTE_PHYS32_ENTRY && nh->n_namesz == 4 &&
		    nh->n_descsz >= 4 && desc + 4 <= size &&
		    memcmp(note + name, "Xen", 4) == 0) {
			memcpy(&entry, note + desc, 4);
			return entry;
		}
		at = desc + (nh->n_descsz + 3) / 4 * 4;
	}
	return 0;
}

static void
add_kernel(const struct fc_options *opt, struct fc_state *st)
{
	size_t size;
	char *file = read_file(opt->kernel, &size);
	const Elf64_Ehdr *eh = (const void *)file;
	const Elf64_Phdr *ph;
	uint64_t pvh = 0;

	if (size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh->e_phoff + eh->e_phnum * sizeof(*ph) > size)
		errx(1, "%s: no ELF file", opt->kernel);
	ph = (const void *)(file + eh->e_phoff);
	for (unsigned i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_offset + ph[i].p_filesz > size)
			errx(1, "%s: truncated", opt->kernel);
		if (ph[i].p_type == PT_NOTE && pvh == 0)
			pvh = find_pvh_note(file + ph[i].p_offset,
			    ph[i].p_filesz);
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_paddr < FC_HIMEM)
			errx(1, "%s: a segment below 1 MiB", opt->kernel);
		add_piece(st, ph[i].p_paddr, file + ph[i].p_offset,
		    ph[i].p_filesz, ph[i].p_memsz);
	}
	st->entry = opt->layout == FC_PVH ? pvh : eh->e_entry;
	if (st->entry == 0)
		errx(1, "%s: no PVH entry", opt->kernel);
}

/* --- the memory map ---------------------------------------------------------- */

static unsigned
true_map(const struct fc_options *opt, struct fc_range *map)
{
	uint64_t low = opt->memory < FC_HOLE ? opt->memory : FC_HOLE;
	unsigned n = 0;

	map[n++] = (struct fc_range){ 0, FC_SYSTEM, 1 };
	if (opt->layout != FC_2019) {
		map[n++] = (struct fc_range){ FC_SYSTEM,
			FC_SYSTEM_END - FC_SYSTEM, 2 };
		map[n++] = (struct fc_range){ FC_ECAM, FC_ECAM_SIZE, 2 };
	}
	map[n++] = (struct fc_range){ FC_HIMEM, low - FC_HIMEM, 1 };
	if (opt->memory > low)
		map[n++] = (struct fc_range){ 1ull << 32, opt->memory - low,
			1 };
	return n;
}

/* --- tables: MP and ACPI -------------------------------------------------------- */

static void
put(uint8_t **at, const void *data, size_t size)
{
	memcpy(*at, data, size);
	*at += size;
}

static void
fix_sum(uint8_t *table, size_t size, size_t at)
{
	uint8_t sum = 0;

	table[at] = 0;
	for (size_t i = 0; i < size; i++)
		sum += table[i];
	table[at] = -sum;
}

static void
put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, 4);
}

static void
put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, 8);
}

/* MP specification 1.4, chapter 4; returns the size of both structures. */
static size_t
make_mptable(const struct fc_options *opt, uint8_t *buf)
{
	unsigned irqs = opt->layout == FC_2019 ? 16 : 24;
	uint8_t ioapic = opt->cpus + 1;
	uint8_t *table = buf + 16, *at = table + 44;
	unsigned entries = opt->cpus + 2 + irqs + 2;

	memcpy(buf, "_MP_", 4);
	put32(buf + 4, FC_SYSTEM + 16);
	buf[8] = 1;
	buf[9] = 4;
	fix_sum(buf, 16, 10);
	for (unsigned i = 0; i < opt->cpus; i++) {
		uint8_t cpu[20] = { 0, i, 0x14, i == 0 ? 3 : 1 };

		put32(cpu + 4, 0x600);
		put32(cpu + 8, 0x201);
		put(&at, cpu, sizeof(cpu));
	}
	put(&at, (uint8_t[8]){ 1, 0, 'I', 'S', 'A', ' ', ' ', ' ' }, 8);
	put(&at, (uint8_t[8]){ 2, ioapic, 0x14, 1, 0, 0, 0xc0, 0xfe }, 8);
	for (unsigned i = 0; i < irqs; i++)
		put(&at, (uint8_t[8]){ 3, 0, 0, 0, 0, i, ioapic, i }, 8);
	put(&at, (uint8_t[8]){ 4, 3, 0, 0, 0, 0, 0, 0 }, 8);
	put(&at, (uint8_t[8]){ 4, 1, 0, 0, 0, 0, 0xff, 1 }, 8);
	memcpy(table, "PCMP", 4);
	table[4] = at - table;
	table[5] = (at - table) >> 8;
	table[6] = 4;
	memcpy(table + 8, "FC      000000000000", 20);
	table[34] = entries;
	put32(table + 36, 0xfee00000);
	fix_sum(table, at - table, 7);
	return at - buf;
}

/* A table's common header, ACPI 5.2.6; the sum is fixed by the caller. */
static void
acpi_header(uint8_t *t, const char *signature, uint32_t size, uint8_t revision)
{
	memcpy(t, signature, 4);
	put32(t + 4, size);
	t[8] = revision;
	memcpy(t + 10, "FIRECK", 6);
	memcpy(t + 16, "FCVMTEST", 8);
	memcpy(t + 28, "FCAT", 4);
}

/* DSDT (empty), FADT (hardware-reduced), MADT, XSDT, behind the MP table. */
static size_t
make_acpi(const struct fc_options *opt, uint8_t *buf, uint64_t paddr,
    uint64_t *xsdt)
{
	size_t madt_size = 44 + 12 + 8 * opt->cpus;
	uint8_t *dsdt = buf, *fadt = dsdt + 48, *madt = fadt + 288;
	uint8_t *root = madt + (madt_size + 15) / 16 * 16;

	acpi_header(dsdt, "DSDT", 36, 2);
	fix_sum(dsdt, 36, 9);
	acpi_header(fadt, "FACP", 276, 6);
	fadt[109] = 0x34 >> 8;
	fadt[108 + 1] = 0x04; /* no VGA */
	put32(fadt + 112, 1u << 20 | 1u << 5 | 1u << 4);
	put64(fadt + 140, paddr + (dsdt - buf));
	memcpy(fadt + 268, "FIRECKVM", 8);
	fix_sum(fadt, 276, 9);
	acpi_header(madt, "APIC", madt_size, 6);
	put32(madt + 36, 0xfee00000);
	memcpy(madt + 44, (uint8_t[8]){ 1, 12, 0, 0, 0, 0, 0xc0, 0xfe }, 8);
	for (unsigned i = 0; i < opt->cpus; i++)
		memcpy(madt + 56 + 8 * i, (uint8_t[8]){ 0, 8, i, i, 1 }, 8);
	fix_sum(madt, madt_size, 9);
	acpi_header(root, "XSDT", 52, 1);
	put64(root + 36, paddr + (fadt - buf));
	put64(root + 44, paddr + (madt - buf));
	fix_sum(root, 52, 9);
	*xsdt = paddr + (root - buf);
	return root + 52 - buf;
}

static void
add_tables(const struct fc_options *opt, struct fc_state *st)
{
	uint8_t *area = allocate(8192), *rsdp = allocate(36);
	uint64_t xsdt = 0;
	size_t size = 0;

	if (opt->mptable)
		size = make_mptable(opt, area);
	size = (size + 15) / 16 * 16;
	if (opt->layout != FC_2019)
		size += make_acpi(opt, area + size, FC_SYSTEM + size, &xsdt);
	if (size != 0)
		add_piece(st, FC_SYSTEM, area, size, size);
	if (opt->layout == FC_2019)
		return;
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "FIRECK", 6);
	rsdp[15] = 2;
	rsdp[20] = 36;
	put64(rsdp + 24, xsdt);
	fix_sum(rsdp, 20, 8);
	fix_sum(rsdp, 36, 32);
	add_piece(st, FC_RSDP, rsdp, 36, 36);
}

/* --- the zero page, or PVH's start info ------------------------------------------- */

/*
 * A loader that never zeroed the page: junk wherever Linux promises to look
 * only when the sentinel byte is zero (Documentation/arch/x86/zero-page.rst).
 */
static void
soil(struct boot_params *bp)
{
	memset(&bp->ext_ramdisk_image, 0xa5, 12);
	memset(&bp->olpc_ofw_header, 0xa5, sizeof(bp->olpc_ofw_header));
	memset(&bp->efi_info, 0xa5, sizeof(bp->efi_info));
	bp->sentinel = 0xff;
}

static void
add_zero_page(const struct fc_options *opt, struct fc_state *st,
    const struct fc_range *map, unsigned count, uint64_t initrd, size_t size)
{
	struct boot_params *bp = allocate(sizeof(*bp));

	if (opt->sentinel)
		soil(bp);
	bp->hdr.type_of_loader = 0xff;
	bp->hdr.boot_flag = 0xaa55;
	bp->hdr.header = 0x53726448;
	bp->hdr.cmd_line_ptr = opt->cmdline_addr != 0 ? opt->cmdline_addr :
							FC_CMDLINE;
	bp->hdr.cmdline_size = strlen(opt->cmdline) + 1;
	bp->hdr.kernel_alignment = 0x01000000;
	bp->hdr.ramdisk_image = initrd;
	bp->hdr.ramdisk_size = size;
	if (opt->layout == FC_NEW)
		bp->acpi_rsdp_addr = FC_RSDP;
	for (unsigned i = 0; i < count && i < E820_MAX_ENTRIES_ZEROPAGE; i++) {
		bp->e820_table[i].addr = map[i].base;
		bp->e820_table[i].size = map[i].size;
		bp->e820_table[i].type = map[i].type;
	}
	bp->e820_entries = opt->map_claims >= 0 ? (unsigned)opt->map_claims :
						  count;
	add_piece(st, FC_ZERO_PAGE, bp, sizeof(*bp), sizeof(*bp));
}

static void
add_start_info(const struct fc_options *opt, struct fc_state *st,
    const struct fc_range *map, unsigned count, uint64_t initrd, size_t size)
{
	struct hvm_start_info *si = allocate(sizeof(*si));
	struct hvm_modlist_entry *mod = allocate(sizeof(*mod));
	struct hvm_memmap_table_entry *mm = allocate((count + 1) * sizeof(*mm));

	si->magic = XEN_HVM_START_MAGIC_VALUE;
	si->version = 1;
	si->cmdline_paddr = opt->cmdline_addr != 0 ? opt->cmdline_addr :
						     FC_CMDLINE;
	si->memmap_paddr = FC_ZERO_PAGE;
	si->memmap_entries = opt->map_claims >= 0 ? (unsigned)opt->map_claims :
						    count;
	if (size != 0) {
		si->nr_modules = 1;
		si->modlist_paddr = FC_PVH_MODULES;
		mod->paddr = initrd;
		mod->size = size;
		add_piece(st, FC_PVH_MODULES, mod, sizeof(*mod), sizeof(*mod));
	}
	for (unsigned i = 0; i < count; i++) {
		mm[i].addr = map[i].base;
		mm[i].size = map[i].size;
		mm[i].type = map[i].type;
	}
	add_piece(st, FC_PVH_INFO, si, sizeof(*si), sizeof(*si));
	add_piece(st, FC_ZERO_PAGE, mm, count * sizeof(*mm),
	    count * sizeof(*mm));
}

static void
add_processor_tables(struct fc_state *st)
{
	uint64_t *gdt = allocate(32), *idt = allocate(8);
	uint64_t *tables = allocate(3 * PAGE);
	bool pvh = st->layout == FC_PVH;

	gdt[1] = pvh ? FC_CODE32 : FC_CODE64;
	gdt[2] = FC_DATA;
	gdt[3] = pvh ? FC_TSS_PVH : FC_TSS;
	add_piece(st, FC_GDT, gdt, 32, 32);
	add_piece(st, FC_IDT, idt, 8, 8);
	if (pvh)
		return;
	tables[0] = FC_PDPT | 3;
	tables[512] = FC_PD | 3;
	for (uint64_t i = 0; i < 512; i++)
		tables[1024 + i] = i << 21 | 0x83;
	add_piece(st, FC_PML4, tables, 3 * PAGE, 3 * PAGE);
}

void
fc_build(const struct fc_options *opt, struct fc_state *st)
{
	struct fc_range truth[8];
	const struct fc_range *map = opt->map;
	unsigned count = opt->map_count;
	uint64_t at = 0, told;
	size_t size = 0;
	void *initrd = NULL;

	*st = (struct fc_state){ .layout = opt->layout };
	st->ram_top = opt->memory < FC_HOLE ? opt->memory : FC_HOLE;
	if (map == NULL) {
		count = true_map(opt, truth);
		map = truth;
	}
	add_kernel(opt, st);
	add_processor_tables(st);
	add_tables(opt, st);
	add_piece(st, FC_CMDLINE, opt->cmdline, strlen(opt->cmdline) + 1,
	    strlen(opt->cmdline) + 1);
	if (opt->initrd != NULL) {
		initrd = read_file(opt->initrd, &size);
		at = (st->ram_top - size) & ~(PAGE - 1);
	}
	told = opt->initrd_addr != 0 ? opt->initrd_addr : at;
	(opt->layout == FC_PVH ? add_start_info : add_zero_page)(opt, st, map,
	    count, told, opt->initrd_size != 0 ? opt->initrd_size : size);
	/* Last, since in QEMU it may move within the container. */
	if (size != 0)
		add_piece(st, at, initrd, size, size);
}

/* --- the command line ---------------------------------------------------------------- */

static const struct option long_options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "cmdline", required_argument, NULL, 'c' },
	{ "memory", required_argument, NULL, 'm' },
	{ "cpus", required_argument, NULL, 'n' },
	{ "layout", required_argument, NULL, 'l' },
	{ "map", required_argument, NULL, 'e' },
	{ "map-claims", required_argument, NULL, 'E' },
	{ "initrd-addr", required_argument, NULL, 'a' },
	{ "initrd-size", required_argument, NULL, 's' },
	{ "cmdline-addr", required_argument, NULL, 'C' },
	{ "sentinel", no_argument, NULL, 'S' },
	{ "no-mptable", no_argument, NULL, 'M' },
	{ "output", required_argument, NULL, 'o' },
	{ NULL, 0, NULL, 0 },
};

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end != '\0')
		errx(2, "%s: not a number", text);
	return value;
}

/* The number before `stop`, which is stepped over. */
static uint64_t
number_until(char **at, char stop)
{
	char *end;
	uint64_t value = strtoull(*at, &end, 0);

	if (end == *at || *end != stop)
		errx(2, "%s: wanted BASE:SIZE:TYPE,...", *at);
	*at = end + (stop != '\0');
	return value;
}

/* BASE:SIZE:TYPE,... */
static void
parse_map(char *text, struct fc_options *opt)
{
	struct fc_range *map = allocate(256 * sizeof(*map));

	opt->map = map;
	opt->map_count = 0;
	for (char *s = strtok(text, ","); s != NULL; s = strtok(NULL, ",")) {
		struct fc_range *r = &map[opt->map_count++];

		if (opt->map_count > 255)
			errx(2, "too many ranges");
		r->base = number_until(&s, ':');
		r->size = number_until(&s, ':');
		r->type = number_until(&s, '\0');
	}
}

static void
parse_layout(const char *text, struct fc_options *opt)
{
	if (strcmp(text, "new") == 0)
		opt->layout = FC_NEW;
	else if (strcmp(text, "2019") == 0)
		opt->layout = FC_2019;
	else if (strcmp(text, "pvh") == 0)
		opt->layout = FC_PVH;
	else
		errx(2, "%s: wanted new, 2019 or pvh", text);
}

void
fc_parse(int argc, char **argv, struct fc_options *opt, const char **output)
{
	int c;

	*opt = (struct fc_options){ .cmdline = "",
		.memory = 128 << 20,
		.cpus = 1,
		.mptable = true,
		.map_claims = -1 };
	*output = NULL;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'k': opt->kernel = optarg; break;
		case 'i': opt->initrd = optarg; break;
		case 'c': opt->cmdline = optarg; break;
		case 'm': opt->memory = number(optarg) << 20; break;
		case 'n': opt->cpus = number(optarg); break;
		case 'l': parse_layout(optarg, opt); break;
		case 'e': parse_map(optarg, opt); break;
		case 'E': opt->map_claims = number(optarg); break;
		case 'a': opt->initrd_addr = number(optarg); break;
		case 's': opt->initrd_size = number(optarg); break;
		case 'C': opt->cmdline_addr = number(optarg); break;
		case 'S': opt->sentinel = true; break;
		case 'M': opt->mptable = false; break;
		case 'o': *output = optarg; break;
		default: exit(2);
		}
	}
	if (opt->kernel == NULL || optind != argc)
		errx(2,
		    "usage: --kernel FILE [--initrd FILE] [--cmdline TEXT] "
		    "[--memory MIB] [--layout new|2019|pvh] [--output FILE] "
		    "...");
	if (opt->memory < 2 << 20 || opt->cpus < 1 || opt->cpus > 32)
		errx(2, "2 MiB at least, 1 to 32 processors");
}
