/* SPDX-License-Identifier: ISC */
/*
 * entry.S - how the machine comes in: PVH (32-bit) and the 64-bit Linux boot
 * protocol.  Both load the kernel's own tables and call boot_entry().
 */
#include "x86/layout.h"

#define PA(x) ((x) - KVA_IMAGE)

#define CR0_BOOT 0x80010033	/* PG WP NE ET MP PE */
#define CR4_BOOT 0x000006a0	/* PAE PGE OSFXSR OSXMMEXCPT */
#define MSR_EFER 0xc0000080
#define EFER_SCE_LME 0x101
#define EFER_NXE 0x800

#define BOOT_PVH 1			/* enum boot_entry */
#define BOOT_LINUX64 2

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18			/* PHYS32_ENTRY: xen/elfnote.h */
	.asciz "Xen"
	.long PA(entry_pvh)

	.section .note.Remora, "a", @note
	.balign 4
	.long 7, 4, 1			/* this kernel knows remora.* */
	.asciz "Remora"
	.balign 4
	.long 1

/*
 * Maps 1 GiB of memory at 0 (until the kernel runs high) and at KVA_DIRECT, in
 * large pages, and the image at KVA_IMAGE.  Runs in 32 and in 64 bits, where
 * memory is mapped to itself; uses EAX, ECX, EDI.
 */
#define SLOT(va) ((((va) >> 39) & 511) * 8)
#define TABLE(x) (PA(x) + 3)			/* present, writable */
.macro MAKE_TABLES
	xorl %eax, %eax
	movl $PA(boot_tables), %edi
	movl $(6 * 1024), %ecx
	rep stosl
	movl $TABLE(boot_pdpt_direct), PA(boot_pml4)
	movl $TABLE(boot_pdpt_direct), PA(boot_pml4) + SLOT(KVA_DIRECT)
	movl $TABLE(boot_pdpt_mapped), PA(boot_pml4) + SLOT(KVA_MAPPED)
	movl $TABLE(boot_pdpt_vmemmap), PA(boot_pml4) + SLOT(KVA_VMEMMAP)
	movl $TABLE(boot_pdpt_image), PA(boot_pml4) + SLOT(KVA_IMAGE)
	movl $TABLE(boot_pd_direct), PA(boot_pdpt_direct)
	movl $TABLE(boot_pd_image), PA(boot_pdpt_image) + 510 * 8
	movl $0x000083, PA(boot_pd_image)	/* large */
	movl $0x200083, PA(boot_pd_image) + 8
	movl $0x183, %eax			/* large, global */
	movl $PA(boot_pd_direct), %edi
771:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $0x200000, %eax
	addl $8, %edi
	cmpl $0x40000000, %eax
	jb 771b
.endm

	.section .text.boot, "ax"
	.code32
	.globl entry_pvh
entry_pvh:				/* EBX: struct hvm_start_info */
	cli
	cld
	movl %ebx, %esi
	rdtsc
	movl %eax, PA(boot_tsc)
	movl %edx, PA(boot_tsc) + 4
	movl $BOOT_PVH, %ebp
	lgdt PA(boot_gdt_pointer)
	MAKE_TABLES
	movl $CR4_BOOT, %eax
	movl %eax, %cr4
	movl $PA(boot_pml4), %eax
	movl %eax, %cr3
	movl $0x80000001, %eax		/* has it NX? */
	cpuid
	movl $EFER_SCE_LME, %eax
	btl $20, %edx
	jnc 1f
	orl $EFER_NXE, %eax
1:	xorl %edx, %edx
	movl $MSR_EFER, %ecx
	wrmsr
	movl $CR0_BOOT, %eax
	movl %eax, %cr0
	ljmpl $SEL_KCODE, $PA(entry_long)

	.code64
	.globl entry_linux64
entry_linux64:				/* RSI: struct boot_params */
	cli
	cld
	rdtsc
	movl %eax, PA(boot_tsc)
	movl %edx, PA(boot_tsc) + 4
	movl $BOOT_LINUX64, %ebp
	lgdt PA(boot_gdt_pointer)
	MAKE_TABLES
	movl $CR4_BOOT, %eax
	movq %rax, %cr4
	movl $0x80000001, %eax
	cpuid
	movl %edx, %edi
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_SCE_LME, %eax
	btl $20, %edi
	jnc 1f
	orl $EFER_NXE, %eax
1:	wrmsr
	movl $PA(boot_pml4), %eax
	movq %rax, %cr3
	movl $CR0_BOOT, %eax
	movq %rax, %cr0
	movq $PA(boot_stack_top), %rsp
	pushq $SEL_KCODE
	pushq $PA(entry_long)
	lretq

entry_long:				/* EBP: which way, RSI: its structure */
	movq $1f, %rax
	jmp *%rax
1:	movl $SEL_KDATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	lldt %ax
	movl %esi, %esi
	movq $kernel_bss, %rdi
	movq $kernel_bss_end, %rcx
	subq %rdi, %rcx
	shrq $3, %rcx
	rep stosq
	lgdt boot_gdt_pointer_high
	movq $boot_stack_top, %rsp
	movl %ebp, %edi
	xorl %ebp, %ebp
	pushq $0			/* ends a backtrace */
	call boot_entry
	ud2

	.section .rodata, "a"
	.balign 8
boot_gdt:
	.quad 0, 0
	.quad 0x00af9b000000ffff	/* SEL_KCODE */
	.quad 0x00cf93000000ffff	/* SEL_KDATA */
boot_gdt_pointer:			/* in long mode eight bytes count */
	.word 31
	.quad PA(boot_gdt)
boot_gdt_pointer_high:
	.word 31
	.quad boot_gdt

	.section .data, "aw"
	.balign 8
	.globl boot_tsc
boot_tsc:
	.quad 0

/*
 * The first page tables, see MAKE_TABLES.  pte.c refines them.  They are
 * cleared there, not with the rest of what begins as zeros.
 */
	.section .zero.tables, "aw", @nobits
	.balign 4096
	.globl boot_pml4, boot_pdpt_direct, boot_pd_direct, boot_pd_image
boot_tables:
boot_pml4:
	.skip 4096
boot_pdpt_direct:
	.skip 4096
boot_pdpt_image:
	.skip 4096
boot_pd_image:
	.skip 4096
boot_pdpt_mapped:
	.skip 4096
boot_pdpt_vmemmap:
	.skip 4096
boot_pd_direct:
	.skip 4096

	.section .zero.page, "aw", @nobits
	.balign 4096
	.globl boot_stack, boot_stack_top
boot_stack:
	.skip 16384			/* KSTACK_SIZE */
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
