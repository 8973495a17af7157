/* SPDX-License-Identifier: ISC */
/*
 * pipe.c - pipes and FIFOs: pipe(2), pipe(7), fifo(7).
 *
 * Bytes lie in the order of writing in a ring of frames.  A write of at most
 * PIPE_BUF bytes needs at most one free slot, which is what makes it atomic:
 * it joins the newest frame if it fits as a whole, or gets a frame of its own.
 *
 * file->pos, of no other use in a pipe, holds how many writers had come when
 * a reader opened a FIFO: there is no hang-up before the first has gone.
 */
#include "linux/pipe.h"
#include "abi/mode.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/sys_files.h"
#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

static struct objcache pipe_cache = OBJCACHE_INIT("pipe", sizeof(struct pipe));
static struct mutex fifo_lock = MUTEX_INIT(fifo_lock); /* inode->ipc */

static struct pipe *
pipe_alloc(void)
{
	struct pipe *p = objcache_zalloc(&pipe_cache);

	if (p == NULL)
		return NULL;
	mutex_init(&p->lock);
	waitq_init(&p->readable);
	waitq_init(&p->writable);
	p->ring = p->small;
	p->nslots = PIPE_SLOTS;
	return p;
}

static void
pipe_free(struct pipe *p)
{
	for (; p->tail != p->head; p->tail++)
		page_put(pipe_slot(p, p->tail)->page);
	if (p->spare != NULL)
		page_put(p->spare);
	if (p->ring != p->small)
		kfree(p->ring);
	objcache_free(&pipe_cache, p);
}

/* ------------------------------------------------------------ the ring -- */

struct page *
pipe_page_locked(struct pipe *p)
{
	struct page *page = p->spare;

	p->spare = NULL;
	return page != NULL ? page : page_alloc(0, 0);
}

void
pipe_append_locked(struct pipe *p, const struct pipe_buf *buf)
{
	KASSERT(!pipe_full(p) && buf->len != 0);
	*pipe_slot(p, p->head) = *buf;
	p->head++;
	p->nbytes += buf->len;
}

void
pipe_consume_locked(struct pipe *p, unsigned len)
{
	struct pipe_buf *buf = pipe_slot(p, p->tail);

	KASSERT(len <= buf->len);
	buf->off += len;
	buf->len -= (uint16_t)len;
	p->nbytes -= len;
	if (buf->len != 0)
		return;
	if (p->spare == NULL && !buf->shared)
		p->spare = buf->page;
	else
		page_put(buf->page);
	buf->page = NULL;
	p->tail++;
}

static bool
pipe_can_read(const struct pipe *p)
{
	return !pipe_empty(p) || p->nwriters == 0;
}

static bool
pipe_can_write(const struct pipe *p)
{
	return !pipe_full(p) || p->nreaders == 0;
}

int
pipe_wait_readable_locked(struct pipe *p, bool nonblock)
{
	int error = 0;

	while (error == 0 && !pipe_can_read(p)) {
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		error = wait_event_intr(&p->readable, pipe_can_read(p));
		mutex_lock(&p->lock);
	}
	return error;
}

int
pipe_wait_writable_locked(struct pipe *p, bool nonblock)
{
	int error = 0;

	while (error == 0 && !pipe_can_write(p)) {
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		error = wait_event_intr(&p->writable, pipe_can_write(p));
		mutex_lock(&p->lock);
	}
	return error;
}

static bool
pipe_nonblock(const struct file *file, const struct uio *u)
{
	return (file->flags & O_NONBLOCK) != 0 || (u->flags & UIO_NOWAIT) != 0;
}

/* ------------------------------------------------------- read and write -- */

/* Moves what is there; *done counts bytes.  -EFAULT */
static int
pipe_drain_locked(struct pipe *p, struct uio *u, size_t *done)
{
	struct pipe_buf *buf;
	size_t want, n;
	bool packet;

	while (!pipe_empty(p) && u->resid != 0) {
		buf = pipe_slot(p, p->tail);
		packet = buf->packet;
		want = MIN((uint64_t)buf->len, u->resid);
		n = uio_put(u, (char *)page_kva(buf->page) + buf->off, want);
		*done += n;
		/* A packet's rest is lost, like a datagram's. */
		if (n == want && packet)
			n = buf->len;
		pipe_consume_locked(p, (unsigned)n);
		if (n < want)
			return -EFAULT;
		if (packet)
			break;
	}
	return 0;
}

static long
pipe_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct pipe *p = file->priv;
	size_t done = 0;
	int error;

	(void)pos;
	if (u->resid == 0)
		return 0;
	mutex_lock(&p->lock);
	error = pipe_wait_readable_locked(p, pipe_nonblock(file, u));
	if (error == 0)
		error = pipe_drain_locked(p, u, &done);
	mutex_unlock(&p->lock);
	if (done != 0)
		waitq_wake_all(&p->writable);
	return done != 0 ? (long)done : error;
}

/* Joins a short write to the newest frame, if it fits there as a whole. */
static int
pipe_merge_locked(struct pipe *p, struct uio *u, size_t *done)
{
	size_t want = u->resid & PAGE_MASK, n;
	struct pipe_buf *buf;

	if (pipe_empty(p) || want == 0)
		return 0;
	buf = pipe_slot(p, p->head - 1);
	if (buf->shared || buf->packet ||
	    buf->off + buf->len + want > PAGE_SIZE)
		return 0;
	n = uio_get(u, (char *)page_kva(buf->page) + buf->off + buf->len, want);
	buf->len += (uint16_t)n;
	p->nbytes += n;
	*done += n;
	return n < want ? -EFAULT : 0;
}

/* One frame more, of at most a page. */
static int
pipe_fill_slot_locked(struct pipe *p, struct uio *u, bool packet, size_t *done)
{
	struct pipe_buf buf = { .packet = packet };
	size_t want = MIN(u->resid, (uint64_t)PAGE_SIZE), n;

	buf.page = pipe_page_locked(p);
	if (buf.page == NULL)
		return -ENOMEM;
	n = uio_get(u, page_kva(buf.page), want);
	buf.len = (uint16_t)n;
	*done += n;
	if (n != 0)
		pipe_append_locked(p, &buf);
	else
		page_put(buf.page);
	return n < want ? -EFAULT : 0;
}

/* Writes until all is in the pipe; lock held but for the waits. */
static int
pipe_fill_locked(struct pipe *p, struct file *file, struct uio *u, size_t *done)
{
	bool packet = (file->flags & O_DIRECT) != 0;
	int error = 0;

	if (p->nreaders != 0 && !packet)
		error = pipe_merge_locked(p, u, done);
	while (error == 0 && u->resid != 0) {
		if (p->nreaders == 0)
			return -EPIPE;
		if (!pipe_full(p)) {
			error = pipe_fill_slot_locked(p, u, packet, done);
			continue;
		}
		if (*done != 0)
			waitq_wake_all(&p->readable);
		error = pipe_wait_writable_locked(p, pipe_nonblock(file, u));
	}
	return error;
}

static long
pipe_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct pipe *p = file->priv;
	size_t done = 0;
	int error;

	(void)pos;
	if (u->resid == 0)
		return 0;
	mutex_lock(&p->lock);
	error = pipe_fill_locked(p, file, u, &done);
	mutex_unlock(&p->lock);
	if (done != 0)
		waitq_wake_all(&p->readable);
	if (error == -EPIPE)
		signal_send_self(SIGPIPE);
	return done != 0 ? (long)done : error;
}

static unsigned
pipe_poll(struct file *file, struct poll_table *table)
{
	struct pipe *p = file->priv;
	unsigned events = 0;

	if ((file->mode & FILE_READ) != 0) {
		poll_wait(table, &p->readable);
		if (!pipe_empty(p))
			events |= POLLIN | POLLRDNORM;
		if (p->nwriters == 0 && (uint32_t)file->pos != p->writer_opens)
			events |= POLLHUP;
	}
	if ((file->mode & FILE_WRITE) != 0) {
		poll_wait(table, &p->writable);
		if (!pipe_full(p))
			events |= POLLOUT | POLLWRNORM;
		if (p->nreaders == 0)
			events |= POLLERR;
	}
	return events;
}

static long
pipe_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	struct pipe *p = file->priv;
	int n;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	n = (int)p->nbytes;
	mutex_unlock(&p->lock);
	return copyout(arg, &n, sizeof(n));
}

/* ----------------------------------------------------- opens and closes -- */

/* Counts a new end in, and wakes who waits in an open of the other. */
static void
pipe_attach_locked(struct pipe *p, struct file *file)
{
	if ((file->mode & FILE_READ) != 0) {
		p->nreaders++;
		p->reader_opens++;
		waitq_wake_all(&p->writable);
	}
	if ((file->mode & FILE_WRITE) != 0) {
		p->nwriters++;
		p->writer_opens++;
		waitq_wake_all(&p->readable);
	}
}

/* Counts an end out; true: it was the last file of the pipe. */
static bool
pipe_detach(struct pipe *p, struct file *file)
{
	bool last;

	mutex_lock(&p->lock);
	if ((file->mode & FILE_READ) != 0)
		p->nreaders--;
	if ((file->mode & FILE_WRITE) != 0)
		p->nwriters--;
	last = --p->files == 0;
	if (!last && (p->nreaders == 0 || p->nwriters == 0)) {
		waitq_wake_all(&p->readable);
		waitq_wake_all(&p->writable);
	}
	mutex_unlock(&p->lock);
	return last;
}

static void
pipe_release(struct file *file)
{
	struct inode *inode = file->inode;
	struct pipe *p = file->priv;
	bool last;

	mutex_lock(&fifo_lock);
	last = pipe_detach(p, file);
	if (last && inode->ipc == p)
		inode->ipc = NULL;
	mutex_unlock(&fifo_lock);
	if (last)
		pipe_free(p);
}

/* fifo(7): an open waits for the other end, unless it has both or may not. */
static int
fifo_wait_locked(struct pipe *p, struct file *file)
{
	bool nonblock = (file->flags & O_NONBLOCK) != 0;
	uint32_t seen;
	int error = 0;

	/* /proc/PID/fd/N of a pipe opens at once, as it finds it. */
	if (p->unnamed)
		return 0;
	if ((file->mode & (FILE_READ | FILE_WRITE)) != FILE_READ &&
	    (file->mode & (FILE_READ | FILE_WRITE)) != FILE_WRITE)
		return 0;
	if ((file->mode & FILE_READ) != 0 && p->nwriters == 0) {
		seen = p->writer_opens;
		file->pos = seen;
		if (nonblock)
			return 0;
		mutex_unlock(&p->lock);
		error = wait_event_intr(&p->readable, p->writer_opens != seen);
		mutex_lock(&p->lock);
		file->pos = -1;
	} else if ((file->mode & FILE_WRITE) != 0 && p->nreaders == 0) {
		seen = p->reader_opens;
		mutex_unlock(&p->lock);
		error = wait_event_intr(&p->writable, p->reader_opens != seen);
		mutex_lock(&p->lock);
	}
	return error;
}

static int
fifo_attach(struct pipe *p, struct file *file)
{
	int error = 0;

	mutex_lock(&p->lock);
	file->pos = -1;
	if (!p->unnamed &&
	    (file->mode & (FILE_READ | FILE_WRITE)) == FILE_WRITE &&
	    (file->flags & O_NONBLOCK) != 0 && p->nreaders == 0)
		error = -ENXIO;
	if (error == 0) {
		pipe_attach_locked(p, file);
		error = fifo_wait_locked(p, file);
		if (error != 0) {
			if ((file->mode & FILE_READ) != 0)
				p->nreaders--;
			if ((file->mode & FILE_WRITE) != 0)
				p->nwriters--;
		}
	}
	mutex_unlock(&p->lock);
	return error;
}

/* The pipe behind a FIFO's node, made at need, with a place for one file. */
static struct pipe *
fifo_pipe_get(struct inode *inode)
{
	struct pipe *p;

	mutex_lock(&fifo_lock);
	p = inode->ipc;
	if (p == NULL)
		p = inode->ipc = pipe_alloc();
	if (p != NULL) {
		mutex_lock(&p->lock);
		p->files++;
		mutex_unlock(&p->lock);
	}
	mutex_unlock(&fifo_lock);
	return p;
}

static int
fifo_open(struct inode *inode, struct file *file)
{
	struct pipe *p = fifo_pipe_get(inode);
	int error;

	if (p == NULL)
		return -ENOMEM;
	file->ops = &pipe_ops;
	file->priv = p;
	file->mode &= ~FILE_SEEK;
	error = fifo_attach(p, file);
	if (error != 0) {
		/* Not an end any more, only a file to be counted out. */
		file->mode &= ~(FILE_READ | FILE_WRITE);
		pipe_release(file);
	}
	return error;
}

int
pipe_create(unsigned flags, struct file **in, struct file **out)
{
	struct pipe *p = pipe_alloc();
	uint64_t ino;
	char label[32];
	int error;

	if (p == NULL)
		return -ENOMEM;
	ino = anon_ino_next();
	snprintf(label, sizeof(label), "pipe:[%lu]", ino);
	error = file_create_anon(label, S_IFIFO | 0600, NULL, &pipe_ops, p,
	    O_RDONLY | (flags & O_NONBLOCK), in);
	if (error != 0) {
		pipe_free(p);
		return error;
	}
	p->unnamed = true;
	(*in)->inode->uid = creds_self()->fsuid;
	(*in)->inode->gid = creds_self()->fsgid;
	(*in)->inode->ino = ino;
	(*in)->inode->ipc = p; /* for who opens it again */
	p->files = 1;
	p->nreaders = 1;
	error = file_create_anon(label, S_IFIFO | 0600, (*in)->inode, &pipe_ops,
	    p, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), out);
	if (error != 0) {
		file_put(*in);
		return error;
	}
	p->files = 2;
	p->nwriters = 1;
	(*in)->pos = -1;
	return 0;
}

/* Two numbers for the two ends, told to the program before they are open. */
static int
pipe_install(struct file *in, struct file *out, uaddr_t fds, bool cloexec)
{
	int fd[2], error = 0;

	fd[0] = fd_reserve(0);
	if (fd[0] < 0)
		return fd[0];
	fd[1] = fd_reserve(0);
	if (fd[1] < 0)
		error = fd[1];
	else if (copyout(fds, fd, sizeof(fd)) != 0)
		error = -EFAULT;
	if (error != 0) {
		if (fd[1] >= 0)
			fd_unreserve(fd[1]);
		fd_unreserve(fd[0]);
		return error;
	}
	fd_install(fd[0], in, cloexec);
	fd_install(fd[1], out, cloexec);
	return 0;
}

long
sys_pipe2(uaddr_t fds, unsigned flags)
{
	struct file *in, *out;
	int error;

	if ((flags & ~(unsigned)(O_CLOEXEC | O_DIRECT | O_NONBLOCK)) != 0)
		return -EINVAL;
	error = pipe_create(flags, &in, &out);
	if (error != 0)
		return error;
	error = pipe_install(in, out, fds, (flags & O_CLOEXEC) != 0);
	if (error != 0) {
		file_put(out);
		file_put(in);
	}
	return error;
}

long
sys_pipe(uaddr_t fds)
{
	return sys_pipe2(fds, 0);
}

/* ---------------------------------------------------------------- size -- */

long
pipe_size(struct pipe *p)
{
	return (long)p->nslots * (long)PAGE_SIZE;
}

static int
pipe_resize_locked(struct pipe *p, unsigned nslots)
{
	unsigned n = p->head - p->tail, i;
	struct pipe_buf *ring;

	if (n > nslots)
		return -EBUSY;
	ring = kcalloc(nslots, sizeof(*ring));
	if (ring == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		ring[i] = *pipe_slot(p, p->tail + i);
	if (p->ring != p->small)
		kfree(p->ring);
	p->ring = ring;
	p->nslots = nslots;
	p->tail = 0;
	p->head = n;
	return 0;
}

long
pipe_resize(struct pipe *p, uint64_t bytes)
{
	unsigned nslots = 1;
	int error;

	if (bytes > 1ull << 31)
		return -EINVAL;
	while ((uint64_t)nslots * PAGE_SIZE < bytes)
		nslots *= 2;
	if (nslots > PIPE_SLOTS_MAX && nslots > p->nslots &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	mutex_lock(&p->lock);
	error = pipe_resize_locked(p, nslots);
	mutex_unlock(&p->lock);
	waitq_wake_all(&p->writable);
	return error != 0 ? error : (long)nslots * (long)PAGE_SIZE;
}

const struct file_ops pipe_ops = {
	.open = fifo_open,
	.release = pipe_release,
	.read = pipe_read,
	.write = pipe_write,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.llseek = no_llseek,
};
