/* SPDX-License-Identifier: ISC */
/*
 * vtballoon_fuzz.c - the balloon's driver and a host that wants and answers
 * anything, at any time: no page is lost, or has two owners.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "dev/virtio/vtballoon_fake.h"
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
device_acts(void)
{
	unsigned q = take(&in, 1) % FAKE_QUEUES;
	struct fake_chain c;

	if (f.ring[q].place.size == 0)
		return;
	if (take(&in, 1) % 8 == 0) {
		spoilt[q] = true;
		fake_answer(&f, q, take(&in, 2), take(&in, 2), 1);
	} else if (!spoilt[q] && q < 2) {
		(void)fake_take_numbers(&f, q);
	} else if (!spoilt[q] && fake_next(&f, q, &c)) {
		fake_answer(&f, q, c.id, take(&in, 2), c.places);
	}
}

static void
step(void)
{
	uint32_t want;

	switch (take(&in, 1) % 8) {
	case 0:
	case 1: device_acts(); break;
	case 2:
		want = take(&in, 1) % 4 == 0 ? take(&in, 4) :
					       take(&in, 2) % 1200;
		memcpy(f.config, &want, 4);
		virtio_interrupt(&f.vd, false, true);
		break;
	case 3: fake_fire(&fake_softc->retry); break;
	case 4: fake_fire(&fake_softc->tell); break;
	case 5:
		if (fake_resort != NULL)
			(void)fake_resort(take(&in, 1));
		break;
	case 6: fake_work(); break;
	default: virtio_interrupt(&f.vd, true, false);
	}
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
	memset(spoilt, 0, sizeof(spoilt));
	attached = fake_attach(&f) == 0;
	while (attached && in.at < in.end)
		step();
	f.absent = (bits & 0x40) != 0;
	f.stuck = (bits & 0x80) != 0;
	fake_detach(&f, attached, (bits & 1) != 0 ? DETACH_GONE : DETACH_ASKED);
	return 0;
}
