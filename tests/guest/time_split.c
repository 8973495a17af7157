/* SPDX-License-Identifier: ISC */
/*
 * time_split.c - processor time in the program and in the kernel, and the
 * limit on it.
 */
#include "check.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

static int64_t
us(struct timeval tv)
{
	return tv.tv_sec * 1000000ll + tv.tv_usec;
}

static int64_t
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000ll + ts.tv_nsec / 1000;
}

static void
spin(int64_t until_us)
{
	volatile int x = 0;
	int i;

	while (cpu_us() < until_us)
		for (i = 0; i < 100000; i++)
			x = x + i;
}

static void
call(int64_t until_us)
{
	static char buf[1 << 20];
	int fd = open("/dev/zero", O_RDONLY), i;

	while (cpu_us() < until_us)
		for (i = 0; i < 10; i++)
			if (read(fd, buf, sizeof(buf)) != sizeof(buf))
				_exit(1);
	close(fd);
}

/* A child's time, as wait4(2) tells it. */
static struct rusage
child(void (*fn)(int64_t), int64_t until_us)
{
	struct rusage ru = { 0 };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		fn(until_us);
		_exit(0);
	}
	CHECK_RET(wait4(pid, &status, 0, &ru), pid);
	CHECK_RET(status, 0);
	return ru;
}

/*
 * Is most of the time where fn spends it?  A machine that is itself kept from
 * running may see it elsewhere now and then: some tries.
 */
static bool
mostly(void (*fn)(int64_t), bool in_program)
{
	struct rusage ru;
	int64_t user, kernel;
	int i;

	for (i = 0; i < 8; i++) {
		ru = child(fn, 200000);
		user = us(ru.ru_utime);
		kernel = us(ru.ru_stime);
		if (user + kernel < 200000)
			return false;
		if (in_program ? user > 2 * kernel : kernel > 2 * user)
			return true;
	}
	return false;
}

static void
divided(void)
{
	CHECK(mostly(spin, true));
	CHECK(mostly(call, false));
}

static void
never_back(void)
{
	struct rusage before, now;
	int i;

	getrusage(RUSAGE_SELF, &before);
	for (i = 0; i < 20; i++) {
		if (i % 2 == 0)
			spin(cpu_us() + 10000);
		else
			call(cpu_us() + 10000);
		getrusage(RUSAGE_SELF, &now);
		if (us(now.ru_utime) < us(before.ru_utime) ||
		    us(now.ru_stime) < us(before.ru_stime))
			break;
		before = now;
	}
	CHECK_RET(i, 20);
}

static volatile int signals;

static void
on_limit(int sig)
{
	(void)sig;
	signals++;
}

static void
limited(void)
{
	struct rlimit l = { 1, 2 };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_CPU, &l);
		spin(INT64_MAX);
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status & 0x7f, SIGXCPU);
	/* Inherited; the soft one is a warning, the hard one is not. */
	pid = fork();
	if (pid == 0) {
		signal(SIGXCPU, on_limit);
		setrlimit(RLIMIT_CPU, &l);
		pid = fork();
		if (pid == 0) {
			while (signals == 0)
				spin(cpu_us() + 10000);
			spin(INT64_MAX);
		}
		_exit(waitpid(pid, &status, 0) != pid || status != SIGKILL);
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
}

int
main(void)
{
	divided();
	never_back();
	limited();
	return check_done();
}
