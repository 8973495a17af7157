/* SPDX-License-Identifier: ISC */
/*
 * gate.c - who may still use a device, counted.
 *
 * Leaving a shut gate is done under the queue-side lock, and gate_shut() takes
 * it once more at the end: so the last one out is really out, and the gate may
 * be freed.
 */
#include "bus/gate.h"

#include "kern/panic.h"
#include "kern/thread.h"

void
gate_init(struct gate *g)
{
	g->word = 0;
	spin_init(&g->lock);
	waitq_init(&g->wq);
}

bool
gate_enter(struct gate *g)
{
	uint32_t w = __atomic_load_n(&g->word, __ATOMIC_RELAXED);

	do {
		if ((w & GATE_SHUT) != 0)
			return false;
	} while (!__atomic_compare_exchange_n(&g->word, &w, w + 1, true,
	    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

static void
exit_shut(struct gate *g)
{
	uint64_t state = spin_lock_irq(&g->lock);

	if (__atomic_sub_fetch(&g->word, 1, __ATOMIC_SEQ_CST) == GATE_SHUT)
		waitq_wake_all(&g->wq);
	spin_unlock_irq(&g->lock, state);
}

void
gate_exit(struct gate *g)
{
	uint32_t w = __atomic_load_n(&g->word, __ATOMIC_RELAXED);

	KASSERT((w & ~GATE_SHUT) != 0);
	do {
		if ((w & GATE_SHUT) != 0) {
			exit_shut(g);
			return;
		}
	} while (!__atomic_compare_exchange_n(&g->word, &w, w - 1, true,
	    __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

bool
gate_is_shut(const struct gate *g)
{
	return (__atomic_load_n(&g->word, __ATOMIC_ACQUIRE) & GATE_SHUT) != 0;
}

void
gate_close(struct gate *g)
{
	__atomic_or_fetch(&g->word, GATE_SHUT, __ATOMIC_SEQ_CST);
}

static bool
is_empty(const struct gate *g)
{
	return __atomic_load_n(&g->word, __ATOMIC_SEQ_CST) == GATE_SHUT;
}

void
gate_shut(struct gate *g)
{
	uint64_t state;

	gate_close(g);
	wait_event(&g->wq, is_empty(g));
	state = spin_lock_irq(&g->lock);
	spin_unlock_irq(&g->lock, state);
}

void
gate_reopen(struct gate *g)
{
	KASSERT(is_empty(g));
	__atomic_and_fetch(&g->word, ~GATE_SHUT, __ATOMIC_SEQ_CST);
}
