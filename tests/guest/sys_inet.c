/* SPDX-License-Identifier: ISC */
/*
 * sys_inet.c - sockets of the Internet over the loopback: names, connections
 * and their ends, readiness, datagrams, options, errors.  tcp(7), udp(7),
 * ip(7), ipv6(7).
 */
#include "check.h"
#include <arpa/inet.h>
#include <asm/sockios.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define BIG (3 * 1024 * 1024)

static struct sockaddr_in
at(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (void *)&ss, &len) != 0)
		return 0;
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

/* A listener on a free port. */
static int
listener(void)
{
	struct sockaddr_in sin = at(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&sin, sizeof(sin)) != 0 || listen(fd, 8) != 0)
		return -1;
	return fd;
}

/* Both ends of a connection; *l stays open. */
static void
connection(int l, int end[2])
{
	struct sockaddr_in sin = at(port_of(l));

	end[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_RET(connect(end[0], (void *)&sin, sizeof(sin)), 0);
	end[1] = accept(l, NULL, NULL);
	CHECK(end[1] >= 0);
}

static short
ready(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) < 0 ? -1 : p.revents;
}

static int
option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	return getsockopt(fd, level, name, &v, &len) == 0 ? v : -1;
}

/* ------------------------------------------------------------------ names -- */

static void
names(void)
{
	struct sockaddr_in sin = at(0), other;
	socklen_t len = sizeof(other);
	int a = socket(AF_INET, SOCK_STREAM, 0), b;

	CHECK_ERR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	CHECK_ERR(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(getpeername(a, (void *)&other, &len), ENOTCONN);
	CHECK_ERR(bind(a, (void *)&sin, 8), EINVAL);
	sin.sin_family = AF_UNIX;
	CHECK_ERR(bind(a, (void *)&sin, sizeof(sin)), EAFNOSUPPORT);
	sin = at(0);
	sin.sin_addr.s_addr = inet_addr("198.51.100.77");
	CHECK_ERR(bind(a, (void *)&sin, sizeof(sin)), EADDRNOTAVAIL);
	sin = at(0);
	CHECK_RET(bind(a, (void *)&sin, sizeof(sin)), 0);
	CHECK_ERR(bind(a, (void *)&sin, sizeof(sin)), EINVAL);
	CHECK(port_of(a) != 0);
	CHECK_RET(listen(a, 5), 0);
	CHECK_RET(option(a, SOL_SOCKET, SO_ACCEPTCONN), 1);
	b = socket(AF_INET, SOCK_STREAM, 0);
	sin = at(port_of(a));
	CHECK_ERR(bind(b, (void *)&sin, sizeof(sin)), EADDRINUSE);
	CHECK_ERR(read(a, &b, 1), ENOTCONN);
	CHECK_ERR(accept(b, NULL, NULL), EINVAL);
	close(b);
	close(a);
}

static void
errors_of_connect(void)
{
	struct sockaddr_in sin;
	int l = listener(), fd = socket(AF_INET, SOCK_STREAM, 0), end[2];
	char c;

	sin = at(port_of(l));
	close(l); /* nobody listens there now */
	CHECK_ERR(connect(fd, (void *)&sin, sizeof(sin)), ECONNREFUSED);
	CHECK_RET(listen(fd, 1), 0); /* it is as new */
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_ERR(connect(fd, (void *)&sin, sizeof(sin)), EINPROGRESS);
	CHECK((ready(fd, POLLOUT, 5000) & (POLLERR | POLLOUT)) ==
	    (POLLERR | POLLOUT));
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), 0);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERR(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERR(recv(fd, &c, 1, 0), ENOTCONN);
	CHECK_ERR(shutdown(fd, SHUT_RDWR), ENOTCONN);
	close(fd);
	l = listener();
	connection(l, end);
	sin = at(port_of(l));
	CHECK_ERR(connect(end[0], (void *)&sin, sizeof(sin)), EISCONN);
	close(end[0]);
	close(end[1]);
	close(l);
}

static void
connect_without_waiting(void)
{
	struct sockaddr_in sin;
	int l = listener(), fd, other;

	sin = at(port_of(l));
	fcntl(l, F_SETFL, O_NONBLOCK);
	CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
	CHECK_RET(ready(l, POLLIN, 0), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_ERR(connect(fd, (void *)&sin, sizeof(sin)), EINPROGRESS);
	CHECK_RET(ready(fd, POLLOUT, 5000), POLLOUT);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), 0);
	/* Asked again, it says so once. */
	CHECK_RET(connect(fd, (void *)&sin, sizeof(sin)), 0);
	CHECK_ERR(connect(fd, (void *)&sin, sizeof(sin)), EISCONN);
	CHECK_RET(ready(l, POLLIN, 5000), POLLIN);
	other = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(other >= 0);
	CHECK((fcntl(other, F_GETFL) & O_NONBLOCK) != 0);
	CHECK(fcntl(other, F_GETFD) == FD_CLOEXEC);
	close(fd);
	close(other);
	close(l);
}

/* ------------------------------------------------------------ connections -- */

static void
bytes_go_both_ways(void)
{
	int l = listener(), end[2], n;
	struct sockaddr_in a, b;
	socklen_t len = sizeof(a);
	char buf[32];

	connection(l, end);
	CHECK_RET(getsockname(end[0], (void *)&a, &len), 0);
	CHECK_RET(getpeername(end[1], (void *)&b, &len), 0);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	CHECK_RET(write(end[0], "hello", 5), 5);
	CHECK_RET(ready(end[1], POLLIN, 5000), POLLIN);
	CHECK_RET(ioctl(end[1], FIONREAD, &n), 0);
	CHECK_RET(n, 5);
	CHECK_RET(recv(end[1], buf, 3, MSG_PEEK), 3);
	CHECK_RET(recv(end[1], buf, sizeof(buf), 0), 5);
	CHECK(memcmp(buf, "hello", 5) == 0);
	CHECK_ERR(recv(end[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_RET(send(end[1], "abc", 3, MSG_MORE), 3);
	CHECK_RET(send(end[1], "def", 3, 0), 3);
	CHECK_RET(recv(end[0], buf, 6, MSG_WAITALL), 6);
	CHECK(memcmp(buf, "abcdef", 6) == 0);
	CHECK_RET(write(end[1], "xyz", 3), 3);
	CHECK_RET(recv(end[0], NULL, 3, MSG_TRUNC | MSG_WAITALL), 3);
	close(end[0]);
	close(end[1]);
	close(l);
}

static void
halves(void)
{
	int l = listener(), end[2];
	char c;

	connection(l, end);
	CHECK_RET(shutdown(end[0], SHUT_WR), 0);
	CHECK_ERR(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_RET(read(end[1], &c, 1), 0);
	CHECK((ready(end[1], POLLIN | POLLRDHUP, 0) &
		  (POLLIN | POLLRDHUP | POLLHUP)) == (POLLIN | POLLRDHUP));
	CHECK_RET(write(end[1], "y", 1), 1); /* the other half goes on */
	CHECK_RET(read(end[0], &c, 1), 1);
	close(end[1]);
	CHECK_RET(read(end[0], &c, 1), 0);
	close(end[0]);
	connection(l, end);
	close(end[1]);
	CHECK_RET(read(end[0], &c, 1), 0);
	CHECK_RET(send(end[0], "x", 1, MSG_NOSIGNAL),
	    1); /* is answered by RST */
	CHECK((ready(end[0], POLLIN, 5000) & POLLIN) != 0);
	while (send(end[0], "x", 1, MSG_NOSIGNAL) == 1)
		usleep(1000);
	CHECK(errno == EPIPE || errno == ECONNRESET);
	close(end[0]);
	close(l);
}

/* What comes for who has shut the receiving half can be read all the same. */
static void
bytes_for_the_half_that_is_shut(void)
{
	int l = listener(), end[2];
	char c;

	connection(l, end);
	CHECK_RET(shutdown(end[0], SHUT_RD), 0);
	CHECK_RET(read(end[0], &c, 1), 0);
	CHECK_RET(write(end[1], "xyz", 3), 3);
	while (recv(end[0], &c, 1, MSG_DONTWAIT | MSG_PEEK) != 1)
		usleep(1000);
	CHECK_RET(read(end[0], &c, 1), 1);
	CHECK(c == 'x');
	CHECK_RET(write(end[0], "w", 1), 1);
	CHECK_RET(shutdown(end[1], SHUT_WR), 0);
	CHECK_RET(shutdown(end[0], SHUT_WR), 0);
	CHECK_RET(read(end[1], &c, 1), 1);
	CHECK_RET(read(end[1], &c, 1), 0);
	CHECK_ERR(shutdown(end[1], SHUT_RDWR), ENOTCONN); /* both are over */
	close(end[0]);
	close(end[1]);
	close(l);
}

/* With both halves shut they are refused, and the peer hears of it. */
static void
bytes_for_who_has_shut_both(void)
{
	int l = listener(), end[2];
	char c;

	connection(l, end);
	CHECK_RET(shutdown(end[0], SHUT_RDWR), 0);
	CHECK_RET(read(end[0], &c, 1), 0);
	CHECK_RET(read(end[1], &c, 1), 0);
	CHECK_RET(write(end[1], "x", 1), 1);
	CHECK((ready(end[0], 0, 90000) & POLLERR) != 0);
	CHECK_ERR(read(end[0], &c, 1), ECONNRESET);
	CHECK((ready(end[1], 0, 90000) & POLLERR) != 0);
	CHECK_ERR(send(end[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	close(end[0]);
	close(end[1]);
	close(l);
}

/* FIOSETOWN and what is no socket's. */
static void
numbers_of_ioctl(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), n = getpid();
	char size[64];

	CHECK_RET(ioctl(fd, FIOSETOWN, &n), 0);
	n = 0;
	CHECK_RET(ioctl(fd, SIOCGPGRP, &n), 0);
	CHECK_RET(n, getpid());
	CHECK_RET(fcntl(fd, F_GETOWN), getpid());
	CHECK_ERR(ioctl(fd, FIOSETOWN, (void *)8), EFAULT);
	CHECK_ERR(ioctl(fd, TIOCGWINSZ, size), ENOTTY);
	CHECK_ERR(ioctl(fd, 0x1234, NULL), ENOTTY);
	close(fd);
}

/* A reset that answers what was sent after the peer's close. */
static void
reset_after_end(void)
{
	int l = listener(), end[2];
	char c;

	connection(l, end);
	close(end[1]);
	CHECK((ready(end[0], POLLRDHUP, 90000) & POLLRDHUP) != 0);
	CHECK_RET(send(end[0], "x", 1, MSG_NOSIGNAL), 1);
	CHECK((ready(end[0], 0, 90000) & POLLERR) != 0);
	CHECK_RET(read(end[0], &c, 1), 0);
	CHECK_RET(read(end[0], &c, 1), 0);
	CHECK_RET(option(end[0], SOL_SOCKET, SO_ERROR), EPIPE);
	CHECK_RET(read(end[0], &c, 1), 0);
	CHECK_ERR(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	close(end[0]);
	close(l);
}

static void
resets(void)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	int l = listener(), end[2];
	char c;

	connection(l, end);
	CHECK_RET(setsockopt(end[1], SOL_SOCKET, SO_LINGER, &hard,
		      sizeof(hard)),
	    0);
	close(end[1]);
	CHECK((ready(end[0], POLLIN, 5000) & (POLLERR | POLLHUP)) ==
	    (POLLERR | POLLHUP));
	CHECK_ERR(read(end[0], &c, 1), ECONNRESET);
	CHECK_RET(read(end[0], &c, 1), 0);
	close(end[0]);
	/* Closed with unread bytes: the peer hears a reset. */
	connection(l, end);
	CHECK_RET(write(end[0], "unread", 6), 6);
	CHECK_RET(ready(end[1], POLLIN, 5000), POLLIN);
	close(end[1]);
	CHECK_ERR(read(end[0], &c, 1), ECONNRESET);
	close(end[0]);
	close(l);
}

static void *
sender(void *arg)
{
	int fd = *(int *)arg;
	uint8_t *buf = malloc(BIG);
	size_t i, at_ = 0;
	ssize_t n;

	for (i = 0; i < BIG; i++)
		buf[i] = (uint8_t)(i * 7 + i / 4093);
	while (at_ < BIG && (n = write(fd, buf + at_, BIG - at_)) > 0)
		at_ += (size_t)n;
	shutdown(fd, SHUT_WR);
	free(buf);
	return NULL;
}

static void
many_bytes(void)
{
	int l = listener(), end[2];
	uint8_t buf[5000];
	size_t got = 0, wrong = 0;
	pthread_t t;
	ssize_t n, i;

	connection(l, end);
	pthread_create(&t, NULL, sender, &end[0]);
	while ((n = read(end[1], buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++, got++)
			wrong += buf[i] != (uint8_t)(got * 7 + got / 4093);
	pthread_join(t, NULL);
	CHECK_RET(n, 0);
	CHECK_RET(got, BIG);
	CHECK_RET(wrong, 0);
	close(end[0]);
	close(end[1]);
	close(l);
}

static void
full_and_room_again(void)
{
	int l = listener(), end[2], v = 8192;
	static char buf[65536];
	size_t total = 0;
	ssize_t n;

	connection(l, end);
	CHECK_RET(setsockopt(end[0], SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)), 0);
	CHECK_RET(option(end[0], SOL_SOCKET, SO_SNDBUF), 16384);
	fcntl(end[0], F_SETFL, O_NONBLOCK);
	while ((n = write(end[0], buf, sizeof(buf))) > 0)
		total += (size_t)n;
	CHECK(n == -1 && errno == EAGAIN);
	CHECK((ready(end[0], POLLOUT, 0) & POLLOUT) == 0);
	while (total > 0 && (n = read(end[1], buf, sizeof(buf))) > 0)
		total -= (size_t)n;
	CHECK_RET(total, 0);
	CHECK_RET(ready(end[0], POLLOUT, 5000), POLLOUT);
	close(end[0]);
	close(end[1]);
	close(l);
}

static void
epoll_edges(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, got;
	int l = listener(), end[2], ep = epoll_create1(0);
	char buf[8];

	connection(l, end);
	CHECK_RET(epoll_ctl(ep, EPOLL_CTL_ADD, end[1], &ev), 0);
	CHECK_RET(epoll_wait(ep, &got, 1, 0), 0);
	CHECK_RET(write(end[0], "ab", 2), 2);
	CHECK_RET(epoll_wait(ep, &got, 1, 5000), 1);
	CHECK_RET(got.events, EPOLLIN);
	CHECK_RET(epoll_wait(ep, &got, 1, 0), 0);
	CHECK_RET(write(end[0], "c", 1), 1);
	CHECK_RET(epoll_wait(ep, &got, 1, 5000), 1);
	CHECK_RET(recv(end[1], buf, sizeof(buf), MSG_WAITALL | MSG_DONTWAIT),
	    3);
	close(ep);
	close(end[0]);
	close(end[1]);
	close(l);
}

/* --------------------------------------------------------------- datagrams -- */

static int
udp(uint16_t port)
{
	struct sockaddr_in sin = at(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(fd, (void *)&sin, sizeof(sin)) != 0)
		return -1;
	return fd;
}

static void
datagrams(void)
{
	int a = udp(0), b = udp(0), n;
	struct sockaddr_in to = at(port_of(b)), from;
	socklen_t len = sizeof(from);
	static char big[70000];
	char buf[16];

	CHECK_ERR(send(a, "x", 1, 0), EDESTADDRREQ);
	CHECK_RET(sendto(a, "hello", 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK_RET(sendto(a, "", 0, 0, (void *)&to, sizeof(to)), 0);
	CHECK_RET(ready(b, POLLIN, 5000), POLLIN);
	CHECK_RET(ioctl(b, FIONREAD, &n), 0);
	CHECK_RET(n, 5);
	CHECK_RET(recv(b, buf, 2, MSG_PEEK | MSG_TRUNC), 5);
	CHECK_RET(recvfrom(b, buf, 3, 0, (void *)&from, &len), 3);
	CHECK_RET(ntohs(from.sin_port), port_of(a));
	CHECK_RET(recv(b, buf, sizeof(buf), 0), 0);
	CHECK_ERR(recv(b, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK_ERR(sendto(a, big, sizeof(big), 0, (void *)&to, sizeof(to)),
	    EMSGSIZE);
	CHECK_RET(sendto(a, big, 60000, 0, (void *)&to, sizeof(to)), 60000);
	CHECK_RET(recv(b, big, sizeof(big), 0), 60000);
	CHECK_RET(connect(a, (void *)&to, sizeof(to)), 0);
	CHECK_RET(send(a, "con", 3, 0), 3);
	CHECK_RET(recv(b, buf, sizeof(buf), 0), 3);
	close(b);
	CHECK_RET(send(a, "x", 1, 0), 1);
	CHECK((ready(a, POLLIN, 5000) & POLLERR) != 0);
	CHECK_ERR(recv(a, buf, 1, 0), ECONNREFUSED);
	to.sin_family = AF_UNSPEC;
	CHECK_RET(connect(a, (void *)&to, sizeof(to)), 0);
	CHECK_ERR(send(a, "x", 1, 0), EDESTADDRREQ);
	close(a);
}

static void
what_comes_along(void)
{
	int a = udp(0), b = udp(0), one = 1;
	struct sockaddr_in to = at(port_of(b));
	union {
		char buf[256];
		struct cmsghdr align;
	} control;
	char data[8];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct in_pktinfo info = { .ipi_ifindex = 0 };
	struct cmsghdr *c;
	int ttl = 0;

	CHECK_RET(setsockopt(b, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)), 0);
	CHECK_RET(setsockopt(b, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one)), 0);
	CHECK_RET(sendto(a, "hi", 2, 0, (void *)&to, sizeof(to)), 2);
	CHECK_RET(recvmsg(b, &m, 0), 2);
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			memcpy(&info, CMSG_DATA(c), sizeof(info));
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
	}
	CHECK_RET(info.ipi_ifindex, 1);
	CHECK(info.ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK_RET(ttl, 64);
	close(a);
	close(b);
}

/* ------------------------------------------------------------------- IPv6 -- */

static void
both_families(void)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 }, from;
	struct sockaddr_in sin;
	socklen_t len = sizeof(from);
	int l = socket(AF_INET6, SOCK_STREAM, 0), fd, other;

	CHECK_RET(bind(l, (void *)&sin6, sizeof(sin6)), 0);
	CHECK_RET(listen(l, 5), 0);
	sin = at(port_of(l));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_RET(connect(fd, (void *)&sin, sizeof(sin)), 0);
	other = accept(l, (void *)&from, &len);
	CHECK_RET(from.sin6_family, AF_INET6);
	CHECK(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
	CHECK_RET(ntohs(from.sin6_port), port_of(fd));
	close(fd);
	close(other);
	sin6.sin6_port = htons(port_of(l));
	sin6.sin6_addr = in6addr_loopback;
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_RET(connect(fd, (void *)&sin6, sizeof(sin6)), 0);
	other = accept(l, (void *)&from, &len);
	CHECK(IN6_IS_ADDR_LOOPBACK(&from.sin6_addr));
	CHECK_RET(write(fd, "six", 3), 3);
	CHECK_RET(read(other, &from, sizeof(from)), 3);
	close(fd);
	close(other);
	close(l);
}

static void
datagrams_of_six(void)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int a = socket(AF_INET6, SOCK_DGRAM, 0), b, one = 1;
	char buf[8];

	b = socket(AF_INET6, SOCK_DGRAM, 0);
	CHECK_RET(setsockopt(b, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)),
	    0);
	CHECK_RET(bind(b, (void *)&sin6, sizeof(sin6)), 0);
	CHECK_ERR(setsockopt(b, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)),
	    EINVAL);
	sin6.sin6_port = htons(port_of(b));
	CHECK_RET(sendto(a, "six", 3, 0, (void *)&sin6, sizeof(sin6)), 3);
	CHECK_RET(recv(b, buf, sizeof(buf), 0), 3);
	close(a);
	close(b);
}

/* ---------------------------------------------------------------- options -- */

static void
options(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int l = listener(), end[2], v;

	connection(l, end);
	CHECK_RET(option(end[0], IPPROTO_TCP, TCP_NODELAY), 0);
	v = 1;
	CHECK_RET(setsockopt(end[0], IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v)),
	    0);
	CHECK_RET(option(end[0], IPPROTO_TCP, TCP_NODELAY), 1);
	CHECK_RET(option(end[0], IPPROTO_TCP, TCP_KEEPIDLE), 7200);
	v = 30;
	CHECK_RET(setsockopt(end[0], IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)),
	    0);
	CHECK_RET(option(end[0], IPPROTO_TCP, TCP_KEEPIDLE), 30);
	v = 0;
	CHECK_ERR(setsockopt(end[0], IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)),
	    EINVAL);
	CHECK_RET(option(end[0], SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	CHECK_RET(option(end[0], SOL_SOCKET, SO_DOMAIN), AF_INET);
	CHECK_RET(option(end[0], SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	CHECK_RET(option(end[0], IPPROTO_IP, IP_TTL), 64);
	CHECK_ERR(getsockopt(end[0], IPPROTO_TCP, 9999, &v, &len), ENOPROTOOPT);
	len = sizeof(info);
	CHECK_RET(getsockopt(end[0], IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CHECK_RET(info.tcpi_state, 1);
	close(end[0]);
	close(end[1]);
	close(l);
}

static void
addresses_again(void)
{
	struct sockaddr_in sin;
	int l = listener(), end[2], one = 1, b;

	connection(l, end);
	sin = at(port_of(l));
	close(l);
	close(end[1]); /* this side waits in TIME_WAIT */
	close(end[0]);
	b = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_RET(setsockopt(b, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)),
	    0);
	CHECK_RET(bind(b, (void *)&sin, sizeof(sin)), 0);
	CHECK_RET(listen(b, 1), 0);
	close(b);
}

/* Several listeners on one port: each connection goes to one of them. */
static void
ports_shared(void)
{
	struct sockaddr_in sin = at(0);
	int l[3], i, k, one = 1, fd[24], got[3] = { 0 }, n;

	for (i = 0; i < 3; i++) {
		l[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		CHECK_RET(setsockopt(l[i], SOL_SOCKET, SO_REUSEPORT, &one,
			      sizeof(one)),
		    0);
		CHECK_RET(bind(l[i], (void *)&sin, sizeof(sin)), 0);
		CHECK_RET(listen(l[i], 32), 0);
		sin.sin_port = htons(port_of(l[0]));
	}
	for (k = 0; k < 24; k++) {
		fd[k] = socket(AF_INET, SOCK_STREAM, 0);
		n = connect(fd[k], (void *)&sin, sizeof(sin));
		if (n != 0)
			CHECK_RET(n, 0);
	}
	for (i = 0; i < 3; i++)
		while ((n = accept(l[i], NULL, NULL)) >= 0) {
			got[i]++;
			close(n);
		}
	CHECK_RET(got[0] + got[1] + got[2], 24);
	CHECK(got[0] < 24 && got[1] < 24 && got[2] < 24);
	for (k = 0; k < 24; k++)
		close(fd[k]);
	close(l[0]); /* the others go on */
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_RET(connect(fd[0], (void *)&sin, sizeof(sin)), 0);
	close(fd[0]);
	close(l[1]);
	close(l[2]);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERR(connect(fd[0], (void *)&sin, sizeof(sin)), ECONNREFUSED);
	close(fd[0]);
}

int
main(void)
{
	names();
	errors_of_connect();
	connect_without_waiting();
	bytes_go_both_ways();
	halves();
	bytes_for_the_half_that_is_shut();
	bytes_for_who_has_shut_both();
	numbers_of_ioctl();
	reset_after_end();
	resets();
	many_bytes();
	full_and_room_again();
	epoll_edges();
	datagrams();
	what_comes_along();
	both_families();
	datagrams_of_six();
	options();
	addresses_again();
	ports_shared();
	return check_done();
}
