/* SPDX-License-Identifier: ISC */
/*
 * virtio.h - a virtio device, whatever carries it.  Virtio 1.2, 2 and 3.
 *
 * A transport (MMIO, PCI) finds the device, fills a struct virtio_device with
 * its operations and adds the device's node below its own.  A driver is
 * written once against the functions here and in virtqueue.h:
 *
 *	virtio_negotiate() -> virtqueue_create()... -> virtio_driver_ok()
 *	-> ... -> virtio_stop() -> virtqueue_destroy()...
 *
 * virtio_stop() is tolerant of all that comes before it being half done.
 *
 * What the device says is read once and checked.  A device that breaks the
 * protocol is marked by virtio_broken(): one line in the log, and the tree
 * takes it away as gone.  An absent device reads as all ones and is treated
 * in the same way.
 *
 * Context: negotiate, stop and reset: threads that may sleep; the others any.
 * Locking: none inside.  Set-up and end are in the driver's attach() and
 * detach(), which the tree serialises.
 */
#ifndef BUS_VIRTIO_H
#define BUS_VIRTIO_H

#include "kern/types.h"
#include <bsd/sys/queue.h>

struct device;
struct dma_tag;
struct virtio_device;
struct virtqueue;

#define VIRTIO_BIT(n) (1ull << (n))

/* Where a queue lies, for the transport. */
struct virtio_place {
	unsigned index;
	unsigned size;                 /* entries */
	unsigned cpu;                  /* see struct virtqueue_spec */
	uint64_t desc, driver, device; /* bus addresses of the three areas */
	struct virtqueue *vq;          /* for virtqueue_interrupt() */
};

/*
 * What a transport does.  None of these checks what the device answers; the
 * functions below do.
 */
struct virtio_ops {
	/* Feature bits 32 * word ... of the device; the driver's answer. */
	uint32_t (*features)(struct virtio_device *vd, unsigned word);
	void (*accept)(struct virtio_device *vd, unsigned word, uint32_t bits);
	uint8_t (*get_status)(struct virtio_device *vd);
	void (*set_status)(struct virtio_device *vd, uint8_t status);
	/* A field of the configuration space; width 1, 2 or 4. */
	uint32_t (*config_read)(struct virtio_device *vd, unsigned offset,
	    unsigned width);
	void (*config_write)(struct virtio_device *vd, unsigned offset,
	    unsigned width, uint32_t value);
	/* Changes with the configuration; NULL: legacy has none. */
	uint32_t (*generation)(struct virtio_device *vd);
	/* Entries a queue can have; 0: there is no such queue. */
	unsigned (*queue_max)(struct virtio_device *vd, unsigned index);
	/* Its size cannot be chosen (PCI, legacy). */
	bool queue_size_fixed;
	/* Tells the device where a queue is; -EBUSY: it says it has one. */
	int (*queue_start)(struct virtio_device *vd,
	    const struct virtio_place *place);
	/* The doorbell.  Any context. */
	void (*notify)(struct virtio_device *vd, unsigned index);
	/*
	 * Interrupts, for all queues; after intr_stop() no handler runs.
	 * `nqueues` will be started.  Both may sleep; stop without start is
	 * harmless.
	 */
	int (*intr_start)(struct virtio_device *vd, unsigned nqueues);
	void (*intr_stop)(struct virtio_device *vd);
};

struct virtio_device { /* filled by the transport, zeroed first */
	const struct virtio_ops *ops; /* [I] */
	struct device *dev;  /* [I] the device's own node: set by attach */
	struct dma_tag *dma; /* [I] */
	uint32_t type;       /* [I] virtio's device id, never 0 */
	uint32_t vendor;     /* [I] */
	bool legacy;         /* [I] the registers are; no VERSION_1 */

	/* Filled here: */
	uint64_t features; /* what both sides agreed on */
	bool running;      /* atomic: between driver_ok and stop */
	bool broken;       /* atomic: once and for all */
	SLIST_HEAD(, virtqueue) queues;
	void (*changed)(void *arg); /* configuration; interrupt context */
	void *changed_arg;
};

/* ---- for drivers ---- */

/* The device behind a node that a transport added; for its attach(). */
struct virtio_device *virtio_device_of(struct device *dev);

/*
 * Resets the device, greets it, and agrees on features: of `wanted` (and the
 * rings' own features) what it offers, VERSION_1 unless it is legacy.
 * `nqueues`: how many queues will be made at most.
 *   -ENODEV   it is absent, or does not come out of reset
 *   -EPROTO   it does not offer, or does not keep to, what it must
 */
int
virtio_negotiate(struct virtio_device *vd, uint64_t wanted, unsigned nqueues);
static inline bool
virtio_has(const struct virtio_device *vd, unsigned feature)
{
	return (vd->features >> feature & 1) != 0;
}
/* What it offers, before or after; two or more accesses to the device. */
uint64_t virtio_offers(struct virtio_device *vd);

/* The device may begin; interrupts may come before this returns. */
void virtio_driver_ok(struct virtio_device *vd);

/*
 * The device is told to stop, then no handler of it runs any more.  True: it
 * is quiet and writes to no memory.  `gone`: do not wait for it.
 */
bool virtio_stop(struct virtio_device *vd, bool gone);

/*
 * The configuration space, little endian in either version.  For more than
 * one field that belong together, and for 64 bits, use virtio_config().
 */
uint8_t virtio_config8(struct virtio_device *vd, unsigned offset);
uint16_t virtio_config16(struct virtio_device *vd, unsigned offset);
uint32_t virtio_config32(struct virtio_device *vd, unsigned offset);
uint64_t virtio_config64(struct virtio_device *vd, unsigned offset);
void virtio_config_set8(struct virtio_device *vd, unsigned offset, uint8_t v);
void virtio_config_set32(struct virtio_device *vd, unsigned offset, uint32_t v);

/*
 * Calls read(vd, arg) until the configuration did not change meanwhile.
 *   -EIO  it never stands still
 */
int virtio_config(struct virtio_device *vd,
    void (*read)(struct virtio_device *vd, void *arg), void *arg);

/* Who is told of a change of the configuration; before driver_ok. */
void
virtio_on_change(struct virtio_device *vd, void (*fn)(void *arg), void *arg);

/*
 * The device lied or broke, says what follows in the log (once): it is taken
 * away as gone soon.  Any context, locks of the driver included.
 */
void virtio_broken(struct virtio_device *vd, const char *fmt, ...)
    __printflike(2, 3);
bool virtio_is_broken(const struct virtio_device *vd);

/* ---- for transports ---- */

/*
 * An interrupt came: for any queue, for the configuration, or both.  Nothing
 * happens unless the device runs.
 */
void virtio_interrupt(struct virtio_device *vd, bool queues, bool config);

/*
 * Adds the device's node below the transport's own (device_set_bus() with
 * virtio_bus_ops was called) and lets its driver attach.
 */
int virtio_add(struct device *transport, struct virtio_device *vd);

struct bus_ops;
extern const struct bus_ops virtio_bus_ops; /* "virtio" */

/* "block", "network": what a type is called in the log; "type 77". */
const char *virtio_type_name(uint32_t type);

#endif
