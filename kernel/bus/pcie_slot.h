/* SPDX-License-Identifier: ISC */
/*
 * pcie_slot.h - a slot below a PCIe port, into which cards come and from which
 * they go while the machine runs.  PCIe 5.0, 6.7; 7.5.3.9 to 7.5.3.11.
 *
 *		 present, or the button and 5 s
 *	+-> OFF ------------------------------> WAIT_LINK
 *	|    |  ^ button again  |		   |  link, and it answers
 *	|    +--> BLINK_ON -----+ 5 s		   v
 *	|	 nothing came, or it left	  ON <---+ button again
 *	+-----------------------------------------+|	 |
 *	|  gone; or all taken out, then power off  +--> BLINK_OFF
 *	+------------------------------------------------+ 5 s
 *
 * The port's driver (bus/pci.c) begins and ends it; all else happens in
 * threads of its own: one that makes slots ready after boot, and one for each
 * slot that something ever happened in, so that a card whose driver takes long
 * to leave keeps no other waiting.
 */
#ifndef BUS_PCIE_SLOT_H
#define BUS_PCIE_SLOT_H

#include "kern/types.h"

struct device;
struct pcie_slot;

/*
 * For a port's attach(), before it adds nodes: what its slot says of itself.
 * True: cards come and go there; *number is printed on it.
 */
bool pcie_slot_is_there(struct device *port, unsigned *number);
/*
 * Begins to watch, soon.  `bus` is the number of the bus behind.  NULL: there
 * is no memory, said in the log.
 */
struct pcie_slot *pcie_slot_begin(struct device *port, uint8_t bus);
/* For its detach(): no interrupt comes any more.  NULL is harmless. */
void pcie_slot_end(struct pcie_slot *slot);

#endif
