/* SPDX-License-Identifier: ISC */
/*
 * debugreg.c - the processor's breakpoints in programs' threads.  Intel SDM
 * vol. 3, 17.2.  Nearly no thread has any, and then nothing is switched.
 */
#include "x86/debugreg.h"
#include "kern/kmem.h"
#include "kern/thread.h"
#include "x86/cpu.h"
#include "x86/layout.h"
#include <linux/errno.h>

#define DR7_ENABLES 0xfful
#define DR7_EXACT   0x300ul      /* as set by old debuggers; no effect */
#define DR7_KINDS   0xffff0000ul /* four bits a slot: R/W, LEN */
#define DR7_FIXED   0x400ul
#define RW_EXECUTE  0
#define RW_IO       2

#define DR_WRITE(n, value) \
	__asm__ volatile("mov %0, %%db" #n ::"r"((uint64_t)(value)))

uint64_t
debugreg_control(uint64_t wanted)
{
	return wanted & (DR7_ENABLES | DR7_EXACT | DR7_KINDS);
}

/* Bytes behind the address that count; 17.2.4: 10b is eight. */
static uint64_t
slot_length(unsigned len)
{
	static const uint8_t bytes[] = { 1, 2, 8, 4 };

	return bytes[len];
}

static int
check_slot(const struct debug_regs *d, unsigned i)
{
	unsigned kind = d->control >> (16 + 4 * i) & 0xf;
	unsigned rw = kind & 3, len = kind >> 2;
	uint64_t bytes = slot_length(len), addr = d->addr[i];

	if ((d->control >> (2 * i) & 3) == 0)
		return 0;
	if (rw == RW_IO || (rw == RW_EXECUTE && len != 0))
		return -EINVAL;
	if (addr % bytes != 0)
		return -EINVAL;
	return 0;
}

int
debugreg_check(const struct debug_regs *d)
{
	unsigned i;

	for (i = 0; i < DEBUG_SLOTS; i++)
		if (d->addr[i] >= USER_END || check_slot(d, i) != 0)
			return -EINVAL;
	return 0;
}

struct debug_regs *
debugreg_of(struct thread *t)
{
	if (t->debug == NULL)
		t->debug = kzalloc(sizeof(*t->debug));
	return t->debug;
}

static void
load(const struct debug_regs *d)
{
	DR_WRITE(7, DR7_FIXED);
	if (d == NULL || (d->control & DR7_ENABLES) == 0)
		return;
	DR_WRITE(0, d->addr[0]);
	DR_WRITE(1, d->addr[1]);
	DR_WRITE(2, d->addr[2]);
	DR_WRITE(3, d->addr[3]);
	DR_WRITE(7, d->control | DR7_FIXED);
}

void
debugreg_load_self(void)
{
	uint64_t irq = irq_save();

	load(thread_self()->debug);
	irq_restore(irq);
}

void
debugreg_drop_self(void)
{
	struct thread *self = thread_self();
	struct debug_regs *d = self->debug;
	uint64_t irq;

	if (d == NULL)
		return;
	irq = irq_save();
	self->debug = NULL;
	load(NULL);
	irq_restore(irq);
	kfree(d);
}

void
debugreg_free(struct thread *t)
{
	kfree(t->debug);
}

void
debugreg_switch(const struct thread *next)
{
	load(next->debug);
}

/* Breakpoints on code strike before, those on data after the fact. */
static bool
struck_before(const struct debug_regs *d)
{
	unsigned i;

	for (i = 0; i < DEBUG_SLOTS; i++)
		if ((d->status & 1u << i) != 0 &&
		    (d->control >> (16 + 4 * i) & 3) == RW_EXECUTE)
			return true;
	return false;
}

uint64_t
debugreg_take(bool *before)
{
	struct thread *self = thread_self();
	uint64_t dr6;

	*before = false;
	__asm__ volatile("mov %%db6, %0" : "=r"(dr6));
	DR_WRITE(6, 0);
	dr6 &= DR6_SLOTS | DR6_BS;
	if (self->debug == NULL)
		return dr6 & DR6_BS;
	self->debug->status = dr6;
	*before = struck_before(self->debug);
	return dr6;
}
