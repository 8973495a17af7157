/* SPDX-License-Identifier: ISC */
/*
 * itimer.c - setitimer(2), alarm(2) and timer_create(2).
 *
 * A timer that has sent its signal is not armed again before the signal is
 * taken (signal.c calls posix_timer_signal_taken()); what it missed meanwhile
 * is its overrun.  So a short interval cannot flood the machine.
 *
 * Locking: the list of a process's timers is under itimers->lock, a sleep
 * lock; a xtimer has its own for what its interrupt touches.
 */
#include "linux/itimer.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/clocks.h"
#include "linux/process.h"
#include "linux/timespec.h"
#include <linux/errno.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/timex.h>

#define NITIMERS 3 /* ITIMER_REAL, _VIRTUAL, _PROF */

struct itimers;

struct itimer {
	struct xtimer x;
	int signo;
};

struct posix_timer {
	struct xtimer x;
	TAILQ_ENTRY(posix_timer) link;
	struct process *process;
	int id;
	int notify; /* SIGEV_* */
	int signo;
	int32_t tid; /* SIGEV_THREAD_ID */
	union sigval_word {
		int number;
		void *pointer;
	} value;
	int64_t overrun; /* of the signal that was taken last */
};

struct itimers {
	struct mutex lock;
	struct itimer it[NITIMERS];
	TAILQ_HEAD(, posix_timer) posix; /* under lock */
	unsigned nposix;
	int next_id;
};

static const int itimer_signals[NITIMERS] = { SIGALRM, SIGVTALRM, SIGPROF };
static const enum clock_kind itimer_clocks[NITIMERS] = { CLOCK_KIND_MONO,
	CLOCK_KIND_PROCESS_USER, CLOCK_KIND_PROCESS };

/* In the timer's interrupt. */
static void
itimer_fire(struct xtimer *x)
{
	struct itimer *it = container_of(x, struct itimer, x);

	signal_send_process(x->process, it->signo);
}

/* The caller's, made at need; NULL: no memory. */
static struct itimers *
itimers_get(void)
{
	struct process *p = process_self();
	struct itimers *its = p->itimers, *none = NULL;
	struct clock_ref clock = { 0 };
	unsigned i;

	if (its != NULL)
		return its;
	its = kzalloc(sizeof(*its));
	if (its == NULL)
		return NULL;
	mutex_init(&its->lock);
	TAILQ_INIT(&its->posix);
	for (i = 0; i < NITIMERS; i++) {
		clock.kind = itimer_clocks[i];
		its->it[i].signo = itimer_signals[i];
		xtimer_init(&its->it[i].x, &clock, p, itimer_fire);
	}
	if (__atomic_compare_exchange_n(&p->itimers, &none, its, false,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return its;
	kfree(its); /* another task was faster */
	return none;
}

static void
posix_timer_free(struct posix_timer *pt)
{
	xtimer_fini(&pt->x);
	kfree(pt);
}

static void
posix_timers_delete(struct itimers *its)
{
	struct posix_timer *pt;

	mutex_lock(&its->lock);
	while ((pt = TAILQ_FIRST(&its->posix)) != NULL) {
		TAILQ_REMOVE(&its->posix, pt, link);
		its->nposix--;
		posix_timer_free(pt);
	}
	mutex_unlock(&its->lock);
}

void
itimers_destroy(struct itimers *its)
{
	unsigned i;

	posix_timers_delete(its);
	for (i = 0; i < NITIMERS; i++)
		xtimer_fini(&its->it[i].x);
	kfree(its);
}

void
itimers_exec(struct process *p)
{
	if (p->itimers != NULL)
		posix_timers_delete(p->itimers);
}

/* ---- setitimer ---- */

static int
copyin_itimerval(uaddr_t src, int64_t *value_ns, int64_t *interval_ns)
{
	int error = copyin_timeval(src +
		offsetof(struct __kernel_old_itimerval, it_value),
	    value_ns);

	if (error == 0)
		error = copyin_timeval(src, interval_ns);
	return error;
}

static int
copyout_itimerval(uaddr_t dst, int64_t value_ns, int64_t interval_ns)
{
	/* Less than a microsecond left is not "disarmed". */
	if (value_ns > 0 && value_ns < 1000)
		value_ns = 1000;
	if (copyout_timeval(dst +
		    offsetof(struct __kernel_old_itimerval, it_value),
		value_ns) != 0 ||
	    copyout_timeval(dst, interval_ns) != 0)
		return -EFAULT;
	return 0;
}

static void
itimer_swap(struct itimers *its, int which, int64_t value_ns,
    int64_t interval_ns, int64_t *old_ns, int64_t *old_interval_ns)
{
	struct xtimer *x = &its->it[which].x;

	mutex_lock(&its->lock);
	xtimer_get(x, old_ns, old_interval_ns);
	xtimer_set(x, value_ns, false, interval_ns);
	mutex_unlock(&its->lock);
}

long
sys_setitimer(int which, uaddr_t value, uaddr_t old)
{
	int64_t ns = 0, interval_ns = 0, old_ns, old_interval_ns;
	struct itimers *its;
	int error;

	if (value != 0) { /* NULL disarms, as it always did on Linux */
		error = copyin_itimerval(value, &ns, &interval_ns);
		if (error != 0)
			return error;
	}
	if (which < 0 || which >= NITIMERS)
		return -EINVAL;
	its = itimers_get();
	if (its == NULL)
		return -ENOMEM;
	itimer_swap(its, which, ns, interval_ns, &old_ns, &old_interval_ns);
	if (old != 0)
		return copyout_itimerval(old, old_ns, old_interval_ns);
	return 0;
}

long
sys_getitimer(int which, uaddr_t value)
{
	int64_t ns = 0, interval_ns = 0;
	struct itimers *its = process_self()->itimers;

	if (which < 0 || which >= NITIMERS)
		return -EINVAL;
	if (its != NULL)
		xtimer_get(&its->it[which].x, &ns, &interval_ns);
	return copyout_itimerval(value, ns, interval_ns);
}

long
sys_alarm(unsigned seconds)
{
	struct itimers *its = itimers_get();
	int64_t old_ns, interval_ns;

	if (its == NULL)
		return -ENOMEM;
	itimer_swap(its, ITIMER_REAL, seconds * NSEC_PER_SEC, 0, &old_ns,
	    &interval_ns);
	if (old_ns == 0)
		return 0;
	/* To the nearest second, but never to "none". */
	return MAX((old_ns + NSEC_PER_SEC / 2) / NSEC_PER_SEC, 1);
}

/* ---- timer_create ---- */

static struct posix_timer *
posix_timer_find_locked(struct itimers *its, int id)
{
	struct posix_timer *pt;

	TAILQ_FOREACH (pt, &its->posix, link)
		if (pt->id == id)
			return pt;
	return NULL;
}

/* In the timer's interrupt. */
static void
posix_timer_fire(struct xtimer *x)
{
	struct posix_timer *pt = container_of(x, struct posix_timer, x);
	siginfo_t info;
	struct task *t;

	if (pt->notify == SIGEV_NONE)
		return;
	memset(&info, 0, sizeof(info));
	info.si_signo = pt->signo;
	info.si_code = SI_TIMER;
	info.si_tid = pt->id;
	info.si_ptr = pt->value.pointer;
	if ((pt->notify & SIGEV_THREAD_ID) == 0) {
		signal_post_process(pt->process, &info);
		return;
	}
	spin_lock(&process_list_lock);
	t = task_find_locked(pt->tid);
	if (t != NULL && t->process == pt->process)
		signal_post_task(t, &info);
	spin_unlock(&process_list_lock);
}

static void
taken_from_posix_timer(struct itimers *its, siginfo_t *info)
{
	struct posix_timer *pt;
	uint64_t count;

	mutex_lock(&its->lock);
	pt = posix_timer_find_locked(its, info->si_tid);
	if (pt != NULL) {
		count = xtimer_forward(&pt->x);
		pt->overrun = count > 0 ? MIN(count - 1, INT32_MAX) : 0;
		info->si_overrun = pt->overrun;
	}
	mutex_unlock(&its->lock);
}

void
posix_timer_signal_taken(siginfo_t *info)
{
	struct itimers *its = process_self()->itimers;
	unsigned i;

	if (its == NULL)
		return;
	if (info->si_code == SI_TIMER) {
		taken_from_posix_timer(its, info);
		return;
	}
	for (i = 0; i < NITIMERS; i++)
		if (info->si_signo == itimer_signals[i])
			xtimer_forward(&its->it[i].x);
}

/* The part of struct sigevent that the kernel reads. */
static int
read_event(uaddr_t event, struct posix_timer *pt)
{
	struct sigevent ev;
	struct task *t;
	uint64_t irq;

	if (event == 0) {
		pt->notify = SIGEV_SIGNAL;
		pt->signo = SIGALRM;
		pt->value.number = -1; /* becomes the id */
		return 0;
	}
	if (copyin(&ev, event, sizeof(ev)) != 0)
		return -EFAULT;
	pt->notify = ev.sigev_notify;
	pt->signo = ev.sigev_signo;
	pt->value.pointer = ev.sigev_value.sival_ptr;
	switch (ev.sigev_notify) {
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		pt->tid = ev.sigev_notify_thread_id;
		irq = spin_lock_irq(&process_list_lock);
		t = task_find_locked(pt->tid);
		spin_unlock_irq(&process_list_lock, irq);
		if (t == NULL || t->process != process_self())
			return -EINVAL;
		/* fall through */
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		if (pt->signo < 1 || pt->signo > SIGNAL_MAX)
			return -EINVAL;
		return 0;
	case SIGEV_NONE: return 0;
	default: return -EINVAL;
	}
}

static int
posix_timer_add(struct itimers *its, struct posix_timer *pt)
{
	int error = -EAGAIN;

	mutex_lock(&its->lock);
	if (its->nposix < process_self()->rlimits[RLIMIT_SIGPENDING].rlim_cur) {
		while (posix_timer_find_locked(its, its->next_id) != NULL)
			its->next_id = (its->next_id + 1) & INT32_MAX;
		pt->id = its->next_id;
		its->next_id = (its->next_id + 1) & INT32_MAX;
		TAILQ_INSERT_TAIL(&its->posix, pt, link);
		its->nposix++;
		error = 0;
	}
	mutex_unlock(&its->lock);
	return error;
}

long
sys_timer_create(int clockid, uaddr_t event, uaddr_t uid)
{
	struct itimers *its = itimers_get();
	struct posix_timer *pt;
	struct clock_ref clock;
	int error;

	error = clock_lookup(clockid, &clock);
	if (error != 0)
		return error;
	if (clock.coarse || clockid == CLOCK_MONOTONIC_RAW)
		return -EOPNOTSUPP;
	pt = kzalloc(sizeof(*pt));
	if (pt == NULL || its == NULL) {
		kfree(pt);
		return -ENOMEM;
	}
	pt->process = process_self();
	error = read_event(event, pt);
	if (error == 0) {
		xtimer_init(&pt->x, &clock, pt->process, posix_timer_fire);
		error = posix_timer_add(its, pt);
		if (error != 0)
			xtimer_fini(&pt->x);
	}
	if (error != 0) {
		kfree(pt);
		return error;
	}
	if (event == 0)
		pt->value.number = pt->id;
	if (copyout(uid, &pt->id, sizeof(pt->id)) != 0) {
		sys_timer_delete(pt->id);
		return -EFAULT;
	}
	return 0;
}

/* The caller's timer with the list locked; NULL (unlocked): no such. */
static struct posix_timer *
posix_timer_get(int id)
{
	struct itimers *its = process_self()->itimers;
	struct posix_timer *pt;

	if (its == NULL)
		return NULL;
	mutex_lock(&its->lock);
	pt = posix_timer_find_locked(its, id);
	if (pt == NULL)
		mutex_unlock(&its->lock);
	return pt;
}

static void
posix_timer_put(void)
{
	mutex_unlock(&process_self()->itimers->lock);
}

static int
copyout_itimerspec(uaddr_t dst, int64_t value_ns, int64_t interval_ns)
{
	if (copyout_timespec(dst +
		    offsetof(struct __kernel_itimerspec, it_value),
		value_ns) != 0 ||
	    copyout_timespec(dst, interval_ns) != 0)
		return -EFAULT;
	return 0;
}

long
sys_timer_settime(int id, int flags, uaddr_t value, uaddr_t old)
{
	int64_t ns, interval_ns, old_ns, old_interval_ns;
	struct posix_timer *pt;
	int error;

	if (value == 0)
		return -EINVAL;
	error = copyin_timespec(value +
		offsetof(struct __kernel_itimerspec, it_value),
	    &ns);
	if (error == 0)
		error = copyin_timespec(value, &interval_ns);
	if (error != 0)
		return error;
	pt = posix_timer_get(id);
	if (pt == NULL)
		return -EINVAL;
	xtimer_get(&pt->x, &old_ns, &old_interval_ns);
	error = xtimer_set(&pt->x, ns, (flags & TIMER_ABSTIME) != 0,
	    interval_ns);
	pt->overrun = 0;
	posix_timer_put();
	if (error == 0 && old != 0)
		return copyout_itimerspec(old, old_ns, old_interval_ns);
	return error;
}

long
sys_timer_gettime(int id, uaddr_t value)
{
	struct posix_timer *pt = posix_timer_get(id);
	int64_t ns, interval_ns;

	if (pt == NULL)
		return -EINVAL;
	xtimer_get(&pt->x, &ns, &interval_ns);
	posix_timer_put();
	return copyout_itimerspec(value, ns, interval_ns);
}

long
sys_timer_getoverrun(int id)
{
	struct posix_timer *pt = posix_timer_get(id);
	long overrun;

	if (pt == NULL)
		return -EINVAL;
	overrun = pt->overrun;
	posix_timer_put();
	return overrun;
}

long
sys_timer_delete(int id)
{
	struct itimers *its = process_self()->itimers;
	struct posix_timer *pt = posix_timer_get(id);

	if (pt == NULL)
		return -EINVAL;
	TAILQ_REMOVE(&its->posix, pt, link);
	its->nposix--;
	posix_timer_put();
	posix_timer_free(pt);
	return 0;
}
