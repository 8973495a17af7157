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
		cmocka_unit_test(the_fast_timer_runs_when_it_must),
		cmocka_unit_test_setup(too_many_that_wait, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
