/* SPDX-License-Identifier: ISC */
/*
 * oneshot.h - one thread waits for one thing that happens once, such as the
 * end of its request.  It lives on the waiter's stack: oneshot_wait() returns
 * only when oneshot_fire() touches it no more.
 */
#ifndef KERN_ONESHOT_H
#define KERN_ONESHOT_H

#include "kern/types.h"

struct thread;

struct oneshot {
	struct thread *thread; /* [I] who waits */
	bool fired;            /* atomic */
	bool left;             /* atomic: who fired is done with all this */
};

/* For the calling thread. */
void oneshot_init(struct oneshot *o);
/* It has happened; what was written before is seen after the wait. */
void oneshot_fire(struct oneshot *o); /* any context */
/* Sleeps until then; signals do not wake it. */
void oneshot_wait(struct oneshot *o);

#endif
