/* SPDX-License-Identifier: ISC */
/*
 * sys_poll.c - poll(2), ppoll(2).
 */
#include "kern/kmem.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/poll_call.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/sys_files.h"
#include <linux/poll.h>

#define POLL_SMALL 16 /* more need an allocation */

/* One round over all; how many have something to tell. */
static unsigned
poll_round(struct poll_call *pc, struct pollfd *fds, unsigned n)
{
	unsigned i, events, wanted, found = 0;

	for (i = 0; i < n; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		wanted = (uint16_t)fds[i].events | POLLERR | POLLHUP | POLLNVAL;
		events = poll_call_ask(pc, fds[i].fd, found != 0) & wanted;
		fds[i].revents = (short)events;
		found += events != 0;
	}
	return found;
}

/* Entries with events, 0 when the time is over, or -ERESTARTSYS, -ENOMEM. */
static int
poll_all(struct pollfd *fds, unsigned n, int64_t deadline_ns, bool no_wait)
{
	struct poll_call pc;
	unsigned found;
	int error = 0;

	poll_call_init(&pc);
	pc.registered = no_wait;
	for (;;) {
		pc.woken = false;
		found = poll_round(&pc, fds, n);
		if (found != 0 || no_wait || error != 0)
			break;
		error = poll_call_sleep(&pc, deadline_ns);
	}
	poll_call_fini(&pc);
	if (found != 0)
		return (int)found;
	return error == -ETIMEDOUT ? 0 : error;
}

static int
poll_copyout(uaddr_t ufds, const struct pollfd *fds, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (copyout(ufds + i * sizeof(fds[0]) +
			    offsetof(struct pollfd, revents),
			&fds[i].revents, sizeof(fds[i].revents)) != 0)
			return -EFAULT;
	return 0;
}

static int
poll_user(uaddr_t ufds, unsigned n, int64_t deadline_ns, bool no_wait)
{
	struct pollfd small[POLL_SMALL], *fds = small;
	int found;

	if (n > process_self()->rlimits[RLIMIT_NOFILE].rlim_cur)
		return -EINVAL;
	if (n > POLL_SMALL)
		fds = kmalloc(n * sizeof(fds[0]));
	if (fds == NULL)
		return -ENOMEM;
	if (n != 0 && copyin(fds, ufds, n * sizeof(fds[0])) != 0)
		found = -EFAULT;
	else
		found = poll_all(fds, n, deadline_ns, no_wait);
	if (found >= 0 && poll_copyout(ufds, fds, n) != 0)
		found = -EFAULT;
	if (fds != small)
		kfree(fds);
	return found;
}

static long poll_restart(struct restart_block *rb);

/* Interrupted: it goes on with the time that is left (restart_syscall(2)). */
static long
poll_until(uaddr_t ufds, unsigned n, int64_t deadline_ns, bool no_wait)
{
	int found = poll_user(ufds, n, deadline_ns, no_wait);

	if (found == -ERESTARTSYS)
		return restart_later(poll_restart, deadline_ns, ufds, n);
	return found;
}

static long
poll_restart(struct restart_block *rb)
{
	return poll_until(rb->arg[0], (unsigned)rb->arg[1], rb->deadline_ns,
	    false);
}

long
sys_poll(uaddr_t ufds, unsigned n, int timeout_ms)
{
	return poll_until(ufds, n, poll_deadline_ms(timeout_ms),
	    timeout_ms == 0);
}

long
sys_ppoll(uaddr_t ufds, unsigned n, uaddr_t timeout, uaddr_t mask,
    uint64_t mask_size)
{
	int64_t deadline;
	bool masked;
	long found;
	int error;

	error = poll_deadline_timespec(timeout, &deadline);
	if (error == 0)
		error = poll_mask_begin(mask, mask_size, &masked);
	if (error != 0)
		return error;
	found = poll_user(ufds, n, deadline, false);
	if (found == -ERESTARTSYS)
		found = -ERESTARTNOHAND;
	poll_mask_end(masked, found);
	poll_left_timespec(timeout, deadline);
	return found;
}
