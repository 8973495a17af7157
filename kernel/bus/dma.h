/* SPDX-License-Identifier: ISC */
/*
 * dma.h - how a device reaches memory.
 *
 * A driver never sees a guest-physical address.  It creates a map beforehand,
 * loads a buffer, puts the map's segments in its ring, and unloads the map
 * when the device has answered.  Behind the tag stands plain memory, a Xen
 * grant table or an IOMMU domain; the driver does not know which.
 *
 *	create -> (load -> sync FOR_DEVICE -> ... -> sync FOR_CPU -> unload)*
 *	-> destroy
 *
 * Context: load, sync and unload: any, nothing sleeps; the others may sleep.
 * Locking: none inside; one map belongs to one request at a time.
 */
#ifndef BUS_DMA_H
#define BUS_DMA_H

#include "kern/types.h"

typedef uint64_t busaddr_t; /* address that a device uses */

struct dma_seg {
	busaddr_t addr;
	uint32_t len; /* bytes, never 0 */
};

/* What a device can take.  0: no limit. */
struct dma_limits {
	uint32_t max_segs;     /* 0: one */
	uint32_t max_seg_size; /* bytes */
	uint64_t boundary;     /* a power of two that no segment crosses */
	uint8_t addr_bits;     /* width of an address */
};

/* A piece of memory: physically contiguous bytes. */
struct dma_run {
	paddr_t pa;
	uint64_t len; /* bytes */
};

enum dma_dir {
	DMA_TO_DEVICE = 1, /* the device reads */
	DMA_FROM_DEVICE = 2,
	DMA_BOTH = 3,
};

enum dma_sync {
	DMA_SYNC_FOR_DEVICE, /* after the CPU wrote, before the doorbell */
	DMA_SYNC_FOR_CPU,    /* after the answer, before the CPU reads */
};

struct dma_tag;

struct dma_map {
	/* For drivers, while loaded: */
	struct dma_seg *seg;
	unsigned nsegs; /* 0: not loaded */
	/* For the tag's operations: */
	struct dma_tag *tag;      /* [I] */
	struct dma_limits limits; /* [I] of device and tag together */
	uint64_t size;            /* bytes loaded */
	enum dma_dir dir;
	void *priv; /* grants, I/O addresses */
};

/* Memory that device and processor both use all the time: rings. */
struct dma_mem {
	void *kva; /* NULL: none */
	busaddr_t addr;
	size_t size; /* bytes, whole pages */
	struct dma_tag *tag;
	void *priv;
};

/*
 * What stands behind a tag.  map_init and map_fini may be NULL.  `load` gets
 * runs that have been checked (none empty, the sum does not wrap) and appends
 * segments with dma_map_append(); when it fails it has left nothing behind,
 * and nsegs is set to 0 for it.  sync and unload may be NULL.
 */
struct dma_ops {
	const char *name; /* "memory", "grants" */
	int (*map_init)(struct dma_map *map);
	void (*map_fini)(struct dma_map *map);
	int (*load)(struct dma_map *map, const struct dma_run *run, unsigned n);
	void (*sync)(struct dma_map *map, enum dma_sync what);
	void (*unload)(struct dma_map *map);
	/* Zeroed pages, `align` a power of two >= PAGE_SIZE; sets kva, addr,
	 * priv. */
	int (*mem_alloc)(struct dma_mem *mem, uint64_t align,
	    const struct dma_limits *limits);
	void (*mem_free)(struct dma_mem *mem);
};

struct dma_tag {
	const struct dma_ops *ops;
	struct dma_limits limits; /* that the tag adds: grants are pages */
	void *arg;                /* the operations' own */
};

/* Memory as it is: bus addresses are guest-physical ones. */
struct dma_tag *dma_tag_memory(void);

/*
 * n > 0 maps alike, which a queue has for its slots: one piece of memory, made
 * and destroyed as a whole.
 *   -ENOMEM, or what the tag says; -EINVAL limits that make no sense
 */
int dma_maps_create(struct dma_tag *tag, const struct dma_limits *limits,
    unsigned n, struct dma_map **first);
/* Unloads those that are loaded.  NULL is harmless. */
void dma_maps_destroy(struct dma_map *first, unsigned n);

/* The same for one. */
static inline int
dma_map_create(struct dma_tag *tag, const struct dma_limits *limits,
    struct dma_map **out)
{
	return dma_maps_create(tag, limits, 1, out);
}

static inline void
dma_map_destroy(struct dma_map *map)
{
	dma_maps_destroy(map, 1);
}

#define DMA_MAP_SIZE(segs) \
	(sizeof(struct dma_map) + (segs) * sizeof(struct dma_seg))

/* Map i of those that begin with `first`. */
static inline struct dma_map *
dma_maps_nth(struct dma_map *first, unsigned i)
{
	size_t size = DMA_MAP_SIZE((size_t)first->limits.max_segs);

	return (struct dma_map *)((char *)first + i * size);
}

/*
 * Loads a kernel buffer (any kernel address: heap, image or stack).  The
 * memory stays where it is until unload.
 *   -EINVAL  empty, or not kernel memory
 *   -EFBIG   more segments than the limits allow
 *   -EFAULT  the device cannot address this memory
 *   -EAGAIN  the tag is out of grants or addresses; they come back
 */
int dma_map_load(struct dma_map *map, const void *buf, size_t len,
    enum dma_dir dir);
/* The same for a list of runs: pages of a request, a packet's pieces. */
int dma_map_load_runs(struct dma_map *map, const struct dma_run *run,
    unsigned n, enum dma_dir dir);
void dma_map_sync(struct dma_map *map, enum dma_sync what);
/* Harmless on a map that is not loaded. */
void dma_map_unload(struct dma_map *map);

/*
 * Memory for rings: zeroed, contiguous for the device, aligned to `align` (a
 * power of two; at least a page), within limits (NULL: none).
 *   -ENOMEM, -EINVAL
 */
int dma_mem_alloc(struct dma_tag *tag, size_t size, uint64_t align,
    const struct dma_limits *limits, struct dma_mem *out);
/*
 * quiet: the device was stopped (reset) and writes there no more.  If not,
 * the memory is never used again: it is kept aside and counted.  Harmless on a
 * mem without memory; sets kva to NULL.
 */
void dma_mem_free(struct dma_mem *mem, bool quiet);
uint64_t dma_mem_kept_aside(void); /* bytes */
/*
 * The same for a request's memory that the device may still write: it goes to
 * nobody else when its owner frees it.  Memory of page_alloc() only.
 */
void dma_runs_keep_aside(const struct dma_run *run, unsigned n);

/*
 * For the tags' operations: appends [addr, addr + len), joined to the last
 * segment where the limits allow, split where they ask for it.
 *   -EFBIG, -EFAULT  as above
 */
int dma_map_append(struct dma_map *map, busaddr_t addr, uint64_t len);

#endif
