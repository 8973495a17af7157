/* SPDX-License-Identifier: ISC */
/* inet_tcp_info.c - what there is to know of a connection. */
#include "net/inet_tcp_info.h"

#include "kern/string.h"
#include "net/inet.h"
#include "net/lwip/rexmit.h"
#include "net/stack.h"
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <linux/tcp.h>

unsigned
inet_tcp_state_of(int lwip_state)
{
	/* In Linux's order, which begins with 1 (net/tcp_states.h). */
	static const uint8_t number[] = {
		[CLOSED] = 7,
		[LISTEN] = 10,
		[SYN_SENT] = 2,
		[SYN_RCVD] = 3,
		[ESTABLISHED] = 1,
		[FIN_WAIT_1] = 4,
		[FIN_WAIT_2] = 5,
		[CLOSE_WAIT] = 8,
		[CLOSING] = 11,
		[LAST_ACK] = 9,
		[TIME_WAIT] = 6,
	};

	return number[lwip_state];
}

unsigned
inet_tcp_state(const struct inet_sock *is)
{
	if (is->state == INET_LISTENING) /* SO_REUSEPORT: without a block */
		return inet_tcp_state_of(LISTEN);
	return inet_tcp_state_of(is->tcp == NULL ? CLOSED : is->tcp->state);
}

int
inet_tcp_mss(const struct inet_sock *is)
{
	int mss = 536;

	net_lock();
	if (is->tcp != NULL && is->tcp->state != LISTEN && is->tcp->mss != 0)
		mss = is->tcp->mss;
	net_unlock();
	return mss;
}

static unsigned
segments(const struct tcp_seg *seg)
{
	unsigned n = 0;

	for (; seg != NULL; seg = seg->next)
		n++;
	return n;
}

static void
fill(const struct tcp_pcb *pcb, struct tcp_info *info)
{
	const struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	unsigned mss = pcb->mss != 0 ? pcb->mss : 536;

	info->tcpi_retransmits = r->tries;
	info->tcpi_total_retrans = r->total;
	info->tcpi_probes = pcb->persist_probe;
	info->tcpi_backoff = pcb->persist_backoff;
	info->tcpi_options = ((pcb->flags & TF_TIMESTAMP) != 0 ?
				     TCPI_OPT_TIMESTAMPS :
				     0) |
	    ((pcb->flags & TF_SACK) != 0 ? TCPI_OPT_SACK : 0) |
	    ((pcb->flags & TF_WND_SCALE) != 0 ? TCPI_OPT_WSCALE : 0);
	info->tcpi_snd_wscale = pcb->snd_scale;
	info->tcpi_rcv_wscale = pcb->rcv_scale;
	info->tcpi_rto = r->rto * 1000;
	info->tcpi_snd_mss = info->tcpi_rcv_mss = info->tcpi_advmss = mss;
	info->tcpi_unacked = segments(pcb->unacked);
	info->tcpi_pmtu = mss + 40;
	info->tcpi_rtt = r->srtt >> 3;
	info->tcpi_rttvar = r->var >> 2;
	info->tcpi_snd_ssthresh = pcb->ssthresh / mss;
	info->tcpi_snd_cwnd = MAX(pcb->cwnd / mss, 1u);
	info->tcpi_rcv_space = pcb->rcv_wnd;
	info->tcpi_snd_wnd = pcb->snd_wnd;
	info->tcpi_notsent_bytes = pcb->snd_lbb - pcb->snd_nxt;
}

void
inet_tcp_info_locked(struct inet_sock *is, struct tcp_info *info)
{
	memset(info, 0, sizeof(*info));
	info->tcpi_state = (uint8_t)inet_tcp_state(is);
	if (is->tcp != NULL && is->tcp->state == LISTEN) {
		info->tcpi_unacked = is->nwaiting;
		info->tcpi_sacked = is->backlog;
	} else if (is->tcp != NULL) {
		fill(is->tcp, info);
	}
	info->tcpi_bytes_acked = is->acked;
	info->tcpi_bytes_sent = is->queued;
}

void
inet_tcp_info(struct inet_sock *is, struct tcp_info *info)
{
	net_lock();
	inet_tcp_info_locked(is, info);
	net_unlock();
}
