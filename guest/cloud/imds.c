/* SPDX-License-Identifier: ISC */
/* imds.c - reads the metadata service of EC2 and of Firecracker. */
#include "guest/cloud/imds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/cloud/say.h"

#define IMDS_TOKEN_S   21600 /* a token's life; asked anew if it ends */
#define IMDS_TOKEN_MAX 1024
#define IMDS_PAUSE_MS  1000 /* between two tries, five times, then longer */
#define IMDS_KEYS_MAX  64

struct imds {
	const struct imds_world *w;
	int64_t deadline;
	char *token; /* NULL: version 1 */
	int error;   /* the last one's, or its status above 0 */
};

static int64_t
imds_left(const struct imds *m)
{
	return m->deadline - m->w->now_ms(m->w->arg);
}

/* One request, with the token if there is one. */
static int
imds_once(struct imds *m, const char *method, const char *path,
    const char *headers, struct http_answer *a)
{
	char *all = m->token == NULL ?
	    mem_string(headers) :
	    mem_format("X-aws-ec2-metadata-token: %s\r\n%s", m->token, headers);
	int64_t left = imds_left(m);
	int error = left <= 0 ?
	    -ETIMEDOUT :
	    m->w->fetch(m->w->arg, method, path, all,
		left < IMDS_ONCE_MS ? (int)left : IMDS_ONCE_MS, a);

	free(all);
	m->error = error != 0 ? error : a->status;
	return error;
}

/* Before the next try; false: there is no time for one. */
static bool
imds_pause(struct imds *m, unsigned tries)
{
	int64_t pause = (int64_t)IMDS_PAUSE_MS * (1 + tries / 5);

	if (imds_left(m) <= 0)
		return false;
	if (pause > imds_left(m))
		pause = imds_left(m);
	m->w->pause_ms(m->w->arg, (int)pause);
	return imds_left(m) > 0;
}

static bool
imds_is_token(const struct buf *b)
{
	const char *s = buf_text(b);

	for (const char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return b->len > 0 && b->len <= IMDS_TOKEN_MAX && strlen(s) == b->len;
}

/*
 * Asks for a token until the service answers.  One that knows none is of
 * version 1, and goes without.
 */
static int
imds_get_token(struct imds *m)
{
	/* Firecracker knows both names of the header. */
	char *headers = mem_format(
	    "X-aws-ec2-metadata-token-ttl-seconds: %d\r\n", IMDS_TOKEN_S);
	int error = -ETIMEDOUT;
	bool over = false;

	free(m->token);
	m->token = NULL;
	for (unsigned tries = 0; !over; tries++) {
		struct http_answer a = { 0 };

		if (imds_once(m, "PUT", "/latest/api/token", headers, &a) ==
			0 &&
		    a.status < 500) {
			if (a.status == 200 && imds_is_token(&a.body))
				m->token = mem_string(a.body.data);
			error = 0;
			over = true;
		}
		http_fini(&a);
		over = over || !imds_pause(m, tries);
	}
	free(headers);
	return error;
}

/*
 * One piece, tried again and again.  1: there is none; -EACCES: it is
 * refused; -ETIMEDOUT.
 */
static int
imds_get(struct imds *m, const char *path, struct buf *out)
{
	bool renewed = false;
	unsigned tries = 0;

	for (;;) {
		struct http_answer a = { 0 };
		int error = imds_once(m, "GET", path, "", &a), status;

		status = a.status;
		if (error == 0 && status == 200) {
			*out = a.body;
			a.body = (struct buf){ 0 };
			http_fini(&a);
			return 0;
		}
		http_fini(&a);
		if (error == 0 && status == 401 && !renewed) {
			renewed = true; /* too old, or asked for all at once */
			error = imds_get_token(m);
			if (error == 0)
				continue;
		}
		/* Too large once is too large again. */
		if (error == -EMSGSIZE || (error == 0 && status < 500))
			return error == 0 && status == 404 ? 1 : -EACCES;
		if (!imds_pause(m, tries++))
			return -ETIMEDOUT;
	}
}

static void
imds_tell(const struct imds *m, const char *path)
{
	if (m->error == -EMSGSIZE)
		say_warning("%s: the answer is too large", path);
	else if (m->error == -EBADMSG)
		say_warning("%s: the answer is broken", path);
	else if (m->error < 0)
		say_warning("%s: %s", path, strerror(-m->error));
	else
		say_warning("%s: the service answers with status %d", path,
		    m->error);
}

/* As imds_get(), and says what is wrong where it is more than missing. */
static int
imds_get_told(struct imds *m, const char *path, struct buf *out)
{
	int error = imds_get(m, path, out);

	if (error < 0)
		imds_tell(m, path);
	return error;
}

/* One key of the list: its line is "0=name", or "0/" in MMDS. */
static int
imds_key(struct imds *m, const char *line, size_t n, struct strings *keys)
{
	size_t digits = strspn(line, "0123456789");
	struct buf key = { 0 };
	char *path;
	int error;

	if (digits == 0 || digits > 9 || digits > n ||
	    (digits < n && strchr("=/", line[digits]) == NULL)) {
		say_warning("public-keys: a line that names no key, left out");
		return 0;
	}
	path = mem_format("/latest/meta-data/public-keys/%.*s/openssh-key",
	    (int)digits, line);
	error = imds_get_told(m, path, &key);
	if (error == 0)
		seed_add_keys(keys, buf_text(&key));
	buf_fini(&key);
	free(path);
	return error == -ETIMEDOUT ? error : 0;
}

static int
imds_keys(struct imds *m, struct strings *keys)
{
	struct buf list = { 0 };
	int error = imds_get_told(m, "/latest/meta-data/public-keys/", &list);
	const char *s = buf_text(&list);

	for (unsigned i = 0; error == 0 && *s != '\0'; i++) {
		size_t n = strcspn(s, "\r\n");

		if (i == IMDS_KEYS_MAX) {
			say_warning("more than %d keys: the rest is left out",
			    IMDS_KEYS_MAX);
			break;
		}
		if (n > 0)
			error = imds_key(m, s, n, keys);
		s += n + strspn(s + n, "\r\n");
	}
	buf_fini(&list);
	return error == -ETIMEDOUT ? error : 0;
}

static int
imds_hostname(struct imds *m, struct seed *seed)
{
	static const char *const paths[] = { "/latest/meta-data/local-hostname",
		"/latest/meta-data/hostname" };
	int error = 1;

	for (unsigned i = 0; i < 2 && error > 0; i++) {
		struct buf text = { 0 };

		error = imds_get_told(m, paths[i], &text);
		if (error == 0)
			seed->hostname = seed_hostname(buf_text(&text));
		if (error == 0 && seed->hostname == NULL)
			say_warning("%s: that is no host's name", paths[i]);
		buf_fini(&text);
	}
	return error == -ETIMEDOUT ? error : 0;
}

/* What is left once the service has answered. */
static int
imds_rest(struct imds *m, struct seed *seed)
{
	int error = imds_hostname(m, seed);

	if (error == 0)
		error = imds_keys(m, &seed->keys);
	if (error == 0)
		error = imds_get_told(m, "/latest/user-data", &seed->user_data);
	return error == -ETIMEDOUT ? error : 0;
}

int
imds_read(const struct imds_world *w, int wait_s, struct seed *seed)
{
	struct imds m = { .w = w };
	struct buf id = { 0 };
	int error;

	m.deadline = w->now_ms(w->arg) + (int64_t)wait_s * 1000;
	error = imds_get_token(&m);
	if (error == 0)
		error = imds_get(&m, "/latest/meta-data/instance-id", &id);
	if (error == 0)
		error = seed_set_instance_id(seed, buf_text(&id));
	buf_fini(&id);
	m.deadline = w->now_ms(w->arg) + (int64_t)IMDS_READ_S * 1000;
	if (error == 0)
		error = imds_rest(&m, seed);
	else if (error != -ETIMEDOUT)
		error = -EPROTO;
	free(m.token);
	return error;
}
