/* SPDX-License-Identifier: ISC */
/*
 * vtscsi.c - virtio SCSI hosts.  Virtio 1.2, 5.6.
 *
 * Carries commands to targets and their answers back, and the host's events,
 * each of which has the units looked at again.  What they are is dev/scsi's.
 *
 * A command that is not answered in its time is aborted, then its unit reset;
 * a device that answers neither is broken:
 *
 *	RUNNING --time--> ABORTING --time--> RESETTING --time--> broken
 *	   |                 |                   |
 *	   +---- answered ---+-------------------+---> FREE
 */
#include "bus/device.h"
#include "bus/virtqueue.h"
#include "dev/drivers.h"
#include "dev/scsi/scsi.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/timer.h"
#include <linux/errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>

#define NQUEUE          8u
#define NSLOT           64u /* commands under way on one queue, at most */
#define NSEG            32u
#define NTABLE          16u
#define NEVENT          8u
#define NTMF            4u
#define TMF_S           10
#define TICK_NS         NSEC_PER_SEC
#define BATCH           16u
#define CONFIG(f)       offsetof(struct virtio_scsi_config, f)
#define RESPONSE_PRESET 0xff

#define FEATURES \
	(VIRTIO_BIT(VIRTIO_SCSI_F_HOTPLUG) | VIRTIO_BIT(VIRTIO_SCSI_F_CHANGE))

enum stage { FREE, RUNNING, ABORTING, RESETTING };

/* What the device reads and writes of a command besides its data. */
struct vtscsi_wire {
	struct virtio_scsi_cmd_req req;
	uint8_t pad[13];
	struct virtio_scsi_cmd_resp resp;
	uint8_t pad2[20];
};
_Static_assert(sizeof(struct vtscsi_wire) == 192, "three cache lines");

struct vtscsi_slot {
	struct scsi_cmd *cmd; /* NULL: free */
	struct dma_map *map;
	enum stage stage;
	int64_t deadline_ns;
	uint16_t next;
};

struct vtscsi_queue { /* q: under lock */
	struct vtscsi_softc *sc;
	struct spinlock lock;
	struct virtqueue *vq;     /* [q] */
	struct dma_mem wires;     /* [I] struct vtscsi_wire[NSLOT] */
	struct vtscsi_slot *slot; /* [q] NSLOT of them */
	uint16_t free;            /* [q] first free slot; NSLOT: none */
	bool starved;             /* [q] somebody was told -EAGAIN */
};

struct vtscsi_tmf {
	struct virtio_scsi_ctrl_tmf_req req;
	struct virtio_scsi_ctrl_tmf_resp resp;
	uint8_t pad[64 - sizeof(struct virtio_scsi_ctrl_tmf_req) - 1];
};

struct vtscsi_softc {             /* I: constant once attached; c: lock */
	struct virtio_device *vd; /* [I] */
	struct device *dev;       /* [I] */
	struct scsi_host host;
	unsigned nqueues;               /* [I] */
	bool attached;                  /* [I] the host is begun */
	bool gone;                      /* under each queue's lock: for ever */
	bool lied;                      /* one line in the log is enough */
	struct spinlock lock;           /* interrupts off */
	struct virtqueue *ctl, *events; /* [c] */
	struct dma_mem mem;             /* [I] TMFs, then events */
	uint32_t tmf_free;              /* [c] a bit each */
	struct timer timer;             /* ticks while commands are under way */
	uint32_t ticking;               /* [a] */
	struct vtscsi_queue queue[NQUEUE];
};

static void
lied(struct vtscsi_softc *sc, const char *how, uint32_t value)
{
	if (!__atomic_exchange_n(&sc->lied, true, __ATOMIC_RELAXED))
		log_warn("%s: %s (%u)", device_name(sc->dev), how, value);
}

static struct vtscsi_wire *
wire_of(const struct vtscsi_queue *q, unsigned slot)
{
	return (struct vtscsi_wire *)q->wires.kva + slot;
}

/* 5.6.6.1: always 1, the target, the unit in flat form. */
static void
put_lun(uint8_t lun[8], unsigned target, uint32_t unit)
{
	memset(lun, 0, 8);
	lun[0] = 1;
	lun[1] = target;
	lun[2] = 0x40 | unit >> 8;
	lun[3] = unit;
}

static uint64_t
tag_of(const struct vtscsi_queue *q, unsigned slot)
{
	return (uint64_t)(q - q->sc->queue) << 16 | slot;
}

/* ----------------------------------------------------------- commands -- */

static int
load(struct vtscsi_slot *s, const struct scsi_cmd *cmd)
{
	int error;

	if (cmd->dir == 0)
		return 0;
	if (cmd->buf != NULL)
		error = dma_map_load(s->map, cmd->buf, cmd->len, cmd->dir);
	else
		error = dma_map_load_runs(s->map, cmd->run, cmd->nruns,
		    cmd->dir);
	if (error == 0)
		dma_map_sync(s->map, DMA_SYNC_FOR_DEVICE);
	return error;
}

/* The chain: request, data out; response, data in. */
static int
push(struct vtscsi_queue *q, unsigned i)
{
	struct vtscsi_slot *s = &q->slot[i];
	busaddr_t at = q->wires.addr + i * sizeof(struct vtscsi_wire);
	bool out = s->cmd->dir == DMA_TO_DEVICE;
	struct dma_seg seg[NSEG + 2];
	unsigned n = 0, nread, k;

	seg[n++] = (struct dma_seg){ at, sizeof(struct virtio_scsi_cmd_req) };
	for (k = 0; out && k < s->map->nsegs; k++)
		seg[n++] = s->map->seg[k];
	nread = n;
	seg[n++] = (struct dma_seg){ at + offsetof(struct vtscsi_wire, resp),
		sizeof(struct virtio_scsi_cmd_resp) };
	for (k = 0; !out && k < s->map->nsegs; k++)
		seg[n++] = s->map->seg[k];
	return virtqueue_push(q->vq, seg, nread, n - nread, s);
}

static void
fill_wire(struct vtscsi_queue *q, unsigned i, const struct scsi_cmd *cmd)
{
	struct vtscsi_wire *w = wire_of(q, i);

	memset(w, 0, sizeof(*w));
	put_lun(w->req.lun, cmd->target, cmd->lun);
	w->req.tag = tag_of(q, i);
	memcpy(w->req.cdb, cmd->cdb, sizeof(cmd->cdb));
	w->resp.response = RESPONSE_PRESET;
}

static void
free_slot(struct vtscsi_queue *q, struct vtscsi_slot *s)
{
	dma_map_unload(s->map);
	s->cmd = NULL;
	s->stage = FREE;
	s->next = q->free;
	q->free = s - q->slot;
}

static int
start_locked(struct vtscsi_queue *q, struct scsi_cmd *cmd)
{
	unsigned i = q->free;
	struct vtscsi_slot *s = &q->slot[i];
	int error;

	if (i == NSLOT) {
		q->starved = true;
		return -EAGAIN;
	}
	error = load(s, cmd);
	if (error != 0)
		return error;
	q->free = s->next;
	s->cmd = cmd;
	s->stage = RUNNING;
	s->deadline_ns = clock_mono_ns() + cmd->timeout_s * NSEC_PER_SEC;
	fill_wire(q, i, cmd);
	error = push(q, i);
	if (error != 0)
		free_slot(q, s);
	if (error == -ENOSPC) {
		q->starved = true;
		error = -EAGAIN;
	}
	return error;
}

/*
 * No lock held: a tick that runs elsewhere wants them.  Who calls this is a
 * unit's driver or the scan, all of which have left before the device does.
 */
static void
tick_on(struct vtscsi_softc *sc)
{
	if (__atomic_exchange_n(&sc->ticking, 1, __ATOMIC_ACQ_REL) == 0)
		timer_arm(&sc->timer, clock_mono_ns() + TICK_NS);
}

static int
vtscsi_submit(void *arg, struct scsi_cmd *cmd)
{
	struct vtscsi_softc *sc = arg;
	struct vtscsi_queue *q = &sc->queue[cpu_id() % sc->nqueues];
	uint64_t state = spin_lock_irq(&q->lock);
	bool kick = false;
	int error;

	error = sc->gone ? -ENODEV : start_locked(q, cmd);
	if (error == 0)
		kick = virtqueue_kick_needed(q->vq);
	spin_unlock_irq(&q->lock, state);
	if (kick)
		virtqueue_notify(q->vq);
	if (error == 0)
		tick_on(sc);
	return error;
}

/* ------------------------------------------------------------ answers -- */

static int
error_of(struct vtscsi_softc *sc, const struct vtscsi_slot *s, uint8_t response)
{
	switch (response) {
	case VIRTIO_SCSI_S_OK: return 0;
	case VIRTIO_SCSI_S_ABORTED:
		return s->stage == RUNNING ? -EAGAIN : -ETIMEDOUT;
	case VIRTIO_SCSI_S_BAD_TARGET:
	case VIRTIO_SCSI_S_INCORRECT_LUN: return -ENXIO;
	case VIRTIO_SCSI_S_RESET:
	case VIRTIO_SCSI_S_TRANSPORT_FAILURE: return -EAGAIN;
	case VIRTIO_SCSI_S_BUSY: return -EBUSY;
	case VIRTIO_SCSI_S_OVERRUN:
	case VIRTIO_SCSI_S_TARGET_FAILURE:
	case VIRTIO_SCSI_S_NEXUS_FAILURE:
	case VIRTIO_SCSI_S_FAILURE: return -EIO;
	default:
		lied(sc, "unknown response, answered with EIO", response);
		return -EIO;
	}
}

/* Reads what the device wrote, once; `len` bytes of it can be believed. */
static void
take_answer(struct vtscsi_queue *q, struct vtscsi_slot *s, uint32_t len)
{
	struct virtio_scsi_cmd_resp r;
	struct scsi_cmd *cmd = s->cmd;
	uint32_t room;

	memcpy(&r, &wire_of(q, s - q->slot)->resp, sizeof(r));
	if (q->sc->vd->legacy) /* which may tell any length */
		len = sizeof(r) + (cmd->dir == DMA_FROM_DEVICE ? cmd->len : 0);
	cmd->nsense = 0;
	cmd->moved = 0;
	cmd->status = r.status;
	if (len < sizeof(r) - sizeof(r.sense)) {
		lied(q->sc, "an answer of too few bytes", len);
		cmd->error = -EIO;
		return;
	}
	cmd->error = error_of(q->sc, s, r.response);
	room = len < sizeof(r) ? len - (sizeof(r) - sizeof(r.sense)) :
				 sizeof(r.sense);
	cmd->nsense = MIN(MIN(r.sense_len, room), SCSI_SENSE_MAX);
	memcpy(cmd->sense, r.sense, cmd->nsense);
	cmd->moved = cmd->len - MIN(r.resid, cmd->len);
	if (cmd->dir == DMA_FROM_DEVICE)
		cmd->moved = len < sizeof(r) ? 0 :
					       MIN(cmd->moved, len - sizeof(r));
}

/* Up to BATCH answers; `more`: there may be others. */
static unsigned
take_answers(struct vtscsi_queue *q, struct scsi_cmd **end, bool *more,
    bool *room)
{
	struct vtscsi_slot *s;
	unsigned n = 0;
	uint32_t len;
	uint64_t state = spin_lock_irq(&q->lock);

	virtqueue_intr_off(q->vq);
	while (n < BATCH && (s = virtqueue_pop(q->vq, &len)) != NULL) {
		dma_map_sync(s->map, DMA_SYNC_FOR_CPU);
		end[n++] = s->cmd;
		take_answer(q, s, len);
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
vtscsi_intr(void *arg)
{
	struct vtscsi_queue *q = arg;
	struct scsi_cmd *end[BATCH];
	bool more, room;
	unsigned i, n;

	do {
		n = take_answers(q, end, &more, &room);
		for (i = 0; i < n; i++)
			end[i]->done(end[i]);
		if (room)
			scsi_host_room(&q->sc->host);
	} while (more);
}

/* ------------------------------------------- commands that do not end -- */

static size_t
tmf_offset(unsigned i)
{
	return i * sizeof(struct vtscsi_tmf);
}

/*
 * Asks the device to abort or reset.  While it owes answers to such questions
 * no more are asked: one reset helps all of a unit's commands.
 */
static void
send_tmf(struct vtscsi_softc *sc, uint32_t what, unsigned target, uint32_t lun,
    uint64_t tag)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	struct vtscsi_tmf *t;
	struct dma_seg seg[2];
	unsigned i;

	if (sc->tmf_free != 0) {
		i = __builtin_ctz(sc->tmf_free);
		t = (struct vtscsi_tmf *)sc->mem.kva + i;
		memset(t, 0, sizeof(*t));
		t->req.type = VIRTIO_SCSI_T_TMF;
		t->req.subtype = what;
		put_lun(t->req.lun, target, lun);
		t->req.tag = tag;
		seg[0] = (struct dma_seg){ sc->mem.addr + tmf_offset(i),
			sizeof(t->req) };
		seg[1] = (struct dma_seg){ seg[0].addr + sizeof(t->req), 1 };
		if (virtqueue_push(sc->ctl, seg, 1, 1,
			(void *)(uintptr_t)(i + 1)) == 0)
			sc->tmf_free &= ~(1u << i);
		virtqueue_kick(sc->ctl);
	}
	spin_unlock_irq(&sc->lock, state);
}

/* What the answer says shows in the commands: they end, or they do not. */
static void
ctl_intr(void *arg)
{
	struct vtscsi_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	void *cookie;
	uint32_t len;

	do {
		while ((cookie = virtqueue_pop(sc->ctl, &len)) != NULL)
			sc->tmf_free |= 1u << ((uintptr_t)cookie - 1);
	} while (!virtqueue_intr_on(sc->ctl));
	spin_unlock_irq(&sc->lock, state);
}

/* The next step for a command whose time is up; its queue's lock is held. */
static void
too_late_locked(struct vtscsi_queue *q, struct vtscsi_slot *s, int64_t now)
{
	struct vtscsi_softc *sc = q->sc;
	const struct scsi_cmd *cmd = s->cmd;

	s->deadline_ns = now + TMF_S * NSEC_PER_SEC;
	switch (s->stage) {
	case RUNNING:
		send_tmf(sc, VIRTIO_SCSI_T_TMF_ABORT_TASK, cmd->target,
		    cmd->lun, tag_of(q, s - q->slot));
		s->stage = ABORTING;
		break;
	case ABORTING:
		send_tmf(sc, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, cmd->target,
		    cmd->lun, 0);
		s->stage = RESETTING;
		break;
	default:
		virtio_broken(sc->vd,
		    "target %u lun %u answers nothing, not even a reset",
		    cmd->target, cmd->lun);
	}
}

/* True: commands are under way. */
static bool
look_at_queue(struct vtscsi_queue *q, int64_t now)
{
	uint64_t state = spin_lock_irq(&q->lock);
	bool any = false;
	unsigned i;

	for (i = 0; i < NSLOT; i++) {
		if (q->slot[i].stage == FREE)
			continue;
		any = true;
		if (now >= q->slot[i].deadline_ns)
			too_late_locked(q, &q->slot[i], now);
	}
	any = any && !q->sc->gone;
	spin_unlock_irq(&q->lock, state);
	return any;
}

static void
tick(void *arg)
{
	struct vtscsi_softc *sc = arg;
	int64_t now = clock_mono_ns();
	bool any = false;
	unsigned i;

	/* Who submits from here on arms it again. */
	__atomic_store_n(&sc->ticking, 0, __ATOMIC_SEQ_CST);
	for (i = 0; i < sc->nqueues; i++)
		any |= look_at_queue(&sc->queue[i], now);
	if (any)
		tick_on(sc);
}

/* ------------------------------------------------------------- events -- */

static size_t
event_offset(unsigned i)
{
	return tmf_offset(NTMF) + i * sizeof(struct virtio_scsi_event);
}

static void
post_event_locked(struct vtscsi_softc *sc, unsigned i)
{
	struct dma_seg seg = { sc->mem.addr + event_offset(i),
		sizeof(struct virtio_scsi_event) };

	(void)virtqueue_push(sc->events, &seg, 0, 1,
	    (void *)(uintptr_t)(i + 1));
}

/* Whatever has happened, and to whom: all are looked at again. */
static void
event_intr(void *arg)
{
	struct vtscsi_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	bool any = false;
	void *cookie;
	uint32_t len;
	unsigned n = 0;

	do {
		while (n++ < NEVENT &&
		    (cookie = virtqueue_pop(sc->events, &len)) != NULL) {
			any = true;
			post_event_locked(sc, (uintptr_t)cookie - 1);
		}
	} while (!virtqueue_intr_on(sc->events) && n < NEVENT);
	virtqueue_kick(sc->events);
	spin_unlock_irq(&sc->lock, state);
	if (any)
		device_rescan_soon(sc->dev);
}

/* --------------------------------------------------- attach, detach -- */

static struct scsi_cmd *
take_unanswered(struct vtscsi_queue *q)
{
	struct vtscsi_slot *s;
	struct scsi_cmd *cmd = NULL;
	uint64_t state;

	if (q->vq == NULL)
		return NULL;
	state = spin_lock_irq(&q->lock);
	s = virtqueue_take_back(q->vq);
	if (s != NULL) {
		cmd = s->cmd;
		free_slot(q, s);
	}
	spin_unlock_irq(&q->lock, state);
	return cmd;
}

/* No new commands, no DMA, no handlers; then what is left ends. */
static bool
stop(struct vtscsi_softc *sc, bool gone)
{
	struct scsi_cmd *cmd;
	uint64_t state;
	unsigned i, ended = 0;
	bool quiet;

	for (i = 0; i < NQUEUE; i++) {
		state = spin_lock_irq(&sc->queue[i].lock);
		sc->gone = true;
		spin_unlock_irq(&sc->queue[i].lock, state);
	}
	quiet = virtio_stop(sc->vd, gone);
	for (i = 0; i < NQUEUE; i++) {
		while ((cmd = take_unanswered(&sc->queue[i])) != NULL) {
			cmd->error = -ENODEV;
			cmd->done(cmd);
			ended++;
		}
	}
	if (ended > 0)
		log_info("%s: gone, %u commands ended with ENODEV",
		    device_name(sc->dev), ended);
	return quiet;
}

static void
vtscsi_give_up(void *arg, unsigned target, uint32_t lun)
{
	struct vtscsi_softc *sc = arg;

	if (device_is_gone(sc->dev))
		(void)stop(sc, true);
	else
		send_tmf(sc, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, target, lun,
		    0);
}

static const struct scsi_host_ops host_ops = {
	.submit = vtscsi_submit,
	.give_up = vtscsi_give_up,
};

static int
bad_config(struct vtscsi_softc *sc, const char *what, uint32_t value)
{
	log_warn("%s: %s of %u makes no sense", device_name(sc->dev), what,
	    value);
	return -EINVAL;
}

static void
read_config(struct virtio_device *vd, void *arg)
{
	struct virtio_scsi_config *c = arg;

	c->num_queues = virtio_config32(vd, CONFIG(num_queues));
	c->seg_max = virtio_config32(vd, CONFIG(seg_max));
	c->max_sectors = virtio_config32(vd, CONFIG(max_sectors));
	c->cmd_per_lun = virtio_config32(vd, CONFIG(cmd_per_lun));
	c->sense_size = virtio_config32(vd, CONFIG(sense_size));
	c->cdb_size = virtio_config32(vd, CONFIG(cdb_size));
	c->max_target = virtio_config16(vd, CONFIG(max_target));
}

static int
configure(struct vtscsi_softc *sc)
{
	struct virtio_scsi_config c = { 0 };
	int error = virtio_config(sc->vd, read_config, &c);

	if (error != 0)
		return error;
	if (c.num_queues == 0)
		return bad_config(sc, "number of queues", 0);
	if (c.sense_size != VIRTIO_SCSI_SENSE_SIZE)
		return bad_config(sc, "sense size", c.sense_size);
	if (c.cdb_size != VIRTIO_SCSI_CDB_SIZE)
		return bad_config(sc, "command size", c.cdb_size);
	sc->nqueues = MAX(1u, MIN(MIN(c.num_queues, NQUEUE), cpu_count()));
	sc->host.ops = &host_ops;
	sc->host.arg = sc;
	sc->host.dev = sc->dev;
	sc->host.ntargets = c.max_target + 1u;
	sc->host.max_segs = MAX(1u, MIN(NSEG, c.seg_max));
	sc->host.max_sectors = c.max_sectors;
	sc->host.cmds_per_lun = MAX(1u, MIN(c.cmd_per_lun, NSLOT));
	return 0;
}

static int
make_slots(struct vtscsi_queue *q)
{
	struct dma_limits limits = { .max_segs = q->sc->host.max_segs };
	unsigned i;
	int error;

	q->slot = kcalloc(NSLOT, sizeof(*q->slot));
	if (q->slot == NULL)
		return -ENOMEM;
	error = dma_mem_alloc(q->sc->vd->dma,
	    NSLOT * sizeof(struct vtscsi_wire), PAGE_SIZE, NULL, &q->wires);
	for (i = 0; i < NSLOT && error == 0; i++) {
		q->slot[i].next = i + 1;
		error = dma_map_create(q->sc->vd->dma, &limits,
		    &q->slot[i].map);
	}
	return error;
}

static int
make_queue(struct vtscsi_softc *sc, unsigned i)
{
	struct vtscsi_queue *q = &sc->queue[i];
	struct virtqueue_spec spec = { .index = 2 + i,
		.cpu = i,
		.max_chain = NSEG + 2,
		.ntables = NTABLE,
		.long_answers = true, /* QEMU counts what it read, too */
		.intr = vtscsi_intr,
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
	sc->host.max_segs = MIN(sc->host.max_segs, virtqueue_size(q->vq) - 2);
	return make_slots(q);
}

static int
make_side_queues(struct vtscsi_softc *sc)
{
	struct virtqueue_spec ctl = { .index = 0,
		.max_size = 2 * NTMF,
		.max_chain = 2,
		.intr = ctl_intr,
		.arg = sc };
	struct virtqueue_spec events = { .index = 1,
		.max_size = NEVENT,
		.max_chain = 1,
		.intr = event_intr,
		.arg = sc };
	int error = virtqueue_create(sc->vd, &ctl, &sc->ctl);
	unsigned i, n;

	if (error == 0)
		error = virtqueue_create(sc->vd, &events, &sc->events);
	if (error == 0)
		error = dma_mem_alloc(sc->vd->dma, event_offset(NEVENT),
		    PAGE_SIZE, NULL, &sc->mem);
	if (error != 0)
		return error;
	if (virtqueue_size(sc->ctl) < 2)
		return bad_config(sc, "queue", virtqueue_size(sc->ctl));
	sc->tmf_free = (1u << NTMF) - 1;
	n = MIN(NEVENT, virtqueue_size(sc->events));
	for (i = 0; i < n; i++)
		post_event_locked(sc, i);
	return 0;
}

static void
free_queue(struct vtscsi_queue *q, bool quiet)
{
	unsigned i;

	for (i = 0; q->slot != NULL && i < NSLOT; i++)
		dma_map_destroy(q->slot[i].map);
	dma_mem_free(&q->wires, quiet);
	kfree(q->slot);
	virtqueue_destroy(q->vq, quiet);
}

/* Every step accepts a softc that is half built. */
static void
vtscsi_detach(struct device *dev, enum detach_kind kind)
{
	struct vtscsi_softc *sc = device_softc(dev);
	bool quiet = stop(sc, kind == DETACH_GONE);
	unsigned i;

	timer_cancel(&sc->timer);
	if (sc->attached)
		scsi_host_fini(&sc->host);
	for (i = 0; i < NQUEUE; i++)
		free_queue(&sc->queue[i], quiet);
	virtqueue_destroy(sc->ctl, quiet);
	virtqueue_destroy(sc->events, quiet);
	dma_mem_free(&sc->mem, quiet);
}

static int
vtscsi_rescan(struct device *dev)
{
	struct vtscsi_softc *sc = device_softc(dev);

	return scsi_host_rescan(&sc->host);
}

static const struct bus_ops vtscsi_bus_ops = {
	.name = "scsi",
	.rescan = vtscsi_rescan,
	.free = scsi_lun_free,
};

static int
vtscsi_attach(struct device *dev)
{
	struct vtscsi_softc *sc = device_softc(dev);
	unsigned i;
	int error;

	sc->vd = virtio_device_of(dev);
	sc->dev = dev;
	spin_init(&sc->lock);
	timer_setup(&sc->timer, tick, sc);
	scsi_host_init(&sc->host);
	sc->attached = true;
	error = virtio_negotiate(sc->vd, FEATURES,
	    2 + MIN(NQUEUE, cpu_count()));
	if (error == 0)
		error = configure(sc);
	for (i = 0; i < sc->nqueues && error == 0; i++)
		error = make_queue(sc, i);
	if (error == 0)
		error = make_side_queues(sc);
	if (error != 0) {
		vtscsi_detach(dev, DETACH_ASKED);
		return error;
	}
	device_set_bus(dev, &vtscsi_bus_ops);
	device_announce(dev, "SCSI host, %u targets, %u queues",
	    sc->host.ntargets, sc->nqueues);
	virtio_driver_ok(sc->vd);
	virtqueue_kick(sc->events);
	device_rescan_soon(dev);
	return 0;
}

static const struct device_id vtscsi_ids[] = { { .device = VIRTIO_ID_SCSI },
	{ 0 } };

const struct driver vtscsi_driver = {
	.name = "vtscsi",
	.bus = "virtio",
	.linux_name = "virtio_scsi",
	.softc_size = sizeof(struct vtscsi_softc),
	.ids = vtscsi_ids,
	.attach = vtscsi_attach,
	.detach = vtscsi_detach,
};
