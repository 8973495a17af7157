/* SPDX-License-Identifier: ISC */
/*
 * procfs_pid.h - what the files about processes share.
 *
 * Their struct pseudo_id: `key` is the process, `sub` in its high half the
 * task's tid (0 above task/), in its low half a descriptor.
 */
#ifndef LINUX_PROCFS_PID_H
#define LINUX_PROCFS_PID_H

#include "fs/pseudo.h"
#include "linux/process.h"

static inline int32_t
proc_id_tid(const struct pseudo_id *id)
{
	return id->sub >> 32;
}
static inline unsigned
proc_id_fd(const struct pseudo_id *id)
{
	return (uint32_t)id->sub;
}

/*
 * The process, and the task that is meant (its first one, or any; NULL if all
 * have ended), with process_lock held on 0.  -ESRCH
 */
int proc_lock(const struct pseudo_id *id, struct process **p, struct task **t);
void proc_unlock(void);

/*
 * May the caller look into the process, by its task t (NULL: as its first)?
 * ptrace(2)'s rule.  process_lock held.
 *   -EACCES
 */
int proc_may_look_locked(const struct process *p, const struct task *t);
/* Its address space, referenced; NULL: it has none.  -ESRCH, -EACCES */
int proc_vm(const struct pseudo_id *id, struct vmspace **out);
/* The same for its open files. */
int proc_files(const struct pseudo_id *id, struct fdtable **out);
/* Owner of its entries: who runs it. */
void proc_attr(const struct pseudo_id *id, struct pseudo_attr *a);
/* An unsigned decimal number without leading zeros; false: it is none. */
bool proc_number(const char *name, size_t len, uint32_t *out);
/* The process whose directory that is, by its number; 0: it is none. */
int32_t proc_pid_of_dir(const struct inode *inode);
/* The name of a place as the caller sees it, for readlink. */
long proc_path_text(const struct path *p, char *buf, size_t size);

/* procfs_status.c */
int proc_show_pid_stat(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_status(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_statm(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_comm(const struct pseudo_id *id, struct sbuf *sb);
int proc_store_comm(const struct pseudo_id *id, const char *text, size_t len);
int proc_show_io(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_personality(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_oom_score(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_oom_score_adj(const struct pseudo_id *id, struct sbuf *sb);
int proc_store_oom_score_adj(const struct pseudo_id *id, const char *text,
    size_t len);
int proc_show_limits(const struct pseudo_id *id, struct sbuf *sb);

/* procfs_vm.c */
struct vm_info;
int proc_show_maps(const struct pseudo_id *id, struct sbuf *sb);
/* One line of maps; path is room for VFS_PATH_MAX bytes. */
void
proc_print_mapping(struct sbuf *sb, const struct vm_info *info, char *path);
int proc_show_pid_cmdline(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_environ(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_auxv(const struct pseudo_id *id, struct sbuf *sb);

/* procfs_mem.c */
extern const struct file_ops proc_mem_ops, proc_pagemap_ops;
int proc_show_smaps(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_smaps_rollup(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_syscall(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_wchan(const struct pseudo_id *id, struct sbuf *sb);

/* procfs_fd.c */
extern const struct pseudo_dir_ops proc_fd_dir, proc_fdinfo_dir;
int proc_show_mounts(const struct pseudo_id *id, struct sbuf *sb);
int proc_show_mountinfo(const struct pseudo_id *id, struct sbuf *sb);

#endif
