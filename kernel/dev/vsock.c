/* SPDX-License-Identifier: ISC */
/*
 * vsock.c - between the driver that carries packets to the host and the floor
 * above, whose sockets they belong to.
 */
#include "dev/vsock.h"
#include <linux/errno.h>

static const struct vsock_consumer *consumer;
static struct vsock_carrier *carrier; /* atomic */

void
vsock_set_consumer(const struct vsock_consumer *c)
{
	consumer = c;
}

int
vsock_arrive(struct vsock_carrier *c, uint32_t cid)
{
	struct vsock_carrier *none = NULL;

	if (consumer == NULL)
		return -EOPNOTSUPP;
	if (!__atomic_compare_exchange_n(&carrier, &none, c, false,
		__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -EBUSY;
	consumer->arrive(c, cid);
	return 0;
}

void
vsock_depart(struct vsock_carrier *c)
{
	if (__atomic_load_n(&carrier, __ATOMIC_ACQUIRE) != c)
		return;
	consumer->depart(c);
	__atomic_store_n(&carrier, NULL, __ATOMIC_RELEASE);
}

void
vsock_input(const struct virtio_vsock_hdr *h, const void *data)
{
	consumer->input(h, data);
}

void
vsock_room(void)
{
	consumer->room();
}

void
vsock_reset(uint32_t cid)
{
	consumer->reset(cid);
}
