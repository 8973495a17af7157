/* SPDX-License-Identifier: ISC */
/*
 * spinlock.c - the ends of spin locks as calls, for files that are made small.
 * This one is made for speed, so that what it calls is there in full.
 */
#include "kern/spinlock.h"

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
