/* SPDX-License-Identifier: ISC */
/* archive.h - the temporary file that holds the initial file system. */
#ifndef CLI_ARCHIVE_H
#define CLI_ARCHIVE_H

#include <stdint.h>

#include "cli/trouble.h"

/*
 * A file for `size` bytes that has no name and so vanishes with its last
 * descriptor: in memory where it is small, else in $TMPDIR or /var/tmp.
 * Returns the descriptor, or a negative value with *t filled.
 */
int archive_create(uint64_t size, struct trouble *t);

#endif
