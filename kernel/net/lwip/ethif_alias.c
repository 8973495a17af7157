/* SPDX-License-Identifier: ISC */
/*
 * ethif_alias.c - further addresses of IPv4 that an interface has beside its
 * first one.  ip-address(8).
 *
 * lwIP's netif has one.  Each further one is a netif of its own in lwIP's list,
 * behind the interface's and with its number: by it lwIP takes in packets and
 * finds ways to the address's network.  Nothing is sent by it: the interface
 * itself speaks, which takes the address on meanwhile, so that neighbours are
 * known once, whatever address asked for them.
 * Locking: the network lock is held in all.
 */
#include "net/lwip/ethif_impl.h"
/* Behind netif.h: hooks.h has a macro of the name of a function there. */
#include "net/lwip/hooks.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include <lwip/etharp.h>
#include <lwip/ip4.h>
#include <lwip/pbuf.h>
#include <lwip/prot/etharp.h>
#include <linux/errno.h>

#define ALIASES_MAX 256u /* lists of them are walked for each packet */

struct alias {
	struct netif nif;
	struct netif *of; /* the interface itself */
	char label[ETHIF_NAME];
	TAILQ_ENTRY(alias) link;
};
TAILQ_HEAD(alias_list, alias);
static unsigned naliases;
static struct alias_list aliases = TAILQ_HEAD_INITIALIZER(aliases);

/* By this they are known: nothing comes by them. */
static err_t
no_input(struct pbuf *p, struct netif *nif)
{
	(void)nif;
	pbuf_free(p);
	return ERR_OK;
}

struct netif *
ethif_self(struct netif *nif)
{
	return nif->input == no_input ?
	    container_of(nif, struct alias, nif)->of :
	    nif;
}

static struct alias *
next_of(const struct netif *nif, struct alias *a)
{
	while (a != NULL && a->of != nif)
		a = TAILQ_NEXT(a, link);
	return a;
}

#define FOREACH_ALIAS(a, nif)                                        \
	for ((a) = next_of(nif, TAILQ_FIRST(&aliases)); (a) != NULL; \
	     (a) = next_of(nif, TAILQ_NEXT(a, link)))

static bool
is_on_link(const struct netif *nif, uint32_t ip)
{
	uint32_t own = netif_ip4_addr(nif)->addr;

	return own != 0 && ((own ^ ip) & netif_ip4_netmask(nif)->addr) == 0;
}

/* ---------------------------------------------------------------- looking -- */

struct netif *
ethif_with_address(struct netif *nif, uint32_t ip)
{
	struct alias *a;

	nif = ethif_self(nif);
	if (ip == 0 || netif_ip4_addr(nif)->addr == ip)
		return ip == 0 ? NULL : nif;
	FOREACH_ALIAS(a, nif)
	if (netif_ip4_addr(&a->nif)->addr == ip)
		return &a->nif;
	return NULL;
}

struct netif *
ethif_toward(struct netif *nif, uint32_t hop)
{
	struct alias *a;

	if (TAILQ_EMPTY(&aliases))
		return nif;
	nif = ethif_self(nif);
	if (is_on_link(nif, hop))
		return nif;
	FOREACH_ALIAS(a, nif)
	if (is_on_link(&a->nif, hop))
		return &a->nif;
	a = next_of(nif, TAILQ_FIRST(&aliases));
	return netif_ip4_addr(nif)->addr == 0 && a != NULL ? &a->nif : nif;
}

static struct netif *
nth(struct netif *nif, unsigned i)
{
	struct alias *a;

	if (netif_ip4_addr(nif)->addr != 0 && i-- == 0)
		return nif;
	FOREACH_ALIAS(a, nif)
	if (i-- == 0)
		return &a->nif;
	return NULL;
}

static bool
is_same_net(const struct netif *a, const struct netif *b)
{
	return netif_ip4_netmask(a)->addr == netif_ip4_netmask(b)->addr &&
	    is_on_link(a, netif_ip4_addr(b)->addr);
}

static void
describe(struct netif *nif, struct ethif_addr *addr)
{
	struct netif *self = ethif_self(nif);
	struct alias *a;

	*addr = (struct ethif_addr){ .ip = netif_ip4_addr(nif)->addr,
		.mask = netif_ip4_netmask(nif)->addr };
	strlcpy(addr->label,
	    nif == self ? ethif_name(nif) :
			  container_of(nif, struct alias, nif)->label,
	    sizeof(addr->label));
	addr->secondary = nif != self && is_same_net(self, nif);
	FOREACH_ALIAS(a, self)
	{
		if (&a->nif == nif || nif == self)
			break;
		addr->secondary |= is_same_net(&a->nif, nif);
	}
}

bool
ethif_addr_nth(struct netif *nif, unsigned i, struct ethif_addr *addr)
{
	nif = nth(nif, i);
	if (nif != NULL)
		describe(nif, addr);
	return nif != NULL;
}

/* --------------------------------------------------------------- speaking -- */

/* The interface takes on another of its addresses; what it had. */
static struct ethif_addr
take_on(struct netif *nif, const struct netif *as)
{
	struct ethif_addr had = { .ip = netif_ip4_addr(nif)->addr,
		.mask = netif_ip4_netmask(nif)->addr };

	ip_2_ip4(&nif->ip_addr)->addr = netif_ip4_addr(as)->addr;
	ip_2_ip4(&nif->netmask)->addr = netif_ip4_netmask(as)->addr;
	return had;
}

static void
take_back(struct netif *nif, const struct ethif_addr *had)
{
	ip_2_ip4(&nif->ip_addr)->addr = had->ip;
	ip_2_ip4(&nif->netmask)->addr = had->mask;
}

/* Where a packet goes first. */
static uint32_t
next_hop(struct netif *nif, const ip4_addr_t *to)
{
	const ip4_addr_t *gw;

	if (is_on_link(ethif_toward(nif, to->addr), to->addr))
		return to->addr;
	gw = lwip_hook_ip4_gateway(nif, to);
	return gw != NULL ? gw->addr : netif_ip4_gw(nif)->addr;
}

/* As whom: the packet's source, if it is of the next hop's network. */
static struct netif *
speaker(struct netif *nif, const struct pbuf *p, const ip4_addr_t *to)
{
	const struct ip_hdr *h = p->payload;
	struct netif *as = ethif_with_address(nif, h->src.addr);
	uint32_t hop = next_hop(nif, to);

	return as != NULL && is_on_link(as, hop) ? as : ethif_toward(nif, hop);
}

err_t
ethif_output4(struct netif *nif, struct pbuf *p, const ip4_addr_t *to)
{
	struct ethif_addr had;
	struct netif_hint *hints = nif->hints;
	err_t error;

	if (TAILQ_EMPTY(&aliases))
		return etharp_output(nif, p, to);
	nif = ethif_self(nif);
	if (ethif_with_address(nif, to->addr) != NULL)
		return lwip_hook_loop_output(nif, p);
	had = take_on(nif, speaker(nif, p, to));
	nif->hints = hints;
	error = etharp_output(nif, p, to);
	nif->hints = NULL;
	take_back(nif, &had);
	return error;
}

void
ethif_arp_input(struct netif *nif, struct pbuf *p)
{
	const struct etharp_hdr *h = p->payload;
	struct ethif_addr had;
	struct netif *as;
	uint32_t target;

	if (p->len < SIZEOF_ETHARP_HDR) {
		pbuf_free(p);
		return;
	}
	memcpy(&target, &h->dipaddr, sizeof(target));
	as = ethif_with_address(nif, target);
	if (as == NULL || as == nif) {
		etharp_input(p, nif);
		return;
	}
	had = take_on(nif, as);
	etharp_input(p, nif);
	take_back(nif, &had);
}

/* ------------------------------------------------------- coming and going -- */

/* Tells the neighbours, who may know another station of that address. */
static void
announce(struct alias *a)
{
	struct ethif_addr had;

	if (ethif_nic(a->of) == NULL || !netif_is_up(a->of) ||
	    !netif_is_link_up(a->of))
		return;
	had = take_on(a->of, &a->nif);
	(void)etharp_gratuitous(a->of);
	take_back(a->of, &had);
}

void
ethif_alias_follow(struct netif *nif)
{
	static const u8_t same = NETIF_FLAG_UP | NETIF_FLAG_LINK_UP;
	struct alias *a;
	u8_t flags;

	FOREACH_ALIAS(a, nif)
	{
		flags = (u8_t)((a->nif.flags & ~same) | (nif->flags & same));
		a->nif.mtu = nif->mtu;
		if (a->nif.flags == flags)
			continue;
		a->nif.flags = flags;
		announce(a);
	}
}

/* What of an interface counts for its addresses; not IPv6, no groups. */
static void
copy_netif(struct netif *to, const struct netif *from)
{
	memset(to, 0, sizeof(*to));
	to->output = from->output;
	to->output_ip6 = from->output_ip6;
	to->linkoutput = from->linkoutput;
	to->input = no_input;
	to->state = from->state;
	to->chksum_flags = from->chksum_flags;
	to->mtu = from->mtu;
	to->mtu6 = from->mtu6;
	to->hwaddr_len = from->hwaddr_len;
	memcpy(to->hwaddr, from->hwaddr, sizeof(to->hwaddr));
	memcpy(to->name, from->name, sizeof(to->name));
	to->num = from->num;
	to->flags = from->flags & (u8_t) ~(NETIF_FLAG_IGMP | NETIF_FLAG_MLD6);
}

static int
add(struct netif *nif, const struct ethif_addr *addr)
{
	struct alias *a = naliases < ALIASES_MAX ? kzalloc(sizeof(*a)) : NULL;

	if (a == NULL)
		return -ENOBUFS;
	naliases++;
	copy_netif(&a->nif, nif);
	ip_addr_set_ip4_u32(&a->nif.ip_addr, addr->ip);
	ip_addr_set_ip4_u32(&a->nif.netmask, addr->mask);
	a->of = nif;
	strlcpy(a->label, addr->label, sizeof(a->label));
	TAILQ_INSERT_TAIL(&aliases, a, link);
	a->nif.next = nif->next;
	nif->next = &a->nif;
	announce(a);
	return 0;
}

int
ethif_addr_add(struct netif *nif, const struct ethif_addr *addr)
{
	ip4_addr_t ip = { .addr = addr->ip }, mask = { .addr = addr->mask };
	ip4_addr_t gw = *netif_ip4_gw(nif);

	if (ethif_with_address(nif, addr->ip) != NULL)
		return -EEXIST;
	if (netif_ip4_addr(nif)->addr != 0 ||
	    strcmp(addr->label, ethif_name(nif)) != 0)
		return add(nif, addr);
	netif_set_addr(nif, &ip, &mask, &gw);
	return 0;
}

static void
remove(struct alias *a)
{
	struct netif *before = a->of;

	while (before->next != &a->nif)
		before = before->next;
	before->next = a->nif.next;
	TAILQ_REMOVE(&aliases, a, link);
	naliases--;
	kfree(a);
}

int
ethif_addr_remove(struct netif *nif, uint32_t ip,
    void (*gone)(struct netif *nif, const struct ethif_addr *addr))
{
	struct netif *which = ethif_with_address(nif, ip);
	struct alias *a, *next;
	struct ethif_addr addr;
	bool secondary;

	if (which == NULL)
		return -EADDRNOTAVAIL;
	describe(which, &addr);
	secondary = addr.secondary;
	TAILQ_FOREACH_SAFE (a, &aliases, link, next) {
		if (a->of != nif || &a->nif == which || secondary ||
		    !is_same_net(which, &a->nif))
			continue;
		describe(&a->nif, &addr);
		remove(a);
		gone(nif, &addr);
	}
	if (which == nif) {
		netif_set_addr(nif, NULL, NULL, NULL);
		return 0;
	}
	describe(which, &addr);
	remove(container_of(which, struct alias, nif));
	gone(nif, &addr);
	return 0;
}

void
ethif_alias_depart(struct netif *nif)
{
	struct alias *a, *next;

	TAILQ_FOREACH_SAFE (a, &aliases, link, next)
		if (a->of == nif)
			remove(a);
}
