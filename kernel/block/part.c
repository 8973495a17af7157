/* SPDX-License-Identifier: ISC */
/*
 * part.c - partitions: block devices that stand for a range of their disk.
 * They come from the disk's table, or one by one as a program asks (BLKPG).
 * A disk's parts_lock is held around every change.
 */
#include "block/block.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/string.h"
#include <linux/errno.h>

static void
fill(struct block_dev *p, struct block_dev *disk, const struct ptable_entry *e)
{
	uint64_t unit = disk->info.block_size / SECTOR_SIZE;

	p->info = disk->info;
	p->info.released = NULL; /* the disk tells, which we hold */
	p->info.nsectors = e->count * unit;
	p->start = e->start * unit;
	p->number = e->number;
	p->diskseq = disk->diskseq;
	p->whole = disk;
	p->resize_told = disk->resize_told;
	block_get(disk);
	strlcpy(p->uuid, e->uuid, sizeof(p->uuid));
	strlcpy(p->label, e->name, sizeof(p->label));
}

/* Behind the last one of a smaller number. */
static void
insert(struct block_dev *disk, struct block_dev *p)
{
	struct block_dev *at;

	TAILQ_FOREACH (at, &disk->parts, part_link)
		if (at->number > p->number)
			break;
	if (at != NULL)
		TAILQ_INSERT_BEFORE(at, p, part_link);
	else
		TAILQ_INSERT_TAIL(&disk->parts, p, part_link);
}

static int
add_locked(struct block_dev *disk, const struct ptable_entry *e)
{
	struct block_dev *p;
	int error;

	if (disk->leaving)
		return -ENODEV;
	p = block_alloc();
	if (p == NULL)
		return -ENOMEM;
	fill(p, disk, e);
	error = block_enlist(p);
	if (error == 0)
		insert(disk, p);
	else
		block_put(p);
	return error;
}

static void
remove_locked(struct block_dev *disk, struct block_dev *p)
{
	TAILQ_REMOVE(&disk->parts, p, part_link);
	block_delist(p);
	block_put(p);
}

void
block_parts_end(struct block_dev *disk)
{
	struct block_dev *p;

	mutex_lock(&disk->parts_lock);
	disk->leaving = true;
	while ((p = TAILQ_LAST(&disk->parts, block_parts)) != NULL)
		remove_locked(disk, p);
	mutex_unlock(&disk->parts_lock);
}

/* --------------------------------------------------------- the table -- */

static int
read_blocks(void *arg, uint64_t block, unsigned n, void *buf)
{
	struct block_dev *disk = arg;
	uint64_t unit = disk->info.block_size / SECTOR_SIZE;
	struct dma_run run = { kva_paddr(buf),
		(uint64_t)n * disk->info.block_size };

	return block_transfer(disk, DISK_READ, block * unit, n * unit, &run, 1);
}

static int
read_table(struct block_dev *disk, struct ptable *t)
{
	struct ptable_source src = {
		.nblocks = block_sectors(disk) * SECTOR_SIZE /
		    disk->info.block_size,
		.block_size = disk->info.block_size,
		.read = read_blocks,
		.arg = disk,
	};

	return ptable_read(&src, t);
}

static void
say(const struct block_dev *disk, const struct ptable *t, int error)
{
	if (error != 0 && error != -ENODEV)
		log_warn("%s: no partitions read: error %d", disk->name,
		    -error);
	if (t->note != NULL)
		log_warn("%s: partition table: %s", disk->name, t->note);
	if (t->kind != NULL)
		log_info("%s: %s, %u partition%s", disk->name, t->kind, t->n,
		    t->n == 1 ? "" : "s");
}

int
block_parts_read(struct block_dev *disk)
{
	struct ptable t;
	unsigned i;
	int error = read_table(disk, &t);

	say(disk, &t, error);
	disk->table = t.kind;
	strlcpy(disk->uuid, t.uuid, sizeof(disk->uuid));
	for (i = 0; i < t.n && error == 0; i++)
		error = add_locked(disk, &t.entry[i]);
	ptable_free(&t);
	return error;
}

static bool
is_open_locked(struct block_dev *disk)
{
	struct block_dev *p;

	TAILQ_FOREACH (p, &disk->parts, part_link)
		if (__atomic_load_n(&p->openers, __ATOMIC_ACQUIRE) != 0)
			return true;
	return false;
}

int
block_reread(struct block_dev *disk)
{
	struct block_dev *p;
	int error = 0;

	if (disk->whole != NULL)
		return -EINVAL;
	mutex_lock(&disk->parts_lock);
	if (is_open_locked(disk))
		error = -EBUSY;
	while (
	    error == 0 && (p = TAILQ_LAST(&disk->parts, block_parts)) != NULL)
		remove_locked(disk, p);
	if (error == 0) {
		block_changed(disk, NULL);
		error = block_parts_read(disk);
	}
	mutex_unlock(&disk->parts_lock);
	return error;
}

/* --------------------------------------------------------- one by one -- */

static struct block_dev *
find_locked(struct block_dev *disk, unsigned number)
{
	struct block_dev *p;

	TAILQ_FOREACH (p, &disk->parts, part_link)
		if (p->number == number)
			break;
	return p;
}

/* Whether [start, start + n) is another partition's, too. */
static bool
overlaps_locked(struct block_dev *disk, uint64_t start, uint64_t n,
    const struct block_dev *but)
{
	struct block_dev *p;

	TAILQ_FOREACH (p, &disk->parts, part_link)
		if (p != but && start < p->start + block_sectors(p) &&
		    p->start < start + n)
			return true;
	return false;
}

static int
check_range(struct block_dev *disk, unsigned number, uint64_t start, uint64_t n)
{
	uint64_t mask = disk->info.block_size / SECTOR_SIZE - 1;
	uint64_t size = block_sectors(disk);

	if (disk->whole != NULL || number == 0 || number > PTABLE_MAX ||
	    n == 0 || ((start | n) & mask) != 0 || start >= size ||
	    n > size - start)
		return -EINVAL;
	return 0;
}

int
block_part_add(struct block_dev *disk, unsigned number, uint64_t start,
    uint64_t nsectors)
{
	uint64_t unit = disk->info.block_size / SECTOR_SIZE;
	struct ptable_entry e = { .number = number,
		.start = start / unit,
		.count = nsectors / unit };
	int error = check_range(disk, number, start, nsectors);

	if (error != 0)
		return error;
	mutex_lock(&disk->parts_lock);
	if (find_locked(disk, number) != NULL ||
	    overlaps_locked(disk, start, nsectors, NULL))
		error = -EBUSY;
	else
		error = add_locked(disk, &e);
	mutex_unlock(&disk->parts_lock);
	return error;
}

int
block_part_del(struct block_dev *disk, unsigned number)
{
	struct block_dev *p;
	int error = 0;

	if (disk->whole != NULL)
		return -EINVAL;
	mutex_lock(&disk->parts_lock);
	p = find_locked(disk, number);
	if (p == NULL)
		error = -ENXIO;
	else if (__atomic_load_n(&p->openers, __ATOMIC_ACQUIRE) != 0)
		error = -EBUSY;
	else
		remove_locked(disk, p);
	mutex_unlock(&disk->parts_lock);
	return error;
}

int
block_part_resize(struct block_dev *disk, unsigned number, uint64_t nsectors)
{
	struct block_dev *p;
	int error;

	if (disk->whole != NULL)
		return -EINVAL;
	mutex_lock(&disk->parts_lock);
	p = find_locked(disk, number);
	error = p == NULL ? -ENXIO :
			    check_range(disk, number, p->start, nsectors);
	if (error == 0 && overlaps_locked(disk, p->start, nsectors, p))
		error = -EBUSY;
	if (error == 0)
		block_resize(p, nsectors);
	mutex_unlock(&disk->parts_lock);
	return error;
}
