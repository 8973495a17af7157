/* SPDX-License-Identifier: ISC */
/*
 * vtblk_test.c - the block driver and a device that lies: in its
 * configuration, its answers, its status, and by leaving.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "dev/virtio/vtblk_fake.h"
#include <setjmp.h>

#include <cmocka.h>

#define V1  VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define ALL (V1 | (FEATURES & ~VIRTIO_BIT(VIRTIO_BLK_F_RO)))

static struct fake_device f;

static void
config(size_t at, uint64_t v, size_t width)
{
	memcpy(f.config + at, &v, width);
}

/* A disk of 4 MiB that can do everything. */
static void
honest(uint64_t offers)
{
	fake_init(&f, offers, 64);
	config(CONFIG(capacity), 8192, 8);
	config(CONFIG(size_max), 65536, 4);
	config(CONFIG(seg_max), 30, 4);
	config(CONFIG(blk_size), 512, 4);
	config(CONFIG(num_queues), 1, 2);
	config(CONFIG(max_discard_sectors), 1000, 4);
	config(CONFIG(max_write_zeroes_sectors), 1000, 4);
}

static void
serve_one(uint8_t status, uint32_t len)
{
	struct fake_chain c;

	assert_true(fake_next(&f, 0, &c));
	fake_serve(&f, &c, status, len);
	virtio_interrupt(&f.vd, true, false);
}

static void
all_kinds(void **state)
{
	static const uint32_t written[] = { 8193, 1, 1, 1, 1, 21 };
	enum disk_op op;

	(void)state;
	honest(ALL);
	assert_int_equal(fake_attach(&f), 0);
	assert_int_equal(fake_disk.info.nsectors, 8192);
	for (op = DISK_READ; op <= DISK_SERIAL; op++) {
		assert_int_equal(fake_submit(op, op, op == DISK_SERIAL ? 1 : 2),
		    0);
		serve_one(VIRTIO_BLK_S_OK, written[op]);
		assert_int_equal(fake_req[op].ends, 1);
		assert_int_equal(fake_req[op].error, 0);
	}
	fake_detach(true, DETACH_ASKED);
}

static void
statuses(void **state)
{
	static const struct {
		uint8_t status;
		uint32_t len;
		int error;
	} t[] = { { 0, 4097, 0 }, { 0, 4096, -EIO }, { 0, 0, -EIO },
		{ 0, UINT32_MAX, 0 }, { 1, 4097, -EIO },
		{ 2, 4097, -EOPNOTSUPP }, { 3, 4097, -EIO },
		{ STATUS_PRESET, 4097, -EIO } };
	unsigned i;

	(void)state;
	honest(ALL);
	assert_int_equal(fake_attach(&f), 0);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(fake_submit(i, DISK_READ, 1), 0);
		serve_one(t[i].status, t[i].len);
		assert_int_equal(fake_req[i].error, t[i].error);
		assert_int_equal(fake_req[i].ends, 1);
	}
	assert_int_equal(fake_gone, 0);
	fake_detach(true, DETACH_ASKED);
}

static void
configurations_that_make_no_sense(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t value;
		int error;
	} t[] = { { CONFIG(capacity), 8, UINT64_MAX, -EINVAL },
		{ CONFIG(capacity), 8, 1ull << 60, -EINVAL },
		{ CONFIG(capacity), 8, 0, 0 },
		{ CONFIG(blk_size), 4, 513, -EINVAL },
		{ CONFIG(blk_size), 4, 256, -EINVAL },
		{ CONFIG(blk_size), 4, 1u << 31, -EINVAL },
		{ CONFIG(blk_size), 4, 0, 0 },
		{ CONFIG(size_max), 4, 100, -EINVAL },
		{ CONFIG(size_max), 4, UINT32_MAX, 0 },
		{ CONFIG(seg_max), 4, 0, 0 },
		{ CONFIG(seg_max), 4, UINT32_MAX, 0 },
		{ CONFIG(num_queues), 2, 0, 0 },
		{ CONFIG(max_discard_sectors), 4, UINT32_MAX, 0 },
		{ CONFIG(physical_block_exp), 1, 255, 0 } };
	unsigned i;
	int error;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		honest(ALL);
		config(t[i].at, t[i].value, t[i].width);
		error = fake_attach(&f);
		assert_int_equal(error, t[i].error);
		assert_int_equal(fake_lines, error != 0);
		fake_detach(error == 0, DETACH_ASKED);
	}
	honest(ALL);
	f.queue_max[0] = 2;
	assert_int_equal(fake_attach(&f), -EINVAL);
	fake_detach(false, DETACH_ASKED);
	honest(ALL);
	f.generation_moves = UINT32_MAX;
	assert_int_equal(fake_attach(&f), -EIO);
	fake_detach(false, DETACH_ASKED);
}

static void
full_and_room_again(void **state)
{
	unsigned n, i;

	(void)state;
	honest(ALL);
	assert_int_equal(fake_attach(&f), 0);
	for (n = 0; fake_submit(n, DISK_WRITE, 4) == 0; n++)
		;
	assert_int_equal(fake_submit(n, DISK_WRITE, 4), -EAGAIN);
	assert_in_range(n, 10, 64);
	assert_int_equal(fake_rooms, 0);
	serve_one(0, 1);
	assert_int_equal(fake_rooms, 1);
	assert_int_equal(fake_submit(n, DISK_WRITE, 4), 0);
	for (i = 0; i < n; i++)
		serve_one(0, 1);
	assert_int_equal(fake_rooms, 1);
	assert_int_equal(fake_under_way(), 0);
	fake_detach(true, DETACH_ASKED);
}

/* The doorbell waits for the last one, but not when the queue is full. */
static void
one_doorbell_for_many(void **state)
{
	unsigned n, kicks;

	(void)state;
	honest(V1);
	assert_int_equal(fake_attach(&f), 0);
	fake_more = true;
	kicks = f.ring[0].kicks;
	for (n = 0; n < 3; n++)
		assert_int_equal(fake_submit(n, DISK_WRITE, 1), 0);
	assert_int_equal(f.ring[0].kicks, kicks);
	disk_commit(&fake_disk);
	assert_int_equal(f.ring[0].kicks, kicks + 1);
	disk_commit(&fake_disk);
	assert_int_equal(f.ring[0].kicks, kicks + 1);
	while (fake_submit(n, DISK_WRITE, 1) == 0)
		n++;
	assert_int_equal(f.ring[0].kicks, kicks + 2);
	fake_more = false;
	fake_detach(true, DETACH_ASKED);
	assert_int_equal(fake_under_way(), 0);
}

/* Whoever comes when it is about to go must not ring for the others. */
static void
no_doorbell_after_the_end(void **state)
{
	unsigned n;

	(void)state;
	honest(V1);
	assert_int_equal(fake_attach(&f), 0);
	fake_more = true;
	for (n = 0; n < 3; n++)
		assert_int_equal(fake_submit(n, DISK_WRITE, 1), 0);
	fake_more = false;
	fake_detach(true, DETACH_ASKED);
	assert_int_equal(fake_req[0].error, -ENODEV);
}

static void
leaving_ends_every_request_once(void **state)
{
	unsigned i, k;

	(void)state;
	for (k = 0; k < 3; k++) {
		honest(ALL);
		assert_int_equal(fake_attach(&f), 0);
		for (i = 0; i < 12; i++)
			assert_int_equal(fake_submit(i, DISK_READ, 2), 0);
		serve_one(0, 8193);
		f.absent = k == 1; /* reads as ones from here on */
		f.stuck = k == 2;  /* does not reset */
		fake_detach(true, k == 0 ? DETACH_ASKED : DETACH_GONE);
		for (i = 0; i < 12; i++) {
			assert_int_equal(fake_req[i].ends, 1);
			assert_int_equal(fake_req[i].error,
			    i == 0 ? 0 : -ENODEV);
		}
	}
}

static void
a_liar_is_left(void **state)
{
	(void)state;
	honest(ALL);
	assert_int_equal(fake_attach(&f), 0);
	assert_int_equal(fake_submit(0, DISK_READ, 1), 0);
	fake_answer(&f, 0, 77, 4097, 1);
	virtio_interrupt(&f.vd, true, false);
	assert_int_equal(fake_gone, 1);
	assert_int_equal(fake_lines, 1);
	assert_int_equal(fake_submit(1, DISK_READ, 1), -ENODEV);
	assert_int_equal(fake_under_way(), 1);
	fake_detach(true, DETACH_GONE);
	assert_int_equal(fake_req[0].error, -ENODEV);
}

static void
what_it_cannot_do(void **state)
{
	(void)state;
	honest(V1 | VIRTIO_BIT(VIRTIO_BLK_F_RO));
	assert_int_equal(fake_attach(&f), 0);
	assert_int_equal(fake_submit(0, DISK_WRITE, 1), -EOPNOTSUPP);
	assert_int_equal(fake_submit(0, DISK_FLUSH, 0), -EOPNOTSUPP);
	assert_int_equal(fake_submit(0, DISK_DISCARD, 0), -EOPNOTSUPP);
	assert_int_equal(fake_submit(0, DISK_ZERO, 0), -EOPNOTSUPP);
	fake_detach(true, DETACH_ASKED);
}

static void
another_size(void **state)
{
	(void)state;
	honest(ALL);
	assert_int_equal(fake_attach(&f), 0);
	config(CONFIG(capacity), 16384, 8);
	virtio_interrupt(&f.vd, false, true);
	assert_int_equal(fake_resizes, 1);
	assert_int_equal(fake_disk.info.nsectors, 16384);
	virtio_interrupt(&f.vd, false, true);
	config(CONFIG(capacity), UINT64_MAX, 8);
	virtio_interrupt(&f.vd, false, true);
	assert_int_equal(fake_resizes, 1);
	fake_detach(true, DETACH_ASKED);
}

static void
memory_runs_out(void **state)
{
	int error = -ENOMEM;
	long n;

	(void)state;
	for (n = 0; error != 0; n++) {
		honest(ALL);
		fake_budget = n;
		error = fake_attach(&f);
		fake_budget = -1;
		assert_true(error == 0 || error == -ENOMEM);
		fake_detach(error == 0, DETACH_ASKED);
	}
	assert_true(n > NSLOT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds),
		cmocka_unit_test(statuses),
		cmocka_unit_test(configurations_that_make_no_sense),
		cmocka_unit_test(full_and_room_again),
		cmocka_unit_test(one_doorbell_for_many),
		cmocka_unit_test(no_doorbell_after_the_end),
		cmocka_unit_test(leaving_ends_every_request_once),
		cmocka_unit_test(a_liar_is_left),
		cmocka_unit_test(what_it_cannot_do),
		cmocka_unit_test(another_size),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
