/* SPDX-License-Identifier: ISC */
/*
 * pci_range_test.c - addresses claimed, allocated, given back; against a model
 * that knows each address.
 */
/* unit: kernel/bus/pci_range.c */
#include "bus/pci_range.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
claims(void **state)
{
	struct pci_range a = { .size = 0 }, b = { .size = 0 };
	struct pci_map m;

	(void)state;
	pci_map_init(&m, 0x1000, 0x1fff);
	assert_int_equal(pci_map_claim(&m, &a, 0xfff, 2), -ERANGE);
	assert_int_equal(pci_map_claim(&m, &a, 0x1fff, 2), -ERANGE);
	assert_int_equal(pci_map_claim(&m, &a, 0x1000, 0), -ERANGE);
	assert_int_equal(pci_map_claim(&m, &a, UINT64_MAX, 2), -ERANGE);
	assert_int_equal(pci_map_claim(&m, &a, 0x1100, 0x100), 0);
	assert_int_equal(pci_map_claim(&m, &b, 0x11ff, 1), -EBUSY);
	assert_int_equal(pci_map_claim(&m, &b, 0x1000, 0x1000), -EBUSY);
	assert_int_equal(pci_map_claim(&m, &b, 0x1200, 0xe00), 0);
	pci_map_release(&m, &a);
	pci_map_release(&m, &a);
	assert_int_equal(pci_map_claim(&m, &a, 0x1000, 0x200), 0);
}

static void
nothing_comes_of_an_empty_map(void **state)
{
	struct pci_range a = { .size = 0 };
	struct pci_map m;

	(void)state;
	pci_map_init(&m, 1, 0);
	assert_int_equal(pci_map_alloc(&m, &a, 1, 1, 0, UINT64_MAX), -ENOSPC);
	assert_int_equal(pci_map_claim(&m, &a, 1, 1), -ERANGE);
}

static void
up_to_the_last_address(void **state)
{
	struct pci_range a = { .size = 0 }, b = { .size = 0 };
	struct pci_map m;

	(void)state;
	pci_map_init(&m, UINT64_MAX - 0xfff, UINT64_MAX);
	assert_int_equal(pci_map_alloc(&m, &a, 0x1000, 0x1000, 0, UINT64_MAX),
	    0);
	assert_int_equal(pci_map_alloc(&m, &b, 1, 1, 0, UINT64_MAX), -ENOSPC);
	pci_map_release(&m, &a);
	assert_int_equal(pci_map_alloc(&m, &a, 1, 1ul << 63, 0, UINT64_MAX),
	    -ENOSPC);
	assert_int_equal(pci_map_alloc(&m, &a, 1, 3, 0, UINT64_MAX), -EINVAL);
	assert_int_equal(pci_map_alloc(&m, &a, 0x1000, 1, 0, UINT64_MAX - 1),
	    -ENOSPC);
}

#define NCELLS 256
#define NRANGE 24

static bool
all_free(const uint8_t *cell, unsigned at, unsigned size)
{
	while (size-- > 0)
		if (cell[at + size])
			return false;
	return true;
}

/* The lowest place of the model; -1: none. */
static int
model_place(const uint8_t *cell, unsigned size, unsigned align)
{
	for (unsigned at = 0; at + size <= NCELLS; at += align)
		if (all_free(cell, at, size))
			return at;
	return -1;
}

static void
like_the_model(void **state)
{
	struct pci_range r[NRANGE] = { { .size = 0 } };
	uint8_t cell[NCELLS] = { 0 };
	struct pci_map m;
	unsigned i, size, align;
	int place, error;

	(void)state;
	srandom(7);
	pci_map_init(&m, 0, NCELLS - 1);
	for (unsigned step = 0; step < 100000; step++) {
		i = random() % NRANGE;
		if (r[i].size != 0) {
			memset(cell + r[i].base, 0, r[i].size);
			pci_map_release(&m, &r[i]);
			continue;
		}
		size = 1 + random() % 40;
		align = 1u << random() % 6;
		place = model_place(cell, size, align);
		error = pci_map_alloc(&m, &r[i], size, align, 0, UINT64_MAX);
		assert_int_equal(error, place < 0 ? -ENOSPC : 0);
		if (error == 0) {
			assert_int_equal(r[i].base, place);
			memset(cell + place, 1, size);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims),
		cmocka_unit_test(nothing_comes_of_an_empty_map),
		cmocka_unit_test(up_to_the_last_address),
		cmocka_unit_test(like_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
