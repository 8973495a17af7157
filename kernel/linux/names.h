/* SPDX-License-Identifier: ISC */
/*
 * names.h - path names that a program passes to a system call, alone or with
 * the descriptor of the directory that they start from.
 */
#ifndef LINUX_NAMES_H
#define LINUX_NAMES_H

#include "fs/vfs.h"
#include "kern/types.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"

#define NAME_SMALL 224 /* longer ones need an allocation */

struct user_name {
	char *text;
	char small[NAME_SMALL];
};

#define NAME_MAY_BE_EMPTY 0x1u

/* -EFAULT, -ENAMETOOLONG, -ENOENT (empty), -ENOMEM */
int user_name_get(struct user_name *n, uaddr_t src, unsigned flags);
void user_name_put(struct user_name *n);

/*
 * The caller's context, a name, and where it starts: all that the calls with
 * "at" in their names begin with.
 */
struct at_name {
	struct fs_ctx ctx;
	struct user_name name;
	struct fdref dir;
	const struct path *base; /* NULL: the working directory */
};

/*
 * dirfd counts only for relative names.  Besides user_name_get's: -EBADF.
 * On an error nothing is held.
 */
int at_name_get(struct at_name *at, int dirfd, uaddr_t src, unsigned flags);
void at_name_put(struct at_name *at);

/* A second one of the same call; its context is not filled in. */
int
at_name_get_more(struct at_name *at, int dirfd, uaddr_t src, unsigned flags);
void at_name_put_more(struct at_name *at);

/*
 * Both steps of most calls: the place that dirfd and name stand for.  `walk`
 * is WALK_*; with WALK_EMPTY "" stands for dirfd itself, whatever it is.
 * Afterwards *at is held, and *out has references.
 */
int at_name_walk(struct at_name *at, int dirfd, uaddr_t src, unsigned walk,
    struct path *out);

#endif
