/* SPDX-License-Identifier: ISC */
/*
 * tree.h - the files that the machine will find in its root, before they are
 * written into an archive.  Contents stay in the host's files until then.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct tree_node {
	char *path;  /* absolute in the machine; "/" is the root */
	mode_t mode; /* type and permissions */
	uid_t uid;
	gid_t gid;
	time_t mtime;  /* seconds since 1970 */
	dev_t rdev;    /* of a device node */
	uint64_t size; /* of a regular file, bytes */
	char *source;  /* a regular file's name on the host, or */
	char *data;    /* its bytes; both owned; else NULL */
	char *target;  /* of a symbolic link, owned; else NULL */
	dev_t dev;     /* dev and ino tell hard links, where links */
	ino_t ino;     /* is above 1 */
	unsigned links;
};

struct tree {
	struct tree_node **node; /* sorted by tree_sort() */
	size_t count;
	size_t *slot;  /* hash: index into node, plus one */
	size_t nslots; /* a power of two, or 0 */
};

/* Frees all nodes. */
void tree_fini(struct tree *tree);
/* The node called `path`, or NULL. */
struct tree_node *tree_find(const struct tree *tree, const char *path);

/*
 * The node called `path`, new (with `mode`, and nothing else) unless *found.
 * `found` may be NULL.  It stays valid until tree_fini().
 */
struct tree_node *
tree_add(struct tree *tree, const char *path, mode_t mode, bool *found);

/*
 * The path by which the machine will reach `path`: links among its folders,
 * as far as they are in the tree, are followed; its last name is not.  To be
 * freed.
 */
char *tree_resolve(const struct tree *tree, const char *path);

/* Adds folders up to and without `path`'s last name, as 0755 of root. */
void tree_add_parents(struct tree *tree, const char *path);

/* Adds a regular file of `size` bytes; takes over `data`. */
void tree_add_data(struct tree *tree, const char *path, mode_t mode, char *data,
    size_t size);

/* Parents come before what they hold; names in strcmp()'s order. */
void tree_sort(struct tree *tree);

#endif
