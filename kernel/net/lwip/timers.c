/* SPDX-License-Identifier: ISC */
/*
 * timers.c - lwIP's clocks, which tick only when there is something to do: in
 * place of its core/timeouts.c, which wakes an idle machine 25 times a second.
 *
 * Each of lwIP's modules wants to be called at its interval.  quiet() says how
 * many of the next calls nobody would notice: as they do nothing at all
 * (NOTHING: the clock stands still, and begins anew later), or as something
 * only grows older.  Those are made up for, all at once, before anybody looks:
 * when the next call that does something is due, or when somebody takes the
 * network lock (port.c).
 * Locking: the network lock is held.
 */
#include "net/lwip/port.h"
#include "net/lwip/rexmit.h"
#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/igmp.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <limits.h>

#define NOTHING UINT_MAX
#define AGES    (UINT_MAX - 1)
#define LONGEST 300000u /* ms */
#define MADE_UP 3600u   /* calls; after a machine stood still, no more */
/*
 * What is in motion in the table of ARP, which nobody can see, is over after
 * so many calls: a request of 5 (ARP_MAXPENDING), and the one under way.
 */
#define ARP_CALLS 7u

static unsigned arp_left, reass4_left, reass6_left; /* calls */
static bool tcp_on;

/* ------------------------------------------------------- what is noticed -- */

static unsigned
tcp_quiet(void)
{
	return tcp_on ? 0 : NOTHING;
}

static void
tcp_tick(void)
{
	lwip_hook_tcp_tmr();
	tcp_on = tcp_active_pcbs != NULL || tcp_tw_pcbs != NULL;
}

static unsigned
arp_quiet(void)
{
	return arp_left > 0 ? 0 : AGES;
}

static void
arp_tick(void)
{
	arp_left -= arp_left > 0;
	etharp_tmr();
}

static unsigned
reass4_quiet(void)
{
	return reass4_left > 0 ? 0 : NOTHING;
}

static void
reass4_tick(void)
{
	reass4_left--;
	ip_reass_tmr();
}

static unsigned
reass6_quiet(void)
{
	return reass6_left > 0 ? 0 : NOTHING;
}

static void
reass6_tick(void)
{
	reass6_left--;
	ip6_reass_tmr();
}

static unsigned
igmp_quiet(void)
{
	const struct igmp_group *g;
	struct netif *nif;

	NETIF_FOREACH(nif)
	for (g = netif_igmp_data(nif); g != NULL; g = g->next)
		if (g->timer > 0)
			return 0;
	return NOTHING;
}

static unsigned
mld6_quiet(void)
{
	const struct mld_group *g;
	struct netif *nif;

	NETIF_FOREACH(nif)
	for (g = netif_mld6_data(nif); g != NULL; g = g->next)
		if (g->timer > 0)
			return 0;
	return NOTHING;
}

static unsigned
dhcp_fine_quiet(void)
{
	const struct dhcp *d;
	struct netif *nif;

	NETIF_FOREACH(nif)
	{
		d = netif_dhcp_data(nif);
		if (d != NULL && d->request_timeout > 0)
			return 0;
	}
	return NOTHING;
}

/* The n-th call from now does something; 0: none does. */
static unsigned
sooner(unsigned quiet, u32_t n)
{
	return n > 0 && n - 1 < quiet ? n - 1 : quiet;
}

static unsigned
dhcp_coarse_quiet(void)
{
	unsigned quiet = NOTHING;
	const struct dhcp *d;
	struct netif *nif;

	NETIF_FOREACH(nif)
	{
		d = netif_dhcp_data(nif);
		if (d == NULL)
			continue;
		if (d->t0_timeout > d->lease_used)
			quiet = sooner(quiet, d->t0_timeout - d->lease_used);
		quiet = sooner(quiet, d->t1_renew_time);
		quiet = sooner(quiet, d->t2_rebind_time);
	}
	return quiet;
}

static bool
neighbours_quiet(void)
{
	const struct nd6_neighbor_cache_entry *n;
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
		n = &neighbor_cache[i];
		if (n->state == ND6_INCOMPLETE || n->state == ND6_DELAY ||
		    n->state == ND6_PROBE ||
		    (n->state == ND6_REACHABLE && n->q != NULL))
			return false;
	}
	return true;
}

static unsigned
routers_quiet(void)
{
	unsigned i, quiet = AGES;

	for (i = 0; i < LWIP_ND6_NUM_ROUTERS; i++)
		if (default_router_list[i].neighbor_entry != NULL)
			quiet = sooner(quiet,
			    LWIP_MAX(default_router_list[i].invalidation_timer,
				1));
	for (i = 0; i < LWIP_ND6_NUM_PREFIXES; i++)
		if (prefix_list[i].netif != NULL)
			quiet = sooner(quiet,
			    LWIP_MAX(prefix_list[i].invalidation_timer, 1));
	return quiet;
}

/* Lives are in seconds, as are nd6_tmr()'s calls. */
static unsigned
life_quiet(unsigned quiet, u32_t life)
{
	return ip6_addr_life_isinfinite(life) ?
	    quiet :
	    sooner(quiet, LWIP_MAX(life, 1));
}

static unsigned
address_quiet(struct netif *nif, s8_t i)
{
	u8_t state = netif_ip6_addr_state(nif, i);
	bool live = netif_is_up(nif) && netif_is_link_up(nif);
	unsigned quiet = AGES;

	if (ip6_addr_isinvalid(state))
		return AGES;
	if (ip6_addr_istentative(state) &&
	    (live ||
		(state & IP6_ADDR_TENTATIVE_COUNT_MASK) >=
		    LWIP_IPV6_DUP_DETECT_ATTEMPTS))
		return 0;
	if (netif_ip6_addr_isstatic(nif, i))
		return AGES;
	quiet = life_quiet(quiet, netif_ip6_addr_valid_life(nif, i));
	if (state == IP6_ADDR_PREFERRED)
		quiet = life_quiet(quiet, netif_ip6_addr_pref_life(nif, i));
	return quiet;
}

static unsigned
nd6_quiet(void)
{
	unsigned quiet;
	struct netif *nif;
	s8_t i;

	if (!neighbours_quiet())
		return 0;
	quiet = sooner(routers_quiet(), lwip_hook_nd6_life());
	NETIF_FOREACH(nif)
	{
		if (nif->rs_count > 0 && netif_is_up(nif) &&
		    netif_is_link_up(nif) &&
		    !ip6_addr_isinvalid(netif_ip6_addr_state(nif, 0)) &&
		    !ip6_addr_isduplicated(netif_ip6_addr_state(nif, 0)))
			return 0;
		for (i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
			quiet = LWIP_MIN(quiet, address_quiet(nif, i));
	}
	return quiet;
}

/* ------------------------------------------------------------ the clocks -- */

struct ticker {
	u32_t interval; /* ms */
	void (*tick)(void);
	unsigned (*quiet)(void);
	bool asks;  /* what it sends may need a neighbour's address */
	bool stood; /* NOTHING, when last looked at */
	u32_t due;  /* sys_now(), unless it stood */
};

static struct ticker tickers[] = {
	{ TCP_TMR_INTERVAL, tcp_tick, tcp_quiet, true, true, 0 },
	{ IP_TMR_INTERVAL, reass4_tick, reass4_quiet, true, true, 0 },
	{ IP6_REASS_TMR_INTERVAL, reass6_tick, reass6_quiet, true, true, 0 },
	{ ARP_TMR_INTERVAL, arp_tick, arp_quiet, false, true, 0 },
	{ ND6_TMR_INTERVAL, lwip_hook_nd6_tmr, nd6_quiet, false, true, 0 },
	{ DHCP_COARSE_TIMER_MSECS, dhcp_coarse_tmr, dhcp_coarse_quiet, true,
	    true, 0 },
	{ DHCP_FINE_TIMER_MSECS, dhcp_fine_tmr, dhcp_fine_quiet, true, true,
	    0 },
	{ IGMP_TMR_INTERVAL, igmp_tmr, igmp_quiet, false, true, 0 },
	{ MLD6_TMR_INTERVAL, mld6_tmr, mld6_quiet, false, true, 0 },
};

static bool
is_due(const struct ticker *t, u32_t now)
{
	return (s32_t)(now - t->due) >= 0;
}

/* One call that does something; whoever is late leaves out the others. */
static void
tick_once(struct ticker *t, u32_t now)
{
	t->tick();
	t->due += t->interval;
	if (is_due(t, now))
		t->due = now + t->interval;
	if (t->asks)
		lwip_timers_used();
}

/* There are calls to be made. */
static bool
has_calls(struct ticker *t, u32_t now)
{
	if (t->stood || !is_due(t, now))
		return false;
	if ((now - t->due) / t->interval > MADE_UP)
		t->due = now - MADE_UP * t->interval;
	return true;
}

void
lwip_timers_run(bool all)
{
	u32_t now = sys_now();
	struct ticker *t;
	unsigned quiet;

	for (t = tickers; t < tickers + LWIP_ARRAYSIZE(tickers); t++) {
		if (!has_calls(t, now))
			continue;
		for (quiet = 1; quiet > 0 && is_due(t, now);) {
			quiet = t->quiet();
			if (quiet == NOTHING)
				break;
			if (quiet > 0) {
				t->tick();
				t->due += t->interval;
			} else if (all) {
				tick_once(t, now);
			}
		}
	}
	if (all && lwip_rexmit_run(now))
		lwip_timers_used();
}

u32_t
lwip_timers_sleep(void)
{
	u32_t now = sys_now(), ms, first = LONGEST;
	struct ticker *t;
	unsigned quiet;

	for (t = tickers; t < tickers + LWIP_ARRAYSIZE(tickers); t++) {
		quiet = t->quiet();
		if (t->stood || (s32_t)(t->due - now) > (s32_t)t->interval)
			t->due = now + t->interval; /* begins anew */
		t->stood = quiet == NOTHING;
		if (t->stood)
			continue;
		ms = is_due(t, now) ? 0 : t->due - now;
		ms += LWIP_MIN(quiet, LONGEST / t->interval) * t->interval;
		first = LWIP_MIN(first, ms);
	}
	return lwip_rexmit_sleep(now, first);
}

void
lwip_timers_used(void)
{
	arp_left = ARP_CALLS;
}

/* ------------------------------------------------------ where lwIP comes -- */

void
tcp_timer_needed(void)
{
	if (!tcp_on && (tcp_active_pcbs != NULL || tcp_tw_pcbs != NULL)) {
		tcp_on = true;
		lwip_timers_look();
	}
}

/* All that is there is over after so many calls: r->timer, and at 0. */
struct pbuf *
lwip_hook_ip4_reass(struct pbuf *p)
{
	reass4_left = IP_REASS_MAXAGE + 1;
	lwip_timers_look();
	return ip4_reass(p);
}

struct pbuf *
lwip_hook_ip6_reass(struct pbuf *p)
{
	reass6_left = IPV6_REASS_MAXAGE + 1;
	lwip_timers_look();
	return ip6_reass(p);
}
