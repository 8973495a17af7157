/* SPDX-License-Identifier: ISC */
/*
 * sched.h - what thread.c, sched.c and smp.c tell each other, and the rules.
 *
 * Each processor has a run queue with a spin lock, taken with interrupts off.
 * t->cpu says which queue's lock t is under; it changes only while the locks
 * of both the old and the new queue are held, so whoever has locked the queue
 * that t->cpu still names has t's scheduling state to himself:
 *
 *   state     RUNNABLE, SLEEPING: set to SLEEPING by t itself without the lock
 *             (wait_prepare), looked at under it by who wakes and by
 *             sched_sleep(), so no wake-up falls between
 *   queued    on the queue's lists, or in the hands of who is moving it
 *   listed    on the lists, so that others may take it off: not so while it is
 *             in somebody's hands, which no lock tells
 *   current   the processor runs it (struct percpu)
 *
 * A waker that finds t queued or current only makes it RUNNABLE: t finds that
 * out itself.  Else it puts it on a queue.
 *
 * A processor keeps its queue locked from the choice of the next thread until
 * that thread runs on its own stack (sched_switched), so what is found on a
 * locked queue has left its last stack, and may be taken elsewhere.
 *
 * Lock order: any spin lock of the kernel, then one run queue.  A second one
 * is only tried, or taken in the order of processors (steal).  Below run
 * queues: the timers' lock.
 *
 * A processor that finds nothing to run sets its bit in the mask of idle ones,
 * then looks at all queues once more, then halts.  Who queues a thread where
 * it must wait looks at the mask afterwards, and pokes an idle processor; for a
 * near thread (sched.c) the timer does, unless its turn has come by then.
 */
#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include "kern/types.h"

struct percpu;
struct thread;
struct vmspace;

/* The rest of a switch, on the new thread's stack. */
void sched_switched(void);
/* Makes t's processor look at its flags soon, if it runs now. */
void sched_kick(struct thread *t);
/* Loads an address space on this processor; interrupts off. */
void sched_load_vmspace(struct vmspace *vm);
void thread_register(struct thread *t);

/*
 * A queue and an idle thread for another processor; returns the top of the
 * idle thread's stack, 0: out of memory.
 */
uint64_t sched_add_cpu(struct percpu *pc);
/* On that stack, GS set: the processor takes part from now on. */
void sched_begin_other(void);

/*
 * Wakes t as thread_wake() does, but interrupts no processor: those that must
 * be are returned, for sched_poke(), with no preemption in between.  Interrupts
 * are off.
 */
struct thread;
uint64_t thread_wake_quietly(struct thread *t);
void sched_poke(uint64_t cpus);

#endif
