/* SPDX-License-Identifier: ISC */
/*
 * vports.c - ports of virtio consoles as files: /dev/vportNpM, and by their
 * names /dev/virtio-ports/NAME; those that are consoles as /dev/hvcN.  Linux's
 * virtio_console is the model of what programs see.
 *
 * A port has one open file at a time.  Its input lies in a ring that the
 * port's interrupt fills and a reader empties; what finds no room stays with
 * the host.
 */
#include "linux/vports.h"

#include "dev/vport.h"
#include "fs/chrdev.h"
#include "fs/devtmpfs.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "linux/tty_hvc.h"
#include "linux/turn.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#define VPORT_MAJOR 248 /* one of Linux's dynamic ones */
#define MINORS      32u /* a device */
#define RING        4096u
#define CHUNK       512

struct port {
	uint32_t refs;              /* [a] its port's, its open file's */
	struct vport *vport;        /* [I] the line's reference keeps it */
	struct chrdev node;         /* until it departs */
	char name[24];              /* [I] "vport0p1" */
	char link[16 + VPORT_NAME]; /* [I] "virtio-ports/NAME"; "" */
	struct hvc *hvc;            /* [I] from console() on */
	bool open;                  /* under ports_lock */
	uint8_t *ring;              /* from the first open on */
	uint32_t head, tail; /* [a] free running: producer's, consumer's */
	struct turn reading, writing;
	struct waitq read_wq, write_wq;
	TAILQ_ENTRY(port) entry; /* under ports_lock */
};

static struct mutex ports_lock = MUTEX_INIT(ports_lock);
static TAILQ_HEAD(, port) ports = TAILQ_HEAD_INITIALIZER(ports);

static void
port_put(struct port *p)
{
	if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	serial_put(&p->vport->line);
	kfree(p->ring);
	kfree(p);
}

static struct serial *
line_of(struct port *p)
{
	return &p->vport->line;
}

static bool
is_gone(struct port *p)
{
	return serial_is_gone(line_of(p));
}

static bool
host_is_there(struct port *p)
{
	return __atomic_load_n(&p->vport->host_open, __ATOMIC_ACQUIRE) != 0;
}

/* ---------------------------------------------------- the line's client -- */

static uint32_t
used(struct port *p)
{
	return __atomic_load_n(&p->head, __ATOMIC_ACQUIRE) -
	    __atomic_load_n(&p->tail, __ATOMIC_ACQUIRE);
}

static void
client_input(void *arg, const uint8_t *bytes, size_t n)
{
	struct port *p = arg;
	uint32_t head = p->head;
	size_t i;

	n = MIN(n, RING - used(p));
	for (i = 0; i < n; i++)
		p->ring[head++ % RING] = bytes[i];
	__atomic_store_n(&p->head, head, __ATOMIC_RELEASE);
	serial_add_room(line_of(p), -(int32_t)n);
	waitq_wake_all(&p->read_wq);
}

static void
client_room(void *arg)
{
	struct port *p = arg;

	waitq_wake_all(&p->write_wq);
}

static const struct serial_client client = {
	.input = client_input,
	.room = client_room,
};

/* ------------------------------------------------------- open, release -- */

/* The port, referenced and open: -ENODEV, -EBUSY, -ENXIO for a console's. */
static int
find_closed(uint32_t minor, struct port **out)
{
	struct port *p;
	int error = -ENODEV;

	mutex_lock(&ports_lock);
	TAILQ_FOREACH (p, &ports, entry) {
		if (p->node.minor == minor)
			break;
	}
	if (p != NULL) {
		error = p->hvc != NULL              ? -ENXIO :
		    p->open || p->vport->is_control ? -EBUSY :
						      0;
	}
	if (error == 0) {
		p->open = true;
		__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
		*out = p;
	}
	mutex_unlock(&ports_lock);
	return error;
}

static void
close_port(struct port *p)
{
	mutex_lock(&ports_lock);
	p->open = false;
	mutex_unlock(&ports_lock);
	port_put(p);
}

static int
begin(struct port *p)
{
	if (p->ring == NULL)
		p->ring = kmalloc(RING);
	if (p->ring == NULL)
		return -ENOMEM;
	p->head = p->tail = 0;
	line_of(p)->client_arg = p;
	line_of(p)->client = &client;
	serial_set_room(line_of(p), RING);
	return line_of(p)->ops->open(line_of(p));
}

static const struct file_ops port_ops;

static int
port_open(struct inode *inode, struct file *file)
{
	struct port *p;
	int error = find_closed(dev_minor(inode->rdev), &p);

	if (error != 0)
		return error;
	error = begin(p);
	if (error != 0) {
		close_port(p);
		return error;
	}
	file->priv = p;
	file->mode &= ~FILE_SEEK;
	return 0;
}

static void
port_release(struct file *file)
{
	struct port *p = file->priv;

	p->vport->ops->set_open(p->vport, false);
	close_port(p);
}

static bool
nonblock(const struct file *file, const struct uio *u)
{
	return (file->flags & O_NONBLOCK) != 0 || (u->flags & UIO_NOWAIT) != 0;
}

/* ------------------------------------------------------- read and write -- */

/* Copies what is there; twice at most, where the ring wraps. */
static long
copy(struct port *p, struct uio *u)
{
	uint32_t n, at, run;
	size_t done = 0;

	while (u->resid > 0 && (n = used(p)) > 0) {
		at = p->tail % RING;
		run = MIN(MIN(n, RING - at), u->resid);
		n = uio_put(u, p->ring + at, run);
		done += n;
		__atomic_store_n(&p->tail, p->tail + n, __ATOMIC_RELEASE);
		serial_add_room(line_of(p), n);
		if (n < run)
			return done > 0 ? (long)done : -EFAULT;
	}
	return done;
}

static long
read_turn(struct port *p, struct file *file, struct uio *u)
{
	int error;

	while (used(p) == 0) {
		if (is_gone(p))
			return -ENODEV;
		if (!host_is_there(p))
			return 0;
		if (nonblock(file, u))
			return -EAGAIN;
		error = wait_event_intr(&p->read_wq,
		    used(p) > 0 || !host_is_there(p) || is_gone(p));
		if (error != 0)
			return error;
	}
	return copy(p, u);
}

static long
port_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct port *p = file->priv;
	long n;

	(void)pos;
	if (u->resid == 0)
		return 0;
	n = turn_take(&p->reading, &p->read_wq, nonblock(file, u));
	if (n != 0)
		return n;
	n = read_turn(p, file, u);
	turn_end(&p->reading, &p->read_wq);
	serial_resume(line_of(p));
	return n;
}

/* What is written while nobody listens would be lost: it waits. */
static bool
can_write(struct port *p)
{
	return host_is_there(p) && line_of(p)->ops->room(line_of(p)) > 0;
}

static int
await_room(struct port *p, struct file *file, struct uio *u)
{
	int error = 0;

	if (!is_gone(p) && !can_write(p)) {
		if (nonblock(file, u))
			return -EAGAIN;
		error = wait_event_intr(&p->write_wq,
		    can_write(p) || is_gone(p));
	}
	return error == 0 && is_gone(p) ? -ENODEV : error;
}

/* Bytes are lost only with the port. */
static long
send(struct port *p, struct file *file, struct uio *u)
{
	uint8_t chunk[CHUNK];
	size_t n, done = 0;
	int error = await_room(p, file, u);

	if (error != 0)
		return error;
	n = MIN(u->resid, MIN(line_of(p)->ops->room(line_of(p)), CHUNK));
	n = uio_get(u, chunk, n);
	if (n == 0)
		return -EFAULT;
	for (;;) {
		done += line_of(p)->ops->write(line_of(p), chunk + done,
		    n - done);
		if (done == n)
			return n;
		wait_event(&p->write_wq,
		    line_of(p)->ops->room(line_of(p)) > 0 || is_gone(p));
		if (is_gone(p))
			return -ENODEV;
	}
}

static long
port_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct port *p = file->priv;
	size_t done = 0;
	long n;

	(void)pos;
	if (u->resid == 0)
		return 0;
	n = turn_take(&p->writing, &p->write_wq, nonblock(file, u));
	if (n != 0)
		return n;
	do {
		n = send(p, file, u);
		done += n > 0 ? n : 0;
	} while (n > 0 && u->resid > 0 && !thread_self()->interrupted);
	turn_end(&p->writing, &p->write_wq);
	return done > 0 ? (long)done : n;
}

static unsigned
port_poll(struct file *file, struct poll_table *table)
{
	struct port *p = file->priv;
	unsigned events = 0;

	poll_wait(table, &p->read_wq);
	poll_wait(table, &p->write_wq);
	if (is_gone(p))
		return POLLHUP;
	if (used(p) > 0 || !host_is_there(p))
		events |= POLLIN | POLLRDNORM;
	if (can_write(p))
		events |= POLLOUT;
	return events | (host_is_there(p) ? 0 : POLLHUP);
}

static const struct file_ops port_ops = {
	.open = port_open,
	.release = port_release,
	.read = port_read,
	.write = port_write,
	.poll = port_poll,
	.llseek = no_llseek,
};

/* ---------------------------------------------------------------- /sys -- */

static int
show_name(struct classdev *cd, struct sbuf *sb)
{
	struct port *p = container_of((struct chrdev *)cd->arg, struct port,
	    node);

	if (p->vport->name[0] != '\0')
		sbuf_printf(sb, "%s\n", p->vport->name);
	return 0;
}

static const struct classdev_attr port_attrs[] = {
	{ "name", 0444, show_name, NULL },
	{ 0 },
};

static const struct class port_class = {
	.name = "virtio-ports",
	.attrs = port_attrs,
};

/* ------------------------------------------------ arrival and departure -- */

static int
arrive(struct vport *v)
{
	struct port *p = kzalloc(sizeof(*p));
	int error;

	if (p == NULL)
		return -ENOMEM;
	p->refs = 1;
	p->vport = v;
	waitq_init(&p->read_wq);
	waitq_init(&p->write_wq);
	snprintf(p->name, sizeof(p->name), "vport%up%u", v->device, v->id);
	p->node = (struct chrdev){ .major = VPORT_MAJOR,
		.minor = v->device * MINORS + v->id,
		.mode = 0600,
		.name = p->name,
		.driver = "virtio-portsdev",
		.class = &port_class,
		.dev = v->dev,
		.ops = &port_ops };
	serial_get(&v->line);
	mutex_lock(&ports_lock);
	TAILQ_INSERT_TAIL(&ports, p, entry);
	mutex_unlock(&ports_lock);
	v->upper = p;
	error = chrdev_register(&p->node);
	if (error != 0)
		log_warn("%s: no node, error %d", p->name, -error);
	return 0;
}

static void
named(struct vport *v)
{
	struct port *p = v->upper;
	char target[sizeof(p->name) + 3];
	int error;

	snprintf(p->link, sizeof(p->link), "virtio-ports/%s", v->name);
	snprintf(target, sizeof(target), "../%s", p->name);
	error = devtmpfs_link(p->link, target);
	if (error != 0)
		log_warn("%s: no link %s, error %d", p->name, p->link, -error);
}

static void
console(struct vport *v)
{
	struct port *p = v->upper;
	struct hvc *hvc;
	int error = tty_hvc_arrive(&v->line, &hvc);

	if (error != 0) {
		log_warn("%s: no terminal, error %d", p->name, -error);
		return;
	}
	mutex_lock(&ports_lock);
	p->hvc = hvc;
	mutex_unlock(&ports_lock);
	tty_hvc_size(hvc, v->size);
}

static void
changed(struct vport *v)
{
	struct port *p = v->upper;

	if (p->hvc != NULL)
		tty_hvc_size(p->hvc,
		    __atomic_load_n(&v->size, __ATOMIC_ACQUIRE));
	waitq_wake_all(&p->read_wq);
	waitq_wake_all(&p->write_wq);
}

static void
depart(struct vport *v)
{
	struct port *p = v->upper;

	if (p == NULL)
		return;
	mutex_lock(&ports_lock);
	TAILQ_REMOVE(&ports, p, entry);
	mutex_unlock(&ports_lock);
	if (p->hvc != NULL)
		tty_hvc_depart(p->hvc);
	if (p->link[0] != '\0')
		devtmpfs_unlink(p->link);
	chrdev_unregister(&p->node);
	waitq_wake_all(&p->read_wq);
	waitq_wake_all(&p->write_wq);
	port_put(p);
}

static const struct vport_consumer consumer = {
	.arrive = arrive,
	.named = named,
	.console = console,
	.changed = changed,
	.depart = depart,
};

void
vports_init(void)
{
	vport_set_consumer(&consumer);
}
