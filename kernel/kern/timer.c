/* SPDX-License-Identifier: ISC */
/*
 * timer.c - armed timers, one tree a processor, ordered by deadline.
 */
#include "kern/timer.h"
#include "kern/clock.h"
#include "kern/panic.h"
#include "kern/spinlock.h"
#include "kern/thread.h"
#include "x86/irq.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define SAMPLE_NS \
	(10 * 1000 * 1000ll) /* while a program runs; see thread_time.c */

static int
timer_cmp(struct timer *a, struct timer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns ? -1 : 1;
	return a < b ? -1 : a > b;
}

#ifndef __unused /* the tree macros' word */
#define __unused __attribute__((unused))
#endif
RB_HEAD(timer_tree, timer);
RB_GENERATE_STATIC(timer_tree, timer, node, timer_cmp)

static struct timer_cpu {
	struct spinlock lock;
	struct timer_tree tree;
	struct timer *running; /* its function is being called */
	int64_t programmed_ns; /* the next interrupt; INT64_MAX: none */
	bool samples;          /* one comes soon enough to take a sample */
	uint64_t interrupts;
} cpus[MAX_CPUS];

void
timer_setup(struct timer *t, void (*fn)(void *arg), void *arg)
{
	*t = (struct timer){ .fn = fn, .arg = arg };
}

static void
program_locked(struct timer_cpu *tc)
{
	struct timer *first = RB_MIN(timer_tree, &tc->tree);
	int64_t next = sched_slice_end_ns();

	if (first != NULL && first->deadline_ns < next)
		next = first->deadline_ns;
	if (!tc->samples && thread_self()->user != NULL) {
		tc->samples = true;
		next = MIN(next, clock_mono_ns() + SAMPLE_NS);
	}
	/* An interrupt that comes too early costs less than taking it back. */
	if (next >= tc->programmed_ns)
		return;
	tc->programmed_ns = next;
	apic_timer_arm(next - clock_mono_ns());
}

void
timer_arm(struct timer *t, int64_t deadline_ns)
{
	struct timer_cpu *tc;
	uint64_t state;

	timer_cancel(t);
	preempt_disable();
	t->cpu = cpu_id();
	tc = &cpus[t->cpu];
	state = spin_lock_irq(&tc->lock);
	t->deadline_ns = deadline_ns;
	t->armed = true;
	RB_INSERT(timer_tree, &tc->tree, t);
	program_locked(tc);
	spin_unlock_irq(&tc->lock, state);
	preempt_enable();
}

bool
timer_cancel(struct timer *t)
{
	struct timer_cpu *tc = &cpus[t->cpu];
	uint64_t state;
	bool was, running;

	for (;;) {
		state = spin_lock_irq(&tc->lock);
		was = t->armed;
		if (was)
			RB_REMOVE(timer_tree, &tc->tree, t);
		t->armed = false;
		running = tc->running == t && t->cpu != cpu_id();
		spin_unlock_irq(&tc->lock, state);
		if (!running)
			return was;
		cpu_pause();
	}
}

void
timer_interrupt(void)
{
	struct timer_cpu *tc = &cpus[cpu_id()];
	int64_t now = clock_mono_ns();
	struct timer *t;

	spin_lock(&tc->lock);
	tc->interrupts++;
	tc->programmed_ns = INT64_MAX;
	tc->samples = false;
	while ((t = RB_MIN(timer_tree, &tc->tree)) != NULL &&
	    t->deadline_ns <= now) {
		RB_REMOVE(timer_tree, &tc->tree, t);
		t->armed = false;
		tc->running = t;
		spin_unlock(&tc->lock);
		t->fn(t->arg);
		spin_lock(&tc->lock);
		tc->running = NULL;
	}
	spin_unlock(&tc->lock);
	sched_tick(now);
	timer_reprogram();
}

void
timer_reprogram(void)
{
	struct timer_cpu *tc = &cpus[cpu_id()];
	uint64_t state = spin_lock_irq(&tc->lock);

	program_locked(tc);
	spin_unlock_irq(&tc->lock, state);
}

uint64_t
timer_interrupts(unsigned cpu)
{
	return cpus[cpu].interrupts;
}

void
timer_init_other(unsigned cpu)
{
	RB_INIT(&cpus[cpu].tree);
	cpus[cpu].programmed_ns = INT64_MAX;
}

int
timer_init(void)
{
	timer_init_other(0);
	return apic_init();
}
