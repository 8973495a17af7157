/* SPDX-License-Identifier: ISC */
/*
 * cpio_fuzz.c - any bytes as an archive: what comes out keeps the header's
 * promises, and is the same whether fed whole or in pieces.
 */
/* unit: kernel/fs/cpio.c */
#include "fs/cpio.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	uint64_t hash;
	uint64_t left; /* data still to come for the entry that began */
	bool open;
};

static void
mix(struct outcome *o, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	size_t i;

	for (i = 0; i < len; i++)
		o->hash = (o->hash ^ b[i]) * 0x100000001b3;
}

static int
begin(void *ctx, const struct cpio_entry *e)
{
	struct outcome *o = ctx;
	size_t len = strlen(e->name);

	if (o->open || len >= CPIO_NAME_MAX || e->name[0] == '/')
		abort();
	if (strcmp(e->name, "..") == 0 || strncmp(e->name, "../", 3) == 0 ||
	    strstr(e->name, "/../") != NULL)
		abort();
	if (len >= 3 && strcmp(e->name + len - 3, "/..") == 0)
		abort();
	if (e->target != NULL) {
		if (e->size != 0 || strlen(e->target) == 0 ||
		    strlen(e->target) >= CPIO_NAME_MAX)
			abort();
		mix(o, e->target, strlen(e->target));
	}
	mix(o, e->name, len);
	mix(o, &e->mode, sizeof(e->mode));
	o->left = e->size;
	o->open = true;
	return 0;
}

static int
take(void *ctx, const void *bytes, size_t len, bool in_place)
{
	struct outcome *o = ctx;

	if (!o->open || len == 0 || len > o->left || in_place)
		abort();
	o->left -= len;
	mix(o, bytes, len);
	return 0;
}

static int
end(void *ctx)
{
	struct outcome *o = ctx;

	if (!o->open || o->left != 0)
		abort();
	o->open = false;
	return 0;
}

static const struct cpio_ops ops = { begin, take, end, NULL };

static int64_t
run(const uint8_t *data, size_t size, size_t piece, struct outcome *o,
    struct cpio *c)
{
	size_t at = 0, len;
	int64_t n;

	memset(o, 0, sizeof(*o));
	cpio_init(c, &ops, o);
	while (at < size) {
		len = MIN(piece, size - at);
		n = cpio_feed(c, data + at, len);
		if (n < 0)
			return n;
		at += n;
		if (n < (int64_t)len)
			return at;
	}
	return cpio_finish(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cpio a, b;
	struct outcome whole, pieces;
	int64_t ra, rb;

	if (size == 0)
		return 0;
	ra = run(data + 1, size - 1, size, &whole, &a);
	rb = run(data + 1, size - 1, data[0] % 97 + 1, &pieces, &b);
	if (ra != rb || whole.hash != pieces.hash || a.offset != b.offset ||
	    a.defect != b.defect)
		abort();
	return 0;
}
