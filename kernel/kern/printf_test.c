/* SPDX-License-Identifier: ISC */
/*
 * printf_test.c - formatted text, beside the C library's, in buffers of every
 * size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The kernel's own go by other names here. */
#define vsnprintf kernel_vsnprintf
#define snprintf  kernel_snprintf
#define scnprintf kernel_scnprintf
#include "kern/printf.c"
#undef vsnprintf
#undef snprintf

#define ROOM 80

/* The same text, length and end; nothing is written behind it. */
#define SAME(...)                                                  \
	do {                                                       \
		char ours[ROOM + 1], theirs[ROOM];                 \
		size_t n;                                          \
		for (n = 0; n <= ROOM; n++) {                      \
			memset(ours, '~', sizeof(ours));           \
			assert_int_equal(kernel_snprintf(ours, n,  \
					     __VA_ARGS__),         \
			    snprintf(theirs, n, __VA_ARGS__));     \
			if (n > 0)                                 \
				assert_string_equal(ours, theirs); \
			assert_int_equal(ours[n], '~');            \
		}                                                  \
	} while (0)

static void
as_the_library_does(void **state)
{
	(void)state;
	SAME("%s", "");
	SAME("plain text, no more");
	SAME("%s at %s: %u%%, %c.", "nvme0n1", "nvme0", 17u, 'x');
	SAME("[%8s|%-8s|%.2s|%*s]", "ab", "cd", "efg", -6, "h");
	SAME("%d %d %5d %-5d| %05d %+d % d", 0, -1, 42, 42, -42, 7, 7);
	SAME("%x %X %#x %#o %08x %.3d", 0xbeefu, 0xbeefu, 255u, 8u, 0x1fu, 5);
	SAME("%lu %ld %llx %zu %hhu %hd", UINT64_MAX, INT64_MIN, 1ull << 40,
	    (size_t)9, (unsigned char)200, (short)-3);
}

static void
what_was_stored(void **state)
{
	const char *volatile none = NULL;
	char buf[8];

	(void)state;
	assert_int_equal(kernel_scnprintf(buf, sizeof(buf), "%s", "twelve is"),
	    7);
	assert_string_equal(buf, "twelve ");
	assert_int_equal(kernel_scnprintf(buf, sizeof(buf), "%d", 5), 1);
	assert_int_equal(kernel_scnprintf(buf, 0, "%d", 5), 0);
	assert_int_equal(kernel_snprintf(buf, sizeof(buf), "%s", none), 6);
	assert_string_equal(buf, "(null)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_library_does),
		cmocka_unit_test(what_was_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
