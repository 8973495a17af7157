/* SPDX-License-Identifier: ISC */
/*
 * proc_mqueue.c - POSIX message queues: names, attributes, order, sleeping,
 * notification, poll.
 */
#include "check.h"
#include <fcntl.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define NAME "/check_mqueue"

static int
ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void
names(void)
{
	struct mq_attr a = { .mq_maxmsg = 0, .mq_msgsize = 10 };
	char longer[300];
	mqd_t q, other;

	CHECK_ERR(mq_open(NAME, O_RDONLY), ENOENT);
	CHECK_ERR(mq_open(NAME, O_RDWR | O_CREAT, 0600, &a), EINVAL);
	CHECK_ERR(syscall(SYS_mq_open, "a/b", O_RDONLY, 0, NULL), EACCES);
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[299] = '\0';
	CHECK_ERR(mq_open(longer, O_RDONLY), ENAMETOOLONG);
	q = mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	REQUIRE(q != -1);
	CHECK_ERR(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST);
	other = mq_open(NAME, O_RDONLY);
	CHECK(other != -1 && other != q);
	CHECK_RET(fcntl(q, F_GETFD), FD_CLOEXEC);
	CHECK_RET(mq_unlink(NAME), 0);
	CHECK_ERR(mq_unlink(NAME), ENOENT);
	CHECK_ERR(mq_open(NAME, O_RDONLY), ENOENT);
	CHECK_RET(mq_send(q, "still", 5, 0), 0); /* it lives on */
	CHECK_RET(mq_close(q), 0);
	CHECK_ERR(mq_send(other, "x", 1, 0), EBADF);
	CHECK_RET(mq_close(other), 0);
	CHECK_ERR(mq_close(other), EBADF);
	CHECK_ERR(mq_send(1, "x", 1, 0), EBADF);
}

static void
order(void)
{
	struct mq_attr a = { .mq_maxmsg = 4, .mq_msgsize = 16 }, b;
	struct timespec past = { 1, 0 }, bad = { 1, -1 };
	struct pollfd pfd = { .events = POLLIN | POLLOUT };
	char buf[16];
	unsigned prio;
	mqd_t q = mq_open(NAME, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &a);

	REQUIRE(q != -1);
	CHECK_RET(mq_getattr(q, &b), 0);
	CHECK_RET(b.mq_maxmsg, 4);
	CHECK_RET(b.mq_msgsize, 16);
	CHECK_RET(b.mq_curmsgs, 0);
	CHECK_RET(b.mq_flags, O_NONBLOCK);
	pfd.fd = q;
	CHECK_RET(poll(&pfd, 1, 0), 1);
	CHECK_RET(pfd.revents, POLLOUT);
	CHECK_ERR(mq_receive(q, buf, sizeof(buf), NULL), EAGAIN);
	CHECK_ERR(mq_receive(q, buf, 15, NULL), EMSGSIZE);
	CHECK_ERR(mq_send(q, buf, 17, 0), EMSGSIZE);
	CHECK_ERR(mq_send(q, buf, 1, 32768), EINVAL);
	CHECK_RET(mq_send(q, "low", 3, 1), 0);
	CHECK_RET(mq_send(q, "high", 4, 9), 0);
	CHECK_RET(mq_send(q, "low2", 4, 1), 0);
	CHECK_RET(mq_send(q, "", 0, 5), 0);
	CHECK_ERR(mq_send(q, "full", 4, 1), EAGAIN);
	CHECK_RET(poll(&pfd, 1, 0), 1);
	CHECK_RET(pfd.revents, POLLIN);
	CHECK_RET(mq_receive(q, buf, sizeof(buf), &prio), 4);
	CHECK_MEM(buf, "high", 4);
	CHECK_RET(prio, 9);
	CHECK_RET(mq_receive(q, buf, sizeof(buf), &prio), 0);
	CHECK_RET(prio, 5);
	CHECK_RET(mq_receive(q, buf, sizeof(buf), &prio), 3);
	CHECK_RET(mq_receive(q, buf, sizeof(buf), &prio), 4);
	CHECK_MEM(buf, "low2", 4);
	b.mq_flags = 0;
	CHECK_RET(mq_setattr(q, &b, &a), 0);
	CHECK_RET(a.mq_flags, O_NONBLOCK);
	CHECK_ERR(mq_timedreceive(q, buf, sizeof(buf), NULL, &past), ETIMEDOUT);
	CHECK_ERR(mq_timedreceive(q, buf, sizeof(buf), NULL, &bad), EINVAL);
	b.mq_flags = O_APPEND;
	CHECK_ERR(mq_setattr(q, &b, NULL), EINVAL);
	CHECK_RET(mq_close(q), 0);
	CHECK_RET(mq_unlink(NAME), 0);
}

static void
between(void)
{
	struct mq_attr a = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, &a);
	char buf[8];
	pid_t pid;
	int i, n;

	REQUIRE(q != -1);
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < 300; i++)
			if (mq_send(q, (char *)&i, sizeof(i), 0) != 0)
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < 300; i++)
		if (mq_receive(q, buf, sizeof(buf), NULL) != sizeof(n) ||
		    (memcpy(&n, buf, sizeof(n)), n != i))
			break;
	CHECK_RET(i, 300);
	CHECK_RET(ended(pid), 0);
	CHECK_RET(mq_close(q), 0);
	CHECK_RET(mq_unlink(NAME), 0);
}

static volatile int told, told_value;

static void
on_message(int sig, siginfo_t *info, void *context)
{
	(void)context;
	told = sig;
	told_value = info->si_value.sival_int;
}

static void
notified(void)
{
	struct sigaction sa = { .sa_sigaction = on_message,
		.sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1 };
	mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, NULL);
	pid_t pid;
	char buf[8192];

	REQUIRE(q != -1);
	ev.sigev_value.sival_int = 77;
	sigaction(SIGUSR1, &sa, NULL);
	CHECK_RET(mq_notify(q, &ev), 0);
	CHECK_ERR(mq_notify(q, &ev), EBUSY);
	pid = fork();
	if (pid == 0)
		_exit(mq_send(q, "x", 1, 0) != 0);
	CHECK_RET(ended(pid), 0);
	CHECK_RET(told, SIGUSR1);
	CHECK_RET(told_value, 77);
	told = 0;
	CHECK_RET(mq_send(q, "y", 1, 0), 0); /* once only, and not empty */
	CHECK_RET(told, 0);
	CHECK_RET(mq_notify(q, &ev), 0);
	CHECK_RET(mq_send(q, "z", 1, 0), 0);
	CHECK_RET(told, 0);
	CHECK_RET(mq_notify(q, NULL), 0);
	CHECK_RET(mq_receive(q, buf, sizeof(buf), NULL), 1);
	ev.sigev_signo = 65;
	CHECK_ERR(mq_notify(q, &ev), EINVAL);
	CHECK_RET(mq_close(q), 0);
	CHECK_RET(mq_unlink(NAME), 0);
}

static int told_by[2]; /* a pipe */

static void
on_thread(union sigval value)
{
	if (write(told_by[1], value.sival_ptr, 1) != 1)
		_exit(9);
}

/* The C library's thread hears of it by a netlink socket. */
static void
thread_notified(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD };
	mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, NULL);
	char buf[8192], c = 0;
	int i;

	REQUIRE(q != -1 && pipe(told_by) == 0);
	ev.sigev_notify_function = on_thread;
	ev.sigev_value.sival_ptr = "t";
	for (i = 0; i < 3; i++) {
		CHECK_RET(mq_notify(q, &ev), 0);
		CHECK_ERR(mq_notify(q, &ev), EBUSY);
		CHECK_RET(mq_send(q, "x", 1, 0), 0);
		CHECK_RET(read(told_by[0], &c, 1), 1);
		CHECK(c == 't');
		CHECK_RET(mq_receive(q, buf, sizeof(buf), NULL), 1);
	}
	CHECK_RET(mq_notify(q, &ev), 0);
	CHECK_RET(mq_notify(q, NULL), 0);
	CHECK_RET(mq_send(q, "x", 1, 0), 0);
	CHECK_RET(mq_notify(q, &ev), 0);
	CHECK_RET(mq_close(q), 0);
	CHECK_RET(mq_unlink(NAME), 0);
}

/* What the library does, by hand: the cookie as it comes back. */
static void
cookie(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD };
	mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, NULL);
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0), extra;
	char told[64], bytes[32] = "made of what the library likes";

	REQUIRE(q != -1 && nl != -1);
	ev.sigev_value.sival_ptr = NULL;
	ev.sigev_signo = nl;
	CHECK_ERR(syscall(SYS_mq_notify, q, &ev), EFAULT);
	ev.sigev_value.sival_ptr = bytes;
	ev.sigev_signo = 999;
	CHECK_ERR(syscall(SYS_mq_notify, q, &ev), EBADF);
	ev.sigev_signo = told_by[0];
	CHECK_ERR(syscall(SYS_mq_notify, q, &ev), ENOTSOCK);
	ev.sigev_signo = nl;
	CHECK_RET(syscall(SYS_mq_notify, q, &ev), 0);
	CHECK_RET(mq_send(q, "x", 1, 0), 0);
	CHECK_RET(recv(nl, told, sizeof(told), 0), 32);
	CHECK(memcmp(told, bytes, 31) == 0 && told[31] == 1);
	CHECK_RET(syscall(SYS_mq_notify, q, &ev), 0);
	CHECK_RET(syscall(SYS_mq_notify, q, NULL), 0);
	CHECK_RET(recv(nl, told, sizeof(told), 0), 32);
	CHECK(told[31] == 2);
	CHECK_RET(syscall(SYS_mq_notify, q, &ev), 0);
	extra = dup(q);
	CHECK_RET(close(extra), 0); /* any of them */
	CHECK_RET(recv(nl, told, sizeof(told), MSG_DONTWAIT), 32);
	CHECK(told[31] == 2);
	CHECK_RET(syscall(SYS_mq_notify, q, &ev), 0);
	CHECK_RET(close(nl), 0); /* the queue still has it */
	CHECK_RET(mq_close(q), 0);
	CHECK_RET(mq_unlink(NAME), 0);
}

int
main(void)
{
	mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, NULL);

	if (q == -1 && errno == ENOSYS) {
		check_note("a kernel without message queues");
		CHECK_ERR(mq_open(NAME, O_RDONLY), ENOSYS);
		return check_done();
	}
	mq_close(q);
	mq_unlink(NAME);
	names();
	order();
	between();
	notified();
	thread_notified();
	cookie();
	return check_done();
}
