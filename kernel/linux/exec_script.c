/* SPDX-License-Identifier: ISC */
/*
 * exec_script.c - the first line of a script, "#!interpreter argument".
 * execve(2), "Interpreter scripts"; lengths as Linux's: 256 bytes are read.
 */
#include "kern/string.h"
#include "linux/exec.h"
#include <linux/errno.h>

#define SCRIPT_LINE 255 /* bytes that are looked at */

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *
skip_blanks(char *at, char *end)
{
	while (at < end && blank(*at))
		at++;
	return at;
}

static char *
skip_word(char *at, char *end)
{
	while (at < end && !blank(*at) && *at != '\0')
		at++;
	return at;
}

int
exec_script_parse(char *head, size_t len, char **interpreter, char **argument)
{
	char *end = head + MIN(len, (size_t)SCRIPT_LINE);
	char *name, *stop, *line;

	if (len < 3 || head[0] != '#' || head[1] != '!')
		return -ENOEXEC;
	line = memchr(head, '\n', end - head);
	if (line == NULL && len >= SCRIPT_LINE) {
		/* A name that is cut short must not be run. */
		name = skip_blanks(head + 2, end);
		if (name == end || skip_word(name, end) == end)
			return -ENOEXEC;
	}
	if (line != NULL)
		end = line;
	while (end > head + 2 && blank(end[-1]))
		end--;
	name = skip_blanks(head + 2, end);
	stop = skip_word(name, end);
	if (name == stop)
		return -ENOEXEC;
	*argument = NULL;
	if (stop < end && *stop != '\0') {
		*argument = skip_blanks(stop, end);
		if (*argument == end)
			*argument = NULL;
	}
	*end = '\0';
	*stop = '\0';
	*interpreter = name;
	return 0;
}
