/* SPDX-License-Identifier: ISC */
/*
 * pcbs_test.c - connections found by their addresses and ports, without lwIP:
 * the test has its lists and takes blocks out of them as its timers do.
 */
/* unit: kernel/net/lwip/pcbs.c */
#include "net/lwip/port.h"
#include "net/lwip/rexmit.h"
#include <lwip/ip.h>
#include <lwip/mem.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 5000u

struct tcp_pcb *tcp_bound_pcbs, *tcp_active_pcbs, *tcp_tw_pcbs;
union tcp_listen_pcbs_t tcp_listen_pcbs;
struct ip_globals ip_data;
u32_t tcp_ticks;
static struct netif card;
static struct tcp_pcb pcbs[MANY];
static unsigned nbinds, allocated, nfast, nslow;
static bool no_memory;
static struct tcp_pcb *listener_seen; /* by tcp_input() */
static u32_t last_random = 1;

/* --------------------------------------------------------- in place of lwIP -- */

void *
mem_malloc(mem_size_t size)
{
	if (no_memory)
		return NULL;
	allocated++;
	return malloc(size);
}

void
mem_free(void *p)
{
	allocated--;
	free(p);
}

uint32_t
lwip_port_random(void)
{
	return last_random = last_random * 1664525u + 1013904223u;
}

void
lwip_port_assert(const char *what, const char *file, int line)
{
	fail_msg("%s:%d: %s", file, line, what);
	abort();
}

void
tcp_timer_needed(void)
{
}

void
lwip_rexmit_forget(struct tcp_pcb *pcb)
{
	(void)pcb;
}

void
tcp_fasttmr(void)
{
	nfast++;
}

void
tcp_slowtmr(void)
{
	nslow++;
}

void
tcp_input(struct pbuf *p, struct netif *inp)
{
	(void)p;
	(void)inp;
	listener_seen = lwip_port_listening.pcbs;
	assert_true(listener_seen == NULL || listener_seen->next == NULL);
}

err_t
tcp_bind(struct tcp_pcb *pcb, const ip_addr_t *ip, u16_t port)
{
	(void)ip;
	nbinds++;
	pcb->local_port = port;
	lwip_port_pcb_add(&tcp_bound_pcbs, pcb);
	return ERR_OK;
}

/* -------------------------------------------------------------- what it does -- */

static void
set_numbers(struct tcp_pcb *pcb, unsigned i)
{
	ip_addr_t local = IPADDR4_INIT_BYTES(10, 0, 0, 1);
	ip_addr_t remote = IPADDR4_INIT_BYTES(10, 1, 0, 0);

	ip_2_ip4(&remote)->addr = lwip_htonl(0x0a010000 + i % 50);
	if (i % 3 == 0) { /* of IPv6 */
		IP_ADDR6(&local, 1, 2, 3, 4);
		IP_ADDR6(&remote, 1, 2, 3, i % 50);
	}
	pcb->local_ip = local;
	pcb->remote_ip = remote;
	pcb->local_port = 80;
	pcb->remote_port = (u16_t)(1024 + i / 50);
}

static void
connect_one(unsigned i)
{
	memset(&pcbs[i], 0, sizeof(pcbs[i]));
	set_numbers(&pcbs[i], i);
	pcbs[i].state = ESTABLISHED;
	lwip_port_pcb_add(&tcp_active_pcbs, &pcbs[i]);
}

/* A segment comes for connection i, whether there is one or not. */
static void
segment_for(unsigned i)
{
	struct tcp_hdr h = { 0 };
	struct pbuf p = { .payload = &h, .len = sizeof(h) };
	struct tcp_pcb want = { 0 };

	set_numbers(&want, i);
	h.src = lwip_htons(want.remote_port);
	h.dest = lwip_htons(want.local_port);
	ip_data.current_iphdr_src = want.remote_ip;
	ip_data.current_iphdr_dest = want.local_ip;
	ip_data.current_input_netif = &card;
	lwip_hook_tcp_segment(&p, &card);
}

static unsigned
length(const struct tcp_pcb *list)
{
	unsigned n = 0;

	for (; list != NULL; list = list->next)
		n++;
	return n;
}

/* As lwIP's timers do: out of the list, then freed. */
static void
time_out(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
	while (*list != pcb)
		list = &(*list)->next;
	*list = pcb->next;
	pcb->ext_args[0].callbacks->destroy(0, pcb->ext_args[0].data);
	memset(pcb, 0xa5, sizeof(*pcb));
}

static int
fresh(void **state)
{
	(void)state;
	while (tcp_active_pcbs != NULL)
		lwip_port_pcb_remove(&tcp_active_pcbs, tcp_active_pcbs);
	while (tcp_tw_pcbs != NULL)
		lwip_port_pcb_remove(&tcp_tw_pcbs, tcp_tw_pcbs);
	while (tcp_bound_pcbs != NULL)
		lwip_port_pcb_remove(&tcp_bound_pcbs, tcp_bound_pcbs);
	tcp_listen_pcbs.pcbs = NULL;
	no_memory = false;
	nbinds = 0;
	return 0;
}

static void
each_is_found_among_many(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++)
		connect_one(i);
	for (i = 0; i < MANY; i++) {
		segment_for(i);
		assert_ptr_equal(lwip_port_active, &pcbs[i]);
		assert_null(lwip_port_waiting);
	}
	segment_for(MANY);
	assert_null(lwip_port_active);
}

static void
who_left_is_not_found(void **state)
{
	unsigned i, k;

	(void)state;
	for (i = 0; i < MANY; i++)
		connect_one(i);
	for (i = 0; i < MANY; i++) {
		k = i * 1237 % MANY; /* each once, in no order */
		lwip_port_pcb_remove(&lwip_port_active, &pcbs[k]);
		assert_null(pcbs[k].next);
		segment_for(k);
		assert_null(lwip_port_active);
		segment_for((i + 1) * 1237 % MANY);
		if (i + 1 < MANY)
			assert_non_null(lwip_port_active);
	}
	assert_null(tcp_active_pcbs);
	assert_int_equal(allocated, 0);
}

static void
timers_take_blocks_out(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 300; i++)
		connect_one(i);
	for (i = 0; i < 300; i += 3)
		time_out(&tcp_active_pcbs, &pcbs[i]);
	assert_int_equal(length(tcp_active_pcbs), 200);
	for (i = 0; i < 300; i++) {
		segment_for(i);
		assert_ptr_equal(lwip_port_active,
		    i % 3 == 0 ? NULL : &pcbs[i]);
	}
	for (i = 0; i < 300; i++)
		if (i % 3 != 0)
			lwip_port_pcb_remove(&tcp_active_pcbs, &pcbs[i]);
	assert_null(tcp_active_pcbs);
}

static void
who_waits_gives_way_to_who_is_active(void **state)
{
	(void)state;
	connect_one(7);
	lwip_port_pcb_remove(&lwip_port_active, &pcbs[7]);
	pcbs[7].state = TIME_WAIT;
	lwip_port_pcb_add(&lwip_port_waiting, &pcbs[7]);
	segment_for(7);
	assert_null(lwip_port_active);
	assert_ptr_equal(lwip_port_waiting, &pcbs[7]);
	assert_ptr_equal(tcp_tw_pcbs, &pcbs[7]);
	pcbs[8] = pcbs[7]; /* a new connection of the same numbers */
	memset(pcbs[8].ext_args, 0, sizeof(pcbs[8].ext_args));
	pcbs[8].state = SYN_RCVD;
	lwip_port_pcb_add(&lwip_port_active, &pcbs[8]);
	segment_for(7);
	assert_ptr_equal(lwip_port_active, &pcbs[8]);
}

static void
another_interface_is_not_asked(void **state)
{
	(void)state;
	connect_one(1);
	pcbs[1].netif_idx = (u8_t)(netif_get_index(&card) + 1);
	segment_for(1);
	assert_null(lwip_port_active);
	pcbs[1].netif_idx = netif_get_index(&card);
	segment_for(1);
	assert_ptr_equal(lwip_port_active, &pcbs[1]);
}

static void
all_goes_on_without_memory(void **state)
{
	unsigned i;

	(void)state;
	no_memory = true;
	for (i = 0; i < 1000; i++)
		connect_one(i);
	for (i = 0; i < 1000; i++) {
		segment_for(i);
		assert_ptr_equal(lwip_port_active, &pcbs[i]);
	}
	assert_int_equal(lwip_port_use(80), LWIP_PORT_UNKNOWN);
}

static void
ports_are_counted_when_many_are_used(void **state)
{
	ip_addr_t any = IPADDR4_INIT(0);
	struct tcp_pcb_listen listener = { .local_port = 81, .state = LISTEN };
	struct tcp_pcb one = { 0 };
	unsigned i;

	(void)state;
	assert_int_equal(lwip_port_bind(&one, &any, 5000), ERR_OK);
	assert_int_equal(nbinds, 1);
	lwip_port_pcb_remove(&tcp_bound_pcbs, &one);
	lwip_port_pcb_add(&tcp_listen_pcbs.pcbs, (struct tcp_pcb *)&listener);
	for (i = 0; i < 1000; i++)
		connect_one(i);
	assert_int_equal(lwip_port_use(80), LWIP_PORT_USED);
	assert_int_equal(lwip_port_use(81), LWIP_PORT_USED);
	assert_int_equal(lwip_port_use(5000), LWIP_PORT_FREE);
	memset(&one, 0, sizeof(one));
	assert_int_equal(lwip_port_bind(&one, &any, 5000), ERR_OK);
	assert_int_equal(nbinds, 1);
	assert_ptr_equal(tcp_bound_pcbs, &one);
	assert_int_equal(one.local_port, 5000);
	assert_int_equal(lwip_port_use(5000), LWIP_PORT_USED);
	lwip_port_pcb_remove(&tcp_bound_pcbs, &one);
	assert_int_equal(lwip_port_use(5000), LWIP_PORT_FREE);
	for (i = 0; i < 1000; i++)
		lwip_port_pcb_remove(&tcp_active_pcbs, &pcbs[i]);
	lwip_port_pcb_remove(&tcp_listen_pcbs.pcbs,
	    (struct tcp_pcb *)&listener);
	assert_null(tcp_listen_pcbs.pcbs);
	assert_int_equal(allocated, 0);
}

/* ---------------------------------------------------------------- listeners -- */

#define LISTENERS 300u
static struct tcp_pcb_listen listeners[LISTENERS];

static struct tcp_pcb *
listen_at(unsigned i, const ip_addr_t *ip, u16_t port, u8_t nif)
{
	listeners[i] = (struct tcp_pcb_listen){ .state = LISTEN,
		.local_ip = *ip,
		.local_port = port,
		.netif_idx = nif };
	lwip_port_pcb_add(&tcp_listen_pcbs.pcbs,
	    (struct tcp_pcb *)&listeners[i]);
	return (struct tcp_pcb *)&listeners[i];
}

static void
stop_listening(struct tcp_pcb *l)
{
	lwip_port_pcb_remove(&tcp_listen_pcbs.pcbs, l);
}

/* Which listener gets a SYN to an address and a port. */
static struct tcp_pcb *
who_gets(const ip_addr_t *to, u16_t port)
{
	struct tcp_hdr h = { .src = 1, .dest = lwip_htons(port) };
	struct pbuf p = { .payload = &h, .len = sizeof(h) };

	ip_data.current_iphdr_dest = *to;
	ip_data.current_input_netif = &card;
	lwip_hook_tcp_segment(&p, &card);
	assert_null(lwip_port_listening.pcbs);
	return listener_seen;
}

static void
the_listener_that_suits_best(void **state)
{
	static const ip_addr_t ip = IPADDR4_INIT_BYTES(10, 0, 0, 1);
	static const ip_addr_t other = IPADDR4_INIT_BYTES(10, 0, 0, 2);
	static const ip_addr_t any4 = IPADDR4_INIT(0);
	static const ip_addr_t any6 = IPADDR6_INIT(0, 0, 0, 0);
	static const ip_addr_t six = IPADDR6_INIT(1, 2, 3, 4);
	static const ip_addr_t both = IPADDR_ANY_TYPE_INIT;
	struct tcp_pcb *exact, *four, *all, *here, *only6;

	(void)state;
	all = listen_at(0, &both, 80, 0);
	assert_ptr_equal(who_gets(&ip, 80), all);
	assert_ptr_equal(who_gets(&six, 80), all);
	only6 = listen_at(1, &any6, 80, 0);
	assert_ptr_equal(who_gets(&ip, 80), all);
	assert_ptr_equal(who_gets(&six, 80), only6);
	four = listen_at(2, &any4, 80, 0);
	assert_ptr_equal(who_gets(&ip, 80), four);
	assert_ptr_equal(who_gets(&six, 80), only6);
	exact = listen_at(3, &ip, 80, 0);
	here = listen_at(4, &any4, 80, netif_get_index(&card));
	listen_at(5, &ip, 80, (u8_t)(netif_get_index(&card) + 1));
	listen_at(6, &ip, 80 + 64, 0); /* in the same chain */
	assert_ptr_equal(who_gets(&ip, 80), exact);
	assert_ptr_equal(who_gets(&other, 80), here);
	assert_null(who_gets(&ip, 81));
	stop_listening(exact);
	assert_ptr_equal(who_gets(&ip, 80), here);
	stop_listening(here);
	assert_ptr_equal(who_gets(&ip, 80), four);
	stop_listening(four);
	stop_listening(all);
	assert_null(who_gets(&ip, 80));
	assert_ptr_equal(who_gets(&six, 80), only6);
	stop_listening(only6);
	four = listen_at(0, &any4, 80, 0); /* whoever came first */
	all = listen_at(1, &both, 80, 0);
	assert_ptr_equal(who_gets(&ip, 80), four);
	stop_listening(four);
	stop_listening(all);
	assert_int_equal(length(tcp_listen_pcbs.pcbs), 2);
	stop_listening((struct tcp_pcb *)&listeners[5]);
	stop_listening((struct tcp_pcb *)&listeners[6]);
}

static void
each_listener_among_many(void **state)
{
	static const ip_addr_t ip = IPADDR4_INIT_BYTES(10, 0, 0, 1);
	unsigned i;

	(void)state;
	for (i = 0; i < LISTENERS; i++)
		listen_at(i, &ip, (u16_t)(1000 + i), 0);
	for (i = 0; i < LISTENERS; i++)
		assert_ptr_equal(who_gets(&ip, (u16_t)(1000 + i)),
		    &listeners[i]);
	assert_int_equal(length(tcp_listen_pcbs.pcbs), LISTENERS);
	for (i = 0; i < LISTENERS; i += 2)
		stop_listening((struct tcp_pcb *)&listeners[i]);
	for (i = 0; i < LISTENERS; i++)
		assert_ptr_equal(who_gets(&ip, (u16_t)(1000 + i)),
		    i % 2 == 0 ? NULL : &listeners[i]);
	for (i = 1; i < LISTENERS; i += 2)
		stop_listening((struct tcp_pcb *)&listeners[i]);
	assert_null(tcp_listen_pcbs.pcbs);
}

/* Who has a connection, active or waiting, is not asked for. */
static void
connections_come_before_listeners(void **state)
{
	ip_addr_t ip = IPADDR4_INIT_BYTES(10, 0, 0, 1);
	struct tcp_pcb *l = listen_at(0, &ip, 80, 0);

	(void)state;
	connect_one(1);
	segment_for(1);
	assert_null(listener_seen);
	segment_for(2);
	assert_ptr_equal(listener_seen, l);
	stop_listening(l);
}

static void
the_fast_timer_runs_when_it_must(void **state)
{
	unsigned i;

	(void)state;
	nfast = nslow = 0;
	for (i = 0; i < 16; i++)
		lwip_hook_tcp_tmr();
	assert_int_equal(nfast, 4);
	assert_int_equal(nslow, 8);
	for (i = 0; i < 16; i++) {
		lwip_port_fast = true;
		lwip_hook_tcp_tmr();
		assert_false(lwip_port_fast);
	}
	assert_int_equal(nfast, 20);
	assert_int_equal(nslow, 16);
}

static void
too_many_that_wait(void **state)
{
	unsigned i;

	(void)state;
	tcp_ticks = 1000;
	lwip_port_set_waiting_max(10);
	for (i = 0; i < 20; i++) {
		connect_one(i);
		lwip_port_pcb_remove(&lwip_port_active, &pcbs[i]);
		pcbs[i].state = TIME_WAIT;
		pcbs[i].tmr = tcp_ticks;
		lwip_port_pcb_add(&lwip_port_waiting, &pcbs[i]);
		/* Whether tcp_slowtmr() will end it at once. */
		assert_int_equal(tcp_ticks - pcbs[i].tmr > 2 * TCP_MSL / 500,
		    i >= 10);
	}
	for (i = 5; i < 20; i++)
		time_out(&tcp_tw_pcbs, &pcbs[i]);
	connect_one(30);
	lwip_port_pcb_remove(&lwip_port_active, &pcbs[30]);
	pcbs[30].state = TIME_WAIT;
	pcbs[30].tmr = tcp_ticks;
	lwip_port_pcb_add(&lwip_port_waiting, &pcbs[30]);
	assert_int_equal(pcbs[30].tmr, tcp_ticks);
	lwip_port_set_waiting_max(MANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_is_found_among_many, fresh),
		cmocka_unit_test_setup(who_left_is_not_found, fresh),
		cmocka_unit_test_setup(timers_take_blocks_out, fresh),
		cmocka_unit_test_setup(who_waits_gives_way_to_who_is_active,
		    fresh),
		cmocka_unit_test_setup(another_interface_is_not_asked, fresh),
		cmocka_unit_test_setup(all_goes_on_without_memory, fresh),
		cmocka_unit_test_setup(ports_are_counted_when_many_are_used,
		    fresh),
		cmocka_unit_test_setup(the_listener_that_suits_best, fresh),
		cmocka_unit_test_setup(each_listener_among_many, fresh),
		cmocka_unit_test_setup(connections_come_before_listeners,
		    fresh),
		cmocka_unit_test(the_fast_timer_runs_when_it_must),
		cmocka_unit_test_setup(too_many_that_wait, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
