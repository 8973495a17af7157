/* SPDX-License-Identifier: ISC */
/* inet_rtnl_route.c - rtnetlink(7): routes and neighbours. */
#include "net/inet_rtnl.h"

#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_route.h"
#include <lwip/etharp.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#define AF_UNSPEC 0
#define AF_INET   2
#define AF_INET6  10

/* ----------------------------------------------------------------- routes -- */

static void
put_route(struct nlmsg *m, uint16_t type, uint16_t flags,
    const struct inet_route *r)
{
	struct rtmsg *t = nlmsg_begin(m, type, flags, sizeof(*t));

	if (t == NULL)
		return;
	t->rtm_family = AF_INET;
	t->rtm_dst_len = (uint8_t)__builtin_popcount(r->mask);
	t->rtm_table = RT_TABLE_MAIN;
	/* An interface's own network is the kernel's doing. */
	t->rtm_protocol = r->source != 0 && r->gateway == 0 ? RTPROT_KERNEL :
							      RTPROT_BOOT;
	t->rtm_scope = r->gateway == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	t->rtm_type = RTN_UNICAST;
	nlmsg_put_u32(m, RTA_TABLE, RT_TABLE_MAIN);
	if (r->mask != 0)
		nlmsg_put_u32(m, RTA_DST, r->dest);
	if (r->metric != 0)
		nlmsg_put_u32(m, RTA_PRIORITY, r->metric);
	if (r->gateway != 0)
		nlmsg_put_u32(m, RTA_GATEWAY, r->gateway);
	else if (r->source != 0)
		nlmsg_put_u32(m, RTA_PREFSRC, r->source);
	nlmsg_put_u32(m, RTA_OIF, r->if_index);
	nlmsg_end(m);
}

/* Each address's network. */
static void
put_route6(struct nlmsg *m, const struct netif *nif, unsigned i)
{
	ip6_addr_t net = *netif_ip6_addr(nif, i);
	struct rtmsg *t;

	if (!ip6_addr_isvalid(netif_ip6_addr_state(nif, i)) ||
	    ethif_nic(nif) == NULL)
		return;
	t = nlmsg_begin(m, RTM_NEWROUTE, NLM_F_MULTI, sizeof(*t));
	if (t == NULL)
		return;
	net.addr[2] = net.addr[3] = 0;
	t->rtm_family = AF_INET6;
	t->rtm_dst_len = 64;
	t->rtm_table = RT_TABLE_MAIN;
	t->rtm_protocol = RTPROT_KERNEL;
	t->rtm_type = RTN_UNICAST;
	nlmsg_put_u32(m, RTA_TABLE, RT_TABLE_MAIN);
	nlmsg_put(m, RTA_DST, net.addr, 16);
	nlmsg_put_u32(m, RTA_PRIORITY, 256);
	nlmsg_put_u32(m, RTA_OIF, ethif_index(nif));
	nlmsg_end(m);
}

static void
dump_routes(struct rtnl_request *r, uint8_t family)
{
	struct inet_route route;
	struct netif *nif;
	unsigned i, k;

	if (family == AF_UNSPEC || family == AF_INET)
		for (i = 0; inet_route_nth(i, &route); i++)
			put_route(r->m, RTM_NEWROUTE, NLM_F_MULTI, &route);
	if (family == AF_UNSPEC || family == AF_INET6)
		for (i = 0; (nif = ethif_nth(i)) != NULL; i++)
			for (k = 0; k < LWIP_IPV6_NUM_ADDRESSES; k++)
				put_route6(r->m, nif, k);
}

static int
route_attrs(const struct rtnl_request *r, const struct nlattr **attr)
{
	size_t skip = NLMSG_ALIGN(sizeof(struct rtmsg));

	return nlmsg_parse((const uint8_t *)r->body + skip, r->len - skip, attr,
	    RTA_MAX + 1);
}

/* `ip route get`: the way that a packet would take. */
static int
look_up(struct rtnl_request *r)
{
	static const ip_addr_t any = IPADDR4_INIT(0);
	const struct nlattr *attr[RTA_MAX + 1];
	const ip4_addr_t *gw;
	struct inet_route route = { .mask = UINT32_MAX };
	struct netif *nif;
	ip_addr_t to;
	int error = route_attrs(r, attr);

	if (error != 0)
		return error;
	ip_addr_set_zero_ip4(&to);
	if (!nlattr_get(attr[RTA_DST], &ip_2_ip4(&to)->addr, 4))
		return -EINVAL;
	error = inet_route_check(&any, &to);
	if (error != 0)
		return error;
	nif = ip_route(&any, &to);
	route.dest = ip_2_ip4(&to)->addr;
	route.if_index = ethif_index(nif);
	route.source = netif_ip4_addr(nif)->addr;
	gw = lwip_hook_ip4_gateway(nif, ip_2_ip4(&to));
	if (gw != NULL)
		route.gateway = gw->addr == route.dest ? 0 : gw->addr;
	else if (ethif_nic(nif) != NULL &&
	    !ip4_addr_netcmp(ip_2_ip4(&to), netif_ip4_addr(nif),
		netif_ip4_netmask(nif)))
		route.gateway = netif_ip4_gw(ethif_self(nif))->addr;
	put_route(r->m, RTM_NEWROUTE, 0, &route);
	return 0;
}

static int
get_route(struct rtnl_request *r)
{
	uint8_t family = *(const uint8_t *)r->body;

	if (r->dump) {
		dump_routes(r, family);
		return 0;
	}
	return family == AF_INET ? look_up(r) : -EOPNOTSUPP;
}

static int
change_route(struct rtnl_request *r)
{
	const struct rtmsg *t = r->body;
	const struct nlattr *attr[RTA_MAX + 1];
	struct inet_route route = { 0 };
	uint32_t oif = 0;
	int error = route_attrs(r, attr);

	if (error != 0)
		return error;
	if (t->rtm_family != AF_INET)
		return -EOPNOTSUPP;
	if (t->rtm_dst_len > 32 || attr[RTA_MULTIPATH] != NULL)
		return -EINVAL;
	if (t->rtm_dst_len > 0) {
		route.mask = lwip_htonl(UINT32_MAX << (32 - t->rtm_dst_len));
		if (!nlattr_get(attr[RTA_DST], &route.dest, 4))
			return -EINVAL;
	}
	(void)nlattr_get(attr[RTA_GATEWAY], &route.gateway, 4);
	(void)nlattr_get(attr[RTA_PRIORITY], &route.metric, 4);
	if (nlattr_get(attr[RTA_OIF], &oif, 4) && ethif_by_index(oif) == NULL)
		return -ENODEV;
	route.if_index = oif;
	if (r->h->nlmsg_type == RTM_DELROUTE)
		return inet_route_remove(&route);
	if ((r->h->nlmsg_flags & NLM_F_REPLACE) != 0)
		(void)inet_route_remove(
		    &(struct inet_route){ .dest = route.dest,
			.mask = route.mask });
	return inet_route_add(&route);
}

/* ------------------------------------------------------------- neighbours -- */

static int
get_neigh(struct rtnl_request *r)
{
	uint8_t family = *(const uint8_t *)r->body;
	struct eth_addr *eth;
	struct netif *nif;
	struct ndmsg *n;
	ip4_addr_t *ip;
	unsigned i;

	if (!r->dump)
		return -EOPNOTSUPP;
	for (i = 0; family != AF_INET6 && i < ARP_TABLE_SIZE; i++) {
		if (!etharp_get_entry(i, &ip, &nif, &eth))
			continue;
		n = nlmsg_begin(r->m, RTM_NEWNEIGH, NLM_F_MULTI, sizeof(*n));
		if (n == NULL)
			return 0;
		n->ndm_family = AF_INET;
		n->ndm_ifindex = (int)ethif_index(nif);
		n->ndm_state = NUD_REACHABLE;
		n->ndm_type = RTN_UNICAST;
		nlmsg_put_u32(r->m, NDA_DST, ip->addr);
		nlmsg_put(r->m, NDA_LLADDR, eth->addr, NIC_MAC_LEN);
		nlmsg_end(r->m);
	}
	return 0;
}

static int
change_neigh(struct rtnl_request *r)
{
	const struct ndmsg *n = r->body;
	const struct nlattr *attr[NDA_MAX + 1];
	size_t skip = NLMSG_ALIGN(sizeof(*n));
	struct netif *nif = ethif_by_index((unsigned)n->ndm_ifindex);
	struct eth_addr eth;
	ip4_addr_t ip;
	int error = nlmsg_parse((const uint8_t *)r->body + skip, r->len - skip,
	    attr, NDA_MAX + 1);

	if (error != 0)
		return error;
	if (nif == NULL)
		return -ENODEV;
	if (n->ndm_family != AF_INET)
		return -EOPNOTSUPP;
	if (!nlattr_get(attr[NDA_DST], &ip.addr, 4))
		return -EINVAL;
	if (r->h->nlmsg_type == RTM_DELNEIGH)
		return etharp_remove_static_entry(&ip) == ERR_OK ? 0 : -ENOENT;
	if (!nlattr_get(attr[NDA_LLADDR], eth.addr, NIC_MAC_LEN))
		return -EINVAL;
	return etharp_add_static_entry(&ip, &eth) == ERR_OK ? 0 : -ENETUNREACH;
}

/* No rules but the usual three, which all programs assume. */
static int
get_rule(struct rtnl_request *r)
{
	return r->dump ? 0 : -EOPNOTSUPP;
}

const struct rtnl_handler rtnl_route_handlers[] = {
	{ RTM_GETROUTE, sizeof(struct rtmsg), false, get_route },
	{ RTM_NEWROUTE, sizeof(struct rtmsg), true, change_route },
	{ RTM_DELROUTE, sizeof(struct rtmsg), true, change_route },
	{ RTM_GETNEIGH, sizeof(struct ndmsg), false, get_neigh },
	{ RTM_NEWNEIGH, sizeof(struct ndmsg), true, change_neigh },
	{ RTM_DELNEIGH, sizeof(struct ndmsg), true, change_neigh },
	{ RTM_GETRULE, sizeof(struct rtmsg), false, get_rule },
	{ 0 },
};

/* ---------------------------------------------------------------- telling -- */

struct news {
	const struct inet_route *r;
	uint16_t type;
};

static void
fill_route(struct nlmsg *m, void *arg)
{
	const struct news *n = arg;

	put_route(m, n->type, 0, n->r);
}

static void
route_changed(const struct inet_route *r, bool added)
{
	struct news n = { .r = r, .type = added ? RTM_NEWROUTE : RTM_DELROUTE };

	rtnl_notify(RTNLGRP_IPV4_ROUTE, fill_route, &n);
}

void
rtnl_route_watch(void)
{
	inet_route_set_watcher(route_changed);
}
