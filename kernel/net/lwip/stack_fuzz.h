/* SPDX-License-Identifier: ISC */
/* stack_fuzz.h - what peers say, and what always holds of connections. */
#ifndef NET_LWIP_STACK_FUZZ_H
#define NET_LWIP_STACK_FUZZ_H

#include "net/lwip/rexmit.h"
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a peer says that it has: mostly whole segments of what is on its way.
 * Bytes; any: four for each block, the first of all for how many.
 */
static inline unsigned
put_sack(uint8_t *o, const struct tcp_pcb *pcb, const uint8_t *any)
{
	unsigned i, n = 1 + any[0] % 4, mss = pcb->mss;
	uint32_t edge[2];

	memcpy(o, "\1\1\5", 3);
	o[3] = (uint8_t)(2 + 8 * n);
	for (i = 0; i < n; i++, any += 4) {
		edge[0] = pcb->lastack + any[1] % 64 * mss;
		if (any[3] < 32)
			edge[0] += (uint32_t)any[3] << any[3];
		edge[1] = edge[0] + (any[2] % 16 - 1u) * mss;
		edge[1] += any[3] > 224 ? any[3] - 240u : 0;
		edge[0] = lwip_htonl(edge[0]);
		edge[1] = lwip_htonl(edge[1]);
		memcpy(o + 4 + 8 * i, edge, 8);
	}
	return 4 + 8 * n;
}

static inline void
check_order(const struct tcp_seg *seg)
{
	for (; seg != NULL && seg->next != NULL; seg = seg->next)
		if (!TCP_SEQ_LT(lwip_ntohl(seg->tcphdr->seqno),
			lwip_ntohl(seg->next->tcphdr->seqno)))
			abort();
}

/* Whoever waits for an acknowledgement has a timer, and it is not lwIP's. */
static inline void
check_conns(u32_t now)
{
	const struct lwip_rexmit *r;
	struct tcp_pcb *pcb;

	for (pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
		r = lwip_rexmit_of(pcb);
		check_order(pcb->unacked);
		check_order(pcb->unsent);
		if (pcb->unacked != NULL &&
		    (r->wait == LWIP_WAIT_NONE || !r->queued ||
			(s32_t)(r->due - now) > 120000 ||
			(s32_t)(r->at - r->due) > 0)) {
			fprintf(stderr, "a connection waits for ever\n");
			abort();
		}
		if (pcb->rtime >= 0 || pcb->nrtx != 0 || pcb->mss == 0)
			abort();
	}
}

#endif
