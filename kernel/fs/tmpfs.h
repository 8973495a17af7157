/* SPDX-License-Identifier: ISC */
/*
 * tmpfs.h - files in memory: the type "tmpfs" ("rootfs" for the first one),
 * and what the kernel itself puts into such a file system.
 */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H

#include "fs/vfs.h"
#include "kern/types.h"

extern const struct fs_type tmpfs_type, rootfs_type;
extern const struct inode_ops tmpfs_dir_ops;

/* A new superblock.  data: "size=", "nr_inodes=", "mode=", "uid=", "gid=". */
int
tmpfs_create(const struct fs_type *type, const char *data, struct super **out);
/*
 * The root file system is filled: from now on it may take half of what memory
 * is free.
 */
void tmpfs_settle(struct super *sb);
/* A regular file without a name, charged to nobody's limit. */
int tmpfs_inode_unnamed(uint32_t mode, struct inode **out);

/*
 * Gives an empty regular file [pa, pa + size) of boot's memory as its content,
 * in place, size not 0.  The reference that boot left on the frames that the
 * file fills is the file's from now on; of those at its edges it takes one
 * more.  shared_tail: the frame of the last bytes holds something else behind
 * them that is still needed.  Before anybody uses the file.
 */
void tmpfs_set_backing(struct inode *inode, paddr_t pa, uint64_t size);
void tmpfs_backing_shared_tail(struct inode *inode);
/* An empty file again. */
void tmpfs_truncate(struct inode *inode);
bool inode_is_tmpfs(const struct inode *inode);

#endif
