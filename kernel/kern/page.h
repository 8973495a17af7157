/* SPDX-License-Identifier: ISC */
/*
 * page.h - page frames: a buddy allocator over memory that is taken in only
 * when it is needed, in sections of 2 MiB.
 * Context: page_alloc may be called anywhere; it never sleeps.
 *
 * Every frame of a section that was taken in has a struct page.  A frame is
 * owned by whoever holds a reference: page_alloc() returns one, the last
 * page_put() frees it.
 */
#ifndef KERN_PAGE_H
#define KERN_PAGE_H

#include "kern/types.h"
#include "x86/layout.h"
#include <bsd/sys/queue.h>

#define PAGE_MAX_ORDER 9 /* 2 MiB; rare, as sections hold their own structs */

struct page {          /* 32 bytes */
	uint32_t refs; /* 0: free; atomic */
	uint8_t order; /* of the block that begins here, while free */
	uint8_t flags; /* PG_* */
	uint16_t pins; /* devices that write here: vm_pin(); atomic */
	union {
		TAILQ_ENTRY(page) link; /* free, or on its owner's list */
		struct {                /* in a page cache */
			void *owner;
			uint64_t index;
		};
		struct { /* in an object cache */
			void *slab;
			uint64_t slab_size;
		};
	};
	uint64_t priv; /* the owner's */
};
_Static_assert(sizeof(struct page) == 32, "vmemmap");

#define PG_FREE  0x01 /* on a buddy list */
#define PG_SLAB  0x04
#define PG_CACHE 0x08 /* owner and index are a page cache's */
#define PG_DIRTY 0x10 /* owner's use */
#define PG_KEPT  0x20 /* is not free any more, ever */
#define PG_TOLD  0x40 /* a free block of which the host knows */

#define PAGE_ALLOC_ZERO 0x1 /* filled with zeros */

/* One block of 2^order frames, one reference.  NULL: out of memory. */
struct page *page_alloc(unsigned order, unsigned flags);
/* Ends a block of an order > 0 that was never shared. */
void page_free(struct page *p, unsigned order);

static inline void
page_get(struct page *p)
{
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
}
/* For page_put(): the last reference is gone. */
void page_free_last(struct page *p);
static inline void
page_put(struct page *p) /* for single frames */
{
	if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) == 0)
		page_free_last(p);
}

/*
 * For memory that somebody outside may still write: when its owner frees this
 * frame, or the block that it is in, all of that is lost instead.  Any context.
 */
void page_keep_aside(struct page *p);

#define VMEMMAP ((struct page *)KVA_VMEMMAP)
static inline paddr_t
page_paddr(const struct page *p)
{
	return (paddr_t)(p - VMEMMAP) << PAGE_SHIFT;
}
static inline struct page *
page_of_paddr(paddr_t pa) /* of a section that was taken in */
{
	return VMEMMAP + (pa >> PAGE_SHIFT);
}
static inline void *
page_kva(const struct page *p)
{
	return (void *)(KVA_DIRECT + page_paddr(p));
}
static inline void *
paddr_kva(paddr_t pa) /* of a section that was taken in */
{
	return (void *)(KVA_DIRECT + pa);
}
static inline paddr_t
kva_paddr(const void *kva) /* of the direct map */
{
	return (uint64_t)kva - KVA_DIRECT;
}

/* Sizes in frames; `free` counts what was not yet taken in as well. */
struct page_stats {
	uint64_t total, free, taken_in;
};
void page_stats(struct page_stats *st);

/*
 * Gives [pa, pa + size) to the allocator: what boot held back, such as a used
 * initial file system.  Whole frames inside only.
 */
void page_release_range(paddr_t pa, uint64_t size);

/*
 * What frees memory when there is none: called by page_alloc() when it would
 * fail, must not sleep, returns the frames it freed.  Registered at boot.
 */
void page_set_reclaim(uint64_t (*reclaim)(uint64_t frames));

/* The same, now: the frames that it freed.  Any context. */
uint64_t page_reclaim(uint64_t frames);
/* What is asked after that; one, NULL: nobody.  Any context, not sleeping. */
void page_set_last_resort(uint64_t (*fn)(uint64_t frames));

/* Frames of files in memory, as the floor above counts them; at boot. */
void page_set_cached(uint64_t (*cached)(void));
uint64_t page_cached(void);

/* Frames that are not ours to use for now, or are again: `total` changes. */
void page_total_add(int64_t frames);

/*
 * Free memory of which a host may be told, that it needs no room there: blocks
 * of 2^PAGE_TELL_ORDER frames and more, each once until it is used.
 *
 * page_tell_set(): from now on `due` is called when there is such a block, once
 * until page_tell_begin() has found no more.  Any context, the allocator's lock
 * not held; NULL: no more calls.
 * page_tell_begin() takes up to max blocks away from the lists, and
 * page_tell_end() gives them back; `told`: the host knows.  priv is the order.
 */
#define PAGE_TELL_ORDER 5 /* 128 KiB */
void page_tell_set(void (*due)(void));
unsigned page_tell_begin(struct page **block, unsigned max);
void page_tell_end(struct page **block, unsigned n, bool told);
static inline unsigned
page_tell_order(const struct page *block)
{
	return block->priv;
}

struct boot_info;
/* Boot step: takes in the first section, and those that hold the initrd. */
int page_init(const struct boot_info *bi);

#endif
