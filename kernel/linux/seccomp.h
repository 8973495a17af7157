/* SPDX-License-Identifier: ISC */
/*
 * seccomp.h - what a task may still ask of the kernel: seccomp(2).
 *
 * A task's filters are a chain, newest first, that only grows and that its
 * children share.  While any task has filters, or the strict mode, system
 * calls enter through ptrace_dispatch(), which asks seccomp_allows().
 */
#ifndef LINUX_SECCOMP_H
#define LINUX_SECCOMP_H

#include "kern/types.h"
#include "linux/process.h"

struct trapframe;

/*
 * May the calling task's call be carried out?  If not, the answer stands in
 * the frame, or a signal is on its way.  Ends the task or its process where a
 * filter says so.  May sleep.
 */
bool seccomp_allows(struct trapframe *tf);
/* A new task has what the caller has, no_new_privs too; process_lock held. */
void seccomp_inherit_locked(struct task *t);
/* The task ends, or never began. */
void seccomp_release(struct task *t);
/* How many filters; any lock that keeps the task. */
unsigned seccomp_count(const struct task *t);

/* prctl(2): PR_SET_SECCOMP */
long seccomp_prctl(uint64_t mode, uaddr_t filter);
long sys_seccomp(unsigned op, unsigned flags, uaddr_t args);

#endif
