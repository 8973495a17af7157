/* SPDX-License-Identifier: ISC */
/*
 * stdio.h - what the first program's descriptors 0, 1 and 2 are: the console's
 * terminal, or raw streams over the same line (remora.stdin=, remora.stdout=),
 * which look like pipes: no echo, no carriage returns, an end of file.
 */
#ifndef LINUX_STDIO_H
#define LINUX_STDIO_H

#include "kern/types.h"

struct file;

/*
 * What process 1 (the caller) begins with as descriptor fd; called for 0, 1
 * and 2, in this order.  One reference; descriptors that are the same open
 * file get the same one.  Where the host runs one program (there is a control
 * channel), a terminal for input becomes its controlling one.  May sleep.
 *   -ENODEV  there is no console;  -ENOMEM
 */
int console_open_stdio(int fd, struct file **out);

/* For linux/tty_serial.c.  Any context; of the line, struct serial. */
bool stdio_takes_input(const void *line);
/* It has gone. */
void stdio_gone(const void *line);
void stdio_input(const uint8_t *bytes, size_t n);
void stdio_room(void);
/* The host will send no bytes behind the first `total`. */
void stdio_eof(uint64_t total);

#endif
