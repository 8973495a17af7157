/* SPDX-License-Identifier: ISC */
/*
 * devtmpfs.c - /dev: a tmpfs in which the kernel makes nodes.
 */
#include "fs/devtmpfs.h"
#include "abi/mode.h"
#include "dev/disk.h"
#include "fs/blkdev.h"
#include "fs/chrdev.h"
#include "fs/dentry.h"
#include "fs/tmpfs.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/mount.h>

static struct mutex lock = MUTEX_INIT(lock);
static struct super *sb; /* I once made, under lock */
static bool populated;
static bool populating; /* under the root's inode->lock */

/* Links that every Linux system has there. */
static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

static const struct automount automounts[] = {
	{ "pts", "devpts", "gid=5,mode=620,ptmxmode=000",
	    MS_NOSUID | MS_NOEXEC | MS_RELATIME },
	{ "shm", "tmpfs", "", MS_NOSUID | MS_NODEV | MS_RELATIME },
};

bool
devtmpfs_is_populated(void)
{
	return __atomic_load_n(&populated, __ATOMIC_SEQ_CST);
}

static int make_super(void);

/* A node, a link (target not NULL), or a directory. */
struct entry {
	uint32_t mode;
	uint64_t rdev;
	const char *target;
};

static bool
same_entry(const struct inode *inode, const struct entry *e)
{
	return (inode->mode & S_IFMT) == (e->mode & S_IFMT) &&
	    inode->rdev == e->rdev;
}

/* The directory's lock is held by the caller. */
static int
make_locked(struct dentry *dir, const char *name, size_t len,
    const struct entry *e, struct dentry **out)
{
	struct inode *inode = dir->inode;
	struct dentry *d;
	int error = 0;

	error = dentry_lookup(dir, name, len, &d);
	if (error != 0)
		return error;
	if (d->inode != NULL)
		error = same_entry(d->inode, e) ? 0 : -EEXIST;
	else if (e->target != NULL)
		error = inode->ops->symlink(inode, d, e->target,
		    &vfs_cred_kernel);
	else if (S_ISDIR(e->mode))
		error = inode->ops->mkdir(inode, d, e->mode, &vfs_cred_kernel);
	else
		error = inode->ops->mknod(inode, d, e->mode, e->rdev,
		    &vfs_cred_kernel);
	if (error == 0 && out != NULL)
		*out = d;
	else
		dentry_put(d);
	return error;
}

/* At the first look the caller holds the root's lock already. */
static int
make_in(struct dentry *dir, const char *name, size_t len, const struct entry *e,
    struct dentry **out)
{
	bool held = mutex_held(&dir->inode->lock);
	int error;

	if (!held)
		mutex_lock(&dir->inode->lock);
	error = make_locked(dir, name, len, e, out);
	if (!held)
		mutex_unlock(&dir->inode->lock);
	return error;
}

static int
make(const char *name, const struct entry *e)
{
	static const struct entry directory = { .mode = S_IFDIR | 0755 };
	struct dentry *dir, *sub;
	const char *slash;
	int error = make_super();

	if (error != 0)
		return error;
	dir = sb->root;
	dentry_get(dir);
	while (error == 0 && (slash = strchr(name, '/')) != NULL) {
		error = make_in(dir, name, slash - name, &directory, &sub);
		if (error == 0) {
			dentry_put(dir);
			dir = sub;
			name = slash + 1;
		}
	}
	if (error == 0)
		error = make_in(dir, name, strlen(name), e, NULL);
	dentry_put(dir);
	return error;
}

int
devtmpfs_add(const char *name, uint32_t mode, uint64_t rdev)
{
	struct entry e = { .mode = mode, .rdev = rdev };

	return make(name, &e);
}

int
devtmpfs_link(const char *name, const char *target)
{
	struct entry e = { .mode = S_IFLNK | 0777, .target = target };

	return make(name, &e);
}

/* A name that is to go. */
struct leaving {
	bool link;          /* a link; else a node */
	const char *target; /* of a link: only if it leads there; NULL: any */
};

/* Only what it was still: programs may have put something else there. */
static bool
is_ours(struct inode *inode, const struct leaving *l)
{
	char to[256];
	long n;

	if (!l->link)
		return S_ISCHR(inode->mode) || S_ISBLK(inode->mode);
	if (!S_ISLNK(inode->mode))
		return false;
	if (l->target == NULL)
		return true;
	n = inode->ops->readlink(inode, to, sizeof(to));
	return n == (long)strlen(l->target) && n <= (long)sizeof(to) &&
	    memcmp(to, l->target, n) == 0;
}

static void
remove_from(struct dentry *dir, const char *name, const struct leaving *l)
{
	struct inode *inode = dir->inode, *victim;
	struct dentry *d;

	mutex_lock(&inode->lock);
	d = dentry_find(dir, name, strlen(name));
	victim = d != NULL ? d->inode : NULL;
	if (victim != NULL && is_ours(victim, l)) {
		mutex_lock(&victim->lock);
		inode->ops->unlink(inode, d);
		mutex_unlock(&victim->lock);
		dentry_drop(d);
	}
	mutex_unlock(&inode->lock);
	dentry_put(d);
}

static void
remove_path(const char *name, const struct leaving *l)
{
	struct dentry *dir, *sub;
	const char *slash;

	if (make_super() != 0)
		return; /* then it has no nodes */
	dir = sb->root;
	dentry_get(dir);
	while (dir != NULL && (slash = strchr(name, '/')) != NULL) {
		sub = dentry_find(dir, name, slash - name);
		dentry_put(dir);
		dir = sub;
		name = slash + 1;
	}
	if (dir != NULL && dir->inode != NULL)
		remove_from(dir, name, l);
	dentry_put(dir);
}

void
devtmpfs_remove(const char *name)
{
	struct leaving l = { .link = false };

	remove_path(name, &l);
}

void
devtmpfs_unlink(const char *name)
{
	devtmpfs_unlink_if(name, NULL);
}

void
devtmpfs_unlink_if(const char *name, const char *target)
{
	struct leaving l = { .link = true, .target = target };

	remove_path(name, &l);
}

/* A directory on which something is mounted when somebody goes there. */
static int
make_automount(const struct automount *a)
{
	static const struct entry directory = { .mode = S_IFDIR | 0755 };
	struct dentry *d;
	int error;

	error = make_in(sb->root, a->name, strlen(a->name), &directory, &d);
	if (error == 0) {
		dentry_automount(d, a);
		dentry_put(d);
	}
	return error;
}

/* A list or a change is wanted; inode->lock of the root is held. */
static int
populate(struct inode *dir, struct dentry *d)
{
	unsigned i;
	int error;

	(void)dir;
	(void)d;
	block_settle(); /* partitions that arrive later add themselves */
	populating = true;
	__atomic_store_n(&populated, true, __ATOMIC_SEQ_CST);
	error = chrdev_add_all_nodes();
	if (error == 0)
		error = blkdev_add_all_nodes();
	for (i = 0; i < ARRAY_SIZE(links) && error == 0; i++)
		error = devtmpfs_link(links[i].name, links[i].target);
	for (i = 0; i < ARRAY_SIZE(automounts) && error == 0; i++)
		if (fs_type_find(automounts[i].type) != NULL)
			error = make_automount(&automounts[i]);
	populating = false;
	return error;
}

/*
 * Before that, only what is asked for is made, as far as it is a character
 * device: a program that is alone has its console.  While all are made, those
 * who make them look here before, and others wait for the lock.
 */
static int
lookup(struct inode *dir, struct dentry *d)
{
	uint32_t mode;
	uint64_t rdev;

	if (populating)
		return 0;
	if (chrdev_find_node(d->name, &mode, &rdev))
		return tmpfs_dir_ops.mknod(dir, d, S_IFCHR | mode, rdev,
		    &vfs_cred_kernel);
	return dentry_populate(sb->root);
}

static int
create_locked(void)
{
	static struct inode_ops root_ops;
	int error;

	error = tmpfs_create(&devtmpfs_type, "mode=755", &sb);
	if (error != 0)
		return error;
	root_ops = tmpfs_dir_ops;
	root_ops.lookup = lookup;
	root_ops.populate = populate;
	sb->root->inode->ops = &root_ops;
	sb->root->flags &= ~DENTRY_COMPLETE;
	return 0;
}

static int
make_super(void)
{
	int error = 0;

	mutex_lock(&lock);
	if (sb == NULL)
		error = create_locked();
	mutex_unlock(&lock);
	return error;
}

/* One file system for all mounts, which outlives them. */
static int
devtmpfs_mount(const struct fs_type *type, const char *source, unsigned flags,
    const char *data, struct super **out)
{
	int error = make_super();

	(void)type;
	(void)source;
	(void)flags;
	if (error == 0 && *data != '\0')
		error = sb->ops->remount(sb, 0, data);
	if (error == 0) {
		spin_lock(&vfs_lock);
		sb->mounts++;
		spin_unlock(&vfs_lock);
		*out = sb;
	}
	return error;
}

const struct fs_type devtmpfs_type = {
	.name = "devtmpfs",
	.mount = devtmpfs_mount,
};
