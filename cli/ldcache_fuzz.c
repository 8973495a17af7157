/* SPDX-License-Identifier: ISC */
/* ldcache_fuzz.c - any bytes as ld.so.cache. */
/* unit: cli/ldcache.c cli/mem.c cli/trouble.c */
#include "cli/ldcache.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_cache cache;
	char *copy = malloc(size + 1);
	const char *path;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	ld_cache_parse(&cache, copy, size);
	for (unsigned n = 0; n < 4; n++) {
		path = ld_cache_find(&cache, "liba.so", n);
		if (path != NULL && path[0] != '/')
			abort();
	}
	ld_cache_fini(&cache);
	return 0;
}
