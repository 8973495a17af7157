/* SPDX-License-Identifier: ISC */
/*
 * netlink.c - netlink sockets: names, groups, and messages that wait to be
 * received.  netlink(7).
 *
 * One message in several queues is one piece of memory, counted.  A socket
 * whose queue has no room for a message loses it and hears of that by ENOBUFS
 * at its next receive.
 *
 * Locking: netlink_lock, one spin lock for the list of sockets and all fields
 * marked [n]; nothing is copied to or from programs under it.
 */
#include "net/netlink.h"

#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>
#include <linux/netlink.h>
#include <linux/poll.h>

static const struct netlink_proto *const protocols[] = {
	&netlink_uevent,
	&netlink_route,
	&netlink_diag,
};

struct message {
	unsigned refs; /* [n] */
	struct sock_cred cred;
	uint32_t portid; /* the sender's; 0: the kernel */
	unsigned group;  /* 0: to one socket */
	size_t len;
	uint8_t data[];
};

struct item {
	TAILQ_ENTRY(item) link;
	struct message *m;
};
TAILQ_HEAD(items, item);

struct netlink_sock {
	struct socket s;
	const struct netlink_proto *proto; /* [I] */
	TAILQ_ENTRY(netlink_sock) link;    /* [n] */
	uint32_t portid;                   /* [n] 0: none yet */
	uint64_t groups;                   /* [n] bit 0: group 1 */
	uint32_t peer_portid;              /* [n] connect(2)'s */
	unsigned peer_group;               /* [n] */
	struct items queue;                /* [n] */
	uint64_t queued;                   /* [n] bytes, ours included */
	bool lost;                         /* [n] ENOBUFS is due */
	bool never_mind;                   /* [n] NETLINK_NO_ENOBUFS */
	bool flag[16];                     /* other options, by number */
	struct waitq read_wq;
};

static struct spinlock netlink_lock = SPINLOCK_INIT;
static TAILQ_HEAD(, netlink_sock) all = TAILQ_HEAD_INITIALIZER(all);

static struct netlink_sock *
netlink_of(struct socket *s)
{
	return container_of(s, struct netlink_sock, s);
}

struct netlink_sock *
netlink_of_socket(struct socket *s)
{
	return s->family == AF_NETLINK ? netlink_of(s) : NULL;
}

uint32_t
netlink_portid(const struct netlink_sock *nl)
{
	return __atomic_load_n(&nl->portid, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------- messages -- */

static struct message *
message_new(uint32_t portid, unsigned group, size_t len)
{
	struct message *m = kmalloc(sizeof(*m) + len);

	if (m == NULL)
		return NULL;
	m->refs = 1;
	m->cred = (struct sock_cred){ 0 };
	m->portid = portid;
	m->group = group;
	m->len = len;
	return m;
}

static void
message_put(struct message *m)
{
	bool last;

	spin_lock(&netlink_lock);
	last = --m->refs == 0;
	spin_unlock(&netlink_lock);
	if (last)
		kfree(m);
}

static uint64_t
charge_of(const struct message *m)
{
	return sizeof(struct item) + sizeof(*m) + m->len;
}

static int
deliver_locked(struct netlink_sock *to, struct message *m)
{
	struct item *item = NULL;

	if (to->queued + charge_of(m) <= to->s.rcvbuf)
		item = kmalloc(sizeof(*item));
	if (item == NULL) {
		to->lost = !to->never_mind;
		waitq_wake_all(&to->read_wq);
		return -ENOBUFS;
	}
	item->m = m;
	m->refs++;
	to->queued += charge_of(m);
	TAILQ_INSERT_TAIL(&to->queue, item, link);
	waitq_wake_all(&to->read_wq);
	return 0;
}

static bool
in_group(const struct netlink_sock *nl, unsigned group)
{
	return group != 0 && (nl->groups >> (group - 1) & 1) != 0;
}

/* All in the message's group but the sender; a failure is the receiver's. */
static void
broadcast(const struct netlink_proto *proto, const struct netlink_sock *from,
    struct message *m)
{
	struct netlink_sock *to;

	spin_lock(&netlink_lock);
	TAILQ_FOREACH (to, &all, link)
		if (to != from && to->proto == proto && in_group(to, m->group))
			(void)deliver_locked(to, m);
	spin_unlock(&netlink_lock);
}

int
netlink_send(struct netlink_sock *to, const void *data, size_t len)
{
	struct message *m = message_new(0, 0, len);
	int error;

	if (m == NULL)
		return -ENOMEM;
	memcpy(m->data, data, len);
	spin_lock(&netlink_lock);
	error = deliver_locked(to, m);
	spin_unlock(&netlink_lock);
	message_put(m);
	return error;
}

static const struct netlink_proto *
find_proto(int protocol)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i]->protocol == protocol)
			return protocols[i];
	return NULL;
}

/* Without memory for the message all listeners have lost one. */
static void
all_lose(const struct netlink_proto *proto, unsigned group)
{
	struct netlink_sock *to;

	spin_lock(&netlink_lock);
	TAILQ_FOREACH (to, &all, link) {
		if (to->proto != proto || !in_group(to, group))
			continue;
		to->lost = !to->never_mind;
		waitq_wake_all(&to->read_wq);
	}
	spin_unlock(&netlink_lock);
}

void
netlink_broadcast(int protocol, unsigned group, const void *data, size_t len)
{
	const struct netlink_proto *proto = find_proto(protocol);
	struct message *m = message_new(0, group, len);

	if (m == NULL) {
		all_lose(proto, group);
		return;
	}
	memcpy(m->data, data, len);
	broadcast(proto, NULL, m);
	message_put(m);
}

bool
netlink_has_listeners(int protocol, unsigned group)
{
	const struct netlink_proto *proto = find_proto(protocol);
	struct netlink_sock *nl;

	spin_lock(&netlink_lock);
	TAILQ_FOREACH (nl, &all, link)
		if (nl->proto == proto && in_group(nl, group))
			break;
	spin_unlock(&netlink_lock);
	return nl != NULL;
}

/* ---------------------------------------------------------------- names -- */

static struct netlink_sock *
find_locked(const struct netlink_proto *proto, uint32_t portid)
{
	struct netlink_sock *nl;

	TAILQ_FOREACH (nl, &all, link)
		if (nl->proto == proto && nl->portid == portid)
			break;
	return nl;
}

/* Port ids of the kernel's own choice, beside all process numbers. */
#define FIRST_FREE ((uint32_t)-4097)

/* portid 0: the process's number, or if that is taken, another one. */
static int
bind_port(struct netlink_sock *nl, uint32_t portid)
{
	struct sock_cred cred;
	uint32_t try = portid;
	int error = 0;

	sock_hooks->who(&cred);
	if (portid == 0)
		try = (uint32_t)cred.pid;
	spin_lock(&netlink_lock);
	if (nl->portid != 0) {
		error = portid == 0 || portid == nl->portid ? 0 : -EINVAL;
	} else {
		if (portid == 0 && find_locked(nl->proto, try) != NULL)
			for (try = FIRST_FREE;
			     find_locked(nl->proto, try) != NULL; try--)
				;
		if (find_locked(nl->proto, try) != NULL)
			error = -EADDRINUSE;
		else
			nl->portid = try;
	}
	spin_unlock(&netlink_lock);
	return error;
}

static uint64_t
all_groups(const struct netlink_proto *proto)
{
	return proto->ngroups >= 64 ? ~0ull : (1ull << proto->ngroups) - 1;
}

static void
set_groups(struct netlink_sock *nl, uint64_t keep, uint64_t add)
{
	bool before, after;

	spin_lock(&netlink_lock);
	before = nl->groups != 0;
	nl->groups = (nl->groups & keep) | add;
	after = nl->groups != 0;
	spin_unlock(&netlink_lock);
	if (before != after && nl->proto->listening != NULL)
		nl->proto->listening(after);
}

static int
get_address(const struct sock_addr *addr, struct sockaddr_nl *nl)
{
	if (addr->len < sizeof(*nl))
		return -EINVAL;
	memcpy(nl, addr->bytes, sizeof(*nl));
	return nl->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

static void
put_address(struct sock_addr *addr, uint32_t portid, uint32_t groups)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK,
		.nl_pid = portid,
		.nl_groups = groups };

	memcpy(addr->bytes, &nl, sizeof(nl));
	addr->len = sizeof(nl);
}

static uint32_t
group_bit(unsigned group)
{
	return group == 0 || group > 32 ? 0 : 1u << (group - 1);
}

static int
netlink_bind(struct socket *s, const struct sock_addr *addr,
    const struct vfs_ctx *vfs)
{
	struct netlink_sock *nl = netlink_of(s);
	struct sockaddr_nl to;
	int error = get_address(addr, &to);
	uint32_t have = netlink_portid(nl);

	(void)vfs;
	if (error == 0 && have != 0 && have != to.nl_pid)
		error = -EINVAL;
	if (error == 0)
		error = bind_port(nl, to.nl_pid);
	if (error == 0)
		set_groups(nl, ~0ull << 32,
		    to.nl_groups & all_groups(nl->proto));
	return error;
}

/* Only the administrator speaks to other programs. */
static int
may_address(uint32_t portid, unsigned group)
{
	struct sock_cred cred;

	if (portid == 0 && group == 0)
		return 0;
	sock_hooks->who(&cred);
	return cred.uid == 0 ? 0 : -EPERM;
}

static int
netlink_connect(struct socket *s, const struct sock_addr *addr, bool nonblock,
    const struct vfs_ctx *vfs)
{
	struct netlink_sock *nl = netlink_of(s);
	struct sockaddr_nl to = { .nl_family = AF_UNSPEC };
	unsigned group;
	int error = 0;

	(void)nonblock;
	(void)vfs;
	if (addr->len < sizeof(addr->family))
		return -EINVAL;
	if (addr->family != AF_UNSPEC)
		error = get_address(addr, &to);
	group = __builtin_ffs(to.nl_groups);
	if (error == 0)
		error = may_address(to.nl_pid, group);
	if (error == 0 && to.nl_family != AF_UNSPEC)
		error = bind_port(nl, 0);
	if (error != 0)
		return error;
	spin_lock(&netlink_lock);
	nl->peer_portid = to.nl_pid;
	nl->peer_group = group;
	spin_unlock(&netlink_lock);
	return 0;
}

static int
netlink_name(struct socket *s, bool peer, struct sock_addr *addr)
{
	struct netlink_sock *nl = netlink_of(s);

	spin_lock(&netlink_lock);
	if (peer)
		put_address(addr, nl->peer_portid, group_bit(nl->peer_group));
	else
		put_address(addr, nl->portid, (uint32_t)nl->groups);
	spin_unlock(&netlink_lock);
	return 0;
}

/* -------------------------------------------------------- send, receive -- */

static int
send_to_one(struct netlink_sock *nl, uint32_t portid, struct message *m)
{
	struct netlink_sock *to;
	int error = -ECONNREFUSED;

	spin_lock(&netlink_lock);
	to = find_locked(nl->proto, portid);
	if (to != NULL &&
	    (to->peer_portid == 0 || to->peer_portid == m->portid))
		error = deliver_locked(to, m);
	spin_unlock(&netlink_lock);
	return error == -ENOBUFS ? -EAGAIN : error;
}

/* A group's members get it, and then the one that is named, or the kernel. */
static int
dispatch(struct netlink_sock *nl, uint32_t portid, struct message *m)
{
	if (m->group != 0) {
		broadcast(nl->proto, nl, m);
		if (portid == 0)
			return 0;
	}
	if (portid != 0)
		return send_to_one(nl, portid, m);
	if (nl->proto->input == NULL)
		return -ECONNREFUSED;
	return nl->proto->input(nl, m->data, m->len, &m->cred);
}

static int
destination(struct netlink_sock *nl, const struct sock_msg *m, uint32_t *portid,
    unsigned *group)
{
	struct sockaddr_nl to;
	int error;

	if (m->name == NULL || m->name->len == 0) {
		spin_lock(&netlink_lock);
		*portid = nl->peer_portid;
		*group = nl->peer_group;
		spin_unlock(&netlink_lock);
		return 0;
	}
	error = get_address(m->name, &to);
	*portid = to.nl_pid;
	*group = error == 0 ? __builtin_ffs(to.nl_groups) : 0;
	return error == 0 ? may_address(*portid, *group) : error;
}

static long
netlink_send_msg(struct socket *s, struct sock_msg *msg)
{
	struct netlink_sock *nl = netlink_of(s);
	size_t len = msg->u->resid;
	struct message *m;
	uint32_t portid = 0;
	unsigned group = 0;
	int error;

	if ((msg->flags & MSG_OOB) != 0 || msg->nfiles != 0)
		return -EOPNOTSUPP;
	error = destination(nl, msg, &portid, &group);
	if (error == 0 && len + 32 > s->sndbuf)
		error = -EMSGSIZE;
	if (error == 0)
		error = bind_port(nl, 0);
	if (error != 0)
		return error;
	m = message_new(netlink_portid(nl), group, len);
	if (m == NULL)
		return -ENOBUFS;
	m->cred = msg->cred;
	error = uio_get(msg->u, m->data, len) == len ? dispatch(nl, portid, m) :
						       -EFAULT;
	message_put(m);
	return error == 0 ? (long)len : error;
}

/* The oldest message, referenced; off the queue unless it is only looked at. */
static struct message *
take(struct netlink_sock *nl, bool peek, int *error)
{
	struct item *item;
	struct message *m = NULL;

	spin_lock(&netlink_lock);
	item = TAILQ_FIRST(&nl->queue);
	*error = nl->lost ? -ENOBUFS : 0;
	nl->lost = false;
	if (*error != 0 || item == NULL) {
		item = NULL;
	} else {
		m = item->m;
		if (peek) {
			m->refs++;
			item = NULL;
		} else {
			TAILQ_REMOVE(&nl->queue, item, link);
			nl->queued -= charge_of(m);
		}
	}
	spin_unlock(&netlink_lock);
	kfree(item);
	return m;
}

static struct message *
await(struct netlink_sock *nl, const struct sock_msg *msg, int *error)
{
	bool peek = (msg->flags & MSG_PEEK) != 0;
	struct message *m = take(nl, peek, error);
	int waited;

	if (m != NULL || *error != 0)
		return m;
	*error = -EAGAIN;
	if ((msg->flags & MSG_DONTWAIT) != 0)
		return NULL;
	waited = wait_event_until(&nl->read_wq,
	    (m = take(nl, peek, error)) != NULL || *error != 0,
	    sock_deadline(nl->s.rcvtimeo_ns));
	if (m == NULL && *error == 0)
		*error = sock_wait_error(waited, nl->s.rcvtimeo_ns);
	return m;
}

static long
netlink_receive(struct socket *s, struct sock_msg *msg)
{
	struct netlink_sock *nl = netlink_of(s);
	struct message *m;
	size_t n, want;
	long answer;
	int error;

	if ((msg->flags & MSG_OOB) != 0)
		return -EOPNOTSUPP;
	m = await(nl, msg, &error);
	if (m == NULL)
		return error;
	want = MIN(m->len, msg->u->resid);
	n = uio_put(msg->u, m->data, want);
	if (m->len > want)
		msg->answer |= MSG_TRUNC;
	if (msg->name != NULL)
		put_address(msg->name, m->portid, group_bit(m->group));
	if (s->passcred) {
		msg->cred = m->cred;
		msg->has_cred = true;
	}
	answer = (msg->flags & MSG_TRUNC) != 0 ? m->len : n;
	message_put(m);
	return n == want ? answer : -EFAULT;
}

static unsigned
netlink_poll(struct socket *s, struct poll_table *table)
{
	struct netlink_sock *nl = netlink_of(s);
	unsigned events = POLLOUT | POLLWRNORM;

	poll_wait(table, &nl->read_wq);
	spin_lock(&netlink_lock);
	if (!TAILQ_EMPTY(&nl->queue))
		events |= POLLIN | POLLRDNORM;
	if (nl->lost)
		events |= POLLERR;
	spin_unlock(&netlink_lock);
	return events;
}

/* -------------------------------------------------------------- options -- */

static int
change_group(struct netlink_sock *nl, int group, bool join)
{
	uint64_t bit;

	if (group < 1 || (unsigned)group > nl->proto->ngroups)
		return -EINVAL;
	bit = 1ull << (group - 1);
	set_groups(nl, ~bit, join ? bit : 0);
	return 0;
}

/* Options that change nothing here but are remembered. */
static bool
is_flag(int name)
{
	return name == NETLINK_BROADCAST_ERROR || name == NETLINK_CAP_ACK ||
	    name == NETLINK_EXT_ACK || name == NETLINK_GET_STRICT_CHK;
}

static int
netlink_set_option(struct socket *s, int level, int name, const void *value,
    unsigned len)
{
	struct netlink_sock *nl = netlink_of(s);
	int n;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len < sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	switch (name) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return change_group(nl, n, name == NETLINK_ADD_MEMBERSHIP);
	case NETLINK_NO_ENOBUFS:
		spin_lock(&netlink_lock);
		nl->never_mind = n != 0;
		spin_unlock(&netlink_lock);
		return 0;
	}
	if (!is_flag(name))
		return -ENOPROTOOPT;
	nl->flag[name] = n != 0;
	return 0;
}

static int
netlink_get_option(struct socket *s, int level, int name, void *value,
    unsigned *len)
{
	struct netlink_sock *nl = netlink_of(s);
	int n;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (name == NETLINK_NO_ENOBUFS)
		n = nl->never_mind;
	else if (is_flag(name))
		n = nl->flag[name];
	else
		return -ENOPROTOOPT;
	if (*len < sizeof(n))
		return -EINVAL;
	memcpy(value, &n, sizeof(n));
	*len = sizeof(n);
	return 0;
}

static int
netlink_take_error(struct socket *s)
{
	struct netlink_sock *nl = netlink_of(s);
	bool lost;

	spin_lock(&netlink_lock);
	lost = nl->lost;
	nl->lost = false;
	spin_unlock(&netlink_lock);
	return lost ? ENOBUFS : 0;
}

/* ------------------------------------------------------------ its life -- */

static void
netlink_release(struct socket *s)
{
	struct netlink_sock *nl = netlink_of(s);
	struct item *item;

	set_groups(nl, 0, 0);
	spin_lock(&netlink_lock);
	TAILQ_REMOVE(&all, nl, link);
	spin_unlock(&netlink_lock);
	while ((item = TAILQ_FIRST(&nl->queue)) != NULL) {
		TAILQ_REMOVE(&nl->queue, item, link);
		message_put(item->m);
		kfree(item);
	}
	kfree(nl);
}

static const struct socket_ops netlink_ops = {
	.release = netlink_release,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.name = netlink_name,
	.send = netlink_send_msg,
	.receive = netlink_receive,
	.poll = netlink_poll,
	.set_option = netlink_set_option,
	.get_option = netlink_get_option,
	.take_error = netlink_take_error,
};

static int
netlink_create(int type, int protocol, struct socket **out)
{
	const struct netlink_proto *proto = find_proto(protocol);
	struct netlink_sock *nl;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (proto == NULL)
		return -EPROTONOSUPPORT;
	nl = kzalloc(sizeof(*nl));
	if (nl == NULL)
		return -ENOMEM;
	sock_init(&nl->s, &netlink_ops, AF_NETLINK, type, protocol);
	nl->proto = proto;
	TAILQ_INIT(&nl->queue);
	waitq_init(&nl->read_wq);
	spin_lock(&netlink_lock);
	TAILQ_INSERT_TAIL(&all, nl, link);
	spin_unlock(&netlink_lock);
	*out = &nl->s;
	return 0;
}

const struct sock_family netlink_family = {
	.family = AF_NETLINK,
	.create = netlink_create,
};
