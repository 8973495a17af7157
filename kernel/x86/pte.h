/* SPDX-License-Identifier: ISC */
/*
 * pte.h - page tables.  Intel SDM vol. 3, 4.5.
 *
 * A page table root (PML4) shares its upper half with the kernel's.  Callers
 * serialise changes to one root's lower half.
 */
#ifndef X86_PTE_H
#define X86_PTE_H

#include "kern/types.h"

struct page;

#define PTE_P    0x001ul
#define PTE_W    0x002ul
#define PTE_U    0x004ul
#define PTE_PWT  0x008ul
#define PTE_PCD  0x010ul
#define PTE_A    0x020ul
#define PTE_D    0x040ul
#define PTE_PS   0x080ul
#define PTE_G    0x100ul
#define PTE_SW0  0x200ul /* software: free for kern/vm */
#define PTE_SW1  0x400ul
#define PTE_NX   (1ul << 63)
#define PTE_ADDR 0x000ffffffffff000ul

/* A new root with the kernel's upper half, or 0: out of memory. */
paddr_t pt_create(void);
/* Frees the tables of the lower half and the root; leaf frames are not its. */
void pt_destroy(paddr_t root);

/*
 * The slot of the 4 KiB entry for va, its tables made at need if `make`.
 * NULL: not there, or out of memory.
 */
uint64_t *pt_slot(paddr_t root, uaddr_t va, bool make);
/*
 * The next address at or after va, below end, whose page-table page exists,
 * so that sparse ranges are walked quickly; `end` if there is none.
 */
uaddr_t pt_next(paddr_t root, uaddr_t va, uaddr_t end);
/*
 * Takes out page-table pages that lie wholly inside [start, end), where
 * nothing is mapped any more.  Processors may still remember the way through
 * them: pt_free() comes after they were told.
 */
struct pt_freed {
	struct page *first; /* linked by priv */
};
void pt_prune(paddr_t root, uaddr_t start, uaddr_t end, struct pt_freed *freed);
void pt_free(struct pt_freed *freed);

/* Loads a root on this processor. */
void pt_load(paddr_t root);
/*
 * Forgets translations of the current address space on this processor: one
 * page, or all.
 */
void tlb_flush_page(uaddr_t va);
void tlb_flush_all(void);

/* The kernel's own upper half. */
paddr_t pt_kernel_root(void);
/* Maps size bytes at va in the kernel's half; -ENOMEM. */
int pt_map_kernel(uint64_t va, paddr_t pa, uint64_t size, uint64_t flags);
/* Every processor has forgotten it afterwards. */
void pt_unmap_kernel(uint64_t va, uint64_t size);
/* The frame behind a mapped address of the kernel's half; NULL: none. */
struct page *pt_kernel_page(uint64_t va);
/* The NX bit if the processor has it, else 0. */
uint64_t pt_nx(void);

#endif
