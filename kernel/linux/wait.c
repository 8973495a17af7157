/* SPDX-License-Identifier: ISC */
/*
 * wait.c - wait4(2) and waitid(2): what became of one's children.
 */
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/pidfd.h"
#include "linux/process.h"
#include "linux/ptrace.h"
#include "linux/rusage.h"
#include "linux/signal.h"
#include "linux/sys_process.h"
#include <linux/errno.h>
#include <linux/wait.h>

/* What is waited for, and what was found. */
struct wait_query {
	int which; /* P_ALL, P_PID, P_PGID */
	int32_t id;
	unsigned options;
	bool nonblock; /* waitid: nothing yet is -EAGAIN */
	/* The answer: */
	int32_t pid;
	uint32_t uid;
	int status;     /* wait4's word */
	int code, info; /* waitid's si_code, si_status */
	struct rusage usage;
};

static bool
wanted(const struct wait_query *q, const struct process *c)
{
	bool clone_child = c->exit_signal != SIGCHLD;

	if (q->which == P_PID && c->pid != q->id)
		return false;
	if (q->which == P_PGID && c->pgid != q->id)
		return false;
	if ((q->options & __WALL) != 0)
		return true;
	return clone_child == ((q->options & __WCLONE) != 0);
}

static void
found(struct wait_query *q, struct process *c, int status, int code, int info)
{
	q->pid = c->pid;
	q->uid = c->creds->uid;
	q->status = status;
	q->code = code;
	q->info = info;
	rusage_of_process(c, true, &q->usage);
}

static bool
take_zombie(struct wait_query *q, struct process *c)
{
	int status = c->exit_code, signo = status & 0x7f;

	if (c->state != PROCESS_ZOMBIE || (q->options & WEXITED) == 0 ||
	    c->ntracees != 0) /* who traces it comes first */
		return false;
	if (signo != 0)
		found(q, c, status,
		    (status & 0x80) != 0 ? CLD_DUMPED : CLD_KILLED, signo);
	else
		found(q, c, status, CLD_EXITED, status >> 8 & 0xff);
	if ((q->options & WNOWAIT) == 0)
		process_reap_locked(c);
	return true;
}

/* Then its stops are told as the tracee's. */
static bool
is_traced_by_self(const struct process *c)
{
	const struct task *t = c->id.task;

	return t != NULL && t->tracee != NULL &&
	    t->tracee->tracer == process_self();
}

static bool
take_stopped(struct wait_query *q, struct process *c)
{
	int signo = c->signals->stop_signo;

	if (c->state != PROCESS_ALIVE || is_traced_by_self(c))
		return false;
	if ((q->options & WSTOPPED) != 0 && c->stop_unreported) {
		found(q, c, signo << 8 | 0x7f, CLD_STOPPED, signo);
		if ((q->options & WNOWAIT) == 0)
			c->stop_unreported = false;
		return true;
	}
	if ((q->options & WCONTINUED) != 0 && c->cont_unreported) {
		found(q, c, 0xffff, CLD_CONTINUED, SIGCONT);
		if ((q->options & WNOWAIT) == 0)
			c->cont_unreported = false;
		return true;
	}
	return false;
}

static bool
wanted_tracee(const struct wait_query *q, const struct tracee *tr)
{
	if (q->which == P_PID)
		return tr->tid == q->id;
	return q->which != P_PGID || tr->process->pgid == q->id;
}

static bool
take_tracee(struct wait_query *q, struct tracee *tr)
{
	int signo = tr->code & 0x7f;

	if (!tr->unreported)
		return false;
	if (tr->state != TRACEE_ENDED) {
		found(q, tr->process, tr->code << 8 | 0x7f, CLD_TRAPPED,
		    tr->code);
	} else if ((q->options & WEXITED) == 0) {
		return false;
	} else {
		found(q, tr->process, tr->code,
		    signo != 0 ? CLD_KILLED : CLD_EXITED,
		    signo != 0 ? signo : tr->code >> 8 & 0xff);
	}
	q->pid = tr->tid;
	if ((q->options & WNOWAIT) != 0)
		return true;
	tr->unreported = false;
	if (tr->state == TRACEE_ENDED)
		tracee_waited_locked(tr);
	return true;
}

/* As look(), among the tasks that the caller traces. */
static int
look_at_tracees_locked(struct wait_query *q)
{
	struct tracee *tr;
	int answer = -ECHILD;

	TAILQ_FOREACH (tr, &process_self()->tracees, link) {
		if (!wanted_tracee(q, tr))
			continue;
		answer = 0;
		if (take_tracee(q, tr))
			return 1;
	}
	return answer;
}

/* 1: found; 0: children, but none that is ready; -ECHILD: no such child. */
static int
look(struct wait_query *q)
{
	struct process *self = process_self(), *c;
	int answer;

	mutex_lock(&process_lock);
	answer = look_at_tracees_locked(q);
	TAILQ_FOREACH (c, &self->children, sibling) {
		if (answer == 1)
			break;
		if (!wanted(q, c))
			continue;
		answer = 0;
		if (take_zombie(q, c) || take_stopped(q, c)) {
			answer = 1;
			break;
		}
	}
	mutex_unlock(&process_lock);
	return answer;
}

/* As look(), but waits unless WNOHANG; -ERESTARTSYS. */
static int
wait_for(struct wait_query *q)
{
	struct process *self = process_self();
	int answer, error = 0;
	uint32_t seen;

	for (;;) {
		seen = __atomic_load_n(&self->child_events, __ATOMIC_ACQUIRE);
		answer = look(q);
		if (answer != 0 || (q->options & WNOHANG) != 0)
			return answer;
		if (error != 0)
			return error;
		error = wait_event_intr(&self->child_wait,
		    __atomic_load_n(&self->child_events, __ATOMIC_ACQUIRE) !=
			seen);
	}
}

long
sys_wait4(int32_t pid, uaddr_t status, unsigned options, uaddr_t usage)
{
	struct wait_query q = { .id = pid };
	int answer;

	if ((options &
		~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE |
		    __WALL)) != 0)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	q.options = options | WEXITED;
	q.which = P_PID;
	if (pid == -1) {
		q.which = P_ALL;
	} else if (pid <= 0) {
		q.which = P_PGID;
		q.id = pid == 0 ? process_self()->pgid : -pid;
	}
	answer = wait_for(&q);
	if (answer <= 0)
		return answer;
	if (status != 0 && copyout(status, &q.status, sizeof(q.status)) != 0)
		return -EFAULT;
	if (usage != 0 && copyout(usage, &q.usage, sizeof(q.usage)) != 0)
		return -EFAULT;
	return q.pid;
}

/* waitid(2)'s siginfo: all zero when WNOHANG found nothing. */
static int
copyout_info(uaddr_t dst, const struct wait_query *q, bool any)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	if (any) {
		info.si_signo = SIGCHLD;
		info.si_code = q->code;
		info.si_pid = q->pid;
		info.si_uid = q->uid;
		info.si_status = q->info;
	}
	return copyout(dst, &info, sizeof(info));
}

/* A descriptor that does not block makes waiting -EAGAIN. */
static int
query_pidfd(struct wait_query *q, int fd)
{
	int error;

	q->which = P_PID;
	error = pidfd_pid(fd, &q->id, &q->nonblock);
	if (error == 0 && q->nonblock)
		q->options |= WNOHANG;
	return error;
}

static int
waitid_query(struct wait_query *q, int which, int32_t id, unsigned options)
{
	if ((options &
		~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED |
		    __WNOTHREAD | __WCLONE | __WALL)) != 0 ||
	    (options & (WEXITED | WSTOPPED | WCONTINUED)) == 0)
		return -EINVAL;
	q->which = which;
	q->id = id;
	q->options = options;
	switch (which) {
	case P_ALL: return 0;
	case P_PID: return id <= 0 ? -EINVAL : 0;
	case P_PGID:
		if (id == 0)
			q->id = process_self()->pgid;
		return id < 0 ? -EINVAL : 0;
	case P_PIDFD: return id < 0 ? -EINVAL : query_pidfd(q, id);
	default: return -EINVAL;
	}
}

long
sys_waitid(int which, int32_t id, uaddr_t info, unsigned options, uaddr_t usage)
{
	struct wait_query q = { 0 };
	int answer;

	answer = waitid_query(&q, which, id, options);
	if (answer == 0)
		answer = wait_for(&q);
	if (answer == 0 && q.nonblock && (options & WNOHANG) == 0)
		answer = -EAGAIN;
	if (answer < 0)
		return answer;
	if (answer > 0 && usage != 0 &&
	    copyout(usage, &q.usage, sizeof(q.usage)) != 0)
		return -EFAULT;
	if (info != 0 && copyout_info(info, &q, answer > 0) != 0)
		return -EFAULT;
	return 0;
}
