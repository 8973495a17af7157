/* SPDX-License-Identifier: ISC */
/*
 * sysfs.c - /sys: what programs read of it.  sysfs(5).
 */
#include "linux/procfs.h"
#include "linux/sysfs_pci.h"
#include "x86/cpu.h"

#define SYS_FILE(n, fn)                                         \
	{                                                       \
		.name = (n), .kind = PSEUDO_FILE, .mode = 0444, \
		.size = PAGE_SIZE, .show = (fn)                 \
	}

static int
show_cpus(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	if (cpu_count() == 1)
		sbuf_puts(sb, "0\n");
	else
		sbuf_printf(sb, "0-%u\n", cpu_count() - 1);
	return 0;
}

static int
show_kernel_max(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_printf(sb, "%u\n", MAX_CPUS - 1);
	return 0;
}

static int
show_huge_pages(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_puts(sb, "always madvise [never]\n");
	return 0;
}

static const struct pseudo_entry nothing[] = { { .name = NULL } };

static const struct pseudo_entry cpu_entries[] = {
	SYS_FILE("kernel_max", show_kernel_max),
	SYS_FILE("online", show_cpus),
	SYS_FILE("possible", show_cpus),
	SYS_FILE("present", show_cpus),
	{ .name = NULL },
};
static const struct pseudo_entry system_entries[] = {
	PROC_DIR("cpu", cpu_entries),
	{ .name = NULL },
};
static const struct pseudo_entry devices_entries[] = {
	PROC_DIR("system", system_entries),
	PROC_DIR("virtual", nothing),
	{ .name = NULL },
};
static const struct pseudo_entry huge_page_entries[] = {
	SYS_FILE("enabled", show_huge_pages),
	{ .name = NULL },
};
static const struct pseudo_entry mm_entries[] = {
	PROC_DIR("transparent_hugepage", huge_page_entries),
	{ .name = NULL },
};
static const struct pseudo_entry kernel_entries[] = {
	PROC_DIR("mm", mm_entries),
	{ .name = NULL },
};
static const struct pseudo_entry dev_entries[] = {
	PROC_DIR("block", nothing),
	PROC_DIR("char", nothing),
	{ .name = NULL },
};
static const struct pseudo_entry bus_entries[] = {
	PROC_DIR("pci", sysfs_pci_entries),
	{ .name = NULL },
};
static const struct pseudo_entry root_entries[] = {
	PROC_DIR("block", nothing),
	PROC_DIR("bus", bus_entries),
	PROC_DIR("class", nothing),
	PROC_DIR("dev", dev_entries),
	PROC_DIR("devices", devices_entries),
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
