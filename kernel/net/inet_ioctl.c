/* SPDX-License-Identifier: ISC */
/*
 * inet_ioctl.c - ioctl(2) on sockets: interfaces, routes, bytes that wait.
 * netdevice(7), tcp(7), udp(7).
 */
#include "net/inet.h"

#include "abi/netdevice.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "net/ethif.h"
#include "net/ethtool.h"
#include "net/inet_addr6.h"
#include "net/inet_route.h"
#include "net/inet_route6.h"
#include "net/inet_rtnl.h"
#include "net/ip_arg.h"
#include "net/stack.h"
#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#define CONF_MAX 64u /* interfaces in one SIOCGIFCONF */

/* -------------------------------------------------------------- addresses -- */

static uint32_t
get_addr(const struct ifreq_sockaddr *sa)
{
	uint32_t v;

	memcpy(&v, sa->data + 2, sizeof(v));
	return v;
}

static void
put_addr(struct ifreq_sockaddr *sa, uint32_t v)
{
	memset(sa, 0, sizeof(*sa));
	sa->family = AF_INET;
	memcpy(sa->data + 2, &v, sizeof(v));
}

/* The first address that goes by the name. */
static bool
find_label(struct netif *nif, const char *label, struct ethif_addr *a)
{
	unsigned i;

	for (i = 0; ethif_addr_nth(nif, i, a); i++)
		if (strcmp(a->label, label) == 0)
			return true;
	return false;
}

static int
get_if_addr(struct netif *nif, unsigned cmd, struct ifreq *r)
{
	struct ethif_addr a;

	if (!find_label(nif, r->name, &a))
		return -EADDRNOTAVAIL;
	switch (cmd) {
	case SIOCGIFNETMASK: put_addr(&r->addr, a.mask); break;
	case SIOCGIFBRDADDR:
		put_addr(&r->addr, ethif_nic(nif) == NULL ? 0 : a.ip | ~a.mask);
		break;
	default: put_addr(&r->addr, a.ip);
	}
	return 0;
}

static int
set_if_addr(struct netif *nif, unsigned cmd, const struct ifreq *r)
{
	ip4_addr_t ip = *netif_ip4_addr(nif), mask = *netif_ip4_netmask(nif);
	ip4_addr_t gw = *netif_ip4_gw(nif);
	uint32_t v = get_addr(&r->addr);

	if (r->addr.family != AF_INET)
		return -EINVAL;
	if (cmd == SIOCSIFBRDADDR)
		return 0; /* follows from the mask */
	if (cmd == SIOCSIFNETMASK) {
		if (ip.addr == 0)
			return -EADDRNOTAVAIL;
		mask.addr = v;
	} else {
		ip.addr = v;
		if (v == 0)
			mask.addr = gw.addr = 0;
		else if (mask.addr == 0)
			mask.addr = ip_class_mask(v);
	}
	netif_set_addr(nif, &ip, &mask, &gw);
	/* Linux: an interface with an address comes up. */
	return v != 0 && cmd == SIOCSIFADDR ? ethif_set_up(nif, true) : 0;
}

/* In place of the one that had the label; 0.0.0.0: of none. */
static int
set_labelled(struct netif *nif, const char *label, uint32_t ip)
{
	struct ethif_addr a, had;
	int error;

	if (find_label(nif, label, &had)) {
		if (had.ip == ip)
			return 0;
		(void)ethif_addr_remove(nif, had.ip, rtnl_addr4_gone);
	}
	if (ip == 0)
		return 0;
	a = (struct ethif_addr){ .ip = ip, .mask = ip_class_mask(ip) };
	strlcpy(a.label, label, sizeof(a.label));
	error = ethif_addr_add(nif, &a);
	if (error == 0)
		rtnl_addr4_came(nif, ip);
	return error;
}

static int
mask_labelled(struct netif *nif, const struct ethif_addr *had, uint32_t mask)
{
	struct netif *which = ethif_with_address(nif, had->ip);

	if (which == NULL)
		return -EADDRNOTAVAIL;
	rtnl_addr4_gone(nif, had);
	ip_addr_set_ip4_u32(&which->netmask, mask);
	rtnl_addr4_came(nif, had->ip);
	return 0;
}

/* What is set of eth0:1 is set of that address of eth0; up it is anyway. */
static int
set_alias(struct netif *nif, unsigned cmd, const struct ifreq *r)
{
	uint32_t v = get_addr(&r->addr);
	struct ethif_addr had;
	bool has = find_label(nif, r->name, &had);

	if (cmd == SIOCSIFADDR)
		return r->addr.family == AF_INET ?
		    set_labelled(nif, r->name, v) :
		    -EINVAL;
	if (cmd == SIOCSIFMTU || cmd == SIOCSIFMETRIC || cmd == SIOCSIFTXQLEN)
		return -EINVAL;
	if (!has)
		return -EADDRNOTAVAIL;
	if (cmd == SIOCSIFNETMASK)
		return mask_labelled(nif, &had, v);
	if (cmd == SIOCSIFFLAGS && ((uint16_t)r->flags & IFF_UP) == 0)
		return ethif_addr_remove(nif, had.ip, rtnl_addr4_gone);
	return 0;
}

/* ------------------------------------------------------------- interfaces -- */

static void
get_hwaddr(const struct netif *nif, struct ifreq *r)
{
	memset(&r->addr, 0, sizeof(r->addr));
	r->addr.family = ethif_nic(nif) != NULL ? ARPHRD_ETHER :
						  ARPHRD_LOOPBACK;
	if (ethif_nic(nif) != NULL)
		memcpy(r->addr.data, nif->hwaddr, NIC_MAC_LEN);
}

/* What can be asked of one; -ENOTTY: not this. */
static int
get_one(struct netif *nif, unsigned cmd, struct ifreq *r)
{
	switch (cmd) {
	case SIOCGIFFLAGS: r->flags = (int16_t)ethif_flags(nif); return 0;
	case SIOCGIFINDEX: r->number = (int32_t)ethif_index(nif); return 0;
	case SIOCGIFMTU: r->number = (int32_t)ethif_mtu(nif); return 0;
	case SIOCGIFMETRIC: r->number = 0; return 0;
	case SIOCGIFTXQLEN: r->number = 1000; return 0;
	case SIOCGIFHWADDR: get_hwaddr(nif, r); return 0;
	case SIOCGIFMAP: memset(&r->map, 0, sizeof(r->map)); return 0;
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFBRDADDR: return get_if_addr(nif, cmd, r);
	default: return -ENOTTY;
	}
}

static int
set_one(struct netif *nif, unsigned cmd, const struct ifreq *r)
{
	switch (cmd) {
	case SIOCSIFFLAGS:
		return ethif_set_up(nif, ((uint16_t)r->flags & IFF_UP) != 0);
	case SIOCSIFMTU: return ethif_set_mtu(nif, (unsigned)r->number);
	case SIOCSIFMETRIC: return r->number == 0 ? 0 : -EOPNOTSUPP;
	case SIOCSIFTXQLEN: return r->number >= 0 ? 0 : -EINVAL;
	case SIOCSIFADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFBRDADDR: return set_if_addr(nif, cmd, r);
	default: return -ENOTTY;
	}
}

static bool
is_setting(unsigned cmd)
{
	switch (cmd) {
	case SIOCSIFFLAGS:
	case SIOCSIFMTU:
	case SIOCSIFMETRIC:
	case SIOCSIFTXQLEN:
	case SIOCSIFADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFBRDADDR: return true;
	default: return false;
	}
}

/* eth0:1 is an address of eth0, asked for as that one. */
static struct netif *
by_label(const char *label)
{
	char name[IFNAMSIZ];
	char *colon;

	strlcpy(name, label, sizeof(name));
	colon = strchr(name, ':');
	if (colon != NULL)
		*colon = '\0';
	return ethif_by_name(name);
}

static int
with_interface(unsigned cmd, struct ifreq *r)
{
	struct netif *nif;
	int error;

	r->name[IFNAMSIZ - 1] = '\0';
	if (is_setting(cmd) && !sock_hooks->capable(CAP_NET_ADMIN))
		return -EPERM;
	net_lock();
	nif = by_label(r->name);
	if (nif == NULL)
		error = -ENODEV;
	else if (!is_setting(cmd))
		error = get_one(nif, cmd, r);
	else
		error = strchr(r->name, ':') != NULL ? set_alias(nif, cmd, r) :
						       set_one(nif, cmd, r);
	net_unlock();
	return error;
}

static long
interface_ioctl(unsigned cmd, uint64_t arg)
{
	struct ifreq r;
	int error = copyin(&r, arg, sizeof(r));

	if (error == 0)
		error = with_interface(cmd, &r);
	if (error == 0 && !is_setting(cmd))
		error = copyout(arg, &r, sizeof(r));
	return error;
}

static long
get_name(uint64_t arg)
{
	struct netif *nif;
	struct ifreq r;
	int error = copyin(&r, arg, sizeof(r));

	if (error != 0)
		return error;
	net_lock();
	nif = ethif_by_index((unsigned)r.number);
	if (nif != NULL)
		strlcpy(r.name, ethif_name(nif), sizeof(r.name));
	net_unlock();
	return nif == NULL ? -ENODEV : copyout(arg, &r, sizeof(r));
}

/* Those with an IPv4 address; with no room, how much would be needed. */
static unsigned
list_configured(struct ifreq *r, unsigned max)
{
	struct ethif_addr a;
	struct netif *nif;
	unsigned i, k, n = 0;

	net_lock();
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++)
		for (k = 0; n < max && ethif_addr_nth(nif, k, &a); k++) {
			memset(&r[n], 0, sizeof(r[n]));
			strlcpy(r[n].name, a.label, IFNAMSIZ);
			put_addr(&r[n++].addr, a.ip);
		}
	net_unlock();
	return n;
}

static long
get_conf(uint64_t arg)
{
	struct ifreq r[CONF_MAX];
	struct ifconf conf;
	unsigned n;
	int error = copyin(&conf, arg, sizeof(conf));

	if (error != 0)
		return error;
	if (conf.len < 0)
		return -EINVAL;
	n = list_configured(r, CONF_MAX);
	if (conf.req != 0) {
		n = MIN(n, (unsigned)conf.len / sizeof(r[0]));
		error = copyout(conf.req, r, n * sizeof(r[0]));
	}
	conf.len = (int32_t)(n * sizeof(r[0]));
	return error != 0 ? error : copyout(arg, &conf, sizeof(conf));
}

/* ------------------------------------------------------------------ routes -- */

static long
route_ioctl(unsigned cmd, uint64_t arg)
{
	char name[IFNAMSIZ] = { 0 };
	struct inet_route r = { 0 };
	struct rtentry rt;
	struct netif *nif;
	int error = copyin(&rt, arg, sizeof(rt));

	if (error == 0 && !sock_hooks->capable(CAP_NET_ADMIN))
		error = -EPERM;
	if (error == 0 && rt.dev != 0)
		error = copyin(name, rt.dev, sizeof(name) - 1);
	if (error != 0)
		return error;
	r.dest = get_addr(&rt.dst);
	r.mask = (rt.flags & RTF_HOST) != 0 ? UINT32_MAX :
					      get_addr(&rt.genmask);
	r.gateway = (rt.flags & RTF_GATEWAY) != 0 ? get_addr(&rt.gateway) : 0;
	/* Programs count from 1 (rtentry). */
	r.metric = rt.metric > 0 ? (unsigned)rt.metric - 1 : 0;
	net_lock();
	nif = rt.dev == 0 ? NULL : ethif_by_name(name);
	r.if_index = nif == NULL ? 0 : ethif_index(nif);
	if (rt.dev != 0 && nif == NULL)
		error = -ENODEV;
	else
		error = cmd == SIOCADDRT ? inet_route_add(&r) :
					   inet_route_remove(&r);
	net_unlock();
	return error;
}

/* ------------------------------------------------------------------- IPv6 -- */

static long
route6_ioctl(unsigned cmd, uint64_t arg)
{
	static const struct inet_route6_how how = { .create = true,
		.append = true };
	struct inet_route6 r = { .protocol = RTPROT_BOOT };
	struct in6_rtmsg m;
	int error = copyin(&m, arg, sizeof(m));

	if (error == 0 && !sock_hooks->capable(CAP_NET_ADMIN))
		error = -EPERM;
	if (error == 0 && (m.dst_len > 128 || m.src_len != 0))
		error = -EINVAL;
	if (error != 0)
		return error;
	memcpy(r.dest.addr, m.dst, sizeof(m.dst));
	memcpy(r.gateway.addr, m.gateway, sizeof(m.gateway));
	r.plen = (uint8_t)m.dst_len;
	r.if_index = (unsigned)m.if_index;
	r.metric = m.metric;
	if (cmd == SIOCDELRT)
		r.protocol = 0;
	else if (m.metric == 0)
		r.metric = INET_ROUTE6_METRIC;
	if (cmd == SIOCADDRT)
		r.type = (m.flags & RTF_REJECT) != 0 ? RTN_UNREACHABLE :
						       RTN_UNICAST;
	net_lock();
	error = cmd == SIOCADDRT ? inet_route6_add(&r, how) :
				   inet_route6_remove(&r);
	net_unlock();
	return error;
}

static long
addr6_ioctl(unsigned cmd, uint64_t arg)
{
	struct inet_addr6 a = { .valid = INET_ADDR6_FOREVER,
		.preferred = INET_ADDR6_FOREVER };
	struct in6_ifreq r;
	struct netif *nif;
	int error = copyin(&r, arg, sizeof(r));

	if (error == 0 && !sock_hooks->capable(CAP_NET_ADMIN))
		error = -EPERM;
	if (error == 0 && r.plen > 128)
		error = -EINVAL;
	if (error != 0)
		return error;
	memcpy(a.ip.addr, r.addr, sizeof(r.addr));
	a.plen = (uint8_t)r.plen;
	net_lock();
	nif = ethif_by_index((unsigned)r.if_index);
	if (nif != NULL)
		ip6_addr_assign_zone(&a.ip, IP6_UNICAST, nif);
	error = nif == NULL    ? -ENODEV :
	    cmd == SIOCSIFADDR ? inet_addr6_add(nif, &a) :
				 inet_addr6_remove(nif, &a.ip, a.plen);
	net_unlock();
	return error;
}

/* -ENOTTY: as on all sockets. */
static long
ioctl6(unsigned cmd, uint64_t arg)
{
	int error = net_up();

	if (error != 0)
		return error;
	switch (cmd) {
	case SIOCADDRT:
	case SIOCDELRT: return route6_ioctl(cmd, arg);
	case SIOCSIFADDR:
	case SIOCDIFADDR: return addr6_ioctl(cmd, arg);
	default: return -ENOTTY;
	}
}

/* --------------------------------------------------------- bytes that wait -- */

static int
bytes_to_read(struct inet_sock *is)
{
	const struct inet_dgram *d;
	int n;

	net_lock();
	d = STAILQ_FIRST(&is->dgrams);
	if (is->s.type == SOCK_STREAM)
		n = (int)inet_urgent_readable(is);
	else
		n = d != NULL ? d->p->tot_len : 0;
	net_unlock();
	return n;
}

static int
bytes_to_send(struct inet_sock *is, bool unsent)
{
	int n = 0;

	net_lock();
	if (is->s.type == SOCK_STREAM && is->tcp != NULL &&
	    is->state == INET_CONNECTED)
		n = unsent ? (int)(is->tcp->snd_lbb - is->tcp->snd_nxt) :
			     (int)(is->queued - is->acked);
	net_unlock();
	return n;
}

static long
own_ioctl(struct inet_sock *is, unsigned cmd, uint64_t arg)
{
	int n = 0;

	if (is->state == INET_LISTENING)
		return -EINVAL;
	switch (cmd) {
	case FIONREAD: n = bytes_to_read(is); break;
	case TIOCOUTQ: n = bytes_to_send(is, false); break;
	case SIOCOUTQNSD: n = bytes_to_send(is, true); break;
	case SIOCATMARK: n = inet_urgent_at_mark(is, 0); break;
	}
	return copyout(arg, &n, sizeof(n));
}

long
inet_ioctl(struct socket *s, unsigned cmd, uint64_t arg)
{
	long error = inet_of(s)->v6 ? ioctl6(cmd, arg) : -ENOTTY;

	if (error != -ENOTTY)
		return error;
	switch (cmd) {
	case FIONREAD:
	case TIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK: return own_ioctl(inet_of(s), cmd, arg);
	default: return cmd >> 8 == 0x89 ? net_ioctl(cmd, arg) : -ENOTTY;
	}
}

long
net_ioctl(unsigned cmd, uint64_t arg)
{
	int error = net_up();

	if (error != 0)
		return error;
	switch (cmd) {
	case SIOCGIFCONF: return get_conf(arg);
	case SIOCGIFNAME: return get_name(arg);
	case SIOCADDRT:
	case SIOCDELRT: return route_ioctl(cmd, arg);
	case SIOCETHTOOL: return ethtool_ioctl(arg);
	default: return interface_ioctl(cmd, arg);
	}
}
