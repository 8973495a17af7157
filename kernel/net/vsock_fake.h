/* SPDX-License-Identifier: ISC */
/*
 * vsock_fake.h - sockets to the host on the host: the driver, what stands
 * between, and the protocol above it, with sockets that the program has in its
 * hands.  Included by one file of a program, behind tests/host's locks.
 */
#ifndef NET_VSOCK_FAKE_H
#define NET_VSOCK_FAKE_H

#define FAKE_QUEUES 3
#include "bus/virtio_alone.h"

struct waiter {
	int none;
};
#define kmalloc(size) kzalloc(size)

#include "dev/vsock.c"
#define consumer proto_consumer
#include "dev/virtio/vtvsock.c"
#include "net/vsock_proto.c"
#undef consumer

static struct vtvsock_softc *fake_softc;
static const uint8_t fake_bytes[VSOCK_DATA_MAX];

void *
device_softc(const struct device *dev)
{
	(void)dev;
	return fake_softc;
}

void
device_announce(struct device *dev, const char *fmt, ...)
{
	(void)dev;
	(void)fmt;
}

/* ------------------------------------------------------------- sockets -- */

#define FAKE_SOCKS 16
static struct vsock *fake_sock[FAKE_SOCKS]; /* the program's references */

struct vsock *
vsock_alloc(void)
{
	struct vsock *v = kzalloc(sizeof(*v));

	if (v == NULL)
		return NULL;
	v->refs = 1;
	v->local = (struct vsock_addr){ VMADDR_CID_ANY, VMADDR_PORT_ANY };
	TAILQ_INIT(&v->pending);
	return v;
}

void
vsock_get(struct vsock *v)
{
	v->refs++;
}

void
vsock_put(struct vsock *v)
{
	if (--v->refs > 0)
		return;
	fake_check(!v->bound && v->owes == 0 && TAILQ_EMPTY(&v->pending),
	    "a socket that is freed in use");
	kfree(v->ring);
	kfree(v);
}

static inline struct vsock *
fake_make(uint32_t port)
{
	struct vsock *v = vsock_alloc();
	unsigned i;

	for (i = 0; i < FAKE_SOCKS && fake_sock[i] != NULL; i++)
		;
	if (v == NULL || i == FAKE_SOCKS || vsock_find_port_locked(port)) {
		if (v != NULL)
			vsock_put(v);
		return NULL;
	}
	v->ring = kmalloc(VSOCK_BUF);
	v->local.port = port;
	fake_sock[i] = v;
	vsock_enter_locked(v);
	return v;
}

static inline struct vsock *
fake_listen(uint32_t port)
{
	struct vsock *v = fake_make(port);

	if (v != NULL) {
		v->backlog = 4;
		v->state = VSOCK_LISTENING;
	}
	return v;
}

static inline struct vsock *
fake_connect(uint32_t cid, uint32_t peer_port, uint32_t port)
{
	struct vsock *v = fake_make(port);

	if (v == NULL)
		return NULL;
	v->loop = vsock_way_locked(cid) == 1;
	v->local.cid = v->loop ? cid : vsock_own_cid();
	v->peer = (struct vsock_addr){ cid, peer_port };
	v->state = VSOCK_CONNECTING;
	vsock_owe_locked(v, OWES_REQUEST);
	vsock_run_loop();
	return v;
}

static inline void
fake_close(struct vsock *v)
{
	struct vsock *child;

	while ((child = TAILQ_FIRST(&v->pending)) != NULL) {
		TAILQ_REMOVE(&v->pending, child, accept);
		child->state = VSOCK_CLOSED;
		vsock_leave_locked(child);
		vsock_put(child);
	}
	v->state = VSOCK_CLOSED;
	vsock_leave_locked(v);
	vsock_put(v);
}

/* ---------------------------------------------------------- the device -- */

/* The device brings a packet and says how long it is; false: no buffer. */
static inline bool
fake_bring(struct fake_device *f, const struct virtio_vsock_hdr *h,
    uint32_t len)
{
	struct fake_chain c;

	if (!fake_next(f, 0, &c))
		return false;
	fake_check(c.n == 2 && c.nread == 0, "a buffer's shape");
	memcpy((void *)(uintptr_t)c.seg[0].addr, h, sizeof(*h));
	fake_answer(f, 0, c.id, len, c.places);
	virtio_interrupt(&f->vd, true, false);
	return true;
}

/* Takes the next packet that was sent; false: none. */
static inline bool
fake_take(struct fake_device *f, struct virtio_vsock_hdr *h)
{
	struct fake_chain c;

	if (!fake_next(f, 1, &c))
		return false;
	fake_check(c.nread == c.n && c.seg[0].len == sizeof(*h),
	    "a packet's shape");
	memcpy(h, (void *)(uintptr_t)c.seg[0].addr, sizeof(*h));
	fake_check(h->len == (c.n == 2 ? c.seg[1].len : 0), "a length");
	fake_answer(f, 1, c.id, 0, c.places);
	return true;
}

static inline int
fake_attach(struct fake_device *f)
{
	(void)f;
	vsock_init();
	carrier = NULL;
	fake_softc = kzalloc(sizeof(*fake_softc));
	return fake_softc == NULL ? -ENOMEM : vtvsock_driver.attach(NULL);
}

/* All memory must be back afterwards. */
static inline void
fake_detach(bool attached, enum detach_kind kind)
{
	unsigned i;

	if (attached)
		vtvsock_driver.detach(NULL, kind);
	for (i = 0; i < FAKE_SOCKS; i++) {
		if (fake_sock[i] != NULL) {
			fake_check(fake_sock[i]->loop ||
				(fake_sock[i]->state != VSOCK_CONNECTED &&
				    fake_sock[i]->state != VSOCK_CONNECTING),
			    "a connection to nowhere");
			fake_close(fake_sock[i]);
		}
		fake_sock[i] = NULL;
	}
	vsock_run_loop();
	kfree(fake_softc);
	fake_softc = NULL;
	fake_check(fake_live == 0, "memory that is lost");
}

#endif
