/* SPDX-License-Identifier: ISC */
/* trouble.c - messages for the user. */
#include "cli/trouble.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int
trouble_set(struct trouble *t, int status, const char *format, ...)
{
	va_list ap;

	t->status = status;
	va_start(ap, format);
	vsnprintf(t->text, sizeof(t->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

int
trouble_report(const struct trouble *t)
{
	fprintf(stderr, "remora: %s\n", t->text);
	return t->status;
}

void
say(const char *format, ...)
{
	va_list ap;

	fputs("remora: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}
