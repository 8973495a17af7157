/* SPDX-License-Identifier: ISC */
/*
 * vtballoon.c - memory given back to the host.  Virtio 1.2, 5.5.
 *
 * The balloon holds as many pages as the host asks for, as far as memory is
 * free, or becomes so when clean cached pages go: programs are not hurt, and
 * what cannot be had is tried again later.  When memory runs out in the guest,
 * pages leave it at once (DEFLATE_ON_OOM).  Apart from that, free blocks are
 * told to the host, which then needs no room for them until they are used.
 *
 * All steps are done by the device tree's thread, one batch after the other
 * (the device is a bus of which nothing but steps ever comes); the queues'
 * interrupts, timers and the host's wishes ask for the next one.
 *
 * Not taken: FREE_PAGE_HINT, which serves a migration that one cannot tell
 * apart from none, and PAGE_POISON, as freed pages keep what was in them.
 */
#include "bus/device.h"
#include "bus/virtqueue.h"
#include "dev/drivers.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/timer.h"
#include <linux/errno.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>

#define BATCH     256u /* pages told at once */
#define NBLOCK    32u  /* free blocks told at once */
#define RETRY_NS  (2 * NSEC_PER_SEC)
#define TELL_NS   (2 * NSEC_PER_SEC) /* blocks that live shorter: untold */
#define RESERVE   256u /* frames, at least, that stay with the guest */
#define STATS_AT  (BATCH * sizeof(uint32_t))
#define NSTAT     8u
#define CONFIG(f) offsetof(struct virtio_balloon_config, f)
#define FEATURES                                          \
	(VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST) |    \
	    VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ) |       \
	    VIRTIO_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) | \
	    VIRTIO_BIT(VIRTIO_BALLOON_F_REPORTING))

TAILQ_HEAD(pages, page);

/*
 *	IDLE --inflate--> FILLING --answered--> IDLE
 *	     --deflate--> EMPTYING --answered--> IDLE
 */
enum state { IDLE, FILLING, EMPTYING };

struct vtballoon_softc {          /* I: constant once attached; l: lock */
	struct virtio_device *vd; /* [I] */
	struct device *dev;       /* [I] */
	struct spinlock lock;     /* interrupts off */
	struct virtqueue *inflate, *deflate, *stats, *report; /* [l] */
	struct dma_mem mem; /* [I] page numbers, then statistics */
	bool gone;          /* [l] */
	struct pages pages; /* [l] in the balloon */
	uint32_t npages;    /* [l] of them */
	enum state state;   /* [l] */
	bool answered;      /* [l] what FILLING or EMPTYING waits for */
	struct pages batch; /* [l] on their way, in or out */
	uint32_t nbatch;    /* [l] */
	/*
	 * [l] Numbers of pages that were taken in need, of which the host does
	 * not know yet: in pages that were among them; priv counts.
	 */
	struct pages owed;
	uint32_t told_actual;       /* what the host's configuration says */
	bool stats_due;             /* [l] */
	struct page *block[NBLOCK]; /* told, not yet answered */
	unsigned nblock;            /* [l] */
	bool block_answered;        /* [l] */
	struct timer retry, tell;
};

/* Who is asked in need, and told of free blocks; the first that came. */
static struct vtballoon_softc *the_one; /* under the_one_lock */
static struct spinlock the_one_lock = SPINLOCK_INIT;

static void
step_soon(void *arg)
{
	struct vtballoon_softc *sc = arg;

	device_rescan_soon(sc->dev);
}

/* --------------------------------------------------------- in and out -- */

/* How many pages the host wants in it, no more than there can be. */
static uint32_t
wanted(struct vtballoon_softc *sc)
{
	uint32_t n = virtio_config32(sc->vd, CONFIG(num_pages));
	struct page_stats st;

	page_stats(&st);
	return MIN((uint64_t)n, st.total + sc->npages);
}

static void
tell_actual(struct vtballoon_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	uint32_t n = sc->npages;

	spin_unlock_irq(&sc->lock, state);
	if (n == sc->told_actual)
		return;
	sc->told_actual = n;
	virtio_config_set32(sc->vd, CONFIG(actual), n);
}

/* Pages that can be given without hurting anybody; clean cache goes. */
static uint32_t
spare(uint32_t want)
{
	struct page_stats st;
	uint64_t keep;

	page_stats(&st);
	keep = MAX(RESERVE, st.total / 32);
	if (st.free < keep + want) {
		(void)page_reclaim(keep + want - st.free);
		page_stats(&st);
	}
	return st.free > keep ? MIN(want, st.free - keep) : 0;
}

static uint32_t
take_pages(struct pages *to, uint32_t n)
{
	struct page *p;
	uint32_t got;

	for (got = 0; got < n && (p = page_alloc(0, 0)) != NULL; got++)
		TAILQ_INSERT_TAIL(to, p, link);
	return got;
}

/* Offers the first n numbers of the list to the device. */
static int
push_locked(struct vtballoon_softc *sc, struct virtqueue *vq, uint32_t n)
{
	struct dma_seg seg = { sc->mem.addr, n * sizeof(uint32_t) };
	int error = virtqueue_push(vq, &seg, 1, 0, sc);

	sc->answered = false;
	virtqueue_kick(vq);
	return error;
}

static void
fill_numbers(struct vtballoon_softc *sc, const struct pages *from)
{
	uint32_t *number = sc->mem.kva, i = 0;
	struct page *p;

	TAILQ_FOREACH (p, from, link)
		number[i++] = page_paddr(p) >> VIRTIO_BALLOON_PFN_SHIFT;
}

static void
inflate(struct vtballoon_softc *sc, uint32_t n)
{
	uint64_t state;
	uint32_t got;

	TAILQ_INIT(&sc->batch);
	got = take_pages(&sc->batch, spare(MIN(n, BATCH)));
	if (got == 0) {
		timer_arm(&sc->retry, clock_mono_ns() + RETRY_NS);
		return;
	}
	fill_numbers(sc, &sc->batch);
	state = spin_lock_irq(&sc->lock);
	sc->nbatch = got;
	sc->state = FILLING;
	(void)push_locked(sc, sc->inflate, got);
	spin_unlock_irq(&sc->lock, state);
}

static void
move_locked(struct pages *to, struct pages *from, uint32_t n)
{
	struct page *p;

	while (n-- > 0 && (p = TAILQ_FIRST(from)) != NULL) {
		TAILQ_REMOVE(from, p, link);
		TAILQ_INSERT_TAIL(to, p, link);
	}
}

static void
deflate(struct vtballoon_softc *sc, uint32_t n)
{
	uint64_t state = spin_lock_irq(&sc->lock);

	TAILQ_INIT(&sc->batch);
	sc->nbatch = MIN(MIN(n, BATCH), sc->npages);
	move_locked(&sc->batch, &sc->pages, sc->nbatch);
	sc->npages -= sc->nbatch;
	fill_numbers(sc, &sc->batch);
	sc->state = EMPTYING;
	(void)push_locked(sc, sc->deflate, sc->nbatch);
	spin_unlock_irq(&sc->lock, state);
}

/* Pages that were taken in need are the host's business only now. */
static bool
settle_owed(struct vtballoon_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	struct page *store = TAILQ_FIRST(&sc->owed);
	uint32_t n;

	if (store != NULL) {
		TAILQ_INIT(&sc->batch);
		n = MIN(store->priv, BATCH);
		store->priv -= n;
		memcpy(sc->mem.kva, (uint32_t *)page_kva(store) + store->priv,
		    n * sizeof(uint32_t));
		if (store->priv == 0) {
			TAILQ_REMOVE(&sc->owed, store, link);
			TAILQ_INSERT_TAIL(&sc->batch, store, link);
		}
		sc->nbatch = 0;
		sc->state = EMPTYING;
		(void)push_locked(sc, sc->deflate, n);
	}
	spin_unlock_irq(&sc->lock, state);
	return store != NULL;
}

/* MemTotal is what there is without the balloon, unless it helps in need. */
static void
count(struct vtballoon_softc *sc, int64_t frames)
{
	if (!virtio_has(sc->vd, VIRTIO_BALLOON_F_DEFLATE_ON_OOM))
		page_total_add(frames);
}

static void
free_pages(struct pages *list)
{
	struct page *p;

	while ((p = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, p, link);
		page_put(p);
	}
}

/* The host has answered: the batch is where it should be. */
static void
finish(struct vtballoon_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	enum state was = sc->state;
	uint32_t n = sc->nbatch;

	if (was == FILLING) {
		move_locked(&sc->pages, &sc->batch, n);
		sc->npages += n;
	}
	sc->state = IDLE;
	sc->answered = false;
	sc->nbatch = 0;
	spin_unlock_irq(&sc->lock, state);
	if (was == EMPTYING)
		free_pages(&sc->batch);
	count(sc, was == FILLING ? -(int64_t)n : n);
}

/* True: there may be more to do at once. */
static bool
balloon_step(struct vtballoon_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	bool busy = sc->state != IDLE, answered = sc->answered;
	uint32_t have = sc->npages, want;

	spin_unlock_irq(&sc->lock, state);
	if (busy && !answered)
		return false;
	if (busy) {
		finish(sc);
		return true;
	}
	if (settle_owed(sc))
		return false;
	want = wanted(sc);
	if (want > have)
		inflate(sc, want - have);
	else if (want < have)
		deflate(sc, have - want);
	else
		tell_actual(sc);
	if (want != have)
		tell_actual(sc);
	return false;
}

static void
balloon_intr(void *arg)
{
	struct vtballoon_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	bool any = false;
	uint32_t len;

	do {
		while (virtqueue_pop(sc->inflate, &len) != NULL)
			any = true;
		while (virtqueue_pop(sc->deflate, &len) != NULL)
			any = true;
	} while (
	    !virtqueue_intr_on(sc->inflate) || !virtqueue_intr_on(sc->deflate));
	sc->answered |= any;
	spin_unlock_irq(&sc->lock, state);
	if (any)
		step_soon(sc);
}

/* ---------------------------------------------------------- in need -- */

/* Notes that the host has to hear of p; false: p itself is needed for that. */
static bool
owe_locked(struct vtballoon_softc *sc, struct page *p)
{
	struct page *store = TAILQ_LAST(&sc->owed, pages);
	bool full = store == NULL ||
	    store->priv == PAGE_SIZE / sizeof(uint32_t);

	if (full) {
		store = p;
		store->priv = 0;
		TAILQ_INSERT_TAIL(&sc->owed, store, link);
	}
	((uint32_t *)page_kva(store))[store->priv++] = page_paddr(p) >>
	    VIRTIO_BALLOON_PFN_SHIFT;
	return !full;
}

/* Memory has run out: pages come back, and the host hears of it later. */
static uint64_t
give_back_locked(struct vtballoon_softc *sc, struct pages *list)
{
	struct page *p;
	uint64_t n = 0;

	while (n < BATCH && (p = TAILQ_FIRST(&sc->pages)) != NULL) {
		TAILQ_REMOVE(&sc->pages, p, link);
		sc->npages--;
		if (!owe_locked(sc, p))
			continue;
		TAILQ_INSERT_TAIL(list, p, link);
		n++;
	}
	return n;
}

static uint64_t
in_need(uint64_t frames)
{
	struct pages list = TAILQ_HEAD_INITIALIZER(list);
	uint64_t state = spin_lock_irq(&the_one_lock), n = 0;
	struct vtballoon_softc *sc = the_one;

	(void)frames;
	if (sc != NULL) {
		spin_lock(&sc->lock);
		if (!sc->gone)
			n = give_back_locked(sc, &list);
		spin_unlock(&sc->lock);
		if (n != 0)
			step_soon(sc);
	}
	spin_unlock_irq(&the_one_lock, state);
	free_pages(&list);
	return n;
}

/* --------------------------------------------------------- statistics -- */

static void
put_stat(struct virtio_balloon_stat *s, uint16_t tag, uint64_t frames)
{
	s->tag = tag;
	s->val = frames * PAGE_SIZE;
}

static void
stats_step(struct vtballoon_softc *sc)
{
	struct dma_seg seg = { sc->mem.addr + STATS_AT, 0 };
	struct virtio_balloon_stat *s = (void *)((uint8_t *)sc->mem.kva +
	    STATS_AT);
	uint64_t state, cached = page_cached();
	struct page_stats st;
	unsigned n = 0;

	page_stats(&st);
	state = spin_lock_irq(&sc->lock);
	if (sc->stats_due && !sc->gone) {
		sc->stats_due = false;
		put_stat(&s[n++], VIRTIO_BALLOON_S_SWAP_IN, 0);
		put_stat(&s[n++], VIRTIO_BALLOON_S_SWAP_OUT, 0);
		put_stat(&s[n++], VIRTIO_BALLOON_S_MEMFREE, st.free);
		put_stat(&s[n++], VIRTIO_BALLOON_S_MEMTOT, st.total);
		put_stat(&s[n++], VIRTIO_BALLOON_S_AVAIL, st.free);
		put_stat(&s[n++], VIRTIO_BALLOON_S_CACHES, cached);
		seg.len = n * sizeof(*s);
		(void)virtqueue_push(sc->stats, &seg, 1, 0, sc);
		virtqueue_kick(sc->stats);
	}
	spin_unlock_irq(&sc->lock, state);
}

/* The host has read them, and gives the buffer back when it wants news. */
static void
stats_intr(void *arg)
{
	struct vtballoon_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	bool any = false;
	uint32_t len;

	do {
		while (virtqueue_pop(sc->stats, &len) != NULL)
			any = true;
	} while (!virtqueue_intr_on(sc->stats));
	sc->stats_due |= any;
	spin_unlock_irq(&sc->lock, state);
	if (any)
		step_soon(sc);
}

/* -------------------------------------------------------- free blocks -- */

/* There are free blocks of which the host does not know. */
static void
blocks_due(void)
{
	uint64_t state = spin_lock_irq(&the_one_lock);

	if (the_one != NULL && !the_one->gone)
		timer_arm(&the_one->tell, clock_mono_ns() + TELL_NS);
	spin_unlock_irq(&the_one_lock, state);
}

/* The next few; they are not free as long as the host looks at them. */
static void
tell_blocks(struct vtballoon_softc *sc)
{
	unsigned max = MIN(NBLOCK, virtqueue_size(sc->report)), i;
	struct dma_seg seg[NBLOCK];
	uint64_t state;
	int error = -ENODEV;

	sc->nblock = page_tell_begin(sc->block, max);
	if (sc->nblock == 0)
		return;
	for (i = 0; i < sc->nblock; i++)
		seg[i] = (struct dma_seg){ page_paddr(sc->block[i]),
			PAGE_SIZE << page_tell_order(sc->block[i]) };
	state = spin_lock_irq(&sc->lock);
	sc->block_answered = false;
	if (!sc->gone)
		error = virtqueue_push(sc->report, seg, 0, sc->nblock, sc);
	if (error == 0)
		virtqueue_kick(sc->report);
	spin_unlock_irq(&sc->lock, state);
	if (error != 0) {
		page_tell_end(sc->block, sc->nblock, false);
		sc->nblock = 0;
	}
}

/* Only `tell` begins; answers go on until there are no more. */
static void
report_step(struct vtballoon_softc *sc)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	bool answered = sc->block_answered;

	spin_unlock_irq(&sc->lock, state);
	if (sc->nblock != 0 && !answered)
		return;
	if (sc->nblock != 0)
		page_tell_end(sc->block, sc->nblock, true);
	sc->nblock = 0;
	tell_blocks(sc);
}

static void
report_intr(void *arg)
{
	struct vtballoon_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);
	bool any = false;
	uint32_t len;

	do {
		while (virtqueue_pop(sc->report, &len) != NULL)
			any = true;
	} while (!virtqueue_intr_on(sc->report));
	sc->block_answered |= any;
	spin_unlock_irq(&sc->lock, state);
	if (any)
		step_soon(sc);
}

/* --------------------------------------------------- attach, detach -- */

static int
vtballoon_step(struct device *dev)
{
	struct vtballoon_softc *sc = device_softc(dev);

	if (device_is_gone(dev))
		return 0;
	while (balloon_step(sc))
		;
	if (sc->stats != NULL)
		stats_step(sc);
	if (sc->report != NULL && !sc->tell.armed)
		report_step(sc);
	return 0;
}

static const struct bus_ops vtballoon_bus_ops = {
	.name = "virtio-balloon",
	.rescan = vtballoon_step,
};

/* Pages that the host may still take for its own are used no more. */
static void
release(struct vtballoon_softc *sc, bool quiet)
{
	struct page *p;
	unsigned i;

	if (!quiet) {
		TAILQ_FOREACH (p, &sc->batch, link)
			page_keep_aside(p);
		for (i = 0; i < sc->nblock; i++)
			page_keep_aside(sc->block[i]);
	}
	if (sc->nblock != 0 && quiet)
		page_tell_end(sc->block, sc->nblock, false);
	free_pages(&sc->batch);
	free_pages(&sc->pages);
	free_pages(&sc->owed);
	/* Those on their way out are in npages no more, but not counted yet. */
	count(sc, sc->npages + (sc->state == EMPTYING ? sc->nbatch : 0));
}

static void
forget_the_one(struct vtballoon_softc *sc)
{
	uint64_t state = spin_lock_irq(&the_one_lock);
	bool mine = the_one == sc;

	if (mine)
		the_one = NULL;
	spin_unlock_irq(&the_one_lock, state);
	if (!mine)
		return;
	page_set_last_resort(NULL);
	page_tell_set(NULL);
}

/* Every step accepts a softc that is half built. */
static void
vtballoon_detach(struct device *dev, enum detach_kind kind)
{
	struct vtballoon_softc *sc = device_softc(dev);
	uint64_t state = spin_lock_irq(&sc->lock);
	bool quiet;

	sc->gone = true;
	spin_unlock_irq(&sc->lock, state);
	forget_the_one(sc);
	timer_cancel(&sc->retry);
	timer_cancel(&sc->tell);
	quiet = virtio_stop(sc->vd, kind == DETACH_GONE);
	release(sc, quiet);
	virtqueue_destroy(sc->inflate, quiet);
	virtqueue_destroy(sc->deflate, quiet);
	virtqueue_destroy(sc->stats, quiet);
	virtqueue_destroy(sc->report, quiet);
	dma_mem_free(&sc->mem, quiet);
}

static int
make_queue(struct vtballoon_softc *sc, unsigned index, unsigned size,
    void (*intr)(void *), struct virtqueue **out)
{
	struct virtqueue_spec spec = { .index = index,
		.max_size = size,
		.max_chain = size,
		.intr = intr,
		.arg = sc };

	return virtqueue_create(sc->vd, &spec, out);
}

/* Queues are numbered by what the device offers, whatever we take; 5.5.2. */
static int
make_queues(struct vtballoon_softc *sc, uint64_t offers)
{
	unsigned index = 2;
	int error = make_queue(sc, 0, 1, balloon_intr, &sc->inflate);

	if (error == 0)
		error = make_queue(sc, 1, 1, balloon_intr, &sc->deflate);
	if (error == 0 && virtio_has(sc->vd, VIRTIO_BALLOON_F_STATS_VQ))
		error = make_queue(sc, index, 1, stats_intr, &sc->stats);
	index += (offers >> VIRTIO_BALLOON_F_STATS_VQ) & 1;
	index += (offers >> VIRTIO_BALLOON_F_FREE_PAGE_HINT) & 1;
	if (error == 0 && virtio_has(sc->vd, VIRTIO_BALLOON_F_REPORTING))
		error = make_queue(sc, index, NBLOCK, report_intr, &sc->report);
	if (error == 0)
		error = dma_mem_alloc(sc->vd->dma, PAGE_SIZE, PAGE_SIZE, NULL,
		    &sc->mem);
	return error;
}

static void
become_the_one(struct vtballoon_softc *sc)
{
	uint64_t state = spin_lock_irq(&the_one_lock);
	bool mine = the_one == NULL;

	if (mine)
		the_one = sc;
	spin_unlock_irq(&the_one_lock, state);
	/* Where it must be told first there is no time to wait for that. */
	if (mine && virtio_has(sc->vd, VIRTIO_BALLOON_F_DEFLATE_ON_OOM) &&
	    !virtio_has(sc->vd, VIRTIO_BALLOON_F_MUST_TELL_HOST))
		page_set_last_resort(in_need);
	if (mine && sc->report != NULL)
		page_tell_set(blocks_due);
}

static int
vtballoon_attach(struct device *dev)
{
	struct vtballoon_softc *sc = device_softc(dev);
	uint64_t offers;
	int error;

	sc->vd = virtio_device_of(dev);
	sc->dev = dev;
	spin_init(&sc->lock);
	TAILQ_INIT(&sc->pages);
	TAILQ_INIT(&sc->batch);
	TAILQ_INIT(&sc->owed);
	timer_setup(&sc->retry, step_soon, sc);
	timer_setup(&sc->tell, step_soon, sc);
	offers = virtio_offers(sc->vd);
	error = virtio_negotiate(sc->vd, FEATURES, 5);
	if (error == 0)
		error = make_queues(sc, offers);
	if (error != 0) {
		vtballoon_detach(dev, DETACH_ASKED);
		return error;
	}
	device_set_bus(dev, &vtballoon_bus_ops);
	virtio_on_change(sc->vd, step_soon, sc);
	device_announce(dev, "balloon%s%s%s",
	    sc->stats != NULL ? ", statistics" : "",
	    virtio_has(sc->vd, VIRTIO_BALLOON_F_DEFLATE_ON_OOM) ?
		", empties in need" :
		"",
	    sc->report != NULL ? ", told of free blocks" : "");
	virtio_driver_ok(sc->vd);
	sc->stats_due = sc->stats != NULL;
	become_the_one(sc);
	step_soon(sc);
	return 0;
}

static const struct device_id vtballoon_ids[] = {
	{ .device = VIRTIO_ID_BALLOON }, { 0 }
};

const struct driver vtballoon_driver = {
	.name = "vtballoon",
	.bus = "virtio",
	.linux_name = "virtio_balloon",
	.softc_size = sizeof(struct vtballoon_softc),
	.ids = vtballoon_ids,
	.attach = vtballoon_attach,
	.detach = vtballoon_detach,
};
