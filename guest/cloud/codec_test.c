/* SPDX-License-Identifier: ISC */
/* codec_test.c - base64, quoted-printable, gzip, MIME, and user data. */
/* unit: guest/cloud/codec.c guest/cloud/mime.c guest/cloud/userdata.c guest/cloud/mem.c guest/cloud/say.c inflate */
#include "guest/cloud/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guest/cloud/mime.h"
#include "guest/cloud/say.h"
#include "guest/cloud/userdata.h"

static void
base64(void **state)
{
	static const char *const good[][2] = { { "", "" }, { "YQ==", "a" },
		{ "YWI=", "ab" }, { "YWJj", "abc" }, { " Y\nW\tJj\r\n", "abc" },
		{ "YWJjZA==", "abcd" } };
	static const char *const bad[] = { "Y", "YQ",
		"YQ=", "Y===", "=YQ=", "YQ==YQ==", "Y!Q=", "YQ=a", "YWJj=" };

	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct buf out = { 0 };

		assert_int_equal(base64_decode(good[i][0], strlen(good[i][0]),
				     &out),
		    0);
		assert_string_equal(buf_text(&out), good[i][1]);
		buf_fini(&out);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf out = { 0 };

		assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &out),
		    -EBADMSG);
		buf_fini(&out);
	}
}

static void
quoted(void **state)
{
	static const char text[] = "a=3Db=\r\nc=\nd=zz=4";
	struct buf out = { 0 };

	(void)state;
	quoted_decode(text, sizeof(text) - 1, &out);
	assert_string_equal(out.data, "a=bcd=zz=4");
	buf_fini(&out);
}

/* "#!/bin/sh\nexit\n" by gzip -n. */
static const unsigned char packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x02, 0x03, 0x53, 0x56, 0xd4, 0x4f, 0xca, 0xcc, 0xd3, 0x2f,
	0xce, 0xe0, 0x4a, 0xad, 0xc8, 0x2c, 0xe1, 0x02, 0x00, 0x6f, 0x11, 0x5c,
	0xdf, 0x0f, 0x00, 0x00, 0x00 };

static void
gzip(void **state)
{
	const char *s = (const char *)packed;
	char bad[sizeof(packed)];
	struct buf out = { 0 };

	(void)state;
	assert_true(gzip_is(s, sizeof(packed)));
	assert_int_equal(gzip_decode(s, sizeof(packed), 100, &out), 0);
	assert_string_equal(out.data, "#!/bin/sh\nexit\n");
	buf_fini(&out);
	assert_int_equal(gzip_decode(s, sizeof(packed), 14, &out), -EFBIG);
	buf_fini(&out);
	for (size_t i = 0; i < sizeof(packed); i++) {
		assert_int_equal(gzip_decode(s, i, 100, &out), -EBADMSG);
		buf_fini(&out);
	}
	memcpy(bad, packed, sizeof(bad));
	bad[sizeof(bad) - 6] ^= 1; /* of the sum */
	assert_int_equal(gzip_decode(bad, sizeof(bad), 100, &out), -EBADMSG);
	buf_fini(&out);
}

/* Every piece, as "KIND:text;". */
static struct buf pieces;

static void
piece(void *arg, enum userdata_kind kind, const struct buf *data)
{
	(void)arg;
	buf_format(&pieces, "%d:%s;", kind, buf_text(data));
}

static const char *
split(const char *text, size_t n)
{
	buf_fini(&pieces);
	userdata_split(text, n, piece, NULL);
	return buf_text(&pieces);
}

static void
user_data(void **state)
{
	static const char *const cases[][2] = { { "", "" },
		{ "#!/bin/sh\n", "0:#!/bin/sh\n;" }, { "#cloud-config", "" },
		{ "#cloud-config\na: b", "1:#cloud-config\na: b;" },
		{ "#cloud-config\r\na: b", "1:#cloud-config\r\na: b;" },
		{ "#cloud-configuration\n", "" },
		{ "#cloud-boothook\nx", "2:#cloud-boothook\nx;" },
		{ "#include\nhttp://x", "" }, { "anything", "" },
		{ "## template: jinja\n#cloud-config\n", "" } };

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(split(cases[i][0], strlen(cases[i][0])),
		    cases[i][1]);
	assert_string_equal(split((const char *)packed, sizeof(packed)),
	    "0:#!/bin/sh\nexit\n;");
	assert_string_equal(split((const char *)packed, sizeof(packed) - 9),
	    "");
	buf_fini(&pieces);
}

#define HEAD(b)                                                           \
	"Content-Type: multipart/mixed;\n boundary=" b "\nMIME-Version: " \
	"1.0\n\n"

static void
messages(void **state)
{
	static const char *const cases[][2] = {
		{ HEAD(
		      "x") "before\n--x\nContent-Type: Text/Cloud-Config\n\na: "
			   "1\n--x\nContent-Transfer-Encoding: Base64\n\n"
			   "IyEvYQo=\n--x--\nbehind\n",
		    "1:a: 1;0:#!/a\n;" },
		{ HEAD("\"a b\"") "--a b  \r\n\r\n#!/x\r\n\r\n--a b--\r\n",
		    "0:#!/x\r\n;" },
		/* A boundary that is only its beginning; parts of no kind. */
		{ HEAD("x") "--x\n\n#!/a\n--xy\n--x \n\nnothing\n--x--",
		    "0:#!/a\n--xy;" },
		{ HEAD("x") "--x\nContent-Type: multipart/x; boundary=y\n\n"
			    "--y\n\n#!/i\n--y--\n--x--\n",
		    "0:#!/i;" },
		{ HEAD("x") "--x\nContent-Transfer-Encoding: quoted-printable"
			    "\n\n#!=2Fq\n--x--\n",
		    "0:#!/q;" },
		/* Damaged: what came before counts. */
		{ HEAD("x") "--x\n\n#!/a\n--x\n\n#!/cut", "0:#!/a;" },
		{ HEAD("x") "--x\nContent-Transfer-Encoding: base64\n\n!\n"
			    "--x--\n",
		    "" },
		{ HEAD("x") "--x\nContent-Transfer-Encoding: x-rot\n\n!\n"
			    "--x--\n",
		    "" },
		{ "Content-Type: multipart/mixed\n\n--x\n\n#!/a\n--x--", "" },
		{ "Content-Type: text/x-shellscript\n\n#!/alone\n",
		    "0:#!/alone\n;" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(split(cases[i][0], strlen(cases[i][0])),
		    cases[i][1]);
	buf_fini(&pieces);
}

static int
ignore(void *arg, const char *type, const char *name, const struct buf *body)
{
	(void)type;
	(void)name;
	(void)body;
	++*(unsigned *)arg;
	return 0;
}

static void
a_message_cut_off(void **state)
{
	static const char text[] = HEAD("x") "--x\n\n#!/a\n--x\n\n#!/b\n--x--";
	unsigned n = 0;

	(void)state;
	assert_int_equal(mime_parts(text, sizeof(text) - 1, ignore, &n), 0);
	assert_int_equal(n, 2);
	for (size_t len = 60; len < sizeof(text) - 1; len++)
		assert_int_equal(mime_parts(text, len, ignore, &n), -EBADMSG);
}

static void
messages_in_messages(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		buf_format(&text,
		    "Content-Type: multipart/x; boundary=b%u\n\n"
		    "--b%u\n",
		    i, i);
	assert_string_equal(split(text.data, text.len), "");
	buf_fini(&text);
	buf_format(&text, HEAD("x"));
	for (unsigned i = 0; i < 300; i++)
		buf_format(&text, "--x\n\n#!\n");
	buf_format(&text, "--x--\n");
	(void)split(text.data, text.len);
	assert_int_equal(pieces.len, MIME_PARTS_MAX * strlen("0:#!;"));
	buf_fini(&text);
	buf_fini(&pieces);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64),
		cmocka_unit_test(quoted),
		cmocka_unit_test(gzip),
		cmocka_unit_test(user_data),
		cmocka_unit_test(messages),
		cmocka_unit_test(a_message_cut_off),
		cmocka_unit_test(messages_in_messages),
	};

	say_open(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
