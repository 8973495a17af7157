/* SPDX-License-Identifier: ISC */
/*
 * inet.c - the families AF_INET and AF_INET6: which sockets there are, and how
 * they are made and freed.
 */
#include "net/inet.h"

#include "kern/kmem.h"
#include "kern/panic.h"
#include "net/inet_error.h"
#include "net/stack.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>

/* What a stream's buffers are said to be at first: tcp(7). */
#define TCP_SNDBUF 16384u
#define TCP_RCVBUF 131072u

struct inet_socks inet_all = TAILQ_HEAD_INITIALIZER(inet_all);

int
inet_errno(err_t err)
{
	switch (err) {
	case ERR_OK: return 0;
	case ERR_MEM: return -ENOMEM;
	case ERR_BUF: return -ENOBUFS;
	case ERR_TIMEOUT: return -ETIMEDOUT;
	case ERR_RTE: return -ENETUNREACH;
	case ERR_INPROGRESS: return -EINPROGRESS;
	case ERR_USE: return -EADDRINUSE;
	case ERR_ALREADY: return -EALREADY;
	case ERR_ISCONN: return -EISCONN;
	case ERR_CONN: return -ENOTCONN;
	case ERR_IF: return -ENETDOWN;
	case ERR_ABRT: return -ECONNABORTED;
	case ERR_RST: return -ECONNRESET;
	default: return -EINVAL;
	}
}

void
inet_put(struct inet_sock *is)
{
	if (__atomic_sub_fetch(&is->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	KASSERT(is->pcb == NULL && is->rx_first == NULL);
	KASSERT(TAILQ_EMPTY(&is->pages) && TAILQ_EMPTY(&is->waiting));
	inet_errors_drop(is); /* nobody else knows it */
	kfree(is);
}

int
inet_alloc(bool v6, int type, int protocol, const struct socket_ops *ops,
    struct inet_sock **out)
{
	struct inet_sock *is = kzalloc(sizeof(*is));

	if (is == NULL)
		return -ENOMEM;
	sock_init(&is->s, ops, v6 ? AF_INET6 : AF_INET, type, protocol);
	if (type == SOCK_STREAM) {
		is->s.sndbuf = TCP_SNDBUF;
		is->s.rcvbuf = TCP_RCVBUF;
	}
	is->refs = 1;
	is->v6 = v6;
	waitq_init(&is->wq);
	mutex_init(&is->rx_lock);
	mutex_init(&is->tx_lock);
	STAILQ_INIT(&is->dgrams);
	STAILQ_INIT(&is->errors);
	TAILQ_INIT(&is->pages);
	TAILQ_INIT(&is->waiting);
	TAILQ_INIT(&is->members);
	is->ttl = is->hops = is->tclass = -1;
	is->mcast_ttl = is->mcast_hops = 1;
	is->mcast_loop = is->mcast_all = true;
	is->mtu_discover = is->mtu_discover6 = IP_PMTUDISC_WANT;
	is->checksum_at = is->send_cover = is->recv_cover = -1;
	is->local.ip = is->remote.ip = *inet_any(is);
	*out = is;
	return 0;
}

void
inet_known(struct inet_sock *is)
{
	TAILQ_INSERT_TAIL(&inet_all, is, all);
}

/* What socket(2)'s numbers ask for: the operations, and how to begin. */
struct kind {
	int type, protocol; /* 0: any */
	const struct socket_ops *ops;
	int (*create)(struct inet_sock *is);
	int is; /* the protocol that 0 stands for */
};

static const struct kind kinds[] = {
	{ SOCK_STREAM, IPPROTO_TCP, &inet_tcp_ops, inet_tcp_create,
	    IPPROTO_TCP },
	{ SOCK_DGRAM, IPPROTO_UDP, &inet_udp_ops, inet_udp_create,
	    IPPROTO_UDP },
	{ SOCK_DGRAM, IPPROTO_UDPLITE, &inet_udp_ops, inet_udp_create,
	    IPPROTO_UDPLITE },
	{ SOCK_DGRAM, IPPROTO_ICMP, &inet_ping_ops, inet_ping_create,
	    IPPROTO_ICMP },
	{ SOCK_DGRAM, IPPROTO_ICMPV6, &inet_ping_ops, inet_ping_create,
	    IPPROTO_ICMPV6 },
	{ SOCK_RAW, 0, &inet_raw_ops, inet_raw_create, 0 },
};

static int
find_kind(int type, int protocol, const struct kind **out)
{
	bool known = false;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type != type)
			continue;
		known = true;
		*out = &kinds[i];
		if (kinds[i].protocol == 0 && protocol != 0)
			return 0;
		if (kinds[i].protocol != 0 &&
		    (protocol == 0 || protocol == kinds[i].protocol))
			return 0;
	}
	return known ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT;
}

static bool
is_in_group(uint32_t gid)
{
	uint32_t range[2];

	inet_ping_groups(range);
	return gid >= range[0] && gid <= range[1];
}

/* Who may have one: ping_group_range for echoes, CAP_NET_RAW for the rest. */
static int
may_create(bool v6, int type, int protocol, const struct sock_cred *cred)
{
	int other = v6 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (type == SOCK_RAW)
		return sock_hooks->capable(CAP_NET_RAW) ? 0 : -EPERM;
	if (type != SOCK_DGRAM ||
	    (protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6))
		return 0;
	if (protocol == other)
		return -EPROTONOSUPPORT;
	return is_in_group(cred->gid) ? 0 : -EACCES;
}

static int
create(bool v6, int type, int protocol, struct socket **out)
{
	const struct kind *k;
	struct sock_cred cred;
	struct inet_sock *is;
	int error;

	if (protocol < 0 || protocol > 255)
		return -EINVAL;
	error = find_kind(type, protocol, &k);
	sock_hooks->who(&cred);
	if (error == 0)
		error = may_create(v6, type, protocol, &cred);
	if (error == 0)
		error = net_up();
	if (error == 0)
		error = inet_alloc(v6, type, k->is != 0 ? k->is : protocol,
		    k->ops, &is);
	if (error != 0)
		return error;
	is->uid = cred.uid;
	net_lock();
	error = k->create(is);
	if (error == 0)
		inet_known(is);
	net_unlock();
	if (error != 0)
		inet_put(is);
	else
		*out = &is->s;
	return error;
}

static int
create4(int type, int protocol, struct socket **out)
{
	return create(false, type, protocol, out);
}

static int
create6(int type, int protocol, struct socket **out)
{
	return create(true, type, protocol, out);
}

const struct sock_family inet_family = { .family = AF_INET, .create = create4 };
const struct sock_family inet6_family = { .family = AF_INET6,
	.create = create6 };
