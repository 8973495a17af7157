/* SPDX-License-Identifier: ISC */
/*
 * virtqueue_impl.h - the inside of virtqueues, for virtqueue.c and for the two
 * formats of rings, virtqueue_split.c and virtqueue_packed.c.
 */
#ifndef BUS_VIRTQUEUE_IMPL_H
#define BUS_VIRTQUEUE_IMPL_H

#include "bus/virtqueue.h"
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#define VQ_NONE 0xffffu

/*
 * What is known of a descriptor's use.  Split: slot i is descriptor i.
 * Packed: slot i is buffer id i.
 */
struct vq_slot {
	void *cookie; /* of the chain that begins here; NULL: not offered */
	uint32_t writable; /* bytes of that chain */
	uint16_t ndesc;    /* entries of the ring that it takes */
	uint16_t next;     /* split: next of the chain; or next free one */
	uint16_t table;    /* its indirect table, VQ_NONE: none */
};

/* A chain that is being offered. */
struct vq_chain {
	const struct dma_seg *seg;
	unsigned n, nread;
	uint32_t writable;
	void *cookie;
	uint16_t table; /* to be used, VQ_NONE: direct */
};

struct vq_format {
	/* Bytes of the three areas, one behind the other, and where. */
	size_t (*layout)(struct virtqueue *vq);
	void (*start)(struct virtqueue *vq); /* the memory is zeroed */
	void (*push)(struct virtqueue *vq, const struct vq_chain *c);
	bool (*kick_needed)(struct virtqueue *vq);
	/* Reads one answer: false: none.  The id is unchecked. */
	bool (*answer)(struct virtqueue *vq, uint32_t *id, uint32_t *len);
	/* The answer to slot `id`, checked by now, is taken. */
	void (*taken)(struct virtqueue *vq, uint16_t id);
	/* Fills one indirect table. */
	void (*fill)(struct virtqueue *vq, const struct vq_chain *c);
	void (*intr_off)(struct virtqueue *vq);
	bool (*intr_on)(struct virtqueue *vq, unsigned after);
};
extern const struct vq_format vq_split, vq_packed;

struct virtqueue {
	const struct vq_format *format; /* [I] */
	struct virtio_device *vd;       /* [I] */
	SLIST_ENTRY(virtqueue) link;
	unsigned index, size; /* [I] */
	bool event_idx;       /* [I] */
	bool long_answers;    /* [I] */
	void (*intr)(void *arg);
	void *arg;

	struct dma_mem mem;             /* [I] the ring */
	size_t desc, driver, device;    /* [I] offsets of its areas */
	struct vq_slot *slot;           /* size of them */
	uint16_t free_slot;             /* head of the list of free ones */
	uint16_t nfree;                 /* free entries of the ring */
	uint16_t nchains;               /* offered, not answered */
	uint16_t added;                 /* since the last look for a kick */
	uint16_t next_avail, last_used; /* split: running; packed: places */
	bool avail_wrap, used_wrap;     /* packed */
	uint16_t quiet;                 /* as last written to the device */

	struct dma_mem tables; /* [I] indirect tables */
	unsigned max_chain;    /* [I] entries of each */
	unsigned ntables;      /* [I] */
	uint16_t *free_table;  /* stack of unused ones */
	unsigned nfree_tables;
	uint64_t nbad;
};

static inline void *
vq_area(const struct virtqueue *vq, size_t offset)
{
	return (char *)vq->mem.kva + offset;
}

static inline void *
vq_table(const struct virtqueue *vq, uint16_t table)
{
	return (char *)vq->tables.kva +
	    (size_t)table * vq->max_chain * sizeof(struct vring_desc);
}

static inline busaddr_t
vq_table_addr(const struct virtqueue *vq, uint16_t table)
{
	return vq->tables.addr +
	    (size_t)table * vq->max_chain * sizeof(struct vring_desc);
}

#endif
