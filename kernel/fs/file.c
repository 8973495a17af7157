/* SPDX-License-Identifier: ISC */
/*
 * file.c - operations on open files, the same for all kinds of them.
 */
#include "fs/file.h"
#include "abi/mode.h"
#include "fs/dentry.h"
#include "fs/notify.h"
#include "kern/kmem.h"
#include "kern/page.h"
#include <linux/errno.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/mount.h>

#define RW_MAX 0x7ffff000ul /* Linux's: bytes of one transfer */

/* The file's own position, locked where others may use it. */
static bool
pos_lock(struct file *f)
{
	bool shared = (f->mode & FILE_SHARED_POS) != 0 &&
	    __atomic_load_n(&f->refs, __ATOMIC_RELAXED) > 1;

	if (shared)
		mutex_lock(&f->pos_lock);
	return shared;
}

static void
pos_unlock(struct file *f, bool locked)
{
	if (locked)
		mutex_unlock(&f->pos_lock);
}

static int
check_pos(const struct file *f, const int64_t *pos)
{
	if (pos == NULL)
		return 0;
	if ((f->mode & FILE_SEEK) == 0)
		return -ESPIPE;
	return *pos < 0 ? -EINVAL : 0;
}

long
file_read(struct file *f, struct uio *u, int64_t *pos)
{
	bool locked;
	long n;

	if ((f->mode & FILE_READ) == 0)
		return -EBADF;
	if (f->ops->read == NULL)
		return S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
	n = check_pos(f, pos);
	if (n != 0)
		return n;
	if (pos != NULL) {
		n = f->ops->read(f, u, pos);
	} else {
		locked = pos_lock(f);
		n = f->ops->read(f, u, &f->pos);
		pos_unlock(f, locked);
	}
	if (n > 0)
		vfs_notify(f->path.dentry, IN_ACCESS);
	return n;
}

long
file_write(struct file *f, struct uio *u, int64_t *pos)
{
	bool locked;
	long n;

	if ((f->mode & FILE_WRITE) == 0)
		return -EBADF;
	if (f->ops->write == NULL)
		return -EINVAL;
	n = check_pos(f, pos);
	if (n != 0)
		return n;
	if (pos != NULL) {
		n = f->ops->write(f, u, pos);
	} else {
		locked = pos_lock(f);
		n = f->ops->write(f, u, &f->pos);
		pos_unlock(f, locked);
	}
	if (n > 0)
		vfs_notify(f->path.dentry, IN_MODIFY);
	return n;
}

long
file_pread_kernel(struct file *f, void *buf, size_t len, int64_t pos)
{
	struct uio_vec vec;
	struct uio u;
	size_t done = 0;
	long n;

	while (done < len) {
		uio_init_one(&u, UIO_KERNEL, &vec, (uintptr_t)buf + done,
		    len - done);
		n = file_read(f, &u, &pos);
		if (n < 0)
			return done != 0 ? (long)done : n;
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

int64_t
no_llseek(struct file *f, int64_t offset, int whence)
{
	(void)f;
	(void)offset;
	(void)whence;
	return -ESPIPE;
}

int
no_fsync(struct file *f, bool data_only)
{
	(void)f;
	(void)data_only;
	return 0;
}

/* SEEK_DATA and SEEK_HOLE of files that are all data. */
static int64_t
seek_data(const struct file *f, int64_t offset, int whence)
{
	if (offset < 0 || (uint64_t)offset >= f->inode->size)
		return -ENXIO;
	return whence == SEEK_DATA ? offset : (int64_t)f->inode->size;
}

int64_t
generic_llseek(struct file *f, int64_t offset, int whence)
{
	int64_t from = 0, to;

	switch (whence) {
	case SEEK_SET: break;
	case SEEK_CUR: from = f->pos; break;
	case SEEK_END: from = f->inode->size; break;
	case SEEK_DATA:
	case SEEK_HOLE:
		offset = seek_data(f, offset, whence);
		if (offset < 0)
			return offset;
		break;
	default: return -EINVAL;
	}
	if (__builtin_add_overflow(from, offset, &to))
		return offset > 0 ? -EOVERFLOW : -EINVAL;
	if (to < 0 || (uint64_t)to > f->inode->sb->max_size)
		return -EINVAL;
	f->pos = to;
	return to;
}

int64_t
file_seek(struct file *f, int64_t offset, int whence)
{
	int64_t pos;
	bool locked;

	if ((f->mode & FILE_PATH) != 0)
		return -EBADF;
	if ((f->mode & FILE_SEEK) == 0)
		return -ESPIPE;
	locked = pos_lock(f);
	pos = f->ops->llseek != NULL ? f->ops->llseek(f, offset, whence) :
				       generic_llseek(f, offset, whence);
	pos_unlock(f, locked);
	return pos;
}

int
file_iterate(struct file *f, struct dir_sink *sink)
{
	struct inode *inode = f->inode;
	bool locked;
	int error;

	if ((f->mode & FILE_READ) == 0)
		return -EBADF;
	if (f->ops->iterate == NULL)
		return -ENOTDIR;
	locked = pos_lock(f);
	mutex_lock(&inode->lock);
	error = (inode->flags & INODE_DEAD) != 0 ? -ENOENT :
						   f->ops->iterate(f, sink);
	mutex_unlock(&inode->lock);
	if (error == 0)
		inode_accessed(inode, f->path.mnt);
	pos_unlock(f, locked);
	if (error == 0)
		vfs_notify(f->path.dentry, IN_ACCESS);
	return error;
}

unsigned
file_poll(struct file *f, struct poll_table *table)
{
	if (f->ops->poll == NULL)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return f->ops->poll(f, table);
}

int
file_truncate(const struct vfs_ctx *ctx, struct file *f, uint64_t size)
{
	struct vfs_attr a = { .valid = ATTR_SIZE | ATTR_FILE, .size = size };

	if ((f->mode & FILE_WRITE) == 0 || !S_ISREG(f->inode->mode))
		return -EINVAL;
	if ((f->inode->flags & INODE_APPEND) != 0)
		return -EPERM;
	return vfs_setattr(ctx, &f->path, &a);
}

int
file_fallocate(struct file *f, int mode, uint64_t offset, uint64_t len)
{
	struct inode *inode = f->inode;
	uint64_t end;

	if ((int64_t)offset < 0 || (int64_t)len <= 0)
		return -EINVAL;
	if ((mode &
		~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		    FALLOC_FL_ZERO_RANGE)) != 0)
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) != 0 &&
	    (mode & (FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE)) !=
		FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	if ((f->mode & FILE_WRITE) == 0)
		return -EBADF;
	if (S_ISFIFO(inode->mode))
		return -ESPIPE;
	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode) && !S_ISBLK(inode->mode))
		return -ENODEV;
	if (__builtin_add_overflow(offset, len, &end) ||
	    end > inode->sb->max_size)
		return -EFBIG;
	if (f->ops->fallocate == NULL)
		return -EOPNOTSUPP;
	return f->ops->fallocate(f, mode, offset, len);
}

int
file_fsync(struct file *f, bool data_only)
{
	if ((f->mode & FILE_PATH) != 0)
		return -EBADF;
	return f->ops->fsync == NULL ? -EINVAL : f->ops->fsync(f, data_only);
}

/* One page of a copy: bytes moved, 0 at the end. */
static long
copy_piece(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
    char *buf, size_t len, uint64_t size_max)
{
	struct uio_vec vec;
	struct uio u;
	size_t done = 0;
	long got, n = 0;

	uio_init_one(&u, UIO_KERNEL, &vec, (uintptr_t)buf, len);
	got = file_read(in, &u, in_pos);
	if (got <= 0)
		return got;
	while (done < (size_t)got) {
		uio_init_one(&u, UIO_KERNEL, &vec, (uintptr_t)buf + done,
		    got - done);
		u.size_max = size_max;
		n = file_write(out, &u, out_pos);
		if (n <= 0)
			break;
		done += n;
	}
	if (done < (size_t)got) { /* what was not taken is read again */
		if (in_pos != NULL)
			*in_pos -= got - done;
		else
			in->pos -= got - done;
	}
	return done != 0 ? (long)done : n;
}

long
file_copy(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
    size_t len, uint64_t size_max)
{
	struct page *page = page_alloc(0, 0);
	size_t done = 0, want;
	long n = 0;

	if (page == NULL)
		return -ENOMEM;
	len = MIN(len, RW_MAX);
	while (done < len) {
		want = MIN(len - done, PAGE_SIZE);
		n = copy_piece(in, in_pos, out, out_pos, page_kva(page), want,
		    size_max);
		if (n <= 0)
			break;
		done += n;
		if ((size_t)n < want)
			break;
	}
	page_put(page);
	return done != 0 ? (long)done : n;
}

int
file_mmap(struct file *f, uint64_t size, unsigned *vm_flags, uint64_t *offset,
    struct vm_object **object)
{
	bool noexec = f->path.mnt != NULL &&
	    (f->path.mnt->flags & MS_NOEXEC) != 0;

	if ((f->mode & FILE_READ) == 0)
		return (f->mode & FILE_PATH) != 0 ? -EBADF : -EACCES;
	if ((*vm_flags & VM_SHARED) != 0) {
		if ((f->mode & FILE_WRITE) != 0)
			*vm_flags |= VM_MAYWRITE;
		else if ((*vm_flags & VM_WRITE) != 0)
			return -EACCES;
		if ((*vm_flags & VM_WRITE) != 0 &&
		    (f->inode->flags & INODE_APPEND) != 0)
			return -EACCES;
	}
	if (noexec && (*vm_flags & VM_EXEC) != 0)
		return -EPERM;
	if (f->ops->mmap == NULL)
		return -ENODEV;
	return f->ops->mmap(f, size, vm_flags, offset, object);
}

bool
dir_emit_dots(struct file *f, struct dir_sink *sink)
{
	struct dentry *d = f->path.dentry;
	struct inode *parent;

	if (f->pos == 0) {
		if (!sink->add(sink, ".", 1, f->inode->ino, DT_DIR, 1))
			return false;
		f->pos = 1;
	}
	if (f->pos == 1) {
		spin_lock(&vfs_lock);
		parent = d->parent->inode;
		inode_get(parent);
		spin_unlock(&vfs_lock);
		if (!sink->add(sink, "..", 2, parent->ino, DT_DIR, 2)) {
			inode_put(parent);
			return false;
		}
		inode_put(parent);
		f->pos = 2;
	}
	return true;
}

/* The first child from position pos on, referenced. */
static struct dentry *
child_from(struct dentry *dir, struct dentry *last, int64_t pos)
{
	struct dentry *d;

	spin_lock(&vfs_lock);
	if (last != NULL && (last->flags & DENTRY_HASHED) != 0 &&
	    last->parent == dir)
		d = TAILQ_NEXT(last, sibling);
	else
		d = TAILQ_FIRST(&dir->children);
	while (d != NULL && (d->cookie < (uint64_t)pos || d->inode == NULL))
		d = TAILQ_NEXT(d, sibling);
	if (d != NULL)
		dentry_get(d);
	spin_unlock(&vfs_lock);
	return d;
}

/*
 * A name's position is its cookie; names are in the order of cookies, and
 * none is given twice, so entries removed or added meanwhile move no other.
 */
int
dcache_iterate(struct file *f, struct dir_sink *sink)
{
	struct dentry *dir = f->path.dentry, *d, *last = NULL;
	struct inode *inode;
	int error;

	error = dentry_populate(dir);
	if (error != 0)
		return error;
	if (!dir_emit_dots(f, sink))
		return 0;
	while ((d = child_from(dir, last, f->pos)) != NULL) {
		dentry_put(last);
		last = d;
		inode = d->inode;
		if (!sink->add(sink, d->name, d->len, inode->ino,
			inode->mode >> 12 & 15, d->cookie + 1))
			break;
		f->pos = d->cookie + 1;
	}
	dentry_put(last);
	return 0;
}
