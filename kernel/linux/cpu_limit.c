/* SPDX-License-Identifier: ISC */
/*
 * cpu_limit.c - RLIMIT_CPU.  setrlimit(2): SIGXCPU when the soft limit is used
 * up and each second after it, SIGKILL at the hard one.
 */
#include "linux/cpu_limit.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "linux/clocks.h"
#include "linux/process.h"
#include "linux/signal.h"
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

void
cpu_limit_end(struct process *p)
{
	if (p->cpu_limit == NULL)
		return;
	xtimer_fini(&p->cpu_limit->x);
	kfree(p->cpu_limit);
	p->cpu_limit = NULL;
}
