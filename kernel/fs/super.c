/* SPDX-License-Identifier: ISC */
/*
 * super.c - superblocks, the table of file-system types, and the inverse of
 * the walk: the name of a place.
 */
#include "fs/dentry.h"
#include "fs/devtmpfs.h"
#include "fs/p9.h"
#include "fs/tmpfs.h"
#include "fs/pagecache.h"
#include "fs/vfs.h"
#include "kern/panic.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/mount.h>

/* In the order of /proc/filesystems; registered ones follow. */
static const struct fs_type *types[16] = {
	&rootfs_type,
	&tmpfs_type,
	&devtmpfs_type,
	&p9_type,
};

const struct fs_type *
fs_type_at(unsigned i)
{
	return i < ARRAY_SIZE(types) ? types[i] : NULL;
}

const struct fs_type *
fs_type_find(const char *name)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(types) && types[i] != NULL; i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}

int
fs_type_register(const struct fs_type *type)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i] == NULL) {
			types[i] = type;
			return 0;
		}
		if (strcmp(types[i]->name, type->name) == 0)
			return -EBUSY;
	}
	return -ENOSPC;
}

void
super_init(struct super *sb, const struct super_ops *ops,
    const struct fs_type *type, uint32_t magic)
{
	static uint32_t last_minor = SUPER_DEV_ANON; /* atomic */

	memset(sb, 0, sizeof(*sb));
	sb->ops = ops;
	sb->type = type;
	sb->magic = magic;
	sb->blksize = PAGE_SIZE;
	sb->max_size = INT64_MAX;
	sb->dev = dev_make(0,
	    __atomic_add_fetch(&last_minor, 1, __ATOMIC_RELAXED));
	sb->mounts = 1;
	sb->refs = 1;
	mutex_init(&sb->rename_lock);
}

void
super_put(struct super *sb)
{
	if (__atomic_sub_fetch(&sb->refs, 1, __ATOMIC_ACQ_REL) == 0)
		sb->ops->destroy(sb);
}

/* A name below d without names below itself, referenced; NULL: none. */
static struct dentry *
take_leaf(struct dentry *d)
{
	struct dentry *leaf = d;

	spin_lock(&vfs_lock);
	while (!TAILQ_EMPTY(&leaf->children))
		leaf = TAILQ_FIRST(&leaf->children);
	if (leaf == d)
		leaf = NULL;
	else
		dentry_get(leaf);
	spin_unlock(&vfs_lock);
	return leaf;
}

void
super_unmount(struct super *sb)
{
	struct dentry *d;
	bool last;

	spin_lock(&vfs_lock);
	last = --sb->mounts == 0;
	spin_unlock(&vfs_lock);
	if (!last)
		return;
	while ((d = take_leaf(sb->root)) != NULL) {
		dentry_drop(d);
		dentry_put(d);
	}
	dentry_put(sb->root);
	super_put(sb);
}

/* Puts len bytes in front of *p, which does not go below buf. */
static int
prepend(char **p, char *buf, const char *s, size_t len)
{
	if ((size_t)(*p - buf) < len)
		return -ENAMETOOLONG;
	*p -= len;
	memcpy(*p, s, len);
	return 0;
}

static bool
is_deleted(const struct dentry *d)
{
	return (d->flags & (DENTRY_HASHED | DENTRY_ROOT | DENTRY_ANON)) == 0;
}

/* Names from (m, d) up to root, in front of *at. */
static int
path_string_locked(struct mount *m, struct dentry *d, const struct path *root,
    char *buf, char **at, bool *reachable)
{
	int error = 0;

	while (error == 0 && (d != root->dentry || m != root->mnt)) {
		if (m != NULL && d == m->root) {
			if (m->parent == NULL)
				break;
			d = m->point;
			m = m->parent;
			continue;
		}
		if (d->parent == d)
			break;
		error = prepend(at, buf, d->name, d->len);
		if (error == 0)
			error = prepend(at, buf, "/", 1);
		d = d->parent;
	}
	*reachable = d == root->dentry && m == root->mnt;
	return error;
}

int
vfs_path_string(const struct path *p, const struct path *root, char *buf,
    size_t size, const char **out, bool *reachable)
{
	char *at = buf + size - 1, *end;
	bool ignored;
	int error = 0;

	if (size == 0)
		return -ENAMETOOLONG;
	*at = '\0';
	if (reachable == NULL)
		reachable = &ignored;
	spin_lock(&vfs_lock);
	if (is_deleted(p->dentry))
		error = prepend(&at, buf, " (deleted)", 10);
	end = at;
	if ((p->dentry->flags & DENTRY_ANON) != 0) {
		*reachable = true;
		error = prepend(&at, buf, p->dentry->name, p->dentry->len);
	} else if (error == 0) {
		error = path_string_locked(p->mnt, p->dentry, root, buf, &at,
		    reachable);
	}
	spin_unlock(&vfs_lock);
	if (error == 0 && at == end)
		error = prepend(&at, buf, "/", 1);
	*out = at;
	return error;
}

void
inode_path_string(struct inode *inode, char *buf, size_t size)
{
	struct dentry *d, *any = NULL;
	struct path p, root;
	const char *text;

	if (size == 0)
		return;
	buf[0] = '\0';
	spin_lock(&vfs_lock);
	SLIST_FOREACH (d, &inode->names, alias) {
		any = d;
		if ((d->flags & DENTRY_HASHED) != 0)
			break;
	}
	if (any != NULL)
		dentry_get(any);
	p.mnt = mount_of_super_locked(inode->sb);
	spin_unlock(&vfs_lock);
	if (any == NULL)
		return;
	p.dentry = any;
	vfs_root_path(&root);
	if (vfs_path_string(&p, &root, buf, size, &text, NULL) == 0)
		memmove(buf, text, strlen(text) + 1);
	path_put(&p);
}

int
vfs_init(void)
{
	page_set_reclaim(pagecache_reclaim_batch);
	page_set_cached(pagecache_total);
	return vfs_mount_root("rootfs", "");
}
