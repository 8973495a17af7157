/* SPDX-License-Identifier: ISC */
/*
 * vtballoon_test.c - the balloon fills and empties, helps in need, tells what
 * it should; with hosts that want too much, and such that do not answer.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "dev/virtio/vtballoon_fake.h"
#include <setjmp.h>

#include <cmocka.h>

#define V1    VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define STATS VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ)
#define OOM   VIRTIO_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM)
#define HINT  VIRTIO_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)
#define TELL  VIRTIO_BIT(VIRTIO_BALLOON_F_REPORTING)

static struct fake_device f;

static void
fake_await(void)
{
	fail();
}

static void
come(uint64_t offers)
{
	fake_init(&f, V1 | offers, 128);
	assert_int_equal(fake_attach(&f), 0);
}

static void
want(uint32_t pages)
{
	memcpy(f.config, &pages, 4);
	virtio_interrupt(&f.vd, false, true);
	fake_work();
}

/* The host answers all; how many pages that were. */
static unsigned
answer(unsigned q)
{
	unsigned n, all = 0;

	while ((n = fake_take_numbers(&f, q)) != 0) {
		all += n;
		virtio_interrupt(&f.vd, true, false);
		fake_work();
	}
	return all;
}

static uint32_t
actual(void)
{
	uint32_t n;

	memcpy(&n, f.config + 4, 4);
	return n;
}

static void
fills_and_empties(void **state)
{
	(void)state;
	come(0);
	want(600);
	assert_int_equal(answer(0), 600);
	assert_int_equal(actual(), 600);
	assert_int_equal(fake_total, FAKE_FRAMES - 600);
	want(100);
	assert_int_equal(answer(1), 500);
	assert_int_equal(actual(), 100);
	assert_int_equal(fake_total, FAKE_FRAMES - 100);
	want(0);
	assert_int_equal(answer(1), 100);
	fake_detach(&f, true, DETACH_ASKED);
}

/* What stays is enough to live on, and is asked for again later. */
static void
too_much(void **state)
{
	struct page_stats st;

	(void)state;
	come(0);
	want(UINT32_MAX);
	(void)answer(0);
	page_stats(&st);
	assert_true(st.free >= RESERVE);
	assert_true(fake_softc->retry.armed);
	fake_fire(&fake_softc->retry);
	fake_work();
	assert_true(fake_softc->retry.armed);
	fake_detach(&f, true, DETACH_ASKED);
}

static void
in_need_of_memory(void **state)
{
	unsigned told = 0, n, got = 0;
	struct page_stats st;

	(void)state;
	come(OOM);
	want(700);
	assert_int_equal(answer(0), 700);
	assert_int_equal(fake_total, FAKE_FRAMES);
	assert_non_null(fake_resort);
	/* All of it, though nobody tells the host meanwhile. */
	while ((n = fake_resort(1)) != 0)
		got += n;
	assert_int_equal(got, 699); /* one has the numbers */
	page_stats(&st);
	assert_int_equal(st.free, FAKE_FRAMES - 1);
	memset(f.config, 0, 4);
	fake_work();
	while ((n = fake_take_numbers(&f, 1)) != 0 || fake_due_step) {
		told += n;
		virtio_interrupt(&f.vd, true, false);
		fake_work();
	}
	assert_int_equal(told, 700);
	page_stats(&st);
	assert_int_equal(st.free, FAKE_FRAMES);
	fake_detach(&f, true, DETACH_ASKED);
	come(OOM | VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST));
	assert_null(fake_resort);
	fake_detach(&f, true, DETACH_ASKED);
}

static void
statistics(void **state)
{
	struct virtio_balloon_stat s[NSTAT];
	struct fake_chain c;
	unsigned i;

	(void)state;
	come(STATS);
	for (i = 0; i < 3; i++) {
		assert_true(fake_next(&f, 2, &c));
		assert_int_equal(c.seg[0].len % sizeof(s[0]), 0);
		memcpy(s, (void *)(uintptr_t)c.seg[0].addr, c.seg[0].len);
		assert_int_equal(s[2].tag, VIRTIO_BALLOON_S_MEMFREE);
		assert_int_equal(s[2].val, FAKE_FRAMES * PAGE_SIZE);
		assert_false(fake_next(&f, 2, &c));
		fake_answer(&f, 2, 0, 0, 1);
		virtio_interrupt(&f.vd, true, false);
		fake_work();
	}
	fake_detach(&f, true, DETACH_ASKED);
}

/* Queues are numbered by what is offered, not by what is taken. */
static void
free_blocks(void **state)
{
	static const struct {
		uint64_t offers;
		unsigned q;
	} t[] = { { TELL, 2 }, { TELL | STATS, 3 }, { TELL | HINT, 3 },
		{ TELL | HINT | STATS, 4 } };
	struct fake_chain c;
	unsigned i, k, told;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		come(t[i].offers);
		assert_false(fake_next(&f, t[i].q, &c));
		fake_fire(&fake_softc->tell);
		fake_work();
		for (told = 0; fake_next(&f, t[i].q, &c);) {
			assert_int_equal(c.nread, 0);
			for (k = 0; k < c.n; k++)
				told += c.seg[k].len / PAGE_SIZE;
			fake_answer(&f, t[i].q, c.id, c.writable, c.places);
			virtio_interrupt(&f.vd, true, false);
			fake_work();
		}
		assert_int_equal(told, FAKE_FRAMES);
		fake_detach(&f, true, DETACH_ASKED);
	}
}

static void
gone_half_way(void **state)
{
	struct fake_chain c;

	(void)state;
	come(TELL);
	want(300);
	assert_int_equal(fake_take_numbers(&f, 0), 256);
	virtio_interrupt(&f.vd, true, false);
	fake_work();
	fake_fire(&fake_softc->tell);
	fake_work();
	assert_true(fake_next(&f, 2, &c));
	fake_detach(&f, true, DETACH_ASKED);
	/* One that does not reset may still take what it was given. */
	come(0);
	want(300);
	f.stuck = true;
	fake_detach(&f, true, DETACH_ASKED);
	assert_true(fake_frame[0].aside);
	f.stuck = false;
}

static void
memory_runs_out(void **state)
{
	int error = -ENOMEM;
	long n;

	(void)state;
	for (n = 0; error != 0; n++) {
		fake_init(&f, V1 | STATS | TELL, 128);
		fake_budget = n;
		error = fake_attach(&f);
		fake_budget = -1;
		if (fake_softc != NULL)
			fake_detach(&f, error == 0, DETACH_ASKED);
	}
	assert_true(n > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_and_empties),
		cmocka_unit_test(too_much),
		cmocka_unit_test(in_need_of_memory),
		cmocka_unit_test(statistics),
		cmocka_unit_test(free_blocks),
		cmocka_unit_test(gone_half_way),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
