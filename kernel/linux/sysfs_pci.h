/* SPDX-License-Identifier: ISC */
/* sysfs_pci.h - /sys/bus/pci. */
#ifndef LINUX_SYSFS_PCI_H
#define LINUX_SYSFS_PCI_H

#include "fs/pseudo.h"

extern const struct pseudo_entry sysfs_pci_entries[];

#endif
