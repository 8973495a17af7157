/* SPDX-License-Identifier: ISC */
/* instance.c - what is remembered of an instance. */
#include "guest/cloud/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/cloud/files.h"
#include "guest/cloud/say.h"

#define INSTANCE_ROOT "/var/lib/cloud"

static void
instance_told(const char *path, int error)
{
	if (error != 0)
		say_error("%s: %s", path, strerror(-error));
}

static void
instance_folder(const struct instance *i, const char *name, mode_t mode)
{
	char *path = mem_format("%s/%s", i->folder, name);

	instance_told(path, file_make_folder(path, mode));
	free(path);
}

/* BASE/instance leads to the folder, under a new name first. */
static void
instance_link(const char *base, const char *id)
{
	char *target = mem_format("instances/%s", id);
	char *path = mem_format("%s/instance", base);
	char *other = mem_format("%s/instance.new", base);
	int error = 0;

	(void)unlink(other);
	if (symlink(target, other) < 0 || rename(other, path) < 0)
		error = -errno;
	instance_told(path, error);
	free(target);
	free(path);
	free(other);
}

static void
instance_note(const char *base, const char *id)
{
	char *path = mem_format("%s/data/instance-id", base);
	char *line = mem_format("%s\n", id);
	int error = file_make_parents(path);

	if (error == 0)
		error = file_replace(path, line, strlen(line), 0644);
	instance_told(path, error);
	free(path);
	free(line);
}

static void
instance_keep(const struct instance *i, const struct seed *seed)
{
	char *path = mem_format("%s/user-data.txt", i->folder);

	/* There may be secrets in it. */
	instance_told(path,
	    file_replace(path, buf_text(&seed->user_data), seed->user_data.len,
		0600));
	free(path);
}

void
instance_open(struct instance *i, const char *root, const struct seed *seed)
{
	char *base = mem_format("%s" INSTANCE_ROOT, root);

	i->folder = mem_format("%s/instances/%s", base, seed->instance_id);
	instance_folder(i, "sem", 0755);
	instance_folder(i, "scripts", 0755);
	instance_link(base, seed->instance_id);
	instance_note(base, seed->instance_id);
	instance_keep(i, seed);
	free(base);
}

void
instance_fini(struct instance *i)
{
	free(i->folder);
	i->folder = NULL;
}

bool
instance_once(const struct instance *i, const char *what)
{
	char *path = mem_format("%s/sem/%s", i->folder, what);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bool first = fd >= 0 || errno != EEXIST;

	if (fd >= 0)
		close(fd);
	else if (first)
		say_warning("%s: %s: done again at every start", path,
		    strerror(errno));
	free(path);
	return first;
}

char *
instance_script(const struct instance *i, const char *name,
    const struct buf *text)
{
	char *path = mem_format("%s/scripts/%s", i->folder, name);
	int error = file_replace(path, buf_text(text), text->len, 0700);

	if (error == 0)
		return path;
	instance_told(path, error);
	free(path);
	return NULL;
}
