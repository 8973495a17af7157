/* SPDX-License-Identifier: ISC */
/*
 * clone.c - clone(2), clone3(2), fork(2), vfork(2): new tasks, in a process of
 * their own or in the caller's.
 *
 * A task is built to the last register before anyone can see it; then it is
 * published and started, which cannot fail but for a process that ends
 * meanwhile.  Descriptors, working directory and signal actions belong to the
 * process here, so a thread (CLONE_THREAD) shares all of them or is refused.
 */
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/user.h"
#include "kern/vm.h"
#include "fs/file.h"
#include "linux/cpu_limit.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/oom.h"
#include "linux/pidfd.h"
#include "linux/process.h"
#include "linux/ptrace.h"
#include "linux/signal.h"
#include "linux/sys_process.h"
#include "x86/cpu.h"
#include "x86/trapframe.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#define THREAD_NEEDS (CLONE_VM | CLONE_SIGHAND)
/* Taken and without effect: a process has one list of what to undo. */
#define NO_EFFECT (CLONE_SYSVSEM | CLONE_DETACHED | CLONE_IO)
#define KNOWN                                                               \
	(THREAD_NEEDS | CLONE_FILES | CLONE_FS | NO_EFFECT | CLONE_THREAD | \
	    CLONE_VFORK | CLONE_PTRACE | CLONE_UNTRACED | CLONE_PARENT |    \
	    CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |     \
	    CLONE_CHILD_SETTID | CLONE_CLEAR_SIGHAND | CLONE_PIDFD)

/* A parent that waits for its child's exec or end; under process_lock. */
struct vfork_wait {
	struct process *parent, *child;
	bool done;
};

struct clone_request {
	uint64_t flags;
	int exit_signal;
	uaddr_t stack; /* the new rsp; 0: the caller's */
	uaddr_t parent_tid, child_tid, tls;
	uaddr_t pidfd; /* CLONE_PIDFD */
};

/* ---- the parts of a process ---- */

static int
clear_actions(struct sigactions *from, struct sigactions **out)
{
	int error = sigactions_create(from, out), i;

	if (error != 0)
		return error;
	for (i = 0; i < SIGNAL_MAX; i++)
		if ((*out)->action[i].sa_handler != SIG_IGN)
			(*out)->action[i] = (struct sigaction){ 0 };
	return 0;
}

static int
copy_actions(struct process *p, struct process *parent, uint64_t flags)
{
	if ((flags & CLONE_CLEAR_SIGHAND) != 0)
		return clear_actions(parent->sigactions, &p->sigactions);
	if ((flags & CLONE_SIGHAND) == 0)
		return sigactions_create(parent->sigactions, &p->sigactions);
	sigactions_get(parent->sigactions);
	p->sigactions = parent->sigactions;
	return 0;
}

static int
copy_vm(struct process *p, struct process *parent, uint64_t flags)
{
	if ((flags & CLONE_VM) == 0)
		return vmspace_fork(parent->vm, &p->vm);
	vmspace_get(parent->vm);
	p->vm = parent->vm;
	return 0;
}

static int
copy_files(struct task *t, uint64_t flags)
{
	if ((flags & CLONE_FILES) == 0)
		return fdtable_copy(fdtable_self(), &t->files);
	fdtable_get(fdtable_self());
	t->files = fdtable_self();
	return 0;
}

static int
copy_fs(struct process *p, uint64_t flags)
{
	if ((flags & CLONE_FS) == 0)
		return fsview_copy(fsview_self(), &p->fs);
	p->fs = fsview_self();
	fsview_get(p->fs);
	return 0;
}

/* A thread's: what it shares with its process is not its own. */
static int
copy_own_fs(struct task *t, uint64_t flags)
{
	if ((flags & CLONE_FS) == 0)
		return fsview_copy(fsview_self(), &t->fs);
	t->fs = task_self()->fs;
	if (t->fs != NULL)
		fsview_get(t->fs);
	return 0;
}

static int
copy_process(struct process *parent, const struct clone_request *rq,
    struct process **out)
{
	struct process *p;
	int error = process_create(parent, &p);

	if (error != 0)
		return error;
	p->exit_signal = rq->exit_signal;
	if (parent->exe != NULL) {
		file_get(parent->exe);
		p->exe = parent->exe;
	}
	error = cpu_limit_watch(p);
	if (error == 0)
		error = copy_actions(p, parent, rq->flags);
	if (error == 0)
		error = copy_fs(p, rq->flags);
	if (error == 0)
		error = copy_vm(p, parent, rq->flags);
	if (error != 0) {
		process_destroy(p);
		return error;
	}
	*out = p;
	return 0;
}

/* ---- the task ---- */

/* The first thing that a new task does, on its own stack. */
static void
task_begin(void *unused)
{
	struct task *t = task_self();

	(void)unused;
	if (t->set_child_tid != 0)
		(void)copyout(t->set_child_tid, &t->tid, sizeof(t->tid));
	t->set_child_tid = 0;
	user_enter(tf_of_thread());
}

static void
copy_registers(struct thread *to, const struct clone_request *rq)
{
	struct thread *self = thread_self();
	struct trapframe *tf = tf_of(to);

	*tf = *tf_of_thread();
	tf->rax = 0;
	tf->orig_rax = ~0ull;
	if (rq->stack != 0)
		tf->rsp = rq->stack;
	to->fsbase = (rq->flags & CLONE_SETTLS) != 0 ? rq->tls : user_fsbase();
	to->gsbase = user_gsbase();
	fpu_save(self);
	memcpy(to->fpu, self->fpu, cpu_features()->fpu_size);
}

static void
copy_task_state(struct task *t, const struct clone_request *rq)
{
	struct task *self = task_self();

	memcpy(t->comm, self->comm, sizeof(t->comm));
	if (!self->policy_reset_on_fork) {
		t->policy = self->policy;
		t->rt_priority = self->rt_priority;
		t->thread->nice = self->thread->nice;
		task_apply_class(t);
	}
	t->ioprio = self->ioprio;
	t->timer_slack_ns = t->timer_slack_first_ns = self->timer_slack_ns;
	t->thread->affinity = self->thread->affinity;
	if ((rq->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM) {
		t->signals->altstack = self->signals->altstack;
		t->signals->altstack_size = self->signals->altstack_size;
		t->signals->altstack_flags = self->signals->altstack_flags;
	}
	if ((rq->flags & CLONE_CHILD_SETTID) != 0)
		t->set_child_tid = rq->child_tid;
	if ((rq->flags & CLONE_CHILD_CLEARTID) != 0)
		t->clear_child_tid = rq->child_tid;
}

static void
drop_task(struct task *t)
{
	struct thread *thread = t->thread;

	task_destroy(t);
	thread->user = NULL;
	thread->vmspace = NULL;
	thread_destroy(thread);
}

/* A task of p, ready to run; its kernel thread is t->thread. */
static int
copy_task(struct process *p, const struct clone_request *rq, struct task **out)
{
	struct task *self = task_self(), *t;
	struct thread *thread;
	int error;

	error = thread_create(self->comm, task_begin, NULL, &thread);
	if (error != 0)
		return error;
	error = task_create(p, thread, self->signals->mask, &t);
	if (error != 0) {
		thread_destroy(thread);
		return error;
	}
	thread->vmspace = p->vm;
	copy_registers(thread, rq);
	copy_task_state(t, rq);
	error = copy_files(t, rq->flags);
	if (error != 0) {
		drop_task(t);
		return error;
	}
	*out = t;
	return 0;
}

/* ---- vfork ---- */

void
process_vfork_done(struct process *p)
{
	mutex_lock(&process_lock);
	if (p->vfork_done != NULL) {
		__atomic_store_n(&p->vfork_done->done, true, __ATOMIC_RELEASE);
		waitq_wake_all(&p->vfork_done->parent->signals->wq);
		p->vfork_done = NULL;
	}
	mutex_unlock(&process_lock);
}

/* Only the parent's own end ends this earlier; then the child has no parent. */
static void
vfork_wait(struct vfork_wait *w)
{
	struct process *p = w->parent;

	wait_event(&p->signals->wq,
	    __atomic_load_n(&w->done, __ATOMIC_ACQUIRE) || p->signals->killed ||
		task_must_end(task_self()));
	mutex_lock(&process_lock); /* until the waker is through with w */
	if (!w->done)
		w->child->vfork_done = NULL;
	mutex_unlock(&process_lock);
}

/* ---- the calls ---- */

struct user_count {
	uint32_t uid;
	uint64_t n;
};

static bool
count_if_users(struct process *p, void *arg)
{
	struct user_count *c = arg;

	if (p->creds->uid == c->uid)
		c->n += p->ntasks;
	return true;
}

/* RLIMIT_NPROC; root and the capable are not held to it. */
static bool
too_many_tasks(struct process *p)
{
	struct user_count c = { creds_self()->uid, 0 };

	if (c.uid == 0 || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
		return false;
	mutex_lock(&process_lock);
	process_foreach_locked(count_if_users, &c);
	mutex_unlock(&process_lock);
	return c.n >= p->rlimits[RLIMIT_NPROC].rlim_cur;
}

static int
check(const struct clone_request *rq)
{
	uint64_t f = rq->flags;

	if ((f & ~(uint64_t)KNOWN) != 0)
		return -EINVAL;
	if ((f & CLONE_SIGHAND) != 0 &&
	    ((f & CLONE_VM) == 0 || (f & CLONE_CLEAR_SIGHAND) != 0))
		return -EINVAL;
	if ((f & CLONE_THREAD) != 0 && (f & THREAD_NEEDS) != THREAD_NEEDS)
		return -EINVAL;
	if ((f & CLONE_PIDFD) != 0 &&
	    (f & (CLONE_THREAD | CLONE_DETACHED)) != 0)
		return -EINVAL;
	if ((f & CLONE_PARENT) != 0 && process_self()->pid == 1)
		return -EINVAL;
	if ((f & CLONE_SETTLS) != 0 && rq->tls >= USER_END)
		return -EPERM;
	return too_many_tasks(process_self()) ? -EAGAIN : 0;
}

static int
tell_parent(const struct clone_request *rq, int32_t tid)
{
	if ((rq->flags & CLONE_PARENT_SETTID) == 0)
		return 0;
	return copyout(rq->parent_tid, &tid, sizeof(tid));
}

static long
clone_thread(const struct clone_request *rq)
{
	struct task *t;
	int32_t tid;
	int error = copy_task(process_self(), rq, &t), event;

	if (error != 0)
		return error;
	tid = t->tid;
	error = copy_own_fs(t, rq->flags);
	if (error == 0)
		error = tell_parent(rq, tid);
	if (error == 0)
		error = task_publish(t);
	if (error != 0) {
		drop_task(t);
		return error == -EINTR ? -ERESTARTNOINTR : error;
	}
	event = ptrace_clone_begin(t, rq->flags, rq->exit_signal);
	thread_start(t->thread);
	if (event != 0)
		ptrace_event(event, tid);
	return tid;
}

/* CLONE_PIDFD: a descriptor of the child's, installed once that is there. */
struct pidfd_slot {
	struct file *file; /* NULL: not asked for */
	int fd;
};

static void
pidfd_slot_drop(struct pidfd_slot *s)
{
	if (s->file == NULL)
		return;
	if (s->fd >= 0)
		fd_unreserve(s->fd);
	file_put(s->file);
}

static int
pidfd_slot_make(struct pidfd_slot *s, struct process *p,
    const struct clone_request *rq)
{
	int error;

	if ((rq->flags & CLONE_PIDFD) == 0)
		return 0;
	mutex_lock(&process_lock);
	error = pidfd_file(p, 0, &s->file);
	mutex_unlock(&process_lock);
	if (error != 0)
		return error;
	s->fd = fd_reserve(0);
	return s->fd < 0 ? s->fd : copyout(rq->pidfd, &s->fd, sizeof(s->fd));
}

/*
 * A signal to all, or to the group, that came before this moment reaches the
 * parent only; so the child is made after it was taken, or not at all.
 *   -ERESTARTNOINTR
 */
static int
publish_process(struct process *p, struct task *t,
    const struct clone_request *rq)
{
	struct process *self = process_self();

	mutex_lock(&process_lock);
	if (signal_before_fork()) {
		mutex_unlock(&process_lock);
		return -ERESTARTNOINTR;
	}
	if ((rq->flags & CLONE_PARENT) != 0)
		p->exit_signal = self->exit_signal;
	process_publish(p, t,
	    (rq->flags & CLONE_PARENT) != 0 ? self->parent : self);
	mutex_unlock(&process_lock);
	return 0;
}

/* The child runs; a tracer hears of it, and of the end of a vfork. */
static void
start_process(struct task *t, int32_t pid, const struct clone_request *rq,
    struct vfork_wait *w)
{
	int event = ptrace_clone_begin(t, rq->flags, rq->exit_signal);

	thread_start(t->thread);
	if (event != 0)
		ptrace_event(event, pid);
	if ((rq->flags & CLONE_VFORK) == 0)
		return;
	vfork_wait(w);
	if (task_self()->traced)
		ptrace_event(PTRACE_EVENT_VFORK_DONE, pid);
}

static long
clone_process(const struct clone_request *rq)
{
	struct vfork_wait w = { .parent = process_self() };
	struct pidfd_slot pidfd = { NULL, -1 };
	struct process *p;
	struct task *t;
	int32_t pid;
	int error = copy_process(process_self(), rq, &p);

	if (error != 0)
		return error;
	error = copy_task(p, rq, &t);
	if (error != 0) {
		process_destroy(p);
		return error;
	}
	pid = p->pid;
	error = tell_parent(rq, pid);
	if (error == 0)
		error = pidfd_slot_make(&pidfd, p, rq);
	w.child = p;
	if (error == 0 && (rq->flags & CLONE_VFORK) != 0)
		p->vfork_done = &w;
	if (error == 0)
		error = publish_process(p, t, rq);
	if (error != 0) {
		pidfd_slot_drop(&pidfd);
		drop_task(t);
		process_destroy(p);
		return error;
	}
	if (pidfd.file != NULL)
		fd_install(pidfd.fd, pidfd.file, true);
	start_process(t, pid, rq, &w);
	return pid;
}

/* As on Linux, want of memory is no failure while somebody can end for it. */
static long
clone(const struct clone_request *rq)
{
	long error = check(rq);

	if (error != 0)
		return error;
	do {
		error = (rq->flags & CLONE_THREAD) != 0 ? clone_thread(rq) :
							  clone_process(rq);
	} while (error == -ENOMEM && !signal_before_fork() && oom_make_room());
	return error == -ENOMEM && signal_before_fork() ? -ERESTARTNOINTR :
							  error;
}

long
sys_clone(uint64_t flags, uaddr_t stack, uaddr_t parent_tid, uaddr_t child_tid,
    uaddr_t tls)
{
	struct clone_request rq = { (uint32_t)flags & ~CSIGNAL, flags & CSIGNAL,
		stack, parent_tid, child_tid, tls, parent_tid };

	if ((flags & CLONE_PIDFD) != 0 && (flags & CLONE_PARENT_SETTID) != 0)
		return -EINVAL;
	/* That bit is the signal's here. */
	if (rq.exit_signal > SIGNAL_MAX)
		return -EINVAL;
	return clone(&rq);
}

long
sys_fork(void)
{
	struct clone_request rq = { .exit_signal = SIGCHLD };

	return clone(&rq);
}

long
sys_vfork(void)
{
	struct clone_request rq = { .flags = CLONE_VFORK | CLONE_VM,
		.exit_signal = SIGCHLD };

	return clone(&rq);
}

/* Fields that a newer program knows must be zero to be understood. */
static int
copyin_args(struct clone_args *a, uaddr_t src, size_t size)
{
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	return copyin_struct(a, sizeof(*a), src, size);
}

long
sys_clone3(uaddr_t args, size_t size)
{
	struct clone_request rq = { 0 };
	struct clone_args a;
	int error = copyin_args(&a, args, size);

	if (error != 0)
		return error;
	if (a.set_tid_size != 0 || a.cgroup != 0 ||
	    (a.flags & (CLONE_DETACHED | CSIGNAL)) != 0 ||
	    a.exit_signal > SIGNAL_MAX || (a.stack == 0) != (a.stack_size == 0))
		return -EINVAL;
	if ((a.flags & (CLONE_THREAD | CLONE_PARENT)) != 0 &&
	    a.exit_signal != 0)
		return -EINVAL;
	rq.flags = a.flags;
	rq.exit_signal = a.exit_signal;
	rq.stack = a.stack + a.stack_size;
	rq.parent_tid = a.parent_tid;
	rq.child_tid = a.child_tid;
	rq.tls = a.tls;
	rq.pidfd = a.pidfd;
	return clone(&rq);
}
