/* SPDX-License-Identifier: ISC */
/*
 * nvme_data.c - how a command names its memory.  NVMe 1.4, 4.3 and 4.4.
 *
 * PRPs are addresses of pages: the first may begin inside one, all others at
 * its beginning.  Two fit in the command; more stand in a list, which we keep
 * inside one page, so that it never has to be chained.  Memory whose pieces do
 * not meet at pages needs SGLs; the floor above cuts requests where a
 * controller has none (disk_info.seg_boundary).
 *
 * A request of up to two pages makes do with its slot's map.  Others take a
 * large one, with room for a list, from a pool that all queues share.
 */
#include "dev/nvme/nvme.h"
#include "kern/kmem.h"
#include <linux/errno.h>

#define NVME_MAX_PRPS (NVME_LIST_BYTES / sizeof(uint64_t))
_Static_assert(NVME_MAX_BYTES / 4096 <= NVME_MAX_PRPS, "PRPs behind the first");
_Static_assert(NVME_LARGE_SEGS * sizeof(struct nvme_sgl) <= NVME_LIST_BYTES,
    "descriptors");

/* ---- the pool ---- */

int
nvme_large_make(struct nvme_ctrl *c)
{
	struct dma_limits limits = { .max_segs = NVME_LARGE_SEGS };
	struct nvme_large *l;
	unsigned i;
	int error;

	c->large = kcalloc(NVME_NLARGE, sizeof(c->large[0]));
	if (c->large == NULL)
		return -ENOMEM;
	error = dma_mem_alloc(dma_tag_memory(), NVME_NLARGE * NVME_LIST_BYTES,
	    PAGE_SIZE, NULL, &c->lists);
	for (i = 0; i < NVME_NLARGE && error == 0; i++) {
		l = &c->large[i];
		l->list = (char *)c->lists.kva + i * NVME_LIST_BYTES;
		l->list_addr = c->lists.addr + i * NVME_LIST_BYTES;
		error = dma_map_create(dma_tag_memory(), &limits, &l->map);
		l->next = c->large_free;
		c->large_free = l;
	}
	return error;
}

void
nvme_large_free_all(struct nvme_ctrl *c, bool quiet)
{
	unsigned i;

	for (i = 0; c->large != NULL && i < NVME_NLARGE; i++)
		dma_map_destroy(c->large[i].map);
	kfree(c->large);
	c->large = NULL;
	dma_mem_free(&c->lists, quiet);
}

static void
starve(struct nvme_ns *ns)
{
	__atomic_store_n(&ns->starved, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ns->ctrl->starved, true, __ATOMIC_SEQ_CST);
}

/* Who finds none is marked under the lock: whoever puts one back sees it. */
static struct nvme_large *
large_get(struct nvme_ctrl *c, struct nvme_ns *ns)
{
	struct nvme_large *l;
	uint64_t state = spin_lock_irq(&c->large_lock);

	l = c->large_free;
	if (l != NULL)
		c->large_free = l->next;
	else
		starve(ns);
	spin_unlock_irq(&c->large_lock, state);
	return l;
}

void
nvme_large_put(struct nvme_ctrl *c, struct nvme_large *l)
{
	uint64_t state = spin_lock_irq(&c->large_lock);

	l->next = c->large_free;
	c->large_free = l;
	spin_unlock_irq(&c->large_lock, state);
}

/* ---- PRPs and SGLs ---- */

/*
 * The first page's address goes to *first, those behind it to `list`.
 */
int
nvme_prps(const struct dma_seg *seg, unsigned n, unsigned page_shift,
    uint64_t *list, unsigned max, uint64_t *first, unsigned *nlist)
{
	uint64_t page = 1ull << page_shift, at, left, part;
	unsigned i, k = 0;

	if ((seg[0].addr & 3) != 0)
		return -EINVAL;
	*first = seg[0].addr;
	for (i = 0; i < n; i++) {
		at = seg[i].addr;
		left = seg[i].len;
		if ((i > 0 && (at & (page - 1)) != 0) ||
		    (i + 1 < n && ((at + left) & (page - 1)) != 0))
			return -EINVAL;
		for (; left > 0; at += part, left -= part) {
			part = MIN(left, page - (at & (page - 1)));
			if (i == 0 && at == seg[0].addr)
				continue;
			if (k == max)
				return -EINVAL;
			list[k++] = at;
		}
	}
	*nlist = k;
	return 0;
}

static void
name_prps(struct nvme_sqe *sqe, uint64_t first, const uint64_t *list,
    unsigned n, busaddr_t list_addr)
{
	sqe->prp1 = first;
	sqe->prp2 = n == 0 ? 0 : n == 1 ? list[0] : list_addr;
}

static void
name_sgl(struct nvme_sqe *sqe, const struct dma_map *map, struct nvme_large *l)
{
	struct nvme_sgl *sgl = l->list;
	unsigned i;

	for (i = 0; i < map->nsegs; i++)
		sgl[i] = (struct nvme_sgl){ .addr = map->seg[i].addr,
			.len = map->seg[i].len,
			.type = NVME_SGL_DATA };
	sqe->flags = NVME_SQE_SGL;
	sqe->prp1 = l->list_addr;
	/* The second half of the command's own descriptor. */
	sqe->prp2 = map->nsegs * sizeof(struct nvme_sgl) |
	    (uint64_t)NVME_SGL_LAST << 56;
}

static enum dma_dir
dir_of(const struct disk_req *req)
{
	return req->op == DISK_READ ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
}

/* Up to two pages: 0, or it needs a large one (-EFBIG, -EINVAL). */
static int
load_small(struct nvme_queue *q, struct nvme_slot *s,
    const struct disk_req *req, struct nvme_sqe *sqe)
{
	uint64_t list[1], first;
	unsigned n;
	int error;

	error = dma_map_load_runs(s->map, req->run, req->nruns, dir_of(req));
	if (error != 0)
		return error;
	error = nvme_prps(s->map->seg, s->map->nsegs, q->ctrl->cap.page_shift,
	    list, 1, &first, &n);
	if (error != 0) {
		dma_map_unload(s->map);
		return error;
	}
	name_prps(sqe, first, list, n, 0);
	dma_map_sync(s->map, DMA_SYNC_FOR_DEVICE);
	return 0;
}

static int
load_large(struct nvme_queue *q, struct nvme_large *l,
    const struct disk_req *req, struct nvme_sqe *sqe)
{
	uint64_t first;
	unsigned n;
	int error;

	error = dma_map_load_runs(l->map, req->run, req->nruns, dir_of(req));
	if (error != 0)
		return error;
	error = nvme_prps(l->map->seg, l->map->nsegs, q->ctrl->cap.page_shift,
	    l->list, NVME_MAX_PRPS, &first, &n);
	if (error == 0)
		name_prps(sqe, first, l->list, n, l->list_addr);
	else if (q->ctrl->id.sgl)
		name_sgl(sqe, l->map, l);
	else
		return error;
	dma_map_sync(l->map, DMA_SYNC_FOR_DEVICE);
	return 0;
}

int
nvme_data_load(struct nvme_queue *q, struct nvme_slot *s,
    const struct disk_req *req, struct nvme_sqe *sqe)
{
	struct nvme_large *l;
	int error = -EFBIG;

	if (req->nruns <= 2 && req->nsectors <= 2 * PAGE_SIZE / SECTOR_SIZE)
		error = load_small(q, s, req, sqe);
	if (error != -EFBIG && error != -EINVAL)
		return error;
	l = large_get(q->ctrl, s->ns);
	if (l == NULL)
		return -EAGAIN;
	error = load_large(q, l, req, sqe);
	if (error == 0) {
		s->large = l;
	} else {
		dma_map_unload(l->map);
		nvme_large_put(q->ctrl, l);
	}
	return error;
}
