/* SPDX-License-Identifier: ISC */
/*
 * blkdev_direct.c - O_DIRECT: transfers past the page cache, by way of memory
 * of the kernel's own.  open(2).
 */
#include "fs/blkdev.h"
#include <linux/errno.h>
#include <linux/fcntl.h>

#define BOUNCE_ORDER 6 /* 256 KiB */
#define NBOUNCE      4 /* blocks, so that a transfer is up to 1 MiB */

struct bounce {
	struct page *block[NBOUNCE];
	unsigned order[NBOUNCE];
	struct dma_run run[NBOUNCE];
	unsigned n;
	uint64_t bytes;
};

/* As much memory for `want` bytes as can be had without trouble. */
static int
bounce_get(struct bounce *b, uint64_t want)
{
	unsigned order;
	uint64_t len;

	b->n = 0;
	b->bytes = 0;
	while (b->n < NBOUNCE && b->bytes < want) {
		for (order = 0; order < BOUNCE_ORDER &&
		     (PAGE_SIZE << order) < want - b->bytes;
		     order++)
			;
		while ((b->block[b->n] = page_alloc(order, 0)) == NULL &&
		    order > 0)
			order--;
		if (b->block[b->n] == NULL)
			break;
		len = MIN(PAGE_SIZE << order, want - b->bytes);
		b->order[b->n] = order;
		b->run[b->n] = (struct dma_run){ page_paddr(b->block[b->n]),
			len };
		b->bytes += len;
		b->n++;
	}
	return b->n == 0 ? -ENOMEM : 0;
}

static void
bounce_put(struct bounce *b)
{
	unsigned i;

	for (i = 0; i < b->n; i++) {
		if (b->order[i] == 0)
			page_put(b->block[i]);
		else
			page_free(b->block[i], b->order[i]);
	}
}

/* Copies between the program and the blocks; bytes moved. */
static uint64_t
bounce_copy(struct bounce *b, struct uio *u, bool in)
{
	uint64_t moved = 0, n;
	unsigned i;

	for (i = 0; i < b->n; i++) {
		n = in ? uio_get(u, page_kva(b->block[i]), b->run[i].len) :
			 uio_put(u, page_kva(b->block[i]), b->run[i].len);
		moved += n;
		if (n < b->run[i].len)
			break;
	}
	return moved;
}

/* Keeps the first `bytes` only. */
static void
bounce_cut(struct bounce *b, uint64_t bytes)
{
	uint64_t left = bytes;
	unsigned i, used = 0;

	for (i = 0; i < b->n; i++) {
		b->run[i].len = MIN(b->run[i].len, left);
		left -= b->run[i].len;
		if (b->run[i].len > 0)
			used = i + 1;
	}
	b->bytes = bytes;
	for (i = used; i < b->n; i++) {
		if (b->order[i] == 0)
			page_put(b->block[i]);
		else
			page_free(b->block[i], b->order[i]);
	}
	b->n = used;
}

/* Position, lengths and addresses are multiples of the block size. */
static bool
aligned(const struct blkdev *b, const struct uio *u, int64_t pos)
{
	uint64_t mask = b->bd->info.block_size - 1, left = u->resid, len;
	const struct uio_vec *v = u->vec;

	if (((uint64_t)pos & mask) != 0 || u->done != 0)
		return false;
	for (; left > 0; v++, left -= len) {
		len = MIN(v->len, left);
		if ((v->base & (SECTOR_SIZE - 1)) != 0 || (len & mask) != 0)
			return false;
	}
	return true;
}

static int
transfer(struct blkdev *b, enum disk_op op, const struct bounce *m, uint64_t at)
{
	return blkdev_error(block_transfer(b->bd, op, at >> SECTOR_SHIFT,
	    m->bytes >> SECTOR_SHIFT, m->run, m->n));
}

static long
read_piece(struct blkdev *b, struct uio *u, uint64_t at, uint64_t len)
{
	struct bounce m;
	uint64_t moved;
	int error = bounce_get(&m, len);

	if (error != 0)
		return error;
	error = pagecache_sync(&b->inode, at >> PAGE_SHIFT,
	    (at + m.bytes - 1) >> PAGE_SHIFT);
	if (error == 0)
		error = transfer(b, DISK_READ, &m, at);
	moved = error == 0 ? bounce_copy(&m, u, false) : 0;
	bounce_put(&m);
	if (error != 0)
		return error;
	return moved == 0 ? -EFAULT : (long)moved;
}

/*
 * Cached pages of the range go before, with what was written in them, and
 * again after: somebody may have read meanwhile.
 */
static long
write_piece(struct blkdev *b, struct uio *u, uint64_t at, uint64_t len)
{
	struct bounce m;
	uint64_t moved;
	int error = bounce_get(&m, len);

	if (error != 0)
		return error;
	moved = bounce_copy(&m, u, true);
	moved = ROUND_DOWN(moved, (uint64_t)b->bd->info.block_size);
	bounce_cut(&m, moved);
	error = moved == 0 ? -EFAULT : blkdev_forget(b, at, moved);
	if (error == 0)
		error = transfer(b, DISK_WRITE, &m, at);
	if (error == 0)
		error = blkdev_forget(b, at, moved);
	bounce_put(&m);
	return error != 0 ? error : (long)moved;
}

static long
direct(struct file *f, struct uio *u, int64_t *pos,
    long (*piece)(struct blkdev *, struct uio *, uint64_t, uint64_t))
{
	struct blkdev *b = blkdev_of_file(f);
	uint64_t at = *pos, size, len;
	long n = 0;

	if (!aligned(b, u, *pos))
		return -EINVAL;
	while (u->resid > 0) {
		size = __atomic_load_n(&b->inode.size, __ATOMIC_ACQUIRE);
		if (at >= size)
			break;
		len = MIN(MIN(u->resid, size - at),
		    NBOUNCE * (PAGE_SIZE << BOUNCE_ORDER));
		n = piece(b, u, at, len);
		if (n <= 0)
			break;
		at += n; /* fewer than len where memory is scarce */
	}
	len = at - *pos;
	*pos = at;
	return len != 0 ? (long)len : n;
}

long
blkdev_direct_read(struct file *f, struct uio *u, int64_t *pos)
{
	return direct(f, u, pos, read_piece);
}

long
blkdev_direct_write(struct file *f, struct uio *u, int64_t *pos)
{
	return direct(f, u, pos, write_piece);
}
