/* SPDX-License-Identifier: ISC */
/* inet_report_test.c - what ICMP reports, of both families, and nonsense. */
/* unit: kernel/net/inet_report.c */
#include "net/inet_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define V4_LEN 56u /* 20 of IP, 8 of ICMP, 20 and 8 that are quoted */
#define V6_LEN 96u /* 40, 8, 40, 8 */

/* "Port unreachable" about UDP from 10.7.0.2:4660 to 10.7.0.1:22136. */
static void
make4(uint8_t p[V4_LEN])
{
	static const uint8_t outer[28] = { 0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0,
		0, 10, 7, 0, 1, 10, 7, 0, 2, 3, 3 };
	static const uint8_t inner[28] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64,
		17, 0, 0, 10, 7, 0, 2, 10, 7, 0, 1, 0x12, 0x34, 0x56, 0x78, 1,
		2, 3, 4 };

	memcpy(p, outer, 28);
	memcpy(p + 28, inner, 28);
}

static void
make6(uint8_t p[V6_LEN])
{
	memset(p, 0, V6_LEN);
	p[0] = p[48] = 0x60;
	p[5] = 56;
	p[6] = 58;
	p[40] = 1;
	p[41] = 4;
	p[54] = 17;
	memset(p + 56, 0xaa, 16);
	memset(p + 72, 0xbb, 16);
	memcpy(p + 88, "\x12\x34\x56\x78\1\2\3\4", 8);
}

/* From memory that ends where the packet does. */
static bool
parse(const uint8_t *p, unsigned len, unsigned icmp_at, struct inet_report *r)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	bool is;

	memcpy(copy, p, len);
	is = icmp_at == 0 ? inet_report_parse(copy, len, r) :
			    inet_report_parse6(copy, len, icmp_at, r);
	free(copy);
	return is;
}

static void
of_four(void **state)
{
	struct inet_report r;
	uint8_t p[V4_LEN];

	(void)state;
	make4(p);
	assert_true(parse(p, V4_LEN, 0, &r));
	assert_int_equal(r.error, ECONNREFUSED);
	assert_true(r.hard && !r.v6);
	assert_int_equal(r.type, 3);
	assert_int_equal(r.code, 3);
	assert_int_equal(r.protocol, 17);
	assert_int_equal(r.from[0], inet_addr("10.7.0.2"));
	assert_int_equal(r.to[0], inet_addr("10.7.0.1"));
	assert_int_equal(r.from_port, 0x1234);
	assert_int_equal(r.to_port, 0x5678);
	assert_int_equal(r.seq, 0x01020304);
	assert_int_equal(r.icmp_at, 20);
	assert_int_equal(r.quote_at, 28);
	assert_int_equal(r.upper_at, 48);
	assert_int_equal(r.end, 56);
}

static void
codes_of_four(void **state)
{
	static const struct {
		uint8_t type, code;
		int error;
		bool hard;
		uint32_t info;
	} rows[] = {
		{ 3, 0, ENETUNREACH, false, 0 },
		{ 3, 1, EHOSTUNREACH, false, 0 },
		{ 3, 2, ENOPROTOOPT, true, 0 },
		{ 3, 4, EMSGSIZE, false, 1234 },
		{ 3, 13, EHOSTUNREACH, true, 0 },
		{ 11, 0, EHOSTUNREACH, false, 0 },
		{ 12, 0, EPROTO, true, 9 },
	};
	struct inet_report r;
	uint8_t p[V4_LEN];
	unsigned i;

	(void)state;
	make4(p);
	memcpy(p + 24, "\x09\0\x04\xd2", 4); /* pointer 9, next MTU 1234 */
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p[20] = rows[i].type;
		p[21] = rows[i].code;
		assert_true(parse(p, V4_LEN, 0, &r));
		assert_int_equal(r.error, rows[i].error);
		assert_int_equal(r.hard, rows[i].hard);
		assert_int_equal(r.info, rows[i].info);
	}
	p[20] = 3;
	p[21] = 16;
	assert_false(parse(p, V4_LEN, 0, &r));
	p[20] = 11;
	p[21] = 1; /* of fragments */
	assert_false(parse(p, V4_LEN, 0, &r));
	p[20] = 4;
	p[21] = 0;
	assert_false(parse(p, V4_LEN, 0, &r));
	p[20] = 8;
	assert_false(parse(p, V4_LEN, 0, &r));
}

/* An echo request has no ports, but an identifier. */
static void
echoes(void **state)
{
	struct inet_report r;
	uint8_t p[V6_LEN];

	(void)state;
	make4(p);
	p[28 + 9] = 1;
	p[48] = 8;
	assert_true(parse(p, V4_LEN, 0, &r));
	assert_int_equal(r.from_port, 0x0102);
	assert_int_equal(r.to_port, 0);
	p[48] = 0; /* an answer is nobody's */
	assert_true(parse(p, V4_LEN, 0, &r));
	assert_int_equal(r.from_port, 0);
	make6(p);
	p[54] = 58;
	p[88] = 128;
	assert_true(parse(p, V6_LEN, 40, &r));
	assert_int_equal(r.from_port, 0x0102);
}

static void
short_or_wrong_of_four(void **state)
{
	struct inet_report r;
	uint8_t p[V4_LEN];
	unsigned i;

	(void)state;
	make4(p);
	for (i = 0; i < 52; i++)
		assert_false(parse(p, i, 0, &r));
	assert_true(parse(p, 52, 0, &r)); /* UDP's ports are there */
	p[37] = 6;
	assert_false(parse(p, 55, 0, &r)); /* TCP's number is not */
	make4(p);
	p[3] = 50; /* what IP says counts */
	assert_false(parse(p, V4_LEN, 0, &r));
	make4(p);
	p[6] = 0x20; /* more fragments follow */
	assert_false(parse(p, V4_LEN, 0, &r));
	make4(p);
	p[9] = 17;
	assert_false(parse(p, V4_LEN, 0, &r));
	make4(p);
	p[28] = 0x4f; /* a longer header than there are bytes */
	assert_false(parse(p, V4_LEN, 0, &r));
	make4(p);
	p[35] = 1; /* a later fragment is quoted */
	assert_false(parse(p, V4_LEN, 0, &r));
	make4(p);
	p[28] = 0x65;
	assert_false(parse(p, V4_LEN, 0, &r));
}

static void
of_six(void **state)
{
	struct inet_report r;
	uint8_t p[V6_LEN];

	(void)state;
	make6(p);
	assert_true(parse(p, V6_LEN, 40, &r));
	assert_int_equal(r.error, ECONNREFUSED);
	assert_true(r.hard && r.v6);
	assert_int_equal(r.from[3], 0xaaaaaaaa);
	assert_int_equal(r.to[3], 0xbbbbbbbb);
	assert_int_equal(r.from_port, 0x1234);
	assert_int_equal(r.to_port, 0x5678);
	assert_int_equal(r.upper_at, 88);
	p[40] = 2;
	p[46] = 5;
	assert_true(parse(p, V6_LEN, 40, &r));
	assert_int_equal(r.error, EMSGSIZE);
	assert_int_equal(r.info, 0x500);
	assert_false(r.hard);
	p[40] = 3;
	assert_true(parse(p, V6_LEN, 40, &r));
	assert_int_equal(r.error, EHOSTUNREACH);
	p[40] = 4;
	assert_true(parse(p, V6_LEN, 40, &r));
	assert_int_equal(r.error, EPROTO);
	p[40] = 129;
	assert_false(parse(p, V6_LEN, 40, &r));
}

/* Headers between, also in the packet that is quoted. */
static void
headers_of_six(void **state)
{
	uint8_t p[V6_LEN + 24] = { 0 };
	struct inet_report r;
	unsigned i;

	(void)state;
	make6(p);
	memmove(p + 112, p + 88, 8);
	memset(p + 88, 0, 24);
	p[5] = 80;
	p[54] = 0; /* hop by hop, destination of 16, */
	p[88] = 60;
	p[96] = 17;
	p[97] = 1;
	assert_true(parse(p, sizeof(p), 40, &r));
	assert_int_equal(r.protocol, 17);
	assert_int_equal(r.upper_at, 112);
	assert_int_equal(r.from_port, 0x1234);
	for (i = 0; i < 116; i++)
		assert_false(parse(p, i, 40, &r));
	p[97] = 40; /* longer than the packet */
	assert_false(parse(p, sizeof(p), 40, &r));
	p[97] = 0;
	p[96] = 44;
	p[104] = 17;
	assert_true(parse(p, sizeof(p), 40, &r));
	p[106] = 1; /* not the first fragment */
	assert_false(parse(p, sizeof(p), 40, &r));
	make6(p);
	p[48] = 0x40;
	assert_false(parse(p, V6_LEN, 40, &r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_four),
		cmocka_unit_test(codes_of_four),
		cmocka_unit_test(echoes),
		cmocka_unit_test(short_or_wrong_of_four),
		cmocka_unit_test(of_six),
		cmocka_unit_test(headers_of_six),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
