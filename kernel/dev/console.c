/* SPDX-License-Identifier: ISC */
/*
 * console.c - chooses the console and shows the kernel's log on it.
 *
 * Only the port that is asked for is probed: ttyS0 to ttyS3 stand where they
 * have stood on every PC.
 */
#include "dev/console.h"

#include "dev/uart16550.h"
#include "kern/bootargs.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

#define CONSOLE_RING 1024
#define TTYS_MINOR   64 /* Documentation: Linux's devices.txt, char 4 */

static const struct console_port {
	const char *name;
	uint16_t port;
	uint8_t irq;
} console_ports[] = {
	{ "ttyS0", 0x3f8, 4 },
	{ "ttyS1", 0x2f8, 3 },
	{ "ttyS2", 0x3e8, 4 },
	{ "ttyS3", 0x2e8, 3 },
};

static struct uart16550 console_uart;
static uint8_t console_ring[CONSOLE_RING];
static struct serial *console;

struct serial *
console_serial(void)
{
	return console;
}

void
console_drain(void)
{
	if (console != NULL)
		console->ops->drain(console);
}

/* The log's newline is the terminal's carriage return and line feed. */
static void
console_log(const char *bytes, size_t len)
{
	const struct serial_ops *ops = console->ops;
	const char *nl;
	size_t run;

	while (len > 0) {
		nl = memchr(bytes, '\n', len);
		run = nl == NULL ? len : (size_t)(nl - bytes);
		if (run > 0)
			ops->write_polled(console, (const void *)bytes, run);
		if (nl == NULL)
			return;
		ops->write_polled(console, (const uint8_t *)"\r\n", 2);
		bytes += run + 1;
		len -= run + 1;
	}
}

static const struct log_sink console_sink = { .write = console_log };

/* A name that is no serial port's stands for the first one. */
static const struct console_port *
console_choose(const char *name)
{
	unsigned i;

	for (i = 0; name != NULL && i < ARRAY_SIZE(console_ports); i++)
		if (strcmp(console_ports[i].name, name) == 0)
			return &console_ports[i];
	return &console_ports[0];
}

int
console_init(const struct boot_info *bi)
{
	const struct bootargs *args = bootargs();
	const struct console_port *p = console_choose(args->console);
	int error;

	(void)bi;
	if (p->port == args->control_port)
		return -EBUSY;
	error = uart16550_attach(&console_uart, p->name,
	    TTYS_MINOR + (p - console_ports), p->port, p->irq, console_ring,
	    CONSOLE_RING);
	if (error != 0)
		return error;
	console = &console_uart.line;
	log_set_sink(&console_sink);
	log_info("%s at isa0 port 0x%x irq %u: 16550, %u byte fifo, console",
	    p->name, p->port, p->irq, console_uart.fifo);
	return 0;
}
