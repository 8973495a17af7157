/* SPDX-License-Identifier: ISC */
/*
 * nvme_fuzz.c - the NVMe driver and a controller that says anything: in its
 * registers, in what identify returns, in answers that it makes up, and by
 * leaving.  Every request that was taken ends once, and nothing is lost.
 */
/* unit: kernel/kern/cmdline.c */
#include "tests/host/x86/cpu.h"
#include "dev/nvme/nvme_fake_ctrl.h"
#include "tests/host/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct input in;

/* Up to four places of the data are other than they should be. */
static void
lie_in_data(uint8_t *data, const struct nvme_sqe *s)
{
	unsigned n = take(&in, 1) % 5;

	(void)s;
	for (; n > 0; n--)
		data[take(&in, 2) % 4096] = take(&in, 1);
}

static void
lie_in_answer(struct nvme_cqe *e, const struct nvme_sqe *s)
{
	(void)s;
	switch (take(&in, 1) % 32) {
	case 0: e->cid = take(&in, 2); break;
	case 1: e->sq_id = take(&in, 2); break;
	case 2: e->sq_head = take(&in, 2); break;
	case 3: e->result = take(&in, 4); break;
	case 4: e->status = take(&in, 2); break;
	}
}

static bool
settled(void *arg)
{
	(void)arg;
	return fake_unsettled == 0;
}

static void
submit(void)
{
	unsigned i = take(&in, 1) % FAKE_REQS;
	struct fake_disk *d = &fake_disks[take(&in, 1) % FAKE_DISKS];

	fake_cpu = i;
	if (!fake_req[i].under_way && d->there)
		fake_submit(i, d, take(&in, 1) % (DISK_ZERO + 1),
		    take(&in, 2) % 2048 * 8, 1 + take(&in, 1) % 6);
}

static void
step(void)
{
	struct nvme_cqe e;

	switch (take(&in, 1) % 16) {
	case 0:
	case 1:
	case 2:
	case 3: submit(); break;
	case 4:
		e = (struct nvme_cqe){ take(&in, 4), 0, take(&in, 1),
			take(&in, 1), take(&in, 2), take(&in, 2) };
		fake_post(take(&in, 1) % FAKE_QUEUES, e);
		break;
	case 5: fake_interrupt(take(&in, 1) % 4); break;
	case 6: (void)fake_event(take(&in, 3)); break;
	case 7: nvme_want_reset(fake_c); break;
	case 8: f.silent = take(&in, 1) % 2 != 0; break;
	case 9: f.never_stops = take(&in, 1) % 2 != 0; break;
	case 10:
		f.ns[take(&in, 1) % FAKE_NS].nsze = take(&in, 2) % FAKE_BLOCKS;
		break;
	case 11: f.hold = take(&in, 1) % 4; break;
	case 12: (void)fake_jump(); break;
	default:
		if (!fake_turn())
			(void)fake_ctrl_step();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t flags;

	in = (struct input){ data, data + size };
	fake_honest();
	flags = take(&in, 1);
	if ((flags & 1) != 0)
		f.cap = (uint64_t)take(&in, 4) << 32 | take(&in, 4);
	if ((flags & 2) != 0)
		f.vs = take(&in, 4);
	f.queues = 1 + (flags >> 2) % 4;
	f.off_the_bus = (flags & 0x10) != 0;
	if ((flags & 0x20) != 0)
		f.gone_at = 1 + take(&in, 1);
	if ((flags & 0x40) != 0)
		f.lie_data = lie_in_data;
	if ((flags & 0x80) != 0)
		f.lie = lie_in_answer;
	if (fake_attach() != 0) {
		fake_check_clean();
		return 0;
	}
	fake_until(settled, NULL, "the first disks, or none");
	while (in.at < in.end && !fake_reported)
		step();
	fake_detach_end(fake_detach_begin(!fake_reported && (flags & 1) == 0));
	fake_check_clean();
	if (!f.off_the_bus)
		fake_write_late();
	return 0;
}
