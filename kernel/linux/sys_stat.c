/* SPDX-License-Identifier: ISC */
/*
 * sys_stat.c - what a file is: stat(2), statx(2), access(2), readlink(2),
 * statfs(2).  Turns the VFS's structs into the ABI's.
 */
#include "fs/file.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/names.h"
#include "linux/sys_files.h"
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#define STAT_AT_FLAGS                                            \
	(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | \
	    AT_STATX_SYNC_TYPE)

/* Whole seconds and the rest, rounded down for times before 1970. */
static int64_t
stat_seconds(int64_t ns, int64_t *rest)
{
	int64_t sec = ns / NSEC_PER_SEC;

	*rest = ns % NSEC_PER_SEC;
	if (*rest < 0) {
		*rest += NSEC_PER_SEC;
		sec--;
	}
	return sec;
}

static void
stat_time(__kernel_ulong_t *sec, __kernel_ulong_t *nsec, int64_t ns)
{
	int64_t rest;

	*sec = (__kernel_ulong_t)stat_seconds(ns, &rest);
	*nsec = (__kernel_ulong_t)rest;
}

static int
stat_copyout(uaddr_t dst, const struct vfs_stat *vs)
{
	struct stat st = {
		.st_dev = vs->dev,
		.st_ino = vs->ino,
		.st_nlink = vs->nlink,
		.st_mode = vs->mode,
		.st_uid = vs->uid,
		.st_gid = vs->gid,
		.st_rdev = vs->rdev,
		.st_size = (__kernel_long_t)vs->size,
		.st_blksize = vs->blksize,
		.st_blocks = (__kernel_long_t)vs->blocks,
	};

	stat_time(&st.st_atime, &st.st_atime_nsec, vs->atime_ns);
	stat_time(&st.st_mtime, &st.st_mtime_nsec, vs->mtime_ns);
	stat_time(&st.st_ctime, &st.st_ctime_nsec, vs->ctime_ns);
	return copyout(dst, &st, sizeof(st));
}

/* Of a name, or with AT_EMPTY_PATH of whatever dirfd is. */
static int
stat_at(int dirfd, uaddr_t uname, unsigned flags, struct vfs_stat *vs)
{
	unsigned walk = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : WALK_FOLLOW;
	struct at_name at;
	struct path p;
	int error;

	if ((flags & AT_EMPTY_PATH) != 0)
		walk |= WALK_EMPTY;
	error = at_name_walk(&at, dirfd, uname, walk, &p);
	if (error != 0)
		return error;
	error = vfs_stat(&p, vs);
	path_put(&p);
	at_name_put(&at);
	return error;
}

long
sys_fstat(int fd, uaddr_t buf)
{
	struct fdref ref = fd_get_any(fd);
	struct vfs_stat vs;
	int error;

	if (ref.file == NULL)
		return -EBADF;
	error = vfs_stat(&ref.file->path, &vs);
	fd_put(ref);
	return error != 0 ? error : stat_copyout(buf, &vs);
}

/* "" and AT_EMPTY_PATH is how C libraries spell fstat(2): a short way. */
static bool
is_empty_name(uaddr_t uname)
{
	char first;

	return copyin(&first, uname, 1) == 0 && first == '\0';
}

long
sys_newfstatat(int dirfd, uaddr_t uname, uaddr_t buf, unsigned flags)
{
	struct vfs_stat vs;
	int error;

	if ((flags & AT_EMPTY_PATH) != 0 && dirfd >= 0 && is_empty_name(uname))
		return (flags & ~(unsigned)STAT_AT_FLAGS) != 0 ?
		    -EINVAL :
		    sys_fstat(dirfd, buf);
	if ((flags & ~(unsigned)STAT_AT_FLAGS) != 0)
		return -EINVAL;
	error = stat_at(dirfd, uname, flags, &vs);
	return error != 0 ? error : stat_copyout(buf, &vs);
}

long
sys_stat(uaddr_t uname, uaddr_t buf)
{
	return sys_newfstatat(AT_FDCWD, uname, buf, 0);
}

long
sys_lstat(uaddr_t uname, uaddr_t buf)
{
	return sys_newfstatat(AT_FDCWD, uname, buf, AT_SYMLINK_NOFOLLOW);
}

static struct statx_timestamp
statx_time(int64_t ns)
{
	int64_t rest, sec = stat_seconds(ns, &rest);

	return (
	    struct statx_timestamp){ .tv_sec = sec, .tv_nsec = (uint32_t)rest };
}

static int
statx_copyout(uaddr_t dst, const struct vfs_stat *vs)
{
	struct statx sx = {
		.stx_mask = STATX_BASIC_STATS,
		.stx_blksize = vs->blksize,
		.stx_nlink = vs->nlink,
		.stx_uid = vs->uid,
		.stx_gid = vs->gid,
		.stx_mode = (uint16_t)vs->mode,
		.stx_ino = vs->ino,
		.stx_size = vs->size,
		.stx_blocks = vs->blocks,
		.stx_atime = statx_time(vs->atime_ns),
		.stx_ctime = statx_time(vs->ctime_ns),
		.stx_mtime = statx_time(vs->mtime_ns),
		.stx_rdev_major = dev_major(vs->rdev),
		.stx_rdev_minor = dev_minor(vs->rdev),
		.stx_dev_major = dev_major(vs->dev),
		.stx_dev_minor = dev_minor(vs->dev),
	};

	if (vs->btime_ns != 0) {
		sx.stx_mask |= STATX_BTIME;
		sx.stx_btime = statx_time(vs->btime_ns);
	}
	if (vs->mnt_id != 0) {
		sx.stx_mask |= STATX_MNT_ID;
		sx.stx_mnt_id = vs->mnt_id;
	}
	return copyout(dst, &sx, sizeof(sx));
}

long
sys_statx(int dirfd, uaddr_t uname, unsigned flags, unsigned mask, uaddr_t buf)
{
	struct vfs_stat vs;
	int error;

	if ((mask & STATX__RESERVED) != 0 ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    (flags & ~(unsigned)STAT_AT_FLAGS) != 0)
		return -EINVAL;
	error = stat_at(dirfd, uname, flags, &vs);
	return error != 0 ? error : statx_copyout(buf, &vs);
}

long
sys_faccessat2(int dirfd, uaddr_t uname, unsigned mode, unsigned flags)
{
	unsigned walk = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : WALK_FOLLOW;
	struct at_name at;
	struct path p;
	int error;

	if ((mode & ~(unsigned)(MAY_READ | MAY_WRITE | MAY_EXEC)) != 0 ||
	    (flags &
		~(unsigned)(AT_EACCESS | AT_SYMLINK_NOFOLLOW |
		    AT_EMPTY_PATH)) != 0)
		return -EINVAL;
	error = at_name_get(&at, dirfd, uname,
	    (flags & AT_EMPTY_PATH) != 0 ? NAME_MAY_BE_EMPTY : 0);
	if (error != 0)
		return error;
	if ((flags & AT_EACCESS) == 0)
		fs_ctx_use_real_ids(&at.ctx);
	if ((flags & AT_EMPTY_PATH) != 0)
		walk |= WALK_EMPTY;
	error = vfs_walk(&at.ctx.vfs, at.base, at.name.text, walk, &p);
	if (error == 0) {
		error = vfs_access(&at.ctx.vfs, &p, mode);
		path_put(&p);
	}
	at_name_put(&at);
	return error;
}

long
sys_faccessat(int dirfd, uaddr_t uname, unsigned mode)
{
	return sys_faccessat2(dirfd, uname, mode, 0);
}

long
sys_access(uaddr_t uname, unsigned mode)
{
	return sys_faccessat2(AT_FDCWD, uname, mode, 0);
}

static long
readlink_copyout(const struct vfs_ctx *ctx, const struct path *p, uaddr_t buf,
    size_t size)
{
	char *text = kmalloc(VFS_PATH_MAX);
	long len;

	if (text == NULL)
		return -ENOMEM;
	len = vfs_readlink(ctx, p, text, VFS_PATH_MAX);
	if (len > 0) {
		len = MIN(len, (long)MIN(size, (size_t)VFS_PATH_MAX));
		if (copyout(buf, text, (size_t)len) != 0)
			len = -EFAULT;
	}
	kfree(text);
	return len;
}

long
sys_readlinkat(int dirfd, uaddr_t uname, uaddr_t buf, int size)
{
	struct at_name at;
	struct path p;
	long len;

	if (size <= 0)
		return -EINVAL;
	len = at_name_walk(&at, dirfd, uname, WALK_EMPTY, &p);
	if (len != 0)
		return len;
	len = readlink_copyout(&at.ctx.vfs, &p, buf, (size_t)size);
	if (len == -EINVAL && at.name.text[0] == '\0')
		len = -ENOENT;
	path_put(&p);
	at_name_put(&at);
	return len;
}

long
sys_readlink(uaddr_t uname, uaddr_t buf, int size)
{
	return sys_readlinkat(AT_FDCWD, uname, buf, size);
}

static int
statfs_copyout(uaddr_t dst, const struct path *p)
{
	struct vfs_statfs vs;
	struct statfs st;
	int error;

	memset(&vs, 0, sizeof(vs));
	memset(&st, 0, sizeof(st));
	error = vfs_statfs(p, &vs);
	if (error != 0)
		return error;
	st.f_type = (__kernel_long_t)vs.type;
	st.f_bsize = (__kernel_long_t)vs.bsize;
	st.f_blocks = (__kernel_long_t)vs.blocks;
	st.f_bfree = (__kernel_long_t)vs.bfree;
	st.f_bavail = (__kernel_long_t)vs.bavail;
	st.f_files = (__kernel_long_t)vs.files;
	st.f_ffree = (__kernel_long_t)vs.ffree;
	st.f_fsid.val[0] = (int)vs.fsid;
	st.f_fsid.val[1] = (int)(vs.fsid >> 32);
	st.f_namelen = (__kernel_long_t)vs.namelen;
	st.f_frsize = (__kernel_long_t)(vs.frsize != 0 ? vs.frsize : vs.bsize);
	st.f_flags = (__kernel_long_t)vs.flags;
	return copyout(dst, &st, sizeof(st));
}

long
sys_statfs(uaddr_t uname, uaddr_t buf)
{
	struct at_name at;
	struct path p;
	int error;

	error = at_name_walk(&at, AT_FDCWD, uname, WALK_FOLLOW, &p);
	if (error != 0)
		return error;
	error = statfs_copyout(buf, &p);
	path_put(&p);
	at_name_put(&at);
	return error;
}

long
sys_fstatfs(int fd, uaddr_t buf)
{
	struct fdref ref = fd_get_any(fd);
	int error;

	if (ref.file == NULL)
		return -EBADF;
	error = statfs_copyout(buf, &ref.file->path);
	fd_put(ref);
	return error;
}
