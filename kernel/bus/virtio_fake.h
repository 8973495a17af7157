/* SPDX-License-Identifier: ISC */
/*
 * virtio_fake.h - the other side of virtqueues, for tests and fuzzers on the
 * host: memory, a transport, and a device that reads chains and answers them,
 * as honestly as it is told to.  Included by one file of a program.
 */
#ifndef BUS_VIRTIO_FAKE_H
#define BUS_VIRTIO_FAKE_H

#include "bus/device.h"
#include "bus/virtqueue_impl.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAKE_QUEUES
#define FAKE_QUEUES 4
#endif
#define FAKE_CHAIN 64

struct fake_chain {
	uint32_t id;
	unsigned n, nread, places; /* places: of the ring */
	struct {
		uint64_t addr;
		uint32_t len;
	} seg[FAKE_CHAIN];
	uint32_t writable;
};

struct fake_ring {
	struct virtio_place place;
	uint16_t seen, used; /* split: running numbers; packed: places */
	bool seen_wrap, used_wrap;
	unsigned kicks;
	uint16_t news; /* places answered since the last look for interrupts */
};

struct fake_device {
	struct virtio_device vd;
	uint64_t offers, accepted;
	uint32_t accept_word[2];
	uint8_t status;
	bool stuck, absent, refuses; /* at reset; reads as ones; FEATURES_OK */
	bool stopped;                /* its driver said so */
	unsigned queue_max[FAKE_QUEUES];
	uint8_t config[64];
	uint32_t generation;
	unsigned generation_moves; /* reads of it that differ, left */
	struct fake_ring ring[FAKE_QUEUES];
	struct virtio_ops ops;
};

/* What the kernel's own parts were asked. */
static unsigned fake_gone, fake_lines;
static long fake_live;        /* allocations */
static long fake_budget = -1; /* until there is no more; -1: never */
static char fake_log[200];
static int64_t fake_now;
static void (*fake_on_log)(const char *line); /* NULL: nobody listens */

/* The device is of the same thread. */
void cpu_device_fence(void);
void
cpu_device_fence(void)
{
}

/* ---------------------------------------------------------- memory -- */

static bool
fake_spend(void)
{
	if (fake_budget == 0)
		return false;
	if (fake_budget > 0)
		fake_budget--;
	fake_live++;
	return true;
}

void *
kzalloc(size_t size)
{
	return fake_spend() ? calloc(1, size) : NULL;
}

void *
kcalloc(size_t n, size_t size)
{
	return fake_spend() ? calloc(n, size) : NULL;
}

void
kfree(void *p)
{
	if (p != NULL)
		fake_live--;
	free(p);
}

int
dma_mem_alloc(struct dma_tag *tag, size_t size, uint64_t align,
    const struct dma_limits *limits, struct dma_mem *out)
{
	(void)tag;
	(void)limits;
	if (!fake_spend())
		return -ENOMEM;
	out->size = size;
	/* Exactly as much as was asked for: one byte more is an error. */
	if (posix_memalign(&out->kva, align, size) != 0)
		abort();
	memset(out->kva, 0, size);
	out->addr = (uintptr_t)out->kva;
	return 0;
}

void
dma_mem_free(struct dma_mem *mem, bool quiet)
{
	(void)quiet;
	if (mem->kva != NULL)
		fake_live--;
	free(mem->kva);
	mem->kva = NULL;
}

/* ------------------------------------------------- the kernel's parts -- */

void
log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(fake_log, sizeof(fake_log), fmt, ap);
	va_end(ap);
	fake_lines++;
	if (fake_on_log != NULL)
		fake_on_log(fake_log);
}

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

int64_t
clock_mono_ns(void)
{
	return fake_now += 1000000;
}

static void *fake_ivars;

#ifndef FAKE_OWN_TREE /* who has more than one device */
const char *
device_name(const struct device *dev)
{
	(void)dev;
	return "fake0";
}

void
device_report_gone(struct device *dev)
{
	(void)dev;
	fake_gone++;
}

void *
device_ivars(const struct device *dev)
{
	(void)dev;
	return fake_ivars;
}

int
device_add(struct device *bus, const struct device_spec *spec,
    struct device **out)
{
	(void)bus;
	(void)spec;
	(void)out;
	return -ENODEV;
}

void
device_put(struct device *dev)
{
	(void)dev;
}
#endif

/* ------------------------------------------------------- a transport -- */

static struct fake_device *
fake_of(struct virtio_device *vd)
{
	return container_of(vd, struct fake_device, vd);
}

static uint32_t
fake_features(struct virtio_device *vd, unsigned word)
{
	return fake_of(vd)->offers >> 32 * word;
}

static void
fake_accept(struct virtio_device *vd, unsigned word, uint32_t bits)
{
	fake_of(vd)->accept_word[word] = bits;
}

static uint8_t
fake_get_status(struct virtio_device *vd)
{
	return fake_of(vd)->absent ? 0xff : fake_of(vd)->status;
}

static void
fake_set_status(struct virtio_device *vd, uint8_t status)
{
	struct fake_device *f = fake_of(vd);

	if (status == 0 && f->stuck)
		return;
	if (f->refuses)
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	f->status = status;
}

static uint32_t
fake_config_read(struct virtio_device *vd, unsigned offset, unsigned width)
{
	struct fake_device *f = fake_of(vd);
	uint32_t v = 0;

	if (offset + width <= sizeof(f->config))
		memcpy(&v, f->config + offset, width);
	return v;
}

static void
fake_config_write(struct virtio_device *vd, unsigned offset, unsigned width,
    uint32_t value)
{
	struct fake_device *f = fake_of(vd);

	if (offset + width <= sizeof(f->config))
		memcpy(f->config + offset, &value, width);
}

static uint32_t
fake_generation(struct virtio_device *vd)
{
	struct fake_device *f = fake_of(vd);

	if (f->generation_moves > 0) {
		f->generation_moves--;
		f->generation++;
	}
	return f->generation;
}

static unsigned
fake_queue_max(struct virtio_device *vd, unsigned index)
{
	return index < FAKE_QUEUES ? fake_of(vd)->queue_max[index] : 0;
}

static int
fake_queue_start(struct virtio_device *vd, const struct virtio_place *place)
{
	struct fake_ring *r = &fake_of(vd)->ring[place->index];

	memset(r, 0, sizeof(*r));
	r->place = *place;
	r->seen_wrap = true;
	r->used_wrap = true;
	return 0;
}

static void
fake_notify(struct virtio_device *vd, unsigned index)
{
	if (fake_of(vd)->stopped)
		panic("a doorbell that rings too late\n");
	fake_of(vd)->ring[index].kicks++;
}

static int
fake_intr_start(struct virtio_device *vd, unsigned nqueues)
{
	(void)nqueues;
	fake_of(vd)->stopped = false;
	return 0;
}

static void
fake_intr_stop(struct virtio_device *vd)
{
	fake_of(vd)->stopped = true;
}

/* A device with queues of `size`, reset. */
static inline void
fake_init(struct fake_device *f, uint64_t offers, unsigned size)
{
	unsigned i;

	memset(f, 0, sizeof(*f));
	f->ops = (struct virtio_ops){
		.features = fake_features,
		.accept = fake_accept,
		.get_status = fake_get_status,
		.set_status = fake_set_status,
		.config_read = fake_config_read,
		.config_write = fake_config_write,
		.generation = fake_generation,
		.queue_max = fake_queue_max,
		.queue_start = fake_queue_start,
		.notify = fake_notify,
		.intr_start = fake_intr_start,
		.intr_stop = fake_intr_stop,
	};
	f->vd.ops = &f->ops;
	f->vd.type = 2;
	f->offers = offers;
	for (i = 0; i < FAKE_QUEUES; i++)
		f->queue_max[i] = size;
	fake_ivars = &f->vd;
	fake_gone = 0;
	fake_lines = 0;
}

/* ---------------------------------------------------- the device's side -- */

static inline bool
fake_is_packed(const struct fake_device *f)
{
	return virtio_has(&f->vd, VIRTIO_F_RING_PACKED);
}

/* What the driver wrote must be right: these end the program. */
static inline void
fake_check(bool right, const char *what)
{
	if (!right)
		panic("the driver's ring is wrong: %s\n", what);
}

static inline void
fake_add_seg(struct fake_chain *c, uint64_t addr, uint32_t len, bool write)
{
	fake_check(c->n < FAKE_CHAIN, "an endless chain");
	fake_check(write || c->n == c->nread, "readable behind writable");
	c->seg[c->n].addr = addr;
	c->seg[c->n++].len = len;
	if (write)
		c->writable += len;
	else
		c->nread++;
}

static inline void
fake_split_table(struct fake_chain *c, const struct vring_desc *d)
{
	const struct vring_desc *t = (const void *)(uintptr_t)d->addr;
	unsigned i, at = 0, n = d->len / sizeof(*t);

	fake_check(d->len % sizeof(*t) == 0 && n > 0, "a table's length");
	fake_check(d->flags == VRING_DESC_F_INDIRECT, "a table's flags");
	for (i = 0; i < n; i++) {
		fake_add_seg(c, t[at].addr, t[at].len,
		    (t[at].flags & VRING_DESC_F_WRITE) != 0);
		if ((t[at].flags & VRING_DESC_F_NEXT) == 0)
			break;
		at = t[at].next;
		fake_check(at < n, "a table's next");
	}
	fake_check(i == n - 1, "a table that is too long");
}

static inline bool
fake_split_next(struct fake_ring *r, struct fake_chain *c)
{
	const struct vring_desc *d = (const void *)(uintptr_t)r->place.desc;
	const struct vring_avail *a = (const void *)(uintptr_t)r->place.driver;
	uint16_t at;

	if (a->idx == r->seen)
		return false;
	fake_check((uint16_t)(a->idx - r->seen) <= r->place.size, "avail.idx");
	at = a->ring[r->seen++ & (r->place.size - 1)];
	c->id = at;
	for (;;) {
		fake_check(at < r->place.size, "a descriptor's number");
		c->places++;
		if ((d[at].flags & VRING_DESC_F_INDIRECT) != 0) {
			fake_split_table(c, &d[at]);
			return true;
		}
		fake_add_seg(c, d[at].addr, d[at].len,
		    (d[at].flags & VRING_DESC_F_WRITE) != 0);
		if ((d[at].flags & VRING_DESC_F_NEXT) == 0)
			return true;
		at = d[at].next;
	}
}

static inline void
fake_step(const struct fake_ring *r, uint16_t *place, bool *wrap, unsigned n)
{
	*place += n;
	if (*place >= r->place.size) {
		*place -= r->place.size;
		*wrap = !*wrap;
	}
}

static inline void
fake_packed_table(struct fake_chain *c, const struct vring_packed_desc *d)
{
	const struct vring_packed_desc *t = (const void *)(uintptr_t)d->addr;
	unsigned i, n = d->len / sizeof(*t);

	fake_check(d->len % sizeof(*t) == 0 && n > 0, "a table's length");
	for (i = 0; i < n; i++)
		fake_add_seg(c, t[i].addr, t[i].len,
		    (t[i].flags & VRING_DESC_F_WRITE) != 0);
}

static inline bool
fake_packed_next(struct fake_ring *r, struct fake_chain *c)
{
	const struct vring_packed_desc *ring = (const void *)(uintptr_t)
						   r->place.desc,
				       *d;
	uint16_t flags;

	for (;;) {
		d = &ring[r->seen];
		flags = d->flags;
		if (((flags & 0x80) != 0) != r->seen_wrap ||
		    ((flags & 0x8000) != 0) == r->seen_wrap) {
			fake_check(c->places == 0, "half a chain");
			return false;
		}
		c->places++;
		c->id = d->id;
		if ((flags & VRING_DESC_F_INDIRECT) != 0)
			fake_packed_table(c, d);
		else
			fake_add_seg(c, d->addr, d->len,
			    (flags & VRING_DESC_F_WRITE) != 0);
		fake_step(r, &r->seen, &r->seen_wrap, 1);
		if ((flags & VRING_DESC_F_NEXT) == 0)
			return true;
	}
}

/* The next chain that was offered on queue q; false: none. */
static inline bool
fake_next(struct fake_device *f, unsigned q, struct fake_chain *c)
{
	memset(c, 0, sizeof(*c));
	return fake_is_packed(f) ? fake_packed_next(&f->ring[q], c) :
				   fake_split_next(&f->ring[q], c);
}

/* Answers with any id and length; `places` of the ring, where packed. */
static inline void
fake_answer(struct fake_device *f, unsigned q, uint32_t id, uint32_t len,
    unsigned places)
{
	struct fake_ring *r = &f->ring[q];
	struct vring_packed_desc *ring = (void *)(uintptr_t)r->place.desc;
	struct vring_used *u = (void *)(uintptr_t)r->place.device;

	if (fake_is_packed(f)) {
		ring[r->used].id = id;
		ring[r->used].len = len;
		ring[r->used].flags = r->used_wrap ? 0x8080 : 0;
		fake_step(r, &r->used, &r->used_wrap, places);
		r->news += places;
		return;
	}
	u->ring[r->used & (r->place.size - 1)].id = id;
	u->ring[r->used & (r->place.size - 1)].len = len;
	u->idx = ++r->used;
	r->news++;
}

/* Does the driver want to hear of the answers since the last time? */
static inline bool
fake_wants_interrupt(struct fake_device *f, unsigned q)
{
	struct fake_ring *r = &f->ring[q];
	const struct vring_avail *a = (const void *)(uintptr_t)r->place.driver;
	const uint16_t *event = (const void *)(uintptr_t)r->place.driver;
	uint16_t news = r->news, at;

	r->news = 0;
	if (fake_is_packed(f) && event[1] != VRING_PACKED_EVENT_FLAG_DESC)
		return event[1] == VRING_PACKED_EVENT_FLAG_ENABLE;
	if (!virtio_has(&f->vd, VIRTIO_RING_F_EVENT_IDX))
		return a->flags == 0;
	if (!fake_is_packed(f))
		return (uint16_t)(r->used - a->ring[r->place.size] - 1) < news;
	at = event[0] & 0x7fff;
	if ((event[0] >> 15) != r->used_wrap)
		at -= r->place.size;
	return (uint16_t)(r->used - at - 1) < news;
}

#endif
