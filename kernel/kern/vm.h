/* SPDX-License-Identifier: ISC */
/*
 * vm.h - address spaces of programs: mappings, demand paging, copy-on-write.
 *
 * A vmspace is a sorted set of mappings of vm_objects (files, shared memory)
 * or of nothing (private anonymous memory).  Frames are found at the fault.
 * Locking: one sleep lock a vmspace, taken inside; objects have their own,
 * below it.
 */
#ifndef KERN_VM_H
#define KERN_VM_H

#include "kern/page.h"
#include "kern/spinlock.h"
#include "kern/types.h"

#define VM_READ	  0x01u /* as PROT_READ ... */
#define VM_WRITE  0x02u
#define VM_EXEC	  0x04u
#define VM_SHARED 0x08u
#define VM_GROWSDOWN 0x10u /* a stack: grows to its limit when touched */
#define VM_FIXED  0x20u /* map exactly there, replacing what is there */
#define VM_NOREPLACE 0x40u /* with VM_FIXED: -EEXIST instead of replacing */
#define VM_MAYWRITE 0x80u /* mprotect may allow writing (shared files) */
#define VM_POPULATE 0x100u /* fault in at once */
#define VM_DONTCOPY 0x200u /* not inherited by fork */

/*
 * Something that has pages: a file, shared memory.  Embedded in its owner.
 */
struct vm_object;
struct vm_object_ops {
	/*
	 * The frame of page `index`, with a reference for the caller.  `write`:
	 * it will be written through a shared mapping.  May sleep.
	 *   -ENXIO  beyond the end: SIGBUS;  -EIO, -ENOMEM
	 */
	int (*get_page)(struct vm_object *o, uint64_t index, bool write,
	    struct page **out);
	/* The last reference is gone. */
	void (*release)(struct vm_object *o);
	/* For /proc/PID/maps: path into buf; device and inode number. */
	void (*describe)(struct vm_object *o, char *buf, size_t size,
	    uint64_t *dev, uint64_t *ino);
};

struct vm_mapping;
struct vm_object {
	const struct vm_object_ops *ops;
	uint32_t refs; /* atomic */
	struct spinlock lock;
	TAILQ_HEAD(, vm_mapping) mappings; /* under lock: who maps it */
};
void vm_object_init(struct vm_object *o, const struct vm_object_ops *ops);
void vm_object_get(struct vm_object *o);
void vm_object_put(struct vm_object *o);
/*
 * Takes pages [first, last] of o out of every address space that maps them
 * (truncation): the next touch asks the object again.  Private copies stay
 * unless `all`.
 */
void vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last,
    bool all);

struct vmspace;
int vmspace_create(struct vmspace **out); /* -ENOMEM; one reference */
int vmspace_fork(struct vmspace *parent, struct vmspace **out);
void vmspace_get(struct vmspace *vm);
void vmspace_put(struct vmspace *vm);
void vmspace_activate(struct vmspace *vm); /* loads its page tables */

/*
 * Maps [*addr, *addr + size) (pages).  *addr is a hint, or fixed; returns the
 * place.  `object` NULL: anonymous; else its pages from `offset` bytes on; a
 * reference is taken.
 *   -ENOMEM, -EINVAL, -EEXIST
 */
int vm_map(struct vmspace *vm, uaddr_t *addr, uint64_t size, unsigned flags,
    struct vm_object *object, uint64_t offset);
int vm_unmap(struct vmspace *vm, uaddr_t addr, uint64_t size);
int vm_protect(struct vmspace *vm, uaddr_t addr, uint64_t size, unsigned prot);

/*
 * Resolves a fault at addr.  access: VM_READ, VM_WRITE or VM_EXEC.
 * 0, or -EFAULT with *signo (SIGSEGV, SIGBUS) and *code filled, or -ENOMEM
 * with SIGKILL's number in *signo.  May sleep.
 */
int vm_fault(struct vmspace *vm, uaddr_t addr, unsigned access, int *signo,
    int *code);

/* brk(2)'s area, set by exec; stack bounds and limits as exec sets them. */
struct vm_layout {
	uaddr_t brk_start, brk;
	uaddr_t mmap_top;   /* mappings without a hint go below */
	uaddr_t stack_top;  /* one past the last byte */
	uint64_t stack_max; /* RLIMIT_STACK */
	uint64_t data_max, as_max;
	uaddr_t arg_start, arg_end, env_start, env_end; /* /proc/PID/cmdline */
	uaddr_t vdso;
};
struct vm_layout *vmspace_layout(struct vmspace *vm);

/* Copies from and to another process's memory (ptrace, /proc/PID/mem). */
size_t vm_peek(struct vmspace *vm, uaddr_t addr, void *buf, size_t len);
size_t vm_poke(struct vmspace *vm, uaddr_t addr, const void *buf, size_t len);

/* For /proc: totals in pages, and each mapping in order. */
struct vm_counts {
	uint64_t size, resident, resident_file, shared, text, data, stack, peak;
};
void vmspace_counts(struct vmspace *vm, struct vm_counts *c);
struct vm_info {
	uaddr_t start, end;
	unsigned flags; /* VM_* */
	uint64_t offset;
	struct vm_object *object; /* valid only during the call */
	const char *name;	  /* "[stack]", "[heap]", "[vdso]" or NULL */
	uint64_t resident;	  /* pages */
};
/* Calls fn for the first mapping that ends above `after`; false: none. */
bool vmspace_info(struct vmspace *vm, uaddr_t after, struct vm_info *info);

#endif
