/* SPDX-License-Identifier: ISC */
/*
 * sys_io.c - read(2), write(2) and their forms with positions and vectors,
 * lseek(2).  Arguments become a struct uio, the rest is the VFS's.
 */
#include "fs/file.h"
#include "kern/kmem.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/sys_files.h"
#include "linux/transfer.h"
#include "x86/layout.h"
#include <linux/capability.h>
#include <linux/fs.h>

#define IO_RWF_ALL (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND)

/* A range that could be the program's at all; copies find out the rest. */
static bool
io_range_ok(uaddr_t buf, uint64_t len)
{
	return len <= USER_END && buf <= USER_END - len;
}

uint64_t
transfer_size_max(void)
{
	return process_self()->rlimits[RLIMIT_FSIZE].rlim_cur;
}

long
transfer_written(long n)
{
	if (n == -EFBIG)
		signal_send_self(SIGXFSZ);
	return n;
}

static long
io_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct process *p = process_self();
	long n = file_read(file, u, pos);

	p->read_calls++;
	p->read_bytes += MAX(n, 0);
	return n;
}

static long
io_write(struct file *file, struct uio *u, int64_t *pos)
{
	const struct task *self = task_self();
	struct process *p = self->process;
	long n;

	u->size_max = p->rlimits[RLIMIT_FSIZE].rlim_cur;
	if ((self->creds->cap_effective >> CAP_FSETID & 1) != 0)
		u->flags |= UIO_KEEP_MODE;
	n = transfer_written(file_write(file, u, pos));
	p->write_calls++;
	p->write_bytes += MAX(n, 0);
	return n;
}

/* One buffer; `need` is the FILE_* bit without which EBADF comes first. */
static long
io_one(int fd, uaddr_t buf, uint64_t len, int64_t *pos, uint32_t need)
{
	struct fdref ref = fd_get_any(fd);
	struct uio_vec vec;
	struct uio u;
	long n;

	if (ref.file == NULL)
		return -EBADF;
	if (io_range_ok(buf, len)) {
		uio_init_one(&u, UIO_USER, &vec, buf,
		    MIN(len, (uint64_t)TRANSFER_MAX));
		n = need == FILE_READ ? io_read(ref.file, &u, pos) :
					io_write(ref.file, &u, pos);
	} else {
		n = (ref.file->mode & need) != 0 ? -EFAULT : -EBADF;
	}
	fd_put(ref);
	return n;
}

long
sys_read(int fd, uaddr_t buf, uint64_t len)
{
	return io_one(fd, buf, len, NULL, FILE_READ);
}

long
sys_write(int fd, uaddr_t buf, uint64_t len)
{
	return io_one(fd, buf, len, NULL, FILE_WRITE);
}

long
sys_pread64(int fd, uaddr_t buf, uint64_t len, int64_t pos)
{
	if (pos < 0)
		return -EINVAL;
	return io_one(fd, buf, len, &pos, FILE_READ);
}

long
sys_pwrite64(int fd, uaddr_t buf, uint64_t len, int64_t pos)
{
	if (pos < 0)
		return -EINVAL;
	return io_one(fd, buf, len, &pos, FILE_WRITE);
}

/* Checks vectors that were copied in, and cuts them to what one call moves. */
static int
io_vec_check(struct uio_vec *vec, unsigned n)
{
	uint64_t room = TRANSFER_MAX;
	unsigned i;

	for (i = 0; i < n; i++) {
		if ((int64_t)vec[i].len < 0)
			return -EINVAL;
		if (!io_range_ok(vec[i].base, vec[i].len))
			return -EFAULT;
		vec[i].len = MIN(vec[i].len, room);
		room -= vec[i].len;
	}
	return 0;
}

int
transfer_vec_get(struct transfer_vec *tv, uaddr_t src, uint64_t n)
{
	int error = 0;

	if (n > TRANSFER_IOV_MAX)
		return -EINVAL;
	tv->vec = tv->small;
	tv->n = (unsigned)n;
	if (n > ARRAY_SIZE(tv->small)) {
		tv->vec = kmalloc(n * sizeof(tv->vec[0]));
		if (tv->vec == NULL)
			return -ENOMEM;
	}
	if (n != 0)
		error = copyin(tv->vec, src, n * sizeof(tv->vec[0]));
	if (error == 0)
		error = io_vec_check(tv->vec, tv->n);
	if (error != 0)
		transfer_vec_put(tv);
	return error;
}

void
transfer_vec_put(struct transfer_vec *tv)
{
	if (tv->vec != tv->small)
		kfree(tv->vec);
}

static unsigned
io_rwf_to_uio(unsigned flags)
{
	unsigned out = 0;

	if ((flags & RWF_NOWAIT) != 0)
		out |= UIO_NOWAIT;
	if ((flags & RWF_APPEND) != 0)
		out |= UIO_APPEND;
	if ((flags & (RWF_DSYNC | RWF_SYNC)) != 0)
		out |= UIO_DSYNC;
	return out;
}

static long
io_vec(int fd, uaddr_t src, uint64_t nvec, int64_t *pos, uint32_t need,
    unsigned flags)
{
	struct fdref ref = fd_get_any(fd);
	struct transfer_vec tv;
	struct uio u;
	long n;

	if (ref.file == NULL)
		return -EBADF;
	n = transfer_vec_get(&tv, src, nvec);
	if (n == 0 && (flags & ~(unsigned)IO_RWF_ALL) != 0) {
		transfer_vec_put(&tv);
		n = -EOPNOTSUPP;
	}
	if (n == 0) {
		uio_init(&u, UIO_USER, tv.vec, tv.n);
		u.flags = io_rwf_to_uio(flags);
		n = need == FILE_READ ? io_read(ref.file, &u, pos) :
					io_write(ref.file, &u, pos);
		transfer_vec_put(&tv);
	}
	fd_put(ref);
	return n;
}

long
sys_readv(int fd, uaddr_t vec, uint64_t n)
{
	return io_vec(fd, vec, n, NULL, FILE_READ, 0);
}

long
sys_writev(int fd, uaddr_t vec, uint64_t n)
{
	return io_vec(fd, vec, n, NULL, FILE_WRITE, 0);
}

long
sys_preadv(int fd, uaddr_t vec, uint64_t n, int64_t pos)
{
	return pos < 0 ? -EINVAL : io_vec(fd, vec, n, &pos, FILE_READ, 0);
}

long
sys_pwritev(int fd, uaddr_t vec, uint64_t n, int64_t pos)
{
	return pos < 0 ? -EINVAL : io_vec(fd, vec, n, &pos, FILE_WRITE, 0);
}

/* On 64-bit machines `high` says nothing that pos does not. */
static long
io_vec2(int fd, uaddr_t vec, uint64_t n, int64_t pos, uint32_t need,
    unsigned flags)
{
	if (pos == -1)
		return io_vec(fd, vec, n, NULL, need, flags);
	return pos < 0 ? -EINVAL : io_vec(fd, vec, n, &pos, need, flags);
}

long
sys_preadv2(int fd, uaddr_t vec, uint64_t n, int64_t pos, uint64_t high,
    unsigned flags)
{
	(void)high;
	return io_vec2(fd, vec, n, pos, FILE_READ, flags);
}

long
sys_pwritev2(int fd, uaddr_t vec, uint64_t n, int64_t pos, uint64_t high,
    unsigned flags)
{
	(void)high;
	return io_vec2(fd, vec, n, pos, FILE_WRITE, flags);
}

long
sys_lseek(int fd, int64_t offset, unsigned whence)
{
	struct fdref ref = fd_get(fd);
	long pos;

	if (ref.file == NULL)
		return -EBADF;
	pos = whence > SEEK_MAX ? -EINVAL :
				  file_seek(ref.file, offset, (int)whence);
	fd_put(ref);
	return pos;
}
