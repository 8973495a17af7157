/* SPDX-License-Identifier: ISC */
/*
 * rescan.c - looks at buses that programs ask for.  Each is done, never
 * skipped: who asked finds what came before.  How often is bounded.
 */
#include "linux/rescan.h"

#include "bus/device.h"
#include "kern/clock.h"
#include "kern/spinlock.h"
#include "kern/thread.h"
#include "kern/waitq.h"

#define PAUSE_NS 10000000ll /* from the end of one to the next */

static struct {
	struct spinlock lock;
	struct waitq wq;
	bool looking;  /* under lock */
	int64_t after; /* under lock: not before; ns */
} pace = { .lock = SPINLOCK_INIT, .wq = WAITQ_INIT(pace.wq) };

/* True: it is the caller's turn.  Else *at says when to ask again, if nobody
 * wakes him before. */
static bool
take_turn(int64_t *at)
{
	uint64_t state = spin_lock_irq(&pace.lock);
	bool mine;

	mine = !pace.looking && clock_mono_ns() >= pace.after;
	*at = pace.looking ? WAIT_FOREVER : pace.after;
	pace.looking |= mine;
	spin_unlock_irq(&pace.lock, state);
	return mine;
}

static void
end_turn(void)
{
	uint64_t state = spin_lock_irq(&pace.lock);

	pace.looking = false;
	pace.after = clock_mono_ns() + PAUSE_NS;
	spin_unlock_irq(&pace.lock, state);
	waitq_wake_all(&pace.wq);
}

static bool
over(void)
{
	uint64_t state = spin_lock_irq(&pace.lock);
	bool free = !pace.looking;

	spin_unlock_irq(&pace.lock, state);
	return free;
}

int
rescan_for_program(struct device *bus)
{
	int64_t at;
	int error;

	while (!take_turn(&at)) {
		/* For the end of a look, or of the pause behind it. */
		error = wait_event_until(&pace.wq, at == WAIT_FOREVER && over(),
		    at);
		if (error != 0 && error != -ETIMEDOUT)
			return error;
	}
	error = device_rescan(bus);
	end_turn();
	return error;
}
