/* SPDX-License-Identifier: ISC */
/*
 * kmap.c - the kernel's mapped area: stacks with a guard page below each, from
 * its beginning; device registers and large memory, from its middle.
 */
#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/spinlock.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include <linux/errno.h>

#define STACK_SLOT  (KSTACK_SIZE + PAGE_SIZE)
#define STACKS_END  (KVA_MAPPED + KVA_MAPPED_SIZE / 2)
#define STACK_CACHE 8

static struct {
	struct spinlock lock;
	void *cached[STACK_CACHE]; /* mapped and free */
	unsigned ncached;
	uint64_t next; /* never used from here on */
	void *slots;   /* unmapped slots: a list through small blocks */
	uint64_t next_mmio;
} map = { .next = KVA_MAPPED, .next_mmio = STACKS_END };

struct slot {
	struct slot *next;
	uint64_t va;
};

static uint64_t
slot_take(void)
{
	uint64_t state = spin_lock_irq(&map.lock);
	struct slot *s = map.slots;
	uint64_t va = 0;

	if (s != NULL) {
		map.slots = s->next;
		va = s->va;
	} else if (map.next + STACK_SLOT <= STACKS_END) {
		va = map.next;
		map.next += STACK_SLOT;
	}
	spin_unlock_irq(&map.lock, state);
	kfree(s);
	return va;
}

/* A slot that cannot be remembered is lost; the area holds millions. */
static void
slot_give(uint64_t va)
{
	struct slot *s = kmalloc(sizeof(*s));
	uint64_t state;

	if (s == NULL)
		return;
	state = spin_lock_irq(&map.lock);
	*s = (struct slot){ map.slots, va };
	map.slots = s;
	spin_unlock_irq(&map.lock, state);
}

static void *
cached_stack(void)
{
	uint64_t state = spin_lock_irq(&map.lock);
	void *p = map.ncached > 0 ? map.cached[--map.ncached] : NULL;

	spin_unlock_irq(&map.lock, state);
	return p;
}

void *
kstack_alloc(void)
{
	void *stack = cached_stack();
	struct page *p;
	uint64_t va;
	unsigned order = __builtin_ctzl(KSTACK_SIZE / PAGE_SIZE);

	if (stack != NULL)
		return stack;
	va = slot_take();
	if (va == 0)
		return NULL;
	p = page_alloc(order, 0);
	if (p == NULL) {
		slot_give(va);
		return NULL;
	}
	va += PAGE_SIZE;
	if (pt_map_kernel(va, page_paddr(p), KSTACK_SIZE, PTE_W | pt_nx()) !=
	    0) {
		pt_unmap_kernel(va, KSTACK_SIZE);
		page_free(p, order);
		slot_give(va - PAGE_SIZE);
		return NULL;
	}
	return (void *)va;
}

void
kstack_free(void *lowest)
{
	uint64_t state = spin_lock_irq(&map.lock);
	struct page *p = pt_kernel_page((uint64_t)lowest);

	if (map.ncached < STACK_CACHE) {
		map.cached[map.ncached++] = lowest;
		lowest = NULL;
	}
	spin_unlock_irq(&map.lock, state);
	if (lowest == NULL)
		return;
	pt_unmap_kernel((uint64_t)lowest, KSTACK_SIZE);
	page_free(p, __builtin_ctzl(KSTACK_SIZE / PAGE_SIZE));
	slot_give((uint64_t)lowest - PAGE_SIZE);
}

/* Address space behind the stacks' half; 0: none is left. */
static uint64_t
upper_take(uint64_t size)
{
	uint64_t state = spin_lock_irq(&map.lock);
	uint64_t va = map.next_mmio;

	if (size > KVA_MAPPED + KVA_MAPPED_SIZE - va)
		va = 0;
	else
		map.next_mmio += size;
	spin_unlock_irq(&map.lock, state);
	return va;
}

/* Registers that are mapped, pages of them; only ever more. */
struct registers {
	struct registers *next;
	paddr_t pa;
	uint64_t size, va;
};
static struct registers *registers; /* under map.lock */

static uint64_t
registers_find(paddr_t pa, uint64_t size)
{
	uint64_t state = spin_lock_irq(&map.lock), va = 0;
	struct registers *r;

	for (r = registers; r != NULL && va == 0; r = r->next)
		if (pa >= r->pa && pa - r->pa < r->size &&
		    size <= r->size - (pa - r->pa))
			va = r->va + (pa - r->pa);
	spin_unlock_irq(&map.lock, state);
	return va;
}

/* What cannot be remembered is mapped again the next time. */
static void
registers_keep(paddr_t pa, uint64_t size, uint64_t va)
{
	struct registers *r = kmalloc(sizeof(*r));
	uint64_t state;

	if (r == NULL)
		return;
	state = spin_lock_irq(&map.lock);
	*r = (struct registers){ registers, pa, size, va };
	registers = r;
	spin_unlock_irq(&map.lock, state);
}

volatile void *
mmio_map(paddr_t pa, size_t size)
{
	uint64_t offset = pa & PAGE_MASK, va;

	if (size == 0 || size > KVA_MAPPED_SIZE)
		return NULL; /* a device may claim any size */
	size = ROUND_UP(size + offset, PAGE_SIZE);
	va = registers_find(pa - offset, size);
	if (va != 0)
		return (volatile void *)(va + offset);
	va = upper_take(size);
	if (va == 0 ||
	    pt_map_kernel(va, pa - offset, size,
		PTE_W | PTE_PCD | PTE_PWT | pt_nx()) != 0)
		return NULL;
	registers_keep(pa - offset, size, va);
	return (volatile void *)(va + offset);
}

/* Stands before what kmap_alloc() hands out. */
struct large {
	uint64_t size;
	uint64_t unused;
};

static void
large_unmap(uint64_t va, uint64_t size)
{
	struct page *p;

	for (uint64_t at = va; at < va + size; at += PAGE_SIZE) {
		p = pt_kernel_page(at);
		pt_unmap_kernel(at, PAGE_SIZE);
		page_put(p);
	}
}

static int
large_map(uint64_t va, uint64_t size)
{
	struct page *p;
	uint64_t at;
	int error;

	for (at = va; at < va + size; at += PAGE_SIZE) {
		p = page_alloc(0, 0);
		error = p == NULL ? -ENOMEM :
				    pt_map_kernel(at, page_paddr(p), PAGE_SIZE,
					PTE_W | pt_nx());
		if (error == 0)
			continue;
		if (p != NULL)
			page_put(p);
		large_unmap(va, at - va);
		return error;
	}
	return 0;
}

void *
kmap_alloc(size_t size)
{
	struct large *l;

	if (size > KVA_MAPPED_SIZE)
		return NULL;
	size = ROUND_UP(size + sizeof(*l), PAGE_SIZE);
	l = (struct large *)upper_take(size);
	if (l == NULL || large_map((uint64_t)l, size) != 0)
		return NULL;
	l->size = size;
	return l + 1;
}

void
kmap_free(void *p)
{
	struct large *l;

	if (p == NULL)
		return;
	l = (struct large *)p - 1;
	large_unmap((uint64_t)l, l->size);
}
