/* SPDX-License-Identifier: ISC */
/*
 * control_parse.h - the lines that the host sends on the control channel.
 *
 *     winsize ROWS COLS      the console's window has this size
 *     eof TOTAL              no bytes follow the first TOTAL on the console
 *     signal N               a signal for the console's foreground
 *
 * Numbers are decimal, words are parted by single spaces, each line ends with
 * '\n'.  Pure: builds on the host too.
 */
#ifndef DEV_CONTROL_PARSE_H
#define DEV_CONTROL_PARSE_H

#include "kern/types.h"

#define CONTROL_LINE 64 /* longer lines are nonsense */

enum control_kind {
	CONTROL_NONE, /* no line is complete */
	CONTROL_BAD,  /* one is, and says nothing that we know */
	CONTROL_WINSIZE,
	CONTROL_EOF,
	CONTROL_SIGNAL,
};

struct control_parser { /* zeroed: at the beginning of a line */
	char line[CONTROL_LINE];
	unsigned len;
	bool overlong;
};

struct control_message {
	uint16_t rows, cols; /* of winsize */
	uint64_t total;      /* of eof */
	int signo;           /* of signal, 1 .. 64 */
};

/*
 * Takes one byte.  Answers with the line's kind when it completes one; *m is
 * filled as the kind says.  Empty lines are CONTROL_NONE.
 */
enum control_kind
control_feed(struct control_parser *p, uint8_t byte, struct control_message *m);

#endif
