/* SPDX-License-Identifier: ISC */
/*
 * tty_serial.c - the console's serial line as a terminal: /dev/console,
 * /dev/ttySn, and /dev/tty, which is whatever the caller's terminal is.
 *
 * The line has one client.  What comes in goes to the terminal, or to the raw
 * stream of linux/stdio.c where the command line asked for one.
 */
#include "linux/tty.h"

#include "dev/console.h"
#include "dev/control.h"
#include "fs/chrdev.h"
#include "kern/bootargs.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/stdio.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/major.h>

static struct tty console_tty;
static struct serial *console_line; /* NULL: no console */

struct tty *
tty_console(void)
{
	return console_line == NULL ? NULL : &console_tty;
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
	if (!stdio_takes_input())
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
	if (speed == 0) /* B0 hangs up */
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
	if (stdio_takes_input())
		stdio_input(bytes, n);
	else
		tty_input(arg, bytes, n);
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
	return tty_open(&console_tty, file, false);
}

static int
console_node_open(struct inode *inode, struct file *file)
{
	(void)inode;
	if (console_line == NULL)
		return -ENODEV;
	return tty_open(&console_tty, file, true);
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

	tty_set_winsize(&console_tty, &ws);
}

/* For the foreground; without a terminal, for the first program's group. */
static void
host_signal(int signo)
{
	const struct process *init = process_init();
	int32_t pgrp = console_tty.pgrp;

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

static int
console_attach(struct serial *line)
{
	const struct bootargs *args = bootargs();

	tty_setup(&console_tty);
	console_tty.name = line->name;
	console_tty.rdev = dev_make(TTY_MAJOR, line->minor);
	console_tty.lops = &line_ops;
	console_tty.line = line;
	console_tty.winsize.ws_row = args->rows;
	console_tty.winsize.ws_col = args->cols;
	console_line = line;
	line->client_arg = &console_tty;
	line->client = &line_client;
	line_dev.minor = line->minor;
	line_dev.name = line->name;
	return chrdev_register(&line_dev);
}

int
tty_init(const struct boot_info *bi)
{
	struct serial *line = console_serial();
	int error = 0;

	(void)bi;
	if (line != NULL)
		error = console_attach(line);
	if (error == 0)
		error = chrdev_register(&console_dev);
	if (error == 0)
		error = chrdev_register(&current_dev);
	if (error == 0)
		error = pty_init();
	if (error == 0 && control_present())
		error = control_listen(&host_handlers);
	return error;
}
