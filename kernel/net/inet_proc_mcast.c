/* SPDX-License-Identifier: ISC */
/*
 * inet_proc_mcast.c - /proc/net/igmp, igmp6 and dev_mcast: groups, as `ip
 * maddr` and `netstat -g` read them.
 */
#include "net/inet_proc.h"

#include "kern/sbuf.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/stack.h"
#include <lwip/igmp.h>
#include <lwip/mld6.h>
#include <lwip/netif.h>

#define MAF_TIMER 0x04u /* as Linux shows what it knows of a group */
#define MAF_USUAL 0x08u

static const struct igmp_group *
groups4(const struct netif *nif)
{
	return netif_igmp_data(nif);
}

static const struct mld_group *
groups6(const struct netif *nif)
{
	return netif_mld6_data(nif);
}

void
inet_proc_igmp(struct sbuf *sb)
{
	const struct igmp_group *g;
	struct netif *nif;
	unsigned i, n;

	sbuf_puts(sb,
	    "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	net_lock();
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++) {
		n = 0;
		for (g = groups4(nif); g != NULL; g = g->next)
			n++;
		if (!netif_is_up(nif) || n == 0)
			continue;
		sbuf_printf(sb, "%u\t%-10s: %5u %7s\n", ethif_index(nif),
		    ethif_name(nif), n, "V2");
		for (g = groups4(nif); g != NULL; g = g->next)
			sbuf_printf(sb, "\t\t\t\t%08X %5u %d:%08X\t\t%u\n",
			    g->group_address.addr, MAX(g->use, 1u),
			    g->timer > 0, g->timer * IGMP_TMR_INTERVAL / 10,
			    g->last_reporter_flag);
	}
	net_unlock();
}

static void
put_group6(struct sbuf *sb, const struct netif *nif, const ip6_addr_t *ip,
    unsigned users, unsigned flags)
{
	sbuf_printf(sb, "%-4u %-15s %08x%08x%08x%08x %5u %08X 0\n",
	    ethif_index(nif), ethif_name(nif), lwip_ntohl(ip->addr[0]),
	    lwip_ntohl(ip->addr[1]), lwip_ntohl(ip->addr[2]),
	    lwip_ntohl(ip->addr[3]), users, flags);
}

/* All nodes' are every interface's, without being reported. */
static void
put_nodes(struct sbuf *sb, const struct netif *nif)
{
	ip6_addr_t all;

	ip6_addr_set_allnodes_linklocal(&all);
	put_group6(sb, nif, &all, 1, MAF_TIMER | MAF_USUAL);
	all.addr[0] = PP_HTONL(0xff010000);
	put_group6(sb, nif, &all, 1, MAF_USUAL);
}

void
inet_proc_igmp6(struct sbuf *sb)
{
	const struct mld_group *g;
	struct netif *nif;
	unsigned i;

	net_lock();
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++) {
		for (g = groups6(nif); g != NULL; g = g->next)
			put_group6(sb, nif, &g->group_address, g->use,
			    MAF_TIMER);
		if (netif_is_up(nif))
			put_nodes(sb, nif);
	}
	net_unlock();
}

static void
put_mac(struct sbuf *sb, const struct netif *nif, const uint8_t mac[6])
{
	sbuf_printf(sb, "%-4u %-15s %-5d %-5d %02x%02x%02x%02x%02x%02x\n",
	    ethif_index(nif), ethif_name(nif), 1, 0, mac[0], mac[1], mac[2],
	    mac[3], mac[4], mac[5]);
}

/* RFC 1112, 6.4. */
static void
put_mac4(struct sbuf *sb, const struct netif *nif, const ip4_addr_t *ip)
{
	const uint8_t *b = (const uint8_t *)&ip->addr;
	const uint8_t mac[6] = { 1, 0, 0x5e, b[1] & 0x7f, b[2], b[3] };

	put_mac(sb, nif, mac);
}

/* RFC 2464, 7. */
static void
put_mac6(struct sbuf *sb, const struct netif *nif, const ip6_addr_t *ip)
{
	const uint8_t *b = (const uint8_t *)&ip->addr[3];
	const uint8_t mac[6] = { 0x33, 0x33, b[0], b[1], b[2], b[3] };

	put_mac(sb, nif, mac);
}

void
inet_proc_dev_mcast(struct sbuf *sb)
{
	const struct igmp_group *g4;
	const struct mld_group *g6;
	struct netif *nif;
	ip6_addr_t all;
	unsigned i;

	ip6_addr_set_allnodes_linklocal(&all);
	net_lock();
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++) {
		if (ethif_nic(nif) == NULL || !netif_is_up(nif))
			continue;
		put_mac6(sb, nif, &all);
		for (g4 = groups4(nif); g4 != NULL; g4 = g4->next)
			put_mac4(sb, nif, &g4->group_address);
		for (g6 = groups6(nif); g6 != NULL; g6 = g6->next)
			put_mac6(sb, nif, &g6->group_address);
	}
	net_unlock();
}
