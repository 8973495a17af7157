/* SPDX-License-Identifier: ISC */
/*
 * intr_x86.c - the kinds of interrupt sources that every PC has: pins of I/O
 * APICs, and messages.  82093AA data sheet; PCI Local Bus 3.0, 6.8.
 *
 * A pin's source stays for ever once somebody asked for it, so that all who
 * share the line find the same one.
 */
#include "bus/intr.h"

#include "bus/firmware.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include "x86/ioapic.h"
#include "x86/machdep.h"
#include "x86/vector.h"
#include <linux/errno.h>

#define NISA 16

/* ---- pins ---- */

struct gsi_source {
	struct intr_source src;
	struct gsi_source *next; /* under gsi_lock */
	unsigned gsi;            /* [I] */
	uint8_t vector;          /* [I] */
};

static struct gsi_source *gsi_sources;
static struct mutex gsi_lock = MUTEX_INIT(gsi_lock);
static struct {
	bool known;
	unsigned gsi, flags;
} isa[NISA];

/*
 * An edge is acknowledged before its handlers run, so that another one may
 * come; a level after, when the handlers have made their devices let go.
 */
static void
gsi_vector(void *arg)
{
	struct gsi_source *g = arg;
	bool level = (g->src.flags & INTR_LEVEL) != 0;

	if (!level)
		apic_eoi();
	intr_dispatch(&g->src);
	if (level)
		apic_eoi();
}

static int
gsi_route(struct gsi_source *g, unsigned cpu)
{
	return ioapic_route(g->gsi, g->vector,
	    ((g->src.flags & INTR_LEVEL) != 0 ? IOAPIC_LEVEL : 0) |
		((g->src.flags & INTR_LOW) != 0 ? IOAPIC_LOW : 0),
	    cpu);
}

static void
gsi_disable(struct intr_source *src)
{
	ioapic_release(((struct gsi_source *)src->arg)->gsi);
}

static int
gsi_enable(struct intr_source *src)
{
	struct gsi_source *g = src->arg;
	int error = ioapic_claim(g->gsi);

	if (error != 0)
		return error;
	error = gsi_route(g, src->cpu);
	if (error != 0)
		gsi_disable(src);
	else
		ioapic_mask(g->gsi, false);
	return error;
}

static void
gsi_mask(struct intr_source *src)
{
	ioapic_mask(((struct gsi_source *)src->arg)->gsi, true);
}

static void
gsi_unmask(struct intr_source *src)
{
	ioapic_mask(((struct gsi_source *)src->arg)->gsi, false);
}

static int
gsi_set_cpu(struct intr_source *src, unsigned cpu)
{
	return gsi_route(src->arg, cpu);
}

static const struct intr_ops gsi_ops = {
	.kind = "IO-APIC",
	.enable = gsi_enable,
	.disable = gsi_disable,
	.mask = gsi_mask,
	.unmask = gsi_unmask,
	.set_cpu = gsi_set_cpu,
};

static int
gsi_make_locked(unsigned gsi, struct gsi_source **out)
{
	struct gsi_source *g = kzalloc(sizeof(*g));
	char name[16];
	int error;

	if (g == NULL)
		return -ENOMEM;
	g->gsi = gsi;
	snprintf(name, sizeof(name), "%u", gsi);
	error = vector_alloc(gsi_vector, g, &g->vector);
	if (error == 0) {
		error = intr_source_init(&g->src, &gsi_ops, g, name);
		if (error != 0)
			vector_free(g->vector);
	}
	if (error != 0) {
		kfree(g);
		return error;
	}
	g->src.number = gsi;
	g->next = gsi_sources;
	gsi_sources = g;
	*out = g;
	return 0;
}

static int
set_flags(struct intr_source *src, unsigned flags)
{
	uint64_t state = spin_lock_irq(&src->lock);
	int error = 0;

	if (!src->enabled)
		src->flags = flags;
	else if (src->flags != flags)
		error = -EBUSY;
	spin_unlock_irq(&src->lock, state);
	return error;
}

int
intr_gsi_get(unsigned gsi, unsigned flags, struct intr_source **out)
{
	struct gsi_source *g;
	int error = 0;

	if (gsi >= ioapic_end())
		firmware_route();
	if (gsi >= ioapic_end())
		return -ENODEV;
	mutex_lock(&gsi_lock);
	for (g = gsi_sources; g != NULL && g->gsi != gsi; g = g->next)
		;
	if (g == NULL)
		error = gsi_make_locked(gsi, &g);
	if (error == 0)
		error = set_flags(&g->src, flags);
	if (error == 0)
		*out = intr_get(&g->src);
	mutex_unlock(&gsi_lock);
	return error;
}

void
intr_isa_override(unsigned irq, unsigned gsi, unsigned flags)
{
	if (irq >= NISA)
		return;
	isa[irq].known = true;
	isa[irq].gsi = gsi;
	isa[irq].flags = flags;
}

bool
intr_isa_known(unsigned irq)
{
	firmware_route();
	return irq < NISA && isa[irq].known;
}

int
intr_isa_get(unsigned irq, struct intr_source **out)
{
	if (irq < NISA && isa[irq].known)
		return intr_gsi_get(isa[irq].gsi, isa[irq].flags, out);
	return intr_gsi_get(irq, INTR_EDGE, out);
}

/* ---- messages ---- */

struct msi_source {
	struct intr_source src;
	const struct msi_ops *ops; /* [I] */
	void *arg;                 /* [I] */
	uint8_t vector;            /* [I] */
};

static void
msi_vector(void *arg)
{
	struct msi_source *m = arg;

	apic_eoi();
	intr_dispatch(&m->src);
}

static int
msi_set_cpu(struct intr_source *src, unsigned cpu)
{
	struct msi_source *m = src->arg;
	uint64_t addr;
	uint32_t data;
	int error = vector_message(m->vector, cpu, &addr, &data);

	if (error == 0)
		m->ops->write(m->arg, addr, data);
	return error;
}

static int
msi_enable(struct intr_source *src)
{
	struct msi_source *m = src->arg;
	int error = msi_set_cpu(src, src->cpu);

	if (error == 0)
		m->ops->mask(m->arg, false);
	return error;
}

static void
msi_mask(struct intr_source *src)
{
	struct msi_source *m = src->arg;

	m->ops->mask(m->arg, true);
}

static void
msi_unmask(struct intr_source *src)
{
	struct msi_source *m = src->arg;

	m->ops->mask(m->arg, false);
}

static void
msi_free(struct intr_source *src)
{
	struct msi_source *m = src->arg;

	vector_free(m->vector);
	kfree(m);
}

static const struct intr_ops msi_source_ops = {
	.kind = "PCI-MSI",
	.enable = msi_enable,
	.disable = msi_mask,
	.mask = msi_mask,
	.unmask = msi_unmask,
	.set_cpu = msi_set_cpu,
	.free = msi_free,
};

int
intr_msi_create(const struct msi_ops *ops, void *arg, const char *name,
    struct intr_source **out)
{
	struct msi_source *m = kzalloc(sizeof(*m));
	int error;

	if (m == NULL)
		return -ENOMEM;
	m->ops = ops;
	m->arg = arg;
	error = vector_alloc(msi_vector, m, &m->vector);
	if (error == 0) {
		error = intr_source_init(&m->src, &msi_source_ops, m, name);
		if (error != 0)
			vector_free(m->vector);
	}
	if (error != 0) {
		kfree(m);
		return error;
	}
	*out = &m->src;
	return 0;
}
