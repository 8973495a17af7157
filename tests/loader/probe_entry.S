/* SPDX-License-Identifier: ISC */
/*
 * probe_entry.S - where the probe is entered: stores the state, untouched,
 * as struct probe_regs of probe.c.  Runs at its own address, 1 MiB.
 */
	.text
	.code64
	.globl	probe_start
probe_start:
	movq	%rsi, regs + 0
	movq	%rsp, regs + 8
	movq	%rbp, regs + 16
	orq	%rbx, %rax		/* all others must be zero */
	orq	%rcx, %rax
	orq	%rdx, %rax
	orq	%rdi, %rax
	orq	%r8, %rax
	orq	%r9, %rax
	orq	%r10, %rax
	orq	%r11, %rax
	orq	%r12, %rax
	orq	%r13, %rax
	orq	%r14, %rax
	orq	%r15, %rax
	movq	%rax, regs + 120
	pushfq
	popq	%rax
	andl	$~0xd5, %eax		/* arithmetic flags are our own doing */
	movq	%rax, regs + 24
	movq	%cr0, %rax
	movq	%rax, regs + 32
	movq	%cr3, %rax
	movq	%rax, regs + 40
	movq	%cr4, %rax
	movq	%rax, regs + 48
	movl	$0xc0000080, %ecx
	rdmsr
	movl	%eax, regs + 56
	movw	%cs, regs + 64
	movw	%ds, regs + 72
	movw	%es, regs + 80
	movw	%ss, regs + 88
	movw	%fs, regs + 96
	movw	%gs, regs + 104
	str	%eax
	movq	%rax, regs + 112
	sgdt	regs + 128
	sidt	regs + 138
	movl	$stack_top, %esp
	movl	$regs, %edi
	call	probe_main

	.bss
	.align	16
regs:	.skip	160
	.skip	4096
stack_top:

	.section .note.GNU-stack, "", @progbits
