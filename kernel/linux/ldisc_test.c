/* SPDX-License-Identifier: ISC */
/* unit: kernel/linux/ldisc.c kernel/linux/ldisc_echo.c */
/*
 * ldisc_test.c - the line discipline, byte for byte: written cases, and many
 * made-up ones for which the host's own terminals say what is right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "linux/ldisc.h"
#include <asm/ioctls.h>
#include <signal.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);

#define OUT 65536

/* A line that keeps what is sent. */
struct line {
	struct ldisc l;
	struct ldisc_buf buf;
	uint8_t out[OUT];
	size_t n, limit; /* limit: bytes after which there is no room */
	int signo;
	unsigned nsignals;
	bool stopped;
	uint8_t now; /* send_now's last */
};

static size_t
line_room(void *arg)
{
	struct line *line = arg;

	return line->stopped ? 0 : line->limit - line->n;
}

static void
line_out(void *arg, const uint8_t *bytes, size_t n)
{
	struct line *line = arg;

	assert_true(n > 0 && n <= line_room(arg));
	memcpy(line->out + line->n, bytes, n);
	line->n += n;
}

static void
line_signal(void *arg, int signo)
{
	struct line *line = arg;

	line->signo = signo;
	line->nsignals++;
}

static void
line_discard(void *arg)
{
	(void)arg;
}

static void
line_stop(void *arg, bool stopped)
{
	struct line *line = arg;

	line->stopped = stopped;
}

static void
line_send_now(void *arg, uint8_t byte)
{
	struct line *line = arg;

	line->now = byte;
}

static const struct ldisc_ops ops = {
	.room = line_room,
	.out = line_out,
	.signal = line_signal,
	.discard = line_discard,
	.stop = line_stop,
	.send_now = line_send_now,
};

static int
setup(void **state)
{
	struct line *line = calloc(1, sizeof(*line));

	if (line == NULL)
		return -1;
	line->limit = OUT;
	ldisc_init(&line->l, &ops, line, &line->buf);
	*state = line;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static void
type_bytes(struct line *line, const char *s, size_t n)
{
	size_t part;

	while (n > 0) {
		part = MIN(n, ldisc_room(&line->l));
		assert_true(part > 0);
		ldisc_input(&line->l, (const uint8_t *)s, part);
		s += part;
		n -= part;
	}
}

static void
type(struct line *line, const char *s)
{
	type_bytes(line, s, strlen(s));
}

/* What has been sent since the last time. */
#define assert_sent(line, s) assert_bytes((line)->out, &(line)->n, s, __LINE__)
static void
assert_bytes(const uint8_t *bytes, size_t *n, const char *s, int where)
{
	if (*n != strlen(s) || memcmp(bytes, s, *n) != 0)
		fail_msg("line %d: sent \"%.*s\", expected \"%s\"", where,
		    (int)*n, bytes, s);
	*n = 0;
}

#define assert_reads(line, size, s) read_is(line, size, s, __LINE__)
static void
read_is(struct line *line, size_t size, const char *s, int where)
{
	uint8_t buf[LDISC_SIZE];
	bool more;
	size_t n;

	if (!ldisc_readable(&line->l, false))
		fail_msg("line %d: nothing to read", where);
	n = ldisc_read(&line->l, buf, size, &more);
	if (n == size)
		ldisc_skip_eof(&line->l);
	if (n != strlen(s) || memcmp(buf, s, n) != 0)
		fail_msg("line %d: read \"%.*s\", expected \"%s\"", where,
		    (int)n, buf, s);
}

static void
change(struct line *line, tcflag_t off, tcflag_t on)
{
	struct termios2 t = line->l.t;

	t.c_lflag = (t.c_lflag & ~off) | on;
	ldisc_set_termios(&line->l, &t);
}

static void
change_input(struct line *line, tcflag_t off, tcflag_t on)
{
	struct termios2 t = line->l.t;

	t.c_iflag = (t.c_iflag & ~off) | on;
	ldisc_set_termios(&line->l, &t);
}

static void
change_output(struct line *line, tcflag_t off, tcflag_t on)
{
	struct termios2 t = line->l.t;

	t.c_oflag = (t.c_oflag & ~off) | on;
	ldisc_set_termios(&line->l, &t);
}

static void
write_text(struct line *line, const char *s)
{
	assert_int_equal(ldisc_output(&line->l, (const uint8_t *)s, strlen(s)),
	    strlen(s));
}

/* --------------------------------------------------------------- cases -- */

static void
gives_lines(void **state)
{
	struct line *line = *state;

	type(line, "one");
	assert_false(ldisc_readable(&line->l, false));
	type(line, "\rtwo\nth");
	assert_sent(line, "one\r\ntwo\r\nth");
	assert_int_equal(ldisc_inq(&line->l), 8);
	assert_reads(line, 100, "one\n");
	assert_reads(line, 100, "two\n");
	assert_false(ldisc_readable(&line->l, false));
}

static void
gives_a_line_in_pieces(void **state)
{
	struct line *line = *state;
	uint8_t buf[4];
	bool more;

	type(line, "abcdef\n");
	assert_int_equal(ldisc_read(&line->l, buf, 4, &more), 4);
	assert_true(more);
	assert_int_equal(ldisc_read(&line->l, buf, 4, &more), 3);
	assert_false(more);
	assert_memory_equal(buf, "ef\n", 3);
}

static void
ends_at_eof(void **state)
{
	struct line *line = *state;

	type(line, "\004");
	assert_reads(line, 100, "");
	type(line, "half\004");
	assert_reads(line, 100, "half");
	assert_false(ldisc_readable(&line->l, false));
	type(line, "half\004");
	assert_reads(line, 4, "half"); /* and the end is used up */
	assert_false(ldisc_readable(&line->l, false));
	assert_sent(line, "halfhalf");
	type(line, "x\026\004\n");
	assert_reads(line, 100, "x\004\n");
}

static void
erases(void **state)
{
	struct line *line = *state;

	type(line, "\177ab\177c\n");
	assert_sent(line, "ab\b \bc\r\n");
	assert_reads(line, 100, "ac\n");
	type(line, "a\026\001\177b\n");
	assert_sent(line, "a^\b^A\b \b\b \bb\r\n");
	assert_reads(line, 100, "ab\n");
	type(line, "one two  \027x\n");
	assert_sent(line, "one two  \b \b\b \b\b \b\b \b\b \bx\r\n");
	assert_reads(line, 100, "one x\n");
	type(line, "abc\025de\n");
	assert_sent(line, "abc\b \b\b \b\b \bde\r\n");
	assert_reads(line, 100, "de\n");
}

static void
erases_characters_of_many_bytes(void **state)
{
	struct line *line = *state;

	type(line, "a\303\251\342\202\254");
	type(line, "\177\177b\n");
	assert_sent(line, "a\303\251\342\202\254\b \b\b \bb\r\n");
	assert_reads(line, 100, "ab\n");
	change_input(line, IUTF8, 0);
	type(line, "\303\251\177\n");
	assert_sent(line, "\303\251\b \b\r\n");
	assert_reads(line, 100, "\303\n");
}

static void
erases_tabs_to_where_they_began(void **state)
{
	struct line *line = *state;

	write_text(line, "$ ");
	type(line, "ab\t\177\n");
	assert_sent(line, "$ ab\t\b\b\b\b\r\n");
	assert_reads(line, 100, "ab\n");
	type(line, "\tx\t\177\177\177\n");
	assert_sent(line, "\tx\t\b\b\b\b\b\b\b\b \b\b\b\b\b\b\b\b\b\r\n");
}

static void
kills_in_other_ways(void **state)
{
	struct line *line = *state;

	change(line, ECHOKE, 0);
	type(line, "abc\025d\n");
	assert_sent(line, "abc^U\r\nd\r\n");
	assert_reads(line, 100, "d\n");
	change(line, ECHOE | ECHOK, 0);
	type(line, "abc\025\177d\177\n");
	assert_sent(line, "abc^Ud^?\r\n");
	change(line, ECHO, 0);
	type(line, "secret\025word\n");
	assert_sent(line, "");
	change(line, 0, ECHONL);
	type(line, "x\n");
	assert_sent(line, "\r\n");
}

static void
prints_what_it_erases(void **state)
{
	struct line *line = *state;

	change(line, 0, ECHOPRT);
	type(line, "abc\177\177d\n");
	assert_sent(line, "abc\\cb/d\r\n");
	assert_reads(line, 100, "ad\n");
}

static void
quotes_and_reprints(void **state)
{
	struct line *line = *state;

	type(line, "a\026\003\026\177b\022c\n");
	assert_sent(line, "a^\b^C^\b^?b^R\r\na^C^?bc\r\n");
	assert_reads(line, 100, "a\003\177bc\n");
	assert_int_equal(line->nsignals, 0);
}

static void
sends_signals(void **state)
{
	struct line *line = *state;

	type(line, "lost");
	type(line, "\003");
	assert_int_equal(line->signo, SIGINT);
	assert_sent(line, "lost^C");
	type(line, "at once\003");
	assert_sent(line, "^C");
	type(line, "kept\n");
	assert_reads(line, 100, "kept\n");
	type(line, "\034");
	assert_int_equal(line->signo, SIGQUIT);
	type(line, "\032");
	assert_int_equal(line->signo, SIGTSTP);
	change(line, 0, NOFLSH);
	type(line, "a\003b\n");
	assert_reads(line, 100, "ab\n");
	change(line, ISIG, 0);
	type(line, "\003\n");
	assert_reads(line, 100, "\003\n");
	assert_int_equal(line->nsignals, 5);
}

static void
stops_and_starts(void **state)
{
	struct line *line = *state;

	type(line, "\023abc");
	assert_sent(line, "");
	assert_int_equal(ldisc_output(&line->l, (const uint8_t *)"x", 1), 0);
	type(line, "\021");
	assert_sent(line, "abc");
	change_input(line, 0, IXANY);
	type(line, "\023x");
	assert_sent(line, "x");
	type(line, "\023");
	change_input(line, IXON, 0);
	assert_false(line->stopped);
	type(line, "\023\n");
	assert_sent(line, "^S\r\n");
}

static void
passes_bytes(void **state)
{
	struct line *line = *state;

	type(line, "early\nlate");
	line->n = 0;
	change(line, ICANON | ECHO | ISIG | IEXTEN, 0);
	change_input(line, ICRNL | IXON, 0);
	assert_reads(line, 100, "early\nlate");
	type_bytes(line, "\003\004\r\0\377\177", 6);
	assert_sent(line, "");
	assert_int_equal(ldisc_inq(&line->l), 6);
	type(line, "rest");
	change(line, 0, ICANON);
	assert_true(ldisc_readable(&line->l, false));
}

static void
polls_for_vmin(void **state)
{
	struct line *line = *state;
	struct termios2 t = line->l.t;

	t.c_lflag = 0;
	t.c_cc[VMIN] = 3;
	ldisc_set_termios(&line->l, &t);
	type(line, "ab");
	assert_true(ldisc_readable(&line->l, false));
	assert_false(ldisc_readable(&line->l, true));
	type(line, "c");
	assert_true(ldisc_readable(&line->l, true));
}

static void
changes_input(void **state)
{
	struct line *line = *state;

	change(line, ECHO, 0);
	change_input(line, ICRNL, INLCR);
	type(line, "a\nb\004");
	assert_reads(line, 100, "a\rb");
	change_input(line, INLCR, IGNCR);
	type(line, "a\rb\n");
	assert_reads(line, 100, "ab\n");
	change_input(line, 0, ISTRIP);
	type(line, "\341\n");
	assert_reads(line, 100, "a\n");
	change_input(line, ISTRIP, IUCLC);
	type(line, "ABC\n");
	assert_reads(line, 100, "abc\n");
	change_input(line, IUCLC, PARMRK);
	type(line, "\377\n");
	assert_reads(line, 100, "\377\377\n");
}

static void
changes_output(void **state)
{
	struct line *line = *state;

	write_text(line, "a\tb\nc\r\n");
	assert_sent(line, "a\tb\r\nc\r\r\n");
	change_output(line, 0, XTABS);
	write_text(line, "\tab\tc\bx\303\251\t|\n");
	assert_sent(line, "        ab      c\bx\303\251      |\r\n");
	change_output(line, ONLCR, ONOCR | OCRNL);
	write_text(line, "\ra\rb");
	assert_sent(line, "a\nb");
	change_output(line, OCRNL | ONOCR, OLCUC);
	write_text(line, "\rabc\n");
	assert_sent(line, "\rABC\n");
	change_output(line, OPOST, 0);
	write_text(line, "a\tb\n");
	assert_sent(line, "a\tb\n");
}

static void
waits_for_room(void **state)
{
	struct line *line = *state;

	line->limit = 5;
	assert_int_equal(ldisc_output(&line->l, (const uint8_t *)"abcd\nef", 7),
	    4);
	assert_sent(line, "abcd");
	line->limit = 3;
	type(line, "wxyz\n");
	assert_sent(line, "wxy");
	ldisc_echo(&line->l);
	assert_sent(line, "z\r\n");
}

static void
keeps_a_long_line_to_its_bound(void **state)
{
	struct line *line = *state;
	uint8_t buf[LDISC_SIZE + 1];
	bool more;
	int i;

	change(line, ECHO, 0);
	for (i = 0; i < 3 * LDISC_SIZE; i++)
		type(line, "x");
	assert_false(ldisc_readable(&line->l, false));
	type(line, "\n");
	assert_int_equal(ldisc_room(&line->l), 0);
	assert_int_equal(ldisc_read(&line->l, buf, sizeof(buf), &more),
	    LDISC_SIZE);
	assert_int_equal(buf[LDISC_SIZE - 1], '\n');
	assert_int_equal(ldisc_room(&line->l), LDISC_SIZE - 1);
}

static void
holds_the_other_side_back(void **state)
{
	struct line *line = *state;
	uint8_t buf[LDISC_SIZE];
	bool more;

	change(line, ICANON | ECHO, 0);
	change_input(line, 0, IXOFF);
	while (ldisc_room(&line->l) > 0)
		type(line, "x");
	assert_int_equal(line->now, 'S' - '@');
	ldisc_read(&line->l, buf, sizeof(buf), &more);
	ldisc_unthrottle(&line->l);
	assert_int_equal(line->now, 'Q' - '@');
}

/* ------------------------------------------------ the host's terminals -- */

#define ROUNDS 400
#define KEYS   60

struct host {
	int master, slave;
	uint8_t keys[KEYS];
	int nkeys;
};

static unsigned
some(unsigned n)
{
	return (unsigned)random() % n;
}

/* Settings of which each flag may be on or off. */
static void
random_termios(struct termios2 *t)
{
	static const tcflag_t in[] = { ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, IXON,
		IXANY, IUTF8, PARMRK };
	static const tcflag_t out[] = { OPOST, OLCUC, ONLCR, OCRNL, ONOCR,
		ONLRET, XTABS };
	static const tcflag_t local[] = { ISIG, ICANON, ECHO, ECHOE, ECHOK,
		ECHONL, NOFLSH, ECHOCTL, ECHOPRT, ECHOKE, IEXTEN };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(in); i++)
		if (some(6) == 0)
			t->c_iflag ^= in[i];
	for (i = 0; i < ARRAY_SIZE(out); i++)
		if (some(6) == 0)
			t->c_oflag ^= out[i];
	for (i = 0; i < ARRAY_SIZE(local); i++)
		if (some(8) == 0)
			t->c_lflag ^= local[i];
	if (some(4) == 0)
		t->c_cc[VEOL] = 'e';
	if (some(8) == 0)
		t->c_cc[VEOL2] = 'f';
}

/* Everything that the host's terminal sends now. */
static size_t
host_output(struct host *h, uint8_t *to, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while (n < size && (got = read(h->master, to + n, size - n)) > 0)
		n += got;
	return n;
}

static void
compare_output(struct line *line, struct host *h, const char *what, unsigned c)
{
	uint8_t out[4096];
	size_t n = host_output(h, out, sizeof(out));

	if (n != line->n || memcmp(out, line->out, n) != 0) {
		print_error("%s %02x: the host sent", what, c);
		for (size_t i = 0; i < n; i++)
			print_error(" %02x", out[i]);
		print_error(", we");
		for (size_t i = 0; i < line->n; i++)
			print_error(" %02x", line->out[i]);
		print_error("\nkeys");
		for (int i = 0; i < h->nkeys; i++)
			print_error(" %02x", h->keys[i]);
		print_error("\niflag %x oflag %x lflag %x column %u\n",
		    line->l.t.c_iflag, line->l.t.c_oflag, line->l.t.c_lflag,
		    line->l.column);
		fail();
	}
	line->n = 0;
}

static void
compare_reads(struct line *line, struct host *h)
{
	uint8_t theirs[64], ours[64];
	size_t size = 1 + some(sizeof(ours));
	ssize_t n;
	bool more;

	for (;;) {
		n = read(h->slave, theirs, size);
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_false(ldisc_readable(&line->l, false));
			return;
		}
		assert_true(ldisc_readable(&line->l, false));
		assert_int_equal(ldisc_read(&line->l, ours, size, &more), n);
		if ((size_t)n == size)
			ldisc_skip_eof(&line->l);
		assert_memory_equal(ours, theirs, n);
	}
}

static uint8_t
random_key(void)
{
	static const uint8_t keys[] = "\177\177\177\025\027\004\t\t\n\r\026"
				      "\022\003\032\021\023ab _\010\377\303"
				      "\251\342\202\254ef\001\0";

	return some(4) == 0 ? some(256) : keys[some(sizeof(keys) - 1)];
}

static void
play_round(struct line *line, struct host *h)
{
	struct termios2 t = line->l.t;
	uint8_t c;
	int i;

	random_termios(&t);
	assert_int_equal(ioctl(h->slave, TCSETS2, &t), 0);
	ldisc_set_termios(&line->l, &t);
	compare_output(line, h, "settings", 0);
	for (i = 0; i < KEYS; i++) {
		h->keys[h->nkeys++] = c = random_key();
		if (some(5) == 0 && !line->stopped) {
			assert_int_equal(write(h->slave, &c, 1), 1);
			assert_int_equal(ldisc_output(&line->l, &c, 1), 1);
			compare_output(line, h, "writing", c);
			continue;
		}
		assert_int_equal(write(h->master, &c, 1), 1);
		ldisc_input(&line->l, &c, 1);
		/* Reading to the end makes the host handle the key. */
		compare_reads(line, h);
		compare_output(line, h, "typing", c);
	}
}

static void
equals_the_hosts_terminals(void **state)
{
	struct termios2 t;
	struct host h;
	void *fresh;
	int i;

	(void)state;
	srandom(1);
	for (i = 0; i < ROUNDS; i++) {
		h.nkeys = 0;
		h.master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (h.master < 0 || grantpt(h.master) != 0 ||
		    unlockpt(h.master) != 0)
			skip();
		h.slave = open(ptsname(h.master),
		    O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (h.slave < 0)
			skip();
		assert_int_equal(setup(&fresh), 0);
		t = ((struct line *)fresh)->l.t;
		ioctl(h.slave, TCSETS2, &t);
		play_round(fresh, &h);
		teardown(&fresh);
		close(h.slave);
		close(h.master);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(gives_lines),
		CASE(gives_a_line_in_pieces),
		CASE(ends_at_eof),
		CASE(erases),
		CASE(erases_characters_of_many_bytes),
		CASE(erases_tabs_to_where_they_began),
		CASE(kills_in_other_ways),
		CASE(prints_what_it_erases),
		CASE(quotes_and_reprints),
		CASE(sends_signals),
		CASE(stops_and_starts),
		CASE(passes_bytes),
		CASE(polls_for_vmin),
		CASE(changes_input),
		CASE(changes_output),
		CASE(waits_for_room),
		CASE(keeps_a_long_line_to_its_bound),
		CASE(holds_the_other_side_back),
		cmocka_unit_test(equals_the_hosts_terminals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
