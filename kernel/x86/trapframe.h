/* SPDX-License-Identifier: ISC */
/*
 * trapframe.h - the registers of who was interrupted, as the entry stubs leave
 * them at the top of the kernel stack.  The part behind `trapno` is Linux's
 * struct pt_regs.
 */
#ifndef X86_TRAPFRAME_H
#define X86_TRAPFRAME_H

#include "kern/types.h"

struct trapframe {
	uint64_t pad;    /* keeps the stack on 16 bytes */
	uint64_t trapno; /* vector; TRAPNO_SYSCALL */
	uint64_t error;  /* the processor's error code */
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax; /* system call number, else ~0 */
	uint64_t rip, cs, rflags, rsp, ss;
};

#define TRAPNO_SYSCALL 0x100

static inline bool
tf_from_user(const struct trapframe *tf)
{
	return (tf->cs & 3) == 3;
}

/* Of the running program thread: at the top of its kernel stack. */
struct trapframe *tf_of_thread(void);
struct thread;
struct trapframe *tf_of(struct thread *t);

#endif
