/* SPDX-License-Identifier: ISC */
/*
 * tty.c - terminals as files: open, read, write, poll, close, and what their
 * lines bring.  read(2) and write(2) on terminals, termios(3).
 *
 * One reader and one writer are at work at a time, so that lines and writes
 * stay whole; both wait so that a signal ends the wait.
 */
#include "linux/tty.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/thread.h"
#include "linux/process.h"
#include "linux/signal.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#define TTY_CHUNK 128 /* bytes moved with the lock held */
#define TTY_ROOM  8   /* what one character may need on its way out */
#define VTIME_NS  100000000ll

/* What an open file of a terminal remembers. */
struct tty_file {
	struct tty *tty;
	uint32_t generation; /* of the time when it was opened */
	bool console;        /* no job control */
	bool lasting;        /* no hang-up */
};

static struct objcache tty_files = OBJCACHE_INIT("tty_file",
    sizeof(struct tty_file));

struct tty *
tty_of_file(struct file *file, bool *hung_up)
{
	struct tty_file *tf = file->priv;

	*hung_up = tf->generation != tf->tty->generation &&
	    (!tf->lasting || tf->tty->line_gone);
	return tf->tty;
}

static bool
tty_is_dead(struct file *file)
{
	bool dead;

	tty_of_file(file, &dead);
	return dead;
}

/* -------------------------------------- what the line discipline calls -- */

static size_t
tty_ld_room(void *arg)
{
	struct tty *t = arg;

	return t->held || t->ldisc.stopped ? 0 : t->lops->room(t);
}

static void
tty_ld_out(void *arg, const uint8_t *bytes, size_t n)
{
	struct tty *t = arg;

	t->lops->out(t, bytes, n);
}

static void
tty_ld_signal(void *arg, int signo)
{
	tty_signal(arg, signo);
}

static void
tty_ld_discard(void *arg)
{
	struct tty *t = arg;

	t->lops->discard(t);
	if (t->lops->input_flushed != NULL)
		t->lops->input_flushed(t);
	waitq_wake_all(&t->write_wq);
}

static void
tty_ld_stop(void *arg, bool stopped)
{
	struct tty *t = arg;

	t->lops->pause(t, stopped || t->held);
	if (!stopped)
		waitq_wake_all(&t->write_wq);
}

static void
tty_ld_send_now(void *arg, uint8_t byte)
{
	struct tty *t = arg;

	t->lops->send_now(t, byte);
}

static const struct ldisc_ops tty_ldisc_ops = {
	.room = tty_ld_room,
	.out = tty_ld_out,
	.signal = tty_ld_signal,
	.discard = tty_ld_discard,
	.stop = tty_ld_stop,
	.send_now = tty_ld_send_now,
};

/* ------------------------------------------------------ the line's side -- */

void
tty_input(struct tty *t, const uint8_t *bytes, size_t n)
{
	uint64_t state = spin_lock_irq(&t->lock);
	bool readable = ldisc_input(&t->ldisc, bytes, n);

	t->lops->set_room(t, ldisc_room(&t->ldisc));
	spin_unlock_irq(&t->lock, state);
	if (readable)
		waitq_wake_all(&t->read_wq);
}

size_t
tty_input_some(struct tty *t, const uint8_t *bytes, size_t n)
{
	uint64_t state = spin_lock_irq(&t->lock);
	bool readable;

	n = MIN(n, ldisc_room(&t->ldisc));
	readable = n > 0 && ldisc_input(&t->ldisc, bytes, n);
	spin_unlock_irq(&t->lock, state);
	if (readable)
		waitq_wake_all(&t->read_wq);
	return n;
}

size_t
tty_input_room(struct tty *t)
{
	uint64_t state = spin_lock_irq(&t->lock);
	size_t n = ldisc_room(&t->ldisc);

	spin_unlock_irq(&t->lock, state);
	return n;
}

void
tty_output_room(struct tty *t)
{
	uint64_t state;

	if (t->buf == NULL)
		return;
	state = spin_lock_irq(&t->lock);
	ldisc_echo(&t->ldisc);
	spin_unlock_irq(&t->lock, state);
	waitq_wake_all(&t->write_wq);
}

void
tty_update_room(struct tty *t)
{
	uint64_t state = spin_lock_irq(&t->lock);

	ldisc_unthrottle(&t->ldisc);
	t->lops->set_room(t, ldisc_room(&t->ldisc));
	spin_unlock_irq(&t->lock, state);
	t->lops->resume(t);
}

void
tty_set_winsize(struct tty *t, const struct winsize *ws)
{
	uint64_t state = spin_lock_irq(&t->lock);
	struct winsize *old = &t->winsize;
	bool changed = old->ws_row != ws->ws_row || old->ws_col != ws->ws_col ||
	    old->ws_xpixel != ws->ws_xpixel || old->ws_ypixel != ws->ws_ypixel;

	*old = *ws;
	spin_unlock_irq(&t->lock, state);
	if (changed)
		tty_signal(t, SIGWINCH);
}

void
tty_hang_up(struct tty *t)
{
	uint64_t state = spin_lock_irq(&t->lock);

	t->generation++;
	t->opens = 0;
	t->exclusive = false;
	if (t->buf != NULL) {
		ldisc_flush_input(&t->ldisc);
		ldisc_echo_forget(&t->ldisc);
	}
	if (t->lops->closed != NULL)
		t->lops->closed(t);
	spin_unlock_irq(&t->lock, state);
	waitq_wake_all(&t->read_wq);
	waitq_wake_all(&t->write_wq);
}

void
tty_setup(struct tty *t)
{
	spin_init(&t->lock);
	waitq_init(&t->read_wq);
	waitq_init(&t->write_wq);
	t->refs = 1;
}

void
tty_get(struct tty *t)
{
	__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
}

void
tty_put(struct tty *t)
{
	if (__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0 &&
	    t->lops->gone != NULL)
		t->lops->gone(t);
}

/* ------------------------------------------------------------- opening -- */

int
tty_prepare(struct tty *t)
{
	struct ldisc_buf *buf = kmalloc(sizeof(*buf));
	uint64_t state;

	if (buf == NULL)
		return -ENOMEM;
	state = spin_lock_irq(&t->lock);
	if (t->buf == NULL) {
		ldisc_init(&t->ldisc, &tty_ldisc_ops, t, buf);
		t->buf = buf;
		buf = NULL;
		t->lops->set_room(t, ldisc_room(&t->ldisc));
	}
	spin_unlock_irq(&t->lock, state);
	kfree(buf);
	return 0;
}

/* The first open gives the terminal its buffer and opens the line. */
static int
tty_first_open(struct tty *t)
{
	int error;

	if (t->buf != NULL)
		return 0;
	error = tty_prepare(t);
	return error == 0 ? t->lops->open(t) : error;
}

int
tty_attach_file(struct tty *t, struct file *file, bool console)
{
	struct tty_file *tf;
	uint64_t state;
	int error;

	error = tty_first_open(t);
	if (error != 0)
		return error;
	if (t->exclusive && !capable(CAP_SYS_ADMIN))
		return -EBUSY;
	tf = objcache_alloc(&tty_files);
	if (tf == NULL)
		return -ENOMEM;
	tf->tty = t;
	tf->console = console;
	tf->lasting = console;
	state = spin_lock_irq(&t->lock);
	tf->generation = t->generation;
	t->opens++;
	t->was_open = true;
	spin_unlock_irq(&t->lock, state);
	tty_get(t);
	file->priv = tf;
	file->ops = &tty_file_ops;
	file->mode &= ~FILE_SEEK;
	return 0;
}

void
tty_outlast_hang_ups(struct file *file)
{
	struct tty_file *tf = file->priv;

	tf->lasting = true;
}

int
tty_open(struct tty *t, struct file *file, bool console)
{
	int error = tty_attach_file(t, file, console);

	if (error == 0 && !console && (file->flags & O_NOCTTY) == 0)
		tty_open_session(t, (file->mode & FILE_READ) != 0);
	return error;
}

static void
tty_release(struct file *file)
{
	struct tty_file *tf = file->priv;
	struct tty *t = tf->tty;
	uint64_t state = spin_lock_irq(&t->lock);

	/* Those of before a hang-up were counted out by it. */
	if (tf->generation == t->generation && --t->opens == 0) {
		t->exclusive = false;
		if (t->lops->closed != NULL)
			t->lops->closed(t);
	}
	spin_unlock_irq(&t->lock, state);
	objcache_free(&tty_files, tf);
	tty_put(t);
}

static bool
tty_nonblock(const struct file *file, const struct uio *u)
{
	return (file->flags & O_NONBLOCK) != 0 || (u->flags & UIO_NOWAIT) != 0;
}

/* ------------------------------------------------------------- reading -- */

static bool
tty_readable(struct tty *t, bool poll)
{
	uint64_t state = spin_lock_irq(&t->lock);
	bool readable = ldisc_readable(&t->ldisc, poll);

	spin_unlock_irq(&t->lock, state);
	return readable;
}

/* What a read waits for, from VMIN and VTIME at its beginning. */
struct tty_wait {
	size_t least;        /* bytes after which it is content */
	int64_t gap_ns;      /* between bytes; 0: any */
	int64_t deadline_ns; /* now */
};

static void
tty_wait_begin(struct tty *t, struct tty_wait *w)
{
	int64_t time_ns = t->ldisc.t.c_cc[VTIME] * VTIME_NS;

	w->least = 0;
	w->gap_ns = 0;
	w->deadline_ns = WAIT_FOREVER;
	if ((t->ldisc.t.c_lflag & ICANON) != 0)
		return;
	w->least = t->ldisc.t.c_cc[VMIN];
	if (w->least != 0) {
		w->gap_ns = time_ns;
		return;
	}
	w->least = 1;
	w->deadline_ns = time_ns == 0 ? 0 : clock_mono_ns() + time_ns;
}

/* 1: go on; 0: the read ends with what it has; or -errno. */
static int
tty_await(struct tty *t, struct file *file, struct uio *u, struct tty_wait *w)
{
	int error;

	if (tty_is_dead(file) || w->deadline_ns == 0)
		return 0;
	if (tty_nonblock(file, u))
		return -EAGAIN;
	error = wait_event_until(&t->read_wq,
	    tty_readable(t, false) || tty_is_dead(file), w->deadline_ns);
	if (error == -ETIMEDOUT)
		return 0;
	return error == 0 ? 1 : error;
}

/* Takes some bytes; *more: the line goes on.  -EFAULT: they are lost. */
static long
tty_take(struct tty *t, struct uio *u, bool *more)
{
	uint8_t chunk[TTY_CHUNK];
	size_t n = MIN(u->resid, sizeof(chunk));
	uint64_t state = spin_lock_irq(&t->lock);

	n = ldisc_read(&t->ldisc, chunk, n, more);
	if (n == u->resid)
		ldisc_skip_eof(&t->ldisc);
	spin_unlock_irq(&t->lock, state);
	return uio_put(u, chunk, n) == n ? (long)n : -EFAULT;
}

static long
tty_read_turn(struct tty *t, struct file *file, struct uio *u)
{
	struct tty_wait w;
	size_t done = 0;
	bool more;
	long n;

	tty_wait_begin(t, &w);
	while (u->resid > 0) {
		if (!tty_readable(t, false)) {
			if (done > 0 && done >= w.least)
				break;
			n = tty_await(t, file, u, &w);
			if (n < 0 && done == 0)
				return n;
			if (n <= 0)
				break;
			continue;
		}
		n = tty_take(t, u, &more);
		if (n < 0)
			return done > 0 ? (long)done : n;
		done += n;
		if (w.least == 0 && !more)
			break;
		if (w.gap_ns != 0)
			w.deadline_ns = clock_mono_ns() + w.gap_ns;
	}
	return done;
}

static long
tty_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct tty_file *tf = file->priv;
	struct tty *t = tf->tty;
	long n;

	(void)pos;
	if (tty_is_dead(file))
		return 0;
	n = tf->console ? 0 : tty_job_control(t, SIGTTIN);
	if (n == 0)
		n = turn_take(&t->reading, &t->read_wq, tty_nonblock(file, u));
	if (n != 0)
		return n;
	n = tty_read_turn(t, file, u);
	turn_end(&t->reading, &t->read_wq);
	tty_update_room(t);
	return n;
}

/* ------------------------------------------------------------- writing -- */

static bool
tty_writable(struct tty *t)
{
	return tty_ld_room(t) >= TTY_ROOM;
}

/* Sends n bytes, waiting for room; how many went, or -errno for none. */
static long
tty_send(struct tty *t, struct file *file, struct uio *u, const uint8_t *bytes,
    size_t n)
{
	size_t done = 0;
	uint64_t state;
	int error;

	for (;;) {
		state = spin_lock_irq(&t->lock);
		done += ldisc_output(&t->ldisc, bytes + done, n - done);
		spin_unlock_irq(&t->lock, state);
		if (done == n)
			return n;
		error = -EAGAIN;
		if (!tty_nonblock(file, u))
			error = wait_event_intr(&t->write_wq,
			    tty_writable(t) || tty_is_dead(file));
		if (error == 0 && tty_is_dead(file))
			error = -EIO;
		if (error != 0)
			return done > 0 ? (long)done : error;
	}
}

static long
tty_write_turn(struct tty *t, struct file *file, struct uio *u)
{
	uint8_t chunk[TTY_CHUNK];
	size_t done = 0, n;
	long sent = 0;

	while (u->resid > 0) {
		if (done > 0 && thread_self()->interrupted)
			break;
		n = uio_get(u, chunk, MIN(u->resid, sizeof(chunk)));
		sent = n == 0 ? -EFAULT : tty_send(t, file, u, chunk, n);
		if (sent < 0)
			break;
		done += sent;
		if ((size_t)sent < n)
			break;
	}
	return done > 0 ? (long)done : sent;
}

static long
tty_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct tty_file *tf = file->priv;
	struct tty *t = tf->tty;
	long n = 0;

	(void)pos;
	if (tty_is_dead(file))
		return -EIO;
	if ((t->ldisc.t.c_lflag & TOSTOP) != 0 && !tf->console)
		n = tty_job_control(t, SIGTTOU);
	if (n == 0)
		n = turn_take(&t->writing, &t->write_wq, tty_nonblock(file, u));
	if (n != 0)
		return n;
	n = tty_write_turn(t, file, u);
	turn_end(&t->writing, &t->write_wq);
	return n;
}

int
tty_wait_sent(struct tty *t)
{
	return wait_event_intr(&t->write_wq, t->lops->queued(t) == 0);
}

static unsigned
tty_poll(struct file *file, struct poll_table *table)
{
	bool dead;
	struct tty *t = tty_of_file(file, &dead);

	poll_wait(table, &t->read_wq);
	poll_wait(table, &t->write_wq);
	if (dead)
		return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM |
		    POLLWRNORM;
	return (tty_readable(t, true) ? POLLIN | POLLRDNORM : 0) |
	    (tty_writable(t) ? POLLOUT | POLLWRNORM : 0);
}

const struct file_ops tty_file_ops = {
	.release = tty_release,
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.llseek = no_llseek,
};
