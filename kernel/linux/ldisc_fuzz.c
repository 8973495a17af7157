/* SPDX-License-Identifier: ISC */
/* unit: kernel/linux/ldisc.c kernel/linux/ldisc_echo.c */
/*
 * ldisc_fuzz.c - any settings, typing, writing and reading in any order; the
 * line has little room and the buffers must stay within their bounds.
 */
#include "linux/ldisc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t room;
static volatile uint8_t seen; /* so that every byte is read */

static size_t
line_room(void *arg)
{
	(void)arg;
	return room;
}

static void
line_out(void *arg, const uint8_t *bytes, size_t n)
{
	(void)arg;
	if (n > room)
		abort();
	room -= n;
	while (n-- > 0)
		seen ^= bytes[n];
}

static void
line_signal(void *arg, int signo)
{
	(void)arg;
	(void)signo;
}

static void
line_discard(void *arg)
{
	(void)arg;
}

static void
line_stop(void *arg, bool stopped)
{
	(void)arg;
	room = stopped ? 0 : 64;
}

static void
line_send_now(void *arg, uint8_t byte)
{
	(void)arg;
	(void)byte;
}

static const struct ldisc_ops ops = {
	.room = line_room,
	.out = line_out,
	.signal = line_signal,
	.discard = line_discard,
	.stop = line_stop,
	.send_now = line_send_now,
};

static void
check(const struct ldisc *l)
{
	uint32_t held = l->head - l->tail, lines = l->canon - l->tail;

	if (held > LDISC_SIZE || (ldisc_canonical(l) && lines > held) ||
	    l->echo_head - l->echo_tail > LDISC_ECHO ||
	    ldisc_inq(l) > LDISC_SIZE)
		abort();
}

/* One operation; returns the bytes of input that it used. */
static size_t
step(struct ldisc *l, const uint8_t *p, size_t n)
{
	struct termios2 t = l->t;
	uint8_t buf[300];
	bool more;
	size_t len = MIN(n, (size_t)(p[0] >> 2));

	switch (p[0] & 3) {
	case 0:
		len = MIN(len, ldisc_room(l));
		ldisc_input(l, p, len);
		return MAX(len, (size_t)1);
	case 1:
		room = 64;
		ldisc_echo(l);
		ldisc_output(l, p, len);
		return MAX(len, (size_t)1);
	case 2:
		ldisc_read(l, buf, MIN(len * 5, sizeof(buf)), &more);
		ldisc_skip_eof(l);
		ldisc_unthrottle(l);
		return 1;
	}
	memcpy(&t, p, MIN(n, sizeof(t)));
	ldisc_set_termios(l, &t);
	return sizeof(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ldisc_buf *buf = malloc(sizeof(*buf));
	struct ldisc l;
	size_t used;

	if (buf == NULL)
		return 0;
	room = 64;
	ldisc_init(&l, &ops, NULL, buf);
	while (size > 0) {
		used = MIN(step(&l, data, size), size);
		data += used;
		size -= used;
		check(&l);
	}
	free(buf);
	return 0;
}
