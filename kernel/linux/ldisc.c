/* SPDX-License-Identifier: ISC */
/*
 * ldisc.c - the way into a terminal: what typed characters do, and how lines
 * and bytes are read.  termios(3); where that leaves something open, what
 * Linux's terminals do.
 *
 * Typed bytes lie in one ring.  In canonical mode those before `canon` are
 * whole lines, the byte that ends each marked in `ends`; an end of file is
 * such a mark on a NUL.  In other modes all bytes may be read.
 */
#include "linux/ldisc.h"

#include <asm/signal.h>

#define THROTTLE_ROOM 128 /* bytes of room left when STOP is sent */
#define THROTTLE_USED 128 /* bytes unread when START is sent */
#define ECHO_ENOUGH   256 /* echoes that are sent before the input's end */

static bool
iflag(const struct ldisc *l, tcflag_t bit)
{
	return (l->t.c_iflag & bit) != 0;
}

static bool
lflag(const struct ldisc *l, tcflag_t bit)
{
	return (l->t.c_lflag & bit) != 0;
}

static uint8_t
byte_at(const struct ldisc *l, uint32_t at)
{
	return l->buf->data[at % LDISC_SIZE];
}

static bool
is_end(const struct ldisc *l, uint32_t at)
{
	at %= LDISC_SIZE;
	return (l->buf->ends[at / 64] >> (at % 64) & 1) != 0;
}

static void
mark_end(struct ldisc *l, uint32_t at)
{
	at %= LDISC_SIZE;
	l->buf->ends[at / 64] |= 1ull << (at % 64);
}

static void
clear_end(struct ldisc *l, uint32_t at)
{
	at %= LDISC_SIZE;
	l->buf->ends[at / 64] &= ~(1ull << (at % 64));
}

static void
clear_ends(struct ldisc *l)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(l->buf->ends); i++)
		l->buf->ends[i] = 0;
}

static void
store(struct ldisc *l, uint8_t c)
{
	l->buf->data[l->head++ % LDISC_SIZE] = c;
}

/* ----------------------------------------------------------- settings -- */

static void
set_special(struct ldisc *l, uint8_t c)
{
	l->special[c / 64] |= 1ull << (c % 64);
}

static void
set_special_cc(struct ldisc *l, unsigned first, unsigned second)
{
	set_special(l, l->t.c_cc[first]);
	set_special(l, l->t.c_cc[second]);
}

static void
find_special_lines(struct ldisc *l)
{
	set_special_cc(l, VERASE, VKILL);
	set_special_cc(l, VEOF, VEOL);
	set_special(l, '\n');
	if (!lflag(l, IEXTEN))
		return;
	set_special_cc(l, VWERASE, VLNEXT);
	set_special(l, l->t.c_cc[VEOL2]);
	if (lflag(l, ECHO))
		set_special(l, l->t.c_cc[VREPRINT]);
}

/* Which characters need more than to be stored and echoed. */
static void
find_special(struct ldisc *l)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(l->special); i++)
		l->special[i] = 0;
	if (iflag(l, IGNCR | ICRNL))
		set_special(l, '\r');
	if (iflag(l, INLCR))
		set_special(l, '\n');
	if (lflag(l, ICANON))
		find_special_lines(l);
	if (iflag(l, IXON))
		set_special_cc(l, VSTART, VSTOP);
	if (lflag(l, ISIG)) {
		set_special_cc(l, VINTR, VQUIT);
		set_special(l, l->t.c_cc[VSUSP]);
	}
	l->special[0] &= ~1ull; /* NUL: this function is turned off */
}

static void
output_stop(struct ldisc *l, bool stop)
{
	if (l->stopped == stop)
		return;
	l->stopped = stop;
	l->ops->stop(l->arg, stop);
	if (!stop)
		ldisc_echo(l);
}

/* From lines to bytes and back: what was typed so far becomes one piece. */
static void
change_canonical(struct ldisc *l)
{
	clear_ends(l);
	l->canon = l->tail;
	if (lflag(l, ICANON) && l->head != l->tail) {
		mark_end(l, l->head - 1);
		l->canon = l->head;
	}
	l->erasing = false;
	l->literal = false;
}

void
ldisc_set_termios(struct ldisc *l, const struct termios2 *t)
{
	tcflag_t changed = l->t.c_lflag ^ t->c_lflag;

	l->t = *t;
	if ((changed & (ICANON | EXTPROC)) != 0)
		change_canonical(l);
	find_special(l);
	if (!iflag(l, IXON))
		output_stop(l, false);
}

static const struct termios2 ldisc_default = {
	.c_iflag = ICRNL | IXON | IUTF8,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE |
		   IEXTEN,
	.c_cc = {
		[VINTR] = 'C' - '@', [VQUIT] = '\\' - '@', [VERASE] = 0x7f,
		[VKILL] = 'U' - '@', [VEOF] = 'D' - '@', [VMIN] = 1,
		[VSTART] = 'Q' - '@', [VSTOP] = 'S' - '@',
		[VSUSP] = 'Z' - '@', [VREPRINT] = 'R' - '@',
		[VDISCARD] = 'O' - '@', [VWERASE] = 'W' - '@',
		[VLNEXT] = 'V' - '@',
	},
	.c_ispeed = 115200,
	.c_ospeed = 115200,
};

void
ldisc_init(struct ldisc *l, const struct ldisc_ops *ops, void *arg,
    struct ldisc_buf *buf)
{
	*l = (struct ldisc){ .ops = ops, .arg = arg, .buf = buf };
	l->t = ldisc_default;
	find_special(l);
	clear_ends(l);
}

/* -------------------------------------------------------------- erase -- */

static void
finish_erasing(struct ldisc *l)
{
	if (!l->erasing)
		return;
	ldisc_echo_raw(l, '/');
	l->erasing = false;
}

/* Where the last character of the line being typed begins; head: none does. */
static uint32_t
last_char(const struct ldisc *l)
{
	uint32_t at = l->head;

	do
		at--;
	while (ldisc_is_tail_byte(l, byte_at(l, at)) && at != l->canon);
	return ldisc_is_tail_byte(l, byte_at(l, at)) ? l->head : at;
}

static bool
is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '_' ||
	    (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

/* ECHOPRT: a printing terminal shows between \ and / what goes. */
static void
echo_printed(struct ldisc *l, uint32_t from, uint32_t to)
{
	if (!l->erasing) {
		ldisc_echo_raw(l, '\\');
		l->erasing = true;
	}
	ldisc_echo_char(l, byte_at(l, from));
	while (++from != to) {
		ldisc_echo_raw(l, byte_at(l, from));
		ldisc_echo_back(l);
	}
}

static void
echo_erased_tab(struct ldisc *l)
{
	unsigned columns = 0;
	uint32_t at = l->head;
	uint8_t c;

	while (at != l->canon) {
		c = byte_at(l, --at);
		if (c == '\t') {
			ldisc_echo_erase_tab(l, columns, true);
			return;
		}
		if (ldisc_is_control(c))
			columns += lflag(l, ECHOCTL) ? 2 : 0;
		else if (!ldisc_is_tail_byte(l, c))
			columns++;
	}
	ldisc_echo_erase_tab(l, columns, false);
}

static void
echo_rubout(struct ldisc *l)
{
	ldisc_echo_raw(l, '\b');
	ldisc_echo_raw(l, ' ');
	ldisc_echo_raw(l, '\b');
}

/* The character [head, to) is gone; only then its echo is found. */
static void
echo_erased(struct ldisc *l, uint32_t to, bool single)
{
	uint8_t c = byte_at(l, l->head);

	if (lflag(l, ECHOPRT))
		echo_printed(l, l->head, to);
	else if (single && !lflag(l, ECHOE))
		ldisc_echo_char(l, l->t.c_cc[VERASE]);
	else if (c == '\t')
		echo_erased_tab(l);
	else {
		if (ldisc_is_control(c) && lflag(l, ECHOCTL))
			echo_rubout(l);
		if (!ldisc_is_control(c) || lflag(l, ECHOCTL))
			echo_rubout(l);
	}
}

enum erase { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

static void
erase(struct ldisc *l, enum erase what)
{
	uint32_t at, old;
	bool word = false;

	while (l->head != l->canon) {
		at = last_char(l);
		if (at == l->head)
			break;
		if (what == ERASE_WORD && is_word(byte_at(l, at)))
			word = true;
		else if (what == ERASE_WORD && word)
			break;
		old = l->head;
		l->head = at;
		if (lflag(l, ECHO))
			echo_erased(l, old, what == ERASE_CHAR);
		if (what == ERASE_CHAR)
			break;
	}
	if (l->head == l->canon && lflag(l, ECHO))
		finish_erasing(l);
}

static void
kill_line(struct ldisc *l)
{
	tcflag_t all = ECHOK | ECHOKE | ECHOE;

	if (lflag(l, ECHO) && (l->t.c_lflag & all) == all) {
		erase(l, ERASE_LINE);
		return;
	}
	l->head = l->canon;
	if (!lflag(l, ECHO))
		return;
	finish_erasing(l);
	ldisc_echo_char(l, l->t.c_cc[VKILL]);
	if (lflag(l, ECHOK))
		ldisc_echo_raw(l, '\n');
}

/* True if c edits the line. */
static bool
edit_line(struct ldisc *l, uint8_t c)
{
	const cc_t *cc = l->t.c_cc;
	bool word = c == cc[VWERASE] && lflag(l, IEXTEN);

	if (c != cc[VERASE] && c != cc[VKILL] && !word)
		return false;
	if (l->head == l->canon)
		return true; /* there is nothing to erase */
	if (c == cc[VERASE])
		erase(l, ERASE_CHAR);
	else if (c == cc[VWERASE])
		erase(l, ERASE_WORD);
	else
		kill_line(l);
	return true;
}

/* -------------------------------------------------------------- input -- */

/* Stores a character and echoes it, control characters as ^X. */
static void
input_plain(struct ldisc *l, uint8_t c)
{
	if (lflag(l, ECHO)) {
		finish_erasing(l);
		if (l->canon == l->head)
			ldisc_echo_begin(l);
		ldisc_echo_char(l, c);
	}
	if (c == 0xff && iflag(l, PARMRK))
		store(l, c);
	store(l, c);
}

/* A newline that ends no line, but came by way of INLCR or ICRNL. */
static void
input_newline(struct ldisc *l)
{
	if (lflag(l, ECHO)) {
		finish_erasing(l);
		ldisc_echo_raw(l, '\n');
	}
	store(l, '\n');
}

static void
end_line(struct ldisc *l, uint8_t c)
{
	mark_end(l, l->head);
	store(l, c);
	l->canon = l->head;
}

static void
reprint(struct ldisc *l, uint8_t c)
{
	uint32_t at;

	finish_erasing(l);
	ldisc_echo_char(l, c);
	ldisc_echo_raw(l, '\n');
	for (at = l->canon; at != l->head; at++)
		ldisc_echo_char(l, byte_at(l, at));
}

static void
quote_next(struct ldisc *l)
{
	l->literal = true;
	if (!lflag(l, ECHO))
		return;
	finish_erasing(l);
	if (lflag(l, ECHOCTL)) {
		ldisc_echo_raw(l, '^');
		ldisc_echo_raw(l, '\b');
	}
}

/* True if c ends the line. */
static bool
input_line_end(struct ldisc *l, uint8_t c)
{
	const cc_t *cc = l->t.c_cc;

	if (c == '\n') {
		if (lflag(l, ECHO | ECHONL))
			ldisc_echo_raw(l, '\n');
	} else if (c == cc[VEOF]) {
		c = '\0';
	} else if (c == cc[VEOL] || (c == cc[VEOL2] && lflag(l, IEXTEN))) {
		if (lflag(l, ECHO)) {
			if (l->canon == l->head)
				ldisc_echo_begin(l);
			ldisc_echo_char(l, c);
		}
		if (c == 0xff && iflag(l, PARMRK))
			store(l, c);
	} else {
		return false;
	}
	end_line(l, c);
	return true;
}

static bool
input_canonical(struct ldisc *l, uint8_t c)
{
	const cc_t *cc = l->t.c_cc;

	if (edit_line(l, c))
		return true;
	if (c == cc[VLNEXT] && lflag(l, IEXTEN)) {
		quote_next(l);
		return true;
	}
	if (c == cc[VREPRINT] && lflag(l, ECHO) && lflag(l, IEXTEN)) {
		reprint(l, c);
		return true;
	}
	return input_line_end(l, c);
}

static void
input_signal(struct ldisc *l, uint8_t c, int signo)
{
	l->ops->signal(l->arg, signo);
	if (!lflag(l, NOFLSH)) {
		ldisc_echo_forget(l);
		l->ops->discard(l->arg);
		ldisc_flush_input(l);
	}
	if (iflag(l, IXON))
		output_stop(l, false);
	if (lflag(l, ECHO))
		ldisc_echo_char(l, c);
}

/* The signal that c stands for, or 0. */
static int
signal_of(const struct ldisc *l, uint8_t c)
{
	if (!lflag(l, ISIG))
		return 0;
	if (c == l->t.c_cc[VINTR])
		return SIGINT;
	if (c == l->t.c_cc[VQUIT])
		return SIGQUIT;
	return c == l->t.c_cc[VSUSP] ? SIGTSTP : 0;
}

static void
input_special(struct ldisc *l, uint8_t c)
{
	int signo;

	if (iflag(l, IXON) &&
	    (c == l->t.c_cc[VSTART] || c == l->t.c_cc[VSTOP])) {
		output_stop(l, c != l->t.c_cc[VSTART]);
		return;
	}
	signo = signal_of(l, c);
	if (signo != 0) {
		input_signal(l, c, signo);
		return;
	}
	if (iflag(l, IXON) && iflag(l, IXANY))
		output_stop(l, false);
	if (c == '\r' && iflag(l, IGNCR))
		return;
	if (c == '\r' && iflag(l, ICRNL))
		c = '\n';
	else if (c == '\n' && iflag(l, INLCR))
		c = '\r';
	if (lflag(l, ICANON) && input_canonical(l, c))
		return;
	if (c == '\n')
		input_newline(l);
	else
		input_plain(l, c);
}

static bool
is_special(const struct ldisc *l, uint8_t c)
{
	return (l->special[c / 64] >> (c % 64) & 1) != 0;
}

/* A line that is too long keeps its last place for what comes. */
static void
make_room(struct ldisc *l)
{
	uint32_t most = iflag(l, PARMRK) ? LDISC_SIZE - 1 : LDISC_SIZE;

	if (l->head - l->tail >= most && ldisc_canonical(l) &&
	    l->canon == l->tail)
		l->head = l->tail + most - 1;
}

static bool
is_upper(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static void
input_char(struct ldisc *l, uint8_t c)
{
	if (iflag(l, ISTRIP))
		c &= 0x7f;
	if (iflag(l, IUCLC) && lflag(l, IEXTEN) && is_upper(c))
		c += 'a' - 'A';
	if (l->literal) {
		l->literal = false;
		input_plain(l, c);
	} else if (lflag(l, EXTPROC)) {
		store(l, c);
	} else if (is_special(l, c)) {
		input_special(l, c);
	} else {
		if (iflag(l, IXON) && iflag(l, IXANY))
			output_stop(l, false);
		input_plain(l, c);
	}
}

size_t
ldisc_room(const struct ldisc *l)
{
	size_t room = LDISC_SIZE - 1 - MIN(l->head - l->tail, LDISC_SIZE - 1);

	if (iflag(l, PARMRK))
		room /= 3;
	if (room == 0 && ldisc_canonical(l) && l->canon == l->tail)
		room = 1;
	return room;
}

static void
throttle(struct ldisc *l)
{
	if (!iflag(l, IXOFF) || l->throttled || l->t.c_cc[VSTOP] == 0 ||
	    LDISC_SIZE - (l->head - l->tail) >= THROTTLE_ROOM)
		return;
	if (ldisc_canonical(l) && l->canon == l->tail)
		return; /* the reader waits for more */
	l->throttled = true;
	l->ops->send_now(l->arg, l->t.c_cc[VSTOP]);
}

bool
ldisc_input(struct ldisc *l, const uint8_t *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		make_room(l);
		input_char(l, bytes[i]);
		if (l->echo_head - l->echo_tail >= ECHO_ENOUGH)
			ldisc_echo(l);
	}
	ldisc_echo(l);
	throttle(l);
	return ldisc_readable(l, false);
}

/* -------------------------------------------------------------- reads -- */

bool
ldisc_readable(const struct ldisc *l, bool poll)
{
	uint32_t least = 1;

	if (ldisc_canonical(l))
		return l->canon != l->tail;
	if (poll && l->t.c_cc[VTIME] == 0 && l->t.c_cc[VMIN] != 0)
		least = l->t.c_cc[VMIN];
	return l->head - l->tail >= least;
}

static size_t
read_line(struct ldisc *l, uint8_t *to, size_t n, bool *more)
{
	size_t got = 0;
	uint32_t at;

	while (got < n && l->tail != l->canon) {
		at = l->tail++;
		if (!is_end(l, at)) {
			to[got++] = byte_at(l, at);
			continue;
		}
		clear_end(l, at);
		if (byte_at(l, at) != '\0')
			to[got++] = byte_at(l, at);
		return got;
	}
	*more = l->tail != l->canon;
	return got;
}

size_t
ldisc_read(struct ldisc *l, uint8_t *to, size_t n, bool *more)
{
	size_t got;

	*more = false;
	if (ldisc_canonical(l))
		return read_line(l, to, n, more);
	n = MIN(n, l->head - l->tail);
	for (got = 0; got < n; got++)
		to[got] = byte_at(l, l->tail++);
	/* VEOF alone, typed on the other side of EXTPROC, is the end. */
	if (lflag(l, EXTPROC) && lflag(l, ICANON) && n == 1 &&
	    to[0] == l->t.c_cc[VEOF] && l->head == l->tail)
		got = 0;
	return got;
}

void
ldisc_skip_eof(struct ldisc *l)
{
	if (!ldisc_canonical(l) || l->tail == l->canon || !is_end(l, l->tail) ||
	    byte_at(l, l->tail) != '\0')
		return;
	clear_end(l, l->tail);
	l->tail++;
}

void
ldisc_unthrottle(struct ldisc *l)
{
	if (!l->throttled || l->head - l->tail > THROTTLE_USED)
		return;
	l->throttled = false;
	if (l->t.c_cc[VSTART] != 0)
		l->ops->send_now(l->arg, l->t.c_cc[VSTART]);
}

uint32_t
ldisc_inq(const struct ldisc *l)
{
	uint32_t at, n = 0;

	if (!ldisc_canonical(l))
		return l->head - l->tail;
	for (at = l->tail; at != l->canon; at++)
		if (!is_end(l, at) || byte_at(l, at) != '\0')
			n++;
	return n;
}

void
ldisc_flush_input(struct ldisc *l)
{
	l->head = l->canon = l->tail = 0;
	l->erasing = false;
	clear_ends(l);
}
