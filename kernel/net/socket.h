/* SPDX-License-Identifier: ISC */
/*
 * socket.h - sockets: what is common to all families of addresses, and the
 * table through which a family (unix, later inet) joins.  socket(2),
 * socket(7).
 *
 * A socket is an open file whose priv is a struct socket, embedded in the
 * family's own.  Context: threads; calls may sleep where said.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "fs/file.h"
#include "kern/types.h"
#include <linux/socket.h>

/* <sys/socket.h>'s, which no header for the kernel has. */
#define AF_UNSPEC 0
#define AF_UNIX   1
#define AF_INET   2
#define AF_INET6  10
#define AF_PACKET 17
#define AF_MAX    46

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_SEQPACKET 5
#define SOCK_TYPES     11 /* numbers below are types */
#define SOCK_TYPE_MASK 0xfu

#define SOL_IP      0
#define SOL_SOCKET  1
#define SOL_TCP     6
#define SOL_UDP     17
#define SOL_UDPLITE 136
#define SOL_IPV6    41
#define SOL_ICMPV6  58
#define SOL_RAW     255

#define MSG_OOB          0x1u
#define MSG_PEEK         0x2u
#define MSG_DONTROUTE    0x4u
#define MSG_CTRUNC       0x8u
#define MSG_TRUNC        0x20u
#define MSG_DONTWAIT     0x40u
#define MSG_EOR          0x80u
#define MSG_WAITALL      0x100u
#define MSG_ERRQUEUE     0x2000u
#define MSG_NOSIGNAL     0x4000u
#define MSG_MORE         0x8000u
#define MSG_WAITFORONE   0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u

#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

#define SCM_RIGHTS      1
#define SCM_CREDENTIALS 2
#define SCM_MAX_FD      253

#define SOCK_ADDR_MAX  128     /* struct sockaddr_storage */
#define SOCK_BUF_SIZE  212992u /* SO_SNDBUF and SO_RCVBUF at first */
#define SOCK_SOMAXCONN 4096u

struct socket;
struct vfs_ctx;
struct vm_object;

/* Any struct sockaddr; the first two bytes are the family. */
struct sock_addr {
	uint32_t len; /* bytes that count; 0: none */
	union {
		uint16_t family;
		uint8_t bytes[SOCK_ADDR_MAX];
	};
};

/* struct ucred */
struct sock_cred {
	int32_t pid;
	uint32_t uid, gid;
};

/* A control message that is a family's own; see cmsg(3). */
struct sock_cmsg {
	int level, type;
	uint32_t len; /* bytes of data */
	uint8_t data[48];
};
#define SOCK_CMSGS 8 /* in one message */

/* One send or receive. */
struct sock_msg {
	struct uio *u;
	struct sock_addr *name;    /* send: to whom, or NULL; receive: filled */
	const struct vfs_ctx *vfs; /* who sends, for names of files */
	unsigned flags;            /* MSG_*, asked for */
	unsigned answer;           /* MSG_TRUNC ..., receive only */
	/*
	 * Files that go with it.  Send: the caller's references, taken over
	 * (files becomes NULL) if the message went.  Receive: references for
	 * the caller, in an array for kfree().
	 */
	struct file **files;
	unsigned nfiles;
	struct sock_cred cred; /* send: the sender; receive: if has_cred */
	bool has_cred;
	/* Others: sent ones, or room for some and how many there are. */
	struct sock_cmsg *cmsg;
	unsigned ncmsg, cmsg_room;
};

/* NULL operations answer -EOPNOTSUPP. */
struct socket_ops {
	void (*release)(struct socket *s); /* the file is gone */
	/* A descriptor of the file is about to go; NULL: nothing to do. */
	void (*descriptor_closed)(struct socket *s, struct file *file);
	int (*bind)(struct socket *s, const struct sock_addr *addr,
	    const struct vfs_ctx *vfs);
	int (*listen)(struct socket *s, int backlog);
	/* *out has no file yet: sock_file(), or its own release. */
	int (*accept)(struct socket *s, bool nonblock, struct socket **out);
	int (*connect)(struct socket *s, const struct sock_addr *addr,
	    bool nonblock, const struct vfs_ctx *vfs);
	int (*name)(struct socket *s, bool peer, struct sock_addr *addr);
	/* Bytes, or -errno; -EPIPE as it stands, the signal is the caller's. */
	long (*send)(struct socket *s, struct sock_msg *m);
	long (*receive)(struct socket *s, struct sock_msg *m);
	int (*shutdown)(struct socket *s, int how);
	unsigned (*poll)(struct socket *s, struct poll_table *table);
	/* Options that the core does not know, any level.  -ENOPROTOOPT */
	int (*set_option)(struct socket *s, int level, int name,
	    const void *value, unsigned len);
	/* *len: room, then what was written to value, where the program's
	 * bytes are at first. */
	int (*get_option)(struct socket *s, int level, int name, void *value,
	    unsigned *len);
	long (*ioctl)(struct socket *s, unsigned cmd, uint64_t arg);
	/* As file_ops.mmap (fs/file.h); NULL: -ENODEV. */
	int (*mmap)(struct socket *s, uint64_t size, uint64_t *offset,
	    struct vm_object **object);
	/* SO_ERROR: takes the pending error, as positive errno. */
	int (*take_error)(struct socket *s);
	/* An option that the core knows was set; NULL: it is no matter. */
	void (*options_changed)(struct socket *s);
	bool (*is_listening)(struct socket *s); /* NULL: never */
	/* Bytes of memory that what came, and what is to go, takes; NULL: 0. */
	void (*memory)(struct socket *s, uint32_t *in, uint32_t *out);
};

struct socket {
	const struct socket_ops *ops; /* [I] */
	uint16_t family, type;        /* [I] */
	int protocol;                 /* [I] */
	uint64_t ino;      /* what /proc/PID/fd shows; 0: no file yet */
	struct file *file; /* no reference: ops->release() ends it */
	/* Options, single words: */
	uint32_t sndbuf, rcvbuf;
	int64_t rcvtimeo_ns, sndtimeo_ns; /* 0: for ever */
	bool sndbuf_set, rcvbuf_set;      /* by the program */
	bool passcred;
	bool flag_reuseaddr, flag_reuseport, flag_keepalive, flag_broadcast,
	    flag_oobinline, flag_dontroute;
	int stamp;           /* SO_TIMESTAMP or alike, its number; 0: none */
	unsigned stamping;   /* SO_TIMESTAMPING's flags ... */
	int stamping_number; /* ... and its number of two */
	int priority, rcvlowat, linger_on, linger_s;
	/* sock_option.c's: */
	bool flag_debug, flag_nocheck, flag_passsec, flag_rxq_ovfl,
	    flag_err_pri, flag_prefer_poll;
	uint8_t buf_lock;
	uint32_t mark;
	int busy_poll, incoming_cpu;
	uint32_t drops; /* messages without room; single writer */
};

struct sock_family {
	uint16_t family;
	/*
	 * One socket with one reference; ops, family, type set.
	 *   -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOMEM
	 */
	int (*create)(int type, int protocol, struct socket **out);
	/* socketpair(2): connects two fresh ones; NULL: -EOPNOTSUPP. */
	int (*pair)(struct socket *a, struct socket *b);
};

/* The visible table, net/families.c; NULL: no such family. */
const struct sock_family *sock_family_find(int family);

/* What a higher floor tells: set once at boot. */
struct sock_hooks {
	void (*broken_pipe)(void);           /* a write(2) met -EPIPE */
	void (*who)(struct sock_cred *cred); /* the calling process */
	bool (*capable)(int cap);            /* CAP_*, of the same */
	void (*urgent)(struct file *file);   /* its owner: SIGURG; may sleep */
};
void sock_set_hooks(const struct sock_hooks *hooks);
extern const struct sock_hooks *sock_hooks;

/* Sets the common fields of a zeroed struct. */
void sock_init(struct socket *s, const struct socket_ops *ops, uint16_t family,
    int type, int protocol);
/* The socket's file, which owns it from now on.  flags: O_NONBLOCK. -ENOMEM */
int sock_file(struct socket *s, unsigned flags, struct file **out);
/* The socket behind a file, or NULL. */
struct socket *sock_of_file(const struct file *file);

/*
 * Adds a control message to a receive, if there is room for one more; `len` is
 * no more than struct sock_cmsg holds.
 */
void sock_put_cmsg(struct sock_msg *m, int level, int type, const void *data,
    uint32_t len);

/* Whether what arrives must have a time; and it, if any, as was asked for. */
bool sock_wants_stamp(const struct socket *s);
void
sock_put_stamp(const struct socket *s, struct sock_msg *m, int64_t when_ns);

/* setsockopt(2), getsockopt(2) on kernel memory.  As the calls. */
int sock_set_option(struct socket *s, int level, int name, const void *value,
    unsigned len);
int sock_get_option(struct socket *s, int level, int name, void *value,
    unsigned *len);

/* When a wait that begins now ends: `timeo_ns` as in struct socket. */
int64_t sock_deadline(int64_t timeo_ns);
/* What a wait's error is outside: timed out is -EAGAIN. */
int sock_wait_error(int error, int64_t timeo_ns);

/* unix.c, inet.c, inet_packet.c */
extern const struct sock_family unix_family, inet_family, inet6_family;
extern const struct sock_family packet_family;

#endif
