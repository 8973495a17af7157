/* SPDX-License-Identifier: ISC */
/*
 * memfd.h - files in memory without a name, and the seals that say what no
 * longer happens to them.  memfd_create(2), fcntl(2) "File sealing".
 */
#ifndef LINUX_MEMFD_H
#define LINUX_MEMFD_H

#include "kern/types.h"

struct file;

/* -EINVAL (no such file), -EPERM, -EBUSY (mapped writable) */
int memfd_add_seals(struct file *file, unsigned seals);
/* F_SEAL_* bits, or -EINVAL. */
int memfd_get_seals(struct file *file);

#endif
