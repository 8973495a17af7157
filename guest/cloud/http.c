/* SPDX-License-Identifier: ISC */
/* http.c - reads one HTTP/1 answer.  RFC 9112, 4 to 7. */
#include "guest/cloud/http.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
http_init(struct http_answer *a)
{
	memset(a, 0, sizeof(*a));
}

void
http_fini(struct http_answer *a)
{
	buf_fini(&a->body);
	buf_fini(&a->head);
}

/* Digits of `base` only, up to `max`; -EBADMSG, -EMSGSIZE. */
static int
http_number(const char *s, const char *end, unsigned base, size_t max,
    size_t *out)
{
	size_t v = 0;

	if (s == end)
		return -EBADMSG;
	for (; s < end; s++) {
		unsigned char c = (unsigned char)*s;
		unsigned digit;

		if (!isxdigit(c))
			return -EBADMSG;
		digit = isdigit(c) ? c - '0' + 0u : (c | 32u) - 'a' + 10;
		if (digit >= base)
			return -EBADMSG;
		if (v > max)
			return -EMSGSIZE;
		v = v * base + digit;
	}
	*out = v;
	return v > max ? -EMSGSIZE : 0;
}

/* "HTTP/1.1 200 OK" */
static int
http_status_line(struct http_answer *a, const char *s)
{
	if (strncmp(s, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)s[7]) ||
	    s[8] != ' ' || s[9] < '1' || s[9] > '5' ||
	    !isdigit((unsigned char)s[10]) || !isdigit((unsigned char)s[11]) ||
	    (s[12] != ' ' && s[12] != '\0'))
		return -EBADMSG;
	a->status = atoi(s + 9);
	return 0;
}

struct http_framing {
	bool chunked, length_given;
	size_t length;
};

/* One header, "Name: value", without its line end. */
static int
http_header(struct http_framing *f, char *line)
{
	char *colon = strchr(line, ':'), *value, *end;
	size_t length;
	int error;

	if (colon == NULL || colon == line ||
	    strcspn(line, " \t") < (size_t)(colon - line))
		return -EBADMSG;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (strcasecmp(line, "Transfer-Encoding") == 0) {
		f->chunked = strcasecmp(value, "chunked") == 0;
		return f->chunked ? 0 : -EBADMSG;
	}
	if (strcasecmp(line, "Content-Length") != 0)
		return 0;
	error = http_number(value, end, 10, HTTP_BODY_MAX, &length);
	if (error == 0 && f->length_given && f->length != length)
		error = -EBADMSG;
	f->length_given = true;
	f->length = length;
	return error;
}

/* The whole head is there, in a->head; cut into lines in place. */
static int
http_head(struct http_answer *a)
{
	struct http_framing f = { 0 };
	char *line = a->head.data, *next;
	bool first = true;
	int error = 0;

	if (strlen(a->head.data) != a->head.len)
		return -EBADMSG; /* a NUL inside */
	for (; error == 0 && line != NULL && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (line[0] != '\0' && line[strlen(line) - 1] == '\r')
			line[strlen(line) - 1] = '\0';
		if (line[0] == '\0')
			break;
		error = first ? http_status_line(a, line) :
				http_header(&f, line);
		first = false;
	}
	if (error != 0 || first)
		return error != 0 ? error : -EBADMSG;
	buf_fini(&a->head);
	if (a->status < 200)
		return 0; /* one more head follows */
	a->left = f.length_given ? f.length : HTTP_UNTIL_END;
	if (f.chunked)
		a->state = HTTP_CHUNK_SIZE;
	else if (a->left == 0 || a->status == 204 || a->status == 304)
		a->state = HTTP_DONE;
	else
		a->state = HTTP_LENGTH;
	return 0;
}

/* Whether the head's last bytes are an empty line. */
static bool
http_head_ends(const struct buf *b)
{
	return b->data[b->len - 1] == '\n' &&
	    (b->len == 1 || b->data[b->len - 2] == '\n' ||
		(b->data[b->len - 2] == '\r' &&
		    (b->len == 2 || b->data[b->len - 3] == '\n')));
}

/* A line of the chunked coding is there, in a->head. */
static int
http_chunk_line(struct http_answer *a)
{
	const char *s = buf_text(&a->head);
	size_t n = strcspn(s, ";\r\n");
	bool empty = s[strspn(s, "\r\n")] == '\0';
	int error = 0;

	if (a->state == HTTP_CHUNK_SIZE) {
		while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
			n--;
		error = http_number(s, s + n, 16, HTTP_BODY_MAX, &a->left);
		a->state = a->left == 0 ? HTTP_TRAILER : HTTP_CHUNK;
	} else if (a->state == HTTP_CHUNK_END) {
		error = empty ? 0 : -EBADMSG;
		a->state = HTTP_CHUNK_SIZE;
	} else {
		a->trailer += a->head.len;
		if (empty)
			a->state = HTTP_DONE;
		else if (a->trailer > HTTP_HEAD_MAX)
			error = -EMSGSIZE;
	}
	buf_fini(&a->head);
	return error;
}

/* Bytes of a head, or of a line; returns how many, or an error. */
static long
http_feed_text(struct http_answer *a, const char *data, size_t n)
{
	const char *nl = memchr(data, '\n', n);
	size_t take = nl == NULL ? n : (size_t)(nl - data) + 1;
	int error = 0;

	if (a->head.len + take > HTTP_HEAD_MAX)
		return -EMSGSIZE;
	buf_add(&a->head, data, take);
	if (nl != NULL && a->state != HTTP_HEAD)
		error = http_chunk_line(a);
	else if (nl != NULL && http_head_ends(&a->head))
		error = http_head(a);
	return error != 0 ? error : (long)take;
}

static long
http_feed_body(struct http_answer *a, const char *data, size_t n)
{
	size_t take = n < a->left ? n : a->left;

	if (take > HTTP_BODY_MAX - a->body.len)
		return -EMSGSIZE;
	buf_add(&a->body, data, take);
	if (a->left == HTTP_UNTIL_END)
		return (long)take;
	a->left -= take;
	if (a->left == 0)
		a->state = a->state == HTTP_CHUNK ? HTTP_CHUNK_END : HTTP_DONE;
	return (long)take;
}

int
http_feed(struct http_answer *a, const char *data, size_t n)
{
	long took;

	while (n > 0 && a->state != HTTP_DONE) {
		took = a->state == HTTP_LENGTH || a->state == HTTP_CHUNK ?
		    http_feed_body(a, data, n) :
		    http_feed_text(a, data, n);
		if (took < 0)
			return (int)took;
		data += took;
		n -= (size_t)took;
	}
	return a->state == HTTP_DONE;
}

int
http_end(struct http_answer *a)
{
	if (a->state == HTTP_LENGTH && a->left == HTTP_UNTIL_END)
		a->state = HTTP_DONE;
	return a->state == HTTP_DONE ? 0 : -EBADMSG;
}
