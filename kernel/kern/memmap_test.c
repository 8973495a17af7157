/* SPDX-License-Identifier: ISC */
/*
 * memmap_test.c - the memory map against hosts that claim strange things.
 */
/* unit: kernel/kern/memmap.c */
#include "kern/memmap.h"
#include "kern/string.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct boot_info bi;

static int
fresh(void **state)
{
	(void)state;
	memset(&bi, 0, sizeof(bi));
	return 0;
}

static void
expect(unsigned i, paddr_t base, paddr_t end, enum boot_mem type)
{
	assert_true(i < bi.nranges);
	assert_int_equal(bi.range[i].base, base);
	assert_int_equal(bi.range[i].base + bi.range[i].size, end);
	assert_int_equal(bi.range[i].type, type);
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
sorts_and_joins(void **state)
{
	(void)state;
	memmap_add(&bi, 0x300000, 0x100000, BOOT_MEM_RAM);
	memmap_add(&bi, 0x100000, 0x100000, BOOT_MEM_RAM);
	memmap_add(&bi, 0x200000, 0x100000, BOOT_MEM_RAM);
	memmap_add(&bi, 0x400000, 0x1000, BOOT_MEM_ACPI);
	assert_int_equal(bi.nranges, 2);
	expect(0, 0x100000, 0x400000, BOOT_MEM_RAM);
	expect(1, 0x400000, 0x401000, BOOT_MEM_ACPI);
}

static void
reserved_wins_in_either_order(void **state)
{
	(void)state;
	memmap_add(&bi, 0x100000, 0x100000, BOOT_MEM_RAM);
	memmap_add(&bi, 0x140000, 0x1000, BOOT_MEM_RESERVED);
	memmap_add(&bi, 0x500000, 0x1000, BOOT_MEM_NVS);
	memmap_add(&bi, 0x400000, 0x200000, BOOT_MEM_RAM);
	assert_int_equal(bi.nranges, 6);
	expect(0, 0x100000, 0x140000, BOOT_MEM_RAM);
	expect(1, 0x140000, 0x141000, BOOT_MEM_RESERVED);
	expect(2, 0x141000, 0x200000, BOOT_MEM_RAM);
	expect(3, 0x400000, 0x500000, BOOT_MEM_RAM);
	expect(4, 0x500000, 0x501000, BOOT_MEM_NVS);
	expect(5, 0x501000, 0x600000, BOOT_MEM_RAM);
}

static void
one_claim_over_many(void **state)
{
	(void)state;
	memmap_add(&bi, 0x100000, 0x100000, BOOT_MEM_RAM);
	memmap_add(&bi, 0x300000, 0x100000, BOOT_MEM_UNUSABLE);
	memmap_add(&bi, 0x500000, 0x100000, BOOT_MEM_RAM);
	memmap_add(&bi, 0x180000, 0x400000, BOOT_MEM_RESERVED);
	assert_int_equal(bi.nranges, 5);
	expect(0, 0x100000, 0x180000, BOOT_MEM_RAM);
	expect(1, 0x180000, 0x300000, BOOT_MEM_RESERVED);
	expect(2, 0x300000, 0x400000, BOOT_MEM_UNUSABLE);
	expect(3, 0x400000, 0x580000, BOOT_MEM_RESERVED);
	expect(4, 0x580000, 0x600000, BOOT_MEM_RAM);
}

static void
leaves_out_nonsense(void **state)
{
	(void)state;
	memmap_add(&bi, 0x100000, 0, BOOT_MEM_RAM);
	memmap_add(&bi, ~0ull - 10, 4096, BOOT_MEM_RAM);
	assert_int_equal(bi.nranges, 0);
	assert_true(noted("memory map: a range wraps"));
	memmap_add(&bi, 0x100000, 0x1000, 77);
	memmap_add(&bi, 0x200000, 0x1000, 0);
	expect(0, 0x100000, 0x101000, BOOT_MEM_RESERVED);
	expect(1, 0x200000, 0x201000, BOOT_MEM_RESERVED);
	memmap_add(&bi, MEMMAP_PADDR_END - 4096, 8192, BOOT_MEM_RAM);
	expect(2, MEMMAP_PADDR_END - 4096, MEMMAP_PADDR_END, BOOT_MEM_RAM);
	assert_true(noted("memory map: RAM above"));
	memmap_add(&bi, MEMMAP_PADDR_END + 4096, 8192, BOOT_MEM_RAM);
	assert_int_equal(bi.nranges, 3);
}

static void
no_ram_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(memmap_finish(&bi), -ENOMEM);
	memmap_add(&bi, 0, 0x1000, BOOT_MEM_RAM);      /* page 0 only */
	memmap_add(&bi, 0x2800, 0x1000, BOOT_MEM_RAM); /* no whole page */
	memmap_add(&bi, 0x9000, 0x1000, BOOT_MEM_ACPI);
	assert_int_equal(memmap_finish(&bi), -ENOMEM);
	assert_int_equal(bi.nranges, 1);
}

static void
ram_is_whole_pages_without_page_0(void **state)
{
	(void)state;
	memmap_add(&bi, 0, 0x9fc00, BOOT_MEM_RAM);
	memmap_add(&bi, 0x9fc00, 0x400, BOOT_MEM_RESERVED);
	memmap_add(&bi, 0x100010, 0x2000, BOOT_MEM_RAM);
	assert_int_equal(memmap_finish(&bi), 0);
	assert_int_equal(bi.nranges, 3);
	expect(0, 0x1000, 0x9f000, BOOT_MEM_RAM);
	expect(1, 0x9fc00, 0xa0000, BOOT_MEM_RESERVED);
	expect(2, 0x101000, 0x102000, BOOT_MEM_RAM);
}

static void
initrd_must_be_in_ram(void **state)
{
	static const struct {
		paddr_t base;
		uint64_t size;
		bool good;
	} cases[] = {
		{ 0x180000, 0x1001, true },
		{ 0x100000, 0x100000, true },
		{ 0x100000, 0x100001, false },
		{ 0xff000, 0x2000, false },
		{ 0x300000, 0x1000, false },
		{ 0x180000, ~0ull, false },
		{ 0x10, 0x10, false },
		{ 0, 0x10, false },
		{ ~0ull, 0x10, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh(state);
		memmap_add(&bi, 0, 0x2000, BOOT_MEM_RAM);
		memmap_add(&bi, 0x100000, 0x100000, BOOT_MEM_RAM);
		bi.initrd = cases[i].base;
		bi.initrd_size = cases[i].size;
		assert_int_equal(memmap_finish(&bi), 0);
		assert_int_equal(bi.initrd, cases[i].good ? cases[i].base : 0);
		assert_int_equal(bi.initrd_size,
		    cases[i].good ? cases[i].size : 0);
		assert_int_equal(noted("initrd:"), !cases[i].good);
	}
}

/* RAM up to 2 MiB, 64 KiB reserved right behind it, a hole, more reserved. */
static void
initrd_in_what_is_reserved(void **state)
{
	static const struct {
		paddr_t base;
		uint64_t size;
		bool good;
	} cases[] = {
		{ 0x1f0000, 0x10001, true },
		{ 0x1f0800, 0x20000 - 0x800, true },
		{ 0x204000, 0x1000, true },
		{ 0x200000, 0x10000, true },
		{ 0x1f0000, 0x20001, false },
		{ 0x20f000, 0x2000, false },
		{ 0x300000, 0x1000, false },
		{ 0x204000, ~0ull, false },
		{ 0x204000, 0, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh(state);
		memmap_add(&bi, 0x100000, 0x100000, BOOT_MEM_RAM);
		memmap_add(&bi, 0x200000, 0x10000, BOOT_MEM_RESERVED);
		memmap_add(&bi, 0x300000, 0x10000, BOOT_MEM_RESERVED);
		bi.initrd = cases[i].base;
		bi.initrd_size = cases[i].size;
		assert_int_equal(memmap_finish(&bi), 0);
		assert_int_equal(bi.initrd, cases[i].good ? cases[i].base : 0);
		assert_int_equal(memmap_is_ram(&bi, 0x20f000, 0x1000),
		    cases[i].good && cases[i].base + cases[i].size == 0x210000);
		assert_false(memmap_is_ram(&bi, 0x300000, 1));
	}
}

static void
no_initrd_is_no_fault(void **state)
{
	(void)state;
	memmap_add(&bi, 0x100000, 0x100000, BOOT_MEM_RAM);
	bi.initrd = 0x5000;
	assert_int_equal(memmap_finish(&bi), 0);
	assert_int_equal(bi.initrd, 0);
	assert_int_equal(bi.nnotes, 0);
}

static void
full_map_forgets_ram_not_holes(void **state)
{
	paddr_t pa;
	unsigned i;

	(void)state;
	memmap_add(&bi, 0, 0x10000000, BOOT_MEM_RAM);
	for (i = 1; i <= 100; i++)
		memmap_add(&bi, i * 0x10000, 0x1000, BOOT_MEM_RESERVED);
	assert_int_equal(bi.nranges, BOOT_NRANGES);
	assert_true(noted("memory map: too many"));
	for (i = 1; i <= 100; i++)
		for (pa = i * 0x10000; pa < i * 0x10000 + 0x1000; pa += 0x800)
			assert_false(memmap_is_ram(&bi, pa, 1));
	/* What comes later must not bring the forgotten holes back as RAM. */
	memmap_add(&bi, 0, 0x10000000, BOOT_MEM_RAM);
	for (i = 1; i <= 100; i++)
		assert_false(memmap_is_ram(&bi, i * 0x10000, 1));
	assert_true(memmap_is_ram(&bi, 0x8000, 0x1000));
}

/* Any claims in any order give what a byte-wise model of the rules gives. */
static void
agrees_with_a_simple_model(void **state)
{
	enum { UNITS = 64 };
	uint8_t model[UNITS];
	unsigned round, n, i, base, size, type;

	srand(1);
	for (round = 0; round < 3000; round++) {
		fresh(state);
		memset(model, 0, sizeof(model));
		for (n = 0; n < 12; n++) {
			base = rand() % UNITS;
			size = rand() % (UNITS - base + 1);
			type = 1 + rand() % 7;
			memmap_add(&bi, 4096 * base, 4096 * size, type);
			for (i = base; i < base + size; i++)
				model[i] = MAX(model[i], type);
		}
		for (i = 0, n = 0; i < UNITS; i++) {
			while (n < bi.nranges &&
			    bi.range[n].base + bi.range[n].size <= 4096 * i)
				n++;
			type = n < bi.nranges && bi.range[n].base <= 4096 * i ?
			    bi.range[n].type :
			    0;
			assert_int_equal(type, model[i]);
		}
		for (n = 1; n < bi.nranges; n++)
			assert_false(bi.range[n].type == bi.range[n - 1].type &&
			    bi.range[n].base ==
				bi.range[n - 1].base + bi.range[n - 1].size);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sorts_and_joins, fresh),
		cmocka_unit_test_setup(reserved_wins_in_either_order, fresh),
		cmocka_unit_test_setup(one_claim_over_many, fresh),
		cmocka_unit_test_setup(leaves_out_nonsense, fresh),
		cmocka_unit_test_setup(no_ram_is_an_error, fresh),
		cmocka_unit_test_setup(ram_is_whole_pages_without_page_0,
		    fresh),
		cmocka_unit_test_setup(initrd_must_be_in_ram, fresh),
		cmocka_unit_test_setup(initrd_in_what_is_reserved, fresh),
		cmocka_unit_test_setup(no_initrd_is_no_fault, fresh),
		cmocka_unit_test_setup(full_map_forgets_ram_not_holes, fresh),
		cmocka_unit_test_setup(agrees_with_a_simple_model, fresh),
	};

	return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
