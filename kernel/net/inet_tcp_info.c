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

static uint32_t
ticks_left(uint32_t all, uint32_t since)
{
	uint32_t gone = tcp_ticks - since;

	return gone < all ? (all - gone) * TCP_SLOW_INTERVAL : 0;
}

void
inet_tcp_timer(const struct tcp_pcb *pcb, struct inet_tcp_timer *t)
{
	/* lwIP's ticks between questions for a window. */
	static const uint8_t ask[] = { 3, 6, 12, 24, 48, 96, 120 };

	*t = (struct inet_tcp_timer){ 0 };
	if (pcb == NULL || pcb->state == LISTEN || pcb->state == CLOSED)
		return;
	t->tries = lwip_rexmit_of(pcb)->tries;
	t->probes = pcb->persist_probe;
	if (pcb->state == TIME_WAIT) {
		t->kind = 3;
		t->left_ms = ticks_left(2 * TCP_MSL / TCP_SLOW_INTERVAL,
		    pcb->tmr);
	} else if (lwip_rexmit_left(pcb, &t->left_ms)) {
		t->kind = 1;
	} else if (pcb->persist_backoff > 0) {
		t->kind = 4;
		t->left_ms = ticks_left(
		    ask[MIN(pcb->persist_backoff, ARRAY_SIZE(ask)) - 1],
		    tcp_ticks - pcb->persist_cnt);
	} else if ((pcb->so_options & SOF_KEEPALIVE) != 0 &&
	    (pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT)) {
		t->kind = 2;
		t->left_ms = ticks_left(
		    (pcb->keep_idle + pcb->keep_cnt_sent * pcb->keep_intvl) /
			TCP_SLOW_INTERVAL,
		    pcb->tmr);
		t->probes = pcb->keep_cnt_sent;
	}
}

/* Linux's tcp_ca_state: all is well, out of order, recovery, loss. */
static uint8_t
congestion(const struct lwip_rexmit *r)
{
	return r->state == LWIP_LOSS    ? 4 :
	    r->state == LWIP_RECOVERY   ? 3 :
	    r->any || r->duplicates > 0 ? 1 :
					  0;
}

static void
fill(const struct tcp_pcb *pcb, struct tcp_info *info)
{
	const struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	unsigned mss = pcb->mss != 0 ? pcb->mss : 536;
	struct lwip_counts n;

	lwip_recovery_counts(pcb, &n);
	info->tcpi_unacked = n.unacked;
	info->tcpi_sacked = n.sacked;
	info->tcpi_lost = n.lost;
	info->tcpi_retrans = n.resent;
	info->tcpi_ca_state = congestion(r);
	info->tcpi_min_rtt = r->rtt_min;
	info->tcpi_retransmits = r->tries;
	info->tcpi_total_retrans = r->total;
	info->tcpi_probes = pcb->persist_probe;
	info->tcpi_backoff = MAX(pcb->persist_backoff, r->tries);
	info->tcpi_options = ((pcb->flags & TF_TIMESTAMP) != 0 ?
				     TCPI_OPT_TIMESTAMPS :
				     0) |
	    ((pcb->flags & TF_SACK) != 0 ? TCPI_OPT_SACK : 0) |
	    ((pcb->flags & TF_WND_SCALE) != 0 ? TCPI_OPT_WSCALE : 0);
	info->tcpi_snd_wscale = pcb->snd_scale;
	info->tcpi_rcv_wscale = pcb->rcv_scale;
	info->tcpi_rto = r->rto * 1000;
	info->tcpi_snd_mss = info->tcpi_rcv_mss = info->tcpi_advmss = mss;
	info->tcpi_pmtu = mss + 40;
	info->tcpi_rtt = r->srtt >> 3;
	info->tcpi_rttvar = r->var >> 2;
	info->tcpi_snd_ssthresh = pcb->ssthresh >= lwip_tcp_window ?
	    INT_MAX : /* as it began */
	    pcb->ssthresh / mss;
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
