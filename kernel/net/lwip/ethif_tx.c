/* SPDX-License-Identifier: ISC */
/*
 * ethif_tx.c - packets that leave.
 *
 * Nothing of a packet is copied but the headers of TCP.  The data of TCP lies
 * in pages (net/inet_send.c), each of which is held until the card has read
 * it; so lwIP may free or send a segment again at any time.  Of any other
 * packet the pbuf is held.
 *
 * Segments of one connection that follow one another while the network lock is
 * held are put together to one packet, which the card (or the host) cuts up
 * again: what lwIP hands out one by one costs one descriptor chain.  lwIP's TCP
 * asks here before its IP makes headers: who joins a packet needs none.
 */
#include "net/lwip/ethif_impl.h"
#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/string.h"
#include "x86/cpu.h"
#include "net/inet_pmtu.h"
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <lwip/stats.h>
#include <lwip/tcp.h>
#include <linux/errno.h>

#define RUNS        40u
#define HEADS_MAX   160u /* Ethernet's, IPv6's, TCP's with options: 134 */
#define PACKET_MAX  65535u
#define BACKLOG_MAX 1000u /* txqueuelen */

struct ethif_tx {
	struct nic_tx tx;
	struct ethif *e;
	TAILQ_ENTRY(ethif_tx) link;
	struct pbuf *p; /* held; NULL: pages are */
	uint64_t rom;   /* with p: runs whose pages are held, too; a bit each */
	struct dma_run run[RUNS];
	/* TCP only: */
	uint8_t *tcp;      /* in head */
	uint32_t next_seq; /* that a further segment must have */
	uint32_t payload;  /* bytes */
	uint16_t last;     /* bytes of the last segment */
	uint16_t head_len; /* 0: not TCP, run[0] is the packet's own */
	bool ip6, full;    /* full: nothing can be added */
	uint8_t head[HEADS_MAX];
};

static struct objcache txs = OBJCACHE_INIT("ethif_tx", sizeof(struct ethif_tx));
bool ethif_dirty;
static struct ethif *growing; /* [n] has the last packet of TCP */
static TAILQ_HEAD(, ethif_tap) taps = TAILQ_HEAD_INITIALIZER(taps); /* [n] */

/* --------------------------------------------------------- who looks on -- */

void
ethif_tap_add(struct ethif_tap *tap)
{
	TAILQ_INSERT_TAIL(&taps, tap, link);
}

void
ethif_tap_remove(struct ethif_tap *tap)
{
	TAILQ_REMOVE(&taps, tap, link);
}

bool
ethif_watched(void)
{
	return !TAILQ_EMPTY(&taps);
}

void
ethif_show(struct netif *nif, const struct ethif_frame *f)
{
	struct ethif_tap *tap, *next;

	TAILQ_FOREACH_SAFE (tap, &taps, link, next)
		tap->frame(tap, nif, f);
}

/* ------------------------------------------------------- what is held, sent -- */

static void
each_page(const struct dma_run *r, bool get)
{
	paddr_t pa = r->pa & ~PAGE_MASK;

	for (; pa < r->pa + r->len; pa += PAGE_SIZE) {
		if (get)
			page_get(page_of_paddr(pa));
		else
			page_put(page_of_paddr(pa));
	}
}

static void
let_go(struct ethif_tx *t)
{
	unsigned i;

	for (i = 1; t->head_len != 0 && t->p == NULL && i < t->tx.nruns; i++)
		each_page(&t->run[i], false);
	for (i = 0; t->rom >> i != 0; i++)
		if ((t->rom >> i & 1) != 0)
			each_page(&t->run[i], false);
	if (t->p != NULL)
		pbuf_free(t->p);
	objcache_free(&txs, t);
}

static void
tx_done(struct nic_tx *tx)
{
	let_go(container_of(tx, struct ethif_tx, tx));
}

/* The pages of a run behind that of its byte number len. */
static void
pages_behind(const struct dma_run *r, uint64_t len, bool get)
{
	paddr_t next = ((r->pa + len - 1) | PAGE_MASK) + 1;

	if (r->pa + r->len > next)
		each_page(&(struct dma_run){ next, r->pa + r->len - next },
		    get);
}

/*
 * What begins in the page in which a run of pages ends, right behind it, is
 * one run with it.
 */
static bool
lengthen(struct dma_run *r, paddr_t pa, unsigned len)
{
	uint64_t was = r->len;

	if ((pa & PAGE_MASK) == 0 || r->pa + was != pa)
		return false;
	r->len += len;
	pages_behind(r, was, true);
	return true;
}

/* Back to t->tx.nruns runs, of which the last had len bytes. */
static void
take_back(struct ethif_tx *t, unsigned n, uint64_t len)
{
	while (n > t->tx.nruns)
		each_page(&t->run[--n], false);
	if (n > 1) {
		pages_behind(&t->run[n - 1], len, false);
		t->run[n - 1].len = len;
	}
}

static unsigned
runs_max(const struct ethif_tx *t)
{
	return MIN(RUNS, t->e->nic->info.tx_runs);
}

/* Adds what lies behind the first `skip` bytes; false: too many pieces. */
static bool
add_runs(struct ethif_tx *t, const struct pbuf *p, unsigned skip)
{
	unsigned n = t->tx.nruns, max = runs_max(t), len;
	const uint8_t *at;

	for (; p != NULL; p = p->next) {
		len = p->len > skip ? p->len - skip : 0;
		at = (const uint8_t *)p->payload + (p->len - len);
		skip -= p->len - len;
		if (len == 0)
			continue;
		if (n == max)
			return false;
		t->run[n++] = (struct dma_run){ kva_paddr(at), len };
	}
	t->tx.nruns = n;
	return true;
}

/*
 * Adds data of TCP behind the headers, which are run 0, and holds its pages;
 * false: too many pieces, or some are in no pages.
 */
static bool
add_pages(struct ethif_tx *t, const struct pbuf *p)
{
	unsigned n = t->tx.nruns;
	struct dma_run *last = &t->run[n - 1];
	uint64_t was = last->len;
	paddr_t pa;

	for (; p != NULL; p = p->next) {
		if (p->len == 0)
			continue;
		if (p->type_internal != PBUF_ROM)
			break;
		pa = kva_paddr(p->payload);
		if (n > 1 && lengthen(last, pa, p->len))
			continue;
		if (n == runs_max(t))
			break;
		last = &t->run[n++];
		*last = (struct dma_run){ pa, p->len };
		each_page(last, true);
	}
	if (p != NULL)
		take_back(t, n, was);
	else
		t->tx.nruns = n;
	return p == NULL;
}

static struct ethif_tx *
tx_alloc(struct ethif *e)
{
	struct ethif_tx *t = objcache_alloc(&txs);

	if (t == NULL)
		return NULL;
	memset(t, 0, offsetof(struct ethif_tx, run));
	t->tx.run = t->run;
	t->tx.done = tx_done;
	t->e = e;
	t->head_len = 0;
	return t;
}

static void
count(struct ethif *e, const struct ethif_tx *t)
{
	struct ethif_frame f = { .run = t->run,
		.nruns = t->tx.nruns,
		.out = true };
	unsigned i;

	for (i = 0; i < t->tx.nruns; i++)
		f.len += t->run[i].len;
	e->nic->stats.tx_packets++;
	e->nic->stats.tx_bytes += f.len;
	if (ethif_watched())
		ethif_show(&e->nif, &f);
}

static unsigned
queue_of(const struct ethif *e)
{
	return cpu_id() % e->nic->info.nqueues;
}

/*
 * How many packets may wait for the card.  TCP's windows bound what it has
 * there, and it would only send again what is dropped.
 */
static unsigned
backlog_max(const struct ethif_tx *t)
{
	return t->head_len == 0 ? BACKLOG_MAX :
				  MAX(BACKLOG_MAX, lwip_tcp_window >> 9);
}

/* To the card, or behind what waits for it. */
static void
submit(struct ethif *e, struct ethif_tx *t)
{
	int error = -EAGAIN;

	count(e, t);
	if (TAILQ_EMPTY(&e->backlog))
		error = e->nic->ops->transmit(e->nic->arg, queue_of(e), &t->tx,
		    true);
	if (error == 0) {
		e->kick = true;
		ethif_dirty = true;
	} else if (error == -EAGAIN && e->nbacklog < backlog_max(t)) {
		TAILQ_INSERT_TAIL(&e->backlog, t, link);
		e->nbacklog++;
	} else {
		e->nic->stats.tx_dropped++;
		let_go(t);
	}
}

void
ethif_backlog(struct ethif *e)
{
	struct ethif_tx *t;
	int error = 0;

	while (error == 0 && (t = TAILQ_FIRST(&e->backlog)) != NULL) {
		error = e->nic->ops->transmit(e->nic->arg, queue_of(e), &t->tx,
		    true);
		if (error == -EAGAIN)
			break;
		TAILQ_REMOVE(&e->backlog, t, link);
		e->nbacklog--;
		if (error != 0)
			let_go(t);
		else
			e->kick = ethif_dirty = true;
	}
}

void
ethif_tx_end(struct ethif *e)
{
	struct ethif_tx *t;

	if (growing == e)
		growing = NULL;
	if (e->pending != NULL)
		let_go(e->pending);
	e->pending = NULL;
	while ((t = TAILQ_FIRST(&e->backlog)) != NULL) {
		TAILQ_REMOVE(&e->backlog, t, link);
		let_go(t);
	}
}

/* --------------------------------------------------------------------- TCP -- */

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

#define IP_AT        SIZEOF_ETH_HDR
#define TCP_FLAGS_AT 13

/* Where TCP's header begins in a frame; 0: it is not TCP, or a fragment. */
static unsigned
find_tcp(const struct pbuf *p, bool *ip6)
{
	const uint8_t *f = p->payload, *ip = f + IP_AT;
	unsigned at;

	if (p->len < IP_AT + IP_HLEN + TCP_HLEN)
		return 0;
	*ip6 = get16(f + 12) == ETHTYPE_IPV6;
	if (*ip6) {
		at = IP_AT + IP6_HLEN;
		if (p->len < at + TCP_HLEN || ip[6] != IP6_NEXTH_TCP)
			return 0;
	} else {
		at = IP_AT + (ip[0] & 0xf) * 4u;
		if (get16(f + 12) != ETHTYPE_IP || ip[9] != IP_PROTO_TCP ||
		    (get16(ip + 6) & 0x3fff) != 0 || p->len < at + TCP_HLEN)
			return 0;
	}
	return at;
}

/* The pseudo header's sum, which the card goes on from. */
static uint16_t
pseudo_sum(const struct ethif_tx *t, unsigned len)
{
	const uint8_t *ip = t->head + IP_AT;
	uint32_t sum = IP_PROTO_TCP + len;
	unsigned i, n = t->ip6 ? 32 : 8;

	for (i = 0, ip += t->ip6 ? 8 : 12; i < n; i += 2)
		sum += get16(ip + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/*
 * The numbers of a packet's segments, of which the first is the headers': lwIP
 * counts one for the whole.
 */
static uint16_t
take_numbers(struct ethif_tx *t)
{
	uint16_t first = t->e->gso_id;

	t->e->gso_id += (uint16_t)((t->payload + t->tx.gso_size - 1) /
	    t->tx.gso_size);
	return first;
}

/* The headers say how long the whole is. */
static void
finish_tcp(struct ethif_tx *t)
{
	uint8_t *ip = t->head + IP_AT;
	unsigned ip_len = (unsigned)(t->tcp - ip);
	unsigned tcp_len = t->head_len - IP_AT - ip_len + t->payload;
	bool gso = t->tx.gso_size != 0 && t->payload > t->tx.gso_size;
	uint16_t sum;

	if (t->ip6) {
		put16(ip + 4, (uint16_t)tcp_len);
	} else {
		if (gso)
			put16(ip + 4, take_numbers(t));
		put16(ip + 2, (uint16_t)(ip_len + tcp_len));
		put16(ip + 10, 0);
		sum = inet_chksum(ip, (u16_t)ip_len);
		memcpy(ip + 10, &sum, sizeof(sum));
	}
	put16(t->tcp + 16, pseudo_sum(t, tcp_len));
	t->tx.csum = true;
	t->tx.csum_start = (uint16_t)(t->tcp - t->head);
	t->tx.csum_offset = 16;
	if (gso) {
		t->tx.gso = t->ip6 ? NIC_GSO_TCP6 : NIC_GSO_TCP4;
		t->tx.hdr_len = t->head_len;
	}
}

static void
flush_pending(struct ethif *e)
{
	struct ethif_tx *t = e->pending;

	e->pending = NULL;
	if (t != NULL) {
		finish_tcp(t);
		submit(e, t);
	}
}

/* Whether all data of the segment lies in pages that can be held. */
static bool
is_in_pages(const struct pbuf *p, unsigned head)
{
	if (p->len != head)
		return false;
	for (p = p->next; p != NULL; p = p->next)
		if (p->type_internal != PBUF_ROM && p->len > 0)
			return false;
	return true;
}

/*
 * A segment that stands alone so far.  Copies the headers; data that is not in
 * pages (a probe, a segment that waited for a neighbour) stays in the pbuf.
 */
static struct ethif_tx *
begin_tcp(struct ethif *e, struct pbuf *p, unsigned at, bool ip6)
{
	const uint8_t *f = p->payload;
	unsigned head = at + (f[at + 12] >> 4) * 4u;
	const struct nic_info *info = &e->nic->info;
	struct ethif_tx *t;

	if (head > HEADS_MAX || head > p->len || (t = tx_alloc(e)) == NULL)
		return NULL;
	memcpy(t->head, f, head);
	t->head_len = (uint16_t)head;
	t->tcp = t->head + at;
	t->ip6 = ip6;
	t->run[0] = (struct dma_run){ kva_paddr(t->head), head };
	t->tx.nruns = 1;
	t->last = (uint16_t)(p->tot_len - head);
	t->payload = t->last;
	if (!is_in_pages(p, head)) {
		pbuf_ref(p);
		t->p = p;
	}
	if (!(t->p == NULL ? add_pages(t, p->next) : add_runs(t, p, head))) {
		let_go(t);
		return NULL;
	}
	t->tx.gso_size = (ip6 ? info->tso6 : info->tso4) ? t->last : 0;
	t->next_seq = get32(f + at + 4) + t->last;
	/* SYN, FIN, RST and URG go alone; PSH ends. */
	t->full = t->last == 0 || t->tx.gso_size == 0 || t->p != NULL ||
	    f[at + TCP_FLAGS_AT] != TCP_ACK;
	return t;
}

static bool
alike4(const uint8_t *a, const uint8_t *b)
{
	uint32_t v, w;

	__builtin_memcpy(&v, a, sizeof(v));
	__builtin_memcpy(&w, b, sizeof(w));
	return v == w;
}

/* TOS and TTL are one connection's. */
static bool
alike_ip(const struct ethif_tx *t, const ip_addr_t *src, const ip_addr_t *dst)
{
	const uint8_t *ip = t->head + IP_AT;
	unsigned i;

	if (IP_IS_V6(dst) != t->ip6)
		return false;
	if (!t->ip6)
		return alike4(ip + 12, (const uint8_t *)ip_2_ip4(src)) &&
		    alike4(ip + 16, (const uint8_t *)ip_2_ip4(dst));
	for (i = 0; i < 16; i += 4)
		if (!alike4(ip + 8 + i, (const uint8_t *)ip_2_ip6(src) + i) ||
		    !alike4(ip + 24 + i, (const uint8_t *)ip_2_ip6(dst) + i))
			return false;
	return true;
}

/*
 * Whether TCP's header is alike but for what counts on: ports; what is
 * acknowledged; length, flags and window; what must be urgent; options.  Sums
 * are made later.
 */
static bool
alike_tcp(const uint8_t *a, const uint8_t *b, unsigned head)
{
	unsigned i;

	if (!alike4(a, b) || !alike4(a + 8, b + 8) || a[12] != b[12] ||
	    get16(a + 14) != get16(b + 14) || get16(a + 18) != get16(b + 18))
		return false;
	for (i = TCP_HLEN; i < head; i += 4)
		if (!alike4(a + i, b + i))
			return false;
	return true;
}

/* Whether `len` bytes of a segment may follow. */
static bool
fits(const struct ethif_tx *t, const uint8_t *tcp, unsigned len)
{
	uint8_t flags = tcp[TCP_FLAGS_AT];

	return len != 0 && len <= t->tx.gso_size && t->last == t->tx.gso_size &&
	    t->payload + len + t->head_len <= PACKET_MAX &&
	    get32(tcp + 4) == t->next_seq &&
	    (flags == TCP_ACK || flags == (TCP_ACK | TCP_PSH));
}

static void
appended(struct ethif_tx *t, uint8_t flags, unsigned len)
{
	t->payload += len;
	t->last = (uint16_t)len;
	t->next_seq += len;
	t->tcp[TCP_FLAGS_AT] |= flags;
	t->full = len < t->tx.gso_size || (flags & TCP_PSH) != 0;
}

/* p begins with TCP's header. */
static bool
append_tcp(struct ethif_tx *t, const struct pbuf *p, const ip_addr_t *src,
    const ip_addr_t *dst)
{
	const uint8_t *tcp = p->payload;
	unsigned head = p->len, len = p->tot_len - head;

	if (t->full || head < TCP_HLEN || head != (tcp[12] >> 4) * 4u ||
	    !fits(t, tcp, len) || !alike_tcp(tcp, t->tcp, head) ||
	    !alike_ip(t, src, dst) || !add_pages(t, p->next))
		return false;
	appended(t, tcp[TCP_FLAGS_AT], len);
	return true;
}

bool
ethif_tcp_follows(const struct tcp_pcb *pcb, const struct pbuf *p)
{
	struct ethif_tx *t = growing == NULL ? NULL : growing->pending;
	const uint8_t *tcp = p->payload;
	unsigned len = p->tot_len - p->len;

	if (t == NULL || t->full || p->len != (t->tcp[12] >> 4) * 4u ||
	    tcp[12] != t->tcp[12] || !alike4(tcp, t->tcp) ||
	    !fits(t, tcp, len) ||
	    !alike_ip(t, &pcb->local_ip, &pcb->remote_ip) ||
	    !add_pages(t, p->next))
		return false;
	appended(t, tcp[TCP_FLAGS_AT], len);
	lwip_port_stats.tcp_out++;
	return true;
}

/* Also: the next hop, which was looked up under the same lock. */
err_t
lwip_hook_tcp_output(struct pbuf *p, const ip_addr_t *src, const ip_addr_t *dst,
    u8_t ttl, u8_t tos, struct netif *nif)
{
	struct ethif *e = nif->state;

	lwip_port_stats.tcp_out++;
	if (nif->linkoutput == ethif_linkoutput && e->pending != NULL &&
	    append_tcp(e->pending, p, src, dst)) {
		growing = e;
		return ERR_OK;
	}
	if (!IP_IS_V6(dst))
		return inet_pmtu_output_tcp(p, ip_2_ip4(src), ip_2_ip4(dst),
		    ttl, tos, nif);
	return ip_output_if(p, src, dst, ttl, tos, IP_PROTO_TCP, nif);
}

static err_t
output_tcp(struct ethif *e, struct pbuf *p, unsigned at, bool ip6)
{
	struct ethif_tx *t;

	flush_pending(e);
	t = begin_tcp(e, p, at, ip6);
	if (t == NULL) {
		e->nic->stats.tx_dropped++;
		return ERR_MEM;
	}
	e->pending = t;
	growing = e;
	ethif_dirty = true;
	if (t->full)
		flush_pending(e);
	return ERR_OK;
}

/* -------------------------------------------------------------- all others -- */

/* In more pieces than the card takes: one copy. */
static struct pbuf *
flatten(struct pbuf *p)
{
	struct pbuf *q = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);

	if (q != NULL)
		(void)pbuf_copy(q, p);
	return q;
}

/*
 * What a pbuf only points to is TCP's: the peer may acknowledge one copy while
 * the card has not read another, and the pages would be gone.
 */
static void
hold_rom(struct ethif_tx *t, const struct pbuf *p)
{
	unsigned i = 0;

	for (; p != NULL && i < t->tx.nruns; p = p->next) {
		if (p->len == 0)
			continue;
		if (p->type_internal == PBUF_ROM) {
			each_page(&t->run[i], true);
			t->rom |= 1ull << i;
		}
		i++;
	}
}

static err_t
output_other(struct ethif *e, struct pbuf *p)
{
	struct ethif_tx *t = tx_alloc(e);

	if (t == NULL)
		goto dropped;
	pbuf_ref(p);
	t->p = p;
	if (!add_runs(t, p, 0)) {
		t->p = flatten(p);
		pbuf_free(p);
		if (t->p == NULL || !add_runs(t, t->p, 0)) {
			let_go(t);
			goto dropped;
		}
	}
	hold_rom(t, t->p);
	submit(e, t);
	return ERR_OK;
dropped:
	e->nic->stats.tx_dropped++;
	return ERR_MEM;
}

err_t
ethif_linkoutput(struct netif *nif, struct pbuf *p)
{
	struct ethif *e = nif->state;
	bool ip6 = false;
	unsigned at = e->nic->info.tx_csum ? find_tcp(p, &ip6) : 0;

	if (at != 0)
		return output_tcp(e, p, at, ip6);
	flush_pending(e);
	return output_other(e, p);
}

void
ethif_flush(struct ethif *e)
{
	unsigned i;

	flush_pending(e);
	if (!e->kick)
		return;
	e->kick = false;
	for (i = 0; i < e->nic->info.nqueues; i++)
		e->nic->ops->kick(e->nic->arg, i);
}

int
ethif_send_frame(struct netif *nif, const void *frame, unsigned len)
{
	struct pbuf *p;
	err_t err;

	if (nif->linkoutput != ethif_linkoutput || !netif_is_up(nif))
		return -ENETDOWN;
	if (len < NIC_HEAD || len > NIC_HEAD + nif->mtu + 4u)
		return -EMSGSIZE;
	p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
	if (p == NULL)
		return -ENOMEM;
	memcpy(p->payload, frame, len);
	flush_pending(nif->state);
	err = output_other(nif->state, p);
	pbuf_free(p);
	return err == ERR_OK ? 0 : -ENOBUFS;
}
