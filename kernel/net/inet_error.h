/* SPDX-License-Identifier: ISC */
/*
 * inet_error.h - what ICMP reports of packets that this machine sent, and
 * whom it is told.
 */
#ifndef NET_INET_ERROR_H
#define NET_INET_ERROR_H

#include "kern/types.h"

struct inet_end;
struct inet_sock;
struct netif;
struct pbuf;
struct sock_msg;

/* What such a message is about.  Ports in host byte order. */
struct inet_report {
	int error; /* positive errno */
	bool hard; /* not only a passing trouble */
	bool v6;
	uint8_t type, code; /* of the message */
	uint32_t info;      /* the next link's MTU, or where a parameter is */
	uint8_t protocol;
	/* Of the packet that was sent: addresses as on the wire, of IPv4 in
	 * the first word; an echo request's identifier is its from_port. */
	uint32_t from[4], to[4];
	uint16_t from_port, to_port;
	uint32_t seq;      /* TCP's number */
	unsigned if_index; /* where it arrived; not set by who parses */
	/* Bytes from the report's beginning: ICMP's header, the packet that it
	 * quotes, the header there behind IP's, and where all ends. */
	unsigned icmp_at, quote_at, upper_at, end;
};

/*
 * Reads an IPv4 packet of `len` bytes: whether it is such a report.  Touches
 * no byte behind len; knows nothing of sockets.
 */
bool
inet_report_parse(const uint8_t *packet, unsigned len, struct inet_report *r);
/* The same of IPv6, whose ICMP header begins at `icmp_at`. */
bool inet_report_parse6(const uint8_t *packet, unsigned len, unsigned icmp_at,
    struct inet_report *r);

/* ---- inet_error.c ---- */

/* Tells the sockets that a packet that came reports on; lock held. */
void inet_error_look(const struct pbuf *p, const struct netif *inp);
void inet_error_look6(const struct pbuf *p, unsigned icmp_at,
    const struct netif *inp);

/* ---- inet_errqueue.c: IP_RECVERR's queue; lock held but for receiving ---- */

/*
 * Puts a report there.  icmp: the message from its IP header on, whose bytes
 * are copied; from byte `payload_at` on they are the program's.
 */
void inet_errors_put(struct inet_sock *is, const struct inet_report *r,
    const struct pbuf *icmp, unsigned payload_at);
/* A datagram to there was larger than `mtu`, and may not be cut up. */
void inet_errors_put_local(struct inet_sock *is, const struct inet_end *to,
    int error, unsigned mtu);
/* recvmsg(2) with MSG_ERRQUEUE; lock not held.  -EAGAIN */
long inet_errors_receive(struct inet_sock *is, struct sock_msg *m);
/* Forgets them all. */
void inet_errors_drop(struct inet_sock *is);

#endif
