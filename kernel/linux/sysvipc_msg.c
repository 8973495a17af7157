/* SPDX-License-Identifier: ISC */
/*
 * sysvipc_msg.c - System V message queues: msgget(2), msgsnd(2), msgrcv(2),
 * msgctl(2).
 */
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include "linux/sysvipc.h"
#include <asm/msgbuf.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/msg.h>

struct message {
	TAILQ_ENTRY(message) link;
	int64_t type;
	uint64_t size;
	char text[];
};

struct queue {
	struct ipc_object ipc;
	TAILQ_HEAD(, message) messages; /* oldest first */
	uint64_t bytes, n, bytes_max;
	int64_t stime, rtime;
	int32_t lspid, lrpid;
	uint32_t changes; /* [a] counted, for who sleeps */
	struct waitq wq;
};

static struct ipc_table queues = { .max = MSG_MNI };

static struct queue *
queue_of(struct ipc_object *o)
{
	return container_of(o, struct queue, ipc);
}

static void
queue_destroy(struct ipc_object *o)
{
	struct queue *q = queue_of(o);
	struct message *m;

	while ((m = TAILQ_FIRST(&q->messages)) != NULL) {
		TAILQ_REMOVE(&q->messages, m, link);
		kfree(m);
	}
	kfree(q);
}

static int
queue_make(const struct ipc_request *rq, struct ipc_object **out)
{
	struct queue *q = kzalloc(sizeof(*q));

	(void)rq;
	if (q == NULL)
		return -ENOMEM;
	q->ipc.destroy = queue_destroy;
	q->bytes_max = MSG_MNB;
	TAILQ_INIT(&q->messages);
	waitq_init(&q->wq);
	*out = &q->ipc;
	return 0;
}

long
sys_msgget(int32_t key, unsigned flags)
{
	struct ipc_request rq = { &queues, key, flags, queue_make, NULL, 0 };

	return ipc_get(&rq);
}

static void
changed_locked(struct queue *q)
{
	__atomic_add_fetch(&q->changes, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&q->wq);
}

/* Sleeps, unlocked, until something changes.  -EIDRM, -ERESTARTNOHAND */
static int
sleep_locked(struct queue *q)
{
	uint32_t seen = q->changes;
	int error;

	mutex_unlock(&ipc_lock);
	error = wait_event_intr(&q->wq,
	    __atomic_load_n(&q->changes, __ATOMIC_ACQUIRE) != seen);
	mutex_lock(&ipc_lock);
	if (q->ipc.removed)
		return -EIDRM;
	return error != 0 ? -ERESTARTNOHAND : 0;
}

/* The queue for `access`, with a reference for who may sleep. */
static int
get_locked(int32_t id, unsigned access, struct queue **out)
{
	struct ipc_object *o;
	int error = ipc_find_locked(&queues, id, &o);

	if (error == 0)
		error = ipc_may_locked(o, access);
	if (error != 0)
		return error;
	o->refs++;
	*out = queue_of(o);
	return 0;
}

/* ---- sending ---- */

static bool
has_room(const struct queue *q, uint64_t size)
{
	return q->bytes + size <= q->bytes_max && q->n + 1 <= q->bytes_max;
}

/* Takes the message over unless it fails. */
static int
send_locked(struct queue *q, struct message *m, bool wait)
{
	int error;

	while (!has_room(q, m->size)) {
		if (!wait)
			return -EAGAIN;
		error = sleep_locked(q);
		if (error != 0)
			return error;
		error = ipc_may_locked(&q->ipc, IPC_WRITE);
		if (error != 0)
			return error;
	}
	TAILQ_INSERT_TAIL(&q->messages, m, link);
	q->bytes += m->size;
	q->n++;
	q->stime = ipc_now();
	q->lspid = process_self()->pid;
	changed_locked(q);
	return 0;
}

static int
message_copyin(uaddr_t at, uint64_t size, struct message **out)
{
	struct message *m;
	int64_t type;

	if (copyin(&type, at, sizeof(type)) != 0)
		return -EFAULT;
	if (type < 1)
		return -EINVAL;
	m = kmalloc(sizeof(*m) + size);
	if (m == NULL)
		return -ENOMEM;
	m->type = type;
	m->size = size;
	if (copyin(m->text, at + sizeof(type), size) != 0) {
		kfree(m);
		return -EFAULT;
	}
	*out = m;
	return 0;
}

long
sys_msgsnd(int32_t id, uaddr_t msg, uint64_t size, unsigned flags)
{
	struct message *m;
	struct queue *q;
	int error;

	if (id < 0 || size > MSG_MAX_BYTES)
		return -EINVAL;
	error = message_copyin(msg, size, &m);
	if (error != 0)
		return error;
	mutex_lock(&ipc_lock);
	error = get_locked(id, IPC_WRITE, &q);
	if (error == 0) {
		error = send_locked(q, m, (flags & IPC_NOWAIT) == 0);
		ipc_put_locked(&q->ipc);
	}
	mutex_unlock(&ipc_lock);
	if (error != 0)
		kfree(m);
	return error;
}

/* ---- receiving ---- */

/* The first of that kind; type 0: the first, below 0: the lowest up to it. */
static struct message *
choose_locked(struct queue *q, int64_t type, bool except)
{
	struct message *m, *best = NULL;
	int64_t most = type == INT64_MIN ? INT64_MAX : -type;

	TAILQ_FOREACH (m, &q->messages, link) {
		if (type == 0)
			return m;
		if (type > 0 && (m->type == type) != except)
			return m;
		if (type < 0 && m->type <= most &&
		    (best == NULL || m->type < best->type))
			best = m;
	}
	return best;
}

static int
receive_locked(struct queue *q, uint64_t size, int64_t type, unsigned flags,
    struct message **out)
{
	struct message *m;
	int error;

	while (
	    (m = choose_locked(q, type, (flags & MSG_EXCEPT) != 0)) == NULL) {
		if ((flags & IPC_NOWAIT) != 0)
			return -ENOMSG;
		error = sleep_locked(q);
		if (error != 0)
			return error;
		error = ipc_may_locked(&q->ipc, IPC_READ);
		if (error != 0)
			return error;
	}
	if (m->size > size && (flags & MSG_NOERROR) == 0)
		return -E2BIG;
	TAILQ_REMOVE(&q->messages, m, link);
	q->bytes -= m->size;
	q->n--;
	q->rtime = ipc_now();
	q->lrpid = process_self()->pid;
	changed_locked(q);
	*out = m;
	return 0;
}

long
sys_msgrcv(int32_t id, uaddr_t msg, uint64_t size, int64_t type, unsigned flags)
{
	struct message *m = NULL;
	struct queue *q;
	long ret;

	if (id < 0 || size > INT64_MAX)
		return -EINVAL;
	if ((flags & MSG_COPY) != 0) /* for checkpoints: not here */
		return (flags & IPC_NOWAIT) == 0 ? -EINVAL : -ENOSYS;
	mutex_lock(&ipc_lock);
	ret = get_locked(id, IPC_READ, &q);
	if (ret == 0) {
		ret = receive_locked(q, size, type, flags, &m);
		ipc_put_locked(&q->ipc);
	}
	mutex_unlock(&ipc_lock);
	if (ret != 0)
		return ret;
	ret = MIN(m->size, size);
	if (copyout(msg, &m->type, sizeof(m->type)) != 0 ||
	    copyout(msg + sizeof(m->type), m->text, ret) != 0)
		ret = -EFAULT;
	kfree(m);
	return ret;
}

/* ---- control ---- */

static void
fill_stat(struct ipc_object *o, void *to)
{
	struct msqid64_ds *ds = to;
	struct queue *q = queue_of(o);

	ipc_perm_fill(o, &ds->msg_perm);
	ds->msg_stime = q->stime;
	ds->msg_rtime = q->rtime;
	ds->msg_ctime = o->ctime;
	ds->msg_cbytes = q->bytes;
	ds->msg_qnum = q->n;
	ds->msg_qbytes = q->bytes_max;
	ds->msg_lspid = q->lspid;
	ds->msg_lrpid = q->lrpid;
}

static long
msg_stat(int32_t id, int cmd, uaddr_t buf)
{
	struct msqid64_ds ds;
	struct ipc_stat st = { &queues, fill_stat, &ds, sizeof(ds),
		cmd == MSG_STAT_ANY };

	return ipc_stat(&st, id, cmd, buf);
}

static long
msg_info(int cmd, uaddr_t buf)
{
	struct msginfo info = { .msgpool = MSG_MNI * (MSG_MNB / 1024),
		.msgmap = MSG_MNB,
		.msgmax = MSG_MAX_BYTES,
		.msgmnb = MSG_MNB,
		.msgmni = MSG_MNI,
		.msgssz = 16,
		.msgtql = MSG_MNB,
		.msgseg = 0xffff };
	unsigned i;
	int highest;

	mutex_lock(&ipc_lock);
	highest = ipc_highest_locked(&queues);
	if (cmd == MSG_INFO) {
		info.msgpool = queues.used;
		info.msgmap = info.msgtql = 0;
		for (i = 0; i < queues.size; i++) {
			if (queues.slot[i] == NULL)
				continue;
			info.msgmap += queue_of(queues.slot[i])->n;
			info.msgtql += queue_of(queues.slot[i])->bytes;
		}
	}
	mutex_unlock(&ipc_lock);
	return copyout(buf, &info, sizeof(info)) != 0 ? -EFAULT : highest;
}

static int
set_locked(struct queue *q, const struct msqid64_ds *ds)
{
	int error;

	if (ds->msg_qbytes > MSG_MNB && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	error = ipc_perm_set_locked(&q->ipc, &ds->msg_perm);
	if (error != 0)
		return error;
	q->bytes_max = ds->msg_qbytes;
	changed_locked(q);
	return 0;
}

static void
remove_locked(struct queue *q)
{
	q->ipc.removed = true;
	changed_locked(q);
	ipc_remove_locked(&queues, &q->ipc);
}

static long
msg_change(int32_t id, int cmd, const struct msqid64_ds *ds)
{
	struct ipc_object *o;
	int error;

	mutex_lock(&ipc_lock);
	error = ipc_find_locked(&queues, id, &o);
	if (error == 0 && cmd == IPC_SET)
		error = set_locked(queue_of(o), ds);
	else if (error == 0)
		error = ipc_owns_locked(o);
	if (error == 0 && cmd == IPC_RMID)
		remove_locked(queue_of(o));
	mutex_unlock(&ipc_lock);
	return error;
}

long
sys_msgctl(int32_t id, int cmd, uaddr_t buf)
{
	struct msqid64_ds ds;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO: return msg_info(cmd, buf);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY: return msg_stat(id, cmd, buf);
	case IPC_SET:
		if (copyin(&ds, buf, sizeof(ds)) != 0)
			return -EFAULT;
		return msg_change(id, cmd, &ds);
	case IPC_RMID: return msg_change(id, cmd, NULL);
	default: return -EINVAL;
	}
}

static void
print_queue(struct ipc_object *o, struct sbuf *sb)
{
	const struct queue *q = queue_of(o);

	sbuf_printf(sb,
	    "%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10ld %10ld "
	    "%10ld\n",
	    o->key, o->id, o->mode, q->bytes, q->n, q->lspid, q->lrpid, o->uid,
	    o->gid, o->cuid, o->cgid, q->stime, q->rtime, o->ctime);
}

int
proc_show_msg(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_puts(sb,
	    "       key      msqid perms      cbytes       qnum lspid lrpid"
	    "   uid   gid  cuid  cgid      stime      rtime      ctime\n");
	ipc_foreach(&queues, print_queue, sb);
	return 0;
}
