/* SPDX-License-Identifier: ISC */
/*
 * control_parse.c - reads the host's lines.  The host may send anything: a
 * line is kept up to a bound, and understood wholly or not at all.
 */
#include "dev/control_parse.h"

#include "kern/string.h"

/* Matches the word at *s and steps behind it. */
static bool
take_word(const char **s, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*s, word, len) != 0)
		return false;
	*s += len;
	return true;
}

/* " NUMBER" of at most `max`. */
static bool
take_number(const char **s, uint64_t max, uint64_t *value)
{
	const char *p = *s;
	uint64_t v = 0;
	unsigned digit;

	if (*p++ != ' ' || *p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		digit = *p - '0';
		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*s = p;
	*value = v;
	return v <= max;
}

static enum control_kind
control_line(const char *s, struct control_message *m)
{
	uint64_t a, b;

	if (take_word(&s, "winsize")) {
		if (!take_number(&s, UINT16_MAX, &a) ||
		    !take_number(&s, UINT16_MAX, &b) || *s != '\0')
			return CONTROL_BAD;
		m->rows = a;
		m->cols = b;
		return CONTROL_WINSIZE;
	}
	if (take_word(&s, "eof")) {
		if (!take_number(&s, UINT64_MAX, &m->total) || *s != '\0')
			return CONTROL_BAD;
		return CONTROL_EOF;
	}
	if (take_word(&s, "signal")) {
		if (!take_number(&s, 64, &a) || a == 0 || *s != '\0')
			return CONTROL_BAD;
		m->signo = a;
		return CONTROL_SIGNAL;
	}
	return CONTROL_BAD;
}

enum control_kind
control_feed(struct control_parser *p, uint8_t byte, struct control_message *m)
{
	bool overlong = p->overlong;
	unsigned len = p->len;

	if (byte != '\n') {
		/* A NUL would end the line early: it spoils it instead. */
		if (len < CONTROL_LINE - 1 && byte != '\0')
			p->line[p->len++] = byte;
		else
			p->overlong = true;
		return CONTROL_NONE;
	}
	p->line[len] = '\0';
	p->len = 0;
	p->overlong = false;
	if (overlong)
		return CONTROL_BAD;
	return len == 0 ? CONTROL_NONE : control_line(p->line, m);
}
