/* SPDX-License-Identifier: ISC */
/*
 * itimer.h - a process's timers that end in signals: setitimer(2), alarm(2),
 * timer_create(2).
 */
#ifndef LINUX_ITIMER_H
#define LINUX_ITIMER_H

#include "kern/types.h"
#include "linux/signal.h"

struct itimers; /* made when a process first sets one */

/* The process ends: none fires any more.  May sleep. */
void itimers_destroy(struct itimers *its);
/* exec(2): timer_create()'s are deleted, setitimer()'s go on.  May sleep. */
void itimers_exec(struct process *p);
/*
 * A signal is about to be handled: if a timer sent it, the timer is armed
 * anew and info gets its overruns.  No lock held.
 */
void posix_timer_signal_taken(siginfo_t *info);

long sys_setitimer(int which, uaddr_t value, uaddr_t old);
long sys_getitimer(int which, uaddr_t value);
long sys_alarm(unsigned seconds);
long sys_timer_create(int clockid, uaddr_t event, uaddr_t id);
long sys_timer_settime(int id, int flags, uaddr_t value, uaddr_t old);
long sys_timer_gettime(int id, uaddr_t value);
long sys_timer_getoverrun(int id);
long sys_timer_delete(int id);

#endif
