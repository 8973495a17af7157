/* SPDX-License-Identifier: ISC */
/* cpu_limit.h - RLIMIT_CPU: the processor time that a process may use. */
#ifndef LINUX_CPU_LIMIT_H
#define LINUX_CPU_LIMIT_H

struct process;

/* p's limit was set or inherited: watches over it.  -ENOMEM */
int cpu_limit_watch(struct process *p);
/* p ends. */
void cpu_limit_end(struct process *p);

#endif
