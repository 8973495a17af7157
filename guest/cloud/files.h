/* SPDX-License-Identifier: ISC */
/*
 * files.h - files of the machine, as cloud-config names them.  All paths are
 * absolute; errors are negative errno.
 */
#ifndef CLOUD_FILES_H
#define CLOUD_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "guest/cloud/mem.h"

/* The whole of a file of at most `max` bytes; -EFBIG. */
int file_read(const char *path, size_t max, struct buf *out);

/* Writes a file in one piece, or appends; `mode` is set in any case. */
int file_write(const char *path, const void *data, size_t n, mode_t mode,
    bool append);

/* The same by way of a new file beside it, so that it is never half there. */
int file_replace(const char *path, const void *data, size_t n, mode_t mode);

/* Makes the folders up to and without the last name, 0755; those there stay. */
int file_make_parents(const char *path);

/* A folder, with its parents; 0 if it is there already. */
int file_make_folder(const char *path, mode_t mode);

#endif
