/* SPDX-License-Identifier: ISC */
/*
 * ioapic.h - the pins of all I/O APICs, by global number (GSI).  82093AA data
 * sheet, 3.  Context: any, but for ioapic_add.
 */
#ifndef X86_IOAPIC_H
#define X86_IOAPIC_H

#include "kern/types.h"

#define IOAPIC_LEVEL 0x1
#define IOAPIC_LOW   0x2

/*
 * Makes an I/O APIC known whose pin 0 is global number `gsi`.  Where nobody
 * does so before the first pin is used, the one that every PC has is assumed.
 *   -ENOMEM  -ENODEV nothing is there  -EEXIST known already, or overlapping
 *   -ENOSPC  too many
 */
int ioapic_add(paddr_t pa, unsigned gsi);
/* The number behind the last pin; 0: no I/O APIC. */
unsigned ioapic_end(void);

/* One user a pin: -ENODEV no such pin, -EBUSY has one. */
int ioapic_claim(unsigned gsi);
/* Masks it, and others may have it. */
void ioapic_release(unsigned gsi);

/*
 * For who has claimed the pin: raises `vector` on processor `cpu` from now on,
 * asked for as `flags` (IOAPIC_*) say.  Stays masked if it was.
 *   -EINVAL  no such processor, or one that pins do not reach
 */
int ioapic_route(unsigned gsi, uint8_t vector, unsigned flags, unsigned cpu);
void ioapic_mask(unsigned gsi, bool masked);

#endif
