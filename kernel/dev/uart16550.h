/* SPDX-License-Identifier: ISC */
/*
 * uart16550.h - a 16550 serial port behind eight ports and an ISA interrupt.
 */
#ifndef DEV_UART16550_H
#define DEV_UART16550_H

#include "dev/serial.h"
#include "kern/spinlock.h"
#include "kern/types.h"

struct uart16550 { /* I: constant once attached; q: under lock */
	struct serial line;
	struct spinlock lock;
	uint16_t port;         /* [I] */
	uint8_t irq;           /* [I] */
	uint8_t fifo;          /* [I] bytes the transmitter takes at once */
	uint8_t ier, lcr, mcr; /* [q] as last written */
	bool listening;        /* [q] open() has succeeded */
	bool paused;           /* [q] */
	bool rx_busy;          /* [q] somebody takes bytes in */
	bool stuck;            /* [q] the last polled wait was given up */
	bool early;            /* [q] early_byte came before the FIFO was on */
	uint8_t early_byte;
	bool overrun_told;
	uint64_t overruns;   /* [q] bytes that the device lost */
	uint8_t *ring;       /* [I] the queue of output; may be NULL */
	uint32_t ring_size;  /* [I] a power of two, or 0 */
	uint32_t head, tail; /* [q] free running */
};

/*
 * Probes the port and sets 115200 8N1 with FIFOs, interrupts off.  `u` is
 * zeroed; `ring` may be NULL for a line that is only written polled.  Waits
 * for nothing.
 *   -ENODEV  no such device there
 */
int uart16550_attach(struct uart16550 *u, const char *name, unsigned minor,
    uint16_t port, uint8_t irq, uint8_t *ring, uint32_t ring_size);

#endif
