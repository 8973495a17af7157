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

static void
outcome_set(
    struct outcome *o, enum outcome_kind kind, int value, const char *text)
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
