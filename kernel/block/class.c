/* SPDX-License-Identifier: ISC */
/*
 * class.c - block devices in /sys, and what uevents say of them.  Linux,
 * Documentation/ABI/stable/sysfs-block.
 */
#include "block/block.h"
#include "kern/clock.h"
#include "kern/sbuf.h"
#include "kern/string.h"

static struct block_dev *
bd_of(struct classdev *cd)
{
	return cd->arg;
}

/* Files that show one value of the device `bd`: SHOW(name, format, value). */
#define SHOW(name, format, value)                                    \
	static int show_##name(struct classdev *cd, struct sbuf *sb) \
	{                                                            \
		struct block_dev *bd = bd_of(cd);                    \
                                                                     \
		(void)bd;                                            \
		sbuf_printf(sb, format "\n", value);                 \
		return 0;                                            \
	}

SHOW(zero, "%s", "0")
SHOW(one, "%s", "1")
SHOW(size, "%lu", block_sectors(bd))
SHOW(ro, "%u", (unsigned)block_is_read_only(bd))
SHOW(start, "%lu", bd->start)
SHOW(partition, "%u", bd->number)
SHOW(diskseq, "%lu", bd->diskseq)
SHOW(range, "%u", bd->info.minors)
SHOW(ext_range, "%u", PTABLE_MAX + 1)

SHOW(logical, "%u", bd->info.block_size)
SHOW(physical, "%u", bd->info.physical_size)
SHOW(max_kb, "%lu",
    (bd->info.max_sectors != 0 ? bd->info.max_sectors : 2048ul) / 2)
SHOW(max_segments, "%u", bd->info.max_segs)
SHOW(max_segment_size, "%u",
    bd->info.max_seg_size != 0 ? bd->info.max_seg_size : UINT32_MAX)
SHOW(discard_granularity, "%u",
    bd->info.max_discard != 0 ? bd->info.discard_granularity : 0)
SHOW(discard_max, "%lu", bd->info.max_discard *SECTOR_SIZE)
SHOW(zeroes_max, "%lu", bd->info.max_zero *SECTOR_SIZE)
SHOW(write_cache, "%s",
    bd->info.volatile_cache ? "write back" : "write through")
SHOW(fua, "%u", (unsigned)bd->info.fua)
SHOW(boundary, "%u", bd->info.seg_boundary != 0 ? bd->info.seg_boundary - 1 : 0)
SHOW(scheduler, "%s", "[none]")
SHOW(zoned, "%s", "none")
SHOW(dma_alignment, "%u", SECTOR_SIZE - 1)
SHOW(read_ahead, "%s", "256")
SHOW(nr_requests, "%s", "64")

static uint64_t
ms(uint64_t ns)
{
	return ns / 1000000;
}

static int
show_inflight(struct classdev *cd, struct sbuf *sb)
{
	struct block_stats st;

	block_stats(bd_of(cd), &st);
	sbuf_printf(sb, "%8u %8u\n", st.reads_in_flight,
	    st.in_flight - st.reads_in_flight);
	return 0;
}

/* The numbers of /proc/diskstats and of "stat". */
void
block_print_stats(struct sbuf *sb, const struct block_stats *st)
{
	unsigned i;

	for (i = BLOCK_STAT_READ; i <= BLOCK_STAT_WRITE; i++)
		sbuf_printf(sb, "%lu %u %lu %lu ", st->kind[i].ios, 0,
		    st->kind[i].sectors, ms(st->kind[i].ns));
	sbuf_printf(sb, "%u %lu %lu", st->in_flight, ms(st->busy_ns),
	    ms(st->weighted_ns));
	i = BLOCK_STAT_DISCARD;
	sbuf_printf(sb, " %lu %u %lu %lu", st->kind[i].ios, 0,
	    st->kind[i].sectors, ms(st->kind[i].ns));
	i = BLOCK_STAT_FLUSH;
	sbuf_printf(sb, " %lu %lu\n", st->kind[i].ios, ms(st->kind[i].ns));
}

static int
show_stat(struct classdev *cd, struct sbuf *sb)
{
	struct block_stats st;

	block_stats(bd_of(cd), &st);
	block_print_stats(sb, &st);
	return 0;
}

static int
show_serial(struct classdev *cd, struct sbuf *sb)
{
	const struct block_dev *bd = bd_of(cd);

	sbuf_puts(sb, bd->info.serial != NULL ? bd->info.serial : bd->serial);
	return 0;
}

static int
show_wwid(struct classdev *cd, struct sbuf *sb)
{
	sbuf_printf(sb, "%s\n", bd_of(cd)->info.wwid);
	return 0;
}

/* The first one is for those that have it. */
static const struct classdev_attr disk_attrs[] = {
	{ "wwid", 0444, show_wwid, NULL },
	{ "alignment_offset", 0444, show_zero, NULL },
	{ "capability", 0444, show_zero, NULL },
	{ "discard_alignment", 0444, show_zero, NULL },
	{ "diskseq", 0444, show_diskseq, NULL },
	{ "ext_range", 0444, show_ext_range, NULL },
	{ "hidden", 0444, show_zero, NULL },
	{ "holders/", 0, NULL, NULL },
	{ "inflight", 0444, show_inflight, NULL },
	{ "queue/add_random", 0444, show_zero, NULL },
	{ "queue/chunk_sectors", 0444, show_zero, NULL },
	{ "queue/discard_granularity", 0444, show_discard_granularity, NULL },
	{ "queue/discard_max_bytes", 0444, show_discard_max, NULL },
	{ "queue/discard_max_hw_bytes", 0444, show_discard_max, NULL },
	{ "queue/discard_zeroes_data", 0444, show_zero, NULL },
	{ "queue/dma_alignment", 0444, show_dma_alignment, NULL },
	{ "queue/fua", 0444, show_fua, NULL },
	{ "queue/hw_sector_size", 0444, show_logical, NULL },
	{ "queue/io_poll", 0444, show_zero, NULL },
	{ "queue/iostats", 0444, show_one, NULL },
	{ "queue/logical_block_size", 0444, show_logical, NULL },
	{ "queue/max_hw_sectors_kb", 0444, show_max_kb, NULL },
	{ "queue/max_sectors_kb", 0444, show_max_kb, NULL },
	{ "queue/max_segment_size", 0444, show_max_segment_size, NULL },
	{ "queue/max_segments", 0444, show_max_segments, NULL },
	{ "queue/minimum_io_size", 0444, show_physical, NULL },
	{ "queue/nomerges", 0444, show_zero, NULL },
	{ "queue/nr_requests", 0444, show_nr_requests, NULL },
	{ "queue/nr_zones", 0444, show_zero, NULL },
	{ "queue/optimal_io_size", 0444, show_zero, NULL },
	{ "queue/physical_block_size", 0444, show_physical, NULL },
	{ "queue/read_ahead_kb", 0444, show_read_ahead, NULL },
	{ "queue/rotational", 0444, show_zero, NULL },
	{ "queue/rq_affinity", 0444, show_one, NULL },
	{ "queue/scheduler", 0444, show_scheduler, NULL },
	{ "queue/stable_writes", 0444, show_zero, NULL },
	{ "queue/virt_boundary_mask", 0444, show_boundary, NULL },
	{ "queue/write_cache", 0444, show_write_cache, NULL },
	{ "queue/write_same_max_bytes", 0444, show_zero, NULL },
	{ "queue/write_zeroes_max_bytes", 0444, show_zeroes_max, NULL },
	{ "queue/zone_append_max_bytes", 0444, show_zero, NULL },
	{ "queue/zoned", 0444, show_zoned, NULL },
	{ "range", 0444, show_range, NULL },
	{ "removable", 0444, show_zero, NULL },
	{ "ro", 0444, show_ro, NULL },
	{ "serial", 0444, show_serial, NULL },
	{ "size", 0444, show_size, NULL },
	{ "slaves/", 0, NULL, NULL },
	{ "stat", 0444, show_stat, NULL },
	{ NULL, 0, NULL, NULL },
};

static const struct classdev_attr part_attrs[] = {
	{ "alignment_offset", 0444, show_zero, NULL },
	{ "discard_alignment", 0444, show_zero, NULL },
	{ "holders/", 0, NULL, NULL },
	{ "inflight", 0444, show_inflight, NULL },
	{ "partition", 0444, show_partition, NULL },
	{ "ro", 0444, show_ro, NULL },
	{ "size", 0444, show_size, NULL },
	{ "start", 0444, show_start, NULL },
	{ "stat", 0444, show_stat, NULL },
	{ NULL, 0, NULL, NULL },
};

static void
uevent(struct classdev *cd, struct sbuf *env)
{
	const struct block_dev *bd = bd_of(cd);

	sbuf_printf(env, "DEVTYPE=%s\nDISKSEQ=%lu\n",
	    bd->whole == NULL ? "disk" : "partition", bd->diskseq);
	if (bd->whole == NULL)
		return;
	sbuf_printf(env, "PARTN=%u\n", bd->number);
	if (bd->label[0] != '\0')
		sbuf_printf(env, "PARTNAME=%s\n", bd->label);
	if (bd->uuid[0] != '\0')
		sbuf_printf(env, "PARTUUID=%s\n", bd->uuid);
}

static const struct class block_class = { .name = "block", .uevent = uevent };

void
block_publish(struct block_dev *bd)
{
	struct classdev *cd = &bd->cd;

	cd->class = &block_class;
	strlcpy(cd->name, bd->name, sizeof(cd->name));
	cd->is_block = true;
	cd->major = bd->major;
	cd->minor = bd->minor;
	cd->arg = bd;
	if (bd->whole != NULL) {
		cd->parent = &bd->whole->cd;
		cd->attrs = part_attrs;
	} else {
		cd->parent = bd->info.parent;
		cd->dev = block_device_of(bd);
		cd->attrs = disk_attrs + (bd->info.wwid == NULL ? 1 : 0);
	}
	classdev_arrive(cd);
}

void
block_unpublish(struct block_dev *bd)
{
	classdev_depart(&bd->cd);
}

void
block_changed(struct block_dev *bd, const char *env)
{
	classdev_uevent(&bd->cd, "change", env);
}
