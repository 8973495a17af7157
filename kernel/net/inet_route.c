/* SPDX-License-Identifier: ISC */
/*
 * inet_route.c - routes of IPv4.  An interface's own network and its gateway
 * are lwIP's; what programs add beyond stands in a list here, which lwIP asks
 * first.
 */
#include "net/inet_route.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_route6.h"
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/rtnetlink.h>

struct entry {
	struct entry *next;
	struct inet_route r;
};

static struct entry *entries; /* longest mask first, then lowest metric */
static void (*watcher)(const struct inet_route *r, bool added);

void
inet_route_set_watcher(void (*fn)(const struct inet_route *r, bool added))
{
	watcher = fn;
}

static void
tell(const struct inet_route *r, bool added)
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
is_on_link(const struct netif *nif, uint32_t dest)
{
	uint32_t mask = netif_ip4_netmask(nif)->addr;

	return netif_ip4_addr(nif)->addr != 0 &&
	    ((dest ^ netif_ip4_addr(nif)->addr) & mask) == 0;
}

static bool
refuses(const struct inet_route *r)
{
	return r->type != RTN_UNSPEC && r->type != RTN_UNICAST;
}

/* What interfaces have of themselves goes before a route as long: their
 * network, or their gateway. */
static bool
has_nearer(uint32_t dest, const struct inet_route *r)
{
	uint32_t mask = lwip_ntohl(r->mask);
	const struct netif *nif;

	NETIF_FOREACH(nif)
	{
		if (!is_usable(nif) || ethif_nic(nif) == NULL)
			continue;
		if (is_on_link(nif, dest) &&
		    lwip_ntohl(netif_ip4_netmask(nif)->addr) >= mask)
			return true;
		if (mask == 0 && netif_ip4_gw(nif)->addr != 0)
			return true;
	}
	return false;
}

static const struct inet_route *
find(uint32_t dest)
{
	const struct entry *e;

	for (e = entries; e != NULL; e = e->next)
		if ((dest & e->r.mask) == e->r.dest &&
		    (refuses(&e->r) ||
			is_usable(ethif_by_index(e->r.if_index))))
			return has_nearer(dest, &e->r) ? NULL : &e->r;
	return NULL;
}

/* ------------------------------------------------------------- lwIP asks -- */

static err_t
refuse(struct netif *nif, struct pbuf *p, const ip4_addr_t *to)
{
	(void)nif;
	(void)p;
	(void)to;
	return ERR_RTE;
}

/* Where packets go that a route refuses: an interface that nobody sees. */
static struct netif nowhere = { .output = refuse, .num = UINT8_MAX - 1 };

/* NULL: as lwIP sees fit. */
struct netif *
lwip_hook_ip4_route(const ip4_addr_t *src, const ip4_addr_t *dest)
{
	const struct inet_route *r;
	struct netif *nif, *via = NULL;

	if (ip4_addr_isloopback(dest))
		return NULL;
	r = find(dest->addr);
	if (r != NULL && refuses(r))
		return &nowhere;
	if (r != NULL)
		return ethif_toward(ethif_by_index(r->if_index),
		    r->gateway != 0 ? r->gateway : dest->addr);
	if (ip4_addr_ismulticast(dest))
		return NULL;
	NETIF_FOREACH(nif)
	{
		if (!is_usable(nif))
			continue;
		if (is_on_link(nif, dest->addr))
			return nif;
		if (netif_ip4_gw(nif)->addr == 0 || ethif_nic(nif) == NULL)
			continue;
		/* Of several with a gateway the one whose address it is. */
		if (src != NULL && ethif_with_address(nif, src->addr) != NULL)
			return nif;
		if (via == NULL || nif == netif_default)
			via = nif;
	}
	return via == NULL ? NULL : ethif_toward(via, netif_ip4_gw(via)->addr);
}

const ip4_addr_t *
lwip_hook_ip4_gateway(struct netif *nif, const ip4_addr_t *dest)
{
	static ip4_addr_t gateway; /* network lock */
	const struct inet_route *r = find(dest->addr);

	if (r == NULL || r->if_index != ethif_index(nif))
		return NULL;
	gateway.addr = r->gateway != 0 ? r->gateway : dest->addr;
	return &gateway;
}

static int
verdict(const struct inet_route *r)
{
	return r->type == RTN_UNREACHABLE ? -EHOSTUNREACH :
	    r->type == RTN_PROHIBIT       ? -EACCES :
	    r->type == RTN_BLACKHOLE      ? -EINVAL :
					    -ENETUNREACH;
}

int
inet_route_check(const ip_addr_t *from, const ip_addr_t *to)
{
	const struct inet_route *r;
	struct netif *nif;
	uint32_t dest;

	if (IP_IS_V6(to))
		return inet_route6_check(ip_2_ip6(from), ip_2_ip6(to));
	nif = ip_route(from, to);
	dest = ip_2_ip4(to)->addr;
	r = find(dest);
	if (nif == &nowhere && r != NULL)
		return verdict(r);
	if (nif == NULL)
		return -ENETUNREACH;
	if (ethif_nic(nif) == NULL || is_on_link(nif, dest) || r != NULL ||
	    netif_ip4_gw(ethif_self(nif))->addr != 0 ||
	    dest == IPADDR_BROADCAST)
		return 0;
	return -ENETUNREACH;
}

int
inet_route_error(const ip_addr_t *from, const ip_addr_t *to)
{
	int error = inet_route_check(from, to);

	return error != 0 ? error : -ENETUNREACH;
}

/* --------------------------------------------------------------- changing -- */

static struct netif *
netif_of_gateway(uint32_t gateway)
{
	struct netif *nif;

	NETIF_FOREACH(nif)
	if (is_usable(nif) && is_on_link(nif, gateway))
		return ethif_self(nif);
	return NULL;
}

/* The first default route of an interface is its gateway. */
static int
set_gateway(struct netif *nif, const struct inet_route *r)
{
	ip4_addr_t gw = { .addr = r->gateway };

	if (netif_ip4_gw(nif)->addr != 0)
		return -EEXIST;
	netif_set_gw(nif, &gw);
	if (netif_default == NULL || netif_ip4_gw(netif_default)->addr == 0)
		netif_set_default(nif);
	tell(r, true);
	return 0;
}

static bool
goes_before(const struct inet_route *a, const struct inet_route *b)
{
	uint32_t ma = lwip_ntohl(a->mask), mb = lwip_ntohl(b->mask);

	return ma != mb ? ma > mb : a->metric < b->metric;
}

static bool
is_same(const struct inet_route *a, const struct inet_route *b)
{
	return a->dest == b->dest && a->mask == b->mask &&
	    a->metric == b->metric && a->if_index == b->if_index;
}

int
inet_route_add(const struct inet_route *route)
{
	struct inet_route r = *route;
	struct netif *nif = r.if_index != 0 ? ethif_by_index(r.if_index) :
					      netif_of_gateway(r.gateway);
	struct entry **at, *e;

	if ((r.dest & ~r.mask) != 0)
		return -EINVAL;
	if (!refuses(&r) && (nif == NULL || !netif_is_up(nif)))
		return -ENETUNREACH;
	r.if_index = refuses(&r) ? 0 : ethif_index(nif);
	if (refuses(&r))
		r.gateway = 0;
	else if (r.mask == 0 && r.gateway != 0 && r.metric == 0)
		return set_gateway(nif, &r);
	for (at = &entries; *at != NULL; at = &(*at)->next)
		if (is_same(&(*at)->r, &r))
			return -EEXIST;
	e = kmalloc(sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	e->r = r;
	for (at = &entries; *at != NULL && !goes_before(&r, &(*at)->r);
	     at = &(*at)->next)
		;
	e->next = *at;
	*at = e;
	tell(&r, true);
	return 0;
}

static bool
matches(const struct inet_route *have, const struct inet_route *want)
{
	return have->dest == want->dest && have->mask == want->mask &&
	    (want->gateway == 0 || have->gateway == want->gateway) &&
	    (want->if_index == 0 || have->if_index == want->if_index) &&
	    (want->metric == 0 || have->metric == want->metric);
}

static void
remove_entry(struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	tell(&e->r, false);
	kfree(e);
}

static int
remove_gateway(const struct inet_route *r)
{
	struct inet_route have = { 0 };
	ip4_addr_t none = { 0 };
	struct netif *nif;

	NETIF_FOREACH(nif)
	{
		have.gateway = netif_ip4_gw(nif)->addr;
		have.if_index = ethif_index(nif);
		if (have.gateway == 0 || !matches(&have, r))
			continue;
		netif_set_gw(nif, &none);
		tell(&have, false);
		return 0;
	}
	return -ESRCH;
}

int
inet_route_remove(const struct inet_route *r)
{
	struct entry **at;

	for (at = &entries; *at != NULL; at = &(*at)->next)
		if (matches(&(*at)->r, r)) {
			remove_entry(at);
			return 0;
		}
	return r->mask == 0 ? remove_gateway(r) : -ESRCH;
}

void
inet_route_departed(unsigned if_index)
{
	struct entry **at = &entries;

	while (*at != NULL) {
		if ((*at)->r.if_index == if_index)
			remove_entry(at);
		else
			at = &(*at)->next;
	}
}

/* ---------------------------------------------------------------- looking -- */

/* The i-th interface's gateway; counts i down by those that there are. */
static bool
nth_gateway(unsigned *i, struct inet_route *r)
{
	struct netif *nif;
	unsigned n;

	for (n = 0; (nif = ethif_nth(n)) != NULL; n++) {
		if (!netif_is_up(nif) || ethif_nic(nif) == NULL ||
		    netif_ip4_gw(nif)->addr == 0)
			continue;
		*r = (struct inet_route){ .if_index = ethif_index(nif),
			.gateway = netif_ip4_gw(nif)->addr };
		r->source = netif_ip4_addr(ethif_toward(nif, r->gateway))->addr;
		if (r->source != 0 && (*i)-- == 0)
			return true;
	}
	return false;
}

/* The i-th of the networks that interfaces are in. */
static bool
nth_network(unsigned *i, struct inet_route *r)
{
	struct ethif_addr a;
	struct netif *nif;
	unsigned n, k;

	for (n = 0; (nif = ethif_nth(n)) != NULL; n++) {
		if (!netif_is_up(nif) || ethif_nic(nif) == NULL)
			continue;
		for (k = 0; ethif_addr_nth(nif, k, &a); k++) {
			*r = (struct inet_route){ .dest = a.ip & a.mask,
				.mask = a.mask,
				.if_index = ethif_index(nif),
				.source = a.ip };
			if (!a.secondary && a.mask != UINT32_MAX && (*i)-- == 0)
				return true;
		}
	}
	return false;
}

bool
inet_route_nth(unsigned i, struct inet_route *r)
{
	const struct entry *e;

	if (nth_gateway(&i, r) || nth_network(&i, r))
		return true;
	for (e = entries; e != NULL; e = e->next)
		if (i-- == 0) {
			*r = e->r;
			return true;
		}
	return false;
}
