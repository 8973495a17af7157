/* SPDX-License-Identifier: ISC */
/* p9_wire_test.c - messages to bytes and back, whole and cut off. */
/* unit: kernel/fs/p9_wire.c */
#include "fs/p9_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t buf[512];

static struct p9_wire
wire(size_t n)
{
	return (struct p9_wire){ buf, buf + n, false };
}

static void
numbers_and_strings(void **state)
{
	static const uint8_t wanted[] = { 0x12, 0x34, 0x12, 4, 3, 2, 1, 8, 7, 6,
		5, 4, 3, 2, 1, 2, 0, 'a', 0xff };
	struct p9_wire w = wire(sizeof(buf));
	struct p9_str s;
	uint64_t q;
	uint32_t d;
	uint16_t v;
	uint8_t b;

	(void)state;
	p9_put(&w, "bwdqs", 0x12, 0x1234, 0x01020304u,
	    (uint64_t)0x0102030405060708, "a\xff");
	assert_false(w.bad);
	assert_int_equal(w.at - buf, sizeof(wanted));
	assert_memory_equal(buf, wanted, sizeof(wanted));
	w = wire(sizeof(wanted));
	assert_true(p9_get(&w, "bwdqs", &b, &v, &d, &q, &s));
	assert_int_equal(b, 0x12);
	assert_int_equal(v, 0x1234);
	assert_int_equal(d, 0x01020304);
	assert_true(q == 0x0102030405060708);
	assert_int_equal(s.len, 2);
	assert_memory_equal(s.s, "a\xff", 2);
	assert_ptr_equal(w.at, w.end);
}

static void
no_room(void **state)
{
	char big[65537];
	struct p9_wire w;
	size_t n;

	(void)state;
	for (n = 0; n < 8; n++) {
		w = wire(n);
		p9_put(&w, "dbs", 1, 2, "x");
		assert_true(w.bad);
		assert_true(w.at <= w.end);
	}
	memset(big, 'x', 65536);
	big[65536] = '\0';
	w = wire(sizeof(buf));
	p9_put(&w, "s", big);
	assert_true(w.bad);
}

static void
cut_off(void **state)
{
	struct p9_wire w = wire(sizeof(buf));
	struct p9_str s;
	uint32_t d;
	size_t n, len;

	(void)state;
	p9_put(&w, "ds", 7, "name");
	len = w.at - buf;
	for (n = 0; n < len; n++) {
		w = wire(n);
		assert_false(p9_get(&w, "ds", &d, &s));
		assert_int_equal(d, n < 4 ? 0 : 7);
		assert_int_equal(s.len, 0);
	}
}

static size_t
put_attr(uint64_t sec, uint64_t ns)
{
	struct p9_wire w = wire(sizeof(buf));

	p9_put(&w, "qbdqdddqqqqqqqqqqqqqqq", (uint64_t)0x7ff, P9_QTDIR, 5,
	    (uint64_t)77, 040755, 1, 2, (uint64_t)3, (uint64_t)4, (uint64_t)5,
	    (uint64_t)4096, (uint64_t)8, sec, ns, (uint64_t)-1, (uint64_t)1,
	    (uint64_t)1000, (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0,
	    (uint64_t)0);
	assert_false(w.bad);
	return w.at - buf;
}

static void
attributes(void **state)
{
	size_t len = put_attr(2, 500), n;
	struct p9_wire w = wire(len);
	struct p9_attr a;

	(void)state;
	assert_int_equal(len, 153);
	assert_true(p9_get_attr(&w, &a));
	assert_int_equal(a.qid.type, P9_QTDIR);
	assert_int_equal(a.qid.version, 5);
	assert_int_equal(a.qid.path, 77);
	assert_int_equal(a.mode, 040755);
	assert_int_equal(a.gid, 2);
	assert_int_equal(a.size, 5);
	assert_true(a.atime_ns == 2000000500);
	assert_true(a.mtime_ns == -999999999);
	for (n = 0; n < 117; n++) {
		w = wire(n);
		assert_false(p9_get_attr(&w, &a));
	}
}

static void
impossible_times(void **state)
{
	struct p9_wire w = wire(put_attr(INT64_MAX, 1));
	struct p9_attr a;

	(void)state;
	assert_true(p9_get_attr(&w, &a));
	assert_true(a.atime_ns == INT64_MAX);
	w = wire(put_attr((uint64_t)INT64_MIN, 1));
	assert_true(p9_get_attr(&w, &a));
	assert_true(a.atime_ns == INT64_MIN);
	w = wire(put_attr(1, UINT64_MAX));
	assert_true(p9_get_attr(&w, &a));
	assert_true(a.atime_ns == 1000000000);
}

static void
entries(void **state)
{
	static const char *const bad[] = { "", "a/b", "/" };
	struct p9_wire w = wire(sizeof(buf));
	struct p9_entry e;
	unsigned i;
	size_t len;

	(void)state;
	p9_put(&w, "bdqqbsbdqqbs", 0, 1, (uint64_t)9, (uint64_t)10, 8, "one", 0,
	    1, (uint64_t)11, (uint64_t)12, 4, "..");
	len = w.at - buf;
	w = wire(len);
	assert_true(p9_get_entry(&w, &e));
	assert_int_equal(e.qid.path, 9);
	assert_int_equal(e.next, 10);
	assert_int_equal(e.type, 8);
	assert_int_equal(e.name.len, 3);
	assert_true(p9_get_entry(&w, &e));
	assert_memory_equal(e.name.s, "..", 2);
	assert_false(p9_get_entry(&w, &e));
	assert_false(w.bad);
	w = wire(len - 1);
	assert_true(p9_get_entry(&w, &e));
	assert_false(p9_get_entry(&w, &e));
	assert_true(w.bad);
	for (i = 0; i < 3; i++) {
		w = wire(sizeof(buf));
		p9_put(&w, "bdqqbs", 0, 1, (uint64_t)9, (uint64_t)1, 8, bad[i]);
		w = wire(w.at - buf);
		assert_false(p9_get_entry(&w, &e));
		assert_true(w.bad);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_strings),
		cmocka_unit_test(no_room),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(attributes),
		cmocka_unit_test(impossible_times),
		cmocka_unit_test(entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
