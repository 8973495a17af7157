/* SPDX-License-Identifier: ISC */
/*
 * pagetree_test.c - the radix tree of a file's pages.
 */
/* unit: kernel/fs/pagetree.c */
#include "fs/pagetree.h"
#include "kern/kmem.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int nobjects;
static int budget = -1; /* allocations until memory is out; -1: never */

void *
objcache_zalloc(struct objcache *c)
{
	if (budget == 0)
		return NULL;
	if (budget > 0)
		budget--;
	nobjects++;
	return calloc(1, c->size);
}

void
objcache_free(struct objcache *c, void *p)
{
	(void)c;
	nobjects--;
	free(p);
}

static void *
entry_of(uint64_t index)
{
	return (void *)(index * 16 + 8);
}

static void
one_page_needs_no_node(void **state)
{
	struct pagetree t;

	(void)state;
	pagetree_init(&t);
	assert_null(pagetree_find(&t, 0));
	assert_int_equal(pagetree_insert(&t, 0, entry_of(0)), 0);
	assert_int_equal(nobjects, 0);
	assert_ptr_equal(pagetree_find(&t, 0), entry_of(0));
	assert_null(pagetree_find(&t, 1));
	assert_ptr_equal(pagetree_remove(&t, 0), entry_of(0));
	assert_null(pagetree_remove(&t, 0));
}

static const uint64_t sparse[] = { 0, 1, 63, 64, 65, 4095, 4096, 1ull << 20,
	(1ull << 36) + 5, (1ull << 52) - 1 };

static void
sparse_entries_are_found_and_removed(void **state)
{
	struct pagetree t;
	uint64_t at = 0;
	size_t i;

	(void)state;
	pagetree_init(&t);
	for (i = 0; i < ARRAY_SIZE(sparse); i++)
		assert_int_equal(pagetree_insert(&t, sparse[i],
				     entry_of(sparse[i])),
		    0);
	for (i = 0; i < ARRAY_SIZE(sparse); i++) {
		assert_ptr_equal(pagetree_find(&t, sparse[i]),
		    entry_of(sparse[i]));
		assert_ptr_equal(pagetree_next(&t, &at), entry_of(sparse[i]));
		assert_int_equal(at, sparse[i]);
		at++;
	}
	assert_null(pagetree_next(&t, &at));
	assert_null(pagetree_find(&t, 2));
	for (i = 0; i < ARRAY_SIZE(sparse); i++)
		assert_ptr_equal(pagetree_remove(&t, sparse[i]),
		    entry_of(sparse[i]));
	assert_int_equal(nobjects, 0);
	assert_null(t.root);
}

static void
random_use_matches_an_array(void **state)
{
	static void *model[700];
	struct pagetree t;
	uint64_t i, n, at;
	unsigned seed = 1;

	(void)state;
	pagetree_init(&t);
	for (n = 0; n < 20000; n++) {
		i = rand_r(&seed) % ARRAY_SIZE(model);
		if (model[i] == NULL) {
			model[i] = entry_of(i);
			assert_int_equal(pagetree_insert(&t, i, model[i]), 0);
		} else {
			assert_ptr_equal(pagetree_remove(&t, i), model[i]);
			model[i] = NULL;
		}
	}
	at = 0;
	for (i = 0; i < ARRAY_SIZE(model); i++) {
		assert_ptr_equal(pagetree_find(&t, i), model[i]);
		if (model[i] == NULL)
			continue;
		assert_ptr_equal(pagetree_next(&t, &at), model[i]);
		assert_int_equal(at++, i);
	}
	pagetree_fini(&t);
	assert_int_equal(nobjects, 0);
}

static void
no_memory_is_an_error(void **state)
{
	struct pagetree t;
	int n;

	(void)state;
	for (n = 0; n < 4; n++) {
		pagetree_init(&t);
		budget = -1;
		assert_int_equal(pagetree_insert(&t, 0, entry_of(0)), 0);
		budget = n;
		assert_int_equal(pagetree_insert(&t, 5000, entry_of(5000)),
		    n < 4 ? -ENOMEM : 0);
		assert_ptr_equal(pagetree_find(&t, 0), entry_of(0));
		assert_null(pagetree_find(&t, 5000));
		pagetree_fini(&t);
		assert_int_equal(nobjects, 0);
	}
	budget = -1;
	pagetree_init(&t);
	assert_int_equal(pagetree_insert(&t, UINT64_MAX, entry_of(1)), -EFBIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_page_needs_no_node),
		cmocka_unit_test(sparse_entries_are_found_and_removed),
		cmocka_unit_test(random_use_matches_an_array),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
