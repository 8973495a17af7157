/* SPDX-License-Identifier: ISC */
/* sched.h - what thread.c and sched.c tell each other. */
#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include "kern/types.h"

struct thread;
struct vmspace;

/* The rest of a switch, on the new thread's stack. */
void sched_switched(void);
/* Makes t's processor look at its flags soon, if it runs now. */
void sched_kick(struct thread *t);
/* Loads an address space on this processor; preemption off. */
void sched_load_vmspace(struct vmspace *vm);
void thread_register(struct thread *t);

#endif
