/* SPDX-License-Identifier: ISC */
/*
 * string.h - what zlib and zstd want of the C library's <string.h>.
 * The kernel links these functions; only mk/third.mk puts this folder in the
 * include path.
 */
#ifndef THIRD_STRING_H
#define THIRD_STRING_H

#include <stddef.h>

void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif
