/* SPDX-License-Identifier: ISC */
/*
 * names.c - path names from programs' memory.  path_resolution(7), openat(2).
 */
#include "linux/names.h"
#include "kern/kmem.h"
#include "kern/uaccess.h"
#include <linux/fcntl.h>

int
user_name_get(struct user_name *n, uaddr_t src, unsigned flags)
{
	long len = copyinstr(n->small, src, sizeof(n->small));

	n->text = n->small;
	if (len == -ENAMETOOLONG) {
		n->text = kmalloc(VFS_PATH_MAX);
		if (n->text == NULL)
			return -ENOMEM;
		len = copyinstr(n->text, src, VFS_PATH_MAX);
	}
	if (len == 0 && (flags & NAME_MAY_BE_EMPTY) == 0)
		len = -ENOENT;
	if (len < 0)
		user_name_put(n);
	return len < 0 ? (int)len : 0;
}

void
user_name_put(struct user_name *n)
{
	if (n->text != n->small)
		kfree(n->text);
}

int
at_name_get_more(struct at_name *at, int dirfd, uaddr_t src, unsigned flags)
{
	int error = user_name_get(&at->name, src, flags);

	if (error != 0)
		return error;
	at->base = NULL;
	at->dir = (struct fdref){ NULL, false };
	if (dirfd == AT_FDCWD || at->name.text[0] == '/')
		return 0;
	at->dir = fd_get_any(dirfd);
	if (at->dir.file == NULL) {
		user_name_put(&at->name);
		return -EBADF;
	}
	at->base = &at->dir.file->path;
	return 0;
}

void
at_name_put_more(struct at_name *at)
{
	fd_put(at->dir);
	user_name_put(&at->name);
}

int
at_name_get(struct at_name *at, int dirfd, uaddr_t src, unsigned flags)
{
	int error = at_name_get_more(at, dirfd, src, flags);

	if (error == 0)
		fs_ctx_get(&at->ctx);
	return error;
}

void
at_name_put(struct at_name *at)
{
	fs_ctx_put(&at->ctx);
	at_name_put_more(at);
}

int
at_name_walk(struct at_name *at, int dirfd, uaddr_t src, unsigned walk,
    struct path *out)
{
	unsigned flags = (walk & WALK_EMPTY) != 0 ? NAME_MAY_BE_EMPTY : 0;
	int error = at_name_get(at, dirfd, src, flags);

	if (error != 0)
		return error;
	error = vfs_walk(&at->ctx.vfs, at->base, at->name.text, walk, out);
	if (error != 0)
		at_name_put(at);
	return error;
}
