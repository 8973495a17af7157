/* SPDX-License-Identifier: ISC */
/* sys_time.h - the system calls of sys_time.c and sys_sched.c. */
#ifndef LINUX_SYS_TIME_H
#define LINUX_SYS_TIME_H

#include "kern/types.h"

long sys_clock_gettime(int clock, uaddr_t ts);
long sys_clock_getres(int clock, uaddr_t ts);
long sys_clock_settime(int clock, uaddr_t ts);
long sys_clock_nanosleep(int clock, int flags, uaddr_t req, uaddr_t rem);
long sys_nanosleep(uaddr_t req, uaddr_t rem);
long sys_gettimeofday(uaddr_t tv, uaddr_t tz);
long sys_settimeofday(uaddr_t tv, uaddr_t tz);
long sys_time(uaddr_t t);
long sys_adjtimex(uaddr_t buf);
long sys_clock_adjtime(int clock, uaddr_t buf);

long sys_sched_yield(void);
long sys_sched_setaffinity(int32_t pid, unsigned len, uaddr_t mask);
long sys_sched_getaffinity(int32_t pid, unsigned len, uaddr_t mask);
long sys_sched_setscheduler(int32_t pid, int policy, uaddr_t param);
long sys_sched_getscheduler(int32_t pid);
long sys_sched_setparam(int32_t pid, uaddr_t param);
long sys_sched_getparam(int32_t pid, uaddr_t param);
long sys_sched_setattr(int32_t pid, uaddr_t attr, unsigned flags);
long
sys_sched_getattr(int32_t pid, uaddr_t attr, unsigned size, unsigned flags);
long sys_sched_get_priority_max(int policy);
long sys_sched_get_priority_min(int policy);
long sys_sched_rr_get_interval(int32_t pid, uaddr_t ts);
long sys_getpriority(int which, int who);
long sys_setpriority(int which, int who, int nice);
long sys_ioprio_get(int which, int who);
long sys_ioprio_set(int which, int who, int ioprio);
long sys_getcpu(uaddr_t cpu, uaddr_t node);

#endif
