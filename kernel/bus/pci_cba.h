/* SPDX-License-Identifier: ISC */
/*
 * pci_cba.h - where a board without an MCFG table says that configuration
 * space is: the object _CBA of its DSDT.  PCI Firmware 3.3, 4.1.3.
 */
#ifndef BUS_PCI_CBA_H
#define BUS_PCI_CBA_H

#include "kern/types.h"

/*
 * Finds the first _CBA that is a constant, or a method that returns one, in
 * the bytes of a DSDT: all that there is to it on boards that need it
 * (QEMU's microvm), so no interpreter of AML has to run for it.
 *   -ENOENT  there is none
 */
int pci_parse_cba(const uint8_t *dsdt, size_t len, paddr_t *base);

#endif
