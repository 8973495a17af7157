/* SPDX-License-Identifier: ISC */
/* inotify.h - the calls of inotify.c, and what the VFS tells it. */
#ifndef LINUX_INOTIFY_H
#define LINUX_INOTIFY_H

#include "kern/types.h"

struct inode;

long sys_inotify_init(void);
long sys_inotify_init1(unsigned flags);
long sys_inotify_add_watch(int fd, uaddr_t name, unsigned mask);
long sys_inotify_rm_watch(int fd, int wd);

/* vfs_hooks.notify */
void inotify_event(struct inode *inode, unsigned mask, const char *name,
    size_t len, uint32_t cookie);

#endif
