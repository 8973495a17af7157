/* SPDX-License-Identifier: ISC */
/*
 * disk.c - disks between their drivers and the floor above: arrival,
 * departure.  Requests pass by through the operations alone.
 */
#include "dev/disk.h"
#include "kern/kmem.h"
#include "kern/panic.h"
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
