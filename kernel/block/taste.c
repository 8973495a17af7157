/* SPDX-License-Identifier: ISC */
/*
 * taste.c - disks that arrived are looked at by threads: for a serial number
 * and for partitions.  There is a thread for each disk that waits, so that one
 * that does not answer holds up no other; at boot they begin a little later,
 * or when somebody wants to know.
 *
 *   waiting -> taken -> done
 *   waiting -> gone		block_taste_end()
 */
#include "block/block.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>

#define BOOT_DELAY  (NSEC_PER_SEC / 4)
#define SETTLE_TIME (10 * NSEC_PER_SEC)

static struct spinlock lock = SPINLOCK_INIT;
static TAILQ_HEAD(, block_dev) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static unsigned pending; /* lock: waiting or taken; atomic to read */
static bool hurry;       /* atomic: the boot is over */
static struct waitq hurry_wq = WAITQ_INIT(hurry_wq);
static struct waitq done_wq = WAITQ_INIT(done_wq);

static void
finished_locked(void)
{
	__atomic_sub_fetch(&pending, 1, __ATOMIC_RELEASE);
}

/* The next disk, referenced; *more: there are others. */
static struct block_dev *
take(bool *more)
{
	struct block_dev *disk;

	spin_lock(&lock);
	disk = TAILQ_FIRST(&waiting);
	if (disk != NULL) {
		TAILQ_REMOVE(&waiting, disk, taste_link);
		disk->taste_waits = false;
		block_get(disk);
	}
	*more = !TAILQ_EMPTY(&waiting);
	spin_unlock(&lock);
	return disk;
}

static void
taste(struct block_dev *disk)
{
	int error = block_serial(disk, disk->serial);

	if (error != 0)
		disk->serial[0] = '\0';
	block_watch_start();
	if (later_ready() == 0)
		__atomic_store_n(&disk->resize_told, true, __ATOMIC_RELEASE);
	if (error != -ENODEV) {
		mutex_lock(&disk->parts_lock);
		if (!disk->leaving) {
			block_describe(disk);
			(void)block_parts_read(disk); /* it has told */
		}
		mutex_unlock(&disk->parts_lock);
	}
	spin_lock(&lock);
	finished_locked();
	spin_unlock(&lock);
	waitq_wake_all(&done_wq);
	block_put(disk);
}

static void spawn(void);

static void
taster(void *arg)
{
	int64_t until = clock_mono_ns() + BOOT_DELAY;
	struct block_dev *disk;
	bool more;

	(void)arg;
	(void)wait_event_kind(&hurry_wq,
	    __atomic_load_n(&hurry, __ATOMIC_ACQUIRE), WAIT_UNINTERRUPTIBLE,
	    until);
	__atomic_store_n(&hurry, true, __ATOMIC_RELEASE);
	while ((disk = take(&more)) != NULL) {
		if (more)
			spawn();
		taste(disk);
	}
}

/* Without memory for a thread, those that run do all of it. */
static void
spawn(void)
{
	struct thread *t;
	int error = thread_create("taste", taster, NULL, &t);

	if (error == 0)
		thread_start(t);
	else
		log_warn("disks: no thread to look for partitions, error %d",
		    -error);
}

void
block_taste_soon(struct block_dev *disk)
{
	bool first;

	spin_lock(&lock);
	first = TAILQ_EMPTY(&waiting);
	TAILQ_INSERT_TAIL(&waiting, disk, taste_link);
	disk->taste_waits = true;
	__atomic_add_fetch(&pending, 1, __ATOMIC_RELAXED);
	spin_unlock(&lock);
	if (first)
		spawn();
}

void
block_taste_end(struct block_dev *disk)
{
	spin_lock(&lock);
	if (disk->taste_waits) {
		TAILQ_REMOVE(&waiting, disk, taste_link);
		disk->taste_waits = false;
		finished_locked();
	}
	spin_unlock(&lock);
	waitq_wake_all(&done_wq);
}

void
block_settle(void)
{
	int64_t until;

	disk_wait_settled();
	if (__atomic_load_n(&pending, __ATOMIC_ACQUIRE) == 0)
		return;
	until = clock_mono_ns() + SETTLE_TIME;
	if (!__atomic_exchange_n(&hurry, true, __ATOMIC_ACQ_REL))
		waitq_wake_all(&hurry_wq);
	if (wait_event_kind(&done_wq,
		__atomic_load_n(&pending, __ATOMIC_ACQUIRE) == 0,
		WAIT_UNINTERRUPTIBLE, until) != 0)
		log_warn("disks: still looking for partitions after 10 s");
}
