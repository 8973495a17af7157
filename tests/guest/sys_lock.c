/* SPDX-License-Identifier: ISC */
/*
 * sys_lock.c - advisory locks, fcntl(2) F_SETLK and F_OFD_SETLK, flock(2);
 * memfd_create(2) and its seals.
 */
#include "check.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef F_OFD_SETLK
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS   1033
#define F_GET_SEALS   1034
#define F_SEAL_SEAL   1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW   4
#define F_SEAL_WRITE  8
#endif

#define BAD ((void *)8)

static char path[] = "/tmp/sys_lock.XXXXXX";
static int fd, other;

static int
lock(int f, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = (short)type,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = len };

	return fcntl(f, cmd, &fl);
}

/* What F_GETLK of that kind finds: type, start, len, pid. */
static struct flock
find(int f, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = (short)type,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = len };

	if (fcntl(f, cmd, &fl) != 0)
		fl.l_type = (short)-errno;
	return fl;
}

/* Runs fn in a child: its failures, as an exit status. */
static int
in_child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		check_passed_count = check_failed_count = 0;
		fn();
		_exit(check_done());
	}
	waitpid(pid, &status, 0);
	return status;
}

static void
child_sees(void)
{
	struct flock fl;

	CHECK_ERR(lock(fd, F_SETLK, F_RDLCK, 0, 10), EAGAIN);
	CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, 9, 1), EAGAIN);
	CHECK_RET(lock(fd, F_SETLK, F_WRLCK, 10, 1), 0);
	CHECK_RET(lock(fd, F_SETLK, F_RDLCK, 25, 1), 0);
	CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, 25, 1), EAGAIN);
	fl = find(fd, F_GETLK, F_WRLCK, 5, 100);
	CHECK(fl.l_type == F_WRLCK && fl.l_start == 0 && fl.l_len == 10 &&
	    fl.l_pid == getppid() && fl.l_whence == SEEK_SET);
	fl = find(fd, F_GETLK, F_WRLCK, 15, 100);
	CHECK(fl.l_type == F_RDLCK && fl.l_start == 20 && fl.l_len == 0);
	fl = find(fd, F_GETLK, F_RDLCK, 15, 100);
	CHECK_RET(fl.l_type, F_UNLCK);
	CHECK_ERR(lock(other, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
}

static void
child_after_unlock(void)
{
	CHECK_RET(lock(fd, F_SETLK, F_WRLCK, 4, 2), 0);
	CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, 3, 1), EAGAIN);
	CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, 6, 1), EAGAIN);
}

static void
child_after_close(void)
{
	CHECK_RET(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
}

static void
child_waits(void)
{
	CHECK_RET(lock(fd, F_SETLKW, F_WRLCK, 0, 1), 0);
}

static void
posix_locks(void)
{
	struct flock fl = { .l_type = F_RDLCK,
		.l_whence = SEEK_END,
		.l_start = -10,
		.l_len = -5 };
	int status;
	pid_t pid;

	CHECK_RET(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	CHECK_RET(lock(fd, F_SETLK, F_RDLCK, 20, 0), 0);
	CHECK_RET(find(fd, F_GETLK, F_WRLCK, 0, 0).l_type, F_UNLCK);
	CHECK_RET(in_child(child_sees), 0);
	CHECK_RET(lock(fd, F_SETLK, F_UNLCK, 4, 2), 0);
	CHECK_RET(in_child(child_after_unlock), 0);
	CHECK_RET(fcntl(fd, F_SETLK, &fl), 0);
	fl.l_start = -1000;
	CHECK_ERR(fcntl(fd, F_SETLK, &fl), EINVAL);
	fl.l_whence = 9;
	CHECK_ERR(fcntl(fd, F_SETLK, &fl), EINVAL);
	CHECK_ERR(lock(fd, F_SETLK, 77, 0, 1), EINVAL);
	CHECK_ERR(lock(-1, F_SETLK, F_RDLCK, 0, 1), EBADF);
	CHECK_ERR(syscall(SYS_fcntl, fd, F_SETLK, BAD), EFAULT);
	CHECK_ERR(syscall(SYS_fcntl, fd, F_GETLK, BAD), EFAULT);
	CHECK_ERR(lock(fd, F_GETLK, F_UNLCK, 0, 1), EINVAL);
	CHECK_RET(close(other), 0); /* any close drops all of the process */
	REQUIRE((other = open(path, O_RDWR)) >= 0);
	CHECK_RET(in_child(child_after_close), 0);
	CHECK_RET(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	pid = fork();
	if (pid == 0) {
		child_waits();
		_exit(check_done());
	}
	usleep(20000);
	CHECK_RET(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
}

static void
wrong_modes(void)
{
	int r = open(path, O_RDONLY), w = open(path, O_WRONLY);

	CHECK_ERR(lock(r, F_SETLK, F_WRLCK, 0, 1), EBADF);
	CHECK_ERR(lock(w, F_SETLK, F_RDLCK, 0, 1), EBADF);
	CHECK_RET(lock(w, F_SETLK, F_WRLCK, 0, 1), 0);
	close(r);
	close(w);
}

static void
file_locks(void)
{
	struct flock fl;
	int copy;

	CHECK_RET(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 100), 0);
	CHECK_ERR(lock(other, F_OFD_SETLK, F_RDLCK, 99, 1), EAGAIN);
	CHECK_RET(lock(other, F_OFD_SETLK, F_RDLCK, 100, 1), 0);
	fl = find(other, F_OFD_GETLK, F_RDLCK, 0, 0);
	CHECK(fl.l_type == F_WRLCK && fl.l_pid == -1 && fl.l_len == 100);
	CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
	copy = dup(fd);
	CHECK_RET(lock(copy, F_OFD_SETLK, F_UNLCK, 50, 50), 0);
	CHECK_RET(lock(other, F_OFD_SETLK, F_WRLCK, 50, 50), 0);
	close(copy);
	CHECK_ERR(lock(other, F_OFD_SETLK, F_WRLCK, 0, 10), EAGAIN);
	fl = (struct flock){ .l_type = F_RDLCK, .l_pid = 1 };
	CHECK_ERR(fcntl(fd, F_OFD_SETLK, &fl), EINVAL);
	CHECK_RET(lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
	CHECK_RET(lock(other, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
}

static void
whole_locks(void)
{
	int third;

	CHECK_RET(flock(fd, LOCK_EX), 0);
	CHECK_ERR(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK_RET(flock(fd, LOCK_SH), 0);
	CHECK_RET(flock(other, LOCK_SH | LOCK_NB), 0);
	CHECK_ERR(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_RET(flock(other, LOCK_UN), 0);
	CHECK_RET(flock(fd, LOCK_UN), 0);
	CHECK_RET(flock(fd, LOCK_EX | LOCK_NB), 0);
	third = open(path, O_RDONLY);
	CHECK_ERR(flock(third, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_RET(lock(other, F_SETLK, F_WRLCK, 0, 0), 0); /* another kind */
	CHECK_RET(lock(other, F_SETLK, F_UNLCK, 0, 0), 0);
	close(fd);
	CHECK_RET(flock(third, LOCK_EX | LOCK_NB), 0);
	close(third);
	REQUIRE((fd = open(path, O_RDWR)) >= 0);
	CHECK_ERR(flock(fd, 0), EINVAL);
	CHECK_ERR(flock(fd, LOCK_EX | LOCK_SH), EINVAL);
	CHECK_ERR(flock(-1, LOCK_EX), EBADF);
}

static void
memory_files(void)
{
	struct stat st;
	char *map;
	int m = (int)CHECK_OK(
		memfd_create("thing", MFD_CLOEXEC | MFD_ALLOW_SEALING)),
	    plain;

	CHECK_RET(fcntl(m, F_GETFD), FD_CLOEXEC);
	CHECK_RET(write(m, "hello", 5), 5);
	CHECK_RET(fstat(m, &st), 0);
	CHECK(S_ISREG(st.st_mode) && st.st_size == 5 && st.st_nlink == 0);
	CHECK_RET(fcntl(m, F_GET_SEALS), 0);
	CHECK_RET(fcntl(m, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	CHECK_ERR(ftruncate(m, 6), EPERM);
	CHECK_ERR(ftruncate(m, 4), EPERM);
	CHECK_ERR(pwrite(m, "hello!", 6, 0), EPERM);
	CHECK_RET(pwrite(m, "HELLO", 5, 0), 5);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
	CHECK(map != MAP_FAILED);
	CHECK_ERR(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_RET(munmap(map, 4096), 0);
	CHECK_RET(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), 0);
	CHECK_ERR(pwrite(m, "x", 1, 0), EPERM);
	CHECK_ERR(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, m, 0), EPERM);
	CHECK_ERR(fcntl(m, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_RET(fcntl(m, F_GET_SEALS), 15);
	CHECK_ERR(fcntl(m, F_ADD_SEALS, 0x100), EINVAL);
	close(m);
	plain = (int)CHECK_OK(memfd_create("", 0));
	CHECK_RET(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERR(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	close(plain);
	CHECK_ERR(memfd_create("x", 0x100), EINVAL);
	CHECK_ERR(syscall(SYS_memfd_create, BAD, 0), EFAULT);
	plain = open("/", O_RDONLY);
	CHECK_ERR(fcntl(plain, F_GET_SEALS), EINVAL);
	close(plain);
}

int
main(void)
{
	mkdir("/tmp", 01777);
	REQUIRE((fd = mkstemp(path)) >= 0);
	REQUIRE((other = open(path, O_RDWR)) >= 0);
	REQUIRE(ftruncate(fd, 100) == 0);
	posix_locks();
	wrong_modes();
	file_locks();
	whole_locks();
	memory_files();
	unlink(path);
	return check_done();
}
