/* SPDX-License-Identifier: ISC */
/* fill.c - from the host's files to the tree of the machine's root. */
#include "cli/fill.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/mem.h"
#include "cli/walk.h"

/* Sets a node from what lstat(2) said; `host` is its name here. */
static void
fill_node(const struct fill *fill, struct tree_node *node, const char *host,
    const struct stat *st, const char *target)
{
	free(node->source);
	free(node->target);
	free(node->data);
	node->source = node->target = node->data = NULL;
	node->mode = st->st_mode;
	node->mtime = st->st_mtime;
	node->size = 0;
	if (fill->owners) {
		node->uid = st->st_uid;
		node->gid = st->st_gid;
		node->dev = st->st_dev;
		node->ino = st->st_ino;
		node->links = S_ISDIR(st->st_mode) ? 1 : (unsigned)st->st_nlink;
	}
	if (S_ISREG(st->st_mode)) {
		node->source = mem_string(host);
		node->size = (uint64_t)st->st_size;
	} else if (S_ISLNK(st->st_mode)) {
		node->target = mem_string(target);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		node->rdev = st->st_rdev;
	}
}

static void
fill_met(void *arg, const char *path, const struct stat *st, const char *target)
{
	const struct fill *fill = arg;
	char host[2 * PATH_MAX];
	bool found;
	struct tree_node *node = tree_add(fill->tree, path, st->st_mode,
	    &found);

	if (!found)
		fill_node(fill, node, walk_host_path(fill->root, path, host),
		    st, target);
}

int
fill_path(const struct fill *fill, const char *path, char resolved[PATH_MAX],
    struct stat *st)
{
	return walk(fill->root, path, resolved, st,
	    fill->tree != NULL ? fill_met : NULL, (void *)fill);
}

/* What fill_recursive() carries from folder to folder. */
struct fill_run {
	const struct fill *fill;
	dev_t dev;
	void (*each)(void *arg, const char *guest);
	void *arg;
	struct trouble *trouble;
};

static int fill_entry(struct fill_run *run, const char *host, const char *guest,
    bool follow);

static int
fill_folder(struct fill_run *run, const char *host, const char *guest)
{
	const char *slash = guest[1] == '\0' ? "" : "/";
	DIR *dir = opendir(host);
	struct dirent *entry;
	int error = 0;

	if (dir == NULL)
		return trouble_set(run->trouble, STATUS_MACHINE,
		    "cannot pack %s: %s", host, strerror(errno));
	while (error == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		char *h, *g;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		h = mem_format("%s/%s", host, entry->d_name);
		g = mem_format("%s%s%s", guest, slash, entry->d_name);
		error = fill_entry(run, h, g, false);
		free(h);
		free(g);
	}
	if (error == 0 && errno != 0)
		error = trouble_set(run->trouble, STATUS_MACHINE,
		    "cannot pack %s: %s", host, strerror(errno));
	closedir(dir);
	return error;
}

static int
fill_entry(struct fill_run *run, const char *host, const char *guest,
    bool follow)
{
	char target[PATH_MAX] = "";
	struct stat st;
	ssize_t len = 0;
	int failed = follow ? stat(host, &st) : lstat(host, &st);

	if (failed == 0 && S_ISLNK(st.st_mode)) {
		len = readlink(host, target, sizeof(target) - 1);
		failed = len < 0;
	}
	if (failed)
		return trouble_set(run->trouble, STATUS_MACHINE,
		    "cannot pack %s: %s", host, strerror(errno));
	target[len] = '\0';
	if (follow)
		run->dev = st.st_dev;
	fill_node(run->fill, tree_add(run->fill->tree, guest, st.st_mode, NULL),
	    host, &st, target);
	if (S_ISREG(st.st_mode) && run->each != NULL)
		run->each(run->arg, guest);
	if (!S_ISDIR(st.st_mode) || st.st_dev != run->dev)
		return 0;
	return fill_folder(run, host, guest);
}

int
fill_recursive(const struct fill *fill, const char *host, const char *guest,
    void (*each)(void *arg, const char *guest), void *arg, struct trouble *t)
{
	struct fill_run run = { .fill = fill,
		.each = each,
		.arg = arg,
		.trouble = t };

	return fill_entry(&run, host, guest, true);
}

static void
fill_basic(struct tree *tree, const char *path, mode_t mode, dev_t rdev)
{
	bool found;
	struct tree_node *node = tree_add(tree, path, mode, &found);

	if (!found)
		node->rdev = rdev;
}

void
fill_basics(struct tree *tree)
{
	fill_basic(tree, "/", S_IFDIR | 0755, 0);
	fill_basic(tree, "/dev", S_IFDIR | 0755, 0);
	fill_basic(tree, "/dev/console", S_IFCHR | 0600, makedev(5, 1));
	fill_basic(tree, "/dev/null", S_IFCHR | 0666, makedev(1, 3));
	fill_basic(tree, "/etc", S_IFDIR | 0755, 0);
	fill_basic(tree, "/proc", S_IFDIR | 0555, 0);
	fill_basic(tree, "/root", S_IFDIR | 0700, 0);
	fill_basic(tree, "/sys", S_IFDIR | 0555, 0);
	fill_basic(tree, "/tmp", S_IFDIR | S_ISVTX | 0777, 0);
}
