/* SPDX-License-Identifier: ISC */
/*
 * pci_range.h - who uses which addresses of a window.  No memory of its own:
 * a range is part of what it belongs to (a BAR, a bridge's window).
 * Context: any.  Locking: none inside.
 */
#ifndef BUS_PCI_RANGE_H
#define BUS_PCI_RANGE_H

#include "kern/types.h"
#include <bsd/sys/queue.h>

struct pci_range {
	TAILQ_ENTRY(pci_range) link;
	uint64_t base, size; /* size 0: on no list */
};

struct pci_map {                      /* addresses that can be given away */
	uint64_t base, last;          /* base > last: none */
	TAILQ_HEAD(, pci_range) used; /* by address, none overlap */
};

/* An empty map of [base, last]; base > last: nothing can be had of it. */
void pci_map_init(struct pci_map *m, uint64_t base, uint64_t last);

/*
 * Takes [base, base + size), which firmware or a table has given away.
 *   -ERANGE  not in the map, or it wraps, or is empty
 *   -EBUSY   somebody has some of it
 */
int pci_map_claim(struct pci_map *m, struct pci_range *r, uint64_t base,
    uint64_t size);

/*
 * Finds the lowest free place in [lowest, highest], a multiple of `align` (a
 * power of two), and takes it.
 *   -ENOSPC, -EINVAL
 */
int pci_map_alloc(struct pci_map *m, struct pci_range *r, uint64_t size,
    uint64_t align, uint64_t lowest, uint64_t highest);

/* Gives it back; harmless for a range that is on no list. */
void pci_map_release(struct pci_map *m, struct pci_range *r);

#endif
