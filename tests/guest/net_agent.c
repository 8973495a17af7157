/* SPDX-License-Identifier: ISC */
/*
 * net_agent.c - does with sockets what a script on the host says, by datagrams
 * over the very link that the script plays with (tests/suite/peer.py).
 *
 *     net_agent eth0 10.7.0.2 255.255.255.0 10.7.0.1 | net_agent -
 *
 * gives the interface that address and gateway ("-": it has them), and tells
 * the gateway that it is there.  Then each datagram to port 7 is "NUMBER WORD
 * ARGUMENT...", answered with "NUMBER VALUE TEXT", where a negative value is an
 * errno.  A number that came already is not done again, only answered.
 */
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#define PORT    7
#define WORDS   8
#define TEXT    1400
#define WAIT_MS 150000

struct call {
	char *word[WORDS];
	long value;
	char text[TEXT];
};

static unsigned char pattern[1 << 18];

static long
result(long r)
{
	return r < 0 ? -errno : r;
}

static int
number(const struct call *c, int i)
{
	return c->word[i] == NULL ? 0 : atoi(c->word[i]);
}

/* An address of either family. */
static socklen_t
address(const struct call *c, int i, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *a6 = (void *)to;
	struct sockaddr_in *a4 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, c->word[i], &a4->sin_addr) == 1) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons((uint16_t)number(c, i + 1));
		return sizeof(*a4);
	}
	a6->sin6_family = AF_INET6;
	a6->sin6_port = htons((uint16_t)number(c, i + 1));
	if (inet_pton(AF_INET6, c->word[i], &a6->sin6_addr) != 1)
		return 0;
	if (a6->sin6_addr.s6_addr[0] == 0xfe)
		a6->sin6_scope_id = if_nametoindex("eth0");
	return sizeof(*a6);
}

static void
do_socket(struct call *c)
{
	bool tcp = strcmp(c->word[2], "tcp") == 0,
	     ping = strcmp(c->word[2], "ping") == 0;

	c->value = result(socket(number(c, 1) == 6 ? AF_INET6 : AF_INET,
	    (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK,
	    !ping                 ? 0 :
		number(c, 1) == 6 ? IPPROTO_ICMPV6 :
				    IPPROTO_ICMP));
}

static void
do_bind(struct call *c)
{
	struct sockaddr_storage a;
	socklen_t len = address(c, 2, &a);

	c->value = result(bind(number(c, 1), (void *)&a, len));
}

static void
do_connect(struct call *c)
{
	struct sockaddr_storage a;
	socklen_t len = address(c, 2, &a);

	c->value = result(connect(number(c, 1), (void *)&a, len));
}

static void
do_listen(struct call *c)
{
	c->value = result(listen(number(c, 1), number(c, 2)));
}

/* Waits for the events; those that are there. */
static long
wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, WAIT_MS);

	return n < 0 ? -errno : n == 0 ? -ETIMEDOUT : p.revents;
}

static void
do_poll(struct call *c)
{
	c->value = wait_for(number(c, 1), (short)number(c, 2));
}

static void
do_accept(struct call *c)
{
	c->value = wait_for(number(c, 1), POLLIN);
	if (c->value > 0)
		c->value = result(
		    accept4(number(c, 1), NULL, NULL, SOCK_NONBLOCK));
}

/* As many as there are, at once. */
static void
do_accept_all(struct call *c)
{
	while (accept4(number(c, 1), NULL, NULL, SOCK_NONBLOCK) >= 0)
		c->value++;
}

/* Bytes of a pattern that goes on from `from`. */
static void
do_send(struct call *c)
{
	size_t from = (size_t)number(c, 2), n = (size_t)number(c, 3);

	c->value = result(
	    send(number(c, 1), pattern + from, n, MSG_NOSIGNAL | number(c, 4)));
}

static void
do_sendto(struct call *c)
{
	struct sockaddr_storage a;
	socklen_t len = address(c, 2, &a);

	c->value = result(sendto(number(c, 1), pattern, (size_t)number(c, 4), 0,
	    (void *)&a, len));
}

/* What is there, waited for unless it is urgent, in hexadecimal. */
static void
do_recv(struct call *c)
{
	unsigned char data[TEXT / 2 - 1];
	size_t max = (size_t)number(c, 2);
	long i;

	if ((number(c, 3) & MSG_OOB) == 0)
		c->value = wait_for(number(c, 1), POLLIN);
	if (c->value < 0)
		return;
	if (max > sizeof(data))
		max = sizeof(data);
	c->value = result(recv(number(c, 1), data, max, number(c, 3)));
	for (i = 0; i < c->value; i++)
		sprintf(c->text + 2 * i, "%02x", data[i]);
}

/* Reads N bytes of the pattern (all, up to the end, with 0): how many. */
static void
do_drain(struct call *c)
{
	static unsigned char data[65536];
	long n, i, want = number(c, 2), total = 0, wrong = 0;

	while (want == 0 || total < want) {
		n = wait_for(number(c, 1), POLLIN);
		if (n >= 0)
			n = result(recv(number(c, 1), data,
			    want == 0 || want - total > (long)sizeof(data) ?
				sizeof(data) :
				(size_t)(want - total),
			    0));
		if (n <= 0) {
			sprintf(c->text, "%ld %ld", n, wrong);
			break;
		}
		for (i = 0; i < n; i++)
			wrong += data[i] !=
			    pattern[(size_t)(total + i) % sizeof(pattern)];
		total += n;
	}
	if (c->text[0] == '\0')
		sprintf(c->text, "0 %ld", wrong);
	c->value = total;
}

static void
do_shutdown(struct call *c)
{
	c->value = result(shutdown(number(c, 1), number(c, 2)));
}

static void
do_close(struct call *c)
{
	c->value = result(close(number(c, 1)));
}

/* All from a descriptor on. */
static void
do_close_from(struct call *c)
{
	int fd;

	for (fd = number(c, 1); fd < number(c, 2); fd++)
		c->value += close(fd) == 0;
}

static void
do_set(struct call *c)
{
	int v = number(c, 4);

	c->value = result(setsockopt(number(c, 1), number(c, 2), number(c, 3),
	    &v, sizeof(v)));
}

static void
do_get(struct call *c)
{
	int v = 0;
	socklen_t len = sizeof(v);

	c->value = result(
	    getsockopt(number(c, 1), number(c, 2), number(c, 3), &v, &len));
	if (c->value == 0)
		c->value = v;
}

static void
do_info(struct call *c)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	c->value = result(
	    getsockopt(number(c, 1), IPPROTO_TCP, TCP_INFO, &info, &len));
	sprintf(c->text, "%u %u", info.tcpi_state, info.tcpi_snd_mss);
}

/* Free memory, in KiB. */
static void
do_memory(struct call *c)
{
	struct sysinfo s;

	c->value = result(sysinfo(&s));
	if (c->value == 0)
		c->value = (long)(s.freeram * s.mem_unit / 1024);
}

/* A file's lines that have a word in them: how many, and the first bytes. */
static void
do_grep(struct call *c)
{
	FILE *f = fopen(c->word[1], "r");
	char line[512];
	size_t used = 0, n;

	if (f == NULL) {
		c->value = -errno;
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (c->word[2] != NULL && strstr(line, c->word[2]) == NULL)
			continue;
		c->value++;
		n = strlen(line);
		if (used + n < TEXT) {
			memcpy(c->text + used, line, n + 1);
			used += n;
		}
	}
	fclose(f);
}

/* The numbers of a report and its payload, in hexadecimal. */
static void
put_report(struct call *c, struct msghdr *m)
{
	const unsigned char *data = m->msg_iov->iov_base;
	struct sock_extended_err ee = { 0 };
	struct cmsghdr *h;
	long i, at;

	for (h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h))
		if ((h->cmsg_level == SOL_IP && h->cmsg_type == IP_RECVERR) ||
		    (h->cmsg_level == SOL_IPV6 && h->cmsg_type == IPV6_RECVERR))
			memcpy(&ee, CMSG_DATA(h), sizeof(ee));
	at = sprintf(c->text, "%u %u %u %u %u ", ee.ee_errno, ee.ee_origin,
	    ee.ee_type, ee.ee_code, ee.ee_info);
	for (i = 0; i < c->value && i < 64; i++)
		at += sprintf(c->text + at, "%02x", data[i]);
}

/* What waits in the queue of errors, once something does. */
static void
do_report(struct call *c)
{
	char control[256];
	unsigned char data[2048];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };

	c->value = wait_for(number(c, 1), 0);
	if (c->value > 0)
		c->value = result(recvmsg(number(c, 1), &m, MSG_ERRQUEUE));
	if (c->value >= 0)
		put_report(c, &m);
}

/* "join FD GROUP": by eth0; what is sent to groups leaves there, too. */
static void
do_join(struct call *c)
{
	struct ip_mreqn m = { .imr_ifindex = (int)if_nametoindex("eth0") };

	inet_pton(AF_INET, c->word[2], &m.imr_multiaddr);
	c->value = result(setsockopt(number(c, 1), IPPROTO_IP,
	    IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	if (c->value == 0)
		c->value = result(setsockopt(number(c, 1), IPPROTO_IP,
		    IP_MULTICAST_IF, &m, sizeof(m)));
}

/* "source FD WORD GROUP SOURCE": whether it is wanted in a group of eth0. */
static void
do_source(struct call *c)
{
	struct group_source_req g = { .gsr_interface = if_nametoindex("eth0") };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	static const char *const kinds[] = { "block", "unblock", "leave",
		"join" }; /* by number from MCAST_BLOCK_SOURCE on */
	int name = MCAST_BLOCK_SOURCE, i;

	for (i = 0; i < 4; i++)
		if (strcmp(c->word[2], kinds[i]) == 0)
			name = i < 2 ? MCAST_BLOCK_SOURCE + i :
			    i == 2   ? MCAST_LEAVE_SOURCE_GROUP :
				       MCAST_JOIN_SOURCE_GROUP;
	inet_pton(AF_INET, c->word[3], &sin.sin_addr);
	memcpy(&g.gsr_group, &sin, sizeof(sin));
	inet_pton(AF_INET, c->word[4], &sin.sin_addr);
	memcpy(&g.gsr_source, &sin, sizeof(sin));
	c->value = result(
	    setsockopt(number(c, 1), IPPROTO_IP, name, &g, sizeof(g)));
}

/* "address add IP BITS", "address del IP BITS": of eth0. */
static void
do_address(struct call *c)
{
	bool add = strcmp(c->word[1], "add") == 0;
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg a;
		struct rtattr attr;
		struct in_addr ip;
	} q = { .h = { .nlmsg_len = sizeof(q),
		    .nlmsg_type = add ? RTM_NEWADDR : RTM_DELADDR,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
			(add ? NLM_F_CREATE | NLM_F_EXCL : 0) },
		.a = { .ifa_family = AF_INET,
		    .ifa_prefixlen = (unsigned char)number(c, 3),
		    .ifa_index = if_nametoindex("eth0") },
		.attr = { sizeof(q.attr) + sizeof(q.ip), IFA_LOCAL } };
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	inet_pton(AF_INET, c->word[2], &q.ip);
	c->value = result(send(fd, &q, sizeof(q), 0));
	if (c->value > 0)
		c->value = result(recv(fd, &answer, sizeof(answer), 0));
	if (c->value > 0)
		c->value = answer.e.error;
	close(fd);
}

/* "write FILE TEXT": of /proc/sys. */
static void
do_write(struct call *c)
{
	int fd = open(c->word[1], O_WRONLY);

	c->value = result(write(fd, c->word[2], strlen(c->word[2])));
	close(fd);
}

/* "route6 add DEST BITS GATEWAY", "route6 del ...": by eth0; - is no gateway. */
static void
do_route6(struct call *c)
{
	struct in6_rtmsg r = { .rtmsg_dst_len = (unsigned short)number(c, 3),
		.rtmsg_flags = RTF_UP,
		.rtmsg_metric = 1,
		.rtmsg_ifindex = (int)if_nametoindex("eth0") };
	bool add = strcmp(c->word[1], "add") == 0;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	inet_pton(AF_INET6, c->word[2], &r.rtmsg_dst);
	if (inet_pton(AF_INET6, c->word[4], &r.rtmsg_gateway) == 1)
		r.rtmsg_flags |= RTF_GATEWAY;
	c->value = result(ioctl(fd, add ? SIOCADDRT : SIOCDELRT, &r));
	close(fd);
}

static void
do_exit(struct call *c)
{
	(void)c;
}

static const struct {
	const char *word;
	void (*fn)(struct call *c);
} words[] = {
	{ "socket", do_socket },
	{ "bind", do_bind },
	{ "connect", do_connect },
	{ "listen", do_listen },
	{ "poll", do_poll },
	{ "accept", do_accept },
	{ "accept_all", do_accept_all },
	{ "send", do_send },
	{ "sendto", do_sendto },
	{ "recv", do_recv },
	{ "drain", do_drain },
	{ "shutdown", do_shutdown },
	{ "close", do_close },
	{ "close_from", do_close_from },
	{ "set", do_set },
	{ "get", do_get },
	{ "info", do_info },
	{ "memory", do_memory },
	{ "grep", do_grep },
	{ "report", do_report },
	{ "join", do_join },
	{ "source", do_source },
	{ "address", do_address },
	{ "route6", do_route6 },
	{ "write", do_write },
	{ "exit", do_exit },
};

/* Whether the word is the last one. */
static bool
carry_out(struct call *c)
{
	size_t i;

	c->value = 0;
	c->text[0] = '\0';
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (c->word[0] != NULL &&
		    strcmp(c->word[0], words[i].word) == 0) {
			words[i].fn(c);
			return strcmp(c->word[0], "exit") == 0;
		}
	c->value = -ENOSYS;
	return false;
}

static bool
split(struct call *c, char *line)
{
	char *at, *word;
	int n = 0;

	memset(c->word, 0, sizeof(c->word));
	for (word = strtok_r(line, " ", &at); word != NULL && n < WORDS;
	     word = strtok_r(NULL, " ", &at))
		c->word[n++] = word;
	return n > 0;
}

static void
serve(int fd)
{
	static char line[TEXT], answer[TEXT + 32];
	static struct call c;
	struct sockaddr_in from;
	long done = 0, number;
	bool over = false;
	socklen_t len;
	ssize_t n;
	char *rest;

	while (!over) {
		len = sizeof(from);
		n = recvfrom(fd, line, sizeof(line) - 1, 0, (void *)&from,
		    &len);
		if (n <= 0)
			continue;
		line[n] = '\0';
		number = strtol(line, &rest, 10);
		if (number > done && split(&c, rest)) {
			over = carry_out(&c);
			done = number;
			snprintf(answer, sizeof(answer), "%ld %ld %s", number,
			    c.value, c.text);
		}
		(void)sendto(fd, answer, strlen(answer), 0, (void *)&from, len);
	}
}

static void
must(const char *what, long r)
{
	if (r >= 0)
		return;
	printf("net_agent: %s: error %d\n", what, errno);
	exit(1);
}

static void
set_in(struct sockaddr *to, const char *text)
{
	struct sockaddr_in *in = (void *)to;

	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	if (inet_pton(AF_INET, text, &in->sin_addr) != 1) {
		printf("net_agent: %s is no address\n", text);
		exit(1);
	}
}

static void
configure(int fd, char **argv)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	strncpy(r.ifr_name, argv[1], IFNAMSIZ - 1);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	must("up", ioctl(fd, SIOCSIFFLAGS, &r));
	set_in(&r.ifr_addr, argv[2]);
	must("address", ioctl(fd, SIOCSIFADDR, &r));
	set_in(&r.ifr_addr, argv[3]);
	must("mask", ioctl(fd, SIOCSIFNETMASK, &r));
	set_in(&route.rt_gateway, argv[4]);
	set_in(&route.rt_dst, "0.0.0.0");
	set_in(&route.rt_genmask, "0.0.0.0");
	must("route", ioctl(fd, SIOCADDRT, &route));
}

int
main(int argc, char **argv)
{
	struct rlimit all = { 20000, 20000 };
	struct sockaddr_in a;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	size_t i;

	/* As the first program of a Linux it finds none. */
	if (access("/proc/self", F_OK) != 0) {
		(void)mkdir("/proc", 0755);
		(void)mount("proc", "/proc", "proc", 0, NULL);
	}
	must("socket", fd);
	(void)setrlimit(RLIMIT_NOFILE, &all);
	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = (unsigned char)(i * 7 + i / 251);
	if (argc == 5)
		configure(fd, argv);
	set_in((struct sockaddr *)&a, "0.0.0.0");
	a.sin_port = htons(PORT);
	must("bind", bind(fd, (struct sockaddr *)&a, sizeof(a)));
	if (argc == 5) {
		set_in((struct sockaddr *)&a, argv[4]);
		a.sin_port = htons(PORT);
		must("hello",
		    sendto(fd, "0 0 hello", 9, 0, (void *)&a, sizeof(a)));
	}
	serve(fd);
	return 0;
}
