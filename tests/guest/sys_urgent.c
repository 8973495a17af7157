/* SPDX-License-Identifier: ISC */
/*
 * sys_urgent.c - TCP's urgent byte: MSG_OOB, SO_OOBINLINE, SIOCATMARK, POLLPRI
 * and SIGURG.  tcp(7), send(2), recv(2).
 */
#include "check.h"
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>

static volatile sig_atomic_t told;

static void
on_urgent(int sig)
{
	(void)sig;
	told++;
}

/* Both ends of a connection of the machine with itself. */
static void
connect_pair(int fd[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(l, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(l, 1) != 0 || getsockname(l, (struct sockaddr *)&a, &len) ||
	    connect(fd[0], (struct sockaddr *)&a, sizeof(a)) != 0)
		exit(1);
	fd[1] = accept(l, NULL, NULL);
	close(l);
}

static void
close_pair(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

static short
events_of(int fd, short wanted, int ms)
{
	struct pollfd p = { .fd = fd, .events = wanted };

	(void)poll(&p, 1, ms);
	return p.revents;
}

/* Until the urgent byte is there: up to a minute. */
static void
await_urgent(int fd)
{
	CHECK((events_of(fd, POLLPRI, 60000) & POLLPRI) != 0);
}

static void
await_bytes(int fd, int n)
{
	int there = 0, i;

	for (i = 0; i < 60000 && there < n; i++) {
		ioctl(fd, FIONREAD, &there);
		if (there < n)
			usleep(1000);
	}
	CHECK(there == n);
}

static bool
at_mark(int fd)
{
	int mark = -1;

	CHECK_RET(ioctl(fd, SIOCATMARK, &mark), 0);
	return mark == 1;
}

static int
to_read(int fd)
{
	int n = -1;

	CHECK_RET(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

static bool
reads(int fd, const char *wanted, int flags)
{
	char got[64] = "";
	ssize_t n = recv(fd, got, sizeof(got), flags);

	return n == (ssize_t)strlen(wanted) && memcmp(got, wanted, n) == 0;
}

static void
nothing_urgent(void)
{
	char c;
	int fd[2];

	connect_pair(fd);
	CHECK_ERR(recv(fd[1], &c, 1, MSG_OOB), EINVAL);
	CHECK(!at_mark(fd[1]));
	CHECK_RET(send(fd[0], "abc", 3, 0), 3);
	await_bytes(fd[1], 3);
	CHECK(events_of(fd[1], POLLPRI | POLLIN, 0) == POLLIN);
	CHECK_ERR(recv(fd[1], &c, 1, MSG_OOB), EINVAL);
	CHECK(reads(fd[1], "abc", 0));
	close_pair(fd);
}

/* "abcD", then "ef": D is urgent. */
static void
apart(void)
{
	struct msghdr m = { 0 };
	struct iovec v;
	char c = 0, two[2] = "";
	int fd[2];

	connect_pair(fd);
	CHECK_RET(send(fd[0], "abcD", 4, MSG_OOB), 4);
	await_urgent(fd[1]);
	CHECK_RET(send(fd[0], "ef", 2, 0), 2);
	CHECK(!at_mark(fd[1]));
	CHECK(to_read(fd[1]) == 3);
	CHECK((events_of(fd[1], POLLPRI | POLLIN | POLLRDBAND, 0) & POLLPRI) !=
	    0);
	CHECK_RET(recv(fd[1], &c, 1, MSG_OOB | MSG_PEEK), 1);
	CHECK(c == 'D');
	v = (struct iovec){ two, 2 };
	m.msg_iov = &v;
	m.msg_iovlen = 1;
	CHECK_RET(recvmsg(fd[1], &m, MSG_OOB), 1);
	CHECK(two[0] == 'D' && m.msg_flags == MSG_OOB);
	CHECK_ERR(recv(fd[1], &c, 1, MSG_OOB), EINVAL);
	CHECK((events_of(fd[1], POLLPRI, 0) & POLLPRI) == 0);
	/* What was read is still the mark. */
	CHECK(reads(fd[1], "abc", 0));
	CHECK(at_mark(fd[1]));
	CHECK((events_of(fd[1], POLLIN, 60000) & POLLIN) != 0);
	CHECK(reads(fd[1], "ef", MSG_WAITALL | MSG_DONTWAIT));
	CHECK(!at_mark(fd[1]));
	close_pair(fd);
}

/* A read ends at the mark, even one that wants all; one not asked for is lost. */
static void
reads_end_there(void)
{
	char all[16], c;
	int fd[2];

	connect_pair(fd);
	CHECK_RET(send(fd[0], "abcD", 4, MSG_OOB), 4);
	CHECK_RET(send(fd[0], "ef", 2, 0), 2);
	await_urgent(fd[1]);
	CHECK_RET(recv(fd[1], all, 2, MSG_PEEK), 2);
	CHECK_RET(recv(fd[1], all, sizeof(all), MSG_WAITALL), 3);
	CHECK_RET(recv(fd[1], all, 2, MSG_WAITALL), 2);
	CHECK(memcmp(all, "ef", 2) == 0);
	CHECK_ERR(recv(fd[1], &c, 1, MSG_OOB), EINVAL);
	close_pair(fd);
}

/* Only the urgent byte is there: it is nothing to read. */
static void
alone(void)
{
	char c = 0;
	int fd[2];

	connect_pair(fd);
	CHECK_RET(send(fd[0], "!", 1, MSG_OOB), 1);
	await_urgent(fd[1]);
	CHECK(at_mark(fd[1]));
	CHECK((events_of(fd[1], POLLIN | POLLPRI, 0) & (POLLIN | POLLPRI)) ==
	    POLLPRI);
	CHECK(to_read(fd[1]) == 0);
	CHECK_ERR(recv(fd[1], &c, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(!at_mark(fd[1])); /* it was passed by, and is gone */
	CHECK_ERR(recv(fd[1], &c, 1, MSG_OOB), EINVAL);
	CHECK_RET(send(fd[0], "?", 1, MSG_OOB), 1);
	await_urgent(fd[1]);
	CHECK_RET(recv(fd[1], &c, 1, MSG_OOB), 1);
	CHECK(c == '?');
	close_pair(fd);
}

static void
in_line(void)
{
	int fd[2], on = 1, is = 0;
	socklen_t len = sizeof(is);
	char c;

	connect_pair(fd);
	CHECK_RET(setsockopt(fd[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)),
	    0);
	CHECK_RET(getsockopt(fd[1], SOL_SOCKET, SO_OOBINLINE, &is, &len), 0);
	CHECK(is == 1);
	CHECK_RET(send(fd[0], "abD", 3, MSG_OOB), 3);
	CHECK_RET(send(fd[0], "ef", 2, 0), 2);
	await_bytes(fd[1], 5);
	await_urgent(fd[1]);
	CHECK_ERR(recv(fd[1], &c, 1, MSG_OOB), EINVAL);
	CHECK(reads(fd[1], "ab", 0));
	CHECK(at_mark(fd[1]));
	CHECK((events_of(fd[1], POLLIN, 0) & POLLIN) != 0);
	CHECK(reads(fd[1], "Def", 0));
	CHECK(!at_mark(fd[1]));
	close_pair(fd);
}

/* A second one moves the mark; the first becomes a byte as others. */
static void
the_mark_moves(void)
{
	char c = 0;
	int fd[2];

	connect_pair(fd);
	CHECK_RET(send(fd[0], "aB", 2, MSG_OOB), 2);
	await_urgent(fd[1]);
	CHECK_RET(recv(fd[1], &c, 1, MSG_OOB), 1);
	CHECK(c == 'B');
	CHECK_RET(send(fd[0], "cD", 2, MSG_OOB), 2);
	await_urgent(fd[1]);
	CHECK_RET(recv(fd[1], &c, 1, MSG_OOB), 1);
	CHECK(c == 'D');
	CHECK(reads(fd[1], "aBc", 0));
	CHECK(at_mark(fd[1]));
	close_pair(fd);
}

/* ... or is left out, if the reader stands before it. */
static void
the_mark_moves_from_here(void)
{
	char c;
	int fd[2];

	connect_pair(fd);
	CHECK_RET(send(fd[0], "aB", 2, MSG_OOB), 2);
	await_urgent(fd[1]);
	CHECK_RET(recv(fd[1], &c, 1, 0), 1);
	CHECK(at_mark(fd[1]));
	CHECK_RET(recv(fd[1], &c, 1, MSG_OOB), 1);
	CHECK_RET(send(fd[0], "cD", 2, MSG_OOB), 2);
	await_urgent(fd[1]);
	CHECK(reads(fd[1], "c", 0));
	close_pair(fd);
}

static void
exceptional_set(void)
{
	struct timeval tv = { 60, 0 };
	fd_set set;
	int fd[2];

	connect_pair(fd);
	CHECK_RET(send(fd[0], "x", 1, MSG_OOB), 1);
	FD_ZERO(&set);
	FD_SET(fd[1], &set);
	CHECK_RET(select(fd[1] + 1, NULL, NULL, &set, &tv), 1);
	CHECK(FD_ISSET(fd[1], &set));
	close_pair(fd);
}

static void
owners(int fd)
{
	int pid = getpid(), who = 0;

	CHECK_RET(ioctl(fd, SIOCGPGRP, &who), 0);
	CHECK(who == 0);
	CHECK_RET(ioctl(fd, SIOCSPGRP, &pid), 0);
	CHECK_RET(ioctl(fd, FIOGETOWN, &who), 0);
	CHECK(who == pid);
	CHECK_RET(fcntl(fd, F_GETOWN), pid);
	who = 0;
	CHECK_RET(ioctl(fd, FIOSETOWN, &who), 0);
	CHECK_RET(fcntl(fd, F_GETOWN), 0);
}

static void
signals(void)
{
	sigset_t urgent, none;
	struct timespec minute = { 60, 0 };
	siginfo_t info = { 0 };
	int fd[2];

	sigemptyset(&none);
	sigemptyset(&urgent);
	sigaddset(&urgent, SIGURG);
	signal(SIGURG, on_urgent);
	connect_pair(fd);
	owners(fd[1]);
	sigprocmask(SIG_BLOCK, &urgent, NULL);
	CHECK_RET(fcntl(fd[1], F_SETOWN, getpid()), 0);
	CHECK_RET(send(fd[0], "x", 1, 0), 1);
	CHECK_RET(send(fd[0], "y", 1, MSG_OOB), 1);
	CHECK_RET(sigtimedwait(&urgent, &info, &minute), SIGURG);
	CHECK(info.si_code == SI_KERNEL);
	CHECK_RET(fcntl(fd[1], F_SETOWN, 0), 0);
	CHECK_RET(send(fd[0], "z", 1, MSG_OOB), 1);
	await_bytes(fd[1], 2); /* x and y: the mark has moved */
	await_urgent(fd[1]);
	CHECK(sigpending(&none) == 0 && !sigismember(&none, SIGURG));
	sigprocmask(SIG_UNBLOCK, &urgent, NULL);
	CHECK(told == 0);
	close_pair(fd);
}

static void
others(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];
	char c;

	CHECK_ERR(recv(fd, &c, 1, MSG_OOB | MSG_DONTWAIT), EAGAIN);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERR(recv(fd, &c, 1, MSG_OOB), EINVAL);
	close(fd);
	connect_pair(pair);
	CHECK_RET(shutdown(pair[0], SHUT_WR), 0);
	CHECK_ERR(send(pair[0], "x", 1, MSG_OOB | MSG_NOSIGNAL), EPIPE);
	close_pair(pair);
}

/* Behind more than a window of data that nobody reads. */
static void
behind_much(void)
{
	static char much[65536];
	char c = 0;
	int fd[2];
	long sent = 0, got = 0, n;

	connect_pair(fd);
	while ((n = send(fd[0], much, sizeof(much), MSG_DONTWAIT)) > 0 &&
	    sent < 4000000)
		sent += n;
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	while (got < sent) {
		n = recv(fd[1], much, sizeof(much), 0);
		if (n <= 0)
			break;
		got += n;
	}
	CHECK(got == sent);
	fcntl(fd[0], F_SETFL, 0);
	CHECK_RET(send(fd[0], "z!", 2, MSG_OOB), 2);
	await_urgent(fd[1]);
	CHECK_RET(recv(fd[1], &c, 1, MSG_OOB), 1);
	CHECK(c == '!');
	CHECK(reads(fd[1], "z", 0));
	close_pair(fd);
}

int
main(void)
{
	alarm(300);
	nothing_urgent();
	apart();
	reads_end_there();
	alone();
	in_line();
	the_mark_moves();
	the_mark_moves_from_here();
	exceptional_set();
	signals();
	others();
	behind_much();
	return check_done();
}
