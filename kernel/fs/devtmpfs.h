/* SPDX-License-Identifier: ISC */
/*
 * devtmpfs.h - the nodes that the kernel itself makes below /dev: one tmpfs
 * that every mount of the type shares.  Nodes appear when they are announced,
 * or, announced before the first look into /dev, at that look.
 * Context: threads; may sleep.
 */
#ifndef FS_DEVTMPFS_H
#define FS_DEVTMPFS_H

#include "kern/types.h"

/*
 * A node appears or goes.  name below /dev, with directories made as needed;
 * mode with S_IFCHR or S_IFBLK.  Strings are copied.  -ENOMEM, -EEXIST
 */
int devtmpfs_add(const char *name, uint32_t mode, uint64_t rdev);
void devtmpfs_remove(const char *name);
/* A link such as fd -> /proc/self/fd. */
int devtmpfs_link(const char *name, const char *target);

#endif
