/* SPDX-License-Identifier: ISC */
/*
 * procfs_pid.c - /proc/PID and /proc/PID/task/TID: the directories, and the
 * links in them.  proc(5).
 */
#include "linux/procfs_pid.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/procfs.h"
#include <linux/capability.h>
#include <linux/errno.h>

bool
proc_number(const char *name, size_t len, uint32_t *out)
{
	uint32_t v = 0;
	size_t i;

	if (len == 0 || len > 9 || (name[0] == '0' && len > 1))
		return false;
	for (i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		v = v * 10 + (name[i] - '0');
	}
	*out = v;
	return true;
}

int
proc_lock(const struct pseudo_id *id, struct process **p, struct task **t)
{
	int32_t tid = proc_id_tid(id);

	mutex_lock(&process_lock);
	*p = process_find_locked(id->key);
	*t = NULL;
	if (*p != NULL && tid != 0) {
		*t = task_find_locked(tid);
		if (*t != NULL && (*t)->process == *p)
			return 0;
	} else if (*p != NULL) {
		*t = task_find_locked(id->key);
		if (*t == NULL)
			*t = TAILQ_FIRST(&(*p)->tasks);
		return 0;
	}
	mutex_unlock(&process_lock);
	return -ESRCH;
}

void
proc_unlock(void)
{
	mutex_unlock(&process_lock);
}

int
proc_may_look_locked(const struct process *p, const struct task *t)
{
	const struct creds *me = creds_self(), *it = creds_of_locked(p, t);

	if (p == process_self() || capable(CAP_SYS_PTRACE))
		return 0;
	if (me->fsuid != it->uid || me->fsuid != it->euid ||
	    me->fsuid != it->suid || me->fsgid != it->gid ||
	    me->fsgid != it->egid || me->fsgid != it->sgid || !p->dumpable)
		return -EACCES;
	return 0;
}

int
proc_vm(const struct pseudo_id *id, struct vmspace **out)
{
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	error = proc_may_look_locked(p, t);
	*out = error == 0 ? p->vm : NULL;
	if (*out != NULL)
		vmspace_get(*out);
	proc_unlock();
	return error;
}

int
proc_files(const struct pseudo_id *id, struct fdtable **out)
{
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	error = proc_may_look_locked(p, t);
	*out = error == 0 ? fdtable_of_locked(p, t) : NULL;
	if (error == 0 && *out == NULL)
		error = -ENOENT;
	if (*out != NULL)
		fdtable_get(*out);
	proc_unlock();
	return error;
}

void
proc_attr(const struct pseudo_id *id, struct pseudo_attr *a)
{
	struct process *p;
	struct task *t;

	if (proc_lock(id, &p, &t) != 0)
		return;
	if (p->dumpable) {
		a->uid = creds_of_locked(p, t)->euid;
		a->gid = creds_of_locked(p, t)->egid;
	}
	proc_unlock();
}

long
proc_path_text(const struct path *p, char *buf, size_t size)
{
	struct fs_ctx ctx;
	const char *text;
	size_t len;
	int error;

	fs_ctx_get(&ctx);
	error = vfs_path_string(p, &ctx.vfs.root, buf, size, &text, NULL);
	fs_ctx_put(&ctx);
	if (error != 0)
		return error;
	len = strlen(text);
	memmove(buf, text, len);
	return len;
}

/* ------------------------------------------------------------- links -- */

enum place { PLACE_EXE, PLACE_CWD, PLACE_ROOT };

/* The place with references.  -ENOENT: the process has none any more. */
static int
place_of(const struct pseudo_id *id, enum place which, struct path *out)
{
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	error = proc_may_look_locked(p, t);
	if (error == 0 &&
	    (which == PLACE_EXE ? (void *)p->exe : (void *)p->fs) == NULL)
		error = -ENOENT;
	if (error == 0 && which == PLACE_EXE) {
		*out = p->exe->path;
		path_get(out);
	} else if (error == 0 && which == PLACE_CWD) {
		fsview_cwd(fsview_of_locked(p, t), out);
	} else if (error == 0) {
		fsview_root(fsview_of_locked(p, t), out);
	}
	proc_unlock();
	return error;
}

static long
read_place(const struct pseudo_id *id, enum place which, char *buf, size_t size)
{
	struct path p;
	long len = place_of(id, which, &p);

	if (len != 0)
		return len;
	len = proc_path_text(&p, buf, size);
	path_put(&p);
	return len;
}

#define PLACE(name, which)                                                     \
	static int follow_##name(const struct pseudo_id *id, struct path *out) \
	{                                                                      \
		return place_of(id, which, out);                               \
	}                                                                      \
	static long read_##name(const struct pseudo_id *id, char *buf,         \
	    size_t size)                                                       \
	{                                                                      \
		return read_place(id, which, buf, size);                       \
	}
PLACE(exe, PLACE_EXE)
PLACE(cwd, PLACE_CWD)
PLACE(root, PLACE_ROOT)

/* ------------------------------------------------------- directories -- */

#define PID_FILE(n, m, fn)                                                   \
	{                                                                    \
		.name = (n), .kind = PSEUDO_FILE, .mode = (m), .show = (fn), \
		.attr = proc_attr                                            \
	}
#define PID_LINK(n)                                                           \
	{                                                                     \
		.name = #n, .kind = PSEUDO_LINK, .mode = 0777,                \
		.readlink = read_##n, .follow = follow_##n, .attr = proc_attr \
	}
#define PID_DIR(n, m, ops)                                                  \
	{                                                                   \
		.name = (n), .kind = PSEUDO_DIR, .mode = (m), .dir = (ops), \
		.attr = proc_attr                                           \
	}

/* What processes and tasks both have. */
#define COMMON_ENTRIES                                                   \
	PID_FILE("auxv", 0400, proc_show_auxv),                          \
	    PID_FILE("cmdline", 0444, proc_show_pid_cmdline),            \
	    { .name = "comm",                                            \
		    .kind = PSEUDO_FILE,                                 \
		    .mode = 0644,                                        \
		    .show = proc_show_comm,                              \
		    .store = proc_store_comm,                            \
		    .attr = proc_attr },                                 \
	    PID_LINK(cwd), PID_FILE("environ", 0400, proc_show_environ), \
	    PID_LINK(exe), PID_DIR("fd", 0500, &proc_fd_dir),            \
	    PID_DIR("fdinfo", 0555, &proc_fdinfo_dir),                   \
	    PID_FILE("io", 0400, proc_show_io),                          \
	    PID_FILE("limits", 0444, proc_show_limits),                  \
	    PID_FILE("maps", 0444, proc_show_maps),                      \
	    { .name = "mem",                                             \
		    .kind = PSEUDO_FILE,                                 \
		    .mode = 0600,                                        \
		    .fops = &proc_mem_ops,                               \
		    .attr = proc_attr },                                 \
	    PID_FILE("mountinfo", 0444, proc_show_mountinfo),            \
	    PID_FILE("mounts", 0444, proc_show_mounts),                  \
	    PID_FILE("oom_score", 0444, proc_show_oom_score),            \
	    { .name = "oom_score_adj",                                   \
		    .kind = PSEUDO_FILE,                                 \
		    .mode = 0644,                                        \
		    .show = proc_show_oom_score_adj,                     \
		    .store = proc_store_oom_score_adj,                   \
		    .attr = proc_attr },                                 \
	    { .name = "pagemap",                                         \
		    .kind = PSEUDO_FILE,                                 \
		    .mode = 0400,                                        \
		    .fops = &proc_pagemap_ops,                           \
		    .attr = proc_attr },                                 \
	    PID_FILE("personality", 0400, proc_show_personality),        \
	    PID_LINK(root), PID_FILE("smaps", 0444, proc_show_smaps),    \
	    PID_FILE("smaps_rollup", 0444, proc_show_smaps_rollup),      \
	    PID_FILE("stat", 0444, proc_show_pid_stat),                  \
	    PID_FILE("statm", 0444, proc_show_statm),                    \
	    PID_FILE("status", 0444, proc_show_status),                  \
	    PID_FILE("syscall", 0400, proc_show_syscall),                \
	    PID_FILE("wchan", 0444, proc_show_wchan)

static const struct pseudo_entry task_entries[] = {
	COMMON_ENTRIES,
	{ .name = NULL },
};
static const struct pseudo_entry task_entry = {
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = task_entries,
	.attr = proc_attr,
};

static int
task_find(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct process *p;
	struct task *t;
	uint32_t tid;

	if (!proc_number(name, len, &tid) || tid == 0)
		return -ENOENT;
	id->key = dir->key;
	id->sub = (uint64_t)tid << 32;
	*entry = &task_entry;
	if (proc_lock(id, &p, &t) != 0)
		return -ENOENT;
	proc_unlock();
	return 0;
}

static bool
task_next(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	int32_t best = INT32_MAX;
	struct process *p;
	struct task *t;

	if (proc_lock(dir, &p, &t) != 0)
		return false;
	TAILQ_FOREACH (t, &p->tasks, link) {
		if (t->tid >= (int64_t)*pos && t->tid < best)
			best = t->tid;
	}
	proc_unlock();
	*pos = best;
	id->sub = (uint64_t)best << 32;
	*entry = &task_entry;
	scnprintf(name, 32, "%d", best);
	return best != INT32_MAX;
}

static const struct pseudo_dir_ops task_dir = {
	.find = task_find,
	.next = task_next,
};

static const struct pseudo_entry pid_entries[] = {
	COMMON_ENTRIES,
	PID_DIR("task", 0555, &task_dir),
	{ .name = NULL },
};
static const struct pseudo_entry pid_entry = {
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = pid_entries,
	.attr = proc_attr,
};

int32_t
proc_pid_of_dir(const struct inode *inode)
{
	struct pseudo_id id;

	return inode->sb == procfs.sb &&
		pseudo_inode_entry(inode, &id) == &pid_entry ?
	    (int32_t)id.key :
	    0;
}

/* A task's tid is found too, though not listed, as on Linux. */
static int
pid_find(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct task *t;
	uint32_t pid;
	int error = 0;

	(void)dir;
	if (!proc_number(name, len, &pid) || pid == 0)
		return -ENOENT;
	mutex_lock(&process_lock);
	id->key = pid;
	id->sub = 0;
	if (process_find_locked(pid) == NULL) {
		t = task_find_locked(pid);
		if (t != NULL)
			id->key = t->process->pid;
		else
			error = -ENOENT;
	}
	mutex_unlock(&process_lock);
	*entry = &pid_entry;
	return error;
}

struct lowest {
	uint64_t from;
	int32_t best;
};

static bool
find_lowest(struct process *p, void *arg)
{
	struct lowest *l = arg;

	if (p->pid >= (int64_t)l->from && p->pid < l->best)
		l->best = p->pid;
	return true;
}

static bool
pid_next(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct lowest l = { .from = *pos, .best = INT32_MAX };

	(void)dir;
	mutex_lock(&process_lock);
	process_foreach_locked(find_lowest, &l);
	mutex_unlock(&process_lock);
	*pos = l.best;
	id->key = l.best;
	id->sub = 0;
	*entry = &pid_entry;
	scnprintf(name, 32, "%d", l.best);
	return l.best != INT32_MAX;
}

const struct pseudo_dir_ops proc_pid_dir = {
	.find = pid_find,
	.next = pid_next,
};
