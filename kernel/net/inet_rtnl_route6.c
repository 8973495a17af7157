/* SPDX-License-Identifier: ISC */
/* inet_rtnl_route6.c - rtnetlink(7): routes of IPv6. */
#include "net/inet_rtnl.h"

#include "kern/clock.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_route6.h"
#include <lwip/ip6.h>
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>

#define AF_INET6 10
#define HZ       100u /* of times in messages */

static uint32_t
table_of(const struct inet_route6 *r)
{
	return r->kind == INET_ROUTE6_LOCAL || r->kind == INET_ROUTE6_GROUPS ?
	    RT_TABLE_LOCAL :
	    RT_TABLE_MAIN;
}

static void
put_addr(struct nlmsg *m, uint16_t type, const ip6_addr_t *ip)
{
	if (!ip6_addr_isany(ip))
		nlmsg_put(m, type, ip->addr, 16);
}

static uint32_t
ticks_left(const struct inet_route6 *r)
{
	int64_t left = r->until_ns - clock_mono_ns();

	return r->until_ns == 0 || left <= 0 ?
	    0 :
	    (uint32_t)MIN(left / (1000000000 / HZ), (int64_t)INT32_MAX);
}

/* flags 0: a change; a destination of plen 128 that was asked for is shown
 * whole. */
static void
put_route(struct nlmsg *m, uint16_t type, uint16_t flags,
    const struct inet_route6 *r)
{
	struct rta_cacheinfo cache = { .rta_expires = ticks_left(r) };
	struct rtmsg *t = nlmsg_begin(m, type, flags, sizeof(*t));

	if (t == NULL)
		return;
	t->rtm_family = AF_INET6;
	t->rtm_dst_len = r->plen;
	t->rtm_table = (uint8_t)table_of(r);
	t->rtm_protocol = r->protocol;
	t->rtm_type = r->type;
	nlmsg_put_u32(m, RTA_TABLE, table_of(r));
	if (r->plen > 0)
		nlmsg_put(m, RTA_DST, r->dest.addr, 16);
	nlmsg_put_u32(m, RTA_PRIORITY, r->metric);
	put_addr(m, RTA_GATEWAY, &r->gateway);
	put_addr(m, RTA_PREFSRC, &r->source);
	nlmsg_put_u32(m, RTA_OIF, r->if_index);
	nlmsg_put(m, RTA_CACHEINFO, &cache, sizeof(cache));
	nlmsg_put_u8(m, RTA_PREF, ICMPV6_ROUTER_PREF_MEDIUM);
	nlmsg_end(m);
}

static void
put_one(const struct inet_route6 *r, void *arg)
{
	put_route(arg, RTM_NEWROUTE, NLM_F_MULTI, r);
}

int
rtnl_route6_dump(struct rtnl_request *r)
{
	const struct rtmsg *t = r->body;

	/* Nothing is kept beside the routes themselves. */
	if (r->len >= sizeof(*t) && (t->rtm_flags & RTM_F_CLONED) != 0)
		return 0;
	return inet_route6_each(put_one, r->m);
}

static int
attrs_of(const struct rtnl_request *r, const struct nlattr **attr)
{
	size_t skip = NLMSG_ALIGN(sizeof(struct rtmsg));

	return nlmsg_parse((const uint8_t *)r->body + skip, r->len - skip, attr,
	    RTA_MAX + 1);
}

/* `ip -6 route get`: the way that a packet would take. */
int
rtnl_route6_get(struct rtnl_request *r)
{
	const struct nlattr *attr[RTA_MAX + 1];
	ip6_addr_t to = { .zone = IP6_NO_ZONE };
	struct inet_route6 way;
	const ip_addr_t *from;
	struct netif *nif;
	uint32_t oif = 0;
	int error = attrs_of(r, attr);

	if (error != 0)
		return error;
	(void)nlattr_get(attr[RTA_DST], to.addr, 16);
	(void)nlattr_get(attr[RTA_OIF], &oif, 4);
	error = inet_route6_find(&to, oif, &way);
	if (error != 0)
		return error;
	nif = ethif_by_index(way.if_index);
	from = nif == NULL ? NULL : ip6_select_source_address(nif, &to);
	if (from != NULL)
		way.source = *ip_2_ip6(from);
	way.dest = to;
	way.plen = 128;
	way.until_ns = 0;
	put_route(r->m, RTM_NEWROUTE, 0, &way);
	return 0;
}

static int
read_route(struct rtnl_request *r, struct inet_route6 *route)
{
	const struct rtmsg *t = r->body;
	const struct nlattr *attr[RTA_MAX + 1];
	uint32_t n = 0;
	int error = attrs_of(r, attr);

	if (error == 0)
		error = rtnl_route_check(t, attr, 128);
	if (error != 0)
		return error;
	*route = (struct inet_route6){ .plen = t->rtm_dst_len,
		.type = t->rtm_type,
		.protocol = t->rtm_protocol };
	if (t->rtm_dst_len > 0 &&
	    !nlattr_get(attr[RTA_DST], route->dest.addr, 16))
		return -EINVAL;
	(void)nlattr_get(attr[RTA_GATEWAY], route->gateway.addr, 16);
	(void)nlattr_get(attr[RTA_PREFSRC], route->source.addr, 16);
	(void)nlattr_get(attr[RTA_PRIORITY], &route->metric, 4);
	if (nlattr_get(attr[RTA_OIF], &n, 4) && ethif_by_index(n) == NULL)
		return -ENODEV;
	route->if_index = n;
	n = 0;
	if (nlattr_get(attr[RTA_EXPIRES], &n, 4) && n != 0)
		route->until_ns = clock_mono_ns() + n * 1000000000ll;
	return 0;
}

int
rtnl_route6_change(struct rtnl_request *r)
{
	unsigned flags = r->h->nlmsg_flags;
	struct inet_route6_how how = {
		.create = (flags & NLM_F_CREATE) != 0,
		.replace = (flags & NLM_F_REPLACE) != 0,
		.append = (flags & NLM_F_EXCL) == 0,
	};
	struct inet_route6 route;
	int error = read_route(r, &route);

	if (error != 0)
		return error;
	if (r->h->nlmsg_type == RTM_DELROUTE)
		return inet_route6_remove(&route);
	if (route.type == RTN_UNSPEC)
		route.type = RTN_UNICAST;
	if (route.metric == 0)
		route.metric = INET_ROUTE6_METRIC;
	return inet_route6_add(&route, how);
}

/* ---------------------------------------------------------------- telling -- */

struct news {
	const struct inet_route6 *r;
	uint16_t type;
};

static void
fill(struct nlmsg *m, void *arg)
{
	const struct news *n = arg;

	put_route(m, n->type, 0, n->r);
}

static void
changed(const struct inet_route6 *r, bool added)
{
	struct news n = { .r = r, .type = added ? RTM_NEWROUTE : RTM_DELROUTE };

	rtnl_notify(RTNLGRP_IPV6_ROUTE, fill, &n);
}

void
rtnl_route6_watch(void)
{
	inet_route6_set_watcher(changed);
}
