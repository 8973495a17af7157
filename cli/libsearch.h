/* SPDX-License-Identifier: ISC */
/*
 * libsearch.h - finds a shared library as the dynamic linker would: ld.so(8)
 * for glibc; for musl its own order.  All names are those inside the root.
 */
#ifndef CLI_LIBSEARCH_H
#define CLI_LIBSEARCH_H

#include <limits.h>
#include <stdbool.h>

#include "cli/elffile.h"
#include "cli/ldcache.h"
#include "cli/mem.h"

/* A program or library that was found, and what it says about searching. */
struct lib_object {
	char *path;            /* as it was found */
	char *origin;          /* $ORIGIN: its folder */
	char *rpath, *runpath; /* or NULL */
	bool nodeflib;
	const struct lib_object *loader; /* who needed it first; or NULL */
};

struct lib_search {
	const char *root;            /* "" is the host itself */
	const char *ld_library_path; /* or NULL */
	bool musl;
	char *musl_path; /* of ld-musl's path file, or NULL */
	struct ld_cache cache;
	bool cache_tried;
	bool used_library_path; /* some library was found by it: the */
	bool used_cache;        /* machine needs these too */
	bool used_musl_path;
};

/* What a search found. */
struct lib_found {
	char path[PATH_MAX]; /* of the library */
	char bad[PATH_MAX];  /* a wrong one that was passed over */
	char bad_why[160];
	struct text tried; /* where it looked, for messages */
};

/* `ld_library_path` may be NULL; memory of the search ends with _fini(). */
void lib_search_init(struct lib_search *search, const char *root,
    const char *ld_library_path);
void lib_search_fini(struct lib_search *search);

/* Tells which C library's rules hold from here on. */
void lib_search_set_interp(struct lib_search *search, const char *interp);

/*
 * Looks for `name` (DT_NEEDED) on behalf of `by`; the program is `main`.
 *   -ENOENT   nowhere; *found tells where it was looked for
 *   -EBADMSG  found, but it is damaged: found->path, found->bad_why
 * lib_found_fini() is due in any case.
 */
int lib_search_find(struct lib_search *search, const char *name,
    const struct lib_object *by, const struct lib_object *program,
    struct lib_found *found);
void lib_found_fini(struct lib_found *found);

/* Expands $ORIGIN, $LIB and $PLATFORM in one folder's name. */
char *lib_expand(const char *dir, size_t length, const char *origin);

#endif
