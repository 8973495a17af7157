/* SPDX-License-Identifier: ISC */
/*
 * tty_hvc.h - consoles that come and go with their devices, as terminals:
 * between linux/vports.c, who hears of them, and tty_serial.c.
 */
#ifndef LINUX_TTY_HVC_H
#define LINUX_TTY_HVC_H

#include "kern/types.h"

struct hvc;
struct serial;

/*
 * The line, with its name and minor, becomes /dev/hvcN, and /dev/console if
 * console= says so.  May sleep.  -ENOMEM
 */
int tty_hvc_arrive(struct serial *line, struct hvc **out);
/*
 * Its line has gone: open files are dead, its session is hung up, its node is
 * away.  May sleep.
 */
void tty_hvc_depart(struct hvc *h);
/* rows << 16 | columns; unknown where either is 0.  Any context. */
void tty_hvc_size(struct hvc *h, uint32_t size);

#endif
