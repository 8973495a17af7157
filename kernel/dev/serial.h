/* SPDX-License-Identifier: ISC */
/*
 * serial.h - a serial line, as its driver offers it and a client above uses it.
 *
 * The driver calls its client through a table that the client registered.
 * Bytes flow in only while the client has room: what does not fit stays in
 * the device, which holds the host back, so that nothing is lost.
 *
 * A line that comes with a device may go: from then on it takes nothing and
 * brings nothing (serial_is_gone()), and its struct stays for as long as
 * somebody holds a reference.  A line without `release` stays for ever.
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
	/* Modem lines as TIOCM_* bits.  Both NULL: the line has none. */
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
	uint32_t gone;       /* [a] once and for all */
	uint32_t refs;       /* [a] unused without release */
	/* The last reference is gone: frees it.  Any context. */
	void (*release)(struct serial *s);
};

static inline bool
serial_is_gone(const struct serial *s)
{
	return __atomic_load_n(&s->gone, __ATOMIC_ACQUIRE) != 0;
}
/* One more reference; returns s. */
static inline struct serial *
serial_get(struct serial *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}
/* NULL is harmless. */
static inline void
serial_put(struct serial *s)
{
	if (s != NULL && s->release != NULL &&
	    __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0)
		s->release(s);
}

/* The client's half of the agreement on rx_room.  No lock held. */
static inline void
serial_set_room(struct serial *s, uint32_t room)
{
	__atomic_store_n(&s->rx_room, room, __ATOMIC_SEQ_CST);
}
/*
 * For a client whose input and reader hold no common lock: each takes or gives
 * what it moved, so that no stale sum promises more than there is.
 */
static inline void
serial_add_room(struct serial *s, int32_t n)
{
	__atomic_add_fetch(&s->rx_room, n, __ATOMIC_SEQ_CST);
}
static inline void
serial_resume(struct serial *s)
{
	if (__atomic_load_n(&s->rx_stopped, __ATOMIC_SEQ_CST) != 0 &&
	    __atomic_load_n(&s->rx_room, __ATOMIC_SEQ_CST) != 0)
		s->ops->resume_rx(s);
}

#endif
