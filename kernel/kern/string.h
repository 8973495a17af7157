/* SPDX-License-Identifier: ISC */
/*
 * string.h - the few C library functions that the kernel has of its own.
 * Semantics are ISO C's and BSD's.
 */
#ifndef KERN_STRING_H
#define KERN_STRING_H

#include "kern/types.h"
#include <stdarg.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcat(char *dst, const char *src, size_t size);

/* printf's d i u x X o c s p % with flags, width, precision, h l ll z. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printflike(3, 4);
/* Like snprintf, but returns what was stored, without the NUL. */
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printflike(3, 4);

#endif
