/* SPDX-License-Identifier: ISC */
/*
 * trace.h - remora.trace=syscalls: each system call on the console, written as
 * strace writes it.  Costs nothing while it is off but a test where a task
 * ends or takes a signal.
 */
#ifndef LINUX_TRACE_H
#define LINUX_TRACE_H

#include "linux/signal.h"

/* Chosen once, before the first program. */
void trace_start(void);
bool trace_is_on(void);

/* "+++ exited with 7 +++", "--- SIGSEGV {si_signo=SIGSEGV, ...} ---". */
void trace_exited(struct task *t, int wait_status);
void trace_signal(struct task *t, const siginfo_t *info);

/* The name of an errno value, and its text; "?" for unknown ones. */
const char *errno_name(int number);
const char *errno_text(int number);

#endif
