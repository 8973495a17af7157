/* SPDX-License-Identifier: ISC */
/*
 * sys_select.c - select(2), pselect6(2): sets of descriptors as bits.
 */
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/poll_call.h"
#include "linux/process.h"
#include "linux/sys_files.h"
#include <linux/poll.h>

#define SELECT_SMALL 1024 /* descriptors; more need an allocation */

/* What makes a descriptor ready in each of the three sets. */
static const unsigned select_events[3] = {
	POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
	POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
	POLLPRI,
};

struct select_sets {
	unsigned n, words;
	uint64_t *in[3], *out[3];
};

/* One round; how many bits are set in the answer, or -EBADF. */
static int
select_round(struct poll_call *pc, struct select_sets *s)
{
	unsigned fd, k, word, events;
	int found = 0;
	uint64_t bit;

	for (k = 0; k < 3; k++)
		memset(s->out[k], 0, s->words * 8);
	for (fd = 0; fd < s->n; fd++) {
		word = fd / 64;
		bit = 1ull << (fd % 64);
		if (((s->in[0][word] | s->in[1][word] | s->in[2][word]) &
			-bit) == 0) {
			fd |= 63;
			continue;
		}
		if (((s->in[0][word] | s->in[1][word] | s->in[2][word]) &
			bit) == 0)
			continue;
		events = poll_call_ask(pc, (int)fd, found != 0);
		if (events == POLLNVAL)
			return -EBADF;
		for (k = 0; k < 3; k++) {
			if ((s->in[k][word] & bit) != 0 &&
			    (events & select_events[k]) != 0) {
				s->out[k][word] |= bit;
				found++;
			}
		}
	}
	return found;
}

static int
select_all(struct select_sets *s, int64_t deadline_ns)
{
	struct poll_call pc;
	int found, error = 0;

	poll_call_init(&pc);
	for (;;) {
		pc.woken = false;
		found = select_round(&pc, s);
		if (found != 0 || error != 0)
			break;
		error = poll_call_sleep(&pc, deadline_ns);
	}
	poll_call_fini(&pc);
	if (found != 0)
		return found;
	return error == -ETIMEDOUT ? 0 : error;
}

/* The program's sets in and out; bytes beyond n's last word stay as they are. */
static int
select_copyin(struct select_sets *s, const uaddr_t user[3])
{
	unsigned k, spare = s->words * 64 - s->n;

	for (k = 0; k < 3; k++) {
		if (user[k] == 0)
			memset(s->in[k], 0, s->words * 8);
		else if (copyin(s->in[k], user[k], s->words * 8) != 0)
			return -EFAULT;
		if (spare != 0)
			s->in[k][s->words - 1] &= ~0ull >> spare;
	}
	return 0;
}

static int
select_copyout(const struct select_sets *s, const uaddr_t user[3])
{
	unsigned k;

	for (k = 0; k < 3; k++)
		if (user[k] != 0 &&
		    copyout(user[k], s->out[k], s->words * 8) != 0)
			return -EFAULT;
	return 0;
}

static long
select_user(int n, const uaddr_t user[3], int64_t deadline_ns)
{
	uint64_t small[6 * SELECT_SMALL / 64], *bits = small;
	struct select_sets s;
	unsigned k;
	long found;

	if (n < 0)
		return -EINVAL;
	s.n = MIN((unsigned)n, fdtable_size(fdtable_self()));
	s.words = (s.n + 63) / 64;
	if (s.n > SELECT_SMALL)
		bits = kmalloc(6 * s.words * 8);
	if (bits == NULL)
		return -ENOMEM;
	for (k = 0; k < 3; k++) {
		s.in[k] = bits + k * s.words;
		s.out[k] = bits + (3 + k) * s.words;
	}
	found = select_copyin(&s, user);
	if (found == 0)
		found = select_all(&s, deadline_ns);
	if (found >= 0 && select_copyout(&s, user) != 0)
		found = -EFAULT;
	if (bits != small)
		kfree(bits);
	return found == -ERESTARTSYS ? -ERESTARTNOHAND : found;
}

long
sys_select(int n, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout)
{
	const uaddr_t user[3] = { in, out, except };
	int64_t deadline;
	long found;

	found = poll_deadline_timeval(timeout, &deadline);
	if (found != 0)
		return found;
	found = select_user(n, user, deadline);
	poll_left_timeval(timeout, deadline);
	return found;
}

long
sys_pselect6(int n, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout,
    uaddr_t umask)
{
	const uaddr_t user[3] = { in, out, except };
	uint64_t mask[2] = { 0, 0 }; /* pointer and size */
	int64_t deadline;
	bool masked;
	long found;
	int error;

	if (umask != 0 && copyin(mask, umask, sizeof(mask)) != 0)
		return -EFAULT;
	error = poll_deadline_timespec(timeout, &deadline);
	if (error == 0)
		error = poll_mask_begin(mask[0], mask[1], &masked);
	if (error != 0)
		return error;
	found = select_user(n, user, deadline);
	poll_mask_end(masked, found);
	poll_left_timespec(timeout, deadline);
	return found;
}
