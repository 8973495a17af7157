/* SPDX-License-Identifier: ISC */
/* codec.c - base64, quoted-printable, gzip (by zlib's inflate). */
#include "guest/cloud/codec.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

static int
base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
base64_decode(const char *s, size_t n, struct buf *out)
{
	unsigned have = 0, ends = 0; /* characters in the group; '=' among */
	uint32_t bits = 0;
	char byte[3];

	for (size_t i = 0; i < n; i++) {
		int v = base64_value((unsigned char)s[i]);

		if (isspace((unsigned char)s[i]))
			continue;
		if (s[i] == '=' && have >= 2)
			ends++, v = 0;
		else if (v < 0 || ends > 0)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)v;
		if (++have < 4)
			continue;
		byte[0] = (char)(bits >> 16);
		byte[1] = (char)(bits >> 8);
		byte[2] = (char)bits;
		buf_add(out, byte, 3 - ends);
		have = 0;
		bits = 0;
	}
	return have == 0 ? 0 : -EBADMSG;
}

static int
hex_value(unsigned char c)
{
	return !isxdigit(c) ? -1 : isdigit(c) ? c - '0' : (c | 32) - 'a' + 10;
}

void
quoted_decode(const char *s, size_t n, struct buf *out)
{
	size_t i = 0;

	while (i < n) {
		char byte = s[i];

		if (byte == '=' && i + 1 < n && s[i + 1] == '\n') {
			i += 2;
			continue;
		}
		if (byte == '=' && i + 2 < n && s[i + 1] == '\r' &&
		    s[i + 2] == '\n') {
			i += 3;
			continue;
		}
		if (byte == '=' && i + 2 < n && hex_value(s[i + 1]) >= 0 &&
		    hex_value(s[i + 2]) >= 0) {
			byte = (char)(hex_value(s[i + 1]) << 4 |
			    hex_value(s[i + 2]));
			i += 2;
		}
		buf_add(out, &byte, 1);
		i++;
	}
}

bool
gzip_is(const char *s, size_t n)
{
	return n >= 3 && s[0] == '\x1f' && s[1] == '\x8b' && s[2] == 8;
}

/* zlib without a C library of its own must be given memory. */
static void *
gzip_alloc(void *arg, unsigned count, unsigned size)
{
	(void)arg;
	return calloc(count, size);
}

static void
gzip_free(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static int
gzip_run(z_stream *z, size_t max, struct buf *out)
{
	char piece[4096];
	int status;

	do {
		z->next_out = (void *)piece;
		z->avail_out = sizeof(piece);
		status = inflate(z, Z_NO_FLUSH);
		buf_add(out, piece, sizeof(piece) - z->avail_out);
		if (out->len > max)
			return -EFBIG;
	} while (status == Z_OK);
	return status == Z_STREAM_END ? 0 :
	    status == Z_MEM_ERROR     ? -ENOMEM :
					-EBADMSG;
}

int
gzip_decode(const char *s, size_t n, size_t max, struct buf *out)
{
	z_stream z = { .zalloc = gzip_alloc, .zfree = gzip_free };
	int error;

	if (n > UINT_MAX)
		return -EFBIG;
	z.next_in = (void *)s;
	z.avail_in = (unsigned)n;
	/* 16: with gzip's head and sum. */
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	error = gzip_run(&z, max, out);
	inflateEnd(&z);
	return error;
}
