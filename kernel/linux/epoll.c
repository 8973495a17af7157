/* SPDX-License-Identifier: ISC */
/*
 * epoll.c - waiting for many files without asking each: epoll(7).
 *
 * An instance has an item for each (file, descriptor) that is watched.  The
 * item stands on the file's wait queues; a wake-up there puts it on the
 * instance's ready list, and epoll_wait() asks only the files on that list:
 *
 *   idle   -> ready   epoll_notify(), or an ADD or MOD that finds events
 *   ready  -> idle    epoll_harvest(): no events, edge-triggered, one-shot
 *   ready  -> ready   epoll_harvest(): level-triggered, at the list's end
 *
 * Locking, outermost first: epoll_lock (which items exist, of all instances),
 * ep->lock (items stay while they are asked; an outer instance's before an
 * inner one's), the files' wait queues, ep->ready_lock (interrupts off).
 */
#include "linux/epoll.h"
#include "fs/file.h"
#include "fs/pseudo.h"
#include "kern/kmem.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/files.h"
#include "linux/poll_call.h"
#include "linux/sys_files.h"
#include "x86/layout.h"
#include <bsd/sys/tree.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#define EPOLL_DEPTH_MAX 4 /* instances that watch instances */
#define EPOLL_QUEUES    2 /* of one file that need no allocation */
#define EPOLL_HOW       (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)
#define EPOLL_EXCLUSIVE_OK                                                  \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | \
	    EPOLLEXCLUSIVE)
#define EPOLL_EVENTS_MAX (INT32_MAX / (int)sizeof(struct epoll_event))

struct epoll_item;

struct epoll_waiter {
	struct waiter waiter;
	struct epoll_item *item;
	struct epoll_waiter *next;
};

struct epoll_item { /* g: epoll_lock, e: ep->lock, r: ready_lock */
	RB_ENTRY(epoll_item) node;          /* [e] */
	TAILQ_ENTRY(epoll_item) ready_link; /* [r] */
	struct epoll_item *file_next;       /* [g] others that watch the file */
	struct epoll *ep;                   /* I */
	struct file *file; /* I, no reference: epoll_file_gone() comes first */
	int fd;            /* I */
	bool ready;        /* [r] */
	int error;         /* [e] a queue could not be joined */
	struct epoll_event event; /* [e] */
	unsigned nqueues;         /* [e] */
	struct epoll_waiter queue[EPOLL_QUEUES];
	struct epoll_waiter *more; /* [e] */
};
RB_HEAD(epoll_tree, epoll_item);

struct epoll {
	struct mutex lock;
	struct epoll_tree items; /* [e] */
	struct file *file;       /* I: its own, no reference */
	struct spinlock ready_lock;
	TAILQ_HEAD(, epoll_item) ready; /* [r] */
	unsigned nready;                /* [r] */
	struct waitq wq;                /* epoll_wait() */
	struct waitq poll_wq;           /* who polls this instance */
};

static struct mutex epoll_lock = MUTEX_INIT(epoll_lock);
static struct objcache item_cache = OBJCACHE_INIT("epoll_item",
    sizeof(struct epoll_item));
static const struct file_ops epoll_ops;

static int
item_compare(const struct epoll_item *a, const struct epoll_item *b)
{
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->fd > b->fd) - (a->fd < b->fd);
}
#ifndef __unused
#define __unused __attribute__((unused))
#endif
RB_GENERATE_STATIC(epoll_tree, epoll_item, node, item_compare)

static struct epoll *
epoll_of(const struct file *file)
{
	return file->ops == &epoll_ops ? file->priv : NULL;
}

/* -------------------------------------------------------- the ready list -- */

static void
item_make_ready(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	uint64_t state = spin_lock_irq(&ep->ready_lock);

	if (!item->ready) {
		item->ready = true;
		TAILQ_INSERT_TAIL(&ep->ready, item, ready_link);
		ep->nready++;
	}
	spin_unlock_irq(&ep->ready_lock, state);
}

static void
item_unready(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	uint64_t state = spin_lock_irq(&ep->ready_lock);

	if (item->ready) {
		item->ready = false;
		TAILQ_REMOVE(&ep->ready, item, ready_link);
		ep->nready--;
	}
	spin_unlock_irq(&ep->ready_lock, state);
}

static struct epoll_item *
epoll_first_ready(struct epoll *ep)
{
	uint64_t state = spin_lock_irq(&ep->ready_lock);
	struct epoll_item *item = TAILQ_FIRST(&ep->ready);

	spin_unlock_irq(&ep->ready_lock, state);
	return item;
}

static void
epoll_wake(struct epoll *ep)
{
	waitq_wake_one(&ep->wq);
	waitq_wake_all(&ep->poll_wq);
}

/* A queue of the file was woken: any context, that queue's lock held. */
static void
epoll_notify(struct waiter *w)
{
	struct epoll_item *item =
	    container_of(w, struct epoll_waiter, waiter)->item;

	item_make_ready(item);
	epoll_wake(item->ep);
}

/* --------------------------------------------------------------- items -- */

struct item_table { /* a poll_table that puts an item on queues */
	struct poll_table table;
	struct epoll_item *item;
};

static void
item_add_queue(struct poll_table *table, struct waitq *wq)
{
	struct epoll_item *item =
	    container_of(table, struct item_table, table)->item;
	struct epoll_waiter *w;

	if (item->nqueues < EPOLL_QUEUES) {
		w = &item->queue[item->nqueues++];
	} else {
		w = kzalloc(sizeof(*w));
		if (w == NULL) {
			item->error = -ENOMEM;
			return;
		}
		w->next = item->more;
		item->more = w;
	}
	w->item = item;
	w->waiter.notify = epoll_notify;
	waitq_add(wq, &w->waiter);
}

/* The events of an item that hold and are asked for; 0: disabled one-shot. */
static unsigned
item_events(struct epoll_item *item, struct poll_table *table)
{
	unsigned events = file_poll(item->file, table);

	return events & item->event.events & ~(unsigned)EPOLL_HOW;
}

static void
item_leave_queues(struct epoll_item *item)
{
	struct epoll_waiter *w;
	unsigned i;

	for (i = 0; i < item->nqueues; i++)
		waitq_remove(&item->queue[i].waiter);
	while ((w = item->more) != NULL) {
		waitq_remove(&w->waiter);
		item->more = w->next;
		kfree(w);
	}
}

/* epoll_lock and ep->lock held; no wake-up finds the item afterwards. */
static void
item_destroy(struct epoll_item *item)
{
	struct epoll_item *first = item->file->polls;

	item_leave_queues(item);
	item_unready(item);
	RB_REMOVE(epoll_tree, &item->ep->items, item);
	if (first == item) {
		item->file->polls = item->file_next;
	} else {
		while (first->file_next != item)
			first = first->file_next;
		first->file_next = item->file_next;
	}
	objcache_free(&item_cache, item);
}

void
epoll_file_gone(struct file *file)
{
	struct epoll_item *item;
	struct epoll *ep;

	mutex_lock(&epoll_lock);
	while ((item = file->polls) != NULL) {
		ep = item->ep;
		mutex_lock(&ep->lock);
		item_destroy(item);
		mutex_unlock(&ep->lock);
	}
	mutex_unlock(&epoll_lock);
}

/* -------------------------------------------------------- epoll_ctl(2) -- */

/* How many instances stand below ep; `stop`: one that must not be met. */
static int
epoll_depth_below(struct epoll *ep, const struct epoll *stop, int depth)
{
	struct epoll_item *item;
	struct epoll *inner;
	int below, most = depth;

	if (ep == stop || depth > EPOLL_DEPTH_MAX)
		return -ELOOP;
	RB_FOREACH (item, epoll_tree, &ep->items) {
		inner = epoll_of(item->file);
		if (inner == NULL)
			continue;
		below = epoll_depth_below(inner, stop, depth + 1);
		if (below < 0)
			return below;
		most = MAX(most, below);
	}
	return most;
}

static int
epoll_depth_above(const struct epoll *ep, int depth)
{
	const struct epoll_item *item;
	int most = depth;

	if (depth > EPOLL_DEPTH_MAX)
		return depth;
	for (item = ep->file->polls; item != NULL; item = item->file_next)
		most = MAX(most, epoll_depth_above(item->ep, depth + 1));
	return most;
}

/* May ep watch the file?  -ELOOP: a circle, or too deep. */
static int
epoll_check_nesting(struct epoll *ep, struct file *file)
{
	struct epoll *inner = epoll_of(file);
	int below;

	if (inner == NULL)
		return 0;
	below = epoll_depth_below(inner, ep, 1);
	if (below < 0)
		return below;
	return below + epoll_depth_above(ep, 0) > EPOLL_DEPTH_MAX ? -ELOOP : 0;
}

/* After a new item or new events: is there something to tell at once? */
static void
item_refresh(struct epoll_item *item, struct poll_table *table)
{
	if (item_events(item, table) != 0) {
		item_make_ready(item);
		epoll_wake(item->ep);
	}
}

static int
epoll_add_locked(struct epoll *ep, struct file *file, int fd,
    const struct epoll_event *event)
{
	struct item_table it = { { item_add_queue }, NULL };
	struct epoll_item *item;
	int error;

	error = epoll_check_nesting(ep, file);
	if (error != 0)
		return error;
	item = objcache_zalloc(&item_cache);
	if (item == NULL)
		return -ENOMEM;
	item->ep = ep;
	item->file = file;
	item->fd = fd;
	item->event = *event;
	item->file_next = file->polls;
	file->polls = item;
	RB_INSERT(epoll_tree, &ep->items, item);
	it.item = item;
	item_refresh(item, &it.table);
	error = item->error;
	if (error != 0)
		item_destroy(item);
	return error;
}

static int
epoll_modify_locked(struct epoll_item *item, const struct epoll_event *event)
{
	if (((item->event.events | event->events) & EPOLLEXCLUSIVE) != 0)
		return -EINVAL;
	item->event = *event;
	item_refresh(item, NULL);
	return 0;
}

static int
epoll_ctl_locked(struct epoll *ep, int op, struct file *file, int fd,
    const struct epoll_event *event)
{
	struct epoll_item key = { .file = file, .fd = fd };
	struct epoll_item *item = RB_FIND(epoll_tree, &ep->items, &key);

	if (op == EPOLL_CTL_ADD)
		return item != NULL ? -EEXIST :
				      epoll_add_locked(ep, file, fd, event);
	if (op != EPOLL_CTL_DEL && op != EPOLL_CTL_MOD)
		return -EINVAL;
	if (item == NULL)
		return -ENOENT;
	if (op == EPOLL_CTL_MOD)
		return epoll_modify_locked(item, event);
	item_destroy(item);
	return 0;
}

/* What epoll_ctl(2) refuses before it looks at the instance. */
static int
epoll_ctl_check(const struct file *efile, int op, const struct file *file,
    const struct epoll_event *event)
{
	if (efile == NULL || file == NULL)
		return -EBADF;
	if (file->ops->poll == NULL)
		return -EPERM;
	if (efile == file || epoll_of(efile) == NULL)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && (event->events & EPOLLEXCLUSIVE) != 0 &&
	    (op == EPOLL_CTL_MOD || epoll_of(file) != NULL ||
		(event->events & ~(unsigned)EPOLL_EXCLUSIVE_OK) != 0))
		return -EINVAL;
	return 0;
}

long
sys_epoll_ctl(int epfd, int op, int fd, uaddr_t uevent)
{
	struct epoll_event event = { 0 };
	struct fdref eref, ref;
	struct epoll *ep;
	int error;

	if (op != EPOLL_CTL_DEL && copyin(&event, uevent, sizeof(event)) != 0)
		return -EFAULT;
	eref = fd_get(epfd);
	ref = fd_get(fd);
	error = epoll_ctl_check(eref.file, op, ref.file, &event);
	if (error == 0) {
		ep = epoll_of(eref.file);
		event.events |= EPOLLERR | EPOLLHUP;
		mutex_lock(&epoll_lock);
		mutex_lock(&ep->lock);
		error = epoll_ctl_locked(ep, op, ref.file, fd, &event);
		mutex_unlock(&ep->lock);
		mutex_unlock(&epoll_lock);
	}
	fd_put(ref);
	fd_put(eref);
	return error;
}

/* ------------------------------------------------------- epoll_wait(2) -- */

/*
 * Tells the program of one ready item.  1: told, 0: it was not ready after
 * all, -EFAULT: could not be told, stays ready.
 */
static int
item_harvest(struct epoll_item *item, uaddr_t dst)
{
	struct epoll_event out;

	/* Off the list first: a wake-up from now on puts it there again. */
	item_unready(item);
	out.events = item_events(item, NULL);
	out.data = item->event.data;
	if (out.events == 0)
		return 0;
	if (copyout(dst, &out, sizeof(out)) != 0) {
		item_make_ready(item);
		return -EFAULT;
	}
	if ((item->event.events & EPOLLONESHOT) != 0)
		item->event.events &= EPOLL_HOW;
	else if ((item->event.events & EPOLLET) == 0)
		item_make_ready(item);
	return 1;
}

/* Asks each item that is ready now once; how many were told. */
static long
epoll_harvest(struct epoll *ep, uaddr_t events, int max)
{
	struct epoll_item *item;
	unsigned n;
	int told, count = 0, error = 0;

	mutex_lock(&ep->lock);
	for (n = ep->nready; n > 0 && count < max && error == 0; n--) {
		item = epoll_first_ready(ep);
		if (item == NULL)
			break;
		told = item_harvest(item,
		    events + (uint64_t)count * sizeof(struct epoll_event));
		if (told < 0)
			error = told;
		else
			count += told;
	}
	mutex_unlock(&ep->lock);
	/* What is left is for the next who waits. */
	if (epoll_first_ready(ep) != NULL)
		waitq_wake_one(&ep->wq);
	return count != 0 ? count : error;
}

static long
epoll_wait_file(struct epoll *ep, uaddr_t events, int max, int64_t deadline_ns,
    bool no_wait)
{
	int error = 0;
	long n;

	for (;;) {
		n = epoll_harvest(ep, events, max);
		if (n != 0)
			return n;
		if (no_wait || error == -ETIMEDOUT)
			return 0;
		error = wait_event_until(&ep->wq, !TAILQ_EMPTY(&ep->ready),
		    deadline_ns);
		if (error == -ERESTARTSYS) {
			if (!TAILQ_EMPTY(&ep->ready))
				waitq_wake_one(&ep->wq);
			return -EINTR;
		}
	}
}

static long
epoll_wait_until(int epfd, uaddr_t events, int max, int64_t deadline_ns,
    bool no_wait)
{
	struct fdref ref;
	struct epoll *ep;
	long n = -EINVAL;

	if (max <= 0 || max > EPOLL_EVENTS_MAX)
		return -EINVAL;
	if (events > USER_END - (uint64_t)max * sizeof(struct epoll_event))
		return -EFAULT;
	ref = fd_get(epfd);
	if (ref.file == NULL)
		return -EBADF;
	ep = epoll_of(ref.file);
	if (ep != NULL)
		n = epoll_wait_file(ep, events, max, deadline_ns, no_wait);
	fd_put(ref);
	return n;
}

long
sys_epoll_wait(int epfd, uaddr_t events, int max, int timeout_ms)
{
	return epoll_wait_until(epfd, events, max, poll_deadline_ms(timeout_ms),
	    timeout_ms == 0);
}

long
sys_epoll_pwait(int epfd, uaddr_t events, int max, int timeout_ms, uaddr_t mask,
    uint64_t mask_size)
{
	bool masked;
	long n = poll_mask_begin(mask, mask_size, &masked);

	if (n != 0)
		return n;
	n = sys_epoll_wait(epfd, events, max, timeout_ms);
	poll_mask_end(masked, n);
	return n;
}

long
sys_epoll_pwait2(int epfd, uaddr_t events, int max, uaddr_t timeout,
    uaddr_t mask, uint64_t mask_size)
{
	int64_t deadline;
	bool masked;
	long n;

	n = poll_deadline_timespec(timeout, &deadline);
	if (n == 0)
		n = poll_mask_begin(mask, mask_size, &masked);
	if (n != 0)
		return n;
	n = epoll_wait_until(epfd, events, max, deadline, false);
	poll_mask_end(masked, n);
	return n;
}

/* ------------------------------------------------------- the file itself -- */

/* Readable while some item has events; stale ones leave the list. */
static unsigned
epoll_poll(struct file *file, struct poll_table *table)
{
	struct epoll *ep = file->priv;
	struct epoll_item *item;
	unsigned events = 0;

	poll_wait(table, &ep->poll_wq);
	mutex_lock(&ep->lock);
	while (events == 0 && (item = epoll_first_ready(ep)) != NULL) {
		item_unready(item);
		if (item_events(item, NULL) != 0) {
			item_make_ready(item);
			events = POLLIN | POLLRDNORM;
		}
	}
	mutex_unlock(&ep->lock);
	return events;
}

static void
epoll_release(struct file *file)
{
	struct epoll *ep = file->priv;
	struct epoll_item *item;

	mutex_lock(&epoll_lock);
	mutex_lock(&ep->lock);
	while ((item = RB_ROOT(&ep->items)) != NULL)
		item_destroy(item);
	mutex_unlock(&ep->lock);
	mutex_unlock(&epoll_lock);
	kfree(ep);
}

static void
epoll_show_fdinfo(struct file *file, struct sbuf *sb)
{
	struct epoll *ep = file->priv;
	struct epoll_item *item;

	mutex_lock(&ep->lock);
	RB_FOREACH (item, epoll_tree, &ep->items)
		sbuf_printf(sb, "tfd: %8d events: %8x data: %16llx\n", item->fd,
		    item->event.events, (unsigned long long)item->event.data);
	mutex_unlock(&ep->lock);
}

static const struct file_ops epoll_ops = {
	.release = epoll_release,
	.poll = epoll_poll,
	.llseek = files_noop_llseek,
	.show_fdinfo = epoll_show_fdinfo,
};

long
sys_epoll_create1(unsigned flags)
{
	struct epoll *ep;
	struct file *file;
	int error;

	if ((flags & ~(unsigned)EPOLL_CLOEXEC) != 0)
		return -EINVAL;
	ep = kzalloc(sizeof(*ep));
	if (ep == NULL)
		return -ENOMEM;
	mutex_init(&ep->lock);
	RB_INIT(&ep->items);
	spin_init(&ep->ready_lock);
	TAILQ_INIT(&ep->ready);
	waitq_init(&ep->wq);
	waitq_init(&ep->poll_wq);
	error = file_create_anon("anon_inode:[eventpoll]", 0600, NULL,
	    &epoll_ops, ep, O_RDWR, &file);
	if (error != 0) {
		kfree(ep);
		return error;
	}
	ep->file = file;
	file->mode |= FILE_SEEK;
	return fd_open(file, (flags & EPOLL_CLOEXEC) != 0);
}

long
sys_epoll_create(int size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}
