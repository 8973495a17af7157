/* SPDX-License-Identifier: ISC */
/*
 * inet_urgent.h - TCP's urgent byte: inet_urgent.c.
 */
#ifndef NET_INET_URGENT_H
#define NET_INET_URGENT_H

#include "kern/types.h"

struct inet_sock;
struct pbuf;
struct sock_msg;
struct tcp_hdr;
struct tcp_pcb;

enum inet_urgent_state {
	INET_URGENT_NONE,
	INET_URGENT_COMES, /* where it will be is known */
	INET_URGENT_THERE,
	INET_URGENT_READ, /* by MSG_OOB: its place is still a mark */
};

/* What of a socket is about it; network lock. */
struct inet_urgent {
	enum inet_urgent_state state;
	uint8_t byte;
	bool has_old;
	uint64_t at;  /* its number among all bytes received */
	uint64_t old; /* has_old: of one before, which is left out, too */
	uint32_t end; /* sent: the sequence number behind it */
};

/* The last byte that lwIP has got is urgent: it goes at once; lock held. */
void inet_urgent_sent(struct inet_sock *is);
/*
 * A segment of a connection with URG, before lwIP looks at it: its header, as
 * lwIP leaves it, and its data; lock held.
 */
void inet_urgent_input(struct tcp_pcb *pcb, const struct tcp_hdr *h,
    const struct pbuf *p);
/*
 * How many of n bytes, more than 0, one read may take that begins `skip` bytes
 * behind the first: none if one that is not for it is next; lock held.
 */
size_t inet_urgent_limit(const struct inet_sock *is, size_t skip, size_t n);
/* A read that begins there begins at the mark; lock held, or one that looks. */
bool inet_urgent_at_mark(const struct inet_sock *is, size_t skip);
/* is->taken has grown; lock held. */
void inet_urgent_passed(struct inet_sock *is);
/* FIONREAD: bytes up to the mark; lock held. */
uint32_t inet_urgent_readable(const struct inet_sock *is);
/* recv(2) with MSG_OOB; no lock.  1, 0, -EINVAL (none), -EAGAIN, -EFAULT */
long inet_urgent_receive(struct inet_sock *is, struct sock_msg *m);

#endif
