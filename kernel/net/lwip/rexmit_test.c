/* SPDX-License-Identifier: ISC */
/*
 * rexmit_test.c - when segments are sent again, without lwIP: the test is what
 * sends, time is what it says, and a peer answers when it wants.
 */
/* unit: kernel/net/lwip/rexmit.c */
#include "net/lwip/rexmit.h"
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 3000u
#define MSS  1000u

struct tcp_pcb *tcp_input_pcb;
unsigned lwip_tcp_window = 64 * 1024;
static struct lwip_conn conns[MANY];
static struct tcp_seg segs[MANY];
static u64_t now_us;
static unsigned nsent, nabandoned, nlooks, nprobes, nlookings;
static struct tcp_pcb *last_sent, *last_abandoned;
static err_t answer; /* of lwIP's tcp_output() */
static u32_t echo;   /* of the peer */
static bool echoed;
static bool busy; /* the card still has a segment */

/* --------------------------------------------------------- in place of lwIP -- */

void *
mem_malloc(mem_size_t size)
{
	return malloc(size);
}

u64_t
lwip_port_us(void)
{
	return now_us;
}

u32_t
sys_now(void)
{
	return (u32_t)(now_us / 1000);
}

void
lwip_timers_look(void)
{
	nlooks++;
}

/* recovery.c's. */
static u32_t first_us[MANY];

static unsigned
number_of(const struct tcp_pcb *pcb)
{
	return (unsigned)((const struct lwip_conn *)(const void *)pcb - conns);
}

void
lwip_recovery_timeout(struct tcp_pcb *pcb, u64_t us)
{
	assert_non_null(pcb->unacked);
	if (busy)
		return;
	first_us[number_of(pcb)] = (u32_t)us;
	lwip_rexmit_of(pcb)->total++;
	nsent++;
	last_sent = pcb;
}

void
lwip_recovery_probe(struct tcp_pcb *pcb, u64_t us)
{
	(void)us;
	lwip_rexmit_of(pcb)->probed = LWIP_PROBE_COPY;
	nprobes++;
}

void
lwip_recovery_look(struct tcp_pcb *pcb, u64_t us, bool progress)
{
	(void)us;
	(void)progress;
	lwip_rexmit_of(pcb)->look = false;
	nlookings++;
}

void
lwip_recovery_sent(struct tcp_seg *seg, const struct tcp_seg *end, u64_t us)
{
	(void)end;
	first_us[seg - segs] = (u32_t)us;
}

void
lwip_recovery_forget(const struct tcp_pcb *pcb)
{
	(void)pcb;
}

bool
lwip_recovery_echo(const struct tcp_pcb *pcb, u32_t *ms)
{
	(void)pcb;
	*ms = echo;
	return echoed;
}

u32_t
lwip_recovery_first_us(const struct tcp_pcb *pcb)
{
	return first_us[number_of(pcb)];
}

/* All that waits leaves; the number of the next is snd_lbb. */
err_t
lwip_port_send(struct tcp_pcb *pcb)
{
	if (answer != ERR_OK || pcb->unsent == NULL)
		return answer;
	pcb->unacked = pcb->unsent;
	pcb->unsent = NULL;
	pcb->snd_nxt = pcb->snd_lbb;
	pcb->rtime = pcb->rtime < 0 ? 0 : pcb->rtime;
	nsent++;
	last_sent = pcb;
	return ERR_OK;
}

void
tcp_abandon(struct tcp_pcb *pcb, int reset)
{
	assert_int_equal(reset, 0);
	nabandoned++;
	last_abandoned = pcb;
	lwip_rexmit_forget(pcb);
	pcb->unacked = pcb->unsent = NULL;
}

/* ------------------------------------------------------------ what it does -- */

static struct tcp_pcb *
fresh_conn(unsigned i)
{
	struct lwip_conn *c = lwip_port_pcb_alloc();
	struct tcp_pcb *pcb = &conns[i].pcb;

	assert_non_null(c);
	conns[i] = *c;
	free(c);
	memset(pcb, 0, sizeof(*pcb));
	pcb->state = ESTABLISHED;
	pcb->mss = MSS;
	pcb->rtime = -1;
	pcb->cwnd = 20 * MSS;
	pcb->snd_wnd = 10 * MSS;
	pcb->snd_nxt = pcb->lastack = pcb->snd_lbb = 0xfffffe00u;
	conns[i].r.una = pcb->lastack;
	return pcb;
}

static void
write_some(unsigned i)
{
	struct tcp_pcb *pcb = &conns[i].pcb;

	pcb->unsent = &segs[i];
	pcb->snd_lbb += MSS;
	(void)tcp_output(pcb);
}

/* The peer acknowledges all, as at the end of lwIP's tcp_input(). */
static void
acknowledge(unsigned i)
{
	struct tcp_pcb *pcb = &conns[i].pcb;

	pcb->lastack = pcb->snd_nxt;
	pcb->unacked = pcb->unsent = NULL;
	(void)tcp_output(pcb);
}

/* As the thread: it sleeps for what it is told, up to `ms` from now. */
static void
pass(u32_t ms)
{
	u64_t end = now_us + ms * 1000ull;
	u32_t left;

	for (;;) {
		(void)lwip_rexmit_run(sys_now());
		left = (u32_t)((end - now_us) / 1000);
		if (left == 0)
			break;
		now_us += lwip_rexmit_sleep(sys_now(), left) * 1000ull;
	}
}

/* ms until the next copy leaves. */
static u32_t
until_sent(u32_t max)
{
	unsigned before = nsent;
	u32_t ms = 0;

	while (nsent == before && nabandoned == 0 && ms < max) {
		pass(1);
		ms++;
	}
	return ms;
}

static int
fresh(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++)
		lwip_rexmit_forget(&conns[i].pcb);
	nsent = nabandoned = nlooks = nprobes = nlookings = 0;
	answer = ERR_OK;
	busy = echoed = false;
	now_us = 0xffffff00ull * 1000; /* soon 0 again, in ms */
	(void)lwip_rexmit_sleep(sys_now(), 300000);
	return 0;
}

static void
a_SYN_doubles_from_a_second_on(void **state)
{
	struct tcp_pcb *pcb = fresh_conn(0);
	unsigned i;

	(void)state;
	pcb->state = SYN_SENT;
	write_some(0);
	assert_int_equal(nlooks, 1);
	for (i = 0; i < 6; i++) {
		assert_int_equal(until_sent(200000), 1000u << i);
		assert_int_equal(conns[0].r.tries, i + 1);
	}
	(void)until_sent(200000);
	assert_int_equal(nsent, 7);
	assert_ptr_equal(last_abandoned, pcb);
}

static void
tries_of_a_SYN_are_an_option(void **state)
{
	struct tcp_pcb *pcb = fresh_conn(0);

	(void)state;
	pcb->state = SYN_SENT;
	conns[0].r.syn_tries = 2;
	write_some(0);
	pass(6999);
	assert_int_equal(nabandoned, 0);
	pass(1);
	assert_int_equal(nabandoned, 1);
	assert_int_equal(nsent, 3);
}

/* TCP_USER_TIMEOUT makes less of them, not more. */
static void
a_program_says_how_long_for_a_SYN(void **state)
{
	struct tcp_pcb *pcb = fresh_conn(0);

	(void)state;
	pcb->state = SYN_SENT;
	conns[0].r.user_ms = 4000;
	write_some(0);
	pass(10000);
	assert_int_equal(nabandoned, 1);
	assert_int_equal(nsent, 3);
	pcb = fresh_conn(1);
	pcb->state = SYN_SENT;
	conns[1].r.user_ms = 4000000;
	write_some(1);
	pass(127001);
	assert_int_equal(nabandoned, 2);
}

static void
a_SYN_ACK_ends_sooner(void **state)
{
	(void)state;
	fresh_conn(0)->state = SYN_RCVD;
	write_some(0);
	pass(62999);
	assert_int_equal(nsent, 6);
	assert_int_equal(nabandoned, 0);
	pass(1);
	assert_int_equal(nabandoned, 1);
}

static void
data_is_given_up_as_by_linux(void **state)
{
	u32_t ms, rto = 201, sum = 0;

	(void)state;
	(void)fresh_conn(0);
	write_some(0);
	now_us += 1000;
	acknowledge(0);
	write_some(0);
	while (nabandoned == 0) {
		ms = until_sent(200000);
		assert_int_equal(ms, rto);
		sum += ms;
		rto = rto * 2 < 120000 ? rto * 2 : 120000;
	}
	assert_in_range(sum, 924600, 924600 + 120000);
	assert_int_equal(nsent, 2 + 15);
	assert_int_equal(conns[0].r.total, 15);
}

static void
who_has_no_program_is_given_up_sooner(void **state)
{
	(void)state;
	(void)fresh_conn(0);
	write_some(0);
	now_us += 1000;
	acknowledge(0);
	write_some(0);
	conns[0].pcb.flags |= TF_RXCLOSED;
	pass(102000);
	assert_int_equal(nabandoned, 0);
	pass(103000);
	assert_int_equal(nabandoned, 1);
}

static void
a_program_says_how_long(void **state)
{
	(void)state;
	(void)fresh_conn(0);
	conns[0].r.user_ms = 5000;
	write_some(0);
	pass(5999);
	assert_int_equal(nabandoned, 0);
	pass(10000);
	assert_int_equal(nabandoned, 1);
}

static void
the_round_trip_is_measured(void **state)
{
	struct lwip_rexmit *r = &conns[0].r;
	unsigned i;

	(void)state;
	(void)fresh_conn(0);
	for (i = 0; i < 50; i++) {
		write_some(0);
		now_us += 100000;
		acknowledge(0);
	}
	assert_in_range(r->srtt >> 3, 99000, 101000);
	assert_in_range(r->var >> 2, 0, 1000);
	assert_in_range(r->rto, 299, 301);
	for (i = 0; i < 20; i++) {
		write_some(0);
		now_us += i % 2 ? 500000 : 1500000;
		acknowledge(0);
	}
	/* By then it was sent again now and then: which says nothing. */
	assert_true(r->rto > 1000);
}

/* Karn: of what was sent twice nobody knows which came. */
static void
copies_are_not_measured(void **state)
{
	struct lwip_rexmit *r = &conns[0].r;

	(void)state;
	(void)fresh_conn(0);
	write_some(0);
	now_us += 10000;
	acknowledge(0);
	assert_int_equal(r->rto, 210);
	write_some(0);
	pass(250);
	assert_int_equal(nsent, 3);
	assert_int_equal(r->rto, 420);
	acknowledge(0);
	assert_int_equal(r->srtt >> 3, 10000);
	assert_int_equal(r->rto, 420); /* until one is measured */
	assert_int_equal(r->tries, 0);
	write_some(0);
	now_us += 10000;
	acknowledge(0);
	assert_int_equal(r->rto, 210);
}

static void
each_acknowledgement_puts_it_off(void **state)
{
	unsigned i;

	(void)state;
	(void)fresh_conn(0);
	write_some(0);
	now_us += 1000;
	acknowledge(0);
	nsent = 0;
	for (i = 0; i < 100; i++) {
		write_some(0);
		pass(150);
		acknowledge(0);
	}
	assert_int_equal(nsent, 100);
	/* And then nobody is woken any more. */
	pass(1000);
	assert_int_equal(lwip_rexmit_sleep(sys_now(), 300000), 300000);
}

static void
each_of_many_in_its_time(void **state)
{
	u32_t due[MANY];
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		(void)fresh_conn(i);
		conns[i].r.rto = 200 + i * 7919 % 10007;
		due[i] = sys_now() + conns[i].r.rto;
		write_some(i);
	}
	for (i = 0; i < MANY; i += 3)
		lwip_rexmit_forget(&conns[i].pcb);
	for (i = 1; i < MANY; i += 3)
		acknowledge(i);
	nsent = 0;
	while (nsent < MANY / 3) {
		unsigned before = nsent;

		now_us += lwip_rexmit_sleep(sys_now(), 300000) * 1000ull;
		while (nsent == before && (s32_t)(sys_now() - due[0]) < 20000) {
			(void)lwip_rexmit_run(sys_now());
			if (nsent == before)
				now_us += lwip_rexmit_sleep(sys_now(), 1000) *
				    1000ull;
		}
		i = (unsigned)((struct lwip_conn *)last_sent - conns);
		assert_int_equal(i % 3, 2);
		assert_int_equal(due[i], sys_now());
		if (nsent > before)
			lwip_rexmit_forget(last_sent);
	}
}

static void
what_could_not_leave_is_tried_again(void **state)
{
	(void)state;
	(void)fresh_conn(0);
	answer = ERR_RTE;
	write_some(0);
	assert_int_equal(nsent, 0);
	pass(900);
	answer = ERR_OK;
	pass(200);
	assert_int_equal(nsent, 1);
	assert_int_equal(conns[0].r.tries, 1);
}

static void
what_a_card_still_has_is_not_copied(void **state)
{
	(void)state;
	(void)fresh_conn(0);
	write_some(0);
	busy = true;
	pass(1500);
	assert_int_equal(nsent, 1);
	busy = false;
	pass(2000);
	assert_int_equal(nsent, 2);
}

static void
windows_shrink_once(void **state)
{
	struct tcp_pcb *pcb = fresh_conn(0);

	(void)state;
	write_some(0);
	pass(1000);
	assert_int_equal(pcb->cwnd, MSS);
	assert_int_equal(pcb->ssthresh, 5 * MSS);
	pass(2000);
	assert_int_equal(nsent, 3);
	assert_int_equal(pcb->ssthresh, 5 * MSS);
}

static void
within_the_input_nothing_leaves(void **state)
{
	struct tcp_pcb *pcb = fresh_conn(0);

	(void)state;
	tcp_input_pcb = pcb;
	write_some(0);
	assert_int_equal(nsent, 0);
	tcp_input_pcb = NULL;
	assert_int_equal(tcp_output(pcb), ERR_OK);
	assert_int_equal(nsent, 1);
	/* lwIP's own timer does not run. */
	assert_int_equal(pcb->rtime, -1);
	assert_int_equal(pcb->rto, 0x7fff);
}

/* RFC 8985, 7: one that is alone gets time for a late acknowledgement. */
static void
a_probe_goes_before(void **state)
{
	struct tcp_pcb *pcb = fresh_conn(0);

	(void)state;
	write_some(0);
	now_us += 40000;
	acknowledge(0);
	assert_int_equal(conns[0].r.rto, 240);
	pcb->flags |= TF_SACK;
	write_some(0);
	pass(239); /* 280, but not beyond the time-out */
	assert_int_equal(nprobes, 0);
	pass(1);
	assert_int_equal(nprobes, 1);
	assert_int_equal(nsent, 2);
	pass(239);
	assert_int_equal(nsent, 2);
	pass(1);
	assert_int_equal(nsent, 3);
	assert_int_equal(nprobes, 1);
}

static void
a_probe_of_several_goes_soon(void **state)
{
	struct tcp_pcb *pcb = fresh_conn(0);

	(void)state;
	write_some(0);
	now_us += 40000;
	acknowledge(0);
	pcb->flags |= TF_SACK;
	segs[0].next = &segs[1];
	write_some(0);
	pass(81);
	assert_int_equal(nprobes, 0);
	pass(1);
	assert_int_equal(nprobes, 1);
	/* The time-out itself counts from the probe on. */
	pass(239);
	assert_int_equal(nsent, 2);
	pass(1);
	assert_int_equal(nsent, 3);
	segs[0].next = NULL;
}

static void
what_was_overtaken_gets_its_time(void **state)
{
	(void)state;
	(void)fresh_conn(0);
	write_some(0);
	lwip_rexmit_wait_order(&conns[0].pcb, now_us, 9500);
	pass(9);
	assert_int_equal(nlookings, 0);
	pass(1);
	assert_int_equal(nlookings, 1);
	/* And the time-out is where it was. */
	pass(989);
	assert_int_equal(nsent, 1);
	pass(1);
	assert_int_equal(nsent, 2);
}

static void
echoed_times_measure_copies(void **state)
{
	struct lwip_rexmit *r = &conns[0].r;

	(void)state;
	(void)fresh_conn(0);
	write_some(0);
	pass(1000);
	assert_int_equal(nsent, 2);
	pass(30);
	echoed = true;
	echo = sys_now() - 30;
	acknowledge(0);
	assert_int_equal(r->srtt >> 3, 30000);
	assert_int_equal(r->rto, 230);
	/* A peer that echoes what comes later, or long ago, says nothing. */
	write_some(0);
	r->timing = false;
	echo = sys_now() + 5;
	acknowledge(0);
	write_some(0);
	r->timing = false;
	echo = sys_now() - 200000;
	acknowledge(0);
	assert_int_equal(r->srtt >> 3, 30000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_SYN_doubles_from_a_second_on, fresh),
		cmocka_unit_test_setup(tries_of_a_SYN_are_an_option, fresh),
		cmocka_unit_test_setup(a_program_says_how_long_for_a_SYN,
		    fresh),
		cmocka_unit_test_setup(a_SYN_ACK_ends_sooner, fresh),
		cmocka_unit_test_setup(data_is_given_up_as_by_linux, fresh),
		cmocka_unit_test_setup(who_has_no_program_is_given_up_sooner,
		    fresh),
		cmocka_unit_test_setup(a_program_says_how_long, fresh),
		cmocka_unit_test_setup(the_round_trip_is_measured, fresh),
		cmocka_unit_test_setup(copies_are_not_measured, fresh),
		cmocka_unit_test_setup(each_acknowledgement_puts_it_off, fresh),
		cmocka_unit_test_setup(each_of_many_in_its_time, fresh),
		cmocka_unit_test_setup(what_could_not_leave_is_tried_again,
		    fresh),
		cmocka_unit_test_setup(what_a_card_still_has_is_not_copied,
		    fresh),
		cmocka_unit_test_setup(windows_shrink_once, fresh),
		cmocka_unit_test_setup(a_probe_goes_before, fresh),
		cmocka_unit_test_setup(a_probe_of_several_goes_soon, fresh),
		cmocka_unit_test_setup(what_was_overtaken_gets_its_time, fresh),
		cmocka_unit_test_setup(echoed_times_measure_copies, fresh),
		cmocka_unit_test_setup(within_the_input_nothing_leaves, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
