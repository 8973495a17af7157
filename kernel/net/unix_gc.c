/* SPDX-License-Identifier: ISC */
/*
 * unix_gc.c - sockets whose descriptors travel over sockets.  unix(7),
 * SCM_RIGHTS.
 *
 * A socket's file may be in its own queue, or two in each other's: then no
 * process can reach them, yet each is held.  When a descriptor closes while files
 * of sockets are under way, those that only queues hold are found as follows:
 * a candidate is a socket all references to whose file lie in queues; of its
 * references those in queues of candidates do not count; a candidate with any
 * left, or in the queue of such a one, is reachable.  The queues of the rest
 * are emptied, which ends them.
 */
#include "net/unix.h"

#include "kern/kmem.h"
#include <linux/errno.h>

#define INFLIGHT_MAX 16384u /* files under way at a time */

static TAILQ_HEAD(, unix_sock) inflight = TAILQ_HEAD_INITIALIZER(inflight);
static unsigned ninflight; /* [u] files of any kind */
static bool collecting;    /* [u] one search at a time */

/* Files to be put, one array after the other. */
struct dropped {
	struct dropped *next;
	struct file **files;
	unsigned n;
};
static struct dropped *dropped; /* [u] */
static bool dropping;           /* [u] somebody puts them */

static struct unix_sock *
unix_of_file(struct file *file)
{
	struct socket *s = sock_of_file(file);

	return s != NULL && s->family == AF_UNIX ? unix_of(s) : NULL;
}

static void
count_in_locked(struct file *file)
{
	struct unix_sock *u = unix_of_file(file);

	if (u == NULL)
		return;
	if (u->inflight++ == 0) {
		u->file = file;
		TAILQ_INSERT_TAIL(&inflight, u, gc_link);
	}
}

static void
count_out_locked(struct file *file)
{
	struct unix_sock *u = unix_of_file(file);

	if (u != NULL && --u->inflight == 0) {
		u->file = NULL;
		TAILQ_REMOVE(&inflight, u, gc_link);
	}
}

int
unix_files_sent(struct file **files, unsigned n)
{
	unsigned i;
	int error = 0;

	spin_lock(&unix_lock);
	if (ninflight + n > INFLIGHT_MAX) {
		error = -ETOOMANYREFS;
	} else {
		ninflight += n;
		for (i = 0; i < n; i++)
			count_in_locked(files[i]);
	}
	spin_unlock(&unix_lock);
	return error;
}

void
unix_files_received(struct file **files, unsigned n)
{
	unsigned i;

	spin_lock(&unix_lock);
	ninflight -= n;
	for (i = 0; i < n; i++)
		count_out_locked(files[i]);
	spin_unlock(&unix_lock);
}

static void
put_all(struct file **files, unsigned n)
{
	while (n > 0)
		file_put(files[--n]);
	kfree(files);
}

/* The next array that waits; NULL: none, and nobody puts any more. */
static struct dropped *
next_dropped(void)
{
	struct dropped *d;

	spin_lock(&unix_lock);
	d = dropped;
	if (d != NULL)
		dropped = d->next;
	else
		dropping = false;
	spin_unlock(&unix_lock);
	return d;
}

void
unix_files_drop(struct file **files, unsigned n)
{
	struct dropped *d;
	bool mine;

	unix_files_received(files, n);
	d = kmalloc(sizeof(*d));
	if (d == NULL) { /* rather deep than leaked */
		put_all(files, n);
		return;
	}
	d->files = files;
	d->n = n;
	spin_lock(&unix_lock);
	d->next = dropped;
	dropped = d;
	mine = !dropping;
	dropping = true;
	spin_unlock(&unix_lock);
	while (mine && (d = next_dropped()) != NULL) {
		put_all(d->files, d->n);
		kfree(d);
	}
}

/* ------------------------------------------------------------ the search -- */

/* Calls fn for each socket in flight whose file lies in a queue of u's. */
static void
for_each_held_locked(struct unix_sock *u, void (*fn)(struct unix_sock *held))
{
	struct unix_sock *p, *held;
	struct unix_buf *b;
	unsigned i;

	TAILQ_FOREACH (b, &u->queue, link)
		for (i = 0; i < b->nfiles; i++) {
			held = unix_of_file(b->files[i]);
			if (held != NULL && held->inflight != 0)
				fn(held);
		}
	TAILQ_FOREACH (p, &u->pending, pending_link)
		for_each_held_locked(p, fn); /* these have no pending ones */
}

static void
uncount(struct unix_sock *u)
{
	u->gc_outside--;
}

static bool kept_more; /* [u] a round of marking found another */

static void
keep(struct unix_sock *u)
{
	kept_more |= !u->gc_kept;
	u->gc_kept = true;
}

/* Which of those in flight can be reached; the rest has gc_kept false. */
static void
search_locked(const struct file *closing)
{
	struct unix_sock *u;

	TAILQ_FOREACH (u, &inflight, gc_link) {
		u->gc_outside = (int)__atomic_load_n(&u->file->refs,
		    __ATOMIC_RELAXED);
		if (u->file == closing)
			u->gc_outside--;
		u->gc_kept = u->gc_outside > (int)u->inflight;
	}
	TAILQ_FOREACH (u, &inflight, gc_link)
		if (!u->gc_kept)
			for_each_held_locked(u, uncount);
	TAILQ_FOREACH (u, &inflight, gc_link)
		if (u->gc_outside > 0)
			u->gc_kept = true;
	do {
		kept_more = false;
		TAILQ_FOREACH (u, &inflight, gc_link)
			if (u->gc_kept)
				for_each_held_locked(u, keep);
	} while (kept_more);
}

void
unix_collect(const struct file *closing)
{
	struct unix_bufs bufs = TAILQ_HEAD_INITIALIZER(bufs);
	struct unix_sock *u, *p;

	if (TAILQ_EMPTY(&inflight))
		return;
	spin_lock(&unix_lock);
	if (collecting) {
		spin_unlock(&unix_lock);
		return;
	}
	collecting = true;
	search_locked(closing);
	TAILQ_FOREACH (u, &inflight, gc_link) {
		if (u->gc_kept)
			continue;
		unix_take_queue_locked(u, &bufs);
		TAILQ_FOREACH (p, &u->pending, pending_link)
			unix_take_queue_locked(p, &bufs);
	}
	collecting = false;
	spin_unlock(&unix_lock);
	unix_free_bufs(&bufs);
}
