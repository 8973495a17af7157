/* SPDX-License-Identifier: ISC */
/*
 * string.h - what the libraries want of the C library's <string.h>.
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
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* ACPICA's wishes; the kernel itself does without. */
static inline char *
strcpy(char *dst, const char *src)
{
	return memcpy(dst, src, strlen(src) + 1);
}

static inline char *
strcat(char *dst, const char *src)
{
	(void)strcpy(dst + strlen(dst), src);
	return dst;
}

static inline char *
strncpy(char *dst, const char *src, size_t n)
{
	size_t i;

	for (i = 0; i < n && src[i] != '\0'; i++)
		dst[i] = src[i];
	memset(dst + i, 0, n - i);
	return dst;
}

#endif
