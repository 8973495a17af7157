/* SPDX-License-Identifier: ISC */
/*
 * spinlock.h - stands in for kernel/kern/spinlock.h in tests with threads:
 * locks that the sanitizers know.
 */
#ifndef KERN_SPINLOCK_H
#define KERN_SPINLOCK_H

#include "kern/types.h"
#include "x86/cpu.h"
#include <pthread.h>

struct spinlock {
	pthread_mutex_t m;
};

#define SPINLOCK_INIT                     \
	{                                 \
		PTHREAD_MUTEX_INITIALIZER \
	}

static inline void
spin_init(struct spinlock *lock)
{
	pthread_mutex_init(&lock->m, NULL);
}

static inline void
spin_lock(struct spinlock *lock)
{
	pthread_mutex_lock(&lock->m);
}

static inline void
spin_unlock(struct spinlock *lock)
{
	pthread_mutex_unlock(&lock->m);
}

static inline uint64_t
spin_lock_irq(struct spinlock *lock)
{
	pthread_mutex_lock(&lock->m);
	return 0;
}

static inline bool
spin_trylock_irq(struct spinlock *lock, uint64_t *state)
{
	*state = 0;
	return pthread_mutex_trylock(&lock->m) == 0;
}

static inline void
spin_unlock_irq(struct spinlock *lock, uint64_t state)
{
	(void)state;
	pthread_mutex_unlock(&lock->m);
}

#endif
