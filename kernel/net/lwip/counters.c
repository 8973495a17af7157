/* SPDX-License-Identifier: ISC */
/*
 * counters.c - what is counted beside lwIP's own counters (lwip/stats.h):
 * messages of ICMP by their types.
 * Locking: the network lock is held.
 */
#include "net/lwip/port.h"
#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/stats.h>

struct lwip_port_stats lwip_port_stats;

/* In place of icmp_input(); a message that is wrong has no type. */
void
lwip_hook_icmp_input(struct pbuf *p, struct netif *inp)
{
	uint64_t before = lwip_port_stats.mib2.icmpinerrors;
	u8_t type = p->len > 0 ? *(const u8_t *)p->payload : 0;

	icmp_input(p, inp);
	if (lwip_port_stats.mib2.icmpinerrors == before)
		lwip_port_stats.icmps[0].in[type]++;
}

/* The same for icmp6_input(). */
void
lwip_hook_icmp6_input(struct pbuf *p, struct netif *inp)
{
	const struct lwip_port_proto *c = &lwip_port_stats.icmp6;
	uint64_t before = c->chkerr + c->lenerr;
	u8_t type = p->len > 0 ? *(const u8_t *)p->payload : 0;

	lwip_port_stats.delivered6++;
	icmp6_input(p, inp);
	if (c->chkerr + c->lenerr == before)
		lwip_port_stats.icmps[1].in[type]++;
}

/* What nd6.c and mld6.c send. */
err_t
lwip_hook_link6_output(struct pbuf *p, const ip6_addr_t *src,
    const ip6_addr_t *dest, u8_t hl, u8_t tc, u8_t nexth, struct netif *nif)
{
	if (nexth == IP6_NEXTH_ICMP6 || nexth == IP6_NEXTH_HOPBYHOP)
		lwip_port_stats.icmps[1].out[nexth == IP6_NEXTH_ICMP6 ?
			*(const u8_t *)p->payload :
			((const u8_t *)p->payload)[8]]++;
	return ip6_output_if(p, src, dest, hl, tc, nexth, nif);
}
