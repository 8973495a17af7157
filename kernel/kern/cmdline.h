/* SPDX-License-Identifier: ISC */
/*
 * cmdline.h - the grammar of Linux's boot arguments.
 * Linux, Documentation/admin-guide/kernel-parameters.rst.
 * Context: any; nothing is allocated, no state is kept.
 *
 * Arguments are separated by white space; double quotes protect white space
 * and are removed around a whole argument or a whole value.  In names '-' and
 * '_' are the same.  What stands after an argument "--" is for init.
 */
#ifndef KERN_CMDLINE_H
#define KERN_CMDLINE_H

#include "kern/types.h"

/* One argument, as pieces of the line itself: no NUL ends them. */
struct cmdline_arg {
	const char *name;
	size_t name_len;
	const char *value; /* NULL: there is no '=' */
	size_t value_len;
};

/*
 * Takes the next argument off *line, and moves *line behind it; false at the
 * line's end.
 */
bool cmdline_next(const char **line, struct cmdline_arg *arg);

/* Whether the argument has this name. */
bool cmdline_named(const struct cmdline_arg *arg, const char *name);

/*
 * For arguments that may be repeated, such as virtio_mmio.device=: copies the
 * next value of `name` in *line, before "--", into `value` with a NUL and moves
 * *line behind it.  Returns its length, or
 *   -ENOENT  no further one
 *   -E2BIG   it does not fit in `size` bytes; the next call goes on behind it
 */
int cmdline_next_value(const char **line, const char *name, char *value,
    size_t size);

/*
 * A known argument: a row of the caller's table.  `set` is called for each
 * time it is given, in order, so that the last one wins; its value is NULL if
 * there is no '='.  An error that it returns goes to sink->bad.
 */
struct cmdline_known {
	const char *name;
	int (*set)(void *ctx, const char *value);
	bool needs_value; /* without '=' it is an unknown word */
};

/* Where all others go; any may be NULL. */
struct cmdline_sink {
	/* An unknown word, or anything after "--": for init's arguments. */
	int (*word)(void *ctx, const char *word);
	/* An unknown name=value, whole: for init's environment. */
	int (*env)(void *ctx, const char *string, size_t name_len);
	/* An unknown name with a '.' in it: a module's, ignored as by Linux. */
	void (*ignored)(void *ctx, const char *string);
	/* A callback refused this argument with this error. */
	void (*bad)(void *ctx, const char *string, int error);
};

/*
 * Sorts a whole line by the table.  All strings given to callbacks lie in
 * `store`, which must have room for strlen(line) + 1 bytes, and live as long
 * as it does.
 */
void
cmdline_parse(const char *line, char *store, const struct cmdline_known *known,
    size_t nknown, const struct cmdline_sink *sink, void *ctx);

#endif
