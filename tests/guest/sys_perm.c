/* SPDX-License-Identifier: ISC */
/*
 * sys_perm.c - who may: permissions, sticky directories, mounts that are read
 * only, other file systems; mount(2), umount2(2), chroot(2).  Run as root it
 * tests all, else what needs no root.
 */
#include "check.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BAD ((void *)8)

static char dir[] = "/tmp/sys_perm.XXXXXX";
static char buf[4096];

static void
make(const char *name, mode_t mode)
{
	close(open(name, O_WRONLY | O_CREAT, 0600));
	chmod(name, mode);
}

static void
become(uid_t uid)
{
	if (setegid(uid) != 0 || seteuid(uid) != 0)
		exit(3);
}

static void
become_root(void)
{
	if (seteuid(0) != 0 || setegid(0) != 0)
		exit(3);
}

static void
make_all(void)
{
	make("none", 0);
	make("read", 0444);
	make("both", 0666);
	make("write", 0222);
	mkdir("closed", 0700);
	make("closed/f", 0666);
	mkdir("listed", 0744);
	make("listed/f", 0666);
	mkdir("sticky", 01777);
	chmod("sticky", 01777);
	make("sticky/f", 0666);
}

static void
strangers(void)
{
	struct stat st;

	make_all();
	become(1000);
	CHECK_ERR(open("none", O_RDONLY), EACCES);
	CHECK_ERR(open("read", O_WRONLY), EACCES);
	CHECK_ERR(open("read", O_RDWR), EACCES);
	CHECK_ERR(open("write", O_RDONLY), EACCES);
	CHECK_ERR(open("read", O_RDONLY | O_TRUNC), EACCES);
	CHECK_ERR(open("read", O_RDONLY | O_NOATIME), EPERM);
	CHECK_RET(close((int)CHECK_OK(open("read", O_RDONLY))), 0);
	CHECK_RET(close((int)CHECK_OK(open("write", O_WRONLY))), 0);
	CHECK_ERR(open("closed/f", O_RDONLY), EACCES);
	CHECK_ERR(stat("closed/f", &st), EACCES);
	CHECK_ERR(open("closed", O_RDONLY), EACCES);
	CHECK_ERR(chdir("closed"), EACCES);
	CHECK_ERR(chdir("listed"), EACCES);
	CHECK_ERR(open("listed/f", O_RDONLY), EACCES);
	CHECK_ERR(open("new", O_WRONLY | O_CREAT, 0600), EACCES);
	CHECK_ERR(mkdir("new", 0700), EACCES);
	CHECK_ERR(unlink("read"), EACCES);
	CHECK_ERR(rmdir("closed"), EACCES);
	CHECK_ERR(rename("read", "new"), EACCES);
	CHECK_ERR(link("both", "new"), EACCES);
	CHECK_ERR(symlink("read", "new"), EACCES);
	CHECK_ERR(unlink("sticky/f"), EPERM);
	CHECK_ERR(rename("sticky/f", "sticky/g"), EPERM);
	CHECK_ERR(truncate("read", 0), EACCES);
	CHECK_ERR(chmod("read", 0777), EPERM);
	CHECK_ERR(chown("read", 1000, 1000), EPERM);
	CHECK_ERR(utimensat(AT_FDCWD, "read", NULL, 0), EACCES);
	CHECK_RET(utimensat(AT_FDCWD, "write", NULL, 0), 0);
	CHECK_ERR(
	    utimensat(AT_FDCWD, "write",
		(struct timespec[2]){ { 0, UTIME_NOW }, { 0, UTIME_OMIT } }, 0),
	    EPERM);
	CHECK_ERR(utimensat(AT_FDCWD, "write",
		      (struct timespec[2]){ { 0, 0 }, { 0, 0 } }, 0),
	    EPERM);
	CHECK_ERR(mknod("sticky/null", S_IFCHR | 0600, 0x103), EPERM);
	CHECK_ERR(chroot("sticky"), EPERM);
	CHECK_ERR(mount("none", "sticky", "tmpfs", 0, ""), EPERM);
	become_root();
}

/* With what make_all() made, which goes at the end. */
static void
strangers_own(void)
{
	struct stat st;

	/* access(2) asks for the real user, faccessat2 may be told not to. */
	become(1000);
	CHECK_RET(access("closed/f", R_OK), 0);
	CHECK_ERR(syscall(439, AT_FDCWD, "closed/f", R_OK, 0x200), EACCES);
	make("sticky/mine", 0600);
	CHECK_RET(stat("sticky/mine", &st), 0);
	CHECK(st.st_uid == 1000 && st.st_gid == 1000);
	CHECK_RET(unlink("sticky/mine"), 0);
	become_root();
	CHECK_RET(unlink("sticky/f") | unlink("closed/f") | unlink("listed/f") |
		rmdir("sticky") | rmdir("closed") | rmdir("listed") |
		unlink("none") | unlink("read") | unlink("both") |
		unlink("write"),
	    0);
}

static void
read_only(void)
{
	CHECK_RET(mkdir("m", 0755), 0);
	CHECK_RET(mount("some", "m", "tmpfs", MS_NOSUID, "size=1m"), 0);
	make("m/f", 0644);
	CHECK_RET(mkdir("m/d", 0755), 0);
	make("f", 0644);
	CHECK_ERR(rename("f", "m/g"), EXDEV);
	CHECK_ERR(link("f", "m/g"), EXDEV);
	CHECK_ERR(rmdir("m"), EBUSY);
	CHECK_ERR(rename("m", "n"), EBUSY);
	CHECK_ERR(mount("x", "m", "nosuchfs", 0, ""), ENODEV);
	CHECK_ERR(mount("x", "none", "tmpfs", 0, ""), ENOENT);
	CHECK_ERR(mount("x", "f", "tmpfs", 0, ""), ENOTDIR);
	CHECK_ERR(syscall(SYS_mount, "x", BAD, "tmpfs", 0, ""), EFAULT);
	CHECK_ERR(mount("x", "m", "tmpfs", 0, "size=rubbish"), EINVAL);
	CHECK_RET(mount("x", "m", NULL, MS_REMOUNT | MS_RDONLY | MS_BIND, ""),
	    0);
	CHECK_ERR(open("m/f", O_WRONLY), EROFS);
	CHECK_ERR(open("m/new", O_WRONLY | O_CREAT, 0600), EROFS);
	CHECK_ERR(unlink("m/f"), EROFS);
	CHECK_ERR(mkdir("m/e", 0700), EROFS);
	CHECK_ERR(mkdir("m/d", 0700), EEXIST);
	CHECK_ERR(rmdir("m/d"), EROFS);
	CHECK_ERR(rename("m/f", "m/g"), EROFS);
	CHECK_ERR(link("m/f", "m/g"), EROFS);
	CHECK_ERR(symlink("x", "m/l"), EROFS);
	CHECK_ERR(chmod("m/f", 0600), EROFS);
	CHECK_ERR(chown("m/f", 1, 1), EROFS);
	CHECK_ERR(truncate("m/f", 0), EROFS);
	CHECK_ERR(utimensat(AT_FDCWD, "m/f", NULL, 0), EROFS);
	CHECK_ERR(access("m/f", W_OK), EROFS);
	CHECK_RET(access("m/f", R_OK), 0);
	CHECK_RET(close((int)CHECK_OK(open("m/f", O_RDONLY))), 0);
	CHECK_RET(unlink("f"), 0);
}

static void
unmounting(void)
{
	int fd = open("m/f", O_RDONLY);

	CHECK_ERR(umount2("m", 0), EBUSY);
	CHECK_RET(close(fd), 0);
	CHECK_ERR(umount2("m", 0x100), EINVAL);
	CHECK_ERR(umount2("m/d", 0), EINVAL);
	CHECK_ERR(umount2("none", 0), ENOENT);
	CHECK_ERR(syscall(SYS_umount2, BAD, 0), EFAULT);
	CHECK_RET(umount2("m", 0), 0);
	CHECK_ERR(umount2("m", 0), EINVAL);
	CHECK_ERR(access("m/f", F_OK), ENOENT);
	CHECK_RET(mount("some", "m", "tmpfs", 0, NULL), 0);
	make("m/f", 0600);
	fd = open("m/f", O_RDWR);
	CHECK_RET(umount2("m", MNT_DETACH), 0);
	CHECK_RET(write(fd, "still", 5), 5);
	CHECK_RET(close(fd), 0);
	CHECK_RET(rmdir("m"), 0);
}

/* A small file system is full at some point. */
static void
full(void)
{
	int fd;
	long n, total = 0;

	CHECK_RET(mkdir("m", 0755), 0);
	CHECK_RET(mount("some", "m", "tmpfs", 0, "size=64k"), 0);
	fd = (int)CHECK_OK(open("m/f", O_RDWR | O_CREAT, 0600));
	while ((n = write(fd, buf, sizeof(buf))) > 0)
		total += n;
	CHECK(n == -1 && errno == ENOSPC);
	CHECK_RET(total, 65536);
	CHECK_RET(ftruncate(fd, 0), 0);
	CHECK_RET(write(fd, buf, sizeof(buf)), sizeof(buf));
	CHECK_ERR(fallocate(fd, 0, 0, 1 << 20), ENOSPC);
	CHECK_RET(close(fd), 0);
	CHECK_RET(umount2("m", 0), 0);
	CHECK_RET(rmdir("m"), 0);
}

static void
other_root(void)
{
	int fd = open(".", O_RDONLY), old = open("/", O_RDONLY);

	CHECK_RET(mkdir("r", 0755), 0);
	CHECK_RET(mkdir("r/in", 0755), 0);
	CHECK_RET(chroot("r"), 0);
	CHECK_RET(chdir("/"), 0);
	CHECK_STR(getcwd(buf, sizeof(buf)), "/");
	CHECK_RET(access("/in", F_OK), 0);
	CHECK_RET(access("/../../in", F_OK), 0);
	CHECK_RET(fchdir(fd), 0);
	CHECK(syscall(SYS_getcwd, buf, sizeof(buf)) > 0);
	CHECK(strncmp(buf, "(unreachable)/", 14) == 0);
	CHECK_RET(fchdir(old), 0);
	CHECK_RET(chroot("."), 0);
	CHECK_RET(chdir(dir), 0);
	CHECK_RET(rmdir("r/in") | rmdir("r"), 0);
	close(fd);
	close(old);
}

/* A program that runs is not written. */
static void
running(const char *program)
{
	CHECK_ERR(open(program, O_WRONLY), ETXTBSY);
	CHECK_ERR(truncate(program, 0), ETXTBSY);
}

/* chattr(1): tmpfs keeps such flags since Linux 6.0. */
static void
flagged(void)
{
	unsigned flags = 0;
	int fd, wr;

	CHECK_RET(mkdir("m", 0755), 0);
	REQUIRE(mount("x", "m", "tmpfs", 0, NULL) == 0 && chdir("m") == 0);
	make("f", 0666);
	wr = open("f", O_WRONLY);
	fd = open("f", O_RDONLY);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 && errno == ENOTTY) {
		check_note("no flags of files: a Linux before 6.0");
		goto out;
	}
	flags = FS_IMMUTABLE_FL | FS_NODUMP_FL;
	CHECK_RET(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
	flags = 0;
	CHECK_RET(ioctl(wr, FS_IOC_GETFLAGS, &flags), 0);
	CHECK_RET(flags, FS_IMMUTABLE_FL | FS_NODUMP_FL);
	CHECK_ERR(open("f", O_WRONLY), EPERM);
	CHECK_ERR(unlink("f"), EPERM);
	CHECK_ERR(rename("f", "g"), EPERM);
	CHECK_ERR(link("f", "g"), EPERM);
	CHECK_ERR(chmod("f", 0600), EPERM);
	CHECK_ERR(truncate("f", 0), EPERM);
	flags = FS_APPEND_FL;
	CHECK_RET(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
	CHECK_ERR(open("f", O_WRONLY), EPERM);
	CHECK_ERR(open("f", O_WRONLY | O_APPEND | O_TRUNC), EPERM);
	CHECK_ERR(truncate("f", 0), EPERM);
	CHECK_ERR(ftruncate(wr, 0), EPERM);
	CHECK_ERR(unlink("f"), EPERM);
	close(wr);
	wr = open("f", O_WRONLY | O_APPEND);
	CHECK_RET(write(wr, "x", 1), 1);
	CHECK_ERR(fcntl(wr, F_SETFL, 0), EPERM);
	become(1000);
	flags = 0;
	CHECK_ERR(ioctl(fd, FS_IOC_SETFLAGS, &flags), EPERM);
	become_root();
	flags = FS_COMPR_FL;
	CHECK_ERR(ioctl(fd, FS_IOC_SETFLAGS, &flags), EOPNOTSUPP);
	CHECK_ERR(ioctl(fd, FS_IOC_SETFLAGS, BAD), EFAULT);
	CHECK_ERR(ioctl(0, FS_IOC_GETFLAGS, &flags), ENOTTY);
	flags = 0;
	CHECK_RET(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
	CHECK_RET(unlink("f"), 0);
out:
	close(fd);
	close(wr);
	CHECK_RET(chdir(dir), 0);
	CHECK_RET(umount2("m", 0), 0);
	CHECK_RET(rmdir("m"), 0);
}

int
main(int argc, char **argv)
{
	(void)argc;
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	REQUIRE(chmod(dir, 0755) == 0);
	REQUIRE(chdir(dir) == 0);
	if (geteuid() == 0) {
		strangers();
		strangers_own();
		if (unshare(CLONE_NEWNS) == 0)
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
		if (mount("x", dir, "tmpfs", 0, NULL) == 0 &&
		    umount2(dir, MNT_DETACH) == 0) {
			read_only();
			unmounting();
			full();
			flagged();
			other_root();
		}
		running(argv[0]);
	}
	CHECK_RET(chdir("/"), 0);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
