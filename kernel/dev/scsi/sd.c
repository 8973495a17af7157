/* SPDX-License-Identifier: ISC */
/*
 * sd.c - SCSI disks.  SBC-3.
 *
 * Each disk_req becomes one command.  One that failed for a reason that passes
 * (a unit attention, a busy target) is tried again a few times, after a while
 * by a timer; all others end with what their sense data say.
 */
#include "dev/disk.h"
#include "dev/drivers.h"
#include "dev/scsi/scsi.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/waitq.h"
#include <linux/errno.h>

#define SD_MAJOR           8
#define SD_MINORS          16
#define NCMD               64u /* under way at once */
#define TRIES              6
#define TIMEOUT_S          30
#define LATER_NS           (100 * 1000000ll)
#define MAX_SECTORS        2048u /* 1 MiB */
#define VPD_LEN            252
#define ATTENTION_CAPACITY 0x2a09 /* "capacity data has changed" */

struct sd_cmd {
	struct scsi_cmd cmd; /* priv: the disk */
	struct disk_req *req;
	uint8_t tries;
	uint8_t list[SCSI_UNMAP_LEN];
	STAILQ_ENTRY(sd_cmd) link; /* free, or for the timer */
};
STAILQ_HEAD(sd_cmds, sd_cmd);

struct sd_softc {                   /* I: constant once attached; l: lock */
	struct scsi_lun *lun;       /* [I] */
	struct device *dev;         /* [I] */
	struct disk *disk;          /* [I] */
	struct disk_info info;      /* [I] */
	struct spinlock lock;       /* interrupts off */
	bool gone;                  /* [l] */
	bool starved;               /* [l] somebody was told -EAGAIN */
	unsigned busy;              /* [l] who is inside: commands, armers */
	struct sd_cmds free, later; /* [l] */
	bool armed;                 /* [l] the timer is, or will be at once */
	struct timer timer;         /* tries again what is in `later` */
	struct sd_cmd *cmds;        /* [I] */
	uint8_t *zeros;             /* [I] a block of them, for WRITE SAME */
	bool thin;                  /* [I] WRITE SAME may unmap */
	char serial[40], wwid[72], model[28], firmware[5];
	char path[32]; /* "scsi-0:0:1:0" */
};

/* Who takes a disk away waits here; outlives all of them. */
static struct waitq leave_wq = WAITQ_INIT(leave_wq);

/* Afterwards the softc may be gone. */
static void
leave(struct sd_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	bool last = --sc->busy == 0 && sc->gone;

	spin_unlock_irq(&sc->lock, state);
	if (last)
		waitq_wake_all(&leave_wq);
}

/* ----------------------------------------------------------- requests -- */

static uint64_t
blocks(const struct sd_softc *sc, uint64_t sectors)
{
	return sectors / (sc->info.block_size / SECTOR_SIZE);
}

static int
fill(struct sd_softc *sc, struct sd_cmd *c, const struct disk_req *req)
{
	struct scsi_cmd *cmd = &c->cmd;
	uint64_t lba = blocks(sc, req->sector);
	uint32_t n = blocks(sc, req->nsectors);

	memset(cmd, 0, sizeof(*cmd));
	switch (req->op) {
	case DISK_READ:
	case DISK_WRITE:
		cmd->dir = req->op == DISK_READ ? DMA_FROM_DEVICE :
						  DMA_TO_DEVICE;
		cmd->run = req->run;
		cmd->nruns = req->nruns;
		cmd->len = req->nsectors * SECTOR_SIZE;
		scsi_cdb_rw(cmd->cdb, req->op == DISK_WRITE, false, lba, n);
		return 0;
	case DISK_FLUSH: scsi_cdb_flush(cmd->cdb); return 0;
	case DISK_DISCARD:
		cmd->dir = DMA_TO_DEVICE;
		cmd->buf = c->list;
		cmd->len = scsi_cdb_unmap(cmd->cdb, c->list, lba, n) != 0 ?
		    SCSI_UNMAP_LEN :
		    0;
		return 0;
	case DISK_ZERO:
		cmd->dir = DMA_TO_DEVICE;
		cmd->buf = sc->zeros;
		cmd->len = sc->info.block_size;
		scsi_cdb_write_same(cmd->cdb, req->unmap && sc->thin, lba, n);
		return 0;
	default: return -EOPNOTSUPP;
	}
}

static bool
supported(const struct sd_softc *sc, const struct disk_req *req)
{
	switch (req->op) {
	case DISK_READ:
	case DISK_FLUSH: return true;
	case DISK_WRITE: return !sc->info.read_only;
	case DISK_DISCARD:
		return !sc->info.read_only && sc->info.max_discard != 0;
	case DISK_ZERO: return !sc->info.read_only && sc->info.max_zero != 0;
	default: return false;
	}
}

static struct sd_cmd *
take_free(struct sd_softc *sc, int *error)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	struct sd_cmd *c = sc->gone ? NULL : STAILQ_FIRST(&sc->free);

	*error = sc->gone ? -ENODEV : -EAGAIN;
	if (c != NULL) {
		STAILQ_REMOVE_HEAD(&sc->free, link);
		sc->busy++;
	} else {
		sc->starved = true;
	}
	spin_unlock_irq(&sc->lock, state);
	return c;
}

/* True: somebody waits for it.  leave() follows. */
static bool
give_back(struct sd_softc *sc, struct sd_cmd *c)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	bool starved = sc->starved;

	c->req = NULL;
	STAILQ_INSERT_HEAD(&sc->free, c, link);
	sc->starved = false;
	spin_unlock_irq(&sc->lock, state);
	return starved;
}

static void sd_done(struct scsi_cmd *cmd);

static int
sd_submit(void *arg, struct disk_req *req)
{
	struct sd_softc *sc = arg;
	struct sd_cmd *c;
	int error;

	if (!supported(sc, req))
		return -EOPNOTSUPP;
	c = take_free(sc, &error);
	if (c == NULL)
		return error;
	error = fill(sc, c, req);
	c->req = req;
	c->tries = 0;
	c->cmd.timeout_s = TIMEOUT_S;
	c->cmd.done = sd_done;
	c->cmd.priv = sc;
	if (error == 0)
		error = scsi_lun_submit(sc->lun, &c->cmd);
	if (error != 0) {
		(void)give_back(sc, c); /* the caller knows already */
		leave(sc);
	}
	return error;
}

/* ------------------------------------------------------------ answers -- */

static void
finish(struct sd_softc *sc, struct sd_cmd *c, int error)
{
	struct disk_req *req = c->req;
	bool room = give_back(sc, c);

	req->done(req, error);
	if (room)
		disk_room(sc->disk);
	leave(sc);
}

/* False: it shall end now. */
static bool
put_off(struct sd_softc *sc, struct sd_cmd *c, bool at_once)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	bool taken = !sc->gone && c->tries++ < TRIES;
	bool arm = taken && !sc->armed;

	if (taken)
		STAILQ_INSERT_TAIL(&sc->later, c, link);
	if (arm) {
		sc->armed = true;
		sc->busy++;
	}
	spin_unlock_irq(&sc->lock, state);
	if (arm) {
		timer_arm(&sc->timer,
		    clock_mono_ns() + (at_once ? 0 : LATER_NS));
		leave(sc);
	}
	return taken;
}

static void
tell_attention(struct sd_softc *sc, const struct scsi_sense *s)
{
	if (s->key == SENSE_ATTENTION &&
	    (s->asc << 8 | s->ascq) == ATTENTION_CAPACITY)
		device_rescan_soon(sc->lun->host->dev);
}

static void
log_failure(struct sd_softc *sc, const struct sd_cmd *c,
    const struct scsi_sense *s, int error)
{
	if (error == -EOPNOTSUPP || error == -ENODEV)
		return;
	log_warn("%s: command 0x%x at sector %lu: error %d, status 0x%x, "
		 "sense %x/%02x/%02x",
	    device_name(sc->dev), c->cmd.cdb[0], c->req->sector, -error,
	    c->cmd.status, s->key, s->asc, s->ascq);
}

/* A read that brought less than was asked for has not worked. */
static int
check_moved(const struct sd_cmd *c)
{
	return c->req->op == DISK_READ && c->cmd.moved != c->cmd.len ? -EIO : 0;
}

static void
sd_done(struct scsi_cmd *cmd)
{
	struct sd_cmd *c = container_of(cmd, struct sd_cmd, cmd);
	struct sd_softc *sc = cmd->priv;
	struct scsi_sense s = { 0 };
	enum scsi_verdict v = SCSI_FAILED;
	int error = cmd->error;

	if (error == 0)
		v = scsi_judge(cmd->status, cmd->sense, cmd->nsense, &s,
		    &error);
	else if (error == -EAGAIN || error == -EBUSY || error == -ETIMEDOUT)
		v = error == -EAGAIN ? SCSI_AGAIN : SCSI_LATER;
	tell_attention(sc, &s);
	if (v == SCSI_DONE)
		error = check_moved(c);
	else if (v != SCSI_FAILED && put_off(sc, c, v == SCSI_AGAIN))
		return;
	if (error == -EAGAIN || error == -EBUSY || error == -ETIMEDOUT ||
	    error == -ENXIO)
		error = -EIO;
	if (error != 0)
		log_failure(sc, c, &s, error);
	finish(sc, c, error);
}

static struct sd_cmd *
take_later(struct sd_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	struct sd_cmd *c = STAILQ_FIRST(&sc->later);

	if (c != NULL)
		STAILQ_REMOVE_HEAD(&sc->later, link);
	spin_unlock_irq(&sc->lock, state);
	return c;
}

/* The timer's: all that were put off, each once. */
static void
try_again(void *arg)
{
	struct sd_softc *sc = arg;
	struct sd_cmd *c;
	unsigned n;
	int error;
	uint64_t state = spin_lock_irq(&sc->lock);

	sc->armed = false;
	spin_unlock_irq(&sc->lock, state);
	for (n = 0; n < NCMD && (c = take_later(sc)) != NULL; n++) {
		error = fill(sc, c, c->req);
		c->cmd.timeout_s = TIMEOUT_S;
		c->cmd.done = sd_done;
		c->cmd.priv = sc;
		if (error == 0)
			error = scsi_lun_submit(sc->lun, &c->cmd);
		if (error == -EAGAIN && put_off(sc, c, false))
			continue;
		if (error != 0)
			finish(sc, c, error == -EAGAIN ? -EIO : error);
	}
}

/* -------------------------------------------------------- what it is -- */

static int
ask(struct sd_softc *sc, struct scsi_call *call)
{
	return scsi_call(sc->lun->host, sc->dev, sc->lun->target, sc->lun->lun,
	    call);
}

static int
wait_ready(struct sd_softc *sc)
{
	struct scsi_call call = { 0 };
	int error;

	scsi_cdb_plain(call.cdb, 0); /* TEST UNIT READY */
	error = ask(sc, &call);
	scsi_call_end(&call);
	if (error != 0 && error != -ENODEV)
		log_warn("%s: not ready, sense %x/%02x/%02x, error %d",
		    device_name(sc->dev), call.sense.key, call.sense.asc,
		    call.sense.ascq, -error);
	return error;
}

static int
read_capacity(struct sd_softc *sc, struct scsi_capacity *c)
{
	struct scsi_call call = { .dir = DMA_FROM_DEVICE, .len = 32 };
	int error;

	scsi_cdb_capacity16(call.cdb, call.len);
	error = ask(sc, &call);
	if (error == 0) {
		error = scsi_capacity16_parse(call.data, call.moved, c);
	} else if (error != -ENODEV) {
		call.len = 8;
		scsi_cdb_capacity10(call.cdb);
		error = ask(sc, &call);
		if (error == 0)
			error = scsi_capacity10_parse(call.data, call.moved, c);
	}
	scsi_call_end(&call);
	if (error == -EINVAL)
		log_warn("%s: its capacity makes no sense",
		    device_name(sc->dev));
	return error;
}

/* A page of vital product data; what lacks it is none the worse. */
static int
vpd(struct sd_softc *sc, uint8_t page, struct scsi_call *call)
{
	scsi_call_end(call);
	call->dir = DMA_FROM_DEVICE;
	call->len = VPD_LEN;
	scsi_cdb_inquiry(call->cdb, page, VPD_LEN);
	return ask(sc, call);
}

static void
set_limits(struct sd_softc *sc, const struct scsi_limits *l, bool unmap,
    bool write_same)
{
	struct disk_info *info = &sc->info;
	uint32_t per = info->block_size / SECTOR_SIZE;

	if (l->max_transfer != 0)
		info->max_sectors = MIN(info->max_sectors,
		    (uint64_t)l->max_transfer * per);
	if (unmap && l->max_unmap_ranges != 0)
		info->max_discard = (uint64_t)l->max_unmap * per;
	if (l->unmap_granularity != 0 && l->unmap_granularity < (1u << 16))
		info->discard_granularity = l->unmap_granularity *
		    info->block_size;
	sc->thin = write_same;
	if (write_same) /* without a limit of its own, what all take */
		info->max_zero = MIN(l->max_write_same != 0 ?
					 l->max_write_same :
					 UINT16_MAX,
				     (uint64_t)UINT32_MAX / per) *
		    per;
	info->max_discard = MIN(info->max_discard, (uint64_t)UINT32_MAX);
	info->max_zero = MIN(info->max_zero, (uint64_t)UINT32_MAX);
}

static int
read_pages(struct sd_softc *sc, bool thin)
{
	struct scsi_call call = { 0 }, list = { 0 };
	struct scsi_limits limits = { 0 };
	bool unmap = false, write_same = false;
	int error = vpd(sc, 0, &list);

	if (error == 0 && scsi_vpd_has(list.data, list.moved, 0x80) &&
	    vpd(sc, 0x80, &call) == 0)
		(void)scsi_vpd_serial(call.data, call.moved, sc->serial,
		    sizeof(sc->serial));
	if (error == 0 && scsi_vpd_has(list.data, list.moved, 0x83) &&
	    vpd(sc, 0x83, &call) == 0)
		(void)scsi_vpd_id(call.data, call.moved, sc->wwid,
		    sizeof(sc->wwid));
	if (error == 0 && scsi_vpd_has(list.data, list.moved, 0xb0) &&
	    vpd(sc, 0xb0, &call) == 0)
		(void)scsi_vpd_limits(call.data, call.moved, &limits);
	if (error == 0 && thin && scsi_vpd_has(list.data, list.moved, 0xb2) &&
	    vpd(sc, 0xb2, &call) == 0)
		(void)scsi_vpd_provisioning(call.data, call.moved, &unmap,
		    &write_same);
	set_limits(sc, &limits, unmap, write_same);
	scsi_call_end(&call);
	scsi_call_end(&list);
	return device_is_gone(sc->dev) ? -ENODEV : 0;
}

static int
read_mode(struct sd_softc *sc)
{
	struct scsi_call call = { .dir = DMA_FROM_DEVICE, .len = 192 };
	int error;

	scsi_cdb_mode_sense(call.cdb, 0x08, call.len);
	error = ask(sc, &call);
	if (error == 0)
		(void)scsi_mode_parse(call.data, call.moved,
		    &sc->info.read_only, &sc->info.volatile_cache);
	scsi_call_end(&call);
	return error == -ENODEV ? error : 0;
}

static void
set_info(struct sd_softc *sc, const struct scsi_capacity *c)
{
	const struct scsi_host *h = sc->lun->host;
	const struct scsi_inquiry *q = &sc->lun->inquiry;
	struct disk_info *info = &sc->info;

	info->prefix = "sd";
	info->driver = "sd";
	info->major = SD_MAJOR;
	info->minors = SD_MINORS;
	info->block_size = c->block_size;
	info->physical_size = c->physical_size;
	info->nsectors = c->blocks * (c->block_size / SECTOR_SIZE);
	info->max_sectors = MAX_SECTORS;
	if (h->max_sectors != 0)
		info->max_sectors = MIN(MAX_SECTORS,
		    ROUND_DOWN(h->max_sectors, c->block_size / SECTOR_SIZE));
	info->max_segs = h->max_segs;
	info->max_seg_size = ROUND_DOWN(h->max_seg_size, c->block_size);
	info->discard_granularity = c->block_size;
	snprintf(sc->model, sizeof(sc->model), "%s", q->product);
	snprintf(sc->firmware, sizeof(sc->firmware), "%s", q->revision);
	snprintf(sc->path, sizeof(sc->path), "scsi-0:0:%u:%u", sc->lun->target,
	    sc->lun->lun);
	info->model = sc->model;
	info->path = sc->path;
	info->firmware = sc->firmware;
}

static int
identify(struct sd_softc *sc)
{
	struct scsi_capacity c;
	int error = wait_ready(sc);

	if (error == 0)
		error = read_capacity(sc, &c);
	if (error != 0)
		return error;
	set_info(sc, &c);
	if (sc->info.max_sectors == 0 ||
	    (sc->lun->host->max_seg_size != 0 && sc->info.max_seg_size == 0)) {
		log_warn("%s: blocks of %u bytes are too long for its host",
		    device_name(sc->dev), c.block_size);
		return -EINVAL;
	}
	error = read_pages(sc, c.thin);
	if (error == 0)
		error = read_mode(sc);
	if (sc->serial[0] != '\0')
		sc->info.serial = sc->serial;
	if (sc->wwid[0] != '\0')
		sc->info.wwid = sc->wwid;
	return error;
}

/* The host's scan, inside our gate: the size may be another one. */
static void
sd_changed(void *arg)
{
	struct sd_softc *sc = arg;
	struct scsi_capacity c;
	uint64_t n;

	if (read_capacity(sc, &c) != 0)
		return;
	if (c.block_size != sc->info.block_size) {
		log_warn("%s: its block size changed; taken away as gone",
		    device_name(sc->dev));
		device_report_gone(sc->dev);
		return;
	}
	n = c.blocks * (c.block_size / SECTOR_SIZE);
	if (n != sc->disk->info.nsectors)
		disk_resized(sc->disk, n);
}

static void
sd_room(void *arg)
{
	struct sd_softc *sc = arg;

	disk_room(sc->disk);
}

/* ----------------------------------------------------- attach, detach -- */

static const struct disk_ops sd_ops = { .submit = sd_submit };

static int
make_cmds(struct sd_softc *sc)
{
	unsigned i, n = MIN(NCMD, sc->lun->host->cmds_per_lun);

	sc->cmds = kcalloc(n, sizeof(*sc->cmds));
	sc->zeros = kzalloc(PAGE_SIZE);
	if (sc->cmds == NULL || sc->zeros == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		STAILQ_INSERT_TAIL(&sc->free, &sc->cmds[i], link);
	return 0;
}

static bool
all_back(struct sd_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	bool all = sc->busy == 0;

	spin_unlock_irq(&sc->lock, state);
	return all;
}

/*
 * Commands that are with the transport end in their own time: answered, or
 * given up.  The softc has to stay that long.
 */
static void
sd_detach(struct device *dev, enum detach_kind kind)
{
	struct sd_softc *sc = device_softc(dev);
	struct sd_cmd *c;
	uint64_t state;

	if (kind == DETACH_ASKED && sc->disk != NULL)
		disk_leaving(sc->disk);
	scsi_lun_deafen(sc->lun);
	state = spin_lock_irq(&sc->lock);
	sc->gone = true;
	spin_unlock_irq(&sc->lock, state);
	timer_cancel(&sc->timer);
	while ((c = take_later(sc)) != NULL)
		finish(sc, c, -ENODEV);
	if (kind == DETACH_GONE)
		sc->lun->host->ops->give_up(sc->lun->host->arg, sc->lun->target,
		    sc->lun->lun);
	wait_event(&leave_wq, all_back(sc));
	timer_cancel(&sc->timer);
	disk_depart(sc->disk);
	kfree(sc->cmds);
	kfree(sc->zeros);
}

static int
sd_attach(struct device *dev)
{
	struct sd_softc *sc = device_softc(dev);
	uint64_t mib;
	int error;

	sc->lun = device_ivars(dev);
	sc->dev = dev;
	spin_init(&sc->lock);
	STAILQ_INIT(&sc->free);
	STAILQ_INIT(&sc->later);
	timer_setup(&sc->timer, try_again, sc);
	error = make_cmds(sc);
	if (error == 0)
		error = identify(sc);
	if (error == 0) {
		mib = sc->info.nsectors / 2048;
		device_announce(dev,
		    "%s %s %s, %lu MiB, blocks of %u bytes%s%s",
		    sc->lun->inquiry.vendor, sc->model, sc->firmware, mib,
		    sc->info.block_size,
		    sc->info.read_only ? ", read-only" : "",
		    sc->info.volatile_cache ? ", write-back" : "");
		error = disk_arrive(dev, &sd_ops, sc, &sc->info, &sc->disk);
	}
	if (error == 0)
		scsi_lun_listen(sc->lun, sd_changed, sd_room, sc);
	else
		sd_detach(dev, DETACH_ASKED);
	return error;
}

static int
sd_match(struct device *dev)
{
	const struct scsi_lun *l = device_ivars(dev);

	return l->inquiry.type == SCSI_TYPE_DISK ? DRIVER_MATCH : 0;
}

const struct driver sd_driver = {
	.name = "sd",
	.bus = "scsi",
	.softc_size = sizeof(struct sd_softc),
	.match = sd_match,
	.attach = sd_attach,
	.detach = sd_detach,
};
