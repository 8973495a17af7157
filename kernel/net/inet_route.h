/* SPDX-License-Identifier: ISC */
/*
 * inet_route.h - routes of IPv4 beyond those that interfaces have of
 * themselves (their own network, their gateway).  Network lock held in all.
 */
#ifndef NET_INET_ROUTE_H
#define NET_INET_ROUTE_H

#include "kern/types.h"
#include "net/lwip/port.h"

/* One route; addresses in network order. */
struct inet_route {
	uint32_t dest, mask, gateway; /* gateway 0: on the link */
	unsigned if_index, metric;
	uint32_t source;        /* of the interface, for showing; 0: none */
	uint8_t type, protocol; /* RTN_*, RTPROT_*; 0: the usual ones */
};

/*
 * if_index 0: the interface on whose network the gateway lies.
 *   -EEXIST, -ENETUNREACH (no such interface or way), -EINVAL, -ENOMEM
 */
int inet_route_add(const struct inet_route *r);
/* Fields of 0 but dest and mask stand for any.  -ESRCH */
int inet_route_remove(const struct inet_route *r);
/* The i-th of all routes, those of interfaces first; false: no more. */
bool inet_route_nth(unsigned i, struct inet_route *r);
/* The interface has gone. */
void inet_route_departed(unsigned if_index);
/* 0, or there is no way to it: -ENETUNREACH, or as a route that refuses says,
 * -EHOSTUNREACH, -EACCES, -EINVAL. */
int inet_route_check(const ip_addr_t *from, const ip_addr_t *to);
/* The same of what could not be sent for want of a way: never 0. */
int inet_route_error(const ip_addr_t *from, const ip_addr_t *to);
/* Told of changes (netlink): added or removed. */
void inet_route_set_watcher(void (*fn)(const struct inet_route *r, bool added));

#endif
