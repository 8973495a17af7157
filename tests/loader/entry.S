/* SPDX-License-Identifier: ISC */
/*
 * entry.S - the loader's way in (PVH) and its two ways out, to the states of
 * Firecracker: long mode for the Linux protocol, or PVH.
 */
#define GDT		0x500
#define IDT		0x520
#define PVH_INFO	0x6000
#define ZERO_PAGE	0x7000
#define STACK		0x8ff0
#define PML4		0x9000

	.section .note.Xen, "a", @note
	.align	4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	loader_start

	.text
	.code32
	.globl	loader_start
loader_start:
	cli
	cld
	movl	$loader_stack_top, %esp
	pushl	%ebx
	call	loader_main
1:	hlt
	jmp	1b

/*
 * Loads both descriptor tables and TR.  The table holds a busy TSS, as it is
 * left behind; it must be free for the moment in which LTR looks at it.
 */
load_tables:
	movl	$0, IDT
	movl	$0, IDT + 4
	lgdt	gdt_pointer
	lidt	idt_pointer
	andb	$0xfd, GDT + 0x18 + 5
	movw	$0x18, %ax
	ltr	%ax
	xorl	%eax, %eax
	lldt	%ax
	ret

	.macro	load_segments
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	.endm

	.globl	enter_long
enter_long:
	movl	4(%esp), %ebp		/* entry; RBP's upper half is 0 */
	movl	8(%esp), %ebx		/* CR0 */
	call	load_tables
	fninit
	movl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	$PML4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	movl	$0x100, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$0x2ff, %ecx		/* MTRRs on, write-back */
	movl	$0x806, %eax
	wrmsr
	movl	%ebx, %cr0
	ljmp	$0x08, $1f

	.code64
1:	load_segments
	movl	$ZERO_PAGE, %esi
	movl	$STACK, %esp
	pushq	%rbp			/* RET goes there, RSP is STACK */
	movl	$STACK, %ebp
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%edi, %edi
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	ret

	.code32
	.globl	enter_pvh
enter_pvh:
	movl	4(%esp), %eax
	movl	8(%esp), %ebx
	movl	%eax, jump_target
	call	load_tables
	fninit
	movl	%ebx, %cr0
	xorl	%eax, %eax
	movl	%eax, %cr4
	ljmp	$0x08, $1f
1:	load_segments
	movl	$PVH_INFO, %ebx
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%esi, %esi
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	xorl	%esp, %esp
	jmp	*jump_target

	.section .rodata
gdt_pointer:
	.word	31
	.long	GDT
idt_pointer:
	.word	7
	.long	IDT

	.bss
	.align	8
jump_target:
	.skip	8
	.skip	8192
loader_stack_top:

	.section .note.GNU-stack, "", @progbits
