/* SPDX-License-Identifier: ISC */
/*
 * vsock.h - between the files of AF_VSOCK: vsock.c has the sockets as programs
 * see them, vsock_proto.c the packets, connections and credit.  Virtio 1.2,
 * 5.10.6; vsock(7).
 *
 * Locking: vsock_lock (spin, interrupts off) guards the tables and all fields
 * marked [v]; a carrier's own lock is taken inside it.  A socket has a
 * reference from its file, from the table while it is bound or connected, and
 * from the list of those with something left to send.
 */
#ifndef NET_VSOCK_H
#define NET_VSOCK_H

#include "dev/vsock.h"
#include "kern/mutex.h"
#include "kern/spinlock.h"
#include "net/socket.h"
#include <bsd/sys/queue.h>

/* Linux's vm_sockets.h, which asks for the C library's sockets. */
#define AF_VSOCK                          40
#define VMADDR_CID_ANY                    0xffffffffu
#define VMADDR_PORT_ANY                   0xffffffffu
#define VMADDR_CID_LOCAL                  1u
#define VMADDR_FLAG_TO_HOST               0x01u
#define SO_VM_SOCKETS_BUFFER_SIZE         0
#define SO_VM_SOCKETS_BUFFER_MIN_SIZE     1
#define SO_VM_SOCKETS_BUFFER_MAX_SIZE     2
#define SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD 6
#define SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW 8
#define IOCTL_VM_SOCKETS_GET_LOCAL_CID    0x7b9u

struct sockaddr_vm {
	uint16_t svm_family, svm_reserved1;
	uint32_t svm_port, svm_cid;
	uint8_t svm_flags, svm_zero[3];
};

#define VSOCK_BUF     65536u /* bytes that a socket can hold; a power of 2 */
#define VSOCK_CREDIT  (VSOCK_BUF / 4) /* consumed: the peer shall know */
#define VSOCK_BACKLOG 128u

enum vsock_state {
	VSOCK_IDLE, /* connect() -> CONNECTING, listen() -> LISTENING */
	VSOCK_LISTENING,
	VSOCK_CONNECTING, /* RESPONSE -> CONNECTED; RST, time -> IDLE */
	VSOCK_CONNECTED,  /* RST, reset, both halves shut -> CLOSED */
	VSOCK_CLOSED,     /* was connected; what came may still be read */
};

/* Packets that a socket owes its peer, sent when there is room. */
#define OWES_REQUEST  0x01u
#define OWES_RESPONSE 0x02u
#define OWES_CREDIT   0x04u
#define OWES_SHUTDOWN 0x08u
#define OWES_RST      0x10u

struct vsock_addr {
	uint32_t cid, port;
};

struct vsock;
TAILQ_HEAD(vsocks, vsock);

struct vsock {
	struct socket s;
	uint32_t refs;          /* [a] */
	enum vsock_state state; /* [v] */
	bool bound, loop;       /* [v] in the table; the peer is here, too */
	struct vsock_addr local, peer; /* [v] ports VMADDR_PORT_ANY: none */
	int error;                     /* [v] pending, positive */
	/* Received: a ring, from the connection on. */
	uint8_t *ring;       /* [v] NULL: never connected */
	uint32_t head, tail; /* [v] free running; tail: the reader's */
	uint32_t fwd_told;   /* [v] what the peer knows of tail */
	/* Sent, and what the peer says that it has taken. */
	uint32_t tx_cnt, peer_alloc, peer_fwd; /* [v] */
	unsigned shut, peer_shut;              /* [v] VIRTIO_VSOCK_SHUTDOWN_* */
	unsigned owes;                         /* [v] OWES_* */
	/* Of a listening one: those to be accepted. */
	struct vsocks pending;      /* [v] referenced */
	unsigned npending, backlog; /* [v] */
	int64_t connect_ns;         /* how long connect() waits */
	struct mutex sending, receiving;
	struct waitq read_wq, write_wq;
	TAILQ_ENTRY(vsock) bucket; /* [v] the table */
	TAILQ_ENTRY(vsock) accept; /* [v] its listener's pending */
	TAILQ_ENTRY(vsock) debt;   /* [v] those that owe */
};

extern struct spinlock vsock_lock;

/* vsock.c */
struct vsock *vsock_alloc(void); /* NULL: no memory.  Any context. */
void vsock_get(struct vsock *v);
void vsock_put(struct vsock *v); /* the lock may be held */

/* vsock_proto.c; those with _locked want vsock_lock. */

/* Where packets for a number go: -ENODEV nowhere, 0 out, 1 to ourselves. */
int vsock_way_locked(uint32_t cid);
uint32_t vsock_own_cid(void);             /* VMADDR_CID_ANY: no carrier */
void vsock_enter_locked(struct vsock *v); /* into the table */
void vsock_leave_locked(struct vsock *v);
/* A listener, or whoever else is bound to that port; NULL. */
struct vsock *vsock_find_port_locked(uint32_t port);
/* Owes these packets, and sends what can be sent now. */
void vsock_owe_locked(struct vsock *v, unsigned what);
/* Bytes that the peer takes now. */
uint32_t vsock_credit_locked(const struct vsock *v);
/* n bytes of data, n <= credit and VSOCK_DATA_MAX.  As carrier's send(). */
int vsock_send_locked(struct vsock *v, const void *data, uint32_t n);
/* The connection is over; who waits hears of it. */
void vsock_end_locked(struct vsock *v, int error);
/* Delivers what went to ourselves.  After the lock is open again. */
void vsock_run_loop(void);
/* At boot: waits for a carrier. */
void vsock_init(void);

extern const struct sock_family vsock_family;

#endif
