/* SPDX-License-Identifier: ISC */
/*
 * boot_info.h - what every entry path fills, and all that the rest of the
 * kernel knows of how it was started.  No pointers to the host's memory: the
 * strings are copies, the addresses physical and checked.
 */
#ifndef KERN_BOOT_INFO_H
#define KERN_BOOT_INFO_H

#include "kern/types.h"

enum boot_entry {
	BOOT_NONE,
	BOOT_PVH,     /* Xen's PVH: QEMU, Firecracker, Xen */
	BOOT_LINUX64, /* Linux's 64-bit boot protocol: older Firecracker */
};

enum boot_mem { /* numbers as in E820 and PVH's memory map */
	BOOT_MEM_RAM = 1,
	BOOT_MEM_RESERVED = 2,
	BOOT_MEM_ACPI = 3,
	BOOT_MEM_NVS = 4,
	BOOT_MEM_UNUSABLE = 5,
	BOOT_MEM_DISABLED = 6,
	BOOT_MEM_PMEM = 7,
};

struct boot_range {
	paddr_t base;
	uint64_t size; /* bytes, not 0; base + size does not wrap */
	enum boot_mem type;
};

#define BOOT_CMDLINE_SIZE 4096 /* with its NUL */
#define BOOT_NRANGES      64
#define BOOT_NNOTES       8

struct boot_info {
	enum boot_entry entry;
	char cmdline[BOOT_CMDLINE_SIZE];
	/*
	 * The memory map: by address, no overlaps, neighbours of one type
	 * joined.  RAM is in whole pages, without page 0; the pages below
	 * 1 MiB are there.  What no range covers is not RAM.
	 */
	struct boot_range range[BOOT_NRANGES];
	unsigned nranges;
	bool range_lost;      /* a claim found no room: takes no more RAM */
	paddr_t initrd;       /* 0 with initrd_size 0: there is none */
	uint64_t initrd_size; /* bytes, all of them in RAM */
	paddr_t rsdp;         /* ACPI's root pointer; 0: not told */
	/* What was odd, for the log: constant strings. */
	const char *note[BOOT_NNOTES];
	unsigned nnotes;
};

#endif
