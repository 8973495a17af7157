/* SPDX-License-Identifier: ISC */
/* mutex.h - stands in for kernel/kern/mutex.h in tests with threads. */
#ifndef KERN_MUTEX_H
#define KERN_MUTEX_H

#include "kern/types.h"
#include "kern/waitq.h"

struct mutex {
	pthread_mutex_t m;
};

#define MUTEX_INIT(name)                  \
	{                                 \
		PTHREAD_MUTEX_INITIALIZER \
	}

static inline void
mutex_init(struct mutex *m)
{
	pthread_mutex_init(&m->m, NULL);
}

static inline void
mutex_lock(struct mutex *m)
{
	pthread_mutex_lock(&m->m);
}

static inline bool
mutex_trylock(struct mutex *m)
{
	return pthread_mutex_trylock(&m->m) == 0;
}

static inline void
mutex_unlock(struct mutex *m)
{
	pthread_mutex_unlock(&m->m);
}

#endif
