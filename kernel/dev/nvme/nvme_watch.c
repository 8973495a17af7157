/* SPDX-License-Identifier: ISC */
/*
 * nvme_watch.c - time-outs.  While requests are under way the controller's
 * thread looks every NVME_PERIOD_NS.  A request that is older than a period
 * makes it look at CSTS: all ones, it has gone; fatal, it is reset; and at
 * answers whose interrupt was lost.  One that is older than the time-out is
 * aborted, and if that is no use the controller is reset.  NVMe 1.4, 5.1, 9.6.
 *
 * EBS asks for the longest time-out there is: there nothing is aborted.
 */
#include "dev/nvme/nvme.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/cmdline.h"
#include "kern/log.h"
#include <linux/errno.h>

#define TIMEOUT_NS   30000000000ull /* Linux's */
#define FOREVER_SECS 4294967295ull  /* what EBS's manual asks for */

/* ---- how long ---- */

static bool
seconds(const char *s, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s >= '0' && *s <= '9' && v < FOREVER_SECS; s++)
		v = v * 10 + *s - '0';
	*out = v;
	return *s == '\0' && v > 0;
}

uint64_t
nvme_io_timeout_ns(const struct nvme_params *p)
{
	static const char *const names[] = { "nvme_core.io_timeout",
		"nvme.io_timeout" };
	uint64_t v, ns = p->is_ebs ? UINT64_MAX : TIMEOUT_NS;
	const char *line;
	char value[24];
	unsigned i;
	int n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		line = boot_cmdline();
		while ((n = cmdline_next_value(&line, names[i], value,
			    sizeof(value))) != -ENOENT)
			if (n > 0 && seconds(value, &v))
				ns = v >= FOREVER_SECS ? UINT64_MAX :
							 v * NSEC_PER_SEC;
	}
	return ns;
}

/* ---- looking ---- */

struct look {
	unsigned busy; /* requests under way */
	uint32_t oldest;
	uint16_t overdue; /* the oldest one's identifier */
	bool aborted;     /* it was asked to end before */
};

static void
look_at_queue(struct nvme_queue *q, struct look *l)
{
	uint32_t now = __atomic_load_n(&q->ctrl->epoch, __ATOMIC_RELAXED), age;
	uint64_t state = spin_lock_irq(&q->lock);
	struct nvme_slot *s;
	unsigned i;

	*l = (struct look){ 0 };
	for (i = 0; i < q->size - 1; i++) {
		s = &q->slot[i];
		if (s->kind != NVME_REQ && s->kind != NVME_ABORT)
			continue;
		l->busy++;
		age = now - s->began;
		if (l->busy > 1 && age <= l->oldest)
			continue;
		l->oldest = age;
		l->overdue = NVME_CID(s->round, i);
		l->aborted = s->aborted || s->kind == NVME_ABORT;
	}
	spin_unlock_irq(&q->lock, state);
}

static bool
anything_busy(struct nvme_ctrl *c)
{
	struct look l;
	unsigned i;

	for (i = 0; i < c->nioq; i++) {
		look_at_queue(&c->ioq[i], &l);
		if (l.busy > 0)
			return true;
	}
	look_at_queue(&c->admin, &l);
	return l.busy > 0;
}

void
nvme_watch(struct nvme_ctrl *c)
{
	if (!__atomic_exchange_n(&c->watching, true, __ATOMIC_SEQ_CST))
		nvme_wake(c);
}

/* Whoever begins a request after the first look sees that nobody watches. */
static void
rest(struct nvme_ctrl *c)
{
	if (anything_busy(c))
		return;
	__atomic_store_n(&c->watching, false, __ATOMIC_SEQ_CST);
	if (anything_busy(c))
		__atomic_store_n(&c->watching, true, __ATOMIC_SEQ_CST);
}

/* ---- acting ---- */

/* The clock starts again for what was asked to end. */
static void
mark_aborted(struct nvme_queue *q, uint16_t cid)
{
	uint64_t state = spin_lock_irq(&q->lock);
	struct nvme_slot *s = &q->slot[NVME_CID_SLOT(cid)];

	if (s->kind != NVME_FREE && s->round == NVME_CID_ROUND(cid)) {
		s->aborted = true;
		s->began = q->ctrl->epoch;
	}
	spin_unlock_irq(&q->lock, state);
}

static void
act(struct nvme_queue *q, const struct look *l)
{
	struct nvme_ctrl *c = q->ctrl;
	uint64_t secs = c->io_timeout_ns / NSEC_PER_SEC;

	if (l->aborted) {
		log_warn("%s: queue %u: command %u unanswered, resetting "
			 "controller",
		    nvme_name(c), q->id, NVME_CID_SLOT(l->overdue));
		nvme_want_reset(c);
	} else if (nvme_abort(c, q->id, l->overdue)) {
		log_warn("%s: queue %u: command %u unanswered for %lu s, "
			 "aborting it",
		    nvme_name(c), q->id, NVME_CID_SLOT(l->overdue), secs);
		mark_aborted(q, l->overdue);
	}
}

static void
look_and_act(struct nvme_queue *q)
{
	struct nvme_ctrl *c = q->ctrl;
	struct look l;

	look_at_queue(q, &l);
	if (l.busy == 0 || l.oldest < 1)
		return;
	if (nvme_queue_answers(q) && !c->told_lost) {
		c->told_lost = true;
		log_warn("%s: queue %u: answers without an interrupt",
		    nvme_name(c), q->id);
	}
	look_at_queue(q, &l);
	if (l.busy > 0 && c->io_timeout_ns != UINT64_MAX &&
	    l.oldest >= c->io_timeout_ns / NVME_PERIOD_NS)
		act(q, &l);
}

static bool
anything_old(struct nvme_ctrl *c)
{
	struct look l;
	unsigned i;

	for (i = 0; i < c->nioq; i++) {
		look_at_queue(&c->ioq[i], &l);
		if (l.busy > 0 && l.oldest >= 1)
			return true;
	}
	return false;
}

void
nvme_watch_look(struct nvme_ctrl *c)
{
	uint32_t csts;
	unsigned i;

	__atomic_add_fetch(&c->epoch, 1, __ATOMIC_RELAXED);
	if (nvme_state(c) != NVME_LIVE)
		return;
	if (anything_old(c)) {
		csts = nvme_read(c, NVME_CSTS);
		if (csts == NVME_GONE) {
			nvme_break(c, "gone (its registers read as ones)");
			return;
		}
		if ((csts & NVME_CSTS_CFS) != 0) {
			log_warn("%s: fatal status, resetting controller",
			    nvme_name(c));
			nvme_want_reset(c);
			return;
		}
	}
	for (i = 0; i < c->nioq; i++)
		look_and_act(&c->ioq[i]);
	look_and_act(&c->admin);
	rest(c);
}
