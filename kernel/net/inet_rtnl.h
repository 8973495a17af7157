/* SPDX-License-Identifier: ISC */
/*
 * inet_rtnl.h - NETLINK_ROUTE: links, addresses, routes, neighbours, asked
 * for, changed and told of.  rtnetlink(7).  Network lock held in all.
 */
#ifndef NET_INET_RTNL_H
#define NET_INET_RTNL_H

#include "kern/types.h"
#include "net/nlmsg.h"

struct nlmsghdr;

/* One request; the reply goes to m, for dumps with NLM_F_MULTI. */
struct rtnl_request {
	const struct nlmsghdr *h;
	const void *body; /* what follows the header */
	size_t len;
	struct nlmsg *m;
	bool dump;
};

struct rtnl_handler {
	uint16_t type; /* RTM_* */
	size_t head;   /* bytes of the fixed part, checked */
	bool admin;    /* needs CAP_NET_ADMIN */
	int (*run)(struct rtnl_request *r);
};

/* inet_rtnl_link.c, inet_rtnl_route.c: end with type 0. */
extern const struct rtnl_handler rtnl_link_handlers[], rtnl_route_handlers[];
/* inet_rtnl_neigh.c: the same */
extern const struct rtnl_handler rtnl_neigh_handlers[];
/* Who hears of changes: at the first listener. */
void rtnl_link_watch(void);
void rtnl_route_watch(void);
void rtnl_route6_watch(void);

/* inet_rtnl_link.c: tells that an interface has lost an address of IPv4; that
 * it has got one. */
struct ethif_addr;
struct netif;
void rtnl_addr4_gone(struct netif *nif, const struct ethif_addr *addr);
void rtnl_addr4_came(struct netif *nif, uint32_t ip);

/*
 * inet_rtnl_route.c: a route of what there is here, whose addresses have so
 * many bits.  -EINVAL; -EOPNOTSUPP: other tables, ways, kinds
 */
struct nlattr;
struct rtmsg;
int rtnl_route_check(const struct rtmsg *t, const struct nlattr **attr,
    unsigned bits);

/* inet_rtnl_route6.c: requests about routes, of IPv6; as handlers' run(). */
int rtnl_route6_dump(struct rtnl_request *r);
/* One way. */
int rtnl_route6_get(struct rtnl_request *r);
/* Added, replaced, removed. */
int rtnl_route6_change(struct rtnl_request *r);

/* Sends one message that fill() writes to a group, if anybody is in it. */
void rtnl_notify(unsigned group, void (*fill)(struct nlmsg *m, void *arg),
    void *arg);

#endif
