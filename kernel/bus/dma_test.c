/* SPDX-License-Identifier: ISC */
/*
 * dma_test.c - DMA maps on the host: limits of all kinds, random loads against
 * a plain model, memory for rings.  The test plays page frames and page tables.
 */
/* unit: kernel/bus/dma.c */
#include "bus/dma.h"

#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/panic.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define STACK_VA  0x710000000000ul /* mapped pages, each anywhere */
#define NSTACK    20
#define MEM_BASE  0x40000000ul
#define MEM_PAGES 64

static paddr_t stack_frame[NSTACK];
static unsigned page_used, page_fail, page_kept;
static uint64_t seed = 88172645463325252u;

static uint64_t
rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* ---- the machine ---- */

void *
kmalloc(size_t size)
{
	return malloc(size);
}

void
kfree(void *p)
{
	free(p);
}

void
panic(const char *fmt, ...)
{
	fprintf(stderr, "%s\n", fmt);
	abort();
}

struct page *
pt_kernel_page(uint64_t va)
{
	if (va < STACK_VA || va >= STACK_VA + NSTACK * PAGE_SIZE)
		return NULL;
	return page_of_paddr(stack_frame[(va - STACK_VA) / PAGE_SIZE]);
}

void
page_keep_aside(struct page *p)
{
	(void)p;
	page_kept++;
}

struct page *
page_alloc(unsigned order, unsigned flags)
{
	unsigned first = ROUND_UP(page_used, 1u << order);

	assert_int_equal(flags, PAGE_ALLOC_ZERO);
	if (page_fail || first + (1u << order) > MEM_PAGES)
		return NULL;
	page_used = first + (1u << order);
	return page_of_paddr(MEM_BASE + first * PAGE_SIZE);
}

void
page_free(struct page *p, unsigned order)
{
	assert_int_equal(page_paddr(p) & ((PAGE_SIZE << order) - 1), 0);
	page_used = 0;
}

/* ---- maps ---- */

static struct dma_map *
map_with(uint32_t segs, uint32_t size, uint64_t boundary, uint8_t bits)
{
	struct dma_limits l = { segs, size, boundary, bits };
	struct dma_map *map;

	assert_int_equal(dma_map_create(dma_tag_memory(), &l, &map), 0);
	return map;
}

static void
neighbours_are_joined(void **state)
{
	struct dma_run run[] = { { 0x1000, 0x1000 }, { 0x2000, 0x800 },
		{ 0x4000, 1 } };
	struct dma_map *map = map_with(4, 0, 0, 0);

	(void)state;
	assert_int_equal(dma_map_load_runs(map, run, 3, DMA_TO_DEVICE), 0);
	assert_int_equal(map->nsegs, 2);
	assert_int_equal(map->seg[0].addr, 0x1000);
	assert_int_equal(map->seg[0].len, 0x1800);
	assert_int_equal(map->seg[1].len, 1);
	assert_int_equal(map->size, 0x1801);
	dma_map_sync(map, DMA_SYNC_FOR_DEVICE);
	dma_map_unload(map);
	dma_map_unload(map);
	assert_int_equal(map->nsegs, 0);
	dma_map_destroy(map);
	dma_map_destroy(NULL);
}

static void
limits_are_kept_or_refused(void **state)
{
	struct dma_limits odd = { .boundary = 0x3000 };
	struct dma_run run = { 0xf000, 0x3000 }, wraps = { ~0xffful, 0x2000 };
	struct dma_run two[] = { { 0, ~0ul }, { 0, 2 } };
	struct dma_map *map = map_with(2, 0, 0x10000, 0);

	(void)state;
	assert_int_equal(dma_map_load_runs(map, &run, 1, DMA_BOTH), 0);
	assert_int_equal(map->nsegs, 2);
	assert_int_equal(map->seg[1].addr, 0x10000);
	dma_map_destroy(map); /* while loaded */
	map = map_with(2, 0x1000, 0, 0);
	assert_int_equal(dma_map_load_runs(map, &run, 1, DMA_BOTH), -EFBIG);
	assert_int_equal(map->nsegs, 0);
	assert_int_equal(dma_map_load_runs(map, &wraps, 1, DMA_BOTH), -EINVAL);
	assert_int_equal(dma_map_load_runs(map, two, 2, DMA_BOTH), -EINVAL);
	assert_int_equal(dma_map_load_runs(map, two, 0, DMA_BOTH), -EINVAL);
	dma_map_destroy(map);
	map = map_with(9, 0, 0, 16);
	assert_int_equal(dma_map_load_runs(map, &run, 1, DMA_BOTH), -EFAULT);
	run.len = 0x1000;
	assert_int_equal(dma_map_load_runs(map, &run, 1, DMA_BOTH), 0);
	dma_map_destroy(map);
	assert_int_equal(dma_map_create(dma_tag_memory(), &odd, &map), -EINVAL);
}

/* ---- several maps ---- */

static unsigned maps_made, maps_left; /* left: how many may be made yet */

static int
count_init(struct dma_map *map)
{
	if (maps_left == 0)
		return -ENOMEM;
	maps_left--;
	maps_made++;
	map->priv = &maps_made;
	return 0;
}

static void
count_fini(struct dma_map *map)
{
	assert_ptr_equal(map->priv, &maps_made);
	maps_made--;
}

static int
count_load(struct dma_map *map, const struct dma_run *run, unsigned n)
{
	unsigned i;
	int error = 0;

	for (i = 0; i < n && error == 0; i++)
		error = dma_map_append(map, run[i].pa, run[i].len);
	return error;
}

/* They do not touch each other, and are all made or none. */
static void
several_maps_are_one_piece(void **state)
{
	static const struct dma_ops ops = { .map_init = count_init,
		.map_fini = count_fini,
		.load = count_load };
	struct dma_tag tag = { .ops = &ops, .limits = { .boundary = 0x1000 } };
	struct dma_limits l = { .max_segs = 2 };
	struct dma_run run = { 0x1800, 0x1000 };
	struct dma_map *maps, *map;
	unsigned i;

	(void)state;
	for (maps_left = 0; maps_left < 5; maps_left = i + 1) {
		i = maps_left;
		assert_int_equal(dma_maps_create(&tag, &l, 5, &maps), -ENOMEM);
		assert_int_equal(maps_made, 0);
	}
	assert_int_equal(dma_maps_create(&tag, &l, 5, &maps), 0);
	assert_int_equal(maps_made, 5);
	for (i = 0; i < 5; i++) {
		run.pa += 0x10000;
		map = dma_maps_nth(maps, i);
		assert_int_equal(dma_map_load_runs(map, &run, 1, DMA_BOTH), 0);
	}
	for (run.pa = 0x1800, i = 0; i < 5; i++) {
		run.pa += 0x10000;
		map = dma_maps_nth(maps, i);
		assert_int_equal(map->nsegs, 2);
		assert_int_equal(map->seg[0].addr, run.pa);
		assert_int_equal(map->seg[1].addr, run.pa + 0x800);
	}
	dma_maps_destroy(maps, 5);
	assert_int_equal(maps_made, 0);
	dma_maps_destroy(NULL, 5);
}

static void
buffers_are_found_wherever_they_are(void **state)
{
	struct dma_map *map = map_with(16, 0, 0, 0);
	char *direct = (char *)KVA_DIRECT, *stack = (char *)STACK_VA;
	char *image = (char *)KVA_IMAGE;

	(void)state;
	stack_frame[0] = 0x5000;
	stack_frame[1] = 0x9000;
	stack_frame[2] = 0xa000;
	assert_int_equal(dma_map_load(map, direct + 0x1234, 99, DMA_BOTH), 0);
	assert_int_equal(map->seg[0].addr, 0x1234);
	dma_map_unload(map);
	assert_int_equal(dma_map_load(map, image + 0x100001, 9, DMA_BOTH), 0);
	assert_int_equal(map->seg[0].addr, 0x100001);
	dma_map_unload(map);
	assert_int_equal(dma_map_load(map, stack + 0xff0, 0x1020, DMA_BOTH), 0);
	assert_int_equal(map->nsegs, 2);
	assert_int_equal(map->seg[0].addr, 0x5ff0);
	assert_int_equal(map->seg[0].len, 0x10);
	assert_int_equal(map->seg[1].addr, 0x9000);
	assert_int_equal(map->seg[1].len, 0x1010);
	dma_map_unload(map);
	assert_int_equal(dma_map_load(map, stack, 0, DMA_BOTH), -EINVAL);
	assert_int_equal(dma_map_load(map, NULL, 8, DMA_BOTH), -EINVAL);
	assert_int_equal(dma_map_load(map, stack - 1, 8, DMA_BOTH), -EINVAL);
	assert_int_equal(dma_map_load(map, (char *)-8l, 16, DMA_BOTH), -EINVAL);
	dma_map_destroy(map);
}

/* Every byte once, in order, and every segment within the limits. */
static void
check_segments(const struct dma_map *map, const struct dma_run *run, unsigned n)
{
	const struct dma_limits *l = &map->limits;
	uint64_t done = 0;
	unsigned s, r = 0;

	for (s = 0; s < map->nsegs; s++) {
		uint64_t addr = map->seg[s].addr, len = map->seg[s].len;

		assert_int_not_equal(len, 0);
		assert_true(l->max_seg_size == 0 || len <= l->max_seg_size);
		assert_true(l->boundary == 0 ||
		    addr / l->boundary == (addr + len - 1) / l->boundary);
		while (len > 0) {
			uint64_t part = MIN(len, run[r].len - done);

			assert_int_equal(addr, run[r].pa + done);
			addr += part;
			len -= part;
			done += part;
			if (done == run[r].len) {
				done = 0;
				r++;
			}
		}
	}
	assert_int_equal(r, n);
	assert_int_equal(done, 0);
}

static void
random_loads_cover_every_byte(void **state)
{
	struct dma_run run[6] = { 0 };
	struct dma_map *map;
	unsigned i, j, n, loaded = 0;
	int error;

	(void)state;
	for (i = 0; i < 20000; i++) {
		map = map_with(1 + rnd(40), rnd(2) * (1 + rnd(9000)),
		    rnd(2) << (9 + rnd(8)), 0);
		n = 1 + rnd(6);
		for (j = 0; j < n; j++) {
			run[j].pa = j > 0 && rnd(2) ?
			    run[j - 1].pa + run[j - 1].len :
			    rnd(1 << 20);
			run[j].len = 1 + rnd(10000);
		}
		error = dma_map_load_runs(map, run, n, DMA_FROM_DEVICE);
		assert_true(error == 0 || error == -EFBIG);
		if (error == 0) {
			check_segments(map, run, n);
			loaded++;
		}
		dma_map_destroy(map);
	}
	assert_in_range(loaded, 1000, 19000);
}

static void
memory_for_rings(void **state)
{
	struct dma_limits low = { .addr_bits = 20 };
	struct dma_tag *tag = dma_tag_memory();
	struct dma_mem mem;
	struct dma_run run[2];

	(void)state;
	assert_int_equal(dma_mem_alloc(tag, 5000, 0, NULL, &mem), 0);
	assert_int_equal(mem.size, 0x2000);
	assert_int_equal(mem.addr, MEM_BASE);
	dma_mem_free(&mem, true);
	assert_int_equal(page_used, 0);
	dma_mem_free(&mem, false);
	assert_int_equal(dma_mem_kept_aside(), 0);
	page_used = 1;
	assert_int_equal(dma_mem_alloc(tag, 1, 0x4000, NULL, &mem), 0);
	assert_int_equal(mem.addr, MEM_BASE + 0x4000);
	dma_mem_free(&mem, false);
	assert_null(mem.kva);
	assert_int_equal(page_used, 8);
	assert_int_equal(dma_mem_kept_aside(), 0x1000);
	run[0] = (struct dma_run){ MEM_BASE + 0x200, 0xe00 };
	run[1] = (struct dma_run){ MEM_BASE + 0x2ff0, 0x20 };
	dma_runs_keep_aside(run, 2);
	assert_int_equal(page_kept, 3);
	assert_int_equal(dma_mem_kept_aside(), 0x4000);
	assert_int_equal(dma_mem_alloc(tag, 1, 0, &low, &mem), -ENOMEM);
	assert_int_equal(page_used, 0);
	assert_int_equal(dma_mem_alloc(tag, 0, 0, NULL, &mem), -EINVAL);
	assert_int_equal(dma_mem_alloc(tag, 1, 0x3000, NULL, &mem), -EINVAL);
	assert_int_equal(dma_mem_alloc(tag, ~0ul, 0, NULL, &mem), -EINVAL);
	assert_int_equal(dma_mem_alloc(tag, 1ul << 40, 0, NULL, &mem), -ENOMEM);
	page_fail = 1;
	assert_int_equal(dma_mem_alloc(tag, 1, 0, NULL, &mem), -ENOMEM);
	page_fail = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_are_joined),
		cmocka_unit_test(limits_are_kept_or_refused),
		cmocka_unit_test(several_maps_are_one_piece),
		cmocka_unit_test(buffers_are_found_wherever_they_are),
		cmocka_unit_test(random_loads_cover_every_byte),
		cmocka_unit_test(memory_for_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
