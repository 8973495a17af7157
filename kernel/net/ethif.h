/* SPDX-License-Identifier: ISC */
/*
 * ethif.h - interfaces: cards under their names (eth0), and the loopback.
 * Packets go between a card's queues and lwIP; sockets that want whole frames
 * (AF_PACKET) look on here.
 *
 * Locking: [n] is the network lock (net/stack.h).
 */
#ifndef NET_ETHIF_H
#define NET_ETHIF_H

#include "dev/nic.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>

#define ETHIF_NAME 16 /* IFNAMSIZ */
#define ETHIF_LO   1  /* the loopback's index; cards follow */

struct ethif;
struct netif;

/* ---- for lwip/port.c ---- */

void ethif_register(void);  /* at boot: wants cards */
bool ethif_any(void);       /* a card is there */
void ethif_init(void);      /* lwIP has begun; lock held */
void ethif_start_new(void); /* cards that came, each by one thread */
/* Takes in what came; true: there may be more.  Lock held. */
bool ethif_work(void);
/* Sends what was put together.  Lock held. */
void ethif_flush_all(void);

/* ---- for everybody; lock held ---- */

/* The i-th interface that there is, in the order of numbers, 0 the loopback;
 * NULL: no more. */
struct netif *ethif_nth(unsigned i);
/* By number (ifindex) or name; NULL: none. */
struct netif *ethif_by_index(unsigned index);
struct netif *ethif_by_name(const char *name);
unsigned ethif_index(const struct netif *nif);
const char *ethif_name(const struct netif *nif);
/* The card behind it; NULL: the loopback. */
struct nic *ethif_nic(const struct netif *nif);
/* Its counters; the loopback's too. */
const struct nic_stats *ethif_stats(const struct netif *nif);
/* IFF_*, as programs see them. */
unsigned ethif_flags(const struct netif *nif);
/* Up or down, as SIOCSIFFLAGS asks.  0, -ENODEV */
int ethif_set_up(struct netif *nif, bool up);
/* -EINVAL: more than the card can, or less than IP */
int ethif_set_mtu(struct netif *nif, unsigned mtu);
unsigned ethif_mtu(const struct netif *nif);
/*
 * Whether the card hands up all frames, counted.  Network lock not held: waits
 * for the card's answer.  -ENODEV, -EIO
 */
int ethif_set_promisc(unsigned index, bool on);
/* A frame as it is, Ethernet header first, copied.
 *   -ENOMEM, -ENETDOWN, -EMSGSIZE */
int ethif_send_frame(struct netif *nif, const void *frame, unsigned len);

/* ---- addresses of IPv4, of which an interface may have several ---- */

struct ethif_addr {
	uint32_t ip, mask; /* network order */
	bool secondary;    /* behind another one of the same network */
	char label[ETHIF_NAME];
};
/* The i-th address of an interface; false: no more. */
bool ethif_addr_nth(struct netif *nif, unsigned i, struct ethif_addr *addr);
/* The label says as what it is shown.  -EEXIST, -ENOBUFS: too many, no memory */
int ethif_addr_add(struct netif *nif, const struct ethif_addr *addr);
/*
 * Also those that are secondary to it; gone() is told of all but the first one
 * of the interface, which lwIP tells of itself.  -EADDRNOTAVAIL: it has not got
 * it
 */
int ethif_addr_remove(struct netif *nif, uint32_t ip,
    void (*gone)(struct netif *nif, const struct ethif_addr *addr));
/*
 * lwIP knows each further address as a netif: with the interface's number, name
 * and card, but its own address and network.  The one with an address (NULL:
 * none); the one on whose network a next hop lies, else the interface; and the
 * interface itself.
 */
struct netif *ethif_with_address(struct netif *nif, uint32_t ip);
struct netif *ethif_toward(struct netif *nif, uint32_t hop);
struct netif *ethif_self(struct netif *nif);
/*
 * All of 127.0.0.0/8 is the loopback's, of which lwIP knows one address: that
 * to which the packet of now is, until net_unlock() gives it back its own.
 */
void ethif_lo_is(struct netif *nif, uint32_t ip);
void ethif_lo_back(void);

/*
 * Who sees all frames that pass an interface, lock held: AF_PACKET.  `out`:
 * this machine sent it.  The bytes may lie in pieces.
 */
struct ethif_frame {
	/* Pieces of memory in the direct map; the header in one. */
	const struct dma_run *run;
	unsigned nruns;
	uint32_t len; /* of all of them */
	bool out;
};
struct ethif_tap {
	void (*frame)(struct ethif_tap *tap, struct netif *nif,
	    const struct ethif_frame *f);
	TAILQ_ENTRY(ethif_tap) link;
};
void ethif_tap_add(struct ethif_tap *tap);
void ethif_tap_remove(struct ethif_tap *tap);

/*
 * Who is told when links come, go or change (netlink); lock held.  Set once.
 */
enum ethif_event { ETHIF_NEW, ETHIF_GONE, ETHIF_CHANGED };
void ethif_set_watcher(void (*fn)(struct netif *nif, enum ethif_event what));

#endif
