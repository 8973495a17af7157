/* SPDX-License-Identifier: ISC */
/* http_test.c - answers whole, in pieces, broken, and lying. */
/* unit: guest/cloud/http.c guest/cloud/mem.c guest/cloud/say.c */
#include "guest/cloud/http.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What becomes of an answer, fed `step` bytes at a time, and then closed. */
static int
feed(const char *text, size_t n, size_t step, struct http_answer *a)
{
	int error = 0;

	http_init(a);
	for (size_t i = 0; i < n && error == 0; i += step)
		error = http_feed(a, text + i, n - i < step ? n - i : step);
	if (error == 0)
		error = http_end(a) == 0 ? 1 : -EBADMSG;
	return error;
}

struct answer {
	const char *text;
	int status; /* or, below 0, the error */
	const char *body;
};

static const struct answer answers[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello" },
	{ "HTTP/1.0 200\r\n\r\nuntil the end", 200, "until the end" },
	{ "HTTP/1.1 200 OK\nContent-Length:3\n\nabc", 200, "abc" },
	{ "HTTP/1.1 404 Not Found\r\ncontent-length: \t0 \r\n\r\n", 404, "" },
	{ "HTTP/1.1 204 No\r\n\r\n", 204, "" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", 200, "he" },
	{ "HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	  "\r\nx",
	    200, "x" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nT: r\r\n\r\n",
	    200, "abc0123456789" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: "
	  "1\r\n\r\n0\r\n\r\n",
	    200, "" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"
	  "hello",
	    200, "hello" },
	/* Wrong. */
	{ "", -EBADMSG, NULL },
	{ "\r\n\r\n", -EBADMSG, NULL },
	{ "SSH-2.0-x\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/2 200\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 20x OK\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 2000\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 999 OK\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nno header\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\n: x\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"
	  "hello!",
	    -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\n",
	    -EMSGSIZE, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", -EMSGSIZE,
	    NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", -EBADMSG,
	    NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
	    -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", -EBADMSG,
	    NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
	    -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	    -EBADMSG, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
	    -EMSGSIZE, NULL },
};

static void
each_answer_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		for (size_t step = 1; step < 40; step++) {
			const struct answer *w = &answers[i];
			struct http_answer a;
			int error = feed(w->text, strlen(w->text), step, &a);

			if (w->status < 0) {
				assert_int_equal(error, w->status);
			} else {
				assert_int_equal(error, 1);
				assert_int_equal(a.status, w->status);
				assert_string_equal(buf_text(&a.body), w->body);
			}
			http_fini(&a);
		}
}

/* Feeds `n` times the same bytes behind a beginning. */
static int
flood(const char *begin, const char *piece, unsigned n)
{
	struct http_answer a;
	int error;

	http_init(&a);
	error = http_feed(&a, begin, strlen(begin));
	for (unsigned i = 0; i < n && error == 0; i++)
		error = http_feed(&a, piece, strlen(piece));
	assert_true(a.body.len <= HTTP_BODY_MAX);
	assert_true(a.head.len <= HTTP_HEAD_MAX);
	http_fini(&a);
	return error;
}

static void
nothing_grows_without_end(void **state)
{
	char chunk[4096 + 16];

	(void)state;
	assert_int_equal(flood("HTTP/1.1 200 OK\r\n", "X: yyyyyyyyyyyyyy\r\n",
			     100000),
	    -EMSGSIZE);
	assert_int_equal(flood("HTTP/1.1 200 OK\r\n", "xxxxxxxxxxxxxxxx",
			     100000),
	    -EMSGSIZE);
	assert_int_equal(flood("HTTP/1.1 200 OK\r\n\r\n",
			     "0123456789012345678901234567890123456789",
			     100000),
	    -EMSGSIZE);
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "1000\r\n", 6);
	memcpy(chunk + 6 + 4096, "\r\n", 3);
	assert_int_equal(
	    flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		chunk, 1000),
	    -EMSGSIZE);
	assert_int_equal(
	    flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
		"T: r\r\n", 100000),
	    -EMSGSIZE);
}

static void
a_nul_in_the_head(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n";
	struct http_answer a;

	(void)state;
	assert_int_equal(feed(text, sizeof(text) - 1, 7, &a), -EBADMSG);
	http_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_in_pieces),
		cmocka_unit_test(nothing_grows_without_end),
		cmocka_unit_test(a_nul_in_the_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
