/* SPDX-License-Identifier: ISC */
/*
 * time_calls.c - clocks, sleeping, interval timers, POSIX timers, timerfd.
 */
#include "check.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>

static volatile int count, last_code, last_value;
static volatile int most_overrun; /* of a timer's signal */

static void
note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
	if (info->si_code == SI_TIMER && info->si_overrun > most_overrun)
		most_overrun = info->si_overrun;
}

static void
handle(int sig)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

static long long
now(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* System calls, not the vDSO. */
static void
check_clocks(void)
{
	static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
		CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI };
	struct timespec a, b;
	struct timeval tv;
	long long before;
	unsigned i;

	for (i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		CHECK_RET(syscall(SYS_clock_gettime, clocks[i], &a), 0);
		CHECK_RET(syscall(SYS_clock_getres, clocks[i], &b), 0);
		CHECK(a.tv_nsec >= 0 && a.tv_nsec < 1000000000);
		CHECK(b.tv_sec == 0 && b.tv_nsec >= 1);
	}
	CHECK_ERR(syscall(SYS_clock_gettime, 99, &a), EINVAL);
	CHECK_ERR(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8), EFAULT);
	CHECK_ERR(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &a), EINVAL);
	CHECK_RET(syscall(SYS_gettimeofday, &tv, NULL), 0);
	CHECK(tv.tv_sec > 1600000000);
	CHECK_ERR(syscall(SYS_gettimeofday, 8, NULL), EFAULT);
	CHECK(labs(syscall(SYS_time, NULL) - tv.tv_sec) <= 90);
	before = now(CLOCK_MONOTONIC);
	CHECK(now(CLOCK_MONOTONIC) >= before);
	CHECK(syscall(SYS_times, NULL) > 0);
}

static void
check_sleep(void)
{
	struct timespec ts = { 0, 20000000 }, bad = { 0, 1000000000 };
	struct timespec negative = { -1, 0 };
	long long before = now(CLOCK_MONOTONIC), at;

	CHECK_RET(nanosleep(&ts, NULL), 0);
	CHECK(now(CLOCK_MONOTONIC) - before >= 20000000);
	CHECK_ERR(nanosleep(&bad, NULL), EINVAL);
	CHECK_ERR(nanosleep(&negative, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_nanosleep, 8, NULL), EFAULT);
	at = now(CLOCK_MONOTONIC) + 20000000;
	ts.tv_sec = at / 1000000000;
	ts.tv_nsec = at % 1000000000;
	CHECK_RET(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL),
	    0);
	CHECK(now(CLOCK_MONOTONIC) >= at);
	at = now(CLOCK_REALTIME) + 20000000;
	ts.tv_sec = at / 1000000000;
	ts.tv_nsec = at % 1000000000;
	CHECK_RET(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(now(CLOCK_REALTIME) >= at);
	CHECK_RET(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL),
	    EINVAL);
	CHECK_RET(clock_nanosleep(77, 0, &ts, NULL), EINVAL);
}

static void
spin_ms(int ms)
{
	long long end = now(CLOCK_PROCESS_CPUTIME_ID) + ms * 1000000ll;

	while (now(CLOCK_PROCESS_CPUTIME_ID) < end)
		continue;
}

static void
check_itimers(void)
{
	struct itimerval it = { { 0, 10000 }, { 0, 10000 } }, old;
	struct timespec nap = { 1, 0 };
	struct rusage ru;
	int i;

	handle(SIGALRM);
	handle(SIGPROF);
	count = 0;
	CHECK_RET(setitimer(ITIMER_REAL, &it, NULL), 0);
	for (i = 0; i < 3; i++)
		nanosleep(&nap, NULL); /* ended by each */
	CHECK(count >= 3);
	CHECK_RET(getitimer(ITIMER_REAL, &old), 0);
	CHECK(old.it_interval.tv_usec == 10000 && old.it_value.tv_sec == 0);
	memset(&it, 0, sizeof(it));
	CHECK_RET(setitimer(ITIMER_REAL, &it, &old), 0);
	CHECK_RET(getitimer(ITIMER_REAL, &old), 0);
	CHECK(old.it_value.tv_usec == 0 && old.it_interval.tv_usec == 0);
	CHECK_ERR(syscall(SYS_setitimer, 3, &it, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_getitimer, 0, 8), EFAULT);
	it.it_value.tv_usec = 1000000;
	CHECK_ERR(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
	CHECK_RET(alarm(1000), 0);
	CHECK_RET((alarm(0) + 99) / 100, 10); /* some may have gone by */
	CHECK_RET(alarm(0), 0);
	count = 0;
	it.it_value.tv_usec = 10000;
	CHECK_RET(setitimer(ITIMER_PROF, &it, NULL), 0);
	while (count == 0) /* the host may be late with the interrupt */
		spin_ms(10);
	spin_ms(60);
	CHECK_RET(count, 1);
	CHECK_RET(getrusage(RUSAGE_SELF, &ru), 0);
	CHECK(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec +
		ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec >=
	    50000);
	CHECK_RET(getrusage(RUSAGE_CHILDREN, &ru), 0);
	CHECK_ERR(getrusage(77, &ru), EINVAL);
	CHECK_ERR(syscall(SYS_getrusage, RUSAGE_SELF, 8), EFAULT);
}

static void
check_posix_timers(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
		.sigev_value.sival_int = 11 };
	struct itimerspec its = { { 0, 5000000 }, { 0, 5000000 } }, old;
	struct timespec nap = { 0, 30000000 };
	sigset_t set;
	int id = -1;

	handle(SIGUSR1);
	CHECK_RET(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), 0);
	CHECK_ERR(syscall(SYS_timer_create, 55, &ev, &id), EINVAL);
	count = 0;
	CHECK_RET(syscall(SYS_timer_settime, id, 0, &its, NULL), 0);
	CHECK_ERR(nanosleep(&(struct timespec){ 1, 0 }, NULL), EINTR);
	CHECK(count >= 1);
	CHECK_RET(last_code, SI_TIMER);
	CHECK_RET(last_value, 11);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	most_overrun = 0;
	nanosleep(&nap, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK(most_overrun >= 3); /* one that comes later has had none */
	CHECK(syscall(SYS_timer_getoverrun, id) >= 0);
	CHECK_RET(syscall(SYS_timer_gettime, id, &old), 0);
	CHECK(old.it_interval.tv_nsec == 5000000);
	CHECK_RET(syscall(SYS_timer_delete, id), 0);
	CHECK_ERR(syscall(SYS_timer_delete, id), EINVAL);
	CHECK_ERR(syscall(SYS_timer_gettime, id, &old), EINVAL);
	CHECK_ERR(syscall(SYS_timer_settime, id, 0, &its, NULL), EINVAL);
	ev.sigev_signo = 99;
	CHECK_ERR(syscall(SYS_timer_create, CLOCK_REALTIME, &ev, &id), EINVAL);
}

static void
check_timerfd(void)
{
	struct itimerspec its = { { 0, 5000000 }, { 0, 5000000 } }, old;
	struct pollfd p = { .events = POLLIN };
	struct timespec nap = { 0, 30000000 };
	uint64_t n = 0;
	int fd;

	fd = CHECK_OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	p.fd = fd;
	CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 0x40), EINVAL);
	CHECK_ERR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERR(read(fd, &n, 8), EAGAIN);
	CHECK_RET(timerfd_settime(fd, 0, &its, NULL), 0);
	CHECK_RET(poll(&p, 1, 90000), 1);
	CHECK_RET(read(fd, &n, 8), 8);
	CHECK(n >= 1);
	nanosleep(&nap, NULL);
	CHECK_RET(read(fd, &n, 8), 8);
	CHECK(n >= 5);
	CHECK_ERR(read(fd, &n, 7), EINVAL);
	CHECK_RET(timerfd_gettime(fd, &old), 0);
	CHECK(old.it_interval.tv_nsec == 5000000);
	memset(&its, 0, sizeof(its));
	CHECK_RET(timerfd_settime(fd, 0, &its, &old), 0);
	CHECK_RET(poll(&p, 1, 0), 0);
	CHECK_ERR(timerfd_settime(1, 0, &its, NULL), EINVAL);
	CHECK_ERR(timerfd_settime(-1, 0, &its, NULL), EBADF);
	CHECK_ERR(timerfd_settime(fd, 16, &its, NULL), EINVAL);
	close(fd);
}

/* To adjust by nothing is allowed to who may adjust. */
static void
check_adjtime(void)
{
	struct timeval nothing = { 0, 0 }, left = { 1, 1 };

	CHECK(adjtime(&nothing, NULL) == 0 || errno == EPERM);
	CHECK_RET(adjtime(NULL, &left), 0);
	CHECK_RET(left.tv_sec, 0);
	CHECK_RET(left.tv_usec, 0);
}

int
main(void)
{
	check_clocks();
	check_adjtime();
	check_sleep();
	check_itimers();
	check_posix_timers();
	check_timerfd();
	return check_done();
}
