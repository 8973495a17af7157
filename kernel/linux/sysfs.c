/* SPDX-License-Identifier: ISC */
/*
 * sysfs.c - /sys: what programs read of it.  sysfs(5).
 */
#include "bus/uevent.h"
#include "linux/procfs.h"
#include "linux/sysfs.h"

#define SYS_DYNAMIC(n, list)                                                  \
	{                                                                     \
		.name = (n), .kind = PSEUDO_DIR, .mode = 0555, .dir = &(list) \
	}

static int
show_huge_pages(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_puts(sb, "always madvise [never]\n");
	return 0;
}

static int
show_seqnum(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_printf(sb, "%lu\n", uevent_seqnum());
	return 0;
}

static const struct pseudo_entry nothing[] = { { .name = NULL } };

static const struct pseudo_entry devices_entries[] = {
	PROC_DIR("system", sysfs_system_entries),
	SYS_DYNAMIC("platform", sysfs_platform_dir),
	SYS_DYNAMIC("virtual", sysfs_virtual_dir),
	{ .name = NULL },
};
static const struct pseudo_entry huge_page_entries[] = {
	SYSFS_FILE("enabled", show_huge_pages),
	{ .name = NULL },
};
static const struct pseudo_entry mm_entries[] = {
	PROC_DIR("transparent_hugepage", huge_page_entries),
	{ .name = NULL },
};
static const struct pseudo_entry kernel_entries[] = {
	PROC_DIR("mm", mm_entries),
	SYSFS_FILE("uevent_seqnum", show_seqnum),
	{ .name = NULL },
};
static const struct pseudo_entry dev_entries[] = {
	SYS_DYNAMIC("block", sysfs_dev_block_dir),
	SYS_DYNAMIC("char", sysfs_dev_char_dir),
	{ .name = NULL },
};
static const struct pseudo_entry root_entries[] = {
	SYS_DYNAMIC("block", sysfs_block_dir),
	SYS_DYNAMIC("bus", sysfs_bus_dir),
	SYS_DYNAMIC("class", sysfs_class_dir),
	PROC_DIR("dev", dev_entries),
	{ .name = "devices",
	    .kind = PSEUDO_DIR,
	    .mode = 0555,
	    .children = devices_entries,
	    .dir = &sysfs_devices_dir },
	PROC_DIR("fs", nothing),
	PROC_DIR("kernel", kernel_entries),
	{ .name = NULL },
};

static const struct pseudo_entry root = {
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = root_entries,
};

struct pseudo_fs sysfs = {
	.type = { .name = "sysfs", .mount = pseudo_mount },
	.magic = 0x62656572,
	.root = &root,
	.lock = MUTEX_INIT(sysfs.lock),
};
