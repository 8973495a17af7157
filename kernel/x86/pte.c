/* SPDX-License-Identifier: ISC */
/*
 * pte.c - page tables of four levels.  Intel SDM vol. 3, 4.5.
 *
 * The upper half is the same in every root: its four top-level entries are
 * there from the start (entry.S), so that what is mapped later is seen by all.
 */
#include "x86/pte.h"
#include "kern/page.h"
#include "kern/panic.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "x86/layout.h"
#include "x86/machdep.h"
#include "x86/smp.h"
#include <linux/errno.h>

#define LEVEL_SHIFT(l) (12 + 9 * (l)) /* 0: PTE .. 3: PML4E */
#define LEVEL_SIZE(l)  (1ul << LEVEL_SHIFT(l))
#define SLOT(va, l)    ((va) >> LEVEL_SHIFT(l) & 511)

#define CR4_PGE (1ul << 7)

static struct spinlock kernel_pt_lock = SPINLOCK_INIT;

uint64_t
pt_nx(void)
{
	return cpu_features()->nx ? PTE_NX : 0;
}

paddr_t
pt_kernel_root(void)
{
	return (uint64_t)boot_pml4 - KVA_IMAGE;
}

static uint64_t *
table_of(uint64_t entry)
{
	return paddr_kva(entry & PTE_ADDR);
}

static paddr_t
carve_page(void *arg)
{
	struct page *p = page_alloc(0, PAGE_ALLOC_ZERO);

	(void)arg;
	return p != NULL ? page_paddr(p) : 0;
}

/* The slot for va at `level`, tables above it made by `carve`. */
static uint64_t *
walk(uint64_t *table, uint64_t va, unsigned level, uint64_t flags,
    paddr_t (*carve)(void *), void *arg)
{
	uint64_t *slot;
	unsigned l;
	paddr_t pa;

	for (l = 3; l > level; l--) {
		slot = &table[SLOT(va, l)];
		if ((*slot & PTE_P) == 0) {
			pa = carve != NULL ? carve(arg) : 0;
			if (pa == 0)
				return NULL;
			*slot = pa | flags;
		}
		if ((*slot & PTE_PS) != 0)
			return NULL;
		table = table_of(*slot);
	}
	return &table[SLOT(va, level)];
}

/*
 * Tables of programs.  A freed one is all zeros, and some are kept so: making
 * a new one costs no clearing then.  page.priv has a bit for each eight entries
 * of a table of an upper level, set once one of them was used.
 */
#define TABLES_KEPT 8

static struct {
	struct spinlock lock;
	unsigned n;
	struct page *page[TABLES_KEPT];
} kept = { .lock = SPINLOCK_INIT };

static struct page *
table_alloc(void)
{
	struct page *p = NULL;

	spin_lock(&kept.lock);
	if (kept.n > 0)
		p = kept.page[--kept.n];
	spin_unlock(&kept.lock);
	if (p == NULL)
		p = page_alloc(0, PAGE_ALLOC_ZERO);
	if (p != NULL)
		p->priv = 0;
	return p;
}

/* One whose entries are all zero again. */
static void
table_free(struct page *p)
{
	spin_lock(&kept.lock);
	if (kept.n < TABLES_KEPT) {
		kept.page[kept.n++] = p;
		p = NULL;
	}
	spin_unlock(&kept.lock);
	if (p != NULL)
		page_put(p);
}

/* A new table behind a slot of another.  false: out of memory. */
static bool
table_add(uint64_t *slot)
{
	struct page *p = table_alloc(), *in;

	if (p == NULL)
		return false;
	in = page_of_paddr(kva_paddr(slot));
	in->priv |= 1ul << (((uintptr_t)slot & PAGE_MASK) >> 6);
	*slot = page_paddr(p) | PTE_P | PTE_W | PTE_U;
	return true;
}

paddr_t
pt_create(void)
{
	struct page *p = table_alloc();
	uint64_t *root;

	if (p == NULL)
		return 0;
	root = page_kva(p);
	root[SLOT(KVA_DIRECT, 3)] = boot_pml4[SLOT(KVA_DIRECT, 3)];
	root[SLOT(KVA_VMEMMAP, 3)] = boot_pml4[SLOT(KVA_VMEMMAP, 3)];
	root[SLOT(KVA_MAPPED, 3)] = boot_pml4[SLOT(KVA_MAPPED, 3)];
	root[511] = boot_pml4[511];
	return page_paddr(p);
}

/* Tables that are no longer reachable, until no processor remembers them. */
static void
set_aside(struct pt_freed *freed, uint64_t entry)
{
	struct page *p = page_of_paddr(entry & PTE_ADDR);

	p->priv = (uint64_t)freed->first;
	freed->first = p;
}

void
pt_free(struct pt_freed *freed)
{
	struct page *p;

	while ((p = freed->first) != NULL) {
		freed->first = (struct page *)p->priv;
		table_free(p);
	}
}

/* Frees the tables behind the entries of one, `groups` of eight each. */
static void
free_table(uint64_t *table, unsigned level, uint64_t groups,
    struct pt_freed *freed)
{
	unsigned i, end;

	groups &= page_of_paddr(kva_paddr(table))->priv;
	for (; groups != 0; groups &= groups - 1) {
		i = 8 * (unsigned)__builtin_ctzl(groups);
		for (end = i + 8; i < end; i++) {
			if ((table[i] & PTE_P) == 0)
				continue;
			if (level > 1)
				free_table(table_of(table[i]), level - 1, ~0ul,
				    freed);
			set_aside(freed, table[i]);
			table[i] = 0;
		}
	}
}

void
pt_destroy(paddr_t root)
{
	uint64_t *table = paddr_kva(root);
	struct pt_freed freed = { NULL };

	free_table(table, 3, UINT32_MAX, &freed); /* the lower half */
	pt_free(&freed);
	table[SLOT(KVA_DIRECT, 3)] = table[SLOT(KVA_VMEMMAP, 3)] = 0;
	table[SLOT(KVA_MAPPED, 3)] = table[511] = 0;
	table_free(page_of_paddr(root));
}

/* From a table of a program's to the one below; NULL: there is none. */
static inline __attribute__((always_inline)) uint64_t *
down(uint64_t *table, unsigned index, bool make)
{
	uint64_t *slot = &table[index];

	if (__builtin_expect((*slot & PTE_P) == 0, 0) &&
	    (!make || !table_add(slot)))
		return NULL;
	return table_of(*slot);
}

uint64_t *
pt_slot(paddr_t root, uaddr_t va, bool make)
{
	uint64_t *table = down(paddr_kva(root), SLOT(va, 3), make);

	if (table != NULL)
		table = down(table, SLOT(va, 2), make);
	if (table != NULL)
		table = down(table, SLOT(va, 1), make);
	return table != NULL ? &table[SLOT(va, 0)] : NULL;
}

/* In one table, whose entries stand at `level` from `base` on. */
static uaddr_t
next_table(const uint64_t *table, unsigned level, uaddr_t base, uaddr_t va,
    uaddr_t end)
{
	unsigned i = SLOT(va, level);
	uaddr_t found;

	for (; i < 512; i++, va = base + i * LEVEL_SIZE(level)) {
		if (va >= end)
			return end;
		if ((table[i] & PTE_P) == 0)
			continue;
		if (level == 1)
			return va;
		found = next_table(table_of(table[i]), level - 1,
		    ROUND_DOWN(va, LEVEL_SIZE(level)), va, end);
		if (found <
		    ROUND_DOWN(va, LEVEL_SIZE(level)) + LEVEL_SIZE(level))
			return found;
	}
	return MIN(va, end);
}

uaddr_t
pt_next(paddr_t root, uaddr_t va, uaddr_t end)
{
	if (va >= end)
		return end;
	return MIN(next_table(paddr_kva(root), 3, 0, va, end), end);
}

/*
 * Nothing is mapped in [start, end): tables inside are set aside as they are.  The
 * table stands at `base`, its entries at `level`.
 */
static void
prune_table(uint64_t *table, unsigned level, uint64_t base, uint64_t start,
    uint64_t end, struct pt_freed *freed)
{
	uint64_t at, size = LEVEL_SIZE(level), *child;
	unsigned i = start > base ? (start - base) >> LEVEL_SHIFT(level) : 0;

	for (at = base + i * size; i < 512 && at < end; i++, at += size) {
		if ((table[i] & PTE_P) == 0)
			continue;
		child = table_of(table[i]);
		if (at < start || at + size > end) {
			if (level > 1)
				prune_table(child, level - 1, at, start, end,
				    freed);
			continue;
		}
		if (level > 1)
			free_table(child, level - 1, ~0ul, freed);
		set_aside(freed, table[i]);
		table[i] = 0;
	}
}

void
pt_prune(paddr_t root, uaddr_t start, uaddr_t end, struct pt_freed *freed)
{
	prune_table(paddr_kva(root), 3, 0, start, end, freed);
}

void
pt_load(paddr_t root)
{
	write_cr3(root);
}

void
tlb_flush_page(uaddr_t va)
{
	invlpg(va);
}

void
tlb_flush_all(void)
{
	write_cr3(read_cr3());
}

static void
tlb_flush_global(void)
{
	uint64_t cr4 = read_cr4();

	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
}

int
pt_map_kernel(uint64_t va, paddr_t pa, uint64_t size, uint64_t flags)
{
	uint64_t state = spin_lock_irq(&kernel_pt_lock);
	uint64_t *slot, off;
	int error = 0;

	for (off = 0; off < size && error == 0; off += PAGE_SIZE) {
		slot = walk(boot_pml4, va + off, 0, PTE_P | PTE_W, carve_page,
		    NULL);
		if (slot == NULL)
			error = -ENOMEM;
		else
			*slot = (pa + off) | flags | PTE_P | PTE_G;
	}
	spin_unlock_irq(&kernel_pt_lock, state);
	return error;
}

struct kernel_range {
	uint64_t va, size;
};

static void
flush_kernel_range(void *arg)
{
	const struct kernel_range *r = arg;
	uint64_t off;

	for (off = 0; off < r->size; off += PAGE_SIZE)
		invlpg(r->va + off);
}

void
pt_unmap_kernel(uint64_t va, uint64_t size)
{
	struct kernel_range r = { va, size };
	uint64_t state = spin_lock_irq(&kernel_pt_lock);
	uint64_t *slot, off;

	for (off = 0; off < size; off += PAGE_SIZE) {
		slot = walk(boot_pml4, va + off, 0, 0, NULL, NULL);
		if (slot != NULL)
			*slot = 0;
		invlpg(va + off);
	}
	if (cpu_several())
		cpu_call(~0ull, flush_kernel_range, &r);
	spin_unlock_irq(&kernel_pt_lock, state);
}

struct page *
pt_kernel_page(uint64_t va)
{
	uint64_t *slot = walk(boot_pml4, va, 0, 0, NULL, NULL);

	return slot != NULL && (*slot & PTE_P) != 0 ?
	    page_of_paddr(*slot & PTE_ADDR) :
	    NULL;
}

int
pt_map_direct(paddr_t pa, uint64_t size, paddr_t (*carve)(void *), void *arg)
{
	uint64_t *slot, end = ROUND_UP(pa + size, LEVEL_SIZE(1));

	for (pa = ROUND_DOWN(pa, LEVEL_SIZE(1)); pa < end;
	     pa += LEVEL_SIZE(1)) {
		if (pa < 1ul << 30)
			continue; /* entry.S */
		slot = walk(boot_pml4, KVA_DIRECT + pa, 1, PTE_P | PTE_W, carve,
		    arg);
		if (slot == NULL)
			return -ENOMEM;
		*slot = pa | PTE_P | PTE_W | PTE_PS | PTE_G;
	}
	return 0;
}

int
pt_map_vmemmap(uint64_t va, paddr_t pa, paddr_t (*carve)(void *), void *arg)
{
	uint64_t *slot;

	slot = walk(boot_pml4, va, 0, PTE_P | PTE_W, carve, arg);
	if (slot == NULL)
		return -ENOMEM;
	*slot = pa | PTE_P | PTE_W | PTE_G;
	return 0;
}

/* Protection of the image's page at va: code, constants or data. */
static uint64_t
image_flags(uint64_t va)
{
	if (va < (uint64_t)kernel_text_end)
		return PTE_P | PTE_G;
	if (va < (uint64_t)kernel_rodata_end)
		return PTE_P | PTE_G | pt_nx();
	return PTE_P | PTE_W | PTE_G | pt_nx();
}

/*
 * Replaces the large page at 2 MiB * i of the image and of its alias in the
 * direct map by small ones.
 */
static int
split_image(unsigned i)
{
	struct page *image = page_alloc(0, PAGE_ALLOC_ZERO);
	struct page *alias = page_alloc(0, 0);
	uint64_t *pt, *direct, va, pa;
	unsigned j;

	if (image == NULL || alias == NULL) {
		if (image != NULL)
			page_put(image);
		return -ENOMEM;
	}
	pt = page_kva(image);
	direct = page_kva(alias);
	for (j = 0; j < 512; j++) {
		pa = i * LEVEL_SIZE(1) + j * PAGE_SIZE;
		va = KVA_IMAGE + pa;
		direct[j] = pa | PTE_P | PTE_W | PTE_G;
		if (va < (uint64_t)kernel_start || va >= (uint64_t)kernel_end)
			continue;
		pt[j] = pa | image_flags(va);
		if (va < (uint64_t)kernel_rodata_end)
			direct[j] &= ~PTE_W;
	}
	boot_pd_image[i] = page_paddr(image) | PTE_P | PTE_W;
	boot_pd_direct[i] = page_paddr(alias) | PTE_P | PTE_W;
	return 0;
}

int
pt_init(void)
{
	uint64_t size = (uint64_t)kernel_end - KVA_IMAGE;
	int error = 0;
	unsigned i;

	for (i = 0; i < 512 && error == 0; i++) {
		if (i * LEVEL_SIZE(1) < size)
			error = split_image(i);
		else if (boot_pd_image[i] != 0)
			boot_pd_image[i] = 0;
		else
			break;
	}
	boot_pml4[SLOT(KVA_DIRECT, 3)] |= pt_nx();
	boot_pml4[SLOT(KVA_VMEMMAP, 3)] |= pt_nx();
	boot_pml4[SLOT(KVA_MAPPED, 3)] |= pt_nx();
	boot_pml4[0] = 0;
	tlb_flush_global();
	return error;
}
