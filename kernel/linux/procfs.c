/* SPDX-License-Identifier: ISC */
/*
 * procfs.c - the root of /proc.  proc(5).
 */
#include "linux/procfs.h"
#include "kern/string.h"
#include "linux/kmsg.h"
#include "linux/process.h"
#include "linux/sysvipc.h"

static long
read_self(const struct pseudo_id *id, char *buf, size_t size)
{
	(void)id;
	return scnprintf(buf, size, "%d", process_self()->pid);
}

static long
read_thread_self(const struct pseudo_id *id, char *buf, size_t size)
{
	(void)id;
	return scnprintf(buf, size, "%d/task/%d", process_self()->pid,
	    task_self()->tid);
}

static long
read_mounts(const struct pseudo_id *id, char *buf, size_t size)
{
	(void)id;
	return scnprintf(buf, size, "self/mounts");
}

static const struct pseudo_entry root_entries[] = {
	PROC_FILE("cmdline", 0444, proc_show_cmdline),
	PROC_FILE("cpuinfo", 0444, proc_show_cpuinfo),
	PROC_FILE("devices", 0444, proc_show_devices),
	PROC_FILE("diskstats", 0444, proc_show_diskstats),
	PROC_FILE("filesystems", 0444, proc_show_filesystems),
	PROC_FILE("interrupts", 0444, proc_show_interrupts),
	{ .name = "kmsg",
	    .kind = PSEUDO_FILE,
	    .mode = 0400,
	    .fops = &kmsg_proc_ops },
	PROC_FILE("loadavg", 0444, proc_show_loadavg),
	PROC_FILE("locks", 0444, proc_show_locks),
	PROC_FILE("meminfo", 0444, proc_show_meminfo),
	{ .name = "mounts",
	    .kind = PSEUDO_LINK,
	    .mode = 0777,
	    .readlink = read_mounts },
	PROC_FILE("partitions", 0444, proc_show_partitions),
	PROC_DIR("net", proc_net_entries),
	{ .name = "self",
	    .kind = PSEUDO_LINK,
	    .mode = 0777,
	    .readlink = read_self },
	PROC_FILE("stat", 0444, proc_show_stat),
	PROC_FILE("swaps", 0444, proc_show_swaps),
	PROC_DIR("sys", proc_sys_entries),
	PROC_DIR("sysvipc", proc_sysvipc_entries),
	{ .name = "thread-self",
	    .kind = PSEUDO_LINK,
	    .mode = 0777,
	    .readlink = read_thread_self },
	PROC_FILE("uptime", 0444, proc_show_uptime),
	PROC_FILE("version", 0444, proc_show_version),
	PROC_FILE("vmstat", 0444, proc_show_vmstat),
	{ .name = NULL },
};

static const struct pseudo_entry root = {
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = root_entries,
	.dir = &proc_pid_dir,
};

struct pseudo_fs procfs = {
	.type = { .name = "proc", .mount = pseudo_mount },
	.magic = 0x9fa0,
	.root = &root,
	.lock = MUTEX_INIT(procfs.lock),
};

int
procfs_init(void)
{
	int error = fs_type_register(&procfs.type);

	if (error == 0)
		error = fs_type_register(&sysfs.type);
	return error;
}
