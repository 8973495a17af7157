/* SPDX-License-Identifier: ISC */
/*
 * console.h - the machine's console: the serial line that console= names, or
 * the first one.  Shows the kernel's log; terminals use it through
 * dev/serial.h.
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

/* NULL: none. */
struct serial *console_serial(void);

/* All output has left the machine; polls, any context. */
void console_drain(void);

#endif
