/* SPDX-License-Identifier: ISC */
/*
 * sys_filedata.c - calls on a file's bytes as a whole: sendfile(2),
 * copy_file_range(2), truncate(2), fallocate(2), fsync(2), readahead(2) and
 * their kin.
 */
#include "abi/mode.h"
#include "fs/file.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/names.h"
#include "linux/sys_files.h"
#include "linux/transfer.h"
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

static bool
is_type(const struct file *file, uint32_t type)
{
	return (file->inode->mode & S_IFMT) == type;
}

/* What sendfile checks of its two files, in its order. */
static int
sendfile_check(const struct file *in, const int64_t *pos,
    const struct file *out)
{
	if (in == NULL || (in->mode & FILE_READ) == 0)
		return -EBADF;
	if (pos != NULL && (in->mode & FILE_SEEK) == 0)
		return -ESPIPE;
	if (pos != NULL && *pos < 0)
		return -EINVAL;
	if (out == NULL || (out->mode & FILE_WRITE) == 0)
		return -EBADF;
	if (!is_type(in, S_IFREG) && !is_type(in, S_IFBLK))
		return -EINVAL;
	if ((out->flags & O_APPEND) != 0)
		return -EINVAL;
	return 0;
}

long
sys_sendfile(int out_fd, int in_fd, uaddr_t uoffset, uint64_t len)
{
	struct fdref in, out;
	int64_t pos = 0, *ppos = uoffset != 0 ? &pos : NULL;
	long n;

	if (ppos != NULL && copyin(&pos, uoffset, sizeof(pos)) != 0)
		return -EFAULT;
	if ((int64_t)len < 0)
		return -EINVAL;
	in = fd_get(in_fd);
	out = fd_get(out_fd);
	n = sendfile_check(in.file, ppos, out.file);
	if (n == 0)
		n = transfer_written(file_copy(in.file, ppos, out.file, NULL,
		    MIN(len, (uint64_t)TRANSFER_MAX), transfer_size_max()));
	if (ppos != NULL && n >= 0 && copyout(uoffset, &pos, sizeof(pos)) != 0)
		n = -EFAULT;
	fd_put(out);
	fd_put(in);
	return n;
}

/* As sendfile_check(), for copy_file_range(2). */
static int
copy_check(const struct file *in, const struct file *out, unsigned flags)
{
	if (in == NULL || out == NULL)
		return -EBADF;
	if (flags != 0)
		return -EINVAL;
	if (is_type(in, S_IFDIR) || is_type(out, S_IFDIR))
		return -EISDIR;
	if (!is_type(in, S_IFREG) || !is_type(out, S_IFREG))
		return -EINVAL;
	if ((in->mode & FILE_READ) == 0 || (out->mode & FILE_WRITE) == 0 ||
	    (out->flags & O_APPEND) != 0)
		return -EBADF;
	return 0;
}

/* The positions' part: inside the files' range, and not onto itself. */
static int
copy_check_range(const struct file *in, int64_t in_pos, const struct file *out,
    int64_t out_pos, uint64_t *len)
{
	uint64_t size = in->inode->size;

	if ((uint64_t)in_pos + *len < *len || (uint64_t)out_pos + *len < *len)
		return -EOVERFLOW;
	if (in_pos < 0 || out_pos < 0)
		return -EINVAL;
	*len = MIN(*len, (uint64_t)TRANSFER_MAX);
	*len = MIN(*len, (uint64_t)in_pos < size ? size - (uint64_t)in_pos : 0);
	if (in->inode == out->inode && in_pos < out_pos + (int64_t)*len &&
	    out_pos < in_pos + (int64_t)*len)
		return -EINVAL;
	return 0;
}

static long
copy_range(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
    uint64_t len)
{
	int error;

	error = copy_check_range(in, in_pos != NULL ? *in_pos : in->pos, out,
	    out_pos != NULL ? *out_pos : out->pos, &len);
	if (error != 0 || len == 0)
		return error;
	return transfer_written(
	    file_copy(in, in_pos, out, out_pos, len, transfer_size_max()));
}

long
sys_copy_file_range(int in_fd, uaddr_t uin, int out_fd, uaddr_t uout,
    uint64_t len, unsigned flags)
{
	struct fdref in = fd_get(in_fd), out = fd_get(out_fd);
	int64_t in_pos = 0, out_pos = 0;
	long n = in.file == NULL || out.file == NULL ? -EBADF : 0;

	if (n == 0 && uin != 0)
		n = copyin(&in_pos, uin, sizeof(in_pos));
	if (n == 0 && uout != 0)
		n = copyin(&out_pos, uout, sizeof(out_pos));
	if (n == 0)
		n = copy_check(in.file, out.file, flags);
	if (n == 0)
		n = copy_range(in.file, uin != 0 ? &in_pos : NULL, out.file,
		    uout != 0 ? &out_pos : NULL, len);
	if (n > 0 && uin != 0 && copyout(uin, &in_pos, sizeof(in_pos)) != 0)
		n = -EFAULT;
	if (n > 0 && uout != 0 && copyout(uout, &out_pos, sizeof(out_pos)) != 0)
		n = -EFAULT;
	fd_put(out);
	fd_put(in);
	return n;
}

static long
do_fsync(int fd, bool data_only)
{
	struct fdref ref = fd_get(fd);
	long error;

	if (ref.file == NULL)
		return -EBADF;
	error = file_fsync(ref.file, data_only);
	fd_put(ref);
	return error;
}

long
sys_fsync(int fd)
{
	return do_fsync(fd, false);
}

long
sys_fdatasync(int fd)
{
	return do_fsync(fd, true);
}

long
sys_sync(void)
{
	/* sync(2) has no way to tell of an error; fsync(2) has. */
	(void)vfs_sync_all();
	return 0;
}

long
sys_syncfs(int fd)
{
	struct fdref ref = fd_get(fd);
	struct super *sb;
	long error = 0;

	if (ref.file == NULL)
		return -EBADF;
	sb = ref.file->inode->sb;
	if (sb != NULL && sb->ops->sync != NULL)
		error = sb->ops->sync(sb);
	fd_put(ref);
	return error;
}

long
sys_sync_file_range(int fd, int64_t offset, int64_t len, unsigned flags)
{
	struct fdref ref = fd_get(fd);
	long error = 0;

	if (ref.file == NULL)
		return -EBADF;
	if ((flags &
		~(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		    SYNC_FILE_RANGE_WAIT_AFTER)) != 0 ||
	    offset < 0 || len < 0 || offset + len < offset)
		error = -EINVAL;
	else if (!is_type(ref.file, S_IFREG) && !is_type(ref.file, S_IFBLK) &&
	    !is_type(ref.file, S_IFDIR) && !is_type(ref.file, S_IFLNK))
		error = -ESPIPE;
	else if (flags != 0 && is_type(ref.file, S_IFREG))
		error = file_fsync(ref.file, true);
	fd_put(ref);
	return error;
}

static int
size_limit_check(uint64_t old, uint64_t size)
{
	if (size > old && size > transfer_size_max())
		return (int)transfer_written(-EFBIG);
	return 0;
}

static int
truncate_path(const struct vfs_ctx *ctx, const struct path *p, uint64_t size)
{
	struct inode *inode = p->dentry->inode;
	struct vfs_attr attr = { .valid = ATTR_SIZE, .size = size };
	int error;

	if ((inode->mode & S_IFMT) == S_IFDIR)
		return -EISDIR;
	if ((inode->mode & S_IFMT) != S_IFREG)
		return -EINVAL;
	error = vfs_access(ctx, p, MAY_WRITE);
	if (error == 0)
		error = size_limit_check(inode->size, size);
	if (error == 0)
		error = inode_get_write(inode);
	if (error != 0)
		return error;
	error = vfs_setattr(ctx, p, &attr);
	inode_put_write(inode);
	return error;
}

long
sys_truncate(uaddr_t uname, int64_t size)
{
	struct at_name at;
	struct path p;
	int error;

	if (size < 0)
		return -EINVAL;
	error = at_name_walk(&at, AT_FDCWD, uname, WALK_FOLLOW, &p);
	if (error != 0)
		return error;
	error = truncate_path(&at.ctx.vfs, &p, (uint64_t)size);
	path_put(&p);
	at_name_put(&at);
	return error;
}

static int
ftruncate_file(struct file *file, uint64_t size)
{
	struct fs_ctx ctx;
	int error;

	if (!is_type(file, S_IFREG) || (file->mode & FILE_WRITE) == 0)
		return -EINVAL;
	error = size_limit_check(file->inode->size, size);
	if (error != 0)
		return error;
	fs_ctx_get(&ctx);
	error = file_truncate(&ctx.vfs, file, size);
	fs_ctx_put(&ctx);
	return error;
}

long
sys_ftruncate(int fd, int64_t size)
{
	struct fdref ref;
	int error;

	if (size < 0)
		return -EINVAL;
	ref = fd_get(fd);
	if (ref.file == NULL)
		return -EBADF;
	error = ftruncate_file(ref.file, (uint64_t)size);
	fd_put(ref);
	return error;
}

static int
fallocate_file(struct file *file, int mode, int64_t offset, int64_t len)
{
	if (offset < 0 || len <= 0)
		return -EINVAL;
	if ((mode & FALLOC_FL_KEEP_SIZE) == 0 &&
	    (uint64_t)offset + (uint64_t)len > transfer_size_max() &&
	    (file->mode & FILE_WRITE) != 0)
		return (int)transfer_written(-EFBIG);
	return file_fallocate(file, mode, (uint64_t)offset, (uint64_t)len);
}

long
sys_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
	struct fdref ref = fd_get(fd);
	int error;

	if (ref.file == NULL)
		return -EBADF;
	error = fallocate_file(ref.file, mode, offset, len);
	fd_put(ref);
	return error;
}

/* Advice that changes nothing is still checked as documented. */
long
sys_fadvise64(int fd, int64_t offset, int64_t len, int advice)
{
	struct fdref ref = fd_get(fd);
	long error = 0;

	(void)offset;
	if (ref.file == NULL)
		return -EBADF;
	if (is_type(ref.file, S_IFIFO))
		error = -ESPIPE;
	else if (len < 0 || advice < POSIX_FADV_NORMAL ||
	    advice > POSIX_FADV_NOREUSE)
		error = -EINVAL;
	fd_put(ref);
	return error;
}

long
sys_readahead(int fd, int64_t offset, uint64_t len)
{
	struct fdref ref = fd_get(fd);
	long error = 0;

	(void)offset;
	(void)len;
	if (ref.file == NULL)
		return -EBADF;
	if ((ref.file->mode & FILE_READ) == 0)
		error = -EBADF;
	else if (!is_type(ref.file, S_IFREG) && !is_type(ref.file, S_IFBLK))
		error = -EINVAL;
	fd_put(ref);
	return error;
}
