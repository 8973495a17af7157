/* SPDX-License-Identifier: ISC */
/*
 * control.c - the control channel over a 16550.
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
#include "kern/string.h"
#include <linux/errno.h>

#define CONTROL_ROOM 4096 /* lines are parsed as they come: always room */

static struct uart16550 control_uart;
static struct serial *control; /* NULL: none */
static struct control_parser control_parser;
static const struct control_handlers *control_handlers;
static bool control_complained;

bool
control_present(void)
{
	return control != NULL;
}

void
control_send(const char *line)
{
	if (control == NULL)
		return;
	control->ops->write_polled(control, (const uint8_t *)line,
	    strlen(line));
	control->ops->write_polled(control, (const uint8_t *)"\n", 1);
}

static void
control_drain(void)
{
	console_drain();
	if (control != NULL)
		control->ops->drain(control);
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

int
control_listen(const struct control_handlers *handlers)
{
	int error;

	if (control == NULL)
		return -ENODEV;
	control_handlers = handlers;
	control->client = &control_client;
	serial_set_room(control, CONTROL_ROOM);
	error = control->ops->open(control);
	if (error == 0)
		control_send("ready");
	return error;
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
