/* SPDX-License-Identifier: ISC */
/*
 * debugreg.h - the processor's breakpoints, which a debugger may set in a
 * thread of a program.  Intel SDM vol. 3, 17.2.
 *
 * A thread's registers are loaded while it runs.  Who changes them sees to it
 * that the thread does not run; it loads them itself afterwards.
 */
#ifndef X86_DEBUGREG_H
#define X86_DEBUGREG_H

#include "kern/types.h"

#define DEBUG_SLOTS 4

#define DR6_SLOTS 0xful    /* whose condition was met */
#define DR6_BS    0x4000ul /* a single step */

struct debug_regs {
	uint64_t addr[DEBUG_SLOTS]; /* each below USER_END */
	uint64_t status;            /* of the last debug exception, as DR6 */
	uint64_t control;           /* as DR7; checked: debugreg_check() */
};

struct thread;

/* Bits of DR7 that programs may set; all others are left out silently. */
uint64_t debugreg_control(uint64_t wanted);
/* May it be loaded?  -EINVAL */
int debugreg_check(const struct debug_regs *d);
/* t's registers, made if there are none yet.  -ENOMEM: NULL */
struct debug_regs *debugreg_of(struct thread *t);
/* The caller's were changed. */
void debugreg_load_self(void);
/* The caller has none any more. */
void debugreg_drop_self(void);
/* A thread that does not run: its memory. */
void debugreg_free(struct thread *t);

/* One of both has such registers; interrupts are off. */
void debugreg_switch(const struct thread *next);
/*
 * A debug exception of the running program: DR6's bits, forgotten there and
 * kept in the thread's registers; *before: the instruction has not run yet.
 * Interrupts are off.
 */
uint64_t debugreg_take(bool *before);

#endif
