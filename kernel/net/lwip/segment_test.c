/* SPDX-License-Identifier: ISC */
/*
 * segment_test.c - what is written comes out byte by byte, in order, in whole
 * segments, whatever was sent, sent again, split off or freed in between; and
 * all memory comes back.  The test plays lwIP's lists, the peer and the card.
 */
/* unit: kernel/net/lwip/segment.c */
#include "net/lwip/rexmit.h"
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STREAM 200000u
#define MSS    1460u
#define DATA   1448u       /* with timestamps */
#define FIRST  0xfffff000u /* the numbers wrap soon */

unsigned lwip_tcp_window = 64 * 1024;
struct tcp_pcb *tcp_input_pcb;
static struct lwip_conn conn;
#define pcb conn.pcb
static u8_t stream[STREAM];
static u8_t was_sent[STREAM]; /* each byte */
static u32_t written;         /* bytes of it */
static unsigned allocated, nwalked, nfollowed;
static bool no_memory;

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

void
memp_free(memp_t type, void *p)
{
	assert_int_equal(type, MEMP_TCP_SEG);
	mem_free(p);
}

struct pbuf *
pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type)
{
	struct pbuf *p = mem_malloc(sizeof(*p));

	assert_int_equal(layer, PBUF_RAW);
	if (p != NULL)
		*p = (struct pbuf){ .len = len,
			.tot_len = len,
			.type_internal = (u8_t)type,
			.ref = 1 };
	return p;
}

u8_t
pbuf_free(struct pbuf *p)
{
	struct pbuf *next;

	for (; p != NULL && --p->ref == 0; p = next) {
		next = p->next;
		if ((p->flags & PBUF_FLAG_IS_CUSTOM) != 0)
			((struct pbuf_custom *)p)->custom_free_function(p);
		else
			mem_free(p);
	}
	return 0;
}

static u32_t
seq_of(const struct tcp_seg *seg)
{
	return lwip_ntohl(seg->tcphdr->seqno);
}

static unsigned window = 1000000;
static unsigned follows; /* how many join a packet, at most */
static unsigned joined;  /* this one so far */

/* As lwIP's: all that fits, each where it belongs in the list. */
err_t
lwip_port_output(struct tcp_pcb *p)
{
	struct tcp_seg *seg, **at;

	while ((seg = p->unsent) != NULL &&
	    seq_of(seg) + seg->len - p->lastack <= window) {
		p->unsent = seg->next;
		joined = 0;
		memset(was_sent + (seq_of(seg) - FIRST), 1, seg->len);
		at = &p->unacked;
		for (; *at != NULL && TCP_SEQ_LT(seq_of(*at), seq_of(seg));
		     at = &(*at)->next)
			nwalked++;
		seg->next = *at;
		*at = seg;
		if (TCP_SEQ_LT(p->snd_nxt, seq_of(seg) + seg->len))
			p->snd_nxt = seq_of(seg) + seg->len;
	}
	return ERR_OK;
}

bool
ethif_tcp_follows(const struct tcp_pcb *p, const struct pbuf *head)
{
	const struct tcp_hdr *h = head->payload;
	u32_t seq = lwip_ntohl(h->seqno);

	assert_ptr_equal(p, &pcb);
	assert_int_equal(seq, p->snd_nxt);
	assert_true((TCPH_FLAGS(h) & TCP_ACK) != 0);
	assert_true(seq + head->tot_len - head->len - p->lastack <= window);
	if (joined == follows)
		return false;
	joined++;
	nfollowed++;
	memset(was_sent + (seq - FIRST), 1, head->tot_len - head->len);
	return true;
}

static void
seg_free(struct tcp_seg *seg)
{
	struct pbuf *p;

	for (p = seg->p; p != NULL; p = p->next)
		pcb.snd_queuelen--;
	pcb.snd_buf += seg->len;
	pbuf_free(seg->p);
	lwip_port_seg_free(seg);
}

static void
ack(u32_t to)
{
	struct tcp_seg *seg;

	while ((seg = pcb.unacked) != NULL &&
	    TCP_SEQ_LEQ(seq_of(seg) + seg->len, to)) {
		pcb.unacked = seg->next;
		seg_free(seg);
	}
	pcb.lastack = to;
	lwip_port_spare_free(); /* what is known of it must not be used */
}

/* The first one is to be sent again, or all. */
static void
send_again(bool all)
{
	struct tcp_seg **end, *first = pcb.unacked;

	for (end = &first->next; all && *end != NULL;)
		end = &(*end)->next;
	pcb.unacked = *end;
	*end = pcb.unsent;
	pcb.unsent = first;
}

/* ---------------------------------------------------------------- the tests -- */

static void
set_window(unsigned n)
{
	window = pcb.snd_wnd = pcb.cwnd = n;
}

static int
set_up(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < STREAM; i++)
		stream[i] = (u8_t)(i * 2654435761u >> 24);
	memset(&conn, 0, sizeof(conn));
	memset(was_sent, 0, sizeof(was_sent));
	pcb.state = ESTABLISHED;
	pcb.mss = MSS;
	pcb.snd_wnd_max = pcb.snd_wnd = 65535;
	pcb.snd_buf = 1000000;
	pcb.flags = TF_TIMESTAMP;
	pcb.local_port = 80;
	pcb.remote_port = 1234;
	pcb.snd_lbb = pcb.snd_nxt = pcb.lastack = FIRST;
	set_window(1000000);
	written = nwalked = nfollowed = follows = 0;
	no_memory = false;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	lwip_port_output(&pcb);
	assert_null(memchr(was_sent, 0, written));
	ack(pcb.snd_lbb);
	assert_null(pcb.unsent);
	assert_null(pcb.unacked);
	assert_int_equal(pcb.snd_queuelen, 0);
	lwip_port_spare_free();
	assert_int_equal(allocated, 0);
	return 0;
}

static unsigned
put(unsigned len, bool more)
{
	unsigned n = lwip_port_write(&pcb, stream + written, len, more);

	written += n;
	return n;
}

/* A list in order, each segment with what the stream has there. */
static unsigned
check_list(const struct tcp_seg *seg, unsigned *pbufs)
{
	const struct pbuf *p;
	unsigned n = 0, left, at;

	for (; seg != NULL; seg = seg->next, n++) {
		at = seq_of(seg) - FIRST;
		assert_true(seg->len > 0 && seg->len <= DATA);
		assert_true(at + seg->len <= written);
		assert_true(seg->next == NULL ||
		    TCP_SEQ_LEQ(seq_of(seg) + seg->len, seq_of(seg->next)));
		left = seg->p->tot_len;
		for (p = seg->p; p != NULL; p = p->next, ++*pbufs) {
			assert_int_equal(p->tot_len, left);
			left -= p->len;
			if (p == seg->p) {
				assert_int_equal(p->len, 32);
				assert_ptr_equal(p->payload, seg->tcphdr);
				continue;
			}
			assert_memory_equal(p->payload, stream + at, p->len);
			at += p->len;
		}
		assert_int_equal(left, 0);
		assert_int_equal(at, seq_of(seg) - FIRST + seg->len);
		assert_int_equal(TCPH_HDRLEN_BYTES(seg->tcphdr), 32);
		assert_int_equal(seg->tcphdr->dest, lwip_htons(1234));
	}
	return n;
}

static unsigned
check(void)
{
	unsigned pbufs = 0, n = check_list(pcb.unacked, &pbufs);

	n += check_list(pcb.unsent, &pbufs);
	assert_int_equal(pbufs, pcb.snd_queuelen);
	assert_int_equal(pcb.snd_lbb, FIRST + written);
	return n;
}

static void
segments_are_full(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 20; i++)
		assert_int_equal(put(4096, i < 19), 4096);
	assert_int_equal(check(), (20 * 4096 + DATA - 1) / DATA);
	/* Nothing lies apart: a segment is one piece of memory. */
	assert_int_equal(allocated, check());
}

static bool
has_push(const struct tcp_seg *seg)
{
	return (TCPH_FLAGS(seg->tcphdr) & TCP_PSH) != 0;
}

static void
the_last_one_pushes(void **state)
{
	(void)state;
	put(2000, true);
	assert_false(has_push(pcb.unsent) || has_push(pcb.unsent->next));
	put(100, false);
	assert_false(has_push(pcb.unsent));
	assert_true(has_push(pcb.unsent->next));
	assert_int_equal(check(), 2);
}

/* Bytes that do not lie behind one another, more than have a place inside. */
static void
pieces_lie_apart(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++) {
		memmove(stream + 150000 + i * 50, stream + i * 40, 40);
		assert_int_equal(lwip_port_write(&pcb, stream + 150000 + i * 50,
				     40, false),
		    40);
		written += 40;
	}
	assert_int_equal(check(), 1);
	assert_int_equal(pcb.snd_queuelen, 11);
	assert_int_equal(allocated, 1 + 8);
}

/* A long way behind is not walked for each segment. */
static void
the_end_is_known(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++) {
		put(DATA, false);
		lwip_port_send(&pcb);
		assert_int_equal(check(), i + 1);
	}
	assert_null(pcb.unsent);
	assert_in_range(nwalked, 0, 110);
	ack(FIRST + 100 * DATA); /* what was known is gone */
	put(DATA, false);
	lwip_port_send(&pcb);
	assert_int_equal(check(), 1);
}

/*
 * What is sent again stands in a list alone with what was never sent: an old
 * one takes no new bytes, and each goes back to where it was.
 */
static void
old_ones_stay(void **state)
{
	bool all;
	int i;

	(void)state;
	for (i = 0, all = false; i < 7; i++, all = !all) {
		put(500, false);
		lwip_port_send(&pcb);
		put(700 + i, false);
		lwip_port_send(&pcb);
		check();
		set_window(i < 3 ? 0 : 100000);
		send_again(all);
		if (i == 1)
			lwip_port_send(&pcb);
		put(300, false); /* as if the card had been away */
		check();
		set_window(100000);
		lwip_port_send(&pcb);
		check();
		assert_null(pcb.unsent);
	}
	assert_int_equal(pcb.snd_nxt, FIRST + written);
}

/* The peer's window is shut for some of it. */
static void
half_is_sent(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 50; i++) {
		follows = i % 5;
		put(3000 + i * 30, false);
		set_window((i * 37 % 20) * 1000);
		lwip_port_send(&pcb);
		check();
		if (i % 3 == 0 && pcb.unacked != NULL) {
			ack(seq_of(pcb.unacked) + pcb.unacked->len);
			check();
		}
		if (i % 8 == 7) {
			ack(pcb.snd_nxt);
			check();
		}
	}
	set_window(1000000);
	lwip_port_send(&pcb);
	check();
	assert_null(pcb.unsent);
}

/* Of many segments one has headers for now, and the last one is lwIP's. */
static void
others_follow(void **state)
{
	unsigned i, n;

	(void)state;
	follows = 10;
	put(DATA, false);
	lwip_port_send(&pcb);
	for (i = 0; i < 25; i++)
		put(DATA, i < 24);
	n = nfollowed;
	lwip_port_send(&pcb);
	assert_null(pcb.unsent);
	assert_int_equal(check(), 26);
	/* 1 and 10, 1 and 10, 1 and 1, 1 */
	assert_int_equal(nfollowed - n, 21);
	ack(FIRST + 26 * DATA);
	put(500, false);
	lwip_port_send(&pcb);
	/* To the edge of the window, and not beyond. */
	for (i = 0; i < 20; i++)
		put(DATA, false);
	set_window(500 + 7 * DATA + 100);
	lwip_port_send(&pcb);
	assert_int_equal(pcb.snd_nxt - pcb.lastack, 500 + 7 * DATA);
	assert_int_equal(check(), 21);
	set_window(100000);
	/* What is sent again stands alone. */
	send_again(false);
	n = nfollowed;
	lwip_port_send(&pcb);
	assert_int_equal(nfollowed, n);
	lwip_port_send(&pcb);
	assert_null(pcb.unsent);
	check();
}

static void
who_waits_still_waits(void **state)
{
	unsigned n;

	(void)state;
	follows = 10;
	put(DATA, false);
	lwip_port_send(&pcb);
	pcb.flags |= TF_NODELAY;
	put(2 * DATA + 1, false);
	lwip_port_send(&pcb);
	assert_true((pcb.flags & TF_NODELAY) != 0);
	pcb.flags = TF_TIMESTAMP;
	put(3 * DATA, false);
	lwip_port_send(&pcb);
	assert_int_equal(pcb.flags, TF_TIMESTAMP);
	n = nfollowed;
	assert_true(n > 0);
	put(3 * DATA, false);
	pcb.state = FIN_WAIT_1; /* from here on it is lwIP's affair alone */
	lwip_port_send(&pcb);
	pcb.state = ESTABLISHED;
	put(3 * DATA, false);
	pcb.flags |= TF_RTO;
	lwip_port_send(&pcb);
	assert_int_equal(nfollowed, n);
	assert_null(pcb.unsent);
	check();
}

/* The card has the pbufs longer than TCP has the segment, or the reverse. */
static void
pbufs_live_longer(void **state)
{
	struct pbuf *held[3];
	struct tcp_seg *seg;
	unsigned i;

	(void)state;
	put(3 * DATA, false);
	for (i = 0, seg = pcb.unsent; i < 3; i++, seg = seg->next) {
		held[i] = seg->p;
		held[i]->ref++;
	}
	lwip_port_send(&pcb);
	ack(FIRST + 3 * DATA);
	put(5 * DATA, false); /* not in the memory of those */
	for (i = 0; i < 3; i++) {
		assert_memory_equal(held[i]->next->payload, stream + i * DATA,
		    DATA);
		pbuf_free(held[i]);
	}
	assert_int_equal(check(), 5);
}

static void
memory_runs_out(void **state)
{
	(void)state;
	put(100, false);
	no_memory = true;
	/* What the last one still takes. */
	assert_int_equal(put(4000, false), DATA - 100);
	assert_int_equal(put(4000, false), 0);
	assert_true((pcb.flags & TF_NAGLEMEMERR) != 0);
	assert_int_equal(check(), 1);
	no_memory = false;
	assert_int_equal(put(4000, false), 4000);
	assert_int_equal(check(), 4);
}

static void
room_runs_out(void **state)
{
	(void)state;
	pcb.snd_buf = 2000;
	assert_int_equal(put(4000, false), 2000);
	assert_int_equal(put(1, false), 0);
	pcb.snd_buf = 100000;
	pcb.snd_queuelen = TCP_SND_QUEUELEN - 2;
	assert_int_equal(put(4000, false), 0);
	pcb.snd_queuelen = 4;
	pcb.state = FIN_WAIT_1;
	assert_int_equal(put(4000, false), 0);
	assert_int_equal(check(), 2);
}

/* lwIP splits off a piece that is its own; what was before it is acknowledged. */
static void
others_may_be_last(void **state)
{
	struct tcp_seg *own = mem_malloc(sizeof(*own));

	(void)state;
	put(100, false);
	lwip_port_send(&pcb);
	own->next = NULL;
	own->len = 10;
	own->p = pbuf_alloc(PBUF_RAW, 42, PBUF_RAM);
	own->tcphdr = mem_malloc(42);
	memcpy(own->tcphdr, pcb.unacked->tcphdr, 32);
	memcpy((u8_t *)own->tcphdr + 32, stream + written, 10);
	own->tcphdr->seqno = lwip_htonl(pcb.snd_lbb);
	pcb.unsent = own;
	pcb.snd_lbb += 10;
	pcb.snd_buf -= 10;
	pcb.snd_queuelen++;
	written += 10;
	ack(FIRST + 100);
	put(3000, false);
	assert_ptr_equal(pcb.unsent, own);
	assert_int_equal(own->len, 10);
	assert_non_null(own->next->next->next);
	lwip_port_send(&pcb);
	mem_free(own->tcphdr);
	pcb.unacked = own->next;
	pbuf_free(own->p);
	lwip_port_seg_free(own);
	pcb.snd_queuelen--;
	assert_int_equal(check(), 3);
}

/* Half of a small window bounds segments; not to nothing. */
static void
small_windows(void **state)
{
	(void)state;
	pcb.snd_wnd_max = 1000;
	put(2000, false);
	assert_int_equal(check(), (2000 + 487) / 488);
	pcb.snd_wnd_max = 1;
	put(760, false);
	assert_int_equal(check(), 5 + (760 - (76 - 48) + 75) / 76);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(segments_are_full),
		T(the_last_one_pushes),
		T(pieces_lie_apart),
		T(the_end_is_known),
		T(old_ones_stay),
		T(half_is_sent),
		T(others_follow),
		T(who_waits_still_waits),
		T(pbufs_live_longer),
		T(memory_runs_out),
		T(room_runs_out),
		T(others_may_be_last),
		T(small_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
