/* SPDX-License-Identifier: ISC */
/*
 * vm_testbed.h - the machine that vm_test.c plays: frames, page tables, a TLB
 * that remembers whatever it was not told to forget, an object with pages, and
 * memory that runs out when asked to.  Included by that one file.
 */
#ifndef KERN_VM_TESTBED_H
#define KERN_VM_TESTBED_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <asm/prctl.h>
#include <cmocka.h>
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/vm_impl.h"
#include "x86/smp.h"

/* ------------------------------------------------------- the machine -- */

#define NFRAMES 8192u

static struct percpu cpu;
static struct thread self = { .name = "test" };
static unsigned nfree, frames_used;
static uint32_t free_frame[NFRAMES];
static unsigned fail_one_in; /* allocations that fail: 1 in so many, 0 none */
static unsigned long kmem_live;

static uint64_t seed = 88172645463325252u;

static uint64_t
rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static bool
fails(void)
{
	return fail_one_in != 0 && rnd(fail_one_in) == 0;
}

static void
map_arena(uint64_t at, size_t size)
{
	void *p = mmap((void *)at, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)at)
		abort();
}

static int
machine_start(void **state)
{
	unsigned i;

	(void)state;
	map_arena(KVA_DIRECT, NFRAMES * PAGE_SIZE);
	map_arena(KVA_VMEMMAP, NFRAMES * sizeof(struct page));
	for (i = 1; i < NFRAMES; i++)
		free_frame[nfree++] = i;
	cpu.self = &cpu;
	cpu.current = &self;
	return syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu);
}

struct page *
page_alloc(unsigned order, unsigned flags)
{
	struct page *p;

	assert_int_equal(order, 0);
	if (nfree == 0 || fails())
		return NULL;
	p = VMEMMAP + free_frame[--nfree];
	assert_int_equal(p->refs, 0);
	p->refs = 1;
	p->flags = 0;
	frames_used++;
	memset(page_kva(p), (flags & PAGE_ALLOC_ZERO) != 0 ? 0 : 0xee,
	    PAGE_SIZE);
	return p;
}

void
page_free_last(struct page *p)
{
	free_frame[nfree++] = p - VMEMMAP;
	frames_used--;
	memset(page_kva(p), 0xdd, PAGE_SIZE);
}

void
page_stats(struct page_stats *st)
{
	*st = (struct page_stats){ .total = NFRAMES, .free = nfree };
}

void *
kzalloc(size_t size)
{
	void *p = fails() ? NULL : calloc(1, size);

	kmem_live += p != NULL;
	return p;
}

void
kfree(void *p)
{
	kmem_live -= p != NULL;
	free(p);
}

void *
objcache_alloc(struct objcache *c)
{
	return kzalloc(c->size);
}

void *
objcache_zalloc(struct objcache *c)
{
	return kzalloc(c->size);
}

void
objcache_free(struct objcache *c, void *p)
{
	(void)c;
	kfree(p);
}

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	return snprintf(dst, size, "%s", src);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

void
preempt_now(void)
{
}

void
spin_contend(struct spinlock *lock)
{
	(void)lock;
	abort(); /* one thread: a lock is never taken twice */
}

void
mutex_init(struct mutex *m)
{
	m->owner = NULL;
}

void
mutex_lock(struct mutex *m)
{
	assert_null(m->owner);
	m->owner = &self;
}

void
mutex_unlock(struct mutex *m)
{
	assert_ptr_equal(m->owner, &self);
	m->owner = NULL;
}

/* Page tables: a list of tables a root, each of 512 entries. */
struct fake_table {
	struct fake_table *next;
	uint64_t key; /* va >> 21 */
	uint64_t slot[512];
};
static struct fake_table *roots[8];

paddr_t
pt_create(void)
{
	struct fake_table *t;
	unsigned i;

	for (i = 1; roots[i] != NULL; i++)
		;
	t = fails() ? NULL : calloc(1, sizeof(*t));
	if (t == NULL)
		return 0;
	t->key = UINT64_MAX;
	roots[i] = t;
	return i;
}

void
pt_destroy(paddr_t root)
{
	struct fake_table *t, *next;
	unsigned i;

	for (t = roots[root]; t != NULL; t = next) {
		next = t->next;
		for (i = 0; i < 512; i++)
			assert_int_equal(t->slot[i], 0);
		free(t);
	}
	roots[root] = NULL;
}

uint64_t *
pt_slot(paddr_t root, uaddr_t va, bool make)
{
	struct fake_table *t, *head = roots[root];

	for (t = head; t != NULL && t->key != va >> 21; t = t->next)
		;
	if (t == NULL && make && !fails()) {
		t = calloc(1, sizeof(*t));
		t->key = va >> 21;
		t->next = head->next;
		head->next = t;
	}
	return t == NULL ? NULL : &t->slot[va >> 12 & 511];
}

uaddr_t
pt_next(paddr_t root, uaddr_t va, uaddr_t end)
{
	uint64_t best = UINT64_MAX;
	struct fake_table *t;

	for (t = roots[root]->next; t != NULL; t = t->next)
		if (t->key >= va >> 21 && t->key < best)
			best = t->key;
	if (best == UINT64_MAX || MAX(best << 21, va) >= end)
		return end;
	return MAX(best << 21, va);
}

void
pt_prune(paddr_t root, uaddr_t start, uaddr_t end, struct pt_freed *freed)
{
	struct fake_table **at = &roots[root]->next, *t;
	unsigned i;

	while ((t = *at) != NULL) {
		if (t->key << 21 < start || (t->key + 1) << 21 > end) {
			at = &t->next;
			continue;
		}
		for (i = 0; i < 512; i++)
			assert_int_equal(t->slot[i], 0);
		*at = t->next;
		free(t);
		freed->first = VMEMMAP; /* any: the flush is wanted */
	}
}

void
pt_free(struct pt_freed *freed)
{
	freed->first = NULL;
}

/* One processor. */
uint64_t cpus_online = 1;

void
cpu_call(uint64_t cpus, void (*fn)(void *), void *arg)
{
	(void)fn;
	(void)arg;
	assert_int_equal(cpus & ~1ull, 0);
}

static unsigned
count_tables(paddr_t root)
{
	struct fake_table *t;
	unsigned n = 0;

	for (t = roots[root]->next; t != NULL; t = t->next)
		n++;
	return n;
}

uint64_t
pt_nx(void)
{
	return PTE_NX;
}

paddr_t
pt_kernel_root(void)
{
	return 0;
}

/* The TLB: all that was ever looked up and not flushed. */
#define TLB_SIZE 4096
static struct {
	uaddr_t va;
	uint64_t pte;
} tlb[TLB_SIZE];
static unsigned tlb_n;

void
tlb_flush_all(void)
{
	tlb_n = 0;
}

void
pt_load(paddr_t root)
{
	(void)root;
	tlb_flush_all();
}

void
tlb_flush_page(uaddr_t va)
{
	unsigned i = 0;

	while (i < tlb_n) {
		if (tlb[i].va == va)
			tlb[i] = tlb[--tlb_n];
		else
			i++;
	}
}

static void
tlb_note(uaddr_t va, uint64_t pte)
{
	if (tlb_n == TLB_SIZE)
		tlb_flush_all();
	tlb[tlb_n].va = va;
	tlb[tlb_n++].pte = pte;
}

/* No translation may allow what the tables do not. */
static void
tlb_check(struct vmspace *vm)
{
	uint64_t *slot, pte;
	unsigned i;

	for (i = 0; i < tlb_n; i++) {
		slot = pt_slot(vm->root, tlb[i].va, false);
		pte = slot == NULL ? 0 : *slot;
		assert_true((pte & PTE_P) != 0);
		assert_int_equal(tlb[i].pte & PTE_ADDR, pte & PTE_ADDR);
		assert_true((tlb[i].pte & PTE_W) <= (pte & PTE_W));
		assert_true((~tlb[i].pte & PTE_NX) <= (~pte & PTE_NX));
	}
}

static struct page *zero_frame;

paddr_t
vm_zero_frame(void)
{
	return page_paddr(zero_frame);
}

void *
vm_foreign_kva(paddr_t pa)
{
	return paddr_kva(pa);
}

/* --------------------------------------------------------- an object -- */

#define OBJECT_PAGES 40
struct test_object {
	struct vm_object object;
	struct page *page[OBJECT_PAGES];
	uint64_t pages; /* now; truncation changes it */
	bool released;
};

static int
test_get_page(struct vm_object *o, uint64_t index, bool write,
    struct page **out)
{
	struct test_object *t = container_of(o, struct test_object, object);

	(void)write;
	if (index >= t->pages)
		return -ENXIO;
	if (t->page[index] == NULL)
		t->page[index] = page_alloc(0, PAGE_ALLOC_ZERO);
	if (t->page[index] == NULL)
		return -ENOMEM;
	page_get(t->page[index]);
	*out = t->page[index];
	return 0;
}

static unsigned
test_peek_pages(struct vm_object *o, uint64_t index, unsigned n,
    struct page **out)
{
	struct test_object *t = container_of(o, struct test_object, object);
	unsigned i, found = 0;

	for (i = 0; i < n; i++) {
		out[i] = index + i < t->pages ? t->page[index + i] : NULL;
		if (out[i] != NULL) {
			page_get(out[i]);
			found++;
		}
	}
	return found;
}

static void
test_release(struct vm_object *o)
{
	container_of(o, struct test_object, object)->released = true;
}

static const struct vm_object_ops test_ops = {
	.get_page = test_get_page,
	.peek_pages = test_peek_pages,
	.release = test_release,
};

static void
test_object_init(struct test_object *t)
{
	memset(t, 0, sizeof(*t));
	vm_object_init(&t->object, &test_ops);
	t->pages = OBJECT_PAGES;
}

static void
test_object_truncate(struct test_object *t, uint64_t pages)
{
	uint64_t i;

	t->pages = pages;
	vm_object_unmap(&t->object, pages, OBJECT_PAGES, true);
	for (i = pages; i < OBJECT_PAGES; i++) {
		if (t->page[i] != NULL)
			page_put(t->page[i]);
		t->page[i] = NULL;
	}
}

#endif
