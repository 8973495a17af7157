/* SPDX-License-Identifier: ISC */
/*
 * sched.c - who runs.  Each processor has a run queue of its own.
 *
 * Threads that have just been woken, and have not used up their slice, go
 * before those that have; after WOKEN_RUN of them in a row one of the others
 * gets its turn, so that nobody starves.  The timer is used only while more
 * than one thread wants the processor.
 *
 * A thread that is `near` does little at a time, and what it wakes has to do
 * with what it did: it goes, and they go, where the waker runs, whose turn is
 * likely to end before another processor would have been interrupted.  If it
 * does not within NEAR_NS, an idle one comes for who waits; and a thread that
 * kept them waiting so long gets none of them before it has slept.
 *
 * Real-time threads (rt > 0) go before those by priority, but leave them one
 * turn a second; low ones (rt < 0) get the processor when nobody else wants
 * it, and once in a while.
 */
#include "kern/sched.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/vm.h"
#include "x86/debugreg.h"
#include "x86/machdep.h"
#include "x86/smp.h"

#define SLICE_NS  (4 * 1000 * 1000ll)
#define WOKEN_RUN 16
#define LOW_WAIT  256 /* picks until a low one gets its turn */
#define RT_RUN_NS (950 * 1000 * 1000ll) /* Linux's sched_rt_runtime_us */
#define NEAR_NS   (1000 * 1000ll)
#define SPIN_MAX  (1u << 29) /* rounds: some ten seconds */

TAILQ_HEAD(thread_queue, thread);

static struct runq {
	struct spinlock lock;
	struct thread_queue woken, used; /* slices: begun, used up */
	struct thread_queue rt, low;     /* by priority; low */
	uint64_t rt_since_raw;           /* others wait since; 0: none did */
	unsigned low_waits;              /* picks since a low one waits */
	unsigned nqueued;
	unsigned woken_run; /* picks from `woken` since the last other one */
	struct thread *idle;
	struct thread *prev;    /* switched away from; for sched_switched() */
	struct thread *leaving; /* prev, if it may not stay here */
	int64_t near_end_ns;    /* until then who waits alone is left; 0: no */
	uint64_t idle_raw, switches;
} runqs[MAX_CPUS];
static struct thread boot_idle;
static uint64_t idle_mask; /* atomic: processors that have nothing to run */

static struct runq *
runq_self(void)
{
	return &runqs[cpu_id()];
}

static unsigned
cpu_of(const struct runq *rq)
{
	return rq - runqs;
}

static void
runq_lock(struct runq *rq)
{
	if (__atomic_exchange_n(&rq->lock.held, 1, __ATOMIC_ACQUIRE) != 0)
		spin_contend(&rq->lock);
}

static bool
runq_trylock(struct runq *rq)
{
	return __atomic_exchange_n(&rq->lock.held, 1, __ATOMIC_ACQUIRE) == 0;
}

static void
runq_unlock(struct runq *rq)
{
	__atomic_store_n(&rq->lock.held, 0, __ATOMIC_RELEASE);
}

/* Locks the queue that t is under. */
static struct runq *
runq_lock_of(struct thread *t)
{
	struct runq *rq;

	for (;;) {
		rq = &runqs[__atomic_load_n(&t->cpu, __ATOMIC_RELAXED)];
		runq_lock(rq);
		if (rq == &runqs[__atomic_load_n(&t->cpu, __ATOMIC_RELAXED)])
			return rq;
		runq_unlock(rq);
	}
}

/* 4 ms at nice 0; twice that at -20, a twentieth of it at 19. */
static int64_t
slice_of(const struct thread *t)
{
	if (t->rt < 0)
		return SLICE_NS / 20;
	return SLICE_NS * (21 - t->nice) / 21;
}

/* Behind all that have more, and behind its like unless it stays first. */
static void
enqueue_rt_locked(struct runq *rq, struct thread *t)
{
	struct thread *o;

	TAILQ_FOREACH (o, &rq->rt, run_link)
		if (o->rt < t->rt || (o->rt == t->rt && t->at_head))
			break;
	if (o != NULL)
		TAILQ_INSERT_BEFORE(o, t, run_link);
	else
		TAILQ_INSERT_TAIL(&rq->rt, t, run_link);
	t->at_head = false;
}

/*
 * Only on its way to its program: in the kernel it may hold a lock that others
 * sleep for, who would wait with it.
 */
static void
enqueue_low_locked(struct runq *rq, struct thread *t)
{
	TAILQ_INSERT_TAIL(&rq->low, t, run_link);
	t->on_low = true;
}

static void
enqueue_locked(struct runq *rq, struct thread *t, bool woken)
{
	if (t->rt > 0)
		enqueue_rt_locked(rq, t);
	else if (t->rt < 0 && t->leaves_kernel)
		enqueue_low_locked(rq, t);
	else if (woken)
		TAILQ_INSERT_TAIL(&rq->woken, t, run_link);
	else
		TAILQ_INSERT_TAIL(&rq->used, t, run_link);
	t->used_slice = !woken;
	t->queued = t->listed = true;
	rq->nqueued++;
}

static void
one_less_locked(struct runq *rq)
{
	if (--rq->nqueued == 0)
		rq->near_end_ns = 0;
}

static void
dequeue_locked(struct runq *rq, struct thread *t)
{
	if (t->rt > 0)
		TAILQ_REMOVE(&rq->rt, t, run_link);
	else if (t->on_low)
		TAILQ_REMOVE(&rq->low, t, run_link);
	else if (t->used_slice)
		TAILQ_REMOVE(&rq->used, t, run_link);
	else
		TAILQ_REMOVE(&rq->woken, t, run_link);
	t->on_low = t->listed = false;
	one_less_locked(rq);
}

/* A real-time thread, unless others have waited for a whole period. */
static struct thread *
pick_rt_locked(struct runq *rq, bool others)
{
	struct thread *t = TAILQ_FIRST(&rq->rt);
	uint64_t now = clock_raw();

	if (t == NULL || !others || rq->rt_since_raw == 0) {
		rq->rt_since_raw = t != NULL && others ? now : 0;
		return t;
	}
	if (clock_raw_span_ns(now - rq->rt_since_raw) < RT_RUN_NS)
		return t;
	rq->rt_since_raw = 0;
	return NULL;
}

/* The classes that are rarely used.  NULL: neither is due. */
static __attribute__((noinline)) struct thread *
pick_class_locked(struct runq *rq, bool others)
{
	struct thread *t = pick_rt_locked(rq, others);

	if (t != NULL) {
		TAILQ_REMOVE(&rq->rt, t, run_link);
		return t;
	}
	t = TAILQ_FIRST(&rq->low);
	if (t == NULL || (others && ++rq->low_waits < LOW_WAIT))
		return NULL;
	rq->low_waits = 0;
	t->on_low = false;
	TAILQ_REMOVE(&rq->low, t, run_link);
	return t;
}

static struct thread *
pick_locked(struct runq *rq)
{
	struct thread *w = TAILQ_FIRST(&rq->woken);
	struct thread *u = TAILQ_FIRST(&rq->used), *c = NULL;

	if (!TAILQ_EMPTY(&rq->rt) || !TAILQ_EMPTY(&rq->low))
		c = pick_class_locked(rq, w != NULL || u != NULL);
	if (c != NULL) {
		w = c;
	} else if (w != NULL && (u == NULL || rq->woken_run < WOKEN_RUN)) {
		rq->woken_run++;
		TAILQ_REMOVE(&rq->woken, w, run_link);
	} else if (u != NULL) {
		rq->woken_run = 0;
		TAILQ_REMOVE(&rq->used, u, run_link);
		w = u;
	} else {
		return rq->idle;
	}
	w->queued = w->listed = false;
	one_less_locked(rq);
	return w;
}

/* ---- several processors ---- */

/* Where t may run now; never nothing. */
static uint64_t
allowed_locked(const struct thread *t)
{
	uint64_t online = __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE);

	return (t->affinity & online) != 0 ? t->affinity & online : online;
}

/* Where somebody runs who has less, best where it was. */
static unsigned
choose_for_rt(const struct thread *t, uint64_t may)
{
	uint64_t todo = may;

	if ((may & cpu_bit(t->cpu)) != 0 &&
	    cpu_nth(t->cpu)->current->rt < t->rt)
		return t->cpu;
	for (; todo != 0; todo &= todo - 1)
		if (cpu_nth(__builtin_ctzl(todo))->current->rt < t->rt)
			return __builtin_ctzl(todo);
	return (may & cpu_bit(t->cpu)) != 0 ? t->cpu : __builtin_ctzl(may);
}

/* t, which is woken, may wait for a moment for who runs here. */
static bool
is_near(const struct thread *t)
{
	const struct thread *self = thread_self();

	return (t->near || self->near) && t->rt == 0 && self->rt <= 0 &&
	    !self->hogs &&
	    __atomic_load_n(&runq_self()->nqueued, __ATOMIC_RELAXED) == 0 &&
	    (allowed_locked(t) & cpu_bit(cpu_id())) != 0;
}

/* Where t goes: where it was if that idles or is as good as others. */
static unsigned
choose_locked(const struct thread *t)
{
	uint64_t may = allowed_locked(t), idle;
	uint64_t here = cpu_bit(t->cpu) & may;

	idle = __atomic_load_n(&idle_mask, __ATOMIC_RELAXED) & may;
	if (t->rt > 0 && idle == 0)
		return choose_for_rt(t, may);
	if ((idle & here) != 0 || (idle == 0 && here != 0))
		return t->cpu;
	return __builtin_ctzl(idle != 0 ? idle : may);
}

/*
 * Finds t, whose queue rq is locked, a queue and locks that instead; near: this
 * processor's.  NULL: nothing is locked, try again.
 */
static struct runq *
place_locked(struct runq *rq, struct thread *t, bool near)
{
	struct runq *to = near ? runq_self() : &runqs[choose_locked(t)];

	if (to == rq)
		return rq;
	if (!runq_trylock(to)) {
		if ((allowed_locked(t) & cpu_bit(t->cpu)) != 0)
			return rq; /* an idle one will come for it */
		runq_unlock(rq);
		cpu_serve();
		cpu_pause();
		return NULL;
	}
	__atomic_store_n(&t->cpu, cpu_of(to), __ATOMIC_RELAXED);
	runq_unlock(rq);
	return to;
}

/* t was put on rq: it goes before who runs there. */
static bool
preempt_locked(struct runq *rq, const struct thread *t)
{
	struct percpu *pc = cpu_nth(cpu_of(rq));

	if (t->rt <= pc->current->rt || pc->current == rq->idle)
		return false;
	pc->need_resched = 1;
	return true;
}

/*
 * A thread was put on rq, which is no longer locked; soon: it waits there
 * alone, so that the slice of who runs begins to count, or goes before that.
 */
static uint64_t
announce(struct runq *rq, uint64_t may, bool soon)
{
	unsigned cpu = cpu_of(rq);
	struct percpu *pc = cpu_nth(cpu);
	uint64_t idle, pokes = 0, bit = cpu_bit(cpu);

	if (cpu == cpu_id()) {
		if (pc->current == rq->idle)
			pc->need_resched = 1;
		timer_reprogram();
		if (pc->current == rq->idle)
			return 0;
	} else if ((__atomic_fetch_and(&idle_mask, ~bit, __ATOMIC_SEQ_CST) &
		       bit) != 0) {
		return bit;
	} else if (soon) {
		pokes = bit;
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	idle = __atomic_load_n(&idle_mask, __ATOMIC_RELAXED) & may & ~bit;
	return idle != 0 ? pokes | cpu_bit(__builtin_ctzl(idle)) : pokes;
}

/* The same of a near thread, on this processor: nobody else need know yet. */
static uint64_t
announce_near(struct runq *rq)
{
	struct percpu *pc = cpu_self();

	if (pc->current == rq->idle)
		pc->need_resched = 1;
	else if (rq->near_end_ns == 0)
		rq->near_end_ns = clock_mono_ns() + NEAR_NS;
	timer_reprogram();
	return 0;
}

void
sched_poke(uint64_t cpus)
{
	for (; cpus != 0; cpus &= cpus - 1)
		cpu_poke(__builtin_ctzl(cpus));
}

/* It waits longer than was thought: an idle processor is to come for it. */
static void
near_over(struct runq *rq)
{
	struct thread *t = thread_self();
	uint64_t idle;

	__atomic_store_n(&rq->near_end_ns, 0, __ATOMIC_RELAXED);
	t->hogs = t != rq->idle;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	idle = __atomic_load_n(&idle_mask, __ATOMIC_RELAXED);
	idle &= ~cpu_bit(cpu_of(rq));
	if (rq->nqueued > 0 && idle != 0)
		sched_poke(cpu_bit(__builtin_ctzl(idle)));
}

/* t, taken off its queue or its processor (queued stays), goes elsewhere. */
static void
send_away(struct thread *t)
{
	struct runq *rq;
	uint64_t may;
	bool soon;

	do
		rq = place_locked(runq_lock_of(t), t, false);
	while (rq == NULL);
	may = allowed_locked(t);
	soon = rq->nqueued == 0;
	enqueue_locked(rq, t, true);
	soon |= preempt_locked(rq, t);
	runq_unlock(rq);
	sched_poke(announce(rq, may, soon));
}

static struct thread *
stealable_locked(struct runq *from, uint64_t bit)
{
	struct thread *t;

	TAILQ_FOREACH (t, &from->rt, run_link)
		if ((allowed_locked(t) & bit) != 0)
			return t;
	TAILQ_FOREACH (t, &from->woken, run_link)
		if ((allowed_locked(t) & bit) != 0)
			return t;
	TAILQ_FOREACH (t, &from->used, run_link)
		if ((allowed_locked(t) & bit) != 0)
			return t;
	TAILQ_FOREACH (t, &from->low, run_link)
		if ((allowed_locked(t) & bit) != 0)
			return t;
	return NULL;
}

/* Takes one thread over from another queue.  Interrupts off. */
static bool
steal(struct runq *rq, struct runq *from)
{
	struct thread *t;

	runq_lock(MIN(rq, from));
	runq_lock(MAX(rq, from));
	t = stealable_locked(from, cpu_bit(cpu_of(rq)));
	if (t != NULL) {
		dequeue_locked(from, t);
		__atomic_store_n(&t->cpu, cpu_of(rq), __ATOMIC_RELAXED);
		enqueue_locked(rq, t, !t->used_slice);
	}
	runq_unlock(MAX(rq, from));
	runq_unlock(MIN(rq, from));
	return t != NULL;
}

/* Not only for the processor that is near. */
static bool
waits_for_any(const struct runq *rq)
{
	bool near = __atomic_load_n(&rq->near_end_ns, __ATOMIC_RELAXED) != 0;

	return __atomic_load_n(&rq->nqueued, __ATOMIC_RELAXED) > near;
}

static bool
steal_from_any(struct runq *rq)
{
	unsigned self = cpu_of(rq), i, cpu;

	for (i = 1; i < MAX_CPUS; i++) {
		cpu = (self + i) % MAX_CPUS;
		if (waits_for_any(&runqs[cpu]) && steal(rq, &runqs[cpu]))
			return true;
	}
	return false;
}

/* Nothing to run here: is there elsewhere?  Else the processor is idle. */
static bool
find_work(struct runq *rq)
{
	if (!cpu_several())
		return false;
	__atomic_fetch_or(&idle_mask, cpu_bit(cpu_of(rq)), __ATOMIC_SEQ_CST);
	return rq->nqueued > 0 || steal_from_any(rq);
}

void
sched_set_affinity(struct thread *t, uint64_t cpus)
{
	uint64_t state = irq_save();
	struct runq *rq;
	struct percpu *pc;
	bool moves = false;

	preempt_disable();
	rq = runq_lock_of(t);
	t->affinity = cpus;
	pc = cpu_nth(t->cpu);
	if ((allowed_locked(t) & cpu_bit(t->cpu)) == 0) {
		if (pc->current == t) {
			pc->need_resched = 1;
		} else if (t->listed) {
			dequeue_locked(rq, t);
			moves = true;
		}
	}
	runq_unlock(rq);
	if (moves)
		send_away(t);
	else
		sched_kick(t);
	irq_restore(state);
	preempt_enable();
}

void
sched_set_class(struct thread *t, int rt, bool round_robin)
{
	uint64_t state = irq_save();
	struct runq *rq;
	bool listed;

	preempt_disable();
	rq = runq_lock_of(t);
	listed = t->listed;
	if (listed)
		dequeue_locked(rq, t);
	t->rt = rt;
	t->round_robin = round_robin;
	if (listed) {
		enqueue_locked(rq, t, !t->used_slice);
		(void)preempt_locked(rq, t);
	} else if (cpu_nth(cpu_of(rq))->current == t && rq->nqueued > 0) {
		cpu_nth(cpu_of(rq))->need_resched = 1;
	}
	if (cpu_of(rq) != cpu_id() && cpu_nth(cpu_of(rq))->need_resched)
		cpu_poke(cpu_of(rq));
	runq_unlock(rq);
	irq_restore(state);
	preempt_enable();
}

/* ---- switching ---- */

void
sched_load_vmspace(struct vmspace *vm)
{
	struct percpu *pc = cpu_self();

	if (pc->vmspace == vm)
		return;
	vmspace_activate(vm);
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
		runq_unlock(rq);
		timer_reprogram();
		return;
	}
	thread_time_stops(prev, raw);
	__atomic_store_n(&next->switched_raw, raw, __ATOMIC_RELAXED);
	next->on_cpu = true;
	rq->switches++;
	rq->prev = prev;
	pc->current = next;
	if (prev == rq->idle && cpu_several())
		__atomic_fetch_and(&idle_mask, ~cpu_bit(pc->id),
		    __ATOMIC_SEQ_CST);
	cpu_set_kstack((uint64_t)next->kstack + KSTACK_SIZE);
	if (prev->user != NULL || next->user != NULL)
		segments_switch(prev, next);
	if (prev->debug != NULL || next->debug != NULL)
		debugreg_switch(next);
	if (next->vmspace != NULL)
		sched_load_vmspace(next->vmspace);
	if (next->user != NULL || fpu_is_stored)
		fpu_switch(prev, next);
	switch_context(&prev->ctx_sp, next->ctx_sp);
	sched_switched();
}

void
sched_switched(void)
{
	struct runq *rq = runq_self();
	struct thread *prev = rq->prev;
	bool dead = prev->state == THREAD_DEAD;
	bool leaves = prev == rq->leaving;

	__atomic_store_n(&prev->on_cpu, false, __ATOMIC_RELEASE);
	if (leaves)
		rq->leaving = NULL;
	runq_unlock(rq);
	if (leaves)
		send_away(prev);
	if (dead)
		thread_destroy(prev);
	timer_reprogram();
}

/* The caller goes to the end of its queue; yields: even with priority. */
static void
reschedule(bool used, bool yields)
{
	struct runq *rq = runq_self();
	struct thread *t = thread_self();

	runq_lock(rq);
	if (t == rq->idle) {
		switch_locked(rq);
		return;
	}
	t->at_head = !yields && !(used && t->round_robin);
	/* Or preempted between wait_prepare() and sched_sleep(). */
	if (t->state == THREAD_SLEEPING)
		used = false;
	else if (used)
		t->slice_end_ns = 0;
	if (cpu_several() && (allowed_locked(t) & cpu_bit(t->cpu)) == 0) {
		t->queued = true;
		rq->leaving = t;
	} else {
		enqueue_locked(rq, t, !used);
	}
	switch_locked(rq);
}

void
sched_yield(void)
{
	uint64_t state = irq_save();

	preempt_disable();
	if (runq_self()->nqueued > 0)
		reschedule(true, true);
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
	if (t->state == THREAD_SLEEPING) {
		t->hogs = false;
		switch_locked(rq);
	} else {
		runq_unlock(rq);
	}
	irq_restore(state);
	preempt_enable();
}

/* Other processors were not needed yet. */
static bool
others_wait(void)
{
	return __atomic_load_n(&smp_waits, __ATOMIC_RELAXED);
}

void
sched_preempt_user(void)
{
	struct thread *t = thread_self();

	if (others_wait()) { /* two want this processor */
		irq_enable();
		smp_start();
		irq_disable();
	}
	t->leaves_kernel = true;
	sched_preempt();
	t->leaves_kernel = false;
}

void
sched_preempt(void)
{
	struct thread *t = thread_self();

	preempt_disable();
	reschedule(t->slice_end_ns != 0 && clock_mono_ns() >= t->slice_end_ns,
	    false);
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

/* Does t sleep, on no queue and no processor?  Else it is told to go on. */
static bool
sleeps_locked(struct thread *t)
{
	if (t->state != THREAD_SLEEPING)
		return false;
	/* Still on its way to sleep: it will find itself runnable. */
	if (t->queued || t == cpu_nth(t->cpu)->current) {
		t->state = THREAD_RUNNABLE;
		return false;
	}
	return true;
}

static void
wake_locked(struct runq *rq, struct thread *t)
{
	t->state = THREAD_RUNNABLE;
	t->slice_end_ns = 0;
	t->at_head = false;
	t->woken_raw = t->run_raw;
	enqueue_locked(rq, t, true);
}

static void
wake_on_only(struct runq *rq, struct thread *t)
{
	bool wakes;

	runq_lock(rq);
	wakes = sleeps_locked(t);
	if (wakes) {
		wake_locked(rq, t);
		if (thread_self() == rq->idle || t->rt > thread_self()->rt)
			cpu_self()->need_resched = 1;
	}
	runq_unlock(rq);
	if (wakes)
		timer_reprogram();
}

static uint64_t
wake_on_any(struct thread *t)
{
	struct runq *rq;
	uint64_t may;
	bool soon, near;

	do {
		rq = runq_lock_of(t);
		if (!sleeps_locked(t)) {
			runq_unlock(rq);
			return 0;
		}
		may = allowed_locked(t);
		near = is_near(t);
		rq = place_locked(rq, t, near);
	} while (rq == NULL);
	soon = rq->nqueued == 0;
	wake_locked(rq, t);
	soon |= preempt_locked(rq, t);
	runq_unlock(rq);
	if (near && rq == runq_self())
		return announce_near(rq);
	return announce(rq, may, soon);
}

uint64_t
thread_wake_quietly(struct thread *t)
{
	if (cpu_several())
		return wake_on_any(t);
	wake_on_only(&runqs[0], t);
	return 0;
}

void
thread_wake(struct thread *t)
{
	uint64_t state = irq_save();

	preempt_disable();
	sched_poke(thread_wake_quietly(t));
	irq_restore(state);
	preempt_enable();
}

void
sched_kick(struct thread *t)
{
	uint64_t state;
	struct runq *rq;
	unsigned cpu;
	bool runs;

	if (!cpu_several())
		return; /* its flags are looked at on every way out */
	state = irq_save();
	preempt_disable();
	rq = runq_lock_of(t);
	cpu = t->cpu;
	runs = cpu_nth(cpu)->current == t;
	runq_unlock(rq);
	if (runs && cpu != cpu_id())
		cpu_poke(cpu);
	irq_restore(state);
	preempt_enable();
}

int64_t
sched_slice_end_ns(void)
{
	struct thread *t = thread_self();
	struct runq *rq = runq_self();

	/*
	 * A switch that is due happens as soon as preemption is on again.  An
	 * interrupt for a slice that has ended would only come again and again
	 * until then, so fast that nothing else goes on.
	 */
	if (rq->nqueued == 0 || t == rq->idle || cpu_self()->need_resched)
		return INT64_MAX;
	if (t->slice_end_ns == 0)
		t->slice_end_ns = clock_mono_ns() + slice_of(t);
	return rq->near_end_ns == 0 ? t->slice_end_ns :
				      MIN(rq->near_end_ns, t->slice_end_ns);
}

void
sched_tick(uint64_t now_ns)
{
	struct thread *t = thread_self();
	struct runq *rq = runq_self();

	if (t->user != NULL)
		thread_sample(t, cpu_self()->irq_in_program);
	if (rq->near_end_ns != 0 && (int64_t)now_ns >= rq->near_end_ns)
		near_over(rq);
	if (rq->nqueued > 0 && t->slice_end_ns != 0 &&
	    (int64_t)now_ns >= t->slice_end_ns)
		cpu_self()->need_resched = 1;
}

void
thread_exit(void)
{
	struct thread *t = thread_self();

	irq_disable();
	preempt_disable();
	if (cpu_self()->fpu_owner == t) {
		cpu_self()->fpu_owner = NULL;
		cpu_self()->fpu_unsaved = false;
	}
	runq_lock(runq_self());
	t->state = THREAD_DEAD;
	switch_locked(runq_self());
	panic("a dead thread runs");
}

uint64_t
sched_idle_ns(unsigned cpu)
{
	return runqs[cpu].idle != NULL ? thread_run_ns(runqs[cpu].idle) : 0;
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

	for (i = 0; i < MAX_CPUS; i++) {
		if (runqs[i].idle == NULL)
			continue;
		n += runqs[i].nqueued;
		n += cpu_nth(i)->current != runqs[i].idle;
	}
	return n;
}

static void
idle_prepare(struct runq *rq, struct thread *t, void *stack)
{
	TAILQ_INIT(&rq->woken);
	TAILQ_INIT(&rq->used);
	TAILQ_INIT(&rq->rt);
	TAILQ_INIT(&rq->low);
	strlcpy(t->name, "idle", sizeof(t->name));
	t->kstack = stack;
	t->state = THREAD_RUNNABLE;
	t->on_cpu = true;
	t->cpu = cpu_of(rq);
	t->fpu_cpu = UINT32_MAX;
	t->affinity = cpu_bit(t->cpu);
	t->switched_raw = clock_raw();
	rq->idle = t;
}

int
sched_init(void)
{
	idle_prepare(&runqs[0], &boot_idle, boot_stack);
	cpu_self()->current = &boot_idle;
	cpu_set_kstack((uint64_t)boot_stack_top);
	return 0;
}

uint64_t
sched_add_cpu(struct percpu *pc)
{
	struct thread *t = runqs[pc->id].idle;
	void *stack;

	if (t == NULL) {
		t = kzalloc(sizeof(*t));
		stack = t != NULL ? kstack_alloc() : NULL;
		if (stack == NULL) {
			kfree(t);
			return 0;
		}
		idle_prepare(&runqs[pc->id], t, stack);
		pc->current = t;
	}
	return (uint64_t)t->kstack + KSTACK_SIZE;
}

void
sched_begin_other(void)
{
	struct thread *t = thread_self();

	t->switched_raw = clock_raw();
	cpu_set_kstack((uint64_t)t->kstack + KSTACK_SIZE);
}

void
sched_idle(void)
{
	struct runq *rq = runq_self();

	irq_disable();
	cpu_self()->preempt_count = 0;
	for (;;) {
		irq_disable();
		if (cpu_self()->need_resched || rq->nqueued > 0 ||
		    find_work(rq)) {
			sched_preempt();
		} else if (others_wait()) {
			smp_idle();
		} else {
			__asm__ volatile("sti; hlt" ::: "memory");
		}
	}
}
