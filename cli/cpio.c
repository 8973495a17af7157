/* SPDX-License-Identifier: ISC */
/* cpio.c - writing initramfs archives; see cpio.h for the format. */
#include "cli/cpio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/mem.h"

#define CPIO_HEADER   110
#define CPIO_NAME_MAX 4096u /* Linux's PATH_MAX, the NULs included */
#define CPIO_ALIGN    4096u /* a page */
#define CPIO_SIZE_MAX 0xffffffffu
#define CPIO_COPY_MAX (1u << 20)

/* The first name of a file with several: the others only refer to it. */
struct cpio_link {
	dev_t dev;
	ino_t ino;
	uint32_t number;
};

struct cpio {
	int fd;          /* -1: only count */
	uint64_t offset; /* of the archive, written or buffered */
	char buf[65536];
	size_t used;
	void *links;     /* of struct cpio_link, see tsearch(3) */
	uint32_t inodes; /* numbers handed out */
	struct trouble *trouble;
};

static int
cpio_flush(struct cpio *c)
{
	for (size_t done = 0; done < c->used;) {
		ssize_t n = write(c->fd, c->buf + done, c->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return trouble_set(c->trouble, STATUS_MACHINE,
			    "cannot write the initial file system: %s",
			    strerror(errno));
		done += (size_t)n;
	}
	c->used = 0;
	return 0;
}

static int
cpio_put(struct cpio *c, const void *data, size_t size)
{
	const char *p = data;
	int error = 0;

	c->offset += size;
	while (c->fd >= 0 && error == 0 && size > 0) {
		size_t part = sizeof(c->buf) - c->used;

		if (part > size)
			part = size;
		memcpy(c->buf + c->used, p, part);
		c->used += part;
		p += part;
		size -= part;
		if (c->used == sizeof(c->buf))
			error = cpio_flush(c);
	}
	return error;
}

static int
cpio_pad(struct cpio *c, unsigned align)
{
	static const char zero[CPIO_ALIGN];

	return cpio_put(c, zero, (size_t)(-c->offset & (align - 1)));
}

/* Header and name; the name field takes `namesize` bytes, NULs included. */
static int
cpio_put_header(struct cpio *c, const struct tree_node *node, uint32_t ino,
    uint32_t size, const char *name, uint32_t namesize)
{
	char header[CPIO_HEADER + 1], field[CPIO_NAME_MAX] = "";
	uint32_t mtime = node->mtime < 0 ? 0 :
	    node->mtime > UINT32_MAX     ? UINT32_MAX :
					   (uint32_t)node->mtime;
	int error;

	snprintf(header, sizeof(header),
	    "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ino,
	    node->mode, node->uid, node->gid, node->links, mtime, size, 0, 0,
	    major(node->rdev), minor(node->rdev), namesize, 0);
	memcpy(field, name, strlen(name));
	error = cpio_put(c, header, CPIO_HEADER);
	if (error == 0)
		error = cpio_put(c, field, namesize);
	return error != 0 ? error : cpio_pad(c, 4);
}

/* The size of a name field after which an aligned page begins. */
static uint32_t
cpio_aligned_name(const struct cpio *c, uint32_t namesize)
{
	uint64_t end = c->offset + CPIO_HEADER + namesize;

	return namesize + (uint32_t)(-end & (CPIO_ALIGN - 1));
}

/*
 * Makes room for a name whose field would become longer than Linux accepts:
 * the root folder once more, with a padded name.
 */
static int
cpio_put_filler(struct cpio *c, const struct tree_node *root, uint32_t namesize)
{
	uint64_t end = c->offset + 2 * CPIO_HEADER + 2 + namesize;
	uint32_t pad = (uint32_t)(-end & (CPIO_ALIGN - 1));

	return cpio_put_header(c, root, 1, 0, ".", 2 + pad / 4 * 4);
}

static int
cpio_copy_failed(struct cpio *c, const struct tree_node *node, int error)
{
	if (error == 0)
		return trouble_set(c->trouble, STATUS_MACHINE,
		    "%s became shorter while it was being packed",
		    node->source);
	return trouble_set(c->trouble, STATUS_MACHINE, "cannot pack %s: %s",
	    node->source, strerror(error));
}

/* For files that sendfile(2) does not take. */
static int
cpio_copy_by_hand(struct cpio *c, int in, const struct tree_node *node,
    uint64_t left)
{
	int error = 0;

	while (error == 0 && left > 0) {
		char buf[65536];
		ssize_t n = read(in, buf,
		    left < sizeof(buf) ? (size_t)left : sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return cpio_copy_failed(c, node, n < 0 ? errno : 0);
		error = cpio_put(c, buf, (size_t)n);
		left -= (uint64_t)n;
	}
	return error;
}

static int
cpio_copy(struct cpio *c, int in, const struct tree_node *node)
{
	uint64_t left = node->size;
	int error = cpio_flush(c);

	while (error == 0 && left > 0) {
		ssize_t n = sendfile(c->fd, in, NULL,
		    left < CPIO_COPY_MAX ? (size_t)left : CPIO_COPY_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EINVAL || errno == ENOSYS))
			return cpio_copy_by_hand(c, in, node, left);
		if (n <= 0)
			return cpio_copy_failed(c, node, n < 0 ? errno : 0);
		left -= (uint64_t)n;
		c->offset += (uint64_t)n;
	}
	return error;
}

static int
cpio_put_contents(struct cpio *c, const struct tree_node *node)
{
	int error, in;

	if (node->data != NULL)
		return cpio_put(c, node->data, (size_t)node->size);
	if (c->fd < 0) {
		c->offset += node->size;
		return 0;
	}
	in = open(node->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return cpio_copy_failed(c, node, errno);
	error = cpio_copy(c, in, node);
	close(in);
	return error;
}

static int
cpio_link_compare(const void *a, const void *b)
{
	const struct cpio_link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* The number of a file's inode; *again if it was written under another name. */
static uint32_t
cpio_number(struct cpio *c, const struct tree_node *node, bool *again)
{
	struct cpio_link *link, **known;

	*again = false;
	if (node->links < 2 || S_ISDIR(node->mode))
		return ++c->inodes;
	link = mem_zero(sizeof(*link));
	link->dev = node->dev;
	link->ino = node->ino;
	known = tsearch(link, &c->links, cpio_link_compare);
	if (known == NULL)
		abort(); /* out of memory in the C library */
	*again = *known != link;
	if (*again)
		free(link);
	else
		link->number = ++c->inodes;
	return (*known)->number;
}

static int
cpio_put_file(struct cpio *c, const struct tree_node *root,
    const struct tree_node *node, const char *name, uint32_t ino)
{
	uint32_t namesize = (uint32_t)strlen(name) + 1, padded;
	int error;

	padded = cpio_aligned_name(c, namesize);
	if (padded > CPIO_NAME_MAX) {
		error = cpio_put_filler(c, root, namesize);
		if (error != 0)
			return error;
		padded = cpio_aligned_name(c, namesize);
	}
	error = cpio_put_header(c, node, ino, (uint32_t)node->size, name,
	    padded);
	return error != 0 ? error : cpio_put_contents(c, node);
}

static int
cpio_put_node(struct cpio *c, const struct tree_node *root,
    const struct tree_node *node)
{
	const char *name = node == root ? "." : node->path + 1;
	uint32_t namesize = (uint32_t)strlen(name) + 1, ino, size = 0;
	bool again;
	int error;

	if (node->size > CPIO_SIZE_MAX)
		return trouble_set(c->trouble, STATUS_MACHINE,
		    "%s: a file of 4 GiB or more cannot be packed", node->path);
	if (namesize > PATH_MAX)
		return trouble_set(c->trouble, STATUS_MACHINE,
		    "%s: the name is too long", node->path);
	ino = cpio_number(c, node, &again);
	if (S_ISREG(node->mode) && node->size > 0 && !again) {
		error = cpio_put_file(c, root, node, name, ino);
	} else {
		if (S_ISLNK(node->mode))
			size = (uint32_t)strlen(node->target);
		error = cpio_put_header(c, node, ino, size, name, namesize);
		if (error == 0 && size > 0)
			error = cpio_put(c, node->target, size);
	}
	return error != 0 ? error : cpio_pad(c, 4);
}

int
cpio_write(const struct tree *tree, int fd, uint64_t *size, struct trouble *t)
{
	static const struct tree_node trailer = { .links = 1 };
	struct cpio *c = mem_zero(sizeof(*c));
	int error = 0;

	c->fd = fd;
	c->trouble = t;
	for (size_t i = 0; error == 0 && i < tree->count; i++)
		error = cpio_put_node(c, tree->node[0], tree->node[i]);
	if (error == 0)
		error = cpio_put_header(c, &trailer, 0, 0, "TRAILER!!!", 11);
	if (error == 0)
		error = cpio_flush(c);
	*size = c->offset;
	tdestroy(c->links, free);
	free(c);
	return error;
}
