/* SPDX-License-Identifier: ISC */
/*
 * initramfs.h - fills the root file system from the archives that the boot
 * loader put in memory: cpio newc, plain or compressed, one after the other.
 */
#ifndef FS_INITRAMFS_H
#define FS_INITRAMFS_H

#include "kern/types.h"

/*
 * Unpacks [pa, pa + size) into the root file system, which is mounted.  Plain
 * archives are not copied: files refer to the archive's memory, which from
 * now on belongs to the file system; compressed input is given back to the
 * page allocator.  What is corrupt is logged with its offset, and what came
 * before it is kept.
 *   -EINVAL  corrupt or cut short;  -ENOMEM, -ENOSPC  did not fit
 */
int initramfs_unpack(paddr_t pa, uint64_t size);

#endif
