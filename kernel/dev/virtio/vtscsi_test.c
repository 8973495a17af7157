/* SPDX-License-Identifier: ISC */
/*
 * vtscsi_test.c - SCSI disks behind a virtio host: found, read and written,
 * changed and taken away; targets that fail, and such that never answer.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c kernel/dev/scsi/scsi_wire.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "dev/virtio/vtscsi_fake.h"
#include <setjmp.h>

#include <cmocka.h>

#define V1 VIRTIO_BIT(VIRTIO_F_VERSION_1)

static struct fake_device f;

/* What the targets are; those without blocks are not there. */
static struct target {
	uint32_t blocks;
	bool read_only, silent;
	uint8_t fail[8]; /* sense keys to come, the next first; 0: none */
	unsigned commands;
	uint8_t last_cdb[16];
} target[4];

static void
put(uint8_t *p, uint64_t v, unsigned n)
{
	while (n-- > 0) {
		p[n] = v;
		v >>= 8;
	}
}

/* The data of an answer; how many bytes. */
static size_t
data_of(const struct target *t, const uint8_t *cdb, uint8_t *out)
{
	memset(out, 0, 4096);
	switch (cdb[0]) {
	case 0x12:
		if (cdb[1] == 0) {
			memcpy(out + 8, "FISH    DISK            1.0 ", 28);
			return 36;
		}
		out[1] = cdb[2];
		if (cdb[2] == 0) {
			memcpy(out + 2, "\0\4\0\x80\x83\xb0", 6);
			return 8;
		}
		if (cdb[2] == 0x80) {
			memcpy(out + 2, "\0\6 fin7 ", 8);
			return 10;
		}
		if (cdb[2] == 0x83) {
			memcpy(out + 2, "\0\xc\1\3\0\10\x50\1\2\3\4\5\6\7", 14);
			return 16;
		}
		put(out + 2, 60, 2);
		put(out + 8, 100, 4); /* blocks a transfer */
		return 64;
	case 0x9e:
		put(out, t->blocks - 1, 8);
		put(out + 8, 512, 4);
		return 32;
	case 0x1a:
		out[0] = 23;
		out[2] = t->read_only ? 0x80 : 0;
		memcpy(out + 4, "\x08\x12\x04", 3);
		return 24;
	case 0xa0: put(out, 8, 4); return 16;
	default: return 0;
	}
}

static void
answer_cmd(const struct fake_chain *c, struct target *t, unsigned nread)
{
	const struct virtio_scsi_cmd_req *req =
	    (const void *)(uintptr_t)c->seg[0].addr;
	struct virtio_scsi_cmd_resp *resp =
	    (void *)(uintptr_t)c->seg[nread].addr;
	uint8_t data[4096];
	size_t n = data_of(t, req->cdb, data), done = 0, k;
	unsigned i;

	memset(resp, 0, sizeof(*resp));
	if (t->blocks == 0) {
		resp->response = VIRTIO_SCSI_S_BAD_TARGET;
		return;
	}
	t->commands++;
	memcpy(t->last_cdb, req->cdb, 16);
	if (t->fail[0] != 0) {
		resp->status = SCSI_CHECK_CONDITION;
		resp->sense_len = 18;
		resp->sense[0] = 0x70;
		resp->sense[2] = t->fail[0];
		resp->sense[7] = 10;
		memmove(t->fail, t->fail + 1, sizeof(t->fail) - 1);
		return;
	}
	if (req->cdb[0] == 0x28 || req->cdb[0] == 0x88)
		n = 4096;
	for (i = nread + 1; i < c->n && done < n; i++) {
		k = MIN(n - done, c->seg[i].len);
		memcpy((void *)(uintptr_t)c->seg[i].addr, data + done, k);
		done += k;
	}
	for (k = 0, i = nread + 1; i < c->n; i++)
		k += c->seg[i].len;
	resp->resid = k - done;
}

/* The device answers the next command; false: there is none. */
static bool
serve(void)
{
	const struct virtio_scsi_cmd_req *req;
	struct fake_chain c;
	struct target *t;

	if (!fake_next(&f, 2, &c))
		return false;
	req = (const void *)(uintptr_t)c.seg[0].addr;
	assert_int_equal(c.seg[0].len, sizeof(*req));
	assert_int_equal(req->lun[0], 1);
	t = &target[req->lun[1] % ARRAY_SIZE(target)];
	if (t->silent)
		return true;
	answer_cmd(&c, t, c.nread);
	fake_answer(&f, 2, c.id, c.writable, c.places);
	virtio_interrupt(&f.vd, true, false);
	return true;
}

static void
fake_await(void)
{
	if (!serve()) {
		fake_pass(NSEC_PER_SEC);
		if (fake_gone != 0)
			fake_host.gone = true;
	}
}

static void
come(void)
{
	fake_init(&f, V1, 64);
	memset(target, 0, sizeof(target));
	put(f.config, 0, 1);
	f.config[0] = 1;    /* queues */
	f.config[4] = 30;   /* segments */
	f.config[8] = 0xff; /* sectors */
	f.config[12] = 16;  /* commands a unit */
	f.config[20] = 96;  /* sense */
	f.config[24] = 32;  /* command */
	f.config[30] = 3;   /* last target */
	target[1].blocks = 1000;
	target[2].blocks = 2000;
	target[2].read_only = true;
}

static void
start(void)
{
	come();
	assert_int_equal(fake_attach(&f), 0);
	fake_work();
}

static void
found(void **state)
{
	(void)state;
	start();
	assert_non_null(fake_disk[0]);
	assert_non_null(fake_disk[1]);
	assert_null(fake_disk[2]);
	assert_int_equal(fake_disk[0]->info.nsectors, 1000);
	assert_false(fake_disk[0]->info.read_only);
	assert_true(fake_disk[0]->info.volatile_cache);
	assert_int_equal(fake_disk[0]->info.max_sectors, 100);
	assert_string_equal(fake_disk[0]->info.serial, "fin7");
	assert_string_equal(fake_disk[0]->info.wwid, "naa.5001020304050607");
	assert_string_equal(fake_disk[0]->info.model, "DISK");
	assert_true(fake_disk[1]->info.read_only);
	fake_detach(true, DETACH_ASKED);
}

static void
requests(void **state)
{
	unsigned i;

	(void)state;
	start();
	assert_int_equal(fake_submit(fake_disk[0], 0, DISK_READ, 8), 0);
	while (serve())
		;
	assert_int_equal(fake_req[0].ends, 1);
	assert_int_equal(fake_req[0].error, 0);
	assert_memory_equal(target[1].last_cdb, "\x28\0\0\0\0\x08\0\0\x02\0",
	    10);
	assert_int_equal(fake_submit(fake_disk[0], 1, DISK_WRITE, 16), 0);
	assert_int_equal(fake_submit(fake_disk[0], 2, DISK_FLUSH, 0), 0);
	assert_int_equal(fake_submit(fake_disk[1], 3, DISK_WRITE, 0),
	    -EOPNOTSUPP);
	assert_int_equal(fake_submit(fake_disk[0], 3, DISK_ZERO, 0),
	    -EOPNOTSUPP);
	while (serve())
		;
	assert_int_equal(fake_req[1].error | fake_req[2].error, 0);
	for (i = 0; i < 16; i++)
		assert_int_equal(fake_submit(fake_disk[0], i, DISK_READ, 0), 0);
	assert_int_equal(fake_submit(fake_disk[0], 16, DISK_READ, 0), -EAGAIN);
	fake_rooms = 0;
	while (serve())
		;
	assert_true(fake_rooms > 0);
	fake_detach(true, DETACH_ASKED);
}

/* Unit attentions pass, media errors do not; neither is tried for ever. */
static void
failures(void **state)
{
	(void)state;
	start();
	memcpy(target[1].fail, "\6\6\xb", 3);
	assert_int_equal(fake_submit(fake_disk[0], 0, DISK_READ, 0), 0);
	while (fake_req[0].ends == 0)
		fake_await();
	assert_int_equal(fake_req[0].error, 0);
	memcpy(target[1].fail, "\3", 1);
	assert_int_equal(fake_submit(fake_disk[0], 1, DISK_READ, 0), 0);
	while (fake_req[1].ends == 0)
		fake_await();
	assert_int_equal(fake_req[1].error, -EIO);
	memset(target[1].fail, 6, 8);
	assert_int_equal(fake_submit(fake_disk[0], 2, DISK_READ, 0), 0);
	while (fake_req[2].ends == 0)
		fake_await();
	assert_int_equal(fake_req[2].error, -EIO);
	fake_detach(true, DETACH_ASKED);
}

static void
changes(void **state)
{
	(void)state;
	start();
	target[1].blocks = 3000;
	target[2].blocks = 0;
	target[3].blocks = 500;
	fake_rescan_due = true;
	fake_work();
	assert_int_equal(fake_resizes, 1);
	assert_int_equal(fake_disk[0]->info.nsectors, 3000);
	assert_int_equal(fake_units, 2);
	assert_null(fake_disk[1]);
	assert_int_equal(fake_disk[2]->info.nsectors, 500);
	fake_detach(true, DETACH_ASKED);
}

static void
event(void **state)
{
	struct fake_chain c;

	(void)state;
	start();
	target[0].blocks = 7;
	assert_true(fake_next(&f, 1, &c));
	fake_answer(&f, 1, c.id, 16, c.places);
	virtio_interrupt(&f.vd, true, false);
	assert_true(fake_rescan_due);
	fake_work();
	assert_int_equal(fake_units, 3);
	fake_detach(true, DETACH_ASKED);
}

/* The question on the control queue; answered, or not. */
static uint32_t
asked(bool answer)
{
	struct virtio_scsi_ctrl_tmf_req req;
	struct fake_chain c;

	if (!fake_next(&f, 0, &c))
		return UINT32_MAX;
	assert_int_equal(c.seg[0].len, sizeof(req));
	memcpy(&req, (void *)(uintptr_t)c.seg[0].addr, sizeof(req));
	if (answer) {
		fake_answer(&f, 0, c.id, 1, c.places);
		virtio_interrupt(&f.vd, true, false);
	}
	return req.subtype;
}

static void
never_answered(void **state)
{
	(void)state;
	start();
	target[1].silent = true;
	assert_int_equal(fake_submit(fake_disk[0], 0, DISK_READ, 0), 0);
	serve();
	fake_pass(29 * NSEC_PER_SEC);
	assert_int_equal(asked(true), UINT32_MAX);
	fake_pass(3 * NSEC_PER_SEC);
	assert_int_equal(asked(true), VIRTIO_SCSI_T_TMF_ABORT_TASK);
	fake_pass(12 * NSEC_PER_SEC);
	assert_int_equal(asked(true), VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET);
	assert_int_equal(fake_gone, 0);
	fake_pass(12 * NSEC_PER_SEC);
	assert_int_equal(fake_gone, 1);
	assert_int_equal(fake_req[0].ends, 0);
	fake_detach(true, DETACH_GONE);
	assert_int_equal(fake_req[0].ends, 1);
	assert_int_equal(fake_req[0].error, -ENODEV);
}

static void
odd_configurations(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} odd[] = { { 0, 0 }, { 20, 95 }, { 24, 16 } };
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		come();
		f.config[odd[i].at] = odd[i].value;
		assert_int_equal(fake_attach(&f), -EINVAL);
		fake_detach(false, DETACH_ASKED);
	}
}

static void
memory_runs_out(void **state)
{
	int error = -ENOMEM;
	long n, enough = 1000;

	(void)state;
	for (n = 0; n < enough; n += error != 0 ? 1 : 7) {
		come();
		fake_budget = n;
		error = fake_attach(&f);
		if (error == 0)
			fake_work();
		enough = fake_units == 2 && fake_disk[1] != NULL ? n : 1000;
		fake_budget = -1;
		fake_detach(error == 0, DETACH_ASKED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(requests),
		cmocka_unit_test(failures),
		cmocka_unit_test(changes),
		cmocka_unit_test(event),
		cmocka_unit_test(never_answered),
		cmocka_unit_test(odd_configurations),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
