/* SPDX-License-Identifier: ISC */
/*
 * ethif_lo.c - what the machine sends to itself: over the loopback, or to an
 * address of its own cards, which is the loopback's affair, too.  Counted, and
 * shown to those who look on, with a header of Ethernet as Linux's has.
 */
/* First: hooks.h has a macro of the name of a function there. */
#include <lwip/netif.h>
#include "net/lwip/ethif_impl.h"

#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/string.h"
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ethernet.h>

/* What was sent is in few pieces: its headers, and pages. */
#define RUNS 80u

static uint8_t *header; /* zeros, and the type; in the direct map */

static void
show(struct netif *lo, const struct pbuf *p, bool out)
{
	struct dma_run run[RUNS] = { { kva_paddr(header), NIC_HEAD } };
	struct ethif_frame f = { .run = run,
		.nruns = 1,
		.len = NIC_HEAD,
		.out = out };

	for (; p != NULL && f.nruns < RUNS; p = p->next) {
		run[f.nruns++] = (struct dma_run){ kva_paddr(p->payload),
			p->len };
		f.len += p->len;
	}
	ethif_show(lo, &f);
}

static void
show_both_ways(struct netif *lo, const struct pbuf *p)
{
	bool six = p->len > 0 && *(const uint8_t *)p->payload >> 4 == 6;
	uint16_t type = six ? PP_HTONS(ETHTYPE_IPV6) : PP_HTONS(ETHTYPE_IP);

	if (header == NULL)
		header = kzalloc(NIC_HEAD);
	if (header == NULL)
		return;
	memcpy(header + 12, &type, sizeof(type));
	show(lo, p, true);
	show(lo, p, false);
}

err_t
lwip_hook_loop_output(struct netif *nif, struct pbuf *p)
{
	struct netif *lo = netif_get_by_index(ETHIF_LO);
	struct nic_stats *st = &ethif_lo_stats;
	bool group = nif != lo && (p->flags & PBUF_FLAG_MCASTLOOP) != 0;
	bool four = p->len > 0 && *(const uint8_t *)p->payload >> 4 == 4;
	err_t error;

	/* A copy of what a card sends to a group is the card's own; and a link
	 * address of IPv6 counts on its link alone. */
	nif = four && !group ? lo : ethif_self(nif);
	error = (netif_loop_output)(nif, p); /* lwIP's, no macro */
	/* From its own address: net/inet_guard.c knows it by the flag. */
	if (group && error == ERR_OK)
		nif->loop_last->flags |= PBUF_FLAG_MCASTLOOP;
	if (group)
		return error;
	if (error != ERR_OK) {
		st->tx_dropped++;
		return error;
	}
	st->tx_packets++;
	st->rx_packets++;
	st->tx_bytes += p->tot_len;
	st->rx_bytes += p->tot_len;
	if (ethif_watched())
		show_both_ways(lo, p);
	return error;
}

static err_t
output4(struct netif *nif, struct pbuf *p, const ip4_addr_t *to)
{
	(void)to;
	return lwip_hook_loop_output(nif, p);
}

static err_t
output6(struct netif *nif, struct pbuf *p, const ip6_addr_t *to)
{
	(void)to;
	return lwip_hook_loop_output(nif, p);
}

static struct netif *disguised; /* network lock; NULL: not now */
static uint32_t own;

void
ethif_lo_is(struct netif *nif, uint32_t ip)
{
	const ip4_addr_t to = { .addr = ip };

	if (ethif_index(nif) != ETHIF_LO || netif_ip4_addr(nif)->addr == ip ||
	    !ip4_addr_isloopback(&to) ||
	    !ip4_addr_isloopback(netif_ip4_addr(nif)))
		return;
	if (disguised == NULL)
		own = netif_ip4_addr(nif)->addr;
	disguised = nif;
	ip_addr_set_ip4_u32(&nif->ip_addr, ip);
}

void
ethif_lo_back(void)
{
	if (disguised != NULL)
		ip_addr_set_ip4_u32(&disguised->ip_addr, own);
	disguised = NULL;
}

void
ethif_lo_init(struct netif *lo)
{
	/* A pbuf counts the header of IPv6 in its 16 bits, which without a
	 * limit TCP would fill with data. */
	lo->mtu6 = UINT16_MAX;
	lo->chksum_flags = NETIF_CHECKSUM_GEN_IP; /* as programs may see it */
	lo->output = output4;
	lo->output_ip6 = output6;
}
