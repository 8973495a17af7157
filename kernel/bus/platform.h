/* SPDX-License-Identifier: ISC */
/*
 * platform.h - what firmware's tables say of the board: processors, I/O APICs,
 * and which line arrives where.  Filled by the MP table's parser and by the
 * MADT's; firmware.h has the machine's own.
 */
#ifndef BUS_PLATFORM_H
#define BUS_PLATFORM_H

#include "kern/types.h"

#define PLATFORM_NCPUS    64
#define PLATFORM_NIOAPICS 8
#define PLATFORM_NROUTES  64 /* MP table: of PCI lines */
#define PLATFORM_NISA     16
#define PLATFORM_GSI_NEXT (~0u) /* behind the pins of the one before */

struct platform_cpu {
	uint32_t apic_id;
	bool boot;    /* MP table only */
	bool hotplug; /* not there yet, may come */
};

struct platform_ioapic {
	paddr_t addr;
	uint32_t gsi; /* of pin 0, or PLATFORM_GSI_NEXT */
	uint8_t id;
};

/* Where a line arrives: a GSI, or (MP table) a pin of an I/O APIC. */
struct platform_pin {
	bool known;
	bool by_gsi;
	uint32_t gsi; /* by_gsi */
	uint8_t ioapic, pin;
	uint8_t flags; /* INTR_* of bus/intr.h */
};

struct platform_route {         /* MP table: a PCI device's interrupt pin */
	uint8_t bus, dev, line; /* line: 0 INTA .. 3 INTD */
	struct platform_pin pin;
};

/* What did not fit is counted in `lost`. */
struct platform {
	paddr_t lapic; /* 0: not said */
	bool has_8259;
	struct platform_cpu cpu[PLATFORM_NCPUS];
	unsigned ncpus;
	struct platform_ioapic ioapic[PLATFORM_NIOAPICS];
	unsigned nioapics;
	struct platform_pin isa[PLATFORM_NISA];
	struct platform_route route[PLATFORM_NROUTES];
	unsigned nroutes;
	unsigned lost;
};

/* Appends; a processor or I/O APIC that is there already is not added. */
void platform_add_cpu(struct platform *p, struct platform_cpu cpu);
void platform_add_ioapic(struct platform *p, struct platform_ioapic io);

/*
 * Reads `len` bytes of physical memory at pa into `to`; false: there are none.
 * So each byte is read once, and parsers see what they have checked.
 */
struct phys_reader {
	bool (*read)(void *arg, paddr_t pa, void *to, size_t len);
	void *arg;
};

/* Through r; false also for address 0 and where the range wraps. */
bool phys_read(const struct phys_reader *r, paddr_t pa, void *to, size_t len);
/*
 * The first 16-byte boundary in [pa, pa + size) where `mark` (n bytes, 4 to
 * 16) stands and where `sum` bytes, at most 64, add up to 0; 0: none.
 */
paddr_t phys_search(const struct phys_reader *r, paddr_t pa, uint64_t size,
    const char *mark, size_t n, size_t sum);
/* The same in the first KiB of the extended BIOS data area, if there is one. */
paddr_t phys_search_ebda(const struct phys_reader *r, const char *mark,
    size_t n, size_t sum);
uint8_t bytes_sum(const uint8_t *p, size_t len); /* modulo 256 */

/* Little-endian numbers in a table, at any alignment. */
static inline uint16_t
get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}
static inline uint32_t
get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}
static inline uint64_t
get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

#endif
