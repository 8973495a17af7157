/* SPDX-License-Identifier: ISC */
/*
 * procfs_disk.c - /proc/partitions, diskstats and vmstat.  proc(5); Linux,
 * Documentation/admin-guide/iostats.rst.
 */
#include "block/block.h"
#include "fs/pagecache.h"
#include "kern/kmem.h"
#include "kern/page.h"
#include "linux/oom.h"
#include "linux/procfs.h"

int
proc_show_partitions(const struct pseudo_id *id, struct sbuf *sb)
{
	struct block_dev *bd = NULL;

	(void)id;
	block_settle();
	sbuf_puts(sb, "major minor  #blocks  name\n\n");
	while ((bd = block_next(bd)) != NULL)
		sbuf_printf(sb, "%4u  %7u %10lu %s\n", bd->major, bd->minor,
		    block_sectors(bd) / 2, bd->name);
	return 0;
}

int
proc_show_diskstats(const struct pseudo_id *id, struct sbuf *sb)
{
	struct block_dev *bd = NULL;
	struct block_stats st;

	(void)id;
	block_settle();
	while ((bd = block_next(bd)) != NULL) {
		block_stats(bd, &st);
		sbuf_printf(sb, "%4u %7u %s ", bd->major, bd->minor, bd->name);
		block_print_stats(sb, &st);
	}
	return 0;
}

/* KiB moved by disks; files that are nowhere else count as shared memory. */
int
proc_show_vmstat(const struct pseudo_id *id, struct sbuf *sb)
{
	uint64_t sectors[2] = { 0 }, cached = pagecache_total();
	uint64_t shmem = cached - MIN(cached, pagecache_backed());
	struct block_dev *bd = NULL;
	struct block_stats bs;
	struct page_stats ps;

	(void)id;
	while ((bd = block_next(bd)) != NULL) {
		block_stats(bd, &bs);
		sectors[0] += bs.kind[BLOCK_STAT_READ].sectors;
		sectors[1] += bs.kind[BLOCK_STAT_WRITE].sectors;
	}
	page_stats(&ps);
	sbuf_printf(sb,
	    "nr_free_pages %lu\nnr_file_pages %lu\nnr_shmem %lu\n"
	    "nr_dirty 0\nnr_writeback 0\nnr_slab_unreclaimable %lu\n"
	    "pgpgin %lu\npgpgout %lu\npswpin 0\npswpout 0\noom_kill %lu\n",
	    ps.free, cached, shmem, (uint64_t)kmem_used() >> PAGE_SHIFT,
	    sectors[0] / 2, sectors[1] / 2, oom_kills());
	return 0;
}

/* The second part of /proc/devices. */
void
proc_print_block_drivers(struct sbuf *sb)
{
	struct block_dev *bd = NULL;
	uint32_t seen[8];
	unsigned n = 0, i;

	while ((bd = block_next(bd)) != NULL) {
		for (i = 0; i < n && seen[i] != bd->major; i++)
			;
		if (i < n || n == ARRAY_SIZE(seen))
			continue;
		seen[n++] = bd->major;
		sbuf_printf(sb, "%3u %s\n", bd->major, bd->info.driver);
	}
}
