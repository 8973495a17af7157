/* SPDX-License-Identifier: ISC */
/*
 * proc_rttime.c - RLIMIT_RTTIME: what a real-time thread may use of a processor
 * before it must sleep.
 */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define SOFT_US 30000
#define HARD_US 90000

static volatile sig_atomic_t told;

static void
on_xcpu(int sig)
{
	(void)sig;
	told++;
}

static void
limit(uint64_t soft, uint64_t hard)
{
	struct rlimit l = { soft, hard };

	CHECK_RET(setrlimit(RLIMIT_RTTIME, &l), 0);
}

static bool
become_realtime(int policy)
{
	struct sched_param sp = { .sched_priority = policy != SCHED_OTHER };

	return sched_setscheduler(0, policy, &sp) == 0;
}

static int64_t
used_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Until the signal, and then until death. */
static void
spins(void)
{
	struct rlimit l;

	signal(SIGXCPU, on_xcpu);
	limit(SOFT_US, HARD_US);
	while (told == 0)
		continue;
	/* Only after the time was used up; a tick or two later at most. */
	CHECK(used_us() >= SOFT_US - 10000);
	CHECK_RET(getrlimit(RLIMIT_RTTIME, &l), 0);
	CHECK_RET(l.rlim_cur, SOFT_US + 1000000);
	CHECK_RET(l.rlim_max, HARD_US);
	for (;;)
		continue;
}

static void *
spin_for_ever(void *arg)
{
	become_realtime(SCHED_RR);
	for (;;)
		continue;
	return arg;
}

static void
thread_spins(void)
{
	pthread_t t;

	limit(SOFT_US, HARD_US);
	signal(SIGXCPU, SIG_IGN);
	become_realtime(SCHED_OTHER);
	pthread_create(&t, NULL, spin_for_ever, NULL);
	for (;;)
		pause();
}

/*
 * One that sleeps now and then may use more in all.  A machine that stood still
 * meanwhile is told rightly, and so is one that stood still between reckoning
 * when to wake and sleeping, for it did not sleep: the clock of the thread shows
 * that.  Without a halt no stretch is much longer than a tenth of the limit.
 */
static void
sleeps(void)
{
	struct timespec moment = { 0, 1000000 };
	int64_t last = 0, now, longest = 0;

	signal(SIGXCPU, on_xcpu);
	limit(SOFT_US, RLIM_INFINITY);
	do {
		while (used_us() - last < SOFT_US / 10)
			continue;
		nanosleep(&moment, NULL);
		now = used_us();
		longest = now - last > longest ? now - last : longest;
		last = now;
	} while (last < 4 * SOFT_US && told == 0);
	CHECK(told == 0 || longest >= SOFT_US / 5);
	_exit(check_done());
}

static void
others_do_not_care(void)
{
	limit(1000, 1000);
	while (used_us() < 2 * SOFT_US)
		continue;
	_exit(check_done());
}

static int
end_of(void (*fn)(void), int policy)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (!become_realtime(policy))
			_exit(98);
		fn();
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return status & ~0x80;
}

static void
nothing(void)
{
	_exit(0);
}

int
main(void)
{
	if (end_of(nothing, SCHED_FIFO) != 0) {
		CHECK(true); /* this host lets nobody be so important */
		return check_done();
	}
	CHECK_RET(end_of(spins, SCHED_FIFO), SIGKILL);
	CHECK_RET(end_of(spins, SCHED_RR), SIGKILL);
	CHECK_RET(end_of(thread_spins, SCHED_FIFO), SIGKILL);
	CHECK_RET(end_of(sleeps, SCHED_FIFO), 0);
	CHECK_RET(end_of(others_do_not_care, SCHED_OTHER), 0);
	return check_done();
}
