/* SPDX-License-Identifier: ISC */
/* later.c - work handed from interrupt handlers to a thread. */
#include "kern/later.h"
#include "kern/mutex.h"
#include "kern/spinlock.h"
#include "kern/thread.h"
#include "kern/waitq.h"

static struct mutex start_lock = MUTEX_INIT(start_lock);
static bool started; /* atomic; set under start_lock */
static struct spinlock lock = SPINLOCK_INIT;
static STAILQ_HEAD(, later) work = STAILQ_HEAD_INITIALIZER(work); /* lock */
static struct waitq wq = WAITQ_INIT(wq);

static struct later *
take(void)
{
	uint64_t state = spin_lock_irq(&lock);
	struct later *l = STAILQ_FIRST(&work);

	if (l != NULL)
		STAILQ_REMOVE_HEAD(&work, link);
	spin_unlock_irq(&lock, state);
	return l;
}

static void
worker(void *arg)
{
	struct later *l;

	(void)arg;
	for (;;) {
		wait_event(&wq, (l = take()) != NULL);
		l->fn(l);
	}
}

int
later_ready(void)
{
	struct thread *t;
	int error = 0;

	if (__atomic_load_n(&started, __ATOMIC_ACQUIRE))
		return 0;
	mutex_lock(&start_lock);
	if (!started)
		error = thread_create("later", worker, NULL, &t);
	if (!started && error == 0) {
		thread_start(t);
		__atomic_store_n(&started, true, __ATOMIC_RELEASE);
	}
	mutex_unlock(&start_lock);
	return error;
}

void
later_run(struct later *l, void (*fn)(struct later *l))
{
	uint64_t state = spin_lock_irq(&lock);

	l->fn = fn;
	STAILQ_INSERT_TAIL(&work, l, link);
	spin_unlock_irq(&lock, state);
	waitq_wake_all(&wq);
}
