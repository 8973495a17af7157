/* SPDX-License-Identifier: ISC */
/*
 * futex.h - waiting for a word of a program's memory.  futex(2).
 */
#ifndef LINUX_FUTEX_H
#define LINUX_FUTEX_H

#include "kern/types.h"

struct task;

/* Wakes up to n that wait for the caller's word, whatever their bits. */
void futex_wake_address(uaddr_t addr, int n);
/* The task ends: marks the robust locks that it holds, and wakes. */
void futex_exit_robust(struct task *t);

/* A task that has left all lists: those who wait for its PI futexes look. */
void futex_exit_pi(struct task *t);

long sys_futex(uaddr_t addr, int op, uint32_t val, uaddr_t timeout,
    uaddr_t addr2, uint32_t val3);
long sys_set_robust_list(uaddr_t head, size_t len);
long sys_get_robust_list(int32_t pid, uaddr_t head, uaddr_t len);

#endif
