/* SPDX-License-Identifier: ISC */
/*
 * tty_job.c - whose terminal it is: controlling terminals, sessions and the
 * group in the foreground.  credentials(7), tcsetpgrp(3), tty_ioctl(2).
 *
 * A terminal serves at most one session; every process of it points there.
 * process_list_lock guards the pointers and the terminal's session and group.
 */
#include "linux/tty.h"

#include "kern/uaccess.h"
#include "linux/process.h"
#include "linux/signal.h"
#include <linux/capability.h>
#include <linux/errno.h>

struct tty *
tty_current(void)
{
	uint64_t state = spin_lock_irq(&process_list_lock);
	struct tty *t = process_self()->ctty;

	if (t != NULL)
		tty_get(t);
	spin_unlock_irq(&process_list_lock, state);
	return t;
}

void
tty_of_process(struct process *p, uint64_t *rdev, int32_t *pgrp)
{
	uint64_t state = spin_lock_irq(&process_list_lock);

	*rdev = p->ctty != NULL ? p->ctty->rdev : 0;
	*pgrp = p->ctty != NULL ? p->ctty->pgrp : -1;
	spin_unlock_irq(&process_list_lock, state);
}

void
tty_signal(struct tty *t, int signo)
{
	int32_t pgrp = __atomic_load_n(&t->pgrp, __ATOMIC_RELAXED);

	if (pgrp != 0)
		signal_send_pgrp(pgrp, signo);
}

int
tty_job_control(struct tty *t, int signo)
{
	struct process *p = process_self();
	int32_t pgrp = __atomic_load_n(&t->pgrp, __ATOMIC_RELAXED);
	struct signal_sets sets;
	bool orphaned;

	if (p->ctty != t || pgrp == 0 || pgrp == p->pgid)
		return 0;
	signal_sets(p, task_self(), &sets);
	if (((sets.blocked | sets.ignored) & SIGBIT(signo)) != 0)
		return signo == SIGTTIN ? -EIO : 0;
	mutex_lock(&process_lock);
	orphaned = pgrp_is_orphaned_locked(p->pgid);
	mutex_unlock(&process_lock);
	if (orphaned)
		return -EIO;
	signal_send_pgrp(p->pgid, signo);
	return -ERESTARTSYS;
}

/* -------------------------------------------------- sessions come and go -- */

struct clear_session {
	int32_t sid;
	struct tty *tty;
};

static bool
clear_ctty(struct process *p, void *arg)
{
	struct clear_session *c = arg;

	if (p->sid == c->sid && p->ctty == c->tty) {
		p->ctty = NULL;
		tty_put(c->tty);
	}
	return true;
}

void
tty_inherit_locked(struct process *child, struct process *parent)
{
	child->ctty = parent->ctty;
	if (child->ctty != NULL)
		tty_get(child->ctty);
}

void
tty_drop(struct process *p)
{
	uint64_t state;
	struct tty *t;

	if (p->ctty == NULL)
		return;
	state = spin_lock_irq(&process_list_lock);
	t = p->ctty;
	p->ctty = NULL;
	spin_unlock_irq(&process_list_lock, state);
	if (t != NULL)
		tty_put(t);
}

/*
 * Nobody of the session has the terminal any more; the list's lock held, and
 * a reference by the caller.
 */
static void
tty_forget_session_locked(struct tty *t)
{
	struct clear_session c = { t->session, t };

	if (t->session != 0)
		process_foreach_locked(clear_ctty, &c);
	t->session = t->pgrp = 0;
	t->lent = false;
}

/* The list's lock held. */
static void
tty_give_locked(struct tty *t, struct process *p, bool lent)
{
	t->session = p->sid;
	__atomic_store_n(&t->pgrp, p->pgid, __ATOMIC_RELAXED);
	t->lent = lent;
	tty_get(t);
	p->ctty = t;
}

static bool
tty_is_free(const struct tty *t)
{
	return t->session == 0 || t->lent;
}

void
tty_open_session(struct tty *t, bool readable)
{
	struct process *p = process_self();
	uint64_t state;

	if (!readable || p->pid != p->sid || p->ctty != NULL)
		return;
	state = spin_lock_irq(&process_list_lock);
	if (tty_is_free(t)) {
		tty_forget_session_locked(t);
		tty_give_locked(t, p, false);
	}
	spin_unlock_irq(&process_list_lock, state);
}

void
tty_lend(struct tty *t, struct process *init)
{
	uint64_t state = spin_lock_irq(&process_list_lock);

	init->sid = init->pgid = init->pid;
	tty_give_locked(t, init, true);
	spin_unlock_irq(&process_list_lock, state);
}

/* TIOCSCTTY; force: take it from another session. */
static int
tty_set_session(struct tty *t, struct file *file, bool force)
{
	struct process *p = process_self();
	bool root = capable(CAP_SYS_ADMIN);
	uint64_t state;
	int error = 0;

	state = spin_lock_irq(&process_list_lock);
	if (p->pid == p->sid && t->session == p->sid && p->ctty == t)
		t->lent = false; /* it has it already */
	else if (p->pid != p->sid || p->ctty != NULL)
		error = -EPERM;
	else if (!tty_is_free(t) && !(force && root))
		error = -EPERM;
	else if ((file->mode & FILE_READ) == 0 && !root)
		error = -EPERM;
	else {
		tty_forget_session_locked(t);
		tty_give_locked(t, p, false);
	}
	spin_unlock_irq(&process_list_lock, state);
	return error;
}

/* TIOCNOTTY: a leader's session loses the terminal, others only they. */
static int
tty_leave(struct tty *t)
{
	struct process *p = process_self();
	uint64_t state;
	int32_t pgrp = 0;

	if (p->ctty != t)
		return -ENOTTY;
	state = spin_lock_irq(&process_list_lock);
	if (p->pid == p->sid) {
		pgrp = t->pgrp;
		tty_forget_session_locked(t);
	}
	spin_unlock_irq(&process_list_lock, state);
	tty_drop(p);
	if (pgrp != 0) {
		signal_send_pgrp(pgrp, SIGHUP);
		signal_send_pgrp(pgrp, SIGCONT);
	}
	return 0;
}

static void
tell_group(int32_t pgrp)
{
	if (pgrp == 0)
		return;
	signal_send_pgrp(pgrp, SIGHUP);
	signal_send_pgrp(pgrp, SIGCONT);
}

/*
 * A serial line hangs up with its session; a pseudo-terminal stays open for
 * who has it, only the foreground is told.
 */
void
tty_session_end(struct process *leader)
{
	struct tty *t = tty_current();
	uint64_t state;
	int32_t pgrp;

	if (t == NULL) {
		tell_group(leader->old_pgrp);
		return;
	}
	pgrp = t->pgrp;
	if (t->pty && pgrp != 0)
		signal_send_pgrp(pgrp, SIGHUP);
	else if (leader->pid != 1)
		tell_group(pgrp);
	state = spin_lock_irq(&process_list_lock);
	if (t->session == leader->sid)
		tty_forget_session_locked(t);
	spin_unlock_irq(&process_list_lock, state);
	if (leader->pid != 1 && !t->pty)
		tty_hang_up(t);
	tty_put(t);
}

static bool
tell_leader(struct process *p, void *arg)
{
	struct tty *t = arg;

	if (p->pid != p->sid || p->ctty != t)
		return true;
	p->old_pgrp = t->pgrp; /* told when the leader ends */
	signal_send_process(p, SIGHUP);
	signal_send_process(p, SIGCONT);
	return true;
}

void
tty_hang_up_session(struct tty *t)
{
	uint64_t state = spin_lock_irq(&process_list_lock);

	if (t->session != 0) {
		process_foreach_locked(tell_leader, t);
		tty_forget_session_locked(t);
	}
	spin_unlock_irq(&process_list_lock, state);
}

/* --------------------------------------------------------------- calls -- */

static int
tty_put_id(uaddr_t to, int32_t id)
{
	return copyout(to, &id, sizeof(id));
}

struct find_pgrp {
	int32_t pgid, sid;
	bool found;
};

static bool
find_pgrp(struct process *p, void *arg)
{
	struct find_pgrp *f = arg;

	if (p->pgid != f->pgid)
		return true;
	f->found = true;
	f->sid = p->sid;
	return false;
}

static int
tty_set_pgrp(struct tty *t, bool mine, uaddr_t arg)
{
	struct process *p = process_self();
	struct find_pgrp f = { 0 };
	uint64_t state;
	int error;

	error = tty_job_control(t, SIGTTOU);
	if (error != 0)
		return error == -EIO ? -ENOTTY : error;
	if (copyin(&f.pgid, arg, sizeof(f.pgid)) != 0)
		return -EFAULT;
	if (f.pgid < 0)
		return -EINVAL;
	if (!mine || t->session != p->sid)
		return -ENOTTY;
	state = spin_lock_irq(&process_list_lock);
	process_foreach_locked(find_pgrp, &f);
	if (!f.found)
		error = -ESRCH;
	else if (f.sid != p->sid)
		error = -EPERM;
	else
		__atomic_store_n(&t->pgrp, f.pgid, __ATOMIC_RELAXED);
	spin_unlock_irq(&process_list_lock, state);
	return error;
}

long
tty_job_ioctl(struct tty *t, struct file *file, unsigned cmd, uint64_t arg)
{
	/* From a master all may be asked. */
	bool mine = process_self()->ctty == t || file->ops != &tty_file_ops;

	switch (cmd) {
	case TIOCSCTTY: return tty_set_session(t, file, arg == 1);
	case TIOCNOTTY: return tty_leave(t);
	case TIOCGPGRP: return mine ? tty_put_id(arg, t->pgrp) : -ENOTTY;
	case TIOCSPGRP: return tty_set_pgrp(t, mine, arg);
	case TIOCGSID:
		if (!mine || t->session == 0)
			return -ENOTTY;
		return tty_put_id(arg, t->session);
	}
	return -ENOTTY;
}
