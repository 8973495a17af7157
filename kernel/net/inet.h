/* SPDX-License-Identifier: ISC */
/*
 * inet.h - sockets of the Internet: what their kinds share.  ip(7), ipv6(7),
 * tcp(7), udp(7), raw(7).
 *
 * A socket stands over one of lwIP's control blocks.  Everything of it is
 * changed under the network lock ([n], net/stack.h); waiters look at single
 * words without it and look again with it.  Bytes are copied to and from the
 * program without it, under the socket's own sleep locks, which are taken
 * before it.
 */
#ifndef NET_INET_H
#define NET_INET_H

#include "kern/mutex.h"
#include "kern/page.h"
#include "kern/types.h"
#include "kern/waitq.h"
#include "net/inet_limits.h"
#include "net/inet_urgent.h"
#include "net/lwip/port.h"
#include "net/socket.h"
#include <lwip/err.h>
#include <lwip/ip_addr.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bsd/sys/queue.h>

struct pbuf;
struct raw_pcb;
struct tcp_pcb;
struct udp_pcb;

struct inet_end {
	ip_addr_t ip; /* type ANY: both families' any */
	uint16_t port;
};

/* One datagram that came. */
struct inet_dgram {
	STAILQ_ENTRY(inet_dgram) link;
	struct pbuf *p;
	struct inet_end from;
	ip_addr_t to;
	uint16_t to_port; /* UDP's */
	uint8_t if_index, ttl, tos;
	uint32_t charge; /* bytes of memory, against rcvbuf */
	int64_t when_ns; /* real time */
};

TAILQ_HEAD(inet_pages, page);
TAILQ_HEAD(inet_socks, inet_sock);

enum inet_state {
	INET_CLOSED,     /* or unconnected */
	INET_CONNECTING, /* stream: the handshake goes on */
	INET_CONNECTED,
	INET_LISTENING,
};

/* Whom setsockopt's groups are. */
struct inet_group;
/* A datagram that several sends make. */
struct inet_cork;

struct inet_sock {
	struct socket s;
	uint32_t refs;   /* atomic: the file; the control block; who looks */
	struct waitq wq; /* woken at every change */
	bool v6;         /* [I] AF_INET6 */
	union {          /* [n] NULL: none (any more) */
		struct tcp_pcb *tcp;
		struct udp_pcb *udp;
		struct raw_pcb *raw;
		void *pcb;
	};
	struct inet_end local, remote; /* [n] port 0: none */
	enum inet_state state;         /* [n] */
	int error;                     /* [n] pending, positive */
	bool eof;                      /* [n] the peer sends no more */
	bool untold;                   /* [n] connected, not said so yet */
	bool rx_shut, tx_shut;         /* [n] shutdown(2) */
	bool orphan;                   /* [n] no file any more */

	/* Received: a stream's bytes, or datagrams. */
	struct mutex rx_lock;             /* one reader takes at a time */
	struct pbuf *rx_first, *rx_last;  /* [n] linked by next, no packet */
	uint32_t rx_bytes;                /* [n] bytes, or memory charged */
	uint64_t taken;                   /* [n] bytes read so far */
	struct inet_urgent urgent;        /* [n] */
	STAILQ_HEAD(, inet_dgram) dgrams; /* [n] */
	STAILQ_HEAD(, inet_dgram) errors; /* [n] inet_errqueue.c's */
	uint32_t error_bytes;             /* [n] memory charged for them */

	/* Sent: a stream's bytes, in pages that lwIP points into. */
	struct mutex tx_lock;     /* one writer at a time */
	struct inet_pages pages;  /* [n] priv: `queued` at the page's end */
	struct page *filling;     /* [n] a writer copies into it */
	uint32_t fill;            /* tx_lock: bytes used of the last page */
	uint64_t queued, acked;   /* [n] bytes so far */
	uint32_t charged;         /* [n] datagrams: memory on its way */
	struct inet_cork *corked; /* tx_lock: a datagram that grows */

	/* Of a listener: connections that wait for accept(2). */
	struct inet_socks waiting;   /* [n] */
	unsigned nwaiting, backlog;  /* [n] */
	struct inet_sock *listener;  /* [n] of one that waits */
	TAILQ_ENTRY(inet_sock) link; /* [n] in `waiting` */
	TAILQ_ENTRY(inet_sock) all;  /* [n] in inet_all */
	/* SO_REUSEPORT, of listeners: who has the control block. */
	struct inet_sock *lead;        /* [n] NULL: oneself */
	struct inet_socks members;     /* [n] of a lead */
	TAILQ_ENTRY(inet_sock) member; /* [n] */

	/* Options, single words: */
	bool port_given, addr_given; /* bind(2) did, not connect(2) */
	bool v6only, nodelay, cork, udp_cork, quickack, hdrincl, freebind;
	bool recverr, recverr6, dontfrag;
	bool pktinfo, pktinfo6, recvttl, recvtos, recvttl6, recvtclass;
	bool mcast_loop, mcast_all, transparent;
	bool origdst, origdst6, port_later;
	bool pktinfo6_old, recvttl6_old; /* RFC 2292's */

	int tos, ttl, mcast_ttl, hops, mcast_hops, tclass, mtu_discover;
	int mtu_discover6;
	int mcast_if, bound_if; /* ifindex; 0: any */
	int keep_idle, keep_intvl, keep_cnt, user_timeout_ms, defer_accept;
	int syncnt, linger2, maxseg;
	uint32_t icmp_filter; /* raw(7): types that are not wanted */
	uint32_t icmp6_filter[8];
	int checksum_at;            /* IPV6_CHECKSUM; -1: none */
	int send_cover, recv_cover; /* UDP-Lite: bytes; 0: all; -1: unset */
	struct inet_group *groups;  /* [n] */
	uint32_t uid;               /* [I] who made it, for /proc/net */
};

/* Those that exist, for /proc/net and ss; network lock. */
extern struct inet_socks inet_all;

static inline struct inet_sock *
inet_of(struct socket *s)
{
	return (struct inet_sock *)s;
}
/* inet.c: one more reference; one less, the last frees it. */
static inline struct inet_sock *
inet_get(struct inet_sock *is)
{
	__atomic_add_fetch(&is->refs, 1, __ATOMIC_RELAXED);
	return is;
}
void inet_put(struct inet_sock *is);
/* A socket without a control block, in inet_all; lock not held.  -ENOMEM */
int inet_alloc(bool v6, int type, int protocol, const struct socket_ops *ops,
    struct inet_sock **out);
/* Adds it to inet_all; lock held. */
void inet_known(struct inet_sock *is);

/* lwIP's error as ours: 0 or -errno. */
int inet_errno(err_t err);

/* ---- addresses: inet_addr.c ---- */

/*
 * An address that the program gave, checked for the socket's family.
 *   -EINVAL, -EAFNOSUPPORT, -ENETUNREACH (v4 on a v6only socket)
 */
int inet_addr_get(const struct inet_sock *is, const struct sock_addr *addr,
    struct inet_end *out);
/* As the socket's family shows it. */
void inet_addr_put(const struct inet_sock *is, const struct inet_end *end,
    struct sock_addr *addr);
/* Whether this machine has the address, or it is any, or a group's; lock. */
bool inet_addr_is_local(const ip_addr_t *ip);
/* bind(2)'s checks: 0, -EADDRNOTAVAIL, -EACCES (ports below 1024). */
int inet_bind_check(const struct inet_sock *is, const struct inet_end *end);
/* getsockname(2), getpeername(2). */
int inet_name(struct socket *s, bool peer, struct sock_addr *addr);
/* A port of Linux's range to try, at random. */
uint16_t inet_port_guess(void);
#define INET_PORT_TRIES 512
/* The any-address that the socket's family binds to. */
const ip_addr_t *inet_any(const struct inet_sock *is);

/* ---- kinds ---- */

extern const struct socket_ops inet_tcp_ops, inet_udp_ops, inet_raw_ops,
    inet_ping_ops;
/* The control block of a fresh socket; lock held.  -ENOMEM */
int inet_tcp_create(struct inet_sock *is);
/* The same. */
int inet_udp_create(struct inet_sock *is);
/* The same. */
int inet_raw_create(struct inet_sock *is);
/* The same, of echoes. */
int inet_ping_create(struct inet_sock *is);

/* inet_tcp.c */
/* The control block is not the socket's any more; lock held. */
void inet_tcp_detach(struct inet_sock *is);
/* The connection, or listener, ends with ECONNABORTED; lock held. */
void inet_tcp_destroy(struct inet_sock *is);
/* Waits until cond-like `ready(is)`; a stream's time limits.  0, -EAGAIN... */
int inet_wait(struct inet_sock *is, bool (*ready)(struct inet_sock *is),
    int64_t timeo_ns, bool nonblock);

/* A socket of echoes, icmp(7). */
static inline bool
inet_is_ping(const struct inet_sock *is)
{
	return is->s.type == SOCK_DGRAM &&
	    is->s.protocol == (is->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* inet_udplite.c: what of UDP-Lite is not as in UDP; lock held. */
static inline bool
inet_is_udplite(const struct inet_sock *is)
{
	return is->s.type == SOCK_DGRAM && is->s.protocol == IPPROTO_UDPLITE;
}
/* Whether the checksum of what comes now covers as much as the socket wants. */
bool inet_udplite_wants(const struct inet_sock *is);
/* Says how much of a datagram without its header yet is to be covered. */
void inet_udplite_cover(struct inet_sock *is, const struct pbuf *p);
/* Options of SOL_UDPLITE; no lock.  -EINVAL, -ENOPROTOOPT */
int inet_udplite_set(struct inet_sock *is, int name, const void *value,
    unsigned len);
int
inet_udplite_get(struct inet_sock *is, int name, void *value, unsigned *len);

/* inet_reuse.c: SO_REUSEPORT; lock held. */
/* A listener joins another at its place, for its own block.  -EADDRINUSE */
int inet_reuse_join(struct inet_sock *is);
/* It listens no more; afterwards tcp is NULL if others go on with it. */
void inet_reuse_leave(struct inet_sock *is);
/*
 * Whether a socket that is there stands against binding this one there: they
 * overlap, and do not both have SO_REUSEADDR or SO_REUSEPORT.
 */
bool
inet_reuse_conflict(const struct inet_sock *is, const struct inet_end *end);
/* Who of them gets a peer's connection, or datagram. */
struct inet_sock *
inet_reuse_listener(struct inet_sock *lead, const ip_addr_t *ip, uint16_t port);
struct inet_sock *
inet_reuse_dgram(struct inet_sock *is, const ip_addr_t *ip, uint16_t port);

/* inet_window.c: SO_RCVBUF; lock held, tcp is there. */
/* The most that the peer may have sent without its being read. */
uint32_t inet_window(const struct tcp_pcb *pcb);
/* The option may have changed; also for a fresh control block. */
void inet_window_fit(struct inet_sock *is);
/* n bytes were read: of how many the peer may be told. */
uint32_t inet_window_read(struct inet_sock *is, uint32_t n);

/* inet_stream.c: bytes of a connection. */
long inet_tcp_send(struct socket *s, struct sock_msg *m);
long inet_tcp_receive(struct socket *s, struct sock_msg *m);
/* lwIP says that bytes were acknowledged; lock held. */
void inet_tcp_acked(struct inet_sock *is, uint32_t n);
/* Gives all pages back; what came can still be read.  And that, too; lock. */
void inet_tcp_drop(struct inet_sock *is);
void inet_tcp_drop_received(struct inet_sock *is);
/* Whether send(2) has room; lock need not be held. */
bool inet_tcp_writable(const struct inet_sock *is);
/* TCP_CORK or TCP_NODELAY changed: what waits may go; lock held. */
void inet_tcp_push(struct inet_sock *is);

/* inet_dgram.c: what datagrams of UDP and raw sockets share. */
/* Queues one, which it takes over, if there is room; lock held. */
void inet_dgram_input(struct inet_sock *is, struct pbuf *p,
    const struct inet_end *from, unsigned skip);
long inet_dgram_receive(struct socket *s, struct sock_msg *m);
/* Its bytes, name and control messages; `whole`: those of its header, too. */
long inet_dgram_give(struct inet_sock *is, const struct inet_dgram *d,
    struct sock_msg *m, bool whole);
/* The time of now, for who wants it; else 0. */
int64_t inet_dgram_stamp(const struct inet_sock *is);
unsigned inet_dgram_poll(struct socket *s, struct poll_table *table);
int inet_dgram_shutdown(struct socket *s, int how);
void inet_dgram_drop(struct inet_sock *is);
/* What control messages say of one datagram to send. */
struct inet_how {
	int if_index; /* 0: not said */
	bool has_from;
	ip_addr_t from;
	int ttl, tos; /* -1: not said */
};
/* How a kind of socket sends. */
struct inet_sender {
	/* To whom.  -EDESTADDRREQ, what inet_addr_get() says */
	int (*target)(const struct inet_sock *is, const struct sock_msg *m,
	    struct inet_end *to);
	/* Lock held; p stays the caller's.  -EMSGSIZE, -ENETUNREACH... */
	int (*output)(struct inet_sock *is, struct pbuf *p,
	    const struct inet_end *to, const struct inet_how *how);
	uint32_t max4, max6; /* bytes of a message */
	bool corks;          /* knows MSG_MORE */
};
/* Where a message is to go, and how.  -EDESTADDRREQ, -EINVAL, a pending error */
int inet_dgram_target(struct inet_sock *is, const struct sock_msg *m,
    const struct inet_sender *sender, struct inet_end *to,
    struct inet_how *how);
/*
 * inet_cork.c: a part of a datagram, or its end, in place of a send; and what
 * waits goes, or is dropped.  No lock held.
 */
long inet_cork_send(struct inet_sock *is, struct sock_msg *m,
    const struct inet_sender *sender);
void inet_cork_flush(struct inet_sock *is);
void inet_cork_drop(struct inet_sock *is);
/* As struct socket_ops' send. */
long inet_dgram_send(struct socket *s, struct sock_msg *m,
    const struct inet_sender *sender);

/* inet_raw.c: what sockets of echoes do alike; as in struct socket_ops. */
/* Whether the socket may see the packet of now, which comes from there. */
bool inet_raw_is_for(const struct inet_sock *is, const ip_addr_t *from);
void inet_raw_release(struct socket *s);
int inet_raw_connect(struct socket *s, const struct sock_addr *addr,
    bool nonblock, const struct vfs_ctx *vfs);
/* To whom a message goes.  -EDESTADDRREQ, what inet_addr_get() says */
int inet_raw_target(const struct inet_sock *is, const struct sock_msg *m,
    struct inet_end *to);
/* Sends what stands behind IP's header; lock held.  -EMSGSIZE, -ENETUNREACH... */
int inet_raw_output(struct inet_sock *is, struct pbuf *p,
    const struct inet_end *to, const struct inet_how *how);

/* inet_option.c */
int inet_set_option(struct socket *s, int level, int name, const void *value,
    unsigned len);
int inet_get_option(struct socket *s, int level, int name, void *value,
    unsigned *len);
int inet_take_error(struct socket *s);
/* A common option changed: socket.h. */
void inet_options_changed(struct socket *s);
/* As struct socket_ops' memory. */
void inet_memory(struct socket *s, uint32_t *in, uint32_t *out);
/* The options that lwIP must know, told to a fresh control block; lock. */
void inet_tell_options(struct inet_sock *is);
/* inet_group.c */
int inet_group_option(struct inet_sock *is, int name, const void *value,
    unsigned len, bool v6);
void inet_group_leave_all(struct inet_sock *is);
/* Whether a group's datagram is for this socket; lock held. */
bool inet_group_wants(const struct inet_sock *is, const ip_addr_t *to,
    const ip_addr_t *from, unsigned if_index);
/* inet_ioctl.c */
long inet_ioctl(struct socket *s, unsigned cmd, uint64_t arg);

#endif
