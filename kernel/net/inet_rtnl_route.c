/* SPDX-License-Identifier: ISC */
/* inet_rtnl_route.c - rtnetlink(7): routes of IPv4, and rules. */
#include "net/inet_rtnl.h"

#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_route.h"
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/fib_rules.h>
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
	t->rtm_protocol = r->protocol != 0    ? r->protocol :
	    r->source != 0 && r->gateway == 0 ? RTPROT_KERNEL :
						RTPROT_BOOT;
	t->rtm_type = r->type != 0 ? r->type : RTN_UNICAST;
	t->rtm_scope = r->gateway == 0 && t->rtm_type == RTN_UNICAST ?
	    RT_SCOPE_LINK :
	    RT_SCOPE_UNIVERSE;
	nlmsg_put_u32(m, RTA_TABLE, RT_TABLE_MAIN);
	if (r->mask != 0)
		nlmsg_put_u32(m, RTA_DST, r->dest);
	if (r->metric != 0)
		nlmsg_put_u32(m, RTA_PRIORITY, r->metric);
	if (r->gateway != 0)
		nlmsg_put_u32(m, RTA_GATEWAY, r->gateway);
	else if (r->source != 0)
		nlmsg_put_u32(m, RTA_PREFSRC, r->source);
	if (r->if_index != 0)
		nlmsg_put_u32(m, RTA_OIF, r->if_index);
	nlmsg_end(m);
}

static int
dump_routes(struct rtnl_request *r, uint8_t family)
{
	struct inet_route route;
	unsigned i;

	if (family == AF_UNSPEC || family == AF_INET)
		for (i = 0; inet_route_nth(i, &route); i++)
			put_route(r->m, RTM_NEWROUTE, NLM_F_MULTI, &route);
	return family == AF_INET ? 0 : rtnl_route6_dump(r);
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

	if (r->dump)
		return dump_routes(r, family);
	return family == AF_INET6 ? rtnl_route6_get(r) :
	    family == AF_INET     ? look_up(r) :
				    -EOPNOTSUPP;
}

int
rtnl_route_check(const struct rtmsg *t, const struct nlattr **attr,
    unsigned bits)
{
	uint32_t table = t->rtm_table;

	(void)nlattr_get(attr[RTA_TABLE], &table, 4);
	if (t->rtm_dst_len > bits || t->rtm_src_len > 0)
		return -EINVAL;
	if ((table != RT_TABLE_MAIN && table != RT_TABLE_UNSPEC) ||
	    attr[RTA_MULTIPATH] != NULL || attr[RTA_METRICS] != NULL ||
	    attr[RTA_ENCAP] != NULL || attr[RTA_VIA] != NULL ||
	    attr[RTA_NH_ID] != NULL)
		return -EOPNOTSUPP;
	switch (t->rtm_type) {
	case RTN_UNSPEC:
	case RTN_UNICAST:
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
	case RTN_THROW: return 0;
	default: return -EOPNOTSUPP;
	}
}

static int
change_route(struct rtnl_request *r)
{
	const struct rtmsg *t = r->body;
	const struct nlattr *attr[RTA_MAX + 1];
	struct inet_route route = { .type = t->rtm_type,
		.protocol = t->rtm_protocol };
	uint32_t oif = 0;
	int error;

	if (t->rtm_family == AF_INET6)
		return rtnl_route6_change(r);
	if (t->rtm_family != AF_INET)
		return -EOPNOTSUPP;
	error = route_attrs(r, attr);
	if (error == 0)
		error = rtnl_route_check(t, attr, 32);
	if (error != 0)
		return error;
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

/* ------------------------------------------------------------------- rules -- */

static void
put_rule(struct nlmsg *m, uint8_t family, uint32_t priority, uint8_t table)
{
	struct fib_rule_hdr *h = nlmsg_begin(m, RTM_NEWRULE, NLM_F_MULTI,
	    sizeof(*h));

	if (h == NULL)
		return;
	h->family = family;
	h->table = table;
	h->action = FR_ACT_TO_TBL;
	nlmsg_put_u32(m, FRA_TABLE, table);
	nlmsg_put_u32(m, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	if (priority != 0)
		nlmsg_put_u32(m, FRA_PRIORITY, priority);
	nlmsg_end(m);
}

/* No others but the usual ones, which all programs assume. */
static int
get_rule(struct rtnl_request *r)
{
	uint8_t family = *(const uint8_t *)r->body;

	if (!r->dump)
		return -EOPNOTSUPP;
	if (family == AF_UNSPEC || family == AF_INET) {
		put_rule(r->m, AF_INET, 0, RT_TABLE_LOCAL);
		put_rule(r->m, AF_INET, 32766, RT_TABLE_MAIN);
		put_rule(r->m, AF_INET, 32767, RT_TABLE_DEFAULT);
	}
	if (family == AF_UNSPEC || family == AF_INET6) {
		put_rule(r->m, AF_INET6, 0, RT_TABLE_LOCAL);
		put_rule(r->m, AF_INET6, 32766, RT_TABLE_MAIN);
	}
	return 0;
}

const struct rtnl_handler rtnl_route_handlers[] = {
	{ RTM_GETROUTE, sizeof(struct rtmsg), false, get_route },
	{ RTM_NEWROUTE, sizeof(struct rtmsg), true, change_route },
	{ RTM_DELROUTE, sizeof(struct rtmsg), true, change_route },
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
