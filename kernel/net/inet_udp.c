/* SPDX-License-Identifier: ISC */
/* inet_udp.c - sockets of UDP and UDP-Lite.  udp(7), udplite(7). */
#include "net/inet.h"

#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_error.h"
#include "net/inet_pmtu.h"
#include "net/inet_route.h"
#include "net/stack.h"
#include <lwip/ip.h>
#include <lwip/stats.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/udp.h>
#include <linux/errno.h>
#include <linux/in.h>

#define DATA_MAX4 65507u
#define DATA_MAX6 65527u

/* --------------------------------------------------------------- receiving -- */

static void
on_receive(void *arg, struct udp_pcb *pcb, struct pbuf *p,
    const ip_addr_t *addr, u16_t port)
{
	struct inet_sock *is = arg;
	struct inet_end from = { .ip = *addr, .port = port };

	(void)pcb;
	if (!ip_addr_ismulticast(ip_current_dest_addr()))
		is = inet_reuse_dgram(is, addr, port);
	if (!inet_udplite_wants(is) ||
	    (is->bound_if != 0 &&
		is->bound_if != netif_get_index(ip_current_input_netif()))) {
		pbuf_free(p);
		return;
	}
	if (ip_addr_ismulticast(ip_current_dest_addr()) &&
	    !inet_group_wants(is, ip_current_dest_addr(), addr,
		netif_get_index(ip_current_input_netif()))) {
		pbuf_free(p);
		return;
	}
	inet_dgram_input(is, p, &from, 0);
}

int
inet_udp_create(struct inet_sock *is)
{
	is->udp = udp_new_ip_type(IP_GET_TYPE(inet_any(is)));
	if (is->udp == NULL)
		return -ENOMEM;
	if (inet_is_udplite(is))
		udp_set_flags(is->udp, UDP_FLAGS_UDPLITE);
	udp_recv(is->udp, on_receive, is);
	inet_tell_options(is);
	return 0;
}

static void
release(struct socket *s)
{
	struct inet_sock *is = inet_of(s);

	inet_cork_drop(is);
	net_lock();
	TAILQ_REMOVE(&inet_all, is, all);
	inet_group_leave_all(is);
	lwip_port_udp_remove(is->udp);
	is->udp = NULL;
	inet_dgram_drop(is);
	net_unlock();
	inet_put(is);
}

/* ------------------------------------------------------------------- names -- */

static int
try_port(struct inet_sock *is, const ip_addr_t *ip, uint16_t port)
{
	int error = inet_errno(lwip_port_udp_bind(is->udp, ip, port));

	if (error == 0) {
		is->local.ip = *ip;
		is->local.port = port;
	}
	return error;
}

static int
bind_locked(struct inet_sock *is, const struct inet_end *end)
{
	unsigned i;
	int error = -EADDRINUSE;

	if (is->local.port != 0)
		return -EINVAL;
	inet_tell_options(is);
	if (end->port != 0)
		return inet_reuse_conflict(is, end) ?
		    -EADDRINUSE :
		    try_port(is, &end->ip, end->port);
	for (i = 0; i < INET_PORT_TRIES && error == -EADDRINUSE; i++)
		error = try_port(is, &end->ip, inet_port_guess());
	return error;
}

static int
autobind(struct inet_sock *is)
{
	struct inet_end any = { .ip = *inet_any(is) };
	int error;

	if (is->local.port != 0)
		return 0;
	error = bind_locked(is, &any);
	return error == -EADDRINUSE ? -EAGAIN : error;
}

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
	if (is->v6 && IP_IS_V6_VAL(end.ip) && ip_addr_isany(&end.ip))
		end.ip = *inet_any(is);
	error = inet_bind_check(is, &end);
	if (error == 0)
		error = bind_locked(is, &end);
	if (error == 0) {
		is->port_given = end.port != 0;
		is->addr_given = !ip_addr_isany(&end.ip);
	}
	net_unlock();
	return error;
}

/* Where a datagram to `ip` would leave, and from which address. */
static int
find_route(const struct inet_sock *is, const ip_addr_t *ip, struct netif **nif,
    const ip_addr_t **from)
{
	*from = NULL;
	*nif = is->bound_if != 0 ? ethif_by_index((unsigned)is->bound_if) :
				   ip_route(&is->udp->local_ip, ip);
	if (*nif == NULL)
		return inet_route_error(&is->udp->local_ip, ip);
	*from = ip_netif_get_local_ip(*nif, ip);
	return *from == NULL ? -ENETUNREACH : 0;
}

/* connect(2) to nobody: what no bind(2) gave is given back. */
static void
disconnect(struct inet_sock *is)
{
	udp_disconnect(is->udp);
	if (!is->port_given) {
		lwip_port_udp_unbind(is->udp);
		is->local.port = 0;
	}
	if (!is->addr_given)
		is->udp->local_ip = is->local.ip = *inet_any(is);
	is->remote = (struct inet_end){ .ip = *inet_any(is) };
	is->state = INET_CLOSED;
}

static int
connect_locked(struct inet_sock *is, const struct sock_addr *addr)
{
	struct inet_end to;
	const ip_addr_t *from;
	struct netif *nif;
	int error;

	if (addr->len >= sizeof(addr->family) && addr->family == AF_UNSPEC) {
		disconnect(is);
		return 0;
	}
	error = inet_addr_get(is, addr, &to);
	if (error != 0)
		return error;
	if (ip_addr_isany(&to.ip)) {
		if (IP_IS_V6_VAL(to.ip))
			ip_addr_set_loopback(1, &to.ip);
		else
			ip_addr_set_loopback(0, &to.ip);
	}
	error = find_route(is, &to.ip, &nif, &from);
	if (error == 0 && is->bound_if == 0)
		error = inet_route_check(&is->udp->local_ip, &to.ip);
	if (error == 0 && ip4_addr_isbroadcast(ip_2_ip4(&to.ip), nif) &&
	    !IP_IS_V6_VAL(to.ip) && !is->s.flag_broadcast)
		error = -EACCES;
	if (error == 0)
		error = autobind(is);
	if (error != 0)
		return error;
	if (ip_addr_isany(&is->udp->local_ip))
		is->udp->local_ip = is->local.ip = *from;
	(void)lwip_port_udp_connect(is->udp, &to.ip, to.port);
	is->remote = to;
	is->state = INET_CONNECTED;
	return 0;
}

static int
connect(struct socket *s, const struct sock_addr *addr, bool nonblock,
    const struct vfs_ctx *vfs)
{
	int error;

	(void)nonblock;
	(void)vfs;
	net_lock();
	error = connect_locked(inet_of(s), addr);
	net_unlock();
	return error;
}

/* ----------------------------------------------------------------- sending -- */

/* What may not be cut up is small enough, or the program is told. */
static int
check_size(struct inet_sock *is, const struct pbuf *p,
    const struct inet_end *to, const struct inet_how *how)
{
	unsigned head = UDP_HLEN + (IP_IS_V6_VAL(to->ip) ? IP6_HLEN : IP_HLEN);
	struct netif *nif = how->if_index != 0 ?
	    ethif_by_index((unsigned)how->if_index) :
	    ip_route(&is->udp->local_ip, &to->ip);
	unsigned mtu;
	int error = nif == NULL ?
	    0 :
	    inet_pmtu_check(is, &to->ip, nif, p->tot_len + head, &mtu);

	if (error != 0)
		inet_errors_put_local(is, to, EMSGSIZE, mtu);
	return error;
}

/* An address of IPv4 that the interface has. */
static bool
is_own(struct netif *nif, const ip_addr_t *ip)
{
	if (!IP_IS_V4_VAL(*ip))
		return false;
	return ethif_with_address(nif, ip_2_ip4(ip)->addr) != NULL ||
	    (ethif_nic(nif) == NULL && ip4_addr_isloopback(ip_2_ip4(ip)));
}

static err_t
send_from(struct inet_sock *is, struct pbuf *p, const struct inet_end *to,
    const struct inet_how *how)
{
	const ip_addr_t *from = how->has_from ? &how->from : &is->udp->local_ip;
	bool group = ip_addr_ismulticast(&to->ip);
	struct netif *nif = NULL;

	if (how->if_index != 0) {
		nif = ethif_by_index((unsigned)how->if_index);
		if (nif == NULL)
			return ERR_RTE;
	}
	if (nif == NULL && !how->has_from && (group || IP_IS_V6_VAL(to->ip)))
		return udp_sendto(is->udp, p, &to->ip, to->port);
	if (nif == NULL)
		nif = ip_route(from, &to->ip);
	if (nif == NULL)
		return ERR_RTE;
	/* lwIP knows of one address of an interface. */
	return how->has_from || is_own(nif, from) ?
	    udp_sendto_if_src(is->udp, p, &to->ip, to->port, nif, from) :
	    udp_sendto_if(is->udp, p, &to->ip, to->port, nif);
}

static int
send_locked(struct inet_sock *is, struct pbuf *p, const struct inet_end *to,
    const struct inet_how *how)
{
	u8_t ttl = is->udp->ttl, tos = is->udp->tos;
	err_t err;
	int error = autobind(is);

	if (error == 0 &&
	    (is->mtu_discover >= IP_PMTUDISC_DO ||
		is->mtu_discover6 >= IPV6_PMTUDISC_DO || is->dontfrag))
		error = check_size(is, p, to, how);
	if (error != 0)
		return error;
	if (how->ttl > 0)
		is->udp->ttl = (u8_t)how->ttl;
	if (how->tos >= 0)
		is->udp->tos = (u8_t)how->tos;
	inet_udplite_cover(is, p);
	inet_pmtu_begin(is);
	err = send_from(is, p, to, how);
	lwip_port_stats.udp[IP_IS_V6_VAL(to->ip)][inet_is_udplite(is)].out +=
	    err == ERR_OK;
	inet_pmtu_end();
	is->udp->ttl = ttl;
	is->udp->tos = tos;
	switch (err) {
	case ERR_RTE: return inet_route_error(&is->udp->local_ip, &to->ip);
	case ERR_VAL: return -EACCES; /* broadcast without SO_BROADCAST */
	case ERR_MEM: return -ENOBUFS;
	default: return inet_errno(err);
	}
}

/* To whom: 0, -EDESTADDRREQ, what inet_addr_get() says. */
static int
find_target(const struct inet_sock *is, const struct sock_msg *m,
    struct inet_end *to)
{
	int error;

	if (m->name == NULL) {
		if (is->state != INET_CONNECTED)
			return -EDESTADDRREQ;
		*to = is->remote;
		return 0;
	}
	/* A datagram socket of IPv4 takes no family for its own. */
	if (!is->v6 && m->name->len >= sizeof(struct sockaddr_in) &&
	    m->name->family == AF_UNSPEC)
		m->name->family = AF_INET;
	error = inet_addr_get(is, m->name, to);
	if (error == 0 && to->port == 0)
		error = -EINVAL;
	if (error == 0 && ip_addr_isany(&to->ip)) {
		if (IP_IS_V6_VAL(to->ip))
			ip_addr_set_loopback(1, &to->ip);
		else
			ip_addr_set_loopback(0, &to->ip);
	}
	return error;
}

static long
send(struct socket *s, struct sock_msg *m)
{
	static const struct inet_sender udp = { .target = find_target,
		.output = send_locked,
		.max4 = DATA_MAX4,
		.max6 = DATA_MAX6,
		.corks = true };

	return inet_dgram_send(s, m, &udp);
}

const struct socket_ops inet_udp_ops = {
	.release = release,
	.bind = bind,
	.connect = connect,
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
