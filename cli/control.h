/* SPDX-License-Identifier: ISC */
/*
 * control.h - the control channel's lines: what the machine reports.
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

enum outcome_kind {
	OUTCOME_NONE,   /* the machine has not said anything */
	OUTCOME_EXIT,   /* the program's status is `value` */
	OUTCOME_SIGNAL, /* it died of signal `value` */
	OUTCOME_OFF,    /* poweroff or halt */
	OUTCOME_RESTART,
	OUTCOME_PANIC /* of the kernel; `text` says why */
};

struct outcome {
	enum outcome_kind kind;
	int value;
	char text[256];
};

/* Bytes of the control channel, cut into lines. */
struct control {
	char line[256];
	size_t length;
	bool too_long;          /* this line is, and is passed over */
	bool ready;             /* the kernel reads its serial lines */
	struct outcome outcome; /* the first that was reported */
};

/* Takes what came on the channel: whole lines are acted on, a rest is kept. */
void control_input(struct control *c, const char *buf, size_t n);

/* Sets *o unless something was reported before; `text` is cut to fit. */
void outcome_set(struct outcome *o, enum outcome_kind kind, int value,
    const char *text);

/* The command's exit status; 125 for OUTCOME_NONE. */
int outcome_status(const struct outcome *outcome);

#endif
