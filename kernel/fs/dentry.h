/* SPDX-License-Identifier: ISC */
/*
 * dentry.h - the name tree's inside, for the VFS's own files; file systems
 * use what vfs.h declares.  _locked: vfs_lock is held.
 */
#ifndef FS_DENTRY_H
#define FS_DENTRY_H

#include "fs/vfs.h"
#include <linux/errno.h>

/* The hash of a name in a directory, a byte at a time. */
static inline uint32_t
dentry_hash_start(const struct dentry *dir)
{
	return (uint32_t)((uintptr_t)dir >> 4);
}
static inline uint32_t
dentry_hash_step(uint32_t hash, char c)
{
	return (hash ^ (uint8_t)c) * 0x01000193u;
}
uint32_t
dentry_hash_name(const struct dentry *dir, const char *name, size_t len);

/* The child of that name or NULL; no reference is taken. */
struct dentry *dentry_find_locked(struct dentry *dir, const char *name,
    size_t len, uint32_t hash);
void dentry_hash_locked(struct dentry *d);
void dentry_unhash_locked(struct dentry *d);

/*
 * `from` gets the name and place of `to`, which is dropped, or with exchange
 * gets from's.
 */
void dentry_move(struct dentry *from, struct dentry *to, bool exchange);
/* Is d dir itself, or somewhere below it?  Names below must not move. */
bool dentry_is_below(struct dentry *d, const struct dentry *dir);
/* No child that exists is known. */
bool dentry_is_empty(struct dentry *d);
/* Calls populate if it has not been; the directory's inode->lock held. */
int dentry_populate(struct dentry *dir);
/* A dentry of dir's that no name leads to; takes over the inode's. */
struct dentry *dentry_make_unnamed(struct dentry *dir, struct inode *inode);

#endif
