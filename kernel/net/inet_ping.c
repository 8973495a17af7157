/* SPDX-License-Identifier: ISC */
/*
 * inet_ping.c - sockets of echoes, for programs that may not have raw ones:
 * socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), and IPv6's.  icmp(7).
 *
 * The port is the identifier of the requests, which the kernel fills in; of
 * what comes only the answers to these are seen.
 */
#include "net/inet.h"

#include "abi/icmp.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/stack.h"
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/prot/icmp.h>
#include <lwip/raw.h>
#include <linux/errno.h>

static uint64_t groups = 1ull << 32; /* atomic; from 1 to 0: nobody */

void
inet_ping_groups(uint32_t range[2])
{
	uint64_t v = __atomic_load_n(&groups, __ATOMIC_RELAXED);

	range[0] = (uint32_t)(v >> 32);
	range[1] = (uint32_t)v;
}

int
inet_ping_set_groups(uint32_t first, uint32_t last)
{
	uint64_t v = (uint64_t)first << 32 | last;

	if (first > INT32_MAX || last > INT32_MAX)
		return -EINVAL;
	if (last < first)
		v = 1ull << 32;
	__atomic_store_n(&groups, v, __ATOMIC_RELAXED);
	return 0;
}

/* --------------------------------------------------------------- receiving -- */

static bool
is_answer(const struct inet_sock *is, const uint8_t *m, unsigned len)
{
	return len >= sizeof(struct icmp_echo_hdr) &&
	    m[0] == (is->v6 ? ICMP6_ECHO_ANSWER : ICMP_ECHOREPLY) &&
	    ((unsigned)m[4] << 8 | m[5]) == is->local.port &&
	    is->local.port != 0;
}

/* Raw sockets may want the same one. */
static u8_t
on_receive(void *arg, struct raw_pcb *pcb, struct pbuf *p,
    const ip_addr_t *addr)
{
	struct inet_sock *is = arg;
	struct inet_end from = { .ip = *addr };
	unsigned head = ip_current_header_tot_len();
	struct pbuf *copy;

	(void)pcb;
	if (!inet_raw_is_for(is, addr) || p->len < head ||
	    !is_answer(is, (const uint8_t *)p->payload + head, p->len - head))
		return 0;
	copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
	if (copy != NULL)
		inet_dgram_input(is, copy, &from, head);
	return 0;
}

int
inet_ping_create(struct inet_sock *is)
{
	is->raw = raw_new_ip_type(is->v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4,
	    (u8_t)is->s.protocol);
	if (is->raw == NULL)
		return -ENOMEM;
	raw_recv(is->raw, on_receive, is);
	if (is->v6) {
		is->raw->chksum_reqd = 1;
		is->raw->chksum_offset = 2;
	}
	inet_tell_options(is);
	return 0;
}

/* ------------------------------------------------------------------- names -- */

static int
try_port(struct inet_sock *is, uint16_t port)
{
	const struct inet_sock *o;

	TAILQ_FOREACH (o, &inet_all, all)
		if (o != is && inet_is_ping(o) && o->v6 == is->v6 &&
		    o->local.port == port)
			return -EADDRINUSE;
	is->local.port = port;
	return 0;
}

static int
take_port(struct inet_sock *is, uint16_t wanted)
{
	unsigned i;
	int error = -EADDRINUSE;

	if (wanted != 0)
		return try_port(is, wanted);
	for (i = 0; i < INET_PORT_TRIES && error == -EADDRINUSE; i++)
		error = try_port(is, inet_port_guess());
	return error == -EADDRINUSE ? -EAGAIN : error;
}

static int
bind(struct socket *s, const struct sock_addr *addr, const struct vfs_ctx *vfs)
{
	struct inet_sock *is = inet_of(s);
	struct inet_end end;
	int error = inet_addr_get(is, addr, &end);

	(void)vfs;
	if (error != 0)
		return error;
	net_lock();
	if (is->local.port != 0)
		error = -EINVAL;
	else if (!is->freebind && !inet_addr_is_local(&end.ip))
		error = -EADDRNOTAVAIL;
	else
		error = take_port(is, end.port);
	if (error == 0)
		error = inet_errno(raw_bind(is->raw, &end.ip));
	if (error == 0)
		is->local.ip = end.ip;
	net_unlock();
	return error;
}

/* ----------------------------------------------------------------- sending -- */

/* Only requests; the identifier, and IPv4's sum, are the kernel's. */
static int
complete(struct inet_sock *is, struct pbuf *p)
{
	struct icmp_echo_hdr *h = p->payload;
	int error = 0;

	if (p->len < sizeof(*h) || h->code != 0 ||
	    h->type != (is->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO))
		return -EINVAL;
	if (is->local.port == 0)
		error = take_port(is, 0);
	h->id = lwip_htons(is->local.port);
	h->chksum = 0;
	if (!is->v6)
		h->chksum = inet_chksum(h, p->len);
	return error;
}

static int
output(struct inet_sock *is, struct pbuf *p, const struct inet_end *to,
    const struct inet_how *how)
{
	int error = complete(is, p);

	return error != 0 ? error : inet_raw_output(is, p, to, how);
}

static long
send(struct socket *s, struct sock_msg *m)
{
	static const struct inet_sender ping = { .target = inet_raw_target,
		.output = output,
		.max4 = UINT16_MAX,
		.max6 = UINT16_MAX };

	return inet_dgram_send(s, m, &ping);
}

const struct socket_ops inet_ping_ops = {
	.release = inet_raw_release,
	.bind = bind,
	.connect = inet_raw_connect,
	.name = inet_name,
	.send = send,
	.receive = inet_dgram_receive,
	.shutdown = inet_dgram_shutdown,
	.poll = inet_dgram_poll,
	.set_option = inet_set_option,
	.get_option = inet_get_option,
	.ioctl = inet_ioctl,
	.options_changed = inet_options_changed,
	.take_error = inet_take_error,
	.memory = inet_memory,
};
