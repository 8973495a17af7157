/* SPDX-License-Identifier: ISC */
/*
 * names.c - making and removing names: mknod, mkdir, symlink, link, unlink,
 * rmdir.  rename is in rename.c.
 *
 * Each walks to the directory, takes its inode's lock, looks the last name up
 * under it, checks, and calls the file system.
 */
#include "fs/names.h"
#include "abi/mode.h"
#include "fs/dentry.h"
#include "fs/notify.h"
#include <linux/capability.h>
#include <linux/errno.h>

int
dir_open(struct dir_name *n, const struct vfs_ctx *ctx, const struct path *base,
    const char *name)
{
	int error;

	if (*name == '\0')
		return -ENOENT;
	walk_begin(&n->w, ctx, base, name, 0);
	error = walk_to_parent(&n->w);
	if (error != 0) {
		walk_end(&n->w);
		return error;
	}
	walk_unlock(&n->w);
	n->dir = n->w.held.dentry;
	n->mnt = n->w.held.mnt;
	return 0;
}

void
dir_close(struct dir_name *n)
{
	walk_relock(&n->w);
	walk_end(&n->w);
}

int
dir_lookup_locked(struct dir_name *n, struct dentry **out)
{
	struct inode *inode = n->dir->inode;
	int error;

	KASSERT(mutex_held(&inode->lock));
	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	if ((inode->flags & INODE_DEAD) != 0)
		return -ENOENT;
	error = dentry_populate(n->dir); /* it may be about to change */
	if (error != 0)
		return error;
	return dentry_lookup(n->dir, n->w.last, n->w.last_len, out);
}

int
dir_may_create(const struct dir_name *n)
{
	int error = mount_may_write(n->mnt);

	if (error == 0)
		error = inode_permission(n->dir->inode, n->w.ctx->cred,
		    MAY_WRITE | MAY_EXEC);
	return error;
}

/* Sticky directories: only the owner of either removes. */
static bool
is_sticky_for(const struct inode *dir, const struct inode *victim,
    const struct vfs_cred *cred)
{
	return (dir->mode & S_ISVTX) != 0 && cred->uid != victim->uid &&
	    cred->uid != dir->uid && !vfs_capable(cred, CAP_FOWNER);
}

int
dir_may_delete(const struct dir_name *n, const struct dentry *d)
{
	const struct inode *dir = n->dir->inode, *victim = d->inode;
	int error = dir_may_create(n);

	if (error != 0)
		return error;
	if ((dir->flags & INODE_APPEND) != 0 ||
	    (victim->flags & (INODE_APPEND | INODE_IMMUTABLE)) != 0 ||
	    is_sticky_for(dir, victim, n->w.ctx->cred))
		return -EPERM;
	return 0;
}

static int
call_link(struct inode *dir, struct dentry *d, struct inode *old)
{
	int error = -ENOENT;

	if (dir->ops->link == NULL || S_ISDIR(old->mode) ||
	    (old->flags & (INODE_APPEND | INODE_IMMUTABLE)) != 0)
		return -EPERM;
	mutex_lock(&old->lock);
	if (old->nlink != 0 || (old->flags & INODE_LINKABLE) != 0)
		error = dir->ops->link(dir, d, old);
	mutex_unlock(&old->lock);
	return error;
}

static int
call_make(struct inode *dir, struct dentry *d, const struct make *mk,
    const struct vfs_cred *cred)
{
	const struct inode_ops *ops = dir->ops;

	if (mk->inode != NULL)
		return call_link(dir, d, mk->inode);
	if (S_ISLNK(mk->mode))
		return ops->symlink == NULL ?
		    -EPERM :
		    ops->symlink(dir, d, mk->target, cred);
	if (S_ISDIR(mk->mode))
		return ops->mkdir == NULL ? -EPERM :
					    ops->mkdir(dir, d, mk->mode, cred);
	if (S_ISREG(mk->mode))
		return ops->create == NULL ?
		    -EPERM :
		    ops->create(dir, d, mk->mode, cred);
	return ops->mknod == NULL ?
	    -EPERM :
	    ops->mknod(dir, d, mk->mode, mk->rdev, cred);
}

static int
make_locked(struct dir_name *n, const struct make *mk, struct dentry **out)
{
	bool makes_dir = mk->inode == NULL && S_ISDIR(mk->mode);
	struct inode *dir = n->dir->inode;
	struct dentry *d;
	int error;

	error = dir_lookup_locked(n, &d);
	if (error != 0)
		return error;
	if (d->inode != NULL)
		error = -EEXIST;
	else if (n->w.slash && !makes_dir)
		error = -ENOENT;
	else if (mk->inode != NULL && mk->mnt != n->mnt)
		error = -EXDEV;
	else
		error = dir_may_create(n);
	if (error == 0)
		error = call_make(dir, d, mk, n->w.ctx->cred);
	if (error == 0)
		vfs_notify_name(dir, IN_CREATE, d->inode, d->name, d->len);
	if (error == 0 && out != NULL)
		*out = d;
	else
		dentry_put(d);
	return error;
}

int
name_make(const struct vfs_ctx *ctx, const struct path *base, const char *name,
    const struct make *mk, struct path *out)
{
	struct dentry *d = NULL;
	struct dir_name n;
	int error;

	error = dir_open(&n, ctx, base, name);
	if (error != 0)
		return error;
	if (n.w.kind != WALK_NAME) {
		error = -EEXIST;
	} else {
		mutex_lock(&n.dir->inode->lock);
		error = make_locked(&n, mk, out != NULL ? &d : NULL);
		mutex_unlock(&n.dir->inode->lock);
	}
	if (error == 0 && out != NULL) {
		mount_get(n.mnt);
		out->mnt = n.mnt;
		out->dentry = d;
	}
	dir_close(&n);
	return error;
}

int
vfs_mknod_path(const struct vfs_ctx *ctx, const struct path *base,
    const char *name, uint32_t mode, uint64_t rdev, struct path *out)
{
	struct make mk = { .rdev = rdev };

	switch (mode & S_IFMT) {
	case 0: mode |= S_IFREG; break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK: break;
	case S_IFCHR:
		if (rdev == 0) /* an overlay's whiteout: anybody may */
			break;
		/* fallthrough */
	case S_IFBLK:
		if (!vfs_capable(ctx->cred, CAP_MKNOD))
			return -EPERM;
		break;
	case S_IFDIR: return -EPERM;
	default: return -EINVAL;
	}
	mk.mode = (mode & S_IFMT) | (mode & 07777 & ~ctx->umask);
	return name_make(ctx, base, name, &mk, out);
}

int
vfs_mknod(const struct vfs_ctx *ctx, const struct path *base, const char *name,
    uint32_t mode, uint64_t rdev)
{
	return vfs_mknod_path(ctx, base, name, mode, rdev, NULL);
}

int
vfs_mkdir(const struct vfs_ctx *ctx, const struct path *base, const char *name,
    uint32_t mode)
{
	struct make mk = { .mode = S_IFDIR | (mode & 01777 & ~ctx->umask) };

	return name_make(ctx, base, name, &mk, NULL);
}

int
vfs_symlink(const struct vfs_ctx *ctx, const char *target,
    const struct path *base, const char *name)
{
	struct make mk = { .mode = S_IFLNK | 0777, .target = target };

	if (*target == '\0')
		return -ENOENT;
	return name_make(ctx, base, name, &mk, NULL);
}

int
vfs_link(const struct vfs_ctx *ctx, const struct path *old,
    const struct path *base, const char *name)
{
	struct inode *inode = old->dentry->inode;
	struct make mk = { .mode = inode->mode,
		.inode = inode,
		.mnt = old->mnt };

	return name_make(ctx, base, name, &mk, NULL);
}

/* Tells who watches that a name went, and its file with the last one. */
static void
removed(struct inode *dir, struct dentry *d, struct inode *victim)
{
	if (__atomic_load_n(&vfs_watched, __ATOMIC_RELAXED) == 0)
		return;
	vfs_notify_name(dir, IN_DELETE, victim, d->name, d->len);
	if (!S_ISDIR(victim->mode))
		vfs_notify_self(victim, IN_ATTRIB);
	if (S_ISDIR(victim->mode) || victim->nlink == 0)
		vfs_notify_self(victim, IN_DELETE_SELF);
}

/* unlink and rmdir, directory locked. */
static int
remove_locked(struct dir_name *n, bool is_rmdir)
{
	struct inode *dir = n->dir->inode, *victim;
	struct dentry *d;
	int error;

	error = dir_lookup_locked(n, &d);
	if (error != 0)
		return error;
	victim = d->inode;
	if (victim == NULL)
		error = -ENOENT;
	else
		error = dir_may_delete(n, d);
	if (error == 0 && is_rmdir != S_ISDIR(victim->mode))
		error = is_rmdir ? -ENOTDIR : -EISDIR;
	else if (error == 0 && !is_rmdir && n->w.slash)
		error = -ENOTDIR;
	else if (error == 0 && d->nmounts > 0)
		error = -EBUSY;
	else if (error == 0 &&
	    (is_rmdir ? dir->ops->rmdir : dir->ops->unlink) == NULL)
		error = -EPERM;
	if (error == 0) {
		mutex_lock(&victim->lock);
		error = is_rmdir ? dir->ops->rmdir(dir, d) :
				   dir->ops->unlink(dir, d);
		if (error == 0 && is_rmdir)
			victim->flags |= INODE_DEAD;
		mutex_unlock(&victim->lock);
	}
	if (error == 0) {
		removed(dir, d, victim);
		dentry_drop(d);
	}
	dentry_put(d);
	return error;
}

static int
remove_name(const struct vfs_ctx *ctx, const struct path *base,
    const char *name, bool is_rmdir)
{
	struct dir_name n;
	int error;

	error = dir_open(&n, ctx, base, name);
	if (error != 0)
		return error;
	switch (n.w.kind) {
	case WALK_NAME:
		mutex_lock(&n.dir->inode->lock);
		error = remove_locked(&n, is_rmdir);
		mutex_unlock(&n.dir->inode->lock);
		break;
	case WALK_DOT: error = is_rmdir ? -EINVAL : -EISDIR; break;
	case WALK_DOTDOT: error = is_rmdir ? -ENOTEMPTY : -EISDIR; break;
	case WALK_ROOT: error = is_rmdir ? -EBUSY : -EISDIR; break;
	}
	dir_close(&n);
	return error;
}

int
vfs_unlink(const struct vfs_ctx *ctx, const struct path *base, const char *name)
{
	return remove_name(ctx, base, name, false);
}

int
vfs_rmdir(const struct vfs_ctx *ctx, const struct path *base, const char *name)
{
	return remove_name(ctx, base, name, true);
}
