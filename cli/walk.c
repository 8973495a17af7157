/* SPDX-License-Identifier: ISC */
/* walk.c - following path names inside a root folder. */
#include "cli/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WALK_LINKS_MAX 40 /* as Linux */

struct walk {
	const char *root;
	char *resolved;          /* "" stands for "/" on the way */
	char todo[2 * PATH_MAX]; /* what is still to be followed */
	unsigned links;
	struct stat *st;
	walk_fn *fn;
	void *arg;
};

const char *
walk_host_path(const char *root, const char *resolved, char buf[2 * PATH_MAX])
{
	snprintf(buf, 2 * PATH_MAX, "%s%s", root,
	    resolved[0] == '\0' ? "/" : resolved);
	return buf;
}

static void
walk_up(char *resolved)
{
	char *slash = strrchr(resolved, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* Cuts the first name off `todo`; false when nothing is left. */
static bool
walk_next_name(struct walk *w, char name[NAME_MAX + 1], int *error)
{
	size_t skip = strspn(w->todo, "/");
	size_t len = strcspn(w->todo + skip, "/");

	*error = len > NAME_MAX ? -ENAMETOOLONG : 0;
	if (len == 0 || *error != 0)
		return false;
	memcpy(name, w->todo + skip, len);
	name[len] = '\0';
	memmove(w->todo, w->todo + skip + len,
	    strlen(w->todo + skip + len) + 1);
	return true;
}

/* Puts a link's target in front of what is left. */
static int
walk_link(struct walk *w, const char *host)
{
	char target[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t len = readlink(host, target, sizeof(target));

	if (len < 0)
		return -errno;
	if (len == 0 || (size_t)len >= sizeof(target) ||
	    (size_t)len + strlen(w->todo) + 2 > sizeof(w->todo))
		return -ENAMETOOLONG;
	if (++w->links > WALK_LINKS_MAX)
		return -ELOOP;
	target[len] = '\0';
	if (w->fn != NULL)
		w->fn(w->arg, w->resolved, w->st, target);
	memcpy(rest, w->todo, strlen(w->todo) + 1);
	memcpy(w->todo, target, (size_t)len);
	memcpy(w->todo + len, rest, strlen(rest) + 1);
	if (target[0] == '/')
		w->resolved[0] = '\0';
	else
		walk_up(w->resolved);
	return 0;
}

static int
walk_name(struct walk *w, const char *name)
{
	size_t len = strlen(w->resolved);
	char host[2 * PATH_MAX];

	if (len > 0 && !S_ISDIR(w->st->st_mode))
		return -ENOTDIR;
	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		walk_up(w->resolved);
		return lstat(walk_host_path(w->root, w->resolved, host),
			   w->st) < 0 ?
		    -errno :
		    0;
	}
	if (len + 1 + strlen(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	w->resolved[len] = '/';
	memcpy(w->resolved + len + 1, name, strlen(name) + 1);
	if (lstat(walk_host_path(w->root, w->resolved, host), w->st) < 0)
		return -errno;
	if (S_ISLNK(w->st->st_mode)) {
		int error = walk_link(w, host);

		if (error == 0 &&
		    lstat(walk_host_path(w->root, w->resolved, host), w->st) <
			0)
			return -errno;
		return error;
	}
	if (w->fn != NULL)
		w->fn(w->arg, w->resolved, w->st, NULL);
	return 0;
}

int
walk(const char *root, const char *path, char resolved[PATH_MAX],
    struct stat *st, walk_fn *fn, void *arg)
{
	struct walk w = { .root = root,
		.resolved = resolved,
		.st = st,
		.fn = fn,
		.arg = arg };
	char name[NAME_MAX + 1], host[2 * PATH_MAX];
	int error;

	resolved[0] = '\0';
	if (path[0] == '\0')
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(w.todo, path, strlen(path) + 1);
	if (stat(walk_host_path(root, "/", host), st) < 0)
		return -errno;
	while (walk_next_name(&w, name, &error)) {
		error = walk_name(&w, name);
		if (error != 0)
			return error;
	}
	if (error == 0 && resolved[0] == '\0')
		memcpy(resolved, "/", 2);
	if (error == 0 && path[strlen(path) - 1] == '/' &&
	    !S_ISDIR(st->st_mode))
		return -ENOTDIR;
	return error;
}

int
walk_open(const char *root, const char *path, char resolved[PATH_MAX],
    struct stat *st)
{
	char host[2 * PATH_MAX];
	int error = walk(root, path, resolved, st, NULL, NULL);
	int fd;

	if (error != 0)
		return error;
	/* A FIFO without a writer must not hold us up. */
	fd = open(walk_host_path(root, resolved, host),
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}
