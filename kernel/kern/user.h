/* SPDX-License-Identifier: ISC */
/*
 * user.h - where programs enter the kernel, and who is called: the processor's
 * floor calls the personality through one table that it registers at boot.
 */
#ifndef KERN_USER_H
#define KERN_USER_H

#include "kern/types.h"
#include "x86/trapframe.h"

struct user_ops {
	/*
	 * System call: number in tf->orig_rax, arguments as Linux passes them
	 * (rdi rsi rdx r10 r8 r9).  Sets tf->rax.  Interrupts are on.
	 */
	void (*syscall)(struct trapframe *tf);
	/*
	 * A fault of the program that the address space could not resolve, or
	 * another exception: becomes a signal.  addr is CR2 for page faults.
	 * code is a siginfo code (SEGV_MAPERR...) for signal signo.
	 */
	void (*fault)(struct trapframe *tf, int signo, int code, uaddr_t addr);
	/*
	 * Called before a return to the program while thread->interrupted:
	 * delivers signals.  May sleep, or not return.  Interrupts are on.
	 */
	void (*work)(struct trapframe *tf);
	/*
	 * A program's memory cannot be had: true: try again.  `for_long`: the
	 * caller holds no lock and may sleep for others to end.
	 */
	bool (*out_of_memory)(bool for_long);
};
void user_set_ops(const struct user_ops *ops);
/* Another way in for system calls, from the next one on. */
void user_set_syscall(void (*syscall)(struct trapframe *tf));

/*
 * Resolves a page fault of a program, or of the kernel on a program's memory:
 * vm_fault() of the address space, set by kern/vm.c.
 */

/* Enters the program with these registers; does not return.  Own stack. */
void user_enter(const struct trapframe *tf) __noreturn;

#endif
