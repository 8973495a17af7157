/* SPDX-License-Identifier: ISC */
/*
 * fsview.h - how a process sees the tree of files: its root, its working
 * directory, its umask; and what a call on names needs of all that.
 *
 * A view is shared by reference count (CLONE_FS), copied by fork.  The tasks of
 * a process share one, but those that have asked for one of their own.
 * Locking: one spin lock a view, taken inside.
 */
#ifndef LINUX_FSVIEW_H
#define LINUX_FSVIEW_H

#include "fs/vfs.h"
#include "kern/spinlock.h"
#include "kern/types.h"

struct process;
struct task;

struct fsview {        /* under lock */
	uint32_t refs; /* atomic */
	struct spinlock lock;
	struct path root, cwd;
	uint32_t umask;
};

/* The calling task's: its own, or that of its process. */
struct fsview *fsview_self(void);
/* The same of another one, its first task's if t is NULL; process_lock held. */
struct fsview *fsview_of_locked(const struct process *p, const struct task *t);

/* The root of the root mount, umask 022; one reference.  -ENOMEM */
int fsview_create(struct fsview **out);
int fsview_copy(struct fsview *from, struct fsview **out);
void fsview_get(struct fsview *fs);
void fsview_put(struct fsview *fs);
/* Root or working directory of any process, with references (/proc). */
void fsview_root(struct fsview *fs, struct path *out);
void fsview_cwd(struct fsview *fs, struct path *out);
/* After pivot_root(2): a view that stood at `from` stands at `to`. */
void
fsview_move(struct fsview *fs, const struct path *from, const struct path *to);

/*
 * Who asks, and from where: for one system call of the calling task.  While
 * nobody else can change the view its paths are borrowed.
 */
struct fs_ctx {
	struct vfs_ctx vfs; /* vfs.cred is &cred */
	struct vfs_cred cred;
	bool owned;
};
void fs_ctx_get(struct fs_ctx *ctx);
void fs_ctx_put(struct fs_ctx *ctx);
/* access(2): asks with the real ids from now on. */
void fs_ctx_use_real_ids(struct fs_ctx *ctx);

#endif
