/* SPDX-License-Identifier: ISC */
/*
 * sys_sockopt.c - options that few programs ask for, and what they change:
 * socket(7), udp(7), ip(7), RFC 3678.
 */
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define LIMIT 90000 /* ms until what must come has failed to */

static struct sockaddr_in
at(const char *ip, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	inet_pton(AF_INET, ip, &sin.sin_addr);
	return sin;
}

static struct sockaddr_in
name_of(int fd)
{
	struct sockaddr_in sin = { 0 };
	socklen_t len = sizeof(sin);

	getsockname(fd, (void *)&sin, &len);
	return sin;
}

static int
udp(struct sockaddr_in *bound)
{
	struct sockaddr_in sin = at("127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	bind(fd, (void *)&sin, sizeof(sin));
	*bound = name_of(fd);
	return fd;
}

static int
set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int
get(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	return getsockopt(fd, level, name, &v, &len) == 0 ? v : -1;
}

static short
ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, LIMIT) < 0 ? -1 : p.revents;
}

/* ---------------------------------------------------------------- SOL_SOCKET -- */

static void
numbers(void)
{
	struct sockaddr_in sin;
	int fd = udp(&sin);
	uint64_t cookie = 0, other = 0;
	uint32_t memory[9];
	socklen_t len = sizeof(cookie);

	CHECK_RET(set(fd, SOL_SOCKET, SO_NO_CHECK, 1), 0);
	CHECK_RET(get(fd, SOL_SOCKET, SO_NO_CHECK), 1);
	CHECK_RET(get(fd, SOL_SOCKET, SO_BSDCOMPAT), 0);
	CHECK(get(fd, SOL_SOCKET, SO_BPF_EXTENSIONS) >= 56);
	CHECK_RET(set(fd, SOL_SOCKET, SO_RCVLOWAT, -1), 0);
	CHECK_RET(get(fd, SOL_SOCKET, SO_RCVLOWAT), INT32_MAX);
	CHECK_ERR(getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &sin, &len),
	    ENOTCONN);
	CHECK_RET(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	CHECK_RET(len, sizeof(cookie));
	CHECK_RET(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &other, &len), 0);
	CHECK(cookie != 0 && cookie == other);
	len = 4;
	CHECK_ERR(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &other, &len), EINVAL);
	CHECK_RET(set(fd, SOL_SOCKET, SO_RCVBUF, 8192), 0);
	len = sizeof(memory);
	CHECK_RET(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len), 0);
	CHECK_RET(len, sizeof(memory));
	CHECK_RET(memory[1], 16384); /* SK_MEMINFO_RCVBUF */
	CHECK_RET(set(fd, IPPROTO_IP, IP_TOS, 0x110), 0);
	CHECK_RET(get(fd, IPPROTO_IP, IP_TOS), 0x10);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_RET(set(fd, IPPROTO_IP, IP_TOS, 0x13), 0);
	CHECK_RET(get(fd, IPPROTO_IP, IP_TOS), 0x10); /* ECN is TCP's */
	close(fd);
}

static void
devices(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = 4;
	char name[32];

	CHECK_RET(set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 1), 0);
	CHECK_RET(get(fd, SOL_SOCKET, SO_BINDTOIFINDEX), 1);
	CHECK_ERR(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len),
	    EINVAL);
	len = sizeof(name);
	CHECK_RET(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	CHECK_STR(name, "lo");
	CHECK_ERR(set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, -1), EINVAL);
	CHECK_RET(set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 0), 0);
	close(fd);
}

/* What had no room is counted, and told with what comes next. */
static void
lost_ones_are_told(void)
{
	static char data[500], control[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	struct sockaddr_in sin;
	int fd = udp(&sin), from = socket(AF_INET, SOCK_DGRAM, 0), i, n = 0;
	uint32_t lost = 0;

	CHECK_RET(set(fd, SOL_SOCKET, SO_RCVBUF, 4096), 0);
	CHECK_RET(set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1), 0);
	for (i = 0; i < 100; i++)
		sendto(from, data, sizeof(data), 0, (void *)&sin, sizeof(sin));
	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		n++;
	sendto(from, "after", 5, 0, (void *)&sin, sizeof(sin));
	CHECK_RET(recvmsg(fd, &m, 0), 5);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SO_RXQ_OVFL);
	if (c != NULL)
		memcpy(&lost, CMSG_DATA(c), sizeof(lost));
	CHECK_RET(n + lost, 100);
	close(fd);
	close(from);
}

/* ----------------------------------------------------------------- datagrams -- */

static void
one_of_several_sends(void)
{
	struct sockaddr_in sin;
	int fd = udp(&sin), from = socket(AF_INET, SOCK_DGRAM, 0);
	char buf[16];

	CHECK_RET(sendto(from, "ab", 2, MSG_MORE, (void *)&sin, sizeof(sin)),
	    2);
	CHECK_ERR(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK_RET(send(from, "cd", 2, MSG_MORE), 2); /* where it goes stands */
	CHECK_RET(send(from, "", 0, 0), 0);
	CHECK_RET(recv(fd, buf, sizeof(buf), 0), 4);
	CHECK_MEM(buf, "abcd", 4);
	CHECK_RET(connect(from, (void *)&sin, sizeof(sin)), 0);
	CHECK_RET(set(from, IPPROTO_UDP, UDP_CORK, 1), 0);
	CHECK_RET(send(from, "ef", 2, 0), 2);
	CHECK_RET(send(from, "g", 1, 0), 1);
	CHECK_ERR(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK_RET(set(from, IPPROTO_UDP, UDP_CORK, 0), 0);
	CHECK_RET(recv(fd, buf, sizeof(buf), 0), 3);
	CHECK_MEM(buf, "efg", 3);
	CHECK_RET(send(from, "lost", 4, MSG_MORE), 4);
	close(from);
	close(fd);
}

/* connect(2) to nobody gives back what connect(2) took, as resolvers expect. */
static void
connected_to_another(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in sin, own;
	int fd = udp(&sin), from = socket(AF_INET, SOCK_DGRAM, 0);
	char c;

	CHECK_RET(connect(from, (void *)&sin, sizeof(sin)), 0);
	own = name_of(from);
	CHECK(own.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(own.sin_port != 0);
	CHECK_RET(connect(from, &none, sizeof(none)), 0);
	own = name_of(from);
	CHECK_RET(own.sin_addr.s_addr, 0);
	CHECK_RET(own.sin_port, 0);
	CHECK_ERR(send(from, "x", 1, 0), EDESTADDRREQ);
	CHECK_RET(connect(from, (void *)&sin, sizeof(sin)), 0);
	CHECK_RET(send(from, "x", 1, 0), 1);
	CHECK_RET(recv(fd, &c, 1, 0), 1);
	close(from);
	from = udp(&own); /* what bind(2) gave stays */
	CHECK_RET(connect(from, (void *)&sin, sizeof(sin)), 0);
	CHECK_RET(connect(from, &none, sizeof(none)), 0);
	CHECK(name_of(from).sin_addr.s_addr == own.sin_addr.s_addr);
	close(from);
	close(fd);
}

static void *
reader(void *arg)
{
	char c;

	return (void *)(long)recv(*(int *)arg, &c, 1, 0);
}

/* It wakes who waits, though it says that there is no connection. */
static void
shut_without_a_connection(void)
{
	struct sockaddr_in sin;
	int fd = udp(&sin);
	pthread_t t;
	void *got = (void *)7;

	pthread_create(&t, NULL, reader, &fd);
	CHECK_ERR(shutdown(fd, SHUT_RDWR), ENOTCONN);
	pthread_join(t, &got);
	CHECK_RET((long)got, 0);
	CHECK(
	    (ready(fd, POLLIN | POLLRDHUP) & (POLLIN | POLLRDHUP | POLLHUP)) ==
	    (POLLIN | POLLRDHUP | POLLHUP));
	CHECK_ERR(sendto(fd, "x", 1, MSG_NOSIGNAL, (void *)&sin, sizeof(sin)),
	    EPIPE);
	close(fd);
}

/* To whom a datagram was sent, with the port. */
static void
first_address(void)
{
	static char control[128];
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *h;
	struct sockaddr_in sin, other;
	int fd = udp(&sin), from = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_RET(set(fd, IPPROTO_IP, IP_RECVORIGDSTADDR, 1), 0);
	CHECK_RET(sendto(from, "x", 1, 0, (void *)&sin, sizeof(sin)), 1);
	CHECK_RET(recvmsg(fd, &m, 0), 1);
	h = CMSG_FIRSTHDR(&m);
	CHECK(h != NULL && h->cmsg_level == IPPROTO_IP &&
	    h->cmsg_type == IP_ORIGDSTADDR);
	if (h != NULL) {
		memcpy(&other, CMSG_DATA(h), sizeof(other));
		CHECK(other.sin_port == sin.sin_port &&
		    other.sin_addr.s_addr == sin.sin_addr.s_addr);
	}
	close(from);
	close(fd);
}

/* What cannot be done as asked is refused. */
static void
messages_refused(void)
{
	static union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct sockaddr_in sin;
	int fd = udp(&sin), n = 300;
	struct iovec iov = { "tt", 2 };
	struct msghdr m = { .msg_name = &sin,
		.msg_namelen = sizeof(sin),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };

	control.h = (struct cmsghdr){ .cmsg_level = IPPROTO_IP,
		.cmsg_type = IP_TOS,
		.cmsg_len = CMSG_LEN(sizeof(n)) };
	memcpy(CMSG_DATA(&control.h), &n, sizeof(n));
	CHECK_ERR(sendmsg(fd, &m, 0), EINVAL);
	control.h.cmsg_level = IPPROTO_UDP;
	control.h.cmsg_type = 77;
	CHECK_ERR(sendmsg(fd, &m, 0), EINVAL);
	close(fd);
}

static void
both_families(void)
{
	struct sockaddr_in sin;
	int fd = udp(&sin), six = socket(AF_INET6, SOCK_DGRAM, 0);
	char c;

	CHECK(six >= 0);
	CHECK_RET(sendto(six, "x", 1, 0, (void *)&sin, sizeof(sin)), 1);
	CHECK_RET(recv(fd, &c, 1, 0), 1);
	sin.sin_family = AF_UNSPEC;
	CHECK_RET(sendto(fd, "y", 1, 0, (void *)&sin, sizeof(sin)), 1);
	CHECK_RET(recv(fd, &c, 1, 0), 1);
	close(six);
	close(fd);
}

/* -------------------------------------------------------------- who may share -- */

static void
places_taken(void)
{
	struct sockaddr_in sin = at("127.0.0.1", 0);
	int a = socket(AF_INET, SOCK_DGRAM, 0);
	int b = socket(AF_INET, SOCK_DGRAM, 0);
	int c = socket(AF_INET, SOCK_DGRAM, 0);

	set(a, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_RET(bind(a, (void *)&sin, sizeof(sin)), 0);
	sin = name_of(a);
	CHECK_ERR(bind(b, (void *)&sin, sizeof(sin)), EADDRINUSE);
	set(b, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_RET(bind(b, (void *)&sin, sizeof(sin)), 0);
	set(c, SOL_SOCKET, SO_REUSEPORT, 1); /* of which they know nothing */
	CHECK_ERR(bind(c, (void *)&sin, sizeof(sin)), EADDRINUSE);
	sin.sin_addr.s_addr = 0;
	CHECK_ERR(bind(c, (void *)&sin, sizeof(sin)), EADDRINUSE);
	sin = at("127.0.0.2", ntohs(sin.sin_port));
	CHECK_RET(bind(c, (void *)&sin, sizeof(sin)), 0);
	close(a);
	close(b);
	close(c);
	/* Nobody binds to a listener's place. */
	a = socket(AF_INET, SOCK_STREAM, 0);
	b = socket(AF_INET, SOCK_STREAM, 0);
	sin = at("127.0.0.1", 0);
	set(a, SOL_SOCKET, SO_REUSEADDR, 1);
	set(b, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_RET(bind(a, (void *)&sin, sizeof(sin)), 0);
	sin = name_of(a);
	CHECK_RET(listen(a, 1), 0);
	CHECK_ERR(bind(b, (void *)&sin, sizeof(sin)), EADDRINUSE);
	close(a);
	CHECK_RET(bind(b, (void *)&sin, sizeof(sin)), 0);
	close(b);
}

/* All of 127.0.0.0/8 is the machine's own. */
static void
other_loopback_addresses(void)
{
	struct sockaddr_in sin = at("0.0.0.0", 0), own = at("127.0.0.2", 0);
	struct timeval tv = { LIMIT / 1000, 0 };
	int l = socket(AF_INET, SOCK_STREAM, 0), fd, u, v, a;
	socklen_t len = sizeof(own);
	char c;

	CHECK_RET(bind(l, (void *)&sin, sizeof(sin)), 0);
	CHECK_RET(listen(l, 4), 0);
	sin = at("127.0.1.1", ntohs(name_of(l).sin_port));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	CHECK_RET(connect(fd, (void *)&sin, sizeof(sin)), 0);
	CHECK_RET(name_of(fd).sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	close(fd);
	CHECK((a = accept(l, NULL, NULL)) >= 0);
	CHECK_RET(name_of(a).sin_addr.s_addr, sin.sin_addr.s_addr);
	close(a);
	/* From another one, whose port is found when it is known where to. */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	CHECK_RET(set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1), 0);
	CHECK_RET(bind(fd, (void *)&own, sizeof(own)), 0);
	CHECK_RET(name_of(fd).sin_port, 0);
	CHECK_RET(name_of(fd).sin_addr.s_addr, own.sin_addr.s_addr);
	CHECK_RET(connect(fd, (void *)&sin, sizeof(sin)), 0);
	CHECK(name_of(fd).sin_port != 0);
	CHECK((a = accept(l, (void *)&own, &len)) >= 0);
	CHECK_RET(own.sin_addr.s_addr, htonl(0x7f000002));
	CHECK_RET(write(fd, "x", 1), 1);
	CHECK_RET(read(a, &c, 1), 1);
	close(fd);
	close(a);
	close(l);
	u = socket(AF_INET, SOCK_DGRAM, 0);
	own = at("127.0.0.53", 0);
	CHECK_RET(bind(u, (void *)&own, sizeof(own)), 0);
	own = name_of(u);
	v = udp(&sin);
	CHECK_RET(sendto(v, "q", 1, 0, (void *)&own, sizeof(own)), 1);
	CHECK_RET(recv(u, &c, 1, 0), 1);
	CHECK_RET(sendto(u, "a", 1, 0, (void *)&sin, sizeof(sin)), 1);
	len = sizeof(sin);
	CHECK_RET(recvfrom(v, &c, 1, 0, (void *)&sin, &len), 1);
	CHECK_RET(sin.sin_addr.s_addr, own.sin_addr.s_addr);
	close(u);
	close(v);
}

/* ------------------------------------------------------------------- sources -- */

static void
sources(void)
{
	struct ip_mreq_source q = { .imr_multiaddr.s_addr = htonl(0xef010203),
		.imr_interface.s_addr = htonl(INADDR_LOOPBACK),
		.imr_sourceaddr.s_addr = htonl(0x7f000002) };
	struct group_source_req g = { .gsr_interface = 1 };
	struct sockaddr_in group = at("239.1.2.3", 0);
	struct sockaddr_in from = at("127.0.0.2", 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int other = socket(AF_INET, SOCK_STREAM, 0);

#define Q(name) setsockopt(fd, IPPROTO_IP, name, &q, sizeof(q))
#define G(name) setsockopt(fd, IPPROTO_IP, name, &g, sizeof(g))
	CHECK_ERR(Q(IP_BLOCK_SOURCE), EINVAL); /* no member */
	CHECK_RET(Q(IP_ADD_SOURCE_MEMBERSHIP), 0);
	CHECK_ERR(Q(IP_ADD_SOURCE_MEMBERSHIP), EADDRNOTAVAIL);
	CHECK_ERR(Q(IP_BLOCK_SOURCE), EINVAL);
	CHECK_RET(Q(IP_DROP_SOURCE_MEMBERSHIP), 0);
	CHECK_ERR(Q(IP_DROP_SOURCE_MEMBERSHIP), EINVAL);
	memcpy(&g.gsr_group, &group, sizeof(group));
	memcpy(&g.gsr_source, &from, sizeof(from));
	CHECK_RET(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g,
		      sizeof(struct group_req)),
	    0);
	CHECK_RET(G(MCAST_BLOCK_SOURCE), 0);
	CHECK_ERR(G(MCAST_BLOCK_SOURCE), EADDRNOTAVAIL);
	CHECK_RET(G(MCAST_UNBLOCK_SOURCE), 0);
	CHECK_RET(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, &g,
		      sizeof(struct group_req)),
	    0);
	CHECK_RET(G(MCAST_JOIN_SOURCE_GROUP), 0);
	CHECK_RET(G(MCAST_LEAVE_SOURCE_GROUP), 0);
	CHECK_ERR(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g, 8), EINVAL);
	g.gsr_group.ss_family = AF_INET6;
	CHECK_ERR(G(MCAST_JOIN_SOURCE_GROUP), EADDRNOTAVAIL);
	CHECK_RET(get(fd, IPPROTO_IP, IP_MULTICAST_ALL), 1);
	CHECK_ERR(setsockopt(other, IPPROTO_IP, IP_ADD_MEMBERSHIP, &q, 8),
	    EPROTO);
	close(other);
	close(fd);
}

int
main(void)
{
	numbers();
	devices();
	lost_ones_are_told();
	one_of_several_sends();
	connected_to_another();
	shut_without_a_connection();
	first_address();
	messages_refused();
	both_families();
	places_taken();
	other_loopback_addresses();
	sources();
	return check_done();
}
