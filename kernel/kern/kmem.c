/* SPDX-License-Identifier: ISC */
/*
 * kmem.c - object caches, after Bonwick's slabs: a slab is one frame that
 * begins with a header and holds objects of one size.  Sizes in between use a
 * cache each; from half a frame on, whole frames are handed out.
 */
#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/panic.h"
#include "kern/spinlock.h"
#include "kern/string.h"

struct slab { /* at the beginning of its frame */
	TAILQ_ENTRY(slab) link;
	struct objcache_state *cache;
	void *free; /* the first free object; each begins with the next */
	uint32_t inuse, ncarved; /* ncarved: objects that ever existed */
};

struct objcache_state {
	struct spinlock lock;
	uint32_t size, per_slab;
	TAILQ_HEAD(, slab) partial;
	uint32_t nempty; /* on partial, with nothing in use */
};

#define SLAB_HEADER ROUND_UP(sizeof(struct slab), 16)
#define SMALL_MAX   2016 /* two a slab */

/* From 400 on, what a slab has room for 10, 9, 8 ... of. */
static const uint16_t sizes[] = { 16, 32, 48, 64, 96, 128, 192, 256, 400, 448,
	496, 576, 672, 800, 1008, 1344, SMALL_MAX };
static struct objcache_state small[ARRAY_SIZE(sizes)];
static uint8_t size_index[SMALL_MAX / 16 + 1];
static uint64_t used;

static void
state_init(struct objcache_state *st, uint32_t size)
{
	spin_init(&st->lock);
	st->size = size;
	st->per_slab = (PAGE_SIZE - SLAB_HEADER) / size;
	TAILQ_INIT(&st->partial);
	st->nempty = 0;
}

int
kmem_init(void)
{
	unsigned i, n;

	for (i = 0, n = 0; i < ARRAY_SIZE(sizes); i++) {
		state_init(&small[i], sizes[i]);
		for (; n <= sizes[i] / 16; n++)
			size_index[n] = i;
	}
	return 0;
}

static struct slab *
slab_create(struct objcache_state *st)
{
	struct page *p = page_alloc(0, 0);
	struct slab *s;

	if (p == NULL)
		return NULL;
	p->flags |= PG_SLAB;
	s = page_kva(p);
	*s = (struct slab){ .cache = st };
	TAILQ_INSERT_HEAD(&st->partial, s, link);
	st->nempty++;
	return s;
}

static void *
slab_take(struct objcache_state *st, struct slab *s)
{
	void *p = s->free;

	if (p != NULL)
		s->free = *(void **)p;
	else
		p = (char *)s + SLAB_HEADER + s->ncarved++ * st->size;
	if (s->inuse++ == 0)
		st->nempty--;
	if (s->inuse == st->per_slab)
		TAILQ_REMOVE(&st->partial, s, link);
	return p;
}

static void *
state_alloc(struct objcache_state *st)
{
	uint64_t state = spin_lock_irq(&st->lock);
	struct slab *s = TAILQ_FIRST(&st->partial);
	void *p = NULL;

	if (s == NULL)
		s = slab_create(st);
	if (s != NULL)
		p = slab_take(st, s);
	spin_unlock_irq(&st->lock, state);
	if (p != NULL)
		__atomic_add_fetch(&used, st->size, __ATOMIC_RELAXED);
	return p;
}

/* Keeps one empty slab a cache, so that one object does not thrash. */
static void
state_free(struct objcache_state *st, struct slab *s, void *p)
{
	struct page *page = NULL;
	uint64_t state = spin_lock_irq(&st->lock);

	KASSERT(s->inuse > 0);
	*(void **)p = s->free;
	s->free = p;
	if (s->inuse-- == st->per_slab)
		TAILQ_INSERT_HEAD(&st->partial, s, link);
	if (s->inuse == 0 && st->nempty++ > 0) {
		TAILQ_REMOVE(&st->partial, s, link);
		st->nempty--;
		page = page_of_paddr(kva_paddr(s));
		page->flags &= ~PG_SLAB;
	}
	spin_unlock_irq(&st->lock, state);
	__atomic_sub_fetch(&used, st->size, __ATOMIC_RELAXED);
	if (page != NULL)
		page_put(page);
}

static void *
large_alloc(size_t size)
{
	unsigned order = 0;
	struct page *p;

	while (order <= PAGE_MAX_ORDER && PAGE_SIZE << order < size)
		order++;
	if (order > PAGE_MAX_ORDER || (p = page_alloc(order, 0)) == NULL)
		return NULL;
	__atomic_add_fetch(&used, PAGE_SIZE << order, __ATOMIC_RELAXED);
	return page_kva(p);
}

void *
kmalloc(size_t size)
{
	if (size > SMALL_MAX)
		return large_alloc(size);
	return state_alloc(&small[size_index[(size + 15) / 16]]);
}

void *
kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p != NULL)
		memset(p, 0, size);
	return p;
}

void *
kcalloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kzalloc(bytes);
}

static size_t
size_of(struct page *page)
{
	if ((page->flags & PG_SLAB) != 0)
		return ((struct slab *)page_kva(page))->cache->size;
	return PAGE_SIZE << page->order;
}

void *
krealloc(void *p, size_t size)
{
	size_t have;
	void *q;

	if (p == NULL)
		return kmalloc(size);
	have = size_of(page_of_paddr(kva_paddr(p)));
	if (size <= have && size >= have / 4)
		return p;
	q = kmalloc(size);
	if (q == NULL)
		return NULL;
	memcpy(q, p, MIN(size, have));
	kfree(p);
	return q;
}

void
kfree(void *p)
{
	struct page *page;

	if (p == NULL)
		return;
	page = page_of_paddr(kva_paddr(p));
	KASSERT((page->flags & PG_FREE) == 0);
	if ((page->flags & PG_SLAB) != 0) {
		struct slab *s = page_kva(page);

		state_free(s->cache, s, p);
		return;
	}
	__atomic_sub_fetch(&used, PAGE_SIZE << page->order, __ATOMIC_RELAXED);
	page_free(page, page->order);
}

char *
kstrdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *p = kmalloc(size);

	if (p != NULL)
		memcpy(p, s, size);
	return p;
}

/* The first use of a cache makes its state. */
static struct objcache_state *
objcache_state(struct objcache *c)
{
	static struct spinlock lock = SPINLOCK_INIT;
	struct objcache_state *st = __atomic_load_n(&c->state,
	    __ATOMIC_ACQUIRE);
	struct objcache_state *made;

	if (st != NULL)
		return st;
	made = kmalloc(sizeof(*made));
	if (made == NULL)
		return NULL;
	c->size = ROUND_UP(c->size, 16);
	KASSERT(c->size <= PAGE_SIZE - SLAB_HEADER);
	state_init(made, c->size);
	spin_lock(&lock);
	if (c->state == NULL) {
		__atomic_store_n(&c->state, made, __ATOMIC_RELEASE);
		made = NULL;
	}
	spin_unlock(&lock);
	kfree(made);
	return c->state;
}

void *
objcache_alloc(struct objcache *c)
{
	struct objcache_state *st = objcache_state(c);

	return st != NULL ? state_alloc(st) : NULL;
}

void *
objcache_zalloc(struct objcache *c)
{
	void *p = objcache_alloc(c);

	if (p != NULL)
		memset(p, 0, c->size);
	return p;
}

void
objcache_free(struct objcache *c, void *p)
{
	struct slab *s = (struct slab *)ROUND_DOWN((uint64_t)p, PAGE_SIZE);

	if (p == NULL)
		return;
	KASSERT(s->cache == c->state);
	state_free(c->state, s, p);
}

uint64_t
kmem_used(void)
{
	return used;
}
