/* SPDX-License-Identifier: ISC */
/*
 * sys_errqueue.c - what ICMP reports reach a program: pending errors and
 * IP_RECVERR's queue, of UDP, raw sockets and sockets of echoes; and the times
 * at which datagrams came.  ip(7), ipv6(7), udp(7), raw(7), icmp(7), socket(7).
 */
#include "check.h"
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#define WAIT_MS 120000

/* Of any family, so that one test does for both. */
union end {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t
size_of(const union end *e)
{
	return e->sa.sa_family == AF_INET6 ? sizeof(e->in6) : sizeof(e->in);
}

static union end
loopback(int family, uint16_t port)
{
	union end e = { .sa = { .sa_family = (sa_family_t)family } };

	if (family == AF_INET6) {
		e.in6.sin6_addr = in6addr_loopback;
		e.in6.sin6_port = htons(port);
	} else {
		e.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		e.in.sin_port = htons(port);
	}
	return e;
}

/* A port at which nobody is. */
static uint16_t
nobodys_port(int family)
{
	union end e = loopback(family, 0);
	socklen_t len = sizeof(e);
	int fd = socket(family, SOCK_DGRAM, 0);

	bind(fd, &e.sa, size_of(&e));
	getsockname(fd, &e.sa, &len);
	close(fd);
	return ntohs(family == AF_INET6 ? e.in6.sin6_port : e.in.sin_port);
}

static int
option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	return getsockopt(fd, level, name, &v, &len) == 0 ? v : -errno;
}

static int
set(int fd, int level, int name, int v)
{
	return setsockopt(fd, level, name, &v, sizeof(v));
}

static bool
same_address(const union end *a, const union end *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	return a->sa.sa_family == AF_INET6 ?
	    memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0 :
	    a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

/* Of one report. */
struct report {
	char data[64];
	long len;
	int flags, ncmsg, ttl;
	union end to, offender;
	struct sock_extended_err ee;
	bool has_ee, has_time;
};

static void
look_at(const struct cmsghdr *c, struct report *r)
{
	r->ncmsg++;
	if (c->cmsg_level == SOL_SOCKET)
		r->has_time = c->cmsg_type == SO_TIMESTAMP;
	if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) ||
	    (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_HOPLIMIT))
		memcpy(&r->ttl, CMSG_DATA(c), sizeof(r->ttl));
	if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) ||
	    (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
		memcpy(&r->ee, CMSG_DATA(c), sizeof(r->ee));
		memcpy(&r->offender, CMSG_DATA(c) + sizeof(r->ee),
		    c->cmsg_len - CMSG_LEN(sizeof(r->ee)));
		r->has_ee = true;
	}
}

static long
take_report(int fd, struct report *r)
{
	char control[512];
	struct iovec iov = { r->data, sizeof(r->data) };
	struct msghdr m = { .msg_name = &r->to,
		.msg_namelen = sizeof(r->to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	memset(r, 0, sizeof(*r));
	r->len = recvmsg(fd, &m, MSG_ERRQUEUE);
	if (r->len < 0)
		return -1;
	r->flags = m.msg_flags;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
		look_at(c, r);
	return r->len;
}

static short
wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, WAIT_MS) == 1 ? p.revents : 0;
}

/* ------------------------------------------------------------------- UDP -- */

/* Without the queue: an error of who is connected, and of nobody else. */
static void
udp_without_queue(int family)
{
	union end e = loopback(family, nobodys_port(family));
	int fd = socket(family, SOCK_DGRAM, 0);
	struct report r;
	char buf[8];

	CHECK_RET(connect(fd, &e.sa, size_of(&e)), 0);
	CHECK_RET(send(fd, "fish", 4, 0), 4);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_ERR(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), ECONNREFUSED);
	CHECK_ERR(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK_RET(send(fd, "fish", 4, 0), 4);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), 0);
	CHECK_ERR(take_report(fd, &r), EAGAIN);
	CHECK_RET(send(fd, "fish", 4, 0), 4);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_ERR(send(fd, "fish", 4, 0), ECONNREFUSED);
	close(fd);
}

static void
check_report(const struct report *r, int family, const union end *to)
{
	union end self = loopback(family, 0);
	bool six = family == AF_INET6;

	CHECK_RET(r->len, 4);
	CHECK_MEM(r->data, "fish", 4);
	CHECK((r->flags & MSG_ERRQUEUE) != 0);
	REQUIRE(r->has_ee);
	CHECK_RET(r->ee.ee_errno, ECONNREFUSED);
	CHECK_RET(r->ee.ee_origin,
	    six ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP);
	CHECK_RET(r->ee.ee_type, six ? 1 : 3);
	CHECK_RET(r->ee.ee_code, six ? 4 : 3);
	CHECK_RET(r->ee.ee_info, 0);
	CHECK(same_address(&r->to, to));
	CHECK_RET(six ? r->to.in6.sin6_port : r->to.in.sin_port,
	    six ? to->in6.sin6_port : to->in.sin_port);
	CHECK(same_address(&r->offender, &self));
	CHECK_RET(six ? r->offender.in6.sin6_port : r->offender.in.sin_port, 0);
}

/* With it: to whom, what was sent, and who complains; connected or not. */
static void
udp_queue(int family)
{
	union end e = loopback(family, nobodys_port(family));
	int fd = socket(family, SOCK_DGRAM, 0), level, recverr;
	struct report r;
	char buf[8];

	level = family == AF_INET6 ? SOL_IPV6 : SOL_IP;
	recverr = family == AF_INET6 ? IPV6_RECVERR : IP_RECVERR;
	CHECK_RET(sendto(fd, "fish", 4, 0, &e.sa, size_of(&e)), 4);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), 0);
	CHECK_RET(set(fd, level, recverr, 1), 0);
	CHECK_RET(option(fd, level, recverr), 1);
	CHECK_RET(sendto(fd, "fish", 4, 0, &e.sa, size_of(&e)), 4);
	CHECK_RET(wait_for(fd, POLLIN), POLLERR);
	CHECK_ERR(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), ECONNREFUSED);
	/* The error is taken, the report is still there. */
	CHECK_RET(wait_for(fd, POLLIN), POLLERR);
	CHECK_RET(take_report(fd, &r), 4);
	check_report(&r, family, &e);
	CHECK_RET(r.ncmsg, 1);
	CHECK_ERR(take_report(fd, &r), EAGAIN);
	/* Taking the report takes the error. */
	CHECK_RET(sendto(fd, "fish", 4, 0, &e.sa, size_of(&e)), 4);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_RET(take_report(fd, &r), 4);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), 0);
	CHECK_RET(connect(fd, &e.sa, size_of(&e)), 0);
	CHECK_RET(send(fd, "fish", 4, 0), 4);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_RET(take_report(fd, &r), 4);
	check_report(&r, family, &e);
	/* Switched off, it forgets them. */
	CHECK_RET(send(fd, "fish", 4, 0), 4);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_RET(set(fd, level, recverr, 0), 0);
	CHECK_ERR(take_report(fd, &r), EAGAIN);
	close(fd);
}

/* Control messages beside the report: of the packet that brought it. */
static void
udp_queue_extras(int family)
{
	union end e = loopback(family, nobodys_port(family));
	int fd = socket(family, SOCK_DGRAM, 0);
	struct report r;

	if (family == AF_INET6) {
		CHECK_RET(set(fd, SOL_IPV6, IPV6_RECVERR, 1), 0);
		CHECK_RET(set(fd, SOL_IPV6, IPV6_RECVHOPLIMIT, 1), 0);
	} else {
		CHECK_RET(set(fd, SOL_IP, IP_RECVERR, 1), 0);
		CHECK_RET(set(fd, SOL_IP, IP_RECVTTL, 1), 0);
	}
	CHECK_RET(set(fd, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
	CHECK_RET(sendto(fd, "fish", 4, 0, &e.sa, size_of(&e)), 4);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_RET(take_report(fd, &r), 4);
	CHECK_RET(r.ncmsg, 3);
	CHECK(r.has_time);
	CHECK_RET(r.ttl, 64);
	close(fd);
}

/* Several: SO_ERROR is that of the next one. */
static void
udp_queue_of_two(void)
{
	union end e = loopback(AF_INET, nobodys_port(AF_INET));
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct report r;

	CHECK_RET(set(fd, SOL_IP, IP_RECVERR, 1), 0);
	CHECK_RET(sendto(fd, "one", 3, 0, &e.sa, size_of(&e)), 3);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	CHECK_RET(sendto(fd, "two", 3, 0, &e.sa, size_of(&e)), 3);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	while (option(fd, SOL_SOCKET, SO_ERROR) != ECONNREFUSED)
		;
	CHECK_RET(take_report(fd, &r), 3);
	CHECK_MEM(r.data, "one", 3);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	CHECK_RET(take_report(fd, &r), 3);
	CHECK_MEM(r.data, "two", 3);
	CHECK_RET(option(fd, SOL_SOCKET, SO_ERROR), 0);
	CHECK_RET(wait_for(fd, POLLOUT), POLLOUT);
	close(fd);
}

/* A socket of IPv6 that sends by IPv4: its own option, mapped addresses. */
static void
udp_mapped(void)
{
	union end e = loopback(AF_INET6, nobodys_port(AF_INET));
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct report r;

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &e.in6.sin6_addr);
	CHECK_RET(set(fd, SOL_IP, IP_RECVERR, 1), 0);
	CHECK_RET(sendto(fd, "fish", 4, 0, &e.sa, size_of(&e)), 4);
	CHECK_RET(wait_for(fd, 0), POLLERR);
	CHECK_RET(take_report(fd, &r), 4);
	CHECK_RET(r.ee.ee_origin, SO_EE_ORIGIN_ICMP);
	CHECK(same_address(&r.to, &e));
	CHECK(same_address(&r.offender, &e));
	close(fd);
}

/* --------------------------------------------------------- raw sockets, echoes -- */

/* All of them that could have sent it hear of it, from its header on. */
static void
raw_queue(void)
{
	union end e = loopback(AF_INET, nobodys_port(AF_INET));
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	int deaf = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	struct report r;

	if (raw < 0) {
		check_note("no raw sockets for this user");
		CHECK_RET(errno, EPERM);
		close(fd);
		return;
	}
	CHECK_RET(set(raw, SOL_IP, IP_RECVERR, 1), 0);
	CHECK_RET(connect(raw, &e.sa, size_of(&e)), 0);
	CHECK_RET(sendto(fd, "fish", 4, 0, &e.sa, size_of(&e)), 4);
	CHECK((wait_for(raw, 0) & POLLERR) != 0);
	CHECK_RET(take_report(raw, &r), 12);
	CHECK_MEM(r.data + 8, "fish", 4);
	CHECK_MEM(r.data + 2, &e.in.sin_port, 2);
	CHECK_RET(r.ee.ee_errno, ECONNREFUSED);
	CHECK(same_address(&r.to, &e));
	CHECK_RET(r.to.in.sin_port, 0);
	CHECK_RET(option(deaf, SOL_SOCKET, SO_ERROR), 0);
	close(fd);
	close(raw);
	close(deaf);
}

/* To the loopback nothing is too large; with a header of one's own it is. */
static void
raw_too_large(void)
{
	union end e = loopback(AF_INET, 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char big[65600];

	CHECK_RET(option(fd, SOL_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT);
	CHECK_RET(set(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
	CHECK_ERR(option(fd, SOL_IP, IP_MTU) < 0 ? -1 : 0, ENOTCONN);
	e.in.sin_port = htons(nobodys_port(AF_INET));
	CHECK_RET(connect(fd, &e.sa, size_of(&e)), 0);
	CHECK(option(fd, SOL_IP, IP_MTU) >= 65535);
	CHECK_ERR(send(fd, big, sizeof(big), 0), EMSGSIZE);
	CHECK_ERR(set(fd, SOL_IP, IP_MTU_DISCOVER, 6), EINVAL);
	close(fd);
}

static bool
allow_echoes(void)
{
	int fd = open("/proc/sys/net/ipv4/ping_group_range", O_RDWR);
	static const char all[] = "0 2147483647\n";
	bool ok;

	ok = fd >= 0 && write(fd, all, sizeof(all) - 1) == sizeof(all) - 1;
	if (fd >= 0)
		close(fd);
	return ok;
}

static void
echo(void)
{
	union end e = loopback(AF_INET, 0), from = { 0 };
	struct {
		struct icmphdr h;
		char data[4];
	} m = { .h = { .type = ICMP_ECHO }, .data = "fis" }, got;
	socklen_t len = sizeof(from);
	int fd, other;

	m.h.un.echo.sequence = htons(7);
	m.h.un.echo.id = 1234; /* the kernel has its own */
	fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	other = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	REQUIRE(fd >= 0 && other >= 0);
	CHECK_RET(sendto(fd, &m, sizeof(m), 0, &e.sa, size_of(&e)), sizeof(m));
	CHECK_RET(getsockname(fd, &from.sa, &len), 0);
	CHECK(from.in.sin_port != 0);
	CHECK_RET(wait_for(fd, POLLIN), POLLIN);
	CHECK_RET(recv(fd, &got, sizeof(got), 0), sizeof(got));
	CHECK_RET(got.h.type, ICMP_ECHOREPLY);
	CHECK_RET(got.h.un.echo.sequence, htons(7));
	CHECK_RET(got.h.un.echo.id, from.in.sin_port);
	CHECK_MEM(got.data, "fis", 4);
	CHECK_ERR(recv(other, &got, sizeof(got), MSG_DONTWAIT), EAGAIN);
	m.h.type = ICMP_TIMESTAMP;
	CHECK_ERR(sendto(fd, &m, sizeof(m), 0, &e.sa, size_of(&e)), EINVAL);
	CHECK_ERR(sendto(fd, &m, 7, 0, &e.sa, size_of(&e)), EINVAL);
	CHECK_ERR(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6), EPROTONOSUPPORT);
	close(fd);
	close(other);
}

/* ------------------------------------------------------------------- times -- */

/*
 * The next datagram's control messages.  Linux begins to note times a moment
 * after it was asked to; one without is sent again.
 */
static struct cmsghdr *
stamped(int from, int at, const union end *e, struct msghdr *m)
{
	size_t room = m->msg_controllen;
	int64_t until = check_now_ms() + WAIT_MS;
	struct cmsghdr *c;

	do {
		m->msg_controllen = room;
		CHECK_RET(sendto(from, "fish", 4, 0, &e->sa, size_of(e)), 4);
		CHECK_RET(wait_for(at, POLLIN), POLLIN);
		CHECK_RET(recvmsg(at, m, 0), 4);
		c = CMSG_FIRSTHDR(m);
	} while (c == NULL && check_now_ms() < until);
	return c;
}

/* Not time(2), which lags behind. */
static time_t
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

static void
stamp(int name, int value, int type, size_t size)
{
	union end e = loopback(AF_INET, 0);
	int a = socket(AF_INET, SOCK_DGRAM, 0);
	int b = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(e);
	char control[256], buf[8];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	long t[2] = { 0 };
	time_t before = now_s();

	CHECK_RET(bind(b, &e.sa, size_of(&e)), 0);
	CHECK_RET(getsockname(b, &e.sa, &len), 0);
	CHECK_RET(set(b, SOL_SOCKET, name, value), 0);
	CHECK_RET(option(b, SOL_SOCKET, name), value);
	c = stamped(a, b, &e, &m);
	REQUIRE(c != NULL);
	CHECK_RET(c->cmsg_level, SOL_SOCKET);
	CHECK_RET(c->cmsg_type, type);
	CHECK_RET(c->cmsg_len, CMSG_LEN(size));
	CHECK(CMSG_NXTHDR(&m, c) == NULL);
	memcpy(t, CMSG_DATA(c), sizeof(t));
	CHECK(t[0] >= before && t[0] <= now_s() && t[1] >= 0);
	CHECK_RET(set(b, SOL_SOCKET, name, 0), 0);
	CHECK_RET(option(b, SOL_SOCKET, name), 0);
	close(a);
	close(b);
}

static void
stamps(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	/* Numbers of their own since Linux 5.1, wherever time_t has 64 bits. */
	stamp(29, 1, 29, 16);
	stamp(35, 1, 35, 16);
	stamp(63, 1, 63, 16);
	stamp(64, 1, 64, 16);
	stamp(37, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE, 37,
	    48);
	/* The last one counts. */
	CHECK_RET(set(fd, SOL_SOCKET, 29, 1), 0);
	CHECK_RET(set(fd, SOL_SOCKET, 35, 1), 0);
	CHECK_RET(option(fd, SOL_SOCKET, 29), 0);
	CHECK_RET(option(fd, SOL_SOCKET, 35), 1);
	CHECK_ERR(set(fd, SOL_SOCKET, 37, 1 << 30), EINVAL);
	close(fd);
}

int
main(void)
{
	udp_without_queue(AF_INET);
	udp_without_queue(AF_INET6);
	udp_queue(AF_INET);
	udp_queue(AF_INET6);
	udp_queue_extras(AF_INET);
	udp_queue_extras(AF_INET6);
	udp_queue_of_two();
	udp_mapped();
	raw_queue();
	raw_too_large();
	if (allow_echoes())
		echo();
	else
		check_note("ping_group_range cannot be set here");
	stamps();
	return check_done();
}
