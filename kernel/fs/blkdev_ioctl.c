/* SPDX-License-Identifier: ISC */
/*
 * blkdev_ioctl.c - ioctl(2) on block devices.  Linux, include/uapi/linux/fs.h.
 */
#include "fs/blkdev.h"
#include "kern/uaccess.h"
#include <linux/errno.h>
#include <linux/fs.h>

static int
put32(uaddr_t to, uint32_t value)
{
	return copyout(to, &value, sizeof(value));
}

static int
put64(uaddr_t to, uint64_t value)
{
	return copyout(to, &value, sizeof(value));
}

/* BLKGETSIZE: 512-byte sectors in a long. */
static int
get_size(const struct blkdev *b, uaddr_t arg)
{
	return put64(arg, block_sectors(b->bd));
}

/* What a disk cannot zero by itself is written. */
static int
write_zeros(struct blkdev *b, uint64_t sector, uint64_t n)
{
	struct page *page = page_alloc(0, PAGE_ALLOC_ZERO);
	struct dma_run run[64];
	uint64_t part, left;
	unsigned i;
	int error = 0;

	if (page == NULL)
		return -ENOMEM;
	for (; n > 0 && error == 0; sector += part, n -= part) {
		part = MIN(n, ARRAY_SIZE(run) * PAGE_SIZE / SECTOR_SIZE);
		left = part << SECTOR_SHIFT;
		for (i = 0; left > 0; i++) {
			run[i].pa = page_paddr(page);
			run[i].len = MIN(left, PAGE_SIZE);
			left -= run[i].len;
		}
		error = block_transfer(b->bd, DISK_WRITE, sector, part, run, i);
	}
	page_put(page);
	return error;
}

/* BLKDISCARD, BLKZEROOUT: a start and a length in bytes. */
static int
clear_range(struct file *f, unsigned cmd, uaddr_t arg)
{
	struct blkdev *b = blkdev_of_file(f);
	uint64_t mask = b->bd->info.block_size - 1, range[2], end;
	int error;

	if ((f->mode & FILE_WRITE) == 0)
		return -EBADF;
	if (cmd == BLKDISCARD && b->bd->info.max_discard == 0)
		return -EOPNOTSUPP;
	if (copyin(range, arg, sizeof(range)) != 0)
		return -EFAULT;
	if (((range[0] | range[1]) & mask) != 0 || range[1] == 0 ||
	    __builtin_add_overflow(range[0], range[1], &end) ||
	    end > b->inode.size)
		return -EINVAL;
	error = blkdev_forget(b, range[0], range[1]);
	if (error != 0)
		return error;
	error = block_transfer(b->bd,
	    cmd == BLKDISCARD ? DISK_DISCARD : DISK_ZERO,
	    range[0] >> SECTOR_SHIFT, range[1] >> SECTOR_SHIFT, NULL, 0);
	if (error == -EOPNOTSUPP && cmd == BLKZEROOUT)
		error = write_zeros(b, range[0] >> SECTOR_SHIFT,
		    range[1] >> SECTOR_SHIFT);
	if (error == 0)
		error = blkdev_forget(b, range[0], range[1]);
	return blkdev_error(error);
}

static int
flush_buffers(struct blkdev *b)
{
	int error = blkdev_sync(b);

	if (error == 0)
		pagecache_drop_range(&b->inode, 0, UINT64_MAX >> PAGE_SHIFT);
	return error;
}

long
blkdev_ioctl(struct file *f, unsigned cmd, uint64_t arg)
{
	struct blkdev *b = blkdev_of_file(f);
	const struct disk_info *info = &b->bd->info;

	switch (cmd) {
	case BLKGETSIZE64:
		return put64(arg, block_sectors(b->bd) << SECTOR_SHIFT);
	case BLKGETSIZE: return get_size(b, arg);
	case BLKSSZGET: return put32(arg, info->block_size);
	case BLKBSZGET: return put32(arg, PAGE_SIZE);
	case BLKPBSZGET: return put32(arg, info->physical_size);
	case BLKIOMIN: return put32(arg, info->physical_size);
	case BLKIOOPT:
	case BLKALIGNOFF:
	case BLKDISCARDZEROES: return put32(arg, 0);
	case BLKROTATIONAL: {
		uint16_t none = 0;

		return copyout(arg, &none, sizeof(none));
	}
	case BLKROGET: return put32(arg, info->read_only);
	case BLKSECTGET: {
		uint16_t max = MIN(info->max_sectors, 0xffffu);

		return copyout(arg, &max, sizeof(max));
	}
	case BLKRAGET: return put64(arg, 512);
	case BLKFLSBUF: return flush_buffers(b);
	case BLKDISCARD:
	case BLKZEROOUT: return clear_range(f, cmd, arg);
	}
	return blkdev_error(block_ioctl(b->bd, cmd, arg));
}
