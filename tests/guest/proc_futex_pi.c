/* SPDX-License-Identifier: ISC */
/*
 * proc_futex_pi.c - futexes with priority inheritance: the bare calls, what C
 * libraries make of them, owners that end, and that the priority is inherited.
 */
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static uint32_t *word;

static long
fx(uint32_t *at, int op, uint32_t val, const struct timespec *ts, uint32_t *at2,
    uint32_t val3)
{
	return syscall(SYS_futex, at, op, val, ts, at2, val3);
}

static pid_t
tid(void)
{
	return syscall(SYS_gettid);
}

static int
ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) > 0 ? status : -1;
}

static void
bare(void)
{
	struct timespec past = { 1, 0 };
	pid_t pid;

	CHECK_RET(fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_RET(*word, tid());
	CHECK_ERR(fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	CHECK_ERR(fx((uint32_t *)((char *)word + 1), FUTEX_LOCK_PI, 0, NULL,
		      NULL, 0),
	    EINVAL);
	CHECK_ERR(fx((uint32_t *)16, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EFAULT);
	pid = fork();
	if (pid == 0) {
		CHECK_ERR(fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
		CHECK_ERR(fx(word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
		CHECK_ERR(fx(word, FUTEX_LOCK_PI, 0, &past, NULL, 0),
		    ETIMEDOUT);
		CHECK_ERR(fx(word, FUTEX_LOCK_PI2, 0, &past, NULL, 0),
		    ETIMEDOUT);
		_exit(check_failed_count != 0);
	}
	CHECK_RET(ended(pid), 0);
	CHECK_RET(*word & FUTEX_TID_MASK, tid());
	CHECK_RET(fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_RET(*word, 0);
	CHECK_RET(fx(word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_RET(fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	*word = 999999; /* nobody's number */
	CHECK_ERR(fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
	*word = 0;
}

/* Handed over from one to the next, between processes. */
static void
handed_over(void)
{
	int i, n, bad = 0;

	word[1] = 0;
	for (i = 0; i < 4; i++) {
		if (fork() != 0)
			continue;
		for (n = 0; n < 200; n++) {
			if (fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) != 0)
				_exit(1);
			word[1] = word[1] + 1;
			if (n % 7 == 0)
				sched_yield();
			if (fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) != 0)
				_exit(2);
		}
		_exit(0);
	}
	for (i = 0; i < 4; i++)
		bad += ended(-1) != 0;
	CHECK_RET(bad, 0);
	CHECK_RET(word[1], 800);
	CHECK_RET(*word, 0);
}

/* The owner ends without a word: the next one has it, and is told. */
static void
owner_ends(void)
{
	pid_t owner, waiter;
	int go[2];
	char c;

	CHECK_RET(pipe(go), 0);
	owner = fork();
	if (owner == 0) {
		if (fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) != 0)
			_exit(1);
		c = write(go[1], "x", 1);
		while ((*(volatile uint32_t *)word & FUTEX_WAITERS) == 0)
			sched_yield();
		usleep(20000);
		_exit(0);
	}
	CHECK_RET(read(go[0], &c, 1), 1);
	waiter = fork();
	if (waiter == 0) {
		if (fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) != 0)
			_exit(1);
		if ((*word & FUTEX_TID_MASK) != (uint32_t)tid())
			_exit(2);
		_exit(fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) != 0);
	}
	CHECK_RET(ended(owner), 0);
	CHECK_RET(ended(waiter), 0);
	*word = 0;
	close(go[0]);
	close(go[1]);
}

/* ---- as the C library has them ---- */

static pthread_mutex_t *mutex;
static volatile int count;

static void *
counts(void *arg)
{
	int i;

	for (i = 0; i < 2000; i++) {
		if (pthread_mutex_lock(mutex) != 0)
			return (void *)1;
		count = count + 1;
		if (pthread_mutex_unlock(mutex) != 0)
			return (void *)2;
	}
	return arg;
}

static bool
make_mutex(int kind, bool robust)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, kind);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	if (robust)
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT) != 0)
		return false;
	return pthread_mutex_init(mutex, &a) == 0;
}

static void
library(void)
{
	pthread_t t[4];
	void *ret;
	pid_t pid;
	int i;

	mutex = (pthread_mutex_t *)(word + 16);
	REQUIRE(make_mutex(PTHREAD_MUTEX_ERRORCHECK, false));
	for (i = 0; i < 4; i++)
		CHECK_RET(pthread_create(&t[i], NULL, counts, NULL), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(t[i], &ret);
		CHECK_RET(ret, 0);
	}
	CHECK_RET(count, 8000);
	CHECK_RET(pthread_mutex_lock(mutex), 0);
	CHECK_RET(pthread_mutex_lock(mutex), EDEADLK);
	CHECK_RET(pthread_mutex_unlock(mutex), 0);
	CHECK_RET(pthread_mutex_unlock(mutex), EPERM);
	REQUIRE(make_mutex(PTHREAD_MUTEX_NORMAL, true));
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(mutex);
		_exit(0);
	}
	CHECK_RET(ended(pid), 0);
	CHECK_RET(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK_RET(pthread_mutex_consistent(mutex), 0);
	CHECK_RET(pthread_mutex_unlock(mutex), 0);
	CHECK_RET(pthread_mutex_lock(mutex), 0);
	CHECK_RET(pthread_mutex_unlock(mutex), 0);
}

/* ---- a condition with a PI lock behind it ---- */

static void
requeued(void)
{
	uint32_t *cond = word + 1;
	struct timespec past = { 1, 0 };
	pid_t pid[2];
	int i;
	long n;

	*word = *cond = 0;
	CHECK_ERR(fx(cond, FUTEX_WAIT_REQUEUE_PI, 1, NULL, word, 0), EAGAIN);
	CHECK_ERR(fx(cond, FUTEX_WAIT_REQUEUE_PI, 0, &past, word, 0),
	    ETIMEDOUT);
	CHECK_ERR(fx(cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, cond, 0), EINVAL);
	CHECK_ERR(fx(cond, FUTEX_CMP_REQUEUE_PI, 2, NULL, word, 0), EINVAL);
	CHECK_ERR(fx(cond, FUTEX_CMP_REQUEUE_PI, 1, NULL, word, 1), EAGAIN);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			while (fx(cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, word,
				   0) != 0)
				if (errno != EAGAIN)
					_exit(1);
			if ((*word & FUTEX_TID_MASK) != (uint32_t)tid())
				_exit(2);
			_exit(fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) != 0);
		}
	}
	CHECK_RET(fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	for (i = 0; i < 2; i += n) {
		n = fx(cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)4, word, 0);
		if (n < 0)
			break;
		if (n == 0)
			sched_yield();
	}
	CHECK_RET(i, 2);
	CHECK((*word & FUTEX_WAITERS) != 0);
	CHECK_RET(fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_RET(ended(pid[0]), 0);
	CHECK_RET(ended(pid[1]), 0);
	CHECK_RET(*word, 0);
}

/* ---- inheritance ---- */

static bool
become(int priority)
{
	struct sched_param p = { .sched_priority = priority };

	return syscall(SYS_sched_setscheduler, 0,
		   priority != 0 ? SCHED_FIFO : SCHED_OTHER, &p) == 0;
}

/*
 * On one processor: low owns the lock, middle spins, high wants the lock.
 * Without inheritance low would not run before middle has ended.
 */
static void
inherited(void)
{
	volatile uint32_t *at = word + 4;
	pid_t low, middle, high;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	if (!become(50)) {
		check_note("no privilege for real-time classes here");
		return;
	}
	*word = 0;
	memset((void *)at, 0, 16);
	low = fork();
	if (low == 0) {
		become(0);
		fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
		at[0] = 1;
		while (at[1] == 0)
			;
		fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
		_exit(0);
	}
	while (at[0] == 0)
		usleep(1000);
	high = fork();
	if (high == 0) {
		become(40);
		if (fx(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) != 0)
			_exit(1);
		if (at[2] != 0)
			_exit(2);
		_exit(fx(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) != 0 ? 3 : 0);
	}
	while ((*(volatile uint32_t *)word & FUTEX_WAITERS) == 0)
		usleep(1000);
	middle = fork();
	if (middle == 0) {
		unsigned long i;

		become(20);
		for (i = 0; i < 50000000ul && at[3] == 0; i++)
			;
		at[2] = 1;
		_exit(0);
	}
	usleep(2000);
	at[1] = 1;
	CHECK_RET(ended(high), 0);
	at[3] = 1;
	CHECK_RET(ended(low), 0);
	CHECK_RET(ended(middle), 0);
}

int
main(void)
{
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(word != MAP_FAILED);
	bare();
	handed_over();
	owner_ends();
	library();
	requeued();
	inherited();
	return check_done();
}
