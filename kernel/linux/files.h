/* SPDX-License-Identifier: ISC */
/*
 * files.h - what the personality adds to the VFS: FIFOs, locks, watches.
 */
#ifndef LINUX_FILES_H
#define LINUX_FILES_H

#include "kern/types.h"

struct file;

/* Boot step: after vfs_init(), before the first open by a program. */
void files_init(void);

/* lseek(2) of files like eventfd's: allowed, and of no effect. */
int64_t files_noop_llseek(struct file *file, int64_t offset, int whence);

/* A descriptor of eventfd(2)'s; and one more on its counter, any context. */
bool eventfd_is(const struct file *file);
void eventfd_signal(struct file *file);

#endif
