/* SPDX-License-Identifier: ISC */
/*
 * acpi_tables_test.c - ACPI's static tables, good ones and bad ones.  The test
 * plays the first MiB of memory.
 */
/* unit: kernel/bus/acpi_tables.c kernel/bus/platform.c */
#include "bus/acpi_tables.h"

#include "bus/intr.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RSDP 0xe0010ul
#define XSDT 0xe1000ul
#define RSDT 0xe2000ul
#define MADT 0xe3000ul

static uint8_t mem[0x100000];
static struct platform board;
static struct acpi_directory dir;

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
put(uint8_t *p, uint64_t v, unsigned n)
{
	memcpy(p, &v, n);
}

static void
seal(uint8_t *t, const char *signature, uint32_t len)
{
	memcpy(t, signature, 4);
	put(t + 4, len, 4);
	t[9] = 0;
	t[9] = -bytes_sum(t, len);
}

static void
seal_rsdp(void)
{
	uint8_t *p = mem + RSDP;

	memcpy(p, "RSD PTR ", 8);
	p[8] = p[32] = 0;
	p[8] = -bytes_sum(p, 20);
	p[32] = -bytes_sum(p, 36);
}

/* Both root tables name a MADT and a FADT; only the XSDT an MCFG. */
static int
begin(void **state)
{
	static const uint8_t entries[] = {
		/* processors: on, off but possible, never, a wide one */
		0, 8, 0, 0, 1, 0, 0, 0, 0, 8, 1, 1, 2, 0, 0, 0, 0, 8, 2, 2, 0,
		0, 0, 0, 9, 16, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0,
		/* two I/O APICs, two overrides, an NMI, the wide address */
		1, 12, 7, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0, 1, 12, 8, 0, 0, 0,
		0xc1, 0xfe, 24, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 2, 10,
		0, 9, 9, 0, 0, 0, 0xf, 0, 4, 6, 0xff, 0, 0, 1, 5, 12, 0, 0, 0,
		0, 0, 0, 1, 0, 0, 0
	};
	uint8_t *m = mem + MADT, *p = mem + RSDP;

	(void)state;
	memset(mem, 0, sizeof(mem));
	p[15] = 2;
	put(p + 16, RSDT, 4);
	put(p + 20, 36, 4);
	put(p + 24, XSDT, 8);
	seal_rsdp();
	put(mem + XSDT + 36, MADT, 8);
	put(mem + XSDT + 44, 0xe4000, 8);
	put(mem + XSDT + 52, 0xe5000, 8);
	seal(mem + XSDT, "XSDT", 60);
	put(mem + RSDT + 36, MADT, 4);
	put(mem + RSDT + 40, 0xe4000, 4);
	seal(mem + RSDT, "RSDT", 44);
	put(m + 36, 0xfee00000, 4);
	m[40] = 1;
	memcpy(m + 44, entries, sizeof(entries));
	seal(m, "APIC", 44 + sizeof(entries));
	seal(mem + 0xe4000, "FACP", 276);
	seal(mem + 0xe5000, "MCFG", 60);
	return 0;
}

static void
tables_are_listed(void **state)
{
	const struct acpi_entry *e;

	(void)state;
	assert_int_equal(acpi_find_root(&reader), RSDP);
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), 0);
	assert_int_equal(dir.ntables, 3);
	assert_int_equal(dir.revision, 2);
	e = acpi_find_table(&dir, "MCFG", 0);
	assert_non_null(e);
	assert_int_equal(e->pa, 0xe5000);
	assert_null(acpi_find_table(&dir, "MCFG", 1));
	assert_null(acpi_find_table(&dir, "HPET", 0));
}

static void
the_root_is_searched_where_bios_leaves_it(void **state)
{
	(void)state;
	memcpy(mem + 0x9f020, mem + RSDP, 36);
	assert_int_equal(acpi_find_root(&reader), RSDP);
	put(mem + 0x40e, 0x9f00, 2);
	assert_int_equal(acpi_find_root(&reader), 0x9f020);
	mem[0x9f021] = mem[RSDP + 1] = 'x';
	assert_int_equal(acpi_find_root(&reader), 0);
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), -EINVAL);
	assert_int_equal(acpi_read_directory(&reader, 0, &dir), -EINVAL);
	assert_int_equal(acpi_read_directory(&reader, ~0ul, &dir), -EINVAL);
}

static void
a_broken_xsdt_leaves_the_rsdt(void **state)
{
	(void)state;
	mem[XSDT + 50]++;
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), 0);
	assert_int_equal(dir.ntables, 2);
	mem[RSDP + 15] = 0;
	seal_rsdp();
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), 0);
	assert_int_equal(dir.ntables, 2);
	mem[RSDT + 4] = 35;
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), -EINVAL);
	assert_int_equal(dir.ntables, 0);
	put(mem + RSDT + 4, 0xfffffff0, 4);
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), -EINVAL);
}

static void
slots_that_lead_nowhere_are_lost(void **state)
{
	unsigned i;

	(void)state;
	put(mem + XSDT + 44, 0x7fffffffffff, 8);
	put(mem + XSDT + 52, 0, 8);
	seal(mem + XSDT, "XSDT", 60);
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), 0);
	assert_int_equal(dir.ntables, 1);
	assert_int_equal(dir.lost, 2);
	for (i = 0; i < 100; i++)
		put(mem + XSDT + 36 + i * 8, MADT, 8);
	seal(mem + XSDT, "XSDT", 36 + 800);
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), 0);
	assert_int_equal(dir.ntables, ACPI_NTABLES);
	assert_int_equal(dir.lost, 100 - ACPI_NTABLES);
}

static void
copies_are_checked(void **state)
{
	const struct acpi_entry *e;
	uint8_t buf[512];

	(void)state;
	assert_int_equal(acpi_read_directory(&reader, RSDP, &dir), 0);
	e = acpi_find_table(&dir, "APIC", 0);
	assert_int_equal(acpi_copy_table(&reader, e, buf), 0);
	mem[MADT + 60]++;
	assert_int_equal(acpi_copy_table(&reader, e, buf), -EINVAL);
	mem[MADT + 60]--;
	mem[MADT + 4]++; /* longer since it was listed */
	mem[MADT + 9]--;
	assert_int_equal(acpi_copy_table(&reader, e, buf), -EINVAL);
}

static void
the_madt_says_who_is_there(void **state)
{
	uint8_t *m = mem + MADT;
	uint32_t len = get32(m + 4);

	(void)state;
	assert_int_equal(acpi_parse_madt(m, len, &board), 0);
	assert_int_equal(board.ncpus, 3);
	assert_false(board.cpu[0].hotplug);
	assert_true(board.cpu[1].hotplug);
	assert_int_equal(board.cpu[2].apic_id, 0x12c);
	assert_int_equal(board.nioapics, 2);
	assert_int_equal(board.ioapic[1].addr, 0xfec10000);
	assert_int_equal(board.ioapic[1].gsi, 24);
	assert_true(board.isa[0].by_gsi);
	assert_int_equal(board.isa[0].gsi, 2);
	assert_int_equal(board.isa[0].flags, 0);
	assert_int_equal(board.isa[9].flags, INTR_LEVEL | INTR_LOW);
	assert_int_equal(board.lapic, 0x100000000);
	assert_true(board.has_8259);
	assert_int_equal(board.lost, 0);
	m[44 + 1] = 1; /* shorter than its own head */
	assert_int_equal(acpi_parse_madt(m, len, &board), 0);
	assert_int_equal(board.ncpus, 0);
	assert_int_equal(board.lost, 1);
	m[44 + 1] = 7; /* shorter than a processor's */
	m[44 + 7] = 99;
	m[44 + 8] = 200;
	assert_int_equal(acpi_parse_madt(m, len, &board), 0);
	assert_int_equal(board.lost, 2);
	assert_int_equal(acpi_parse_madt(m, 43, &board), -EINVAL);
	assert_int_equal(acpi_parse_madt(m, 44, &board), 0);
}

static void
the_fadt_in_all_its_lengths(void **state)
{
	uint8_t t[276] = { 0 };
	struct acpi_fadt f;

	(void)state;
	put(t + 40, 0x1000, 4);
	put(t + 46, 9, 2);
	put(t + 48, 0xb2, 4);
	put(t + 56, 0x600, 4);
	put(t + 64, 0x604, 4);
	t[88] = 4;
	t[89] = 2;
	put(t + 112, ACPI_FADT_RESET, 4);
	t[116] = 1;
	put(t + 120, 0xcf9, 8);
	t[128] = 0x0f;
	put(t + 140, 0x123456789, 8);
	t[172] = 1;
	put(t + 176, 0x1804, 8);
	t[244] = 0;
	put(t + 248, 0xfea00200, 8);
	assert_int_equal(acpi_parse_fadt(t, sizeof(t), &f), 0);
	assert_int_equal(f.dsdt, 0x123456789);
	assert_int_equal(f.sci, 9);
	assert_int_equal(f.smi_command, 0xb2);
	assert_int_equal(f.pm1a_event.addr, 0x600);
	assert_int_equal(f.pm1a_event.bits, 32);
	assert_int_equal(f.pm1a_control.addr, 0x1804);
	assert_int_equal(f.pm1b_control.addr, 0);
	assert_int_equal(f.reset.addr, 0xcf9);
	assert_int_equal(f.reset_value, 0x0f);
	assert_int_equal(f.sleep_control.addr, 0xfea00200);
	assert_int_equal(acpi_parse_fadt(t, 116, &f), 0); /* ACPI 1.0 */
	assert_int_equal(f.dsdt, 0x1000);
	assert_int_equal(f.pm1a_control.addr, 0x604);
	assert_int_equal(f.reset.addr, 0);
	assert_int_equal(acpi_parse_fadt(t, 115, &f), -EINVAL);
	put(t + 48, 0x10000, 4); /* no port */
	assert_int_equal(acpi_parse_fadt(t, 200, &f), 0);
	assert_int_equal(f.smi_command, 0);
}

static void
the_mcfg_has_sane_windows_only(void **state)
{
	uint8_t t[44 + 4 * 16] = { 0 };
	struct acpi_ecam w[2];
	unsigned n;

	(void)state;
	put(t + 44, 0xe0000000, 8);
	t[44 + 11] = 255;
	put(t + 60, 0xe0000800, 8);         /* not aligned */
	put(t + 76, 0xfffffffffff00000, 8); /* wraps */
	t[76 + 11] = 255;
	put(t + 92, 0xc0000000, 8);
	t[92 + 8] = 1;
	t[92 + 10] = 9; /* first behind last */
	assert_int_equal(acpi_parse_mcfg(t, sizeof(t), w, 2, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(w[0].base, 0xe0000000);
	assert_int_equal(w[0].last_bus, 255);
	t[92 + 10] = 0;
	assert_int_equal(acpi_parse_mcfg(t, sizeof(t), w, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(acpi_parse_mcfg(t, 44 + 15, w, 2, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(acpi_parse_mcfg(t, 43, w, 2, &n), -EINVAL);
}

static void
timer_and_console(void **state)
{
	uint8_t t[80] = { 0 };
	struct acpi_address a;
	struct acpi_spcr s;

	(void)state;
	put(t + 44, 0xfed00000, 8);
	assert_int_equal(acpi_parse_hpet(t, 56, &a), 0);
	assert_int_equal(a.addr, 0xfed00000);
	assert_int_equal(acpi_parse_hpet(t, 55, &a), -EINVAL);
	t[40] = 1;
	put(t + 44, 0x3f8, 8);
	t[52] = 3;
	t[53] = 4;
	t[54] = 4;
	t[58] = 7;
	assert_int_equal(acpi_parse_spcr(t, 80, &s), 0);
	assert_int_equal(s.regs.space, 1);
	assert_int_equal(s.regs.addr, 0x3f8);
	assert_true(s.has_irq && s.has_gsi);
	assert_int_equal(s.irq, 4);
	assert_int_equal(s.baud, 115200);
	assert_int_equal(acpi_parse_spcr(t, 79, &s), -EINVAL);
}

static void
the_way_to_switch_off(void **state)
{
	static const uint8_t q35[] = { 8, '_', 'S', '5', '_', 0x12, 6, 4, 0, 0,
		0, 0 };
	static const uint8_t other[] = { 8, '\\', '_', 'S', '5', '_', 0x12,
		0x47, 0, 4, 0x0a, 5, 1, 0, 0 };
	static const uint8_t broken[] = { 8, '_', 'S', '5', '_', 0x12, 6, 4,
		0x0a, 9, 0, 0 };
	uint8_t t[64] = { 0 }, type[2];

	(void)state;
	assert_int_equal(acpi_parse_s5(t, sizeof(t), type), -ENOENT);
	memcpy(t + 36, q35, sizeof(q35));
	assert_int_equal(acpi_parse_s5(t, sizeof(t), type), 0);
	assert_int_equal(type[0], 0);
	memcpy(t + 40, other, sizeof(other));
	assert_int_equal(acpi_parse_s5(t, sizeof(t), type), 0);
	assert_int_equal(type[0], 5);
	assert_int_equal(type[1], 1);
	memcpy(t + 40, broken, sizeof(broken));
	assert_int_equal(acpi_parse_s5(t, sizeof(t), type), -ENOENT);
	memcpy(t + 40, other, sizeof(other));
	assert_int_equal(acpi_parse_s5(t, 40 + 12, type), -ENOENT);
	assert_int_equal(acpi_parse_s5(t, 36, type), -ENOENT);
}

#define CASE(fn) cmocka_unit_test_setup(fn, begin)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(tables_are_listed),
		CASE(the_root_is_searched_where_bios_leaves_it),
		CASE(a_broken_xsdt_leaves_the_rsdt),
		CASE(slots_that_lead_nowhere_are_lost),
		CASE(copies_are_checked),
		CASE(the_madt_says_who_is_there),
		CASE(the_fadt_in_all_its_lengths),
		CASE(the_mcfg_has_sane_windows_only),
		CASE(timer_and_console),
		CASE(the_way_to_switch_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
