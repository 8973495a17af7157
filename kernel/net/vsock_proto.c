/* SPDX-License-Identifier: ISC */
/*
 * vsock_proto.c - AF_VSOCK's packets: whose they are, connections made and
 * ended, credit.  Virtio 1.2, 5.10.6.
 *
 * What cannot be sent for want of room is owed: each socket has a few bits for
 * that, and those who owe stand in a list.  Packets to ourselves wait in a
 * list, too, until no lock is held.
 *
 * The peer lies: it may claim any credit and any count, but gets no more room
 * than there is, and who sends more than he was given is cut off.
 */
#include "net/vsock.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/waitq.h"
#include <linux/errno.h>

#define BUCKETS    32u
#define CREDIT_MAX (1u << 30)
#define RSTS       16u /* owed to those who have no socket here */
#define BOTH       (VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND)

struct spinlock vsock_lock = SPINLOCK_INIT;

struct loop_packet {
	struct virtio_vsock_hdr h;
	STAILQ_ENTRY(loop_packet) link;
	uint8_t data[];
};

static struct {
	struct vsock_carrier *carrier; /* NULL: none */
	uint32_t cid;
	struct vsocks bucket[BUCKETS]; /* by local port */
	struct vsocks debtors;
	struct virtio_vsock_hdr rst[RSTS];
	unsigned nrst;
	STAILQ_HEAD(, loop_packet) loop;
	bool loop_runs;
	bool warned;
} vs = { .cid = VMADDR_CID_ANY, .loop = STAILQ_HEAD_INITIALIZER(vs.loop) };

/* ---------------------------------------------------------- the table -- */

static struct vsocks *
bucket_of(uint32_t port)
{
	return &vs.bucket[port % BUCKETS];
}

void
vsock_enter_locked(struct vsock *v)
{
	vsock_get(v);
	v->bound = true;
	TAILQ_INSERT_TAIL(bucket_of(v->local.port), v, bucket);
}

void
vsock_leave_locked(struct vsock *v)
{
	if (!v->bound)
		return;
	v->bound = false;
	TAILQ_REMOVE(bucket_of(v->local.port), v, bucket);
	vsock_put(v);
}

struct vsock *
vsock_find_port_locked(uint32_t port)
{
	struct vsock *v;

	TAILQ_FOREACH (v, bucket_of(port), bucket) {
		if (v->local.port == port &&
		    (v->state == VSOCK_IDLE || v->state == VSOCK_LISTENING))
			return v;
	}
	return NULL;
}

static bool
same(const struct vsock_addr *a, uint64_t cid, uint32_t port)
{
	return a->cid == cid && a->port == port;
}

/* The socket of a packet: the connection's, else who listens. */
static struct vsock *
find_locked(const struct virtio_vsock_hdr *h, bool loop)
{
	struct vsock *v, *listener = NULL;

	TAILQ_FOREACH (v, bucket_of(h->dst_port), bucket) {
		if (v->local.port != h->dst_port)
			continue;
		if (v->state == VSOCK_LISTENING &&
		    (v->local.cid == VMADDR_CID_ANY ||
			v->local.cid == h->dst_cid))
			listener = v;
		if ((v->state == VSOCK_CONNECTING ||
			v->state == VSOCK_CONNECTED) &&
		    v->loop == loop && same(&v->peer, h->src_cid, h->src_port))
			return v;
	}
	return listener;
}

/* ------------------------------------------------------------- sending -- */

int
vsock_way_locked(uint32_t cid)
{
	if (cid == VMADDR_CID_LOCAL || (cid == vs.cid && vs.carrier != NULL))
		return 1;
	return vs.carrier != NULL ? 0 : -ENODEV;
}

uint32_t
vsock_own_cid(void)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	uint32_t cid = vs.cid;

	spin_unlock_irq(&vsock_lock, state);
	return cid;
}

static int
loop_locked(const struct virtio_vsock_hdr *h, const void *data)
{
	struct loop_packet *p = kzalloc(sizeof(*p) + h->len);

	if (p == NULL)
		return -ENOMEM;
	p->h = *h;
	if (h->len != 0)
		memcpy(p->data, data, h->len);
	STAILQ_INSERT_TAIL(&vs.loop, p, link);
	return 0;
}

static int
carry_locked(const struct virtio_vsock_hdr *h, const void *data, bool loop)
{
	if (loop)
		return loop_locked(h, data);
	if (vs.carrier == NULL)
		return -ENODEV;
	return vs.carrier->ops->send(vs.carrier->arg, h, data);
}

static int
send_op_locked(struct vsock *v, unsigned op, uint32_t flags, const void *data,
    uint32_t n)
{
	struct virtio_vsock_hdr h = { .src_cid = v->local.cid,
		.dst_cid = v->peer.cid,
		.src_port = v->local.port,
		.dst_port = v->peer.port,
		.len = n,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.flags = flags,
		.buf_alloc = VSOCK_BUF,
		.fwd_cnt = v->tail };
	int error = carry_locked(&h, data, v->loop);

	if (error == 0)
		v->fwd_told = v->tail;
	return error;
}

/* One owed packet; false: it has to wait. */
static bool
pay_one_locked(struct vsock *v, unsigned what, unsigned op, uint32_t flags)
{
	if ((v->owes & what) == 0)
		return true;
	if (send_op_locked(v, op, flags, NULL, 0) == -EAGAIN)
		return false;
	v->owes &= ~what;
	return true;
}

/* In this order, as far as there is room; false: some is left. */
static bool
pay_locked(struct vsock *v)
{
	return pay_one_locked(v, OWES_REQUEST, VIRTIO_VSOCK_OP_REQUEST, 0) &&
	    pay_one_locked(v, OWES_RESPONSE, VIRTIO_VSOCK_OP_RESPONSE, 0) &&
	    pay_one_locked(v, OWES_CREDIT, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0) &&
	    pay_one_locked(v, OWES_SHUTDOWN, VIRTIO_VSOCK_OP_SHUTDOWN,
		v->shut) &&
	    pay_one_locked(v, OWES_RST, VIRTIO_VSOCK_OP_RST, 0);
}

void
vsock_owe_locked(struct vsock *v, unsigned what)
{
	bool stood = v->owes != 0;

	v->owes |= what;
	if (stood || pay_locked(v))
		return;
	vsock_get(v);
	TAILQ_INSERT_TAIL(&vs.debtors, v, debt);
}

/* To somebody who has no socket here; too many of them hear nothing. */
static void
refuse_locked(const struct virtio_vsock_hdr *h, bool loop)
{
	struct virtio_vsock_hdr rst = { .src_cid = h->dst_cid,
		.dst_cid = h->src_cid,
		.src_port = h->dst_port,
		.dst_port = h->src_port,
		.type = h->type,
		.op = VIRTIO_VSOCK_OP_RST };

	if (h->op == VIRTIO_VSOCK_OP_RST)
		return;
	if (carry_locked(&rst, NULL, loop) == -EAGAIN && !loop &&
	    vs.nrst < RSTS)
		vs.rst[vs.nrst++] = rst;
}

static bool
pay_refusals_locked(void)
{
	while (vs.nrst > 0) {
		if (carry_locked(&vs.rst[vs.nrst - 1], NULL, false) == -EAGAIN)
			return false;
		vs.nrst--;
	}
	return true;
}

/*
 * Nothing more than `alloc` is ever under way, whatever was claimed; who says
 * that he has taken more than was sent gets nothing.
 */
uint32_t
vsock_credit_locked(const struct vsock *v)
{
	uint32_t used = v->tx_cnt - v->peer_fwd;
	uint32_t alloc = MIN(v->peer_alloc, CREDIT_MAX);

	return used < alloc ? alloc - used : 0;
}

int
vsock_send_locked(struct vsock *v, const void *data, uint32_t n)
{
	int error;

	if (v->owes != 0) /* what is owed goes first */
		return -EAGAIN;
	error = send_op_locked(v, VIRTIO_VSOCK_OP_RW, 0, data, n);
	if (error == 0)
		v->tx_cnt += n;
	return error;
}

/* --------------------------------------------------------- connections -- */

static void
wake(struct vsock *v)
{
	waitq_wake_all(&v->read_wq);
	waitq_wake_all(&v->write_wq);
}

void
vsock_end_locked(struct vsock *v, int error)
{
	bool was = v->state == VSOCK_CONNECTED;

	if (error != 0)
		v->error = error;
	v->state = was ? VSOCK_CLOSED : VSOCK_IDLE;
	v->peer_shut = BOTH;
	if (was)
		vsock_leave_locked(v);
	wake(v);
}

/* A connection that somebody asks for; refused if there is no room. */
static void
requested_locked(struct vsock *l, const struct virtio_vsock_hdr *h, bool loop)
{
	struct vsock *v = NULL;

	if (h->op == VIRTIO_VSOCK_OP_REQUEST && l->npending < l->backlog)
		v = vsock_alloc();
	if (v != NULL)
		v->ring = kmalloc(VSOCK_BUF);
	if (v == NULL || v->ring == NULL) {
		if (v != NULL)
			vsock_put(v);
		refuse_locked(h, loop);
		return;
	}
	v->loop = loop;
	v->local = (struct vsock_addr){ h->dst_cid, h->dst_port };
	v->peer = (struct vsock_addr){ h->src_cid, h->src_port };
	v->peer_alloc = h->buf_alloc;
	v->peer_fwd = h->fwd_cnt;
	v->state = VSOCK_CONNECTED;
	vsock_enter_locked(v);
	TAILQ_INSERT_TAIL(&l->pending, v, accept); /* has alloc's reference */
	l->npending++;
	vsock_owe_locked(v, OWES_RESPONSE);
	wake(l);
}

static void
connecting_locked(struct vsock *v, const struct virtio_vsock_hdr *h)
{
	if (h->op == VIRTIO_VSOCK_OP_RESPONSE) {
		v->state = VSOCK_CONNECTED;
		wake(v);
		return;
	}
	if (h->op == VIRTIO_VSOCK_OP_RST) {
		vsock_end_locked(v, ECONNRESET);
		return;
	}
	refuse_locked(h, v->loop);
	vsock_end_locked(v, EPROTO);
}

static void
store_locked(struct vsock *v, const uint8_t *data, uint32_t n)
{
	uint32_t at = v->head % VSOCK_BUF, first = MIN(n, VSOCK_BUF - at);

	memcpy(v->ring + at, data, first);
	memcpy(v->ring, data + first, n - first);
	v->head += n;
	waitq_wake_all(&v->read_wq);
}

static void
data_locked(struct vsock *v, const struct virtio_vsock_hdr *h, const void *data)
{
	if (h->len > VSOCK_BUF - (v->head - v->tail)) {
		if (!vs.warned)
			log_warn("vsock: %u:%u sends more than it has credit "
				 "for, cut off",
			    v->peer.cid, v->peer.port);
		vs.warned = true;
		vsock_owe_locked(v, OWES_RST);
		vsock_end_locked(v, ECONNRESET);
		return;
	}
	if ((v->shut & VIRTIO_VSOCK_SHUTDOWN_RCV) != 0) {
		v->tail += h->len; /* nobody reads it */
		v->head += h->len;
		vsock_owe_locked(v, OWES_CREDIT);
		return;
	}
	store_locked(v, data, h->len);
}

static void
connected_locked(struct vsock *v, const struct virtio_vsock_hdr *h,
    const void *data)
{
	switch (h->op) {
	case VIRTIO_VSOCK_OP_RW: data_locked(v, h, data); break;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE: break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		vsock_owe_locked(v, OWES_CREDIT);
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		v->peer_shut |= h->flags & BOTH;
		if (v->peer_shut == BOTH) {
			vsock_owe_locked(v, OWES_RST);
			vsock_end_locked(v, 0);
		}
		break;
	case VIRTIO_VSOCK_OP_RST: vsock_end_locked(v, 0); break;
	default:
		vsock_owe_locked(v, OWES_RST);
		vsock_end_locked(v, EPROTO);
		break;
	}
	wake(v);
}

static void
deliver_locked(const struct virtio_vsock_hdr *h, const void *data, bool loop)
{
	struct vsock *v = NULL;

	if (h->type == VIRTIO_VSOCK_TYPE_STREAM)
		v = find_locked(h, loop);
	if (v == NULL) {
		refuse_locked(h, loop);
		return;
	}
	vsock_get(v);
	if (v->state != VSOCK_LISTENING) {
		v->peer_alloc = h->buf_alloc;
		v->peer_fwd = h->fwd_cnt;
	}
	switch (v->state) {
	case VSOCK_LISTENING: requested_locked(v, h, loop); break;
	case VSOCK_CONNECTING: connecting_locked(v, h); break;
	default: connected_locked(v, h, data); break;
	}
	vsock_put(v);
}

/* ------------------------------------------------- packets to ourselves -- */

static struct loop_packet *
next_loop(void)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	struct loop_packet *p = STAILQ_FIRST(&vs.loop);

	if (p != NULL)
		STAILQ_REMOVE_HEAD(&vs.loop, link);
	else
		vs.loop_runs = false;
	spin_unlock_irq(&vsock_lock, state);
	return p;
}

static bool
begin_loop(void)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	bool mine = !vs.loop_runs && !STAILQ_EMPTY(&vs.loop);

	if (mine)
		vs.loop_runs = true;
	spin_unlock_irq(&vsock_lock, state);
	return mine;
}

void
vsock_run_loop(void)
{
	struct loop_packet *p;
	uint64_t state;

	if (!begin_loop())
		return;
	while ((p = next_loop()) != NULL) {
		state = spin_lock_irq(&vsock_lock);
		deliver_locked(&p->h, p->data, true);
		spin_unlock_irq(&vsock_lock, state);
		kfree(p);
	}
}

/* ---------------------------------------------------------- the carrier -- */

static void
carrier_input(const struct virtio_vsock_hdr *h, const void *data)
{
	uint64_t state = spin_lock_irq(&vsock_lock);

	/* Our own numbers cannot come from outside. */
	if (h->dst_cid == vs.cid && h->src_cid != vs.cid &&
	    h->src_cid != VMADDR_CID_LOCAL && h->src_cid < VMADDR_CID_ANY)
		deliver_locked(h, data, false);
	spin_unlock_irq(&vsock_lock, state);
	vsock_run_loop();
}

static void
carrier_room(void)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	struct vsock *v;
	unsigned i;

	if (pay_refusals_locked()) {
		while (
		    (v = TAILQ_FIRST(&vs.debtors)) != NULL && pay_locked(v)) {
			TAILQ_REMOVE(&vs.debtors, v, debt);
			waitq_wake_all(&v->write_wq);
			vsock_put(v);
		}
	}
	for (i = 0; i < BUCKETS; i++) {
		TAILQ_FOREACH (v, &vs.bucket[i], bucket) {
			if (!v->loop && v->state == VSOCK_CONNECTED)
				waitq_wake_all(&v->write_wq);
		}
	}
	spin_unlock_irq(&vsock_lock, state);
}

/* One connection with the outside that is still there; NULL. */
static struct vsock *
outside_locked(void)
{
	struct vsock *v;
	unsigned i;

	for (i = 0; i < BUCKETS; i++)
		TAILQ_FOREACH (v, &vs.bucket[i], bucket) {
			if (!v->loop &&
			    (v->state == VSOCK_CONNECTED ||
				v->state == VSOCK_CONNECTING))
				return v;
		}
	return NULL;
}

/* Nobody hears any more what is owed. */
static void
forgive_locked(void)
{
	struct vsock *v;

	vs.nrst = 0;
	while ((v = TAILQ_FIRST(&vs.debtors)) != NULL) {
		TAILQ_REMOVE(&vs.debtors, v, debt);
		v->owes = 0;
		vsock_put(v);
	}
}

static void
end_all(struct vsock_carrier *carrier, uint32_t cid)
{
	uint64_t state = spin_lock_irq(&vsock_lock);
	struct vsock *v;

	while ((v = outside_locked()) != NULL)
		vsock_end_locked(v, ECONNRESET);
	forgive_locked();
	vs.carrier = carrier;
	vs.cid = cid;
	spin_unlock_irq(&vsock_lock, state);
}

static void
carrier_arrive(struct vsock_carrier *c, uint32_t cid)
{
	end_all(c, cid);
}

static void
carrier_depart(struct vsock_carrier *c)
{
	(void)c;
	end_all(NULL, VMADDR_CID_ANY);
}

static void
carrier_reset(uint32_t cid)
{
	end_all(vs.carrier, cid);
}

static const struct vsock_consumer consumer = {
	.arrive = carrier_arrive,
	.depart = carrier_depart,
	.input = carrier_input,
	.room = carrier_room,
	.reset = carrier_reset,
};

void
vsock_init(void)
{
	unsigned i;

	for (i = 0; i < BUCKETS; i++)
		TAILQ_INIT(&vs.bucket[i]);
	TAILQ_INIT(&vs.debtors);
	vsock_set_consumer(&consumer);
}
