/* SPDX-License-Identifier: ISC */
/*
 * inet_group.c - multicast: the groups that a socket has joined, and from whom
 * it wants their datagrams.  ip(7), ipv6(7), RFC 3678.  Which groups a card
 * listens to is lwIP's affair (IGMP, MLD); which socket gets a group's
 * datagrams is decided here.
 */
#include "net/inet.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/stack.h"
#include <lwip/igmp.h>
#include <lwip/ip.h>
#include <lwip/mld6.h>
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>

#define SOURCES 10u /* of one group: Linux' igmp_max_msf */

struct inet_group {
	struct inet_group *next;
	ip_addr_t ip;
	unsigned if_index;
	bool include; /* only the sources are wanted, else all but them */
	unsigned nsources;
	ip_addr_t source[SOURCES];
};

static err_t
tell(struct netif *nif, const ip_addr_t *ip, bool join)
{
	net_kick(); /* reports are due soon */
	if (IP_IS_V6(ip))
		return join ? mld6_joingroup_netif(nif, ip_2_ip6(ip)) :
			      mld6_leavegroup_netif(nif, ip_2_ip6(ip));
	return join ? igmp_joingroup_netif(nif, ip_2_ip4(ip)) :
		      igmp_leavegroup_netif(nif, ip_2_ip4(ip));
}

static struct inet_group **
find(struct inet_sock *is, const ip_addr_t *ip, unsigned if_index)
{
	struct inet_group **g;

	for (g = &is->groups; *g != NULL; g = &(*g)->next)
		if (ip_addr_cmp_zoneless(&(*g)->ip, ip) &&
		    (if_index == 0 || (*g)->if_index == if_index))
			break;
	return g;
}

static int
join(struct inet_sock *is, const ip_addr_t *ip, struct netif *nif)
{
	struct inet_group *g;

	if (*find(is, ip, ethif_index(nif)) != NULL)
		return -EADDRINUSE;
	g = kzalloc(sizeof(*g));
	if (g == NULL)
		return -ENOMEM;
	/* The loopback needs no telling. */
	if (ethif_nic(nif) != NULL && tell(nif, ip, true) != ERR_OK) {
		kfree(g);
		return -ENOBUFS;
	}
	g->ip = *ip;
	g->if_index = ethif_index(nif);
	g->next = is->groups;
	is->groups = g;
	return 0;
}

static void
leave(struct inet_group **at)
{
	struct inet_group *g = *at;
	struct netif *nif = ethif_by_index(g->if_index);

	*at = g->next;
	if (nif != NULL && ethif_nic(nif) != NULL)
		(void)tell(nif, &g->ip, false);
	kfree(g);
}

void
inet_group_leave_all(struct inet_sock *is)
{
	while (is->groups != NULL)
		leave(&is->groups);
}

static unsigned
find_source(const struct inet_group *g, const ip_addr_t *from)
{
	unsigned i;

	for (i = 0; i < g->nsources; i++)
		if (ip_addr_cmp_zoneless(&g->source[i], from))
			break;
	return i;
}

bool
inet_group_wants(const struct inet_sock *is, const ip_addr_t *to,
    const ip_addr_t *from, unsigned if_index)
{
	const struct inet_group *g;

	for (g = is->groups; g != NULL; g = g->next)
		if (g->if_index == if_index && ip_addr_cmp_zoneless(&g->ip, to))
			return (find_source(g, from) < g->nsources) ==
			    g->include;
	/* IP_MULTICAST_ALL: what others of this machine have joined, too. */
	return is->mcast_all;
}

/* The interface with an address of its own, or the one of the route. */
static struct netif *
choose(const ip_addr_t *group, uint32_t own4, unsigned if_index)
{
	static const ip_addr_t none = IPADDR4_INIT(0);
	struct netif *nif;

	if (if_index != 0)
		return ethif_by_index(if_index);
	if (own4 != 0) {
		NETIF_FOREACH(nif)
		if (netif_ip4_addr(nif)->addr == own4)
			return ethif_self(nif);
		return NULL;
	}
	nif = IP_IS_V6(group) ? NULL : ip_route(&none, group);
	return nif != NULL ? ethif_self(nif) : netif_default;
}

static int
change(struct inet_sock *is, const ip_addr_t *ip, uint32_t own4,
    unsigned if_index, bool add)
{
	struct inet_group **g;
	struct netif *nif;
	int error;

	if (!ip_addr_ismulticast(ip))
		return -EINVAL;
	net_lock();
	nif = choose(ip, own4, if_index);
	if (nif == NULL) {
		error = -ENODEV;
	} else if (add) {
		error = join(is, ip, nif);
	} else {
		g = find(is, ip, if_index);
		error = *g == NULL ? -EADDRNOTAVAIL : 0;
		if (*g != NULL)
			leave(g);
	}
	net_unlock();
	return error;
}

static int
change4(struct inet_sock *is, const void *value, unsigned len, bool add)
{
	struct ip_mreqn req = { .imr_ifindex = 0 };
	ip_addr_t ip;

	if (len < sizeof(struct ip_mreq))
		return -EINVAL;
	memcpy(&req, value, MIN(len, (unsigned)sizeof(req)));
	if (len < sizeof(req))
		req.imr_ifindex = 0;
	ip_addr_set_zero_ip4(&ip);
	ip4_addr_set_u32(ip_2_ip4(&ip), req.imr_multiaddr.s_addr);
	return change(is, &ip, req.imr_address.s_addr,
	    (unsigned)req.imr_ifindex, add);
}

static int
change6(struct inet_sock *is, const void *value, unsigned len, bool add)
{
	struct ipv6_mreq req;
	ip_addr_t ip;

	if (len < sizeof(req))
		return -EINVAL;
	memcpy(&req, value, sizeof(req));
	ip_addr_set_zero_ip6(&ip);
	memcpy(ip_2_ip6(&ip)->addr, &req.ipv6mr_multiaddr, 16);
	return change(is, &ip, 0, (unsigned)req.ipv6mr_ifindex, add);
}

/* ---------------------------------------------------------------- sources -- */

/* What RFC 3678's requests say, of either family. */
struct request {
	ip_addr_t group, source;
	uint32_t own4; /* the interface by its address */
	unsigned if_index;
};

/* Adds or takes a source of a group that is there; lock held. */
static int
change_source(struct inet_group **at, const ip_addr_t *ip, bool include,
    bool add)
{
	struct inet_group *g = *at;
	unsigned i;

	if (g == NULL)
		return -EINVAL;
	if (g->nsources > 0 && g->include != include)
		return -EINVAL;
	i = find_source(g, ip);
	if (add ? i < g->nsources : i == g->nsources)
		return -EADDRNOTAVAIL;
	if (add && g->nsources == SOURCES)
		return -ENOBUFS;
	g->include = include;
	if (add) {
		g->source[g->nsources++] = *ip;
		return 0;
	}
	g->source[i] = g->source[--g->nsources];
	if (include && g->nsources == 0)
		leave(at); /* nobody is left to be heard */
	return 0;
}

static int
source_option(struct inet_sock *is, int name, const struct request *r)
{
	bool include = name == MCAST_JOIN_SOURCE_GROUP ||
	    name == MCAST_LEAVE_SOURCE_GROUP;
	bool add = name == MCAST_JOIN_SOURCE_GROUP ||
	    name == MCAST_BLOCK_SOURCE;
	struct inet_group **g;
	struct netif *nif;
	int error = 0;

	if (!ip_addr_ismulticast(&r->group))
		return -EINVAL;
	net_lock();
	nif = choose(&r->group, r->own4, r->if_index);
	if (nif == NULL)
		error = -ENODEV;
	if (error == 0 && name == MCAST_JOIN_SOURCE_GROUP &&
	    *find(is, &r->group, ethif_index(nif)) == NULL) {
		error = join(is, &r->group, nif);
		if (error == 0)
			is->groups->include = true;
	}
	if (error == 0) {
		g = find(is, &r->group, ethif_index(nif));
		error = change_source(g, &r->source, include, add);
	}
	net_unlock();
	return error;
}

static void
set_ip4(ip_addr_t *ip, uint32_t addr)
{
	ip_addr_set_zero_ip4(ip);
	ip4_addr_set_u32(ip_2_ip4(ip), addr);
}

/* IP_ADD_SOURCE_MEMBERSHIP and its kin: IPv4's older way to say it. */
static int
source4(struct inet_sock *is, int name, const void *value, unsigned len)
{
	struct ip_mreq_source req;
	struct request r = { .if_index = 0 };

	if (len < sizeof(req))
		return -EINVAL;
	memcpy(&req, value, sizeof(req));
	set_ip4(&r.group, req.imr_multiaddr);
	set_ip4(&r.source, req.imr_sourceaddr);
	r.own4 = req.imr_interface;
	switch (name) {
	case IP_ADD_SOURCE_MEMBERSHIP:
		return source_option(is, MCAST_JOIN_SOURCE_GROUP, &r);
	case IP_DROP_SOURCE_MEMBERSHIP:
		return source_option(is, MCAST_LEAVE_SOURCE_GROUP, &r);
	case IP_BLOCK_SOURCE: return source_option(is, MCAST_BLOCK_SOURCE, &r);
	default: return source_option(is, MCAST_UNBLOCK_SOURCE, &r);
	}
}

/* A struct sockaddr_storage of the option's family. */
static int
get_storage(const struct __kernel_sockaddr_storage *ss, bool v6, ip_addr_t *ip)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	if (v6 && ss->ss_family == AF_INET6) {
		memcpy(&sin6, ss, sizeof(sin6));
		ip_addr_set_zero_ip6(ip);
		memcpy(ip_2_ip6(ip)->addr, &sin6.sin6_addr, 16);
		return 0;
	}
	if (!v6 && ss->ss_family == AF_INET) {
		memcpy(&sin, ss, sizeof(sin));
		set_ip4(ip, sin.sin_addr.s_addr);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

/* MCAST_*: of both families alike. */
static int
group_request(struct inet_sock *is, int name, const void *value, unsigned len,
    bool v6)
{
	bool whole = name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP;
	struct request r = { .own4 = 0 };
	struct group_source_req req;
	int error;

	if (len < (whole ? sizeof(struct group_req) : sizeof(req)))
		return -EINVAL;
	memcpy(&req, value, MIN(len, (unsigned)sizeof(req)));
	r.if_index = req.gsr_interface;
	error = get_storage(&req.gsr_group, v6, &r.group);
	if (error == 0 && !whole)
		error = get_storage(&req.gsr_source, v6, &r.source);
	if (error != 0) /* Linux has two numbers for it */
		return whole && !v6 ? -EINVAL : error;
	return whole ?
	    change(is, &r.group, 0, r.if_index, name == MCAST_JOIN_GROUP) :
	    source_option(is, name, &r);
}

int
inet_group_option(struct inet_sock *is, int name, const void *value,
    unsigned len, bool v6)
{
	bool add = name == (v6 ? IPV6_ADD_MEMBERSHIP : IP_ADD_MEMBERSHIP);
	bool drop = name == (v6 ? IPV6_DROP_MEMBERSHIP : IP_DROP_MEMBERSHIP);
	bool source = !v6 && name >= IP_UNBLOCK_SOURCE &&
	    name <= IP_DROP_SOURCE_MEMBERSHIP;
	bool request = name >= MCAST_JOIN_GROUP &&
	    name <= MCAST_LEAVE_SOURCE_GROUP;

	if (!add && !drop && !source && !request)
		return -ENOPROTOOPT;
	if (is->s.type == SOCK_STREAM)
		return -EPROTO;
	if (request)
		return group_request(is, name, value, len, v6);
	if (source)
		return source4(is, name, value, len);
	return v6 ? change6(is, value, len, add) : change4(is, value, len, add);
}
