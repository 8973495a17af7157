/* SPDX-License-Identifier: ISC */
/*
 * pty.h - what pty.c (the two ends) and devpts.c (their names) share.  pty(7).
 */
#ifndef LINUX_PTY_H
#define LINUX_PTY_H

#include "fs/vfs.h"
#include "kern/types.h"

/*
 * A node for the slave of that number, owned by the caller; *out is referenced.
 * Nothing needs to be mounted for that.  -ENOMEM, -ENOSPC
 */
int devpts_add(unsigned index, uint64_t rdev, const struct vfs_cred *cred,
    struct dentry **out);
/* Takes the name away, and the reference. */
void devpts_remove(struct dentry *d);
/*
 * The place of that node, referenced, in the mount beside the master's node,
 * else in any; mnt NULL where devpts is not mounted.  May sleep.
 */
void devpts_path(struct dentry *d, const struct path *master, struct path *out);

extern const struct fs_type devpts_type;

#endif
