/* SPDX-License-Identifier: ISC */
/* control.c - what the machine reports about its end. */
#include "cli/control.h"

#include <stdlib.h>
#include <string.h>

#include "cli/trouble.h"

/* A decimal number from 0 to max that fills the string; else -1. */
static int
control_number(const char *s, int max)
{
	int value = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		value = value * 10 + (*s - '0');
		if (value > max)
			return -1;
	}
	return value;
}

void
outcome_set(struct outcome *o, enum outcome_kind kind, int value,
    const char *text)
{
	size_t n = strlen(text);

	if (o->kind != OUTCOME_NONE)
		return;
	if (n >= sizeof(o->text))
		n = sizeof(o->text) - 1;
	o->kind = kind;
	o->value = value;
	memcpy(o->text, text, n);
	o->text[n] = '\0';
}

/* Words that are not known are those of a newer kernel: passed over. */
static void
control_line(struct control *c)
{
	struct outcome *o = &c->outcome;
	const char *s = c->line;
	int value;

	if (strcmp(s, "ready") == 0) {
		c->ready = true;
	} else if (strcmp(s, "poweroff") == 0 || strcmp(s, "halt") == 0) {
		outcome_set(o, OUTCOME_OFF, 0, "");
	} else if (strcmp(s, "restart") == 0) {
		outcome_set(o, OUTCOME_RESTART, 0, "");
	} else if (strncmp(s, "panic ", 6) == 0) {
		outcome_set(o, OUTCOME_PANIC, 0, s + 6);
	} else if (strncmp(s, "exit ", 5) == 0) {
		value = control_number(s + 5, 255);
		if (value >= 0)
			outcome_set(o, OUTCOME_EXIT, value, "");
	} else if (strncmp(s, "signal ", 7) == 0) {
		value = control_number(s + 7, 64);
		if (value > 0)
			outcome_set(o, OUTCOME_SIGNAL, value, "");
	}
}

void
control_input(struct control *c, const char *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (buf[i] == '\n') {
			if (c->length > 0 && c->line[c->length - 1] == '\r')
				c->length--;
			c->line[c->length] = '\0';
			if (!c->too_long)
				control_line(c);
			c->length = 0;
			c->too_long = false;
		} else if (c->length < sizeof(c->line) - 1) {
			c->line[c->length++] = buf[i];
		} else {
			c->too_long = true;
		}
	}
}

int
outcome_status(const struct outcome *outcome)
{
	switch (outcome->kind) {
	case OUTCOME_EXIT: return outcome->value;
	case OUTCOME_SIGNAL: return STATUS_SIGNAL + outcome->value;
	case OUTCOME_OFF: return 0;
	case OUTCOME_RESTART: return STATUS_RESTART;
	case OUTCOME_PANIC: return STATUS_PANIC;
	default: return STATUS_MACHINE;
	}
}
