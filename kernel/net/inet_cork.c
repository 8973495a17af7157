/* SPDX-License-Identifier: ISC */
/*
 * inet_cork.c - datagrams that are made by several sends: MSG_MORE and
 * UDP_CORK.  udp(7), send(2).  The first of the sends says where the datagram
 * goes and how; the first that promises no more sends it.
 *
 * Locking: tx_lock, before the network lock.
 */
#include "net/inet.h"

#include "kern/kmem.h"
#include "kern/string.h"
#include "net/stack.h"
#include <lwip/pbuf.h>
#include <linux/errno.h>

struct inet_cork {
	const struct inet_sender *sender;
	struct inet_end to;
	struct inet_how how;
	struct pbuf *p;
};

/* Another pbuf with what `c` has and the message's bytes. */
static int
append(struct inet_cork *c, struct sock_msg *m)
{
	size_t len = m->u->resid;
	uint32_t old = c->p == NULL ? 0 : c->p->tot_len;
	uint32_t max = IP_IS_V6_VAL(c->to.ip) ? c->sender->max6 :
						c->sender->max4;
	struct pbuf *p;

	if (len > max - old)
		return -EMSGSIZE;
	p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)(old + len), PBUF_RAM);
	if (p == NULL)
		return -ENOBUFS;
	if (c->p != NULL)
		(void)pbuf_copy_partial(c->p, p->payload, (u16_t)old, 0);
	if (uio_get(m->u, (uint8_t *)p->payload + old, len) < len) {
		pbuf_free(p); /* nobody else knows it */
		return -EFAULT;
	}
	if (c->p != NULL)
		pbuf_free(c->p);
	c->p = p;
	return 0;
}

static void
drop(struct inet_sock *is)
{
	struct inet_cork *c = is->corked;

	is->corked = NULL;
	if (c != NULL && c->p != NULL)
		pbuf_free(c->p);
	kfree(c);
}

static int
flush(struct inet_sock *is)
{
	struct inet_cork *c = is->corked;
	int error;

	net_lock();
	error = c->sender->output(is, c->p, &c->to, &c->how);
	drop(is);
	net_unlock();
	return error;
}

static int
begin(struct inet_sock *is, const struct sock_msg *m,
    const struct inet_sender *sender)
{
	struct inet_cork *c = kzalloc(sizeof(*c));
	int error;

	if (c == NULL)
		return -ENOBUFS;
	c->sender = sender;
	error = inet_dgram_target(is, m, sender, &c->to, &c->how);
	if (error == 0)
		is->corked = c;
	else
		kfree(c);
	return error;
}

long
inet_cork_send(struct inet_sock *is, struct sock_msg *m,
    const struct inet_sender *sender)
{
	size_t len = m->u->resid;
	int error = 0;

	mutex_lock(&is->tx_lock);
	if (is->corked == NULL)
		error = begin(is, m, sender);
	if (error == 0) {
		error = append(is->corked, m);
		if (error != 0)
			drop(is);
	}
	if (error == 0 && !is->udp_cork && (m->flags & MSG_MORE) == 0)
		error = flush(is);
	mutex_unlock(&is->tx_lock);
	return error != 0 ? error : (long)len;
}

void
inet_cork_flush(struct inet_sock *is)
{
	mutex_lock(&is->tx_lock);
	if (is->corked != NULL)
		(void)flush(is); /* as on Linux, nobody hears of an error */
	mutex_unlock(&is->tx_lock);
}

void
inet_cork_drop(struct inet_sock *is)
{
	mutex_lock(&is->tx_lock);
	drop(is);
	mutex_unlock(&is->tx_lock);
}
