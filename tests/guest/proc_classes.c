/* SPDX-License-Identifier: ISC */
/*
 * proc_classes.c - scheduling classes do what they say: who has priority runs
 * first, equals take turns, the idle class waits.  All on one processor; told
 * by the order of events and by processor time, not by the clock.
 */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static struct shared {
	volatile int ready, go, order, first[4];
	volatile int64_t cpu_ns[4];
} * s;

static int64_t
my_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static bool
become(int policy, int priority)
{
	struct sched_param p = { .sched_priority = priority };

	return syscall(SYS_sched_setscheduler, 0, policy, &p) == 0;
}

static void
one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK_RET(sched_setaffinity(0, sizeof(set), &set), 0);
}

/* A process of that class that uses `ns` of the processor, then says so. */
static pid_t
worker(int which, int policy, int priority, int64_t ns)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (policy >= 0 && !become(policy, priority))
		_exit(1);
	__atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST);
	while (!s->go)
		usleep(1000);
	while (my_cpu_ns() < ns)
		s->cpu_ns[which] = my_cpu_ns();
	s->first[which] = __atomic_add_fetch(&s->order, 1, __ATOMIC_SEQ_CST);
	_exit(0);
}

static void
begin(int n)
{
	while (s->ready != n)
		usleep(1000);
	s->go = 1;
}

static void
end(int n)
{
	int status;

	while (n-- > 0)
		CHECK(wait(&status) > 0 && status == 0);
	memset((void *)s, 0, sizeof(*s));
}

static void
priority_goes_first(void)
{
	worker(0, SCHED_FIFO, 10, 150000000);
	worker(1, SCHED_FIFO, 30, 150000000);
	worker(2, SCHED_FIFO, 20, 150000000);
	begin(3);
	while (s->order != 3)
		usleep(1000);
	CHECK_RET(s->first[1], 1);
	CHECK_RET(s->first[2], 2);
	CHECK_RET(s->first[0], 3);
	end(3);
}

static void
others_wait(void)
{
	worker(0, -1, 0, 60000000);
	worker(1, SCHED_FIFO, 5, 200000000);
	worker(2, SCHED_IDLE, 0, 60000000);
	begin(3);
	while (s->order != 3)
		usleep(1000);
	CHECK_RET(s->first[1], 1);
	CHECK_RET(s->first[0], 2);
	CHECK_RET(s->first[2], 3);
	end(3);
}

static void
equals_take_turns(void)
{
	int64_t other = 0;

	worker(0, SCHED_RR, 5, 400000000);
	worker(1, SCHED_RR, 5, 400000000);
	begin(2);
	while (s->order == 0)
		usleep(1000);
	other = s->cpu_ns[s->first[0] != 0 ? 1 : 0];
	CHECK(other > 100000000);
	end(2);
}

static void
nice_shares(void)
{
	pid_t pid = worker(0, -1, 0, 300000000);

	setpriority(PRIO_PROCESS, pid, 19);
	worker(1, -1, 0, 300000000);
	begin(2);
	while (s->order == 0)
		usleep(1000);
	CHECK_RET(s->first[1], 1);
	end(2);
}

static void
told_back(void)
{
	struct sched_param p;

	CHECK(become(SCHED_RR, 7));
	CHECK_RET(syscall(SYS_sched_getscheduler, 0), SCHED_RR);
	CHECK_RET(syscall(SYS_sched_getparam, 0, &p), 0);
	CHECK_RET(p.sched_priority, 7);
	CHECK(become(SCHED_BATCH, 0));
	CHECK_RET(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
	p.sched_priority = 1;
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p), EINVAL);
	p.sched_priority = 0;
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p), EINVAL);
	CHECK(become(SCHED_OTHER, 0));
}

int
main(void)
{
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(s != MAP_FAILED);
	if (!become(SCHED_FIFO, 90)) {
		check_note("no privilege for real-time classes here");
		CHECK_ERR(become(SCHED_FIFO, 90) ? 0 : -1, EPERM);
		return check_done();
	}
	become(SCHED_OTHER, 0);
	told_back();
	one_processor();
	/* So that the observer gets in between. */
	REQUIRE(become(SCHED_FIFO, 90));
	become(SCHED_FIFO | SCHED_RESET_ON_FORK, 90);
	priority_goes_first();
	others_wait();
	equals_take_turns();
	nice_shares();
	return check_done();
}
