/* SPDX-License-Identifier: ISC */
/*
 * mutex.h - sleep locks.  Only threads take them, never interrupt handlers,
 * and never with a spin lock held.  Not recursive.
 */
#ifndef KERN_MUTEX_H
#define KERN_MUTEX_H

#include "kern/types.h"
#include "kern/waitq.h"

struct mutex {
	struct thread *owner; /* NULL: free */
	struct waitq wq;
};

/* Threads only; lock sleeps while another thread holds m. */
void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m); /* by the caller; for KASSERT */

#define MUTEX_INIT(name)                    \
	{                                   \
		.wq = WAITQ_INIT((name).wq) \
	}

#endif
