/* SPDX-License-Identifier: ISC */
/*
 * acpi_resource.h - what a resource buffer (_CRS, _PRS) says of interrupts and
 * of memory, and the buffer for _SRS.  ACPI 6.4, 6.4.  Pure.
 */
#ifndef BUS_ACPI_RESOURCE_H
#define BUS_ACPI_RESOURCE_H

#include "kern/types.h"

#define ACPI_RES_NIRQS 32
#define ACPI_SRS_SIZE  11 /* the longest that acpi_resource_srs() makes */

struct acpi_resources {
	uint32_t irq[ACPI_RES_NIRQS]; /* of the first descriptor with some */
	unsigned nirqs;
	unsigned irq_flags;  /* INTR_* */
	bool irq_is_small;   /* ISA's: a mask of 16 */
	uint8_t irq_byte;    /* its flags, as they stand there */
	uint64_t base, size; /* the first memory; size 0: none */
};

/*
 * Reads up to the end tag, or the buffer's end.
 *   -EINVAL  a descriptor is longer than what is left, or too short
 */
int
acpi_resource_parse(const uint8_t *b, size_t len, struct acpi_resources *out);

/*
 * The buffer that asks for interrupt `irq` as `r` says; its length.
 *   0  a small descriptor cannot name it
 */
unsigned acpi_resource_srs(const struct acpi_resources *r, uint32_t irq,
    uint8_t buf[ACPI_SRS_SIZE]);

#endif
