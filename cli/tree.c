/* SPDX-License-Identifier: ISC */
/* tree.c - the files of the machine's root, found by name. */
#include "cli/tree.h"

#include <stdlib.h>
#include <string.h>

#include "cli/mem.h"

#define TREE_HOPS_MAX 40 /* links on one way; Linux's MAXSYMLINKS */

static size_t
tree_hash(const char *path)
{
	size_t h = 14695981039346656037u; /* FNV-1a */

	while (*path != '\0')
		h = (h ^ (unsigned char)*path++) * 1099511628211u;
	return h;
}

/* The slot that holds `path`, or the free one where it belongs. */
static size_t
tree_slot(const struct tree *tree, const char *path)
{
	size_t i = tree_hash(path) & (tree->nslots - 1);

	while (tree->slot[i] != 0 &&
	    strcmp(tree->node[tree->slot[i] - 1]->path, path) != 0)
		i = (i + 1) & (tree->nslots - 1);
	return i;
}

static void
tree_index(struct tree *tree)
{
	memset(tree->slot, 0, tree->nslots * sizeof(*tree->slot));
	for (size_t i = 0; i < tree->count; i++)
		tree->slot[tree_slot(tree, tree->node[i]->path)] = i + 1;
}

/* Keeps the index at most half full, and the list as long as that. */
static void
tree_grow(struct tree *tree)
{
	if (tree->count < tree->nslots / 2)
		return;
	tree->nslots = tree->nslots == 0 ? 64 : tree->nslots * 2;
	tree->slot = mem_resize(tree->slot, tree->nslots, sizeof(*tree->slot));
	tree->node = mem_resize(tree->node, tree->nslots / 2,
	    sizeof(*tree->node));
	tree_index(tree);
}

struct tree_node *
tree_find(const struct tree *tree, const char *path)
{
	size_t at;

	if (tree->nslots == 0)
		return NULL;
	at = tree->slot[tree_slot(tree, path)];
	return at == 0 ? NULL : tree->node[at - 1];
}

struct tree_node *
tree_add(struct tree *tree, const char *path, mode_t mode, bool *found)
{
	struct tree_node *node = tree_find(tree, path);

	if (found != NULL)
		*found = node != NULL;
	if (node != NULL)
		return node;
	tree_grow(tree);
	node = mem_zero(sizeof(*node));
	node->path = mem_string(path);
	node->mode = mode;
	node->links = 1;
	tree->node[tree->count++] = node;
	tree->slot[tree_slot(tree, path)] = tree->count;
	return node;
}

/* "/a/b" and "../c/d" is "/c/d": where a link in /a/b leads to. */
static char *
tree_target(const char *folder, const char *target, const char *rest)
{
	char *base = mem_string(target[0] == '/' ? "" : folder), *path;

	while (strncmp(target, "../", 3) == 0) {
		char *slash = strrchr(base, '/');

		if (slash != NULL)
			*slash = '\0';
		target += 3;
	}
	path = mem_format("%s/%s%s", base, target + strspn(target, "/"), rest);
	free(base);
	return path;
}

/* One link among the folders of `path` is followed; NULL: there is none. */
static char *
tree_resolve_one(const struct tree *tree, const char *path)
{
	char *copy = mem_string(path), *next = NULL;

	for (char *p = strchr(copy + 1, '/'); p != NULL && next == NULL;
	     p = strchr(p + 1, '/')) {
		const struct tree_node *node;

		*p = '\0';
		node = tree_find(tree, copy);
		if (node != NULL && S_ISLNK(node->mode)) {
			*strrchr(copy, '/') = '\0';
			next = tree_target(copy, node->target,
			    path + (p - copy));
			break;
		}
		*p = '/';
	}
	free(copy);
	return next;
}

char *
tree_resolve(const struct tree *tree, const char *path)
{
	char *at = mem_string(path), *next;

	for (unsigned hops = 0; hops < TREE_HOPS_MAX; hops++) {
		next = tree_resolve_one(tree, at);
		if (next == NULL)
			break;
		free(at);
		at = next;
	}
	return at;
}

void
tree_add_parents(struct tree *tree, const char *path)
{
	char *copy = mem_string(path);

	for (char *p = strchr(copy + 1, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		*p = '\0';
		tree_add(tree, copy, S_IFDIR | 0755, NULL);
		*p = '/';
	}
	free(copy);
}

void
tree_add_data(struct tree *tree, const char *path, mode_t mode, char *data,
    size_t size)
{
	struct tree_node *node;
	bool found;

	tree_add_parents(tree, path);
	node = tree_add(tree, path, S_IFREG | mode, &found);
	free(node->data);
	free(node->source);
	free(node->target);
	node->source = node->target = NULL;
	node->mode = S_IFREG | mode;
	node->links = 1;
	node->data = data;
	node->size = size;
}

static int
tree_compare(const void *a, const void *b)
{
	return strcmp((*(struct tree_node *const *)a)->path,
	    (*(struct tree_node *const *)b)->path);
}

void
tree_sort(struct tree *tree)
{
	if (tree->count == 0)
		return;
	qsort(tree->node, tree->count, sizeof(*tree->node), tree_compare);
	tree_index(tree);
}

void
tree_fini(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		struct tree_node *node = tree->node[i];

		free(node->path);
		free(node->source);
		free(node->data);
		free(node->target);
		free(node);
	}
	free(tree->node);
	free(tree->slot);
	memset(tree, 0, sizeof(*tree));
}
