/* SPDX-License-Identifier: ISC */
/*
 * vtblk_fake.h - what vtblk.c finds around it on the host: DMA maps over the
 * program's own memory, a floor above that submits, a device that lies as it
 * is told.  Included by one file of a program, behind tests/host's locks;
 * includes the driver itself.
 */
#ifndef DEV_VTBLK_FAKE_H
#define DEV_VTBLK_FAKE_H

#include "bus/dma_fake.h"
#include "bus/virtio_fake.h"
#include "dev/virtio/vtblk.c"

unsigned
cpu_id(void)
{
	return 0;
}

/* ----------------------------------------------------------- the tree -- */

static struct vtblk_softc *fake_softc;

void *
device_softc(const struct device *dev)
{
	(void)dev;
	return fake_softc;
}

void
device_announce(struct device *dev, const char *fmt, ...)
{
	(void)dev;
	(void)fmt;
}

/* ----------------------------------------------------- the floor above -- */

static struct disk fake_disk;
static bool fake_arrived;
static unsigned fake_rooms, fake_resizes;

int
disk_arrive(struct device *dev, const struct disk_ops *ops, void *arg,
    const struct disk_info *info, struct disk **out)
{
	(void)dev;
	fake_check(!fake_arrived, "a disk that arrives twice");
	fake_disk = (struct disk){ .ops = ops, .arg = arg, .info = *info };
	fake_arrived = true;
	*out = &fake_disk;
	return 0;
}

/* Somebody is still inside when the driver has stopped the device. */
void
disk_depart(struct disk *disk)
{
	struct disk_req late = { .op = DISK_READ };

	if (disk == NULL)
		return;
	fake_check(disk_submit(disk, &late) == -ENODEV, "one that goes on");
	disk_commit(disk);
	fake_arrived = false;
}

void
disk_room(struct disk *disk)
{
	fake_check(disk == &fake_disk, "room for no disk");
	fake_rooms++;
}

void
disk_resized(struct disk *disk, uint64_t nsectors)
{
	disk->info.nsectors = nsectors;
	fake_resizes++;
}

#define FAKE_REQS 96

struct fake_req {
	struct disk_req dr;
	struct dma_run run[4];
	bool under_way;
	int error;
	unsigned ends;
};
static struct fake_req fake_req[FAKE_REQS];
static uint8_t fake_memory[4][4096];

static void
fake_done(struct disk_req *dr, int error)
{
	struct fake_req *r = container_of(dr, struct fake_req, dr);

	fake_check(r->under_way, "a request that ends twice");
	fake_check(error == 0 || error == -EIO || error == -ENODEV ||
		error == -EOPNOTSUPP,
	    "an error that nobody knows");
	r->under_way = false;
	r->error = error;
	r->ends++;
}

static bool fake_more; /* requests are submitted with `more` */

/* Submits request i: what submit says. */
static inline int
fake_submit(unsigned i, enum disk_op op, unsigned nruns)
{
	struct fake_req *r = &fake_req[i];
	unsigned k;
	int error;

	memset(&r->dr, 0, sizeof(r->dr));
	r->dr.op = op;
	r->dr.sector = i;
	r->dr.done = fake_done;
	r->dr.run = r->run;
	r->dr.more = fake_more;
	if (op == DISK_READ || op == DISK_WRITE || op == DISK_SERIAL) {
		r->dr.nruns = nruns;
		r->dr.nsectors = op == DISK_SERIAL ? 0 : 8ul * nruns;
	} else if (op != DISK_FLUSH) {
		r->dr.nsectors = 8;
	}
	for (k = 0; k < nruns; k++)
		r->run[k] = (struct dma_run){ (uintptr_t)fake_memory[k],
			op == DISK_SERIAL ? 20u : 4096u };
	r->under_way = true;
	error = disk_submit(&fake_disk, &r->dr);
	if (error != 0)
		r->under_way = false;
	return error;
}

static inline unsigned
fake_under_way(void)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_REQS; i++)
		n += fake_req[i].under_way;
	return n;
}

/* What the device does with a chain: the command checked, data, status. */
static inline void
fake_serve(struct fake_device *f, struct fake_chain *c, uint8_t status,
    uint32_t len)
{
	const struct virtio_blk_outhdr *h =
	    (const void *)(uintptr_t)c->seg[0].addr;

	fake_check(c->seg[0].len == 16 && c->nread >= 1 && c->n > c->nread,
	    "a command's shape");
	fake_check(c->seg[c->n - 1].len == 1, "a status's length");
	fake_check(h->ioprio == 0, "a command's head");
	*(uint8_t *)(uintptr_t)c->seg[c->n - 1].addr = status;
	fake_answer(f, 0, c->id, len, c->places);
}

static inline int
fake_attach(struct fake_device *f)
{
	(void)f;
	memset(fake_req, 0, sizeof(fake_req));
	fake_rooms = 0;
	fake_resizes = 0;
	fake_arrived = false;
	fake_softc = kzalloc(sizeof(*fake_softc));
	if (fake_softc == NULL)
		return -ENOMEM;
	return vtblk_driver.attach(NULL);
}

/* As the tree does it: all memory must be back afterwards. */
static inline void
fake_detach(bool attached, enum detach_kind kind)
{
	if (attached)
		vtblk_driver.detach(NULL, kind);
	fake_check(!fake_arrived, "a disk that stays");
	fake_check(fake_under_way() == 0, "a request that never ends");
	kfree(fake_softc);
	fake_softc = NULL;
	fake_check(fake_live == 0, "memory that is lost");
}

#endif
