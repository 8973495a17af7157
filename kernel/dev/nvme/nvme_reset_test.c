/* SPDX-License-Identifier: ISC */
/*
 * nvme_reset_test.c - resets, asked for and needed: what is under way ends or
 * is begun again, and nothing keeps a reset from coming.
 */
/* unit: kernel/kern/cmdline.c */
#include "tests/host/x86/cpu.h"
#include "dev/nvme/nvme_fake_use.h"

static bool
second_is_gone(void *arg)
{
	(void)arg;
	return fake_disk_named("nvme0n2") == NULL;
}

static bool
second_is_back(void *arg)
{
	(void)arg;
	return fake_disk_named("nvme0n2") != NULL;
}

/* It answers neither command nor abort: reset, then all is done again. */
static void
reset_and_begun_again(void **state)
{
	unsigned i;

	(void)state;
	fake_now = 0;
	fake_honest();
	attach();
	for (i = 0; i < 40; i++)
		fake_submit(i, disk("nvme0n1"), DISK_WRITE, i * 8, 1);
	f.silent = true;
	while (f.resets == 0)
		assert_true(fake_turn() || fake_jump());
	f.silent = false;
	fake_submit(50, disk("nvme0n2"), DISK_READ, 0, 3); /* waits meanwhile */
	run_all();
	for (i = 0; i < 40; i++)
		assert_int_equal(fake_req[i].error, 0);
	assert_int_equal(fake_c->nlive, 2);
	assert_true(f.resets >= 1);
	detach(true);
}

/* A namespace goes, and what was under way there is never answered: that is
 * aborted, or ends by a reset.  Then it comes back. */
static void
a_namespace_goes_with_requests(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fake_honest();
		attach();
		f.admin_status[NVME_ADMIN_ABORT] = i ? NVME_SC_BAD_OPCODE : 0;
		f.hold = 2;
		fake_submit(0, disk("nvme0n2"), DISK_READ, 0, 1);
		fake_submit(1, disk("nvme0n2"), DISK_READ, 8, 1);
		while (f.nheld < 2)
			assert_true(fake_turn() || fake_ctrl_step());
		fake_ns(2, 0);
		assert_true(
		    fake_event(NVME_EVENT_NOTICE | NVME_LOG_CHANGED_NS << 16));
		fake_until(second_is_gone, NULL, "the second's end");
		assert_true(fake_req[0].error == -EIO);
		assert_true(fake_req[1].error == -EIO);
		assert_int_equal(f.resets, i);
		fake_ns(2, 512);
		assert_true(
		    fake_event(NVME_EVENT_NOTICE | NVME_LOG_CHANGED_NS << 16));
		fake_until(second_is_back, NULL, "another second");
		fake_submit(2, disk("nvme0n2"), DISK_READ, 0, 1);
		run_all();
		assert_int_equal(fake_req[2].error, 0);
		detach(true);
	}
}

static void
reset_thread(void *arg)
{
	struct asked *a = arg;

	a->answer = nvme_handle_reset(a->h, false);
	a->ended = true;
}

static void
ask_for_reset(struct asked *a)
{
	struct thread *t;

	a->h = fake_c->handle;
	a->ended = false;
	assert_int_equal(thread_create("reset", reset_thread, a, &t), 0);
	thread_start(t);
}

static void
read_until_held(unsigned n)
{
	unsigned i;

	f.hold = n;
	for (i = 0; i < n; i++) {
		fake_cpu = i;
		fake_submit(i, disk("nvme0n1"), DISK_READ, i * 8, 1);
	}
	while (f.nheld < n)
		assert_true(fake_turn() || fake_ctrl_step());
}

/* What is under way may end, what comes meanwhile waits, then it is reset. */
static void
a_reset_under_load(void **state)
{
	struct asked a;
	unsigned i;

	(void)state;
	fake_honest();
	attach();
	read_until_held(6);
	ask_for_reset(&a);
	for (i = 0; i < 50; i++)
		(void)(fake_turn() || fake_ctrl_step());
	assert_int_equal(f.resets, 0);
	fake_submit(10, disk("nvme0n1"), DISK_WRITE, 0, 1);
	assert_true(fake_req[10].waits);
	for (i = 0; i < 6; i++)
		fake_answer(f.held_sq[i], &f.held[i], fake_io(&f.held[i]), 0);
	f.nheld = 0;
	fake_until(fake_is_true, &a.ended, "the reset");
	run_all();
	assert_int_equal(a.answer, 0);
	assert_int_equal(f.resets, 1);
	assert_int_equal(f.cut_off, 0);
	assert_int_equal(f.deleted, 0);
	assert_int_equal(fake_req[0].dr.tries, 1);
	assert_int_equal(fake_req[10].error, 0);
	detach(true);
}

/* They do not end: their queues are deleted, and they are begun again. */
static void
a_reset_of_what_does_not_end(void **state)
{
	struct asked a;
	unsigned i, quietly;

	(void)state;
	for (quietly = 0; quietly < 2; quietly++) {
		fake_honest();
		attach();
		f.deletes_silently = quietly != 0;
		read_until_held(6);
		ask_for_reset(&a);
		fake_until(fake_is_true, &a.ended, "the reset");
		run_all();
		assert_int_equal(a.answer, 0);
		assert_int_equal(f.cut_off, 0);
		assert_int_equal(f.deleted, 2);
		for (i = 0; i < 6; i++) {
			assert_int_equal(fake_req[i].error, 0);
			assert_int_equal(fake_req[i].dr.tries, 2);
		}
		detach(true);
	}
}

/* It cannot delete queues, or does not answer to that: reset all the same. */
static void
a_reset_without_deleting(void **state)
{
	struct asked a;
	unsigned i, mute;

	(void)state;
	for (mute = 0; mute < 2; mute++) {
		fake_honest();
		attach();
		read_until_held(3);
		f.admin_status[NVME_ADMIN_DELETE_SQ] = NVME_SC_BAD_OPCODE;
		f.silent = mute != 0;
		ask_for_reset(&a);
		while (f.resets == 0)
			assert_true(
			    fake_turn() || fake_ctrl_step() || fake_jump());
		f.silent = false;
		fake_until(fake_is_true, &a.ended, "the reset");
		run_all();
		assert_int_equal(a.answer, 0);
		assert_int_equal(f.cut_off, 3);
		for (i = 0; i < 3; i++)
			assert_int_equal(fake_req[i].error, 0);
		detach(true);
	}
}

/* All slots of the admin queue are taken by what it does not answer, and the
 * thread itself waits for one. */
static void
programs_fill_the_admin_queue(void **state)
{
	static struct asked a[NVME_ADM_SIZE];
	unsigned i;

	(void)state;
	fake_honest();
	attach();
	f.silent = true;
	for (i = 0; i < NVME_ADM_SIZE; i++) {
		a[i] = (struct asked){ .h = fake_c->handle,
			.p = { .sqe = { .opcode = NVME_ADMIN_GET_FEATURES },
			    .timeout_ms = 3000 } };
		ask(&a[i]);
	}
	(void)fake_turn();
	assert_int_equal(nvme_handle_rescan(fake_c->handle), 0);
	while (f.resets == 0)
		assert_true(fake_turn() || fake_jump());
	f.silent = false;
	for (i = 0; i < NVME_ADM_SIZE; i++)
		fake_until(fake_is_true, &a[i].ended, "a program");
	fake_submit(0, disk("nvme0n1"), DISK_READ, 0, 1);
	run_all();
	assert_int_equal(fake_req[0].error, 0);
	detach(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_and_begun_again),
		cmocka_unit_test(a_namespace_goes_with_requests),
		cmocka_unit_test(a_reset_under_load),
		cmocka_unit_test(a_reset_of_what_does_not_end),
		cmocka_unit_test(a_reset_without_deleting),
		cmocka_unit_test(programs_fill_the_admin_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
