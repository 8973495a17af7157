/* SPDX-License-Identifier: ISC */
/*
 * intr.c - interrupt sources: handlers, dispatch, waiting for handlers to end.
 *
 * Dispatch walks the list of handlers without the lock.  So that a handler may
 * be freed, a walk counts itself in running[epoch & 1], and intr_drain() moves
 * the epoch on and waits until the old count is zero, twice: once for each
 * count.  A walk that began later finds the handler unlinked.
 */
#include "bus/intr.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "x86/cpu.h"
#include "x86/irq.h"
#include <linux/errno.h>

#define FIRST_NUMBER 128    /* of sources that are no pins */
#define STUCK_AFTER  100000 /* interrupts in a row that were nobody's */

struct intr_handler {
	struct intr_handler *next; /* [l] to change; read without */
	struct intr_source *src;   /* [I] a reference */
	bool (*fn)(void *arg);     /* [I] */
	void *arg;
	char name[24];
};

static struct {
	struct spinlock lock;
	struct intr_source *first; /* under lock */
} sources = { .lock = SPINLOCK_INIT };

/* Drains are rare; one at a time keeps the epochs simple. */
static struct mutex drain_lock = MUTEX_INIT(drain_lock);

/* ---- sources ---- */

static bool
number_taken_locked(unsigned number)
{
	struct intr_source *src;

	for (src = sources.first; src != NULL; src = src->next)
		if (src->number == number)
			return true;
	return false;
}

int
intr_source_init(struct intr_source *src, const struct intr_ops *ops, void *arg,
    const char *name)
{
	struct intr_source **at;
	uint64_t state;

	src->count = kcalloc(MAX_CPUS, sizeof(src->count[0]));
	if (src->count == NULL)
		return -ENOMEM;
	src->ops = ops;
	src->arg = arg;
	src->refs = 1;
	spin_init(&src->lock);
	strlcpy(src->name, name, sizeof(src->name));
	state = spin_lock_irq(&sources.lock);
	for (src->number = FIRST_NUMBER; number_taken_locked(src->number);)
		src->number++;
	for (at = &sources.first; *at != NULL; at = &(*at)->next)
		;
	*at = src;
	spin_unlock_irq(&sources.lock, state);
	return 0;
}

struct intr_source *
intr_get(struct intr_source *src)
{
	__atomic_add_fetch(&src->refs, 1, __ATOMIC_RELAXED);
	return src;
}

static void
source_forget(struct intr_source *src)
{
	uint64_t state = spin_lock_irq(&sources.lock);
	struct intr_source **at = &sources.first;

	while (*at != src)
		at = &(*at)->next;
	*at = src->next;
	spin_unlock_irq(&sources.lock, state);
}

void
intr_put(struct intr_source *src)
{
	uint32_t *count;

	if (src == NULL ||
	    __atomic_sub_fetch(&src->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	KASSERT(src->handlers == NULL);
	source_forget(src);
	count = src->count;
	src->ops->free(src);
	kfree(count);
}

/* ---- dispatch ---- */

static void
nobodys(struct intr_source *src)
{
	uint64_t state;

	if (++src->unclaimed < STUCK_AFTER)
		return;
	state = spin_lock_irq(&src->lock);
	if (src->enabled && !src->stuck) {
		src->stuck = true;
		if (src->masked == 0)
			src->ops->mask(src);
	}
	spin_unlock_irq(&src->lock, state);
	log_warn("interrupt %s: nobody's %u times in a row, masked", src->name,
	    STUCK_AFTER);
	src->unclaimed = 0;
}

/* Processors begin to run after most devices have been found. */
static void
move_as_wanted(struct intr_source *src)
{
	uint32_t cpu = __atomic_load_n(&src->wanted, __ATOMIC_RELAXED);

	if (cpu == intr_cpu(src) || !cpu_is_online(cpu))
		return;
	if (intr_set_cpu(src, cpu) != 0)
		__atomic_store_n(&src->wanted, intr_cpu(src), __ATOMIC_RELAXED);
}

void
intr_dispatch(struct intr_source *src)
{
	unsigned e = __atomic_load_n(&src->epoch, __ATOMIC_SEQ_CST) & 1;
	struct intr_handler *h;
	bool mine = false;

	__atomic_add_fetch(&src->running[e], 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&src->count[cpu_id()], 1, __ATOMIC_RELAXED);
	for (h = __atomic_load_n(&src->handlers, __ATOMIC_SEQ_CST); h != NULL;
	     h = __atomic_load_n(&h->next, __ATOMIC_SEQ_CST))
		mine |= h->fn(h->arg);
	if ((src->flags & INTR_LEVEL) != 0) {
		if (mine)
			src->unclaimed = 0;
		else
			nobodys(src);
	}
	move_as_wanted(src);
	__atomic_sub_fetch(&src->running[e], 1, __ATOMIC_RELEASE);
}

static void
wait_for_walks(struct intr_source *src)
{
	unsigned old = __atomic_fetch_add(&src->epoch, 1, __ATOMIC_SEQ_CST) & 1;

	while (__atomic_load_n(&src->running[old], __ATOMIC_SEQ_CST) != 0)
		cpu_pause();
}

void
intr_drain(struct intr_source *src)
{
	mutex_lock(&drain_lock);
	wait_for_walks(src);
	wait_for_walks(src);
	mutex_unlock(&drain_lock);
}

/* ---- handlers ---- */

static int
link_locked(struct intr_source *src, struct intr_handler *h)
{
	struct intr_handler **at = &src->handlers;
	int error = 0;

	while (*at != NULL)
		at = &(*at)->next;
	__atomic_store_n(at, h, __ATOMIC_SEQ_CST);
	if (src->enabled)
		return 0;
	src->stuck = false;
	src->unclaimed = 0;
	error = src->ops->enable(src);
	if (error != 0) {
		__atomic_store_n(at, NULL, __ATOMIC_SEQ_CST);
		return error;
	}
	src->enabled = true;
	if (src->masked != 0)
		src->ops->mask(src);
	return 0;
}

int
intr_establish(struct intr_source *src, bool (*fn)(void *arg), void *arg,
    const char *name, struct intr_handler **out)
{
	struct intr_handler *h = kzalloc(sizeof(*h));
	uint64_t state;
	int error;

	*out = NULL;
	if (h == NULL)
		return -ENOMEM;
	h->fn = fn;
	h->arg = arg;
	h->src = intr_get(src);
	strlcpy(h->name, name, sizeof(h->name));
	state = spin_lock_irq(&src->lock);
	error = link_locked(src, h);
	spin_unlock_irq(&src->lock, state);
	if (error != 0) {
		intr_put(src);
		kfree(h);
		return error;
	}
	*out = h;
	return 0;
}

static void
unlink_locked(struct intr_source *src, struct intr_handler *h)
{
	struct intr_handler **at = &src->handlers;

	while (*at != h)
		at = &(*at)->next;
	__atomic_store_n(at, h->next, __ATOMIC_SEQ_CST);
	if (src->handlers != NULL)
		return;
	src->ops->disable(src);
	src->enabled = false;
}

void
intr_disestablish(struct intr_handler *h)
{
	struct intr_source *src;
	uint64_t state;

	if (h == NULL)
		return;
	src = h->src;
	state = spin_lock_irq(&src->lock);
	unlink_locked(src, h);
	spin_unlock_irq(&src->lock, state);
	intr_drain(src);
	kfree(h);
	intr_put(src);
}

/* ---- masks, processors ---- */

void
intr_mask(struct intr_source *src)
{
	uint64_t state = spin_lock_irq(&src->lock);

	if (src->masked++ == 0 && src->enabled && !src->stuck)
		src->ops->mask(src);
	spin_unlock_irq(&src->lock, state);
}

void
intr_unmask(struct intr_source *src)
{
	uint64_t state = spin_lock_irq(&src->lock);

	KASSERT(src->masked > 0);
	if (--src->masked == 0 && src->enabled && !src->stuck)
		src->ops->unmask(src);
	spin_unlock_irq(&src->lock, state);
}

int
intr_set_cpu(struct intr_source *src, unsigned cpu)
{
	uint64_t state;
	unsigned was;
	int error = 0;

	if (cpu >= cpu_count())
		return -EINVAL;
	if (src->ops->set_cpu == NULL)
		return -EOPNOTSUPP;
	state = spin_lock_irq(&src->lock);
	was = src->cpu;
	src->cpu = cpu;
	if (src->enabled)
		error = src->ops->set_cpu(src, cpu);
	if (error != 0)
		src->cpu = was;
	else
		__atomic_store_n(&src->wanted, cpu, __ATOMIC_RELAXED);
	spin_unlock_irq(&src->lock, state);
	return error;
}

void
intr_prefer_cpu(struct intr_source *src, unsigned cpu)
{
	if (cpu >= cpu_count() || src->ops->set_cpu == NULL)
		return;
	__atomic_store_n(&src->wanted, cpu, __ATOMIC_RELAXED);
	move_as_wanted(src);
}

unsigned
intr_cpu(const struct intr_source *src)
{
	return __atomic_load_n(&src->cpu, __ATOMIC_RELAXED);
}

unsigned
intr_number(const struct intr_source *src)
{
	return src->number;
}

/* ---- for /proc ---- */

static void
info_of(struct intr_source *src, struct intr_info *info)
{
	const struct intr_handler *h;
	uint64_t state = spin_lock_irq(&src->lock);

	strlcpy(info->name, src->name, sizeof(info->name));
	info->number = src->number;
	info->kind = src->ops->kind;
	info->how = (src->flags & INTR_LEVEL) != 0 ? "fasteoi" : "edge";
	info->cpu = src->cpu;
	info->handlers[0] = '\0';
	for (h = src->handlers; h != NULL; h = h->next) {
		if (h != src->handlers)
			strlcat(info->handlers, ", ", sizeof(info->handlers));
		strlcat(info->handlers, h->name, sizeof(info->handlers));
	}
	spin_unlock_irq(&src->lock, state);
}

/* The i-th source that has handlers, sources.lock held. */
static struct intr_source *
nth_locked(unsigned i)
{
	struct intr_source *src;

	for (src = sources.first; src != NULL; src = src->next)
		if (src->enabled && i-- == 0)
			return src;
	return NULL;
}

static unsigned
kernels_own(void)
{
	struct irq_info irq;
	unsigned n = 0;

	while (irq_info(n, &irq))
		n++;
	return n;
}

bool
intr_info(unsigned i, struct intr_info *info)
{
	struct intr_source *src;
	struct irq_info irq;
	uint64_t state;

	if (irq_info(i, &irq)) {
		*info = (struct intr_info){ .kind = "IO-APIC", .how = "edge" };
		info->number = irq.irq;
		snprintf(info->name, sizeof(info->name), "%u", irq.irq);
		strlcpy(info->handlers, irq.name, sizeof(info->handlers));
		return true;
	}
	i -= kernels_own();
	state = spin_lock_irq(&sources.lock);
	src = nth_locked(i);
	if (src != NULL)
		info_of(src, info);
	spin_unlock_irq(&sources.lock, state);
	return src != NULL;
}

uint32_t
intr_count(unsigned i, unsigned cpu)
{
	struct intr_source *src;
	struct irq_info irq;
	uint64_t state;
	uint32_t n = 0;

	if (irq_info(i, &irq))
		return cpu == 0 ? irq.count : 0;
	i -= kernels_own();
	state = spin_lock_irq(&sources.lock);
	src = nth_locked(i);
	if (src != NULL && cpu < MAX_CPUS)
		n = __atomic_load_n(&src->count[cpu], __ATOMIC_RELAXED);
	spin_unlock_irq(&sources.lock, state);
	return n;
}
