/* SPDX-License-Identifier: ISC */
/*
 * virtio_mmio.h - virtio devices behind a page of registers, at places that
 * the command line names.  Virtio 1.2, 4.2.
 */
#ifndef BUS_VIRTIO_MMIO_H
#define BUS_VIRTIO_MMIO_H

#include "kern/types.h"

/* One virtio_mmio.device=SIZE@ADDR:IRQ[:ID]. */
struct virtio_mmio_place {
	paddr_t addr;
	uint64_t size;
	unsigned irq;
	unsigned id; /* nobody uses it; UINT32_MAX: not given */
};

/* Linux's syntax: sizes may end in K, M or G.  -EINVAL */
int virtio_mmio_parse(const char *value, struct virtio_mmio_place *place);

struct boot_info;
struct driver;
/*
 * Boot step, after the tree has its drivers: adds a node for each place that
 * the command line names and where a device is.  What makes no sense is told
 * in the log, and is no error.
 */
int virtio_mmio_scan(const struct boot_info *bi);

/*
 * The same for one place, as ACPI's LNRO0005 names it; `flags` are INTR_*.
 *   -ENODEV  nothing there;  -EINVAL  the place makes no sense
 */
int virtio_mmio_add(const struct virtio_mmio_place *place, unsigned flags);

extern const struct driver virtio_mmio_driver; /* on "root" */

#endif
