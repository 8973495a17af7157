/* SPDX-License-Identifier: ISC */
/*
 * stdlib.h - what zstd wants of the C library's <stdlib.h>: a default
 * allocator, for callers that bring none.  Ours always bring one (ZSTD_customMem),
 * so this one has no memory to give.  And lwIP: the number in a name.
 */
#ifndef THIRD_STDLIB_H
#define THIRD_STDLIB_H

#include <stddef.h>

static inline void *
malloc(size_t size)
{
	(void)size;
	return NULL;
}

static inline void *
calloc(size_t count, size_t size)
{
	(void)count;
	(void)size;
	return NULL;
}

static inline void
free(void *ptr)
{
	(void)ptr;
}

static inline int
atoi(const char *s)
{
	int n = 0;

	for (; *s >= '0' && *s <= '9' && n < 1000000; s++)
		n = n * 10 + (*s - '0');
	return n;
}

#endif
