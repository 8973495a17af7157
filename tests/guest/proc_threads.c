/* SPDX-License-Identifier: ISC */
/*
 * proc_threads.c - threads and futexes, directly and by the C library.
 */
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define NTHREADS 8
#define ROUNDS   2000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long sum;
static int turn;
static __thread int own = 3;

static long
futex(uint32_t *addr, int op, uint32_t val, void *timeout, uint32_t *addr2,
    uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static void
check_errors(void)
{
	struct timespec soon = { 0, 10000000 }, bad = { 0, 1000000000 };
	uint32_t words[2] = { 5, 0 };

	CHECK_ERR(futex(words, FUTEX_WAIT, 6, NULL, NULL, 0), EAGAIN);
	CHECK_ERR(futex(words, FUTEX_WAIT, 5, &soon, NULL, 0), ETIMEDOUT);
	CHECK_ERR(futex(words, FUTEX_WAIT_PRIVATE, 5, &soon, NULL, 0),
	    ETIMEDOUT);
	CHECK_ERR(futex(words, FUTEX_WAIT, 5, &bad, NULL, 0), EINVAL);
	CHECK_ERR(futex((uint32_t *)((char *)words + 1), FUTEX_WAIT, 5, NULL,
		      NULL, 0),
	    EINVAL);
	CHECK_ERR(futex((uint32_t *)8, FUTEX_WAIT, 5, NULL, NULL, 0), EFAULT);
	CHECK_ERR(futex(words, FUTEX_WAIT_BITSET, 5, NULL, NULL, 0), EINVAL);
	CHECK_RET(futex(words, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	CHECK_ERR(futex(words, 99, 1, NULL, NULL, 0), ENOSYS);
	CHECK_ERR(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words + 1, 6),
	    EAGAIN);
	CHECK_RET(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words + 1, 5),
	    0);
	CHECK_RET(futex(words, FUTEX_WAKE_OP, 1, (void *)1, words + 1,
		      FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)),
	    0);
	CHECK_RET(words[1], 3);
}

static void *
add(void *arg)
{
	int i;

	own = (int)(long)arg;
	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		sum++;
		pthread_mutex_unlock(&mutex);
	}
	return (void *)(long)own;
}

static void
check_threads(void)
{
	pthread_t t[NTHREADS];
	void *result;
	long i;

	for (i = 0; i < NTHREADS; i++)
		CHECK_RET(pthread_create(&t[i], NULL, add, (void *)i), 0);
	for (i = 0; i < NTHREADS; i++) {
		CHECK_RET(pthread_join(t[i], &result), 0);
		CHECK_RET(result, i);
	}
	CHECK_RET(sum, NTHREADS * ROUNDS);
	CHECK_RET(own, 3);
}

static void *
pong(void *arg)
{
	int i;

	for (i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != 1)
			pthread_cond_wait(&cond, &mutex);
		turn = 0;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void
check_conditions(void)
{
	pthread_t t;
	int i;

	pthread_create(&t, NULL, pong, NULL);
	for (i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != 0)
			pthread_cond_wait(&cond, &mutex);
		turn = 1;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
	}
	CHECK_RET(pthread_join(t, NULL), 0);
}

static pthread_mutex_t robust;

static void *
die_with_it(void *arg)
{
	pthread_mutex_lock(&robust);
	return arg;
}

static void
check_robust(void)
{
	pthread_mutexattr_t a;
	pthread_t t;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &a);
	pthread_create(&t, NULL, die_with_it, NULL);
	pthread_join(t, NULL);
	CHECK_RET(pthread_mutex_lock(&robust), EOWNERDEAD);
	CHECK_RET(pthread_mutex_consistent(&robust), 0);
	CHECK_RET(pthread_mutex_unlock(&robust), 0);
}

static volatile int handled_by;

static void
note_thread(int sig)
{
	(void)sig;
	handled_by = syscall(SYS_gettid);
}

static void *
wait_for_signal(void *arg)
{
	*(volatile int *)arg = syscall(SYS_gettid);
	while (handled_by == 0)
		sched_yield();
	return NULL;
}

static void
check_directed_signal(void)
{
	volatile int tid = 0;
	pthread_t t;

	signal(SIGUSR1, note_thread);
	pthread_create(&t, NULL, wait_for_signal, (void *)&tid);
	while (tid == 0)
		sched_yield();
	CHECK_RET(syscall(SYS_tgkill, getpid(), tid, SIGUSR1), 0);
	CHECK_RET(pthread_join(t, NULL), 0);
	CHECK_RET(handled_by, tid);
	CHECK_ERR(syscall(SYS_tgkill, getpid(), tid, 0), ESRCH);
}

static void *
exit_all(void *arg)
{
	(void)arg;
	exit(21);
}

static void *
sleep_long(void *arg)
{
	sleep(100);
	return arg;
}

/* exit() of one thread ends all; so does exec. */
static void
check_group_exit(void)
{
	pthread_t t;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_create(&t, NULL, sleep_long, NULL);
		pthread_create(&t, NULL, exit_all, NULL);
		sleep(100);
		_exit(1);
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 21 << 8);
	pid = fork();
	if (pid == 0) { /* the first task ends before the others */
		pthread_create(&t, NULL, exit_all, NULL);
		syscall(SYS_exit, 3);
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 21 << 8);
	pid = fork();
	if (pid == 0) {
		pthread_create(&t, NULL, sleep_long, NULL);
		kill(getpid(), SIGKILL);
		sleep(100);
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, SIGKILL);
}

int
main(void)
{
	check_errors();
	check_threads();
	check_conditions();
	check_robust();
	check_directed_signal();
	check_group_exit();
	return check_done();
}
