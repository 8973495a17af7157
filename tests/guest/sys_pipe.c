/* SPDX-License-Identifier: ISC */
/*
 * sys_pipe.c - pipe(2), pipe(7), fifo(7), eventfd(2), splice(2), tee(2),
 * vmsplice(2), F_SETPIPE_SZ.  One thread, so nothing here waits.
 */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define BAD ((void *)8)

static char dir[] = "/tmp/sys_pipe.XXXXXX";
static char big[70000], buf[70000];
static volatile int got_sigpipe;

static void
on_sigpipe(int sig)
{
	(void)sig;
	got_sigpipe++;
}

static int
poll_one(int fd, int events)
{
	struct pollfd p = { fd, (short)events, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void
basics(void)
{
	struct stat st;
	int p[2], n;

	CHECK_ERR(syscall(SYS_pipe, BAD), EFAULT);
	CHECK_ERR(syscall(SYS_pipe2, p, 0x10), EINVAL);
	CHECK_RET(pipe(p), 0);
	CHECK_RET(p[1], p[0] + 1);
	CHECK_RET(fcntl(p[0], F_GETFL), O_RDONLY);
	CHECK_RET(fcntl(p[1], F_GETFL), O_WRONLY);
	CHECK_RET(fstat(p[0], &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_RET(st.st_size, 0);
	CHECK_RET(write(p[1], "abc", 3), 3);
	CHECK_RET(write(p[1], "def", 3), 3);
	CHECK_RET(ioctl(p[0], FIONREAD, &n), 0);
	CHECK_RET(n, 6);
	CHECK_RET(read(p[0], buf, 4), 4);
	CHECK_MEM(buf, "abcd", 4);
	CHECK_RET(read(p[0], buf, 100), 2);
	CHECK_MEM(buf, "ef", 2);
	CHECK_RET(read(p[0], buf, 0), 0);
	CHECK_ERR(read(p[1], buf, 1), EBADF);
	CHECK_ERR(write(p[0], buf, 1), EBADF);
	CHECK_RET(write(p[1], "x", 1), 1);
	CHECK_ERR(syscall(SYS_read, p[0], BAD, 1), EFAULT);
	CHECK_ERR(syscall(SYS_write, p[1], BAD, 1), EFAULT);
	CHECK_RET(read(p[0], buf, 9), 1);
	CHECK_RET(buf[0], 'x');
	CHECK_RET(close(p[1]), 0);
	CHECK_RET(read(p[0], buf, 1), 0);
	CHECK_RET(close(p[0]), 0);
}

static void
full_and_broken(void)
{
	int p[2], i, total = 0;
	long n;

	CHECK_RET(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	CHECK_RET(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	CHECK_ERR(read(p[0], buf, 1), EAGAIN);
	CHECK_RET(poll_one(p[0], POLLIN), 0);
	CHECK_RET(poll_one(p[1], POLLOUT), POLLOUT);
	for (i = 0; i < (int)sizeof(big); i++)
		big[i] = (char)(i * 7);
	CHECK_RET(fcntl(p[0], F_GETPIPE_SZ), 65536);
	CHECK_RET(write(p[1], big, 70000), 65536);
	CHECK_ERR(write(p[1], big, 1), EAGAIN);
	CHECK_RET(poll_one(p[1], POLLOUT), 0);
	CHECK_RET(poll_one(p[0], POLLIN), POLLIN);
	CHECK_RET(read(p[0], buf, 4000), 4000);
	CHECK_ERR(write(p[1], big, 1), EAGAIN); /* no whole slot is free */
	while ((n = read(p[0], buf + 4000 + total, 5000)) > 0)
		total += (int)n;
	CHECK_RET(total, 65536 - 4000);
	CHECK_MEM(buf, big, 65536);
	CHECK_RET(close(p[0]), 0);
	CHECK_RET(poll_one(p[1], POLLOUT) & POLLERR, POLLERR);
	signal(SIGPIPE, on_sigpipe);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	CHECK_RET(got_sigpipe, 1);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	CHECK_RET(close(p[1]), 0);
	CHECK_RET(pipe(p), 0);
	CHECK_RET(write(p[1], "x", 1), 1);
	CHECK_RET(close(p[1]), 0);
	CHECK_RET(poll_one(p[0], POLLIN), POLLIN | POLLHUP);
	CHECK_RET(read(p[0], buf, 9), 1);
	CHECK_RET(poll_one(p[0], POLLIN), POLLHUP);
	CHECK_RET(close(p[0]), 0);
}

static void
sizes_and_packets(void)
{
	int p[2];

	CHECK_RET(pipe2(p, O_NONBLOCK), 0);
	CHECK_RET(fcntl(p[1], F_SETPIPE_SZ, 5000), 8192);
	CHECK_RET(fcntl(p[0], F_GETPIPE_SZ), 8192);
	CHECK_RET(write(p[1], big, 10000), 8192);
	CHECK_ERR(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK_RET(fcntl(p[1], F_SETPIPE_SZ, 16384), 16384);
	CHECK_RET(write(p[1], big + 8192, 10000), 8192);
	CHECK_RET(read(p[0], buf, 20000), 16384);
	CHECK_MEM(buf, big, 16384);
	CHECK_ERR(fcntl(0, F_SETPIPE_SZ, -1), EBADF);
	CHECK_ERR(fcntl(dup2(p[0], 90), F_SETPIPE_SZ, 0xffffffff), EINVAL);
	close(90);
	close(p[0]);
	close(p[1]);
	CHECK_RET(pipe2(p, O_NONBLOCK | O_DIRECT), 0);
	CHECK_RET(write(p[1], "12345", 5), 5);
	CHECK_RET(write(p[1], "67", 2), 2);
	CHECK_RET(read(p[0], buf, 3), 3); /* the packet's rest is lost */
	CHECK_RET(read(p[0], buf, 9), 2);
	CHECK_MEM(buf, "67", 2);
	close(p[0]);
	close(p[1]);
}

static void
fifos(void)
{
	char path[64];
	int r, w, rw;

	snprintf(path, sizeof(path), "%s/fifo", dir);
	CHECK_RET(mkfifo(path, 0600), 0);
	CHECK_ERR(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
	r = (int)CHECK_OK(open(path, O_RDONLY | O_NONBLOCK));
	CHECK_RET(read(r, buf, 1), 0);     /* no writer yet: end of file */
	CHECK_RET(poll_one(r, POLLIN), 0); /* but no hang-up */
	w = (int)CHECK_OK(open(path, O_WRONLY | O_NONBLOCK));
	CHECK_ERR(read(r, buf, 1), EAGAIN);
	CHECK_RET(write(w, "hi", 2), 2);
	CHECK_RET(read(r, buf, 9), 2);
	CHECK_ERR(lseek(r, 0, SEEK_CUR), ESPIPE);
	CHECK_RET(close(w), 0);
	CHECK_RET(poll_one(r, POLLIN), POLLHUP);
	w = (int)CHECK_OK(open(path, O_WRONLY));
	CHECK_RET(poll_one(r, POLLIN), 0);
	CHECK_RET(close(w), 0);
	CHECK_RET(close(r), 0);
	rw = (int)CHECK_OK(open(path, O_RDWR));
	CHECK_RET(write(rw, "me", 2), 2);
	CHECK_RET(read(rw, buf, 9), 2);
	CHECK_RET(write(rw, "gone", 4), 4);
	CHECK_RET(close(rw), 0);
	r = (int)CHECK_OK(open(path, O_RDONLY | O_NONBLOCK));
	CHECK_RET(read(r, buf, 9), 0);
	CHECK_RET(close(r), 0);
	CHECK_RET(unlink(path), 0);
}

static void
events(void)
{
	uint64_t v = 3;
	int e = (int)CHECK_OK(eventfd(2, EFD_NONBLOCK | EFD_CLOEXEC));

	CHECK_RET(fcntl(e, F_GETFD), FD_CLOEXEC);
	CHECK_RET(write(e, &v, 8), 8);
	CHECK_RET(poll_one(e, POLLIN | POLLOUT), POLLIN | POLLOUT);
	CHECK_RET(read(e, &v, 8), 8);
	CHECK_RET(v, 5);
	CHECK_ERR(read(e, &v, 8), EAGAIN);
	CHECK_RET(poll_one(e, POLLIN | POLLOUT), POLLOUT);
	CHECK_ERR(read(e, &v, 7), EINVAL);
	CHECK_ERR(write(e, &v, 7), EINVAL);
	v = UINT64_MAX;
	CHECK_ERR(write(e, &v, 8), EINVAL);
	v = UINT64_MAX - 1;
	CHECK_RET(write(e, &v, 8), 8);
	CHECK_RET(poll_one(e, POLLIN | POLLOUT), POLLIN);
	v = 1;
	CHECK_ERR(write(e, &v, 8), EAGAIN);
	CHECK_ERR(syscall(SYS_write, e, BAD, 8), EFAULT);
	CHECK_RET(lseek(e, 100, SEEK_SET), 0);
	CHECK_RET(close(e), 0);
	e = (int)CHECK_OK(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	CHECK_RET(read(e, &v, 8), 8);
	CHECK_RET(v, 1);
	CHECK_RET(read(e, &v, 8), 8);
	CHECK_ERR(read(e, &v, 8), EAGAIN);
	CHECK_RET(close(e), 0);
	CHECK_ERR(syscall(SYS_eventfd2, 0, 2), EINVAL);
}

static void
splices(void)
{
	struct iovec v = { big, 10 };
	char path[64];
	int a[2], b[2], fd;
	off_t off = 2;

	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK_RET(pipe2(a, O_NONBLOCK), 0);
	CHECK_RET(pipe2(b, O_NONBLOCK), 0);
	CHECK_RET(write(a[1], "0123456789", 10), 10);
	CHECK_RET(tee(a[0], b[1], 4, 0), 4);
	CHECK_RET(read(b[0], buf, 10), 4);
	CHECK_MEM(buf, "0123", 4);
	CHECK_RET(splice(a[0], NULL, b[1], NULL, 6, 0), 6);
	CHECK_RET(write(b[1], "x", 1), 1);
	CHECK_RET(read(b[0], buf, 10), 7);
	CHECK_MEM(buf, "012345x", 7);
	CHECK_RET(splice(a[0], NULL, fd, &off, 100, 0), 4);
	CHECK_RET(off, 6);
	CHECK_RET(pread(fd, buf, 100, 0), 6);
	CHECK_MEM(buf,
	    "\0\0"
	    "6789",
	    6);
	CHECK_ERR(splice(a[0], NULL, fd, NULL, 100, 0), EAGAIN);
	CHECK_RET(splice(fd, NULL, a[1], NULL, 100, 0), 6);
	CHECK_RET(read(a[0], buf, 100), 6);
	off = 4;
	CHECK_RET(splice(fd, &off, a[1], NULL, 100, 0), 2);
	CHECK_RET(read(a[0], buf, 100), 2);
	CHECK_MEM(buf, "89", 2);
	CHECK_RET(vmsplice(a[1], &v, 1, 0), 10);
	CHECK_RET(read(a[0], buf, 100), 10);
	CHECK_MEM(buf, big, 10);
	CHECK_RET(splice(a[0], NULL, b[1], NULL, 0, 0), 0);
	CHECK_ERR(splice(a[0], NULL, b[1], NULL, 1, 0x100), EINVAL);
	CHECK_ERR(splice(fd, NULL, fd, NULL, 1, 0), EINVAL);
	CHECK_ERR(splice(a[0], NULL, a[1], NULL, 1, 0), EINVAL);
	CHECK_ERR(splice(a[0], &off, fd, NULL, 1, 0), ESPIPE);
	CHECK_ERR(splice(a[1], NULL, fd, NULL, 1, 0), EBADF);
	CHECK_ERR(splice(-1, NULL, fd, NULL, 1, 0), EBADF);
	CHECK_ERR(tee(a[0], fd, 1, 0), EINVAL);
	CHECK_ERR(tee(a[0], b[1], 1, 0), EAGAIN);
	CHECK_ERR(vmsplice(fd, &v, 1, 0), EBADF);
	close(fd);
	unlink(path);
	for (fd = 0; fd < 2; fd++) {
		close(a[fd]);
		close(b[fd]);
	}
}

/* /proc/self/fd/N of a pipe is the same pipe once more, and never waits. */
static void
opened_again(void)
{
	char name[32], c = 0;
	int fd[2], again;

	CHECK_RET(pipe(fd), 0);
	CHECK_RET(write(fd[1], "x", 1), 1);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd[0]);
	again = (int)CHECK_OK(open(name, O_RDONLY));
	CHECK_RET(close(fd[0]), 0);
	CHECK_RET(read(again, &c, 1), 1);
	CHECK_RET(c, 'x');
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd[1]);
	fd[0] = (int)CHECK_OK(open(name, O_WRONLY | O_NONBLOCK));
	CHECK_RET(write(fd[0], "y", 1), 1);
	CHECK_RET(close(fd[0]), 0);
	CHECK_RET(close(fd[1]), 0);
	CHECK_RET(read(again, &c, 1), 1);
	CHECK_RET(c, 'y');
	CHECK_RET(read(again, &c, 1), 0);
	/* A reader after the last writer has gone: no wait, only the end. */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", again);
	fd[0] = (int)CHECK_OK(open(name, O_RDONLY));
	CHECK_RET(read(fd[0], &c, 1), 0);
	CHECK_RET(close(fd[0]), 0);
	CHECK_RET(close(again), 0);
}

int
main(void)
{
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	basics();
	full_and_broken();
	sizes_and_packets();
	fifos();
	opened_again();
	events();
	splices();
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
