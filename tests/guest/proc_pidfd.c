/* SPDX-License-Identifier: ISC */
/* proc_pidfd.c - pidfd_open(2), pidfd_send_signal(2), waitid(2), CLONE_PIDFD. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open        434
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#define WAIT_PIDFD 3 /* P_PIDFD */
#define WITH_PIDFD 0x1000ul

static int
readable(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, ms) == 1 ? p.revents & POLLIN : 0;
}

/* An open /proc/PID is as good as a pidfd. */
static void
by_folder(pid_t child)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d", child);
	fd = (int)CHECK_OK(open(name, O_RDONLY | O_DIRECTORY));
	CHECK_RET(syscall(SYS_pidfd_send_signal, fd, 0, 0, 0), 0);
	CHECK_RET(syscall(SYS_pidfd_send_signal, fd, SIGCONT, 0, 0), 0);
	CHECK_RET(close(fd), 0);
	fd = (int)CHECK_OK(open("/proc", O_RDONLY | O_DIRECTORY));
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, 0, 0), EBADF);
	CHECK_RET(close(fd), 0);
}

static void
of_a_child(void)
{
	siginfo_t si;
	pid_t child;
	char c;
	int fd;

	CHECK_ERR(syscall(SYS_pidfd_open, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_pidfd_open, -1, 0), EINVAL);
	CHECK_ERR(syscall(SYS_pidfd_open, getpid(), 1), EINVAL);
	CHECK_ERR(syscall(SYS_pidfd_open, 0x3fffff, 0), ESRCH);
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	fd = (int)CHECK_OK(syscall(SYS_pidfd_open, child, 0));
	CHECK_RET(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(read(fd, &c, 1), EINVAL);
	CHECK_RET(readable(fd, 0), 0);
	CHECK_RET(syscall(SYS_pidfd_send_signal, fd, 0, 0, 0), 0);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 99, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, 0, 100), EINVAL);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, 0, 0, 0, 0), EBADF);
	by_folder(child);
	memset(&si, 0, sizeof(si));
	CHECK_RET(waitid(WAIT_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG), 0);
	CHECK_RET(si.si_pid, 0);
	CHECK_RET(syscall(SYS_pidfd_send_signal, fd, SIGTERM, 0, 0), 0);
	CHECK_RET(readable(fd, 5000), POLLIN);
	CHECK_RET(waitid(WAIT_PIDFD, (id_t)fd, &si, WEXITED), 0);
	CHECK_RET(si.si_pid, child);
	CHECK_RET(si.si_code, CLD_KILLED);
	CHECK_RET(si.si_status, SIGTERM);
	CHECK_RET(readable(fd, 0), POLLIN);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, 0, 0, 0), ESRCH);
	CHECK_ERR(waitid(WAIT_PIDFD, (id_t)fd, &si, WEXITED), ECHILD);
	CHECK_ERR(waitid(WAIT_PIDFD, 0, &si, WEXITED), EBADF);
	CHECK_RET(close(fd), 0);
}

static void
from_clone(void)
{
	siginfo_t si;
	pid_t child;
	int fd = -1;

	child = (pid_t)syscall(SYS_clone, WITH_PIDFD | SIGCHLD, 0, &fd, 0, 0);
	if (child == 0)
		_exit(6);
	CHECK(fd >= 3);
	CHECK_RET(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_RET(readable(fd, 5000), POLLIN);
	CHECK_RET(waitid(WAIT_PIDFD, (id_t)fd, &si, WEXITED), 0);
	CHECK_RET(si.si_status, 6);
	close(fd);
}

static void
others_descriptors(void)
{
	int fd, p[2], q;
	char c;

	CHECK_RET(pipe(p), 0);
	fd = (int)CHECK_OK(syscall(SYS_pidfd_open, getpid(), O_NONBLOCK));
	q = (int)CHECK_OK(syscall(SYS_pidfd_getfd, fd, p[1], 0));
	CHECK_RET(write(q, "x", 1), 1);
	CHECK_RET(read(p[0], &c, 1), 1);
	CHECK_ERR(syscall(SYS_pidfd_getfd, fd, 99, 0), EBADF);
	close(fd);
}

static void
without_waiting(void)
{
	siginfo_t si;
	pid_t child = fork();
	int fd, status;

	if (child == 0)
		for (;;)
			pause();
	fd = (int)CHECK_OK(syscall(SYS_pidfd_open, child, O_NONBLOCK));
	CHECK_ERR(waitid(WAIT_PIDFD, (id_t)fd, &si, WEXITED), EAGAIN);
	kill(child, SIGKILL);
	CHECK_RET(waitpid(child, &status, 0), child);
	close(fd);
}

int
main(void)
{
	alarm(30);
	of_a_child();
	from_clone();
	others_descriptors();
	without_waiting();
	return check_done();
}
