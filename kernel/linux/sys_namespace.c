/* SPDX-License-Identifier: ISC */
/*
 * sys_namespace.c - unshare(2), setns(2).  There is one namespace of each kind
 * (docs/namespaces.md); what a process shares with others by CLONE_FILES or
 * CLONE_FS it can have for its own.
 */
#include "fs/file.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/process.h"
#include "linux/sys_process.h"
#include <linux/errno.h>
#include <linux/sched.h>

#define SHARED (CLONE_FILES | CLONE_FS)
/* Of a process with one thread they are its own already. */
#define OWN (CLONE_SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define NAMESPACES                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

/* The caller's own, or its process's if it is the only task of that. */
static int
unshare_fs(struct process *p)
{
	struct task *t = task_self();
	struct fsview **place = t->fs != NULL || p->ntasks > 1 ? &t->fs :
								 &p->fs;
	struct fsview *own, *old = *place;
	int error = fsview_copy(fsview_self(), &own);

	if (error != 0)
		return error;
	mutex_lock(&process_lock); /* /proc looks at it */
	*place = own;
	mutex_unlock(&process_lock);
	if (old != NULL)
		fsview_put(old);
	return 0;
}

long
sys_unshare(uint64_t flags)
{
	struct process *p = process_self();
	int error = 0;

	if ((flags & ~(uint64_t)(SHARED | OWN | NAMESPACES)) != 0 ||
	    (flags & NAMESPACES) != 0)
		return -EINVAL;
	if (p->ntasks > 1 && (flags & ~(uint64_t)(CLONE_SYSVSEM | SHARED)) != 0)
		return -EINVAL;
	if ((flags & CLONE_VM) != 0 && p->vfork_done != NULL)
		return -EINVAL;
	if ((flags & CLONE_FILES) != 0)
		error = fdtable_unshare();
	if (error == 0 && (flags & CLONE_FS) != 0)
		error = unshare_fs(p);
	return error;
}

long
sys_setns(int fd, int type)
{
	struct fdref ref = fd_get(fd);

	(void)type;
	if (ref.file == NULL)
		return -EBADF;
	fd_put(ref);
	return -EINVAL; /* no descriptor is a namespace's */
}
