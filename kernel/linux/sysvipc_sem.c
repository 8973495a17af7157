/* SPDX-License-Identifier: ISC */
/*
 * sysvipc_sem.c - System V semaphores: semget(2), semop(2), semctl(2).
 *
 * A call's operations happen all at once or not at all; who cannot go on
 * sleeps until something changes in the set, and tries again.  What SEM_UNDO
 * asks for is kept for each process and set, and done when the process ends.
 */
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include "linux/sysvipc.h"
#include "linux/timespec.h"
#include <asm/sembuf.h>
#include <linux/errno.h>
#include <linux/sem.h>

#define SEM_VALUE_MAX 32767

struct semaphore {
	uint16_t value;
	int32_t pid; /* of who changed it last */
};

/* One who sleeps in semop(2), for GETNCNT and GETZCNT. */
struct sem_waiter {
	TAILQ_ENTRY(sem_waiter) link;
	unsigned num;  /* the semaphore it waits for */
	bool for_zero; /* else for more */
};

/* What to add when the process ends; on its list and on the set's. */
struct sem_undo {
	TAILQ_ENTRY(sem_undo) process_link, set_link;
	struct process *process;
	struct sem_set *set;
	int16_t adjust[];
};

struct sem_set {
	struct ipc_object ipc;
	unsigned n; /* [I] */
	int64_t otime;
	uint32_t changes; /* [a] counted, for who sleeps */
	struct waitq wq;
	TAILQ_HEAD(, sem_waiter) waiters;
	TAILQ_HEAD(, sem_undo) undos;
	struct semaphore sem[];
};

static struct ipc_table sets = { .max = SEM_MNI };
static uint64_t nsemaphores; /* in all sets; ipc_lock */

static struct sem_set *
set_of(struct ipc_object *o)
{
	return container_of(o, struct sem_set, ipc);
}

static void
set_destroy(struct ipc_object *o)
{
	kfree(set_of(o));
}

static int
set_make(const struct ipc_request *rq, struct ipc_object **out)
{
	struct sem_set *s;

	if (rq->size == 0)
		return -EINVAL;
	if (nsemaphores + rq->size > SEM_MNS)
		return -ENOSPC;
	s = kzalloc(sizeof(*s) + rq->size * sizeof(s->sem[0]));
	if (s == NULL)
		return -ENOMEM;
	s->n = rq->size;
	s->ipc.destroy = set_destroy;
	waitq_init(&s->wq);
	TAILQ_INIT(&s->waiters);
	TAILQ_INIT(&s->undos);
	nsemaphores += s->n;
	*out = &s->ipc;
	return 0;
}

static int
set_fits(const struct ipc_request *rq, struct ipc_object *o)
{
	return rq->size > set_of(o)->n ? -EINVAL : 0;
}

long
sys_semget(int32_t key, int n, unsigned flags)
{
	struct ipc_request rq = { &sets, key, flags, set_make, set_fits, n };

	if (n < 0 || n > SEM_MSL)
		return -EINVAL;
	return ipc_get(&rq);
}

static void
changed_locked(struct sem_set *s)
{
	__atomic_add_fetch(&s->changes, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&s->wq);
}

/* ---- undoing ---- */

static void
undo_free_locked(struct sem_undo *u)
{
	TAILQ_REMOVE(&u->process->sem_undos, u, process_link);
	TAILQ_REMOVE(&u->set->undos, u, set_link);
	kfree(u);
}

/* The caller's for this set, made at need.  NULL: out of memory. */
static struct sem_undo *
undo_get_locked(struct sem_set *s)
{
	struct process *p = process_self();
	struct sem_undo *u;

	TAILQ_FOREACH (u, &p->sem_undos, process_link)
		if (u->set == s)
			return u;
	u = kzalloc(sizeof(*u) + s->n * sizeof(u->adjust[0]));
	if (u == NULL)
		return NULL;
	u->process = p;
	u->set = s;
	TAILQ_INSERT_TAIL(&p->sem_undos, u, process_link);
	TAILQ_INSERT_TAIL(&s->undos, u, set_link);
	return u;
}

static void
undo_locked(struct sem_undo *u)
{
	struct sem_set *s = u->set;
	int value;
	unsigned i;

	for (i = 0; i < s->n; i++) {
		if (u->adjust[i] == 0)
			continue;
		value = s->sem[i].value + u->adjust[i];
		s->sem[i].value = MIN(MAX(value, 0), SEM_VALUE_MAX);
		s->sem[i].pid = u->process->pid;
	}
	s->otime = ipc_now();
	changed_locked(s);
}

void
sem_undo_all(struct process *p)
{
	struct sem_undo *u;

	if (TAILQ_EMPTY(&p->sem_undos))
		return;
	mutex_lock(&ipc_lock);
	while ((u = TAILQ_FIRST(&p->sem_undos)) != NULL) {
		undo_locked(u);
		undo_free_locked(u);
	}
	mutex_unlock(&ipc_lock);
}

/* A value was set: what was to be undone to it is not any more. */
static void
forget_undo_locked(struct sem_set *s, unsigned first, unsigned n)
{
	struct sem_undo *u;
	unsigned i;

	TAILQ_FOREACH (u, &s->undos, set_link)
		for (i = first; i < first + n; i++)
			u->adjust[i] = 0;
}

/* ---- operations ---- */

struct sem_call {
	struct sembuf *op;
	unsigned n;
	struct sem_undo *undo; /* if any has SEM_UNDO */
	unsigned blocked;      /* the operation that cannot be done */
};

static int
op_apply(struct sem_set *s, struct sem_call *c, const struct sembuf *op)
{
	struct semaphore *sem = &s->sem[op->sem_num];
	int value = sem->value + op->sem_op, adjust;

	if (op->sem_op == 0)
		return sem->value != 0 ? -EAGAIN : 0;
	if (value < 0)
		return -EAGAIN;
	if (value > SEM_VALUE_MAX)
		return -ERANGE;
	if ((op->sem_flg & SEM_UNDO) != 0) {
		adjust = c->undo->adjust[op->sem_num] - op->sem_op;
		if (adjust < -SEM_VALUE_MAX - 1 || adjust > SEM_VALUE_MAX)
			return -ERANGE;
		c->undo->adjust[op->sem_num] = adjust;
	}
	sem->value = value;
	return 0;
}

static void
op_revert(struct sem_set *s, struct sem_call *c, const struct sembuf *op)
{
	s->sem[op->sem_num].value -= op->sem_op;
	if (op->sem_op != 0 && (op->sem_flg & SEM_UNDO) != 0)
		c->undo->adjust[op->sem_num] += op->sem_op;
}

/* All of it, or nothing.  -EAGAIN: c->blocked says where; -ERANGE */
static int
try_locked(struct sem_set *s, struct sem_call *c)
{
	int error = 0;
	unsigned i;

	for (i = 0; i < c->n; i++) {
		error = op_apply(s, c, &c->op[i]);
		if (error != 0)
			break;
	}
	c->blocked = i;
	if (error != 0) {
		while (i-- > 0)
			op_revert(s, c, &c->op[i]);
		return error;
	}
	for (i = 0; i < c->n; i++)
		s->sem[c->op[i].sem_num].pid = process_self()->pid;
	s->otime = ipc_now();
	changed_locked(s);
	return 0;
}

/* The lock is let go while the caller sleeps. */
static int
sleep_locked(struct sem_set *s, struct sem_call *c, int64_t deadline_ns)
{
	const struct sembuf *op = &c->op[c->blocked];
	struct sem_waiter w = { .num = op->sem_num,
		.for_zero = op->sem_op == 0 };
	uint32_t seen = s->changes;
	int error;

	TAILQ_INSERT_TAIL(&s->waiters, &w, link);
	mutex_unlock(&ipc_lock);
	error = wait_event_until(&s->wq,
	    __atomic_load_n(&s->changes, __ATOMIC_ACQUIRE) != seen,
	    deadline_ns);
	mutex_lock(&ipc_lock);
	TAILQ_REMOVE(&s->waiters, &w, link);
	if (error == -ERESTARTSYS)
		return -EINTR;
	return error == -ETIMEDOUT ? -EAGAIN : error;
}

static int
check_ops_locked(struct sem_set *s, struct sem_call *c)
{
	bool alters = false, undoes = false;
	unsigned i;

	for (i = 0; i < c->n; i++) {
		if (c->op[i].sem_num >= s->n)
			return -EFBIG;
		alters |= c->op[i].sem_op != 0;
		undoes |= c->op[i].sem_op != 0 &&
		    (c->op[i].sem_flg & SEM_UNDO) != 0;
	}
	if (ipc_may_locked(&s->ipc, alters ? IPC_WRITE : IPC_READ) != 0)
		return -EACCES;
	if (undoes && (c->undo = undo_get_locked(s)) == NULL)
		return -ENOMEM;
	return 0;
}

static int
operate_locked(struct sem_set *s, struct sem_call *c, int64_t deadline_ns)
{
	int error;

	error = check_ops_locked(s, c);
	while (error == 0) {
		error = try_locked(s, c);
		if (error != -EAGAIN ||
		    (c->op[c->blocked].sem_flg & IPC_NOWAIT) != 0)
			break;
		error = sleep_locked(s, c, deadline_ns);
		if (s->ipc.removed)
			error = -EIDRM; /* and with it the undo */
	}
	return error;
}

static int
operate(int32_t id, struct sem_call *c, int64_t deadline_ns)
{
	struct ipc_object *o;
	int error;

	mutex_lock(&ipc_lock);
	error = ipc_find_locked(&sets, id, &o);
	if (error == 0) {
		o->refs++;
		error = operate_locked(set_of(o), c, deadline_ns);
		ipc_put_locked(o);
	}
	mutex_unlock(&ipc_lock);
	return error;
}

long
sys_semtimedop(int32_t id, uaddr_t ops, unsigned n, uaddr_t timeout)
{
	struct sem_call c = { .n = n };
	int64_t deadline_ns = WAIT_FOREVER;
	int error = 0;

	if (n == 0 || id < 0)
		return -EINVAL;
	if (n > SEM_OPM)
		return -E2BIG;
	if (timeout != 0)
		error = copyin_deadline(timeout, &deadline_ns);
	if (error != 0)
		return error;
	c.op = kcalloc(n, sizeof(*c.op));
	if (c.op == NULL)
		return -ENOMEM;
	error = copyin(c.op, ops, n * sizeof(*c.op));
	if (error == 0)
		error = operate(id, &c, deadline_ns);
	kfree(c.op);
	return error;
}

long
sys_semop(int32_t id, uaddr_t ops, unsigned n)
{
	return sys_semtimedop(id, ops, n, 0);
}

/* ---- control ---- */

static void
remove_locked(struct sem_set *s)
{
	struct sem_undo *u;

	while ((u = TAILQ_FIRST(&s->undos)) != NULL)
		undo_free_locked(u);
	nsemaphores -= s->n;
	s->ipc.removed = true;
	changed_locked(s);
	ipc_remove_locked(&sets, &s->ipc);
}

static unsigned
count_waiters_locked(const struct sem_set *s, unsigned num, bool for_zero)
{
	const struct sem_waiter *w;
	unsigned n = 0;

	TAILQ_FOREACH (w, &s->waiters, link)
		n += w->num == num && w->for_zero == for_zero;
	return n;
}

static long
one_locked(struct sem_set *s, int num, int cmd, int value)
{
	struct semaphore *sem;

	if (num < 0 || (unsigned)num >= s->n)
		return -EINVAL;
	sem = &s->sem[num];
	switch (cmd) {
	case GETVAL: return sem->value;
	case GETPID: return sem->pid;
	case GETNCNT: return count_waiters_locked(s, num, false);
	case GETZCNT: return count_waiters_locked(s, num, true);
	}
	if (value < 0 || value > SEM_VALUE_MAX)
		return -ERANGE;
	forget_undo_locked(s, num, 1);
	sem->value = value;
	sem->pid = process_self()->pid;
	s->ipc.ctime = ipc_now();
	changed_locked(s);
	return 0;
}

static long
sem_one(int32_t id, int num, int cmd, int value)
{
	struct ipc_object *o;
	long ret;

	mutex_lock(&ipc_lock);
	ret = ipc_find_locked(&sets, id, &o);
	if (ret == 0)
		ret = ipc_may_locked(o, cmd == SETVAL ? IPC_WRITE : IPC_READ);
	if (ret == 0)
		ret = one_locked(set_of(o), num, cmd, value);
	mutex_unlock(&ipc_lock);
	return ret;
}

static int
set_all_locked(struct sem_set *s, const uint16_t *value)
{
	unsigned i;

	for (i = 0; i < s->n; i++)
		if (value[i] > SEM_VALUE_MAX)
			return -ERANGE;
	for (i = 0; i < s->n; i++) {
		s->sem[i].value = value[i];
		s->sem[i].pid = process_self()->pid;
	}
	forget_undo_locked(s, 0, s->n);
	s->ipc.ctime = ipc_now();
	changed_locked(s);
	return 0;
}

/* How many values there are, so that the room for them can be had unlocked. */
static int
set_size(int32_t id, unsigned access, unsigned *n)
{
	struct ipc_object *o;
	int error;

	mutex_lock(&ipc_lock);
	error = ipc_find_locked(&sets, id, &o);
	if (error == 0)
		error = ipc_may_locked(o, access);
	if (error == 0)
		*n = set_of(o)->n;
	mutex_unlock(&ipc_lock);
	return error;
}

static long
sem_all(int32_t id, bool set, uaddr_t at)
{
	struct ipc_object *o;
	uint16_t *value;
	unsigned n, i;
	int error = set_size(id, set ? IPC_WRITE : IPC_READ, &n);

	if (error != 0)
		return error;
	value = kcalloc(n, sizeof(*value));
	if (value == NULL)
		return -ENOMEM;
	if (set)
		error = copyin(value, at, n * sizeof(*value));
	mutex_lock(&ipc_lock);
	if (error == 0)
		error = ipc_find_locked(&sets, id, &o);
	if (error == 0 && set)
		error = set_all_locked(set_of(o), value);
	for (i = 0; error == 0 && !set && i < n; i++)
		value[i] = set_of(o)->sem[i].value;
	mutex_unlock(&ipc_lock);
	if (error == 0 && !set)
		error = copyout(at, value, n * sizeof(*value));
	kfree(value);
	return error;
}

static void
fill_stat(struct ipc_object *o, void *to)
{
	struct semid64_ds *ds = to;

	ipc_perm_fill(o, &ds->sem_perm);
	ds->sem_otime = set_of(o)->otime;
	ds->sem_ctime = o->ctime;
	ds->sem_nsems = set_of(o)->n;
}

static long
sem_stat(int32_t id, int cmd, uaddr_t buf)
{
	struct semid64_ds ds;
	struct ipc_stat st = { &sets, fill_stat, &ds, sizeof(ds),
		cmd == SEM_STAT_ANY };

	return ipc_stat(&st, id, cmd, buf);
}

static long
sem_info(int cmd, uaddr_t buf)
{
	struct seminfo info = { .semmap = SEM_MNS,
		.semmni = SEM_MNI,
		.semmns = SEM_MNS,
		.semmnu = SEM_MNS,
		.semmsl = SEM_MSL,
		.semopm = SEM_OPM,
		.semume = SEM_OPM,
		.semusz = 20,
		.semvmx = SEM_VALUE_MAX,
		.semaem = SEM_VALUE_MAX };
	int highest;

	mutex_lock(&ipc_lock);
	highest = ipc_highest_locked(&sets);
	if (cmd == SEM_INFO) {
		info.semusz = sets.used;
		info.semaem = nsemaphores;
	}
	mutex_unlock(&ipc_lock);
	return copyout(buf, &info, sizeof(info)) != 0 ? -EFAULT : highest;
}

static long
sem_change(int32_t id, int cmd, const struct semid64_ds *ds)
{
	struct ipc_object *o;
	int error;

	mutex_lock(&ipc_lock);
	error = ipc_find_locked(&sets, id, &o);
	if (error == 0)
		error = cmd == IPC_SET ? ipc_perm_set_locked(o, &ds->sem_perm) :
					 ipc_owns_locked(o);
	if (error == 0 && cmd == IPC_RMID)
		remove_locked(set_of(o));
	mutex_unlock(&ipc_lock);
	return error;
}

long
sys_semctl(int32_t id, int num, int cmd, uint64_t arg)
{
	struct semid64_ds ds;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO: return sem_info(cmd, arg);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY: return sem_stat(id, cmd, arg);
	case GETALL: return sem_all(id, false, arg);
	case SETALL: return sem_all(id, true, arg);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL: return sem_one(id, num, cmd, (int)arg);
	case IPC_SET:
		if (copyin(&ds, arg, sizeof(ds)) != 0)
			return -EFAULT;
		return sem_change(id, cmd, &ds);
	case IPC_RMID: return sem_change(id, cmd, NULL);
	default: return -EINVAL;
	}
}

static void
print_set(struct ipc_object *o, struct sbuf *sb)
{
	const struct sem_set *s = set_of(o);

	sbuf_printf(sb, "%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n",
	    o->key, o->id, o->mode, s->n, o->uid, o->gid, o->cuid, o->cgid,
	    s->otime, o->ctime);
}

int
proc_show_sem(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_puts(sb,
	    "       key      semid perms      nsems   uid   gid  cuid  cgid"
	    "      otime      ctime\n");
	ipc_foreach(&sets, print_set, sb);
	return 0;
}
