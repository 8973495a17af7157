/* SPDX-License-Identifier: ISC */
/*
 * trap_entry.S - the ways into the kernel from a program or an interrupt, and
 * back, and the switch between two threads.
 *
 * Every way in builds a struct trapframe.  GS is the program's outside and
 * struct percpu's inside; SWAPGS is done where the privilege changes.
 */
#include "x86/layout.h"

/* struct percpu, struct thread, struct trapframe: asserted in trap.c. */
#define PC_CURRENT 0x08
#define PC_KSTACK 0x10
#define PC_USER_RSP 0x18
#define PC_RESCHED 0x24
#define TH_INTERRUPTED 0x08
#define TF_CS (20 * 8)

#define MSR_GS_BASE 0xc0000101

/* Three bytes that become CLAC or STAC where the processor has SMAP. */
#define PATCH(kind)			\
771:	.byte 0x0f, 0x1f, 0x00;		\
	.pushsection .patches, "a";	\
	.quad 771b;			\
	.quad kind;			\
	.popsection
#define CLAC PATCH(0)
#define STAC PATCH(1)

	.text
/*
 * Exceptions and interrupts: each vector has a stub of 16 bytes that pushes
 * an error code if the processor did not, and the vector.
 */
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || \
	    (vector == 17) || (vector == 21) || (vector == 29) || \
	    (vector == 30)
	.else
	pushq $0
	.endif
	pushq $vector
	.if (vector == 2) || (vector == 8) || (vector == 18)
	jmp trap_paranoid
	.elseif vector == 1
	jmp trap_debug
	.else
	jmp trap_common
	.endif
	.set vector, vector + 1
	.endr

/* The frame's registers below rdi, which is the one nearest to orig_rax. */
.macro PUSH_REGS_BUT_RDI
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

.macro POP_REGS
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
.endm

trap_common:
	cld
	testb $3, 24(%rsp)		/* cs: from a program? */
	jz 1f
	swapgs
1:
trap_swapped:
	CLAC
	xchgq %rdi, (%rsp)		/* rdi: vector; slot: rdi */
	PUSH_REGS_BUT_RDI
	movq 15*8(%rsp), %rax		/* the error code ... */
	pushq %rax
	movq $-1, 16*8(%rsp)		/* ... where orig_rax belongs */
	pushq %rdi
	pushq $0
	movq %rsp, %rdi
	call trap
trap_return:
	testb $3, TF_CS(%rsp)
	jz trap_restore
	movq %rsp, %rdi
	call trap_user_return		/* interrupts are off afterwards */
	swapgs
trap_restore:
	addq $24, %rsp
	POP_REGS
	addq $8, %rsp
	.globl trap_iretq
trap_iretq:
	iretq

/*
 * Debug exceptions have a stack of their own: what MOV SS put off may strike
 * at syscall_entry, where stack and GS are the program's.  Those of programs
 * go on as all others do; in the kernel it was a program's breakpoint on its
 * memory, which counts for the program's own accesses only.
 */
trap_debug:
	testb $3, 24(%rsp)
	jz 1f
	cld
	swapgs
	pushq %rdi
	movq %rsp, %rdi
	movq %gs:PC_KSTACK, %rsp
	pushq 56(%rdi)			/* ss rsp rflags cs rip error vector */
	pushq 48(%rdi)
	pushq 40(%rdi)
	pushq 32(%rdi)
	pushq 24(%rdi)
	pushq 16(%rdi)
	pushq 8(%rdi)
	movq (%rdi), %rdi
	jmp trap_swapped
1:	pushq %rax
	xorl %eax, %eax
	movq %rax, %db6
	popq %rax
	addq $16, %rsp
	iretq

/* Vectors that may strike between the privilege change and SWAPGS. */
trap_paranoid:
	cld
	CLAC
	xchgq %rdi, (%rsp)
	PUSH_REGS_BUT_RDI
	movq 15*8(%rsp), %rax
	pushq %rax
	movq $-1, 16*8(%rsp)
	pushq %rdi
	pushq $0
	movl $MSR_GS_BASE, %ecx
	rdmsr
	xorl %ebx, %ebx
	testl %edx, %edx
	js 1f				/* already the kernel's */
	swapgs
	incl %ebx
1:	movq %rsp, %rdi
	call trap
	testl %ebx, %ebx
	jz trap_restore
	swapgs
	jmp trap_restore

/*
 * SYSCALL: rcx holds the program's rip, r11 its rflags; the mask closed
 * interrupts and cleared AC, DF, TF.
 */
	.balign 64
	.globl syscall_entry
syscall_entry:
	swapgs
	movq %rsp, %gs:PC_USER_RSP
	movq %gs:PC_KSTACK, %rsp
	pushq $SEL_UDATA
	pushq %gs:PC_USER_RSP
	pushq %r11
	pushq $SEL_UCODE
	pushq %rcx
	pushq %rax			/* orig_rax */
	pushq %rdi
	PUSH_REGS_BUT_RDI
	xorl %ebp, %ebp
	pushq $0
	pushq $0x100			/* TRAPNO_SYSCALL */
	pushq $0
	sti
	movq %rsp, %rdi
	call *user_syscall(%rip)
	cli
	movq %gs:PC_CURRENT, %rax
	cmpb $0, TH_INTERRUPTED(%rax)
	jne trap_return
	cmpl $0, %gs:PC_RESCHED
	jne trap_return
	/* SYSRET restores rip from rcx and rflags from r11: only if they are. */
	movq 14*8(%rsp), %rcx
	cmpq %rcx, 19*8(%rsp)
	jne trap_return
	movq 9*8(%rsp), %r11
	cmpq %r11, 21*8(%rsp)
	jne trap_return
	testl $0x10100, %r11d		/* RF, TF */
	jnz trap_return
	movabsq $USER_END, %rax
	cmpq %rax, %rcx			/* canonical, else #GP in the kernel */
	jae trap_return
	addq $24, %rsp
	POP_REGS
	movq 32(%rsp), %rsp		/* orig_rax rip cs rflags rsp */
	swapgs
	sysretq

/* void user_enter_frame(struct trapframe *tf at the top of the stack) */
	.globl user_enter_frame
user_enter_frame:
	movq %rdi, %rsp
	cli
	jmp trap_return

/*
 * void switch_context(uint64_t *save_sp, uint64_t load_sp)
 * A new thread's stack holds zeros for the registers and thread_begin.
 */
	.globl switch_context
switch_context:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret

/*
 * void registers_capture(struct trapframe *tf): the caller's, as they will be
 * when this returns.
 */
	.globl registers_capture
registers_capture:
	movq %r15, 24(%rdi)
	movq %r14, 32(%rdi)
	movq %r13, 40(%rdi)
	movq %r12, 48(%rdi)
	movq %rbp, 56(%rdi)
	movq %rbx, 64(%rdi)
	movq %r11, 72(%rdi)
	movq %r10, 80(%rdi)
	movq %r9, 88(%rdi)
	movq %r8, 96(%rdi)
	movq %rax, 104(%rdi)
	movq %rcx, 112(%rdi)
	movq %rdx, 120(%rdi)
	movq %rsi, 128(%rdi)
	movq %rdi, 136(%rdi)
	movq (%rsp), %rax
	movq %rax, 152(%rdi)		/* rip */
	movq $SEL_KCODE, 160(%rdi)
	pushfq
	popq 168(%rdi)
	leaq 8(%rsp), %rax
	movq %rax, 176(%rdi)		/* rsp */
	movq $SEL_KDATA, 184(%rdi)
	movq 104(%rdi), %rax
	ret

	.globl thread_begin
thread_begin:
	xorl %ebp, %ebp
	pushq $0
	call thread_main
	ud2

	.section .note.GNU-stack, "", @progbits
