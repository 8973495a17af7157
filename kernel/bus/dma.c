/* SPDX-License-Identifier: ISC */
/*
 * dma.c - DMA maps, and the tag for memory as it is.
 */
#include "bus/dma.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include <linux/errno.h>

#define NRUNS        16 /* of a kernel buffer at once: 64 KiB of a stack */
#define MAX_SEGS     4096
#define DIRECT_SIZE  (1ul << 46) /* more memory than there can be */
#define DEFAULT_SEGS 1

static uint64_t kept_aside; /* atomic */

/* ---- maps ---- */

/* The smaller of two limits, of which 0 is none. */
static uint64_t
stricter(uint64_t a, uint64_t b)
{
	return a == 0 ? b : b == 0 ? a : MIN(a, b);
}

static struct dma_limits
limits_of(const struct dma_tag *tag, const struct dma_limits *l)
{
	struct dma_limits none = { 0 };

	l = l == NULL ? &none : l;
	return (struct dma_limits){
		.max_segs = stricter(tag->limits.max_segs,
		    l->max_segs == 0 ? DEFAULT_SEGS : l->max_segs),
		.max_seg_size = stricter(tag->limits.max_seg_size,
		    l->max_seg_size),
		.boundary = stricter(tag->limits.boundary, l->boundary),
		.addr_bits = stricter(tag->limits.addr_bits, l->addr_bits),
	};
}

static bool
limits_ok(const struct dma_limits *l)
{
	return l->max_segs <= MAX_SEGS && l->addr_bits <= 64 &&
	    (l->boundary & (l->boundary - 1)) == 0;
}

/* Its segments are whatever was there: nsegs tells how many are any. */
static int
map_make(struct dma_tag *tag, const struct dma_limits *l, struct dma_map *map)
{
	*map = (struct dma_map){
		.seg = (struct dma_seg *)(map + 1),
		.tag = tag,
		.limits = *l,
	};
	return tag->ops->map_init != NULL ? tag->ops->map_init(map) : 0;
}

static void
map_end(struct dma_map *map)
{
	dma_map_unload(map);
	if (map->tag->ops->map_fini != NULL)
		map->tag->ops->map_fini(map);
}

int
dma_maps_create(struct dma_tag *tag, const struct dma_limits *limits,
    unsigned n, struct dma_map **first)
{
	struct dma_limits l = limits_of(tag, limits);
	size_t size = DMA_MAP_SIZE((size_t)l.max_segs);
	struct dma_map *maps;
	unsigned i;
	int error = 0;

	if (!limits_ok(&l))
		return -EINVAL;
	maps = n > SIZE_MAX / size ? NULL : kmalloc(n * size);
	if (maps == NULL)
		return -ENOMEM;
	for (i = 0; i < n && error == 0; i++)
		error = map_make(tag, &l,
		    (struct dma_map *)((char *)maps + i * size));
	if (error == 0) {
		*first = maps;
		return 0;
	}
	while (--i > 0) /* the last one was not made */
		map_end(dma_maps_nth(maps, i - 1));
	kfree(maps);
	return error;
}

void
dma_maps_destroy(struct dma_map *first, unsigned n)
{
	if (first == NULL)
		return;
	while (n > 0)
		map_end(dma_maps_nth(first, --n));
	kfree(first);
}

/* ---- segments ---- */

static bool
addressable(const struct dma_limits *l, busaddr_t addr, uint64_t len)
{
	busaddr_t last = addr + (len - 1);

	return last >= addr &&
	    (l->addr_bits == 0 || l->addr_bits == 64 ||
		last >> l->addr_bits == 0);
}

/* How much of [addr, addr + len) one segment that begins at `from` may hold. */
static uint64_t
room_in_segment(const struct dma_limits *l, busaddr_t from, busaddr_t addr,
    uint64_t len)
{
	uint64_t used = addr - from;
	uint64_t max = l->max_seg_size == 0 ? UINT32_MAX : l->max_seg_size;

	if (used >= max)
		return 0;
	len = MIN(len, max - used);
	if (l->boundary != 0) {
		if (used != 0 &&
		    (from & ~(l->boundary - 1)) != (addr & ~(l->boundary - 1)))
			return 0;
		len = MIN(len, l->boundary - (addr & (l->boundary - 1)));
	}
	return len;
}

int
dma_map_append(struct dma_map *map, busaddr_t addr, uint64_t len)
{
	const struct dma_limits *l = &map->limits;
	struct dma_seg *last;
	uint64_t part;

	if (!addressable(l, addr, len))
		return -EFAULT;
	if (map->nsegs > 0) {
		last = &map->seg[map->nsegs - 1];
		if (last->addr + last->len == addr) {
			part = room_in_segment(l, last->addr, addr, len);
			last->len += part;
			addr += part;
			len -= part;
		}
	}
	for (; len > 0; addr += part, len -= part) {
		if (map->nsegs == l->max_segs)
			return -EFBIG;
		part = room_in_segment(l, addr, addr, len);
		map->seg[map->nsegs++] = (struct dma_seg){ addr, part };
	}
	return 0;
}

/* ---- loading ---- */

static int
check_runs(const struct dma_run *run, unsigned n, uint64_t *size)
{
	unsigned i;

	*size = 0;
	for (i = 0; i < n; i++) {
		if (run[i].len == 0 ||
		    __builtin_add_overflow(*size, run[i].len, size) ||
		    run[i].pa + (run[i].len - 1) < run[i].pa)
			return -EINVAL;
	}
	return n == 0 ? -EINVAL : 0;
}

int
dma_map_load_runs(struct dma_map *map, const struct dma_run *run, unsigned n,
    enum dma_dir dir)
{
	uint64_t size;
	int error = check_runs(run, n, &size);

	KASSERT(map->nsegs == 0);
	if (error != 0)
		return error;
	map->size = size;
	map->dir = dir;
	error = map->tag->ops->load(map, run, n);
	if (error != 0)
		map->nsegs = 0;
	return error;
}

/* Where a kernel address is in memory; false: nowhere. */
static bool
paddr_of(uint64_t va, paddr_t *pa)
{
	struct page *p;

	if (va >= KVA_DIRECT && va - KVA_DIRECT < DIRECT_SIZE) {
		*pa = va - KVA_DIRECT;
		return true;
	}
	if (va >= KVA_IMAGE) {
		*pa = va - KVA_IMAGE;
		return true;
	}
	p = pt_kernel_page(va);
	if (p == NULL)
		return false;
	*pa = page_paddr(p) + (va & PAGE_MASK);
	return true;
}

int
dma_map_load(struct dma_map *map, const void *buf, size_t len, enum dma_dir dir)
{
	struct dma_run run[NRUNS];
	uint64_t va = (uint64_t)buf, part;
	unsigned n = 0;
	paddr_t pa;

	if (len == 0 || va + (len - 1) < va)
		return -EINVAL;
	if (va >= KVA_DIRECT && va + (len - 1) - KVA_DIRECT < DIRECT_SIZE) {
		run[0] = (struct dma_run){ va - KVA_DIRECT, len };
		return dma_map_load_runs(map, run, 1, dir);
	}
	for (; len > 0; va += part, len -= part) {
		part = MIN(len, PAGE_SIZE - (va & PAGE_MASK));
		if (!paddr_of(va, &pa))
			return -EINVAL;
		if (n > 0 && run[n - 1].pa + run[n - 1].len == pa) {
			run[n - 1].len += part;
			continue;
		}
		if (n == NRUNS)
			return -EFBIG;
		run[n++] = (struct dma_run){ pa, part };
	}
	return dma_map_load_runs(map, run, n, dir);
}

void
dma_map_sync(struct dma_map *map, enum dma_sync what)
{
	if (map->nsegs != 0 && map->tag->ops->sync != NULL)
		map->tag->ops->sync(map, what);
}

void
dma_map_unload(struct dma_map *map)
{
	if (map->nsegs == 0)
		return;
	if (map->tag->ops->unload != NULL)
		map->tag->ops->unload(map);
	map->nsegs = 0;
}

/* ---- memory for rings ---- */

int
dma_mem_alloc(struct dma_tag *tag, size_t size, uint64_t align,
    const struct dma_limits *limits, struct dma_mem *out)
{
	struct dma_limits l = limits_of(tag, limits);
	int error;

	*out = (struct dma_mem){ .tag = tag };
	if (size == 0 || size > SIZE_MAX - PAGE_MASK || !limits_ok(&l) ||
	    (align & (align - 1)) != 0)
		return -EINVAL;
	out->size = ROUND_UP(size, PAGE_SIZE);
	error = tag->ops->mem_alloc(out, MAX(align, PAGE_SIZE), &l);
	if (error != 0) {
		out->kva = NULL;
		return error;
	}
	if (addressable(&l, out->addr, out->size))
		return 0;
	dma_mem_free(out, true);
	return -ENOMEM;
}

void
dma_mem_free(struct dma_mem *mem, bool quiet)
{
	if (mem->kva == NULL)
		return;
	if (quiet)
		mem->tag->ops->mem_free(mem);
	else
		__atomic_add_fetch(&kept_aside, mem->size, __ATOMIC_RELAXED);
	mem->kva = NULL;
}

void
dma_runs_keep_aside(const struct dma_run *run, unsigned n)
{
	paddr_t pa;

	for (; n > 0; n--, run++) {
		for (pa = ROUND_DOWN(run->pa, PAGE_SIZE);
		     pa < run->pa + run->len; pa += PAGE_SIZE) {
			page_keep_aside(page_of_paddr(pa));
			__atomic_add_fetch(&kept_aside, PAGE_SIZE,
			    __ATOMIC_RELAXED);
		}
	}
}

uint64_t
dma_mem_kept_aside(void)
{
	return __atomic_load_n(&kept_aside, __ATOMIC_RELAXED);
}

/* ---- plain memory ---- */

static int
memory_load(struct dma_map *map, const struct dma_run *run, unsigned n)
{
	unsigned i;
	int error = 0;

	for (i = 0; i < n && error == 0; i++)
		error = dma_map_append(map, run[i].pa, run[i].len);
	return error;
}

/* x86 keeps caches and devices coherent; only the compiler is held back. */
static void
memory_sync(struct dma_map *map, enum dma_sync what)
{
	(void)map;
	(void)what;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static unsigned
order_of(uint64_t size)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

/* A block of 2^n frames is aligned to its size. */
static int
memory_mem_alloc(struct dma_mem *mem, uint64_t align,
    const struct dma_limits *limits)
{
	struct page *p;
	unsigned order;

	(void)limits;
	if (MAX(mem->size, align) > PAGE_SIZE << PAGE_MAX_ORDER)
		return -ENOMEM;
	order = order_of(MAX(mem->size, align));
	p = page_alloc(order, PAGE_ALLOC_ZERO);
	if (p == NULL)
		return -ENOMEM;
	mem->kva = page_kva(p);
	mem->addr = page_paddr(p);
	mem->priv = (void *)(uintptr_t)order;
	return 0;
}

static void
memory_mem_free(struct dma_mem *mem)
{
	page_free(page_of_paddr(mem->addr), (uintptr_t)mem->priv);
}

static const struct dma_ops memory_ops = {
	.name = "memory",
	.load = memory_load,
	.sync = memory_sync,
	.mem_alloc = memory_mem_alloc,
	.mem_free = memory_mem_free,
};

static struct dma_tag memory_tag = { .ops = &memory_ops };

struct dma_tag *
dma_tag_memory(void)
{
	return &memory_tag;
}
