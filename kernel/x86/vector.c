/* SPDX-License-Identifier: ISC */
/*
 * vector.c - the allocation of interrupt vectors.  Intel SDM vol. 3, 11.11.
 */
#include "x86/vector.h"
#include "kern/panic.h"
#include "kern/spinlock.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define FIRST 0x30
#define LAST  (VECTOR_TIMER - 1)

#define MESSAGE_ADDR      0xfee00000ul
#define MESSAGE_ADDR_DEST 12 /* bit number: 8 bits of local APIC */

static struct spinlock lock = SPINLOCK_INIT;
static uint64_t taken[4]; /* under lock; a bit for each vector */
static uint8_t next = FIRST;

static bool
take_locked(uint8_t v)
{
	if ((taken[v / 64] >> v % 64 & 1) != 0)
		return false;
	taken[v / 64] |= 1ul << v % 64;
	return true;
}

/* Round and round, so that a late interrupt of an old owner finds nobody. */
int
vector_alloc(void (*fn)(void *), void *arg, uint8_t *out)
{
	uint64_t state = spin_lock_irq(&lock);
	int error = -ENOSPC;
	unsigned i;

	for (i = FIRST; i <= LAST && error != 0; i++) {
		*out = next;
		next = next == LAST ? FIRST : next + 1;
		if (take_locked(*out)) {
			trap_set_handler(*out, fn, arg);
			error = 0;
		}
	}
	spin_unlock_irq(&lock, state);
	return error;
}

/*
 * Whoever found the old handler did so after it had counted itself in
 * irq_depth (trap.c): once that was zero, nobody is left who might call it.
 */
static void
wait_for_handlers(void)
{
	struct percpu *pc;
	unsigned i;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; (pc = cpu_nth(i)) != NULL; i++)
		while (__atomic_load_n(&pc->irq_depth, __ATOMIC_SEQ_CST) != 0)
			cpu_pause();
}

void
vector_free(uint8_t vector)
{
	uint64_t state;

	KASSERT((taken[vector / 64] >> vector % 64 & 1) != 0);
	trap_set_handler(vector, NULL, NULL);
	wait_for_handlers();
	state = spin_lock_irq(&lock);
	taken[vector / 64] &= ~(1ul << vector % 64);
	spin_unlock_irq(&lock, state);
}

int
vector_message(uint8_t vector, unsigned cpu, uint64_t *addr, uint32_t *data)
{
	const struct percpu *pc = cpu_nth(cpu);

	if (pc == NULL || pc->apic_id > 0xff)
		return -EINVAL;
	*addr = MESSAGE_ADDR | (uint64_t)pc->apic_id << MESSAGE_ADDR_DEST;
	*data = vector;
	return 0;
}
