/* SPDX-License-Identifier: ISC */
/*
 * syscalls.h - every system call's handler, grouped by the file it lives in.
 * A handler takes its arguments as Linux declares them, pointers as uaddr_t,
 * and returns a value or a negative errno.  The one table is in syscalls.c.
 */
#ifndef LINUX_SYSCALLS_H
#define LINUX_SYSCALLS_H

#include "kern/types.h"

typedef long syscall_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
    uint64_t);

/*
 * One row of the table.  `args` has a letter an argument, for the trace:
 * d int, u unsigned, x hexadecimal, p pointer, s string, o octal mode,
 * f descriptor (AT_FDCWD by name), O open flags, P mmap protection,
 * M mmap flags, b buffer (length in the next argument), S signal.
 */
struct syscall_row {
	const char *name; /* NULL: unknown number */
	syscall_fn *fn;	  /* NULL: known by name only, answers ENOSYS */
	const char *args;
};

/* By number; NULL when out of range. */
const struct syscall_row *syscall_row(uint64_t nr);

/* syscalls.c: dispatch; registered as user_ops.syscall. */
struct trapframe;
void syscall_dispatch(struct trapframe *tf);

#endif
