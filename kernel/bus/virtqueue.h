/* SPDX-License-Identifier: ISC */
/*
 * virtqueue.h - a virtqueue, split or packed, seen from the driver.
 * Virtio 1.2, 2.6 to 2.8.
 * Context: any, interrupts included; only create and destroy may sleep.
 * Locking: none inside; callers serialise calls on one queue.
 *
 * All that the driver's side must know of a chain stays in private memory and
 * is never read back from the ring.  Of the device's side each field is read
 * once, then checked.  What cannot be true marks the device as broken; from
 * then on push says -ENODEV and pop NULL.
 */
#ifndef BUS_VIRTQUEUE_H
#define BUS_VIRTQUEUE_H

#include "bus/dma.h"
#include "bus/virtio.h"
#include "kern/types.h"

struct virtqueue;

struct virtqueue_spec {
	unsigned index;
	unsigned max_size;  /* entries at most; 0: 256 */
	unsigned max_chain; /* segments of the longest chain */
	/*
	 * Indirect tables to keep, for chains of max_chain segments that would
	 * take too much of the ring; 0: none.  Chains longer than the ring
	 * need one.
	 */
	unsigned ntables;
	/* Its answers tell lengths that are too long: not even a line of log. */
	bool long_answers;
	/*
	 * Of several alike: the processor that it serves, 0 for the only one.
	 * Its interrupt goes there, where it has one of its own.
	 */
	unsigned cpu;
	/* Interrupt context; NULL: the queue is polled, never interrupts. */
	void (*intr)(void *arg);
	void *arg;
};

/*
 * Makes a queue of the device and starts it: between virtio_negotiate() and
 * virtio_driver_ok().
 *   -ENOENT  the device has no such queue
 *   -EPROTO  its size makes no sense
 *   -ENOMEM, -EBUSY, what intr_establish() says
 */
int virtqueue_create(struct virtio_device *vd,
    const struct virtqueue_spec *spec, struct virtqueue **out);
/*
 * After virtio_stop(), whose answer is `quiet`: without it the ring's memory
 * is kept aside for ever.  NULL is harmless.
 */
void virtqueue_destroy(struct virtqueue *vq, bool quiet);

/*
 * Offers one chain: the device reads seg[0..nread), then writes `nwrite` more
 * (2.7.13).  `seg` is read during the call only; the memory behind it belongs
 * to the device until virtqueue_pop() or virtqueue_take_back() returns
 * `cookie` (not NULL).  The device need not look before virtqueue_kick().
 *   -ENOSPC  not enough room; comes back with answers
 *   -E2BIG   would not fit in an empty queue
 *   -ENODEV  broken
 */
int virtqueue_push(struct virtqueue *vq, const struct dma_seg *seg,
    unsigned nread, unsigned nwrite, void *cookie);

/*
 * Whether the device wants to be told of what was pushed since the last call.
 * If so, virtqueue_notify() is due, for which the caller's lock may be open.
 */
bool virtqueue_kick_needed(struct virtqueue *vq);
void virtqueue_notify(struct virtqueue *vq);
static inline void
virtqueue_kick(struct virtqueue *vq)
{
	if (virtqueue_kick_needed(vq))
		virtqueue_notify(vq);
}

/*
 * Takes the next answered chain (2.7.14): its cookie, or NULL if there is none.
 * *len is the number of bytes written, never more than was offered.  An answer
 * to a chain that was not offered is counted, logged once, and dropped here.
 */
void *virtqueue_pop(struct virtqueue *vq, uint32_t *len);

/*
 * No interrupts for now: a wish, the device may send some.  And on again:
 * false when there are answers already, which then may have no interrupt.
 *	do {
 *		virtqueue_intr_off(vq);
 *		while ((c = virtqueue_pop(vq, &len)) != NULL)
 *			...
 *	} while (!virtqueue_intr_on(vq));
 * A queue begins with interrupts on.
 */
void virtqueue_intr_off(struct virtqueue *vq);
bool virtqueue_intr_on(struct virtqueue *vq);
/*
 * On, but where the device can wait, only when most of what is outstanding has
 * been answered: for transmit queues.
 */
bool virtqueue_intr_on_late(struct virtqueue *vq);

/* Any chain of those never answered; NULL: no more.  After virtio_stop(). */
void *virtqueue_take_back(struct virtqueue *vq);

/* Entries of the ring. */
unsigned virtqueue_size(const struct virtqueue *vq);
/* Segments that a direct chain may have now. */
unsigned virtqueue_room(const struct virtqueue *vq);
/* Chains that were pushed and not yet popped. */
unsigned virtqueue_outstanding(const struct virtqueue *vq);
/* Answers that could not be true, lengths cut included. */
uint64_t virtqueue_nbad(const struct virtqueue *vq);

/* For transports: the queue's interrupt came.  Interrupt context. */
void virtqueue_interrupt(struct virtqueue *vq);

#endif
