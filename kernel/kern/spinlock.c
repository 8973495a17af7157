/* SPDX-License-Identifier: ISC */
/*
 * spinlock.c - waiting for spin locks; and their ends as calls, for files that
 * are made small.  This one is made for speed, so that what it calls is there
 * in full.
 */
#include "kern/spinlock.h"
#include "kern/panic.h"
#include "x86/smp.h"

#define SPIN_MAX (1u << 29) /* rounds: some ten seconds */

/*
 * Who holds the lock may wait for a call that this processor shall serve.  A
 * lock that is not let go for so long never will be: all tell where they are.
 */
void
spin_contend(struct spinlock *lock)
{
	unsigned tries = 0;

	do {
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0) {
			cpu_serve();
			cpu_pause();
			if (++tries == SPIN_MAX)
				panic_all("a spin lock at %p is not let go",
				    (void *)lock);
		}
	} while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0);
}

void
spin_unlock_shared(struct spinlock *lock)
{
	spin_unlock(lock);
}

void
spin_unlock_irq_shared(struct spinlock *lock, uint64_t state)
{
	spin_unlock_irq(lock, state);
}
