/* SPDX-License-Identifier: ISC */
/*
 * sys_process.c - who a process is and where it belongs: its numbers, its
 * group and its session.  credentials(7), setpgid(2), setsid(2).
 */
#include "linux/sys_process.h"
#include "linux/tty.h"
#include "linux/process.h"
#include <linux/errno.h>

long
sys_getpid(void)
{
	return process_self()->pid;
}

long
sys_gettid(void)
{
	return task_self()->tid;
}

long
sys_getppid(void)
{
	struct process *parent = process_self()->parent;

	return parent == NULL ? 0 : parent->pid;
}

long
sys_set_tid_address(uaddr_t addr)
{
	struct task *t = task_self();

	t->clear_child_tid = addr;
	return t->tid;
}

/* 0: the caller.  process_lock held. */
static struct process *
find(int32_t pid)
{
	return pid == 0 ? process_self() : process_find_locked(pid);
}

long
sys_getpgid(int32_t pid)
{
	struct process *p;
	long answer;

	mutex_lock(&process_lock);
	p = find(pid);
	answer = p == NULL ? -ESRCH : p->pgid;
	mutex_unlock(&process_lock);
	return answer;
}

long
sys_getpgrp(void)
{
	return process_self()->pgid;
}

long
sys_getsid(int32_t pid)
{
	struct process *p;
	long answer;

	mutex_lock(&process_lock);
	p = find(pid);
	answer = p == NULL ? -ESRCH : p->sid;
	mutex_unlock(&process_lock);
	return answer;
}

struct group_query {
	int32_t pgid, sid; /* sid 0: any */
	bool found;
};

static bool
is_member(struct process *p, void *arg)
{
	struct group_query *q = arg;

	q->found = p->pgid == q->pgid && (q->sid == 0 || p->sid == q->sid);
	return !q->found;
}

static bool
group_exists_locked(int32_t pgid, int32_t sid)
{
	struct group_query q = { pgid, sid, false };

	process_foreach_locked(is_member, &q);
	return q.found;
}

static int
setpgid_locked(struct process *p, int32_t pgid)
{
	struct process *self = process_self();

	if (p == NULL || (p != self && p->parent != self))
		return -ESRCH;
	if (p != self && p->sid != self->sid)
		return -EPERM;
	if (p != self && p->did_exec)
		return -EACCES;
	if (p->sid == p->pid)
		return -EPERM;
	if (pgid != p->pid && !group_exists_locked(pgid, self->sid))
		return -EPERM;
	return 0;
}

static void
set_ids_locked(struct process *p, int32_t pgid, int32_t sid)
{
	uint64_t irq = spin_lock_irq(&process_list_lock);

	p->pgid = pgid;
	p->sid = sid;
	spin_unlock_irq(&process_list_lock, irq);
}

long
sys_setpgid(int32_t pid, int32_t pgid)
{
	struct process *p;
	int error;

	if (pgid < 0 || (pgid == 0 && pid < 0))
		return -EINVAL;
	mutex_lock(&process_lock);
	p = find(pid);
	if (pgid == 0 && p != NULL)
		pgid = p->pid;
	error = setpgid_locked(p, pgid);
	if (error == 0)
		set_ids_locked(p, pgid, p->sid);
	mutex_unlock(&process_lock);
	return error;
}

long
sys_setsid(void)
{
	struct process *p = process_self();
	long answer = -EPERM;

	mutex_lock(&process_lock);
	if (!group_exists_locked(p->pid, 0)) {
		set_ids_locked(p, p->pid, p->pid);
		tty_drop(p);
		answer = p->pid;
	}
	mutex_unlock(&process_lock);
	return answer;
}
