/* SPDX-License-Identifier: ISC */
/*
 * tty_serial.c - serial lines as terminals: /dev/console, /dev/ttySn,
 * /dev/hvcn, and /dev/tty, which is whatever the caller's terminal is.
 *
 * A line has one client.  What comes in goes to the terminal, or to the raw
 * stream of linux/stdio.c where the command line asked for one.
 */
#include "linux/tty.h"

#include "dev/console.h"
#include "dev/control.h"
#include "dev/vport.h"
#include "fs/chrdev.h"
#include "kern/bootargs.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/stdio.h"
#include "linux/tty_hvc.h"
#include "linux/vports.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/major.h>

#define HVC_MAJOR 229 /* Documentation: Linux's devices.txt */

/* A virtio console's port as a terminal. */
struct hvc {
	struct tty tty;      /* references: files, sessions, our own */
	struct serial *line; /* [I] referenced */
	struct chrdev node;  /* until it departs */
	char name[8];        /* [I] "hvc0" */
};

static struct tty uart_tty; /* for ever, if there is a port */
static struct spinlock console_lock = SPINLOCK_INIT; /* interrupts off */
static struct tty *console_tty; /* referenced, under console_lock; or NULL */

struct tty *
tty_console(void)
{
	uint64_t state = spin_lock_irq(&console_lock);
	struct tty *t = console_tty;

	if (t != NULL)
		tty_get(t);
	spin_unlock_irq(&console_lock, state);
	return t;
}

/* NULL: none any more. */
static void
console_set(struct tty *t)
{
	struct tty *old;
	uint64_t state;

	if (t != NULL)
		tty_get(t);
	state = spin_lock_irq(&console_lock);
	old = console_tty;
	console_tty = t;
	spin_unlock_irq(&console_lock, state);
	if (old != NULL)
		tty_put(old);
}

/* ------------------------------------------------------ the line below -- */

static struct serial *
line_of(struct tty *t)
{
	return t->line;
}

static int
line_open(struct tty *t)
{
	return line_of(t)->ops->open(line_of(t));
}

static size_t
line_room(struct tty *t)
{
	return line_of(t)->ops->room(line_of(t));
}

static void
line_out(struct tty *t, const uint8_t *bytes, size_t n)
{
	line_of(t)->ops->write(line_of(t), bytes, n);
}

static size_t
line_queued(struct tty *t)
{
	return line_of(t)->ops->queued(line_of(t));
}

static void
line_discard(struct tty *t)
{
	line_of(t)->ops->discard(line_of(t));
}

static void
line_pause(struct tty *t, bool on)
{
	line_of(t)->ops->pause(line_of(t), on);
}

static void
line_send_now(struct tty *t, uint8_t byte)
{
	line_of(t)->ops->write_polled(line_of(t), &byte, 1);
}

static void
line_set_room(struct tty *t, size_t room)
{
	if (!stdio_takes_input(t->line))
		serial_set_room(line_of(t), room);
}

static void
line_resume(struct tty *t)
{
	serial_resume(line_of(t));
}

static void
line_set(struct tty *t, const struct termios2 *tio)
{
	uint32_t speed = tio->c_ospeed;
	unsigned divisor = speed == 0 ? 1 : 115200 / speed;

	line_of(t)->ops->set_line(line_of(t), MAX(divisor, 1u),
	    5 + ((tio->c_cflag & CSIZE) >> 4), (tio->c_cflag & CSTOPB) != 0,
	    (tio->c_cflag & PARENB) != 0, (tio->c_cflag & PARODD) == 0);
	if (speed == 0 && t->lops->set_modem != NULL) /* B0 hangs up */
		line_of(t)->ops->set_modem(line_of(t), 0,
		    TIOCM_DTR | TIOCM_RTS);
}

static unsigned
line_modem(struct tty *t)
{
	return line_of(t)->ops->modem(line_of(t));
}

static void
line_set_modem(struct tty *t, unsigned set, unsigned clear)
{
	line_of(t)->ops->set_modem(line_of(t), set, clear);
}

static const struct tty_line_ops line_ops = {
	.open = line_open,
	.room = line_room,
	.out = line_out,
	.queued = line_queued,
	.discard = line_discard,
	.pause = line_pause,
	.send_now = line_send_now,
	.set_room = line_set_room,
	.resume = line_resume,
	.set_line = line_set,
	.modem = line_modem,
	.set_modem = line_set_modem,
};

/* ---------------------------------------------------- the line's client -- */

static void
client_input(void *arg, const uint8_t *bytes, size_t n)
{
	struct tty *t = arg;

	if (stdio_takes_input(t->line))
		stdio_input(bytes, n);
	else
		tty_input(t, bytes, n);
}

static void
client_room(void *arg)
{
	tty_output_room(arg);
	stdio_room();
}

static const struct serial_client line_client = {
	.input = client_input,
	.room = client_room,
};

/* ---------------------------------------------------------------- nodes -- */

static int
line_node_open(struct inode *inode, struct file *file)
{
	(void)inode;
	return tty_open(&uart_tty, file, false);
}

static int
console_node_open(struct inode *inode, struct file *file)
{
	struct tty *t = tty_console();
	int error;

	(void)inode;
	if (t == NULL)
		return -ENODEV;
	error = tty_open(t, file, true);
	tty_put(t);
	return error;
}

static int
current_node_open(struct inode *inode, struct file *file)
{
	struct tty *t = tty_current();
	int error;

	(void)inode;
	if (t == NULL)
		return -ENXIO;
	error = tty_attach_file(t, file, false);
	tty_put(t);
	return error;
}

static const struct file_ops line_node_ops = { .open = line_node_open };
static const struct file_ops console_node_ops = { .open = console_node_open };
static const struct file_ops current_node_ops = { .open = current_node_open };

static struct chrdev current_dev = {
	.major = TTYAUX_MAJOR,
	.minor = 0,
	.count = 1,
	.mode = 0666,
	.name = "tty",
	.driver = "/dev/tty",
	.ops = &current_node_ops,
};
static struct chrdev console_dev = {
	.major = TTYAUX_MAJOR,
	.minor = 1,
	.count = 1,
	.mode = 0600,
	.name = "console",
	.driver = "/dev/console",
	.ops = &console_node_ops,
};
static struct chrdev line_dev = {
	.major = TTY_MAJOR,
	.count = 1,
	.mode = 0600,
	.driver = "ttyS",
	.ops = &line_node_ops,
};

/* -------------------------------------------------------------- control -- */

static void
host_winsize(unsigned rows, unsigned cols)
{
	struct winsize ws = { .ws_row = rows, .ws_col = cols };
	struct tty *t = tty_console();

	if (t == NULL)
		return;
	tty_set_winsize(t, &ws);
	tty_put(t);
}

/* For the foreground; without a terminal, for the first program's group. */
static void
host_signal(int signo)
{
	const struct process *init = process_init();
	struct tty *t = tty_console();
	int32_t pgrp = t != NULL ? t->pgrp : 0;

	if (t != NULL)
		tty_put(t);
	if (pgrp != 0 && signal_send_pgrp(pgrp, signo) != 0)
		return;
	if (init != NULL)
		signal_send_pgrp(init->pgid, signo);
}

static const struct control_handlers host_handlers = {
	.winsize = host_winsize,
	.eof = stdio_eof,
	.signal = host_signal,
};

/* A terminal over this line, not open yet. */
static void
line_setup(struct tty *t, struct serial *line, const struct tty_line_ops *ops)
{
	const struct bootargs *args = bootargs();

	tty_setup(t);
	t->name = line->name;
	t->lops = ops;
	t->line = line;
	t->winsize.ws_row = args->rows;
	t->winsize.ws_col = args->cols;
	line->client_arg = t;
	line->client = &line_client;
}

static int
uart_attach(struct serial *line)
{
	line_setup(&uart_tty, line, &line_ops);
	uart_tty.rdev = dev_make(TTY_MAJOR, line->minor);
	console_set(&uart_tty);
	line_dev.minor = line->minor;
	line_dev.name = line->name;
	return chrdev_register(&line_dev);
}

/* ---------------------------------------------------- virtio consoles -- */

static struct hvc *
hvc_of(struct tty *t)
{
	return container_of(t, struct hvc, tty);
}

static void
hvc_gone(struct tty *t)
{
	serial_put(hvc_of(t)->line);
	kfree(t->buf);
	kfree(hvc_of(t));
}

/* As a serial port's, but without a modem's lines. */
static const struct tty_line_ops hvc_ops = {
	.open = line_open,
	.room = line_room,
	.out = line_out,
	.queued = line_queued,
	.discard = line_discard,
	.pause = line_pause,
	.send_now = line_send_now,
	.set_room = line_set_room,
	.resume = line_resume,
	.set_line = line_set,
	.gone = hvc_gone,
};

static struct spinlock hvcs_lock = SPINLOCK_INIT;
static struct hvc *hvcs[VPORT_HVCS]; /* under hvcs_lock; referenced */

static int
hvc_node_open(struct inode *inode, struct file *file)
{
	unsigned minor = dev_minor(inode->rdev);
	struct hvc *h = NULL;
	int error;

	spin_lock(&hvcs_lock);
	if (minor < VPORT_HVCS)
		h = hvcs[minor];
	if (h != NULL)
		tty_get(&h->tty);
	spin_unlock(&hvcs_lock);
	if (h == NULL)
		return -ENODEV;
	error = tty_open(&h->tty, file, false);
	if (error == 0 && h->tty.line_gone) /* meanwhile */
		tty_hang_up(&h->tty);
	tty_put(&h->tty);
	return error;
}

static const struct file_ops hvc_node_ops = { .open = hvc_node_open };

void
tty_hvc_size(struct hvc *h, uint32_t size)
{
	struct winsize ws = { .ws_row = size >> 16, .ws_col = size & 0xffff };

	if (ws.ws_row != 0 && ws.ws_col != 0)
		tty_set_winsize(&h->tty, &ws);
}

int
tty_hvc_arrive(struct serial *line, struct hvc **out)
{
	struct hvc *h = kzalloc(sizeof(*h));
	int error;

	if (h == NULL)
		return -ENOMEM;
	strlcpy(h->name, line->name, sizeof(h->name));
	line_setup(&h->tty, line, &hvc_ops);
	h->line = serial_get(line);
	h->tty.name = h->name;
	h->tty.rdev = dev_make(HVC_MAJOR, line->minor);
	h->node = (struct chrdev){ .major = HVC_MAJOR,
		.minor = line->minor,
		.mode = 0600,
		.name = h->name,
		.driver = "hvc",
		.ops = &hvc_node_ops };
	spin_lock(&hvcs_lock);
	hvcs[line->minor] = h;
	spin_unlock(&hvcs_lock);
	error = chrdev_register(&h->node);
	if (error != 0) {
		tty_hvc_depart(h);
		return error;
	}
	if (console_is_named(h->name))
		console_set(&h->tty);
	*out = h;
	return 0;
}

void
tty_hvc_depart(struct hvc *h)
{
	struct tty *t = tty_console();

	spin_lock(&hvcs_lock);
	hvcs[h->line->minor] = NULL;
	spin_unlock(&hvcs_lock);
	chrdev_unregister(&h->node);
	if (t == &h->tty)
		console_set(NULL);
	if (t != NULL)
		tty_put(t);
	stdio_gone(h->line);
	h->tty.line_gone = true;
	tty_hang_up_session(&h->tty);
	tty_hang_up(&h->tty);
	tty_put(&h->tty);
}

/* ----------------------------------------------------------------- boot -- */

int
tty_init(const struct boot_info *bi)
{
	struct serial *line = console_serial();
	int error = 0;

	(void)bi;
	if (line != NULL) /* it has no virtio console's driver yet */
		error = uart_attach(line);
	serial_put(line);
	if (error == 0)
		error = chrdev_register(&console_dev);
	if (error == 0)
		error = chrdev_register(&current_dev);
	if (error == 0)
		error = pty_init();
	vports_init();
	if (error == 0 && control_present())
		error = control_listen(&host_handlers);
	return error;
}
