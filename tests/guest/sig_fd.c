/* SPDX-License-Identifier: ISC */
/* sig_fd.c - signalfd(2): what is read, polled, and refused. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int
poll_one(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static struct signalfd_siginfo si[3];
static sigset_t set;
static int fd, ep;

static void
refusals(void)
{
	CHECK_ERR(signalfd(-1, &set, 0x10), EINVAL);
	CHECK_ERR(signalfd(77, &set, 0), EBADF);
	CHECK_ERR(signalfd(0, &set, 0), EINVAL);
	CHECK_ERR(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
	CHECK_ERR(syscall(SYS_signalfd4, -1, 8, 8, 0), EFAULT);
	fd = (int)CHECK_OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	CHECK_RET(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(read(fd, si, sizeof(si)), EAGAIN);
	CHECK_ERR(read(fd, si, 100), EINVAL);
	CHECK_ERR(write(fd, si, 128), EINVAL);
	CHECK_RET(poll_one(fd), 0);
}

static void
waiting_by_epoll(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	union sigval value = { .sival_int = 1234 };
	pid_t child;
	int status;

	ep = (int)CHECK_OK(epoll_create1(0));
	CHECK_RET(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), 0);
	CHECK_RET(epoll_wait(ep, &ev, 1, 0), 0);
	CHECK_RET(kill(getpid(), SIGUSR2), 0);
	CHECK_RET(poll_one(fd), POLLIN);
	CHECK_RET(epoll_wait(ep, &ev, 1, 0), 1);
	CHECK_RET(sigqueue(getpid(), SIGUSR1, value), 0);
	CHECK_RET(read(fd, si, sizeof(si)), 2 * sizeof(si[0]));
	CHECK_RET(si[0].ssi_signo, SIGUSR1);
	CHECK_RET(si[0].ssi_code, SI_QUEUE);
	CHECK_RET(si[0].ssi_int, 1234);
	CHECK_RET(si[0].ssi_pid, getpid());
	CHECK_RET(si[1].ssi_signo, SIGUSR2);
	CHECK_RET(si[1].ssi_code, SI_USER);
	CHECK_RET(si[1].ssi_uid, getuid());
	CHECK_RET(epoll_wait(ep, &ev, 1, 0), 0);
	child = fork();
	if (child == 0)
		_exit(5);
	CHECK_RET(epoll_wait(ep, &ev, 1, 5000), 1);
	CHECK_RET(read(fd, si, sizeof(si)), sizeof(si[0]));
	CHECK_RET(si[0].ssi_signo, SIGCHLD);
	CHECK_RET(si[0].ssi_code, CLD_EXITED);
	CHECK_RET(si[0].ssi_pid, child);
	CHECK_RET(si[0].ssi_status, 5);
	CHECK_RET(waitpid(child, &status, 0), child);
}

static void
another_set(void)
{
	sigset_t other;

	sigemptyset(&other);
	sigaddset(&other, SIGUSR2);
	CHECK_RET(signalfd(fd, &other, 0), fd);
	CHECK_RET(kill(getpid(), SIGUSR1), 0);
	CHECK_RET(poll_one(fd), 0);
	CHECK_RET(signalfd(fd, &set, 0), fd);
	CHECK_RET(poll_one(fd), POLLIN);
	CHECK_RET(read(fd, si, sizeof(si)), sizeof(si[0]));
}

static void
in_a_child(void)
{
	int status;
	pid_t child;

	CHECK_RET(fcntl(fd, F_SETFL, 0), 0);
	child = fork();
	if (child == 0) { /* a child reads its own signals */
		kill(getpid(), SIGUSR1);
		_exit(read(fd, si, sizeof(si)) == sizeof(si[0]) &&
			    si[0].ssi_pid == (unsigned)getpid() ?
			9 :
			1);
	}
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK_RET(WEXITSTATUS(status), 9);
}

int
main(void)
{
	alarm(30);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	refusals();
	waiting_by_epoll();
	another_set();
	in_a_child();
	CHECK_RET(close(fd), 0);
	CHECK_RET(close(ep), 0);
	return check_done();
}
