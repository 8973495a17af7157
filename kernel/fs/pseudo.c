/* SPDX-License-Identifier: ISC */
/*
 * pseudo.c - files that are made up when they are read.
 *
 * Nothing of such a file system is kept: a name's dentry and inode are made at
 * the look-up and go with their last user.  Only names that come and go are
 * asked for again while somebody holds them.
 */
#include "fs/pseudo.h"
#include "abi/mode.h"
#include "fs/dentry.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>

#define ROOT_INO 1
#define DIR_POS  0x10000 /* positions of the entries that come and go */

struct pseudo_inode {
	struct inode inode;
	const struct pseudo_entry *entry; /* I */
	struct pseudo_id id;              /* I */
};

static const struct inode_ops dir_ops, moving_dir_ops, link_ops, place_ops,
    file_inode_ops;
static const struct file_ops dir_fops, file_fops;

static struct pseudo_inode *
pseudo_i(const struct inode *inode)
{
	return container_of(inode, struct pseudo_inode, inode);
}

const struct pseudo_entry *
pseudo_inode_entry(const struct inode *inode, struct pseudo_id *id)
{
	*id = pseudo_i(inode)->id;
	return pseudo_i(inode)->entry;
}

static uint64_t
ino_of(const struct pseudo_entry *entry, const struct pseudo_id *id)
{
	uint64_t h = (uintptr_t)entry;

	h = (h ^ id->key * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;
	h = (h ^ id->sub) * 0xc4ceb9fe1a85ec53ull;
	return (h >> 33) + ROOT_INO + 1;
}

static uint32_t
type_of(const struct pseudo_entry *entry)
{
	switch (entry->kind) {
	case PSEUDO_DIR: return S_IFDIR;
	case PSEUDO_LINK: return S_IFLNK;
	default: return S_IFREG;
	}
}

static void
set_ops(struct inode *inode, const struct pseudo_entry *entry, bool moving)
{
	switch (entry->kind) {
	case PSEUDO_DIR:
		inode->ops = moving ? &moving_dir_ops : &dir_ops;
		inode->fops = &dir_fops;
		break;
	case PSEUDO_LINK:
		inode->ops = entry->follow != NULL ? &place_ops : &link_ops;
		break;
	default:
		inode->ops = &file_inode_ops;
		inode->fops = &file_fops;
		break;
	}
}

static struct pseudo_attr
attr_of(const struct pseudo_entry *entry, const struct pseudo_id *id)
{
	struct pseudo_attr a = { .mode = entry->mode };

	if (entry->attr != NULL)
		entry->attr(id, &a);
	return a;
}

static struct inode *
make_inode(struct super *sb, const struct pseudo_entry *entry,
    const struct pseudo_id *id, bool moving)
{
	struct pseudo_inode *pi = kmalloc(sizeof(*pi));
	struct pseudo_attr a = attr_of(entry, id);

	if (pi == NULL)
		return NULL;
	inode_init(&pi->inode, sb, type_of(entry) | a.mode, 0);
	pi->inode.uid = a.uid;
	pi->inode.gid = a.gid;
	pi->inode.ino = ino_of(entry, id);
	pi->inode.size = entry->size;
	pi->entry = entry;
	pi->id = *id;
	set_ops(&pi->inode, entry, moving);
	return &pi->inode;
}

static void
evict(struct inode *inode)
{
	kfree(pseudo_i(inode));
}

/* ------------------------------------------------------- directories -- */

/* The entry behind a name; id is the directory's and becomes the entry's. */
static int
find_entry(const struct pseudo_inode *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **out, bool *moving)
{
	const struct pseudo_entry *e = dir->entry->children;

	*moving = false;
	*id = dir->id;
	for (; e != NULL && e->name != NULL; e++) {
		if (strncmp(e->name, name, len) == 0 && e->name[len] == '\0') {
			*out = e;
			return 0;
		}
	}
	if (dir->entry->dir == NULL)
		return -ENOENT;
	*moving = true;
	return dir->entry->dir->find(&dir->id, name, len, id, out);
}

static int
dir_lookup(struct inode *dir, struct dentry *d)
{
	const struct pseudo_entry *entry;
	struct pseudo_id id;
	struct inode *inode;
	bool moving;
	int error;

	error = find_entry(pseudo_i(dir), d->name, d->len, &id, &entry,
	    &moving);
	if (error != 0)
		return error;
	inode = make_inode(dir->sb, entry, &id, moving);
	if (inode == NULL)
		return -ENOMEM;
	d->flags |= DENTRY_NOCACHE;
	dentry_instantiate(d, inode, false);
	return 0;
}

static bool
revalidate(struct dentry *d)
{
	const struct pseudo_inode *pi = pseudo_i(d->inode);
	const struct pseudo_entry *entry;
	struct pseudo_id id;
	bool moving;

	return find_entry(pseudo_i(d->parent->inode), d->name, d->len, &id,
		   &entry, &moving) == 0 &&
	    entry == pi->entry && id.key == pi->id.key && id.sub == pi->id.sub;
}

static bool
emit(struct file *f, struct dir_sink *sink, const char *name,
    const struct pseudo_entry *e, const struct pseudo_id *id, int64_t pos)
{
	if (!sink->add(sink, name, strlen(name), ino_of(e, id),
		type_of(e) >> 12, pos))
		return false;
	f->pos = pos;
	return true;
}

static int
dir_iterate(struct file *f, struct dir_sink *sink)
{
	const struct pseudo_inode *dir = pseudo_i(f->inode);
	const struct pseudo_entry *e = dir->entry->children;
	struct pseudo_id id;
	char name[32];
	uint64_t pos;
	unsigned i;

	if (!dir_emit_dots(f, sink))
		return 0;
	for (i = 0; e != NULL && e->name != NULL; e++, i++)
		if (f->pos <= 2 + i &&
		    !emit(f, sink, e->name, e, &dir->id, 3 + i))
			return 0;
	if (dir->entry->dir == NULL)
		return 0;
	for (;;) {
		pos = f->pos < DIR_POS ? 0 : f->pos - DIR_POS;
		id = dir->id;
		if (!dir->entry->dir->next(&dir->id, &pos, name, &id, &e) ||
		    !emit(f, sink, name, e, &id, DIR_POS + pos + 1))
			return 0;
	}
}

/* ------------------------------------------------------------- files -- */

struct pseudo_text {
	struct sbuf sb;
	struct mutex lock; /* the text */
	bool made;
};

static int
file_open(struct inode *inode, struct file *f)
{
	const struct pseudo_entry *e = pseudo_i(inode)->entry;
	struct pseudo_text *text;

	if (e->fops != NULL) {
		f->ops = e->fops;
		return e->fops->open != NULL ? e->fops->open(inode, f) : 0;
	}
	text = kmalloc(sizeof(*text));
	if (text == NULL)
		return -ENOMEM;
	sbuf_init(&text->sb);
	mutex_init(&text->lock);
	text->made = false;
	f->priv = text;
	return 0;
}

static void
file_release(struct file *f)
{
	struct pseudo_text *text = f->priv;

	sbuf_fini(&text->sb);
	kfree(text);
}

static int
make_text(const struct pseudo_inode *pi, struct pseudo_text *text)
{
	int error;

	text->sb.len = 0;
	text->sb.error = 0;
	error = pi->entry->show(&pi->id, &text->sb);
	if (error == 0)
		error = text->sb.error;
	text->made = error == 0;
	return error;
}

static long
file_read_text(struct file *f, struct uio *u, int64_t *pos)
{
	struct pseudo_text *text = f->priv;
	size_t want, n = 0;
	int error = 0;

	if (pseudo_i(f->inode)->entry->show == NULL)
		return -EIO;
	mutex_lock(&text->lock);
	if (*pos == 0 || !text->made)
		error = make_text(pseudo_i(f->inode), text);
	if (error == 0 && (uint64_t)*pos < text->sb.len) {
		want = MIN(text->sb.len - *pos, u->resid);
		n = uio_put(u, text->sb.buf + *pos, want);
		*pos += n;
		if (n == 0 && want != 0)
			error = -EFAULT;
	}
	mutex_unlock(&text->lock);
	return error != 0 ? error : (long)n;
}

static long
file_write_text(struct file *f, struct uio *u, int64_t *pos)
{
	const struct pseudo_inode *pi = pseudo_i(f->inode);
	size_t len = u->resid;
	char *buf;
	int error;

	if (pi->entry->store == NULL)
		return -EIO;
	if (len >= PAGE_SIZE)
		return -EINVAL;
	buf = kmalloc(len + 1);
	if (buf == NULL)
		return -ENOMEM;
	error = uio_get(u, buf, len) == len ? 0 : -EFAULT;
	buf[len] = '\0';
	if (error == 0)
		error = pi->entry->store(&pi->id, buf, len);
	kfree(buf);
	if (error != 0)
		return error;
	*pos += len;
	return len;
}

/* ------------------------------------------------- links, attributes -- */

static long
link_readlink(struct inode *inode, char *buf, size_t size)
{
	const struct pseudo_inode *pi = pseudo_i(inode);

	return pi->entry->readlink(&pi->id, buf, size);
}

static int
place_follow(struct inode *inode, struct path *out)
{
	const struct pseudo_inode *pi = pseudo_i(inode);

	return pi->entry->follow(&pi->id, out);
}

static int
getattr(struct inode *inode, struct vfs_stat *st)
{
	const struct pseudo_inode *pi = pseudo_i(inode);
	struct pseudo_attr a = attr_of(pi->entry, &pi->id);

	st->mode = type_of(pi->entry) | a.mode;
	st->uid = a.uid;
	st->gid = a.gid;
	st->blksize = 1024;
	return 0;
}

/* Opening with O_TRUNC and `touch` work; owners and modes are given. */
static int
setattr(struct inode *inode, const struct vfs_attr *attr)
{
	(void)inode;
	return (attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID)) != 0 ? -EPERM :
									0;
}

static const struct inode_ops dir_ops = {
	.setattr = setattr,
	.lookup = dir_lookup,
	.getattr = getattr,
};
static const struct inode_ops moving_dir_ops = {
	.lookup = dir_lookup,
	.getattr = getattr,
	.setattr = setattr,
	.revalidate = revalidate,
};
static const struct inode_ops link_ops = {
	.readlink = link_readlink,
	.getattr = getattr,
};
static const struct inode_ops place_ops = {
	.readlink = link_readlink,
	.follow = place_follow,
	.getattr = getattr,
	.revalidate = revalidate,
};
static const struct inode_ops file_inode_ops = {
	.getattr = getattr,
	.setattr = setattr,
};

static const struct file_ops dir_fops = { .iterate = dir_iterate };
static const struct file_ops file_fops = {
	.open = file_open,
	.release = file_release,
	.read = file_read_text,
	.write = file_write_text,
};

/* ------------------------------------------------------- superblocks -- */

static const struct super_ops super_ops = { .evict = evict };

static int
create_locked(struct pseudo_fs *fs)
{
	static const struct pseudo_id nobody;
	struct super *sb = kmalloc(sizeof(*sb));
	struct inode *inode;

	if (sb == NULL)
		return -ENOMEM;
	super_init(sb, &super_ops, &fs->type, fs->magic);
	inode = make_inode(sb, fs->root, &nobody, false);
	if (inode != NULL) {
		inode->ino = ROOT_INO;
		sb->root = dentry_make_root(sb, inode);
		if (sb->root == NULL)
			inode->sb->ops->evict(inode);
	}
	if (inode == NULL || sb->root == NULL) {
		kfree(sb);
		return -ENOMEM;
	}
	fs->sb = sb;
	return 0;
}

int
pseudo_mount(const struct fs_type *type, const char *source, unsigned flags,
    const char *data, struct super **out)
{
	struct pseudo_fs *fs = container_of(type, struct pseudo_fs, type);
	int error = 0;

	(void)source;
	(void)flags;
	(void)data;
	mutex_lock(&fs->lock);
	if (fs->sb == NULL)
		error = create_locked(fs);
	if (error == 0) {
		spin_lock(&vfs_lock);
		fs->sb->mounts++;
		spin_unlock(&vfs_lock);
		*out = fs->sb;
	}
	mutex_unlock(&fs->lock);
	return error;
}
