/* SPDX-License-Identifier: ISC */
/*
 * vsock_test.c - sockets to the host, from the rings to connections: made
 * from either side, credit kept by both, peers that lie, the end.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "net/vsock_fake.h"
#include <setjmp.h>

#include <cmocka.h>

static struct fake_device f;

static void
fake_await(void)
{
	fail();
}

static void
come(void)
{
	fake_init(&f, VIRTIO_BIT(VIRTIO_F_VERSION_1), 64);
	f.config[0] = 42;
	assert_int_equal(fake_attach(&f), 0);
	assert_int_equal(vsock_own_cid(), 42);
}

/* The host says this on the connection between its port 7 and our `port`. */
static void
says(unsigned op, uint32_t port, uint32_t alloc, uint32_t fwd, uint32_t len)
{
	struct virtio_vsock_hdr h = { .src_cid = 2,
		.dst_cid = 42,
		.src_port = 7,
		.dst_port = port,
		.len = len,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.flags = op == VIRTIO_VSOCK_OP_SHUTDOWN ? 3 : 0,
		.buf_alloc = alloc,
		.fwd_cnt = fwd };

	assert_true(fake_bring(&f, &h, sizeof(h) + len));
}

/* What the machine says next; op 0: nothing. */
static struct virtio_vsock_hdr
said(void)
{
	struct virtio_vsock_hdr h = { 0 };

	(void)fake_take(&f, &h);
	return h;
}

static void
asked_by_the_host(void **state)
{
	struct virtio_vsock_hdr h;
	struct vsock *l, *v;

	(void)state;
	come();
	says(VIRTIO_VSOCK_OP_REQUEST, 99, 1000, 0, 0);
	h = said();
	assert_int_equal(h.op, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(h.dst_port, 7);
	l = fake_listen(99);
	says(VIRTIO_VSOCK_OP_REQUEST, 99, 1000, 0, 0);
	h = said();
	assert_int_equal(h.op, VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(h.src_cid, 42);
	assert_int_equal(h.buf_alloc, VSOCK_BUF);
	v = TAILQ_FIRST(&l->pending);
	assert_non_null(v);
	assert_int_equal(vsock_credit_locked(v), 1000);
	says(VIRTIO_VSOCK_OP_RW, 99, 1000, 0, 500);
	assert_int_equal(v->head, 500);
	assert_int_equal(vsock_send_locked(v, fake_bytes, 300), 0);
	h = said();
	assert_int_equal(h.op, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(h.len, 300);
	assert_int_equal(vsock_credit_locked(v), 700);
	says(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 99, 1000, 200, 0);
	assert_int_equal(vsock_credit_locked(v), 900);
	says(VIRTIO_VSOCK_OP_CREDIT_REQUEST, 99, 1000, 200, 0);
	assert_int_equal(said().op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	says(VIRTIO_VSOCK_OP_SHUTDOWN, 99, 1000, 300, 0);
	assert_int_equal(said().op, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(v->state, VSOCK_CLOSED);
	fake_detach(true, DETACH_ASKED);
}

static void
asked_by_us(void **state)
{
	struct vsock *v;

	(void)state;
	come();
	v = fake_connect(2, 7, 2000);
	assert_int_equal(said().op, VIRTIO_VSOCK_OP_REQUEST);
	says(VIRTIO_VSOCK_OP_RESPONSE, 2000, 100, 0, 0);
	assert_int_equal(v->state, VSOCK_CONNECTED);
	says(VIRTIO_VSOCK_OP_RST, 2000, 100, 0, 0);
	assert_int_equal(v->state, VSOCK_CLOSED);
	assert_int_equal(said().op, 0);
	v = fake_connect(2, 7, 2001);
	says(VIRTIO_VSOCK_OP_RST, 2001, 0, 0, 0);
	assert_int_equal(v->state, VSOCK_IDLE);
	assert_int_equal(v->error, ECONNRESET);
	v = fake_connect(2, 7, 2002);
	says(VIRTIO_VSOCK_OP_RW, 2002, 0, 0, 5); /* not yet */
	assert_int_equal(v->error, EPROTO);
	fake_detach(true, DETACH_ASKED);
}

/* Claims are taken for what they are worth, and nobody gets more room. */
static void
liars(void **state)
{
	struct vsock *v;
	unsigned i;

	(void)state;
	come();
	v = fake_connect(2, 7, 2000);
	says(VIRTIO_VSOCK_OP_RESPONSE, 2000, 0, 0, 0);
	assert_int_equal(vsock_credit_locked(v), 0);
	says(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 2000, UINT32_MAX, 5, 0);
	assert_int_equal(vsock_credit_locked(v),
	    0); /* took what was not sent */
	says(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 2000, UINT32_MAX, 0, 0);
	assert_int_equal(vsock_credit_locked(v), CREDIT_MAX);
	while (said().op != 0)
		;
	for (i = 0; i < VSOCK_BUF / 4096; i++)
		says(VIRTIO_VSOCK_OP_RW, 2000, 100, 0, 4096);
	assert_int_equal(v->state, VSOCK_CONNECTED);
	says(VIRTIO_VSOCK_OP_RW, 2000, 100, 0, 1);
	assert_int_equal(v->state, VSOCK_CLOSED);
	assert_int_equal(said().op, VIRTIO_VSOCK_OP_RST);
	assert_false(virtio_is_broken(&f.vd));
	fake_detach(true, DETACH_ASKED);
}

static void
broken_packets(void **state)
{
	struct virtio_vsock_hdr h = { .src_cid = 2, .dst_cid = 42, .len = 100 };

	(void)state;
	come();
	assert_true(fake_bring(&f, &h, 43)); /* half a header */
	assert_true(virtio_is_broken(&f.vd));
	fake_detach(true, DETACH_GONE);
	come();
	assert_true(fake_bring(&f, &h, sizeof(h) + 99));
	assert_true(virtio_is_broken(&f.vd));
	fake_detach(true, DETACH_GONE);
	come();
	h.len = UINT32_MAX;
	assert_true(fake_bring(&f, &h, UINT32_MAX));
	assert_true(virtio_is_broken(&f.vd));
	fake_detach(true, DETACH_GONE);
	come();
	h.len = 0;
	h.op = VIRTIO_VSOCK_OP_REQUEST;
	h.src_cid = 42; /* as if it were ourselves */
	assert_true(fake_bring(&f, &h, sizeof(h)));
	h.src_cid = VMADDR_CID_LOCAL;
	assert_true(fake_bring(&f, &h, sizeof(h)));
	h.src_cid = 2;
	h.dst_cid = 43; /* another machine's */
	assert_true(fake_bring(&f, &h, sizeof(h)));
	assert_int_equal(said().op, 0);
	fake_detach(true, DETACH_ASKED);
}

/* The queue is full: what is owed goes when there is room. */
static void
full(void **state)
{
	struct vsock *v;
	unsigned n = 0, k;

	(void)state;
	come();
	v = fake_connect(2, 7, 2000);
	says(VIRTIO_VSOCK_OP_RESPONSE, 2000, 1 << 20, 0, 0);
	while (vsock_send_locked(v, fake_bytes, 4096) == 0)
		n++;
	assert_int_equal(n, 15); /* and the request */
	vsock_owe_locked(v, OWES_CREDIT | OWES_SHUTDOWN);
	assert_int_equal(vsock_send_locked(v, fake_bytes, 1), -EAGAIN);
	for (k = 0; k < 40; k++) /* more than can be refused */
		says(VIRTIO_VSOCK_OP_REQUEST, 5, 0, 0, 0);
	for (k = 0; k < n + 1; k++)
		assert_int_not_equal(said().op, 0);
	virtio_interrupt(&f.vd, true, false);
	for (n = 0, k = 0; (k = said().op) != 0;) {
		n += k == VIRTIO_VSOCK_OP_RST;
		virtio_interrupt(&f.vd, true, false);
	}
	assert_int_equal(n, 16);
	assert_int_equal(v->owes, 0);
	fake_detach(true, DETACH_ASKED);
}

static void
reset_and_numbers(void **state)
{
	struct fake_chain c;
	struct vsock *v, *l;
	unsigned i;

	(void)state;
	come();
	l = fake_listen(99);
	v = fake_connect(2, 7, 2000);
	says(VIRTIO_VSOCK_OP_RESPONSE, 2000, 100, 0, 0);
	f.config[0] = 43;
	assert_true(fake_next(&f, 2, &c));
	fake_answer(&f, 2, c.id, 4, c.places);
	virtio_interrupt(&f.vd, true, false);
	assert_int_equal(v->state, VSOCK_CLOSED);
	assert_int_equal(v->error, ECONNRESET);
	assert_int_equal(l->state, VSOCK_LISTENING);
	assert_int_equal(vsock_own_cid(), 43);
	fake_detach(true, DETACH_GONE);
	assert_int_equal(vsock_own_cid(), VMADDR_CID_ANY);
	for (i = 0; i < 3; i++) {
		fake_init(&f, VIRTIO_BIT(VIRTIO_F_VERSION_1), 64);
		f.config[0] = i;
		assert_int_equal(fake_attach(&f), -EINVAL);
		fake_detach(false, DETACH_ASKED);
	}
}

static void
memory_runs_out(void **state)
{
	int error = -ENOMEM;
	long n;

	(void)state;
	for (n = 0; error != 0; n++) {
		fake_init(&f, VIRTIO_BIT(VIRTIO_F_VERSION_1), 64);
		f.config[0] = 42;
		fake_budget = n;
		error = fake_attach(&f);
		fake_budget = -1;
		fake_detach(error == 0, DETACH_ASKED);
	}
	assert_true(n > 5);
	come();
	(void)fake_listen(99);
	fake_budget = 0;
	says(VIRTIO_VSOCK_OP_REQUEST, 99, 1000, 0, 0);
	fake_budget = -1;
	assert_int_equal(said().op, VIRTIO_VSOCK_OP_RST);
	fake_detach(true, DETACH_ASKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_by_the_host),
		cmocka_unit_test(asked_by_us),
		cmocka_unit_test(liars),
		cmocka_unit_test(broken_packets),
		cmocka_unit_test(full),
		cmocka_unit_test(reset_and_numbers),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
