/* SPDX-License-Identifier: ISC */
/*
 * sys_path.c - names: open(2), mkdir(2), link(2), unlink(2), rename(2),
 * symlink(2), readlink(2), mknod(2), chdir(2), getcwd(2), access(2).
 * Runs as root or not.
 */
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define BAD ((char *)8)
/* openat2(2): not every C library's headers have it. */
struct open_how_ {
	uint64_t flags, mode, resolve;
};
#define RESOLVE_NO_SYMLINKS 0x04
#define RESOLVE_BENEATH     0x08
#define RESOLVE_IN_ROOT     0x10

#define RENAME_NOREPLACE_ 1
#define RENAME_EXCHANGE_  2

static char dir[] = "/tmp/sys_path.XXXXXX";
static char longname[300], longpath[5000], buf[5000];

static void
touch(const char *name)
{
	close(open(name, O_WRONLY | O_CREAT, 0644));
}

static void
opening(void)
{
	struct stat st;
	int fd;

	umask(022);
	fd = (int)CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0666));
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_mode, S_IFREG | 0644);
	CHECK_RET(st.st_uid, geteuid());
	CHECK_RET(st.st_nlink, 1);
	CHECK_RET(write(fd, "abc", 3), 3);
	CHECK_RET(close(fd), 0);
	CHECK_ERR(open("f", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
	CHECK_ERR(open("none", O_RDONLY), ENOENT);
	CHECK_ERR(open("", O_RDONLY), ENOENT);
	CHECK_ERR(open("none/x", O_RDWR | O_CREAT, 0600), ENOENT);
	CHECK_ERR(open("f/x", O_RDONLY), ENOTDIR);
	CHECK_ERR(open("f/", O_RDONLY), ENOTDIR);
	CHECK_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERR(open(".", O_WRONLY), EISDIR);
	CHECK_ERR(open(".", O_RDWR), EISDIR);
	CHECK_ERR(open("new/", O_RDWR | O_CREAT, 0600), EISDIR);
	CHECK_ERR(open(".", O_RDONLY | O_CREAT, 0600), EISDIR);
	CHECK_ERR(open(longname, O_RDONLY), ENAMETOOLONG);
	CHECK_ERR(open(longpath, O_RDONLY), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_open, BAD, O_RDONLY), EFAULT);
	CHECK_ERR(openat(-5, "f", O_RDONLY), EBADF);
	CHECK_OK(fd = openat(-5, "/", O_RDONLY));
	CHECK_ERR(openat(0x7fff, "f", O_RDONLY), EBADF);
	close(fd);
	fd = open("f", O_RDONLY);
	CHECK_ERR(openat(fd, "x", O_RDONLY), ENOTDIR);
	close(fd);
	fd = open("f", O_WRONLY | O_TRUNC);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_size, 0);
	close(fd);
	fd = (int)CHECK_OK(creat("c", 0640));
	CHECK_ERR(read(fd, buf, 1), EBADF);
	close(fd);
	CHECK_RET(unlink("c"), 0);
}

/* Of "f", which opening() left. */
static void
opening_links(void)
{
	struct stat st;
	int fd;

	CHECK_RET(symlink("f", "l"), 0);
	CHECK_ERR(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = (int)CHECK_OK(open("l", O_PATH | O_NOFOLLOW));
	CHECK_RET(fstat(fd, &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_RET(readlinkat(fd, "", buf, sizeof(buf)), 1);
	close(fd);
	fd = (int)CHECK_OK(open("l", O_RDONLY));
	close(fd);
	CHECK_RET(symlink("loop", "loop"), 0);
	CHECK_ERR(open("loop", O_RDONLY), ELOOP);
	CHECK_RET(symlink("made", "dangling"), 0);
	CHECK_ERR(open("dangling", O_RDONLY), ENOENT);
	CHECK_ERR(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	fd = (int)CHECK_OK(open("dangling", O_RDWR | O_CREAT, 0600));
	close(fd);
	CHECK_RET(access("made", F_OK), 0);
	CHECK_RET(unlink("made"), 0);
	CHECK_RET(unlink("dangling"), 0);
	CHECK_RET(unlink("loop"), 0);
	CHECK_RET(unlink("l"), 0);
}

/* The last with "f". */
static void
opening_unnamed(void)
{
	struct stat st;
	int fd;

	fd = (int)CHECK_OK(open(".", O_TMPFILE | O_RDWR, 0600));
	if (fd >= 0) {
		CHECK_RET(fstat(fd, &st), 0);
		CHECK_RET(st.st_nlink, 0);
		CHECK_RET(write(fd, "x", 1), 1);
		close(fd);
	}
	CHECK_ERR(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	CHECK_ERR(open("f", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
	CHECK_RET(unlink("f"), 0);
}

static long
openat2_(const char *name, uint64_t flags, uint64_t mode, uint64_t resolve,
    size_t size)
{
	struct {
		struct open_how_ how;
		uint64_t more;
	} h = { { flags, mode, resolve }, 0 };
	long fd = syscall(SYS_openat2, AT_FDCWD, name, &h, size);

	if (fd > 2)
		close((int)fd);
	return fd;
}

static void
opening_how(void)
{
	CHECK_RET(mkdir("d", 0755), 0);
	touch("d/f");
	CHECK_RET(symlink("d", "ld"), 0);
	CHECK_OK(openat2_("d/f", O_RDONLY, 0, 0, 24));
	CHECK_OK(openat2_("d/f", O_RDONLY, 0, 0, 32));
	CHECK_ERR(openat2_("d/f", O_RDONLY, 0, 0, 23), EINVAL);
	CHECK_ERR(openat2_("d/f", O_RDONLY, 0600, 0, 24), EINVAL);
	CHECK_ERR(openat2_("d/f", O_CREAT, 010000, 0, 24), EINVAL);
	CHECK_ERR(openat2_("d/f", 1ull << 40, 0, 0, 24), EINVAL);
	CHECK_ERR(openat2_("d/f", 0, 0, 0x100, 24), EINVAL);
	CHECK_ERR(openat2_("ld/f", 0, 0, RESOLVE_NO_SYMLINKS, 24), ELOOP);
	CHECK_ERR(openat2_("/", 0, 0, RESOLVE_BENEATH, 24), EXDEV);
	CHECK_ERR(openat2_("d/../..", 0, 0, RESOLVE_BENEATH, 24), EXDEV);
	CHECK_OK(openat2_("d/../d", 0, 0, RESOLVE_BENEATH, 24));
	CHECK_OK(openat2_("/d/f", 0, 0, RESOLVE_IN_ROOT, 24));
	CHECK_OK(openat2_("/../../d/f", 0, 0, RESOLVE_IN_ROOT, 24));
	CHECK_ERR(openat2_("/dev/null", 0, 0, RESOLVE_IN_ROOT, 24), ENOENT);
	CHECK_RET(unlink("ld"), 0);
	CHECK_RET(unlink("d/f"), 0);
	CHECK_RET(rmdir("d"), 0);
}

static void
directories(void)
{
	struct stat st;

	CHECK_RET(mkdir("d", 0777), 0);
	CHECK_RET(stat("d", &st), 0);
	CHECK_RET(st.st_mode & ~S_ISGID, S_IFDIR | 0755);
	CHECK_ERR(mkdir("d", 0777), EEXIST);
	CHECK_ERR(mkdir(".", 0777), EEXIST);
	CHECK_ERR(mkdir("/", 0777), EEXIST);
	CHECK_ERR(mkdir("", 0777), ENOENT);
	CHECK_ERR(mkdir("none/d", 0777), ENOENT);
	CHECK_ERR(mkdir(longname, 0777), ENAMETOOLONG);
	CHECK_ERR(mkdir(longpath, 0777), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_mkdir, BAD, 0777), EFAULT);
	CHECK_ERR(mkdirat(-5, "x", 0777), EBADF);
	CHECK_RET(mkdir("d/e/", 0777), 0);
	touch("f");
	CHECK_ERR(mkdir("f/d", 0777), ENOTDIR);
	CHECK_ERR(mkdir("f", 0777), EEXIST);
	CHECK_ERR(rmdir("d"), ENOTEMPTY);
	CHECK_ERR(rmdir("f"), ENOTDIR);
	CHECK_ERR(rmdir("none"), ENOENT);
	CHECK_ERR(rmdir("d/."), EINVAL);
	CHECK_ERR(rmdir("d/e/.."), ENOTEMPTY);
	CHECK_ERR(rmdir("/"), EBUSY);
	CHECK_ERR(rmdir(longname), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_rmdir, BAD), EFAULT);
	CHECK(unlink("d") == -1 && (errno == EISDIR || errno == EPERM));
	CHECK_ERR(unlink("none"), ENOENT);
	CHECK_ERR(unlink("f/"), ENOTDIR);
	CHECK_ERR(unlink("f/x"), ENOTDIR);
	CHECK_ERR(unlink(""), ENOENT);
	CHECK_ERR(unlink(longname), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_unlink, BAD), EFAULT);
	CHECK_ERR(unlinkat(AT_FDCWD, "f", 1), EINVAL);
	CHECK_ERR(unlinkat(-5, "f", 0), EBADF);
	CHECK_ERR(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
	CHECK_RET(unlinkat(AT_FDCWD, "d/e", AT_REMOVEDIR), 0);
	CHECK_RET(unlink("f"), 0);
	CHECK_RET(rmdir("d/"), 0);
}

static void
links(void)
{
	struct stat st;
	int fd;

	touch("f");
	CHECK_RET(mkdir("d", 0755), 0);
	CHECK_RET(link("f", "g"), 0);
	CHECK_RET(stat("g", &st), 0);
	CHECK_RET(st.st_nlink, 2);
	CHECK_ERR(link("f", "g"), EEXIST);
	CHECK_ERR(link("none", "h"), ENOENT);
	CHECK_ERR(link("f", "none/h"), ENOENT);
	CHECK_ERR(link("d", "h"), EPERM);
	CHECK_ERR(link("f/x", "h"), ENOTDIR);
	CHECK_ERR(link("f", longname), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_link, BAD, "h"), EFAULT);
	CHECK_ERR(syscall(SYS_link, "f", BAD), EFAULT);
	CHECK_ERR(linkat(AT_FDCWD, "f", AT_FDCWD, "h", 1), EINVAL);
	CHECK_ERR(linkat(-5, "f", AT_FDCWD, "h", 0), EBADF);
	CHECK_RET(unlink("f"), 0);
	CHECK_RET(stat("g", &st), 0);
	CHECK_RET(st.st_nlink, 1);
	CHECK_RET(symlink("target", "s"), 0);
	CHECK_ERR(symlink("target", "s"), EEXIST);
	CHECK_ERR(symlink("", "t"), ENOENT);
	CHECK_ERR(symlink("x", ""), ENOENT);
	CHECK_ERR(symlink("x", "none/t"), ENOENT);
	CHECK_ERR(symlink(longpath, "t"), ENAMETOOLONG);
	CHECK_ERR(symlink("x", longname), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_symlink, BAD, "t"), EFAULT);
	CHECK_RET(lstat("s", &st), 0);
	CHECK_RET(st.st_mode, S_IFLNK | 0777);
	CHECK_RET(st.st_size, 6);
	CHECK_RET(readlink("s", buf, sizeof(buf)), 6);
	CHECK_MEM(buf, "target", 6);
	CHECK_RET(readlink("s", buf, 3), 3);
	CHECK_ERR(readlink("g", buf, 3), EINVAL);
	CHECK_ERR(readlink("none", buf, 3), ENOENT);
	CHECK_ERR(readlink("g/x", buf, 3), ENOTDIR);
	CHECK_ERR(syscall(SYS_readlink, "s", buf, 0), EINVAL);
	CHECK_ERR(syscall(SYS_readlink, "s", BAD, 9), EFAULT);
	CHECK_ERR(readlinkat(-5, "s", buf, 9), EBADF);
	CHECK_RET(linkat(AT_FDCWD, "s", AT_FDCWD, "s2", 0), 0);
	CHECK_RET(lstat("s2", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_ERR(linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW),
	    ENOENT);
	CHECK_RET(unlink("s2"), 0);
	CHECK_RET(unlink("s"), 0);
	/* A file that is open outlives its last name. */
	fd = open("g", O_RDWR);
	CHECK_RET(unlink("g"), 0);
	CHECK_RET(write(fd, "z", 1), 1);
	CHECK_RET(fstat(fd, &st), 0);
	CHECK_RET(st.st_nlink, 0);
	CHECK_RET(close(fd), 0);
	CHECK_RET(rmdir("d"), 0);
}

static long
rename2(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void
renaming(void)
{
	struct stat a, b;

	touch("f");
	touch("g");
	mkdir("d", 0755);
	mkdir("e", 0755);
	mkdir("d/in", 0755);
	CHECK_RET(stat("f", &a), 0);
	CHECK_RET(rename("f", "g"), 0);
	CHECK_RET(stat("g", &b), 0);
	CHECK_RET(b.st_ino, a.st_ino);
	CHECK_ERR(stat("f", &b), ENOENT);
	CHECK_RET(rename("g", "g"), 0);
	CHECK_ERR(rename("f", "h"), ENOENT);
	CHECK_ERR(rename("", "h"), ENOENT);
	CHECK_ERR(rename("g", "none/h"), ENOENT);
	CHECK_ERR(rename("g", "d"), EISDIR);
	CHECK_ERR(rename("d", "g"), ENOTDIR);
	CHECK_ERR(rename("e", "d"), ENOTEMPTY);
	CHECK_ERR(rename("d", "d/in/x"), EINVAL);
	CHECK_ERR(rename("d/in", "d"), ENOTEMPTY);
	CHECK_ERR(rename("g/", "h"), ENOTDIR);
	CHECK_ERR(rename("g", "h/"), ENOTDIR);
	CHECK_ERR(rename(".", "h"), EBUSY);
	CHECK_ERR(rename("d/..", "h"), EBUSY);
	CHECK_ERR(rename("g", longname), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_rename, BAD, "h"), EFAULT);
	CHECK_ERR(syscall(SYS_rename, "g", BAD), EFAULT);
	CHECK_ERR(renameat(-5, "g", AT_FDCWD, "h"), EBADF);
	CHECK_RET(rename("d", "e"), 0); /* an empty directory gives way */
	CHECK_RET(access("e/in", F_OK), 0);
	CHECK_RET(rename("e/in", "d"), 0);
	CHECK_RET(stat("e", &a), 0);
	CHECK_RET(a.st_nlink, 2);
	CHECK_RET(rename("d", "e/d"), 0);
	CHECK_RET(stat("e/d/..", &b), 0);
	CHECK_RET(b.st_ino, a.st_ino);
	touch("f");
	CHECK_ERR(rename2("f", "g", RENAME_NOREPLACE_), EEXIST);
	CHECK_RET(rename2("f", "h", RENAME_NOREPLACE_), 0);
	CHECK_ERR(rename2("h", "i", 0x80), EINVAL);
	CHECK_ERR(rename2("h", "g", RENAME_NOREPLACE_ | RENAME_EXCHANGE_),
	    EINVAL);
	CHECK_ERR(rename2("h", "i", RENAME_EXCHANGE_), ENOENT);
	CHECK_RET(stat("h", &a), 0);
	CHECK_RET(rename2("h", "e", RENAME_EXCHANGE_), 0);
	CHECK_RET(stat("e", &b), 0);
	CHECK_RET(b.st_ino, a.st_ino);
	CHECK_RET(access("h/d", F_OK), 0);
	CHECK_RET(rmdir("h/d"), 0);
	CHECK_RET(rmdir("h"), 0);
	CHECK_RET(unlink("e"), 0);
	CHECK_RET(unlink("g"), 0);
	/* Two names of one file: nothing happens. */
	touch("a");
	CHECK_RET(link("a", "b"), 0);
	CHECK_RET(rename("a", "b"), 0);
	CHECK_RET(access("a", F_OK), 0);
	CHECK_RET(unlink("a"), 0);
	CHECK_RET(unlink("b"), 0);
}

static void
nodes(void)
{
	struct stat st;

	CHECK_RET(mknod("fifo", S_IFIFO | 0600, 0), 0);
	CHECK_RET(stat("fifo", &st), 0);
	CHECK_RET(st.st_mode, S_IFIFO | 0600);
	CHECK_ERR(mknod("fifo", S_IFIFO | 0600, 0), EEXIST);
	CHECK_RET(mknod("reg", 0600, 0), 0);
	CHECK_RET(stat("reg", &st), 0);
	CHECK_RET(st.st_mode, S_IFREG | 0600);
	CHECK_ERR(mknod("x", S_IFDIR | 0700, 0), EPERM);
	CHECK_ERR(mknod("x", S_IFLNK | 0700, 0), EINVAL);
	CHECK_ERR(mknod("none/x", S_IFREG | 0700, 0), ENOENT);
	CHECK_ERR(mknod("reg/x", S_IFREG | 0700, 0), ENOTDIR);
	CHECK_ERR(mknod(longname, S_IFREG | 0700, 0), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_mknod, BAD, 0600, 0), EFAULT);
	CHECK_RET(mknod("sock", S_IFSOCK | 0600, 0), 0);
	CHECK_ERR(open("sock", O_RDONLY), ENXIO);
	CHECK_RET(unlink("sock"), 0);
	CHECK_ERR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	CHECK_RET(unlink("fifo"), 0);
	CHECK_RET(unlink("reg"), 0);
}

static void
places(void)
{
	int fd;

	CHECK_RET(mkdir("w", 0755), 0);
	CHECK_RET(chdir("w"), 0);
	CHECK(getcwd(buf, sizeof(buf)) == buf);
	CHECK(strncmp(buf, dir, strlen(dir)) == 0 &&
	    strcmp(buf + strlen(dir), "/w") == 0);
	CHECK_RET(syscall(SYS_getcwd, buf, sizeof(buf)), strlen(dir) + 3);
	CHECK_ERR(syscall(SYS_getcwd, buf, 3), ERANGE);
	CHECK_ERR(syscall(SYS_getcwd, BAD, 100), EFAULT);
	CHECK_ERR(chdir("none"), ENOENT);
	CHECK_ERR(chdir(""), ENOENT);
	CHECK_ERR(chdir(longname), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_chdir, BAD), EFAULT);
	touch("f");
	CHECK_ERR(chdir("f"), ENOTDIR);
	fd = open("f", O_RDONLY);
	CHECK_ERR(fchdir(fd), ENOTDIR);
	close(fd);
	CHECK_ERR(fchdir(-1), EBADF);
	unlink("f");
	fd = open("..", O_PATH);
	CHECK_RET(rmdir("../w"), 0);
	CHECK_ERR(syscall(SYS_getcwd, buf, sizeof(buf)), ENOENT);
	CHECK_ERR(open("x", O_RDWR | O_CREAT, 0600), ENOENT);
	CHECK_ERR(mkdir("x", 0755), ENOENT);
	CHECK_RET(fchdir(fd), 0);
	close(fd);
	CHECK_STR(getcwd(buf, sizeof(buf)), dir);
	CHECK_RET(umask(077), 022);
	CHECK_RET(umask(07777), 077);
	CHECK_RET(umask(022), 0777);
	CHECK_ERR(syscall(SYS_chroot, BAD), geteuid() == 0 ? EFAULT : EFAULT);
	CHECK_ERR(chroot("none"), ENOENT);
}

static void
accessing(void)
{
	int euid_root = geteuid() == 0;

	touch("f");
	CHECK_RET(chmod("f", 0644), 0);
	CHECK_RET(access("f", F_OK), 0);
	CHECK_RET(access("f", R_OK | W_OK), 0);
	CHECK_ERR(access("f", X_OK), EACCES);
	CHECK_RET(chmod("f", 0444), 0);
	if (!euid_root)
		CHECK_ERR(access("f", W_OK), EACCES);
	else
		CHECK_RET(access("f", W_OK), 0);
	CHECK_ERR(access("none", F_OK), ENOENT);
	CHECK_ERR(access("f/x", F_OK), ENOTDIR);
	CHECK_ERR(access("f", 8), EINVAL);
	CHECK_ERR(access(longname, F_OK), ENAMETOOLONG);
	CHECK_ERR(syscall(SYS_access, BAD, 0), EFAULT);
	CHECK_ERR(syscall(SYS_faccessat, -5, "f", 0), EBADF);
	CHECK_RET(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS), 0);
	CHECK_ERR(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 1), EINVAL);
	CHECK_RET(syscall(SYS_faccessat2, AT_FDCWD, "", F_OK, AT_EMPTY_PATH),
	    0);
	CHECK_RET(unlink("f"), 0);
}

int
main(void)
{
	memset(longname, 'n', sizeof(longname) - 1);
	memset(longpath, '/', sizeof(longpath) - 1);
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	REQUIRE(chdir(dir) == 0);
	opening();
	opening_links();
	opening_unnamed();
	opening_how();
	directories();
	links();
	renaming();
	nodes();
	places();
	accessing();
	CHECK_RET(chdir("/"), 0);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
