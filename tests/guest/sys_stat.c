/* SPDX-License-Identifier: ISC */
/*
 * sys_stat.c - what files are, and changes of that: stat(2), statx(2),
 * statfs(2), chmod(2), chown(2), utimensat(2), getxattr(2).  Root or not.
 */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <utime.h>

#define BAD         ((void *)8)
#define STATX_BASIC 0x7ff

static char dir[] = "/tmp/sys_stat.XXXXXX";
static char longname[300];
static bool root;

/* struct statx, as the kernel has it: not every C library does. */
struct sx_time {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};
struct sx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	struct sx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t more[14];
};

static long
sx(int fd, const char *name, int flags, unsigned mask, struct sx *out)
{
	return syscall(SYS_statx, fd, name, flags, mask, out);
}

static void
stats(int fd)
{
	struct stat a, b;
	struct sx x;

	CHECK_RET(write(fd, "12345", 5), 5);
	CHECK_RET(stat("f", &a), 0);
	CHECK_RET(fstat(fd, &b), 0);
	CHECK_MEM(&a, &b, sizeof(a));
	CHECK_RET(a.st_mode, S_IFREG | 0640);
	CHECK_RET(a.st_size, 5);
	CHECK_RET(a.st_nlink, 1);
	CHECK_RET(a.st_uid, geteuid());
	CHECK(a.st_ino != 0 && a.st_dev != 0 && a.st_blksize >= 512);
	CHECK_RET(lstat("l", &b), 0);
	CHECK(S_ISLNK(b.st_mode));
	CHECK_RET(stat("l", &b), 0);
	CHECK_RET(a.st_ino, b.st_ino);
	CHECK_RET(fstatat(AT_FDCWD, "l", &b, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISLNK(b.st_mode));
	CHECK_RET(syscall(SYS_newfstatat, fd, "", &b, AT_EMPTY_PATH), 0);
	CHECK_RET(a.st_ino, b.st_ino);
	CHECK_ERR(syscall(SYS_newfstatat, fd, "", &b, 0), ENOENT);
	CHECK_ERR(fstatat(AT_FDCWD, "f", &b, 1), EINVAL);
	CHECK_ERR(fstatat(fd, "f", &b, 0), ENOTDIR);
	CHECK_ERR(fstatat(99, "f", &b, 0), EBADF);
	CHECK_ERR(stat("none", &b), ENOENT);
	CHECK_ERR(stat("", &b), ENOENT);
	CHECK_ERR(stat("f/", &b), ENOTDIR);
	CHECK_ERR(stat("f/x", &b), ENOTDIR);
	CHECK_ERR(stat(longname, &b), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_stat, "f", BAD), EFAULT);
	CHECK_ERR(syscall(SYS_stat, BAD, &b), EFAULT);
	CHECK_ERR(syscall(SYS_fstat, fd, BAD), EFAULT);
	CHECK_ERR(syscall(SYS_fstat, -1, &b), EBADF);
	CHECK_RET(stat("/dev/null", &b), 0);
	CHECK(S_ISCHR(b.st_mode) && major(b.st_rdev) == 1 &&
	    minor(b.st_rdev) == 3);
	CHECK_RET(sx(AT_FDCWD, "f", 0, STATX_BASIC, &x), 0);
	CHECK_RET(x.mask & STATX_BASIC, STATX_BASIC);
	CHECK(x.ino == a.st_ino && x.size == 5 && x.mode == a.st_mode &&
	    x.mtime.sec == a.st_mtim.tv_sec &&
	    x.mtime.nsec == a.st_mtim.tv_nsec &&
	    makedev(x.dev_major, x.dev_minor) == a.st_dev);
	CHECK_RET(sx(fd, "", AT_EMPTY_PATH, STATX_BASIC, &x), 0);
	CHECK_RET(x.ino, a.st_ino);
	CHECK_ERR(sx(AT_FDCWD, "f", 0, 0x80000000, &x), EINVAL);
	CHECK_ERR(sx(AT_FDCWD, "f", 0x6000, STATX_BASIC, &x), EINVAL);
	CHECK_ERR(sx(AT_FDCWD, "f", 1, STATX_BASIC, &x), EINVAL);
	CHECK_ERR(sx(AT_FDCWD, "none", 0, STATX_BASIC, &x), ENOENT);
	CHECK_ERR(sx(AT_FDCWD, "f", 0, STATX_BASIC, BAD), EFAULT);
}

static void
file_systems(int fd)
{
	struct statfs a, b;

	CHECK_RET(statfs("f", &a), 0);
	CHECK_RET(fstatfs(fd, &b), 0);
	CHECK(a.f_type == b.f_type && a.f_bsize == b.f_bsize &&
	    a.f_namelen == 255 && a.f_bsize >= 512);
	CHECK_ERR(statfs("none", &a), ENOENT);
	CHECK_ERR(statfs("f/x", &a), ENOTDIR);
	CHECK_ERR(syscall(SYS_statfs, "f", BAD), EFAULT);
	CHECK_ERR(syscall(SYS_statfs, BAD, &a), EFAULT);
	CHECK_ERR(fstatfs(-1, &a), EBADF);
	CHECK_ERR(syscall(SYS_fstatfs, fd, BAD), EFAULT);
}

static void
modes(int fd)
{
	struct stat st;

	CHECK_RET(chmod("f", 0600), 0);
	CHECK_RET(fchmod(fd, 0751), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_mode, S_IFREG | 0751);
	CHECK_RET(fchmodat(AT_FDCWD, "l", 04700, 0), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_mode, S_IFREG | 04700);
	CHECK_RET(pwrite(fd, "x", 1, 0), 1);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_mode, S_IFREG | (root ? 04700 : 0700));
	CHECK_RET(chmod("f", 0640), 0);
	CHECK_ERR(chmod("none", 0600), ENOENT);
	CHECK_ERR(chmod("f/x", 0600), ENOTDIR);
	CHECK_ERR(chmod(longname, 0600), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_chmod, BAD, 0600), EFAULT);
	CHECK_ERR(fchmod(-1, 0600), EBADF);
	CHECK_ERR(syscall(SYS_fchmodat, 99, "f", 0600), EBADF);
	if (!root)
		CHECK_ERR(chmod("/", 0755), EPERM);
}

static void
owners(int fd)
{
	struct stat st;
	uid_t me = geteuid();
	gid_t mine = getegid();

	CHECK_RET(chown("f", (uid_t)-1, (gid_t)-1), 0);
	CHECK_RET(chown("f", me, mine), 0);
	CHECK_RET(lchown("l", me, mine), 0);
	CHECK_RET(fchown(fd, me, (gid_t)-1), 0);
	CHECK_ERR(chown("none", me, mine), ENOENT);
	CHECK_ERR(chown("f/x", me, mine), ENOTDIR);
	CHECK_ERR(chown(longname, me, mine), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_chown, BAD, me, mine), EFAULT);
	CHECK_ERR(fchown(-1, me, mine), EBADF);
	CHECK_ERR(fchownat(AT_FDCWD, "f", me, mine, 1), EINVAL);
	CHECK_ERR(fchownat(99, "f", me, mine, 0), EBADF);
	if (root) {
		CHECK_RET(chown("f", 1234, 4321), 0);
		CHECK_RET(fstat(fd, &st), 0);
		CHECK(st.st_uid == 1234 && st.st_gid == 4321);
		CHECK_RET(lchown("l", 77, 78), 0);
		CHECK_RET(lstat("l", &st), 0);
		CHECK(st.st_uid == 77 && st.st_gid == 78);
		CHECK_RET(chmod("f", 06755), 0);
		CHECK_RET(chown("f", me, mine), 0);
		CHECK_RET(fstat(fd, &st), 0);
		CHECK_RET(st.st_mode, S_IFREG | 0755);
	} else {
		CHECK_ERR(chown("f", 1234, (gid_t)-1), EPERM);
		CHECK_ERR(chown("/", me, mine), EPERM);
	}
}

static void
times(int fd)
{
	struct timespec ts[2] = { { 1000, 5 }, { 2000, 6 } };
	struct timeval tv[2] = { { 3000, 7 }, { 4000, 8 } };
	struct utimbuf ub = { 5000, 6000 };
	struct stat st;
	time_t now = time(NULL);

	CHECK_RET(utimensat(AT_FDCWD, "f", ts, 0), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 5 &&
	    st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 6);
	CHECK(st.st_ctim.tv_sec >= now - 2);
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_nsec = UTIME_NOW;
	CHECK_RET(futimens(fd, ts), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK(st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec >= now - 2);
	CHECK_RET(utimes("f", tv), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK(st.st_atim.tv_sec == 3000 && st.st_mtim.tv_nsec == 8000);
	CHECK_RET(utime("f", &ub), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK(st.st_atim.tv_sec == 5000 && st.st_mtim.tv_sec == 6000);
	CHECK_RET(utime("f", NULL), 0);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK(st.st_atim.tv_sec >= now - 2 && st.st_mtim.tv_sec >= now - 2);
	ts[0] = ts[1] = (struct timespec){ 9, 9 };
	CHECK_RET(utimensat(AT_FDCWD, "l", ts, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_RET(lstat("l", &st), 0);
	CHECK_RET(st.st_mtim.tv_sec, 9);
	ts[0].tv_nsec = -1;
	CHECK_ERR(utimensat(AT_FDCWD, "f", ts, 0), EINVAL);
	ts[0].tv_nsec = 1000000000;
	CHECK_ERR(utimensat(AT_FDCWD, "f", ts, 0), EINVAL);
	CHECK_ERR(utimensat(AT_FDCWD, "f", NULL, 1), EINVAL);
	CHECK_ERR(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
	CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "f", BAD, 0), EFAULT);
	CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0), EFAULT);
	CHECK_ERR(syscall(SYS_utimensat, -1, NULL, NULL, 0), EBADF);
	ts[0].tv_nsec = ts[1].tv_nsec = UTIME_OMIT;
	CHECK_RET(utimensat(AT_FDCWD, "none", ts, 0), 0);
	tv[0].tv_usec = 1000000;
	CHECK_ERR(utimes("f", tv), EINVAL);
	CHECK_ERR(utimes("none", NULL), ENOENT);
	CHECK_ERR(syscall(SYS_utime, "f", BAD), EFAULT);
	CHECK_ERR(syscall(SYS_futimesat, 99, "f", NULL), EBADF);
}

static void
attributes(int fd)
{
	char value[8];

	CHECK(getxattr("f", "user.x", value, 8) == -1 &&
	    (errno == ENODATA || errno == EOPNOTSUPP));
	CHECK(fgetxattr(fd, "user.x", value, 8) == -1 &&
	    (errno == ENODATA || errno == EOPNOTSUPP));
	CHECK(removexattr("f", "user.x") == -1 &&
	    (errno == ENODATA || errno == EOPNOTSUPP));
	CHECK_ERR(getxattr("none", "user.x", value, 8), ENOENT);
	CHECK_ERR(fgetxattr(-1, "user.x", value, 8), EBADF);
	CHECK_ERR(syscall(SYS_getxattr, "f", BAD, value, 8), EFAULT);
	CHECK_ERR(getxattr("f", "", value, 8), ERANGE);
	CHECK_ERR(setxattr("f", "user.x", value, 8, 9), EINVAL);
	CHECK_ERR(syscall(SYS_setxattr, "f", "user.x", value, 1 << 20, 0),
	    E2BIG);
	CHECK_ERR(listxattr("none", value, 8), ENOENT);
	CHECK_ERR(flistxattr(-1, value, 8), EBADF);
}

int
main(void)
{
	int fd;

	root = geteuid() == 0;
	memset(longname, 'n', sizeof(longname) - 1);
	mkdir("/tmp", 01777);
	umask(0);
	REQUIRE(mkdtemp(dir) != NULL);
	REQUIRE(chdir(dir) == 0);
	REQUIRE((fd = open("f", O_RDWR | O_CREAT, 0640)) >= 0);
	REQUIRE(symlink("f", "l") == 0);
	stats(fd);
	file_systems(fd);
	modes(fd);
	owners(fd);
	times(fd);
	attributes(fd);
	CHECK_RET(unlink("f") + unlink("l"), 0);
	CHECK_RET(chdir("/"), 0);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
