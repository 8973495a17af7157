/* SPDX-License-Identifier: ISC */
/*
 * inet_error.c - which socket hears what ICMP reports.  lwIP drops these
 * messages; here they are looked at before it gets them.  ip(7), udp(7),
 * raw(7); RFC 5927: a report must be about what was really sent.
 */
#include "net/inet_error.h"

#include "abi/icmp.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet.h"
#include "net/inet_pmtu.h"
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>

/* ----------------------------------------------------------- who it is for -- */

static bool
is_ip(const ip_addr_t *ip, bool v6, const uint32_t raw[4])
{
	if ((bool)IP_IS_V6(ip) != v6)
		return false;
	return v6 ? memcmp(ip_2_ip6(ip)->addr, raw, 16) == 0 :
		    ip4_addr_get_u32(ip_2_ip4(ip)) == raw[0];
}

static bool
is_ip_or_any(const ip_addr_t *ip, bool v6, const uint32_t raw[4])
{
	return ip_addr_isany(ip) || is_ip(ip, v6, raw);
}

static bool
is_family(const struct inet_sock *is, const struct inet_report *r)
{
	if (is->s.type == SOCK_RAW || inet_is_ping(is))
		return is->v6 == r->v6;
	return r->v6 ? is->v6 : !is->v6 || !is->v6only;
}

/* The packet that is reported on could be its own. */
static bool
is_from(const struct inet_sock *is, const struct inet_report *r)
{
	if (is->s.protocol != r->protocol || !is_family(is, r) ||
	    (is->s.type == SOCK_STREAM && is->state == INET_CLOSED) ||
	    !is_ip_or_any(&is->local.ip, r->v6, r->from))
		return false;
	if (is->state != INET_CLOSED && is->state != INET_LISTENING &&
	    !is_ip(&is->remote.ip, r->v6, r->to))
		return false;
	if (is->s.type == SOCK_RAW)
		return true;
	if (is->local.port == 0 || is->local.port != r->from_port)
		return false;
	return is->state == INET_CLOSED || inet_is_ping(is) ||
	    is->remote.port == r->to_port;
}

/* The one that is most exactly its sender; raw sockets: apart. */
static struct inet_sock *
find_sender(const struct inet_report *r)
{
	struct inet_sock *is, *best = NULL;

	TAILQ_FOREACH (is, &inet_all, all)
		if (is->s.type != SOCK_RAW && is->state != INET_LISTENING &&
		    is_from(is, r) &&
		    (best == NULL || is->state != INET_CLOSED))
			best = is;
	return best;
}

/* ------------------------------------------------------------- telling it -- */

static bool
is_too_big(const struct inet_report *r)
{
	return r->error == EMSGSIZE;
}

static unsigned
payload_at(const struct inet_sock *is, const struct inet_report *r)
{
	if (is->s.type == SOCK_RAW)
		return is->hdrincl && !is->v6 ? r->quote_at : r->upper_at;
	return inet_is_ping(is) ? r->upper_at : r->upper_at + 8;
}

static void
tell_dgram(struct inet_sock *is, const struct inet_report *r,
    const struct pbuf *p)
{
	bool raw = is->s.type == SOCK_RAW, hard = r->hard;
	bool wants = r->v6 ? is->recverr6 : is->recverr;
	int discover = r->v6 ? is->mtu_discover6 : is->mtu_discover;

	if (is_too_big(r)) {
		if (!r->v6 && !raw && discover == IP_PMTUDISC_DONT)
			return;
		hard = raw && r->v6 ? discover == IPV6_PMTUDISC_DO :
				      discover != IP_PMTUDISC_DONT;
	}
	if (wants)
		inet_errors_put(is, r, p, payload_at(is, r));
	else if (!hard || is->state != INET_CONNECTED)
		return;
	is->error = r->error;
	waitq_wake_all(&is->wq);
}

/* What it quotes was sent and is not acknowledged yet. */
static bool
is_on_its_way(const struct tcp_pcb *pcb, uint32_t seq)
{
	return (int32_t)(seq - pcb->lastack) >= 0 &&
	    (int32_t)(pcb->snd_nxt - seq) >= 0;
}

/* A connection that stands lives on: the report may be a lie (RFC 5927). */
static void
tell_stream(struct inet_sock *is, const struct inet_report *r,
    const struct pbuf *p)
{
	struct tcp_pcb *pcb = is->tcp;

	if (is->state != INET_CONNECTING || is_too_big(r))
		return;
	if (r->v6 ? is->recverr6 : is->recverr)
		inet_errors_put(is, r, p, r->upper_at);
	is->error = r->error;
	is->state = INET_CLOSED;
	inet_tcp_detach(is);
	tcp_abort(pcb);
	inet_tcp_drop(is);
	waitq_wake_all(&is->wq);
}

static void
tell_sender(const struct inet_report *r, const struct pbuf *p)
{
	struct inet_sock *is = find_sender(r);
	bool stream = is != NULL && is->s.type == SOCK_STREAM;

	if (is == NULL ||
	    (stream && (is->tcp == NULL || !is_on_its_way(is->tcp, r->seq))))
		return;
	if (is_too_big(r))
		inet_pmtu_report(r, stream ? is->tcp : NULL);
	if (stream)
		tell_stream(is, r, p);
	else
		tell_dgram(is, r, p);
}

static void
tell_raw(const struct inet_report *r, const struct pbuf *p)
{
	struct inet_sock *is;

	TAILQ_FOREACH (is, &inet_all, all) {
		if (is->s.type != SOCK_RAW || !is_from(is, r))
			continue;
		if (is_too_big(r))
			inet_pmtu_report(r, NULL);
		tell_dgram(is, r, p);
	}
}

/* ------------------------------------------------------------ what arrives -- */

/* The message alone, as it came; NULL: its sum is wrong, or no memory. */
static struct pbuf *
take_message(const struct pbuf *p, const struct inet_report *r,
    const struct netif *inp)
{
	struct pbuf *q = pbuf_alloc(PBUF_RAW, (u16_t)r->end, PBUF_RAM);
	ip6_addr_t src, dst;
	bool right = true;

	if (q == NULL)
		return NULL;
	memcpy(q->payload, p->payload, r->end);
	(void)pbuf_remove_header(q, r->icmp_at);
	if (r->v6 && (inp->chksum_flags & NETIF_CHECKSUM_CHECK_ICMP6) != 0) {
		const struct ip6_hdr *h = p->payload;

		ip6_addr_copy_from_packed(src, h->src);
		ip6_addr_copy_from_packed(dst, h->dest);
		right = ip6_chksum_pseudo(q, IP6_NEXTH_ICMP6, q->tot_len, &src,
			    &dst) == 0;
	} else if (!r->v6 &&
	    (inp->chksum_flags & NETIF_CHECKSUM_CHECK_ICMP) != 0) {
		right = inet_chksum(q->payload, q->len) == 0;
	}
	(void)pbuf_add_header(q, r->icmp_at);
	if (right)
		return q;
	pbuf_free(q);
	return NULL;
}

static void
deliver(const struct pbuf *p, struct inet_report *r, const struct netif *inp)
{
	struct pbuf *q = take_message(p, r, inp);

	if (q == NULL)
		return;
	r->if_index = ethif_index(inp);
	tell_raw(r, q);
	tell_sender(r, q);
	pbuf_free(q);
}

void
inet_error_look(const struct pbuf *p, const struct netif *inp)
{
	const struct ip_hdr *h = p->payload;
	struct inet_report r;
	ip_addr_t to;

	if (p->len < IP_HLEN || IPH_PROTO(h) != IP_PROTO_ICMP ||
	    !inet_report_parse(p->payload, p->len, &r))
		return;
	ip_addr_copy_from_ip4(to, h->dest);
	if (is_ip(&to, false, r.from))
		deliver(p, &r, inp);
}

void
inet_error_look6(const struct pbuf *p, unsigned icmp_at,
    const struct netif *inp)
{
	const struct ip6_hdr *h = p->payload;
	struct inet_report r;

	if (inet_report_parse6(p->payload, p->len, icmp_at, &r) &&
	    memcmp(&h->dest, r.from, 16) == 0)
		deliver(p, &r, inp);
}
