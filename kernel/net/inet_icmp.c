/* SPDX-License-Identifier: ISC */
/*
 * inet_icmp.c - what this machine reports to others by ICMP: as much of the
 * packet as RFC 1812, 4.3.2.3, wants, where lwIP quotes eight bytes; and how
 * often, at most: to one peer six at once and one a second (IPv6: as Linux,
 * more to wider networks), to all of them a thousand a second.  icmp(7).
 */
#include "net/inet.h"

#include "abi/icmp.h"
#include "kern/kmem.h"
#include "net/ethif.h"
#include "net/inet_route6.h"
#include "net/inet_sysctl.h"
#include "net/lwip/hooks.h"
#include "net/stack.h"
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/prot/icmp.h>
#include <lwip/prot/icmp6.h>
#include <lwip/stats.h>
#include <lwip/sys.h>
#include <linux/errno.h>

#define MESSAGE_MAX 576u /* with the headers of IP and ICMP */
#define TOS         0xc0 /* internetwork control, as Linux has it */

#define PEERS     256u
#define WAYS      4u /* places that a peer may have */
#define BURST     6u /* of a peer's reports */
#define PERIOD_MS 1000u

struct peer {
	ip_addr_t ip;
	uint32_t tokens, last; /* both in ms */
	bool known;
};
static struct peer *peers; /* [n] PEERS; NULL: none was reported to yet */
static uint32_t credit = 50, credited_at; /* [n] of all together */

/* What /proc/sys says; [n]. */
static int settings[INET_ICMP_KEYS] = {
	[INET_ICMP_RATELIMIT] = 1000,
	[INET_ICMP_RATEMASK] = 1 << ICMP_DEST_UNREACH | 1 << ICMP_SQ |
	    1 << ICMP_TIME_EXCEEDED | 1 << ICMP_PARAMETERPROB,
	[INET_ICMP_PER_SEC] = 1000,
	[INET_ICMP_BURST] = 50,
	[INET_ICMP6_RATELIMIT] = 1000,
};

/* ------------------------------------------------------------- how often -- */

static bool
all_allow(struct lwip_port_icmp *c)
{
	uint32_t passed = MIN(sys_now() - credited_at, PERIOD_MS);
	uint32_t more = (uint32_t)settings[INET_ICMP_PER_SEC] * passed /
	    PERIOD_MS;

	/* In steps of 20 ms, as Linux, so that nothing is rounded away. */
	if (passed >= PERIOD_MS / 50) {
		credit = MIN(credit + more,
		    (uint32_t)settings[INET_ICMP_BURST]);
		credited_at = sys_now();
	}
	if (credit == 0) {
		c->held_all++;
		return false;
	}
	credit--;
	return true;
}

/* Its place, or that of whoever was not reported to for longest. */
static struct peer *
find_peer(const ip_addr_t *ip)
{
	const uint32_t *w = ip_2_ip6(ip)->addr;
	uint32_t h = IP_IS_V6(ip) ? w[0] ^ w[1] ^ w[2] ^ w[3] : w[0];
	struct peer *first, *p, *old;

	h *= 0x9e3779b1u;
	first = &peers[(h >> 16) % (PEERS / WAYS) * WAYS];
	for (p = old = first; p < first + WAYS; p++) {
		if (p->known && IP_GET_TYPE(&p->ip) == IP_GET_TYPE(ip) &&
		    ip_addr_cmp_zoneless(&p->ip, ip))
			return p;
		if (!p->known ||
		    (old->known && (int32_t)(p->last - old->last) < 0))
			old = p;
	}
	*old = (struct peer){ .known = false };
	return old;
}

static bool
peer_allows(const ip_addr_t *ip, uint32_t every_ms, struct lwip_port_icmp *c)
{
	struct peer *p;

	if (every_ms == 0)
		return true;
	if (peers == NULL)
		peers = kzalloc(PEERS * sizeof(*peers));
	if (peers == NULL)
		return false;
	p = find_peer(ip);
	if (!p->known)
		*p = (struct peer){ .ip = *ip,
			.known = true,
			.tokens = BURST * every_ms };
	else
		p->tokens = MIN(p->tokens +
			MIN(sys_now() - p->last, BURST * every_ms),
		    BURST * every_ms);
	p->last = sys_now();
	if (p->tokens < every_ms) {
		c->held_peer++;
		return false;
	}
	p->tokens -= every_ms;
	return true;
}

static bool
allows4(const ip4_addr_t *to, unsigned type, const struct netif *nif)
{
	struct lwip_port_icmp *c = &lwip_port_stats.icmps[0];
	ip_addr_t ip = IPADDR4_INIT(to->addr);

	if (type > 31 || (settings[INET_ICMP_RATEMASK] & 1 << type) == 0)
		return true;
	return all_allow(c) &&
	    (ethif_nic(nif) == NULL ||
		peer_allows(&ip, (uint32_t)settings[INET_ICMP_RATELIMIT], c));
}

/* All errors but a packet that is too big. */
static bool
allows6(const ip6_addr_t *to, unsigned type, const struct netif *nif)
{
	uint32_t every = (uint32_t)settings[INET_ICMP6_RATELIMIT];
	struct lwip_port_icmp *c = &lwip_port_stats.icmps[1];
	struct inet_route6 r;
	ip_addr_t ip;

	if (type >= ICMP6_TYPE_EREQ || type == ICMP6_TYPE_PTB)
		return true;
	if (ethif_nic(nif) == NULL)
		return all_allow(c);
	if (inet_route6_find(to, ethif_index(nif), &r) == 0 && r.plen < 128)
		every >>= (128 - r.plen) >> 5;
	ip_addr_copy_from_ip6(ip, *to);
	return all_allow(c) && peer_allows(&ip, every, c);
}

/* -------------------------------------------------------------- lwIP sends -- */

/* In place of ip4_output_if() in icmp.c: with the header of IP, an answer to
 * an echo, else a report. */
err_t
lwip_hook_icmp_output(struct pbuf *p, const ip4_addr_t *src,
    const ip4_addr_t *dest, u8_t ttl, u8_t tos, u8_t proto, struct netif *nif)
{
	const struct icmp_echo_hdr *h = p->payload;

	if (dest == LWIP_IP_HDRINCL ? settings[INET_ICMP_ECHO_IGNORE] != 0 :
				      !allows4(dest, h->type, nif))
		return ERR_OK;
	lwip_port_stats.icmps[0]
	    .out[dest == LWIP_IP_HDRINCL ? ICMP_ECHOREPLY : h->type]++;
	return ip4_output_if(p, src, dest, ttl, tos, proto, nif);
}

static bool
ignores_echo(void)
{
	return settings[INET_ICMP6_ECHO_IGNORE] != 0 ||
	    (settings[INET_ICMP6_ECHO_IGNORE_GROUPS] != 0 &&
		ip6_addr_ismulticast(ip6_current_dest_addr()));
}

/* The same of icmp6.c. */
err_t
lwip_hook_icmp6_output(struct pbuf *p, const ip6_addr_t *src,
    const ip6_addr_t *dest, u8_t hl, u8_t tc, u8_t nexth, struct netif *nif)
{
	const struct icmp6_hdr *h = p->payload;

	if (h->type == ICMP6_TYPE_EREP ? ignores_echo() :
					 !allows6(dest, h->type, nif))
		return ERR_OK;
	lwip_port_stats.icmps[1].out[h->type]++;
	return ip6_output_if(p, src, dest, hl, tc, nexth, nif);
}

void
lwip_hook_unreachable(struct pbuf *p, enum icmp_dur_type code)
{
	const struct ip_hdr *h = p->payload;
	unsigned head = sizeof(struct icmp_echo_hdr);
	unsigned quoted = MIN(p->tot_len, MESSAGE_MAX - IP_HLEN - head);
	ip4_addr_t to = { .addr = h->src.addr },
		   from = { .addr = h->dest.addr };
	struct netif *nif = ip4_route_src(&from, &to);
	struct icmp_echo_hdr *icmp;
	struct pbuf *q;

	if (nif == NULL || !allows4(&to, ICMP_DEST_UNREACH, nif))
		return;
	q = pbuf_alloc(PBUF_IP, (u16_t)(head + quoted), PBUF_RAM);
	if (q == NULL)
		return;
	icmp = q->payload;
	icmp->type = ICMP_DEST_UNREACH;
	lwip_port_stats.icmps[0].out[ICMP_DEST_UNREACH]++;
	icmp->code = (u8_t)code;
	icmp->chksum = icmp->id = icmp->seqno = 0;
	(void)pbuf_copy_partial(p, icmp + 1, (u16_t)quoted, 0);
	icmp->chksum = inet_chksum(icmp, q->len);
	(void)ip4_output_if(q, &from, &to, ICMP_TTL, TOS, IP_PROTO_ICMP, nif);
	pbuf_free(q);
}

/* ---------------------------------------------------------------- settings -- */

int
inet_icmp_get(enum inet_icmp_key key)
{
	int value;

	net_lock();
	value = settings[key];
	net_unlock();
	return value;
}

int
inet_icmp_set(enum inet_icmp_key key, int value)
{
	bool flag = key == INET_ICMP_ECHO_IGNORE ||
	    key == INET_ICMP6_ECHO_IGNORE ||
	    key == INET_ICMP6_ECHO_IGNORE_GROUPS;

	/* More would not fit where it is multiplied. */
	if (value < 0 || value > (flag ? 1 : 1000000))
		return -EINVAL;
	net_lock();
	settings[key] = value;
	net_unlock();
	return 0;
}
