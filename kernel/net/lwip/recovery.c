/* SPDX-License-Identifier: ISC */
/*
 * recovery.c - which segments were lost, and what is sent in their place.
 * RFC 2018 and 2883 (SACK), 6675 and 6582 (recovery), 8985 (RACK and TLP),
 * 5681 (windows), 3042.
 *
 * What a peer says that it has is noted at the segments, in lwIP's list of
 * those that are not acknowledged, where they stay until they are.  One is
 * lost when another that left later has come, and some time has passed
 * (RACK): that time is 0 once three have, or while losses are made good,
 * unless the path is seen to change the order.  Of a peer without SACK three
 * duplicates of an acknowledgement say so of the first segment (NewReno).
 *
 *	OPEN ----- one is lost -----> RECOVERY --+
 *	 ^ |                             |       | all that was on its way then
 *	 | +-- nothing came in time --> LOSS ----+ is acknowledged
 *	 +------------------------------------------+
 *
 * `pipe` is what is on its way still; no more than the congestion window is.
 * lwIP counts what is lost or has come as on its way: so it is told of a larger
 * window while it sends.  Its own recovery never begins: rexmit.c.
 *
 * A peer may say anything: only what was sent, and is not acknowledged, counts;
 * and after a time-out in which the first segment is one that it says it has,
 * nothing of what it said.
 * Locking: the network lock is held.
 */
#include "net/lwip/rexmit.h"
#include <lwip/ip.h>
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>

#define ENOUGH     3u /* segments beyond one that is missing, or duplicates */
#define BLOCKS     4u
#define OPT_SACK   5u
#define TIME_ALONE 0x0101080au /* two NOPs before it */

/* In a segment's flags, where lwIP has none: */
#define SACKED 0x20u
#define LOST   0x40u /* to be sent again */
#define RESENT 0x80u
#define MARKS  (SACKED | LOST | RESENT)

/* What a peer says. */
struct heard {
	u32_t ack;
	unsigned n; /* of blocks; those that are well-formed */
	struct tcp_sack_range block[BLOCKS];
	bool again; /* the first block tells what came twice (D-SACK) */
};

/* Of the acknowledgement that came last, until lwIP has seen it: */
static const struct tcp_pcb *heard_of;
static tcpwnd_size_t cwnd_before;
static u32_t echo; /* ms: our time */
static bool echoed;

/* lwIP's own: a SYN, a FIN, one that is split. */
void *
lwip_port_seg_alloc(void)
{
	return mem_malloc(sizeof(struct lwip_seg));
}

static u32_t
begin_of(const struct tcp_seg *seg)
{
	return lwip_ntohl(seg->tcphdr->seqno);
}

static u32_t
end_of(const struct tcp_seg *seg)
{
	return begin_of(seg) + TCP_TCPLEN(seg);
}

/* ------------------------------------------------------ what a peer says -- */

static u32_t
get32(const u8_t *p)
{
	return (u32_t)p[0] << 24 | (u32_t)p[1] << 16 | (u32_t)p[2] << 8 | p[3];
}

/* Which of the blocks count; a D-SACK is the first one (RFC 2883, 4). */
static void
take_blocks(const struct tcp_pcb *pcb, const u8_t *o, unsigned n,
    struct heard *heard)
{
	u32_t left, right;
	unsigned i;

	for (i = 0; i < n && heard->n < BLOCKS; i++, o += 8) {
		left = get32(o);
		right = get32(o + 4);
		if (!TCP_SEQ_LT(left, right))
			continue;
		if (i == 0 && TCP_SEQ_LEQ(right, heard->ack))
			heard->again = true;
		if (i == 1 && heard->n == 1 &&
		    TCP_SEQ_LEQ(left, heard->block[0].left) &&
		    TCP_SEQ_LEQ(heard->block[0].right, right)) {
			heard->again = true;
			heard->n = 0;
		}
		if (TCP_SEQ_LT(left, heard->ack) ||
		    TCP_SEQ_GT(right, pcb->snd_nxt))
			continue;
		heard->block[heard->n].left = left;
		heard->block[heard->n++].right = right;
	}
}

/* Options are whole (inet_guard.c).  Takes SACK's blocks and the time. */
static void
take_options(struct tcp_pcb *pcb, const u8_t *o, unsigned len,
    struct heard *heard)
{
	unsigned i = 0, n;

	if (len == LWIP_TCP_OPT_LEN_TS_OUT && get32(o) == TIME_ALONE)
		i = 2; /* as most are */
	while (i < len && o[i] != LWIP_TCP_OPT_EOL) {
		if (o[i] == LWIP_TCP_OPT_NOP) {
			i++;
			continue;
		}
		n = i + 1 < len ? o[i + 1] : 0;
		if (n < 2 || n > len - i)
			return;
		if (o[i] == LWIP_TCP_OPT_TS && n == LWIP_TCP_OPT_LEN_TS &&
		    (pcb->flags & TF_TIMESTAMP) != 0) {
			echo = get32(o + i + 6);
			echoed = true;
		} else if (o[i] == OPT_SACK && (pcb->flags & TF_SACK) != 0) {
			take_blocks(pcb, o + i + 2, (n - 2) / 8, heard);
		}
		i += n;
	}
}

/* ---------------------------------------------------------- the scoreboard -- */

static bool
is_later(u32_t us, u32_t end, u32_t than_us, u32_t than_end)
{
	s32_t d = (s32_t)(us - than_us);

	return d > 0 || (d == 0 && TCP_SEQ_GT(end, than_end));
}

/*
 * A segment has come: which was the last to leave of all that have?  One that
 * was sent twice, and answered sooner than any, came the first time.  Of
 * those that were sent once, the shortest round trip, us.
 */
static void
has_come(struct lwip_rexmit *r, struct tcp_seg *s, u32_t us, u32_t *shortest)
{
	u32_t end = end_of(s), sent = *lwip_seg_sent_us(s),
	      rtt = LWIP_MAX(us - sent, 1);

	if ((s->flags & RESENT) != 0 && rtt < r->rtt_min)
		return;
	if ((s->flags & RESENT) == 0) {
		r->disorder |= r->any && TCP_SEQ_LT(end, r->highest);
		*shortest = LWIP_MIN(*shortest, rtt);
	}
	if (!r->raced || is_later(sent, end, r->race_us, r->race_end)) {
		r->raced = true;
		r->race_us = sent;
		r->race_end = end;
		r->race_rtt = rtt;
	}
}

static bool
is_told(const struct heard *heard, u32_t begin, u32_t end)
{
	unsigned i;

	for (i = 0; i < heard->n; i++)
		if (TCP_SEQ_GEQ(begin, heard->block[i].left) &&
		    TCP_SEQ_LEQ(end, heard->block[i].right))
			return true;
	return false;
}

/* Before lwIP frees what is acknowledged. */
static void
note(struct tcp_pcb *pcb, struct lwip_rexmit *r, const struct heard *heard,
    u32_t us)
{
	struct tcp_seg *s;
	u32_t end, highest = heard->ack, shortest = UINT32_MAX;

	for (s = pcb->unacked; s != NULL; s = s->next) {
		end = end_of(s);
		if ((s->flags & SACKED) == 0 &&
		    (TCP_SEQ_LEQ(end, heard->ack) ||
			is_told(heard, begin_of(s), end))) {
			has_come(r, s, us, &shortest);
			s->flags |= SACKED;
			s->flags &= (u8_t)~LOST;
		}
		if ((s->flags & SACKED) != 0)
			highest = end;
	}
	r->any = TCP_SEQ_GT(highest, heard->ack);
	r->highest = highest;
	if (shortest != UINT32_MAX)
		lwip_rexmit_measured(r, shortest);
}

static bool
is_duplicate(const struct tcp_pcb *pcb, const struct tcp_hdr *h, unsigned len)
{
	return h->ackno == pcb->lastack && len == 0 &&
	    (TCPH_FLAGS(h) & TCP_FIN) == 0 && pcb->unacked != NULL &&
	    (u32_t)SND_WND_SCALE(pcb, h->wnd) == pcb->snd_wnd;
}

/*
 * RFC 8985, 7.4: the probe's answer.  Was it one for both, the probe and what
 * it was a copy of, or was that lost?
 */
static void
end_probe(struct tcp_pcb *pcb, struct lwip_rexmit *r, const struct heard *heard,
    bool same)
{
	if (TCP_SEQ_LT(heard->ack, r->point))
		return;
	if (r->probed == LWIP_PROBE_COPY && !heard->again && !same) {
		if (heard->ack == r->point)
			return; /* it may come still */
		pcb->ssthresh = LWIP_MAX(pcb->cwnd / 2, 2u * pcb->mss);
		pcb->cwnd = pcb->ssthresh;
	}
	r->probed = LWIP_PROBE_NONE;
}

void
lwip_recovery_hear(struct tcp_pcb *pcb, const struct tcp_hdr *h,
    const u8_t *options, unsigned optlen, unsigned len)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	struct heard heard = { .ack = h->ackno };
	bool duplicate;

	heard_of = pcb;
	cwnd_before = pcb->cwnd;
	echoed = false;
	if (!TCP_SEQ_BETWEEN(h->ackno, pcb->lastack, pcb->snd_nxt))
		return;
	if (optlen > 0)
		take_options(pcb, options, optlen, &heard);
	duplicate = is_duplicate(pcb, h, len);
	lwip_rexmit_stats.dsacks += heard.again;
	if (r->probed != LWIP_PROBE_NONE)
		end_probe(pcb, r, &heard, h->ackno == pcb->lastack && len == 0);
	cwnd_before = pcb->cwnd;
	if (duplicate && (pcb->flags & TF_SACK) == 0 && r->duplicates < 0xff)
		r->duplicates++;
	if (!r->partial && heard.n == 0 && !duplicate)
		return;
	note(pcb, r, &heard, (u32_t)lwip_port_us());
	r->look = true;
}

/* ------------------------------------------------------- what is lost then -- */

/* RFC 8985, 6.2, step 4. */
static u32_t
patience(const struct tcp_pcb *pcb, const struct lwip_rexmit *r)
{
	const struct tcp_seg *seg;
	unsigned n = 0;

	if (!r->disorder) {
		if (r->state != LWIP_OPEN)
			return 0;
		for (seg = pcb->unacked; seg != NULL && n < ENOUGH;
		     seg = seg->next)
			n += (seg->flags & SACKED) != 0;
		if (n >= ENOUGH)
			return 0;
	}
	return LWIP_MIN(r->rtt_min != 0 ? r->rtt_min : r->race_rtt,
		   r->race_rtt) /
	    4;
}

/* us until more may be lost than is known now; 0: nothing may. */
static u32_t
find_lost(struct tcp_pcb *pcb, struct lwip_rexmit *r, u32_t us)
{
	u32_t limit = r->race_rtt + patience(pcb, r), last = 0;
	struct tcp_seg *s;
	u32_t sent;
	s32_t left;

	for (s = pcb->unacked; r->any && r->raced && s != NULL; s = s->next) {
		sent = *lwip_seg_sent_us(s);
		if ((s->flags & (SACKED | LOST)) != 0 ||
		    !is_later(r->race_us, r->race_end, sent, end_of(s)))
			continue;
		left = (s32_t)(sent + limit - us);
		if (left <= 0)
			s->flags |= LOST;
		else
			last = LWIP_MAX(last, (u32_t)left);
	}
	return last;
}

/* NewReno: the first one, and after each part of the rest the next. */
static void
guess_lost(struct tcp_pcb *pcb, const struct lwip_rexmit *r, bool progress)
{
	struct tcp_seg *s = pcb->unacked;

	if (s == NULL || (s->flags & RESENT) != 0)
		return;
	if (r->state == LWIP_OPEN ? r->duplicates >= ENOUGH :
				    r->state == LWIP_RECOVERY && progress)
		s->flags |= LOST;
}

/* Bytes on their way; *lost: whether any is to be sent again. */
static u32_t
count(const struct tcp_pcb *pcb, const struct lwip_rexmit *r, bool *lost)
{
	u32_t pipe = 0, came = (u32_t)r->duplicates * pcb->mss;
	struct tcp_seg *seg;
	u8_t marks;

	*lost = false;
	for (seg = pcb->unacked; seg != NULL; seg = seg->next) {
		marks = seg->flags;
		if ((marks & (SACKED | LOST)) == 0)
			pipe += TCP_TCPLEN(seg);
		*lost |= (marks & LOST) != 0;
	}
	return pipe > came ? pipe - came : 0;
}

/* ----------------------------------------------------------- sending again -- */

static err_t
send_one(struct tcp_pcb *pcb, struct tcp_seg *s, u32_t us)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	struct netif *nif = pcb->netif_idx != NETIF_NO_INDEX ?
	    netif_get_by_index(pcb->netif_idx) :
	    ip_route(&pcb->local_ip, &pcb->remote_ip);
	err_t err;

	if (nif == NULL)
		return ERR_RTE;
	if (s->p->ref != 1)
		return ERR_INPROGRESS; /* a card has it still */
	if (pcb->state != SYN_SENT)
		TCPH_SET_FLAG(s->tcphdr, TCP_ACK);
	err = lwip_port_resend(pcb, s, nif);
	if (err != ERR_OK)
		return err;
	if (pcb->state != SYN_SENT)
		tcp_clear_flags(pcb, TF_ACK_DELAY | TF_ACK_NOW);
	*lwip_seg_sent_us(s) = us;
	s->flags = (u8_t)((s->flags & ~LOST) | RESENT);
	r->timing = false;
	r->total++;
	lwip_rexmit_stats.retrans++;
	return ERR_OK;
}

/* In their order; the first one of all at once, whatever the window. */
static void
send_lost(struct tcp_pcb *pcb, struct lwip_rexmit *r, u64_t us)
{
	bool force = (pcb->unacked->flags & (LOST | RESENT)) == LOST;
	struct tcp_seg *seg;
	u32_t len;

	for (seg = pcb->unacked; seg != NULL; seg = seg->next) {
		if ((seg->flags & LOST) == 0)
			continue;
		len = TCP_TCPLEN(seg);
		if ((!force && r->pipe + len > pcb->cwnd) ||
		    send_one(pcb, seg, (u32_t)us) != ERR_OK)
			return;
		if (seg == pcb->unacked)
			lwip_rexmit_restart(pcb, us);
		r->pipe += len;
		force = false;
	}
}

static void
begin_recovery(struct tcp_pcb *pcb, struct lwip_rexmit *r)
{
	u32_t flight = pcb->snd_nxt - pcb->lastack;

	r->state = LWIP_RECOVERY;
	r->point = pcb->snd_nxt;
	r->probed = LWIP_PROBE_NONE;
	r->timing = false;
	flight = LWIP_MIN(flight, pcb->cwnd);
	pcb->ssthresh = LWIP_MAX(flight / 2, 2u * pcb->mss);
	pcb->cwnd = pcb->ssthresh;
	pcb->bytes_acked = 0;
	lwip_rexmit_stats.recoveries++;
}

static void
end_recovery(struct tcp_pcb *pcb, struct lwip_rexmit *r)
{
	if (r->state == LWIP_RECOVERY)
		pcb->cwnd = pcb->ssthresh;
	r->state = LWIP_OPEN;
	r->duplicates = 0;
}

void
lwip_recovery_look(struct tcp_pcb *pcb, u64_t us, bool progress)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	u32_t later = 0;
	bool lost;

	r->look = false;
	if (r->state == LWIP_RECOVERY && progress && heard_of == pcb)
		pcb->cwnd = cwnd_before; /* what lwIP added is for later */
	if (r->state != LWIP_OPEN && TCP_SEQ_GEQ(pcb->lastack, r->point))
		end_recovery(pcb, r);
	if (progress)
		r->duplicates = 0;
	if (r->state == LWIP_OPEN && !r->any)
		r->raced = false; /* its time would become the future's */
	if ((pcb->flags & TF_SACK) != 0)
		later = find_lost(pcb, r, (u32_t)us);
	else
		guess_lost(pcb, r, progress);
	r->pipe = count(pcb, r, &lost);
	if (lost && r->state == LWIP_OPEN)
		begin_recovery(pcb, r);
	if (lost)
		send_lost(pcb, r, us);
	r->partial = r->any || r->duplicates > 0 || r->state != LWIP_OPEN;
	if (later != 0)
		lwip_rexmit_wait_order(pcb, us, later);
}

/* ------------------------------------------------------------ nothing came -- */

void
lwip_recovery_timeout(struct tcp_pcb *pcb, u64_t us)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	bool reneged = (pcb->unacked->flags & SACKED) != 0;
	struct tcp_seg *seg;

	for (seg = pcb->unacked; seg != NULL; seg = seg->next) {
		if (reneged)
			seg->flags &= (u8_t)~SACKED;
		if ((seg->flags & SACKED) == 0)
			seg->flags |= LOST;
	}
	if (reneged) {
		r->any = r->raced = false;
		lwip_rexmit_stats.reneged++;
	}
	r->state = LWIP_LOSS;
	r->point = pcb->snd_nxt;
	r->probed = LWIP_PROBE_NONE;
	r->duplicates = 0;
	r->pipe = 0;
	r->partial = true;
	pcb->flags |= TF_RTO; /* lwIP's slow start: RFC 3465, 2.2 */
	pcb->rto_end = pcb->snd_nxt;
	if (send_one(pcb, pcb->unacked, (u32_t)us) == ERR_OK)
		r->pipe = TCP_TCPLEN(pcb->unacked);
}

/* Something new if there is any and the peer has room, else the last one. */
void
lwip_recovery_probe(struct tcp_pcb *pcb, u64_t us)
{
	struct lwip_rexmit *r = lwip_rexmit_of(pcb);
	struct tcp_seg *seg = pcb->unacked;
	tcpwnd_size_t was = pcb->cwnd;
	u32_t first = pcb->snd_nxt;

	pcb->cwnd = first - pcb->lastack + pcb->mss;
	(void)lwip_rexmit_send_new(pcb, us);
	pcb->cwnd = was;
	if (pcb->snd_nxt != first) {
		r->probed = LWIP_PROBE_NEW;
	} else {
		while (seg->next != NULL)
			seg = seg->next;
		if (send_one(pcb, seg, (u32_t)us) != ERR_OK)
			return;
		r->probed = LWIP_PROBE_COPY;
	}
	r->point = pcb->snd_nxt;
	lwip_rexmit_stats.probes++;
}

/* ------------------------------------------------------------------- others -- */

void
lwip_recovery_sent(struct tcp_seg *seg, const struct tcp_seg *end, u64_t us)
{
	for (; seg != NULL && seg != end; seg = seg->next) {
		*lwip_seg_sent_us(seg) = (u32_t)us;
		seg->flags &= (u8_t)~MARKS;
	}
}

void
lwip_recovery_forget(const struct tcp_pcb *pcb)
{
	if (heard_of == pcb)
		heard_of = NULL;
}

bool
lwip_recovery_echo(const struct tcp_pcb *pcb, u32_t *ms)
{
	*ms = echo;
	return heard_of == pcb && echoed;
}

u32_t
lwip_recovery_first_us(const struct tcp_pcb *pcb)
{
	return *lwip_seg_sent_us(pcb->unacked);
}

void
lwip_recovery_counts(const struct tcp_pcb *pcb, struct lwip_counts *n)
{
	struct tcp_seg *seg;
	u8_t marks;

	*n = (struct lwip_counts){ 0 };
	for (seg = pcb->unacked; seg != NULL; seg = seg->next) {
		marks = seg->flags;
		n->unacked++;
		n->sacked += (marks & SACKED) != 0;
		n->lost += (marks & LOST) != 0;
		n->resent += (marks & (RESENT | LOST | SACKED)) == RESENT;
	}
}
