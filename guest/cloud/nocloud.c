/* SPDX-License-Identifier: ISC */
/* nocloud.c - a folder with what a cloud would tell. */
#include "guest/cloud/nocloud.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/cloud/files.h"
#include "guest/cloud/say.h"
#include "guest/cloud/yaml.h"

#define NOCLOUD_MAX 1048576   /* bytes of one file */
#define NOCLOUD_ID  "nocloud" /* cloud-init's own, where none is given */

/* -ENOENT is nobody's fault; anything else is told. */
static int
nocloud_file(const char *folder, const char *name, struct buf *out)
{
	char *path = mem_format("%s/%s", folder, name);
	int error = file_read(path, NOCLOUD_MAX, out);

	if (error != 0 && error != -ENOENT)
		say_error("%s: %s", path, strerror(-error));
	if (error != 0)
		buf_fini(out);
	free(path);
	return error;
}

bool
nocloud_is(const char *folder)
{
	static const char *const names[] = { "meta-data", "user-data" };
	bool found = false;

	for (unsigned i = 0; i < 2 && !found; i++) {
		char *path = mem_format("%s/%s", folder, names[i]);

		found = access(path, F_OK) == 0;
		free(path);
	}
	return found;
}

/*
 * A text of lines, a list of texts, or a map of names and texts or lists, as
 * clouds have written them over the years.
 */
static void
nocloud_keys(const struct yaml_node *node, unsigned depth, struct seed *seed)
{
	bool map = node != NULL && node->kind == YAML_MAP;

	if (yaml_text(node) != NULL)
		seed_add_keys(&seed->keys, yaml_text(node));
	if (node == NULL || node->kind == YAML_TEXT || depth > 2)
		return;
	for (size_t i = map; i < node->count; i += 1 + map)
		nocloud_keys(node->item[i], depth + 1, seed);
}

void
nocloud_meta_data(const char *data, size_t n, struct seed *seed)
{
	static const char *const names[] = { "local-hostname", "hostname",
		"local_hostname" };
	const char *id, *host = NULL;
	struct yaml y;

	if (yaml_read(&y, data, n) != 0)
		say_error("meta-data: %s", y.why);
	id = yaml_text(yaml_get(y.root, "instance-id"));
	if (id == NULL)
		id = yaml_text(yaml_get(y.root, "instance_id"));
	if (id == NULL || seed_set_instance_id(seed, id) != 0)
		(void)seed_set_instance_id(seed, NOCLOUD_ID);
	for (unsigned i = 0; i < 3 && host == NULL; i++)
		host = yaml_text(yaml_get(y.root, names[i]));
	if (host != NULL)
		seed->hostname = seed_hostname(host);
	if (host != NULL && seed->hostname == NULL)
		say_warning("meta-data: %s is no host's name", host);
	nocloud_keys(yaml_get(y.root, "public-keys"), 0, seed);
	nocloud_keys(yaml_get(y.root, "public_keys"), 0, seed);
	yaml_fini(&y);
}

void
nocloud_read(const char *folder, struct seed *seed)
{
	struct buf meta = { 0 }, vendor = { 0 };

	(void)nocloud_file(folder, "meta-data", &meta);
	nocloud_meta_data(buf_text(&meta), meta.len, seed);
	(void)nocloud_file(folder, "user-data", &seed->user_data);
	(void)nocloud_file(folder, "network-config", &seed->network);
	if (nocloud_file(folder, "vendor-data", &vendor) == 0 && vendor.len > 0)
		say_warning("%s/vendor-data is not looked at", folder);
	buf_fini(&meta);
	buf_fini(&vendor);
}
