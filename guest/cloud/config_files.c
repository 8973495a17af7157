/* SPDX-License-Identifier: ISC */
/* config_files.c - write_files of a cloud-config. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "guest/cloud/codec.h"
#include "guest/cloud/config_impl.h"
#include "guest/cloud/say.h"

#define FILES_MAX (64u << 20) /* bytes of one file, unpacked */

/*
 * As cloud-init's decode_perms(): a number is one (and YAML writes octal ones
 * as 0644), a text is octal.  -EINVAL
 */
static int
files_mode(const struct yaml_node *node, mode_t *mode)
{
	const char *text = yaml_text(node);
	unsigned long v;
	char *end;

	if (node == NULL)
		return 0;
	if (text == NULL || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	if (strncasecmp(text, "0o", 2) == 0)
		v = strtoul(text + 2, &end, 8);
	else
		v = strtoul(text, &end, node->plain ? 0 : 8);
	if (*end != '\0' || v > 07777)
		return -EINVAL;
	*mode = (mode_t)v;
	return 0;
}

enum { FILES_BASE64 = 1, FILES_GZIP = 2 };

/* Encodings, as many names as they have got; -EINVAL. */
static int
files_encoding(const char *name)
{
	static const struct {
		const char *name;
		int how;
	} names[] = { { "text/plain", 0 }, { "b64", FILES_BASE64 },
		{ "base64", FILES_BASE64 }, { "gz", FILES_GZIP },
		{ "gzip", FILES_GZIP }, { "gz+b64", FILES_BASE64 | FILES_GZIP },
		{ "gz+base64", FILES_BASE64 | FILES_GZIP },
		{ "gzip+b64", FILES_BASE64 | FILES_GZIP },
		{ "gzip+base64", FILES_BASE64 | FILES_GZIP } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name == NULL || strcasecmp(name, names[i].name) == 0)
			return names[i].how;
	return -EINVAL;
}

static int
files_decode(struct config_file *f, const struct yaml_node *content, int how)
{
	struct buf out = { 0 };
	int error = 0;

	if (content == NULL || content->kind != YAML_TEXT)
		return content == NULL ? 0 : -EINVAL;
	if ((how & FILES_BASE64) != 0)
		error = base64_decode(content->text, content->len, &f->data);
	else
		buf_add(&f->data, content->text, content->len);
	if (error != 0 || (how & FILES_GZIP) == 0)
		return error;
	error = gzip_decode(buf_text(&f->data), f->data.len, FILES_MAX, &out);
	buf_fini(&f->data);
	f->data = out;
	return error;
}

/* Says why not, and with which file. */
static int
files_one(struct config_file *f, const struct yaml_node *node)
{
	const char *path = yaml_text(yaml_get(node, "path"));
	int how = files_encoding(yaml_text(yaml_get(node, "encoding")));
	const char *why = NULL;

	f->mode = 0644;
	if (path == NULL || path[0] != '/')
		why = "it has no absolute path";
	else if (how < 0)
		why = "its encoding is not known";
	else if (files_mode(yaml_get(node, "permissions"), &f->mode) != 0)
		why = "its permissions are no octal number";
	else if (yaml_get(node, "source") != NULL)
		why = "files from elsewhere (source) are not fetched";
	else if (files_decode(f, yaml_get(node, "content"), how) != 0)
		why = "its content is not what its encoding says";
	if (why != NULL) {
		say_error("cloud-config: write_files: %s: %s, left out",
		    path == NULL ? "?" : path, why);
		return -EINVAL;
	}
	f->path = mem_string(path);
	config_set_text(&f->owner, node, "owner");
	f->append = yaml_bool(yaml_get(node, "append"), false);
	f->late = yaml_bool(yaml_get(node, "defer"), false);
	return 0;
}

void
config_files(struct config *c, const struct yaml_node *list)
{
	const struct yaml_node *node;

	for (size_t i = 0; (node = yaml_nth(list, i)) != NULL; i++) {
		struct config_file f = { 0 };

		if (files_one(&f, node) != 0) {
			buf_fini(&f.data);
			continue;
		}
		c->file = mem_resize(c->file, c->nfiles + 1, sizeof(f));
		c->file[c->nfiles++] = f;
	}
}
