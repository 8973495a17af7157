/* SPDX-License-Identifier: ISC */
/*
 * vtballoon_fake.h - what the balloon's driver finds around it on the host:
 * a small allocator of frames that knows who has each of them, timers, and a
 * tree's thread that works when it is told to.  Included by one file of a
 * program, behind tests/host's locks; includes the driver itself.
 */
#ifndef DEV_VTBALLOON_FAKE_H
#define DEV_VTBALLOON_FAKE_H

#define FAKE_QUEUES 5
#define KERN_TIMER_H
#define KERN_PAGE_H
#include "bus/virtio_alone.h"

struct timer {
	void (*fn)(void *arg);
	void *arg;
	bool armed;
};

static inline void
timer_setup(struct timer *t, void (*fn)(void *arg), void *arg)
{
	*t = (struct timer){ .fn = fn, .arg = arg };
}

static inline void
timer_arm(struct timer *t, int64_t deadline_ns)
{
	(void)deadline_ns;
	t->armed = true;
}

static inline bool
timer_cancel(struct timer *t)
{
	bool was = t->armed;

	t->armed = false;
	return was;
}

static inline void
fake_fire(struct timer *t)
{
	if (!timer_cancel(t))
		return;
	t->fn(t->arg);
}

/* ------------------------------------------------------------- frames -- */

#define FAKE_FRAMES 1024u
#define FAKE_BASE   0x1000u /* the first frame's number */

struct page {
	TAILQ_ENTRY(page) link;
	uint64_t priv;
	bool used, aside, isolated, told;
};

struct page_stats {
	uint64_t total, free, taken_in;
};

#define PAGE_TELL_ORDER 5
static struct page fake_frame[FAKE_FRAMES];
static uint32_t fake_bytes[FAKE_FRAMES][PAGE_SIZE / 4];
static int64_t fake_total;
static uint64_t (*fake_resort)(uint64_t frames);
static void (*fake_due)(void);

static void
page_stats(struct page_stats *st)
{
	unsigned i;

	*st = (struct page_stats){ .total = fake_total };
	for (i = 0; i < FAKE_FRAMES; i++)
		st->free += !fake_frame[i].used && !fake_frame[i].isolated;
}

static struct page *
page_alloc(unsigned order, unsigned flags)
{
	unsigned i;

	fake_check(order == 0 && flags == 0, "a page of another kind");
	for (i = 0; i < FAKE_FRAMES; i++)
		if (!fake_frame[i].used && !fake_frame[i].isolated) {
			fake_frame[i].used = true;
			fake_frame[i].told = false;
			return &fake_frame[i];
		}
	return NULL;
}

static void
page_put(struct page *p)
{
	fake_check(p->used, "a page that is freed twice");
	p->used = p->aside;
}

static void
page_keep_aside(struct page *p)
{
	p->aside = true;
}

static uint64_t
page_paddr(const struct page *p)
{
	return (p - fake_frame + (uint64_t)FAKE_BASE) * PAGE_SIZE;
}

static void *
page_kva(struct page *p)
{
	return fake_bytes[p - fake_frame];
}

static uint64_t
page_reclaim(uint64_t frames)
{
	(void)frames;
	return 0;
}

static uint64_t
page_cached(void)
{
	return 3;
}

static void
page_total_add(int64_t frames)
{
	fake_total += frames;
}

static void
page_set_last_resort(uint64_t (*fn)(uint64_t frames))
{
	fake_resort = fn;
}

static void
page_tell_set(void (*due)(void))
{
	fake_due = due;
	if (due != NULL)
		due();
}

/* Blocks of 32 frames, all free. */
static bool
block_is_free(unsigned first)
{
	unsigned i;

	for (i = first; i < first + 32; i++)
		if (fake_frame[i].used || fake_frame[i].isolated)
			return false;
	return true;
}

static unsigned
page_tell_begin(struct page **block, unsigned max)
{
	unsigned i, k, n = 0;

	for (i = 0; i < FAKE_FRAMES && n < max; i += 32) {
		if (fake_frame[i].told || !block_is_free(i))
			continue;
		for (k = i; k < i + 32; k++)
			fake_frame[k].isolated = true;
		block[n++] = &fake_frame[i];
	}
	return n;
}

static void
page_tell_end(struct page **block, unsigned n, bool told)
{
	unsigned i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < 32; k++) {
			fake_check(block[i][k].isolated, "given back twice");
			block[i][k].isolated = false;
			block[i][k].told = told && k == 0;
		}
}

static unsigned
page_tell_order(const struct page *block)
{
	(void)block;
	return 5;
}

#include "dev/virtio/vtballoon.c"

/* ----------------------------------------------------------- the tree -- */

static struct vtballoon_softc *fake_softc;
static bool fake_due_step;

void *
device_softc(const struct device *dev)
{
	(void)dev;
	return fake_softc;
}

bool
device_is_gone(const struct device *dev)
{
	(void)dev;
	return fake_gone != 0;
}

void
device_set_bus(struct device *dev, const struct bus_ops *ops)
{
	(void)dev;
	(void)ops;
}

void
device_rescan_soon(struct device *bus)
{
	(void)bus;
	fake_due_step = true;
}

void
device_announce(struct device *dev, const char *fmt, ...)
{
	(void)dev;
	(void)fmt;
}

static inline void
fake_work(void)
{
	while (fake_due_step) {
		fake_due_step = false;
		(void)vtballoon_step(NULL);
	}
}

static inline int
fake_attach(struct fake_device *f)
{
	int error;

	(void)f;
	memset(fake_frame, 0, sizeof(fake_frame));
	fake_total = FAKE_FRAMES;
	fake_resort = NULL;
	fake_due = NULL;
	fake_softc = kzalloc(sizeof(*fake_softc));
	if (fake_softc == NULL)
		return -ENOMEM;
	error = vtballoon_driver.attach(NULL);
	if (error == 0)
		fake_work();
	return error;
}

/* Every frame is back, or lies where the device may have it. */
static inline void
fake_detach(struct fake_device *f, bool attached, enum detach_kind kind)
{
	bool stuck = f->stuck;
	unsigned i;

	if (attached)
		vtballoon_driver.detach(NULL, kind);
	for (i = 0; i < FAKE_FRAMES; i++)
		fake_check(stuck || !fake_frame[i].isolated,
		    "a block that is not given back");
	fake_check(fake_resort == NULL && fake_due == NULL, "hooks that stay");
	fake_check(fake_total == FAKE_FRAMES, "frames that count no more");
	for (i = 0; i < FAKE_FRAMES; i++)
		fake_check(fake_frame[i].isolated ||
			fake_frame[i].used == fake_frame[i].aside,
		    "a frame that is lost");
	fake_check(!fake_softc->retry.armed && !fake_softc->tell.armed,
	    "a timer that stays armed");
	kfree(fake_softc);
	fake_softc = NULL;
	fake_check(fake_live == 0, "memory that is lost");
}

/* ---------------------------------------------------------- the device -- */

/* Answers a chain of page numbers, which must be frames; how many. */
static inline unsigned
fake_take_numbers(struct fake_device *f, unsigned q)
{
	const uint32_t *number;
	struct fake_chain c;
	unsigned i, n;

	if (f->ring[q].place.size == 0 || !fake_next(f, q, &c))
		return 0;
	fake_check(c.n == 1 && c.nread == 1, "numbers' shape");
	number = (const void *)(uintptr_t)c.seg[0].addr;
	n = c.seg[0].len / 4;
	for (i = 0; i < n; i++)
		fake_check(number[i] - FAKE_BASE < FAKE_FRAMES &&
			(q != 0 || fake_frame[number[i] - FAKE_BASE].used),
		    "the number of no page of ours");
	fake_answer(f, q, c.id, 0, c.places);
	return n;
}

#endif
