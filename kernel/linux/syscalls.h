/* SPDX-License-Identifier: ISC */
/*
 * syscalls.h - every system call's handler, grouped by the file it lives in.
 * A handler takes its arguments as Linux declares them, pointers as uaddr_t,
 * and returns a value or a negative errno.  The one table is in syscalls.c.
 */
#ifndef LINUX_SYSCALLS_H
#define LINUX_SYSCALLS_H

#include "kern/types.h"

typedef long
    syscall_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

/*
 * One row of the table.  `args` has a letter an argument, for the trace:
 * d int, u unsigned, x hexadecimal, p pointer, s string, o octal mode,
 * f descriptor (AT_FDCWD by name), O open flags (the mode that follows is shown
 * with O_CREAT only), P mmap protection, M mmap flags, b buffer read (length in
 * the next argument), B buffer filled (result is the length), C string filled,
 * S signal, H how of sigprocmask, m signal set, a sigaction, A access mode,
 * T AT_* flags, w whence, i ioctl, F fcntl command, k clock, t timespec,
 * U futex operation, R resource, I interval timer, v argv, e environment,
 * V vector of buffers (their number in the next argument), G arch_prctl code.
 */
struct syscall_row {
	const char *name; /* NULL: unknown number */
	syscall_fn *fn;   /* NULL: known by name only, answers ENOSYS */
	const char *args;
};

/* By number; NULL when out of range. */
const struct syscall_row *syscall_row(uint64_t nr);

/* user_ops.syscall: calls the handler and stores its answer. */
struct trapframe;
void syscall_dispatch(struct trapframe *tf);
/* The same with a trace line; linux/trace.c, chosen at boot. */
void syscall_dispatch_traced(struct trapframe *tf);
/* Calls the handler and returns its answer. */
long syscall_call(struct trapframe *tf);

#endif
