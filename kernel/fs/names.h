/* SPDX-License-Identifier: ISC */
/*
 * names.h - a name in a directory that is about to be made, opened, moved or
 * removed.  For the VFS's own files.
 */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include "fs/vfs.h"
#include "fs/walk.h"
#include "kern/panic.h"

/* Between dir_open() and dir_close(): dir and mnt are referenced by w.held. */
struct dir_name {
	struct walk w; /* w.last, w.kind, w.slash: the name */
	struct dentry *dir;
	struct mount *mnt;
};

/* Walks to the directory of the last component.  No lock is held after. */
int dir_open(struct dir_name *n, const struct vfs_ctx *ctx,
    const struct path *base, const char *name);
void dir_close(struct dir_name *n);

/* What name_make() is to make. */
struct make {
	uint32_t mode; /* with its type; the umask does not count any more */
	uint64_t rdev;
	const char *target;      /* symbolic links */
	struct inode *inode;     /* a hard link to it; else NULL */
	const struct mount *mnt; /* which was found there */
};
/* *out, unless NULL, gets the new place with references.  -EEXIST, ... */
int name_make(const struct vfs_ctx *ctx, const struct path *base,
    const char *name, const struct make *mk, struct path *out);

/* The dentry of the name, maybe negative; dir's inode->lock held. */
int dir_lookup_locked(struct dir_name *n, struct dentry **out);
/* -EROFS, -EACCES ... to add an entry, to take the entry d away. */
int dir_may_create(const struct dir_name *n);
int dir_may_delete(const struct dir_name *n, const struct dentry *d);

#endif
