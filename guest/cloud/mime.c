/* SPDX-License-Identifier: ISC */
/* mime.c - takes a message of several parts apart.  RFC 2045, 2046. */
#include "guest/cloud/mime.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "guest/cloud/codec.h"

struct mime_head {
	char *type, *encoding, *disposition; /* values, unfolded; or NULL */
};

struct mime_run {
	int (*each)(void *, const char *, const char *, const struct buf *);
	void *arg;
	unsigned parts;
};

static void
mime_head_fini(struct mime_head *h)
{
	free(h->type);
	free(h->encoding);
	free(h->disposition);
}

/* The bytes of a line without its end; *next is the line behind it. */
static size_t
mime_line(const char *s, const char *end, const char **next)
{
	const char *nl = memchr(s, '\n', (size_t)(end - s));
	size_t n = (size_t)((nl == NULL ? end : nl) - s);

	*next = nl == NULL ? end : nl + 1;
	return n > 0 && s[n - 1] == '\r' ? n - 1 : n;
}

static void
mime_take(struct mime_head *h, const char *line, size_t n)
{
	static const char *const names[] = { "content-type:",
		"content-transfer-encoding:", "content-disposition:" };
	char **field[] = { &h->type, &h->encoding, &h->disposition };

	for (unsigned i = 0; i < 3; i++) {
		size_t len = strlen(names[i]);

		if (n < len || strncasecmp(line, names[i], len) != 0)
			continue;
		while (len < n && isspace((unsigned char)line[len]))
			len++;
		free(*field[i]);
		*field[i] = mem_bytes(line + len, n - len);
	}
}

/* Reads headers; returns where the body begins. */
static const char *
mime_head(struct mime_head *h, const char *s, const char *end)
{
	struct buf line = { 0 };
	const char *next;
	size_t n;

	for (; s < end; s = next) {
		n = mime_line(s, end, &next);
		if (n > 0 && (s[0] == ' ' || s[0] == '\t')) { /* folded */
			buf_add(&line, s, n);
			continue;
		}
		mime_take(h, buf_text(&line), line.len);
		buf_fini(&line);
		if (n == 0) {
			s = next;
			break;
		}
		buf_add(&line, s, n);
	}
	mime_take(h, buf_text(&line), line.len);
	buf_fini(&line);
	return s;
}

/* A parameter of a header's value: "x; name=value", "x; name=\"value\"". */
static char *
mime_parameter(const char *value, const char *name)
{
	size_t n = strlen(name);

	while (value != NULL && (value = strchr(value, ';')) != NULL) {
		value += 1 + strspn(value + 1, " \t");
		if (strncasecmp(value, name, n) != 0 || value[n] != '=')
			continue;
		value += n + 1;
		if (value[0] == '"')
			return mem_bytes(value + 1, strcspn(value + 1, "\""));
		return mem_bytes(value, strcspn(value, "; \t"));
	}
	return NULL;
}

/* "Text/Plain; charset=..." is text/plain; nothing is text/plain, too. */
static char *
mime_type(const struct mime_head *h)
{
	char *type;

	if (h->type == NULL)
		return mem_string("text/plain");
	type = mem_bytes(h->type, strcspn(h->type, "; \t"));
	for (char *p = type; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return type;
}

static int
mime_decode(const struct mime_head *h, const char *s, size_t n,
    struct buf *body)
{
	const char *how = h->encoding == NULL ? "" : h->encoding;

	if (strcasecmp(how, "base64") == 0)
		return base64_decode(s, n, body);
	if (strcasecmp(how, "quoted-printable") == 0)
		quoted_decode(s, n, body);
	else if (how[0] == '\0' || strcasecmp(how, "7bit") == 0 ||
	    strcasecmp(how, "8bit") == 0 || strcasecmp(how, "binary") == 0)
		buf_add(body, s, n);
	else
		return -EBADMSG;
	return 0;
}

static int mime_message(struct mime_run *run, const char *s, const char *end,
    unsigned depth);

/* Whether a line ends a part: 1, and 2 if there are no more. */
static int
mime_is_boundary(const char *line, size_t n, const char *boundary)
{
	size_t len = strlen(boundary);

	if (n < len + 2 || line[0] != '-' || line[1] != '-' ||
	    memcmp(line + 2, boundary, len) != 0)
		return 0;
	line += len + 2;
	n -= len + 2;
	if (n >= 2 && line[0] == '-' && line[1] == '-')
		return 2;
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	return n == 0;
}

static int
mime_multipart(struct mime_run *run, const char *s, const char *end,
    const char *boundary, unsigned depth)
{
	const char *part = NULL, *next, *stop;
	int found = 0, error = 0;

	for (; error == 0 && s < end && found != 2; s = next) {
		found = mime_is_boundary(s, mime_line(s, end, &next), boundary);
		if (found == 0)
			continue;
		if (part != NULL) {
			/* The line end before belongs to the boundary. */
			stop = s > part && s[-1] == '\n' ? s - 1 : s;
			stop = stop > part && stop[-1] == '\r' ? stop - 1 :
								 stop;
			error = mime_message(run, part, stop, depth);
		}
		part = next;
	}
	/* Without its last line it may have been cut off: not taken. */
	return error != 0 ? error : found == 2 ? 0 : -EBADMSG;
}

static int
mime_one(struct mime_run *run, const struct mime_head *h, const char *type,
    const char *s, size_t n)
{
	char *name = mime_parameter(h->disposition, "filename");
	struct buf body = { 0 };
	int error;

	if (name == NULL)
		name = mime_parameter(h->type, "name");
	error = ++run->parts > MIME_PARTS_MAX ? -E2BIG :
						mime_decode(h, s, n, &body);
	if (error == 0)
		error = run->each(run->arg, type, name, &body);
	buf_fini(&body);
	free(name);
	return error;
}

/* Headers and what they describe, between `s` and `end`. */
static int
mime_message(struct mime_run *run, const char *s, const char *end,
    unsigned depth)
{
	struct mime_head h = { 0 };
	char *type, *boundary = NULL;
	int error;

	s = mime_head(&h, s, end);
	type = mime_type(&h);
	if (strncmp(type, "multipart/", 10) == 0) {
		boundary = mime_parameter(h.type, "boundary");
		error = boundary == NULL || boundary[0] == '\0' ||
			depth == MIME_DEPTH_MAX ?
		    -EBADMSG :
		    mime_multipart(run, s, end, boundary, depth + 1);
	} else {
		error = mime_one(run, &h, type, s, (size_t)(end - s));
	}
	free(boundary);
	free(type);
	mime_head_fini(&h);
	return error;
}

bool
mime_is(const char *data, size_t n)
{
	static const char *const begins[] = { "content-type:",
		"mime-version:" };

	for (unsigned i = 0; i < 2; i++)
		if (n >= strlen(begins[i]) &&
		    strncasecmp(data, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

int
mime_parts(const char *data, size_t n,
    int (*each)(void *arg, const char *type, const char *name,
	const struct buf *body),
    void *arg)
{
	struct mime_run run = { .each = each, .arg = arg };

	return mime_message(&run, data, data + n, 0);
}
