/* SPDX-License-Identifier: ISC */
/*
 * mem.h - memory, strings and lists for remora-cloud.  Where there is no
 * memory left the program says so and ends: nothing here returns NULL.
 */
#ifndef CLOUD_MEM_H
#define CLOUD_MEM_H

#include <stddef.h>

void *mem_zero(size_t size); /* freed by free() */
void *mem_resize(void *old, size_t count, size_t size);
/* A copy of `s`; NULL stays NULL. */
char *mem_string(const char *s);
/* The same of `n` bytes, with a NUL behind. */
char *mem_bytes(const char *s, size_t n);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes that grow.  data[len] is NUL once there are any; else data is NULL. */
struct buf {
	char *data;
	size_t len, size;
};

/* Appends bytes, or what printf(3) would write. */
void buf_add(struct buf *b, const void *data, size_t n);
void buf_format(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_fini(struct buf *b);
/* What is in it, never NULL; stays the buffer's. */
const char *buf_text(const struct buf *b);

struct strings {
	char **item; /* owned */
	size_t count;
};

/* Takes over `s`. */
void strings_add(struct strings *list, char *s);
void strings_fini(struct strings *list);

#endif
