/* SPDX-License-Identifier: ISC */
/*
 * cmdline_test.c - boot arguments: quoting, who gets what, bad input.
 */
/* unit: kernel/kern/cmdline.c */
#include "kern/cmdline.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the callbacks saw: "what:string;" one after the other. */
static char seen[8192];

static void
see(const char *what, const char *string)
{
	size_t len = strlen(seen);

	snprintf(seen + len, sizeof(seen) - len, "%s:%s;", what,
	    string != NULL ? string : "(null)");
}

static int
see_quiet(void *ctx, const char *value)
{
	(void)ctx;
	see("quiet", value);
	return 0;
}

static int
see_init(void *ctx, const char *value)
{
	(void)ctx;
	see("init", value);
	return 0;
}

static int
see_log_level(void *ctx, const char *value)
{
	(void)ctx;
	if (value[0] < '0' || value[0] > '9')
		return -EINVAL;
	see("log", value);
	return 0;
}

static int
see_word(void *ctx, const char *word)
{
	(void)ctx;
	see("word", word);
	return strcmp(word, "toomuch") == 0 ? -E2BIG : 0;
}

static int
see_env(void *ctx, const char *string, size_t name_len)
{
	(void)ctx;
	assert_int_equal(string[name_len], '=');
	see("env", string);
	return 0;
}

static void
see_ignored(void *ctx, const char *string)
{
	(void)ctx;
	see("ignored", string);
}

static void
see_bad(void *ctx, const char *string, int error)
{
	(void)ctx;
	see(error == -EINVAL ? "EINVAL" : "E2BIG", string);
}

static const struct cmdline_known known[] = {
	{ "quiet", see_quiet, false },
	{ "init", see_init, true },
	{ "log_level", see_log_level, true },
	{ "remora.exit", see_init, true },
};

static const struct cmdline_sink sink = {
	.word = see_word,
	.env = see_env,
	.ignored = see_ignored,
	.bad = see_bad,
};

/* The store is exactly as large as promised, so that ASan sees any excess. */
static void
expect(const char *line, const char *want)
{
	char *store = malloc(strlen(line) + 1);
	char *copy = strdup(line);

	seen[0] = '\0';
	cmdline_parse(copy, store, known, ARRAY_SIZE(known), &sink, NULL);
	assert_string_equal(seen, want);
	free(copy);
	free(store);
}

static void
known_and_unknown(void **state)
{
	(void)state;
	expect("", "");
	expect("   \t\n ", "");
	expect("quiet init=/bin/sh ro single",
	    "quiet:(null);init:/bin/sh;word:ro;word:single;");
	expect("HOME=/x TERM= a=b=c", "env:HOME=/x;env:TERM=;env:a=b=c;");
	expect("nvme.poll=1 usbcore.x",
	    "ignored:nvme.poll=1;ignored:usbcore.x;");
	expect("remora.exit=0x501", "init:0x501;");
	expect("quietly quie", "word:quietly;word:quie;");
}

static void
dash_is_underscore(void **state)
{
	(void)state;
	expect("log-level=4 log_level=5", "log:4;log:5;");
	expect("log-level=a-b", "EINVAL:log-level=a-b;");
}

static void
needs_value(void **state)
{
	(void)state;
	expect("init", "word:init;");
	expect("init=", "init:;");
	expect("quiet=1", "quiet:1;");
}

static void
last_one_wins_in_order(void **state)
{
	(void)state;
	expect("init=/a x init=/b", "init:/a;word:x;init:/b;");
}

static void
after_dashes(void **state)
{
	(void)state;
	expect("quiet -- quiet init=/x a.b=c -- \"d e\"",
	    "quiet:(null);word:quiet;word:init=/x;word:a.b=c;word:--;"
	    "word:d e;");
	expect("--", "");
	expect("-- --", "word:--;");
	expect("--x ---", "word:--x;word:---;");
	expect("--=1", "env:--=1;");
}

static void
quotes(void **state)
{
	(void)state;
	expect("a=\"b c\" d", "env:a=b c;word:d;");
	expect("\"a=b c\" d", "env:a=b c;word:d;");
	expect("\"a b\"", "word:a b;");
	expect("\"a=\"b c\"", "env:a=b;word:c\";");
	expect("a=b\" \"c", "env:a=b\" \"c;");
	expect("a=\"b\"c", "env:a=b\"c;");
	expect("\"never ends", "word:never ends;");
	expect("a=\"never ends", "env:a=never ends;");
	expect("\"", "word:;");
	expect("\"\"", "word:;");
	expect("a=\"", "env:a=;");
	expect("a=\"\"", "env:a=;");
	expect("a\" \"b=c", "env:a\" \"b=c;");
}

static void
odd_names(void **state)
{
	(void)state;
	expect("=x", "word:=x;");
	expect("=x=y", "env:=x=y;");
	expect("=", "word:=;");
	expect("\x80\xff=1", "env:\x80\xff=1;");
}

static void
refusals_are_told(void **state)
{
	(void)state;
	expect("log_level=x toomuch next",
	    "EINVAL:log_level=x;word:toomuch;E2BIG:toomuch;word:next;");
}

static void
no_sink_is_no_fault(void **state)
{
	static const struct cmdline_sink none;
	char store[64];

	(void)state;
	seen[0] = '\0';
	cmdline_parse("a b=c d.e log_level=x quiet -- f", store, known,
	    ARRAY_SIZE(known), &none, NULL);
	assert_string_equal(seen, "quiet:(null);");
}

static void
repeated_values(void **state)
{
	const char *line = "x virtio_mmio.device=4K@1:5 virtio-mmio.device=a"
			   " virtio_mmio.device virtio_mmio.device=waytoolong"
			   " virtio_mmio.device=b -- virtio_mmio.device=c";
	char value[8];

	(void)state;
	assert_int_equal(cmdline_next_value(&line, "virtio_mmio.device", value,
			     sizeof(value)),
	    6);
	assert_string_equal(value, "4K@1:5");
	assert_int_equal(cmdline_next_value(&line, "virtio_mmio.device", value,
			     sizeof(value)),
	    1);
	assert_string_equal(value, "a");
	assert_int_equal(cmdline_next_value(&line, "virtio_mmio.device", value,
			     sizeof(value)),
	    -E2BIG);
	assert_int_equal(cmdline_next_value(&line, "virtio_mmio.device", value,
			     sizeof(value)),
	    1);
	assert_string_equal(value, "b");
	assert_int_equal(cmdline_next_value(&line, "virtio_mmio.device", value,
			     sizeof(value)),
	    -ENOENT);
	assert_int_equal(cmdline_next_value(&line, "virtio_mmio.device", value,
			     sizeof(value)),
	    -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_and_unknown),
		cmocka_unit_test(dash_is_underscore),
		cmocka_unit_test(needs_value),
		cmocka_unit_test(last_one_wins_in_order),
		cmocka_unit_test(after_dashes),
		cmocka_unit_test(quotes),
		cmocka_unit_test(odd_names),
		cmocka_unit_test(refusals_are_told),
		cmocka_unit_test(no_sink_is_no_fault),
		cmocka_unit_test(repeated_values),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
