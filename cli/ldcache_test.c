/* SPDX-License-Identifier: ISC */
/* ldcache_test.c - ld.so.cache, of both formats, cut off and damaged. */
/* unit: cli/ldcache.c cli/mem.c cli/trouble.c */
#include "cli/ldcache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct entry {
	uint32_t flags, key, value, os;
	uint64_t hwcap;
};

struct cache_file {
	char magic[20];
	uint32_t count, strings_size;
	uint32_t rest[5];
	struct entry entry[4];
	char strings[128];
};

static struct cache_file file;
static struct ld_cache cache;

#define AT(offset) ((uint32_t)(offsetof(struct cache_file, strings) + offset))

static int
make(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memcpy(file.magic, "glibc-ld.so.cache1.1", 20);
	file.count = 4;
	memcpy(file.strings, "liba.so\0/v3/liba.so\0/lib/liba.so\0rel.so", 40);
	file.entry[0] = (struct entry){ 0x0303, AT(0), AT(8), 0, 1ull << 62 };
	file.entry[1] = (struct entry){ 0x0003, AT(0), AT(8), 0, 0 };
	file.entry[2] = (struct entry){ 0x0303, AT(0), AT(20), 0, 0 };
	file.entry[3] = (struct entry){ 0x0303, AT(33), AT(33), 0, 0 };
	return 0;
}

static void
parse(const void *data, size_t size)
{
	char *copy = malloc(size + 1);

	memcpy(copy, data, size);
	ld_cache_parse(&cache, copy, size);
}

static void
finds_the_plain_64_bit_one(void **state)
{
	(void)state;
	parse(&file, sizeof(file));
	assert_string_equal(ld_cache_find(&cache, "liba.so", 0),
	    "/lib/liba.so");
	assert_null(ld_cache_find(&cache, "liba.so", 1));
	assert_null(ld_cache_find(&cache, "libb.so", 0));
	assert_null(ld_cache_find(&cache, "rel.so", 0));
	ld_cache_fini(&cache);
}

static void
finds_it_behind_the_old_format(void **state)
{
	char both[32 + sizeof(file)] = "ld.so-1.7.0";
	uint32_t one = 1;

	(void)state;
	memcpy(both + 12, &one, sizeof(one));
	memcpy(both + 32, &file, sizeof(file));
	parse(both, sizeof(both));
	assert_string_equal(ld_cache_find(&cache, "liba.so", 0),
	    "/lib/liba.so");
	ld_cache_fini(&cache);
	memset(both + 12, 0xff, 4);
	parse(both, sizeof(both));
	assert_null(ld_cache_find(&cache, "liba.so", 0));
	ld_cache_fini(&cache);
}

static void
stands_any_damage(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(file); size++) {
		parse(&file, size);
		ld_cache_find(&cache, "liba.so", 0);
		ld_cache_fini(&cache);
	}
	file.count = 0xffffffff;
	file.entry[2].value = 0xffffffff;
	file.entry[3].key = 0xfffffff0;
	parse(&file, sizeof(file));
	assert_null(ld_cache_find(&cache, "liba.so", 0));
	ld_cache_fini(&cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_the_plain_64_bit_one, make),
		cmocka_unit_test_setup(finds_it_behind_the_old_format, make),
		cmocka_unit_test_setup(stands_any_damage, make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
