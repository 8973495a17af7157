/* SPDX-License-Identifier: ISC */
/*
 * spinlock.h - locks that are held for a few instructions and never across a
 * sleep.
 *
 * spin_lock() keeps the thread on its processor (no preemption); a lock that
 * an interrupt handler also takes is taken with spin_lock_irq(), which closes
 * interrupts too and hands back what to restore.
 */
#ifndef KERN_SPINLOCK_H
#define KERN_SPINLOCK_H

#include "kern/types.h"
#include "x86/cpu.h"

struct spinlock {
	uint32_t held;
};

#define SPINLOCK_INIT \
	{             \
		0     \
	}

static inline void
spin_init(struct spinlock *lock)
{
	lock->held = 0;
}

void spin_contend(struct spinlock *lock); /* waits, then holds */

/*
 * The same as below, once for all files that are made small: an emulator has
 * fewer blocks of code to translate, a processor fewer to hold.
 */
void spin_unlock_shared(struct spinlock *lock);
void spin_unlock_irq_shared(struct spinlock *lock, uint64_t state);

static inline void
spin_lock(struct spinlock *lock)
{
	preempt_disable();
	if (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0)
		spin_contend(lock);
}

static inline void
spin_unlock(struct spinlock *lock)
{
#ifdef __OPTIMIZE_SIZE__
	spin_unlock_shared(lock);
#else
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
	preempt_enable();
#endif
}

/* Returns the former interrupt state, for spin_unlock_irq(). */
static inline uint64_t
spin_lock_irq(struct spinlock *lock)
{
	uint64_t state = irq_save();

	spin_lock(lock);
	return state;
}

/* False: another holds it, on this processor or another. */
static inline bool
spin_trylock_irq(struct spinlock *lock, uint64_t *state)
{
	*state = irq_save();
	preempt_disable();
	if (__atomic_exchange_n(&lock->held, 1, __ATOMIC_SEQ_CST) == 0)
		return true;
	irq_restore(*state);
	preempt_enable();
	return false;
}

static inline void
spin_unlock_irq(struct spinlock *lock, uint64_t state)
{
#ifdef __OPTIMIZE_SIZE__
	spin_unlock_irq_shared(lock, state);
#else
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
	irq_restore(state);
	preempt_enable();
#endif
}

#endif
