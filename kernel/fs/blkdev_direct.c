/* SPDX-License-Identifier: ISC */
/*
 * blkdev_direct.c - O_DIRECT: transfers between a program's memory and the
 * disk, past the page cache and without a copy.  open(2).
 *
 * The program's pages are pinned and their frames given to the disk.  What the
 * cache has of the range is written back before a read; it goes before a
 * write, and again afterwards: somebody may have read meanwhile.
 */
#include "fs/blkdev.h"
#include "kern/kmem.h"
#include "kern/later.h"
#include "kern/thread.h"
#include "kern/vm.h"
#include <linux/errno.h>
#include <linux/fcntl.h>

#define PIECE_MAX (1ul << 20) /* bytes that one thread waits for at once */
#define ASYNC_MAX (4ul << 20)
#define SMALL     4 /* pages that need no memory of their own */

/* A program's pages, and where they are. */
struct pinned {
	uint64_t *frame;     /* npages of them */
	struct dma_run *run; /* nruns */
	unsigned npages, nruns;
	uint64_t bytes;
	bool write; /* the device writes */
	uint64_t small_frame[SMALL];
	struct dma_run small_run[SMALL];
};

/* Pages that the first `len` bytes of the uio touch. */
static unsigned
count_pages(const struct uio *u, uint64_t len)
{
	const struct uio_vec *v = u->vec;
	uint64_t skip = u->done, part, n = 0;

	for (; len > 0; v++, skip = 0, len -= part) {
		part = MIN(v->len - skip, len);
		n += PAGES(((v->base + skip) & PAGE_MASK) + part);
	}
	return n;
}

static int
pinned_room(struct pinned *p, unsigned n)
{
	p->frame = p->small_frame;
	p->run = p->small_run;
	if (n <= SMALL)
		return 0;
	p->frame = kmalloc(n * (sizeof(*p->frame) + sizeof(*p->run)));
	if (p->frame == NULL)
		return -ENOMEM;
	p->run = (struct dma_run *)(p->frame + n);
	return 0;
}

static void
unpin(struct pinned *p)
{
	vm_unpin(p->frame, p->npages, p->write);
	if (p->frame != p->small_frame)
		kfree(p->frame);
}

static void
add_run(struct pinned *p, paddr_t pa, uint64_t len)
{
	struct dma_run *last = p->nruns > 0 ? &p->run[p->nruns - 1] : NULL;

	if (last != NULL && last->pa + last->len == pa)
		last->len += len;
	else
		p->run[p->nruns++] = (struct dma_run){ pa, len };
	p->bytes += len;
}

/* Pins [addr, addr + len): 0, or why not all of it. */
static int
pin_one(struct pinned *p, uaddr_t addr, uint64_t len)
{
	unsigned want = PAGES((addr & PAGE_MASK) + len);
	uint64_t off = addr & PAGE_MASK, part;
	uint64_t *frame = p->frame + p->npages;
	long i, n;

	n = vm_pin(thread_self()->vmspace, addr, want, p->write, frame);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++, off = 0, len -= part) {
		part = MIN(PAGE_SIZE - off, len);
		add_run(p, (frame[i] & ~PAGE_MASK) + off, part);
	}
	p->npages += n;
	return (unsigned)n == want ? 0 : -EFAULT;
}

/* Whole blocks only. */
static void
cut(struct pinned *p, uint64_t block_size)
{
	uint64_t odd = p->bytes % block_size, len;

	for (p->bytes -= odd; odd > 0; odd -= len) {
		len = MIN(odd, p->run[p->nruns - 1].len);
		p->run[p->nruns - 1].len -= len;
		if (p->run[p->nruns - 1].len == 0)
			p->nruns--;
	}
}

/*
 * Pins the uio's next `len` bytes, or as many blocks of them as the program
 * really has.  The uio does not move.
 */
static int
pin(struct pinned *p, const struct uio *u, uint64_t len, bool write,
    uint64_t block_size)
{
	const struct uio_vec *v = u->vec;
	uint64_t skip = u->done, part;
	int error = pinned_room(p, count_pages(u, len));

	p->npages = p->nruns = 0;
	p->bytes = 0;
	p->write = write;
	if (error != 0)
		return error;
	for (; len > 0 && error == 0; v++, skip = 0, len -= part) {
		part = MIN(v->len - skip, len);
		if (part > 0)
			error = pin_one(p, v->base + skip, part);
	}
	cut(p, block_size);
	if (p->bytes > 0)
		return 0;
	unpin(p);
	return error;
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

/* What the cache has of the range does not stand in the way. */
static int
clear_way(struct blkdev *b, bool write, uint64_t at, uint64_t len)
{
	if (pagecache_is_empty(&b->inode.pages))
		return 0;
	return write ? blkdev_forget(b, at, len) :
		       pagecache_sync(&b->inode, at >> PAGE_SHIFT,
			   (at + len - 1) >> PAGE_SHIFT);
}

/* ------------------------------------------------------ read, write -- */

/* One piece; the uio moves over what was transferred. */
static long
piece(struct blkdev *b, struct uio *u, uint64_t at, uint64_t len, bool write)
{
	struct pinned p;
	int error = pin(&p, u, len, !write, b->bd->info.block_size);

	if (error != 0)
		return error;
	len = p.bytes;
	error = clear_way(b, write, at, len);
	thread_count_disk(write, len);
	if (error == 0)
		error = blkdev_error(block_transfer(b->bd,
		    write ? DISK_WRITE : DISK_READ, at >> SECTOR_SHIFT,
		    len >> SECTOR_SHIFT, p.run, p.nruns));
	if (error == 0 && write)
		error = clear_way(b, true, at, len);
	unpin(&p);
	if (error != 0)
		return error;
	uio_skip(u, len);
	return len;
}

static long
direct(struct file *f, struct uio *u, int64_t *pos, bool write)
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
		len = MIN(MIN(u->resid, size - at), PIECE_MAX);
		n = piece(b, u, at, len, write);
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
	return direct(f, u, pos, false);
}

long
blkdev_direct_write(struct file *f, struct uio *u, int64_t *pos)
{
	return direct(f, u, pos, true);
}

/* -------------------------------------------------- without waiting -- */

struct transfer {
	struct block_req req;
	struct blkdev *b; /* the file's, which the caller keeps open */
	struct file_async *fa;
	struct later later;
	struct pinned p;
};

static void
finish(struct transfer *t, int error)
{
	struct file_async *fa = t->fa;
	long n = error != 0 ? error : (long)t->p.bytes;

	unpin(&t->p);
	kfree(t);
	fa->done(fa, n);
}

/* A thread: the cache has pages, perhaps of what was written. */
static void
finish_write(struct later *l)
{
	struct transfer *t = container_of(l, struct transfer, later);

	finish(t,
	    clear_way(t->b, true, t->req.sector << SECTOR_SHIFT, t->p.bytes));
}

static void
transfer_done(struct block_req *req, int error)
{
	struct transfer *t = container_of(req, struct transfer, req);

	if (error == 0 && req->op == DISK_WRITE &&
	    !pagecache_is_empty(&t->b->inode.pages))
		later_run(&t->later, finish_write);
	else
		finish(t, blkdev_error(error));
}

int
blkdev_direct_begin(struct file *f, struct uio *u, int64_t pos, bool write,
    struct file_async *fa)
{
	struct blkdev *b = blkdev_of_file(f);
	uint64_t size = __atomic_load_n(&b->inode.size, __ATOMIC_ACQUIRE);
	struct transfer *t;
	int error;

	if (!aligned(b, u, pos))
		return -EINVAL;
	if (u->resid == 0 || u->resid > ASYNC_MAX || (uint64_t)pos >= size)
		return -EOPNOTSUPP;
	error = later_ready();
	t = error == 0 ? kmalloc(sizeof(*t)) : NULL;
	if (t == NULL)
		return -ENOMEM;
	error = pin(&t->p, u, MIN(u->resid, size - pos), !write,
	    b->bd->info.block_size);
	if (error != 0) {
		kfree(t);
		return error;
	}
	t->b = b;
	t->fa = fa;
	t->req = (struct block_req){ .op = write ? DISK_WRITE : DISK_READ,
		.more = (u->flags & UIO_MORE) != 0,
		.sector = (uint64_t)pos >> SECTOR_SHIFT,
		.nsectors = t->p.bytes >> SECTOR_SHIFT,
		.run = t->p.run,
		.nruns = t->p.nruns,
		.done = transfer_done };
	error = clear_way(b, write, pos, t->p.bytes);
	thread_count_disk(write, t->p.bytes);
	if (error == 0)
		block_submit(b->bd, &t->req);
	else
		finish(t, error);
	return 0;
}
