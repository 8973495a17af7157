/* SPDX-License-Identifier: ISC */
/*
 * acpi_tables.h - ACPI's static tables, those that need no interpreter.
 * ACPI 6.4, 5.2; PCI Firmware 3.3, 4.1.2; IA-PC HPET 1.0a, 3.2.4; SPCR 1.07.
 *
 * A directory of the tables is made from the root pointer; a table is copied
 * as a whole, its sum checked, and the copy parsed.  Pure: memory comes
 * through a reader.
 */
#ifndef BUS_ACPI_TABLES_H
#define BUS_ACPI_TABLES_H

#include "bus/platform.h"

#define ACPI_NTABLES   32
#define ACPI_TABLE_MAX 0x100000 /* bytes; longer ones are not believed */

struct acpi_entry {
	char signature[4];
	uint32_t length; /* bytes, with the header of 36 */
	paddr_t pa;
};

struct acpi_directory {
	unsigned revision; /* of the root pointer: 0 or 2 */
	struct acpi_entry table[ACPI_NTABLES];
	unsigned ntables;
	unsigned lost; /* did not fit, or could not be read */
};

/*
 * The root pointer: in the EBDA or in the BIOS.  0: there is none.
 */
paddr_t acpi_find_root(const struct phys_reader *r);

/*
 * Lists what the root table (XSDT, or RSDT) points to.
 *   -EINVAL  not a root pointer, or its root table is broken
 */
int acpi_read_directory(const struct phys_reader *r, paddr_t rsdp,
    struct acpi_directory *out);

/* The nth (from 0) table of that signature, or NULL. */
const struct acpi_entry *acpi_find_table(const struct acpi_directory *dir,
    const char *signature, unsigned nth);

/* Signature and length of the table at pa; -EINVAL: nonsense. */
int acpi_read_entry(const struct phys_reader *r, paddr_t pa,
    struct acpi_entry *out);

/*
 * Copies a table into buf, which has room for entry->length, and checks it.
 *   -EINVAL  header or sum are wrong (or it changed since it was listed)
 */
int acpi_copy_table(const struct phys_reader *r, const struct acpi_entry *entry,
    uint8_t *buf);

/*
 * The parsers: `t` is a copy of `len` bytes, at least a header.
 *   -EINVAL  too short for what the table must hold
 */

/* Adds processors, I/O APICs, ISA lines to *out, which is zeroed first. */
int acpi_parse_madt(const uint8_t *t, size_t len, struct platform *out);

struct acpi_address {  /* 5.2.3.2 */
	uint8_t space; /* 0 memory, 1 ports, 2 PCI configuration */
	uint8_t bits;
	uint64_t addr; /* 0: there is no such register */
};

struct acpi_fadt { /* 5.2.9 */
	paddr_t facs, dsdt;
	uint16_t sci;         /* ISA interrupt or GSI */
	uint16_t smi_command; /* port, 0: always ACPI */
	uint8_t acpi_enable, acpi_disable;
	struct acpi_address pm1a_event, pm1b_event, pm1a_control, pm1b_control;
	struct acpi_address pm_timer, gpe0, gpe1;
	uint8_t pm1_event_len, gpe0_len, gpe1_len;
	uint16_t boot_flags;
	uint32_t flags;
	struct acpi_address reset, sleep_control, sleep_status;
	uint8_t reset_value;
	uint64_t hypervisor;
};
#define ACPI_FADT_RESET   (1u << 10)
#define ACPI_FADT_REDUCED (1u << 20) /* no PM1 registers */
int acpi_parse_fadt(const uint8_t *t, size_t len, struct acpi_fadt *out);

/*
 * What the DSDT's \_S5 says to write to switch off: found by its name among
 * the byte code, without an interpreter, so it must be written out there.
 *   -ENOENT  it is not, or not understood
 */
int acpi_parse_s5(const uint8_t *dsdt, size_t len, uint8_t type[2]);

struct acpi_ecam {    /* PCI Firmware 3.3, table 4-3 */
	paddr_t base; /* of bus 0, also where first_bus is another */
	uint16_t segment;
	uint8_t first_bus, last_bus;
};
/* Up to `max` windows into out; *n is how many.  Absurd ones are left out. */
int acpi_parse_mcfg(const uint8_t *t, size_t len, struct acpi_ecam *out,
    unsigned max, unsigned *n);

/* Where the timer's registers are. */
int acpi_parse_hpet(const uint8_t *t, size_t len, struct acpi_address *out);

struct acpi_spcr {
	uint8_t type; /* 0, 1, 0x12: a 16550 */
	struct acpi_address regs;
	bool has_irq, has_gsi;
	uint8_t irq;
	uint32_t gsi;
	uint32_t baud; /* 0: as firmware left it */
};
/* The console that firmware used. */
int acpi_parse_spcr(const uint8_t *t, size_t len, struct acpi_spcr *out);

#endif
