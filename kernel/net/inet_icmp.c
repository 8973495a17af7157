/* SPDX-License-Identifier: ISC */
/*
 * inet_icmp.c - what this machine reports to others by ICMP: as much of the
 * packet as RFC 1812, 4.3.2.3, wants, where lwIP quotes eight bytes.
 */
#include "net/inet.h"

#include "abi/icmp.h"
#include "net/lwip/hooks.h"
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/prot/icmp.h>

#define MESSAGE_MAX 576u /* with the headers of IP and ICMP */
#define TOS         0xc0 /* internetwork control, as Linux has it */

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

	if (nif == NULL)
		return;
	q = pbuf_alloc(PBUF_IP, (u16_t)(head + quoted), PBUF_RAM);
	if (q == NULL)
		return;
	icmp = q->payload;
	icmp->type = ICMP_DEST_UNREACH;
	icmp->code = (u8_t)code;
	icmp->chksum = icmp->id = icmp->seqno = 0;
	(void)pbuf_copy_partial(p, icmp + 1, (u16_t)quoted, 0);
	icmp->chksum = inet_chksum(icmp, q->len);
	(void)ip4_output_if(q, &from, &to, ICMP_TTL, TOS, IP_PROTO_ICMP, nif);
	pbuf_free(q);
}
