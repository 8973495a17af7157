/* SPDX-License-Identifier: ISC */
/*
 * blkdev_ioctl.c - ioctl(2) on block devices.  Linux, include/uapi/linux/fs.h.
 */
#include "fs/blkdev.h"
#include "kern/uaccess.h"
#include <linux/errno.h>
#include <linux/falloc.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/hdreg.h>

#define CLEAR_PIECE (1ul << 30) /* bytes cleared at once */

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

/*
 * [from, from + len) is of no use any more, or reads as zeros; `write`: zeros
 * are written where the disk cannot make them by itself.  In pieces, as a disk
 * may take little at a time.
 */
static int
clear(struct blkdev *b, enum disk_op op, bool write, uint64_t from,
    uint64_t len)
{
	uint64_t at = from >> SECTOR_SHIFT, left = len >> SECTOR_SHIFT, n;
	int error = blkdev_forget(b, from, len);

	for (; left > 0 && error == 0; at += n, left -= n) {
		n = MIN(left, (uint64_t)CLEAR_PIECE >> SECTOR_SHIFT);
		error = block_transfer(b->bd, op, at, n, NULL, 0);
		if (error == -EOPNOTSUPP && write)
			error = write_zeros(b, at, n);
	}
	if (error == 0)
		error = blkdev_forget(b, from, len);
	return blkdev_error(error);
}

/* Whole blocks, and on the disk. */
static bool
range_ok(const struct blkdev *b, uint64_t from, uint64_t len)
{
	uint64_t mask = b->bd->info.block_size - 1, end;

	return ((from | len) & mask) == 0 && len != 0 &&
	    !__builtin_add_overflow(from, len, &end) && end <= b->inode.size;
}

/* BLKDISCARD, BLKZEROOUT: a start and a length in bytes. */
static int
clear_range(struct file *f, unsigned cmd, uaddr_t arg)
{
	struct blkdev *b = blkdev_of_file(f);
	uint64_t range[2];

	if ((f->mode & FILE_WRITE) == 0)
		return -EBADF;
	if (cmd == BLKDISCARD && b->bd->info.max_discard == 0)
		return -EOPNOTSUPP;
	if (copyin(range, arg, sizeof(range)) != 0)
		return -EFAULT;
	if (!range_ok(b, range[0], range[1]))
		return -EINVAL;
	return clear(b, cmd == BLKDISCARD ? DISK_DISCARD : DISK_ZERO,
	    cmd == BLKZEROOUT, range[0], range[1]);
}

/* fallocate(2): zeros only; what is there already cannot be allocated. */
int
blkdev_fallocate(struct file *f, int mode, uint64_t offset, uint64_t len)
{
	struct blkdev *b = blkdev_of_file(f);
	uint64_t size = __atomic_load_n(&b->inode.size, __ATOMIC_ACQUIRE);

	if ((mode & (FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE)) == 0)
		return -EOPNOTSUPP;
	if (offset >= size)
		return -EINVAL;
	if ((mode & FALLOC_FL_KEEP_SIZE) != 0)
		len = MIN(len, size - offset);
	if (!range_ok(b, offset, len))
		return -EINVAL;
	return clear(b, DISK_ZERO, (mode & FALLOC_FL_ZERO_RANGE) != 0, offset,
	    len);
}

static int
flush_buffers(struct blkdev *b)
{
	int error = blkdev_sync(b);

	if (error == 0)
		pagecache_drop_range(&b->inode, 0, UINT64_MAX >> PAGE_SHIFT);
	return error;
}

/* ------------------------------------------------------- partitions -- */

static int
reread(struct blkdev *b)
{
	int error = 0;

	if (b->bd->whole != NULL)
		return -EINVAL;
	error = pagecache_sync(&b->inode, 0, UINT64_MAX >> PAGE_SHIFT);
	if (error == 0)
		error = block_reread(b->bd);
	return blkdev_error(error);
}

/* BLKPG: one partition comes, goes, or has another size; in bytes. */
static int
one_partition(struct blkdev *b, uaddr_t arg)
{
	struct blkpg_ioctl_arg a;
	struct blkpg_partition p;
	uint64_t start, n;

	if (copyin(&a, arg, sizeof(a)) != 0 ||
	    copyin(&p, (uintptr_t)a.data, sizeof(p)) != 0)
		return -EFAULT;
	if (p.pno <= 0)
		return -EINVAL;
	if (a.op == BLKPG_DEL_PARTITION)
		return block_part_del(b->bd, p.pno);
	if (p.start < 0 || p.length <= 0 ||
	    ((p.start | p.length) & (SECTOR_SIZE - 1)) != 0)
		return -EINVAL;
	start = (uint64_t)p.start >> SECTOR_SHIFT;
	n = (uint64_t)p.length >> SECTOR_SHIFT;
	switch (a.op) {
	case BLKPG_ADD_PARTITION: return block_part_add(b->bd, p.pno, start, n);
	case BLKPG_RESIZE_PARTITION: return block_part_resize(b->bd, p.pno, n);
	default: return -EINVAL;
	}
}

/* What Linux makes up for disks that turn no more. */
static int
geometry(const struct blkdev *b, uaddr_t arg)
{
	struct hd_geometry g = { .heads = 64,
		.sectors = 32,
		.cylinders = block_sectors(b->bd) >> 11,
		.start = b->bd->start };

	return copyout(arg, &g, sizeof(g));
}

static int
get32(uaddr_t from, int *value)
{
	return copyin(value, from, sizeof(*value));
}

static int
set_read_only(struct blkdev *b, uaddr_t arg)
{
	int on, error = get32(arg, &on);

	if (error == 0)
		__atomic_store_n(&b->bd->no_writes, on != 0, __ATOMIC_RELAXED);
	return error;
}

/* Our page cache has pages of one size: what is asked is kept, and told. */
static int
set_block_size(struct blkdev *b, uaddr_t arg)
{
	int size, error = get32(arg, &size);

	if (error != 0)
		return error;
	if (size < (int)b->bd->info.block_size || size > (int)PAGE_SIZE ||
	    (size & (size - 1)) != 0)
		return -EINVAL;
	__atomic_store_n(&b->block_size, size, __ATOMIC_RELAXED);
	return 0;
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
	case BLKBSZGET:
		return put32(arg,
		    b->block_size != 0 ? b->block_size : PAGE_SIZE);
	case BLKBSZSET: return set_block_size(b, arg);
	case BLKPBSZGET: return put32(arg, info->physical_size);
	case BLKIOMIN: return put32(arg, info->physical_size);
	case BLKIOOPT:
	case BLKALIGNOFF:
	case BLKDISCARDZEROES: return put32(arg, 0);
	case BLKROTATIONAL: {
		uint16_t none = 0;

		return copyout(arg, &none, sizeof(none));
	}
	case BLKROGET: return put32(arg, block_is_read_only(b->bd));
	case BLKROSET: return set_read_only(b, arg);
	case BLKRRPART: return reread(b);
	case BLKPG: return one_partition(b, arg);
	case BLKGETDISKSEQ: return put64(arg, b->bd->diskseq);
	case HDIO_GETGEO: return geometry(b, arg);
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
