/* SPDX-License-Identifier: ISC */
/*
 * block.c - block devices: a name and numbers for each disk that arrives and
 * for each of its partitions, and their end when they depart.
 */
#include "block/block.h"
#include "bus/device.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

#define BLOCK_EXT_MAJOR 259 /* Linux's "blkext" */

static struct spinlock list_lock = SPINLOCK_INIT;
static TAILQ_HEAD(, block_dev) devices = TAILQ_HEAD_INITIALIZER(devices);
static const struct block_watcher *watcher;

void
block_set_watcher(const struct block_watcher *w)
{
	watcher = w;
}

/* ------------------------------------------------------------ names -- */

/* Letters as Linux counts them: a .. z, aa, ab, ... */
static void
lettered(char *buf, size_t size, const char *prefix, unsigned unit)
{
	char letters[8];
	unsigned i = sizeof(letters) - 1;

	letters[i] = '\0';
	for (unit++; unit > 0 && i > 0; unit = (unit - 1) / 26)
		letters[--i] = 'a' + (unit - 1) % 26;
	snprintf(buf, size, "%s%s", prefix, letters + i);
}

static bool
unit_taken_locked(uint32_t major, unsigned unit)
{
	struct block_dev *bd;

	TAILQ_FOREACH (bd, &devices, link) {
		if (bd->major == major && bd->whole == NULL && bd->unit == unit)
			return true;
	}
	return false;
}

static uint32_t
span_of(const struct block_dev *bd)
{
	return bd->whole == NULL ? bd->info.minors : 1;
}

/* Is one of the n minors from `first` on another disk's, or a partition's? */
static bool
minors_taken_locked(uint32_t major, uint32_t first, uint32_t n)
{
	struct block_dev *bd;

	TAILQ_FOREACH (bd, &devices, link) {
		if (bd->major == major && first < bd->minor + span_of(bd) &&
		    bd->minor < first + n)
			return true;
	}
	return false;
}

/* The first unit that is free, and what follows from it. */
static void
name_disk_locked(struct block_dev *bd)
{
	bd->major = bd->info.major;
	while (unit_taken_locked(bd->major, bd->unit) ||
	    minors_taken_locked(bd->major, bd->unit * bd->info.minors,
		bd->info.minors))
		bd->unit++;
	bd->minor = bd->unit * bd->info.minors;
	if (bd->info.name != NULL)
		strlcpy(bd->name, bd->info.name, sizeof(bd->name));
	else
		lettered(bd->name, sizeof(bd->name), bd->info.prefix, bd->unit);
	TAILQ_INSERT_TAIL(&devices, bd, link);
}

/*
 * Behind the disk's minors there is a major for all that need more.  In the
 * list it stands behind its disk and those of smaller numbers.
 */
static void
name_part_locked(struct block_dev *bd)
{
	struct block_dev *whole = bd->whole, *after = whole, *next;
	size_t len = strlen(whole->name);
	bool digit = whole->name[len - 1] >= '0' && whole->name[len - 1] <= '9';

	snprintf(bd->name, sizeof(bd->name), "%.24s%s%u", whole->name,
	    digit ? "p" : "", (uint8_t)bd->number);
	bd->major = whole->major;
	bd->minor = whole->minor + bd->number;
	if (bd->number >= whole->info.minors) {
		bd->major = BLOCK_EXT_MAJOR;
		bd->minor = 0;
		while (minors_taken_locked(bd->major, bd->minor, 1))
			bd->minor++;
	}
	while ((next = TAILQ_NEXT(after, link)) != NULL &&
	    next->whole == whole && next->number < bd->number)
		after = next;
	TAILQ_INSERT_AFTER(&devices, after, bd, link);
}

static void
delist(struct block_dev *bd)
{
	spin_lock(&list_lock);
	TAILQ_REMOVE(&devices, bd, link);
	spin_unlock(&list_lock);
}

int
block_enlist(struct block_dev *bd)
{
	int error = 0;

	spin_lock(&list_lock);
	if (bd->whole == NULL)
		name_disk_locked(bd);
	else
		name_part_locked(bd);
	spin_unlock(&list_lock);
	if (watcher != NULL)
		error = watcher->arrived(bd);
	if (error == 0) {
		block_publish(bd);
		return 0;
	}
	log_warn("%s: error %d", bd->name, -error);
	gate_shut(&bd->gate);
	delist(bd);
	return error;
}

void
block_delist(struct block_dev *bd)
{
	gate_shut(&bd->gate);
	block_unpublish(bd);
	if (watcher != NULL)
		watcher->departed(bd);
	delist(bd);
}

void
block_describe(struct block_dev *bd)
{
	if (watcher != NULL && watcher->described != NULL)
		watcher->described(bd);
}

/* ------------------------------------------------------------ claims -- */

int
block_claim(struct block_dev *bd)
{
	struct block_dev *whole = bd->whole;
	int error = -EBUSY;

	spin_lock(&list_lock);
	if (!bd->claimed && bd->part_claims == 0 &&
	    (whole == NULL || !whole->claimed)) {
		bd->claimed = true;
		if (whole != NULL)
			whole->part_claims++;
		error = 0;
	}
	spin_unlock(&list_lock);
	return error;
}

void
block_unclaim(struct block_dev *bd)
{
	spin_lock(&list_lock);
	bd->claimed = false;
	if (bd->whole != NULL)
		bd->whole->part_claims--;
	spin_unlock(&list_lock);
}

/* -------------------------------------------------------- references -- */

void
block_get(struct block_dev *bd)
{
	__atomic_add_fetch(&bd->refs, 1, __ATOMIC_RELAXED);
}

void
block_put(struct block_dev *bd)
{
	if (bd == NULL ||
	    __atomic_sub_fetch(&bd->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (bd->whole != NULL)
		block_put(bd->whole);
	else if (bd->info.released != NULL)
		bd->info.released(bd->info.released_arg);
	kfree(bd);
}

bool
block_is_gone(const struct block_dev *bd)
{
	return gate_is_shut(&bd->gate);
}

struct block_dev *
block_find(uint32_t major, uint32_t minor)
{
	struct block_dev *bd;

	spin_lock(&list_lock);
	TAILQ_FOREACH (bd, &devices, link) {
		if (bd->major == major && bd->minor == minor)
			break;
	}
	if (bd != NULL)
		block_get(bd);
	spin_unlock(&list_lock);
	return bd;
}

struct block_dev *
block_next(struct block_dev *after)
{
	struct block_dev *bd;

	if (after == NULL)
		disk_wait_settled();
	spin_lock(&list_lock);
	if (after == NULL)
		bd = TAILQ_FIRST(&devices);
	else if (block_is_gone(after))
		bd = NULL; /* its place in the list is not known any more */
	else
		bd = TAILQ_NEXT(after, link);
	if (bd != NULL)
		block_get(bd);
	spin_unlock(&list_lock);
	block_put(after);
	return bd;
}

/* ---------------------------------------------- arrival, departure -- */

struct block_dev *
block_alloc(void)
{
	struct block_dev *bd = kzalloc(sizeof(*bd));

	if (bd == NULL)
		return NULL;
	bd->refs = 1;
	gate_init(&bd->gate);
	spin_init(&bd->lock);
	TAILQ_INIT(&bd->waiting);
	mutex_init(&bd->parts_lock);
	TAILQ_INIT(&bd->parts);
	return bd;
}

/* Requests end first, then partitions go, then the disk. */
static void
depart(struct disk *disk)
{
	struct block_dev *bd = disk->consumer;

	gate_shut(&bd->gate);
	block_end_waiting(bd);
	block_taste_end(bd);
	block_parts_end(bd);
	block_delist(bd);
	bd->disk = NULL;
	block_put(bd);
}

static int
arrive(struct disk *disk)
{
	static uint64_t diskseq;
	struct block_dev *bd = block_alloc();
	int error;

	if (bd == NULL)
		return -ENOMEM;
	bd->info = disk->info;
	bd->disk = disk;
	bd->diskseq = __atomic_add_fetch(&diskseq, 1, __ATOMIC_RELAXED);
	disk->consumer = bd;
	error = block_enlist(bd);
	if (error == 0) {
		block_taste_soon(bd);
	} else {
		bd->info.released = NULL; /* the driver knows by the error */
		block_put(bd);
	}
	return error;
}

struct device *
block_device_of(struct block_dev *bd)
{
	struct disk *disk = block_disk(bd)->disk;

	return disk == NULL ? NULL : disk->dev;
}

static void
leaving(struct disk *disk)
{
	struct block_dev *bd = disk->consumer, *part;

	if (watcher == NULL || watcher->leaving == NULL)
		return;
	mutex_lock(&bd->parts_lock);
	TAILQ_FOREACH (part, &bd->parts, part_link)
		watcher->leaving(part);
	mutex_unlock(&bd->parts_lock);
	watcher->leaving(bd);
}

long
block_ioctl(struct block_dev *bd, unsigned cmd, uint64_t uaddr)
{
	long r = -ENOTTY;

	bd = block_disk(bd);
	if (!gate_enter(&bd->gate))
		return -ENODEV;
	if (bd->disk->ops->ioctl != NULL)
		r = bd->disk->ops->ioctl(bd->disk->arg, cmd, uaddr);
	gate_exit(&bd->gate);
	return r;
}

static void
room(struct disk *disk)
{
	block_room(disk->consumer);
}

static void
tell_resize(struct later *l)
{
	struct block_dev *bd = container_of(l, struct block_dev, resize_later);
	struct block_dev *disk = block_disk(bd);

	__atomic_store_n(&bd->resize_told, true, __ATOMIC_RELEASE);
	mutex_lock(&disk->parts_lock);
	if (!disk->leaving && !block_is_gone(bd))
		block_changed(bd, "RESIZE=1\n");
	mutex_unlock(&disk->parts_lock);
	block_put(bd);
}

/* Once tasted, a disk has the thread that tells. */
void
block_resize(struct block_dev *bd, uint64_t nsectors)
{
	__atomic_store_n(&bd->info.nsectors, nsectors, __ATOMIC_RELEASE);
	log_info("%s: %lu sectors now", bd->name, nsectors);
	if (watcher != NULL)
		watcher->resized(bd);
	if (!__atomic_exchange_n(&bd->resize_told, false, __ATOMIC_ACQ_REL))
		return;
	block_get(bd);
	later_run(&bd->resize_later, tell_resize);
}

static void
resized(struct disk *disk)
{
	block_resize(disk->consumer,
	    __atomic_load_n(&disk->info.nsectors, __ATOMIC_ACQUIRE));
}

static const struct disk_consumer consumer = {
	.arrive = arrive,
	.depart = depart,
	.leaving = leaving,
	.room = room,
	.resized = resized,
};

int
block_init(const struct boot_info *bi)
{
	(void)bi;
	disk_set_consumer(&consumer);
	return 0;
}
