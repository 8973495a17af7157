/* SPDX-License-Identifier: ISC */
/*
 * sys_fcntl.c - fcntl(2), ioctl(2), flock(2): what descriptors and open files
 * carry beside their bytes.  Locks themselves are in locks.c.
 */
#include "abi/mode.h"
#include "fs/file.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/inotify.h"
#include "linux/locks.h"
#include "linux/memfd.h"
#include "linux/pipe.h"
#include "linux/process.h"
#include "linux/sigio.h"
#include "linux/sys_files.h"
#include <asm/ioctls.h>
#include <linux/blkpg.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/sockios.h>

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

/* -------------------------------------------------------- status flags -- */

static int
setfl_check(struct file *file, unsigned flags)
{
	struct fs_ctx ctx;
	bool owner;

	if ((file->inode->flags & INODE_APPEND) != 0 &&
	    (file->flags & O_APPEND) != 0 && (flags & O_APPEND) == 0)
		return -EPERM;
	if ((flags & O_NOATIME) == 0 || (file->flags & O_NOATIME) != 0)
		return 0;
	fs_ctx_get(&ctx);
	owner = ctx.cred.uid == file->inode->uid ||
	    vfs_capable(&ctx.cred, CAP_FOWNER);
	fs_ctx_put(&ctx);
	return owner ? 0 : -EPERM;
}

static long
file_set_flags(int fd, struct file *file, unsigned flags)
{
	int error = setfl_check(file, flags);

	if (error == 0 && file->ops->set_flags != NULL)
		error = file->ops->set_flags(file, flags & SETFL_MASK);
	if (error == 0 && ((file->flags ^ flags) & FASYNC) != 0)
		error = sigio_set(file, fd, (flags & FASYNC) != 0);
	if (error != 0)
		return error;
	__atomic_store_n(&file->flags,
	    (file->flags & ~(unsigned)SETFL_MASK) | (flags & SETFL_MASK),
	    __ATOMIC_RELAXED);
	return 0;
}

/* --------------------------------------------------------------- locks -- */

/* The program's struct flock as a range of bytes.  -EINVAL, -EOVERFLOW */
static int
flock_to_range(struct file *file, const struct flock *fl,
    struct lock_range *range)
{
	int64_t base, end;

	switch (fl->l_whence) {
	case SEEK_SET: base = 0; break;
	case SEEK_CUR: base = file->pos; break;
	case SEEK_END: base = (int64_t)file->inode->size; break;
	default: return -EINVAL;
	}
	if (__builtin_add_overflow(base, fl->l_start, &base))
		return -EOVERFLOW;
	if (base < 0)
		return -EINVAL;
	end = INT64_MAX;
	if (fl->l_len > 0 && __builtin_add_overflow(base, fl->l_len - 1, &end))
		return -EOVERFLOW;
	if (fl->l_len < 0) {
		end = base - 1;
		base += fl->l_len;
		if (base < 0)
			return -EINVAL;
	}
	range->start = (uint64_t)base;
	range->end = (uint64_t)end;
	return 0;
}

static int
flock_type(int l_type, enum lock_type *type)
{
	switch (l_type) {
	case F_RDLCK: *type = LOCK_TYPE_READ; return 0;
	case F_WRLCK: *type = LOCK_TYPE_WRITE; return 0;
	case F_UNLCK: *type = LOCK_TYPE_NONE; return 0;
	default: return -EINVAL;
	}
}

static void
range_to_flock(const struct lock_range *range, struct flock *fl)
{
	if (range->type == LOCK_TYPE_NONE) {
		fl->l_type = F_UNLCK;
		return;
	}
	fl->l_type = range->type == LOCK_TYPE_READ ? F_RDLCK : F_WRLCK;
	fl->l_whence = SEEK_SET;
	fl->l_start = (int64_t)range->start;
	fl->l_len = range->end == LOCK_TO_END ?
	    0 :
	    (int64_t)(range->end - range->start) + 1;
	fl->l_pid = range->pid;
}

/* The lock that is asked for, with who asks.  `ofd`: F_OFD_*. */
static int
flock_get(struct file *file, uaddr_t src, bool ofd, struct flock *fl,
    struct lock_range *range)
{
	int error = 0;

	if (copyin(fl, src, sizeof(*fl)) != 0)
		return -EFAULT;
	if (ofd && fl->l_pid != 0)
		return -EINVAL;
	range->owner = ofd ? (const void *)file : fdtable_self();
	range->pid = ofd ? -1 : process_self()->pid;
	error = flock_type(fl->l_type, &range->type);
	return error != 0 ? error : flock_to_range(file, fl, range);
}

static long
fcntl_getlk(struct file *file, uaddr_t arg, bool ofd)
{
	struct lock_range range;
	struct flock fl;
	int error;

	error = flock_get(file, arg, ofd, &fl, &range);
	if (error == 0 && range.type == LOCK_TYPE_NONE && !ofd)
		error = -EINVAL;
	if (error != 0)
		return error;
	locks_test(file->inode, &range);
	range_to_flock(&range, &fl);
	return copyout(arg, &fl, sizeof(fl));
}

static long
fcntl_setlk(int fd, struct file *file, uaddr_t arg, bool ofd, bool wait)
{
	struct lock_range range;
	struct file *now;
	struct flock fl;
	int error;

	error = flock_get(file, arg, ofd, &fl, &range);
	if (error != 0)
		return error;
	if ((range.type == LOCK_TYPE_READ && (file->mode & FILE_READ) == 0) ||
	    (range.type == LOCK_TYPE_WRITE && (file->mode & FILE_WRITE) == 0))
		return -EBADF;
	error = locks_set(file->inode, &range, wait);
	if (error != 0 || ofd || range.type == LOCK_TYPE_NONE)
		return error;
	/* Another thread may have closed it while we waited: the lock goes. */
	now = fdtable_file(fdtable_self(), (unsigned)fd);
	if (now != file) {
		locks_drop(file->inode, fdtable_self());
		error = -EBADF;
	}
	file_put(now);
	return error;
}

long
sys_flock(int fd, unsigned op)
{
	struct fdref ref;
	enum lock_type type;
	int error;

	switch (op & ~4u) {                    /* LOCK_NB */
	case 1: type = LOCK_TYPE_READ; break;  /* LOCK_SH */
	case 2: type = LOCK_TYPE_WRITE; break; /* LOCK_EX */
	case 8: type = LOCK_TYPE_NONE; break;  /* LOCK_UN */
	default: return -EINVAL;
	}
	ref = fd_get(fd);
	if (ref.file == NULL)
		return -EBADF;
	if (type != LOCK_TYPE_NONE &&
	    (ref.file->mode & (FILE_READ | FILE_WRITE)) == 0)
		error = -EBADF;
	else
		error = locks_set_whole(ref.file->inode, ref.file, type,
		    (op & 4) == 0);
	fd_put(ref);
	return error;
}

/* --------------------------------------------------------------- fcntl -- */

static long
fcntl_pipe(struct file *file, unsigned cmd, uint64_t arg)
{
	struct pipe *p = pipe_of(file);

	if (p == NULL)
		return -EBADF;
	return cmd == F_GETPIPE_SZ ? pipe_size(p) :
				     pipe_resize(p, (unsigned)arg);
}

static bool
fcntl_allows_path(unsigned cmd)
{
	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_GETFD ||
	    cmd == F_SETFD || cmd == F_GETFL;
}

static long
fcntl_file(int fd, struct file *file, unsigned cmd, uint64_t arg)
{
	switch (cmd) {
	case F_DUPFD: return fd_dup(fd, (unsigned)arg, false);
	case F_DUPFD_CLOEXEC: return fd_dup(fd, (unsigned)arg, true);
	case F_GETFD: return fd_cloexec(fd);
	case F_SETFD: return fd_set_cloexec(fd, (arg & FD_CLOEXEC) != 0);
	case F_GETFL: return file->flags;
	case F_SETFL: return file_set_flags(fd, file, (unsigned)arg);
	case F_GETLK:
	case F_OFD_GETLK: return fcntl_getlk(file, arg, cmd == F_OFD_GETLK);
	case F_SETLK:
	case F_SETLKW:
		return fcntl_setlk(fd, file, arg, false, cmd == F_SETLKW);
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_setlk(fd, file, arg, true, cmd == F_OFD_SETLKW);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETSIG:
	case F_GETSIG: return sigio_fcntl(file, cmd, arg);
	case F_SETOWN_EX:
	case F_GETOWN_EX: return sigio_fcntl_ex(file, cmd, arg);
	case F_NOTIFY: return dnotify_set(file, fd, (unsigned)arg);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ: return fcntl_pipe(file, cmd, arg);
	case F_ADD_SEALS: return memfd_add_seals(file, (unsigned)arg);
	case F_GET_SEALS: return memfd_get_seals(file);
	default: return -EINVAL;
	}
}

long
sys_fcntl(int fd, unsigned cmd, uint64_t arg)
{
	struct fdref ref = fd_get_any(fd);
	long ret;

	if (ref.file == NULL)
		return -EBADF;
	if ((ref.file->mode & FILE_PATH) != 0 && !fcntl_allows_path(cmd))
		ret = -EBADF;
	else
		ret = fcntl_file(fd, ref.file, cmd, arg);
	fd_put(ref);
	return ret;
}

/* --------------------------------------------------------------- ioctl -- */

static long
ioctl_flag(int fd, struct file *file, uaddr_t arg, unsigned flag)
{
	int on;

	if (copyin(&on, arg, sizeof(on)) != 0)
		return -EFAULT;
	return file_set_flags(fd, file,
	    on != 0 ? file->flags | flag : file->flags & ~flag);
}

/* Of sockets, whose owner has these calls, too. */
static long
ioctl_owner(struct file *file, unsigned cmd, uaddr_t arg)
{
	int id;

	if (cmd == FIOGETOWN || cmd == SIOCGPGRP) {
		id = (int)sigio_fcntl(file, F_GETOWN, 0);
		return copyout(arg, &id, sizeof(id));
	}
	if (copyin(&id, arg, sizeof(id)) != 0)
		return -EFAULT;
	return sigio_fcntl(file, F_SETOWN, (uint64_t)id);
}

static long
ioctl_bytes_left(struct file *file, uaddr_t arg)
{
	int64_t left = (int64_t)file->inode->size - file->pos;
	int n = (int)left;

	return copyout(arg, &n, sizeof(n));
}

/* What changes a disk for all who use it. */
static bool
is_disk_administration(unsigned cmd)
{
	switch (cmd) {
	case BLKRRPART:
	case BLKPG:
	case BLKFLSBUF:
	case BLKROSET:
	case BLKBSZSET:
	case BLKRASET:
	case BLKFRASET: return true;
	default: return false;
	}
}

static long
ioctl_file(int fd, struct file *file, unsigned cmd, uint64_t arg)
{
	long ret = -ENOTTY;

	switch (cmd) {
	case FIOCLEX: return fd_set_cloexec(fd, true);
	case FIONCLEX: return fd_set_cloexec(fd, false);
	case FIONBIO: return ioctl_flag(fd, file, arg, O_NONBLOCK);
	case FIOASYNC: return ioctl_flag(fd, file, arg, FASYNC);
	case FIOSETOWN:
	case SIOCSPGRP:
	case FIOGETOWN:
	case SIOCGPGRP:
		if (S_ISSOCK(file->inode->mode))
			return ioctl_owner(file, cmd, arg);
		break;
	case FS_IOC_GETFLAGS:
	case FS_IOC_SETFLAGS: return ioctl_inode_flags(file, cmd, arg);
	case FIONREAD:
		if (S_ISREG(file->inode->mode))
			return ioctl_bytes_left(file, arg);
		break;
	default: break;
	}
	if (S_ISBLK(file->inode->mode) && is_disk_administration(cmd) &&
	    !capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (file->ops->ioctl != NULL)
		ret = file->ops->ioctl(file, cmd, arg);
	return ret;
}

long
sys_ioctl(int fd, unsigned cmd, uint64_t arg)
{
	struct fdref ref = fd_get(fd);
	long ret;

	if (ref.file == NULL)
		return -EBADF;
	ret = ioctl_file(fd, ref.file, cmd, arg);
	fd_put(ref);
	return ret;
}
