/* SPDX-License-Identifier: ISC */
/*
 * smp_times.c - processor time that is asked for on one processor while the
 * thread leaves another: no stretch is counted twice.
 */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <time.h>

#define MS     1000000ll
#define ROUNDS 30
#define BURN   (30 * MS)
#define SLEEP  (1 * MS)
/* What two clocks of one machine may differ by in such a while. */
#define SLACK (5 * MS)

static clockid_t burner_clock;
static volatile bool ready, over, left;
static unsigned back, asked;

static int64_t
now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

/* By how much does the thread's clock run ahead while it sleeps? */
static int64_t
burn_and_sleep(void)
{
	int64_t end = now(CLOCK_THREAD_CPUTIME_ID) + BURN, cpu, mono;
	struct timespec ts = { 0, SLEEP };

	while (now(CLOCK_THREAD_CPUTIME_ID) < end)
		continue;
	mono = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_THREAD_CPUTIME_ID);
	while (nanosleep(&ts, &ts) != 0)
		continue;
	cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
	mono = now(CLOCK_MONOTONIC) - mono;
	return cpu - mono;
}

static void *
burner(void *arg)
{
	int64_t most = INT64_MIN, more;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		more = burn_and_sleep();
		most = more > most ? more : most;
	}
	check_note("%lld us ahead at most", (long long)(most / 1000));
	CHECK(most < SLACK);
	over = true;
	while (!left) /* until then its clock is there */
		sched_yield();
	return arg;
}

/* Asks all the time, so that the answers fall into every moment. */
static void *
reader(void *arg)
{
	int64_t last = 0, t;

	while (!ready)
		sched_yield();
	while (!over) {
		t = now(burner_clock);
		back += t < last;
		last = t;
		asked++;
	}
	left = true;
	return arg;
}

int
main(void)
{
	pthread_t r, b;

	REQUIRE(pthread_create(&r, NULL, reader, NULL) == 0);
	REQUIRE(pthread_create(&b, NULL, burner, NULL) == 0);
	REQUIRE(pthread_getcpuclockid(b, &burner_clock) == 0);
	ready = true;
	CHECK_RET(pthread_join(b, NULL), 0);
	CHECK_RET(pthread_join(r, NULL), 0);
	CHECK_RET(back, 0);
	CHECK(asked > 0);
	return check_done();
}
