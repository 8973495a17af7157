/* SPDX-License-Identifier: ISC */
/*
 * floor.S - a kernel that prints the time stamp counter at its entry point,
 * "floor=N", and ends the machine: what QEMU and its firmware need alone.
 */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18		/* PVH's 32-bit entry point */
	.asciz "Xen"
	.long _start

	.code32
	.text
	.globl _start
_start:
	nopl 0x52656d6f(%eax,%eax) /* a mark for count.c */
	rdtsc			/* below 2^32: the first four seconds */
	movl $stack, %esp
	movl %eax, %ebx
	movl $text, %esi
	movl $6, %ecx
	movw $0x3f8, %dx
	rep outsb
	movl %ebx, %eax
	movl $10, %ebx
	xorl %ecx, %ecx
1:	xorl %edx, %edx
	divl %ebx
	pushl %edx
	incl %ecx
	testl %eax, %eax
	jnz 1b
	movw $0x3f8, %dx
2:	popl %eax
	addb $'0', %al
	outb %al, %dx
	loop 2b
	movb $'\n', %al
	outb %al, %dx
	movw $0x501, %dx
	outb %al, %dx
3:	hlt
	jmp 3b
	.section .rodata
text:	.ascii "floor="
	.bss
	.skip 256
stack:
	.section .note.GNU-stack, "", @progbits
