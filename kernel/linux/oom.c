/* SPDX-License-Identifier: ISC */
/*
 * oom.c - who ends when there is no memory: the process with the most of it,
 * as oom_score_adj weighs that.  proc(5).
 *
 * Clean pages of files were given back before anybody comes here.  One victim
 * at a time: while one that was killed still ends, all others wait for it, but
 * not for ever, as it may wait for what a waiter holds.  Process 1 is taken
 * only if there is nobody else.
 */
#include "linux/oom.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/thread.h"
#include "kern/vm.h"
#include "kern/waitq.h"
#include "linux/process.h"
#include "linux/signal.h"
#include <linux/errno.h>

#define ADJ_NEVER     (-1000)
#define WAIT_LONG_NS  (10 * NSEC_PER_SEC)
#define WAIT_SHORT_NS NSEC_PER_SEC
#define FREE_FOR_ONE  16 /* frames: about what a small process takes */

static struct {
	struct waitq wq;   /* somebody gave memory back */
	uint32_t came;     /* [a] how often that was so */
	int32_t victim;    /* [a] its pid until it has given back; 0: none */
	int64_t killed_ns; /* [a] when; set under process_lock */
	uint64_t kills;    /* [a] how many were */
} oom = { .wq = WAITQ_INIT(oom.wq) };

/*
 * Hundreds may wait, and most of what came is gone with the first of them: so
 * one is woken, and he wakes the next while there is some left.
 */
void
oom_memory_came_free(int32_t pid)
{
	__atomic_add_fetch(&oom.came, 1, __ATOMIC_RELEASE);
	(void)__atomic_compare_exchange_n(&oom.victim, &pid, 0, false,
	    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	waitq_wake_one(&oom.wq);
}

static void
wake_next(void)
{
	struct page_stats st;

	page_stats(&st);
	if (st.free >= FREE_FOR_ONE)
		waitq_wake_one(&oom.wq);
}

int64_t
oom_points(uint64_t resident, int adj)
{
	struct page_stats st;
	int64_t points;

	page_stats(&st);
	points = (int64_t)resident + (int64_t)adj * (int64_t)st.total / 1000;
	return MAX(points, 0l);
}

static bool
is_dying(const struct process *p)
{
	return p->exiting || p->signals->killed;
}

struct search {
	struct process *best;
	int64_t points;
	struct vm_counts counts;
};

static bool
consider(struct process *p, void *arg)
{
	struct search *s = arg;
	struct vm_counts counts;
	int64_t points;

	if (p->vm == NULL || p->pid == 1 || p->oom_score_adj == ADJ_NEVER ||
	    p->state != PROCESS_ALIVE || is_dying(p))
		return true;
	vmspace_counts(p->vm, &counts);
	points = oom_points(counts.resident + counts.tables, p->oom_score_adj);
	if (s->best == NULL || points > s->points) {
		s->best = p;
		s->points = points;
		s->counts = counts;
	}
	return true;
}

uint64_t
oom_kills(void)
{
	return __atomic_load_n(&oom.kills, __ATOMIC_RELAXED);
}

/* Has the last victim not given back yet, and was killed not long ago? */
static bool
still_ends(void)
{
	return __atomic_load_n(&oom.victim, __ATOMIC_ACQUIRE) != 0 &&
	    clock_mono_ns() -
		__atomic_load_n(&oom.killed_ns, __ATOMIC_RELAXED) <=
	    WAIT_LONG_NS / 2;
}

/* false: there is nobody to kill. */
static bool
kill_one_locked(void)
{
	struct search s = { .best = NULL };

	process_foreach_locked(consider, &s);
	if (s.best == NULL)
		return false;
	log_err("Out of memory: killed process %d (%s) total-vm:%lukB, "
		"anon-rss:%lukB, file-rss:%lukB, oom_score_adj:%d",
	    s.best->pid, s.best->comm, s.counts.size * (PAGE_SIZE / 1024),
	    (s.counts.resident - s.counts.resident_file) * (PAGE_SIZE / 1024),
	    s.counts.resident_file * (PAGE_SIZE / 1024), s.best->oom_score_adj);
	__atomic_store_n(&oom.killed_ns, clock_mono_ns(), __ATOMIC_RELAXED);
	__atomic_add_fetch(&oom.kills, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&oom.victim, s.best->pid, __ATOMIC_RELEASE);
	signal_send_process(s.best, SIGKILL);
	return true;
}

static bool
caller_is_killed(void)
{
	struct task *t = task_self();

	return is_dying(t->process) ||
	    (t->signals->pending & SIGBIT(SIGKILL)) != 0;
}

/*
 * -EINTR: the caller is to end, or has waited long enough; -ENOMEM: there is
 * nobody to kill.
 */
static int
make_room(bool for_long)
{
	uint32_t seen = __atomic_load_n(&oom.came, __ATOMIC_ACQUIRE);
	bool killed = true;

	if (caller_is_killed())
		return -EINTR;
	if (!still_ends()) {
		mutex_lock(&process_lock);
		if (!still_ends())
			killed = kill_one_locked();
		mutex_unlock(&process_lock);
	}
	if (!killed)
		return -ENOMEM;
	if (caller_is_killed())
		return -EINTR;
	(void)wait_event_until(&oom.wq,
	    __atomic_load_n(&oom.came, __ATOMIC_ACQUIRE) != seen,
	    clock_mono_ns() + (for_long ? WAIT_LONG_NS : WAIT_SHORT_NS));
	wake_next();
	if (caller_is_killed())
		return -EINTR;
	if (__atomic_load_n(&oom.came, __ATOMIC_ACQUIRE) == seen && !for_long)
		return -EINTR;
	return 0;
}

bool
oom_handle(bool for_long)
{
	int error;

	if (task_self() == NULL || (!for_long && mutex_held(&process_lock)))
		return false;
	error = make_room(for_long);
	if (error == -ENOMEM)
		log_err("Out of memory: %s[%d] ends, there is nobody else",
		    task_self()->comm, task_self()->tid);
	return error == 0;
}

bool
oom_make_room(void)
{
	return make_room(true) == 0;
}
