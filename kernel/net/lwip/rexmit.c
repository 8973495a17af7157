/* SPDX-License-Identifier: ISC */
/*
 * rexmit.c - when what was not acknowledged is sent again.  RFC 6298, with the
 * bounds of Linux; RFC 9293, 3.8.1.
 *
 * lwIP counts half seconds, for each connection.  Here each that has something
 * on its way has a moment in milliseconds, in a tree; the round trip is
 * measured in microseconds, once a flight, by what is sent once only (Karn).
 * An acknowledgement puts the moment off: the tree learns of that when what it
 * has is due.
 *
 * tcp_output() is here, around lwIP's, as all that leaves or is acknowledged
 * comes by: at the end of each segment that came lwIP calls it, too.  lwIP's
 * own timer is kept from ever being due.
 * Locking: the network lock is held.
 */
#include "net/lwip/rexmit.h"
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <string.h>

#define RTO_FIRST    1000u
#define RTO_MIN      200u
#define RTO_MAX      120000u
#define PROBE_MIN    2u      /* beyond two round trips */
#define SYN_TRIES    6u      /* tcp_syn_retries */
#define SYNACK_TRIES 5u      /* tcp_synack_retries */
#define GIVE_UP      924600u /* ms: 15 tries, as of tcp_retries2 */
#define GIVE_UP_LONE 102200u /* ms: 8, when no program has it any more */
#define NEVER        0x7fff  /* half seconds: lwIP's timer */

struct lwip_rexmit_stats lwip_rexmit_stats;

static int
compare(const struct lwip_rexmit *a, const struct lwip_rexmit *b)
{
	s32_t d = (s32_t)(a->at - b->at);

	if (d != 0)
		return d < 0 ? -1 : 1;
	return a < b ? -1 : a > b;
}

#ifndef __unused /* the tree macros' word */
#define __unused __attribute__((unused))
#endif
RB_HEAD(rexmit_tree, lwip_rexmit);
RB_GENERATE_STATIC(rexmit_tree, lwip_rexmit, node, compare)
static struct rexmit_tree tree = RB_INITIALIZER(&tree);

static u32_t planned; /* ms: when the thread looks next */

static struct tcp_pcb *
pcb_of(struct lwip_rexmit *r)
{
	return (struct tcp_pcb *)(void *)((char *)r -
	    offsetof(struct lwip_conn, r));
}

static bool
is_waiting(const struct tcp_pcb *pcb)
{
	return pcb->unacked != NULL ||
	    (lwip_rexmit_of(pcb)->failed && pcb->unsent != NULL);
}

/* ------------------------------------------------------------ the blocks -- */

void *
lwip_port_pcb_alloc(void)
{
	struct lwip_conn *c = mem_malloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	memset(&c->r, 0, sizeof(c->r));
	c->last = c->sent = NULL;
	c->window = lwip_tcp_window;
	c->r.rto = RTO_FIRST;
	c->r.var = RTO_FIRST * 1000;
	return c; /* lwIP clears the rest */
}

/* -------------------------------------------------------------- the tree -- */

static void
enqueue(struct lwip_rexmit *r)
{
	r->at = r->due;
	r->queued = true;
	RB_INSERT(rexmit_tree, &tree, r);
	if ((s32_t)(r->at - planned) < 0)
		lwip_timers_look();
}

static void
dequeue(struct lwip_rexmit *r)
{
	if (r->queued)
		RB_REMOVE(rexmit_tree, &tree, r);
	r->queued = false;
}

static void
wait_for(struct lwip_rexmit *r, enum lwip_wait what, u32_t due)
{
	r->wait = (u8_t)what;
	r->due = due;
	if (r->queued && (s32_t)(due - r->at) >= 0)
		return; /* it is looked at before that */
	dequeue(r);
	enqueue(r);
}

void
lwip_rexmit_forget(struct tcp_pcb *pcb)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);

	r->wait = LWIP_WAIT_NONE;
	dequeue(r);
	lwip_recovery_forget(pcb);
}

bool
lwip_rexmit_left(const struct tcp_pcb *pcb, u32_t *ms)
{
	const struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	s32_t left = (s32_t)(r->due - sys_now());

	if (r->wait == LWIP_WAIT_NONE || !is_waiting(pcb))
		return false;
	*ms = left > 0 ? (u32_t)left : 0;
	return true;
}

u32_t
lwip_rexmit_sleep(u32_t now, u32_t max)
{
	const struct lwip_rexmit *r = RB_MIN(rexmit_tree, &tree);
	u32_t ms = max;

	if (r != NULL)
		ms = (s32_t)(r->at - now) <= 0 ? 0 : LWIP_MIN(max, r->at - now);
	planned = now + ms;
	return ms;
}

/* ------------------------------------------------------- the round trip -- */

/* RFC 6298, 2, with what Linux takes for the least variation. */
void
lwip_rexmit_measured(struct lwip_rexmit *r, u32_t us)
{
	s32_t off;

	us = LWIP_MIN(LWIP_MAX(us, 1), RTO_MAX * 1000);
	if (r->rtt_min == 0 || us < r->rtt_min)
		r->rtt_min = us;
	if (r->srtt == 0) {
		r->srtt = us << 3;
		r->var = us << 1;
	} else {
		off = (s32_t)(us - (r->srtt >> 3));
		r->srtt += (u32_t)off;
		if (off < 0)
			off = -off;
		r->var += (u32_t)off - (r->var >> 2);
	}
	r->rto = (r->srtt >> 3) / 1000 + LWIP_MAX(r->var / 1000, RTO_MIN);
	r->rto = LWIP_MIN(r->rto, RTO_MAX);
}

void
lwip_rexmit_requeued(struct tcp_pcb *pcb)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);

	r->timing = r->any = false;
	r->look = true;
}

/* ------------------------------------------------------- what it waits for -- */

/* ms until the first segment is sent again; it was sent before. */
static u32_t
rto_left(const struct tcp_pcb *pcb, u64_t us)
{
	const struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	u32_t gone = 0;

	if (pcb->unacked != NULL)
		gone = ((u32_t)us - lwip_recovery_first_us(pcb)) / 1000;
	return gone < r->rto ? r->rto - gone : 1;
}

/* RFC 8985, 7.2, with Linux's times. */
static bool
may_probe(const struct tcp_pcb *pcb, const struct lwip_rexmit *r)
{
	return pcb->state >= ESTABLISHED && (pcb->flags & TF_SACK) != 0 &&
	    pcb->unacked != NULL && !r->partial && r->srtt != 0 &&
	    r->probed == LWIP_PROBE_NONE && r->tries == 0;
}

/* `left`: ms until it is too long. */
static void
wait_for_answer(struct tcp_pcb *pcb, u64_t us, u32_t left)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	enum lwip_wait what = LWIP_WAIT_ACK;

	if (!is_waiting(pcb)) {
		r->wait = LWIP_WAIT_NONE;
		return;
	}
	if (may_probe(pcb, r)) {
		what = LWIP_WAIT_PROBE;
		left = LWIP_MIN(left,
		    (r->srtt >> 2) / 1000 +
			(pcb->unacked->next == NULL ? RTO_MIN : PROBE_MIN));
	}
	wait_for(r, what, (u32_t)(us / 1000) + left);
}

void
lwip_rexmit_restart(struct tcp_pcb *pcb, u64_t us)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);

	wait_for(r, LWIP_WAIT_ACK, (u32_t)(us / 1000) + r->rto);
}

void
lwip_rexmit_wait_order(struct tcp_pcb *pcb, u64_t us, u32_t left)
{
	u32_t ms = left / 1000 + 1;

	if (ms < rto_left(pcb, us))
		wait_for(lwip_rexmit_of(pcb), LWIP_WAIT_ORDER,
		    (u32_t)(us / 1000) + ms);
}

/* -------------------------------------------------- what leaves, what came -- */

/* lwIP's own timer stands still, and would have far to go. */
static void
calm(struct tcp_pcb *pcb)
{
	pcb->rtime = -1;
	pcb->rttest = 0;
	pcb->sa = 0;
	pcb->sv = pcb->rto = NEVER;
	pcb->nrtx = 0;
}

/* More than before is acknowledged. */
static void
on_progress(struct tcp_pcb *pcb, struct lwip_rexmit *r, u64_t us)
{
	u32_t ms = (u32_t)(us / 1000), echo;

	if (r->timing && TCP_SEQ_GT(pcb->lastack, r->timed)) {
		r->timing = false;
		lwip_rexmit_measured(r, (u32_t)us - r->timed_us);
	} else if (!r->timing && lwip_recovery_echo(pcb, &echo) &&
	    ms - echo < RTO_MAX) {
		lwip_rexmit_measured(r, LWIP_MAX(ms - echo, 1) * 1000);
	}
	r->una = pcb->lastack;
	r->tries = 0;
	wait_for_answer(pcb, us, r->rto);
}

err_t
lwip_rexmit_send_new(struct tcp_pcb *pcb, u64_t us)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	struct tcp_seg *unsent = pcb->unsent;
	u32_t first = pcb->snd_nxt;
	err_t err = lwip_port_send(pcb);

	r->failed = err != ERR_OK && pcb->unsent != NULL;
	if (unsent != pcb->unsent) {
		us = us != 0 ? us : lwip_port_us();
		lwip_recovery_sent(unsent, pcb->unsent, us);
		r->pipe += pcb->snd_nxt - first;
		if (first != pcb->snd_nxt && !r->timing && !r->partial) {
			r->timing = true;
			r->timed = first;
			r->timed_us = (u32_t)us;
		}
		if (r->wait == LWIP_WAIT_PROBE)
			wait_for_answer(pcb, us, rto_left(pcb, us));
	}
	if (r->wait == LWIP_WAIT_NONE && is_waiting(pcb)) {
		us = us != 0 ? us : lwip_port_us();
		wait_for_answer(pcb, us, rto_left(pcb, us));
	}
	return err;
}

err_t
tcp_output(struct tcp_pcb *pcb)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	bool progress = r->una != pcb->lastack;
	tcpwnd_size_t cwnd;
	u64_t us = 0;
	err_t err;

	if (tcp_input_pcb == pcb)
		return ERR_OK; /* lwIP comes again when it is done with it */
	if (progress)
		on_progress(pcb, r, us = lwip_port_us());
	if (r->look || r->partial)
		lwip_recovery_look(pcb, us = us != 0 ? us : lwip_port_us(),
		    progress);
	cwnd = pcb->cwnd;
	if (r->partial)
		pcb->cwnd = pcb->snd_nxt - pcb->lastack +
		    (cwnd > r->pipe ? cwnd - r->pipe : 0);
	err = lwip_rexmit_send_new(pcb, us);
	pcb->cwnd = cwnd;
	calm(pcb);
	return err;
}

/* ---------------------------------------------------------- nothing came -- */

static bool
has_tried_enough(const struct tcp_pcb *pcb, const struct lwip_rexmit *r,
    u32_t now)
{
	u32_t spent = r->tries == 0 ? 0 : now - r->since;
	u32_t most = (pcb->flags & TF_RXCLOSED) != 0 ? GIVE_UP_LONE : GIVE_UP;

	bool user = r->user_ms != 0 && r->tries > 0 && spent >= r->user_ms;

	if (pcb->state == SYN_RCVD)
		return r->tries >= SYNACK_TRIES;
	if (pcb->state == SYN_SENT)
		return user ||
		    r->tries >= (r->syn_tries ? r->syn_tries : SYN_TRIES);
	return r->user_ms != 0 ? user : spent >= most;
}

/* RFC 5681, 3.1, (4): of what is lost once, once. */
static void
slow_down(struct tcp_pcb *pcb, const struct lwip_rexmit *r)
{
	tcpwnd_size_t window = LWIP_MIN(pcb->cwnd, pcb->snd_wnd);

	if (r->tries == 0)
		pcb->ssthresh = LWIP_MAX(window / 2, 2u * pcb->mss);
	pcb->cwnd = pcb->mss;
	pcb->bytes_acked = 0;
}

static void
send_again(struct tcp_pcb *pcb, struct lwip_rexmit *r, u64_t us)
{
	u32_t now = (u32_t)(us / 1000);

	lwip_rexmit_stats.timeouts++;
	r->timing = false;
	slow_down(pcb, r);
	if (r->tries == 0)
		r->since = now;
	if (r->tries < 0xff)
		r->tries++;
	r->rto = LWIP_MIN(r->rto * 2, RTO_MAX);
	wait_for(r, LWIP_WAIT_ACK, now + r->rto);
	if (pcb->unacked != NULL)
		lwip_recovery_timeout(pcb, us);
	else
		(void)lwip_rexmit_send_new(pcb, us); /* what did not leave */
}

static void
on_due(struct lwip_rexmit *r, u64_t us)
{
	struct tcp_pcb *pcb = pcb_of(r);
	u8_t what = r->wait;

	r->wait = LWIP_WAIT_NONE;
	if (!is_waiting(pcb))
		return;
	if (what == LWIP_WAIT_PROBE && r->state == LWIP_OPEN &&
	    pcb->unacked != NULL) {
		lwip_recovery_probe(pcb, us);
		lwip_rexmit_restart(pcb, us);
	} else if (what != LWIP_WAIT_ACK && pcb->unacked != NULL) {
		r->look = true;
		(void)tcp_output(pcb);
	} else if (has_tried_enough(pcb, r, (u32_t)(us / 1000))) {
		tcp_abandon(pcb, 0); /* the program is told */
		return;
	} else {
		send_again(pcb, r, us);
	}
	calm(pcb);
}

bool
lwip_rexmit_run(u32_t now)
{
	u64_t us = lwip_port_us();
	struct lwip_rexmit *r;
	bool any = false;

	while ((r = RB_MIN(rexmit_tree, &tree)) != NULL &&
	    (s32_t)(r->at - now) <= 0) {
		dequeue(r);
		if (r->wait == LWIP_WAIT_NONE)
			continue;
		if ((s32_t)(r->due - now) > 0) {
			enqueue(r);
			continue;
		}
		on_due(r, us);
		any = true;
	}
	return any;
}
