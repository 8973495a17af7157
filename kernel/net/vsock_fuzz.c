/* SPDX-License-Identifier: ISC */
/*
 * vsock_fuzz.c - sockets to a host that says anything, in its rings and in
 * its packets, while sockets listen, connect, send, read and close.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "net/vsock_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *at_byte, *end_byte;
static struct fake_device f;
static bool spoilt[FAKE_QUEUES]; /* the device has lied there */

static uint32_t
take(unsigned width)
{
	uint32_t v = 0;

	while (width-- > 0 && at_byte < end_byte)
		v = v << 8 | *at_byte++;
	return v;
}

static void
fake_await(void)
{
	fake_gone = 1;
}

static void
packet(void)
{
	struct virtio_vsock_hdr h = { .src_cid = take(1) % 4,
		.dst_cid = 42,
		.src_port = take(1) % 4,
		.dst_port = take(1) % 8,
		.type = take(1) % 8 == 0 ? 2 : 1,
		.op = take(1) % 9,
		.flags = take(1) % 4,
		.buf_alloc = take(2),
		.fwd_cnt = take(2) };
	uint32_t len;

	h.len = take(1) % 16 == 0 ? take(4) : take(2) % 4097;
	len = take(1) % 16 == 0 ? take(2) : sizeof(h) + h.len;
	if (f.ring[0].place.size != 0 && !spoilt[0])
		(void)fake_bring(&f, &h, len);
}

static void
device_acts(void)
{
	unsigned q = take(1) % FAKE_QUEUES;
	struct virtio_vsock_hdr h;
	struct fake_chain c;

	if (f.ring[q].place.size == 0)
		return;
	switch (take(1) % 4) {
	case 0:
		spoilt[q] = true;
		fake_answer(&f, q, take(2), take(2), 1);
		break;
	case 1:
		if (q == 2 && !spoilt[2] && fake_next(&f, 2, &c))
			fake_answer(&f, 2, c.id, take(1), c.places);
		break;
	default:
		if (f.ring[1].place.size != 0 && !spoilt[1])
			(void)fake_take(&f, &h);
	}
	virtio_interrupt(&f.vd, true, take(1) % 2 != 0);
}

/* What a socket's owner may do with one that is connected. */
static void
use(struct vsock *v)
{
	uint32_t n = take(2) % 4097;

	switch (take(1) % 4) {
	case 0:
		if (n <= vsock_credit_locked(v))
			(void)vsock_send_locked(v, fake_bytes, n);
		break;
	case 1: v->tail += MIN(n, v->head - v->tail); break;
	case 2: vsock_owe_locked(v, OWES_CREDIT); break;
	default: v->shut |= take(1) % 4; vsock_owe_locked(v, OWES_SHUTDOWN);
	}
}

static void
socket_acts(void)
{
	unsigned i = take(1) % FAKE_SOCKS;
	struct vsock *v = fake_sock[i], *child;

	switch (take(1) % 6) {
	case 0: (void)fake_listen(take(1) % 8); break;
	case 1:
		(void)fake_connect(take(1) % 3 == 0 ? VMADDR_CID_LOCAL : 2,
		    take(1) % 8, take(1) % 8);
		break;
	case 2:
		if (v != NULL && v->owes == 0) {
			fake_sock[i] = NULL;
			fake_close(v);
		}
		break;
	default:
		child = v == NULL ? NULL : TAILQ_FIRST(&v->pending);
		v = child != NULL && take(1) % 2 != 0 ? child : v;
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

	at_byte = data;
	end_byte = data + size;
	bits = take(1);
	fake_init(&f,
	    VIRTIO_BIT(VIRTIO_F_VERSION_1) | take(4) |
		(uint64_t)(bits & 1) << VIRTIO_F_RING_PACKED,
	    1u << (bits >> 1 & 7));
	f.vd.legacy = (bits & 0x10) != 0;
	f.config[0] = 42;
	memset(spoilt, 0, sizeof(spoilt));
	attached = fake_attach(&f) == 0;
	while (attached && at_byte < end_byte) {
		switch (take(1) % 3) {
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
