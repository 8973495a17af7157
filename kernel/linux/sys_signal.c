/* SPDX-License-Identifier: ISC */
/*
 * sys_signal.c - the system calls about signals.  Their state is signal.c's.
 */
#include "linux/sys_signal.h"
#include "kern/clock.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include "linux/sigframe.h"
#include "linux/signal.h"
#include "linux/timespec.h"
#include "x86/trapframe.h"
#include <linux/capability.h>
#include <linux/errno.h>

#define UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))

static bool
valid(int signo)
{
	return signo >= 1 && signo <= SIGNAL_MAX;
}

int
signal_copyin_mask(uint64_t *mask, uaddr_t src, size_t size)
{
	if (size != sizeof(*mask))
		return -EINVAL;
	if (copyin(mask, src, sizeof(*mask)) != 0)
		return -EFAULT;
	*mask &= ~UNBLOCKABLE;
	return 0;
}

long
sys_rt_sigaction(int signo, uaddr_t act, uaddr_t old, size_t size)
{
	struct sigaction new, before;

	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (act != 0 && copyin(&new, act, sizeof(new)) != 0)
		return -EFAULT;
	if (!valid(signo) || (act != 0 && (SIGBIT(signo) & UNBLOCKABLE) != 0))
		return -EINVAL;
	signal_action(signo, act != 0 ? &new : NULL, &before);
	if (old != 0 && copyout(old, &before, sizeof(before)) != 0)
		return -EFAULT;
	return 0;
}

long
sys_rt_sigprocmask(int how, uaddr_t set, uaddr_t old, size_t size)
{
	uint64_t now = task_self()->signals->mask, new;
	int error;

	if (size != sizeof(new))
		return -EINVAL;
	if (set != 0) {
		error = signal_copyin_mask(&new, set, size);
		if (error != 0)
			return error;
		switch (how) {
		case SIG_BLOCK: new |= now; break;
		case SIG_UNBLOCK: new = now & ~new; break;
		case SIG_SETMASK: break;
		default: return -EINVAL;
		}
		if (new != now)
			signal_mask_set(new);
	}
	if (old != 0 && copyout(old, &now, sizeof(now)) != 0)
		return -EFAULT;
	return 0;
}

long
sys_rt_sigpending(uaddr_t set, size_t size)
{
	struct task *t = task_self();
	uint64_t pending;

	if (size > sizeof(pending))
		return -EINVAL;
	pending = (t->signals->pending | t->process->signals->pending) &
	    t->signals->mask;
	return copyout(set, &pending, size);
}

long
sys_pause(void)
{
	struct waitq never = WAITQ_INIT(never);

	(void)wait_event_intr(&never, false);
	return -ERESTARTNOHAND;
}

long
sys_rt_sigsuspend(uaddr_t mask, size_t size)
{
	uint64_t new;
	int error = signal_copyin_mask(&new, mask, size);

	if (error != 0)
		return error;
	signal_mask_set_temporarily(new);
	return sys_pause();
}

/*
 * Waits for a signal of the set without running its handler.  Those that are
 * not blocked are, meanwhile, so that they end up here.
 */
static int
wait_for_signal(uint64_t set, int64_t deadline_ns, siginfo_t *info)
{
	struct task *t = task_self();
	uint64_t before = t->signals->mask;
	int error = 0;

	if ((set & ~before) != 0)
		signal_mask_set(before | set);
	while (!signal_take(set, info)) {
		if (error != 0)
			break;
		error = wait_event_until(&t->process->signals->wq,
		    signal_poll(set), deadline_ns);
	}
	if ((set & ~before) != 0)
		signal_mask_set(before);
	if (info->si_signo != 0)
		return info->si_signo;
	return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

long
sys_rt_sigtimedwait(uaddr_t set, uaddr_t uinfo, uaddr_t timeout, size_t size)
{
	int64_t deadline_ns = WAIT_FOREVER;
	siginfo_t info;
	uint64_t wanted;
	int error, signo;

	error = signal_copyin_mask(&wanted, set, size);
	if (error == 0 && timeout != 0)
		error = copyin_deadline(timeout, &deadline_ns);
	if (error != 0)
		return error;
	memset(&info, 0, sizeof(info));
	signo = wait_for_signal(wanted, deadline_ns, &info);
	if (signo > 0 && uinfo != 0 && copyout(uinfo, &info, sizeof(info)) != 0)
		return -EFAULT;
	return signo;
}

/* ---- sending ---- */

/* kill(2): same user, CAP_KILL, or SIGCONT within one session. */
static bool
may_send(const struct process *to, const struct task *t, int signo)
{
	const struct process *self = process_self();
	const struct creds *a, *b;

	if (self == to)
		return true;
	a = creds_self();
	b = creds_of_locked(to, t);
	if (a->euid == b->suid || a->euid == b->uid || a->uid == b->suid ||
	    a->uid == b->uid || capable(CAP_KILL))
		return true;
	return signo == SIGCONT && self->sid == to->sid;
}

static void
user_info(siginfo_t *info, int signo, int code)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = signo;
	info->si_code = code;
	info->si_pid = process_self()->pid;
	info->si_uid = creds_self()->uid;
}

static int
send_to_process_locked(struct process *p, const siginfo_t *info)
{
	if (!may_send(p, NULL, info->si_signo))
		return -EPERM;
	if (info->si_signo == 0 || p->state != PROCESS_ALIVE)
		return 0;
	return signal_post_process(p, info);
}

struct kill_many {
	siginfo_t info;
	int32_t pgid; /* 0: everybody but process 1 and the caller */
	bool sent;
	int error;
};

static bool
kill_one(struct process *p, void *arg)
{
	struct kill_many *k = arg;
	int error;

	if (k->pgid != 0 ? p->pgid != k->pgid :
			   p->pid == 1 || p == process_self())
		return true;
	error = send_to_process_locked(p, &k->info);
	if (error == 0)
		k->sent = true;
	else
		k->error = error;
	return true;
}

static int
kill_many(int32_t pgid, int signo)
{
	struct kill_many k = { .pgid = pgid, .error = -ESRCH };

	user_info(&k.info, signo, SI_USER);
	mutex_lock(&process_lock);
	process_foreach_locked(kill_one, &k);
	mutex_unlock(&process_lock);
	return k.sent ? 0 : k.error;
}

/* A thread's number names its process here, as on Linux. */
static int
kill_pid(int32_t pid, const siginfo_t *info)
{
	struct process *p;
	struct task *t;
	int error = -ESRCH;

	mutex_lock(&process_lock);
	p = process_find_locked(pid);
	if (p == NULL) {
		t = task_find_locked(pid);
		p = t == NULL ? NULL : t->process;
	}
	if (p != NULL)
		error = send_to_process_locked(p, info);
	mutex_unlock(&process_lock);
	return error;
}

long
sys_kill(int32_t pid, int signo)
{
	siginfo_t info;

	if (signo != 0 && !valid(signo))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1)
		return kill_many(0, signo);
	if (pid <= 0) {
		int32_t pgid = pid == 0 ? process_self()->pgid : -pid;

		if (pgid != 0)
			return kill_many(pgid, signo);
		pid = process_self()->pid; /* process 1, in no group yet */
	}
	user_info(&info, signo, SI_USER);
	return kill_pid(pid, &info);
}

/* pid 0: any process. */
static int
kill_task(int32_t pid, int32_t tid, const siginfo_t *info)
{
	struct task *t;
	uint64_t irq;
	int error = -ESRCH;

	irq = spin_lock_irq(&process_list_lock);
	t = task_find_locked(tid);
	if (t != NULL && (pid == 0 || t->process->pid == pid)) {
		if (!may_send(t->process, t, info->si_signo))
			error = -EPERM;
		else if (info->si_signo == 0)
			error = 0;
		else
			error = signal_post_task(t, info);
	}
	spin_unlock_irq(&process_list_lock, irq);
	return error;
}

long
sys_tgkill(int32_t pid, int32_t tid, int signo)
{
	siginfo_t info;

	if (pid <= 0 || tid <= 0 || (signo != 0 && !valid(signo)))
		return -EINVAL;
	user_info(&info, signo, SI_TKILL);
	return kill_task(pid, tid, &info);
}

long
sys_tkill(int32_t tid, int signo)
{
	siginfo_t info;

	if (tid <= 0 || (signo != 0 && !valid(signo)))
		return -EINVAL;
	user_info(&info, signo, SI_TKILL);
	return kill_task(0, tid, &info);
}

/* Only a process itself may claim that the kernel or kill() sent a signal. */
static int
copyin_info(siginfo_t *info, uaddr_t src, int32_t pid, int signo)
{
	if (copyin(info, src, sizeof(*info)) != 0)
		return -EFAULT;
	info->si_signo = signo;
	if ((info->si_code >= 0 || info->si_code == SI_TKILL) &&
	    pid != process_self()->pid)
		return -EPERM;
	return signo != 0 && !valid(signo) ? -EINVAL : 0;
}

long
sys_rt_sigqueueinfo(int32_t pid, int signo, uaddr_t uinfo)
{
	siginfo_t info;
	int error = copyin_info(&info, uinfo, pid, signo);

	return error != 0 ? error : kill_pid(pid, &info);
}

long
sys_rt_tgsigqueueinfo(int32_t pid, int32_t tid, int signo, uaddr_t uinfo)
{
	siginfo_t info;
	int error;

	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	error = copyin_info(&info, uinfo, pid, signo);
	return error != 0 ? error : kill_task(pid, tid, &info);
}

/* ---- the alternate stack ---- */

static int
set_altstack(struct signal_state *ss, const stack_t *st, bool in_use)
{
	int mode = st->ss_flags & ~SS_AUTODISARM;

	if (in_use)
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		ss->altstack = ss->altstack_size = 0;
	} else {
		if (st->ss_size < MINSIGSTKSZ)
			return -ENOMEM;
		ss->altstack = (uaddr_t)st->ss_sp;
		ss->altstack_size = st->ss_size;
	}
	ss->altstack_flags = st->ss_flags & (SS_DISABLE | SS_AUTODISARM);
	return 0;
}

long
sys_sigaltstack(uaddr_t uss, uaddr_t uold)
{
	struct signal_state *ss = task_self()->signals;
	bool in_use = sigaltstack_holds(tf_of_thread()->rsp);
	stack_t st, old;
	int error = 0;

	old.ss_sp = (void *)ss->altstack;
	old.ss_size = ss->altstack_size;
	old.ss_flags = ss->altstack_flags & SS_AUTODISARM;
	if (in_use)
		old.ss_flags |= SS_ONSTACK;
	else if (ss->altstack_size == 0)
		old.ss_flags |= SS_DISABLE;
	if (uss != 0) {
		if (copyin(&st, uss, sizeof(st)) != 0)
			return -EFAULT;
		error = set_altstack(ss, &st, in_use);
	}
	if (error == 0 && uold != 0 && copyout(uold, &old, sizeof(old)) != 0)
		error = -EFAULT;
	return error;
}

long
sys_restart_syscall(void)
{
	struct restart_block *rb = &task_self()->restart;

	return rb->fn == NULL ? -EINTR : rb->fn(rb);
}
