/* SPDX-License-Identifier: ISC */
/*
 * serial.h - a serial line, as its driver offers it and a client above uses it.
 *
 * The driver calls its client through a table that the client registered.
 * Bytes flow in only while the client has room: what does not fit stays in
 * the device, which holds the host back, so that nothing is lost.
 */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include "kern/types.h"

struct serial;

/* The client's side.  Called with interrupts off and no driver's lock held. */
struct serial_client {
	/*
	 * n bytes came, at most as many as rx_room promised.  Before it
	 * returns, the client stores the new rx_room.
	 */
	void (*input)(void *arg, const uint8_t *bytes, size_t n);
	/* The queue of output has shrunk: a writer may try again. */
	void (*room)(void *arg);
};

/* The driver's side.  Any context unless said otherwise; nothing sleeps. */
struct serial_ops {
	/* Begins reception (threads only).  0 again if it has begun. */
	int (*open)(struct serial *s);
	/*
	 * Sends or queues as many of n bytes as there is room for; returns how
	 * many.  After a short count client->room() will be called.
	 */
	size_t (*write)(struct serial *s, const uint8_t *bytes, size_t n);
	/* Sends without interrupts and queue, behind what is queued. */
	void (*write_polled)(struct serial *s, const uint8_t *bytes, size_t n);
	/* Bytes that write() would take now; bytes queued and not yet sent. */
	size_t (*room)(struct serial *s);
	size_t (*queued)(struct serial *s);
	/* Forgets what is queued. */
	void (*discard)(struct serial *s);
	/* Holds back (true) or lets go (false) what is queued. */
	void (*pause)(struct serial *s, bool on);
	/*
	 * rx_room was raised after the driver had found it 0 (rx_stopped).
	 * Calls client->input(): the client holds no lock of its own.
	 */
	void (*resume_rx)(struct serial *s);
	/* Returns when every byte has left the device; polls. */
	void (*drain)(struct serial *s);
	/* Line settings: divisor of 115200 bits a second, 5-8 data bits. */
	void (*set_line)(struct serial *s, unsigned divisor, unsigned bits,
	    bool two_stops, bool parity, bool even);
	/* Modem lines as TIOCM_* bits. */
	unsigned (*modem)(struct serial *s);
	void (*set_modem)(struct serial *s, unsigned set, unsigned clear);
};

struct serial {
	const char *name;                   /* [I] "ttyS0" */
	unsigned minor;                     /* [I] Linux's: 64 for ttyS0 */
	const struct serial_ops *ops;       /* [I] */
	const struct serial_client *client; /* set before open() */
	void *client_arg;
	uint32_t rx_room;    /* [a] bytes that the client can take */
	uint32_t rx_stopped; /* [a] the driver waits for resume_rx() */
};

/* The client's half of the agreement on rx_room.  No lock held. */
static inline void
serial_set_room(struct serial *s, uint32_t room)
{
	__atomic_store_n(&s->rx_room, room, __ATOMIC_SEQ_CST);
}
static inline void
serial_resume(struct serial *s)
{
	if (__atomic_load_n(&s->rx_stopped, __ATOMIC_SEQ_CST) != 0 &&
	    __atomic_load_n(&s->rx_room, __ATOMIC_SEQ_CST) != 0)
		s->ops->resume_rx(s);
}

#endif
