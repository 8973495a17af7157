/* SPDX-License-Identifier: ISC */
/*
 * vm_remap.c - mappings resized and moved: mremap(2).
 */
#include "kern/string.h"
#include "kern/vm_impl.h"

struct remap {
	struct vmspace *vm;
	struct vm_mapping *m; /* that [addr, addr + old) lies in */
	uaddr_t addr;
	uint64_t old, new; /* sizes */
	unsigned flags;    /* VM_REMAP_* */
};

/* The mapping, and whether it may be as large as asked. */
static int
remap_check(struct remap *r)
{
	struct vm_mapping *m = vm_tree_find(r->vm, r->addr);

	if (m == NULL || m->start > r->addr)
		return -EFAULT;
	r->m = m;
	/* Size 0 asks for a second view of shared pages. */
	if (r->old == 0 && (m->flags & VM_SHARED) == 0)
		return -EINVAL;
	if ((r->flags & VM_REMAP_DONTUNMAP) != 0 && (m->flags & VM_FRAMES) != 0)
		return -EINVAL;
	if (r->old > m->end - r->addr)
		return -EFAULT;
	if (r->new == r->old)
		return 0;
	if ((m->flags & VM_FRAMES) != 0)
		return -EFAULT;
	if (r->new < r->old)
		return 0;
	return vm_may_grow(r->vm, (r->new - r->old) >> PAGE_SHIFT, m->flags);
}

/* Grows the mapping where it is; -ENOMEM: something is in the way. */
static int
grow_in_place(struct remap *r)
{
	struct vm_mapping *m = r->m;
	uint64_t more = r->new - r->old;
	uaddr_t found;

	if (r->addr + r->old != m->end || m->end > USER_END - more ||
	    vm_tree_room(r->vm, more, m->end, m->end + more, &found) != 0)
		return -ENOMEM;
	vm_mapping_resize(r->vm, m, m->start, m->end + more);
	m = vm_mapping_merge(r->vm, m);
	if ((m->flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED)
		(void)vm_populate_locked(r->vm, r->addr + r->old,
		    r->addr + r->new, (m->flags & VM_WRITE) != 0);
	return 0;
}

/* A mapping like r->m's part, of the new size, for `to`. */
static struct vm_mapping *
make_moved(const struct remap *r, uaddr_t to)
{
	const struct vm_mapping *m = r->m;
	struct vm_mapping *copy = vm_mapping_dup(m);

	if (copy == NULL)
		return NULL;
	copy->start = to;
	copy->end = to + r->new;
	if (m->object != NULL || (m->flags & VM_FRAMES) != 0)
		copy->offset = m->offset + (r->addr - m->start);
	return copy;
}

/*
 * Moves to a free place.  The old place is cut out first, so that what can
 * fail comes before the entries move.
 */
static int
move_to(struct remap *r, uaddr_t to)
{
	struct vmspace *vm = r->vm;
	struct vm_mapping *copy;
	uint64_t size = MIN(r->old, r->new);
	bool fill, write;
	int error;

	/* Two more for the cuts at the old place, one for the new. */
	if (vm->nmappings + 3 > VM_MAX_MAPPINGS)
		return -ENOMEM;
	copy = make_moved(r, to);
	if (copy == NULL)
		return -ENOMEM;
	fill = (copy->flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;
	write = (copy->flags & VM_WRITE) != 0;
	vm_mapping_enter(vm, copy);
	error = vm_move_entries(vm, r->addr, to, size);
	if (error == 0 && (r->flags & VM_REMAP_DONTUNMAP) == 0 && r->old != 0) {
		error = vm_unmap_locked(vm, r->addr, r->addr + r->old);
		if (error != 0) /* tables at the old place still exist */
			(void)vm_move_entries(vm, to, r->addr, size);
	}
	if (error != 0) {
		vm_mapping_drop(vm, copy);
		return error;
	}
	if ((r->flags & VM_REMAP_DONTUNMAP) != 0)
		vm_mapping_set_flags(vm, r->m,
		    r->m->flags & ~(VM_LOCKED | VM_LOCKONFAULT));
	vm_mapping_merge(vm, copy);
	if (fill)
		(void)vm_populate_locked(vm, to, to + r->new, write);
	return 0;
}

static int
remap_fixed(struct remap *r, uaddr_t to)
{
	struct vmspace *vm = r->vm;
	int error;

	if (!vm_range_ok(to, r->new))
		return -EINVAL;
	if (r->addr + r->old > to && to + r->new > r->addr)
		return -EINVAL; /* the two overlap */
	if (vm->nmappings + 3 > VM_MAX_MAPPINGS)
		return -ENOMEM;
	error = vm_unmap_locked(vm, to, to + r->new);
	if (error == 0 && r->old > r->new) {
		error = vm_unmap_locked(vm, r->addr + r->new, r->addr + r->old);
		r->old = r->new;
	}
	if (error == 0)
		error = remap_check(r);
	return error != 0 ? error : move_to(r, to);
}

static int
remap_locked(struct remap *r, uaddr_t *out)
{
	int error;

	if ((r->flags & VM_REMAP_FIXED) != 0)
		return remap_fixed(r, *out);
	if (r->new < r->old) {
		error = remap_check(r);
		*out = r->addr;
		return error != 0 ?
		    error :
		    vm_unmap_locked(r->vm, r->addr + r->new, r->addr + r->old);
	}
	error = remap_check(r);
	if (error != 0)
		return error;
	*out = r->addr;
	if ((r->flags & VM_REMAP_DONTUNMAP) == 0) {
		if (r->new == r->old || grow_in_place(r) == 0)
			return 0;
		if ((r->flags & VM_REMAP_MAYMOVE) == 0)
			return -ENOMEM;
	}
	error = vm_place(r->vm, r->new, out);
	return error != 0 ? error : move_to(r, *out);
}

int
vm_remap(struct vmspace *vm, uaddr_t addr, uint64_t old_size, uint64_t new_size,
    unsigned flags, uaddr_t *out)
{
	struct remap r = { .vm = vm, .addr = addr, .flags = flags };
	int error;

	r.old = ROUND_UP(old_size, PAGE_SIZE);
	r.new = ROUND_UP(new_size, PAGE_SIZE);
	if ((addr & PAGE_MASK) != 0 || new_size == 0)
		return -EINVAL;
	if (r.new < new_size || r.new > USER_END)
		return -ENOMEM;
	if (addr >= USER_END || r.old > USER_END - addr)
		return -EFAULT;
	mutex_lock(&vm->lock);
	error = remap_locked(&r, out);
	mutex_unlock(&vm->lock);
	return error;
}
