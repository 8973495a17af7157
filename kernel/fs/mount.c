/* SPDX-License-Identifier: ISC */
/*
 * mount.c - the tree of mounts: mount(2), umount2(2).
 *
 * The tree holds one reference on each mount; a mount holds references on its
 * root, and while it is attached on the mount and dentry that it covers.
 */
#include "abi/mode.h"
#include "fs/blkdev.h"
#include "fs/dentry.h"
#include "fs/vfs.h"
#include "fs/walk.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/mount.h>

/* umount2(2); <linux/fs.h> of old, not in the installed headers. */
#define MNT_FORCE       1
#define MNT_DETACH      2
#define MNT_EXPIRE      4
#define UMOUNT_NOFOLLOW 8

#define MOUNT_FLAGS                                                  \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | \
	    MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)
#define SUPER_FLAGS (MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_DIRSYNC)
#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

static struct mount_list mounts = TAILQ_HEAD_INITIALIZER(mounts); /* v */
static struct mount *root_mount;    /* I: since there are processes */
static struct mount *initial_mount; /* I: the first one, below */
static uint32_t last_id;            /* v */

struct mount *
mount_on_locked(struct mount *parent, struct dentry *point)
{
	struct mount *m;

	TAILQ_FOREACH (m, &mounts, link) {
		if (m->point == point && m->parent == parent)
			return m;
	}
	return NULL;
}

struct mount *
mount_of_super_locked(struct super *sb)
{
	struct mount *m;

	TAILQ_FOREACH (m, &mounts, link) {
		if (m->sb == sb && m->root == sb->root)
			break;
	}
	if (m != NULL)
		mount_get(m);
	return m;
}

void
vfs_root_path(struct path *p)
{
	p->mnt = root_mount;
	p->dentry = root_mount->root;
}

void
vfs_ctx_kernel(struct vfs_ctx *ctx)
{
	vfs_root_path(&ctx->root);
	ctx->cwd = ctx->root;
	ctx->cred = &vfs_cred_kernel;
	ctx->umask = 0;
}

void
vfs_ctx_initial(struct vfs_ctx *ctx)
{
	vfs_ctx_kernel(ctx);
	ctx->root.mnt = initial_mount;
	ctx->root.dentry = initial_mount->root;
	ctx->cwd = ctx->root;
}

bool
vfs_root_is_initial(void)
{
	return root_mount == initial_mount;
}

int
mount_may_write(const struct mount *m)
{
	return m != NULL && (m->flags & MS_RDONLY) != 0 ? -EROFS : 0;
}

/* Takes over the superblock's mount; root NULL: all of it.  -ENOMEM */
static int
mount_create(struct super *sb, struct dentry *root, const char *source,
    unsigned long flags, struct mount **out)
{
	struct mount *m = kzalloc(sizeof(*m));

	if (m != NULL)
		m->source = kstrdup(source != NULL ? source : "none");
	if (m == NULL || m->source == NULL) {
		kfree(m);
		super_unmount(sb);
		return -ENOMEM;
	}
	m->refs = 1;
	m->flags = flags & MOUNT_FLAGS;
	m->sb = sb;
	m->root = root != NULL ? root : sb->root;
	dentry_get(m->root);
	*out = m;
	return 0;
}

void
mount_put(struct mount *m)
{
	if (__atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	dentry_put(m->root);
	super_unmount(m->sb);
	kfree(m->source);
	kfree(m);
}

/* Takes over the references of `at`. */
static void
attach_locked(struct mount *m, const struct path *at)
{
	m->parent = at->mnt;
	m->point = at->dentry;
	m->point->nmounts++;
	if (m->id == 0)
		m->id = ++last_id;
	TAILQ_INSERT_TAIL(&mounts, m, link);
}

/* Out of the tree; what it covered goes to the caller, for path_put(). */
static void
detach_locked(struct mount *m, struct path *at)
{
	at->mnt = m->parent;
	at->dentry = m->point;
	m->point->nmounts--;
	m->parent = NULL;
	m->point = NULL;
	TAILQ_REMOVE(&mounts, m, link);
}

/*
 * The same file system is there already: -EBUSY, unless the kernel put it
 * there at boot, which then has been done for this caller.
 */
static int
same_there_locked(struct mount *m, const struct path *at, bool *done)
{
	struct mount *top = at->mnt;

	if (at->dentry != top->root || top->root != m->root)
		return 0;
	if (!top->kernel)
		return -EBUSY;
	top->kernel = false;
	top->flags = m->flags;
	*done = true;
	return 0;
}

/*
 * Mounts m at the place, whose references and m are taken over.  A fresh one
 * is not put where its file system is already.
 */
static int
graft(struct mount *m, const struct path *at, bool fresh)
{
	bool done = false;
	int error = 0;

	if (S_ISDIR(m->root->inode->mode) != S_ISDIR(at->dentry->inode->mode))
		error = -ENOTDIR;
	spin_lock(&vfs_lock);
	if (error == 0 && (at->dentry->inode->flags & INODE_DEAD) != 0)
		error = -ENOENT;
	if (error == 0 && fresh)
		error = same_there_locked(m, at, &done);
	if (error == 0 && !done)
		attach_locked(m, at);
	spin_unlock(&vfs_lock);
	if (error != 0 || done) {
		path_put(at);
		mount_put(m);
	}
	return error;
}

static int
mount_new(const struct vfs_ctx *ctx, const char *source, const char *target,
    const char *name, unsigned long flags, const char *data, bool kernel)
{
	const struct fs_type *type = name != NULL ? fs_type_find(name) : NULL;
	struct super *sb;
	struct mount *m;
	struct path at;
	int error;

	if (name == NULL)
		return -EINVAL;
	if (type == NULL)
		return -ENODEV;
	error = vfs_walk(ctx, NULL, target, WALK_FOLLOW, &at);
	if (error != 0)
		return error;
	error = type->mount(type, source, flags & SUPER_FLAGS,
	    data != NULL ? data : "", &sb);
	if (error == 0)
		error = mount_create(sb, NULL, source, flags, &m);
	if (error != 0) {
		path_put(&at);
		return error;
	}
	m->kernel = kernel;
	return graft(m, &at, true);
}

void
dentry_automount(struct dentry *d, const struct automount *a)
{
	spin_lock(&vfs_lock);
	d->priv = (void *)a;
	d->flags |= DENTRY_AUTO;
	d->nmounts++;
	spin_unlock(&vfs_lock);
}

int
mount_automatically(const struct path *at)
{
	const struct automount *a = at->dentry->priv;
	const struct fs_type *type = fs_type_find(a->type);
	struct super *sb;
	struct mount *m;
	int error;

	if (type == NULL)
		return -ENODEV;
	error = type->mount(type, a->type, 0, a->data, &sb);
	if (error == 0)
		error = mount_create(sb, NULL, a->type, a->flags, &m);
	if (error != 0)
		return error;
	m->kernel = true;
	spin_lock(&vfs_lock);
	if ((at->dentry->flags & DENTRY_AUTO) != 0) {
		at->dentry->flags &= ~DENTRY_AUTO;
		at->dentry->nmounts--;
		path_get(at);
		attach_locked(m, at);
		m = NULL;
	}
	spin_unlock(&vfs_lock);
	if (m != NULL) /* another walk was faster */
		mount_put(m);
	return 0;
}

/* Mounts what lies at `from` at `at` too, whose references it takes over. */
static int
bind_one(const struct path *from, const struct path *at, struct mount **out)
{
	struct mount *m;
	int error;

	spin_lock(&vfs_lock);
	from->mnt->sb->mounts++;
	spin_unlock(&vfs_lock);
	error = mount_create(from->mnt->sb, from->dentry, from->mnt->source,
	    from->mnt->flags, &m);
	if (error != 0) {
		path_put(at);
		return error;
	}
	*out = m;
	return graft(m, at, false);
}

/*
 * Where c is mounted, referenced, if that is on `from`, at or below its
 * directory; else NULL.
 */
static struct dentry *
point_below(struct mount *c, const struct path *from)
{
	struct dentry *d, *point;

	spin_lock(&vfs_lock);
	point = c->parent == from->mnt ? c->point : NULL;
	for (d = point; d != NULL && d != from->dentry;)
		d = d->parent != d ? d->parent : NULL;
	if (d != NULL)
		dentry_get(point);
	spin_unlock(&vfs_lock);
	return d != NULL ? point : NULL;
}

#define BIND_DEPTH 16 /* mounts on mounts that MS_REC follows */

/* MS_REC: mounts below `from` that are not younger than `newest`. */
static int
bind_below(const struct path *from, struct mount *to, uint32_t newest,
    unsigned depth)
{
	struct mount *c, *copy;
	struct path at, sub;
	uint32_t id = 0;
	int error = depth == 0 ? -ELOOP : 0;

	while (error == 0 && (c = mount_next(id)) != NULL) {
		id = c->id;
		at.mnt = to;
		at.dentry = id <= newest ? point_below(c, from) : NULL;
		if (at.dentry != NULL) {
			mount_get(to);
			sub.mnt = c;
			sub.dentry = c->root;
			error = bind_one(&sub, &at, &copy);
			if (error == 0)
				error = bind_below(&sub, copy, newest,
				    depth - 1);
		}
		mount_put(c);
	}
	return error;
}

static int
mount_bind(const struct vfs_ctx *ctx, const char *source, const char *target,
    bool recursive)
{
	struct path from, at;
	struct mount *m;
	uint32_t newest;
	int error;

	if (source == NULL)
		return -EINVAL;
	error = vfs_walk(ctx, NULL, source, WALK_FOLLOW, &from);
	if (error != 0)
		return error;
	error = vfs_walk(ctx, NULL, target, WALK_FOLLOW, &at);
	if (error == 0) {
		newest = __atomic_load_n(&last_id, __ATOMIC_RELAXED);
		error = bind_one(&from, &at, &m);
		if (error == 0 && recursive)
			error = bind_below(&from, m, newest, BIND_DEPTH);
	}
	path_put(&from);
	return error;
}

/* Is `place` on m or on something mounted below it? */
static bool
is_under_locked(const struct path *place, const struct mount *m)
{
	const struct mount *p;

	for (p = place->mnt; p != NULL; p = p->parent)
		if (p == m)
			return true;
	return false;
}

static int
mount_move(const struct vfs_ctx *ctx, const char *source, const char *target)
{
	struct path from, at, old;
	int error;

	if (source == NULL)
		return -EINVAL;
	error = vfs_walk(ctx, NULL, source, WALK_FOLLOW, &from);
	if (error != 0)
		return error;
	error = vfs_walk(ctx, NULL, target, WALK_FOLLOW, &at);
	if (error != 0) {
		path_put(&from);
		return error;
	}
	spin_lock(&vfs_lock);
	if (from.dentry != from.mnt->root || from.mnt->parent == NULL)
		error = -EINVAL;
	else if (is_under_locked(&at, from.mnt))
		error = -ELOOP;
	else if (S_ISDIR(from.dentry->inode->mode) !=
	    S_ISDIR(at.dentry->inode->mode))
		error = -ENOTDIR;
	if (error == 0) {
		detach_locked(from.mnt, &old);
		attach_locked(from.mnt, &at);
	}
	spin_unlock(&vfs_lock);
	path_put(error == 0 ? &old : &at);
	path_put(&from);
	return error;
}

/* Changes of a mount that is there: its flags, its options. */
static int
mount_change(const struct vfs_ctx *ctx, const char *target, unsigned long flags,
    const char *data)
{
	struct super *sb;
	struct path at;
	int error;

	error = vfs_walk(ctx, NULL, target, WALK_FOLLOW, &at);
	if (error != 0)
		return error;
	sb = at.mnt->sb;
	if (at.dentry != at.mnt->root)
		error = -EINVAL;
	else if ((flags & MS_REMOUNT) != 0 && (flags & MS_BIND) == 0 &&
	    sb->ops->remount != NULL)
		error = sb->ops->remount(sb, flags & SUPER_FLAGS,
		    data != NULL ? data : "");
	if (error == 0 && (flags & MS_REMOUNT) != 0) {
		spin_lock(&vfs_lock);
		at.mnt->flags = flags & MOUNT_FLAGS;
		if ((flags & MS_BIND) == 0)
			sb->flags = flags & SUPER_FLAGS;
		spin_unlock(&vfs_lock);
	}
	path_put(&at);
	return error;
}

int
vfs_mount(const struct vfs_ctx *ctx, const char *source, const char *target,
    const char *type, unsigned long flags, const char *data)
{
	if (!vfs_capable(ctx->cred, CAP_SYS_ADMIN))
		return -EPERM;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	if ((flags & (MS_NOATIME | MS_STRICTATIME)) == 0)
		flags |= MS_RELATIME;
	if ((flags & (MS_REMOUNT | PROPAGATION)) != 0)
		return mount_change(ctx, target, flags, data);
	if ((flags & MS_BIND) != 0)
		return mount_bind(ctx, source, target, (flags & MS_REC) != 0);
	if ((flags & MS_MOVE) != 0)
		return mount_move(ctx, source, target);
	return mount_new(ctx, source, target, type, flags, data, false);
}

int
vfs_mount_root(const char *name, const char *data)
{
	const struct fs_type *type = fs_type_find(name);
	struct super *sb;
	struct mount *m;
	int error;

	KASSERT(root_mount == NULL);
	if (type == NULL)
		return -ENODEV;
	error = type->mount(type, name, 0, data, &sb);
	if (error == 0)
		error = mount_create(sb, NULL, name, 0, &m);
	if (error != 0)
		return error;
	spin_lock(&vfs_lock);
	m->id = ++last_id;
	TAILQ_INSERT_TAIL(&mounts, m, link);
	spin_unlock(&vfs_lock);
	root_mount = m;
	initial_mount = m;
	return 0;
}

int
vfs_mount_root_over(const char *source, const char *name, unsigned long flags,
    const char *data)
{
	const struct fs_type *type = fs_type_find(name);
	struct super *sb;
	struct mount *m;
	struct path at;
	int error;

	if (type == NULL)
		return -ENODEV;
	error = type->mount(type, source, flags & SUPER_FLAGS, data, &sb);
	if (error == 0)
		error = mount_create(sb, NULL, source, flags | MS_RELATIME, &m);
	if (error != 0)
		return error;
	vfs_root_path(&at);
	path_get(&at);
	error = graft(m, &at, true);
	if (error == 0)
		root_mount = m;
	return error;
}

int
vfs_mount_kernel(const char *type, const char *target)
{
	struct vfs_ctx ctx;
	int error;

	vfs_ctx_kernel(&ctx);
	error = mount_new(&ctx, type, target, type, MS_RELATIME, NULL, true);
	if (error != -ENOENT)
		return error;
	error = vfs_mkdir(&ctx, NULL, target, 0755);
	if (error == 0)
		error = mount_new(&ctx, type, target, type, MS_RELATIME, NULL,
		    true);
	return error;
}

static bool
has_children_locked(const struct mount *m)
{
	const struct mount *c;

	TAILQ_FOREACH (c, &mounts, link) {
		if (c->parent == m)
			return true;
	}
	return false;
}

/* The mount lowest in the tree below m, m itself last. */
static struct mount *
deepest_locked(struct mount *m)
{
	struct mount *c;

	TAILQ_FOREACH (c, &mounts, link) {
		if (c->parent == m) {
			m = c;
			c = TAILQ_FIRST(&mounts);
		}
	}
	return m;
}

/* Takes m and all below it out of the tree; who uses them goes on. */
static void
detach_all(struct mount *m)
{
	struct mount *one;
	struct path at;

	do {
		spin_lock(&vfs_lock);
		one = deepest_locked(m);
		if (one->parent == NULL) { /* another thread was faster */
			spin_unlock(&vfs_lock);
			return;
		}
		detach_locked(one, &at);
		spin_unlock(&vfs_lock);
		path_put(&at);
		if (one != m)
			mount_put(one);
	} while (one != m);
	mount_put(m);
}

int
vfs_umount(const struct vfs_ctx *ctx, const char *target, int flags)
{
	struct path p;
	int error;

	if ((flags &
		~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) != 0)
		return -EINVAL;
	if ((flags & MNT_EXPIRE) != 0 &&
	    (flags & (MNT_FORCE | MNT_DETACH)) != 0)
		return -EINVAL;
	error = vfs_walk(ctx, NULL, target,
	    (flags & UMOUNT_NOFOLLOW) != 0 ? 0 : WALK_FOLLOW, &p);
	if (error != 0)
		return error;
	spin_lock(&vfs_lock);
	if (p.dentry != p.mnt->root || p.mnt->parent == NULL)
		error = -EINVAL;
	else if (!vfs_capable(ctx->cred, CAP_SYS_ADMIN))
		error = -EPERM;
	else if ((flags & MNT_DETACH) == 0 &&
	    (p.mnt->refs > 2 || has_children_locked(p.mnt)))
		error = -EBUSY; /* beyond the tree's reference and ours */
	else if ((flags & MNT_EXPIRE) != 0)
		error = -EAGAIN; /* never marked as expired before */
	spin_unlock(&vfs_lock);
	if (error == 0)
		detach_all(p.mnt);
	path_put(&p);
	return error;
}

/* pivot_root(2)'s conditions, and the exchange. */
static int
pivot_locked(const struct path *root, const struct path *new,
    const struct path *put_old, struct path *left, struct path *under)
{
	if (new->mnt == root->mnt || put_old->mnt == root->mnt)
		return -EBUSY;
	if (root->dentry != root->mnt->root || root->mnt->parent == NULL ||
	    new->dentry != new->mnt->root || new->mnt->parent == NULL ||
	    !is_under_locked(put_old, new->mnt))
		return -EINVAL;
	detach_locked(new->mnt, left);
	detach_locked(root->mnt, under);
	attach_locked(root->mnt, put_old);
	attach_locked(new->mnt, under);
	return 0;
}

int
vfs_pivot_root(const struct vfs_ctx *ctx, const struct path *new,
    const struct path *put_old)
{
	struct path left, under;
	int error;

	if (!vfs_capable(ctx->cred, CAP_SYS_ADMIN))
		return -EPERM;
	path_get(put_old); /* for the tree */
	spin_lock(&vfs_lock);
	error = pivot_locked(&ctx->root, new, put_old, &left, &under);
	spin_unlock(&vfs_lock);
	path_put(error == 0 ? &left : put_old);
	return error;
}

struct mount *
mount_next(uint32_t after)
{
	struct mount *m, *best = NULL;

	spin_lock(&vfs_lock);
	TAILQ_FOREACH (m, &mounts, link) {
		if (m->id > after && (best == NULL || m->id < best->id))
			best = m;
	}
	if (best != NULL)
		mount_get(best);
	spin_unlock(&vfs_lock);
	return best;
}

size_t
mount_options(struct mount *m, char *buf, size_t size)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ MS_NOSUID, ",nosuid" },
		{ MS_NODEV, ",nodev" },
		{ MS_NOEXEC, ",noexec" },
		{ MS_NOATIME, ",noatime" },
		{ MS_NODIRATIME, ",nodiratime" },
		{ MS_RELATIME, ",relatime" },
	};
	unsigned i;

	strlcpy(buf, (m->flags & MS_RDONLY) != 0 ? "ro" : "rw", size);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if ((m->flags & names[i].flag) != 0)
			strlcat(buf, names[i].name, size);
	return strlen(buf);
}

int
vfs_sync_all(void)
{
	struct mount *m;
	uint32_t id = 0;
	int error = 0, one;

	while ((m = mount_next(id)) != NULL) {
		id = m->id;
		if (m->sb->ops->sync != NULL) {
			one = m->sb->ops->sync(m->sb);
			if (one != 0)
				error = one;
		}
		mount_put(m);
	}
	one = blkdev_sync_all();
	return one != 0 ? one : error;
}
