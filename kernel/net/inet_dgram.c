/* SPDX-License-Identifier: ISC */
/*
 * inet_dgram.c - what datagrams of UDP and raw sockets share: the queue of
 * those that came, their control messages, and a message's way into a pbuf.
 */
#include "net/inet.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "net/ethif.h"
#include "net/inet_error.h"
#include "net/sock_option.h"
#include "net/stack.h"
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/stats.h>
#include <asm/socket.h>
#include <linux/errno.h>
#include <linux/poll.h>
#include <linux/in.h>
#include <linux/in6.h>

#define BUF_MEMORY 2048u /* that a card's buffer takes, however full */
#define LEN_MAX    65535u

/* -------------------------------------------------------------- what came -- */

static uint32_t
memory_of(const struct pbuf *p)
{
	uint32_t n = sizeof(struct inet_dgram);

	for (; p != NULL; p = p->next)
		n += (p->flags & PBUF_FLAG_IS_CUSTOM) != 0 ?
		    BUF_MEMORY :
		    p->len + sizeof(*p);
	return n;
}

static void
note_header(struct inet_dgram *d)
{
	d->to = *ip_current_dest_addr();
	d->if_index = netif_get_index(ip_current_input_netif());
	if (ip_current_is_v6()) {
		d->ttl = IP6H_HOPLIM(ip6_current_header());
		d->tos = IP6H_TC(ip6_current_header());
	} else {
		d->ttl = IPH_TTL(ip4_current_header());
		d->tos = IPH_TOS(ip4_current_header());
	}
}

int64_t
inet_dgram_stamp(const struct inet_sock *is)
{
	return sock_wants_stamp(&is->s) ? clock_real_ns() : 0;
}

/* Of UDP, for /proc/net. */
static void
count(const struct inet_sock *is, bool taken)
{
	struct lwip_port_udp *u =
	    &lwip_port_stats.udp[ip_current_is_v6() != 0][inet_is_udplite(is)];

	if (is->s.type != SOCK_DGRAM || inet_is_ping(is))
		return;
	if (taken)
		u->in++;
	else
		u->full++;
}

void
inet_dgram_input(struct inet_sock *is, struct pbuf *p,
    const struct inet_end *from, unsigned skip)
{
	uint32_t charge = memory_of(p);
	struct inet_dgram *d = NULL;

	if (!is->rx_shut && is->rx_bytes + charge <= is->s.rcvbuf)
		d = kmalloc(sizeof(*d));
	if (d == NULL || pbuf_remove_header(p, skip) != 0) {
		count(is, false);
		is->s.drops++;
		kfree(d);
		pbuf_free(p);
		return;
	}
	count(is, true);
	note_header(d);
	d->p = p;
	d->from = *from;
	d->to_port = is->local.port;
	d->charge = charge;
	d->when_ns = inet_dgram_stamp(is);
	STAILQ_INSERT_TAIL(&is->dgrams, d, link);
	__atomic_add_fetch(&is->rx_bytes, charge, __ATOMIC_RELEASE);
	waitq_wake_all(&is->wq);
}

static void
free_dgram(struct inet_dgram *d)
{
	if (d != NULL)
		pbuf_free(d->p);
	kfree(d);
}

void
inet_dgram_drop(struct inet_sock *is)
{
	struct inet_dgram *d;

	while ((d = STAILQ_FIRST(&is->dgrams)) != NULL) {
		STAILQ_REMOVE_HEAD(&is->dgrams, link);
		free_dgram(d);
	}
	is->rx_bytes = 0;
}

/* -------------------------------------------------------- control messages -- */

static void
put_pktinfo(struct sock_msg *m, const struct inet_dgram *d)
{
	struct in_pktinfo info = { .ipi_ifindex = d->if_index };

	info.ipi_addr.s_addr = info.ipi_spec_dst.s_addr = ip4_addr_get_u32(
	    ip_2_ip4(&d->to));
	sock_put_cmsg(m, SOL_IP, IP_PKTINFO, &info, sizeof(info));
}

/* struct in6_pktinfo, which linux/ipv6.h has with much else. */
struct pktinfo6 {
	uint8_t addr[16];
	int32_t if_index;
};

static void
put_pktinfo6(struct sock_msg *m, const struct inet_dgram *d, int type)
{
	struct pktinfo6 info = { .if_index = d->if_index };
	ip6_addr_t mapped;

	if (IP_IS_V6_VAL(d->to)) {
		memcpy(info.addr, ip_2_ip6(&d->to)->addr, 16);
	} else {
		ip4_2_ipv4_mapped_ipv6(&mapped, ip_2_ip4(&d->to));
		memcpy(info.addr, mapped.addr, 16);
	}
	sock_put_cmsg(m, SOL_IPV6, type, &info, sizeof(info));
}

/* To whom it was sent, with the port, as the family shows it. */
static void
put_origdst(const struct inet_sock *is, struct sock_msg *m,
    const struct inet_dgram *d)
{
	bool v4 = is->origdst && !IP_IS_V6_VAL(d->to);
	struct inet_end to = { .ip = d->to, .port = d->to_port };
	struct sock_addr addr;

	if (!v4 && !(is->origdst6 && IP_IS_V6_VAL(d->to)))
		return;
	inet_addr_put(is, &to, &addr);
	sock_put_cmsg(m, v4 ? SOL_IP : SOL_IPV6,
	    v4 ? IP_ORIGDSTADDR : IPV6_ORIGDSTADDR, addr.bytes, addr.len);
}

static void
put_cmsgs(const struct inet_sock *is, struct sock_msg *m,
    const struct inet_dgram *d)
{
	bool v6 = IP_IS_V6_VAL(d->to);
	int n;

	if (is->pktinfo && !v6)
		put_pktinfo(m, d);
	if (is->pktinfo6 && is->v6)
		put_pktinfo6(m, d, IPV6_PKTINFO);
	if (is->pktinfo6_old && is->v6)
		put_pktinfo6(m, d, IPV6_2292PKTINFO);
	n = d->ttl;
	if (is->recvttl && !v6)
		sock_put_cmsg(m, SOL_IP, IP_TTL, &n, sizeof(n));
	if (is->recvttl6 && v6)
		sock_put_cmsg(m, SOL_IPV6, IPV6_HOPLIMIT, &n, sizeof(n));
	if (is->recvttl6_old && v6)
		sock_put_cmsg(m, SOL_IPV6, IPV6_2292HOPLIMIT, &n, sizeof(n));
	n = d->tos;
	if (is->recvtos && !v6)
		sock_put_cmsg(m, SOL_IP, IP_TOS, &d->tos, 1);
	if (is->recvtclass && v6)
		sock_put_cmsg(m, SOL_IPV6, IPV6_TCLASS, &n, sizeof(n));
	put_origdst(is, m, d);
}

static void
how_pktinfo(const struct sock_cmsg *c, struct inet_how *how)
{
	struct in_pktinfo info;

	memcpy(&info, c->data, sizeof(info));
	how->if_index = info.ipi_ifindex;
	how->has_from = info.ipi_spec_dst.s_addr != 0;
	ip_addr_set_zero_ip4(&how->from);
	ip4_addr_set_u32(ip_2_ip4(&how->from), info.ipi_spec_dst.s_addr);
}

static void
how_pktinfo6(const struct sock_cmsg *c, struct inet_how *how)
{
	struct pktinfo6 info;

	memcpy(&info, c->data, sizeof(info));
	how->if_index = info.if_index;
	ip_addr_set_zero_ip6(&how->from);
	memcpy(ip_2_ip6(&how->from)->addr, info.addr, 16);
	how->has_from = !ip_addr_isany_val(how->from);
	if (ip6_addr_isipv4mappedipv6(ip_2_ip6(&how->from))) {
		unmap_ipv4_mapped_ipv6(ip_2_ip4(&how->from),
		    ip_2_ip6(&how->from));
		IP_SET_TYPE_VAL(how->from, IPADDR_TYPE_V4);
	}
}

static int
how_one(const struct sock_cmsg *c, struct inet_how *how)
{
	bool number = c->len >= sizeof(int);
	int n = 0;

	memcpy(&n, c->data, MIN(c->len, (uint32_t)sizeof(n)));
	if (c->level == SOL_IP && c->type == IP_PKTINFO &&
	    c->len >= sizeof(struct in_pktinfo))
		how_pktinfo(c, how);
	else if (c->level == SOL_IPV6 && c->type == IPV6_PKTINFO &&
	    c->len >= sizeof(struct pktinfo6))
		how_pktinfo6(c, how);
	else if (number && c->level == SOL_IP && c->type == IP_TTL)
		how->ttl = n;
	else if (c->len > 0 && c->level == SOL_IP && c->type == IP_TOS)
		how->tos = c->len >= sizeof(int) ? n : n & 0xff;
	else if (number && c->level == SOL_IPV6 && c->type == IPV6_HOPLIMIT)
		how->ttl = n;
	else if (number && c->level == SOL_IPV6 && c->type == IPV6_TCLASS)
		how->tos = n;
	else
		return c->level == SOL_IP || c->level == SOL_IPV6 ||
			c->level == SOL_UDP ?
		    -EINVAL :
		    0;
	return 0;
}

static int
find_how(const struct inet_sock *is, const struct sock_msg *m,
    struct inet_how *how)
{
	unsigned i;
	int error = 0;

	*how = (struct inet_how){ .ttl = -1, .tos = -1 };
	how->if_index = is->bound_if;
	for (i = 0; i < m->ncmsg && error == 0; i++)
		error = how_one(&m->cmsg[i], how);
	if (error == 0 && (how->ttl == 0 || how->ttl > 255 || how->tos > 255))
		error = -EINVAL;
	return error;
}

/* --------------------------------------------------------------- receiving -- */

static bool
may_read(struct inet_sock *is)
{
	return __atomic_load_n(&is->rx_bytes, __ATOMIC_ACQUIRE) > 0 ||
	    is->error != 0 || is->rx_shut;
}

/* The first one, taken off; with MSG_PEEK another reference to its bytes. */
static int
take_first(struct inet_sock *is, bool peek, struct inet_dgram **out)
{
	struct inet_dgram *d, *copy;
	int error = 0;

	net_lock();
	d = STAILQ_FIRST(&is->dgrams);
	if (is->error != 0) {
		d = NULL;
		error = -inet_take_error(&is->s);
	} else if (d == NULL) {
		error = is->rx_shut ? 0 : -EAGAIN;
	} else if (!peek) {
		STAILQ_REMOVE_HEAD(&is->dgrams, link);
		__atomic_sub_fetch(&is->rx_bytes, d->charge, __ATOMIC_RELEASE);
	} else if ((copy = kmalloc(sizeof(*copy))) != NULL) {
		*copy = *d;
		pbuf_ref(d->p);
		d = copy;
	} else {
		error = -ENOMEM;
		d = NULL;
	}
	net_unlock();
	*out = d;
	return error;
}

static long
copy_dgram(const struct inet_dgram *d, struct sock_msg *m)
{
	const struct pbuf *p;
	size_t total = d->p->tot_len, want = MIN(total, m->u->resid), n;

	for (p = d->p; p != NULL && want > 0; p = p->next) {
		n = MIN(want, (size_t)p->len);
		if (uio_put(m->u, p->payload, n) < n)
			return -EFAULT;
		want -= n;
	}
	return (long)total;
}

long
inet_dgram_give(struct inet_sock *is, const struct inet_dgram *d,
    struct sock_msg *m, bool whole)
{
	size_t room = m->u->resid;
	long total = copy_dgram(d, m);

	if (total < 0)
		return total;
	if (m->name != NULL)
		inet_addr_put(is, &d->from, m->name);
	sock_put_stamp(&is->s, m, d->when_ns);
	sock_put_drops(&is->s, m);
	if (whole)
		put_cmsgs(is, m, d);
	if ((size_t)total <= room)
		return total;
	m->answer |= MSG_TRUNC;
	return (m->flags & MSG_TRUNC) != 0 ? total : (long)room;
}

long
inet_dgram_receive(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *is = inet_of(s);
	struct inet_dgram *d;
	int error;
	long n;

	if ((m->flags & MSG_OOB) != 0 && s->ops != &inet_udp_ops)
		return -EOPNOTSUPP;
	if ((m->flags & MSG_ERRQUEUE) != 0)
		return inet_errors_receive(is, m);
	while ((error = take_first(is, (m->flags & MSG_PEEK) != 0, &d)) ==
	    -EAGAIN) {
		error = inet_wait(is, may_read, s->rcvtimeo_ns,
		    (m->flags & MSG_DONTWAIT) != 0);
		if (error != 0)
			return error;
	}
	if (error != 0 || d == NULL)
		return error;
	n = inet_dgram_give(is, d, m, true);
	net_lock();
	free_dgram(d);
	net_unlock();
	return n;
}

unsigned
inet_dgram_poll(struct socket *s, struct poll_table *table)
{
	struct inet_sock *is = inet_of(s);
	unsigned events = POLLOUT | POLLWRNORM | POLLWRBAND;

	poll_wait(table, &is->wq);
	if (is->error != 0 ||
	    __atomic_load_n(&is->error_bytes, __ATOMIC_ACQUIRE) > 0)
		events |= POLLERR | (is->s.flag_err_pri ? POLLPRI : 0);
	if (__atomic_load_n(&is->rx_bytes, __ATOMIC_ACQUIRE) > 0)
		events |= POLLIN | POLLRDNORM;
	if (is->rx_shut)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (is->rx_shut && is->tx_shut)
		events |= POLLHUP;
	return events;
}

/* ----------------------------------------------------------------- sending -- */

/* The message's bytes in a pbuf with room for headers. */
static int
take_bytes(struct sock_msg *m, struct pbuf **out)
{
	size_t len = m->u->resid;
	struct pbuf *p;

	if (len > LEN_MAX)
		return -EMSGSIZE;
	p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);
	if (p == NULL)
		return -ENOBUFS;
	if (uio_get(m->u, p->payload, len) < len) {
		pbuf_free(p); /* nobody else knows it */
		return -EFAULT;
	}
	*out = p;
	return 0;
}

int
inet_dgram_target(struct inet_sock *is, const struct sock_msg *m,
    const struct inet_sender *sender, struct inet_end *to, struct inet_how *how)
{
	int error = sender->target(is, m, to);

	if (error == 0)
		error = find_how(is, m, how);
	if (error == 0 && is->error != 0)
		error = -inet_take_error(&is->s);
	return error;
}

long
inet_dgram_send(struct socket *s, struct sock_msg *m,
    const struct inet_sender *sender)
{
	struct inet_sock *is = inet_of(s);
	size_t len = m->u->resid;
	struct inet_how how;
	struct inet_end to;
	struct pbuf *p;
	int error;

	if ((m->flags & MSG_OOB) != 0)
		return -EOPNOTSUPP;
	if (is->tx_shut)
		return -EPIPE;
	if (sender->corks &&
	    ((m->flags & MSG_MORE) != 0 || is->udp_cork || is->corked != NULL))
		return inet_cork_send(is, m, sender);
	error = inet_dgram_target(is, m, sender, &to, &how);
	if (error == 0 &&
	    len > (IP_IS_V6_VAL(to.ip) ? sender->max6 : sender->max4))
		error = -EMSGSIZE;
	if (error == 0)
		error = take_bytes(m, &p);
	if (error != 0)
		return error;
	net_lock();
	error = sender->output(is, p, &to, &how);
	pbuf_free(p);
	net_unlock();
	return error != 0 ? error : (long)len;
}

int
inet_dgram_shutdown(struct socket *s, int how)
{
	struct inet_sock *is = inet_of(s);

	net_lock();
	if (how != SHUT_WR)
		is->rx_shut = true;
	if (how != SHUT_RD)
		is->tx_shut = true;
	net_unlock();
	waitq_wake_all(&is->wq);
	/* Who is not connected is told so, but it counts, as on Linux. */
	return is->state == INET_CONNECTED ? 0 : -ENOTCONN;
}
