/* SPDX-License-Identifier: ISC */
/* foreign.c - what Linux says on its console. */
#include "cli/foreign.h"

#include <stdlib.h>
#include <string.h>

/*
 * Linux, kernel/exit.c: "Kernel panic - not syncing: Attempted to kill init!
 * exitcode=0x%08x", with the code that wait(2) would give.
 */
static void
foreign_panic(struct outcome *o, const char *text)
{
	const char *code = strstr(text, "Attempted to kill init! exitcode=0x");
	unsigned long value;

	if (code == NULL) {
		outcome_set(o, OUTCOME_PANIC, 0, text);
		return;
	}
	value = strtoul(strstr(code, "0x"), NULL, 16);
	if ((value & 0x7f) != 0)
		outcome_set(o, OUTCOME_SIGNAL, (int)(value & 0x7f), "");
	else
		outcome_set(o, OUTCOME_EXIT, (int)(value >> 8 & 0xff), "");
}

static void
foreign_line(struct foreign *f)
{
	static const char panic[] = "Kernel panic - not syncing: ";
	const char *at = strstr(f->line, panic);

	if (at != NULL)
		foreign_panic(&f->outcome, at + strlen(panic));
	else if (strstr(f->line, "] reboot: Power down") != NULL ||
	    strstr(f->line, "] reboot: System halted") != NULL)
		outcome_set(&f->outcome, OUTCOME_OFF, 0, "");
	else if (strstr(f->line, "] reboot: Restarting system") != NULL)
		outcome_set(&f->outcome, OUTCOME_RESTART, 0, "");
	else if (strstr(f->line, "] Run ") != NULL &&
	    strstr(f->line, " as init process") != NULL)
		f->ready = true;
}

void
foreign_input(struct foreign *f, const char *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (buf[i] == '\n' || buf[i] == '\r') {
			f->line[f->length] = '\0';
			foreign_line(f);
			f->length = 0;
		} else if (f->length < sizeof(f->line) - 1) {
			/* A NUL would hide the rest of the line. */
			f->line[f->length++] = buf[i] == '\0' ? ' ' : buf[i];
		}
	}
}

/* What held[0..n) is: the kernel's last message, its beginning, or neither. */
enum foreign_match { FOREIGN_NO, FOREIGN_PART, FOREIGN_LAST };

static enum foreign_match
foreign_match_words(const char *s, size_t n)
{
	static const char *const last[] = { "Kernel panic - not syncing: ",
		"reboot: " };

	for (size_t i = 0; i < sizeof(last) / sizeof(*last); i++) {
		size_t length = strlen(last[i]);

		if (n >= length && memcmp(s, last[i], length) == 0)
			return FOREIGN_LAST;
		if (n < length && memcmp(s, last[i], n) == 0)
			return FOREIGN_PART;
	}
	return FOREIGN_NO;
}

/* "[    1.234567] " and one of the words above. */
static enum foreign_match
foreign_match(const char *s, size_t n)
{
	size_t i = 1;

	if (s[0] != '[')
		return FOREIGN_NO;
	while (i < n && i < FOREIGN_HELD / 2 &&
	    strchr(" .0123456789", s[i]) != NULL && s[i] != '\0')
		i++;
	if (i < n && s[i++] != ']')
		return FOREIGN_NO;
	if (i < n && s[i++] != ' ')
		return FOREIGN_NO;
	return foreign_match_words(s + i, n - i);
}

/* Linux's terminal made "\r\n" of each "\n". */
static size_t
foreign_put(struct foreign *f, char *out, char c)
{
	size_t n = 0;

	if (f->held_return && c != '\n')
		out[n++] = '\r';
	f->held_return = c == '\r';
	if (!f->held_return)
		out[n++] = c;
	return n;
}

size_t
foreign_filter(struct foreign *f, char *buf, size_t n)
{
	char in[8192];
	size_t count = n < sizeof(in) ? n : sizeof(in), out = 0;

	memcpy(in, buf, count);
	for (size_t i = 0; i < count && !f->ended; i++) {
		enum foreign_match match = FOREIGN_NO;

		f->held[f->nheld++] = in[i];
		while (f->nheld > 0) {
			match = foreign_match(f->held, f->nheld);
			if (match != FOREIGN_NO)
				break;
			out += foreign_put(f, buf + out, f->held[0]);
			memmove(f->held, f->held + 1, --f->nheld);
		}
		f->ended = match == FOREIGN_LAST;
	}
	return out;
}

size_t
foreign_flush(struct foreign *f, char *buf)
{
	size_t out = 0;

	for (size_t i = 0; i < f->nheld && !f->ended; i++)
		out += foreign_put(f, buf + out, f->held[i]);
	f->nheld = 0;
	if (f->held_return)
		buf[out++] = '\r';
	f->held_return = false;
	return out;
}
