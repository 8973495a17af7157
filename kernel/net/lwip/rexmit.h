/* SPDX-License-Identifier: ISC */
/*
 * rexmit.h - what is known of a connection's losses and times, beside lwIP's
 * control block.  RFC 6298 (the timer), 6675 and 8985 (recovery).
 * Locking: the network lock is held.
 */
#ifndef NET_LWIP_REXMIT_H
#define NET_LWIP_REXMIT_H

#include "net/lwip/port.h"
#include <bsd/sys/tree.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

struct tcp_hdr;

/* What a connection's timer waits for. */
enum lwip_wait {
	LWIP_WAIT_NONE,
	LWIP_WAIT_ACK,   /* an acknowledgement; then it is sent again */
	LWIP_WAIT_PROBE, /* the same; one more is sent to get it (TLP) */
	LWIP_WAIT_ORDER, /* what others have overtaken */
};

enum lwip_recovery { LWIP_OPEN, LWIP_RECOVERY, LWIP_LOSS };
enum lwip_probe { LWIP_PROBE_NONE, LWIP_PROBE_NEW, LWIP_PROBE_COPY };

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
	/* recovery.c's: */
	u8_t state;      /* enum lwip_recovery */
	u8_t probed;     /* enum lwip_probe: which is not answered */
	u8_t duplicates; /* acknowledgements, of a peer without SACK */
	bool queued : 1, timing : 1;
	bool failed : 1;   /* what was to be sent was not */
	bool look : 1;     /* recovery.c: something is to be looked at */
	bool partial : 1;  /* not all that is on its way counts: `pipe` does */
	bool any : 1;      /* some beyond the first missing one have come */
	bool disorder : 1; /* the path was seen to change the order */
	bool raced : 1;    /* race_... are known */
	u32_t point;       /* the number where the recovery, or probe, ends */
	u32_t pipe;        /* bytes on their way */
	u32_t highest;     /* number behind what has come */
	u32_t rtt_min;     /* us; 0: not measured */
	u32_t race_us;     /* of those that came, the last to leave: when, */
	u32_t race_end, race_rtt; /* the number behind it, us */
};

/* As they are allocated (hooks.h). */
struct lwip_conn {
	struct tcp_pcb pcb;
	struct lwip_rexmit r;
	/* segment.c: the last segment of data, one near the last one sent. */
	struct tcp_seg *last, *sent;
	u32_t window; /* inet_window.c */
};
_Static_assert(sizeof(struct lwip_conn) <= 576, "a size of kmem.c");

/* A segment of lwIP's own: a SYN, a FIN, one that was split. */
struct lwip_seg {
	struct tcp_seg seg;
	u32_t sent_us;
};

/* Those of segment.c, most of them, stand at odd multiples of 8. */
static inline bool
lwip_seg_is_ours(const struct tcp_seg *seg)
{
	return ((uintptr_t)seg & 15) == 8;
}

/* When a segment was sent the last time: segment.c has it before its own. */
static inline u32_t *
lwip_seg_sent_us(struct tcp_seg *seg)
{
	return lwip_seg_is_ours(seg) ? (u32_t *)(void *)seg - 1 :
				       &((struct lwip_seg *)seg)->sent_us;
}

static inline struct lwip_rexmit *
lwip_rexmit_of(const struct tcp_pcb *pcb)
{
	return &((struct lwip_conn *)(uintptr_t)pcb)->r;
}

/* What all connections together have done, for /proc/net. */
struct lwip_rexmit_stats {
	uint64_t retrans;  /* segments sent again */
	uint64_t timeouts; /* times that nothing was heard for too long */
	uint64_t recoveries, probes, dsacks, reneged;
};
extern struct lwip_rexmit_stats lwip_rexmit_stats;

/* ---- rexmit.c ---- */

/* What was sent, and not acknowledged, waits to be sent again: not timed. */
void lwip_rexmit_requeued(struct tcp_pcb *pcb);
/* A round trip of what was sent once only. */
void lwip_rexmit_measured(struct lwip_rexmit *r, u32_t us);
/* The first segment was sent again just now, `us` (lwip_port_us()). */
void lwip_rexmit_restart(struct tcp_pcb *pcb, u64_t us);
/* In `left` us something may be lost that is not now. */
void lwip_rexmit_wait_order(struct tcp_pcb *pcb, u64_t us, u32_t left);
/* Sends what waits, as lwIP's windows let it; us 0: not known yet. */
err_t lwip_rexmit_send_new(struct tcp_pcb *pcb, u64_t us);
/* The block leaves its list: nothing is waited for any more. */
void lwip_rexmit_forget(struct tcp_pcb *pcb);
/* What is due at `now` (sys_now()).  true: something was sent. */
bool lwip_rexmit_run(u32_t now);
/* ms until the connection's is due; false: it waits for nothing. */
bool lwip_rexmit_left(const struct tcp_pcb *pcb, u32_t *ms);
/* ms until something is due, at most `max`. */
u32_t lwip_rexmit_sleep(u32_t now, u32_t max);

/* ---- recovery.c ---- */

/*
 * An acknowledgement has come, and lwIP has not seen it; h in host byte order;
 * options: in one piece, whole; len: bytes behind them.
 */
void lwip_recovery_hear(struct tcp_pcb *pcb, const struct tcp_hdr *h,
    const u8_t *options, unsigned optlen, unsigned len);
/* What follows, when lwIP has; progress: more than before is acknowledged. */
void lwip_recovery_look(struct tcp_pcb *pcb, u64_t us, bool progress);
/* Nothing came in time: all is lost but what the peer says it has. */
void lwip_recovery_timeout(struct tcp_pcb *pcb, u64_t us);
/* One more segment, so that the peer answers; some are on their way. */
void lwip_recovery_probe(struct tcp_pcb *pcb, u64_t us);
/* Segments from one to another of their list have left, not again. */
void
lwip_recovery_sent(struct tcp_seg *seg, const struct tcp_seg *end, u64_t us);
/* Our time, ms, that the acknowledgement which came last has; false: none. */
bool lwip_recovery_echo(const struct tcp_pcb *pcb, u32_t *ms);
/* The block is freed. */
void lwip_recovery_forget(const struct tcp_pcb *pcb);
/* When the first that is not acknowledged was sent; there is one. */
u32_t lwip_recovery_first_us(const struct tcp_pcb *pcb);

/* Segments that are not acknowledged; of them; sent again, and not lost. */
struct lwip_counts {
	unsigned unacked, sacked, lost, resent;
};
void lwip_recovery_counts(const struct tcp_pcb *pcb, struct lwip_counts *n);

#endif
