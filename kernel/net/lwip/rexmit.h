/* SPDX-License-Identifier: ISC */
/*
 * rexmit.h - what is known of a connection's losses and times, beside lwIP's
 * control block.  RFC 6298 (the timer).
 * Locking: the network lock is held.
 */
#ifndef NET_LWIP_REXMIT_H
#define NET_LWIP_REXMIT_H

#include "net/lwip/port.h"
#include <bsd/sys/tree.h>
#include <lwip/tcp.h>

/* What a connection's timer waits for. */
enum lwip_wait {
	LWIP_WAIT_NONE,
	LWIP_WAIT_ACK, /* an acknowledgement; then it is sent again */
};

struct lwip_rexmit {
	RB_ENTRY(lwip_rexmit) node; /* in the tree, while `queued` */
	u32_t at;                   /* ms: its place there; never behind due */
	u32_t due;                  /* ms, unless it waits for nothing */
	u32_t rto;                  /* ms, with what it was doubled */
	u32_t srtt, var; /* us, times 8, times 4; srtt 0: not measured */
	u32_t una;       /* lastack, when it was looked at */
	u32_t timed;    /* what is above it, acknowledged, ends the measuring */
	u32_t timed_us; /* when it was sent */
	u32_t since;    /* ms: the first of `tries` */
	u32_t total;    /* segments sent once more */
	u32_t user_ms;  /* TCP_USER_TIMEOUT; 0: none */
	u8_t wait;      /* enum lwip_wait */
	u8_t tries;     /* times that it was sent again, in vain */
	u8_t syn_tries; /* that a SYN gets */
	bool queued, timing;
	bool failed; /* what was to be sent was not */
};

/* As they are allocated (hooks.h). */
struct lwip_conn {
	struct tcp_pcb pcb;
	struct lwip_rexmit r;
	/* segment.c: the last segment of data, one near the last one sent. */
	struct tcp_seg *last, *sent;
	u32_t window; /* inet_window.c */
};

static inline struct lwip_rexmit *
lwip_rexmit_of(const struct tcp_pcb *pcb)
{
	return &((struct lwip_conn *)(uintptr_t)pcb)->r;
}

/* What all connections together have done, for /proc/net. */
struct lwip_rexmit_stats {
	uint64_t retrans;  /* segments sent again */
	uint64_t timeouts; /* times that nothing was heard for too long */
};
extern struct lwip_rexmit_stats lwip_rexmit_stats;

/* What was sent, and not acknowledged, waits to be sent again: not timed. */
void lwip_rexmit_requeued(struct tcp_pcb *pcb);
/* The block leaves its list: nothing is waited for any more. */
void lwip_rexmit_forget(struct tcp_pcb *pcb);
/* What is due at `now` (sys_now()).  true: something was sent. */
bool lwip_rexmit_run(u32_t now);
/* ms until something is due, at most `max`. */
u32_t lwip_rexmit_sleep(u32_t now, u32_t max);

#endif
