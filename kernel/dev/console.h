/* SPDX-License-Identifier: ISC */
/*
 * console.h - the machine's console: the serial line that console= names, or
 * the first one.  Shows the kernel's log; terminals use it through
 * dev/serial.h.  A serial port is there from the beginning; a virtio console
 * (hvc0) arrives with its driver, and gets the log so far.
 */
#ifndef DEV_CONSOLE_H
#define DEV_CONSOLE_H

#include "dev/serial.h"

struct boot_info;

/*
 * Finds the console and makes it the log's sink.  Boot step.
 *   -ENODEV  there is none; the kernel runs on without
 */
int console_init(const struct boot_info *bi);

/* A reference, serial_put() is due; NULL: none. */
struct serial *console_serial(void);
/* Does console= name this line? */
bool console_is_named(const char *name);

/* All output has left the machine; polls, any context. */
void console_drain(void);

/* A line with a name arrives; becomes the console if console= says so. */
void console_offer(struct serial *line);
/* It is gone: harmless if it is not the console.  May sleep. */
void console_lost(struct serial *line);

/*
 * Shows one byte by a device that is no console yet; any context.  Used at the
 * machine's end, if the console that was asked for has never come.  fn NULL:
 * no more, if it was `arg`'s.
 */
void console_set_emergency(void (*fn)(void *arg, uint8_t byte), void *arg);

/*
 * Waits until the console and the control channel that the command line names
 * are there, as long as devices are that may bring them; some seconds at most.
 * Threads only.
 */
void console_await(void);
/* Something may have come that console_await() waits for.  Any context. */
void console_await_look(void);

#endif
