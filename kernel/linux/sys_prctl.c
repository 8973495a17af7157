/* SPDX-License-Identifier: ISC */
/*
 * sys_prctl.c - prctl(2) as C libraries, init systems and language runtimes
 * use it, and arch_prctl(2).
 */
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/process.h"
#include "linux/seccomp.h"
#include "linux/sys_process.h"
#include "x86/cpu.h"
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

static long
set_name(uaddr_t name)
{
	struct task *t = task_self();
	char comm[THREAD_NAME];
	long len = copyinstr(comm, name, sizeof(comm));

	if (len == -EFAULT)
		return -EFAULT;
	comm[THREAD_NAME - 1] = '\0'; /* longer ones are cut */
	memset(t->comm, 0, sizeof(t->comm));
	strlcpy(t->comm, comm, sizeof(t->comm));
	if (t->tid == t->process->pid)
		memcpy(t->process->comm, t->comm, sizeof(t->comm));
	return 0;
}

static long
copyout_int(uaddr_t dst, int value)
{
	return copyout(dst, &value, sizeof(value));
}

static int
set_securebits(uint32_t bits)
{
	struct creds c = *creds_self();
	uint32_t locked = (c.securebits & SECURE_ALL_LOCKS) >> 1;

	if (((c.securebits ^ bits) & locked) != 0 ||
	    (c.securebits & SECURE_ALL_LOCKS & ~bits) != 0 ||
	    (bits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) != 0 ||
	    !capable(CAP_SETPCAP))
		return -EPERM;
	c.securebits = bits;
	return creds_change(&c);
}

static long
ambient(uint64_t what, uint64_t cap)
{
	struct creds new = *creds_self(), *c = &new;
	uint64_t bit = 1ull << (cap & 63);

	if (what == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (cap != 0)
			return -EINVAL;
		c->cap_ambient = 0;
		return creds_change(c);
	}
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	switch (what) {
	case PR_CAP_AMBIENT_IS_SET: return (c->cap_ambient & bit) != 0;
	case PR_CAP_AMBIENT_LOWER:
		c->cap_ambient &= ~bit;
		return creds_change(c);
	case PR_CAP_AMBIENT_RAISE:
		if ((c->cap_permitted & c->cap_inheritable & bit) == 0 ||
		    (c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE) != 0)
			return -EPERM;
		c->cap_ambient |= bit;
		return creds_change(c);
	default: return -EINVAL;
	}
}

static long
drop_bound(uint64_t cap)
{
	struct creds c = *creds_self();

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	c.cap_bounding &= ~(1ull << cap);
	return creds_change(&c);
}

static long
keep_caps(uint64_t keep)
{
	struct creds c = *creds_self();

	if (keep > 1)
		return -EINVAL;
	if ((c.securebits & SECBIT_KEEP_CAPS_LOCKED) != 0)
		return -EPERM;
	c.securebits = (c.securebits & ~(uint32_t)SECBIT_KEEP_CAPS) |
	    (keep != 0 ? SECBIT_KEEP_CAPS : 0);
	return creds_change(&c);
}

static long
prctl_creds(int option, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	const struct creds *c = creds_self();

	switch (option) {
	case PR_CAPBSET_READ:
		return a2 > CAP_LAST_CAP ? -EINVAL :
					   (long)(c->cap_bounding >> a2 & 1);
	case PR_CAPBSET_DROP: return drop_bound(a2);
	case PR_GET_SECUREBITS: return c->securebits;
	case PR_SET_SECUREBITS: return set_securebits(a2);
	case PR_GET_KEEPCAPS: return (c->securebits & SECBIT_KEEP_CAPS) != 0;
	case PR_SET_KEEPCAPS: return keep_caps(a2);
	case PR_CAP_AMBIENT:
		return a4 != 0 || a5 != 0 ? -EINVAL : ambient(a2, a3);
	case PR_SET_NO_NEW_PRIVS:
		if (a2 != 1 || a3 != 0 || a4 != 0 || a5 != 0)
			return -EINVAL;
		task_self()->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a2 != 0 || a3 != 0 || a4 != 0 || a5 != 0 ?
		    -EINVAL :
		    task_self()->no_new_privs;
	default: return -EINVAL;
	}
}

/* PR_SET_MM: where the pieces of the address space are said to be. */
static long
set_mm(uint64_t what, uint64_t value)
{
	struct vm_layout *l = vmspace_layout(process_self()->vm);

	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (value >= USER_END)
		return -EINVAL;
	switch (what) {
	case PR_SET_MM_ARG_START: l->arg_start = value; return 0;
	case PR_SET_MM_ARG_END: l->arg_end = value; return 0;
	case PR_SET_MM_ENV_START: l->env_start = value; return 0;
	case PR_SET_MM_ENV_END: l->env_end = value; return 0;
	default: return -EINVAL;
	}
}

/* When a memory error is told; there is no such error here, only the word. */
static long
mce_kill(uint64_t what, uint64_t policy, uint64_t a4, uint64_t a5)
{
	if (a4 != 0 || a5 != 0 || what > PR_MCE_KILL_SET)
		return -EINVAL;
	if (what == PR_MCE_KILL_CLEAR && policy != 0)
		return -EINVAL;
	if (what == PR_MCE_KILL_SET && policy > PR_MCE_KILL_DEFAULT)
		return -EINVAL;
	process_self()->mce_kill = what == PR_MCE_KILL_SET ?
	    policy :
	    PR_MCE_KILL_DEFAULT;
	return 0;
}

static long
prctl_process(int option, uint64_t a2, uint64_t a3, uint64_t a4)
{
	struct process *p = process_self();
	struct task *t = task_self();

	switch (option) {
	case PR_SET_PDEATHSIG:
		if (a2 > SIGNAL_MAX)
			return -EINVAL;
		p->pdeath_signal = a2;
		return 0;
	case PR_GET_PDEATHSIG: return copyout_int(a2, p->pdeath_signal);
	case PR_SET_DUMPABLE:
		if (a2 > 1)
			return -EINVAL;
		p->dumpable = a2;
		return 0;
	case PR_GET_DUMPABLE: return p->dumpable;
	case PR_SET_CHILD_SUBREAPER: p->subreaper = a2 != 0; return 0;
	case PR_GET_CHILD_SUBREAPER: return copyout_int(a2, p->subreaper);
	case PR_SET_TIMERSLACK:
		t->timer_slack_ns = (int64_t)a2 <= 0 ? t->timer_slack_first_ns :
						       MIN(a2, UINT32_MAX);
		return 0;
	case PR_GET_TIMERSLACK: return t->timer_slack_ns;
	case PR_SET_THP_DISABLE: /* there are no huge pages to disable */
		if (a3 != 0 || a4 != 0)
			return -EINVAL;
		p->thp_disabled = a2 != 0;
		return 0;
	case PR_GET_THP_DISABLE:
		return a2 != 0 || a3 != 0 || a4 != 0 ? -EINVAL :
						       p->thp_disabled;
	case PR_SET_MM: return set_mm(a2, a3);
	default: return -EINVAL;
	}
}

long
sys_prctl(int option, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	switch (option) {
	case PR_SET_NAME: return set_name(a2);
	case PR_GET_NAME: return copyout(a2, task_self()->comm, THREAD_NAME);
	case PR_GET_TID_ADDRESS:
		return copyout(a2, &task_self()->clear_child_tid,
		    sizeof(uaddr_t));
	case PR_GET_TSC: return copyout_int(a2, PR_TSC_ENABLE);
	case PR_SET_TSC: return a2 == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_GET_TIMING: return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING: return a2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_GET_SECCOMP: return task_self()->seccomp_mode;
	case PR_SET_SECCOMP: return seccomp_prctl(a2, a3);
	case PR_MCE_KILL: return mce_kill(a2, a3, a4, a5);
	case PR_MCE_KILL_GET:
		return a2 != 0 || a3 != 0 || a4 != 0 || a5 != 0 ?
		    -EINVAL :
		    process_self()->mce_kill;
	case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE: return 0;
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS:
	case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS:
	case PR_CAP_AMBIENT:
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS: return prctl_creds(option, a2, a3, a4, a5);
	default: /* PR_SET_VMA too: no names for anonymous memory */
		return prctl_process(option, a2, a3, a4);
	}
}

/* ---- arch_prctl ---- */

long
sys_arch_prctl(int code, uint64_t arg)
{
	uint64_t base;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (arg >= USER_END)
			return -EPERM;
		if (code == ARCH_SET_FS)
			user_set_fsbase(arg);
		else
			user_set_gsbase(arg);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		base = code == ARCH_GET_FS ? user_fsbase() : user_gsbase();
		return copyout(arg, &base, sizeof(base));
	case ARCH_GET_CPUID: /* CPUID may be used */ return 1;
	case ARCH_SET_CPUID: /* a fault at CPUID is not offered */
		return -ENODEV;
	case ARCH_GET_XCOMP_SUPP:
	case ARCH_GET_XCOMP_PERM:
		return copyout(arg, &cpu_features()->xcr0, sizeof(uint64_t));
	default: /* shadow stacks and the like */ return -EINVAL;
	}
}
