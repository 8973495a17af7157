/* SPDX-License-Identifier: ISC */
/* acpi_access.c - what ACPI's byte code may reach. */
#include "bus/acpi_access.h"

#include "kern/boot_info.h"

#define DIRECT_END (1ul << 30) /* entry.S maps so much, RAM or not */
#define PHYS_END   (1ul << 46)
#define BIOS       0xe0000ul
#define BIOS_END   0x100000ul
#define APICS      0xfec00000ul /* I/O APICs, up to the local APIC's page */
#define APICS_END  0xfef00000ul

static bool
overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return a < b + blen && b < a + alen;
}

/* The kernel, its memory and programs' are in RAM, and nothing else is. */
static bool
is_ours(const struct boot_range *map, unsigned n, paddr_t pa, uint64_t len)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (map[i].type == BOOT_MEM_RAM &&
		    overlap(pa, len, map[i].base, map[i].size))
			return true;
	return overlap(pa, len, APICS, APICS_END - APICS);
}

static bool
is_firmwares(const struct boot_range *map, unsigned n, paddr_t pa, uint64_t len)
{
	unsigned i;

	if (pa >= BIOS && pa + len <= BIOS_END)
		return true;
	for (i = 0; i < n; i++)
		if ((map[i].type == BOOT_MEM_RESERVED ||
			map[i].type == BOOT_MEM_ACPI ||
			map[i].type == BOOT_MEM_NVS) &&
		    pa >= map[i].base && pa + len <= map[i].base + map[i].size)
			return true;
	return false;
}

enum acpi_reach
acpi_memory_reach(const struct boot_range *map, unsigned n, paddr_t pa,
    uint64_t len)
{
	if (len == 0 || len > ACPI_MAP_MAX || pa == 0 || pa >= PHYS_END - len ||
	    is_ours(map, n, pa, len))
		return ACPI_REACH_NONE;
	if (pa + len <= DIRECT_END && is_firmwares(map, n, pa, len))
		return ACPI_REACH_MEMORY;
	return ACPI_REACH_REGISTERS;
}

/* DMA controllers, interrupt controllers, timer, PCI's address port. */
static const struct {
	uint16_t first, last;
} kept[] = {
	{ 0x00, 0x1f },
	{ 0x20, 0x21 },
	{ 0x40, 0x43 },
	{ 0x81, 0x8f },
	{ 0xa0, 0xa1 },
	{ 0xc0, 0xdf },
	{ 0x4d0, 0x4d1 },
	{ 0xcf8, 0xcf8 },
	{ 0xcfa, 0xcff },
};

bool
acpi_ports_allowed(uint64_t port, unsigned bytes)
{
	unsigned i;

	if (bytes == 0 || bytes > 4 || port > 0x10000 - bytes)
		return false;
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (port <= kept[i].last && port + bytes > kept[i].first)
			return false;
	return true;
}
