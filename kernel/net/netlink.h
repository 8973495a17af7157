/* SPDX-License-Identifier: ISC */
/*
 * netlink.h - sockets between programs and parts of the kernel, and between
 * programs: what all its protocols share.  netlink(7).
 *
 * A protocol is a row of protocols[] in netlink.c.  Messages to programs go
 * out by netlink_send() and netlink_broadcast(); what a program sends to the
 * kernel arrives at the protocol's input().
 * Context: threads; nothing here sleeps but receive.
 */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H

#include "kern/types.h"
#include "net/socket.h"

#define AF_NETLINK  16
#define SOL_NETLINK 270

struct netlink_sock;

struct netlink_proto {
	int protocol;     /* NETLINK_ROUTE ... */
	unsigned ngroups; /* groups are 1 ... that many, at most 64 */
	/*
	 * What a program sent to the kernel, whole, in memory of ours; its
	 * answers may be queued before this returns.  May sleep.  NULL:
	 * -ECONNREFUSED.  An error is what send(2) says.
	 */
	int (*input)(struct netlink_sock *from, const void *data, size_t len,
	    const struct sock_cred *cred);
	/* A socket joined its first group, or left its last.  NULL */
	void (*listening)(bool on);
};

/* The socket's own address. */
uint32_t netlink_portid(const struct netlink_sock *nl);

/* NULL: it is of another family. */
struct netlink_sock *netlink_of_socket(struct socket *s);

/*
 * Queues a message of the kernel's for one socket.  The data is copied.
 *   -ENOBUFS  it has no room: receive says so, too
 *   -ENOMEM
 */
int netlink_send(struct netlink_sock *to, const void *data, size_t len);
/* The same for all sockets in a group, from 1; who has no room loses it. */
void
netlink_broadcast(int protocol, unsigned group, const void *data, size_t len);
/* Is there anybody in it? */
bool netlink_has_listeners(int protocol, unsigned group);

extern const struct sock_family netlink_family;

/* netlink_uevent.c: messages about devices. */
extern const struct netlink_proto netlink_uevent;
/* inet_rtnl.c: links, addresses, routes, neighbours. */
extern const struct netlink_proto netlink_route;
/* inet_diag.c: sockets, for ss. */
extern const struct netlink_proto netlink_diag;

#endif
