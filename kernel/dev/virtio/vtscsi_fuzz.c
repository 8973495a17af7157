/* SPDX-License-Identifier: ISC */
/*
 * vtscsi_fuzz.c - SCSI's drivers and a host that says anything, from its rings
 * to the units' pages: every request ends once, and nothing is lost.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c kernel/dev/scsi/scsi_wire.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "dev/virtio/vtscsi_fake.h"
#include "tests/host/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct input in;
static struct fake_device f;
static bool spoilt; /* the device has lied in a ring */

/* Answers the next command with what comes next; false: there is none. */
static bool
serve(void)
{
	struct fake_chain c;
	uint8_t *p;
	unsigned i, k, n;
	uint32_t len;

	if (spoilt || f.ring[2].place.size == 0 || !fake_next(&f, 2, &c))
		return false;
	fake_check(c.nread >= 1 && c.n > c.nread, "a command's shape");
	fake_check(c.seg[c.nread].len == sizeof(struct virtio_scsi_cmd_resp),
	    "a response's length");
	p = (uint8_t *)(uintptr_t)c.seg[c.nread].addr;
	memset(p, 0, c.seg[c.nread].len);
	for (i = 0, n = take(&in, 1) % 32; i < n; i++)
		p[i] = take(&in, 1);
	for (k = c.nread + 1; k < c.n; k++) {
		p = (uint8_t *)(uintptr_t)c.seg[k].addr;
		for (i = 0, n = take(&in, 1); i < n && i < c.seg[k].len; i++)
			p[i] = take(&in, 1);
	}
	len = take(&in, 1) % 4 == 0 ? take(&in, 4) : c.writable;
	fake_answer(&f, 2, c.id, len, c.places);
	virtio_interrupt(&f.vd, true, false);
	return true;
}

static void
fake_await(void)
{
	if (!serve())
		fake_pass(NSEC_PER_SEC);
	if (fake_gone != 0 || in.at == in.end)
		fake_host.gone = true;
}

static void
submit(void)
{
	unsigned i = take(&in, 1) % FAKE_REQS;
	struct disk *d = fake_disk[take(&in, 1) % 4];
	enum disk_op op = take(&in, 1) % (DISK_SERIAL + 1);

	if (d != NULL && !fake_req[i].under_way)
		(void)fake_submit(d, i, op, take(&in, 2));
}

static void
side_queues(void)
{
	unsigned q = take(&in, 1) % 2;
	struct fake_chain c;

	if (f.ring[q].place.size == 0 || spoilt || !fake_next(&f, q, &c))
		return;
	fake_answer(&f, q, c.id, take(&in, 1), c.places);
	virtio_interrupt(&f.vd, true, false);
}

static void
step(void)
{
	switch (take(&in, 1) % 8) {
	case 0:
	case 1: submit(); break;
	case 2: (void)serve(); break;
	case 3: side_queues(); break;
	case 4: fake_rescan_due = true; break;
	case 5: fake_pass(take(&in, 1) * 500000000ll); break;
	case 6:
		spoilt = true;
		fake_answer(&f, take(&in, 1) % 3, take(&in, 2), take(&in, 2),
		    1);
		break;
	default: virtio_interrupt(&f.vd, true, take(&in, 1) % 2 != 0);
	}
	if (fake_gone != 0)
		fake_host.gone = true;
	fake_work();
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
	    1u << (2 + (bits >> 1 & 3)));
	f.vd.legacy = (bits & 0x10) != 0;
	f.config[0] = 1;
	f.config[4] = take(&in, 1);
	f.config[8] = take(&in, 1);
	f.config[12] = take(&in, 1);
	f.config[20] = 96;
	f.config[24] = 32;
	f.config[30] = take(&in, 1) % 3;
	spoilt = false;
	attached = fake_attach(&f) == 0;
	if (attached)
		fake_work();
	while (attached && in.at < in.end)
		step();
	fake_host.gone = true; /* who waits now waits for nothing */
	f.absent = (bits & 0x40) != 0;
	f.stuck = (bits & 0x80) != 0;
	fake_detach(attached, DETACH_GONE);
	return 0;
}
