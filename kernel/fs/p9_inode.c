/* SPDX-License-Identifier: ISC */
/*
 * p9_inode.c - files of a 9P server: attributes, and names in directories.
 *
 * Who may do what is looked up in the mode bits, as for any file, and then up
 * to the server.  Its user ids are ours.
 */
#include "abi/mode.h"
#include "fs/p9_impl.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#define DIR_BYTES (32u << 10) /* of entries asked for at once */

/* -------------------------------------------------------- attributes -- */

static bool
type_is_sane(const struct p9_attr *a)
{
	static const uint16_t known = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 6 |
	    1 << 8 | 1 << 10 | 1 << 12;

	return (known >> (a->mode >> 12 & 15) & 1) != 0 &&
	    S_ISDIR(a->mode) == ((a->qid.type & P9_QTDIR) != 0);
}

static void
set_fields(struct p9_inode *pi, const struct p9_attr *a)
{
	struct inode *inode = &pi->inode;

	inode->mode = (inode->mode & S_IFMT) | (a->mode & 07777);
	inode->nlink = a->nlink;
	inode->uid = a->uid;
	inode->gid = a->gid;
	__atomic_store_n(&inode->size, a->size, __ATOMIC_RELEASE);
	inode->atime_ns = a->atime_ns;
	inode->mtime_ns = a->mtime_ns;
	inode->ctime_ns = a->ctime_ns;
	pi->version = a->qid.version;
	pi->blocks = a->blocks;
}

int
p9_inode_make(struct super *sb, struct p9_fid *fid, const struct p9_attr *a,
    struct inode **out)
{
	struct p9_super *ps = container_of(sb, struct p9_super, sb);
	struct p9_inode *pi = type_is_sane(a) ? kzalloc(sizeof(*pi)) : NULL;
	struct inode *inode;

	if (pi == NULL) {
		p9_clunk(&ps->client, fid);
		return type_is_sane(a) ? -ENOMEM : -EIO;
	}
	inode = &pi->inode;
	pi->fid = fid;
	mutex_init(&pi->open_lock);
	inode_init(inode, sb, a->mode, a->rdev);
	inode->ino = a->qid.path;
	set_fields(pi, a);
	inode->btime_ns = a->ctime_ns;
	inode->ops = &p9_inode_ops[ps->loose];
	if (S_ISDIR(a->mode))
		inode->fops = &p9_dir_fops;
	if (S_ISREG(a->mode)) {
		inode->fops = &p9_file_fops;
		inode->pages.ops = &p9_page_ops;
	}
	*out = inode;
	return 0;
}

void
p9_evict(struct inode *inode)
{
	struct p9_inode *pi = p9_i(inode);

	p9_close(pi);
	p9_clunk(p9_c(inode), pi->fid);
	kfree(pi);
}

/* Where the name was taken away or given to another, but the file is open. */
static int
is_gone(struct inode *inode, int error)
{
	if (p9_i(inode)->nopen == 0)
		return error;
	inode->nlink = 0;
	return 0;
}

int
p9_refresh(struct inode *inode)
{
	struct p9_inode *pi = p9_i(inode);
	struct p9_attr a;
	bool changed;
	int error;

	if (inode->nlink == 0)
		return 0;
	__atomic_store_n(&pi->stale, false, __ATOMIC_SEQ_CST);
	error = p9_getattr(p9_c(inode), pi->fid, &a);
	if (error == 0 &&
	    (a.qid.path != inode->ino ||
		((a.mode ^ inode->mode) & S_IFMT) != 0))
		error = -ESTALE;
	if (error != 0) {
		__atomic_store_n(&pi->stale, true, __ATOMIC_RELAXED);
		return error == -ENOENT || error == -ESTALE ?
		    is_gone(inode, error) :
		    error;
	}
	changed = a.qid.version != pi->version || a.size != inode->size ||
	    a.mtime_ns != inode->mtime_ns;
	set_fields(pi, &a);
	if (changed && inode->pages.npages > 0) {
		error = pagecache_sync(inode, 0, UINT64_MAX >> PAGE_SHIFT);
		if (error == 0)
			pagecache_drop_range(inode, 0,
			    UINT64_MAX >> PAGE_SHIFT);
	}
	return error;
}

int
p9_fresh(struct inode *inode)
{
	if (p9_sb(inode)->loose &&
	    !__atomic_load_n(&p9_i(inode)->stale, __ATOMIC_RELAXED))
		return 0;
	return p9_refresh(inode);
}

static void
mark_stale(struct inode *inode)
{
	__atomic_store_n(&p9_i(inode)->stale, true, __ATOMIC_SEQ_CST);
}

static int
getattr(struct inode *inode, struct vfs_stat *st)
{
	int error = p9_fresh(inode);

	st->size = inode->size;
	st->mode = inode->mode;
	st->nlink = inode->nlink;
	st->uid = inode->uid;
	st->gid = inode->gid;
	st->atime_ns = inode->atime_ns;
	st->mtime_ns = inode->mtime_ns;
	st->ctime_ns = inode->ctime_ns;
	st->blocks = p9_i(inode)->blocks;
	return error;
}

/* ATTR_* to the protocol's bits. */
static uint32_t
wire_valid(unsigned valid)
{
	static const struct {
		uint16_t ours, theirs;
	} bits[] = { { ATTR_MODE, 0x1 }, { ATTR_UID, 0x2 }, { ATTR_GID, 0x4 },
		{ ATTR_SIZE, 0x8 }, { ATTR_ATIME, 0x90 }, { ATTR_MTIME, 0x120 },
		{ ATTR_ATIME_NOW, 0x10 }, { ATTR_MTIME_NOW, 0x20 } };
	uint32_t theirs = 0;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if ((valid & bits[i].ours) != 0)
			theirs |= bits[i].theirs;
	return theirs;
}

/* Nanoseconds to seconds, downwards. */
static int64_t
seconds(int64_t ns)
{
	return ns / 1000000000 - (ns % 1000000000 < 0);
}

static int
send_attr(struct inode *inode, const struct vfs_attr *a)
{
	int64_t asec = seconds(a->atime_ns), msec = seconds(a->mtime_ns);

	return p9_simple(p9_c(inode), P9_TSETATTR, "dddddqqqqq",
	    p9_i(inode)->fid->num, wire_valid(a->valid), a->mode & 07777,
	    a->uid, a->gid, a->size, asec, a->atime_ns - asec * 1000000000,
	    msec, a->mtime_ns - msec * 1000000000);
}

static int
setattr(struct inode *inode, const struct vfs_attr *attr)
{
	bool size = (attr->valid & ATTR_SIZE) != 0;
	int error = 0;

	if (size && inode->pages.npages > 0)
		error = pagecache_sync(inode, 0, UINT64_MAX >> PAGE_SHIFT);
	if (error == 0)
		error = send_attr(inode, attr);
	if (error != 0)
		return error;
	if (size)
		pagecache_truncate(inode, attr->size);
	inode_setattr_fields(inode, attr);
	mark_stale(inode);
	return 0;
}

/* ------------------------------------------------------------- names -- */

/* Gives the dentry the file that has its name on the server; none is none. */
static int
lookup(struct inode *dir, struct dentry *d)
{
	struct p9_client *c = p9_c(dir);
	struct p9_fid *fid = NULL;
	struct inode *inode;
	struct p9_attr a;
	struct p9_qid qid;
	int error;

	error = p9_walk(c, p9_i(dir)->fid, d->name, &qid, &fid);
	if (error == 0) {
		error = p9_getattr(c, fid, &a);
		if (error == 0)
			error = p9_inode_make(dir->sb, fid, &a, &inode);
		else
			p9_clunk(c, fid);
	}
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	if (!p9_sb(dir)->loose)
		d->flags |= DENTRY_NOCACHE;
	dentry_instantiate(d, inode, false);
	return 0;
}

/* Names that are in use are asked for again; the others are not kept. */
static bool
revalidate(struct dentry *d)
{
	struct inode *dir = d->parent->inode;
	struct p9_fid *fid;
	struct p9_qid qid;

	if (d->nmounts > 0)
		return true;
	if (p9_walk(p9_c(dir), p9_i(dir)->fid, d->name, &qid, &fid) != 0)
		return false;
	p9_clunk(p9_c(dir), fid);
	return qid.path == d->inode->ino &&
	    ((qid.type & P9_QTDIR) != 0) == S_ISDIR(d->inode->mode);
}

/* The group that a new entry gets: set-group-ID directories hand on theirs. */
static uint32_t
group_in(const struct inode *dir, const struct vfs_cred *cred)
{
	return (dir->mode & S_ISGID) != 0 ? dir->gid : cred->gid;
}

/*
 * The name was made on the server.  It belongs to whom we are there; a server
 * that may gives it to whom it should, and one that may not leaves it.
 */
static int
made(struct inode *dir, struct dentry *d, const struct vfs_cred *cred)
{
	struct vfs_attr owner = { .valid = ATTR_UID | ATTR_GID,
		.uid = cred->uid,
		.gid = group_in(dir, cred) };
	int error = lookup(dir, d);

	mark_stale(dir);
	if (error == 0 && d->inode == NULL)
		error = -ENOENT; /* somebody on the host was faster */
	if (error == 0 && d->inode->uid != cred->uid && cred->uid != 0 &&
	    send_attr(d->inode, &owner) == 0)
		error = p9_refresh(d->inode);
	return error;
}

static int
create(struct inode *dir, struct dentry *d, uint32_t mode,
    const struct vfs_cred *cred)
{
	struct p9_client *c = p9_c(dir);
	struct p9_fid *fid;
	struct p9_qid qid;
	int error;

	error = p9_walk(c, p9_i(dir)->fid, NULL, &qid, &fid);
	if (error != 0)
		return error;
	error = p9_simple(c, P9_TLCREATE, "dsddd", fid->num, d->name,
	    O_RDWR | O_CREAT | O_EXCL | O_LARGEFILE, mode & 07777,
	    group_in(dir, cred));
	if (error == 0)
		error = made(dir, d, cred);
	if (error == 0 && S_ISREG(d->inode->mode)) {
		/* Opened already, whatever the mode says: for its opener. */
		fid->reads = true;
		p9_i(d->inode)->opened[P9_WRITER] = fid;
		return 0;
	}
	p9_clunk(c, fid);
	return error;
}

static int
mkdir(struct inode *dir, struct dentry *d, uint32_t mode,
    const struct vfs_cred *cred)
{
	int error = p9_simple(p9_c(dir), P9_TMKDIR, "dsdd", p9_i(dir)->fid->num,
	    d->name, mode & 07777, group_in(dir, cred));

	return error == 0 ? made(dir, d, cred) : error;
}

static int
mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev,
    const struct vfs_cred *cred)
{
	int error = p9_simple(p9_c(dir), P9_TMKNOD, "dsdddd",
	    p9_i(dir)->fid->num, d->name, mode, dev_major(rdev),
	    dev_minor(rdev), group_in(dir, cred));

	return error == 0 ? made(dir, d, cred) : error;
}

static int
make_symlink(struct inode *dir, struct dentry *d, const char *target,
    const struct vfs_cred *cred)
{
	struct p9_rpc rpc = { .t_more = strlen(target) };
	int error = p9_begin(p9_c(dir), &rpc, P9_TSYMLINK, "dssd",
	    p9_i(dir)->fid->num, d->name, target, group_in(dir, cred));

	if (error != 0)
		return error;
	p9_end(&rpc);
	return made(dir, d, cred);
}

static int
make_link(struct inode *dir, struct dentry *d, struct inode *old)
{
	int error = p9_simple(p9_c(dir), P9_TLINK, "dds", p9_i(dir)->fid->num,
	    p9_i(old)->fid->num, d->name);

	if (error != 0)
		return error;
	old->nlink++;
	mark_stale(old);
	mark_stale(dir);
	if (!p9_sb(dir)->loose)
		d->flags |= DENTRY_NOCACHE;
	inode_get(old);
	dentry_instantiate(d, old, false);
	return 0;
}

/* One name less. */
static void
lost_name(struct inode *inode)
{
	if (S_ISDIR(inode->mode) || inode->nlink <= 1)
		inode->nlink = 0;
	else
		inode->nlink--;
	mark_stale(inode);
}

static int
remove(struct inode *dir, struct dentry *d)
{
	int error = p9_simple(p9_c(dir), P9_TUNLINKAT, "dsd",
	    p9_i(dir)->fid->num, d->name,
	    S_ISDIR(d->inode->mode) ? AT_REMOVEDIR : 0);

	if (error == 0) {
		lost_name(d->inode);
		mark_stale(dir);
	}
	return error;
}

static int
move(struct inode *olddir, struct dentry *from, struct inode *newdir,
    struct dentry *to, unsigned flags)
{
	int error;

	if ((flags & RENAME_EXCHANGE) != 0)
		return -EINVAL; /* the protocol has no such call */
	error = p9_simple(p9_c(olddir), P9_TRENAMEAT, "dsds",
	    p9_i(olddir)->fid->num, from->name, p9_i(newdir)->fid->num,
	    to->name);
	if (error != 0)
		return error;
	if (to->inode != NULL)
		lost_name(to->inode);
	mark_stale(from->inode);
	mark_stale(olddir);
	mark_stale(newdir);
	return 0;
}

static long
read_link(struct inode *inode, char *buf, size_t size)
{
	struct p9_rpc rpc = { .r_more = VFS_PATH_MAX };
	struct p9_str target;
	long n;

	n = p9_begin(p9_c(inode), &rpc, P9_TREADLINK, "d",
	    p9_i(inode)->fid->num);
	if (n != 0)
		return n;
	n = -EIO;
	if (p9_get(&rpc.in, "s", &target) &&
	    memchr(target.s, '\0', target.len) == NULL) {
		n = MIN(size, target.len);
		memcpy(buf, target.s, n);
	}
	p9_end(&rpc);
	return n;
}

#define INODE_OPS                                                           \
	.lookup = lookup, .create = create, .mkdir = mkdir, .mknod = mknod, \
	.symlink = make_symlink, .link = make_link, .unlink = remove,       \
	.rmdir = remove, .rename = move, .readlink = read_link,             \
	.getattr = getattr, .setattr = setattr

const struct inode_ops p9_inode_ops[2] = {
	{ INODE_OPS, .revalidate = revalidate },
	{ INODE_OPS },
};

/* ------------------------------------------------- open directories -- */

/* Entries that came and were not all taken: what is left begins at `pos`. */
struct p9_dir {
	struct p9_fid *fid;
	struct p9_rpc rpc; /* buf NULL: none */
	uint64_t pos;
};

static int
dir_open(struct inode *inode, struct file *f)
{
	struct p9_dir *pd = kzalloc(sizeof(*pd));
	int error;

	if (pd == NULL)
		return -ENOMEM;
	error = p9_lopen(inode, O_RDONLY | O_DIRECTORY | O_LARGEFILE, &pd->fid);
	if (error != 0)
		kfree(pd);
	else
		f->priv = pd;
	return error;
}

static void
dir_release(struct file *f)
{
	struct p9_dir *pd = f->priv;

	p9_end(&pd->rpc);
	p9_clunk(p9_c(f->inode), pd->fid);
	kfree(pd);
}

/* Entries from f->pos on; none at the end. */
static int
dir_fetch(struct file *f, struct p9_dir *pd)
{
	struct p9_client *c = p9_c(f->inode);
	uint32_t count, max = MIN(DIR_BYTES, c->data_max);
	int error;

	p9_end(&pd->rpc);
	pd->rpc = (struct p9_rpc){ .r_more = max };
	error = p9_begin(c, &pd->rpc, P9_TREADDIR, "dqd", pd->fid->num,
	    (uint64_t)f->pos, max);
	if (error != 0)
		return error;
	pd->pos = f->pos;
	if (!p9_get(&pd->rpc.in, "d", &count) ||
	    count != (size_t)(pd->rpc.in.end - pd->rpc.in.at))
		pd->rpc.in.bad = true;
	return pd->rpc.in.bad ? -EIO : 0;
}

/* Hands out what is there; 1: there is room for more. */
static int
dir_emit(struct file *f, struct p9_dir *pd, struct dir_sink *sink)
{
	struct p9_wire before = pd->rpc.in;
	struct p9_entry e;

	while (p9_get_entry(&pd->rpc.in, &e)) {
		if (!sink->add(sink, e.name.s, e.name.len, e.qid.path, e.type,
			e.next)) {
			pd->rpc.in = before;
			return 0;
		}
		before = pd->rpc.in;
		f->pos = e.next;
		pd->pos = e.next;
	}
	return pd->rpc.in.bad ? -EIO : 1;
}

static int
dir_iterate(struct file *f, struct dir_sink *sink)
{
	struct p9_dir *pd = f->priv;
	int error = 1;

	while (error == 1) {
		if (pd->rpc.buf == NULL || pd->pos != (uint64_t)f->pos ||
		    pd->rpc.in.at == pd->rpc.in.end) {
			error = dir_fetch(f, pd);
			if (error != 0 || pd->rpc.in.at == pd->rpc.in.end)
				break;
		}
		error = dir_emit(f, pd, sink);
	}
	if (error < 0)
		p9_end(&pd->rpc);
	return error;
}

static int
dir_fsync(struct file *f, bool data_only)
{
	struct p9_dir *pd = f->priv;

	return p9_simple(p9_c(f->inode), P9_TFSYNC, "dd", pd->fid->num,
	    (uint32_t)data_only);
}

const struct file_ops p9_dir_fops = {
	.open = dir_open,
	.release = dir_release,
	.iterate = dir_iterate,
	.fsync = dir_fsync,
};
