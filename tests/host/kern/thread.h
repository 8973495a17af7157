/* SPDX-License-Identifier: ISC */
/* thread.h - stands in for kernel/kern/thread.h in tests with threads. */
#ifndef KERN_THREAD_H
#define KERN_THREAD_H

#include "kern/spinlock.h"
#include "kern/types.h"

struct thread;

/* As in the kernel; the thread ends when fn returns, nobody waits for it. */
int thread_create(const char *name, void (*fn)(void *), void *arg,
    struct thread **out);
void thread_start(struct thread *t);

#endif
