/* SPDX-License-Identifier: ISC */
/* mem.c - memory for the command. */
#include "cli/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trouble.h"

static void *
mem_check(void *p)
{
	if (p == NULL) {
		say("out of memory");
		exit(STATUS_MACHINE);
	}
	return p;
}

void *
mem_zero(size_t size)
{
	return mem_check(calloc(1, size));
}

void *
mem_resize(void *old, size_t count, size_t size)
{
	return mem_check(reallocarray(old, count, size));
}

char *
mem_string(const char *s)
{
	return mem_check(strdup(s));
}

static char *
mem_vformat(const char *format, va_list ap)
{
	char *s;

	return mem_check(vasprintf(&s, format, ap) < 0 ? NULL : s);
}

char *
mem_format(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	s = mem_vformat(format, ap);
	va_end(ap);
	return s;
}

void
strings_add(struct strings *list, char *s)
{
	list->item = mem_resize(list->item, list->count + 2,
	    sizeof(*list->item));
	list->item[list->count++] = s;
	list->item[list->count] = NULL;
}

void
strings_fini(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	memset(list, 0, sizeof(*list));
}

void
text_add(struct text *t, const char *format, ...)
{
	va_list ap;
	size_t more;
	char *s;

	va_start(ap, format);
	s = mem_vformat(format, ap);
	va_end(ap);
	more = strlen(s);
	t->text = mem_resize(t->text, t->length + more + 1, 1);
	memcpy(t->text + t->length, s, more + 1);
	t->length += more;
	free(s);
}
