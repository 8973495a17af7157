/* SPDX-License-Identifier: ISC */
/*
 * mqueue.c - POSIX message queues.  mq_overview(7).
 *
 * A queue has a name until mq_unlink(3), and lives as long as a descriptor of
 * it is open.  Messages are ordered by priority, then by age.  One sleep lock
 * for all queues; nothing is copied from or to a program while it is held.
 */
#include "linux/mqueue.h"
#include "fs/file.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/files.h"
#include "linux/fsview.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/sys_socket.h"
#include "linux/timespec.h"
#include "linux/trace.h"
#include "net/netlink.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mqueue.h>
#include <linux/poll.h>

#define NAME_LEN       255
#define PRIORITY_MAX   32768
#define HARD_MSG_MAX   65536
#define HARD_SIZE_MAX  (16l << 20)
#define COOKIE_LEN     32 /* of SIGEV_THREAD; its last byte: */
#define COOKIE_WOKEN   1
#define COOKIE_REMOVED 2
#define HEADER_BYTES   48 /* of a message, as RLIMIT_MSGQUEUE counts */

struct mq_message {
	TAILQ_ENTRY(mq_message) link;
	unsigned priority;
	uint64_t size;
	char text[];
};

struct mq {
	TAILQ_ENTRY(mq) link; /* while it has a name */
	uint32_t refs;        /* its name's, its files' */
	char name[NAME_LEN + 1];
	bool named;
	uint32_t uid, gid, mode;
	long msg_max, size_max; /* [I] */
	TAILQ_HEAD(, mq_message) messages;
	long n;
	unsigned receivers; /* who sleep for a message */
	uint32_t changes;   /* [a] counted, for who sleeps */
	struct waitq wq;
	int32_t notify_pid; /* 0: nobody is to be told */
	int notify_how, notify_signo;
	uint64_t notify_value;
	/* SIGEV_THREAD: the C library's netlink socket, and what it gets. */
	struct file *notify_socket;
	uint8_t notify_cookie[COOKIE_LEN];
};

static struct mutex lock = MUTEX_INIT(lock);
static TAILQ_HEAD(, mq) queues = TAILQ_HEAD_INITIALIZER(queues);
static unsigned nqueues;
static const struct file_ops mq_ops;

static void
put_locked(struct mq *q)
{
	struct mq_message *m;

	if (--q->refs != 0)
		return;
	while ((m = TAILQ_FIRST(&q->messages)) != NULL) {
		TAILQ_REMOVE(&q->messages, m, link);
		kfree(m);
	}
	nqueues--;
	kfree(q);
}

static void
changed_locked(struct mq *q)
{
	__atomic_add_fetch(&q->changes, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&q->wq);
}

static struct mq *
find_locked(const char *name)
{
	struct mq *q;

	TAILQ_FOREACH (q, &queues, link)
		if (strcmp(q->name, name) == 0)
			return q;
	return NULL;
}

/* ---- opening ---- */

static uint64_t
bytes_of(long msg_max, long size_max)
{
	return (uint64_t)msg_max * (size_max + HEADER_BYTES);
}

/* RLIMIT_MSGQUEUE: what all queues of a user may take. */
static bool
over_limit_locked(uint32_t uid, long msg_max, long size_max)
{
	uint64_t sum = bytes_of(msg_max, size_max);
	struct mq *q;

	TAILQ_FOREACH (q, &queues, link)
		if (q->uid == uid)
			sum += bytes_of(q->msg_max, q->size_max);
	return sum > process_self()->rlimits[RLIMIT_MSGQUEUE].rlim_cur;
}

static int
check_attr(const struct mq_attr *a)
{
	bool able = capable(CAP_SYS_RESOURCE);

	if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0)
		return -EINVAL;
	if (a->mq_maxmsg > (able ? HARD_MSG_MAX : MQ_MSG_DEFAULT) ||
	    a->mq_msgsize > (able ? HARD_SIZE_MAX : MQ_SIZE_DEFAULT))
		return -EINVAL;
	return 0;
}

static int
make_locked(const char *name, unsigned mode, const struct mq_attr *a,
    struct mq **out)
{
	const struct creds *c = creds_self();
	struct mq *q;

	if (nqueues >= MQ_QUEUES_MAX && !capable(CAP_SYS_RESOURCE))
		return -ENOSPC;
	if (over_limit_locked(c->fsuid, a->mq_maxmsg, a->mq_msgsize))
		return -EMFILE;
	q = kzalloc(sizeof(*q));
	if (q == NULL)
		return -ENOMEM;
	strlcpy(q->name, name, sizeof(q->name));
	q->named = true;
	q->refs = 2; /* the name's, the caller's */
	q->uid = c->fsuid;
	q->gid = c->fsgid;
	q->mode = mode & 0777 & ~fsview_self()->umask;
	q->msg_max = a->mq_maxmsg;
	q->size_max = a->mq_msgsize;
	TAILQ_INIT(&q->messages);
	waitq_init(&q->wq);
	TAILQ_INSERT_TAIL(&queues, q, link);
	nqueues++;
	*out = q;
	return 0;
}

static int
may_open_locked(const struct mq *q, int flags)
{
	const struct creds *c = creds_self();
	unsigned want, have = q->mode;

	switch (flags & O_ACCMODE) {
	case O_RDONLY: want = 4; break;
	case O_WRONLY: want = 2; break;
	case O_RDWR: want = 6; break;
	default: return -EINVAL;
	}
	if (c->fsuid == q->uid)
		have >>= 6;
	else if (c->fsgid == q->gid)
		have >>= 3;
	if ((want & ~have) != 0 && !capable(CAP_DAC_OVERRIDE))
		return -EACCES;
	return 0;
}

/* The queue, with a reference for the caller. */
static int
get_locked(const char *name, int flags, unsigned mode, const struct mq_attr *a,
    struct mq **out)
{
	struct mq *q = find_locked(name);
	int error;

	if (q == NULL) {
		if ((flags & O_CREAT) == 0)
			return -ENOENT;
		error = check_attr(a);
		return error != 0 ? error : make_locked(name, mode, a, out);
	}
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	error = may_open_locked(q, flags);
	if (error != 0)
		return error;
	q->refs++;
	*out = q;
	return 0;
}

static int
copyin_name(char *name, uaddr_t at)
{
	long len = copyinstr(name, at, NAME_LEN + 1);

	if (len < 0)
		return len;
	if (len == 0)
		return -ENOENT;
	if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return -EACCES;
	return 0;
}

static int
open_file(struct mq *q, int flags)
{
	struct file *file;
	int error;

	error = file_create_anon(q->name, 0600, NULL, &mq_ops, q,
	    flags & (O_ACCMODE | O_NONBLOCK), &file);
	if (error != 0) {
		mutex_lock(&lock);
		put_locked(q);
		mutex_unlock(&lock);
		return error;
	}
	return fd_open(file, (flags & O_CLOEXEC) != 0);
}

long
sys_mq_open(uaddr_t uname, int flags, unsigned mode, uaddr_t uattr)
{
	struct mq_attr a = { .mq_maxmsg = MQ_MSG_DEFAULT,
		.mq_msgsize = MQ_SIZE_DEFAULT };
	char name[NAME_LEN + 1];
	struct mq *q;
	int error;

	if (uattr != 0 && (flags & O_CREAT) != 0 &&
	    copyin(&a, uattr, sizeof(a)) != 0)
		return -EFAULT;
	error = copyin_name(name, uname);
	if (error != 0)
		return error;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	mutex_lock(&lock);
	error = get_locked(name, flags, mode, &a, &q);
	mutex_unlock(&lock);
	/* glibc and all others have them closed by exec. */
	return error != 0 ? error : open_file(q, flags | O_CLOEXEC);
}

long
sys_mq_unlink(uaddr_t uname)
{
	char name[NAME_LEN + 1];
	struct mq *q;
	int error = copyin_name(name, uname);

	if (error != 0)
		return error;
	mutex_lock(&lock);
	q = find_locked(name);
	if (q == NULL)
		error = -ENOENT;
	else if (creds_self()->fsuid != q->uid && !capable(CAP_FOWNER))
		error = -EACCES;
	if (error == 0) {
		TAILQ_REMOVE(&queues, q, link);
		q->named = false;
		put_locked(q);
	}
	mutex_unlock(&lock);
	return error;
}

/* ---- sending, receiving ---- */

static struct mq *
mq_of(struct fdref ref, unsigned mode, int *error)
{
	*error = -EBADF;
	if (ref.file == NULL || ref.file->ops != &mq_ops ||
	    (ref.file->mode & mode) != mode)
		return NULL;
	*error = 0;
	return ref.file->priv;
}

/* A moment of the wall clock; WAIT_FOREVER for none. */
static int
deadline_of(uaddr_t timeout, int64_t *deadline_ns)
{
	int64_t ns;
	int error;

	*deadline_ns = WAIT_FOREVER;
	if (timeout == 0)
		return 0;
	error = copyin_timespec(timeout, &ns);
	if (error == 0 && ns != INT64_MAX)
		*deadline_ns = ns - clock_real_offset_ns();
	return error;
}

/* Sleeps, unlocked, until something changes. */
static int
sleep_locked(struct mq *q, int64_t deadline_ns)
{
	uint32_t seen = q->changes;
	int error;

	mutex_unlock(&lock);
	error = wait_event_until(&q->wq,
	    __atomic_load_n(&q->changes, __ATOMIC_ACQUIRE) != seen,
	    deadline_ns);
	mutex_lock(&lock);
	return error;
}

/* SIGEV_THREAD: the cookie's last byte says what happened; mq_notify(3). */
static void
send_cookie_locked(struct mq *q, uint8_t what)
{
	struct socket *s = sock_of_file(q->notify_socket);
	int error;

	q->notify_cookie[COOKIE_LEN - 1] = what;
	error = netlink_send(netlink_of_socket(s), q->notify_cookie,
	    sizeof(q->notify_cookie));
	if (error != 0) /* ENOBUFS: receive tells it, too */
		log_warn("%s: process %d is not told of a message: %s", q->name,
		    q->notify_pid, errno_name(-error));
}

/* Nobody is to be told any more. */
static void
notify_end_locked(struct mq *q)
{
	q->notify_pid = 0;
	file_put(q->notify_socket);
	q->notify_socket = NULL;
}

/* Who was to be told takes that back, or closes the queue. */
static void
notify_remove_locked(struct mq *q)
{
	if (q->notify_pid != process_self()->pid)
		return;
	if (q->notify_how == SIGEV_THREAD)
		send_cookie_locked(q, COOKIE_REMOVED);
	notify_end_locked(q);
}

static void
notify_locked(struct mq *q)
{
	siginfo_t info;
	struct process *p;

	if (q->notify_pid == 0)
		return;
	memset(&info, 0, sizeof(info));
	info.si_signo = q->notify_signo;
	info.si_code = SI_MESGQ;
	info.si_pid = process_self()->pid;
	info.si_uid = creds_self()->uid;
	info.si_value.sival_ptr = (void *)q->notify_value;
	if (q->notify_how == SIGEV_SIGNAL) {
		uint64_t irq = spin_lock_irq(&process_list_lock);

		p = process_find_locked(q->notify_pid);
		if (p != NULL)
			(void)signal_post_process(p, &info);
		spin_unlock_irq(&process_list_lock, irq);
	} else if (q->notify_how == SIGEV_THREAD) {
		send_cookie_locked(q, COOKIE_WOKEN);
	}
	notify_end_locked(q);
}

static int
send_locked(struct mq *q, struct mq_message *m, bool wait, int64_t deadline_ns)
{
	struct mq_message *o;
	int error;

	while (q->n >= q->msg_max) {
		if (!wait)
			return -EAGAIN;
		error = sleep_locked(q, deadline_ns);
		if (error != 0)
			return error;
	}
	TAILQ_FOREACH (o, &q->messages, link)
		if (o->priority < m->priority)
			break;
	if (o != NULL)
		TAILQ_INSERT_BEFORE(o, m, link);
	else
		TAILQ_INSERT_TAIL(&q->messages, m, link);
	if (q->n++ == 0 && q->receivers == 0)
		notify_locked(q);
	changed_locked(q);
	return 0;
}

static int
send(struct file *file, struct mq *q, uaddr_t msg, uint64_t len,
    unsigned priority, int64_t deadline_ns)
{
	struct mq_message *m;
	int error;

	if (len > (uint64_t)q->size_max)
		return -EMSGSIZE;
	m = kmalloc(sizeof(*m) + len);
	if (m == NULL)
		return -ENOMEM;
	m->priority = priority;
	m->size = len;
	error = copyin(m->text, msg, len);
	if (error == 0) {
		mutex_lock(&lock);
		error = send_locked(q, m, (file->flags & O_NONBLOCK) == 0,
		    deadline_ns);
		mutex_unlock(&lock);
	}
	if (error != 0)
		kfree(m);
	return error;
}

long
sys_mq_timedsend(int fd, uaddr_t msg, uint64_t len, unsigned priority,
    uaddr_t timeout)
{
	int64_t deadline_ns;
	struct fdref ref;
	struct mq *q;
	int error;

	if (priority >= PRIORITY_MAX)
		return -EINVAL;
	error = deadline_of(timeout, &deadline_ns);
	if (error != 0)
		return error;
	ref = fd_get(fd);
	q = mq_of(ref, FILE_WRITE, &error);
	if (q != NULL)
		error = send(ref.file, q, msg, len, priority, deadline_ns);
	if (ref.file != NULL)
		fd_put(ref);
	return error;
}

static int
receive_locked(struct mq *q, bool wait, int64_t deadline_ns,
    struct mq_message **out)
{
	int error;

	while (q->n == 0) {
		if (!wait)
			return -EAGAIN;
		q->receivers++;
		error = sleep_locked(q, deadline_ns);
		q->receivers--;
		if (error != 0)
			return error;
	}
	*out = TAILQ_FIRST(&q->messages);
	TAILQ_REMOVE(&q->messages, *out, link);
	q->n--;
	changed_locked(q);
	return 0;
}

static long
receive(struct file *file, struct mq *q, uaddr_t msg, uint64_t len,
    uaddr_t priority, int64_t deadline_ns)
{
	struct mq_message *m;
	long ret;

	if (len < (uint64_t)q->size_max)
		return -EMSGSIZE;
	mutex_lock(&lock);
	ret = receive_locked(q, (file->flags & O_NONBLOCK) == 0, deadline_ns,
	    &m);
	mutex_unlock(&lock);
	if (ret != 0)
		return ret;
	ret = m->size;
	if (copyout(msg, m->text, m->size) != 0 ||
	    (priority != 0 &&
		copyout(priority, &m->priority, sizeof(m->priority)) != 0))
		ret = -EFAULT;
	kfree(m);
	return ret;
}

long
sys_mq_timedreceive(int fd, uaddr_t msg, uint64_t len, uaddr_t priority,
    uaddr_t timeout)
{
	int64_t deadline_ns;
	struct fdref ref;
	struct mq *q;
	long ret;
	int error;

	error = deadline_of(timeout, &deadline_ns);
	if (error != 0)
		return error;
	ref = fd_get(fd);
	q = mq_of(ref, FILE_READ, &error);
	ret = error;
	if (q != NULL)
		ret = receive(ref.file, q, msg, len, priority, deadline_ns);
	if (ref.file != NULL)
		fd_put(ref);
	return ret;
}

/* ---- the rest ---- */

/* What mq_notify(2) is asked for. */
struct mq_request {
	struct sigevent ev;
	struct file *socket; /* SIGEV_THREAD, one reference; else NULL */
	uint8_t cookie[COOKIE_LEN];
};

/* NULL: no more.  Takes the socket if it succeeds. */
static int
notify(struct mq *q, struct mq_request *r)
{
	int error = 0;

	mutex_lock(&lock);
	if (r == NULL) {
		notify_remove_locked(q);
	} else if (q->notify_pid != 0) {
		error = -EBUSY;
	} else {
		q->notify_pid = process_self()->pid;
		q->notify_how = r->ev.sigev_notify;
		q->notify_signo = r->ev.sigev_signo;
		q->notify_value = (uint64_t)r->ev.sigev_value.sival_ptr;
		q->notify_socket = r->socket;
		memcpy(q->notify_cookie, r->cookie, sizeof(r->cookie));
		r->socket = NULL;
	}
	mutex_unlock(&lock);
	return error;
}

/* SIGEV_THREAD: the value is a cookie's address, the signal a descriptor. */
static int
get_cookie(struct mq_request *r)
{
	struct fdref ref;
	struct socket *s;
	int error;

	if (copyin(r->cookie, (uaddr_t)r->ev.sigev_value.sival_ptr,
		sizeof(r->cookie)) != 0)
		return -EFAULT;
	error = socket_get(r->ev.sigev_signo, &ref, &s);
	if (error != 0)
		return error;
	if (netlink_of_socket(s) == NULL)
		error = -EINVAL;
	else
		file_get(r->socket = ref.file);
	fd_put(ref);
	return error;
}

static int
get_request(uaddr_t event, struct mq_request *r)
{
	const struct sigevent *ev = &r->ev;

	memset(r, 0, sizeof(*r));
	if (copyin(&r->ev, event, sizeof(r->ev)) != 0)
		return -EFAULT;
	switch (ev->sigev_notify) {
	case SIGEV_NONE: return 0;
	case SIGEV_SIGNAL:
		return ev->sigev_signo < 1 || ev->sigev_signo > SIGNAL_MAX ?
		    -EINVAL :
		    0;
	case SIGEV_THREAD: return get_cookie(r);
	default: return -EINVAL;
	}
}

long
sys_mq_notify(int fd, uaddr_t event)
{
	struct mq_request r = { .socket = NULL };
	struct fdref ref;
	struct mq *q;
	int error = event != 0 ? get_request(event, &r) : 0;

	if (error != 0)
		return error;
	ref = fd_get(fd);
	q = mq_of(ref, 0, &error);
	if (q != NULL)
		error = notify(q, event != 0 ? &r : NULL);
	if (ref.file != NULL)
		fd_put(ref);
	file_put(r.socket);
	return error;
}

static void
getsetattr(struct file *file, struct mq *q, const struct mq_attr *new,
    struct mq_attr *old)
{
	memset(old, 0, sizeof(*old));
	mutex_lock(&lock);
	old->mq_flags = file->flags & O_NONBLOCK;
	old->mq_maxmsg = q->msg_max;
	old->mq_msgsize = q->size_max;
	old->mq_curmsgs = q->n;
	if (new != NULL)
		file->flags = (file->flags & ~O_NONBLOCK) |
		    (new->mq_flags &O_NONBLOCK);
	mutex_unlock(&lock);
}

long
sys_mq_getsetattr(int fd, uaddr_t unew, uaddr_t uold)
{
	struct mq_attr new, old;
	struct fdref ref;
	struct mq *q;
	int error;

	if (unew != 0 && copyin(&new, unew, sizeof(new)) != 0)
		return -EFAULT;
	if (unew != 0 && (new.mq_flags & ~(long)O_NONBLOCK) != 0)
		return -EINVAL;
	ref = fd_get(fd);
	q = mq_of(ref, 0, &error);
	if (q != NULL)
		getsetattr(ref.file, q, unew != 0 ? &new : NULL, &old);
	if (ref.file != NULL)
		fd_put(ref);
	if (error == 0 && uold != 0)
		error = copyout(uold, &old, sizeof(old));
	return error;
}

static void
mq_release(struct file *file)
{
	mutex_lock(&lock);
	put_locked(file->priv);
	mutex_unlock(&lock);
}

/* Whichever of its descriptors a process closes: it will not be told. */
static int
mq_flush(struct file *file)
{
	mutex_lock(&lock);
	notify_remove_locked(file->priv);
	mutex_unlock(&lock);
	return 0;
}

static unsigned
mq_poll(struct file *file, struct poll_table *table)
{
	struct mq *q = file->priv;
	unsigned events = 0;

	poll_wait(table, &q->wq);
	mutex_lock(&lock);
	if (q->n > 0)
		events |= POLLIN | POLLRDNORM;
	if (q->n < q->msg_max)
		events |= POLLOUT | POLLWRNORM;
	mutex_unlock(&lock);
	return events;
}

static const struct file_ops mq_ops = {
	.release = mq_release,
	.flush = mq_flush,
	.poll = mq_poll,
	.llseek = no_llseek,
};
