/* SPDX-License-Identifier: ISC */
/*
 * irq.c - ISA interrupts through the I/O APIC.  82093AA data sheet, 3.
 * The old pair of 8259s is masked and forgotten.
 */
#include "x86/irq.h"
#include "kern/kmem.h"
#include "kern/spinlock.h"
#include "x86/io.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define NIRQ         16
#define VECTOR_IRQ0  0x30
#define IOAPIC_PADDR 0xfec00000ul

#define IOREGSEL          0x00
#define IOWIN             0x10
#define IOAPIC_VERSION    0x01
#define IOAPIC_ENTRY(pin) (0x10 + 2 * (pin))
#define ENTRY_MASKED      0x10000

static struct irq_source {
	void (*fn)(void *);
	void *arg;
	const char *name;
	uint64_t count;
} sources[NIRQ];
static struct spinlock irq_lock = SPINLOCK_INIT;
static volatile uint32_t *ioapic;
static unsigned npins;

static uint32_t
ioapic_read(unsigned reg)
{
	ioapic[IOREGSEL / 4] = reg;
	return ioapic[IOWIN / 4];
}

static void
ioapic_write(unsigned reg, uint32_t v)
{
	ioapic[IOREGSEL / 4] = reg;
	ioapic[IOWIN / 4] = v;
}

static int
ioapic_find(void)
{
	uint32_t version;

	if (npins != 0)
		return 0;
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	if (ioapic == NULL)
		ioapic = mmio_map(IOAPIC_PADDR, PAGE_SIZE);
	if (ioapic == NULL)
		return -ENOMEM;
	version = ioapic_read(IOAPIC_VERSION);
	if (version == 0 || version == 0xffffffff)
		return -ENODEV;
	npins = (version >> 16 & 0xff) + 1;
	return 0;
}

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
	int error = ioapic_find();

	if (error != 0)
		return error;
	if (pin_of(irq) >= npins)
		return -ENODEV;
	if (s->fn != NULL)
		return -EBUSY;
	*s = (struct irq_source){ .fn = fn, .arg = arg, .name = name };
	trap_set_handler(VECTOR_IRQ0 + irq, irq_handle, s);
	ioapic_write(IOAPIC_ENTRY(pin_of(irq)) + 1, cpu_self()->apic_id << 24);
	ioapic_write(IOAPIC_ENTRY(pin_of(irq)), VECTOR_IRQ0 + irq);
	return 0;
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
		ioapic_write(IOAPIC_ENTRY(pin_of(irq)), ENTRY_MASKED);
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
