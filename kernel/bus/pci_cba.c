/* SPDX-License-Identifier: ISC */
/*
 * pci_cba.c - the base of PCI's configuration space from a DSDT.  PCI Firmware
 * 3.3, 4.1.3; ACPI 6.4, 20.2.
 */
#include "bus/pci_cba.h"
#include "kern/string.h"
#include <linux/errno.h>

#define AML_NAME   0x08
#define AML_WORD   0x0b
#define AML_DWORD  0x0c
#define AML_QWORD  0x0e
#define AML_METHOD 0x14
#define AML_RETURN 0xa4
#define NAME_LEN   4

/* An integer constant at dsdt[at..len). */
static int
constant(const uint8_t *dsdt, size_t len, size_t at, uint64_t *out)
{
	unsigned width, i;

	if (at >= len)
		return -ENOENT;
	switch (dsdt[at]) {
	case AML_WORD: width = 2; break;
	case AML_DWORD: width = 4; break;
	case AML_QWORD: width = 8; break;
	default: return -ENOENT;
	}
	if (len - at < 1 + width)
		return -ENOENT;
	for (*out = 0, i = width; i > 0; i--)
		*out = *out << 8 | dsdt[at + i];
	return 0;
}

/* Before a method's name: its opcode, and a length of one to four bytes. */
static bool
is_method(const uint8_t *dsdt, size_t at)
{
	size_t n;

	for (n = 1; n <= 4 && at > n; n++)
		if (dsdt[at - n - 1] == AML_METHOD &&
		    dsdt[at - n] >> 6 == n - 1)
			return true;
	return false;
}

/* The name stands at `at`. */
static int
value_of(const uint8_t *dsdt, size_t len, size_t at, uint64_t *out)
{
	size_t behind = at + NAME_LEN;

	if (at > 0 && dsdt[at - 1] == AML_NAME)
		return constant(dsdt, len, behind, out);
	if (is_method(dsdt, at) && len - behind > 2 &&
	    dsdt[behind + 1] == AML_RETURN)
		return constant(dsdt, len, behind + 2, out);
	return -ENOENT;
}

int
pci_parse_cba(const uint8_t *dsdt, size_t len, paddr_t *base)
{
	size_t at;

	for (at = 0; len >= NAME_LEN && at <= len - NAME_LEN; at++)
		if (dsdt[at] == '_' && memcmp(dsdt + at, "_CBA", 4) == 0 &&
		    value_of(dsdt, len, at, base) == 0)
			return 0;
	return -ENOENT;
}
