/* SPDX-License-Identifier: ISC */
/*
 * virtqueue_packed.c - one ring of descriptors that both sides write.
 * Virtio 1.2, 2.8.
 *
 * A place in the ring is free or in use by the laps of its two sides: a
 * descriptor is offered when AVAIL is the driver's lap and USED is not,
 * answered when both are the lap of the answers.
 */
#include "bus/virtqueue_impl.h"
#include "kern/types.h"
#include "x86/cpu.h"

#define DESC_AVAIL  (1u << VRING_PACKED_DESC_F_AVAIL)
#define DESC_USED   (1u << VRING_PACKED_DESC_F_USED)
#define EVENT_ALIGN 64u
#define EVENT_WRAP  (1u << VRING_PACKED_EVENT_F_WRAP_CTR)

/* Two 16-bit fields that are read and written as one. */
#define EVENT(place, flags) ((uint32_t)(place) | (uint32_t)(flags) << 16)

static struct vring_packed_desc *
descs(const struct virtqueue *vq)
{
	return vq_area(vq, vq->desc);
}

static uint32_t *
driver_event(const struct virtqueue *vq)
{
	return vq_area(vq, vq->driver);
}

static size_t
packed_layout(struct virtqueue *vq)
{
	vq->desc = 0;
	vq->driver = ROUND_UP(vq->size * sizeof(struct vring_packed_desc),
	    EVENT_ALIGN);
	vq->device = vq->driver + EVENT_ALIGN;
	return vq->device + EVENT_ALIGN;
}

static void
packed_start(struct virtqueue *vq)
{
	vq->next_avail = 0;
	vq->last_used = 0;
	vq->avail_wrap = true;
	vq->used_wrap = true;
}

static void
packed_fill(struct virtqueue *vq, const struct vq_chain *c)
{
	struct vring_packed_desc *table = vq_table(vq, c->table);
	unsigned i;

	for (i = 0; i < c->n; i++) {
		table[i].addr = c->seg[i].addr;
		table[i].len = c->seg[i].len;
		table[i].id = 0;
		table[i].flags = i >= c->nread ? VRING_DESC_F_WRITE : 0;
	}
}

static uint16_t
lap_flags(const struct virtqueue *vq)
{
	return vq->avail_wrap ? DESC_AVAIL : DESC_USED;
}

static void
advance(const struct virtqueue *vq, uint16_t *place, bool *wrap, unsigned n)
{
	*place += n;
	if (*place >= vq->size) {
		*place -= vq->size;
		*wrap = !*wrap;
	}
}

/* All but the flags, which the first descriptor gets last. */
static void
write_place(struct virtqueue *vq, uint64_t addr, uint32_t len, uint16_t id)
{
	struct vring_packed_desc *d = &descs(vq)[vq->next_avail];

	d->addr = addr;
	d->len = len;
	d->id = id;
}

static uint16_t
write_direct(struct virtqueue *vq, const struct vq_chain *c, uint16_t id)
{
	uint16_t flags, first = 0;
	unsigned i;

	for (i = 0; i < c->n; i++) {
		flags = lap_flags(vq) |
		    (i >= c->nread ? VRING_DESC_F_WRITE : 0) |
		    (i + 1 < c->n ? VRING_DESC_F_NEXT : 0);
		write_place(vq, c->seg[i].addr, c->seg[i].len, id);
		if (i == 0)
			first = flags;
		else
			descs(vq)[vq->next_avail].flags = flags;
		advance(vq, &vq->next_avail, &vq->avail_wrap, 1);
	}
	return first;
}

static uint16_t
write_indirect(struct virtqueue *vq, const struct vq_chain *c, uint16_t id)
{
	uint16_t flags = lap_flags(vq) | VRING_DESC_F_INDIRECT;

	write_place(vq, vq_table_addr(vq, c->table),
	    c->n * sizeof(struct vring_packed_desc), id);
	advance(vq, &vq->next_avail, &vq->avail_wrap, 1);
	return flags;
}

static void
packed_push(struct virtqueue *vq, const struct vq_chain *c)
{
	uint16_t id = vq->free_slot, place = vq->next_avail, flags;

	vq->free_slot = vq->slot[id].next;
	flags = c->table != VQ_NONE ? write_indirect(vq, c, id) :
				      write_direct(vq, c, id);
	__atomic_store_n(&descs(vq)[place].flags, flags, __ATOMIC_RELEASE);
	vq->added += vq->slot[id].ndesc;
}

static bool
packed_kick_needed(struct virtqueue *vq)
{
	uint32_t event = __atomic_load_n((const uint32_t *)vq_area(vq,
					     vq->device),
	    __ATOMIC_RELAXED);
	uint16_t place = event & (EVENT_WRAP - 1);

	if ((event >> 16 & 3) != VRING_PACKED_EVENT_FLAG_DESC)
		return (event >> 16 & 3) != VRING_PACKED_EVENT_FLAG_DISABLE;
	if (((event & EVENT_WRAP) != 0) != vq->avail_wrap)
		place -= vq->size;
	return (uint16_t)(vq->next_avail - place - 1) < vq->added;
}

static bool
packed_answer(struct virtqueue *vq, uint32_t *id, uint32_t *len)
{
	const struct vring_packed_desc *d = &descs(vq)[vq->last_used];
	uint16_t flags = __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE);
	bool used = (flags & DESC_USED) != 0;

	if (((flags & DESC_AVAIL) != 0) != used || used != vq->used_wrap)
		return false;
	if (vq->nchains == 0) {
		vq->nbad++;
		virtio_broken(vq->vd, "queue %u: an answer to no chain",
		    vq->index);
		return false;
	}
	*id = __atomic_load_n(&d->id, __ATOMIC_RELAXED);
	*len = __atomic_load_n(&d->len, __ATOMIC_RELAXED);
	return true;
}

static void
packed_taken(struct virtqueue *vq, uint16_t id)
{
	advance(vq, &vq->last_used, &vq->used_wrap, vq->slot[id].ndesc);
	vq->slot[id].next = vq->free_slot;
	vq->free_slot = id;
}

static void
packed_intr_off(struct virtqueue *vq)
{
	__atomic_store_n(driver_event(vq),
	    EVENT(0, VRING_PACKED_EVENT_FLAG_DISABLE), __ATOMIC_RELAXED);
}

/* There is no telling which places will be answered first: never late. */
static bool
packed_intr_on(struct virtqueue *vq, unsigned after)
{
	uint32_t event = EVENT(0, VRING_PACKED_EVENT_FLAG_ENABLE), len, id;

	(void)after;
	if (vq->event_idx)
		event = EVENT(vq->last_used | (vq->used_wrap ? EVENT_WRAP : 0),
		    VRING_PACKED_EVENT_FLAG_DESC);
	__atomic_store_n(driver_event(vq), event, __ATOMIC_RELAXED);
	cpu_device_fence();
	return !packed_answer(vq, &id, &len);
}

const struct vq_format vq_packed = {
	.layout = packed_layout,
	.start = packed_start,
	.push = packed_push,
	.kick_needed = packed_kick_needed,
	.answer = packed_answer,
	.taken = packed_taken,
	.fill = packed_fill,
	.intr_off = packed_intr_off,
	.intr_on = packed_intr_on,
};
