/* SPDX-License-Identifier: ISC */
/*
 * tmpfs_impl.h - what tmpfs.c (superblock, directories) and tmpfs_file.c
 * (contents) share.
 *
 * Locking: the inode's pages.lock for its backing, the super's `lock` for its
 * counts.
 */
#ifndef FS_TMPFS_IMPL_H
#define FS_TMPFS_IMPL_H

#include "fs/file.h"
#include "fs/tmpfs.h"

struct tmpfs_inode { /* I: constant; p: pages.lock */
	struct inode inode;
	uint64_t charged;      /* super's lock: pages */
	uint64_t backing_size; /* [p] 0: none */
	paddr_t backing;       /* [I] */
	paddr_t whole_end;     /* [I] end of the frames that it fills */
	bool shared_tail;      /* [p] */
	char *target;          /* [I] symbolic links */
};

struct tmpfs_super { /* I: constant; s: lock */
	struct super sb;
	struct spinlock lock;
	uint64_t max_pages, used_pages;   /* [s] */
	uint64_t max_inodes, used_inodes; /* [s] */
	uint64_t last_ino;                /* [s] */
	uint32_t mode, uid, gid;          /* [I] of the root, as asked */
	bool size_given;                  /* [s] shown in /proc/mounts */
};

static inline struct tmpfs_inode *
tmpfs_i(struct inode *inode)
{
	return container_of(inode, struct tmpfs_inode, inode);
}

static inline struct tmpfs_super *
tmpfs_sb(struct super *sb)
{
	return container_of(sb, struct tmpfs_super, sb);
}

/* tmpfs_file.c */
extern const struct file_ops tmpfs_file_fops;
extern const struct pagecache_ops tmpfs_page_ops;
/* n pages of the file's are given up. */
void tmpfs_uncharge(struct tmpfs_inode *ti, uint64_t n);
/* Lets go of the backing beyond `size`. */
void tmpfs_backing_trim(struct tmpfs_inode *ti, uint64_t size);
/* At the inode's end, its page cache gone: of all of it. */
void tmpfs_backing_end(struct tmpfs_inode *ti);
/* inode->lock held. */
/* -EPERM: a seal (fcntl(2)) keeps the file from having that size. */
int tmpfs_check_size_seals(const struct inode *inode, uint64_t size);
void tmpfs_set_size(struct inode *inode, uint64_t size);

#endif
