/* SPDX-License-Identifier: ISC */
/*
 * trampoline.S - where another processor begins: in real mode at the start of
 * a page below 1 MiB, into which smp.c copies this and writes what stands at
 * its end (struct trampoline).
 */
#include "x86/layout.h"

#define CR0_BOOT 0x80010033	/* PG WP NE ET MP PE */
#define MSR_EFER 0xc0000080

#define AT(x) ((x) - trampoline)

	.section .rodata, "a"
	.balign 16
	.globl trampoline, trampoline_data, trampoline_end
	.code16
trampoline:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl AT(trampoline_gdtr)
	movl AT(trampoline_cr4), %eax
	movl %eax, %cr4
	movl AT(trampoline_cr3), %eax
	movl %eax, %cr3
	movl AT(trampoline_efer), %eax
	xorl %edx, %edx
	movl $MSR_EFER, %ecx
	wrmsr
	movl $CR0_BOOT, %eax
	movl %eax, %cr0			/* long mode, on the identity map */
	ljmpl *AT(trampoline_far)

	.code64
	.globl trampoline_long
trampoline_long:
	movl $SEL_KDATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	lldt %ax
	xchgq %rax, trampoline_stack(%rip)	/* it is for one of us */
	testq %rax, %rax
	jz 1f
	movq %rax, %rsp
	movq trampoline_arg(%rip), %rdi
	movq trampoline_entry(%rip), %rax
	xorl %ebp, %ebp
	pushq $0			/* ends a backtrace */
	jmp *%rax
1:	cli
	hlt
	jmp 1b

	.balign 8
trampoline_data:
trampoline_stack:
	.quad 0
trampoline_entry:
	.quad 0
trampoline_arg:
	.quad 0
	.quad 0				/* the GDT */
	.quad 0
	.quad 0x00af9b000000ffff	/* SEL_KCODE */
	.quad 0x00cf93000000ffff	/* SEL_KDATA */
trampoline_cr3:
	.long 0
trampoline_cr4:
	.long 0
trampoline_efer:
	.long 0
trampoline_far:
	.long 0
	.word SEL_KCODE
trampoline_gdtr:
	.word 31
	.long 0
trampoline_end:

	.section .note.GNU-stack, "", @progbits
