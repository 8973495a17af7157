/* SPDX-License-Identifier: ISC */
/*
 * vtblk_fuzz.c - the block driver and a device that says anything: every
 * request that was taken ends once, whatever happens, and nothing is lost.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "dev/virtio/vtblk_fake.h"
#include "tests/host/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake_device f;
/*
 * The device has lied: what it had not taken may be answered, so that the
 * driver uses its place again, and nothing it would read next is meant for it.
 */
static bool spoilt;

static void
submit(struct input *in)
{
	unsigned i = take(in, 1) % FAKE_REQS;
	enum disk_op op = take(in, 1) % (DISK_SERIAL + 1);
	unsigned nruns = op == DISK_SERIAL ? 1 : 1 + take(in, 1) % 4;

	if (!fake_req[i].under_way)
		(void)fake_submit(i, op, nruns);
}

static void
scribble(struct input *in)
{
	struct virtqueue *vq = fake_softc->queue[0].vq;
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
	uint32_t len;

	switch (take(in, 1) % 8) {
	case 0:
	case 1: submit(in); break;
	case 2:
		if (!spoilt && fake_next(&f, 0, &c)) {
			len = take(in, 1) % 2 != 0 ? take(in, 4) : c.writable;
			fake_serve(&f, &c, take(in, 1), len);
		}
		break;
	case 3:
		spoilt = true;
		scribble(in);
		break;
	case 4:
		spoilt = true;
		fake_answer(&f, 0, take(in, 2), take(in, 2), 1);
		break;
	case 5:
		f.config[take(in, 1) % sizeof(f.config)] = take(in, 1);
		virtio_interrupt(&f.vd, false, true);
		break;
	default: virtio_interrupt(&f.vd, true, false);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	uint32_t bits = take(&in, 1), features = take(&in, 4);
	unsigned i;
	bool attached;

	fake_init(&f,
	    VIRTIO_BIT(VIRTIO_F_VERSION_1) | features |
		(uint64_t)(bits & 1) << VIRTIO_F_RING_PACKED,
	    1u << (bits >> 1 & 7));
	f.vd.legacy = (bits & 0x10) != 0;
	f.config[1] = 0x20;
	for (i = 0; (bits & 0x20) != 0 && i < sizeof(f.config); i++)
		f.config[i] = take(&in, 1);
	spoilt = false;
	attached = fake_attach(&f) == 0;
	while (attached && in.at < in.end)
		step(&in);
	f.absent = (bits & 0x40) != 0;
	f.stuck = (bits & 0x80) != 0;
	fake_detach(attached, (bits & 1) != 0 ? DETACH_GONE : DETACH_ASKED);
	return 0;
}
