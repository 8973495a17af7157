/* SPDX-License-Identifier: ISC */
/*
 * vtnet_fake.h - what vtnet*.c find around them on the host: DMA maps over the
 * program's own memory, a floor above that receives and sends, a device that
 * lies as it is told.  Included by one file of a program, behind tests/host's
 * locks; includes the driver itself.
 */
#ifndef DEV_VTNET_FAKE_H
#define DEV_VTNET_FAKE_H

#include "bus/dma_fake.h"
#include "bus/virtio_fake.h"
#include "dev/virtio/vtnet.c"
#include "dev/virtio/vtnet_ctrl.c"
#include "dev/virtio/vtnet_rx.c"
#include "dev/virtio/vtnet_tx.c"
#include <sanitizer/lsan_interface.h>

unsigned
cpu_id(void)
{
	return 0;
}

void
random_bytes(void *buf, size_t len)
{
	memset(buf, 0x5a, len);
}

void
waitq_init(struct waitq *wq)
{
	(void)wq;
}

void
waitq_wake_all(struct waitq *wq)
{
	(void)wq;
}

/* The device answers while it is told, or never: nothing is waited for. */
uint64_t
waitq_wakings(struct waitq *wq)
{
	(void)wq;
	return 0;
}

int
waitq_sleep(struct waitq *wq, uint64_t seen, int64_t deadline_ns)
{
	(void)wq;
	(void)seen;
	(void)deadline_ns;
	return -ETIMEDOUT;
}

struct nic_buf *
nic_buf_alloc(void)
{
	struct nic_buf *b = fake_spend() ? calloc(1, sizeof(*b)) : NULL;

	if (b != NULL)
		b->data = b->mem;
	/* What a device that does not stop may write is kept aside for ever;
	 * that nothing else is lost, fake_live tells. */
	__lsan_ignore_object(b);
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

/* ------------------------------------------------------------- the tree -- */

static struct vtnet_softc *fake_softc;

void *
device_softc(const struct device *dev)
{
	(void)dev;
	return fake_softc;
}

void
device_announce(struct device *dev, const char *fmt, ...)
{
	(void)dev;
	(void)fmt;
}

/* -------------------------------------------------------- the floor above -- */

#define FAKE_PACKETS 320

struct fake_packet {
	struct nic_tx tx;
	struct dma_run run[4];
	bool under_way;
	unsigned ends;
};
static struct fake_packet fake_packet[FAKE_PACKETS];
static uint8_t fake_bytes[4096];
static struct nic fake_nic;
static bool fake_arrived, fake_answers;
static unsigned fake_readies, fake_links, fake_under_way;

int
nic_arrive(struct device *dev, const struct nic_ops *ops, void *arg,
    const struct nic_info *info, struct nic **out)
{
	(void)dev;
	fake_check(!fake_arrived, "a card that arrives twice");
	fake_nic = (struct nic){ .ops = ops, .arg = arg, .info = *info };
	fake_arrived = true;
	*out = &fake_nic;
	return 0;
}

void
nic_depart(struct nic *nic)
{
	unsigned i;

	if (nic == NULL)
		return;
	for (i = 0; i < nic->info.nqueues; i++)
		nic->ops->reap(nic->arg, i);
	fake_check(fake_under_way == 0, "a packet that never ends");
	fake_arrived = false;
}

void
nic_ready(struct nic *nic)
{
	fake_check(nic == &fake_nic, "ready, but no card");
	fake_readies++;
}

void
nic_link(struct nic *nic, bool up)
{
	nic->link = up;
	fake_links++;
}

static void
fake_done(struct nic_tx *tx)
{
	struct fake_packet *p = container_of(tx, struct fake_packet, tx);

	fake_check(p->under_way, "a packet that ends twice");
	p->under_way = false;
	p->ends++;
	fake_under_way--;
}

/* Sends packet i in nruns pieces: what transmit says. */
static inline int
fake_send(unsigned i, unsigned nruns, bool gso)
{
	struct fake_packet *p = &fake_packet[i];
	unsigned k;
	int error;

	memset(&p->tx, 0, sizeof(p->tx));
	for (k = 0; k < nruns; k++)
		p->run[k] = (struct dma_run){ (uintptr_t)fake_bytes, 100 };
	p->tx.run = p->run;
	p->tx.nruns = nruns;
	p->tx.done = fake_done;
	p->tx.csum = gso;
	p->tx.csum_start = 34;
	p->tx.csum_offset = 16;
	p->tx.gso = gso ? NIC_GSO_TCP4 : NIC_GSO_NONE;
	p->tx.gso_size = gso ? 50 : 0;
	p->tx.hdr_len = gso ? 54 : 0;
	p->under_way = true;
	fake_under_way++;
	error = fake_nic.ops->transmit(fake_nic.arg, 0, &p->tx, false);
	if (error != 0) {
		p->under_way = false;
		fake_under_way--;
	}
	return error;
}

/* Fills the next posted buffer with a header and bytes; false: none is. */
static inline bool
fake_arrive(struct fake_device *f, const vtnet_hdr *h, unsigned head,
    uint32_t len)
{
	struct fake_chain c;
	unsigned i, at = 0, n;

	if (!fake_next(f, 0, &c))
		return false;
	fake_check(c.nread == 0 && c.writable == NIC_BUF_SIZE,
	    "a buffer's shape");
	for (i = 0; i < c.n && at < head; i++) {
		n = MIN(head - at, c.seg[i].len);
		memcpy((void *)(uintptr_t)c.seg[i].addr,
		    (const uint8_t *)h + at, n);
		at += n;
	}
	fake_answer(f, 0, c.id, len, c.places);
	return true;
}

/* The control queue is served at its doorbell. */
static void
fake_notify_net(struct virtio_device *vd, unsigned index)
{
	struct fake_device *f = fake_of(vd);
	struct fake_chain c;

	f->ring[index].kicks++;
	if (index != 2 || !fake_answers || f->queue_max[2] == 0)
		return;
	while (fake_next(f, 2, &c)) {
		fake_check(c.n == 3 && c.nread == 2 && c.seg[0].len == 2,
		    "a command's shape");
		*(uint8_t *)(uintptr_t)c.seg[2].addr = VIRTIO_NET_OK;
		fake_answer(f, 2, c.id, 1, c.places);
	}
	virtio_interrupt(vd, true, false);
}

static inline int
fake_attach(struct fake_device *f)
{
	f->vd.type = VIRTIO_ID_NET;
	f->ops.notify = fake_notify_net;
	memset(fake_packet, 0, sizeof(fake_packet));
	fake_readies = fake_links = fake_under_way = 0;
	fake_arrived = false;
	fake_softc = kzalloc(sizeof(*fake_softc));
	if (fake_softc == NULL)
		return -ENOMEM;
	return vtnet_driver.attach(NULL);
}

/* As the tree does it: all memory must be back, unless it may be written. */
static inline void
fake_detach(struct fake_device *f, bool attached, enum detach_kind kind)
{
	if (attached)
		vtnet_driver.detach(NULL, kind);
	fake_check(!fake_arrived, "a card that stays");
	kfree(fake_softc);
	fake_softc = NULL;
	fake_check(fake_live == 0 || f->stuck || f->absent,
	    "memory that is lost");
	fake_live = 0;
}

#endif
