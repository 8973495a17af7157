/* SPDX-License-Identifier: ISC */
/*
 * pci_impl.h - what the files of the PCI bus tell each other.
 *
 * pci.c: buses, who is on them.  pci_resource.c: numbers and addresses for
 * them.  pci_dev.c: what a function's driver asks for.
 */
#ifndef BUS_PCI_IMPL_H
#define BUS_PCI_IMPL_H

#include "bus/pci.h"

/* A bus: softc of both drivers. */
struct pci_bus {
	struct device *dev;            /* [I] its node */
	const struct pci_space *space; /* [I] */
	struct pci_dev *bridge;        /* [I] that leads here; NULL: host */
	uint8_t number, last;          /* [I] buses behind: number .. last */
	bool one_slot;                 /* [I] a PCIe link: device 0 only */
	struct pcie_slot *slot;        /* [t] with hot-plug; NULL: none */
	uint8_t depth;                 /* [I] bridges that lead here */
	struct pci_dev *first;         /* [t] who is here, by bdf */
	/*
	 * Addresses for those here; under pci_lock.  use[] says which map a
	 * kind is taken from: without a window of its own, prefetchable memory
	 * comes from the other one.
	 */
	struct pci_map map[PCI_NWINS];
	struct pci_map *use[PCI_NWINS];
	struct pci_range *ram; /* host: what is no device's, `nram` */
	unsigned nram;
};

/* The maps of the first bus, from the memory map.  -ENOMEM */
int pci_host_windows(struct pci_bus *bus);
void pci_host_windows_end(struct pci_bus *bus);
/* The maps of a bus behind a bridge, from the bridge's windows. */
void pci_bridge_windows(struct pci_bus *bus);

/*
 * For who has been found on a bus (from `pd` on): claims what firmware gave,
 * then assigns what is missing.  What cannot be had is said in the log, and
 * the BAR is nowhere.
 */
void pci_assign(struct pci_bus *bus, struct pci_dev *pd);
/* Gives all addresses of a function back. */
void pci_release(struct pci_dev *pd);

/* Whether a bridge's bus numbers make sense among the others of the bus. */
bool pci_numbers_fit(const struct pci_bus *bus, const struct pci_dev *pd);

#endif
