/* SPDX-License-Identifier: ISC */
/*
 * smp_forks.c - processes on several processors: storms of forks, pipes
 * between them, signals to and fro, moves from one processor to the other,
 * programs that start programs, orphans.
 */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STRETCH 1000 /* ms that a part takes */
#define NSTORM  6

/* Runs fn in n processes at once; how many ended otherwise than with 0. */
static int
in_processes(int n, int (*fn)(int64_t end))
{
	int64_t end = check_now_ms() + STRETCH;
	int i, status, bad = 0;

	for (i = 0; i < n; i++)
		if (fork() == 0)
			_exit(fn(end));
	for (i = 0; i < n; i++)
		if (wait(&status) < 0 || status != 0)
			bad++;
	return bad;
}

static uint64_t *total;

static int
storm(int64_t end)
{
	int status, i;
	pid_t pid;

	for (i = 0; check_now_ms() < end; i++) {
		pid = fork();
		if (pid == 0)
			_exit(i & 0x7f);
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != (i & 0x7f))
			return 1;
		__atomic_add_fetch(total, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static int
pipes(int64_t end)
{
	int to[2], from[2], status;
	uint32_t ball = 0, back;
	pid_t pid;

	if (pipe(to) != 0 || pipe(from) != 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		close(to[1]);
		while (read(to[0], &back, 4) == 4)
			if (write(from[1], &back, 4) != 4)
				_exit(1);
		_exit(0);
	}
	close(to[0]);
	for (; check_now_ms() < end; ball++) {
		if (write(to[1], &ball, 4) != 4 ||
		    read(from[0], &back, 4) != 4 || back != ball)
			return 1;
		__atomic_add_fetch(total, 1, __ATOMIC_RELAXED);
	}
	close(to[1]);
	return waitpid(pid, &status, 0) != pid || status != 0;
}

/* A child that runs is killed. */
static int
kills(int64_t end)
{
	int status;
	pid_t pid;

	while (check_now_ms() < end) {
		pid = fork();
		if (pid == 0)
			for (;;)
				__asm__ volatile("pause");
		if (pid < 0)
			return 1;
		if (check_now_ms() & 1)
			sched_yield();
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			return 1;
		__atomic_add_fetch(total, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static volatile sig_atomic_t answered;

static void
on_signal(int sig)
{
	(void)sig;
	answered = 1;
}

/* Two processes wake each other by signals. */
static int
signals(int64_t end)
{
	sigset_t set, old;
	int status;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGUSR1, on_signal);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			while (!answered)
				sigsuspend(&old);
			answered = 0;
			kill(getppid(), SIGUSR1);
		}
	}
	while (check_now_ms() < end) {
		kill(pid, SIGUSR1);
		while (!answered)
			sigsuspend(&old);
		answered = 0;
		__atomic_add_fetch(total, 1, __ATOMIC_RELAXED);
	}
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) != pid;
}

static void *
nothing(void *arg)
{
	return arg;
}

/* Whole processes end while their threads run. */
static int
ends_with_threads(int64_t end)
{
	pthread_t t;
	int status, i;
	pid_t pid;

	while (check_now_ms() < end) {
		pid = fork();
		if (pid == 0) {
			for (i = 0; i < 4; i++)
				if (pthread_create(&t, NULL, nothing, NULL) !=
				    0)
					_exit(9);
			_exit(3);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != 3)
			return 1;
		__atomic_add_fetch(total, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

/* Numbers come and go in one process; another, which stays, is found. */
static int
looks(int64_t end)
{
	int status = 0, i;
	pid_t pid = fork();

	if (pid == 0) {
		while (check_now_ms() < end)
			for (i = 0; i < 100; i++)
				if (kill(getppid(), 0) != 0)
					_exit(9);
		_exit(0);
	}
	if (pid < 0 || storm(end) != 0)
		return 1;
	return waitpid(pid, &status, 0) != pid || status != 0;
}

/* A child that runs is sent from one processor to the other, then killed. */
static int
moves(int64_t end)
{
	int status, i, n = sysconf(_SC_NPROCESSORS_ONLN);
	struct sched_param none = { 0 };
	cpu_set_t set;
	pid_t pid;

	while (check_now_ms() < end) {
		pid = fork();
		if (pid == 0)
			for (;;)
				sched_yield();
		if (pid < 0)
			return 1;
		for (i = 0; i < 200; i++) {
			CPU_ZERO(&set);
			CPU_SET(i % n, &set);
			if (sched_setaffinity(pid, sizeof(set), &set) != 0 ||
			    /* musl's function is a refusal */
			    syscall(SYS_sched_setscheduler, pid,
				i & 1 ? SCHED_BATCH : SCHED_OTHER, &none) != 0)
				return 1;
		}
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			return 1;
		__atomic_add_fetch(total, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

/* Programs that start programs; found by their own number. */
static int
executes(int64_t end)
{
	char *argv[] = { "/proc/self/exe", "leaf", NULL };
	int status;
	pid_t pid;

	while (check_now_ms() < end) {
		pid = vfork();
		if (pid == 0) {
			execv(argv[0], argv);
			_exit(9);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != 42)
			return 1;
		__atomic_add_fetch(total, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct {
		const char *what;
		int (*fn)(int64_t end);
	} parts[] = {
		{ "forks", storm },
		{ "pipes", pipes },
		{ "kills", kills },
		{ "moves", moves },
		{ "signals", signals },
		{ "threads", ends_with_threads },
		{ "numbers", looks },
		{ "programs", executes },
	};
	size_t i;

	(void)argv;
	if (argc > 1)
		_exit(42);
	total = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(total != MAP_FAILED);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		*total = 0;
		CHECK_RET(in_processes(NSTORM, parts[i].fn), 0);
		check_note("%s: %lu", parts[i].what, *total);
	}
	return check_done();
}
