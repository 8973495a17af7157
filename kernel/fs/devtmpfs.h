/* SPDX-License-Identifier: ISC */
/*
 * devtmpfs.h - the nodes that the kernel itself makes below /dev: one tmpfs
 * that every mount of the type shares.  At first a node is made when its name
 * is asked for; the first list or change makes all, and from then on nodes
 * come and go with their devices.
 * Context: threads; may sleep.
 */
#ifndef FS_DEVTMPFS_H
#define FS_DEVTMPFS_H

#include "fs/vfs.h"
#include "kern/types.h"

extern const struct fs_type devtmpfs_type;

/* Have all nodes been made?  Before, a new device needs none. */
bool devtmpfs_is_populated(void);

/*
 * A node appears or goes.  name below /dev, with directories made as needed;
 * mode with S_IFCHR or S_IFBLK.  Strings are copied.  -ENOMEM, -EEXIST
 */
int devtmpfs_add(const char *name, uint32_t mode, uint64_t rdev);
void devtmpfs_remove(const char *name);
/* A link such as fd -> /proc/self/fd. */
int devtmpfs_link(const char *name, const char *target);
void devtmpfs_unlink(const char *name);
/* Only if it leads there. */
void devtmpfs_unlink_if(const char *name, const char *target);

#endif
