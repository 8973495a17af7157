/* SPDX-License-Identifier: ISC */
/*
 * inet_diag.c - NETLINK_SOCK_DIAG: the Internet's sockets for ss.
 * sock_diag(7).
 */
#include "kern/string.h"
#include "net/inet.h"
#include "net/inet_tcp_info.h"
#include "net/netlink.h"
#include "net/nlmsg.h"
#include "net/sock_option.h"
#include "net/stack.h"
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#define CLOSE 7u /* TCP_CLOSE, which no header for the kernel has */

/* inet_diag_req_v2's states: a bit each, by Linux's numbers. */
static bool
wants(const struct inet_diag_req_v2 *q, unsigned state)
{
	return (q->idiag_states >> state & 1) != 0;
}

static void
put_end(__be32 to[4], __be16 *port, const ip_addr_t *ip, uint16_t p, bool v6)
{
	ip6_addr_t mapped;

	*port = lwip_htons(p);
	if (!v6) {
		to[0] = IP_IS_V4(ip) ? ip_2_ip4(ip)->addr : 0;
	} else if (IP_IS_V4(ip)) {
		ip4_2_ipv4_mapped_ipv6(&mapped, ip_2_ip4(ip));
		memcpy(to, mapped.addr, 16);
	} else {
		memcpy(to, ip_2_ip6(ip)->addr, 16);
	}
}

static struct inet_diag_msg *
begin(struct nlmsg *m, unsigned state, bool v6, uint64_t cookie)
{
	struct inet_diag_msg *d = nlmsg_begin(m, SOCK_DIAG_BY_FAMILY,
	    NLM_F_MULTI, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->idiag_family = v6 ? AF_INET6 : AF_INET;
	d->idiag_state = (uint8_t)state;
	d->id.idiag_cookie[0] = (uint32_t)cookie;
	d->id.idiag_cookie[1] = (uint32_t)(cookie >> 32);
	return d;
}

static void
put_timer(struct inet_diag_msg *d, const struct tcp_pcb *pcb)
{
	struct inet_tcp_timer t;

	inet_tcp_timer(pcb, &t);
	d->idiag_timer = (uint8_t)t.kind;
	d->idiag_retrans = (uint8_t)(t.kind == 1 ? t.tries : t.probes);
	d->idiag_expires = t.left_ms;
}

static void
put_memory(struct nlmsg *m, const struct inet_diag_req_v2 *q,
    struct inet_sock *is)
{
	uint32_t v[SK_MEMINFO_VARS];
	struct inet_diag_meminfo old;

	sock_memory(&is->s, v);
	old = (struct inet_diag_meminfo){
		.idiag_rmem = v[SK_MEMINFO_RMEM_ALLOC],
		.idiag_wmem = v[SK_MEMINFO_WMEM_QUEUED],
		.idiag_tmem = v[SK_MEMINFO_WMEM_ALLOC],
	};
	if ((q->idiag_ext & 1 << (INET_DIAG_MEMINFO - 1)) != 0)
		nlmsg_put(m, INET_DIAG_MEMINFO, &old, sizeof(old));
	if ((q->idiag_ext & 1 << (INET_DIAG_SKMEMINFO - 1)) != 0)
		nlmsg_put(m, INET_DIAG_SKMEMINFO, v, sizeof(v));
}

static void
put_extras(struct nlmsg *m, const struct inet_diag_req_v2 *q,
    struct inet_sock *is)
{
	struct tcp_info info;

	if ((q->idiag_ext & 1 << (INET_DIAG_INFO - 1)) != 0 &&
	    is->s.type == SOCK_STREAM) {
		inet_tcp_info_locked(is, &info);
		nlmsg_put(m, INET_DIAG_INFO, &info, sizeof(info));
	}
	if ((q->idiag_ext & 1 << (INET_DIAG_CONG - 1)) != 0 &&
	    is->s.type == SOCK_STREAM)
		nlmsg_put_string(m, INET_DIAG_CONG, "reno");
	put_memory(m, q, is);
	nlmsg_put_u8(m, INET_DIAG_SHUTDOWN,
	    (uint8_t)(is->rx_shut | is->tx_shut << 1));
	if (is->v6)
		nlmsg_put_u8(m, INET_DIAG_SKV6ONLY, is->v6only);
}

static void
put_sock(struct nlmsg *m, const struct inet_diag_req_v2 *q,
    struct inet_sock *is)
{
	unsigned state = is->s.type == SOCK_STREAM ? inet_tcp_state(is) :
	    is->state == INET_CONNECTED            ? 1 :
						     7;
	struct inet_diag_msg *d;

	/* Who neither listens nor is connected is not shown. */
	if (!wants(q, state) || (is->s.type == SOCK_STREAM && state == CLOSE))
		return;
	d = begin(m, state, is->v6, is->s.ino);
	if (d == NULL)
		return;
	put_end(d->id.idiag_src, &d->id.idiag_sport, &is->local.ip,
	    is->local.port, is->v6);
	put_end(d->id.idiag_dst, &d->id.idiag_dport, &is->remote.ip,
	    is->remote.port, is->v6);
	d->id.idiag_if = (uint32_t)is->bound_if;
	d->idiag_uid = is->uid;
	d->idiag_inode = (uint32_t)is->s.ino;
	d->idiag_rqueue = is->rx_bytes;
	d->idiag_wqueue = (uint32_t)(is->queued - is->acked);
	if (is->state == INET_LISTENING) {
		d->idiag_rqueue = is->nwaiting;
		d->idiag_wqueue = is->backlog;
	}
	if (is->s.type == SOCK_STREAM)
		put_timer(d, is->tcp);
	put_extras(m, q, is);
	nlmsg_end(m);
}

/* Connections that no program has any more. */
static void
put_orphans(struct nlmsg *m, const struct inet_diag_req_v2 *q,
    const struct tcp_pcb *pcb)
{
	bool v6 = q->sdiag_family == AF_INET6;
	const struct inet_sock *is;
	struct inet_diag_msg *d;
	unsigned state;

	for (; pcb != NULL; pcb = pcb->next) {
		is = pcb->callback_arg;
		state = inet_tcp_state_of(pcb->state);
		if ((is != NULL && !is->orphan) || !wants(q, state) ||
		    IP_IS_V6_VAL(pcb->remote_ip) != v6)
			continue;
		d = begin(m, state, v6, 0);
		if (d == NULL)
			return;
		put_end(d->id.idiag_src, &d->id.idiag_sport, &pcb->local_ip,
		    pcb->local_port, v6);
		put_end(d->id.idiag_dst, &d->id.idiag_dport, &pcb->remote_ip,
		    pcb->remote_port, v6);
		put_timer(d, pcb);
		nlmsg_end(m);
	}
}

static void
dump(struct nlmsg *m, const struct inet_diag_req_v2 *q)
{
	struct inet_sock *is;

	net_lock();
	TAILQ_FOREACH (is, &inet_all, all)
		if (is->s.family == q->sdiag_family &&
		    (is->s.type == SOCK_RAW ?
			    q->sdiag_protocol == IPPROTO_RAW :
			    is->s.protocol == q->sdiag_protocol))
			put_sock(m, q, is);
	if (q->sdiag_protocol == IPPROTO_TCP) {
		put_orphans(m, q, tcp_active_pcbs);
		put_orphans(m, q, tcp_tw_pcbs);
	}
	net_unlock();
}

/* ------------------------------------------------------- one by its name -- */

static bool
is_named(const struct inet_diag_sockid *id, const struct inet_sock *is)
{
	struct inet_diag_sockid own = { 0 };

	if (id->idiag_cookie[0] != INET_DIAG_NOCOOKIE &&
	    (id->idiag_cookie[0] != (uint32_t)is->s.ino ||
		id->idiag_cookie[1] != (uint32_t)(is->s.ino >> 32)))
		return false;
	put_end(own.idiag_src, &own.idiag_sport, &is->local.ip, is->local.port,
	    is->v6);
	put_end(own.idiag_dst, &own.idiag_dport, &is->remote.ip,
	    is->remote.port, is->v6);
	return own.idiag_sport == id->idiag_sport &&
	    own.idiag_dport == id->idiag_dport &&
	    memcmp(own.idiag_src, id->idiag_src, sizeof(own.idiag_src)) == 0 &&
	    memcmp(own.idiag_dst, id->idiag_dst, sizeof(own.idiag_dst)) == 0;
}

/* SOCK_DESTROY: whoever has it is told ECONNABORTED, and the peer a reset. */
static int
destroy(const struct inet_diag_req_v2 *q)
{
	int error = -ENOENT;
	struct inet_sock *is;

	if (!sock_hooks->capable(CAP_NET_ADMIN))
		return -EPERM;
	if (q->sdiag_protocol != IPPROTO_TCP &&
	    q->sdiag_protocol != IPPROTO_UDP)
		return -EOPNOTSUPP;
	net_lock();
	TAILQ_FOREACH (is, &inet_all, all) {
		if (is->s.family != q->sdiag_family ||
		    is->s.protocol != q->sdiag_protocol ||
		    !is_named(&q->id, is))
			continue;
		error = 0;
		if (is->s.type == SOCK_STREAM)
			inet_tcp_destroy(is);
		else
			is->error = ECONNABORTED;
		waitq_wake_all(&is->wq);
		break;
	}
	net_unlock();
	return error;
}

static int
check(const struct nlmsghdr *h, const struct inet_diag_req_v2 *q)
{
	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY &&
	    h->nlmsg_type != SOCK_DESTROY)
		return -EINVAL;
	if (h->nlmsg_len < NLMSG_HDRLEN + 1)
		return -EINVAL;
	if (q->sdiag_family != AF_INET && q->sdiag_family != AF_INET6)
		return -ENOENT;
	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(*q))
		return -EINVAL;
	if (h->nlmsg_type == SOCK_DESTROY)
		return net_up();
	/* What one socket is like, by its name, is not offered. */
	return (h->nlmsg_flags & NLM_F_DUMP) == 0 ? -EOPNOTSUPP : net_up();
}

static int
answer(struct netlink_sock *from, const struct nlmsghdr *h)
{
	const struct inet_diag_req_v2 *q = (const void *)((const uint8_t *)h +
	    NLMSG_HDRLEN);
	int error = check(h, q);
	struct nlmsgerr *e;
	struct nlmsg m;

	nlmsg_init(&m, from, h->nlmsg_seq, netlink_portid(from));
	if (error == 0 && h->nlmsg_type == SOCK_DESTROY)
		error = destroy(q);
	if (error == 0 && h->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
		dump(&m, q);
		(void)nlmsg_begin(&m, NLMSG_DONE, NLM_F_MULTI, sizeof(int));
	} else {
		e = nlmsg_begin(&m, NLMSG_ERROR, 0, sizeof(*e));
		if (e != NULL) {
			e->error = error;
			e->msg = *h;
		}
	}
	nlmsg_end(&m);
	return nlmsg_fini(&m);
}

static int
input(struct netlink_sock *from, const void *data, size_t len,
    const struct sock_cred *cred)
{
	const struct nlmsghdr *h = data;

	(void)cred;
	if (len < NLMSG_HDRLEN || h->nlmsg_len < NLMSG_HDRLEN ||
	    h->nlmsg_len > len)
		return -EINVAL;
	return answer(from, h);
}

const struct netlink_proto netlink_diag = {
	.protocol = NETLINK_SOCK_DIAG,
	.ngroups = 4,
	.input = input,
};
