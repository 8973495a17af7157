/* SPDX-License-Identifier: ISC */
/*
 * uio.c - moving bytes between the kernel and the buffers that a uio lists.
 */
#include "fs/uio.h"
#include "kern/string.h"
#include "kern/uaccess.h"

void
uio_init(struct uio *u, enum uio_space space, const struct uio_vec *vec,
    unsigned n)
{
	unsigned i;

	u->vec = vec;
	u->done = 0;
	u->resid = 0;
	for (i = 0; i < n; i++)
		u->resid += vec[i].len;
	u->size_max = UINT64_MAX;
	u->space = space;
	u->flags = 0;
}

void
uio_init_one(struct uio *u, enum uio_space space, struct uio_vec *vec,
    uint64_t base, uint64_t len)
{
	vec->base = base;
	vec->len = len;
	u->vec = vec;
	u->done = 0;
	u->resid = len;
	u->size_max = UINT64_MAX;
	u->space = space;
	u->flags = 0;
}

/* How much of len the present buffer holds; len <= resid and not 0. */
static size_t
uio_piece(struct uio *u, size_t len)
{
	while (u->done == u->vec->len) {
		u->vec++;
		u->done = 0;
	}
	return MIN(len, u->vec->len - u->done);
}

static void
uio_advance(struct uio *u, size_t n)
{
	u->done += n;
	u->resid -= n;
}

size_t
uio_put(struct uio *u, const void *src, size_t len)
{
	size_t n, left, moved = 0;
	uint64_t to;

	len = MIN(len, u->resid);
	while (moved < len) {
		n = uio_piece(u, len - moved);
		to = u->vec->base + u->done;
		left = 0;
		if (u->space == UIO_USER)
			left = copyout_partial(to, (const char *)src + moved,
			    n);
		else
			memcpy((void *)to, (const char *)src + moved, n);
		uio_advance(u, n - left);
		moved += n - left;
		if (left != 0)
			break;
	}
	return moved;
}

size_t
uio_get(struct uio *u, void *dst, size_t len)
{
	size_t n, left, moved = 0;
	uint64_t from;

	len = MIN(len, u->resid);
	while (moved < len) {
		n = uio_piece(u, len - moved);
		from = u->vec->base + u->done;
		left = 0;
		if (u->space == UIO_USER)
			left = copyin_partial((char *)dst + moved, from, n);
		else
			memcpy((char *)dst + moved, (const void *)from, n);
		uio_advance(u, n - left);
		moved += n - left;
		if (left != 0)
			break;
	}
	return moved;
}

size_t
uio_clear(struct uio *u, size_t len)
{
	size_t n, left, moved = 0;
	uint64_t to;

	len = MIN(len, u->resid);
	while (moved < len) {
		n = uio_piece(u, len - moved);
		to = u->vec->base + u->done;
		left = 0;
		if (u->space == UIO_USER)
			left = clearout_partial(to, n);
		else
			memset((void *)to, 0, n);
		uio_advance(u, n - left);
		moved += n - left;
		if (left != 0)
			break;
	}
	return moved;
}

void
uio_skip(struct uio *u, size_t len)
{
	size_t n;

	if (len == u->resid) { /* nothing is left to point to */
		u->resid = 0;
		return;
	}
	while (len > 0) {
		n = uio_piece(u, len);
		uio_advance(u, n);
		len -= n;
	}
}
