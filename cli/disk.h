/* SPDX-License-Identifier: ISC */
/*
 * disk.h - the disks of a machine: what --disk says, and how QEMU is told.
 */
#ifndef CLI_DISK_H
#define CLI_DISK_H

#include <stdbool.h>

#include "cli/mem.h"
#include "cli/trouble.h"

enum machine_type;

/*
 * How the machine reaches a disk.  MMIO: microvm's slots; legacy and modern:
 * the version of the registers there, or on PCI.
 */
enum disk_transport {
	DISK_TRANSPORT_DEFAULT,
	DISK_TRANSPORT_MMIO,
	DISK_TRANSPORT_LEGACY,
	DISK_TRANSPORT_MODERN,
};

/* What kind of disk it is; SCSI ones share one host. */
enum disk_bus { DISK_BUS_VIRTIO, DISK_BUS_SCSI, DISK_BUS_NVME };

struct disk_option {
	char *file; /* as given, then absolute */
	bool read_only;
	enum disk_bus bus;
	enum disk_transport transport;
};

/*
 * Reads FILE[,ro][,bus=virtio|scsi|nvme][,transport=mmio|legacy|modern]; a comma that belongs to FILE
 * is doubled.  Returns 0, or fills *t with status 125.  disk_option_fini() is
 * due in any case.
 */
int
disk_option_parse(struct disk_option *d, const char *value, struct trouble *t);
void disk_option_fini(struct disk_option *d);

/*
 * Whether the files are there and may be used as asked, and the board can have
 * all of them; makes their names absolute.  0, or *t with status 125.
 */
int disks_check(struct disk_option *disks, size_t n, enum machine_type machine,
    struct trouble *t);

/* How many of microvm's slots they take, the first ones. */
size_t disks_slots(const struct disk_option *disks, size_t n);

/* QEMU's options for all of them. */
void disks_qemu(const struct disk_option *disks, size_t n,
    enum machine_type machine, struct strings *argv);

/* microvm's virtio slots without ACPI.  QEMU, hw/i386/microvm.c. */
#define MMIO_SLOTS        8
#define MMIO_BASE         0xfeb00000u
#define MMIO_SIZE         0x200u
#define MMIO_IRQ          5u
#define MMIO_SLOT_CONSOLE 7u /* --console virtio: the last one */
#define MMIO_SLOT_VSOCK   6u /* --vsock: the one before */

#endif
