/* SPDX-License-Identifier: ISC */
/*
 * request.c - transfers: checked, cut at the disk's limits, kept while the
 * driver is full, counted, ended once.
 */
#include "block/block.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/oneshot.h"
#include "kern/page.h"
#include "kern/panic.h"
#include "kern/string.h"
#include <linux/errno.h>

/* ------------------------------------------------------- statistics -- */

static unsigned
stat_kind(enum disk_op op)
{
	switch (op) {
	case DISK_WRITE: return BLOCK_STAT_WRITE;
	case DISK_DISCARD:
	case DISK_ZERO: return BLOCK_STAT_DISCARD;
	case DISK_FLUSH: return BLOCK_STAT_FLUSH;
	default: return BLOCK_STAT_READ;
	}
}

static void
count_time_locked(struct block_dev *bd, int64_t now)
{
	uint64_t span = now - bd->changed_ns;

	if (bd->stats.in_flight > 0) {
		bd->stats.busy_ns += span;
		bd->stats.weighted_ns += span * bd->stats.in_flight;
	}
	bd->changed_ns = now;
}

static void
count_start_of(struct block_dev *bd, const struct block_req *req)
{
	uint64_t state = spin_lock_irq(&bd->lock);

	count_time_locked(bd, req->start_ns);
	bd->stats.in_flight++;
	bd->stats.reads_in_flight += req->op == DISK_READ;
	spin_unlock_irq(&bd->lock, state);
	block_watch();
}

/* What a partition does its disk does, too. */
static void
count_start(struct block_req *req)
{
	if (req->op == DISK_SERIAL)
		return; /* no transfer of the disk's contents */
	req->start_ns = clock_mono_ns();
	count_start_of(req->bd, req);
	if (req->bd->whole != NULL)
		count_start_of(req->bd->whole, req);
}

static void
count_end_of(struct block_dev *bd, const struct block_req *req, int64_t now)
{
	unsigned kind = stat_kind(req->op);
	uint64_t state = spin_lock_irq(&bd->lock);

	count_time_locked(bd, now);
	bd->stats.in_flight--;
	bd->stats.reads_in_flight -= req->op == DISK_READ;
	bd->stats.kind[kind].ios++;
	bd->stats.kind[kind].sectors += req->nsectors;
	bd->stats.kind[kind].ns += now - req->start_ns;
	spin_unlock_irq(&bd->lock, state);
}

static void
count_end(const struct block_req *req)
{
	int64_t now;

	if (req->op == DISK_SERIAL)
		return;
	now = clock_mono_ns();
	count_end_of(req->bd, req, now);
	if (req->bd->whole != NULL)
		count_end_of(req->bd->whole, req, now);
}

void
block_stats(struct block_dev *bd, struct block_stats *st)
{
	uint64_t state = spin_lock_irq(&bd->lock);

	count_time_locked(bd, clock_mono_ns());
	*st = bd->stats;
	spin_unlock_irq(&bd->lock, state);
}

/* ------------------------------------------------- to the driver, back -- */

/* One part has ended, or the submitter's own hold. */
static void
part_done(struct block_req *req, int error)
{
	int none = 0;

	if (error != 0)
		__atomic_compare_exchange_n(&req->error, &none, error, false,
		    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (__atomic_sub_fetch(&req->parts, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	count_end(req);
	req->done(req, req->error);
}

static void
wait_for_room(struct block_dev *bd, struct disk_req *dr, uint32_t room,
    bool first, bool *again)
{
	uint64_t state = spin_lock_irq(&bd->lock);

	*again = bd->room != room; /* it came in between */
	dr->more = false;          /* nobody commits it later */
	if (!*again && first)
		TAILQ_INSERT_HEAD(&bd->waiting, dr, link);
	else if (!*again)
		TAILQ_INSERT_TAIL(&bd->waiting, dr, link);
	spin_unlock_irq(&bd->lock, state);
}

/*
 * Gives one part to the driver, or to the list of those that wait.  False: it
 * waits.
 */
static bool
dispatch(struct block_dev *bd, struct disk_req *dr, bool first)
{
	uint32_t room;
	bool again = false;
	int error;

	do {
		room = __atomic_load_n(&bd->room, __ATOMIC_ACQUIRE);
		error = -ENODEV;
		if (gate_enter(&bd->gate)) {
			error = disk_submit(bd->disk, dr);
			/* Inside the gate, so that departure sees it wait. */
			if (error == -EAGAIN)
				wait_for_room(bd, dr, room, first, &again);
			gate_exit(&bd->gate);
		}
	} while (error == -EAGAIN && again);
	if (error != 0 && error != -EAGAIN)
		dr->done(dr, error);
	return error != -EAGAIN;
}

static struct disk_req *
take_waiting(struct block_dev *bd)
{
	struct disk_req *dr;
	uint64_t state = spin_lock_irq(&bd->lock);

	dr = TAILQ_FIRST(&bd->waiting);
	if (dr != NULL)
		TAILQ_REMOVE(&bd->waiting, dr, link);
	spin_unlock_irq(&bd->lock, state);
	return dr;
}

void
block_room(struct block_dev *bd)
{
	struct disk_req *dr;
	uint64_t state = spin_lock_irq(&bd->lock);

	__atomic_add_fetch(&bd->room, 1, __ATOMIC_RELEASE);
	spin_unlock_irq(&bd->lock, state);
	while ((dr = take_waiting(bd)) != NULL && dispatch(bd, dr, true))
		;
}

/* After the gate was shut: nobody waits for room that never comes. */
void
block_end_waiting(struct block_dev *bd)
{
	struct disk_req *dr;

	while ((dr = take_waiting(bd)) != NULL)
		dr->done(dr, -ENODEV);
}

/* ------------------------------------------------------------- whole -- */

static bool
has_memory(enum disk_op op)
{
	return op == DISK_READ || op == DISK_WRITE || op == DISK_SERIAL;
}

static uint64_t
max_sectors(const struct block_dev *bd, enum disk_op op)
{
	uint64_t max;

	switch (op) {
	case DISK_DISCARD: max = bd->info.max_discard; break;
	case DISK_ZERO: max = bd->info.max_zero; break;
	default: max = bd->info.max_sectors; break;
	}
	return max != 0 ? max : UINT64_MAX;
}

static unsigned
segs_of(const struct block_dev *bd, uint64_t len)
{
	uint32_t max = bd->info.max_seg_size;

	return max == 0 ? 1 : (len + max - 1) / max;
}

/* Whether run i may follow the one before it in one transfer. */
static bool
may_meet(const struct block_dev *bd, const struct block_req *req, unsigned i)
{
	const struct dma_run *run = req->run;
	uint64_t b = bd->info.seg_boundary;

	return b == 0 || i == 0 ||
	    ((run[i].pa | (run[i - 1].pa + run[i - 1].len)) & (b - 1)) == 0;
}

static bool
fits(const struct block_dev *bd, const struct block_req *req)
{
	unsigned i, segs = 0;

	if (req->nsectors > max_sectors(bd, req->op))
		return false;
	for (i = 0; i < req->nruns && segs <= bd->info.max_segs; i++) {
		if (!may_meet(bd, req, i))
			return false;
		segs += segs_of(bd, req->run[i].len);
	}
	return segs <= bd->info.max_segs;
}

/* On the disk. */
static uint64_t
first_sector(const struct block_req *req)
{
	return req->op == DISK_FLUSH || req->op == DISK_SERIAL ?
	    0 :
	    req->bd->start + req->sector;
}

static void
whole_done(struct disk_req *dr, int error)
{
	part_done(container_of(dr, struct block_req, whole), error);
}

static void
submit_whole(struct block_dev *bd, struct block_req *req)
{
	req->whole = (struct disk_req){
		.op = req->op,
		.unmap = req->unmap,
		.more = req->more,
		.sector = first_sector(req),
		.nsectors = req->nsectors,
		.run = req->run,
		.nruns = req->nruns,
		.done = whole_done,
	};
	dispatch(bd, &req->whole, false);
}

/* ------------------------------------------------------------- parts -- */

struct block_part {
	struct disk_req dr;
	struct block_req *req;
	struct dma_run run[];
};

/* How far a request was cut so far. */
struct cut {
	uint64_t sector, left; /* sectors */
	unsigned run;
	uint64_t skip; /* bytes of that run */
};

static void
cut_done(struct disk_req *dr, int error)
{
	struct block_part *p = container_of(dr, struct block_part, dr);
	struct block_req *req = p->req;

	kfree(p);
	part_done(req, error);
}

/*
 * Fills the part with as much memory as it may have, and as many bytes as it
 * wants; how many it got.
 */
static uint64_t
cut_memory(const struct block_dev *bd, const struct block_req *req,
    struct cut *c, struct block_part *p, uint64_t want)
{
	uint64_t max = bd->info.max_seg_size, got = 0, len;
	unsigned segs = 0;

	while (got < want && segs < bd->info.max_segs && c->run < req->nruns &&
	    (got == 0 || c->skip != 0 || may_meet(bd, req, c->run))) {
		len = MIN(req->run[c->run].len - c->skip, want - got);
		if (max != 0)
			len = MIN(len, max * (bd->info.max_segs - segs));
		p->run[p->dr.nruns++] = (struct dma_run){
			req->run[c->run].pa + c->skip, len
		};
		segs += segs_of(bd, len);
		got += len;
		c->skip += len;
		if (c->skip == req->run[c->run].len) {
			c->run++;
			c->skip = 0;
		}
	}
	return got;
}

/* Takes back what is no whole block. */
static void
cut_back(struct cut *c, const struct block_req *req, struct block_part *p,
    uint64_t odd)
{
	struct dma_run *last;
	uint64_t len;

	while (odd > 0) {
		last = &p->run[p->dr.nruns - 1];
		len = MIN(odd, last->len);
		if (c->skip == 0)
			c->skip = req->run[--c->run].len;
		c->skip -= len;
		last->len -= len;
		if (last->len == 0)
			p->dr.nruns--;
		odd -= len;
	}
}

static int
cut_part(struct block_dev *bd, struct block_req *req, struct cut *c,
    struct block_part **out)
{
	unsigned nruns = MIN(req->nruns, bd->info.max_segs);
	struct block_part *p = kmalloc(sizeof(*p) + nruns * sizeof(p->run[0]));
	uint64_t n = MIN(c->left, max_sectors(bd, req->op)), got, odd;

	if (p == NULL)
		return -ENOMEM;
	p->req = req;
	p->dr = (struct disk_req){ .op = req->op,
		.unmap = req->unmap,
		.more = true,
		.sector = c->sector,
		.run = p->run,
		.done = cut_done };
	if (has_memory(req->op)) {
		got = cut_memory(bd, req, c, p, n << SECTOR_SHIFT);
		odd = got % bd->info.block_size;
		cut_back(c, req, p, odd);
		n = (got - odd) >> SECTOR_SHIFT;
	}
	if (n == 0) {
		kfree(p);
		return -EINVAL;
	}
	p->dr.nsectors = n;
	c->sector += n;
	c->left -= n;
	*out = p;
	return 0;
}

static void
submit_parts(struct block_dev *bd, struct block_req *req)
{
	struct cut c = { .sector = first_sector(req), .left = req->nsectors };
	struct block_part *p;
	int error = 0;

	while (c.left > 0 && error == 0) {
		__atomic_add_fetch(&req->parts, 1, __ATOMIC_RELAXED);
		error = cut_part(bd, req, &c, &p);
		if (error == 0)
			dispatch(bd, &p->dr, false);
		else
			part_done(req, error);
	}
	if (!req->more)
		block_commit(bd);
}

/* ----------------------------------------------------------- transfers -- */

void
block_commit(struct block_dev *bd)
{
	bd = block_disk(bd);
	if (!gate_enter(&bd->gate))
		return;
	disk_commit(bd->disk);
	gate_exit(&bd->gate);
}

static int
check(struct block_dev *bd, const struct block_req *req)
{
	uint64_t mask = bd->info.block_size / SECTOR_SIZE - 1, n, bytes = 0;
	unsigned i;

	switch (req->op) {
	case DISK_FLUSH:
	case DISK_SERIAL: return 0;
	case DISK_DISCARD:
		if (bd->info.max_discard == 0)
			return -EOPNOTSUPP;
		break;
	case DISK_ZERO:
		if (bd->info.max_zero == 0)
			return -EOPNOTSUPP;
		break;
	default: break;
	}
	if (req->op != DISK_READ && block_is_read_only(bd))
		return -EROFS;
	n = block_sectors(bd);
	if (req->nsectors == 0 || ((req->sector | req->nsectors) & mask) != 0 ||
	    req->sector > n || req->nsectors > n - req->sector)
		return -EINVAL;
	for (i = 0; i < req->nruns; i++)
		bytes += req->run[i].len;
	KASSERT(
	    bytes == (has_memory(req->op) ? req->nsectors << SECTOR_SHIFT : 0));
	return 0;
}

/* To the disk; a partition that departs lets nothing more through. */
static void
submit(struct block_dev *bd, struct block_req *req)
{
	struct block_dev *disk = block_disk(bd);

	if (bd != disk && !gate_enter(&bd->gate)) {
		part_done(req, -ENODEV);
		return;
	}
	if (fits(disk, req)) {
		submit_whole(disk, req);
	} else {
		submit_parts(disk, req);
		part_done(req, 0);
	}
	if (bd != disk)
		gate_exit(&bd->gate);
}

void
block_submit(struct block_dev *bd, struct block_req *req)
{
	int error = check(bd, req);

	req->bd = bd;
	req->error = 0;
	req->parts = 1; /* ours, so that it does not end in between */
	count_start(req);
	if (error != 0)
		part_done(req, error);
	else
		submit(bd, req);
}

struct sleep {
	struct block_req req;
	struct oneshot ended;
	int error;
};

static void
sleep_done(struct block_req *req, int error)
{
	struct sleep *s = container_of(req, struct sleep, req);

	s->error = error;
	oneshot_fire(&s->ended);
}

int
block_transfer(struct block_dev *bd, enum disk_op op, uint64_t sector,
    uint64_t nsectors, const struct dma_run *run, unsigned nruns)
{
	struct sleep s = { .req = { .op = op,
			       .sector = sector,
			       .nsectors = nsectors,
			       .run = run,
			       .nruns = nruns,
			       .done = sleep_done } };

	oneshot_init(&s.ended);
	block_submit(bd, &s.req);
	oneshot_wait(&s.ended);
	return s.error;
}

int
block_flush(struct block_dev *bd)
{
	if (!bd->info.volatile_cache)
		return block_is_gone(bd) ? -ENODEV : 0;
	return block_transfer(bd, DISK_FLUSH, 0, 0, NULL, 0);
}

int
block_serial(struct block_dev *bd, char buf[DISK_SERIAL_MAX + 1])
{
	struct page *page = page_alloc(0, PAGE_ALLOC_ZERO);
	struct dma_run run;
	int error;

	if (page == NULL)
		return -ENOMEM;
	run = (struct dma_run){ page_paddr(page), DISK_SERIAL_MAX };
	error = block_transfer(bd, DISK_SERIAL, 0, 0, &run, 1);
	if (error == 0) {
		memcpy(buf, page_kva(page), DISK_SERIAL_MAX);
		buf[DISK_SERIAL_MAX] = '\0';
	}
	page_put(page);
	return error;
}
