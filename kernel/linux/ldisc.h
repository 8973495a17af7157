/* SPDX-License-Identifier: ISC */
/*
 * ldisc.h - what stands between a terminal's line and its readers and writers:
 * lines put together, erased and echoed, characters that are signals, output
 * changed on its way.  termios(3), with Linux's details to the byte.
 *
 * Pure: no locks, no sleeping, no kernel but C and Linux's termios; it also
 * builds on the host.  Callers serialise all calls on one struct.  Serial
 * lines and pseudo-terminals stand behind the same ldisc_ops.
 */
#ifndef LINUX_LDISC_H
#define LINUX_LDISC_H

#include "kern/types.h"
#include <asm/termbits.h>

#define LDISC_SIZE 4096 /* the longest line, newline included */
#define LDISC_ECHO 1024 /* echoes that wait for room */

struct ldisc;

/* The line's side, called from within the functions below. */
struct ldisc_ops {
	/* Bytes that out() takes now; 0 while output is stopped. */
	size_t (*room)(void *arg);
	/* n <= room() */
	void (*out)(void *arg, const uint8_t *bytes, size_t n);
	/* SIGINT, SIGQUIT or SIGTSTP for the foreground. */
	void (*signal)(void *arg, int signo);
	/* Output that is queued is forgotten. */
	void (*discard)(void *arg);
	/* ^S and ^Q: output stops, or goes on. */
	void (*stop)(void *arg, bool stopped);
	/* Sends one byte past the queue: flow control of input. */
	void (*send_now)(void *arg, uint8_t byte);
};

/* Memory for what was typed; the caller's, kept while the terminal is open. */
struct ldisc_buf {
	uint8_t data[LDISC_SIZE];
	uint64_t ends[LDISC_SIZE / 64]; /* a line ends with this byte */
	uint16_t echo[LDISC_ECHO];      /* kind << 8 | byte */
};

struct ldisc {
	const struct ldisc_ops *ops;
	void *arg;
	struct termios2 t;
	uint64_t special[4]; /* one bit a character that is more than itself */
	struct ldisc_buf *buf;
	/* Free running: tail <= canon <= head; [canon, head) is being typed. */
	uint32_t tail, canon, head;
	uint32_t echo_head, echo_tail;
	uint32_t column, canon_column; /* of the cursor; where input began */
	bool literal;   /* the next character is taken as it is */
	bool erasing;   /* between \ and / of ECHOPRT */
	bool stopped;   /* by ^S */
	bool throttled; /* STOP was sent to the other side */
};

/* c_cflag etc. are Linux's defaults for a line of 115200 bits a second. */
void ldisc_init(struct ldisc *l, const struct ldisc_ops *ops, void *arg,
    struct ldisc_buf *buf);

/* Bytes that ldisc_input() is sure to take. */
size_t ldisc_room(const struct ldisc *l);
/*
 * Bytes arrive, n <= ldisc_room().  What they echo is sent at the end: a
 * signal among them takes away the echo of those before it.  True: a reader may have become able to go
 * on (look at ldisc_readable()).
 */
bool ldisc_input(struct ldisc *l, const uint8_t *bytes, size_t n);

/*
 * Sends what a program writes; returns how much of it was taken, short when
 * the line had no room.
 */
size_t ldisc_output(struct ldisc *l, const uint8_t *bytes, size_t n);
/* Sends echoes that waited for room. */
void ldisc_echo(struct ldisc *l);

/*
 * Is there what a read returns?  `poll`: what poll(2) reports, which waits
 * for VMIN bytes where VTIME is 0.
 */
bool ldisc_readable(const struct ldisc *l, bool poll);
/*
 * Takes up to n bytes: in canonical mode of one line, *more telling that the
 * line goes on; else *more is false.  0 in canonical mode with a line there
 * is the end of file.
 */
size_t ldisc_read(struct ldisc *l, uint8_t *to, size_t n, bool *more);
/* A reader's buffer was filled by a line up to its VEOF: that is used up. */
void ldisc_skip_eof(struct ldisc *l);
/* After reads: lets the other side go on that was held back (IXOFF). */
void ldisc_unthrottle(struct ldisc *l);

/* FIONREAD: bytes that a read would return. */
uint32_t ldisc_inq(const struct ldisc *l);
/* Forgets what was typed. */
void ldisc_flush_input(struct ldisc *l);
/* Takes new settings at once; the caller has waited or flushed. */
void ldisc_set_termios(struct ldisc *l, const struct termios2 *t);

/* Canonical for readers: EXTPROC leaves lines to the other side. */
static inline bool
ldisc_canonical(const struct ldisc *l)
{
	return (l->t.c_lflag & (ICANON | EXTPROC)) == ICANON;
}

/* ldisc_echo.c: what a character looks like when it is typed. */
void ldisc_echo_char(struct ldisc *l, uint8_t c); /* as ^X if control */
void ldisc_echo_raw(struct ldisc *l, uint8_t c);  /* as itself */
void ldisc_echo_back(struct ldisc *l);            /* a column less */
void ldisc_echo_begin(struct ldisc *l);           /* input begins here */
void ldisc_echo_erase_tab(struct ldisc *l, unsigned columns, bool after_tab);
void ldisc_echo_forget(struct ldisc *l);

/* The "C" locale's idea of characters; Linux's for letters above 127. */
static inline bool
ldisc_is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}
/* Bytes of a UTF-8 character behind its first take no column. */
static inline bool
ldisc_is_tail_byte(const struct ldisc *l, uint8_t c)
{
	return (l->t.c_iflag & IUTF8) != 0 && (c & 0xc0) == 0x80;
}

#endif
