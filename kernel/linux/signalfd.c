/* SPDX-License-Identifier: ISC */
/*
 * signalfd.c - signals that are read: signalfd(2).
 *
 * What is pending is the reader's own: of the task that calls read or poll,
 * whoever made the descriptor.
 *
 * Who polls a descriptor waits on a queue of its own, which lives as long as
 * the file does; a process's queue of signals may end before.  A waiter, the
 * bridge, stands on the queue of the process that polled last, and passes its
 * wake-ups on.  bridge_lock guards its coming and going at both ends.
 */
#include "fs/file.h"
#include "kern/sbuf.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "linux/fdtable.h"
#include "linux/files.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/sys_signal.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signalfd.h>

struct signalfd {
	uint64_t mask; /* atomic */
	struct waitq wq;
	struct waiter bridge; /* under bridge_lock */
};

static struct spinlock bridge_lock = SPINLOCK_INIT; /* interrupts off */

static const struct file_ops signalfd_ops;

static uint64_t
mask_of(const struct file *file)
{
	const struct signalfd *s = file->priv;

	return __atomic_load_n(&s->mask, __ATOMIC_RELAXED);
}

/* The kind of details that a code brings with it (sigaction(2)). */
static void
fill_by_code(struct signalfd_siginfo *out, const siginfo_t *info)
{
	switch (info->si_code) {
	case SI_TIMER:
		out->ssi_tid = (uint32_t)info->si_tid;
		out->ssi_overrun = (uint32_t)info->si_overrun;
		break;
	case SI_QUEUE:
	case SI_MESGQ:
		out->ssi_pid = (uint32_t)info->si_pid;
		out->ssi_uid = (uint32_t)info->si_uid;
		break;
	default:
		out->ssi_pid = (uint32_t)info->si_pid;
		out->ssi_uid = (uint32_t)info->si_uid;
		return;
	}
	out->ssi_ptr = (uint64_t)(uintptr_t)info->si_ptr;
	out->ssi_int = info->si_int;
}

static void
fill(struct signalfd_siginfo *out, const siginfo_t *info)
{
	memset(out, 0, sizeof(*out));
	out->ssi_signo = (uint32_t)info->si_signo;
	out->ssi_errno = info->si_errno;
	out->ssi_code = info->si_code;
	if (info->si_code <= 0) {
		fill_by_code(out, info);
		return;
	}
	switch (info->si_signo) {
	case SIGCHLD:
		out->ssi_pid = (uint32_t)info->si_pid;
		out->ssi_uid = (uint32_t)info->si_uid;
		out->ssi_status = info->si_status;
		out->ssi_utime = (uint64_t)info->si_utime;
		out->ssi_stime = (uint64_t)info->si_stime;
		break;
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP: out->ssi_addr = (uint64_t)(uintptr_t)info->si_addr; break;
	case SIGPOLL:
		out->ssi_band = (uint32_t)info->si_band;
		out->ssi_fd = info->si_fd;
		break;
	}
}

/* One signal of the set; -EAGAIN, -ERESTARTSYS */
static int
signalfd_take(struct file *file, struct uio *u, siginfo_t *info, bool wait)
{
	struct waitq *wq = &process_self()->signals->wq;
	int error;

	while (!signal_take(mask_of(file), info)) {
		if (!wait || (file->flags & O_NONBLOCK) != 0 ||
		    (u->flags & UIO_NOWAIT) != 0)
			return -EAGAIN;
		error = wait_event_intr(wq, signal_poll(mask_of(file)));
		if (error != 0)
			return error;
	}
	return 0;
}

static long
signalfd_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct signalfd_siginfo out;
	siginfo_t info;
	long done = 0;
	int error;

	(void)pos;
	if (u->resid < sizeof(out))
		return -EINVAL;
	while (u->resid >= sizeof(out)) {
		error = signalfd_take(file, u, &info, done == 0);
		if (error != 0)
			return done > 0 ? done : error;
		fill(&out, &info);
		if (uio_put(u, &out, sizeof(out)) != sizeof(out))
			return done > 0 ? done : -EFAULT;
		done += (long)sizeof(out);
	}
	return done;
}

/* A signal came for the bridge's process. */
static void
pass_on(struct waiter *w)
{
	waitq_wake_all(&container_of(w, struct signalfd, bridge)->wq);
}

static void
bridge_to(struct signalfd *s, struct waitq *wq)
{
	uint64_t state = spin_lock_irq(&bridge_lock);

	if (s->bridge.wq != wq) {
		waitq_remove(&s->bridge);
		if (wq != NULL)
			waitq_add(wq, &s->bridge);
	}
	spin_unlock_irq(&bridge_lock, state);
}

void
signalfd_forget(struct waitq *wq)
{
	uint64_t state = spin_lock_irq(&bridge_lock);

	while (!waitq_empty(wq))
		waitq_remove(TAILQ_FIRST(&wq->waiters));
	spin_unlock_irq(&bridge_lock, state);
}

static unsigned
signalfd_poll(struct file *file, struct poll_table *table)
{
	struct signalfd *s = file->priv;

	if (table != NULL)
		bridge_to(s, &process_self()->signals->wq);
	poll_wait(table, &s->wq);
	return signal_poll(mask_of(file)) ? POLLIN | POLLRDNORM : 0;
}

static void
signalfd_release(struct file *file)
{
	bridge_to(file->priv, NULL);
	kfree(file->priv);
}

static void
signalfd_show_fdinfo(struct file *file, struct sbuf *sb)
{
	sbuf_printf(sb, "sigmask:\t%016lx\n", mask_of(file));
}

static const struct file_ops signalfd_ops = {
	.release = signalfd_release,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.llseek = files_noop_llseek,
	.show_fdinfo = signalfd_show_fdinfo,
};

static long
change_mask(int fd, uint64_t mask)
{
	struct fdref ref = fd_get(fd);
	struct signalfd *s;
	long answer = fd;

	if (ref.file == NULL)
		return -EBADF;
	if (ref.file->ops == &signalfd_ops) {
		s = ref.file->priv;
		__atomic_store_n(&s->mask, mask, __ATOMIC_RELAXED);
		waitq_wake_all(&s->wq);
		waitq_wake_all(&process_self()->signals->wq);
	} else {
		answer = -EINVAL;
	}
	fd_put(ref);
	return answer;
}

long
sys_signalfd4(int fd, uaddr_t umask, uint64_t size, unsigned flags)
{
	struct signalfd *s;
	struct file *file;
	uint64_t mask;
	int error;

	if ((flags & ~(unsigned)(SFD_CLOEXEC | SFD_NONBLOCK)) != 0)
		return -EINVAL;
	error = signal_copyin_mask(&mask, umask, size);
	if (error != 0)
		return error;
	if (fd != -1)
		return change_mask(fd, mask);
	s = kzalloc(sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->mask = mask;
	waitq_init(&s->wq);
	s->bridge.notify = pass_on;
	error = file_create_anon("anon_inode:[signalfd]", 0600, NULL,
	    &signalfd_ops, s, O_RDWR | (flags & SFD_NONBLOCK), &file);
	if (error != 0) {
		kfree(s);
		return error;
	}
	return fd_open(file, (flags & SFD_CLOEXEC) != 0);
}

long
sys_signalfd(int fd, uaddr_t umask, uint64_t size)
{
	return sys_signalfd4(fd, umask, size, 0);
}
