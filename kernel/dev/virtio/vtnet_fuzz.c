/* SPDX-License-Identifier: ISC */
/*
 * vtnet_fuzz.c - the network driver and a device that says anything: every
 * packet that was taken ends once, what is handed up lies inside its buffers,
 * and nothing is lost.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "tests/host/kern/thread.h"
#include "tests/host/kern/waitq.h"
#include "dev/virtio/vtnet_fake.h"
#include "tests/host/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake_device f;
/* The device has lied: what it would read next is not meant for it. */
static bool spoilt;

static void
look(const struct nic_rx *rx)
{
	const struct nic_buf *b;
	uint32_t len = 0;

	for (b = rx->buf; b != NULL; b = b->next) {
		fake_check(b->data >= b->mem &&
			b->data + b->len <= b->mem + NIC_BUF_SIZE,
		    "bytes outside of their buffer");
		len += b->len;
	}
	fake_check(len == rx->len && len >= NIC_HEAD, "a packet's length");
	fake_check(rx->csum != NIC_CSUM_PARTIAL ||
		rx->csum_start + rx->csum_offset + 2u <= len,
	    "a checksum outside of its packet");
	fake_check(rx->gso == NIC_GSO_NONE || rx->gso_size != 0,
	    "segments of no length");
	nic_buf_free_all(rx->buf);
}

static void
receive(void)
{
	struct nic_rx rx[8];
	unsigned i, n = fake_nic.ops->receive(fake_nic.arg, 0, rx, 8);

	for (i = 0; i < n; i++)
		look(&rx[i]);
}

static void
arrive(struct input *in)
{
	vtnet_hdr h = { .hdr = { .flags = take(in, 1),
			    .gso_type = take(in, 1),
			    .gso_size = take(in, 1) },
		.num_buffers = take(in, 1) };

	h.hdr.csum_start = take(in, 1);
	h.hdr.csum_offset = take(in, 1);
	(void)fake_arrive(&f, &h, 12, take(in, 2));
}

static void
scribble(struct input *in, unsigned q)
{
	struct virtqueue *vq = q == 0 ? fake_softc->rx[0].vq :
					fake_softc->tx[0].vq;
	size_t at = take(in, 2) % vq->mem.size;
	unsigned n = 1 + take(in, 1) % 8;

	/* Only where the device may: the driver's own area is for reading. */
	for (; n > 0 && at < vq->mem.size; n--, at++)
		if (at >= vq->device)
			((uint8_t *)vq->mem.kva)[at] = take(in, 1);
}

static void
step(struct input *in)
{
	struct fake_chain c;
	unsigned i;

	switch (take(in, 1) % 10) {
	case 0:
	case 1:
		i = take(in, 1) % FAKE_PACKETS;
		if (!fake_packet[i].under_way)
			(void)fake_send(i, 1 + i % 4, i % 2 != 0);
		break;
	case 2:
	case 3:
		if (!spoilt)
			arrive(in);
		break;
	case 4:
		if (!spoilt && fake_next(&f, 1, &c))
			fake_answer(&f, 1, c.id, take(in, 2), c.places);
		break;
	case 5:
		spoilt = true;
		scribble(in, take(in, 1) & 1);
		break;
	case 6:
		spoilt = true;
		fake_answer(&f, take(in, 1) % 2, take(in, 2), take(in, 2), 1);
		break;
	case 7:
		f.config[take(in, 1) % sizeof(f.config)] = take(in, 1);
		virtio_interrupt(&f.vd, false, true);
		break;
	case 8: fake_nic.ops->reap(fake_nic.arg, 0); break;
	default: virtio_interrupt(&f.vd, true, false); receive();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	uint32_t bits = take(&in, 1), features = take(&in, 4);
	bool attached, started = false;
	unsigned i;

	fake_init(&f,
	    VIRTIO_BIT(VIRTIO_F_VERSION_1) | features |
		(uint64_t)(bits & 1) << VIRTIO_F_RING_PACKED,
	    8u << (bits >> 1 & 7));
	f.vd.legacy = (bits & 0x10) != 0;
	fake_answers = true;
	f.config[8] = 1;  /* pairs */
	f.config[11] = 5; /* MTU */
	for (i = 0; (bits & 0x20) != 0 && i < sizeof(f.config); i++)
		f.config[i] = take(&in, 1);
	spoilt = false;
	attached = fake_attach(&f) == 0;
	if (attached)
		started = fake_nic.ops->start(fake_nic.arg) == 0;
	while (started && in.at < in.end)
		step(&in);
	f.absent = (bits & 0x40) != 0;
	f.stuck = (bits & 0x80) != 0;
	fake_detach(&f, attached, (bits & 1) != 0 ? DETACH_GONE : DETACH_ASKED);
	return 0;
}
