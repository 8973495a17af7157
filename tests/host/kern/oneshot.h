/* SPDX-License-Identifier: ISC */
/* oneshot.h - stands in for kernel/kern/oneshot.h in tests with threads. */
#ifndef KERN_ONESHOT_H
#define KERN_ONESHOT_H

#include <semaphore.h>

struct oneshot {
	sem_t fired;
};

static inline void
oneshot_init(struct oneshot *o)
{
	sem_init(&o->fired, 0, 0);
}

static inline void
oneshot_fire(struct oneshot *o)
{
	sem_post(&o->fired);
}

static inline void
oneshot_wait(struct oneshot *o)
{
	while (sem_wait(&o->fired) != 0)
		;
}

#endif
