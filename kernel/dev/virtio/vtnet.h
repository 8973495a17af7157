/* SPDX-License-Identifier: ISC */
/*
 * vtnet.h - the inside of the virtio network driver: vtnet.c attaches and
 * detaches, vtnet_rx.c and vtnet_tx.c move packets, vtnet_ctrl.c commands.
 */
#ifndef DEV_VIRTIO_VTNET_H
#define DEV_VIRTIO_VTNET_H

#include "bus/dma.h"
#include "bus/virtqueue.h"
#include "dev/nic.h"
#include "kern/spinlock.h"
#include "kern/waitq.h"
#include <linux/virtio_net.h>

#define NPAIR     8u   /* pairs of queues that are used */
#define NSLOT     256u /* of a queue, at most */
#define RX_SLOTS  128u /* a page each */
#define NTABLE    32u
#define TX_RUNS   40u
#define HDR_MAX   sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define HDR_STEP  16u
#define CTRL_DATA 16u

typedef struct virtio_net_hdr_mrg_rxbuf vtnet_hdr;

struct vtnet_rx_slot {
	struct nic_buf *buf; /* NULL: free */
	struct dma_map *map;
	uint16_t next;
};

struct vtnet_tx_slot {
	struct nic_tx *tx; /* NULL: free */
	struct dma_map *map;
	uint16_t next;
};

struct vtnet_rxq { /* r: under lock */
	struct vtnet_softc *sc;
	struct spinlock lock;
	struct virtqueue *vq;       /* [r] */
	struct vtnet_rx_slot *slot; /* [r] nslot of them */
	uint16_t nslot, free;       /* [r] free: first; nslot: none */
	/* A packet of which buffers are still to come: */
	struct nic_rx part;   /* [r] */
	struct nic_buf *tail; /* [r] */
	unsigned want;        /* [r] buffers; 0: no such packet */
	bool bad;             /* [r] and it is to be dropped */
};

struct vtnet_txq { /* t: under lock */
	struct vtnet_softc *sc;
	struct spinlock lock;
	struct virtqueue *vq;       /* [t] */
	struct dma_mem heads;       /* [I] HDR_STEP bytes a slot */
	struct vtnet_tx_slot *slot; /* [t] nslot of them */
	uint16_t nslot, free;       /* [t] */
};

/* What the device reads and writes of a command; 5.1.6.5. */
struct vtnet_cmd {
	struct virtio_net_ctrl_hdr head;
	uint8_t ack;
	uint8_t data[CTRL_DATA];
};

struct vtnet_softc {              /* I: constant once attached */
	struct virtio_device *vd; /* [I] */
	struct nic *nic;          /* [I] */
	struct nic_info info;     /* [I] */
	unsigned npairs;          /* [I] that are made */
	unsigned ctrl_index;      /* [I] */
	uint32_t hdr_len;         /* [I] */
	bool merge, rx_csum;      /* [I] agreed on */
	bool gone;                /* atomic: once and for all */
	bool lied;                /* one line in the log is enough */
	struct vtnet_rxq rx[NPAIR];
	struct vtnet_txq tx[NPAIR];
	/* c: whoever set ctrl_busy; and ctrl_lock for the queue */
	struct spinlock ctrl_lock;
	struct virtqueue *ctrl;  /* NULL: none */
	struct dma_mem ctrl_mem; /* [c] one struct vtnet_cmd */
	struct waitq ctrl_wq;
	bool ctrl_busy, ctrl_done; /* under ctrl_lock */
};

static inline bool
vtnet_is_gone(const struct vtnet_softc *sc)
{
	return __atomic_load_n(&sc->gone, __ATOMIC_ACQUIRE);
}

/* Says in the log that a field of the configuration makes no sense. -EINVAL */
int vtnet_bad_config(struct vtnet_softc *sc, const char *what, uint32_t value);
/* There is something to do, if the card has arrived.  Any context. */
void vtnet_tell(struct vtnet_softc *sc);

/* vtnet_rx.c, vtnet_tx.c: pair i's queues, made by attach(); their slots, by
 * start(); all of it taken down by detach(), after virtio_stop(). */
int vtnet_rx_make(struct vtnet_softc *sc, unsigned i);
int vtnet_tx_make(struct vtnet_softc *sc, unsigned i);
/* Slots, and buffers posted.  -ENOMEM, -ENODEV */
int vtnet_rx_start(struct vtnet_softc *sc, struct vtnet_rxq *q);
int vtnet_tx_start(struct vtnet_softc *sc, struct vtnet_txq *q);
void vtnet_rx_free(struct vtnet_rxq *q, bool quiet);
void vtnet_tx_free(struct vtnet_txq *q, bool quiet);
/* The card's operations (dev/nic.h). */
unsigned
vtnet_receive(void *arg, unsigned queue, struct nic_rx *rx, unsigned max);
int vtnet_transmit(void *arg, unsigned queue, struct nic_tx *tx, bool more);
void vtnet_kick(void *arg, unsigned queue);
void vtnet_reap(void *arg, unsigned queue);
int vtnet_set_filter(void *arg, bool promisc, bool allmulti);
int vtnet_set_mac(void *arg, const uint8_t mac[NIC_MAC_LEN]);

/* vtnet_ctrl.c: the control queue, where there is one. */
int vtnet_ctrl_make(struct vtnet_softc *sc);
/* One command with `len` bytes of data.  May sleep.
 *   -EIO  refused, or no answer; -ENODEV gone; -EOPNOTSUPP no such queue */
int vtnet_command(struct vtnet_softc *sc, uint8_t class, uint8_t cmd,
    const void *data, unsigned len);

#endif
