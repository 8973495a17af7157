/* SPDX-License-Identifier: ISC */
/*
 * thread_time.c - processor time of threads: how much, which is measured at
 * every switch, and where, in the program or in the kernel, which is sampled.
 *
 * A clock reading at each way in and out of the kernel would cost more than
 * most calls do.  So the timer's interrupt, which comes at least every few
 * milliseconds while a program runs, says for the time since the last sample
 * whether it found the thread in the program; the whole time is then divided
 * as the samples are.  What was told before never becomes less.
 */
#include "kern/clock.h"
#include "kern/spinlock.h"
#include "kern/thread.h"
#include "x86/machdep.h"

/*
 * From any processor, while the thread's own may be switching: what it told
 * first is read last, so that a stretch may be missed for a moment, but is
 * never counted twice.
 */
static uint64_t
run_raw_now(const struct thread *t)
{
	uint64_t raw = __atomic_load_n(&t->run_raw, __ATOMIC_ACQUIRE);
	uint64_t since = __atomic_load_n(&t->switched_raw, __ATOMIC_ACQUIRE);
	uint64_t now = clock_raw();

	return since != 0 && now > since ? raw + now - since : raw;
}

void
thread_time_stops(struct thread *t, uint64_t now_raw)
{
	uint64_t since = t->switched_raw;

	__atomic_store_n(&t->switched_raw, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&t->run_raw, t->run_raw + now_raw - since,
	    __ATOMIC_RELEASE);
}

uint64_t
thread_awake_ns(struct thread *t)
{
	uint64_t raw = run_raw_now(t);

	/* Asked while it is being woken elsewhere: nothing yet. */
	return raw < t->woken_raw ? 0 : clock_raw_span_ns(raw - t->woken_raw);
}

/*
 * Never goes back, though the counter's rate is known better with time, and a
 * switch on another processor may come in between the readings.
 */
uint64_t
thread_run_ns(struct thread *t)
{
	uint64_t ns = clock_raw_span_ns(run_raw_now(t)), told;

	told = __atomic_load_n(&t->run_ns_told, __ATOMIC_RELAXED);
	while (ns > told &&
	    !__atomic_compare_exchange_n(&t->run_ns_told, &told, ns, false,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return MAX(ns, told);
}

void
thread_sample(struct thread *t, bool in_program)
{
	uint64_t now = clock_raw();
	uint64_t since = MAX(t->switched_raw, t->sampled_raw);

	t->sampled_raw = now;
	if (in_program)
		t->sampled_user += now - since;
	else
		t->sampled_kernel += now - since;
}

/* The part of run_ns that the samples give to the kernel. */
static uint64_t
kernel_part(const struct thread *t, uint64_t run_ns)
{
	uint64_t k = t->sampled_kernel, all = k + t->sampled_user;

	while (all >> 24 != 0) { /* so that the product fits */
		all >>= 1;
		k >>= 1;
	}
	if (all == 0)
		return 0; /* never sampled: as if in the program */
	return run_ns / all * k + run_ns % all * k / all;
}

void
thread_times(struct thread *t, uint64_t *run_ns, uint64_t *user_ns)
{
	static struct spinlock lock = SPINLOCK_INIT;
	uint64_t run = thread_run_ns(t), kernel, user, state;

	state = spin_lock_irq(&lock);
	kernel = MAX(kernel_part(t, run), t->kernel_ns_told);
	kernel = MIN(kernel, run - MIN(run, t->user_ns_told));
	user = run - kernel;
	t->kernel_ns_told = kernel;
	t->user_ns_told = user;
	spin_unlock_irq(&lock, state);
	*run_ns = run;
	*user_ns = user;
}
