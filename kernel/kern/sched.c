/* SPDX-License-Identifier: ISC */
/*
 * sched.c - who runs.  Each processor has a run queue of its own.
 *
 * Threads that have just been woken, and have not used up their slice, go
 * before those that have; after WOKEN_RUN of them in a row one of the others
 * gets its turn, so that nobody starves.  The timer is used only while more
 * than one thread wants the processor.
 */
#include "kern/sched.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/vm.h"
#include "x86/machdep.h"
#include "x86/pte.h"

#define SLICE_NS  (4 * 1000 * 1000ll)
#define WOKEN_RUN 16

TAILQ_HEAD(thread_queue, thread);

static struct runq {
	struct spinlock lock;
	struct thread_queue woken, used; /* slices: begun, used up */
	unsigned nqueued;
	unsigned woken_run; /* picks from `woken` since the last other one */
	struct thread *idle;
	struct thread *prev; /* switched away from; for sched_switched() */
	uint64_t idle_raw, switches;
} runqs[MAX_CPUS];
static struct thread idle_threads[1]; /* the boot processor's */

static struct runq *
runq_self(void)
{
	return &runqs[cpu_id()];
}

/* 4 ms at nice 0; twice that at -20, a twentieth of it at 19. */
static int64_t
slice_of(const struct thread *t)
{
	return SLICE_NS * (21 - t->nice) / 21;
}

static void
enqueue_locked(struct runq *rq, struct thread *t, bool woken)
{
	if (woken)
		TAILQ_INSERT_TAIL(&rq->woken, t, run_link);
	else
		TAILQ_INSERT_TAIL(&rq->used, t, run_link);
	t->queued = true;
	rq->nqueued++;
}

static struct thread *
pick_locked(struct runq *rq)
{
	struct thread *w = TAILQ_FIRST(&rq->woken);
	struct thread *u = TAILQ_FIRST(&rq->used);

	if (w != NULL && (u == NULL || rq->woken_run < WOKEN_RUN)) {
		rq->woken_run++;
		TAILQ_REMOVE(&rq->woken, w, run_link);
	} else if (u != NULL) {
		rq->woken_run = 0;
		TAILQ_REMOVE(&rq->used, u, run_link);
		w = u;
	} else {
		return rq->idle;
	}
	w->queued = false;
	rq->nqueued--;
	return w;
}

void
sched_load_vmspace(struct vmspace *vm)
{
	struct percpu *pc = cpu_self();

	if (pc->vmspace == vm)
		return;
	vmspace_activate(vm);
}

void
sched_forget_vmspace(struct vmspace *vm)
{
	struct percpu *pc;

	preempt_disable();
	pc = cpu_self();
	if (pc->vmspace == vm) {
		pc->vmspace = NULL;
		pt_load(pt_kernel_root());
	}
	preempt_enable();
}

/* The program's outside state of FS and GS. */
static void
segments_switch(struct thread *prev, struct thread *next)
{
	if (prev->user != NULL)
		user_bases_save(prev);
	if (next->user != NULL)
		user_bases_load(next);
}

/* Queue locked, interrupts off; returns with the lock released. */
static void
switch_locked(struct runq *rq)
{
	struct thread *prev = thread_self(), *next = pick_locked(rq);
	struct percpu *pc = cpu_self();
	uint64_t raw = clock_raw();

	pc->need_resched = 0;
	if (next == prev) {
		__atomic_store_n(&rq->lock.held, 0, __ATOMIC_RELEASE);
		return;
	}
	prev->run_raw += raw - prev->switched_raw;
	next->switched_raw = raw;
	next->cpu = pc->id;
	next->on_cpu = true;
	rq->switches++;
	rq->prev = prev;
	pc->current = next;
	cpu_set_kstack((uint64_t)next->kstack + KSTACK_SIZE);
	if (prev->user != NULL || next->user != NULL)
		segments_switch(prev, next);
	if (next->vmspace != NULL)
		sched_load_vmspace(next->vmspace);
	if (next->user != NULL)
		fpu_switch(next);
	switch_context(&prev->ctx_sp, next->ctx_sp);
	sched_switched();
}

void
sched_switched(void)
{
	struct runq *rq = runq_self();
	struct thread *prev = rq->prev;
	bool dead = prev->state == THREAD_DEAD;

	__atomic_store_n(&prev->on_cpu, false, __ATOMIC_RELEASE);
	__atomic_store_n(&rq->lock.held, 0, __ATOMIC_RELEASE);
	if (dead)
		thread_destroy(prev);
	timer_reprogram();
}

static void
runq_lock(struct runq *rq)
{
	if (__atomic_exchange_n(&rq->lock.held, 1, __ATOMIC_ACQUIRE) != 0)
		spin_contend(&rq->lock);
}

/* The caller goes to the end of its queue. */
static void
reschedule(bool used)
{
	struct runq *rq = runq_self();
	struct thread *t = thread_self();

	runq_lock(rq);
	if (t != rq->idle && t->state == THREAD_RUNNABLE) {
		if (used)
			t->slice_end_ns = 0;
		enqueue_locked(rq, t, !used);
	} else if (t != rq->idle && t->state == THREAD_SLEEPING) {
		/* Preempted between wait_prepare() and sched_sleep(). */
		enqueue_locked(rq, t, true);
	}
	switch_locked(rq);
}

void
sched_yield(void)
{
	uint64_t state = irq_save();

	preempt_disable();
	if (runq_self()->nqueued > 0)
		reschedule(true);
	irq_restore(state);
	preempt_enable();
}

void
sched_sleep(void)
{
	uint64_t state = irq_save();
	struct runq *rq;
	struct thread *t = thread_self();

	KASSERT(cpu_self()->preempt_count == 0);
	preempt_disable();
	rq = runq_self();
	runq_lock(rq);
	if (t->state == THREAD_SLEEPING)
		switch_locked(rq);
	else
		__atomic_store_n(&rq->lock.held, 0, __ATOMIC_RELEASE);
	irq_restore(state);
	preempt_enable();
}

void
sched_preempt(void)
{
	struct thread *t = thread_self();

	preempt_disable();
	reschedule(t->slice_end_ns != 0 && clock_mono_ns() >= t->slice_end_ns);
	__atomic_sub_fetch(&cpu_self()->preempt_count, 1, __ATOMIC_RELAXED);
}

/* From preempt_enable(): a switch was due while preemption was off. */
void
preempt_now(void)
{
	uint64_t state = irq_save();

	if ((state & RFLAGS_IF) != 0 && cpu_self()->need_resched)
		sched_preempt();
	irq_restore(state);
}

static bool
wake_locked(struct runq *rq, struct thread *t)
{
	if (t->state != THREAD_SLEEPING)
		return false;
	t->state = THREAD_RUNNABLE;
	/* Still on its way to sleep: it will find itself runnable. */
	if (t->queued || t == cpu_nth(t->cpu)->current)
		return false;
	t->slice_end_ns = 0;
	enqueue_locked(rq, t, true);
	return true;
}

void
thread_wake(struct thread *t)
{
	struct runq *rq = &runqs[t->cpu];
	uint64_t state = irq_save();
	struct percpu *pc;

	preempt_disable();
	runq_lock(rq);
	if (wake_locked(rq, t)) {
		pc = cpu_nth(t->cpu);
		if (pc->current == rq->idle)
			pc->need_resched = 1;
	}
	__atomic_store_n(&rq->lock.held, 0, __ATOMIC_RELEASE);
	timer_reprogram();
	irq_restore(state);
	preempt_enable();
}

void
sched_kick(struct thread *t)
{
	(void)t; /* one processor: its flags are looked at on every way out */
}

int64_t
sched_slice_end_ns(void)
{
	struct thread *t = thread_self();
	struct runq *rq = runq_self();

	if (rq->nqueued == 0 || t == rq->idle)
		return INT64_MAX;
	if (t->slice_end_ns == 0)
		t->slice_end_ns = clock_mono_ns() + slice_of(t);
	return t->slice_end_ns;
}

void
sched_tick(uint64_t now_ns)
{
	struct thread *t = thread_self();

	if (runq_self()->nqueued > 0 && t->slice_end_ns != 0 &&
	    (int64_t)now_ns >= t->slice_end_ns)
		cpu_self()->need_resched = 1;
}

void
thread_exit(void)
{
	struct thread *t = thread_self();

	irq_disable();
	preempt_disable();
	if (cpu_self()->fpu_owner == t)
		cpu_self()->fpu_owner = NULL;
	runq_lock(runq_self());
	t->state = THREAD_DEAD;
	switch_locked(runq_self());
	panic("a dead thread runs");
}

void
spin_contend(struct spinlock *lock)
{
	do {
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0)
			cpu_pause();
	} while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0);
}

/*
 * Never goes back, though the counter's rate is known better with time, and a
 * switch on another processor may come in between the readings.
 */
uint64_t
thread_run_ns(struct thread *t)
{
	uint64_t state = irq_save();
	uint64_t raw = t->run_raw, ns, told;

	if (t->on_cpu)
		raw += clock_raw() - t->switched_raw;
	irq_restore(state);
	ns = clock_raw_span_ns(raw);
	told = __atomic_load_n(&t->run_ns_told, __ATOMIC_RELAXED);
	while (ns > told &&
	    !__atomic_compare_exchange_n(&t->run_ns_told, &told, ns, false,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return MAX(ns, told);
}

uint64_t
sched_idle_ns(unsigned cpu)
{
	return thread_run_ns(runqs[cpu].idle);
}

uint64_t
sched_switches(unsigned cpu)
{
	return runqs[cpu].switches;
}

unsigned
sched_nrunnable(void)
{
	unsigned i, n = 0;

	for (i = 0; i < cpu_count(); i++) {
		n += runqs[i].nqueued;
		n += cpu_nth(i)->current != runqs[i].idle;
	}
	return n;
}

int
sched_init(void)
{
	struct runq *rq = &runqs[0];
	struct thread *t = &idle_threads[0];

	TAILQ_INIT(&rq->woken);
	TAILQ_INIT(&rq->used);
	strlcpy(t->name, "idle", sizeof(t->name));
	t->kstack = boot_stack;
	t->state = THREAD_RUNNABLE;
	t->on_cpu = true;
	t->affinity = 1;
	t->switched_raw = clock_raw();
	rq->idle = t;
	cpu_self()->current = t;
	cpu_set_kstack((uint64_t)boot_stack_top);
	return 0;
}

void
sched_idle(void)
{
	irq_disable();
	cpu_self()->preempt_count = 0;
	for (;;) {
		irq_disable();
		if (cpu_self()->need_resched || runq_self()->nqueued > 0)
			sched_preempt();
		else
			__asm__ volatile("sti; hlt" ::: "memory");
	}
}
