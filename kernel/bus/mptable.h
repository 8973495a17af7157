/* SPDX-License-Identifier: ISC */
/*
 * mptable.h - the MP table: processors, I/O APICs and interrupt lines of a
 * board without ACPI.  Intel MultiProcessor Specification 1.4, ch. 4.
 * Pure: the tables come through a reader, tests and a fuzzer play memory.
 */
#ifndef BUS_MPTABLE_H
#define BUS_MPTABLE_H

#include "bus/platform.h"

#define MPTABLE_MAX 0x10000 /* bytes: its length has 16 bits */

/*
 * The floating pointer: in the EBDA, in the last KiB of base memory, in the
 * BIOS.  0: there is none.
 */
paddr_t mptable_find(const struct phys_reader *r);

/*
 * The table's place and length behind a floating pointer.
 *   -ENOENT  no table, but a default configuration
 *   -EINVAL  not a pointer, or not to a table
 */
int mptable_locate(const struct phys_reader *r, paddr_t pointer, paddr_t *table,
    uint32_t *len);

/*
 * Parses a private copy of the table into *out, which is zeroed first.
 *   -EINVAL  signature, length or sum are wrong; out is empty
 * Entries behind one of an unknown type, or one that is cut off, are lost.
 */
int mptable_parse(const uint8_t *table, size_t len, struct platform *out);

#endif
