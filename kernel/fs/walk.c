/* SPDX-License-Identifier: ISC */
/*
 * walk.c - from a path to its place.  path_resolution(7).
 *
 * As long as every name on the way is in the name tree, the walk is one
 * section under vfs_lock that touches no reference count.  A name that must
 * be asked for, or a link, leaves the section and comes back.
 */
#include "fs/walk.h"
#include "abi/mode.h"
#include "fs/dentry.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

void
path_get(const struct path *p)
{
	if (p->mnt != NULL)
		mount_get(p->mnt);
	if (p->dentry != NULL)
		dentry_get(p->dentry);
}

void
path_put(const struct path *p)
{
	if (p->dentry != NULL)
		dentry_put(p->dentry);
	if (p->mnt != NULL)
		mount_put(p->mnt);
}

void
path_cross_locked(struct path *p)
{
	struct mount *m;

	while (p->dentry->nmounts > 0) {
		m = mount_on_locked(p->mnt, p->dentry);
		if (m == NULL)
			break;
		p->mnt = m;
		p->dentry = m->root;
	}
}

void
walk_begin(struct walk *w, const struct vfs_ctx *ctx, const struct path *base,
    const char *name, unsigned flags)
{
	if (base == NULL)
		base = &ctx->cwd;
	w->ctx = ctx;
	w->flags = flags;
	w->base = *base;
	w->root = (flags & (WALK_BENEATH | WALK_IN_ROOT)) != 0 ? *base :
								 ctx->root;
	w->cur = *name == '/' && (flags & WALK_BENEATH) == 0 ? w->root : *base;
	w->held.mnt = NULL;
	w->held.dentry = NULL;
	w->rest = name;
	w->text = NULL;
	w->nlinks = 0;
	spin_lock(&vfs_lock);
}

void
walk_end(struct walk *w)
{
	spin_unlock(&vfs_lock);
	path_put(&w->held);
	kfree(w->text);
}

void
walk_unlock(struct walk *w)
{
	struct path old = w->held;

	path_get(&w->cur);
	w->held = w->cur;
	spin_unlock(&vfs_lock);
	path_put(&old);
}

void
walk_relock(struct walk *w)
{
	spin_lock(&vfs_lock);
	w->cur = w->held;
}

/* "..": never above the root, and out of what is mounted. */
static int
walk_up(struct walk *w)
{
	struct path *p = &w->cur;
	struct mount *from = p->mnt;

	for (;;) {
		if (path_equal(p, &w->root)) {
			if ((w->flags & WALK_BENEATH) != 0)
				return -EXDEV;
			break;
		}
		if (p->dentry != p->mnt->root) {
			p->dentry = p->dentry->parent;
			break;
		}
		if (p->mnt->parent == NULL)
			break;
		p->dentry = p->mnt->point;
		p->mnt = p->mnt->parent;
	}
	path_cross_locked(p);
	if ((w->flags & WALK_NO_XDEV) != 0 && p->mnt != from)
		return -EXDEV;
	return 0;
}

/*
 * Asks the file system for a name; w->cur is its directory before and after.
 * The child is kept by w->held.
 */
static int
walk_ask(struct walk *w, const char *name, size_t len, struct dentry **out)
{
	struct dentry *dir, *child = NULL;
	int error = -ENOENT;

	walk_unlock(w);
	dir = w->held.dentry;
	mutex_lock(&dir->inode->lock);
	if ((dir->inode->flags & INODE_DEAD) == 0)
		error = dentry_lookup(dir, name, len, &child);
	mutex_unlock(&dir->inode->lock);
	if (error == 0 && child->inode == NULL) {
		dentry_put(child);
		error = -ENOENT;
	}
	if (error == 0) {
		w->held.dentry = child;
		dentry_put(dir);
	}
	walk_relock(w);
	if (error == 0)
		w->cur.dentry = child->parent;
	*out = child;
	return error;
}

/* The link's text with what is left behind it; NULL with *error. */
static char *
link_text(struct walk *w, struct inode *link, int *error)
{
	size_t rest = strlen(w->rest), size = VFS_PATH_MAX - 1;
	char *text;
	long len;

	if (link->size > 0 && link->size < size)
		size = link->size;
	text = kmalloc(size + rest + 2);
	*error = -ENOMEM;
	if (text == NULL)
		return NULL;
	len = link->ops->readlink(link, text, size);
	*error = len < 0 ? len : len == 0 ? -ENOENT : 0;
	if (*error != 0) {
		kfree(text);
		return NULL;
	}
	len = MIN((size_t)len, size);
	if (rest != 0 || w->slash)
		text[len++] = '/';
	memcpy(text + len, w->rest, rest + 1);
	return text;
}

/* With vfs_lock free and w->held the link's directory. */
static int
follow_text(struct walk *w, struct inode *link)
{
	char *text;
	int error;

	text = link_text(w, link, &error);
	if (text == NULL)
		return error;
	kfree(w->text);
	w->text = text;
	w->rest = text;
	return 1;
}

/* A link that is a place: goes there. */
static int
follow_magic(struct walk *w, struct inode *link)
{
	struct path place;
	int error;

	if ((w->flags & (WALK_NO_MAGIC | WALK_BENEATH | WALK_IN_ROOT)) != 0)
		return (w->flags & WALK_NO_MAGIC) != 0 ? -ELOOP : -EXDEV;
	error = link->ops->follow(link, &place);
	if (error != 0)
		return error;
	if ((w->flags & WALK_NO_XDEV) != 0 && place.mnt != w->held.mnt) {
		path_put(&place);
		return -EXDEV;
	}
	path_put(&w->held);
	w->held = place;
	return 0;
}

/*
 * vfs_lock free, w->held the directory, d referenced.  Comes back locked.
 * 0: w->cur is the end of a link without text;  1: there is more to walk.
 */
static int
walk_follow_unlocked(struct walk *w, struct dentry *d)
{
	struct inode *link = d->inode;
	int error = 0;

	if (++w->nlinks > VFS_LINKS_MAX || (w->flags & WALK_NO_LINKS) != 0)
		error = -ELOOP;
	if (error == 0) {
		inode_accessed(link, w->held.mnt);
		error = link->ops->follow != NULL ? follow_magic(w, link) :
						    follow_text(w, link);
	}
	dentry_put(d);
	walk_relock(w);
	if (error == 1 && *w->rest == '/') {
		if ((w->flags & WALK_BENEATH) != 0)
			return -EXDEV;
		if ((w->flags & WALK_NO_XDEV) != 0 && w->cur.mnt != w->root.mnt)
			return -EXDEV;
		w->cur = w->root;
	}
	return error;
}

static int
walk_follow(struct walk *w, struct dentry *d)
{
	dentry_get(d);
	walk_unlock(w);
	return walk_follow_unlocked(w, d);
}

int
walk_follow_found(struct walk *w, struct dentry *d)
{
	return walk_follow_unlocked(w, d);
}

/* At a directory whose mount is made at its first use. */
static void
walk_automount(struct walk *w)
{
	int error;

	walk_unlock(w);
	error = mount_automatically(&w->held);
	if (error != 0)
		log_warn("mount: %s: error %d", w->held.dentry->name, -error);
	walk_relock(w);
}

static bool
needs_asking(const struct dentry *d)
{
	return d->inode != NULL && d->inode->ops->revalidate != NULL;
}

/*
 * From the directory w->cur to its entry.  1: it was a link, which gave more
 * to walk.
 */
static int
walk_step(struct walk *w, const char *name, size_t len, uint32_t hash,
    bool follow)
{
	struct dentry *dir = w->cur.dentry, *d;
	struct mount *from = w->cur.mnt;
	int error;

	d = dentry_find_locked(dir, name, len, hash);
	if (d == NULL && (dir->flags & DENTRY_COMPLETE) != 0)
		return -ENOENT;
	if (d == NULL || needs_asking(d)) {
		error = walk_ask(w, name, len, &d);
		if (error != 0)
			return error;
	}
	if (d->inode == NULL)
		return -ENOENT;
	if (follow && S_ISLNK(d->inode->mode))
		return walk_follow(w, d);
	w->cur.dentry = d;
	if (d->nmounts > 0 && (d->flags & DENTRY_AUTO) != 0)
		walk_automount(w);
	path_cross_locked(&w->cur);
	if ((w->flags & WALK_NO_XDEV) != 0 && w->cur.mnt != from)
		return -EXDEV;
	return 0;
}

static enum walk_kind
kind_of(const char *name, size_t len)
{
	if (name[0] != '.' || len > 2)
		return WALK_NAME;
	if (len == 1)
		return WALK_DOT;
	return name[1] == '.' ? WALK_DOTDOT : WALK_NAME;
}

/* Cuts one component off w->rest into w->last; behind it no slashes are. */
static int
walk_cut(struct walk *w)
{
	uint32_t hash = dentry_hash_start(w->cur.dentry);
	const char *p = w->rest;

	for (; *p != '\0' && *p != '/'; p++)
		hash = dentry_hash_step(hash, *p);
	w->last = w->rest;
	w->last_len = p - w->rest;
	w->last_hash = hash;
	w->kind = kind_of(w->last, w->last_len);
	w->slash = *p == '/';
	while (*p == '/')
		p++;
	w->rest = p;
	return w->last_len > VFS_NAME_MAX ? -ENAMETOOLONG : 0;
}

int
walk_to_parent(struct walk *w)
{
	struct inode *inode;
	int error;

	if (*w->rest == '/' && (w->flags & WALK_BENEATH) != 0)
		return -EXDEV;
	for (;;) {
		while (*w->rest == '/')
			w->rest++;
		w->kind = WALK_ROOT;
		w->slash = true;
		if (*w->rest == '\0')
			return 0;
		inode = w->cur.dentry->inode;
		if (!S_ISDIR(inode->mode))
			return -ENOTDIR;
		error = inode_permission(inode, w->ctx->cred, MAY_EXEC);
		if (error == 0)
			error = walk_cut(w);
		if (error != 0)
			return error;
		if (*w->rest == '\0')
			return 0;
		if (w->kind == WALK_NAME)
			error = walk_step(w, w->last, w->last_len, w->last_hash,
			    true);
		else if (w->kind == WALK_DOTDOT)
			error = walk_up(w);
		if (error < 0)
			return error;
	}
}

int
walk_last(struct walk *w, bool follow)
{
	int error = 0;

	if (w->kind == WALK_DOTDOT)
		error = walk_up(w);
	else if (w->kind == WALK_NAME)
		error = walk_step(w, w->last, w->last_len, w->last_hash,
		    follow || w->slash);
	if (error == 0 && (w->slash || (w->flags & WALK_DIRECTORY) != 0) &&
	    !S_ISDIR(w->cur.dentry->inode->mode))
		return -ENOTDIR;
	return error;
}

int
vfs_walk(const struct vfs_ctx *ctx, const struct path *base, const char *name,
    unsigned flags, struct path *out)
{
	bool follow = (flags & WALK_FOLLOW) != 0;
	struct walk w;
	int error = 0;

	if (*name == '\0' && (flags & WALK_EMPTY) == 0)
		return -ENOENT;
	walk_begin(&w, ctx, base, name, flags);
	if (*name != '\0') {
		do {
			error = walk_to_parent(&w);
			if (error == 0)
				error = walk_last(&w, follow);
		} while (error > 0);
	}
	if (error == 0) {
		*out = w.cur;
		path_get(out);
	}
	walk_end(&w);
	return error;
}
