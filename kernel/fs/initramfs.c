/* SPDX-License-Identifier: ISC */
/*
 * initramfs.c - the boot loader's archives become the root file system.
 * Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 *
 * Who owns the image's frames: boot left one reference on each.  A frame that
 * one file's data fills goes to that file (tmpfs_set_backing); of the rest,
 * headers and frames at the edges of data, the reference is given back once
 * everything in the frame has been read (release_below).
 */
#include "fs/initramfs.h"
#include "abi/mode.h"
#include "fs/names.h"
#include "fs/tmpfs.h"
#include "fs/uio.h"
#include "fs/unpack.h"
#include "fs/vfs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/string.h"
#include "x86/layout.h"
#include <linux/errno.h>

/* A file with several names, until its archive ends. */
struct linked {
	SLIST_ENTRY(linked) link;
	uint32_t ino, dev_major, dev_minor;
	struct inode *inode;
};

/* A directory whose times are set when nothing is added to it any more. */
struct dated {
	SLIST_ENTRY(dated) link;
	struct inode *inode;
	int64_t mtime_ns;
};

struct initramfs {
	struct vfs_ctx ctx;
	paddr_t start, end;
	paddr_t released;    /* frames below are the files', or given back */
	struct inode *inode; /* of the entry that data comes for, or NULL */
	uint32_t size;       /* that entry's */
	int64_t pos;         /* bytes of it so far */
	struct inode *last;  /* whose backing ended last, at last_end */
	paddr_t last_end;
	unsigned skipped; /* entries that could not be made */
	SLIST_HEAD(, linked) linked;
	SLIST_HEAD(, dated) dated;
};

/* -------------------------------------------------------- the frames -- */

/* Everything below pa has been read: gives back the frames that it fills. */
static void
release_below(struct initramfs *fs, paddr_t pa)
{
	pa = ROUND_DOWN(pa, PAGE_SIZE);
	if (pa <= fs->released)
		return;
	page_release_range(fs->released, pa - fs->released);
	fs->released = pa;
}

static void
set_last(struct initramfs *fs, struct inode *inode, paddr_t end)
{
	if (fs->last != NULL)
		inode_put(fs->last);
	fs->last = inode;
	fs->last_end = end;
	if (inode != NULL)
		inode_get(inode);
}

/* The data of a file lies at pa, whole, and stays there. */
static void
use_in_place(struct initramfs *fs, paddr_t pa, size_t len)
{
	paddr_t whole = ROUND_UP(pa, PAGE_SIZE);
	paddr_t whole_end = ROUND_DOWN(pa + len, PAGE_SIZE);

	if (fs->last != NULL && pa < ROUND_UP(fs->last_end, PAGE_SIZE))
		tmpfs_backing_shared_tail(fs->last);
	tmpfs_set_backing(fs->inode, pa, len);
	release_below(fs, pa);
	if (whole < whole_end) {
		release_below(fs, whole);
		fs->released = whole_end;
	}
	set_last(fs, fs->inode, pa + len);
}

static void
consumed(void *ctx, size_t bytes)
{
	struct initramfs *fs = ctx;

	release_below(fs, fs->start + bytes);
}

/* ------------------------------------------------------- the entries -- */

static struct linked *
linked_find(struct initramfs *fs, const struct cpio_entry *e)
{
	struct linked *l;

	SLIST_FOREACH (l, &fs->linked, link) {
		if (l->ino == e->ino && l->dev_major == e->dev_major &&
		    l->dev_minor == e->dev_minor)
			return l;
	}
	return NULL;
}

static int
linked_add(struct initramfs *fs, const struct cpio_entry *e,
    struct inode *inode)
{
	struct linked *l = kmalloc(sizeof(*l));

	if (l == NULL)
		return -ENOMEM;
	l->ino = e->ino;
	l->dev_major = e->dev_major;
	l->dev_minor = e->dev_minor;
	l->inode = inode;
	inode_get(inode);
	SLIST_INSERT_HEAD(&fs->linked, l, link);
	return 0;
}

static void
linked_forget(struct initramfs *fs)
{
	struct linked *l;

	while ((l = SLIST_FIRST(&fs->linked)) != NULL) {
		SLIST_REMOVE_HEAD(&fs->linked, link);
		inode_put(l->inode);
		kfree(l);
	}
}

static int
dated_add(struct initramfs *fs, struct inode *inode, int64_t mtime_ns)
{
	struct dated *d = kmalloc(sizeof(*d));

	if (d == NULL)
		return -ENOMEM;
	d->inode = inode;
	inode_get(inode);
	d->mtime_ns = mtime_ns;
	SLIST_INSERT_HEAD(&fs->dated, d, link);
	return 0;
}

static void
dated_apply(struct initramfs *fs)
{
	struct dated *d;

	while ((d = SLIST_FIRST(&fs->dated)) != NULL) {
		SLIST_REMOVE_HEAD(&fs->dated, link);
		d->inode->mtime_ns = d->mtime_ns;
		d->inode->atime_ns = d->mtime_ns;
		inode_put(d->inode);
		kfree(d);
	}
}

/* Owner, permissions and times of what an entry made or found. */
static int
set_attributes(struct initramfs *fs, struct inode *inode,
    const struct cpio_entry *e)
{
	int64_t mtime_ns = e->mtime * NSEC_PER_SEC;

	inode->uid = e->uid;
	inode->gid = e->gid;
	inode->mode = (inode->mode & S_IFMT) | (e->mode & 07777);
	if (S_ISDIR(e->mode))
		return dated_add(fs, inode, mtime_ns);
	inode->mtime_ns = mtime_ns;
	inode->atime_ns = mtime_ns;
	return 0;
}

/*
 * Something else has the entry's name.  A directory is taken as it is, for a
 * directory; what else goes, as far as it can.
 */
static int
make_room(struct initramfs *fs, const struct cpio_entry *e, struct path *out)
{
	int error;

	error = vfs_walk(&fs->ctx, NULL, e->name, 0, out);
	if (error != 0)
		return error;
	if (S_ISDIR(e->mode) && S_ISDIR(out->dentry->inode->mode))
		return 0;
	error = S_ISDIR(out->dentry->inode->mode) ?
	    vfs_rmdir(&fs->ctx, NULL, e->name) :
	    vfs_unlink(&fs->ctx, NULL, e->name);
	path_put(out);
	return error != 0 ? error : -EAGAIN;
}

/* The place of the entry, with references. */
static int
make_entry(struct initramfs *fs, const struct cpio_entry *e,
    const struct make *mk, struct path *out)
{
	int error;

	if (*e->name == '\0') {
		*out = fs->ctx.root;
		path_get(out);
		return 0;
	}
	error = name_make(&fs->ctx, NULL, e->name, mk, out);
	if (error != -EEXIST)
		return error;
	error = make_room(fs, e, out);
	if (error == -EAGAIN)
		error = name_make(&fs->ctx, NULL, e->name, mk, out);
	return error;
}

/* One that cannot be made is left out, unless memory is. */
static int
skip_entry(struct initramfs *fs, const struct cpio_entry *e, int error)
{
	if (error == -ENOMEM || error == -ENOSPC)
		return error;
	if (fs->skipped++ == 0)
		log_warn("initramfs: %s, at byte %lu: error %d, left out",
		    e->name, e->offset, -error);
	return 0;
}

static int
begin(void *ctx, const struct cpio_entry *e)
{
	struct initramfs *fs = ctx;
	struct make mk = { .mode = e->mode, .target = e->target };
	struct linked *l = NULL;
	struct path p;
	bool linked = S_ISREG(e->mode) && e->nlink > 1;
	int error;

	fs->inode = NULL;
	fs->size = e->size;
	fs->pos = 0;
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		mk.rdev = dev_make(e->rdev_major, e->rdev_minor);
	if (linked)
		l = linked_find(fs, e);
	mk.mnt = fs->ctx.root.mnt;
	if (l != NULL)
		mk.inode = l->inode;
	error = make_entry(fs, e, &mk, &p);
	if (error != 0)
		return skip_entry(fs, e, error);
	error = set_attributes(fs, p.dentry->inode, e);
	if (error == 0 && linked && l == NULL)
		error = linked_add(fs, e, p.dentry->inode);
	if (error == 0 && S_ISREG(e->mode)) {
		fs->inode = p.dentry->inode;
		inode_get(fs->inode);
	}
	path_put(&p);
	return error;
}

static int
write_data(struct initramfs *fs, const void *bytes, size_t len)
{
	struct inode *inode = fs->inode;
	struct uio_vec vec;
	struct uio u;
	long n;

	uio_init_one(&u, UIO_KERNEL, &vec, (uintptr_t)bytes, len);
	mutex_lock(&inode->lock);
	n = pagecache_write(inode, &u, &fs->pos);
	mutex_unlock(&inode->lock);
	if (n < 0)
		return n;
	return (size_t)n == len ? 0 : -ENOSPC;
}

static int
data(void *ctx, const void *bytes, size_t len, bool in_place)
{
	struct initramfs *fs = ctx;

	if (fs->inode == NULL || len == 0)
		return 0;
	if (fs->pos == 0 && fs->inode->size != 0)
		tmpfs_truncate(fs->inode); /* data came with an earlier name */
	if (in_place && len == fs->size) {
		use_in_place(fs, kva_paddr(bytes), len);
		return 0;
	}
	return write_data(fs, bytes, len);
}

static int
end(void *ctx)
{
	struct initramfs *fs = ctx;

	if (fs->inode != NULL)
		inode_put(fs->inode);
	fs->inode = NULL;
	return 0;
}

static int
archive_end(void *ctx)
{
	linked_forget(ctx);
	return 0;
}

static const struct cpio_ops ops = {
	.begin = begin,
	.data = data,
	.end = end,
	.archive_end = archive_end,
};

/*
 * A decompressor's window may be larger than any block of frames; the largest
 * blocks are rare, as each section of memory holds its own tables.
 */
#define BLOCK_MAX (PAGE_SIZE << (PAGE_MAX_ORDER - 1))

static void *
large_or_small(size_t size)
{
	return size > BLOCK_MAX ? kmap_alloc(size) : kmalloc(size);
}

static void
free_large_or_small(void *p)
{
	uint64_t va = (uint64_t)p;

	if (va >= KVA_MAPPED && va < KVA_MAPPED + KVA_MAPPED_SIZE)
		kmap_free(p);
	else
		kfree(p);
}

static const struct unpack_memory memory = { large_or_small,
	free_large_or_small };

static void
report(const struct unpack *u, const struct initramfs *fs, int error)
{
	if (error != 0 && u->format != NULL && strcmp(u->format, "cpio") != 0)
		log_err("initramfs: %s (byte %lu of what is unpacked, %s at "
			"byte %lu): error %d, kept what came before",
		    u->defect != NULL ? u->defect : "failed", u->inner_offset,
		    u->format, u->offset, -error);
	else if (error != 0)
		log_err("initramfs: %s at byte %lu: error %d, kept what came "
			"before",
		    u->defect != NULL ? u->defect : "failed", u->offset,
		    -error);
	if (fs->skipped > 1)
		log_warn("initramfs: %u entries left out", fs->skipped);
}

int
initramfs_unpack(paddr_t pa, uint64_t size)
{
	struct initramfs fs = {
		.start = pa,
		.end = ROUND_UP(pa + size, PAGE_SIZE),
		.released = ROUND_DOWN(pa, PAGE_SIZE),
	};
	struct unpack u = {
		.image = paddr_kva(pa),
		.size = size,
		.memory = &memory,
		.ops = &ops,
		.ctx = &fs,
		.consumed = consumed,
	};
	int error;

	vfs_ctx_kernel(&fs.ctx);
	SLIST_INIT(&fs.linked);
	SLIST_INIT(&fs.dated);
	error = unpack(&u);
	end(&fs);
	linked_forget(&fs);
	dated_apply(&fs);
	set_last(&fs, NULL, 0);
	release_below(&fs, fs.end);
	if (inode_is_tmpfs(fs.ctx.root.dentry->inode))
		tmpfs_settle(fs.ctx.root.dentry->sb);
	report(&u, &fs, error);
	return error;
}
