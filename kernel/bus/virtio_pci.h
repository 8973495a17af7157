/* SPDX-License-Identifier: ISC */
/*
 * virtio_pci.h - virtio devices that are PCI functions.  Virtio 1.2, 4.1.
 */
#ifndef BUS_VIRTIO_PCI_H
#define BUS_VIRTIO_PCI_H

struct driver;
extern const struct driver virtio_pci_driver; /* on "pci" */

#endif
