/* SPDX-License-Identifier: ISC */
/*
 * traced.h - a traced child and its stops, for the tests of ptrace(2).
 */
#ifndef TRACED_H
#define TRACED_H

#include "check.h"
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The call itself: C libraries take the data of some requests elsewhere. */
static inline long
pt(long what, pid_t pid, unsigned long addr, unsigned long data)
{
	return syscall(SYS_ptrace, what, pid, addr, data);
}

/* The status of the next stop, or end; -1: there is no such task. */
static inline int
next_stop(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, __WALL) != pid)
		return -1;
	return status;
}

/* A child that has itself traced, has stopped by SIGSTOP, and will call fn. */
static inline pid_t
stopped_child(void (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		pt(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		fn();
		_exit(7);
	}
	CHECK_RET(next_stop(pid), SIGSTOP << 8 | 0x7f);
	return pid;
}

#endif
