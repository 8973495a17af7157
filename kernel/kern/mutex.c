/* SPDX-License-Identifier: ISC */
/*
 * mutex.c - sleep locks.  The owner word is the whole lock; the queue is used
 * only by those who find it taken.
 */
#include "kern/mutex.h"
#include "kern/panic.h"
#include "kern/thread.h"

#define SPINS 200

void
mutex_init(struct mutex *m)
{
	m->owner = NULL;
	waitq_init(&m->wq);
}

bool
mutex_trylock(struct mutex *m)
{
	struct thread *none = NULL;

	return __atomic_compare_exchange_n(&m->owner, &none, thread_self(),
	    false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Who holds it on another processor is likely to let go soon. */
static bool
spin_for(struct mutex *m)
{
	unsigned i;

	for (i = 0; i < SPINS; i++) {
		cpu_pause();
		if (__atomic_load_n(&m->owner, __ATOMIC_RELAXED) == NULL &&
		    mutex_trylock(m))
			return true;
	}
	return false;
}

void
mutex_lock(struct mutex *m)
{
	if (mutex_trylock(m))
		return;
	KASSERT(!mutex_held(m));
	if (cpu_several() && spin_for(m))
		return;
	wait_event(&m->wq, mutex_trylock(m));
}

void
mutex_unlock(struct mutex *m)
{
	KASSERT(mutex_held(m));
	__atomic_store_n(&m->owner, NULL, __ATOMIC_SEQ_CST);
	if (!waitq_empty(&m->wq))
		waitq_wake_one(&m->wq);
}

bool
mutex_held(const struct mutex *m)
{
	return m->owner == thread_self();
}
