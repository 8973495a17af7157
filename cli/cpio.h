/* SPDX-License-Identifier: ISC */
/*
 * cpio.h - writes a tree as an initramfs: a cpio archive of the "newc" kind.
 * Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 * The contents of each regular file begin at a multiple of 4096 bytes: names
 * are padded with NULs, which Linux accepts up to 4096 bytes in all.
 */
#ifndef CLI_CPIO_H
#define CLI_CPIO_H

#include <stdint.h>

#include "cli/tree.h"
#include "cli/trouble.h"

/*
 * Writes the sorted tree to fd, which stands at its beginning.  With fd -1
 * nothing is written or read, and only *size is found out: bytes in all.
 * Returns 0, or fills *t: a file that cannot be read, changed its length
 * meanwhile, or is too large; or no room.
 */
int
cpio_write(const struct tree *tree, int fd, uint64_t *size, struct trouble *t);

#endif
