/* SPDX-License-Identifier: ISC */
/*
 * devpts.c - /dev/pts: a file system that shows the slaves of open masters.
 * pts(4), mount(8) "Mount options for devpts".
 *
 * One instance, a tmpfs in which only the kernel makes names, made at the
 * first mount or the first master.
 */
#include "linux/pty.h"

#include "abi/mode.h"
#include "fs/dentry.h"
#include "fs/tmpfs.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/major.h>

#define DEVPTS_MAGIC 0x1cd1
#define PTMX_MINOR   2

struct options {
	uint32_t uid, gid, mode, ptmx_mode;
	bool uid_given, gid_given;
};

static struct mutex lock = MUTEX_INIT(lock);
static struct super *sb;       /* I once made, under lock */
static struct options current; /* under lock */

/* ------------------------------------------------------------- options -- */

static int
parse_number(const char *text, unsigned base, uint32_t *out)
{
	uint32_t n = 0;

	if (*text == '\0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text >= (char)('0' + base) ||
		    n > (UINT32_MAX - base) / base)
			return -EINVAL;
		n = n * base + (uint32_t)(*text - '0');
	}
	*out = n;
	return 0;
}

static int
parse_option(struct options *o, const char *name, const char *value)
{
	uint32_t ignored;

	if (strcmp(name, "newinstance") == 0)
		return 0;
	if (value == NULL)
		return -EINVAL;
	if (strcmp(name, "uid") == 0) {
		o->uid_given = true;
		return parse_number(value, 10, &o->uid);
	}
	if (strcmp(name, "gid") == 0) {
		o->gid_given = true;
		return parse_number(value, 10, &o->gid);
	}
	if (strcmp(name, "mode") == 0)
		return parse_number(value, 8, &o->mode);
	if (strcmp(name, "ptmxmode") == 0)
		return parse_number(value, 8, &o->ptmx_mode);
	if (strcmp(name, "max") == 0)
		return parse_number(value, 10, &ignored);
	return -EINVAL;
}

static int
parse_options(struct options *o, const char *data)
{
	char *copy = kstrdup(data), *at = copy, *next, *value;
	int error = 0;

	if (copy == NULL)
		return -ENOMEM;
	for (; at != NULL && error == 0; at = next) {
		next = strchr(at, ',');
		if (next != NULL)
			*next++ = '\0';
		value = strchr(at, '=');
		if (value != NULL)
			*value++ = '\0';
		if (*at != '\0')
			error = parse_option(o, at, value);
	}
	kfree(copy);
	return error;
}

/* -------------------------------------------------------- the instance -- */

static int
refuse_create(struct inode *dir, struct dentry *d, uint32_t mode,
    const struct vfs_cred *cred)
{
	(void)dir;
	(void)d;
	(void)mode;
	(void)cred;
	return -EACCES;
}

static int
add_node(const char *name, uint32_t mode, uint64_t rdev,
    const struct vfs_cred *cred, struct dentry **out)
{
	struct inode *dir = sb->root->inode;
	struct dentry *d;
	int error;

	mutex_lock(&dir->lock);
	error = dentry_lookup(sb->root, name, strlen(name), &d);
	if (error == 0) {
		error = d->inode != NULL ?
		    -EEXIST :
		    tmpfs_dir_ops.mknod(dir, d, mode, rdev, cred);
		if (error != 0)
			dentry_put(d);
	}
	mutex_unlock(&dir->lock);
	if (error == 0)
		*out = d;
	return error;
}

/* The directory's operations but those that make or move names. */
static void
close_root(void)
{
	static struct inode_ops root_ops;

	root_ops = tmpfs_dir_ops;
	root_ops.create = refuse_create;
	root_ops.mkdir = NULL;
	root_ops.mknod = NULL;
	root_ops.symlink = NULL;
	root_ops.link = NULL;
	root_ops.rename = NULL;
	root_ops.tmpfile = NULL;
	sb->root->inode->ops = &root_ops;
}

/* The instance, made at need; lock held. */
static int
instance_locked(void)
{
	struct dentry *ptmx;
	int error;

	if (sb != NULL)
		return 0;
	current.mode = 0600;
	error = tmpfs_create(&devpts_type, "mode=755", &sb);
	if (error != 0)
		return error;
	sb->magic = DEVPTS_MAGIC;
	close_root();
	error = add_node("ptmx", S_IFCHR, dev_make(TTYAUX_MAJOR, PTMX_MINOR),
	    &vfs_cred_kernel, &ptmx);
	if (error == 0)
		dentry_put(ptmx);
	return error;
}

static int
set_options_locked(const char *data)
{
	struct options o = current;
	struct dentry *ptmx;
	int error;

	error = parse_options(&o, data);
	if (error != 0)
		return error;
	current = o;
	ptmx = dentry_find(sb->root, "ptmx", 4);
	if (ptmx != NULL && ptmx->inode != NULL)
		ptmx->inode->mode = S_IFCHR | (o.ptmx_mode & 0777);
	dentry_put(ptmx);
	return 0;
}

static int
devpts_mount(const struct fs_type *type, const char *source, unsigned flags,
    const char *data, struct super **out)
{
	int error;

	(void)type;
	(void)source;
	(void)flags;
	mutex_lock(&lock);
	error = instance_locked();
	if (error == 0)
		error = set_options_locked(data);
	if (error == 0) {
		spin_lock(&vfs_lock);
		sb->mounts++;
		spin_unlock(&vfs_lock);
		*out = sb;
	}
	mutex_unlock(&lock);
	return error;
}

const struct fs_type devpts_type = {
	.name = "devpts",
	.mount = devpts_mount,
};

/* --------------------------------------------------------------- names -- */

int
devpts_add(unsigned index, uint64_t rdev, const struct vfs_cred *cred,
    struct dentry **out)
{
	struct options o;
	char name[16];
	int error;

	mutex_lock(&lock);
	error = instance_locked();
	o = current;
	mutex_unlock(&lock);
	if (error != 0)
		return error;
	snprintf(name, sizeof(name), "%u", index);
	error = add_node(name, S_IFCHR | (o.mode & 0777), rdev, cred, out);
	if (error != 0)
		return error;
	if (o.uid_given)
		(*out)->inode->uid = o.uid;
	if (o.gid_given)
		(*out)->inode->gid = o.gid;
	return 0;
}

void
devpts_remove(struct dentry *d)
{
	struct inode *dir = sb->root->inode, *node = d->inode;

	mutex_lock(&dir->lock);
	if (node->nlink != 0) { /* a program may have removed it */
		mutex_lock(&node->lock);
		tmpfs_dir_ops.unlink(dir, d);
		mutex_unlock(&node->lock);
		dentry_drop(d);
	}
	mutex_unlock(&dir->lock);
	dentry_put(d);
}

/* The mount "pts" beside the master's node, as Linux looks for it. */
static struct mount *
mount_beside(const struct path *master)
{
	struct path dir, pts;
	struct mount *m = NULL;
	struct vfs_ctx ctx;
	int error;

	spin_lock(&vfs_lock);
	dir = *master;
	dir.dentry = master->dentry->parent;
	if (dir.mnt != NULL && dir.dentry != NULL)
		path_get(&dir);
	spin_unlock(&vfs_lock);
	if (dir.mnt == NULL || dir.dentry == NULL)
		return NULL;
	vfs_ctx_kernel(&ctx);
	error = vfs_walk(&ctx, &dir, "pts", WALK_DIRECTORY, &pts);
	path_put(&dir);
	if (error != 0)
		return NULL;
	if (pts.mnt->sb == sb) {
		m = pts.mnt;
		mount_get(m);
	}
	path_put(&pts);
	return m;
}

void
devpts_path(struct dentry *d, const struct path *master, struct path *out)
{
	out->mnt = mount_beside(master);
	if (out->mnt == NULL) {
		spin_lock(&vfs_lock);
		out->mnt = mount_of_super_locked(sb);
		spin_unlock(&vfs_lock);
	}
	dentry_get(d);
	out->dentry = d;
}
