/* SPDX-License-Identifier: ISC */
/*
 * control.c - the control channel over a 16550 or a port of a virtio console.
 *
 * Output is polled, so that it works to the last moment; it is a few dozen
 * bytes in a machine's life.
 */
#include "dev/control.h"

#include "dev/console.h"
#include "dev/control_parse.h"
#include "dev/uart16550.h"
#include "kern/bootargs.h"
#include "kern/log.h"
#include "kern/power.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include <linux/errno.h>

#define CONTROL_ROOM 4096 /* lines are parsed as they come: always room */

static struct uart16550 control_uart;
static struct spinlock control_lock = SPINLOCK_INIT; /* interrupts off */
static struct serial *control; /* referenced, under control_lock; NULL: none */
static struct control_parser control_parser;
static const struct control_handlers *control_handlers;
static bool control_complained;

#define CONTROL_NAME "remora.control" /* remora.control=virtio */

/* A reference, or NULL. */
static struct serial *
control_line(void)
{
	uint64_t state = spin_lock_irq(&control_lock);
	struct serial *line = control;

	if (line != NULL)
		serial_get(line);
	spin_unlock_irq(&control_lock, state);
	return line;
}

bool
control_present(void)
{
	return bootargs()->control_name != NULL ||
	    __atomic_load_n(&control, __ATOMIC_ACQUIRE) != NULL;
}

bool
control_is_awaited(void)
{
	return bootargs()->control_name != NULL &&
	    __atomic_load_n(&control, __ATOMIC_ACQUIRE) == NULL;
}

void
control_send(const char *line)
{
	struct serial *s = control_line();

	if (s == NULL)
		return;
	s->ops->write_polled(s, (const uint8_t *)line, strlen(line));
	s->ops->write_polled(s, (const uint8_t *)"\n", 1);
	serial_put(s);
}

static void
control_drain(void)
{
	struct serial *s = control_line();

	console_drain();
	if (s != NULL)
		s->ops->drain(s);
	serial_put(s);
}

static void
control_act(enum control_kind kind, const struct control_message *m)
{
	const struct control_handlers *h = control_handlers;

	if (kind == CONTROL_WINSIZE && h->winsize != NULL)
		h->winsize(m->rows, m->cols);
	else if (kind == CONTROL_EOF && h->eof != NULL)
		h->eof(m->total);
	else if (kind == CONTROL_SIGNAL && h->signal != NULL)
		h->signal(m->signo);
	else if (kind == CONTROL_BAD && !control_complained) {
		control_complained = true;
		log_warn("control: a line from the host makes no sense");
	}
}

static void
control_input(void *arg, const uint8_t *bytes, size_t n)
{
	struct control_message m;
	size_t i;

	(void)arg;
	for (i = 0; i < n; i++)
		control_act(control_feed(&control_parser, bytes[i], &m), &m);
}

static void
control_room(void *arg)
{
	(void)arg; /* output is polled: nobody waits */
}

static const struct serial_client control_client = {
	.input = control_input,
	.room = control_room,
};

/* Once, when both the line and who listens are there. */
static int
control_begin(struct serial *line)
{
	int error;

	line->client = &control_client;
	serial_set_room(line, CONTROL_ROOM);
	error = line->ops->open(line);
	if (error == 0)
		control_send("ready");
	return error;
}

int
control_listen(const struct control_handlers *handlers)
{
	struct serial *line = control_line();
	int error = 0;

	if (line == NULL && bootargs()->control_name == NULL)
		return -ENODEV;
	control_handlers = handlers;
	if (line != NULL)
		error = control_begin(line);
	serial_put(line);
	return error;
}

bool
control_offer(struct serial *line, const char *name)
{
	const char *asked = bootargs()->control_name;
	uint64_t state;
	bool mine;
	int error = 0;

	if (asked != NULL && strcmp(asked, "virtio") == 0)
		asked = CONTROL_NAME;
	if (asked == NULL || strcmp(asked, name) != 0)
		return false;
	state = spin_lock_irq(&control_lock);
	mine = control == NULL;
	if (mine)
		control = serial_get(line);
	spin_unlock_irq(&control_lock, state);
	if (mine && control_handlers != NULL)
		error = control_begin(line);
	if (error != 0)
		log_warn("control: port %s: error %d", name, -error);
	console_await_look();
	return mine;
}

void
control_lost(struct serial *line)
{
	uint64_t state = spin_lock_irq(&control_lock);
	bool mine = control == line;

	if (mine)
		control = NULL;
	spin_unlock_irq(&control_lock, state);
	if (mine)
		serial_put(line);
}

static const struct power_control control_power = {
	.send = control_send,
	.drain = control_drain,
};

int
control_init(const struct boot_info *bi)
{
	const struct bootargs *args = bootargs();
	int error;

	(void)bi;
	power_set_control(&control_power);
	if (args->control_port == 0)
		return 0;
	error = uart16550_attach(&control_uart, "control", 0,
	    args->control_port, args->control_irq, NULL, 0);
	if (error == 0)
		control = &control_uart.line;
	return error;
}
