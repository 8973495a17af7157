/* SPDX-License-Identifier: ISC */
/*
 * timers_test.c - lwIP's clocks without lwIP: each of its modules counts its
 * calls, and time is what the test says.
 */
/* unit: kernel/net/lwip/timers.c */
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
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONGEST 300000u

struct tcp_pcb *tcp_active_pcbs, *tcp_tw_pcbs;
struct netif *netif_list;
struct nd6_neighbor_cache_entry neighbor_cache[LWIP_ND6_NUM_NEIGHBORS];
struct nd6_prefix_list_entry prefix_list[LWIP_ND6_NUM_PREFIXES];
struct nd6_router_list_entry default_router_list[LWIP_ND6_NUM_ROUTERS];

static struct netif card;
static struct igmp_group group;
static struct mld_group group6;
static struct dhcp lease;
static struct tcp_pcb conn;
static u32_t now = 0xffff0000u; /* soon 0 again */
static bool looks, far;
static unsigned arp, nd6, tcp, frags4, frags6, igmp, mld6, fine, coarse;

/* --------------------------------------------------------- in place of lwIP -- */

u32_t
sys_now(void)
{
	return now;
}

void
lwip_port_assert(const char *what, const char *file, int line)
{
	fail_msg("%s:%d: %s", file, line, what);
	abort();
}

void
lwip_timers_look(void)
{
	looks = true;
}

/* Nothing was sent that is waited for. */
bool
lwip_rexmit_run(u32_t at)
{
	(void)at;
	return false;
}

u32_t
lwip_rexmit_sleep(u32_t at, u32_t max)
{
	(void)at;
	return max;
}

void
lwip_hook_tcp_tmr(void)
{
	tcp++;
}

void
etharp_tmr(void)
{
	arp++;
}

static u32_t nd6_life;

u32_t
lwip_hook_nd6_life(void)
{
	return nd6_life;
}

void
lwip_hook_nd6_tmr(void)
{
	struct nd6_router_list_entry *r = &default_router_list[0];

	nd6++;
	if (r->neighbor_entry != NULL && r->invalidation_timer-- <= 1)
		r->neighbor_entry = NULL;
}

void
ip_reass_tmr(void)
{
	frags4++;
}

void
ip6_reass_tmr(void)
{
	frags6++;
}

void
igmp_tmr(void)
{
	igmp++;
	group.timer -= group.timer > 0;
}

void
mld6_tmr(void)
{
	mld6++;
	group6.timer -= group6.timer > 0;
}

void
dhcp_fine_tmr(void)
{
	fine++;
	lease.request_timeout -= lease.request_timeout > 0;
}

void
dhcp_coarse_tmr(void)
{
	coarse++;
	lease.lease_used++;
	lease.t1_renew_time -= lease.t1_renew_time > 0;
	lease.t2_rebind_time -= lease.t2_rebind_time > 0;
}

struct pbuf *
ip4_reass(struct pbuf *p)
{
	return p;
}

struct pbuf *
ip6_reass(struct pbuf *p)
{
	return p;
}

/* ------------------------------------------------------------- the thread -- */

/* What port.c's thread does when its sleep is over; how long it sleeps then. */
static u32_t
wake(void)
{
	u32_t ms;

	if (far)
		lwip_timers_run(false);
	lwip_timers_run(true);
	ms = lwip_timers_sleep();
	far = ms > 1000;
	return ms;
}

/* Somebody else takes the lock. */
static void
come(void)
{
	if (far)
		lwip_timers_run(false);
	far = false;
}

/* The machine alone, for so long, until somebody comes: how often the thread
 * woke. */
static unsigned
alone(u32_t ms)
{
	unsigned wakes = 0;
	u32_t end = now + ms, sleep = wake();

	while (sleep <= end - now) {
		now += sleep;
		sleep = wake();
		wakes++;
		assert_true(sleep > 0);
	}
	now = end;
	come();
	return wakes;
}

static void
zero(void)
{
	arp = nd6 = tcp = frags4 = frags6 = igmp = mld6 = fine = coarse = 0;
}

/* An interface with nothing to do; what may have been is over. */
static int
fresh(void **state)
{
	(void)state;
	memset(&card, 0, sizeof(card));
	memset(&group, 0, sizeof(group));
	memset(&group6, 0, sizeof(group6));
	memset(&lease, 0, sizeof(lease));
	memset(neighbor_cache, 0, sizeof(neighbor_cache));
	memset(prefix_list, 0, sizeof(prefix_list));
	memset(default_router_list, 0, sizeof(default_router_list));
	tcp_active_pcbs = tcp_tw_pcbs = NULL;
	card.flags = NETIF_FLAG_UP | NETIF_FLAG_LINK_UP;
	netif_set_client_data(&card, LWIP_NETIF_CLIENT_DATA_INDEX_IGMP, &group);
	netif_set_client_data(&card, LWIP_NETIF_CLIENT_DATA_INDEX_MLD6,
	    &group6);
	netif_list = &card;
	(void)wake();
	now += 100000;
	(void)alone(100000);
	looks = false;
	zero();
	return 0;
}

/* ---------------------------------------------------------------- the tests -- */

static void
nobody_wakes_an_idle_machine(void **state)
{
	(void)state;
	assert_true(alone(3600000) <= 3600000 / LONGEST);
	assert_int_equal(tcp + frags4 + frags6 + igmp + mld6 + fine + coarse,
	    0);
	/* Whoever comes finds all as old as it is. */
	assert_in_range(arp, 3599, 3601);
	assert_in_range(nd6, 3599, 3601);
}

static void
a_machine_that_stood_still(void **state)
{
	(void)state;
	now += 20u * 24 * 3600 * 1000;
	(void)wake();
	assert_in_range(arp, 3600, 3602);
	assert_in_range(nd6, 3600, 3602);
	assert_true(wake() > 100000);
}

static void
neighbours_are_asked_for_in_time(void **state)
{
	(void)state;
	(void)alone(100500);
	zero();
	lwip_timers_used();
	assert_in_range(alone(7000), 6, 8);
	assert_in_range(arp, 6, 7);
	assert_true(alone(200000) <= 2);
}

/* What is in motion does not grow old at once because the thread was late. */
static void
who_is_late_leaves_out_calls(void **state)
{
	(void)state;
	lwip_timers_used();
	(void)wake();
	zero();
	now += 10000;
	assert_in_range(wake(), 1, 1000);
	assert_int_equal(arp, 1);
	neighbor_cache[3].state = ND6_INCOMPLETE;
	(void)wake();
	zero();
	now += 10000;
	assert_in_range(wake(), 1, 1000);
	assert_int_equal(nd6, 1);
}

static void
each_state_of_a_neighbour(void **state)
{
	static const struct {
		u8_t state;
		bool acts;
	} rows[] = { { ND6_NO_ENTRY, false }, { ND6_INCOMPLETE, true },
		{ ND6_REACHABLE, false }, { ND6_STALE, false },
		{ ND6_DELAY, true }, { ND6_PROBE, true } };
	unsigned i;

	(void)state;
	for (i = 0; i < LWIP_ARRAYSIZE(rows); i++) {
		neighbor_cache[LWIP_ND6_NUM_NEIGHBORS - 1].state =
		    rows[i].state;
		if (rows[i].acts)
			assert_true(wake() <= 1000);
		else
			assert_true(wake() > 100000);
	}
}

static void
a_router_goes_when_its_life_ends(void **state)
{
	(void)state;
	default_router_list[0].neighbor_entry = &neighbor_cache[0];
	default_router_list[0].invalidation_timer = 30;
	assert_true(alone(28000) <= 1);
	assert_non_null(default_router_list[0].neighbor_entry);
	assert_in_range(default_router_list[0].invalidation_timer, 1, 3);
	(void)alone(3000);
	assert_null(default_router_list[0].neighbor_entry);
}

static void
addresses_have_lives(void **state)
{
	(void)state;
	card.ip6_addr_state[2] = IP6_ADDR_PREFERRED;
	assert_true(wake() > 100000); /* by hand: for good */
	card.ip6_addr_valid_life[2] = 60;
	card.ip6_addr_pref_life[2] = 20;
	assert_in_range(wake(), 19000, 20000);
	card.ip6_addr_state[2] = IP6_ADDR_DEPRECATED;
	assert_in_range(wake(), 59000, 60000);
	card.ip6_addr_valid_life[2] = IP6_ADDR_LIFE_INFINITE;
	assert_true(wake() > 100000);
	card.ip6_addr_state[2] = IP6_ADDR_TENTATIVE;
	assert_true(wake() <= 1000);
	card.flags = 0; /* nothing can be asked */
	assert_true(wake() > 100000);
	card.ip6_addr_state[2] = IP6_ADDR_TENTATIVE +
	    LWIP_IPV6_DUP_DETECT_ATTEMPTS;
	assert_true(wake() <= 1000);
}

static void
routers_are_asked_for(void **state)
{
	(void)state;
	card.rs_count = 1;
	assert_true(wake() > 100000); /* without an address */
	card.ip6_addr_state[0] = IP6_ADDR_PREFERRED;
	assert_true(wake() <= 1000);
}

static void
reports_are_sent_when_due(void **state)
{
	(void)state;
	(void)alone(12345);
	group.timer = 5;
	(void)wake();
	assert_in_range(alone(1000), 5, 6);
	assert_int_equal(igmp, 5);
	assert_int_equal(group.timer, 0);
	group6.timer = 3;
	(void)wake();
	(void)alone(1000);
	assert_int_equal(mld6, 3);
}

static void
leases(void **state)
{
	(void)state;
	netif_set_client_data(&card, LWIP_NETIF_CLIENT_DATA_INDEX_DHCP, &lease);
	lease.request_timeout = 4;
	(void)alone(10000);
	assert_int_equal(fine, 4);
	lease.t0_timeout = 10;
	lease.t1_renew_time = 3;
	lease.t2_rebind_time = 8;
	lease.lease_used = 0;
	zero();
	assert_true(alone(3 * 60000 + 1000) <= 9);
	assert_int_equal(lease.t1_renew_time, 0);
	assert_true(wake() <= 1000); /* the server may be asked for */
	(void)alone(5 * 60000);
	assert_int_equal(lease.t2_rebind_time, 0);
	(void)alone(2 * 60000);
	assert_int_equal(lease.lease_used, 10);
	assert_int_equal(coarse, 10);
}

static void
connections_make_the_clock_tick(void **state)
{
	(void)state;
	tcp_timer_needed();
	assert_false(looks);
	tcp_active_pcbs = &conn;
	tcp_timer_needed();
	assert_true(looks);
	(void)alone(10000);
	assert_in_range(tcp, 38, 40);
	tcp_active_pcbs = NULL;
	zero();
	(void)alone(10000);
	assert_in_range(tcp, 0, 1);
}

static void
fragments_grow_old(void **state)
{
	(void)state;
	(void)lwip_hook_ip4_reass(NULL);
	assert_true(looks);
	looks = false;
	(void)lwip_hook_ip6_reass(NULL);
	assert_true(looks);
	(void)alone(100000);
	assert_int_equal(frags4, IP_REASS_MAXAGE + 1);
	assert_int_equal(frags6, IPV6_REASS_MAXAGE + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_wakes_an_idle_machine, fresh),
		cmocka_unit_test_setup(a_machine_that_stood_still, fresh),
		cmocka_unit_test_setup(neighbours_are_asked_for_in_time, fresh),
		cmocka_unit_test_setup(who_is_late_leaves_out_calls, fresh),
		cmocka_unit_test_setup(each_state_of_a_neighbour, fresh),
		cmocka_unit_test_setup(a_router_goes_when_its_life_ends, fresh),
		cmocka_unit_test_setup(addresses_have_lives, fresh),
		cmocka_unit_test_setup(routers_are_asked_for, fresh),
		cmocka_unit_test_setup(reports_are_sent_when_due, fresh),
		cmocka_unit_test_setup(leases, fresh),
		cmocka_unit_test_setup(connections_make_the_clock_tick, fresh),
		cmocka_unit_test_setup(fragments_grow_old, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
