/* SPDX-License-Identifier: ISC */
/*
 * timerfd.c - timers that are read: timerfd_create(2).
 *
 * The timer fires once and is armed again by the read that takes the count,
 * which then holds all expiries up to that moment.
 */
#include "linux/timerfd.h"
#include "fs/file.h"
#include "kern/kmem.h"
#include "kern/mutex.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/clocks.h"
#include "linux/fdtable.h"
#include "linux/process.h"
#include "linux/timespec.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time_types.h>
#include <linux/timerfd.h>

struct timerfd {
	struct xtimer x;
	struct waitq wq;
	struct mutex lock;  /* one change or read at a time */
	bool cancel_on_set; /* TFD_TIMER_CANCEL_ON_SET */
	bool cancelled;     /* atomic: the wall clock was set since */
	uint64_t uncounted; /* expiries known but not read; under lock */
};

/* In the timer's interrupt. */
static void
timerfd_fire(struct xtimer *x)
{
	waitq_wake_all(&container_of(x, struct timerfd, x)->wq);
}

static void
timerfd_clock_set(struct xtimer *x)
{
	struct timerfd *t = container_of(x, struct timerfd, x);

	if (!t->cancel_on_set)
		return;
	__atomic_store_n(&t->cancelled, true, __ATOMIC_RELEASE);
	waitq_wake_all(&t->wq);
}

static bool
is_ready(const struct timerfd *t)
{
	return t->uncounted != 0 || t->x.state == XTIMER_FIRED ||
	    __atomic_load_n(&t->cancelled, __ATOMIC_ACQUIRE);
}

/* The count, or 0: nothing yet; -ECANCELED. */
static long
take(struct timerfd *t)
{
	uint64_t count;

	mutex_lock(&t->lock);
	if (__atomic_exchange_n(&t->cancelled, false, __ATOMIC_ACQ_REL)) {
		mutex_unlock(&t->lock);
		return -ECANCELED;
	}
	count = t->uncounted + xtimer_forward(&t->x);
	t->uncounted = 0;
	mutex_unlock(&t->lock);
	return count;
}

static long
timerfd_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct timerfd *t = file->priv;
	uint64_t count;
	long answer;
	int error;

	(void)pos;
	if (u->resid < sizeof(count))
		return -EINVAL;
	while ((answer = take(t)) == 0) {
		if ((file->flags & O_NONBLOCK) != 0 ||
		    (u->flags & UIO_NOWAIT) != 0)
			return -EAGAIN;
		error = wait_event_intr(&t->wq, is_ready(t));
		if (error != 0)
			return error;
	}
	if (answer < 0)
		return answer;
	count = answer;
	error = uio_put_all(u, &count, sizeof(count));
	return error != 0 ? error : (long)sizeof(count);
}

static unsigned
timerfd_poll(struct file *file, struct poll_table *table)
{
	struct timerfd *t = file->priv;

	poll_wait(table, &t->wq);
	return is_ready(t) ? POLLIN | POLLRDNORM : 0;
}

static void
timerfd_release(struct file *file)
{
	struct timerfd *t = file->priv;

	xtimer_fini(&t->x);
	kfree(t);
}

static const struct file_ops timerfd_ops = {
	.release = timerfd_release,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.llseek = no_llseek,
};

static bool
is_alarm(int clockid)
{
	return clockid == CLOCK_REALTIME_ALARM ||
	    clockid == CLOCK_BOOTTIME_ALARM;
}

static int
timerfd_new(int clockid, struct timerfd **out)
{
	struct clock_ref clock;
	struct timerfd *t;

	if (clockid != CLOCK_REALTIME && clockid != CLOCK_MONOTONIC &&
	    clockid != CLOCK_BOOTTIME && !is_alarm(clockid))
		return -EINVAL;
	if (is_alarm(clockid) && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	t = kzalloc(sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	(void)clock_lookup(clockid, &clock);
	waitq_init(&t->wq);
	mutex_init(&t->lock);
	xtimer_init(&t->x, &clock, NULL, timerfd_fire);
	t->x.clock_set = timerfd_clock_set;
	*out = t;
	return 0;
}

long
sys_timerfd_create(int clockid, int flags)
{
	struct timerfd *t;
	struct file *file;
	int error;

	if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) != 0)
		return -EINVAL;
	error = timerfd_new(clockid, &t);
	if (error != 0)
		return error;
	error = file_create_anon("anon_inode:[timerfd]", 0600, NULL,
	    &timerfd_ops, t, O_RDWR | (flags & TFD_NONBLOCK), &file);
	if (error != 0) {
		xtimer_fini(&t->x);
		kfree(t);
		return error;
	}
	return fd_open(file, (flags & TFD_CLOEXEC) != 0);
}

/* -EBADF; -EINVAL: another kind of file. */
static int
timerfd_get(int fd, struct fdref *ref, struct timerfd **out)
{
	*ref = fd_get(fd);
	if (ref->file == NULL)
		return -EBADF;
	if (ref->file->ops != &timerfd_ops) {
		fd_put(*ref);
		return -EINVAL;
	}
	*out = ref->file->priv;
	return 0;
}

static void
get_locked(struct timerfd *t, int64_t *left_ns, int64_t *interval_ns)
{
	/* An expiry that was not read is counted, so that the rest is right. */
	t->uncounted += xtimer_forward(&t->x);
	xtimer_get(&t->x, left_ns, interval_ns);
}

static int
copyout_setting(uaddr_t dst, int64_t left_ns, int64_t interval_ns)
{
	if (copyout_timespec(dst +
		    offsetof(struct __kernel_itimerspec, it_value),
		left_ns) != 0 ||
	    copyout_timespec(dst, interval_ns) != 0)
		return -EFAULT;
	return 0;
}

static void
set(struct timerfd *t, int flags, int64_t ns, int64_t interval_ns)
{
	t->uncounted = 0;
	t->cancelled = false;
	t->cancel_on_set = t->x.clock.kind == CLOCK_KIND_REAL &&
	    (flags & TFD_TIMER_ABSTIME) != 0 &&
	    (flags & TFD_TIMER_CANCEL_ON_SET) != 0;
	xtimer_set(&t->x, ns, (flags & TFD_TIMER_ABSTIME) != 0, interval_ns);
}

long
sys_timerfd_settime(int fd, int flags, uaddr_t value, uaddr_t old)
{
	int64_t ns, interval_ns, old_ns, old_interval_ns;
	struct fdref ref;
	struct timerfd *t;
	int error;

	error = copyin_timespec(value +
		offsetof(struct __kernel_itimerspec, it_value),
	    &ns);
	if (error == 0)
		error = copyin_timespec(value, &interval_ns);
	if (error != 0)
		return error;
	if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0)
		return -EINVAL;
	error = timerfd_get(fd, &ref, &t);
	if (error != 0)
		return error;
	mutex_lock(&t->lock);
	get_locked(t, &old_ns, &old_interval_ns);
	set(t, flags, ns, interval_ns);
	mutex_unlock(&t->lock);
	fd_put(ref);
	return old == 0 ? 0 : copyout_setting(old, old_ns, old_interval_ns);
}

long
sys_timerfd_gettime(int fd, uaddr_t value)
{
	int64_t ns, interval_ns;
	struct fdref ref;
	struct timerfd *t;
	int error = timerfd_get(fd, &ref, &t);

	if (error != 0)
		return error;
	mutex_lock(&t->lock);
	get_locked(t, &ns, &interval_ns);
	mutex_unlock(&t->lock);
	fd_put(ref);
	return copyout_setting(value, ns, interval_ns);
}
