/* SPDX-License-Identifier: ISC */
/*
 * open.c - from a name to an open file.  open(2), openat2(2).
 */
#include "abi/mode.h"
#include "fs/blkdev.h"
#include "fs/chrdev.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/names.h"
#include "fs/notify.h"
#include "fs/tmpfs.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>

#ifndef O_LARGEFILE
#define O_LARGEFILE 0100000
#endif

static struct objcache file_cache = OBJCACHE_INIT("file", sizeof(struct file));
static const struct file_ops no_ops;

static unsigned
mode_of_flags(unsigned flags)
{
	if ((flags & O_PATH) != 0)
		return FILE_PATH;
	switch (flags & O_ACCMODE) {
	case O_RDONLY: return FILE_READ;
	case O_WRONLY: return FILE_WRITE;
	case O_RDWR: return FILE_READ | FILE_WRITE;
	default: return 0; /* ioctl only, with both permissions */
	}
}

/* Takes references of its own.  -ENOMEM: NULL */
static struct file *
file_alloc(const struct path *p, unsigned flags)
{
	struct file *f = objcache_alloc(&file_cache);

	if (f == NULL)
		return NULL;
	f->refs = 1;
	f->mode = mode_of_flags(flags);
	if ((flags & (O_EXCL | O_PATH)) == O_EXCL)
		f->mode |= FILE_EXCL;
	f->flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
	f->ops = &no_ops;
	f->inode = p->dentry->inode;
	f->path = *p;
	path_get(p);
	f->pos = 0;
	mutex_init(&f->pos_lock);
	f->priv = NULL;
	f->polls = NULL;
	f->sigio = NULL;
	return f;
}

static void
file_free(struct file *f)
{
	if ((f->mode & FILE_WRITER) != 0)
		inode_put_write(f->inode);
	if ((f->mode & FILE_DENY) != 0)
		inode_allow_write(f->inode);
	path_put(&f->path);
	objcache_free(&file_cache, f);
}

void
file_put(struct file *f)
{
	if (f == NULL || __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (vfs_hooks->file_gone != NULL &&
	    (f->polls != NULL || f->sigio != NULL || f->inode->locks != NULL))
		vfs_hooks->file_gone(f);
	if ((f->mode & FILE_PATH) == 0)
		vfs_notify(f->path.dentry,
		    (f->mode & FILE_WRITE) != 0 ? IN_CLOSE_WRITE :
						  IN_CLOSE_NOWRITE);
	if (f->ops->release != NULL)
		f->ops->release(f);
	file_free(f);
}

/* The operations behind an inode, by its type. */
static const struct file_ops *
ops_of(const struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFCHR: return &chrdev_node_ops;
	case S_IFBLK: return &blkdev_node_ops;
	case S_IFIFO: /* one with its own: a stream that looks like a pipe */
		return inode->fops != NULL ? inode->fops : vfs_hooks->fifo_ops;
	case S_IFREG:
	case S_IFDIR: return inode->fops;
	default: return NULL; /* sockets */
	}
}

static int
check_type(const struct path *p, unsigned flags)
{
	const struct inode *inode = p->dentry->inode;
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	switch (inode->mode & S_IFMT) {
	case S_IFLNK: return -ELOOP;
	case S_IFDIR:
		return writes || (flags & (O_CREAT | O_TRUNC)) != 0 ? -EISDIR :
								      0;
	case S_IFCHR:
	case S_IFBLK:
		if (p->mnt != NULL && (p->mnt->flags & MS_NODEV) != 0)
			return -EACCES;
		/* fallthrough */
	case S_IFIFO:
	case S_IFSOCK: return 0;
	default:
		if (!writes && (flags & O_TRUNC) == 0)
			return 0;
		return mount_may_write(p->mnt);
	}
}

static int
check_access(const struct vfs_cred *cred, struct inode *inode, unsigned flags)
{
	static const uint8_t need[] = { MAY_READ, MAY_WRITE,
		MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
	unsigned mask = need[flags & O_ACCMODE];
	int error;

	if ((flags & O_TRUNC) != 0)
		mask |= MAY_WRITE;
	error = inode_permission(inode, cred, mask);
	if (error != 0)
		return error;
	if ((inode->flags & INODE_APPEND) != 0 && (mask & MAY_WRITE) != 0 &&
	    ((flags & O_APPEND) == 0 || (flags & O_TRUNC) != 0))
		return -EPERM;
	if ((flags & O_NOATIME) != 0 && cred->uid != inode->uid &&
	    !vfs_capable(cred, CAP_FOWNER))
		return -EPERM;
	return 0;
}

/* Calls the node's open, with the file's operations set. */
static int
file_start(struct file *f)
{
	struct inode *inode = f->inode;
	unsigned type = inode->mode & S_IFMT;
	int error;

	f->ops = ops_of(inode);
	if (f->ops == NULL) {
		f->ops = &no_ops;
		return -ENXIO;
	}
	if (type == S_IFREG && (f->mode & FILE_WRITE) != 0) {
		error = inode_get_write(inode);
		if (error != 0)
			return error;
		f->mode |= FILE_WRITER;
	}
	if (type == S_IFREG || type == S_IFDIR || type == S_IFBLK)
		f->mode |= FILE_SHARED_POS;
	if (f->ops->open != NULL) {
		error = f->ops->open(inode, f);
		if (error != 0)
			return error;
	}
	if (type != S_IFIFO && f->ops->llseek != no_llseek)
		f->mode |= FILE_SEEK;
	return 0;
}

static int
truncate_opened(struct file *f)
{
	struct vfs_attr a = { .valid = ATTR_SIZE | ATTR_FILE, .size = 0 };
	struct vfs_ctx ctx;

	if (!S_ISREG(f->inode->mode))
		return 0;
	vfs_ctx_kernel(&ctx);
	return vfs_setattr(&ctx, &f->path, &a);
}

/* `created`: just now, with the caller's flags; its mode does not count. */
static int
open_place(const struct vfs_cred *cred, const struct path *p, unsigned flags,
    bool created, struct file **out)
{
	struct inode *inode = p->dentry->inode;
	struct file *f;
	int error = 0;

	if ((flags & O_PATH) == 0) {
		error = check_type(p, flags);
		if (error == 0 && !created)
			error = check_access(cred, inode, flags);
	}
	if (error != 0)
		return error;
	f = file_alloc(p, flags);
	if (f == NULL)
		return -ENOMEM;
	if ((flags & O_PATH) == 0)
		error = file_start(f);
	f->flags &= ~O_NOCTTY; /* for the terminal's open alone */
	if (error != 0) {
		file_free(f);
		return error;
	}
	if ((flags & O_TRUNC) != 0 && !created)
		error = truncate_opened(f);
	if (error != 0) {
		file_put(f);
		return error;
	}
	if ((flags & O_PATH) == 0)
		vfs_notify(p->dentry, IN_OPEN);
	*out = f;
	return 0;
}

int
vfs_open_path(const struct vfs_ctx *ctx, const struct path *p, unsigned flags,
    struct file **out)
{
	if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(p->dentry->inode->mode))
		return -ENOTDIR;
	return open_place(ctx->cred, p, flags | O_LARGEFILE, false, out);
}

/* ---------------------------------------------------------- O_CREAT -- */

struct creation {
	const struct vfs_ctx *ctx;
	unsigned flags;
	uint32_t mode;
	bool created;
};

/*
 * The name's dentry, made if need be, referenced; directory locked.
 */
static int
find_or_create_locked(struct creation *c, struct dir_name *n,
    struct dentry **out)
{
	struct inode *dir = n->dir->inode;
	struct dentry *d;
	int error;

	error = dir_lookup_locked(n, &d);
	if (error != 0)
		return error;
	if (d->inode == NULL) {
		error = dir_may_create(n);
		if (error == 0 && dir->ops->create == NULL)
			error = -EACCES;
		if (error == 0)
			error = dir->ops->create(dir, d,
			    S_IFREG | (c->mode & 07777 & ~c->ctx->umask),
			    c->ctx->cred);
		c->created = error == 0;
		if (c->created)
			vfs_notify_name(dir, IN_CREATE, d->inode, d->name,
			    d->len);
	} else if ((c->flags & O_EXCL) != 0) {
		error = -EEXIST;
	}
	if (error != 0)
		dentry_put(d);
	else
		*out = d;
	return error;
}

/* Takes the dentry over; *out holds references, also with an error. */
static int
arrive(struct creation *c, struct dir_name *n, struct dentry *d,
    struct path *out)
{
	struct path top;

	out->mnt = n->mnt;
	out->dentry = d;
	mount_get(out->mnt);
	if (c->created)
		return 0;
	top = *out;
	spin_lock(&vfs_lock);
	path_cross_locked(&top);
	path_get(&top);
	spin_unlock(&vfs_lock);
	path_put(out);
	*out = top;
	if ((c->flags & O_DIRECTORY) != 0 && !S_ISDIR(out->dentry->inode->mode))
		return -ENOTDIR;
	return 0;
}

/*
 * One round: from w to the directory of the last name, and to that.  1: it is
 * a link, w has more to walk.  vfs_lock is held before and after.
 */
static int
create_round(struct creation *c, struct dir_name *n, struct path *out)
{
	struct dentry *d;
	int error;

	error = walk_to_parent(&n->w);
	if (error != 0)
		return error;
	if (n->w.kind != WALK_NAME || n->w.slash)
		return (c->flags & O_EXCL) != 0 && n->w.kind != WALK_NAME ?
		    -EEXIST :
		    -EISDIR;
	walk_unlock(&n->w);
	n->dir = n->w.held.dentry;
	n->mnt = n->w.held.mnt;
	mutex_lock(&n->dir->inode->lock);
	error = find_or_create_locked(c, n, &d);
	mutex_unlock(&n->dir->inode->lock);
	if (error == 0 && !c->created && S_ISLNK(d->inode->mode)) {
		if ((c->flags & O_NOFOLLOW) == 0)
			return walk_follow_found(&n->w, d);
		dentry_put(d);
		error = -ELOOP;
	}
	if (error == 0) {
		error = arrive(c, n, d, out);
		if (error != 0)
			path_put(out);
	}
	walk_relock(&n->w);
	return error;
}

static int
open_create(struct creation *c, const struct path *base, const char *name,
    unsigned resolve, struct file **out)
{
	struct dir_name n;
	struct path p;
	bool magic;
	int error;

	if (*name == '\0')
		return -ENOENT;
	walk_begin(&n.w, c->ctx, base, name, resolve);
	do {
		p.dentry = NULL;
		error = create_round(c, &n, &p);
		/* a link without text led to its place */
		magic = error == 0 && p.dentry == NULL;
	} while (error > 0);
	if (magic) {
		p = n.w.cur;
		path_get(&p);
	}
	walk_end(&n.w);
	if (error != 0)
		return error;
	error = open_place(c->ctx->cred, &p, c->flags, c->created, out);
	path_put(&p);
	return error;
}

/* O_TMPFILE: a file without a name on the directory's file system. */
static int
open_tmpfile(const struct vfs_ctx *ctx, const struct path *base,
    const char *name, unsigned flags, uint32_t mode, unsigned resolve,
    struct file **out)
{
	struct inode *dir, *inode = NULL;
	struct path p, at;
	int error;

	if ((flags & O_DIRECTORY) == 0 || (flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	error = vfs_walk(ctx, base, name,
	    resolve | WALK_FOLLOW | WALK_DIRECTORY, &p);
	if (error != 0)
		return error;
	dir = p.dentry->inode;
	error = mount_may_write(p.mnt);
	if (error == 0)
		error = inode_permission(dir, ctx->cred, MAY_WRITE | MAY_EXEC);
	if (error == 0)
		error = dir->ops->tmpfile == NULL ?
		    -EOPNOTSUPP :
		    dir->ops->tmpfile(dir,
			S_IFREG | (mode & 07777 & ~ctx->umask), ctx->cred,
			&inode);
	if (error == 0) {
		if ((flags & O_EXCL) == 0)
			inode->flags |= INODE_LINKABLE;
		at.mnt = p.mnt;
		at.dentry = dentry_make_unnamed(p.dentry, inode);
		if (at.dentry == NULL) {
			inode_put(inode);
			error = -ENOMEM;
		} else {
			error = open_place(ctx->cred, &at,
			    flags & ~(__O_TMPFILE | O_DIRECTORY), true, out);
			dentry_put(at.dentry);
		}
	}
	path_put(&p);
	return error;
}

int
vfs_open(const struct vfs_ctx *ctx, const struct path *base, const char *name,
    unsigned flags, uint32_t mode, unsigned resolve, struct file **out)
{
	struct creation c = { .ctx = ctx, .mode = mode };
	unsigned walk = resolve;
	struct path p;
	int error;

	if ((flags & O_PATH) != 0)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	else
		flags |= O_LARGEFILE;
	if ((flags & __O_TMPFILE) != 0)
		return open_tmpfile(ctx, base, name, flags, mode, resolve, out);
	if ((flags & O_CREAT) != 0) {
		if ((flags & O_EXCL) != 0)
			flags |= O_NOFOLLOW;
		c.flags = flags;
		return open_create(&c, base, name, resolve, out);
	}
	if ((flags & O_NOFOLLOW) == 0)
		walk |= WALK_FOLLOW;
	if ((flags & O_DIRECTORY) != 0)
		walk |= WALK_DIRECTORY;
	error = vfs_walk(ctx, base, name, walk, &p);
	if (error != 0)
		return error;
	error = open_place(ctx->cred, &p, flags, false, out);
	path_put(&p);
	return error;
}

/* ------------------------------------------------- files without names -- */

static void
anon_evict(struct inode *inode)
{
	kfree(inode);
}

static const struct super_ops anon_super_ops = { .evict = anon_evict };
static const struct inode_ops anon_inode_ops;
static struct super anon_super = {
	/* st_dev of pipes and the like */
	.ops = &anon_super_ops,
	.dev = SUPER_DEV_ANON,
	.mounts = 1,
	.refs = 1,           /* never freed */
	.magic = 0x50495045, /* PIPEFS_MAGIC */
	.blksize = PAGE_SIZE,
	.max_size = INT64_MAX,
	.rename_lock = MUTEX_INIT(anon_super.rename_lock),
};

uint64_t
anon_ino_next(void)
{
	static uint64_t last; /* atomic */

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static struct inode *
anon_inode(uint32_t mode)
{
	struct inode *inode = kmalloc(sizeof(*inode));

	if (inode == NULL)
		return NULL;
	inode_init(inode, &anon_super, mode, 0);
	inode->ops = &anon_inode_ops;
	inode->ino = anon_ino_next();
	return inode;
}

/* Takes over the inode's reference. */
static int
file_of_inode(const char *label, struct inode *inode,
    const struct file_ops *ops, void *priv, unsigned flags, struct file **out)
{
	struct path p = { NULL, dentry_make_anon(label, inode) };
	struct file *f;

	if (p.dentry == NULL) {
		inode_put(inode);
		return -ENOMEM;
	}
	f = file_alloc(&p, flags);
	dentry_put(p.dentry);
	if (f == NULL)
		return -ENOMEM;
	f->ops = ops;
	f->priv = priv;
	*out = f;
	return 0;
}

int
file_create_anon(const char *label, uint32_t mode, struct inode *inode,
    const struct file_ops *ops, void *priv, unsigned flags, struct file **out)
{
	int error;

	if (inode != NULL)
		inode_get(inode);
	else
		inode = anon_inode(mode);
	if (inode == NULL)
		return -ENOMEM;
	error = file_of_inode(label, inode, ops, priv, flags, out);
	if (error == 0 && ops->llseek != NULL && ops->llseek != no_llseek)
		(*out)->mode |= FILE_SEEK;
	return error;
}

int
file_create_memory(const char *label, uint64_t size, unsigned flags,
    struct file **out)
{
	char name[VFS_NAME_MAX + 24];
	struct inode *inode;
	struct file *f;
	int error;

	error = tmpfs_inode_unnamed(S_IFREG | 0777, &inode);
	if (error != 0)
		return error;
	inode->size = size;
	inode->nlink = 0;
	snprintf(name, sizeof(name), "/%s (deleted)", label);
	error = file_of_inode(name, inode, inode->fops, NULL, flags, &f);
	if (error != 0)
		return error;
	error = inode_get_write(inode);
	f->mode |= FILE_SEEK | FILE_SHARED_POS;
	if (error == 0)
		f->mode |= FILE_WRITER;
	*out = f;
	return 0;
}
