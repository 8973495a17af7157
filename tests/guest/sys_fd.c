/* SPDX-License-Identifier: ISC */
/*
 * sys_fd.c - descriptors: dup(2), fcntl(2), close(2), close_range(2), their
 * limits and flags.
 */
#include "check.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BAD ((void *)8)

static char dir[] = "/tmp/sys_fd.XXXXXX";

static void
dups(void)
{
	int a = open("/dev/null", O_RDWR), b, c;

	REQUIRE(a >= 3);
	b = (int)CHECK_OK(dup(a));
	CHECK_RET(b, a + 1);
	CHECK_RET(close(a), 0);
	CHECK_RET(dup(b), a); /* the lowest free number */
	CHECK_ERR(dup(-1), EBADF);
	CHECK_ERR(dup(200), EBADF);
	CHECK_RET(dup2(a, 70), 70);
	CHECK_RET(dup2(a, a), a);
	CHECK_ERR(dup2(201, 201), EBADF);
	CHECK_ERR(dup2(201, 5), EBADF);
	CHECK_ERR(dup2(a, -1), EBADF);
	CHECK_ERR(dup2(a, 1 << 30), EBADF);
	CHECK_RET(fcntl(70, F_GETFD), 0);
	CHECK_RET(dup3(a, 70, O_CLOEXEC), 70);
	CHECK_RET(fcntl(70, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(dup3(a, a, 0), EINVAL);
	CHECK_ERR(syscall(SYS_dup3, a, 71, O_NONBLOCK), EINVAL);
	CHECK_ERR(dup3(a, -1, 0), EBADF);
	c = (int)CHECK_OK(fcntl(a, F_DUPFD, 65));
	CHECK_RET(c, 65);
	CHECK_RET(fcntl(a, F_DUPFD_CLOEXEC, 65), 66);
	CHECK_RET(fcntl(66, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(fcntl(a, F_DUPFD, -1), EINVAL);
	CHECK_ERR(fcntl(a, F_DUPFD, 1 << 30), EINVAL);
	CHECK_ERR(fcntl(202, F_DUPFD, 0), EBADF);
	CHECK_RET(close(70), 0);
	CHECK_ERR(close(70), EBADF);
	CHECK_ERR(close(-1), EBADF);
	CHECK_RET(close(65), 0);
	CHECK_RET(close(66), 0);
	CHECK_RET(close(a), 0);
	CHECK_RET(close(b), 0);
}

static void
ranges(void)
{
	int i, fd = open("/dev/null", O_RDWR);

	for (i = 100; i < 110; i++)
		dup2(fd, i);
	CHECK_ERR(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	CHECK_ERR(syscall(SYS_close_range, 100, 102, 1), EINVAL);
	CHECK_RET(syscall(SYS_close_range, 100, 102, 0), 0);
	CHECK_ERR(fcntl(100, F_GETFD), EBADF);
	CHECK_ERR(fcntl(102, F_GETFD), EBADF);
	CHECK_RET(fcntl(103, F_GETFD), 0);
	CHECK_RET(syscall(SYS_close_range, 103, ~0u, 4), 0);
	CHECK_RET(fcntl(103, F_GETFD), FD_CLOEXEC);
	CHECK_RET(fcntl(109, F_GETFD), FD_CLOEXEC);
	CHECK_RET(syscall(SYS_close_range, 103, ~0u, 2), 0);
	CHECK_ERR(fcntl(109, F_GETFD), EBADF);
	CHECK_RET(fcntl(fd, F_GETFD), 0);
	close(fd);
}

static void
limits(void)
{
	struct rlimit old, low = { 20, 20 };
	int fd = open("/dev/null", O_RDWR), last = -1, n;

	REQUIRE(getrlimit(RLIMIT_NOFILE, &old) == 0);
	low.rlim_max = old.rlim_max;
	REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
	while ((n = dup(fd)) >= 0)
		last = n;
	CHECK(last == 19);
	CHECK_ERR(dup(fd), EMFILE);
	CHECK_ERR(open("/dev/null", O_RDONLY), EMFILE);
	CHECK_ERR(open("/nowhere", O_RDONLY), EMFILE);
	CHECK_ERR(fcntl(fd, F_DUPFD, 3), EMFILE);
	CHECK_ERR(fcntl(fd, F_DUPFD, 20), EINVAL);
	CHECK_ERR(dup2(fd, 20), EBADF);
	CHECK_RET(dup2(fd, 10), 10);
	CHECK_RET(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK_RET(syscall(SYS_close_range, fd, ~0u, 0), 0);
	CHECK_RET(dup(0), fd);
	CHECK_RET(close(fd), 0);
}

static void
status_flags(void)
{
	char path[64];
	int fd, on = 1;

	snprintf(path, sizeof(path), "%s/flags", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	REQUIRE(fd >= 0);
	CHECK_RET(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_APPEND);
	CHECK_RET(fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY | O_CREAT), 0);
	CHECK_RET(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_NONBLOCK);
	CHECK_RET(fcntl(fd, F_SETFL, 0), 0);
	CHECK_RET(ioctl(fd, FIONBIO, &on), 0);
	CHECK_RET(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	on = 0;
	CHECK_RET(ioctl(fd, FIONBIO, &on), 0);
	CHECK_RET(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	CHECK_ERR(ioctl(fd, FIONBIO, BAD), EFAULT);
	CHECK_RET(ioctl(fd, FIOCLEX), 0);
	CHECK_RET(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_RET(ioctl(fd, FIONCLEX), 0);
	CHECK_RET(fcntl(fd, F_GETFD), 0);
	CHECK_RET(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	CHECK_RET(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_RET(write(fd, "12345", 5), 5);
	CHECK_RET(lseek(fd, 2, SEEK_SET), 2);
	CHECK_RET(ioctl(fd, FIONREAD, &on), 0);
	CHECK_RET(on, 3);
	CHECK_ERR(ioctl(fd, TIOCGWINSZ, path), ENOTTY);
	CHECK_ERR(ioctl(-1, FIONREAD, &on), EBADF);
	CHECK_ERR(fcntl(fd, 12345), EINVAL);
	CHECK_ERR(fcntl(-1, F_GETFL), EBADF);
	CHECK_ERR(fcntl(203, F_SETFL, 0), EBADF);
	CHECK_RET(close(fd), 0);
	CHECK_ERR(ioctl(fd, FIONREAD, &on), EBADF);
	unlink(path);
}

/* A file opened with O_PATH is a place, not a thing to read. */
static void
path_descriptors(void)
{
	struct stat st;
	char byte;
	int fd = open("/", O_PATH | O_DIRECTORY), copy;

	REQUIRE(fd >= 0);
	CHECK_ERR(read(fd, &byte, 1), EBADF);
	CHECK_ERR(write(fd, &byte, 1), EBADF);
	CHECK_ERR(lseek(fd, 0, SEEK_CUR), EBADF);
	CHECK_ERR(ioctl(fd, FIONREAD, &copy), EBADF);
	CHECK_ERR(syscall(SYS_fchmod, fd, 0755), EBADF);
	CHECK_ERR(fsync(fd), EBADF);
	CHECK_ERR(fcntl(fd, F_SETFL, 0), EBADF);
	CHECK_RET(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	CHECK_RET(fcntl(fd, F_GETFD), 0);
	CHECK_RET(fstat(fd, &st), 0);
	copy = (int)CHECK_OK(dup(fd));
	CHECK_RET(openat(copy, "dev/..", O_RDONLY) >= 0, 1);
	CHECK_RET(syscall(SYS_close_range, fd, ~0u, 0), 0);
}

int
main(void)
{
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	dups();
	ranges();
	limits();
	status_flags();
	path_descriptors();
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
