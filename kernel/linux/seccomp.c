/* SPDX-License-Identifier: ISC */
/*
 * seccomp.c - a task gives up system calls, for good: all but four (strict
 * mode), or what filters say, which see a call's number and arguments.
 * seccomp(2), <linux/seccomp.h>
 *
 * Owns the chains of filters.  Each has a reference of every task and every
 * newer filter that points to it.  A task's pointer and mode change under
 * process_lock, by itself or, when it synchronises, by another of its threads;
 * what it points to stays, as the newer chain ends in it.
 */
#include "linux/seccomp.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/ptrace.h"
#include "linux/seccomp_notify.h"
#include "linux/sys_process.h"
#include "net/bpf.h"
#include "x86/trapframe.h"
#include <asm/unistd_64.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#define PATH_MAX_INSNS 32768u /* of all filters of a task */
#define PATH_COST      4u     /* and what each counts beside its length */
#define ERRNO_MAX      4095u
#define FLAGS_KNOWN                                                            \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |                 \
	    SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH | \
	    SECCOMP_FILTER_FLAG_NEW_LISTENER |                                 \
	    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

struct seccomp_filter {
	uint32_t refs;                     /* [a] */
	struct seccomp_filter *prev;       /* [I] older, also asked */
	unsigned n;                        /* [I] instructions */
	bool log;                          /* [I] tells what it refuses */
	struct seccomp_listener *listener; /* [I] who is asked; or NULL */
	struct sock_filter insn[];         /* [I] */
};

static void
filter_put(struct seccomp_filter *f)
{
	struct seccomp_filter *prev;

	for (; f != NULL; f = prev) {
		if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) != 0)
			return;
		prev = f->prev;
		seccomp_listener_abandon(f->listener);
		kfree(f);
	}
}

static struct seccomp_filter *
filter_get(struct seccomp_filter *f)
{
	if (f != NULL)
		__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
	return f;
}

/* ---- asking ---- */

/* A word of the call's description, the way filters read packets. */
static bool
read_word(const void *arg, uint32_t off, void *to, unsigned n)
{
	uint32_t word;

	if (n != sizeof(word) || off > sizeof(struct seccomp_data) - n)
		return false;
	memcpy(&word, (const char *)arg + off, sizeof(word));
	word = __builtin_bswap32(word);
	memcpy(to, &word, sizeof(word));
	return true;
}

static struct seccomp_data
describe(const struct trapframe *tf)
{
	return (struct seccomp_data){ .nr = (int)tf->orig_rax,
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = tf->rip,
		.args = { tf->rdi, tf->rsi, tf->rdx, tf->r10, tf->r8,
		    tf->r9 } };
}

/* The strictest answer of all filters, and who gave it. */
static uint32_t
ask(const struct seccomp_filter *f, const struct trapframe *tf,
    const struct seccomp_filter **who)
{
	struct seccomp_data data = describe(tf);
	struct bpf_packet packet = { .read = read_word,
		.arg = &data,
		.len = sizeof(data) };
	uint32_t worst = SECCOMP_RET_ALLOW, got;

	for (*who = f; f != NULL; f = f->prev) {
		got = bpf_run(f->insn, &packet);
		if ((int32_t)(got & SECCOMP_RET_ACTION_FULL) <
		    (int32_t)(worst & SECCOMP_RET_ACTION_FULL)) {
			worst = got;
			*who = f;
		}
	}
	return worst;
}

static void
tell(const struct trapframe *tf, const char *what)
{
	log_info("%s[%d]: system call %d %s", task_self()->comm,
	    task_self()->tid, (int)tf->orig_rax, what);
}

/* One thread, or all: also if the one is the last. */
static void __noreturn
die(const struct trapframe *tf, int signo, bool whole)
{
	tell(tf, "is not allowed: killed");
	if (whole || process_self()->ntasks == 1)
		process_exit(WAIT_STATUS_SIGNAL(signo));
	task_exit(WAIT_STATUS_SIGNAL(signo));
}

static void
trap_instead(struct trapframe *tf, uint32_t data)
{
	siginfo_t info;

	tf->rax = tf->orig_rax; /* the call was not made */
	memset(&info, 0, sizeof(info));
	info.si_signo = SIGSYS;
	info.si_code = SYS_SECCOMP;
	info.si_errno = (int)data;
	info.si_call_addr = (void *)tf->rip;
	info.si_syscall = (int)tf->orig_rax;
	info.si_arch = AUDIT_ARCH_X86_64;
	signal_force_info(&info);
}

/* Another program decides. */
static bool
ask_listener(struct trapframe *tf, struct seccomp_listener *l)
{
	struct seccomp_data data = describe(tf);
	int64_t value;

	if (seccomp_listener_ask(l, &data, &value))
		return true;
	tf->rax = (uint64_t)value;
	return false;
}

static bool
act(struct trapframe *tf, uint32_t answer, const struct seccomp_filter *who);

/* The tracer looks at the call, and may change it: what is it then? */
static bool
ask_tracer(struct trapframe *tf, uint32_t data)
{
	const struct seccomp_filter *who;
	uint32_t answer;

	tf->rax = -ENOSYS;
	if (!ptrace_seccomp(data) || (int32_t)tf->orig_rax == -1)
		return false;
	answer = ask(task_self()->seccomp, tf, &who);
	return (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE ||
	    act(tf, answer, who);
}

static bool
act(struct trapframe *tf, uint32_t answer, const struct seccomp_filter *who)
{
	uint32_t data = answer & SECCOMP_RET_DATA;

	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW: return true;
	case SECCOMP_RET_LOG: tell(tf, "was asked for"); return true;
	case SECCOMP_RET_TRACE: return ask_tracer(tf, data);
	case SECCOMP_RET_USER_NOTIF: return ask_listener(tf, who->listener);
	case SECCOMP_RET_ERRNO:
		if (who->log)
			tell(tf, "is not allowed");
		tf->rax = -(uint64_t)MIN(data, ERRNO_MAX);
		return false;
	case SECCOMP_RET_TRAP: trap_instead(tf, data); return false;
	case SECCOMP_RET_KILL_THREAD: die(tf, SIGSYS, false);
	default: /* KILL_PROCESS, and what has no meaning yet */
		die(tf, SIGSYS, true);
	}
}

static bool
allowed_strictly(uint32_t nr)
{
	return nr == __NR_read || nr == __NR_write || nr == __NR_exit ||
	    nr == __NR_rt_sigreturn;
}

bool
seccomp_allows(struct trapframe *tf)
{
	struct task *t = task_self();
	const struct seccomp_filter *who;
	uint32_t answer;

	switch (__atomic_load_n(&t->seccomp_mode, __ATOMIC_ACQUIRE)) {
	case SECCOMP_MODE_DISABLED: return true;
	case SECCOMP_MODE_STRICT:
		if (allowed_strictly(tf->orig_rax))
			return true;
		die(tf, SIGKILL, false);
	default:
		answer = ask(__atomic_load_n(&t->seccomp, __ATOMIC_ACQUIRE), tf,
		    &who);
		return act(tf, answer, who);
	}
}

/* ---- who has which ---- */

static void
set_locked(struct task *t, unsigned mode, struct seccomp_filter *f)
{
	struct seccomp_filter *old = t->seccomp;

	if (t->seccomp_mode == SECCOMP_MODE_DISABLED)
		ptrace_watch_calls_locked(1);
	__atomic_store_n(&t->seccomp, f, __ATOMIC_RELEASE);
	__atomic_store_n(&t->seccomp_mode, mode, __ATOMIC_RELEASE);
	filter_put(old);
}

void
seccomp_inherit_locked(struct task *t)
{
	struct task *self = task_self();

	t->no_new_privs = self->no_new_privs;
	if (t != self && self->seccomp_mode != SECCOMP_MODE_DISABLED)
		set_locked(t, self->seccomp_mode, filter_get(self->seccomp));
}

void
seccomp_release(struct task *t)
{
	if (t->seccomp_mode == SECCOMP_MODE_DISABLED)
		return;
	mutex_lock(&process_lock);
	ptrace_watch_calls_locked(-1);
	mutex_unlock(&process_lock);
	filter_put(t->seccomp);
}

unsigned
seccomp_count(const struct task *t)
{
	const struct seccomp_filter *f;
	unsigned n = 0;

	for (f = t->seccomp; f != NULL; f = f->prev)
		n++;
	return n;
}

/* ---- giving up calls ---- */

static bool
known_to_seccomp(const struct sock_filter *f)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k < sizeof(struct seccomp_data) && f->k % 4 == 0;
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM: return true;
	default:
		return BPF_CLASS(f->code) != BPF_LD &&
		    BPF_CLASS(f->code) != BPF_LDX &&
		    (f->code & ~BPF_SRC(0xff)) != (BPF_ALU | BPF_MOD);
	}
}

/* The program's filter, checked.  -EFAULT, -EINVAL, -EACCES, -ENOMEM */
static int
filter_copyin(uaddr_t from, unsigned flags, struct seccomp_filter **out)
{
	struct sock_fprog prog;
	struct seccomp_filter *f;
	unsigned i;
	int error;

	if (copyin(&prog, from, sizeof(prog)) != 0)
		return -EFAULT;
	if (prog.len == 0 || prog.len > BPF_MAXINSNS)
		return -EINVAL;
	if (!task_self()->no_new_privs && !capable(CAP_SYS_ADMIN))
		return -EACCES;
	f = kzalloc(sizeof(*f) + prog.len * sizeof(f->insn[0]));
	if (f == NULL)
		return -ENOMEM;
	f->refs = 1;
	f->n = prog.len;
	f->log = (flags & SECCOMP_FILTER_FLAG_LOG) != 0;
	error = copyin(f->insn, (uaddr_t)prog.filter,
	    f->n * sizeof(f->insn[0]));
	if (error == 0)
		error = bpf_check(f->insn, f->n);
	for (i = 0; error == 0 && i < f->n; i++)
		if (!known_to_seccomp(&f->insn[i]))
			error = -EINVAL;
	if (error != 0) {
		kfree(f);
		return error;
	}
	*out = f;
	return 0;
}

static unsigned
cost_of(const struct seccomp_filter *f)
{
	unsigned cost = 0;

	for (; f != NULL; f = f->prev)
		cost += f->n + PATH_COST;
	return cost;
}

static bool
is_older_or_same(const struct seccomp_filter *old,
    const struct seccomp_filter *f)
{
	while (f != old && f != NULL)
		f = f->prev;
	return f == old;
}

/* Could this thread have its filters replaced by the caller's? */
static bool
may_follow_locked(const struct task *t)
{
	return t->seccomp_mode == SECCOMP_MODE_DISABLED ||
	    (t->seccomp_mode == SECCOMP_MODE_FILTER &&
		is_older_or_same(t->seccomp, task_self()->seccomp));
}

/* The number of a thread that cannot follow; 0: all can. */
static int32_t
who_cannot_follow_locked(void)
{
	struct task *t;

	TAILQ_FOREACH (t, &process_self()->tasks, link)
		if (t != task_self() && !may_follow_locked(t))
			return t->tid;
	return 0;
}

/* One of the caller's filters has a listener that is still open. */
static bool
has_listener_locked(void)
{
	const struct seccomp_filter *f;

	for (f = task_self()->seccomp; f != NULL; f = f->prev)
		if (f->listener != NULL &&
		    seccomp_listener_is_open(f->listener))
			return true;
	return false;
}

static long
add_locked(struct seccomp_filter *f, unsigned flags)
{
	bool all = (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0;
	struct task *self = task_self(), *t;
	int32_t tid = all ? who_cannot_follow_locked() : 0;

	if (self->seccomp_mode == SECCOMP_MODE_STRICT)
		return -EINVAL;
	if (f->listener != NULL && has_listener_locked())
		return -EBUSY;
	if (cost_of(self->seccomp) + f->n > PATH_MAX_INSNS)
		return -ENOMEM;
	if (tid != 0)
		return (flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH) != 0 ? -ESRCH :
									tid;
	f->prev = filter_get(self->seccomp);
	set_locked(self, SECCOMP_MODE_FILTER, f);
	if (all)
		TAILQ_FOREACH (t, &process_self()->tasks, link)
			if (t != self) {
				set_locked(t, SECCOMP_MODE_FILTER,
				    filter_get(f));
				if (self->no_new_privs)
					t->no_new_privs = true;
			}
	return 0;
}

static bool
flags_make_sense(unsigned flags)
{
	bool listener = (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
	bool tid = (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0 &&
	    (flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH) == 0;
	bool killable = (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) != 0;

	/* A positive answer is a thread or a descriptor, not either. */
	return (flags & ~(unsigned)FLAGS_KNOWN) == 0 && !(listener && tid) &&
	    (listener || !killable);
}

static long
add(struct seccomp_filter *f, unsigned flags)
{
	long error;

	mutex_lock(&process_lock);
	error = add_locked(f, flags);
	mutex_unlock(&process_lock);
	return error;
}

/* The same with somebody who listens: the number of that file, or -errno. */
static long
add_with_listener(struct seccomp_filter *f, unsigned flags)
{
	struct file *file;
	int fd = fd_reserve(0);
	long error = fd;

	if (fd < 0)
		return error;
	error = seccomp_listener_create(
	    (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) != 0, &f->listener,
	    &file);
	if (error == 0) {
		error = add(f, flags);
		if (error != 0)
			file_put(file);
	}
	if (error != 0) {
		fd_unreserve(fd);
		return error;
	}
	fd_install(fd, file, true);
	return fd;
}

static long
set_filter(unsigned flags, uaddr_t from)
{
	struct seccomp_filter *f;
	long ret;

	if (!flags_make_sense(flags))
		return -EINVAL;
	ret = filter_copyin(from, flags, &f);
	if (ret != 0)
		return ret;
	if ((flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0) {
		ret = add_with_listener(f, flags);
		if (ret < 0)
			filter_put(f);
	} else {
		ret = add(f, flags);
		if (ret != 0)
			filter_put(f);
	}
	return ret;
}

static long
set_strict(void)
{
	struct task *t = task_self();
	long error = 0;

	mutex_lock(&process_lock);
	if (t->seccomp_mode == SECCOMP_MODE_FILTER)
		error = -EINVAL;
	else
		set_locked(t, SECCOMP_MODE_STRICT, NULL);
	mutex_unlock(&process_lock);
	return error;
}

static long
is_available(uaddr_t at)
{
	uint32_t action;

	if (copyin(&action, at, sizeof(action)) != 0)
		return -EFAULT;
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_USER_NOTIF:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW: return 0;
	default: return -EOPNOTSUPP;
	}
}

static long
notif_sizes(uaddr_t at)
{
	struct seccomp_notif_sizes sizes = {
		.seccomp_notif = sizeof(struct seccomp_notif),
		.seccomp_notif_resp = sizeof(struct seccomp_notif_resp),
		.seccomp_data = sizeof(struct seccomp_data),
	};

	return copyout(at, &sizes, sizeof(sizes));
}

long
seccomp_prctl(uint64_t mode, uaddr_t filter)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT: return set_strict();
	case SECCOMP_MODE_FILTER: return set_filter(0, filter);
	default: return -EINVAL;
	}
}

long
sys_seccomp(unsigned op, unsigned flags, uaddr_t args)
{
	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return flags != 0 || args != 0 ? -EINVAL : set_strict();
	case SECCOMP_SET_MODE_FILTER: return set_filter(flags, args);
	case SECCOMP_GET_ACTION_AVAIL:
		return flags != 0 ? -EINVAL : is_available(args);
	case SECCOMP_GET_NOTIF_SIZES:
		return flags != 0 ? -EINVAL : notif_sizes(args);
	default: return -EINVAL;
	}
}
