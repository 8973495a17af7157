/* SPDX-License-Identifier: ISC */
/*
 * nvme_test.c - the NVMe driver and a controller in software: what it does
 * when all is well, when the controller lies, is slow, fails, or changes.
 */
/* unit: kernel/kern/cmdline.c */
#include "tests/host/x86/cpu.h"
#include "dev/nvme/nvme_fake_use.h"

/* ------------------------------------------------------------ helpers -- */

static bool
reported(void *arg)
{
	(void)arg;
	return fake_reported;
}

static void
paint(uint8_t salt)
{
	unsigned i, k;

	for (i = 0; i < FAKE_PAGES; i++)
		for (k = 0; k < 4096; k++)
			fake_memory[i][k] = (uint8_t)(i * 7 + k * 3 + salt);
}

/* The controller is left: one line, and all is in order afterwards. */
static void
left_alone(const char *line)
{
	fake_until(reported, NULL, "the driver to leave it");
	if (strstr(fake_log, "requests ended") == NULL)
		assert_non_null(strstr(fake_log, line));
	assert_int_equal(fake_warnings, 1);
	detach(false);
}

/* ----------------------------------------------------------- all well -- */

static void
disks_arrive_and_depart(void **state)
{
	(void)state;
	fake_honest();
	attach();
	assert_int_equal(disk("nvme0n1")->disk.info.nsectors, FAKE_BLOCKS);
	assert_string_equal(disk("nvme0n2")->disk.info.model,
	    "software controller");
	assert_string_equal(disk("nvme0n2")->disk.info.wwid,
	    "eui.0000000000000002");
	assert_null(fake_disk_named("nvme0n3"));
	assert_int_equal(fake_c->nlive, 2);
	detach(true);
	assert_int_equal(f.shutdowns, 1);
	assert_int_equal(fake_kept, 0);
	assert_int_equal(fake_warnings, 0);
}

static void
farewell_thread(void *arg)
{
	fake_farewell();
	*(bool *)arg = true;
}

/* The machine ends: each controller hears of it, and takes nothing more. */
static void
power_goes(void **state)
{
	struct thread *t;
	bool ended = false;

	(void)state;
	fake_honest();
	attach();
	assert_int_equal(thread_create("end", farewell_thread, &ended, &t), 0);
	thread_start(t);
	fake_until(fake_is_true, &ended, "farewell");
	assert_int_equal(f.shutdowns, 1);
	fake_submit(0, disk("nvme0n1"), DISK_READ, 0, 1);
	assert_true(fake_req[0].waits);
	detach(false);
}

static void
data_goes_both_ways(void **state)
{
	static const unsigned sizes[] = { 1, 2, 3, 5, 17, 127, 128 };
	unsigned i, k;

	(void)state;
	fake_honest();
	attach();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		paint(i);
		fake_cpu = i;
		fake_submit(0, disk("nvme0n1"), DISK_WRITE, 64, sizes[i]);
		run_all();
		assert_int_equal(fake_req[0].error, 0);
		for (k = 0; k < sizes[i]; k++)
			assert_memory_equal(f.data[0] + 32768 + k * 4096,
			    fake_memory[k], 4096);
		memset(fake_memory, 0, sizeof(fake_memory));
		fake_submit(0, disk("nvme0n1"), DISK_READ, 64, sizes[i]);
		run_all();
		for (k = 0; k < sizes[i]; k++)
			assert_memory_equal(f.data[0] + 32768 + k * 4096,
			    fake_memory[k], 4096);
	}
	fake_submit(0, disk("nvme0n2"), DISK_FLUSH, 0, 0);
	fake_submit(1, disk("nvme0n1"), DISK_ZERO, 64, 2);
	fake_submit(2, disk("nvme0n1"), DISK_DISCARD, 80, 1);
	run_all();
	for (k = 0; k < 3 * 4096; k++)
		assert_int_equal(f.data[0][32768 + k], 0);
	assert_int_equal(fake_req[0].error | fake_req[1].error |
		fake_req[2].error,
	    0);
	detach(true);
}

/* Pieces that do not meet at pages: an SGL. */
static void
odd_pieces(void **state)
{
	struct fake_req *r = &fake_req[0];

	(void)state;
	fake_honest();
	attach();
	assert_int_equal(disk("nvme0n1")->disk.info.seg_boundary, 0);
	paint(9);
	fake_submit(0, disk("nvme0n1"), DISK_FLUSH, 0, 0);
	run_all();
	r->ends = 0;
	r->dr.op = DISK_WRITE;
	r->dr.nsectors = 4;
	r->dr.nruns = 3;
	r->run[0] = (struct dma_run){ (uintptr_t)fake_memory[0] + 100, 512 };
	r->run[1] = (struct dma_run){ (uintptr_t)fake_memory[3] + 8, 1024 };
	r->run[2] = (struct dma_run){ (uintptr_t)fake_memory[5] + 4000, 512 };
	fake_give(r);
	run_all();
	assert_int_equal(r->error, 0);
	assert_memory_equal(f.data[0], fake_memory[0] + 100, 512);
	assert_memory_equal(f.data[0] + 512, fake_memory[3] + 8, 1024);
	detach(true);
	fake_honest();
	f.id.sgls = 0;
	attach();
	assert_int_equal(disk("nvme0n1")->disk.info.seg_boundary, 4096);
	detach(true);
}

/* More than there are slots, and more large ones than there is memory for. */
static void
full_and_room_again(void **state)
{
	unsigned i, pages;

	(void)state;
	for (pages = 1; pages <= 4; pages += 3) {
		fake_honest();
		f.cap = (f.cap & ~0xffffull) | 15; /* 16 entries */
		attach();
		for (i = 0; i < FAKE_REQS; i++)
			fake_submit(i, disk(i % 2 != 0 ? "nvme0n1" : "nvme0n2"),
			    i % 3 != 0 ? DISK_WRITE : DISK_READ, i * 32ul,
			    pages);
		run_all();
		for (i = 0; i < FAKE_REQS; i++)
			assert_int_equal(fake_req[i].error, 0);
		detach(true);
	}
}

static void
fewer_than_wanted(void **state)
{
	static const struct {
		unsigned queues, vectors, live;
	} t[] = { { 1, 3, 1 }, { 2, 1, 1 }, { 2, 2, 1 }, { 2, 3, 2 },
		{ 6, 5, 4 } };
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		fake_honest();
		f.queues = t[i].queues;
		fake_vectors = t[i].vectors;
		attach();
		assert_int_equal(fake_c->nlive, t[i].live);
		fake_cpu = 7;
		fake_submit(0, disk("nvme0n1"), DISK_READ, 0, 1);
		run_all();
		assert_int_equal(fake_req[0].error, 0);
		detach(true);
	}
	fake_honest();
	f.admin_status[NVME_ADMIN_SET_FEATURES] = NVME_SC_BAD_OPCODE;
	f.admin_status[NVME_ADMIN_ASYNC_EVENT] = NVME_SC_BAD_OPCODE;
	f.vs = 0x10000; /* no list of namespaces */
	attach();
	assert_int_equal(fake_c->nlive, 1);
	assert_true(fake_c->no_events);
	(void)disk("nvme0n2");
	detach(true);
}

/* Firmware left it on; 4 KiB blocks; read-only; EBS's name. */
static void
varieties(void **state)
{
	(void)state;
	fake_honest();
	f.cc = NVME_CC_EN | NVME_CC_IOSQES | NVME_CC_IOCQES;
	f.csts = NVME_CSTS_RDY;
	f.ns[0].lbaf[0].lbads = 12;
	f.ns[0].nsze = 16;
	f.ns[1].nsattr = 1;
	f.id.vid = 0x1d0f;
	memcpy(f.id.model, "Amazon Elastic Block Store              ", 40);
	memcpy(f.id.vendor, "/dev/sdf                        ", 32);
	attach();
	assert_int_equal(disk("nvme0n1")->disk.info.nsectors, 128);
	assert_int_equal(disk("nvme0n1")->disk.info.block_size, 4096);
	assert_true(disk("nvme0n2")->disk.info.read_only);
	assert_string_equal(disk("nvme0n1")->disk.info.link, "by-ebs/sdf");
	assert_int_equal(fake_c->io_timeout_ns, UINT64_MAX);
	fake_submit(0, disk("nvme0n2"), DISK_WRITE, 0, 1);
	assert_int_equal(fake_req[0].error, -EOPNOTSUPP);
	detach(true);
}

static void
timeouts_as_asked(void **state)
{
	static const struct {
		const char *line;
		bool ebs;
		uint64_t ns;
	} t[] = { { "", false, 30000000000 }, { "", true, UINT64_MAX },
		{ "nvme.io_timeout=5", true, 5000000000 },
		{ "nvme_core.io_timeout=4294967295", false, UINT64_MAX },
		{ "nvme.io_timeout=0", false, 30000000000 },
		{ "nvme.io_timeout=99999999999999999999", false, 30000000000 },
		{ "nvme.io_timeout=x", false, 30000000000 } };
	struct nvme_params p = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		fake_cmdline = t[i].line;
		p.is_ebs = t[i].ebs;
		assert_int_equal(nvme_io_timeout_ns(&p), t[i].ns);
	}
	fake_cmdline = "";
}

/* ------------------------------------------------------------ changes -- */

static bool
third_is_there(void *arg)
{
	(void)arg;
	return fake_disk_named("nvme0n3") != NULL;
}

static bool
second_is_gone(void *arg)
{
	(void)arg;
	return fake_disk_named("nvme0n2") == NULL;
}

static void
namespaces_come_and_go(void **state)
{
	(void)state;
	fake_honest();
	attach();
	fake_ns(3, 1000);
	assert_true(fake_event(NVME_EVENT_NOTICE | NVME_LOG_CHANGED_NS << 16));
	fake_until(third_is_there, NULL, "the third");
	assert_int_equal(f.changed, 0);
	fake_ns(3, 2000);
	fake_submit(0, disk("nvme0n2"), DISK_READ, 0, 1);
	f.ns[1].nsze = 0;
	fake_until(all_ended, NULL, "its last request");
	assert_true(fake_event(NVME_EVENT_NOTICE | NVME_LOG_CHANGED_NS << 16));
	fake_until(second_is_gone, NULL, "the second's end");
	assert_int_equal(disk("nvme0n3")->disk.info.nsectors, 2000);
	assert_int_equal(disk("nvme0n3")->resizes, 1);
	fake_ns(2, 512); /* another one of that number */
	f.ns[2].eui64[0] = 7;
	assert_true(fake_event(NVME_EVENT_NOTICE | NVME_LOG_CHANGED_NS << 16));
	fake_until(all_ended, NULL, "nothing");
	fake_submit(1, disk("nvme0n1"), DISK_FLUSH, 0, 0);
	run_all();
	detach(true);
}

static void
other_events_are_told(void **state)
{
	unsigned i;

	(void)state;
	fake_honest();
	attach();
	for (i = 0; i < 40; i++) {
		assert_true(fake_event(
		    NVME_EVENT_SMART | 1 << 8 | NVME_LOG_SMART << 16));
		fake_submit(0, disk("nvme0n1"), DISK_FLUSH, 0, 0);
		run_all();
		memset(fake_req, 0, sizeof(fake_req));
		while (f.nheld_events == 0)
			assert_true(fake_turn() || fake_ctrl_step());
	}
	assert_int_equal(fake_warnings, 16);
	detach(true);
}

/* --------------------------------------------------------- time-outs -- */

static void
aborted_and_begun_again(void **state)
{
	(void)state;
	fake_honest();
	attach();
	f.hold = 1;
	fake_submit(0, disk("nvme0n1"), DISK_READ, 0, 1);
	run_all();
	assert_int_equal(f.aborts, 1);
	assert_int_equal(fake_req[0].error, 0);
	assert_int_equal(fake_req[0].dr.tries, 2);
	assert_in_range(fake_now, 30000000000, 40000000000);
	detach(true);
}

static void
a_fatal_status(void **state)
{
	(void)state;
	fake_honest();
	attach();
	f.fatal = true;
	fake_submit(0, disk("nvme0n1"), DISK_READ, 0, 1);
	run_all();
	assert_int_equal(fake_req[0].error, 0);
	detach(true);
}

static void
lost_interrupts(void **state)
{
	unsigned i;

	(void)state;
	fake_honest();
	attach();
	f.lose_interrupts = true;
	for (i = 0; i < 10; i++)
		fake_submit(i, disk("nvme0n1"), DISK_READ, 0, 1);
	run_all();
	for (i = 0; i < 10; i++)
		assert_int_equal(fake_req[i].error, 0);
	assert_int_equal(f.aborts, 0);
	f.lose_interrupts = false;
	detach(true);
}

static void
errors_and_tries(void **state)
{
	static const struct {
		unsigned fail;
		uint16_t status;
		int error;
		uint8_t tries;
	} t[] = { { 1, 0x281, 0, 2 }, { 4, 0x281, 0, 5 }, { 5, 0x281, -EIO, 5 },
		{ 1, 0x4281, -EIO, 1 }, { 1, NVME_SC_LBA_RANGE, -EIO, 1 },
		{ 1, NVME_SC_CAPACITY, -ENOSPC, 1 },
		{ 1, NVME_SC_BAD_OPCODE, -EOPNOTSUPP, 1 } };
	unsigned i;

	(void)state;
	fake_honest();
	attach();
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		f.fail = t[i].fail;
		f.fail_status = t[i].status;
		fake_submit(0, disk("nvme0n1"), DISK_READ, 0, 1);
		run_all();
		assert_int_equal(fake_req[0].error, t[i].error);
		assert_int_equal(fake_req[0].dr.tries, t[i].tries);
	}
	detach(true);
}

/* --------------------------------------------------------------- lies -- */

static void
registers_that_make_no_sense(void **state)
{
	static const struct {
		uint64_t clear, set;
		const char *line;
	} t[] = { { 0xffff, 0, "queues of one entry" },
		{ 1ull << 37, 0, "no NVM command set" },
		{ 0, 5ull << 48 | 5ull << 52, "pages are too large" },
		{ 0, 3ull << 48, "pages are too large" },
		{ 0, 15ull << 32, "outside of its registers" } };
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		fake_honest();
		f.cap = (f.cap & ~t[i].clear) | t[i].set;
		assert_int_equal(fake_attach(), -EPROTO);
		assert_non_null(strstr(fake_log, t[i].line));
		fake_check_clean();
	}
	fake_honest();
	f.absent = true;
	assert_int_equal(fake_attach(), -ENODEV);
	fake_check_clean();
}

static void
one_that_is_never_ready(void **state)
{
	(void)state;
	fake_honest();
	f.never_ready = true;
	assert_int_equal(fake_attach(), 0);
	left_alone("no answer (it does not become ready)");
	fake_honest();
	f.silent = true; /* ready, but answers nothing */
	assert_int_equal(fake_attach(), 0);
	left_alone("no answer (identify)");
}

static struct nvme_id_ctrl *
id_of(uint8_t *data)
{
	return (struct nvme_id_ctrl *)data;
}

static unsigned lie_number;

static void
lie_in_identify(uint8_t *data, const struct nvme_sqe *s)
{
	struct nvme_id_ns *ns = (struct nvme_id_ns *)data;
	uint32_t *list = (uint32_t *)data, cns = s->cdw10 & 0xff;

	if (s->opcode != NVME_ADMIN_IDENTIFY)
		return;
	switch (cns << 8 | lie_number) {
	case NVME_CNS_CTRL << 8 | 0: id_of(data)->sqes = 0x77; break;
	case NVME_CNS_CTRL << 8 | 1: id_of(data)->cqes = 0; break;
	case NVME_CNS_CTRL << 8 | 2: id_of(data)->nn = 0x7fffffff; break;
	case NVME_CNS_NS << 8 | 3: ns->flbas = 9; break;
	case NVME_CNS_NS << 8 | 4: ns->lbaf[0].lbads = 63; break;
	case NVME_CNS_NS << 8 | 5: ns->nsze = UINT64_MAX; break;
	case NVME_CNS_ACTIVE << 8 | 6: list[1] = 1; break;
	case NVME_CNS_ACTIVE << 8 | 7: list[0] = 1000; break;
	case NVME_CNS_ACTIVE << 8 | 8: memset(data, 0xff, 4096); break;
	}
}

static void
identify_that_makes_no_sense(void **state)
{
	(void)state;
	for (lie_number = 0; lie_number < 9; lie_number++) {
		fake_honest();
		f.lie_data = lie_in_identify;
		assert_int_equal(fake_attach(), 0);
		left_alone("makes no sense");
	}
}

/* No use for these, and no lie either. */
static void
formats_without_use(void **state)
{
	(void)state;
	fake_honest();
	f.ns[0].lbaf[0].metadata = 8;
	f.ns[1].lbaf[0].lbads = 16;
	fake_ns(3, 100);
	attach();
	assert_null(fake_disk_named("nvme0n1"));
	assert_null(fake_disk_named("nvme0n2"));
	assert_int_equal(disk("nvme0n3")->disk.info.nsectors, 100);
	detach(true);
}

static void
lie_in_answer(struct nvme_cqe *e, const struct nvme_sqe *s)
{
	(void)s;
	if (e->sq_id == 0)
		return;
	switch (lie_number) {
	case 0: e->cid ^= 0x7ff; break;
	case 1: e->cid ^= 0x1000; break;
	case 2: e->cid = 0xffff; break;
	case 3: e->sq_id = 5; break;
	case 4: e->sq_head = 0xffff; break;
	}
}

static void
answers_that_make_no_sense(void **state)
{
	unsigned i;

	(void)state;
	for (lie_number = 0; lie_number < 5; lie_number++) {
		fake_honest();
		attach();
		f.lie = lie_in_answer;
		for (i = 0; i < 6; i++)
			fake_submit(i, disk("nvme0n1"), DISK_READ, 0, 1);
		left_alone("queue 1: ");
	}
}

static void
double_completion(void **state)
{
	struct nvme_cqe e = { .sq_id = 1, .sq_head = 1 };

	(void)state;
	fake_honest();
	attach();
	fake_cpu = 0;
	fake_submit(0, disk("nvme0n1"), DISK_READ, 0, 1);
	e.cid = ((struct nvme_sqe *)fake_c->ioq[0].sq.kva)[0].cid;
	run_all();
	fake_submit(1, disk("nvme0n1"), DISK_READ, 0, 1);
	fake_post(1, e);
	fake_interrupt(1);
	assert_int_equal(fake_req[0].ends, 1);
	left_alone("an answer to no command");
}

/* Does it look at what it was not told of?  Old answers stay old. */
static void
phase_games(void **state)
{
	unsigned i;

	(void)state;
	fake_honest();
	f.cap = (f.cap & ~0xffffull) | 3; /* 4 entries: many turns */
	attach();
	for (i = 0; i < 40; i++) {
		fake_cpu = i % 2;
		fake_submit(i % 8, disk("nvme0n1"), DISK_READ, 0, 1);
		fake_interrupt(1); /* nothing is there yet */
		fake_interrupt(2);
		run_all();
		assert_int_equal(fake_req[i % 8].error, 0);
	}
	detach(true);
}

/* After the reset another one answers: its disks are not ours. */
static void
another_after_reset(void **state)
{
	(void)state;
	fake_honest();
	attach();
	memcpy(f.id.serial, "SOFT2", 5);
	nvme_want_reset(fake_c);
	left_alone("another one after a reset");
}

static void
one_that_does_not_stop(void **state)
{
	unsigned i;

	(void)state;
	fake_honest();
	attach();
	f.never_stops = true;
	f.hold = 10;
	for (i = 0; i < 10; i++)
		fake_submit(i, disk("nvme0n1"), DISK_READ, 0, 4);
	while (f.nheld < 10)
		assert_true(fake_turn() || fake_ctrl_step());
	detach(false);
	assert_true(fake_kept > 0);
	assert_int_equal(fake_runs_kept, 40);
	fake_write_late(); /* nobody's memory any more: no harm */
}

/* -------------------------------------------------------- programs -- */

static void
commands_of_programs(void **state)
{
	static uint8_t buf[20000];
	struct asked a = { .p = { .sqe = { .opcode = NVME_ADMIN_IDENTIFY,
				      .cdw10 = NVME_CNS_CTRL },
			       .buf = buf,
			       .len = 4096,
			       .in = true } };
	struct asked io = { .io = true,
		.p = {
		    .sqe = { .opcode = NVME_CMD_READ, .nsid = 1, .cdw12 = 31 },
		    .buf = buf,
		    .len = 16384,
		    .in = true } };

	(void)state;
	fake_honest();
	attach();
	a.h = io.h = fake_c->handle;
	ask(&a);
	fake_until(fake_is_true, &a.ended, "identify");
	assert_int_equal(a.answer, 0);
	assert_memory_equal(buf + 4, "SOFT1", 5);
	paint(3);
	memcpy(f.data[0], fake_memory, 16384);
	ask(&io);
	fake_until(fake_is_true, &io.ended, "a read");
	assert_int_equal(io.answer, 0);
	assert_memory_equal(buf, fake_memory, 16384);
	a.p.sqe.cdw10 = 99;
	ask(&a);
	fake_until(fake_is_true, &a.ended, "a bad one");
	assert_int_equal(a.answer, NVME_SC_BAD_FIELD | NVME_STATUS_DNR);
	a.p.sqe.opcode = NVME_ADMIN_FORMAT;
	assert_int_equal(nvme_handle_command(a.h, false, &a.p), -EPERM);
	a.p.sqe.opcode = NVME_ADMIN_DELETE_SQ;
	assert_int_equal(nvme_handle_command(a.h, false, &a.p), -EPERM);
	/* One that never ends, for its time: the controller is reset. */
	a.p.sqe.opcode = NVME_ADMIN_ASYNC_EVENT;
	a.p.sqe.opcode = NVME_CMD_READ;
	io.p.timeout_ms = 100;
	f.hold = 1;
	ask(&io);
	fake_until(fake_is_true, &io.ended, "the time-out");
	assert_int_equal(io.answer, -ETIMEDOUT);
	fake_submit(0, disk("nvme0n1"), DISK_READ, 0, 1);
	run_all();
	assert_true(f.resets > 0);
	/* Who holds it after the end gets ENODEV; the number stays his. */
	nvme_handle_get(a.h);
	fake_detach_end(fake_detach_begin(true));
	assert_true(nvme_unit_in_use(0));
	assert_int_equal(nvme_handle_command(a.h, false, &a.p), -ENODEV);
	assert_int_equal(nvme_handle_reset(a.h, false), -ENODEV);
	nvme_handle_put(a.h);
	fake_check_clean();
}

/* In the middle of a program's command it goes. */
static void
a_program_waits_for_one_that_goes(void **state)
{
	struct asked io = { .io = true,
		.p = { .sqe = { .opcode = NVME_CMD_FLUSH, .nsid = 1 } } };
	struct fake_end *e;

	(void)state;
	fake_honest();
	attach();
	io.h = fake_c->handle;
	f.silent = true;
	ask(&io);
	e = fake_detach_begin(false);
	fake_until(fake_is_true, &io.ended, "the answer");
	assert_int_equal(io.answer, -ENODEV);
	fake_detach_end(e);
	fake_check_clean();
}

static void
memory_runs_out(void **state)
{
	bool whole = false;
	long n;

	(void)state;
	for (n = 0; !whole; n++) {
		fake_honest();
		fake_budget = n;
		if (fake_attach() != 0) {
			fake_budget = -1;
			fake_check_clean();
			continue;
		}
		fake_until(settled, NULL, "the first disks");
		fake_budget = -1;
		whole = fake_disk_named("nvme0n1") != NULL &&
		    fake_disk_named("nvme0n2") != NULL;
		detach(!fake_reported);
	}
	assert_true(n > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_arrive_and_depart),
		cmocka_unit_test(power_goes),
		cmocka_unit_test(data_goes_both_ways),
		cmocka_unit_test(odd_pieces),
		cmocka_unit_test(full_and_room_again),
		cmocka_unit_test(fewer_than_wanted),
		cmocka_unit_test(varieties),
		cmocka_unit_test(timeouts_as_asked),
		cmocka_unit_test(namespaces_come_and_go),
		cmocka_unit_test(other_events_are_told),
		cmocka_unit_test(aborted_and_begun_again),
		cmocka_unit_test(a_fatal_status),
		cmocka_unit_test(lost_interrupts),
		cmocka_unit_test(errors_and_tries),
		cmocka_unit_test(registers_that_make_no_sense),
		cmocka_unit_test(one_that_is_never_ready),
		cmocka_unit_test(identify_that_makes_no_sense),
		cmocka_unit_test(formats_without_use),
		cmocka_unit_test(answers_that_make_no_sense),
		cmocka_unit_test(double_completion),
		cmocka_unit_test(phase_games),
		cmocka_unit_test(another_after_reset),
		cmocka_unit_test(one_that_does_not_stop),
		cmocka_unit_test(commands_of_programs),
		cmocka_unit_test(a_program_waits_for_one_that_goes),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
