/* SPDX-License-Identifier: ISC */
/*
 * nvme_explore_test.c - a controller is taken away at every moment of a fixed
 * workload in turn: at each register access, and instead of each answer, from
 * attach to detach.  Every such run must end with each request ended exactly
 * once, nothing lost, no write to memory that is somebody else's by then, and
 * the next attach working.
 */
/* unit: kernel/kern/cmdline.c */
#include "tests/host/x86/cpu.h"
#include "dev/nvme/nvme_fake_ctrl.h"
#include <setjmp.h>

#include <cmocka.h>

/* How it goes: does the bus tell, and does its place on the bus answer? */
static const struct way {
	const char *name;
	bool told, off_the_bus, stops;
} ways[] = {
	{ "registers read as ones, nobody tells", false, false, true },
	{ "off the bus, nobody tells", false, true, true },
	{ "off the bus, and it is told", true, true, true },
};

static bool
settled(void *arg)
{
	(void)arg;
	return fake_unsettled == 0;
}

static bool
all_ended(void *arg)
{
	(void)arg;
	return fake_under_way() == 0;
}

static bool
left(void)
{
	return fake_reported || fake_gone;
}

static bool
third_or_left(void *arg)
{
	(void)arg;
	return fake_disk_named("nvme0n3") != NULL || left() || f.absent;
}

static bool
live_or_left(void *arg)
{
	(void)arg;
	return (nvme_state(fake_c) == NVME_LIVE && !fake_c->want_reset) ||
	    left() || f.absent;
}

struct asked {
	struct nvme_passthru p;
	struct nvme_handle *h;
	bool ended;
	int answer;
};

static void
ask_thread(void *arg)
{
	struct asked *a = arg;

	a->answer = nvme_handle_command(a->h, false, &a->p);
	nvme_handle_put(a->h);
	a->ended = true;
}

static void
ask(struct asked *a)
{
	struct thread *t;

	a->h = fake_c->handle;
	nvme_handle_get(a->h);
	a->ended = false;
	assert_int_equal(thread_create("ask", ask_thread, a, &t), 0);
	thread_start(t);
}

static void
submit_many(unsigned from, unsigned n)
{
	static const enum disk_op ops[] = { DISK_WRITE, DISK_READ, DISK_READ,
		DISK_FLUSH, DISK_WRITE, DISK_ZERO, DISK_DISCARD };
	struct fake_disk *d[2] = { fake_disk_named("nvme0n1"),
		fake_disk_named("nvme0n2") };
	unsigned i;

	for (i = from; i < from + n; i++) {
		fake_cpu = i % 3;
		if (d[i % 2] != NULL)
			fake_submit(i, d[i % 2], ops[i % ARRAY_SIZE(ops)],
			    i * 8, i % 5 + 1);
	}
}

/* Ends with what the tree would do: detach, as asked or as gone. */
static void
finish(void)
{
	fake_detach_end(fake_detach_begin(!left()));
	fake_check_clean();
}

/* Everything that can be under way, one after the other. */
static void
all_of_it(void)
{
	static uint8_t buf[4096];
	struct asked a = { .p = { .sqe = { .opcode = NVME_ADMIN_IDENTIFY,
				      .cdw10 = NVME_CNS_CTRL },
			       .buf = buf,
			       .len = 4096,
			       .in = true } };

	submit_many(0, 14);
	fake_ns(3, 100);
	(void)fake_event(NVME_EVENT_NOTICE | NVME_LOG_CHANGED_NS << 16);
	fake_until(all_ended, NULL, "requests");
	if (!left())
		fake_until(third_or_left, NULL, "the third");
	ask(&a);
	if (left()) {
		finish();
		assert_true(a.ended);
		return;
	}
	fake_until(fake_is_true, &a.ended, "a program's command");
	f.hold = 2;
	submit_many(20, 6);
	if (!left())
		nvme_want_reset(fake_c);
	fake_until(all_ended, NULL, "requests over a reset");
	if (!left())
		fake_until(live_or_left, NULL, "the reset's end");
	finish();
}

/* Asked to go while requests are under way, two of which it never answers. */
static void
asked_while_busy(void)
{
	f.hold = 2;
	submit_many(0, 12);
	finish();
}

static bool
disabled_or_left(void *arg)
{
	(void)arg;
	return f.resets > 0 || left() || f.absent;
}

/* A reset under way when it is asked to go: it has been disabled. */
static void
asked_in_a_reset(void)
{
	submit_many(0, 5);
	f.hold = 2;
	submit_many(5, 5);
	if (!left())
		nvme_want_reset(fake_c);
	fake_until(disabled_or_left, NULL, "the reset");
	finish();
}

/* The same while requests may still end, which two do not. */
static void
asked_before_a_reset(void)
{
	f.hold = 2;
	submit_many(0, 7);
	if (!left())
		nvme_want_reset(fake_c);
	(void)fake_turn();
	finish();
}

/* Steps that it took; 0 after attach() said that it is not there. */
static uint64_t
run_once(void (*work)(void), const struct way *way, uint64_t gone_at)
{
	uint64_t steps;
	int error;

	fake_honest();
	f.gone_at = gone_at;
	f.gone_told = way->told;
	f.off_the_bus = way->off_the_bus;
	error = fake_attach();
	if (error == 0) {
		fake_until(settled, NULL, "the first disks, or none");
		work();
	} else {
		assert_int_equal(error, -ENODEV);
		fake_check_clean();
	}
	steps = f.steps;
	/* Nobody waited out a time-out for one that is not there. */
	if (f.absent)
		fake_check(fake_now - f.gone_ns < 9000000000, "%s at %lu: %f s",
		    way->name, gone_at, (fake_now - f.gone_ns) / 1e9);
	/* One that still lives somewhere writes to what it knew of. */
	if (!way->off_the_bus)
		fake_write_late();
	if (way->off_the_bus)
		assert_int_equal(fake_kept, 0);
	return steps;
}

static void
next_one_works(void)
{
	fake_honest();
	assert_int_equal(fake_attach(), 0);
	assert_int_equal(fake_c->unit, 0);
	fake_until(settled, NULL, "disks");
	fake_submit(0, fake_disk_named("nvme0n1"), DISK_READ, 0, 9);
	fake_until(all_ended, NULL, "a read");
	assert_int_equal(fake_req[0].error, 0);
	finish();
}

static void
explore(void (*work)(void), unsigned least)
{
	uint64_t n = run_once(work, &ways[0], 0), k;
	unsigned w;

	assert_true(n >= least);
	for (w = 0; w < ARRAY_SIZE(ways); w++) {
		for (k = 1; k <= n; k++) {
			(void)run_once(work, &ways[w], k);
			next_one_works();
		}
	}
	print_message("%u ways of going at each of %lu moments\n",
	    (unsigned)ARRAY_SIZE(ways), n);
}

/* However it went: one that works is not disabled under its commands. */
static void
nothing_is_cut_off(void **state)
{
	(void)state;
	(void)run_once(all_of_it, &ways[0], 0);
	assert_int_equal(f.cut_off, 0);
	assert_true(f.resets >= 2 && f.deleted >= 1);
}

static void
at_every_moment(void **state)
{
	(void)state;
	explore(all_of_it, 150);
}

static void
at_every_moment_of_leaving(void **state)
{
	(void)state;
	explore(asked_while_busy, 80);
}

static void
at_every_moment_of_leaving_in_a_reset(void **state)
{
	(void)state;
	explore(asked_in_a_reset, 80);
	explore(asked_before_a_reset, 70);
}

/* Told so by the bus, though it works: at every moment, it is left. */
static void
told_though_it_works(void **state)
{
	uint64_t n, k;

	(void)state;
	n = run_once(asked_while_busy, &ways[0], 0);
	for (k = 1; k <= n; k++) {
		fake_honest();
		assert_int_equal(fake_attach(), 0);
		while (f.steps < k && fake_unsettled > 0)
			if (!fake_turn() && !fake_ctrl_step())
				(void)fake_jump();
		submit_many(0, 12);
		while (f.steps < k && fake_under_way() > 0)
			if (!fake_turn() && !fake_ctrl_step())
				(void)fake_jump();
		fake_detach_end(fake_detach_begin(false));
		fake_check_clean();
		assert_int_equal(fake_kept, 0); /* it was seen to stop */
	}
}

/* A thousand requests in all, as many as fit under way, when it goes. */
static void
with_a_thousand(void **state)
{
	unsigned round, i;

	(void)state;
	for (round = 0; round < 20; round++) {
		fake_honest();
		assert_int_equal(fake_attach(), 0);
		fake_until(settled, NULL, "disks");
		f.hold = 60;
		for (i = 0; i < FAKE_REQS; i++)
			fake_submit(i, fake_disk_named("nvme0n1"), DISK_READ,
			    i * 8, 1 + i % 4);
		f.gone_at = f.steps + 1 + round * 3;
		f.off_the_bus = round % 2 != 0;
		for (i = 0; i < 200 && (fake_turn() || fake_ctrl_step()); i++)
			;
		fake_detach_end(fake_detach_begin(round % 4 >= 2));
		fake_check_clean();
		if (!f.off_the_bus)
			fake_write_late();
	}
	next_one_works();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_cut_off),
		cmocka_unit_test(at_every_moment),
		cmocka_unit_test(at_every_moment_of_leaving),
		cmocka_unit_test(at_every_moment_of_leaving_in_a_reset),
		cmocka_unit_test(told_though_it_works),
		cmocka_unit_test(with_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
