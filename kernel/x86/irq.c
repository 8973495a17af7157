/* SPDX-License-Identifier: ISC */
/*
 * irq.c - ISA interrupts of the kernel's own: the first clock, serial ports.
 * Devices of the tree have theirs through bus/intr.h.
 */
#include "x86/irq.h"
#include "kern/spinlock.h"
#include "x86/ioapic.h"
#include "x86/machdep.h"
#include "x86/vector.h"
#include <linux/errno.h>

#define NIRQ 16

static struct irq_source {
	void (*fn)(void *);
	void *arg;
	const char *name;
	uint64_t count;
	uint8_t vector;
} sources[NIRQ];
static struct spinlock irq_lock = SPINLOCK_INIT;

/* The timer's line arrives at pin 2 on every board since the first. */
static unsigned
pin_of(unsigned irq)
{
	return irq == 0 ? 2 : irq;
}

static void
irq_handle(void *arg)
{
	struct irq_source *s = arg;

	s->count++;
	apic_eoi(); /* edges: another one may come from here on */
	if (s->fn != NULL)
		s->fn(s->arg);
}

static int
establish_locked(unsigned irq, void (*fn)(void *), void *arg, const char *name)
{
	struct irq_source *s = &sources[irq];
	int error = ioapic_claim(pin_of(irq));

	if (error != 0)
		return error;
	*s = (struct irq_source){ .fn = fn,
		.arg = arg,
		.name = name,
		.vector = s->vector };
	if (s->vector == 0) /* once; it is kept */
		error = vector_alloc(irq_handle, s, &s->vector);
	if (error == 0)
		error = ioapic_route(pin_of(irq), s->vector, 0, 0);
	if (error == 0) {
		ioapic_mask(pin_of(irq), false);
		return 0;
	}
	s->fn = NULL;
	s->name = NULL;
	ioapic_release(pin_of(irq));
	return error;
}

int
irq_establish(unsigned irq, void (*fn)(void *), void *arg, const char *name)
{
	uint64_t state;
	int error;

	if (irq >= NIRQ)
		return -ENODEV;
	state = spin_lock_irq(&irq_lock);
	error = establish_locked(irq, fn, arg, name);
	spin_unlock_irq(&irq_lock, state);
	return error;
}

void
irq_disestablish(unsigned irq)
{
	uint64_t state = spin_lock_irq(&irq_lock);

	if (irq < NIRQ && sources[irq].fn != NULL) {
		ioapic_release(pin_of(irq));
		sources[irq].fn = NULL;
	}
	spin_unlock_irq(&irq_lock, state);
}

bool
irq_info(unsigned i, struct irq_info *info)
{
	unsigned irq;

	for (irq = 0; irq < NIRQ; irq++) {
		if (sources[irq].name == NULL || i-- > 0)
			continue;
		*info = (struct irq_info){ irq, sources[irq].name,
			sources[irq].count };
		return true;
	}
	return false;
}
