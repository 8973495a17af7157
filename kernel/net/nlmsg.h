/* SPDX-License-Identifier: ISC */
/*
 * nlmsg.h - messages of netlink's request protocols: put together, and taken
 * apart.  netlink(7), rtnetlink(7).
 */
#ifndef NET_NLMSG_H
#define NET_NLMSG_H

#include "kern/types.h"

struct netlink_sock;

/* ---- writing ---- */

/*
 * Messages for one receiver, one behind the other; sent in pieces that a
 * program's buffer can hold.
 */
struct nlmsg {
	uint8_t *buf; /* NLMSG_ROOM bytes, or NULL: out of memory */
	size_t len;   /* whole messages, and the one begun */
	size_t begun; /* where that begins */
	int error;    /* sticky: -ENOMEM, -ENOBUFS */
	struct netlink_sock
	    *to; /* NULL: nlmsg_fini() leaves it to the caller */
	uint32_t seq, portid;
};
#define NLMSG_ROOM 3840u

/* NULL as `to`: the caller sends what is in buf. */
void nlmsg_init(struct nlmsg *m, struct netlink_sock *to, uint32_t seq,
    uint32_t portid);
/* Begins a message with a header of `len` bytes, zeroed; where it is, or NULL
 * when there is no memory.  At most 1 KiB may follow until nlmsg_end(). */
void *nlmsg_begin(struct nlmsg *m, uint16_t type, uint16_t flags, size_t len);
void nlmsg_put(struct nlmsg *m, uint16_t type, const void *data, size_t len);
void nlmsg_put_u32(struct nlmsg *m, uint16_t type, uint32_t v);
void nlmsg_put_u8(struct nlmsg *m, uint16_t type, uint8_t v);
void nlmsg_put_string(struct nlmsg *m, uint16_t type, const char *s);
void nlmsg_end(struct nlmsg *m);
/* Sends what is there and frees all; the first error. */
int nlmsg_fini(struct nlmsg *m);

/* ---- reading ---- */

/*
 * Attributes of at most `max` types, behind a header: attr[type] is NULL or
 * the last one of its type.  -EINVAL: they do not fill `len`.
 */
struct nlattr;
int nlmsg_parse(const void *data, size_t len, const struct nlattr **attr,
    unsigned max);
/* An attribute's bytes; too few: false. */
bool nlattr_get(const struct nlattr *a, void *to, size_t len);
/* A string of at most size - 1 bytes; false: longer, or none. */
bool nlattr_string(const struct nlattr *a, char *to, size_t size);
size_t nlattr_len(const struct nlattr *a);

#endif
