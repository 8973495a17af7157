/* SPDX-License-Identifier: ISC */
/*
 * blkdev.c - block devices as files: their inodes and nodes, opening, reading
 * and writing, and the thread that writes back what was forgotten.
 *
 * The node in /dev is a tmpfs inode that carries numbers only; an open finds
 * the device's own inode behind them, which has the pages.  It is there from
 * the disk's arrival to its departure, and as long as somebody has it open or
 * mapped.
 */
#include "fs/blkdev.h"
#include "abi/mode.h"
#include "fs/devtmpfs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/thread.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#define DIRTY_MAX   (8ul << 20)        /* bytes; then the writer writes back */
#define DIRTY_SHARE 16                 /* or this part of free memory */
#define FLUSH_NS    (5 * NSEC_PER_SEC) /* how long it may lie */

static struct mutex lock = MUTEX_INIT(lock);
static TAILQ_HEAD(, blkdev) all = TAILQ_HEAD_INITIALIZER(all); /* lock */
static struct super blk_super; /* st_dev of nobody */

/* ------------------------------------------------ arrival, departure -- */

static void
evict(struct inode *inode)
{
	struct blkdev *b = blkdev_of(inode);

	block_put(b->bd);
	kfree(b);
}

static const struct super_ops blk_super_ops = { .evict = evict };
static const struct inode_ops blk_inode_ops;

static int
add_node(const struct block_dev *bd)
{
	return devtmpfs_add(bd->name, S_IFBLK | 0600,
	    dev_make(bd->major, bd->minor));
}

/* What was not written is lost: who wrote it hears of it at fsync or close. */
static void
departed(struct block_dev *bd)
{
	struct blkdev *b = bd->upper;

	if (b == NULL)
		return;
	bd->upper = NULL;
	/* Off the list first: who makes all nodes now has made ours, or not. */
	mutex_lock(&lock);
	TAILQ_REMOVE(&all, b, link);
	mutex_unlock(&lock);
	if (devtmpfs_is_populated()) {
		blkdev_links_remove(bd);
		devtmpfs_remove(bd->name);
	}
	if (__atomic_load_n(&b->dirtied, __ATOMIC_RELAXED) != 0)
		__atomic_store_n(&b->error, -EIO, __ATOMIC_RELAXED);
	__atomic_store_n(&b->inode.size, 0, __ATOMIC_RELEASE);
	pagecache_drop_range(&b->inode, 0, UINT64_MAX >> PAGE_SHIFT);
	inode_put(&b->inode);
}

static int
arrived(struct block_dev *bd)
{
	struct blkdev *b = kzalloc(sizeof(*b));
	int error;

	if (b == NULL)
		return -ENOMEM;
	inode_init(&b->inode, &blk_super, S_IFBLK | 0600,
	    dev_make(bd->major, bd->minor));
	b->inode.ops = &blk_inode_ops;
	b->inode.size = block_sectors(bd) << SECTOR_SHIFT;
	b->inode.pages.ops = &blkdev_cache_ops;
	b->bd = bd;
	block_get(bd);
	bd->upper = b;
	mutex_lock(&lock);
	TAILQ_INSERT_TAIL(&all, b, link);
	mutex_unlock(&lock);
	if (!devtmpfs_is_populated())
		return 0;
	error = add_node(bd);
	if (error == 0 && bd->whole != NULL)
		blkdev_links_add(bd);
	else if (error != 0)
		departed(bd);
	return error;
}

/* All is known of a disk now: its serial number, too. */
static void
described(struct block_dev *bd)
{
	struct blkdev *b = bd->upper;

	if (b == NULL)
		return;
	__atomic_store_n(&b->described, true, __ATOMIC_SEQ_CST);
	if (devtmpfs_is_populated())
		blkdev_links_add(bd);
}

/* While the disk still works: what programs wrote reaches it. */
static void
leaving(struct block_dev *bd)
{
	struct blkdev *b = bd->upper;
	int error;

	if (b == NULL)
		return;
	error = blkdev_sync(b);
	if (error != 0)
		log_warn("%s: leaves, and not all was written back, error %d",
		    bd->name, -error);
	else
		__atomic_store_n(&b->dirtied, 0, __ATOMIC_RELAXED);
}

static void
resized(struct block_dev *bd)
{
	struct blkdev *b = bd->upper;

	if (b != NULL)
		__atomic_store_n(&b->inode.size,
		    block_sectors(bd) << SECTOR_SHIFT, __ATOMIC_RELEASE);
}

static const struct block_watcher watcher = {
	.arrived = arrived,
	.described = described,
	.departed = departed,
	.leaving = leaving,
	.resized = resized,
};

int
blkdev_init(const struct boot_info *bi)
{
	(void)bi;
	super_init(&blk_super, &blk_super_ops, NULL, 0x62646576);
	block_set_watcher(&watcher);
	return block_init(bi);
}

int
blkdev_add_all_nodes(void)
{
	struct blkdev *b;
	int error = 0;

	mutex_lock(&lock);
	TAILQ_FOREACH (b, &all, link) {
		if (error == 0)
			error = add_node(b->bd);
		if (error == 0 &&
		    (b->bd->whole != NULL ||
			__atomic_load_n(&b->described, __ATOMIC_SEQ_CST)))
			blkdev_links_add(b->bd);
	}
	mutex_unlock(&lock);
	return error;
}

/* Referenced, or NULL. */
static struct blkdev *
find(uint64_t rdev)
{
	struct blkdev *b;

	mutex_lock(&lock);
	TAILQ_FOREACH (b, &all, link) {
		if (b->inode.rdev == rdev)
			break;
	}
	if (b != NULL)
		inode_get(&b->inode);
	mutex_unlock(&lock);
	return b;
}

/* The one after `b` (NULL: the first), whose reference is dropped. */
static struct blkdev *
next(struct blkdev *b)
{
	struct blkdev *at, *found = NULL;
	bool seen = b == NULL;

	mutex_lock(&lock);
	TAILQ_FOREACH (at, &all, link) {
		if (seen) {
			found = at;
			inode_get(&found->inode);
			break;
		}
		seen = at == b;
	}
	mutex_unlock(&lock);
	if (b != NULL)
		inode_put(&b->inode);
	return found;
}

/* -------------------------------------------------------- write-back -- */

int
blkdev_sync_all(void)
{
	struct blkdev *b = NULL;
	int error = 0, one;

	while ((b = next(b)) != NULL) {
		one = blkdev_sync(b);
		if (error == 0)
			error = one;
	}
	return error;
}

static struct waitq flusher_wq = WAITQ_INIT(flusher_wq);
static bool flusher_runs; /* under lock */
static bool dirty;        /* atomic: something was written since */

static void
flush_forgotten(void)
{
	struct blkdev *b = NULL;
	int error;

	while ((b = next(b)) != NULL) {
		if (__atomic_load_n(&b->opens, __ATOMIC_RELAXED) == 0 &&
		    __atomic_load_n(&b->dirtied, __ATOMIC_RELAXED) == 0)
			continue;
		error = pagecache_sync(&b->inode, 0, UINT64_MAX >> PAGE_SHIFT);
		__atomic_store_n(&b->dirtied, 0, __ATOMIC_RELAXED);
		if (error != 0)
			__atomic_store_n(&b->error, error, __ATOMIC_RELAXED);
	}
}

/* Pages that are dirty grow FLUSH_NS old, or little more. */
static void
flusher(void *arg)
{
	static struct waitq never = WAITQ_INIT(never);
	int64_t until;

	(void)arg;
	for (;;) {
		wait_event(&flusher_wq,
		    __atomic_exchange_n(&dirty, false, __ATOMIC_ACQ_REL));
		until = clock_mono_ns() + FLUSH_NS;
		(void)wait_event_until(&never, false, until);
		flush_forgotten();
	}
}

static int
flusher_start(void)
{
	struct thread *t;
	int error = 0;

	mutex_lock(&lock);
	if (!flusher_runs) {
		error = thread_create("flusher", flusher, NULL, &t);
		if (error == 0)
			thread_start(t);
		flusher_runs = error == 0;
	}
	mutex_unlock(&lock);
	return error;
}

static uint64_t
dirty_max(void)
{
	struct page_stats st;

	page_stats(&st);
	return MIN(DIRTY_MAX,
	    (st.free + pagecache_total()) * PAGE_SIZE / DIRTY_SHARE);
}

/* After a write of n bytes: soon, or now. */
static int
wrote(struct blkdev *b, uint64_t n)
{
	uint64_t sum = __atomic_add_fetch(&b->dirtied, n, __ATOMIC_RELAXED);
	int error;

	if (sum <= dirty_max()) {
		if (!__atomic_exchange_n(&dirty, true, __ATOMIC_ACQ_REL))
			waitq_wake_all(&flusher_wq);
		return 0;
	}
	__atomic_store_n(&b->dirtied, 0, __ATOMIC_RELAXED);
	error = pagecache_sync(&b->inode, 0, UINT64_MAX >> PAGE_SHIFT);
	if (error != 0)
		__atomic_store_n(&b->error, error, __ATOMIC_RELAXED);
	return error;
}

/* -------------------------------------------------------- open files -- */

/* The kernel's own buffers go by way of the cache. */
static bool
is_direct(const struct file *f, const struct uio *u)
{
	return (f->flags & O_DIRECT) != 0 && u->space == UIO_USER;
}

static long
blk_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct blkdev *b = blkdev_of_file(f);

	if (is_direct(f, u))
		return blkdev_direct_read(f, u, pos);
	if (block_is_gone(b->bd))
		return -EIO;
	return pagecache_read(&b->inode, u, pos);
}

static long
write_cached(struct blkdev *b, struct uio *u, int64_t *pos)
{
	int64_t from = *pos;
	uint64_t max = u->size_max;
	long n;

	u->size_max = MIN(max, b->inode.size);
	mutex_lock(&b->inode.lock);
	n = pagecache_write(&b->inode, u, pos);
	mutex_unlock(&b->inode.lock);
	u->size_max = max;
	if (n > 0 && wrote(b, n) != 0) {
		*pos = from;
		return -EIO;
	}
	return n;
}

/* The end of the disk is its end: what does not fit is -ENOSPC. */
static long
blk_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct blkdev *b = blkdev_of_file(f);
	long n;
	int error = 0;

	if (block_is_gone(b->bd))
		return -EIO;
	if (u->resid == 0)
		return 0;
	if ((uint64_t)*pos >= b->inode.size)
		return -ENOSPC;
	n = is_direct(f, u) ? blkdev_direct_write(f, u, pos) :
			      write_cached(b, u, pos);
	if (n > 0 &&
	    ((f->flags & (O_DSYNC | __O_SYNC)) != 0 ||
		(u->flags & UIO_DSYNC) != 0))
		error = blkdev_sync(b);
	return error != 0 ? error : n;
}

/* Without the cache, and where nothing must follow the transfer. */
static int
blk_begin(struct file *f, struct uio *u, int64_t pos, bool write,
    struct file_async *fa)
{
	if (!is_direct(f, u) ||
	    (write &&
		((f->flags & (O_DSYNC | __O_SYNC)) != 0 ||
		    (u->flags & UIO_DSYNC) != 0)))
		return -EOPNOTSUPP;
	if (block_is_gone(blkdev_of_file(f)->bd))
		return -EIO;
	return blkdev_direct_begin(f, u, pos, write, fa);
}

static void
blk_commit(struct file *f)
{
	block_commit(blkdev_of_file(f)->bd);
}

static int
blk_mmap(struct file *f, uint64_t size, unsigned *vm_flags, uint64_t *offset,
    struct vm_object **object)
{
	struct blkdev *b = blkdev_of_file(f);

	(void)size;
	(void)vm_flags;
	(void)offset;
	inode_get(&b->inode);
	*object = &b->inode.pages.object;
	return 0;
}

static int
blk_fsync(struct file *f, bool data_only)
{
	(void)data_only;
	return blkdev_sync(blkdev_of_file(f));
}

/* The node's size is 0; the device's is meant. */
static int64_t
blk_llseek(struct file *f, int64_t offset, int whence)
{
	struct blkdev *b = blkdev_of_file(f);
	int64_t size = __atomic_load_n(&b->inode.size, __ATOMIC_ACQUIRE);
	int64_t from = 0, to;

	switch (whence) {
	case SEEK_SET: break;
	case SEEK_CUR: from = f->pos; break;
	case SEEK_END: from = size; break;
	default: return -EINVAL;
	}
	if (__builtin_add_overflow(from, offset, &to) || to < 0 || to > size)
		return -EINVAL;
	f->pos = to;
	return to;
}

/* The last one that may write leaves nothing behind in memory only. */
static void
blk_release(struct file *f)
{
	struct blkdev *b = blkdev_of_file(f);

	if ((f->mode & FILE_WRITE) != 0 &&
	    __atomic_sub_fetch(&b->opens, 1, __ATOMIC_ACQ_REL) == 0 &&
	    !block_is_gone(b->bd)) {
		int error = pagecache_sync(&b->inode, 0,
		    UINT64_MAX >> PAGE_SHIFT);

		if (error != 0)
			log_warn("%s: not all was written back, error %d",
			    b->bd->name, -error);
	}
	if ((f->mode & FILE_EXCL) != 0)
		block_unclaim(b->bd);
	block_closed(b->bd);
	inode_put(&b->inode);
}

static const struct file_ops blk_ops = {
	.release = blk_release,
	.read = blk_read,
	.write = blk_write,
	.begin = blk_begin,
	.commit = blk_commit,
	.ioctl = blkdev_ioctl,
	.mmap = blk_mmap,
	.fsync = blk_fsync,
	.llseek = blk_llseek,
	.fallocate = blkdev_fallocate,
};

static int
may_open(struct blkdev *b, struct file *f)
{
	int error = 0;

	if ((f->mode & FILE_WRITE) != 0)
		error = block_is_read_only(b->bd) ? -EACCES : flusher_start();
	if (error == 0 && (f->mode & FILE_EXCL) != 0)
		error = block_claim(b->bd);
	return error;
}

static int
node_open(struct inode *inode, struct file *f)
{
	struct blkdev *b = find(inode->rdev);
	int error;

	if (b == NULL)
		return -ENXIO;
	error = may_open(b, f);
	if (error != 0) {
		inode_put(&b->inode);
		return error;
	}
	if ((f->mode & FILE_WRITE) != 0)
		__atomic_add_fetch(&b->opens, 1, __ATOMIC_RELAXED);
	block_opened(b->bd);
	f->priv = b;
	f->ops = &blk_ops;
	return 0;
}

const struct file_ops blkdev_node_ops = { .open = node_open };
