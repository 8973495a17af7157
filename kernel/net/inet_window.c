/* SPDX-License-Identifier: ISC */
/*
 * inet_window.c - how much a peer may send before it is read: SO_RCVBUF.
 * socket(7), tcp(7); RFC 9293, 3.8.6.
 *
 * Half of the buffer's size is the window, as Linux has it: the other half is
 * for what memory costs beside.  Who never sets it gets what lwIP's window is.
 * What has been offered is not taken back: a smaller window comes to be as the
 * program reads.  A connection's window is what lwIP takes for the one of all
 * (hooks.h): what is free of it, and bytes not read yet, together.
 * Locking: the network lock is held.
 */
#include "net/inet.h"

#include "net/lwip/rexmit.h"
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

static struct lwip_conn *
conn_of(const struct tcp_pcb *pcb)
{
	return (struct lwip_conn *)(uintptr_t)pcb;
}

u32_t
lwip_port_window(const struct tcp_pcb *pcb)
{
	return conn_of(pcb)->window;
}

/* Without scaling, 16 bits must say it. */
static uint32_t
sayable(const struct tcp_pcb *pcb, uint32_t window)
{
	return (pcb->flags & TF_WND_SCALE) != 0 ? window :
						  MIN(window, UINT16_MAX);
}

static uint32_t
wanted(const struct inet_sock *is)
{
	return is->s.rcvbuf_set ? MIN(is->s.rcvbuf / 2, lwip_tcp_window) :
				  lwip_tcp_window;
}

uint32_t
inet_window(const struct tcp_pcb *pcb)
{
	return sayable(pcb, lwip_port_window(pcb));
}

/* Before the peer has heard of any. */
static void
begin(struct tcp_pcb *pcb, uint32_t window)
{
	conn_of(pcb)->window = window;
	pcb->rcv_wnd = pcb->rcv_ann_wnd = MIN(window, UINT16_MAX);
}

struct tcp_pcb *
lwip_hook_tcp_accepting(struct tcp_pcb *pcb, const struct tcp_pcb_listen *l)
{
	if (pcb != NULL && l->callback_arg != NULL)
		begin(pcb, wanted(l->callback_arg));
	return pcb;
}

void
inet_window_fit(struct inet_sock *is)
{
	struct tcp_pcb *pcb = is->tcp;
	uint32_t now, want;

	switch (pcb->state) {
	case CLOSED:
	case SYN_SENT: begin(pcb, wanted(is)); return;
	case LISTEN:
	case SYN_RCVD: return;
	default: break;
	}
	now = inet_window(pcb);
	want = sayable(pcb, wanted(is));
	if (want <= now)
		return;
	conn_of(pcb)->window = want;
	pcb->rcv_wnd += want - now;
	tcp_recved(pcb, 0); /* the peer is told, if it is worth it */
}

uint32_t
inet_window_read(struct inet_sock *is, uint32_t n)
{
	uint32_t now, want, less;

	if (!is->s.rcvbuf_set)
		return n;
	now = inet_window(is->tcp);
	want = sayable(is->tcp, wanted(is));
	if (now <= want)
		return n;
	less = MIN(now - want, n);
	conn_of(is->tcp)->window = now - less;
	return n - less;
}
