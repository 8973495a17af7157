/* SPDX-License-Identifier: ISC */
/*
 * sys_attr.c - calls that change what a file is: chmod(2), chown(2),
 * utimensat(2) and their forms; chattr(1)'s flags; extended attributes, which
 * no file system here has, answered as Linux does for such a one.
 */
#include "abi/mode.h"
#include "fs/file.h"
#include "kern/clock.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/names.h"
#include "linux/sys_files.h"
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/utime.h>
#include <linux/xattr.h>

#define UTIME_IS_NOW  ((1l << 30) - 1)
#define UTIME_IS_OMIT ((1l << 30) - 2)

static int
setattr_at(int dirfd, uaddr_t uname, unsigned walk, const struct vfs_attr *attr)
{
	struct at_name at;
	struct path p;
	int error;

	error = at_name_walk(&at, dirfd, uname, walk, &p);
	if (error != 0)
		return error;
	error = vfs_setattr(&at.ctx.vfs, &p, attr);
	path_put(&p);
	at_name_put(&at);
	return error;
}

static int
setattr_fd(struct fdref ref, const struct vfs_attr *attr)
{
	struct fs_ctx ctx;
	int error;

	if (ref.file == NULL)
		return -EBADF;
	fs_ctx_get(&ctx);
	error = vfs_setattr(&ctx.vfs, &ref.file->path, attr);
	fs_ctx_put(&ctx);
	fd_put(ref);
	return error;
}

long
sys_fchmodat(int dirfd, uaddr_t uname, uint32_t mode)
{
	struct vfs_attr attr = { .valid = ATTR_MODE, .mode = mode & 07777 };

	return setattr_at(dirfd, uname, WALK_FOLLOW, &attr);
}

long
sys_chmod(uaddr_t uname, uint32_t mode)
{
	return sys_fchmodat(AT_FDCWD, uname, mode);
}

long
sys_fchmod(int fd, uint32_t mode)
{
	struct vfs_attr attr = { .valid = ATTR_MODE, .mode = mode & 07777 };

	return setattr_fd(fd_get(fd), &attr);
}

/* -1 leaves an id as it is. */
static struct vfs_attr
chown_attr(uint32_t uid, uint32_t gid)
{
	struct vfs_attr attr = { .uid = uid, .gid = gid };

	if (uid != UINT32_MAX)
		attr.valid |= ATTR_UID;
	if (gid != UINT32_MAX)
		attr.valid |= ATTR_GID;
	return attr;
}

long
sys_fchownat(int dirfd, uaddr_t uname, uint32_t uid, uint32_t gid,
    unsigned flags)
{
	struct vfs_attr attr = chown_attr(uid, gid);
	unsigned walk = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : WALK_FOLLOW;

	if ((flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
		return -EINVAL;
	if ((flags & AT_EMPTY_PATH) != 0)
		walk |= WALK_EMPTY;
	return setattr_at(dirfd, uname, walk, &attr);
}

long
sys_chown(uaddr_t uname, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(AT_FDCWD, uname, uid, gid, 0);
}

long
sys_lchown(uaddr_t uname, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(AT_FDCWD, uname, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long
sys_fchown(int fd, uint32_t uid, uint32_t gid)
{
	struct vfs_attr attr = chown_attr(uid, gid);

	return setattr_fd(fd_get(fd), &attr);
}

/* One of utimensat's two times, already in attr's terms. */
static int
utime_one(const struct __kernel_timespec *ts, unsigned set,
    struct vfs_attr *attr, int64_t *ns)
{
	if (ts->tv_nsec == UTIME_IS_OMIT)
		return 0;
	attr->valid |= set;
	if (ts->tv_nsec == UTIME_IS_NOW) {
		*ns = clock_real_ns();
		return 0;
	}
	if (ts->tv_nsec < 0 || ts->tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (__builtin_mul_overflow(ts->tv_sec, NSEC_PER_SEC, ns) ||
	    __builtin_add_overflow(*ns, ts->tv_nsec, ns))
		*ns = ts->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return 0;
}

/*
 * ts[0] access, ts[1] modification; NULL: both now.  Only that needs no more
 * than permission to write.
 */
static int
utime_attr(const struct __kernel_timespec *ts, struct vfs_attr *attr)
{
	int error;

	*attr = (struct vfs_attr){ 0 };
	if (ts == NULL ||
	    (ts[0].tv_nsec == UTIME_IS_NOW && ts[1].tv_nsec == UTIME_IS_NOW)) {
		attr->valid = ATTR_ATIME_NOW | ATTR_MTIME_NOW;
		return 0;
	}
	error = utime_one(&ts[0], ATTR_ATIME, attr, &attr->atime_ns);
	if (error == 0)
		error = utime_one(&ts[1], ATTR_MTIME, attr, &attr->mtime_ns);
	return error;
}

static long
utime_at(int dirfd, uaddr_t uname, const struct __kernel_timespec *ts,
    unsigned flags)
{
	unsigned walk = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : WALK_FOLLOW;
	struct vfs_attr attr;
	int error;

	/* Nothing to do succeeds before anything is looked at. */
	if (ts != NULL && ts[0].tv_nsec == UTIME_IS_OMIT &&
	    ts[1].tv_nsec == UTIME_IS_OMIT)
		return 0;
	error = utime_attr(ts, &attr);
	if (error != 0)
		return error;
	if (uname == 0 && dirfd != AT_FDCWD)
		return flags != 0 ? -EINVAL : setattr_fd(fd_get(dirfd), &attr);
	if ((flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
		return -EINVAL;
	if ((flags & AT_EMPTY_PATH) != 0)
		walk |= WALK_EMPTY;
	return setattr_at(dirfd, uname, walk, &attr);
}

long
sys_utimensat(int dirfd, uaddr_t uname, uaddr_t utimes, unsigned flags)
{
	struct __kernel_timespec ts[2];

	if (utimes != 0 && copyin(ts, utimes, sizeof(ts)) != 0)
		return -EFAULT;
	return utime_at(dirfd, uname, utimes != 0 ? ts : NULL, flags);
}

long
sys_futimesat(int dirfd, uaddr_t uname, uaddr_t utimes)
{
	struct __kernel_timespec ts[2];
	struct {
		int64_t sec, usec;
	} tv[2];
	unsigned i;

	if (utimes == 0)
		return utime_at(dirfd, uname, NULL, 0);
	if (copyin(tv, utimes, sizeof(tv)) != 0)
		return -EFAULT;
	for (i = 0; i < 2; i++) {
		if (tv[i].usec < 0 || tv[i].usec >= 1000000)
			return -EINVAL;
		ts[i].tv_sec = tv[i].sec;
		ts[i].tv_nsec = tv[i].usec * 1000;
	}
	return utime_at(dirfd, uname, ts, 0);
}

long
sys_utimes(uaddr_t uname, uaddr_t utimes)
{
	return sys_futimesat(AT_FDCWD, uname, utimes);
}

long
sys_utime(uaddr_t uname, uaddr_t utimes)
{
	struct __kernel_timespec ts[2] = { 0 };
	struct utimbuf tb;

	if (utimes == 0)
		return utime_at(AT_FDCWD, uname, NULL, 0);
	if (copyin(&tb, utimes, sizeof(tb)) != 0)
		return -EFAULT;
	ts[0].tv_sec = tb.actime;
	ts[1].tv_sec = tb.modtime;
	return utime_at(AT_FDCWD, uname, ts, 0);
}

/* ------------------------------------------------- extended attributes -- */

/* The name of an attribute: -EFAULT, -ERANGE (empty or too long). */
static int
xattr_check_key(uaddr_t key)
{
	char name[XATTR_NAME_MAX + 1];
	long len = copyinstr(name, key, sizeof(name));

	if (len == -ENAMETOOLONG || len == 0)
		return -ERANGE;
	return len < 0 ? (int)len : 0;
}

static int
xattr_check_value(uaddr_t value, uint64_t size, int flags)
{
	char byte;

	if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0)
		return -EINVAL;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	if (size != 0 &&
	    (copyin(&byte, value, 1) != 0 ||
		copyin(&byte, value + size - 1, 1) != 0))
		return -EFAULT;
	return 0;
}

/* The answer once the file is found: there is no such thing here. */
static long
xattr_absent(int dirfd, uaddr_t uname, unsigned walk)
{
	struct at_name at;
	struct path p;
	int error;

	error = at_name_walk(&at, dirfd, uname, walk, &p);
	if (error != 0)
		return error;
	path_put(&p);
	at_name_put(&at);
	return -EOPNOTSUPP;
}

static long
xattr_absent_fd(int fd)
{
	struct fdref ref = fd_get(fd);

	if (ref.file == NULL)
		return -EBADF;
	fd_put(ref);
	return -EOPNOTSUPP;
}

long
sys_getxattr(uaddr_t name, uaddr_t key, uaddr_t value, uint64_t size)
{
	long error = xattr_check_key(key);

	(void)value;
	(void)size;
	return error != 0 ? error : xattr_absent(AT_FDCWD, name, WALK_FOLLOW);
}

long
sys_lgetxattr(uaddr_t name, uaddr_t key, uaddr_t value, uint64_t size)
{
	long error = xattr_check_key(key);

	(void)value;
	(void)size;
	return error != 0 ? error : xattr_absent(AT_FDCWD, name, 0);
}

long
sys_fgetxattr(int fd, uaddr_t key, uaddr_t value, uint64_t size)
{
	long error = xattr_check_key(key);

	(void)value;
	(void)size;
	return error != 0 ? error : xattr_absent_fd(fd);
}

long
sys_setxattr(uaddr_t name, uaddr_t key, uaddr_t value, uint64_t size, int flags)
{
	long error = xattr_check_value(value, size, flags);

	return error != 0 ? error : sys_getxattr(name, key, 0, 0);
}

long
sys_lsetxattr(uaddr_t name, uaddr_t key, uaddr_t value, uint64_t size,
    int flags)
{
	long error = xattr_check_value(value, size, flags);

	return error != 0 ? error : sys_lgetxattr(name, key, 0, 0);
}

long
sys_fsetxattr(int fd, uaddr_t key, uaddr_t value, uint64_t size, int flags)
{
	long error = xattr_check_value(value, size, flags);

	return error != 0 ? error : sys_fgetxattr(fd, key, 0, 0);
}

/* A list may be empty: that is no error. */
static long
xattr_list(long error)
{
	return error == -EOPNOTSUPP ? 0 : error;
}

long
sys_listxattr(uaddr_t name, uaddr_t list, uint64_t size)
{
	(void)list;
	(void)size;
	return xattr_list(xattr_absent(AT_FDCWD, name, WALK_FOLLOW));
}

long
sys_llistxattr(uaddr_t name, uaddr_t list, uint64_t size)
{
	(void)list;
	(void)size;
	return xattr_list(xattr_absent(AT_FDCWD, name, 0));
}

long
sys_flistxattr(int fd, uaddr_t list, uint64_t size)
{
	(void)list;
	(void)size;
	return xattr_list(xattr_absent_fd(fd));
}

long
sys_removexattr(uaddr_t name, uaddr_t key)
{
	return sys_getxattr(name, key, 0, 0);
}

long
sys_lremovexattr(uaddr_t name, uaddr_t key)
{
	return sys_lgetxattr(name, key, 0, 0);
}

long
sys_fremovexattr(int fd, uaddr_t key)
{
	return sys_fgetxattr(fd, key, 0, 0);
}

/* ---- chattr(1), lsattr(1) ---- */

static const struct {
	uint32_t inode, uapi;
} flag_names[] = {
	{ INODE_IMMUTABLE, FS_IMMUTABLE_FL },
	{ INODE_APPEND, FS_APPEND_FL },
	{ INODE_NOATIME, FS_NOATIME_FL },
	{ INODE_NODUMP, FS_NODUMP_FL },
};

static int
get_inode_flags(struct file *file, uaddr_t arg)
{
	uint32_t flags, told = 0;
	int error = vfs_get_flags(file->inode, &flags);
	unsigned i;

	if (error != 0)
		return error;
	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if ((flags & flag_names[i].inode) != 0)
			told |= flag_names[i].uapi;
	return copyout(arg, &told, sizeof(told));
}

static int
set_inode_flags(struct file *file, uaddr_t arg)
{
	uint32_t asked, flags = 0;
	struct fs_ctx ctx;
	unsigned i;
	int error;

	if (copyin(&asked, arg, sizeof(asked)) != 0)
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if ((asked & flag_names[i].uapi) != 0) {
			flags |= flag_names[i].inode;
			asked &= ~flag_names[i].uapi;
		}
	if (asked != 0)
		return -EOPNOTSUPP;
	fs_ctx_get(&ctx);
	error = vfs_set_flags(&ctx.vfs, &file->path, flags);
	fs_ctx_put(&ctx);
	return error;
}

long
ioctl_inode_flags(struct file *file, unsigned cmd, uaddr_t arg)
{
	const struct inode *inode = file->inode;

	if (!inode->ops->keeps_flags || file->path.dentry == NULL)
		return file->ops->ioctl == NULL ?
		    -ENOTTY :
		    file->ops->ioctl(file, cmd, arg);
	return cmd == FS_IOC_GETFLAGS ? get_inode_flags(file, arg) :
					set_inode_flags(file, arg);
}
