/* SPDX-License-Identifier: ISC */
/* inotify.h - the calls of inotify.c, and what the VFS tells it. */
#ifndef LINUX_INOTIFY_H
#define LINUX_INOTIFY_H

#include "kern/types.h"

#define INOTIFY_EVENTS_MAX 16384u /* fs.inotify.max_queued_events */

struct inode;

long sys_inotify_init(void);
long sys_inotify_init1(unsigned flags);
long sys_inotify_add_watch(int fd, uaddr_t name, unsigned mask);
long sys_inotify_rm_watch(int fd, int wd);

struct file;
/* F_NOTIFY of fcntl(2): signals in place of events.  -ENOTDIR, -ENOMEM */
long dnotify_set(struct file *file, int fd, unsigned mask);
/* The file, whose sigio is not NULL, is about to go.  May sleep. */
void dnotify_file_gone(struct file *file);

/* vfs_hooks.notify */
void inotify_event(struct inode *inode, unsigned mask, const char *name,
    size_t len, uint32_t cookie);

#endif
