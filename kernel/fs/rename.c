/* SPDX-License-Identifier: ISC */
/*
 * rename.c - moving names.  rename(2).
 *
 * Locks, in this order: the superblock's rename_lock where two directories
 * are concerned, so that no other move changes who lies below whom; the
 * directories' inodes, an ancestor first; the replaced inode.
 */
#include "abi/mode.h"
#include "fs/dentry.h"
#include "fs/names.h"
#include "fs/notify.h"
#include <linux/errno.h>
#include <linux/fs.h>

struct rename {
	struct dir_name from, to;
	struct dentry *old, *new;
	unsigned flags;
};

static void
lock_dirs(struct rename *r)
{
	struct dentry *a = r->from.dir, *b = r->to.dir, *t;

	if (a == b) {
		mutex_lock(&a->inode->lock);
		return;
	}
	mutex_lock(&a->sb->rename_lock);
	if (dentry_is_below(a, b) || (!dentry_is_below(b, a) && a > b)) {
		t = a;
		a = b;
		b = t;
	}
	mutex_lock(&a->inode->lock);
	mutex_lock(&b->inode->lock);
}

static void
unlock_dirs(struct rename *r)
{
	struct dentry *a = r->from.dir, *b = r->to.dir;

	mutex_unlock(&a->inode->lock);
	if (a != b) {
		mutex_unlock(&b->inode->lock);
		mutex_unlock(&a->sb->rename_lock);
	}
}

/* A directory that moves changes its "..". */
static int
may_reparent(const struct rename *r, struct dentry *d)
{
	if (r->from.dir == r->to.dir || !S_ISDIR(d->inode->mode))
		return 0;
	return inode_permission(d->inode, r->from.w.ctx->cred, MAY_WRITE);
}

/* The errors that come before permissions, in Linux's order. */
static int
check_names(const struct rename *r)
{
	bool exchange = (r->flags & RENAME_EXCHANGE) != 0;

	if (r->old->inode == NULL)
		return -ENOENT;
	if ((r->flags & RENAME_NOREPLACE) != 0 && r->new->inode != NULL)
		return -EEXIST;
	if (exchange && r->new->inode == NULL)
		return -ENOENT;
	if (exchange && r->to.w.slash && !S_ISDIR(r->new->inode->mode))
		return -ENOTDIR;
	if (!S_ISDIR(r->old->inode->mode) &&
	    (r->from.w.slash || (!exchange && r->to.w.slash)))
		return -ENOTDIR;
	if (dentry_is_below(r->to.dir, r->old))
		return -EINVAL;
	if (r->new->inode != NULL && dentry_is_below(r->from.dir, r->new))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* What is there to be replaced, or exchanged. */
static int
check_target(const struct rename *r)
{
	bool old_dir = S_ISDIR(r->old->inode->mode);
	int error;

	if (r->new->inode == NULL)
		return dir_may_create(&r->to);
	error = dir_may_delete(&r->to, r->new);
	if (error != 0 || (r->flags & RENAME_EXCHANGE) != 0)
		return error;
	if (old_dir != S_ISDIR(r->new->inode->mode))
		return old_dir ? -ENOTDIR : -EISDIR;
	return 0;
}

static int
check(const struct rename *r)
{
	int error = check_names(r);

	if (error != 0 || r->old->inode == r->new->inode)
		return error;
	error = dir_may_delete(&r->from, r->old);
	if (error == 0)
		error = check_target(r);
	if (error == 0 && r->from.dir->inode->ops->rename == NULL)
		error = -EPERM;
	if (error == 0)
		error = may_reparent(r, r->old);
	if (error == 0 && (r->flags & RENAME_EXCHANGE) != 0)
		error = may_reparent(r, r->new);
	if (error == 0 && (r->old->nmounts > 0 || r->new->nmounts > 0))
		error = -EBUSY;
	return error;
}

/* Tells who watches; before the names move. */
static void
renamed(const struct rename *r, struct inode *victim)
{
	struct inode *inode = r->old->inode;
	uint32_t cookie;

	if (__atomic_load_n(&vfs_watched, __ATOMIC_RELAXED) == 0)
		return;
	cookie = vfs_notify_cookie();
	vfs_notify_name_slow(r->from.dir->inode, IN_MOVED_FROM, inode,
	    r->old->name, r->old->len, cookie);
	vfs_notify_name_slow(r->to.dir->inode, IN_MOVED_TO, inode, r->new->name,
	    r->new->len, cookie);
	vfs_notify_self(inode, IN_MOVE_SELF);
	if (victim != NULL && victim->nlink == 0)
		vfs_notify_self(victim, IN_DELETE_SELF);
}

static int
rename_checked(struct rename *r)
{
	bool exchange = (r->flags & RENAME_EXCHANGE) != 0;
	struct inode *from = r->from.dir->inode, *victim;
	int error;

	if (r->old->inode == r->new->inode)
		return 0; /* two names of one file: nothing happens */
	victim = exchange ? NULL : r->new->inode;
	if (victim != NULL)
		mutex_lock(&victim->lock);
	error = from->ops->rename(from, r->old, r->to.dir->inode, r->new,
	    r->flags & RENAME_EXCHANGE);
	if (error == 0 && victim != NULL && S_ISDIR(victim->mode))
		victim->flags |= INODE_DEAD;
	if (victim != NULL)
		mutex_unlock(&victim->lock);
	if (error == 0) {
		renamed(r, victim);
		dentry_move(r->old, r->new, exchange);
	}
	return error;
}

static int
rename_locked(struct rename *r)
{
	int error;

	error = dir_lookup_locked(&r->from, &r->old);
	if (error != 0)
		return error;
	error = dir_lookup_locked(&r->to, &r->new);
	if (error != 0) {
		dentry_put(r->old);
		return error;
	}
	error = check(r);
	if (error == 0)
		error = rename_checked(r);
	dentry_put(r->old);
	dentry_put(r->new);
	return error;
}

int
vfs_rename(const struct vfs_ctx *ctx, const struct path *oldbase,
    const char *oldname, const struct path *newbase, const char *newname,
    unsigned flags)
{
	struct rename r = { .flags = flags };
	int error;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	error = dir_open(&r.from, ctx, oldbase, oldname);
	if (error != 0)
		return error;
	error = dir_open(&r.to, ctx, newbase, newname);
	if (error != 0) {
		dir_close(&r.from);
		return error;
	}
	if (r.from.mnt != r.to.mnt) {
		error = -EXDEV;
	} else if (r.from.w.kind != WALK_NAME) {
		error = -EBUSY;
	} else if (r.to.w.kind != WALK_NAME) {
		error = (flags & RENAME_NOREPLACE) != 0 ? -EEXIST : -EBUSY;
	} else {
		lock_dirs(&r);
		error = rename_locked(&r);
		unlock_dirs(&r);
	}
	dir_close(&r.to);
	dir_close(&r.from);
	return error;
}
