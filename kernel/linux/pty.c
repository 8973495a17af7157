/* SPDX-License-Identifier: ISC */
/*
 * pty.c - pseudo-terminals: pty(7), pts(4), ptmx.
 *
 * The slave is a terminal (linux/tty.c) whose line is the master's open file:
 * what the slave sends waits in a ring until the master reads it, what the
 * master writes is typed into the slave's line discipline.
 *
 * A pair lives until neither end is open and no process has the slave for its
 * terminal.  When the master closes, the slave hangs up and its name goes.
 *
 * Locking: the slave's tty->lock guards the fields marked [t]; ptys_lock the
 * list of pairs.
 */
#include "linux/pty.h"

#include "fs/chrdev.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/process.h"
#include "linux/tty.h"
#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/major.h>
#include <linux/poll.h>

#define PTY_RING  8192u /* bytes on their way to the master; a power of 2 */
#define PTY_CHUNK 256   /* bytes moved with the lock held */
#define PTY_MAX   4096u /* kernel.pty.max */

struct pty {
	struct tty tty;        /* the slave */
	unsigned index;        /* [I] */
	char name[16];         /* [I] "pts/7" */
	uint8_t *ring;         /* [I] */
	uint32_t head, tail;   /* [t] counts: filled, emptied */
	bool locked;           /* [t] TIOCSPTLCK: the slave cannot be opened */
	bool packet;           /* [t] TIOCPKT */
	uint8_t status;        /* [t] TIOCPKT_* that the master has not read */
	bool master_gone;      /* [t] */
	struct waitq read_wq;  /* the master's */
	struct waitq write_wq; /* the master's */
	struct dentry *node;   /* [I] NULL once the master is gone */
	TAILQ_ENTRY(pty) link; /* ptys_lock; by index, ascending */
};

static struct spinlock ptys_lock = SPINLOCK_INIT; /* interrupts off */
static TAILQ_HEAD(pty_list, pty) ptys = TAILQ_HEAD_INITIALIZER(ptys);
static const struct file_ops master_ops;

static struct pty *
pty_of(struct tty *t)
{
	return container_of(t, struct pty, tty);
}

/* ------------------------------------------------------ the slave's line -- */

static size_t
line_room(struct tty *t)
{
	struct pty *p = pty_of(t);

	return PTY_RING - (p->head - p->tail);
}

static void
line_out(struct tty *t, const uint8_t *bytes, size_t n)
{
	struct pty *p = pty_of(t);

	for (; n > 0; n--)
		p->ring[p->head++ % PTY_RING] = *bytes++;
	waitq_wake_all(&p->read_wq);
}

/* What is in the ring counts as sent, as on Linux: tcdrain() does not wait. */
static size_t
line_queued(struct tty *t)
{
	(void)t;
	return 0;
}

/* The master learns of it in packet mode; sent bytes stay sent. */
static void
tell_status(struct pty *p, uint8_t set, uint8_t clear)
{
	if (!p->packet)
		return;
	p->status = (uint8_t)((p->status & ~clear) | set);
	waitq_wake_all(&p->read_wq);
}

static void
line_discard(struct tty *t)
{
	tell_status(pty_of(t), TIOCPKT_FLUSHWRITE, 0);
}

static void
line_pause(struct tty *t, bool on)
{
	tell_status(pty_of(t), on ? TIOCPKT_STOP : TIOCPKT_START,
	    on ? TIOCPKT_START : TIOCPKT_STOP);
}

static void
line_send_now(struct tty *t, uint8_t byte)
{
	if (line_room(t) > 0)
		line_out(t, &byte, 1);
}

static void
line_set_room(struct tty *t, size_t room)
{
	if (room > 0)
		waitq_wake_all(&pty_of(t)->write_wq);
}

static void
line_resume(struct tty *t)
{
	(void)t;
}

static void
line_input_flushed(struct tty *t)
{
	tell_status(pty_of(t), TIOCPKT_FLUSHREAD, 0);
}

static bool
has_flow(const struct termios2 *tio)
{
	return (tio->c_iflag & IXON) != 0 && tio->c_cc[VSTOP] == 023 &&
	    tio->c_cc[VSTART] == 021;
}

/*
 * Whether ^S and ^Q work is what the other side wants to know (rlogin); all
 * of it if that side edits the lines (EXTPROC, telnet).
 */
static void
line_changed(struct tty *t, const struct termios2 *old)
{
	const struct termios2 *new = &t->ldisc.t;
	bool flow = has_flow(new);

	if (flow != has_flow(old))
		tell_status(pty_of(t), flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP,
		    flow ? TIOCPKT_NOSTOP : TIOCPKT_DOSTOP);
	if (((old->c_lflag | new->c_lflag) & EXTPROC) != 0)
		tell_status(pty_of(t), TIOCPKT_IOCTL, 0);
}

static void
line_closed(struct tty *t)
{
	waitq_wake_all(&pty_of(t)->read_wq);
}

static void
pty_free(struct pty *p)
{
	kfree(p->tty.buf);
	kfree(p->ring);
	kfree(p);
}

static void
line_gone(struct tty *t)
{
	struct pty *p = pty_of(t);
	uint64_t state = spin_lock_irq(&ptys_lock);

	TAILQ_REMOVE(&ptys, p, link);
	spin_unlock_irq(&ptys_lock, state);
	pty_free(p);
}

static const struct tty_line_ops line_ops = {
	.room = line_room,
	.out = line_out,
	.queued = line_queued,
	.discard = line_discard,
	.pause = line_pause,
	.send_now = line_send_now,
	.set_room = line_set_room,
	.resume = line_resume,
	.changed = line_changed,
	.input_flushed = line_input_flushed,
	.closed = line_closed,
	.gone = line_gone,
};

/* ------------------------------------------------------------ the master -- */

static bool
slave_closed(const struct pty *p)
{
	return p->tty.was_open && p->tty.opens == 0;
}

static bool
master_readable(const struct pty *p)
{
	return p->head != p->tail || p->status != 0 || slave_closed(p);
}

static bool
is_nonblock(const struct file *file, const struct uio *u)
{
	return (file->flags & O_NONBLOCK) != 0 || (u->flags & UIO_NOWAIT) != 0;
}

/* Takes up to n bytes off the ring. */
static size_t
ring_take(struct pty *p, uint8_t *to, size_t n)
{
	uint64_t state = spin_lock_irq(&p->tty.lock);
	size_t i;

	n = MIN(n, (size_t)(p->head - p->tail));
	for (i = 0; i < n; i++)
		to[i] = p->ring[p->tail++ % PTY_RING];
	spin_unlock_irq(&p->tty.lock, state);
	return n;
}

/* What is there now; bytes, or -EFAULT for none. */
static long
master_drain(struct pty *p, struct uio *u)
{
	uint8_t chunk[PTY_CHUNK];
	size_t done = 0, n, put;

	while (u->resid > 0) {
		n = ring_take(p, chunk, MIN(u->resid, sizeof(chunk)));
		if (n == 0)
			break;
		put = uio_put(u, chunk, n);
		done += put;
		if (put < n)
			return done > 0 ? (long)done : -EFAULT;
	}
	return (long)done;
}

/* Packet mode: a byte of status, and data behind it only if that is 0. */
static long
master_read_packet(struct pty *p, struct uio *u)
{
	uint64_t state = spin_lock_irq(&p->tty.lock);
	uint8_t status = p->status;
	long n;

	p->status = 0;
	spin_unlock_irq(&p->tty.lock, state);
	if (uio_put(u, &status, 1) != 1)
		return -EFAULT;
	if (status != 0)
		return 1;
	n = master_drain(p, u);
	return n < 0 ? n : n + 1;
}

static long
master_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct pty *p = file->priv;
	int error;
	long n;

	(void)pos;
	if (u->resid == 0)
		return 0;
	do {
		if (!master_readable(p) && is_nonblock(file, u))
			return -EAGAIN;
		error = wait_event_intr(&p->read_wq, master_readable(p));
		if (error != 0)
			return error;
		if (p->head == p->tail && p->status == 0 && slave_closed(p))
			return -EIO;
		n = p->packet ? master_read_packet(p, u) : master_drain(p, u);
	} while (n == 0); /* another reader was faster */
	if (n > 0)
		tty_output_room(&p->tty);
	return n;
}

/* Types n bytes, waiting for room; how many, or -errno for none. */
static long
master_type(struct pty *p, struct file *file, struct uio *u,
    const uint8_t *bytes, size_t n)
{
	size_t done = 0;
	int error;

	for (;;) {
		done += tty_input_some(&p->tty, bytes + done, n - done);
		if (done == n)
			return (long)n;
		if (tty_input_room(&p->tty) > 0)
			continue;
		error = -EAGAIN;
		if (!is_nonblock(file, u))
			error = wait_event_intr(&p->write_wq,
			    tty_input_room(&p->tty) > 0);
		if (error != 0)
			return done > 0 ? (long)done : error;
	}
}

static long
master_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct pty *p = file->priv;
	uint8_t chunk[PTY_CHUNK];
	size_t done = 0, n;
	long sent = 0;

	(void)pos;
	while (u->resid > 0) {
		n = uio_get(u, chunk, MIN(u->resid, sizeof(chunk)));
		sent = n == 0 ? -EFAULT : master_type(p, file, u, chunk, n);
		if (sent < 0)
			break;
		done += (size_t)sent;
		if ((size_t)sent < n)
			break;
	}
	return done > 0 ? (long)done : sent;
}

static unsigned
master_poll(struct file *file, struct poll_table *table)
{
	struct pty *p = file->priv;
	unsigned events = 0;

	poll_wait(table, &p->read_wq);
	poll_wait(table, &p->write_wq);
	if (p->head != p->tail)
		events |= POLLIN | POLLRDNORM;
	if (p->status != 0)
		events |= POLLIN | POLLRDNORM | POLLPRI;
	if (slave_closed(p))
		events |= POLLHUP;
	if (tty_input_room(&p->tty) > 0)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

/* The last close: the slave hangs up, whoever holds it. */
static void
master_release(struct file *file)
{
	struct pty *p = file->priv;
	uint64_t state = spin_lock_irq(&p->tty.lock);

	p->master_gone = true;
	p->tail = p->head;
	spin_unlock_irq(&p->tty.lock, state);
	if (p->node != NULL)
		devpts_remove(p->node);
	p->node = NULL;
	tty_hang_up_session(&p->tty);
	tty_hang_up(&p->tty);
	tty_put(&p->tty);
}

/* ---------------------------------------------------------------- ioctls -- */

static int
put_int(uaddr_t to, int value)
{
	return copyout(to, &value, sizeof(value));
}

static int
set_flag(struct pty *p, bool *flag, uaddr_t from)
{
	uint64_t state;
	int on;

	if (copyin(&on, from, sizeof(on)) != 0)
		return -EFAULT;
	state = spin_lock_irq(&p->tty.lock);
	*flag = on != 0;
	if (flag == &p->packet)
		p->status = 0;
	spin_unlock_irq(&p->tty.lock, state);
	return 0;
}

/* TIOCGPTPEER: the slave without its name; flags are open(2)'s. */
static int
open_peer(struct pty *p, const struct file *master, unsigned flags)
{
	struct fs_ctx ctx;
	struct path path;
	struct file *file;
	int error;

	devpts_path(p->node, &master->path, &path);
	fs_ctx_get(&ctx);
	error = vfs_open_path(&ctx.vfs, &path, flags & ~(unsigned)O_CLOEXEC,
	    &file);
	fs_ctx_put(&ctx);
	path_put(&path);
	if (error != 0)
		return error;
	return fd_open(file, (flags & O_CLOEXEC) != 0);
}

/* TIOCSIG: a signal for the slave's foreground. */
static int
send_signal(struct pty *p, uint64_t signo)
{
	if (signo != SIGINT && signo != SIGQUIT && signo != SIGTSTP)
		return -EINVAL;
	tty_signal(&p->tty, (int)signo);
	return 0;
}

static long
master_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	struct pty *p = file->priv;

	switch (cmd) {
	case TIOCGPTN: return put_int(arg, (int)p->index);
	case TIOCSPTLCK: return set_flag(p, &p->locked, arg);
	case TIOCGPTLCK: return put_int(arg, p->locked);
	case TIOCPKT: return set_flag(p, &p->packet, arg);
	case TIOCGPKT: return put_int(arg, p->packet);
	case TIOCGPTPEER: return open_peer(p, file, (unsigned)arg);
	case TIOCSIG: return send_signal(p, arg);
	case TIOCINQ: return put_int(arg, (int)(p->head - p->tail));
	case TIOCGDEV: return put_int(arg, (int)dev_make(TTYAUX_MAJOR, 2));
	}
	return tty_ioctl_of(&p->tty, file, cmd, arg);
}

static const struct file_ops master_ops = {
	.release = master_release,
	.read = master_read,
	.write = master_write,
	.ioctl = master_ioctl,
	.poll = master_poll,
	.llseek = no_llseek,
};

/* --------------------------------------------------------------- opening -- */

/* The lowest number that is free, and a place in the list.  -ENOSPC */
static int
pty_enlist(struct pty *p)
{
	uint64_t state = spin_lock_irq(&ptys_lock);
	struct pty *other;

	p->index = 0;
	TAILQ_FOREACH (other, &ptys, link) {
		if (other->index != p->index)
			break;
		p->index++;
	}
	if (p->index < PTY_MAX && other != NULL)
		TAILQ_INSERT_BEFORE(other, p, link);
	else if (p->index < PTY_MAX)
		TAILQ_INSERT_TAIL(&ptys, p, link);
	spin_unlock_irq(&ptys_lock, state);
	return p->index < PTY_MAX ? 0 : -ENOSPC;
}

/* Linux's first settings of a pseudo-terminal: 38400 bits a second. */
static void
first_settings(struct tty *t)
{
	struct termios2 tio = t->ldisc.t;
	uint64_t state;

	tio.c_iflag &= ~(tcflag_t)IUTF8;
	tio.c_cflag = B38400 | CS8 | CREAD;
	tio.c_ispeed = tio.c_ospeed = 38400;
	state = spin_lock_irq(&t->lock);
	ldisc_set_termios(&t->ldisc, &tio);
	spin_unlock_irq(&t->lock, state);
}

/* One reference, the master's.  -ENOMEM, -ENOSPC */
static int
pty_create(struct pty **out)
{
	struct pty *p = kzalloc(sizeof(*p));
	int error = -ENOMEM;

	if (p == NULL)
		return -ENOMEM;
	tty_setup(&p->tty);
	waitq_init(&p->read_wq);
	waitq_init(&p->write_wq);
	p->tty.pty = true;
	p->tty.lops = &line_ops;
	p->tty.name = p->name;
	p->locked = true;
	p->ring = kmalloc(PTY_RING);
	if (p->ring != NULL)
		error = tty_prepare(&p->tty);
	if (error == 0) {
		first_settings(&p->tty);
		error = pty_enlist(p);
	}
	if (error != 0) {
		pty_free(p);
		return error;
	}
	snprintf(p->name, sizeof(p->name), "pts/%u", p->index);
	p->tty.rdev = dev_make(UNIX98_PTY_SLAVE_MAJOR, p->index);
	*out = p;
	return 0;
}

static int
ptmx_open(struct inode *inode, struct file *file)
{
	struct fs_ctx ctx;
	struct pty *p;
	int error;

	(void)inode;
	error = pty_create(&p);
	if (error != 0)
		return error;
	fs_ctx_get(&ctx);
	error = devpts_add(p->index, p->tty.rdev, &ctx.cred, &p->node);
	fs_ctx_put(&ctx);
	if (error != 0) {
		tty_put(&p->tty);
		return error;
	}
	file->ops = &master_ops;
	file->priv = p;
	file->mode &= ~FILE_SEEK;
	return 0;
}

/* One reference more, unless the last one is gone already. */
static bool
pty_try_get(struct pty *p)
{
	uint32_t refs = __atomic_load_n(&p->tty.refs, __ATOMIC_RELAXED);

	while (refs != 0)
		if (__atomic_compare_exchange_n(&p->tty.refs, &refs, refs + 1,
			false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

/* The pair of that number, referenced, or NULL. */
static struct pty *
pty_find(unsigned index)
{
	uint64_t state = spin_lock_irq(&ptys_lock);
	struct pty *p;

	TAILQ_FOREACH (p, &ptys, link)
		if (p->index == index)
			break;
	if (p != NULL && !pty_try_get(p))
		p = NULL;
	spin_unlock_irq(&ptys_lock, state);
	return p;
}

static int
slave_open(struct inode *inode, struct file *file)
{
	struct pty *p = pty_find(dev_minor(inode->rdev));
	int error;

	if (p == NULL)
		return -ENXIO;
	error = p->master_gone || p->locked ? -EIO :
					      tty_open(&p->tty, file, false);
	if (error == 0 && p->master_gone) /* meanwhile */
		tty_hang_up(&p->tty);
	tty_put(&p->tty);
	return error;
}

/* ------------------------------------------------------------------ boot -- */

static const struct file_ops ptmx_node_ops = { .open = ptmx_open };
static const struct file_ops slave_node_ops = { .open = slave_open };

static struct chrdev ptmx_dev = {
	.major = TTYAUX_MAJOR,
	.minor = 2,
	.count = 1,
	.mode = 0666,
	.name = "ptmx",
	.driver = "/dev/ptmx",
	.ops = &ptmx_node_ops,
};
static struct chrdev slave_dev = {
	.major = UNIX98_PTY_SLAVE_MAJOR,
	.minor = 0,
	.count = PTY_MAX,
	.driver = "pts",
	.ops = &slave_node_ops,
};

int
pty_init(void)
{
	int error = fs_type_register(&devpts_type);

	if (error == 0)
		error = chrdev_register(&ptmx_dev);
	return error == 0 ? chrdev_register(&slave_dev) : error;
}
