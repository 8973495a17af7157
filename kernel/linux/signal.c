/* SPDX-License-Identifier: ISC */
/*
 * signal.c - what is pending, who gets it, and what it does when no handler
 * is there.  signal(7).  Frames for handlers are in sigframe.c.
 *
 * Owns the pending sets and the actions.  Process 1 is protected as on Linux:
 * a signal whose action is the default does nothing to it, except a fault of
 * its own.  That is for an init system.  When the host runs one program as the
 * machine (it then offers a control channel) people expect ^C, kill and
 * abort() to do to that program what they do elsewhere, so the protection is
 * off then: signal_state.init_runs_alone.
 */
#include "linux/core.h"
#include "linux/signal.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "linux/itimer.h"
#include "linux/process.h"
#include "linux/ptrace.h"
#include "linux/sigframe.h"
#include "linux/sys_signal.h"
#include "linux/trace.h"
#include "x86/trapframe.h"
#include <asm/unistd_64.h>
#include <linux/errno.h>

#define SIGS_STOP \
	(SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
#define SIGS_CORE                                                \
	(SIGBIT(SIGQUIT) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) |    \
	    SIGBIT(SIGABRT) | SIGBIT(SIGBUS) | SIGBIT(SIGFPE) |  \
	    SIGBIT(SIGSEGV) | SIGBIT(SIGSYS) | SIGBIT(SIGXCPU) | \
	    SIGBIT(SIGXFSZ))
#define SIGS_IGNORED \
	(SIGBIT(SIGCHLD) | SIGBIT(SIGCONT) | SIGBIT(SIGURG) | SIGBIT(SIGWINCH))
#define SIGS_UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
/* Taken first: they are about the instruction just run. */
#define SIGS_SYNCHRONOUS                                                       \
	(SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | \
	    SIGBIT(SIGFPE) | SIGBIT(SIGSYS))

/* ---- life ---- */

int
sigactions_create(const struct sigactions *from, struct sigactions **out)
{
	struct sigactions *sa = kzalloc(sizeof(*sa));

	if (sa == NULL)
		return -ENOMEM;
	if (from != NULL)
		memcpy(sa->action, from->action, sizeof(sa->action));
	sa->refs = 1;
	*out = sa;
	return 0;
}

void
sigactions_get(struct sigactions *sa)
{
	__atomic_add_fetch(&sa->refs, 1, __ATOMIC_RELAXED);
}

void
sigactions_put(struct sigactions *sa)
{
	if (__atomic_sub_fetch(&sa->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(sa);
}

int
signal_state_create(struct signal_state **out)
{
	struct signal_state *ss = kzalloc(sizeof(*ss));

	if (ss == NULL)
		return -ENOMEM;
	TAILQ_INIT(&ss->queue);
	waitq_init(&ss->wq);
	ss->altstack_flags = SS_DISABLE;
	*out = ss;
	return 0;
}

static void
drop_queued_locked(struct signal_state *ss, uint64_t set)
{
	struct sigqueue *q, *next;

	ss->pending &= ~set;
	TAILQ_FOREACH_SAFE (q, &ss->queue, link, next) {
		if ((SIGBIT(q->info.si_signo) & set) == 0)
			continue;
		TAILQ_REMOVE(&ss->queue, q, link);
		ss->nqueued--;
		kfree(q);
	}
}

void
signal_state_destroy(struct signal_state *ss)
{
	if (!waitq_empty(&ss->wq))
		signalfd_forget(&ss->wq);
	drop_queued_locked(ss, ~0ull);
	kfree(ss);
}

int
signal_exec(struct process *p)
{
	struct sigactions *old = p->sigactions, *new = old;
	struct signal_state *ss = task_self()->signals;
	uint64_t irq;
	unsigned i;

	if (old->refs != 1) {
		int error = sigactions_create(old, &new);

		if (error != 0)
			return error;
	}
	irq = spin_lock_irq(&p->signals->lock);
	for (i = 0; i < SIGNAL_MAX; i++) {
		struct sigaction *a = &new->action[i];

		if (a->sa_handler != SIG_IGN)
			a->sa_handler = SIG_DFL;
		a->sa_flags = 0;
		a->sa_restorer = NULL;
		a->sa_mask = 0;
	}
	p->sigactions = new;
	ss->altstack = ss->altstack_size = 0;
	ss->altstack_flags = SS_DISABLE;
	spin_unlock_irq(&p->signals->lock, irq);
	if (new != old)
		sigactions_put(old);
	return 0;
}

/* ---- what a signal would do ---- */

static bool protected(const struct process *p)
{
	return p->pid == 1 && !p->signals->init_runs_alone;
}

/* Nothing would happen: no use in making it pending. */
static bool
ignored_locked(const struct process *p, int signo)
{
	__sighandler_t handler = p->sigactions->action[signo - 1].sa_handler;

	if (handler == SIG_DFL && protected(p))
		return true;
	return handler == SIG_IGN ||
	    (handler == SIG_DFL && (SIGBIT(signo) & SIGS_IGNORED) != 0);
}

/* ---- sending ---- */

static uint64_t
pending_set(const struct task *t)
{
	return t->signals->pending | t->process->signals->pending;
}

static bool
deliverable(const struct task *t)
{
	return (pending_set(t) & ~t->signals->mask) != 0;
}

/*
 * Wakes one task that may take it; the first one by preference.  Who is in a
 * stop of its tracer's looks at its end.
 */
static void
wake_one_locked(struct process *p, int signo)
{
	struct task *t;

	TAILQ_FOREACH (t, &p->tasks, link)
		if (!t->ends && !t->trace_stopped &&
		    (t->signals->mask & SIGBIT(signo)) == 0) {
			thread_interrupt(t->thread);
			return;
		}
}

static void
wake_all_tasks_locked(struct process *p)
{
	struct task *t;

	TAILQ_FOREACH (t, &p->tasks, link)
		thread_interrupt(t->thread);
}

/* Whoever listens for the end of a group's stop. */
static void
tell_seized_locked(struct process *p)
{
	struct task *t;

	TAILQ_FOREACH (t, &p->tasks, link) {
		t->stop_passed = false;
		if (!t->seized)
			continue;
		t->trap_pending = true;
		thread_interrupt(t->thread);
	}
}

static void
continue_locked(struct process *p)
{
	struct task *t;

	drop_queued_locked(p->signals, SIGS_STOP);
	TAILQ_FOREACH (t, &p->tasks, link)
		drop_queued_locked(t->signals, SIGS_STOP);
	tell_seized_locked(p);
	if (!p->signals->stopped)
		return;
	TAILQ_FOREACH (t, &p->tasks, link)
		t->stop_due = false;
	p->signals->to_stop = 0;
	p->signals->stopped = false;
	p->signals->continued = true;
	wake_all_tasks_locked(p);
	waitq_wake_all(&p->signals->wq);
}

static void
forget_continue_locked(struct process *p)
{
	struct task *t;

	drop_queued_locked(p->signals, SIGBIT(SIGCONT));
	TAILQ_FOREACH (t, &p->tasks, link)
		drop_queued_locked(t->signals, SIGBIT(SIGCONT));
}

/* More than the limit wait already; counted a process, not a user. */
static bool
queue_full(const struct process *p, const struct signal_state *ss)
{
	return ss->nqueued >= p->rlimits[RLIMIT_SIGPENDING].rlim_cur;
}

/*
 * Details of a signal that was sent by a program's value (rt_sigqueueinfo)
 * may not be lost: -EAGAIN.  Others are pending without them.
 */
static int
enqueue_locked(struct process *p, struct signal_state *ss,
    const siginfo_t *info)
{
	int signo = info->si_signo;
	struct sigqueue *q = NULL;

	if (signo < SIGRTMIN && (ss->pending & SIGBIT(signo)) != 0)
		return 0;
	if (signo != SIGKILL && !queue_full(p, ss))
		q = kmalloc(sizeof(*q));
	if (q != NULL) {
		q->info = *info;
		TAILQ_INSERT_TAIL(&ss->queue, q, link);
		ss->nqueued++;
	} else if (signo >= SIGRTMIN && info->si_code != SI_USER &&
	    info->si_code != SI_KERNEL) {
		return -EAGAIN;
	}
	ss->pending |= SIGBIT(signo);
	return 0;
}

static bool
nobody_wants_locked(struct process *p, struct task *t, int signo)
{
	struct task *other;

	if (!ignored_locked(p, signo))
		return false;
	TAILQ_FOREACH (other, &p->tasks, link)
		if (other->traced) /* the tracer wants to see it */
			return false;
	if (t != NULL)
		return (t->signals->mask & SIGBIT(signo)) == 0;
	TAILQ_FOREACH (other, &p->tasks, link)
		if ((other->signals->mask & SIGBIT(signo)) == 0)
			return true;
	return TAILQ_EMPTY(&p->tasks);
}

/*
 * To the task, or to the process if t is NULL.  SIGKILL is for the process, and
 * all its tasks hear of it: one of them may end by itself just now, or wait for
 * another one that sleeps.
 */
static int
post_locked(struct process *p, struct task *t, const siginfo_t *info)
{
	int signo = info->si_signo, error;
	struct signal_state *ss;

	if (signo == SIGKILL)
		t = NULL;
	ss = t != NULL ? t->signals : p->signals;
	if (signo == SIGCONT || signo == SIGKILL)
		continue_locked(p);
	else if ((SIGBIT(signo) & SIGS_STOP) != 0)
		forget_continue_locked(p);
	if (nobody_wants_locked(p, t, signo))
		return 0;
	p->signals->killed |= signo == SIGKILL && !protected(p);
	error = enqueue_locked(p, ss, info);
	if (error != 0)
		return error;
	if (signo == SIGKILL)
		wake_all_tasks_locked(p);
	else if (t == NULL)
		wake_one_locked(p, signo);
	else if ((t->signals->mask & SIGBIT(signo)) == 0)
		thread_interrupt(t->thread);
	waitq_wake_all(&p->signals->wq);
	return 0;
}

static int
post(struct process *p, struct task *t, const siginfo_t *info)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	int error = post_locked(p, t, info);

	spin_unlock_irq(&p->signals->lock, irq);
	return error;
}

int
signal_post_process(struct process *p, const siginfo_t *info)
{
	return post(p, NULL, info);
}

int
signal_post_task(struct task *t, const siginfo_t *info)
{
	return post(t->process, t, info);
}

static void
kernel_info(siginfo_t *info, int signo)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = signo;
	info->si_code = SI_KERNEL;
}

void
signal_send_process(struct process *p, int signo)
{
	siginfo_t info;

	kernel_info(&info, signo);
	post(p, NULL, &info);
}

void
signal_send_task(struct task *t, int signo)
{
	siginfo_t info;

	kernel_info(&info, signo);
	post(t->process, t, &info);
}

void
signal_send_self(int signo)
{
	signal_send_task(task_self(), signo);
}

struct pgrp_send {
	int32_t pgid;
	int signo;
	unsigned n;
};

static bool
send_if_member(struct process *p, void *arg)
{
	struct pgrp_send *s = arg;

	if (p->pgid == s->pgid) {
		signal_send_process(p, s->signo);
		s->n++;
	}
	return true;
}

unsigned
signal_send_pgrp(int32_t pgid, int signo)
{
	struct pgrp_send s = { pgid, signo, 0 };
	uint64_t irq = spin_lock_irq(&process_list_lock);

	process_foreach_locked(send_if_member, &s);
	spin_unlock_irq(&process_list_lock, irq);
	return s.n;
}

/* Blocked or ignored, it would fault for ever: then it kills. */
static void
force(const siginfo_t *info)
{
	struct task *t = task_self();
	struct process *p = t->process;
	struct sigaction *act = &p->sigactions->action[info->si_signo - 1];
	uint64_t irq = spin_lock_irq(&p->signals->lock);

	if (act->sa_handler == SIG_IGN ||
	    (t->signals->mask & SIGBIT(info->si_signo)) != 0)
		act->sa_handler = SIG_DFL;
	t->signals->mask &= ~SIGBIT(info->si_signo);
	if (act->sa_handler == SIG_DFL)
		p->signals->init_runs_alone = true; /* protection ends */
	post_locked(p, t, info);
	spin_unlock_irq(&p->signals->lock, irq);
}

void
signal_force_self(int signo)
{
	siginfo_t info;

	kernel_info(&info, signo);
	force(&info);
}

void
signal_force_info(const siginfo_t *info)
{
	force(info);
}

/* ---- receiving ---- */

bool
signal_pending(void)
{
	return thread_self()->interrupted && deliverable(task_self());
}

static bool
must_stop(const struct process *p, const struct task *t)
{
	return p->signals->stopped && !t->stop_passed;
}

bool
signal_before_fork(void)
{
	struct task *t = task_self();
	struct process *p = t->process;

	return deliverable(t) || must_stop(p, t) || p->signals->killed ||
	    task_must_end(t);
}

/* Which of a set goes first. */
static int
first_signal(uint64_t set)
{
	if ((set & SIGS_SYNCHRONOUS) != 0)
		set &= SIGS_SYNCHRONOUS;
	return __builtin_ctzll(set) + 1;
}

/* Takes one from ss; its details, as sent by nobody if they were lost. */
static void
dequeue_locked(struct signal_state *ss, int signo, siginfo_t *info)
{
	struct sigqueue *q, *taken = NULL;
	bool more = false;

	TAILQ_FOREACH (q, &ss->queue, link) {
		if (q->info.si_signo != signo)
			continue;
		if (taken != NULL) {
			more = true;
			break;
		}
		taken = q;
	}
	if (!more)
		ss->pending &= ~SIGBIT(signo);
	if (taken == NULL) {
		memset(info, 0, sizeof(*info));
		info->si_signo = signo;
		info->si_code = SI_USER;
		return;
	}
	*info = taken->info;
	TAILQ_REMOVE(&ss->queue, taken, link);
	ss->nqueued--;
	kfree(taken);
}

/* 0: none of the set is pending. */
static int
take_locked(struct task *t, uint64_t set, siginfo_t *info)
{
	struct signal_state *ss = t->signals;
	int signo;

	if ((ss->pending & set) == 0)
		ss = t->process->signals;
	if ((ss->pending & set) == 0)
		return 0;
	signo = first_signal(ss->pending & set);
	dequeue_locked(ss, signo, info);
	return signo;
}

bool
signal_take(uint64_t set, siginfo_t *info)
{
	struct task *t = task_self();
	uint64_t irq = spin_lock_irq(&t->process->signals->lock);
	int signo = take_locked(t, set, info);

	spin_unlock_irq(&t->process->signals->lock, irq);
	if (signo != 0)
		posix_timer_signal_taken(info);
	return signo != 0;
}

bool
signal_poll(uint64_t set)
{
	return (pending_set(task_self()) & set) != 0;
}

/*
 * Tells the parent that the process stopped, unless it does not any more, or
 * goes on.
 */
static void
report_stop(struct process *p, int signo)
{
	mutex_lock(&process_lock);
	if (signo != SIGCONT && !p->signals->stopped) {
		mutex_unlock(&process_lock);
		return;
	}
	p->stop_unreported = signo != SIGCONT;
	p->cont_unreported = signo == SIGCONT;
	process_notify_parent_locked(p,
	    signo == SIGCONT ? CLD_CONTINUED : CLD_STOPPED, signo);
	mutex_unlock(&process_lock);
}

/* The last one of its process that had to stop?  Then the parent is told. */
static bool
take_part_locked(struct process *p, struct task *t)
{
	if (!t->stop_due)
		return false;
	t->stop_due = false;
	return --p->signals->to_stop == 0 && !p->exiting;
}

/* What is pending for the process and this task would have taken. */
void
signal_task_ends(struct task *t)
{
	struct process *p = t->process;
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	uint64_t left = p->signals->pending & ~t->signals->mask;
	bool last = take_part_locked(p, t);
	int signo;

	t->ends = true;
	for (; left != 0; left &= left - 1) {
		signo = __builtin_ctzll(left) + 1;
		wake_one_locked(p, signo);
	}
	spin_unlock_irq(&p->signals->lock, irq);
	if (last)
		report_stop(p, p->signals->stop_signo);
}

void
signal_trace_stop(struct task *t, bool stopped)
{
	struct process *p = t->process;
	uint64_t irq = spin_lock_irq(&p->signals->lock);

	t->trace_stopped = stopped;
	if (!stopped && deliverable(t))
		thread_interrupt(t->thread);
	spin_unlock_irq(&p->signals->lock, irq);
}

/* ---- masks ---- */

void
signal_mask_set(uint64_t mask)
{
	struct task *t = task_self();
	struct process *p = t->process;
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	uint64_t newly = mask & ~t->signals->mask & p->signals->pending;

	t->signals->mask = mask & ~SIGS_UNBLOCKABLE;
	if (deliverable(t))
		thread_interrupt(t->thread);
	/* What this task no longer takes, another may. */
	if (newly != 0 && p->ntasks > 1)
		wake_one_locked(p, first_signal(newly));
	spin_unlock_irq(&p->signals->lock, irq);
}

void
signal_mask_set_temporarily(uint64_t mask)
{
	struct signal_state *ss = task_self()->signals;

	ss->saved_mask = ss->mask;
	ss->mask_saved = true;
	signal_mask_set(mask);
}

void
signal_mask_restore(void)
{
	struct signal_state *ss = task_self()->signals;

	if (!ss->mask_saved)
		return;
	ss->mask_saved = false;
	signal_mask_set(ss->saved_mask);
}

void
signal_sets(struct process *p, struct task *t, struct signal_sets *out)
{
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	unsigned i;

	memset(out, 0, sizeof(*out));
	out->shared_pending = p->signals->pending;
	out->queued = p->signals->nqueued;
	if (t != NULL) {
		out->pending = t->signals->pending;
		out->blocked = t->signals->mask;
		out->queued += t->signals->nqueued;
	}
	for (i = 0; i < SIGNAL_MAX; i++) {
		__sighandler_t h = p->sigactions->action[i].sa_handler;

		if (h == SIG_IGN)
			out->ignored |= 1ull << i;
		else if (h != SIG_DFL)
			out->caught |= 1ull << i;
	}
	spin_unlock_irq(&p->signals->lock, irq);
}

int
signal_action(int signo, const struct sigaction *new, struct sigaction *old)
{
	struct process *p = process_self();
	struct sigaction *act = &p->sigactions->action[signo - 1];
	struct task *t;
	uint64_t irq;

	irq = spin_lock_irq(&p->signals->lock);
	if (old != NULL)
		*old = *act;
	if (new != NULL) {
		spin_lock(&p->sigactions->lock);
		*act = *new;
		act->sa_mask &= ~SIGS_UNBLOCKABLE;
		spin_unlock(&p->sigactions->lock);
		/* POSIX: what is pending and now ignored is dropped. */
		if (ignored_locked(p, signo) && !protected(p)) {
			drop_queued_locked(p->signals, SIGBIT(signo));
			TAILQ_FOREACH (t, &p->tasks, link)
				drop_queued_locked(t->signals, SIGBIT(signo));
		}
	}
	spin_unlock_irq(&p->signals->lock, irq);
	return 0;
}

/* ---- delivery ---- */

/* A stop from the terminal means nothing to a group that nobody watches. */
static bool
stop_has_no_effect(struct process *p, int signo)
{
	bool orphaned;

	if (signo == SIGSTOP)
		return false;
	mutex_lock(&process_lock);
	orphaned = pgrp_is_orphaned_locked(p->pgid);
	mutex_unlock(&process_lock);
	return orphaned;
}

static void
stop(struct process *p, int signo)
{
	uint64_t irq;
	struct task *t;

	if (stop_has_no_effect(p, signo))
		return;
	irq = spin_lock_irq(&p->signals->lock);
	if (!p->signals->stopped && !p->exiting && !p->signals->killed &&
	    (pending_set(task_self()) & SIGBIT(SIGCONT)) == 0) {
		p->signals->stopped = true;
		p->signals->stop_signo = signo;
		p->signals->to_stop = 0;
		TAILQ_FOREACH (t, &p->tasks, link) {
			t->stop_passed = false;
			t->stop_due = !t->ends;
			p->signals->to_stop += t->stop_due;
			if (t != task_self())
				thread_interrupt(t->thread);
		}
	}
	spin_unlock_irq(&p->signals->lock, irq);
	/* Who was continued and has not run yet stops once more. */
	waitq_wake_all(&p->signals->wq);
}

void
signal_take_part_in_stop(void)
{
	struct process *p = process_self();
	uint64_t irq = spin_lock_irq(&p->signals->lock);
	bool last = take_part_locked(p, task_self());

	spin_unlock_irq(&p->signals->lock, irq);
	if (last)
		report_stop(p, p->signals->stop_signo);
}

/*
 * Sleeps while the process is stopped; only SIGCONT and SIGKILL end that, and
 * another stop, in which the caller must take part.
 */
static void
stay_stopped(struct process *p)
{
	struct task *t = task_self();
	uint64_t irq;
	bool report;

	signal_take_part_in_stop();
	wait_event(&p->signals->wq,
	    !p->signals->stopped || task_must_end(t) || t->trap_pending ||
		t->stop_due);
	irq = spin_lock_irq(&p->signals->lock);
	report = p->signals->continued;
	p->signals->continued = false;
	spin_unlock_irq(&p->signals->lock, irq);
	if (report)
		report_stop(p, SIGCONT);
}

/* The default action of a signal that was taken. */
static void
act_by_default(struct process *p, int signo, const siginfo_t *info)
{
	if ((SIGBIT(signo) & SIGS_IGNORED) != 0 || protected(p))
		return;
	if ((SIGBIT(signo) & SIGS_STOP) != 0) {
		stop(p, signo);
		return;
	}
	if ((SIGBIT(signo) & SIGS_CORE) != 0)
		core_exit(info);
	process_exit(WAIT_STATUS_SIGNAL(signo));
}

/* What is to be done for a signal; a handler may be for one time only. */
static void
take_action_locked(struct process *p, int signo, struct sigaction *act)
{
	struct sigaction *a = &p->sigactions->action[signo - 1];

	*act = *a;
	if (a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN &&
	    (a->sa_flags & SA_RESETHAND) != 0)
		a->sa_handler = SIG_DFL;
}

/* The same once the tracer has had its say.  0: it made nothing of it. */
static int
show_tracer(struct process *p, int signo, siginfo_t *info,
    struct sigaction *act)
{
	uint64_t irq;

	if (signo != SIGKILL)
		signo = ptrace_signal(signo, info);
	if (signo == 0)
		return 0;
	irq = spin_lock_irq(&p->signals->lock);
	take_action_locked(p, signo, act);
	spin_unlock_irq(&p->signals->lock, irq);
	return signo;
}

/* Stops that are due; does not return if the caller shall end. */
static void
before_signals(struct process *p, struct task *t)
{
	for (;;) {
		if (task_must_end(t))
			task_exit(p->exit_code);
		if (t->traced && ptrace_trap())
			continue;
		if (!must_stop(p, t) && !p->signals->continued)
			return;
		stay_stopped(p);
		if (!t->trap_pending && !task_must_end(t) && !t->stop_due)
			return;
	}
}

/* The next signal that is not blocked, its action copied; 0: none is left. */
static int
next_signal(struct process *p, struct task *t, siginfo_t *info,
    struct sigaction *act)
{
	bool traced;
	uint64_t irq;
	int signo;

	for (;;) {
		before_signals(p, t);
		irq = spin_lock_irq(&p->signals->lock);
		traced = t->traced;
		signo = take_locked(t, ~t->signals->mask, info);
		if (signo == 0)
			t->thread->interrupted = task_must_end(t) ||
			    must_stop(p, t) || t->trap_pending;
		else if (!traced)
			take_action_locked(p, signo, act);
		spin_unlock_irq(&p->signals->lock, irq);
		if (signo == 0 && t->thread->interrupted)
			continue;
		if (signo == 0)
			return 0;
		posix_timer_signal_taken(info);
		if (traced && (signo = show_tracer(p, signo, info, act)) == 0)
			continue;
		return signo;
	}
}

/* The next signal with a handler; 0: none is left. */
static int
next_handled(struct process *p, struct task *t, siginfo_t *info,
    struct sigaction *act)
{
	int signo;

	while ((signo = next_signal(p, t, info, act)) != 0) {
		trace_signal(t, info);
		if (act->sa_handler == SIG_IGN)
			continue;
		if (act->sa_handler != SIG_DFL)
			return signo;
		act_by_default(p, signo, info);
	}
	return 0;
}

/* Back to before the instruction, with the number that it had. */
static void
call_again(struct trapframe *tf, uint64_t nr)
{
	tf->rax = nr;
	tf->rip -= 2; /* syscall */
}

/*
 * What becomes of an interrupted call: `act` is the handler that runs first,
 * NULL if none does.  signal(7), "Interruption of system calls".
 */
static void
settle_call(struct trapframe *tf, const struct sigaction *act)
{
	if (tf->orig_rax == ~0ull)
		return;
	switch (-(int64_t)tf->rax) {
	case ERESTARTSYS:
		if (act != NULL && (act->sa_flags & SA_RESTART) == 0)
			tf->rax = -EINTR;
		else
			call_again(tf, tf->orig_rax);
		break;
	case ERESTARTNOHAND:
		if (act != NULL)
			tf->rax = -EINTR;
		else
			call_again(tf, tf->orig_rax);
		break;
	case ERESTARTNOINTR: call_again(tf, tf->orig_rax); break;
	case ERESTART_RESTARTBLOCK:
		if (act != NULL)
			tf->rax = -EINTR;
		else
			call_again(tf, __NR_restart_syscall);
		break;
	default: return;
	}
	tf->orig_rax = ~0ull;
}

/* Runs one handler: its frame, and the mask that holds meanwhile. */
static void
handle(struct trapframe *tf, struct task *t, int signo, const siginfo_t *info,
    const struct sigaction *act)
{
	struct signal_state *ss = t->signals;
	uint64_t back = ss->mask_saved ? ss->saved_mask : ss->mask;
	uint64_t mask = ss->mask | act->sa_mask;
	bool stepped = t->traced && ptrace_take_step(tf);

	if (sigframe_push(tf, signo, info, act, back) != 0) {
		log_info("%s[%d]: no stack for the handler of signal %d, "
			 "ip:%lx sp:%lx",
		    t->comm, t->tid, signo, tf->rip, tf->rsp);
		if (signo == SIGSEGV)
			t->process->sigactions->action[SIGSEGV - 1].sa_handler =
			    SIG_DFL;
		signal_force_self(SIGSEGV);
		return;
	}
	ss->mask_saved = false;
	if ((act->sa_flags & SA_NODEFER) == 0)
		mask |= SIGBIT(signo);
	signal_mask_set(mask);
	if (stepped)
		ptrace_handler_stop();
}

void
signal_work(struct trapframe *tf)
{
	struct task *t = task_self();
	struct sigaction act;
	siginfo_t info;
	int signo;

	while ((signo = next_handled(t->process, t, &info, &act)) != 0) {
		settle_call(tf, &act);
		handle(tf, t, signo, &info, &act);
	}
	settle_call(tf, NULL);
	signal_mask_restore();
}

long
restart_later(long (*fn)(struct restart_block *rb), int64_t deadline_ns,
    uint64_t arg0, uint64_t arg1)
{
	struct restart_block *rb = &task_self()->restart;

	rb->fn = fn;
	rb->deadline_ns = deadline_ns;
	rb->arg[0] = arg0;
	rb->arg[1] = arg1;
	return -ERESTART_RESTARTBLOCK;
}
