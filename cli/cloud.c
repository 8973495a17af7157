/* SPDX-License-Identifier: ISC */
/*
 * cloud.c - what the machine is told as a cloud tells its instances.  The
 * words of --cloud are guest/cloud/source.c's.
 */
#include "cli/cloud.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/fill.h"
#include "cli/kernelfile.h"
#include "cli/mem.h"

#define CLOUD_PROGRAM "/sbin/remora-cloud" /* where the kernel looks */
#define CLOUD_FOLDER  "/cidata"
/* cloud-localds(1) gives the same where no other is given. */
#define CLOUD_META "instance-id: iid-local01\n"

static bool
cloud_has_files(const struct cloud_option *c)
{
	return c->user_data != NULL || c->meta_data != NULL ||
	    c->network_config != NULL;
}

static bool
cloud_is_source(const char *s)
{
	static const char *const names[] = { "ec2", "nocloud", "auto" };
	size_t n = strcspn(s, ",");

	for (unsigned i = 0; i < 3; i++)
		if (n == strlen(names[i]) && strncmp(s, names[i], n) == 0)
			return strpbrk(s, " \t\"") == NULL;
	return false;
}

int
cloud_check(struct cloud_option *c, const char *root, bool foreign,
    struct trouble *t)
{
	if (c->source == NULL && !cloud_has_files(c))
		return 0;
	if (c->source == NULL)
		c->source = "nocloud";
	if (!cloud_is_source(c->source))
		return trouble_set(t, STATUS_MACHINE,
		    "--cloud %s: ec2, nocloud or auto is expected, and "
		    "then ,wait=SECONDS or ,url=http://ADDRESS",
		    c->source);
	if (strncmp(c->source, "ec2", 3) == 0 && cloud_has_files(c))
		return trouble_set(t, STATUS_MACHINE,
		    "--cloud %s does not look at --user-data, --meta-data and "
		    "--network-config",
		    c->source);
	if (foreign)
		return trouble_set(t, STATUS_MACHINE,
		    "--cloud: this kernel does not know remora.cloud=");
	if (root != NULL && cloud_has_files(c))
		return trouble_set(t, STATUS_MACHINE,
		    "--share %s:/ is the whole root: put the files into its "
		    "folder cidata",
		    root);
	return 0;
}

static int
cloud_add(struct tree *tree, const char *host, const char *guest,
    struct trouble *t)
{
	struct fill fill = { .root = "", .tree = tree };
	char path[PATH_MAX], *name;
	struct stat st;
	int error;

	if (realpath(host, path) == NULL || stat(path, &st) < 0)
		return trouble_set(t, STATUS_MACHINE, "%s: %s", host,
		    strerror(errno));
	if (!S_ISREG(st.st_mode))
		return trouble_set(t, STATUS_MACHINE, "%s: it is no file",
		    host);
	name = tree_resolve(tree, guest);
	tree_add_parents(tree, name);
	error = fill_recursive(&fill, path, name, NULL, NULL, t);
	free(name);
	return error;
}

static int
cloud_add_files(const struct cloud_option *c, struct tree *tree,
    struct trouble *t)
{
	const char *files[] = { c->user_data, c->meta_data, c->network_config };
	static const char *const names[] = { CLOUD_FOLDER "/user-data",
		CLOUD_FOLDER "/meta-data", CLOUD_FOLDER "/network-config" };
	int error = 0;

	for (unsigned i = 0; i < 3 && error == 0; i++)
		if (files[i] != NULL)
			error = cloud_add(tree, files[i], names[i], t);
	if (error == 0 && cloud_has_files(c) && c->meta_data == NULL &&
	    tree_find(tree, names[1]) == NULL) {
		tree_add_parents(tree, names[1]);
		tree_add_data(tree, names[1], 0644, mem_string(CLOUD_META),
		    strlen(CLOUD_META));
	}
	return error;
}

int
cloud_pack(const struct cloud_option *c, struct tree *tree, struct trouble *t)
{
	char path[PATH_MAX];
	int error;

	if (c->source == NULL)
		return 0;
	error = installed_file_find(path, "remora-cloud", "", t);
	if (error == 0)
		error = cloud_add(tree, path, CLOUD_PROGRAM, t);
	return error != 0 ? error : cloud_add_files(c, tree, t);
}
