/* SPDX-License-Identifier: ISC */
/*
 * sys_netlink.c - netlink sockets: addresses, groups, messages between
 * programs, and uevents, which the kernel sends.  netlink(7), recv(2).
 */
#include "check.h"
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

static struct sockaddr_nl
at(unsigned pid, unsigned groups)
{
	struct sockaddr_nl a;

	memset(&a, 0, sizeof(a));
	a.nl_family = AF_NETLINK;
	a.nl_pid = pid;
	a.nl_groups = groups;
	return a;
}

static int
bind_to(int s, unsigned pid, unsigned groups)
{
	struct sockaddr_nl a = at(pid, groups);

	return bind(s, (struct sockaddr *)&a, sizeof(a));
}

static int
make(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
	    NETLINK_KOBJECT_UEVENT);
}

static struct sockaddr_nl
name_of(int s)
{
	struct sockaddr_nl a = at(0, 0);
	socklen_t len = sizeof(a);

	CHECK_RET(getsockname(s, (struct sockaddr *)&a, &len), 0);
	CHECK(len == sizeof(a));
	return a;
}

static long
send_to(int s, unsigned pid, unsigned groups, const char *text)
{
	struct sockaddr_nl a = at(pid, groups);

	return sendto(s, text, strlen(text), 0, (struct sockaddr *)&a,
	    sizeof(a));
}

static void
addresses(void)
{
	struct sockaddr_nl a = at(0, 0);
	int s, t;

	CHECK_ERR(socket(AF_NETLINK, SOCK_STREAM, NETLINK_KOBJECT_UEVENT),
	    ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT);
	s = make();
	REQUIRE(s >= 0);
	CHECK(name_of(s).nl_pid == 0);
	CHECK_ERR(bind(s, (struct sockaddr *)&a, 4), EINVAL);
	a.nl_family = AF_INET;
	CHECK_ERR(bind(s, (struct sockaddr *)&a, sizeof(a)), EINVAL);
	CHECK_RET(bind_to(s, 0, 2), 0);
	CHECK(name_of(s).nl_pid == (unsigned)getpid());
	CHECK(name_of(s).nl_groups == 2);
	CHECK_ERR(bind_to(s, 0, 4), EINVAL); /* that is another port */
	CHECK_RET(bind_to(s, getpid(), 4), 0);
	CHECK(name_of(s).nl_groups == 4);
	CHECK_ERR(bind_to(s, 12345678, 0), EINVAL);
	t = make();
	CHECK_ERR(bind_to(t, getpid(), 0), EADDRINUSE);
	CHECK_RET(bind_to(t, 0, 0), 0);
	CHECK(name_of(t).nl_pid != (unsigned)getpid());
	CHECK(name_of(t).nl_pid != 0);
	CHECK_ERR(listen(s, 1), EOPNOTSUPP);
	CHECK_ERR(shutdown(s, SHUT_RD), EOPNOTSUPP);
	close(s);
	CHECK_RET(close(t), 0);
}

static void
options(void)
{
	int s = make(), n = 5;
	socklen_t len = sizeof(n);

	CHECK_RET(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &n,
		      sizeof(n)),
	    0);
	CHECK(name_of(s).nl_groups == 1u << 4);
	CHECK_RET(setsockopt(s, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &n,
		      sizeof(n)),
	    0);
	CHECK(name_of(s).nl_groups == 0);
	n = 0;
	CHECK_ERR(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &n,
		      sizeof(n)),
	    EINVAL);
	n = 1;
	CHECK_ERR(setsockopt(s, SOL_NETLINK, 77, &n, sizeof(n)), ENOPROTOOPT);
	CHECK_RET(getsockopt(s, SOL_NETLINK, NETLINK_NO_ENOBUFS, &n, &len), 0);
	CHECK(n == 0);
	n = 1;
	CHECK_RET(setsockopt(s, SOL_NETLINK, NETLINK_NO_ENOBUFS, &n, sizeof(n)),
	    0);
	n = 0;
	CHECK_RET(getsockopt(s, SOL_NETLINK, NETLINK_NO_ENOBUFS, &n, &len), 0);
	CHECK(n == 1);
	close(s);
}

/* A message with its sender's address and credentials. */
static long
receive(int s, char *buf, size_t size, int flags, struct sockaddr_nl *from,
    struct ucred *cred, int *answer)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec v = { buf, size };
	struct msghdr m;
	struct cmsghdr *c;
	long n;

	memset(&m, 0, sizeof(m));
	m.msg_name = from;
	m.msg_namelen = sizeof(*from);
	m.msg_iov = &v;
	m.msg_iovlen = 1;
	m.msg_control = control;
	m.msg_controllen = sizeof(control);
	n = recvmsg(s, &m, flags);
	*answer = m.msg_flags;
	memset(cred, 0xff, sizeof(*cred));
	for (c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c != NULL;
	     c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_CREDENTIALS)
			memcpy(cred, CMSG_DATA(c), sizeof(*cred));
	return n;
}

/* Forbidden to the unprivileged, which the host may have made of us. */
static bool
may_send(int s, unsigned to)
{
	long n = send_to(s, to, 0, "first");

	if (n < 0 && errno == EPERM && getpid() != 1)
		return false;
	CHECK_RET(n, 5);
	return true;
}

static void
messages(void)
{
	int a = make(), b = make(), one = 1, answer;
	struct sockaddr_nl from;
	struct pollfd p = { b, POLLIN | POLLOUT, 0 };
	struct ucred cred;
	unsigned to;
	char buf[64];

	REQUIRE(a >= 0 && b >= 0);
	CHECK_RET(bind_to(b, 0, 2), 0);
	CHECK_RET(bind_to(a, 0, 0), 0);
	to = name_of(b).nl_pid;
	CHECK_RET(setsockopt(b, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)), 0);
	CHECK_RET(poll(&p, 1, 0), 1);
	CHECK(p.revents == POLLOUT);
	CHECK_ERR(recv(b, buf, 1, MSG_DONTWAIT), EAGAIN);
	if (!may_send(a, to))
		return;
	CHECK_RET(poll(&p, 1, 0), 1);
	CHECK((p.revents & POLLIN) != 0);
	CHECK_RET(receive(b, buf, 3, MSG_PEEK, &from, &cred, &answer), 3);
	CHECK((answer & MSG_TRUNC) != 0);
	CHECK_RET(receive(b, buf, 3, MSG_PEEK | MSG_TRUNC, &from, &cred,
		      &answer),
	    5);
	CHECK_RET(receive(b, buf, sizeof(buf), 0, &from, &cred, &answer), 5);
	CHECK(memcmp(buf, "first", 5) == 0);
	CHECK((answer & MSG_TRUNC) == 0);
	CHECK(from.nl_family == AF_NETLINK);
	CHECK(from.nl_pid == name_of(a).nl_pid && from.nl_groups == 0);
	CHECK(cred.pid == getpid() && cred.uid == getuid());
	CHECK_RET(send_to(a, 0, 2, "group"), 5);
	CHECK_RET(receive(b, buf, sizeof(buf), 0, &from, &cred, &answer), 5);
	CHECK(from.nl_groups == 2);
	CHECK_ERR(send_to(a, 98765432, 0, "nobody"), ECONNREFUSED);
	CHECK_ERR(recv(a, buf, 1, MSG_DONTWAIT), EAGAIN);
	close(a);
	close(b);
}

/* Who does not read loses messages, and is told once. */
static void
overflow(void)
{
	int a = make(), b = make(), n = 1, i;
	struct pollfd p = { b, POLLIN, 0 };
	static char buf[512], text[400];

	memset(text, 'x', sizeof(text) - 1);
	CHECK_RET(bind_to(b, 0, 2), 0);
	CHECK_RET(setsockopt(b, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n)), 0);
	if (!may_send(a, name_of(b).nl_pid))
		return;
	for (i = 0; i < 50; i++)
		if (send_to(a, 0, 2, text) < 0)
			break;
	CHECK(i == 50);
	CHECK_RET(poll(&p, 1, 0), 1);
	CHECK((p.revents & POLLERR) != 0);
	CHECK_ERR(recv(b, buf, sizeof(buf), 0), ENOBUFS);
	CHECK_RET(recv(b, buf, sizeof(buf), 0), 5);
	for (i = 0; recv(b, buf, sizeof(buf), MSG_DONTWAIT) >= 0; i++)
		;
	CHECK(errno == EAGAIN && i < 50);
	CHECK_RET(send_to(a, 0, 2, text), 399);
	CHECK_RET(recv(b, buf, sizeof(buf), 0), 399);
	close(a);
	close(b);
}

static bool
has(const char *msg, long len, const char *line)
{
	const char *s;

	for (s = msg; s < msg + len; s += strlen(s) + 1)
		if (strcmp(s, line) == 0)
			return true;
	return false;
}

/* Asks the kernel to tell of a device, and hears it. */
static void
uevents(void)
{
	int s = make(), one = 1, answer,
	    fd = open("/sys/class/mem/null/uevent", O_RDWR);
	struct sockaddr_nl from;
	struct ucred cred;
	static char buf[4096];
	long n;

	if (fd < 0 && getpid() != 1)
		return; /* a host that shows it to us only */
	REQUIRE(fd >= 0);
	CHECK_RET(bind_to(s, 0, 1), 0);
	CHECK_RET(setsockopt(s, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)), 0);
	CHECK_ERR(write(fd, "nonsense", 8), EINVAL);
	CHECK_RET(write(fd, "change", 6), 6);
	do
		n = receive(s, buf, sizeof(buf) - 1, 0, &from, &cred, &answer);
	while (n > 0 && strcmp(buf, "change@/devices/virtual/mem/null") != 0);
	REQUIRE(n > 0);
	CHECK(from.nl_pid == 0 && from.nl_groups == 1);
	CHECK(cred.pid == 0 && cred.uid == 0);
	CHECK(buf[n - 1] == '\0');
	CHECK(has(buf, n, "ACTION=change"));
	CHECK(has(buf, n, "DEVPATH=/devices/virtual/mem/null"));
	CHECK(has(buf, n, "SUBSYSTEM=mem"));
	CHECK(has(buf, n, "MAJOR=1") && has(buf, n, "MINOR=3"));
	CHECK(has(buf, n, "DEVNAME=null"));
	CHECK(has(buf, n, "DEVMODE=0666"));
	CHECK(has(buf, n, "SYNTH_UUID=0"));
	n = pread(fd, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	CHECK(strstr(buf, "MAJOR=1\nMINOR=3\nDEVNAME=null\n") == buf);
	close(fd);
	close(s);
}

int
main(void)
{
	addresses();
	options();
	messages();
	overflow();
	uevents();
	return check_done();
}
