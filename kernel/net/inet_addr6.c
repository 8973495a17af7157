/* SPDX-License-Identifier: ISC */
/*
 * inet_addr6.c - addresses of IPv6.  lwIP has their states and lives; what it
 * does not know of (lengths of networks other than 64, flags) stands beside.
 */
#include "net/inet_addr6.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_route6.h"
#include "net/inet_sysctl.h"
#include "net/stack.h"
#include <lwip/ip6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#define PLACES LWIP_IPV6_NUM_ADDRESSES

/* What counts for the address that stood in the place when it was written. */
struct about {
	ip6_addr_t ip;
	uint8_t plen;
	uint32_t flags;
};

struct six {
	struct inet_conf6 conf;
	struct about about[PLACES];
};

#define CONF_USUAL                                                            \
	{                                                                     \
		.accept_ra = true, .autoconf = true, .accept_redirects = true \
	}
static const struct inet_conf6 conf_usual = CONF_USUAL;
static struct inet_conf6 conf_new = CONF_USUAL, conf_all = CONF_USUAL;
static struct six *sixes[UINT8_MAX + 1]; /* by ifindex */

static struct six *
six_of(const struct netif *nif)
{
	return sixes[ethif_index(nif) & UINT8_MAX];
}

bool
inet_addr6_match(const ip6_addr_t *a, const ip6_addr_t *b, unsigned plen)
{
	unsigned i, bits;

	for (i = 0; i < 4 && plen > 0; i++, plen -= bits) {
		bits = MIN(plen, 32u);
		if ((lwip_ntohl(a->addr[i] ^ b->addr[i]) >> (32 - bits)) != 0)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------- describing -- */

static const struct about *
about(const struct netif *nif, unsigned i)
{
	const struct six *six = six_of(nif);

	return six != NULL &&
		ip6_addr_cmp_zoneless(&six->about[i].ip,
		    netif_ip6_addr(nif, i)) ?
	    &six->about[i] :
	    NULL;
}

static uint32_t
scope_of(const ip6_addr_t *ip)
{
	return ip6_addr_isloopback(ip) ? RT_SCOPE_HOST :
	    ip6_addr_islinklocal(ip)   ? RT_SCOPE_LINK :
	    ip6_addr_issitelocal(ip)   ? RT_SCOPE_SITE :
					 RT_SCOPE_UNIVERSE;
}

static void
describe(struct netif *nif, unsigned i, struct inet_addr6 *a)
{
	const struct about *ab = about(nif, i);
	uint8_t state = netif_ip6_addr_state(nif, i);
	bool fixed = netif_ip6_addr_isstatic(nif, (s8_t)i);

	*a = (struct inet_addr6){ .ip = *netif_ip6_addr(nif, i),
		.plen = ethif_nic(nif) == NULL ? 128 : 64,
		.tentative = ip6_addr_istentative(state) ||
		    ip6_addr_isduplicated(state),
		.valid = INET_ADDR6_FOREVER,
		.preferred = INET_ADDR6_FOREVER };
	if (ab != NULL) {
		a->plen = ab->plen;
		a->flags = ab->flags;
	}
	a->given = ab == NULL && !fixed;
	if (!fixed) {
		a->valid = netif_ip6_addr_valid_life(nif, i);
		a->preferred = netif_ip6_addr_pref_life(nif, i);
	} else if (state == IP6_ADDR_DEPRECATED) {
		a->preferred = 0;
	}
	if (a->valid == INET_ADDR6_FOREVER)
		a->flags |= IFA_F_PERMANENT;
	if (state == IP6_ADDR_DEPRECATED)
		a->flags |= IFA_F_DEPRECATED;
	if (a->tentative)
		a->flags |= IFA_F_TENTATIVE;
	if (ip6_addr_isduplicated(state))
		a->flags |= IFA_F_DADFAILED;
	a->scope = scope_of(&a->ip);
}

bool
inet_addr6_at(struct netif *nif, unsigned i, struct inet_addr6 *a)
{
	if (ip6_addr_isinvalid(netif_ip6_addr_state(nif, i)))
		return false;
	describe(nif, i, a);
	return true;
}

bool
inet_addr6_last(struct netif *nif, unsigned i, struct inet_addr6 *a)
{
	describe(nif, i, a);
	return ip6_addr_isinvalid(netif_ip6_addr_state(nif, i));
}

/* By scope, the widest first, and the youngest of those first. */
bool
inet_addr6_nth(struct netif *nif, unsigned i, unsigned *place)
{
	static const uint32_t scopes[] = { RT_SCOPE_UNIVERSE, RT_SCOPE_SITE,
		RT_SCOPE_HOST, RT_SCOPE_LINK };
	unsigned s, k;

	for (s = 0; s < ARRAY_SIZE(scopes); s++)
		for (k = PLACES; k-- > 0;) {
			if (ip6_addr_isinvalid(netif_ip6_addr_state(nif, k)) ||
			    scope_of(netif_ip6_addr(nif, k)) != scopes[s])
				continue;
			if (i-- == 0) {
				*place = k;
				return true;
			}
		}
	return false;
}

/* ----------------------------------------------------------------- changing -- */

static int
find(struct netif *nif, const ip6_addr_t *ip)
{
	int i;

	for (i = 0; i < PLACES; i++)
		if (!ip6_addr_isinvalid(netif_ip6_addr_state(nif, i)) &&
		    ip6_addr_cmp_zoneless(netif_ip6_addr(nif, i), ip))
			return i;
	return -1;
}

/* The first one is for the address of the link. */
static int
find_free(struct netif *nif, const ip6_addr_t *ip)
{
	int i = ethif_nic(nif) != NULL && ip6_addr_islinklocal(ip) ? 0 : 1;

	for (; i < PLACES; i++)
		if (ip6_addr_isinvalid(netif_ip6_addr_state(nif, i)))
			return i;
	return -1;
}

static int
check(const struct inet_addr6 *a)
{
	if (a->plen > 128 || a->valid == 0 || a->preferred > a->valid)
		return -EINVAL;
	if (ip6_addr_isany(&a->ip) || ip6_addr_ismulticast(&a->ip))
		return -EADDRNOTAVAIL;
	return 0;
}

/* Both for ever: lwIP's clock passes the address by. */
static void
set_lives(struct netif *nif, int i, const struct inet_addr6 *a)
{
	bool fixed = a->valid == INET_ADDR6_FOREVER &&
	    (a->preferred == INET_ADDR6_FOREVER || a->preferred == 0);

	netif_ip6_addr_set_valid_life(nif, i, fixed ? 0 : a->valid);
	netif_ip6_addr_set_pref_life(nif, i, fixed ? 0 : a->preferred);
	lwip_timers_look();
}

static uint8_t
state_of(const struct inet_addr6 *a)
{
	return a->preferred == 0 ? IP6_ADDR_DEPRECATED : IP6_ADDR_PREFERRED;
}

static void
set_about(struct netif *nif, int i, const struct inet_addr6 *a)
{
	six_of(nif)->about[i] = (struct about){ .ip = a->ip,
		.plen = a->plen,
		.flags = a->flags &
		    (IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_HOMEADDRESS) };
}

int
inet_addr6_add(struct netif *nif, const struct inet_addr6 *a)
{
	struct six *six = six_of(nif);
	int error = check(a), i;

	if (error != 0)
		return error;
	if (find(nif, &a->ip) >= 0)
		return -EEXIST;
	i = find_free(nif, &a->ip);
	if (six == NULL || i < 0)
		return -ENOSPC;
	if (six->conf.disabled)
		return -EACCES;
	set_about(nif, i, a);
	netif_ip6_addr_set(nif, (s8_t)i, &a->ip);
	set_lives(nif, i, a);
	netif_ip6_addr_set_state(nif, (s8_t)i,
	    ethif_nic(nif) == NULL || (a->flags & IFA_F_NODAD) != 0 ?
		state_of(a) :
		IP6_ADDR_TENTATIVE);
	inet_route6_changed();
	return 0;
}

int
inet_addr6_change(struct netif *nif, const struct inet_addr6 *a)
{
	int error = check(a), i = find(nif, &a->ip);

	if (error != 0)
		return error;
	if (i < 0 || six_of(nif) == NULL)
		return -ENOENT;
	set_about(nif, i, a);
	set_lives(nif, i, a);
	if (ip6_addr_isvalid(netif_ip6_addr_state(nif, i)))
		netif_ip6_addr_set_state(nif, (s8_t)i, state_of(a));
	inet_route6_changed();
	return 0;
}

int
inet_addr6_remove(struct netif *nif, const ip6_addr_t *ip, unsigned plen)
{
	int i = find(nif, ip);
	struct inet_addr6 a;

	if (i < 0 || !inet_addr6_at(nif, (unsigned)i, &a) || a.plen != plen)
		return -EADDRNOTAVAIL;
	netif_ip6_addr_set_state(nif, (s8_t)i, IP6_ADDR_INVALID);
	inet_route6_changed();
	return 0;
}

void
inet_addr6_drop_route(struct netif *nif, unsigned i)
{
	struct inet_addr6 a;

	if (six_of(nif) == NULL || !inet_addr6_at(nif, i, &a))
		return;
	a.flags |= IFA_F_NOPREFIXROUTE;
	set_about(nif, (int)i, &a);
}

/* ---------------------------------------------------------- coming, going -- */

void
inet_addr6_arrived(struct netif *nif)
{
	struct six *six = kzalloc(sizeof(*six));

	/* Without memory it works as it comes; nothing can be added. */
	if (six == NULL)
		return;
	six->conf = conf_new;
	nif->ip6_autoconfig_enabled = six->conf.autoconf;
	kfree(six_of(nif));
	sixes[ethif_index(nif) & UINT8_MAX] = six;
	/* lwIP's loopback has an address that is no longer preferred. */
	if (ethif_nic(nif) == NULL)
		netif_ip6_addr_set_state(nif, 0, IP6_ADDR_PREFERRED);
}

void
inet_addr6_departed(struct netif *nif)
{
	inet_addr6_end(nif);
	kfree(six_of(nif));
	sixes[ethif_index(nif) & UINT8_MAX] = NULL;
}

void
inet_addr6_begin(struct netif *nif)
{
	struct inet_conf6 conf;

	inet_addr6_conf(nif, &conf);
	if (conf.disabled || !netif_is_up(nif) || !netif_is_link_up(nif) ||
	    !ip6_addr_isinvalid(netif_ip6_addr_state(nif, 0)))
		return;
	if (ethif_nic(nif) != NULL) {
		netif_create_ip6_linklocal_address(nif, 1);
		nd6_restart_netif(nif);
	} else {
		ip6_addr_set_loopback(&nif->ip6_addr[0].u_addr.ip6);
		netif_ip6_addr_set_state(nif, 0, IP6_ADDR_PREFERRED);
	}
	inet_route6_changed();
}

void
inet_addr6_end(struct netif *nif)
{
	s8_t i;

	for (i = 0; i < PLACES; i++)
		if (!ip6_addr_isinvalid(netif_ip6_addr_state(nif, i)))
			netif_ip6_addr_set_state(nif, i, IP6_ADDR_INVALID);
	nd6_cleanup_netif(nif);
	inet_route6_departed(ethif_index(nif));
}

/* ---------------------------------------------------------------- settings -- */

void
inet_addr6_conf(struct netif *nif, struct inet_conf6 *conf)
{
	const struct six *six = six_of(nif);

	*conf = six == NULL ? conf_usual : six->conf;
}

bool
inet_sysctl_nth(unsigned i, char name[INET_SYSCTL_NAME], unsigned *if_index)
{
	struct netif *nif;

	net_lock();
	nif = ethif_nth(i);
	if (nif != NULL) {
		strlcpy(name, ethif_name(nif), INET_SYSCTL_NAME);
		*if_index = ethif_index(nif);
	}
	net_unlock();
	return nif != NULL;
}

unsigned
inet_sysctl_find(const char *name)
{
	struct netif *nif;
	unsigned n;

	if (strcmp(name, "all") == 0)
		return INET_SYSCTL_ALL;
	if (strcmp(name, "default") == 0)
		return INET_SYSCTL_DEFAULT;
	net_lock();
	nif = ethif_by_name(name);
	n = nif == NULL ? 0 : ethif_index(nif);
	net_unlock();
	return n;
}

static struct inet_conf6 *
conf_of(unsigned if_index)
{
	if (if_index == INET_SYSCTL_ALL)
		return &conf_all;
	if (if_index == INET_SYSCTL_DEFAULT)
		return &conf_new;
	return if_index > UINT8_MAX || sixes[if_index] == NULL ?
	    NULL :
	    &sixes[if_index]->conf;
}

static bool *
word_of(struct inet_conf6 *conf, enum inet_conf6_key key)
{
	switch (key) {
	case INET_CONF6_DISABLE: return &conf->disabled;
	case INET_CONF6_ACCEPT_RA: return &conf->accept_ra;
	case INET_CONF6_AUTOCONF: return &conf->autoconf;
	case INET_CONF6_REDIRECTS: return &conf->accept_redirects;
	default: return NULL;
	}
}

static int
mtu_of(unsigned if_index)
{
	struct netif *nif = ethif_by_index(if_index);

	return nif == NULL ? IP6_MIN_MTU_LENGTH : (int)ethif_mtu(nif);
}

int
inet_conf6_get(unsigned if_index, enum inet_conf6_key key, int *value)
{
	struct inet_conf6 *conf;
	int error = 0;

	net_lock();
	conf = conf_of(if_index);
	if (conf == NULL)
		error = -ENOENT;
	else if (key == INET_CONF6_MTU)
		*value = mtu_of(if_index);
	else
		*value = *word_of(conf, key);
	net_unlock();
	return error;
}

static void
disable(unsigned if_index, bool on)
{
	struct netif *nif = ethif_by_index(if_index);
	struct six *six = sixes[if_index & UINT8_MAX];

	if (nif == NULL || six == NULL || six->conf.disabled == on)
		return;
	six->conf.disabled = on;
	if (on)
		inet_addr6_end(nif);
	else
		inet_addr6_begin(nif);
}

static void
disable_all(bool on)
{
	unsigned i;

	conf_new.disabled = conf_all.disabled = on;
	for (i = 1; i <= UINT8_MAX; i++)
		disable(i, on);
}

int
inet_conf6_set(unsigned if_index, enum inet_conf6_key key, int value)
{
	struct inet_conf6 *conf;
	int error = 0;

	if (key == INET_CONF6_MTU || value < 0 || value > 1)
		return -EINVAL;
	net_lock();
	conf = conf_of(if_index);
	if (conf == NULL)
		error = -ENOENT;
	else if (key != INET_CONF6_DISABLE)
		*word_of(conf, key) = value;
	else if (if_index == INET_SYSCTL_ALL)
		disable_all(value);
	else if (if_index == INET_SYSCTL_DEFAULT)
		conf_new.disabled = value;
	else
		disable(if_index, value);
	if (error == 0 && key == INET_CONF6_AUTOCONF &&
	    ethif_by_index(if_index) != NULL)
		ethif_by_index(if_index)->ip6_autoconfig_enabled = value;
	net_unlock();
	return error;
}

/* ------------------------------------------------------- whom a packet is from -- */

/* RFC 6724, 3.1: of addresses, and of groups. */
static unsigned
reach(const ip6_addr_t *ip)
{
	if (ip6_addr_ismulticast(ip))
		return ip6_addr_multicast_scope(ip);
	return ip6_addr_islinklocal(ip) || ip6_addr_isloopback(ip) ?
	    IP6_MULTICAST_SCOPE_LINK_LOCAL :
	    ip6_addr_issitelocal(ip) ? IP6_MULTICAST_SCOPE_SITE_LOCAL :
				       IP6_MULTICAST_SCOPE_GLOBAL;
}

/* RFC 6724, 2.1, with Linux's table of labels. */
static unsigned
label(const ip6_addr_t *ip)
{
	static const struct {
		uint32_t word[4];
		uint8_t plen, label;
	} rows[] = {
		{ { 0, 0, 0, PP_HTONL(1) }, 128, 0 },
		{ { 0, 0, PP_HTONL(0xffff), 0 }, 96, 4 },
		{ { 0 }, 96, 3 },
		{ { PP_HTONL(0x20010000) }, 32, 6 },
		{ { PP_HTONL(0x20010010) }, 28, 7 },
		{ { PP_HTONL(0x20020000) }, 16, 2 },
		{ { PP_HTONL(0xfc000000) }, 7, 5 },
	};
	ip6_addr_t row;
	unsigned i;

	memset(&row, 0, sizeof(row));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(row.addr, rows[i].word, sizeof(row.addr));
		if (inet_addr6_match(ip, &row, rows[i].plen))
			return rows[i].label;
	}
	return 1;
}

static int
common_bits(const ip6_addr_t *a, const ip6_addr_t *b)
{
	uint32_t differ;
	int i;

	for (i = 0; i < 4; i++) {
		differ = lwip_ntohl(a->addr[i] ^ b->addr[i]);
		if (differ != 0)
			return i * 32 + __builtin_clz(differ);
	}
	return 128;
}

/* RFC 6724, 5: the larger of two is the better one, rule by rule. */
struct merit {
	bool same;
	int scope;
	bool young, here, label;
	int bits;
};

static struct merit
merit_of(struct netif *nif, unsigned i, const struct netif *out,
    const ip6_addr_t *to)
{
	const ip6_addr_t *ip = netif_ip6_addr(nif, i);
	int s = (int)reach(ip), want = (int)reach(to);

	return (struct merit){ .same = ip6_addr_cmp_zoneless(ip, to),
		/* The smallest that reaches; else the largest. */
		.scope = s >= want ? 32 - s : s - 32,
		.young = ip6_addr_ispreferred(netif_ip6_addr_state(nif, i)),
		.here = nif == out,
		.label = label(ip) == label(to),
		.bits = common_bits(ip, to) };
}

static int
compare(const struct merit *a, const struct merit *b)
{
	if (a->same != b->same)
		return a->same - b->same;
	if (a->scope != b->scope)
		return a->scope - b->scope;
	if (a->young != b->young)
		return a->young - b->young;
	if (a->here != b->here)
		return a->here - b->here;
	if (a->label != b->label)
		return a->label - b->label;
	return a->bits - b->bits;
}

const ip_addr_t *
lwip_hook_ip6_source(struct netif *out, const ip6_addr_t *to)
{
	const ip_addr_t *best = inet_route6_source(out, to);
	bool near = ip6_addr_ismulticast(to) || ip6_addr_islinklocal(to);
	struct merit m, most = { 0 };
	struct netif *nif;
	unsigned i;

	if (best != NULL)
		return best;
	NETIF_FOREACH(nif)
	{
		if (!netif_is_up(nif) || (near && nif != out))
			continue;
		/* Of equal ones the youngest, as Linux. */
		for (i = PLACES; i-- > 0;) {
			if (!ip6_addr_isvalid(netif_ip6_addr_state(nif, i)) ||
			    (nif != out &&
				reach(netif_ip6_addr(nif, i)) ==
				    IP6_MULTICAST_SCOPE_LINK_LOCAL))
				continue;
			m = merit_of(nif, i, out, to);
			if (best != NULL && compare(&m, &most) <= 0)
				continue;
			best = netif_ip_addr6(nif, i);
			most = m;
		}
	}
	return best;
}
