/* SPDX-License-Identifier: ISC */
/*
 * inet_packet.h - the inside of AF_PACKET: the socket, and the ring of frames
 * that it may share with its program.  packet(7), Linux's
 * Documentation/networking/packet_mmap.rst.
 */
#ifndef NET_INET_PACKET_H
#define NET_INET_PACKET_H

#include "kern/waitq.h"
#include "net/ethif.h"
#include "net/socket.h"
#include <bsd/sys/queue.h>
#include <linux/if_packet.h>

struct packet_ring;
struct sock_filter;
struct vm_object;

struct packet_frame {
	STAILQ_ENTRY(packet_frame) link;
	struct sockaddr_ll from;
	int64_t when_ns; /* real time */
	uint32_t len;    /* of the frame, as it passed */
	uint32_t kept;   /* bytes of it in data */
	uint8_t data[];
};

#define PACKET_MEMBERS 8u

struct packet_sock {
	struct socket s;
	struct waitq wq;
	struct ethif_tap tap;              /* [n] */
	unsigned if_index;                 /* [n] 0: all cards */
	uint16_t protocol;                 /* [n] host order; 0: none */
	STAILQ_HEAD(, packet_frame) queue; /* [n] */
	uint32_t bytes;                    /* [n] of memory queued */
	struct tpacket_stats_v3 stats;     /* [n] since they were asked for */
	struct sock_filter *filter;        /* [n] NULL: everything is wanted */
	bool filter_locked;                /* [n] it stays */
	struct packet_ring *ring;          /* [n] NULL: the queue is used */
	int version;                       /* [n] TPACKET_V*, of the ring */
	uint32_t reserve;                  /* [n] bytes before a frame there */
	unsigned member[PACKET_MEMBERS];   /* cards it made promiscuous */
	bool auxdata, ignore_outgoing;
	int error; /* [n] pending, positive */
};

/* A frame for the ring. */
struct packet_note {
	struct sockaddr_ll from;
	int64_t when_ns;
	uint32_t skip; /* bytes of the frame that are not shown */
	uint32_t len;  /* the others */
	uint32_t want; /* of those, what the filter wants */
};

/*
 * A ring as PACKET_RX_RING asks for it; *out NULL: it asks for none.  The
 * caller puts it into ps->ring, lock held.
 *   -EINVAL, -ENOMEM
 */
int packet_ring_create(struct packet_sock *ps, const struct tpacket_req3 *req,
    struct packet_ring **out);
/* Is it mapped by a program?  Then it stays. */
bool packet_ring_is_mapped(struct packet_ring *ring);
/* The socket gives it up; lock held. */
void packet_ring_leave(struct packet_ring *ring);
/* The same without the lock, afterwards; NULL is harmless.  May sleep. */
void packet_ring_put(struct packet_ring *ring);
/* Stores a frame, or counts it as dropped; lock held. */
void packet_ring_frame(struct packet_ring *ring, const struct ethif_frame *f,
    const struct packet_note *note);
/* Is there something for the program that was not there before? */
bool packet_ring_readable(const struct packet_ring *ring);
/* As file_ops.mmap. */
int packet_ring_mmap(struct packet_ring *ring, uint64_t size, uint64_t offset,
    struct vm_object **object);
/* The length of a frame's header in rings of that version; 0: no such one. */
uint32_t packet_ring_header(int version);

#endif
