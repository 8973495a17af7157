/* SPDX-License-Identifier: ISC */
/* foreign_test.c - Linux's console, in pieces of every size. */
/* unit: cli/foreign.c cli/control.c cli/trouble.c */
#include "cli/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cli/trouble.h"

static int
foreign_after(const char *text)
{
	struct foreign f = { 0 };

	foreign_input(&f, text, strlen(text));
	return outcome_status(&f.outcome);
}

static void
reads_linux(void **state)
{
	struct foreign f = { 0 };

	(void)state;
	assert_int_equal(
	    foreign_after(
		"hello\r\n[    0.5] Kernel panic - not "
		"syncing: Attempted to kill init! exitcode=0x00000700\r\n"),
	    7);
	assert_int_equal(foreign_after(
			     "[    0.5] Kernel panic - not syncing: "
			     "Attempted to kill init! exitcode=0x0000008b\n"),
	    139);
	assert_int_equal(foreign_after("[    0.5] Kernel panic - not syncing: "
				       "VFS: Unable to mount root fs\n"),
	    STATUS_PANIC);
	assert_int_equal(foreign_after("[    1.2] reboot: Power down\r\n"), 0);
	assert_int_equal(foreign_after("[    1.2] reboot: Restarting system\n"),
	    STATUS_RESTART);
	assert_int_equal(foreign_after("bye\n"), STATUS_MACHINE);
	foreign_input(&f, "[ 1.0] Run /bin/p as init process\r\n", 35);
	assert_true(f.ready);
}

/* Whatever the size of the pieces, the same comes out. */
static void
filters(const char *in, const char *wanted)
{
	size_t length = strlen(in);

	for (size_t piece = 1; piece <= length; piece++) {
		struct foreign f = { 0 };
		char buf[512 + FOREIGN_HELD], out[1024];
		size_t total = 0, n;

		for (size_t at = 0; at < length; at += n) {
			n = length - at < piece ? length - at : piece;
			memcpy(buf, in + at, n);
			size_t left = foreign_filter(&f, buf, n);

			memcpy(out + total, buf, left);
			total += left;
		}
		total += foreign_flush(&f, out + total);
		assert_int_equal(total, strlen(wanted));
		assert_memory_equal(out, wanted, total);
	}
}

static void
leaves_the_programs_bytes(void **state)
{
	(void)state;
	filters("one\r\ntwo\r\n", "one\ntwo\n");
	filters("dos\r\r\nmac\rend\r", "dos\r\nmac\rend\r");
	filters("no end[    1.92] Kernel panic - not syncing: x\r\ny",
	    "no end");
	filters("[[[ 1.5] reboot: Power down\r\n", "[[");
	filters("[1.5] reboo", "[1.5] reboo");
	filters("[1.5] Kernel parade\r\n", "[1.5] Kernel parade\n");
	filters("a[0]=[ 1]\r\n[", "a[0]=[ 1]\n[");
	filters("[11111111111111111111111111111111111111111111111111111",
	    "[11111111111111111111111111111111111111111111111111111");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_linux),
		cmocka_unit_test(leaves_the_programs_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
