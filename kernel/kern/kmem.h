/* SPDX-License-Identifier: ISC */
/*
 * kmem.h - the kernel's own memory: object caches, and sizes in between.
 * Context: any; nothing here sleeps.  NULL: out of memory.
 */
#ifndef KERN_KMEM_H
#define KERN_KMEM_H

#include "kern/types.h"

/* Any size; 16-byte aligned; page-aligned from a page on. */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void *kcalloc(size_t n, size_t size); /* zeroed; NULL on overflow */
void *krealloc(void *p, size_t size); /* NULL leaves p as it was */
void kfree(void *p);                  /* NULL is harmless */
char *kstrdup(const char *s);

/* A cache of objects of one size; contents are not kept. */
struct objcache {
	const char *name;
	uint32_t size; /* [I] rounded up to 16 */
	struct objcache_state *state;
};
#define OBJCACHE_INIT(n, s)              \
	{                                \
		.name = (n), .size = (s) \
	}
void *objcache_alloc(struct objcache *c); /* not zeroed */
void *objcache_zalloc(struct objcache *c);
void objcache_free(struct objcache *c, void *p);

/* Bytes handed out, for /proc/meminfo and leak checks. */
uint64_t kmem_used(void);

int kmem_init(void); /* boot step */

/*
 * Pages in the kernel's mapped area with an unmapped guard page below:
 * stacks.  Addresses are not in the direct map.
 */
void *kstack_alloc(void);
void kstack_free(void *lowest);
#define KSTACK_SIZE (16 * 1024ul)

/*
 * Memory too large for a block of neighbouring frames, 16-byte aligned.  Its
 * addresses are not used again, so it is for the few, at boot.  NULL: none.
 */
void *kmap_alloc(size_t size);
void kmap_free(void *p);

/*
 * Maps device registers uncached; size need not be page-aligned.  A mapping
 * stays, and who asks for the same registers again gets it again: so devices
 * that come and go use up nothing.  NULL: out of memory or addresses.
 */
volatile void *mmio_map(paddr_t pa, size_t size);

#endif
