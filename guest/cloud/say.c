/* SPDX-License-Identifier: ISC */
/* say.c - messages, to the kernel's log.  Linux, ABI/testing/dev-kmsg. */
#include "guest/cloud/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAY_MAX 900 /* bytes of a line; a record of /dev/kmsg has 1 KiB */

static int say_fd = -1;

void
say_open(int kmsg)
{
	say_fd = kmsg;
}

/* One write, one record.  There is nobody to tell where it fails. */
static void
say(int level, const char *format, va_list args)
{
	char line[SAY_MAX + 2];
	int n = 0, m;

	if (say_fd >= 0)
		n = snprintf(line, sizeof(line), "<%d>", level);
	n += snprintf(line + n, sizeof(line) - n, "cloud: ");
	m = vsnprintf(line + n, SAY_MAX - n, format, args);
	n = m < 0 ? n : m >= SAY_MAX - n ? SAY_MAX - 1 : n + m;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	if (write(say_fd >= 0 ? say_fd : STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

void
say_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(6, format, args);
	va_end(args);
}

void
say_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(4, format, args);
	va_end(args);
}

void
say_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(3, format, args);
	va_end(args);
}
