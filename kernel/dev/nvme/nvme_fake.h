/* SPDX-License-Identifier: ISC */
/*
 * nvme_fake.h - what the NVMe driver finds around it on the host: threads that
 * take turns, a clock that jumps when all wait, memory that is counted, a tree
 * with one node, a floor above.  Included by one file of a program; includes
 * the driver itself.  nvme_fake_ctrl.h is the controller.
 *
 * All is one real thread, so a run can be repeated to the last step: threads
 * are coroutines, which change only where they wait.  When none gets further the
 * controller takes a step; when it has none to take the clock jumps to the
 * next deadline; when there is none, somebody waits for ever, and the test
 * ends.
 */
#ifndef DEV_NVME_NVME_FAKE_H
#define DEV_NVME_NVME_FAKE_H

/* These stand in for the kernel's. */
#define KERN_SPINLOCK_H
#define KERN_WAITQ_H
#define KERN_MUTEX_H
#define KERN_THREAD_H
#define DEV_NVME_MMIO_H

#include "kern/types.h"
#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* Something is wrong: ends the program. */
static void __attribute__((format(printf, 1, 2), noreturn))
fake_fail(const char *fmt, ...);
#define fake_check(right, ...)                  \
	do {                                    \
		if (!(right))                   \
			fake_fail(__VA_ARGS__); \
	} while (0)

/* ------------------------------------------------------------- locks -- */

static unsigned fake_locks; /* spin locks held: then nobody may wait */

struct spinlock {
	bool held;
};
#define SPINLOCK_INIT \
	{             \
		false \
	}

static inline void
spin_init(struct spinlock *l)
{
	l->held = false;
}
static inline uint64_t
spin_lock_irq(struct spinlock *l)
{
	fake_check(!l->held, "a lock is taken twice");
	l->held = true;
	fake_locks++;
	return 0;
}
static inline void
spin_unlock_irq(struct spinlock *l, uint64_t state)
{
	(void)state;
	fake_check(l->held, "a lock is given back twice");
	l->held = false;
	fake_locks--;
}
static inline void
spin_lock(struct spinlock *l)
{
	(void)spin_lock_irq(l);
}
static inline void
spin_unlock(struct spinlock *l)
{
	spin_unlock_irq(l, 0);
}

/* ----------------------------------------------------------- waiting -- */

#define WAIT_FOREVER INT64_MAX
#define ERESTARTSYS  512
enum wait_kind { WAIT_UNINTERRUPTIBLE, WAIT_INTERRUPTIBLE };

struct waitq {
	int nothing;
};
#define WAITQ_INIT(name) \
	{                \
		0        \
	}

static int64_t fake_now;       /* ns */
static unsigned fake_progress; /* ends of waiting, so far */
static void fake_wait(int64_t deadline);

static inline void
waitq_init(struct waitq *wq)
{
	wq->nothing = 0;
}
static inline void
waitq_wake_all(struct waitq *wq)
{
	(void)wq; /* who waits looks again at each turn */
}

#define wait_event_kind(wqp, cond, kind, deadline_ns) \
	__extension__({                               \
		int64_t until_ = (deadline_ns);       \
		int error_ = 0;                       \
		(void)(wqp);                          \
		while (!(cond)) {                     \
			if (fake_now >= until_) {     \
				error_ = -ETIMEDOUT;  \
				break;                \
			}                             \
			fake_wait(until_);            \
		}                                     \
		fake_progress++;                      \
		error_;                               \
	})
#define wait_event(wqp, cond) \
	((void)wait_event_kind(wqp, cond, WAIT_UNINTERRUPTIBLE, WAIT_FOREVER))
#define wait_event_until(wqp, cond, deadline_ns) \
	wait_event_kind(wqp, cond, WAIT_INTERRUPTIBLE, deadline_ns)

struct mutex {
	bool held;
};
#define MUTEX_INIT(name) \
	{                \
		false    \
	}

static inline void
mutex_init(struct mutex *m)
{
	m->held = false;
}
static inline void
mutex_lock(struct mutex *m)
{
	while (m->held)
		fake_wait(WAIT_FOREVER);
	m->held = true;
}
static inline void
mutex_unlock(struct mutex *m)
{
	m->held = false;
}

struct thread;
/* As in the kernel. */
int thread_create(const char *name, void (*fn)(void *), void *arg,
    struct thread **out);
/* Its turn comes. */
void thread_start(struct thread *t);

/* --------------------------------------------------------- registers -- */

/* The controller's: nvme_fake_ctrl.h. */
static uint32_t nvme_mmio_read(const volatile void *regs, size_t off);
/* And where it is written. */
static void nvme_mmio_write(volatile void *regs, size_t off, uint32_t v);

#include "bus/device.h"
#include "bus/dma_fake.h"
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

/* -------------------------------------------------------- coroutines -- */

#define FAKE_STACK (256 * 1024)

struct thread {
	ucontext_t context;
	void (*fn)(void *arg);
	void *arg, *stack;
	bool ended;
	int64_t deadline; /* while it waits */
	struct thread *next;
};

static ucontext_t fake_world;
static struct thread *fake_threads, *fake_current;
static char fake_log[240]; /* the last line */
static unsigned fake_lines, fake_warnings;

static void
fake_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nthe last line of the log: %s\n", fake_log);
	abort();
}

static void
fake_wait(int64_t deadline)
{
	struct thread *t = fake_current;

	fake_check(t != NULL, "the world itself waits");
	fake_check(fake_locks == 0, "a lock is held by who waits");
	t->deadline = deadline;
	swapcontext(&t->context, &fake_world);
}

static void
fake_begin_thread(void)
{
	struct thread *t = fake_current;

	t->fn(t->arg);
	t->ended = true;
	swapcontext(&t->context, &fake_world);
}

int
thread_create(const char *name, void (*fn)(void *), void *arg,
    struct thread **out)
{
	struct thread *t = kzalloc(sizeof(*t));

	(void)name;
	if (t == NULL)
		return -ENOMEM;
	t->fn = fn;
	t->arg = arg;
	t->stack = malloc(FAKE_STACK);
	*out = t;
	return 0;
}

void
thread_start(struct thread *t)
{
	getcontext(&t->context);
	t->context.uc_stack.ss_sp = t->stack;
	t->context.uc_stack.ss_size = FAKE_STACK;
	t->context.uc_link = NULL;
	makecontext(&t->context, fake_begin_thread, 0);
	t->next = fake_threads;
	fake_threads = t;
}

static inline void
fake_run(struct thread *t)
{
	fake_current = t;
	swapcontext(&fake_world, &t->context);
	fake_current = NULL;
}

static inline void
fake_reap(void)
{
	struct thread **at = &fake_threads, *t;

	while ((t = *at) != NULL) {
		if (!t->ended) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		free(t->stack);
		kfree(t);
	}
}

/* The controller's: false when there is nothing for it to do. */
static bool fake_ctrl_step(void);

/* Each thread looks once; whether any came further. */
static inline bool
fake_turn(void)
{
	unsigned before = fake_progress;
	struct thread *t;

	for (t = fake_threads; t != NULL; t = t->next) {
		if (!t->ended)
			fake_run(t);
		fake_progress += t->ended;
	}
	fake_reap();
	return fake_progress != before;
}

static inline bool
fake_jump(void)
{
	int64_t next = WAIT_FOREVER;
	struct thread *t;

	for (t = fake_threads; t != NULL; t = t->next)
		next = MIN(next, t->deadline);
	if (next == WAIT_FOREVER)
		return false;
	fake_now = MAX(fake_now, next);
	return true;
}

/* The world goes on until `cond`; it must come. */
static inline void
fake_until(bool (*cond)(void *), void *arg, const char *what)
{
	unsigned rounds = 0;

	while (!cond(arg)) {
		fake_check(++rounds < 1000000, "no end of waiting for %s",
		    what);
		if (fake_turn() || cond(arg))
			continue;
		if (!fake_ctrl_step() && !fake_jump())
			fake_fail("for ever waiting for %s", what);
	}
}

/* ------------------------------------------------------------ memory -- */

static long fake_live;          /* blocks handed out */
static long fake_budget = -1;   /* until there is no more; -1: never */
static uint64_t fake_kept;      /* bytes kept aside */
static unsigned fake_runs_kept; /* requests' memory kept aside */
static void *fake_aside[512];   /* it stays: the controller may write there */
static unsigned fake_naside;

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
kmalloc(size_t size)
{
	return fake_spend() ? malloc(size) : NULL;
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

struct dma_tag *
dma_tag_memory(void)
{
	return NULL;
}

/* Exactly as much as was asked for: one byte more is an error. */
int
dma_mem_alloc(struct dma_tag *tag, size_t size, uint64_t align,
    const struct dma_limits *limits, struct dma_mem *out)
{
	(void)tag;
	(void)limits;
	*out = (struct dma_mem){ 0 };
	if (!fake_spend())
		return -ENOMEM;
	out->size = size;
	if (posix_memalign(&out->kva, align, size) != 0)
		abort();
	memset(out->kva, 0, size);
	out->addr = (uintptr_t)out->kva;
	return 0;
}

void
dma_mem_free(struct dma_mem *mem, bool quiet)
{
	if (mem->kva == NULL)
		return;
	fake_live--;
	if (quiet) {
		free(mem->kva);
	} else {
		fake_kept += mem->size;
		fake_check(fake_naside < ARRAY_SIZE(fake_aside), "too much");
		fake_aside[fake_naside++] = mem->kva;
	}
	mem->kva = NULL;
}

void
dma_runs_keep_aside(const struct dma_run *run, unsigned n)
{
	(void)run;
	fake_runs_kept += n;
}

/* ----------------------------------------------- log, clock, strings -- */

void
log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake_log, sizeof(fake_log), fmt, ap);
	va_end(ap);
	fake_lines++;
	fake_warnings += level <= LOG_WARNING;
	if (getenv("FAKE_LOG") != NULL)
		fprintf(stderr, "[%.6f] %s\n", fake_now / 1e9, fake_log);
}

void
panic(const char *fmt, ...)
{
	fake_fail("%s", fmt);
}

int64_t
clock_mono_ns(void)
{
	return fake_now;
}

static void (*fake_farewell)(void);

void
power_before_end(void (*farewell)(void))
{
	fake_farewell = farewell;
}

static const char *fake_cmdline = "";

const char *
boot_cmdline(void)
{
	return fake_cmdline;
}

static unsigned fake_cpu;

unsigned
cpu_id(void)
{
	return fake_cpu;
}

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	snprintf(dst, size, "%s", src);
	return strlen(src);
}

int
scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n < (int)size ? n : (int)size - 1;
}

/* ------------------------------------------------ the tree, the bus -- */

static struct nvme_ctrl *fake_c;      /* the softc; NULL: not attached */
static bool fake_gone, fake_reported; /* the node's mark; by its driver */
static unsigned fake_vectors = 3;     /* that the bus has */
static struct {
	bool (*fn)(void *arg);
	void *arg;
} fake_intr[16];
static struct waitq fake_wq;
static unsigned fake_dev_refs;

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
	return &fake_wq;
}

bool
nvme_is_gone(const struct nvme_ctrl *c)
{
	(void)c;
	return fake_gone;
}

void
nvme_bus_report_gone(struct nvme_ctrl *c)
{
	(void)c;
	fake_check(fake_locks == 0, "reported under a lock");
	fake_gone = true;
	fake_reported = true;
}

int
nvme_bus_intr_setup(struct nvme_ctrl *c, unsigned want)
{
	c->nvectors = MIN(want, fake_vectors);
	return 0;
}

int
nvme_bus_intr_establish(struct nvme_ctrl *c, unsigned i, bool (*fn)(void *arg),
    void *arg)
{
	fake_check(i < c->nvectors && fake_intr[i].fn == NULL, "vector %u", i);
	fake_intr[i].fn = fn;
	fake_intr[i].arg = arg;
	return 0;
}

void
nvme_bus_intr_end(struct nvme_ctrl *c)
{
	(void)c;
	memset(fake_intr, 0, sizeof(fake_intr));
}

struct device *
device_get(struct device *dev)
{
	fake_dev_refs++;
	return dev;
}

void
device_put(struct device *dev)
{
	(void)dev;
	fake_dev_refs--;
}

struct waitq *
device_waitq(struct device *dev)
{
	(void)dev;
	return &fake_wq;
}

const char *
device_address(const struct device *dev)
{
	(void)dev;
	return "0000:00:04.0";
}

/* ------------------------------------------------------ the floor above -- */

#define FAKE_DISKS 8
#define FAKE_REQS  64
#define FAKE_PAGES 260

static struct fake_disk {
	struct disk disk;
	bool there;
	unsigned rooms, resizes;
} fake_disks[FAKE_DISKS];
static unsigned fake_unsettled;

/* One that waits: begun as soon as there is room, or now and then. */
struct fake_req {
	struct disk_req dr;
	struct dma_run run[FAKE_PAGES];
	struct fake_disk *fd;
	bool wanted, under_way, waits;
	unsigned ends;
	int error;
};
static struct fake_req fake_req[FAKE_REQS];
static uint8_t fake_memory[FAKE_PAGES][4096] __attribute__((aligned(4096)));

static void
fake_done(struct disk_req *dr, int error)
{
	struct fake_req *r = container_of(dr, struct fake_req, dr);

	fake_check(fake_locks == 0, "a request ends under a lock");
	fake_check(r->under_way, "a request ends twice");
	fake_check(r->fd->there, "a request outlives its disk");
	r->under_way = false;
	r->waits = false;
	r->error = error;
	r->ends++;
}

/* As the block layer: what is not taken waits for room. */
static inline void
fake_give(struct fake_req *r)
{
	int error;

	r->under_way = true;
	r->waits = false;
	error = disk_submit(&r->fd->disk, &r->dr);
	if (error == -EAGAIN)
		r->waits = true;
	else if (error != 0)
		fake_done(&r->dr, error);
}

void
disk_room(struct disk *disk)
{
	struct fake_disk *fd = container_of(disk, struct fake_disk, disk);
	unsigned i;

	fake_check(fake_locks == 0, "room under a lock");
	fake_check(fd->there, "room of no disk");
	fd->rooms++;
	for (i = 0; i < FAKE_REQS; i++)
		if (fake_req[i].waits && fake_req[i].fd == fd)
			fake_give(&fake_req[i]);
}

int
disk_arrive(struct device *dev, const struct disk_ops *ops, void *arg,
    const struct disk_info *info, struct disk **out)
{
	struct fake_disk *fd = fake_disks;

	(void)dev;
	while (fd->there)
		fake_check(++fd < fake_disks + FAKE_DISKS, "too many disks");
	memset(fd, 0, sizeof(*fd));
	fd->disk = (struct disk){ .ops = ops, .arg = arg, .info = *info };
	if (!fake_spend())
		return -ENOMEM;
	fd->there = true;
	*out = &fd->disk;
	return 0;
}

void
disk_depart(struct disk *disk)
{
	struct fake_disk *fd = container_of(disk, struct fake_disk, disk);
	unsigned i;

	if (disk == NULL)
		return;
	fake_check(fd->there, "a disk that departs twice");
	for (i = 0; i < FAKE_REQS; i++) {
		if (!fake_req[i].under_way || fake_req[i].fd != fd)
			continue;
		fake_check(fake_req[i].waits,
		    "a disk departs before its "
		    "request %u ended",
		    i);
		fake_done(&fake_req[i].dr, -ENODEV);
	}
	fd->there = false;
	fake_live--;
	if (disk->info.released != NULL)
		disk->info.released(disk->info.released_arg);
}

/* What is under way ends, however. */
void
disk_leaving(struct disk *disk)
{
	struct fake_disk *fd = container_of(disk, struct fake_disk, disk);
	unsigned i;

	for (i = 0; i < FAKE_REQS; i++)
		while (fake_req[i].under_way && fake_req[i].fd == fd)
			fake_wait(WAIT_FOREVER);
}

void
disk_resized(struct disk *disk, uint64_t nsectors)
{
	disk->info.nsectors = nsectors;
	container_of(disk, struct fake_disk, disk)->resizes++;
}

void
disk_settling(void)
{
	fake_unsettled++;
}

void
disk_settled(void)
{
	fake_check(fake_unsettled > 0, "settled twice");
	fake_unsettled--;
}

static inline struct fake_disk *
fake_disk_named(const char *name)
{
	unsigned i;

	for (i = 0; i < FAKE_DISKS; i++)
		if (fake_disks[i].there &&
		    strcmp(fake_disks[i].disk.info.name, name) == 0)
			return &fake_disks[i];
	return NULL;
}

/* Request i to that disk, of `pages` pages (sectors for DISCARD, ZERO). */
static inline void
fake_submit(unsigned i, struct fake_disk *fd, enum disk_op op, uint64_t sector,
    unsigned pages)
{
	struct fake_req *r = &fake_req[i];
	unsigned k;

	fake_check(!r->under_way && pages <= FAKE_PAGES, "the test itself");
	r->dr = (struct disk_req){ .op = op,
		.sector = sector,
		.nsectors = 8ul * pages,
		.run = r->run,
		.done = fake_done };
	r->fd = fd;
	r->wanted = true;
	r->ends = 0;
	if (op <= DISK_WRITE) {
		r->dr.nruns = pages;
		for (k = 0; k < pages; k++)
			r->run[k] = (struct dma_run){
				(uintptr_t)fake_memory[(i + k) % FAKE_PAGES],
				4096
			};
	}
	fake_give(r);
}

static inline unsigned
fake_under_way(void)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_REQS; i++)
		n += fake_req[i].under_way;
	return n;
}

/* ------------------------------------------------ attach and detach -- */

struct fake_end {
	bool asked, ended;
};

static void
fake_end_thread(void *arg)
{
	struct fake_end *e = arg;

	nvme_end(fake_c, e->asked);
	e->ended = true;
}

static inline int
fake_attach(void)
{
	int error;

	fake_gone = fake_reported = false;
	fake_c = calloc(1, sizeof(*fake_c));
	fake_c->regs = (volatile void *)fake_c;
	fake_c->regs_size = 16384;
	while (nvme_unit_in_use(fake_c->unit))
		fake_c->unit++;
	error = nvme_begin(fake_c);
	if (error == 0)
		error = nvme_run(fake_c);
	if (error != 0) {
		nvme_end(fake_c, false);
		free(fake_c);
		fake_c = NULL;
	}
	return error;
}

static inline struct fake_end *
fake_detach_begin(bool asked)
{
	struct fake_end *e = calloc(1, sizeof(*e));
	struct thread *t;
	long budget = fake_budget;

	e->asked = asked;
	fake_budget = -1;
	if (!asked)
		fake_gone = true;
	if (thread_create("detach", fake_end_thread, e, &t) != 0)
		abort();
	fake_budget = budget;
	thread_start(t);
	return e;
}

static inline bool
fake_is_true(void *arg)
{
	return *(bool *)arg;
}

static inline bool
fake_no_threads(void *arg)
{
	(void)arg;
	return fake_threads == NULL;
}

static inline void
fake_detach_end(struct fake_end *e)
{
	fake_until(fake_is_true, &e->ended, "detach()");
	fake_until(fake_no_threads, NULL, "threads");
	free(e);
	free(fake_c);
	fake_c = NULL;
}

/* Nothing may be left. */
static inline void
fake_check_clean(void)
{
	unsigned i;

	fake_check(fake_under_way() == 0, "%u requests never ended",
	    fake_under_way());
	for (i = 0; i < FAKE_REQS; i++)
		fake_check(!fake_req[i].wanted || fake_req[i].ends == 1,
		    "request %u ended %u times", i, fake_req[i].ends);
	for (i = 0; i < FAKE_DISKS; i++)
		fake_check(!fake_disks[i].there, "a disk stays");
	for (i = 0; i < UNITS; i++)
		fake_check(in_use[i] == 0, "number %u stays in use", i);
	fake_check(fake_live == 0, "%ld blocks are lost", fake_live);
	fake_check(fake_dev_refs == 0, "%u references of the node stay",
	    fake_dev_refs);
	fake_check(fake_unsettled == 0, "never settled");
	memset(fake_req, 0, sizeof(fake_req));
}

/* The controller is switched off: what was kept aside is the test's again. */
static inline void
fake_forget_aside(void)
{
	while (fake_naside > 0)
		free(fake_aside[--fake_naside]);
	fake_kept = 0;
	fake_runs_kept = 0;
}

#endif
