/* SPDX-License-Identifier: ISC */
/*
 * virtio_pci.c - virtio devices that are PCI functions.  Virtio 1.2, 4.1; the
 * registers of before 1.0, 4.1.4.8.
 *
 * A function that has the capabilities is spoken to in the modern way, also
 * where it knows both; the others by the old registers behind BAR 0.
 *
 * Vectors: one for the configuration and one for each queue; where there are
 * fewer, all queues share the last one, which the configuration shares too if
 * it is the only one.  A single MSI, which virtio's devices do not have, or the
 * line: the ISR register tells who asks.
 */
#include "bus/device.h"
#include "bus/dma.h"
#include "bus/pci.h"
#include "bus/virtio_pci.h"
#include "bus/virtio.h"
#include "bus/virtqueue.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "x86/io.h"
#include <linux/errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>

#define VIRTIO_VENDOR     0x1af4
#define DEVICE_LEGACY     0x1000 /* .. DEVICE_MODERN - 1: or transitional */
#define DEVICE_MODERN     0x1040 /* + type */
#define DEVICE_LAST       0x107f
#define LEGACY_CONFIG     20 /* without MSI-X */
#define LEGACY_CONFIG_MSI 24

/* A queue: where its doorbell is, and whom its interrupt is for. */
struct vpci_queue {
	struct vpci_softc *sc;
	volatile uint16_t *doorbell; /* [I] once started; legacy: NULL */
	struct virtqueue *vq;        /* atomic; NULL: not started */
};

struct vpci_softc {
	struct virtio_device vd;
	struct device *dev;   /* [I] the function's node */
	struct pci_virtio at; /* [I] modern: where things are */
	volatile uint8_t *common, *isr, *config, *notify; /* [I] */
	uint16_t port;             /* [I] of the old registers */
	struct vpci_queue *queue;  /* the driver's; kept after it has stopped */
	unsigned nqueues, vectors; /* 0: interrupts are not set up */
};

static struct vpci_softc *
softc_of(struct virtio_device *vd)
{
	return container_of(vd, struct vpci_softc, vd);
}

/* ---- access ---- */

static uint32_t
mem_read(volatile uint8_t *at, unsigned width)
{
	switch (width) {
	case 1: return *at;
	case 2: return *(volatile uint16_t *)at;
	default: return *(volatile uint32_t *)at;
	}
}

static void
mem_write(volatile uint8_t *at, unsigned width, uint32_t v)
{
	switch (width) {
	case 1: *at = v; break;
	case 2: *(volatile uint16_t *)at = v; break;
	default: *(volatile uint32_t *)at = v;
	}
}

static uint32_t
port_read(uint16_t port, unsigned width)
{
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

static void
port_write(uint16_t port, unsigned width, uint32_t v)
{
	if (width == 1)
		outb(port, v);
	else if (width == 2)
		outw(port, v);
	else
		outl(port, v);
}

static uint32_t
common_get(struct virtio_device *vd, unsigned reg, unsigned width)
{
	return mem_read(softc_of(vd)->common + reg, width);
}

static void
common_set(struct virtio_device *vd, unsigned reg, unsigned width, uint32_t v)
{
	mem_write(softc_of(vd)->common + reg, width, v);
}

static void
common_set64(struct virtio_device *vd, unsigned reg, uint64_t v)
{
	common_set(vd, reg, 4, (uint32_t)v);
	common_set(vd, reg + 4, 4, v >> 32);
}

/* ---- vectors ---- */

/* Which vector is a queue's; the configuration's is 0. */
static unsigned
vector_of(const struct vpci_softc *sc, unsigned index)
{
	return MIN(index + 1, sc->vectors - 1);
}

static void
queue_interrupt(struct vpci_queue *q)
{
	struct virtqueue *vq = __atomic_load_n(&q->vq, __ATOMIC_ACQUIRE);

	if (vq != NULL && __atomic_load_n(&q->sc->vd.running, __ATOMIC_ACQUIRE))
		virtqueue_interrupt(vq);
}

static bool
queue_intr(void *arg)
{
	queue_interrupt(arg);
	return true;
}

static bool
config_intr(void *arg)
{
	struct vpci_softc *sc = arg;

	virtio_interrupt(&sc->vd, false, true);
	return true;
}

static bool
queues_intr(void *arg)
{
	struct vpci_softc *sc = arg;

	virtio_interrupt(&sc->vd, true, false);
	return true;
}

static bool
any_intr(void *arg)
{
	struct vpci_softc *sc = arg;

	virtio_interrupt(&sc->vd, true, true);
	return true;
}

/* Reading the register lowers the line. */
static bool
line_intr(void *arg)
{
	struct vpci_softc *sc = arg;
	uint8_t isr = sc->port != 0 ? inb(sc->port + VIRTIO_PCI_ISR) : *sc->isr;

	if (isr == 0xff || (isr & 3) == 0)
		return false;
	virtio_interrupt(&sc->vd, (isr & 1) != 0,
	    (isr & VIRTIO_PCI_ISR_CONFIG) != 0);
	return true;
}

static int
establish_vectors(struct vpci_softc *sc)
{
	unsigned i;
	int error;

	if (!pci_intr_is_msix(sc->dev))
		return pci_intr_establish(sc->dev, 0, line_intr, sc);
	if (sc->vectors == 1)
		return pci_intr_establish(sc->dev, 0, any_intr, sc);
	error = pci_intr_establish(sc->dev, 0, config_intr, sc);
	if (sc->vectors < sc->nqueues + 1) {
		for (i = 1; i < sc->vectors && error == 0; i++)
			error = pci_intr_establish(sc->dev, i, queues_intr, sc);
		return error;
	}
	for (i = 0; i < sc->nqueues && error == 0; i++)
		error = pci_intr_establish(sc->dev, i + 1, queue_intr,
		    &sc->queue[i]);
	return error;
}

/* The device takes the vector, or says that it has no room: 0xffff. */
static int
set_config_vector(struct vpci_softc *sc)
{
	uint16_t back;

	if (!pci_intr_is_msix(sc->dev))
		return 0;
	if (sc->port != 0) {
		outw(sc->port + VIRTIO_MSI_CONFIG_VECTOR, 0);
		back = inw(sc->port + VIRTIO_MSI_CONFIG_VECTOR);
	} else {
		common_set(&sc->vd, VIRTIO_PCI_COMMON_MSIX, 2, 0);
		back = common_get(&sc->vd, VIRTIO_PCI_COMMON_MSIX, 2);
	}
	return back == 0 ? 0 : -EBUSY;
}

/*
 * Who submitted just before may still be on his way to the doorbell, so where
 * it is stays known until the next driver, or until the function goes: both
 * wait for the driver, and it for whoever is inside.
 */
static void
vpci_intr_stop(struct virtio_device *vd)
{
	struct vpci_softc *sc = softc_of(vd);

	pci_intr_end(sc->dev);
	sc->nqueues = sc->vectors = 0;
}

/* One vector too few is as good as two: then all queues share. */
static unsigned
useful_vectors(unsigned got, unsigned nqueues)
{
	return got >= nqueues + 1 ? nqueues + 1 : MIN(got, 2);
}

static int
vpci_intr_start(struct virtio_device *vd, unsigned nqueues)
{
	struct vpci_softc *sc = softc_of(vd);
	unsigned got, i;
	int error;

	kfree(sc->queue); /* the last driver's */
	sc->queue = kcalloc(MAX(nqueues, 1), sizeof(sc->queue[0]));
	if (sc->queue == NULL)
		return -ENOMEM;
	for (i = 0; i < nqueues; i++)
		sc->queue[i].sc = sc;
	sc->nqueues = nqueues;
	error = pci_intr_setup(sc->dev, nqueues + 1, &got);
	while (error == 0 && got < sc->nqueues + 1 && sc->nqueues > 1 &&
	    vd->ops->queue_max(vd, sc->nqueues - 1) == 0)
		sc->nqueues--; /* fewer than the driver could use */
	if (error == 0) {
		sc->vectors = useful_vectors(got, sc->nqueues);
		error = establish_vectors(sc);
	}
	if (error == 0)
		error = set_config_vector(sc);
	if (error != 0) {
		log_warn("%s: interrupts: error %d", device_name(sc->dev),
		    -error);
		vpci_intr_stop(vd);
	}
	return error;
}

/* ---- modern registers ---- */

static uint32_t
modern_features(struct virtio_device *vd, unsigned word)
{
	common_set(vd, VIRTIO_PCI_COMMON_DFSELECT, 4, word);
	return common_get(vd, VIRTIO_PCI_COMMON_DF, 4);
}

static void
modern_accept(struct virtio_device *vd, unsigned word, uint32_t bits)
{
	common_set(vd, VIRTIO_PCI_COMMON_GFSELECT, 4, word);
	common_set(vd, VIRTIO_PCI_COMMON_GF, 4, bits);
}

static uint8_t
modern_get_status(struct virtio_device *vd)
{
	return common_get(vd, VIRTIO_PCI_COMMON_STATUS, 1);
}

static void
modern_set_status(struct virtio_device *vd, uint8_t status)
{
	common_set(vd, VIRTIO_PCI_COMMON_STATUS, 1, status);
}

/* Beyond the region there is nothing, which reads as zeros. */
static bool
config_inside(const struct vpci_softc *sc, unsigned offset, unsigned width)
{
	return sc->config != NULL &&
	    (uint64_t)offset + width <= sc->at.device.length;
}

static uint32_t
modern_config_read(struct virtio_device *vd, unsigned offset, unsigned width)
{
	struct vpci_softc *sc = softc_of(vd);

	return config_inside(sc, offset, width) ?
	    mem_read(sc->config + offset, width) :
	    0;
}

static void
modern_config_write(struct virtio_device *vd, unsigned offset, unsigned width,
    uint32_t v)
{
	struct vpci_softc *sc = softc_of(vd);

	if (config_inside(sc, offset, width))
		mem_write(sc->config + offset, width, v);
}

static uint32_t
modern_generation(struct virtio_device *vd)
{
	return common_get(vd, VIRTIO_PCI_COMMON_CFGGENERATION, 1);
}

static unsigned
modern_queue_max(struct virtio_device *vd, unsigned index)
{
	if (index >= common_get(vd, VIRTIO_PCI_COMMON_NUMQ, 2))
		return 0;
	common_set(vd, VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
	return common_get(vd, VIRTIO_PCI_COMMON_Q_SIZE, 2);
}

/* The doorbell's place is the device's word; it stays in its region. */
static int
find_doorbell(struct vpci_softc *sc, struct vpci_queue *q)
{
	uint64_t offset = (uint64_t)common_get(&sc->vd,
			      VIRTIO_PCI_COMMON_Q_NOFF, 2) *
	    sc->at.notify_multiplier;

	if (offset + 2 > sc->at.notify.length)
		return -EPROTO;
	q->doorbell = (volatile uint16_t *)(sc->notify + offset);
	return 0;
}

/* A message of the queue's own goes to the processor that the queue serves. */
static void
prefer_cpu(struct vpci_softc *sc, const struct virtio_place *p)
{
	if (sc->vectors == sc->nqueues + 1)
		pci_intr_prefer_cpu(sc->dev, p->index + 1, p->cpu);
}

static int
modern_queue_vector(struct vpci_softc *sc, const struct virtio_place *p)
{
	unsigned v = vector_of(sc, p->index);

	if (!pci_intr_is_msix(sc->dev))
		return 0;
	prefer_cpu(sc, p);
	common_set(&sc->vd, VIRTIO_PCI_COMMON_Q_MSIX, 2, v);
	return common_get(&sc->vd, VIRTIO_PCI_COMMON_Q_MSIX, 2) == v ? 0 :
								       -EBUSY;
}

static int
modern_queue_start(struct virtio_device *vd, const struct virtio_place *p)
{
	struct vpci_softc *sc = softc_of(vd);
	struct vpci_queue *q = &sc->queue[p->index];
	int error;

	if (p->index >= sc->nqueues)
		return -EINVAL;
	common_set(vd, VIRTIO_PCI_COMMON_Q_SELECT, 2, p->index);
	if (common_get(vd, VIRTIO_PCI_COMMON_Q_ENABLE, 2) != 0)
		return -EBUSY;
	error = find_doorbell(sc, q);
	if (error == 0)
		error = modern_queue_vector(sc, p);
	if (error != 0)
		return error;
	common_set(vd, VIRTIO_PCI_COMMON_Q_SIZE, 2, p->size);
	common_set64(vd, VIRTIO_PCI_COMMON_Q_DESCLO, p->desc);
	common_set64(vd, VIRTIO_PCI_COMMON_Q_AVAILLO, p->driver);
	common_set64(vd, VIRTIO_PCI_COMMON_Q_USEDLO, p->device);
	__atomic_store_n(&q->vq, p->vq, __ATOMIC_RELEASE);
	common_set(vd, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	return 0;
}

static void
modern_notify(struct virtio_device *vd, unsigned index)
{
	*softc_of(vd)->queue[index].doorbell = index;
}

static const struct virtio_ops modern_ops = {
	.features = modern_features,
	.accept = modern_accept,
	.get_status = modern_get_status,
	.set_status = modern_set_status,
	.config_read = modern_config_read,
	.config_write = modern_config_write,
	.generation = modern_generation,
	.queue_max = modern_queue_max,
	.queue_start = modern_queue_start,
	.notify = modern_notify,
	.intr_start = vpci_intr_start,
	.intr_stop = vpci_intr_stop,
};

/* ---- the old registers ---- */

static uint32_t
legacy_features(struct virtio_device *vd, unsigned word)
{
	return word != 0 ? 0 :
			   inl(softc_of(vd)->port + VIRTIO_PCI_HOST_FEATURES);
}

static void
legacy_accept(struct virtio_device *vd, unsigned word, uint32_t bits)
{
	if (word == 0)
		outl(softc_of(vd)->port + VIRTIO_PCI_GUEST_FEATURES, bits);
}

static uint8_t
legacy_get_status(struct virtio_device *vd)
{
	return inb(softc_of(vd)->port + VIRTIO_PCI_STATUS);
}

static void
legacy_set_status(struct virtio_device *vd, uint8_t status)
{
	outb(softc_of(vd)->port + VIRTIO_PCI_STATUS, status);
}

/* Where it begins depends on MSI-X being on; 0: beyond the BAR. */
static uint16_t
legacy_config_port(struct vpci_softc *sc, unsigned offset, unsigned width)
{
	const struct pci_bar *bar = &pci_dev_of(sc->dev)->bar[0];
	uint64_t at = offset;

	at += pci_intr_is_msix(sc->dev) ? LEGACY_CONFIG_MSI : LEGACY_CONFIG;
	return at + width <= bar->size ? sc->port + at : 0;
}

static uint32_t
legacy_config_read(struct virtio_device *vd, unsigned offset, unsigned width)
{
	uint16_t port = legacy_config_port(softc_of(vd), offset, width);

	return port == 0 ? 0 : port_read(port, width);
}

static void
legacy_config_write(struct virtio_device *vd, unsigned offset, unsigned width,
    uint32_t v)
{
	uint16_t port = legacy_config_port(softc_of(vd), offset, width);

	if (port != 0)
		port_write(port, width, v);
}

static unsigned
legacy_queue_max(struct virtio_device *vd, unsigned index)
{
	outw(softc_of(vd)->port + VIRTIO_PCI_QUEUE_SEL, index);
	return inw(softc_of(vd)->port + VIRTIO_PCI_QUEUE_NUM);
}

static int
legacy_queue_start(struct virtio_device *vd, const struct virtio_place *p)
{
	struct vpci_softc *sc = softc_of(vd);
	uint64_t pfn = p->desc >> VIRTIO_PCI_QUEUE_ADDR_SHIFT;
	unsigned v = vector_of(sc, p->index);

	if (p->index >= sc->nqueues || pfn > UINT32_MAX)
		return -EINVAL;
	outw(sc->port + VIRTIO_PCI_QUEUE_SEL, p->index);
	if (inl(sc->port + VIRTIO_PCI_QUEUE_PFN) != 0)
		return -EBUSY;
	__atomic_store_n(&sc->queue[p->index].vq, p->vq, __ATOMIC_RELEASE);
	outl(sc->port + VIRTIO_PCI_QUEUE_PFN, pfn);
	if (!pci_intr_is_msix(sc->dev))
		return 0;
	prefer_cpu(sc, p);
	outw(sc->port + VIRTIO_MSI_QUEUE_VECTOR, v);
	return inw(sc->port + VIRTIO_MSI_QUEUE_VECTOR) == v ? 0 : -EBUSY;
}

static void
legacy_notify(struct virtio_device *vd, unsigned index)
{
	outw(softc_of(vd)->port + VIRTIO_PCI_QUEUE_NOTIFY, index);
}

static const struct virtio_ops legacy_ops = {
	.features = legacy_features,
	.accept = legacy_accept,
	.get_status = legacy_get_status,
	.set_status = legacy_set_status,
	.config_read = legacy_config_read,
	.config_write = legacy_config_write,
	.queue_max = legacy_queue_max,
	.queue_size_fixed = true,
	.queue_start = legacy_queue_start,
	.notify = legacy_notify,
	.intr_start = vpci_intr_start,
	.intr_stop = vpci_intr_stop,
};

/* ---- a node in the tree ---- */

/* What a function that knows the old registers is stands in its subsystem. */
static uint32_t
type_of(const struct pci_header *h)
{
	return h->device >= DEVICE_MODERN ? h->device - DEVICE_MODERN :
					    h->subdevice;
}

static int
vpci_match(struct device *dev)
{
	const struct pci_header *h = &pci_dev_of(dev)->hdr;

	return h->type == 0 && h->device >= DEVICE_LEGACY &&
		h->device <= DEVICE_LAST && type_of(h) != 0 ?
	    DRIVER_MATCH :
	    0;
}

static int
map_modern(struct vpci_softc *sc)
{
	sc->common = pci_map(sc->dev, &sc->at.common);
	sc->notify = pci_map(sc->dev, &sc->at.notify);
	sc->isr = pci_map(sc->dev, &sc->at.isr);
	if (sc->at.device.length != 0)
		sc->config = pci_map(sc->dev, &sc->at.device);
	sc->vd.ops = &modern_ops;
	return sc->common == NULL || sc->notify == NULL || sc->isr == NULL ?
	    -ENXIO :
	    0;
}

static int
find_legacy(struct vpci_softc *sc)
{
	const struct pci_dev *pd = pci_dev_of(sc->dev);

	sc->port = pci_port(sc->dev, 0);
	sc->vd.ops = &legacy_ops;
	sc->vd.legacy = true;
	return sc->port == 0 || pd->bar[0].size < LEGACY_CONFIG_MSI ||
		pd->hdr.device >= DEVICE_MODERN ?
	    -ENXIO :
	    0;
}

/* Capabilities that cannot be used: the old registers may do. */
static int
find_registers(struct vpci_softc *sc)
{
	const struct pci_dev *pd = pci_dev_of(sc->dev);
	int error = pci_parse_virtio(pd->space, pd->bdf, &pd->caps, pd->bar,
	    &sc->at);

	if (error == 0)
		error = map_modern(sc);
	return error == 0 ? 0 : find_legacy(sc);
}

static void
vpci_detach(struct device *dev, enum detach_kind kind)
{
	struct vpci_softc *sc = device_softc(dev);

	(void)kind;
	pci_disable(dev);
	kfree(sc->queue);
	sc->queue = NULL;
}

static int
vpci_attach(struct device *dev)
{
	struct vpci_softc *sc = device_softc(dev);
	const struct pci_header *h = &pci_dev_of(dev)->hdr;
	int error = pci_enable(dev);

	sc->dev = dev;
	sc->vd.type = type_of(h);
	sc->vd.vendor = h->subvendor;
	sc->vd.dma = dma_tag_memory();
	if (error == 0)
		error = find_registers(sc);
	if (error == 0) {
		device_set_bus(dev, &virtio_bus_ops);
		device_announce(dev, "%s, %s", virtio_type_name(sc->vd.type),
		    sc->vd.legacy                 ? "legacy" :
			h->device < DEVICE_MODERN ? "transitional" :
						    "modern");
		error = virtio_add(dev, &sc->vd);
	}
	if (error != 0)
		vpci_detach(dev, DETACH_ASKED);
	return error;
}

static const struct device_id vpci_ids[] = {
	{ .vendor = VIRTIO_VENDOR },
	{ .vendor = 0 },
};

const struct driver virtio_pci_driver = {
	.name = "virtio",
	.linux_name = "virtio-pci",
	.bus = "pci",
	.softc_size = sizeof(struct vpci_softc),
	.ids = vpci_ids,
	.match = vpci_match,
	.attach = vpci_attach,
	.detach = vpci_detach,
};
