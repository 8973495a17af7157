/* SPDX-License-Identifier: ISC */
/*
 * uio_test.c - transfers over several buffers, and ones that fault half-way.
 * A program's memory is played by a window of an array.
 */
/* unit: kernel/fs/uio.c */
#include "fs/uio.h"
#include "kern/uaccess.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define USER_BASE 0x1000u
static char user[64]; /* what lies beyond faults */

static size_t
user_reach(uaddr_t at, size_t len)
{
	if (at < USER_BASE || at > USER_BASE + sizeof(user))
		return 0;
	return MIN(len, USER_BASE + sizeof(user) - at);
}

size_t
copyout_partial(uaddr_t dst, const void *src, size_t len)
{
	size_t n = user_reach(dst, len);

	memcpy(user + (dst - USER_BASE), src, n);
	return len - n;
}

size_t
copyin_partial(void *dst, uaddr_t src, size_t len)
{
	size_t n = user_reach(src, len);

	memcpy(dst, user + (src - USER_BASE), n);
	return len - n;
}

size_t
clearout_partial(uaddr_t dst, size_t len)
{
	size_t n = user_reach(dst, len);

	memset(user + (dst - USER_BASE), 0, n);
	return len - n;
}

static void
put_spreads_over_buffers(void **state)
{
	char a[4], b[4];
	struct uio_vec vec[] = {
		{ (uintptr_t)a, 3 },
		{ (uintptr_t)b, 0 },
		{ (uintptr_t)b, 4 },
	};
	struct uio u;

	(void)state;
	uio_init(&u, UIO_KERNEL, vec, 3);
	assert_int_equal(u.resid, 7);
	assert_int_equal(uio_put(&u, "hel", 2), 2);
	assert_int_equal(uio_put(&u, "llo, you", 8), 5);
	assert_int_equal(u.resid, 0);
	assert_memory_equal(a, "hel", 3);
	assert_memory_equal(b, "lo, ", 4);
	assert_int_equal(uio_put(&u, "x", 1), 0);
}

static void
get_gathers(void **state)
{
	struct uio_vec vec[] = {
		{ (uintptr_t) "ab", 2 },
		{ (uintptr_t) "cd", 2 },
	};
	struct uio u;
	char buf[8] = "";

	(void)state;
	uio_init(&u, UIO_KERNEL, vec, 2);
	uio_skip(&u, 1);
	assert_int_equal(uio_get(&u, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "bcd");
}

static void
a_fault_leaves_a_short_count(void **state)
{
	struct uio_vec vec;
	struct uio u;

	(void)state;
	uio_init_one(&u, UIO_USER, &vec, USER_BASE + 60, 10);
	assert_int_equal(uio_put(&u, "0123456789", 10), 4);
	assert_int_equal(u.resid, 6);
	assert_memory_equal(user + 60, "0123", 4);
	assert_int_equal(uio_put(&u, "456789", 6), 0);
}

static void
clear_writes_zeros(void **state)
{
	struct uio_vec vec;
	struct uio u;

	(void)state;
	memset(user, 'x', sizeof(user));
	uio_init_one(&u, UIO_USER, &vec, USER_BASE, 3);
	assert_int_equal(uio_clear(&u, 8), 3);
	assert_memory_equal(user, "\0\0\0x", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_spreads_over_buffers),
		cmocka_unit_test(get_gathers),
		cmocka_unit_test(a_fault_leaves_a_short_count),
		cmocka_unit_test(clear_writes_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
