/* SPDX-License-Identifier: ISC */
/*
 * vtrng.c - entropy from the host.  Virtio 1.2, 5.4.
 * The first bytes stir the kernel's pool; further ones are asked for when
 * somebody reads.
 */
#include "bus/device.h"
#include "bus/virtqueue.h"
#include "dev/drivers.h"
#include "dev/hwrng.h"
#include "kern/log.h"
#include "kern/random.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>
#include <linux/virtio_ids.h>

#define BUFFER 256u /* bytes asked for at once */
#define STIR   32u  /* the first time */

enum vtrng_state {
	VTRNG_IDLE,  /* nothing asked for: ask() -> BUSY */
	VTRNG_BUSY,  /* the device has the buffer: vtrng_intr() -> READY */
	VTRNG_READY, /* `have` bytes are there; the last one read -> IDLE */
	VTRNG_GONE,  /* for ever */
};

struct vtrng_softc {              /* I: constant once attached; l: under lock */
	struct virtio_device *vd; /* [I] */
	struct virtqueue *vq;     /* [l] */
	struct dma_mem mem;       /* [I] */
	struct spinlock lock;
	enum vtrng_state state; /* [l] */
	uint32_t have, taken;   /* [l] bytes in the buffer */
	bool stirred;           /* [l] the pool had its share */
	struct hwrng rng;
};

/* Outlives every device, so that its wakers may take their time. */
static struct waitq wq = WAITQ_INIT(wq);

static int
ask_locked(struct vtrng_softc *sc, uint32_t len)
{
	struct dma_seg seg = { sc->mem.addr, len };
	int error = virtqueue_push(sc->vq, &seg, 0, 1, sc);

	if (error == 0) {
		sc->state = VTRNG_BUSY;
		virtqueue_kick(sc->vq);
	}
	return error;
}

static void
answer_locked(struct vtrng_softc *sc, uint32_t len)
{
	if (len == 0) {
		virtio_broken(sc->vd, "gives no random bytes when asked");
		sc->state = VTRNG_GONE;
		return;
	}
	if (!sc->stirred) {
		random_add(sc->mem.kva, len);
		memset(sc->mem.kva, 0, len);
		sc->stirred = true;
		sc->state = VTRNG_IDLE;
		return;
	}
	sc->have = len;
	sc->taken = 0;
	sc->state = VTRNG_READY;
}

static void
vtrng_intr(void *arg)
{
	struct vtrng_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	uint32_t len;

	do {
		while (sc->state == VTRNG_BUSY &&
		    virtqueue_pop(sc->vq, &len) != NULL)
			answer_locked(sc, len);
	} while (!virtqueue_intr_on(sc->vq) && sc->state == VTRNG_BUSY);
	spin_unlock_irq(&sc->lock, state);
	waitq_wake_all(&wq);
}

/* Bytes that are there, or 0 after asking for some. */
static long
take_locked(struct vtrng_softc *sc, void *buf, size_t len)
{
	if (sc->state == VTRNG_GONE)
		return -ENODEV;
	if (sc->state == VTRNG_IDLE)
		return ask_locked(sc, BUFFER);
	if (sc->state == VTRNG_BUSY)
		return 0;
	len = MIN(len, sc->have - sc->taken);
	memcpy(buf, (char *)sc->mem.kva + sc->taken, len);
	memset((char *)sc->mem.kva + sc->taken, 0, len);
	sc->taken += len;
	if (sc->taken == sc->have)
		sc->state = VTRNG_IDLE;
	return len;
}

static bool
settled(struct vtrng_softc *sc)
{
	return __atomic_load_n(&sc->state, __ATOMIC_ACQUIRE) != VTRNG_BUSY;
}

static long
vtrng_read(void *arg, void *buf, size_t len)
{
	struct vtrng_softc *sc = arg;
	uint64_t state;
	long n;

	for (;;) {
		state = spin_lock_irq(&sc->lock);
		n = take_locked(sc, buf, len);
		spin_unlock_irq(&sc->lock, state);
		if (n != 0)
			return n;
		n = wait_event_intr(&wq, settled(sc));
		if (n != 0)
			return n;
	}
}

/* Every step accepts a softc that is half built. */
static void
vtrng_detach(struct device *dev, enum detach_kind kind)
{
	struct vtrng_softc *sc = device_softc(dev);
	uint64_t state = spin_lock_irq(&sc->lock);
	bool quiet;

	sc->state = VTRNG_GONE;
	spin_unlock_irq(&sc->lock, state);
	waitq_wake_all(&wq);
	quiet = virtio_stop(sc->vd, kind == DETACH_GONE);
	hwrng_depart(&sc->rng);
	virtqueue_destroy(sc->vq, quiet);
	dma_mem_free(&sc->mem, quiet);
}

static int
start(struct vtrng_softc *sc)
{
	struct virtqueue_spec spec = { .max_size = 2,
		.max_chain = 1,
		.intr = vtrng_intr,
		.arg = sc };
	int error = virtio_negotiate(sc->vd, 0, 1);

	if (error == 0)
		error = virtqueue_create(sc->vd, &spec, &sc->vq);
	if (error == 0)
		error = dma_mem_alloc(sc->vd->dma, BUFFER, PAGE_SIZE, NULL,
		    &sc->mem);
	return error;
}

static int
vtrng_attach(struct device *dev)
{
	struct vtrng_softc *sc = device_softc(dev);
	uint64_t state;
	int error;

	sc->vd = virtio_device_of(dev);
	spin_init(&sc->lock);
	error = start(sc);
	if (error == 0) {
		device_announce(dev, "entropy");
		virtio_driver_ok(sc->vd);
		state = spin_lock_irq(&sc->lock);
		error = ask_locked(sc, STIR);
		spin_unlock_irq(&sc->lock, state);
	}
	if (error != 0) {
		vtrng_detach(dev, DETACH_ASKED);
		return error;
	}
	sc->rng = (struct hwrng){ .name = "virtio_rng.0",
		.arg = sc,
		.read = vtrng_read };
	hwrng_arrive(&sc->rng);
	return 0;
}

static const struct device_id vtrng_ids[] = { { .device = VIRTIO_ID_RNG },
	{ 0 } };

const struct driver vtrng_driver = {
	.name = "vtrng",
	.linux_name = "virtio_rng",
	.bus = "virtio",
	.softc_size = sizeof(struct vtrng_softc),
	.ids = vtrng_ids,
	.attach = vtrng_attach,
	.detach = vtrng_detach,
};
