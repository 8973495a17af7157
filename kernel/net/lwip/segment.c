/* SPDX-License-Identifier: ISC */
/*
 * segment.c - what a connection sends, in segments of one piece of memory each;
 * in place of lwIP's tcp_write().
 *
 * lwIP makes a segment of four pieces: itself, a pbuf for its headers, one or
 * two for the data that they point to.  Here they stand in one, which is free
 * when the last of them is: a card may hold the pbufs longer than TCP.  lwIP
 * knows no difference but where a segment is freed (hooks.h); its own (SYN, FIN,
 * one that was split) are as ever.  Ours stand at an odd multiple of eight
 * bytes, and what memory comes from gives even ones.
 *
 * And it walks to the end of a list for each thing that it puts there, past all
 * that is on its way: a connection knows its last segment, and the last one sent
 * so far as anybody has looked.  Both lists are in the order of their numbers,
 * and no segment is in both; what comes first tells whether what is known is
 * still true.
 * lwIP makes headers for each segment, of which a packet of many has one
 * (ethif_tx.c): so it sends the first of them, the others follow.
 * Locking: the network lock is held.
 */
#include "net/lwip/rexmit.h"
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <stddef.h>
#include <stdint.h>

#define PIECES    2u  /* of data, inside; others are apart */
#define TCP_AT    56u /* in `room`: Ethernet's and IPv6's headers before it */
#define ROOM      (TCP_AT + TCP_HLEN + LWIP_TCP_OPT_LEN_TS_OUT)
#define SPARE_MAX (lwip_tcp_window >> 12) /* kept for the next ones */
#define MSS_MIN   88u /* as Linux has it: with 40 bytes of options */
#define PBUFS_MAX (TCP_SND_QUEUELEN - PIECES - 1) /* to add a segment to */

struct segment {
	u16_t refs;    /* `seg`, `head` and pieces that are in use */
	u16_t npieces; /* that ever were */
	u32_t sent_us; /* lwip_seg_sent_us() */
	struct tcp_seg seg;
	struct lwip_conn *conn; /* whose list it is in */
	struct pbuf_custom piece[PIECES];
	struct pbuf_custom head; /* lwIP knows of nothing between it and: */
	u8_t room[ROOM];
};
_Static_assert(offsetof(struct segment, seg) % 16 == 8, "see rexmit.h");
_Static_assert(offsetof(struct segment, seg) ==
	offsetof(struct segment, sent_us) + sizeof(u32_t),
    "see rexmit.h");
_Static_assert(PBUF_LINK_HLEN + 40 <= TCP_AT &&
	PBUF_LINK_ENCAPSULATION_HLEN == 0,
    "room for headers");

#define SEGMENT_OF(at, member)        \
	((struct segment *)(void *)(( \
	    u8_t *)(at)-offsetof(struct segment, member)))

static inline struct lwip_conn *
conn_of(const struct tcp_pcb *pcb)
{
	return (struct lwip_conn *)(uintptr_t)pcb;
}

static struct segment *spare; /* by seg.next */
static unsigned nspare;

/* ----------------------------------------------------------------- memory -- */

static struct segment *
segment_alloc(void)
{
	struct segment *s = spare;

	if (s == NULL)
		return mem_malloc(sizeof(*s));
	spare = s->seg.next == NULL ? NULL : SEGMENT_OF(s->seg.next, seg);
	nspare--;
	return s;
}

static void
let_go(struct segment *s)
{
	if (--s->refs > 0)
		return;
	if (nspare >= SPARE_MAX) {
		mem_free(s);
		return;
	}
	s->seg.next = spare == NULL ? NULL : &spare->seg;
	spare = s;
	nspare++;
}

void
lwip_port_spare_free(void)
{
	struct segment *s;

	while ((s = spare) != NULL) {
		spare = s->seg.next == NULL ? NULL :
					      SEGMENT_OF(s->seg.next, seg);
		nspare--;
		mem_free(s);
	}
}

static void
free_head(struct pbuf *p)
{
	let_go(SEGMENT_OF(p, head));
}

static void
free_first(struct pbuf *p)
{
	let_go(SEGMENT_OF(p, piece[0]));
}

static void
free_second(struct pbuf *p)
{
	let_go(SEGMENT_OF(p, piece[1]));
}

void
lwip_port_seg_free(void *seg)
{
	struct segment *s;

	if (!lwip_seg_is_ours(seg)) {
		memp_free(MEMP_TCP_SEG, seg);
		return;
	}
	s = SEGMENT_OF(seg, seg);
	if (s->conn->last == seg)
		s->conn->last = NULL;
	if (s->conn->sent == seg)
		s->conn->sent = NULL;
	let_go(s);
}

/* ------------------------------------------------------------------ lists -- */

static u32_t
seq_of(const struct tcp_seg *seg)
{
	return lwip_ntohl(seg->tcphdr->seqno);
}

static struct tcp_seg *
end_of(struct tcp_seg *seg)
{
	while (seg->next != NULL)
		seg = seg->next;
	return seg;
}

/* What was never sent is where it is to be sent from. */
static struct tcp_seg *
last_unsent(const struct tcp_pcb *pcb)
{
	struct tcp_seg *last = conn_of(pcb)->last;

	if (pcb->unsent == NULL)
		return NULL;
	if (last == NULL || TCP_SEQ_LT(seq_of(last), pcb->snd_nxt))
		last = pcb->unsent;
	return end_of(last);
}

/* unsent and unacked have something. */
static struct tcp_seg *
last_unacked(const struct tcp_pcb *pcb)
{
	struct tcp_seg *last = conn_of(pcb)->sent;

	if (last == NULL || TCP_SEQ_LEQ(seq_of(pcb->unsent), seq_of(last)))
		last = pcb->unacked;
	return end_of(last);
}

/*
 * Segments that were never sent, and of which more than one will go: all but
 * the first one, NULL if it is not so.
 */
static struct tcp_seg *
cut_off(const struct tcp_pcb *pcb)
{
	struct tcp_seg *seg = pcb->unsent, *rest = seg->next;

	if (rest == NULL || rest->next == NULL || seq_of(seg) != pcb->snd_nxt ||
	    (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT) ||
	    (pcb->flags & (TF_RTO | TF_INFR | TF_FIN | TF_URGENT)) != 0)
		return NULL;
	return rest;
}

/*
 * lwIP sends what it may, of the first segment alone if there is a rest: which
 * is reason enough not to wait for more.
 */
static err_t
send_first(struct tcp_pcb *pcb, struct tcp_seg *last, struct tcp_seg *rest)
{
	struct tcp_seg *seg = pcb->unsent;
	tcpflags_t nodelay = pcb->flags & TF_NODELAY;
	err_t err;

	pcb->unacked = last;
	if (rest == NULL)
		return lwip_port_output(pcb);
	seg->next = NULL;
	tcp_nagle_disable(pcb);
	err = lwip_port_output(pcb);
	if (nodelay == 0)
		tcp_nagle_enable(pcb);
	if (pcb->unsent == NULL)
		pcb->unsent = rest;
	else
		seg->next = rest;
	return err;
}

/*
 * The segments behind one that was just sent need no headers for now: they join
 * its packet, as far as windows allow.  The last one is left to lwIP, which
 * knows whether it should wait.  The last one sent.
 */
static struct tcp_seg *
follow(struct tcp_pcb *pcb, struct tcp_seg *last)
{
	u32_t edge = pcb->lastack + LWIP_MIN(pcb->snd_wnd, pcb->cwnd);
	struct tcp_seg *seg;

	while ((seg = pcb->unsent)->next != NULL && lwip_seg_is_ours(seg) &&
	    TCP_SEQ_LEQ(pcb->snd_nxt + seg->len, edge)) {
		TCPH_SET_FLAG(seg->tcphdr, TCP_ACK);
		if (!ethif_tcp_follows(pcb, seg->p))
			break;
		pcb->unsent = seg->next;
		pcb->snd_nxt += seg->len;
		seg->next = NULL;
		last->next = seg;
		last = seg;
	}
	return last;
}

err_t
lwip_port_send(struct tcp_pcb *pcb)
{
	struct tcp_seg *first = pcb->unacked, *last, *rest;
	bool more;
	err_t err;

	if (first == NULL || pcb->unsent == NULL || tcp_input_pcb == pcb)
		return lwip_port_output(pcb);
	last = last_unacked(pcb);
	if (TCP_SEQ_LEQ(seq_of(pcb->unsent), seq_of(last)))
		return lwip_port_output(pcb); /* sent again: to the middle */
	do {
		rest = cut_off(pcb);
		err = send_first(pcb, last, rest);
		last = end_of(last);
		more = err == ERR_OK && rest != NULL && pcb->unsent == rest;
		if (more)
			last = follow(pcb, last);
	} while (more);
	pcb->unacked = first;
	if (lwip_seg_is_ours(last))
		conn_of(pcb)->sent = last;
	return err;
}

/* ------------------------------------------------------------------- data -- */

static void
set_pbuf(struct pbuf_custom *c, pbuf_free_custom_fn fn, pbuf_type type,
    const void *payload, unsigned len)
{
	struct pbuf *p = &c->pbuf;

	p->next = NULL;
	p->payload = (void *)(uintptr_t)payload;
	p->len = p->tot_len = (u16_t)len;
	p->type_internal = (u8_t)type;
	p->flags = PBUF_FLAG_IS_CUSTOM;
	p->ref = 1;
	p->if_idx = NETIF_NO_INDEX;
	c->custom_free_function = fn;
}

/* A pbuf for data of the segment; NULL: no memory. */
static struct pbuf *
piece_of(struct segment *s, const void *data, unsigned len)
{
	unsigned i = s->npieces;
	struct pbuf *p;

	if (i == PIECES) {
		p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_ROM);
		if (p != NULL)
			p->payload = (void *)(uintptr_t)data;
		return p;
	}
	set_pbuf(&s->piece[i], i == 0 ? free_first : free_second, PBUF_ROM,
	    data, len);
	s->npieces++;
	s->refs++;
	return &s->piece[i].pbuf;
}

/* Adds data at the end of a segment; false: no memory. */
static bool
append(struct tcp_pcb *pcb, struct tcp_seg *seg, const void *data, unsigned len)
{
	struct pbuf *p, *last = seg->p, *more = NULL;

	while (last->next != NULL)
		last = last->next;
	if (last->type_internal != PBUF_ROM ||
	    (const u8_t *)last->payload + last->len != data) {
		more = piece_of(SEGMENT_OF(seg, seg), data, len);
		if (more == NULL)
			return false;
		pcb->snd_queuelen++;
	}
	for (p = seg->p; p != NULL; p = p->next)
		p->tot_len = (u16_t)(p->tot_len + len);
	if (more != NULL)
		last->next = more;
	else
		last->len = (u16_t)(last->len + len);
	seg->len = (u16_t)(seg->len + len);
	return true;
}

static void
fill_header(struct tcp_hdr *h, const struct tcp_pcb *pcb, unsigned optlen)
{
	h->src = lwip_htons(pcb->local_port);
	h->dest = lwip_htons(pcb->remote_port);
	h->seqno = lwip_htonl(pcb->snd_lbb);
	TCPH_HDRLEN_FLAGS_SET(h, (TCP_HLEN + optlen) / 4, 0);
	h->urgp = 0;
}

/* The next segment, which is nowhere yet; NULL: no memory. */
static struct tcp_seg *
create(struct tcp_pcb *pcb, const void *data, unsigned len)
{
	u8_t flags = (pcb->flags & TF_TIMESTAMP) != 0 ? TF_SEG_OPTS_TS : 0;
	unsigned optlen = LWIP_TCP_OPT_LENGTH(flags);
	struct segment *s = segment_alloc();

	if (s == NULL)
		return NULL;
	s->refs = 2;
	s->npieces = 0;
	s->conn = conn_of(pcb);
	set_pbuf(&s->head, free_head, PBUF_RAM, s->room + TCP_AT,
	    TCP_HLEN + optlen);
	s->head.pbuf.next = piece_of(s, data, len);
	s->head.pbuf.tot_len = (u16_t)(TCP_HLEN + optlen + len);
	s->seg.next = NULL;
	s->seg.p = &s->head.pbuf;
	s->seg.len = (u16_t)len;
	s->seg.flags = flags;
	s->seg.tcphdr = (struct tcp_hdr *)(void *)(s->room + TCP_AT);
	fill_header(s->seg.tcphdr, pcb, optlen);
	pcb->snd_queuelen = (u16_t)(pcb->snd_queuelen + 2);
	conn_of(pcb)->last = &s->seg;
	return &s->seg;
}

/*
 * The most that a segment may have: lwIP bounds it by half of the largest
 * window the peer ever had.
 */
static unsigned
most(const struct tcp_pcb *pcb)
{
	unsigned half = LWIP_MAX(pcb->snd_wnd_max / 2, MSS_MIN);
	unsigned optlen = (pcb->flags & TF_TIMESTAMP) != 0 ?
	    LWIP_TCP_OPT_LEN_TS_OUT :
	    0;

	half = LWIP_MIN(half, pcb->mss);
	return half > optlen ? half - optlen : 1;
}

/* How much more the last segment may have. */
static unsigned
space_in(const struct tcp_pcb *pcb, const struct tcp_seg *seg, unsigned max)
{
	if (seg == NULL || !lwip_seg_is_ours(seg) || seg->len >= max ||
	    (TCPH_FLAGS(seg->tcphdr) & (TCP_SYN | TCP_FIN)) != 0 ||
	    seq_of(seg) + seg->len != pcb->snd_lbb)
		return 0;
	return max - seg->len;
}

static bool
may_write(const struct tcp_pcb *pcb)
{
	return pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT ||
	    pcb->state == SYN_SENT || pcb->state == SYN_RCVD;
}

/* Up to len bytes, behind *last or in it; *last is where they are then. */
static unsigned
write_some(struct tcp_pcb *pcb, struct tcp_seg **last, const void *data,
    unsigned len, unsigned max)
{
	unsigned space = space_in(pcb, *last, max);
	struct tcp_seg *seg;

	if (space > 0) {
		len = LWIP_MIN(len, space);
		return append(pcb, *last, data, len) ? len : 0;
	}
	len = LWIP_MIN(len, max);
	seg = create(pcb, data, len);
	if (seg == NULL)
		return 0;
	if (*last == NULL)
		pcb->unsent = seg;
	else
		(*last)->next = seg;
	*last = seg;
	return len;
}

unsigned
lwip_port_write(struct tcp_pcb *pcb, const void *data, unsigned len, bool more)
{
	struct tcp_seg *last = last_unsent(pcb);
	unsigned max = most(pcb), done = 0, n;

	if (!may_write(pcb))
		return 0;
	while (
	    done < len && pcb->snd_buf > 0 && pcb->snd_queuelen < PBUFS_MAX) {
		n = write_some(pcb, &last, (const u8_t *)data + done,
		    LWIP_MIN(len - done, pcb->snd_buf), max);
		if (n == 0)
			break;
		done += n;
		pcb->snd_lbb += n;
		pcb->snd_buf -= n;
	}
	if (done < len) /* what is there must go, whatever Nagle says */
		pcb->flags |= TF_NAGLEMEMERR;
	if (done > 0 && !more)
		TCPH_SET_FLAG(last->tcphdr, TCP_PSH);
	return done;
}
