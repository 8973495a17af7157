/* SPDX-License-Identifier: ISC */
/*
 * debuggee.c - a process that waits some calls deep, and gdb to look at it and
 * to watch a variable by the processor's breakpoints:
 * tests/cases/debuggers.py says what gdb must tell.
 */
#include "check.h"
#include <sys/wait.h>

static volatile int woken;

static void
on_signal(int sig)
{
	(void)sig;
}

static __attribute__((noinline)) void
inner(int n)
{
	while (n == 0) {
		pause();
		woken++;
	}
	if (n > 0)
		inner(n - 1);
	__asm__ volatile("" ::"r"(n));
}

static int
debug(pid_t pid, int ready)
{
	char number[16], c;
	int status = 0;
	pid_t gdb;

	if (read(ready, &c, 1) != 1)
		return 1;
	snprintf(number, sizeof(number), "%d", pid);
	gdb = fork();
	if (gdb == 0) {
		execl("/usr/bin/gdb", "gdb", "-nx", "-batch", "-p", number,
		    "-ex", "bt", "-ex", "info registers rax", "-ex",
		    "watch woken", "-ex", "signal SIGUSR1", "-ex", "detach",
		    NULL);
		_exit(127);
	}
	waitpid(gdb, &status, 0);
	check_note("gdb ended with %d", status);
	return status;
}

int
main(void)
{
	int ready[2], status, error;
	pid_t pid;

	if (pipe(ready) != 0 || (pid = fork()) < 0)
		return 2;
	if (pid == 0) {
		signal(SIGUSR1, on_signal);
		if (write(ready[1], "x", 1) == 1)
			inner(3);
		_exit(0);
	}
	error = debug(pid, ready[0]);
	kill(pid, SIGTERM);
	/* Detached, and as it was before. */
	if (waitpid(pid, &status, 0) != pid || status != SIGTERM)
		error = 1;
	return error != 0;
}
