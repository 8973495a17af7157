/* SPDX-License-Identifier: ISC */
/*
 * pagecache.h - a file's pages in memory: a radix tree of struct page, at the
 * same time the vm_object that mappings of the file see.
 *
 * A page in the tree is always complete: it was filled before it was put
 * there.  The tree holds one reference on each.  Locking: `lock` guards the
 * tree and is never held across a copy or a fill; file sizes and writes are
 * under the inode's sleep lock.
 */
#ifndef FS_PAGECACHE_H
#define FS_PAGECACHE_H

#include "kern/page.h"
#include "kern/spinlock.h"
#include "kern/types.h"
#include "kern/vm.h"
#include "fs/pagetree.h"

struct inode;
struct uio;

enum page_want {
	PAGE_READ,      /* a hole may answer *out NULL */
	PAGE_CREATE,    /* a page, zeros where the file has a hole */
	PAGE_OVERWRITE, /* a page; its contents need not be set */
};

#define PAGECACHE_RUN 64u /* pages written back at once */

struct pagecache_ops {
	/*
	 * The page `index`, which is not in the tree: a frame with one
	 * reference, filled as `want` says.  Charges what a page costs.
	 * May sleep.  -EIO, -ENOMEM, -ENOSPC
	 */
	int (*fill)(struct inode *inode, uint64_t index, enum page_want want,
	    struct page **out);
	/* A page from fill is not wanted after all; may be NULL. */
	void (*unfill)(struct inode *inode, struct page *p);
	/* n pages were taken out for good: give back the charge. */
	void (*uncharge)(struct inode *inode, uint64_t n);
	/*
	 * Writes n dirty pages back, neighbours from `index` on.  NULL: memory
	 * is their only home, and pages are never reclaimed.
	 */
	int (*writeback)(struct inode *inode, uint64_t index,
	    struct page *const pages[], unsigned n);
	/*
	 * Frees whole pages [first, last] of contents, inode->lock held; they
	 * read as zeros.  NULL: cannot.
	 */
	int (*punch)(struct inode *inode, uint64_t first, uint64_t last);
	/* What is dirty is written back before the inode ends. */
	bool sync_at_end;
};

struct pagecache {
	struct vm_object object;         /* refs: the inode's */
	const struct pagecache_ops *ops; /* [I] NULL: no pages */
	struct pagetree tree;            /* under lock */
	uint64_t npages;                 /* under lock */
	uint64_t hand;                   /* under lock: where reclaim goes on */
	struct spinlock lock;
	bool listed;                 /* can be refilled: reclaim sees it */
	TAILQ_ENTRY(pagecache) link; /* list of those */
};

/*
 * Called by inode_init(); ops are set by the file system, for regular files,
 * before the inode is seen by others.
 */
void pagecache_init(struct pagecache *pc);

/*
 * The page with a reference, filling it if need be (not PAGE_OVERWRITE).
 * 0 with *out NULL: a hole.
 */
int pagecache_get(struct inode *inode, uint64_t index, enum page_want want,
    struct page **out);

/* No page is in memory, at this moment. */
static inline bool
pagecache_is_empty(const struct pagecache *pc)
{
	return __atomic_load_n(&pc->npages, __ATOMIC_RELAXED) == 0;
}

/*
 * Puts a filled page into the cache, unless there is one: read-ahead.  The
 * caller keeps its reference.  Only for files whose pages cost no charge.
 */
void pagecache_add(struct inode *inode, uint64_t index, struct page *page);

/* read and write of files whose fops are in memory pages.  As file_ops. */
long pagecache_read(struct inode *inode, struct uio *u, int64_t *pos);
/* inode->lock held; extends the size.  Bytes or -errno. */
long pagecache_write(struct inode *inode, struct uio *u, int64_t *pos);

/*
 * Sets the size, inode->lock held: pages beyond go, the last one's tail is
 * zeroed, mappings lose them.
 */
void pagecache_truncate(struct inode *inode, uint64_t size);
/*
 * Takes whole pages [first, last] out, mappings included.  The size, or what
 * fill answers, was changed before.
 */
void pagecache_drop_range(struct inode *inode, uint64_t first, uint64_t last);
/* All pages, no mapping is left: at the end of the inode. */
void pagecache_destroy(struct inode *inode);
/* Writes dirty pages of [first, last] back. */
int pagecache_sync(struct inode *inode, uint64_t first, uint64_t last);
/*
 * Drops clean unused pages of caches that can write back and refill; how
 * many.  Takes no lock that its caller could hold, frees only frames: fit for
 * page_set_reclaim().  Goes on where it left off.
 */
uint64_t pagecache_reclaim(uint64_t frames);
/* The same for at least some dozens, so that the next one need not look. */
uint64_t pagecache_reclaim_batch(uint64_t frames);
/* Pages in all caches, for /proc/meminfo. */
uint64_t pagecache_total(void);
/* Of these, pages of files that are elsewhere too: no tmpfs, no root. */
uint64_t pagecache_backed(void);

#endif
