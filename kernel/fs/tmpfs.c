/* SPDX-License-Identifier: ISC */
/*
 * tmpfs.c - files in memory: "rootfs", "tmpfs", and under "devtmpfs".
 *
 * Directories are nothing but the name tree: every name is a pinned dentry,
 * every directory complete.  Contents of files are tmpfs_file.c's.
 */
#include "abi/mode.h"
#include "fs/dentry.h"
#include "fs/devtmpfs.h"
#include "fs/tmpfs_impl.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/mount.h>

#define TMPFS_MAGIC 0x01021994
#define NAME_BYTES  20 /* what a name adds to a directory's size, as on Linux */

static struct objcache inode_cache = OBJCACHE_INIT("tmpfs inode",
    sizeof(struct tmpfs_inode));
static const struct inode_ops file_inode_ops, link_ops, node_ops;
static const struct file_ops dir_fops;
static const struct super_ops super_ops;

bool
inode_is_tmpfs(const struct inode *inode)
{
	return inode->sb->ops == &super_ops;
}

/* ------------------------------------------------------------ inodes -- */

static int
take_inode_number(struct tmpfs_super *ts, uint64_t *ino)
{
	int error = 0;

	spin_lock(&ts->lock);
	if (ts->used_inodes >= ts->max_inodes) {
		error = -ENOSPC;
	} else {
		ts->used_inodes++;
		*ino = ++ts->last_ino;
	}
	spin_unlock(&ts->lock);
	return error;
}

static void
set_ops(struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFDIR:
		inode->ops = &tmpfs_dir_ops;
		inode->fops = &dir_fops;
		inode->size = 2 * NAME_BYTES;
		break;
	case S_IFREG:
		inode->ops = &file_inode_ops;
		inode->fops = &tmpfs_file_fops;
		inode->pages.ops = &tmpfs_page_ops;
		break;
	case S_IFLNK: inode->ops = &link_ops; break;
	default: inode->ops = &node_ops; break;
	}
}

static int
new_inode(struct super *sb, const struct inode *dir, uint32_t mode,
    uint64_t rdev, const struct vfs_cred *cred, struct inode **out)
{
	struct tmpfs_inode *ti;
	uint64_t ino;
	int error;

	error = take_inode_number(tmpfs_sb(sb), &ino);
	if (error != 0)
		return error;
	ti = objcache_alloc(&inode_cache);
	if (ti == NULL) {
		spin_lock(&tmpfs_sb(sb)->lock);
		tmpfs_sb(sb)->used_inodes--;
		spin_unlock(&tmpfs_sb(sb)->lock);
		return -ENOMEM;
	}
	inode_init(&ti->inode, sb, mode, rdev);
	ti->inode.ino = ino;
	if (dir != NULL)
		inode_init_owner(&ti->inode, dir, mode, cred);
	ti->charged = 0;
	ti->backing_size = 0;
	ti->shared_tail = false;
	ti->target = NULL;
	set_ops(&ti->inode);
	*out = &ti->inode;
	return 0;
}

static void
evict(struct inode *inode)
{
	struct tmpfs_super *ts = tmpfs_sb(inode->sb);
	struct tmpfs_inode *ti = tmpfs_i(inode);

	tmpfs_backing_end(ti);
	kfree(ti->target);
	spin_lock(&ts->lock);
	ts->used_inodes--;
	spin_unlock(&ts->lock);
	objcache_free(&inode_cache, ti);
}

/* ------------------------------------------------------- directories -- */

static void
dir_changed(struct inode *dir, int names)
{
	dir->size += names * NAME_BYTES;
	inode_touch(dir);
}

static int
add(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
    const struct vfs_cred *cred)
{
	struct inode *inode;
	int error;

	error = new_inode(dir->sb, dir, mode, rdev, cred, &inode);
	if (error != 0)
		return error;
	if (S_ISDIR(mode)) {
		d->flags |= DENTRY_COMPLETE;
		dir->nlink++;
	}
	dentry_instantiate(d, inode, true);
	dir_changed(dir, 1);
	return 0;
}

static int
dir_create(struct inode *dir, struct dentry *d, uint32_t mode,
    const struct vfs_cred *cred)
{
	return add(dir, d, mode, 0, cred);
}

static int
dir_symlink(struct inode *dir, struct dentry *d, const char *target,
    const struct vfs_cred *cred)
{
	struct inode *inode;
	int error;

	if (strlen(target) >= VFS_PATH_MAX)
		return -ENAMETOOLONG;
	error = new_inode(dir->sb, dir, S_IFLNK | 0777, 0, cred, &inode);
	if (error != 0)
		return error;
	inode->size = strlen(target);
	tmpfs_i(inode)->target = kstrdup(target);
	if (tmpfs_i(inode)->target == NULL) {
		inode_put(inode);
		return -ENOMEM;
	}
	dentry_instantiate(d, inode, true);
	dir_changed(dir, 1);
	return 0;
}

static int
dir_link(struct inode *dir, struct dentry *d, struct inode *old)
{
	old->nlink++;
	old->flags &= ~INODE_LINKABLE;
	inode_get(old);
	dentry_instantiate(d, old, true);
	dir_changed(dir, 1);
	old->ctime_ns = dir->ctime_ns;
	return 0;
}

static int
dir_unlink(struct inode *dir, struct dentry *d)
{
	d->inode->nlink--;
	dir_changed(dir, -1);
	d->inode->ctime_ns = dir->ctime_ns;
	return 0;
}

static int
dir_rmdir(struct inode *dir, struct dentry *d)
{
	if (!dentry_is_empty(d))
		return -ENOTEMPTY;
	d->inode->nlink = 0;
	dir->nlink--;
	dir_changed(dir, -1);
	return 0;
}

/* One name less in its directory: what a rename replaces. */
static int
replace(struct inode *dir, struct dentry *to)
{
	return S_ISDIR(to->inode->mode) ? dir_rmdir(dir, to) :
					  dir_unlink(dir, to);
}

static int
dir_rename(struct inode *olddir, struct dentry *from, struct inode *newdir,
    struct dentry *to, unsigned flags)
{
	bool from_dir = S_ISDIR(from->inode->mode);
	bool exchange = (flags & RENAME_EXCHANGE) != 0;
	int error = 0;

	if (exchange) {
		newdir->nlink -= S_ISDIR(to->inode->mode);
		olddir->nlink += S_ISDIR(to->inode->mode);
	} else if (to->inode != NULL) {
		error = replace(newdir, to);
	}
	if (error != 0)
		return error;
	olddir->nlink -= from_dir;
	newdir->nlink += from_dir;
	dir_changed(olddir, exchange ? 0 : -1);
	dir_changed(newdir, exchange ? 0 : 1);
	from->inode->ctime_ns = olddir->ctime_ns;
	if (exchange)
		to->inode->ctime_ns = olddir->ctime_ns;
	return 0;
}

static int
dir_tmpfile(struct inode *dir, uint32_t mode, const struct vfs_cred *cred,
    struct inode **out)
{
	int error = new_inode(dir->sb, dir, mode, 0, cred, out);

	if (error == 0)
		(*out)->nlink = 0;
	return error;
}

static int
setattr(struct inode *inode, const struct vfs_attr *attr)
{
	int error;

	if ((attr->valid & ATTR_SIZE) != 0) {
		if (attr->size > inode->sb->max_size)
			return -EFBIG;
		error = tmpfs_check_size_seals(inode, attr->size);
		if (error != 0)
			return error;
		tmpfs_set_size(inode, attr->size);
	}
	inode_setattr_fields(inode, attr);
	return 0;
}

static long
link_readlink(struct inode *inode, char *buf, size_t size)
{
	memcpy(buf, tmpfs_i(inode)->target, MIN(size, inode->size));
	return MIN(size, inode->size);
}

/* What is not in use yet is in memory all the same. */
static int
file_getattr(struct inode *inode, struct vfs_stat *st)
{
	st->blocks = tmpfs_i(inode)->charged * (PAGE_SIZE / 512);
	return 0;
}

const struct inode_ops tmpfs_dir_ops = {
	.keeps_flags = true,
	.create = dir_create,
	.mkdir = dir_create,
	.mknod = add,
	.symlink = dir_symlink,
	.link = dir_link,
	.unlink = dir_unlink,
	.rmdir = dir_rmdir,
	.rename = dir_rename,
	.tmpfile = dir_tmpfile,
	.setattr = setattr,
};
static const struct inode_ops file_inode_ops = {
	.keeps_flags = true,
	.getattr = file_getattr,
	.setattr = setattr,
};
static const struct inode_ops link_ops = {
	.readlink = link_readlink,
	.setattr = setattr,
};
static const struct inode_ops node_ops = { .setattr = setattr };

static const struct file_ops dir_fops = {
	.iterate = dcache_iterate,
	.fsync = no_fsync,
};

/* ------------------------------------------------------- superblocks -- */

struct options {
	uint64_t size, inodes;
	uint32_t mode, uid, gid;
	bool size_given;
};

/* A number with Linux's suffixes; `percent_of` for "%", 0: not allowed. */
static int
parse_number(const char *s, unsigned base, uint64_t percent_of, uint64_t *out)
{
	uint64_t v = 0;
	const char *start = s;

	for (; *s >= '0' && *s < (char)('0' + base); s++)
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, *s - '0', &v))
			return -EINVAL;
	if (s == start)
		return -EINVAL;
	switch (*s) {
	case 'k':
	case 'K':
		v <<= 10;
		s++;
		break;
	case 'm':
	case 'M':
		v <<= 20;
		s++;
		break;
	case 'g':
	case 'G':
		v <<= 30;
		s++;
		break;
	case '%':
		if (percent_of == 0)
			return -EINVAL;
		v = percent_of / 100 * v;
		s++;
		break;
	default: break;
	}
	*out = v;
	return *s == '\0' ? 0 : -EINVAL;
}

static int
parse_option(struct options *o, const char *name, const char *value)
{
	struct page_stats st;
	uint64_t v = 0;
	int error;

	if (strcmp(name, "huge") == 0 || strcmp(name, "mpol") == 0)
		return 0; /* advice, for machines unlike this one */
	page_stats(&st);
	error = parse_number(value, strcmp(name, "mode") == 0 ? 8 : 10,
	    st.total << PAGE_SHIFT, &v);
	if (error != 0)
		return error;
	if (strcmp(name, "size") == 0) {
		o->size = PAGES(v);
		o->size_given = true;
	} else if (strcmp(name, "nr_blocks") == 0) {
		o->size = v;
		o->size_given = true;
	} else if (strcmp(name, "nr_inodes") == 0) {
		o->inodes = v;
	} else if (strcmp(name, "mode") == 0) {
		o->mode = v & 07777;
	} else if (strcmp(name, "uid") == 0) {
		o->uid = v;
	} else if (strcmp(name, "gid") == 0) {
		o->gid = v;
	} else {
		return -EINVAL;
	}
	return 0;
}

/* "name=value,name=value"; cuts up `text`. */
static int
parse_options(struct options *o, char *text)
{
	char *next, *value;
	int error = 0;

	for (; text != NULL && error == 0; text = next) {
		next = strchr(text, ',');
		if (next != NULL)
			*next++ = '\0';
		if (*text == '\0')
			continue;
		value = strchr(text, '=');
		if (value == NULL)
			return -EINVAL;
		*value++ = '\0';
		error = parse_option(o, text, value);
	}
	return error;
}

/* What the options say, over `o`'s defaults. */
static int
read_options(struct options *o, const char *data)
{
	char *copy;
	int error;

	if (*data == '\0')
		return 0;
	copy = kstrdup(data);
	if (copy == NULL)
		return -ENOMEM;
	error = parse_options(o, copy);
	kfree(copy);
	return error;
}

static void
set_limits(struct tmpfs_super *ts, const struct options *o)
{
	spin_lock(&ts->lock);
	ts->max_pages = o->size != 0 ? o->size : UINT64_MAX;
	ts->max_inodes = o->inodes != 0 ? o->inodes : UINT64_MAX;
	ts->size_given = o->size_given;
	spin_unlock(&ts->lock);
}

static int
make_root(struct super *sb, const struct options *o)
{
	struct inode *inode;
	int error;

	error = new_inode(sb, NULL, S_IFDIR | o->mode, 0, &vfs_cred_kernel,
	    &inode);
	if (error != 0)
		return error;
	inode->uid = o->uid;
	inode->gid = o->gid;
	sb->root = dentry_make_root(sb, inode);
	if (sb->root == NULL) {
		inode_put(inode);
		return -ENOMEM;
	}
	sb->root->flags |= DENTRY_COMPLETE;
	return 0;
}

int
tmpfs_create(const struct fs_type *type, const char *data, struct super **out)
{
	struct options o = { .mode = 01777 };
	struct tmpfs_super *ts;
	struct page_stats st;
	int error;

	page_stats(&st);
	o.size = st.total / 2;
	o.inodes = st.total / 2;
	error = read_options(&o, data);
	if (error != 0)
		return error;
	ts = kzalloc(sizeof(*ts));
	if (ts == NULL)
		return -ENOMEM;
	super_init(&ts->sb, &super_ops, type, TMPFS_MAGIC);
	spin_init(&ts->lock);
	set_limits(ts, &o);
	ts->mode = o.mode;
	ts->uid = o.uid;
	ts->gid = o.gid;
	error = make_root(&ts->sb, &o);
	if (error != 0)
		kfree(ts);
	else
		*out = &ts->sb;
	return error;
}

static int
tmpfs_mount(const struct fs_type *type, const char *source, unsigned flags,
    const char *data, struct super **out)
{
	int error;

	(void)source;
	error = tmpfs_create(type, data, out);
	if (error == 0)
		(*out)->flags = flags;
	return error;
}

/*
 * The first one.  What boot brings may fill memory but for an eighth; then
 * tmpfs_settle() sets the limit for programs.
 */
static int
rootfs_mount(const struct fs_type *type, const char *source, unsigned flags,
    const char *data, struct super **out)
{
	struct page_stats st;
	int error;

	error = tmpfs_mount(type, source, flags, data, out);
	if (error != 0)
		return error;
	page_stats(&st);
	tmpfs_sb(*out)->max_pages = st.total - st.total / 8;
	(*out)->root->inode->mode = S_IFDIR | 0755;
	return 0;
}

void
tmpfs_settle(struct super *sb)
{
	struct tmpfs_super *ts = tmpfs_sb(sb);
	struct page_stats st;

	page_stats(&st);
	spin_lock(&ts->lock);
	ts->max_pages = ts->used_pages + st.free / 2;
	spin_unlock(&ts->lock);
}

int
tmpfs_inode_unnamed(uint32_t mode, struct inode **out)
{
	static struct mutex lock = MUTEX_INIT(lock);
	static struct super *sb; /* under lock; counts no mount down */
	int error = 0;

	mutex_lock(&lock);
	if (sb == NULL)
		error = tmpfs_create(&tmpfs_type, "size=0,nr_inodes=0", &sb);
	mutex_unlock(&lock);
	if (error == 0)
		error = new_inode(sb, NULL, mode, 0, &vfs_cred_kernel, out);
	return error;
}

static int
super_statfs(struct super *sb, struct vfs_statfs *st)
{
	struct tmpfs_super *ts = tmpfs_sb(sb);

	spin_lock(&ts->lock);
	if (ts->max_pages != UINT64_MAX) {
		st->blocks = ts->max_pages;
		st->bfree = ts->max_pages - MIN(ts->used_pages, ts->max_pages);
		st->bavail = st->bfree;
	}
	if (ts->max_inodes != UINT64_MAX) {
		st->files = ts->max_inodes;
		st->ffree = ts->max_inodes - ts->used_inodes;
	}
	spin_unlock(&ts->lock);
	return 0;
}

static int
super_remount(struct super *sb, unsigned flags, const char *data)
{
	struct tmpfs_super *ts = tmpfs_sb(sb);
	struct options o = { .size_given = ts->size_given };
	int error;

	(void)flags;
	o.size = ts->max_pages == UINT64_MAX ? 0 : ts->max_pages;
	o.inodes = ts->max_inodes == UINT64_MAX ? 0 : ts->max_inodes;
	error = read_options(&o, data);
	if (error != 0)
		return error;
	if ((o.size != 0 && o.size < ts->used_pages) ||
	    (o.inodes != 0 && o.inodes < ts->used_inodes))
		return -EINVAL;
	set_limits(ts, &o);
	return 0;
}

/* What was asked for and differs from the defaults, as Linux shows it. */
static size_t
super_options(struct super *sb, char *buf, size_t size)
{
	const struct tmpfs_super *ts = tmpfs_sb(sb);
	size_t n = 0;

	if (ts->size_given && ts->max_pages != UINT64_MAX)
		n += scnprintf(buf + n, size - n, ",size=%luk",
		    ts->max_pages << (PAGE_SHIFT - 10));
	if (ts->mode != 01777)
		n += scnprintf(buf + n, size - n, ",mode=%03o", ts->mode);
	if (ts->uid != 0)
		n += scnprintf(buf + n, size - n, ",uid=%u", ts->uid);
	if (ts->gid != 0)
		n += scnprintf(buf + n, size - n, ",gid=%u", ts->gid);
	return n;
}

static void
super_destroy(struct super *sb)
{
	kfree(tmpfs_sb(sb));
}

static const struct super_ops super_ops = {
	.evict = evict,
	.statfs = super_statfs,
	.remount = super_remount,
	.destroy = super_destroy,
	.show_options = super_options,
};

const struct fs_type tmpfs_type = { .name = "tmpfs", .mount = tmpfs_mount };
const struct fs_type rootfs_type = { .name = "rootfs", .mount = rootfs_mount };
