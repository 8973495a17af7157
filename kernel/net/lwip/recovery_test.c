/* SPDX-License-Identifier: ISC */
/*
 * recovery_test.c - what is sent again, and when, for what a peer says: honest
 * or not.  lwIP's part is played by the test: windows, and the list of what is
 * not acknowledged.  Numbers are those of segments.
 */
/* unit: kernel/net/lwip/recovery.c kernel/net/lwip/rexmit.c */
#include "net/lwip/rexmit.h"
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <lwip/sys.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MSS   1000u
#define BASE  0xffffe000u /* wraps soon */
#define RTT   40000u      /* us */
#define SENTS 400u

struct piece { /* of memory for a segment */
	struct pbuf p;
	struct tcp_hdr h;
};

struct tcp_pcb *tcp_input_pcb;
unsigned lwip_tcp_window = 64 * 1024;
static struct lwip_conn conn;
static struct tcp_pcb *const pcb = &conn.pcb;
static struct netif card;
static u64_t now_us;
static unsigned sent[SENTS], nsent; /* numbers, in the order they left */
static unsigned nwritten, nabandoned;
static err_t answer;

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
}

struct netif *
netif_get_by_index(u8_t index)
{
	(void)index;
	return &card;
}

struct netif *
ip4_route_src(const ip4_addr_t *src, const ip4_addr_t *to)
{
	(void)src;
	(void)to;
	return &card;
}

struct netif *
ip6_route(const ip6_addr_t *src, const ip6_addr_t *to)
{
	(void)src;
	(void)to;
	return &card;
}

static void
log_sent(const struct tcp_seg *seg)
{
	assert_true(nsent < SENTS);
	sent[nsent++] = (lwip_ntohl(seg->tcphdr->seqno) - BASE) / MSS;
}

err_t
lwip_port_resend(struct tcp_pcb *of, struct tcp_seg *seg, struct netif *nif)
{
	assert_ptr_equal(of, pcb);
	assert_ptr_equal(nif, &card);
	if (answer == ERR_OK)
		log_sent(seg);
	pcb->rtime = 0;
	return answer;
}

err_t
lwip_port_send(struct tcp_pcb *of)
{
	u32_t wnd = LWIP_MIN(pcb->snd_wnd, pcb->cwnd), seq;
	struct tcp_seg **end = &pcb->unacked, *seg;

	assert_ptr_equal(of, pcb);
	while (*end != NULL)
		end = &(*end)->next;
	while ((seg = pcb->unsent) != NULL) {
		seq = lwip_ntohl(seg->tcphdr->seqno);
		if (seq - pcb->lastack + seg->len > wnd)
			break;
		log_sent(seg);
		pcb->unsent = seg->next;
		seg->next = NULL;
		*end = seg;
		end = &seg->next;
		pcb->snd_nxt = seq + seg->len;
		pcb->rtime = 0;
	}
	return ERR_OK;
}

static void
free_seg(struct tcp_seg *seg)
{
	free(seg->p);
	free(seg);
}

static void
free_all(struct tcp_seg **list)
{
	struct tcp_seg *seg;

	while ((seg = *list) != NULL) {
		*list = seg->next;
		free_seg(seg);
	}
}

void
tcp_abandon(struct tcp_pcb *of, int reset)
{
	(void)reset;
	assert_ptr_equal(of, pcb);
	nabandoned++;
	lwip_rexmit_forget(pcb);
	free_all(&pcb->unacked);
	free_all(&pcb->unsent);
}

/* ------------------------------------------------------------ the connection -- */

static void
write_some(unsigned n)
{
	struct tcp_seg **end = &pcb->unsent, *seg;
	struct piece *piece;

	while (*end != NULL)
		end = &(*end)->next;
	for (; n > 0; n--) {
		seg = lwip_port_seg_alloc();
		piece = calloc(1, sizeof(*piece));
		assert_true(seg != NULL && piece != NULL);
		assert_false(lwip_seg_is_ours(seg));
		*seg = (struct tcp_seg){ .p = &piece->p,
			.len = MSS,
			.tcphdr = &piece->h };
		piece->p.ref = 1;
		piece->h.seqno = lwip_htonl(BASE + nwritten++ * MSS);
		TCPH_HDRLEN_FLAGS_SET(&piece->h, 5, TCP_ACK);
		*end = seg;
		end = &seg->next;
	}
	pcb->snd_lbb = BASE + nwritten * MSS;
	(void)tcp_output(pcb);
}

/* As lwIP's tcp_receive(): what is acknowledged goes, the window grows. */
static void
receive(u32_t ack)
{
	struct tcp_seg *seg;
	u32_t n = ack - pcb->lastack;

	if (TCP_SEQ_BETWEEN(ack, pcb->lastack + 1, pcb->snd_nxt)) {
		pcb->cwnd += pcb->cwnd < pcb->ssthresh ? LWIP_MIN(n, MSS) : 0;
		pcb->lastack = ack;
		while ((seg = pcb->unacked) != NULL &&
		    TCP_SEQ_LEQ(lwip_ntohl(seg->tcphdr->seqno) + seg->len,
			ack)) {
			pcb->unacked = seg->next;
			free_seg(seg);
		}
	}
	(void)tcp_output(pcb);
}

/* Numbers as they are. */
static void
hear(u32_t ack, const u32_t *block, unsigned nblocks)
{
	struct tcp_hdr h = { .ackno = ack, .wnd = (u16_t)pcb->snd_wnd };
	u8_t options[40];
	unsigned i, k, at = 4;

	options[0] = options[1] = 1;
	options[2] = 5;
	options[3] = (u8_t)(2 + 8 * nblocks);
	for (i = 0; i < 2 * nblocks; i++)
		for (k = 0; k < 4; k++)
			options[at++] = (u8_t)(block[i] >> (24 - 8 * k));
	TCPH_HDRLEN_FLAGS_SET(&h, 5, TCP_ACK);
	lwip_recovery_hear(pcb, &h, options, nblocks > 0 ? at : 0, 0);
	receive(ack);
}

/* All below `ack` has come, and [left, right) if they differ. */
static void
ack2(unsigned ack, unsigned left, unsigned right, unsigned left2,
    unsigned right2)
{
	u32_t block[4] = { BASE + left * MSS, BASE + right * MSS,
		BASE + left2 * MSS, BASE + right2 * MSS };

	hear(BASE + ack * MSS, block, (left != right) + (left2 != right2));
}

static void
ack(unsigned n, unsigned left, unsigned right)
{
	ack2(n, left, right, 0, 0);
}

static void
pass_us(u64_t us)
{
	u64_t end = now_us + us;
	u32_t ms;

	while (now_us < end) {
		(void)lwip_rexmit_run(sys_now());
		ms = lwip_rexmit_sleep(sys_now(), 10000);
		now_us = LWIP_MIN(end, (now_us / 1000 + ms) * 1000);
		if (ms == 0)
			now_us += 0;
	}
	(void)lwip_rexmit_run(sys_now());
}

static int
fresh(void **state)
{
	struct lwip_conn *c;

	(void)state;
	lwip_rexmit_forget(pcb);
	free_all(&pcb->unacked);
	free_all(&pcb->unsent);
	c = lwip_port_pcb_alloc();
	memset(&c->pcb, 0, sizeof(c->pcb));
	conn = *c;
	free(c);
	pcb->state = ESTABLISHED;
	pcb->flags = TF_SACK;
	pcb->mss = MSS;
	pcb->rtime = -1;
	pcb->cwnd = 20 * MSS;
	pcb->ssthresh = 100 * MSS;
	pcb->snd_wnd = 60 * MSS;
	pcb->snd_nxt = pcb->lastack = pcb->snd_lbb = conn.r.una = BASE;
	now_us = 0xffffff00ull * 1000;
	nsent = nwritten = nabandoned = 0;
	answer = ERR_OK;
	memset(&lwip_rexmit_stats, 0, sizeof(lwip_rexmit_stats));
	(void)lwip_rexmit_sleep(sys_now(), 300000);
	/* One goes and comes, so that a round trip is known. */
	write_some(1);
	now_us += RTT;
	ack(1, 0, 0);
	nsent = 0;
	return 0;
}

static int
over(void **state)
{
	(void)state;
	lwip_rexmit_forget(pcb);
	free_all(&pcb->unacked);
	free_all(&pcb->unsent);
	return 0;
}

#define assert_sent(...)                                               \
	do {                                                           \
		static const unsigned want[] = { __VA_ARGS__ };        \
		assert_int_equal(nsent, sizeof(want) / sizeof(*want)); \
		assert_memory_equal(sent, want, sizeof(want));         \
		nsent = 0;                                             \
	} while (0)

/* 1 to 10 are on their way, a round trip ago. */
static void
ten(void)
{
	write_some(10);
	assert_sent(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
	now_us += RTT;
}

static void
ten_more(void)
{
	write_some(10);
	assert_int_equal(nsent, 10);
	nsent = 0;
	now_us += RTT;
}

/* ---------------------------------------------------------------- the tests -- */

static void
one_is_lost(void **state)
{
	(void)state;
	ten();
	ack(1, 2, 3);
	ack(1, 2, 4);
	assert_int_equal(nsent, 0);
	ack(1, 2, 5);
	assert_sent(1);
	assert_int_equal(conn.r.state, LWIP_RECOVERY);
	assert_int_equal(pcb->ssthresh, 5 * MSS);
	ack(1, 2, 11);
	now_us += RTT;
	ack(11, 0, 0);
	assert_int_equal(nsent, 0);
	assert_int_equal(conn.r.state, LWIP_OPEN);
	assert_int_equal(pcb->cwnd, 5 * MSS);
	assert_int_equal(conn.r.total, 1);
}

static void
two_are_lost(void **state)
{
	(void)state;
	ten();
	ack(1, 2, 5);
	assert_sent(1);
	ack2(1, 6, 11, 2, 5);
	assert_sent(5);
	now_us += RTT;
	ack(5, 6, 11); /* a part: the recovery goes on */
	assert_int_equal(conn.r.state, LWIP_RECOVERY);
	assert_int_equal(nsent, 0);
	ack(11, 0, 0);
	assert_int_equal(nsent, 0);
	assert_int_equal(conn.r.state, LWIP_OPEN);
}

/* As the window lets them, in their order; and new ones behind them. */
static void
each_third_is_lost(void **state)
{
	u32_t block[8] = { BASE + 11 * MSS, BASE + 13 * MSS, BASE + 8 * MSS,
		BASE + 10 * MSS, BASE + 5 * MSS, BASE + 7 * MSS, BASE + 2 * MSS,
		BASE + 4 * MSS };

	(void)state;
	write_some(12);
	nsent = 0;
	now_us += RTT;
	write_some(5);
	nsent = 0;
	pcb->cwnd = 12 * MSS;
	now_us += 1000;
	hear(BASE + MSS, block, 4);
	/* 1, 4, 7, 10 are lost; 13 to 17 are on their way; half is 6. */
	assert_sent(1);
	block[0] = BASE + 11 * MSS;
	block[1] = BASE + 18 * MSS;
	hear(BASE + MSS, block, 4);
	assert_sent(4, 7, 10);
	write_some(3);
	assert_sent(18, 19);
	now_us += RTT;
	ack2(4, 11, 18, 8, 10);
	assert_sent(20);
	ack(18, 0, 0);
	assert_int_equal(conn.r.state, LWIP_OPEN);
	assert_int_equal(conn.r.total, 4);
}

/* RFC 3042: what came makes room, before three have. */
static void
limited_transmit(void **state)
{
	(void)state;
	pcb->cwnd = 10 * MSS;
	write_some(14);
	nsent = 0;
	now_us += RTT;
	ack(1, 2, 3);
	assert_sent(11);
	ack(1, 2, 4);
	assert_sent(12);
}

/* Too few for three: after a part of a round trip all the same. */
static void
a_short_flight(void **state)
{
	(void)state;
	write_some(2);
	nsent = 0;
	now_us += RTT;
	ack(1, 2, 3);
	assert_int_equal(nsent, 0);
	pass_us(RTT / 4 + 2000);
	assert_sent(1);
}

static void
another_order_is_no_loss(void **state)
{
	(void)state;
	write_some(4);
	nsent = 0;
	now_us += RTT;
	ack(1, 3, 4);
	now_us += 1000;
	ack(1, 2, 4);
	now_us += 1000;
	ack(4, 0, 0);
	ack(5, 0, 0);
	assert_true(conn.r.disorder);
	/* From then on three are not enough: time must pass. */
	write_some(10);
	nsent = 0;
	now_us += RTT;
	ack(5, 6, 9);
	assert_int_equal(nsent, 0);
	pass_us(RTT / 4 + 2000);
	assert_sent(5);
}

static void
a_copy_is_lost_too(void **state)
{
	(void)state;
	write_some(20);
	nsent = 0;
	now_us += RTT;
	ack(1, 2, 5);
	assert_sent(1);
	ack(1, 2, 14);
	assert_int_equal(nsent, 0);
	now_us += 1000;
	write_some(4);
	assert_sent(21, 22);
	now_us += RTT;
	ack(1, 2, 22); /* 21 left after the copy of 1 */
	assert_int_equal(sent[0], 1);
}

static void
the_tail_is_probed(void **state)
{
	u32_t was;

	(void)state;
	ten();
	ack(8, 0, 0);
	was = pcb->cwnd;
	pass_us(2 * RTT + 3000);
	assert_sent(10);
	assert_int_equal(lwip_rexmit_stats.probes, 1);
	assert_int_equal(pcb->cwnd, was);
	now_us += RTT;
	ack(8, 10, 11);
	pass_us(RTT / 4 + 3000);
	assert_sent(8, 9);
	ack(11, 0, 0);
	assert_int_equal(lwip_rexmit_stats.timeouts, 0);
	assert_int_equal(conn.r.state, LWIP_OPEN);
}

static void
a_probe_is_something_new(void **state)
{
	(void)state;
	pcb->cwnd = 3 * MSS;
	write_some(6);
	assert_sent(1, 2, 3);
	pass_us(2 * RTT + 4000);
	assert_sent(4);
	assert_int_equal(conn.r.total, 0);
	ack(5, 0, 0);
	assert_sent(5, 6);
	assert_int_equal(conn.r.probed, LWIP_PROBE_NONE);
}

static void
a_probe_that_was_too_many(void **state)
{
	u32_t again[2] = { BASE + 10 * MSS, BASE + 11 * MSS };

	(void)state;
	ten();
	pass_us(2 * RTT + 4000);
	assert_sent(10);
	ack(11, 0, 0);
	assert_int_equal(conn.r.probed, LWIP_PROBE_COPY);
	hear(BASE + 11 * MSS, again, 1);
	assert_int_equal(conn.r.probed, LWIP_PROBE_NONE);
	assert_int_equal(lwip_rexmit_stats.dsacks, 1);
	assert_true(pcb->cwnd >= 20 * MSS);
}

static void
a_probe_that_was_not(void **state)
{
	(void)state;
	ten();
	pass_us(2 * RTT + 4000);
	assert_sent(10);
	ack(11, 0, 0);
	write_some(1);
	ack(12, 0, 0);
	assert_int_equal(conn.r.probed, LWIP_PROBE_NONE);
	assert_int_equal(pcb->cwnd, pcb->ssthresh);
}

static void
nothing_comes(void **state)
{
	(void)state;
	ten();
	ack2(1, 3, 4, 0, 0);
	nsent = 0;
	pass_us(RTT / 4 + 2000);
	nsent = 0; /* 1 and 2, as overtaken */
	pass_us(300000);
	assert_sent(1);
	assert_int_equal(conn.r.state, LWIP_LOSS);
	assert_int_equal(pcb->cwnd, MSS);
	ack(2, 3, 4);
	assert_sent(2, 4);
	ack(4, 0, 0);
	assert_sent(5, 6);
	ack(6, 0, 0);
	assert_sent(7, 8);
	ack(11, 0, 0);
	assert_int_equal(conn.r.state, LWIP_OPEN);
	assert_int_equal(nsent, 0);
}

static void
a_peer_that_forgets(void **state)
{
	(void)state;
	ten();
	ack(1, 2, 11);
	assert_sent(1);
	ack(2, 0, 0); /* of what it had it says nothing */
	assert_int_equal(nsent, 0);
	pass_us(1000000);
	assert_int_equal(sent[0], 2);
	assert_int_equal(lwip_rexmit_stats.reneged, 1);
	nsent = 0;
	ack(3, 0, 0);
	assert_sent(3, 4);
	ack(11, 0, 0);
	assert_int_equal(conn.r.state, LWIP_OPEN);
}

static void
a_peer_that_lies(void **state)
{
	static const u32_t lies[][2] = { { BASE, BASE + MSS },
		{ BASE + 3 * MSS, BASE + 2 * MSS },
		{ BASE + 3 * MSS, BASE + 3 * MSS },
		{ BASE + 5 * MSS, BASE + 12 * MSS },
		{ BASE + 11 * MSS, BASE + 20 * MSS },
		{ BASE + 4 * MSS, BASE + 0x80000000u },
		{ BASE + 2 * MSS + 1, BASE + 3 * MSS - 1 },
		{ BASE - 5 * MSS, BASE + 9 * MSS } };
	unsigned i;

	(void)state;
	ten();
	for (i = 0; i < sizeof(lies) / sizeof(*lies); i++)
		hear(BASE + MSS, lies[i], 1);
	assert_int_equal(nsent, 0);
	assert_false(conn.r.any);
	hear(BASE + 50 * MSS, lies[0], 1);
	hear(BASE - 50 * MSS, lies[0], 1);
	assert_int_equal(pcb->lastack, BASE + MSS);
	ack(11, 0, 0);
	assert_int_equal(conn.r.state, LWIP_OPEN);
}

static void
options_that_end_early(void **state)
{
	u8_t o[40] = { 1, 1, 5, 18 };
	struct tcp_hdr h = { .ackno = BASE + MSS };
	unsigned n;

	(void)state;
	ten();
	memset(o + 4, 0xff, sizeof(o) - 4);
	for (n = 0; n <= 40; n++)
		lwip_recovery_hear(pcb, &h, o, n, 0);
	for (n = 0; n < 256; n++) {
		memset(o, (int)n, sizeof(o));
		lwip_recovery_hear(pcb, &h, o, 40, 0);
	}
	assert_false(conn.r.any);
}

/* RFC 6582: the second lost one needs no time-out. */
static void
a_peer_without_SACK(void **state)
{
	(void)state;
	pcb->flags &= (tcpflags_t)~TF_SACK;
	ten();
	ack(1, 0, 0);
	ack(1, 0, 0);
	assert_int_equal(nsent, 0);
	ack(1, 0, 0);
	assert_sent(1);
	ack(1, 0, 0);
	ack(1, 0, 0);
	assert_int_equal(nsent, 0);
	now_us += RTT;
	ack(5, 0, 0);
	assert_sent(5);
	assert_int_equal(conn.r.state, LWIP_RECOVERY);
	now_us += RTT;
	ack(11, 0, 0);
	assert_int_equal(conn.r.state, LWIP_OPEN);
	assert_int_equal(nsent, 0);
	assert_int_equal(pcb->cwnd, 5 * MSS);
	assert_int_equal(lwip_rexmit_stats.timeouts, 0);
}

/* Two duplicates, and then it goes on: the window is what it was. */
static void
duplicates_are_forgotten(void **state)
{
	(void)state;
	pcb->flags &= (tcpflags_t)~TF_SACK;
	ten();
	ack(1, 0, 0);
	ack(1, 0, 0);
	assert_true(conn.r.partial);
	ack(11, 0, 0);
	assert_false(conn.r.partial);
	ten_more();
	ack(11, 0, 0);
	assert_int_equal(nsent, 0);
	assert_int_equal(conn.r.duplicates, 1);
}

static void
the_card_has_it_still(void **state)
{
	(void)state;
	ten();
	pcb->unacked->p->ref = 2;
	ack(1, 2, 5);
	assert_int_equal(nsent, 0);
	pcb->unacked->p->ref = 1;
	ack(1, 2, 6);
	assert_sent(1);
}

static void
what_is_not_sent_is_lost_still(void **state)
{
	(void)state;
	ten();
	answer = ERR_MEM;
	ack(1, 2, 5);
	assert_int_equal(nsent, 0);
	answer = ERR_OK;
	pass_us(1000000);
	assert_int_equal(sent[0], 1);
}

/* Any loss, any lie: at the end all has come, and no segment is lost. */
static void
all_comes_in_the_end(void **state)
{
	unsigned seed, i, acked, k;
	bool has[120];
	u32_t v;

	for (seed = 1; seed <= 300; seed++) {
		(void)fresh(state);
		if (seed % 4 == 0)
			pcb->flags = 0;
		v = seed;
		memset(has, 0, sizeof(has));
		has[0] = true;
		write_some(100);
		for (i = 0, acked = 1; acked < 101; i++) {
			unsigned left = 0, right = 0;
			bool any = nsent > 0;

			assert_true(i < 200000);
			for (k = 0; k < nsent; k++) {
				v = v * 1664525u + 1013904223u;
				has[sent[k]] |= (v >> 24) >= 20 + seed % 80;
			}
			nsent = 0;
			while (acked < 101 && has[acked])
				acked++;
			for (k = acked; k < 101; k++)
				if (has[k]) {
					left = k;
					for (; k < 101 && has[k]; k++)
						;
					right = k;
					if ((v >> 16 & 7) != 0)
						break;
				}
			now_us += RTT;
			v = v * 1664525u + 1013904223u;
			if (any && (v >> 24) > 50)
				ack(acked, pcb->flags & TF_SACK ? left : 0,
				    pcb->flags & TF_SACK ? right : 0);
			pass_us(5000);
		}
		ack(101, 0, 0);
		assert_null(pcb->unacked);
		assert_null(pcb->unsent);
		assert_int_equal(nabandoned, 0);
		assert_int_equal(conn.r.state, LWIP_OPEN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_is_lost, fresh),
		cmocka_unit_test_setup(two_are_lost, fresh),
		cmocka_unit_test_setup(each_third_is_lost, fresh),
		cmocka_unit_test_setup(limited_transmit, fresh),
		cmocka_unit_test_setup(a_short_flight, fresh),
		cmocka_unit_test_setup(another_order_is_no_loss, fresh),
		cmocka_unit_test_setup(a_copy_is_lost_too, fresh),
		cmocka_unit_test_setup(the_tail_is_probed, fresh),
		cmocka_unit_test_setup(a_probe_is_something_new, fresh),
		cmocka_unit_test_setup(a_probe_that_was_too_many, fresh),
		cmocka_unit_test_setup(a_probe_that_was_not, fresh),
		cmocka_unit_test_setup(nothing_comes, fresh),
		cmocka_unit_test_setup(a_peer_that_forgets, fresh),
		cmocka_unit_test_setup(a_peer_that_lies, fresh),
		cmocka_unit_test_setup(options_that_end_early, fresh),
		cmocka_unit_test_setup(a_peer_without_SACK, fresh),
		cmocka_unit_test_setup(duplicates_are_forgotten, fresh),
		cmocka_unit_test_setup(the_card_has_it_still, fresh),
		cmocka_unit_test_setup(what_is_not_sent_is_lost_still, fresh),
		cmocka_unit_test_setup(all_comes_in_the_end, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, over);
}
