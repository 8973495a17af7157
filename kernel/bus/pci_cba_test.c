/* SPDX-License-Identifier: ISC */
/* pci_cba_test.c - _CBA in its forms, cut short, and among other bytes. */
/* unit: kernel/bus/pci_cba.c */
#include "bus/pci_cba.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct form {
	const char *bytes;
	size_t len;
	uint64_t base; /* 0: there is none */
};

#define FORM(bytes, base)                      \
	{                                      \
		bytes, sizeof(bytes) - 1, base \
	}

static const struct form forms[] = {
	/* as QEMU's microvm has it */
	FORM("\x5b\x82PCI0\x14\x0c_CBA\x00\xa4\x0c\x00\x00\x00\xe0",
	    0xe0000000),
	FORM("\x08_CBA\x0c\x00\x00\x00\xb0", 0xb0000000),
	FORM("\x08_CBA\x0e\x00\x00\x00\x00\x40\x00\x00\x00", 0x4000000000),
	FORM("\x14\x40\x01_CBA\x00\xa4\x0b\x00\x10", 0x1000),
	/* a use of the name, then its definition */
	FORM("\x70_CBA\x60\x08_CBA\x0c\x00\x00\x10\xe0", 0xe0100000),
	/* none */
	FORM("", 0),
	FORM("_CB", 0),
	FORM("_CBA", 0),
	FORM("\x08_CBA", 0),
	FORM("\x08_CBA\x0c\x00\x00\x00", 0),
	FORM("\x08_CBA\x0d"
	     "text",
	    0),
	FORM("\x14\x06_CBA\x00", 0),
	FORM("\x14\x06_CBA\x00\xa4", 0),
	FORM("\x14\x09_CBA\x00\xa4\x60", 0),
	FORM("\x14\x0c_CBA\x00\xa5\x0c\x00\x00\x00\xe0", 0),
	FORM("_CBA\x00\xa4\x0c\x00\x00\x00\xe0", 0),
};

/* Each in memory of its own size, so that a step too far is seen. */
static void
all_forms(void **state)
{
	const struct form *f;
	uint64_t base;
	uint8_t *copy;

	(void)state;
	for (f = forms; f < forms + ARRAY_SIZE(forms); f++) {
		copy = malloc(f->len);
		memcpy(copy, f->bytes, f->len);
		base = 0;
		assert_int_equal(pci_parse_cba(copy, f->len, &base),
		    f->base != 0 ? 0 : -ENOENT);
		if (f->base != 0)
			assert_int_equal(base, f->base);
		free(copy);
	}
}

static void
every_cut(void **state)
{
	const struct form *f;
	uint64_t base;
	uint8_t *copy;
	size_t n;

	(void)state;
	for (f = forms; f < forms + 5; f++)
		for (n = 0; n < f->len; n++) {
			copy = malloc(n);
			memcpy(copy, f->bytes, n);
			assert_int_equal(pci_parse_cba(copy, n, &base),
			    -ENOENT);
			free(copy);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms),
		cmocka_unit_test(every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
