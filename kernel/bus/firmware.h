/* SPDX-License-Identifier: ISC */
/*
 * firmware.h - this machine's tables: found when first asked for, copied, and
 * kept.  A machine without any is as good.
 * May sleep.
 */
#ifndef BUS_FIRMWARE_H
#define BUS_FIRMWARE_H

#include "bus/acpi_tables.h"
#include "bus/platform.h"

struct boot_info;

/* The directory of ACPI's tables; NULL: there is no ACPI, or acpi=off. */
const struct acpi_directory *firmware_acpi(void);
/* Its root pointer; 0: there is no ACPI. */
paddr_t firmware_acpi_root(void);
/*
 * A checked copy of the nth table of that signature; the caller kfree()s it.
 *   -ENOENT  there is none; -EINVAL it is broken; -ENOMEM
 */
int firmware_acpi_table(const char *signature, unsigned nth, uint8_t **copy,
    size_t *len);

/*
 * The same for a table that another one points to, at physical address pa.
 *   -EINVAL  it is not there, or broken; -ENOMEM
 */
int firmware_acpi_copy(paddr_t pa, const char *signature, uint8_t **copy,
    size_t *len);

/* The board: from the MADT, else from the MP table; NULL: neither is there. */
const struct platform *firmware_platform(void);

/*
 * Makes the I/O APICs and ISA lines that the board's tables name known to
 * x86/ioapic.h and bus/intr.h; once.  Called by bus/intr.h when somebody wants
 * a pin that nobody knows; costs a search through the BIOS where no root
 * pointer was told.
 */
void firmware_route(void);

/*
 * A register that ACPI names, in memory or among the ports, of 8 to 32 bits.
 * Reading and writing: any context.
 *   -EINVAL  none, or of another kind
 *   -ENOMEM
 */
struct acpi_register {
	struct acpi_address at;
	volatile void *va; /* of memory-mapped ones */
};
int acpi_register_map(const struct acpi_address *a, struct acpi_register *out);
uint32_t acpi_register_read(const struct acpi_register *r);
void acpi_register_write(const struct acpi_register *r, uint32_t v);

/* Boot step: ACPI's ways to switch off and to reset, for kern/power.h. */
int acpi_power_init(const struct boot_info *bi);

/*
 * Boot step: where ACPI's root pointer was told at boot and PCI is wanted,
 * tells it of configuration space in memory (MCFG).
 */
int firmware_init(const struct boot_info *bi);

#endif
