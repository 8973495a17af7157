/* SPDX-License-Identifier: ISC */
/*
 * watch.c - disks that do not answer.  A request waits for its disk for as long
 * as that takes, as on Linux with virtio: nobody knows whether the host will
 * still carry it out, so its memory is the host's and its end cannot be made
 * up.  Whoever waits for it waits; all others go on; and the log tells.
 *
 * A thread looks at the disks from time to time while anything is under way,
 * and sleeps while nothing is.
 */
#include "block/block.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/waitq.h"

static bool watching; /* atomic: something was begun since the last look */
static bool started;  /* atomic */
static struct waitq wq = WAITQ_INIT(wq);

void
block_watch(void)
{
	if (!__atomic_load_n(&watching, __ATOMIC_RELAXED) &&
	    !__atomic_exchange_n(&watching, true, __ATOMIC_ACQ_REL))
		waitq_wake_all(&wq);
}

/* Is something under way?  Told once, when nothing has ended since the last
 * look, and when that is over. */
static bool
look(struct block_dev *disk, unsigned seconds)
{
	struct block_stats st;
	uint64_t ended = 0;
	unsigned i;
	bool stuck;

	block_stats(disk, &st);
	for (i = 0; i < ARRAY_SIZE(st.kind); i++)
		ended += st.kind[i].ios;
	stuck = st.in_flight > 0 && disk->watch.busy &&
	    disk->watch.ended == ended;
	if (stuck && !disk->watch.stuck)
		log_warn("%s: %u requests unanswered for %u s, waiting",
		    disk->name, st.in_flight, seconds);
	else if (!stuck && disk->watch.stuck)
		log_info("%s: answers again", disk->name);
	disk->watch.stuck = stuck;
	disk->watch.busy = st.in_flight > 0;
	disk->watch.ended = ended;
	return st.in_flight > 0 || stuck;
}

static void
watcher(void *arg)
{
	static struct waitq never = WAITQ_INIT(never);
	unsigned seconds = bootargs()->io_warn_seconds;
	struct block_dev *bd;
	int64_t until;
	bool busy;

	(void)arg;
	for (;;) {
		wait_event(&wq, __atomic_load_n(&watching, __ATOMIC_ACQUIRE));
		until = clock_mono_ns() + seconds * NSEC_PER_SEC;
		(void)wait_event_until(&never, false, until);
		__atomic_store_n(&watching, false, __ATOMIC_SEQ_CST);
		busy = false;
		for (bd = NULL; (bd = block_next(bd)) != NULL;)
			if (bd->whole == NULL && look(bd, seconds))
				busy = true;
		if (busy)
			__atomic_store_n(&watching, true, __ATOMIC_SEQ_CST);
	}
}

void
block_watch_start(void)
{
	struct thread *t;
	int error;

	if (bootargs()->io_warn_seconds == 0 ||
	    __atomic_exchange_n(&started, true, __ATOMIC_ACQ_REL))
		return;
	error = thread_create("disk watch", watcher, NULL, &t);
	if (error == 0)
		thread_start(t);
	else
		log_warn("disks: no thread to watch them, error %d", -error);
}
