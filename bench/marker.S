/* SPDX-License-Identifier: ISC */
/*
 * marker.S - the smallest program that tells when it began: its first
 * instruction reads the time stamp counter, the rest prints it and exits.
 * Under -icount shift=0 that is the number of instructions since power-on.
 */
	.globl _start
	.text
_start:
	rdtsc
	nopl 0x52656d6f(%rax,%rax) /* a mark for count.c */
	shlq $32, %rdx
	orq %rdx, %rax
	leaq end(%rip), %rsi
	movl $10, %ecx
1:	xorl %edx, %edx
	divq %rcx
	addb $'0', %dl
	decq %rsi
	movb %dl, (%rsi)
	testq %rax, %rax
	jnz 1b
	subq $7, %rsi
	movabsq $0x3d72656b72616d, %rax	/* "marker=" */
	movl %eax, (%rsi)
	shrq $32, %rax
	movw %ax, 4(%rsi)
	movb $'=', 6(%rsi)
	leaq end+1(%rip), %rdx
	subq %rsi, %rdx
	movl $1, %edi
	movl $1, %eax		/* write */
	syscall
	xorl %edi, %edi
	movl $231, %eax		/* exit_group */
	syscall
	.data
	.skip 32
end:	.byte '\n'
	.section .note.GNU-stack, "", @progbits
