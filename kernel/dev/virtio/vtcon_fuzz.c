/* SPDX-License-Identifier: ISC */
/*
 * vtcon_fuzz.c - the virtio console's driver and a device that says anything,
 * while a client opens, writes, reads and closes.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "dev/virtio/vtcon_fake.h"
#include "tests/host/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake_device f;
static bool spoilt[FAKE_QUEUES]; /* the device has lied there */

/* A message, more or less as it should be. */
static void
tell(struct input *in)
{
	uint8_t m[CTL_SIZE] = { 0 };
	struct virtio_console_control head = { .id = take(in, 1) % 9,
		.event = take(in, 1) % 9,
		.value = take(in, 1) % 2 };
	unsigned i, n = take(in, 1) % sizeof(m);

	memcpy(m, &head, sizeof(head));
	for (i = sizeof(head); i < n; i++)
		m[i] = take(in, 1);
	if (!spoilt[2] && f.ring[2].place.size != 0)
		fake_give(&f, 2, m, sizeof(m), n);
}

static void
device_acts(struct input *in)
{
	unsigned q = take(in, 1) % FAKE_QUEUES;
	uint8_t bytes[64] = { 0 };

	switch (take(in, 1) % 4) {
	case 0:
		if (f.ring[q].place.size != 0 && !spoilt[q] && (q % 2 != 0))
			fake_take_output(&f, q, NULL, 0);
		break;
	case 1:
		if (f.ring[q].place.size != 0 && !spoilt[q] && q % 2 == 0)
			fake_give(&f, q, bytes, sizeof(bytes), take(in, 2));
		break;
	case 2:
		if (f.ring[q].place.size != 0) {
			spoilt[q] = true;
			fake_answer(&f, q, take(in, 2), take(in, 2), 1);
		}
		break;
	default:
		f.config[take(in, 1) % sizeof(f.config)] = take(in, 1);
		virtio_interrupt(&f.vd, false, true);
	}
}

static void
client_acts(struct input *in)
{
	static uint8_t bytes[600];
	struct vport *p = fake_port[take(in, 1) % NPORT];

	if (p == NULL)
		return;
	switch (take(in, 1) % 7) {
	case 0: p->line.ops->open(&p->line); break;
	case 1: p->ops->set_open(p, false); break;
	case 2: p->line.ops->write(&p->line, bytes, take(in, 2) % 600); break;
	case 3:
		/* Polling waits for a host that answers: only where it can. */
		if (p->line.ops->room(&p->line) >= 600)
			p->line.ops->write_polled(&p->line, bytes,
			    take(in, 2) % 600);
		break;
	case 4: (void)p->line.ops->queued(&p->line); break;
	default:
		serial_set_room(&p->line, take(in, 1));
		serial_resume(&p->line);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	uint32_t bits = take(&in, 1), features = take(&in, 4);
	bool attached;

	fake_init(&f,
	    VIRTIO_BIT(VIRTIO_F_VERSION_1) | features |
		(uint64_t)(bits & 1) << VIRTIO_F_RING_PACKED,
	    1u << (bits >> 1 & 7));
	f.vd.legacy = (bits & 0x10) != 0;
	f.config[4] = take(&in, 1);
	memset(spoilt, 0, sizeof(spoilt));
	attached = fake_attach(&f) == 0;
	while (attached && in.at < in.end) {
		switch (take(&in, 1) % 4) {
		case 0: tell(&in); break;
		case 1: device_acts(&in); break;
		case 2: client_acts(&in); break;
		default: fake_interrupt(&f);
		}
	}
	f.absent = (bits & 0x40) != 0;
	f.stuck = (bits & 0x80) != 0;
	fake_detach(attached, (bits & 1) != 0 ? DETACH_GONE : DETACH_ASKED);
	return 0;
}
