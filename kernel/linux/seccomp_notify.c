/* SPDX-License-Identifier: ISC */
/*
 * seccomp_notify.c - calls that wait for another program's answer.
 * seccomp_unotify(2), <linux/seccomp.h>
 *
 * A waiting call is a struct notice on its task's stack:
 *
 *   NEW -> SEEN         NOTIF_RECV
 *   SEEN -> ANSWERED    NOTIF_SEND; NOTIF_ADDFD with SEND; the file was closed
 *   ANSWERED -> SEEN    that file found no room among the descriptors
 *   SEEN -> NEW         the supervisor's memory did not take the notice
 *   any -> gone         the answer was taken, or a signal came
 *
 * A file that the supervisor adds is a struct gift on its stack, put into the
 * notice and opened by the waiting task itself: WAITS -> TAKEN -> OPENED.
 *
 * Owns the listeners.  One spin lock each guards its notices and their gifts;
 * who waits for an answer sleeps on its process's signals->wq, which every
 * signal and the end of the process wake too.
 */
#include "linux/seccomp_notify.h"
#include "fs/file.h"
#include "kern/kmem.h"
#include "kern/random.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/process.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ioctl.h>
#include <linux/poll.h>
#include <linux/seccomp.h>

/* The size of struct seccomp_notif_addfd when it was new, and at most. */
#define ADDFD_SIZE_MIN 24u
#define ADDFD_SIZE_MAX 4095u
/* The number of an ioctl, whatever it says of its argument. */
#define IOCTL_KIND(cmd) \
	((cmd) & ~(((unsigned)_IOC_SIZEMASK << _IOC_SIZESHIFT) | IOC_INOUT))
/* What ID_VALID was before its direction was set right. */
#define NOTIF_ID_VALID_OLD SECCOMP_IOR(2, uint64_t)

enum gift_state { GIFT_WAITS, GIFT_TAKEN, GIFT_OPENED };

struct gift {                   /* under the listener's lock, but: */
	TAILQ_ENTRY(gift) link; /* while it waits */
	struct file *file;      /* [I] the supervisor's reference */
	int fd;                 /* [I] where; -1: anywhere */
	bool cloexec, answers;  /* [I] its number is the call's result */
	enum gift_state state;  /* [a] */
	long result;
};

enum notice_state { NOTICE_NEW, NOTICE_SEEN, NOTICE_ANSWERED };

struct notice { /* under the listener's lock, but: */
	TAILQ_ENTRY(notice) link;
	uint64_t id;                     /* [I] */
	struct waitq *wq;                /* [I] its task sleeps here */
	int32_t tid;                     /* [I] */
	const struct seccomp_data *data; /* [I] */
	enum notice_state state;         /* [a] */
	bool news;                       /* [a] its task has something to do */
	bool carry_out;
	int64_t value;
	TAILQ_HEAD(, gift) gifts;
};

struct seccomp_listener {
	uint32_t refs; /* [a] the filter's, the file's */
	bool killable; /* [I] */
	struct spinlock lock;
	bool closed;    /* lock; the file */
	bool abandoned; /* lock; the filter */
	uint64_t last_id;
	TAILQ_HEAD(, notice) notices; /* lock; oldest first */
	struct waitq wq; /* a notice, one received, a gift opened, the end */
};

static const struct file_ops listener_ops;

/* ---- life ---- */

static void
listener_put(struct seccomp_listener *l)
{
	if (__atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(l);
}

int
seccomp_listener_create(bool killable, struct seccomp_listener **out,
    struct file **file)
{
	struct seccomp_listener *l = kzalloc(sizeof(*l));
	int error;

	if (l == NULL)
		return -ENOMEM;
	l->refs = 2;
	l->killable = killable;
	spin_init(&l->lock);
	TAILQ_INIT(&l->notices);
	waitq_init(&l->wq);
	random_bytes(&l->last_id, sizeof(l->last_id));
	error = file_create_anon("anon_inode:seccomp notify", 0600, NULL,
	    &listener_ops, l, O_RDWR, file);
	if (error != 0) {
		kfree(l);
		return error;
	}
	*out = l;
	return 0;
}

bool
seccomp_listener_is_open(struct seccomp_listener *l)
{
	bool open;

	spin_lock(&l->lock);
	open = !l->closed;
	spin_unlock(&l->lock);
	return open;
}

void
seccomp_listener_abandon(struct seccomp_listener *l)
{
	if (l == NULL)
		return;
	spin_lock(&l->lock);
	l->abandoned = true;
	spin_unlock(&l->lock);
	waitq_wake_all(&l->wq);
	listener_put(l);
}

/* ---- the call that waits ---- */

static void
set_state_locked(struct notice *n, enum notice_state state)
{
	__atomic_store_n(&n->state, state, __ATOMIC_RELEASE);
}

static void
notice_wake_locked(struct notice *n)
{
	__atomic_store_n(&n->news, true, __ATOMIC_RELEASE);
	waitq_wake_all(n->wq);
}

static bool
has_news(const struct notice *n)
{
	return __atomic_load_n(&n->news, __ATOMIC_ACQUIRE);
}

static bool
only_death_counts(const struct seccomp_listener *l, const struct notice *n)
{
	return l->killable &&
	    __atomic_load_n(&n->state, __ATOMIC_ACQUIRE) == NOTICE_SEEN;
}

static bool
is_dying(const struct task *t)
{
	return t->process->signals->killed || task_must_end(t);
}

/* Sleeps until there is news (0) or a signal that counts. */
static int
wait_for_news(const struct seccomp_listener *l, const struct notice *n)
{
	struct task *t = task_self();
	int error = 0;

	if (!only_death_counts(l, n))
		error = wait_event_intr(n->wq,
		    has_news(n) || only_death_counts(l, n));
	if (!only_death_counts(l, n))
		return error;
	wait_event(n->wq,
	    has_news(n) || !only_death_counts(l, n) || is_dying(t));
	return is_dying(t) ? -ERESTARTSYS : 0;
}

static void
gift_settle_locked(struct seccomp_listener *l, struct gift *g, long result)
{
	g->result = result;
	__atomic_store_n(&g->state, GIFT_OPENED, __ATOMIC_RELEASE);
	waitq_wake_all(&l->wq);
}

/* Opens one file for the calling task; false: there is none. */
static bool
take_gift(struct seccomp_listener *l, struct notice *n)
{
	struct gift *g;
	long fd;

	spin_lock(&l->lock);
	g = TAILQ_FIRST(&n->gifts);
	if (g == NULL) {
		n->news = false;
		spin_unlock(&l->lock);
		return false;
	}
	TAILQ_REMOVE(&n->gifts, g, link);
	g->state = GIFT_TAKEN;
	spin_unlock(&l->lock);
	file_get(g->file);
	fd = g->fd < 0 ? fd_open(g->file, g->cloexec) :
			 fd_place(g->file, g->fd, g->cloexec);
	spin_lock(&l->lock);
	if (g->answers && fd < 0)
		set_state_locked(n, NOTICE_SEEN);
	else if (g->answers)
		n->value = fd;
	gift_settle_locked(l, g, fd);
	spin_unlock(&l->lock);
	return true;
}

/* Answered, and nothing left to be opened before. */
static bool
is_settled(struct seccomp_listener *l, const struct notice *n)
{
	bool settled;

	spin_lock(&l->lock);
	settled = n->state == NOTICE_ANSWERED && TAILQ_EMPTY(&n->gifts);
	spin_unlock(&l->lock);
	return settled;
}

/* True: the answer is there. */
static bool
wait_for_answer(struct seccomp_listener *l, struct notice *n)
{
	int error;

	for (;;) {
		error = wait_for_news(l, n);
		while (take_gift(l, n))
			continue;
		if (is_settled(l, n))
			return true;
		if (error != 0 &&
		    (is_dying(task_self()) || !only_death_counts(l, n)))
			return false;
	}
}

static void
notice_withdraw(struct seccomp_listener *l, struct notice *n)
{
	struct gift *g;

	spin_lock(&l->lock);
	TAILQ_REMOVE(&l->notices, n, link);
	while ((g = TAILQ_FIRST(&n->gifts)) != NULL) {
		TAILQ_REMOVE(&n->gifts, g, link);
		gift_settle_locked(l, g, -ESRCH);
	}
	spin_unlock(&l->lock);
}

static bool
notice_post(struct seccomp_listener *l, struct notice *n)
{
	bool closed;

	spin_lock(&l->lock);
	closed = l->closed;
	if (!closed) {
		n->id = ++l->last_id;
		TAILQ_INSERT_TAIL(&l->notices, n, link);
	}
	spin_unlock(&l->lock);
	waitq_wake_all(&l->wq);
	return !closed;
}

bool
seccomp_listener_ask(struct seccomp_listener *l,
    const struct seccomp_data *data, int64_t *value)
{
	struct notice n = { .wq = &process_self()->signals->wq,
		.tid = task_self()->tid,
		.data = data,
		.gifts = TAILQ_HEAD_INITIALIZER(n.gifts) };
	bool answered;

	*value = -ENOSYS;
	if (l == NULL || !notice_post(l, &n))
		return false;
	answered = wait_for_answer(l, &n);
	notice_withdraw(l, &n);
	*value = answered ? n.value : -ERESTARTSYS;
	return answered && n.carry_out;
}

/* ---- the supervisor ---- */

static struct notice *
notice_find_locked(struct seccomp_listener *l, uint64_t id)
{
	struct notice *n;

	TAILQ_FOREACH (n, &l->notices, link)
		if (n->id == id)
			return n;
	return NULL;
}

static struct notice *
notice_new_locked(struct seccomp_listener *l)
{
	struct notice *n;

	TAILQ_FOREACH (n, &l->notices, link)
		if (n->state == NOTICE_NEW)
			return n;
	return NULL;
}

/* To SEEN and back: the rules for signals change, so it looks again. */
static void
notice_set_seen_locked(struct seccomp_listener *l, struct notice *n, bool seen)
{
	set_state_locked(n, seen ? NOTICE_SEEN : NOTICE_NEW);
	if (l->killable)
		waitq_wake_all(n->wq);
	waitq_wake_all(&l->wq);
}

/* Describes the oldest call that nobody has received; false: none waits. */
static bool
receive_one(struct seccomp_listener *l, struct seccomp_notif *out)
{
	struct notice *n;

	spin_lock(&l->lock);
	n = notice_new_locked(l);
	if (n != NULL) {
		out->id = n->id;
		out->pid = (uint32_t)n->tid;
		out->data = *n->data;
		notice_set_seen_locked(l, n, true);
	}
	spin_unlock(&l->lock);
	return n != NULL;
}

static void
receive_undo(struct seccomp_listener *l, uint64_t id)
{
	struct notice *n;

	spin_lock(&l->lock);
	n = notice_find_locked(l, id);
	if (n != NULL && n->state == NOTICE_SEEN)
		notice_set_seen_locked(l, n, false);
	spin_unlock(&l->lock);
}

static bool
has_new(struct seccomp_listener *l)
{
	bool has;

	spin_lock(&l->lock);
	has = l->abandoned || notice_new_locked(l) != NULL;
	spin_unlock(&l->lock);
	return has;
}

static long
notif_receive(struct seccomp_listener *l, uaddr_t at)
{
	struct seccomp_notif notif;
	const uint8_t *byte = (const uint8_t *)&notif;
	size_t i;
	int error;

	if (copyin(&notif, at, sizeof(notif)) != 0)
		return -EFAULT;
	for (i = 0; i < sizeof(notif); i++)
		if (byte[i] != 0)
			return -EINVAL;
	while (!receive_one(l, &notif)) {
		error = wait_event_intr(&l->wq, has_new(l));
		if (error != 0)
			return error;
		if (l->abandoned)
			return -ENOENT;
	}
	if (copyout(at, &notif, sizeof(notif)) == 0)
		return 0;
	receive_undo(l, notif.id);
	return -EFAULT;
}

static long
notif_send(struct seccomp_listener *l, uaddr_t at)
{
	struct seccomp_notif_resp resp;
	struct notice *n;
	bool carry_out;
	long error = 0;

	if (copyin(&resp, at, sizeof(resp)) != 0)
		return -EFAULT;
	carry_out = (resp.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE) != 0;
	if ((resp.flags & ~(uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE) != 0 ||
	    (carry_out && (resp.error != 0 || resp.val != 0)))
		return -EINVAL;
	spin_lock(&l->lock);
	n = notice_find_locked(l, resp.id);
	if (n == NULL) {
		error = -ENOENT;
	} else if (n->state != NOTICE_SEEN) {
		error = -EINPROGRESS;
	} else {
		n->carry_out = carry_out;
		n->value = resp.error != 0 ? resp.error : resp.val;
		set_state_locked(n, NOTICE_ANSWERED);
		notice_wake_locked(n);
	}
	spin_unlock(&l->lock);
	return error;
}

static long
notif_id_valid(struct seccomp_listener *l, uaddr_t at)
{
	struct notice *n;
	uint64_t id;
	bool valid;

	if (copyin(&id, at, sizeof(id)) != 0)
		return -EFAULT;
	spin_lock(&l->lock);
	n = notice_find_locked(l, id);
	valid = n != NULL && n->state == NOTICE_SEEN;
	spin_unlock(&l->lock);
	return valid ? 0 : -ENOENT;
}

/* ---- files for the waiting task ---- */

static long
gift_offer(struct seccomp_listener *l, uint64_t id, struct gift *g)
{
	struct notice *n;
	long error = 0;

	spin_lock(&l->lock);
	n = notice_find_locked(l, id);
	if (n == NULL) {
		error = -ENOENT;
	} else if (n->state != NOTICE_SEEN) {
		error = -EINPROGRESS;
	} else if (g->answers && !TAILQ_EMPTY(&n->gifts)) {
		error = -EBUSY;
	} else {
		if (g->answers) {
			n->carry_out = false;
			set_state_locked(n, NOTICE_ANSWERED);
		}
		TAILQ_INSERT_TAIL(&n->gifts, g, link);
		notice_wake_locked(n);
	}
	spin_unlock(&l->lock);
	return error;
}

static bool
is_opened(const struct gift *g)
{
	return __atomic_load_n(&g->state, __ATOMIC_ACQUIRE) == GIFT_OPENED;
}

/* A signal came: true, the gift is back, as the task had not begun. */
static bool
gift_take_back(struct seccomp_listener *l, uint64_t id, struct gift *g)
{
	struct notice *n;
	bool back;

	spin_lock(&l->lock);
	back = g->state == GIFT_WAITS;
	n = back ? notice_find_locked(l, id) : NULL;
	if (n != NULL) {
		TAILQ_REMOVE(&n->gifts, g, link);
		if (g->answers)
			set_state_locked(n, NOTICE_SEEN);
	}
	spin_unlock(&l->lock);
	return back;
}

static long
gift_give(struct seccomp_listener *l, uint64_t id, struct gift *g)
{
	long error = gift_offer(l, id, g);

	if (error != 0)
		return error;
	error = wait_event_intr(&l->wq, is_opened(g));
	if (error != 0 && gift_take_back(l, id, g))
		return error;
	wait_event(&l->wq, is_opened(g));
	return g->result;
}

static long
notif_addfd(struct seccomp_listener *l, uaddr_t at, size_t size)
{
	struct seccomp_notif_addfd a;
	struct gift g = { 0 };
	long error;

	if (size < ADDFD_SIZE_MIN || size > ADDFD_SIZE_MAX)
		return -EINVAL;
	error = copyin_struct(&a, sizeof(a), at, size);
	if (error != 0)
		return error;
	if ((a.newfd_flags & ~(uint32_t)O_CLOEXEC) != 0 ||
	    (a.flags &
		~(uint32_t)(SECCOMP_ADDFD_FLAG_SETFD |
		    SECCOMP_ADDFD_FLAG_SEND)) != 0 ||
	    (a.newfd != 0 && (a.flags & SECCOMP_ADDFD_FLAG_SETFD) == 0))
		return -EINVAL;
	if (a.newfd > INT32_MAX)
		return -EBADF;
	g.fd = (a.flags & SECCOMP_ADDFD_FLAG_SETFD) != 0 ? (int)a.newfd : -1;
	g.cloexec = (a.newfd_flags & O_CLOEXEC) != 0;
	g.answers = (a.flags & SECCOMP_ADDFD_FLAG_SEND) != 0;
	g.file = fdtable_file(fdtable_self(), a.srcfd);
	if (g.file == NULL)
		return -EBADF;
	error = gift_give(l, a.id, &g);
	file_put(g.file);
	return error;
}

/* ---- the file ---- */

static long
listener_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	struct seccomp_listener *l = file->priv;

	switch (cmd) {
	case SECCOMP_IOCTL_NOTIF_RECV: return notif_receive(l, arg);
	case SECCOMP_IOCTL_NOTIF_SEND: return notif_send(l, arg);
	case NOTIF_ID_VALID_OLD:
	case SECCOMP_IOCTL_NOTIF_ID_VALID: return notif_id_valid(l, arg);
	default: break;
	}
	if (IOCTL_KIND(cmd) == IOCTL_KIND(SECCOMP_IOCTL_NOTIF_ADDFD))
		return notif_addfd(l, arg, _IOC_SIZE(cmd));
	return -EINVAL;
}

static unsigned
listener_poll(struct file *file, struct poll_table *table)
{
	struct seccomp_listener *l = file->priv;
	struct notice *n;
	unsigned events = 0;

	poll_wait(table, &l->wq);
	spin_lock(&l->lock);
	TAILQ_FOREACH (n, &l->notices, link) {
		if (n->state == NOTICE_NEW)
			events |= POLLIN | POLLRDNORM;
		if (n->state == NOTICE_SEEN)
			events |= POLLOUT | POLLWRNORM;
	}
	if (l->abandoned)
		events |= POLLHUP;
	spin_unlock(&l->lock);
	return events;
}

static void
listener_release(struct file *file)
{
	struct seccomp_listener *l = file->priv;
	struct notice *n;

	spin_lock(&l->lock);
	l->closed = true;
	TAILQ_FOREACH (n, &l->notices, link) {
		if (n->state == NOTICE_ANSWERED)
			continue;
		n->value = -ENOSYS;
		n->carry_out = false;
		set_state_locked(n, NOTICE_ANSWERED);
		notice_wake_locked(n);
	}
	spin_unlock(&l->lock);
	listener_put(l);
}

static const struct file_ops listener_ops = {
	.release = listener_release,
	.ioctl = listener_ioctl,
	.poll = listener_poll,
	.llseek = no_llseek,
};
