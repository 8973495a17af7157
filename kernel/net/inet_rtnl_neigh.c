/* SPDX-License-Identifier: ISC */
/* inet_rtnl_neigh.c - rtnetlink(7): neighbours. */
#include "net/inet_rtnl.h"

#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_neigh.h"
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#define AF_UNSPEC 0
#define AF_INET   2
#define AF_INET6  10

static void
put_neigh(struct nlmsg *m, uint16_t type, uint16_t flags,
    const struct inet_neigh *n)
{
	bool v6 = IP_IS_V6_VAL(n->ip);
	struct ndmsg *h = nlmsg_begin(m, type, flags, sizeof(*h));

	if (h == NULL)
		return;
	h->ndm_family = v6 ? AF_INET6 : AF_INET;
	h->ndm_ifindex = (int)ethif_index(n->nif);
	h->ndm_state = n->state;
	h->ndm_flags = n->router ? NTF_ROUTER : 0;
	h->ndm_type = RTN_UNICAST;
	if (v6)
		nlmsg_put(m, NDA_DST, ip_2_ip6(&n->ip)->addr, 16);
	else
		nlmsg_put_u32(m, NDA_DST, ip_2_ip4(&n->ip)->addr);
	if (n->has_mac)
		nlmsg_put(m, NDA_LLADDR, n->mac, NIC_MAC_LEN);
	nlmsg_end(m);
}

struct news {
	const struct inet_neigh *n;
	uint16_t type;
};

static void
fill(struct nlmsg *m, void *arg)
{
	const struct news *news = arg;

	put_neigh(m, news->type, 0, news->n);
}

static void
tell(const struct inet_neigh *n, uint16_t type)
{
	struct news news = { .n = n, .type = type };

	rtnl_notify(RTNLGRP_NEIGH, fill, &news);
}

static bool
has_family(const struct inet_neigh *n, uint8_t family)
{
	return family == AF_UNSPEC ||
	    family == (IP_IS_V6_VAL(n->ip) ? AF_INET6 : AF_INET);
}

static int
dump(struct rtnl_request *r)
{
	const struct ndmsg *h = r->body;
	struct inet_neigh n;
	unsigned i;

	/* Nobody stands in for others here. */
	if (r->len >= sizeof(*h) && (h->ndm_flags & NTF_PROXY) != 0)
		return 0;
	for (i = 0; inet_neigh_nth(i, &n); i++)
		if (has_family(&n, *(const uint8_t *)r->body))
			put_neigh(r->m, RTM_NEWNEIGH, NLM_F_MULTI, &n);
	return 0;
}

/* Whom a request is about. */
static int
read_neigh(const struct rtnl_request *r, const struct nlattr **attr,
    struct inet_neigh *n)
{
	const struct ndmsg *h = r->body;
	size_t skip = NLMSG_ALIGN(sizeof(*h));
	ip6_addr_t six = { .zone = IP6_NO_ZONE };
	ip4_addr_t four;
	int error = nlmsg_parse((const uint8_t *)r->body + skip, r->len - skip,
	    attr, NDA_MAX + 1);

	if (error != 0)
		return error;
	*n = (struct inet_neigh){ .nif = ethif_by_index(
				      (unsigned)h->ndm_ifindex),
		.state = h->ndm_state };
	if (n->nif == NULL)
		return -ENODEV;
	if ((h->ndm_flags & NTF_PROXY) != 0)
		return -EOPNOTSUPP;
	if (h->ndm_family == AF_INET &&
	    nlattr_get(attr[NDA_DST], &four.addr, 4))
		ip_addr_copy_from_ip4(n->ip, four);
	else if (h->ndm_family == AF_INET6 &&
	    nlattr_get(attr[NDA_DST], six.addr, 16))
		ip_addr_copy_from_ip6(n->ip, six);
	else
		return h->ndm_family == AF_INET || h->ndm_family == AF_INET6 ?
		    -EINVAL :
		    -EAFNOSUPPORT;
	return 0;
}

static int
get_neigh(struct rtnl_request *r)
{
	const struct nlattr *attr[NDA_MAX + 1];
	struct inet_neigh n;
	int error;

	if (r->dump)
		return dump(r);
	error = read_neigh(r, attr, &n);
	if (error != 0)
		return error;
	if (!inet_neigh_find(&n))
		return -ENOENT;
	put_neigh(r->m, RTM_NEWNEIGH, 0, &n);
	return 0;
}

static int
new_neigh(struct rtnl_request *r)
{
	const struct nlattr *attr[NDA_MAX + 1];
	struct inet_neigh n, had;
	unsigned flags = r->h->nlmsg_flags;
	int error = read_neigh(r, attr, &n);

	if (error != 0)
		return error;
	if (ethif_nic(n.nif) == NULL || ip_addr_ismulticast(&n.ip))
		return -EINVAL;
	had = n;
	if (inet_neigh_find(&had)) {
		if ((flags & NLM_F_EXCL) != 0)
			return -EEXIST;
		memcpy(n.mac, had.mac, NIC_MAC_LEN);
		n.has_mac = had.has_mac;
	} else if ((flags & NLM_F_CREATE) == 0) {
		return -ENOENT;
	}
	if (n.state == NUD_FAILED)
		return inet_neigh_forget(&n);
	n.has_mac |= nlattr_get(attr[NDA_LLADDR], n.mac, NIC_MAC_LEN);
	if (!n.has_mac || n.state == NUD_INCOMPLETE || n.state == NUD_NONE)
		return -EINVAL;
	error = inet_neigh_set(&n);
	if (error == 0)
		tell(&n, RTM_NEWNEIGH);
	return error;
}

static int
del_neigh(struct rtnl_request *r)
{
	const struct nlattr *attr[NDA_MAX + 1];
	struct inet_neigh n;
	int error = read_neigh(r, attr, &n);

	if (error == 0)
		error = inet_neigh_forget(&n);
	if (error == 0) {
		n.state = NUD_FAILED;
		tell(&n, RTM_DELNEIGH);
	}
	return error;
}

const struct rtnl_handler rtnl_neigh_handlers[] = {
	{ RTM_GETNEIGH, sizeof(struct ndmsg), false, get_neigh },
	{ RTM_NEWNEIGH, sizeof(struct ndmsg), true, new_neigh },
	{ RTM_DELNEIGH, sizeof(struct ndmsg), true, del_neigh },
	{ 0 },
};
