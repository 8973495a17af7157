/* SPDX-License-Identifier: ISC */
/*
 * acpi_route.h - what of interrupt routing needs no interpreter.  ACPI 6.4,
 * 6.2.13, 6.4.2.1, 6.4.3.6; PCI-to-PCI bridges 1.2, 9.1.  Pure.
 */
#ifndef BUS_ACPI_ROUTE_H
#define BUS_ACPI_ROUTE_H

#include "kern/types.h"

/* The pin (0: INTA) that a device's pin becomes on the other side of a bridge
 * that nobody describes. */
unsigned acpi_route_swizzle(unsigned device, unsigned pin);

/* One row of _PRT. */
struct acpi_prt {
	uint64_t address; /* device << 16 | 0xffff */
	uint32_t pin;
};
/* Whether the row is that device's and pin's. */
bool acpi_prt_is(const struct acpi_prt *row, unsigned device, unsigned pin);

/* INTR_* of what a resource says: triggering 1 is an edge, polarity 1 low. */
unsigned acpi_route_flags(unsigned triggering, unsigned polarity);

/*
 * To which of a link's possible interrupts to connect it: what it is connected
 * to (`now`, 0: nothing) if that is possible, or else the first that is not
 * ISA's, or else the first that ISA's usual devices leave alone.  0: none.
 */
uint32_t acpi_route_choose(const uint32_t *possible, unsigned n, uint32_t now);

#endif
