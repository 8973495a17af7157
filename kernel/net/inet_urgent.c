/* SPDX-License-Identifier: ISC */
/*
 * inet_urgent.c - TCP's urgent byte: MSG_OOB.  tcp(7); RFC 9293, 3.8.5.
 *
 * A header may say where in the stream urgent data ends.  As Linux has it, the
 * byte before that is the urgent one.  The receiver learns of it at once, from
 * whatever segment: it is signalled, and a read ends there (the mark).  The byte
 * itself is kept aside until recv(2) with MSG_OOB, and left out of what is
 * read; with SO_OOBINLINE it stays in its place.
 *
 * lwIP knows of none of this: hooks.h leads headers that come and go by here.
 * Bytes are counted as in struct inet_sock: is->taken have been read, behind
 * them lie is->rx_bytes.
 */
#include "net/inet_urgent.h"

#include "net/inet.h"
#include "net/stack.h"
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <linux/errno.h>

/* ---------------------------------------------------------------- sending -- */

void
inet_urgent_sent(struct inet_sock *is)
{
	struct tcp_pcb *pcb = is->tcp;
	bool delays = !tcp_nagle_disabled(pcb);

	is->urgent.end = pcb->snd_lbb;
	tcp_set_flags(pcb, TF_URGENT);
	tcp_nagle_disable(pcb);
	(void)tcp_output(pcb);
	if (delays)
		tcp_nagle_enable(pcb);
}

static void
put_pointer(struct tcp_hdr *h, uint32_t pointer)
{
	TCPH_SET_FLAG(h, TCP_URG);
	h->urgp = lwip_htons((u16_t)pointer);
}

void
lwip_hook_tcp_urgent(struct tcp_pcb *pcb, struct tcp_hdr *h)
{
	const struct inet_sock *is = pcb->callback_arg;
	uint32_t seqno = lwip_ntohl(h->seqno), ahead;

	if (is == NULL || (int32_t)(is->urgent.end - pcb->lastack) <= 0) {
		tcp_clear_flags(pcb, TF_URGENT);
		return;
	}
	ahead = is->urgent.end - seqno;
	if ((int32_t)ahead <= 0)
		return;
	if (ahead <= UINT16_MAX)
		put_pointer(h, ahead);
	else if ((int32_t)(seqno + UINT16_MAX - pcb->snd_nxt) > 0)
		put_pointer(h, UINT16_MAX); /* somewhere behind all this */
}

/* -------------------------------------------------------------- receiving -- */

static uint64_t
end_of_received(const struct inet_sock *is)
{
	return is->taken + is->rx_bytes;
}

/*
 * A mark that the next one replaces is a byte as any other, unless it is what a
 * reader gets next: then it is left out all the same.
 */
static void
move_mark(struct inet_sock *is, uint64_t to)
{
	struct inet_urgent *u = &is->urgent;

	u->has_old = u->state != INET_URGENT_NONE && u->at == is->taken &&
	    is->rx_bytes > 0 && !is->s.flag_oobinline;
	u->old = u->at;
	u->at = to;
	__atomic_store_n(&u->state, INET_URGENT_COMES, __ATOMIC_RELEASE);
	if (is->s.file != NULL)
		sock_hooks->urgent(is->s.file);
}

/* What a header says of the urgent byte, whose place is `ahead` of rcv_nxt. */
static void
look_at_pointer(struct inet_sock *is, int32_t ahead)
{
	uint64_t at;

	if (ahead < 0)
		return;
	at = end_of_received(is) + (uint32_t)ahead;
	if (is->urgent.state == INET_URGENT_NONE || at > is->urgent.at)
		move_mark(is, at);
}

void
inet_urgent_input(struct tcp_pcb *pcb, const struct tcp_hdr *h,
    const struct pbuf *p)
{
	struct inet_sock *is = pcb->callback_arg;
	uint16_t pointer = lwip_ntohs(h->urgp);
	uint64_t from;
	int32_t ahead;

	if (is == NULL || is->eof)
		return;
	ahead = (int32_t)(h->seqno - pcb->rcv_nxt); /* of its first byte */
	look_at_pointer(is, ahead + (pointer > 0 ? pointer - 1 : 0));
	if (is->urgent.state != INET_URGENT_COMES)
		return;
	from = end_of_received(is) + (uint64_t)(int64_t)ahead;
	if (is->urgent.at < from || is->urgent.at - from >= p->tot_len)
		return;
	is->urgent.byte = pbuf_get_at(p, (u16_t)(is->urgent.at - from));
	__atomic_store_n(&is->urgent.state, INET_URGENT_THERE,
	    __ATOMIC_RELEASE);
	waitq_wake_all(&is->wq);
}

/* ---------------------------------------------------------------- reading -- */

size_t
inet_urgent_limit(const struct inet_sock *is, size_t skip, size_t n)
{
	const struct inet_urgent *u = &is->urgent;
	uint64_t from = is->taken + skip;

	if (is->s.flag_oobinline)
		return from < u->at ? MIN(n, u->at - from) : n;
	if (from == u->at || (u->has_old && from == u->old))
		return 0;
	if (u->has_old && from < u->old)
		n = MIN(n, u->old - from);
	return from < u->at ? MIN(n, u->at - from) : n;
}

bool
inet_urgent_at_mark(const struct inet_sock *is, size_t skip)
{
	return is->urgent.state != INET_URGENT_NONE &&
	    is->urgent.at == is->taken + skip;
}

void
inet_urgent_passed(struct inet_sock *is)
{
	if (is->taken > is->urgent.at)
		is->urgent.state = INET_URGENT_NONE;
}

uint32_t
inet_urgent_readable(const struct inet_sock *is)
{
	const struct inet_urgent *u = &is->urgent;

	if (u->state == INET_URGENT_NONE || is->s.flag_oobinline ||
	    u->at < is->taken || u->at >= end_of_received(is))
		return is->rx_bytes;
	return (uint32_t)(u->at - is->taken);
}

static long
receive_locked(struct inet_sock *is, struct sock_msg *m)
{
	struct inet_urgent *u = &is->urgent;

	if (is->s.flag_oobinline || u->state == INET_URGENT_NONE ||
	    u->state == INET_URGENT_READ)
		return -EINVAL;
	if (u->state == INET_URGENT_COMES)
		return is->eof || is->rx_shut ? 0 : -EAGAIN;
	if ((m->flags & MSG_PEEK) == 0)
		u->state = INET_URGENT_READ;
	return 1;
}

long
inet_urgent_receive(struct inet_sock *is, struct sock_msg *m)
{
	uint8_t byte;
	long n;

	net_lock();
	n = receive_locked(is, m);
	byte = is->urgent.byte;
	net_unlock();
	if (n <= 0)
		return n;
	m->answer |= MSG_OOB;
	if (m->u->resid == 0) {
		m->answer |= MSG_TRUNC;
		return 0;
	}
	if ((m->flags & MSG_TRUNC) != 0)
		return 1;
	return uio_put(m->u, &byte, 1) == 1 ? 1 : -EFAULT;
}
