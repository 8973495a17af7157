/* SPDX-License-Identifier: ISC */
/*
 * sys_dents.c - reading directories: getdents(2), getdents64(2), lseek(2) on
 * them, and what happens to one that changes meanwhile.
 */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BAD    ((void *)8)
#define NFILES 300

struct dent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};
struct dent {
	uint64_t ino, off;
	uint16_t reclen;
	char name[];
};

static char dir[] = "/tmp/sys_dents.XXXXXX";
static char buf[4096];

static void
name_of(int i, char *name)
{
	sprintf(name, "file-%0*d", 3 + i % 30, i);
}

/* Reads on from where fd is; counts names, each file's at most once. */
static int
count(int fd, unsigned size, unsigned char *seen)
{
	struct dent64 *d;
	long n, at;
	int total = 0;

	while ((n = syscall(SYS_getdents64, fd, buf, size)) > 0) {
		for (at = 0; at < n; at += d->reclen) {
			d = (struct dent64 *)(buf + at);
			if (d->reclen % 8 != 0 || d->reclen < 24)
				return -1000;
			if (strncmp(d->name, "file-", 5) == 0) {
				if (seen[atoi(d->name + 5)]++)
					return -2000;
				if (d->type != DT_REG)
					return -3000;
			}
			total++;
		}
	}
	return n < 0 ? -errno : total;
}

static void
listing(int fd)
{
	unsigned char seen[NFILES];
	struct dent64 *d = (struct dent64 *)buf;
	struct dent *old = (struct dent *)buf;
	int64_t second;

	memset(seen, 0, sizeof(seen));
	CHECK_RET(count(fd, sizeof(buf), seen), NFILES + 3);
	CHECK_RET(syscall(SYS_getdents64, fd, buf, sizeof(buf)), 0);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	memset(seen, 0, sizeof(seen));
	CHECK_RET(count(fd, 80, seen), NFILES + 3);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	CHECK(syscall(SYS_getdents64, fd, buf, 24) == 24);
	CHECK_ERR(syscall(SYS_getdents64, fd, buf, 10), EINVAL);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	CHECK(syscall(SYS_getdents64, fd, buf, 200) > 0);
	second = d->off;
	d = (struct dent64 *)(buf + d->reclen);
	sprintf(buf + 1000, "%s", d->name);
	CHECK_RET(lseek(fd, second, SEEK_SET), second);
	CHECK(syscall(SYS_getdents64, fd, buf, 200) > 0);
	CHECK_STR(((struct dent64 *)buf)->name, buf + 1000);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	CHECK(syscall(SYS_getdents, fd, buf, 200) > 0);
	CHECK(old->reclen >= 24 &&
	    (buf[old->reclen - 1] == DT_DIR || buf[old->reclen - 1] == DT_REG));
}

static void
errors(int fd)
{
	int file = open("file-000", O_RDONLY);

	CHECK_ERR(syscall(SYS_getdents64, -1, buf, 100), EBADF);
	CHECK_ERR(syscall(SYS_getdents64, file, buf, 100), ENOTDIR);
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	CHECK_ERR(syscall(SYS_getdents64, fd, BAD, 100), EFAULT);
	CHECK_ERR(syscall(SYS_getdents, fd, BAD, 100), EFAULT);
	CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	close(file);
}

/* Removing while reading skips nothing that stays. */
static void
changing(int fd)
{
	unsigned char seen[NFILES];
	char name[80];
	int i, left = 0;

	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	memset(seen, 0, sizeof(seen));
	CHECK(syscall(SYS_getdents64, fd, buf, 1000) > 0);
	for (i = 0; i < NFILES; i += 2) {
		name_of(i, name);
		unlink(name);
	}
	CHECK_RET(lseek(fd, 0, SEEK_SET), 0);
	CHECK_RET(count(fd, 500, seen), NFILES / 2 + 3);
	for (i = 0; i < NFILES; i++)
		left += seen[i];
	CHECK_RET(left, NFILES / 2);
	for (i = 1; i < NFILES; i += 2) {
		name_of(i, name);
		unlink(name);
	}
}

int
main(void)
{
	char name[80];
	int fd, gone, i;

	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	REQUIRE(chdir(dir) == 0);
	for (i = 0; i < NFILES; i++) {
		name_of(i, name);
		close(open(name, O_WRONLY | O_CREAT, 0600));
	}
	mkdir("sub", 0700);
	REQUIRE((fd = open(".", O_RDONLY | O_DIRECTORY)) >= 0);
	listing(fd);
	errors(fd);
	changing(fd);
	gone = open("sub", O_RDONLY | O_DIRECTORY);
	CHECK_RET(rmdir("sub"), 0);
	CHECK_ERR(syscall(SYS_getdents64, gone, buf, 1000), ENOENT);
	CHECK_RET(close(fd) + close(gone), 0);
	CHECK_RET(chdir("/"), 0);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
