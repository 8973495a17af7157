/* SPDX-License-Identifier: ISC */
/*
 * pagetree.c - a radix tree from page index to pointer.
 *
 * Height 0: root is the entry of index 0.  Height h: root is a node, each
 * level takes 6 bits of the index, the highest first.  A node that becomes
 * empty is freed; the tree gets lower only when it is empty.
 */
#include "fs/pagetree.h"
#include "kern/kmem.h"
#include <linux/errno.h>

#define BITS       6
#define SLOTS      (1u << BITS)
#define HEIGHT_MAX 9 /* 54 bits: all pages of 64-bit files */

struct node {
	void *slot[SLOTS];
};
static struct objcache node_cache = OBJCACHE_INIT("pagetree",
    sizeof(struct node));

static bool
covers(const struct pagetree *t, uint64_t index)
{
	return t->height >= HEIGHT_MAX || index >> (BITS * t->height) == 0;
}

static unsigned
slot_of(uint64_t index, unsigned level) /* level 1: the lowest nodes */
{
	return index >> (BITS * (level - 1)) & (SLOTS - 1);
}

void *
pagetree_find(const struct pagetree *t, uint64_t index)
{
	unsigned level;
	void *p = t->root;

	if (!covers(t, index))
		return NULL;
	for (level = t->height; level > 0 && p != NULL; level--)
		p = ((struct node *)p)->slot[slot_of(index, level)];
	return p;
}

/* Adds levels above until index fits. */
static int
grow(struct pagetree *t, uint64_t index)
{
	struct node *n;

	while (!covers(t, index)) {
		if (t->root != NULL) {
			n = objcache_zalloc(&node_cache);
			if (n == NULL)
				return -ENOMEM;
			n->slot[0] = t->root;
			t->root = n;
		}
		t->height++;
	}
	return 0;
}

int
pagetree_insert(struct pagetree *t, uint64_t index, void *entry)
{
	unsigned level;
	void **slot;
	int error;

	if (index >> (BITS * HEIGHT_MAX) != 0)
		return -EFBIG;
	error = grow(t, index);
	if (error != 0)
		return error;
	slot = &t->root;
	for (level = t->height; level > 0; level--) {
		if (*slot == NULL)
			*slot = objcache_zalloc(&node_cache);
		if (*slot == NULL)
			return -ENOMEM;
		slot = &((struct node *)*slot)->slot[slot_of(index, level)];
	}
	*slot = entry;
	return 0;
}

static bool
node_empty(const struct node *n)
{
	unsigned i;

	for (i = 0; i < SLOTS; i++)
		if (n->slot[i] != NULL)
			return false;
	return true;
}

/* The slot of an entry that is there, and those of the nodes above it. */
static void **
path_to(struct pagetree *t, uint64_t index, void **path[HEIGHT_MAX + 1])
{
	unsigned level;
	void **slot = &t->root;

	if (!covers(t, index))
		return NULL;
	for (level = t->height; level > 0 && *slot != NULL; level--) {
		path[level] = slot;
		slot = &((struct node *)*slot)->slot[slot_of(index, level)];
	}
	return *slot != NULL ? slot : NULL;
}

void *
pagetree_clear(struct pagetree *t, uint64_t index)
{
	void **path[HEIGHT_MAX + 1];
	void **slot = path_to(t, index, path);
	void *entry;

	if (slot == NULL)
		return NULL;
	entry = *slot;
	*slot = NULL;
	return entry;
}

void *
pagetree_remove(struct pagetree *t, uint64_t index)
{
	void **path[HEIGHT_MAX + 1];
	void **slot = path_to(t, index, path);
	unsigned level;
	void *entry;

	if (slot == NULL)
		return NULL;
	entry = *slot;
	*slot = NULL;
	for (level = 1; level <= t->height; level++) {
		if (!node_empty(*path[level]))
			break;
		objcache_free(&node_cache, *path[level]);
		*path[level] = NULL;
	}
	if (t->root == NULL)
		t->height = 0;
	return entry;
}

/* In the subtree p of `level`, whose first index is base. */
static void *
next_in(void *p, unsigned level, uint64_t base, uint64_t *index)
{
	uint64_t span, first;
	unsigned i;
	void *found;

	if (p == NULL || level == 0) {
		if (p != NULL)
			*index = base;
		return p;
	}
	span = 1ull << (BITS * (level - 1));
	i = *index > base ? (*index - base) / span : 0;
	for (; i < SLOTS; i++) {
		first = base + i * span;
		found = ((struct node *)p)->slot[i];
		if (found == NULL)
			continue;
		found = next_in(found, level - 1, first, index);
		if (found != NULL)
			return found;
	}
	return NULL;
}

void *
pagetree_next(const struct pagetree *t, uint64_t *index)
{
	if (!covers(t, *index))
		return NULL;
	return next_in(t->root, t->height, 0, index);
}

static void
free_nodes(struct node *n, unsigned level)
{
	unsigned i;

	if (n == NULL || level == 0)
		return;
	for (i = 0; level > 1 && i < SLOTS; i++)
		free_nodes(n->slot[i], level - 1);
	objcache_free(&node_cache, n);
}

void
pagetree_fini(struct pagetree *t)
{
	free_nodes(t->root, t->height);
	pagetree_init(t);
}
