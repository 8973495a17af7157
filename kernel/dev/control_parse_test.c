/* SPDX-License-Identifier: ISC */
/* unit: kernel/dev/control_parse.c */
/* control_parse_test.c - the host's lines, sensible and otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dev/control_parse.h"

static enum control_kind
feed(struct control_parser *p, const char *s, struct control_message *m)
{
	enum control_kind kind = CONTROL_NONE;

	for (; *s != '\0'; s++) {
		assert_int_equal(kind, CONTROL_NONE);
		kind = control_feed(p, (uint8_t)*s, m);
	}
	return kind;
}

static enum control_kind
line(const char *s, struct control_message *m)
{
	struct control_parser p = { 0 };

	return feed(&p, s, m);
}

static void
reads_known_lines(void **state)
{
	struct control_message m;

	(void)state;
	assert_int_equal(line("winsize 24 80\n", &m), CONTROL_WINSIZE);
	assert_int_equal(m.rows, 24);
	assert_int_equal(m.cols, 80);
	assert_int_equal(line("winsize 0 65535\n", &m), CONTROL_WINSIZE);
	assert_int_equal(m.cols, 65535);
	assert_int_equal(line("eof 18446744073709551615\n", &m), CONTROL_EOF);
	assert_true(m.total == UINT64_MAX);
	assert_int_equal(line("eof 0\n", &m), CONTROL_EOF);
	assert_true(m.total == 0);
	assert_int_equal(line("signal 64\n", &m), CONTROL_SIGNAL);
	assert_int_equal(m.signo, 64);
}

static void
refuses_nonsense(void **state)
{
	static const char *const bad[] = { "winsize\n", "winsize 24\n",
		"winsize 24 80 \n", "winsize 24  80\n", "winsize 65536 80\n",
		"winsize -1 80\n", "winsize24 80\n", "winsize 24 80\r\n",
		"eof\n", "eof x\n", "eof 18446744073709551616\n",
		"eof 99999999999999999999999\n", "signal 0\n", "signal 65\n",
		"signal 9x\n", "sig 9\n", " \n", "\001\377\n" };
	struct control_message m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(line(bad[i], &m), CONTROL_BAD);
	assert_int_equal(line("\n", &m), CONTROL_NONE);
}

static void
recovers_after_a_long_line(void **state)
{
	struct control_parser p = { 0 };
	struct control_message m;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++)
		assert_int_equal(control_feed(&p, 'e', &m), CONTROL_NONE);
	assert_int_equal(control_feed(&p, '\n', &m), CONTROL_BAD);
	assert_int_equal(control_feed(&p, '\0', &m), CONTROL_NONE);
	assert_int_equal(feed(&p, "eof 3\n", &m), CONTROL_BAD);
	assert_int_equal(feed(&p, "eof 3\n", &m), CONTROL_EOF);
	assert_true(m.total == 3);
}

static void
takes_lines_up_to_the_bound(void **state)
{
	struct control_parser p = { 0 };
	struct control_message m;
	char s[CONTROL_LINE + 2];

	(void)state;
	memset(s, '0', sizeof(s));
	memcpy(s, "eof ", 4);
	strcpy(s + CONTROL_LINE - 2, "7\n");
	assert_int_equal(feed(&p, s, &m), CONTROL_EOF);
	assert_true(m.total == 7);
	memcpy(s + CONTROL_LINE - 2, "07", 2);
	strcpy(s + CONTROL_LINE, "\n");
	assert_int_equal(feed(&p, s, &m), CONTROL_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_known_lines),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(recovers_after_a_long_line),
		cmocka_unit_test(takes_lines_up_to_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
