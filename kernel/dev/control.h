/* SPDX-License-Identifier: ISC */
/*
 * control.h - the control channel: a second serial line, named by
 * remora.control=PORT,IRQ, or a port of a virtio console, remora.control=NAME
 * (virtio: the one called remora.control), on which guest and host exchange lines of text that
 * no program sees.  Lines to the host go through kern/power.h.
 */
#ifndef DEV_CONTROL_H
#define DEV_CONTROL_H

#include "kern/types.h"

struct boot_info;

/*
 * What the host's lines do.  Called with interrupts off; must not sleep.
 * Each may be NULL.
 */
struct control_handlers {
	void (*winsize)(unsigned rows, unsigned cols);
	/* No bytes follow the first `total` on the console. */
	void (*eof)(uint64_t total);
	void (*signal)(int signo);
};

/*
 * Attaches the line, if the command line names one, and becomes what
 * power_end() reports and drains through, with or without one.  Boot step,
 * after console_init().
 *   -ENODEV  no such device where the command line says
 */
int control_init(const struct boot_info *bi);

/*
 * True if there is a control channel, or one was asked for that arrives with
 * its device.
 */
bool control_present(void);
/* One was asked for, and is not there yet. */
bool control_is_awaited(void);

/*
 * A port with a name arrives: true if it is the control channel now.  It is
 * gone: harmless if it is not.  Threads only.
 */
struct serial;
bool control_offer(struct serial *line, const char *name);
void control_lost(struct serial *line);

/*
 * Registers who is called, begins to listen, and sends "ready" (for a channel
 * that is still to arrive: then): from now on the host may send on both lines;
 * what came earlier could be lost while they were being set up.  Threads only,
 * once.
 *   -ENODEV  there is no control channel
 */
int control_listen(const struct control_handlers *handlers);

/* Sends one line, without its newline, polled; any context. */
void control_send(const char *line);

#endif
