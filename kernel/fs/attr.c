/* SPDX-License-Identifier: ISC */
/*
 * attr.c - what files say of themselves and what may be changed of it: stat,
 * access, chmod, chown, utimensat, truncate, readlink, statfs.
 */
#include "abi/mode.h"
#include "fs/file.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "kern/clock.h"
#include "kern/string.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/mount.h>

int
vfs_stat(const struct path *p, struct vfs_stat *st)
{
	int error = inode_stat(p->dentry->inode, st);

	if (p->mnt != NULL)
		st->mnt_id = p->mnt->id;
	return error;
}

long
vfs_readlink(const struct vfs_ctx *ctx, const struct path *p, char *buf,
    size_t size)
{
	struct inode *inode = p->dentry->inode;

	(void)ctx;
	if (!S_ISLNK(inode->mode))
		return -EINVAL;
	inode_accessed(inode, p->mnt);
	return inode->ops->readlink(inode, buf, size);
}

int
vfs_access(const struct vfs_ctx *ctx, const struct path *p, unsigned mask)
{
	struct inode *inode = p->dentry->inode;
	int error;

	if (mask == 0)
		return 0;
	error = inode_permission(inode, ctx->cred, mask);
	if (error == 0 && (mask & MAY_WRITE) != 0 &&
	    (S_ISREG(inode->mode) || S_ISDIR(inode->mode) ||
		S_ISLNK(inode->mode)))
		error = mount_may_write(p->mnt);
	if (error == 0 && (mask & MAY_EXEC) != 0 && S_ISREG(inode->mode) &&
	    p->mnt != NULL && (p->mnt->flags & MS_NOEXEC) != 0)
		error = -EACCES;
	return error;
}

int
vfs_statfs(const struct path *p, struct vfs_statfs *st)
{
	struct super *sb = p->dentry->sb;
	int error = 0;

	memset(st, 0, sizeof(*st));
	st->type = sb->magic;
	st->bsize = sb->blksize;
	st->frsize = sb->blksize;
	st->namelen = VFS_NAME_MAX;
	st->fsid = sb->dev;
	if (sb->ops->statfs != NULL)
		error = sb->ops->statfs(sb, st);
	st->flags = 0x20;   /* ST_VALID: flags are meant */
	if (p->mnt != NULL) /* ST_* have these MS_* flags' values */
		st->flags |= p->mnt->flags &
		    (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (p->mnt != NULL && (p->mnt->flags & MS_NOATIME) != 0)
		st->flags |= 0x400;
	if (p->mnt != NULL && (p->mnt->flags & MS_NODIRATIME) != 0)
		st->flags |= 0x800;
	if (p->mnt != NULL && (p->mnt->flags & MS_RELATIME) != 0)
		st->flags |= 0x1000;
	return error;
}

static bool
is_owner(const struct vfs_cred *cred, const struct inode *inode)
{
	return cred->uid == inode->uid || vfs_capable(cred, CAP_FOWNER);
}

static int
may_chown(const struct vfs_cred *cred, const struct inode *inode,
    const struct vfs_attr *a)
{
	if (vfs_capable(cred, CAP_CHOWN))
		return 0;
	if ((a->valid & ATTR_UID) != 0 &&
	    (cred->uid != inode->uid || a->uid != inode->uid))
		return -EPERM;
	if ((a->valid & ATTR_GID) != 0 &&
	    (cred->uid != inode->uid ||
		(a->gid != inode->gid && !vfs_in_group(cred, a->gid))))
		return -EPERM;
	return 0;
}

static int
may_set_times(const struct vfs_cred *cred, struct inode *inode, unsigned valid)
{
	if ((valid & (ATTR_ATIME | ATTR_MTIME)) != 0)
		return is_owner(cred, inode) ? 0 : -EPERM;
	if ((valid & (ATTR_ATIME_NOW | ATTR_MTIME_NOW)) != 0 &&
	    !is_owner(cred, inode))
		return inode_permission(inode, cred, MAY_WRITE);
	return 0;
}

/* inode->lock held. */
static int
may_setattr(const struct vfs_cred *cred, struct inode *inode,
    const struct vfs_attr *a)
{
	int error;

	if ((a->valid & ~(ATTR_SIZE | ATTR_FILE)) != 0 &&
	    (inode->flags & (INODE_IMMUTABLE | INODE_APPEND)) != 0)
		return -EPERM;
	if ((a->valid & ATTR_SIZE) != 0 && (inode->flags & INODE_APPEND) != 0)
		return -EPERM;
	error = may_chown(cred, inode, a);
	if (error == 0 && (a->valid & ATTR_MODE) != 0 && !is_owner(cred, inode))
		error = -EPERM;
	if (error == 0)
		error = may_set_times(cred, inode, a->valid);
	if (error == 0 && (a->valid & (ATTR_SIZE | ATTR_FILE)) == ATTR_SIZE)
		error = inode_permission(inode, cred, MAY_WRITE);
	return error;
}

/* Changes that take set-user-ID away from what a stranger may have made. */
static void
strip_privilege(const struct vfs_cred *cred, const struct inode *inode,
    struct vfs_attr *a)
{
	uint32_t mode = inode->mode & 07777, gid = inode->gid;

	if ((a->valid & ATTR_MODE) != 0) {
		if ((a->valid & ATTR_GID) != 0)
			gid = a->gid;
		if (!vfs_in_group(cred, gid) && !vfs_capable(cred, CAP_FSETID))
			a->mode &= ~S_ISGID;
		return;
	}
	if ((a->valid & (ATTR_UID | ATTR_GID | ATTR_SIZE)) == 0 ||
	    S_ISDIR(inode->mode))
		return;
	if ((a->valid & ATTR_SIZE) != 0 && vfs_capable(cred, CAP_FSETID))
		return;
	mode &= ~S_ISUID;
	if ((mode & 0010) != 0)
		mode &= ~S_ISGID;
	if (mode != (inode->mode & 07777)) {
		a->valid |= ATTR_MODE;
		a->mode = mode;
	}
}

static int
setattr_locked(const struct vfs_cred *cred, struct inode *inode,
    const struct vfs_attr *attr)
{
	struct vfs_attr a = *attr;
	int error;

	error = may_setattr(cred, inode, &a);
	if (error != 0)
		return error;
	strip_privilege(cred, inode, &a);
	if (inode->ops->setattr != NULL)
		return inode->ops->setattr(inode, &a);
	if ((a.valid & ATTR_SIZE) != 0)
		return -EINVAL;
	inode_setattr_fields(inode, &a);
	return 0;
}

int
vfs_setattr(const struct vfs_ctx *ctx, const struct path *p,
    const struct vfs_attr *attr)
{
	struct inode *inode = p->dentry->inode;
	bool size = (attr->valid & ATTR_SIZE) != 0;
	int error;

	if (size && S_ISDIR(inode->mode))
		return -EISDIR;
	if (size && !S_ISREG(inode->mode))
		return -EINVAL;
	error = mount_may_write(p->mnt);
	if (error == 0 && (inode->sb->flags & MS_RDONLY) != 0)
		error = -EROFS;
	if (error == 0 && size)
		error = inode_get_write(inode);
	if (error != 0)
		return error;
	mutex_lock(&inode->lock);
	error = setattr_locked(ctx->cred, inode, attr);
	mutex_unlock(&inode->lock);
	if (size)
		inode_put_write(inode);
	if (error == 0)
		vfs_notify(p->dentry, size ? IN_MODIFY : IN_ATTRIB);
	return error;
}

int
vfs_get_flags(struct inode *inode, uint32_t *flags)
{
	if (!inode->ops->keeps_flags)
		return -ENOTTY;
	*flags = inode->flags & INODE_OF_PROGRAMS;
	return 0;
}

/* inode->lock held. */
static int
set_flags_locked(const struct vfs_cred *cred, struct inode *inode,
    uint32_t flags)
{
	uint32_t changed = (inode->flags ^ flags) & INODE_OF_PROGRAMS;

	if (!is_owner(cred, inode))
		return -EPERM;
	if ((changed & (INODE_IMMUTABLE | INODE_APPEND)) != 0 &&
	    !vfs_capable(cred, CAP_LINUX_IMMUTABLE))
		return -EPERM;
	inode->flags ^= changed;
	inode->ctime_ns = clock_real_ns();
	return 0;
}

int
vfs_set_flags(const struct vfs_ctx *ctx, const struct path *p, uint32_t flags)
{
	struct inode *inode = p->dentry->inode;
	int error;

	if (!inode->ops->keeps_flags)
		return -ENOTTY;
	error = mount_may_write(p->mnt);
	if (error == 0 && (inode->sb->flags & MS_RDONLY) != 0)
		error = -EROFS;
	if (error != 0)
		return error;
	mutex_lock(&inode->lock);
	error = set_flags_locked(ctx->cred, inode, flags);
	mutex_unlock(&inode->lock);
	if (error == 0)
		vfs_notify(p->dentry, IN_ATTRIB);
	return error;
}
