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

#define VM_READ        0x01u /* as PROT_READ ... */
#define VM_WRITE       0x02u
#define VM_EXEC        0x04u
#define VM_SHARED      0x08u
#define VM_GROWSDOWN   0x10u   /* a stack: grows to its limit when touched */
#define VM_FIXED       0x20u   /* map exactly there, replacing what is there */
#define VM_NOREPLACE   0x40u   /* with VM_FIXED: -EEXIST instead of replacing */
#define VM_MAYWRITE    0x80u   /* mprotect may allow writing (shared files) */
#define VM_POPULATE    0x100u  /* fault in at once */
#define VM_DONTCOPY    0x200u  /* not inherited by fork */
#define VM_WIPEONFORK  0x400u  /* the child finds zeros there */
#define VM_LOCKED      0x800u  /* mlock: faulted in at once, counted */
#define VM_LOCKONFAULT 0x1000u /* with VM_LOCKED: not faulted in at once */
#define VM_NORESERVE   0x2000u /* may exceed what memory there is */
#define VM_FRAMES      0x4000u /* frames of the kernel's: vm_map_frames() */
#define VM_DONTDUMP    0x8000u
#define VM_PROT        (VM_READ | VM_WRITE | VM_EXEC)

/* Linux's vm.max_map_count, and the room kept free below a stack. */
#define VM_MAX_MAPPINGS 65530u
#define VM_STACK_GUARD  (256 * PAGE_SIZE)
/* Nothing is mapped below (vm.mmap_min_addr). */
#define VM_MIN_ADDR 0x10000ul

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
	/*
	 * Optional.  Pages index .. index + n - 1 as far as they are in memory
	 * already: out[i] gets a frame with a reference, or NULL.  Returns how
	 * many it gave.  Must not sleep.
	 */
	unsigned (*peek_pages)(struct vm_object *o, uint64_t index, unsigned n,
	    struct page **out);
	/* Optional: writes dirty pages [first, last] back; may sleep. */
	int (*sync)(struct vm_object *o, uint64_t first, uint64_t last);
	/* Optional: frees the contents of [first, last] (madvise REMOVE). */
	int (*punch)(struct vm_object *o, uint64_t first, uint64_t last);
	/* The last reference is gone. */
	void (*release)(struct vm_object *o);
	/* For /proc/PID/maps: path into buf; device and inode number. */
	void (*describe)(struct vm_object *o, char *buf, size_t size,
	    uint64_t *dev, uint64_t *ino);
};

struct vm_mapping;
struct vm_object {
	const struct vm_object_ops *ops;
	uint32_t refs;  /* atomic */
	uint32_t epoch; /* atomic: vm_object_unmap() calls so far */
	struct spinlock lock;
	TAILQ_HEAD(, vm_mapping) mappings; /* under lock: who maps it */
};
void vm_object_init(struct vm_object *o, const struct vm_object_ops *ops);
void vm_object_get(struct vm_object *o);
void vm_object_put(struct vm_object *o);
/*
 * The address in the kernel's image as a physical one, for vm_map_frames().
 */
paddr_t vm_image_paddr(const void *kva);
/* A page of zeros in the kernel's image. */
const void *vm_zeros(void);
/*
 * Takes pages [first, last] of o out of every address space that maps them
 * (truncation): the next touch asks the object again.  Private copies stay
 * unless `all`.  The caller first made get_page() answer anew.
 * Takes spin locks only; needs no lock of an address space.
 */
void
vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last, bool all);

/*
 * Shared memory of no file: `size` bytes of zeros, one reference.  -ENOMEM
 */
int vm_object_anon(uint64_t size, struct vm_object **out);

/* The same for somebody, who is told of its end and asked for its name. */
struct vm_anon_owner_ops {
	void (*gone)(void *owner); /* the last reference went; may sleep */
	void (*describe)(void *owner, char *buf, size_t size, uint64_t *dev,
	    uint64_t *ino);
};
int vm_object_anon_owned(uint64_t size, const struct vm_anon_owner_ops *ops,
    void *owner, struct vm_object **out);
/* Its owner, if it was made with these; else NULL. */
void *vm_object_anon_owner(const struct vm_object *o,
    const struct vm_anon_owner_ops *ops);
/* A reference, unless the last one has gone. */
bool vm_object_get_live(struct vm_object *o);
/* How many mappings there are of it. */
uint64_t vm_object_nmappings(struct vm_object *o);

/* Does any address space map o shared and writable, or may it come to? */
bool vm_object_shared_writable(struct vm_object *o);

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
/* Errors of vm_map() beyond those: -EAGAIN (locked memory over its limit). */

/*
 * Maps frames of the kernel's own, from physical address pa on: never
 * counted, never writable by the program.  `name` is for /proc/PID/maps.
 */
int vm_map_frames(struct vmspace *vm, uaddr_t addr, uint64_t size,
    unsigned flags, paddr_t pa, const char *name);
/* Finds room for size bytes below the mapping area's top.  -ENOMEM */
int vm_find_room(struct vmspace *vm, uint64_t size, uaddr_t *out);

/* Addresses and sizes below are whole pages. */
int vm_unmap(struct vmspace *vm, uaddr_t addr, uint64_t size);
/*
 * Changes protection to `prot` (VM_PROT bits).  VM_GROWSDOWN in prot: from
 * the start of the stack mapping at addr on.
 *   -ENOMEM  a hole; what lies before it is changed
 *   -EACCES  a shared mapping that must not be written
 *   -EINVAL  VM_GROWSDOWN, and no stack there
 */
int vm_protect(struct vmspace *vm, uaddr_t addr, uint64_t size, unsigned prot);

/*
 * mremap(2): resizes or moves [addr, addr + old_size); the place comes back
 * through *out.  VM_REMAP_FIXED: to *out exactly.
 *   -EFAULT  not one mapping;  -EINVAL, -ENOMEM, -EAGAIN
 */
#define VM_REMAP_MAYMOVE   1u
#define VM_REMAP_FIXED     2u
#define VM_REMAP_DONTUNMAP 4u
int vm_remap(struct vmspace *vm, uaddr_t addr, uint64_t old_size,
    uint64_t new_size, unsigned flags, uaddr_t *out);

/* brk(2): moves the area's end if it can; the end afterwards. */
uaddr_t vm_brk(struct vmspace *vm, uaddr_t end);

/*
 * madvise(2)'s kinds that change something.
 *   -ENOMEM  a hole (the rest is done);  -EINVAL  not for this mapping
 */
enum vm_advice {
	VM_ADVISE_NOTHING, /* only looks for holes */
	VM_ADVISE_DONTNEED,
	VM_ADVISE_FREE,
	VM_ADVISE_REMOVE,
	VM_ADVISE_WILLNEED,
	VM_ADVISE_DONTFORK,
	VM_ADVISE_DOFORK,
	VM_ADVISE_WIPEONFORK,
	VM_ADVISE_KEEPONFORK,
	VM_ADVISE_DONTDUMP,
	VM_ADVISE_DODUMP,
	VM_ADVISE_POPULATE_READ,
	VM_ADVISE_POPULATE_WRITE,
};
int vm_advise(struct vmspace *vm, uaddr_t addr, uint64_t size,
    enum vm_advice advice);
/*
 * msync(2): -ENOMEM a hole, -EBUSY locked and `invalidate`, or the object's.
 */
int vm_sync(struct vmspace *vm, uaddr_t addr, uint64_t size, bool write_back,
    bool invalidate);
/*
 * mincore(2) for up to n pages from addr: vec[i] is 1 when resident.
 *   -ENOMEM  a hole
 */
int vm_resident(struct vmspace *vm, uaddr_t addr, unsigned n, uint8_t *vec);
/*
 * mlock(2) and munlock(2): `lock` is VM_LOCKED, with VM_LOCKONFAULT, or 0.
 * At most max_pages may be locked in all.
 *   -ENOMEM  over the limit, or a hole;  -EAGAIN  could not be faulted in
 */
int vm_lock(struct vmspace *vm, uaddr_t addr, uint64_t size, unsigned lock,
    uint64_t max_pages);
/* mlockall(2), munlockall(2); `future`: what later mappings get. */
int vm_lock_all(struct vmspace *vm, bool current, unsigned now, unsigned future,
    uint64_t max_pages);

/*
 * Resolves a fault at addr.  access: VM_READ, VM_WRITE or VM_EXEC.
 * 0, or -EFAULT with *signo (SIGSEGV, SIGBUS) and *code filled, or -ENOMEM
 * with SIGKILL's number in *signo.  May sleep.
 */
int vm_fault(struct vmspace *vm, uaddr_t addr, unsigned access, int *signo,
    int *code);

/*
 * Pins the n pages from addr's on for a device, which reads them or, `write`,
 * writes them: frame[i] gets each page's physical address, VM_PIN_FOREIGN set
 * where it is the kernel's own.  Brings what is not there.  Returns how many,
 * fewer than n where the rest cannot be had; may sleep.
 *   -EFAULT, -ENOMEM  not even the first
 */
#define VM_PIN_FOREIGN 1u
long vm_pin(struct vmspace *vm, uaddr_t addr, unsigned n, bool write,
    uint64_t frame[]);
/* Once the device has ended; `written` as they were pinned.  Any context. */
void vm_unpin(const uint64_t frame[], unsigned n, bool written);

/*
 * What the floor above keeps with an address space: one thing, the first that
 * is set.  `end` is called at the end of the address space, may sleep, and
 * frees it.
 */
struct vm_rider {
	void (*end)(struct vm_rider *r);
};
struct vm_rider *vmspace_rider(struct vmspace *vm); /* or NULL */
/* Returns the one that is set now. */
struct vm_rider *vmspace_set_rider(struct vmspace *vm, struct vm_rider *r);

/* brk(2)'s area, set by exec; stack bounds and limits as exec sets them. */
struct vm_layout {
	uaddr_t brk_start, brk;
	uaddr_t mmap_top;          /* mappings without a hint go below */
	uaddr_t stack_top;         /* one past the last byte */
	uint64_t stack_max;        /* RLIMIT_STACK */
	uint64_t data_max, as_max; /* RLIMIT_DATA, _AS; setrlimit sets them */
	uint64_t lock_max; /* RLIMIT_MEMLOCK, or UINT64_MAX if privileged */
	uaddr_t arg_start, arg_end, env_start, env_end; /* /proc/PID/cmdline */
	uaddr_t vdso;
	uaddr_t code_start, code_end, data_start, data_end;
	uint32_t membarrier; /* membarrier(2): commands registered */
	uaddr_t stack_start; /* first stack pointer: /proc/PID/stat */
	uint64_t auxv[44];   /* /proc/PID/auxv */
};
struct vm_layout *vmspace_layout(struct vmspace *vm);

/* Copies from and to another process's memory (ptrace, /proc/PID/mem). */
size_t vm_peek(struct vmspace *vm, uaddr_t addr, void *buf, size_t len);
size_t vm_poke(struct vmspace *vm, uaddr_t addr, const void *buf, size_t len);
/*
 * The same for process_vm_readv(2): access (VM_READ or VM_WRITE) must be
 * allowed by the mapping.  Returns bytes copied.
 */
size_t vm_access(struct vmspace *vm, uaddr_t addr, void *buf, size_t len,
    unsigned access);
/* Faults [addr, addr + size) in for `access`; -ENOMEM, -EFAULT. */
int
vm_populate(struct vmspace *vm, uaddr_t addr, uint64_t size, unsigned access);

/*
 * What is in memory of [start, end), in pages; pss: each divided by how many
 * use it, times 4096.  For /proc/PID/smaps.
 */
struct vm_usage {
	uint64_t private_pages, object_pages; /* own copies, an object's */
	uint64_t shared, dirty, foreign;      /* of all those */
	uint64_t pss;
};
void
vm_usage(struct vmspace *vm, uaddr_t start, uaddr_t end, struct vm_usage *out);
/* The n entries from addr on as /proc/PID/pagemap shows them. */
void vm_pagemap(struct vmspace *vm, uaddr_t addr, unsigned n, uint64_t *out);

/* For /proc: totals in pages, and each mapping in order. */
struct vm_counts {
	uint64_t size, resident, resident_file, shared, text, data, stack, peak;
	uint64_t locked, tables;
	unsigned mappings;
};
void vmspace_counts(struct vmspace *vm, struct vm_counts *c);
struct vm_info {
	uaddr_t start, end;
	unsigned flags; /* VM_* */
	uint64_t offset;
	struct vm_object *object; /* NULL, or with a reference for the caller */
	const char *name;         /* "[stack]", "[heap]", "[vdso]" or NULL */
};
/* Calls fn for the first mapping that ends above `after`; false: none. */
bool vmspace_info(struct vmspace *vm, uaddr_t after, struct vm_info *info);

#endif
