/* SPDX-License-Identifier: ISC */
/*
 * sys_sched.c - who runs how, and what it used: sched_*(2), nice values,
 * getcpu(2), getrusage(2), times(2).
 *
 * SCHED_FIFO and SCHED_RR are the scheduler's real-time class, SCHED_IDLE its
 * low one; SCHED_BATCH differs from SCHED_OTHER in name only.
 */
#include "linux/sys_time.h"
#include "kern/clock.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/clocks.h"
#include "linux/cpu_limit.h"
#include "linux/process.h"
#include "linux/rusage.h"
#include "linux/timespec.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/times.h>

#define RUSAGE_BLOCK 512 /* bytes of ru_inblock's and ru_oublock's unit */
#define RT_PRIO_MAX  99
#define RR_SLICE_NS  100000000
#define USER_HZ      100

long
sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

/*
 * The caller's task for 0, or that with the id, process_list_lock held (irq
 * state in *irq) if it was found; NULL: none, nothing held.
 */
static struct task *
task_get(int32_t tid, uint64_t *irq)
{
	struct task *t;

	*irq = spin_lock_irq(&process_list_lock);
	t = tid == 0 ? task_self() : task_find_locked(tid);
	if (t == NULL)
		spin_unlock_irq(&process_list_lock, *irq);
	return t;
}

static void
task_put(uint64_t irq)
{
	spin_unlock_irq(&process_list_lock, irq);
}

/* sched_setscheduler(2): one's own user, or CAP_SYS_NICE. */
static bool
may_schedule(const struct task *t)
{
	const struct creds *a = creds_self(), *b = t->creds;

	return a->euid == b->uid || a->euid == b->euid || capable(CAP_SYS_NICE);
}

static uint64_t
all_cpus(void)
{
	unsigned n = cpu_count();

	return n >= 64 ? ~0ull : (1ull << n) - 1;
}

long
sys_sched_getaffinity(int32_t pid, unsigned len, uaddr_t mask)
{
	struct task *t;
	uint64_t irq, set;

	if (len * 8 < cpu_count() || len % sizeof(long) != 0)
		return -EINVAL;
	if (pid < 0)
		return -ESRCH;
	t = task_get(pid, &irq);
	if (t == NULL)
		return -ESRCH;
	set = t->thread->affinity & all_cpus();
	task_put(irq);
	if (copyout(mask, &set, sizeof(set)) != 0)
		return -EFAULT;
	return sizeof(set);
}

long
sys_sched_setaffinity(int32_t pid, unsigned len, uaddr_t mask)
{
	struct task *t;
	uint64_t irq, set = 0;
	int error = 0;

	if (copyin(&set, mask, MIN(len, sizeof(set))) != 0)
		return -EFAULT;
	t = pid < 0 ? NULL : task_get(pid, &irq);
	if (t == NULL)
		return -ESRCH;
	set &= all_cpus();
	if (!may_schedule(t))
		error = -EPERM;
	else if (set == 0)
		error = -EINVAL;
	else
		sched_set_affinity(t->thread, set);
	task_put(irq); /* and on to where it may run now */
	return error;
}

/* ---- policies ---- */

static bool
is_realtime(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

long
sys_sched_get_priority_max(int policy)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR: return RT_PRIO_MAX;
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE: return 0;
	default: return -EINVAL;
	}
}

long
sys_sched_get_priority_min(int policy)
{
	long max = sys_sched_get_priority_max(policy);

	return max == RT_PRIO_MAX ? 1 : max;
}

/* RLIMIT_NICE allows that nice value. */
static bool
may_have_nice(const struct task *t, int nice)
{
	return (uint64_t)(20 - nice) <=
	    t->process->rlimits[RLIMIT_NICE].rlim_cur;
}

static int
check_policy(const struct task *t, int policy, int priority, bool reset)
{
	const struct rlimit64 *limit = &t->process->rlimits[RLIMIT_RTPRIO];

	if (policy == SCHED_DEADLINE || sys_sched_get_priority_max(policy) < 0)
		return -EINVAL;
	if (priority < sys_sched_get_priority_min(policy) ||
	    priority > sys_sched_get_priority_max(policy))
		return -EINVAL;
	if (!may_schedule(t))
		return -EPERM;
	if (capable(CAP_SYS_NICE))
		return 0;
	if (is_realtime(policy) && (uint64_t)priority > limit->rlim_cur)
		return -EPERM;
	/* Out of the lowest class leads only what would raise nice as far. */
	if (t->policy == SCHED_IDLE && policy != SCHED_IDLE &&
	    !may_have_nice(t, t->thread->nice))
		return -EPERM;
	return t->policy_reset_on_fork && !reset ? -EPERM : 0;
}

void
task_apply_class(struct task *t)
{
	int rt = t->policy == SCHED_IDLE ? -1 : 0;

	if (is_realtime(t->policy)) {
		rt = t->rt_priority;
		cpu_limit_watch_rt(t->process);
	}
	sched_set_class(t->thread, t->pi_boost > 0 ? MAX(rt, t->pi_boost) : rt,
	    t->policy == SCHED_RR);
}

/* policy -1: as it is. */
static long
set_policy(int32_t pid, int policy, int priority)
{
	bool reset = (policy & SCHED_RESET_ON_FORK) != 0;
	struct task *t;
	uint64_t irq;
	int error;

	t = pid < 0 ? NULL : task_get(pid, &irq);
	if (t == NULL)
		return pid < 0 ? -EINVAL : -ESRCH;
	if (policy < 0) {
		policy = t->policy;
		reset = t->policy_reset_on_fork;
	} else {
		policy &= ~SCHED_RESET_ON_FORK;
	}
	error = check_policy(t, policy, priority, reset);
	if (error == 0) {
		t->policy = policy;
		t->rt_priority = priority;
		t->policy_reset_on_fork = reset;
		task_apply_class(t);
	}
	task_put(irq);
	return error;
}

long
sys_sched_setscheduler(int32_t pid, int policy, uaddr_t uparam)
{
	int priority;

	if (uparam == 0 || policy < 0)
		return -EINVAL;
	if (copyin(&priority, uparam, sizeof(priority)) != 0)
		return -EFAULT;
	return set_policy(pid, policy, priority);
}

long
sys_sched_setparam(int32_t pid, uaddr_t uparam)
{
	int priority;

	if (uparam == 0)
		return -EINVAL;
	if (copyin(&priority, uparam, sizeof(priority)) != 0)
		return -EFAULT;
	return set_policy(pid, -1, priority);
}

long
sys_sched_getscheduler(int32_t pid)
{
	struct task *t;
	uint64_t irq;
	int policy;

	t = pid < 0 ? NULL : task_get(pid, &irq);
	if (t == NULL)
		return pid < 0 ? -EINVAL : -ESRCH;
	policy = t->policy |
	    (t->policy_reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	task_put(irq);
	return policy;
}

long
sys_sched_getparam(int32_t pid, uaddr_t uparam)
{
	struct task *t;
	uint64_t irq;
	int priority;

	if (uparam == 0 || pid < 0)
		return -EINVAL;
	t = task_get(pid, &irq);
	if (t == NULL)
		return -ESRCH;
	priority = t->rt_priority;
	task_put(irq);
	return copyout(uparam, &priority, sizeof(priority));
}

long
sys_sched_getattr(int32_t pid, uaddr_t uattr, unsigned size, unsigned flags)
{
	struct sched_attr a;
	struct task *t;
	uint64_t irq;

	if (uattr == 0 || pid < 0 || size > PAGE_SIZE ||
	    size < SCHED_ATTR_SIZE_VER0 || flags != 0)
		return -EINVAL;
	t = task_get(pid, &irq);
	if (t == NULL)
		return -ESRCH;
	memset(&a, 0, sizeof(a));
	a.size = MIN(size, sizeof(a));
	a.sched_policy = t->policy;
	a.sched_flags = t->policy_reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	a.sched_priority = t->rt_priority;
	a.sched_nice = is_realtime(t->policy) ? 0 : t->thread->nice;
	a.sched_util_max = 1024;
	task_put(irq);
	return copyout(uattr, &a, a.size);
}

static int
check_nice(const struct task *t, int nice)
{
	if (!may_schedule(t))
		return -EPERM;
	if (nice < t->thread->nice && !capable(CAP_SYS_NICE) &&
	    !may_have_nice(t, nice))
		return -EACCES;
	return 0;
}

static int
get_attr(uaddr_t uattr, struct sched_attr *a)
{
	uint32_t size, known = sizeof(*a);
	int error = -E2BIG;

	if (copyin(&size, uattr, sizeof(size)) != 0)
		return -EFAULT;
	if (size == 0)
		size = SCHED_ATTR_SIZE_VER0;
	if (size >= SCHED_ATTR_SIZE_VER0 && size <= PAGE_SIZE)
		error = copyin_struct(a, sizeof(*a), uattr, size);
	if (error == -E2BIG && copyout(uattr, &known, sizeof(known)) != 0)
		error = -EFAULT;
	return error;
}

static long
set_nice_of(int32_t pid, int nice)
{
	struct task *t;
	uint64_t irq;
	int error;

	t = task_get(pid, &irq);
	if (t == NULL)
		return -ESRCH;
	nice = MAX(-20, MIN(19, nice));
	error = check_nice(t, nice);
	if (error == 0)
		t->thread->nice = nice;
	task_put(irq);
	return error == -EACCES ? -EPERM : error;
}

/* What SCHED_FLAG_KEEP_* leave alone. */
static int
fill_kept(int32_t pid, struct sched_attr *a)
{
	struct task *t;
	uint64_t irq;

	t = task_get(pid, &irq);
	if (t == NULL)
		return -ESRCH;
	if ((a->sched_flags & SCHED_FLAG_KEEP_POLICY) != 0)
		a->sched_policy = t->policy;
	if ((a->sched_flags & SCHED_FLAG_KEEP_PARAMS) != 0) {
		a->sched_priority = t->rt_priority;
		a->sched_nice = t->thread->nice;
	}
	task_put(irq);
	return 0;
}

#define ATTR_FLAGS (SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_KEEP_ALL)

long
sys_sched_setattr(int32_t pid, uaddr_t uattr, unsigned flags)
{
	struct sched_attr a;
	long error;
	bool reset;

	if (uattr == 0 || pid < 0 || flags != 0)
		return -EINVAL;
	error = get_attr(uattr, &a);
	if (error != 0)
		return error;
	if ((int32_t)a.sched_policy < 0 ||
	    (a.sched_flags & ~(uint64_t)ATTR_FLAGS) != 0)
		return -EINVAL;
	error = fill_kept(pid, &a);
	if (error != 0)
		return error;
	reset = (a.sched_flags & SCHED_FLAG_RESET_ON_FORK) != 0;
	error = set_policy(pid,
	    a.sched_policy | (reset ? SCHED_RESET_ON_FORK : 0),
	    a.sched_priority);
	return error != 0 || is_realtime(a.sched_policy) ?
	    error :
	    set_nice_of(pid, a.sched_nice);
}

long
sys_sched_rr_get_interval(int32_t pid, uaddr_t ts)
{
	struct task *t;
	uint64_t irq;
	int64_t ns;

	t = pid < 0 ? NULL : task_get(pid, &irq);
	if (t == NULL)
		return pid < 0 ? -EINVAL : -ESRCH;
	ns = t->policy == SCHED_FIFO ? 0 : RR_SLICE_NS;
	task_put(irq);
	return copyout_timespec(ts, ns);
}

/* ---- nice values; I/O priorities, as told ---- */

/* What getpriority, setpriority and the ioprio calls name. */
enum who_kind { WHO_TASK, WHO_GROUP, WHO_USER };

struct who {
	enum who_kind kind;
	int32_t id;
	long (*fn)(struct task *t, long arg, long so_far);
	long arg, answer;
};

static bool
who_matches(const struct who *w, const struct task *t)
{
	return w->kind == WHO_GROUP ? t->process->pgid == w->id :
				      t->creds->uid == (uint32_t)w->id;
}

static bool
who_apply(struct process *p, void *arg)
{
	struct who *w = arg;
	struct task *t;

	spin_lock(&p->signals->lock);
	TAILQ_FOREACH (t, &p->tasks, link)
		if (who_matches(w, t))
			w->answer = w->fn(t, w->arg, w->answer);
	spin_unlock(&p->signals->lock);
	return true;
}

/* Calls fn for every task named; its last answer, -ESRCH if there was none. */
static long
for_each(enum who_kind kind, int who,
    long (*fn)(struct task *t, long arg, long so_far), long arg)
{
	struct who w = { kind, who, fn, arg, -ESRCH };
	struct task *t;
	uint64_t irq;

	if (kind == WHO_GROUP && who == 0)
		w.id = process_self()->pgid;
	if (kind == WHO_USER && who == 0)
		w.id = creds_self()->uid;
	if (kind == WHO_TASK) {
		t = task_get(who, &irq);
		if (t == NULL)
			return -ESRCH;
		w.answer = fn(t, arg, w.answer);
	} else {
		irq = spin_lock_irq(&process_list_lock);
		process_foreach_locked(who_apply, &w);
	}
	task_put(irq);
	return w.answer;
}

/* The answer is 20 - nice, so that it is never negative. */
static long
highest_priority(struct task *t, long unused, long so_far)
{
	(void)unused;
	return MAX(so_far, 20 - t->thread->nice);
}

static long
set_nice(struct task *t, long nice, long so_far)
{
	int error = check_nice(t, nice);

	if (error != 0)
		return error;
	t->thread->nice = nice;
	return so_far == -ESRCH ? 0 : so_far;
}

static int
who_kind(int which, int first, enum who_kind *kind)
{
	if (which < first || which > first + 2)
		return -EINVAL;
	*kind = which - first;
	return 0;
}

long
sys_getpriority(int which, int who)
{
	enum who_kind kind;
	int error = who_kind(which, PRIO_PROCESS, &kind);

	return error != 0 ? error : for_each(kind, who, highest_priority, 0);
}

long
sys_setpriority(int which, int who, int nice)
{
	enum who_kind kind;
	int error = who_kind(which, PRIO_PROCESS, &kind);

	nice = MAX(-20, MIN(19, nice));
	return error != 0 ? error : for_each(kind, who, set_nice, nice);
}

static long
get_ioprio(struct task *t, long unused, long so_far)
{
	(void)unused;
	/* No class counts as the middle of the usual one. */
	long mine = IOPRIO_PRIO_CLASS(t->ioprio) != IOPRIO_CLASS_NONE ?
	    t->ioprio :
	    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_BE_NORM);

	if (so_far == 0)
		so_far = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_BE_NORM);
	return so_far == -ESRCH ? t->ioprio : MIN(so_far, mine);
}

static long
set_ioprio(struct task *t, long ioprio, long so_far)
{
	if (!may_schedule(t))
		return -EPERM;
	t->ioprio = ioprio;
	return so_far == -ESRCH ? 0 : so_far;
}

long
sys_ioprio_get(int which, int who)
{
	enum who_kind kind;
	int error = who_kind(which, IOPRIO_WHO_PROCESS, &kind);

	return error != 0 ? error : for_each(kind, who, get_ioprio, 0);
}

long
sys_ioprio_set(int which, int who, int ioprio)
{
	int class = IOPRIO_PRIO_CLASS(ioprio);
	int level = IOPRIO_PRIO_DATA(ioprio);
	enum who_kind kind;
	int error = who_kind(which, IOPRIO_WHO_PROCESS, &kind);

	if (class > IOPRIO_CLASS_IDLE || level >= IOPRIO_NR_LEVELS ||
	    (class == IOPRIO_CLASS_NONE && level != 0))
		return -EINVAL;
	if (class == IOPRIO_CLASS_RT && !capable(CAP_SYS_ADMIN) &&
	    !capable(CAP_SYS_NICE))
		return -EPERM;
	return error != 0 ? error : for_each(kind, who, set_ioprio, ioprio);
}

long
sys_getcpu(uaddr_t ucpu, uaddr_t unode)
{
	uint32_t cpu = cpu_id(), node = 0;

	if (ucpu != 0 && copyout(ucpu, &cpu, sizeof(cpu)) != 0)
		return -EFAULT;
	if (unode != 0 && copyout(unode, &node, sizeof(node)) != 0)
		return -EFAULT;
	return 0;
}

/* ---- what was used ---- */

static void
set_timeval(struct __kernel_old_timeval *tv, uint64_t ns)
{
	tv->tv_sec = ns / NSEC_PER_SEC;
	tv->tv_usec = ns % NSEC_PER_SEC / 1000;
}

/* Of a task, a process, or its reaped children. */
struct used {
	uint64_t run_ns, user_ns;
	uint64_t min_faults, maj_faults;
	uint64_t disk_read, disk_written; /* bytes */
	uint64_t max_rss;                 /* pages */
};

static void
fill_rusage(struct rusage *ru, const struct used *u)
{
	memset(ru, 0, sizeof(*ru));
	set_timeval((struct __kernel_old_timeval *)&ru->ru_utime, u->user_ns);
	set_timeval((struct __kernel_old_timeval *)&ru->ru_stime,
	    u->run_ns - u->user_ns);
	ru->ru_minflt = u->min_faults;
	ru->ru_majflt = u->maj_faults;
	ru->ru_inblock = u->disk_read / RUSAGE_BLOCK;
	ru->ru_oublock = u->disk_written / RUSAGE_BLOCK;
	ru->ru_maxrss = u->max_rss * (PAGE_SIZE / 1024);
}

/* Pages, at most: of its address spaces until now. */
static uint64_t
max_rss(const struct process *p)
{
	struct vm_counts counts = { 0 };

	if (p->vm != NULL)
		vmspace_counts(p->vm, &counts);
	return MAX(p->max_rss, MAX(counts.peak, counts.resident));
}

void
rusage_of_process(struct process *p, bool children, struct rusage *out)
{
	struct used u = { .max_rss = max_rss(p) };

	process_times(p, &u.run_ns, &u.user_ns);
	process_faults(p, &u.min_faults, &u.maj_faults);
	process_disk_bytes(p, &u.disk_read, &u.disk_written);
	if (children) {
		u.run_ns += p->child_run_ns;
		u.user_ns += p->child_user_ns;
		u.min_faults += p->child_min_faults;
		u.maj_faults += p->child_maj_faults;
		u.disk_read += p->child_disk_read;
		u.disk_written += p->child_disk_written;
		u.max_rss = MAX(u.max_rss, p->child_max_rss);
	}
	fill_rusage(out, &u);
}

static void
rusage_of_children(const struct process *p, struct rusage *out)
{
	struct used u = { p->child_run_ns, p->child_user_ns,
		p->child_min_faults, p->child_maj_faults, p->child_disk_read,
		p->child_disk_written, p->child_max_rss };

	fill_rusage(out, &u);
}

static void
rusage_of_self(struct rusage *out)
{
	struct task *t = task_self();
	struct process *p = t->process;
	struct used u = { .min_faults = t->thread->min_faults,
		.maj_faults = t->thread->maj_faults,
		.max_rss = max_rss(p),
		.disk_read = t->thread->disk_read,
		.disk_written = t->thread->disk_written };

	task_times(t, &u.run_ns, &u.user_ns);
	fill_rusage(out, &u);
}

long
sys_getrusage(int who, uaddr_t usage)
{
	struct process *p = process_self();
	struct rusage ru;

	switch (who) {
	case RUSAGE_SELF: rusage_of_process(p, false, &ru); break;
	case RUSAGE_CHILDREN: rusage_of_children(p, &ru); break;
	case RUSAGE_THREAD: rusage_of_self(&ru); break;
	default: return -EINVAL;
	}
	return copyout(usage, &ru, sizeof(ru));
}

static long
to_ticks(uint64_t ns)
{
	return ns / (NSEC_PER_SEC / USER_HZ);
}

long
sys_times(uaddr_t buf)
{
	struct process *p = process_self();
	uint64_t run_ns, user_ns;
	struct tms t;

	process_times(p, &run_ns, &user_ns);
	t.tms_utime = to_ticks(user_ns);
	t.tms_stime = to_ticks(run_ns - user_ns);
	t.tms_cutime = to_ticks(p->child_user_ns);
	t.tms_cstime = to_ticks(p->child_run_ns - p->child_user_ns);
	if (buf != 0 && copyout(buf, &t, sizeof(t)) != 0)
		return -EFAULT;
	return to_ticks(clock_mono_ns());
}
