/* SPDX-License-Identifier: ISC */
/*
 * virtio_alone.h - beside virtio_fake.h, for drivers whose calls sleep: a
 * program of one thread, in which nobody else is inside, and who waits makes
 * the device go on (fake_await(), the program's own).  Before the driver.
 */
#ifndef BUS_VIRTIO_ALONE_H
#define BUS_VIRTIO_ALONE_H

#include "bus/virtio_fake.h"

#define BUS_GATE_H
#define KERN_WAITQ_H
#define KERN_THREAD_H

#define ERESTARTSYS        512
#define WAIT_FOREVER       INT64_MAX
#define irq_save()         0
#define irq_restore(state) ((void)(state))

struct gate {
	unsigned inside;
	bool shut;
};

static inline void
gate_init(struct gate *g)
{
	*g = (struct gate){ 0 };
}

static inline bool
gate_enter(struct gate *g)
{
	g->inside += !g->shut;
	return !g->shut;
}

static inline void
gate_exit(struct gate *g)
{
	fake_check(g->inside > 0, "out of a gate more often than in");
	g->inside--;
}

static inline void
gate_close(struct gate *g)
{
	g->shut = true;
}

static inline void
gate_shut(struct gate *g)
{
	gate_close(g);
	fake_check(g->inside == 0, "somebody stays in a gate");
}

static inline void
gate_reopen(struct gate *g)
{
	g->shut = false;
}

struct waitq {
	unsigned wakings;
};
#define WAITQ_INIT(name) \
	{                \
		0        \
	}

static inline void
waitq_init(struct waitq *wq)
{
	wq->wakings = 0;
}

static inline void
waitq_wake_all(struct waitq *wq)
{
	wq->wakings++;
}

/* The device does something, or is taken away: no wait is for ever. */
static void fake_await(void) __attribute__((unused));
#define wait_event(wq, cond)   \
	do {                   \
		if (cond)      \
			break; \
		fake_await();  \
	} while (true)
/* Time passes only here. */
#define wait_event_kind(wq, cond, kind, deadline_ns) \
	__extension__({                              \
		int64_t until_ = (deadline_ns);      \
		while (!(cond) && fake_now < until_) \
			fake_now += 100000000;       \
		(cond) ? 0 : -ETIMEDOUT;             \
	})

/* ------------------------------------------------------------ DMA maps -- */

int
dma_map_create(struct dma_tag *tag, const struct dma_limits *limits,
    struct dma_map **out)
{
	struct dma_map *map = kzalloc(
	    sizeof(*map) + limits->max_segs * sizeof(map->seg[0]));

	(void)tag;
	if (map == NULL)
		return -ENOMEM;
	map->limits = *limits;
	map->seg = (void *)(map + 1);
	*out = map;
	return 0;
}

void
dma_map_destroy(struct dma_map *map)
{
	kfree(map);
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
