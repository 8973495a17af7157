/* SPDX-License-Identifier: ISC */
/*
 * sys_unix.c - sockets between processes: unix(7), socket(7), send(2),
 * recv(2), cmsg(3).
 */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

static char buf[300000], big[300000];
static char dir[] = "/tmp/sys_unix.XXXXXX";
static volatile int got_sigpipe;

static void
on_sigpipe(int sig)
{
	(void)sig;
	got_sigpipe++;
}

static int
poll_one(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static socklen_t
name_path(struct sockaddr_un *a, const char *file)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof(a->sun_path), "%s/%s", dir, file);
	return (socklen_t)sizeof(*a);
}

static socklen_t
name_abstract(struct sockaddr_un *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path + 1, text, strlen(text));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    strlen(text));
}

static int
option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

static void
making(void)
{
	int s, p[2];

	CHECK_ERR(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERR(socket(46, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, 20, 0), EINVAL);
	CHECK_ERR(socket(AF_UNIX, 7, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
	s = (int)CHECK_OK(
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	CHECK_RET(fcntl(s, F_GETFD), FD_CLOEXEC);
	CHECK_RET(fcntl(s, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_RET(option(s, SO_TYPE), SOCK_STREAM);
	CHECK_RET(option(s, SO_DOMAIN), AF_UNIX);
	CHECK_RET(option(s, SO_PROTOCOL), 0);
	CHECK_RET(option(s, SO_ERROR), 0);
	CHECK_RET(option(s, SO_ACCEPTCONN), 0);
	CHECK_RET(poll_one(s), POLLOUT | POLLHUP);
	CHECK_ERR(read(s, buf, 1), EINVAL);
	CHECK_ERR(send(s, "x", 1, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERR(listen(s, 1), EINVAL);
	CHECK_ERR(accept(s, NULL, NULL), EINVAL);
	CHECK_ERR(lseek(s, 0, SEEK_CUR), ESPIPE);
	CHECK_RET(close(s), 0);
	CHECK_ERR(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8), EFAULT);
	CHECK_ERR(listen(0, 1), ENOTSOCK);
	CHECK_ERR(listen(99, 1), EBADF);
	CHECK_RET(socketpair(AF_UNIX, SOCK_RAW, 0, p), 0);
	CHECK_RET(option(p[0], SO_TYPE), SOCK_DGRAM);
	CHECK_ERR(listen(p[0], 1), EOPNOTSUPP);
	CHECK_ERR(accept(p[0], NULL, NULL), EOPNOTSUPP);
	close(p[0]);
	close(p[1]);
}

static void
stream_pair(void)
{
	struct iovec v = { buf, 10 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	long total = 0, n, i;
	int p[2], x;

	CHECK_RET(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p), 0);
	CHECK_RET(poll_one(p[0]), POLLOUT);
	CHECK_ERR(read(p[0], buf, 1), EAGAIN);
	CHECK_RET(write(p[0], "hello", 5), 5);
	CHECK_RET(write(p[0], " world", 6), 6);
	CHECK_RET(ioctl(p[1], FIONREAD, &x), 0);
	CHECK_RET(x, 11);
	CHECK_RET(poll_one(p[1]), POLLIN | POLLOUT);
	CHECK_RET(recv(p[1], buf, 100, MSG_PEEK), 11);
	CHECK_RET(recv(p[1], buf, 3, 0), 3);
	CHECK_MEM(buf, "hel", 3);
	CHECK_RET(recvmsg(p[1], &m, 0), 8);
	CHECK_MEM(buf, "lo world", 8);
	CHECK_RET(m.msg_flags, 0);
	CHECK_ERR(recv(p[1], buf, 1, 0), EAGAIN);
	CHECK_ERR(sendto(p[0], "x", 1, 0, (struct sockaddr *)buf, 110),
	    EISCONN);
	CHECK_ERR(syscall(SYS_sendto, p[0], 8, 1, 0, 0, 0), EFAULT);
	CHECK_RET(write(p[0], "y", 1), 1);
	CHECK_ERR(syscall(SYS_recvfrom, p[1], 8, 1, 0, 0, 0), EFAULT);
	CHECK_RET(read(p[1], buf, 9), 1);
	for (i = 0; i < (long)sizeof(big); i++)
		big[i] = (char)(i * 13 + i / 256);
	n = write(p[0], big, sizeof(big));
	CHECK(n > 50000 && n < (long)sizeof(big));
	CHECK_ERR(write(p[0], big, 1), EAGAIN);
	CHECK_RET(poll_one(p[0]), 0);
	while ((i = read(p[1], buf + total, 7777)) > 0)
		total += i;
	CHECK_RET(total, n);
	CHECK_MEM(buf, big, (size_t)n);
	CHECK_RET(poll_one(p[0]), POLLOUT);
	CHECK_RET(shutdown(p[0], SHUT_WR), 0);
	CHECK_ERR(shutdown(p[0], 3), EINVAL);
	CHECK_RET(read(p[1], buf, 1), 0);
	CHECK_RET(poll_one(p[1]), POLLIN | POLLOUT | POLLRDHUP);
	signal(SIGPIPE, on_sigpipe);
	CHECK_ERR(write(p[0], "x", 1), EPIPE);
	CHECK_RET(got_sigpipe, 1);
	CHECK_ERR(send(p[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_RET(got_sigpipe, 1);
	CHECK_RET(write(p[1], "back", 4), 4);
	CHECK_RET(close(p[0]), 0); /* with something unread */
	CHECK_ERR(read(p[1], buf, 9), ECONNRESET);
	CHECK_RET(read(p[1], buf, 9), 0);
	CHECK_RET(poll_one(p[1]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	CHECK_RET(got_sigpipe, 2);
	CHECK_RET(close(p[1]), 0);
}

/* And what becomes of those never accepted; closes the listener. */
static void
full_backlog(int kind, int l, const struct sockaddr_un *a, socklen_t len)
{
	int c = -1, x;

	for (x = 0; x < 3; x++) {
		c = (int)CHECK_OK(socket(AF_UNIX, kind | SOCK_NONBLOCK, 0));
		if (x < 2)
			CHECK_RET(connect(c, (const void *)a, len), 0);
		else
			CHECK_ERR(connect(c, (const void *)a, len), EAGAIN);
	}
	close(c);
	CHECK_RET(close(l), 0);
	CHECK_ERR(read(c - 1, buf, 1), ECONNRESET);
	CHECK_RET(read(c - 1, buf, 1), 0);
	close(c - 1);
	close(c - 2);
}

/* The file of a socket that is closed. */
static void
name_left_behind(int kind, const struct sockaddr_un *a, socklen_t len)
{
	int c;

	c = (int)CHECK_OK(socket(AF_UNIX, kind, 0));
	CHECK_ERR(connect(c, (const void *)a, len), ECONNREFUSED);
	CHECK_ERR(open(a->sun_path, O_RDWR), ENXIO);
	CHECK_RET(unlink(a->sun_path), 0);
	CHECK_ERR(connect(c, (const void *)a, len), ENOENT);
	close(c);
}

static void
names_and_connections(int kind, const struct sockaddr_un *a, socklen_t len)
{
	int l = (int)CHECK_OK(socket(AF_UNIX, kind, 0)), c, d;
	struct sockaddr_un got, plain = { .sun_family = AF_UNIX };
	struct ucred cred;
	socklen_t n;
	struct stat st;

	CHECK_RET(bind(l, (const void *)a, len), 0);
	CHECK_ERR(bind(l, (const void *)a, len),
	    a->sun_path[0] != '\0' ? EADDRINUSE : EINVAL);
	c = (int)CHECK_OK(socket(AF_UNIX, kind, 0));
	CHECK_ERR(bind(c, (const void *)a, len), EADDRINUSE);
	CHECK_ERR(connect(c, (const void *)a, len), ECONNREFUSED);
	CHECK_RET(listen(l, 1), 0);
	CHECK_RET(option(l, SO_ACCEPTCONN), 1);
	CHECK_RET(poll_one(l), 0);
	CHECK_ERR(connect(c, (const void *)a, 1), EINVAL);
	CHECK_ERR(connect(c, (const void *)&plain, 2), EINVAL);
	CHECK_ERR(connect(l, (const void *)a, len), EINVAL);
	if (kind == SOCK_STREAM) {
		d = (int)CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
		CHECK_ERR(connect(d, (const void *)a, len),
		    a->sun_path[0] != '\0' ? EPROTOTYPE : ECONNREFUSED);
		close(d);
	}
	CHECK_ERR(getpeername(c, (void *)&got, &n), ENOTCONN);
	CHECK_RET(connect(c, (const void *)a, len), 0);
	CHECK_ERR(connect(c, (const void *)a, len), EISCONN);
	CHECK_RET(poll_one(l), POLLIN);
	CHECK_RET(write(c, "early", 5), 5);
	memset(&got, 0x55, sizeof(got));
	n = sizeof(got);
	d = (int)CHECK_OK(accept4(l, (void *)&got, &n, SOCK_CLOEXEC));
	CHECK_RET(n, 2);
	CHECK_RET(got.sun_family, AF_UNIX);
	CHECK_RET(fcntl(d, F_GETFD), FD_CLOEXEC);
	CHECK_RET(read(d, buf, 9), 5);
	n = sizeof(got);
	CHECK_RET(getpeername(c, (void *)&got, &n), 0);
	CHECK_MEM(&got, a, n);
	CHECK_RET(n, a->sun_path[0] == 0 ? len : 3 + strlen(a->sun_path));
	n = sizeof(got);
	CHECK_RET(getsockname(d, (void *)&got, &n), 0);
	CHECK_RET(n, a->sun_path[0] == 0 ? len : 3 + strlen(a->sun_path));
	n = 1;
	CHECK_RET(getsockname(c, (void *)&got, &n), 0);
	CHECK_RET(n, 2);
	n = sizeof(cred);
	CHECK_RET(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &n), 0);
	CHECK_RET(cred.pid, getpid());
	CHECK_RET(cred.uid, geteuid());
	CHECK_RET(fstat(d, &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_RET(close(d), 0);
	CHECK_RET(read(c, buf, 1), 0);
	CHECK_RET(close(c), 0);
	full_backlog(kind, l, a, len);
	if (a->sun_path[0] != '\0')
		name_left_behind(kind, a, len);
}

static void
datagrams(void)
{
	struct sockaddr_un a, b, got;
	struct iovec v = { buf, 3 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	socklen_t alen = name_path(&a, "dgram"), blen, n;
	int s, c, i, x;

	s = (int)CHECK_OK(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	c = (int)CHECK_OK(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	CHECK_RET(poll_one(s), POLLOUT);
	CHECK_ERR(send(c, "x", 1, 0), ENOTCONN);
	CHECK_ERR(sendto(c, "x", 1, 0, (void *)&a, alen), ENOENT);
	CHECK_RET(bind(s, (void *)&a, alen), 0);
	CHECK_RET(sendto(c, "first", 5, 0, (void *)&a, alen), 5);
	n = sizeof(got);
	CHECK_RET(recvfrom(s, buf, 100, 0, (void *)&got, &n), 5);
	CHECK_RET(n, 0); /* the sender has no name */
	blen = name_abstract(&b, "sys_unix dgram");
	CHECK_RET(bind(c, (void *)&b, blen), 0);
	CHECK_RET(connect(c, (void *)&a, alen), 0);
	CHECK_RET(send(c, "second", 6, 0), 6);
	CHECK_RET(send(c, "", 0, 0), 0);
	CHECK_RET(ioctl(s, FIONREAD, &x), 0);
	CHECK_RET(x, 6);
	n = sizeof(got);
	CHECK_RET(recvfrom(s, buf, 100, MSG_PEEK, (void *)&got, &n), 6);
	CHECK_RET(n, blen);
	CHECK_MEM(&got, &b, blen);
	CHECK_RET(recvmsg(s, &m, MSG_TRUNC), 6);
	CHECK_RET(m.msg_flags, MSG_TRUNC);
	CHECK_RET(recv(s, buf, 100, 0), 0);
	CHECK_ERR(recv(s, buf, 100, 0), EAGAIN);
	CHECK_ERR(send(c, big, 250000, 0), EMSGSIZE);
	for (i = 0; send(c, "fill", 4, 0) == 4; i++)
		;
	x = errno;
	CHECK_RET(x, EAGAIN);
	CHECK(i >= 10);
	CHECK_RET(poll_one(c), 0);
	while (recv(s, buf, 100, 0) == 4)
		i--;
	CHECK_RET(i, 0);
	CHECK_RET(poll_one(c), POLLOUT);
	CHECK_RET(close(s), 0);
	CHECK_ERR(send(c, "x", 1, 0), ECONNREFUSED);
	CHECK_ERR(send(c, "x", 1, 0), ENOTCONN);
	CHECK_RET(close(c), 0);
	CHECK_RET(unlink(a.sun_path), 0);
	/* Autobind */
	s = (int)CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_RET(bind(s, (void *)&a, sizeof(sa_family_t)), 0);
	n = sizeof(got);
	CHECK_RET(getsockname(s, (void *)&got, &n), 0);
	CHECK_RET(n, 8);
	CHECK_RET(got.sun_path[0], 0);
	CHECK_RET(close(s), 0);
}

static void
packets(void)
{
	int p[2];

	CHECK_RET(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, p), 0);
	CHECK_RET(send(p[0], "one", 3, 0), 3);
	CHECK_RET(send(p[0], "two", 3, 0), 3);
	CHECK_RET(recv(p[1], buf, 2, 0), 2);
	CHECK_RET(recv(p[1], buf, 9, 0), 3);
	CHECK_MEM(buf, "two", 3);
	CHECK_ERR(recv(p[1], buf, 9, 0), EAGAIN);
	CHECK_RET(close(p[0]), 0);
	CHECK_RET(recv(p[1], buf, 9, 0), 0);
	CHECK_ERR(send(p[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_RET(close(p[1]), 0);
}

/* Sends n descriptors with `text`. */
static long
send_fds(int s, const char *text, const int *fds, int n)
{
	struct iovec v = { (char *)(uintptr_t)text, strlen(text) };
	char control[CMSG_SPACE(20 * sizeof(int))] = { 0 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
	return sendmsg(s, &m, 0);
}

/* Receives; how many descriptors came, or -1. */
static int
recv_fds(int s, int *fds, int room, int flags, long *bytes, int *answer)
{
	struct iovec v = { buf, 100 };
	char control[CMSG_SPACE(20 * sizeof(int))];
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_LEN((size_t)room * sizeof(int)) };
	struct cmsghdr *c;

	*bytes = recvmsg(s, &m, flags);
	*answer = m.msg_flags;
	c = *bytes < 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (c == NULL)
		return *bytes < 0 ? -1 : 0;
	memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

static void
descriptors(void)
{
	int p[2], pipes[2], got[4], bad = 99, answer, fd, i;
	long n;

	CHECK_RET(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	CHECK_RET(pipe(pipes), 0);
	CHECK_ERR(send_fds(p[0], "x", &bad, 1), EBADF);
	CHECK_RET(send_fds(p[0], "two", pipes, 2), 3);
	CHECK_RET(write(p[0], "rest", 4), 4);
	CHECK_RET(recv_fds(p[1], got, 2, MSG_CMSG_CLOEXEC, &n, &answer), 2);
	CHECK_RET(n, 3); /* bytes behind descriptors come alone */
	CHECK_RET(answer, MSG_CMSG_CLOEXEC);
	CHECK_RET(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	CHECK_RET(write(got[1], "via", 3), 3);
	CHECK_RET(read(pipes[0], buf, 9), 3);
	close(got[0]);
	close(got[1]);
	CHECK_RET(read(p[1], buf, 9), 4);
	CHECK_RET(send_fds(p[0], "a", pipes, 2), 1);
	CHECK_RET(recv_fds(p[1], got, 1, 0, &n, &answer), 1);
	CHECK_RET(answer, MSG_CTRUNC);
	close(got[0]);
	/* Sent and never received: the pipe's end is closed with the socket. */
	CHECK_RET(send_fds(p[0], "a", &pipes[1], 1), 1);
	close(pipes[1]);
	fd = fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	CHECK_ERR(read(pipes[0], buf, 1), EAGAIN);
	close(p[1]);
	CHECK_RET(read(pipes[0], buf, 1), 0);
	close(p[0]);
	/* A circle: a socket in its own queue, with a pipe to tell its end. */
	CHECK_RET(pipe(got), 0);
	CHECK_RET(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	CHECK_RET(send_fds(p[0], "a", &p[1], 1), 1);
	CHECK_RET(send_fds(p[1], "a", &p[0], 1), 1);
	CHECK_RET(send_fds(p[1], "a", &got[1], 1), 1);
	close(got[1]);
	close(p[0]);
	close(p[1]);
	CHECK_RET(fcntl(got[0], F_SETFL, O_NONBLOCK), 0);
	for (i = 0, n = -1; i < 100 && n < 0; i++) {
		n = read(got[0], buf, 1);
		if (n < 0) { /* Linux collects when another one closes */
			close(socket(AF_UNIX, SOCK_STREAM, 0));
			usleep(10000);
		}
	}
	CHECK_RET(n, 0);
	close(got[0]);
	close(pipes[0]);
	(void)fd;
}

static void
credentials(void)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec v = { buf, 100 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct ucred cred = { 0, 0, 0 };
	struct cmsghdr *c;
	int p[2], one = 1, status;
	pid_t child;

	CHECK_RET(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	CHECK_RET(setsockopt(p[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)),
	    0);
	CHECK_RET(option(p[1], SO_PASSCRED), 1);
	CHECK_RET(write(p[0], "mine", 4), 4);
	child = fork();
	if (child == 0)
		_exit(write(p[0], "child's", 7) != 7);
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK_RET(recvmsg(p[1], &m, 0), 4); /* different senders: apart */
	c = CMSG_FIRSTHDR(&m);
	REQUIRE(c != NULL);
	CHECK_RET(c->cmsg_type, SCM_CREDENTIALS);
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	CHECK_RET(cred.pid, getpid());
	CHECK_RET(cred.uid, getuid());
	CHECK_RET(cred.gid, getgid());
	m.msg_controllen = sizeof(control);
	CHECK_RET(recvmsg(p[1], &m, 0), 7);
	c = CMSG_FIRSTHDR(&m);
	REQUIRE(c != NULL);
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	CHECK_RET(cred.pid, child);
	close(p[0]);
	close(p[1]);
}

static void
timeouts_and_sizes(void)
{
	struct timeval tv = { 0, 20000 }, got;
	socklen_t n = sizeof(got);
	int p[2], size = 1, i;

	CHECK_RET(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	CHECK_RET(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)),
	    0);
	CHECK_RET(getsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &got, &n), 0);
	CHECK_MEM(&got, &tv, sizeof(tv));
	CHECK_ERR(read(p[0], buf, 1), EAGAIN);
	CHECK_RET(setsockopt(p[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)),
	    0);
	CHECK_RET(setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)),
	    0);
	CHECK_RET(option(p[0], SO_SNDBUF), 4608);
	for (i = 0; write(p[0], big, 1000) == 1000; i++)
		;
	CHECK(i < 20);
	CHECK_ERR(setsockopt(p[0], SOL_SOCKET, 12345, &size, sizeof(size)),
	    ENOPROTOOPT);
	CHECK_ERR(setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &size, 1), EINVAL);
	CHECK_ERR(setsockopt(p[0], 6, 1, &size, sizeof(size)), EOPNOTSUPP);
	close(p[0]);
	close(p[1]);
}

/* Blocking, between processes, with epoll at one end. */
static void
across(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP };
	int p[2], ep, status;
	long total = 0, n;
	pid_t child;

	CHECK_RET(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	child = fork();
	if (child == 0) {
		close(p[0]);
		for (n = 0; n < 10; n++)
			if (write(p[1], big, 100000) != 100000)
				_exit(1);
		_exit(0);
	}
	close(p[1]);
	ep = (int)CHECK_OK(epoll_create1(0));
	CHECK_RET(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
	while (epoll_wait(ep, &ev, 1, 10000) == 1 &&
	    (n = read(p[0], buf, 33333)) > 0)
		total += n;
	CHECK_RET(total, 1000000);
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK_RET(status, 0);
	CHECK_RET(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	CHECK_RET(write(p[0], "abc", 3), 3);
	child = fork();
	if (child == 0) {
		usleep(20000);
		_exit(write(p[0], "defg", 4) != 4);
	}
	CHECK_RET(recv(p[1], buf, 7, MSG_WAITALL), 7);
	CHECK_MEM(buf, "abcdefg", 7);
	CHECK_RET(waitpid(child, &status, 0), child);
	close(p[0]);
	close(p[1]);
	close(ep);
}

static void
many(void)
{
	struct iovec v[3] = { { (char *)(uintptr_t) "a", 1 },
		{ (char *)(uintptr_t) "bb", 2 },
		{ (char *)(uintptr_t) "ccc", 3 } };
	struct mmsghdr m[3];
	int p[2], i;

	memset(m, 0, sizeof(m));
	for (i = 0; i < 3; i++) {
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK_RET(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p), 0);
	CHECK_RET(sendmmsg(p[0], m, 3, 0), 3);
	CHECK_RET(m[2].msg_len, 3);
	for (i = 0; i < 3; i++) {
		v[i].iov_base = buf + 10 * i;
		v[i].iov_len = 10;
	}
	CHECK_RET(recvmmsg(p[1], m, 3, 0, NULL), 3);
	CHECK_RET(m[1].msg_len, 2);
	CHECK_MEM(buf + 20, "ccc", 3);
	CHECK_ERR(recvmmsg(p[1], m, 3, 0, NULL), EAGAIN);
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	struct sockaddr_un a;

	alarm(60);
	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	making();
	stream_pair();
	names_and_connections(SOCK_STREAM, &a, name_path(&a, "s"));
	names_and_connections(SOCK_STREAM, &a, name_abstract(&a, "sys_unix s"));
	names_and_connections(SOCK_SEQPACKET, &a, name_path(&a, "p"));
	datagrams();
	packets();
	descriptors();
	credentials();
	timeouts_and_sizes();
	across();
	many();
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
