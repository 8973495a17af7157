/* SPDX-License-Identifier: ISC */
/*
 * inet_route6.c - routes of IPv6.  Those that programs add stand in a list
 * here; the others are seen in what lwIP knows: addresses, prefixes, routers.
 * All ways are looked for here, in place of lwIP's ip6_route(); of a next hop
 * lwIP's nd6.c asks when it meets a destination for the first time.
 */
#include "net/inet_route6.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_addr6.h"
#include <lwip/ip6.h>
#include <lwip/icmp6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/priv/nd6_priv.h>
#include <linux/errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#define METRIC_KERNEL 256u
#define ROUTES_MAX    4096u /* as Linux; lists of them are walked */

struct entry {
	struct entry *next;
	struct inet_route6 r;
};

static struct entry *entries; /* as they are shown */
static unsigned nentries;
static void (*watcher)(const struct inet_route6 *r, bool added);
static bool taking_ra; /* nd6.c reads a router's advertisement */
/* What programs were told of. */
static bool told_prefix[LWIP_ND6_NUM_PREFIXES];
static bool told_router[LWIP_ND6_NUM_ROUTERS];
static struct inet_route6 was_prefix[LWIP_ND6_NUM_PREFIXES];
static struct inet_route6 was_router[LWIP_ND6_NUM_ROUTERS];

static void
tell(const struct inet_route6 *r, bool added)
{
	if (watcher != NULL)
		watcher(r, added);
}

/* A link that is down takes no route away: what is sent there is lost. */
static bool
is_usable(const struct netif *nif)
{
	return nif != NULL && netif_is_up(nif);
}

static bool
refuses(const struct inet_route6 *r)
{
	return r->type != RTN_UNICAST && r->type != RTN_LOCAL &&
	    r->type != RTN_MULTICAST;
}

static void
clip(ip6_addr_t *ip, unsigned plen)
{
	unsigned i, bits;

	for (i = 0; i < 4; i++) {
		bits = plen > i * 32 ? MIN(plen - i * 32, 32u) : 0;
		ip->addr[i] &= bits == 0 ?
		    0 :
		    lwip_htonl(UINT32_MAX << (32 - bits));
	}
	ip6_addr_clear_zone(ip);
}

void
inet_route6_changed(void)
{
	nd6_clear_destination_cache();
}

/* ------------------------------------------------------------ what lwIP has -- */

/* Of the address in a place of an interface; false: it has no network. */
static bool
of_address(struct netif *nif, unsigned i, struct inet_route6 *r)
{
	struct inet_addr6 a;

	if (!inet_addr6_at(nif, i, &a) || a.given ||
	    (a.flags & IFA_F_NOPREFIXROUTE) != 0 || ip6_addr_isloopback(&a.ip))
		return false;
	*r = (struct inet_route6){ .dest = a.ip,
		.plen = a.plen,
		.type = RTN_UNICAST,
		.protocol = RTPROT_KERNEL,
		.kind = INET_ROUTE6_ADDRESS,
		.if_index = ethif_index(nif),
		.metric = METRIC_KERNEL };
	if (a.valid != INET_ADDR6_FOREVER)
		r->until_ns = clock_mono_ns() + a.valid * 1000000000ll;
	clip(&r->dest, r->plen);
	return true;
}

static bool
of_own(struct netif *nif, unsigned i, struct inet_route6 *r)
{
	if (!ip6_addr_isvalid(netif_ip6_addr_state(nif, i)))
		return false;
	*r = (struct inet_route6){ .dest = *netif_ip6_addr(nif, i),
		.plen = 128,
		.type = RTN_LOCAL,
		.protocol = RTPROT_KERNEL,
		.kind = INET_ROUTE6_LOCAL,
		.if_index = ethif_index(nif) };
	return true;
}

static bool
of_groups(struct netif *nif, struct inet_route6 *r)
{
	if (ethif_nic(nif) == NULL || !netif_is_up(nif))
		return false;
	*r = (struct inet_route6){ .dest = { .addr = { PP_HTONL(0xff000000) } },
		.plen = 8,
		.type = RTN_MULTICAST,
		.protocol = RTPROT_KERNEL,
		.kind = INET_ROUTE6_GROUPS,
		.if_index = ethif_index(nif),
		.metric = METRIC_KERNEL };
	return true;
}

static int64_t
after(uint32_t seconds)
{
	return seconds == UINT32_MAX ? 0 :
				       clock_mono_ns() + seconds * 1000000000ll;
}

static bool
of_prefix(unsigned i, struct inet_route6 *r)
{
	const struct nd6_prefix_list_entry *p = &prefix_list[i];

	if (p->netif == NULL || p->invalidation_timer == 0)
		return false;
	*r = (struct inet_route6){ .dest = p->prefix,
		.plen = 64,
		.type = RTN_UNICAST,
		.protocol = RTPROT_KERNEL,
		.kind = INET_ROUTE6_PREFIX,
		.if_index = ethif_index(p->netif),
		.metric = METRIC_KERNEL,
		.until_ns = after(p->invalidation_timer) };
	clip(&r->dest, r->plen);
	return true;
}

static bool
of_router(unsigned i, struct inet_route6 *r)
{
	const struct nd6_router_list_entry *d = &default_router_list[i];

	if (d->neighbor_entry == NULL || d->neighbor_entry->netif == NULL ||
	    d->invalidation_timer == 0)
		return false;
	*r = (struct inet_route6){
		.gateway = d->neighbor_entry->next_hop_address,
		.type = RTN_UNICAST,
		.protocol = RTPROT_RA,
		.kind = INET_ROUTE6_ROUTER,
		.if_index = ethif_index(d->neighbor_entry->netif),
		.metric = INET_ROUTE6_METRIC,
		.until_ns = after(d->invalidation_timer)
	};
	return true;
}

/* ------------------------------------------------------------ finding a way -- */

struct search {
	const ip6_addr_t *dest;
	unsigned if_index; /* 0: any */
	bool have;
	struct inet_route6 best;
	bool sure; /* the best one's router answers */
};

static bool
is_over(const struct inet_route6 *r)
{
	return r->until_ns != 0 && clock_mono_ns() >= r->until_ns;
}

static bool
may_take(const struct search *s, struct netif *nif)
{
	return is_usable(nif) &&
	    (s->if_index == 0 || s->if_index == ethif_index(nif));
}

static bool
is_better(const struct search *s, unsigned plen, uint32_t metric, bool sure)
{
	if (!s->have)
		return true;
	if (plen != s->best.plen)
		return plen > s->best.plen;
	if (metric != s->best.metric)
		return metric < s->best.metric;
	return sure && !s->sure;
}

static void
look_at_added(struct search *s)
{
	const struct entry *e;

	for (e = entries; e != NULL; e = e->next) {
		if (!inet_addr6_match(s->dest, &e->r.dest, e->r.plen) ||
		    !is_better(s, e->r.plen, e->r.metric, true) ||
		    (!refuses(&e->r) &&
			!may_take(s, ethif_by_index(e->r.if_index))) ||
		    is_over(&e->r))
			continue;
		s->best = e->r;
		s->have = s->sure = true;
	}
}

static void
look_at_addresses(struct search *s, struct netif *nif)
{
	struct inet_route6 r;
	unsigned i;

	for (i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		if (ip6_addr_isinvalid(netif_ip6_addr_state(nif, i)) ||
		    !of_address(nif, i, &r) ||
		    !inet_addr6_match(s->dest, &r.dest, r.plen) ||
		    !is_better(s, r.plen, r.metric, true))
			continue;
		s->best = r;
		s->have = s->sure = true;
	}
}

static void
look_at_routers(struct search *s)
{
	struct inet_route6 r;
	unsigned i;
	bool sure;

	for (i = 0; i < LWIP_ND6_NUM_PREFIXES; i++)
		if (of_prefix(i, &r) && may_take(s, prefix_list[i].netif) &&
		    inet_addr6_match(s->dest, &r.dest, 64) &&
		    is_better(s, 64, r.metric, true)) {
			s->best = r;
			s->have = s->sure = true;
		}
	for (i = 0; i < LWIP_ND6_NUM_ROUTERS; i++) {
		if (!of_router(i, &r) ||
		    !may_take(s, default_router_list[i].neighbor_entry->netif))
			continue;
		sure = default_router_list[i].neighbor_entry->state !=
		    ND6_INCOMPLETE;
		if (is_better(s, 0, r.metric, sure)) {
			s->best = r;
			s->have = true;
			s->sure = sure;
		}
	}
}

static bool
look_at_own(struct search *s)
{
	struct netif *nif;
	int i;

	NETIF_FOREACH(nif)
	{
		if (!netif_is_up(nif) ||
		    (ip6_addr_has_zone(s->dest) &&
			!ip6_addr_test_zone(s->dest, nif)))
			continue;
		for (i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
			if (ip6_addr_isvalid(netif_ip6_addr_state(nif, i)) &&
			    ip6_addr_cmp_zoneless(s->dest,
				netif_ip6_addr(nif, i)) &&
			    of_own(nif, (unsigned)i, &s->best))
				return true;
	}
	return false;
}

static int
verdict(const struct inet_route6 *r)
{
	switch (r->type) {
	case RTN_UNICAST:
	case RTN_LOCAL:
	case RTN_MULTICAST: return 0;
	case RTN_UNREACHABLE: return -EHOSTUNREACH;
	case RTN_PROHIBIT: return -EACCES;
	case RTN_BLACKHOLE: return -EINVAL;
	default: return -ENETUNREACH;
	}
}

static bool
find_groups(struct search *s)
{
	struct netif *nif;
	unsigned i;

	look_at_added(s);
	for (i = 0; !s->have && (nif = ethif_nth(i)) != NULL; i++)
		s->have = may_take(s, nif) && of_groups(nif, &s->best);
	return s->have;
}

int
inet_route6_find(const ip6_addr_t *dest, unsigned if_index,
    struct inet_route6 *r)
{
	struct search s = { .dest = dest, .if_index = if_index };
	struct netif *nif;

	if (if_index == 0 && ip6_addr_has_zone(dest))
		s.if_index = ip6_addr_zone(dest);
	if (ip6_addr_ismulticast(dest)) {
		if (!find_groups(&s))
			return -ENETUNREACH;
		*r = s.best;
		return verdict(r);
	}
	if (!look_at_own(&s)) {
		look_at_added(&s);
		NETIF_FOREACH(nif)
		if (may_take(&s, nif))
			look_at_addresses(&s, nif);
		look_at_routers(&s);
		if (!s.have)
			return -ENETUNREACH;
	}
	*r = s.best;
	return verdict(r);
}

int
inet_route6_check(const ip6_addr_t *from, const ip6_addr_t *to)
{
	struct inet_route6 r;

	if (ip6_addr_has_scope(to, IP6_UNKNOWN))
		return ip6_route(from, to) == NULL ? -ENETUNREACH : 0;
	return inet_route6_find(to, 0, &r);
}

const ip_addr_t *
inet_route6_source(struct netif *nif, const ip6_addr_t *to)
{
	struct inet_route6 r;
	struct netif *of;
	int i;

	if (entries == NULL || ip6_addr_ismulticast(to) ||
	    inet_route6_find(to, ethif_index(nif), &r) != 0 ||
	    ip6_addr_isany(&r.source))
		return NULL;
	NETIF_FOREACH(of)
	{
		for (i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
			if (ip6_addr_isvalid(netif_ip6_addr_state(of, i)) &&
			    ip6_addr_cmp_zoneless(netif_ip6_addr(of, i),
				&r.source))
				return netif_ip_addr6(of, i);
	}
	return NULL;
}

/* ------------------------------------------------------------- lwIP asks -- */

static struct netif *
usable(struct netif *nif)
{
	return is_usable(nif) ? nif : NULL;
}

/* The interface that has the address; NULL: none. */
static struct netif *
with_address(const ip6_addr_t *ip)
{
	struct netif *nif;
	int i;

	NETIF_FOREACH(nif)
	{
		for (i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
			if (ip6_addr_isvalid(netif_ip6_addr_state(nif, i)) &&
			    ip6_addr_cmp_zoneless(ip, netif_ip6_addr(nif, i)))
				return nif;
	}
	return NULL;
}

/* In place of lwIP's: the interface for a packet; NULL: there is no way. */
struct netif *
lwip_hook_ip6_route(const ip6_addr_t *src, const ip6_addr_t *dest)
{
	struct inet_route6 r;

	if (ip6_addr_has_zone(dest))
		return usable(ethif_by_index(ip6_addr_zone(dest)));
	/* Whose link is meant only the sender's address says. */
	if ((ip6_addr_has_scope(dest, IP6_UNKNOWN) &&
		!(ip6_addr_ismulticast(dest) && ip6_addr_isany(src))) ||
	    ip6_addr_has_scope(src, IP6_UNICAST))
		return usable(ip6_addr_has_zone(src) ?
			ethif_by_index(ip6_addr_zone(src)) :
			with_address(src));
	if (inet_route6_find(dest, 0, &r) != 0)
		return NULL;
	return usable(ethif_by_index(r.if_index));
}

/* The neighbour that a packet goes to; NULL: none is known. */
const ip6_addr_t *
lwip_hook_ip6_gateway(struct netif *nif, const ip6_addr_t *dest)
{
	static ip6_addr_t gateway; /* network lock */
	struct inet_route6 r;

	if (inet_route6_find(dest, ethif_index(nif), &r) != 0)
		return NULL;
	if (ip6_addr_isany(&r.gateway))
		return dest;
	gateway = r.gateway;
	return &gateway;
}

static bool
is_neighbour(const ip6_addr_t *ip)
{
	return (uintptr_t)ip >= (uintptr_t)&neighbor_cache[0] &&
	    (uintptr_t)ip < (uintptr_t)&neighbor_cache[LWIP_ND6_NUM_NEIGHBORS];
}

static bool
has_place(struct netif *nif, const ip6_addr_t *own)
{
	int i;

	for (i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
		if (own == netif_ip6_addr(nif, i))
			return true;
	return false;
}

/*
 * Where nd6.c compares networks, of 64 bits to it: prefixes, in what a router
 * says; the address from which a neighbour is asked for; and whether it may do
 * without asking for a gateway, which it may not.
 */
bool
lwip_hook_nd6_same_net(const ip6_addr_t *a, const ip6_addr_t *own)
{
	const ip_addr_t *from = NULL;
	struct netif *nif;

	if (taking_ra && !is_neighbour(a))
		return inet_addr6_match(a, own, 64) &&
		    ip6_addr_zone(a) == ip6_addr_zone(own);
	if (!is_neighbour(a))
		return false;
	NETIF_FOREACH(nif)
	if (has_place(nif, own))
		from = lwip_hook_ip6_source(nif, a);
	return from != NULL && ip_2_ip6(from) == own;
}

/* ------------------------------------------------------ what routers tell -- */

static bool
is_same_way(const struct inet_route6 *a, const struct inet_route6 *b)
{
	return ip6_addr_cmp_zoneless(&a->dest, &b->dest) &&
	    ip6_addr_cmp_zoneless(&a->gateway, &b->gateway) &&
	    a->if_index == b->if_index;
}

/* A place's route of before, and of now. */
static bool
news_of(bool *told, struct inet_route6 *was, bool is,
    const struct inet_route6 *r)
{
	if (*told && (!is || !is_same_way(was, r))) {
		tell(was, false);
		*told = false;
	} else if (*told || !is) {
		return false;
	}
	if (is) {
		*told = true;
		*was = *r;
		tell(r, true);
	}
	return true;
}

/* Other routes, since it was looked last. */
static void
look_around(void)
{
	struct inet_route6 r;
	bool news = false, is;
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_PREFIXES; i++) {
		is = of_prefix(i, &r);
		news |= news_of(&told_prefix[i], &was_prefix[i], is, &r);
	}
	for (i = 0; i < LWIP_ND6_NUM_ROUTERS; i++) {
		is = of_router(i, &r);
		news |= news_of(&told_router[i], &was_router[i], is, &r);
	}
	if (news)
		inet_route6_changed();
}

/* In place of nd6_input(). */
void
lwip_hook_nd6_input(struct pbuf *p, struct netif *inp)
{
	uint8_t type = *(const u8_t *)p->payload;
	struct inet_conf6 conf;

	inet_addr6_conf(inp, &conf);
	if (conf.disabled || (type == ICMP6_TYPE_RA && !conf.accept_ra) ||
	    (type == ICMP6_TYPE_RD && !conf.accept_redirects)) {
		pbuf_free(p);
		return;
	}
	taking_ra = type == ICMP6_TYPE_RA;
	nd6_input(p, inp);
	if (taking_ra)
		look_around();
	taking_ra = false;
}

static void
drop(struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	nentries--;
	tell(&e->r, false);
	kfree(e);
}

static void
expire(void)
{
	struct entry **at = &entries, *e;

	while ((e = *at) != NULL) {
		if (!is_over(&e->r)) {
			at = &e->next;
			continue;
		}
		drop(at);
		inet_route6_changed();
	}
}

/* In place of nd6_tmr(), each second in which something can happen. */
void
lwip_hook_nd6_tmr(void)
{
	nd6_tmr();
	look_around();
	expire();
}

/* Seconds until that is needed for the routes here; 0: it is not. */
u32_t
lwip_hook_nd6_life(void)
{
	int64_t first = 0, now = clock_mono_ns();
	const struct entry *e;

	for (e = entries; e != NULL; e = e->next)
		if (e->r.until_ns != 0 && (first == 0 || e->r.until_ns < first))
			first = e->r.until_ns;
	if (first == 0)
		return 0;
	return first <= now ? 1 : (u32_t)((first - now) / 1000000000) + 1;
}

/* --------------------------------------------------------------- changing -- */

/* The interface of a gateway, or none for what is refused. */
static int
settle_interface(struct inet_route6 *r)
{
	struct inet_route6 way;
	struct netif *nif;
	int error = 0;

	if (refuses(r)) {
		r->if_index = ETHIF_LO;
		ip6_addr_set_zero(&r->gateway);
		return 0;
	}
	if (r->if_index == 0 && ip6_addr_isany(&r->gateway))
		return -ENODEV;
	if (ip6_addr_islinklocal(&r->gateway)) {
		if (r->if_index == 0)
			return -EINVAL;
	} else if (!ip6_addr_isany(&r->gateway)) {
		error = inet_route6_find(&r->gateway, r->if_index, &way);
		if (error != 0 || !ip6_addr_isany(&way.gateway))
			return -EHOSTUNREACH;
		if (way.kind == INET_ROUTE6_LOCAL)
			return -EINVAL;
		r->if_index = way.if_index;
	}
	nif = ethif_by_index(r->if_index);
	if (nif == NULL)
		return -ENODEV;
	if (!netif_is_up(nif))
		return -ENETDOWN;
	if (!ip6_addr_isany(&r->gateway))
		ip6_addr_assign_zone(&r->gateway, IP6_UNICAST, nif);
	return 0;
}

static bool
is_place(const struct inet_route6 *a, const struct inet_route6 *b)
{
	return a->plen == b->plen && a->metric == b->metric &&
	    ip6_addr_cmp_zoneless(&a->dest, &b->dest);
}

/* By destination, the default last; then by length, and metric. */
static bool
is_shown_before(const struct inet_route6 *a, const struct inet_route6 *b)
{
	uint32_t x, y;
	unsigned i;

	if ((a->plen == 0) != (b->plen == 0))
		return b->plen == 0;
	for (i = 0; i < 4; i++) {
		x = lwip_ntohl(a->dest.addr[i]);
		y = lwip_ntohl(b->dest.addr[i]);
		if (x != y)
			return x < y;
	}
	return a->plen != b->plen ? a->plen < b->plen : a->metric < b->metric;
}

static int
insert(const struct inet_route6 *r)
{
	struct entry **at, *e;

	e = nentries < ROUTES_MAX ? kmalloc(sizeof(*e)) : NULL;
	if (e == NULL)
		return -ENOMEM;
	nentries++;
	e->r = *r;
	for (at = &entries; *at != NULL && !is_shown_before(r, &(*at)->r);
	     at = &(*at)->next)
		;
	e->next = *at;
	*at = e;
	return 0;
}

static void
announce(const struct inet_route6 *r)
{
	inet_route6_changed();
	if (r->until_ns != 0)
		lwip_timers_look();
	tell(r, true);
}

/* The one in the place of r, or, of several, with its very gateway. */
static struct entry *
find_place(const struct inet_route6 *r, bool same_way)
{
	struct entry *e;

	for (e = entries; e != NULL; e = e->next)
		if (is_place(&e->r, r) && (!same_way || is_same_way(&e->r, r)))
			return e;
	return NULL;
}

int
inet_route6_add(const struct inet_route6 *route, struct inet_route6_how how)
{
	struct inet_route6 r = *route;
	struct entry *same;
	int error = settle_interface(&r);

	if (error != 0)
		return error;
	if (!ip6_addr_isany(&r.source) && with_address(&r.source) == NULL)
		return -EINVAL;
	clip(&r.dest, r.plen);
	r.kind = INET_ROUTE6_ADDED;
	same = find_place(&r, how.append && !how.replace);
	if (same != NULL && !how.replace)
		return -EEXIST;
	if (same == NULL && !how.create)
		return -ENOENT;
	if (same != NULL)
		same->r = r;
	else
		error = insert(&r);
	if (error == 0)
		announce(&r);
	return error;
}

static bool
is_meant(const struct inet_route6 *have, const struct inet_route6 *want)
{
	return have->plen == want->plen &&
	    ip6_addr_cmp_zoneless(&have->dest, &want->dest) &&
	    (ip6_addr_isany(&want->gateway) ||
		ip6_addr_cmp_zoneless(&have->gateway, &want->gateway)) &&
	    (want->if_index == 0 || have->if_index == want->if_index) &&
	    (want->metric == 0 || have->metric == want->metric) &&
	    (want->type == 0 || want->type == RTN_UNICAST ||
		have->type == want->type) &&
	    (want->protocol == 0 || have->protocol == want->protocol);
}

static void
forget_router(unsigned i)
{
	default_router_list[i].neighbor_entry->isrouter = 0;
	default_router_list[i].neighbor_entry = NULL;
	default_router_list[i].invalidation_timer = 0;
	default_router_list[i].flags = 0;
}

/* Of those that lwIP has; look_around() tells of a router's. */
static int
remove_seen(const struct inet_route6 *want)
{
	struct inet_route6 r;
	struct netif *nif;
	unsigned i, k;

	for (i = 0; (nif = ethif_nth(i)) != NULL; i++)
		for (k = 0; k < LWIP_IPV6_NUM_ADDRESSES; k++)
			if (of_address(nif, k, &r) && is_meant(&r, want)) {
				inet_addr6_drop_route(nif, k);
				tell(&r, false);
				return 0;
			}
	for (i = 0; i < LWIP_ND6_NUM_PREFIXES; i++)
		if (of_prefix(i, &r) && is_meant(&r, want)) {
			prefix_list[i].netif = NULL;
			return 0;
		}
	for (i = 0; i < LWIP_ND6_NUM_ROUTERS; i++)
		if (of_router(i, &r) && is_meant(&r, want)) {
			forget_router(i);
			return 0;
		}
	return -ESRCH;
}

int
inet_route6_remove(const struct inet_route6 *route)
{
	struct inet_route6 want = *route;
	struct entry **at, *e;
	int error;

	clip(&want.dest, want.plen);
	for (at = &entries; (e = *at) != NULL; at = &e->next)
		if (is_meant(&e->r, &want))
			break;
	if (e != NULL) {
		drop(at);
		error = 0;
	} else {
		error = remove_seen(&want);
	}
	look_around();
	inet_route6_changed();
	return error;
}

void
inet_route6_departed(unsigned if_index)
{
	struct entry **at = &entries, *e;

	while ((e = *at) != NULL) {
		if (e->r.if_index != if_index) {
			at = &e->next;
			continue;
		}
		drop(at);
	}
	look_around();
	inet_route6_changed();
}

void
inet_route6_set_watcher(void (*fn)(const struct inet_route6 *r, bool added))
{
	watcher = fn;
}

/* ---------------------------------------------------------------- looking -- */

/* Those that nobody added, in the order of interfaces. */
struct seen {
	struct inet_route6 *r; /* NULL: they are only counted */
	unsigned n;
};

static void
see(struct seen *s, bool is, const struct inet_route6 *r)
{
	unsigned i;

	if (!is)
		return;
	for (i = s->n++; s->r != NULL && i > 0; i--) {
		if (!is_shown_before(r, &s->r[i - 1]))
			break;
		s->r[i] = s->r[i - 1];
	}
	if (s->r != NULL)
		s->r[i] = *r;
}

static void
see_all(struct seen *s)
{
	struct inet_route6 r;
	struct netif *nif;
	unsigned i, k;

	s->n = 0;
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++) {
		for (k = 0; k < LWIP_IPV6_NUM_ADDRESSES; k++) {
			see(s, of_address(nif, k, &r), &r);
			see(s, of_own(nif, k, &r), &r);
		}
		see(s, of_groups(nif, &r), &r);
	}
	for (i = 0; i < LWIP_ND6_NUM_PREFIXES; i++)
		see(s, of_prefix(i, &r), &r);
	for (i = 0; i < LWIP_ND6_NUM_ROUTERS; i++)
		see(s, of_router(i, &r), &r);
}

int
inet_route6_each(void (*fn)(const struct inet_route6 *r, void *arg), void *arg)
{
	const struct entry *e;
	struct seen s = { 0 };
	unsigned i = 0;

	see_all(&s);
	s.r = kmalloc(MAX(s.n, 1u) * sizeof(s.r[0]));
	if (s.r == NULL)
		return -ENOMEM;
	see_all(&s);
	for (e = entries; e != NULL; e = e->next) {
		for (; i < s.n && is_shown_before(&s.r[i], &e->r); i++)
			fn(&s.r[i], arg);
		if (!is_over(&e->r))
			fn(&e->r, arg);
	}
	for (; i < s.n; i++)
		fn(&s.r[i], arg);
	kfree(s.r);
	return 0;
}
