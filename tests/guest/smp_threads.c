/* SPDX-License-Identifier: ISC */
/*
 * smp_threads.c - threads on several processors: atomic counts, futexes that
 * are handed to and fro, mutexes and conditions, signals to running threads,
 * affinity, floating-point state that moves along, time that never goes back.
 */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <linux/futex.h>

#define NTHREADS 8
#define STRETCH  700 /* ms that a part takes */

static volatile bool over;
static uint64_t count, strange;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void
nap(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) != 0)
		;
}

static long
futex(uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL,
	    NULL, 0);
}

static void
run(void *(*fn)(void *), int n, int ms)
{
	pthread_t t[NTHREADS];
	long i;

	over = false;
	for (i = 0; i < n; i++)
		REQUIRE(pthread_create(&t[i], NULL, fn, (void *)i) == 0);
	if (ms != 0) {
		nap(ms);
		over = true;
	}
	for (i = 0; i < n; i++)
		REQUIRE(pthread_join(t[i], NULL) == 0);
}

/* ---- counting ---- */

static void *
add(void *unused)
{
	(void)unused;
	for (int i = 0; i < 200000; i++)
		__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t guarded;

static void *
add_locked(void *unused)
{
	(void)unused;
	for (int i = 0; i < 1500; i++) {
		pthread_mutex_lock(&mutex);
		guarded = guarded + 1;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

/* ---- futex ping-pong: word i is 1 when thread i has the ball ---- */

static uint32_t ball[2];
#define THROWS 3000

static void *
player(void *arg)
{
	long me = (long)arg;
	int i;

	for (i = 0; i < THROWS; i++) {
		while (__atomic_load_n(&ball[me], __ATOMIC_SEQ_CST) == 0)
			futex(&ball[me], FUTEX_WAIT, 0);
		__atomic_store_n(&ball[me], 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&ball[!me], 1, __ATOMIC_SEQ_CST);
		futex(&ball[!me], FUTEX_WAKE, 1);
	}
	return NULL;
}

/* ---- a condition all wait for, many times ---- */

static pthread_barrier_t barrier;
static int arrived[NTHREADS];

static void *
meet(void *arg)
{
	long me = (long)arg;
	int i, j;

	for (i = 0; i < 100; i++) {
		arrived[me] = i;
		pthread_barrier_wait(&barrier);
		for (j = 0; j < NTHREADS; j++)
			if (arrived[j] != i)
				strange++;
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* ---- signals to threads that run in the program ---- */

static uint64_t got[NTHREADS], turns[NTHREADS];
static __thread long me_here;

static void
on_signal(int sig)
{
	(void)sig;
	got[me_here]++;
}

static void *
spin(void *arg)
{
	me_here = (long)arg;
	while (!over)
		((volatile uint64_t *)turns)[me_here]++;
	return NULL;
}

static void
signals_to_running(void)
{
	pthread_t t[4];
	uint64_t before;
	int64_t end = now_ns() + STRETCH * 1000000ll, limit;
	int i, rounds = 0, lost = 0;

	signal(SIGUSR1, on_signal);
	over = false;
	for (i = 0; i < 4; i++)
		REQUIRE(
		    pthread_create(&t[i], NULL, spin, (void *)(long)i) == 0);
	for (i = 0; i < 4; i++)
		while (((volatile uint64_t *)turns)[i] == 0)
			sched_yield(); /* until it runs */
	while (now_ns() < end) {
		i = rounds++ % 4;
		before = __atomic_load_n(&got[i], __ATOMIC_SEQ_CST);
		pthread_kill(t[i], SIGUSR1);
		limit = now_ns() + 10 * 1000000000ll;
		while (__atomic_load_n(&got[i], __ATOMIC_SEQ_CST) == before) {
			if (now_ns() > limit) {
				lost++;
				break;
			}
			sched_yield();
		}
	}
	over = true;
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	check_note("%d signals", rounds);
	CHECK(lost == 0);
}

/* ---- affinity ---- */

static void *
wander(void *arg)
{
	int ncpu = sysconf(_SC_NPROCESSORS_ONLN), i;
	cpu_set_t set;

	for (i = (int)(long)arg; !over; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % ncpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) != 0)
			strange++;
		else if (sched_getcpu() != i % ncpu)
			strange++;
		__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Another's affinity is changed while it runs. */
static void
move_others(void)
{
	int ncpu = sysconf(_SC_NPROCESSORS_ONLN), i;
	int64_t limit;
	pthread_t t;
	cpu_set_t set;

	over = false;
	REQUIRE(pthread_create(&t, NULL, spin, NULL) == 0);
	for (i = 0; i < 200; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % ncpu, &set);
		if (pthread_setaffinity_np(t, sizeof(set), &set) != 0)
			strange++;
		limit = turns[0];
		while (((volatile uint64_t *)turns)[0] == (uint64_t)limit)
			; /* it runs on */
	}
	over = true;
	pthread_join(t, NULL);
}

/* ---- state that must move along ---- */

static void *
compute(void *arg)
{
	double x = (double)(long)arg + 1.5, y;
	int i;

	while (!over) {
		y = x;
		for (i = 0; i < 1000; i++)
			__asm__ volatile("" : "+x"(y));
		if (y != x)
			strange++;
		sched_yield();
		__asm__ volatile("" : "+x"(y));
		if (y != x)
			strange++;
		__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* The registers stay in asm across a system call and many switches. */
static void *
hold_registers(void *arg)
{
	uint64_t in = 0x1111111111111111ull * ((long)arg + 1), out;

	while (!over) {
		__asm__ volatile("movq %1, %%xmm7\n\t"
				 "mov %2, %%eax\n\t"
				 "syscall\n\t"
				 "mov $20000, %%ecx\n\t"
				 "1: loop 1b\n\t"
				 "movq %%xmm7, %0"
				 : "=r"(out)
				 : "r"(in), "i"(SYS_sched_yield)
				 : "rax", "rcx", "r11", "xmm7", "memory");
		if (out != in)
			strange++;
		__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int64_t latest;

static void *
watch_clock(void *unused)
{
	int64_t before, now;

	(void)unused;
	while (!over) {
		before = __atomic_load_n(&latest, __ATOMIC_SEQ_CST);
		now = now_ns();
		if (now < before)
			strange++;
		while (before < now &&
		    !__atomic_compare_exchange_n(&latest, &before, now, false,
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
	return NULL;
}

/* ---- many short lives ---- */

static void *
live_shortly(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *
breed(void *unused)
{
	pthread_t t;

	(void)unused;
	while (!over) {
		if (pthread_create(&t, NULL, live_shortly, NULL) != 0 ||
		    pthread_join(t, NULL) != 0)
			strange++;
	}
	return NULL;
}

/* Sleeps of moments, so that timers and wake-ups cross processors. */
static void *
doze(void *unused)
{
	struct timespec ts = { 0, 50000 };

	(void)unused;
	while (!over) {
		if (nanosleep(&ts, NULL) != 0)
			strange++;
		__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int
main(void)
{
	struct {
		const char *what;
		void *(*fn)(void *);
	} parts[] = {
		{ "wander", wander },
		{ "compute", compute },
		{ "hold registers", hold_registers },
		{ "watch the clock", watch_clock },
		{ "breed", breed },
		{ "doze", doze },
	};

	run(add, NTHREADS, 0);
	CHECK_RET(count, NTHREADS * 200000);
	run(add_locked, NTHREADS, 0);
	CHECK_RET(guarded, NTHREADS * 1500);
	ball[0] = 1;
	run(player, 2, 0);
	CHECK(ball[0] == 1 && ball[1] == 0);
	pthread_barrier_init(&barrier, NULL, NTHREADS);
	run(meet, NTHREADS, 0);
	CHECK_RET(strange, 0);
	signals_to_running();
	move_others();
	CHECK_RET(strange, 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		count = strange = 0;
		run(parts[i].fn, NTHREADS, STRETCH);
		check_note("%s: %lu rounds", parts[i].what, count);
		CHECK_RET(strange, 0);
	}
	return check_done();
}
