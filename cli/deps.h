/* SPDX-License-Identifier: ISC */
/*
 * deps.h - what a program needs to start: the interpreters of scripts, the
 * dynamic linker, and the closure of its shared libraries.
 */
#ifndef CLI_DEPS_H
#define CLI_DEPS_H

#include "cli/fill.h"
#include "cli/libsearch.h"

struct deps {
	struct fill fill; /* where from, and where to */
	struct lib_search search;
	const char *path; /* $PATH, for scripts run by env(1) */
	char *env_dir;    /* where env(1) must look, or NULL */
	struct trouble *trouble;
};

/* Copies nothing: all pointers must last until deps_fini(). */
void deps_init(struct deps *deps, const struct fill *fill,
    const char *ld_library_path, const char *path, struct trouble *t);
void deps_fini(struct deps *deps);

/*
 * Adds the program `path` and all it needs.  Fills the trouble: 127 where
 * there is none, 126 where it cannot be executed or something is missing.
 */
int deps_add_program(struct deps *deps, const char *path);

/*
 * Adds what a file that is in the tree already needs, if it is a program or
 * library.  What is missing fills the trouble; it may be disregarded.
 */
int deps_add_needs(struct deps *deps, const char *path);

/*
 * Finds a program as execvp(3): without a slash, along `path`.  `found` gets
 * its name in the root.  Fills *t with status 127 or 126.
 */
int deps_find_program(const char *root, const char *path, const char *name,
    char found[PATH_MAX], struct trouble *t);

#endif
