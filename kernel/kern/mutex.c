/* SPDX-License-Identifier: ISC */
/*
 * mutex.c - sleep locks.  The owner word is the whole lock; the queue is used
 * only by those who find it taken.
 */
#include "kern/mutex.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "x86/cpu.h"

#define SPINS 2000 /* a hundred microseconds or so */
#define LOOK  16   /* spins between looks at who holds it */

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

/* The thread may be gone by now: it is not looked into. */
static bool
runs(const struct thread *t)
{
	uint64_t todo = __atomic_load_n(&cpus_online, __ATOMIC_RELAXED);

	for (; todo != 0; todo &= todo - 1)
		if (cpu_nth(__builtin_ctzl(todo))->current == t)
			return true;
	return false;
}

/*
 * Who holds it is likely to let go soon while it runs, on another processor:
 * sooner than this one would be asleep, interrupted and awake again.
 */
static bool
spin_for(struct mutex *m)
{
	const struct thread *owner;
	unsigned i;

	for (i = 0; i < SPINS; i++) {
		cpu_pause();
		owner = __atomic_load_n(&m->owner, __ATOMIC_RELAXED);
		if (owner == NULL && mutex_trylock(m))
			return true;
		if (owner != NULL && i % LOOK == 0 && !runs(owner))
			return false;
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
