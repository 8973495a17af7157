/* SPDX-License-Identifier: ISC */
/* nlmsg.c - netlink messages, put together and taken apart.  netlink(7). */
#include "net/nlmsg.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include "net/netlink.h"
#include <linux/errno.h>
#include <linux/netlink.h>

#define MESSAGE_MAX 1024u /* of one: more than any of ours */

/* --------------------------------------------------------------- writing -- */

void
nlmsg_init(struct nlmsg *m, struct netlink_sock *to, uint32_t seq,
    uint32_t portid)
{
	memset(m, 0, sizeof(*m));
	m->to = to;
	m->seq = seq;
	m->portid = portid;
	m->buf = kmalloc(NLMSG_ROOM);
	if (m->buf == NULL)
		m->error = -ENOMEM;
}

static void
flush(struct nlmsg *m)
{
	int error;

	if (m->to == NULL || m->len == 0)
		return;
	error = netlink_send(m->to, m->buf, m->len);
	if (m->error == 0)
		m->error = error;
	m->len = 0;
}

/* Room for len more bytes, zeroed and padded; NULL: none. */
static void *
extend(struct nlmsg *m, size_t len)
{
	uint8_t *at;

	len = NLMSG_ALIGN(len);
	if (m->buf == NULL || len > NLMSG_ROOM - m->len) {
		if (m->error == 0)
			m->error = -ENOBUFS;
		return NULL;
	}
	at = m->buf + m->len;
	memset(at, 0, len);
	m->len += len;
	return at;
}

void *
nlmsg_begin(struct nlmsg *m, uint16_t type, uint16_t flags, size_t len)
{
	struct nlmsghdr *h;

	if (m->len + MESSAGE_MAX > NLMSG_ROOM)
		flush(m);
	m->begun = m->len;
	h = extend(m, NLMSG_HDRLEN);
	if (h == NULL)
		return NULL;
	h->nlmsg_type = type;
	h->nlmsg_flags = flags;
	h->nlmsg_seq = m->seq;
	h->nlmsg_pid = m->portid;
	return extend(m, len);
}

void
nlmsg_put(struct nlmsg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = extend(m, NLA_HDRLEN + len);

	if (a == NULL)
		return;
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((uint8_t *)a + NLA_HDRLEN, data, len);
}

void
nlmsg_put_u32(struct nlmsg *m, uint16_t type, uint32_t v)
{
	nlmsg_put(m, type, &v, sizeof(v));
}

void
nlmsg_put_u8(struct nlmsg *m, uint16_t type, uint8_t v)
{
	nlmsg_put(m, type, &v, sizeof(v));
}

void
nlmsg_put_string(struct nlmsg *m, uint16_t type, const char *s)
{
	nlmsg_put(m, type, s, strlen(s) + 1);
}

void
nlmsg_end(struct nlmsg *m)
{
	struct nlmsghdr *h;

	if (m->buf == NULL || m->len < m->begun + NLMSG_HDRLEN)
		return;
	h = (struct nlmsghdr *)(m->buf + m->begun);
	h->nlmsg_len = (uint32_t)(m->len - m->begun);
}

int
nlmsg_fini(struct nlmsg *m)
{
	flush(m);
	kfree(m->buf);
	m->buf = NULL;
	return m->error;
}

/* --------------------------------------------------------------- reading -- */

int
nlmsg_parse(const void *data, size_t len, const struct nlattr **attr,
    unsigned max)
{
	const uint8_t *at = data;
	const struct nlattr *a;
	unsigned type;

	memset(attr, 0, max * sizeof(attr[0]));
	while (len >= NLA_HDRLEN) {
		a = (const struct nlattr *)at;
		if (a->nla_len < NLA_HDRLEN || a->nla_len > len)
			return -EINVAL;
		type = a->nla_type & NLA_TYPE_MASK;
		if (type < max)
			attr[type] = a;
		if (NLA_ALIGN(a->nla_len) >= len)
			return 0;
		at += NLA_ALIGN(a->nla_len);
		len -= NLA_ALIGN(a->nla_len);
	}
	return len == 0 ? 0 : -EINVAL;
}

size_t
nlattr_len(const struct nlattr *a)
{
	return a == NULL ? 0 : a->nla_len - NLA_HDRLEN;
}

bool
nlattr_get(const struct nlattr *a, void *to, size_t len)
{
	if (a == NULL || nlattr_len(a) < len)
		return false;
	memcpy(to, (const uint8_t *)a + NLA_HDRLEN, len);
	return true;
}

bool
nlattr_string(const struct nlattr *a, char *to, size_t size)
{
	const char *s;
	size_t n;

	if (a == NULL)
		return false;
	s = (const char *)a + NLA_HDRLEN;
	n = strnlen(s, nlattr_len(a));
	if (n >= size)
		return false;
	memcpy(to, s, n);
	to[n] = '\0';
	return true;
}
