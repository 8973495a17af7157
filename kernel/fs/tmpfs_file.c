/* SPDX-License-Identifier: ISC */
/*
 * tmpfs_file.c - contents of regular files in memory: the page cache and
 * nothing else, but for what the initial file system brought.
 *
 * Such a file has a backing, memory that holds its contents already.  A page
 * of it is used in place at its first access, or copied where the backing
 * does not begin at a frame's start.  The backing holds one reference on each
 * frame that it touches, the page cache one more on those in use; each is
 * dropped on its own, so either may go first.  On frames that it fills that is
 * the reference which boot left there, given back by page_release_range().
 */
#include "abi/mode.h"
#include "fs/tmpfs_impl.h"
#include "kern/panic.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

/* ------------------------------------------------------------ limits -- */

/*
 * Pages that a file has, in use or waiting in its backing, count against its
 * file system.
 */
static int
charge_page(struct tmpfs_inode *ti)
{
	struct tmpfs_super *ts = tmpfs_sb(ti->inode.sb);
	int error = 0;

	spin_lock(&ts->lock);
	if (ts->used_pages >= ts->max_pages) {
		error = -ENOSPC;
	} else {
		ts->used_pages++;
		ti->charged++;
	}
	spin_unlock(&ts->lock);
	return error;
}

void
tmpfs_uncharge(struct tmpfs_inode *ti, uint64_t n)
{
	struct tmpfs_super *ts = tmpfs_sb(ti->inode.sb);

	spin_lock(&ts->lock);
	KASSERT(n <= ti->charged && ti->charged <= ts->used_pages);
	ts->used_pages -= n;
	ti->charged -= n;
	spin_unlock(&ts->lock);
}

/* ----------------------------------------------------------- backing -- */

/* Drops the backing's references on the frames [from, end). */
static void
backing_release(struct tmpfs_inode *ti, paddr_t from, paddr_t end)
{
	paddr_t whole = MAX(from, ROUND_UP(ti->backing, PAGE_SIZE));
	paddr_t whole_end = MIN(end, ti->whole_end);

	if (whole < whole_end)
		page_release_range(whole, whole_end - whole);
	else
		whole = whole_end = end;
	for (; from < whole; from += PAGE_SIZE)
		page_put(page_of_paddr(from));
	for (; whole_end < end; whole_end += PAGE_SIZE)
		page_put(page_of_paddr(whole_end));
}

void
tmpfs_set_backing(struct inode *inode, paddr_t pa, uint64_t size)
{
	struct tmpfs_super *ts = tmpfs_sb(inode->sb);
	struct tmpfs_inode *ti = tmpfs_i(inode);
	paddr_t first = ROUND_DOWN(pa, PAGE_SIZE);
	paddr_t last = ROUND_DOWN(pa + size - 1, PAGE_SIZE);
	bool first_whole = first == pa && size >= PAGE_SIZE;
	bool last_whole = ((pa + size) & PAGE_MASK) == 0 && size >= PAGE_SIZE;

	KASSERT(inode->size == 0 && ti->backing_size == 0 && size != 0);
	ti->backing = pa;
	ti->whole_end = ROUND_DOWN(pa + size, PAGE_SIZE);
	ti->shared_tail = false;
	if (!first_whole)
		page_get(page_of_paddr(first));
	if (last != first && !last_whole)
		page_get(page_of_paddr(last));
	ti->backing_size = size;
	inode->size = size;
	spin_lock(&ts->lock);
	ts->used_pages += PAGES(size);
	ti->charged += PAGES(size);
	spin_unlock(&ts->lock);
}

void
tmpfs_backing_shared_tail(struct inode *inode)
{
	tmpfs_i(inode)->shared_tail = true;
}

/* The bytes of page `index` that the backing has; under pages.lock. */
static size_t
backing_bytes(const struct tmpfs_inode *ti, uint64_t index)
{
	uint64_t off = index << PAGE_SHIFT;

	if (index >= PAGES(ti->backing_size))
		return 0;
	return MIN(PAGE_SIZE, ti->backing_size - off);
}

/*
 * The frame itself, with a reference, where it is the file's alone.  Zeros
 * what lies behind the end.
 */
static struct page *
backing_adopt_locked(struct tmpfs_inode *ti, uint64_t index, size_t bytes)
{
	paddr_t pa = ti->backing + (index << PAGE_SHIFT);
	struct page *p;

	if ((pa & PAGE_MASK) != 0 || (bytes < PAGE_SIZE && ti->shared_tail))
		return NULL;
	p = page_of_paddr(pa);
	page_get(p);
	memset((char *)page_kva(p) + bytes, 0, PAGE_SIZE - bytes);
	return p;
}

/* A page of the backing: 0 with *out NULL where there is none. */
static int
fill_from_backing(struct tmpfs_inode *ti, uint64_t index, struct page **out)
{
	struct spinlock *lock = &ti->inode.pages.lock;
	struct page *p = NULL, *copy = NULL;
	size_t bytes;

	*out = NULL;
	if (index >= PAGES(ti->backing_size))
		return 0;
	for (;;) {
		spin_lock(lock);
		bytes = backing_bytes(ti, index);
		if (bytes != 0)
			p = backing_adopt_locked(ti, index, bytes);
		if (bytes == 0 || p != NULL)
			break;
		if (copy != NULL) {
			memcpy(page_kva(copy),
			    paddr_kva(ti->backing + (index << PAGE_SHIFT)),
			    bytes);
			memset((char *)page_kva(copy) + bytes, 0,
			    PAGE_SIZE - bytes);
			p = copy;
			copy = NULL;
			break;
		}
		spin_unlock(lock);
		copy = page_alloc(0, 0);
		if (copy == NULL)
			return -ENOMEM;
	}
	spin_unlock(lock);
	if (copy != NULL)
		page_put(copy);
	*out = p;
	return 0;
}

/* Pages of the backing from `first` on that the page cache has not. */
static uint64_t
backing_unused(struct tmpfs_inode *ti, uint64_t first)
{
	uint64_t i, n = 0;

	spin_lock(&ti->inode.pages.lock);
	for (i = first; i < PAGES(ti->backing_size); i++)
		if (pagetree_find(&ti->inode.pages.tree, i) == NULL)
			n++;
	spin_unlock(&ti->inode.pages.lock);
	return n;
}

void
tmpfs_backing_trim(struct tmpfs_inode *ti, uint64_t size)
{
	uint64_t unused, old = ti->backing_size;
	paddr_t kept;

	if (size >= old)
		return;
	unused = backing_unused(ti, PAGES(size));
	kept = size != 0 ? ROUND_UP(ti->backing + size, PAGE_SIZE) :
			   ROUND_DOWN(ti->backing, PAGE_SIZE);
	spin_lock(&ti->inode.pages.lock);
	ti->backing_size = size;
	if (kept <= ti->whole_end)
		ti->shared_tail = false;
	spin_unlock(&ti->inode.pages.lock);
	tmpfs_uncharge(ti, unused);
	backing_release(ti, kept, ROUND_UP(ti->backing + old, PAGE_SIZE));
}

void
tmpfs_backing_end(struct tmpfs_inode *ti)
{
	if (ti->backing_size != 0)
		backing_release(ti, ROUND_DOWN(ti->backing, PAGE_SIZE),
		    ROUND_UP(ti->backing + ti->backing_size, PAGE_SIZE));
	ti->backing_size = 0;
	tmpfs_uncharge(ti, ti->charged);
}

/* ------------------------------------------------------------- pages -- */

static int
fill(struct inode *inode, uint64_t index, enum page_want want,
    struct page **out)
{
	struct tmpfs_inode *ti = tmpfs_i(inode);
	int error;

	error = fill_from_backing(ti, index, out);
	if (error != 0 || *out != NULL || want == PAGE_READ)
		return error;
	error = charge_page(ti);
	if (error != 0)
		return error;
	*out = page_alloc(0, want == PAGE_CREATE ? PAGE_ALLOC_ZERO : 0);
	if (*out == NULL) {
		tmpfs_uncharge(ti, 1);
		return -ENOMEM;
	}
	(*out)->priv = 1; /* charged by fill; the backing's were before */
	return 0;
}

static void
unfill(struct inode *inode, struct page *p)
{
	if (p->priv != 0)
		tmpfs_uncharge(tmpfs_i(inode), 1);
}

static void
uncharge(struct inode *inode, uint64_t n)
{
	tmpfs_uncharge(tmpfs_i(inode), n);
}

void
tmpfs_set_size(struct inode *inode, uint64_t size)
{
	tmpfs_backing_trim(tmpfs_i(inode), size);
	pagecache_truncate(inode, size);
	inode_touch(inode);
}

void
tmpfs_truncate(struct inode *inode)
{
	mutex_lock(&inode->lock);
	tmpfs_set_size(inode, 0);
	mutex_unlock(&inode->lock);
}

/* Zeros a page of the backing where it lies, and its copy if there is one. */
static void
backing_clear(struct tmpfs_inode *ti, uint64_t index)
{
	struct pagecache *pc = &ti->inode.pages;
	struct page *p;
	size_t bytes;

	spin_lock(&pc->lock);
	bytes = backing_bytes(ti, index);
	if (bytes != 0)
		memset(paddr_kva(ti->backing + (index << PAGE_SHIFT)), 0,
		    bytes);
	p = pagetree_find(&pc->tree, index);
	if (p != NULL)
		memset(page_kva(p), 0, PAGE_SIZE);
	spin_unlock(&pc->lock);
}

static int
punch(struct inode *inode, uint64_t first, uint64_t last)
{
	struct tmpfs_inode *ti = tmpfs_i(inode);

	for (; first <= last && first < PAGES(ti->backing_size); first++)
		backing_clear(ti, first);
	if (first <= last)
		pagecache_drop_range(inode, first, last);
	inode_touch(inode);
	return 0;
}

const struct pagecache_ops tmpfs_page_ops = {
	.fill = fill,
	.unfill = unfill,
	.uncharge = uncharge,
	.punch = punch,
};

/* ------------------------------------------------------------- files -- */

static long
file_read_pages(struct file *f, struct uio *u, int64_t *pos)
{
	long n = pagecache_read(f->inode, u, pos);

	if (n >= 0 && (f->flags & O_NOATIME) == 0)
		inode_accessed(f->inode, f->path.mnt);
	return n;
}

/* May the bytes up to `end` change, may there be that many?  -EPERM */
static int
check_seals(const struct inode *inode, uint64_t end, bool writes)
{
	unsigned seals = INODE_SEALS(inode->flags);

	if (seals == 0)
		return 0;
	if (writes && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0)
		return -EPERM;
	return (seals & F_SEAL_GROW) != 0 && end > inode->size ? -EPERM : 0;
}

int
tmpfs_check_size_seals(const struct inode *inode, uint64_t size)
{
	if (size < inode->size &&
	    (INODE_SEALS(inode->flags) & F_SEAL_SHRINK) != 0)
		return -EPERM;
	return check_seals(inode, size, false);
}

static long
file_write_pages(struct file *f, struct uio *u, int64_t *pos)
{
	struct inode *inode = f->inode;
	long n;

	mutex_lock(&inode->lock);
	if (((f->flags & O_APPEND) != 0 || (u->flags & UIO_APPEND) != 0))
		*pos = inode->size;
	n = check_seals(inode, (uint64_t)*pos + u->resid, true);
	if (n == 0)
		n = pagecache_write(inode, u, pos);
	if (n > 0) {
		inode_touch(inode);
		if ((u->flags & UIO_KEEP_MODE) == 0)
			inode_strip_privilege(inode);
	}
	mutex_unlock(&inode->lock);
	return n;
}

static int
file_map(struct file *f, uint64_t size, unsigned *vm_flags, uint64_t *offset,
    struct vm_object **object)
{
	unsigned seals = INODE_SEALS(f->inode->flags);

	(void)size;
	(void)offset;
	if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0 &&
	    (*vm_flags & VM_SHARED) != 0) {
		if ((*vm_flags & VM_WRITE) != 0)
			return -EPERM;
		*vm_flags &= ~VM_MAYWRITE;
	}
	inode_get(f->inode);
	*object = &f->inode->pages.object;
	if ((f->flags & O_NOATIME) == 0)
		inode_accessed(f->inode, f->path.mnt);
	return 0;
}

/* The first page from index on that is there, or not there, as `data` says. */
static uint64_t
find_page(struct inode *inode, uint64_t index, bool data)
{
	struct tmpfs_inode *ti = tmpfs_i(inode);
	uint64_t end = PAGES(inode->size), next;

	spin_lock(&inode->pages.lock);
	while (index < end) {
		next = index;
		if (index < PAGES(ti->backing_size)) {
			if (data)
				break;
			index = PAGES(ti->backing_size);
			continue;
		}
		if (pagetree_next(&inode->pages.tree, &next) == NULL)
			next = end;
		if (data) {
			index = next;
			break;
		}
		if (next != index)
			break;
		index++;
	}
	spin_unlock(&inode->pages.lock);
	return index;
}

static int64_t
file_llseek(struct file *f, int64_t offset, int whence)
{
	struct inode *inode = f->inode;
	uint64_t at;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_llseek(f, offset, whence);
	mutex_lock(&inode->lock);
	if (offset < 0 || (uint64_t)offset >= inode->size) {
		mutex_unlock(&inode->lock);
		return -ENXIO;
	}
	at = find_page(inode, offset >> PAGE_SHIFT, whence == SEEK_DATA)
	    << PAGE_SHIFT;
	at = MAX(at, (uint64_t)offset);
	if (at >= inode->size)
		at = whence == SEEK_HOLE ? inode->size : UINT64_MAX;
	mutex_unlock(&inode->lock);
	if (at == UINT64_MAX)
		return -ENXIO;
	f->pos = at;
	return at;
}

static int
zero_bytes(struct inode *inode, uint64_t from, uint64_t end)
{
	struct page *p;
	int error;

	if (from >= end)
		return 0;
	error = pagecache_get(inode, from >> PAGE_SHIFT, PAGE_READ, &p);
	if (error == 0 && p != NULL) {
		memset((char *)page_kva(p) + (from & PAGE_MASK), 0, end - from);
		page_put(p);
	}
	return error;
}

/* Zeros in [from, end): whole pages go, the rest is written. */
static int
clear_range(struct inode *inode, uint64_t from, uint64_t end)
{
	uint64_t first = ROUND_UP(from, PAGE_SIZE);
	uint64_t last = ROUND_DOWN(end, PAGE_SIZE);
	int error;

	if (first > last)
		return zero_bytes(inode, from, end);
	error = zero_bytes(inode, from, first);
	if (error == 0)
		error = zero_bytes(inode, last, end);
	if (error == 0 && first < last)
		error = punch(inode, first >> PAGE_SHIFT,
		    (last >> PAGE_SHIFT) - 1);
	return error;
}

static int
allocate_range(struct inode *inode, uint64_t from, uint64_t end)
{
	struct page *p;
	uint64_t i;
	int error;

	for (i = from >> PAGE_SHIFT; i < PAGES(end); i++) {
		error = pagecache_get(inode, i, PAGE_CREATE, &p);
		if (error != 0)
			return error;
		page_put(p);
	}
	return 0;
}

static int
file_allocate(struct file *f, int mode, uint64_t offset, uint64_t len)
{
	struct inode *inode = f->inode;
	uint64_t end = offset + len;
	int error = 0;

	mutex_lock(&inode->lock);
	error = check_seals(inode, (mode & FALLOC_FL_PUNCH_HOLE) != 0 ? 0 : end,
	    (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0);
	if (error == 0 &&
	    (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0 &&
	    offset < inode->size)
		error = clear_range(inode, offset, MIN(end, inode->size));
	if (error == 0 && (mode & FALLOC_FL_PUNCH_HOLE) == 0)
		error = allocate_range(inode, offset, end);
	if (error == 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0 &&
	    end > inode->size)
		pagecache_truncate(inode, end);
	if (error == 0)
		inode_touch(inode);
	mutex_unlock(&inode->lock);
	return error;
}

const struct file_ops tmpfs_file_fops = {
	.read = file_read_pages,
	.write = file_write_pages,
	.mmap = file_map,
	.fsync = no_fsync,
	.llseek = file_llseek,
	.fallocate = file_allocate,
};
