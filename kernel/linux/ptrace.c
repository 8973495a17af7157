/* SPDX-License-Identifier: ISC */
/*
 * ptrace.c - ptrace(2): who watches whom, and what a tracer asks of a task
 * that is stopped for it.  How tasks stop is in ptrace_stop.c, register sets
 * are in ptrace_regs.c.
 *
 * While anybody is traced, system calls enter through ptrace_dispatch();
 * otherwise none of this costs them anything.
 */
#include "linux/ptrace.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/user.h"
#include "kern/vm.h"
#include "linux/syscalls.h"
#include "linux/trace.h"
#include "x86/trapframe.h"
#include <asm/ptrace.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/uio.h>

#define REGS_MAX PAGE_SIZE /* bytes of the largest register set */

/* Numbers that C libraries name, the kernel's headers not. */
#define PTRACE_ARCH_PRCTL_ 30
#define PTRACE_SYSEMU_     31
#define PTRACE_SYSEMUSTEP_ 32
#define PTRACE_BLOCKSTEP_  33

static unsigned nwatched; /* process_lock */

/* ---- relations ---- */

void
ptrace_watch_calls_locked(int step)
{
	nwatched += step;
	user_set_syscall(nwatched > 0 ? ptrace_dispatch :
		trace_is_on()         ? syscall_dispatch_traced :
					syscall_dispatch);
}

int
tracee_attach_locked(struct task *t, struct process *tracer, bool seize,
    unsigned options)
{
	struct tracee *tr = kzalloc(sizeof(*tr));
	struct process *p = t->process;
	uint64_t irq;

	if (tr == NULL)
		return -ENOMEM;
	tr->refs = 1;
	tr->task = t;
	tr->process = p;
	tr->tracer = tracer;
	tr->tid = t->tid;
	tr->seized = seize;
	tr->options = options;
	TAILQ_INSERT_TAIL(&tracer->tracees, tr, link);
	p->ntracees++;
	irq = spin_lock_irq(&p->signals->lock);
	t->tracee = tr;
	t->traced = true;
	t->seized = seize;
	spin_unlock_irq(&p->signals->lock, irq);
	ptrace_watch_calls_locked(1);
	return 0;
}

static void
tracee_put_locked(struct tracee *tr)
{
	if (--tr->refs != 0)
		return;
	fpu_area_free(tr->new_fpu);
	kfree(tr);
}

/* The relation ends; the process's own end may have waited for that. */
static void
tracee_unlink_locked(struct tracee *tr)
{
	struct process *p = tr->process;
	struct task *t = tr->task;
	uint64_t irq;

	TAILQ_REMOVE(&tr->tracer->tracees, tr, link);
	if (t != NULL) {
		irq = spin_lock_irq(&p->signals->lock);
		t->tracee = NULL;
		t->traced = t->seized = t->trap_pending = false;
		t->stop_passed = false;
		if (p->signals->stopped) /* with its group, from now on */
			thread_interrupt(t->thread);
		spin_unlock_irq(&p->signals->lock, irq);
	}
	if (p->leader_tracee == tr)
		p->leader_tracee = NULL;
	ptrace_watch_calls_locked(-1);
	tr->unreported = false;
	p->ntracees--;
}

static void
wake_locked(struct tracee *tr)
{
	__atomic_store_n(&tr->state, TRACEE_RUNS, __ATOMIC_RELEASE);
	waitq_wake_all(&tr->process->signals->wq);
}

void
tracee_reap_locked(struct tracee *tr)
{
	tracee_unlink_locked(tr);
	tracee_put_locked(tr);
}

/* The last who looked at a zombie went: now its parent may know. */
static void
announce_if_last_locked(struct process *p)
{
	if (p->ntracees == 0 && p->state == PROCESS_ZOMBIE)
		process_announce_end_locked(p);
}

void
tracee_detach_locked(struct tracee *tr)
{
	struct process *p = tr->process;

	tracee_unlink_locked(tr);
	if (tr->state == TRACEE_STOPPED || tr->state == TRACEE_LISTENS)
		wake_locked(tr);
	tracee_put_locked(tr);
	announce_if_last_locked(p);
}

void
tracee_waited_locked(struct tracee *tr)
{
	struct process *p = tr->process;

	tracee_reap_locked(tr);
	announce_if_last_locked(p);
}

void
ptrace_tracer_ended_locked(struct process *p)
{
	struct tracee *tr;

	while ((tr = TAILQ_FIRST(&p->tracees)) != NULL) {
		if ((tr->options & PTRACE_O_EXITKILL) != 0 && tr->task != NULL)
			signal_send_process(tr->process, SIGKILL);
		tracee_detach_locked(tr);
	}
}

bool
ptrace_may_access_locked(const struct process *p, const struct task *task)
{
	const struct creds *c = creds_self(), *t = creds_of_locked(p, task);

	if (p == process_self() || capable(CAP_SYS_PTRACE))
		return true;
	return p->dumpable && c->uid == t->euid && c->uid == t->suid &&
	    c->uid == t->uid && c->gid == t->egid && c->gid == t->sgid &&
	    c->gid == t->gid;
}

int32_t
ptrace_tracer_locked(const struct task *t)
{
	return t != NULL && t->tracee != NULL ? t->tracee->tracer->pid : 0;
}

bool
ptrace_is_stopped_locked(const struct task *t)
{
	return t->tracee != NULL && t->tracee->state != TRACEE_RUNS;
}

/* ---- beginning to trace ---- */

/* A task that is stopped already stops for its tracer now. */
static void
convert_stop_locked(struct task *t, bool always)
{
	struct process *p = t->process;
	uint64_t irq = spin_lock_irq(&p->signals->lock);

	if (always || p->signals->stopped) {
		t->trap_pending = true;
		thread_interrupt(t->thread);
		waitq_wake_all(&p->signals->wq);
	}
	spin_unlock_irq(&p->signals->lock, irq);
}

static int
attach_task_locked(struct task *t, bool seize, unsigned options)
{
	int error;

	if (t->process == process_self())
		return -EPERM;
	if (!ptrace_may_access_locked(t->process, t) || t->tracee != NULL ||
	    t->process->exiting)
		return -EPERM;
	error = tracee_attach_locked(t, process_self(), seize, options);
	if (error != 0)
		return error;
	convert_stop_locked(t, false);
	if (!seize)
		signal_send_task(t, SIGSTOP);
	return 0;
}

static int
attach(int32_t tid, bool seize, uaddr_t addr, uint64_t options)
{
	struct task *t;
	int error = -ESRCH;

	if (seize && (addr != 0 || (options & ~(uint64_t)PTRACE_O_MASK) != 0))
		return -EIO;
	mutex_lock(&process_lock);
	t = task_find_locked(tid);
	if (t != NULL)
		error = attach_task_locked(t, seize, seize ? options : 0);
	mutex_unlock(&process_lock);
	return error;
}

static int
trace_me(void)
{
	struct task *t = task_self();
	int error = -EPERM;

	mutex_lock(&process_lock);
	if (t->tracee == NULL && t->process->parent != NULL)
		error = tracee_attach_locked(t, t->process->parent, false, 0);
	mutex_unlock(&process_lock);
	return error;
}

/* ---- requests to a stopped task; process_lock held ---- */

static int
resume_locked(struct tracee *tr, enum tracee_mode mode, uint64_t signo)
{
	struct trapframe *tf = tf_of(tr->task->thread);

	if (signo > SIGNAL_MAX)
		return -EIO;
	tr->resume = signo;
	tr->mode = mode;
	tr->unreported = false;
	if (mode == MODE_STEP) {
		tf->rflags |= RFLAGS_TF;
		tr->stepping = true;
	}
	wake_locked(tr);
	return 0;
}

static int
detach_locked(struct tracee *tr, uint64_t signo)
{
	if (signo > SIGNAL_MAX)
		return -EIO;
	tr->resume = signo;
	tr->mode = MODE_RUN;
	tracee_detach_locked(tr);
	return 0;
}

static int
listen_locked(struct tracee *tr)
{
	if (!tr->seized || tr->code >> 8 != PTRACE_EVENT_STOP)
		return -EIO;
	__atomic_store_n(&tr->state, TRACEE_LISTENS, __ATOMIC_RELEASE);
	waitq_wake_all(&tr->process->signals->wq); /* news already? */
	return 0;
}

static int
set_options_locked(struct tracee *tr, uint64_t options)
{
	if ((options & ~(uint64_t)PTRACE_O_MASK) != 0)
		return -EINVAL;
	tr->options = options;
	return 0;
}

static int
get_info_locked(struct tracee *tr, uaddr_t data)
{
	if (!tr->has_info)
		return -EINVAL;
	return copyout(data, &tr->info, sizeof(tr->info));
}

static int
set_info_locked(struct tracee *tr, uaddr_t data)
{
	if (!tr->has_info)
		return -EINVAL;
	return copyin(&tr->info, data, sizeof(tr->info));
}

static int
signal_mask_locked(struct tracee *tr, bool set, uint64_t size, uaddr_t data)
{
	struct signal_state *ss = tr->task->signals;
	uint64_t mask, irq;

	if (size != sizeof(mask))
		return -EINVAL;
	if (!set) {
		mask = ss->mask_saved ? ss->saved_mask : ss->mask;
		return copyout(data, &mask, sizeof(mask));
	}
	if (copyin(&mask, data, sizeof(mask)) != 0)
		return -EFAULT;
	irq = spin_lock_irq(&tr->process->signals->lock);
	ss->mask = mask & ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP));
	spin_unlock_irq(&tr->process->signals->lock, irq);
	return 0;
}

/* ---- memory ---- */

/* Asked with the lock held, used without: a page may have to be fetched. */
static long
peek(struct vmspace *vm, uaddr_t addr, uaddr_t data)
{
	uint64_t word;

	if (vm_peek(vm, addr, &word, sizeof(word)) != sizeof(word))
		return -EIO;
	return copyout(data, &word, sizeof(word));
}

static long
poke(struct vmspace *vm, uaddr_t addr, uint64_t word)
{
	return vm_poke(vm, addr, &word, sizeof(word)) == sizeof(word) ? 0 :
									-EIO;
}

/* ---- registers ---- */

static long
regs_get_locked(struct tracee *tr, unsigned set, uaddr_t data, size_t size)
{
	void *buf = kmalloc(REGS_MAX);
	long n = -ENOMEM;

	if (buf != NULL)
		n = ptrace_regs_get(tr, set, buf, MIN(size, REGS_MAX));
	if (n > 0 && copyout(data, buf, n) != 0)
		n = -EFAULT;
	kfree(buf);
	return n;
}

static long
regs_set_locked(struct tracee *tr, unsigned set, uaddr_t data, size_t size)
{
	void *buf = kmalloc(REGS_MAX);
	long n = -ENOMEM;

	size = MIN(size, REGS_MAX);
	if (buf != NULL)
		n = copyin(buf, data, size);
	if (n == 0)
		n = ptrace_regs_set(tr, set, buf, size);
	kfree(buf);
	return n;
}

/* PTRACE_GETREGSET and its pair: the vector's length is told back. */
static long
regset_locked(struct tracee *tr, bool get, unsigned set, uaddr_t data)
{
	struct iovec iov;
	long n;

	if (copyin(&iov, data, sizeof(iov)) != 0)
		return -EFAULT;
	if (ptrace_regs_size(set) == 0 || iov.iov_len % 8 != 0)
		return -EINVAL;
	if (get)
		n = regs_get_locked(tr, set, (uaddr_t)iov.iov_base,
		    iov.iov_len);
	else
		n = regs_set_locked(tr, set, (uaddr_t)iov.iov_base,
		    iov.iov_len);
	if (n < 0)
		return n;
	iov.iov_len = n;
	return copyout(data, &iov, sizeof(iov));
}

/* One of the old calls, which know their size. */
static long
whole_set_locked(struct tracee *tr, bool get, unsigned set, uaddr_t data)
{
	size_t size = ptrace_regs_size(set);
	long n = get ? regs_get_locked(tr, set, data, size) :
		       regs_set_locked(tr, set, data, size);

	return n < 0 ? n : 0;
}

static long
call_info_locked(struct tracee *tr, uint64_t size, uaddr_t data)
{
	const struct trapframe *tf = tf_of(tr->task->thread);
	struct ptrace_syscall_info info;
	size_t actual = offsetof(struct ptrace_syscall_info, entry);

	memset(&info, 0, sizeof(info));
	info.op = tr->op;
	info.arch = AUDIT_ARCH_X86_64;
	info.instruction_pointer = tf->rip;
	info.stack_pointer = tf->rsp;
	if (tr->op == PTRACE_SYSCALL_INFO_ENTRY ||
	    tr->op == PTRACE_SYSCALL_INFO_SECCOMP) {
		info.entry.nr = tf->orig_rax;
		info.entry.args[0] = tf->rdi;
		info.entry.args[1] = tf->rsi;
		info.entry.args[2] = tf->rdx;
		info.entry.args[3] = tf->r10;
		info.entry.args[4] = tf->r8;
		info.entry.args[5] = tf->r9;
		actual = offsetof(struct ptrace_syscall_info, entry) +
		    sizeof(info.entry);
		if (tr->op == PTRACE_SYSCALL_INFO_SECCOMP) {
			info.seccomp.ret_data = tr->message;
			actual = offsetof(struct ptrace_syscall_info,
				     seccomp.ret_data) +
			    sizeof(info.seccomp.ret_data);
		}
	} else if (tr->op == PTRACE_SYSCALL_INFO_EXIT) {
		info.exit.rval = tf->rax;
		info.exit.is_error = tf->rax >= (uint64_t)-4095l;
		actual = offsetof(struct ptrace_syscall_info, exit.is_error) +
		    sizeof(info.exit.is_error);
	}
	if (copyout(data, &info, MIN(size, actual)) != 0)
		return -EFAULT;
	return actual;
}

static long
user_word_locked(struct tracee *tr, uaddr_t addr, uaddr_t data)
{
	uint64_t value;
	int error = ptrace_user_get(tr, addr, &value);

	return error != 0 ? error : copyout(data, &value, sizeof(value));
}

static long
bases_locked(struct tracee *tr, uint64_t code, uaddr_t addr)
{
	switch (code) {
	case 0x1003: return copyout(addr, &tr->fsbase, sizeof(tr->fsbase));
	case 0x1004: return copyout(addr, &tr->gsbase, sizeof(tr->gsbase));
	default: return -EINVAL;
	}
}

static long
request_regs_locked(struct tracee *tr, long request, uaddr_t addr, uaddr_t data)
{
	switch (request) {
	case PTRACE_PEEKUSR: return user_word_locked(tr, addr, data);
	case PTRACE_POKEUSR: return ptrace_user_set(tr, addr, data);
	case PTRACE_GETREGS:
		return whole_set_locked(tr, true, NT_PRSTATUS, data);
	case PTRACE_SETREGS:
		return whole_set_locked(tr, false, NT_PRSTATUS, data);
	case PTRACE_GETFPREGS:
		return whole_set_locked(tr, true, NT_PRFPREG, data);
	case PTRACE_SETFPREGS:
		return whole_set_locked(tr, false, NT_PRFPREG, data);
	case PTRACE_GETREGSET: return regset_locked(tr, true, addr, data);
	case PTRACE_SETREGSET: return regset_locked(tr, false, addr, data);
	case PTRACE_GET_SYSCALL_INFO: return call_info_locked(tr, addr, data);
	case PTRACE_ARCH_PRCTL_: return bases_locked(tr, data, addr);
	default: return -EIO;
	}
}

static long
request_locked(struct tracee *tr, long request, uaddr_t addr, uaddr_t data)
{
	switch (request) {
	case PTRACE_CONT: return resume_locked(tr, MODE_RUN, data);
	case PTRACE_SYSCALL: return resume_locked(tr, MODE_CALLS, data);
	case PTRACE_SYSEMU_: return resume_locked(tr, MODE_EMULATE, data);
	case PTRACE_SINGLESTEP: return resume_locked(tr, MODE_STEP, data);
	case PTRACE_KILL: signal_send_process(tr->process, SIGKILL); return 0;
	case PTRACE_DETACH: return detach_locked(tr, data);
	case PTRACE_LISTEN: return listen_locked(tr);
	case PTRACE_SETOPTIONS: return set_options_locked(tr, data);
	case PTRACE_GETEVENTMSG:
		return copyout(data, &tr->message, sizeof(tr->message));
	case PTRACE_GETSIGINFO: return get_info_locked(tr, data);
	case PTRACE_SETSIGINFO: return set_info_locked(tr, data);
	case PTRACE_GETSIGMASK:
		return signal_mask_locked(tr, false, addr, data);
	case PTRACE_SETSIGMASK: return signal_mask_locked(tr, true, addr, data);
	default: return request_regs_locked(tr, request, addr, data);
	}
}

/* The caller's tracee of that number.  -ESRCH */
static int
find_locked(int32_t tid, struct tracee **out)
{
	struct task *t = task_find_locked(tid);

	if (t == NULL || t->tracee == NULL ||
	    t->tracee->tracer != process_self())
		return -ESRCH;
	*out = t->tracee;
	return 0;
}

static long
request_memory(int32_t tid, long request, uaddr_t addr, uaddr_t data)
{
	struct vmspace *vm = NULL;
	struct tracee *tr;
	long ret;

	mutex_lock(&process_lock);
	ret = find_locked(tid, &tr);
	if (ret == 0 && tr->state != TRACEE_STOPPED)
		ret = -ESRCH;
	if (ret == 0 && (vm = tr->process->vm) == NULL)
		ret = -EIO;
	if (ret == 0)
		vmspace_get(vm);
	mutex_unlock(&process_lock);
	if (ret != 0)
		return ret;
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA)
		ret = peek(vm, addr, data);
	else
		ret = poke(vm, addr, data);
	vmspace_put(vm);
	return ret;
}

static long
request(int32_t tid, long what, uaddr_t addr, uaddr_t data)
{
	struct tracee *tr;
	long ret;

	mutex_lock(&process_lock);
	ret = find_locked(tid, &tr);
	if (ret == 0 && what == PTRACE_INTERRUPT) {
		if (tr->seized)
			convert_stop_locked(tr->task, true);
		else
			ret = -EIO;
	} else if (ret == 0 && what == PTRACE_KILL) {
		signal_send_process(tr->process, SIGKILL);
	} else if (ret == 0) {
		ret = tr->state != TRACEE_STOPPED ?
		    -ESRCH :
		    request_locked(tr, what, addr, data);
	}
	mutex_unlock(&process_lock);
	return ret;
}

long
sys_ptrace(long what, long pid, uaddr_t addr, uaddr_t data)
{
	switch (what) {
	case PTRACE_TRACEME: return trace_me();
	case PTRACE_ATTACH: return attach(pid, false, 0, 0);
	case PTRACE_SEIZE: return attach(pid, true, addr, data);
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA: return request_memory(pid, what, addr, data);
	default: return request(pid, what, addr, data);
	}
}
