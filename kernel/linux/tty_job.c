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
	return process_self()->ctty;
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

	if (p->sid == c->sid && p->ctty == c->tty)
		p->ctty = NULL;
	return true;
}

/* Nobody of the session has the terminal any more; the list's lock held. */
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
	p->ctty = NULL;
	spin_unlock_irq(&process_list_lock, state);
	if (pgrp != 0) {
		signal_send_pgrp(pgrp, SIGHUP);
		signal_send_pgrp(pgrp, SIGCONT);
	}
	return 0;
}

void
tty_session_end(struct process *leader)
{
	struct tty *t = leader->ctty;
	int32_t pgrp;
	uint64_t state;

	if (t == NULL)
		return;
	pgrp = t->pgrp;
	if (pgrp != 0 && leader->pid != 1) {
		signal_send_pgrp(pgrp, SIGHUP);
		signal_send_pgrp(pgrp, SIGCONT);
	}
	state = spin_lock_irq(&process_list_lock);
	tty_forget_session_locked(t);
	spin_unlock_irq(&process_list_lock, state);
	if (leader->pid != 1)
		tty_hang_up(t);
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
tty_set_pgrp(struct tty *t, uaddr_t arg)
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
	if (p->ctty != t || t->session != p->sid)
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
	bool mine = process_self()->ctty == t;

	switch (cmd) {
	case TIOCSCTTY: return tty_set_session(t, file, arg == 1);
	case TIOCNOTTY: return tty_leave(t);
	case TIOCGPGRP: return mine ? tty_put_id(arg, t->pgrp) : -ENOTTY;
	case TIOCSPGRP: return tty_set_pgrp(t, arg);
	case TIOCGSID:
		if (!mine || t->session == 0)
			return -ENOTTY;
		return tty_put_id(arg, t->session);
	}
	return -ENOTTY;
}
