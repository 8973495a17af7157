/* SPDX-License-Identifier: ISC */
/*
 * vm_edit.c - a mapping's life: entered, split, resized, merged, dropped.
 * Keeps the address space's counts and the objects' lists true.
 */
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/vm_impl.h"

static struct objcache mapping_cache = OBJCACHE_INIT("vm_mapping",
    sizeof(struct vm_mapping));

struct vm_mapping *
vm_mapping_dup(const struct vm_mapping *m)
{
	struct vm_mapping *copy = objcache_alloc(&mapping_cache);

	if (copy == NULL)
		return NULL;
	*copy = *m;
	if (copy->object != NULL)
		vm_object_get(copy->object);
	return copy;
}

void
vm_mapping_free(struct vm_mapping *m)
{
	if (m->object != NULL)
		vm_object_put(m->object);
	objcache_free(&mapping_cache, m);
}

/* Adds (or with n < 0 takes away) n pages of mappings with these flags. */
static void
count_pages(struct vmspace *vm, unsigned flags, int64_t n)
{
	vm->total += n;
	if (vm_is_stack(flags))
		vm->stack += n;
	else if (vm_is_data(flags))
		vm->data += n;
	else if (vm_is_text(flags))
		vm->text += n;
	if ((flags & VM_LOCKED) != 0)
		vm->locked += n;
}

static uint64_t
mapping_pages(const struct vm_mapping *m)
{
	return (m->end - m->start) >> PAGE_SHIFT;
}

void
vm_mapping_enter(struct vmspace *vm, struct vm_mapping *m)
{
	struct vm_object *o = m->object;

	KASSERT(m->start < m->end && (m->start & PAGE_MASK) == 0);
	m->vm = vm;
	vm_tree_insert(vm, m);
	count_pages(vm, m->flags, mapping_pages(m));
	if (o == NULL)
		return;
	spin_lock(&o->lock);
	TAILQ_INSERT_TAIL(&o->mappings, m, object_link);
	spin_unlock(&o->lock);
}

void
vm_mapping_drop(struct vmspace *vm, struct vm_mapping *m)
{
	struct vm_object *o = m->object;

	if (o != NULL) {
		spin_lock(&o->lock);
		TAILQ_REMOVE(&o->mappings, m, object_link);
		spin_unlock(&o->lock);
	}
	count_pages(vm, m->flags, -(int64_t)mapping_pages(m));
	vm_tree_remove(vm, m);
	vm_mapping_free(m);
}

/* The offset of m moves with its start. */
void
vm_mapping_resize(struct vmspace *vm, struct vm_mapping *m, uaddr_t start,
    uaddr_t end)
{
	struct vm_object *o = m->object;

	KASSERT(start < end);
	count_pages(vm, m->flags, -(int64_t)mapping_pages(m));
	if (o != NULL)
		spin_lock(&o->lock);
	if (o != NULL || (m->flags & VM_FRAMES) != 0)
		m->offset += start - m->start;
	m->start = start;
	m->end = end;
	if (o != NULL)
		spin_unlock(&o->lock);
	vm_tree_resized(vm, m);
	count_pages(vm, m->flags, mapping_pages(m));
}

void
vm_mapping_set_flags(struct vmspace *vm, struct vm_mapping *m, unsigned flags)
{
	count_pages(vm, m->flags, -(int64_t)mapping_pages(m));
	m->flags = flags;
	count_pages(vm, m->flags, mapping_pages(m));
}

int
vm_mapping_split(struct vmspace *vm, struct vm_mapping *m, uaddr_t at)
{
	struct vm_mapping *upper;

	KASSERT(at > m->start && at < m->end);
	if (vm->nmappings >= VM_MAX_MAPPINGS)
		return -ENOMEM;
	upper = vm_mapping_dup(m);
	if (upper == NULL)
		return -ENOMEM;
	upper->start = at;
	if (m->object != NULL || (m->flags & VM_FRAMES) != 0)
		upper->offset = m->offset + (at - m->start);
	vm_mapping_resize(vm, m, m->start, at);
	vm_mapping_enter(vm, upper);
	return 0;
}

/* May a and b, a directly below b, be one mapping? */
static bool
mergeable(const struct vm_mapping *a, const struct vm_mapping *b)
{
	if (a->end != b->start || a->flags != b->flags ||
	    a->object != b->object || a->name != b->name ||
	    (a->flags & VM_FRAMES) != 0)
		return false;
	return a->object == NULL ||
	    a->offset + (a->end - a->start) == b->offset;
}

/* a takes in b, which stands directly above. */
static void
absorb(struct vmspace *vm, struct vm_mapping *a, struct vm_mapping *b)
{
	uaddr_t end = b->end;

	vm_mapping_drop(vm, b);
	vm_mapping_resize(vm, a, a->start, end);
}

bool
vm_mapping_extend(struct vmspace *vm, const struct vm_mapping *m)
{
	struct vm_mapping *above = vm_tree_find(vm, m->start);
	struct vm_mapping *below;

	below = above == NULL ? vm_tree_last(vm) : vm_tree_prev(above);
	if (below != NULL && mergeable(below, m)) {
		vm_mapping_resize(vm, below, below->start, m->end);
		if (above != NULL && mergeable(below, above))
			absorb(vm, below, above);
		return true;
	}
	if (above == NULL || !mergeable(m, above))
		return false;
	vm_mapping_resize(vm, above, m->start, above->end);
	return true;
}

struct vm_mapping *
vm_mapping_merge(struct vmspace *vm, struct vm_mapping *m)
{
	struct vm_mapping *other;

	other = vm_tree_next(m);
	if (other != NULL && mergeable(m, other))
		absorb(vm, m, other);
	other = vm_tree_prev(m);
	if (other == NULL || !mergeable(other, m))
		return m;
	absorb(vm, other, m);
	return other;
}
