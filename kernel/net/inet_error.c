/* SPDX-License-Identifier: ISC */
/*
 * inet_error.c - which socket hears what ICMP reports.  lwIP drops these
 * messages; here they are looked at before it gets them.
 */
#include "net/inet_error.h"

#include "net/inet.h"
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <linux/in.h>

static bool
is_about(const struct inet_sock *is, const struct inet_report *r)
{
	if (is->s.protocol != r->protocol || is->local.port != r->from_port ||
	    is->s.type == SOCK_RAW)
		return false;
	if (IP_IS_V6_VAL(is->remote.ip) || is->remote.port != r->to_port)
		return false;
	return ip4_addr_get_u32(ip_2_ip4(&is->remote.ip)) == r->to;
}

/* A connection that stands lives on: the report may be a lie (RFC 5927). */
static void
report(struct inet_sock *is, const struct inet_report *r)
{
	struct tcp_pcb *pcb = is->tcp;

	if (is->s.type == SOCK_STREAM) {
		if (is->state != INET_CONNECTING || !r->hard || pcb == NULL)
			return;
		is->error = r->error;
		is->state = INET_CLOSED;
		inet_tcp_detach(is);
		tcp_abort(pcb);
		inet_tcp_drop(is);
	} else if (r->hard || is->recverr) {
		is->error = r->error;
	}
	waitq_wake_all(&is->wq);
}

void
inet_error_look(const struct pbuf *p)
{
	struct inet_sock *is;
	struct inet_report r;

	if (p->len < 20 || ((const uint8_t *)p->payload)[9] != IPPROTO_ICMP ||
	    !inet_report_parse(p->payload, p->len, &r))
		return;
	TAILQ_FOREACH (is, &inet_all, all)
		if (is_about(is, &r)) {
			report(is, &r);
			return;
		}
}
