/* SPDX-License-Identifier: ISC */
/*
 * pagetree.h - a radix tree from page index to pointer.  A tree of one entry
 * at index 0 has no node at all; nodes have 64 slots.  Callers serialise.
 * Never sleeps.  Builds on the host.
 */
#ifndef FS_PAGETREE_H
#define FS_PAGETREE_H

#include "kern/types.h"

struct pagetree {
	void *root;      /* the entry itself while height is 0 */
	uint32_t height; /* levels of nodes */
};

static inline void
pagetree_init(struct pagetree *t)
{
	t->root = NULL;
	t->height = 0;
}
/* The entry, or NULL. */
void *pagetree_find(const struct pagetree *t, uint64_t index);
/* The slot must be empty.  -ENOMEM */
int pagetree_insert(struct pagetree *t, uint64_t index, void *entry);
/* What was there, or NULL. */
void *pagetree_remove(struct pagetree *t, uint64_t index);
/* The same, but keeps empty nodes: frees nothing, for use where none may be. */
void *pagetree_clear(struct pagetree *t, uint64_t index);
/* The first entry at or above *index, which is set to its index; NULL: none. */
void *pagetree_next(const struct pagetree *t, uint64_t *index);
/* Frees all nodes; the entries are the caller's. */
void pagetree_fini(struct pagetree *t);

#endif
