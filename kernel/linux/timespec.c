/* SPDX-License-Identifier: ISC */
/* timespec.c - times as programs give them. */
#include "linux/timespec.h"
#include "kern/clock.h"
#include "kern/uaccess.h"
#include <linux/errno.h>
#include <linux/time.h>
#include <linux/time_types.h>

#define SECONDS_MAX (INT64_MAX / NSEC_PER_SEC - 1)

static int
to_ns(int64_t seconds, int64_t fraction_ns, int64_t *ns)
{
	if (seconds < 0 || fraction_ns < 0 || fraction_ns >= NSEC_PER_SEC)
		return -EINVAL;
	*ns = seconds > SECONDS_MAX ? INT64_MAX :
				      seconds * NSEC_PER_SEC + fraction_ns;
	return 0;
}

int
copyin_timespec(uaddr_t src, int64_t *ns)
{
	struct __kernel_timespec ts;

	if (copyin(&ts, src, sizeof(ts)) != 0)
		return -EFAULT;
	return to_ns(ts.tv_sec, ts.tv_nsec, ns);
}

int
copyin_timeval(uaddr_t src, int64_t *ns)
{
	struct __kernel_old_timeval tv;

	if (copyin(&tv, src, sizeof(tv)) != 0)
		return -EFAULT;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EINVAL;
	return to_ns(tv.tv_sec, tv.tv_usec * 1000, ns);
}

int
copyout_timespec(uaddr_t dst, int64_t ns)
{
	struct __kernel_timespec ts = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	if (ts.tv_nsec < 0) { /* before 1970 */
		ts.tv_sec--;
		ts.tv_nsec += NSEC_PER_SEC;
	}
	return copyout(dst, &ts, sizeof(ts));
}

int
copyout_timeval(uaddr_t dst, int64_t ns)
{
	struct __kernel_old_timeval tv = { ns / NSEC_PER_SEC,
		ns % NSEC_PER_SEC / 1000 };

	if (tv.tv_usec < 0) {
		tv.tv_sec--;
		tv.tv_usec += 1000000;
	}
	return copyout(dst, &tv, sizeof(tv));
}

int
copyin_deadline(uaddr_t src, int64_t *deadline_ns)
{
	int64_t ns;
	int error = copyin_timespec(src, &ns);

	if (error == 0)
		*deadline_ns = ns_add(clock_mono_ns(), ns);
	return error;
}
