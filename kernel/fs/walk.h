/* SPDX-License-Identifier: ISC */
/*
 * walk.h - the walk along a path, in the steps that creating and removing
 * names need.  For the VFS's own files; others call vfs_walk().
 *
 *	walk_begin(&w, ...);			vfs_lock is held from here on
 *	do {
 *		error = walk_to_parent(&w);	w.cur: the directory of w.last
 *		if (error == 0)
 *			error = walk_last(&w, follow);	w.cur: the end
 *	} while (error > 0);			a link gave more to walk
 *	walk_end(&w);				vfs_lock is free again
 *
 * w.cur is not referenced.  It stays valid because the caller's paths or
 * w.held, which is, keep it so while vfs_lock is held; every step that lets
 * go of the lock renews w.held first.
 */
#ifndef FS_WALK_H
#define FS_WALK_H

#include "fs/vfs.h"

enum walk_kind {
	WALK_NAME,   /* w.last is the name of an entry */
	WALK_DOT,    /* "." */
	WALK_DOTDOT, /* ".." */
	WALK_ROOT,   /* there is no last component: "/" */
};

struct walk {
	const struct vfs_ctx *ctx;
	struct path cur, held, root, base;
	const char *rest; /* still to walk */
	char *text;       /* what links gave, holds rest; or NULL */
	const char *last;
	size_t last_len;
	uint32_t last_hash;
	enum walk_kind kind;
	bool slash; /* behind the last component */
	unsigned flags, nlinks;
};

/*
 * One walk, in this order: begin; to the parent of the last name; then that
 * name, following a link there if `follow`.  0 or -errno.
 */
void walk_begin(struct walk *w, const struct vfs_ctx *ctx,
    const struct path *base, const char *name, unsigned flags);
int walk_to_parent(struct walk *w);
int walk_last(struct walk *w, bool follow);
/*
 * The link `d` in the directory w.cur was found under inode lock (a reference,
 * which this takes over; vfs_lock not held).  As walk_last().
 */
int walk_follow_found(struct walk *w, struct dentry *d);
void walk_end(struct walk *w);

/*
 * Lets go of vfs_lock with w.cur referenced by w.held; takes it again, with
 * w.cur what w.held is.
 */
void walk_unlock(struct walk *w);
void walk_relock(struct walk *w);

/* Goes from a mount point into what is mounted there.  vfs_lock held. */
void path_cross_locked(struct path *p);

/* Mounts what at->dentry is marked for (DENTRY_AUTO); may sleep. */
int mount_automatically(const struct path *at);

static inline bool
path_equal(const struct path *a, const struct path *b)
{
	return a->dentry == b->dentry && a->mnt == b->mnt;
}

#endif
