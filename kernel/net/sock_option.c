/* SPDX-License-Identifier: ISC */
/*
 * sock_option.c - options of SOL_SOCKET that all families have and few
 * programs ask for.  socket(7), asm-generic/socket.h.
 *
 * Some are remembered and change nothing, because what they would change is
 * not there on Linux either unless more is set up: a mark without rules that
 * look at it, polling of a queue that has no interrupts to spare.
 */
#include "net/sock_option.h"

#include "kern/string.h"
#include <asm/socket.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>

#define BPF_EXTENSIONS 64 /* SKF_AD_MAX: all of bpf.h's */
#define NETNS_COOKIE   1  /* the only one, as Linux' first */

static int
allowed(bool wanted, int cap, int error)
{
	return wanted && !sock_hooks->capable(cap) ? error : 0;
}

int
sock_option_set(struct socket *s, int name, int n)
{
	int error;

	switch (name) {
	case SO_DEBUG:
		error = allowed(n != 0, CAP_NET_ADMIN, -EACCES);
		if (error == 0)
			s->flag_debug = n != 0;
		return error;
	case SO_MARK:
		error = allowed(true, CAP_NET_ADMIN, -EPERM);
		if (error == 0)
			s->mark = (uint32_t)n;
		return error;
	case SO_BUSY_POLL:
		error = allowed(n > s->busy_poll, CAP_NET_ADMIN, -EPERM);
		if (error == 0 && n < 0)
			error = -EINVAL;
		if (error == 0)
			s->busy_poll = n;
		return error;
	case SO_INCOMING_CPU: s->incoming_cpu = n; return 0;
	case SO_BUF_LOCK:
		if ((n & ~(SOCK_BUF_LOCK_MASK)) != 0)
			return -EINVAL;
		s->buf_lock = (uint8_t)n;
		return 0;
	case SO_BSDCOMPAT: /* of Linux 2.2 */
	case SO_CNX_ADVICE: /* routes are looked up for each packet */ return 0;
	default: return -ENOPROTOOPT;
	}
}

static void
answer(void *value, unsigned *len, const void *from, unsigned n)
{
	*len = MIN(*len, n);
	memcpy(value, from, *len);
}

/* Eight bytes, and no fewer. */
static int
answer_cookie(void *value, unsigned *len, uint64_t cookie)
{
	if (*len < sizeof(cookie))
		return -EINVAL;
	answer(value, len, &cookie, sizeof(cookie));
	return 0;
}

static int
peer_name(struct socket *s, void *value, unsigned *len)
{
	struct sock_addr addr = { .len = 0 };

	if (s->ops->name == NULL || s->ops->name(s, true, &addr) != 0)
		return -ENOTCONN;
	if (addr.len < *len)
		return -EINVAL;
	memcpy(value, addr.bytes, *len);
	return 0;
}

void
sock_memory(struct socket *s, uint32_t *v)
{
	memset(v, 0, SK_MEMINFO_VARS * sizeof(v[0]));
	v[SK_MEMINFO_RCVBUF] = s->rcvbuf;
	v[SK_MEMINFO_SNDBUF] = s->sndbuf;
	v[SK_MEMINFO_DROPS] = s->drops;
	if (s->ops->memory != NULL)
		s->ops->memory(s, &v[SK_MEMINFO_RMEM_ALLOC],
		    &v[SK_MEMINFO_WMEM_QUEUED]);
}

static int
get_number(const struct socket *s, int name, int *n)
{
	switch (name) {
	case SO_DEBUG: *n = s->flag_debug; return 0;
	case SO_MARK: *n = (int)s->mark; return 0;
	case SO_BUSY_POLL: *n = s->busy_poll; return 0;
	case SO_INCOMING_CPU: *n = s->incoming_cpu; return 0;
	case SO_BUF_LOCK: *n = s->buf_lock; return 0;
	case SO_BSDCOMPAT:
	case SO_INCOMING_NAPI_ID: *n = 0; return 0;
	case SO_BPF_EXTENSIONS: *n = BPF_EXTENSIONS; return 0;
	default: return -ENOPROTOOPT;
	}
}

int
sock_option_get(struct socket *s, int name, void *value, unsigned *len)
{
	uint32_t memory[SK_MEMINFO_VARS];
	int n, error;

	switch (name) {
	case SO_COOKIE: return answer_cookie(value, len, s->ino);
	case SO_NETNS_COOKIE: return answer_cookie(value, len, NETNS_COOKIE);
	case SO_PEERNAME: return peer_name(s, value, len);
	case SO_MEMINFO:
		sock_memory(s, memory);
		answer(value, len, memory, sizeof(memory));
		return 0;
	}
	error = get_number(s, name, &n);
	if (error == 0)
		answer(value, len, &n, sizeof(n));
	return error;
}

void
sock_put_drops(const struct socket *s, struct sock_msg *m)
{
	if (s->flag_rxq_ovfl && s->drops != 0)
		sock_put_cmsg(m, SOL_SOCKET, SO_RXQ_OVFL, &s->drops,
		    sizeof(s->drops));
}
