/* SPDX-License-Identifier: ISC */
/*
 * vm_tree.c - the sorted set of an address space's mappings.
 *
 * A red-black tree by address.  Each node knows the hole below it and the
 * largest hole of its subtree, so that room is found in logarithmic time.
 * The tree macros renew that maximum where they rotate; from a changed node
 * up to the root it is renewed here.
 */
struct vm_mapping;
static void mapping_augment(struct vm_mapping *m);
#define RB_AUGMENT(m) mapping_augment(m)
#include "kern/vm_impl.h"

static int
mapping_compare(const struct vm_mapping *a, const struct vm_mapping *b)
{
	return (a->start > b->start) - (a->start < b->start);
}

static inline uint64_t
subtree_hole(const struct vm_mapping *m)
{
	return m == NULL ? 0 : m->max_hole;
}

static void
mapping_augment(struct vm_mapping *m)
{
	uint64_t hole = m->hole;

	hole = MAX(hole, subtree_hole(RB_LEFT(m, node)));
	m->max_hole = MAX(hole, subtree_hole(RB_RIGHT(m, node)));
}

#ifndef __unused
#define __unused __attribute__((unused))
#endif
RB_GENERATE_STATIC(vm_tree, vm_mapping, node, mapping_compare)

/* Renews the maxima from m up to the root. */
static void
augment_all(struct vm_mapping *m)
{
	for (; m != NULL; m = RB_PARENT(m, node))
		mapping_augment(m);
}

/* The same where only m's own hole changed: as far as that is felt. */
static void
augment_up(struct vm_mapping *m)
{
	uint64_t before;

	for (; m != NULL; m = RB_PARENT(m, node)) {
		before = m->max_hole;
		mapping_augment(m);
		if (m->max_hole == before)
			break;
	}
}

struct vm_mapping *
vm_tree_next(struct vm_mapping *m)
{
	return RB_NEXT(vm_tree, , m);
}

struct vm_mapping *
vm_tree_prev(struct vm_mapping *m)
{
	return RB_PREV(vm_tree, , m);
}

struct vm_mapping *
vm_tree_last(struct vmspace *vm)
{
	return RB_MAX(vm_tree, &vm->tree);
}

struct vm_mapping *
vm_tree_find(struct vmspace *vm, uaddr_t addr)
{
	struct vm_mapping *m = vm->last, *found = NULL;

	/* In it, or in the hole below it. */
	if (m != NULL && addr >= m->start - m->hole && addr < m->end)
		return m;
	m = RB_ROOT(&vm->tree);
	while (m != NULL) {
		if (addr < m->end) {
			found = m;
			if (addr >= m->start)
				break;
			m = RB_LEFT(m, node);
		} else {
			m = RB_RIGHT(m, node);
		}
	}
	if (found != NULL)
		vm->last = found;
	return found;
}

/* Renews m's own hole, given who stands below it. */
static void
renew_hole(struct vm_mapping *m, const struct vm_mapping *below)
{
	uaddr_t floor = below == NULL ? 0 : below->end;
	uaddr_t ceiling = m->start;

	if (vm_is_stack(m->flags))
		ceiling -= MIN(ceiling, VM_STACK_GUARD);
	m->hole = ceiling > floor ? ceiling - floor : 0;
}

void
vm_tree_resized(struct vmspace *vm, struct vm_mapping *m)
{
	struct vm_mapping *next = vm_tree_next(m);

	(void)vm;
	renew_hole(m, vm_tree_prev(m));
	augment_up(m);
	if (next != NULL) {
		renew_hole(next, m);
		augment_up(next);
	}
}

void
vm_tree_insert(struct vmspace *vm, struct vm_mapping *m)
{
	m->hole = m->max_hole = 0;
	RB_INSERT(vm_tree, &vm->tree, m);
	vm->nmappings++;
	vm_tree_resized(vm, m);
}

void
vm_tree_remove(struct vmspace *vm, struct vm_mapping *m)
{
	struct vm_mapping *next = vm_tree_next(m), *stale = NULL;

	/* With two children RB_REMOVE renews the maxima by itself. */
	if (RB_LEFT(m, node) == NULL || RB_RIGHT(m, node) == NULL)
		stale = RB_PARENT(m, node);
	RB_REMOVE(vm_tree, &vm->tree, m);
	vm->nmappings--;
	if (vm->last == m)
		vm->last = NULL;
	augment_all(stale);
	if (next != NULL) {
		renew_hole(next, vm_tree_prev(next));
		augment_up(next);
	}
}

/* The last mapping before m that has a hole of `size` below it, or NULL. */
static struct vm_mapping *
prev_with_hole(struct vm_mapping *m, uint64_t size)
{
	struct vm_mapping *up;

	if (subtree_hole(RB_LEFT(m, node)) < size) {
		for (;;) {
			up = RB_PARENT(m, node);
			if (up == NULL)
				return NULL;
			if (m == RB_RIGHT(up, node)) {
				m = up;
				if (m->hole >= size)
					return m;
				if (subtree_hole(RB_LEFT(m, node)) >= size)
					break;
			} else {
				m = up;
			}
		}
	}
	m = RB_LEFT(m, node);
	for (;;) {
		if (subtree_hole(RB_RIGHT(m, node)) >= size)
			m = RB_RIGHT(m, node);
		else if (m->hole >= size)
			return m;
		else
			m = RB_LEFT(m, node);
	}
}

/* [floor, ceiling) is free: does it offer size bytes inside [low, high)? */
static bool
offer(uaddr_t floor, uaddr_t ceiling, uint64_t size, uaddr_t low, uaddr_t high,
    uaddr_t *out)
{
	floor = MAX(floor, low);
	ceiling = MIN(ceiling, high);
	if (ceiling < floor || ceiling - floor < size)
		return false;
	*out = ceiling - size;
	return true;
}

int
vm_tree_room(struct vmspace *vm, uint64_t size, uaddr_t low, uaddr_t high,
    uaddr_t *out)
{
	struct vm_mapping *m = vm_tree_find(vm, high - 1);
	struct vm_mapping *below;

	if (m == NULL) { /* nothing ends above: the room below high itself */
		m = vm_tree_last(vm);
		if (offer(m == NULL ? 0 : m->end, high, size, low, high, out))
			return 0;
	}
	for (; m != NULL && m->end > low; m = prev_with_hole(m, size)) {
		if (m->hole < size)
			continue;
		below = vm_tree_prev(m);
		if (offer(below == NULL ? 0 : below->end,
			(below == NULL ? 0 : below->end) + m->hole, size, low,
			high, out))
			return 0;
	}
	return -ENOMEM;
}
