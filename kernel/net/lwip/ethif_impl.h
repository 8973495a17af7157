/* SPDX-License-Identifier: ISC */
/* ethif_impl.h - the inside of interfaces; see net/ethif.h. */
#ifndef NET_LWIP_ETHIF_IMPL_H
#define NET_LWIP_ETHIF_IMPL_H

#include "bus/classdev.h"
#include "net/ethif.h"
#include "net/lwip/port.h"
#include <lwip/netif.h>
#include <bsd/sys/queue.h>

struct ethif_tx;
TAILQ_HEAD(ethif_txs, ethif_tx);

struct ethif {                    /* n: network lock; l: ethif.c's list_lock */
	struct netif nif;         /* [n] */
	struct nic *nic;          /* [I] */
	char name[ETHIF_NAME];    /* [I] */
	TAILQ_ENTRY(ethif) link;  /* [l], and changed with [n] only */
	bool fresh, busy;         /* [l] to be started; being so */
	struct classdev cd;       /* zeroed: not shown */
	bool added;               /* [n] nif is lwIP's */
	bool ready, link_news;    /* atomic */
	unsigned promisc;         /* [n] who wants all frames */
	struct ethif_tx *pending; /* [n] may still grow */
	struct ethif_txs backlog; /* [n] the card was full */
	unsigned nbacklog;        /* [n] */
	bool kick;                /* [n] the card was not told yet */
	uint16_t gso_id;          /* [n] IPv4's, of segments put together */
};
TAILQ_HEAD(ethif_list, ethif);
extern struct ethif_list ethif_list;
extern struct nic_stats ethif_lo_stats;
extern bool ethif_dirty; /* [n] something waits for ethif_flush_all() */

/* ethif_rx.c: takes in packets of a queue; true: there may be more. */
bool ethif_receive(struct ethif *e, unsigned queue);

/* ethif_alias.c: further addresses */
err_t ethif_output4(struct netif *nif, struct pbuf *p, const ip4_addr_t *to);
void ethif_arp_input(struct netif *nif, struct pbuf *p); /* takes p over */
void ethif_alias_follow(struct netif *nif); /* it went up, down, or changed */
void ethif_alias_depart(struct netif *nif); /* it goes */

/* ethif_lo.c: the loopback, which lwIP has made. */
void ethif_lo_init(struct netif *lo);

/* ethif_tx.c */
err_t ethif_linkoutput(struct netif *nif, struct pbuf *p);
void ethif_flush(struct ethif *e);   /* what is pending, and the doorbell */
void ethif_backlog(struct ethif *e); /* the card has room again */
void ethif_tx_end(struct ethif *e);  /* drops what waits */
/* Shows a frame to those who look on. */
void ethif_show(struct netif *nif, const struct ethif_frame *f);
bool ethif_watched(void);

#endif
