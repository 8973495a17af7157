/* SPDX-License-Identifier: ISC */
/*
 * sys_dir.c - directories and the names in them: getdents64(2), mkdir(2),
 * unlink(2), rename(2), link(2), symlink(2), mknod(2) and their forms.
 */
#include "abi/mode.h"
#include "fs/file.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/names.h"
#include "linux/sys_files.h"
#include <linux/fcntl.h>
#include <linux/fs.h>

/* ----------------------------------------------------------- getdents -- */

/* As in getdents(2); the name follows, then the type in the old form. */
struct dirent_head {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
} __attribute__((packed));

struct dirent_sink {
	struct dir_sink sink;
	uaddr_t dst;
	unsigned room, done;
	bool old;  /* getdents(2): the type stands in the last byte */
	int error; /* why `add` refused */
};

static bool
dirent_add(struct dir_sink *sink, const char *name, size_t len, uint64_t ino,
    unsigned type, int64_t pos)
{
	struct dirent_sink *ds = container_of(sink, struct dirent_sink, sink);
	size_t head = sizeof(struct dirent_head) + (ds->old ? 0 : 1);
	size_t size = ROUND_UP(head + len + (ds->old ? 2 : 1), (size_t)8);
	char record[ROUND_UP(sizeof(struct dirent_head) + VFS_NAME_MAX + 2, 8)];
	struct dirent_head h = { ino, pos, (uint16_t)size };

	if (len > VFS_NAME_MAX || size > ds->room - ds->done) {
		ds->error = -EINVAL;
		return false;
	}
	memset(record + size - 8, 0, 8);
	memcpy(record, &h, sizeof(h));
	memcpy(record + head, name, len);
	record[head + len] = '\0';
	record[ds->old ? size - 1 : sizeof(h)] = (char)type;
	if (copyout(ds->dst + ds->done, record, size) != 0) {
		ds->error = -EFAULT;
		return false;
	}
	ds->done += (unsigned)size;
	return true;
}

static long
do_getdents(int fd, uaddr_t buf, unsigned size, bool old)
{
	struct dirent_sink ds = { .sink = { dirent_add },
		.dst = buf,
		.room = size,
		.old = old };
	struct fdref ref = fd_get(fd);
	long error;

	if (ref.file == NULL)
		return -EBADF;
	error = file_iterate(ref.file, &ds.sink);
	fd_put(ref);
	if (ds.done != 0)
		return ds.done;
	return error != 0 ? error : ds.error;
}

long
sys_getdents(int fd, uaddr_t buf, unsigned size)
{
	return do_getdents(fd, buf, size, true);
}

long
sys_getdents64(int fd, uaddr_t buf, unsigned size)
{
	return do_getdents(fd, buf, size, false);
}

/* ------------------------------------------------------------- names -- */

long
sys_mkdirat(int dirfd, uaddr_t uname, uint32_t mode)
{
	struct at_name at;
	int error = at_name_get(&at, dirfd, uname, 0);

	if (error != 0)
		return error;
	error = vfs_mkdir(&at.ctx.vfs, at.base, at.name.text, mode & 01777);
	at_name_put(&at);
	return error;
}

long
sys_mkdir(uaddr_t uname, uint32_t mode)
{
	return sys_mkdirat(AT_FDCWD, uname, mode);
}

long
sys_unlinkat(int dirfd, uaddr_t uname, unsigned flags)
{
	struct at_name at;
	int error;

	if ((flags & ~(unsigned)AT_REMOVEDIR) != 0)
		return -EINVAL;
	error = at_name_get(&at, dirfd, uname, 0);
	if (error != 0)
		return error;
	if ((flags & AT_REMOVEDIR) != 0)
		error = vfs_rmdir(&at.ctx.vfs, at.base, at.name.text);
	else
		error = vfs_unlink(&at.ctx.vfs, at.base, at.name.text);
	at_name_put(&at);
	return error;
}

long
sys_unlink(uaddr_t uname)
{
	return sys_unlinkat(AT_FDCWD, uname, 0);
}

long
sys_rmdir(uaddr_t uname)
{
	return sys_unlinkat(AT_FDCWD, uname, AT_REMOVEDIR);
}

long
sys_renameat2(int fromfd, uaddr_t ufrom, int tofd, uaddr_t uto, unsigned flags)
{
	struct at_name from, to;
	int error;

	if ((flags &
		~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE |
		    RENAME_WHITEOUT)) != 0)
		return -EINVAL;
	if ((flags & RENAME_EXCHANGE) != 0 &&
	    (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0)
		return -EINVAL;
	if ((flags & RENAME_WHITEOUT) != 0) /* no overlay file system here */
		return -EINVAL;
	error = at_name_get(&from, fromfd, ufrom, 0);
	if (error != 0)
		return error;
	error = at_name_get_more(&to, tofd, uto, 0);
	if (error == 0) {
		error = vfs_rename(&from.ctx.vfs, from.base, from.name.text,
		    to.base, to.name.text, flags);
		at_name_put_more(&to);
	}
	at_name_put(&from);
	return error;
}

long
sys_renameat(int fromfd, uaddr_t from, int tofd, uaddr_t to)
{
	return sys_renameat2(fromfd, from, tofd, to, 0);
}

long
sys_rename(uaddr_t from, uaddr_t to)
{
	return sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

long
sys_linkat(int fromfd, uaddr_t ufrom, int tofd, uaddr_t uto, unsigned flags)
{
	unsigned walk = (flags & AT_SYMLINK_FOLLOW) != 0 ? WALK_FOLLOW : 0;
	struct at_name from, to;
	struct path old;
	int error;

	if ((flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0)
		return -EINVAL;
	if ((flags & AT_EMPTY_PATH) != 0)
		walk |= WALK_EMPTY;
	error = at_name_walk(&from, fromfd, ufrom, walk, &old);
	if (error != 0)
		return error;
	error = at_name_get_more(&to, tofd, uto, 0);
	if (error == 0) {
		error = vfs_link(&from.ctx.vfs, &old, to.base, to.name.text);
		at_name_put_more(&to);
	}
	path_put(&old);
	at_name_put(&from);
	return error;
}

long
sys_link(uaddr_t from, uaddr_t to)
{
	return sys_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

long
sys_symlinkat(uaddr_t utarget, int dirfd, uaddr_t uname)
{
	struct user_name target;
	struct at_name at;
	int error;

	error = user_name_get(&target, utarget, 0);
	if (error != 0)
		return error;
	error = at_name_get(&at, dirfd, uname, 0);
	if (error == 0) {
		error = vfs_symlink(&at.ctx.vfs, target.text, at.base,
		    at.name.text);
		at_name_put(&at);
	}
	user_name_put(&target);
	return error;
}

long
sys_symlink(uaddr_t target, uaddr_t name)
{
	return sys_symlinkat(target, AT_FDCWD, name);
}

/* Which types mknod(2) makes; none means a regular file. */
static int
mknod_mode(uint32_t *mode)
{
	switch (*mode & S_IFMT) {
	case 0: *mode |= S_IFREG; return 0;
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK: return 0;
	case S_IFDIR: return -EPERM;
	default: return -EINVAL;
	}
}

long
sys_mknodat(int dirfd, uaddr_t uname, uint32_t mode, uint32_t dev)
{
	struct at_name at;
	int error;

	error = mknod_mode(&mode);
	if (error == 0)
		error = at_name_get(&at, dirfd, uname, 0);
	if (error != 0)
		return error;
	error = vfs_mknod(&at.ctx.vfs, at.base, at.name.text,
	    mode & (S_IFMT | 07777), dev);
	at_name_put(&at);
	return error;
}

long
sys_mknod(uaddr_t uname, uint32_t mode, uint32_t dev)
{
	return sys_mknodat(AT_FDCWD, uname, mode, dev);
}
