/* SPDX-License-Identifier: ISC */
/*
 * boot_entry_test.c - boot loaders that lie, against both entry parsers.
 * The test's "physical memory" is one array at an address of its own.
 */
/* unit: kernel/x86/boot_pvh.c kernel/x86/boot_linux64.c kernel/x86/boot_cmdline.c kernel/kern/memmap.c */
#include "x86/boot_entry.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <xen/arch-x86/hvm/start_info.h>

#include <cmocka.h>

#define MEM_BASE 0x10000ul
#define MEM_SIZE 0x8000ul

static uint8_t mem[MEM_SIZE];
static struct boot_info bi;
static struct hvm_start_info si;
static struct boot_params bp;

static const void *
phys(paddr_t pa, size_t len)
{
	assert_true(len <= PAGE_SIZE);
	if (pa < MEM_BASE || pa - MEM_BASE > MEM_SIZE ||
	    len > MEM_SIZE - (pa - MEM_BASE))
		return NULL;
	return &mem[pa - MEM_BASE];
}

#define MAP  (MEM_BASE + 0x1000)
#define MODS (MEM_BASE + 0x2000)
#define LINE (MEM_BASE + 0x3000)
#define DATA (MEM_BASE + 0x6000)

static void *
at(paddr_t pa)
{
	return &mem[pa - MEM_BASE];
}

/* 15 MiB of RAM at 1 MiB, an initrd in it, a command line. */
static int
good(void **state)
{
	struct hvm_memmap_table_entry *map = at(MAP);
	struct hvm_modlist_entry *mod = at(MODS);

	(void)state;
	memset(mem, 0, sizeof(mem));
	memset(&bi, 0, sizeof(bi));
	memset(&si, 0, sizeof(si));
	memset(&bp, 0, sizeof(bp));
	strcpy(at(LINE), "console=ttyS0 quiet");

	map[0] = (struct hvm_memmap_table_entry){ 0, 0x9fc00, 1, 0 };
	map[1] = (struct hvm_memmap_table_entry){ 0x100000, 0xf00000, 1, 0 };
	mod->paddr = 0x800000;
	mod->size = 0x1234;
	si.magic = XEN_HVM_START_MAGIC_VALUE;
	si.version = 1;
	si.nr_modules = 1;
	si.modlist_paddr = MODS;
	si.cmdline_paddr = LINE;
	si.rsdp_paddr = 0xe0000;
	si.memmap_paddr = MAP;
	si.memmap_entries = 2;

	bp.hdr.header = 0x53726448;
	bp.hdr.cmd_line_ptr = LINE;
	bp.hdr.ramdisk_image = 0x800000;
	bp.hdr.ramdisk_size = 0x1234;
	bp.acpi_rsdp_addr = 0xe0000;
	bp.e820_entries = 2;
	bp.e820_table[0] = (struct boot_e820_entry){ 0, 0x9fc00, 1 };
	bp.e820_table[1] = (struct boot_e820_entry){ 0x100000, 0xf00000, 1 };
	return 0;
}

static bool
noted(const char *part)
{
	unsigned i;

	for (i = 0; i < bi.nnotes; i++)
		if (strncmp(bi.note[i], part, strlen(part)) == 0)
			return true;
	return false;
}

static void
expect_good(void)
{
	assert_string_equal(bi.cmdline, "console=ttyS0 quiet");
	assert_int_equal(bi.nranges, 2);
	assert_int_equal(bi.range[0].base, 0x1000);
	assert_int_equal(bi.range[0].size, 0x9e000);
	assert_int_equal(bi.range[1].base, 0x100000);
	assert_int_equal(bi.range[1].size, 0xf00000);
	assert_int_equal(bi.initrd, 0x800000);
	assert_int_equal(bi.initrd_size, 0x1234);
	assert_int_equal(bi.rsdp, 0xe0000);
	assert_int_equal(bi.nnotes, 0);
}

static void
pvh_good(void **state)
{
	(void)state;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), 0);
	assert_int_equal(bi.entry, BOOT_PVH);
	expect_good();
}

static void
pvh_without_magic(void **state)
{
	(void)state;
	si.magic++;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), -EINVAL);
	assert_int_equal(bi.entry, BOOT_NONE);
	assert_true(noted("PVH: no start info"));
}

static void
pvh_version_0(void **state)
{
	(void)state;
	si.version = 0;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), -ENODATA);
	assert_string_equal(bi.cmdline, "console=ttyS0 quiet");
	assert_int_equal(bi.initrd_size, 0x1234);
	assert_int_equal(bi.nranges, 0);
}

static void
pvh_map_out_of_reach(void **state)
{
	(void)state;
	si.memmap_paddr = ~0ull - 4;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), -EFAULT);
	good(state);
	si.memmap_paddr = DATA;
	si.memmap_entries = ~0u;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), -EFAULT);
	assert_true(noted("PVH: more than 1024"));
}

static void
pvh_without_ram(void **state)
{
	(void)state;
	si.memmap_entries = 0;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), -ENOMEM);
	assert_true(noted("PVH: the memory map has no RAM"));
}

static void
pvh_modules(void **state)
{
	(void)state;
	si.nr_modules = 2;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), 0);
	assert_int_equal(bi.initrd_size, 0x1234);
	assert_true(noted("PVH: only the first module"));

	good(state);
	si.modlist_paddr = 0x90000000;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), 0);
	assert_int_equal(bi.initrd_size, 0);
	assert_true(noted("PVH: module list"));

	good(state);
	si.nr_modules = 0;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), 0);
	assert_int_equal(bi.initrd, 0);
	assert_int_equal(bi.nnotes, 0);

	good(state);
	((struct hvm_modlist_entry *)at(MODS))->size = 0xf00000;
	assert_int_equal(boot_pvh_parse(&si, phys, &bi), 0);
	assert_int_equal(bi.initrd_size, 0);
	assert_true(noted("initrd: not wholly in RAM"));
}

static void
linux64_good(void **state)
{
	(void)state;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_int_equal(bi.entry, BOOT_LINUX64);
	expect_good();
}

static void
linux64_without_header(void **state)
{
	(void)state;
	bp.hdr.header = 0;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), -EINVAL);
	assert_true(noted("boot_params: no setup header"));
}

static void
linux64_without_ram(void **state)
{
	(void)state;
	bp.e820_entries = 0;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), -ENOMEM);
}

static void
linux64_too_many_entries(void **state)
{
	(void)state;
	bp.e820_entries = 255;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_true(noted("E820: more entries"));
	assert_int_equal(bi.nranges, 2);
}

static void
linux64_high_halves(void **state)
{
	(void)state;
	bp.e820_table[1].size = 0x200000000;
	bp.ext_ramdisk_image = 1;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_int_equal(bi.initrd, 0x100800000);

	good(state);
	bp.ext_ramdisk_size = 1;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_int_equal(bi.initrd_size, 0);

	good(state);
	bp.ext_cmd_line_ptr = 1;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_string_equal(bi.cmdline, "");
	assert_true(noted("command line: not in memory"));
}

/* What a loader did not clear is not believed. */
static void
linux64_sentinel(void **state)
{
	(void)state;
	bp.ext_ramdisk_image = bp.ext_cmd_line_ptr = 0xa5a5a5a5;
	bp.acpi_rsdp_addr = 0xa5a5a5a5;
	bp.sentinel = 0xff;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_int_equal(bi.initrd, 0x800000);
	assert_string_not_equal(bi.cmdline, "");
	assert_int_equal(bi.rsdp, 0);
}

static void
linux64_setup_data(void **state)
{
	struct boot_e820_entry extra = { 0x40000000, 0x1000, 1 };
	struct setup_data *node = at(DATA);

	(void)state;
	bp.hdr.setup_data = DATA;
	node->type = SETUP_E820_EXT;
	node->len = sizeof(extra);
	memcpy(node->data, &extra, sizeof(extra));
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_int_equal(bi.nranges, 3);
	assert_int_equal(bi.range[2].base, 0x40000000);
	assert_int_equal(bi.nnotes, 0);

	memset(&bi, 0, sizeof(bi));
	node->next = DATA; /* a ring */
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_int_equal(bi.nranges, 3);
	assert_true(noted("boot_params: setup_data has no end"));

	memset(&bi, 0, sizeof(bi));
	node->next = 0xdeadbeef000; /* nowhere */
	node->len = ~0u;
	assert_int_equal(boot_linux64_parse(&bp, phys, &bi), 0);
	assert_true(noted("boot_params: setup_data has no end"));
	assert_true(noted("E820: more than 1024"));
	assert_true(noted("E820: entries not in memory"));
}

static void
cmdline_absent(void **state)
{
	(void)state;
	boot_cmdline_copy(&bi, 0, phys);
	assert_string_equal(bi.cmdline, "");
	assert_int_equal(bi.nnotes, 0);
}

static void
cmdline_at_the_end_of_memory(void **state)
{
	(void)state;
	strcpy(at(MEM_BASE + MEM_SIZE - 5), "init");
	boot_cmdline_copy(&bi, MEM_BASE + MEM_SIZE - 5, phys);
	assert_string_equal(bi.cmdline, "init");

	mem[MEM_SIZE - 1] = 'x';
	boot_cmdline_copy(&bi, MEM_BASE + MEM_SIZE - 5, phys);
	assert_string_equal(bi.cmdline, "");
	assert_true(noted("command line: not in memory"));
}

static void
cmdline_over_a_page_border(void **state)
{
	char *line = at(LINE + PAGE_SIZE - 3);

	(void)state;
	memset(line, 'a', 4095);
	line[4095] = '\0';
	boot_cmdline_copy(&bi, LINE + PAGE_SIZE - 3, phys);
	assert_int_equal(strlen(bi.cmdline), 4095);
	assert_int_equal(bi.nnotes, 0);
}

static void
cmdline_too_long(void **state)
{
	char *line = at(LINE);

	(void)state;
	memset(line, 'a', 6000);
	line[4000] = ' ';
	boot_cmdline_copy(&bi, LINE, phys);
	assert_int_equal(strlen(bi.cmdline), 4001);
	assert_true(noted("command line: longer"));

	line[4000] = 'a'; /* not one whole word */
	boot_cmdline_copy(&bi, LINE, phys);
	assert_string_equal(bi.cmdline, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pvh_good, good),
		cmocka_unit_test_setup(pvh_without_magic, good),
		cmocka_unit_test_setup(pvh_version_0, good),
		cmocka_unit_test_setup(pvh_map_out_of_reach, good),
		cmocka_unit_test_setup(pvh_without_ram, good),
		cmocka_unit_test_setup(pvh_modules, good),
		cmocka_unit_test_setup(linux64_good, good),
		cmocka_unit_test_setup(linux64_without_header, good),
		cmocka_unit_test_setup(linux64_without_ram, good),
		cmocka_unit_test_setup(linux64_too_many_entries, good),
		cmocka_unit_test_setup(linux64_high_halves, good),
		cmocka_unit_test_setup(linux64_sentinel, good),
		cmocka_unit_test_setup(linux64_setup_data, good),
		cmocka_unit_test_setup(cmdline_absent, good),
		cmocka_unit_test_setup(cmdline_at_the_end_of_memory, good),
		cmocka_unit_test_setup(cmdline_over_a_page_border, good),
		cmocka_unit_test_setup(cmdline_too_long, good),
	};

	return cmocka_run_group_tests_name("boot_entry", tests, NULL, NULL);
}
