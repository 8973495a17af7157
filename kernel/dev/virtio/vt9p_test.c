/* SPDX-License-Identifier: ISC */
/*
 * vt9p_test.c - the 9P driver and a device that lies: in its configuration,
 * in the heads of its answers, and by leaving.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "bus/virtio_fake.h"
#include "bus/dma_fake.h"
#include "dev/virtio/vt9p.c"
#include <setjmp.h>

#include <cmocka.h>

#define ALL  (VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_9P_MOUNT_TAG))
#define REQS 10u

static struct fake_device f;
static struct vt9p_softc *softc;
static const struct p9_ops *ops; /* NULL: not arrived */

static struct test_req {
	struct p9_req req;
	uint8_t t[P9_HEAD + 4], r[64];
	unsigned ends;
	int error;
} reqs[REQS];

/* ------------------------------------- what the driver finds around it -- */

void *
device_softc(const struct device *dev)
{
	(void)dev;
	return softc;
}

void
device_announce(struct device *dev, const char *fmt, ...)
{
	(void)dev;
	(void)fmt;
}

int
p9_arrive(const char *tag, const struct p9_ops *o, void *arg, unsigned max_runs,
    struct p9_channel **out)
{
	(void)arg;
	(void)max_runs;
	assert_string_equal(tag, "share");
	ops = o;
	*out = (void *)&ops;
	return 0;
}

void
p9_depart(struct p9_channel *ch)
{
	if (ch != NULL)
		ops = NULL;
}

void
p9_done(struct p9_req *req, int error)
{
	struct test_req *r = container_of(req, struct test_req, req);

	r->ends++;
	r->error = error;
}

/* ------------------------------------------------------------- tests -- */

static int
attach(const char *tag, size_t len)
{
	fake_init(&f, ALL, 64);
	memcpy(f.config, &len, 2);
	memcpy(f.config + 2, tag, strlen(tag));
	memset(reqs, 0, sizeof(reqs));
	softc = kzalloc(sizeof(*softc));
	return softc == NULL ? -ENOMEM : vt9p_driver.attach(NULL);
}

static void
detach(bool attached, enum detach_kind kind)
{
	if (attached)
		vt9p_driver.detach(NULL, kind);
	assert_null(ops);
	kfree(softc);
	assert_int_equal(fake_live, 0);
}

static int
submit(unsigned i, uint8_t type)
{
	struct p9_req *req = &reqs[i].req;

	*req = (struct p9_req){ .t = reqs[i].t,
		.tlen = sizeof(reqs[i].t),
		.r = reqs[i].r,
		.rlen = sizeof(reqs[i].r) };
	req->t[4] = type;
	return ops->submit(softc, req);
}

/* Answers the next message with this head; tag < 0: the right one. */
static void
answer(uint32_t size, uint8_t type, int tag, uint32_t len)
{
	struct fake_chain c;
	const uint8_t *t;
	uint8_t *r;

	assert_true(fake_next(&f, 0, &c));
	assert_int_equal(c.n, 2);
	assert_int_equal(c.nread, 1);
	t = (const void *)(uintptr_t)c.seg[0].addr;
	r = (void *)(uintptr_t)c.seg[1].addr;
	memcpy(r, &size, 4);
	r[4] = type;
	r[5] = tag < 0 ? t[5] : tag;
	r[6] = tag < 0 ? t[6] : tag >> 8;
	fake_answer(&f, 0, c.id, len, c.places);
	virtio_interrupt(&f.vd, true, false);
}

static void
honest(void **state)
{
	(void)state;
	assert_int_equal(attach("share", 5), 0);
	assert_int_equal(submit(0, P9_TVERSION), 0);
	assert_int_equal(reqs[0].t[5] | reqs[0].t[6] << 8, P9_NOTAG);
	answer(21, P9_TVERSION + 1, -1, 21);
	assert_int_equal(reqs[0].ends, 1);
	assert_int_equal(reqs[0].error, 0);
	assert_int_equal(reqs[0].req.got, 21);
	assert_int_equal(submit(1, 24), 0);
	answer(P9_ERROR_LEN, P9_RLERROR, -1, P9_ERROR_LEN);
	assert_int_equal(reqs[1].error, 0);
	assert_false(virtio_is_broken(&f.vd));
	detach(true, DETACH_ASKED);
}

static void
liars(void **state)
{
	static const struct {
		uint32_t size;
		uint8_t type;
		int tag;
		uint32_t len;
	} lies[] = {
		{ 0, 25, -1, 20 },  /* no size */
		{ 21, 25, -1, 20 }, /* more than came */
		{ 7, 25, -1, 6 },   /* no whole head */
		{ UINT32_MAX, 25, -1, 64 },
		{ 20, 24, -1, 20 },
		{ 20, 27, -1, 20 }, /* another's answer */
		{ 20, 25, 1, 20 },  /* another's tag */
		{ 20, 25, 0xffff, 20 },
		{ 7, P9_RLERROR, -1, 7 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		assert_int_equal(attach("share", 5), 0);
		assert_int_equal(submit(0, 24), 0);
		assert_int_equal(submit(1, 24), 0);
		answer(lies[i].size, lies[i].type, lies[i].tag, lies[i].len);
		assert_int_equal(reqs[0].ends, 1);
		assert_int_equal(reqs[0].error, -EIO);
		assert_true(virtio_is_broken(&f.vd));
		assert_int_equal(reqs[1].ends, 0);
		detach(true, DETACH_GONE);
		assert_int_equal(reqs[0].ends, 1);
		assert_int_equal(reqs[1].ends, 1);
		assert_int_equal(reqs[1].error, -ENODEV);
	}
}

static void
full_and_gone(void **state)
{
	unsigned i;

	(void)state;
	assert_int_equal(attach("share", 5), 0);
	for (i = 0; i < NSLOT; i++)
		assert_int_equal(submit(i, 24), 0);
	assert_int_equal(submit(i, 24), -EAGAIN);
	answer(20, 25, -1, 20);
	assert_int_equal(submit(i, 24), 0);
	detach(true, DETACH_ASKED);
	for (i = 0; i <= NSLOT; i++)
		assert_int_equal(reqs[i].ends, 1);
	assert_int_equal(reqs[0].error, 0);
	assert_int_equal(reqs[NSLOT].error, -ENODEV);
}

static void
tags_that_make_no_sense(void **state)
{
	static const struct {
		const char *tag;
		size_t len;
	} bad[] = { { "", 0 }, { "sha\nre", 6 }, { "share", 6 },
		{ "share", 0xffff }, { "a b", 3 } };
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(attach(bad[i].tag, bad[i].len), -EINVAL);
		detach(false, DETACH_ASKED);
	}
}

static void
memory_runs_out(void **state)
{
	int error = -ENOMEM;
	long n;

	(void)state;
	for (n = 0; error != 0; n++) {
		fake_budget = n;
		error = attach("share", 5);
		fake_budget = -1;
		assert_true(error == 0 || error == -ENOMEM);
		detach(error == 0, DETACH_ASKED);
	}
	assert_true(n > 3 * (long)NSLOT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest),
		cmocka_unit_test(liars),
		cmocka_unit_test(full_and_gone),
		cmocka_unit_test(tags_that_make_no_sense),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
