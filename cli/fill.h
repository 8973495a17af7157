/* SPDX-License-Identifier: ISC */
/*
 * fill.h - puts files of the host into the tree of the machine's root.
 */
#ifndef CLI_FILL_H
#define CLI_FILL_H

#include <limits.h>
#include <sys/stat.h>

#include "cli/tree.h"
#include "cli/trouble.h"

struct fill {
	const char *root;  /* where paths begin: "" is the host itself */
	struct tree *tree; /* NULL: only look */
	bool owners;       /* keep owners and hard links; else root's */
};

/*
 * Adds `path` and all that is met on the way: folders, symbolic links and
 * what they lead to.  Errors as walk(); what was met before stays.
 */
int fill_path(const struct fill *fill, const char *path,
    char resolved[PATH_MAX], struct stat *st);

/*
 * Adds the host's file or folder `host` as `guest`, with all it holds; does
 * not enter other file systems mounted below.  A final link is followed.
 * Calls each(arg, guest) for every regular file, if each is given.
 */
int fill_recursive(const struct fill *fill, const char *host, const char *guest,
    void (*each)(void *arg, const char *guest), void *arg, struct trouble *t);

/* Adds what a kernel expects in any root: see the manual page. */
void fill_basics(struct tree *tree);

#endif
