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

/* A new superblock.  data: "size=", "nr_inodes=", "mode=", "uid=", "gid=". */
int tmpfs_create(const struct fs_type *type, const char *data,
    struct super **out);
/* A regular file without a name, charged to nobody's limit. */
int tmpfs_inode_unnamed(uint32_t mode, struct inode **out);

/*
 * Gives an empty regular file [pa, pa + size) as its content, in place: its
 * frames now belong to the file.  shared_tail: the frame of the last bytes
 * holds something else behind them that is still needed.
 */
void tmpfs_set_backing(struct inode *inode, paddr_t pa, uint64_t size);
void tmpfs_backing_shared_tail(struct inode *inode);
bool inode_is_tmpfs(const struct inode *inode);

#endif
