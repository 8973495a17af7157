/* SPDX-License-Identifier: ISC */
/*
 * inet_neigh.h - neighbours: who of a link has which address of Ethernet.
 * lwIP finds that out; programs may say it, look at it and have it forgotten.
 * Network lock held in all.
 */
#ifndef NET_INET_NEIGH_H
#define NET_INET_NEIGH_H

#include "dev/nic.h"
#include "kern/types.h"
#include "net/lwip/port.h"
#include <lwip/err.h>
#include <lwip/ip_addr.h>

struct netif;
struct pbuf;

struct inet_neigh {
	ip_addr_t ip;
	struct netif *nif;
	uint8_t mac[NIC_MAC_LEN];
	bool has_mac, router;
	uint16_t state; /* NUD_* */
};

/* The i-th that there is; false: no more. */
bool inet_neigh_nth(unsigned i, struct inet_neigh *n);
/* The one with n->ip at n->nif; false: none. */
bool inet_neigh_find(struct inet_neigh *n);
/*
 * As n says, in place of what was known: for ever (NUD_PERMANENT, NUD_NOARP) or
 * until it is found out otherwise.  -ENETUNREACH, -ENOBUFS, -ENOMEM
 */
int inet_neigh_set(const struct inet_neigh *n);
/* -ENOENT: there is none */
int inet_neigh_forget(const struct inet_neigh *n);
/* The interface goes, or goes down. */
void inet_neigh_departed(const struct netif *nif);
/* How a card's netif sends IPv6: ethip6_output(), unless a program said where
 * the neighbour is. */
err_t
inet_neigh_output6(struct netif *nif, struct pbuf *p, const ip6_addr_t *to);

#endif
