/* SPDX-License-Identifier: ISC */
/*
 * inet_group.c - multicast: the groups that a socket has joined.  ip(7),
 * ipv6(7).  Which groups a card listens to is lwIP's affair (IGMP, MLD); which
 * socket gets a group's datagrams is decided here.
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

struct inet_group {
	struct inet_group *next;
	ip_addr_t ip;
	unsigned if_index;
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
	g = kmalloc(sizeof(*g));
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

bool
inet_group_wants(const struct inet_sock *is, const ip_addr_t *to,
    unsigned if_index)
{
	const struct inet_group *g;

	/* As Linux has it (IP_MULTICAST_ALL): no group of one's own, all. */
	if (is->groups == NULL)
		return true;
	for (g = is->groups; g != NULL; g = g->next)
		if (g->if_index == if_index && ip_addr_cmp_zoneless(&g->ip, to))
			return true;
	return false;
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

int
inet_group_option(struct inet_sock *is, int name, const void *value,
    unsigned len, bool v6)
{
	if (!v6 && (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP))
		return change4(is, value, len, name == IP_ADD_MEMBERSHIP);
	if (v6 && (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP))
		return change6(is, value, len, name == IPV6_ADD_MEMBERSHIP);
	return -ENOPROTOOPT;
}
