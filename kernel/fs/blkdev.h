/* SPDX-License-Identifier: ISC */
/*
 * blkdev.h - block devices as files: one inode with a page cache a device,
 * which all its nodes and openings share; read, write, O_DIRECT, ioctls.
 * Context: threads; may sleep.
 */
#ifndef FS_BLKDEV_H
#define FS_BLKDEV_H

#include "block/block.h"
#include "fs/file.h"
#include "kern/types.h"

struct boot_info;
/* Boot step, before drivers attach: devices that arrive get a node in /dev. */
int blkdev_init(const struct boot_info *bi);

/* file_ops of every S_IFBLK node: finds the device. */
extern const struct file_ops blkdev_node_ops;
/* Makes the nodes of all devices; for devtmpfs.c. */
int blkdev_add_all_nodes(void);

/* Writes everything back, to the disks' media; the first error. */
int blkdev_sync_all(void);

/* ---- between blkdev*.c ---- */

/*
 * A device's inode and what goes with it.  It lives as long as somebody has
 * the inode; the block_dev is the inode's.  i: inode.lock; a: atomic.
 */
struct blkdev {
	struct inode inode;   /* size is the disk's */
	struct block_dev *bd; /* [I] a reference */
	uint32_t opens;       /* [a] openings that may write */
	uint64_t dirtied;     /* [a] bytes since the last write-back */
	bool described;       /* [a] a disk's links can be made */
	int error;            /* [a] of a write-back that nobody saw */
	uint32_t block_size;  /* [a] as BLKBSZSET asked; 0: nobody did */
	uint64_t next_index;  /* read-ahead: where a run of misses goes on */
	uint32_t window;      /* [a] pages to read at the next miss */
	TAILQ_ENTRY(blkdev) link; /* of all that are there */
};

static inline struct blkdev *
blkdev_of(struct inode *inode)
{
	return container_of(inode, struct blkdev, inode);
}
/* The device behind an open file. */
static inline struct blkdev *
blkdev_of_file(const struct file *f)
{
	return f->priv;
}

/* -ENODEV is what a device's departure is called below; programs know EIO. */
static inline int
blkdev_error(int error)
{
	return error == -ENODEV ? -EIO : error;
}

/* Links below /dev/disk: blkdev_links.c.  Added and removed, as they are now. */
void blkdev_links_add(struct block_dev *bd);
void blkdev_links_remove(struct block_dev *bd);

/* Page cache: blkdev_cache.c. */
extern const struct pagecache_ops blkdev_cache_ops;
/* Writes dirty pages back and has the disk keep them. */
int blkdev_sync(struct blkdev *b);
/* Bytes [from, from + len): written back, then no longer cached. */
int blkdev_forget(struct blkdev *b, uint64_t from, uint64_t len);

/* O_DIRECT: blkdev_direct.c.  As file_ops. */
long blkdev_direct_read(struct file *f, struct uio *u, int64_t *pos);
long blkdev_direct_write(struct file *f, struct uio *u, int64_t *pos);

/* As file_ops.begin. */
int blkdev_direct_begin(struct file *f, struct uio *u, int64_t pos, bool write,
    struct file_async *fa);

/* ioctl(2), fallocate(2): blkdev_ioctl.c.  As file_ops. */
int blkdev_fallocate(struct file *f, int mode, uint64_t offset, uint64_t len);
long blkdev_ioctl(struct file *f, unsigned cmd, uint64_t arg);

#endif
