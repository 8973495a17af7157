/* SPDX-License-Identifier: ISC */
/* ldcache.c - reading ld.so.cache.  glibc, sysdeps/generic/dl-cache.h. */
#include "cli/ldcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/mem.h"

#define LD_CACHE_OLD        "ld.so-1.7.0"
#define LD_CACHE_OLD_HEADER 16 /* magic, u32 entries */
#define LD_CACHE_OLD_ENTRY  12
#define LD_CACHE_NEW        "glibc-ld.so.cache1.1"
#define LD_CACHE_NEW_HEADER 48
#define LD_CACHE_NEW_ENTRY  24     /* flags, name, file, os; u64 hwcap */
#define LD_CACHE_X86_64     0x0303 /* 64-bit, libc6 */
#define LD_CACHE_SIZE_MAX   (64u << 20)

static uint32_t
ld_cache_u32(const struct ld_cache *cache, size_t offset)
{
	uint32_t v;

	memcpy(&v, cache->data + offset, sizeof(v));
	return v;
}

/* A name in the file, or NULL; every one ends at our NUL at the latest. */
static const char *
ld_cache_string(const struct ld_cache *cache, uint32_t offset)
{
	size_t at = cache->start + offset;

	return at < cache->size ? cache->data + at : NULL;
}

void
ld_cache_parse(struct ld_cache *cache, char *data, size_t size)
{
	size_t room;

	*cache = (struct ld_cache){ .data = data, .size = size };
	data[size] = '\0';
	if (size >= LD_CACHE_OLD_HEADER &&
	    memcmp(data, LD_CACHE_OLD, strlen(LD_CACHE_OLD)) == 0) {
		size_t old = ld_cache_u32(cache, 12);

		cache->start = (LD_CACHE_OLD_HEADER + old * LD_CACHE_OLD_ENTRY +
				   7) /
		    8 * 8;
	}
	if (cache->start > size || size - cache->start < LD_CACHE_NEW_HEADER ||
	    memcmp(data + cache->start, LD_CACHE_NEW, strlen(LD_CACHE_NEW)) !=
		0)
		return;
	cache->count = ld_cache_u32(cache, cache->start + 20);
	room = (size - cache->start - LD_CACHE_NEW_HEADER) / LD_CACHE_NEW_ENTRY;
	if (cache->count > room)
		cache->count = (uint32_t)room;
}

static char *
ld_cache_load(int fd, size_t *size)
{
	struct stat st;
	size_t done = 0;
	char *data;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > LD_CACHE_SIZE_MAX)
		return NULL;
	data = mem_zero((size_t)st.st_size + 1);
	while (done < (size_t)st.st_size) {
		n = read(fd, data + done, (size_t)st.st_size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	*size = done;
	return data;
}

void
ld_cache_read(struct ld_cache *cache, const char *host_path)
{
	int fd = open(host_path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	char *data;

	memset(cache, 0, sizeof(*cache));
	if (fd < 0)
		return;
	data = ld_cache_load(fd, &size);
	close(fd);
	if (data != NULL)
		ld_cache_parse(cache, data, size);
}

void
ld_cache_fini(struct ld_cache *cache)
{
	free(cache->data);
	memset(cache, 0, sizeof(*cache));
}

const char *
ld_cache_find(const struct ld_cache *cache, const char *name, unsigned n)
{
	for (uint32_t i = 0; i < cache->count; i++) {
		size_t at = cache->start + LD_CACHE_NEW_HEADER +
		    (size_t)i * LD_CACHE_NEW_ENTRY;
		const char *key, *file;

		/* Variants for newer processors are only ever an extra. */
		if (ld_cache_u32(cache, at) != LD_CACHE_X86_64 ||
		    ld_cache_u32(cache, at + 16) != 0 ||
		    ld_cache_u32(cache, at + 20) != 0)
			continue;
		key = ld_cache_string(cache, ld_cache_u32(cache, at + 4));
		file = ld_cache_string(cache, ld_cache_u32(cache, at + 8));
		if (key != NULL && file != NULL && file[0] == '/' &&
		    strcmp(key, name) == 0 && n-- == 0)
			return file;
	}
	return NULL;
}
