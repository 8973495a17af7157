/* SPDX-License-Identifier: ISC */
/* pack.h - chooses what the machine finds in its root. */
#ifndef CLI_PACK_H
#define CLI_PACK_H

#include <limits.h>

#include "cli/mem.h"
#include "cli/options.h"
#include "cli/tree.h"

struct pack {
	struct tree tree;       /* sorted */
	char program[PATH_MAX]; /* its name in the machine */
	struct strings env;     /* NAME=VALUE for it, no name twice */
};

/*
 * Packs the program with all it needs, or the whole of --rootfs, and what
 * --add asks for.  Returns 0, or fills *t with 125, 126 or 127.
 * pack_fini() is due in any case.
 */
int
pack_make(struct pack *pack, const struct run_options *o, struct trouble *t);
void pack_fini(struct pack *pack);

/* Sets NAME=VALUE, in place of an earlier one. */
void pack_set_env(struct pack *pack, const char *env);

#endif
