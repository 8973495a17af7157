/* SPDX-License-Identifier: ISC */
/*
 * drivers.c - all drivers, in sight.  Where two fit a device equally well, the
 * upper one gets it.
 */
#include "dev/drivers.h"
#include "bus/pci.h"
#include "bus/virtio_mmio.h"
#include "bus/virtio_pci.h"

const struct driver *const drivers[] = {
	&pci_host_driver,
	&pci_bridge_driver,
	&virtio_mmio_driver,
	&virtio_pci_driver,
	&vtblk_driver,
	&vtrng_driver,
	&vt9p_driver,
	&vtcon_driver,
	&nvme_driver,
	&vtnet_driver,
	&vtscsi_driver,
	&sd_driver,
	&vtballoon_driver,
	&vtvsock_driver,
	NULL,
};
