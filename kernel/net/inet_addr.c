/* SPDX-License-Identifier: ISC */
/*
 * inet_addr.c - addresses as programs write them and as lwIP has them; which
 * ones and which ports a socket may have.
 */
#include "net/inet.h"

#include "kern/random.h"
#include "kern/string.h"
#include "net/stack.h"
#include <lwip/netif.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>

#define SIN6_MIN 24u /* RFC 2133: without a scope */

static const ip_addr_t any4 = IPADDR4_INIT(0);
static const ip_addr_t any6 = IPADDR6_INIT(0, 0, 0, 0);
static const ip_addr_t any46 = IPADDR_ANY_TYPE_INIT;

const ip_addr_t *
inet_any(const struct inet_sock *is)
{
	return !is->v6 ? &any4 : is->v6only ? &any6 : &any46;
}

static int
get4(const struct sock_addr *addr, struct inet_end *out)
{
	struct sockaddr_in sin;

	if (addr->len < sizeof(sin))
		return -EINVAL;
	memcpy(&sin, addr->bytes, sizeof(sin));
	if (sin.sin_family != AF_INET &&
	    (sin.sin_family != AF_UNSPEC || sin.sin_addr.s_addr != 0))
		return -EAFNOSUPPORT;
	ip_addr_set_zero_ip4(&out->ip);
	ip4_addr_set_u32(ip_2_ip4(&out->ip), sin.sin_addr.s_addr);
	out->port = lwip_ntohs(sin.sin_port);
	return 0;
}

static int
get6(const struct inet_sock *is, const struct sock_addr *addr,
    struct inet_end *out)
{
	struct sockaddr_in6 sin6 = { .sin6_scope_id = 0 };

	/* A datagram socket takes IPv4's own addresses as well. */
	if (is->s.type == SOCK_DGRAM && addr->family == AF_INET)
		return is->v6only ? -ENETUNREACH : get4(addr, out);
	if (addr->len < SIN6_MIN)
		return -EINVAL;
	memcpy(&sin6, addr->bytes, MIN(addr->len, (uint32_t)sizeof(sin6)));
	if (sin6.sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	out->port = lwip_ntohs(sin6.sin6_port);
	ip_addr_set_zero_ip6(&out->ip);
	memcpy(ip_2_ip6(&out->ip)->addr, &sin6.sin6_addr, 16);
	if (ip6_addr_isipv4mappedipv6(ip_2_ip6(&out->ip))) {
		if (is->v6only)
			return -ENETUNREACH;
		unmap_ipv4_mapped_ipv6(ip_2_ip4(&out->ip), ip_2_ip6(&out->ip));
		IP_SET_TYPE_VAL(out->ip, IPADDR_TYPE_V4);
	} else if (sin6.sin6_scope_id != 0 && sin6.sin6_scope_id <= 255 &&
	    ip6_addr_has_scope(ip_2_ip6(&out->ip), IP6_UNKNOWN)) {
		ip6_addr_set_zone(ip_2_ip6(&out->ip), (u8_t)sin6.sin6_scope_id);
	}
	return 0;
}

int
inet_addr_get(const struct inet_sock *is, const struct sock_addr *addr,
    struct inet_end *out)
{
	if (addr->len < sizeof(addr->family))
		return -EINVAL;
	return is->v6 ? get6(is, addr, out) : get4(addr, out);
}

void
inet_addr_put(const struct inet_sock *is, const struct inet_end *end,
    struct sock_addr *addr)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	ip6_addr_t mapped;

	if (!is->v6) {
		sin.sin_port = lwip_htons(end->port);
		sin.sin_addr.s_addr = ip4_addr_get_u32(ip_2_ip4(&end->ip));
		addr->len = sizeof(sin);
		memcpy(addr->bytes, &sin, sizeof(sin));
		return;
	}
	sin6.sin6_port = lwip_htons(end->port);
	if (IP_IS_V4_VAL(end->ip)) {
		ip4_2_ipv4_mapped_ipv6(&mapped, ip_2_ip4(&end->ip));
		memcpy(&sin6.sin6_addr, mapped.addr, 16);
	} else {
		memcpy(&sin6.sin6_addr, ip_2_ip6(&end->ip)->addr, 16);
		sin6.sin6_scope_id = ip6_addr_zone(ip_2_ip6(&end->ip));
	}
	addr->len = sizeof(sin6);
	memcpy(addr->bytes, &sin6, sizeof(sin6));
}

bool
inet_addr_is_local(const ip_addr_t *ip)
{
	struct netif *nif;

	if (ip_addr_isany(ip) || IP_IS_ANY_TYPE_VAL(*ip) ||
	    ip_addr_ismulticast(ip) || ip_addr_isloopback(ip))
		return true;
	NETIF_FOREACH(nif)
	{
		if (IP_IS_V6(ip) &&
		    netif_get_ip6_addr_match(nif, ip_2_ip6(ip)) >= 0)
			return true;
		if (!IP_IS_V6(ip) &&
		    (ip4_addr_cmp(ip_2_ip4(ip), netif_ip4_addr(nif)) ||
			ip4_addr_isbroadcast(ip_2_ip4(ip), nif)))
			return true;
	}
	return false;
}

int
inet_bind_check(const struct inet_sock *is, const struct inet_end *end)
{
	if (!is->freebind && !is->transparent && !inet_addr_is_local(&end->ip))
		return -EADDRNOTAVAIL;
	if (end->port != 0 && end->port < 1024 &&
	    !sock_hooks->capable(CAP_NET_BIND_SERVICE))
		return -EACCES;
	return 0;
}

int
inet_name(struct socket *s, bool peer, struct sock_addr *addr)
{
	struct inet_sock *is = inet_of(s);
	int error = 0;

	net_lock();
	if (peer && (is->state != INET_CONNECTED || is->remote.port == 0) &&
	    !(s->type == SOCK_RAW && is->state == INET_CONNECTED))
		error = -ENOTCONN;
	else
		inet_addr_put(is, peer ? &is->remote : &is->local, addr);
	net_unlock();
	return error;
}

uint16_t
inet_port_guess(void)
{
	uint32_t v;

	random_bytes(&v, sizeof(v));
	return (uint16_t)(INET_PORT_FIRST + v % INET_PORT_COUNT);
}
