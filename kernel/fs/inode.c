/* SPDX-License-Identifier: ISC */
/*
 * inode.c - what all files have in common: references, attributes,
 * permissions.
 */
#include "fs/vfs.h"
#include "kern/clock.h"
#include "kern/panic.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/mount.h>
#include "abi/mode.h"

const struct vfs_cred vfs_cred_kernel = { .caps = UINT64_MAX };

static const struct vfs_hooks no_hooks;
const struct vfs_hooks *vfs_hooks = &no_hooks;

void
vfs_set_hooks(const struct vfs_hooks *hooks)
{
	vfs_hooks = hooks;
}

bool
vfs_in_group(const struct vfs_cred *c, uint32_t gid)
{
	uint32_t i;

	if (c->gid == gid)
		return true;
	for (i = 0; i < c->ngroups; i++)
		if (c->groups[i] == gid)
			return true;
	return false;
}

void
inode_init(struct inode *inode, struct super *sb, uint32_t mode, uint64_t rdev)
{
	inode->ops = NULL;
	inode->fops = NULL;
	inode->sb = sb;
	pagecache_init(&inode->pages);
	inode->ino = 0;
	inode->rdev = rdev;
	inode->size = 0;
	inode->btime_ns = clock_real_ns();
	inode->atime_ns = inode->btime_ns;
	inode->mtime_ns = inode->btime_ns;
	inode->ctime_ns = inode->btime_ns;
	inode->mode = mode;
	inode->nlink = S_ISDIR(mode) ? 2 : 1;
	inode->uid = 0;
	inode->gid = 0;
	inode->writers = 0;
	inode->flags = 0;
	mutex_init(&inode->lock);
	SLIST_INIT(&inode->names);
	inode->ipc = NULL;
	inode->locks = NULL;
	inode->watches = NULL;
	__atomic_add_fetch(&sb->refs, 1, __ATOMIC_RELAXED);
}

/* The vm_object's last reference, which is the inode's. */
void
inode_release(struct inode *inode)
{
	struct super *sb = inode->sb;

	KASSERT(SLIST_EMPTY(&inode->names));
	if (vfs_hooks->inode_gone != NULL &&
	    (inode->ipc != NULL || inode->locks != NULL ||
		inode->watches != NULL))
		vfs_hooks->inode_gone(inode);
	if (inode->pages.ops != NULL && inode->pages.ops->sync_at_end)
		pagecache_sync(inode, 0, UINT64_MAX >> PAGE_SHIFT);
	pagecache_destroy(inode);
	sb->ops->evict(inode);
	super_put(sb);
}

void
inode_put(struct inode *inode)
{
	if (__atomic_sub_fetch(&inode->pages.object.refs, 1,
		__ATOMIC_ACQ_REL) == 0)
		inode_release(inode);
}

void
inode_init_owner(struct inode *inode, const struct inode *dir, uint32_t mode,
    const struct vfs_cred *cred)
{
	inode->uid = cred->uid;
	inode->gid = cred->gid;
	if ((dir->mode & S_ISGID) != 0) {
		inode->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | 0010)) == (S_ISGID | 0010) &&
		    !vfs_in_group(cred, dir->gid) &&
		    !vfs_capable(cred, CAP_FSETID))
			mode &= ~S_ISGID;
	}
	inode->mode = mode;
}

/* The three bits that count for cred. */
static unsigned
mode_bits(const struct inode *inode, const struct vfs_cred *cred)
{
	if (cred->uid == inode->uid)
		return inode->mode >> 6 & 7;
	if (vfs_in_group(cred, inode->gid))
		return inode->mode >> 3 & 7;
	return inode->mode & 7;
}

static int
generic_permission(const struct inode *inode, const struct vfs_cred *cred,
    unsigned mask)
{
	if ((mask & ~mode_bits(inode, cred)) == 0)
		return 0;
	if (S_ISDIR(inode->mode)) {
		if ((mask & MAY_WRITE) == 0 &&
		    vfs_capable(cred, CAP_DAC_READ_SEARCH))
			return 0;
		return vfs_capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (mask == MAY_READ && vfs_capable(cred, CAP_DAC_READ_SEARCH))
		return 0;
	if (((mask & MAY_EXEC) == 0 || (inode->mode & 0111) != 0) &&
	    vfs_capable(cred, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int
inode_permission(struct inode *inode, const struct vfs_cred *cred,
    unsigned mask)
{
	if ((mask & MAY_WRITE) != 0) {
		if ((inode->sb->flags & MS_RDONLY) != 0 &&
		    (S_ISREG(inode->mode) || S_ISDIR(inode->mode) ||
			S_ISLNK(inode->mode)))
			return -EROFS;
		if ((inode->flags & INODE_IMMUTABLE) != 0)
			return -EPERM;
	}
	if (inode->ops->permission != NULL)
		return inode->ops->permission(inode, cred, mask);
	return generic_permission(inode, cred, mask);
}

void
inode_touch(struct inode *inode)
{
	inode->mtime_ns = clock_real_ns();
	inode->ctime_ns = inode->mtime_ns;
}

void
inode_accessed(struct inode *inode, const struct mount *mnt)
{
	int64_t now;

	if ((inode->flags & INODE_NOATIME) != 0 ||
	    (inode->sb->flags & MS_RDONLY) != 0)
		return;
	if (mnt != NULL &&
	    ((mnt->flags & (MS_NOATIME | MS_RDONLY)) != 0 ||
		((mnt->flags & MS_NODIRATIME) != 0 && S_ISDIR(inode->mode))))
		return;
	now = clock_real_ns();
	if (mnt != NULL && (mnt->flags & MS_STRICTATIME) == 0 &&
	    inode->atime_ns > inode->mtime_ns &&
	    inode->atime_ns > inode->ctime_ns &&
	    now - inode->atime_ns < 24 * 3600 * NSEC_PER_SEC)
		return;
	inode->atime_ns = now;
}

int
inode_stat(struct inode *inode, struct vfs_stat *st)
{
	st->dev = inode->sb->dev;
	st->ino = inode->ino;
	st->rdev = inode->rdev;
	st->size = inode->size;
	st->blocks = inode->pages.npages * (PAGE_SIZE / 512);
	st->mode = inode->mode;
	st->nlink = inode->nlink;
	st->uid = inode->uid;
	st->gid = inode->gid;
	st->blksize = inode->sb->blksize;
	st->atime_ns = inode->atime_ns;
	st->mtime_ns = inode->mtime_ns;
	st->ctime_ns = inode->ctime_ns;
	st->btime_ns = inode->btime_ns;
	st->mnt_id = 0;
	return inode->ops->getattr != NULL ? inode->ops->getattr(inode, st) : 0;
}

void
inode_setattr_fields(struct inode *inode, const struct vfs_attr *attr)
{
	int64_t now = clock_real_ns();

	if ((attr->valid & ATTR_UID) != 0)
		inode->uid = attr->uid;
	if ((attr->valid & ATTR_GID) != 0)
		inode->gid = attr->gid;
	if ((attr->valid & ATTR_MODE) != 0)
		inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
	if ((attr->valid & (ATTR_ATIME | ATTR_ATIME_NOW)) != 0)
		inode->atime_ns = (attr->valid & ATTR_ATIME_NOW) != 0 ?
		    now :
		    attr->atime_ns;
	if ((attr->valid & (ATTR_MTIME | ATTR_MTIME_NOW)) != 0)
		inode->mtime_ns = (attr->valid & ATTR_MTIME_NOW) != 0 ?
		    now :
		    attr->mtime_ns;
	inode->ctime_ns = now;
}

void
inode_strip_privilege(struct inode *inode)
{
	if ((inode->mode & (S_ISUID | S_ISGID)) == 0)
		return;
	inode->mode &= ~S_ISUID;
	if ((inode->mode & 0010) != 0)
		inode->mode &= ~S_ISGID;
}

/* One up from a count that is not of the other sign. */
static int
writers_up(struct inode *inode, int step)
{
	int32_t n = __atomic_load_n(&inode->writers, __ATOMIC_RELAXED);

	do {
		if (n * step < 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(&inode->writers, &n, n + step,
	    true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

int
inode_deny_write(struct inode *inode)
{
	return writers_up(inode, -1);
}

void
inode_allow_write(struct inode *inode)
{
	__atomic_add_fetch(&inode->writers, 1, __ATOMIC_ACQ_REL);
}

int
inode_get_write(struct inode *inode)
{
	return writers_up(inode, 1);
}

void
inode_put_write(struct inode *inode)
{
	__atomic_sub_fetch(&inode->writers, 1, __ATOMIC_ACQ_REL);
}
