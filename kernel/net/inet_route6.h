/* SPDX-License-Identifier: ISC */
/*
 * inet_route6.h - routes of IPv6: those of interfaces' addresses, those that
 * routers tell of (RFC 4861), and those that programs add.
 *
 * Network lock held in all.
 */
#ifndef NET_INET_ROUTE6_H
#define NET_INET_ROUTE6_H

#include "kern/types.h"
#include "net/lwip/port.h"
#include <lwip/ip6_addr.h>
#include <lwip/ip_addr.h>

/* Who a route is of. */
enum inet_route6_kind {
	INET_ROUTE6_ADDED,   /* a program */
	INET_ROUTE6_ADDRESS, /* an interface's address: its network */
	INET_ROUTE6_PREFIX,  /* a router told of a network of the link */
	INET_ROUTE6_ROUTER,  /* a router told of itself */
	INET_ROUTE6_LOCAL,   /* an address of the machine's own */
	INET_ROUTE6_GROUPS,  /* an interface's groups */
};

struct inet_route6 {
	ip6_addr_t dest, gateway, source; /* ::, ::: none */
	uint8_t plen, type, protocol;     /* RTN_*, RTPROT_* */
	enum inet_route6_kind kind;
	unsigned if_index;
	uint32_t metric;
	int64_t until_ns; /* clock_mono_ns(); 0: for ever */
};
#define INET_ROUTE6_METRIC 1024u /* of those that programs add */

/* How one is added: NLM_F_CREATE, REPLACE; append: beside others as long. */
struct inet_route6_how {
	bool create, replace, append;
};
/*
 *   -EINVAL        no interface for a gateway of the link, no own source
 *   -EHOSTUNREACH  a gateway that is no neighbour
 *   -ENODEV, -EEXIST, -ENOENT (nothing to replace), -ENETDOWN, -ENOMEM
 */
int inet_route6_add(const struct inet_route6 *r, struct inet_route6_how how);
/* What is 0 but dest and plen stands for any; a type of 0, too.  -ESRCH */
int inet_route6_remove(const struct inet_route6 *r);
/* All of them, in the order in which Linux shows them.  -ENOMEM */
int
inet_route6_each(void (*fn)(const struct inet_route6 *r, void *arg), void *arg);
/*
 * The one that a packet takes; if_index 0: by any interface.
 *   -ENETUNREACH; what kinds that refuse say: -EHOSTUNREACH, -EACCES, -EINVAL
 */
int inet_route6_find(const ip6_addr_t *dest, unsigned if_index,
    struct inet_route6 *r);
/* 0, or as inet_route6_find(): whether there is a way, groups included. */
int inet_route6_check(const ip6_addr_t *from, const ip6_addr_t *to);
/* The address that the route to it prescribes; NULL: none. */
const ip_addr_t *inet_route6_source(struct netif *nif, const ip6_addr_t *to);

/* All routes by an interface are gone. */
void inet_route6_departed(unsigned if_index);
/* What routes follow from has changed: next hops are looked for anew. */
void inet_route6_changed(void);
/* Told of changes (netlink): added or removed. */
void
inet_route6_set_watcher(void (*fn)(const struct inet_route6 *r, bool added));

#endif
