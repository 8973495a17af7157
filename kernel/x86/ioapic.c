/* SPDX-License-Identifier: ISC */
/*
 * ioapic.c - I/O APICs.  82093AA data sheet, 3.  The old pair of 8259s is
 * masked and forgotten.
 */
#include "x86/ioapic.h"
#include "kern/kmem.h"
#include "kern/spinlock.h"
#include "x86/io.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define NIOAPICS      8
#define IOAPIC_PADDR  0xfec00000ul
#define IOAPIC_WINDOW 0x20
#define IOAPIC_PINS   240 /* more than this no version register can say */

#define IOREGSEL          0x00
#define IOWIN             0x10
#define IOAPIC_VERSION    0x01
#define IOAPIC_ENTRY(pin) (0x10 + 2 * (pin))
#define ENTRY_LOW         0x02000 /* active low */
#define ENTRY_LEVEL       0x08000
#define ENTRY_MASKED      0x10000
#define ENTRY_DEST        24

struct ioapic {
	volatile uint32_t *regs;
	paddr_t pa;
	unsigned gsi, npins;
	uint32_t *low;    /* [npins] what the entries' low halves hold */
	uint64_t used[4]; /* a bit a pin: claimed */
};

static struct ioapic ioapics[NIOAPICS];
static unsigned nioapics;
static bool pic_masked;
static struct spinlock ioapic_lock = SPINLOCK_INIT;

static uint32_t
ioapic_read(struct ioapic *io, unsigned reg)
{
	io->regs[IOREGSEL / 4] = reg;
	return io->regs[IOWIN / 4];
}

static void
ioapic_write(struct ioapic *io, unsigned reg, uint32_t v)
{
	io->regs[IOREGSEL / 4] = reg;
	io->regs[IOWIN / 4] = v;
}

static int
open_registers(struct ioapic *io, paddr_t pa, unsigned gsi)
{
	uint32_t version, pin;

	*io = (struct ioapic){ .pa = pa, .gsi = gsi };
	io->regs = mmio_map(pa, IOAPIC_WINDOW);
	if (io->regs == NULL)
		return -ENOMEM;
	version = ioapic_read(io, IOAPIC_VERSION);
	if (version == 0 || version == 0xffffffff)
		return -ENODEV;
	io->npins = MIN((version >> 16 & 0xff) + 1, IOAPIC_PINS);
	io->low = kcalloc(io->npins, sizeof(io->low[0]));
	if (io->low == NULL)
		return -ENOMEM;
	for (pin = 0; pin < io->npins; pin++)
		io->low[pin] = ENTRY_MASKED; /* as after reset */
	return 0;
}

static int
add_locked(paddr_t pa, unsigned gsi)
{
	struct ioapic *io = &ioapics[nioapics];
	unsigned i;
	int error;

	if (nioapics == NIOAPICS)
		return -ENOSPC;
	if (!pic_masked) {
		outb(0x21, 0xff);
		outb(0xa1, 0xff);
		pic_masked = true;
	}
	for (i = 0; i < nioapics; i++)
		if (ioapics[i].pa == pa)
			return -EEXIST;
	error = open_registers(io, pa, gsi);
	for (i = 0; i < nioapics && error == 0; i++)
		if (gsi < ioapics[i].gsi + ioapics[i].npins &&
		    ioapics[i].gsi < gsi + io->npins)
			error = -EEXIST;
	if (error != 0)
		kfree(io->low);
	else
		nioapics++;
	return error;
}

int
ioapic_add(paddr_t pa, unsigned gsi)
{
	uint64_t state;
	int error;

	if (gsi > 0xffff)
		return -ENODEV;
	state = spin_lock_irq(&ioapic_lock);
	error = add_locked(pa, gsi);
	spin_unlock_irq(&ioapic_lock, state);
	return error;
}

/* The pin's I/O APIC, or NULL. */
static struct ioapic *
find_locked(unsigned gsi)
{
	unsigned i;

	if (nioapics == 0)
		(void)add_locked(IOAPIC_PADDR, 0); /* none: none is found */
	for (i = 0; i < nioapics; i++)
		if (gsi >= ioapics[i].gsi &&
		    gsi - ioapics[i].gsi < ioapics[i].npins)
			return &ioapics[i];
	return NULL;
}

unsigned
ioapic_end(void)
{
	uint64_t state = spin_lock_irq(&ioapic_lock);
	unsigned i, end = 0;

	(void)find_locked(0);
	for (i = 0; i < nioapics; i++)
		end = MAX(end, ioapics[i].gsi + ioapics[i].npins);
	spin_unlock_irq(&ioapic_lock, state);
	return end;
}

int
ioapic_claim(unsigned gsi)
{
	uint64_t state = spin_lock_irq(&ioapic_lock);
	struct ioapic *io = find_locked(gsi);
	unsigned pin;
	int error = -ENODEV;

	if (io != NULL) {
		pin = gsi - io->gsi;
		error = (io->used[pin / 64] >> pin % 64 & 1) != 0 ? -EBUSY : 0;
		io->used[pin / 64] |= 1ul << pin % 64;
	}
	spin_unlock_irq(&ioapic_lock, state);
	return error;
}

/* What a masked entry says is written when it is unmasked. */
static void
low_write(struct ioapic *io, unsigned pin, uint32_t low)
{
	uint32_t was = io->low[pin];

	io->low[pin] = low;
	if (low != was && (low & was & ENTRY_MASKED) == 0)
		ioapic_write(io, IOAPIC_ENTRY(pin), low);
}

void
ioapic_release(unsigned gsi)
{
	uint64_t state = spin_lock_irq(&ioapic_lock);
	struct ioapic *io = find_locked(gsi);
	unsigned pin;

	if (io != NULL) {
		pin = gsi - io->gsi;
		low_write(io, pin, ENTRY_MASKED);
		io->used[pin / 64] &= ~(1ul << pin % 64);
	}
	spin_unlock_irq(&ioapic_lock, state);
}

int
ioapic_route(unsigned gsi, uint8_t vector, unsigned flags, unsigned cpu)
{
	const struct percpu *pc = cpu_nth(cpu);
	struct ioapic *io;
	uint64_t state;
	uint32_t low = vector;
	unsigned pin;

	if (pc == NULL || pc->apic_id > 0xff)
		return -EINVAL;
	low |= (flags & IOAPIC_LEVEL) != 0 ? ENTRY_LEVEL : 0;
	low |= (flags & IOAPIC_LOW) != 0 ? ENTRY_LOW : 0;
	state = spin_lock_irq(&ioapic_lock);
	io = find_locked(gsi);
	if (io != NULL) {
		pin = gsi - io->gsi;
		ioapic_write(io, IOAPIC_ENTRY(pin) + 1,
		    pc->apic_id << ENTRY_DEST);
		low_write(io, pin, low | (io->low[pin] & ENTRY_MASKED));
	}
	spin_unlock_irq(&ioapic_lock, state);
	return io != NULL ? 0 : -ENODEV;
}

void
ioapic_mask(unsigned gsi, bool masked)
{
	uint64_t state = spin_lock_irq(&ioapic_lock);
	struct ioapic *io = find_locked(gsi);
	unsigned pin;

	if (io != NULL) {
		pin = gsi - io->gsi;
		low_write(io, pin,
		    masked ? io->low[pin] | ENTRY_MASKED :
			     io->low[pin] & ~ENTRY_MASKED);
	}
	spin_unlock_irq(&ioapic_lock, state);
}
