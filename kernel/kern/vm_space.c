/* SPDX-License-Identifier: ISC */
/*
 * vm_space.c - address spaces as a whole: made, forked, loaded, ended, told
 * about; and the memory of one process read and written by another.
 */
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/vm_impl.h"
#include "x86/smp.h"

static struct objcache vmspace_cache = OBJCACHE_INIT("vmspace",
    sizeof(struct vmspace));

int
vmspace_create(struct vmspace **out)
{
	struct vmspace *vm = objcache_zalloc(&vmspace_cache);

	if (vm == NULL)
		return -ENOMEM;
	vm->root = pt_create();
	if (vm->root == 0) {
		objcache_free(&vmspace_cache, vm);
		return -ENOMEM;
	}
	vm->refs = 1;
	mutex_init(&vm->lock);
	spin_init(&vm->pt_lock);
	RB_INIT(&vm->tree);
	vm->layout.stack_max = 8ul << 20;
	vm->layout.data_max = vm->layout.as_max = UINT64_MAX;
	vm->layout.lock_max = UINT64_MAX;
	*out = vm;
	return 0;
}

struct vm_layout *
vmspace_layout(struct vmspace *vm)
{
	return &vm->layout;
}

struct vm_rider *
vmspace_rider(struct vmspace *vm)
{
	return __atomic_load_n(&vm->rider, __ATOMIC_ACQUIRE);
}

struct vm_rider *
vmspace_set_rider(struct vmspace *vm, struct vm_rider *r)
{
	struct vm_rider *old = NULL;

	if (__atomic_compare_exchange_n(&vm->rider, &old, r, false,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return r;
	return old;
}

void
vmspace_get(struct vmspace *vm)
{
	__atomic_add_fetch(&vm->refs, 1, __ATOMIC_RELAXED);
}

static void
unload_here(void *arg)
{
	if (cpu_self()->vmspace == arg)
		vmspace_activate(NULL);
}

static void
vmspace_destroy(struct vmspace *vm)
{
	struct vm_mapping *m;

	if (vm->rider != NULL)
		vm->rider->end(vm->rider);
	/* Nobody runs in it, but its tables may still be loaded. */
	preempt_disable();
	unload_here(vm);
	if (vm->loaded != 0)
		cpu_call(vm->loaded, unload_here, vm);
	preempt_enable();
	KASSERT(vm->loaded == 0);
	while ((m = RB_ROOT(&vm->tree)) != NULL) {
		vm_zap(vm, m->start, m->end, ZAP_ALL);
		vm_mapping_drop(vm, m);
	}
	KASSERT(vm->total == 0 && vm->locked == 0 && vm->res_private == 0 &&
	    vm->res_object == 0);
	pt_destroy(vm->root);
	objcache_free(&vmspace_cache, vm);
}

void
vmspace_put(struct vmspace *vm)
{
	if (__atomic_sub_fetch(&vm->refs, 1, __ATOMIC_ACQ_REL) == 0)
		vmspace_destroy(vm);
}

void
vmspace_activate(struct vmspace *vm)
{
	struct vmspace *old;
	struct percpu *pc;
	uint64_t bit, state = irq_save();

	pc = cpu_self();
	bit = cpu_bit(pc->id);
	old = pc->vmspace;
	/* Told of changes before it can remember anything, and until after. */
	if (vm != NULL)
		__atomic_fetch_or(&vm->loaded, bit, __ATOMIC_SEQ_CST);
	pt_load(vm == NULL ? pt_kernel_root() : vm->root);
	pc->vmspace = vm;
	if (old != NULL && old != vm)
		__atomic_fetch_and(&old->loaded, ~bit, __ATOMIC_SEQ_CST);
	irq_restore(state);
}

/* The child's copy of one mapping, its frames shared. */
static int
fork_mapping(struct vmspace *vm, struct vm_mapping *m, struct vmspace *child)
{
	struct vm_mapping *copy = vm_mapping_dup(m);

	if (copy == NULL)
		return -ENOMEM;
	copy->flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
	vm_mapping_enter(child, copy);
	if ((m->flags & (VM_SHARED | VM_WIPEONFORK | VM_FRAMES)) != 0)
		return 0;
	return vm_share_entries(vm, m, child);
}

int
vmspace_fork(struct vmspace *parent, struct vmspace **out)
{
	struct vmspace *child;
	struct vm_mapping *m;
	int error;

	error = vmspace_create(&child);
	if (error != 0)
		return error;
	mutex_lock(&parent->lock);
	child->layout = parent->layout;
	for (m = vm_tree_find(parent, 0); m != NULL; m = vm_tree_next(m)) {
		if ((m->flags & VM_DONTCOPY) == 0)
			error = fork_mapping(parent, m, child);
		if (error != 0)
			break;
	}
	/* The parent's writable entries became read-only. */
	spin_lock(&parent->pt_lock);
	vm_tlb_flush(parent, 0, USER_END);
	spin_unlock(&parent->pt_lock);
	child->peak = child->res_private;
	mutex_unlock(&parent->lock);
	if (error != 0)
		vmspace_put(child);
	else
		*out = child;
	return error;
}

void
vmspace_counts(struct vmspace *vm, struct vm_counts *c)
{
	mutex_lock(&vm->lock);
	c->size = vm->total;
	c->resident = vm->res_private + vm->res_object;
	c->resident_file = vm->res_object;
	c->shared = vm->res_object;
	c->text = vm->text;
	c->data = vm->data;
	c->stack = vm->stack;
	c->peak = vm->peak;
	c->locked = vm->locked;
	c->tables = 1; /* the root: those below it are not counted */
	c->mappings = vm->nmappings;
	mutex_unlock(&vm->lock);
}

static const char *
mapping_name(const struct vmspace *vm, const struct vm_mapping *m)
{
	const struct vm_layout *l = &vm->layout;

	if (m->name != NULL || m->object != NULL)
		return m->name;
	if (m->start <= l->brk && m->end >= l->brk_start &&
	    l->brk > l->brk_start)
		return "[heap]";
	if (l->stack_top != 0 && m->start < l->stack_top &&
	    m->end >= l->stack_top)
		return "[stack]";
	return NULL;
}

bool
vmspace_info(struct vmspace *vm, uaddr_t after, struct vm_info *info)
{
	struct vm_mapping *m;

	mutex_lock(&vm->lock);
	m = vm_tree_find(vm, after);
	if (m != NULL) {
		info->start = m->start;
		info->end = m->end;
		info->flags = m->flags;
		info->offset = m->object == NULL ? 0 : m->offset;
		info->object = m->object;
		if (m->object != NULL)
			vm_object_get(m->object);
		info->name = mapping_name(vm, m);
	}
	mutex_unlock(&vm->lock);
	return m != NULL;
}

/* Copies between buf and [addr, addr + len) inside one page. */
static int
access_page(struct vmspace *vm, uaddr_t addr, void *buf, size_t len,
    unsigned access, bool force)
{
	struct vm_failure why;
	uint64_t pte;
	char *at;
	int error;

	error = vm_fault_locked(vm, addr, access, force, &why);
	if (error != 0)
		return error;
	spin_lock(&vm->pt_lock);
	pte = *pt_slot(vm->root, addr, false);
	if (pte == 0) { /* truncated meanwhile */
		spin_unlock(&vm->pt_lock);
		return -EFAULT;
	}
	if ((pte & PTE_FOREIGN) != 0)
		at = vm_foreign_kva(pte & PTE_ADDR);
	else
		at = paddr_kva(pte & PTE_ADDR);
	at += addr & PAGE_MASK;
	if ((access & VM_WRITE) != 0)
		memcpy(at, buf, len);
	else
		memcpy(buf, at, len);
	spin_unlock(&vm->pt_lock);
	return 0;
}

static size_t
access_range(struct vmspace *vm, uaddr_t addr, void *buf, size_t len,
    unsigned access, bool force)
{
	size_t done = 0, n;

	mutex_lock(&vm->lock);
	while (done < len) {
		n = MIN(len - done, PAGE_SIZE - (addr & PAGE_MASK));
		if (access_page(vm, addr, (char *)buf + done, n, access,
			force) != 0)
			break;
		done += n;
		addr += n;
	}
	mutex_unlock(&vm->lock);
	return done;
}

size_t
vm_peek(struct vmspace *vm, uaddr_t addr, void *buf, size_t len)
{
	return access_range(vm, addr, buf, len, VM_READ, true);
}

size_t
vm_poke(struct vmspace *vm, uaddr_t addr, const void *buf, size_t len)
{
	return access_range(vm, addr, (void *)buf, len, VM_WRITE, true);
}

size_t
vm_access(struct vmspace *vm, uaddr_t addr, void *buf, size_t len,
    unsigned access)
{
	return access_range(vm, addr, buf, len, access, false);
}

/* How many use a frame; the page cache's own reference is not a use. */
static uint64_t
users_of(const struct page *p)
{
	uint32_t refs = __atomic_load_n(&p->refs, __ATOMIC_RELAXED);

	if ((p->flags & PG_CACHE) != 0 && refs > 1)
		refs--;
	return MAX(refs, 1u);
}

static void
count_entry(struct vm_usage *u, uint64_t pte)
{
	const struct page *p;
	uint64_t users;

	if ((pte & PTE_FOREIGN) != 0) {
		u->foreign++;
		return;
	}
	p = page_of_paddr(pte & PTE_ADDR);
	users = users_of(p);
	if ((pte & PTE_PRIVATE) != 0)
		u->private_pages++;
	else
		u->object_pages++;
	if (users > 1)
		u->shared++;
	if ((pte & PTE_PRIVATE) != 0 || (pte & PTE_W) != 0)
		u->dirty++;
	u->pss += PAGE_SIZE / users;
}

void
vm_usage(struct vmspace *vm, uaddr_t start, uaddr_t end, struct vm_usage *out)
{
	uint64_t *slot;
	uaddr_t va;

	memset(out, 0, sizeof(*out));
	mutex_lock(&vm->lock);
	for (va = start; va < end; va += PAGE_SIZE) {
		spin_lock(&vm->pt_lock);
		slot = pt_slot(vm->root, va, false);
		if (slot != NULL && *slot != 0)
			count_entry(out, *slot);
		spin_unlock(&vm->pt_lock);
		if (slot == NULL) /* nothing up to the next table */
			va = ROUND_DOWN(va, PAGE_SIZE * 512) + PAGE_SIZE * 511;
	}
	mutex_unlock(&vm->lock);
}

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_FILE    (1ull << 61)
#define PAGEMAP_ALONE   (1ull << 56)

void
vm_pagemap(struct vmspace *vm, uaddr_t addr, unsigned n, uint64_t *out)
{
	uint64_t *slot, pte;
	unsigned i;

	mutex_lock(&vm->lock);
	for (i = 0; i < n; i++, addr += PAGE_SIZE) {
		out[i] = 0;
		if (addr >= USER_END)
			continue;
		spin_lock(&vm->pt_lock);
		slot = pt_slot(vm->root, addr, false);
		pte = slot != NULL ? *slot : 0;
		if (pte != 0)
			out[i] = PAGEMAP_PRESENT |
			    (pte & PTE_ADDR) >> PAGE_SHIFT;
		if (pte != 0 && (pte & (PTE_PRIVATE | PTE_FOREIGN)) == 0)
			out[i] |= PAGEMAP_FILE;
		if (pte != 0 && (pte & PTE_FOREIGN) == 0 &&
		    users_of(page_of_paddr(pte & PTE_ADDR)) == 1)
			out[i] |= PAGEMAP_ALONE;
		spin_unlock(&vm->pt_lock);
	}
	mutex_unlock(&vm->lock);
}
