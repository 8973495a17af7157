/* SPDX-License-Identifier: ISC */
/*
 * virtqueue.c - virtqueues: chains offered and answered, whatever the ring's
 * format.  Virtio 1.2, 2.6.
 */
#include "bus/virtqueue.h"
#include "bus/device.h"
#include "bus/virtqueue_impl.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "x86/cpu.h"
#include <linux/errno.h>

#define QUEUE_SIZE_DEFAULT 256u
#define QUEUE_SIZE_MAX     32768u
#define DIRECT_MAX         8u /* segments; longer chains take a table, if any */

/* ---------------------------------------------------------- creation -- */

/* 0: no such queue.  Packed rings may have any size, ours stay powers. */
static int
choose_size(const struct virtqueue *vq, unsigned wanted, unsigned *size)
{
	const struct virtio_ops *ops = vq->vd->ops;
	unsigned max = ops->queue_max(vq->vd, vq->index);

	if (max == 0)
		return -ENOENT;
	if (max > QUEUE_SIZE_MAX)
		return -EPROTO;
	if (ops->queue_size_fixed) {
		*size = max;
		return (max & (max - 1)) == 0 ? 0 : -EPROTO;
	}
	for (*size = 1; *size * 2 <= MIN(max, wanted); *size *= 2)
		;
	return 0;
}

static int
make_ring(struct virtqueue *vq)
{
	struct dma_limits limits = { .max_segs = 1 };
	unsigned i;

	if (vq->vd->legacy)
		limits.addr_bits = 44; /* a frame's number in 32 bits */
	vq->slot = kcalloc(vq->size, sizeof(*vq->slot));
	if (vq->slot == NULL)
		return -ENOMEM;
	for (i = 0; i < vq->size; i++)
		vq->slot[i].next = i + 1 < vq->size ? i + 1 : VQ_NONE;
	vq->nfree = vq->size;
	return dma_mem_alloc(vq->vd->dma, vq->format->layout(vq), PAGE_SIZE,
	    &limits, &vq->mem);
}

static int
make_tables(struct virtqueue *vq, const struct virtqueue_spec *spec)
{
	unsigned i;
	int error;

	vq->max_chain = MIN(spec->max_chain, vq->size);
	if (spec->ntables == 0 || vq->max_chain < 2 ||
	    !virtio_has(vq->vd, VIRTIO_RING_F_INDIRECT_DESC))
		return 0;
	vq->ntables = MIN(spec->ntables, vq->size);
	vq->free_table = kcalloc(vq->ntables, sizeof(*vq->free_table));
	if (vq->free_table == NULL)
		return -ENOMEM;
	error = dma_mem_alloc(vq->vd->dma,
	    (size_t)vq->ntables * vq->max_chain * sizeof(struct vring_desc),
	    PAGE_SIZE, NULL, &vq->tables);
	if (error != 0)
		return error;
	for (i = 0; i < vq->ntables; i++)
		vq->free_table[i] = i;
	vq->nfree_tables = vq->ntables;
	return 0;
}

static int
start(struct virtqueue *vq, unsigned cpu)
{
	struct virtio_place place = {
		.index = vq->index,
		.size = vq->size,
		.cpu = cpu,
		.desc = vq->mem.addr + vq->desc,
		.driver = vq->mem.addr + vq->driver,
		.device = vq->mem.addr + vq->device,
		.vq = vq,
	};

	vq->format->start(vq);
	if (vq->intr == NULL)
		vq->format->intr_off(vq);
	return vq->vd->ops->queue_start(vq->vd, &place);
}

int
virtqueue_create(struct virtio_device *vd, const struct virtqueue_spec *spec,
    struct virtqueue **out)
{
	struct virtqueue *vq = kzalloc(sizeof(*vq));
	int error;

	if (vq == NULL)
		return -ENOMEM;
	vq->vd = vd;
	vq->index = spec->index;
	vq->intr = spec->intr;
	vq->arg = spec->arg;
	vq->long_answers = spec->long_answers;
	vq->format = virtio_has(vd, VIRTIO_F_RING_PACKED) ? &vq_packed :
							    &vq_split;
	vq->event_idx = virtio_has(vd, VIRTIO_RING_F_EVENT_IDX);
	error = choose_size(vq,
	    spec->max_size != 0 ? spec->max_size : QUEUE_SIZE_DEFAULT,
	    &vq->size);
	if (error == 0)
		error = make_ring(vq);
	if (error == 0)
		error = make_tables(vq, spec);
	SLIST_INSERT_HEAD(&vd->queues, vq, link);
	if (error == 0)
		error = start(vq, spec->cpu);
	/* Whoever fails half-way leaves a device that does not run yet. */
	if (error != 0)
		virtqueue_destroy(vq, true);
	else
		*out = vq;
	return error;
}

void
virtqueue_destroy(struct virtqueue *vq, bool quiet)
{
	if (vq == NULL)
		return;
	SLIST_REMOVE(&vq->vd->queues, vq, virtqueue, link);
	dma_mem_free(&vq->mem, quiet);
	dma_mem_free(&vq->tables, quiet);
	kfree(vq->free_table);
	kfree(vq->slot);
	kfree(vq);
}

/* ------------------------------------------------- offers and answers -- */

/* Which table the chain shall use, and how many entries it then takes. */
static int
place_chain(struct virtqueue *vq, struct vq_chain *c, unsigned *ndesc)
{
	bool table = vq->nfree_tables > 0 && c->n <= vq->max_chain;

	c->table = VQ_NONE;
	*ndesc = c->n;
	if (c->n > vq->size)
		return -E2BIG;
	if (table && (c->n > DIRECT_MAX || c->n > vq->nfree)) {
		c->table = vq->free_table[vq->nfree_tables - 1];
		*ndesc = 1;
	}
	return *ndesc <= vq->nfree ? 0 : -ENOSPC;
}

int
virtqueue_push(struct virtqueue *vq, const struct dma_seg *seg, unsigned nread,
    unsigned nwrite, void *cookie)
{
	struct vq_chain c = { .seg = seg,
		.n = nread + nwrite,
		.nread = nread,
		.cookie = cookie };
	unsigned i, ndesc;
	uint16_t id = vq->free_slot;
	int error;

	KASSERT(c.n != 0 && cookie != NULL);
	if (virtio_is_broken(vq->vd))
		return -ENODEV;
	error = place_chain(vq, &c, &ndesc);
	if (error != 0)
		return error;
	for (i = nread; i < c.n; i++)
		c.writable += seg[i].len;
	if (c.table != VQ_NONE) {
		vq->nfree_tables--;
		vq->format->fill(vq, &c);
	}
	vq->slot[id].cookie = cookie;
	vq->slot[id].writable = c.writable;
	vq->slot[id].ndesc = ndesc;
	vq->slot[id].table = c.table;
	vq->nfree -= ndesc;
	vq->nchains++;
	vq->format->push(vq, &c);
	return 0;
}

bool
virtqueue_kick_needed(struct virtqueue *vq)
{
	bool needed;

	if (vq->added == 0)
		return false;
	cpu_device_fence();
	needed = vq->format->kick_needed(vq);
	vq->added = 0;
	return needed;
}

void
virtqueue_notify(struct virtqueue *vq)
{
	vq->vd->ops->notify(vq->vd, vq->index);
}

/* Takes the answer to a chain that was offered. */
static void *
take(struct virtqueue *vq, uint16_t id, uint32_t *len)
{
	struct vq_slot *s = &vq->slot[id];
	void *cookie = s->cookie;

	if (*len > s->writable) {
		if (!vq->long_answers && vq->nbad++ == 0)
			log_warn("%s: queue %u: %u bytes written to %u; cut",
			    device_name(vq->vd->dev), vq->index, *len,
			    s->writable);
		*len = s->writable;
	}
	if (s->table != VQ_NONE)
		vq->free_table[vq->nfree_tables++] = s->table;
	s->cookie = NULL;
	vq->nfree += s->ndesc;
	vq->nchains--;
	vq->format->taken(vq, id);
	return cookie;
}

void *
virtqueue_pop(struct virtqueue *vq, uint32_t *len)
{
	uint32_t id;

	if (virtio_is_broken(vq->vd) || !vq->format->answer(vq, &id, len))
		return NULL;
	if (id < vq->size && vq->slot[id].cookie != NULL)
		return take(vq, id, len);
	vq->nbad++;
	virtio_broken(vq->vd,
	    "queue %u: answers chain %u, which was not "
	    "offered",
	    vq->index, id);
	return NULL;
}

void *
virtqueue_take_back(struct virtqueue *vq)
{
	void *cookie = NULL;
	unsigned i;

	for (i = 0; i < vq->size && vq->nchains > 0 && cookie == NULL; i++) {
		cookie = vq->slot[i].cookie;
		vq->slot[i].cookie = NULL;
	}
	if (cookie != NULL)
		vq->nchains--;
	return cookie;
}

/* -------------------------------------------------------- interrupts -- */

void
virtqueue_intr_off(struct virtqueue *vq)
{
	vq->format->intr_off(vq);
}

bool
virtqueue_intr_on(struct virtqueue *vq)
{
	return virtio_is_broken(vq->vd) || vq->format->intr_on(vq, 0);
}

bool
virtqueue_intr_on_late(struct virtqueue *vq)
{
	return virtio_is_broken(vq->vd) ||
	    vq->format->intr_on(vq, vq->nchains * 3u / 4);
}

void
virtqueue_interrupt(struct virtqueue *vq)
{
	if (vq->intr != NULL &&
	    __atomic_load_n(&vq->vd->running, __ATOMIC_ACQUIRE))
		vq->intr(vq->arg);
}

unsigned
virtqueue_size(const struct virtqueue *vq)
{
	return vq->size;
}

unsigned
virtqueue_room(const struct virtqueue *vq)
{
	return vq->nfree;
}

unsigned
virtqueue_outstanding(const struct virtqueue *vq)
{
	return vq->nchains;
}

uint64_t
virtqueue_nbad(const struct virtqueue *vq)
{
	return vq->nbad;
}
