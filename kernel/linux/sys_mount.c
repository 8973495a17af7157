/* SPDX-License-Identifier: ISC */
/*
 * sys_mount.c - mount(2), umount2(2), pivot_root(2): strings come in here, the
 * rest is the VFS's.
 */
#include "fs/vfs.h"
#include "kern/kmem.h"
#include "kern/uaccess.h"
#include "linux/fsview.h"
#include "linux/names.h"
#include "linux/process.h"
#include "linux/sys_files.h"
#include <linux/capability.h>
#include <linux/mount.h>

/* umount2(2); only the C library's header has them. */
#define UMOUNT_FORCE    0x1
#define UMOUNT_DETACH   0x2
#define UMOUNT_EXPIRE   0x4
#define UMOUNT_NOFOLLOW 0x8

/* A string that may be absent: *out is NULL then; -EFAULT, -EINVAL, -ENOMEM */
static int
mount_string(uaddr_t src, char **out)
{
	char *s = NULL;
	long len = 0;

	if (src != 0) {
		s = kmalloc(VFS_PATH_MAX);
		if (s == NULL)
			return -ENOMEM;
		len = copyinstr(s, src, VFS_PATH_MAX);
	}
	if (len < 0) {
		kfree(s);
		return len == -ENAMETOOLONG ? -EINVAL : (int)len;
	}
	*out = s;
	return 0;
}

/* Options: as much as is readable of a page, not always a string. */
static int
mount_options_get(uaddr_t src, char **out)
{
	size_t missed;
	char *s;

	*out = NULL;
	if (src == 0)
		return 0;
	s = kzalloc(PAGE_SIZE);
	if (s == NULL)
		return -ENOMEM;
	missed = copyin_partial(s, src, PAGE_SIZE - 1);
	if (missed == PAGE_SIZE - 1) {
		kfree(s);
		return -EFAULT;
	}
	s[PAGE_SIZE - 1 - missed] = '\0';
	*out = s;
	return 0;
}

static int
mount_at(const char *source, uaddr_t utarget, const char *type, uint64_t flags,
    const char *data)
{
	struct user_name target;
	struct fs_ctx ctx;
	int error;

	error = user_name_get(&target, utarget, 0);
	if (error != 0)
		return error;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(uint64_t)MS_MGC_MSK;
	fs_ctx_get(&ctx);
	error = vfs_mount(&ctx.vfs, source, target.text, type, flags, data);
	fs_ctx_put(&ctx);
	user_name_put(&target);
	return error;
}

long
sys_mount(uaddr_t usource, uaddr_t utarget, uaddr_t utype, uint64_t flags,
    uaddr_t udata)
{
	char *type = NULL, *source = NULL, *data = NULL;
	int error;

	error = mount_string(utype, &type);
	if (error == 0)
		error = mount_string(usource, &source);
	if (error == 0)
		error = mount_options_get(udata, &data);
	if (error == 0)
		error = mount_at(source, utarget, type, flags, data);
	kfree(data);
	kfree(source);
	kfree(type);
	return error;
}

long
sys_umount2(uaddr_t utarget, int flags)
{
	struct user_name target;
	struct fs_ctx ctx;
	int error;

	if ((flags &
		~(UMOUNT_FORCE | UMOUNT_DETACH | UMOUNT_EXPIRE |
		    UMOUNT_NOFOLLOW)) != 0)
		return -EINVAL;
	if ((flags & UMOUNT_EXPIRE) != 0 &&
	    (flags & (UMOUNT_FORCE | UMOUNT_DETACH)) != 0)
		return -EINVAL;
	error = user_name_get(&target, utarget, 0);
	if (error != 0)
		return error;
	fs_ctx_get(&ctx);
	error = vfs_umount(&ctx.vfs, target.text, flags);
	fs_ctx_put(&ctx);
	user_name_put(&target);
	return error;
}

struct pivot {
	struct path from, to;
};

static bool
pivot_process(struct process *p, void *arg)
{
	const struct pivot *pivot = arg;
	struct task *t;

	if (p->fs != NULL)
		fsview_move(p->fs, &pivot->from, &pivot->to);
	TAILQ_FOREACH (t, &p->tasks, link)
		if (t->fs != NULL)
			fsview_move(t->fs, &pivot->from, &pivot->to);
	return true;
}

/* Those that stood at the old root stand at the new one (pivot_root(2)). */
static void
pivot_processes(struct pivot *pivot)
{
	mutex_lock(&process_lock);
	process_foreach_locked(pivot_process, pivot);
	mutex_unlock(&process_lock);
}

/* A directory by name, for pivot_root(2). */
static int
pivot_walk(const struct fs_ctx *ctx, uaddr_t uname, struct path *out)
{
	struct user_name name;
	int error;

	error = user_name_get(&name, uname, 0);
	if (error != 0)
		return error;
	error = vfs_walk(&ctx->vfs, NULL, name.text,
	    WALK_FOLLOW | WALK_DIRECTORY, out);
	user_name_put(&name);
	return error;
}

long
sys_pivot_root(uaddr_t unew, uaddr_t uold)
{
	struct pivot pivot;
	struct path put_old;
	struct fs_ctx ctx;
	int error;

	fs_ctx_get(&ctx);
	error = vfs_capable(&ctx.cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
	if (error == 0)
		error = pivot_walk(&ctx, unew, &pivot.to);
	if (error != 0)
		goto out;
	error = pivot_walk(&ctx, uold, &put_old);
	if (error != 0)
		goto out_new;
	fsview_root(fsview_self(), &pivot.from);
	error = vfs_pivot_root(&ctx.vfs, &pivot.to, &put_old);
	if (error == 0)
		pivot_processes(&pivot);
	path_put(&pivot.from);
	path_put(&put_old);
out_new:
	path_put(&pivot.to);
out:
	fs_ctx_put(&ctx);
	return error;
}
