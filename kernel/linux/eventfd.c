/* SPDX-License-Identifier: ISC */
/*
 * eventfd.c - a counter to wait for: eventfd(2).
 */
#include "fs/file.h"
#include "fs/pseudo.h"
#include "kern/kmem.h"
#include "kern/thread.h"
#include "linux/fdtable.h"
#include "linux/files.h"
#include "linux/sys_files.h"
#include <linux/fcntl.h>
#include <linux/poll.h>

/* eventfd2(2)'s flags; only the C library's header has them. */
#define EFD_SEMAPHORE 1u
#define EFD_CLOEXEC   O_CLOEXEC
#define EFD_NONBLOCK  O_NONBLOCK

#define EVENTFD_LIMIT UINT64_MAX /* the count stays below */

struct eventfd {
	struct spinlock lock; /* closed to interrupts */
	uint64_t count;       /* under lock */
	bool semaphore;       /* [I] */
	struct waitq wq;
};

/* Takes what a read gets; false: the count is 0. */
static bool
eventfd_take(struct eventfd *e, uint64_t *value)
{
	uint64_t state = spin_lock_irq(&e->lock);

	*value = e->semaphore && e->count != 0 ? 1 : e->count;
	e->count -= *value;
	spin_unlock_irq(&e->lock, state);
	return *value != 0;
}

/* Adds; false: it would reach the limit. */
static bool
eventfd_add(struct eventfd *e, uint64_t value)
{
	uint64_t state = spin_lock_irq(&e->lock);
	bool fits;

	fits = value < EVENTFD_LIMIT - e->count;
	if (fits)
		e->count += value;
	spin_unlock_irq(&e->lock, state);
	return fits;
}

static bool
eventfd_nonblock(const struct file *file, const struct uio *u)
{
	return (file->flags & O_NONBLOCK) != 0 || (u->flags & UIO_NOWAIT) != 0;
}

static long
eventfd_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct eventfd *e = file->priv;
	uint64_t value;
	int error;

	(void)pos;
	if (u->resid < sizeof(value))
		return -EINVAL;
	while (!eventfd_take(e, &value)) {
		if (eventfd_nonblock(file, u))
			return -EAGAIN;
		error = wait_event_intr(&e->wq, e->count != 0);
		if (error != 0)
			return error;
	}
	waitq_wake_all(&e->wq);
	return uio_put(u, &value, sizeof(value)) == sizeof(value) ?
	    (long)sizeof(value) :
	    -EFAULT;
}

static long
eventfd_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct eventfd *e = file->priv;
	uint64_t value;
	int error;

	(void)pos;
	if (u->resid < sizeof(value))
		return -EINVAL;
	if (uio_get(u, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == EVENTFD_LIMIT)
		return -EINVAL;
	while (!eventfd_add(e, value)) {
		if (eventfd_nonblock(file, u))
			return -EAGAIN;
		error = wait_event_intr(&e->wq,
		    value < EVENTFD_LIMIT - e->count);
		if (error != 0)
			return error;
	}
	waitq_wake_all(&e->wq);
	return sizeof(value);
}

static unsigned
eventfd_poll(struct file *file, struct poll_table *table)
{
	struct eventfd *e = file->priv;
	unsigned events = 0;
	uint64_t count;

	poll_wait(table, &e->wq);
	count = __atomic_load_n(&e->count, __ATOMIC_RELAXED);
	if (count != 0)
		events |= POLLIN | POLLRDNORM;
	if (count < EVENTFD_LIMIT - 1)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static void
eventfd_release(struct file *file)
{
	kfree(file->priv);
}

static void
eventfd_show_fdinfo(struct file *file, struct sbuf *sb)
{
	struct eventfd *e = file->priv;

	sbuf_printf(sb, "eventfd-count: %16llx\n",
	    (unsigned long long)e->count);
}

static const struct file_ops eventfd_ops = {
	.release = eventfd_release,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.llseek = files_noop_llseek,
	.show_fdinfo = eventfd_show_fdinfo,
};

bool
eventfd_is(const struct file *file)
{
	return file->ops == &eventfd_ops;
}

void
eventfd_signal(struct file *file)
{
	struct eventfd *e = file->priv;

	(void)eventfd_add(e, 1); /* at its limit it is readable anyway */
	waitq_wake_all(&e->wq);
}

long
sys_eventfd2(unsigned count, unsigned flags)
{
	struct eventfd *e;
	struct file *file;
	int error;

	if ((flags & ~(unsigned)(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK)) !=
	    0)
		return -EINVAL;
	e = kzalloc(sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	spin_init(&e->lock);
	waitq_init(&e->wq);
	e->count = count;
	e->semaphore = (flags & EFD_SEMAPHORE) != 0;
	error = file_create_anon("anon_inode:[eventfd]", 0600, NULL,
	    &eventfd_ops, e, O_RDWR | (flags & EFD_NONBLOCK), &file);
	if (error != 0) {
		kfree(e);
		return error;
	}
	file->mode |= FILE_SEEK;
	return fd_open(file, (flags & EFD_CLOEXEC) != 0);
}

long
sys_eventfd(unsigned count)
{
	return sys_eventfd2(count, 0);
}
