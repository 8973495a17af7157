/* SPDX-License-Identifier: ISC */
/*
 * layout.h - the kernel's half of the address space.  Used by C and assembly.
 */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

#ifdef __ASSEMBLER__
#define UL(x) x
#else
#define UL(x) x##ul
#endif

#ifdef REMORA_HOST /* unit tests put a fake memory there */
#define KVA_DIRECT  UL(0x300000000000)
#define KVA_VMEMMAP UL(0x200000000000)
#else
#define KVA_DIRECT  UL(0xffff800000000000) /* all memory, write-back, NX */
#define KVA_VMEMMAP UL(0xffffe00000000000) /* struct page of each frame */
#endif
#define KVA_MAPPED      UL(0xffffc00000000000) /* stacks and device registers */
#define KVA_MAPPED_SIZE UL(0x1000000000)
#define KVA_IMAGE       UL(0xffffffff80000000) /* the kernel, at its p_paddr */

/* Programs live below; the last page stays empty (SYSRET and non-canonical). */
#define USER_END UL(0x00007ffffffff000)

/* GDT selectors, Linux's: programs see theirs; SYSCALL fixes the order. */
#define SEL_KCODE 0x10
#define SEL_KDATA 0x18
#define SEL_UDATA (0x28 | 3)
#define SEL_UCODE (0x30 | 3)
#define SEL_TSS   0x40

#endif
