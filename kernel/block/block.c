/* SPDX-License-Identifier: ISC */
/*
 * block.c - block devices: a name and numbers for each disk that arrives, and
 * their end when it departs.
 */
#include "block/block.h"
#include "bus/device.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

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
		if (bd->major == major && bd->unit == unit)
			return true;
	}
	return false;
}

/* The first unit that is free, and what follows from it. */
static void
enlist(struct block_dev *bd)
{
	spin_lock(&list_lock);
	while (unit_taken_locked(bd->major, bd->unit))
		bd->unit++;
	bd->minor = bd->unit * bd->info.minors;
	if (bd->info.name != NULL)
		strlcpy(bd->name, bd->info.name, sizeof(bd->name));
	else
		lettered(bd->name, sizeof(bd->name), bd->info.prefix, bd->unit);
	TAILQ_INSERT_TAIL(&devices, bd, link);
	spin_unlock(&list_lock);
}

static void
delist(struct block_dev *bd)
{
	spin_lock(&list_lock);
	TAILQ_REMOVE(&devices, bd, link);
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
	if (bd->info.released != NULL)
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

static void
depart(struct disk *disk)
{
	struct block_dev *bd = disk->consumer;

	gate_shut(&bd->gate);
	block_end_waiting(bd);
	bd->disk = NULL;
	if (watcher != NULL)
		watcher->departed(bd);
	delist(bd);
	block_put(bd);
}

static int
arrive(struct disk *disk)
{
	struct block_dev *bd = kzalloc(sizeof(*bd));
	int error = 0;

	if (bd == NULL)
		return -ENOMEM;
	bd->info = disk->info;
	bd->major = disk->info.major;
	bd->disk = disk;
	bd->refs = 1;
	gate_init(&bd->gate);
	spin_init(&bd->lock);
	TAILQ_INIT(&bd->waiting);
	disk->consumer = bd;
	enlist(bd);
	if (watcher != NULL)
		error = watcher->arrived(bd);
	if (error != 0) {
		log_warn("%s: error %d", bd->name, -error);
		gate_shut(&bd->gate);
		delist(bd);
		block_put(bd);
	}
	return error;
}

static void
leaving(struct disk *disk)
{
	if (watcher != NULL && watcher->leaving != NULL)
		watcher->leaving(disk->consumer);
}

long
block_ioctl(struct block_dev *bd, unsigned cmd, uint64_t uaddr)
{
	long r = -ENOTTY;

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
resized(struct disk *disk)
{
	struct block_dev *bd = disk->consumer;
	uint64_t n = __atomic_load_n(&disk->info.nsectors, __ATOMIC_ACQUIRE);

	__atomic_store_n(&bd->info.nsectors, n, __ATOMIC_RELEASE);
	log_info("%s: %lu sectors now", bd->name, n);
	if (watcher != NULL)
		watcher->resized(bd);
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
