/* SPDX-License-Identifier: ISC */
/*
 * terminal.h - the user's terminal: raw while the machine runs, and put back
 * on every way out, fatal signals included.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Makes the terminal on fd raw: bytes pass unchanged, ^C is one of them. */
void terminal_raw(int fd);

/* Puts it back as it was.  May be called at any time, twice too. */
void terminal_restore(void);

/* The size of the terminal on fd; false if it has none. */
bool terminal_size(int fd, unsigned *rows, unsigned *columns);

/*
 * What the user types, as long as the terminal is raw: Ctrl-A x ends the
 * machine, Ctrl-A Ctrl-A is one Ctrl-A.
 */
struct terminal_keys {
	bool prefix; /* Ctrl-A was the last one */
};

/*
 * Takes the prefix keys out of buf[0..n); *n is what remains, at most one
 * more than before: the room must be there.  Returns whether to end.
 */
bool terminal_keys_filter(struct terminal_keys *keys, char *buf, size_t *n);

#endif
