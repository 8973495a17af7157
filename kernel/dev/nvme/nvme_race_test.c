/* SPDX-License-Identifier: ISC */
/*
 * nvme_race_test.c - the NVMe driver with real threads: several submit, one
 * resets, one asks, the controller answers, and amid that it is asked to go,
 * is pulled, or stops to answer.  Each request ends once, detach() ends, no
 * memory is lost; and ThreadSanitizer looks on.
 *
 * The controller is a thread that serves no data.  It is hardware: what it
 * does to memory is ordered by registers only, so it is not instrumented.
 */
/* unit: kernel/kern/cmdline.c */
/* threads */
#define DEV_NVME_MMIO_H
#include "kern/types.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The controller's, below. */
static uint32_t nvme_mmio_read(const volatile void *regs, size_t off);
static void nvme_mmio_write(volatile void *regs, size_t off, uint32_t v);

#include "bus/device.h"
#include "bus/gate.c"
#include "dev/nvme/nvme_admin.c"
#include "dev/nvme/nvme_ctrl.c"
#include "dev/nvme/nvme_data.c"
#include "dev/nvme/nvme_ident.c"
#include "dev/nvme/nvme_io.c"
#include "dev/nvme/nvme_ns.c"
#include "dev/nvme/nvme_queue.c"
#include "dev/nvme/nvme_start.c"
#include "dev/nvme/nvme_user.c"
#include "dev/nvme/nvme_watch.c"
#include "kern/panic.h"
#include "tests/host/host.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* cmocka's words are for the first thread only. */
#define must(what) ((what) ? (void)0 : panic("%s", #what))
#define HARDWARE   __attribute__((no_sanitize("thread", "address")))
#define WORKERS    3
#define QUEUES     3 /* of I/O */
#define ROUNDS     40

#define fake_check(right, what) must(right)
#include "bus/dma_fake.h"

/* ---- the controller ---- */

struct ring {
	uint64_t addr;
	uint32_t size, at, other; /* at: its own; other: the driver's */
	uint8_t phase;
};

static struct {
	pthread_mutex_t lock; /* innermost */
	pthread_cond_t rung;
	uint32_t cc, csts, aqa;
	uint64_t asq, acq;
	struct ring sq[QUEUES + 1], cq[QUEUES + 1];
	bool absent, mute, over;
} hw = { .lock = PTHREAD_MUTEX_INITIALIZER, .rung = PTHREAD_COND_INITIALIZER };

static HARDWARE uint32_t
nvme_mmio_read(const volatile void *regs, size_t off)
{
	const uint64_t cap = 63ull | 1ull << 16 | 4ull << 24 | 1ull << 37;
	uint32_t v = NVME_GONE;

	(void)regs;
	pthread_mutex_lock(&hw.lock);
	if (!hw.absent)
		v = off == NVME_CAP  ? (uint32_t)cap :
		    off == 4         ? cap >> 32 :
		    off == NVME_VS   ? 0x10400 :
		    off == NVME_CC   ? hw.cc :
		    off == NVME_CSTS ? hw.csts :
				       0;
	pthread_mutex_unlock(&hw.lock);
	return v;
}

static HARDWARE void
write_cc_locked(uint32_t v)
{
	if ((v & NVME_CC_SHN) != 0)
		hw.csts |= NVME_CSTS_SHST_DONE;
	if ((v & NVME_CC_EN) != 0 && (hw.cc & NVME_CC_EN) == 0) {
		hw.sq[0] = (struct ring){ hw.asq, (hw.aqa & 0xfff) + 1, 0, 0,
			0 };
		hw.cq[0] = (struct ring){ hw.acq, (hw.aqa >> 16) + 1, 0, 0, 1 };
		hw.csts = NVME_CSTS_RDY;
	} else if ((v & NVME_CC_EN) == 0 && (hw.cc & NVME_CC_EN) != 0) {
		memset(hw.sq, 0, sizeof(hw.sq));
		memset(hw.cq, 0, sizeof(hw.cq));
		hw.csts = 0;
		hw.mute = false;
	}
	hw.cc = v;
}

static HARDWARE void
write_locked(size_t off, uint32_t v)
{
	unsigned bell = (off - NVME_DOORBELLS) / 4;

	switch (off) {
	case NVME_CC: write_cc_locked(v); return;
	case NVME_AQA: hw.aqa = v; return;
	case NVME_ASQ: hw.asq = v; return;
	case NVME_ASQ + 4: hw.asq |= (uint64_t)v << 32; return;
	case NVME_ACQ: hw.acq = v; return;
	case NVME_ACQ + 4: hw.acq |= (uint64_t)v << 32; return;
	}
	must(off >= NVME_DOORBELLS && bell / 2 <= QUEUES);
	if (bell % 2 == 0)
		hw.sq[bell / 2].other = v;
	else
		hw.cq[bell / 2].other = v;
	pthread_cond_signal(&hw.rung);
}

static HARDWARE void
nvme_mmio_write(volatile void *regs, size_t off, uint32_t v)
{
	(void)regs;
	pthread_mutex_lock(&hw.lock);
	if (!hw.absent)
		write_locked(off, v);
	pthread_mutex_unlock(&hw.lock);
}

static HARDWARE void
identify_locked(const struct nvme_sqe *s)
{
	uint8_t *page = (uint8_t *)(uintptr_t)s->prp1;
	struct nvme_id_ctrl *id = (void *)page;
	struct nvme_id_ns *ns = (void *)page;
	unsigned i;

	for (i = 0; i < 4096; i++)
		page[i] = 0;
	switch (s->cdw10 & 0xff) {
	case NVME_CNS_CTRL:
		for (i = 0; i < sizeof(id->serial); i++)
			id->serial[i] = 'S';
		for (i = 0; i < sizeof(id->model); i++)
			id->model[i] = 'M';
		id->sqes = 0x66;
		id->cqes = 0x44;
		id->nn = 2;
		id->acl = 3;
		break;
	case NVME_CNS_ACTIVE:
		((uint32_t *)page)[0] = 1;
		((uint32_t *)page)[1] = 2;
		break;
	default:
		ns->nsze = ns->ncap = 8192;
		ns->lbaf[0].lbads = 9;
		ns->eui64[7] = s->nsid;
	}
}

/* False: it has no answer yet. */
static HARDWARE bool
serve_admin_locked(const struct nvme_sqe *s, uint32_t *result)
{
	unsigned q = s->cdw10 & 0xffff;
	struct ring ring = { s->prp1, (s->cdw10 >> 16) + 1, 0, 0, 1 };

	switch (s->opcode) {
	case NVME_ADMIN_IDENTIFY: identify_locked(s); break;
	case NVME_ADMIN_CREATE_CQ: hw.cq[q] = ring; break;
	case NVME_ADMIN_CREATE_SQ: hw.sq[q] = ring; break;
	case NVME_ADMIN_DELETE_SQ: hw.sq[q].size = 0; break;
	case NVME_ADMIN_SET_FEATURES:
		*result = (QUEUES - 1) << 16 | (QUEUES - 1);
		break;
	case NVME_ADMIN_ASYNC_EVENT: return false;
	}
	return true;
}

/* One command of some queue, whose number it returns; -1: there is none. */
static HARDWARE int
serve_locked(void)
{
	static unsigned turn;
	struct ring *sq, *cq;
	struct nvme_sqe s;
	struct nvme_cqe *e;
	uint32_t result = 0;
	unsigned i, q;

	if (hw.absent || hw.mute || (hw.csts & NVME_CSTS_RDY) == 0)
		return -1;
	for (i = 0; i <= QUEUES; i++) {
		q = turn++ % (QUEUES + 1);
		sq = &hw.sq[q];
		cq = &hw.cq[q];
		if (sq->size == 0 || sq->at == sq->other)
			continue;
		s = ((struct nvme_sqe *)(uintptr_t)sq->addr)[sq->at];
		sq->at = (sq->at + 1) % sq->size;
		if (q == 0 && !serve_admin_locked(&s, &result))
			return 0;
		e = (struct nvme_cqe *)(uintptr_t)cq->addr + cq->at;
		e->result = result;
		e->sq_head = sq->at;
		e->sq_id = q;
		e->cid = s.cid;
		__atomic_store_n(&e->status, cq->phase, __ATOMIC_RELEASE);
		cq->at = (cq->at + 1) % cq->size;
		cq->phase ^= cq->at == 0;
		return q;
	}
	return -1;
}

static pthread_rwlock_t intr_lock = PTHREAD_RWLOCK_INITIALIZER;
static struct {
	bool (*fn)(void *arg);
	void *arg;
} intr[QUEUES + 1];

static void
interrupt(int q)
{
	pthread_rwlock_rdlock(&intr_lock);
	if (intr[q].fn != NULL)
		(void)intr[q].fn(intr[q].arg);
	pthread_rwlock_unlock(&intr_lock);
}

static void *
hardware(void *arg)
{
	int q;

	pthread_mutex_lock(&hw.lock);
	while (!hw.over) {
		q = serve_locked();
		if (q < 0) {
			pthread_cond_wait(&hw.rung, &hw.lock);
			continue;
		}
		pthread_mutex_unlock(&hw.lock);
		interrupt(q);
		pthread_mutex_lock(&hw.lock);
	}
	pthread_mutex_unlock(&hw.lock);
	return arg;
}

static void
set(bool *what, bool to)
{
	pthread_mutex_lock(&hw.lock);
	*what = to;
	pthread_cond_signal(&hw.rung);
	pthread_mutex_unlock(&hw.lock);
}

/* ---- the tree, the bus ---- */

static struct nvme_ctrl *ctrl;
static struct waitq wq = WAITQ_INIT(wq);
static bool gone; /* atomic */
static long kept; /* atomic: blocks kept aside */
static unsigned unsettled;

bool
nvme_bus_is_absent(struct nvme_ctrl *c)
{
	(void)c;
	return nvme_read(c, NVME_CSTS) == NVME_GONE;
}

const char *
nvme_name(const struct nvme_ctrl *c)
{
	(void)c;
	return "nvme0";
}

struct waitq *
nvme_waitq(const struct nvme_ctrl *c)
{
	(void)c;
	return &wq;
}

bool
nvme_is_gone(const struct nvme_ctrl *c)
{
	(void)c;
	return __atomic_load_n(&gone, __ATOMIC_ACQUIRE);
}

void
nvme_bus_report_gone(struct nvme_ctrl *c)
{
	__atomic_store_n(&gone, true, __ATOMIC_RELEASE);
	nvme_wake(c);
}

int
nvme_bus_intr_setup(struct nvme_ctrl *c, unsigned want)
{
	c->nvectors = MIN(want, QUEUES + 1);
	return 0;
}

int
nvme_bus_intr_establish(struct nvme_ctrl *c, unsigned i, bool (*fn)(void *arg),
    void *arg)
{
	(void)c;
	pthread_rwlock_wrlock(&intr_lock);
	intr[i].fn = fn;
	intr[i].arg = arg;
	pthread_rwlock_unlock(&intr_lock);
	return 0;
}

void
nvme_bus_intr_end(struct nvme_ctrl *c)
{
	(void)c;
	pthread_rwlock_wrlock(&intr_lock);
	memset(intr, 0, sizeof(intr));
	pthread_rwlock_unlock(&intr_lock);
}

struct device *
device_get(struct device *dev)
{
	return dev;
}

void
device_put(struct device *dev)
{
	(void)dev;
}

struct waitq *
device_waitq(struct device *dev)
{
	(void)dev;
	return &wq;
}

const char *
device_address(const struct device *dev)
{
	(void)dev;
	return "0000:00:04.0";
}

int64_t
clock_mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

void
power_before_end(void (*farewell)(void))
{
	(void)farewell;
}

const char *
boot_cmdline(void)
{
	return "nvme.io_timeout=1";
}

int
scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return MIN(n, (int)size - 1);
}

/* ---- memory for DMA ---- */

struct dma_tag *
dma_tag_memory(void)
{
	return NULL;
}

int
dma_mem_alloc(struct dma_tag *tag, size_t size, uint64_t align,
    const struct dma_limits *limits, struct dma_mem *out)
{
	(void)tag;
	(void)limits;
	*out = (struct dma_mem){ .size = size };
	if (posix_memalign(&out->kva, align, size) != 0)
		return -ENOMEM;
	memset(out->kva, 0, size);
	out->addr = (uintptr_t)out->kva;
	return 0;
}

/* What is kept aside stays reachable for the leak checker. */
static void *aside[4096];

void
dma_mem_free(struct dma_mem *mem, bool quiet)
{
	if (mem->kva != NULL && !quiet)
		aside[__atomic_fetch_add(&kept, 1, __ATOMIC_RELAXED) % 4096] =
		    mem->kva;
	else
		free(mem->kva);
	mem->kva = NULL;
}

void
dma_runs_keep_aside(const struct dma_run *run, unsigned n)
{
	(void)run;
	(void)n;
}

/* ---- the floor above ---- */

struct above {
	struct disk disk;
	pthread_rwlock_t inside; /* held by who submits; depart waits for it */
	pthread_mutex_t lock;
	pthread_cond_t room;
	unsigned rooms; /* under lock */
	bool there;     /* under both */
};
static struct above disks[2];
static unsigned long ends; /* atomic: requests that ended well */

int
disk_arrive(struct device *dev, const struct disk_ops *ops, void *arg,
    const struct disk_info *info, struct disk **out)
{
	struct above *a = &disks[strcmp(info->name, "nvme0n1") != 0];

	(void)dev;
	pthread_rwlock_wrlock(&a->inside);
	pthread_mutex_lock(&a->lock);
	a->disk = (struct disk){ .ops = ops, .arg = arg, .info = *info };
	a->there = true;
	pthread_mutex_unlock(&a->lock);
	pthread_rwlock_unlock(&a->inside);
	*out = &a->disk;
	return 0;
}

void
disk_room(struct disk *disk)
{
	struct above *a = container_of(disk, struct above, disk);

	pthread_mutex_lock(&a->lock);
	a->rooms++;
	pthread_cond_broadcast(&a->room);
	pthread_mutex_unlock(&a->lock);
}

void
disk_depart(struct disk *disk)
{
	struct above *a = container_of(disk, struct above, disk);

	pthread_rwlock_wrlock(&a->inside);
	pthread_mutex_lock(&a->lock);
	a->there = false;
	pthread_cond_broadcast(&a->room);
	pthread_mutex_unlock(&a->lock);
	pthread_rwlock_unlock(&a->inside);
	disk->info.released(disk->info.released_arg);
}

void
disk_leaving(struct disk *disk)
{
	(void)disk;
}

void
disk_resized(struct disk *disk, uint64_t nsectors)
{
	(void)disk;
	(void)nsectors;
}

void
disk_settling(void)
{
	__atomic_add_fetch(&unsettled, 1, __ATOMIC_RELAXED);
}

void
disk_settled(void)
{
	__atomic_sub_fetch(&unsettled, 1, __ATOMIC_RELEASE);
}

/* ---- programs ---- */

struct job {
	struct disk_req dr;
	struct above *a;
	unsigned done; /* under a->lock */
	int error;     /* under a->lock */
};

static void
job_done(struct disk_req *dr, int error)
{
	struct job *j = container_of(dr, struct job, dr);

	pthread_mutex_lock(&j->a->lock);
	j->done++;
	j->error = error;
	pthread_cond_broadcast(&j->a->room);
	pthread_mutex_unlock(&j->a->lock);
}

/* As the floor above: what is not taken waits for room, or for the end. */
static int
begin(struct job *j)
{
	struct above *a = j->a;
	unsigned seen;
	int error = -ENODEV;

	do {
		pthread_rwlock_rdlock(&a->inside);
		pthread_mutex_lock(&a->lock);
		seen = a->rooms;
		pthread_mutex_unlock(&a->lock);
		error = a->there ? a->disk.ops->submit(a->disk.arg, &j->dr) :
				   -ENODEV;
		pthread_rwlock_unlock(&a->inside);
		pthread_mutex_lock(&a->lock);
		while (error == -EAGAIN && a->rooms == seen && a->there)
			pthread_cond_wait(&a->room, &a->lock);
		pthread_mutex_unlock(&a->lock);
	} while (error == -EAGAIN);
	return error;
}

static int
carry_out(struct job *j)
{
	int error = begin(j);

	if (error != 0)
		return error;
	pthread_mutex_lock(&j->a->lock);
	while (j->done == 0)
		pthread_cond_wait(&j->a->room, &j->a->lock);
	error = j->error;
	pthread_mutex_unlock(&j->a->lock);
	return error;
}

static void *
worker(void *arg)
{
	static uint8_t page[WORKERS][4096] __attribute__((aligned(4096)));
	unsigned i, n = (uintptr_t)arg;
	struct dma_run run = { (uintptr_t)page[n], 4096 };
	struct job j;
	int error = 0;

	for (i = n; error != -ENODEV; i++) {
		j = (struct job){ .a = &disks[i % 2],
			.dr = { .op = i % 3 == 0 ? DISK_WRITE : DISK_READ,
			    .sector = i % 512 * 8,
			    .nsectors = 8,
			    .run = &run,
			    .nruns = 1,
			    .done = job_done } };
		error = carry_out(&j);
		must(j.done <= 1);
		if (error == 0)
			__atomic_add_fetch(&ends, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *
resetter(void *arg)
{
	while (nvme_handle_reset(arg, false) != -ENODEV)
		;
	nvme_handle_put(arg);
	return NULL;
}

static void *
asker(void *arg)
{
	static uint8_t page[4096];
	struct nvme_passthru p = { .sqe = { .opcode = NVME_ADMIN_IDENTIFY,
				       .cdw10 = NVME_CNS_CTRL },
		.buf = page,
		.len = 4096,
		.in = true };
	struct nvme_info info;
	int error;

	do {
		error = nvme_handle_command(arg, false, &p);
		must(error == 0 || error == -EINTR || error == -ENODEV);
		(void)nvme_handle_info(arg, &info);
	} while (error != -ENODEV);
	nvme_handle_put(arg);
	return NULL;
}

/* ---- rounds ---- */

static void
attach(void)
{
	__atomic_store_n(&gone, false, __ATOMIC_RELEASE);
	ctrl = calloc(1, sizeof(*ctrl));
	ctrl->regs = (volatile void *)ctrl;
	ctrl->regs_size = 16384;
	while (nvme_unit_in_use(ctrl->unit))
		ctrl->unit++;
	assert_int_equal(nvme_begin(ctrl), 0);
	assert_int_equal(nvme_run(ctrl), 0);
	while (__atomic_load_n(&unsettled, __ATOMIC_ACQUIRE) > 0)
		sched_yield();
}

/* Some requests have ended since.  Nothing has broken the controller yet. */
static void
await_ends(unsigned long more)
{
	unsigned long until = __atomic_load_n(&ends, __ATOMIC_RELAXED) + more;

	while (__atomic_load_n(&ends, __ATOMIC_RELAXED) < until) {
		if (nvme_is_gone(ctrl))
			panic("it was left: %s", ctrl->why);
		sched_yield();
	}
}

enum { ASKED, PULLED, PULLED_UNTOLD, MUTE, HOWS };

static void
end_it(unsigned how)
{
	if (how == PULLED || how == PULLED_UNTOLD)
		set(&hw.absent, true);
	if (how == PULLED)
		nvme_bus_report_gone(ctrl);
	if (how == PULLED_UNTOLD) /* it is noticed: everybody waits for that */
		while (!nvme_is_gone(ctrl))
			sched_yield();
	if (how == MUTE)
		set(&hw.mute, true);
	nvme_end(ctrl, how == ASKED || how == MUTE);
}

/* One that was pulled never heard that its rings have ended. */
static void
power_on(void)
{
	hw.absent = hw.mute = hw.over = false;
	hw.cc = hw.csts = 0;
	memset(hw.sq, 0, sizeof(hw.sq));
	memset(hw.cq, 0, sizeof(hw.cq));
}

static void
one_round(unsigned round)
{
	long blocks = host_kmem_blocks();
	pthread_t id[WORKERS + 2], controller;
	unsigned i;

	power_on();
	pthread_create(&controller, NULL, hardware, NULL);
	attach();
	for (i = 0; i < WORKERS; i++)
		pthread_create(&id[i], NULL, worker, (void *)(uintptr_t)i);
	nvme_handle_get(ctrl->handle);
	nvme_handle_get(ctrl->handle);
	pthread_create(&id[i++], NULL, asker, ctrl->handle);
	pthread_create(&id[i], NULL, resetter, ctrl->handle);
	await_ends(round % 7 * 20);
	end_it(round % HOWS);
	for (i = 0; i < WORKERS + 2; i++)
		pthread_join(id[i], NULL);
	set(&hw.over, true);
	pthread_join(controller, NULL);
	free(ctrl);
	assert_int_equal(host_kmem_blocks(), blocks);
	for (i = 0; i < UNITS; i++)
		assert_int_equal(in_use[i], 0);
}

static void
all_at_once(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		pthread_rwlock_init(&disks[i].inside, NULL);
		pthread_mutex_init(&disks[i].lock, NULL);
		pthread_cond_init(&disks[i].room, NULL);
	}
	for (i = 0; i < ROUNDS; i++)
		one_round(i);
	assert_int_equal(kept, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_at_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
