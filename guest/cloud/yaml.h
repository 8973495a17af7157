/* SPDX-License-Identifier: ISC */
/*
 * yaml.h - a YAML document as a tree, read by libyaml.  JSON is YAML, too.
 * YAML 1.1, as user data is written.
 */
#ifndef CLOUD_YAML_H
#define CLOUD_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/cloud/mem.h"

#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 100000

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool plain;  /* text without quotes, which may be a number */
	bool binary; /* text was base64 by !!binary, is decoded */
	char *text;  /* of YAML_TEXT, NUL behind; owned */
	size_t len;  /* its bytes: NULs may be among them */
	struct yaml_node **item; /* a map's: key, value, key, value */
	size_t count;            /* of items: a map has count / 2 pairs */
};

struct yaml {
	struct yaml_node *root; /* NULL: the document is empty */
	struct yaml_node **all; /* every node; several may lead to one */
	size_t nall;
	char why[160]; /* of an error, with its line */
};

/*
 * Reads the first document.  -EBADMSG with y->why filled: no YAML, or nested
 * deeper or larger than the limits.  yaml_fini() is due in any case.
 */
int yaml_read(struct yaml *y, const char *data, size_t n);
void yaml_fini(struct yaml *y);

/* A map's value of that key, NULL: there is none.  NULL is an empty map. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* Text without NULs inside; NULL for anything else, and for null and ~. */
const char *yaml_text(const struct yaml_node *node);

/* true, yes, on, as YAML 1.1 has them; `otherwise` if it is no such word. */
bool yaml_bool(const struct yaml_node *node, bool otherwise);

/*
 * The i-th of a list, or of a list of one where no list stands; NULL behind
 * its end.
 */
const struct yaml_node *yaml_nth(const struct yaml_node *list, size_t i);

#endif
