/* SPDX-License-Identifier: ISC */
/*
 * acpi_osl.c - what ACPICA asks of a kernel: memory, locks, threads, time,
 * interrupts.  Its prototypes, with what is expected of each, are in its
 * <acpi/acpiosxf.h>; ACPICA Programmer's Reference, 9.
 *
 * Byte code that nests without end would use up a kernel stack: whoever is
 * near its end is out of memory (acpi_load.c).
 */
#include "bus/acpi_impl.h"
#include "bus/intr.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include "x86/cpu.h"
#include <linux/errno.h>

#define STACK_SPARE 4096
#define FOREVER     0xffff /* ACPICA's, in milliseconds */
#define NS_IN_MS    1000000ll
#define LOOK_NS     5000000ll

acpi_status
acpi_os_initialize(void)
{
	return AE_OK;
}

acpi_status
acpi_os_terminate(void)
{
	return AE_OK;
}

/* ---- memory ---- */

bool
acpi_stack_is_short(void)
{
	uint64_t here = (uint64_t)__builtin_frame_address(0);
	uint64_t low = (uint64_t)thread_self()->kstack;

	return here >= low && here - low < STACK_SPARE;
}

struct acpi_objects {
	size_t size;
};

acpi_status
acpi_os_create_cache(char *name, u16 size, u16 depth, acpi_cache_t **out)
{
	(void)name;
	(void)depth;
	*out = acpi_os_allocate(sizeof(**out));
	if (*out == NULL)
		return AE_NO_MEMORY;
	(*out)->size = size;
	return AE_OK;
}

acpi_status
acpi_os_delete_cache(acpi_cache_t *cache)
{
	acpi_os_free(cache);
	return AE_OK;
}

acpi_status
acpi_os_purge_cache(acpi_cache_t *cache)
{
	(void)cache;
	return AE_OK;
}

void *
acpi_os_acquire_object(acpi_cache_t *cache)
{
	return acpi_os_allocate_zeroed(cache->size);
}

acpi_status
acpi_os_release_object(acpi_cache_t *cache, void *object)
{
	(void)cache;
	acpi_os_free(object);
	return AE_OK;
}

/* ---- locks ---- */

struct acpi_lock {
	struct spinlock spin;
};

acpi_status
acpi_os_create_lock(acpi_spinlock *out)
{
	*out = acpi_os_allocate(sizeof(**out));
	if (*out == NULL)
		return AE_NO_MEMORY;
	spin_init(&(*out)->spin);
	return AE_OK;
}

void
acpi_os_delete_lock(acpi_spinlock lock)
{
	acpi_os_free(lock);
}

acpi_cpu_flags
acpi_os_acquire_lock(acpi_spinlock lock)
{
	return spin_lock_irq(&lock->spin);
}

void
acpi_os_release_lock(acpi_spinlock lock, acpi_cpu_flags flags)
{
	spin_unlock_irq(&lock->spin, flags);
}

struct acpi_sem {
	struct spinlock lock;
	uint32_t units, max; /* under lock */
	struct waitq wq;
};

acpi_status
acpi_os_create_semaphore(u32 max, u32 units, acpi_semaphore *out)
{
	struct acpi_sem *s = acpi_os_allocate_zeroed(sizeof(*s));

	if (s == NULL)
		return AE_NO_MEMORY;
	spin_init(&s->lock);
	waitq_init(&s->wq);
	s->max = max;
	s->units = units;
	*out = s;
	return AE_OK;
}

acpi_status
acpi_os_delete_semaphore(acpi_semaphore s)
{
	acpi_os_free(s);
	return AE_OK;
}

static bool
take(struct acpi_sem *s, uint32_t units)
{
	uint64_t state = spin_lock_irq(&s->lock);
	bool got = s->units >= units;

	if (got)
		s->units -= units;
	spin_unlock_irq(&s->lock, state);
	return got;
}

acpi_status
acpi_os_wait_semaphore(acpi_semaphore s, u32 units, u16 timeout)
{
	int64_t end = WAIT_FOREVER;

	if (s == NULL || units == 0)
		return AE_BAD_PARAMETER;
	if (take(s, units))
		return AE_OK;
	if (timeout == 0)
		return AE_TIME;
	if (timeout != FOREVER)
		end = clock_mono_ns() + timeout * NS_IN_MS;
	return wait_event_kind(&s->wq, take(s, units), WAIT_UNINTERRUPTIBLE,
		   end) == 0 ?
	    AE_OK :
	    AE_TIME;
}

acpi_status
acpi_os_signal_semaphore(acpi_semaphore s, u32 units)
{
	uint64_t state;
	bool fits;

	if (s == NULL || units == 0)
		return AE_BAD_PARAMETER;
	state = spin_lock_irq(&s->lock);
	fits = units <= s->max - s->units;
	if (fits)
		s->units += units;
	spin_unlock_irq(&s->lock, state);
	waitq_wake_all(&s->wq);
	return fits ? AE_OK : AE_LIMIT;
}

/* ---- threads ---- */

acpi_thread_id
acpi_os_get_thread_id(void)
{
	return (acpi_thread_id)(uintptr_t)thread_self();
}

struct job {
	struct job *next;
	acpi_osd_exec_callback fn;
	void *context;
};

static struct {
	struct spinlock lock;
	struct job *first, **last; /* under lock */
	bool busy;                 /* under lock */
	struct waitq wq;           /* a job is there */
	struct waitq idle_wq;      /* none is, and none runs */
	struct thread *worker;
} jobs = {
	.last = &jobs.first,
	.wq = WAITQ_INIT(jobs.wq),
	.idle_wq = WAITQ_INIT(jobs.idle_wq),
};

/* Also from its interrupt handler. */
acpi_status
acpi_os_execute(acpi_execute_type type, acpi_osd_exec_callback fn,
    void *context)
{
	struct job *job;
	uint64_t state;

	(void)type;
	if (acpi_has_starved())
		return AE_NO_MEMORY;
	job = kmalloc(sizeof(*job));
	if (job == NULL)
		return AE_NO_MEMORY;
	*job = (struct job){ NULL, fn, context };
	state = spin_lock_irq(&jobs.lock);
	*jobs.last = job;
	jobs.last = &job->next;
	spin_unlock_irq(&jobs.lock, state);
	waitq_wake_all(&jobs.wq);
	return AE_OK;
}

static struct job *
next_job(void)
{
	uint64_t state = spin_lock_irq(&jobs.lock);
	struct job *job = jobs.first;

	jobs.busy = job != NULL;
	if (job != NULL) {
		jobs.first = job->next;
		if (jobs.first == NULL)
			jobs.last = &jobs.first;
	}
	spin_unlock_irq(&jobs.lock, state);
	return job;
}

static bool
all_done(void)
{
	uint64_t state = spin_lock_irq(&jobs.lock);
	bool done = jobs.first == NULL && !jobs.busy;

	spin_unlock_irq(&jobs.lock, state);
	return done;
}

static void
worker(void *arg)
{
	struct job *job;

	(void)arg;
	for (;;) {
		job = next_job();
		if (job == NULL) {
			waitq_wake_all(&jobs.idle_wq);
			wait_event(&jobs.wq, (job = next_job()) != NULL);
		}
		job->fn(job->context);
		kfree(job);
	}
}

int
acpi_worker_start(void)
{
	int error = thread_create("acpi", worker, NULL, &jobs.worker);

	if (error == 0)
		thread_start(jobs.worker);
	return error;
}

void
acpi_os_wait_events_complete(void)
{
	if (thread_self() != jobs.worker)
		wait_event(&jobs.idle_wq, all_done());
}

/* ---- time ---- */

/* The boot's own thread cannot sleep. */
static bool
may_sleep(void)
{
	return thread_self()->fn != NULL;
}

static void
spin_until(int64_t end)
{
	while (clock_mono_ns() < end)
		cpu_pause();
}

/*
 * Byte code's clock, by which ACPICA ends loops that are too long.  A machine
 * that stands still makes no loop longer: from one look to the next it goes on
 * by LOOK_NS at most, besides what was slept.  In units of 100 ns.
 */
static struct {
	struct spinlock lock;
	int64_t seen, slept, shown; /* under lock; ns */
} timer;

static void
timer_slept(int64_t ns)
{
	uint64_t state = spin_lock_irq(&timer.lock);

	timer.slept += ns;
	spin_unlock_irq(&timer.lock, state);
}

void
acpi_os_sleep(u64 ms)
{
	static struct waitq never = WAITQ_INIT(never);
	int64_t end = clock_mono_ns() + (int64_t)ms * NS_IN_MS;

	if (may_sleep())
		wait_event_kind(&never, false, WAIT_UNINTERRUPTIBLE, end);
	else
		spin_until(end);
	timer_slept((int64_t)ms * NS_IN_MS);
}

void
acpi_os_stall(u32 us)
{
	spin_until(clock_mono_ns() + us * 1000ll);
	timer_slept(us * 1000ll);
}

u64
acpi_os_get_timer(void)
{
	int64_t now = clock_mono_ns(), shown;
	uint64_t state = spin_lock_irq(&timer.lock);

	timer.shown += MIN(now - timer.seen, timer.slept + LOOK_NS);
	timer.seen = now;
	timer.slept = 0;
	shown = timer.shown;
	spin_unlock_irq(&timer.lock, state);
	return shown / 100;
}

/* ---- its interrupt ---- */

static struct {
	acpi_osd_handler fn;
	void *context;
	struct intr_source *source;
	struct intr_handler *handler;
} sci;

static bool
sci_intr(void *arg)
{
	(void)arg;
	return sci.fn(sci.context) == ACPI_INTERRUPT_HANDLED;
}

/* ISA's numbers go as the MADT says; others are GSIs: level, low (5.2.9). */
acpi_status
acpi_os_install_interrupt_handler(u32 number, acpi_osd_handler fn,
    void *context)
{
	int error;

	if (sci.handler != NULL)
		return AE_ALREADY_EXISTS;
	sci.fn = fn;
	sci.context = context;
	error = intr_isa_known(number) ?
	    intr_isa_get(number, &sci.source) :
	    intr_gsi_get(number, INTR_LEVEL | INTR_LOW, &sci.source);
	if (error == 0)
		error = intr_establish(sci.source, sci_intr, NULL, "acpi0",
		    &sci.handler);
	if (error == 0)
		return AE_OK;
	log_warn("acpi0: interrupt %u: error %d", number, -error);
	intr_put(sci.source);
	sci.source = NULL;
	return error == -ENOMEM ? AE_NO_MEMORY : AE_NOT_ACQUIRED;
}

acpi_status
acpi_os_remove_interrupt_handler(u32 number, acpi_osd_handler fn)
{
	(void)number;
	if (sci.handler == NULL || sci.fn != fn)
		return AE_NOT_EXIST;
	intr_disestablish(sci.handler);
	intr_put(sci.source);
	sci.handler = NULL;
	sci.source = NULL;
	return AE_OK;
}

/* ---- what it has to say ---- */

void ACPI_INTERNAL_VAR_XFACE
acpi_os_printf(const char *fmt, ...)
{
	(void)fmt; /* there are no messages in it: acpi/platform/aclinux.h */
}

acpi_status
acpi_os_signal(u32 function, void *info)
{
	const struct acpi_signal_fatal_info *f = info;

	if (function == ACPI_SIGNAL_FATAL && f != NULL)
		acpi_complain("byte code calls it fatal: type %u, code 0x%x, "
			      "argument 0x%x",
		    f->type, f->code, f->argument);
	return AE_OK;
}

acpi_status
acpi_os_enter_sleep(u8 state, u32 a, u32 b)
{
	(void)state;
	(void)a;
	(void)b;
	return AE_OK;
}
