/* SPDX-License-Identifier: ISC */
/*
 * dma_fake.h - DMA maps over a program's own memory, for drivers on the host:
 * a bus address is the address itself.  Included by one file of a program.
 */
#ifndef BUS_DMA_FAKE_H
#define BUS_DMA_FAKE_H

#include "bus/dma.h"
#include "kern/kmem.h"
#include <errno.h>

/* The program's own, or a macro: ends it when something was not right. */
#ifndef fake_check
static void fake_check(bool right, const char *what);
#endif

int
dma_maps_create(struct dma_tag *tag, const struct dma_limits *limits,
    unsigned n, struct dma_map **first)
{
	size_t size = DMA_MAP_SIZE(limits->max_segs);
	char *maps = kzalloc(n * size);
	struct dma_map *map;
	unsigned i;

	(void)tag;
	if (maps == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		map = (void *)(maps + i * size);
		map->limits = *limits;
		map->seg = (void *)(map + 1);
	}
	*first = (void *)maps;
	return 0;
}

void
dma_maps_destroy(struct dma_map *first, unsigned n)
{
	(void)n;
	kfree(first);
}

int
dma_map_load_runs(struct dma_map *map, const struct dma_run *run, unsigned n,
    enum dma_dir dir)
{
	unsigned i;

	fake_check(map->nsegs == 0, "a map that is loaded twice");
	map->dir = dir;
	map->size = 0;
	if (n > map->limits.max_segs)
		return -EFBIG;
	for (i = 0; i < n; i++) {
		map->seg[i] = (struct dma_seg){ run[i].pa, run[i].len };
		map->size += run[i].len;
	}
	map->nsegs = n;
	return 0;
}

int
dma_map_load(struct dma_map *map, const void *buf, size_t len, enum dma_dir dir)
{
	struct dma_run run = { (uintptr_t)buf, len };

	return dma_map_load_runs(map, &run, 1, dir);
}

void
dma_map_sync(struct dma_map *map, enum dma_sync what)
{
	(void)map;
	(void)what;
}

void
dma_map_unload(struct dma_map *map)
{
	map->nsegs = 0;
}

#endif
