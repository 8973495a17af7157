/* SPDX-License-Identifier: ISC */
/* notify.c - from names to those who watch: see notify.h. */
#include "fs/notify.h"

#include "abi/mode.h"
#include "kern/string.h"

uint32_t vfs_watched;

static unsigned
mask_of(const struct inode *entry, unsigned mask)
{
	return S_ISDIR(entry->mode) ? mask | IN_ISDIR : mask;
}

void
vfs_notify_self(struct inode *inode, unsigned mask)
{
	if (inode->watches != NULL && vfs_hooks->notify != NULL)
		vfs_hooks->notify(inode, mask_of(inode, mask), NULL, 0, 0);
}

void
vfs_notify_name_slow(struct inode *dir, unsigned mask,
    const struct inode *entry, const char *name, size_t len, uint32_t cookie)
{
	if (dir->watches != NULL && vfs_hooks->notify != NULL)
		vfs_hooks->notify(dir, mask_of(entry, mask), name, len, cookie);
}

void
vfs_notify_slow(struct dentry *d, unsigned mask)
{
	char name[VFS_NAME_MAX + 1];
	struct inode *dir = NULL;

	spin_lock(&vfs_lock);
	if (d->parent != d && d->parent->inode != NULL &&
	    d->parent->inode->watches != NULL &&
	    (d->flags & DENTRY_HASHED) != 0) {
		dir = d->parent->inode;
		inode_get(dir);
		memcpy(name, d->name, d->len);
		name[d->len] = '\0';
	}
	spin_unlock(&vfs_lock);
	if (dir != NULL) {
		vfs_notify_name_slow(dir, mask, d->inode, name, strlen(name),
		    0);
		inode_put(dir);
	}
	vfs_notify_self(d->inode, mask);
}

uint32_t
vfs_notify_cookie(void)
{
	static uint32_t last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}
