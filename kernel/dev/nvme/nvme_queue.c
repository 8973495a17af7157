/* SPDX-License-Identifier: ISC */
/*
 * nvme_queue.c - queue pairs.  NVMe 1.4, 4.1, 4.6, 4.2: commands go into one
 * ring, answers come out of the other, and an identifier ties them together.
 *
 * Each command has a slot, of which there is one less than entries, so that
 * neither ring can overflow.  An identifier tells the slot and the round in
 * which it was used; an answer to another round, to a free slot, from another
 * queue or with a head beyond the ring is a lie, and the controller is left.
 */
#include "dev/nvme/nvme.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>

#define BATCH 16

/* ---- memory ---- */

static int
make_slots(struct nvme_queue *q)
{
	struct dma_limits two = { .max_segs = 2 };
	unsigned i;
	int error;

	q->slot = kcalloc(q->size - 1, sizeof(q->slot[0]));
	if (q->slot == NULL)
		return -ENOMEM;
	for (i = 0; i < q->size - 1; i++)
		q->slot[i].next = i + 1;
	if (q->id == 0)
		return 0;
	error = dma_maps_create(dma_tag_memory(), &two, q->size - 1, &q->maps);
	for (i = 0; i < q->size - 1 && error == 0; i++)
		q->slot[i].map = dma_maps_nth(q->maps, i);
	if (error == 0)
		error = dma_mem_alloc(dma_tag_memory(),
		    q->size * sizeof(struct nvme_dsm_range), PAGE_SIZE, NULL,
		    &q->ranges);
	return error;
}

int
nvme_queue_make(struct nvme_ctrl *c, struct nvme_queue *q, unsigned id,
    uint32_t size)
{
	uint64_t align = 1ul << c->cap.page_shift;
	int error;

	spin_init(&q->lock);
	q->ctrl = c;
	q->id = id;
	q->size = size;
	q->door = NVME_PAUSED;
	q->phase = 1;
	error = dma_mem_alloc(dma_tag_memory(), size * sizeof(struct nvme_sqe),
	    align, NULL, &q->sq);
	if (error == 0)
		error = dma_mem_alloc(dma_tag_memory(),
		    size * sizeof(struct nvme_cqe), align, NULL, &q->cq);
	return error == 0 ? make_slots(q) : error;
}

void
nvme_queue_free(struct nvme_queue *q, bool quiet)
{
	dma_maps_destroy(q->maps, q->size - 1);
	q->maps = NULL;
	kfree(q->slot);
	q->slot = NULL;
	dma_mem_free(&q->sq, quiet);
	dma_mem_free(&q->cq, quiet);
	dma_mem_free(&q->ranges, quiet);
}

void
nvme_queue_clear(struct nvme_queue *q)
{
	uint64_t state = spin_lock_irq(&q->lock);

	memset(q->sq.kva, 0, q->size * sizeof(struct nvme_sqe));
	memset(q->cq.kva, 0, q->size * sizeof(struct nvme_cqe));
	q->tail = 0;
	q->head = 0;
	q->phase = 1;
	spin_unlock_irq(&q->lock, state);
}

void
nvme_queue_door(struct nvme_queue *q, enum nvme_door door)
{
	uint64_t state = spin_lock_irq(&q->lock);

	if (q->door != NVME_SHUT)
		q->door = door;
	spin_unlock_irq(&q->lock, state);
}

unsigned
nvme_queue_busy(struct nvme_queue *q)
{
	uint64_t state = spin_lock_irq(&q->lock);
	unsigned i, n = q->busy;

	/* An event has no end that could be waited for. */
	for (i = 0; q->id == 0 && q->slot != NULL && i < q->size - 1; i++)
		n -= q->slot[i].kind == NVME_EVENT;
	spin_unlock_irq(&q->lock, state);
	return n;
}

/* ---- slots ---- */

struct nvme_slot *
nvme_slot_take_locked(struct nvme_queue *q, unsigned kind)
{
	struct nvme_slot *s;

	if (q->free == q->size - 1)
		return NULL;
	s = &q->slot[q->free];
	q->free = s->next;
	q->busy++;
	s->kind = kind;
	s->aborted = false;
	s->began = __atomic_load_n(&q->ctrl->epoch, __ATOMIC_RELAXED);
	return s;
}

void
nvme_slot_free_locked(struct nvme_queue *q, struct nvme_slot *s)
{
	if (s->large != NULL) {
		dma_map_unload(s->large->map);
		nvme_large_put(q->ctrl, s->large);
		s->large = NULL;
	} else if (s->map != NULL) {
		dma_map_unload(s->map);
	}
	s->kind = NVME_FREE;
	s->round = (s->round + 1) & 0xf;
	s->next = q->free;
	q->free = s - q->slot;
	q->busy--;
}

/* ---- commands ---- */

static size_t
doorbell(const struct nvme_queue *q, unsigned of_answers)
{
	return NVME_DOORBELLS +
	    (2 * q->id + of_answers) * (size_t)q->ctrl->cap.stride;
}

void
nvme_push_locked(struct nvme_queue *q, struct nvme_slot *s,
    struct nvme_sqe *sqe)
{
	struct nvme_sqe *ring = q->sq.kva;

	sqe->cid = NVME_CID(s->round, s - q->slot);
	ring[q->tail] = *sqe;
	q->tail = q->tail + 1 == q->size ? 0 : q->tail + 1;
	nvme_write(q->ctrl, doorbell(q, 0), q->tail);
}

/* ---- answers ---- */

/* What became of one command; its slot is free again. */
struct ending {
	uint8_t kind;
	union {
		struct disk_req *req;
		struct nvme_sync *sync;
	};
	struct nvme_ns *ns;
	int error;
	uint16_t status;
	uint32_t result;
};

static void
end_one(struct nvme_ctrl *c, const struct ending *e)
{
	switch (e->kind) {
	case NVME_REQ:
		nvme_io_end(c, e->ns, e->req, e->error, e->status);
		break;
	case NVME_SYNC:
		nvme_sync_end(c, e->sync, e->error, e->status, e->result);
		break;
	case NVME_EVENT:
		nvme_event_end(c, e->error, e->status, e->result);
		break;
	case NVME_ABORT:
		__atomic_sub_fetch(&c->aborts, 1, __ATOMIC_RELAXED);
		break;
	}
}

static struct ending
ending_of(const struct nvme_slot *s, int error)
{
	struct ending e = { .kind = s->kind, .ns = s->ns, .error = error };

	if (s->kind == NVME_REQ)
		e.req = s->req;
	else
		e.sync = s->sync;
	return e;
}

/* Read once; the phase tag first, the rest behind it. */
static bool
read_answer(struct nvme_queue *q, struct nvme_cqe *out)
{
	const volatile struct nvme_cqe *e =
	    (const volatile struct nvme_cqe *)q->cq.kva + q->head;

	out->status = e->status;
	if ((out->status & 1) != q->phase)
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	out->result = e->result;
	out->sq_head = e->sq_head;
	out->sq_id = e->sq_id;
	out->cid = e->cid;
	return true;
}

static const char *
lie_in(const struct nvme_queue *q, const struct nvme_cqe *e)
{
	unsigned i = NVME_CID_SLOT(e->cid);

	if (e->sq_id != q->id)
		return "an answer from another queue";
	if (e->sq_head >= q->size)
		return "a head beyond the queue's end";
	if (i >= q->size - 1)
		return "an answer to an unknown command";
	if (q->slot[i].kind == NVME_FREE ||
	    q->slot[i].round != NVME_CID_ROUND(e->cid))
		return "an answer to no command";
	return NULL;
}

static void
sync_for_cpu(const struct nvme_slot *s)
{
	if (s->large != NULL)
		dma_map_sync(s->large->map, DMA_SYNC_FOR_CPU);
	else if (s->map != NULL)
		dma_map_sync(s->map, DMA_SYNC_FOR_CPU);
}

/* The entry at the head, which may be a lie: then the queue is shut. */
static const char *
take_answer_locked(struct nvme_queue *q, const struct nvme_cqe *c,
    struct ending *e)
{
	struct nvme_slot *s = &q->slot[NVME_CID_SLOT(c->cid)];
	const char *lie = lie_in(q, c);

	if (lie != NULL) {
		q->door = NVME_SHUT;
		return lie;
	}
	q->head = q->head + 1 == q->size ? 0 : q->head + 1;
	q->phase ^= q->head == 0;
	sync_for_cpu(s);
	*e = ending_of(s, 0);
	e->status = c->status >> 1;
	e->result = c->result;
	nvme_slot_free_locked(q, s);
	return NULL;
}

/* Up to BATCH answers; *lie: the last one made no sense. */
static unsigned
take_answers(struct nvme_queue *q, struct ending *e, const char **lie)
{
	struct nvme_cqe c;
	unsigned n = 0;
	uint64_t state = spin_lock_irq(&q->lock);

	while (n < BATCH && q->slot != NULL && q->door != NVME_SHUT &&
	    read_answer(q, &c)) {
		*lie = take_answer_locked(q, &c, &e[n]);
		if (*lie != NULL)
			break;
		n++;
	}
	if (n > 0)
		nvme_write(q->ctrl, doorbell(q, 1), q->head);
	spin_unlock_irq(&q->lock, state);
	return n;
}

bool
nvme_queue_answers(struct nvme_queue *q)
{
	struct nvme_ctrl *c = q->ctrl;
	struct ending e[BATCH];
	const char *lie = NULL;
	bool any = false;
	unsigned i, n;

	do {
		n = take_answers(q, e, &lie);
		for (i = 0; i < n; i++)
			end_one(c, &e[i]);
		any = any || n > 0;
	} while (n == BATCH);
	if (lie != NULL)
		nvme_break(c, "queue %u: %s", q->id, lie);
	if (any && __atomic_load_n(&c->starved, __ATOMIC_RELAXED))
		nvme_ns_room(c);
	if (any && __atomic_load_n(&c->draining, __ATOMIC_RELAXED) > 0)
		nvme_wake(c);
	return any;
}

bool
nvme_queue_intr(void *arg)
{
	return nvme_queue_answers(arg);
}

bool
nvme_shared_intr(void *arg)
{
	struct nvme_ctrl *c = arg;
	unsigned i, n = __atomic_load_n(&c->nioq, __ATOMIC_ACQUIRE);
	bool any = nvme_queue_answers(&c->admin);

	for (i = 0; i < n; i++)
		any = nvme_queue_answers(&c->ioq[i]) || any;
	return any;
}

/* ---- what was not answered ---- */

/*
 * The controller may still write there: whoever owns the memory will not get
 * it back when he frees it.
 */
static void
keep_aside(const struct nvme_slot *s)
{
	const struct disk_req *req = s->req;

	if (s->kind == NVME_REQ && req->op == DISK_READ)
		dma_runs_keep_aside(req->run, req->nruns);
}

static bool
take_one_back(struct nvme_queue *q, unsigned *from, int error, struct ending *e)
{
	bool silent = q->ctrl->silent;
	uint64_t state = spin_lock_irq(&q->lock);
	struct nvme_slot *s = NULL;

	for (; *from < q->size - 1 && s == NULL; ++*from)
		if (q->slot[*from].kind != NVME_FREE)
			s = &q->slot[*from];
	if (s != NULL) {
		if (!silent)
			keep_aside(s);
		*e = ending_of(s, error);
		nvme_slot_free_locked(q, s);
	}
	spin_unlock_irq(&q->lock, state);
	return s != NULL;
}

unsigned
nvme_queue_take_back(struct nvme_queue *q, int error, bool again)
{
	struct ending e;
	unsigned from = 0, ended = 0;

	if (q->slot == NULL)
		return 0;
	while (take_one_back(q, &from, error, &e)) {
		if (e.kind == NVME_REQ && again && nvme_io_again(e.ns, e.req))
			continue;
		if (e.kind == NVME_REQ && again)
			e.error = -EIO;
		ended += e.kind == NVME_REQ;
		end_one(q->ctrl, &e);
	}
	return ended;
}
