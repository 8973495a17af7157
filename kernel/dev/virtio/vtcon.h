/* SPDX-License-Identifier: ISC */
/*
 * vtcon.h - between the two files of the virtio console's driver: vtcon.c has
 * the device and what it says of its ports, vtcon_io.c the bytes.
 */
#ifndef DEV_VIRTIO_VTCON_H
#define DEV_VIRTIO_VTCON_H

#include "bus/gate.h"
#include "bus/virtqueue.h"
#include "dev/vport.h"
#include "kern/spinlock.h"
#include "kern/types.h"

#define VTCON_NRX     4u
#define VTCON_RX_SIZE 1024u
#define VTCON_NTX     8u
#define VTCON_TX_SIZE 512u
#define VTCON_STAGE   1024u /* a power of two */
#define VTCON_MEM     (VTCON_NRX * VTCON_RX_SIZE + VTCON_NTX * VTCON_TX_SIZE)

struct vtcon_softc;
struct vtcon_port;

/*
 * Two queues and their memory, there from the port's first arrival to the end
 * of the device: buffers that a port left with the device belong to the next
 * port in the same place.
 *
 * Polled output (the log) goes by way of `stage`, so that it never waits for
 * `lock`, whose holder may be the one who logs: whoever lets go of the lock
 * sends what he finds there.
 */
struct vtcon_slot {                /* l: under lock; s: under stage_lock */
	struct virtio_device *vd;  /* [I] */
	struct spinlock lock;      /* interrupts off */
	struct virtqueue *rx, *tx; /* [l] NULL: never made */
	struct dma_mem mem;        /* [I] */
	struct vtcon_port *port;   /* [l] NULL: none now */
	/* Input: */
	bool posted;        /* [l] the device has its buffers */
	bool listening;     /* [l] the client wants bytes */
	bool busy;          /* [l] somebody is in client->input() */
	int at;             /* [l] buffer that is half read; -1: none */
	uint32_t from, len; /* [l] of it */
	/* Output: */
	uint32_t tx_free;           /* [l] a bit a buffer */
	uint32_t tx_len[VTCON_NTX]; /* [l] bytes; 0: free */
	bool stuck; /* [l] the host takes nothing, for a while now */
	struct spinlock stage_lock;
	uint8_t stage[VTCON_STAGE];
	uint32_t head, tail; /* [s] of the stage, free running */
};

/* Outlives its device for as long as somebody holds a reference. */
struct vtcon_port {
	struct vport v;
	struct vtcon_softc *sc;  /* [I] valid inside the gate */
	struct vtcon_slot *slot; /* [I] valid inside the gate */
	struct gate gate;        /* shut when it goes */
};

static inline struct vtcon_port *
vtcon_port_of(struct serial *line)
{
	return container_of(line, struct vtcon_port, v.line);
}

extern const struct serial_ops vtcon_serial_ops;

/* vtcon_io.c.  The queues' handlers, arg the slot. */
void vtcon_rx_intr(void *arg);
void vtcon_tx_intr(void *arg);
/* Gives the slot memory and the device its buffers, unless that was done.
 * -ENOMEM, -ENODEV */
int vtcon_slot_start(struct vtcon_slot *s);
void vtcon_slot_set_port(struct vtcon_slot *s, struct vtcon_port *port);
/* Bytes are wanted, or not: then what came is forgotten. */
void vtcon_slot_listen(struct vtcon_slot *s, bool on);

#endif
