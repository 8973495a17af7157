/* SPDX-License-Identifier: ISC */
/*
 * sigio.c - signals that say that a file has something: see sigio.h.
 *
 * A file with O_ASYNC has waiters on the queues that poll(2) would use.  Who
 * wakes a queue may hold any lock, so the waiter only puts the file on a list,
 * and a thread, made with the first such file, asks the file for its events
 * and sends the signal.  Urgent data of TCP is told by that thread, too, without
 * O_ASYNC.
 *
 * Locking, outermost first: sigio_lock (files stay while they are asked), the
 * files' wait queues, pending.lock (interrupts off).  Nothing is sent under
 * them.
 */
#include "linux/sigio.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/waitq.h"
#include "linux/process.h"
#include "linux/signal.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#define SIGIO_QUEUES 4       /* of one file; more are not known */
#define SIGIO_RAISED POLLMSG /* as an event */

/* Why a file is pending. */
#define WOKEN  1u
#define RAISED 2u
#define URGENT 4u

struct sigio_waiter {
	struct waiter waiter;
	struct sigio *s;
};

/* Who is told, and how. */
struct sigio_owner {
	int type;           /* F_OWNER_* */
	int32_t id;         /* 0: nobody */
	uint32_t uid, euid; /* of who named the owner */
	int signo, fd;      /* F_SETSIG, 0: a plain SIGIO */
};

struct sigio {             /* m: sigio_lock, q: pending.lock */
	struct file *file; /* I, no reference: sigio_file_gone() comes first */
	struct sigio_owner owner; /* [m] */
	unsigned nqueues;         /* [m] */
	int error;                /* [m] a queue could not be joined */
	unsigned pending;         /* [q] WOKEN...; 0: it is not in the list */
	TAILQ_ENTRY(sigio) link;  /* [q] */
	struct sigio_waiter queue[SIGIO_QUEUES]; /* [m] */
};

static struct mutex sigio_lock = MUTEX_INIT(sigio_lock);
static bool thread_runs; /* sigio_lock */

static struct {
	struct spinlock lock;
	TAILQ_HEAD(sigio_list, sigio) files; /* under lock */
	struct waitq wq;
} pending = { SPINLOCK_INIT, TAILQ_HEAD_INITIALIZER(pending.files),
	WAITQ_INIT(pending.wq) };

/* ------------------------------------------------------------- sending -- */

static bool
may_tell(const struct sigio_owner *o, const struct creds *to)
{
	return o->euid == 0 || o->euid == to->suid || o->euid == to->uid ||
	    o->uid == to->suid || o->uid == to->uid;
}

/* What poll(2)'s events are as si_code and si_band. */
static void
describe(unsigned events, siginfo_t *info)
{
	static const struct {
		unsigned event, band;
		int code;
	} rows[] = {
		{ SIGIO_RAISED, POLLIN | POLLRDNORM | POLLMSG, POLL_MSG },
		{ POLLIN, POLLIN | POLLRDNORM, POLL_IN },
		{ POLLPRI, POLLPRI | POLLRDBAND, POLL_PRI },
		{ POLLHUP, POLLHUP | POLLERR, POLL_HUP },
		{ POLLERR, POLLERR, POLL_ERR },
		{ POLLOUT, POLLOUT | POLLWRNORM | POLLWRBAND, POLL_OUT },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows) - 1; i++)
		if ((events & rows[i].event) != 0)
			break;
	info->si_code = rows[i].code;
	info->si_band = (long)rows[i].band;
}

struct telling {
	const struct sigio_owner *owner;
	siginfo_t info, plain;
};

static void
tell_task(struct telling *t, struct task *task)
{
	if (may_tell(t->owner, task->creds) &&
	    signal_post_task(task, &t->info) == -EAGAIN)
		(void)signal_post_task(task, &t->plain);
}

static bool
tell_process(struct process *p, void *arg)
{
	struct telling *t = arg;

	if (t->owner->type == F_OWNER_PGRP && p->pgid != t->owner->id)
		return true;
	if (p->state == PROCESS_ALIVE && may_tell(t->owner, p->creds) &&
	    signal_post_process(p, &t->info) == -EAGAIN)
		(void)signal_post_process(p, &t->plain);
	return true;
}

static void
tell_owner(struct telling *t)
{
	const struct sigio_owner *o = t->owner;
	struct process *p;
	struct task *task;

	mutex_lock(&process_lock);
	if (o->type == F_OWNER_PGRP) {
		process_foreach_locked(tell_process, t);
	} else if (o->type == F_OWNER_PID) {
		p = process_find_locked(o->id);
		if (p != NULL)
			tell_process(p, t);
	} else {
		task = task_find_locked(o->id);
		if (task != NULL)
			tell_task(t, task);
	}
	mutex_unlock(&process_lock);
}

static void
tell_events(const struct sigio_owner *o, unsigned events)
{
	struct telling t = { .owner = o };

	t.plain.si_signo = SIGIO;
	t.plain.si_code = SI_KERNEL;
	t.info = t.plain;
	if (o->signo != 0) {
		describe(events, &t.info);
		t.info.si_signo = o->signo;
		t.info.si_fd = o->fd;
	}
	tell_owner(&t);
}

static void
tell_urgent(const struct sigio_owner *o)
{
	struct telling t = { .owner = o };

	t.plain.si_signo = SIGURG;
	t.plain.si_code = SI_KERNEL;
	t.info = t.plain;
	tell_owner(&t);
}

static struct sigio *
take_pending(unsigned *why)
{
	uint64_t state = spin_lock_irq(&pending.lock);
	struct sigio *s = TAILQ_FIRST(&pending.files);

	if (s != NULL) {
		TAILQ_REMOVE(&pending.files, s, link);
		*why = s->pending;
		s->pending = 0;
	}
	spin_unlock_irq(&pending.lock, state);
	return s;
}

/* One file's owner is told. */
static void
tell_next(void)
{
	struct sigio_owner owner = { 0 };
	unsigned why = 0, events = 0;
	struct sigio *s;

	mutex_lock(&sigio_lock);
	s = take_pending(&why);
	if (s != NULL) {
		if ((why & RAISED) != 0)
			events = SIGIO_RAISED;
		else if ((why & WOKEN) != 0)
			events = file_poll(s->file, NULL);
		owner = s->owner;
	}
	mutex_unlock(&sigio_lock);
	if (owner.id == 0)
		return;
	if ((why & URGENT) != 0)
		tell_urgent(&owner);
	if (events != 0)
		tell_events(&owner, events);
}

static void
sigio_thread(void *arg)
{
	(void)arg;
	for (;;) {
		wait_event(&pending.wq, !TAILQ_EMPTY(&pending.files));
		tell_next();
	}
}

static void
make_pending(struct sigio *s, unsigned why)
{
	uint64_t state = spin_lock_irq(&pending.lock);

	if (s->pending == 0)
		TAILQ_INSERT_TAIL(&pending.files, s, link);
	s->pending |= why;
	spin_unlock_irq(&pending.lock, state);
	waitq_wake_all(&pending.wq);
}

/* The waker's part: any context, its queue is locked. */
static void
sigio_notify(struct waiter *w)
{
	make_pending(container_of(w, struct sigio_waiter, waiter)->s, WOKEN);
}

void
sigio_raise(struct sigio *s)
{
	make_pending(s, RAISED);
}

void
sigio_urgent(struct file *file)
{
	struct sigio *s;

	mutex_lock(&sigio_lock);
	s = file->sigio;
	if (s != NULL && s->owner.id != 0)
		make_pending(s, URGENT);
	mutex_unlock(&sigio_lock);
}

/* --------------------------------------------------------------- files -- */

struct sigio_table {
	struct poll_table table;
	struct sigio *s;
};

static void
add_queue(struct poll_table *table, struct waitq *wq)
{
	struct sigio *s = container_of(table, struct sigio_table, table)->s;
	struct sigio_waiter *w;

	if (s->nqueues == SIGIO_QUEUES) {
		s->error = -ENOSPC;
		return;
	}
	w = &s->queue[s->nqueues++];
	w->s = s;
	w->waiter.notify = sigio_notify;
	waitq_add(wq, &w->waiter);
}

static void
leave_queues_locked(struct sigio *s)
{
	uint64_t state;

	while (s->nqueues > 0)
		waitq_remove(&s->queue[--s->nqueues].waiter);
	state = spin_lock_irq(&pending.lock);
	if (s->pending != 0)
		TAILQ_REMOVE(&pending.files, s, link);
	s->pending = 0;
	spin_unlock_irq(&pending.lock, state);
}

/* The file's, made at need; NULL: no memory. */
static struct sigio *
sigio_of_locked(struct file *file)
{
	struct sigio *s = file->sigio;

	if (s == NULL) {
		s = kzalloc(sizeof(*s));
		if (s != NULL)
			s->file = file;
		file->sigio = s;
	}
	return s;
}

static int
start_thread_locked(void)
{
	struct thread *t;
	int error;

	if (thread_runs)
		return 0;
	error = thread_create("sigio", sigio_thread, NULL, &t);
	if (error != 0)
		return error;
	thread_runs = true;
	thread_start(t);
	return 0;
}

static int
watch_locked(struct file *file, int fd)
{
	struct sigio_table st = { { add_queue }, sigio_of_locked(file) };
	int error;

	if (st.s == NULL)
		return -ENOMEM;
	error = start_thread_locked();
	if (error != 0)
		return error;
	leave_queues_locked(st.s);
	st.s->owner.fd = fd;
	st.s->error = 0;
	(void)file_poll(file, &st.table); /* what is there is not told */
	if (st.s->error != 0)
		leave_queues_locked(st.s);
	return st.s->error;
}

int
sigio_set(struct file *file, int fd, bool on)
{
	int error = 0;

	if (file->ops->poll == NULL)
		return 0;
	mutex_lock(&sigio_lock);
	if (on)
		error = watch_locked(file, fd);
	else if (file->sigio != NULL)
		leave_queues_locked(file->sigio);
	mutex_unlock(&sigio_lock);
	return error;
}

struct sigio *
sigio_owned(struct file *file, int fd)
{
	const struct process *self = process_self();
	struct sigio *s;

	mutex_lock(&sigio_lock);
	s = start_thread_locked() == 0 ? sigio_of_locked(file) : NULL;
	if (s != NULL)
		s->owner.fd = fd;
	if (s != NULL && s->owner.id == 0) {
		s->owner.type = F_OWNER_PID;
		s->owner.id = self->pid;
		s->owner.uid = creds_self()->uid;
		s->owner.euid = creds_self()->euid;
	}
	mutex_unlock(&sigio_lock);
	return s;
}

void
sigio_file_gone(struct file *file)
{
	struct sigio *s = file->sigio;

	mutex_lock(&sigio_lock);
	leave_queues_locked(s);
	file->sigio = NULL;
	mutex_unlock(&sigio_lock);
	kfree(s);
}

/* --------------------------------------------------------------- fcntl -- */

static bool
in_group(struct process *p, void *arg)
{
	int32_t *pgid = arg;

	if (p->pgid != *pgid)
		return true;
	*pgid = 0;
	return false;
}

static bool
is_there(int type, int32_t id)
{
	bool there;

	mutex_lock(&process_lock);
	if (type == F_OWNER_PID) {
		there = process_find_locked(id) != NULL;
	} else if (type == F_OWNER_TID) {
		there = task_find_locked(id) != NULL;
	} else {
		process_foreach_locked(in_group, &id);
		there = id == 0;
	}
	mutex_unlock(&process_lock);
	return there;
}

static long
set_owner(struct file *file, int type, int32_t id)
{
	const struct creds *mine = creds_self();
	struct sigio *s;

	if (id != 0 && !is_there(type, id))
		return -ESRCH;
	mutex_lock(&sigio_lock);
	s = start_thread_locked() == 0 ? sigio_of_locked(file) : NULL;
	if (s != NULL) {
		s->owner.type = type;
		s->owner.id = id;
		s->owner.uid = mine->uid;
		s->owner.euid = mine->euid;
	}
	mutex_unlock(&sigio_lock);
	return s == NULL ? -ENOMEM : 0;
}

static long
set_signal(struct file *file, uint64_t signo)
{
	struct sigio *s;

	if (signo > SIGNAL_MAX)
		return -EINVAL;
	mutex_lock(&sigio_lock);
	s = sigio_of_locked(file);
	if (s != NULL)
		s->owner.signo = (int)signo;
	mutex_unlock(&sigio_lock);
	return s == NULL ? -ENOMEM : 0;
}

static struct sigio_owner
owner_of(struct file *file)
{
	struct sigio_owner o = { .type = F_OWNER_TID };

	mutex_lock(&sigio_lock);
	if (file->sigio != NULL)
		o = ((struct sigio *)file->sigio)->owner;
	mutex_unlock(&sigio_lock);
	return o;
}

long
sigio_fcntl(struct file *file, unsigned cmd, uint64_t arg)
{
	struct sigio_owner o;
	int id = (int)arg;

	if (cmd == F_SETSIG)
		return set_signal(file, arg);
	if (cmd == F_SETOWN)
		return id == INT32_MIN ? -EINVAL :
		    id < 0             ? set_owner(file, F_OWNER_PGRP, -id) :
					 set_owner(file, F_OWNER_PID, id);
	o = owner_of(file);
	if (cmd == F_GETSIG)
		return o.signo;
	return o.type == F_OWNER_PGRP ? -o.id : o.id;
}

long
sigio_fcntl_ex(struct file *file, unsigned cmd, uaddr_t arg)
{
	struct sigio_owner o;
	struct f_owner_ex ex;

	if (cmd == F_GETOWN_EX) {
		o = owner_of(file);
		ex.type = o.type;
		ex.pid = o.id;
		return copyout(arg, &ex, sizeof(ex));
	}
	if (copyin(&ex, arg, sizeof(ex)) != 0)
		return -EFAULT;
	if (ex.type < F_OWNER_TID || ex.type > F_OWNER_PGRP)
		return -EINVAL;
	return set_owner(file, ex.type, ex.pid);
}
