/* SPDX-License-Identifier: ISC */
/* sys_signal.h - the system calls of sys_signal.c, as Linux declares them. */
#ifndef LINUX_SYS_SIGNAL_H
#define LINUX_SYS_SIGNAL_H

#include "kern/types.h"

long sys_rt_sigaction(int signo, uaddr_t act, uaddr_t old, size_t size);
long sys_rt_sigprocmask(int how, uaddr_t set, uaddr_t old, size_t size);
long sys_rt_sigpending(uaddr_t set, size_t size);
long sys_rt_sigsuspend(uaddr_t mask, size_t size);
long
sys_rt_sigtimedwait(uaddr_t set, uaddr_t info, uaddr_t timeout, size_t size);
long sys_rt_sigqueueinfo(int32_t pid, int signo, uaddr_t info);
long sys_rt_tgsigqueueinfo(int32_t pid, int32_t tid, int signo, uaddr_t info);
long sys_kill(int32_t pid, int signo);
long sys_tkill(int32_t tid, int signo);
long sys_tgkill(int32_t pid, int32_t tid, int signo);
long sys_sigaltstack(uaddr_t ss, uaddr_t old);
long sys_pause(void);
long sys_restart_syscall(void);

/* signalfd.c */
struct waitq;
/* A process's queue of signals ends: no descriptor looks at it any more. */
void signalfd_forget(struct waitq *wq);
long sys_signalfd(int fd, uaddr_t mask, uint64_t size);
long sys_signalfd4(int fd, uaddr_t mask, uint64_t size, unsigned flags);

#endif
