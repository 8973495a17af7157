/* SPDX-License-Identifier: ISC */
/* control_test.c - what the machine reports, well and badly spelt. */
/* unit: cli/control.c cli/terminal.c cli/trouble.c */
#include "cli/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cli/terminal.h"
#include "cli/trouble.h"

static int
status_after(const char *text)
{
	struct control c = { 0 };

	for (const char *p = text; *p != '\0'; p++)
		control_input(&c, p, 1);
	return outcome_status(&c.outcome);
}

static void
reads_every_line(void **state)
{
	struct control c = { 0 };

	(void)state;
	assert_int_equal(status_after("exit 0\n"), 0);
	assert_int_equal(status_after("ready\nexit 255\n"), 255);
	assert_int_equal(status_after("signal 11\n"), 139);
	assert_int_equal(status_after("poweroff\n"), 0);
	assert_int_equal(status_after("halt\r\n"), 0);
	assert_int_equal(status_after("restart\n"), STATUS_RESTART);
	assert_int_equal(status_after("panic it broke\n"), STATUS_PANIC);
	control_input(&c, "ready\npanic why\nexit 0\n", 23);
	assert_true(c.ready);
	assert_int_equal(c.outcome.kind, OUTCOME_PANIC);
	assert_string_equal(c.outcome.text, "why");
}

static void
passes_over_nonsense(void **state)
{
	char longest[1000];

	(void)state;
	assert_int_equal(status_after(""), STATUS_MACHINE);
	assert_int_equal(status_after("exit 7"), STATUS_MACHINE);
	assert_int_equal(status_after("exit 256\n"), STATUS_MACHINE);
	assert_int_equal(status_after("exit -1\n"), STATUS_MACHINE);
	assert_int_equal(status_after("exit \n"), STATUS_MACHINE);
	assert_int_equal(status_after("exit 99999999999\n"), STATUS_MACHINE);
	assert_int_equal(status_after("exit 1 \n"), STATUS_MACHINE);
	assert_int_equal(status_after("signal 0\n"), STATUS_MACHINE);
	assert_int_equal(status_after("signal 65\n"), STATUS_MACHINE);
	assert_int_equal(status_after("\n\nEXIT 3\nexit 4\n"), 4);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest + 900, "\nexit 5\n", 8);
	assert_int_equal(status_after(longest), 5);
	memcpy(longest, "exit 6xx", 8);
	memcpy(longest + 900, "\nx", 2);
	assert_int_equal(status_after(longest), STATUS_MACHINE);
}

static bool
keys(struct terminal_keys *k, const char *in, const char *out)
{
	char buf[64];
	size_t n = strlen(in);
	bool end;

	memcpy(buf, in, n);
	end = terminal_keys_filter(k, buf, &n);
	assert_int_equal(n, strlen(out));
	assert_memory_equal(buf, out, n);
	return end;
}

static void
filters_keys(void **state)
{
	struct terminal_keys k = { 0 };

	(void)state;
	assert_false(keys(&k, "abc", "abc"));
	assert_false(keys(&k, "a\1\1b", "a\1b"));
	assert_false(keys(&k, "\1", ""));
	assert_false(keys(&k, "e", "\1e"));
	assert_false(keys(&k, "x\1e", "x\1e"));
	assert_true(keys(&k, "ab\1xcd", "ab"));
	k.prefix = false;
	assert_false(keys(&k, "\1", ""));
	assert_true(keys(&k, "x", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_line),
		cmocka_unit_test(passes_over_nonsense),
		cmocka_unit_test(filters_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
