/* SPDX-License-Identifier: ISC */
/*
 * sys_poll.c - poll(2), ppoll(2), select(2), pselect(2), epoll(7).
 */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define BAD ((void *)8)

static int p[2];
static char buf[16];
static volatile int alarms;

static void
on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* Again and again, for the first may come before the call; 0: no more. */
static void
alarm_ms(int ms)
{
	struct itimerval it = { { 0, ms * 20000 }, { 0, ms * 1000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

static void
polling(void)
{
	struct pollfd f[3] = { { p[0], POLLIN, 0 }, { p[1], POLLOUT, 0 },
		{ -1, POLLIN, 77 } };
	struct timespec ts = { 0, 20000000 }, bad = { 0, 1000000000 };
	sigset_t none;
	long before;
	int null = open("/dev/null", O_RDWR);

	sigemptyset(&none);
	CHECK_RET(poll(f, 3, 0), 1);
	CHECK_RET(f[0].revents, 0);
	CHECK_RET(f[1].revents, POLLOUT);
	CHECK_RET(f[2].revents, 0);
	CHECK_RET(write(p[1], "x", 1), 1);
	CHECK_RET(poll(f, 3, -1), 2);
	CHECK_RET(f[0].revents, POLLIN);
	CHECK_RET(read(p[0], buf, 1), 1);
	before = check_now_ms();
	CHECK_RET(poll(f, 1, 20), 0);
	CHECK(check_now_ms() - before >= 19);
	CHECK_RET(poll(NULL, 0, 1), 0);
	before = check_now_ms();
	CHECK_RET(ppoll(f, 1, &ts, NULL), 0);
	CHECK(check_now_ms() - before >= 19);
	CHECK_ERR(ppoll(f, 1, &bad, NULL), EINVAL);
	bad.tv_nsec = 0;
	bad.tv_sec = -1;
	CHECK_ERR(ppoll(f, 1, &bad, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_ppoll, f, 1, &ts, &none, 7), EINVAL);
	CHECK_ERR(syscall(SYS_ppoll, f, 1, BAD, NULL, 8), EFAULT);
	CHECK_ERR(syscall(SYS_ppoll, f, 1, &ts, BAD, 8), EFAULT);
	CHECK_ERR(syscall(SYS_poll, BAD, 1, 0), EFAULT);
	CHECK_ERR(syscall(SYS_poll, f, 0x7fffffff, 0), EINVAL);
	f[0].fd = 99;
	f[2].fd = null;
	CHECK_RET(poll(f, 3, -1), 3);
	CHECK_RET(f[0].revents, POLLNVAL);
	CHECK_RET(f[2].revents, POLLIN);
	f[0].fd = p[0];
	signal(SIGALRM, on_alarm);
	alarm_ms(10);
	CHECK_ERR(poll(f, 1, 10000), EINTR);
	alarm_ms(0);
	CHECK(alarms >= 1);
	close(null);
}

static void
selecting(void)
{
	struct timeval tv = { 0, 20000 }, bad = { -1, 0 };
	struct timespec ts = { 0, 1000000 };
	fd_set in, out;
	long before;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p[0], &in);
	FD_SET(p[1], &out);
	CHECK_RET(select(p[1] + 1, &in, &out, NULL, NULL), 1);
	CHECK(!FD_ISSET(p[0], &in) && FD_ISSET(p[1], &out));
	FD_SET(p[0], &in);
	before = check_now_ms();
	CHECK_RET(syscall(SYS_select, p[0] + 1, &in, NULL, NULL, &tv), 0);
	CHECK(check_now_ms() - before >= 19);
	CHECK(!FD_ISSET(p[0], &in));
	CHECK_RET(tv.tv_sec + tv.tv_usec, 0);
	CHECK_RET(write(p[1], "x", 1), 1);
	FD_SET(p[0], &in);
	CHECK_RET(select(p[0] + 1, &in, NULL, NULL, NULL), 1);
	CHECK(FD_ISSET(p[0], &in));
	CHECK_RET(read(p[0], buf, 1), 1);
	CHECK_ERR(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	CHECK_ERR(select(p[0] + 1, &in, NULL, NULL, &bad), EINVAL);
	CHECK_ERR(syscall(SYS_select, p[0] + 1, BAD, NULL, NULL, NULL), EFAULT);
	FD_ZERO(&in);
	FD_SET(60, &in);
	CHECK_ERR(select(61, &in, NULL, NULL, NULL), EBADF);
	CHECK_RET(pselect(0, NULL, NULL, NULL, &ts, NULL), 0);
	ts.tv_nsec = -1;
	CHECK_ERR(pselect(0, NULL, NULL, NULL, &ts, NULL), EINVAL);
	alarm_ms(10);
	FD_ZERO(&in);
	FD_SET(p[0], &in);
	CHECK_ERR(select(p[0] + 1, &in, NULL, NULL, NULL), EINTR);
	alarm_ms(0);
}

/* A signal that is blocked but for the time of the call. */
static void
masks(void)
{
	struct pollfd f = { p[0], POLLIN, 0 };
	struct timespec ts = { 5, 0 };
	sigset_t block, old, now;
	int before = alarms;

	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, &old);
	raise(SIGALRM);
	CHECK_RET(alarms, before);
	CHECK_ERR(ppoll(&f, 1, &ts, &old), EINTR);
	CHECK_RET(alarms, before + 1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	CHECK(sigismember(&now, SIGALRM) == 1);
	raise(SIGALRM);
	CHECK_ERR(pselect(0, NULL, NULL, NULL, &ts, &old), EINTR);
	CHECK_RET(alarms, before + 2);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static int
ctl(int ep, int op, int fd, unsigned events, int data)
{
	struct epoll_event e = { .events = events, .data.u64 = 0 };

	e.data.fd = data;
	return epoll_ctl(ep, op, fd, &e);
}

static void
epoll_errors(int ep)
{
	struct epoll_event e[2];
	char path[] = "/tmp/sys_poll.XXXXXX";
	int file = mkstemp(path);

	CHECK_ERR(syscall(SYS_epoll_create, 0), EINVAL);
	CHECK_ERR(epoll_create1(1), EINVAL);
	CHECK_ERR(ctl(-1, EPOLL_CTL_ADD, p[0], EPOLLIN, 0), EBADF);
	CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, -1, EPOLLIN, 0), EBADF);
	CHECK_ERR(ctl(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 0), EINVAL);
	CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0), EINVAL);
	CHECK_ERR(ctl(ep, 9, p[0], EPOLLIN, 0), EINVAL);
	CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, file, EPOLLIN, 0), EPERM);
	CHECK_ERR(ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0), ENOENT);
	CHECK_ERR(ctl(ep, EPOLL_CTL_MOD, p[0], 0, 0), ENOENT);
	CHECK_ERR(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[0], BAD), EFAULT);
	CHECK_ERR(epoll_wait(ep, e, 0, 0), EINVAL);
	CHECK_ERR(epoll_wait(p[0], e, 1, 0), EINVAL);
	CHECK_ERR(epoll_wait(-1, e, 1, 0), EBADF);
	CHECK_ERR(syscall(441 /* epoll_pwait2 */, ep, e, 1,
		      &(struct timespec){ 0, -1 }, NULL, 8),
	    EINVAL);
	CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, p[0],
		      EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0),
	    EINVAL);
	close(file);
	unlink(path);
}

static void
epoll_kinds(int ep)
{
	struct epoll_event e[4];
	long before;

	CHECK_RET(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 11), 0);
	CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 11), EEXIST);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 0);
	before = check_now_ms();
	CHECK_RET(epoll_wait(ep, e, 4, 20), 0);
	CHECK(check_now_ms() - before >= 19);
	CHECK_RET(write(p[1], "ab", 2), 2);
	CHECK_RET(epoll_wait(ep, e, 4, -1), 1); /* level: again and again */
	CHECK_RET(epoll_wait(ep, e, 4, -1), 1);
	CHECK_RET(e[0].data.fd, 11);
	CHECK_RET(e[0].events, EPOLLIN);
	CHECK_ERR(syscall(SYS_epoll_wait, ep, BAD, 1, 0), EFAULT);
	CHECK_RET(read(p[0], buf, 1), 1);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 1);
	CHECK_RET(read(p[0], buf, 1), 1);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 0);
	CHECK_RET(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 12), 0);
	CHECK_RET(write(p[1], "a", 1), 1);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 1); /* edge: once a write */
	CHECK_RET(epoll_wait(ep, e, 4, 0), 0);
	CHECK_RET(write(p[1], "b", 1), 1);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 1);
	CHECK_RET(e[0].data.fd, 12);
	CHECK_RET(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 13), 0);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 1);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 0);
	CHECK_RET(write(p[1], "c", 1), 1);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 0);
	CHECK_RET(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 14), 0);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 1);
	CHECK_RET(e[0].data.fd, 14);
	CHECK_RET(ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0), 0);
	CHECK_RET(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 15),
	    0);
	CHECK_ERR(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 15), EINVAL);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 1);
	CHECK_RET(ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0), 0);
	CHECK_RET(read(p[0], buf, 16), 3);
}

static void
epoll_lives(int ep)
{
	struct epoll_event e[4];
	struct pollfd f;
	int q[2], copy, outer = epoll_create1(EPOLL_CLOEXEC), n;

	/* An item lives as long as its open file, not its descriptor. */
	REQUIRE(pipe(q) == 0);
	CHECK_RET(ctl(ep, EPOLL_CTL_ADD, q[0], EPOLLIN, 21), 0);
	CHECK_RET(ctl(ep, EPOLL_CTL_ADD, q[1], EPOLLOUT, 22), 0);
	copy = dup(q[0]);
	CHECK_RET(ctl(ep, EPOLL_CTL_ADD, copy, EPOLLIN, 23), 0);
	CHECK_RET(write(q[1], "x", 1), 1);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 3);
	close(q[0]);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 3);
	close(copy);
	n = epoll_wait(ep, e, 4, 0);
	CHECK_RET(n, 1);
	CHECK_RET(e[0].data.fd, 22);
	CHECK_RET(e[0].events, EPOLLOUT | EPOLLERR);
	close(q[1]);
	CHECK_RET(epoll_wait(ep, e, 4, 0), 0);
	/* Nested. */
	CHECK_RET(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 31), 0);
	CHECK_RET(ctl(outer, EPOLL_CTL_ADD, ep, EPOLLIN, 32), 0);
	CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, outer, EPOLLIN, 33), ELOOP);
	CHECK_RET(epoll_wait(outer, e, 4, 0), 0);
	f = (struct pollfd){ ep, POLLIN, 0 };
	CHECK_RET(poll(&f, 1, 0), 0);
	CHECK_RET(write(p[1], "x", 1), 1);
	CHECK_RET(epoll_wait(outer, e, 4, -1), 1);
	CHECK_RET(e[0].data.fd, 32);
	CHECK_RET(poll(&f, 1, -1), 1);
	CHECK_RET(read(p[0], buf, 1), 1);
	CHECK_RET(epoll_wait(outer, e, 4, 0), 0);
	CHECK_RET(poll(&f, 1, 0), 0);
	alarm_ms(10);
	CHECK_ERR(epoll_wait(outer, e, 4, -1), EINTR);
	alarm_ms(0);
	close(outer);
}

int
main(void)
{
	int ep;

	mkdir("/tmp", 01777);
	REQUIRE(pipe2(p, O_NONBLOCK) == 0);
	polling();
	selecting();
	masks();
	REQUIRE((ep = epoll_create1(0)) >= 0);
	epoll_errors(ep);
	epoll_kinds(ep);
	epoll_lives(ep);
	return check_done();
}
