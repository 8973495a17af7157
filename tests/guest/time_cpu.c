/* SPDX-License-Identifier: ISC */
/*
 * time_cpu.c - timers and sleeps on processor time: a thread's own, another
 * thread's, another process's.
 *
 * Nothing here depends on how fast the machine is: what a timer says is held
 * against the clock that it is on, read before and after.
 */
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MS       1000000ll
#define HOUR     (3600 * 1000 * MS)
#define SIG_MAIN (SIGRTMIN + 1)
#define SIG_OWN  (SIGRTMIN + 2)

static sem_t turn[2]; /* 0: the burner's, 1: the first thread's */
static volatile pid_t burner_tid;
static volatile bool stop;
static volatile int64_t fired_at; /* on the burner's clock; 0: not yet */

static int64_t
now(clockid_t clock)
{
	struct timespec ts = { -1, 0 };

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static struct timespec
timespec_of(int64_t ns)
{
	return (struct timespec){ ns / (1000 * MS), ns % (1000 * MS) };
}

static void
burn(clockid_t clock, int64_t ns)
{
	int64_t end = now(clock) + ns;

	while (now(clock) < end)
		continue;
}

/* The clock of a thread, or of a process, as the C library makes it. */
static clockid_t
clock_of(pid_t id, int kind)
{
	return (clockid_t)(~(unsigned)id << 3 | (unsigned)kind);
}
#define PROCESS 2
#define THREAD  6

static int
set(timer_t timer, int64_t ns, bool absolute)
{
	struct itimerspec it = { .it_value = timespec_of(ns) };

	return timer_settime(timer, absolute ? TIMER_ABSTIME : 0, &it, NULL);
}

static int64_t
left(timer_t timer)
{
	struct itimerspec it = { .it_value = { -1, 0 } };

	timer_gettime(timer, &it);
	return it.it_value.tv_sec * 1000 * MS + it.it_value.tv_nsec;
}

static timer_t
make(clockid_t clock, int notify, int signo, pid_t tid)
{
	struct sigevent ev = { .sigev_notify = notify, .sigev_signo = signo };
	timer_t timer = NULL;

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
	if (notify == SIGEV_THREAD_ID)
		ev.sigev_notify_thread_id = tid;
	REQUIRE(timer_create(clock, &ev, &timer) == 0);
	return timer;
}

static void
on_own(int sig)
{
	(void)sig;
	fired_at = now(CLOCK_THREAD_CPUTIME_ID);
}

/* ---- a thread's time is not its process's ---- */

static int64_t burner_deadline;

/* Its timer goes by its own time, whatever the other thread uses meanwhile. */
static void *
burner(void *arg)
{
	timer_t timer;
	int64_t at;

	burner_tid = (pid_t)syscall(SYS_gettid);
	timer = make(CLOCK_THREAD_CPUTIME_ID, SIGEV_THREAD_ID, SIG_OWN,
	    burner_tid);
	burner_deadline = now(CLOCK_THREAD_CPUTIME_ID) + 60 * MS;
	CHECK_RET(set(timer, 60 * MS, false), 0);
	sem_post(&turn[1]);
	while (sem_wait(&turn[0]) != 0)
		continue;
	while (fired_at == 0)
		continue;
	CHECK(fired_at >= burner_deadline);
	/* A moment of it that has passed; one that has not. */
	fired_at = 0;
	CHECK_RET(set(timer, 1, true), 0);
	while (fired_at == 0)
		continue;
	fired_at = 0;
	at = now(CLOCK_THREAD_CPUTIME_ID) + 20 * MS;
	CHECK_RET(set(timer, at, true), 0);
	while (fired_at == 0)
		continue;
	CHECK(fired_at >= at);
	CHECK_RET(left(timer), 0);
	CHECK_RET(timer_delete(timer), 0);
	sem_post(&turn[1]);
	while (!stop)
		continue;
	return arg;
}

/* Armed for an hour of the first thread's time: nobody else uses that up. */
static void
own_time(pthread_t *thread)
{
	timer_t timer = make(CLOCK_THREAD_CPUTIME_ID, SIGEV_NONE, 0, 0);
	int64_t before, after, end, is;

	before = now(CLOCK_THREAD_CPUTIME_ID);
	CHECK_RET(set(timer, HOUR, false), 0);
	after = now(CLOCK_THREAD_CPUTIME_ID);
	REQUIRE(pthread_create(thread, NULL, burner, NULL) == 0);
	while (sem_wait(&turn[1]) != 0)
		continue;
	/* The burner sleeps, and its timer waits. */
	burn(CLOCK_THREAD_CPUTIME_ID, 150 * MS);
	CHECK(fired_at == 0 || fired_at >= burner_deadline);
	sem_post(&turn[0]);
	while (sem_wait(&turn[1]) != 0)
		continue;
	is = left(timer);
	end = now(CLOCK_THREAD_CPUTIME_ID);
	CHECK(is >= before + HOUR - end);
	CHECK(is <= after + HOUR);
	CHECK_RET(timer_delete(timer), 0);
}

/* ---- another thread's ---- */

static void
await(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	while (sigwaitinfo(&set, NULL) != signo)
		continue;
}

/* The burner burns for ever; who waits for its time does not. */
static void
of_another(clockid_t clock)
{
	timer_t timer = make(clock, SIGEV_SIGNAL, SIG_MAIN, 0);
	struct timespec ts;
	int64_t at = now(clock) + 30 * MS;

	CHECK_RET(set(timer, 30 * MS, false), 0);
	await(SIG_MAIN);
	CHECK(now(clock) >= at);
	CHECK_RET(timer_delete(timer), 0);
	ts = timespec_of(20 * MS);
	at = now(clock) + 20 * MS;
	CHECK_RET(clock_nanosleep(clock, 0, &ts, NULL), 0);
	CHECK(now(clock) >= at);
	at = now(clock) + 20 * MS;
	ts = timespec_of(at);
	CHECK_RET(clock_nanosleep(clock, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(now(clock) >= at);
}

static void
is_gone(clockid_t clock, timer_t timer)
{
	struct timespec ts = { 0, 1 };

	CHECK_RET(left(timer), 0);
	CHECK_ERR(set(timer, 1, false), ESRCH);
	CHECK_ERR(set(timer, 0, false), ESRCH);
	CHECK_RET(left(timer), 0);
	CHECK_RET(clock_nanosleep(clock, 0, &ts, NULL), EINVAL);
	CHECK_RET(timer_delete(timer), 0);
}

static void
another_thread(void)
{
	clockid_t clock;
	pthread_t thread;
	timer_t timer;

	own_time(&thread);
	REQUIRE(pthread_getcpuclockid(thread, &clock) == 0);
	CHECK_RET(clock, clock_of(burner_tid, THREAD));
	of_another(clock);
	timer = make(clock, SIGEV_NONE, 0, 0);
	CHECK_RET(set(timer, HOUR, false), 0);
	CHECK(left(timer) > HOUR / 2);
	stop = true;
	CHECK_RET(pthread_join(thread, NULL), 0);
	while (now(clock) >= 0) /* its number goes after its last word */
		sched_yield();
	is_gone(clock, timer);
}

/* ---- another process's ---- */

static void
another_process(void)
{
	clockid_t clock;
	timer_t timer;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			continue;
	REQUIRE(clock_getcpuclockid(pid, &clock) == 0);
	CHECK_RET(clock, clock_of(pid, PROCESS));
	of_another(clock);
	timer = make(clock, SIGEV_NONE, 0, 0);
	CHECK_RET(set(timer, HOUR, false), 0);
	CHECK(left(timer) > HOUR / 2);
	kill(pid, SIGKILL);
	CHECK_RET(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	CHECK(now(clock) > 0); /* its time is there until it is asked for */
	CHECK(left(timer) > HOUR / 2);
	CHECK_RET(waitpid(pid, NULL, 0), pid);
	CHECK_RET(now(clock), -1000 * MS);
	is_gone(clock, timer);
}

/* ---- what is refused ---- */

static long
nap(clockid_t clock)
{
	struct timespec ts = { 0, 1 };

	return syscall(SYS_clock_nanosleep, clock, 0, &ts, NULL);
}

static void
refused(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	pid_t pid = getpid(), child;
	timer_t timer;

	/* One's own stands still meanwhile. */
	CHECK_ERR(nap(CLOCK_THREAD_CPUTIME_ID), EOPNOTSUPP);
	CHECK_ERR(nap(clock_of(0, THREAD)), EINVAL);
	CHECK_ERR(nap(clock_of(pid, THREAD)), EINVAL);
	/* Threads of others are nobody's business. */
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	CHECK_ERR(timer_create(clock_of(child, THREAD), &ev, &timer), EINVAL);
	CHECK_ERR(nap(clock_of(child, THREAD)), EINVAL);
	kill(child, SIGKILL);
	CHECK_RET(waitpid(child, NULL, 0), child);
	CHECK_ERR(timer_create(clock_of(child, PROCESS), &ev, &timer), EINVAL);
	CHECK_ERR(nap(clock_of(child, PROCESS)), EINVAL);
}

int
main(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIG_MAIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIG_OWN, on_own);
	sem_init(&turn[0], 0, 0);
	sem_init(&turn[1], 0, 0);
	refused();
	another_thread();
	another_process();
	return check_done();
}
