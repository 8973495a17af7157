/* SPDX-License-Identifier: ISC */
/*
 * vtvsock.c - virtio socket devices: packets to and from the host.  Virtio
 * 1.2, 5.10.
 *
 * A packet is a header and its data, each in a descriptor of its own, as all
 * hosts take it.  Received ones are copied out of the device's reach before
 * anybody looks at them.
 */
#include "bus/device.h"
#include "bus/virtqueue.h"
#include "dev/drivers.h"
#include "dev/vsock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/virtio_ids.h>

#define NRX       16u
#define NTX       16u
#define NEVENT    4u
#define HDR       64u /* bytes kept for a header */
#define DATA      VSOCK_DATA_MAX
#define CID_FIRST 3u /* lower ones are everybody's */
#define F_STREAM  0  /* virtio 1.2; devices without it mean it */

/* DMA memory: headers and events in a page, then data. */
#define RX_HDR(i)  ((i)*HDR)
#define TX_HDR(i)  ((NRX + (i)) * HDR)
#define EVENT(i)   ((NRX + NTX + (i)) * HDR)
#define RX_DATA(i) (PAGE_SIZE + (i)*DATA)
#define TX_DATA(i) (PAGE_SIZE + (NRX + (i)) * DATA)
#define MEM_SIZE   (PAGE_SIZE + (NRX + NTX) * DATA)

struct vtvsock_softc {            /* I: constant once attached; l: lock */
	struct virtio_device *vd; /* [I] */
	struct device *dev;       /* [I] */
	struct vsock_carrier carrier;
	struct spinlock lock;               /* interrupts off */
	struct virtqueue *rx, *tx, *events; /* [l] */
	struct dma_mem mem;                 /* [I] */
	uint32_t tx_free;                   /* [l] a bit a packet */
	bool starved;                       /* [l] somebody was told -EAGAIN */
	bool gone;                          /* [l] */
	/* One at a time brings packets up, in order. */
	bool bringing;   /* [l] */
	uint8_t *packet; /* a copy of the one that is brought */
};

static uint8_t *
at(struct vtvsock_softc *sc, size_t offset)
{
	return (uint8_t *)sc->mem.kva + offset;
}

static void *
cookie_of(unsigned i)
{
	return (void *)(uintptr_t)(i + 1);
}

static unsigned
index_of(void *cookie)
{
	return (uintptr_t)cookie - 1;
}

/* ------------------------------------------------------------- sending -- */

static void
reclaim_locked(struct vtvsock_softc *sc)
{
	void *cookie;
	uint32_t len;

	while ((cookie = virtqueue_pop(sc->tx, &len)) != NULL)
		sc->tx_free |= 1u << index_of(cookie);
}

static int
send_locked(struct vtvsock_softc *sc, const struct virtio_vsock_hdr *h,
    const void *data)
{
	struct dma_seg seg[2];
	unsigned i;
	int error;

	if (sc->gone || virtio_is_broken(sc->vd))
		return -ENODEV;
	reclaim_locked(sc);
	while (sc->tx_free == 0) { /* and an interrupt tells of room */
		sc->starved = true;
		if (virtqueue_intr_on(sc->tx))
			return -EAGAIN;
		reclaim_locked(sc);
	}
	i = __builtin_ctz(sc->tx_free);
	memcpy(at(sc, TX_HDR(i)), h, sizeof(*h));
	if (h->len != 0)
		memcpy(at(sc, TX_DATA(i)), data, h->len);
	seg[0] = (struct dma_seg){ sc->mem.addr + TX_HDR(i), sizeof(*h) };
	seg[1] = (struct dma_seg){ sc->mem.addr + TX_DATA(i), h->len };
	error = virtqueue_push(sc->tx, seg, h->len != 0 ? 2 : 1, 0,
	    cookie_of(i));
	if (error == 0)
		sc->tx_free &= ~(1u << i);
	virtqueue_kick(sc->tx);
	return error;
}

static int
vtvsock_send(void *arg, const struct virtio_vsock_hdr *h, const void *data)
{
	struct vtvsock_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	int error = send_locked(sc, h, data);

	spin_unlock_irq(&sc->lock, state);
	return error;
}

static const struct vsock_carrier_ops carrier_ops = { .send = vtvsock_send };

static void
tx_intr(void *arg)
{
	struct vtvsock_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	bool room;

	virtqueue_intr_off(sc->tx);
	reclaim_locked(sc);
	room = sc->starved && sc->tx_free != 0;
	if (room)
		sc->starved = false;
	spin_unlock_irq(&sc->lock, state);
	if (room)
		vsock_room();
}

/* ----------------------------------------------------------- receiving -- */

static void
post_rx_locked(struct vtvsock_softc *sc, unsigned i)
{
	struct dma_seg seg[2] = {
		{ sc->mem.addr + RX_HDR(i), sizeof(struct virtio_vsock_hdr) },
		{ sc->mem.addr + RX_DATA(i), DATA },
	};

	(void)virtqueue_push(sc->rx, seg, 0, 2, cookie_of(i));
}

/* Copies a packet; false: what came is none, and that is the end. */
static bool
copy_packet(struct vtvsock_softc *sc, unsigned i, uint32_t len)
{
	struct virtio_vsock_hdr *h = (void *)sc->packet;

	if (len < sizeof(*h)) {
		virtio_broken(sc->vd, "brings a packet of %u bytes", len);
		return false;
	}
	memcpy(h, at(sc, RX_HDR(i)), sizeof(*h));
	if (h->len > len - sizeof(*h)) {
		virtio_broken(sc->vd, "says %u bytes of data, brings %u",
		    h->len, len);
		return false;
	}
	memcpy(sc->packet + HDR, at(sc, RX_DATA(i)), h->len);
	return true;
}

/* The next packet, copied; false: none, or another brings them up. */
static bool
take_packet(struct vtvsock_softc *sc, bool mine)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	bool good = false;
	void *cookie;
	uint32_t len;

	while (!sc->gone && mine == sc->bringing && !good) {
		cookie = virtqueue_pop(sc->rx, &len);
		if (cookie == NULL) {
			if (virtqueue_intr_on(sc->rx))
				break;
			continue;
		}
		good = copy_packet(sc, index_of(cookie), len);
		post_rx_locked(sc, index_of(cookie));
		virtqueue_kick(sc->rx);
	}
	if (mine || good)
		sc->bringing = good;
	spin_unlock_irq(&sc->lock, state);
	return good;
}

static void
rx_intr(void *arg)
{
	struct vtvsock_softc *sc = arg;
	bool mine = false;

	while (take_packet(sc, mine)) {
		mine = true;
		vsock_input((void *)sc->packet, sc->packet + HDR);
	}
}

/* --------------------------------------------------------------- events -- */

static void
read_cid(struct virtio_device *vd, void *arg)
{
	*(uint64_t *)arg = virtio_config64(vd,
	    offsetof(struct virtio_vsock_config, guest_cid));
}

/* The upper half is reserved and 0; some numbers are not a machine's. */
static int
get_cid(struct vtvsock_softc *sc, uint32_t *cid)
{
	uint64_t v = 0;
	int error = virtio_config(sc->vd, read_cid, &v);

	if (error == 0 && (v < CID_FIRST || v >= UINT32_MAX)) {
		log_warn("%s: a machine cannot have number %lu",
		    device_name(sc->dev), v);
		error = -EINVAL;
	}
	*cid = v;
	return error;
}

static void
post_event_locked(struct vtvsock_softc *sc, unsigned i)
{
	struct dma_seg seg = { sc->mem.addr + EVENT(i),
		sizeof(struct virtio_vsock_event) };

	(void)virtqueue_push(sc->events, &seg, 0, 1, cookie_of(i));
}

static void
event_intr(void *arg)
{
	struct vtvsock_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	bool any = false;
	void *cookie;
	uint32_t len, cid;
	unsigned n = 0;

	do {
		while (n++ < NEVENT &&
		    (cookie = virtqueue_pop(sc->events, &len)) != NULL) {
			any = true;
			post_event_locked(sc, index_of(cookie));
		}
	} while (!virtqueue_intr_on(sc->events) && n < NEVENT);
	virtqueue_kick(sc->events);
	spin_unlock_irq(&sc->lock, state);
	/* There is one event, and it ends everything. */
	if (any && get_cid(sc, &cid) == 0)
		vsock_reset(cid);
}

/* --------------------------------------------------- attach, detach -- */

/* Every step accepts a softc that is half built. */
static void
vtvsock_detach(struct device *dev, enum detach_kind kind)
{
	struct vtvsock_softc *sc = device_softc(dev);
	uint64_t state = spin_lock_irq(&sc->lock);
	bool quiet;

	sc->gone = true;
	spin_unlock_irq(&sc->lock, state);
	quiet = virtio_stop(sc->vd, kind == DETACH_GONE);
	vsock_depart(&sc->carrier);
	virtqueue_destroy(sc->rx, quiet);
	virtqueue_destroy(sc->tx, quiet);
	virtqueue_destroy(sc->events, quiet);
	dma_mem_free(&sc->mem, quiet);
	kfree(sc->packet);
}

static int
make_queue(struct vtvsock_softc *sc, unsigned index, unsigned size,
    unsigned chain, void (*intr)(void *), struct virtqueue **out)
{
	struct virtqueue_spec spec = { .index = index,
		.max_size = size,
		.max_chain = chain,
		.intr = intr,
		.arg = sc };
	int error = virtqueue_create(sc->vd, &spec, out);

	if (error != 0 || virtqueue_size(*out) >= chain)
		return error;
	log_warn("%s: queue %u is too small", device_name(sc->dev), index);
	return -EINVAL;
}

static int
make_queues(struct vtvsock_softc *sc)
{
	unsigned i, n;
	int error = make_queue(sc, 0, 2 * NRX, 2, rx_intr, &sc->rx);

	if (error == 0)
		error = make_queue(sc, 1, 2 * NTX, 2, tx_intr, &sc->tx);
	if (error == 0)
		error = make_queue(sc, 2, NEVENT, 1, event_intr, &sc->events);
	if (error == 0)
		error = dma_mem_alloc(sc->vd->dma, MEM_SIZE, PAGE_SIZE, NULL,
		    &sc->mem);
	if (error != 0)
		return error;
	n = MIN(NTX, virtqueue_size(sc->tx) / 2);
	sc->tx_free = (1u << n) - 1;
	virtqueue_intr_off(sc->tx);
	for (i = 0; i < MIN(NRX, virtqueue_size(sc->rx) / 2); i++)
		post_rx_locked(sc, i);
	for (i = 0; i < MIN(NEVENT, virtqueue_size(sc->events)); i++)
		post_event_locked(sc, i);
	return 0;
}

static int
start(struct vtvsock_softc *sc, uint32_t *cid)
{
	int error = virtio_negotiate(sc->vd, VIRTIO_BIT(F_STREAM), 3);

	if (error == 0)
		error = get_cid(sc, cid);
	sc->packet = kzalloc(HDR + DATA);
	if (error == 0 && sc->packet == NULL)
		error = -ENOMEM;
	if (error == 0)
		error = make_queues(sc);
	return error;
}

static int
vtvsock_attach(struct device *dev)
{
	struct vtvsock_softc *sc = device_softc(dev);
	uint32_t cid;
	int error;

	sc->vd = virtio_device_of(dev);
	sc->dev = dev;
	spin_init(&sc->lock);
	sc->carrier.ops = &carrier_ops;
	sc->carrier.arg = sc;
	error = start(sc, &cid);
	if (error == 0)
		error = vsock_arrive(&sc->carrier, cid);
	if (error != 0) {
		vtvsock_detach(dev, DETACH_ASKED);
		return error;
	}
	device_announce(dev, "sockets to the host, this machine is %u", cid);
	virtio_driver_ok(sc->vd);
	virtqueue_kick(sc->rx);
	virtqueue_kick(sc->events);
	return 0;
}

static const struct device_id vtvsock_ids[] = { { .device = VIRTIO_ID_VSOCK },
	{ 0 } };

const struct driver vtvsock_driver = {
	.name = "vtvsock",
	.bus = "virtio",
	.linux_name = "vmw_vsock_virtio_transport",
	.softc_size = sizeof(struct vtvsock_softc),
	.ids = vtvsock_ids,
	.attach = vtvsock_attach,
	.detach = vtvsock_detach,
};
