/* SPDX-License-Identifier: ISC */
/*
 * unix_data.c - what goes over sockets between processes: pieces of streams,
 * messages, and the files and credentials that come with them.  unix(7),
 * send(2), recv(2), cmsg(3).
 */
#include "net/unix.h"

#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include <asm/ioctls.h>
#include <linux/errno.h>
#include <linux/poll.h>
#include <linux/sockios.h>

/* What one piece of a stream holds at most: whole blocks of frames. */
#define PIECE_LARGE (4 * PAGE_SIZE - sizeof(struct unix_buf))
#define PIECE_SMALL (PAGE_SIZE - sizeof(struct unix_buf))
#define QUEUE_MAX   10u /* net.unix.max_dgram_qlen: one more fits */

/* ------------------------------------------------------------- messages -- */

/* A message of u's with room for len bytes; takes no files yet.  NULL: -ENOMEM */
static struct unix_buf *
buf_alloc(struct unix_sock *u, const struct sock_cred *cred, size_t len)
{
	struct unix_buf *b = kmalloc(sizeof(*b) + len);

	if (b == NULL)
		return NULL;
	b->sender = u;
	unix_get(u);
	b->cred = *cred;
	b->files = NULL;
	b->nfiles = 0;
	b->len = (uint32_t)len;
	b->off = 0;
	b->charge = (uint32_t)(sizeof(*b) + len);
	spin_lock(&unix_lock);
	b->from = u->addr;
	if (b->from != NULL)
		b->from->refs++;
	u->charged += b->charge;
	spin_unlock(&unix_lock);
	return b;
}

/* Without the lock; its files are the caller's affair. */
static void
buf_free(struct unix_buf *b)
{
	struct unix_sock *sender = b->sender;

	spin_lock(&unix_lock);
	sender->charged -= b->charge;
	if (b->from != NULL && --b->from->refs == 0)
		kfree(b->from);
	spin_unlock(&unix_lock);
	waitq_wake_all(&sender->write_wq);
	unix_put(sender);
	kfree(b);
}

void
unix_free_bufs(struct unix_bufs *list)
{
	struct unix_buf *b;

	while ((b = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, b, link);
		if (b->files != NULL)
			unix_files_drop(b->files, b->nfiles);
		buf_free(b);
	}
}

void
unix_take_queue_locked(struct unix_sock *u, struct unix_bufs *list)
{
	TAILQ_CONCAT(list, &u->queue, link);
	u->nqueued = 0;
	u->queued_bytes = 0;
}

/* Gives b the message's files, if any. */
static int
attach_files(struct unix_buf *b, struct sock_msg *m)
{
	int error;

	if (m->nfiles == 0)
		return 0;
	error = unix_files_sent(m->files, m->nfiles);
	if (error != 0)
		return error;
	b->files = m->files;
	b->nfiles = m->nfiles;
	return 0;
}

/* The message did not go: its files are the sender's again. */
static void
buf_abandon(struct unix_buf *b)
{
	if (b->files != NULL)
		unix_files_received(b->files, b->nfiles);
	buf_free(b);
}

/* b went: the sender's array is its own now. */
static void
files_went(struct sock_msg *m, const struct unix_buf *b)
{
	if (b->files == NULL)
		return;
	m->files = NULL;
	m->nfiles = 0;
}

static void
enqueue_locked(struct unix_sock *to, struct unix_buf *b)
{
	TAILQ_INSERT_TAIL(&to->queue, b, link);
	to->nqueued++;
	to->queued_bytes += b->len;
}

/* ------------------------------------------------------------- sending -- */

static bool
has_room(const struct unix_sock *u)
{
	return u->charged < u->s.sndbuf;
}

/* Waits until u may send more, or will never; -EAGAIN, -ERESTARTSYS */
static int
wait_room(struct unix_sock *u, const struct sock_msg *m, int64_t deadline)
{
	int error;

	if (has_room(u))
		return 0;
	if ((m->flags & MSG_DONTWAIT) != 0)
		return -EAGAIN;
	error = wait_event_until(&u->write_wq,
	    has_room(u) || (u->shutdown & UNIX_SHUT_WR) != 0, deadline);
	return sock_wait_error(error, u->s.sndtimeo_ns);
}

/* Whom a connected socket sends to, referenced. */
static int
connected_peer(struct unix_sock *u, struct unix_sock **out)
{
	int error = 0;

	spin_lock(&unix_lock);
	*out = u->peer;
	if (u->peer == NULL)
		error = -ENOTCONN;
	else
		unix_get(u->peer);
	spin_unlock(&unix_lock);
	return error;
}

static struct unix_buf *
piece_alloc(struct unix_sock *u, const struct sock_msg *m)
{
	size_t most = MIN(PIECE_LARGE, (size_t)u->s.sndbuf / 2);
	struct unix_buf *b;

	b = buf_alloc(u, &m->cred, MIN(m->u->resid, most));
	if (b == NULL && m->u->resid > PIECE_SMALL)
		b = buf_alloc(u, &m->cred, PIECE_SMALL);
	return b;
}

/* One piece on its way to `to`; bytes, or -errno. */
static long
send_piece(struct unix_sock *u, struct unix_sock *to, struct sock_msg *m)
{
	struct unix_buf *b = piece_alloc(u, m);
	size_t n;
	int error;

	if (b == NULL)
		return -ENOMEM;
	n = uio_get(m->u, b->data, b->len);
	b->len = (uint32_t)n; /* the charge stays */
	error = n == 0 ? -EFAULT : attach_files(b, m);
	if (error == 0) {
		spin_lock(&unix_lock);
		if ((u->shutdown & UNIX_SHUT_WR) != 0 || to->dead ||
		    (to->shutdown & UNIX_SHUT_RD) != 0)
			error = -EPIPE;
		else
			enqueue_locked(to, b);
		spin_unlock(&unix_lock);
	}
	if (error != 0) {
		buf_abandon(b);
		return error;
	}
	files_went(m, b);
	waitq_wake_all(&to->read_wq);
	return (long)n;
}

static long
send_stream(struct unix_sock *u, struct sock_msg *m)
{
	int64_t deadline = sock_deadline(u->s.sndtimeo_ns);
	struct unix_sock *to;
	long done = 0, n = 0;

	if (m->name != NULL)
		return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	n = connected_peer(u, &to);
	if (n != 0)
		return n;
	if ((u->shutdown & UNIX_SHUT_WR) != 0)
		n = -EPIPE;
	while (n >= 0 && m->u->resid > 0) {
		n = wait_room(u, m, deadline);
		if (n == 0)
			n = send_piece(u, to, m);
		if (n > 0)
			done += n;
	}
	unix_put(to);
	return done > 0 ? done : n;
}

/* May a message of u's go to `to` now?  1: when there is room. */
static int
may_send_locked(const struct unix_sock *u, const struct unix_sock *to)
{
	bool packets = u->s.type == SOCK_SEQPACKET;

	if ((u->shutdown & UNIX_SHUT_WR) != 0)
		return -EPIPE;
	if (to->dead)
		return packets ? -EPIPE : -ECONNREFUSED;
	if (!packets && to->peer != NULL && to->peer != u)
		return -EPERM;
	if ((to->shutdown & UNIX_SHUT_RD) != 0)
		return -EPIPE;
	return to->peer != u && to->nqueued > QUEUE_MAX ? 1 : 0;
}

/* b to `to`, when there is room. */
static int
deliver(struct unix_sock *u, struct unix_sock *to, struct unix_buf *b,
    const struct sock_msg *m)
{
	int64_t deadline = sock_deadline(u->s.sndtimeo_ns);
	int error;

	for (;;) {
		spin_lock(&unix_lock);
		error = may_send_locked(u, to);
		if (error == 0)
			enqueue_locked(to, b);
		spin_unlock(&unix_lock);
		if (error <= 0)
			return error;
		if ((m->flags & MSG_DONTWAIT) != 0)
			return -EAGAIN;
		error = wait_event_until(&to->write_wq,
		    may_send_locked(u, to) != 1, deadline);
		if (error != 0)
			return sock_wait_error(error, u->s.sndtimeo_ns);
	}
}

/* The addressee of a message, referenced. */
static int
addressee(struct unix_sock *u, struct sock_msg *m, struct unix_sock **to)
{
	if (u->s.type == SOCK_SEQPACKET)
		return u->state == UNIX_CONNECTED ? connected_peer(u, to) :
						    -ENOTCONN;
	if (m->name == NULL)
		return connected_peer(u, to);
	return unix_find(m->name, SOCK_DGRAM, m->vfs, to);
}

static long
send_message_to(struct unix_sock *u, struct unix_sock *to, struct sock_msg *m)
{
	struct unix_buf *b;
	long n = (long)m->u->resid;
	int error;

	error = wait_room(u, m, sock_deadline(u->s.sndtimeo_ns));
	if (error != 0)
		return error;
	b = buf_alloc(u, &m->cred, m->u->resid);
	if (b == NULL)
		return -ENOBUFS;
	error = uio_get(m->u, b->data, b->len) == b->len ? 0 : -EFAULT;
	if (error == 0)
		error = attach_files(b, m);
	if (error == 0)
		error = deliver(u, to, b, m);
	if (error != 0) {
		buf_abandon(b);
		return error;
	}
	files_went(m, b);
	waitq_wake_all(&to->read_wq);
	return n;
}

static long
send_message(struct unix_sock *u, struct sock_msg *m)
{
	struct unix_sock *to;
	long n;

	if (m->u->resid > u->s.sndbuf - 32)
		return -EMSGSIZE;
	n = addressee(u, m, &to);
	if (n == 0 && u->s.passcred && u->addr == NULL) {
		n = unix_autobind(u);
		if (n != 0)
			unix_put(to);
	}
	if (n != 0)
		return n;
	n = send_message_to(u, to, m);
	if (n == -ECONNREFUSED && m->name == NULL)
		unix_set_peer(u, NULL);
	unix_put(to);
	return n;
}

long
unix_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);

	if ((m->flags & MSG_OOB) != 0)
		return -EOPNOTSUPP;
	return unix_is_stream(u) ? send_stream(u, m) : send_message(u, m);
}

/* ----------------------------------------------------------- receiving -- */

/* What there is to say when nothing is in the queue; 1: wait. */
static long
queue_end(struct unix_sock *u)
{
	bool reset;

	spin_lock(&unix_lock);
	reset = u->reset;
	u->reset = false;
	spin_unlock(&unix_lock);
	if (reset)
		return -ECONNRESET;
	return (u->shutdown & UNIX_SHUT_RD) != 0 ? 0 : 1;
}

static bool
is_receivable(const struct unix_sock *u)
{
	return !TAILQ_EMPTY(&u->queue) || u->reset ||
	    (u->shutdown & UNIX_SHUT_RD) != 0;
}

/*
 * The oldest message, `receiving` held (not while it waits).  NULL with
 * *answer: 0 the end, or -errno.
 */
static struct unix_buf *
await_first(struct unix_sock *u, const struct sock_msg *m, int64_t deadline,
    long *answer)
{
	struct unix_buf *b;
	int error;

	for (;;) {
		spin_lock(&unix_lock);
		b = TAILQ_FIRST(&u->queue);
		spin_unlock(&unix_lock);
		if (b != NULL)
			return b;
		*answer = queue_end(u);
		if (*answer <= 0)
			return NULL;
		*answer = -EAGAIN;
		if ((m->flags & MSG_DONTWAIT) != 0)
			return NULL;
		mutex_unlock(&u->receiving);
		error = wait_event_until(&u->read_wq, is_receivable(u),
		    deadline);
		mutex_lock(&u->receiving);
		*answer = sock_wait_error(error, u->s.rcvtimeo_ns);
		if (error != 0)
			return NULL;
	}
}

/* The receiver gets b's files: those themselves, or with MSG_PEEK copies. */
static int
take_files(struct unix_buf *b, struct sock_msg *m)
{
	struct file **files = NULL;
	unsigned i;

	if (b->files == NULL)
		return 0;
	if ((m->flags & MSG_PEEK) != 0) {
		files = kcalloc(b->nfiles, sizeof(files[0]));
		if (files == NULL)
			return -ENOMEM;
		for (i = 0; i < b->nfiles; i++) {
			files[i] = b->files[i];
			file_get(files[i]);
		}
		m->files = files;
		m->nfiles = b->nfiles;
		return 0;
	}
	m->files = b->files;
	m->nfiles = b->nfiles;
	spin_lock(&unix_lock);
	b->files = NULL;
	b->nfiles = 0;
	spin_unlock(&unix_lock);
	unix_files_received(m->files, m->nfiles);
	return 0;
}

static void
take_name(const struct unix_buf *b, struct sock_msg *m)
{
	if (m->name == NULL)
		return;
	m->name->len = 0;
	if (b->from != NULL)
		*m->name = b->from->addr;
}

static void
take_cred(struct unix_sock *u, const struct unix_buf *b, struct sock_msg *m)
{
	if (!u->s.passcred || m->has_cred)
		return;
	m->cred = b->cred;
	m->has_cred = true;
}

/* b is used up: out of the queue, and its charge goes. */
static void
consume(struct unix_sock *u, struct unix_buf *b)
{
	struct unix_sock *c;

	spin_lock(&unix_lock);
	TAILQ_REMOVE(&u->queue, b, link);
	u->nqueued--;
	if (u->nqueued == QUEUE_MAX)
		TAILQ_FOREACH (c, &u->clients, client_link)
			waitq_wake_all(&c->write_wq);
	spin_unlock(&unix_lock);
	if (!unix_is_stream(u))
		waitq_wake_all(&u->write_wq); /* who waits in deliver() */
	buf_free(b);
}

static bool
same_cred(const struct sock_cred *a, const struct sock_cred *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/*
 * Bytes of one piece; *stop: no other may follow them in this call.  Moves on
 * in the piece unless it is only looked at.
 */
static long
take_piece(struct unix_sock *u, struct unix_buf *b, struct sock_msg *m,
    bool *stop)
{
	size_t want = MIN(m->u->resid, (size_t)(b->len - b->off)), n;
	int error;

	take_cred(u, b, m);
	n = uio_put(m->u, b->data + b->off, want);
	*stop = n < want || b->files != NULL;
	if (n == 0)
		return -EFAULT;
	error = take_files(b, m);
	if (error != 0)
		return error;
	if ((m->flags & MSG_PEEK) != 0)
		return (long)n;
	spin_lock(&unix_lock);
	b->off += (uint32_t)n;
	u->queued_bytes -= n;
	spin_unlock(&unix_lock);
	if (b->off == b->len)
		consume(u, b);
	return (long)n;
}

static struct unix_buf *
next_peeked(struct unix_buf *b)
{
	spin_lock(&unix_lock);
	b = TAILQ_NEXT(b, link);
	spin_unlock(&unix_lock);
	return b;
}

static long
receive_stream_locked(struct unix_sock *u, struct sock_msg *m)
{
	int64_t deadline = sock_deadline(u->s.rcvtimeo_ns);
	bool peek = (m->flags & MSG_PEEK) != 0, stop = false;
	size_t done = 0, least = 1;
	struct unix_buf *b;
	long n = 0;

	if ((m->flags & MSG_WAITALL) != 0)
		least = m->u->resid;
	else if (u->s.rcvlowat > 1)
		least = MIN((size_t)u->s.rcvlowat, m->u->resid);
	b = await_first(u, m, deadline, &n);
	if (b != NULL)
		take_name(b, m);
	while (b != NULL && m->u->resid > 0 && !stop) {
		if (m->has_cred && !same_cred(&m->cred, &b->cred))
			break;
		if (b->files != NULL && m->files != NULL)
			break;
		n = take_piece(u, b, m, &stop);
		if (n < 0)
			break;
		done += (size_t)n;
		if (peek) {
			b = next_peeked(b);
			continue;
		}
		b = NULL;
		if (m->u->resid > 0 && !stop &&
		    (done < least || !TAILQ_EMPTY(&u->queue)))
			b = await_first(u, m, deadline, &n);
	}
	return done > 0 ? (long)done : n;
}

static long
receive_stream(struct unix_sock *u, struct sock_msg *m)
{
	long n;

	if (u->state != UNIX_CONNECTED)
		return -EINVAL;
	mutex_lock(&u->receiving);
	n = receive_stream_locked(u, m);
	mutex_unlock(&u->receiving);
	return n;
}

static long
take_message(struct unix_sock *u, struct unix_buf *b, struct sock_msg *m)
{
	size_t want = MIN(m->u->resid, (size_t)b->len), n;
	long answer = (long)want;
	int error;

	take_name(b, m);
	take_cred(u, b, m);
	n = uio_put(m->u, b->data, want);
	error = n < want ? -EFAULT : take_files(b, m);
	if (want < b->len)
		m->answer |= MSG_TRUNC;
	if ((m->flags & MSG_TRUNC) != 0)
		answer = b->len;
	if ((m->flags & MSG_PEEK) == 0) {
		spin_lock(&unix_lock);
		u->queued_bytes -= b->len;
		spin_unlock(&unix_lock);
		if (b->files != NULL)
			unix_files_drop(b->files, b->nfiles);
		consume(u, b);
	}
	return error != 0 ? error : answer;
}

static long
receive_message(struct unix_sock *u, struct sock_msg *m)
{
	struct unix_buf *b;
	long n = 0;

	if (u->s.type == SOCK_SEQPACKET && u->state != UNIX_CONNECTED)
		return -ENOTCONN;
	mutex_lock(&u->receiving);
	b = await_first(u, m, sock_deadline(u->s.rcvtimeo_ns), &n);
	if (b != NULL)
		n = take_message(u, b, m);
	mutex_unlock(&u->receiving);
	return n;
}

long
unix_receive(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);

	if ((m->flags & MSG_OOB) != 0)
		return unix_is_stream(u) ? -EINVAL : -EOPNOTSUPP;
	return unix_is_stream(u) ? receive_stream(u, m) : receive_message(u, m);
}

/* --------------------------------------------------------- poll, ioctl -- */

static bool
is_writable_locked(const struct unix_sock *u)
{
	const struct unix_sock *to = u->peer;

	if (u->state == UNIX_LISTENING || u->charged * 4 > u->s.sndbuf)
		return false;
	return u->s.type != SOCK_DGRAM || to == NULL || to->peer == u ||
	    to->nqueued <= QUEUE_MAX;
}

unsigned
unix_poll(struct socket *s, struct poll_table *table)
{
	struct unix_sock *u = unix_of(s);
	unsigned events = 0;

	poll_wait(table, &u->read_wq);
	poll_wait(table, &u->write_wq);
	spin_lock(&unix_lock);
	if (u->reset)
		events |= POLLERR;
	if (u->shutdown == (UNIX_SHUT_RD | UNIX_SHUT_WR))
		events |= POLLHUP;
	if ((u->shutdown & UNIX_SHUT_RD) != 0)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (!TAILQ_EMPTY(&u->queue) || u->npending > 0)
		events |= POLLIN | POLLRDNORM;
	if (s->type != SOCK_DGRAM && u->state == UNIX_CLOSED)
		events |= POLLHUP;
	if (is_writable_locked(u))
		events |= POLLOUT | POLLWRNORM | POLLWRBAND;
	spin_unlock(&unix_lock);
	return events;
}

/* FIONREAD: of a stream all bytes, else those of the first message. */
static int
bytes_to_read(struct unix_sock *u)
{
	struct unix_buf *b;
	int n;

	spin_lock(&unix_lock);
	b = TAILQ_FIRST(&u->queue);
	if (u->s.type == SOCK_DGRAM)
		n = b != NULL ? (int)b->len : 0;
	else
		n = (int)u->queued_bytes;
	spin_unlock(&unix_lock);
	return n;
}

long
unix_ioctl(struct socket *s, unsigned cmd, uint64_t arg)
{
	struct unix_sock *u = unix_of(s);
	int n;

	switch (cmd) {
	case FIONREAD:
		if (u->state == UNIX_LISTENING)
			return -EINVAL;
		n = bytes_to_read(u);
		break;
	case TIOCOUTQ: n = (int)u->charged; break;
	default: return -ENOTTY;
	}
	return copyout(arg, &n, sizeof(n));
}
