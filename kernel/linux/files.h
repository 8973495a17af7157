/* SPDX-License-Identifier: ISC */
/*
 * files.h - what the personality adds to the VFS: FIFOs, locks, watches.
 */
#ifndef LINUX_FILES_H
#define LINUX_FILES_H

/* Boot step: after vfs_init(), before the first open by a program. */
void files_init(void);

#endif
