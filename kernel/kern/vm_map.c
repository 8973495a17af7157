/* SPDX-License-Identifier: ISC */
/*
 * vm_map.c - mappings made, removed and protected; the brk area; limits.
 */
#include "kern/panic.h"
#include "kern/vm_impl.h"

bool
vm_range_ok(uaddr_t start, uint64_t size)
{
	return (start & PAGE_MASK) == 0 && size != 0 && size <= USER_END &&
	    start <= USER_END - size;
}

int
vm_may_grow(struct vmspace *vm, uint64_t pages, unsigned flags)
{
	const struct vm_layout *l = &vm->layout;
	struct page_stats stats;

	if (vm->total + pages > l->as_max >> PAGE_SHIFT)
		return -ENOMEM;
	if (vm_is_data(flags) && vm->data + pages > l->data_max >> PAGE_SHIFT)
		return -ENOMEM;
	if ((flags & VM_LOCKED) != 0 &&
	    vm->locked + pages > l->lock_max >> PAGE_SHIFT)
		return -EAGAIN;
	/* Linux's heuristic: refuse what could never be filled. */
	if (vm_is_data(flags) && (flags & VM_NORESERVE) == 0 && pages > 1024) {
		page_stats(&stats);
		if (pages > stats.total)
			return -ENOMEM;
	}
	return 0;
}

int
vm_place(struct vmspace *vm, uint64_t size, uaddr_t *out)
{
	uaddr_t top = vm->layout.mmap_top;

	if (top == 0 || top > USER_END)
		top = USER_END;
	if (size > USER_END)
		return -ENOMEM;
	if (vm_tree_room(vm, size, VM_MIN_ADDR, top, out) == 0)
		return 0;
	return vm_tree_room(vm, size, VM_MIN_ADDR, USER_END, out);
}

/* Is the hint itself free? */
static bool
hint_free(struct vmspace *vm, uaddr_t hint, uint64_t size)
{
	uaddr_t found;

	return hint >= VM_MIN_ADDR && vm_range_ok(hint, size) &&
	    vm_tree_room(vm, size, hint, hint + size, &found) == 0;
}

/* Decides where a new mapping goes. */
static int
choose_place(struct vmspace *vm, uaddr_t *addr, uint64_t size, unsigned flags)
{
	struct vm_mapping *m;

	if (size == 0)
		return -EINVAL;
	if ((flags & VM_FIXED) == 0) {
		uaddr_t hint = ROUND_DOWN(*addr, PAGE_SIZE);

		if (*addr != 0 && hint < VM_MIN_ADDR)
			hint = VM_MIN_ADDR;
		*addr = hint;
		if (hint != 0 && hint_free(vm, hint, size))
			return 0;
		return vm_place(vm, size, addr);
	}
	if (size > USER_END || *addr > USER_END - size)
		return -ENOMEM;
	if ((*addr & PAGE_MASK) != 0)
		return -EINVAL;
	if ((flags & VM_NOREPLACE) != 0) {
		m = vm_tree_find(vm, *addr);
		if (m != NULL && m->start < *addr + size)
			return -EEXIST;
	}
	return 0;
}

int
vm_find_room(struct vmspace *vm, uint64_t size, uaddr_t *out)
{
	int error;

	mutex_lock(&vm->lock);
	error = vm_place(vm, ROUND_UP(size, PAGE_SIZE), out);
	mutex_unlock(&vm->lock);
	return error;
}

/* The usual case: the range is one end of one mapping, which shrinks. */
static bool
unmap_edge(struct vmspace *vm, struct vm_mapping *m, uaddr_t start, uaddr_t end)
{
	bool tables;

	if (start < m->start || end > m->end ||
	    (start == m->start) == (end == m->end))
		return false;
	tables = vm_zap(vm, start, end, ZAP_ALL);
	if (start == m->start)
		vm_mapping_resize(vm, m, end, m->end);
	else
		vm_mapping_resize(vm, m, m->start, start);
	if (tables)
		vm_prune(vm, start, end);
	return true;
}

/*
 * Takes everything out of [start, end).  Both splits are made before the first
 * change, so that a failure leaves all as it was.
 */
int
vm_unmap_locked(struct vmspace *vm, uaddr_t start, uaddr_t end)
{
	struct vm_mapping *m, *next;
	bool tables;
	int error;

	m = vm_tree_find(vm, start);
	if (m == NULL || m->start >= end)
		return 0;
	if (unmap_edge(vm, m, start, end))
		return 0;
	if (m->start < start) {
		error = vm_mapping_split(vm, m, start);
		if (error != 0)
			return error;
		m = vm_tree_next(m);
	}
	next = vm_tree_find(vm, end - 1);
	if (next != NULL && next->start < end && next->end > end) {
		error = vm_mapping_split(vm, next, end);
		if (error != 0) {
			vm_mapping_merge(vm, m);
			return error;
		}
	}
	tables = vm_zap(vm, start, end, ZAP_ALL);
	for (; m != NULL && m->start < end; m = next) {
		next = vm_tree_next(m);
		vm_mapping_drop(vm, m);
	}
	if (tables)
		vm_prune(vm, start, end);
	return 0;
}

int
vm_unmap(struct vmspace *vm, uaddr_t addr, uint64_t size)
{
	int error;

	size = ROUND_UP(size, PAGE_SIZE);
	if (!vm_range_ok(addr, size))
		return -EINVAL;
	mutex_lock(&vm->lock);
	error = vm_unmap_locked(vm, addr, addr + size);
	mutex_unlock(&vm->lock);
	return error;
}

#define MAPPING_FLAGS                                                     \
	(VM_PROT | VM_SHARED | VM_GROWSDOWN | VM_MAYWRITE | VM_DONTCOPY | \
	    VM_LOCKED | VM_LOCKONFAULT | VM_NORESERVE | VM_FRAMES)

/* Pages of [start, end) that are mapped. */
static uint64_t
mapped_pages(struct vmspace *vm, uaddr_t start, uaddr_t end)
{
	struct vm_mapping *m = vm_tree_find(vm, start);
	uint64_t n = 0;

	for (; m != NULL && m->start < end; m = vm_tree_next(m))
		n += (MIN(m->end, end) - MAX(m->start, start)) >> PAGE_SHIFT;
	return n;
}

/* Enters a mapping like `what`, whose place is free. */
static int
enter_new(struct vmspace *vm, const struct vm_mapping *what)
{
	struct vm_mapping *m;

	if (vm_mapping_extend(vm, what))
		return 0;
	m = vm_mapping_dup(what);
	if (m == NULL)
		return -ENOMEM;
	vm_mapping_enter(vm, m);
	return 0;
}

/* The same where something may stand already: nothing fails half way. */
static int
enter_fixed(struct vmspace *vm, const struct vm_mapping *what)
{
	struct vm_mapping *m = vm_mapping_dup(what);
	int error;

	if (m == NULL)
		return -ENOMEM;
	error = vm_unmap_locked(vm, what->start, what->end);
	if (error != 0 || vm_mapping_extend(vm, m))
		vm_mapping_free(m);
	else
		vm_mapping_enter(vm, m);
	return error;
}

/* Maps what `m` says, except for the place, which comes from *addr. */
static int
map_locked(struct vmspace *vm, uaddr_t *addr, uint64_t size, unsigned flags,
    struct vm_mapping *m)
{
	uint64_t pages = size >> PAGE_SHIFT;
	int error;

	error = choose_place(vm, addr, size, flags);
	if (error != 0)
		return error;
	m->start = *addr;
	m->end = *addr + size;
	if (vm->nmappings >= VM_MAX_MAPPINGS)
		return -ENOMEM;
	if ((flags & VM_FIXED) != 0) /* what it replaces does not count */
		pages -= mapped_pages(vm, m->start, m->end);
	error = vm_may_grow(vm, pages, m->flags);
	if (error != 0)
		return error;
	return (flags & VM_FIXED) != 0 ? enter_fixed(vm, m) : enter_new(vm, m);
}

/* What a mapping with these flags is, of nowhere yet. */
static void
mapping_fill(struct vm_mapping *m, unsigned flags, struct vm_object *object,
    uint64_t offset)
{
	m->flags = flags & MAPPING_FLAGS;
	if ((flags & (VM_SHARED | VM_FRAMES)) == 0)
		m->flags |= VM_MAYWRITE;
	m->offset = object != NULL || (flags & VM_FRAMES) != 0 ? offset : 0;
	m->object = object;
	m->name = NULL;
}

int
vm_map(struct vmspace *vm, uaddr_t *addr, uint64_t size, unsigned flags,
    struct vm_object *object, uint64_t offset)
{
	struct vm_mapping m;
	bool fill;
	int error;

	if ((offset & PAGE_MASK) != 0)
		return -EINVAL;
	if (size > USER_END)
		return -ENOMEM;
	size = ROUND_UP(size, PAGE_SIZE);
	mapping_fill(&m, flags, object, offset);
	mutex_lock(&vm->lock);
	m.flags |= vm->future;
	fill = (flags & VM_POPULATE) != 0 ||
	    (m.flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;
	error = map_locked(vm, addr, size, flags, &m);
	if (error == 0 && fill) /* best effort, as on Linux */
		(void)vm_populate_locked(vm, *addr, *addr + size,
		    (flags & (VM_WRITE | VM_SHARED)) == VM_WRITE);
	mutex_unlock(&vm->lock);
	return error;
}

int
vm_map_frames(struct vmspace *vm, uaddr_t addr, uint64_t size, unsigned flags,
    paddr_t pa, const char *name)
{
	struct vm_mapping m;
	int error;

	mapping_fill(&m, (flags & ~VM_WRITE) | VM_FRAMES, NULL, pa);
	m.name = name;
	mutex_lock(&vm->lock);
	error = map_locked(vm, &addr, ROUND_UP(size, PAGE_SIZE),
	    VM_FIXED | VM_NOREPLACE, &m);
	mutex_unlock(&vm->lock);
	return error;
}

/* Cuts m down to its part inside [start, end); *m is that part. */
static int
isolate(struct vmspace *vm, struct vm_mapping **m, uaddr_t start, uaddr_t end)
{
	int error;

	if ((*m)->start < start) {
		error = vm_mapping_split(vm, *m, start);
		if (error != 0)
			return error;
		*m = vm_tree_next(*m);
	}
	if ((*m)->end > end)
		return vm_mapping_split(vm, *m, end);
	return 0;
}

static int
protect_one(struct vmspace *vm, struct vm_mapping **mp, uaddr_t start,
    uaddr_t end, unsigned prot)
{
	unsigned flags = ((*mp)->flags & ~VM_PROT) | prot;
	struct vm_mapping *m;
	int error;

	if (flags == (*mp)->flags)
		return 0;
	if ((prot & VM_WRITE) != 0 && (flags & VM_MAYWRITE) == 0)
		return -EACCES;
	start = MAX(start, (*mp)->start);
	end = MIN(end, (*mp)->end);
	if (vm_is_data(flags) && !vm_is_data((*mp)->flags) &&
	    vm->data + ((end - start) >> PAGE_SHIFT) > vm->layout.data_max >>
		PAGE_SHIFT)
		return -ENOMEM;
	error = isolate(vm, mp, start, end);
	if (error != 0)
		return error;
	m = *mp;
	vm_mapping_set_flags(vm, m, flags);
	vm_reprotect(vm, m, start, end);
	*mp = vm_mapping_merge(vm, m);
	return 0;
}

static int
protect_locked(struct vmspace *vm, uaddr_t start, uaddr_t end, unsigned prot)
{
	struct vm_mapping *m = vm_tree_find(vm, start);
	int error;

	if ((prot & VM_GROWSDOWN) != 0) {
		if (m == NULL || m->start >= end)
			return -ENOMEM;
		if (!vm_is_stack(m->flags))
			return -EINVAL;
		start = m->start;
	}
	while (start < end) {
		if (m == NULL || m->start > start)
			return -ENOMEM;
		error = protect_one(vm, &m, start, end, prot & VM_PROT);
		if (error != 0)
			return error;
		start = m->end;
		m = vm_tree_next(m);
	}
	return 0;
}

int
vm_protect(struct vmspace *vm, uaddr_t addr, uint64_t size, unsigned prot)
{
	int error;

	size = ROUND_UP(size, PAGE_SIZE);
	if (size == 0)
		return 0;
	if (!vm_range_ok(addr, size))
		return -ENOMEM;
	mutex_lock(&vm->lock);
	error = protect_locked(vm, addr, addr + size, prot);
	mutex_unlock(&vm->lock);
	return error;
}

static int
brk_locked(struct vmspace *vm, uaddr_t old, uaddr_t new)
{
	uaddr_t at = old, found;
	uint64_t size = new - old;
	struct vm_mapping m;
	int error;

	if (new < old)
		return vm_unmap_locked(vm, new, old);
	/* The hole below a stack already leaves out its guard. */
	if (vm_tree_room(vm, size, old, new, &found) != 0)
		return -ENOMEM;
	mapping_fill(&m, VM_READ | VM_WRITE | vm->future, NULL, 0);
	error = map_locked(vm, &at, size, VM_FIXED | VM_NOREPLACE, &m);
	if (error == 0 &&
	    (vm->future & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED)
		(void)vm_populate_locked(vm, old, new, true);
	return error;
}

uaddr_t
vm_brk(struct vmspace *vm, uaddr_t end)
{
	struct vm_layout *l = &vm->layout;
	uaddr_t old, new;

	mutex_lock(&vm->lock);
	old = ROUND_UP(l->brk, PAGE_SIZE);
	new = ROUND_UP(end, PAGE_SIZE);
	if (end >= l->brk_start && end <= USER_END &&
	    end - l->brk_start <= l->data_max &&
	    (new == old || brk_locked(vm, old, new) == 0))
		l->brk = end;
	end = l->brk;
	mutex_unlock(&vm->lock);
	return end;
}
