/* SPDX-License-Identifier: ISC */
/*
 * acpi_tables_fuzz.c - any bytes as each of ACPI's static tables, and any list
 * of addresses as the root table, in memory that changes while it is read.
 */
/* unit: kernel/bus/acpi_tables.c kernel/bus/platform.c */
#include "bus/acpi_tables.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE 0xe0000ul
#define SIZE 0x20000ul
#define XSDT 0x100ul

static uint8_t mem[SIZE];
static const uint8_t *lies; /* what is added to bytes at each read */
static size_t nlies;

static bool
bios_read(void *arg, paddr_t pa, void *to, size_t len)
{
	(void)arg;
	if (pa < BASE || len > SIZE || pa - BASE > SIZE - len)
		return false;
	memcpy(to, mem + (pa - BASE), len);
	if (nlies >= 2 && lies[0] < 16 && len > lies[1])
		((uint8_t *)to)[lies[1]] ^= lies[0];
	if (nlies >= 2) {
		lies += 2;
		nlies -= 2;
	}
	return true;
}

static const struct phys_reader reader = { bios_read, NULL };

static void
parse_all(const uint8_t *t, size_t len)
{
	struct platform board;
	struct acpi_address address;
	struct acpi_fadt fadt;
	struct acpi_spcr spcr;
	struct acpi_ecam ecam[3];
	uint8_t type[2];
	unsigned n, i;

	if (acpi_parse_s5(t, len, type) == 0 && (type[0] > 7 || type[1] > 7))
		abort();
	if (acpi_parse_madt(t, len, &board) == 0 &&
	    (board.ncpus > PLATFORM_NCPUS ||
		board.nioapics > PLATFORM_NIOAPICS))
		abort();
	(void)acpi_parse_fadt(t, len, &fadt);
	(void)acpi_parse_hpet(t, len, &address);
	(void)acpi_parse_spcr(t, len, &spcr);
	if (acpi_parse_mcfg(t, len, ecam, 3, &n) == 0)
		for (i = 0; i < n; i++)
			if (ecam[i].base == 0 || (ecam[i].base & 0xfffff) != 0)
				abort();
}

static void
walk(void)
{
	struct acpi_directory dir;
	uint8_t *copy;
	unsigned i;

	if (acpi_find_root(&reader) == 0 ||
	    acpi_read_directory(&reader, BASE, &dir) != 0)
		return;
	if (dir.ntables > ACPI_NTABLES)
		abort();
	for (i = 0; i < dir.ntables; i++) {
		copy = malloc(dir.table[i].length);
		if (acpi_copy_table(&reader, &dir.table[i], copy) == 0)
			parse_all(copy, dir.table[i].length);
		free(copy);
	}
}

/* A root pointer and an XSDT with right sums; the rest is the input's. */
static void
build(const uint8_t *data, size_t size)
{
	uint32_t len = MIN(MAX(size, 36), SIZE - XSDT);
	uint64_t xsdt = BASE + XSDT;
	uint8_t *t = mem + XSDT;

	memset(mem, 0, sizeof(mem));
	memcpy(t, data, MIN(size, len));
	memcpy(t, "XSDT", 4);
	len = MIN(len, 36 + (data[0] & 0x7fu) * 8);
	memcpy(t + 4, &len, 4);
	t[9] = 0;
	t[9] = -bytes_sum(t, len);
	memcpy(mem, "RSD PTR ", 8);
	mem[15] = 2;
	mem[20] = 36;
	memcpy(mem + 24, &xsdt, 8);
	mem[8] = -bytes_sum(mem, 20);
	mem[32] = -bytes_sum(mem, 36);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 36)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	parse_all(copy, size);
	free(copy);
	build(data, size);
	nlies = 0;
	walk();
	lies = data;
	nlies = size;
	walk();
	return 0;
}
