/* SPDX-License-Identifier: ISC */
/*
 * inet_option.c - setsockopt(2) and getsockopt(2) of the Internet's levels.
 * ip(7), ipv6(7), tcp(7), udp(7), raw(7).  Most options are one word of the
 * socket and stand in a table; what lwIP must know of them is told to its
 * control block after each change.
 */
#include "net/inet.h"

#include "abi/icmp.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_error.h"
#include "net/inet_pmtu.h"
#include "net/inet_tcp_info.h"
#include "net/lwip/rexmit.h"
#include "net/stack.h"
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/raw.h>
#include <lwip/tcp.h>
#include <lwip/udp.h>
#include <asm/socket.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

struct word {
	int level, name;
	bool flag; /* else an int */
	uint16_t at;
	int min, max;
};

#define FLAG(l, n, field)                                \
	{                                                \
		.level = (l), .name = (n), .flag = true, \
		.at = offsetof(struct inet_sock, field)  \
	}
#define INT(l, n, field, lo, hi)                                      \
	{                                                             \
		.level = (l), .name = (n),                            \
		.at = offsetof(struct inet_sock, field), .min = (lo), \
		.max = (hi)                                           \
	}

static const struct word words[] = {
	INT(SOL_IP, IP_TOS, tos, -INT_MAX - 1, INT_MAX),
	INT(SOL_IP, IP_TTL, ttl, 1, 255),
	FLAG(SOL_IP, IP_HDRINCL, hdrincl),
	FLAG(SOL_IP, IP_PKTINFO, pktinfo),
	FLAG(SOL_IP, IP_RECVTTL, recvttl),
	FLAG(SOL_IP, IP_RECVTOS, recvtos),
	FLAG(SOL_IP, IP_RECVERR, recverr),
	FLAG(SOL_IP, IP_RECVORIGDSTADDR, origdst),
	FLAG(SOL_IPV6, IPV6_RECVORIGDSTADDR, origdst6),
	FLAG(SOL_IPV6, IPV6_FREEBIND, freebind),
	FLAG(SOL_IPV6, IPV6_TRANSPARENT, transparent),
	FLAG(SOL_IP, IP_MULTICAST_ALL, mcast_all),
	FLAG(SOL_IP, IP_BIND_ADDRESS_NO_PORT, port_later),
	FLAG(SOL_IPV6, IPV6_MULTICAST_ALL, mcast_all),
	FLAG(SOL_IP, IP_FREEBIND, freebind),
	FLAG(SOL_IP, IP_TRANSPARENT, transparent),
	INT(SOL_IP, IP_MTU_DISCOVER, mtu_discover, 0, 5),
	INT(SOL_IP, IP_MULTICAST_TTL, mcast_ttl, 0, 255),
	FLAG(SOL_IP, IP_MULTICAST_LOOP, mcast_loop),
	FLAG(SOL_IPV6, IPV6_V6ONLY, v6only),
	FLAG(SOL_IPV6, IPV6_RECVPKTINFO, pktinfo6),
	FLAG(SOL_IPV6, IPV6_RECVHOPLIMIT, recvttl6),
	FLAG(SOL_IPV6, IPV6_2292PKTINFO, pktinfo6_old),
	FLAG(SOL_IPV6, IPV6_2292HOPLIMIT, recvttl6_old),
	FLAG(SOL_IPV6, IPV6_RECVTCLASS, recvtclass),
	FLAG(SOL_IPV6, IPV6_RECVERR, recverr6),
	FLAG(SOL_IPV6, IPV6_DONTFRAG, dontfrag),
	INT(SOL_IPV6, IPV6_UNICAST_HOPS, hops, -1, 255),
	INT(SOL_IPV6, IPV6_MULTICAST_HOPS, mcast_hops, -1, 255),
	INT(SOL_IPV6, IPV6_TCLASS, tclass, -1, 255),
	INT(SOL_IPV6, IPV6_MTU_DISCOVER, mtu_discover6, 0, 5),
	INT(SOL_IPV6, IPV6_MULTICAST_IF, mcast_if, 0, 255),
	FLAG(SOL_IPV6, IPV6_MULTICAST_LOOP, mcast_loop),
	FLAG(SOL_TCP, TCP_NODELAY, nodelay),
	FLAG(SOL_TCP, TCP_CORK, cork),
	FLAG(SOL_UDP, UDP_CORK, udp_cork),
	FLAG(SOL_TCP, TCP_QUICKACK, quickack),
	INT(SOL_TCP, TCP_KEEPIDLE, keep_idle, 1, 32767),
	INT(SOL_TCP, TCP_KEEPINTVL, keep_intvl, 1, 32767),
	INT(SOL_TCP, TCP_KEEPCNT, keep_cnt, 1, 127),
	INT(SOL_TCP, TCP_SYNCNT, syncnt, 1, 127),
	INT(SOL_TCP, TCP_LINGER2, linger2, -1, 120),
	INT(SOL_TCP, TCP_DEFER_ACCEPT, defer_accept, 0, INT_MAX),
	INT(SOL_TCP, TCP_USER_TIMEOUT, user_timeout_ms, 0, INT_MAX),
	INT(SOL_TCP, TCP_MAXSEG, maxseg, 0, 32767),
};

static const struct word *
find_word(int level, int name)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].level == level && words[i].name == name)
			return &words[i];
	return NULL;
}

static bool
has_level(const struct inet_sock *is, int level)
{
	switch (level) {
	case SOL_IP: return !is->v6 || is->s.type != SOCK_RAW;
	case SOL_IPV6: return is->v6;
	case SOL_TCP: return is->s.type == SOCK_STREAM;
	case SOL_UDP: return is->s.type == SOCK_DGRAM && !inet_is_ping(is);
	case SOL_UDPLITE: return inet_is_udplite(is);
	case SOL_RAW:
	case SOL_ICMPV6: return is->s.type == SOCK_RAW;
	default: return level == SOL_SOCKET;
	}
}

/* ------------------------------------------------------- what lwIP must know -- */

static void
tell_common(struct inet_sock *is, u8_t *so_options, u8_t *ttl, u8_t *tos,
    u8_t *netif_idx)
{
	u8_t on = 0;

	if (is->s.flag_reuseaddr || is->s.flag_reuseport)
		on |= SOF_REUSEADDR;
	if (is->s.flag_keepalive)
		on |= SOF_KEEPALIVE;
	if (is->s.flag_broadcast)
		on |= SOF_BROADCAST;
	*so_options = on;
	*ttl = is->v6 && is->hops > 0 ? (u8_t)is->hops :
	    is->ttl > 0               ? (u8_t)is->ttl :
					64;
	*tos = is->v6 && is->tclass >= 0 ? (u8_t)is->tclass : (u8_t)is->tos;
	*netif_idx = (u8_t)is->bound_if;
}

static void
tell_tcp(struct inet_sock *is)
{
	struct tcp_pcb *pcb = is->tcp;
	int idle = is->keep_idle != 0 ? is->keep_idle : INET_KEEP_IDLE_S;
	int intvl = is->keep_intvl != 0 ? is->keep_intvl : INET_KEEP_INTVL_S;

	tell_common(is, &pcb->so_options, &pcb->ttl, &pcb->tos,
	    &pcb->netif_idx);
	if (pcb->state == LISTEN)
		return;
	lwip_rexmit_of(pcb)->user_ms = (u32_t)is->user_timeout_ms;
	lwip_rexmit_of(pcb)->syn_tries = (u8_t)is->syncnt;
	pcb->keep_idle = (u32_t)idle * 1000;
	pcb->keep_intvl = (u32_t)intvl * 1000;
	pcb->keep_cnt = is->keep_cnt != 0 ? (u32_t)is->keep_cnt : INET_KEEP_CNT;
	if (is->nodelay)
		tcp_nagle_disable(pcb);
	else
		tcp_nagle_enable(pcb);
	inet_window_fit(is);
}

static void
tell_udp(struct inet_sock *is)
{
	struct udp_pcb *pcb = is->udp;
	int hops = is->v6 ? is->mcast_hops : is->mcast_ttl;

	tell_common(is, &pcb->so_options, &pcb->ttl, &pcb->tos,
	    &pcb->netif_idx);
	if (is->s.flag_nocheck && !is->v6)
		udp_set_flags(pcb, UDP_FLAGS_NOCHKSUM);
	else
		udp_clear_flags(pcb, UDP_FLAGS_NOCHKSUM);
	udp_set_multicast_ttl(pcb, (u8_t)(hops < 0 ? 1 : hops));
	udp_set_multicast_netif_index(pcb, (u8_t)is->mcast_if);
	if (is->mcast_loop)
		udp_set_flags(pcb, UDP_FLAGS_MULTICAST_LOOP);
	else
		udp_clear_flags(pcb, UDP_FLAGS_MULTICAST_LOOP);
}

void
inet_tell_options(struct inet_sock *is)
{
	if (is->pcb == NULL)
		return;
	if (is->s.type == SOCK_STREAM)
		tell_tcp(is);
	else if (is->s.type == SOCK_DGRAM && !inet_is_ping(is))
		tell_udp(is);
	else
		tell_common(is, &is->raw->so_options, &is->raw->ttl,
		    &is->raw->tos, &is->raw->netif_idx);
}

void
inet_options_changed(struct socket *s)
{
	net_lock();
	inet_tell_options(inet_of(s));
	net_unlock();
}

int
inet_take_error(struct socket *s)
{
	return __atomic_exchange_n(&inet_of(s)->error, 0, __ATOMIC_ACQ_REL);
}

void
inet_memory(struct socket *s, uint32_t *in, uint32_t *out)
{
	const struct inet_sock *is = inet_of(s);

	*in = __atomic_load_n(&is->rx_bytes, __ATOMIC_RELAXED);
	*out = s->type == SOCK_STREAM ? (uint32_t)(is->queued - is->acked) : 0;
}

/* ------------------------------------------------------------------ setting -- */

/* One byte will do for many (ip(7)). */
static int
number_of(const void *value, unsigned len, int *n)
{
	if (len >= sizeof(*n))
		memcpy(n, value, sizeof(*n));
	else if (len >= 1)
		*n = *(const uint8_t *)value;
	else
		return -EINVAL;
	return 0;
}

static int
set_word(struct inet_sock *is, const struct word *w, int n)
{
	void *at = (uint8_t *)is + w->at;
	bool uncorked = w->name == TCP_CORK && w->level == SOL_TCP && n == 0;

	if (w->level == SOL_IPV6 && w->name == IPV6_V6ONLY &&
	    is->local.port != 0)
		return -EINVAL;
	if (!w->flag && (n < w->min || n > w->max))
		return w->name == IP_TTL && n == -1 ? 0 : -EINVAL;
	net_lock();
	if (w->level == SOL_IP && w->name == IP_TOS)
		/* One byte; of a connection ECN's bits are not the program's. */
		n = is->s.type == SOCK_STREAM ? (n & 0xfc) | (is->tos & 3) :
						n & 0xff;
	if (w->flag)
		*(bool *)at = n != 0;
	else
		*(int *)at = n;
	if (w->level == SOL_IPV6 && w->name == IPV6_V6ONLY && is->pcb != NULL) {
		is->local.ip = is->remote.ip = *inet_any(is);
		((struct ip_pcb *)is->pcb)->local_ip = *inet_any(is);
		((struct ip_pcb *)is->pcb)->remote_ip = *inet_any(is);
	}
	if (n == 0 &&
	    ((w->level == SOL_IP && w->name == IP_RECVERR) ||
		(w->level == SOL_IPV6 && w->name == IPV6_RECVERR)))
		inet_errors_drop(is);
	inet_tell_options(is);
	if (is->s.type == SOCK_STREAM && (uncorked || is->nodelay))
		inet_tcp_push(is);
	net_unlock();
	if (w->level == SOL_UDP && n == 0)
		inet_cork_flush(is);
	return 0;
}

/* SO_BINDTODEVICE: a name; an empty one unbinds. */
static int
bind_to_device(struct inet_sock *is, const void *value, unsigned len)
{
	char name[ETHIF_NAME] = { 0 };
	struct netif *nif;
	int error = 0;

	memcpy(name, value, MIN(len, (unsigned)sizeof(name) - 1));
	net_lock();
	nif = name[0] == '\0' ? NULL : ethif_by_name(name);
	if (name[0] != '\0' && nif == NULL)
		error = -ENODEV;
	else
		is->bound_if = nif == NULL ? 0 : (int)ethif_index(nif);
	inet_tell_options(is);
	net_unlock();
	return error;
}

/* SO_BINDTOIFINDEX: the same by number. */
static int
bind_to_index(struct inet_sock *is, const void *value, unsigned len)
{
	int n;

	if (len < sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	if (n < 0)
		return -EINVAL;
	net_lock();
	is->bound_if = n;
	inet_tell_options(is);
	net_unlock();
	return 0;
}

/* IP_MULTICAST_IF: struct in_addr, ip_mreq or ip_mreqn. */
static int
set_mcast_if(struct inet_sock *is, const void *value, unsigned len)
{
	struct ip_mreqn req = { .imr_ifindex = 0 };
	struct netif *nif;
	int error = 0;

	if (len >= sizeof(req))
		memcpy(&req, value, sizeof(req));
	else if (len >= sizeof(struct ip_mreq))
		memcpy(&req, value, sizeof(struct ip_mreq));
	else if (len >= sizeof(req.imr_address))
		memcpy(&req.imr_address, value, sizeof(req.imr_address));
	else
		return -EINVAL;
	net_lock();
	if (req.imr_ifindex == 0 && req.imr_address.s_addr != 0) {
		error = -EADDRNOTAVAIL;
		NETIF_FOREACH(nif)
		if (netif_ip4_addr(nif)->addr == req.imr_address.s_addr) {
			req.imr_ifindex = (int)ethif_index(nif);
			error = 0;
		}
	} else if (req.imr_ifindex != 0 &&
	    ethif_by_index((unsigned)req.imr_ifindex) == NULL) {
		error = -EADDRNOTAVAIL;
	}
	if (error == 0)
		is->mcast_if = req.imr_ifindex;
	inet_tell_options(is);
	net_unlock();
	return error;
}

/* Those that are more than a word; -ENOPROTOOPT: unknown. */
static int
set_special(struct inet_sock *is, int level, int name, const void *value,
    unsigned len)
{
	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bind_to_device(is, value, len);
	if (level == SOL_SOCKET && name == SO_BINDTOIFINDEX)
		return bind_to_index(is, value, len);
	if (level == SOL_IP && name == IP_MULTICAST_IF)
		return set_mcast_if(is, value, len);
	if (level == SOL_RAW && name == ICMP_FILTER) {
		memcpy(&is->icmp_filter, value,
		    MIN(len, (unsigned)sizeof(is->icmp_filter)));
		return 0;
	}
	if (level == SOL_ICMPV6 && name == ICMPV6_FILTER) {
		memcpy(is->icmp6_filter, value,
		    MIN(len, (unsigned)sizeof(is->icmp6_filter)));
		return 0;
	}
	if (level == SOL_TCP && name == TCP_CONGESTION)
		return len >= 4 && memcmp(value, "reno", 4) == 0 ? 0 : -ENOENT;
	if (level == SOL_TCP && name == TCP_ULP)
		return -ENOENT;
	if (level == SOL_TCP && name == TCP_FASTOPEN)
		return -EOPNOTSUPP;
	if (level == SOL_UDPLITE)
		return inet_udplite_set(is, name, value, len);
	if (level == SOL_IP || level == SOL_IPV6)
		return inet_group_option(is, name, value, len,
		    level == SOL_IPV6);
	return -ENOPROTOOPT;
}

/* raw(7): where the kernel puts the checksum of what is sent. */
static int
set_checksum(struct inet_sock *is, int n)
{
	if (is->s.type != SOCK_RAW || !is->v6 || n < -1 ||
	    (n > 0 && n % 2 != 0))
		return -EINVAL;
	if (is->s.protocol == IPPROTO_ICMPV6)
		return n == 2 ? 0 : -EINVAL;
	net_lock();
	is->checksum_at = n;
	is->raw->chksum_reqd = n >= 0;
	is->raw->chksum_offset = (u16_t)(n < 0 ? 0 : n);
	net_unlock();
	return 0;
}

int
inet_set_option(struct socket *s, int level, int name, const void *value,
    unsigned len)
{
	struct inet_sock *is = inet_of(s);
	const struct word *w = find_word(level, name);
	int n, error;

	if (!has_level(is, level))
		return -ENOPROTOOPT;
	if ((level == SOL_IPV6 || level == SOL_RAW) && name == IPV6_CHECKSUM) {
		error = number_of(value, len, &n);
		return error != 0 ? error : set_checksum(is, n);
	}
	if (w == NULL)
		return set_special(is, level, name, value, len);
	error = number_of(value, len, &n);
	return error != 0 ? error : set_word(is, w, n);
}

/* ------------------------------------------------------------------ getting -- */

static int
default_of(const struct inet_sock *is, int level, int name, int n)
{
	if (level == SOL_IP && name == IP_TTL && n < 0)
		return 64;
	if (level == SOL_IPV6 && name == IPV6_UNICAST_HOPS && n < 0)
		return 64;
	if (level == SOL_IPV6 && name == IPV6_TCLASS && n < 0)
		return 0;
	if (level != SOL_TCP || n != 0)
		return n;
	switch (name) {
	case TCP_KEEPIDLE: return INET_KEEP_IDLE_S;
	case TCP_KEEPINTVL: return INET_KEEP_INTVL_S;
	case TCP_KEEPCNT: return INET_KEEP_CNT;
	case TCP_SYNCNT: return TCP_SYNMAXRTX;
	case TCP_LINGER2: return 60;
	case TCP_MAXSEG: return inet_tcp_mss(is);
	default: return n;
	}
}

static void
answer(void *value, unsigned *len, const void *from, unsigned n)
{
	*len = MIN(*len, n);
	memcpy(value, from, *len);
}

static int
path_mtu(struct inet_sock *is, int *mtu)
{
	struct netif *nif;
	int error = -ENOTCONN;

	net_lock();
	if (is->state == INET_CONNECTED) {
		nif = ip_route(&is->local.ip, &is->remote.ip);
		error = nif == NULL ? -ENOTCONN : 0;
		if (nif != NULL)
			*mtu = (int)inet_pmtu(&is->remote.ip, nif);
	}
	net_unlock();
	return error;
}

static int
get_special(struct inet_sock *is, int level, int name, void *value,
    unsigned *len)
{
	struct tcp_info info;
	struct netif *nif;
	int n, error;

	if (level == SOL_TCP && name == TCP_INFO) {
		inet_tcp_info(is, &info);
		answer(value, len, &info, sizeof(info));
		return 0;
	}
	if (level == SOL_TCP && name == TCP_CONGESTION) {
		answer(value, len, "reno", 5);
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_BINDTOIFINDEX) {
		answer(value, len, &is->bound_if, sizeof(is->bound_if));
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
		if (is->bound_if != 0 && *len < ETHIF_NAME)
			return -EINVAL;
		net_lock();
		nif = ethif_by_index((unsigned)is->bound_if);
		answer(value, len, nif == NULL ? "" : ethif_name(nif),
		    nif == NULL ? 0 : (unsigned)strlen(ethif_name(nif)) + 1);
		net_unlock();
		return 0;
	}
	if ((level == SOL_IP && name == IP_MTU) ||
	    (level == SOL_IPV6 && name == IPV6_MTU)) {
		error = path_mtu(is, &n);
		if (error == 0)
			answer(value, len, &n, sizeof(n));
		return error;
	}
	if (level == SOL_UDPLITE)
		return inet_udplite_get(is, name, value, len);
	if (level == SOL_RAW && name == ICMP_FILTER) {
		answer(value, len, &is->icmp_filter, sizeof(is->icmp_filter));
		return 0;
	}
	return -ENOPROTOOPT;
}

int
inet_get_option(struct socket *s, int level, int name, void *value,
    unsigned *len)
{
	struct inet_sock *is = inet_of(s);
	const struct word *w = find_word(level, name);
	const void *at;
	int n;

	if (!has_level(is, level))
		return is->v6 ? -ENOPROTOOPT : -EOPNOTSUPP;
	if (w == NULL)
		return get_special(is, level, name, value, len);
	at = (const uint8_t *)is + w->at;
	n = w->flag ? *(const bool *)at : *(const int *)at;
	n = default_of(is, level, name, n);
	answer(value, len, &n, sizeof(n));
	return 0;
}
