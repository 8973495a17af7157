/* SPDX-License-Identifier: ISC */
/*
 * stdlib.h - what zstd wants of the C library's <stdlib.h>: a default
 * allocator, for callers that bring none.  Ours always bring one (ZSTD_customMem),
 * so this one has no memory to give.
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

#endif
