/* SPDX-License-Identifier: ISC */
/* inet_tcp_info.h - what there is to know of a connection: TCP_INFO, ss. */
#ifndef NET_INET_TCP_INFO_H
#define NET_INET_TCP_INFO_H

#include <stdint.h>

struct inet_sock;
struct tcp_info;
struct tcp_pcb;

/* What a connection waits for, as Linux tells it; the first that is due. */
struct inet_tcp_timer {
	/* 1: to send again; 2: keepalive; 3: TIME_WAIT; 4: to ask for a
	   window; 0: nothing */
	unsigned kind;
	uint32_t left_ms;
	unsigned tries, probes; /* in vain */
};

/* Fills all of it; takes the network lock. */
void inet_tcp_info(struct inet_sock *is, struct tcp_info *info);
/* The same, with the lock held. */
void inet_tcp_info_locked(struct inet_sock *is, struct tcp_info *info);
/* NULL, or any block of TCP; network lock held. */
void inet_tcp_timer(const struct tcp_pcb *pcb, struct inet_tcp_timer *t);
/* Its largest segment. */
int inet_tcp_mss(const struct inet_sock *is);
/* Linux's number of its state: TCP_ESTABLISHED is 1; network lock held. */
unsigned inet_tcp_state(const struct inet_sock *is);
/* The same of one of lwIP's. */
unsigned inet_tcp_state_of(int lwip_state);

#endif
