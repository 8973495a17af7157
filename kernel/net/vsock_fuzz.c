/* SPDX-License-Identifier: ISC */
/*
 * vsock_fuzz.c - sockets to a host that says anything, in its rings and in
 * its packets, while sockets listen, connect, send, read and close.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "net/vsock_fake.h"
#include "tests/host/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct input in;
static struct fake_device f;
static bool spoilt[FAKE_QUEUES]; /* the device has lied there */

static void
fake_await(void)
{
	fake_gone = 1;
}

static void
packet(void)
{
	struct virtio_vsock_hdr h = { .src_cid = take(&in, 1) % 4,
		.dst_cid = 42,
		.src_port = take(&in, 1) % 4,
		.dst_port = take(&in, 1) % 8,
		.type = take(&in, 1) % 8 == 0 ? 2 : 1,
		.op = take(&in, 1) % 9,
		.flags = take(&in, 1) % 4,
		.buf_alloc = take(&in, 2),
		.fwd_cnt = take(&in, 2) };
	uint32_t len;

	h.len = take(&in, 1) % 16 == 0 ? take(&in, 4) : take(&in, 2) % 4097;
	len = take(&in, 1) % 16 == 0 ? take(&in, 2) : sizeof(h) + h.len;
	if (f.ring[0].place.size != 0 && !spoilt[0])
		(void)fake_bring(&f, &h, len);
}

static void
device_acts(void)
{
	unsigned q = take(&in, 1) % FAKE_QUEUES;
	struct virtio_vsock_hdr h;
	struct fake_chain c;

	if (f.ring[q].place.size == 0)
		return;
	switch (take(&in, 1) % 4) {
	case 0:
		spoilt[q] = true;
		fake_answer(&f, q, take(&in, 2), take(&in, 2), 1);
		break;
	case 1:
		if (q == 2 && !spoilt[2] && fake_next(&f, 2, &c))
			fake_answer(&f, 2, c.id, take(&in, 1), c.places);
		break;
	default:
		if (f.ring[1].place.size != 0 && !spoilt[1])
			(void)fake_take(&f, &h);
	}
	virtio_interrupt(&f.vd, true, take(&in, 1) % 2 != 0);
}

/* What a socket's owner may do with one that is connected. */
static void
use(struct vsock *v)
{
	uint32_t n = take(&in, 2) % 4097;

	switch (take(&in, 1) % 4) {
	case 0:
		if (n <= vsock_credit_locked(v))
			(void)vsock_send_locked(v, fake_bytes, n);
		break;
	case 1: v->tail += MIN(n, v->head - v->tail); break;
	case 2: vsock_owe_locked(v, OWES_CREDIT); break;
	default:
		v->shut |= take(&in, 1) % 4;
		vsock_owe_locked(v, OWES_SHUTDOWN);
	}
}

static void
socket_acts(void)
{
	unsigned i = take(&in, 1) % FAKE_SOCKS;
	struct vsock *v = fake_sock[i], *child;

	switch (take(&in, 1) % 6) {
	case 0: (void)fake_listen(take(&in, 1) % 8); break;
	case 1:
		(void)fake_connect(take(&in, 1) % 3 == 0 ? VMADDR_CID_LOCAL : 2,
		    take(&in, 1) % 8, take(&in, 1) % 8);
		break;
	case 2:
		if (v != NULL && v->owes == 0) {
			fake_sock[i] = NULL;
			fake_close(v);
		}
		break;
	default:
		child = v == NULL ? NULL : TAILQ_FIRST(&v->pending);
		v = child != NULL && take(&in, 1) % 2 != 0 ? child : v;
		if (v != NULL && v->state == VSOCK_CONNECTED)
			use(v);
	}
	vsock_run_loop();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t bits;
	bool attached;

	in = (struct input){ data, data + size };
	bits = take(&in, 1);
	fake_init(&f,
	    VIRTIO_BIT(VIRTIO_F_VERSION_1) | take(&in, 4) |
		(uint64_t)(bits & 1) << VIRTIO_F_RING_PACKED,
	    1u << (bits >> 1 & 7));
	f.vd.legacy = (bits & 0x10) != 0;
	f.config[0] = 42;
	memset(spoilt, 0, sizeof(spoilt));
	attached = fake_attach(&f) == 0;
	while (attached && in.at < in.end) {
		switch (take(&in, 1) % 3) {
		case 0: packet(); break;
		case 1: device_acts(); break;
		default: socket_acts();
		}
	}
	f.absent = (bits & 0x40) != 0;
	f.stuck = (bits & 0x80) != 0;
	fake_detach(attached, (bits & 1) != 0 ? DETACH_GONE : DETACH_ASKED);
	return 0;
}
