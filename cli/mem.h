/* SPDX-License-Identifier: ISC */
/*
 * mem.h - memory for the command: none of these returns NULL; where there is
 * no memory left the command ends with status 125.
 */
#ifndef CLI_MEM_H
#define CLI_MEM_H

#include <stddef.h>

void *mem_zero(size_t size); /* freed by free() */
void *mem_resize(void *old, size_t count, size_t size);
char *mem_string(const char *s);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A list of strings that ends with NULL; it owns the strings. */
struct strings {
	char **item;
	size_t count;
};

/* Takes over `s`, which came from malloc. */
void strings_add(struct strings *list, char *s);
void strings_fini(struct strings *list);

/* A string that grows; text is NULL or ends with NUL. */
struct text {
	char *text;
	size_t length;
};

/* Appends, as printf(3) does; the text grows as it must. */
void text_add(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
