/* SPDX-License-Identifier: ISC */
/*
 * vm_impl.h - what the files of kern/vm_*.c share; nobody else includes it.
 *
 * Locks, outermost first:
 *   vmspace.lock   sleep lock: the tree of mappings; who holds it may rely on
 *                  page-table pages staying where they are
 *   vm_object.lock spin lock: its list of mappings, and the bounds of those
 *   vmspace.pt_lock spin lock: page-table entries and resident counts
 * vm_object_unmap() takes only the two spin locks, so that a truncation needs
 * no address space's sleep lock.
 */
#ifndef KERN_VM_IMPL_H
#define KERN_VM_IMPL_H

#include "kern/mutex.h"
#include "kern/vm.h"
#include "x86/pte.h"
#include <bsd/sys/tree.h>
#include <linux/errno.h>

/*
 * Page-table entries of programs.  0: nothing.  Not present but not 0: a frame
 * whose mapping forbids all access.  Bits 9 and 10 say whose the frame is:
 */
#define PTE_PRIVATE PTE_SW0 /* this mapping's own copy: anonymous memory */
#define PTE_FOREIGN PTE_SW1 /* not counted: the zero page, VM_FRAMES */

struct vm_mapping {
	RB_ENTRY(vm_mapping) node;
	TAILQ_ENTRY(vm_mapping) object_link; /* object's lock */
	struct vmspace *vm;                  /* [I] */
	uaddr_t start, end; /* to change under both locks, if an object */
	uint64_t hole;      /* bytes free below (less a stack's guard) */
	uint64_t max_hole;  /* largest of the subtree */
	struct vm_object *object;
	uint64_t offset;  /* in the object; VM_FRAMES: physical address */
	const char *name; /* [I] or NULL */
	unsigned flags;
};
RB_HEAD(vm_tree, vm_mapping);

struct vmspace {
	uint32_t refs;
	uint64_t
	    loaded; /* atomic: processors that have it loaded, a bit each */
	struct mutex lock;
	struct vm_tree tree;
	struct vm_mapping *last; /* found last, or NULL */
	unsigned nmappings;
	unsigned future; /* VM_LOCKED...: added to new mappings */
	uint64_t total, data, stack, text, locked; /* pages */
	struct vm_layout layout;
	paddr_t root;
	struct spinlock pt_lock;
	uint64_t res_private, res_object; /* pages, under pt_lock */
	uint64_t peak;                    /* of their sum */
	struct vm_rider *rider;           /* atomic; NULL: none */
};

/* vm_tree.c: the tree alone; the caller holds vm->lock. */
/* The first mapping that ends above addr, or NULL. */
struct vm_mapping *vm_tree_find(struct vmspace *vm, uaddr_t addr);
struct vm_mapping *vm_tree_next(struct vm_mapping *m);
struct vm_mapping *vm_tree_prev(struct vm_mapping *m);
struct vm_mapping *vm_tree_last(struct vmspace *vm);
void vm_tree_insert(struct vmspace *vm, struct vm_mapping *m);
void vm_tree_remove(struct vmspace *vm, struct vm_mapping *m);
/* After a change of m's bounds or of its VM_GROWSDOWN. */
void vm_tree_resized(struct vmspace *vm, struct vm_mapping *m);
/* The highest free [*out, *out + size) inside [low, high); -ENOMEM. */
int vm_tree_room(struct vmspace *vm, uint64_t size, uaddr_t low, uaddr_t high,
    uaddr_t *out);

/* vm_map.c, vm_edit.c: mappings; the caller holds vm->lock. */
/* A copy that is entered nowhere, with its own reference; NULL: no memory. */
struct vm_mapping *vm_mapping_dup(const struct vm_mapping *m);
/* Frees what is entered nowhere. */
void vm_mapping_free(struct vm_mapping *m);
/* Enters a filled mapping: tree, object's list, counts. */
void vm_mapping_enter(struct vmspace *vm, struct vm_mapping *m);
/* The opposite; drops the object's reference and frees m. */
void vm_mapping_drop(struct vmspace *vm, struct vm_mapping *m);
void vm_mapping_resize(struct vmspace *vm, struct vm_mapping *m, uaddr_t start,
    uaddr_t end);
void
vm_mapping_set_flags(struct vmspace *vm, struct vm_mapping *m, unsigned flags);
/*
 * Lets a neighbour grow over a mapping that is not entered yet, whose place is
 * free; false: none is like it.
 */
bool vm_mapping_extend(struct vmspace *vm, const struct vm_mapping *m);
/* Joins m with equal neighbours; returns what m became part of. */
struct vm_mapping *vm_mapping_merge(struct vmspace *vm, struct vm_mapping *m);
/* Splits m at `at`; m keeps the lower part.  -ENOMEM */
int vm_mapping_split(struct vmspace *vm, struct vm_mapping *m, uaddr_t at);
int vm_unmap_locked(struct vmspace *vm, uaddr_t start, uaddr_t end);
int vm_place(struct vmspace *vm, uint64_t size, uaddr_t *out);
/* -ENOMEM when `pages` more with these flags break a limit; -EAGAIN locked. */
int vm_may_grow(struct vmspace *vm, uint64_t pages, unsigned flags);
bool vm_range_ok(uaddr_t start, uint64_t size);

static inline bool
vm_is_stack(unsigned flags)
{
	return (flags & (VM_GROWSDOWN | VM_SHARED)) == VM_GROWSDOWN;
}
static inline bool
vm_is_data(unsigned flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}
static inline bool
vm_is_text(unsigned flags)
{
	return (flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC;
}
static inline uint64_t
vm_index(const struct vm_mapping *m, uaddr_t va)
{
	return (m->offset + (va - m->start)) >> PAGE_SHIFT;
}

/* vm_pt.c: page tables.  Context: vm->lock held, except where said. */
/* The entry that maps pa for a mapping with these flags. */
uint64_t vm_pte(paddr_t pa, unsigned flags, uint64_t owner, bool writable);
/* Zap all, or only what is an object's (0), of [start, end). */
#define ZAP_OBJECT  1u
#define ZAP_PRIVATE 2u
#define ZAP_ALL     3u
/* True if there were page tables, though perhaps without entries. */
bool vm_zap(struct vmspace *vm, uaddr_t start, uaddr_t end, unsigned what);
/* Frees page tables below a hole around [start, end). */
void vm_prune(struct vmspace *vm, uaddr_t start, uaddr_t end);
/* Entries follow a changed protection. */
void vm_reprotect(struct vmspace *vm, const struct vm_mapping *m, uaddr_t start,
    uaddr_t end);
/* Moves entries; -ENOMEM: nothing was moved. */
int
vm_move_entries(struct vmspace *vm, uaddr_t from, uaddr_t to, uint64_t size);
/* Shares entries of m's private frames with child, read-only in both. */
int vm_share_entries(struct vmspace *vm, const struct vm_mapping *m,
    struct vmspace *child);
/*
 * Forgets translations of [start, end) on every processor that has vm loaded.
 * The one place where processors are told.
 */
void vm_tlb_flush(struct vmspace *vm, uaddr_t start, uaddr_t end);
static inline void
vm_count_resident(struct vmspace *vm, uint64_t pte, int64_t n)
{
	if ((pte & PTE_PRIVATE) != 0)
		vm->res_private += n;
	else if ((pte & PTE_FOREIGN) == 0)
		vm->res_object += n;
}
static inline void
vm_count_peak(struct vmspace *vm)
{
	uint64_t sum = vm->res_private + vm->res_object;

	if (sum > vm->peak)
		vm->peak = sum;
}

/* vm_fault.c */
/* Is the private entry's frame nobody else's?  pt_lock held. */
bool vm_frame_is_own(uint64_t pte);
/* Like vm_fault(), vm->lock held; force: for a debugger. */
struct vm_failure {
	int signo, code;
};
int vm_fault_locked(struct vmspace *vm, uaddr_t addr, unsigned access,
    bool force, struct vm_failure *why);
/* Faults in what of [start, end) is mapped with access; -ENOMEM, -EFAULT. */
int
vm_populate_locked(struct vmspace *vm, uaddr_t start, uaddr_t end, bool write);

/* vm_image.c: frames that lie in the kernel's image. */
paddr_t vm_zero_frame(void);      /* a page of zeros that nobody writes */
void *vm_foreign_kva(paddr_t pa); /* where a PTE_FOREIGN frame is seen */

#endif
