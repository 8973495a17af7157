/* SPDX-License-Identifier: ISC */
/*
 * nvme_ctrl.c - a controller's life, in a thread of its own: the first start,
 * resets, events, time-outs, the end.  nvme.h has the diagram of its states.
 */
#include "dev/nvme/nvme.h"
#include "bus/device.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/power.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "x86/cpu.h"
#include <linux/errno.h>
#include <stdarg.h>

#define GONE_WAIT_NS 100000000ll  /* for silence of what broke its word */
#define QUIESCE_NS   5000000000ll /* for what is under way at a reset */

const char *
nvme_state_name(enum nvme_state state)
{
	switch (state) {
	case NVME_STARTING: return "connecting";
	case NVME_LIVE: return "live";
	case NVME_RESETTING: return "resetting";
	case NVME_BROKEN: return "dead";
	case NVME_LEAVING: return "deleting";
	}
	return "dead";
}

void
nvme_wake(struct nvme_ctrl *c)
{
	waitq_wake_all(nvme_waitq(c));
}

static bool
flag(const bool *f)
{
	return __atomic_load_n(f, __ATOMIC_ACQUIRE);
}

/* Asked to go, and the time for writing back is over. */
static bool
overstayed(const struct nvme_ctrl *c)
{
	return flag(&c->leaving) && clock_mono_ns() >= c->leave_ns;
}

static bool
cannot_end_well(const struct nvme_ctrl *c)
{
	return nvme_is_gone(c) || nvme_state(c) == NVME_BROKEN || overstayed(c);
}

bool
nvme_should_stop(const struct nvme_ctrl *c)
{
	return flag(&c->stop) || cannot_end_well(c);
}

/* BROKEN and LEAVING are for ever. */
static void
set_state(struct nvme_ctrl *c, enum nvme_state to)
{
	uint8_t was = __atomic_load_n(&c->state, __ATOMIC_RELAXED);

	do {
		if (was == NVME_LEAVING ||
		    (was == NVME_BROKEN && to != NVME_LEAVING))
			return;
	} while (!__atomic_compare_exchange_n(&c->state, &was, to, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

void
nvme_break(struct nvme_ctrl *c, const char *fmt, ...)
{
	char why[sizeof(c->why)];
	bool first;
	uint64_t state;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	state = spin_lock_irq(&c->lock);
	first = c->why[0] == '\0';
	if (first)
		memcpy(c->why, why, sizeof(why));
	spin_unlock_irq(&c->lock, state);
	if (!first)
		return;
	set_state(c, NVME_BROKEN);
	log_warn("%s: %s, detached", nvme_name(c), why);
	nvme_wake(c);
	nvme_bus_report_gone(c);
}

void
nvme_want_reset(struct nvme_ctrl *c)
{
	__atomic_store_n(&c->want_reset, true, __ATOMIC_RELEASE);
	nvme_wake(c);
}

/* ---- all queues ---- */

static void
doors(struct nvme_ctrl *c, enum nvme_door door, bool admin_too)
{
	unsigned i, n = door == NVME_OPEN ? c->nlive : c->nioq;

	for (i = 0; i < n; i++)
		nvme_queue_door(&c->ioq[i], door);
	if (admin_too)
		nvme_queue_door(&c->admin, door);
}

static unsigned
take_all_back(struct nvme_ctrl *c, int error, bool again)
{
	unsigned i, n = 0;

	for (i = 0; i < c->nioq; i++)
		n += nvme_queue_take_back(&c->ioq[i], error, again);
	return n + nvme_queue_take_back(&c->admin, error, false);
}

/* Requests of disks, or what programs wait for. */
static bool
any_under_way(struct nvme_ctrl *c)
{
	unsigned i, busy = nvme_queue_busy(&c->admin);

	for (i = 0; i < c->nioq; i++)
		busy += nvme_queue_busy(&c->ioq[i]);
	return busy > 0;
}

/*
 * Nothing moves any more: no new commands, none under way, no writes to memory
 * if that could be had.  Again is harmless.
 */
static void
stop_all(struct nvme_ctrl *c, int64_t wait_ns)
{
	unsigned n;

	if (!c->silent)
		c->silent = nvme_silence(c, wait_ns);
	doors(c, NVME_SHUT, true);
	n = take_all_back(c, -ENODEV, false) + nvme_ns_retry(c, -ENODEV);
	nvme_ns_room(c); /* who was told to wait hears it now */
	if (n > 0)
		log_info("%s: gone, %u requests ended with ENODEV",
		    nvme_name(c), n);
}

/* ---- the thread ---- */

static void
go_live(struct nvme_ctrl *c)
{
	set_state(c, NVME_LIVE);
	doors(c, NVME_OPEN, false);
	nvme_wake(c); /* programs that wait for it */
}

static void
first_start(struct nvme_ctrl *c)
{
	if (nvme_start(c) != 0)
		return;
	log_info("%s: %s, serial %s, firmware %s, %u queue%s of %u",
	    nvme_name(c), c->id.model, c->id.serial, c->id.firmware, c->nlive,
	    c->nlive == 1 ? "" : "s", c->ioq[0].size);
	go_live(c);
	__atomic_store_n(&c->want_scan, true, __ATOMIC_RELAXED);
}

/* Somebody asks at the clock: is it there, does it work, was an interrupt
 * lost?  False: there is no use in waiting for it. */
static bool
still_answers(struct nvme_ctrl *c)
{
	uint32_t csts = nvme_read(c, NVME_CSTS);
	unsigned i;

	if (csts == NVME_GONE) {
		nvme_break(c, "gone (its registers read as ones)");
		return false;
	}
	for (i = 0; i < c->nioq; i++)
		(void)nvme_queue_answers(&c->ioq[i]);
	(void)nvme_queue_answers(&c->admin);
	return (csts & NVME_CSTS_CFS) == 0;
}

/*
 * What is under way may end, for a bounded time.  A controller that is switched
 * off in the middle of a transfer may go on with it for a moment; QEMU 7.2's
 * ends the whole machine, or never lets go of a device that was pulled.
 * `enough`: there is no use in it any more.  False: nothing answers.
 */
static bool
drain(struct nvme_ctrl *c, bool (*enough)(const struct nvme_ctrl *c))
{
	int64_t now = clock_mono_ns(), end = now + QUIESCE_NS;
	bool answers = true;

	__atomic_add_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	for (; answers && now < end && any_under_way(c) && !enough(c);
	     now = clock_mono_ns()) {
		if (wait_event_kind(nvme_waitq(c),
			!any_under_way(c) || enough(c), WAIT_UNINTERRUPTIBLE,
			MIN(end, now + NVME_PERIOD_NS)) == -ETIMEDOUT)
			answers = still_answers(c);
	}
	__atomic_sub_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	return answers;
}

/*
 * Before a reset: no new requests, those under way may end; then their queues
 * are deleted, which ends them, too.  What is still there behind this is taken
 * back, and begun again.
 */
static void
quiesce(struct nvme_ctrl *c)
{
	bool answers;

	doors(c, NVME_PAUSED, false);
	answers = drain(c, nvme_should_stop);
	if (answers && any_under_way(c) && !nvme_should_stop(c))
		nvme_delete_queues(c);
	doors(c, NVME_PAUSED, true);
}

/*
 * Requests under way are kept, and begun again behind a fresh start; what
 * programs wait for on the admin queue is theirs to repeat.
 */
static void
reset(struct nvme_ctrl *c)
{
	set_state(c, NVME_RESETTING);
	quiesce(c);
	if (__atomic_exchange_n(&c->want_subsystem, false, __ATOMIC_ACQ_REL))
		nvme_write(c, NVME_NSSR, NVME_NSSR_MAGIC);
	c->silent = nvme_silence(c, c->cap.timeout_ms * 1000000ll);
	if (!c->silent) {
		nvme_break(c, "it does not stop for a reset");
		return;
	}
	(void)take_all_back(c, -ECANCELED, true);
	__atomic_store_n(&c->want_reset, false, __ATOMIC_RELAXED);
	set_state(c, NVME_STARTING);
	if (nvme_start(c) != 0)
		return;
	log_info("%s: reset, %u queue%s", nvme_name(c), c->nlive,
	    c->nlive == 1 ? "" : "s");
	go_live(c);
	__atomic_store_n(&c->want_scan, true, __ATOMIC_RELAXED);
	__atomic_store_n(&c->retries, true, __ATOMIC_RELAXED);
	nvme_ns_room(c);
}

/* Its first disks are there, or will not come. */
static void
settle(struct nvme_ctrl *c)
{
	if (!__atomic_exchange_n(&c->settled, true, __ATOMIC_ACQ_REL))
		disk_settled();
}

static bool
has_events(struct nvme_ctrl *c)
{
	uint64_t state = spin_lock_irq(&c->lock);
	bool any = c->nevents > 0;

	spin_unlock_irq(&c->lock, state);
	return any;
}

static bool
has_work(struct nvme_ctrl *c)
{
	return nvme_should_stop(c) || flag(&c->want_reset) ||
	    (flag(&c->want_scan) && !flag(&c->leaving)) || flag(&c->retries) ||
	    has_events(c);
}

static void
work(struct nvme_ctrl *c)
{
	if (flag(&c->want_reset)) {
		reset(c);
		return;
	}
	if (__atomic_exchange_n(&c->retries, false, __ATOMIC_ACQ_REL))
		(void)nvme_ns_retry(c, 0);
	if (has_events(c))
		nvme_handle_events(c);
	if (!flag(&c->leaving) &&
	    __atomic_exchange_n(&c->want_scan, false, __ATOMIC_ACQ_REL)) {
		(void)nvme_scan(c);
		settle(c);
	}
}

/* When the thread looks without being woken. */
static int64_t
next_look(const struct nvme_ctrl *c, int64_t last)
{
	int64_t at = flag(&c->watching) ? last + NVME_PERIOD_NS : WAIT_FOREVER;

	return flag(&c->leaving) ? MIN(at, c->leave_ns) : at;
}

static void
serve(struct nvme_ctrl *c)
{
	int64_t last = clock_mono_ns();
	bool watched = false, leaving;

	while (!nvme_should_stop(c)) {
		if (!watched)
			last = clock_mono_ns();
		watched = flag(&c->watching);
		leaving = flag(&c->leaving);
		/* Until there is work, or another moment to look at. */
		(void)wait_event_kind(nvme_waitq(c),
		    has_work(c) || flag(&c->watching) != watched ||
			flag(&c->leaving) != leaving,
		    WAIT_UNINTERRUPTIBLE, next_look(c, last));
		if (nvme_should_stop(c))
			break;
		work(c);
		if (watched && clock_mono_ns() >= last + NVME_PERIOD_NS) {
			last = clock_mono_ns();
			nvme_watch_look(c);
		}
	}
}

static void
main_thread(void *arg)
{
	struct nvme_ctrl *c = arg;
	struct device *dev = device_get(c->dev);

	first_start(c);
	serve(c);
	if (!flag(&c->stop))
		stop_all(c, GONE_WAIT_NS);
	settle(c);
	__atomic_store_n(&c->thread_ended, true, __ATOMIC_RELEASE);
	waitq_wake_all(device_waitq(dev));
	device_put(dev);
}

/* ---- power goes ---- */

static struct mutex all_lock = MUTEX_INIT(all_lock);
static TAILQ_HEAD(, nvme_ctrl) all = TAILQ_HEAD_INITIALIZER(all);

/* No new requests; the controllers may write back what they hold. */
static void
farewell(void)
{
	struct nvme_ctrl *c;

	mutex_lock(&all_lock);
	TAILQ_FOREACH (c, &all, link) {
		if (nvme_state(c) != NVME_LIVE)
			continue;
		doors(c, NVME_PAUSED, false);
		nvme_shutdown(c);
	}
	mutex_unlock(&all_lock);
}

static void
list(struct nvme_ctrl *c)
{
	static bool told; /* all_lock */

	mutex_lock(&all_lock);
	TAILQ_INSERT_TAIL(&all, c, link);
	if (!told)
		power_before_end(farewell);
	told = true;
	mutex_unlock(&all_lock);
}

static void
unlist(struct nvme_ctrl *c)
{
	mutex_lock(&all_lock);
	TAILQ_REMOVE(&all, c, link);
	mutex_unlock(&all_lock);
}

/* ---- attach, detach ---- */

static int
nonsense(struct nvme_ctrl *c, const char *why)
{
	log_warn("%s: %s, detached", nvme_name(c), why);
	return -EPROTO;
}

static int
read_registers(struct nvme_ctrl *c)
{
	uint32_t low = nvme_read(c, NVME_CAP),
		 high = nvme_read(c, NVME_CAP + 4);
	const char *why = "";

	c->version = nvme_read(c, NVME_VS);
	if (low == NVME_GONE || high == NVME_GONE || c->version == NVME_GONE)
		return -ENODEV;
	if (nvme_parse_cap((uint64_t)high << 32 | low, &c->cap, &why) != 0)
		return nonsense(c, why);
	/* Two pairs of doorbells at least. */
	if (c->regs_size < NVME_DOORBELLS + 4ul * c->cap.stride)
		return nonsense(c,
		    "its doorbells are outside of its registers");
	return 0;
}

int
nvme_run(struct nvme_ctrl *c)
{
	struct thread *t;
	int error = thread_create(nvme_name(c), main_thread, c, &t);

	if (error != 0)
		return error;
	c->has_thread = true;
	list(c);
	disk_settling();
	thread_start(t);
	return 0;
}

static void
init(struct nvme_ctrl *c)
{
	spin_init(&c->lock);
	spin_init(&c->large_lock);
	mutex_init(&c->scan);
	TAILQ_INIT(&c->namespaces);
	c->silent = true; /* it knows nothing of our memory */
	nvme_unit_get(c->unit);
}

int
nvme_begin(struct nvme_ctrl *c)
{
	int error;

	init(c);
	error = read_registers(c);
	if (error == 0)
		error = nvme_bus_intr_setup(c,
		    MIN(cpu_count(), NVME_IO_QUEUES) + 1);
	if (error == 0)
		error = nvme_queue_make(c, &c->admin, 0,
		    MIN(NVME_ADM_SIZE, c->cap.entries));
	if (error == 0)
		error = c->nvectors > 1 ?
		    nvme_bus_intr_establish(c, 0, nvme_queue_intr, &c->admin) :
		    nvme_bus_intr_establish(c, 0, nvme_shared_intr, c);
	return error == 0 ? nvme_user_arrive(c) : error;
}

/* Disks are written back while the thread still serves, and looks at the
 * clock: when the time is over it ends their requests. */
static void
leave(struct nvme_ctrl *c)
{
	c->leave_ns = clock_mono_ns() + NVME_LEAVE_NS;
	__atomic_store_n(&c->leaving, true, __ATOMIC_RELEASE);
	nvme_wake(c);
	nvme_ns_leaving(c);
	/* No new ones; what is under way may end in its own time. */
	__atomic_add_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	wait_event(nvme_waitq(c),
	    !any_under_way(c) || nvme_should_stop(c) || flag(&c->thread_ended));
	__atomic_sub_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
}

/* Nobody sends any more; the last command that was sent may have its answer. */
static void
last_answers(struct nvme_ctrl *c)
{
	doors(c, NVME_PAUSED, true);
	(void)drain(c, cannot_end_well);
}

void
nvme_end(struct nvme_ctrl *c, bool asked)
{
	if (c->has_thread) {
		if (asked)
			leave(c);
		__atomic_store_n(&c->stop, true, __ATOMIC_RELEASE);
		nvme_wake(c);
		wait_event(nvme_waitq(c), flag(&c->thread_ended));
		unlist(c);
		if (asked)
			last_answers(c);
	}
	if (asked && nvme_state(c) == NVME_LIVE && !overstayed(c))
		nvme_shutdown(c);
	set_state(c, NVME_LEAVING);
	if (c->admin.slot != NULL)
		stop_all(c,
		    asked ? c->cap.timeout_ms * 1000000ll : GONE_WAIT_NS);
	nvme_bus_intr_end(c);
	nvme_ns_end_all(c);
	nvme_user_depart(c);
	if (asked && c->silent && c->has_thread)
		log_info("%s: stopped as asked", nvme_name(c));
	if (!c->silent)
		log_warn("%s: did not stop, its memory is kept aside",
		    nvme_name(c));
	nvme_free_queues(c, c->silent);
	nvme_unit_put((void *)(uintptr_t)c->unit);
}
