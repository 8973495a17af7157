/* SPDX-License-Identifier: ISC */
/*
 * exit.c - how tasks and processes end.
 *
 *   exit(2)        task_exit()    one task; the last one ends the process
 *   exit_group(2), process_exit() all tasks: each leaves at its next return
 *   fatal signal                  to the program (signal_work)
 *
 * The last task gives back what the process holds, hands its children to
 * another parent, and leaves a zombie for wait4(2).  When process 1 ends, the
 * machine ends with its status.
 */
#include "fs/vfs.h"
#include "fs/file.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/clock.h"
#include "kern/power.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/core.h"
#include "linux/cpu_limit.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/futex.h"
#include "linux/itimer.h"
#include "linux/oom.h"
#include "linux/pidfd.h"
#include "linux/process.h"
#include "linux/ptrace.h"
#include "linux/signal.h"
#include "linux/sys_process.h"
#include "linux/sysvipc.h"
#include "linux/trace.h"
#include "linux/tty.h"
#include <linux/ptrace.h>

/* What the program left to be written is written, as after its last close. */
static void
end_of_machine(int status)
{
	int signo = status & 0x7f;

	(void)vfs_sync_all();
	if (signo != 0)
		power_end(POWER_SIGNAL, signo, NULL);
	power_end(POWER_EXIT, status >> 8 & 0xff, NULL);
}

void
process_child_event(struct process *p)
{
	__atomic_add_fetch(&p->child_events, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&p->child_wait);
}

static bool
ignores_stops(struct process *parent)
{
	return (parent->sigactions->action[SIGCHLD - 1].sa_flags &
		   SA_NOCLDSTOP) != 0;
}

void
process_notify_parent_locked(struct process *p, int code, int status)
{
	struct process *parent = p->parent;
	bool ended = code <= CLD_DUMPED;
	int signo = ended ? p->exit_signal : SIGCHLD;
	uint64_t run_ns, user_ns;
	siginfo_t info;

	KASSERT(mutex_held(&process_lock));
	if (parent == NULL)
		return;
	memset(&info, 0, sizeof(info));
	process_times(p, &run_ns, &user_ns);
	info.si_signo = signo;
	info.si_code = code;
	info.si_pid = p->pid;
	info.si_uid = p->creds->uid;
	info.si_status = status;
	info.si_utime = user_ns / (NSEC_PER_SEC / 100);
	info.si_stime = (run_ns - user_ns) / (NSEC_PER_SEC / 100);
	if (signo != 0 && (ended || !ignores_stops(parent)))
		signal_post_process(parent, &info);
	process_child_event(parent);
}

/* SIGCHLD ignored, or SA_NOCLDWAIT: nobody will wait. */
static bool
parent_does_not_wait(struct process *parent)
{
	struct sigaction *act = &parent->sigactions->action[SIGCHLD - 1];

	return act->sa_handler == SIG_IGN ||
	    (act->sa_flags & SA_NOCLDWAIT) != 0;
}

/* The nearest ancestor that asked for orphans, else process 1. */
static struct process *
new_parent_locked(struct process *p)
{
	struct process *a;

	for (a = p->parent; a != NULL; a = a->parent)
		if (a->subreaper && a->state == PROCESS_ALIVE && !a->exiting)
			return a;
	return process_init();
}

static void
orphan_children_locked(struct process *p)
{
	struct process *heir = new_parent_locked(p), *c;

	while ((c = TAILQ_FIRST(&p->children)) != NULL) {
		TAILQ_REMOVE(&p->children, c, sibling);
		c->parent = heir;
		c->exit_signal = SIGCHLD;
		TAILQ_INSERT_TAIL(&heir->children, c, sibling);
		if (c->pdeath_signal != 0 && c->state == PROCESS_ALIVE)
			signal_send_process(c, c->pdeath_signal);
		if (c->state == PROCESS_ZOMBIE)
			process_child_event(heir);
	}
}

/*
 * A stopped group that this end orphans would never be continued by anyone:
 * it gets SIGHUP and SIGCONT (POSIX, _exit).
 */
static void
hang_up_orphaned_group_locked(struct process *p)
{
	struct process *c;

	TAILQ_FOREACH (c, &p->children, sibling)
		if (c->state == PROCESS_ALIVE && c->signals->stopped &&
		    c->pgid != p->pgid && c->sid == p->sid) {
			signal_send_pgrp(c->pgid, SIGHUP);
			signal_send_pgrp(c->pgid, SIGCONT);
		}
}

void
process_announce_end_locked(struct process *p)
{
	struct process *parent = p->parent;
	int status = p->exit_code, signo = status & 0x7f;

	if (signo != 0)
		process_notify_parent_locked(p,
		    (status & 0x80) != 0 ? CLD_DUMPED : CLD_KILLED, signo);
	else
		process_notify_parent_locked(p, CLD_EXITED, status >> 8);
	if (p->exit_signal == SIGCHLD && parent_does_not_wait(parent))
		process_reap_locked(p);
}

static void
become_zombie(struct process *p)
{
	mutex_lock(&process_lock);
	ptrace_tracer_ended_locked(p);
	hang_up_orphaned_group_locked(p);
	orphan_children_locked(p);
	p->state = PROCESS_ZOMBIE;
	pidfd_ended_locked(p);
	if (ptrace_process_ended_locked(p))
		process_announce_end_locked(p);
	mutex_unlock(&process_lock);
}

/* Called by the last task, which still runs as the process. */
static void
process_release(struct process *p)
{
	struct vmspace *vm;
	struct fsview *fs;
	struct file *exe;

	if (p->itimers != NULL)
		itimers_destroy(p->itimers);
	p->itimers = NULL;
	sem_undo_all(p);
	if (p->sid == p->pid)
		tty_session_end(p);
	tty_drop(p);
	mutex_lock(&process_lock); /* /proc may be looking */
	cpu_limit_end(p);
	process_keep_max_rss(p);
	vm = p->vm;
	exe = p->exe;
	fs = p->fs;
	p->vm = NULL;
	p->exe = NULL;
	p->fs = NULL;
	mutex_unlock(&process_lock);
	if (exe != NULL)
		file_put(exe);
	fsview_put(fs);
	thread_set_vmspace(thread_self(), NULL);
	if (vm != NULL)
		vmspace_put(vm);
	oom_memory_came_free(p->pid);
	if (p->vfork_done != NULL)
		process_vfork_done(p);
}

/* What other tasks see of this one's end: pthread_join() waits here. */
void
task_farewell(struct task *t)
{
	uint32_t zero = 0;

	futex_exit_robust(t);
	if (t->clear_child_tid == 0)
		return;
	if (copyout(t->clear_child_tid, &zero, sizeof(zero)) == 0)
		futex_wake_address(t->clear_child_tid, 1);
	t->clear_child_tid = 0;
}

/* While it is still a process's, as the last user of a file may have to be. */
static void
drop_own_view(struct task *t)
{
	struct fdtable *files;
	struct fsview *fs;

	mutex_lock(&process_lock);
	files = t->files;
	fs = t->fs;
	t->files = NULL;
	t->fs = NULL;
	mutex_unlock(&process_lock);
	fdtable_put(files);
	if (fs != NULL)
		fsview_put(fs);
}

void
task_exit(int wait_status)
{
	struct task *t = task_self();
	struct process *p = t->process;
	uint64_t irq;
	bool last;

	core_park();
	signal_task_ends(t);
	if (t->traced)
		ptrace_event(PTRACE_EVENT_EXIT, wait_status);
	trace_exited(t, wait_status);
	irq = spin_lock_irq(&p->signals->lock);
	last = p->ntasks == 1;
	if (last)
		process_ends_locked(p, wait_status);
	spin_unlock_irq(&p->signals->lock, irq);
	if (last && p->pid == 1)
		end_of_machine(p->exit_code);
	task_farewell(t);
	drop_own_view(t);
	if (!last)
		thread_set_vmspace(t->thread, NULL);
	last = task_unpublish(t, wait_status);
	futex_exit_pi(t);
	if (last) {
		if (p->pid == 1)
			end_of_machine(p->exit_code);
		process_release(p);
		t->thread->user = NULL;
		task_destroy(t);
		become_zombie(p);
	} else {
		t->thread->user = NULL;
		task_destroy(t);
	}
	thread_exit();
}

void
process_interrupt_others_locked(struct process *p)
{
	struct task *t;

	TAILQ_FOREACH (t, &p->tasks, link)
		if (t != task_self())
			thread_interrupt(t->thread);
	waitq_wake_all(&p->signals->wq); /* stopped ones too */
}

void
process_exit(int wait_status)
{
	struct process *p = process_self();
	uint64_t irq = spin_lock_irq(&p->signals->lock);

	if (!p->exiting) {
		process_ends_locked(p, wait_status);
		process_interrupt_others_locked(p);
	}
	spin_unlock_irq(&p->signals->lock, irq);
	task_exit(p->exit_code);
}

int
process_become_single(void)
{
	struct task *self = task_self();
	struct process *p = self->process;
	uint64_t irq;
	int error = 0;

	if (p->ntasks == 1)
		return 0;
	irq = spin_lock_irq(&p->signals->lock);
	if (p->exiting || p->survivor != NULL)
		error = -EAGAIN;
	else
		p->survivor = self;
	process_interrupt_others_locked(p);
	spin_unlock_irq(&p->signals->lock, irq);
	if (error != 0)
		return error;
	wait_event(&p->child_wait, p->ntasks == 1);
	task_become_first(self);
	p->survivor = NULL;
	return 0;
}

long
sys_exit(int code)
{
	task_exit(WAIT_STATUS_EXIT(code));
}

long
sys_exit_group(int code)
{
	process_exit(WAIT_STATUS_EXIT(code));
}
