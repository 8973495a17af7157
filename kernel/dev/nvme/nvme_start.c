/* SPDX-License-Identifier: ISC */
/*
 * nvme_start.c - from whatever state the registers are in to a controller with
 * queues, and to silence.  NVMe 1.4, 7.6.1, 7.6.2, 3.1.5.
 *
 * All that is waited for is bounded: CSTS.RDY by CAP.TO, commands by their
 * time-outs; and ends at once when the device has gone.
 */
#include "dev/nvme/nvme.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "x86/cpu.h"
#include "kern/thread.h"
#include <linux/errno.h>

#define POLL_NS         1000000ll    /* there is no interrupt for CSTS */
#define DELETE_NS       5000000000ll /* for the word that a queue has gone */
#define SHUTDOWN_NS     5000000000ll /* where it does not say how long */
#define SHUTDOWN_MAX_NS 10000000000ll

/* ---- registers ---- */

/*
 * Waits until CSTS under `mask` is `want`.  heed: ends early when the
 * controller shall be left.
 *   -ENODEV all ones; -ECANCELED; -ETIMEDOUT; -EIO fatal status, RDY awaited
 */
static int
wait_status(struct nvme_ctrl *c, uint32_t mask, uint32_t want, int64_t wait_ns,
    bool heed)
{
	int64_t now, end = clock_mono_ns() + wait_ns;
	uint32_t csts;

	for (;;) {
		csts = nvme_read(c, NVME_CSTS);
		if (csts == NVME_GONE)
			return -ENODEV;
		if ((csts & mask) == want)
			return 0;
		if (want == NVME_CSTS_RDY && (csts & NVME_CSTS_CFS) != 0)
			return -EIO;
		if (heed && nvme_should_stop(c))
			return -ECANCELED;
		now = clock_mono_ns();
		if (now >= end)
			return -ETIMEDOUT;
		(void)wait_event_kind(nvme_waitq(c),
		    heed && nvme_should_stop(c), WAIT_UNINTERRUPTIBLE,
		    now + POLL_NS);
	}
}

static int64_t
ready_ns(const struct nvme_ctrl *c)
{
	return c->cap.timeout_ms * 1000000ll;
}

bool
nvme_silence(struct nvme_ctrl *c, int64_t wait_ns)
{
	uint32_t csts = nvme_read(c, NVME_CSTS), cc = nvme_read(c, NVME_CC);

	if (csts != NVME_GONE && cc != NVME_GONE) {
		if ((cc & NVME_CC_EN) != 0)
			nvme_write(c, NVME_CC,
			    cc & ~(NVME_CC_EN | NVME_CC_SHN));
		if (wait_status(c, NVME_CSTS_RDY, 0, wait_ns, false) == 0)
			return true;
	}
	return nvme_bus_is_absent(c);
}

/* EN must not change while RDY does not yet follow it. */
static int
disable(struct nvme_ctrl *c)
{
	uint32_t cc = nvme_read(c, NVME_CC), csts = nvme_read(c, NVME_CSTS);
	int error = 0;

	if (cc == NVME_GONE || csts == NVME_GONE)
		return -ENODEV;
	if ((cc & NVME_CC_EN) != 0 && (csts & NVME_CSTS_RDY) == 0)
		error = wait_status(c, NVME_CSTS_RDY, NVME_CSTS_RDY,
		    ready_ns(c), true);
	if (error == -ENODEV || error == -ECANCELED)
		return error;
	if ((cc & NVME_CC_EN) != 0)
		nvme_write(c, NVME_CC, cc & ~(NVME_CC_EN | NVME_CC_SHN));
	return wait_status(c, NVME_CSTS_RDY, 0, ready_ns(c), true);
}

static void
write64(struct nvme_ctrl *c, size_t reg, uint64_t v)
{
	nvme_write(c, reg, (uint32_t)v);
	nvme_write(c, reg + 4, v >> 32);
}

static int
enable(struct nvme_ctrl *c)
{
	uint32_t n = c->admin.size - 1;

	nvme_queue_clear(&c->admin);
	nvme_write(c, NVME_AQA, n << 16 | n);
	write64(c, NVME_ASQ, c->admin.sq.addr);
	write64(c, NVME_ACQ, c->admin.cq.addr);
	c->silent = false;
	nvme_write(c, NVME_CC,
	    NVME_CC_EN | NVME_CC_MPS(c->cap.page_shift - 12) | NVME_CC_IOSQES |
		NVME_CC_IOCQES);
	return wait_status(c, NVME_CSTS_RDY, NVME_CSTS_RDY, ready_ns(c), true);
}

void
nvme_shutdown(struct nvme_ctrl *c)
{
	int64_t wait_ns = c->id.rtd3e_us == 0 ? SHUTDOWN_NS :
						c->id.rtd3e_us * 1000ll;
	uint32_t cc = nvme_read(c, NVME_CC);
	int error;

	if (cc == NVME_GONE || (cc & NVME_CC_EN) == 0)
		return;
	nvme_write(c, NVME_CC, (cc & ~NVME_CC_SHN) | NVME_CC_SHN_NORMAL);
	error = wait_status(c, NVME_CSTS_SHST, NVME_CSTS_SHST_DONE,
	    MIN(wait_ns, SHUTDOWN_MAX_NS), false);
	if (error != 0)
		log_warn("%s: does not confirm that it may lose power, "
			 "error %d",
		    nvme_name(c), -error);
}

/* ---- who it is ---- */

static int
not_the_same(struct nvme_ctrl *c, const struct nvme_params *now)
{
	if (!c->identified ||
	    (strcmp(now->serial, c->id.serial) == 0 &&
		strcmp(now->model, c->id.model) == 0 &&
		now->max_bytes >= c->id.max_bytes && now->sgl >= c->id.sgl))
		return 0;
	nvme_break(c, "another one after a reset: serial %s", now->serial);
	return -EPROTO;
}

/* Programs look at it also between two lives: nvme_handle_info(). */
static void
note_identity(struct nvme_ctrl *c, const struct nvme_params *p)
{
	uint64_t state = spin_lock_irq(&c->lock);

	c->id = *p;
	spin_unlock_irq(&c->lock, state);
	__atomic_store_n(&c->identified, true, __ATOMIC_RELEASE);
	c->io_timeout_ns = nvme_io_timeout_ns(p);
}

static int
identify(struct nvme_ctrl *c)
{
	struct nvme_id_ctrl *id = kzalloc(sizeof(*id));
	struct nvme_params *p = kzalloc(sizeof(*p));
	const char *why = "";
	int error = -ENOMEM;

	if (id != NULL && p != NULL)
		error = nvme_identify(c, NVME_CNS_CTRL, 0, id);
	if (error == 0) {
		error = nvme_parse_ctrl(id, &c->cap, p, &why);
		if (error != 0)
			nvme_break(c, "identify makes no sense: %s", why);
		else
			error = not_the_same(c, p);
	}
	if (error == 0)
		note_identity(c, p);
	kfree(p);
	kfree(id);
	return error;
}

/* Not all know events; that is no reason to do without the disk. */
static int
ask_for_events(struct nvme_ctrl *c)
{
	uint32_t which = c->id.oaes & NVME_OAES_NS, ignored;
	int error = 0;

	if (which != 0)
		error = nvme_set_feature(c, NVME_FEAT_ASYNC, which, &ignored);
	if (error == -EIO) {
		log_info("%s: tells nothing of namespaces that change",
		    nvme_name(c));
		error = 0;
	}
	if (error == 0)
		nvme_arm_events(c);
	return error;
}

/* ---- I/O queues ---- */

/* As many as there are processors, vectors, doorbells, and as it grants. */
static int
how_many(struct nvme_ctrl *c, unsigned *n)
{
	size_t pairs = (c->regs_size - NVME_DOORBELLS) / (2 * c->cap.stride);
	unsigned want = c->nvectors > 1 ? c->nvectors - 1 : 1;
	uint32_t granted = 0;
	int error;

	want = MIN(want, MIN(cpu_count(), NVME_IO_QUEUES));
	want = MIN(want, pairs - 1);
	if (c->nioq != 0)
		want = MIN(want, c->nioq);
	error = nvme_set_feature(c, NVME_FEAT_QUEUES,
	    (want - 1) << 16 | (want - 1), &granted);
	if (error == -EIO) {
		granted = 0; /* it does not know that there can be several */
		error = 0;
	}
	*n = MIN(want, MIN(granted & 0xffff, granted >> 16) + 1);
	return error;
}

static int
make_queues(struct nvme_ctrl *c, unsigned want)
{
	uint32_t size = MIN(c->cap.entries, NVME_IO_SIZE);
	unsigned n;
	int error = 0;

	if (c->nioq != 0)
		return 0;
	c->ioq = kcalloc(want, sizeof(c->ioq[0]));
	if (c->ioq == NULL)
		return -ENOMEM;
	for (n = 0; n < want && error == 0; n++) {
		error = nvme_queue_make(c, &c->ioq[n], n + 1, size);
		if (error == 0 && c->nvectors > 1)
			error = nvme_bus_intr_establish(c, n + 1,
			    nvme_queue_intr, &c->ioq[n]);
		/* Counted also if it is half made: it is to be freed. */
		__atomic_store_n(&c->nioq, n + 1, __ATOMIC_RELEASE);
	}
	return error == 0 ? nvme_large_make(c) : error;
}

static int
create(struct nvme_ctrl *c, unsigned opcode, const struct nvme_queue *q,
    busaddr_t ring, uint32_t cdw11)
{
	struct nvme_command cmd = { .sqe = { .opcode = opcode,
					.prp1 = ring,
					.cdw10 = (q->size - 1) << 16 | q->id,
					.cdw11 = cdw11 } };

	return nvme_admin(c, &cmd);
}

static int
create_queue(struct nvme_ctrl *c, struct nvme_queue *q)
{
	uint32_t vector = c->nvectors > 1 ? q->id : 0;
	int error;

	nvme_queue_clear(q);
	error = create(c, NVME_ADMIN_CREATE_CQ, q, q->cq.addr,
	    vector << 16 | 3);
	if (error == 0)
		error = create(c, NVME_ADMIN_CREATE_SQ, q, q->sq.addr,
		    q->id << 16 | 1);
	return error;
}

static int
start_queues(struct nvme_ctrl *c)
{
	unsigned want, n;
	int error = how_many(c, &want);

	if (error == 0)
		error = make_queues(c, want);
	for (n = 0; n < want && error == 0; n++)
		error = create_queue(c, &c->ioq[n]);
	if (error == -EIO && n > 1) { /* the last one was refused */
		n--;
		error = 0;
		log_info("%s: %u of %u queues", nvme_name(c), n, want);
	}
	if (error == 0)
		__atomic_store_n(&c->nlive, n, __ATOMIC_RELEASE);
	return error;
}

/* NVMe 1.4, 5.6: their commands are ended, or will not be answered. */
void
nvme_delete_queues(struct nvme_ctrl *c)
{
	struct nvme_command cmd;
	unsigned i;
	int error = 0;

	for (i = 0; i < c->nlive && error == 0; i++) {
		cmd = (struct nvme_command){
			.sqe = { .opcode = NVME_ADMIN_DELETE_SQ,
			    .cdw10 = c->ioq[i].id },
			.at_once = true,
			.timeout_ns = DELETE_NS
		};
		error = nvme_command(&c->admin, &cmd);
		if (error == 0 && NVME_SC(cmd.status) != 0)
			error = -EIO;
	}
	if (error != 0 && !nvme_should_stop(c))
		log_warn("%s: queue %u cannot be deleted, error %d",
		    nvme_name(c), i, -error);
}

/* ---- all of it ---- */

static void
say(struct nvme_ctrl *c, const char *at, int error)
{
	if (nvme_should_stop(c))
		return;
	switch (error) {
	case -ENODEV: nvme_break(c, "gone (%s)", at); break;
	case -ENOMEM: nvme_break(c, "no memory (%s)", at); break;
	case -ETIMEDOUT: nvme_break(c, "no answer (%s)", at); break;
	default: nvme_break(c, "error %d (%s)", -error, at); break;
	}
}

static int
enable_and_open(struct nvme_ctrl *c)
{
	int error = enable(c);

	if (error == 0)
		nvme_queue_door(&c->admin, NVME_OPEN);
	return error;
}

int
nvme_start(struct nvme_ctrl *c)
{
	static const struct {
		const char *what;
		int (*fn)(struct nvme_ctrl *c);
	} steps[] = {
		{ "it does not stop", disable },
		{ "it does not become ready", enable_and_open },
		{ "identify", identify },
		{ "queues", start_queues },
		{ "events", ask_for_events },
	};
	unsigned i;
	int error = 0;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && error == 0; i++) {
		error = steps[i].fn(c);
		if (error != 0)
			say(c, steps[i].what, error);
	}
	return error;
}

void
nvme_free_queues(struct nvme_ctrl *c, bool quiet)
{
	unsigned i;

	for (i = 0; i < c->nioq; i++)
		nvme_queue_free(&c->ioq[i], quiet);
	kfree(c->ioq);
	c->ioq = NULL;
	c->nioq = 0;
	nvme_queue_free(&c->admin, quiet);
	nvme_large_free_all(c, quiet);
}
