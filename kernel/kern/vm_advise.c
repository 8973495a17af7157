/* SPDX-License-Identifier: ISC */
/*
 * vm_advise.c - what programs tell and ask about ranges of their memory:
 * madvise(2), msync(2), mincore(2), mlock(2) and their relatives.
 */
#include "kern/string.h"
#include "kern/vm_impl.h"

/*
 * Gives the part of m inside [start, end) other flags; splits and merges as
 * need be.  *mp is the mapping that holds the part afterwards.
 */
static int
change_flags(struct vmspace *vm, struct vm_mapping **mp, uaddr_t start,
    uaddr_t end, unsigned flags)
{
	struct vm_mapping *m = *mp;
	int error;

	if (flags == m->flags)
		return 0;
	if (m->start < start) {
		error = vm_mapping_split(vm, m, start);
		if (error != 0)
			return error;
		m = vm_tree_next(m);
	}
	if (m->end > end) {
		error = vm_mapping_split(vm, m, end);
		if (error != 0)
			return error;
	}
	vm_mapping_set_flags(vm, m, flags);
	*mp = vm_mapping_merge(vm, m);
	return 0;
}

static int
advise_discard(struct vmspace *vm, struct vm_mapping *m, uaddr_t start,
    uaddr_t end, enum vm_advice advice)
{
	uint64_t first = vm_index(m, start), last = vm_index(m, end - 1);
	struct vm_object *o = m->object;
	int error;

	if ((m->flags & VM_FRAMES) != 0 || (m->flags & VM_LOCKED) != 0)
		return -EINVAL;
	if (advice == VM_ADVISE_FREE &&
	    (o != NULL || (m->flags & VM_SHARED) != 0))
		return -EINVAL;
	if (advice != VM_ADVISE_REMOVE) {
		vm_zap(vm, start, end, ZAP_ALL);
		return 0;
	}
	if (o == NULL || o->ops->punch == NULL)
		return -EINVAL;
	if ((m->flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return -EACCES;
	vm_object_get(o);
	error = o->ops->punch(o, first, last);
	vm_object_put(o);
	return error;
}

static int
advise_populate(struct vmspace *vm, const struct vm_mapping *m, uaddr_t start,
    uaddr_t end, bool write)
{
	int error;

	if ((m->flags & VM_FRAMES) != 0 || (m->flags & VM_PROT) == 0 ||
	    (write && (m->flags & VM_WRITE) == 0))
		return -EINVAL;
	error = vm_populate_locked(vm, start, end, write);
	return error == -EFAULT ? -EFAULT : error;
}

/* One mapping's part [start, end). */
static int
advise_one(struct vmspace *vm, struct vm_mapping **mp, uaddr_t start,
    uaddr_t end, enum vm_advice advice)
{
	struct vm_mapping *m = *mp;
	unsigned f = m->flags;

	switch (advice) {
	case VM_ADVISE_NOTHING:
	case VM_ADVISE_WILLNEED: return 0;
	case VM_ADVISE_DONTNEED:
	case VM_ADVISE_FREE:
	case VM_ADVISE_REMOVE: return advise_discard(vm, m, start, end, advice);
	case VM_ADVISE_POPULATE_READ:
	case VM_ADVISE_POPULATE_WRITE:
		return advise_populate(vm, m, start, end,
		    advice == VM_ADVISE_POPULATE_WRITE);
	case VM_ADVISE_DONTFORK: f |= VM_DONTCOPY; break;
	case VM_ADVISE_DOFORK:
		if ((f & VM_FRAMES) != 0)
			return -EINVAL;
		f &= ~VM_DONTCOPY;
		break;
	case VM_ADVISE_WIPEONFORK:
		if (m->object != NULL || (f & VM_SHARED) != 0)
			return -EINVAL;
		f |= VM_WIPEONFORK;
		break;
	case VM_ADVISE_KEEPONFORK: f &= ~VM_WIPEONFORK; break;
	case VM_ADVISE_DONTDUMP: f |= VM_DONTDUMP; break;
	case VM_ADVISE_DODUMP: f &= ~VM_DONTDUMP; break;
	}
	return change_flags(vm, mp, start, end, f);
}

static int
advise_locked(struct vmspace *vm, uaddr_t start, uaddr_t end,
    enum vm_advice advice)
{
	struct vm_mapping *m = vm_tree_find(vm, start);
	int error, holes = 0;

	while (start < end) {
		if (m == NULL || m->start >= end)
			return -ENOMEM;
		if (m->start > start) {
			if (advice == VM_ADVISE_POPULATE_READ ||
			    advice == VM_ADVISE_POPULATE_WRITE)
				return -ENOMEM;
			holes = -ENOMEM;
			start = m->start;
		}
		error = advise_one(vm, &m, start, MIN(end, m->end), advice);
		if (error != 0)
			return error;
		start = m->end;
		m = vm_tree_next(m);
	}
	return holes;
}

int
vm_advise(struct vmspace *vm, uaddr_t addr, uint64_t size,
    enum vm_advice advice)
{
	int error;

	size = ROUND_UP(size, PAGE_SIZE);
	if (size == 0)
		return 0;
	if (!vm_range_ok(addr, size))
		return -ENOMEM;
	mutex_lock(&vm->lock);
	error = advise_locked(vm, addr, addr + size, advice);
	mutex_unlock(&vm->lock);
	return error;
}

/*
 * Writes one mapping's pages back, the address space unlocked meanwhile: the
 * object is held instead.
 */
static int
sync_object(struct vmspace *vm, const struct vm_mapping *m, uaddr_t start,
    uaddr_t end)
{
	struct vm_object *o = m->object;
	uint64_t first = vm_index(m, start), last = vm_index(m, end - 1);
	int error;

	vm_object_get(o);
	mutex_unlock(&vm->lock);
	error = o->ops->sync(o, first, last);
	vm_object_put(o);
	mutex_lock(&vm->lock);
	return error;
}

int
vm_sync(struct vmspace *vm, uaddr_t addr, uint64_t size, bool write_back,
    bool invalidate)
{
	uaddr_t end = addr + ROUND_UP(size, PAGE_SIZE), stop;
	struct vm_mapping *m;
	int error = 0, holes = 0;

	if (end == addr)
		return 0;
	if (end < addr)
		return -ENOMEM;
	mutex_lock(&vm->lock);
	while (addr < end && error == 0) {
		m = vm_tree_find(vm, addr);
		if (m == NULL || m->start >= end) {
			holes = -ENOMEM;
			break;
		}
		if (m->start > addr) {
			holes = -ENOMEM;
			addr = m->start;
		}
		stop = MIN(end, m->end);
		if (invalidate && (m->flags & VM_LOCKED) != 0)
			error = -EBUSY;
		else if (write_back && (m->flags & VM_SHARED) != 0 &&
		    m->object != NULL && m->object->ops->sync != NULL)
			error = sync_object(vm, m, addr, stop);
		addr = stop;
	}
	mutex_unlock(&vm->lock);
	return error != 0 ? error : holes;
}

/* Is the page at va in memory: mapped, or in its object? */
static bool
page_resident(struct vmspace *vm, const struct vm_mapping *m, uaddr_t va)
{
	struct vm_object *o = m->object;
	struct page *p = NULL;
	uint64_t *slot;
	bool mapped;

	spin_lock(&vm->pt_lock);
	slot = pt_slot(vm->root, va, false);
	mapped = slot != NULL && *slot != 0;
	spin_unlock(&vm->pt_lock);
	if (mapped || o == NULL || o->ops->peek_pages == NULL)
		return mapped;
	if (o->ops->peek_pages(o, vm_index(m, va), 1, &p) == 0 || p == NULL)
		return false;
	page_put(p);
	return true;
}

int
vm_resident(struct vmspace *vm, uaddr_t addr, unsigned n, uint8_t *vec)
{
	struct vm_mapping *m;
	int error = 0;
	unsigned i;

	mutex_lock(&vm->lock);
	for (i = 0; i < n; i++, addr += PAGE_SIZE) {
		m = vm_tree_find(vm, addr);
		if (m == NULL || m->start > addr) {
			error = -ENOMEM;
			break;
		}
		vec[i] = page_resident(vm, m, addr);
	}
	mutex_unlock(&vm->lock);
	return error;
}

/* Pages of [start, end) that are not locked yet. */
static uint64_t
count_unlocked(struct vmspace *vm, uaddr_t start, uaddr_t end)
{
	struct vm_mapping *m = vm_tree_find(vm, start);
	uint64_t n = 0;

	for (; m != NULL && m->start < end; m = vm_tree_next(m))
		if ((m->flags & VM_LOCKED) == 0)
			n += (MIN(end, m->end) - MAX(start, m->start)) >>
			    PAGE_SHIFT;
	return n;
}

static int
lock_range(struct vmspace *vm, uaddr_t start, uaddr_t end, unsigned lock)
{
	struct vm_mapping *m = vm_tree_find(vm, start);
	int error;

	while (start < end) {
		if (m == NULL || m->start > start)
			return -ENOMEM;
		if ((m->flags & VM_FRAMES) == 0) {
			error = change_flags(vm, &m, start, MIN(end, m->end),
			    (m->flags & ~(VM_LOCKED | VM_LOCKONFAULT)) | lock);
			if (error != 0)
				return error;
		}
		start = m->end;
		m = vm_tree_next(m);
	}
	return 0;
}

/* Faults locked mappings of [start, end) in, each as it may be touched. */
static int
fill_locked(struct vmspace *vm, uaddr_t start, uaddr_t end)
{
	struct vm_mapping *m = vm_tree_find(vm, start);
	int error = 0;

	for (; m != NULL && m->start < end && error == 0; m = vm_tree_next(m)) {
		if ((m->flags & (VM_LOCKED | VM_LOCKONFAULT)) != VM_LOCKED)
			continue;
		error = vm_populate_locked(vm, MAX(start, m->start),
		    MIN(end, m->end),
		    (m->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE);
	}
	if (error == -ENOMEM)
		return -EAGAIN;
	return error == -EFAULT ? -ENOMEM : error;
}

int
vm_lock(struct vmspace *vm, uaddr_t addr, uint64_t size, unsigned lock,
    uint64_t max_pages)
{
	uaddr_t end = addr + size;
	int error;

	if (size == 0)
		return 0;
	if (!vm_range_ok(addr, size))
		return -ENOMEM;
	mutex_lock(&vm->lock);
	if (lock != 0 && vm->locked + count_unlocked(vm, addr, end) > max_pages)
		error = -ENOMEM;
	else
		error = lock_range(vm, addr, end, lock);
	if (error == 0 && lock == VM_LOCKED)
		error = fill_locked(vm, addr, end);
	mutex_unlock(&vm->lock);
	return error;
}

int
vm_lock_all(struct vmspace *vm, bool current, unsigned now, unsigned future,
    uint64_t max_pages)
{
	struct vm_mapping *m;
	int error = 0;

	mutex_lock(&vm->lock);
	if (current && now != 0 && vm->total > max_pages)
		error = -ENOMEM;
	if (error == 0)
		vm->future = future;
	for (m = vm_tree_find(vm, 0); current && error == 0 && m != NULL;
	     m = vm_tree_next(m)) {
		if ((m->flags & VM_FRAMES) == 0)
			(void)change_flags(vm, &m, m->start, m->end,
			    (m->flags & ~(VM_LOCKED | VM_LOCKONFAULT)) | now);
	}
	if (current && error == 0 && now == VM_LOCKED)
		(void)fill_locked(vm, 0, USER_END); /* as far as it goes */
	mutex_unlock(&vm->lock);
	return error;
}
