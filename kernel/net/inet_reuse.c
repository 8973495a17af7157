/* SPDX-License-Identifier: ISC */
/*
 * inet_reuse.c - SO_REUSEPORT: several sockets on one port, of which one is
 * chosen for each connection or sender.  socket(7).
 *
 * Of listeners only one, the lead, has a control block of lwIP's; the others
 * are its members.  When the lead goes, a member gets the block.
 */
#include "net/inet.h"

#include "kern/string.h"
#include <lwip/tcp.h>
#include <lwip/udp.h>
#include <linux/errno.h>

/* The same place and owner, and both agree. */
static bool
may_share(const struct inet_sock *a, const struct inet_sock *b)
{
	return a != b && a->s.type == b->s.type &&
	    a->s.protocol == b->s.protocol && a->s.flag_reuseport &&
	    b->s.flag_reuseport && a->uid == b->uid &&
	    a->local.port == b->local.port && a->bound_if == b->bound_if &&
	    ip_addr_cmp(&a->local.ip, &b->local.ip);
}

/* One sender always reaches the same socket while they are the same. */
static uint32_t
hash(const ip_addr_t *ip, uint16_t port)
{
	uint32_t h = port * 0x9e3779b1u;
	unsigned i;

	for (i = 0; i < (IP_IS_V6(ip) ? 4u : 1u); i++)
		h = (h ^ ip_2_ip6(ip)->addr[i]) * 0x85ebca6bu;
	return h ^ h >> 15;
}

int
inet_reuse_join(struct inet_sock *is)
{
	struct tcp_pcb *pcb = is->tcp;
	struct inet_sock *l;

	TAILQ_FOREACH (l, &inet_all, all)
		if (l->state == INET_LISTENING && l->lead == NULL &&
		    may_share(is, l))
			break;
	if (l == NULL)
		return -EADDRINUSE;
	inet_tcp_detach(is);
	(void)tcp_close(pcb);
	is->lead = l;
	TAILQ_INSERT_TAIL(&l->members, is, member);
	return 0;
}

/* The first member becomes the lead of the others. */
static void
hand_over(struct inet_sock *is)
{
	struct inet_sock *heir = TAILQ_FIRST(&is->members), *m;

	TAILQ_REMOVE(&is->members, heir, member);
	heir->lead = NULL;
	while ((m = TAILQ_FIRST(&is->members)) != NULL) {
		TAILQ_REMOVE(&is->members, m, member);
		m->lead = heir;
		TAILQ_INSERT_TAIL(&heir->members, m, member);
	}
	heir->tcp = is->tcp;
	inet_get(heir);
	tcp_arg(heir->tcp, heir);
	is->tcp = NULL;
	inet_put(is);
}

void
inet_reuse_leave(struct inet_sock *is)
{
	if (is->lead != NULL) {
		TAILQ_REMOVE(&is->lead->members, is, member);
		is->lead = NULL;
	} else if (!TAILQ_EMPTY(&is->members)) {
		hand_over(is);
	}
}

struct inet_sock *
inet_reuse_listener(struct inet_sock *lead, const ip_addr_t *ip, uint16_t port)
{
	struct inet_sock *m;
	unsigned n = 1, k;

	if (TAILQ_EMPTY(&lead->members))
		return lead;
	TAILQ_FOREACH (m, &lead->members, member)
		n++;
	k = hash(ip, port) % n;
	m = lead;
	for (; k > 0; k--)
		m = m == lead ? TAILQ_FIRST(&lead->members) :
				TAILQ_NEXT(m, member);
	return m;
}

/* NULL: a control block of lwIP's own. */
static bool
takes_part(const struct inet_sock *is, const struct inet_sock *other)
{
	return other != NULL && other->state != INET_CONNECTED &&
	    may_share(is, other);
}

/* While a datagram comes lwIP's list has the blocks of its port (udps.c). */
struct inet_sock *
inet_reuse_dgram(struct inet_sock *is, const ip_addr_t *ip, uint16_t port)
{
	const struct udp_pcb *pcb;
	unsigned n = 1, k;

	if (!is->s.flag_reuseport || is->state == INET_CONNECTED)
		return is;
	for (pcb = udp_pcbs; pcb != NULL; pcb = pcb->next)
		n += takes_part(is, pcb->recv_arg);
	k = hash(ip, port) % n;
	for (pcb = udp_pcbs; pcb != NULL; pcb = pcb->next)
		if ((pcb == is->udp || takes_part(is, pcb->recv_arg)) &&
		    k-- == 0)
			return pcb->recv_arg;
	return is;
}

static bool
covers(const ip_addr_t *a, const ip_addr_t *b)
{
	if (IP_IS_ANY_TYPE_VAL(*a))
		return true;
	return IP_GET_TYPE(a) == IP_GET_TYPE(b) &&
	    (ip_addr_isany(a) || ip_addr_cmp_zoneless(a, b));
}

/* Whether both say that they share. */
static bool
agree(const struct inet_sock *a, const struct inet_sock *b)
{
	if (a->s.flag_reuseport && b->s.flag_reuseport && a->uid == b->uid)
		return true;
	return a->s.flag_reuseaddr && b->s.flag_reuseaddr &&
	    a->state != INET_LISTENING && b->state != INET_LISTENING;
}

bool
inet_reuse_conflict(const struct inet_sock *is, const struct inet_end *end)
{
	const struct inet_sock *o;

	TAILQ_FOREACH (o, &inet_all, all)
		if (o != is && o->pcb != NULL && o->local.port == end->port &&
		    o->s.type == is->s.type &&
		    o->s.protocol == is->s.protocol &&
		    (o->bound_if == 0 || is->bound_if == 0 ||
			o->bound_if == is->bound_if) &&
		    (covers(&o->local.ip, &end->ip) ||
			covers(&end->ip, &o->local.ip)) &&
		    !agree(is, o))
			return true;
	return false;
}
