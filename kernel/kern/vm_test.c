/* SPDX-License-Identifier: ISC */
/*
 * vm_test.c - address spaces on the host: random operations, compared with a
 * model that knows nothing but pages.
 *
 * The machine below is vm_testbed.h.
 */
/* unit: kernel/kern/vm_tree.c kernel/kern/vm_edit.c kernel/kern/vm_map.c kernel/kern/vm_pt.c kernel/kern/vm_fault.c kernel/kern/vm_object.c kernel/kern/vm_space.c kernel/kern/vm_remap.c kernel/kern/vm_advise.c kernel/kern/vm_pin.c */
#include "kern/vm_testbed.h"

/* --------------------------------------------------------- the model -- */

#define WINDOW      ((uaddr_t)0x20000000)
#define WINDOW_SIZE 700u /* pages: more than one table's */
#define SPACES      3
#define OBJECTS     2

struct mpage {
	bool mapped, shared, own; /* own: a private copy, `value` */
	bool locked;
	unsigned prot;
	int object; /* -1: none */
	uint64_t index, value;
};

struct space {
	struct vmspace *vm;
	struct mpage page[WINDOW_SIZE];
};

static struct space space[SPACES];
static struct test_object object[OBJECTS];
static uint64_t object_value[OBJECTS][OBJECT_PAGES];

static uaddr_t
addr_of(unsigned i)
{
	return WINDOW + i * PAGE_SIZE;
}

/* What the machine does for a program's access; the fault's errno. */
static int
touch(struct vmspace *vm, uaddr_t va, unsigned access, uint64_t *value)
{
	int error, signo, code, i;
	uint64_t *slot, *at;

	for (i = 0; i < 4; i++) {
		slot = pt_slot(vm->root, va, false);
		if (slot != NULL && (*slot & PTE_P) != 0 &&
		    (access != VM_WRITE || (*slot & PTE_W) != 0) &&
		    (access != VM_EXEC || (*slot & PTE_NX) == 0)) {
			tlb_note(va, *slot);
			at = paddr_kva(*slot & PTE_ADDR);
			if (access == VM_WRITE)
				*at = *value;
			else
				*value = *at;
			return 0;
		}
		error = vm_fault(vm, va, access, &signo, &code);
		if (error != 0)
			return error;
	}
	fail_msg("a fault that never ends");
	return 0;
}

static bool
model_allows(const struct mpage *p, unsigned access)
{
	if (!p->mapped)
		return false;
	if (access == VM_WRITE)
		return (p->prot & VM_WRITE) != 0;
	if (access == VM_EXEC)
		return (p->prot & VM_EXEC) != 0;
	return p->prot != 0;
}

static uint64_t
model_value(const struct mpage *p)
{
	if (p->own || p->object < 0)
		return p->own ? p->value : 0;
	return object_value[p->object][p->index];
}

static void
op_touch(struct space *s)
{
	static const unsigned kinds[] = { VM_READ, VM_WRITE, VM_EXEC };
	unsigned i = rnd(WINDOW_SIZE), access = kinds[rnd(3)];
	struct mpage *p = &s->page[i];
	uint64_t value = rnd(1000000) + 1;
	int error = touch(s->vm, addr_of(i), access, &value);

	if (!model_allows(p, access)) {
		assert_int_equal(error, -EFAULT);
		return;
	}
	if (p->object >= 0 && !p->own && p->index >= object[p->object].pages) {
		assert_int_equal(error, -EFAULT);
		return;
	}
	if (error == -ENOMEM && fail_one_in != 0)
		return;
	assert_int_equal(error, 0);
	if (access != VM_WRITE) {
		assert_int_equal(value, model_value(p));
	} else if (p->shared) {
		object_value[p->object][p->index] = value;
	} else {
		p->own = true;
		p->value = value;
	}
}

static void
pick_range(unsigned *first, unsigned *n)
{
	*first = rnd(WINDOW_SIZE);
	*n = 1 + rnd(rnd(4) == 0 ? 200 : 12);
	if (*first + *n > WINDOW_SIZE)
		*n = WINDOW_SIZE - *first;
}

static void
op_map(struct space *s)
{
	unsigned first, n, i, flags = rnd(8) | VM_FIXED;
	int obj = rnd(2) == 0 ? -1 : (int)rnd(OBJECTS), error;
	uint64_t index = rnd(OBJECT_PAGES - 12);
	uaddr_t at;

	pick_range(&first, &n);
	if (obj >= 0) {
		n = MIN(n, 12u);
		if (rnd(2) == 0)
			flags |= VM_SHARED | VM_MAYWRITE;
	}
	if (rnd(8) == 0)
		flags |= VM_POPULATE;
	at = addr_of(first);
	error = vm_map(s->vm, &at, n * PAGE_SIZE, flags,
	    obj < 0 ? NULL : &object[obj].object, index << PAGE_SHIFT);
	if (error == -ENOMEM && fail_one_in != 0)
		return;
	assert_int_equal(error, 0);
	assert_int_equal(at, addr_of(first));
	for (i = first; i < first + n; i++)
		s->page[i] = (struct mpage){ .mapped = true,
			.shared = (flags & VM_SHARED) != 0,
			.prot = flags & VM_PROT,
			.object = obj,
			.index = obj < 0 ? 0 : index + (i - first) };
	if (obj < 0 ||
	    (flags & (VM_POPULATE | VM_WRITE | VM_SHARED)) !=
		(VM_POPULATE | VM_WRITE))
		return;
	for (i = first; i < first + n; i++) { /* copied at once */
		s->page[i].own = true;
		s->page[i].value = object_value[obj][s->page[i].index];
	}
}

static void
op_unmap(struct space *s)
{
	unsigned first, n, i;
	int error;

	pick_range(&first, &n);
	error = vm_unmap(s->vm, addr_of(first), n * PAGE_SIZE);
	if (error == -ENOMEM && fail_one_in != 0)
		return;
	assert_int_equal(error, 0);
	for (i = first; i < first + n; i++)
		s->page[i].mapped = false;
}

static void
op_protect(struct space *s)
{
	unsigned first, n, i, prot = rnd(8);
	int error;

	pick_range(&first, &n);
	error = vm_protect(s->vm, addr_of(first), n * PAGE_SIZE, prot);
	for (i = first; i < first + n && s->page[i].mapped; i++)
		s->page[i].prot = prot;
	assert_int_equal(error, i < first + n ? -ENOMEM : 0);
}

static void
op_discard(struct space *s)
{
	unsigned first, n, i;
	int error, expected = 0;

	pick_range(&first, &n);
	for (i = first; i < first + n; i++) {
		if (!s->page[i].mapped)
			expected = -ENOMEM;
		if (s->page[i].locked && s->page[i].mapped)
			return; /* stops half way: not modelled */
	}
	error = vm_advise(s->vm, addr_of(first), n * PAGE_SIZE,
	    VM_ADVISE_DONTNEED);
	assert_int_equal(error, expected);
	for (i = first; i < first + n; i++)
		s->page[i].own = false;
}

/* Is [first, first + n) one run that a single mapping could be? */
static bool
same_kind(const struct space *s, unsigned first, unsigned n)
{
	const struct mpage *p = &s->page[first], *q;
	unsigned i;

	for (i = first; i < first + n; i++) {
		q = &s->page[i];
		if (!q->mapped || q->prot != p->prot ||
		    q->shared != p->shared || q->object != p->object ||
		    q->locked != p->locked ||
		    (p->object >= 0 && q->index != p->index + (i - first)))
			return false;
	}
	return true;
}

/*
 * Equal neighbours are two mappings after a fork that dropped their locks:
 * mremap refuses those, as Linux does.
 */
static bool
one_mapping(struct space *s, unsigned first, unsigned n)
{
	struct vm_mapping *m = vm_tree_find(s->vm, addr_of(first));

	return m != NULL && m->start <= addr_of(first) &&
	    m->end >= addr_of(first + n);
}

static void
op_move(struct space *s)
{
	unsigned first, n, to, i, flags = VM_REMAP_MAYMOVE | VM_REMAP_FIXED;
	struct mpage moved[WINDOW_SIZE];
	struct vm_mapping *m;
	uaddr_t out, at;
	int error, expected;

	pick_range(&first, &n);
	to = rnd(WINDOW_SIZE - n + 1);
	if (rnd(4) == 0)
		flags |= VM_REMAP_DONTUNMAP;
	out = addr_of(to);
	if (to < first + n && first < to + n) {
		assert_int_equal(vm_remap(s->vm, addr_of(first), n * PAGE_SIZE,
				     n * PAGE_SIZE, flags, &out),
		    -EINVAL);
		return;
	}
	if (!same_kind(s, first, n))
		return;
	expected = one_mapping(s, first, n) ? 0 : -EFAULT;
	error = vm_remap(s->vm, addr_of(first), n * PAGE_SIZE, n * PAGE_SIZE,
	    flags, &out);
	assert_int_equal(error, expected);
	for (i = to; i < to + n; i++)
		s->page[i].mapped = false;
	if (error != 0)
		return;
	memcpy(moved, &s->page[first], n * sizeof(moved[0]));
	memcpy(&s->page[to], moved, n * sizeof(moved[0]));
	for (i = first; i < first + n; i++) {
		s->page[i].own = s->page[i].locked = false;
		if ((flags & VM_REMAP_DONTUNMAP) == 0)
			s->page[i].mapped = false;
	}
	if ((flags & VM_REMAP_DONTUNMAP) == 0)
		return;
	/* As on Linux, the whole old mapping is no longer locked. */
	m = vm_tree_find(s->vm, addr_of(first));
	for (at = m->start; at < m->end; at += PAGE_SIZE)
		s->page[(at - WINDOW) >> PAGE_SHIFT].locked = false;
}

/* Grows or shrinks without moving. */
static void
op_resize(struct space *s)
{
	unsigned first, n, more = rnd(6), i;
	uaddr_t out = 0;
	bool room = true;
	int error;

	pick_range(&first, &n);
	if (!same_kind(s, first, n) || !one_mapping(s, first, n))
		return;
	if (n > 1 && rnd(2) == 0) {
		error = vm_remap(s->vm, addr_of(first), n * PAGE_SIZE,
		    PAGE_SIZE, 0, &out);
		assert_int_equal(error, 0);
		for (i = first + 1; i < first + n; i++)
			s->page[i].mapped = false;
		return;
	}
	if (first + n + more > WINDOW_SIZE || more == 0)
		return;
	for (i = first + n; i < first + n + more; i++)
		room = room && !s->page[i].mapped;
	if (s->page[first].object >= 0 &&
	    s->page[first].index + n + more > OBJECT_PAGES)
		return;
	error = vm_remap(s->vm, addr_of(first), n * PAGE_SIZE,
	    (n + more) * PAGE_SIZE, 0, &out);
	assert_int_equal(error, room ? 0 : -ENOMEM);
	for (i = first + n; room && i < first + n + more; i++) {
		s->page[i] = s->page[first];
		s->page[i].own = false;
		s->page[i].index += s->page[i].object < 0 ? 0 : i - first;
	}
}

static void
op_lock(struct space *s)
{
	unsigned first, n, i;
	bool lock = rnd(2) == 0;
	int error;

	pick_range(&first, &n);
	error = vm_lock(s->vm, addr_of(first), n * PAGE_SIZE,
	    lock ? VM_LOCKED | VM_LOCKONFAULT : 0, UINT64_MAX);
	for (i = first; i < first + n && s->page[i].mapped; i++)
		s->page[i].locked = lock;
	assert_int_equal(error, i < first + n ? -ENOMEM : 0);
}

static void
op_fork(struct space *s)
{
	struct space *child = &space[rnd(SPACES)];
	unsigned i;
	int error;

	if (child == s)
		return;
	if (child->vm != NULL)
		vmspace_put(child->vm);
	child->vm = NULL;
	error = vmspace_fork(s->vm, &child->vm);
	if (error == -ENOMEM && fail_one_in != 0)
		return;
	assert_int_equal(error, 0);
	memcpy(child->page, s->page, sizeof(s->page));
	for (i = 0; i < WINDOW_SIZE; i++)
		child->page[i].locked = false;
}

static void
op_truncate(struct space *s)
{
	unsigned o = rnd(OBJECTS), i, j;
	struct mpage *p;

	(void)s;
	test_object_truncate(&object[o], rnd(OBJECT_PAGES));
	for (i = 0; i < SPACES; i++) {
		for (j = 0; j < WINDOW_SIZE; j++) {
			p = &space[i].page[j];
			if (p->object == (int)o && p->index >= object[o].pages)
				p->own = false;
		}
	}
	for (i = object[o].pages; i < OBJECT_PAGES; i++)
		object_value[o][i] = 0;
	object[o].pages = OBJECT_PAGES;
}

/* The mappings say what the model says; nothing is counted wrong. */
static void
check_space(struct space *s)
{
	struct vm_counts counts;
	struct vm_info info;
	uint64_t total = 0, locked = 0, mappings = 0;
	uaddr_t at = 0, found;
	unsigned i, run = 0, best = 0;

	while (vmspace_info(s->vm, at, &info)) {
		assert_true(info.start >= at && info.start < info.end);
		for (at = info.start; at < info.end; at += PAGE_SIZE) {
			i = (at - WINDOW) >> PAGE_SHIFT;
			assert_true(i < WINDOW_SIZE && s->page[i].mapped);
			assert_int_equal(info.flags & VM_PROT, s->page[i].prot);
			assert_int_equal((info.flags & VM_LOCKED) != 0,
			    s->page[i].locked);
			total++;
			locked += s->page[i].locked;
		}
		if (info.object != NULL)
			vm_object_put(info.object);
		mappings++;
	}
	for (i = 0; i < WINDOW_SIZE; i++) {
		total -= s->page[i].mapped;
		run = s->page[i].mapped ? 0 : run + 1;
		best = MAX(best, run);
	}
	assert_int_equal(total, 0);
	vmspace_counts(s->vm, &counts);
	assert_int_equal(counts.locked, locked);
	assert_int_equal(counts.mappings, mappings);
	assert_int_equal(vm_tree_room(s->vm, best * PAGE_SIZE, WINDOW,
			     addr_of(WINDOW_SIZE), &found),
	    0);
	assert_int_equal(vm_tree_room(s->vm, (best + 1) * PAGE_SIZE, WINDOW,
			     addr_of(WINDOW_SIZE), &found),
	    -ENOMEM);
}

static void (*const ops[])(struct space *) = { op_touch, op_touch, op_touch,
	op_touch, op_touch, op_touch, op_map, op_map, op_unmap, op_protect,
	op_discard, op_move, op_resize, op_lock, op_fork, op_truncate };

static void
start_spaces(void)
{
	unsigned i;

	memset(space, 0, sizeof(space));
	memset(object_value, 0, sizeof(object_value));
	zero_frame = page_alloc(0, PAGE_ALLOC_ZERO);
	for (i = 0; i < OBJECTS; i++)
		test_object_init(&object[i]);
	assert_int_equal(vmspace_create(&space[0].vm), 0);
}

static void
end_spaces(void)
{
	unsigned i;

	for (i = 0; i < SPACES; i++)
		if (space[i].vm != NULL)
			vmspace_put(space[i].vm);
	for (i = 0; i < OBJECTS; i++) {
		test_object_truncate(&object[i], 0);
		assert_true(TAILQ_EMPTY(&object[i].object.mappings));
		vm_object_put(&object[i].object);
		assert_true(object[i].released);
	}
	page_put(zero_frame);
	assert_int_equal(frames_used, 0);
	assert_int_equal(kmem_live, 0);
}

static void
random_operations_match_a_model(void **state)
{
	struct space *s;
	unsigned i;

	(void)state;
	start_spaces();
	for (i = 0; i < 60000; i++) {
		s = &space[rnd(SPACES)];
		if (s->vm == NULL)
			s = &space[0];
		if (s->vm == NULL)
			continue;
		vmspace_activate(s->vm);
		ops[rnd(ARRAY_SIZE(ops))](s);
		if (s->vm != NULL && cpu.vmspace == s->vm)
			tlb_check(s->vm);
		if (i % 50 == 0)
			check_space(s);
	}
	end_spaces();
}

/* With memory running out all the time nothing leaks and nothing breaks. */
static void
out_of_memory_is_an_error(void **state)
{
	unsigned i, kind;
	uaddr_t at;
	uint64_t value;

	(void)state;
	for (i = 0; i < 3000; i++) {
		start_spaces();
		fail_one_in = 2 + rnd(20);
		for (kind = 0; kind < 12; kind++) {
			at = addr_of(rnd(64));
			value = 1;
			switch (rnd(6)) {
			case 0:
				(void)vm_map(space[0].vm, &at, 16 * PAGE_SIZE,
				    VM_READ | VM_WRITE | VM_FIXED,
				    rnd(2) ? &object[0].object : NULL, 0);
				break;
			case 1:
				(void)vm_unmap(space[0].vm, at, 4 * PAGE_SIZE);
				break;
			case 2:
				(void)touch(space[0].vm, at, VM_WRITE, &value);
				break;
			case 3:
				(void)vm_protect(space[0].vm, at, 4 * PAGE_SIZE,
				    VM_READ);
				break;
			case 4:
				(void)vm_remap(space[0].vm, at, 2 * PAGE_SIZE,
				    40 * PAGE_SIZE, VM_REMAP_MAYMOVE, &at);
				break;
			case 5:
				if (space[1].vm == NULL)
					(void)vmspace_fork(space[0].vm,
					    &space[1].vm);
				break;
			}
		}
		fail_one_in = 0;
		end_spaces();
	}
}

static void
stacks_grow_to_their_limit(void **state)
{
	struct vmspace *vm;
	uaddr_t at = WINDOW, below;
	uint64_t value = 7;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	vmspace_layout(vm)->stack_max = 64 * PAGE_SIZE;
	assert_int_equal(vm_map(vm, &at, 4 * PAGE_SIZE,
			     VM_READ | VM_WRITE | VM_GROWSDOWN | VM_FIXED, NULL,
			     0),
	    0);
	at = WINDOW + 4 * PAGE_SIZE;
	assert_int_equal(touch(vm, at - 60 * PAGE_SIZE, VM_WRITE, &value), 0);
	assert_int_equal(touch(vm, at - 65 * PAGE_SIZE, VM_WRITE, &value),
	    -EFAULT);
	/* Nothing is placed in the gap below, and no growth into it. */
	assert_int_equal(vm_tree_room(vm, PAGE_SIZE, WINDOW - 400 * PAGE_SIZE,
			     at, &below),
	    0);
	assert_true(below + PAGE_SIZE + VM_STACK_GUARD <= at - 60 * PAGE_SIZE);
	below = at - 100 * PAGE_SIZE;
	assert_int_equal(vm_map(vm, &below, PAGE_SIZE, VM_READ | VM_FIXED, NULL,
			     0),
	    0);
	assert_int_equal(touch(vm, at - 62 * PAGE_SIZE, VM_WRITE, &value),
	    -EFAULT);
	end_spaces();
}

static void
brk_moves_and_gives_back(void **state)
{
	struct vmspace *vm;
	struct vm_layout *l;
	uint64_t value = 1;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	l = vmspace_layout(vm);
	l->brk = l->brk_start = WINDOW + 100;
	assert_int_equal(vm_brk(vm, 0), WINDOW + 100);
	assert_int_equal(vm_brk(vm, WINDOW + 9000), WINDOW + 9000);
	assert_int_equal(touch(vm, WINDOW + 8192, VM_WRITE, &value), 0);
	assert_int_equal(vm_brk(vm, WINDOW + 200), WINDOW + 200);
	assert_int_equal(touch(vm, WINDOW + 4096, VM_READ, &value), -EFAULT);
	l->data_max = 4 * PAGE_SIZE;
	assert_int_equal(vm_brk(vm, WINDOW + 6 * PAGE_SIZE), WINDOW + 200);
	end_spaces();
}

static void
limits_refuse(void **state)
{
	struct vmspace *vm;
	uaddr_t at = 0;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	vmspace_layout(vm)->as_max = 10 * PAGE_SIZE;
	vmspace_layout(vm)->lock_max = 2 * PAGE_SIZE;
	assert_int_equal(vm_map(vm, &at, 11 * PAGE_SIZE, VM_READ, NULL, 0),
	    -ENOMEM);
	assert_int_equal(vm_map(vm, &at, 3 * PAGE_SIZE, VM_READ | VM_LOCKED,
			     NULL, 0),
	    -EAGAIN);
	at = 0;
	assert_int_equal(vm_map(vm, &at, 10 * PAGE_SIZE, VM_READ, NULL, 0), 0);
	/* What is replaced does not count twice. */
	assert_int_equal(vm_map(vm, &at, 10 * PAGE_SIZE, VM_READ | VM_FIXED,
			     NULL, 0),
	    0);
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE,
			     VM_READ | VM_FIXED | VM_NOREPLACE, NULL, 0),
	    -EEXIST);
	end_spaces();
}

static void
mappings_are_limited(void **state)
{
	struct vmspace *vm;
	uaddr_t at = WINDOW;
	unsigned i;
	int error = 0;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	for (i = 0; i < 70000 && error == 0; i++) {
		at = WINDOW + 2 * i * PAGE_SIZE;
		error = vm_map(vm, &at, PAGE_SIZE, VM_READ | VM_FIXED, NULL, 0);
	}
	assert_int_equal(error, -ENOMEM);
	assert_int_equal(i - 1, VM_MAX_MAPPINGS);
	assert_int_equal(vm_unmap(vm, WINDOW, 2ul * i * PAGE_SIZE), 0);
	assert_int_equal(vm->nmappings, 0);
	end_spaces();
}

static void
tables_go_with_their_mappings(void **state)
{
	struct vmspace *vm;
	uaddr_t at;
	uint64_t value = 1;
	unsigned i;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	for (i = 0; i < 20; i++) {
		at = WINDOW + i * (2ul << 20);
		assert_int_equal(vm_map(vm, &at, PAGE_SIZE,
				     VM_READ | VM_WRITE | VM_FIXED, NULL, 0),
		    0);
		assert_int_equal(touch(vm, at, VM_WRITE, &value), 0);
	}
	assert_int_equal(count_tables(vm->root), 20);
	for (i = 0; i < 20; i++)
		assert_int_equal(vm_unmap(vm, WINDOW + i * (2ul << 20),
				     PAGE_SIZE),
		    0);
	assert_int_equal(count_tables(vm->root), 0);
	end_spaces();
}

static void
a_debugger_writes_where_the_program_cannot(void **state)
{
	struct vmspace *vm;
	uaddr_t at = WINDOW;
	uint64_t value = 0;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE,
			     VM_READ | VM_EXEC | VM_FIXED, &object[0].object,
			     0),
	    0);
	assert_int_equal(touch(vm, at, VM_EXEC, &value), 0);
	assert_int_equal(vm_poke(vm, at, "\xcc", 1), 1);
	assert_int_equal(touch(vm, at, VM_EXEC, &value), 0);
	assert_int_equal(value, 0xcc);
	assert_int_equal(*(uint8_t *)page_kva(object[0].page[0]), 0);
	assert_int_equal(vm_access(vm, at, "x", 1, VM_WRITE), 0);
	end_spaces();
}

static void
shared_memory_is_shared_and_goes(void **state)
{
	struct vm_object *o;
	uaddr_t at = WINDOW;
	uint64_t value = 42;

	(void)state;
	start_spaces();
	assert_int_equal(vm_object_anon(600 * PAGE_SIZE, &o), 0);
	assert_int_equal(vm_map(space[0].vm, &at, 600 * PAGE_SIZE,
			     VM_READ | VM_WRITE | VM_SHARED | VM_MAYWRITE |
				 VM_FIXED,
			     o, 0),
	    0);
	vm_object_put(o);
	assert_int_equal(vmspace_fork(space[0].vm, &space[1].vm), 0);
	at += 599 * PAGE_SIZE;
	assert_int_equal(touch(space[0].vm, at, VM_WRITE, &value), 0);
	value = 0;
	assert_int_equal(touch(space[1].vm, at, VM_READ, &value), 0);
	assert_int_equal(value, 42);
	assert_int_equal(vm_advise(space[1].vm, at, PAGE_SIZE,
			     VM_ADVISE_REMOVE),
	    0);
	assert_int_equal(touch(space[0].vm, at, VM_READ, &value), 0);
	assert_int_equal(value, 0);
	end_spaces();
}

/* What a device writes must be where the program looks, whatever happens. */
static void
pinned_frames_stay_their_owners(void **state)
{
	struct vmspace *vm;
	uaddr_t at = WINDOW;
	uint64_t frame[4], value = 7;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	assert_int_equal(vm_map(vm, &at, 3 * PAGE_SIZE,
			     VM_READ | VM_WRITE | VM_FIXED, NULL, 0),
	    0);
	assert_int_equal(vm_pin(vm, at + 5, 4, true, frame), 3);
	assert_int_equal(vm_pin(vm, at + 3 * PAGE_SIZE, 1, true, frame + 3),
	    -EFAULT);
	assert_int_equal(vm_pin(vm, USER_END - 1, 2, false, frame + 3),
	    -EFAULT);
	assert_int_equal(touch(vm, at, VM_WRITE, &value), 0);
	assert_int_equal(vmspace_fork(vm, &space[1].vm), 0);
	assert_int_equal(vm_protect(vm, at, PAGE_SIZE, VM_READ), 0);
	assert_int_equal(vm_protect(vm, at, PAGE_SIZE, VM_READ | VM_WRITE), 0);
	value = 8;
	assert_int_equal(touch(vm, at, VM_WRITE, &value), 0);
	*(uint64_t *)paddr_kva(frame[0]) = 9; /* the device */
	assert_int_equal(touch(vm, at, VM_READ, &value), 0);
	assert_int_equal(value, 9);
	assert_int_equal(touch(space[1].vm, at, VM_READ, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(vm_unmap(vm, at, 2 * PAGE_SIZE), 0);
	*(uint64_t *)paddr_kva(frame[1]) = 1;
	vm_unpin(frame, 3, true);
	end_spaces(); /* looks for frames that are left */
}

static void
pins_for_reading(void **state)
{
	struct vmspace *vm;
	uaddr_t at = WINDOW;
	uint64_t frame[2], value = 7;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	assert_int_equal(vm_map(vm, &at, 2 * PAGE_SIZE,
			     VM_READ | VM_WRITE | VM_FIXED, NULL, 0),
	    0);
	assert_int_equal(touch(vm, at, VM_WRITE, &value), 0);
	assert_int_equal(vm_pin(vm, at, 2, false, frame), 2);
	assert_int_equal(frame[0] & VM_PIN_FOREIGN, 0);
	assert_int_equal(frame[1], vm_zero_frame() | VM_PIN_FOREIGN);
	assert_int_equal(*(uint64_t *)paddr_kva(frame[0]), 7);
	vm_unpin(frame, 2, false);
	assert_int_equal(vm_protect(vm, at, PAGE_SIZE, VM_READ), 0);
	assert_int_equal(vm_pin(vm, at, 1, true, frame), -EFAULT);
	assert_int_equal(vm_protect(vm, at, PAGE_SIZE, 0), 0);
	assert_int_equal(vm_pin(vm, at, 1, false, frame), -EFAULT);
	end_spaces();
}

/* A device may write to the same page for many, but not for any number. */
static void
pins_are_counted(void **state)
{
	struct vmspace *vm;
	uaddr_t at = WINDOW;
	uint64_t frame, n = 0;

	(void)state;
	start_spaces();
	vm = space[0].vm;
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE,
			     VM_READ | VM_WRITE | VM_FIXED, NULL, 0),
	    0);
	while (vm_pin(vm, at, 1, true, &frame) == 1)
		n++;
	assert_int_equal(n, 65535);
	assert_int_equal(vm_pin(vm, at, 1, true, &frame), -ENOMEM);
	frame = pt_slot(vm->root, at, false)[0] & PTE_ADDR;
	while (n-- > 0)
		vm_unpin(&frame, 1, true);
	end_spaces();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_match_a_model),
		cmocka_unit_test(out_of_memory_is_an_error),
		cmocka_unit_test(stacks_grow_to_their_limit),
		cmocka_unit_test(brk_moves_and_gives_back),
		cmocka_unit_test(limits_refuse),
		cmocka_unit_test(mappings_are_limited),
		cmocka_unit_test(tables_go_with_their_mappings),
		cmocka_unit_test(a_debugger_writes_where_the_program_cannot),
		cmocka_unit_test(shared_memory_is_shared_and_goes),
		cmocka_unit_test(pinned_frames_stay_their_owners),
		cmocka_unit_test(pins_for_reading),
		cmocka_unit_test(pins_are_counted),
	};

	return cmocka_run_group_tests(tests, machine_start, NULL);
}
