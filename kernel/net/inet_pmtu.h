/* SPDX-License-Identifier: ISC */
/*
 * inet_pmtu.h - how large packets may be on their way to somebody.  RFC 1191,
 * RFC 8201, ip(7).  The network lock is held everywhere.
 */
#ifndef NET_INET_PMTU_H
#define NET_INET_PMTU_H

#include "kern/types.h"
#include <lwip/err.h>
#include <lwip/ip_addr.h>

struct inet_report;
struct inet_sock;
struct netif;
struct pbuf;
struct tcp_pcb;

/* The size, as far as is known: the interface's, or what routers said. */
unsigned inet_pmtu(const ip_addr_t *to, const struct netif *nif);
/*
 * A router had to drop a packet.  If a connection sent it (or NULL), what it
 * has on the way goes once more, in segments that fit.
 */
void inet_pmtu_report(const struct inet_report *r, struct tcp_pcb *pcb);
/*
 * What IP_MTU_DISCOVER and its like say of a datagram of `len` bytes, headers
 * of IP included: 0, or -EMSGSIZE with *mtu, what would have fitted.  Those
 * that may be sent are, between begin and end, cut up or marked accordingly.
 */
int inet_pmtu_check(const struct inet_sock *is, const ip_addr_t *to,
    const struct netif *nif, unsigned len, unsigned *mtu);
void inet_pmtu_begin(const struct inet_sock *is);
void inet_pmtu_end(void);
/* IPv4's packets of TCP: with DF. */
err_t inet_pmtu_output_tcp(struct pbuf *p, const ip4_addr_t *src,
    const ip4_addr_t *dst, u8_t ttl, u8_t tos, struct netif *nif);

#endif
