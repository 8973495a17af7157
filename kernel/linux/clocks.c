/* SPDX-License-Identifier: ISC */
/*
 * clocks.c - clockid_t, processor-time clocks, and timers on all of them.
 * clock_getres(2), timer_create(2).
 */
#include "linux/clocks.h"
#include "kern/clock.h"
#include "kern/thread.h"
#include "linux/process.h"
#include "linux/timespec.h"
#include <linux/errno.h>

/* Processor-time clocks of others: ~id << 3 | kind (timer_create(2)). */
#define CPUCLOCK_PER_THREAD 4
#define CPUCLOCK_WHICH      3
#define CPUCLOCK_PROF       0
#define CPUCLOCK_VIRT       1
#define CPUCLOCK_SCHED      2

/* Asking a processor-time clock more often finds nothing new. */
#define CPU_TIMER_STEP_NS 1000000

static struct spinlock real_lock = SPINLOCK_INIT;
static TAILQ_HEAD(, xtimer) real_timers = TAILQ_HEAD_INITIALIZER(real_timers);

static int
lookup_dynamic(int clockid, struct clock_ref *out)
{
	bool task = (clockid & CPUCLOCK_PER_THREAD) != 0;
	int64_t ns;

	out->id = ~(clockid >> 3);
	if (!task && out->id == process_self()->pid)
		out->id = 0;
	switch (clockid & CPUCLOCK_WHICH) {
	case CPUCLOCK_PROF:
	case CPUCLOCK_SCHED:
		out->kind = task ? CLOCK_KIND_TASK : CLOCK_KIND_PROCESS;
		break;
	case CPUCLOCK_VIRT:
		out->kind = task ? CLOCK_KIND_TASK_USER :
				   CLOCK_KIND_PROCESS_USER;
		break;
	default: /* a clock behind a descriptor: there are none */
		return -EINVAL;
	}
	return clock_read(out, &ns);
}

int
clock_lookup(int clockid, struct clock_ref *out)
{
	out->id = 0;
	out->coarse = false;
	switch (clockid) {
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE: out->coarse = true; break;
	default: break;
	}
	switch (clockid) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI: out->kind = CLOCK_KIND_REAL; return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM: out->kind = CLOCK_KIND_MONO; return 0;
	case CLOCK_PROCESS_CPUTIME_ID: out->kind = CLOCK_KIND_PROCESS; return 0;
	case CLOCK_THREAD_CPUTIME_ID: out->kind = CLOCK_KIND_TASK; return 0;
	default: return clockid < 0 ? lookup_dynamic(clockid, out) : -EINVAL;
	}
}

void
task_times(const struct task *t, uint64_t *run_ns, uint64_t *user_ns)
{
	thread_times(t->thread, run_ns, user_ns);
}

static int
read_task(const struct clock_ref *c, uint64_t *run_ns, uint64_t *user_ns)
{
	uint64_t irq;
	struct task *t;

	if (c->id == 0) {
		task_times(task_self(), run_ns, user_ns);
		return 0;
	}
	irq = spin_lock_irq(&process_list_lock);
	t = task_find_locked(c->id);
	if (t != NULL && t->process == process_self())
		task_times(t, run_ns, user_ns);
	else
		t = NULL;
	spin_unlock_irq(&process_list_lock, irq);
	return t == NULL ? -EINVAL : 0;
}

static int
read_process(const struct clock_ref *c, uint64_t *run_ns, uint64_t *user_ns)
{
	uint64_t irq;
	struct process *p;

	if (c->id == 0) {
		process_times(process_self(), run_ns, user_ns);
		return 0;
	}
	irq = spin_lock_irq(&process_list_lock);
	p = process_find_locked(c->id);
	if (p != NULL)
		process_times(p, run_ns, user_ns);
	spin_unlock_irq(&process_list_lock, irq);
	return p == NULL ? -EINVAL : 0;
}

int
clock_read(const struct clock_ref *c, int64_t *ns)
{
	uint64_t run_ns, user_ns;
	int error;

	switch (c->kind) {
	case CLOCK_KIND_MONO: *ns = clock_mono_ns(); return 0;
	case CLOCK_KIND_REAL: *ns = clock_real_ns(); return 0;
	case CLOCK_KIND_TASK:
	case CLOCK_KIND_TASK_USER:
		error = read_task(c, &run_ns, &user_ns);
		break;
	default: error = read_process(c, &run_ns, &user_ns); break;
	}
	if (error != 0)
		return error;
	*ns = c->kind == CLOCK_KIND_TASK || c->kind == CLOCK_KIND_PROCESS ?
	    run_ns :
	    user_ns;
	return 0;
}

/* ---- timers ---- */

static bool
on_cpu_time(const struct xtimer *x)
{
	return x->clock.kind != CLOCK_KIND_MONO &&
	    x->clock.kind != CLOCK_KIND_REAL;
}

static bool
is_of_task(const struct xtimer *x)
{
	return x->clock.kind == CLOCK_KIND_TASK ||
	    x->clock.kind == CLOCK_KIND_TASK_USER;
}

static int
times_of_task_locked(int32_t tid, uint64_t *run_ns, uint64_t *user_ns)
{
	struct task *t = task_find_locked(tid);

	if (t == NULL)
		return -ESRCH;
	task_times(t, run_ns, user_ns);
	return 0;
}

static int
times_of_process_locked(struct xtimer *x, uint64_t *run_ns, uint64_t *user_ns)
{
	struct process *p = process_find_locked(x->clock.id);

	if (p == NULL)
		return -ESRCH;
	process_times(p, run_ns, user_ns);
	x->spenders = p->ntasks;
	return 0;
}

/* Also from an interrupt; -ESRCH: whose clock it is has ended. */
static int
owner_times(struct xtimer *x, uint64_t *run_ns, uint64_t *user_ns)
{
	uint64_t irq;
	int error;

	if (x->clock.id == 0) {
		process_times(x->process, run_ns, user_ns);
		x->spenders = x->process->ntasks;
		return 0;
	}
	x->spenders = 1;
	irq = spin_lock_irq(&process_list_lock);
	if (x->owner == 0 || id_serial_locked(x->clock.id) != x->owner)
		error = -ESRCH; /* the number may be another's by now */
	else if (is_of_task(x))
		error = times_of_task_locked(x->clock.id, run_ns, user_ns);
	else
		error = times_of_process_locked(x, run_ns, user_ns);
	spin_unlock_irq(&process_list_lock, irq);
	return error;
}

/* What its clock shows, also from an interrupt; -ESRCH: it has ended. */
static int
xtimer_now(struct xtimer *x, int64_t *now)
{
	uint64_t run_ns, user_ns;
	int error;

	if (!on_cpu_time(x))
		return clock_read(&x->clock, now);
	error = owner_times(x, &run_ns, &user_ns);
	if (error != 0)
		return error;
	*now = x->clock.kind == CLOCK_KIND_PROCESS_USER ||
		x->clock.kind == CLOCK_KIND_TASK_USER ?
	    user_ns :
	    run_ns;
	return 0;
}

/*
 * The moment of the monotonic clock at which to look, when its own shows `now`.
 * A process's tasks may use up its time together.
 */
static int64_t
look_at(const struct xtimer *x, int64_t now)
{
	int64_t left = x->deadline_ns - now;

	if (x->clock.kind == CLOCK_KIND_MONO)
		return x->deadline_ns;
	if (on_cpu_time(x)) {
		left /= MAX(x->spenders, 1u);
		left = MAX(left, CPU_TIMER_STEP_NS);
	}
	return ns_add(clock_mono_ns(), MAX(left, 0));
}

static void
expired(void *arg)
{
	struct xtimer *x = arg;
	uint64_t irq = spin_lock_irq(&x->lock);
	int64_t now;
	bool due;

	/* What has ended never gets there: it is not looked at again. */
	if (x->state != XTIMER_ARMED || xtimer_now(x, &now) != 0) {
		spin_unlock_irq(&x->lock, irq);
		return;
	}
	due = x->clock.kind == CLOCK_KIND_MONO || now >= x->deadline_ns;
	if (due)
		x->state = XTIMER_FIRED;
	else
		timer_arm(&x->timer, look_at(x, now));
	spin_unlock_irq(&x->lock, irq);
	if (due)
		x->fire(x);
}

/* By a number that is never used again, as its own may be. */
static void
remember_owner(struct xtimer *x)
{
	uint64_t irq;

	if (is_of_task(x) && x->clock.id == 0)
		x->clock.id = task_self()->tid;
	irq = spin_lock_irq(&process_list_lock);
	x->owner = x->clock.id == 0 ? 0 : id_serial_locked(x->clock.id);
	spin_unlock_irq(&process_list_lock, irq);
}

void
xtimer_init(struct xtimer *x, const struct clock_ref *clock,
    struct process *process, void (*fire)(struct xtimer *x))
{
	uint64_t irq;

	timer_setup(&x->timer, expired, x);
	spin_init(&x->lock);
	x->clock = *clock;
	x->process = process;
	x->state = XTIMER_IDLE;
	x->deadline_ns = x->interval_ns = 0;
	x->absolute = false;
	x->fire = fire;
	x->clock_set = NULL;
	x->spenders = 1;
	if (on_cpu_time(x))
		remember_owner(x);
	if (clock->kind != CLOCK_KIND_REAL)
		return;
	irq = spin_lock_irq(&real_lock);
	TAILQ_INSERT_TAIL(&real_timers, x, link);
	spin_unlock_irq(&real_lock, irq);
}

static void
disarm(struct xtimer *x)
{
	uint64_t irq = spin_lock_irq(&x->lock);

	x->state = XTIMER_IDLE;
	spin_unlock_irq(&x->lock, irq);
	timer_cancel(&x->timer);
}

void
xtimer_fini(struct xtimer *x)
{
	uint64_t irq;

	if (x->clock.kind == CLOCK_KIND_REAL) {
		irq = spin_lock_irq(&real_lock);
		TAILQ_REMOVE(&real_timers, x, link);
		spin_unlock_irq(&real_lock, irq);
	}
	disarm(x);
}

int
xtimer_set(struct xtimer *x, int64_t value_ns, bool absolute,
    int64_t interval_ns)
{
	int64_t now = 0;
	uint64_t irq;
	int error;

	disarm(x);
	irq = spin_lock_irq(&x->lock);
	x->interval_ns = interval_ns;
	x->absolute = absolute;
	error = xtimer_now(x, &now);
	if (value_ns != 0 && error == 0) {
		x->deadline_ns = absolute ? value_ns : ns_add(now, value_ns);
		x->state = XTIMER_ARMED;
		timer_arm(&x->timer, look_at(x, now));
	}
	spin_unlock_irq(&x->lock, irq);
	return error;
}

/* The moment of the next expiry after `now`. */
static int64_t
next_deadline(const struct xtimer *x, int64_t now)
{
	int64_t passed = now - x->deadline_ns;

	if (passed < 0 || x->interval_ns == 0)
		return x->deadline_ns;
	return ns_add(x->deadline_ns,
	    (passed / x->interval_ns + 1) * x->interval_ns);
}

void
xtimer_get(struct xtimer *x, int64_t *left_ns, int64_t *interval_ns)
{
	uint64_t irq = spin_lock_irq(&x->lock);
	int64_t now;

	*interval_ns = x->interval_ns;
	*left_ns = 0;
	if ((x->state == XTIMER_ARMED ||
		(x->state == XTIMER_FIRED && x->interval_ns != 0)) &&
	    xtimer_now(x, &now) == 0) {
		*left_ns = next_deadline(x, now) - now;
		if (*left_ns <= 0) /* due, but not yet fired: not disarmed */
			*left_ns = 1;
	}
	spin_unlock_irq(&x->lock, irq);
}

uint64_t
xtimer_forward(struct xtimer *x)
{
	uint64_t irq = spin_lock_irq(&x->lock), count = 1;
	int64_t now;

	if (x->state != XTIMER_FIRED) {
		spin_unlock_irq(&x->lock, irq);
		return 0;
	}
	x->state = XTIMER_IDLE;
	if (x->interval_ns != 0 && xtimer_now(x, &now) == 0) {
		if (now > x->deadline_ns)
			count += (now - x->deadline_ns) / x->interval_ns;
		x->deadline_ns = next_deadline(x, now);
		x->state = XTIMER_ARMED;
		timer_arm(&x->timer, look_at(x, now));
	}
	spin_unlock_irq(&x->lock, irq);
	return count;
}

/*
 * A relative timer on the wall clock keeps its distance, which is how Linux
 * has it; an absolute one is looked at again.
 */
static void
clock_jumped(struct xtimer *x, int64_t by_ns)
{
	uint64_t irq = spin_lock_irq(&x->lock);

	if (!x->absolute && x->state != XTIMER_IDLE)
		x->deadline_ns += by_ns;
	if (x->state == XTIMER_ARMED)
		timer_arm(&x->timer, look_at(x, clock_real_ns()));
	spin_unlock_irq(&x->lock, irq);
	if (x->clock_set != NULL)
		x->clock_set(x);
}

void
clocks_set_real(int64_t ns)
{
	uint64_t irq = spin_lock_irq(&real_lock);
	int64_t before = clock_real_offset_ns();
	struct xtimer *x;

	clock_set_real_ns(ns);
	TAILQ_FOREACH (x, &real_timers, link)
		clock_jumped(x, clock_real_offset_ns() - before);
	spin_unlock_irq(&real_lock, irq);
}
