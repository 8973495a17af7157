/* SPDX-License-Identifier: ISC */
/*
 * inet_stream.c - a connection's bytes.
 *
 * Sent: copied once, from the program into pages, to which lwIP's segments
 * point until the peer has acknowledged them; the card reads them there.
 * Received: the card's own buffers hang in a list until the program has read
 * them, copied once.  A writer fills pages, and a reader copies, without the
 * network lock: only readers take from the list, only writers fill.
 */
#include "net/inet.h"

#include "kern/string.h"
#include "kern/thread.h"
#include "net/inet_error.h"
#include "net/stack.h"
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <linux/errno.h>

#define PARTS 16u /* pages that are filled before TCP gets them */

/* ------------------------------------------------------------------- room -- */

static uint32_t
limit(const struct inet_sock *is)
{
	return is->s.sndbuf_set ? MIN(is->s.sndbuf, lwip_tcp_window) :
				  lwip_tcp_window;
}

static uint32_t
room(const struct inet_sock *is)
{
	uint64_t used = is->queued -
	    __atomic_load_n(&is->acked, __ATOMIC_ACQUIRE);

	return used >= limit(is) ? 0 : (uint32_t)(limit(is) - used);
}

bool
inet_tcp_writable(const struct inet_sock *is)
{
	return room(is) >= limit(is) / 3;
}

static bool
may_write(struct inet_sock *is)
{
	return is->error != 0 || is->tx_shut ||
	    (is->state != INET_CONNECTING && inet_tcp_writable(is));
}

void
inet_tcp_acked(struct inet_sock *is, uint32_t n)
{
	bool was = inet_tcp_writable(is);
	struct page *page;

	__atomic_add_fetch(&is->acked, n, __ATOMIC_RELEASE);
	while ((page = TAILQ_FIRST(&is->pages)) != NULL &&
	    page->priv <= is->acked && page != is->filling) {
		TAILQ_REMOVE(&is->pages, page, link);
		page_put(page);
	}
	if (is->acked == is->queued || (!was && inet_tcp_writable(is)))
		waitq_wake_all(&is->wq);
}

void
inet_tcp_drop(struct inet_sock *is)
{
	struct page *page, *next;

	TAILQ_FOREACH_SAFE (page, &is->pages, link, next) {
		if (page == is->filling)
			continue;
		TAILQ_REMOVE(&is->pages, page, link);
		page_put(page);
	}
}

void
inet_tcp_drop_received(struct inet_sock *is)
{
	struct pbuf *p;

	while ((p = is->rx_first) != NULL) {
		is->rx_first = p->next;
		p->next = NULL;
		pbuf_free(p);
	}
	is->rx_bytes = 0;
}

/* ---------------------------------------------------------------- sending -- */

struct part {
	struct page *page;
	uint32_t at, len;
	bool fresh; /* not in is->pages yet */
};

static bool
must_wait_for_more(const struct inet_sock *is, bool more)
{
	return (is->cork || more) &&
	    (uint32_t)(is->tcp->snd_lbb - is->tcp->snd_nxt) < is->tcp->mss;
}

void
inet_tcp_push(struct inet_sock *is)
{
	if (is->tcp != NULL && is->state == INET_CONNECTED)
		(void)tcp_output(is->tcp);
}

/* What stands against sending now: 0, or -errno. */
static int
state_error(struct inet_sock *is)
{
	if (is->error != 0 && is->state != INET_CONNECTED)
		return -inet_take_error(&is->s);
	if (is->tx_shut || is->state == INET_CLOSED ||
	    is->state == INET_LISTENING)
		return -EPIPE;
	return is->error != 0 ? -inet_take_error(&is->s) : 0;
}

/*
 * The last page may have room; it stays in place while it is filled.  There is
 * none when all has been acknowledged, as of requests that come in turn.
 */
static struct page *
begin_filling(struct inet_sock *is)
{
	struct page *page;

	if (__atomic_load_n(&is->acked, __ATOMIC_ACQUIRE) == is->queued)
		return NULL;
	net_lock();
	page = TAILQ_LAST(&is->pages, inet_pages);
	if (page != NULL && is->fill == PAGE_SIZE)
		page = NULL;
	is->filling = page;
	net_unlock();
	return page;
}

/* Copies up to `max` bytes into pages.  Bytes; -ENOMEM, -EFAULT. */
static long
fill_parts(struct inet_sock *is, struct uio *u, uint32_t max, struct part *part,
    unsigned *nparts)
{
	struct page *page = begin_filling(is);
	uint32_t at = is->fill, want;
	long total = 0;
	size_t n;

	for (*nparts = 0; *nparts < PARTS && max > 0 && u->resid > 0;) {
		struct part *p = &part[*nparts];

		p->fresh = page == NULL;
		if (page == NULL) {
			page = page_alloc(0, 0);
			at = 0;
		}
		if (page == NULL)
			return total > 0 ? total : -ENOMEM;
		p->page = page;
		p->at = at;
		want = MIN(max, (uint32_t)PAGE_SIZE - at);
		n = uio_get(u, (uint8_t *)page_kva(page) + at,
		    MIN((size_t)want, u->resid));
		p->len = (uint32_t)n;
		*nparts += 1;
		total += (long)n;
		max -= (uint32_t)n;
		page = NULL;
		if (n == 0)
			return total > 0 ? total : -EFAULT;
		if (n < want)
			break;
	}
	return total;
}

/* How many bytes of a part TCP takes; lock held. */
static uint32_t
give_part(struct inet_sock *is, const struct part *p, bool more)
{
	uint32_t n;

	n = lwip_port_write(is->tcp, (uint8_t *)page_kva(p->page) + p->at,
	    p->len, more);
	if (n == 0)
		return 0;
	if (p->fresh)
		TAILQ_INSERT_TAIL(&is->pages, p->page, link);
	is->queued += n;
	p->page->priv = is->queued;
	is->fill = p->at + n;
	return n;
}

/* Bytes that TCP took; those that it did not are lost. */
static long
give_parts(struct inet_sock *is, struct part *part, unsigned n, bool more,
    bool urgent)
{
	struct page *old;
	uint32_t taken;
	long bytes = 0;
	unsigned i;
	bool ok;

	net_lock();
	ok = is->tcp != NULL && !is->tx_shut && is->state == INET_CONNECTED;
	if (ok && is->queued == 0) /* RFC 6928; lwIP begins with 4 KiB */
		is->tcp->cwnd = MAX(is->tcp->cwnd, 10u * is->tcp->mss);
	for (i = 0; i < n; i++) {
		taken = ok ? give_part(is, &part[i], more || i + 1 < n) : 0;
		bytes += taken;
		ok = taken == part[i].len;
		if (taken == 0 && part[i].fresh)
			page_put(part[i].page);
	}
	old = is->filling;
	is->filling = NULL;
	if (ok && bytes > 0 && urgent)
		inet_urgent_sent(is);
	else if (bytes > 0 && !must_wait_for_more(is, more))
		(void)tcp_output(is->tcp);
	if (is->tcp == NULL && old != NULL)
		inet_tcp_drop(is);
	else
		inet_tcp_acked(is, 0);
	net_unlock();
	return bytes;
}

/* Some bytes, as many as there is room for. */
static long
send_some(struct inet_sock *is, struct sock_msg *m)
{
	bool more = (m->flags & MSG_MORE) != 0;
	struct part part[PARTS];
	unsigned nparts;
	long n, given;

	n = fill_parts(is, m->u, room(is), part, &nparts);
	given = give_parts(is, part, nparts, more || (n > 0 && m->u->resid > 0),
	    (m->flags & MSG_OOB) != 0 && n > 0 && m->u->resid == 0);
	if (given > 0)
		return given;
	return n < 0 ? n : 0;
}

/* What changes meanwhile give_parts() sees. */
static bool
is_well(const struct inet_sock *is)
{
	return __atomic_load_n(&is->state, __ATOMIC_RELAXED) ==
	    INET_CONNECTED &&
	    __atomic_load_n(&is->error, __ATOMIC_RELAXED) == 0 &&
	    !__atomic_load_n(&is->tx_shut, __ATOMIC_RELAXED);
}

static int
wait_to_send(struct inet_sock *is, unsigned flags)
{
	int error = 0;

	if (!is_well(is)) {
		net_lock();
		error = state_error(is);
		net_unlock();
	}
	if (error != 0)
		return error;
	if (is->state == INET_CONNECTED && room(is) > 0 &&
	    (inet_tcp_writable(is) || (flags & MSG_DONTWAIT) != 0))
		return 0;
	error = inet_wait(is, may_write, is->s.sndtimeo_ns,
	    (flags & MSG_DONTWAIT) != 0);
	return error;
}

static long
send_all(struct inet_sock *is, struct sock_msg *m)
{
	long done = 0, n = 0;
	int error = 0;

	while (m->u->resid > 0) {
		error = wait_to_send(is, m->flags);
		if (error != 0)
			break;
		if (is->state != INET_CONNECTED || room(is) == 0)
			continue; /* woken by something else */
		n = send_some(is, m);
		if (n <= 0)
			break;
		done += n;
	}
	if (done > 0)
		return done;
	if (error != 0 || n < 0)
		return error != 0 ? error : n;
	return m->u->resid > 0 ? -ENOBUFS : 0;
}

long
inet_tcp_send(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *is = inet_of(s);
	long n;

	if (m->name != NULL && is->state == INET_CONNECTED)
		m->name = NULL;
	mutex_lock(&is->tx_lock);
	n = send_all(is, m);
	mutex_unlock(&is->tx_lock);
	return n;
}

/* -------------------------------------------------------------- receiving -- */

static bool
may_read(struct inet_sock *is)
{
	return __atomic_load_n(&is->rx_bytes, __ATOMIC_ACQUIRE) > 0 ||
	    is->eof || is->rx_shut || is->error != 0 ||
	    (is->state != INET_CONNECTED && is->state != INET_CONNECTING);
}

/* Copies n bytes from `skip` on, which are there; fewer: a fault. */
static size_t
copy_out(const struct inet_sock *is, struct uio *u, size_t skip, size_t n,
    bool discard)
{
	const struct pbuf *p = is->rx_first;
	size_t done = 0, len, moved;

	for (; skip >= p->len; p = p->next)
		skip -= p->len;
	while (done < n) {
		len = MIN(n - done, (size_t)p->len - skip);
		if (discard) {
			uio_skip(u, len);
			moved = len;
		} else {
			moved = uio_put(u, (const uint8_t *)p->payload + skip,
			    len);
		}
		done += moved;
		if (moved < len)
			break;
		skip = 0;
		if (done < n)
			p = p->next;
	}
	return done;
}

/* n bytes have been read: their memory goes back, the window opens. */
static void
consume(struct inet_sock *is, size_t n)
{
	struct pbuf *p;
	size_t len, left = n;

	net_lock();
	while (left > 0) {
		p = is->rx_first;
		len = MIN(left, (size_t)p->len);
		left -= len;
		if (len < p->len) {
			p->payload = (uint8_t *)p->payload + len;
			p->len -= (u16_t)len;
			break;
		}
		is->rx_first = p->next;
		p->next = NULL;
		pbuf_free(p);
	}
	is->taken += n;
	inet_urgent_passed(is);
	__atomic_sub_fetch(&is->rx_bytes, (uint32_t)n, __ATOMIC_RELEASE);
	left = is->tcp != NULL ? inet_window_read(is, (uint32_t)n) : 0;
	for (; left > 0 && is->tcp != NULL; left -= len) {
		len = MIN(left, (size_t)UINT16_MAX);
		tcp_recved(is->tcp, (u16_t)len);
	}
	net_unlock();
}

/*
 * How many of n bytes may be read at once: no urgent byte is among them, nor
 * before them any more.
 */
static size_t
up_to_mark(struct inet_sock *is, bool peek, size_t *peeked, size_t n)
{
	size_t most = 0;

	while (n > 0 && most == 0) {
		net_lock();
		most = inet_urgent_limit(is, *peeked, n);
		net_unlock();
		if (most > 0)
			break;
		if (peek)
			*peeked += 1;
		else
			consume(is, 1);
		n--;
	}
	return most;
}

static bool
has_mark(const struct inet_sock *is)
{
	return __atomic_load_n(&is->urgent.state, __ATOMIC_ACQUIRE) !=
	    INET_URGENT_NONE;
}

/* What is there, up to the uio's room; `peeked`: bytes seen before. */
static long
take_some(struct inet_sock *is, struct sock_msg *m, size_t *peeked)
{
	size_t there = __atomic_load_n(&is->rx_bytes, __ATOMIC_ACQUIRE);
	size_t n, got;

	if (there <= *peeked)
		return 0;
	n = there - *peeked;
	if (has_mark(is))
		n = up_to_mark(is, (m->flags & MSG_PEEK) != 0, peeked, n);
	if (n == 0)
		return 0;
	n = MIN(n, m->u->resid);
	got = copy_out(is, m->u, *peeked, n, (m->flags & MSG_TRUNC) != 0);
	if ((m->flags & MSG_PEEK) != 0)
		*peeked += got;
	else if (got > 0)
		consume(is, got);
	return got == 0 ? -EFAULT : (long)got;
}

/* A reset after the peer's FIN is told to who sends: reading, it is the end. */
static bool
read_fails(const struct inet_sock *is)
{
	return is->error != 0 && !(is->eof && is->error == EPIPE);
}

/* Nothing is there: why, or 0 for the end; -EAGAIN: nothing yet. */
static int
why_nothing(struct inet_sock *is)
{
	int error = -EAGAIN;

	net_lock();
	if (is->rx_bytes > 0)
		error = -EAGAIN;
	else if (read_fails(is))
		error = -inet_take_error(&is->s);
	else if (is->eof || is->rx_shut)
		error = 0;
	else if (is->state == INET_CLOSED || is->state == INET_LISTENING)
		error = -ENOTCONN;
	net_unlock();
	return error;
}

struct reading {
	size_t want, peeked;
	long done;
	bool marked; /* it ends where the urgent byte is */
};

/* One turn at the list, without waiting. */
static long
read_turn(struct inet_sock *is, struct sock_msg *m, struct reading *r)
{
	long n = 0;

	mutex_lock(&is->rx_lock);
	while (m->u->resid > 0 && !r->marked &&
	    (n = take_some(is, m, &r->peeked)) > 0) {
		r->done += n;
		r->marked = inet_urgent_at_mark(is, r->peeked);
	}
	mutex_unlock(&is->rx_lock);
	return n < 0 && r->done == 0 ? n : 0;
}

static bool
has_more(struct inet_sock *is, const struct reading *r)
{
	return is->rx_bytes > r->peeked || is->eof || is->rx_shut ||
	    is->error != 0;
}

static int
wait_to_read(struct inet_sock *is, struct sock_msg *m, const struct reading *r)
{
	int64_t deadline;
	int error;

	if (r->peeked == 0)
		return inet_wait(is, may_read, is->s.rcvtimeo_ns,
		    (m->flags & MSG_DONTWAIT) != 0);
	if ((m->flags & MSG_DONTWAIT) != 0)
		return -EAGAIN;
	deadline = sock_deadline(is->s.rcvtimeo_ns);
	error = wait_event_until(&is->wq, has_more(is, r), deadline);
	return sock_wait_error(error, is->s.rcvtimeo_ns);
}

long
inet_tcp_receive(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *is = inet_of(s);
	struct reading r = { .want = 1 };
	long error;

	if ((m->flags & MSG_OOB) != 0)
		return inet_urgent_receive(is, m);
	if ((m->flags & MSG_ERRQUEUE) != 0)
		return inet_errors_receive(is, m);
	if ((m->flags & MSG_WAITALL) != 0)
		r.want = m->u->resid;
	else if (s->rcvlowat > 1)
		r.want = MIN((size_t)s->rcvlowat, m->u->resid);
	for (;;) {
		error = read_turn(is, m, &r);
		if (error != 0)
			return error;
		if (r.done >= (long)r.want || m->u->resid == 0 || r.marked)
			return r.done;
		error = why_nothing(is);
		if (error != -EAGAIN)
			return r.done > 0 ? r.done : error;
		error = wait_to_read(is, m, &r);
		if (error != 0)
			return r.done > 0 ? r.done : error;
	}
}
