/* SPDX-License-Identifier: ISC */
/* turn.c - one at a time, interruptibly. */
#include "linux/turn.h"

#include "kern/thread.h"

static bool
turn_try(struct turn *turn)
{
	return __atomic_exchange_n(&turn->taken, 1, __ATOMIC_ACQUIRE) == 0;
}

int
turn_take(struct turn *turn, struct waitq *wq, bool nonblock)
{
	if (turn_try(turn))
		return 0;
	if (nonblock)
		return -EAGAIN;
	return wait_event_intr(wq, turn_try(turn));
}

void
turn_end(struct turn *turn, struct waitq *wq)
{
	__atomic_store_n(&turn->taken, 0, __ATOMIC_SEQ_CST);
	if (!waitq_empty(wq))
		waitq_wake_all(wq);
}
