/* SPDX-License-Identifier: ISC */
/*
 * ptrace_stop.c - what a traced task does: it stops at calls, signals, events
 * and its end, and goes on as its tracer says.  ptrace(2).
 *
 * A stopped task sleeps in ptrace_stop().  Its registers in the trap frame are
 * the tracer's to change; FPU and segment bases are copied at the stop, and
 * taken back by the task itself when it goes on, so that a processor that
 * still holds the old ones cannot win.
 */
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/user.h"
#include "linux/ptrace.h"
#include "linux/seccomp.h"
#include "linux/syscalls.h"
#include "linux/trace.h"
#include "x86/cpu.h"
#include "x86/debugreg.h"
#include "x86/trapframe.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#define SYSGOOD 0x80

/* ---- telling the tracer ---- */

static void
tell_tracer_locked(struct tracee *tr, int code, int status)
{
	struct process *tracer = tr->tracer;
	struct sigaction *act = &tracer->sigactions->action[SIGCHLD - 1];
	siginfo_t info;

	tr->unreported = true;
	memset(&info, 0, sizeof(info));
	info.si_signo = SIGCHLD;
	info.si_code = code;
	info.si_pid = tr->tid;
	info.si_uid = creds_of_locked(tr->process, tr->task)->uid;
	info.si_status = status;
	if (code <= CLD_DUMPED || (act->sa_flags & SA_NOCLDSTOP) == 0)
		signal_post_process(tracer, &info);
	process_child_event(tracer);
}

/* ---- stopping ---- */

/*
 * No stop now?  After SIGKILL there is none, whichever task has taken it: two
 * processes that trace each other would wait for one another at their ends.
 */
static bool
has_no_stop(const struct task *t, bool at_end)
{
	return t->process->signals->killed || (!at_end && task_must_end(t));
}

static bool
goes_on(const struct tracee *tr, const struct task *t, bool at_end)
{
	enum tracee_state state = __atomic_load_n(&tr->state, __ATOMIC_ACQUIRE);

	if (state == TRACEE_RUNS || has_no_stop(t, at_end))
		return true;
	return state == TRACEE_LISTENS && t->trap_pending;
}

static void
enter_stop_locked(struct tracee *tr, const struct ptrace_stop *s)
{
	struct trapframe *tf = tf_of_thread();

	if (tr->stepping) {
		tf->rflags &= ~RFLAGS_TF;
		tr->stepping = false;
	}
	tr->refs++;
	tr->code = s->code;
	tr->resume = s->info != NULL && s->code >> 8 == 0 ? s->code : 0;
	tr->message = s->message;
	tr->op = s->op;
	tr->has_info = s->info != NULL;
	if (s->info != NULL)
		tr->info = *s->info;
	fpu_save(thread_self());
	tr->fsbase = user_fsbase();
	tr->gsbase = user_gsbase();
	tr->new_bases = false;
	tr->new_debug = false;
	tr->state = TRACEE_STOPPED;
	signal_trace_stop(task_self(), true);
	tell_tracer_locked(tr, s->info == NULL ? CLD_STOPPED : CLD_TRAPPED,
	    s->code & 0x7f);
}

static void
put_locked(struct tracee *tr)
{
	if (--tr->refs != 0)
		return;
	fpu_area_free(tr->new_fpu);
	kfree(tr);
}

/* What the tracer changed; the caller's signal details too. */
static int
leave_stop_locked(struct tracee *tr, siginfo_t *info)
{
	struct thread *self = thread_self();
	int signo = tr->resume;

	if (tr->state != TRACEE_RUNS) { /* killed, or there is news */
		tr->state = TRACEE_RUNS;
		tr->unreported = false;
		tr->mode = MODE_RUN;
		signo = 0;
	}
	if (info != NULL && tr->has_info)
		*info = tr->info;
	if (tr->new_bases) {
		user_set_fsbase(tr->fsbase);
		user_set_gsbase(tr->gsbase);
	}
	if (tr->new_debug)
		debugreg_load_self();
	if (tr->new_fpu != NULL)
		fpu_swap(self, &tr->new_fpu);
	tr->has_info = false;
	signal_trace_stop(task_self(), false);
	put_locked(tr);
	return signo;
}

static int
stop_with(const struct ptrace_stop *s, siginfo_t *info)
{
	struct task *t = task_self();
	struct process *p = t->process;
	struct tracee *tr;
	int signo;

	mutex_lock(&process_lock);
	tr = t->tracee;
	if (tr == NULL || has_no_stop(t, s->at_end)) {
		mutex_unlock(&process_lock);
		return s->code;
	}
	enter_stop_locked(tr, s);
	mutex_unlock(&process_lock);
	wait_event(&p->signals->wq, goes_on(tr, t, s->at_end));
	mutex_lock(&process_lock);
	signo = leave_stop_locked(tr, info);
	mutex_unlock(&process_lock);
	return signo;
}

int
ptrace_stop(const struct ptrace_stop *s)
{
	return stop_with(s, NULL);
}

static void
trap_info(siginfo_t *info, int code)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGTRAP;
	info->si_code = code;
	info->si_pid = task_self()->tid;
	info->si_uid = creds_self()->uid;
}

/* Did the tracer ask for it? */
static bool
wants(unsigned option)
{
	struct task *t = task_self();
	bool yes;

	if (t->tracee == NULL)
		return false;
	mutex_lock(&process_lock);
	yes = t->tracee != NULL && (t->tracee->options & option) != 0;
	mutex_unlock(&process_lock);
	return yes;
}

static void
stop_for_event(int event, uint64_t message)
{
	struct ptrace_stop s = { .code = SIGTRAP | event << 8,
		.message = message,
		.op = event == PTRACE_EVENT_SECCOMP ?
		    PTRACE_SYSCALL_INFO_SECCOMP :
		    PTRACE_SYSCALL_INFO_NONE,
		.at_end = event == PTRACE_EVENT_EXIT };
	siginfo_t info;

	trap_info(&info, s.code);
	s.info = &info;
	ptrace_stop(&s);
}

void
ptrace_event(int event, uint64_t message)
{
	if (wants(1u << event))
		stop_for_event(event, message);
}

bool
ptrace_seccomp(uint32_t data)
{
	if (!wants(PTRACE_O_TRACESECCOMP))
		return false;
	stop_for_event(PTRACE_EVENT_SECCOMP, data);
	return true;
}

/* ---- signals ---- */

/* The tracer chose another signal: it comes from the tracer then. */
static void
info_of_tracer(siginfo_t *info, int signo)
{
	struct task *t = task_self();

	memset(info, 0, sizeof(*info));
	info->si_signo = signo;
	info->si_code = SI_USER;
	mutex_lock(&process_lock);
	if (t->tracee != NULL) {
		info->si_pid = t->tracee->tracer->pid;
		info->si_uid = t->tracee->tracer->creds->uid;
	}
	mutex_unlock(&process_lock);
}

int
ptrace_signal(int signo, siginfo_t *info)
{
	struct ptrace_stop s = { .code = signo, .info = info };
	struct task *t = task_self();
	siginfo_t after = *info;
	int chosen = stop_with(&s, &after);

	if (chosen == 0)
		return 0;
	*info = after;
	if (chosen != info->si_signo)
		info_of_tracer(info, chosen);
	if ((t->signals->mask & SIGBIT(chosen)) != 0) {
		signal_post_task(t, info);
		return 0;
	}
	return chosen;
}

/* What a stop without a signal tells: the group's, or the tracer's own. */
static int
trap_code(const struct process *p, bool seized)
{
	int signo = p->signals->stopped ? p->signals->stop_signo : SIGTRAP;

	return seized ? signo | PTRACE_EVENT_STOP << 8 : signo;
}

bool
ptrace_trap(void)
{
	struct task *t = task_self();
	struct process *p = t->process;
	struct ptrace_stop s = { 0 };
	bool due, group;
	siginfo_t info;
	uint64_t irq;

	irq = spin_lock_irq(&p->signals->lock);
	group = p->signals->stopped && !t->stop_passed;
	due = group || (t->trap_pending && (t->seized || p->signals->stopped));
	t->trap_pending = false;
	s.code = trap_code(p, t->seized);
	if (t->seized) { /* the details are the same words */
		trap_info(&info, s.code);
		s.info = &info;
	}
	spin_unlock_irq(&p->signals->lock, irq);
	if (!due)
		return false;
	if (group)
		signal_take_part_in_stop();
	ptrace_stop(&s);
	irq = spin_lock_irq(&p->signals->lock);
	t->stop_passed = t->traced && p->signals->stopped && !t->trap_pending;
	spin_unlock_irq(&p->signals->lock, irq);
	return true;
}

bool
ptrace_take_step(struct trapframe *tf)
{
	struct task *t = task_self();
	bool stepping;

	mutex_lock(&process_lock);
	stepping = t->tracee != NULL && t->tracee->stepping;
	if (stepping) {
		tf->rflags &= ~RFLAGS_TF;
		t->tracee->stepping = false;
	}
	mutex_unlock(&process_lock);
	return stepping;
}

static void
stop_after_step(int code)
{
	struct ptrace_stop s = { .code = SIGTRAP };
	siginfo_t info;

	trap_info(&info, code);
	info.si_addr = (void *)tf_of_thread()->rip;
	s.info = &info;
	ptrace_stop(&s);
}

void
ptrace_handler_stop(void)
{
	stop_after_step(SI_USER);
}

/* ---- system calls ---- */

/* How the tracer let the caller go on. */
static enum tracee_mode
mode_now(bool *good)
{
	struct task *t = task_self();
	enum tracee_mode mode = MODE_RUN;

	if (t->tracee == NULL)
		return mode;
	mutex_lock(&process_lock);
	if (t->tracee != NULL) {
		mode = t->tracee->mode;
		*good = (t->tracee->options & PTRACE_O_TRACESYSGOOD) != 0;
	}
	mutex_unlock(&process_lock);
	return mode;
}

static void
stop_at_call(uint8_t op, bool good)
{
	struct ptrace_stop s = { .code = SIGTRAP | (good ? SYSGOOD : 0),
		.message = op,
		.op = op };
	siginfo_t info;
	int signo;

	trap_info(&info, s.code);
	s.info = &info;
	signo = ptrace_stop(&s);
	if (signo != 0 && signo != s.code && signo <= SIGNAL_MAX)
		signal_send_self(signo);
}

static void
call_plainly(struct trapframe *tf)
{
	if (trace_is_on())
		syscall_dispatch_traced(tf);
	else
		syscall_dispatch(tf);
}

void
ptrace_dispatch(struct trapframe *tf)
{
	bool good = false, emulated;
	enum tracee_mode mode = mode_now(&good);

	if (mode == MODE_CALLS || mode == MODE_EMULATE) {
		tf->rax = -ENOSYS;
		stop_at_call(PTRACE_SYSCALL_INFO_ENTRY, good);
	}
	emulated = mode == MODE_EMULATE;
	if (!emulated && (int32_t)tf->orig_rax != -1 && seccomp_allows(tf))
		call_plainly(tf);
	mode = mode_now(&good);
	if (mode == MODE_CALLS && !emulated)
		stop_at_call(PTRACE_SYSCALL_INFO_EXIT, good);
	else if (mode == MODE_STEP && ptrace_take_step(tf))
		stop_after_step(TRAP_BRKPT);
}

/* ---- births, programs, ends ---- */

static int
event_of_clone(uint64_t flags, int exit_signal)
{
	if ((flags & CLONE_VFORK) != 0)
		return PTRACE_EVENT_VFORK;
	return exit_signal != SIGCHLD ? PTRACE_EVENT_CLONE : PTRACE_EVENT_FORK;
}

/* The first thing that a task does which was traced from its birth. */
static void
begin_stopped(struct task *t, bool seized)
{
	siginfo_t info = { 0 };
	uint64_t irq;

	if (seized) {
		irq = spin_lock_irq(&t->process->signals->lock);
		t->trap_pending = true;
		thread_interrupt(t->thread);
		spin_unlock_irq(&t->process->signals->lock, irq);
		return;
	}
	info.si_signo = SIGSTOP;
	info.si_code = SI_USER;
	signal_post_task(t, &info);
}

int
ptrace_clone_begin(struct task *t, uint64_t flags, int exit_signal)
{
	struct task *self = task_self();
	int event = event_of_clone(flags, exit_signal);
	struct tracee *tr;

	if (self->tracee == NULL || (flags & CLONE_UNTRACED) != 0)
		return 0;
	mutex_lock(&process_lock);
	tr = self->tracee;
	if (tr != NULL && (tr->options & 1u << event) == 0)
		event = 0;
	/* It can be found already: somebody may have been faster. */
	if (tr != NULL && (event != 0 || (flags & CLONE_PTRACE) != 0) &&
	    t->tracee == NULL &&
	    tracee_attach_locked(t, tr->tracer, tr->seized, tr->options) == 0)
		begin_stopped(t, tr->seized);
	mutex_unlock(&process_lock);
	return tr != NULL ? event : 0;
}

/* The number of a task that took over its process's changed. */
void
ptrace_exec(int32_t old_tid)
{
	struct task *t = task_self();
	struct tracee *first, *tr;
	bool event = false, seized = true;

	if (t->tracee == NULL && t->process->leader_tracee == NULL)
		return;
	mutex_lock(&process_lock);
	first = t->process->leader_tracee;
	tr = t->tracee;
	if (first != NULL)
		tracee_reap_locked(first);
	if (tr != NULL) {
		tr->tid = t->tid;
		event = (tr->options & PTRACE_O_TRACEEXEC) != 0;
		seized = tr->seized;
	}
	mutex_unlock(&process_lock);
	if (event)
		stop_for_event(PTRACE_EVENT_EXEC, old_tid);
	else if (!seized)
		signal_send_self(SIGTRAP);
}

bool
ptrace_limits_exec(void)
{
	struct task *t = task_self();
	bool limits;

	if (t->tracee == NULL)
		return false;
	mutex_lock(&process_lock);
	limits = t->tracee != NULL &&
	    (t->tracee->tracer->creds->cap_effective &
		1ull << CAP_SYS_PTRACE) == 0;
	mutex_unlock(&process_lock);
	return limits;
}

static void
tell_end_locked(struct tracee *tr, int status)
{
	int signo = status & 0x7f;

	tr->state = TRACEE_ENDED;
	tr->code = status;
	tell_tracer_locked(tr, signo != 0 ? CLD_KILLED : CLD_EXITED,
	    signo != 0 ? signo : status >> 8);
}

void
ptrace_task_ends_locked(struct task *t, int status)
{
	struct tracee *tr = t->tracee;

	if (tr == NULL)
		return;
	t->tracee = NULL;
	tr->task = NULL;
	if (t->tid == t->process->pid)
		t->process->leader_tracee = tr;
	else
		tell_end_locked(tr, status);
}

bool
ptrace_process_ended_locked(struct process *p)
{
	struct tracee *tr = p->leader_tracee;

	if (tr != NULL && tr->tracer == p->parent)
		tracee_reap_locked(tr);
	else if (tr != NULL)
		tell_end_locked(tr, p->exit_code);
	return p->ntracees == 0;
}
