/* SPDX-License-Identifier: ISC */
/* inet_raw.c - raw sockets: protocols by number, headers as asked.  raw(7). */
#include "net/inet.h"

#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_error.h"
#include "net/inet_pmtu.h"
#include "net/inet_route.h"
#include "net/stack.h"
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/stats.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ip6.h>
#include <lwip/raw.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>

/* --------------------------------------------------------------- receiving -- */

/* Whether a filter of ICMP types lets the message pass. */
static bool
passes_filter(const struct inet_sock *is, const uint8_t *at, unsigned len)
{
	if (len == 0)
		return true;
	if (is->s.protocol == IPPROTO_ICMP && !is->v6)
		return at[0] >= 32 || (is->icmp_filter >> at[0] & 1) == 0;
	if (is->s.protocol == IPPROTO_ICMPV6 && is->v6)
		return (is->icmp6_filter[at[0] >> 5] >> (at[0] & 31) & 1) == 0;
	return true;
}

bool
inet_raw_is_for(const struct inet_sock *is, const ip_addr_t *from)
{
	if (is->state == INET_CONNECTED && !ip_addr_cmp(&is->remote.ip, from))
		return false;
	return is->bound_if == 0 ||
	    is->bound_if == netif_get_index(ip_current_input_netif());
}

/* lwIP goes on with its packet: each socket gets a copy. */
static u8_t
on_receive(void *arg, struct raw_pcb *pcb, struct pbuf *p,
    const ip_addr_t *addr)
{
	struct inet_sock *is = arg;
	struct inet_end from = { .ip = *addr };
	unsigned head = ip_current_header_tot_len();
	struct pbuf *copy;

	(void)pcb;
	if (!inet_raw_is_for(is, addr) || p->len < head ||
	    !passes_filter(is, (const uint8_t *)p->payload + head,
		p->len - head))
		return 0;
	copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
	if (copy != NULL)
		inet_dgram_input(is, copy, &from, is->v6 ? head : 0);
	return 0;
}

int
inet_raw_create(struct inet_sock *is)
{
	is->raw = raw_new_ip_type(is->v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4,
	    (u8_t)is->s.protocol);
	if (is->raw == NULL)
		return -ENOMEM;
	is->hdrincl = is->s.protocol == IPPROTO_RAW;
	raw_recv(is->raw, on_receive, is);
	if (is->v6 && is->s.protocol == IPPROTO_ICMPV6) {
		is->raw->chksum_reqd = 1;
		is->raw->chksum_offset = 2;
	}
	inet_tell_options(is);
	return 0;
}

void
inet_raw_release(struct socket *s)
{
	struct inet_sock *is = inet_of(s);

	net_lock();
	TAILQ_REMOVE(&inet_all, is, all);
	inet_group_leave_all(is);
	raw_remove(is->raw);
	is->raw = NULL;
	inet_dgram_drop(is);
	net_unlock();
	inet_put(is);
}

/* ------------------------------------------------------------------- names -- */

static int
bind(struct socket *s, const struct sock_addr *addr, const struct vfs_ctx *vfs)
{
	struct inet_sock *is = inet_of(s);
	struct inet_end end;
	int error = inet_addr_get(is, addr, &end);

	(void)vfs;
	if (error != 0)
		return error;
	net_lock();
	if (!is->freebind && !inet_addr_is_local(&end.ip))
		error = -EADDRNOTAVAIL;
	else
		error = inet_errno(raw_bind(is->raw, &end.ip));
	if (error == 0)
		is->local.ip = end.ip;
	net_unlock();
	return error;
}

int
inet_raw_connect(struct socket *s, const struct sock_addr *addr, bool nonblock,
    const struct vfs_ctx *vfs)
{
	struct inet_sock *is = inet_of(s);
	struct inet_end to;
	int error = 0;

	(void)nonblock;
	(void)vfs;
	net_lock();
	if (addr->len >= sizeof(addr->family) && addr->family == AF_UNSPEC) {
		raw_disconnect(is->raw);
		is->state = INET_CLOSED;
		is->remote = (struct inet_end){ .ip = *inet_any(is) };
	} else {
		error = inet_addr_get(is, addr, &to);
		if (error == 0 && is->bound_if == 0 &&
		    !ip_addr_ismulticast(&to.ip) && !ip_addr_isany(&to.ip))
			error = inet_route_check(&is->local.ip, &to.ip);
		if (error == 0) {
			is->remote.ip = to.ip;
			if (inet_is_ping(is))
				is->remote.port = to.port;
			is->state = INET_CONNECTED;
		}
	}
	net_unlock();
	return error;
}

/* ----------------------------------------------------------------- sending -- */

static err_t
send_with_header(struct pbuf *p, const struct inet_end *to, struct netif *nif)
{
	struct ip_hdr *h = p->payload;
	const ip_addr_t *from;

	if (p->len < IP_HLEN || IPH_V(h) != 4 || IPH_HL_BYTES(h) < IP_HLEN ||
	    IPH_HL_BYTES(h) > p->len)
		return ERR_ARG;
	/* What the kernel fills in (raw(7)). */
	IPH_LEN_SET(h, lwip_htons(p->tot_len));
	if (h->src.addr == 0 && (from = ip_netif_get_local_ip(nif, &to->ip)))
		h->src.addr = ip4_addr_get_u32(ip_2_ip4(from));
	IPH_CHKSUM_SET(h, 0);
	IPH_CHKSUM_SET(h, inet_chksum(h, IPH_HL_BYTES(h)));
	return ip4_output_if(p, NULL, LWIP_IP_HDRINCL, 0, 0, 0, nif);
}

/* More than may be sent; the program finds out how much that is. */
static bool
is_too_large(struct inet_sock *is, const struct pbuf *p,
    const struct inet_end *to, const struct netif *nif)
{
	unsigned head = is->v6 ? IP6_HLEN : is->hdrincl ? 0 : IP_HLEN;
	unsigned mtu = ethif_mtu(nif), len = p->tot_len + head;

	if (inet_pmtu_check(is, &to->ip, nif, len, &mtu) == 0 &&
	    (!is->hdrincl || is->v6 || len <= mtu))
		return false;
	inet_errors_put_local(is, to, EMSGSIZE, mtu);
	return true;
}

static err_t
send_locked(struct inet_sock *is, struct pbuf *p, const struct inet_end *to,
    const struct inet_how *how)
{
	const ip_addr_t *from = how->has_from ? &how->from : &is->local.ip;
	u8_t ttl = is->raw->ttl, tos = is->raw->tos;
	struct netif *nif = how->if_index != 0 ?
	    ethif_by_index((unsigned)how->if_index) :
	    ip_route(from, &to->ip);
	err_t err;

	if (nif == NULL)
		return ERR_RTE;
	if (is_too_large(is, p, to, nif))
		return ERR_BUF;
	if (is->hdrincl && !is->v6)
		return send_with_header(p, to, nif);
	if (ip_addr_isany(from))
		from = ip_netif_get_local_ip(nif, &to->ip);
	if (from == NULL)
		return ERR_RTE;
	if (how->ttl > 0)
		is->raw->ttl = (u8_t)how->ttl;
	if (how->tos >= 0)
		is->raw->tos = (u8_t)how->tos;
	inet_pmtu_begin(is);
	err = raw_sendto_if_src(is->raw, p, &to->ip, nif, from);
	inet_pmtu_end();
	is->raw->ttl = ttl;
	is->raw->tos = tos;
	return err;
}

/* Of a message of ICMP, for /proc/net; -1: it is none. */
static int
icmp_type_of(const struct inet_sock *is, const struct pbuf *p)
{
	bool icmp = is->s.protocol == (is->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	return icmp && !is->hdrincl && p->len > 0 ?
	    *(const uint8_t *)p->payload :
	    -1;
}

int
inet_raw_output(struct inet_sock *is, struct pbuf *p, const struct inet_end *to,
    const struct inet_how *how)
{
	int type = icmp_type_of(is, p);
	err_t err = send_locked(is, p, to, how);

	if (err == ERR_OK && type >= 0)
		lwip_port_stats.icmps[is->v6].out[type]++;
	switch (err) {
	case ERR_RTE: return inet_route_error(&is->local.ip, &to->ip);
	case ERR_BUF: return -EMSGSIZE;
	case ERR_MEM: return -ENOBUFS;
	case ERR_VAL: return -EACCES; /* broadcast without SO_BROADCAST */
	default: return inet_errno(err);
	}
}

int
inet_raw_target(const struct inet_sock *is, const struct sock_msg *m,
    struct inet_end *to)
{
	if (m->name != NULL)
		return inet_addr_get(is, m->name, to);
	if (is->state != INET_CONNECTED)
		return -EDESTADDRREQ;
	*to = is->remote;
	return 0;
}

static long
send(struct socket *s, struct sock_msg *m)
{
	static const struct inet_sender raw = { .target = inet_raw_target,
		.output = inet_raw_output,
		.max4 = UINT16_MAX,
		.max6 = UINT16_MAX };

	return inet_dgram_send(s, m, &raw);
}

const struct socket_ops inet_raw_ops = {
	.release = inet_raw_release,
	.bind = bind,
	.connect = inet_raw_connect,
	.name = inet_name,
	.send = send,
	.receive = inet_dgram_receive,
	.shutdown = inet_dgram_shutdown,
	.poll = inet_dgram_poll,
	.set_option = inet_set_option,
	.get_option = inet_get_option,
	.ioctl = inet_ioctl,
	.options_changed = inet_options_changed,
	.take_error = inet_take_error,
	.memory = inet_memory,
};
