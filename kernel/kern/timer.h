/* SPDX-License-Identifier: ISC */
/*
 * timer.h - one-shot timers on the monotonic clock.
 *
 * A timer fires on the processor that armed it, its function called from the
 * timer interrupt: it must not sleep.  The struct belongs to the caller and
 * must be idle (fired or cancelled) before its memory is reused.
 */
#ifndef KERN_TIMER_H
#define KERN_TIMER_H

#include "kern/types.h"
#include <bsd/sys/tree.h>

struct timer {
	RB_ENTRY(timer) node;
	int64_t deadline_ns;
	void (*fn)(void *arg);
	void *arg;
	bool armed;
	uint32_t cpu;
};

/* Once, before it is armed; fn is called in interrupt context. */
void timer_setup(struct timer *t, void (*fn)(void *arg), void *arg);
/* Arms, or re-arms, for a moment of clock_mono_ns(). */
void timer_arm(struct timer *t, int64_t deadline_ns);
/*
 * Afterwards the function neither runs nor will run; waits for a run under
 * way on another processor.  True if it was armed.  Not from the function.
 */
bool timer_cancel(struct timer *t);

/* Runs what is due and programs the next interrupt; from the interrupt. */
void timer_interrupt(void);
int timer_init(void); /* boot step */
/* Timer interrupts on processor `cpu` so far. */
uint64_t timer_interrupts(unsigned cpu);
/* Before processor `cpu` starts. */
void timer_init_other(unsigned cpu);
/*
 * Programs the processor's next interrupt anew: a timer changed, or the
 * scheduler's slice did.  Interrupts off.
 */
void timer_reprogram(void);

#endif
