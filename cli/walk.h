/* SPDX-License-Identifier: ISC */
/*
 * walk.h - path names as a program inside a root folder would see them:
 * symbolic links, absolute ones included, never lead out of the root.
 */
#ifndef CLI_WALK_H
#define CLI_WALK_H

#include <limits.h>
#include <sys/stat.h>

/*
 * Called for each name met on the way: folders, symbolic links (target is
 * theirs, else NULL), and the last name.  `path` is absolute in the root.
 */
typedef void
walk_fn(void *arg, const char *path, const struct stat *st, const char *target);

/*
 * Follows `path` (absolute in `root`; "" is the host's own root) to its end.
 * resolved: its name without symbolic links; *st: what it is.  fn may be NULL.
 *   -ENOENT -ENOTDIR -ELOOP -ENAMETOOLONG -EACCES ...  as open(2)
 */
int walk(const char *root, const char *path, char resolved[PATH_MAX],
    struct stat *st, walk_fn *fn, void *arg);

/*
 * The host's name of a resolved path; `buf` holds 2 * PATH_MAX bytes.
 */
const char *
walk_host_path(const char *root, const char *resolved, char buf[2 * PATH_MAX]);

/* Follows `path` and opens it for reading: a descriptor, or an error. */
int walk_open(const char *root, const char *path, char resolved[PATH_MAX],
    struct stat *st);

#endif
