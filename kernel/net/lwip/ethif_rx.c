/* SPDX-License-Identifier: ISC */
/*
 * ethif_rx.c - packets that come: from a card's buffers to lwIP's, without a
 * copy but for the small ones, whose buffers would hold far more memory than
 * they have bytes.
 */
#include "net/lwip/ethif_impl.h"
#include "kern/page.h"
#include "kern/string.h"
#include <lwip/ip4.h>
#include <lwip/ip6.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ethernet.h>
#include <netif/ethernet.h>

#define BATCH     32u
#define COPY_MAX  256u /* bytes of a packet that is copied */
#define SHOW_RUNS 48u

_Static_assert(sizeof(struct pbuf_custom) <=
	sizeof(((struct nic_buf *)0)->room),
    "a pbuf lies beside the data");

static void
free_buf(struct pbuf *p)
{
	nic_buf_free(container_of((void *)p, struct nic_buf, room));
}

/* One pbuf for a buffer that holds bytes. */
static struct pbuf *
wrap(struct nic_buf *b)
{
	struct pbuf_custom *c = (struct pbuf_custom *)b->room;

	c->custom_free_function = free_buf;
	return pbuf_alloced_custom(PBUF_RAW, (u16_t)b->len, PBUF_REF, c,
	    b->data, (u16_t)b->len);
}

/* The packet behind its Ethernet header; at most 65535 bytes. */
static struct pbuf *
chain(struct nic_buf *b, uint32_t len)
{
	struct pbuf *head = NULL, *tail = NULL, *p;
	struct nic_buf *next;

	for (; b != NULL; b = next) {
		next = b->next;
		p = wrap(b);
		p->tot_len = (u16_t)len;
		len -= p->len;
		if (tail == NULL)
			head = p;
		else
			tail->next = p;
		tail = p;
	}
	return head;
}

static struct pbuf *
copy(struct nic_buf *b, uint32_t len)
{
	struct pbuf *p = pbuf_alloc(PBUF_LINK, (u16_t)len, PBUF_RAM);
	uint8_t *at = p == NULL ? NULL : p->payload;
	const struct nic_buf *i;

	for (i = b; at != NULL && i != NULL; i = i->next) {
		memcpy(at, i->data, i->len);
		at += i->len;
	}
	nic_buf_free_all(b);
	return p;
}

static void
show(struct ethif *e, const struct nic_rx *rx)
{
	struct dma_run run[SHOW_RUNS];
	struct ethif_frame f = { .run = run };
	const struct nic_buf *b;

	for (b = rx->buf; b != NULL && f.nruns < SHOW_RUNS; b = b->next) {
		run[f.nruns++] = (struct dma_run){ kva_paddr(b->data), b->len };
		f.len += b->len;
	}
	ethif_show(&e->nif, &f);
}

/* Whom it is for: another station's comes only when somebody looks on. */
static bool
is_ours(struct ethif *e, const struct eth_hdr *h)
{
	return (h->dest.addr[0] & 1) != 0 ||
	    memcmp(h->dest.addr, e->nif.hwaddr, NIC_MAC_LEN) == 0;
}

static u8_t
cast_flags(const struct eth_hdr *h)
{
	if ((h->dest.addr[0] & 1) == 0)
		return 0;
	return eth_addr_cmp(&h->dest, &ethbroadcast) ? PBUF_FLAG_LLBCAST :
						       PBUF_FLAG_LLMCAST;
}

static void
give(struct ethif *e, struct pbuf *p, uint16_t type)
{
	switch (type) {
	case PP_HTONS(ETHTYPE_IP): (void)ip4_input(p, &e->nif); break;
	case PP_HTONS(ETHTYPE_ARP): ethif_arp_input(&e->nif, p); break;
	case PP_HTONS(ETHTYPE_IPV6): (void)ip6_input(p, &e->nif); break;
	default: pbuf_free(p);
	}
}

/* Takes the packet over. */
static void
input(struct ethif *e, struct nic_rx *rx)
{
	struct nic_stats *st = &e->nic->stats;
	const struct eth_hdr *h = (const void *)rx->buf->data;
	u16_t sums = e->nif.chksum_flags, type = h->type;
	u8_t flags = cast_flags(h);
	struct pbuf *p;

	st->rx_packets++;
	st->rx_bytes += rx->len;
	st->multicast += flags == PBUF_FLAG_LLMCAST;
	if (ethif_watched())
		show(e, rx);
	if (!is_ours(e, h) || !netif_is_up(&e->nif)) {
		nic_buf_free_all(rx->buf);
		return;
	}
	rx->buf->data += NIC_HEAD;
	rx->buf->len -= NIC_HEAD;
	rx->len -= NIC_HEAD;
	p = rx->len <= COPY_MAX ? copy(rx->buf, rx->len) :
				  chain(rx->buf, rx->len);
	if (p == NULL) {
		st->rx_dropped++;
		return;
	}
	p->if_idx = netif_get_index(&e->nif);
	p->flags |= flags;
	if (rx->csum != NIC_CSUM_UNKNOWN)
		e->nif.chksum_flags &= ~(
		    NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
	give(e, p, type);
	e->nif.chksum_flags = sums;
}

bool
ethif_receive(struct ethif *e, unsigned queue)
{
	struct nic_rx rx[BATCH];
	unsigned n = e->nic->ops->receive(e->nic->arg, queue, rx, BATCH), i;

	for (i = 0; i < n; i++) {
		if (rx[i].buf->len <= NIC_HEAD ||
		    rx[i].len - NIC_HEAD > UINT16_MAX) {
			e->nic->stats.rx_errors++;
			nic_buf_free_all(rx[i].buf);
			continue;
		}
		input(e, &rx[i]);
	}
	return n == BATCH;
}
