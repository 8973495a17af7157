/* SPDX-License-Identifier: ISC */
/*
 * vm_pt.c - page-table entries of ranges: taken out, protected, moved, shared.
 *
 * Frames are given back only after every processor forgot them: they are
 * gathered, the translations flushed, and then the references dropped.
 */
#include "kern/string.h"
#include "kern/vm_impl.h"
#include "x86/smp.h"

#define PT_SPAN (PAGE_SIZE * 512) /* bytes that one page table maps */
#define GATHER  32

struct gather {
	struct vmspace *vm;
	uaddr_t start, end; /* what to flush; empty when start == end */
	unsigned n;
	struct page *pages[GATHER];
};

struct flush {
	struct vmspace *vm;
	uaddr_t start, end;
};

static void
flush_here(void *arg)
{
	const struct flush *f = arg;
	uaddr_t va;

	if (cpu_self()->vmspace != f->vm)
		return; /* its entries went when another root was loaded */
	if (f->end - f->start > 32 * PAGE_SIZE) {
		tlb_flush_all();
		return;
	}
	for (va = f->start; va < f->end; va += PAGE_SIZE)
		tlb_flush_page(va);
}

void
vm_tlb_flush(struct vmspace *vm, uaddr_t start, uaddr_t end)
{
	struct flush f = { vm, start, end };

	flush_here(&f);
	if (!cpu_several())
		return;
	/* Who loads it after this look finds the entries changed. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	cpu_call(__atomic_load_n(&vm->loaded, __ATOMIC_RELAXED), flush_here,
	    &f);
}

static void
gather_finish(struct gather *g)
{
	unsigned i;

	if (g->start < g->end)
		vm_tlb_flush(g->vm, g->start, g->end);
	for (i = 0; i < g->n; i++)
		page_put(g->pages[i]);
	g->n = 0;
	g->start = g->end = 0;
}

static void
gather_add(struct gather *g, uaddr_t va, uint64_t pte)
{
	if (g->start == g->end)
		g->start = va;
	g->end = va + PAGE_SIZE;
	if ((pte & PTE_FOREIGN) != 0)
		return;
	g->pages[g->n++] = page_of_paddr(pte & PTE_ADDR);
	if (g->n == GATHER)
		gather_finish(g);
}

/*
 * The entries of one page table inside [*va, end): advances *va over what has
 * no table; *n entries stand at the result.  NULL: none left.
 */
static uint64_t *
next_run(paddr_t root, uaddr_t *va, uaddr_t end, unsigned *n)
{
	uint64_t *slot;
	uaddr_t stop;

	while (*va < end) {
		slot = pt_slot(root, *va, false);
		stop = MIN(end, ROUND_DOWN(*va, PT_SPAN) + PT_SPAN);
		if (slot != NULL) {
			*n = (stop - *va) >> PAGE_SHIFT;
			return slot;
		}
		if (stop == end)
			break;
		*va = pt_next(root, stop, end);
	}
	return NULL;
}

uint64_t
vm_pte(paddr_t pa, unsigned flags, uint64_t owner, bool writable)
{
	uint64_t pte = pa | owner | PTE_U | PTE_A;

	if ((flags & VM_PROT) != 0)
		pte |= PTE_P;
	if (writable && (flags & VM_WRITE) != 0)
		pte |= PTE_W | PTE_D;
	if ((flags & VM_EXEC) == 0)
		pte |= pt_nx();
	return pte;
}

static unsigned
owner_of(uint64_t pte)
{
	return (pte & PTE_PRIVATE) != 0 ? ZAP_PRIVATE : ZAP_OBJECT;
}

/*
 * How many of n entries from slot[i] on may be skipped: eight that fill a line
 * of the cache and are empty.
 */
static inline __attribute__((always_inline)) unsigned
skip_empty(const uint64_t *slot, unsigned i, unsigned n)
{
	const uint64_t *t = slot + i;

	if (((uintptr_t)t & 63) != 0 || n - i < 8)
		return 0;
	return (t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7]) == 0 ?
	    8 :
	    0;
}

bool
vm_zap(struct vmspace *vm, uaddr_t start, uaddr_t end, unsigned what)
{
	uint64_t *slot, pte;
	uaddr_t va = start;
	bool tables = false;
	struct gather g;
	unsigned i, n, skip;

	g.vm = vm;
	g.n = 0;
	g.start = g.end = 0;
	spin_lock(&vm->pt_lock);
	while ((slot = next_run(vm->root, &va, end, &n)) != NULL) {
		tables = true;
		for (i = 0; i < n; i++, va += PAGE_SIZE) {
			pte = slot[i];
			if (pte == 0 && (skip = skip_empty(slot, i, n)) != 0) {
				i += skip - 1;
				va += (skip - 1) * PAGE_SIZE;
				continue;
			}
			if (pte == 0 || (what & owner_of(pte)) == 0)
				continue;
			slot[i] = 0;
			vm_count_resident(vm, pte, -1);
			gather_add(&g, va, pte);
		}
	}
	gather_finish(&g);
	spin_unlock(&vm->pt_lock);
	return tables;
}

void
vm_prune(struct vmspace *vm, uaddr_t start, uaddr_t end)
{
	struct vm_mapping *above = vm_tree_find(vm, end), *below;
	struct pt_freed freed = { NULL };
	uaddr_t low, high;

	below = above != NULL ? vm_tree_prev(above) : vm_tree_last(vm);
	low = below == NULL ? 0 : below->end;
	high = above == NULL ? USER_END + PAGE_SIZE : above->start;
	low = MAX(low, ROUND_DOWN(start, PT_SPAN));
	high = MIN(high, ROUND_UP(end, PT_SPAN));
	if (ROUND_UP(low, PT_SPAN) >= ROUND_DOWN(high, PT_SPAN))
		return; /* no whole page table */
	spin_lock(&vm->pt_lock);
	pt_prune(vm->root, low, high, &freed);
	if (freed.first != NULL)
		vm_tlb_flush(vm, low, high);
	spin_unlock(&vm->pt_lock);
	pt_free(&freed);
}

void
vm_reprotect(struct vmspace *vm, const struct vm_mapping *m, uaddr_t start,
    uaddr_t end)
{
	uaddr_t va = start;
	uint64_t *slot, pte;
	unsigned i, n;
	bool writable, any = false;

	spin_lock(&vm->pt_lock);
	for (; (slot = next_run(vm->root, &va, end, &n)) != NULL;
	     va += (uint64_t)n << PAGE_SHIFT) {
		for (i = 0; i < n; i++) {
			pte = slot[i];
			if (pte == 0)
				continue;
			/* Others learn of the first write by a fault. */
			writable = (pte & PTE_W) != 0 ||
			    ((pte & PTE_PRIVATE) != 0 && vm_frame_is_own(pte));
			slot[i] = vm_pte(pte & PTE_ADDR, m->flags,
			    pte & (PTE_PRIVATE | PTE_FOREIGN), writable);
			any = true;
		}
	}
	if (any)
		vm_tlb_flush(vm, start, end);
	spin_unlock(&vm->pt_lock);
}

/* Makes the tables that entries moved from [from, ...) will need. */
static int
make_tables(struct vmspace *vm, uaddr_t from, uaddr_t to, uint64_t size)
{
	uaddr_t va = from, last;
	uint64_t *slot;
	unsigned n;

	for (; (slot = next_run(vm->root, &va, from + size, &n)) != NULL;
	     va = last + PAGE_SIZE) {
		last = va + ((uint64_t)(n - 1) << PAGE_SHIFT);
		if (pt_slot(vm->root, va - from + to, true) == NULL ||
		    pt_slot(vm->root, last - from + to, true) == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
vm_move_entries(struct vmspace *vm, uaddr_t from, uaddr_t to, uint64_t size)
{
	uaddr_t va = from;
	uint64_t *slot, *dst;
	unsigned i, n;
	int error;

	spin_lock(&vm->pt_lock);
	error = make_tables(vm, from, to, size);
	for (; error == 0 &&
	     (slot = next_run(vm->root, &va, from + size, &n)) != NULL;
	     va += (uint64_t)n << PAGE_SHIFT) {
		for (i = 0; i < n; i++) {
			if (slot[i] == 0)
				continue;
			dst = pt_slot(vm->root,
			    va - from + to + ((uint64_t)i << PAGE_SHIFT),
			    false);
			*dst = slot[i];
			slot[i] = 0;
		}
	}
	vm_tlb_flush(vm, from, from + size);
	spin_unlock(&vm->pt_lock);
	return error;
}

/*
 * Gives the child the frame, too, from now on read-only for both; or a copy,
 * if a device writes to it for the parent.
 */
static int
share_entry(uint64_t *slot, uint64_t *dst)
{
	struct page *p = page_of_paddr(*slot & PTE_ADDR), *copy;

	if (__atomic_load_n(&p->pins, __ATOMIC_RELAXED) == 0) {
		*slot &= ~PTE_W;
		page_get(p);
		*dst = *slot;
		return 0;
	}
	copy = page_alloc(0, 0);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(page_kva(copy), page_kva(p), PAGE_SIZE);
	*dst = (*slot & ~PTE_ADDR) | page_paddr(copy);
	return 0;
}

/* One page table's worth of entries, shared with the child. */
static int
share_run(struct vmspace *child, uaddr_t va, uint64_t *slot, unsigned n)
{
	uint64_t *dst = NULL;
	unsigned i, skip;

	for (i = 0; i < n; i++) {
		if ((slot[i] & PTE_PRIVATE) == 0) {
			/* What is an object's the child faults in from there. */
			skip = slot[i] == 0 ? skip_empty(slot, i, n) : 0;
			i += skip != 0 ? skip - 1 : 0;
			continue;
		}
		if (dst == NULL) {
			dst = pt_slot(child->root, va, true);
			if (dst == NULL)
				return -ENOMEM;
		}
		if (share_entry(&slot[i], &dst[i]) != 0)
			return -ENOMEM;
		child->res_private++;
	}
	return 0;
}

int
vm_share_entries(struct vmspace *vm, const struct vm_mapping *m,
    struct vmspace *child)
{
	uaddr_t va = m->start;
	uint64_t *slot;
	unsigned n;
	int error = 0;

	spin_lock(&vm->pt_lock);
	for (;
	     error == 0 && (slot = next_run(vm->root, &va, m->end, &n)) != NULL;
	     va += (uint64_t)n << PAGE_SHIFT)
		error = share_run(child, va, slot, n);
	spin_unlock(&vm->pt_lock);
	return error;
}
