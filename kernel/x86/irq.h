/* SPDX-License-Identifier: ISC */
/*
 * irq.h - interrupts that devices on the board raise (I/O APIC pins).
 * Handlers run with interrupts off and must not sleep.
 */
#ifndef X86_IRQ_H
#define X86_IRQ_H

#include "kern/types.h"

/*
 * Routes ISA interrupt `irq` (edge, active high) to a vector of processor 0
 * and calls fn(arg) when it comes.  Unmasked on return.
 *   -EBUSY   taken
 *   -ENODEV  no I/O APIC serves it
 */
int
irq_establish(unsigned irq, void (*fn)(void *), void *arg, const char *name);
void irq_disestablish(unsigned irq);

/* For /proc/interrupts and /proc/stat: the i-th in use; false: no more. */
struct irq_info {
	unsigned irq;
	const char *name;
	uint64_t count;
};
bool irq_info(unsigned i, struct irq_info *info);

#endif
