/* SPDX-License-Identifier: ISC */
/*
 * notify.h - what happens to files, for who watches them (inotify(7)).  One
 * look at a counter where nobody does.
 * Context: threads, inode locks may be held; no spin locks.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include "fs/vfs.h"
#include "kern/types.h"
#include <linux/inotify.h>

extern uint32_t vfs_watched; /* [a] watches in all */

/* To d's file, and to who watches its directory.  mask: IN_*. */
void vfs_notify_slow(struct dentry *d, unsigned mask);
static inline void
vfs_notify(struct dentry *d, unsigned mask)
{
	if (__builtin_expect(__atomic_load_n(&vfs_watched, __ATOMIC_RELAXED) !=
		    0,
		0))
		vfs_notify_slow(d, mask);
}

/* To a directory: what became of that name of an `entry`. */
void vfs_notify_name_slow(struct inode *dir, unsigned mask,
    const struct inode *entry, const char *name, size_t len, uint32_t cookie);
static inline void
vfs_notify_name(struct inode *dir, unsigned mask, const struct inode *entry,
    const char *name, size_t len)
{
	if (__builtin_expect(__atomic_load_n(&vfs_watched, __ATOMIC_RELAXED) !=
		    0,
		0))
		vfs_notify_name_slow(dir, mask, entry, name, len, 0);
}

/* To the file itself only. */
void vfs_notify_self(struct inode *inode, unsigned mask);
/* A number that joins the two events of one renaming. */
uint32_t vfs_notify_cookie(void);

#endif
