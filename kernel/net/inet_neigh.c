/* SPDX-License-Identifier: ISC */
/*
 * inet_neigh.c - neighbours that programs told of, beside lwIP's tables: its
 * table of IPv4 (etharp.c) knows of such entries, its table of IPv6 (nd6.c)
 * does not, so packets to those never get there.  arp(7), RFC 4861.
 */
#include "net/inet_neigh.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include "net/ethif.h"
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/ip.h>
#include <lwip/memp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/nd6_priv.h>
#include <netif/ethernet.h>
#include <linux/errno.h>
#include <linux/neighbour.h>
#include <bsd/sys/queue.h>

#define PINNED_MAX 1024u /* as Linux's table; a list of them is walked */

struct pinned {
	TAILQ_ENTRY(pinned) link;
	struct inet_neigh n;
};
static TAILQ_HEAD(, pinned) pinned = TAILQ_HEAD_INITIALIZER(pinned);
static unsigned npinned;

static struct pinned *
find_pinned(const struct netif *nif, const ip_addr_t *ip)
{
	struct pinned *p;

	TAILQ_FOREACH (p, &pinned, link)
		if (p->n.nif == nif &&
		    IP_GET_TYPE(&p->n.ip) == IP_GET_TYPE(ip) &&
		    ip_addr_cmp_zoneless(&p->n.ip, ip))
			return p;
	return NULL;
}

/* -------------------------------------------------------- what lwIP knows -- */

static bool
of_arp(unsigned i, struct inet_neigh *n)
{
	const struct pinned *p;
	struct eth_addr *eth;
	struct netif *nif;
	ip4_addr_t *ip;

	if (!etharp_get_entry(i, &ip, &nif, &eth))
		return false;
	*n = (struct inet_neigh){ .nif = nif,
		.has_mac = true,
		.state = NUD_REACHABLE };
	ip_addr_copy_from_ip4(n->ip, *ip);
	memcpy(n->mac, eth->addr, NIC_MAC_LEN);
	p = find_pinned(nif, &n->ip);
	if (p != NULL)
		n->state = p->n.state;
	return true;
}

/* A router of which forget_nd6() left only that. */
static bool
is_forgotten(const struct nd6_neighbor_cache_entry *e)
{
	return e->state == ND6_INCOMPLETE && e->isrouter && e->q == NULL &&
	    e->counter.probes_sent == 0;
}

static bool
of_nd6(unsigned i, struct inet_neigh *n)
{
	static const uint16_t states[] = { [ND6_INCOMPLETE] = NUD_INCOMPLETE,
		[ND6_REACHABLE] = NUD_REACHABLE,
		[ND6_STALE] = NUD_STALE,
		[ND6_DELAY] = NUD_DELAY,
		[ND6_PROBE] = NUD_PROBE };
	const struct nd6_neighbor_cache_entry *e = &neighbor_cache[i];

	if (e->state == ND6_NO_ENTRY || e->state >= ARRAY_SIZE(states) ||
	    e->netif == NULL || is_forgotten(e))
		return false;
	*n = (struct inet_neigh){ .nif = e->netif,
		.has_mac = e->state != ND6_INCOMPLETE,
		.router = e->isrouter,
		.state = states[e->state] };
	ip_addr_copy_from_ip6(n->ip, e->next_hop_address);
	memcpy(n->mac, e->lladdr, NIC_MAC_LEN);
	return true;
}

bool
inet_neigh_nth(unsigned i, struct inet_neigh *n)
{
	const struct pinned *p;
	unsigned k;

	for (k = 0; k < ARP_TABLE_SIZE; k++)
		if (of_arp(k, n) && i-- == 0)
			return true;
	TAILQ_FOREACH (p, &pinned, link)
		if (IP_IS_V6_VAL(p->n.ip) && i-- == 0) {
			*n = p->n;
			return true;
		}
	for (k = 0; k < LWIP_ND6_NUM_NEIGHBORS; k++)
		if (of_nd6(k, n) && find_pinned(n->nif, &n->ip) == NULL &&
		    i-- == 0)
			return true;
	return false;
}

bool
inet_neigh_find(struct inet_neigh *n)
{
	struct inet_neigh other;
	unsigned i;

	for (i = 0; inet_neigh_nth(i, &other); i++)
		if (other.nif == n->nif &&
		    IP_GET_TYPE(&other.ip) == IP_GET_TYPE(&n->ip) &&
		    ip_addr_cmp_zoneless(&other.ip, &n->ip)) {
			*n = other;
			return true;
		}
	return false;
}

/* ---------------------------------------------------------------- changing -- */

/* A router stays in lwIP's table: it is asked for anew. */
static void
forget_nd6(struct nd6_neighbor_cache_entry *e)
{
	struct nd6_q_entry *q;

	while ((q = e->q) != NULL) {
		e->q = q->next;
		pbuf_free(q->p);
		memp_free(MEMP_ND6_QUEUE, q);
	}
	e->counter.probes_sent = 0;
	if (e->isrouter) {
		e->state = ND6_INCOMPLETE;
		lwip_timers_look();
		return;
	}
	e->state = ND6_NO_ENTRY;
	e->netif = NULL;
	ip6_addr_set_zero(&e->next_hop_address);
}

static struct nd6_neighbor_cache_entry *
find_nd6(const struct netif *nif, const ip_addr_t *ip)
{
	struct nd6_neighbor_cache_entry *e;
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
		e = &neighbor_cache[i];
		if (e->state != ND6_NO_ENTRY && e->netif == nif &&
		    ip6_addr_cmp_zoneless(&e->next_hop_address, ip_2_ip6(ip)))
			return e;
	}
	return NULL;
}

/* A free place, or that of one whom nobody needed lately. */
static struct nd6_neighbor_cache_entry *
place_nd6(void)
{
	struct nd6_neighbor_cache_entry *e, *old = NULL;
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
		e = &neighbor_cache[i];
		if (e->state == ND6_NO_ENTRY)
			return e;
		if (e->state == ND6_STALE && !e->isrouter)
			old = e;
	}
	if (old != NULL)
		forget_nd6(old);
	return old;
}

static int
set_nd6(const struct inet_neigh *n)
{
	struct nd6_neighbor_cache_entry *e = find_nd6(n->nif, &n->ip);

	if (e == NULL) {
		e = place_nd6();
		if (e == NULL)
			return -ENOBUFS;
		e->q = NULL;
		e->isrouter = 0;
		e->netif = n->nif;
		ip6_addr_set(&e->next_hop_address, ip_2_ip6(&n->ip));
		ip6_addr_assign_zone(&e->next_hop_address, IP6_UNICAST, n->nif);
	}
	memcpy(e->lladdr, n->mac, NIC_MAC_LEN);
	e->state = n->state == NUD_REACHABLE ? ND6_REACHABLE : ND6_STALE;
	e->counter.reachable_time = n->state == NUD_REACHABLE ? reachable_time :
								0;
	lwip_timers_look();
	return 0;
}

static int
pin(const struct inet_neigh *n)
{
	struct pinned *p = npinned < PINNED_MAX ? kzalloc(sizeof(*p)) : NULL;

	if (p == NULL)
		return -ENOMEM;
	npinned++;
	p->n = *n;
	TAILQ_INSERT_TAIL(&pinned, p, link);
	return 0;
}

static void
unpin(struct pinned *p)
{
	TAILQ_REMOVE(&pinned, p, link);
	npinned--;
	kfree(p);
}

static int
set_arp(const struct inet_neigh *n)
{
	struct eth_addr eth;

	memcpy(eth.addr, n->mac, NIC_MAC_LEN);
	return etharp_add_static_entry(ip_2_ip4(&n->ip), &eth) == ERR_OK ?
	    0 :
	    -ENETUNREACH;
}

int
inet_neigh_set(const struct inet_neigh *n)
{
	bool stays = (n->state & (NUD_PERMANENT | NUD_NOARP)) != 0;
	struct pinned *old = find_pinned(n->nif, &n->ip);
	int error = 0;

	if (IP_IS_V4_VAL(n->ip))
		error = set_arp(n);
	if (error == 0 && stays)
		error = pin(n);
	else if (error == 0 && IP_IS_V6_VAL(n->ip))
		error = set_nd6(n);
	if (error == 0 && old != NULL)
		unpin(old);
	return error;
}

/* Only what was said can be taken back: so it is said once more. */
static int
forget_arp(const struct inet_neigh *n)
{
	int error = set_arp(n);

	if (error != 0)
		return error;
	return etharp_remove_static_entry(ip_2_ip4(&n->ip)) == ERR_OK ? 0 :
									-ENOENT;
}

int
inet_neigh_forget(const struct inet_neigh *want)
{
	struct nd6_neighbor_cache_entry *e;
	struct inet_neigh n = *want;
	struct pinned *p;
	int error = 0;

	if (!inet_neigh_find(&n))
		return -ENOENT;
	p = find_pinned(n.nif, &n.ip);
	if (IP_IS_V4_VAL(n.ip))
		error = forget_arp(&n);
	else if ((e = find_nd6(n.nif, &n.ip)) != NULL)
		forget_nd6(e);
	if (error == 0 && p != NULL)
		unpin(p);
	return error;
}

void
inet_neigh_departed(const struct netif *nif)
{
	struct pinned *p, *next;

	TAILQ_FOREACH_SAFE (p, &pinned, link, next)
		if (p->n.nif == nif)
			unpin(p);
}

/* ----------------------------------------------------------------- sending -- */

err_t
inet_neigh_output6(struct netif *nif, struct pbuf *p, const ip6_addr_t *to)
{
	const struct pinned *known = NULL;
	const ip6_addr_t *hop;
	struct eth_addr own, eth;
	ip_addr_t ip;

	if (TAILQ_EMPTY(&pinned) || ip6_addr_ismulticast(to))
		return ethip6_output(nif, p, to);
	hop = lwip_hook_ip6_gateway(nif, to);
	if (hop != NULL) {
		ip_addr_copy_from_ip6(ip, *hop);
		known = find_pinned(nif, &ip);
	}
	if (known == NULL)
		return ethip6_output(nif, p, to);
	memcpy(eth.addr, known->n.mac, NIC_MAC_LEN);
	memcpy(own.addr, nif->hwaddr, NIC_MAC_LEN);
	return ethernet_output(nif, p, &own, &eth, ETHTYPE_IPV6);
}
