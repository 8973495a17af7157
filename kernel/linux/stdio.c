/* SPDX-License-Identifier: ISC */
/*
 * stdio.c - the first program's standard descriptors, and the raw streams
 * over the console's line.
 *
 * A stream's input lies in a ring that the line's interrupt fills and one
 * reader at a time empties; the line is told how much room there is, and what
 * finds none stays with the host.
 */
#include "linux/stdio.h"

#include "abi/mode.h"
#include "dev/console.h"
#include "dev/control.h"
#include "fs/file.h"
#include "kern/bootargs.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include "linux/tty.h"
#include "linux/turn.h"
#include <asm/ioctls.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#define STREAM_RING  4096
#define STREAM_CHUNK 256

static struct stream {
	struct serial *line; /* referenced for ever; NULL until opened */
	uint8_t *ring;       /* NULL until opened for reading */
	uint32_t head, tail; /* [a] free running: producer's, consumer's */
	uint64_t consumed;   /* bytes, the reader's */
	uint64_t total;      /* bytes after which comes the end */
	bool ended;          /* [a] total is known */
	struct turn reading, writing;
	struct waitq read_wq, write_wq;
} stream = {
	.read_wq = WAITQ_INIT(stream.read_wq),
	.write_wq = WAITQ_INIT(stream.write_wq),
};

bool
stdio_takes_input(const void *line)
{
	return bootargs()->in == STREAM_PIPE && line == stream.line;
}

void
stdio_gone(const void *line)
{
	if (line != stream.line)
		return;
	waitq_wake_all(&stream.read_wq);
	waitq_wake_all(&stream.write_wq);
}

static uint32_t
stream_used(void)
{
	return __atomic_load_n(&stream.head, __ATOMIC_ACQUIRE) -
	    __atomic_load_n(&stream.tail, __ATOMIC_ACQUIRE);
}

void
stdio_input(const uint8_t *bytes, size_t n)
{
	uint32_t head = stream.head;
	size_t i;

	n = MIN(n, STREAM_RING - stream_used());
	for (i = 0; i < n; i++)
		stream.ring[head++ % STREAM_RING] = bytes[i];
	__atomic_store_n(&stream.head, head, __ATOMIC_RELEASE);
	serial_add_room(stream.line, -(int32_t)n);
	waitq_wake_all(&stream.read_wq);
}

void
stdio_room(void)
{
	if (!waitq_empty(&stream.write_wq))
		waitq_wake_all(&stream.write_wq);
}

void
stdio_eof(uint64_t total)
{
	stream.total = total;
	__atomic_store_n(&stream.ended, true, __ATOMIC_RELEASE);
	waitq_wake_all(&stream.read_wq);
}

static bool
stream_at_end(void)
{
	return serial_is_gone(stream.line) ||
	    (__atomic_load_n(&stream.ended, __ATOMIC_ACQUIRE) &&
		stream.consumed >= stream.total);
}

static bool
stream_nonblock(const struct file *file, const struct uio *u)
{
	return (file->flags & O_NONBLOCK) != 0 || (u->flags & UIO_NOWAIT) != 0;
}

/* Copies what is there; twice at most, where the ring wraps. */
static long
stream_copy(struct uio *u)
{
	uint32_t used, at, run;
	size_t done = 0, n;

	while (u->resid > 0 && (used = stream_used()) > 0) {
		at = stream.tail % STREAM_RING;
		run = MIN(MIN(used, STREAM_RING - at), u->resid);
		n = uio_put(u, stream.ring + at, run);
		stream.consumed += n;
		done += n;
		__atomic_store_n(&stream.tail, stream.tail + n,
		    __ATOMIC_RELEASE);
		serial_add_room(stream.line, n);
		if (n < run)
			return done > 0 ? (long)done : -EFAULT;
	}
	return done;
}

static long
stream_read_turn(struct file *file, struct uio *u)
{
	int error;

	while (stream_used() == 0) {
		if (stream_at_end())
			return 0;
		if (stream_nonblock(file, u))
			return -EAGAIN;
		error = wait_event_intr(&stream.read_wq,
		    stream_used() > 0 || stream_at_end());
		if (error != 0)
			return error;
	}
	return stream_copy(u);
}

static long
stream_read(struct file *file, struct uio *u, int64_t *pos)
{
	bool nonblock = stream_nonblock(file, u);
	long n;

	(void)pos;
	if (u->resid == 0)
		return 0;
	n = turn_take(&stream.reading, &stream.read_wq, nonblock);
	if (n != 0)
		return n;
	n = stream_read_turn(file, u);
	turn_end(&stream.reading, &stream.read_wq);
	serial_resume(stream.line);
	return n;
}

static bool
stream_has_room(void)
{
	return stream.line->ops->room(stream.line) > 0;
}

static long
stream_send(struct file *file, struct uio *u, const uint8_t *bytes, size_t n)
{
	const struct serial_ops *ops = stream.line->ops;
	size_t done = 0;
	int error;

	for (;;) {
		done += ops->write(stream.line, bytes + done, n - done);
		if (done == n)
			return n;
		error = -EAGAIN;
		if (serial_is_gone(stream.line))
			error = -EIO;
		else if (!stream_nonblock(file, u))
			error = wait_event_intr(&stream.write_wq,
			    stream_has_room() || serial_is_gone(stream.line));
		if (error != 0)
			return done > 0 ? (long)done : error;
	}
}

static long
stream_write_turn(struct file *file, struct uio *u)
{
	uint8_t chunk[STREAM_CHUNK];
	size_t done = 0, n;
	long sent = 0;

	while (u->resid > 0) {
		if (done > 0 && thread_self()->interrupted)
			break;
		n = uio_get(u, chunk, MIN(u->resid, sizeof(chunk)));
		sent = n == 0 ? -EFAULT : stream_send(file, u, chunk, n);
		if (sent < 0)
			break;
		done += sent;
		if ((size_t)sent < n)
			break;
	}
	return done > 0 ? (long)done : sent;
}

static long
stream_write(struct file *file, struct uio *u, int64_t *pos)
{
	long n;

	(void)pos;
	n = turn_take(&stream.writing, &stream.write_wq,
	    stream_nonblock(file, u));
	if (n != 0)
		return n;
	n = stream_write_turn(file, u);
	turn_end(&stream.writing, &stream.write_wq);
	return n;
}

static unsigned
stream_poll(struct file *file, struct poll_table *table)
{
	unsigned events = 0;

	if ((file->mode & FILE_READ) != 0) {
		poll_wait(table, &stream.read_wq);
		events |= stream_used() > 0 ? POLLIN | POLLRDNORM : 0;
		events |= stream_at_end() ? POLLHUP : 0;
	}
	if ((file->mode & FILE_WRITE) != 0) {
		poll_wait(table, &stream.write_wq);
		events |= stream_has_room() ? POLLOUT | POLLWRNORM : 0;
		events |= serial_is_gone(stream.line) ? POLLERR : 0;
	}
	return events;
}

static long
stream_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	int n = stream_used();

	if (cmd != FIONREAD || (file->mode & FILE_READ) == 0)
		return -ENOTTY;
	return copyout(arg, &n, sizeof(n));
}

static const struct file_ops stream_ops = {
	.read = stream_read,
	.write = stream_write,
	.poll = stream_poll,
	.ioctl = stream_ioctl,
	.llseek = no_llseek,
};

/* ------------------------------------------------ descriptors 0, 1, 2 -- */

static int
open_stream(unsigned flags, struct file **out)
{
	uint64_t ino;
	char label[32];
	int error;

	if (stream.line == NULL)
		stream.line = console_serial();
	if (stream.line == NULL || stream.line->client == NULL)
		return -ENODEV;
	if (flags == O_RDONLY && stream.ring == NULL) {
		stream.ring = kmalloc(STREAM_RING);
		if (stream.ring == NULL)
			return -ENOMEM;
		serial_set_room(stream.line, STREAM_RING);
	}
	error = stream.line->ops->open(stream.line);
	if (error != 0)
		return error;
	ino = anon_ino_next();
	snprintf(label, sizeof(label), "pipe:[%lu]", ino);
	error = file_create_anon(label, S_IFIFO | 0600, NULL, &stream_ops, NULL,
	    flags, out);
	if (error == 0) { /* so that /dev/stdout opens the stream again */
		(*out)->inode->fops = &stream_ops;
		(*out)->inode->ino = ino;
	}
	return error;
}

static int
open_named(const char *name, struct file **out)
{
	struct vfs_ctx ctx;

	vfs_ctx_kernel(&ctx);
	return vfs_open(&ctx, NULL, name, O_RDWR | O_NOCTTY, 0, 0, out);
}

/* A root file system without /dev still gets its terminal. */
static int
open_unnamed(struct tty *t, const char *name, struct file **out)
{
	struct file *file;
	int error;

	error = file_create_anon(name, S_IFCHR | 0600, NULL, &tty_file_ops,
	    NULL, O_RDWR, &file);
	if (error != 0)
		return error;
	file->inode->rdev = t->rdev;
	error = tty_attach_file(t, file, false);
	if (error == 0)
		*out = file;
	return error;
}

/*
 * A program that the host started alone has the line itself for a terminal,
 * as it would have one on the host; an init system gets /dev/console, as
 * Linux's does, and leaves the line to whom it starts there.
 */
static int
open_terminal(struct file **out)
{
	struct tty *t = tty_console();
	char name[32];
	int error;

	if (t == NULL)
		return -ENODEV;
	snprintf(name, sizeof(name), "/dev/%s",
	    control_present() ? t->name : "console");
	error = open_named(name, out);
	if (error == -ENOENT || error == -ENOTDIR)
		error = open_unnamed(t, name, out);
	/* An init system writes there after each logout. */
	if (error == 0 && (*out)->ops == &tty_file_ops)
		tty_outlast_hang_ups(*out);
	tty_put(t);
	return error;
}

static int
open_input(struct file **out)
{
	struct tty *t;

	switch (bootargs()->in) {
	case STREAM_PIPE: return open_stream(O_RDONLY, out);
	case STREAM_NULL: return open_named("/dev/null", out);
	case STREAM_TTY: break;
	}
	/* First, for the line may bring a ^C as soon as it is open. */
	t = tty_console();
	if (t != NULL && control_present())
		tty_lend(t, process_self());
	if (t != NULL)
		tty_put(t);
	return open_terminal(out);
}

int
console_open_stdio(int fd, struct file **out)
{
	static struct file *last; /* borrowed from the caller */
	const struct bootargs *args = bootargs();
	bool same = fd == 2 ||
	    (fd == 1 && args->in == STREAM_TTY && args->out == STREAM_TTY);
	int error = 0;

	if (same && last != NULL) {
		file_get(last);
		*out = last;
	} else if (fd == 0) {
		error = open_input(out);
	} else if (args->out == STREAM_PIPE) {
		error = open_stream(O_WRONLY, out);
	} else {
		error = open_terminal(out);
	}
	last = error == 0 && fd < 2 ? *out : NULL;
	return error;
}
