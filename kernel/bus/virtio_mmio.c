/* SPDX-License-Identifier: ISC */
/*
 * virtio_mmio.c - virtio devices behind a page of registers.  Virtio 1.2, 4.2;
 * version 1 of the registers, 4.2.4.
 *
 * The interrupt line is an edge where the host counts edges (Firecracker) and
 * a level that QEMU lowers with the last bit acknowledged.  Taken as an edge,
 * both work if the handler does not leave before the status reads 0: then the
 * next bit makes a new edge.
 */
#include "bus/virtio_mmio.h"
#include "bus/device.h"
#include "bus/dma.h"
#include "bus/intr.h"
#include "bus/virtio.h"
#include "kern/boot.h"
#include "kern/bootargs.h"
#include "kern/cmdline.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/virtio_mmio.h>

#define MAGIC      0x74726976u
#define WINDOW_MIN 0x110u /* registers and some configuration */
#define WINDOW_MAX 0x100000u
#define ADDR_MAX   (1ull << 52)
#define VALUE_MAX  80   /* of one argument; longer ones are nonsense */
#define ROUNDS_MAX 1000 /* of one interrupt */

/* What is known of a place: the node's ivars. */
struct mmio_slot {
	struct virtio_mmio_place place;
	unsigned flags; /* INTR_* */
	volatile uint8_t *regs;
	uint32_t version, type, vendor;
};

struct mmio_softc {
	struct virtio_device vd;
	struct mmio_slot *slot; /* [I] */
	struct intr_source *source;
	struct intr_handler *handler;
};

static uint32_t
reg_get(const struct mmio_slot *slot, unsigned offset)
{
	return *(volatile uint32_t *)(slot->regs + offset);
}

static void
reg_set(const struct mmio_slot *slot, unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(slot->regs + offset) = value;
}

static struct mmio_slot *
slot_of(struct virtio_device *vd)
{
	return container_of(vd, struct mmio_softc, vd)->slot;
}

/* ------------------------------------------------------- operations -- */

static uint32_t
mmio_features(struct virtio_device *vd, unsigned word)
{
	reg_set(slot_of(vd), VIRTIO_MMIO_DEVICE_FEATURES_SEL, word);
	return reg_get(slot_of(vd), VIRTIO_MMIO_DEVICE_FEATURES);
}

static void
mmio_accept(struct virtio_device *vd, unsigned word, uint32_t bits)
{
	reg_set(slot_of(vd), VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
	reg_set(slot_of(vd), VIRTIO_MMIO_DRIVER_FEATURES, bits);
}

static uint8_t
mmio_get_status(struct virtio_device *vd)
{
	return reg_get(slot_of(vd), VIRTIO_MMIO_STATUS);
}

static void
mmio_set_status(struct virtio_device *vd, uint8_t status)
{
	reg_set(slot_of(vd), VIRTIO_MMIO_STATUS, status);
}

/* Beyond the window there is nothing, which reads as zeros. */
static bool
config_inside(const struct mmio_slot *slot, unsigned offset, unsigned width)
{
	return offset + width <= slot->place.size - VIRTIO_MMIO_CONFIG;
}

static uint32_t
mmio_config_read(struct virtio_device *vd, unsigned offset, unsigned width)
{
	struct mmio_slot *slot = slot_of(vd);
	volatile uint8_t *at = slot->regs + VIRTIO_MMIO_CONFIG + offset;

	if (!config_inside(slot, offset, width))
		return 0;
	switch (width) {
	case 1: return *at;
	case 2: return *(volatile uint16_t *)at;
	default: return *(volatile uint32_t *)at;
	}
}

static void
mmio_config_write(struct virtio_device *vd, unsigned offset, unsigned width,
    uint32_t value)
{
	struct mmio_slot *slot = slot_of(vd);
	volatile uint8_t *at = slot->regs + VIRTIO_MMIO_CONFIG + offset;

	if (!config_inside(slot, offset, width))
		return;
	switch (width) {
	case 1: *at = value; break;
	case 2: *(volatile uint16_t *)at = value; break;
	default: *(volatile uint32_t *)at = value; break;
	}
}

static uint32_t
mmio_generation(struct virtio_device *vd)
{
	return reg_get(slot_of(vd), VIRTIO_MMIO_CONFIG_GENERATION);
}

static unsigned
mmio_queue_max(struct virtio_device *vd, unsigned index)
{
	reg_set(slot_of(vd), VIRTIO_MMIO_QUEUE_SEL, index);
	return reg_get(slot_of(vd), VIRTIO_MMIO_QUEUE_NUM_MAX);
}

static void
mmio_notify(struct virtio_device *vd, unsigned index)
{
	reg_set(slot_of(vd), VIRTIO_MMIO_QUEUE_NOTIFY, index);
}

static void
reg_set64(struct mmio_slot *slot, unsigned offset, uint64_t value)
{
	reg_set(slot, offset, (uint32_t)value);
	reg_set(slot, offset + 4, value >> 32);
}

static int
modern_queue_start(struct virtio_device *vd, const struct virtio_place *p)
{
	struct mmio_slot *slot = slot_of(vd);

	reg_set(slot, VIRTIO_MMIO_QUEUE_SEL, p->index);
	if (reg_get(slot, VIRTIO_MMIO_QUEUE_READY) != 0)
		return -EBUSY;
	reg_set(slot, VIRTIO_MMIO_QUEUE_NUM, p->size);
	reg_set64(slot, VIRTIO_MMIO_QUEUE_DESC_LOW, p->desc);
	reg_set64(slot, VIRTIO_MMIO_QUEUE_AVAIL_LOW, p->driver);
	reg_set64(slot, VIRTIO_MMIO_QUEUE_USED_LOW, p->device);
	reg_set(slot, VIRTIO_MMIO_QUEUE_READY, 1);
	return 0;
}

static int
legacy_queue_start(struct virtio_device *vd, const struct virtio_place *p)
{
	struct mmio_slot *slot = slot_of(vd);

	reg_set(slot, VIRTIO_MMIO_QUEUE_SEL, p->index);
	if (reg_get(slot, VIRTIO_MMIO_QUEUE_PFN) != 0)
		return -EBUSY;
	reg_set(slot, VIRTIO_MMIO_GUEST_PAGE_SIZE, PAGE_SIZE);
	reg_set(slot, VIRTIO_MMIO_QUEUE_NUM, p->size);
	reg_set(slot, VIRTIO_MMIO_QUEUE_ALIGN, PAGE_SIZE);
	reg_set(slot, VIRTIO_MMIO_QUEUE_PFN, p->desc >> PAGE_SHIFT);
	return 0;
}

/*
 * Acknowledging blindly saves one access to the device: only a bit of the
 * configuration has to be read to be known.
 */
static bool
mmio_intr(void *arg)
{
	struct mmio_softc *sc = arg;
	struct mmio_slot *slot = sc->slot;
	uint32_t status = VIRTIO_MMIO_INT_VRING;
	unsigned round;

	for (round = 0; round < ROUNDS_MAX; round++) {
		reg_set(slot, VIRTIO_MMIO_INTERRUPT_ACK, status);
		virtio_interrupt(&sc->vd, (status & VIRTIO_MMIO_INT_VRING) != 0,
		    (status & VIRTIO_MMIO_INT_CONFIG) != 0);
		status = reg_get(slot, VIRTIO_MMIO_INTERRUPT_STATUS) &
		    (VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
		if (status == 0)
			return true;
	}
	if (__atomic_load_n(&sc->vd.running, __ATOMIC_ACQUIRE))
		virtio_broken(&sc->vd, "its interrupt cannot be acknowledged");
	return true;
}

static int
mmio_intr_start(struct virtio_device *vd, unsigned nqueues)
{
	struct mmio_softc *sc = container_of(vd, struct mmio_softc, vd);
	struct mmio_slot *slot = sc->slot;
	int error;

	(void)nqueues;
	error = slot->place.irq < 16 && slot->flags == INTR_EDGE ?
	    intr_isa_get(slot->place.irq, &sc->source) :
	    intr_gsi_get(slot->place.irq, slot->flags, &sc->source);
	if (error == 0)
		error = intr_establish(sc->source, mmio_intr, sc,
		    device_name(vd->dev), &sc->handler);
	if (error != 0)
		log_warn("%s: interrupt %u: error %d", device_name(vd->dev),
		    slot->place.irq, -error);
	return error;
}

static void
mmio_intr_stop(struct virtio_device *vd)
{
	struct mmio_softc *sc = container_of(vd, struct mmio_softc, vd);

	intr_disestablish(sc->handler);
	intr_put(sc->source);
	sc->handler = NULL;
	sc->source = NULL;
}

static const struct virtio_ops modern_ops = {
	.features = mmio_features,
	.accept = mmio_accept,
	.get_status = mmio_get_status,
	.set_status = mmio_set_status,
	.config_read = mmio_config_read,
	.config_write = mmio_config_write,
	.generation = mmio_generation,
	.queue_max = mmio_queue_max,
	.queue_start = modern_queue_start,
	.notify = mmio_notify,
	.intr_start = mmio_intr_start,
	.intr_stop = mmio_intr_stop,
};
static const struct virtio_ops legacy_ops = {
	.features = mmio_features,
	.accept = mmio_accept,
	.get_status = mmio_get_status,
	.set_status = mmio_set_status,
	.config_read = mmio_config_read,
	.config_write = mmio_config_write,
	.queue_max = mmio_queue_max,
	.queue_start = legacy_queue_start,
	.notify = mmio_notify,
	.intr_start = mmio_intr_start,
	.intr_stop = mmio_intr_stop,
};

/* ------------------------------------------------ a node in the tree -- */

static int
mmio_attach(struct device *dev)
{
	struct mmio_softc *sc = device_softc(dev);
	struct mmio_slot *slot = device_ivars(dev);

	sc->slot = slot;
	sc->vd.ops = slot->version == 1 ? &legacy_ops : &modern_ops;
	sc->vd.legacy = slot->version == 1;
	sc->vd.type = slot->type;
	sc->vd.vendor = slot->vendor;
	sc->vd.dma = dma_tag_memory();
	device_set_bus(dev, &virtio_bus_ops);
	device_announce(dev, "%s, version %u, interrupt %u",
	    virtio_type_name(slot->type), slot->version, slot->place.irq);
	return virtio_add(dev, &sc->vd);
}

/* The device's own node, and all that it had, is gone by now. */
static void
mmio_detach(struct device *dev, enum detach_kind kind)
{
	(void)dev;
	(void)kind;
}

static const struct device_id mmio_ids[] = { { .text = "virtio,mmio" }, { 0 } };

const struct driver virtio_mmio_driver = {
	.name = "virtio",
	.linux_name = "virtio-mmio",
	.bus = "root",
	.softc_size = sizeof(struct mmio_softc),
	.ids = mmio_ids,
	.attach = mmio_attach,
	.detach = mmio_detach,
};

/* ------------------------------------------------- who is out there -- */

/* Registers are not where memory is, and a page of them is a page. */
static bool
place_makes_sense(const struct virtio_mmio_place *p)
{
	const struct boot_info *bi = boot_info();
	unsigned i;

	if (p->size < WINDOW_MIN || p->size > WINDOW_MAX || p->addr == 0 ||
	    p->addr % 4 != 0 || p->addr >= ADDR_MAX)
		return false;
	for (i = 0; i < bi->nranges; i++) {
		if (bi->range[i].type == BOOT_MEM_RAM &&
		    p->addr < bi->range[i].base + bi->range[i].size &&
		    bi->range[i].base < p->addr + p->size)
			return false;
	}
	return true;
}

/* 0; -ENODEV: empty, or no such device (told in the log). */
static int
probe(struct mmio_slot *slot)
{
	uint32_t magic;

	slot->regs = mmio_map(slot->place.addr, slot->place.size);
	if (slot->regs == NULL)
		return -ENOMEM;
	magic = reg_get(slot, VIRTIO_MMIO_MAGIC_VALUE);
	slot->version = reg_get(slot, VIRTIO_MMIO_VERSION);
	if (magic != MAGIC || slot->version < 1 || slot->version > 2) {
		log_warn("virtio_mmio: at 0x%lx is no device of version 1 or "
			 "2 (it reads 0x%x, 0x%x)",
		    slot->place.addr, magic, slot->version);
		return -ENODEV;
	}
	slot->type = reg_get(slot, VIRTIO_MMIO_DEVICE_ID);
	if (slot->type == 0)
		return -ENODEV;
	slot->vendor = reg_get(slot, VIRTIO_MMIO_VENDOR_ID);
	return 0;
}

static int
add_node(struct mmio_slot *slot)
{
	char address[32], where[32];
	struct device_spec spec = {
		.id = { .text = "virtio,mmio" },
		.address = address,
		.where = where,
		.ivars = slot,
	};

	snprintf(address, sizeof(address), "virtio-mmio@%lx", slot->place.addr);
	snprintf(where, sizeof(where), "addr 0x%lx", slot->place.addr);
	return device_add(device_root(), &spec, NULL);
}

/* A place that is known keeps what is known, for as long as the kernel. */
int
virtio_mmio_add(const struct virtio_mmio_place *place, unsigned flags)
{
	struct mmio_slot *slot;
	int error;

	if (!place_makes_sense(place))
		return -EINVAL;
	slot = kzalloc(sizeof(*slot));
	if (slot == NULL)
		return -ENOMEM;
	slot->place = *place;
	slot->flags = flags;
	error = probe(slot);
	if (error == 0)
		error = add_node(slot);
	if (error != 0)
		kfree(slot);
	return error;
}

int
virtio_mmio_scan(const struct boot_info *bi)
{
	struct virtio_mmio_place place;
	const char *line = bi->cmdline;
	char value[VALUE_MAX];
	int error;

	if (!bootargs()->virtio_mmio)
		return 0;
	for (;;) {
		error = cmdline_next_value(&line, "virtio_mmio.device", value,
		    sizeof(value));
		if (error == -ENOENT)
			return 0;
		if (error >= 0)
			error = virtio_mmio_parse(value, &place);
		if (error == 0)
			error = virtio_mmio_add(&place, INTR_EDGE);
		if (error == -EINVAL || error == -E2BIG)
			log_warn("virtio_mmio.device=%s makes no sense, "
				 "ignored",
			    error == -E2BIG ? "..." : value);
		else if (error != 0 && error != -ENODEV)
			log_warn("virtio_mmio.device=%s: error %d", value,
			    -error);
	}
}
