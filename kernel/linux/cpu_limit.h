/* SPDX-License-Identifier: ISC */
/*
 * cpu_limit.h - RLIMIT_CPU: the processor time that a process may use;
 * RLIMIT_RTTIME: that of its real-time tasks without sleeping.
 */
#ifndef LINUX_CPU_LIMIT_H
#define LINUX_CPU_LIMIT_H

struct process;

/* p is new. */
void cpu_limit_init(struct process *p);
/* p's limit was set or inherited: watches over it.  -ENOMEM */
int cpu_limit_watch(struct process *p);
/* Its other limit was set, or it has one more real-time task.  Any context. */
void cpu_limit_watch_rt(struct process *p);
/* p ends. */
void cpu_limit_end(struct process *p);

#endif
