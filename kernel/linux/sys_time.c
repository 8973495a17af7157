/* SPDX-License-Identifier: ISC */
/*
 * sys_time.c - reading and setting clocks, and sleeping.  Timers that send
 * signals are in itimer.c, the clocks themselves in clocks.c.
 */
#include "linux/sys_time.h"
#include "kern/clock.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/waitq.h"
#include "linux/clocks.h"
#include "linux/process.h"
#include "linux/timespec.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/time.h>
#include <linux/timex.h>

/* What a coarse clock claims: the tick of a Linux with HZ=250. */
#define COARSE_NS 4000000

long
sys_clock_gettime(int clockid, uaddr_t ts)
{
	struct clock_ref clock;
	int64_t ns;
	int error;

	/* The common ones without a detour. */
	if (clockid == CLOCK_MONOTONIC)
		return copyout_timespec(ts, clock_mono_ns());
	if (clockid == CLOCK_REALTIME)
		return copyout_timespec(ts, clock_real_ns());
	error = clock_lookup(clockid, &clock);
	if (error == 0)
		error = clock_read(&clock, &ns);
	return error != 0 ? error : copyout_timespec(ts, ns);
}

long
sys_clock_getres(int clockid, uaddr_t ts)
{
	struct clock_ref clock;
	int error = clock_lookup(clockid, &clock);

	if (error != 0 || ts == 0)
		return error;
	return copyout_timespec(ts, clock.coarse ? COARSE_NS : 1);
}

static int
set_real(int64_t ns)
{
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	/* Linux too refuses what would put the boot before 1970. */
	if (ns < clock_mono_ns() || ns == INT64_MAX)
		return -EINVAL;
	clocks_set_real(ns);
	return 0;
}

long
sys_clock_settime(int clockid, uaddr_t ts)
{
	struct clock_ref clock;
	int64_t ns;
	int error = clock_lookup(clockid, &clock);

	if (error != 0)
		return error;
	if (clockid != CLOCK_REALTIME)
		return clockid < 0 ? -EPERM : -EINVAL;
	error = copyin_timespec(ts, &ns);
	return error != 0 ? error : set_real(ns);
}

long
sys_gettimeofday(uaddr_t tv, uaddr_t tz)
{
	struct timezone zone = { 0, 0 };

	if (tv != 0 && copyout_timeval(tv, clock_real_ns()) != 0)
		return -EFAULT;
	if (tz != 0 && copyout(tz, &zone, sizeof(zone)) != 0)
		return -EFAULT;
	return 0;
}

/* The zone is accepted and forgotten: programs have their own since long. */
long
sys_settimeofday(uaddr_t tv, uaddr_t tz)
{
	struct timezone zone;
	int64_t ns;
	int error;

	if (tv != 0) {
		error = copyin_timeval(tv, &ns);
		if (error != 0)
			return error;
	}
	if (tz != 0) {
		if (copyin(&zone, tz, sizeof(zone)) != 0)
			return -EFAULT;
		if (zone.tz_minuteswest > 15 * 60 ||
		    zone.tz_minuteswest < -15 * 60)
			return -EINVAL;
	}
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	return tv != 0 ? set_real(ns) : 0;
}

long
sys_time(uaddr_t t)
{
	int64_t seconds = clock_real_ns() / NSEC_PER_SEC;

	if (t != 0 && copyout(t, &seconds, sizeof(seconds)) != 0)
		return -EFAULT;
	return seconds;
}

/* ---- sleeping ---- */

/*
 * Sleeps on the monotonic clock until a moment of it.  0, or -ERESTARTSYS.
 */
static int
sleep_until(int64_t deadline_ns)
{
	struct waitq never = WAITQ_INIT(never);
	int error = wait_event_until(&never, false, deadline_ns);

	return error == -ETIMEDOUT ? 0 : error;
}

static long
sleep_again(struct restart_block *rb)
{
	int64_t left;

	if (sleep_until(rb->deadline_ns) == 0)
		return 0;
	left = MAX(rb->deadline_ns - clock_mono_ns(), 0);
	if (rb->arg[0] != 0 && copyout_timespec(rb->arg[0], left) != 0)
		return -EFAULT;
	return -ERESTART_RESTARTBLOCK;
}

/* A span: after an interruption the rest of it. */
static long
sleep_span(int64_t ns, uaddr_t rem)
{
	int64_t deadline_ns = ns_add(clock_mono_ns(), ns);
	long error;

	restart_later(sleep_again, deadline_ns, rem, 0);
	error = sleep_again(&task_self()->restart);
	return error;
}

/* For clocks that are not the monotonic one: a timer on that clock. */
struct sleeper {
	struct xtimer x;
	struct waitq wq;
};

static void
wake_sleeper(struct xtimer *x)
{
	waitq_wake_all(&container_of(x, struct sleeper, x)->wq);
}

static int
sleep_on_clock(const struct clock_ref *clock, int64_t ns, bool absolute)
{
	struct sleeper s = { .wq = WAITQ_INIT(s.wq) };
	int error = 0;

	if (ns > 0 || !absolute) {
		xtimer_init(&s.x, clock, process_self(), wake_sleeper);
		error = xtimer_set(&s.x, MAX(ns, 1), absolute, 0);
		if (error == 0)
			error = wait_event_intr(&s.wq,
			    s.x.state == XTIMER_FIRED);
		xtimer_fini(&s.x);
	}
	return error == 0 || error == -ESRCH ? error : -ERESTARTNOHAND;
}

static bool
is_own_time(const struct clock_ref *c)
{
	return (c->kind == CLOCK_KIND_TASK ||
		   c->kind == CLOCK_KIND_TASK_USER) &&
	    (c->id == 0 || c->id == task_self()->tid);
}

long
sys_clock_nanosleep(int clockid, int flags, uaddr_t req, uaddr_t rem)
{
	bool absolute = (flags & TIMER_ABSTIME) != 0;
	struct clock_ref clock;
	int64_t ns;
	int error = clock_lookup(clockid, &clock);

	if (error != 0)
		return error;
	if (clock.coarse || clockid == CLOCK_MONOTONIC_RAW)
		return -EOPNOTSUPP;
	if (is_own_time(&clock)) /* it would stand still meanwhile */
		return clockid < 0 ? -EINVAL : -EOPNOTSUPP;
	error = copyin_timespec(req, &ns);
	if (error != 0)
		return error;
	if (clock.kind == CLOCK_KIND_MONO && absolute)
		return sleep_until(ns) == 0 ? 0 : -ERESTARTNOHAND;
	if (clock.kind == CLOCK_KIND_MONO ||
	    (clock.kind == CLOCK_KIND_REAL && !absolute))
		return sleep_span(ns, rem);
	return sleep_on_clock(&clock, ns, absolute);
}

long
sys_nanosleep(uaddr_t req, uaddr_t rem)
{
	int64_t ns;
	int error = copyin_timespec(req, &ns);

	return error != 0 ? error : sleep_span(ns, rem);
}

/* ---- the clock's discipline: there is none, and it says so ---- */

long
sys_adjtimex(uaddr_t buf)
{
	struct timex tx;
	int64_t now;

	if (copyin(&tx, buf, sizeof(tx)) != 0)
		return -EFAULT;
	/* adjtime(3) by nothing takes back what is under way: nothing is. */
	if (tx.modes != 0 && tx.modes != ADJ_OFFSET_SS_READ &&
	    (tx.modes != ADJ_OFFSET_SINGLESHOT || tx.offset != 0 ||
		!capable(CAP_SYS_TIME)))
		return capable(CAP_SYS_TIME) ? -EINVAL : -EPERM;
	now = clock_real_ns();
	memset(&tx, 0, sizeof(tx));
	tx.status = STA_UNSYNC;
	tx.maxerror = tx.esterror = 16000000;
	tx.constant = 2;
	tx.precision = 1;
	tx.tolerance = 32768000;
	tx.tick = 10000;
	tx.time.tv_sec = now / NSEC_PER_SEC;
	tx.time.tv_usec = now % NSEC_PER_SEC / 1000;
	if (copyout(buf, &tx, sizeof(tx)) != 0)
		return -EFAULT;
	return TIME_ERROR;
}

long
sys_clock_adjtime(int clockid, uaddr_t buf)
{
	struct clock_ref clock;
	int error = clock_lookup(clockid, &clock);

	if (error != 0)
		return error;
	return clockid == CLOCK_REALTIME ? sys_adjtimex(buf) : -EOPNOTSUPP;
}
