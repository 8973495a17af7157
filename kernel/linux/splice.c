/* SPDX-License-Identifier: ISC */
/*
 * splice.c - splice(2), tee(2), vmsplice(2): bytes in and out of pipes by
 * frames where both sides are pipes, through the file's own read and write
 * otherwise.
 *
 * A pipe stays locked while the file at the other side is read or written:
 * what was read has its place, what could not be written stays.
 */
#include "fs/file.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/pipe.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/sys_files.h"
#include "linux/transfer.h"
#include <linux/fcntl.h>

/* splice(2)'s flags; only the C library's header has them. */
#define SPLICE_MOVE     0x1u
#define SPLICE_NONBLOCK 0x2u
#define SPLICE_MORE     0x4u
#define SPLICE_GIFT     0x8u
#define SPLICE_ALL      (SPLICE_MOVE | SPLICE_NONBLOCK | SPLICE_MORE | SPLICE_GIFT)

/* One frame's worth from the file to the end of the pipe, which has room. */
static long
splice_page_in_locked(struct file *in, int64_t *pos, struct pipe *p,
    uint64_t len)
{
	struct pipe_buf buf = { .page = pipe_page_locked(p) };
	struct uio_vec vec;
	struct uio u;
	long n;

	if (buf.page == NULL)
		return -ENOMEM;
	uio_init_one(&u, UIO_KERNEL, &vec, (uint64_t)page_kva(buf.page),
	    MIN(len, (uint64_t)PAGE_SIZE));
	n = file_read(in, &u, pos);
	if (n <= 0) {
		page_put(buf.page);
		return n;
	}
	buf.len = (uint16_t)n;
	pipe_append_locked(p, &buf);
	return n;
}

static long
splice_in(struct file *in, int64_t *pos, struct pipe *p, uint64_t len,
    bool nonblock)
{
	uint64_t done = 0;
	long n;

	mutex_lock(&p->lock);
	n = pipe_wait_writable_locked(p, nonblock);
	if (n == 0 && p->nreaders == 0)
		n = -EPIPE;
	while (n >= 0 && done < len && !pipe_full(p)) {
		/* A stream has given what it has; more might be a long wait. */
		if (done != 0 && (in->mode & FILE_SEEK) == 0)
			break;
		n = splice_page_in_locked(in, pos, p, len - done);
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	mutex_unlock(&p->lock);
	if (done != 0)
		waitq_wake_all(&p->readable);
	if (n == -EPIPE)
		signal_send_self(SIGPIPE);
	return done != 0 ? (long)done : n;
}

/* The oldest stretch of the pipe to the file, as far as the file takes it. */
static long
splice_page_out_locked(struct pipe *p, struct file *out, int64_t *pos,
    uint64_t len)
{
	struct pipe_buf *buf = pipe_slot(p, p->tail);
	struct uio_vec vec;
	struct uio u;
	long n;

	uio_init_one(&u, UIO_KERNEL, &vec,
	    (uint64_t)page_kva(buf->page) + buf->off,
	    MIN(len, (uint64_t)buf->len));
	u.size_max = transfer_size_max();
	n = transfer_written(file_write(out, &u, pos));
	if (n > 0)
		pipe_consume_locked(p, (unsigned)n);
	return n;
}

static long
splice_out(struct pipe *p, struct file *out, int64_t *pos, uint64_t len,
    bool nonblock)
{
	uint64_t done = 0;
	long n;

	mutex_lock(&p->lock);
	n = pipe_wait_readable_locked(p, nonblock);
	while (n >= 0 && done < len && !pipe_empty(p)) {
		n = splice_page_out_locked(p, out, pos, len - done);
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	mutex_unlock(&p->lock);
	if (done != 0)
		waitq_wake_all(&p->writable);
	return done != 0 ? (long)done : n;
}

static void
pipe_lock_two(struct pipe *a, struct pipe *b)
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	mutex_lock(a < b ? &b->lock : &a->lock);
}

static void
pipe_unlock_two(struct pipe *a, struct pipe *b)
{
	mutex_unlock(&a->lock);
	mutex_unlock(&b->lock);
}

/* Waits, no lock held, for bytes in one pipe and for room in the other. */
static int
splice_wait_pipes(struct pipe *in, struct pipe *out, bool nonblock)
{
	int error;

	mutex_lock(&in->lock);
	error = pipe_wait_readable_locked(in, nonblock);
	mutex_unlock(&in->lock);
	if (error != 0)
		return error;
	mutex_lock(&out->lock);
	error = pipe_wait_writable_locked(out, nonblock);
	mutex_unlock(&out->lock);
	return error;
}

/* Moves or (`keep`) shares frames from one pipe to the other. */
static uint64_t
splice_frames_locked(struct pipe *in, struct pipe *out, uint64_t len, bool keep)
{
	unsigned from = in->tail;
	uint64_t done = 0;
	struct pipe_buf *buf, new;

	while (done < len && from != in->head && !pipe_full(out)) {
		buf = pipe_slot(in, from);
		new = *buf;
		new.len = (uint16_t)MIN((uint64_t)buf->len, len - done);
		/* Two users of one frame: neither may write behind its part. */
		buf->shared = new.shared = 1;
		page_get(new.page);
		pipe_append_locked(out, &new);
		done += new.len;
		if (!keep)
			pipe_consume_locked(in, new.len);
		from++;
	}
	return done;
}

static long
splice_pipes(struct pipe *in, struct pipe *out, uint64_t len, bool nonblock,
    bool keep)
{
	uint64_t done = 0;
	bool end, broken;
	int error;

	do {
		error = splice_wait_pipes(in, out, nonblock);
		if (error != 0)
			return error;
		pipe_lock_two(in, out);
		broken = out->nreaders == 0;
		end = pipe_empty(in) && in->nwriters == 0;
		if (!broken)
			done = splice_frames_locked(in, out, len, keep);
		pipe_unlock_two(in, out);
	} while (done == 0 && !broken && !end);
	if (broken) {
		signal_send_self(SIGPIPE);
		return -EPIPE;
	}
	waitq_wake_all(&out->readable);
	if (!keep)
		waitq_wake_all(&in->writable);
	return (long)done;
}

static long
splice_files(struct file *in, int64_t *in_pos, struct file *out,
    int64_t *out_pos, uint64_t len, unsigned flags)
{
	struct pipe *from = pipe_of(in), *to = pipe_of(out);
	bool nonblock = (flags & SPLICE_NONBLOCK) != 0;

	if (from == NULL && to == NULL)
		return -EINVAL;
	if ((from != NULL && in_pos != NULL) || (to != NULL && out_pos != NULL))
		return -ESPIPE;
	if (from == to)
		return -EINVAL;
	if (from != NULL && to != NULL)
		return splice_pipes(from, to, len,
		    nonblock || ((in->flags | out->flags) & O_NONBLOCK) != 0,
		    false);
	if (to != NULL)
		return splice_in(in, in_pos, to, len,
		    nonblock || (out->flags & O_NONBLOCK) != 0);
	if ((out->flags & O_APPEND) != 0)
		return -EINVAL;
	return splice_out(from, out, out_pos, len,
	    nonblock || (in->flags & O_NONBLOCK) != 0);
}

/* A position that the program gave; NULL: the file's own.  -EFAULT, -EINVAL */
static int
splice_pos(struct file *file, uaddr_t src, int64_t *pos, int64_t **out)
{
	*out = NULL;
	if (src == 0)
		return 0;
	if (pipe_of(file) != NULL)
		return -ESPIPE;
	if (copyin(pos, src, sizeof(*pos)) != 0)
		return -EFAULT;
	if ((file->mode & FILE_SEEK) == 0 || *pos < 0)
		return -EINVAL;
	*out = pos;
	return 0;
}

static long
splice_user(struct file *in, uaddr_t uin, struct file *out, uaddr_t uout,
    uint64_t len, unsigned flags)
{
	int64_t in_at, out_at, *in_pos, *out_pos;
	long n;

	if ((in->mode & FILE_READ) == 0 || (out->mode & FILE_WRITE) == 0)
		return -EBADF;
	n = splice_pos(in, uin, &in_at, &in_pos);
	if (n == 0)
		n = splice_pos(out, uout, &out_at, &out_pos);
	if (n == 0)
		n = splice_files(in, in_pos, out, out_pos, len, flags);
	if (n > 0 && in_pos != NULL &&
	    copyout(uin, in_pos, sizeof(*in_pos)) != 0)
		n = -EFAULT;
	if (n > 0 && out_pos != NULL &&
	    copyout(uout, out_pos, sizeof(*out_pos)) != 0)
		n = -EFAULT;
	return n;
}

long
sys_splice(int in_fd, uaddr_t uin, int out_fd, uaddr_t uout, uint64_t len,
    unsigned flags)
{
	struct fdref in, out;
	long n = -EBADF;

	if (len == 0)
		return 0;
	if ((flags & ~SPLICE_ALL) != 0)
		return -EINVAL;
	in = fd_get(in_fd);
	out = fd_get(out_fd);
	if (in.file != NULL && out.file != NULL)
		n = splice_user(in.file, uin, out.file, uout,
		    MIN(len, (uint64_t)TRANSFER_MAX), flags);
	fd_put(out);
	fd_put(in);
	return n;
}

static long
tee_files(struct file *in, struct file *out, uint64_t len, bool nonblock)
{
	struct pipe *from = pipe_of(in), *to = pipe_of(out);

	if ((in->mode & FILE_READ) == 0 || (out->mode & FILE_WRITE) == 0)
		return -EBADF;
	if (from == NULL || to == NULL || from == to)
		return -EINVAL;
	nonblock |= ((in->flags | out->flags) & O_NONBLOCK) != 0;
	return splice_pipes(from, to, len, nonblock, true);
}

long
sys_tee(int in_fd, int out_fd, uint64_t len, unsigned flags)
{
	struct fdref in, out;
	long n = -EBADF;

	if ((flags & ~SPLICE_ALL) != 0)
		return -EINVAL;
	if (len == 0)
		return 0;
	in = fd_get(in_fd);
	out = fd_get(out_fd);
	if (in.file != NULL && out.file != NULL)
		n = tee_files(in.file, out.file,
		    MIN(len, (uint64_t)TRANSFER_MAX),
		    (flags & SPLICE_NONBLOCK) != 0);
	fd_put(out);
	fd_put(in);
	return n;
}

/* The program's pages are copied: it may reuse them at once, gift or not. */
long
sys_vmsplice(int fd, uaddr_t uvec, uint64_t nvec, unsigned flags)
{
	struct fdref ref;
	struct transfer_vec tv;
	struct uio u;
	long n;

	if ((flags & ~SPLICE_ALL) != 0)
		return -EINVAL;
	ref = fd_get(fd);
	if (ref.file == NULL || pipe_of(ref.file) == NULL) {
		fd_put(ref);
		return -EBADF;
	}
	n = transfer_vec_get(&tv, uvec, nvec);
	if (n == 0) {
		uio_init(&u, UIO_USER, tv.vec, tv.n);
		u.flags = (flags & SPLICE_NONBLOCK) != 0 ? UIO_NOWAIT : 0;
		n = (ref.file->mode & FILE_WRITE) != 0 ?
		    file_write(ref.file, &u, NULL) :
		    file_read(ref.file, &u, NULL);
		transfer_vec_put(&tv);
	}
	fd_put(ref);
	return n;
}
