/* SPDX-License-Identifier: ISC */
/*
 * locks.c - advisory locks on files.  fcntl(2), flock(2), fcntl_locking(2).
 * Owns the lists that hang on inodes, and who waits for whom.
 */
#include "linux/locks.h"
#include "fs/vfs.h"
#include "kern/kmem.h"
#include "kern/mutex.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include "linux/process.h"
#include "linux/procfs.h"
#include <bsd/sys/queue.h>

struct lock {
	TAILQ_ENTRY(lock) link;
	int32_t pid; /* who took it, for /proc/locks */
	struct lock_range range;
};
TAILQ_HEAD(lock_list, lock);

/* All of one inode, under locks_lock.  Freed once nothing is in it. */
struct file_locks {
	TAILQ_ENTRY(file_locks) link; /* of all */
	struct inode *inode;          /* [I] has us: no reference */
	struct lock_list ranges;      /* by start */
	struct lock_list whole;
	struct waitq wq;
	uint64_t releases; /* counts what may have let a waiter pass */
	unsigned nwaiting;
};

/* Somebody who waits for a range: for the search of circles. */
struct lock_wait {
	TAILQ_ENTRY(lock_wait) link;
	const void *owner, *blocker;
};

static struct mutex locks_lock = MUTEX_INIT(locks_lock);
static TAILQ_HEAD(, lock_wait) lock_waits = TAILQ_HEAD_INITIALIZER(
    lock_waits); /* under locks_lock */

static TAILQ_HEAD(, file_locks) all_locks = TAILQ_HEAD_INITIALIZER(
    all_locks); /* under locks_lock */

static struct file_locks *
locks_get_locked(struct inode *inode)
{
	struct file_locks *fl = inode->locks;

	if (fl != NULL)
		return fl;
	fl = kzalloc(sizeof(*fl));
	if (fl == NULL)
		return NULL;
	TAILQ_INIT(&fl->ranges);
	TAILQ_INIT(&fl->whole);
	waitq_init(&fl->wq);
	fl->inode = inode;
	TAILQ_INSERT_TAIL(&all_locks, fl, link);
	inode->locks = fl;
	return fl;
}

static void
locks_tidy_locked(struct inode *inode)
{
	struct file_locks *fl = inode->locks;

	if (fl == NULL || fl->nwaiting != 0 || !TAILQ_EMPTY(&fl->ranges) ||
	    !TAILQ_EMPTY(&fl->whole))
		return;
	inode->locks = NULL;
	TAILQ_REMOVE(&all_locks, fl, link);
	kfree(fl);
}

static void
locks_released_locked(struct file_locks *fl)
{
	fl->releases++;
	waitq_wake_all(&fl->wq);
}

/* The first lock of another owner that *range cannot stand beside. */
static struct lock *
lock_conflict_locked(struct lock_list *list, const struct lock_range *range)
{
	struct lock *l;

	TAILQ_FOREACH (l, list, link) {
		if (l->range.owner == range->owner ||
		    l->range.start > range->end || l->range.end < range->start)
			continue;
		if (l->range.type == LOCK_TYPE_WRITE ||
		    range->type == LOCK_TYPE_WRITE)
			return l;
	}
	return NULL;
}

/* Sleeps, locks_lock dropped meanwhile, until some lock was released. */
static int
locks_wait_locked(struct file_locks *fl)
{
	uint64_t seen = fl->releases;
	int error;

	fl->nwaiting++;
	mutex_unlock(&locks_lock);
	error = wait_event_intr(&fl->wq,
	    __atomic_load_n(&fl->releases, __ATOMIC_RELAXED) != seen);
	mutex_lock(&locks_lock);
	fl->nwaiting--;
	return error;
}

/* Does `blocker`, directly or through others, wait for `owner`? */
static bool
lock_circle_locked(const void *owner, const void *blocker)
{
	struct lock_wait *w;
	unsigned depth = 0;

	for (w = TAILQ_FIRST(&lock_waits); w != NULL && depth < 64;) {
		if (w->owner != blocker) {
			w = TAILQ_NEXT(w, link);
			continue;
		}
		if (w->blocker == owner)
			return true;
		blocker = w->blocker;
		depth++;
		w = TAILQ_FIRST(&lock_waits);
	}
	return false;
}

/* Waits for a range; locks of open files are outside of deadlock search. */
static int
lock_wait_range_locked(struct file_locks *fl, const struct lock_range *range,
    const struct lock *blocker)
{
	struct lock_wait w = { .owner = range->owner,
		.blocker = blocker->range.owner };
	int error;

	if (range->pid == -1)
		return locks_wait_locked(fl);
	if (lock_circle_locked(w.owner, w.blocker))
		return -EDEADLK;
	TAILQ_INSERT_TAIL(&lock_waits, &w, link);
	error = locks_wait_locked(fl);
	TAILQ_REMOVE(&lock_waits, &w, link);
	return error;
}

static void
lock_insert_locked(struct file_locks *fl, struct lock *new)
{
	struct lock *l;

	TAILQ_FOREACH (l, &fl->ranges, link) {
		if (l->range.start > new->range.start) {
			TAILQ_INSERT_BEFORE(l, new, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&fl->ranges, new, link);
}

/*
 * Clears [start, end] of lock l, which overlaps it.  What remains behind the
 * range when it splits l goes to *rest.
 */
static void
lock_cut_locked(struct file_locks *fl, struct lock *l, uint64_t start,
    uint64_t end, struct lock **rest)
{
	bool before = l->range.start<start, after = l->range.end> end;

	if (before && after) {
		(*rest)->range = l->range;
		(*rest)->pid = l->pid;
		(*rest)->range.start = end + 1;
		l->range.end = start - 1;
		lock_insert_locked(fl, *rest);
		*rest = NULL;
	} else if (before) {
		l->range.end = start - 1;
	} else if (after) {
		TAILQ_REMOVE(&fl->ranges, l, link);
		l->range.start = end + 1;
		lock_insert_locked(fl, l);
	} else {
		TAILQ_REMOVE(&fl->ranges, l, link);
		kfree(l);
	}
}

/*
 * Puts *range in place of what its owner holds there.  Neighbours of the same
 * type grow together.  *new and *rest are taken when used.
 */
static void
lock_apply_locked(struct file_locks *fl, const struct lock_range *range,
    struct lock **new, struct lock **rest)
{
	struct lock_range r = *range;
	struct lock *l, *next;

	for (l = TAILQ_FIRST(&fl->ranges); l != NULL; l = next) {
		bool touches = l->range.start <= r.end + 1 &&
		    (r.start == 0 || l->range.end >= r.start - 1);
		bool overlaps = l->range.start <= r.end &&
		    l->range.end >= r.start;

		next = TAILQ_NEXT(l, link);
		if (l->range.owner != r.owner)
			continue;
		if (l->range.type == r.type && touches) {
			r.start = MIN(r.start, l->range.start);
			r.end = MAX(r.end, l->range.end);
			TAILQ_REMOVE(&fl->ranges, l, link);
			kfree(l);
		} else if (overlaps) {
			lock_cut_locked(fl, l, range->start, range->end, rest);
		}
	}
	if (r.type != LOCK_TYPE_NONE) {
		(*new)->range = r;
		(*new)->pid = r.pid;
		lock_insert_locked(fl, *new);
		*new = NULL;
	}
}

void
locks_test(struct inode *inode, struct lock_range *range)
{
	struct file_locks *fl;
	struct lock *l = NULL;

	mutex_lock(&locks_lock);
	fl = inode->locks;
	if (fl != NULL)
		l = lock_conflict_locked(&fl->ranges, range);
	if (l != NULL)
		*range = l->range;
	else
		range->type = LOCK_TYPE_NONE;
	mutex_unlock(&locks_lock);
}

static int
locks_set_locked(struct file_locks *fl, const struct lock_range *range,
    bool wait, struct lock **new, struct lock **rest)
{
	struct lock *blocker;
	int error;

	while (range->type != LOCK_TYPE_NONE) {
		blocker = lock_conflict_locked(&fl->ranges, range);
		if (blocker == NULL)
			break;
		if (!wait)
			return -EAGAIN;
		error = lock_wait_range_locked(fl, range, blocker);
		if (error != 0)
			return error;
	}
	lock_apply_locked(fl, range, new, rest);
	if (range->type != LOCK_TYPE_WRITE)
		locks_released_locked(fl);
	return 0;
}

int
locks_set(struct inode *inode, const struct lock_range *range, bool wait)
{
	/* A range may split another: all memory is found beforehand. */
	struct lock *new = kmalloc(sizeof(*new));
	struct lock *rest = kmalloc(sizeof(*rest));
	struct file_locks *fl;
	int error = -ENOLCK;

	mutex_lock(&locks_lock);
	fl = locks_get_locked(inode);
	if (new != NULL && rest != NULL &&fl != NULL)
		error = locks_set_locked(fl, range, wait, &new, &rest);
	locks_tidy_locked(inode);
	mutex_unlock(&locks_lock);
	kfree(new);
	kfree(rest);
	return error;
}

/* Takes away the owner's whole lock, if any. */
static bool
lock_drop_whole_locked(struct file_locks *fl, const void *owner)
{
	struct lock *l;

	TAILQ_FOREACH (l, &fl->whole, link) {
		if (l->range.owner == owner) {
			TAILQ_REMOVE(&fl->whole, l, link);
			kfree(l);
			return true;
		}
	}
	return false;
}

static int
locks_set_whole_locked(struct file_locks *fl, struct lock **new, bool wait)
{
	int error;

	/* A change of type is not atomic: flock(2), "Converting a lock". */
	if (lock_drop_whole_locked(fl, (*new)->range.owner))
		locks_released_locked(fl);
	if ((*new)->range.type == LOCK_TYPE_NONE)
		return 0;
	while (lock_conflict_locked(&fl->whole, &(*new)->range) != NULL) {
		if (!wait)
			return -EAGAIN;
		error = locks_wait_locked(fl);
		if (error != 0)
			return error;
	}
	TAILQ_INSERT_TAIL(&fl->whole, *new, link);
	*new = NULL;
	return 0;
}

int
locks_set_whole(struct inode *inode, const void *owner, enum lock_type type,
    bool wait)
{
	struct lock *new = kmalloc(sizeof(*new));
	struct file_locks *fl;
	int error = -ENOLCK;

	mutex_lock(&locks_lock);
	fl = locks_get_locked(inode);
	if (new != NULL && fl != NULL) {
		new->pid = process_self()->pid;
		new->range = (struct lock_range){ .owner = owner,
			.pid = -1,
			.end = LOCK_TO_END,
			.type = type };
		error = locks_set_whole_locked(fl, &new, wait);
	}
	locks_tidy_locked(inode);
	mutex_unlock(&locks_lock);
	kfree(new);
	return error;
}

void
locks_drop(struct inode *inode, const void *owner)
{
	struct file_locks *fl;
	struct lock *l, *next;
	bool dropped;

	mutex_lock(&locks_lock);
	fl = inode->locks;
	if (fl != NULL) {
		dropped = lock_drop_whole_locked(fl, owner);
		for (l = TAILQ_FIRST(&fl->ranges); l != NULL; l = next) {
			next = TAILQ_NEXT(l, link);
			if (l->range.owner != owner)
				continue;
			TAILQ_REMOVE(&fl->ranges, l, link);
			kfree(l);
			dropped = true;
		}
		if (dropped)
			locks_released_locked(fl);
		locks_tidy_locked(inode);
	}
	mutex_unlock(&locks_lock);
}

/* ---- /proc/locks: proc(5) ---- */

static void
print_lock(struct sbuf *sb, unsigned n, const char *kind, const struct lock *l,
    const struct inode *inode)
{
	uint64_t dev = inode->sb->dev;

	sbuf_printf(sb, "%u: %-6s ADVISORY  %s %d %02x:%02x:%lu %lu ", n, kind,
	    l->range.type == LOCK_TYPE_WRITE ? "WRITE" : "READ", l->pid,
	    dev_major(dev), dev_minor(dev), (uint64_t)inode->ino,
	    l->range.start);
	if (l->range.end >= LOCK_TO_END)
		sbuf_puts(sb, "EOF\n");
	else
		sbuf_printf(sb, "%lu\n", l->range.end);
}

int
proc_show_locks(const struct pseudo_id *id, struct sbuf *sb)
{
	const struct file_locks *fl;
	const struct lock *l;
	unsigned n = 0;

	(void)id;
	mutex_lock(&locks_lock);
	TAILQ_FOREACH (fl, &all_locks, link) {
		TAILQ_FOREACH (l, &fl->ranges, link)
			print_lock(sb, ++n,
			    l->range.pid == -1 ? "OFDLCK" : "POSIX", l,
			    fl->inode);
		TAILQ_FOREACH (l, &fl->whole, link)
			print_lock(sb, ++n, "FLOCK", l, fl->inode);
	}
	mutex_unlock(&locks_lock);
	return 0;
}
