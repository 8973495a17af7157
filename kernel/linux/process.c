/* SPDX-License-Identifier: ISC */
/*
 * process.c - the tree of processes: their numbers, birth and burial.  How a
 * process ends is in exit.c, how it is waited for in wait.c.
 *
 * Owns process_lock, process_list_lock, and the tree of ids, in which pids and
 * tids are one space of numbers as on Linux.
 */
#include "linux/process.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/clocks.h"
#include "linux/cpu_limit.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/itimer.h"
#include "linux/ptrace.h"
#include "linux/seccomp.h"
#include "linux/signal.h"
#include "linux/pidfd.h"
#include "linux/tty.h"
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#define ID_RESERVED    300   /* not given out again after the first round */
#define TIMER_SLACK_NS 50000 /* process 1's */

struct mutex process_lock = MUTEX_INIT(process_lock);
struct spinlock process_list_lock = SPINLOCK_INIT;

static TAILQ_HEAD(, process) all = TAILQ_HEAD_INITIALIZER(all); /* [L] */
static struct process *init_process;                            /* [I] */
static unsigned ntasks_all;                                     /* [L] */
static int32_t last_id;                                         /* [L] */
static uint64_t last_serial;                                    /* [L] */
static bool ids_wrapped;                                        /* [L] */

static RB_HEAD(id_tree, id_entry) ids = RB_INITIALIZER(&ids); /* [L] */

static int
id_compare(struct id_entry *a, struct id_entry *b)
{
	return (a->id > b->id) - (a->id < b->id);
}

RB_GENERATE_INTERNAL(id_tree, id_entry, node, id_compare,
    static __attribute__((unused)))

static struct id_entry *
id_find_locked(int32_t id)
{
	struct id_entry key = { .id = id };

	return RB_FIND(id_tree, &ids, &key);
}

/* A number lives on as a group's or session's after its process. */
static bool
id_names_group_locked(int32_t id)
{
	struct process *p;

	TAILQ_FOREACH (p, &all, all_link)
		if (p->pgid == id || p->sid == id)
			return true;
	return false;
}

static int32_t
id_next_locked(int32_t id)
{
	if (++id < ID_MAX)
		return id;
	ids_wrapped = true;
	return ID_RESERVED;
}

static int
id_alloc_locked(struct id_entry *e)
{
	int32_t id = last_id;
	unsigned tries;

	for (tries = 0; tries < ID_MAX; tries++) {
		id = id_next_locked(id);
		if (id_find_locked(id) != NULL)
			continue;
		if (ids_wrapped && id_names_group_locked(id))
			continue;
		e->id = last_id = id;
		e->serial = ++last_serial;
		RB_INSERT(id_tree, &ids, e);
		return 0;
	}
	return -EAGAIN;
}

/*
 * Gives the entry a number and puts it in the tree.  -EAGAIN: all in use.
 * Who looks holds one of the two locks; who changes the tree, both.
 */
static int
id_alloc(struct id_entry *e)
{
	uint64_t irq;
	int error;

	mutex_lock(&process_lock);
	irq = spin_lock_irq(&process_list_lock);
	error = id_alloc_locked(e);
	spin_unlock_irq(&process_list_lock, irq);
	mutex_unlock(&process_lock);
	return error;
}

static void
id_free_locked(struct id_entry *e)
{
	uint64_t irq;

	KASSERT(mutex_held(&process_lock));
	irq = spin_lock_irq(&process_list_lock);
	RB_REMOVE(id_tree, &ids, e);
	spin_unlock_irq(&process_list_lock, irq);
}

/* An entry without process or task is one that is being made. */
struct process *
process_find_locked(int32_t pid)
{
	struct id_entry *e = id_find_locked(pid);

	if (e == NULL || e->process == NULL || e->process->pid != pid)
		return NULL;
	return e->process;
}

struct task *
task_find_locked(int32_t tid)
{
	struct id_entry *e = id_find_locked(tid);

	return e == NULL ? NULL : e->task;
}

uint64_t
id_serial_locked(int32_t id)
{
	struct id_entry *e = id_find_locked(id);

	return e == NULL ? 0 : e->serial;
}

struct process *
process_init(void)
{
	return init_process;
}

void
process_foreach_locked(bool (*fn)(struct process *, void *), void *arg)
{
	struct process *p, *next;

	TAILQ_FOREACH_SAFE (p, &all, all_link, next)
		if (!fn(p, arg))
			return;
}

unsigned
process_count(void)
{
	return ntasks_all;
}

int32_t
process_last_id(void)
{
	return last_id;
}

/* What process 1 begins with; Linux's INIT_RLIMITS. */
static void
first_limits(struct rlimit64 *l)
{
	unsigned i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		l[i].rlim_cur = l[i].rlim_max = RLIM64_INFINITY;
	l[RLIMIT_STACK].rlim_cur = 8 << 20;
	l[RLIMIT_CORE].rlim_cur = 0;
	l[RLIMIT_NPROC].rlim_cur = l[RLIMIT_NPROC].rlim_max = ID_MAX / 2;
	l[RLIMIT_NOFILE].rlim_cur = 1024;
	l[RLIMIT_NOFILE].rlim_max = 4096;
	l[RLIMIT_MEMLOCK].rlim_cur = l[RLIMIT_MEMLOCK].rlim_max = 8 << 20;
	l[RLIMIT_SIGPENDING].rlim_cur = l[RLIMIT_SIGPENDING].rlim_max = ID_MAX /
	    2;
	l[RLIMIT_MSGQUEUE].rlim_cur = l[RLIMIT_MSGQUEUE].rlim_max = 819200;
	l[RLIMIT_NICE].rlim_cur = l[RLIMIT_NICE].rlim_max = 0;
	l[RLIMIT_RTPRIO].rlim_cur = l[RLIMIT_RTPRIO].rlim_max = 0;
}

static void
inherit(struct process *p, const struct process *parent)
{
	p->pgid = parent->pgid;
	p->sid = parent->sid;
	p->creds = creds_get(task_self()->creds);
	memcpy(p->rlimits, parent->rlimits, sizeof(p->rlimits));
	p->dumpable = parent->dumpable;
	p->personality = parent->personality;
	p->oom_score_adj = parent->oom_score_adj;
	memcpy(p->comm, parent->comm, sizeof(p->comm));
}

int
process_create(struct process *parent, struct process **out)
{
	struct process *p = kzalloc(sizeof(*p));
	int error;

	if (p == NULL)
		return -ENOMEM;
	cpu_limit_init(p);
	TAILQ_INIT(&p->children);
	TAILQ_INIT(&p->tasks);
	TAILQ_INIT(&p->tracees);
	TAILQ_INIT(&p->sem_undos);
	waitq_init(&p->child_wait);
	p->exit_signal = SIGCHLD;
	p->mce_kill = PR_MCE_KILL_DEFAULT;
	p->start_ns = clock_mono_ns();
	error = signal_state_create(&p->signals);
	if (error == 0)
		error = id_alloc(&p->id);
	if (error != 0) {
		if (p->signals != NULL)
			signal_state_destroy(p->signals);
		kfree(p);
		return error;
	}
	p->pid = p->id.id;
	if (parent != NULL) {
		inherit(p, parent);
	} else {
		p->dumpable = true;
		p->creds = creds_first();
		first_limits(p->rlimits);
	}
	*out = p;
	return 0;
}

static void
process_free(struct process *p)
{
	if (p->vm != NULL)
		vmspace_put(p->vm);
	if (p->fs != NULL)
		fsview_put(p->fs);
	if (p->exe != NULL)
		file_put(p->exe);
	if (p->sigactions != NULL)
		sigactions_put(p->sigactions);
	cpu_limit_end(p);
	if (p->itimers != NULL)
		itimers_destroy(p->itimers);
	signal_state_destroy(p->signals);
	creds_put(p->creds);
	kfree(p);
}

void
process_destroy(struct process *p)
{
	mutex_lock(&process_lock);
	pidfd_reaped_locked(p);
	id_free_locked(&p->id);
	mutex_unlock(&process_lock);
	process_free(p);
}

int
task_create(struct process *p, struct thread *thread, uint64_t mask,
    struct task **out)
{
	struct task *t = kzalloc(sizeof(*t));
	int error;

	if (t == NULL)
		return -ENOMEM;
	error = fpu_prepare(thread);
	if (error == 0)
		error = signal_state_create(&t->signals);
	if (error != 0)
		goto free_task;
	t->tid = p->pid;
	if (!TAILQ_EMPTY(&p->tasks)) {
		error = id_alloc(&t->id);
		if (error != 0)
			goto free_signals;
		t->tid = t->id.id;
	}
	t->process = p;
	t->thread = thread;
	t->signals->mask = mask;
	memcpy(t->comm, p->comm, sizeof(t->comm));
	t->timer_slack_ns = t->timer_slack_first_ns = TIMER_SLACK_NS;
	t->creds = creds_get(
	    TAILQ_EMPTY(&p->tasks) ? p->creds : task_self()->creds);
	thread->user = t;
	*out = t;
	return 0;

free_signals:
	signal_state_destroy(t->signals);
free_task:
	kfree(t);
	return error;
}

void
task_destroy(struct task *t)
{
	if (t->id.id != 0) {
		mutex_lock(&process_lock);
		if (id_find_locked(t->id.id) == &t->id)
			id_free_locked(&t->id);
		mutex_unlock(&process_lock);
	}
	seccomp_release(t);
	if (t->fs != NULL) /* it never ran */
		fsview_put(t->fs);
	if (t->files != NULL)
		fdtable_put(t->files);
	signal_state_destroy(t->signals);
	creds_put(t->creds);
	kfree(t);
}

/* The number becomes findable together with its owner. */
static void
task_attach_locked(struct task *t)
{
	struct process *p = t->process;
	struct id_entry *e = t->tid == p->pid ? &p->id : &t->id;

	e->process = p;
	e->task = t;
	TAILQ_INSERT_TAIL(&p->tasks, t, link);
	p->ntasks++;
	ntasks_all++;
}

void
process_publish(struct process *p, struct task *t, struct process *parent)
{
	uint64_t irq;

	KASSERT(mutex_held(&process_lock));
	irq = spin_lock_irq(&process_list_lock);
	TAILQ_INSERT_TAIL(&all, p, all_link);
	task_attach_locked(t);
	if (parent != NULL)
		tty_inherit_locked(p, process_self());
	spin_unlock_irq(&process_list_lock, irq);
	p->parent = parent;
	if (parent != NULL)
		TAILQ_INSERT_TAIL(&parent->children, p, sibling);
	seccomp_inherit_locked(t);
}

int
task_publish(struct task *t)
{
	struct process *p = t->process;
	uint64_t irq;
	int error = 0;

	mutex_lock(&process_lock);
	irq = spin_lock_irq(&process_list_lock);
	spin_lock(&p->signals->lock);
	if (p->exiting || p->survivor != NULL)
		error = -EINTR;
	else
		task_attach_locked(t);
	spin_unlock(&p->signals->lock);
	spin_unlock_irq(&process_list_lock, irq);
	if (error == 0) /* now, so that no filter for all threads misses it */
		seccomp_inherit_locked(t);
	mutex_unlock(&process_lock);
	return error;
}

bool
task_unpublish(struct task *t, int wait_status)
{
	struct process *p = t->process;
	uint64_t irq, run_ns, user_ns;
	bool last;

	mutex_lock(&process_lock);
	/* From here to its removal nobody can begin to trace it. */
	ptrace_task_ends_locked(t, wait_status);
	irq = spin_lock_irq(&process_list_lock);
	spin_lock(&p->signals->lock);
	TAILQ_REMOVE(&p->tasks, t, link);
	last = --p->ntasks == 0;
	if (last) /* of two that ended at once */
		process_ends_locked(p, wait_status);
	ntasks_all--;
	if (t->tid == p->pid)
		p->id.task = NULL;
	else
		RB_REMOVE(id_tree, &ids, &t->id);
	task_times(t, &run_ns, &user_ns);
	p->dead_run_ns += run_ns;
	p->dead_user_ns += user_ns;
	p->dead_min_faults += t->thread->min_faults;
	p->dead_maj_faults += t->thread->maj_faults;
	p->dead_disk_read += t->thread->disk_read;
	p->dead_disk_written += t->thread->disk_written;
	spin_unlock(&p->signals->lock);
	/* process_become_single(); once unlocked, the last one may free p. */
	if (!last)
		waitq_wake_all(&p->child_wait);
	spin_unlock_irq(&process_list_lock, irq);
	mutex_unlock(&process_lock);
	return last;
}

void
task_become_first(struct task *t)
{
	struct process *p = t->process;
	uint64_t irq;

	if (t->tid == p->pid)
		return;
	mutex_lock(&process_lock);
	irq = spin_lock_irq(&process_list_lock);
	KASSERT(p->id.task == NULL);
	RB_REMOVE(id_tree, &ids, &t->id);
	t->tid = p->pid;
	p->id.task = t;
	spin_unlock_irq(&process_list_lock, irq);
	mutex_unlock(&process_lock);
}

void
process_reap_locked(struct process *p)
{
	struct process *parent = p->parent;
	uint64_t irq;

	KASSERT(mutex_held(&process_lock) && p->state == PROCESS_ZOMBIE);
	if (parent != NULL) {
		TAILQ_REMOVE(&parent->children, p, sibling);
		parent->child_run_ns += p->dead_run_ns + p->child_run_ns;
		parent->child_user_ns += p->dead_user_ns + p->child_user_ns;
		parent->child_min_faults += p->dead_min_faults +
		    p->child_min_faults;
		parent->child_maj_faults += p->dead_maj_faults +
		    p->child_maj_faults;
		parent->child_max_rss = MAX(parent->child_max_rss,
		    MAX(p->max_rss, p->child_max_rss));
		parent->child_disk_read += p->dead_disk_read +
		    p->child_disk_read;
		parent->child_disk_written += p->dead_disk_written +
		    p->child_disk_written;
	}
	irq = spin_lock_irq(&process_list_lock);
	TAILQ_REMOVE(&all, p, all_link);
	spin_unlock_irq(&process_list_lock, irq);
	pidfd_reaped_locked(p);
	id_free_locked(&p->id);
	process_free(p);
}

/* A shell that runs alone as process 1 does wait for its jobs. */
static bool
is_init_system(const struct process *p)
{
	return p->pid == 1 && !p->signals->init_runs_alone;
}

bool
pgrp_is_orphaned_locked(int32_t pgid)
{
	struct process *p;

	TAILQ_FOREACH (p, &all, all_link)
		if (p->pgid == pgid && p->state == PROCESS_ALIVE &&
		    p->parent != NULL && !is_init_system(p->parent) &&
		    p->parent->pgid != pgid && p->parent->sid == p->sid)
			return false;
	return true;
}

void
process_times(struct process *p, uint64_t *run_ns, uint64_t *user_ns)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	uint64_t task_run_ns, task_user_ns;
	struct task *t;

	*run_ns = p->dead_run_ns;
	*user_ns = p->dead_user_ns;
	TAILQ_FOREACH (t, &p->tasks, link) {
		task_times(t, &task_run_ns, &task_user_ns);
		*run_ns += task_run_ns;
		*user_ns += task_user_ns;
	}
	spin_unlock_irq(&p->signals->lock, irq);
}

void
process_disk_bytes(struct process *p, uint64_t *read, uint64_t *written)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	struct task *t;

	*read = p->dead_disk_read;
	*written = p->dead_disk_written;
	TAILQ_FOREACH (t, &p->tasks, link) {
		*read += t->thread->disk_read;
		*written += t->thread->disk_written;
	}
	spin_unlock_irq(&p->signals->lock, irq);
}

void
process_faults(struct process *p, uint64_t *minor, uint64_t *major)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	struct task *t;

	*minor = p->dead_min_faults;
	*major = p->dead_maj_faults;
	TAILQ_FOREACH (t, &p->tasks, link) {
		*minor += t->thread->min_faults;
		*major += t->thread->maj_faults;
	}
	spin_unlock_irq(&p->signals->lock, irq);
}

void
process_keep_max_rss(struct process *p)
{
	struct vm_counts counts;

	if (p->vm == NULL)
		return;
	vmspace_counts(p->vm, &counts);
	p->max_rss = MAX(p->max_rss, MAX(counts.peak, counts.resident));
}

int
process_create_first(struct process **out)
{
	struct process *p;
	struct task *t;
	int error;

	error = process_create(NULL, &p);
	if (error != 0)
		return error;
	error = sigactions_create(NULL, &p->sigactions);
	if (error == 0)
		error = fsview_create(&p->fs);
	if (error == 0)
		error = task_create(p, thread_self(), 0, &t);
	if (error == 0)
		error = fdtable_create(&t->files);
	if (error != 0) {
		process_destroy(p);
		return error;
	}
	init_process = p;
	mutex_lock(&process_lock);
	process_publish(p, t, NULL);
	mutex_unlock(&process_lock);
	*out = p;
	return 0;
}
