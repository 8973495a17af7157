/* SPDX-License-Identifier: ISC */
/*
 * vm_object.c - things that have pages, and shared memory of no file.
 */
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/vm_impl.h"

void
vm_object_init(struct vm_object *o, const struct vm_object_ops *ops)
{
	o->ops = ops;
	o->refs = 1;
	o->epoch = 0;
	spin_init(&o->lock);
	TAILQ_INIT(&o->mappings);
}

void
vm_object_get(struct vm_object *o)
{
	__atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
}

bool
vm_object_get_live(struct vm_object *o)
{
	uint32_t refs = __atomic_load_n(&o->refs, __ATOMIC_RELAXED);

	while (refs != 0)
		if (__atomic_compare_exchange_n(&o->refs, &refs, refs + 1, true,
			__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

uint64_t
vm_object_nmappings(struct vm_object *o)
{
	struct vm_mapping *m;
	uint64_t n = 0;

	spin_lock(&o->lock);
	TAILQ_FOREACH (m, &o->mappings, object_link)
		n++;
	spin_unlock(&o->lock);
	return n;
}

void
vm_object_put(struct vm_object *o)
{
	if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL) == 0)
		o->ops->release(o);
}

void
vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last, bool all)
{
	struct vm_mapping *m;
	uint64_t from, pages, low, high;

	/* Faults under way see the new epoch and ask the object again. */
	__atomic_add_fetch(&o->epoch, 1, __ATOMIC_RELEASE);
	if (TAILQ_EMPTY(&o->mappings))
		return;
	spin_lock(&o->lock);
	TAILQ_FOREACH (m, &o->mappings, object_link) {
		from = m->offset >> PAGE_SHIFT;
		pages = (m->end - m->start) >> PAGE_SHIFT;
		if (last < from || first >= from + pages)
			continue;
		low = first > from ? first - from : 0;
		high = MIN(last - from, pages - 1);
		vm_zap(m->vm, m->start + (low << PAGE_SHIFT),
		    m->start + ((high + 1) << PAGE_SHIFT),
		    all ? ZAP_ALL : ZAP_OBJECT);
	}
	spin_unlock(&o->lock);
}

bool
vm_object_shared_writable(struct vm_object *o)
{
	struct vm_mapping *m;
	bool found = false;

	spin_lock(&o->lock);
	TAILQ_FOREACH (m, &o->mappings, object_link)
		found |= (m->flags & VM_SHARED) != 0 &&
		    (m->flags & (VM_WRITE | VM_MAYWRITE)) != 0;
	spin_unlock(&o->lock);
	return found;
}

/*
 * Shared memory of no file: a tree of frames that hold 512 pointers each, as
 * high as the size asks.
 */
#define FAN_SHIFT 9
#define FAN       (1u << FAN_SHIFT)

struct anon_object {
	struct vm_object object;
	uint64_t pages;  /* [I] */
	unsigned height; /* [I] levels of pointer frames */
	uint64_t id;     /* [I] the inode number that programs see */
	void **top;      /* object.lock */
	const struct vm_anon_owner_ops *owner_ops; /* [I] or NULL */
	void *owner;                               /* [I] */
};

static struct anon_object *
anon_of(struct vm_object *o)
{
	return container_of(o, struct anon_object, object);
}

/* The place of a page's pointer; NULL: no table there (or no memory). */
static void **
anon_slot_locked(struct anon_object *a, uint64_t index, bool make)
{
	void **at = (void **)&a->top;
	struct page *table;
	unsigned level;

	for (level = a->height; level > 0; level--) {
		if (*at == NULL) {
			table = make ? page_alloc(0, PAGE_ALLOC_ZERO) : NULL;
			if (table == NULL)
				return NULL;
			*at = page_kva(table);
		}
		at = (void **)*at +
		    ((index >> ((level - 1) * FAN_SHIFT)) & (FAN - 1));
	}
	return at;
}

static int
anon_get_page(struct vm_object *o, uint64_t index, bool write,
    struct page **out)
{
	struct anon_object *a = anon_of(o);
	struct page *p = NULL;
	void **slot;
	int error = 0;

	(void)write;
	if (index >= a->pages)
		return -ENXIO;
	spin_lock(&o->lock);
	slot = anon_slot_locked(a, index, true);
	if (slot != NULL && *slot == NULL)
		*slot = page_alloc(0, PAGE_ALLOC_ZERO);
	if (slot != NULL && *slot != NULL)
		p = *slot;
	if (p != NULL)
		page_get(p);
	else
		error = -ENOMEM;
	spin_unlock(&o->lock);
	*out = p;
	return error;
}

static unsigned
anon_peek_pages(struct vm_object *o, uint64_t index, unsigned n,
    struct page **out)
{
	struct anon_object *a = anon_of(o);
	unsigned i, found = 0;
	void **slot;

	spin_lock(&o->lock);
	for (i = 0; i < n; i++) {
		slot = index + i < a->pages ?
		    anon_slot_locked(a, index + i, false) :
		    NULL;
		out[i] = slot == NULL ? NULL : *slot;
		if (out[i] == NULL)
			continue;
		page_get(out[i]);
		found++;
	}
	spin_unlock(&o->lock);
	return found;
}

static int
anon_punch(struct vm_object *o, uint64_t first, uint64_t last)
{
	struct anon_object *a = anon_of(o);
	struct page *p;
	uint64_t i;
	void **slot;

	if (a->pages == 0)
		return 0;
	vm_object_unmap(o, first, last, true);
	for (i = first; i <= MIN(last, a->pages - 1); i++) {
		spin_lock(&o->lock);
		slot = anon_slot_locked(a, i, false);
		p = slot == NULL ? NULL : *slot;
		if (p != NULL)
			*slot = NULL;
		spin_unlock(&o->lock);
		if (p != NULL)
			page_put(p);
		else if (slot == NULL)
			i |= FAN - 1; /* no table: on to the next one */
	}
	/* Who faulted in between holds the old page: let it ask again. */
	vm_object_unmap(o, first, last, true);
	return 0;
}

static void
anon_free_tables(void **table, unsigned height)
{
	unsigned i;

	if (table == NULL)
		return;
	for (i = 0; i < FAN; i++) {
		if (table[i] == NULL)
			continue;
		if (height > 1)
			anon_free_tables(table[i], height - 1);
		else
			page_put(table[i]);
	}
	page_put(page_of_paddr(kva_paddr(table)));
}

static void
anon_release(struct vm_object *o)
{
	struct anon_object *a = anon_of(o);

	if (a->owner_ops != NULL)
		a->owner_ops->gone(a->owner);
	anon_free_tables(a->top, a->height);
	kfree(a);
}

static void
anon_describe(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
    uint64_t *ino)
{
	const struct anon_object *a = anon_of(o);

	if (a->owner_ops != NULL) {
		a->owner_ops->describe(a->owner, buf, size, dev, ino);
		return;
	}
	strlcpy(buf, "/dev/zero (deleted)", size);
	*dev = 1;
	*ino = a->id;
}

static const struct vm_object_ops anon_ops = {
	.get_page = anon_get_page,
	.peek_pages = anon_peek_pages,
	.punch = anon_punch,
	.release = anon_release,
	.describe = anon_describe,
};

int
vm_object_anon(uint64_t size, struct vm_object **out)
{
	return vm_object_anon_owned(size, NULL, NULL, out);
}

void *
vm_object_anon_owner(const struct vm_object *o,
    const struct vm_anon_owner_ops *ops)
{
	const struct anon_object *a = container_of(o, struct anon_object,
	    object);

	return o->ops == &anon_ops && a->owner_ops == ops ? a->owner : NULL;
}

int
vm_object_anon_owned(uint64_t size, const struct vm_anon_owner_ops *ops,
    void *owner, struct vm_object **out)
{
	static uint64_t next_id;
	struct anon_object *a = kzalloc(sizeof(*a));
	uint64_t reach = 1;

	if (a == NULL)
		return -ENOMEM;
	vm_object_init(&a->object, &anon_ops);
	a->pages = PAGES(size);
	a->owner_ops = ops;
	a->owner = owner;
	a->id = 1024 + __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
	do {
		a->height++;
		reach <<= FAN_SHIFT;
	} while (reach < a->pages);
	*out = &a->object;
	return 0;
}
