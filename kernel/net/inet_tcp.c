/* SPDX-License-Identifier: ISC */
/*
 * inet_tcp.c - connections: how they are made, found, accepted and ended.
 * tcp(7).  The bytes are inet_stream.c's.
 *
 * lwIP's control block and the socket know each other until one of them ends:
 *   - the connection ends (reset, time-out, both sides have closed): lwIP
 *     frees its block and tells on_error(), or frees it silently in TIME_WAIT,
 *     before which on_receive() or on_sent() let go of it;
 *   - the file goes: the socket stays as an orphan until the peer has
 *     acknowledged all that was sent, as lwIP points into its pages.
 * The block holds a reference on the socket.
 */
#include "net/inet.h"

#include "kern/clock.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "net/inet_route.h"
#include "net/stack.h"
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/stats.h>
#include <lwip/tcp.h>
#include <linux/errno.h>
#include <linux/poll.h>
#include <linux/in.h>

#define BACKLOG_MAX 4096 /* somaxconn */

static void
changed(struct inet_sock *is)
{
	waitq_wake_all(&is->wq);
}

int
inet_wait(struct inet_sock *is, bool (*ready)(struct inet_sock *is),
    int64_t timeo_ns, bool nonblock)
{
	int64_t deadline;
	int error;

	if (ready(is))
		return 0;
	if (nonblock)
		return -EAGAIN;
	deadline = sock_deadline(timeo_ns);
	error = wait_event_until(&is->wq, ready(is), deadline);
	return sock_wait_error(error, timeo_ns);
}

/* -------------------------------------------------------- what lwIP tells -- */

static err_t
on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err);
static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t n);
static void on_error(void *arg, err_t err);

static void
attach(struct inet_sock *is, struct tcp_pcb *pcb)
{
	is->tcp = pcb;
	inet_get(is);
	tcp_arg(pcb, is);
	tcp_recv(pcb, on_receive);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_error);
}

void
inet_tcp_detach(struct inet_sock *is)
{
	struct tcp_pcb *pcb = is->tcp;

	tcp_arg(pcb, NULL);
	if (pcb->state != LISTEN) {
		tcp_recv(pcb, NULL);
		tcp_sent(pcb, NULL);
		tcp_err(pcb, NULL);
	}
	is->tcp = NULL;
	inet_put(is);
}

/* Both sides have closed: lwIP goes on alone, and nothing of ours is in use. */
static bool
is_over(const struct inet_sock *is)
{
	return is->tcp->state == TIME_WAIT ||
	    (is->tcp->state == CLOSING && TAILQ_EMPTY(&is->pages));
}

/* The connection ends at once, with a reset where there is one. */
static void
abort_now(struct inet_sock *is)
{
	struct tcp_pcb *pcb = is->tcp;

	inet_tcp_detach(is);
	tcp_abort(pcb);
	inet_tcp_drop(is);
}

/* Bytes for who has shut both ways: the peer is told, as by a close. */
static void
refuse_more(struct inet_sock *is)
{
	inet_get(is);
	abort_now(is);
	is->error = ECONNRESET;
	is->eof = true;
	is->state = INET_CLOSED;
	changed(is);
	inet_put(is);
}

static err_t
on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct inet_sock *is = arg;
	struct pbuf *last;

	(void)err;
	(void)pcb;
	if (p == NULL) {
		is->eof = true;
		if (is_over(is))
			inet_tcp_detach(is);
		changed(is);
		return ERR_OK;
	}
	if (is->rx_shut && is->tx_shut) {
		pbuf_free(p);
		refuse_more(is);
		return ERR_ABRT;
	}
	for (last = p; last->next != NULL; last = last->next)
		;
	if (is->rx_first == NULL)
		is->rx_first = p;
	else
		is->rx_last->next = p;
	is->rx_last = last;
	__atomic_add_fetch(&is->rx_bytes, p->tot_len, __ATOMIC_RELEASE);
	changed(is);
	return ERR_OK;
}

static err_t
on_sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
	struct inet_sock *is = arg;

	inet_tcp_acked(is, n);
	if (pcb->state == TIME_WAIT || pcb->state == CLOSING ||
	    (is->orphan && TAILQ_EMPTY(&is->pages))) {
		if (TAILQ_EMPTY(&is->pages))
			inet_tcp_detach(is);
	}
	return ERR_OK;
}

static int
error_of(const struct inet_sock *is, err_t err)
{
	if (err == ERR_CLSD)
		return 0;
	if (is->state == INET_CONNECTING)
		return err == ERR_RST ? ECONNREFUSED : ETIMEDOUT;
	return err == ERR_RST ? (is->eof ? EPIPE : ECONNRESET) : ETIMEDOUT;
}

/* The block is freed already. */
static void
on_error(void *arg, err_t err)
{
	struct inet_sock *is = arg;

	lwip_port_stats.tcp_failed += is->state == INET_CONNECTING;
	lwip_port_stats.tcp_broken += is->state == INET_CONNECTED &&
	    err != ERR_CLSD;
	is->tcp = NULL;
	if (is->error == 0)
		is->error = error_of(is, err);
	if (is->state == INET_CONNECTED) {
		is->eof = true;
		is->tx_shut = true;
	}
	if (err != ERR_CLSD)
		is->state = INET_CLOSED;
	inet_tcp_drop(is);
	changed(is);
	inet_put(is);
}

static err_t
on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct inet_sock *is = arg;

	(void)err;
	is->state = INET_CONNECTED;
	is->untold = true;
	is->local.ip = pcb->local_ip;
	is->local.port = pcb->local_port;
	changed(is);
	return ERR_OK;
}

/* ------------------------------------------------------------------- life -- */

int
inet_tcp_create(struct inet_sock *is)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(inet_any(is)));

	if (pcb == NULL)
		return -ENOMEM;
	attach(is, pcb);
	inet_tell_options(is);
	return 0;
}

/* Data that nobody will read: the peer is told by a reset (RFC 1122). */
static bool
has_unread(const struct inet_sock *is)
{
	return is->rx_bytes > 0 || is->tcp->refused_data != NULL ||
	    is->tcp->rcv_wnd != inet_window(is->tcp);
}

static void
close_connection(struct inet_sock *is)
{
	struct tcp_pcb *pcb = is->tcp;

	switch (pcb->state) {
	case ESTABLISHED:
	case CLOSE_WAIT:
		if (has_unread(is) ||
		    (is->s.linger_on && is->s.linger_s == 0)) {
			abort_now(is);
			return;
		}
		break;
	case CLOSED:
	case LISTEN:
	case SYN_SENT:
		inet_tcp_detach(is);
		tcp_close(pcb);
		return;
	default:
		if (is->s.linger_on && is->s.linger_s == 0) {
			abort_now(is);
			return;
		}
	}
	inet_get(is);
	is->orphan = true;
	if (TAILQ_EMPTY(&is->pages))
		inet_tcp_detach(is);
	if (tcp_close(pcb) != ERR_OK && is->tcp != NULL)
		abort_now(is);
	inet_put(is);
}

static bool
all_sent(struct inet_sock *is)
{
	return __atomic_load_n(&is->acked, __ATOMIC_ACQUIRE) == is->queued ||
	    is->tcp == NULL;
}

/* SO_LINGER: close(2) waits for the peer to have all. */
static void
linger(struct inet_sock *is)
{
	int64_t deadline;

	if (!is->s.linger_on || is->s.linger_s <= 0)
		return;
	deadline = clock_mono_ns() + is->s.linger_s * NSEC_PER_SEC;
	(void)wait_event_until(&is->wq, all_sent(is), deadline);
}

/* Those that nobody accepted. */
static void
drop_waiting(struct inet_sock *is)
{
	struct inet_sock *w;

	while ((w = TAILQ_FIRST(&is->waiting)) != NULL) {
		TAILQ_REMOVE(&is->waiting, w, link);
		is->nwaiting--;
		w->listener = NULL;
		TAILQ_REMOVE(&inet_all, w, all);
		if (w->tcp != NULL)
			abort_now(w);
		inet_tcp_drop(w);
		inet_tcp_drop_received(w);
		inet_put(w);
	}
}

static void
release(struct socket *s)
{
	struct inet_sock *is = inet_of(s);

	net_lock();
	s->file = NULL;
	TAILQ_REMOVE(&inet_all, is, all);
	inet_reuse_leave(is);
	drop_waiting(is);
	if (is->tcp != NULL)
		close_connection(is);
	inet_tcp_drop_received(is);
	if (is->tcp == NULL)
		inet_tcp_drop(is);
	inet_group_leave_all(is);
	net_unlock();
	linger(is);
	inet_put(is);
}

/* --------------------------------------------------------- names, listening -- */

static int
try_port(struct inet_sock *is, const struct inet_end *end, uint16_t port)
{
	int error = inet_errno(lwip_port_bind(is->tcp, &end->ip, port));

	if (error == 0) {
		is->local = *end;
		is->local.port = port;
	}
	return error;
}

/* With port 0 any that is free. */
static int
bind_locked(struct inet_sock *is, const struct inet_end *end)
{
	uint16_t port;
	unsigned i;
	int error = -EADDRINUSE;

	if (is->local.port != 0 || is->tcp == NULL || is->tcp->state != CLOSED)
		return -EINVAL;
	if (end->port != 0)
		return inet_reuse_conflict(is, end) ?
		    -EADDRINUSE :
		    try_port(is, end, end->port);
	for (i = 0; i < INET_PORT_TRIES && error == -EADDRINUSE; i++) {
		port = inet_port_guess();
		if (lwip_port_use(port) != LWIP_PORT_USED)
			error = try_port(is, end, port);
	}
	return error;
}

/* ANY of a socket for both families stays so. */
static void
widen_any(const struct inet_sock *is, struct inet_end *end)
{
	if (is->v6 && IP_IS_V6_VAL(end->ip) && ip_addr_isany(&end->ip))
		end->ip = *inet_any(is);
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
	widen_any(is, &end);
	error = inet_bind_check(is, &end);
	if (error == 0) {
		inet_tell_options(is);
		if (is->port_later && end.port == 0 && is->local.port == 0)
			is->local.ip = end.ip; /* connect(2) finds a port */
		else
			error = bind_locked(is, &end);
	}
	net_unlock();
	return error;
}

/* What an accepted socket has from its listener. */
static void
inherit(struct inet_sock *is, const struct inet_sock *from)
{
	is->s.sndbuf = from->s.sndbuf;
	is->s.rcvbuf = from->s.rcvbuf;
	is->s.sndbuf_set = from->s.sndbuf_set;
	is->s.rcvbuf_set = from->s.rcvbuf_set;
	is->s.rcvtimeo_ns = from->s.rcvtimeo_ns;
	is->s.sndtimeo_ns = from->s.sndtimeo_ns;
	is->s.flag_reuseaddr = from->s.flag_reuseaddr;
	is->s.flag_reuseport = from->s.flag_reuseport;
	is->s.flag_keepalive = from->s.flag_keepalive;
	is->s.flag_oobinline = from->s.flag_oobinline;
	is->s.linger_on = from->s.linger_on;
	is->s.linger_s = from->s.linger_s;
	is->s.priority = from->s.priority;
	is->s.rcvlowat = from->s.rcvlowat;
	is->v6only = from->v6only;
	is->nodelay = from->nodelay;
	is->cork = from->cork;
	is->tos = from->tos;
	is->ttl = from->ttl;
	is->hops = from->hops;
	is->tclass = from->tclass;
	is->keep_idle = from->keep_idle;
	is->keep_intvl = from->keep_intvl;
	is->keep_cnt = from->keep_cnt;
	is->user_timeout_ms = from->user_timeout_ms;
	is->uid = from->uid;
}

static err_t
on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct inet_sock *l = arg, *is;

	if (err != ERR_OK || pcb == NULL || l == NULL)
		return ERR_VAL;
	lwip_port_stats.tcp_accepted++;
	l = inet_reuse_listener(l, &pcb->remote_ip, pcb->remote_port);
	if (l->rx_shut ||
	    inet_alloc(l->v6, SOCK_STREAM, IPPROTO_TCP, &inet_tcp_ops, &is) !=
		0)
		return ERR_MEM; /* lwIP resets it */
	inherit(is, l);
	is->state = INET_CONNECTED;
	is->local.ip = pcb->local_ip;
	is->local.port = pcb->local_port;
	is->remote.ip = pcb->remote_ip;
	is->remote.port = pcb->remote_port;
	attach(is, pcb);
	inet_tell_options(is);
	is->listener = l;
	inet_known(is);
	TAILQ_INSERT_TAIL(&l->waiting, is, link);
	l->nwaiting++;
	changed(l);
	return ERR_OK;
}

/* Back to where socket(2) left it. */
static int
disconnect(struct inet_sock *is)
{
	inet_reuse_leave(is);
	if (is->state == INET_LISTENING)
		drop_waiting(is);
	if (is->tcp != NULL) {
		if (is->state == INET_LISTENING || is->state == INET_CLOSED)
			close_connection(is);
		else
			abort_now(is);
	}
	inet_tcp_drop(is);
	inet_tcp_drop_received(is);
	is->queued = is->acked = 0;
	is->urgent.state = INET_URGENT_NONE;
	is->state = INET_CLOSED;
	is->eof = is->rx_shut = is->tx_shut = is->orphan = false;
	is->untold = false;
	is->error = 0;
	is->local = is->remote = (struct inet_end){ .ip = *inet_any(is) };
	return inet_tcp_create(is);
}

static int
listen_locked(struct inet_sock *is, int backlog)
{
	struct inet_end any = { .ip = *inet_any(is) };
	struct tcp_pcb *pcb;
	unsigned room;
	int error = 0;
	err_t err;

	room = MIN((unsigned)backlog, BACKLOG_MAX); /* -1: the most */
	if (is->state == INET_LISTENING) {
		is->backlog = room;
		return 0;
	}
	if (is->state != INET_CLOSED)
		return -EINVAL;
	if (is->tcp == NULL) /* of a connection that failed, or ended */
		error = disconnect(is);
	if (error == 0 && is->local.port == 0)
		error = bind_locked(is, &any);
	if (error != 0)
		return error;
	pcb = tcp_listen_with_backlog_and_err(is->tcp, 1, &err);
	if (pcb != NULL) {
		is->tcp = pcb; /* another block, with the same reference */
		tcp_arg(pcb, is);
		tcp_accept(pcb, on_accept);
	} else {
		error = err == ERR_USE ? inet_reuse_join(is) : inet_errno(err);
		if (error != 0)
			return error;
	}
	is->state = INET_LISTENING;
	is->backlog = room;
	return 0;
}

static int
listen(struct socket *s, int backlog)
{
	int error;

	net_lock();
	error = listen_locked(inet_of(s), backlog);
	net_unlock();
	return error;
}

static bool
has_waiting(struct inet_sock *is)
{
	return __atomic_load_n(&is->nwaiting, __ATOMIC_ACQUIRE) > 0 ||
	    is->state != INET_LISTENING;
}

static struct inet_sock *
take_waiting(struct inet_sock *l)
{
	struct inet_sock *is;

	net_lock();
	is = TAILQ_FIRST(&l->waiting);
	if (is != NULL) {
		TAILQ_REMOVE(&l->waiting, is, link);
		l->nwaiting--;
		is->listener = NULL;
	}
	net_unlock();
	return is;
}

static int
accept(struct socket *s, bool nonblock, struct socket **out)
{
	struct inet_sock *l = inet_of(s), *is;
	int error;

	for (;;) {
		if (l->state != INET_LISTENING)
			return -EINVAL;
		is = take_waiting(l);
		if (is != NULL) {
			*out = &is->s;
			return 0;
		}
		error = inet_wait(l, has_waiting, s->rcvtimeo_ns, nonblock);
		if (error != 0)
			return error;
	}
}

/* -------------------------------------------------------------- connecting -- */

/* To nobody is to oneself. */
static void
resolve_any(struct inet_end *to)
{
	if (!ip_addr_isany(&to->ip))
		return;
	if (IP_IS_V6_VAL(to->ip))
		ip_addr_set_loopback(1, &to->ip);
	else
		ip_addr_set_loopback(0, &to->ip);
}

static int
start_connecting(struct inet_sock *is, struct inet_end *to)
{
	struct inet_end own;
	int error = 0;

	resolve_any(to);
	if (ip_addr_ismulticast(&to->ip))
		return -ENETUNREACH;
	if (is->tcp == NULL || is->eof)
		error = disconnect(is);
	own = (struct inet_end){ .ip = is->local.ip };
	if (error == 0 && is->local.port == 0)
		error = bind_locked(is, &own);
	if (error != 0)
		return error == -EADDRINUSE ? -EADDRNOTAVAIL : error;
	if (is->v6 && IP_IS_V4_VAL(to->ip) && ip_addr_isany(&is->tcp->local_ip))
		ip_addr_set_zero_ip4(&is->tcp->local_ip);
	error = inet_route_check(&is->tcp->local_ip, &to->ip);
	if (error != 0)
		return error;
	error = inet_errno(
	    tcp_connect(is->tcp, &to->ip, to->port, on_connected));
	if (error != 0)
		return error == -EADDRINUSE ? -EADDRNOTAVAIL : error;
	is->remote = *to;
	is->local.ip = is->tcp->local_ip;
	is->local.port = is->tcp->local_port;
	is->state = INET_CONNECTING;
	return 0;
}

static int
connect_locked(struct inet_sock *is, const struct sock_addr *addr,
    bool nonblock)
{
	struct inet_end to;
	int error;

	switch (is->state) {
	case INET_CONNECTED:
		if (is->untold) { /* who did not wait hears of it once */
			is->untold = false;
			return 0;
		}
		return -EISCONN;
	case INET_LISTENING: return -EISCONN;
	case INET_CONNECTING: return nonblock ? -EALREADY : 0;
	default: break;
	}
	if (is->error != 0)
		return -inet_take_error(&is->s);
	error = inet_addr_get(is, addr, &to);
	return error != 0 ? error : start_connecting(is, &to);
}

static bool
is_decided(struct inet_sock *is)
{
	return __atomic_load_n(&is->state, __ATOMIC_ACQUIRE) != INET_CONNECTING;
}

static int
outcome(struct inet_sock *is)
{
	int error;

	net_lock();
	if (is->state == INET_CONNECTED) {
		is->untold = false;
		error = 0;
	} else {
		error = is->error != 0 ? -inet_take_error(&is->s) :
					 -ECONNABORTED;
	}
	net_unlock();
	return error;
}

static int
connect(struct socket *s, const struct sock_addr *addr, bool nonblock,
    const struct vfs_ctx *vfs)
{
	struct inet_sock *is = inet_of(s);
	bool was = is->state != INET_CLOSED;
	int error;

	(void)vfs;
	net_lock();
	if (addr->len >= sizeof(addr->family) && addr->family == AF_UNSPEC)
		error = disconnect(is);
	else
		error = connect_locked(is, addr, nonblock);
	net_unlock();
	if (error != 0 || (addr->len >= 2 && addr->family == AF_UNSPEC))
		return error;
	if (nonblock)
		return was && is->state == INET_CONNECTED ? 0 : -EINPROGRESS;
	error = inet_wait(is, is_decided, s->sndtimeo_ns, false);
	if (error != 0)
		return error == -EAGAIN ? -EINPROGRESS : error;
	return outcome(is);
}

/* ------------------------------------------------------------ ending, waiting -- */

static int
shutdown_listener(struct inet_sock *is, int how)
{
	struct tcp_pcb *pcb;

	if (how == SHUT_WR)
		return 0;
	is->state = INET_CLOSED;
	inet_reuse_leave(is);
	pcb = is->tcp;
	if (pcb != NULL) {
		inet_tcp_detach(is);
		tcp_close(pcb);
	}
	drop_waiting(is);
	is->rx_shut = true;
	return 0;
}

void
inet_tcp_destroy(struct inet_sock *is)
{
	inet_get(is);
	if (is->state == INET_LISTENING)
		(void)shutdown_listener(is, SHUT_RDWR);
	else if (is->tcp != NULL)
		abort_now(is);
	is->error = ECONNABORTED;
	is->eof = is->tx_shut = true;
	is->state = INET_CLOSED;
	inet_put(is);
}

static int
shutdown_locked(struct inet_sock *is, int how)
{
	if (is->state == INET_LISTENING)
		return shutdown_listener(is, how);
	if (is->state == INET_CONNECTING) {
		abort_now(is);
		is->state = INET_CLOSED;
		return 0;
	}
	if (is->state != INET_CONNECTED)
		return -ENOTCONN;
	if (how != SHUT_WR)
		is->rx_shut = true;
	if (how != SHUT_RD && !is->tx_shut) {
		is->tx_shut = true;
		if (is->tcp != NULL)
			(void)tcp_shutdown(is->tcp, 0, 1);
		return 0;
	}
	return is->tcp == NULL ? -ENOTCONN : 0; /* both have closed */
}

static int
shutdown(struct socket *s, int how)
{
	struct inet_sock *is = inet_of(s);
	int error;

	net_lock();
	error = shutdown_locked(is, how);
	net_unlock();
	changed(is);
	return error;
}

/* The urgent byte is nothing to read. */
static uint32_t
readable_from(const struct inet_sock *is)
{
	return (uint32_t)is->s.rcvlowat +
	    (!is->s.flag_oobinline && inet_urgent_at_mark(is, 0));
}

static unsigned
poll_connection(const struct inet_sock *is)
{
	unsigned events = 0;
	bool rx_over = is->eof || is->rx_shut;

	if (rx_over && is->tx_shut)
		events |= POLLHUP;
	if (rx_over)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (is->urgent.state == INET_URGENT_THERE)
		events |= POLLPRI;
	if (is->rx_bytes >= readable_from(is))
		events |= POLLIN | POLLRDNORM;
	if (is->tx_shut || inet_tcp_writable(is))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static unsigned
poll(struct socket *s, struct poll_table *table)
{
	struct inet_sock *is = inet_of(s);
	unsigned events = 0;

	poll_wait(table, &is->wq);
	if (is->error != 0 ||
	    __atomic_load_n(&is->error_bytes, __ATOMIC_ACQUIRE) > 0)
		events |= POLLERR;
	switch (__atomic_load_n(&is->state, __ATOMIC_ACQUIRE)) {
	case INET_LISTENING: return is->nwaiting > 0 ? POLLIN | POLLRDNORM : 0;
	case INET_CONNECTING: return events;
	case INET_CONNECTED: return events | poll_connection(is);
	default:
		if (is->eof || is->rx_shut || is->error != 0)
			events |= POLLIN | POLLRDNORM | POLLRDHUP;
		return events | POLLHUP | POLLOUT | POLLWRNORM;
	}
}

static bool
is_listening(struct socket *s)
{
	return inet_of(s)->state == INET_LISTENING;
}

const struct socket_ops inet_tcp_ops = {
	.release = release,
	.bind = bind,
	.listen = listen,
	.accept = accept,
	.connect = connect,
	.name = inet_name,
	.send = inet_tcp_send,
	.receive = inet_tcp_receive,
	.shutdown = shutdown,
	.poll = poll,
	.set_option = inet_set_option,
	.get_option = inet_get_option,
	.ioctl = inet_ioctl,
	.options_changed = inet_options_changed,
	.take_error = inet_take_error,
	.memory = inet_memory,
	.is_listening = is_listening,
};
