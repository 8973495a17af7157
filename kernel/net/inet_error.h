/* SPDX-License-Identifier: ISC */
/*
 * inet_error.h - what ICMP reports of packets that this machine sent.
 */
#ifndef NET_INET_ERROR_H
#define NET_INET_ERROR_H

#include "kern/types.h"

struct pbuf;

/* What such a message is about.  Network byte order but for ports. */
struct inet_report {
	int error; /* positive errno */
	bool hard; /* ends a connection that is being made */
	uint8_t protocol;
	uint32_t from, to; /* of the packet that was sent: addresses */
	uint16_t from_port, to_port;
};

/*
 * Reads an IPv4 packet of `len` bytes: whether it is such a report.  Touches
 * no byte behind len; knows nothing of sockets.
 */
bool
inet_report_parse(const uint8_t *packet, unsigned len, struct inet_report *r);

/* Tells the socket that an IPv4 packet that came reports on; lock held. */
void inet_error_look(const struct pbuf *p);

#endif
