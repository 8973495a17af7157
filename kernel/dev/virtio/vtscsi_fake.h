/* SPDX-License-Identifier: ISC */
/*
 * vtscsi_fake.h - what SCSI's drivers find around them on the host: a tree of
 * a host and its units, a floor above that submits, a device that answers as
 * the program says.  Included by one file of a program, behind tests/host's
 * locks; includes the drivers themselves.
 */
#ifndef DEV_VTSCSI_FAKE_H
#define DEV_VTSCSI_FAKE_H

#define FAKE_OWN_TREE
#define KERN_TIMER_H
#include "bus/virtio_alone.h"

struct timer {
	void (*fn)(void *arg);
	void *arg;
	bool armed;
	int64_t deadline_ns;
};

static inline void
timer_setup(struct timer *t, void (*fn)(void *arg), void *arg)
{
	*t = (struct timer){ .fn = fn, .arg = arg };
}

static struct timer *fake_timer[64];
static unsigned fake_ntimers;

static inline void
timer_arm(struct timer *t, int64_t deadline_ns)
{
	unsigned i;

	t->deadline_ns = deadline_ns;
	t->armed = true;
	for (i = 0; i < fake_ntimers && fake_timer[i] != t; i++)
		;
	fake_check(i < ARRAY_SIZE(fake_timer), "too many timers");
	fake_timer[i] = t;
	fake_ntimers = MAX(fake_ntimers, i + 1);
}

static inline bool
timer_cancel(struct timer *t)
{
	bool was = t->armed;
	unsigned i;

	t->armed = false;
	for (i = 0; i < fake_ntimers; i++)
		if (fake_timer[i] == t)
			fake_timer[i] = fake_timer[--fake_ntimers];
	return was;
}

static inline void
fake_pass(int64_t ns)
{
	struct timer *t;
	unsigned i;

	fake_now += ns;
	for (i = 0; i < fake_ntimers; i++) {
		t = fake_timer[i];
		if (!t->armed || t->deadline_ns > fake_now)
			continue;
		t->armed = false;
		t->fn(t->arg);
		i = -1u; /* the list may be another one */
		fake_now++;
	}
}

/* ----------------------------------------------------------- the tree -- */

unsigned
cpu_id(void)
{
	return 0;
}

struct device {
	struct waitq wq;
	void *softc, *ivars;
	unsigned refs;
	bool gone, attached, there;
};

static struct device fake_host;
static unsigned fake_units;
static bool fake_rescan_due;

#include "dev/scsi/scsi_call.c"
#include "dev/scsi/scsi_host.c"
#include "dev/scsi/sd.c"
#include "dev/virtio/vtscsi.c"

void *
device_softc(const struct device *dev)
{
	return dev->softc;
}

void *
device_ivars(const struct device *dev)
{
	return dev == &fake_host ? fake_ivars : dev->ivars;
}

struct waitq *
device_waitq(struct device *dev)
{
	return &dev->wq;
}

bool
device_is_gone(const struct device *dev)
{
	return dev->gone || fake_host.gone;
}

enum device_state
device_state(const struct device *dev)
{
	return dev->there ? DEVICE_ATTACHED : DEVICE_GONE;
}

const char *
device_name(const struct device *dev)
{
	return dev == &fake_host ? "fake0" : "unit0";
}

struct device *
device_get(struct device *dev)
{
	dev->refs++;
	return dev;
}

void
device_put(struct device *dev)
{
	if (dev == NULL || dev == &fake_host || --dev->refs > 0)
		return;
	fake_check(!dev->there, "a node that is freed in the tree");
	scsi_lun_free(dev->ivars);
	kfree(dev);
}

int
device_add(struct device *bus, const struct device_spec *spec,
    struct device **out)
{
	struct device *dev = kzalloc(sizeof(*dev));

	fake_check(bus == &fake_host, "a unit below nothing");
	if (dev == NULL)
		return -ENOMEM;
	dev->refs = 2;
	dev->there = true;
	dev->ivars = spec->ivars;
	((struct scsi_lun *)spec->ivars)->dev = dev;
	fake_units++;
	*out = dev;
	if (sd_match(dev) == 0)
		return 0;
	dev->softc = kzalloc(sizeof(struct sd_softc));
	if (dev->softc != NULL)
		dev->attached = sd_driver.attach(dev) == 0;
	if (!dev->attached) {
		kfree(dev->softc);
		dev->softc = NULL;
	}
	return 0;
}

int
device_remove(struct device *dev, enum detach_kind kind)
{
	if (!dev->there)
		return -ENODEV;
	dev->gone = dev->gone || kind == DETACH_GONE;
	if (dev->attached)
		sd_driver.detach(dev, kind);
	kfree(dev->softc);
	dev->softc = NULL;
	dev->attached = dev->there = false;
	fake_units--;
	device_put(dev);
	return 0;
}

void
device_report_gone(struct device *dev)
{
	dev->gone = true;
	fake_gone++;
}

void
device_rescan_soon(struct device *bus)
{
	fake_check(bus == &fake_host, "a rescan of something else");
	fake_rescan_due = true;
}

void
device_set_bus(struct device *dev, const struct bus_ops *ops)
{
	(void)dev;
	(void)ops;
}

void
device_announce(struct device *dev, const char *fmt, ...)
{
	(void)dev;
	(void)fmt;
}

/* ----------------------------------------------------- the floor above -- */

#define FAKE_DISKS 64
static struct disk *fake_disk[FAKE_DISKS]; /* NULL: not there */
static unsigned fake_rooms, fake_resizes;

int
disk_arrive(struct device *dev, const struct disk_ops *ops, void *arg,
    const struct disk_info *info, struct disk **out)
{
	struct disk *d = kzalloc(sizeof(*d));
	unsigned i;

	if (d == NULL)
		return -ENOMEM;
	for (i = 0; i < FAKE_DISKS && fake_disk[i] != NULL; i++)
		;
	if (i == FAKE_DISKS) {
		kfree(d);
		return -ENOMEM;
	}
	fake_check(info->block_size >= 512 && info->block_size <= 4096 &&
		info->nsectors % (info->block_size / 512) == 0 &&
		info->max_segs > 0 && info->max_sectors > 0,
	    "a disk that makes no sense");
	d->ops = ops;
	d->arg = arg;
	d->dev = dev;
	d->info = *info;
	fake_disk[i] = d;
	*out = d;
	return 0;
}

void
disk_depart(struct disk *disk)
{
	unsigned i;

	for (i = 0; disk != NULL && i < FAKE_DISKS; i++)
		if (fake_disk[i] == disk)
			fake_disk[i] = NULL;
	kfree(disk);
}

void
disk_leaving(struct disk *disk)
{
	(void)disk;
}

void
disk_room(struct disk *disk)
{
	(void)disk;
	fake_rooms++;
}

void
disk_resized(struct disk *disk, uint64_t nsectors)
{
	disk->info.nsectors = nsectors;
	fake_resizes++;
}

#define FAKE_REQS 96
static struct fake_req {
	struct disk_req dr;
	struct dma_run run[2];
	bool under_way;
	int error;
	unsigned ends;
} fake_req[FAKE_REQS];
static uint8_t fake_memory[2][4096];

static void
fake_done(struct disk_req *dr, int error)
{
	struct fake_req *r = container_of(dr, struct fake_req, dr);

	fake_check(r->under_way, "a request that ends twice");
	fake_check(error <= 0 && error != -EAGAIN, "an odd error");
	r->under_way = false;
	r->error = error;
	r->ends++;
}

/* Submits request i, of a block or two: what submit says. */
static inline int
fake_submit(struct disk *d, unsigned i, enum disk_op op, uint64_t sector)
{
	struct fake_req *r = &fake_req[i];
	unsigned bs = d->info.block_size, k;
	int error;

	memset(&r->dr, 0, sizeof(r->dr));
	r->dr.op = op;
	r->dr.sector = sector;
	r->dr.done = fake_done;
	r->dr.run = r->run;
	r->dr.nruns = MIN(2, d->info.max_segs);
	for (k = 0; k < r->dr.nruns; k++)
		r->run[k] = (struct dma_run){ (uintptr_t)fake_memory[k], bs };
	if (op != DISK_FLUSH && op != DISK_SERIAL)
		r->dr.nsectors = r->dr.nruns * bs / 512;
	r->under_way = true;
	error = disk_submit(d, &r->dr);
	if (error != 0)
		r->under_way = false;
	return error;
}

/* ---------------------------------------------------------- the device -- */

static inline int
fake_attach(struct fake_device *f)
{
	(void)f;
	memset(fake_req, 0, sizeof(fake_req));
	memset(&fake_host, 0, sizeof(fake_host));
	fake_host.there = true;
	fake_rooms = fake_resizes = fake_ntimers = fake_units = 0;
	fake_host.softc = kzalloc(sizeof(struct vtscsi_softc));
	if (fake_host.softc == NULL)
		return -ENOMEM;
	return vtscsi_driver.attach(&fake_host);
}

/* What the tree's thread does. */
static inline void
fake_work(void)
{
	while (fake_rescan_due && !fake_host.gone) {
		fake_rescan_due = false;
		(void)vtscsi_rescan(&fake_host);
	}
	fake_rescan_due = false;
}

static inline struct vtscsi_softc *
fake_softc(void)
{
	return fake_host.softc;
}

/* As the tree does it: units first; all memory must be back afterwards. */
static inline void
fake_detach(bool attached, enum detach_kind kind)
{
	struct scsi_lun *l;
	unsigned i;

	fake_host.gone = fake_host.gone || kind == DETACH_GONE;
	if (attached) {
		TAILQ_FOREACH (l, &fake_softc()->host.luns, link)
			(void)device_remove(l->dev, kind);
		vtscsi_driver.detach(&fake_host, kind);
	}
	for (i = 0; i < FAKE_DISKS; i++)
		fake_check(fake_disk[i] == NULL, "a disk that stays");
	for (i = 0; i < FAKE_REQS; i++)
		fake_check(!fake_req[i].under_way, "a request without an end");
	fake_check(fake_units == 0, "a unit that stays");
	for (i = 0; i < fake_ntimers; i++)
		fake_check(!fake_timer[i]->armed, "a timer that stays armed");
	kfree(fake_host.softc);
	fake_host.softc = NULL;
	fake_check(fake_live == 0, "memory that is lost");
}

#endif
