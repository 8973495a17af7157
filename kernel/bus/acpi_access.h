/* SPDX-License-Identifier: ISC */
/*
 * acpi_access.h - what ACPI's byte code may reach.  The host wrote it, so it
 * is not trusted with what is the kernel's own: RAM, its image, interrupt
 * controllers, and the ports that go with them.  Pure.
 */
#ifndef BUS_ACPI_ACCESS_H
#define BUS_ACPI_ACCESS_H

#include "kern/types.h"

#define ACPI_MAP_MAX 0x100000 /* bytes of one mapping; tables are no longer */

enum acpi_reach {
	ACPI_REACH_NONE,      /* refused */
	ACPI_REACH_MEMORY,    /* firmware's memory: the direct map has it */
	ACPI_REACH_REGISTERS, /* to be mapped uncached */
};

struct boot_range;

/* Where [pa, pa + len) is, by the memory map. */
enum acpi_reach acpi_memory_reach(const struct boot_range *map, unsigned n,
    paddr_t pa, uint64_t len);

/* Whether `bytes` ports from `port` on may be used. */
bool acpi_ports_allowed(uint64_t port, unsigned bytes);

#endif
