/* SPDX-License-Identifier: ISC */
/*
 * ethif_tx_test.c - segments of TCP that are put together, and a card that cuts
 * them up again: what comes out is what lwIP sent, byte by byte, and each page
 * is held exactly as long as the card may read it.  The test plays lwIP's TCP
 * and IP, and the card.
 */
/* unit: */
#include "tests/host/x86/cpu.h"
#include "tests/host/inet_sum.h"
#include "tests/host/kern/spinlock.h"
#include "tests/host/kern/thread.h"
#include "tests/host/kern/waitq.h"
#include "net/lwip/ethif_tx.c"
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <lwip/stats.h>

struct lwip_port_stats lwip_port_stats;

unsigned lwip_tcp_window;

#define NPAGES 64
#define MSS    1448u
#define OPTS   12u
#define SENT   8u

static uint8_t *stream; /* NPAGES pages; byte n of the connection at n */
static struct ethif e;
static struct nic nic;
static bool full;      /* the card */
static uint16_t ip_id; /* as lwIP counts */
static struct packet {
	struct nic_tx *tx;
	unsigned len, nruns;
	uint8_t bytes[PACKET_MAX + 1];
} sent[SENT];
static unsigned nsent;
static uint32_t ack = 77;
static uint8_t way[2][16] = { "\x0a\0\0\1 of here", "\x0a\0\0\2 of there" };

/* ------------------------------------------------- in place of the kernel's -- */

unsigned
cpu_id(void)
{
	return 0;
}

void *
objcache_alloc(struct objcache *c)
{
	return malloc(c->size);
}

void
objcache_free(struct objcache *c, void *p)
{
	(void)c;
	free(p);
}

void
page_free_last(struct page *p)
{
	fail_msg("page %d is put too often", (int)(p - VMEMMAP));
}

/* ----------------------------------------------------- in place of lwIP's -- */

u16_t
inet_chksum(const void *data, u16_t len)
{
	return (u16_t)~host_inet_sum(data, len);
}

struct pbuf *
pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type)
{
	struct pbuf *p = calloc(1, sizeof(*p) + HEADS_MAX + len);

	assert_int_equal(layer, PBUF_RAW);
	p->payload = (uint8_t *)(p + 1) + HEADS_MAX;
	p->len = p->tot_len = len;
	p->type_internal = (u8_t)type;
	p->ref = 1;
	return p;
}

void
pbuf_ref(struct pbuf *p)
{
	p->ref++;
}

u8_t
pbuf_free(struct pbuf *p)
{
	struct pbuf *next;

	for (; p != NULL && --p->ref == 0; p = next) {
		next = p->next;
		free(p);
	}
	return 0;
}

err_t
pbuf_copy(struct pbuf *to, const struct pbuf *from)
{
	uint8_t *at = to->payload;

	for (; from != NULL; at += from->len, from = from->next)
		memcpy(at, from->payload, from->len);
	return ERR_OK;
}

static err_t
with_ethernet(struct pbuf *p, uint16_t type, struct netif *nif)
{
	uint8_t *f = p->payload = (uint8_t *)p->payload - SIZEOF_ETH_HDR;

	p->len += SIZEOF_ETH_HDR;
	p->tot_len += SIZEOF_ETH_HDR;
	memcpy(f, "\x52\x54\0\0\0\2\x52\x54\0\0\0\1", 12);
	put16(f + 12, type);
	return nif->linkoutput(nif, p);
}

err_t
inet_pmtu_output_tcp(struct pbuf *p, const ip4_addr_t *src,
    const ip4_addr_t *dst, u8_t ttl, u8_t tos, struct netif *nif)
{
	uint8_t *ip = p->payload = (uint8_t *)p->payload - IP_HLEN;

	p->len += IP_HLEN;
	p->tot_len += IP_HLEN;
	memset(ip, 0, IP_HLEN);
	ip[0] = 0x45;
	ip[1] = tos;
	put16(ip + 2, p->tot_len);
	put16(ip + 4, ip_id++);
	ip[8] = ttl;
	ip[9] = IP_PROTO_TCP;
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, dst, 4);
	return with_ethernet(p, ETHTYPE_IP, nif);
}

err_t
ip6_output_if(struct pbuf *p, const ip6_addr_t *src, const ip6_addr_t *dst,
    u8_t ttl, u8_t tos, u8_t proto, struct netif *nif)
{
	uint8_t *ip = p->payload = (uint8_t *)p->payload - IP6_HLEN;

	(void)tos;
	put16(ip + 4, p->tot_len);
	p->len += IP6_HLEN;
	p->tot_len += IP6_HLEN;
	ip[0] = 0x60;
	ip[6] = proto;
	ip[7] = ttl;
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, dst, 16);
	return with_ethernet(p, ETHTYPE_IPV6, nif);
}

/* ---------------------------------------------------------------- the card -- */

static int
transmit(void *arg, unsigned queue, struct nic_tx *tx, bool more)
{
	struct packet *k = &sent[nsent];
	unsigned i;

	assert_ptr_equal(arg, &nic);
	assert_int_equal(queue, 0);
	assert_true(more && tx->nruns <= nic.info.tx_runs);
	if (full)
		return -EAGAIN;
	assert_true(nsent < SENT);
	*k = (struct packet){ .tx = tx, .nruns = tx->nruns };
	for (i = 0; i < tx->nruns; i++) {
		assert_true(k->len + tx->run[i].len <= sizeof(k->bytes));
		memcpy(k->bytes + k->len, paddr_kva(tx->run[i].pa),
		    tx->run[i].len);
		k->len += (unsigned)tx->run[i].len;
	}
	nsent++;
	return 0;
}

static const struct nic_ops ops = { .transmit = transmit };

/* Headers say the truth; segment by segment, what the stream has there. */
static void
check_packet(const struct packet *k, uint32_t seq, unsigned payload)
{
	bool ip6 = k->bytes[12] == 0x86;
	const uint8_t *ip = k->bytes + IP_AT, *tcp;
	unsigned ip_len = ip6 ? IP6_HLEN : IP_HLEN, head;

	tcp = ip + ip_len;
	head = IP_AT + ip_len + (tcp[12] >> 4) * 4u;
	assert_int_equal(k->len, head + payload);
	assert_int_equal(get32(tcp + 4), seq);
	assert_memory_equal(k->bytes + head, stream + seq, payload);
	if (ip6) {
		assert_int_equal(get16(ip + 4), k->len - IP_AT - IP6_HLEN);
	} else {
		assert_int_equal(get16(ip + 2), k->len - IP_AT);
		assert_int_equal(inet_chksum(ip, IP_HLEN), 0);
	}
	assert_true(k->tx->csum);
	assert_int_equal(k->tx->csum_start, IP_AT + ip_len);
	if (payload > MSS) {
		assert_int_equal(k->tx->gso, ip6 ? NIC_GSO_TCP6 : NIC_GSO_TCP4);
		assert_int_equal(k->tx->gso_size, MSS);
		assert_int_equal(k->tx->hdr_len, head);
	} else {
		assert_int_equal(k->tx->gso, NIC_GSO_NONE);
	}
}

/* All has left: each page is its owner's alone again. */
static void
all_done(void)
{
	unsigned i;

	for (i = 0; i < nsent; i++)
		sent[i].tx->done(sent[i].tx);
	for (i = 0; i < NPAGES; i++)
		assert_int_equal(VMEMMAP[i].refs, 1);
	nsent = 0;
	full = false;
}

/* --------------------------------------------------------------- the tests -- */

struct sending {
	uint32_t seq;
	unsigned len;
	uint8_t flags;
	bool scattered; /* in pieces of 90 bytes with gaps between them */
};

static uint8_t *scattered; /* where the next piece goes */
static bool in_ram;        /* no piece is in a page that can be held */

static void
add_data(struct pbuf *p, const struct sending *s)
{
	struct pbuf **last = &p->next;
	unsigned done, len;

	for (done = 0; done < s->len; done += len, last = &(*last)->next) {
		len = PAGE_SIZE - ((s->seq + done) & PAGE_MASK);
		if (s->scattered)
			len = 90;
		len = MIN(len, s->len - done);
		*last = calloc(1, sizeof(**last));
		(*last)->payload = stream + s->seq + done;
		if (s->scattered) {
			scattered += done == 0 ? 0 : 10;
			(*last)->payload = memcpy(scattered,
			    stream + s->seq + done, len);
			scattered += len;
		}
		(*last)->len = (u16_t)len;
		(*last)->type_internal = in_ram ? (u8_t)PBUF_RAM : PBUF_ROM;
		(*last)->ref = 1;
	}
	p->tot_len = (u16_t)(p->len + s->len);
}

/* As tcp_output_segment(); what it sent is freed at once. */
static void
send_one(const struct sending *s, bool ip6)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, TCP_HLEN + OPTS, PBUF_RAM);
	uint8_t *tcp = p->payload;
	ip_addr_t src, dst;

	memcpy(ip_2_ip6(&src), way[0], 16);
	memcpy(ip_2_ip6(&dst), way[1], 16);
	src.type = dst.type = ip6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4;
	put16(tcp, 1234);
	put16(tcp + 2, 80);
	put16(tcp + 4, (uint16_t)(s->seq >> 16));
	put16(tcp + 6, (uint16_t)s->seq);
	put16(tcp + 10, (uint16_t)ack);
	tcp[12] = (TCP_HLEN + OPTS) << 2;
	tcp[13] = s->flags;
	memset(tcp + TCP_HLEN, 1, OPTS);
	add_data(p, s);
	assert_int_equal(lwip_hook_tcp_output(p, &src, &dst, 64, 0, &e.nif),
	    ERR_OK);
	pbuf_free(p);
}

static void
send_n(uint32_t seq, unsigned n)
{
	struct sending s = { seq, MSS, TCP_ACK, false };

	for (; n > 0; n--, s.seq += MSS)
		send_one(&s, false);
}

static void
segments_join(void **state)
{
	struct sending s = { 100, MSS, TCP_ACK, false };
	unsigned i, ip6;

	(void)state;
	for (ip6 = 0; ip6 < 2; ip6++) {
		for (i = 0, s.seq = 100; i < 30; i++, s.seq += MSS)
			send_one(&s, ip6 != 0);
		assert_int_equal(nsent, 0);
		flush_pending(&e);
		assert_int_equal(nsent, 1);
		check_packet(&sent[0], 100, 30 * MSS);
		/* One run for what lies together, and each page held. */
		assert_int_equal(sent[0].nruns, 2 + (100 + 30 * MSS) / 4096);
		for (i = 0; i <= (100 + 30 * MSS) / 4096; i++)
			assert_int_equal(VMEMMAP[i].refs, 2);
		all_done();
	}
}

/* Of a connection whose segment was the last: what has no header yet. */
static bool
follows(const struct sending *s, bool ip6, uint16_t port, unsigned from)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, TCP_HLEN + OPTS, PBUF_RAM);
	struct tcp_pcb pcb = { 0 };
	uint8_t *tcp = p->payload;
	bool joined;

	memcpy(ip_2_ip6(&pcb.local_ip), way[from], 16);
	memcpy(ip_2_ip6(&pcb.remote_ip), way[1], 16);
	pcb.local_ip.type = pcb.remote_ip.type = ip6 ? IPADDR_TYPE_V6 :
						       IPADDR_TYPE_V4;
	memset(tcp, 0xee, TCP_HLEN + OPTS);
	put16(tcp, port);
	put16(tcp + 2, 80);
	put16(tcp + 4, (uint16_t)(s->seq >> 16));
	put16(tcp + 6, (uint16_t)s->seq);
	tcp[12] = (TCP_HLEN + OPTS) << 2;
	tcp[13] = s->flags;
	add_data(p, s);
	joined = ethif_tcp_follows(&pcb, p);
	pbuf_free(p);
	return joined;
}

static void
others_need_no_headers(void **state)
{
	struct sending s = { 300, MSS, TCP_ACK, false };
	unsigned i, ip6;

	(void)state;
	assert_false(follows(&s, false, 1234, 0)); /* nothing is there */
	for (ip6 = 0; ip6 < 2; ip6++) {
		s = (struct sending){ 300, MSS, TCP_ACK, false };
		send_one(&s, ip6);
		assert_false(follows(&s, ip6, 1234, 0)); /* once more */
		for (i = 1; i < 20; i++) {
			s.seq += MSS;
			assert_true(follows(&s, ip6, 1234, 0));
		}
		s.seq += MSS;
		assert_false(follows(&s, ip6, 1235, 0));
		assert_false(follows(&s, ip6, 1234, 1));
		assert_false(follows(&s, !ip6, 1234, 0));
		s.flags = TCP_ACK | TCP_FIN;
		assert_false(follows(&s, ip6, 1234, 0));
		s.flags = TCP_ACK | TCP_PSH;
		assert_true(follows(&s, ip6, 1234, 0));
		s.seq += MSS;
		s.flags = TCP_ACK;
		assert_false(follows(&s, ip6, 1234, 0)); /* it is full */
		flush_pending(&e);
		assert_false(follows(&s, ip6, 1234, 0)); /* it has left */
		assert_int_equal(nsent, 1);
		check_packet(&sent[0], 300, 21 * MSS);
		all_done();
	}
	s = (struct sending){ 300, MSS, TCP_ACK, false };
	send_one(&s, false);
	ethif_tx_end(&e);
	s.seq += MSS;
	assert_false(follows(&s, false, 1234, 0));
	all_done();
}

/* What lies in no page, or in too many pieces, leaves no page held. */
static void
others_lie_elsewhere(void **state)
{
	struct sending s = { 300, MSS, TCP_ACK, false };

	(void)state;
	send_one(&s, false);
	s = (struct sending){ 300 + MSS, MSS, TCP_ACK, false };
	e.nic->info.tx_runs = 2;
	s.seq = 300 + MSS;
	assert_true(follows(&s, false, 1234, 0)); /* lies behind it */
	s.seq += MSS;                             /* one more page */
	assert_false(follows(&s, false, 1234, 0));
	e.nic->info.tx_runs = 5;
	assert_true(follows(&s, false, 1234, 0));
	s.seq += MSS;
	s.scattered = true;
	scattered = stream + 40 * PAGE_SIZE + 8;
	assert_false(follows(&s, false, 1234, 0));
	e.nic->info.tx_runs = RUNS;
	s.scattered = false;
	in_ram = true;
	assert_false(follows(&s, false, 1234, 0));
	in_ram = false;
	flush_pending(&e);
	check_packet(&sent[0], 300, 3 * MSS);
	all_done();
}

/* A packet has no more than 16 bits can say. */
static void
packets_have_an_end(void **state)
{
	(void)state;
	send_n(0, 46);
	flush_pending(&e);
	assert_int_equal(nsent, 2);
	check_packet(&sent[0], 0, 45 * MSS);
	check_packet(&sent[1], 45 * MSS, MSS);
	all_done();
}

/* Of each pair the second one does not continue the first. */
static void
others_stay_apart(void **state)
{
	static const struct sending seconds[] = {
		{ 5000 + MSS + 1, MSS, TCP_ACK, false }, /* a gap */
		{ 5000, MSS, TCP_ACK, false },           /* once more */
		{ 5000 - MSS, MSS, TCP_ACK, false },     /* older */
		{ 5000 + MSS, MSS + 1, TCP_ACK, false }, /* larger */
		{ 5000 + MSS, 10, TCP_ACK | TCP_FIN, false },
		{ 5000 + MSS, 0, TCP_ACK, false },
	};
	struct sending first = { 5000, MSS, TCP_ACK, false };
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(seconds); i++) {
		send_one(&first, false);
		send_one(&seconds[i], false);
		flush_pending(&e);
		assert_int_equal(nsent, 2);
		check_packet(&sent[0], 5000, MSS);
		assert_int_equal(get32(sent[1].bytes + IP_AT + IP_HLEN + 4),
		    seconds[i].seq);
		all_done();
	}
}

static void
headers_must_be_alike(void **state)
{
	struct sending s = { 0, MSS, TCP_ACK, false };
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		s.seq = 0;
		send_one(&s, i == 3);
		ack += i == 0;
		way[0][3] ^= i == 1;
		way[1][3] ^= i == 2;
		s.seq = MSS;
		send_one(&s, false);
		flush_pending(&e);
		assert_int_equal(nsent, 2);
		check_packet(&sent[0], 0, MSS);
		check_packet(&sent[1], MSS, MSS);
		all_done();
	}
}

/* What is short, or pushed, is the last one. */
static void
the_last_one(void **state)
{
	struct sending s = { 2 * MSS, MSS, TCP_ACK | TCP_PSH, false };

	(void)state;
	send_n(0, 2);
	send_one(&s, false);
	send_n(3 * MSS, 1);
	s = (struct sending){ 4 * MSS, 7, TCP_ACK, false };
	send_one(&s, false);
	send_n(4 * MSS + 7, 2);
	flush_pending(&e);
	assert_int_equal(nsent, 3);
	check_packet(&sent[0], 0, 3 * MSS);
	assert_int_equal(sent[0].bytes[IP_AT + IP_HLEN + TCP_FLAGS_AT],
	    TCP_ACK | TCP_PSH);
	check_packet(&sent[1], 3 * MSS, MSS + 7);
	check_packet(&sent[2], 4 * MSS + 7, 2 * MSS);
	all_done();
}

/*
 * In more pieces than the card takes: what was held for the try is let go.  The
 * first piece of the last segment lies right behind the one before, and the end
 * of a page is in it.
 */
static void
too_many_pieces(void **state)
{
	struct sending s = { MSS, MSS, TCP_ACK, true };
	unsigned last = (NPAGES / 2 + 1) * PAGE_SIZE - 45;

	(void)state;
	nic.info.tx_runs = NIC_TX_RUNS;
	scattered = stream + last - MSS - MSS / 90 * 10;
	send_n(0, 1);
	send_one(&s, false);
	assert_ptr_equal(scattered, stream + last);
	assert_int_equal(nsent, 0);
	assert_int_equal(VMEMMAP[NPAGES / 2 + 1].refs, 1);
	s.seq += MSS;
	send_one(&s, false);
	assert_int_equal(nsent, 1);
	check_packet(&sent[0], 0, 2 * MSS);
	assert_int_equal(sent[0].nruns, NIC_TX_RUNS - 1);
	flush_pending(&e);
	assert_int_equal(nsent, 2);
	check_packet(&sent[1], 2 * MSS, MSS);
	all_done();
	nic.info.tx_runs = RUNS;
}

/* Numbers of IPv4 are not given twice while segments are put together. */
static void
numbers_differ(void **state)
{
	unsigned i, first[3];

	(void)state;
	for (i = 0; i < 3; i++) {
		send_n(i * 10 * MSS, 10);
		flush_pending(&e);
		first[i] = get16(sent[i].bytes + IP_AT + 4);
	}
	assert_int_equal(first[1], first[0] + 10);
	assert_int_equal(first[2], first[1] + 10);
	all_done();
}

/* The card is full: the packet waits with all that it holds. */
static void
a_full_card(void **state)
{
	(void)state;
	full = true;
	send_n(0, 3);
	flush_pending(&e);
	assert_int_equal(nsent, 0);
	assert_int_equal(VMEMMAP[0].refs, 2);
	full = false;
	ethif_backlog(&e);
	assert_int_equal(nsent, 1);
	check_packet(&sent[0], 0, 3 * MSS);
	all_done();
}

/* More of TCP waits than of what nobody would send again. */
static void
a_long_wait(void **state)
{
	uint8_t frame[60] = { 0 };
	unsigned i;

	(void)state;
	full = true;
	lwip_tcp_window = 512 * 1024;
	for (i = 0; i < 1100; i++) {
		send_n(0, 1);
		flush_pending(&e);
	}
	assert_int_equal(e.nbacklog, 1024);
	assert_int_equal(ethif_send_frame(&e.nif, frame, sizeof(frame)), 0);
	assert_int_equal(e.nbacklog, 1024);
	assert_int_equal(nic.stats.tx_dropped, 1100 - 1024 + 1);
	ethif_tx_end(&e);
	e.nbacklog = 0;
	all_done();
}

/* The peer may have all before the card has read a second copy. */
static void
pages_are_held_without_sums_too(void **state)
{
	struct sending s = { 100, MSS, TCP_ACK, false };

	(void)state;
	nic.info.tx_csum = false;
	send_one(&s, false);
	s.seq = PAGE_SIZE - 10;
	send_one(&s, true);
	nic.info.tx_csum = true;
	assert_int_equal(nsent, 2);
	assert_int_equal(VMEMMAP[0].refs, 3);
	assert_int_equal(VMEMMAP[1].refs, 2);
	assert_int_equal(VMEMMAP[2].refs, 1);
	all_done();
}

/* The card goes: what grew and what waited is let go. */
static void
the_card_goes(void **state)
{
	(void)state;
	full = true;
	send_n(0, 3);
	flush_pending(&e);
	send_n(3 * MSS, 3);
	ethif_tx_end(&e);
	assert_int_equal(nsent, 0);
	all_done();
}

static int
prepare(void **state)
{
	void *pages = mmap(VMEMMAP, PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	unsigned i;

	(void)state;
	stream = mmap(paddr_kva(0), NPAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (pages != VMEMMAP || stream != paddr_kva(0))
		return -1;
	for (i = 0; i < NPAGES; i++)
		VMEMMAP[i].refs = 1;
	for (i = 0; i < NPAGES * PAGE_SIZE; i++)
		stream[i] = (uint8_t)(i * 7 + i / 251);
	nic.ops = &ops;
	nic.arg = &nic;
	nic.info = (struct nic_info){ .nqueues = 1,
		.tx_runs = RUNS,
		.tx_csum = true,
		.tso4 = true,
		.tso6 = true };
	e.nic = &nic;
	e.nif.state = &e;
	e.nif.linkoutput = ethif_linkoutput;
	e.nif.flags = NETIF_FLAG_UP;
	e.nif.mtu = 1500;
	TAILQ_INIT(&e.backlog);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_join),
		cmocka_unit_test(others_need_no_headers),
		cmocka_unit_test(others_lie_elsewhere),
		cmocka_unit_test(packets_have_an_end),
		cmocka_unit_test(others_stay_apart),
		cmocka_unit_test(headers_must_be_alike),
		cmocka_unit_test(the_last_one),
		cmocka_unit_test(too_many_pieces),
		cmocka_unit_test(numbers_differ),
		cmocka_unit_test(a_full_card),
		cmocka_unit_test(a_long_wait),
		cmocka_unit_test(pages_are_held_without_sums_too),
		cmocka_unit_test(the_card_goes),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
