/* SPDX-License-Identifier: ISC */
/*
 * virtqueue_split.c - the ring of descriptors, offers and answers in three
 * areas.  Virtio 1.2, 2.7; the legacy layout, 2.7.2.
 */
#include "bus/virtqueue_impl.h"
#include "kern/types.h"
#include "x86/cpu.h"

#define USED_ALIGN_LEGACY 4096u
#define USED_ALIGN        64u /* a cache line of its own */

static struct vring_desc *
descs(const struct virtqueue *vq)
{
	return vq_area(vq, vq->desc);
}

static struct vring_avail *
avail(const struct virtqueue *vq)
{
	return vq_area(vq, vq->driver);
}

static struct vring_used *
used(const struct virtqueue *vq)
{
	return vq_area(vq, vq->device);
}

/* Behind each ring: whom the other side wants to be told of. */
static uint16_t *
used_event(const struct virtqueue *vq)
{
	return &avail(vq)->ring[vq->size];
}

static const uint16_t *
avail_event(const struct virtqueue *vq)
{
	return (const uint16_t *)&used(vq)->ring[vq->size];
}

static size_t
split_layout(struct virtqueue *vq)
{
	vq->desc = 0;
	vq->driver = vq->size * sizeof(struct vring_desc);
	vq->device = ROUND_UP(vq->driver + 6 + 2 * vq->size,
	    vq->vd->legacy ? USED_ALIGN_LEGACY : USED_ALIGN);
	return vq->device + 6 + 8 * vq->size;
}

static void
split_start(struct virtqueue *vq)
{
	vq->next_avail = 0;
	vq->last_used = 0;
}

static void
write_desc(struct vring_desc *d, const struct vq_chain *c, unsigned i,
    uint16_t next)
{
	d->addr = c->seg[i].addr;
	d->len = c->seg[i].len;
	d->flags = (i >= c->nread ? VRING_DESC_F_WRITE : 0) |
	    (i + 1 < c->n ? VRING_DESC_F_NEXT : 0);
	d->next = i + 1 < c->n ? next : 0;
}

static void
split_fill(struct virtqueue *vq, const struct vq_chain *c)
{
	struct vring_desc *table = vq_table(vq, c->table);
	unsigned i;

	for (i = 0; i < c->n; i++)
		write_desc(&table[i], c, i, i + 1);
}

/* The free list's order is the chain's; it ends where the list goes on. */
static uint16_t
write_direct(struct virtqueue *vq, const struct vq_chain *c, uint16_t at)
{
	unsigned i;

	for (i = 0; i < c->n; i++) {
		write_desc(&descs(vq)[at], c, i, vq->slot[at].next);
		at = vq->slot[at].next;
	}
	return at;
}

static uint16_t
write_indirect(struct virtqueue *vq, const struct vq_chain *c, uint16_t at)
{
	struct vring_desc *d = &descs(vq)[at];

	d->addr = vq_table_addr(vq, c->table);
	d->len = c->n * sizeof(*d);
	d->flags = VRING_DESC_F_INDIRECT;
	d->next = 0;
	return vq->slot[at].next;
}

static void
split_push(struct virtqueue *vq, const struct vq_chain *c)
{
	uint16_t head = vq->free_slot;

	vq->free_slot = c->table != VQ_NONE ? write_indirect(vq, c, head) :
					      write_direct(vq, c, head);
	avail(vq)->ring[vq->next_avail & (vq->size - 1)] = head;
	vq->next_avail++;
	__atomic_store_n(&avail(vq)->idx, vq->next_avail, __ATOMIC_RELEASE);
	vq->added++;
}

static bool
split_kick_needed(struct virtqueue *vq)
{
	uint16_t event;

	if (!vq->event_idx)
		return (__atomic_load_n(&used(vq)->flags, __ATOMIC_RELAXED) &
			   VRING_USED_F_NO_NOTIFY) == 0;
	event = __atomic_load_n(avail_event(vq), __ATOMIC_RELAXED);
	return (uint16_t)(vq->next_avail - event - 1) < vq->added;
}

static uint16_t
waiting(const struct virtqueue *vq)
{
	return __atomic_load_n(&used(vq)->idx, __ATOMIC_ACQUIRE) -
	    vq->last_used;
}

static bool
split_answer(struct virtqueue *vq, uint32_t *id, uint32_t *len)
{
	uint16_t n = waiting(vq);
	const struct vring_used_elem *e;

	if (n == 0)
		return false;
	if (n > vq->nchains) {
		vq->nbad++;
		virtio_broken(vq->vd, "queue %u: %u answers to %u chains",
		    vq->index, n, vq->nchains);
		return false;
	}
	e = &used(vq)->ring[vq->last_used & (vq->size - 1)];
	*id = __atomic_load_n(&e->id, __ATOMIC_RELAXED);
	*len = __atomic_load_n(&e->len, __ATOMIC_RELAXED);
	vq->last_used++;
	return true;
}

static void
split_taken(struct virtqueue *vq, uint16_t id)
{
	uint16_t tail = id;
	unsigned i;

	for (i = 1; i < vq->slot[id].ndesc; i++)
		tail = vq->slot[tail].next;
	vq->slot[tail].next = vq->free_slot;
	vq->free_slot = id;
}

/*
 * With event index there is nothing to turn off: the device tells once, when
 * it passes the place it was given.
 */
static void
split_intr_off(struct virtqueue *vq)
{
	if (vq->event_idx && vq->intr == NULL)
		*used_event(vq) = vq->last_used - 1;
	if (vq->event_idx || vq->quiet == VRING_AVAIL_F_NO_INTERRUPT)
		return;
	vq->quiet = VRING_AVAIL_F_NO_INTERRUPT;
	__atomic_store_n(&avail(vq)->flags, vq->quiet, __ATOMIC_RELAXED);
}

static bool
split_intr_on(struct virtqueue *vq, unsigned after)
{
	if (vq->event_idx) {
		__atomic_store_n(used_event(vq), vq->last_used + after,
		    __ATOMIC_RELAXED);
	} else {
		after = 0;
		vq->quiet = 0;
		__atomic_store_n(&avail(vq)->flags, 0, __ATOMIC_RELAXED);
	}
	cpu_device_fence();
	return waiting(vq) <= after;
}

const struct vq_format vq_split = {
	.layout = split_layout,
	.start = split_start,
	.push = split_push,
	.kick_needed = split_kick_needed,
	.answer = split_answer,
	.taken = split_taken,
	.fill = split_fill,
	.intr_off = split_intr_off,
	.intr_on = split_intr_on,
};
