/* SPDX-License-Identifier: ISC */
/*
 * fsview.c - root, working directory and umask: chdir(2), fchdir(2),
 * chroot(2), getcwd(2), umask(2).  Owns struct fsview.
 */
#include "linux/fsview.h"
#include "abi/mode.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/names.h"
#include "linux/process.h"
#include "linux/sys_files.h"
#include <linux/capability.h>

struct fsview *
fsview_of_locked(const struct process *p, const struct task *t)
{
	return t != NULL && t->fs != NULL ? t->fs : p->fs;
}

struct fsview *
fsview_self(void)
{
	const struct task *t = task_self();

	return fsview_of_locked(t->process, t);
}

int
fsview_create(struct fsview **out)
{
	struct fsview *fs = kzalloc(sizeof(*fs));
	struct vfs_ctx ctx;

	if (fs == NULL)
		return -ENOMEM;
	vfs_ctx_kernel(&ctx);
	fs->refs = 1;
	spin_init(&fs->lock);
	fs->root = ctx.root;
	fs->cwd = ctx.cwd;
	path_get(&fs->root);
	path_get(&fs->cwd);
	fs->umask = 022;
	*out = fs;
	return 0;
}

int
fsview_copy(struct fsview *from, struct fsview **out)
{
	struct fsview *fs = kzalloc(sizeof(*fs));

	if (fs == NULL)
		return -ENOMEM;
	fs->refs = 1;
	spin_init(&fs->lock);
	spin_lock(&from->lock);
	fs->root = from->root;
	fs->cwd = from->cwd;
	fs->umask = from->umask;
	path_get(&fs->root);
	path_get(&fs->cwd);
	spin_unlock(&from->lock);
	*out = fs;
	return 0;
}

void
fsview_get(struct fsview *fs)
{
	__atomic_add_fetch(&fs->refs, 1, __ATOMIC_RELAXED);
}

void
fsview_put(struct fsview *fs)
{
	if (__atomic_sub_fetch(&fs->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	path_put(&fs->root);
	path_put(&fs->cwd);
	kfree(fs);
}

static void
fsview_read(struct fsview *fs, const struct path *which, struct path *out)
{
	spin_lock(&fs->lock);
	*out = *which;
	path_get(out);
	spin_unlock(&fs->lock);
}

void
fsview_root(struct fsview *fs, struct path *out)
{
	fsview_read(fs, &fs->root, out);
}

void
fsview_cwd(struct fsview *fs, struct path *out)
{
	fsview_read(fs, &fs->cwd, out);
}

/* Takes over the caller's references of *to. */
static void
fsview_set(struct fsview *fs, struct path *which, const struct path *to)
{
	struct path old;

	spin_lock(&fs->lock);
	old = *which;
	*which = *to;
	spin_unlock(&fs->lock);
	path_put(&old);
}

static bool
path_same(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

void
fsview_move(struct fsview *fs, const struct path *from, const struct path *to)
{
	struct path *members[] = { &fs->root, &fs->cwd };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(members); i++) {
		if (path_same(members[i], from)) {
			path_get(to);
			fsview_set(fs, members[i], to);
		}
	}
}

static void
fs_ctx_set_cred(struct fs_ctx *ctx, const struct creds *c)
{
	ctx->cred = (struct vfs_cred){
		.uid = c->fsuid,
		.gid = c->fsgid,
		.ngroups = c->ngroups,
		.groups = c->groups,
		.caps = c->cap_effective,
	};
	ctx->vfs.cred = &ctx->cred;
}

void
fs_ctx_get(struct fs_ctx *ctx)
{
	struct process *p = process_self();
	struct fsview *fs = fsview_self();

	ctx->owned = fs->refs != 1 || p->ntasks != 1 || fs != p->fs;
	if (ctx->owned)
		spin_lock(&fs->lock);
	ctx->vfs.root = fs->root;
	ctx->vfs.cwd = fs->cwd;
	ctx->vfs.umask = fs->umask;
	if (ctx->owned) {
		path_get(&ctx->vfs.root);
		path_get(&ctx->vfs.cwd);
		spin_unlock(&fs->lock);
	}
	fs_ctx_set_cred(ctx, creds_self());
}

void
fs_ctx_put(struct fs_ctx *ctx)
{
	if (ctx->owned) {
		path_put(&ctx->vfs.root);
		path_put(&ctx->vfs.cwd);
	}
}

void
fs_ctx_use_real_ids(struct fs_ctx *ctx)
{
	const struct creds *c = creds_self();

	ctx->cred.uid = c->uid;
	ctx->cred.gid = c->gid;
	ctx->cred.caps = c->uid == 0 ? c->cap_permitted : 0;
}

/* A directory that the caller may search, by name. */
static int
fsview_walk(struct fs_ctx *ctx, uaddr_t uname, struct path *out)
{
	struct user_name name;
	int error;

	error = user_name_get(&name, uname, 0);
	if (error != 0)
		return error;
	error = vfs_walk(&ctx->vfs, NULL, name.text,
	    WALK_FOLLOW | WALK_DIRECTORY, out);
	user_name_put(&name);
	if (error != 0)
		return error;
	error = vfs_access(&ctx->vfs, out, MAY_EXEC);
	if (error != 0)
		path_put(out);
	return error;
}

long
sys_chdir(uaddr_t uname)
{
	struct fsview *fs = fsview_self();
	struct fs_ctx ctx;
	struct path p;
	int error;

	fs_ctx_get(&ctx);
	error = fsview_walk(&ctx, uname, &p);
	fs_ctx_put(&ctx);
	if (error == 0)
		fsview_set(fs, &fs->cwd, &p);
	return error;
}

long
sys_fchdir(int fd)
{
	struct fsview *fs = fsview_self();
	struct fdref ref = fd_get_any(fd);
	struct fs_ctx ctx;
	struct path p;
	int error = 0;

	if (ref.file == NULL)
		return -EBADF;
	p = ref.file->path;
	if (p.mnt == NULL || (ref.file->inode->mode & S_IFMT) != S_IFDIR)
		error = -ENOTDIR;
	if (error == 0) {
		fs_ctx_get(&ctx);
		error = vfs_access(&ctx.vfs, &p, MAY_EXEC);
		fs_ctx_put(&ctx);
	}
	if (error == 0) {
		path_get(&p);
		fsview_set(fs, &fs->cwd, &p);
	}
	fd_put(ref);
	return error;
}

long
sys_chroot(uaddr_t uname)
{
	struct fsview *fs = fsview_self();
	struct fs_ctx ctx;
	struct path p;
	int error;

	fs_ctx_get(&ctx);
	error = fsview_walk(&ctx, uname, &p);
	if (error == 0 && !vfs_capable(&ctx.cred, CAP_SYS_CHROOT)) {
		path_put(&p);
		error = -EPERM;
	}
	fs_ctx_put(&ctx);
	if (error == 0)
		fsview_set(fs, &fs->root, &p);
	return error;
}

/* The working directory's name into buf, with its length and NUL. */
static long
fsview_cwd_name(const struct vfs_ctx *ctx, char *buf, const char **out)
{
	static const char mark[] = "(unreachable)";
	bool reachable = true;
	char *name;
	int error;

	if ((ctx->cwd.dentry->inode->flags & INODE_DEAD) != 0)
		return -ENOENT;
	error = vfs_path_string(&ctx->cwd, &ctx->root, buf + sizeof(mark),
	    VFS_PATH_MAX, out, &reachable);
	if (error != 0)
		return error;
	if (!reachable) {
		name = buf + (*out - buf) - (sizeof(mark) - 1);
		memcpy(name, mark, sizeof(mark) - 1);
		*out = name;
	}
	return (long)strlen(*out) + 1;
}

long
sys_getcwd(uaddr_t dst, uint64_t size)
{
	char *buf = kmalloc(VFS_PATH_MAX + 32);
	struct fs_ctx ctx;
	const char *name;
	long len;

	if (buf == NULL)
		return -ENOMEM;
	fs_ctx_get(&ctx);
	len = fsview_cwd_name(&ctx.vfs, buf, &name);
	fs_ctx_put(&ctx);
	if (len > 0 && (uint64_t)len > size)
		len = -ERANGE;
	if (len > 0 && copyout(dst, name, (size_t)len) != 0)
		len = -EFAULT;
	kfree(buf);
	return len;
}

long
sys_umask(uint32_t mask)
{
	struct fsview *fs = fsview_self();

	return __atomic_exchange_n(&fs->umask, mask & 0777, __ATOMIC_RELAXED);
}
