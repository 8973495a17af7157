/* SPDX-License-Identifier: ISC */
/*
 * virtqueue_fuzz.c - a device that writes whatever it likes into the ring, at
 * any moment: every chain that was offered comes back once or never, with a
 * length that was offered, and no memory but the ring's is touched.
 */
/* unit: kernel/bus/virtqueue.c kernel/bus/virtqueue_split.c kernel/bus/virtqueue_packed.c kernel/bus/virtio.c */
#include "bus/virtio_fake.h"
#include "tests/host/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NCOOKIES 32

static struct fake_device f;
static char cookie[NCOOKIES];
static uint32_t offered[NCOOKIES]; /* writable bytes, plus one; 0: not */

static void
push(struct virtqueue *vq, struct input *in)
{
	unsigned k = take(in, 1) % NCOOKIES, i;
	unsigned nread = take(in, 1) % 8, nwrite = 1 + take(in, 1) % 12;
	struct dma_seg seg[20];
	uint32_t writable = 0;

	if (offered[k] != 0)
		return;
	for (i = 0; i < nread + nwrite; i++) {
		seg[i] = (struct dma_seg){ i, 1 + take(in, 1) };
		if (i >= nread)
			writable += seg[i].len;
	}
	if (virtqueue_push(vq, seg, nread, nwrite, &cookie[k]) == 0)
		offered[k] = writable + 1;
}

static void
came_back(const char *c, uint32_t len)
{
	if (c == NULL)
		return;
	if (c < cookie || c >= cookie + NCOOKIES || offered[c - cookie] == 0 ||
	    len >= offered[c - cookie])
		abort();
	offered[c - cookie] = 0;
}

/* Anywhere in the ring's memory, the driver's areas included. */
static void
scribble(struct virtqueue *vq, struct input *in)
{
	size_t at = take(in, 2) % vq->mem.size;
	unsigned n = 1 + take(in, 1) % 16;

	for (; n > 0 && at < vq->mem.size; n--, at++)
		((uint8_t *)vq->mem.kva)[at] = take(in, 1);
}

/* An answer with a good number more often than chance would have it. */
static void
answer(struct virtqueue *vq, struct input *in)
{
	uint32_t id = take(in, 1) % (vq->size + 1), len = take(in, 2);

	fake_answer(&f, 0, id, len,
	    id < vq->size ? vq->slot[id].ndesc % (vq->size + 1) : 1);
}

static void
step(struct virtqueue *vq, struct input *in)
{
	uint32_t len = 0;
	void *c;

	switch (take(in, 1) % 8) {
	case 0:
	case 1: push(vq, in); break;
	case 2: virtqueue_kick(vq); break;
	case 3: scribble(vq, in); break;
	case 4: answer(vq, in); break;
	case 5:
		c = virtqueue_pop(vq, &len);
		came_back(c, len);
		break;
	case 6:
		virtqueue_intr_off(vq);
		(void)virtqueue_intr_on(vq);
		break;
	default: (void)virtqueue_intr_on_late(vq);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	struct virtqueue_spec spec = { .max_chain = 20, .ntables = 3 };
	struct virtqueue *vq;
	uint32_t bits = take(&in, 1);
	void *c;

	memset(offered, 0, sizeof(offered));
	fake_init(&f,
	    VIRTIO_BIT(VIRTIO_F_VERSION_1) |
		(uint64_t)(bits & 1) << VIRTIO_F_RING_PACKED |
		(uint64_t)(bits >> 1 & 1) << VIRTIO_RING_F_EVENT_IDX |
		(uint64_t)(bits >> 2 & 1) << VIRTIO_RING_F_INDIRECT_DESC,
	    1u << (bits >> 3 & 7));
	f.vd.legacy = (bits & 0x40) != 0;
	if (virtio_negotiate(&f.vd, 0, 1) != 0 ||
	    virtqueue_create(&f.vd, &spec, &vq) != 0)
		abort();
	virtio_driver_ok(&f.vd);
	while (in.at < in.end)
		step(vq, &in);
	virtio_stop(&f.vd, true);
	while ((c = virtqueue_take_back(vq)) != NULL)
		came_back(c, 0);
	for (bits = 0; bits < NCOOKIES; bits++)
		if (offered[bits] != 0)
			abort();
	virtqueue_destroy(vq, true);
	if (fake_live != 0)
		abort();
	return 0;
}
