/* SPDX-License-Identifier: ISC */
/*
 * timespec.h - times as programs give them, and nanoseconds.  Times too far
 * off to be counted are the farthest that can be.
 */
#ifndef LINUX_TIMESPEC_H
#define LINUX_TIMESPEC_H

#include "kern/types.h"

/* -EFAULT; -EINVAL: negative, or the fraction is a second or more. */
int copyin_timespec(uaddr_t src, int64_t *ns);
int copyin_timeval(uaddr_t src, int64_t *ns);
int copyout_timespec(uaddr_t dst, int64_t ns);
int copyout_timeval(uaddr_t dst, int64_t ns);
/* A span from now, as a moment of clock_mono_ns(), WAIT_FOREVER at most. */
int copyin_deadline(uaddr_t src, int64_t *deadline_ns);

/* a + b, b not negative, never beyond INT64_MAX. */
static inline int64_t
ns_add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

#endif
