/* SPDX-License-Identifier: ISC */
/*
 * debuggee.c - a process that waits some calls deep, and gdb to look at it:
 * tests/cases/debuggers.py says what gdb must tell.
 */
#include "check.h"
#include <sys/wait.h>

static __attribute__((noinline)) void
inner(int n)
{
	if (n == 0)
		pause();
	else
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
		    "-ex", "bt", "-ex", "info registers rax", "-ex", "detach",
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
