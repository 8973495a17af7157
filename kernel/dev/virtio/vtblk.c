/* SPDX-License-Identifier: ISC */
/*
 * vtblk.c - virtio block disks.  Virtio 1.2, 5.2.
 * Turns a disk_req into a chain on a queue, and each answer into one done().
 * Owns the queues, their slots and the disk; PCI and MMIO are the bus's affair.
 */
#include "bus/device.h"
#include "bus/dma.h"
#include "bus/virtqueue.h"
#include "dev/disk.h"
#include "dev/drivers.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#define VTBLK_MAJOR   254 /* where Linux's dynamic numbers begin */
#define VTBLK_MINORS  16
#define NSLOT         64 /* requests under way on one queue, at most */
#define NSEG          32 /* pieces of memory in one */
#define NTABLE        16
#define NQUEUE        8
#define MAX_SECTORS   2048 /* 1 MiB */
#define NSECTORS_MAX  (1ull << 54)
#define STATUS_PRESET 0xff /* no device says that */
#define BATCH         16

#define FEATURES                                                              \
	(VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX) |                                  \
	    VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_RO) |  \
	    VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE) |                               \
	    VIRTIO_BIT(VIRTIO_BLK_F_FLUSH) |                                  \
	    VIRTIO_BIT(VIRTIO_BLK_F_TOPOLOGY) | VIRTIO_BIT(VIRTIO_BLK_F_MQ) | \
	    VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) |                                \
	    VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES))

#define CONFIG(field) offsetof(struct virtio_blk_config, field)

/* What the device reads and writes of a request besides the data; 5.2.6. */
struct vtblk_cmd {
	struct virtio_blk_outhdr head;
	struct virtio_blk_discard_write_zeroes range;
	uint8_t status;
	uint8_t pad[31];
};
_Static_assert(sizeof(struct vtblk_cmd) == 64, "one cache line");

struct vtblk_slot {
	struct disk_req *req; /* NULL: free */
	struct dma_map *map;
	uint32_t bytes; /* that the device must write for a status of OK */
	uint16_t next;
};

struct vtblk_queue { /* q: under lock */
	struct vtblk_softc *sc;
	struct spinlock lock;
	struct virtqueue *vq;    /* [q] */
	struct dma_mem cmds;     /* [I] struct vtblk_cmd[NSLOT] */
	struct vtblk_slot *slot; /* [q] NSLOT of them */
	uint16_t free;           /* [q] first free slot; NSLOT: none */
	bool starved;            /* [q] somebody was told -EAGAIN */
	bool held;               /* [q] the device was not told of all */
};

struct vtblk_softc {              /* I: constant once attached */
	struct virtio_device *vd; /* [I] */
	struct disk *disk;        /* [I] */
	struct disk_info info;    /* [I] */
	unsigned nqueues;         /* [I] */
	bool gone; /* under each queue's lock: once and for all */
	bool lied; /* one line in the log is enough */
	struct vtblk_queue queue[NQUEUE];
};

/* ---------------------------------------------------------- requests -- */

static const struct {
	uint32_t type;
	enum dma_dir dir; /* 0: no data of the request's own */
	bool range;       /* has a struct in the command's */
} kinds[] = {
	[DISK_READ] = { VIRTIO_BLK_T_IN, DMA_FROM_DEVICE, false },
	[DISK_WRITE] = { VIRTIO_BLK_T_OUT, DMA_TO_DEVICE, false },
	[DISK_FLUSH] = { VIRTIO_BLK_T_FLUSH, 0, false },
	[DISK_DISCARD] = { VIRTIO_BLK_T_DISCARD, 0, true },
	[DISK_ZERO] = { VIRTIO_BLK_T_WRITE_ZEROES, 0, true },
	[DISK_SERIAL] = { VIRTIO_BLK_T_GET_ID, DMA_FROM_DEVICE, false },
};

static struct vtblk_cmd *
cmd_of(const struct vtblk_queue *q, unsigned slot)
{
	return (struct vtblk_cmd *)q->cmds.kva + slot;
}

static void
fill_cmd(struct vtblk_cmd *cmd, const struct disk_req *req)
{
	cmd->head.type = kinds[req->op].type;
	cmd->head.ioprio = 0;
	cmd->head.sector = kinds[req->op].range ? 0 : req->sector;
	cmd->range.sector = req->sector;
	cmd->range.num_sectors = req->nsectors;
	cmd->range.flags = req->op == DISK_ZERO && req->unmap ?
	    VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP :
	    0;
	cmd->status = STATUS_PRESET;
}

/* The chain: head, data, status. */
static int
push(struct vtblk_queue *q, unsigned i)
{
	struct vtblk_slot *s = &q->slot[i];
	busaddr_t at = q->cmds.addr + i * sizeof(struct vtblk_cmd);
	struct dma_seg seg[NSEG + 2];
	unsigned n = 0, nread, k;
	bool in = kinds[s->req->op].dir == DMA_FROM_DEVICE;

	seg[n++] = (struct dma_seg){ at, sizeof(struct virtio_blk_outhdr) };
	if (kinds[s->req->op].range)
		seg[n++] = (struct dma_seg){ at +
			    offsetof(struct vtblk_cmd, range),
			sizeof(struct virtio_blk_discard_write_zeroes) };
	for (k = 0; k < s->map->nsegs; k++)
		seg[n++] = s->map->seg[k];
	nread = in ? 1 : n;
	seg[n++] = (struct dma_seg){ at + offsetof(struct vtblk_cmd, status),
		1 };
	return virtqueue_push(q->vq, seg, nread, n - nread, s);
}

static int
load(struct vtblk_slot *s, const struct disk_req *req)
{
	enum dma_dir dir = kinds[req->op].dir;
	int error;

	s->bytes = 1;
	if (dir == 0)
		return 0;
	error = dma_map_load_runs(s->map, req->run, req->nruns, dir);
	if (error != 0)
		return error;
	dma_map_sync(s->map, DMA_SYNC_FOR_DEVICE);
	if (dir == DMA_FROM_DEVICE && req->op == DISK_READ)
		s->bytes += s->map->size;
	return 0;
}

static void
free_slot(struct vtblk_queue *q, struct vtblk_slot *s)
{
	dma_map_unload(s->map);
	s->req = NULL;
	s->next = q->free;
	q->free = s - q->slot;
}

static int
start_locked(struct vtblk_queue *q, struct disk_req *req)
{
	unsigned i = q->free;
	struct vtblk_slot *s = &q->slot[i];
	int error;

	if (i == NSLOT) {
		q->starved = true;
		return -EAGAIN;
	}
	error = load(s, req);
	if (error != 0)
		return error;
	q->free = s->next;
	s->req = req;
	fill_cmd(cmd_of(q, i), req);
	error = push(q, i);
	if (error != 0)
		free_slot(q, s);
	if (error == -ENOSPC) {
		q->starved = true;
		error = -EAGAIN;
	}
	return error;
}

static bool
supported(const struct vtblk_softc *sc, const struct disk_req *req)
{
	switch (req->op) {
	case DISK_WRITE: return !sc->info.read_only;
	case DISK_DISCARD:
		return !sc->info.read_only && sc->info.max_discard != 0;
	case DISK_ZERO: return !sc->info.read_only && sc->info.max_zero != 0;
	case DISK_FLUSH: return sc->info.volatile_cache;
	default: return true;
	}
}

static bool
kick_locked(struct vtblk_queue *q)
{
	q->held = false;
	return virtqueue_kick_needed(q->vq);
}

static int
vtblk_submit(void *arg, struct disk_req *req)
{
	struct vtblk_softc *sc = arg;
	struct vtblk_queue *q = &sc->queue[cpu_id() % sc->nqueues];
	uint64_t state;
	bool kick = false;
	int error;

	if (!supported(sc, req))
		return -EOPNOTSUPP;
	state = spin_lock_irq(&q->lock);
	error = sc->gone ? -ENODEV : start_locked(q, req);
	if (error == 0 && req->more)
		q->held = true;
	else if (!sc->gone)
		kick = kick_locked(q); /* when it is full, too */
	spin_unlock_irq(&q->lock, state);
	if (kick)
		virtqueue_notify(q->vq);
	return error;
}

static void
vtblk_commit(void *arg)
{
	struct vtblk_softc *sc = arg;
	struct vtblk_queue *q;
	uint64_t state;
	unsigned i;
	bool kick;

	for (i = 0; i < sc->nqueues; i++) {
		q = &sc->queue[i];
		if (!__atomic_load_n(&q->held, __ATOMIC_RELAXED))
			continue; /* ours were told by somebody else */
		state = spin_lock_irq(&q->lock);
		kick = !sc->gone && kick_locked(q);
		spin_unlock_irq(&q->lock, state);
		if (kick)
			virtqueue_notify(q->vq);
	}
}

/* ----------------------------------------------------------- answers -- */

static void
lied(struct vtblk_softc *sc, const char *how, uint32_t value)
{
	if (!__atomic_exchange_n(&sc->lied, true, __ATOMIC_RELAXED))
		log_warn("%s: %s (%u), answered with EIO",
		    device_name(sc->vd->dev), how, value);
}

/* Legacy devices may tell any length (2.7.8.1). */
static int
status_of(struct vtblk_queue *q, const struct vtblk_slot *s, uint32_t len)
{
	const struct vtblk_cmd *cmd = cmd_of(q, s - q->slot);
	uint8_t status = *(const volatile uint8_t *)&cmd->status;

	switch (status) {
	case VIRTIO_BLK_S_OK: break;
	case VIRTIO_BLK_S_IOERR: return -EIO;
	case VIRTIO_BLK_S_UNSUPP: return -EOPNOTSUPP;
	default: lied(q->sc, "unknown status", status); return -EIO;
	}
	if (len >= s->bytes || q->sc->vd->legacy)
		return 0;
	lied(q->sc, "success, but too few bytes written", len);
	return -EIO;
}

struct vtblk_end {
	struct disk_req *req;
	int error;
};

/* Up to BATCH answers; `more`: there may be others. */
static unsigned
take_answers(struct vtblk_queue *q, struct vtblk_end *end, bool *more,
    bool *room)
{
	struct vtblk_slot *s;
	unsigned n = 0;
	uint32_t len;
	uint64_t state = spin_lock_irq(&q->lock);

	virtqueue_intr_off(q->vq);
	while (n < BATCH && (s = virtqueue_pop(q->vq, &len)) != NULL) {
		dma_map_sync(s->map, DMA_SYNC_FOR_CPU);
		end[n].error = status_of(q, s, len);
		end[n++].req = s->req;
		free_slot(q, s);
	}
	*more = n == BATCH || !virtqueue_intr_on(q->vq);
	*room = n > 0 && q->starved;
	if (*room)
		q->starved = false;
	spin_unlock_irq(&q->lock, state);
	return n;
}

static void
vtblk_intr(void *arg)
{
	struct vtblk_queue *q = arg;
	struct vtblk_end end[BATCH];
	bool more, room;
	unsigned i, n;

	do {
		n = take_answers(q, end, &more, &room);
		for (i = 0; i < n; i++)
			end[i].req->done(end[i].req, end[i].error);
		if (room)
			disk_room(q->sc->disk);
	} while (more);
}

/* ----------------------------------------------------- configuration -- */

struct vtblk_config {
	uint64_t capacity;
	uint32_t size_max, seg_max, block_size, max_discard, discard_align;
	uint32_t max_zero;
	uint16_t nqueues;
	uint8_t physical;
};

/* Only what was agreed on is there (5.2.4). */
static void
read_config(struct virtio_device *vd, void *arg)
{
	struct vtblk_config *c = arg;

	c->capacity = virtio_config64(vd, CONFIG(capacity));
	if (virtio_has(vd, VIRTIO_BLK_F_SIZE_MAX))
		c->size_max = virtio_config32(vd, CONFIG(size_max));
	if (virtio_has(vd, VIRTIO_BLK_F_SEG_MAX))
		c->seg_max = virtio_config32(vd, CONFIG(seg_max));
	if (virtio_has(vd, VIRTIO_BLK_F_BLK_SIZE))
		c->block_size = virtio_config32(vd, CONFIG(blk_size));
	if (virtio_has(vd, VIRTIO_BLK_F_TOPOLOGY))
		c->physical = virtio_config8(vd, CONFIG(physical_block_exp));
	if (virtio_has(vd, VIRTIO_BLK_F_MQ))
		c->nqueues = virtio_config16(vd, CONFIG(num_queues));
	if (virtio_has(vd, VIRTIO_BLK_F_DISCARD)) {
		c->max_discard = virtio_config32(vd,
		    CONFIG(max_discard_sectors));
		c->discard_align = virtio_config32(vd,
		    CONFIG(discard_sector_alignment));
	}
	if (virtio_has(vd, VIRTIO_BLK_F_WRITE_ZEROES))
		c->max_zero = virtio_config32(vd,
		    CONFIG(max_write_zeroes_sectors));
}

static int
bad_config(struct vtblk_softc *sc, const char *what, uint64_t value)
{
	log_warn("%s: %s of %lu makes no sense", device_name(sc->vd->dev), what,
	    value);
	return -EINVAL;
}

/* Sectors of whole blocks, no more than we can count. */
static uint32_t
whole_blocks(const struct disk_info *info, uint64_t sectors)
{
	sectors = MIN(sectors, (uint64_t)UINT32_MAX);
	return ROUND_DOWN(sectors, info->block_size / SECTOR_SIZE);
}

/* Fields that must make sense; the rest is cut to what we can do. */
static int
check_config(struct vtblk_softc *sc, const struct vtblk_config *c)
{
	struct disk_info *info = &sc->info;
	uint32_t bs = c->block_size != 0 ? c->block_size : SECTOR_SIZE;

	if (bs < SECTOR_SIZE || bs > PAGE_SIZE || (bs & (bs - 1)) != 0)
		return bad_config(sc, "block size", bs);
	if (c->capacity > NSECTORS_MAX)
		return bad_config(sc, "capacity", c->capacity);
	if (c->size_max != 0 && c->size_max < bs)
		return bad_config(sc, "segment size", c->size_max);
	info->block_size = bs;
	info->nsectors = ROUND_DOWN(c->capacity, bs / SECTOR_SIZE);
	info->physical_size = c->physical < 16 ? bs << c->physical : bs;
	info->max_segs = MAX(1u, MIN(NSEG, c->seg_max));
	info->max_seg_size = ROUND_DOWN(c->size_max, bs);
	info->max_sectors = MAX_SECTORS;
	info->max_discard = whole_blocks(info, c->max_discard);
	info->max_zero = whole_blocks(info, c->max_zero);
	info->discard_granularity = bs;
	if (c->discard_align != 0 && c->discard_align < MAX_SECTORS)
		info->discard_granularity = c->discard_align * SECTOR_SIZE;
	return 0;
}

static int
configure(struct vtblk_softc *sc)
{
	struct vtblk_config c = { .seg_max = 1, .nqueues = 1 };
	int error = virtio_config(sc->vd, read_config, &c);

	if (error == 0)
		error = check_config(sc, &c);
	sc->info.prefix = "vd";
	sc->info.driver = "virtblk";
	sc->info.major = VTBLK_MAJOR;
	sc->info.minors = VTBLK_MINORS;
	sc->info.read_only = virtio_has(sc->vd, VIRTIO_BLK_F_RO);
	sc->info.volatile_cache = virtio_has(sc->vd, VIRTIO_BLK_F_FLUSH);
	sc->nqueues = MAX(1u, MIN(MIN(c.nqueues, NQUEUE), cpu_count()));
	return error;
}

static void
read_capacity(struct virtio_device *vd, void *arg)
{
	*(uint64_t *)arg = virtio_config64(vd, CONFIG(capacity));
}

/* The configuration changed: nothing but the capacity may (5.2.5). */
static void
vtblk_changed(void *arg)
{
	struct vtblk_softc *sc = arg;
	struct disk *disk = __atomic_load_n(&sc->disk, __ATOMIC_ACQUIRE);
	uint64_t n;

	if (disk == NULL || virtio_config(sc->vd, read_capacity, &n) != 0)
		return;
	if (n > NSECTORS_MAX) {
		lied(sc, "an absurd capacity", 0);
		return;
	}
	n = ROUND_DOWN(n, sc->info.block_size / SECTOR_SIZE);
	if (n != disk->info.nsectors)
		disk_resized(disk, n);
}

/* --------------------------------------------------- attach, detach -- */

static const struct disk_ops vtblk_disk_ops = {
	.submit = vtblk_submit,
	.commit = vtblk_commit,
};

static int
make_slots(struct vtblk_queue *q)
{
	const struct disk_info *info = &q->sc->info;
	struct dma_limits limits = { .max_segs = info->max_segs,
		.max_seg_size = info->max_seg_size };
	unsigned i;
	int error;

	q->slot = kcalloc(NSLOT, sizeof(*q->slot));
	if (q->slot == NULL)
		return -ENOMEM;
	error = dma_mem_alloc(q->sc->vd->dma, NSLOT * sizeof(struct vtblk_cmd),
	    PAGE_SIZE, NULL, &q->cmds);
	for (i = 0; i < NSLOT && error == 0; i++) {
		q->slot[i].next = i + 1;
		error = dma_map_create(q->sc->vd->dma, &limits,
		    &q->slot[i].map);
	}
	return error;
}

static int
make_queue(struct vtblk_softc *sc, unsigned index)
{
	struct vtblk_queue *q = &sc->queue[index];
	struct virtqueue_spec spec = { .index = index,
		.cpu = index,
		.max_chain = NSEG + 2,
		.ntables = NTABLE,
		.intr = vtblk_intr,
		.arg = q };
	int error;

	spin_init(&q->lock);
	q->sc = sc;
	error = virtqueue_create(sc->vd, &spec, &q->vq);
	if (error != 0)
		return error;
	/* Without tables a chain must fit in the ring. */
	if (virtqueue_size(q->vq) < 3)
		return bad_config(sc, "queue", virtqueue_size(q->vq));
	sc->info.max_segs = MIN(sc->info.max_segs, virtqueue_size(q->vq) - 2);
	return make_slots(q);
}

static void
free_queue(struct vtblk_queue *q, bool quiet)
{
	unsigned i;

	for (i = 0; q->slot != NULL && i < NSLOT; i++)
		dma_map_destroy(q->slot[i].map);
	dma_mem_free(&q->cmds, quiet);
	kfree(q->slot);
	virtqueue_destroy(q->vq, quiet);
}

static struct disk_req *
take_unanswered(struct vtblk_queue *q)
{
	struct vtblk_slot *s;
	struct disk_req *req = NULL;
	uint64_t state;

	if (q->vq == NULL)
		return NULL;
	state = spin_lock_irq(&q->lock);
	s = virtqueue_take_back(q->vq);
	if (s != NULL) {
		req = s->req;
		free_slot(q, s);
	}
	spin_unlock_irq(&q->lock, state);
	return req;
}

/* Every step accepts a softc that is half built. */
static void
vtblk_detach(struct device *dev, enum detach_kind kind)
{
	struct vtblk_softc *sc = device_softc(dev);
	struct disk_req *req;
	unsigned i, ended = 0;
	uint64_t state;
	bool quiet;

	for (i = 0; i < NQUEUE; i++) { /* 1. no new requests */
		state = spin_lock_irq(&sc->queue[i].lock);
		sc->gone = true;
		spin_unlock_irq(&sc->queue[i].lock, state);
	}
	/* 2. no DMA, and no handler runs any more */
	quiet = virtio_stop(sc->vd, kind == DETACH_GONE);
	for (i = 0; i < NQUEUE; i++) { /* 3. nobody waits for ever */
		while ((req = take_unanswered(&sc->queue[i])) != NULL) {
			req->done(req, -ENODEV);
			ended++;
		}
	}
	if (ended > 0)
		log_info("%s: gone, %u requests ended with ENODEV",
		    device_name(dev), ended);
	disk_depart(sc->disk); /* 4. no name, no caller inside */
	sc->disk = NULL;
	for (i = 0; i < NQUEUE; i++) /* 5. what it may write is kept aside */
		free_queue(&sc->queue[i], quiet);
}

static void
announce(struct device *dev, const struct disk_info *info)
{
	uint64_t kib = info->nsectors / 2;

	device_announce(dev, "%lu %s, blocks of %u bytes%s%s",
	    kib >= 10240 ? kib / 1024 : kib, kib >= 10240 ? "MiB" : "KiB",
	    info->block_size, info->read_only ? ", read-only" : "",
	    info->volatile_cache ? ", write-back" : "");
}

static int
vtblk_attach(struct device *dev)
{
	struct vtblk_softc *sc = device_softc(dev);
	unsigned i;
	int error;

	sc->vd = virtio_device_of(dev);
	error = virtio_negotiate(sc->vd, FEATURES, MIN(NQUEUE, cpu_count()));
	if (error == 0)
		error = configure(sc);
	for (i = 0; i < sc->nqueues && error == 0; i++)
		error = make_queue(sc, i);
	if (error == 0) {
		virtio_on_change(sc->vd, vtblk_changed, sc);
		announce(dev, &sc->info);
		virtio_driver_ok(sc->vd);
		error = disk_arrive(dev, &vtblk_disk_ops, sc, &sc->info,
		    &sc->disk);
	}
	if (error != 0)
		vtblk_detach(dev, DETACH_ASKED);
	return error;
}

static const struct device_id vtblk_ids[] = { { .device = VIRTIO_ID_BLOCK },
	{ 0 } };

const struct driver vtblk_driver = {
	.name = "vtblk",
	.linux_name = "virtio_blk",
	.bus = "virtio",
	.softc_size = sizeof(struct vtblk_softc),
	.ids = vtblk_ids,
	.attach = vtblk_attach,
	.detach = vtblk_detach,
};
