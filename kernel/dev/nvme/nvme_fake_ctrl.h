/* SPDX-License-Identifier: ISC */
/*
 * nvme_fake_ctrl.h - a controller in software, for tests and fuzzers on the
 * host.  NVMe 1.4.  It checks what the driver writes, serves commands one at a
 * time from real memory (so that the address sanitizer sees each late write),
 * and is as honest as it is told to be.  It can vanish at any register access
 * and at any answer, which are counted together.
 */
#ifndef DEV_NVME_NVME_FAKE_CTRL_H
#define DEV_NVME_NVME_FAKE_CTRL_H

#include "dev/nvme/nvme_fake.h"

#define FAKE_QUEUES 8
#define FAKE_BLOCKS 8192 /* of 512 bytes, of each namespace */
#define FAKE_NS     4
#define FAKE_HELD   64

struct fake_sq {
	uint64_t addr;
	uint32_t size, head, tail;
	unsigned cq;
};
struct fake_cq {
	uint64_t addr;
	uint32_t size, tail, head;
	uint8_t phase;
	unsigned vector;
};

static struct fake_nvme {
	uint64_t cap;
	uint32_t vs, cc, csts, aqa;
	uint64_t asq, acq;
	struct fake_sq sq[FAKE_QUEUES];
	struct fake_cq cq[FAKE_QUEUES];
	struct nvme_id_ctrl id;
	struct nvme_id_ns ns[FAKE_NS]; /* nsid - 1; nsze 0: not there */
	uint8_t (*data)[FAKE_BLOCKS * 512];
	uint32_t changed; /* a bit a namespace: the log of changes */
	bool events;      /* asked for */
	unsigned queues;  /* that it grants */
	uint16_t held_event[4];
	unsigned nheld_events;

	/* How it fails. */
	int64_t gone_ns;         /* when it vanished */
	uint64_t steps, gone_at; /* accesses and answers; 0: never */
	bool absent;             /* registers read as ones, it does nothing */
	bool off_the_bus;        /* and its configuration, too */
	bool gone_told;          /* the bus tells at once */
	bool never_ready, never_stops, silent, fatal;
	bool lose_interrupts;
	unsigned hold; /* I/O commands to keep unanswered */
	struct nvme_sqe held[FAKE_HELD];
	unsigned held_sq[FAKE_HELD], nheld;
	unsigned fail;              /* I/O commands to fail ... */
	uint16_t fail_status;       /* ... with this */
	uint16_t admin_status[256]; /* by opcode: 0 is none */
	/* May change an answer before it is written. */
	void (*lie)(struct nvme_cqe *e, const struct nvme_sqe *sqe);
	/* May change data of identify and logs. */
	void (*lie_data)(uint8_t *data, const struct nvme_sqe *sqe);
	bool deletes_silently; /* queues, without a word to their commands */
	unsigned served, resets, aborts, shutdowns, deleted;
	unsigned cut_off; /* I/O commands under way when it was disabled */
} f;

/* Each is a moment at which it may vanish. */
static inline void
fake_moment(void)
{
	f.steps++;
	if (f.steps != f.gone_at)
		return;
	f.absent = true;
	f.gone_ns = fake_now;
	if (f.gone_told)
		fake_gone = true;
}

bool
nvme_bus_is_absent(struct nvme_ctrl *c)
{
	(void)c;
	return f.absent && f.off_the_bus;
}

/* --------------------------------------------------------- registers -- */

static uint32_t
nvme_mmio_read(const volatile void *regs, size_t off)
{
	(void)regs;
	fake_moment();
	if (f.absent)
		return NVME_GONE;
	switch (off) {
	case NVME_CAP: return (uint32_t)f.cap;
	case NVME_CAP + 4: return f.cap >> 32;
	case NVME_VS: return f.vs;
	case NVME_CC: return f.cc;
	case NVME_CSTS: return f.csts;
	default: fake_fail("register 0x%zx is read", off);
	}
}

static inline void
fake_forget_queues(void)
{
	memset(f.sq, 0, sizeof(f.sq));
	memset(f.cq, 0, sizeof(f.cq));
	f.nheld = f.nheld_events = 0;
	f.events = false;
}

static inline void
fake_enable(void)
{
	fake_check((f.aqa & 0xfff) > 0 && (f.aqa >> 16) > 0, "AQA");
	fake_check((f.asq & 0xfff) == 0 && (f.acq & 0xfff) == 0, "ASQ, ACQ");
	fake_check((f.cc & 0xff0000) == (NVME_CC_IOSQES | NVME_CC_IOCQES),
	    "CC's sizes");
	f.sq[0] = (struct fake_sq){ f.asq, (f.aqa & 0xfff) + 1, 0, 0, 0 };
	f.cq[0] = (struct fake_cq){ f.acq, (f.aqa >> 16 & 0xfff) + 1, 0, 0, 1,
		0 };
	if (!f.never_ready)
		f.csts |= NVME_CSTS_RDY;
}

static inline unsigned
fake_io_under_way(void)
{
	unsigned q, n = f.nheld;

	for (q = 1; q < FAKE_QUEUES; q++)
		if (f.sq[q].size != 0)
			n += (f.sq[q].tail + f.sq[q].size - f.sq[q].head) %
			    f.sq[q].size;
	return n;
}

static inline void
fake_write_cc(uint32_t v)
{
	uint32_t was = f.cc;

	f.cc = v;
	if ((v & NVME_CC_SHN) != 0 && (was & NVME_CC_SHN) == 0) {
		f.shutdowns++;
		f.csts |= NVME_CSTS_SHST_DONE;
	}
	if ((v & NVME_CC_EN) != 0 && (was & NVME_CC_EN) == 0) {
		fake_check((f.csts & NVME_CSTS_RDY) == 0, "EN before RDY = 0");
		fake_enable();
	} else if ((v & NVME_CC_EN) == 0 && (was & NVME_CC_EN) != 0) {
		f.resets++;
		f.cut_off += fake_io_under_way();
		if (f.never_stops)
			return;
		fake_forget_queues();
		f.csts = 0;
		f.fatal = false;
	}
}

static inline void
fake_doorbell(unsigned index, uint32_t v)
{
	unsigned q = index / 2;

	fake_check(q < FAKE_QUEUES, "a doorbell of queue %u", q);
	if (index % 2 == 0) {
		fake_check(v < f.sq[q].size, "tail %u of queue %u", v, q);
		f.sq[q].tail = v;
	} else {
		fake_check(v < f.cq[q].size, "head %u of queue %u", v, q);
		f.cq[q].head = v;
	}
}

static void
nvme_mmio_write(volatile void *regs, size_t off, uint32_t v)
{
	(void)regs;
	fake_moment();
	if (f.absent)
		return;
	switch (off) {
	case NVME_CC: fake_write_cc(v); return;
	case NVME_AQA: f.aqa = v; return;
	case NVME_ASQ: f.asq = (f.asq & ~0xffffffffull) | v; return;
	case NVME_ASQ + 4: f.asq = (uint32_t)f.asq | (uint64_t)v << 32; return;
	case NVME_ACQ: f.acq = (f.acq & ~0xffffffffull) | v; return;
	case NVME_ACQ + 4: f.acq = (uint32_t)f.acq | (uint64_t)v << 32; return;
	case NVME_NSSR: fake_write_cc(f.cc & ~NVME_CC_EN); return;
	}
	fake_check(off >= NVME_DOORBELLS && off % 4 == 0, "register 0x%zx",
	    off);
	if ((f.csts & NVME_CSTS_RDY) != 0)
		fake_doorbell((off - NVME_DOORBELLS) /
			(4u << NVME_CAP_DSTRD(f.cap)),
		    v);
}

/* ----------------------------------------------------------- answers -- */

static inline void
fake_interrupt(unsigned vector)
{
	if (!f.lose_interrupts && !f.absent && vector < ARRAY_SIZE(fake_intr) &&
	    fake_intr[vector].fn != NULL)
		(void)fake_intr[vector].fn(fake_intr[vector].arg);
}

/* As it is: no check, no interrupt. */
static inline void
fake_post(unsigned q, struct nvme_cqe e)
{
	struct fake_cq *cq = &f.cq[q];

	if (cq->size == 0)
		return;
	e.status = (e.status & ~1u) | cq->phase;
	((struct nvme_cqe *)(uintptr_t)cq->addr)[cq->tail] = e;
	cq->tail = cq->tail + 1 == cq->size ? 0 : cq->tail + 1;
	cq->phase ^= cq->tail == 0;
}

static inline void
fake_answer(unsigned sq, const struct nvme_sqe *sqe, uint16_t status,
    uint32_t result)
{
	unsigned q = f.sq[sq].cq;
	struct nvme_cqe e = { .result = result,
		.sq_head = f.sq[sq].head,
		.sq_id = sq,
		.cid = sqe->cid,
		.status = (uint16_t)(status << 1) };

	fake_moment();
	if (f.absent)
		return;
	if (f.lie != NULL)
		f.lie(&e, sqe);
	fake_post(q, e);
	fake_interrupt(f.cq[q].vector);
}

/* ------------------------------------------------------------ memory -- */

/* Copies between the command's memory and `buf`, page by page. */
static inline void
fake_prp_copy(const struct nvme_sqe *s, uint8_t *buf, size_t len, bool to_host)
{
	uint64_t at = s->prp1, *list = NULL;
	size_t part, done = 0;
	unsigned k = 0;

	fake_check((at & 3) == 0, "PRP1's alignment");
	while (done < len) {
		part = MIN(len - done, 4096 - (at & 4095));
		if (to_host)
			memcpy((void *)(uintptr_t)at, buf + done, part);
		else
			memcpy(buf + done, (void *)(uintptr_t)at, part);
		done += part;
		if (done == len)
			break;
		if (list == NULL && len - done <= 4096) {
			at = s->prp2;
		} else {
			list = (uint64_t *)(uintptr_t)s->prp2;
			at = list[k++];
		}
		fake_check((at & 4095) == 0, "a PRP inside a page");
	}
}

static inline void
fake_sgl_copy(const struct nvme_sqe *s, uint8_t *buf, size_t len, bool to_host)
{
	const struct nvme_sgl *sgl = (const void *)(uintptr_t)s->prp1;
	size_t n = (uint32_t)s->prp2 / sizeof(*sgl), i, done = 0;

	fake_check(s->prp2 >> 56 == NVME_SGL_LAST, "an SGL's type");
	for (i = 0; i < n; i++) {
		fake_check(done + sgl[i].len <= len, "an SGL's length");
		if (to_host)
			memcpy((void *)(uintptr_t)sgl[i].addr, buf + done,
			    sgl[i].len);
		else
			memcpy(buf + done, (void *)(uintptr_t)sgl[i].addr,
			    sgl[i].len);
		done += sgl[i].len;
	}
	fake_check(done == len, "an SGL's sum");
}

static inline void
fake_copy(const struct nvme_sqe *s, uint8_t *buf, size_t len, bool to_host)
{
	if ((s->flags & 0xc0) != 0)
		fake_sgl_copy(s, buf, len, to_host);
	else
		fake_prp_copy(s, buf, len, to_host);
}

/* ---------------------------------------------------- admin commands -- */

static inline void
fake_give_data(const struct nvme_sqe *s, uint8_t *data, size_t len)
{
	if (f.lie_data != NULL)
		f.lie_data(data, s);
	fake_copy(s, data, len, true);
}

static inline uint16_t
fake_identify(const struct nvme_sqe *s)
{
	static struct nvme_id_ns none;
	uint32_t list[1024] = { 0 };
	unsigned i, n = 0;

	switch (s->cdw10 & 0xff) {
	case NVME_CNS_NS:
		none = s->nsid - 1 < FAKE_NS ? f.ns[s->nsid - 1] :
					       (struct nvme_id_ns){ 0 };
		fake_give_data(s, (uint8_t *)&none, 4096);
		return 0;
	case NVME_CNS_CTRL: {
		struct nvme_id_ctrl id = f.id;

		fake_give_data(s, (uint8_t *)&id, 4096);
		return 0;
	}
	case NVME_CNS_ACTIVE:
		for (i = s->nsid; i < FAKE_NS; i++)
			if (f.ns[i].nsze != 0)
				list[n++] = i + 1;
		fake_give_data(s, (uint8_t *)list, 4096);
		return 0;
	default: return NVME_SC_BAD_FIELD | NVME_STATUS_DNR;
	}
}

static inline uint16_t
fake_get_log(const struct nvme_sqe *s)
{
	uint32_t len = ((s->cdw10 >> 16) + 1) * 4, page[1024] = { 0 };
	unsigned i, n = 0;

	fake_check(len <= 4096, "a log page's length");
	if ((s->cdw10 & 0xff) == NVME_LOG_CHANGED_NS) {
		for (i = 0; i < FAKE_NS; i++)
			if ((f.changed >> i & 1) != 0)
				page[n++] = i + 1;
		f.changed = 0;
	}
	fake_give_data(s, (uint8_t *)page, len);
	return 0;
}

static inline uint16_t
fake_create(const struct nvme_sqe *s)
{
	unsigned q = s->cdw10 & 0xffff;
	uint32_t size = (s->cdw10 >> 16) + 1;

	fake_check(q > 0 && q < FAKE_QUEUES && size > 1, "queue %u", q);
	fake_check((s->prp1 & 4095) == 0 && (s->cdw11 & 1) != 0, "its memory");
	fake_check(size - 1 <= NVME_CAP_MQES(f.cap), "its size");
	if (s->opcode == NVME_ADMIN_CREATE_CQ) {
		fake_check(f.cq[q].size == 0, "a second CQ %u", q);
		fake_check((s->cdw11 >> 16) < fake_vectors, "its vector");
		f.cq[q] = (struct fake_cq){ s->prp1, size, 0, 0, 1,
			s->cdw11 >> 16 };
		return 0;
	}
	fake_check(f.sq[q].size == 0 && f.cq[s->cdw11 >> 16].size > 0,
	    "SQ %u before its CQ", q);
	f.sq[q] = (struct fake_sq){ s->prp1, size, 0, 0, s->cdw11 >> 16 };
	return 0;
}

/* What it held of that queue is ended, or never answered. */
static inline uint16_t
fake_delete_sq(const struct nvme_sqe *s)
{
	unsigned q = s->cdw10 & 0xffff, i = 0;

	fake_check(q > 0 && q < FAKE_QUEUES && f.sq[q].size > 0, "queue %u", q);
	while (i < f.nheld) {
		if (f.held_sq[i] != q) {
			i++;
			continue;
		}
		if (!f.deletes_silently)
			fake_answer(q, &f.held[i], NVME_SC_SQ_DELETED, 0);
		f.held[i] = f.held[--f.nheld];
		f.held_sq[i] = f.held_sq[f.nheld];
	}
	f.sq[q].size = 0;
	f.deleted++;
	return 0;
}

static inline uint16_t
fake_set_feature(const struct nvme_sqe *s, uint32_t *result)
{
	switch (s->cdw10 & 0xff) {
	case NVME_FEAT_QUEUES:
		*result = (f.queues - 1) << 16 | (f.queues - 1);
		return 0;
	case NVME_FEAT_ASYNC: f.events = true; return 0;
	default: return NVME_SC_BAD_FIELD | NVME_STATUS_DNR;
	}
}

/* A command that is held is given up; one that is not is beyond recall. */
static inline uint16_t
fake_abort(const struct nvme_sqe *s, uint32_t *result)
{
	unsigned i;

	f.aborts++;
	*result = 1;
	for (i = 0; i < f.nheld; i++) {
		if (f.held_sq[i] != (s->cdw10 & 0xffff) ||
		    f.held[i].cid != s->cdw10 >> 16 || f.silent)
			continue;
		fake_answer(f.held_sq[i], &f.held[i], NVME_SC_ABORTED, 0);
		f.held[i] = f.held[--f.nheld];
		f.held_sq[i] = f.held_sq[f.nheld];
		*result = 0;
		break;
	}
	return 0;
}

static inline void
fake_admin(const struct nvme_sqe *s)
{
	uint32_t result = 0;
	uint16_t status = f.admin_status[s->opcode];

	if (status == 0) {
		switch (s->opcode) {
		case NVME_ADMIN_IDENTIFY: status = fake_identify(s); break;
		case NVME_ADMIN_GET_LOG: status = fake_get_log(s); break;
		case NVME_ADMIN_CREATE_CQ:
		case NVME_ADMIN_CREATE_SQ: status = fake_create(s); break;
		case NVME_ADMIN_DELETE_SQ: status = fake_delete_sq(s); break;
		case NVME_ADMIN_SET_FEATURES:
			status = fake_set_feature(s, &result);
			break;
		case NVME_ADMIN_ABORT: status = fake_abort(s, &result); break;
		case NVME_ADMIN_ASYNC_EVENT:
			fake_check(f.nheld_events < 4, "too many events");
			f.held_event[f.nheld_events++] = s->cid;
			return;
		default: status = NVME_SC_BAD_OPCODE | NVME_STATUS_DNR;
		}
	}
	fake_answer(0, s, status, result);
}

/* Says what has changed, if somebody listens. */
static inline bool
fake_event(uint32_t what)
{
	struct nvme_sqe s = { 0 };

	if (f.nheld_events == 0 || f.absent)
		return false;
	s.cid = f.held_event[--f.nheld_events];
	fake_answer(0, &s, 0, what);
	return true;
}

/* ------------------------------------------------------ I/O commands -- */

static inline uint16_t
fake_io(const struct nvme_sqe *s)
{
	uint64_t lba = s->cdw10 | (uint64_t)s->cdw11 << 32;
	uint32_t n = (s->cdw12 & 0xffff) + 1, i;
	struct nvme_dsm_range range;
	uint8_t *at;

	if (s->nsid - 1 >= FAKE_NS || f.ns[s->nsid - 1].nsze == 0)
		return NVME_SC_BAD_NS | NVME_STATUS_DNR;
	if (s->opcode == NVME_CMD_FLUSH)
		return 0;
	if (s->opcode == NVME_CMD_DSM) {
		fake_copy(s, (uint8_t *)&range, sizeof(range), false);
		lba = range.lba;
		n = range.blocks;
		fake_check((s->cdw10 & 0xff) == 0, "more than one range");
	}
	if (lba > f.ns[s->nsid - 1].nsze || n > f.ns[s->nsid - 1].nsze - lba)
		return NVME_SC_LBA_RANGE | NVME_STATUS_DNR;
	at = f.data[s->nsid - 1] + lba * 512;
	switch (s->opcode) {
	case NVME_CMD_WRITE: fake_copy(s, at, n * 512ul, false); break;
	case NVME_CMD_READ: fake_copy(s, at, n * 512ul, true); break;
	case NVME_CMD_DSM:
	case NVME_CMD_WRITE_ZEROES:
		for (i = 0; i < n * 512; i++)
			at[i] = 0;
		break;
	default: return NVME_SC_BAD_OPCODE | NVME_STATUS_DNR;
	}
	return 0;
}

static inline void
fake_serve(unsigned q, const struct nvme_sqe *s)
{
	f.served++;
	if (q == 0) {
		fake_admin(s);
	} else if (f.hold > 0 && f.nheld < FAKE_HELD) {
		f.hold--;
		f.held[f.nheld] = *s;
		f.held_sq[f.nheld++] = q;
	} else if (f.fail > 0) {
		f.fail--;
		fake_answer(q, s, f.fail_status, 0);
	} else {
		fake_answer(q, s, fake_io(s), 0);
	}
}

/* One command, of the first queue that has any. */
static bool
fake_ctrl_step(void)
{
	struct nvme_sqe s;
	unsigned q;

	if (f.absent || f.silent || (f.csts & NVME_CSTS_RDY) == 0)
		return false;
	if (f.fatal) {
		f.csts |= NVME_CSTS_CFS;
		return false;
	}
	for (q = 0; q < FAKE_QUEUES; q++) {
		if (f.sq[q].size == 0 || f.sq[q].head == f.sq[q].tail)
			continue;
		s = ((const struct nvme_sqe *)(uintptr_t)f.sq[q]
			 .addr)[f.sq[q].head];
		f.sq[q].head = f.sq[q].head + 1 == f.sq[q].size ?
		    0 :
		    f.sq[q].head + 1;
		fake_serve(q, &s);
		return true;
	}
	return false;
}

/* Late writes of one that was never stopped: to all it knows of. */
static inline void
fake_write_late(void)
{
	unsigned i, q;

	if ((f.csts & NVME_CSTS_RDY) == 0)
		return;
	f.absent = false;
	for (q = 0; q < FAKE_QUEUES; q++)
		if (f.cq[q].size > 0)
			memset((void *)(uintptr_t)f.cq[q].addr, 0xee,
			    f.cq[q].size * sizeof(struct nvme_cqe));
	for (i = 0; i < f.nheld; i++)
		if (f.held[i].opcode == NVME_CMD_READ)
			(void)fake_io(&f.held[i]);
}

/* ------------------------------------------------------------- begin -- */

static inline void
fake_ns(unsigned nsid, uint64_t blocks)
{
	f.ns[nsid - 1] = (struct nvme_id_ns){ .nsze = blocks, .ncap = blocks };
	f.ns[nsid - 1].lbaf[0].lbads = 9;
	f.ns[nsid - 1].eui64[7] = nsid;
	f.changed |= 1u << (nsid - 1);
}

/* An honest one of 1.4 with two namespaces, two queues and a write cache. */
static inline void
fake_honest(void)
{
	static uint8_t data[FAKE_NS][FAKE_BLOCKS * 512];

	fake_forget_aside();
	memset(&f, 0, sizeof(f));
	f.data = data;
	f.cap = 255ull | 1ull << 16 | 2ull << 24 | 1ull << 36 | 1ull << 37;
	f.vs = 0x10400;
	f.queues = 2;
	f.id.vid = 0x1b36;
	memcpy(f.id.serial, "SOFT1               ", 20);
	memcpy(f.id.model, "software controller                     ", 40);
	memcpy(f.id.firmware, "1.0     ", 8);
	f.id.sqes = 0x66;
	f.id.cqes = 0x44;
	f.id.nn = FAKE_NS;
	f.id.oncs = NVME_ONCS_DSM | NVME_ONCS_ZEROES;
	f.id.vwc = 1;
	f.id.sgls = 1;
	f.id.acl = 3;
	f.id.oaes = NVME_OAES_NS;
	fake_ns(1, FAKE_BLOCKS);
	fake_ns(2, FAKE_BLOCKS);
	f.changed = 0;
	fake_cmdline = "";
	fake_lines = fake_warnings = 0;
	fake_vectors = 3;
	fake_cpu = 0;
	fake_budget = -1;
}

#endif
