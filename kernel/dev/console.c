/* SPDX-License-Identifier: ISC */
/*
 * console.c - chooses the console and shows the kernel's log on it.
 *
 * Only the port that is asked for is probed: ttyS0 to ttyS3 stand where they
 * have stood on every PC.  For hvc0 none is: its driver offers it.
 */
#include "dev/console.h"

#include "dev/control.h"
#include "dev/uart16550.h"
#include "dev/vport.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>

#define CONSOLE_RING 1024
#define TTYS_MINOR   64 /* Documentation: Linux's devices.txt, char 4 */
#define PATIENCE_NS  (5 * NSEC_PER_SEC)

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

static struct spinlock console_lock = SPINLOCK_INIT; /* interrupts off */
static struct serial *console;   /* referenced; under console_lock */
static struct serial *sink_line; /* the log's, under the log's lock */
static bool console_shown;       /* there has been one */
static struct waitq await_wq = WAITQ_INIT(await_wq);

static struct {
	void (*fn)(void *arg, uint8_t byte);
	void *arg;
} emergency; /* under console_lock */

struct serial *
console_serial(void)
{
	uint64_t state = spin_lock_irq(&console_lock);
	struct serial *line = console;

	if (line != NULL)
		serial_get(line);
	spin_unlock_irq(&console_lock, state);
	return line;
}

/* The log's newline is the terminal's carriage return and line feed. */
static void
console_log(const char *bytes, size_t len)
{
	const struct serial_ops *ops = sink_line->ops;
	const char *nl;
	size_t run;

	while (len > 0) {
		nl = memchr(bytes, '\n', len);
		run = nl == NULL ? len : (size_t)(nl - bytes);
		if (run > 0)
			ops->write_polled(sink_line, (const void *)bytes, run);
		if (nl == NULL)
			return;
		ops->write_polled(sink_line, (const uint8_t *)"\r\n", 2);
		bytes += run + 1;
		len -= run + 1;
	}
}

static const struct log_sink console_sink = { .write = console_log };

static void
console_set(struct serial *line)
{
	uint64_t state;

	sink_line = serial_get(line); /* nobody logs to it before: */
	log_set_sink(&console_sink);
	state = spin_lock_irq(&console_lock);
	console = line; /* has the sink's reference */
	console_shown = true;
	spin_unlock_irq(&console_lock, state);
}

/* ----------------------------------------------- a console that arrives -- */

bool
console_is_named(const char *name)
{
	const char *asked = bootargs()->console;

	return asked != NULL && strcmp(asked, name) == 0;
}

static bool
console_is_hvc(void)
{
	const char *asked = bootargs()->console;

	return asked != NULL && strncmp(asked, "hvc", 3) == 0;
}

void
console_offer(struct serial *line)
{
	struct serial *old = console_serial();

	if (old == NULL && console_is_named(line->name))
		console_set(line);
	serial_put(old);
	console_await_look();
}

void
console_lost(struct serial *line)
{
	uint64_t state = spin_lock_irq(&console_lock);
	bool mine = console == line;

	spin_unlock_irq(&console_lock, state);
	if (!mine)
		return;
	log_set_sink(NULL); /* nobody is inside any more */
	state = spin_lock_irq(&console_lock);
	console = NULL;
	spin_unlock_irq(&console_lock, state);
	serial_put(line);
}

/* ------------------------------------------------------------- the end -- */

static void
emergency_log(const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			emergency.fn(emergency.arg, '\r');
		emergency.fn(emergency.arg, bytes[i]);
	}
}

static const struct log_sink emergency_sink = { .write = emergency_log };

void
console_set_emergency(void (*fn)(void *arg, uint8_t byte), void *arg)
{
	uint64_t state = spin_lock_irq(&console_lock);

	if (fn != NULL || emergency.arg == arg) {
		emergency.fn = fn;
		emergency.arg = arg;
	}
	spin_unlock_irq(&console_lock, state);
}

void
console_drain(void)
{
	struct serial *line = console_serial();

	if (line != NULL)
		line->ops->drain(line);
	else if (!console_shown && console_is_hvc() && emergency.fn != NULL)
		log_set_sink(&emergency_sink);
	serial_put(line);
}

/* -------------------------------------------------------- the beginning -- */

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

static bool
all_there(void)
{
	bool waits = console_is_hvc() &&
	    __atomic_load_n(&console, __ATOMIC_ACQUIRE) == NULL;

	return !(waits || control_is_awaited()) || !vport_expected();
}

void
console_await_look(void)
{
	if (!waitq_empty(&await_wq))
		waitq_wake_all(&await_wq);
}

void
console_await(void)
{
	int error;

	if (all_there())
		return;
	error = wait_event_until(&await_wq, all_there(),
	    clock_mono_ns() + PATIENCE_NS);
	if (error != 0)
		log_warn("console: the host announces no port for %s",
		    control_is_awaited() ? "remora.control=" : "console=");
}

int
console_init(const struct boot_info *bi)
{
	const struct bootargs *args = bootargs();
	const struct console_port *p = console_choose(args->console);
	int error;

	(void)bi;
	if (console_is_hvc())
		return 0;
	if (p->port == args->control_port)
		return -EBUSY;
	error = uart16550_attach(&console_uart, p->name,
	    TTYS_MINOR + (p - console_ports), p->port, p->irq, console_ring,
	    CONSOLE_RING);
	if (error != 0)
		return error;
	console_set(&console_uart.line);
	log_info("%s at isa0 port 0x%x irq %u: 16550, %u byte fifo, console",
	    p->name, p->port, p->irq, console_uart.fifo);
	return 0;
}
