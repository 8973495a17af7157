/* SPDX-License-Identifier: ISC */
/* rusage.h - what a process used: struct rusage for wait4 and getrusage. */
#ifndef LINUX_RUSAGE_H
#define LINUX_RUSAGE_H

#include "kern/types.h"
#include <linux/resource.h>

struct process;

/* Of p's tasks, ended ones included; `children`: and its reaped children's. */
void rusage_of_process(struct process *p, bool children, struct rusage *out);

long sys_getrusage(int who, uaddr_t usage);
long sys_times(uaddr_t buf);

#endif
