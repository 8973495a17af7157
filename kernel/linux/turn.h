/* SPDX-License-Identifier: ISC */
/*
 * turn.h - one at a time, for calls that may wait long at a terminal or
 * stream: unlike a mutex, waiting for one's turn ends with a signal.
 */
#ifndef LINUX_TURN_H
#define LINUX_TURN_H

#include "kern/types.h"
#include "kern/waitq.h"

struct turn {
	uint32_t taken; /* [a] */
};

/*
 * Takes the turn, waiting on wq, which turn_end() wakes.
 *   -EAGAIN       nonblock, and it is another's
 *   -ERESTARTSYS  interrupted
 */
int turn_take(struct turn *turn, struct waitq *wq, bool nonblock);
void turn_end(struct turn *turn, struct waitq *wq);

#endif
