/* SPDX-License-Identifier: ISC */
/*
 * vsock.c - sockets between this machine and its host, and within it, as
 * programs see them.  vsock(7).
 *
 * Streams only: a host that offers sequenced packets as well loses nothing.
 */
#include "net/vsock.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/random.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/waitq.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time_types.h>

#define PORT_FIRST 1024u /* below: CAP_NET_BIND_SERVICE */
#define CONNECT_NS (2 * NSEC_PER_SEC)
#define BOTH       (VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND)

_Static_assert(sizeof(struct sockaddr_vm) == 16, "struct sockaddr");

static const struct socket_ops vsock_ops;

static struct vsock *
of(struct socket *s)
{
	return container_of(s, struct vsock, s);
}

/* ------------------------------------------------------ life of structs -- */

struct vsock *
vsock_alloc(void)
{
	struct vsock *v = kzalloc(sizeof(*v));

	if (v == NULL)
		return NULL;
	sock_init(&v->s, &vsock_ops, AF_VSOCK, SOCK_STREAM, 0);
	v->refs = 1;
	v->local = (struct vsock_addr){ VMADDR_CID_ANY, VMADDR_PORT_ANY };
	v->peer = v->local;
	v->connect_ns = CONNECT_NS;
	TAILQ_INIT(&v->pending);
	mutex_init(&v->sending);
	mutex_init(&v->receiving);
	waitq_init(&v->read_wq);
	waitq_init(&v->write_wq);
	return v;
}

void
vsock_get(struct vsock *v)
{
	__atomic_add_fetch(&v->refs, 1, __ATOMIC_RELAXED);
}

void
vsock_put(struct vsock *v)
{
	if (__atomic_sub_fetch(&v->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	KASSERT(TAILQ_EMPTY(&v->pending) && !v->bound && v->owes == 0);
	kfree(v->ring);
	kfree(v);
}

static int
vsock_create(int type, int protocol, struct socket **out)
{
	struct vsock *v;

	if (protocol != 0 && protocol != AF_VSOCK)
		return -EPROTONOSUPPORT;
	if (type != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	v = vsock_alloc();
	if (v == NULL)
		return -ENOMEM;
	*out = &v->s;
	return 0;
}

/* A connection that nobody has any more. */
static void
drop_locked(struct vsock *v)
{
	if (v->state == VSOCK_CONNECTED) {
		v->shut = BOTH;
		vsock_owe_locked(v, OWES_SHUTDOWN);
		v->state = VSOCK_CLOSED;
	} else if (v->state == VSOCK_CONNECTING) {
		vsock_owe_locked(v, OWES_RST);
		v->state = VSOCK_IDLE;
	}
	vsock_leave_locked(v);
}

static void
vsock_release(struct socket *s)
{
	struct vsock *v = of(s), *child;
	uint64_t state = spin_lock_irq(&vsock_lock);

	if (v->state == VSOCK_LISTENING)
		v->state = VSOCK_IDLE;
	while ((child = TAILQ_FIRST(&v->pending)) != NULL) {
		TAILQ_REMOVE(&v->pending, child, accept);
		drop_locked(child);
		vsock_put(child);
	}
	drop_locked(v);
	spin_unlock_irq(&vsock_lock, state);
	vsock_run_loop();
	vsock_put(v);
}

/* -------------------------------------------------------------- names -- */

static int
check_address(const struct sock_addr *addr, struct sockaddr_vm *vm)
{
	if (addr->len < sizeof(*vm))
		return -EINVAL;
	memcpy(vm, addr->bytes, sizeof(*vm));
	if (vm->svm_family != AF_VSOCK)
		return -EAFNOSUPPORT;
	if (vm->svm_reserved1 != 0 ||
	    (vm->svm_flags & ~VMADDR_FLAG_TO_HOST) != 0)
		return -EINVAL;
	return 0;
}

/* A port that nobody has, from a number of nobody's choosing on. */
static int
free_port_locked(uint32_t *port)
{
	static uint32_t next;
	uint32_t i;

	if (next < PORT_FIRST)
		random_bytes(&next, sizeof(next));
	for (i = 0; i < 65536; i++) {
		next++;
		if (next < PORT_FIRST || next == VMADDR_PORT_ANY)
			next = PORT_FIRST;
		if (vsock_find_port_locked(next) == NULL) {
			*port = next;
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

static int
bind_locked(struct vsock *v, uint32_t cid, uint32_t port)
{
	int error = 0;

	if (v->bound)
		return -EINVAL;
	if (port == VMADDR_PORT_ANY)
		error = free_port_locked(&port);
	else if (vsock_find_port_locked(port) != NULL)
		error = -EADDRINUSE;
	if (error != 0)
		return error;
	v->local = (struct vsock_addr){ cid, port };
	vsock_enter_locked(v);
	return 0;
}

static int
vsock_bind(struct socket *s, const struct sock_addr *addr,
    const struct vfs_ctx *vfs)
{
	struct vsock *v = of(s);
	struct sockaddr_vm vm;
	uint64_t state;
	int error = check_address(addr, &vm);

	(void)vfs;
	if (error != 0)
		return error;
	if (vm.svm_cid != VMADDR_CID_ANY && vm.svm_cid != VMADDR_CID_LOCAL &&
	    vm.svm_cid != vsock_own_cid())
		return -EADDRNOTAVAIL;
	if (vm.svm_port < PORT_FIRST &&
	    !sock_hooks->capable(CAP_NET_BIND_SERVICE))
		return -EACCES;
	state = spin_lock_irq(&vsock_lock);
	error = bind_locked(v, vm.svm_cid, vm.svm_port);
	spin_unlock_irq(&vsock_lock, state);
	return error;
}

static int
vsock_name(struct socket *s, bool peer, struct sock_addr *addr)
{
	struct vsock *v = of(s);
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK };
	uint64_t state = spin_lock_irq(&vsock_lock);
	struct vsock_addr a = peer ? v->peer : v->local;
	bool connected = v->state == VSOCK_CONNECTED;

	spin_unlock_irq(&vsock_lock, state);
	if (peer && !connected)
		return -ENOTCONN;
	vm.svm_cid = a.cid;
	vm.svm_port = a.port;
	memcpy(addr->bytes, &vm, sizeof(vm));
	addr->len = sizeof(vm);
	return 0;
}

/* --------------------------------------------------- listen and accept -- */

static int
vsock_listen(struct socket *s, int backlog)
{
	struct vsock *v = of(s);
	uint64_t state = spin_lock_irq(&vsock_lock);
	int error = 0;

	if (v->state != VSOCK_IDLE && v->state != VSOCK_LISTENING)
		error = -EINVAL;
	else if (!v->bound)
		error = -EINVAL;
	if (error == 0) {
		v->backlog = backlog < 0 ?
		    VSOCK_BACKLOG :
		    MIN((unsigned)backlog, VSOCK_BACKLOG);
		v->state = VSOCK_LISTENING;
	}
	spin_unlock_irq(&vsock_lock, state);
	return error;
}

static bool
vsock_is_listening(struct socket *s)
{
	return of(s)->state == VSOCK_LISTENING;
}

static struct vsock *
take_pending(struct vsock *v)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	struct vsock *child = TAILQ_FIRST(&v->pending);

	if (child != NULL) {
		TAILQ_REMOVE(&v->pending, child, accept);
		v->npending--;
	}
	spin_unlock_irq(&vsock_lock, state);
	return child;
}

static int
vsock_accept(struct socket *s, bool nonblock, struct socket **out)
{
	struct vsock *v = of(s), *child = NULL;
	int error;

	if (v->state != VSOCK_LISTENING)
		return -EINVAL;
	child = take_pending(v);
	if (child == NULL && nonblock)
		return -EAGAIN;
	if (child == NULL) {
		error = wait_event_until(&v->read_wq,
		    (child = take_pending(v)) != NULL,
		    sock_deadline(s->rcvtimeo_ns));
		if (child == NULL)
			return sock_wait_error(error, s->rcvtimeo_ns);
	}
	*out = &child->s;
	return 0;
}

/* -------------------------------------------------------------- connect -- */

/* From here on packets may come. */
static int
begin_connect_locked(struct vsock *v, const struct sockaddr_vm *vm)
{
	int way = vsock_way_locked(vm->svm_cid), error = 0;

	if (v->state == VSOCK_CONNECTING)
		return -EALREADY;
	if (v->state == VSOCK_CONNECTED)
		return -EISCONN;
	if (v->state != VSOCK_IDLE)
		return -EINVAL;
	if (way < 0)
		return way;
	if (!v->bound)
		error = bind_locked(v, VMADDR_CID_ANY, VMADDR_PORT_ANY);
	if (error != 0)
		return error;
	v->loop = way == 1;
	v->peer = (struct vsock_addr){ vm->svm_cid, vm->svm_port };
	v->head = v->tail = v->tx_cnt = v->peer_fwd = v->peer_alloc = 0;
	v->peer_shut = 0;
	v->error = 0;
	v->state = VSOCK_CONNECTING;
	return 0;
}

static bool
settled(struct vsock *v)
{
	return __atomic_load_n(&v->state, __ATOMIC_ACQUIRE) != VSOCK_CONNECTING;
}

static int
take_error(struct vsock *v)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	int error = v->error;

	v->error = 0;
	spin_unlock_irq(&vsock_lock, state);
	return error;
}

/* Whoever waited no longer: the peer is told, if it was asked. */
static void
give_up_connect(struct vsock *v)
{
	uint64_t state = spin_lock_irq(&vsock_lock);

	if (v->state == VSOCK_CONNECTING) {
		vsock_owe_locked(v, OWES_RST);
		v->state = VSOCK_IDLE;
	}
	spin_unlock_irq(&vsock_lock, state);
	vsock_run_loop();
}

static int
wait_connected(struct vsock *v)
{
	int error = wait_event_until(&v->read_wq, settled(v),
	    clock_mono_ns() + v->connect_ns);

	if (error != 0) {
		give_up_connect(v);
		return error == -ERESTARTSYS ? -EINTR : error;
	}
	return -take_error(v);
}

/* The address that the peer sees. */
static void
name_self_locked(struct vsock *v)
{
	uint32_t own = v->peer.cid == VMADDR_CID_LOCAL || v->loop ?
	    v->peer.cid :
	    VMADDR_CID_ANY;

	if (v->local.cid == VMADDR_CID_ANY)
		v->local.cid = own;
}

static int
vsock_connect(struct socket *s, const struct sock_addr *addr, bool nonblock,
    const struct vfs_ctx *vfs)
{
	struct vsock *v = of(s);
	struct sockaddr_vm vm;
	uint8_t *ring = NULL;
	uint32_t own = vsock_own_cid();
	uint64_t state;
	int error = check_address(addr, &vm);

	(void)vfs;
	if (error == 0 && v->ring == NULL) {
		ring = kmalloc(VSOCK_BUF);
		error = ring == NULL ? -ENOMEM : 0;
	}
	if (error != 0)
		return error;
	state = spin_lock_irq(&vsock_lock);
	if (v->ring == NULL) {
		v->ring = ring;
		ring = NULL;
	}
	error = begin_connect_locked(v, &vm);
	if (error == 0) {
		name_self_locked(v);
		if (v->local.cid == VMADDR_CID_ANY)
			v->local.cid = own;
		vsock_owe_locked(v, OWES_REQUEST);
	}
	spin_unlock_irq(&vsock_lock, state);
	kfree(ring);
	if (error != 0)
		return error;
	vsock_run_loop();
	if (nonblock && !settled(v))
		return -EINPROGRESS;
	return wait_connected(v);
}

/* ----------------------------------------------------------------- send -- */

/* Bytes that can be sent now; -errno: never again. */
static long
sendable_locked(struct vsock *v)
{
	if (v->state != VSOCK_CONNECTED && v->state != VSOCK_CLOSED)
		return -ENOTCONN;
	if (v->state == VSOCK_CLOSED ||
	    (v->shut & VIRTIO_VSOCK_SHUTDOWN_SEND) != 0 ||
	    (v->peer_shut & VIRTIO_VSOCK_SHUTDOWN_RCV) != 0)
		return -EPIPE;
	return vsock_credit_locked(v);
}

static long
sendable(struct vsock *v)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	long n = sendable_locked(v);

	spin_unlock_irq(&vsock_lock, state);
	return n;
}

/* As much of the bytes as goes now; -EAGAIN: none. */
static long
send_some(struct vsock *v, const uint8_t *bytes, size_t n)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	long can = sendable_locked(v);
	int error = 0;

	if (can > 0) {
		n = MIN(n, (size_t)can);
		error = vsock_send_locked(v, bytes, n);
	}
	spin_unlock_irq(&vsock_lock, state);
	vsock_run_loop();
	if (can < 0)
		return can;
	if (can == 0)
		return -EAGAIN;
	return error != 0 ? error : (long)n;
}

/* All n bytes, waiting; how many, or -errno for none. */
static long
send_all(struct vsock *v, const uint8_t *bytes, size_t n, bool nonblock,
    int64_t deadline_ns)
{
	size_t done = 0;
	long k = 0;
	int error;

	while (done < n) {
		error = 0;
		/* Woken by credit, room in the queue, and the end. */
		if (nonblock)
			k = send_some(v, bytes + done, n - done);
		else
			error = wait_event_until(&v->write_wq,
			    (k = send_some(v, bytes + done, n - done)) !=
				-EAGAIN,
			    deadline_ns);
		if (error != 0)
			k = sock_wait_error(error, v->s.sndtimeo_ns);
		if (k < 0)
			return done > 0 ? (long)done : k;
		done += k;
	}
	return done;
}

static long
send_turn(struct vsock *v, struct sock_msg *m, uint8_t *bytes, bool nonblock)
{
	int64_t deadline = sock_deadline(v->s.sndtimeo_ns);
	size_t done = 0, n;
	long k;

	while (m->u->resid > 0) {
		k = sendable(v);
		if (k < 0)
			return done > 0 ? (long)done : k;
		n = uio_get(m->u, bytes, MIN(m->u->resid, VSOCK_DATA_MAX));
		if (n == 0)
			return done > 0 ? (long)done : -EFAULT;
		k = send_all(v, bytes, n, nonblock, deadline);
		if (k < 0)
			return done > 0 ? (long)done : k;
		done += k;
		if ((size_t)k < n)
			break;
	}
	return done;
}

static long
vsock_send(struct socket *s, struct sock_msg *m)
{
	struct vsock *v = of(s);
	uint8_t *bytes;
	long n;

	if ((m->flags & MSG_OOB) != 0)
		return -EOPNOTSUPP;
	if (m->name != NULL && m->name->len != 0)
		return v->state == VSOCK_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	n = sendable(v);
	if (n < 0)
		return n;
	bytes = kmalloc(VSOCK_DATA_MAX);
	if (bytes == NULL)
		return -ENOMEM;
	mutex_lock(&v->sending);
	n = send_turn(v, m, bytes, (m->flags & MSG_DONTWAIT) != 0);
	mutex_unlock(&v->sending);
	kfree(bytes);
	return n;
}

/* -------------------------------------------------------------- receive -- */

/* Bytes that are there; -1: none, and there never will be. */
static long
readable(struct vsock *v)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	long n = v->head - v->tail;

	if (n == 0 &&
	    (v->state != VSOCK_CONNECTED ||
		(v->shut & VIRTIO_VSOCK_SHUTDOWN_RCV) != 0 ||
		(v->peer_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) != 0))
		n = -1;
	spin_unlock_irq(&vsock_lock, state);
	return n;
}

/* The reader's turn is held: nobody else moves the tail. */
static void
consume(struct vsock *v, uint32_t n)
{
	uint64_t state = spin_lock_irq(&vsock_lock);

	v->tail += n;
	if (v->state == VSOCK_CONNECTED &&
	    v->tail - v->fwd_told >= VSOCK_CREDIT)
		vsock_owe_locked(v, OWES_CREDIT);
	spin_unlock_irq(&vsock_lock, state);
	vsock_run_loop();
}

/* Copies what is there, once, or twice where the ring wraps. */
static long
copy(struct vsock *v, struct uio *u, uint32_t from, uint32_t n)
{
	uint32_t at, run;
	size_t done = 0, k;

	n = MIN(n, u->resid);
	while (done < n) {
		at = (from + done) % VSOCK_BUF;
		run = MIN(n - done, VSOCK_BUF - at);
		k = uio_put(u, v->ring + at, run);
		done += k;
		if (k < run)
			return done > 0 ? (long)done : -EFAULT;
	}
	return done;
}

static long
await_data(struct vsock *v, bool nonblock, int64_t deadline_ns)
{
	long n = readable(v);
	int error;

	if (n != 0)
		return n;
	if (nonblock)
		return -EAGAIN;
	error = wait_event_until(&v->read_wq, (n = readable(v)) != 0,
	    deadline_ns);
	return n != 0 ? n : sock_wait_error(error, v->s.rcvtimeo_ns);
}

static long
receive_turn(struct vsock *v, struct sock_msg *m)
{
	int64_t deadline = sock_deadline(v->s.rcvtimeo_ns);
	bool peek = (m->flags & MSG_PEEK) != 0;
	size_t done = 0;
	long n;

	do {
		n = await_data(v, (m->flags & MSG_DONTWAIT) != 0, deadline);
		if (n == -1 && v->error != 0 && done == 0)
			return -take_error(v);
		if (n == -1)
			break;
		if (n < 0)
			return done > 0 ? (long)done : n;
		n = copy(v, m->u, v->tail, n);
		if (n < 0)
			return done > 0 ? (long)done : n;
		done += n;
		if (!peek)
			consume(v, n);
	} while (!peek && (m->flags & MSG_WAITALL) != 0 && m->u->resid > 0);
	return done;
}

static long
vsock_receive(struct socket *s, struct sock_msg *m)
{
	struct vsock *v = of(s);
	long n;

	if ((m->flags & (MSG_OOB | MSG_ERRQUEUE)) != 0)
		return -EOPNOTSUPP;
	if (v->state == VSOCK_IDLE || v->state == VSOCK_LISTENING ||
	    v->state == VSOCK_CONNECTING)
		return v->error != 0 ? -take_error(v) : -ENOTCONN;
	if (m->name != NULL)
		m->name->len = 0;
	if (m->u->resid == 0)
		return 0;
	mutex_lock(&v->receiving);
	n = receive_turn(v, m);
	mutex_unlock(&v->receiving);
	return n;
}

/* ----------------------------------------------------- shutdown, poll -- */

static int
vsock_shutdown(struct socket *s, int how)
{
	static const unsigned halves[] = { VIRTIO_VSOCK_SHUTDOWN_RCV,
		VIRTIO_VSOCK_SHUTDOWN_SEND, BOTH };
	struct vsock *v = of(s);
	uint64_t state = spin_lock_irq(&vsock_lock);
	int error = 0;

	if (v->state == VSOCK_CONNECTED) {
		v->shut |= halves[how];
		vsock_owe_locked(v, OWES_SHUTDOWN);
	} else if (v->state != VSOCK_CLOSED) {
		error = -ENOTCONN;
	}
	waitq_wake_all(&v->read_wq);
	waitq_wake_all(&v->write_wq);
	spin_unlock_irq(&vsock_lock, state);
	vsock_run_loop();
	return error;
}

static unsigned
poll_locked(struct vsock *v)
{
	bool can_read = v->head != v->tail, ended;
	unsigned events = v->error != 0 ? POLLERR : 0;

	if (v->state == VSOCK_LISTENING)
		return TAILQ_EMPTY(&v->pending) ? events :
						  events | POLLIN | POLLRDNORM;
	if (v->state == VSOCK_CONNECTING)
		return events;
	if (v->state == VSOCK_IDLE)
		return events | POLLOUT | POLLWRNORM | POLLHUP;
	ended = v->state == VSOCK_CLOSED ||
	    (v->peer_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) != 0 ||
	    (v->shut & VIRTIO_VSOCK_SHUTDOWN_RCV) != 0;
	if (can_read || ended)
		events |= POLLIN | POLLRDNORM;
	if (ended)
		events |= POLLRDHUP;
	if (v->state == VSOCK_CLOSED || v->shut == BOTH)
		events |= POLLHUP;
	if (sendable_locked(v) != 0) /* an error shows at once, too */
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static unsigned
vsock_poll(struct socket *s, struct poll_table *table)
{
	struct vsock *v = of(s);
	unsigned events;
	uint64_t state;

	poll_wait(table, &v->read_wq);
	poll_wait(table, &v->write_wq);
	state = spin_lock_irq(&vsock_lock);
	events = poll_locked(v);
	spin_unlock_irq(&vsock_lock, state);
	return events;
}

/* -------------------------------------------------------------- options -- */

static int
vsock_set_option(struct socket *s, int level, int name, const void *value,
    unsigned len)
{
	struct __kernel_old_timeval tv;
	uint64_t size;

	if (level != AF_VSOCK)
		return -ENOPROTOOPT;
	switch (name) {
	case SO_VM_SOCKETS_BUFFER_SIZE:
	case SO_VM_SOCKETS_BUFFER_MIN_SIZE:
	case SO_VM_SOCKETS_BUFFER_MAX_SIZE:
		/* Heard; there is one size. */
		return len < sizeof(size) ? -EINVAL : 0;
	case SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD:
	case SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW:
		if (len < sizeof(tv))
			return -EINVAL;
		memcpy(&tv, value, sizeof(tv));
		if (tv.tv_sec < 0 || tv.tv_sec > 1000000 || tv.tv_usec < 0 ||
		    tv.tv_usec >= 1000000)
			return -ERANGE;
		of(s)->connect_ns = tv.tv_sec * NSEC_PER_SEC +
		    tv.tv_usec * 1000;
		if (of(s)->connect_ns == 0)
			of(s)->connect_ns = CONNECT_NS;
		return 0;
	default: return -ENOPROTOOPT;
	}
}

static int
vsock_get_option(struct socket *s, int level, int name, void *value,
    unsigned *len)
{
	struct __kernel_old_timeval tv;
	uint64_t size = VSOCK_BUF;

	if (level != AF_VSOCK)
		return -ENOPROTOOPT;
	switch (name) {
	case SO_VM_SOCKETS_BUFFER_SIZE:
	case SO_VM_SOCKETS_BUFFER_MIN_SIZE:
	case SO_VM_SOCKETS_BUFFER_MAX_SIZE:
		if (*len < sizeof(size))
			return -EINVAL;
		*len = sizeof(size);
		memcpy(value, &size, sizeof(size));
		return 0;
	case SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD:
	case SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW:
		if (*len < sizeof(tv))
			return -EINVAL;
		tv.tv_sec = of(s)->connect_ns / NSEC_PER_SEC;
		tv.tv_usec = of(s)->connect_ns % NSEC_PER_SEC / 1000;
		*len = sizeof(tv);
		memcpy(value, &tv, sizeof(tv));
		return 0;
	default: return -ENOPROTOOPT;
	}
}

static long
vsock_ioctl(struct socket *s, unsigned cmd, uint64_t arg)
{
	uint32_t cid = vsock_own_cid();

	(void)s;
	if (cmd != IOCTL_VM_SOCKETS_GET_LOCAL_CID)
		return -ENOTTY;
	return copyout(arg, &cid, sizeof(cid));
}

static int
vsock_take_error(struct socket *s)
{
	return take_error(of(s));
}

static const struct socket_ops vsock_ops = {
	.release = vsock_release,
	.bind = vsock_bind,
	.listen = vsock_listen,
	.accept = vsock_accept,
	.connect = vsock_connect,
	.name = vsock_name,
	.send = vsock_send,
	.receive = vsock_receive,
	.shutdown = vsock_shutdown,
	.poll = vsock_poll,
	.set_option = vsock_set_option,
	.get_option = vsock_get_option,
	.ioctl = vsock_ioctl,
	.take_error = vsock_take_error,
	.is_listening = vsock_is_listening,
};

const struct sock_family vsock_family = {
	.family = AF_VSOCK,
	.create = vsock_create,
};
