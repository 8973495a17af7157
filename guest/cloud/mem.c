/* SPDX-License-Identifier: ISC */
/* mem.c - memory, strings and lists for remora-cloud. */
#include "guest/cloud/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/cloud/say.h"

static void *
mem_checked(void *p)
{
	if (p != NULL)
		return p;
	say_error("out of memory");
	exit(1);
}

void *
mem_zero(size_t size)
{
	return mem_checked(calloc(1, size == 0 ? 1 : size));
}

void *
mem_resize(void *old, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return mem_checked(NULL);
	return mem_checked(realloc(old, total == 0 ? 1 : total));
}

char *
mem_bytes(const char *s, size_t n)
{
	char *copy = mem_zero(n + 1);

	if (n > 0)
		memcpy(copy, s, n);
	return copy;
}

char *
mem_string(const char *s)
{
	return s == NULL ? NULL : mem_bytes(s, strlen(s));
}

char *
mem_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return mem_checked(n < 0 ? NULL : text);
}

void
buf_add(struct buf *b, const void *data, size_t n)
{
	if (b->len + n >=
	    b->size) { /* doubled: many small pieces cost little */
		b->size = 2 * (b->len + n) + 1;
		b->data = mem_resize(b->data, b->size, 1);
	}
	if (n > 0)
		memcpy(b->data + b->len, data, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_format(struct buf *b, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	(void)mem_checked(n < 0 ? NULL : text);
	buf_add(b, text, (size_t)n);
	free(text);
}

void
buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

const char *
buf_text(const struct buf *b)
{
	return b->data == NULL ? "" : b->data;
}

void
strings_add(struct strings *list, char *s)
{
	list->item = mem_resize(list->item, list->count + 1, sizeof(char *));
	list->item[list->count++] = s;
}

void
strings_fini(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct strings){ 0 };
}
