/* SPDX-License-Identifier: ISC */
/*
 * inet_rtnl.c - NETLINK_ROUTE: requests, one after the other, and what is said
 * to them.  netlink(7), rtnetlink(7).
 */
#include "net/inet_rtnl.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include "net/netlink.h"
#include "net/stack.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

static const struct rtnl_handler *const tables[] = { rtnl_link_handlers,
	rtnl_route_handlers, rtnl_neigh_handlers };

static const struct rtnl_handler *
find(uint16_t type)
{
	const struct rtnl_handler *h;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (h = tables[i]; h->type != 0; h++)
			if (h->type == type)
				return h;
	return NULL;
}

/* -------------------------------------------------------------- answering -- */

static void
put_error(struct nlmsg *m, const struct nlmsghdr *h, int error)
{
	struct nlmsgerr *e = nlmsg_begin(m, NLMSG_ERROR, 0, sizeof(*e));

	if (e != NULL) {
		e->error = error;
		e->msg = *h;
	}
	nlmsg_end(m);
}

static void
put_done(struct nlmsg *m)
{
	(void)nlmsg_begin(m, NLMSG_DONE, NLM_F_MULTI, sizeof(int));
	nlmsg_end(m);
}

static int
run(const struct rtnl_handler *handler, struct rtnl_request *r)
{
	int error;

	if (r->len < handler->head) {
		/* Old programs ask for everything with a byte alone. */
		if (!r->dump || r->len < 1)
			return -EINVAL;
	}
	if (handler->admin && !sock_hooks->capable(CAP_NET_ADMIN))
		return -EPERM;
	net_lock();
	error = handler->run(r);
	net_unlock();
	return error;
}

static int
answer(struct netlink_sock *from, const struct nlmsghdr *h)
{
	const struct rtnl_handler *handler = find(h->nlmsg_type);
	struct nlmsg m;
	struct rtnl_request r = { .h = h,
		.body = (const uint8_t *)h + NLMSG_HDRLEN,
		.len = h->nlmsg_len - NLMSG_HDRLEN,
		.m = &m,
		.dump = (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP };
	int error;

	/* Only requests to fetch can dump. */
	if ((h->nlmsg_type - RTM_BASE) % 4 != 2)
		r.dump = false;
	nlmsg_init(&m, from, h->nlmsg_seq, netlink_portid(from));
	error = handler == NULL ? -EOPNOTSUPP : run(handler, &r);
	if (error != 0 || (!r.dump && (h->nlmsg_flags & NLM_F_ACK) != 0))
		put_error(&m, h, error);
	else if (r.dump)
		put_done(&m);
	return nlmsg_fini(&m);
}

static int
input(struct netlink_sock *from, const void *data, size_t len,
    const struct sock_cred *cred)
{
	const struct nlmsghdr *h = data;
	size_t step;
	int error = net_up();

	(void)cred;
	while (error == 0 && len >= NLMSG_HDRLEN) {
		if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > len)
			break;
		if ((h->nlmsg_flags & NLM_F_REQUEST) != 0 &&
		    h->nlmsg_type >= RTM_BASE)
			error = answer(from, h);
		step = MIN(NLMSG_ALIGN((size_t)h->nlmsg_len), len);
		h = (const void *)((const uint8_t *)h + step);
		len -= step;
	}
	return error;
}

/* ----------------------------------------------------------------- telling -- */

void
rtnl_notify(unsigned group, void (*fill)(struct nlmsg *m, void *arg), void *arg)
{
	struct nlmsg m;

	if (!netlink_has_listeners(NETLINK_ROUTE, group))
		return;
	nlmsg_init(&m, NULL, 0, 0);
	fill(&m, arg);
	if (m.error == 0 && m.len > 0)
		netlink_broadcast(NETLINK_ROUTE, group, m.buf, m.len);
	(void)nlmsg_fini(&m);
}

static void
listening(bool on)
{
	static bool watching;

	if (!on || __atomic_exchange_n(&watching, true, __ATOMIC_ACQ_REL))
		return;
	if (net_up() != 0)
		return;
	net_lock();
	rtnl_link_watch();
	rtnl_route_watch();
	rtnl_route6_watch();
	net_unlock();
}

const struct netlink_proto netlink_route = {
	.protocol = NETLINK_ROUTE,
	.ngroups = 36,
	.input = input,
	.listening = listening,
};
