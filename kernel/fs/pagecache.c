/* SPDX-License-Identifier: ISC */
/*
 * pagecache.c - files in memory: look-up, read, write, truncation, and the
 * vm_object that mappings see.
 */
#include "fs/pagecache.h"
#include "fs/uio.h"
#include "fs/vfs.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <linux/errno.h>
#include "abi/mode.h"

/* Caches whose clean pages can be had again; taken with a try by reclaim. */
static struct spinlock listed_lock = SPINLOCK_INIT;
static TAILQ_HEAD(, pagecache) listed = TAILQ_HEAD_INITIALIZER(listed);
static uint64_t total;  /* atomic */
static uint64_t backed; /* atomic: of these, what a disk or host has too */

#define RECLAIM 64 /* frames at once, at least */

static struct inode *
inode_of(struct vm_object *o)
{
	return container_of(o, struct inode, pages.object);
}

/* ------------------------------------------------- single pages -- */

static struct page *
find_get(struct pagecache *pc, uint64_t index)
{
	struct page *p;

	spin_lock(&pc->lock);
	p = pagetree_find(&pc->tree, index);
	if (p != NULL)
		page_get(p);
	spin_unlock(&pc->lock);
	return p;
}

static void
list_cache(struct pagecache *pc)
{
	if (pc->listed || pc->ops->writeback == NULL)
		return;
	spin_lock(&listed_lock);
	if (!pc->listed)
		TAILQ_INSERT_TAIL(&listed, pc, link);
	pc->listed = true;
	spin_unlock(&listed_lock);
}

/*
 * *other is the page that is there already, referenced, or NULL.  A node that
 * cannot be had is -ENOMEM: this cache could give nothing back meanwhile, as
 * its lock was held.
 */
static int
insert_once(struct pagecache *pc, uint64_t index, struct page *p,
    struct page **other)
{
	int error = 0;

	spin_lock(&pc->lock);
	*other = pagetree_find(&pc->tree, index);
	if (*other != NULL)
		page_get(*other);
	else
		error = pagetree_insert(&pc->tree, index, p);
	if (*other == NULL && error == 0) {
		p->owner = pc;
		p->index = index;
		p->flags |= PG_CACHE;
		pc->npages++;
		page_get(p);
	}
	spin_unlock(&pc->lock);
	return error;
}

/*
 * Puts a filled page into the tree, which takes a reference of its own.  Where
 * another thread was faster, that one's page comes back instead.
 */
static int
insert(struct inode *inode, uint64_t index, struct page **page)
{
	struct pagecache *pc = &inode->pages;
	struct page *p = *page, *other;
	int error;

	do
		error = insert_once(pc, index, p, &other);
	while (error == -ENOMEM && pagecache_reclaim(RECLAIM) != 0);
	if (other == NULL && error == 0) {
		__atomic_add_fetch(&total, 1, __ATOMIC_RELAXED);
		if (pc->ops->writeback != NULL)
			__atomic_add_fetch(&backed, 1, __ATOMIC_RELAXED);
		list_cache(pc);
		return 0;
	}
	if (pc->ops->unfill != NULL)
		pc->ops->unfill(inode, p);
	page_put(p);
	*page = other;
	return error;
}

void
pagecache_add(struct inode *inode, uint64_t index, struct page *page)
{
	struct page *p = page;

	page_get(p);
	if (insert(inode, index, &p) == 0)
		page_put(p);
}

int
pagecache_get(struct inode *inode, uint64_t index, enum page_want want,
    struct page **out)
{
	struct pagecache *pc = &inode->pages;
	int error;

	*out = find_get(pc, index);
	if (*out != NULL)
		return 0;
	error = pc->ops->fill(inode, index, want, out);
	if (error != 0 || *out == NULL)
		return error;
	return insert(inode, index, out);
}

/* The page is out of the tree already. */
static void
forget_page(struct pagecache *pc, struct page *p)
{
	if (pc->ops->writeback != NULL)
		__atomic_sub_fetch(&backed, 1, __ATOMIC_RELAXED);
	p->flags &= ~(PG_CACHE | PG_DIRTY);
	__atomic_sub_fetch(&total, 1, __ATOMIC_RELAXED);
	page_put(p);
}

/* Takes up to n pages of [*index, last] out; where it stopped in *index. */
static unsigned
take_out(struct pagecache *pc, uint64_t *index, uint64_t last,
    struct page *pages[], unsigned n)
{
	unsigned i;
	void *p;

	spin_lock(&pc->lock);
	for (i = 0; i < n; i++) {
		p = pagetree_next(&pc->tree, index);
		if (p == NULL || *index > last)
			break;
		pages[i] = pagetree_remove(&pc->tree, *index);
		pc->npages--;
		(*index)++;
	}
	spin_unlock(&pc->lock);
	return i;
}

static void
remove_range(struct inode *inode, uint64_t first, uint64_t last)
{
	struct pagecache *pc = &inode->pages;
	struct page *pages[16];
	unsigned i, n;

	if (pc->ops == NULL)
		return;
	while ((n = take_out(pc, &first, last, pages, ARRAY_SIZE(pages))) > 0) {
		for (i = 0; i < n; i++)
			forget_page(pc, pages[i]);
		if (pc->ops->uncharge != NULL)
			pc->ops->uncharge(inode, n);
	}
}

void
pagecache_drop_range(struct inode *inode, uint64_t first, uint64_t last)
{
	remove_range(inode, first, last);
	vm_object_unmap(&inode->pages.object, first, last, true);
}

void
pagecache_truncate(struct inode *inode, uint64_t size)
{
	uint64_t old = inode->size;
	struct page *p;

	__atomic_store_n(&inode->size, size, __ATOMIC_RELEASE);
	if (size >= old)
		return;
	pagecache_drop_range(inode, PAGES(size), UINT64_MAX >> PAGE_SHIFT);
	if ((size & PAGE_MASK) == 0)
		return;
	p = find_get(&inode->pages, size >> PAGE_SHIFT);
	if (p != NULL) {
		memset((char *)page_kva(p) + (size & PAGE_MASK), 0,
		    PAGE_SIZE - (size & PAGE_MASK));
		page_put(p);
	}
}

/* ---------------------------------------------- reading, writing -- */

long
pagecache_read(struct inode *inode, struct uio *u, int64_t *pos)
{
	uint64_t at = *pos, size, off;
	size_t n, moved;
	struct page *p;
	int error = 0;

	while (u->resid > 0) {
		size = __atomic_load_n(&inode->size, __ATOMIC_ACQUIRE);
		if (at >= size)
			break;
		off = at & PAGE_MASK;
		n = MIN(MIN(PAGE_SIZE - off, u->resid), size - at);
		error = pagecache_get(inode, at >> PAGE_SHIFT, PAGE_READ, &p);
		if (error != 0)
			break;
		if (p != NULL) {
			moved = uio_put(u, (char *)page_kva(p) + off, n);
			page_put(p);
		} else {
			moved = uio_clear(u, n);
		}
		at += moved;
		if (moved < n) {
			error = -EFAULT;
			break;
		}
	}
	n = at - *pos;
	*pos = at;
	return n != 0 ? (long)n : error;
}

static void
mark_dirty(struct pagecache *pc, struct page *p)
{
	if (pc->ops->writeback != NULL &&
	    (__atomic_fetch_or(&p->flags, PG_DIRTY, __ATOMIC_RELAXED) &
		PG_DIRTY) == 0)
		thread_count_disk(true, PAGE_SIZE);
}

/*
 * A whole page that is not there yet: copied into a fresh frame, so that it
 * needs no zeros first.  What the program's memory did not give stays zero.
 */
static long
write_fresh(struct inode *inode, struct uio *u, uint64_t index)
{
	struct page *p, *mine;
	size_t moved;
	int error;

	error = inode->pages.ops->fill(inode, index, PAGE_OVERWRITE, &p);
	if (error != 0)
		return error;
	moved = uio_get(u, page_kva(p), PAGE_SIZE);
	if (moved < PAGE_SIZE)
		memset((char *)page_kva(p) + moved, 0, PAGE_SIZE - moved);
	mine = p;
	page_get(mine);
	error = insert(inode, index, &p);
	if (error == 0) {
		if (p != mine) /* a mapping's fault was faster */
			memcpy(page_kva(p), page_kva(mine), moved);
		mark_dirty(&inode->pages, p);
		page_put(p);
	}
	page_put(mine);
	return error != 0 ? error : (long)moved;
}

/* Up to n bytes of one page. */
static long
write_page(struct inode *inode, struct uio *u, uint64_t at, size_t n)
{
	struct pagecache *pc = &inode->pages;
	uint64_t index = at >> PAGE_SHIFT, off = at & PAGE_MASK;
	struct page *p;
	size_t moved;
	int error;

	p = find_get(pc, index);
	if (p == NULL && n == PAGE_SIZE)
		return write_fresh(inode, u, index);
	if (p == NULL) {
		error = pagecache_get(inode, index, PAGE_CREATE, &p);
		if (error != 0)
			return error;
	}
	moved = uio_get(u, (char *)page_kva(p) + off, n);
	mark_dirty(pc, p);
	page_put(p);
	return moved;
}

long
pagecache_write(struct inode *inode, struct uio *u, int64_t *pos)
{
	uint64_t at = *pos, left;
	uint64_t max = MIN(u->size_max, inode->sb->max_size);
	size_t n;
	long moved = 0;

	if (u->resid == 0)
		return 0;
	if (at >= max)
		return -EFBIG;
	left = MIN(u->resid, max - at);
	while (left > 0) {
		n = MIN(PAGE_SIZE - (at & PAGE_MASK), left);
		moved = write_page(inode, u, at, n);
		if (moved <= 0)
			break;
		at += moved;
		left -= moved;
		if (at > inode->size)
			__atomic_store_n(&inode->size, at, __ATOMIC_RELEASE);
		if (moved < n) {
			moved = 0;
			break;
		}
	}
	n = at - *pos;
	*pos = at;
	if (n != 0)
		return n;
	return moved < 0 ? moved : -EFAULT;
}

/* ------------------------------------------------ as a vm_object -- */

static int
object_get_page(struct vm_object *o, uint64_t index, bool write,
    struct page **out)
{
	struct inode *inode = inode_of(o);
	uint64_t size = __atomic_load_n(&inode->size, __ATOMIC_ACQUIRE);
	int error;

	if (index >= PAGES(size))
		return -ENXIO;
	error = pagecache_get(inode, index, PAGE_CREATE, out);
	if (error == 0 && write)
		mark_dirty(&inode->pages, *out);
	return error;
}

static unsigned
object_peek_pages(struct vm_object *o, uint64_t index, unsigned n,
    struct page **out)
{
	struct inode *inode = inode_of(o);
	struct pagecache *pc = &inode->pages;
	uint64_t end = PAGES(__atomic_load_n(&inode->size, __ATOMIC_ACQUIRE));
	unsigned i, found = 0;

	spin_lock(&pc->lock);
	for (i = 0; i < n; i++) {
		out[i] = index + i < end ? pagetree_find(&pc->tree, index + i) :
					   NULL;
		if (out[i] != NULL) {
			page_get(out[i]);
			found++;
		}
	}
	spin_unlock(&pc->lock);
	return found;
}

static int
object_sync(struct vm_object *o, uint64_t first, uint64_t last)
{
	return pagecache_sync(inode_of(o), first, last);
}

static int
object_punch(struct vm_object *o, uint64_t first, uint64_t last)
{
	struct inode *inode = inode_of(o);
	int error;

	if (inode->pages.ops == NULL || inode->pages.ops->punch == NULL)
		return -EOPNOTSUPP;
	mutex_lock(&inode->lock);
	error = inode->pages.ops->punch(inode, first, last);
	mutex_unlock(&inode->lock);
	return error;
}

static void
object_release(struct vm_object *o)
{
	inode_release(inode_of(o));
}

static void
object_describe(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
    uint64_t *ino)
{
	struct inode *inode = inode_of(o);

	*dev = inode->sb->dev;
	*ino = inode->ino;
	inode_path_string(inode, buf, size);
}

static const struct vm_object_ops object_ops = {
	.get_page = object_get_page,
	.peek_pages = object_peek_pages,
	.sync = object_sync,
	.punch = object_punch,
	.release = object_release,
	.describe = object_describe,
};

void
pagecache_init(struct pagecache *pc)
{
	vm_object_init(&pc->object, &object_ops);
	pc->ops = NULL;
	pagetree_init(&pc->tree);
	pc->npages = 0;
	pc->hand = 0;
	spin_init(&pc->lock);
	pc->listed = false;
}

void
pagecache_destroy(struct inode *inode)
{
	struct pagecache *pc = &inode->pages;

	if (pc->listed) {
		spin_lock(&listed_lock);
		TAILQ_REMOVE(&listed, pc, link);
		spin_unlock(&listed_lock);
	}
	remove_range(inode, 0, UINT64_MAX >> PAGE_SHIFT);
	pagetree_fini(&pc->tree);
}

/* ------------------------------------------- writeback, reclaim -- */

/* The first dirty page from *index on, marked clean, with a reference. */
static struct page *
next_dirty(struct pagecache *pc, uint64_t *index, uint64_t last)
{
	struct page *p;

	spin_lock(&pc->lock);
	for (;; (*index)++) {
		p = pagetree_next(&pc->tree, index);
		if (p == NULL || *index > last) {
			p = NULL;
			break;
		}
		if ((p->flags & PG_DIRTY) != 0) {
			__atomic_and_fetch(&p->flags, (uint8_t)~PG_DIRTY,
			    __ATOMIC_RELAXED);
			page_get(p);
			break;
		}
	}
	spin_unlock(&pc->lock);
	return p;
}

/* The neighbours of pages[0] that are dirty, too; how many in all. */
static unsigned
dirty_run(struct pagecache *pc, uint64_t first, uint64_t last,
    struct page *pages[])
{
	uint64_t index, at;
	unsigned n;

	last = MIN(last, first + PAGECACHE_RUN - 1);
	for (n = 1, index = first + 1; index <= last; n++, index++) {
		at = index;
		pages[n] = next_dirty(pc, &at, index);
		if (pages[n] == NULL)
			break;
	}
	return n;
}

/*
 * Pages are marked clean before they are written, so that who writes to them
 * meanwhile marks them again; mappings lose them first for the same reason.
 */
int
pagecache_sync(struct inode *inode, uint64_t first, uint64_t last)
{
	struct pagecache *pc = &inode->pages;
	struct page *pages[PAGECACHE_RUN];
	unsigned i, n;
	int error = 0, one;

	if (pc->ops == NULL || pc->ops->writeback == NULL)
		return 0;
	while ((pages[0] = next_dirty(pc, &first, last)) != NULL) {
		n = dirty_run(pc, first, last, pages);
		if (!TAILQ_EMPTY(&pc->object.mappings))
			vm_object_unmap(&pc->object, first, first + n - 1,
			    false);
		one = pc->ops->writeback(inode, first, pages, n);
		for (i = 0; i < n; i++) {
			if (one != 0)
				mark_dirty(pc, pages[i]);
			page_put(pages[i]);
		}
		if (one != 0)
			error = one;
		first += n;
	}
	return error;
}

static bool
spin_try(struct spinlock *lock)
{
	preempt_disable();
	if (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) == 0)
		return true;
	preempt_enable();
	return false;
}

/*
 * Drops pages that nobody else holds.  Nodes of the tree stay: freeing them
 * could enter the allocator that is waiting for us.
 */
static uint64_t
reclaim_from(struct pagecache *pc, uint64_t want)
{
	uint64_t n = 0;
	bool again = pc->hand != 0;
	struct page *p;

	while (n < want) {
		p = pagetree_next(&pc->tree, &pc->hand);
		if (p == NULL) {
			pc->hand = 0;
			if (!again)
				break;
			again = false;
			continue;
		}
		if (p->refs == 1 && (p->flags & PG_DIRTY) == 0) {
			pagetree_clear(&pc->tree, pc->hand);
			pc->npages--;
			forget_page(pc, p);
			n++;
		}
		pc->hand++;
	}
	return n;
}

uint64_t
pagecache_reclaim(uint64_t frames)
{
	struct pagecache *pc;
	uint64_t n = 0;

	if (!spin_try(&listed_lock))
		return 0;
	TAILQ_FOREACH (pc, &listed, link) {
		if (n >= frames)
			break;
		if (!spin_try(&pc->lock))
			continue;
		n += reclaim_from(pc, frames - n);
		spin_unlock(&pc->lock);
	}
	spin_unlock(&listed_lock);
	return n;
}

uint64_t
pagecache_reclaim_batch(uint64_t frames)
{
	return pagecache_reclaim(MAX(frames, RECLAIM));
}

uint64_t
pagecache_backed(void)
{
	return __atomic_load_n(&backed, __ATOMIC_RELAXED);
}

uint64_t
pagecache_total(void)
{
	return __atomic_load_n(&total, __ATOMIC_RELAXED);
}
