/* SPDX-License-Identifier: ISC */
/*
 * blkdev_cache.c - a block device's pages: filled with read-ahead, written
 * back in runs.
 */
#include "fs/blkdev.h"
#include <linux/errno.h>
#include "kern/string.h"
#include "kern/thread.h"

#define WINDOW_MAX   64u /* pages; 256 KiB */
#define PAGE_SECTORS (PAGE_SIZE / SECTOR_SIZE)

/* Bytes of page `index` that the device has. */
static size_t
valid_bytes(const struct inode *inode, uint64_t index)
{
	uint64_t size = __atomic_load_n(&inode->size, __ATOMIC_ACQUIRE);
	uint64_t from = index << PAGE_SHIFT;

	return from >= size ? 0 : MIN(PAGE_SIZE, size - from);
}

/*
 * How many pages to read for a miss at index: more and more while misses
 * follow each other.  A lost race costs speed, not truth.
 */
static unsigned
window(struct blkdev *b, uint64_t index)
{
	unsigned n = 1;

	if (index == __atomic_load_n(&b->next_index, __ATOMIC_RELAXED))
		n = MIN(__atomic_load_n(&b->window, __ATOMIC_RELAXED) * 4,
		    WINDOW_MAX);
	n = MAX(n, 1u);
	__atomic_store_n(&b->window, n, __ATOMIC_RELAXED);
	__atomic_store_n(&b->next_index, index + n, __ATOMIC_RELAXED);
	return n;
}

static unsigned
allocate(struct inode *inode, uint64_t index, unsigned n, struct page *pages[],
    struct dma_run run[])
{
	unsigned i;
	size_t len;

	for (i = 0; i < n; i++) {
		len = valid_bytes(inode, index + i);
		if (len == 0)
			break;
		pages[i] = page_alloc(0, len < PAGE_SIZE ? PAGE_ALLOC_ZERO : 0);
		if (pages[i] == NULL)
			break;
		run[i] = (struct dma_run){ page_paddr(pages[i]), len };
	}
	return i;
}

/* Reads n pages; those that could be read are in the cache but for the first. */
static int
read_pages(struct inode *inode, uint64_t index, unsigned n, struct page **out)
{
	struct page *pages[WINDOW_MAX];
	struct dma_run run[WINDOW_MAX];
	uint64_t bytes = 0;
	unsigned i;
	int error;

	n = allocate(inode, index, n, pages, run);
	if (n == 0)
		return valid_bytes(inode, index) == 0 ? -EIO : -ENOMEM;
	for (i = 0; i < n; i++)
		bytes += run[i].len;
	thread_count_disk(false, bytes);
	error = block_transfer(blkdev_of(inode)->bd, DISK_READ,
	    index * PAGE_SECTORS, bytes >> SECTOR_SHIFT, run, n);
	for (i = 1; i < n; i++) {
		if (error == 0)
			pagecache_add(inode, index + i, pages[i]);
		page_put(pages[i]);
	}
	if (error != 0)
		page_put(pages[0]);
	else
		*out = pages[0];
	return error;
}

static int
fill(struct inode *inode, uint64_t index, enum page_want want,
    struct page **out)
{
	struct blkdev *b = blkdev_of(inode);
	unsigned n;
	int error;

	*out = NULL;
	if (want == PAGE_OVERWRITE) {
		*out = page_alloc(0, 0);
		return *out == NULL ? -ENOMEM : 0;
	}
	n = window(b, index);
	error = read_pages(inode, index, n, out);
	if (error != 0 && n > 1) /* the others' bad luck is not ours */
		error = read_pages(inode, index, 1, out);
	return blkdev_error(error);
}

static int
write_back(struct inode *inode, uint64_t index, struct page *const pages[],
    unsigned n)
{
	struct blkdev *b = blkdev_of(inode);
	struct dma_run run[PAGECACHE_RUN];
	uint64_t bytes = 0;
	unsigned i;
	size_t len;
	int error;

	for (i = 0; i < n; i++) {
		len = valid_bytes(inode, index + i);
		if (len == 0)
			break;
		run[i] = (struct dma_run){ page_paddr(pages[i]), len };
		bytes += len;
	}
	if (i == 0) /* the disk has shrunk below it */
		return 0;
	error = block_transfer(b->bd, DISK_WRITE, index * PAGE_SECTORS,
	    bytes >> SECTOR_SHIFT, run, i);
	return blkdev_error(error);
}

const struct pagecache_ops blkdev_cache_ops = {
	.fill = fill,
	.writeback = write_back,
};

int
blkdev_sync(struct blkdev *b)
{
	int error, earlier;

	__atomic_store_n(&b->dirtied, 0, __ATOMIC_RELAXED);
	error = pagecache_sync(&b->inode, 0, UINT64_MAX >> PAGE_SHIFT);
	if (error == 0)
		error = blkdev_error(block_flush(b->bd));
	earlier = __atomic_exchange_n(&b->error, 0, __ATOMIC_RELAXED);
	return error != 0 ? error : earlier;
}

int
blkdev_forget(struct blkdev *b, uint64_t from, uint64_t len)
{
	uint64_t first = from >> PAGE_SHIFT;
	uint64_t last = (from + len - 1) >> PAGE_SHIFT;
	int error;

	if (len == 0)
		return 0;
	error = pagecache_sync(&b->inode, first, last);
	if (error == 0)
		pagecache_drop_range(&b->inode, first, last);
	return error;
}
