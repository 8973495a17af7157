/* SPDX-License-Identifier: ISC */
/*
 * p9_file.c - contents of files of a 9P server: reads and writes through
 * pages that carry them and, for what is mapped (and all with cache=loose),
 * the page cache.
 */
#include "fs/p9_impl.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#define WINDOW_MAX 32u /* pages read ahead */
#define LAST_PAGE  (UINT64_MAX >> PAGE_SHIFT)
#ifndef SEEK_END
#define SEEK_END 2
#endif

/* ------------------------------------------------------ opened fids -- */

int
p9_lopen(struct inode *inode, unsigned flags, struct p9_fid **out)
{
	struct p9_client *c = p9_c(inode);
	struct p9_fid *fid;
	struct p9_qid qid;
	int error;

	error = p9_walk(c, p9_i(inode)->fid, NULL, &qid, &fid);
	if (error != 0)
		return error;
	error = p9_simple(c, P9_TLOPEN, "dd", fid->num, flags | O_LARGEFILE);
	if (error != 0) {
		p9_clunk(c, fid);
		return error;
	}
	fid->reads = (flags & O_ACCMODE) != O_WRONLY;
	*out = fid;
	return 0;
}

void
p9_close(struct p9_inode *pi)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(pi->opened); i++) {
		p9_clunk(p9_c(&pi->inode), pi->opened[i]);
		pi->opened[i] = NULL;
	}
}

static struct p9_fid *
opened(const struct p9_inode *pi, unsigned which)
{
	return __atomic_load_n(&pi->opened[which], __ATOMIC_ACQUIRE);
}

/* What can read; NULL: nothing yet. */
static struct p9_fid *
reader(const struct p9_inode *pi)
{
	struct p9_fid *w = opened(pi, P9_WRITER);

	return w != NULL && w->reads ? w : opened(pi, P9_READER);
}

static int
open_for(struct p9_inode *pi, unsigned which)
{
	struct p9_fid *fid;
	int error;

	if (which == P9_READER ? reader(pi) != NULL :
				 opened(pi, P9_WRITER) != NULL)
		return 0;
	error = p9_lopen(&pi->inode, which == P9_READER ? O_RDONLY : O_RDWR,
	    &fid);
	if (error == -EACCES && which == P9_WRITER)
		error = p9_lopen(&pi->inode, O_WRONLY, &fid);
	if (error == 0)
		__atomic_store_n(&pi->opened[which], fid, __ATOMIC_RELEASE);
	return error;
}

static void
one_less(struct p9_inode *pi)
{
	if (--pi->nopen == 0 && !pi->mapped)
		p9_close(pi);
}

static int
p9file_open(struct inode *inode, struct file *f)
{
	struct p9_inode *pi = p9_i(inode);
	int error = 0;

	mutex_lock(&pi->open_lock);
	pi->nopen++;
	if ((f->mode & FILE_WRITE) != 0)
		error = open_for(pi, P9_WRITER);
	if (error == 0 && (f->mode & FILE_READ) != 0)
		error = open_for(pi, P9_READER);
	if (error != 0)
		one_less(pi);
	mutex_unlock(&pi->open_lock);
	return error;
}

static void
p9file_release(struct file *f)
{
	struct p9_inode *pi = p9_i(f->inode);

	mutex_lock(&pi->open_lock);
	one_less(pi);
	mutex_unlock(&pi->open_lock);
}

/* --------------------------------------------- pages that carry data -- */

struct carrier {
	unsigned n; /* pages */
	struct page *page[P9_MSIZE_MAX / PAGE_SIZE];
	struct dma_run run[P9_MSIZE_MAX / PAGE_SIZE];
};

static void
carrier_free(struct carrier *c)
{
	while (c->n > 0)
		page_put(c->page[--c->n]);
	kfree(c);
}

/* For up to `len` bytes; less where memory is short.  NULL: none at all. */
static struct carrier *
carrier_make(uint64_t len)
{
	struct carrier *c = kmalloc(sizeof(*c));
	unsigned n = MIN(PAGES(len), ARRAY_SIZE(c->page));

	if (c == NULL)
		return NULL;
	for (c->n = 0; c->n < n; c->n++) {
		c->page[c->n] = page_alloc(0, 0);
		if (c->page[c->n] == NULL)
			break;
	}
	if (c->n > 0)
		return c;
	kfree(c);
	return NULL;
}

/* Its runs for the first `len` bytes; how many. */
static unsigned
carrier_runs(struct carrier *c, uint32_t len)
{
	unsigned i;

	for (i = 0; len > 0; i++) {
		c->run[i].pa = page_paddr(c->page[i]);
		c->run[i].len = MIN(len, PAGE_SIZE);
		len -= c->run[i].len;
	}
	return i;
}

static uint32_t
carrier_size(const struct carrier *c, uint64_t len, uint32_t max)
{
	return MIN(MIN(len, (uint64_t)c->n << PAGE_SHIFT), max);
}

/* Between the program and the first `len` bytes; bytes moved. */
static uint32_t
carrier_move(struct carrier *c, struct uio *u, uint32_t len, bool put)
{
	uint32_t at, n, moved;

	for (at = 0; at < len; at += n) {
		n = MIN(len - at, PAGE_SIZE);
		moved = put ?
		    uio_put(u, page_kva(c->page[at >> PAGE_SHIFT]), n) :
		    uio_get(u, page_kva(c->page[at >> PAGE_SHIFT]), n);
		if (moved < n)
			return at + moved;
	}
	return len;
}

/* ---------------------------------------------------- read and write -- */

static long
read_through(struct inode *inode, struct uio *u, int64_t *pos)
{
	struct p9_client *c = p9_c(inode);
	struct carrier *car = carrier_make(MIN(u->resid, c->data_max));
	uint32_t len;
	long n = 0, total = 0;

	if (car == NULL)
		return -ENOMEM;
	while (u->resid > 0) {
		len = carrier_size(car, u->resid, c->data_max);
		n = p9_read(c, reader(p9_i(inode)), *pos, car->run,
		    carrier_runs(car, len), len);
		if (n <= 0)
			break;
		len = carrier_move(car, u, n, true);
		*pos += len;
		total += len;
		if (len < n)
			n = -EFAULT;
		if (n < 0)
			break;
	}
	carrier_free(car);
	return total != 0 ? total : n;
}

static long
p9file_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct inode *inode = f->inode;
	int error = 0;

	if (u->resid == 0)
		return 0;
	if (p9_sb(inode)->loose) {
		error = p9_fresh(inode);
		return error != 0 ? error : pagecache_read(inode, u, pos);
	}
	if (inode->pages.npages > 0)
		error = pagecache_sync(inode, *pos >> PAGE_SHIFT,
		    (*pos + u->resid - 1) >> PAGE_SHIFT);
	return error != 0 ? error : read_through(inode, u, pos);
}

/* What a stranger wrote to loses its privilege; the server may do it, too. */
static int
strip_privilege(struct inode *inode)
{
	struct vfs_attr a = { .valid = ATTR_MODE };
	uint32_t before = inode->mode;

	inode_strip_privilege(inode);
	if (inode->mode == before)
		return 0;
	a.mode = inode->mode & 07777;
	return inode->ops->setattr(inode, &a);
}

static void
wrote(struct inode *inode, int64_t from, int64_t end)
{
	if (end > inode->size)
		__atomic_store_n(&inode->size, end, __ATOMIC_RELEASE);
	if (inode->pages.npages > 0)
		pagecache_drop_range(inode, from >> PAGE_SHIFT,
		    (end - 1) >> PAGE_SHIFT);
	inode_touch(inode);
	__atomic_store_n(&p9_i(inode)->stale, true, __ATOMIC_SEQ_CST);
}

/* Up to `left` bytes, at *pos, which moves on. */
static long
write_through(struct inode *inode, struct uio *u, int64_t *pos, uint64_t left)
{
	struct p9_client *c = p9_c(inode);
	struct carrier *car = carrier_make(MIN(left, c->data_max));
	long n = 0, total = 0;
	uint32_t len, got;

	if (car == NULL)
		return -ENOMEM;
	while (left > 0) {
		len = carrier_size(car, left, c->data_max);
		got = carrier_move(car, u, len, false);
		n = got == 0 ? -EFAULT :
			       p9_write(c, opened(p9_i(inode), P9_WRITER), *pos,
				   car->run, carrier_runs(car, got), got);
		if (n <= 0)
			break;
		wrote(inode, *pos, *pos + n);
		*pos += n;
		total += n;
		left -= n;
		if (n < len)
			break;
	}
	carrier_free(car);
	return total != 0 ? total : n == 0 ? -EIO : n;
}

static int
sync_opened(struct inode *inode, bool data_only)
{
	struct p9_inode *pi = p9_i(inode);
	struct p9_fid *fid = opened(pi, P9_WRITER);

	if (fid == NULL)
		fid = reader(pi);
	return p9_simple(p9_c(inode), P9_TFSYNC, "dd", fid->num,
	    (uint32_t)data_only);
}

static long
write_locked(struct file *f, struct uio *u, int64_t *pos)
{
	struct inode *inode = f->inode;
	uint64_t max = MIN(u->size_max, inode->sb->max_size);
	int error = 0;
	long n;

	if ((f->flags & O_APPEND) != 0 || (u->flags & UIO_APPEND) != 0) {
		error = p9_refresh(inode);
		*pos = inode->size;
	}
	if (error == 0 && *pos >= max)
		error = -EFBIG;
	if (error == 0 && inode->pages.npages > 0)
		error = pagecache_sync(inode, *pos >> PAGE_SHIFT,
		    (*pos + u->resid - 1) >> PAGE_SHIFT);
	if (error == 0 && (u->flags & UIO_KEEP_MODE) == 0)
		error = strip_privilege(inode);
	if (error != 0)
		return error;
	n = write_through(inode, u, pos, MIN(u->resid, max - *pos));
	if (n > 0 && ((f->flags & O_DSYNC) != 0 || (u->flags & UIO_DSYNC) != 0))
		error = sync_opened(inode, false);
	return error != 0 ? error : n;
}

static long
p9file_write(struct file *f, struct uio *u, int64_t *pos)
{
	long n;

	if (u->resid == 0)
		return 0;
	mutex_lock(&f->inode->lock);
	n = write_locked(f, u, pos);
	mutex_unlock(&f->inode->lock);
	return n;
}

static int
p9file_flush(struct file *f)
{
	return pagecache_sync(f->inode, 0, LAST_PAGE);
}

static int
p9file_fsync(struct file *f, bool data_only)
{
	int error = pagecache_sync(f->inode, 0, LAST_PAGE);

	return error != 0 ? error : sync_opened(f->inode, data_only);
}

static int64_t
p9file_llseek(struct file *f, int64_t offset, int whence)
{
	int error = whence >= SEEK_END ? p9_fresh(f->inode) : 0;

	return error != 0 ? error : generic_llseek(f, offset, whence);
}

static int
p9file_map(struct file *f, uint64_t size, unsigned *vm_flags, uint64_t *offset,
    struct vm_object **object)
{
	struct p9_inode *pi = p9_i(f->inode);
	int error = p9_fresh(f->inode);

	(void)size;
	(void)vm_flags;
	(void)offset;
	if (error != 0)
		return error;
	mutex_lock(&pi->open_lock);
	pi->mapped = true;
	mutex_unlock(&pi->open_lock);
	inode_get(f->inode);
	*object = &f->inode->pages.object;
	return 0;
}

const struct file_ops p9_file_fops = {
	.open = p9file_open,
	.release = p9file_release,
	.read = p9file_read,
	.write = p9file_write,
	.mmap = p9file_map,
	.fsync = p9file_fsync,
	.flush = p9file_flush,
	.llseek = p9file_llseek,
};

/* -------------------------------------------------------- page cache -- */

/* How many pages to read for a miss at index, more while misses follow. */
static unsigned
window(struct p9_inode *pi, uint64_t index)
{
	uint64_t end = PAGES(pi->inode.size), max = p9_c(&pi->inode)->data_max;
	unsigned n = 4;

	if (index == __atomic_load_n(&pi->next_index, __ATOMIC_RELAXED))
		n = __atomic_load_n(&pi->window, __ATOMIC_RELAXED) * 4;
	n = MAX(MIN(n, WINDOW_MAX), 1u);
	__atomic_store_n(&pi->window, n, __ATOMIC_RELAXED);
	__atomic_store_n(&pi->next_index, index + n, __ATOMIC_RELAXED);
	n = MIN(n, max >> PAGE_SHIFT);
	return index >= end ? 1 : MIN(n, end - index);
}

/* The rest of the first page, of which `got` bytes are there. */
static long
read_rest(struct inode *inode, uint64_t index, struct page *p, uint32_t got)
{
	struct dma_run run;
	long n = 1;

	while (got < PAGE_SIZE && n > 0) {
		run = (struct dma_run){ page_paddr(p) + got, PAGE_SIZE - got };
		n = p9_read(p9_c(inode), reader(p9_i(inode)),
		    (index << PAGE_SHIFT) + got, &run, 1, run.len);
		if (n > 0)
			got += n;
	}
	memset((char *)page_kva(p) + got, 0, PAGE_SIZE - got);
	return n < 0 ? n : 0;
}

/* Pages that came whole behind the first are in the cache, too. */
static int
fill(struct inode *inode, uint64_t index, enum page_want want,
    struct page **out)
{
	struct p9_inode *pi = p9_i(inode);
	struct carrier *car;
	uint32_t len;
	unsigned i;
	long n;

	(void)want;
	if (reader(pi) == NULL)
		return -EIO;
	car = carrier_make((uint64_t)window(pi, index) << PAGE_SHIFT);
	if (car == NULL)
		return -ENOMEM;
	len = car->n << PAGE_SHIFT;
	n = p9_read(p9_c(inode), reader(pi), index << PAGE_SHIFT, car->run,
	    carrier_runs(car, len), len);
	for (i = 1; n > 0 && i < n >> PAGE_SHIFT; i++)
		pagecache_add(inode, index + i, car->page[i]);
	if (n >= 0 && n < PAGE_SIZE)
		n = read_rest(inode, index, car->page[0], n);
	if (n >= 0) {
		page_get(car->page[0]);
		*out = car->page[0];
	}
	carrier_free(car);
	return n < 0 ? n : 0;
}

static int
write_pages(struct inode *inode, uint64_t at, struct page *const pages[],
    uint32_t len)
{
	struct dma_run run[PAGECACHE_RUN];
	uint32_t left = len;
	unsigned i;
	long n;

	for (i = 0; left > 0; i++) {
		run[i].pa = page_paddr(pages[i]);
		run[i].len = MIN(left, PAGE_SIZE);
		left -= run[i].len;
	}
	n = p9_write(p9_c(inode), opened(p9_i(inode), P9_WRITER), at, run, i,
	    len);
	return n < 0 ? n : n < len ? -ENOSPC : 0;
}

static int
writeback(struct inode *inode, uint64_t index, struct page *const pages[],
    unsigned n)
{
	uint64_t at = index << PAGE_SHIFT,
		 end = at + ((uint64_t)n << PAGE_SHIFT);
	uint32_t len;
	int error = 0;

	if (opened(p9_i(inode), P9_WRITER) == NULL)
		return -EIO;
	end = MIN(end, inode->size);
	for (; at < end && error == 0; at += len) {
		len = MIN(end - at, p9_c(inode)->data_max);
		error = write_pages(inode, at,
		    pages + ((at >> PAGE_SHIFT) - index), len);
	}
	__atomic_store_n(&p9_i(inode)->stale, true, __ATOMIC_SEQ_CST);
	return error;
}

const struct pagecache_ops p9_page_ops = {
	.fill = fill,
	.writeback = writeback,
	.sync_at_end = true,
};
