/* SPDX-License-Identifier: ISC */
/*
 * nic.h - network cards as their drivers offer them: packets in and out, the
 * operations, how a card arrives and departs, and the one consumer above.
 *
 * A driver calls nic_arrive() at the end of attach() and nic_depart() in
 * detach().  The floor above registers itself once as the consumer; no driver
 * names it.
 *
 *	attach: nic_arrive() -> the consumer, when it likes: start()
 *	interrupt: nic_ready() -> the consumer, on a thread: receive(), reap()
 *	detach: transmit() says -ENODEV -> the device is stopped ->
 *	    nic_depart() -> the consumer: reap() until nothing is left
 *
 * Memory.  A packet that came lies in struct nic_buf's, which the driver had
 * posted; receive() hands them over for good, the consumer keeps them as long
 * as it likes and frees each with nic_buf_free(), also after the card has
 * gone.  A packet to send stays the consumer's; it must not change from a
 * transmit() that returned 0 until the one done(), which is only ever called
 * from within transmit() and reap() of that card: so it runs under whatever
 * lock the consumer holds around those.
 *
 * Locking: the consumer serialises receive() of one queue; all else may come
 * from several threads at once.
 */
#ifndef DEV_NIC_H
#define DEV_NIC_H

#include "bus/dma.h"
#include "kern/types.h"

struct device;
struct nic;

#define NIC_HEAD    14 /* bytes of an Ethernet header */
#define NIC_MAC_LEN 6
#define NIC_MTU_MIN 68
#define NIC_MTU_MAX 65535
/* Pieces of memory that any card takes in one packet, at least. */
#define NIC_TX_RUNS 20

/* ---- received packets ---- */

/* Bytes of data: a buffer is a page, so that large packets have few. */
#define NIC_BUF_SIZE 4000

struct nic_buf {
	struct nic_buf *next; /* of the same packet, or of a list */
	uint8_t *data;        /* what counts begins here, ... */
	uint32_t len;         /* ... so many bytes */
	uint64_t room[8];     /* the consumer's own, while it has the buffer */
	uint8_t mem[NIC_BUF_SIZE];
};

/* NULL: out of memory.  Any context. */
struct nic_buf *nic_buf_alloc(void);
void nic_buf_free(struct nic_buf *b);
/* All of a list. */
void nic_buf_free_all(struct nic_buf *b);

/* What may be known of a packet's transport checksum. */
enum nic_csum {
	NIC_CSUM_UNKNOWN, /* to be checked */
	NIC_CSUM_GOOD,    /* the card or the host has checked it */
	/* Never left the host: only the pseudo header is summed up so far, at
	 * csum_start + csum_offset.  Nothing to check. */
	NIC_CSUM_PARTIAL,
};

enum nic_gso { NIC_GSO_NONE, NIC_GSO_TCP4, NIC_GSO_TCP6, NIC_GSO_UDP };

struct nic_rx {
	struct nic_buf *buf; /* Ethernet header first; none is empty */
	uint32_t len;        /* of all buffers, at least NIC_HEAD */
	enum nic_csum csum;
	uint16_t csum_start, csum_offset; /* of PARTIAL: inside the packet */
	enum nic_gso gso;                 /* several segments put together */
	uint16_t gso_size;
};

/* ---- packets to send ---- */

struct nic_tx {
	/* Ethernet header first; read during transmit() only. */
	const struct dma_run *run;
	unsigned nruns;
	/* The card sums up from csum_start to the end, and puts it at
	 * csum_start + csum_offset, where the pseudo header's sum stands. */
	bool csum;
	uint16_t csum_start, csum_offset;
	/* The card cuts it into segments of gso_size bytes behind a header of
	 * hdr_len bytes, Ethernet's included; needs csum. */
	enum nic_gso gso;
	uint16_t gso_size, hdr_len;
	/* Once, sent or not: the memory is the consumer's again. */
	void (*done)(struct nic_tx *tx);
	struct nic_tx *next; /* the driver's, until done() */
};

/* ---- a card ---- */

struct nic_info { /* [I] */
	uint8_t mac[NIC_MAC_LEN];
	uint32_t mtu; /* NIC_MTU_MIN .. NIC_MTU_MAX: at most, and at first */
	unsigned nqueues;   /* pairs, at least 1 */
	unsigned tx_runs;   /* pieces of a packet to send, >= NIC_TX_RUNS */
	bool tx_csum;       /* can sum up */
	bool tso4, tso6;    /* can cut; needs tx_csum */
	bool filters;       /* set_filter works */
	bool can_set_mac;   /* set_mac works */
	uint32_t speed;     /* Mbit/s; 0: not known */
	bool link;          /* at first */
	const char *driver; /* "virtio_net", as ethtool has it */
};

struct nic_ops {
	/*
	 * Packets may come from now on: once, after nic_arrive().  May sleep.
	 *   -ENOMEM, -ENODEV
	 */
	int (*start)(void *arg);
	/*
	 * Takes up to `max` packets of a queue that have come.  Fewer: there
	 * are no more now, and nic_ready() follows the next one.
	 */
	unsigned (*receive)(void *arg, unsigned queue, struct nic_rx *rx,
	    unsigned max);
	/*
	 * Takes a packet: done() will be called.  more: another follows at
	 * once, the device need not look yet; a transmit() without `more`, or
	 * kick(), comes.
	 *   -EAGAIN  full: nic_ready() follows when there is room
	 *   -EFBIG   too many pieces
	 *   -ENODEV  gone
	 */
	int (
	    *transmit)(void *arg, unsigned queue, struct nic_tx *tx, bool more);
	void (*kick)(void *arg, unsigned queue);
	/*
	 * Calls done() for what has left.  Of a card whose device has been
	 * stopped: for everything.  Any thread.
	 */
	void (*reap)(void *arg, unsigned queue);
	/* Which packets come: all; all with group addresses.  May sleep.
	 *   -EIO, -ENODEV */
	int (*set_filter)(void *arg, bool promisc, bool allmulti);
	int (*set_mac)(void *arg, const uint8_t mac[NIC_MAC_LEN]);
};

/* Counted by the consumer, but for the last two. */
struct nic_stats {
	uint64_t rx_packets, rx_bytes, rx_dropped, multicast;
	uint64_t tx_packets, tx_bytes, tx_dropped;
	uint64_t rx_errors; /* the driver: frames that made no sense */
	uint64_t rx_missed; /* the driver: had no memory to post */
};

struct nic {
	const struct nic_ops *ops; /* [I] */
	void *arg;                 /* [I] the driver's */
	struct device *dev;        /* [I] */
	struct nic_info info;      /* [I] */
	bool link;                 /* atomic */
	struct nic_stats stats;
	void *consumer; /* the consumer's own */
};

/*
 * The card is there.  `info` is copied, its strings are not.  May sleep.
 *   -ENOMEM, and what the consumer says; -ENODEV: nobody wants cards
 */
int nic_arrive(struct device *dev, const struct nic_ops *ops, void *arg,
    const struct nic_info *info, struct nic **out);
/*
 * It is gone: the device is stopped.  On return every packet is done, nobody
 * is inside and no name is left.  May sleep.  NULL is harmless.
 */
void nic_depart(struct nic *nic);

/* There is something to receive, or room again.  Any context. */
void nic_ready(struct nic *nic);
/* The cable was plugged or pulled.  Any context. */
void nic_link(struct nic *nic, bool up);

/*
 * The floor above.  After depart() it does not touch the card any more; it
 * and arrive may sleep, the others are called in any context.
 */
struct nic_consumer {
	int (*arrive)(struct nic *nic);
	void (*depart)(struct nic *nic);
	void (*ready)(struct nic *nic);
	void (*link)(struct nic *nic);
};
/* At boot, before drivers attach. */
void nic_set_consumer(const struct nic_consumer *consumer);

#endif
