/* SPDX-License-Identifier: ISC */
/*
 * inet_pmtu.c - how large packets may be on their way: the "don't fragment" of
 * IPv4, what routers answer to it, and what follows for connections.  RFC 1191,
 * RFC 8201, ip(7).
 *
 * lwIP knows the size of a path for IPv6 alone, and believes whatever comes;
 * its IPv4 has no DF.  Here IPv4's paths are remembered, for ten minutes, and
 * headers made that say DF; connections cut up once more what is too large.
 */
#include "net/inet_pmtu.h"

#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet.h"
#include "net/inet_error.h"
#include "net/lwip/rexmit.h"
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>

#define PATHS    32u
#define LIFE_MS  600000u
#define MTU_MIN4 552u /* as Linux: less is believed of nobody */
#define MTU_MIN6 1280u

struct pmtu {
	uint32_t to;
	uint16_t mtu;   /* 0: the place is free */
	bool cut;       /* less than we believe: routers may cut up */
	uint32_t since; /* sys_now() */
};

static struct pmtu paths[PATHS]; /* [n] */
static bool any_path;            /* [n] one was ever used */
/* Of the datagram that is sent just now: */
static int discover = IP_PMTUDISC_DONT; /* [n] */

/* ------------------------------------------------------------ what is known -- */

static struct pmtu *
find_path(uint32_t to)
{
	unsigned i;

	for (i = 0; any_path && i < PATHS; i++) {
		if (paths[i].mtu == 0 || paths[i].to != to)
			continue;
		if (sys_now() - paths[i].since <= LIFE_MS)
			return &paths[i];
		paths[i].mtu = 0;
	}
	return NULL;
}

/* A free place, or the one that was used first. */
static struct pmtu *
new_path(void)
{
	struct pmtu *p = &paths[0];
	unsigned i;

	for (i = 0; i < PATHS && p->mtu != 0; i++)
		if (paths[i].mtu == 0 ||
		    (int32_t)(paths[i].since - p->since) < 0)
			p = &paths[i];
	any_path = true;
	return p;
}

static unsigned
pmtu4(uint32_t to, const struct netif *nif)
{
	const struct pmtu *p = find_path(to);

	return p == NULL ? ethif_mtu(nif) : MIN(p->mtu, ethif_mtu(nif));
}

unsigned
inet_pmtu(const ip_addr_t *to, const struct netif *nif)
{
	if (!IP_IS_V6(to))
		return pmtu4(ip4_addr_get_u32(ip_2_ip4(to)), nif);
	if (ethif_nic(nif) == NULL)
		return ethif_mtu(nif);
	return nd6_get_destination_mtu(ip_2_ip6(to), (struct netif *)nif);
}

/* What is not smaller than before is no news, or a lie. */
static void
learn4(uint32_t to, unsigned mtu)
{
	ip4_addr_t dst = { .addr = to };
	struct netif *nif = ip4_route(&dst);
	struct pmtu *p = find_path(to);

	if (nif == NULL || ethif_nic(nif) == NULL ||
	    MAX(mtu, MTU_MIN4) >= pmtu4(to, nif))
		return;
	if (p == NULL)
		p = new_path();
	*p = (struct pmtu){ .to = to,
		.mtu = (uint16_t)MAX(mtu, MTU_MIN4),
		.cut = mtu < MTU_MIN4,
		.since = sys_now() };
}

static void
learn6(const uint32_t to[4], unsigned mtu)
{
	ip6_addr_t dst = { .addr = { to[0], to[1], to[2], to[3] } };
	struct nd6_destination_cache_entry *d;
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++) {
		d = &destination_cache[i];
		if (ip6_addr_cmp_zoneless(&d->destination_addr, &dst) &&
		    mtu >= MTU_MIN6 && mtu < d->pmtu)
			d->pmtu = (u16_t)mtu;
	}
}

/* --------------------------------------------------------------- connections -- */

/* The segments that wait, none of them larger than the size of now. */
static void
split_unsent(struct tcp_pcb *pcb)
{
	struct tcp_seg *first = pcb->unsent, *seg;
	unsigned opt, max;

	for (seg = first; seg != NULL; seg = seg->next) {
		opt = LWIP_TCP_OPT_LENGTH(seg->flags);
		max = pcb->mss - opt;
		pcb->unsent = seg; /* lwIP splits the first one */
		if (seg->len > max &&
		    tcp_split_unsent_seg(pcb, (u16_t)max) != ERR_OK)
			break;
	}
	pcb->unsent = first;
}

/* What was lost is not the network's overload: nothing is slowed down. */
static void
shrink(struct tcp_pcb *pcb, unsigned mtu)
{
	unsigned head = TCP_HLEN +
	    (IP_IS_V6(&pcb->remote_ip) ? IP6_HLEN : IP_HLEN);

	if (pcb->state < ESTABLISHED || pcb->mss <= mtu - head)
		return;
	pcb->mss = (u16_t)(mtu - head);
	if (pcb->unacked != NULL && tcp_rexmit_rto_prepare(pcb) != ERR_OK)
		return;
	lwip_rexmit_requeued(pcb);
	split_unsent(pcb);
	(void)tcp_output(pcb);
}

void
inet_pmtu_report(const struct inet_report *r, struct tcp_pcb *pcb)
{
	if (r->v6)
		learn6(r->to, r->info);
	else
		learn4(r->to[0], r->info);
	if (pcb == NULL || (r->v6 && r->info < MTU_MIN6))
		return;
	shrink(pcb, r->v6 ? r->info : MAX(r->info, MTU_MIN4));
}

/* In place of lwIP's for those whose handshake is done. */
u16_t
lwip_hook_send_mss(u16_t mss, struct netif *nif, const ip_addr_t *to)
{
	const struct pmtu *p = NULL;

	if (!IP_IS_V6(to))
		p = find_path(ip4_addr_get_u32(ip_2_ip4(to)));
	mss = tcp_eff_send_mss_netif(mss, nif, to);
	return p == NULL ? mss : MIN(mss, (u16_t)(p->mtu - IP_HLEN - TCP_HLEN));
}

/* ----------------------------------------------------------------- datagrams -- */

/* IPV6_MTU_DISCOVER has the same numbers. */
static int
discover_of(const struct inet_sock *is, bool v6)
{
	return v6 ? is->mtu_discover6 : is->mtu_discover;
}

int
inet_pmtu_check(const struct inet_sock *is, const ip_addr_t *to,
    const struct netif *nif, unsigned len, unsigned *mtu)
{
	int how = discover_of(is, IP_IS_V6(to));
	bool dont = (how >= IP_PMTUDISC_DO && how != IP_PMTUDISC_OMIT) ||
	    (IP_IS_V6(to) && is->dontfrag);

	if (!dont)
		return 0;
	*mtu = how < IP_PMTUDISC_PROBE ? inet_pmtu(to, nif) : ethif_mtu(nif);
	return len <= *mtu ? 0 : -EMSGSIZE;
}

void
inet_pmtu_begin(const struct inet_sock *is)
{
	discover = is->mtu_discover;
}

void
inet_pmtu_end(void)
{
	discover = IP_PMTUDISC_DONT;
}

static err_t
output_marked(struct pbuf *p, const ip4_addr_t *src, const ip4_addr_t *dst,
    u8_t ttl, u8_t tos, u8_t proto, struct netif *nif)
{
	static uint16_t id; /* [n] */
	struct ip_hdr *h;

	if (pbuf_add_header(p, IP_HLEN) != 0)
		return ERR_BUF;
	h = p->payload;
	IPH_VHL_SET(h, 4, IP_HLEN / 4);
	IPH_TOS_SET(h, tos);
	IPH_LEN_SET(h, lwip_htons(p->tot_len));
	IPH_ID_SET(h, lwip_htons(id++));
	IPH_OFFSET_SET(h, PP_HTONS(IP_DF));
	IPH_TTL_SET(h, ttl);
	IPH_PROTO_SET(h, proto);
	h->src.addr = src->addr;
	h->dest.addr = dst->addr;
	IPH_CHKSUM_SET(h, 0);
	IPH_CHKSUM_SET(h, inet_chksum(h, IP_HLEN));
	return ip4_output_if(p, NULL, LWIP_IP_HDRINCL, 0, 0, 0, nif);
}

err_t
inet_pmtu_output_tcp(struct pbuf *p, const ip4_addr_t *src,
    const ip4_addr_t *dst, u8_t ttl, u8_t tos, struct netif *nif)
{
	const struct pmtu *path = find_path(dst->addr);

	if (path != NULL && path->cut)
		return ip4_output_if_src(p, src, dst, ttl, tos, IP_PROTO_TCP,
		    nif);
	return output_marked(p, src, dst, ttl, tos, IP_PROTO_TCP, nif);
}

/* lwIP cuts packets up by the interface's size, which for a while is this. */
static err_t
output_cut(struct pbuf *p, const ip4_addr_t *src, const ip4_addr_t *dst,
    u8_t ttl, u8_t tos, u8_t proto, struct netif *nif, unsigned mtu)
{
	u16_t was = nif->mtu;
	err_t err;

	if (was != 0 && mtu < was)
		nif->mtu = (u16_t)mtu;
	err = ip4_output_if_src(p, src, dst, ttl, tos, proto, nif);
	nif->mtu = was;
	return err;
}

err_t
lwip_hook_ip4_output(struct pbuf *p, const ip4_addr_t *src,
    const ip4_addr_t *dst, u8_t ttl, u8_t tos, u8_t proto, struct netif *nif)
{
	const struct pmtu *path = find_path(dst->addr);
	unsigned mtu = pmtu4(dst->addr, nif);
	bool mark = discover == IP_PMTUDISC_DO ||
	    discover == IP_PMTUDISC_PROBE ||
	    (discover == IP_PMTUDISC_WANT && p->tot_len + IP_HLEN <= mtu &&
		(path == NULL || !path->cut));

	if (mark)
		return output_marked(p, src, dst, ttl, tos, proto, nif);
	if (discover >= IP_PMTUDISC_PROBE)
		mtu = ethif_mtu(nif);
	return output_cut(p, src, dst, ttl, tos, proto, nif, mtu);
}
