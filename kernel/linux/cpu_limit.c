/* SPDX-License-Identifier: ISC */
/*
 * cpu_limit.c - RLIMIT_CPU, RLIMIT_RTTIME.  setrlimit(2): SIGXCPU when the soft
 * limit is used up and each second after it, SIGKILL at the hard one.
 *
 * The second is for tasks of the real-time classes, and what each used since it
 * last slept.  A timer looks when the first of them could have reached it.
 */
#include "linux/cpu_limit.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "linux/clocks.h"
#include "linux/process.h"
#include "linux/signal.h"
#include <linux/sched.h>
#include <linux/errno.h>

struct cpu_limit {
	struct xtimer x;
};

/* In the timer's interrupt. */
static void
fire(struct xtimer *x)
{
	struct process *p = x->process;
	uint64_t hard = p->rlimits[RLIMIT_CPU].rlim_max, run_ns, user_ns;

	process_times(p, &run_ns, &user_ns);
	if (hard != RLIM64_INFINITY && run_ns / NSEC_PER_SEC >= hard)
		signal_send_process(p, SIGKILL);
	else
		signal_send_process(p, SIGXCPU);
	(void)xtimer_forward(x);
}

int
cpu_limit_watch(struct process *p)
{
	uint64_t soft = p->rlimits[RLIMIT_CPU].rlim_cur;
	struct clock_ref clock = { .kind = CLOCK_KIND_PROCESS };

	if (soft == RLIM64_INFINITY && p->cpu_limit == NULL)
		return 0;
	if (p->cpu_limit == NULL) {
		p->cpu_limit = kzalloc(sizeof(*p->cpu_limit));
		if (p->cpu_limit == NULL)
			return -ENOMEM;
		xtimer_init(&p->cpu_limit->x, &clock, p, fire);
	}
	if (soft > INT64_MAX / NSEC_PER_SEC)
		xtimer_set(&p->cpu_limit->x, 0, false, 0);
	else
		xtimer_set(&p->cpu_limit->x,
		    (int64_t)MAX(soft, 1ul) * NSEC_PER_SEC, true, NSEC_PER_SEC);
	return 0;
}

/* ---- RLIMIT_RTTIME, in microseconds ---- */

#define RT_LOOK_MIN_NS 1000000
#define RT_STEP_US     1000000

/* The most that any real-time task used since it slept; false: there is none. */
static bool
longest_awake(struct process *p, uint64_t *used_ns)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	bool any = false;
	struct task *t;

	*used_ns = 0;
	TAILQ_FOREACH (t, &p->tasks, link) {
		if (t->policy != SCHED_FIFO && t->policy != SCHED_RR)
			continue;
		any = true;
		*used_ns = MAX(*used_ns, thread_awake_ns(t->thread));
	}
	spin_unlock_irq(&p->signals->lock, irq);
	return any;
}

/* False: so late is never. */
static bool
next_look(uint64_t limit_us, uint64_t used_ns, int64_t *at_ns)
{
	uint64_t limit_ns, left = RT_LOOK_MIN_NS;

	if (limit_us > INT64_MAX / NSEC_PER_SEC)
		return false;
	limit_ns = limit_us * 1000;
	if (limit_ns > used_ns)
		left = MAX(limit_ns - used_ns, left);
	*at_ns = clock_mono_ns() + (int64_t)left;
	return true;
}

/*
 * In the timer's interrupt.  Who arms the timer waits for the end of this: it
 * is left to him, as he may have the lock while he waits.
 */
static void
look_again(struct process *p, uint64_t limit_us, uint64_t used_ns)
{
	uint64_t irq;
	int64_t at_ns;

	if (!next_look(limit_us, used_ns, &at_ns) ||
	    !spin_trylock_irq(&p->rt_lock, &irq))
		return;
	timer_arm(&p->rt_look, at_ns);
	spin_unlock_irq(&p->rt_lock, irq);
}

/* In the timer's interrupt. */
static void
rt_look(void *arg)
{
	struct process *p = arg;
	struct rlimit64 *l = &p->rlimits[RLIMIT_RTTIME];
	uint64_t used_ns, soft = l->rlim_cur;

	if (soft == RLIM64_INFINITY || !longest_awake(p, &used_ns))
		return;
	if (l->rlim_max != RLIM64_INFINITY && used_ns / 1000 >= l->rlim_max) {
		signal_send_process(p, SIGKILL);
		return;
	}
	if (used_ns / 1000 >= soft) {
		signal_send_process(p, SIGXCPU);
		soft += RT_STEP_US;
		l->rlim_cur = soft;
	}
	look_again(p, MIN(soft, l->rlim_max), used_ns);
}

void
cpu_limit_init(struct process *p)
{
	spin_init(&p->rt_lock);
	timer_setup(&p->rt_look, rt_look, p);
}

void
cpu_limit_watch_rt(struct process *p)
{
	const struct rlimit64 *l = &p->rlimits[RLIMIT_RTTIME];
	uint64_t irq;
	int64_t at_ns;

	if (!next_look(l->rlim_cur, 0, &at_ns))
		return;
	irq = spin_lock_irq(&p->rt_lock);
	timer_arm(&p->rt_look, at_ns);
	spin_unlock_irq(&p->rt_lock, irq);
}

/* ---- the end ---- */

void
cpu_limit_end(struct process *p)
{
	timer_cancel(&p->rt_look);
	if (p->cpu_limit == NULL)
		return;
	xtimer_fini(&p->cpu_limit->x);
	kfree(p->cpu_limit);
	p->cpu_limit = NULL;
}
