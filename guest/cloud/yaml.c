/* SPDX-License-Identifier: ISC */
/*
 * yaml.c - from libyaml's events to a tree.  libyaml has a loader of its own,
 * which knows no limits of depth.
 */
#include "guest/cloud/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "guest/cloud/codec.h"

#define BINARY_TAG "tag:yaml.org,2002:binary"

struct anchor {
	char *name;
	struct yaml_node *node;
};

struct reading {
	struct yaml *y;
	yaml_parser_t parser;
	struct anchor *anchor;
	size_t nanchors;
};

/* Says why, once; the line is counted from 0. */
static int
yaml_bad(struct reading *r, const char *why, size_t line)
{
	if (r->y->why[0] == '\0')
		snprintf(r->y->why, sizeof(r->y->why), "line %zu: %s", line + 1,
		    why);
	return -EBADMSG;
}

static int
yaml_next(struct reading *r, yaml_event_t *event)
{
	const char *why = r->parser.problem;

	if (yaml_parser_parse(&r->parser, event) != 0)
		return 0;
	why = r->parser.problem != NULL ? r->parser.problem : "not readable";
	return yaml_bad(r, why, r->parser.problem_mark.line);
}

static int
yaml_new(struct reading *r, enum yaml_kind kind, const yaml_event_t *event,
    struct yaml_node **out)
{
	struct yaml *y = r->y;

	if (y->nall == YAML_NODES_MAX)
		return yaml_bad(r, "too many parts", event->start_mark.line);
	if ((y->nall & (y->nall - 1)) == 0)
		y->all = mem_resize(y->all, y->nall == 0 ? 1 : 2 * y->nall,
		    sizeof(y->all[0]));
	*out = mem_zero(sizeof(**out));
	(*out)->kind = kind;
	y->all[y->nall++] = *out;
	return 0;
}

/* An anchor given again means the later one. */
static void
yaml_anchor(struct reading *r, const yaml_char_t *name, struct yaml_node *node)
{
	if (name == NULL)
		return;
	r->anchor = mem_resize(r->anchor, r->nanchors + 1, sizeof(*r->anchor));
	r->anchor[r->nanchors++] = (struct anchor){
		mem_string((const char *)name), node
	};
}

static int
yaml_alias(struct reading *r, const yaml_event_t *event, struct yaml_node **out)
{
	for (size_t i = r->nanchors; i-- > 0;)
		if (strcmp(r->anchor[i].name,
			(const char *)event->data.alias.anchor) == 0) {
			*out = r->anchor[i].node;
			return 0;
		}
	return yaml_bad(r, "an alias of nothing", event->start_mark.line);
}

static int
yaml_scalar(struct reading *r, const yaml_event_t *event,
    struct yaml_node **out)
{
	const char *tag = (const char *)event->data.scalar.tag;
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct buf bytes = { 0 };
	int error = yaml_new(r, YAML_TEXT, event, out);

	if (error != 0)
		return error;
	(*out)->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	(*out)->binary = tag != NULL && strcmp(tag, BINARY_TAG) == 0;
	if ((*out)->binary && base64_decode(text, len, &bytes) != 0)
		error = yaml_bad(r, "!!binary is not base64",
		    event->start_mark.line);
	if ((*out)->binary && error == 0) {
		(*out)->text = mem_bytes(buf_text(&bytes), bytes.len);
		(*out)->len = bytes.len;
	} else {
		(*out)->text = mem_bytes(text, len);
		(*out)->len = len;
	}
	buf_fini(&bytes);
	yaml_anchor(r, event->data.scalar.anchor, *out);
	return error;
}

static void
yaml_push(struct yaml_node *to, struct yaml_node *node)
{
	if ((to->count & (to->count - 1)) == 0)
		to->item = mem_resize(to->item,
		    to->count == 0 ? 1 : 2 * to->count, sizeof(to->item[0]));
	to->item[to->count++] = node;
}

static int yaml_node(struct reading *r, const yaml_event_t *event,
    unsigned depth, struct yaml_node **out);

/* Up to the end of a list or map, whose beginning was `event`. */
static int
yaml_collection(struct reading *r, const yaml_event_t *event, unsigned depth,
    struct yaml_node **out)
{
	bool map = event->type == YAML_MAPPING_START_EVENT;
	bool over = false;
	int error = yaml_new(r, map ? YAML_MAP : YAML_LIST, event, out);

	if (error == 0 && depth == YAML_DEPTH_MAX)
		error = yaml_bad(r, "nested too deep", event->start_mark.line);
	while (error == 0 && !over) {
		struct yaml_node *item;
		yaml_event_t next;

		error = yaml_next(r, &next);
		if (error != 0)
			break;
		over = next.type == YAML_MAPPING_END_EVENT ||
		    next.type == YAML_SEQUENCE_END_EVENT;
		if (!over) {
			error = yaml_node(r, &next, depth + 1, &item);
			if (error == 0)
				yaml_push(*out, item);
		}
		yaml_event_delete(&next);
	}
	/* Only now: nothing may hold itself. */
	if (error == 0)
		yaml_anchor(r,
		    map ? event->data.mapping_start.anchor :
			  event->data.sequence_start.anchor,
		    *out);
	return error;
}

static int
yaml_node(struct reading *r, const yaml_event_t *event, unsigned depth,
    struct yaml_node **out)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT: return yaml_alias(r, event, out);
	case YAML_SCALAR_EVENT: return yaml_scalar(r, event, out);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return yaml_collection(r, event, depth, out);
	default: return yaml_bad(r, "not a value", event->start_mark.line);
	}
}

static int
yaml_document(struct reading *r)
{
	bool over = false;
	int error = 0;

	while (error == 0 && !over) {
		yaml_event_t event;

		error = yaml_next(r, &event);
		if (error != 0)
			break;
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_START_EVENT: break;
		case YAML_STREAM_END_EVENT:
		case YAML_DOCUMENT_END_EVENT: over = true; break;
		default: error = yaml_node(r, &event, 0, &r->y->root);
		}
		yaml_event_delete(&event);
	}
	return error;
}

int
yaml_read(struct yaml *y, const char *data, size_t n)
{
	struct reading r = { .y = y };
	int error;

	memset(y, 0, sizeof(*y));
	if (yaml_parser_initialize(&r.parser) == 0)
		return yaml_bad(&r, "out of memory", 0);
	yaml_parser_set_input_string(&r.parser, (const yaml_char_t *)data, n);
	error = yaml_document(&r);
	yaml_parser_delete(&r.parser);
	for (size_t i = 0; i < r.nanchors; i++)
		free(r.anchor[i].name);
	free(r.anchor);
	return error;
}

void
yaml_fini(struct yaml *y)
{
	for (size_t i = 0; i < y->nall; i++) {
		free(y->all[i]->text);
		free(y->all[i]->item);
		free(y->all[i]);
	}
	free(y->all);
	memset(y, 0, sizeof(*y));
}

const struct yaml_node *
yaml_get(const struct yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	/* Of a key that stands there twice, the later one. */
	for (size_t i = map->count / 2; i-- > 0;) {
		const struct yaml_node *k = map->item[2 * i];

		if (k->kind == YAML_TEXT && k->len == strlen(key) &&
		    memcmp(k->text, key, k->len) == 0)
			return map->item[2 * i + 1];
	}
	return NULL;
}

static bool
yaml_is_null(const struct yaml_node *n)
{
	return n->plain &&
	    (n->len == 0 || strcmp(n->text, "~") == 0 ||
		strcasecmp(n->text, "null") == 0);
}

const char *
yaml_text(const struct yaml_node *node)
{
	if (node == NULL || node->kind != YAML_TEXT || yaml_is_null(node) ||
	    strlen(node->text) != node->len)
		return NULL;
	return node->text;
}

bool
yaml_bool(const struct yaml_node *node, bool otherwise)
{
	static const char *const words[2][4] = { { "false", "no", "off", "0" },
		{ "true", "yes", "on", "1" } };
	const char *text = yaml_text(node);

	for (unsigned i = 0; text != NULL && i < 8; i++)
		if (strcasecmp(text, words[i / 4][i % 4]) == 0)
			return i / 4;
	return otherwise;
}

const struct yaml_node *
yaml_nth(const struct yaml_node *list, size_t i)
{
	if (list == NULL)
		return NULL;
	if (list->kind != YAML_LIST)
		return i == 0 &&
			!(list->kind == YAML_TEXT && yaml_is_null(list)) ?
		    list :
		    NULL;
	return i < list->count ? list->item[i] : NULL;
}
