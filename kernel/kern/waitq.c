/* SPDX-License-Identifier: ISC */
/* waitq.c - queues of waiters, and one round of waiting. */
#include "kern/waitq.h"
#include "kern/clock.h"
#include "kern/sched.h"
#include "kern/thread.h"
#include "kern/timer.h"

void
waitq_init(struct waitq *wq)
{
	spin_init(&wq->lock);
	TAILQ_INIT(&wq->waiters);
}

void
waitq_add(struct waitq *wq, struct waiter *w)
{
	uint64_t state = spin_lock_irq(&wq->lock);

	w->wq = wq;
	TAILQ_INSERT_TAIL(&wq->waiters, w, link);
	spin_unlock_irq(&wq->lock, state);
}

void
waitq_remove(struct waiter *w)
{
	struct waitq *wq = w->wq;
	uint64_t state;

	if (wq == NULL)
		return;
	state = spin_lock_irq(&wq->lock);
	TAILQ_REMOVE(&wq->waiters, w, link);
	w->wq = NULL;
	spin_unlock_irq(&wq->lock, state);
}

/* The processors to poke once the lock is free: its taker would wait for it. */
static uint64_t
wake_waiter(struct waiter *w)
{
	if (w->notify == NULL)
		return thread_wake_quietly(w->thread);
	w->notify(w);
	return 0;
}

static void
unlock_and_poke(struct waitq *wq, uint64_t state, uint64_t cpus)
{
	preempt_disable();
	spin_unlock_irq(&wq->lock, state);
	sched_poke(cpus);
	preempt_enable();
}

void
waitq_wake_all(struct waitq *wq)
{
	struct waiter *w, *next;
	uint64_t state, cpus = 0;

	if (waitq_empty(wq))
		return;
	state = spin_lock_irq(&wq->lock);
	TAILQ_FOREACH_SAFE (w, &wq->waiters, link, next)
		cpus |= wake_waiter(w);
	unlock_and_poke(wq, state, cpus);
}

/* A woken waiter goes to the tail, so that the next wake reaches another. */
void
waitq_wake_one(struct waitq *wq)
{
	struct waiter *w;
	uint64_t state, cpus = 0;

	if (waitq_empty(wq))
		return;
	state = spin_lock_irq(&wq->lock);
	w = TAILQ_FIRST(&wq->waiters);
	if (w != NULL) {
		TAILQ_REMOVE(&wq->waiters, w, link);
		TAILQ_INSERT_TAIL(&wq->waiters, w, link);
		cpus = wake_waiter(w);
	}
	unlock_and_poke(wq, state, cpus);
}

/*
 * RUNNING -> wait_prepare() -> SLEEPING -> sched_sleep() gives the processor
 * away unless thread_wake() made it RUNNABLE in between.
 */
void
wait_prepare(enum wait_kind kind)
{
	struct thread *t = thread_self();

	t->interruptible = kind == WAIT_INTERRUPTIBLE;
	__atomic_store_n(&t->state, THREAD_SLEEPING, __ATOMIC_SEQ_CST);
}

static void
wait_timeout(void *arg)
{
	thread_wake(arg);
}

int
wait_sleep(enum wait_kind kind, int64_t deadline_ns)
{
	struct thread *t = thread_self();
	struct timer timer;

	if (kind == WAIT_INTERRUPTIBLE &&
	    __atomic_load_n(&t->interrupted, __ATOMIC_SEQ_CST))
		return -ERESTARTSYS;
	if (deadline_ns == WAIT_FOREVER) {
		sched_sleep();
	} else if (clock_mono_ns() >= deadline_ns) {
		return -ETIMEDOUT;
	} else {
		timer_setup(&timer, wait_timeout, t);
		timer_arm(&timer, deadline_ns);
		sched_sleep();
		timer_cancel(&timer);
	}
	return 0;
}

void
wait_finish(void)
{
	struct thread *t = thread_self();

	t->interruptible = false;
	__atomic_store_n(&t->state, THREAD_RUNNABLE, __ATOMIC_SEQ_CST);
}
