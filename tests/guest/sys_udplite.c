/* SPDX-License-Identifier: ISC */
/*
 * sys_udplite.c - UDP-Lite over the loopback: ports of its own, and checksums
 * that cover a part.  udplite(7), RFC 3828.
 */
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#define SOL_UDPLITE        136
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11

#define WAIT_MS 90000

/* Some sockets of one family's loopback; *port 0: any, and says which. */
static int
bound(int family, int protocol, uint16_t *port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
		.sin6_port = htons(*port) };
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(*port) };
	void *sa = family == AF_INET ? (void *)&four : (void *)&six;
	socklen_t len = family == AF_INET ? sizeof(four) : sizeof(six);
	int fd = socket(family, SOCK_DGRAM, protocol);

	if (fd < 0)
		return -1;
	if (bind(fd, sa, len) != 0 || getsockname(fd, sa, &len) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
	return fd;
}

static int
connect_to(int fd, int other)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(other, (void *)&ss, &len) != 0)
		return -1;
	return connect(fd, (void *)&ss, len);
}

/* What comes first is exactly this. */
static void
gets(int fd, const char *what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[64] = "";

	CHECK_RET(poll(&p, 1, WAIT_MS), 1);
	CHECK_RET(recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT), strlen(what));
	CHECK_STR(buf, what);
}

static int
cover(int fd, int name, int n)
{
	return setsockopt(fd, SOL_UDPLITE, name, &n, sizeof(n));
}

static int
covers(int fd, int name)
{
	socklen_t len = sizeof(int);
	int n = -1;

	if (getsockopt(fd, SOL_UDPLITE, name, &n, &len) != 0)
		return -1;
	return n;
}

/* The same number is another port for UDP. */
static void
ports(int family)
{
	uint16_t port = 0, same;
	int lite = bound(family, IPPROTO_UDPLITE, &port), udp, from[2];

	REQUIRE(lite >= 0);
	same = port;
	udp = bound(family, IPPROTO_UDP, &same);
	REQUIRE(udp >= 0);
	CHECK_ERR(bound(family, IPPROTO_UDPLITE, &same), EADDRINUSE);
	from[0] = socket(family, SOCK_DGRAM, IPPROTO_UDPLITE);
	from[1] = socket(family, SOCK_DGRAM, IPPROTO_UDP);
	CHECK_RET(connect_to(from[0], lite), 0);
	CHECK_RET(connect_to(from[1], lite), 0);
	CHECK_RET(send(from[0], "lite", 4, 0), 4);
	CHECK_RET(send(from[1], "plain", 5, 0), 5);
	gets(lite, "lite");
	gets(udp, "plain");
	close(lite);
	/* Nobody is there any more: as for UDP, and only here. */
	if (family == AF_INET) {
		CHECK_RET(send(from[0], "x", 1, 0), 1);
		CHECK_ERR(recv(from[0], &same, 1, 0), ECONNREFUSED);
		CHECK_RET(send(from[1], "still", 5, 0), 5);
		gets(udp, "still");
	}
	close(udp);
	close(from[0]);
	close(from[1]);
}

static void
options(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), n = 8;
	int udp = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_RET(covers(fd, UDPLITE_SEND_CSCOV), 0);
	CHECK_RET(covers(fd, UDPLITE_RECV_CSCOV), 0);
	CHECK_RET(cover(fd, UDPLITE_SEND_CSCOV, 20), 0);
	CHECK_RET(covers(fd, UDPLITE_SEND_CSCOV), 20);
	CHECK_RET(covers(fd, UDPLITE_RECV_CSCOV), 0);
	CHECK_RET(cover(fd, UDPLITE_RECV_CSCOV, 3), 0);
	CHECK_RET(covers(fd, UDPLITE_RECV_CSCOV), 8);
	CHECK_RET(cover(fd, UDPLITE_RECV_CSCOV, -1), 0);
	CHECK_RET(covers(fd, UDPLITE_RECV_CSCOV), 8);
	CHECK_RET(cover(fd, UDPLITE_RECV_CSCOV, 100000), 0);
	CHECK_RET(covers(fd, UDPLITE_RECV_CSCOV), 65535);
	CHECK_ERR(setsockopt(fd, SOL_UDPLITE, UDPLITE_SEND_CSCOV, &n, 2),
	    EINVAL);
	CHECK_ERR(cover(fd, 99, 1), ENOPROTOOPT);
	CHECK_ERR(cover(udp, UDPLITE_SEND_CSCOV, 8), ENOPROTOOPT);
	close(fd);
	close(udp);
}

/* What covers less than the receiver wants does not come. */
static void
coverage(int family)
{
	uint16_t port = 0;
	int to = bound(family, IPPROTO_UDPLITE, &port);
	int from = socket(family, SOCK_DGRAM, IPPROTO_UDPLITE);

	REQUIRE(to >= 0);
	CHECK_RET(connect_to(from, to), 0);
	CHECK_RET(cover(from, UDPLITE_SEND_CSCOV, 10), 0);
	CHECK_RET(send(from, "in part", 7, 0), 7);
	gets(to, "in part"); /* whoever does not ask takes all */
	CHECK_RET(cover(to, UDPLITE_RECV_CSCOV, 11), 0);
	CHECK_RET(send(from, "too little", 10, 0), 10);
	CHECK_RET(cover(from, UDPLITE_SEND_CSCOV, 11), 0);
	CHECK_RET(send(from, "enough", 6, 0), 6);
	gets(to, "enough");
	CHECK_RET(cover(to, UDPLITE_RECV_CSCOV, 0), 0);
	CHECK_RET(send(from, "not whole", 9, 0), 9);
	CHECK_RET(send(from, "abc", 3, 0), 3); /* 11 bytes: all of it */
	gets(to, "abc");
	CHECK_RET(cover(from, UDPLITE_SEND_CSCOV, 0), 0);
	CHECK_RET(send(from, "whole", 5, 0), 5);
	gets(to, "whole");
	close(to);
	close(from);
}

/* RFC 1071, with UDP's pseudo header for 127.0.0.1. */
static uint16_t
sum(const uint8_t *p, unsigned covered, unsigned all)
{
	uint32_t s = 2 * (0x7f00 + 1) + IPPROTO_UDPLITE + all;

	for (unsigned i = 0; i < covered; i++)
		s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

/* One datagram whose header says `says`; `covered` bytes are summed. */
static void
send_raw(int raw, uint16_t port, const char *text, unsigned says,
    unsigned covered)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t w[20] = { htons(7), htons(port), htons((uint16_t)says) };
	size_t len = 8 + strlen(text);

	memcpy(w + 4, text, strlen(text));
	w[3] = sum((uint8_t *)w, covered, (unsigned)len);
	CHECK_RET(sendto(raw, w, len, 0, (void *)&to, sizeof(to)), len);
}

static void
lies(void)
{
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDPLITE), to;
	uint16_t port = 0;

	if (raw < 0 && errno == EPERM) {
		check_note("not root: raw datagrams are left out");
		return;
	}
	REQUIRE(raw >= 0);
	to = bound(AF_INET, IPPROTO_UDPLITE, &port);
	send_raw(raw, port, "header not covered", 7, 8);
	send_raw(raw, port, "more than there is", 27, 26);
	send_raw(raw, port, "most", 65535, 12);
	send_raw(raw, port, "all of it", 0, 17);
	gets(to, "all of it");
	send_raw(raw, port, "just the header", 8, 8);
	gets(to, "just the header");
	close(raw);
	close(to);
}

static void
proc(void)
{
	char line[256], wanted[32];
	uint16_t port = 0;
	int fd = bound(AF_INET, IPPROTO_UDPLITE, &port);
	FILE *lite = fopen("/proc/net/udplite", "r");
	FILE *udp = fopen("/proc/net/udp", "r");
	bool found = false, there = false;

	REQUIRE(lite != NULL && udp != NULL);
	snprintf(wanted, sizeof(wanted), "0100007F:%04X 00000000", port);
	while (fgets(line, sizeof(line), lite) != NULL)
		found |= strstr(line, wanted) != NULL;
	while (fgets(line, sizeof(line), udp) != NULL)
		there |= strstr(line, wanted) != NULL;
	CHECK(found);
	CHECK(!there);
	fclose(lite);
	fclose(udp);
	close(fd);
}

int
main(void)
{
	ports(AF_INET);
	ports(AF_INET6);
	options();
	coverage(AF_INET);
	coverage(AF_INET6);
	lies();
	proc();
	return check_done();
}
