/* SPDX-License-Identifier: ISC */
/*
 * vtnet_rx.c - virtio network cards: packets that come.  Virtio 1.2, 5.1.6.3.
 * Buffers are posted, come back filled, and are handed up; a packet may lie in
 * several.
 */
#include "dev/virtio/vtnet.h"
#include "bus/device.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

#define MERGE_MAX 40u /* buffers of one packet: more than 64 KiB */
#define POST_MIN  18u /* for the largest packet: else devices wait for more */
#define DATA_MAX  (NIC_MTU_MAX + NIC_HEAD)

static void
lied(struct vtnet_softc *sc, const char *how, uint32_t value)
{
	__atomic_add_fetch(&sc->nic->stats.rx_errors, 1, __ATOMIC_RELAXED);
	if (!__atomic_exchange_n(&sc->lied, true, __ATOMIC_RELAXED))
		log_warn("%s: %s (%u), packet dropped",
		    device_name(sc->vd->dev), how, value);
}

/* ---------------------------------------------------- receive: posting -- */

/* Without merging, a header has its own descriptor (5.1.6.3.1). */
static int
push_rx(struct vtnet_rxq *q, struct vtnet_rx_slot *s)
{
	const struct vtnet_softc *sc = q->sc;
	struct dma_seg seg[2] = { s->map->seg[0] };

	if (sc->merge)
		return virtqueue_push(q->vq, seg, 0, 1, s);
	seg[1].addr = seg[0].addr + sc->hdr_len;
	seg[1].len = seg[0].len - sc->hdr_len;
	seg[0].len = sc->hdr_len;
	return virtqueue_push(q->vq, seg, 0, 2, s);
}

/* Takes the buffer over. */
static int
post_one_locked(struct vtnet_rxq *q, struct nic_buf *b)
{
	struct vtnet_rx_slot *s = &q->slot[q->free];
	int error = dma_map_load(s->map, b->mem, NIC_BUF_SIZE, DMA_FROM_DEVICE);

	s->buf = b;
	if (error == 0) {
		dma_map_sync(s->map, DMA_SYNC_FOR_DEVICE);
		error = push_rx(q, s);
	}
	if (error == 0) {
		q->free = s->next;
		return 0;
	}
	dma_map_unload(s->map);
	nic_buf_free(b);
	s->buf = NULL;
	return error;
}

/* Fills the ring; what cannot be had is asked for again next time. */
static int
post_locked(struct vtnet_rxq *q)
{
	struct nic_buf *b;
	int error = 0;

	while (error == 0 && q->free < q->nslot) {
		b = nic_buf_alloc();
		error = b == NULL ? -ENOMEM : post_one_locked(q, b);
	}
	if (error == -ENOMEM)
		__atomic_add_fetch(&q->sc->nic->stats.rx_missed, 1,
		    __ATOMIC_RELAXED);
	return error;
}

static bool
is_starved_locked(const struct vtnet_rxq *q)
{
	unsigned want = q->sc->merge ? POST_MIN : 1;

	return virtqueue_outstanding(q->vq) < MIN(want, q->nslot);
}

/*
 * There is no memory: a device without buffers has nothing to say, and would be
 * asked nothing again.  So the newest packets are dropped for their buffers.
 * How many are left.
 */
static unsigned
post_again_locked(struct vtnet_rxq *q, struct nic_rx *rx, unsigned n)
{
	struct nic_buf *b, *next;
	int error = 0;

	while (error == 0 && n > 0 && is_starved_locked(q)) {
		for (b = rx[--n].buf; b != NULL; b = next) {
			next = b->next;
			b->next = NULL;
			if (error == 0)
				error = post_one_locked(q, b);
			else
				nic_buf_free(b);
		}
		__atomic_add_fetch(&q->sc->nic->stats.rx_dropped, 1,
		    __ATOMIC_RELAXED);
	}
	return n;
}

/* The buffer of a slot that was answered or taken back. */
static struct nic_buf *
take_buf(struct vtnet_rxq *q, struct vtnet_rx_slot *s)
{
	struct nic_buf *b = s->buf;

	dma_map_sync(s->map, DMA_SYNC_FOR_CPU);
	dma_map_unload(s->map);
	s->buf = NULL;
	s->next = q->free;
	q->free = s - q->slot;
	return b;
}

/* ---------------------------------------------------- receive: packets -- */

static enum nic_gso
gso_of(uint8_t type)
{
	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4: return NIC_GSO_TCP4;
	case VIRTIO_NET_HDR_GSO_TCPV6: return NIC_GSO_TCP6;
	default: return NIC_GSO_NONE;
	}
}

/* What the header says, as far as it was agreed on; false: nonsense. */
static bool
read_head(struct vtnet_rxq *q, const vtnet_hdr *h)
{
	struct nic_rx *rx = &q->part;

	if (!q->sc->rx_csum)
		return h->hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE;
	if ((h->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
		rx->csum = NIC_CSUM_PARTIAL;
		rx->csum_start = h->hdr.csum_start;
		rx->csum_offset = h->hdr.csum_offset;
	} else if ((h->hdr.flags & VIRTIO_NET_HDR_F_DATA_VALID) != 0) {
		rx->csum = NIC_CSUM_GOOD;
	}
	if (h->hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	rx->gso = gso_of(h->hdr.gso_type);
	rx->gso_size = h->hdr.gso_size;
	return rx->gso != NIC_GSO_NONE && rx->gso_size != 0;
}

/* The first buffer of a packet: how many there are of it. */
static void
begin_packet(struct vtnet_rxq *q, struct nic_buf *b, uint32_t len)
{
	struct vtnet_softc *sc = q->sc;
	vtnet_hdr h = { .num_buffers = 1 };

	memset(&q->part, 0, sizeof(q->part));
	memcpy(&h, b->mem, sc->hdr_len);
	if (!sc->merge)
		h.num_buffers = 1;
	q->want = h.num_buffers;
	q->bad = false;
	if (q->want == 0 || q->want > MERGE_MAX) {
		lied(sc, "a packet of so many buffers", q->want);
		q->want = 1;
		q->bad = true;
	}
	if (len <= sc->hdr_len) {
		lied(sc, "a packet shorter than its header", len);
		q->bad = true;
		len = sc->hdr_len;
	} else if (!q->bad && !read_head(q, &h)) {
		lied(sc, "an offload that was not agreed on", h.hdr.gso_type);
		q->bad = true;
	}
	b->data = b->mem + sc->hdr_len;
	b->len = len - sc->hdr_len;
	q->part.buf = b;
	q->part.len = b->len;
	q->tail = b;
}

static void
continue_packet(struct vtnet_rxq *q, struct nic_buf *b, uint32_t len)
{
	if (len == 0 && !q->bad) {
		lied(q->sc, "an empty piece of a packet", len);
		q->bad = true;
	}
	b->data = b->mem;
	b->len = len;
	q->part.len += len;
	q->tail->next = b;
	q->tail = b;
}

/* All buffers are there: whether the packet can be one. */
static bool
end_packet(struct vtnet_rxq *q)
{
	const struct nic_rx *rx = &q->part;

	if (!q->bad && (rx->len < NIC_HEAD || rx->len > DATA_MAX)) {
		lied(q->sc, "a packet of so many bytes", rx->len);
		q->bad = true;
	}
	if (!q->bad && rx->csum == NIC_CSUM_PARTIAL &&
	    rx->csum_start + rx->csum_offset + 2u > rx->len) {
		lied(q->sc, "a checksum outside of its packet", rx->csum_start);
		q->bad = true;
	}
	if (q->bad)
		nic_buf_free_all(rx->buf);
	return !q->bad;
}

/* The next packet that is complete; false: none. */
static bool
next_packet_locked(struct vtnet_rxq *q, struct nic_rx *out)
{
	struct vtnet_rx_slot *s;
	struct nic_buf *b;
	uint32_t len;

	while ((s = virtqueue_pop(q->vq, &len)) != NULL) {
		b = take_buf(q, s);
		if (q->want == 0)
			begin_packet(q, b, len);
		else
			continue_packet(q, b, len);
		if (--q->want == 0 && end_packet(q)) {
			*out = q->part;
			return true;
		}
	}
	return false;
}

unsigned
vtnet_receive(void *arg, unsigned queue, struct nic_rx *rx, unsigned max)
{
	struct vtnet_softc *sc = arg;
	struct vtnet_rxq *q = &sc->rx[queue];
	uint64_t state = spin_lock_irq(&q->lock);
	bool kick = false;
	unsigned n = 0, left = 0;

	if (!vtnet_is_gone(sc) && q->slot != NULL) {
		do {
			virtqueue_intr_off(q->vq);
			while (n < max && next_packet_locked(q, &rx[n]))
				n++;
		} while (n < max && !virtqueue_intr_on(q->vq));
		left = post_locked(q) != -ENOMEM ? n :
						   post_again_locked(q, rx, n);
		kick = virtqueue_kick_needed(q->vq);
	}
	spin_unlock_irq(&q->lock, state);
	if (kick)
		virtqueue_notify(q->vq);
	if (left < n) /* not all that had come: look again */
		vtnet_tell(sc);
	return left;
}

static void
vtnet_rx_intr(void *arg)
{
	struct vtnet_rxq *q = arg;
	uint64_t state = spin_lock_irq(&q->lock);

	virtqueue_intr_off(q->vq);
	spin_unlock_irq(&q->lock, state);
	vtnet_tell(q->sc);
}

/* -------------------------------------------------------------- queues -- */

int
vtnet_rx_make(struct vtnet_softc *sc, unsigned i)
{
	struct vtnet_rxq *q = &sc->rx[i];
	struct virtqueue_spec spec = { .index = 2 * i,
		.cpu = i,
		.max_size = NSLOT,
		.max_chain = 2,
		.intr = vtnet_rx_intr,
		.arg = q };
	int error;

	q->sc = sc;
	error = virtqueue_create(sc->vd, &spec, &q->vq);
	if (error == 0 && virtqueue_size(q->vq) < 2)
		return vtnet_bad_config(sc, "queue", virtqueue_size(q->vq));
	return error;
}

int
vtnet_rx_start(struct vtnet_softc *sc, struct vtnet_rxq *q)
{
	struct dma_limits limits = { .max_segs = 1 };
	unsigned n = MIN(virtqueue_size(q->vq) / (sc->merge ? 1 : 2), RX_SLOTS);
	unsigned i;
	struct vtnet_rx_slot *slot = kcalloc(n, sizeof(*slot));
	uint64_t state;
	int error = slot == NULL ? -ENOMEM : 0;

	for (i = 0; i < n && error == 0; i++) {
		slot[i].next = i + 1;
		error = dma_map_create(sc->vd->dma, &limits, &slot[i].map);
	}
	state = spin_lock_irq(&q->lock);
	q->nslot = error == 0 ? n : 0;
	q->slot = slot;
	if (error == 0)
		error = post_locked(q);
	if (q->nslot > 0 && !is_starved_locked(q))
		error = 0; /* fewer buffers will do */
	spin_unlock_irq(&q->lock, state);
	if (error == 0)
		virtqueue_kick(q->vq);
	if (error == 0 || q->nslot > 0)
		return error;
	for (i = 0; slot != NULL && i < n; i++)
		dma_map_destroy(slot[i].map);
	return error;
}

void
vtnet_rx_free(struct vtnet_rxq *q, bool quiet)
{
	struct vtnet_rx_slot *s;
	unsigned i;

	while (q->slot != NULL && (s = virtqueue_take_back(q->vq)) != NULL) {
		if (quiet)
			nic_buf_free(take_buf(q, s));
		/* else it may still be written to: never used again */
	}
	if (q->want > 0)
		nic_buf_free_all(q->part.buf);
	for (i = 0; q->slot != NULL && i < q->nslot; i++)
		dma_map_destroy(q->slot[i].map);
	kfree(q->slot);
	virtqueue_destroy(q->vq, quiet);
}
