/* SPDX-License-Identifier: ISC */
/*
 * procfs.h - /proc and /sys: who prints what.  proc(5), sysfs(5).
 * The functions are those of struct pseudo_entry (fs/pseudo.h).
 */
#ifndef LINUX_PROCFS_H
#define LINUX_PROCFS_H

#include "fs/pseudo.h"

/* Makes the types "proc" and "sysfs" known; before they are mounted. */
int procfs_init(void);

#define PROC_FILE(n, m, fn)                                                 \
	{                                                                   \
		.name = (n), .kind = PSEUDO_FILE, .mode = (m), .show = (fn) \
	}
#define PROC_DIR(n, list)                                      \
	{                                                      \
		.name = (n), .kind = PSEUDO_DIR, .mode = 0555, \
		.children = (list)                             \
	}

/* procfs_machine.c: what concerns the whole machine. */
int proc_show_cpuinfo(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_meminfo(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_stat(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_uptime(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_loadavg(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_version(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_cmdline(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_filesystems(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_devices(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_interrupts(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_swaps(const struct pseudo_id *id, struct sbuf *sb);

/* locks.c */
int proc_show_locks(const struct pseudo_id *id, struct sbuf *sb);

/* procfs_disk.c */
int proc_show_partitions(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_vmstat(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_diskstats(const struct pseudo_id *id, struct sbuf *sb);
/* Lines of /proc/devices: number and driver. */
void proc_print_block_drivers(struct sbuf *sb);

/* procfs_net.c: /proc/net. */
extern const struct pseudo_entry proc_net_entries[];

/* procfs_sys_net.c: /proc/sys/net. */
extern const struct pseudo_entry proc_sys_net_entries[];
/* procfs_sys.c: /proc/sys. */
extern const struct pseudo_entry proc_sys_entries[];

/* procfs.c */
extern struct pseudo_fs procfs;

/* procfs_pid.c: the directories of processes. */
extern const struct pseudo_dir_ops proc_pid_dir;

/* sysfs.c */
extern struct pseudo_fs sysfs;

#endif
