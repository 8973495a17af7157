/* SPDX-License-Identifier: ISC */
/*
 * acpi_aml.h - whether byte code is well-formed.  ACPI 6.4, 20.2.
 *
 * The interpreter trusts lengths and names inside of a table, so a table is
 * read through once before it sees it: each opcode exists and has its operands,
 * each package ends where its contents do, inside of the one around it.  What
 * a name stands for, and so how many arguments a call has, is not known here:
 * arguments count as terms of their own, which they are.  Pure.
 */
#ifndef BUS_ACPI_AML_H
#define BUS_ACPI_AML_H

#include "kern/types.h"

/*
 * Checks `len` bytes of byte code, without the table's header.
 *   -EINVAL  malformed; *at is where
 *   -ENOMEM
 */
int acpi_aml_check(const uint8_t *aml, size_t len, size_t *at);

#endif
