/* SPDX-License-Identifier: ISC */
/* acpi_route.c - what of interrupt routing needs no interpreter. */
#include "bus/acpi_route.h"

#include "bus/intr.h"

#define NISA      16
#define ISA_LEFT  0x0e20 /* 5, 9, 10, 11: nobody's by tradition */
#define GSI_SENSE 4096   /* greater numbers are no GSIs of a PC */

unsigned
acpi_route_swizzle(unsigned device, unsigned pin)
{
	return (pin + device) % 4;
}

bool
acpi_prt_is(const struct acpi_prt *row, unsigned device, unsigned pin)
{
	return row->address >> 16 == device && row->pin == pin;
}

unsigned
acpi_route_flags(unsigned triggering, unsigned polarity)
{
	return (triggering == 0 ? INTR_LEVEL : INTR_EDGE) |
	    (polarity == 1 ? INTR_LOW : 0);
}

uint32_t
acpi_route_choose(const uint32_t *possible, unsigned n, uint32_t now)
{
	uint32_t isa = 0, high = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (possible[i] == 0 || possible[i] >= GSI_SENSE)
			continue;
		if (possible[i] == now)
			return now;
		if (possible[i] >= NISA && high == 0)
			high = possible[i];
		if (possible[i] < NISA && isa == 0 &&
		    (ISA_LEFT >> possible[i] & 1) != 0)
			isa = possible[i];
	}
	return high != 0 ? high : isa;
}
