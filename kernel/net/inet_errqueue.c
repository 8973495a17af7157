/* SPDX-License-Identifier: ISC */
/*
 * inet_errqueue.c - IP_RECVERR and IPV6_RECVERR: reports wait in a queue of
 * their own, with what was sent, to whom, and who complains.  ip(7), ipv6(7).
 */
#include "net/inet_error.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "net/inet.h"
#include "net/stack.h"
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/time.h>
/* Last: needs time.h, which it does not include. */
#include <linux/errqueue.h>

struct report {
	struct inet_dgram d; /* first; from: to whom it was sent */
	struct sock_extended_err ee;
	ip_addr_t offender; /* of ICMP's */
};

static bool
is_icmp(const struct report *e)
{
	return e->ee.ee_origin == SO_EE_ORIGIN_ICMP ||
	    e->ee.ee_origin == SO_EE_ORIGIN_ICMP6;
}

static void
ip_of(ip_addr_t *ip, bool v6, const void *raw)
{
	if (v6) {
		ip_addr_set_zero_ip6(ip);
		memcpy(ip_2_ip6(ip)->addr, raw, 16);
	} else {
		ip_addr_set_zero_ip4(ip);
		memcpy(&ip_2_ip4(ip)->addr, raw, 4);
	}
}

/* ------------------------------------------------------------------ putting -- */

/* Takes p over. */
static void
put(struct inet_sock *is, struct report *e, struct pbuf *p)
{
	e->d.p = p;
	e->d.charge = sizeof(*e) + sizeof(*p) + p->tot_len;
	e->d.when_ns = inet_dgram_stamp(is);
	if (is->error_bytes + e->d.charge > is->s.rcvbuf) {
		pbuf_free(p);
		kfree(e);
		return;
	}
	is->error_bytes += e->d.charge;
	STAILQ_INSERT_TAIL(&is->errors, &e->d, link);
	waitq_wake_all(&is->wq);
}

/* The header of the message itself: who sent it, and what came with it. */
static void
note_header(struct report *e, const void *packet, bool v6, unsigned if_index)
{
	const struct ip6_hdr *h6 = packet;
	const struct ip_hdr *h4 = packet;

	e->d.if_index = (uint8_t)if_index;
	if (v6) {
		ip_of(&e->offender, true, &h6->src);
		ip_of(&e->d.to, true, &h6->dest);
		e->d.ttl = IP6H_HOPLIM(h6);
		e->d.tos = (uint8_t)IP6H_TC(h6);
	} else {
		ip_of(&e->offender, false, &h4->src);
		ip_of(&e->d.to, false, &h4->dest);
		e->d.ttl = IPH_TTL(h4);
		e->d.tos = IPH_TOS(h4);
	}
}

void
inet_errors_put(struct inet_sock *is, const struct inet_report *r,
    const struct pbuf *icmp, unsigned payload_at)
{
	struct report *e;
	struct pbuf *p;

	if (payload_at > icmp->tot_len)
		return;
	e = kzalloc(sizeof(*e));
	p = pbuf_alloc(PBUF_RAW, (u16_t)(icmp->tot_len - payload_at), PBUF_RAM);
	if (e == NULL || p == NULL) {
		kfree(e);
		if (p != NULL)
			pbuf_free(p);
		return;
	}
	(void)pbuf_copy_partial(icmp, p->payload, p->tot_len,
	    (u16_t)payload_at);
	e->ee = (struct sock_extended_err){ .ee_errno = (uint32_t)r->error,
		.ee_origin = r->v6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP,
		.ee_type = r->type,
		.ee_code = r->code,
		.ee_info = r->info };
	ip_of(&e->d.from.ip, r->v6, r->to);
	if (is->s.type != SOCK_RAW && !inet_is_ping(is))
		e->d.from.port = r->to_port;
	note_header(e, icmp->payload, r->v6, r->if_index);
	put(is, e, p);
}

void
inet_errors_put_local(struct inet_sock *is, const struct inet_end *to,
    int error, unsigned mtu)
{
	struct report *e;
	struct pbuf *p;

	if (!(IP_IS_V6_VAL(to->ip) ? is->recverr6 : is->recverr))
		return;
	e = kzalloc(sizeof(*e));
	p = pbuf_alloc(PBUF_RAW, 0, PBUF_RAM);
	if (e == NULL || p == NULL) {
		kfree(e);
		if (p != NULL)
			pbuf_free(p);
		return;
	}
	e->ee = (struct sock_extended_err){ .ee_errno = (uint32_t)error,
		.ee_origin = SO_EE_ORIGIN_LOCAL,
		.ee_info = mtu };
	e->d.from.ip = e->d.to = to->ip;
	/* Linux: what connect(2) said, not this call. */
	e->d.from.port = is->state == INET_CONNECTED ? is->remote.port : 0;
	put(is, e, p);
}

void
inet_errors_drop(struct inet_sock *is)
{
	struct inet_dgram *d;

	while ((d = STAILQ_FIRST(&is->errors)) != NULL) {
		STAILQ_REMOVE_HEAD(&is->errors, link);
		pbuf_free(d->p);
		kfree(container_of(d, struct report, d));
	}
	is->error_bytes = 0;
}

/* ---------------------------------------------------------------- receiving -- */

/* SO_ERROR tells of the one that is next. */
static struct report *
take(struct inet_sock *is)
{
	struct inet_dgram *d = STAILQ_FIRST(&is->errors), *next;
	struct report *e;
	int error = 0;

	if (d == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&is->errors, link);
	is->error_bytes -= d->charge;
	e = container_of(d, struct report, d);
	next = STAILQ_FIRST(&is->errors);
	if (next != NULL && is_icmp(container_of(next, struct report, d)))
		error = (int)container_of(next, struct report, d)->ee.ee_errno;
	if (is_icmp(e) || error != 0)
		is->error = error;
	return e;
}

static void
put_extended(const struct inet_sock *is, struct sock_msg *m,
    const struct report *e)
{
	struct {
		struct sock_extended_err ee;
		uint8_t offender[sizeof(struct sockaddr_in6)];
	} all = { .ee = e->ee };
	struct inet_end end = { .ip = e->offender };
	struct sock_addr addr = { 0 };

	if (is_icmp(e)) {
		inet_addr_put(is, &end, &addr);
		memcpy(all.offender, addr.bytes, addr.len);
	}
	if (is->v6)
		sock_put_cmsg(m, SOL_IPV6, IPV6_RECVERR, &all, sizeof(all));
	else
		sock_put_cmsg(m, SOL_IP, IP_RECVERR, &all,
		    sizeof(all.ee) + sizeof(struct sockaddr_in));
}

long
inet_errors_receive(struct inet_sock *is, struct sock_msg *m)
{
	struct report *e;
	long n;

	net_lock();
	e = take(is);
	net_unlock();
	if (e == NULL)
		return -EAGAIN;
	n = inet_dgram_give(is, &e->d, m, is_icmp(e));
	if (n >= 0) {
		put_extended(is, m, e);
		m->answer |= MSG_ERRQUEUE;
	}
	net_lock();
	pbuf_free(e->d.p);
	net_unlock();
	kfree(e);
	return n;
}
