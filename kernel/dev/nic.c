/* SPDX-License-Identifier: ISC */
/*
 * nic.c - network cards between their drivers and the floor above: arrival,
 * departure, the buffers of received packets.  Packets pass by through the
 * operations alone.
 */
#include "dev/nic.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include <linux/errno.h>

static const struct nic_consumer *consumer;
_Static_assert(sizeof(struct nic_buf) <= PAGE_SIZE, "each has a page");

void
nic_set_consumer(const struct nic_consumer *c)
{
	consumer = c;
}

struct nic_buf *
nic_buf_alloc(void)
{
	struct nic_buf *b = kmalloc(PAGE_SIZE);

	if (b != NULL) {
		b->next = NULL;
		b->data = b->mem;
		b->len = 0;
	}
	return b;
}

void
nic_buf_free(struct nic_buf *b)
{
	kfree(b);
}

void
nic_buf_free_all(struct nic_buf *b)
{
	struct nic_buf *next;

	for (; b != NULL; b = next) {
		next = b->next;
		nic_buf_free(b);
	}
}

int
nic_arrive(struct device *dev, const struct nic_ops *ops, void *arg,
    const struct nic_info *info, struct nic **out)
{
	struct nic *nic;
	int error;

	KASSERT(info->nqueues > 0 && info->tx_runs >= NIC_TX_RUNS);
	KASSERT(info->mtu >= NIC_MTU_MIN && info->mtu <= NIC_MTU_MAX);
	if (consumer == NULL)
		return -ENODEV;
	nic = kzalloc(sizeof(*nic));
	if (nic == NULL)
		return -ENOMEM;
	nic->ops = ops;
	nic->arg = arg;
	nic->dev = dev;
	nic->info = *info;
	nic->link = info->link;
	/* Before it is shown: interrupts may come before arrive() returns. */
	__atomic_store_n(out, nic, __ATOMIC_RELEASE);
	error = consumer->arrive(nic);
	if (error != 0) {
		__atomic_store_n(out, NULL, __ATOMIC_RELEASE);
		kfree(nic);
	}
	return error;
}

void
nic_depart(struct nic *nic)
{
	if (nic == NULL)
		return;
	consumer->depart(nic);
	kfree(nic);
}

void
nic_ready(struct nic *nic)
{
	consumer->ready(nic);
}

void
nic_link(struct nic *nic, bool up)
{
	if (__atomic_exchange_n(&nic->link, up, __ATOMIC_ACQ_REL) != up)
		consumer->link(nic);
}
