/* SPDX-License-Identifier: ISC */
/*
 * p9_wire.c - 9P2000.L messages to bytes and back.  See p9_wire.h.
 */
#include "fs/p9_wire.h"
#include "kern/string.h"

#define NAME_LEN_MAX 255u
#define NS           1000000000ll

/* The next n bytes, or NULL; the message is bad then. */
static uint8_t *
take(struct p9_wire *w, size_t n)
{
	uint8_t *p = w->at;

	if (w->bad || (size_t)(w->end - w->at) < n) {
		w->bad = true;
		return NULL;
	}
	w->at += n;
	return p;
}

static void
put_number(struct p9_wire *w, uint64_t v, unsigned bytes)
{
	uint8_t *p = take(w, bytes);
	unsigned i;

	for (i = 0; p != NULL && i < bytes; i++)
		p[i] = v >> 8 * i;
}

static void
put_string(struct p9_wire *w, const char *s)
{
	size_t len = strlen(s);
	uint8_t *p;

	if (len > UINT16_MAX) {
		w->bad = true;
		return;
	}
	put_number(w, len, 2);
	p = take(w, len);
	if (p != NULL)
		memcpy(p, s, len);
}

void
p9_putv(struct p9_wire *w, const char *fmt, va_list ap)
{
	for (; *fmt != '\0'; fmt++) {
		switch (*fmt) {
		case 'b': put_number(w, va_arg(ap, int), 1); break;
		case 'w': put_number(w, va_arg(ap, int), 2); break;
		case 'd': put_number(w, va_arg(ap, uint32_t), 4); break;
		case 'q': put_number(w, va_arg(ap, uint64_t), 8); break;
		default: put_string(w, va_arg(ap, const char *)); break;
		}
	}
}

void
p9_put(struct p9_wire *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	p9_putv(w, fmt, ap);
	va_end(ap);
}

static uint64_t
get_number(struct p9_wire *w, unsigned bytes)
{
	const uint8_t *p = take(w, bytes);
	uint64_t v = 0;

	while (p != NULL && bytes-- > 0)
		v = v << 8 | p[bytes];
	return v;
}

static struct p9_str
get_string(struct p9_wire *w)
{
	struct p9_str str = { "", 0 };
	unsigned len = get_number(w, 2);
	const uint8_t *p = take(w, len);

	if (p != NULL)
		str = (struct p9_str){ (const char *)p, len };
	return str;
}

static struct p9_qid
get_qid(struct p9_wire *w)
{
	struct p9_qid qid;

	qid.type = get_number(w, 1);
	qid.version = get_number(w, 4);
	qid.path = get_number(w, 8);
	return qid;
}

bool
p9_get(struct p9_wire *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt != '\0'; fmt++) {
		switch (*fmt) {
		case 'b': *va_arg(ap, uint8_t *) = get_number(w, 1); break;
		case 'w': *va_arg(ap, uint16_t *) = get_number(w, 2); break;
		case 'd': *va_arg(ap, uint32_t *) = get_number(w, 4); break;
		case 'q': *va_arg(ap, uint64_t *) = get_number(w, 8); break;
		case 'Q': *va_arg(ap, struct p9_qid *) = get_qid(w); break;
		default: *va_arg(ap, struct p9_str *) = get_string(w); break;
		}
	}
	va_end(ap);
	return !w->bad;
}

/* Seconds and nanoseconds; what no clock says is the nearest that one does. */
static int64_t
get_time(struct p9_wire *w)
{
	int64_t sec = get_number(w, 8);
	uint64_t ns = get_number(w, 8);

	if (ns >= NS)
		ns = 0;
	if (sec >= INT64_MAX / NS)
		return INT64_MAX;
	if (sec <= INT64_MIN / NS)
		return INT64_MIN;
	return sec * NS + (int64_t)ns;
}

bool
p9_get_attr(struct p9_wire *w, struct p9_attr *a)
{
	p9_get(w, "qQdddqqqqq", &a->valid, &a->qid, &a->mode, &a->uid, &a->gid,
	    &a->nlink, &a->rdev, &a->size, &a->blksize, &a->blocks);
	a->atime_ns = get_time(w);
	a->mtime_ns = get_time(w);
	a->ctime_ns = get_time(w);
	return !w->bad;
}

bool
p9_get_entry(struct p9_wire *w, struct p9_entry *e)
{
	if (w->at == w->end ||
	    !p9_get(w, "Qqbs", &e->qid, &e->next, &e->type, &e->name))
		return false;
	if (e->name.len == 0 || e->name.len > NAME_LEN_MAX ||
	    memchr(e->name.s, '/', e->name.len) != NULL ||
	    memchr(e->name.s, '\0', e->name.len) != NULL)
		w->bad = true;
	return !w->bad;
}
