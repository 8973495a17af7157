/* SPDX-License-Identifier: ISC */
/*
 * sys_open.c - open(2), openat(2), openat2(2), creat(2): flags are sorted
 * out here, the walk and the open itself are the VFS's.
 */
#include "fs/file.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/names.h"
#include "linux/sys_files.h"
#include <linux/fcntl.h>
#include <linux/openat2.h>

#define OPEN_FLAGS                                                           \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |      \
	    O_NONBLOCK | O_DSYNC | __O_SYNC | FASYNC | O_DIRECT |            \
	    O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | \
	    O_PATH | __O_TMPFILE)
#define OPEN_PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define OPEN_MODE_BITS  07777u

struct open_args { /* openat2(2)'s terms */
	uint64_t flags;
	uint32_t mode;
	unsigned walk;
};

/* The second half of every open: a number first, as EMFILE precedes all. */
static long
open_file(int dirfd, uaddr_t uname, const struct open_args *args)
{
	unsigned flags = (unsigned)args->flags;
	struct at_name at;
	struct file *file;
	int fd, error;

	error = at_name_get(&at, dirfd, uname, 0);
	if (error != 0)
		return error;
	fd = fd_reserve(0);
	if (fd < 0) {
		at_name_put(&at);
		return fd;
	}
	error = vfs_open(&at.ctx.vfs, at.base, at.name.text,
	    flags & ~(unsigned)O_CLOEXEC, args->mode, args->walk, &file);
	at_name_put(&at);
	if (error != 0) {
		fd_unreserve(fd);
		return error;
	}
	fd_install(fd, file, (flags & O_CLOEXEC) != 0);
	return fd;
}

/* What openat2 refuses, and what open(2) was made to let pass before. */
static int
open_check(struct open_args *args)
{
	uint64_t flags = args->flags;

	if ((flags & O_PATH) != 0)
		flags &= OPEN_PATH_FLAGS;
	if ((flags & __O_TMPFILE) != 0 &&
	    ((flags & O_TMPFILE) != O_TMPFILE || (flags & O_CREAT) != 0 ||
		(flags & O_ACCMODE) == O_RDONLY))
		return -EINVAL;
	if ((flags & (O_CREAT | __O_TMPFILE)) == 0)
		args->mode = 0;
	if ((flags & __O_SYNC) != 0)
		flags |= O_DSYNC;
	args->flags = flags | O_LARGEFILE;
	if ((flags & O_PATH) != 0)
		args->flags = flags;
	return 0;
}

long
sys_openat(int dirfd, uaddr_t uname, unsigned flags, uint32_t mode)
{
	struct open_args args = { flags & OPEN_FLAGS, mode & OPEN_MODE_BITS,
		0 };
	int error = open_check(&args);

	if (error != 0)
		return error;
	return open_file(dirfd, uname, &args);
}

long
sys_open(uaddr_t uname, unsigned flags, uint32_t mode)
{
	return sys_openat(AT_FDCWD, uname, flags, mode);
}

long
sys_creat(uaddr_t uname, uint32_t mode)
{
	return sys_openat(AT_FDCWD, uname, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/*
 * Copies the caller's struct: a longer one than we know is fine if the rest
 * of it is zero.
 *   -EINVAL (too short), -E2BIG, -EFAULT
 */
static int
open_how_get(struct open_how *how, uaddr_t src, uint64_t size)
{
	if (size < sizeof(*how))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copyin_struct(how, sizeof(*how), src, size);
}

static int
open_walk_flags(uint64_t resolve, unsigned *walk)
{
	static const struct {
		unsigned resolve, walk;
	} pairs[] = {
		{ RESOLVE_NO_XDEV, WALK_NO_XDEV },
		{ RESOLVE_NO_MAGICLINKS, WALK_NO_MAGIC },
		{ RESOLVE_NO_SYMLINKS, WALK_NO_LINKS | WALK_NO_MAGIC },
		{ RESOLVE_BENEATH, WALK_BENEATH },
		{ RESOLVE_IN_ROOT, WALK_IN_ROOT },
	};
	unsigned i;

	*walk = 0;
	if ((resolve & RESOLVE_BENEATH) != 0 &&
	    (resolve & RESOLVE_IN_ROOT) != 0)
		return -EINVAL;
	/* Whether everything is cached is not known beforehand. */
	if ((resolve & RESOLVE_CACHED) != 0)
		return resolve == RESOLVE_CACHED ? -EAGAIN : -EINVAL;
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		if ((resolve & pairs[i].resolve) != 0)
			*walk |= pairs[i].walk;
		resolve &= ~(uint64_t)pairs[i].resolve;
	}
	return resolve != 0 ? -EINVAL : 0;
}

long
sys_openat2(int dirfd, uaddr_t uname, uaddr_t uhow, uint64_t size)
{
	struct open_how how;
	struct open_args args;
	int error;

	error = open_how_get(&how, uhow, size);
	if (error != 0)
		return error;
	if ((how.flags & ~(uint64_t)OPEN_FLAGS) != 0)
		return -EINVAL;
	if ((how.flags & (O_CREAT | __O_TMPFILE)) != 0) {
		if ((how.mode & ~(uint64_t)OPEN_MODE_BITS) != 0)
			return -EINVAL;
	} else if (how.mode != 0) {
		return -EINVAL;
	}
	if ((how.flags & O_PATH) != 0 &&
	    (how.flags & ~(uint64_t)OPEN_PATH_FLAGS) != 0)
		return -EINVAL;
	args.flags = how.flags;
	args.mode = (uint32_t)how.mode;
	error = open_walk_flags(how.resolve, &args.walk);
	if (error == 0)
		error = open_check(&args);
	if (error != 0)
		return error;
	return open_file(dirfd, uname, &args);
}
