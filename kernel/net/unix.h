/* SPDX-License-Identifier: ISC */
/*
 * unix.h - sockets between processes of one machine, for the files of the
 * family: unix.c (names, connections), unix_data.c (what is sent and
 * received), unix_gc.c (descriptors that only travel).  unix(7).
 *
 * Locking: unix_lock, one spin lock, guards all fields marked [u]; it is held
 * for links and queues only, never while bytes are copied.  `receiving` is a
 * sleep lock taken before it, by who takes bytes off a stream.
 *
 * References: the file (or the queue of connections to be accepted) holds
 * one, each peer pointer one, each message under way one on its sender.
 */
#ifndef NET_UNIX_H
#define NET_UNIX_H

#include "fs/file.h"
#include "kern/mutex.h"
#include "kern/spinlock.h"
#include "kern/types.h"
#include "net/socket.h"

/* A name, shared by a socket, those accepted from it, and messages. */
struct unix_addr {
	uint32_t refs; /* [u] */
	struct sock_addr addr;
};

/* A message, or a piece of a stream. */
struct unix_buf {
	TAILQ_ENTRY(unix_buf) link; /* [u] */
	struct unix_sock *sender;   /* [I] referenced, charged */
	struct unix_addr *from;     /* [I] its name then, or NULL */
	struct sock_cred cred;      /* [I] */
	struct file **files;        /* [u] NULL once received */
	unsigned nfiles;            /* [u] */
	uint32_t len;               /* [I] */
	uint32_t off;               /* under `receiving`: bytes read already */
	uint32_t charge;            /* [I] */
	uint8_t data[];             /* [I] */
};
TAILQ_HEAD(unix_bufs, unix_buf);

enum unix_state {
	UNIX_CLOSED, /* -> LISTENING: listen(); -> CONNECTED: connect(), pair */
	UNIX_LISTENING,
	UNIX_CONNECTED, /* streams stay so when the other side has gone */
};

#define UNIX_SHUT_RD 1u /* nothing more comes */
#define UNIX_SHUT_WR 2u

struct unix_sock {
	struct socket s;
	TAILQ_ENTRY(unix_sock) all_link; /* [u] */
	uint32_t refs;                   /* atomic */
	enum unix_state state;           /* [u] */
	unsigned shutdown;               /* [u] UNIX_SHUT_* */
	bool dead;                       /* [u] its file is gone */
	bool reset;                      /* [u] peer went without reading all */
	struct unix_sock *peer;          /* [u] referenced */
	struct unix_addr *addr;          /* [u] NULL: unbound */
	struct path path;                /* [u] of the node, if bound to one */
	struct sock_cred cred, peer_cred; /* [u] */
	bool has_peer_cred;               /* [u] */
	struct unix_bufs queue;           /* [u] to be received */
	uint32_t nqueued;                 /* [u] messages */
	uint64_t queued_bytes;            /* [u] */
	uint64_t charged; /* [u] bytes sent and not yet received */
	TAILQ_HEAD(unix_socks, unix_sock) pending; /* [u] to be accepted */
	unsigned npending, backlog;                /* [u] */
	TAILQ_ENTRY(unix_sock) pending_link;       /* [u] */
	TAILQ_ENTRY(unix_sock) name_link;          /* [u] abstract names */
	bool named;                                /* [u] is on that list */
	/* Datagrams: who sends here by connect(2), to be told of room. */
	TAILQ_HEAD(, unix_sock) clients;    /* [u] */
	TAILQ_ENTRY(unix_sock) client_link; /* [u] on the peer's */
	bool is_client;                     /* [u] */
	struct mutex receiving;
	struct mutex binding;
	struct waitq read_wq;  /* something came; a connection; the end */
	struct waitq write_wq; /* room; a listener's: room to connect */
	/* unix_gc.c: */
	unsigned inflight;              /* [u] times its file is in a queue */
	TAILQ_ENTRY(unix_sock) gc_link; /* [u] while inflight */
	struct file *file;              /* [u] while inflight; borrowed */
	int gc_outside;                 /* [u] during a search */
	bool gc_kept;                   /* [u] during a search */
};

extern struct spinlock unix_lock;
extern struct unix_socks unix_all; /* [u] all there are */
extern unsigned unix_nall;         /* [u] */

static inline struct unix_sock *
unix_of(struct socket *s)
{
	return container_of(s, struct unix_sock, s);
}
static inline void
unix_get(struct unix_sock *u)
{
	__atomic_add_fetch(&u->refs, 1, __ATOMIC_RELAXED);
}
void unix_put(struct unix_sock *u); /* not under unix_lock */

/* unix.c */

/*
 * Whom an address stands for, referenced; type as the caller's own.
 *   -ECONNREFUSED, -EPROTOTYPE, -EINVAL, and what a walk answers
 */
int unix_find(const struct sock_addr *addr, int type, const struct vfs_ctx *vfs,
    struct unix_sock **out);
/* Gives a socket without a name one of the kernel's making.  -ENOSPC */
int unix_autobind(struct unix_sock *u);
/*
 * A datagram socket's usual addressee, whose reference is taken over; NULL:
 * none any more.
 */
void unix_set_peer(struct unix_sock *u, struct unix_sock *peer);
static inline bool
unix_is_stream(const struct unix_sock *u)
{
	return u->s.type == SOCK_STREAM;
}

/* unix_proc.c: /proc/net/unix.  -ENOMEM by way of the sbuf; may sleep. */
struct sbuf;
void unix_proc(struct sbuf *sb);

/* unix_data.c */
long unix_send(struct socket *s, struct sock_msg *m);
long unix_receive(struct socket *s, struct sock_msg *m);
unsigned unix_poll(struct socket *s, struct poll_table *table);
long unix_ioctl(struct socket *s, unsigned cmd, uint64_t arg);
/* Frees messages taken off a queue; without the lock, may sleep. */
void unix_free_bufs(struct unix_bufs *list);
/* Moves all messages of u to list; lock held. */
void unix_take_queue_locked(struct unix_sock *u, struct unix_bufs *list);

/* unix_gc.c */

/*
 * Counts files that go into a queue, or come out of one.  Without the lock.
 *   -ETOOMANYREFS  more than any process may hold are under way
 */
int unix_files_sent(struct file **files, unsigned n);
void unix_files_received(struct file **files, unsigned n);
/*
 * Puts files that were in a queue, one after the other: what their end frees
 * in turn does not nest.  Takes over the array.
 */
void unix_files_drop(struct file **files, unsigned n);
/*
 * Finds sockets that only each other's queues hold, and empties these.  A
 * reference of `closing` (or NULL) is about to go.
 */
void unix_collect(const struct file *closing);

#endif
