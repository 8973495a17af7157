/* SPDX-License-Identifier: ISC */
/*
 * ldcache.h - glibc's /etc/ld.so.cache: library names and where they are.
 * Format: glibc, sysdeps/generic/dl-cache.h ("glibc-ld.so.cache1.1").
 */
#ifndef CLI_LDCACHE_H
#define CLI_LDCACHE_H

#include <stddef.h>
#include <stdint.h>

struct ld_cache {
	char *data;     /* the whole file, and a NUL behind it; owned */
	size_t size;    /* 0: there is none */
	size_t start;   /* of the new format's header */
	uint32_t count; /* entries that lie within the file */
};

/* Reads a cache file; one that is absent or damaged counts as empty. */
void ld_cache_read(struct ld_cache *cache, const char *host_path);

/* Takes over `data`, which holds `size` bytes and one more for a NUL. */
void ld_cache_parse(struct ld_cache *cache, char *data, size_t size);
void ld_cache_fini(struct ld_cache *cache);

/*
 * The n-th file (from 0) that is said to be the 64-bit library `name`, or
 * NULL.  Lives as long as the cache.
 */
const char *
ld_cache_find(const struct ld_cache *cache, const char *name, unsigned n);

#endif
