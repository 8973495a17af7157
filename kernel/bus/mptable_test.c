/* SPDX-License-Identifier: ISC */
/*
 * mptable_test.c - MP tables as hosts write them, and broken ones.  The test
 * plays the first MiB of memory.
 */
/* unit: kernel/bus/mptable.c kernel/bus/platform.c */
#include "bus/mptable.h"

#include "bus/intr.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t mem[0x100000];
static struct platform out;
static uint8_t *table; /* being written */
static unsigned end;

static bool
mem_read(void *arg, paddr_t pa, void *to, size_t len)
{
	(void)arg;
	if (pa > sizeof(mem) || len > sizeof(mem) - pa)
		return false;
	memcpy(to, mem + pa, len);
	return true;
}

static const struct phys_reader reader = { mem_read, NULL };

static void
put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, 2);
}

static void
put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static void
add(const uint8_t *entry, unsigned n)
{
	memcpy(table + end, entry, n);
	end += n;
	put16(table + 34, get16(table + 34) + 1);
}

static void
finish(void)
{
	put16(table + 4, end);
	table[7] = 0;
	table[7] = -bytes_sum(table, end);
}

static void
pointer_at(paddr_t pa, paddr_t to)
{
	uint8_t *p = mem + pa;

	memset(p, 0, 16);
	memcpy(p, "_MP_", 4);
	put32(p + 4, to);
	p[8] = 1;
	p[9] = 4;
	p[10] = -bytes_sum(p, 16);
}

/* Two processors of three, two I/O APICs, ISA and PCI lines: qboot's shape. */
static int
begin(void **state)
{
	static const uint8_t cpu0[20] = { 0, 0, 20, 3 };
	static const uint8_t cpu1[20] = { 0, 1, 20, 1 };
	static const uint8_t off[20] = { 0, 2, 20, 0 };
	static const uint8_t pci[8] = { 1, 0, 'P', 'C', 'I', ' ', ' ', ' ' };
	static const uint8_t isa[8] = { 1, 1, 'I', 'S', 'A', ' ', ' ', ' ' };
	static const uint8_t io[8] = { 2, 2, 17, 1, 0, 0, 0xc0, 0xfe };
	static const uint8_t io2[8] = { 2, 3, 17, 1, 0, 0, 0xc1, 0xfe };
	static const uint8_t timer[8] = { 3, 0, 0, 0, 1, 0, 2, 2 };
	static const uint8_t sci[8] = { 3, 0, 0xd, 0, 1, 9, 2, 9 };
	static const uint8_t inta[8] = { 3, 0, 0, 0, 0, 3 << 2, 3, 5 };
	static const uint8_t nmi[8] = { 4, 1, 0, 0, 1, 0, 0xff, 1 };

	(void)state;
	memset(mem, 0, sizeof(mem));
	table = mem + 0x9fd00;
	memcpy(table, "PCMP", 4);
	put32(table + 36, 0xfee00000);
	end = 44;
	add(cpu0, 20);
	add(cpu1, 20);
	add(off, 20);
	add(pci, 8);
	add(isa, 8);
	add(io, 8);
	add(io2, 8);
	add(timer, 8);
	add(sci, 8);
	add(inta, 8);
	add(nmi, 8);
	finish();
	return 0;
}

static void
a_good_table_is_understood(void **state)
{
	(void)state;
	assert_int_equal(mptable_parse(table, end, &out), 0);
	assert_int_equal(out.lapic, 0xfee00000);
	assert_int_equal(out.ncpus, 2);
	assert_true(out.cpu[0].boot && !out.cpu[1].boot);
	assert_int_equal(out.cpu[1].apic_id, 1);
	assert_int_equal(out.nioapics, 2);
	assert_int_equal(out.ioapic[1].addr, 0xfec10000);
	assert_int_equal(out.ioapic[1].gsi, PLATFORM_GSI_NEXT);
	assert_true(out.isa[0].known && !out.isa[1].known);
	assert_int_equal(out.isa[0].pin, 2);
	assert_int_equal(out.isa[9].flags, INTR_LEVEL);
	assert_int_equal(out.nroutes, 1);
	assert_int_equal(out.route[0].dev, 3);
	assert_int_equal(out.route[0].line, 0);
	assert_int_equal(out.route[0].pin.ioapic, 3);
	assert_int_equal(out.route[0].pin.pin, 5);
	assert_int_equal(out.route[0].pin.flags, INTR_LEVEL | INTR_LOW);
	assert_int_equal(out.lost, 0);
}

static void
it_is_found_in_all_three_places(void **state)
{
	static const paddr_t places[] = { 0x9f010, 0x9fc00, 0xf5a30 };
	paddr_t at;
	uint32_t len;
	unsigned i;

	(void)state;
	assert_int_equal(mptable_find(&reader), 0);
	put16(mem + 0x40e, 0x9f00);
	for (i = 3; i-- > 0;) {
		pointer_at(places[i], 0x9fd00);
		assert_int_equal(mptable_find(&reader), places[i]);
	}
	assert_int_equal(mptable_locate(&reader, 0x9f010, &at, &len), 0);
	assert_int_equal(at, 0x9fd00);
	assert_int_equal(len, end);
}

static void
pointers_that_lie_are_refused(void **state)
{
	paddr_t at;
	uint32_t len;

	(void)state;
	pointer_at(0xf0000, 0x9fd00);
	mem[0xf0005]++;
	assert_int_equal(mptable_find(&reader), 0);
	assert_int_equal(mptable_locate(&reader, 0xf0000, &at, &len), -EINVAL);
	pointer_at(0xf0000, 0xfffff000);
	assert_int_equal(mptable_locate(&reader, 0xf0000, &at, &len), -EINVAL);
	pointer_at(0xf0000, 0x80000);
	assert_int_equal(mptable_locate(&reader, 0xf0000, &at, &len), -EINVAL);
	pointer_at(0xf0000, 0x9fd00);
	mem[0xf000b] = 5; /* a default configuration */
	mem[0xf000a] -= 5;
	assert_int_equal(mptable_locate(&reader, 0xf0000, &at, &len), -ENOENT);
	assert_int_equal(mptable_locate(&reader, 0, &at, &len), -EINVAL);
	assert_int_equal(mptable_locate(&reader, ~0ul, &at, &len), -EINVAL);
	put16(mem + 0x40e, 0xffff);
	mem[0xf000b] = mem[0xf0000] = 0;
	assert_int_equal(mptable_find(&reader), 0);
}

static void
broken_tables_are_refused(void **state)
{
	(void)state;
	table[50]++;
	assert_int_equal(mptable_parse(table, end, &out), -EINVAL);
	assert_int_equal(out.ncpus, 0);
	table[50]--;
	assert_int_equal(mptable_parse(table, end - 1, &out), -EINVAL);
	assert_int_equal(mptable_parse(table, 43, &out), -EINVAL);
	table[0] = 'Q';
	finish();
	assert_int_equal(mptable_parse(table, end, &out), -EINVAL);
}

static void
what_is_behind_nonsense_is_lost(void **state)
{
	(void)state;
	put16(table + 34, 1000); /* more entries than there are */
	finish();
	assert_int_equal(mptable_parse(table, end, &out), 0);
	assert_int_equal(out.ncpus, 2);
	assert_int_equal(out.lost, 1000 - 11);
	table[44 + 20] = 77; /* the second entry */
	finish();
	assert_int_equal(mptable_parse(table, end, &out), 0);
	assert_int_equal(out.ncpus, 1);
	assert_int_equal(out.lost, 999);
}

static void
too_many_are_counted(void **state)
{
	uint8_t cpu[20] = { 0, 0, 20, 1 };
	unsigned i;

	(void)state;
	table = mem + 0xf1000;
	memcpy(table, "PCMP", 4);
	end = 44;
	for (i = 0; i < 200; i++) {
		cpu[1] = i;
		add(cpu, 20);
	}
	finish();
	assert_int_equal(mptable_parse(table, end, &out), 0);
	assert_int_equal(out.ncpus, PLATFORM_NCPUS);
	assert_int_equal(out.lost, 200 - PLATFORM_NCPUS);
}

#define CASE(fn) cmocka_unit_test_setup(fn, begin)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_good_table_is_understood),
		CASE(it_is_found_in_all_three_places),
		CASE(pointers_that_lie_are_refused),
		CASE(broken_tables_are_refused),
		CASE(what_is_behind_nonsense_is_lost),
		CASE(too_many_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
