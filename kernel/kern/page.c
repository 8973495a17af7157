/* SPDX-License-Identifier: ISC */
/*
 * page.c - the frame allocator: buddies (Knuth, vol. 1, 2.5) over memory that
 * is taken in one section of 2 MiB at a time, when the rest has run out.
 *
 * Taking a section in costs the same on every machine: the structs of its
 * frames are made in its own last frames and mapped at VMEMMAP.  A block never
 * leaves its section, so no block's buddy is ever without a struct.
 */
#include "kern/page.h"
#include "kern/boot_info.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define SECTION_SIZE   (1ul << 21)
#define SECTION_FRAMES (SECTION_SIZE / PAGE_SIZE)
#define STRUCT_FRAMES  (SECTION_FRAMES * sizeof(struct page) / PAGE_SIZE)

/* Below, firmware and boot loaders keep what later floors still read. */
#define LOW_KEEP 0x10000ul

/* Free frames with which a section without any of its own is taken in. */
#define EARLY_FRAMES 32

TAILQ_HEAD(page_list, page);

static struct {
	struct spinlock lock;
	struct page_list free[PAGE_MAX_ORDER + 1];
	uint64_t nfree;   /* frames on the lists */
	uint64_t total;   /* frames of RAM that can be had */
	uint64_t untaken; /* of them, in sections not taken in */
	paddr_t next;     /* sections below are taken in, or are not RAM */
	const struct boot_info *bi;
	uint64_t (*reclaim)(uint64_t frames);
	uint64_t (*last_resort)(uint64_t frames); /* atomic */
	uint64_t (*cached)(void);
	void (*tell_due)(void); /* atomic; NULL: no host wants to know */
	bool told_due;          /* atomic: it was called */
	/* Sections taken in out of turn: those of the initrd. */
	paddr_t early_start, early_end;
	/* Zeroed frames for the tables that make a far section reachable. */
	paddr_t spare[2];
	unsigned nspare;
} zone;

/* What must not be handed out though it is RAM. */
struct hole {
	paddr_t start, end;
};

static unsigned
holes(struct hole h[3])
{
	h[0] = (struct hole){ 0, LOW_KEEP };
	h[1] = (struct hole){ (uint64_t)kernel_start - KVA_IMAGE,
		(uint64_t)kernel_end - KVA_IMAGE };
	h[2] = (struct hole){ ROUND_DOWN(zone.bi->initrd, PAGE_SIZE),
		ROUND_UP(zone.bi->initrd + zone.bi->initrd_size, PAGE_SIZE) };
	return zone.bi->initrd_size != 0 ? 3 : 2;
}

/*
 * Calls fn for each run of usable frames in [start, end): RAM without holes.
 */
static void
usable_runs(paddr_t start, paddr_t end,
    void (*fn)(paddr_t start, paddr_t end, void *arg), void *arg)
{
	const struct boot_range *r = zone.bi->range;
	struct hole h[3];
	unsigned nholes = holes(h), i, j;
	paddr_t at, stop;

	for (i = 0; i < zone.bi->nranges; i++, r++) {
		if (r->type != BOOT_MEM_RAM)
			continue;
		at = MAX(start, r->base);
		stop = MIN(end, r->base + r->size);
		while (at < stop) {
			paddr_t to = stop;

			for (j = 0; j < nholes; j++) {
				if (at >= h[j].start && at < h[j].end)
					break;
				if (h[j].start > at && h[j].start < to)
					to = h[j].start;
			}
			if (j < nholes) {
				at = h[j].end;
				continue;
			}
			fn(at, to, arg);
			at = to;
		}
	}
}

static void
list_add(struct page *p, unsigned order)
{
	p->order = order;
	p->flags = PG_FREE;
	TAILQ_INSERT_HEAD(&zone.free[order], p, link);
	zone.nfree += 1ul << order;
}

static void
list_remove(struct page *p)
{
	TAILQ_REMOVE(&zone.free[p->order], p, link);
	zone.nfree -= 1ul << p->order;
	p->flags = 0;
}

/* The order of the block that it has become part of. */
static unsigned
free_locked(struct page *p, unsigned order)
{
	uint64_t pfn = p - VMEMMAP;
	struct page *buddy;

	while (order < PAGE_MAX_ORDER) {
		buddy = VMEMMAP + (pfn ^ 1ul << order);
		if ((buddy->flags & PG_FREE) == 0 || buddy->order != order)
			break;
		list_remove(buddy);
		pfn &= ~(1ul << order);
		order++;
	}
	list_add(VMEMMAP + pfn, order);
	return order;
}

/* A block that is on the lists, the rest of a larger one put back. */
static struct page *
find_block(unsigned order)
{
	struct page *p = NULL;
	unsigned o;

	for (o = order; o <= PAGE_MAX_ORDER; o++)
		if ((p = TAILQ_FIRST(&zone.free[o])) != NULL)
			break;
	if (p == NULL)
		return NULL;
	list_remove(p);
	while (o > order) {
		o--;
		list_add(p + (1ul << o), o);
	}
	return p;
}

/*
 * Taking a section in: frames for its tables come off its end, or from the
 * lists when the section is full of something else.
 */
struct carve {
	paddr_t start, end; /* its largest run */
};

static void
find_largest(paddr_t start, paddr_t end, void *arg)
{
	struct carve *c = arg;

	if (end - start > c->end - c->start)
		*c = (struct carve){ start, end };
}

static paddr_t
carve_frame(void *arg)
{
	struct carve *c = arg;
	struct page *p;
	paddr_t pa;

	if (c->end - c->start >= PAGE_SIZE) {
		c->end -= PAGE_SIZE;
		pa = c->end;
	} else if ((p = find_block(0)) != NULL) {
		zone.total--;
		pa = page_paddr(p);
	} else {
		return 0;
	}
	memset((void *)(KVA_DIRECT + pa), 0, PAGE_SIZE);
	return pa;
}

static paddr_t
carve_spare(void *arg)
{
	(void)arg;
	return zone.nspare > 0 ? zone.spare[--zone.nspare] : 0;
}

struct taken {
	const struct carve *carve;
	paddr_t carved_end; /* [carve->end, carved_end) is in use */
	uint64_t frames;
};

static void
add_run(paddr_t start, paddr_t end, void *arg)
{
	struct taken *t = arg;
	unsigned order;
	uint64_t pfn;

	if (end == t->carved_end)
		end = t->carve->end;
	for (pfn = start >> PAGE_SHIFT; pfn < end >> PAGE_SHIFT;) {
		order = pfn == 0 ? PAGE_MAX_ORDER : __builtin_ctzl(pfn);
		if (order > PAGE_MAX_ORDER)
			order = PAGE_MAX_ORDER;
		while (pfn + (1ul << order) > end >> PAGE_SHIFT)
			order--;
		VMEMMAP[pfn].flags = 0;
		list_add(VMEMMAP + pfn, order);
		pfn += 1ul << order;
		t->frames += 1ul << order;
	}
}

static void
count_run(paddr_t start, paddr_t end, void *arg)
{
	*(uint64_t *)arg += (end - start) >> PAGE_SHIFT;
}

/* The frames of the initrd belong to whoever unpacks it. */
static void
own_initrd(paddr_t start, paddr_t end)
{
	paddr_t at = MAX(start, ROUND_DOWN(zone.bi->initrd, PAGE_SIZE));
	paddr_t stop = MIN(end,
	    ROUND_UP(zone.bi->initrd + zone.bi->initrd_size, PAGE_SIZE));

	for (; zone.bi->initrd_size != 0 && at < stop; at += PAGE_SIZE)
		page_of_paddr(at)->refs = 1;
}

/*
 * Makes the section's structs and puts its usable frames on the lists.
 * Sections without room for that are left alone.
 */
static void
take_in(paddr_t section)
{
	paddr_t end = section + SECTION_SIZE;
	struct carve c = { 0, 0 };
	struct taken t = { .carve = &c };
	uint64_t before = 0;
	struct page *structs = page_of_paddr(section);
	paddr_t pa;
	unsigned i;

	usable_runs(section, end, find_largest, &c);
	usable_runs(section, end, count_run, &before);
	zone.untaken -= before;
	t.carved_end = c.end;
	if (pt_map_direct(section, SECTION_SIZE, carve_spare, NULL) != 0)
		goto lost;
	for (i = 0; i < STRUCT_FRAMES; i++) {
		pa = carve_frame(&c);
		if (pa == 0 ||
		    pt_map_vmemmap((uint64_t)structs + i * PAGE_SIZE, pa,
			carve_frame, &c) != 0)
			goto lost;
	}
	while (
	    zone.nspare < ARRAY_SIZE(zone.spare) && (pa = carve_frame(&c)) != 0)
		zone.spare[zone.nspare++] = pa;
	usable_runs(section, end, add_run, &t);
	own_initrd(section, end);
	zone.total -= before - t.frames;
	return;
lost:
	zone.total -= before;
}

/* Takes in the next section that holds RAM; false: there is none. */
static bool
grow(void)
{
	const struct boot_range *r;
	paddr_t at;
	unsigned i;

	for (i = 0; i < zone.bi->nranges; i++) {
		r = &zone.bi->range[i];
		if (r->type != BOOT_MEM_RAM || r->base + r->size <= zone.next)
			continue;
		at = ROUND_DOWN(MAX(r->base, zone.next), SECTION_SIZE);
		zone.next = at + SECTION_SIZE;
		if (at < zone.early_start || at >= zone.early_end)
			take_in(at);
		return true;
	}
	return false;
}

static struct page *
take_block(unsigned order)
{
	struct page *p;

	while ((p = find_block(order)) == NULL)
		if (!grow())
			return NULL;
	return p;
}

uint64_t
page_reclaim(uint64_t frames)
{
	return zone.reclaim != NULL ? zone.reclaim(frames) : 0;
}

void
page_set_last_resort(uint64_t (*fn)(uint64_t frames))
{
	__atomic_store_n(&zone.last_resort, fn, __ATOMIC_RELEASE);
}

static uint64_t
ask_last_resort(uint64_t frames)
{
	uint64_t (*fn)(uint64_t frames) = __atomic_load_n(&zone.last_resort,
	    __ATOMIC_ACQUIRE);

	return fn != NULL ? fn(frames) : 0;
}

static struct page *
try_again(unsigned order)
{
	uint64_t state = spin_lock_irq(&zone.lock);
	struct page *p = take_block(order);

	spin_unlock_irq(&zone.lock, state);
	return p;
}

struct page *
page_alloc(unsigned order, unsigned flags)
{
	struct page *p;
	uint64_t state;

	KASSERT(order <= PAGE_MAX_ORDER);
	state = spin_lock_irq(&zone.lock);
	p = take_block(order);
	spin_unlock_irq(&zone.lock, state);
	if (p == NULL && page_reclaim(1ul << order) != 0)
		p = try_again(order);
	if (p == NULL && ask_last_resort(1ul << order) != 0)
		p = try_again(order);
	if (p == NULL)
		return NULL;
	p->refs = 1;
	p->order = order;
	p->owner = NULL;
	p->index = 0;
	p->priv = 0;
	if ((flags & PAGE_ALLOC_ZERO) != 0)
		memset(page_kva(p), 0, PAGE_SIZE << order);
	return p;
}

/* ------------------------------------------------- telling the host -- */

static void
tell_if_wanted(void)
{
	void (*due)(void) = __atomic_load_n(&zone.tell_due, __ATOMIC_ACQUIRE);

	if (due != NULL &&
	    !__atomic_exchange_n(&zone.told_due, true, __ATOMIC_ACQ_REL))
		due();
}

void
page_tell_set(void (*due)(void))
{
	__atomic_store_n(&zone.told_due, false, __ATOMIC_RELEASE);
	__atomic_store_n(&zone.tell_due, due, __ATOMIC_RELEASE);
	tell_if_wanted();
}

/* Those that the host knows stand at the lists' ends. */
static struct page *
find_untold(void)
{
	struct page *p;
	unsigned o;

	for (o = PAGE_TELL_ORDER; o <= PAGE_MAX_ORDER; o++) {
		p = TAILQ_FIRST(&zone.free[o]);
		if (p != NULL && (p->flags & PG_TOLD) == 0)
			return p;
	}
	return NULL;
}

unsigned
page_tell_begin(struct page **block, unsigned max)
{
	uint64_t state = spin_lock_irq(&zone.lock);
	struct page *p = NULL;
	unsigned n = 0;

	while (n < max && (p = find_untold()) != NULL) {
		list_remove(p);
		p->priv = p->order;
		block[n++] = p;
	}
	if (n < max)
		__atomic_store_n(&zone.told_due, false, __ATOMIC_RELEASE);
	spin_unlock_irq(&zone.lock, state);
	return n;
}

/* One that meets its buddy becomes a larger one, and news again. */
void
page_tell_end(struct page **block, unsigned n, bool told)
{
	uint64_t state = spin_lock_irq(&zone.lock);
	unsigned i, order;

	for (i = 0; i < n; i++) {
		order = page_tell_order(block[i]);
		if (free_locked(block[i], order) != order || !told)
			continue;
		TAILQ_REMOVE(&zone.free[order], block[i], link);
		TAILQ_INSERT_TAIL(&zone.free[order], block[i], link);
		block[i]->flags |= PG_TOLD;
	}
	spin_unlock_irq(&zone.lock, state);
}

/* --------------------------------------------------------------- freeing -- */

static bool any_kept; /* atomic: the rare case */

void
page_keep_aside(struct page *p)
{
	__atomic_or_fetch(&p->flags, PG_KEPT, __ATOMIC_RELAXED);
	__atomic_store_n(&any_kept, true, __ATOMIC_RELEASE);
}

static bool
is_kept(const struct page *p, unsigned order)
{
	unsigned i;

	for (i = 0; i < 1u << order; i++)
		if ((p[i].flags & PG_KEPT) != 0)
			return true;
	return false;
}

void
page_free(struct page *p, unsigned order)
{
	uint64_t state;

	KASSERT((p->flags & PG_FREE) == 0);
	if (__atomic_load_n(&any_kept, __ATOMIC_ACQUIRE) && is_kept(p, order))
		return;
	state = spin_lock_irq(&zone.lock);
	p->refs = 0;
	order = free_locked(p, order);
	spin_unlock_irq(&zone.lock, state);
	if (order >= PAGE_TELL_ORDER)
		tell_if_wanted();
}

void
page_free_last(struct page *p)
{
	page_free(p, 0);
}

void
page_stats(struct page_stats *st)
{
	uint64_t state = spin_lock_irq(&zone.lock);

	st->total = zone.total;
	st->free = zone.nfree + zone.untaken;
	st->taken_in = zone.total - zone.untaken;
	spin_unlock_irq(&zone.lock, state);
}

void
page_total_add(int64_t frames)
{
	uint64_t state = spin_lock_irq(&zone.lock);

	zone.total += frames;
	spin_unlock_irq(&zone.lock, state);
}

void
page_set_cached(uint64_t (*cached)(void))
{
	zone.cached = cached;
}

uint64_t
page_cached(void)
{
	return zone.cached != NULL ? zone.cached() : 0;
}

void
page_release_range(paddr_t pa, uint64_t size)
{
	paddr_t at = ROUND_UP(pa, PAGE_SIZE);
	paddr_t end = ROUND_DOWN(pa + size, PAGE_SIZE);

	for (; at < end; at += PAGE_SIZE)
		page_put(page_of_paddr(at));
}

void
page_set_reclaim(uint64_t (*reclaim)(uint64_t frames))
{
	zone.reclaim = reclaim;
}

int
page_init(const struct boot_info *bi)
{
	paddr_t at, taken;
	unsigned i;

	zone.bi = bi;
	for (i = 0; i <= PAGE_MAX_ORDER; i++)
		TAILQ_INIT(&zone.free[i]);
	usable_runs(0, ~0ul, count_run, &zone.total);
	zone.untaken = zone.total;
	grow();
	if (bi->initrd_size == 0)
		return 0;
	/* Its frames become files where they are, or are given back. */
	zone.total += (ROUND_UP(bi->initrd + bi->initrd_size, PAGE_SIZE) -
			  ROUND_DOWN(bi->initrd, PAGE_SIZE)) >>
	    PAGE_SHIFT;
	at = ROUND_DOWN(bi->initrd, SECTION_SIZE);
	zone.early_end = ROUND_UP(bi->initrd + bi->initrd_size, SECTION_SIZE);
	taken = zone.next;
	for (zone.early_start = at; at < zone.early_end; at += SECTION_SIZE) {
		/* A section full of initrd takes its tables from the lists. */
		while (zone.nfree < EARLY_FRAMES && grow())
			;
		if (at >= taken)
			take_in(at);
	}
	return 0;
}
