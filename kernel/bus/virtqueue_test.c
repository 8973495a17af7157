/* SPDX-License-Identifier: ISC */
/*
 * virtqueue_test.c - virtqueues against a device that the test plays: honest
 * ones of every kind, with a model of what is under way, and lying ones.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "bus/virtio_fake.h"
#include <setjmp.h>

#include <cmocka.h>

#define V1       VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define PACKED   VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define INDIRECT VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT    VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX)

static const uint64_t kinds[] = { V1, V1 | EVENT, V1 | INDIRECT,
	V1 | INDIRECT | EVENT, V1 | PACKED, V1 | PACKED | EVENT,
	V1 | PACKED | INDIRECT, V1 | PACKED | INDIRECT | EVENT, 0,
	INDIRECT | EVENT };

static struct fake_device f;
static unsigned interrupts;

static void
count_interrupt(void *arg)
{
	(void)arg;
	interrupts++;
}

static struct virtqueue *
make(uint64_t offers, unsigned size, unsigned ntables)
{
	struct virtqueue_spec spec = { .max_chain = 20,
		.ntables = ntables,
		.intr = count_interrupt };
	struct virtqueue *vq = NULL;

	fake_init(&f, offers, size);
	f.vd.legacy = (offers & V1) == 0;
	f.ops.generation = f.vd.legacy ? NULL : fake_generation;
	virtio_device_of(NULL);
	assert_int_equal(virtio_negotiate(&f.vd, 0, 1), 0);
	assert_int_equal(f.vd.features, offers);
	assert_int_equal(virtqueue_create(&f.vd, &spec, &vq), 0);
	virtio_driver_ok(&f.vd);
	return vq;
}

static void
unmake(struct virtqueue *vq)
{
	assert_true(virtio_stop(&f.vd, false));
	virtqueue_destroy(vq, true);
	assert_int_equal(fake_live, 0);
}

static int cookie[64];
static const struct dma_seg three[] = { { 0x1000, 16 }, { 0x2000, 512 },
	{ 0x3000, 1 } };

static void
there_and_back(void **state)
{
	struct fake_chain c;
	struct virtqueue *vq;
	uint32_t len;
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		vq = make(kinds[i], 8, 2);
		assert_null(virtqueue_pop(vq, &len));
		assert_int_equal(virtqueue_push(vq, three, 1, 2, cookie), 0);
		assert_true(virtqueue_kick_needed(vq));
		assert_false(virtqueue_kick_needed(vq));
		assert_true(fake_next(&f, 0, &c));
		assert_int_equal(c.n, 3);
		assert_int_equal(c.nread, 1);
		assert_int_equal(c.seg[1].addr, 0x2000);
		assert_int_equal(c.writable, 513);
		fake_answer(&f, 0, c.id, 500, c.places);
		assert_true(fake_wants_interrupt(&f, 0));
		virtio_interrupt(&f.vd, true, false);
		assert_ptr_equal(virtqueue_pop(vq, &len), cookie);
		assert_int_equal(len, 500);
		assert_null(virtqueue_pop(vq, &len));
		assert_int_equal(virtqueue_outstanding(vq), 0);
		unmake(vq);
	}
	assert_int_equal(interrupts, ARRAY_SIZE(kinds));
}

/* ------------------------------------------------------------ a model -- */

struct under_way {
	struct fake_chain c;
	unsigned cookie;
};

static unsigned long seed = 1;

static unsigned
rnd(unsigned n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (seed >> 33) % n;
}

struct model {
	struct virtqueue *vq;
	uint32_t writable[64]; /* of each cookie; 0: not offered */
	uint32_t answered[64]; /* the length, plus one; 0: not answered */
	struct under_way seen[64];
	unsigned nseen, noffered;
};

static void
model_push(struct model *m)
{
	struct dma_seg seg[20];
	unsigned i, k = rnd(64), nread, nwrite;
	uint32_t writable = 0;
	int error;

	if (m->writable[k] != 0)
		return;
	nread = rnd(9);
	nwrite = 1 + rnd(9);
	for (i = 0; i < nread + nwrite; i++) {
		seg[i] = (struct dma_seg){ 0x1000 * k + i, 1 + rnd(5000) };
		if (i >= nread)
			writable += seg[i].len;
	}
	error = virtqueue_push(m->vq, seg, nread, nwrite, &cookie[k]);
	if (error == -E2BIG) {
		assert_true(nread + nwrite > virtqueue_size(m->vq));
		return;
	}
	if (error == -ENOSPC) {
		assert_true(nread + nwrite > virtqueue_room(m->vq));
		return;
	}
	assert_int_equal(error, 0);
	m->writable[k] = writable;
	m->noffered++;
}

static void
model_see(struct model *m)
{
	struct under_way *u = &m->seen[m->nseen];

	if (!fake_next(&f, 0, &u->c))
		return;
	u->cookie = u->c.seg[0].addr / 0x1000;
	assert_int_equal(u->c.writable, m->writable[u->cookie]);
	m->nseen++;
}

static void
model_answer(struct model *m)
{
	unsigned i;
	uint32_t len;

	if (m->nseen == 0)
		return;
	i = rnd(m->nseen);
	len = rnd(m->seen[i].c.writable + 1);
	fake_answer(&f, 0, m->seen[i].c.id, len, m->seen[i].c.places);
	m->answered[m->seen[i].cookie] = len + 1;
	m->seen[i] = m->seen[--m->nseen];
}

static bool
model_pop(struct model *m)
{
	uint32_t len;
	int *c = virtqueue_pop(m->vq, &len);
	unsigned k;

	if (c == NULL)
		return false;
	k = c - cookie;
	assert_int_equal(m->answered[k], len + 1);
	m->answered[k] = 0;
	m->writable[k] = 0;
	m->noffered--;
	return true;
}

/* Whoever waits for an interrupt must get one. */
static void
model_sleep(struct model *m)
{
	unsigned k, i;

	fake_wants_interrupt(&f, 0);
	virtqueue_intr_off(m->vq);
	while (model_pop(m))
		;
	for (k = 0; k < 64; k++)
		assert_int_equal(m->answered[k], 0);
	assert_true(virtqueue_intr_on(m->vq));
	for (i = 0; i < 3; i++)
		model_see(m);
	if (m->nseen > 0) {
		model_answer(m);
		assert_true(fake_wants_interrupt(&f, 0));
		assert_false(virtqueue_intr_on(m->vq));
	}
}

static void
honest_for_long(void **state)
{
	static const unsigned sizes[] = { 1, 2, 4, 16, 32, 64 };
	struct model m;
	unsigned i, k, step;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(sizes); i++) {
		memset(&m, 0, sizeof(m));
		m.vq = make(kinds[i / ARRAY_SIZE(sizes)],
		    sizes[i % ARRAY_SIZE(sizes)], 5);
		for (step = 0; step < 20000; step++) {
			switch (rnd(9)) {
			case 0:
			case 1:
			case 2: model_push(&m); break;
			case 3: virtqueue_kick(m.vq); break;
			case 4:
			case 5: model_see(&m); break;
			case 6: model_answer(&m); break;
			case 7: model_pop(&m); break;
			default:
				if (rnd(20) == 0)
					model_sleep(&m);
			}
			assert_int_equal(virtqueue_outstanding(m.vq),
			    m.noffered);
		}
		for (k = 0; virtqueue_take_back(m.vq) != NULL; k++)
			;
		assert_int_equal(k, m.noffered);
		assert_int_equal(virtqueue_nbad(m.vq), 0);
		assert_int_equal(fake_lines, 0);
		unmake(m.vq);
	}
}

static void
kicks_are_spared(void **state)
{
	struct vring_used *u;
	struct virtqueue *vq = make(V1, 8, 0);

	(void)state;
	u = (void *)(uintptr_t)f.ring[0].place.device;
	u->flags = VRING_USED_F_NO_NOTIFY;
	virtqueue_push(vq, three, 1, 2, cookie);
	virtqueue_kick(vq);
	assert_int_equal(f.ring[0].kicks, 0);
	unmake(vq);

	vq = make(V1 | EVENT, 8, 0);
	u = (void *)(uintptr_t)f.ring[0].place.device;
	memcpy(&u->ring[8], &(uint16_t){ 1 }, 2); /* tell me of the second */
	virtqueue_push(vq, three, 1, 2, &cookie[0]);
	virtqueue_kick(vq);
	assert_int_equal(f.ring[0].kicks, 0);
	virtqueue_push(vq, three, 1, 2, &cookie[1]);
	virtqueue_kick(vq);
	assert_int_equal(f.ring[0].kicks, 1);
	unmake(vq);
}

static void
late_interrupts(void **state)
{
	struct virtqueue *vq = make(V1 | EVENT, 16, 0);
	struct fake_chain c;
	uint32_t len;
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++)
		virtqueue_push(vq, three, 1, 0, &cookie[i]);
	assert_true(virtqueue_intr_on_late(vq));
	for (i = 0; i < 4; i++) {
		assert_true(fake_next(&f, 0, &c));
		fake_answer(&f, 0, c.id, 0, c.places);
		assert_int_equal(fake_wants_interrupt(&f, 0), i == 3);
	}
	assert_ptr_equal(virtqueue_pop(vq, &len), &cookie[0]);
	unmake(vq);
}

/* --------------------------------------------------------------- liars -- */

static void
is_broken(struct virtqueue *vq)
{
	uint32_t len;

	assert_null(virtqueue_pop(vq, &len));
	assert_int_equal(virtqueue_nbad(vq), 1);
	assert_true(virtio_is_broken(&f.vd));
	assert_int_equal(fake_gone, 1);
	assert_int_equal(fake_lines, 1);
	assert_null(virtqueue_pop(vq, &len));
	assert_true(virtqueue_intr_on(vq));
	assert_int_equal(virtqueue_push(vq, three, 1, 2, cookie), -ENODEV);
	assert_int_equal(fake_lines, 1);
	assert_ptr_equal(virtqueue_take_back(vq), cookie);
	assert_null(virtqueue_take_back(vq));
	unmake(vq);
}

static const uint64_t two_formats[] = { V1, V1 | PACKED };

static void
an_answer_to_nothing(void **state)
{
	static const uint32_t ids[] = { 1, 7, 8, 255, 65535, 65536, 0x80000000,
		UINT32_MAX };
	struct virtqueue *vq;
	unsigned i, k;

	(void)state;
	for (i = 0; i < 2 * ARRAY_SIZE(ids); i++) {
		k = i / 2;
		vq = make(two_formats[i % 2], 8, 0);
		assert_int_equal(virtqueue_push(vq, three, 1, 2, cookie), 0);
		if (i % 2 == 1 && (uint16_t)ids[k] == 0)
			fake_answer(&f, 0, 9, 1, 3);
		else
			fake_answer(&f, 0, ids[k], 1, 3);
		is_broken(vq);
	}
}

static void
the_same_answer_twice(void **state)
{
	struct fake_chain c;
	struct virtqueue *vq;
	uint32_t len;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		vq = make(two_formats[i], 8, 0);
		virtqueue_push(vq, three, 1, 2, &cookie[1]);
		virtqueue_push(vq, three, 1, 2, &cookie[0]);
		assert_true(fake_next(&f, 0, &c));
		fake_answer(&f, 0, c.id, 1, c.places);
		fake_answer(&f, 0, c.id, 1, c.places);
		assert_ptr_equal(virtqueue_pop(vq, &len), &cookie[1]);
		is_broken(vq);
	}
}

static void
more_answers_than_chains(void **state)
{
	struct virtqueue *vq = make(V1, 8, 0);
	struct vring_used *u = (void *)(uintptr_t)f.ring[0].place.device;
	uint32_t len;

	(void)state;
	virtqueue_push(vq, three, 1, 2, cookie);
	u->idx = 2;
	is_broken(vq);

	vq = make(V1, 8, 0);
	u = (void *)(uintptr_t)f.ring[0].place.device;
	virtqueue_push(vq, three, 1, 2, cookie);
	u->idx = UINT16_MAX; /* backwards */
	is_broken(vq);

	vq = make(V1 | PACKED, 8, 0);
	fake_answer(&f, 0, 0, 1, 1);
	assert_null(virtqueue_pop(vq, &len));
	assert_true(virtio_is_broken(&f.vd));
	unmake(vq);
}

static void
a_length_that_is_too_long_is_cut(void **state)
{
	struct fake_chain c;
	struct virtqueue *vq;
	uint32_t len;
	unsigned i, k;

	(void)state;
	for (i = 0; i < 2; i++) {
		vq = make(two_formats[i], 8, 0);
		for (k = 0; k < 3; k++) {
			virtqueue_push(vq, three, 1, 2, cookie);
			assert_true(fake_next(&f, 0, &c));
			fake_answer(&f, 0, c.id, 514 + k, c.places);
			assert_ptr_equal(virtqueue_pop(vq, &len), cookie);
			assert_int_equal(len, 513);
		}
		assert_int_equal(virtqueue_nbad(vq), 3);
		assert_int_equal(fake_lines, 1);
		assert_int_equal(fake_gone, 0);
		unmake(vq);
	}
}

/* What lies in the ring is the device's to spoil. */
static void
nothing_is_read_back(void **state)
{
	struct virtqueue *vq = make(V1, 8, 0);
	struct fake_chain c;
	uint32_t len;
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_int_equal(virtqueue_push(vq, three, 1, 2, cookie), 0);
		assert_int_equal(virtqueue_push(vq, three, 1, 2, &cookie[1]),
		    0);
		assert_true(fake_next(&f, 0, &c));
		memset((void *)(uintptr_t)f.ring[0].place.desc, 0xff, 128);
		fake_answer(&f, 0, c.id, 1, c.places);
		assert_ptr_equal(virtqueue_pop(vq, &len), cookie);
		f.ring[0].seen++;
		fake_answer(&f, 0, c.id ^ 3, 1, 3);
		if (virtqueue_pop(vq, &len) == NULL)
			break; /* that was not its number */
	}
	assert_int_equal(fake_gone, i < 100);
	unmake(vq);
}

/* ------------------------------------------------------ the greeting -- */

static void
queues_that_make_no_sense(void **state)
{
	struct virtqueue_spec spec = { .max_chain = 4 };
	struct virtqueue *vq;

	(void)state;
	fake_init(&f, V1, 0);
	assert_int_equal(virtio_negotiate(&f.vd, 0, 1), 0);
	assert_int_equal(virtqueue_create(&f.vd, &spec, &vq), -ENOENT);
	f.queue_max[0] = 65536;
	assert_int_equal(virtqueue_create(&f.vd, &spec, &vq), -EPROTO);
	f.queue_max[0] = 11;
	assert_int_equal(virtqueue_create(&f.vd, &spec, &vq), 0);
	assert_int_equal(virtqueue_size(vq), 8);
	virtqueue_destroy(vq, true);
	f.ops.queue_size_fixed = true;
	assert_int_equal(virtqueue_create(&f.vd, &spec, &vq), -EPROTO);
	f.queue_max[0] = 1024;
	assert_int_equal(virtqueue_create(&f.vd, &spec, &vq), 0);
	assert_int_equal(virtqueue_size(vq), 1024);
	virtqueue_destroy(vq, true);
	assert_int_equal(fake_live, 0);
}

static void
devices_that_do_not_greet(void **state)
{
	(void)state;
	fake_init(&f, 0, 8);
	assert_int_equal(virtio_negotiate(&f.vd, 0, 1), -EPROTO);
	fake_init(&f, V1, 8);
	f.refuses = true;
	assert_int_equal(virtio_negotiate(&f.vd, 0, 1), -EPROTO);
	fake_init(&f, V1, 8);
	f.status = 4;
	f.stuck = true;
	assert_int_equal(virtio_negotiate(&f.vd, 0, 1), -ENODEV);
	assert_false(virtio_stop(&f.vd, false));
	assert_false(virtio_stop(&f.vd, true));
	fake_init(&f, V1, 8);
	f.absent = true;
	assert_int_equal(virtio_negotiate(&f.vd, 0, 1), -ENODEV);
	assert_true(virtio_stop(&f.vd, true));
}

static void
features_are_agreed_on(void **state)
{
	(void)state;
	fake_init(&f, V1 | 0xff | VIRTIO_BIT(38) | VIRTIO_BIT(33), 8);
	assert_int_equal(virtio_negotiate(&f.vd, 0x5a00 | 0x11, 1), 0);
	assert_int_equal(f.vd.features, V1 | 0x11 | VIRTIO_BIT(33));
	assert_int_equal(f.accept_word[0], 0x11);
	assert_int_equal(f.accept_word[1], 3);
}

static void
read_four(struct virtio_device *vd, void *arg)
{
	*(uint32_t *)arg = virtio_config32(vd, 4);
}

static void
configuration_stands_still(void **state)
{
	uint32_t v = 0;

	(void)state;
	fake_init(&f, V1, 8);
	f.config[4] = 77;
	f.generation_moves = 5;
	assert_int_equal(virtio_config(&f.vd, read_four, &v), 0);
	assert_int_equal(v, 77);
	f.generation_moves = UINT32_MAX;
	assert_int_equal(virtio_config(&f.vd, read_four, &v), -EIO);
}

static void
needs_reset(void **state)
{
	struct virtqueue *vq = make(V1, 8, 0);

	(void)state;
	virtio_interrupt(&f.vd, false, true);
	assert_int_equal(fake_gone, 0);
	f.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	virtio_interrupt(&f.vd, false, true);
	virtio_interrupt(&f.vd, false, true);
	assert_int_equal(fake_gone, 1);
	assert_int_equal(fake_lines, 1);
	unmake(vq);
}

static void
memory_runs_out(void **state)
{
	struct virtqueue_spec spec = { .max_chain = 20, .ntables = 3 };
	struct virtqueue *vq;
	int error = -ENOMEM;
	long n;

	(void)state;
	for (n = 0; error != 0; n++) {
		fake_init(&f, V1 | INDIRECT, 8);
		assert_int_equal(virtio_negotiate(&f.vd, 0, 1), 0);
		fake_budget = n;
		error = virtqueue_create(&f.vd, &spec, &vq);
		fake_budget = -1;
		assert_true(error == 0 || error == -ENOMEM);
		if (error == 0)
			virtqueue_destroy(vq, true);
		assert_int_equal(fake_live, 0);
	}
	assert_int_equal(n, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(honest_for_long),
		cmocka_unit_test(kicks_are_spared),
		cmocka_unit_test(late_interrupts),
		cmocka_unit_test(an_answer_to_nothing),
		cmocka_unit_test(the_same_answer_twice),
		cmocka_unit_test(more_answers_than_chains),
		cmocka_unit_test(a_length_that_is_too_long_is_cut),
		cmocka_unit_test(nothing_is_read_back),
		cmocka_unit_test(queues_that_make_no_sense),
		cmocka_unit_test(devices_that_do_not_greet),
		cmocka_unit_test(features_are_agreed_on),
		cmocka_unit_test(configuration_stands_still),
		cmocka_unit_test(needs_reset),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
