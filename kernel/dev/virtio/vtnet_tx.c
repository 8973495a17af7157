/* SPDX-License-Identifier: ISC */
/*
 * vtnet_tx.c - virtio network cards: packets that leave.  Virtio 1.2, 5.1.6.2.
 * The device is asked for interrupts only when a queue was full; what it has
 * sent is noticed at the next packet, or by reap().
 */
#include "dev/virtio/vtnet.h"
#include "bus/device.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

/* ------------------------------------------------------------ transmit -- */

static uint8_t
gso_type(enum nic_gso gso)
{
	return gso == NIC_GSO_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
	    gso == NIC_GSO_TCP6    ? VIRTIO_NET_HDR_GSO_TCPV6 :
				     VIRTIO_NET_HDR_GSO_NONE;
}

static void
fill_head(vtnet_hdr *h, const struct nic_tx *tx)
{
	memset(h, 0, sizeof(*h));
	if (tx->csum) {
		h->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->hdr.csum_start = tx->csum_start;
		h->hdr.csum_offset = tx->csum_offset;
	}
	if (tx->gso != NIC_GSO_NONE) {
		h->hdr.gso_type = gso_type(tx->gso);
		h->hdr.gso_size = tx->gso_size;
		h->hdr.hdr_len = tx->hdr_len;
	}
}

static void
free_tx(struct vtnet_txq *q, struct vtnet_tx_slot *s)
{
	dma_map_unload(s->map);
	s->tx = NULL;
	s->next = q->free;
	q->free = s - q->slot;
}

/* Puts what was sent on a list, for done() without the lock. */
static struct nic_tx *
take_sent_locked(struct vtnet_txq *q, struct nic_tx *list)
{
	struct vtnet_tx_slot *s;
	uint32_t len;

	while ((s = virtqueue_pop(q->vq, &len)) != NULL) {
		s->tx->next = list;
		list = s->tx;
		free_tx(q, s);
	}
	return list;
}

static void
end_all(struct nic_tx *list)
{
	struct nic_tx *next;

	for (; list != NULL; list = next) {
		next = list->next;
		list->done(list);
	}
}

static int
push_tx(struct vtnet_txq *q, struct vtnet_tx_slot *s)
{
	unsigned i = s - q->slot, k;
	struct dma_seg seg[TX_RUNS + 1];

	seg[0].addr = q->heads.addr + i * HDR_STEP;
	seg[0].len = q->sc->hdr_len;
	for (k = 0; k < s->map->nsegs; k++)
		seg[k + 1] = s->map->seg[k];
	fill_head((vtnet_hdr *)((uint8_t *)q->heads.kva + i * HDR_STEP), s->tx);
	return virtqueue_push(q->vq, seg, k + 1, 0, s);
}

static int
start_tx_locked(struct vtnet_txq *q, struct nic_tx *tx)
{
	struct vtnet_tx_slot *s = &q->slot[q->free];
	int error;

	if (q->free == q->nslot)
		return -EAGAIN;
	error = dma_map_load_runs(s->map, tx->run, tx->nruns, DMA_TO_DEVICE);
	if (error != 0)
		return error;
	dma_map_sync(s->map, DMA_SYNC_FOR_DEVICE);
	q->free = s->next;
	s->tx = tx;
	error = push_tx(q, s);
	if (error != 0)
		free_tx(q, s);
	return error == -ENOSPC ? -EAGAIN : error == -E2BIG ? -EFBIG : error;
}

/* Full: the device is to tell when there is room; it may be so already. */
static int
try_again_locked(struct vtnet_txq *q, struct nic_tx *tx, struct nic_tx **sent)
{
	int error;

	do {
		*sent = take_sent_locked(q, *sent);
		error = start_tx_locked(q, tx);
	} while (error == -EAGAIN && !virtqueue_intr_on_late(q->vq));
	return error;
}

int
vtnet_transmit(void *arg, unsigned queue, struct nic_tx *tx, bool more)
{
	struct vtnet_softc *sc = arg;
	struct vtnet_txq *q = &sc->tx[queue];
	struct nic_tx *sent = NULL;
	uint64_t state = spin_lock_irq(&q->lock);
	bool kick = false;
	int error = vtnet_is_gone(sc) || q->slot == NULL ? -ENODEV : 0;

	if (error == 0) {
		if (virtqueue_outstanding(q->vq) > q->nslot / 2u)
			sent = take_sent_locked(q, sent);
		error = start_tx_locked(q, tx);
		if (error == -EAGAIN)
			error = try_again_locked(q, tx, &sent);
		if (!more || error != 0)
			kick = virtqueue_kick_needed(q->vq);
	}
	spin_unlock_irq(&q->lock, state);
	if (kick)
		virtqueue_notify(q->vq);
	end_all(sent);
	return error;
}

void
vtnet_kick(void *arg, unsigned queue)
{
	struct vtnet_softc *sc = arg;
	struct vtnet_txq *q = &sc->tx[queue];
	uint64_t state = spin_lock_irq(&q->lock);
	bool kick = !vtnet_is_gone(sc) && q->slot != NULL &&
	    virtqueue_kick_needed(q->vq);

	spin_unlock_irq(&q->lock, state);
	if (kick)
		virtqueue_notify(q->vq);
}

void
vtnet_reap(void *arg, unsigned queue)
{
	struct vtnet_softc *sc = arg;
	struct vtnet_txq *q = &sc->tx[queue];
	struct nic_tx *sent = NULL;
	struct vtnet_tx_slot *s;
	uint64_t state = spin_lock_irq(&q->lock);

	if (q->slot != NULL && vtnet_is_gone(sc)) {
		while ((s = virtqueue_take_back(q->vq)) != NULL) {
			s->tx->next = sent;
			sent = s->tx;
			free_tx(q, s);
		}
	} else if (q->slot != NULL) {
		sent = take_sent_locked(q, sent);
	}
	spin_unlock_irq(&q->lock, state);
	end_all(sent);
}

static void
vtnet_tx_intr(void *arg)
{
	struct vtnet_txq *q = arg;
	uint64_t state = spin_lock_irq(&q->lock);

	virtqueue_intr_off(q->vq);
	spin_unlock_irq(&q->lock, state);
	vtnet_tell(q->sc);
}

/* -------------------------------------------------------------- queues -- */

int
vtnet_tx_make(struct vtnet_softc *sc, unsigned i)
{
	struct vtnet_txq *q = &sc->tx[i];
	struct virtqueue_spec spec = { .index = 2 * i + 1,
		.cpu = i,
		.max_size = NSLOT,
		.max_chain = TX_RUNS + 1,
		.ntables = NTABLE,
		.intr = vtnet_tx_intr,
		.arg = q };
	int error;

	q->sc = sc;
	error = virtqueue_create(sc->vd, &spec, &q->vq);
	if (error != 0)
		return error;
	virtqueue_intr_off(q->vq);
	/* Without tables a packet must fit in the ring. */
	if (virtqueue_size(q->vq) < NIC_TX_RUNS + 1)
		return vtnet_bad_config(sc, "queue", virtqueue_size(q->vq));
	sc->info.tx_runs = MIN(sc->info.tx_runs, virtqueue_size(q->vq) - 1);
	return 0;
}

int
vtnet_tx_start(struct vtnet_softc *sc, struct vtnet_txq *q)
{
	struct dma_limits limits = { .max_segs = sc->info.tx_runs };
	unsigned n = MIN(virtqueue_size(q->vq), NSLOT), i;
	struct vtnet_tx_slot *slot = kcalloc(n, sizeof(*slot));
	uint64_t state;
	int error = slot == NULL ? -ENOMEM : 0;

	if (error == 0)
		error = dma_mem_alloc(sc->vd->dma, (size_t)n * HDR_STEP,
		    PAGE_SIZE, NULL, &q->heads);
	for (i = 0; i < n && error == 0; i++) {
		slot[i].next = i + 1;
		error = dma_map_create(sc->vd->dma, &limits, &slot[i].map);
	}
	state = spin_lock_irq(&q->lock);
	q->nslot = error == 0 ? n : 0;
	q->slot = slot;
	spin_unlock_irq(&q->lock, state);
	if (error == 0)
		return 0;
	for (i = 0; slot != NULL && i < n; i++)
		dma_map_destroy(slot[i].map);
	return error;
}

void
vtnet_tx_free(struct vtnet_txq *q, bool quiet)
{
	unsigned i;

	for (i = 0; q->slot != NULL && i < q->nslot; i++)
		dma_map_destroy(q->slot[i].map);
	kfree(q->slot);
	dma_mem_free(&q->heads, quiet);
	virtqueue_destroy(q->vq, quiet);
}
