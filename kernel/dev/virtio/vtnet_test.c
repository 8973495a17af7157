/* SPDX-License-Identifier: ISC */
/*
 * vtnet_test.c - the network driver and a device that lies: in its
 * configuration, in the headers and lengths of packets, by not answering, and
 * by leaving.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "tests/host/x86/cpu.h"
#include "tests/host/kern/spinlock.h"
#include "tests/host/kern/thread.h"
#include "tests/host/kern/waitq.h"
#include "dev/virtio/vtnet_fake.h"
#include <setjmp.h>

#include <cmocka.h>

#define V1   VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define ALL  (V1 | (FEATURES & ~VIRTIO_BIT(VIRTIO_NET_F_MQ)))
#define SIZE 64

static struct fake_device f;
static struct nic_rx rx[SIZE];

static void
config(size_t at, uint64_t v, size_t width)
{
	memcpy(f.config + at, &v, width);
}

static void
honest(uint64_t offers)
{
	fake_init(&f, offers, SIZE);
	config(CONFIG(mac), 0x563412005452, 6);
	config(CONFIG(status), VIRTIO_NET_S_LINK_UP, 2);
	config(CONFIG(max_virtqueue_pairs), 1, 2);
	config(CONFIG(mtu), 1500, 2);
	fake_answers = true;
}

static void
running(uint64_t offers)
{
	honest(offers);
	assert_int_equal(fake_attach(&f), 0);
	assert_int_equal(fake_nic.ops->start(fake_nic.arg), 0);
}

static unsigned
receive(void)
{
	return fake_nic.ops->receive(fake_nic.arg, 0, rx, SIZE);
}

static void
packets_come(void **state)
{
	static const uint64_t offers[] = { ALL, ALL & ~BIT(MRG_RXBUF),
		ALL | VIRTIO_BIT(VIRTIO_F_RING_PACKED), V1 };
	vtnet_hdr h = { .num_buffers = 1 };
	unsigned i, k;

	(void)state;
	for (k = 0; k < ARRAY_SIZE(offers); k++) {
		running(offers[k]);
		assert_int_equal(receive(), 0);
		for (i = 0; i < 10; i++)
			assert_true(fake_arrive(&f, &h, 12, 12 + 60 + i));
		virtio_interrupt(&f.vd, true, false);
		assert_true(fake_readies > 0);
		assert_int_equal(receive(), 10);
		for (i = 0; i < 10; i++) {
			assert_int_equal(rx[i].len, 60 + i);
			assert_int_equal(rx[i].csum, NIC_CSUM_UNKNOWN);
			nic_buf_free_all(rx[i].buf);
		}
		assert_int_equal(fake_nic.stats.rx_errors, 0);
		fake_detach(&f, true, DETACH_ASKED);
	}
}

static void
packets_of_several_buffers(void **state)
{
	vtnet_hdr h = { .num_buffers = 3,
		.hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		    .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		    .gso_size = 1448,
		    .csum_start = 34,
		    .csum_offset = 16 } };

	(void)state;
	running(ALL);
	assert_true(fake_arrive(&f, &h, 12, NIC_BUF_SIZE));
	assert_int_equal(receive(), 0); /* the rest is still to come */
	assert_true(fake_arrive(&f, &h, 0, NIC_BUF_SIZE));
	assert_true(fake_arrive(&f, &h, 0, 100));
	assert_int_equal(receive(), 1);
	assert_int_equal(rx[0].len, 2 * NIC_BUF_SIZE - 12 + 100);
	assert_int_equal(rx[0].csum, NIC_CSUM_PARTIAL);
	assert_int_equal(rx[0].gso, NIC_GSO_TCP4);
	assert_int_equal(rx[0].gso_size, 1448);
	assert_int_equal(rx[0].buf->next->len, NIC_BUF_SIZE);
	nic_buf_free_all(rx[0].buf);
	/* Half a packet when the card leaves. */
	assert_true(fake_arrive(&f, &h, 12, NIC_BUF_SIZE));
	assert_int_equal(receive(), 0);
	fake_detach(&f, true, DETACH_ASKED);
}

static void
headers_that_lie(void **state)
{
	static const struct {
		vtnet_hdr h;
		uint32_t len;
	} t[] = {
		{ { .num_buffers = 0 }, 100 },
		{ { .num_buffers = 41 }, 100 },
		{ { .num_buffers = UINT16_MAX }, 100 },
		{ { .num_buffers = 1 }, 0 },
		{ { .num_buffers = 1 }, 12 },
		{ { .num_buffers = 1 }, 12 + 13 },
		{ { .num_buffers = 1, .hdr = { .gso_type = 3, .gso_size = 9 } },
		    100 },
		{ { .num_buffers = 1, .hdr = { .gso_type = 77 } }, 100 },
		{ { .num_buffers = 1, .hdr = { .gso_type = 1 } }, 100 },
		{ { .num_buffers = 1,
		      .hdr = { .flags = 1,
			  .csum_start = 80,
			  .csum_offset = 16 } },
		    100 },
		{ { .num_buffers = 1,
		      .hdr = { .flags = 1,
			  .csum_start = 65535,
			  .csum_offset = 65535 } },
		    100 },
	};
	unsigned i;

	(void)state;
	running(ALL);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		assert_true(fake_arrive(&f, &t[i].h, 12, t[i].len));
		assert_int_equal(receive(), 0);
		assert_int_equal(fake_nic.stats.rx_errors, i + 1);
	}
	assert_int_equal(fake_lines, 1);
	assert_int_equal(fake_gone, 0);
	fake_detach(&f, true, DETACH_ASKED);
	/* Offloads that were not agreed on. */
	running(V1 | BIT(MRG_RXBUF));
	assert_true(fake_arrive(&f,
	    &(vtnet_hdr){ .num_buffers = 1,
		.hdr = { .gso_type = 1, .gso_size = 9 } },
	    12, 100));
	assert_int_equal(receive(), 0);
	assert_true(fake_arrive(&f,
	    &(vtnet_hdr){ .num_buffers = 1, .hdr = { .flags = 2 } }, 12, 100));
	assert_int_equal(receive(), 1);
	assert_int_equal(rx[0].csum, NIC_CSUM_UNKNOWN);
	nic_buf_free_all(rx[0].buf);
	fake_detach(&f, true, DETACH_ASKED);
}

static void
packets_leave(void **state)
{
	const struct virtio_net_hdr *h;
	struct fake_chain c;

	(void)state;
	running(ALL);
	assert_int_equal(fake_send(0, 3, true), 0);
	assert_true(fake_next(&f, 1, &c));
	assert_int_equal(c.n, 4);
	assert_int_equal(c.nread, 4);
	assert_int_equal(c.seg[0].len, 12);
	h = (const void *)(uintptr_t)c.seg[0].addr;
	assert_int_equal(h->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(h->csum_start, 34);
	assert_int_equal(h->gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(h->gso_size, 50);
	assert_int_equal(h->hdr_len, 54);
	fake_answer(&f, 1, c.id, 0, c.places);
	/* Nobody is interrupted for what has left. */
	assert_false(fake_wants_interrupt(&f, 1));
	assert_int_equal(fake_packet[0].ends, 0);
	fake_nic.ops->reap(fake_nic.arg, 0);
	assert_int_equal(fake_packet[0].ends, 1);
	fake_detach(&f, true, DETACH_ASKED);
}

static void
full_and_room_again(void **state)
{
	struct fake_chain c;
	unsigned n, i;

	(void)state;
	running(ALL);
	for (n = 0; n < FAKE_PACKETS && fake_send(n, 4, false) == 0; n++)
		;
	assert_in_range(n, 10, FAKE_PACKETS - 1);
	assert_int_equal(fake_send(n, 4, false), -EAGAIN);
	for (i = 0; i < n; i++) {
		assert_true(fake_next(&f, 1, &c));
		fake_answer(&f, 1, c.id, 0, c.places);
	}
	assert_true(fake_wants_interrupt(&f, 1));
	fake_readies = 0;
	virtio_interrupt(&f.vd, true, false);
	assert_true(fake_readies > 0);
	assert_int_equal(fake_send(n, 4, false), 0);
	assert_int_equal(fake_under_way, 1);
	fake_detach(&f, true, DETACH_ASKED);
	for (i = 0; i <= n; i++)
		assert_int_equal(fake_packet[i].ends, 1);
}

static void
configurations(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t value;
		int error;
	} t[] = { { CONFIG(mtu), 2, 0, -EINVAL },
		{ CONFIG(mtu), 2, 67, -EINVAL }, { CONFIG(mtu), 2, 68, 0 },
		{ CONFIG(mtu), 2, 65535, 0 }, { CONFIG(mac), 6, 0, 0 },
		{ CONFIG(mac), 6, UINT64_MAX >> 16, 0 },
		{ CONFIG(speed), 4, UINT32_MAX, 0 },
		{ CONFIG(max_virtqueue_pairs), 2, 0, 0 } };
	unsigned i;
	int error;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		honest(ALL);
		config(t[i].at, t[i].value, t[i].width);
		error = fake_attach(&f);
		assert_int_equal(error, t[i].error);
		if (error == 0) {
			assert_int_equal(fake_nic.info.mac[0] & 1, 0);
			assert_int_not_equal(fake_nic.info.mac[0] |
				fake_nic.info.mac[5],
			    0);
		}
		fake_detach(&f, error == 0, DETACH_ASKED);
	}
	for (i = 0; i < 3; i++) {
		honest(ALL);
		f.queue_max[i] = i == 0 ? 1 : i == 1 ? 16 : 2;
		assert_int_equal(fake_attach(&f), -EINVAL);
		fake_detach(&f, false, DETACH_ASKED);
	}
	honest(ALL | VIRTIO_BIT(VIRTIO_NET_F_MQ));
	config(CONFIG(max_virtqueue_pairs), 2, 2); /* there are 4 queues */
	assert_int_equal(fake_attach(&f), -ENOENT);
	fake_detach(&f, false, DETACH_ASKED);
}

static void
features_that_need_others(void **state)
{
	(void)state;
	assert_int_equal(features_wanted(BIT(HOST_TSO4) | BIT(GSO), 1), 0);
	assert_int_equal(features_wanted(BIT(GUEST_CSUM) | BIT(GUEST_TSO4), 1),
	    BIT(GUEST_CSUM));
	assert_int_equal(features_wanted(BIT(MQ) | BIT(CTRL_RX), 4), 0);
	assert_int_equal(features_wanted(BIT(MQ) | BIT(CTRL_VQ), 1),
	    BIT(CTRL_VQ));
	assert_int_equal(features_wanted(BIT(MQ) | BIT(CTRL_VQ), 33),
	    BIT(CTRL_VQ));
	assert_int_equal(features_wanted(BIT(MQ) | BIT(CTRL_VQ), 4),
	    BIT(CTRL_VQ) | BIT(MQ));
}

static void
commands(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	(void)state;
	running(ALL);
	assert_int_equal(fake_nic.ops->set_mac(fake_nic.arg, mac), 0);
	assert_int_equal(fake_nic.ops->set_filter(fake_nic.arg, true, true), 0);
	fake_answers = false;
	assert_int_equal(fake_nic.ops->set_mac(fake_nic.arg, mac), -EIO);
	assert_int_equal(fake_gone, 1);
	assert_int_equal(fake_nic.ops->set_mac(fake_nic.arg, mac), -ENODEV);
	fake_detach(&f, true, DETACH_GONE);
	running(V1);
	assert_int_equal(fake_nic.ops->set_mac(fake_nic.arg, mac), -EOPNOTSUPP);
	fake_detach(&f, true, DETACH_ASKED);
}

static void
leaving(void **state)
{
	unsigned i, k;

	(void)state;
	for (k = 0; k < 3; k++) {
		running(ALL);
		for (i = 0; i < 10; i++)
			assert_int_equal(fake_send(i, 2, false), 0);
		f.absent = k == 1;
		f.stuck = k == 2;
		fake_detach(&f, true, k == 0 ? DETACH_ASKED : DETACH_GONE);
		for (i = 0; i < 10; i++)
			assert_int_equal(fake_packet[i].ends, 1);
	}
}

static void
links(void **state)
{
	(void)state;
	running(ALL);
	config(CONFIG(status), 0, 2);
	virtio_interrupt(&f.vd, false, true);
	assert_int_equal(fake_links, 1);
	assert_false(fake_nic.link);
	fake_detach(&f, true, DETACH_ASKED);
}

static void
memory_runs_out(void **state)
{
	int error = -ENOMEM;
	bool attached;
	long n;

	(void)state;
	for (n = 0; error != 0; n++) {
		honest(ALL);
		fake_budget = n;
		error = fake_attach(&f);
		attached = error == 0;
		if (attached)
			error = fake_nic.ops->start(fake_nic.arg);
		fake_budget = -1;
		assert_true(error == 0 || error == -ENOMEM);
		fake_detach(&f, attached, DETACH_ASKED);
	}
	assert_true(n > SIZE);
}

static void
no_memory_for_buffers(void **state)
{
	vtnet_hdr h = { .num_buffers = 1 };
	unsigned i;

	(void)state;
	running(ALL);
	fake_budget = 0;
	for (i = 0; i < 5; i++)
		assert_true(fake_arrive(&f, &h, 12, 100));
	assert_int_equal(receive(), 5);
	assert_true(fake_nic.stats.rx_missed > 0);
	fake_budget = -1;
	assert_int_equal(receive(), 0); /* posts again */
	for (i = 0; i < 5; i++)
		nic_buf_free_all(rx[i].buf);
	for (i = 0; i < SIZE; i++)
		assert_true(fake_arrive(&f, &h, 12, 100));
	assert_int_equal(receive(), SIZE);
	for (i = 0; i < SIZE; i++)
		nic_buf_free_all(rx[i].buf);
	fake_detach(&f, true, DETACH_ASKED);
}

/* A ring must never run dry: nothing would come that could fill it again. */
static void
no_memory_for_long(void **state)
{
	vtnet_hdr h = { .num_buffers = 1 };
	unsigned i, n = 0;

	(void)state;
	running(ALL);
	fake_budget = 0;
	for (i = 0; i < 10 * SIZE; i++) {
		assert_true(fake_arrive(&f, &h, 12, 100));
		fake_readies = 0;
		if (receive() == 1) {
			nic_buf_free_all(rx[0].buf);
			n++;
		} else {
			assert_int_equal(fake_readies, 1);
			assert_int_equal(receive(), 0);
		}
	}
	assert_int_equal(n, SIZE - POST_MIN);
	assert_int_equal(fake_nic.stats.rx_dropped, 10 * SIZE - n);
	fake_budget = -1;
	h.num_buffers = 2;
	assert_true(fake_arrive(&f, &h, 12, NIC_BUF_SIZE));
	assert_true(fake_arrive(&f, &h, 0, 100));
	assert_int_equal(receive(), 1);
	nic_buf_free_all(rx[0].buf);
	assert_int_equal(receive(), 0);
	fake_detach(&f, true, DETACH_ASKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_come),
		cmocka_unit_test(packets_of_several_buffers),
		cmocka_unit_test(headers_that_lie),
		cmocka_unit_test(packets_leave),
		cmocka_unit_test(full_and_room_again),
		cmocka_unit_test(configurations),
		cmocka_unit_test(features_that_need_others),
		cmocka_unit_test(commands),
		cmocka_unit_test(leaving),
		cmocka_unit_test(links),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(no_memory_for_buffers),
		cmocka_unit_test(no_memory_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
