/* SPDX-License-Identifier: ISC */
/*
 * sys_aio.c - io_setup(2), io_submit(2), io_getevents(2) and their kin.
 *
 * Transfers that the file can begin without waiting (block devices opened with
 * O_DIRECT) end by themselves; all others are done at once, as on Linux, and
 * their events are there when io_submit returns.
 */
#include "fs/file.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/later.h"
#include "kern/uaccess.h"
#include "linux/aio.h"
#include "linux/fdtable.h"
#include "linux/files.h"
#include "linux/poll_call.h"
#include "linux/process.h"
#include "linux/timespec.h"
#include "linux/transfer.h"
#include "x86/layout.h"
#include <linux/errno.h>
#include <linux/fs.h>

#define KIOCB_KEY 0u /* what aio_key is set to */

struct aio_req {
	struct file_async fa;
	struct later later;
	struct aio_context *ctx;
	struct file *file, *eventfd; /* eventfd: NULL: none */
	struct io_event event;
};

/* ---------------------------------------------------------- the end -- */

/* True if the reference was not the last one and is gone. */
static bool
put_unless_last(struct file *f)
{
	uint32_t n = __atomic_load_n(&f->refs, __ATOMIC_RELAXED);

	while (n > 1) {
		if (__atomic_compare_exchange_n(&f->refs, &n, n - 1, false,
			__ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static void
free_req(struct aio_req *r)
{
	file_put(r->file);
	file_put(r->eventfd);
	kfree(r);
}

static void
free_later(struct later *l)
{
	free_req(container_of(l, struct aio_req, later));
}

/* Any context: who closes a file last may have to sleep. */
static void
ended(struct file_async *fa, long result)
{
	struct aio_req *r = container_of(fa, struct aio_req, fa);

	r->event.res = result;
	aio_post(r->ctx, &r->event);
	if (r->eventfd != NULL) {
		eventfd_signal(r->eventfd);
		if (put_unless_last(r->eventfd))
			r->eventfd = NULL;
	}
	if (put_unless_last(r->file))
		r->file = NULL;
	if (r->file == NULL && r->eventfd == NULL)
		kfree(r);
	else
		later_run(&r->later, free_later);
}

/* --------------------------------------------------------- transfers -- */

/* What a call on the descriptor would answer, in a program's eyes. */
static long
result_of(long n)
{
	switch (n) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK: return -EINTR;
	default: return n;
	}
}

static void
move(struct aio_req *r, struct uio *u, int64_t pos, bool write)
{
	struct file *f = r->file;
	int error = -EOPNOTSUPP;
	long n;

	u->size_max = write ? transfer_size_max() : UINT64_MAX;
	if (f->ops->begin != NULL)
		error = f->ops->begin(f, u, pos, write, &r->fa);
	if (error == 0)
		return;
	if (error == -EOPNOTSUPP) {
		int64_t *at = (f->mode & FILE_SEEK) != 0 ? &pos : NULL;

		n = write ? transfer_written(file_write(f, u, at)) :
			    file_read(f, u, at);
	} else {
		n = error;
	}
	ended(&r->fa, result_of(n));
}

static int
flags_of(const struct iocb *cb, unsigned *flags)
{
	int rw = cb->aio_rw_flags;

	if ((rw &
		~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT |
		    RWF_APPEND)) != 0)
		return -EOPNOTSUPP;
	if ((rw & RWF_NOWAIT) != 0)
		*flags |= UIO_NOWAIT;
	if ((rw & RWF_APPEND) != 0)
		*flags |= UIO_APPEND;
	if ((rw & (RWF_DSYNC | RWF_SYNC)) != 0)
		*flags |= UIO_DSYNC;
	return 0;
}

/* On an error nothing has begun: it is io_submit's. */
static int
submit_move(struct aio_req *r, const struct iocb *cb, bool write, bool vector,
    unsigned flags)
{
	struct transfer_vec tv;
	struct uio u;
	int error;

	if ((r->file->mode & (write ? FILE_WRITE : FILE_READ)) == 0)
		return -EBADF;
	if (write ? r->file->ops->write == NULL : r->file->ops->read == NULL)
		return -EINVAL;
	error = flags_of(cb, &flags);
	if (error != 0)
		return error;
	if (vector) {
		error = transfer_vec_get(&tv, cb->aio_buf, cb->aio_nbytes);
		if (error != 0)
			return error;
	} else {
		if (cb->aio_nbytes > USER_END ||
		    cb->aio_buf > USER_END - cb->aio_nbytes)
			return -EFAULT;
		tv.vec = tv.small;
		tv.n = 1;
		tv.small[0].base = cb->aio_buf;
		tv.small[0].len = MIN(cb->aio_nbytes, (uint64_t)TRANSFER_MAX);
	}
	uio_init(&u, UIO_USER, tv.vec, tv.n);
	u.flags = flags;
	move(r, &u, cb->aio_offset, write);
	transfer_vec_put(&tv);
	return 0;
}

static int
submit_sync(struct aio_req *r, const struct iocb *cb, bool data_only)
{
	if (cb->aio_buf != 0 || cb->aio_offset != 0 || cb->aio_nbytes != 0 ||
	    cb->aio_rw_flags != 0 || r->file->ops->fsync == NULL)
		return -EINVAL;
	ended(&r->fa, file_fsync(r->file, data_only));
	return 0;
}

static int
submit_kind(struct aio_req *r, const struct iocb *cb, unsigned flags)
{
	switch (cb->aio_lio_opcode) {
	case IOCB_CMD_PREAD: return submit_move(r, cb, false, false, flags);
	case IOCB_CMD_PWRITE: return submit_move(r, cb, true, false, flags);
	case IOCB_CMD_PREADV: return submit_move(r, cb, false, true, flags);
	case IOCB_CMD_PWRITEV: return submit_move(r, cb, true, true, flags);
	case IOCB_CMD_FSYNC: return submit_sync(r, cb, false);
	case IOCB_CMD_FDSYNC: return submit_sync(r, cb, true);
	default: return -EINVAL;
	}
}

/* ------------------------------------------------------------ submitting -- */

/* A reference to the caller's open file. */
static int
get_file(int fd, struct file **out)
{
	struct fdref ref = fd_get(fd);

	if (ref.file == NULL)
		return -EBADF;
	file_get(ref.file);
	*out = ref.file;
	fd_put(ref);
	return 0;
}

static int
get_files(struct aio_req *r, const struct iocb *cb)
{
	int error = get_file(cb->aio_fildes, &r->file);

	if (error == 0 && (cb->aio_flags & IOCB_FLAG_RESFD) != 0) {
		error = get_file(cb->aio_resfd, &r->eventfd);
		if (error == 0 && !eventfd_is(r->eventfd))
			error = -EINVAL;
	}
	return error;
}

/* Calls that were begun with UIO_MORE, of one file. */
struct batch {
	struct file *file; /* referenced; NULL: none */
	unsigned flags;
};

static void
batch_end(struct batch *b)
{
	if (b->file == NULL)
		return;
	b->file->ops->commit(b->file);
	file_put(b->file);
	b->file = NULL;
}

static void
batch_add(struct batch *b, struct file *f)
{
	if (b->flags == 0 || f->ops->commit == NULL || b->file == f)
		return;
	batch_end(b);
	file_get(f);
	b->file = f;
}

static int
begin(struct aio_context *ctx, const struct iocb *cb, uaddr_t at,
    struct batch *batch)
{
	struct aio_req *r = kzalloc(sizeof(*r));
	uint32_t key = KIOCB_KEY;
	int error;

	if (r == NULL)
		return -ENOMEM;
	r->fa.done = ended;
	r->ctx = ctx;
	r->event.data = cb->aio_data;
	r->event.obj = at;
	error = get_files(r, cb);
	if (error == 0)
		error = copyout(at + offsetof(struct iocb, aio_key), &key,
		    sizeof(key));
	if (error == 0) {
		batch_add(batch, r->file);
		error = submit_kind(r, cb, batch->flags);
	}
	if (error != 0)
		free_req(r);
	return error;
}

static int
submit_one(struct aio_context *ctx, uaddr_t at, struct batch *batch)
{
	struct iocb cb;
	int error;

	if (copyin(&cb, at, sizeof(cb)) != 0)
		return -EFAULT;
	if (cb.aio_reserved2 != 0 || (int64_t)cb.aio_nbytes < 0 ||
	    (cb.aio_flags & ~(IOCB_FLAG_RESFD | IOCB_FLAG_IOPRIO)) != 0)
		return -EINVAL;
	error = later_ready();
	if (error == 0)
		error = aio_reserve(ctx);
	if (error != 0)
		return error;
	error = begin(ctx, &cb, at, batch);
	if (error != 0)
		aio_unreserve(ctx);
	return error;
}

long
sys_io_submit(uaddr_t id, long nr, uaddr_t iocbs)
{
	struct batch batch = { NULL, nr > 1 ? UIO_MORE : 0 };
	struct aio_context *ctx;
	uaddr_t at;
	long i;
	int error = 0;

	if (nr < 0)
		return -EINVAL;
	ctx = aio_find(id);
	if (ctx == NULL)
		return -EINVAL;
	for (i = 0; i < nr && error == 0; i += error == 0) {
		error = copyin(&at, iocbs + i * sizeof(at), sizeof(at));
		if (error == 0)
			error = submit_one(ctx, at, &batch);
	}
	batch_end(&batch);
	aio_put(ctx);
	return i > 0 ? i : error;
}

/* ------------------------------------------------------------- the others -- */

long
sys_io_setup(unsigned nr, uaddr_t ctxp)
{
	struct aio_context *ctx;
	uint64_t id;
	int error;

	if (copyin(&id, ctxp, sizeof(id)) != 0)
		return -EFAULT;
	if (id != 0 || nr == 0 || nr > 0x10000000u / sizeof(struct io_event))
		return -EINVAL;
	error = aio_create(nr, &id);
	if (error != 0 || copyout(ctxp, &id, sizeof(id)) == 0)
		return error;
	ctx = aio_find(id);
	if (ctx != NULL) {
		(void)aio_destroy(ctx);
		aio_put(ctx);
	}
	return -EFAULT;
}

long
sys_io_destroy(uaddr_t id)
{
	struct aio_context *ctx = aio_find(id);
	int error;

	if (ctx == NULL)
		return -EINVAL;
	error = aio_destroy(ctx);
	aio_put(ctx);
	return error;
}

/* Nothing that is under way here can be called back. */
long
sys_io_cancel(uaddr_t id, uaddr_t iocb, uaddr_t result)
{
	struct aio_context *ctx;
	uint32_t key;

	(void)result;
	if (copyin(&key, iocb + offsetof(struct iocb, aio_key), sizeof(key)) !=
	    0)
		return -EFAULT;
	ctx = aio_find(id);
	if (ctx != NULL)
		aio_put(ctx);
	return -EINVAL;
}

static long
get_events(uaddr_t id, long min, long max, uaddr_t events, int64_t deadline_ns)
{
	struct aio_context *ctx = aio_find(id);
	long n = -EINVAL;

	if (ctx == NULL)
		return -EINVAL;
	if (min >= 0 && min <= max)
		n = aio_read(ctx, min, max, events, deadline_ns);
	aio_put(ctx);
	return n;
}

/* A time-out of no length is 0: whoever comes does not wait at all. */
static int
deadline_of(uaddr_t timeout, int64_t *deadline_ns)
{
	int64_t span;
	int error;

	*deadline_ns = WAIT_FOREVER;
	if (timeout == 0)
		return 0;
	error = copyin_timespec(timeout, &span);
	if (error == 0 && span == 0)
		*deadline_ns = 0;
	else if (error == 0)
		*deadline_ns = ns_add(clock_mono_ns(), span);
	return error;
}

long
sys_io_getevents(uaddr_t id, long min, long max, uaddr_t events,
    uaddr_t timeout)
{
	int64_t deadline;
	int error = deadline_of(timeout, &deadline);

	return error != 0 ? error : get_events(id, min, max, events, deadline);
}

long
sys_io_pgetevents(uaddr_t id, long min, long max, uaddr_t events,
    uaddr_t timeout, uaddr_t mask)
{
	struct {
		uaddr_t mask;
		uint64_t size;
	} arg = { 0, 0 };
	int64_t deadline;
	bool masked;
	long n;
	int error = deadline_of(timeout, &deadline);

	if (error == 0 && mask != 0)
		error = copyin(&arg, mask, sizeof(arg));
	if (error == 0)
		error = poll_mask_begin(arg.mask, arg.size, &masked);
	if (error != 0)
		return error;
	n = get_events(id, min, max, events, deadline);
	if (n == -EINTR)
		n = -ERESTARTNOHAND;
	poll_mask_end(masked, n);
	return n;
}
