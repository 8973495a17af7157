/* SPDX-License-Identifier: ISC */
/*
 * devtmpfs.h - the nodes that the kernel itself makes below /dev: one tmpfs
 * that every mount of the type shares.  It is filled at the first look into
 * it, with the nodes of the devices that are registered then; from then on
 * nodes come and go with their devices.
 * Context: threads; may sleep.
 */
#ifndef FS_DEVTMPFS_H
#define FS_DEVTMPFS_H

#include "fs/vfs.h"
#include "kern/types.h"

extern const struct fs_type devtmpfs_type;

/*
 * Has anybody looked into /dev?  Before, there is nothing to keep up to date:
 * the first look makes the nodes of what is registered then.
 */
bool devtmpfs_is_populated(void);

/*
 * A node appears or goes.  name below /dev, with directories made as needed;
 * mode with S_IFCHR or S_IFBLK.  Strings are copied.  -ENOMEM, -EEXIST
 */
int devtmpfs_add(const char *name, uint32_t mode, uint64_t rdev);
void devtmpfs_remove(const char *name);
/* A link such as fd -> /proc/self/fd. */
int devtmpfs_link(const char *name, const char *target);

#endif
