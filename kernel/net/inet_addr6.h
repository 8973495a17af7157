/* SPDX-License-Identifier: ISC */
/*
 * inet_addr6.h - addresses of IPv6 that interfaces have: lwIP's, with the
 * length of their networks and what programs said of them; and which one a
 * packet leaves from.  ip-address(8), RFC 4862, RFC 6724.
 *
 * Network lock held in all.
 */
#ifndef NET_INET_ADDR6_H
#define NET_INET_ADDR6_H

#include "kern/types.h"
#include "net/lwip/port.h"
#include <lwip/ip6_addr.h>

struct netif;

#define INET_ADDR6_FOREVER UINT32_MAX

struct inet_addr6 {
	ip6_addr_t ip;
	uint8_t plen;
	bool tentative; /* not the interface's before nobody objects */
	bool given;     /* by a router: the route is the prefix' own */
	uint32_t flags; /* IFA_F_* */
	uint32_t scope; /* RT_SCOPE_* */
	uint32_t valid, preferred; /* seconds, or FOREVER */
};

/* An interface is there; its network goes away. */
void inet_addr6_arrived(struct netif *nif);
void inet_addr6_departed(struct netif *nif);
/* It came up, or its link did: it has an address of the link.  It went down:
 * it has none any more. */
void inet_addr6_begin(struct netif *nif);
void inet_addr6_end(struct netif *nif);

/* The address in the i-th of LWIP_IPV6_NUM_ADDRESSES places; false: none. */
bool inet_addr6_at(struct netif *nif, unsigned i, struct inet_addr6 *a);
/* The same, or that which was there last: true. */
bool inet_addr6_last(struct netif *nif, unsigned i, struct inet_addr6 *a);
/* The place of the i-th address in the order in which Linux shows them; false:
 * no more. */
bool inet_addr6_nth(struct netif *nif, unsigned i, unsigned *place);
/*
 * Of `a` ip, plen, flags (NODAD, NOPREFIXROUTE) and the lives count.
 *   -EADDRNOTAVAIL  no address of a machine
 *   -EINVAL         no such length, or lives
 *   -EEXIST, -EACCES (IPv6 is off here), -ENOSPC
 */
int inet_addr6_add(struct netif *nif, const struct inet_addr6 *a);
/* The same of one that is there.  -ENOENT: it is not */
int inet_addr6_change(struct netif *nif, const struct inet_addr6 *a);
/* -EADDRNOTAVAIL: it has not got it */
int inet_addr6_remove(struct netif *nif, const ip6_addr_t *ip, unsigned plen);
/* The route to the network of the address in place i is there no more. */
void inet_addr6_drop_route(struct netif *nif, unsigned i);

/* What /proc/sys/net/ipv6/conf says of an interface. */
struct inet_conf6 {
	bool disabled, accept_ra, autoconf, accept_redirects;
};
void inet_addr6_conf(struct netif *nif, struct inet_conf6 *conf);

/* Whether the first plen bits are the same. */
bool inet_addr6_match(const ip6_addr_t *a, const ip6_addr_t *b, unsigned plen);

#endif
