/* SPDX-License-Identifier: ISC */
/*
 * disk.c - disks between their drivers and the floor above: arrival,
 * departure.  Requests pass by through the operations alone.
 */
#include "dev/disk.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>

static const struct disk_consumer *consumer;

void
disk_set_consumer(const struct disk_consumer *c)
{
	consumer = c;
}

int
disk_arrive(struct device *dev, const struct disk_ops *ops, void *arg,
    const struct disk_info *info, struct disk **out)
{
	struct disk *disk;
	int error;

	KASSERT(info->block_size >= SECTOR_SIZE && info->max_segs > 0);
	if (consumer == NULL)
		return -ENODEV;
	disk = kzalloc(sizeof(*disk));
	if (disk == NULL)
		return -ENOMEM;
	disk->ops = ops;
	disk->arg = arg;
	disk->dev = dev;
	disk->info = *info;
	/* Before it is shown: requests may end before arrive() returns. */
	__atomic_store_n(out, disk, __ATOMIC_RELEASE);
	error = consumer->arrive(disk);
	if (error != 0) {
		__atomic_store_n(out, NULL, __ATOMIC_RELEASE);
		kfree(disk);
	}
	return error;
}

void
disk_depart(struct disk *disk)
{
	if (disk == NULL)
		return;
	consumer->depart(disk);
	kfree(disk);
}

void
disk_leaving(struct disk *disk)
{
	if (disk != NULL)
		consumer->leaving(disk);
}

void
disk_room(struct disk *disk)
{
	consumer->room(disk);
}

void
disk_resized(struct disk *disk, uint64_t nsectors)
{
	__atomic_store_n(&disk->info.nsectors, nsectors, __ATOMIC_RELEASE);
	consumer->resized(disk);
}

/* ---- whether all have been found ---- */

static uint32_t unsettled; /* atomic */
static struct waitq settled_wq = WAITQ_INIT(settled_wq);

void
disk_settling(void)
{
	__atomic_add_fetch(&unsettled, 1, __ATOMIC_RELAXED);
}

void
disk_settled(void)
{
	if (__atomic_sub_fetch(&unsettled, 1, __ATOMIC_ACQ_REL) == 0)
		waitq_wake_all(&settled_wq);
}

void
disk_wait_settled(void)
{
	if (__atomic_load_n(&unsettled, __ATOMIC_ACQUIRE) == 0)
		return;
	(void)wait_event_until(&settled_wq,
	    __atomic_load_n(&unsettled, __ATOMIC_ACQUIRE) == 0,
	    clock_mono_ns() + WAIT_SETTLED_NS);
}
