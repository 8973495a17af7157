/* SPDX-License-Identifier: ISC */
/*
 * smp.h - several processors: started, interrupted, asked, stopped.
 *
 * A program that has the boot processor for itself needs no other.  So they
 * are started when that is no longer so: when a thread is preempted on its way
 * to the program, when the boot processor is idle, or when somebody asks how
 * many there are; but not before the first program runs.
 *
 * Lock order: cpu_call() may be used with spin locks held, as those who wait
 * for a spin lock serve calls meanwhile; what is called takes none.
 */
#ifndef X86_SMP_H
#define X86_SMP_H

#include "kern/types.h"
#include "x86/cpu.h"

struct trapframe;

/*
 * Boot: find() fills ids[0 .. max) with the numbers of the local APICs that the
 * host's tables name, returns how many, 0: no tables.  It may sleep and is
 * called later, once.
 */
void smp_init(unsigned (*find)(uint32_t *ids, unsigned max));
/*
 * The first program is about to begin: the others may be started.  Earlier they
 * would take from the boot, as hosts with few processors give to all in turn.
 */
void smp_allow(void);
/*
 * Others may be started, and are not; atomic.  What it means for whoever sees
 * it: threads that are free to sleep start them at once with smp_start(), the
 * idle thread leaves it to another one with smp_idle().
 */
extern bool smp_waits;
void smp_start(void);
void smp_idle(void);

/*
 * Runs fn(arg) on the processors of `cpus` that are online, but not on the
 * caller's, and returns when all are through.  fn runs with interrupts off and
 * takes no locks.  Context: any, preemption off.
 */
void cpu_call(uint64_t cpus, void (*fn)(void *arg), void *arg);
/* Runs what others wait for; for loops that wait with interrupts off. */
void cpu_serve(void);
/* Makes processor `cpu` look at its run queue and its thread's flags. */
void cpu_poke(unsigned cpu);
/* How often that was so, of a processor that may not be there yet. */
uint64_t smp_pokes(unsigned cpu);

/* The others stop at their next moment with interrupts on: for a power-off. */
void smp_stop_others(void);
/*
 * For a panic: the others stop at once; with `tell` each prints who called
 * whom first.  smp_stop_if_asked() is the receiving end.
 */
void smp_stop_others_now(bool tell);
void smp_stop_if_asked(const struct trapframe *tf);

#endif
