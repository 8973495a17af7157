/* SPDX-License-Identifier: ISC */
/*
 * vt9p.c - virtio 9P: the way to a server of files on the host.  Device id 9;
 * its configuration is the length and bytes of a mount tag.
 * Turns a p9_req into a chain on queue 0, and each answer into one p9_done().
 * The number of a request's slot is its tag.  Of an answer the head is checked
 * here; what it carries is the file system's to doubt.
 */
#include "bus/device.h"
#include "bus/dma.h"
#include "bus/virtqueue.h"
#include "dev/drivers.h"
#include "dev/p9.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/spinlock.h"
#include <linux/errno.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_ids.h>

#define NSLOT     8u /* requests under way, at most */
#define QUEUE_MAX 128u
#define HEAD_SEGS 2u /* pieces of a message's own memory */
#define TAG_MAX   128u

struct vt9p_slot {
	struct p9_req *req; /* NULL: free */
	struct dma_map *t, *r, *data;
};

struct vt9p_softc {               /* I: constant; q: under lock */
	struct virtio_device *vd; /* [I] */
	struct p9_channel *channel;
	struct virtqueue *vq; /* [q] */
	struct spinlock lock;
	bool gone;                    /* [q] once and for all */
	struct vt9p_slot slot[NSLOT]; /* [q] */
};

/* ---------------------------------------------------------- requests -- */

static void
free_slot(struct vt9p_slot *s)
{
	dma_map_unload(s->t);
	dma_map_unload(s->r);
	dma_map_unload(s->data);
	s->req = NULL;
}

static int
load(struct vt9p_slot *s, const struct p9_req *req)
{
	int error = dma_map_load(s->t, req->t, req->tlen, DMA_TO_DEVICE);

	if (error == 0)
		error = dma_map_load(s->r, req->r, req->rlen, DMA_FROM_DEVICE);
	if (error == 0 && req->nruns > 0)
		error = dma_map_load_runs(s->data, req->run, req->nruns,
		    req->to_device ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	if (error != 0)
		return error;
	dma_map_sync(s->t, DMA_SYNC_FOR_DEVICE);
	dma_map_sync(s->r, DMA_SYNC_FOR_DEVICE);
	if (req->nruns > 0)
		dma_map_sync(s->data, DMA_SYNC_FOR_DEVICE);
	return 0;
}

static unsigned
append(struct dma_seg *seg, unsigned n, const struct dma_map *map)
{
	unsigned i;

	for (i = 0; i < map->nsegs; i++)
		seg[n++] = map->seg[i];
	return n;
}

/* The chain: message, its data, answer, its data. */
static int
push(struct vt9p_softc *sc, struct vt9p_slot *s)
{
	struct dma_seg seg[QUEUE_MAX + 2 * HEAD_SEGS];
	unsigned n = append(seg, 0, s->t), nread;

	if (s->req->to_device)
		n = append(seg, n, s->data);
	nread = n;
	n = append(seg, n, s->r);
	if (!s->req->to_device)
		n = append(seg, n, s->data);
	return virtqueue_push(sc->vq, seg, nread, n - nread, s);
}

static unsigned
tag_of(const struct vt9p_softc *sc, const struct vt9p_slot *s)
{
	return s->req->t[4] == P9_TVERSION ? P9_NOTAG : s - sc->slot;
}

static int
start_locked(struct vt9p_softc *sc, struct p9_req *req)
{
	struct vt9p_slot *s = sc->slot;
	int error;

	while (s->req != NULL)
		if (++s == sc->slot + NSLOT)
			return -EAGAIN;
	s->req = req;
	req->t[5] = tag_of(sc, s);
	req->t[6] = tag_of(sc, s) >> 8;
	error = load(s, req);
	if (error == 0)
		error = push(sc, s);
	if (error != 0)
		free_slot(s);
	return error == -ENOSPC ? -EAGAIN : error == -E2BIG ? -EFBIG : error;
}

static int
vt9p_submit(void *arg, struct p9_req *req)
{
	struct vt9p_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	int error = sc->gone ? -ENODEV : start_locked(sc, req);
	bool kick = error == 0 && virtqueue_kick_needed(sc->vq);

	spin_unlock_irq(&sc->lock, state);
	if (kick)
		virtqueue_notify(sc->vq);
	return error;
}

/* ----------------------------------------------------------- answers -- */

/* 0, or the device is broken: what it says makes no sense from here on. */
static int
check(struct vt9p_softc *sc, const struct vt9p_slot *s, uint32_t len)
{
	const struct p9_req *req = s->req;
	const volatile uint8_t *r = req->r;
	uint32_t size = r[0] | r[1] << 8 | r[2] << 16 | (uint32_t)r[3] << 24;
	unsigned type = r[4], tag = r[5] | r[6] << 8;
	unsigned least = type == P9_RLERROR ? P9_ERROR_LEN : P9_HEAD;

	if (len >= P9_HEAD && size >= least && size <= len &&
	    (type == req->t[4] + 1u || type == P9_RLERROR) &&
	    tag == tag_of(sc, s))
		return 0;
	virtio_broken(sc->vd,
	    "answer of %u bytes to message %u says size %u, type %u, tag %u",
	    len, req->t[4], size, type, tag);
	return -EIO;
}

/* The next answered request, or NULL. */
static struct p9_req *
take_answered(struct vt9p_softc *sc, int *error, bool *more)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	struct p9_req *req = NULL;
	struct vt9p_slot *s;
	uint32_t len;

	virtqueue_intr_off(sc->vq);
	s = virtqueue_pop(sc->vq, &len);
	if (s != NULL) {
		dma_map_sync(s->r, DMA_SYNC_FOR_CPU);
		if (s->req->nruns > 0)
			dma_map_sync(s->data, DMA_SYNC_FOR_CPU);
		req = s->req;
		req->got = len;
		*error = check(sc, s, len);
		free_slot(s);
	}
	*more = s != NULL || !virtqueue_intr_on(sc->vq);
	spin_unlock_irq(&sc->lock, state);
	return req;
}

static void
vt9p_intr(void *arg)
{
	struct p9_req *req;
	bool more;
	int error;

	do {
		req = take_answered(arg, &error, &more);
		if (req != NULL)
			p9_done(req, error);
	} while (more);
}

/* --------------------------------------------------- attach, detach -- */

struct vt9p_config {
	unsigned len;
	char tag[TAG_MAX + 1];
};

static void
read_config(struct virtio_device *vd, void *arg)
{
	struct vt9p_config *c = arg;
	unsigned i;

	c->len = virtio_config16(vd,
	    offsetof(struct virtio_9p_config, tag_len));
	for (i = 0; i < MIN(c->len, TAG_MAX); i++)
		c->tag[i] = virtio_config8(vd,
		    offsetof(struct virtio_9p_config, tag) + i);
	c->tag[i] = '\0';
}

static int
configure(struct vt9p_softc *sc, struct vt9p_config *c)
{
	unsigned i;
	int error;

	if (!virtio_has(sc->vd, VIRTIO_9P_MOUNT_TAG))
		return -EPROTO;
	error = virtio_config(sc->vd, read_config, c);
	if (error != 0)
		return error;
	for (i = 0; i < c->len && c->len <= TAG_MAX; i++)
		if (c->tag[i] <= ' ' || c->tag[i] > '~')
			break;
	if (c->len != 0 && i == c->len)
		return 0;
	log_warn("%s: a mount tag of %u bytes makes no sense",
	    device_name(sc->vd->dev), c->len);
	return -EINVAL;
}

static int
make_slots(struct vt9p_softc *sc)
{
	struct dma_limits head = { .max_segs = HEAD_SEGS };
	struct dma_limits data = { .max_segs = QUEUE_MAX };
	struct dma_tag *dma = sc->vd->dma;
	int error = 0;
	unsigned i;

	for (i = 0; i < NSLOT && error == 0; i++) {
		error = dma_map_create(dma, &head, &sc->slot[i].t);
		if (error == 0)
			error = dma_map_create(dma, &head, &sc->slot[i].r);
		if (error == 0)
			error = dma_map_create(dma, &data, &sc->slot[i].data);
	}
	return error;
}

static int
make_queue(struct vt9p_softc *sc)
{
	struct virtqueue_spec spec = { .max_size = QUEUE_MAX,
		.max_chain = QUEUE_MAX,
		.ntables = NSLOT,
		.intr = vt9p_intr,
		.arg = sc };
	int error = virtqueue_create(sc->vd, &spec, &sc->vq);

	if (error == 0 && virtqueue_size(sc->vq) <= 2 * HEAD_SEGS)
		error = -EPROTO;
	return error == 0 ? make_slots(sc) : error;
}

static struct p9_req *
take_unanswered(struct vt9p_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	struct vt9p_slot *s = virtqueue_take_back(sc->vq);
	struct p9_req *req = NULL;

	if (s != NULL) {
		req = s->req;
		free_slot(s);
	}
	spin_unlock_irq(&sc->lock, state);
	return req;
}

/* Every step accepts a softc that is half built. */
static void
vt9p_detach(struct device *dev, enum detach_kind kind)
{
	struct vt9p_softc *sc = device_softc(dev);
	uint64_t state = spin_lock_irq(&sc->lock);
	unsigned i, ended = 0;
	struct p9_req *req;
	bool quiet;

	sc->gone = true; /* 1. no new requests */
	spin_unlock_irq(&sc->lock, state);
	quiet = virtio_stop(sc->vd, kind == DETACH_GONE); /* 2. no DMA */
	/* 3. nobody waits for ever */
	while (sc->vq != NULL && (req = take_unanswered(sc)) != NULL) {
		p9_done(req, -ENODEV);
		ended++;
	}
	if (ended > 0)
		log_info("%s: gone, %u requests ended with ENODEV",
		    device_name(dev), ended);
	p9_depart(sc->channel); /* 4. no name, no caller inside */
	sc->channel = NULL;
	for (i = 0; i < NSLOT; i++) {
		dma_map_destroy(sc->slot[i].t);
		dma_map_destroy(sc->slot[i].r);
		dma_map_destroy(sc->slot[i].data);
	}
	virtqueue_destroy(sc->vq, quiet);
}

static const struct p9_ops vt9p_ops = { .submit = vt9p_submit };

static int
vt9p_attach(struct device *dev)
{
	struct vt9p_softc *sc = device_softc(dev);
	struct vt9p_config c;
	int error;

	spin_init(&sc->lock);
	sc->vd = virtio_device_of(dev);
	error = virtio_negotiate(sc->vd, VIRTIO_BIT(VIRTIO_9P_MOUNT_TAG), 1);
	if (error == 0)
		error = configure(sc, &c);
	if (error == 0)
		error = make_queue(sc);
	if (error == 0) {
		device_announce(dev, "9P, tag %s", c.tag);
		virtio_driver_ok(sc->vd);
		error = p9_arrive(c.tag, &vt9p_ops, sc,
		    virtqueue_size(sc->vq) - 2 * HEAD_SEGS, &sc->channel);
	}
	if (error != 0)
		vt9p_detach(dev, DETACH_ASKED);
	return error;
}

static const struct device_id vt9p_ids[] = { { .device = VIRTIO_ID_9P },
	{ 0 } };

const struct driver vt9p_driver = {
	.name = "vt9p",
	.linux_name = "9pnet_virtio",
	.bus = "virtio",
	.softc_size = sizeof(struct vt9p_softc),
	.ids = vt9p_ids,
	.attach = vt9p_attach,
	.detach = vt9p_detach,
};
