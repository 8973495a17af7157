/* SPDX-License-Identifier: ISC */
/* inet_rtnl_link.c - rtnetlink(7): links and addresses. */
#include "net/inet_rtnl.h"

#include "abi/netdevice.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_addr6.h"
#include "net/lwip/port.h"
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/rtnetlink.h>

#define AF_UNSPEC 0
#define AF_INET   2
#define AF_INET6  10

static const uint8_t broadcast_mac[NIC_MAC_LEN] = { 255, 255, 255, 255, 255,
	255 };

/* ------------------------------------------------------------------ links -- */

static void
put_stats(struct nlmsg *m, const struct netif *nif)
{
	const struct nic_stats *st = ethif_stats(nif);
	struct rtnl_link_stats64 s = { .rx_packets = st->rx_packets,
		.tx_packets = st->tx_packets,
		.rx_bytes = st->rx_bytes,
		.tx_bytes = st->tx_bytes,
		.rx_errors = st->rx_errors,
		.rx_dropped = st->rx_dropped + st->rx_missed,
		.tx_dropped = st->tx_dropped,
		.multicast = st->multicast };
	struct rtnl_link_stats s32 = { .rx_packets = (uint32_t)s.rx_packets,
		.tx_packets = (uint32_t)s.tx_packets,
		.rx_bytes = (uint32_t)s.rx_bytes,
		.tx_bytes = (uint32_t)s.tx_bytes,
		.rx_errors = (uint32_t)s.rx_errors,
		.rx_dropped = (uint32_t)s.rx_dropped,
		.tx_dropped = (uint32_t)s.tx_dropped,
		.multicast = (uint32_t)s.multicast };

	nlmsg_put(m, IFLA_STATS64, &s, sizeof(s));
	nlmsg_put(m, IFLA_STATS, &s32, sizeof(s32));
}

static void
put_link(struct nlmsg *m, uint16_t type, uint16_t flags,
    const struct netif *nif)
{
	const struct nic *nic = ethif_nic(nif);
	struct ifinfomsg *i = nlmsg_begin(m, type, flags, sizeof(*i));
	static const uint8_t none[NIC_MAC_LEN];

	if (i == NULL)
		return;
	i->ifi_family = AF_UNSPEC;
	i->ifi_type = nic == NULL ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	i->ifi_index = (int)ethif_index(nif);
	i->ifi_flags = ethif_flags(nif);
	nlmsg_put_string(m, IFLA_IFNAME, ethif_name(nif));
	nlmsg_put_u32(m, IFLA_TXQLEN, 1000);
	nlmsg_put_u8(m, IFLA_OPERSTATE,
	    nic == NULL                      ? 0 :
		(i->ifi_flags & IFF_RUNNING) ? 6 :
					       2);
	nlmsg_put_u8(m, IFLA_LINKMODE, 0);
	nlmsg_put_u32(m, IFLA_MTU, ethif_mtu(nif));
	nlmsg_put_u32(m, IFLA_MIN_MTU, nic == NULL ? 0 : NIC_MTU_MIN);
	nlmsg_put_u32(m, IFLA_MAX_MTU, nic == NULL ? 0 : nic->info.mtu);
	nlmsg_put_u32(m, IFLA_GROUP, 0);
	nlmsg_put_u32(m, IFLA_NUM_TX_QUEUES,
	    nic == NULL ? 1 : nic->info.nqueues);
	nlmsg_put_u32(m, IFLA_NUM_RX_QUEUES,
	    nic == NULL ? 1 : nic->info.nqueues);
	nlmsg_put_u8(m, IFLA_CARRIER, (i->ifi_flags & IFF_RUNNING) != 0);
	nlmsg_put_string(m, IFLA_QDISC, nic == NULL ? "noqueue" : "pfifo");
	nlmsg_put(m, IFLA_ADDRESS, nic == NULL ? none : nif->hwaddr,
	    NIC_MAC_LEN);
	nlmsg_put(m, IFLA_BROADCAST, nic == NULL ? none : broadcast_mac,
	    NIC_MAC_LEN);
	put_stats(m, nif);
	nlmsg_end(m);
}

/* Whom a request names: by number, or by name. */
static struct netif *
named(const struct rtnl_request *r, const struct nlattr **attr)
{
	const struct ifinfomsg *i = r->body;
	char name[ETHIF_NAME];

	if (i->ifi_index > 0)
		return ethif_by_index((unsigned)i->ifi_index);
	if (nlattr_string(attr[IFLA_IFNAME], name, sizeof(name)))
		return ethif_by_name(name);
	return NULL;
}

static int
link_attrs(const struct rtnl_request *r, const struct nlattr **attr)
{
	size_t skip = NLMSG_ALIGN(sizeof(struct ifinfomsg));

	return r->len < skip ? nlmsg_parse(NULL, 0, attr, IFLA_MAX + 1) :
			       nlmsg_parse((const uint8_t *)r->body + skip,
				   r->len - skip, attr, IFLA_MAX + 1);
}

static int
get_link(struct rtnl_request *r)
{
	const struct nlattr *attr[IFLA_MAX + 1];
	struct netif *nif;
	unsigned i;
	int error;

	if (r->dump) {
		for (i = 0; (nif = ethif_nth(i)) != NULL; i++)
			put_link(r->m, RTM_NEWLINK, NLM_F_MULTI, nif);
		return 0;
	}
	error = link_attrs(r, attr);
	if (error != 0)
		return error;
	nif = named(r, attr);
	if (nif == NULL)
		return -ENODEV;
	put_link(r->m, RTM_NEWLINK, 0, nif);
	return 0;
}

static int
set_link(struct rtnl_request *r)
{
	const struct ifinfomsg *i = r->body;
	const struct nlattr *attr[IFLA_MAX + 1];
	uint32_t mtu;
	struct netif *nif;
	int error = link_attrs(r, attr);

	if (error != 0)
		return error;
	nif = named(r, attr);
	if (nif == NULL)
		return (r->h->nlmsg_flags & NLM_F_CREATE) != 0 ? -EOPNOTSUPP :
								 -ENODEV;
	if (attr[IFLA_ADDRESS] != NULL || attr[IFLA_LINKINFO] != NULL)
		return -EOPNOTSUPP;
	if (nlattr_get(attr[IFLA_MTU], &mtu, sizeof(mtu)))
		error = ethif_set_mtu(nif, mtu);
	if (error == 0 && (i->ifi_change & IFF_UP) != 0)
		error = ethif_set_up(nif, (i->ifi_flags & IFF_UP) != 0);
	return error;
}

/* -------------------------------------------------------------- addresses -- */

static unsigned
mask_bits(uint32_t mask)
{
	return (unsigned)__builtin_popcount(mask);
}

static uint32_t
mask_of(unsigned bits)
{
	return bits == 0 ? 0 : lwip_htonl(UINT32_MAX << (32 - bits));
}

static void
put_cache(struct nlmsg *m, uint32_t preferred, uint32_t valid)
{
	struct ifa_cacheinfo c = { .ifa_prefered = preferred,
		.ifa_valid = valid };

	nlmsg_put(m, IFA_CACHEINFO, &c, sizeof(c));
}

static void
put_addr4(struct nlmsg *m, uint16_t type, uint16_t flags,
    const struct netif *nif, const struct ethif_addr *addr)
{
	uint32_t f = IFA_F_PERMANENT | (addr->secondary ? IFA_F_SECONDARY : 0);
	struct ifaddrmsg *a;

	if (addr->ip == 0)
		return;
	a = nlmsg_begin(m, type, flags, sizeof(*a));
	if (a == NULL)
		return;
	a->ifa_family = AF_INET;
	a->ifa_prefixlen = (uint8_t)mask_bits(addr->mask);
	a->ifa_flags = (uint8_t)f;
	a->ifa_scope = ethif_nic(nif) == NULL ? RT_SCOPE_HOST :
						RT_SCOPE_UNIVERSE;
	a->ifa_index = ethif_index(nif);
	nlmsg_put_u32(m, IFA_ADDRESS, addr->ip);
	nlmsg_put_u32(m, IFA_LOCAL, addr->ip);
	if (ethif_nic(nif) != NULL && addr->mask != UINT32_MAX)
		nlmsg_put_u32(m, IFA_BROADCAST, addr->ip | ~addr->mask);
	nlmsg_put_string(m, IFA_LABEL, addr->label);
	nlmsg_put_u32(m, IFA_FLAGS, f);
	put_cache(m, UINT32_MAX, UINT32_MAX);
	nlmsg_end(m);
}

static void
put_addr6(struct nlmsg *m, uint16_t type, uint16_t flags,
    const struct netif *nif, const struct inet_addr6 *addr)
{
	struct ifaddrmsg *a = nlmsg_begin(m, type, flags, sizeof(*a));

	if (a == NULL)
		return;
	a->ifa_family = AF_INET6;
	a->ifa_prefixlen = addr->plen;
	a->ifa_flags = (uint8_t)addr->flags;
	a->ifa_scope = (uint8_t)addr->scope;
	a->ifa_index = ethif_index(nif);
	nlmsg_put(m, IFA_ADDRESS, addr->ip.addr, 16);
	nlmsg_put_u32(m, IFA_FLAGS, addr->flags);
	put_cache(m, addr->preferred, addr->valid);
	nlmsg_end(m);
}

static void
put_all_addr6(struct nlmsg *m, struct netif *nif)
{
	struct inet_addr6 addr;
	unsigned i, place;

	for (i = 0; inet_addr6_nth(nif, i, &place); i++)
		if (inet_addr6_at(nif, place, &addr))
			put_addr6(m, RTM_NEWADDR, NLM_F_MULTI, nif, &addr);
}

/* Linux's order: the secondary ones are last. */
static void
put_all_addr4(struct nlmsg *m, struct netif *nif)
{
	struct ethif_addr addr;
	unsigned i, pass;

	for (pass = 0; pass < 2; pass++)
		for (i = 0; ethif_addr_nth(nif, i, &addr); i++)
			if (addr.secondary == (pass == 1))
				put_addr4(m, RTM_NEWADDR, NLM_F_MULTI, nif,
				    &addr);
}

static int
get_addr(struct rtnl_request *r)
{
	uint8_t family = *(const uint8_t *)r->body;
	struct netif *nif;
	unsigned i;

	if (!r->dump)
		return -EOPNOTSUPP;
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++)
		if (family == AF_UNSPEC || family == AF_INET)
			put_all_addr4(r->m, nif);
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++)
		if (family == AF_UNSPEC || family == AF_INET6)
			put_all_addr6(r->m, nif);
	return 0;
}

struct news {
	struct netif *nif;
	uint16_t type;
	struct ethif_addr addr;
	struct inet_addr6 addr6;
};

static void
fill_addr4(struct nlmsg *m, void *arg)
{
	const struct news *n = arg;

	put_addr4(m, n->type, 0, n->nif, &n->addr);
}

void
rtnl_addr4_gone(struct netif *nif, const struct ethif_addr *addr)
{
	struct news n = { .nif = nif, .type = RTM_DELADDR, .addr = *addr };

	rtnl_notify(RTNLGRP_IPV4_IFADDR, fill_addr4, &n);
}

void
rtnl_addr4_came(struct netif *nif, uint32_t ip)
{
	struct news n = { .nif = nif, .type = RTM_NEWADDR };
	unsigned i;

	for (i = 0; ethif_addr_nth(nif, i, &n.addr); i++)
		if (n.addr.ip == ip)
			rtnl_notify(RTNLGRP_IPV4_IFADDR, fill_addr4, &n);
}

static int
add_addr4(struct rtnl_request *r, struct netif *nif, uint32_t ip,
    const struct nlattr *label)
{
	const struct ifaddrmsg *a = r->body;
	unsigned flags = r->h->nlmsg_flags;
	struct ethif_addr addr = { .ip = ip,
		.mask = mask_of(a->ifa_prefixlen) };
	struct netif *have = ethif_with_address(nif, ip);
	bool first = netif_ip4_addr(nif)->addr == 0;
	int error;

	if (ip == 0 || ip4_addr_ismulticast(&(ip4_addr_t){ ip }))
		return -EINVAL;
	if (label == NULL ||
	    !nlattr_string(label, addr.label, sizeof(addr.label)))
		strlcpy(addr.label, ethif_name(nif), sizeof(addr.label));
	if (have != NULL && netif_ip4_netmask(have)->addr == addr.mask &&
	    (flags & (NLM_F_REPLACE | NLM_F_EXCL)) == NLM_F_REPLACE)
		return 0;
	error = ethif_addr_add(nif, &addr);
	/* Of an interface's first one lwIP tells (addr_changed()). */
	if (error == 0 && !(first && netif_ip4_addr(nif)->addr == ip))
		rtnl_addr4_came(nif, ip);
	return error;
}

/* The length, lives and flags that a request says. */
static void
read_addr6(const struct rtnl_request *r, const struct nlattr **attr,
    struct inet_addr6 *addr)
{
	const struct ifaddrmsg *a = r->body;
	struct ifa_cacheinfo c;
	uint32_t flags = a->ifa_flags;

	(void)nlattr_get(attr[IFA_FLAGS], &flags, sizeof(flags));
	*addr = (struct inet_addr6){ .plen = a->ifa_prefixlen,
		.flags = flags,
		.valid = INET_ADDR6_FOREVER,
		.preferred = INET_ADDR6_FOREVER };
	if (nlattr_get(attr[IFA_CACHEINFO], &c, sizeof(c))) {
		addr->valid = c.ifa_valid;
		addr->preferred = c.ifa_prefered;
	}
}

static int
change_addr6(struct rtnl_request *r, struct netif *nif,
    const struct nlattr **attr, const uint32_t ip[4])
{
	unsigned flags = r->h->nlmsg_flags;
	uint32_t other[4];
	struct inet_addr6 a;
	int error;

	read_addr6(r, attr, &a);
	memcpy(a.ip.addr, ip, sizeof(a.ip.addr));
	ip6_addr_assign_zone(&a.ip, IP6_UNICAST, nif);
	if (r->h->nlmsg_type == RTM_DELADDR)
		return inet_addr6_remove(nif, &a.ip, a.plen);
	/* The other end of a line that has but two. */
	if (nlattr_get(attr[IFA_ADDRESS], other, sizeof(other)) &&
	    memcmp(other, ip, sizeof(other)) != 0)
		return -EOPNOTSUPP;
	error = inet_addr6_add(nif, &a);
	if (error != -EEXIST || (flags & NLM_F_EXCL) != 0 ||
	    (flags & NLM_F_REPLACE) == 0)
		return error;
	return inet_addr6_change(nif, &a);
}

static int
change_addr(struct rtnl_request *r)
{
	const struct ifaddrmsg *a = r->body;
	const struct nlattr *attr[IFA_MAX + 1], *local;
	size_t skip = NLMSG_ALIGN(sizeof(*a));
	bool add = r->h->nlmsg_type == RTM_NEWADDR;
	struct netif *nif = ethif_by_index(a->ifa_index);
	uint32_t ip[4];
	int error = nlmsg_parse((const uint8_t *)r->body + skip, r->len - skip,
	    attr, IFA_MAX + 1);

	if (error != 0)
		return error;
	if (nif == NULL)
		return -ENODEV;
	local = attr[IFA_LOCAL] != NULL ? attr[IFA_LOCAL] : attr[IFA_ADDRESS];
	if (a->ifa_family == AF_INET && a->ifa_prefixlen <= 32 &&
	    nlattr_get(local, ip, 4))
		return add ? add_addr4(r, nif, ip[0], attr[IFA_LABEL]) :
			     ethif_addr_remove(nif, ip[0], rtnl_addr4_gone);
	if (a->ifa_family == AF_INET6 && nlattr_get(local, ip, 16))
		return change_addr6(r, nif, attr, ip);
	return -EINVAL;
}

const struct rtnl_handler rtnl_link_handlers[] = {
	{ RTM_GETLINK, sizeof(struct ifinfomsg), false, get_link },
	{ RTM_NEWLINK, sizeof(struct ifinfomsg), true, set_link },
	{ RTM_SETLINK, sizeof(struct ifinfomsg), true, set_link },
	{ RTM_GETADDR, sizeof(struct ifaddrmsg), false, get_addr },
	{ RTM_NEWADDR, sizeof(struct ifaddrmsg), true, change_addr },
	{ RTM_DELADDR, sizeof(struct ifaddrmsg), true, change_addr },
	{ 0 },
};

/* ---------------------------------------------------------------- telling -- */

static void
fill_link(struct nlmsg *m, void *arg)
{
	const struct news *n = arg;

	put_link(m, n->type, 0, n->nif);
}

static void
fill_addr6(struct nlmsg *m, void *arg)
{
	const struct news *n = arg;

	put_addr6(m, n->type, 0, n->nif, &n->addr6);
}

static void
link_changed(struct netif *nif, enum ethif_event what)
{
	struct news n = { .nif = nif,
		.type = what == ETHIF_GONE ? RTM_DELLINK : RTM_NEWLINK };

	rtnl_notify(RTNLGRP_LINK, fill_link, &n);
}

/* lwIP: an address has changed. */
static void
addr_changed(struct netif *nif, netif_nsc_reason_t reason,
    const netif_ext_callback_args_t *args)
{
	struct news n = { .nif = nif, .type = RTM_NEWADDR };
	unsigned i;

	if ((reason & LWIP_NSC_IPV4_ADDRESS_CHANGED) != 0) {
		n.addr.ip = ip_2_ip4(args->ipv4_changed.old_address)->addr;
		n.addr.mask = ip_2_ip4(args->ipv4_changed.old_netmask)->addr;
		strlcpy(n.addr.label, ethif_name(nif), sizeof(n.addr.label));
		rtnl_addr4_gone(nif, &n.addr);
		rtnl_addr4_came(nif, netif_ip4_addr(nif)->addr);
	}
	if ((reason & LWIP_NSC_IPV6_ADDR_STATE_CHANGED) != 0) {
		i = (unsigned)args->ipv6_addr_state_changed.addr_index;
		if (inet_addr6_last(nif, i, &n.addr6))
			n.type = RTM_DELADDR;
		rtnl_notify(RTNLGRP_IPV6_IFADDR, fill_addr6, &n);
	}
}

void
rtnl_link_watch(void)
{
	NETIF_DECLARE_EXT_CALLBACK(callback)

	ethif_set_watcher(link_changed);
	netif_add_ext_callback(&callback, addr_changed);
}
