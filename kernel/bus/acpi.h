/* SPDX-License-Identifier: ISC */
/*
 * acpi.h - ACPI's byte code, interpreted by ACPICA.  ACPI 6.4.
 *
 * The interpreter starts in a thread of its own when the first program runs,
 * or earlier, when somebody cannot do without: acpi_need().  Machines without
 * ACPI, and those with acpi=off, never touch it.
 *
 *	acpi.c          its life, its one line in the log, buttons
 *	acpi_load.c     tables that fail, memory that runs out
 *	acpi_eval.c     names and methods, evaluated
 *	acpi_osl.c      what it asks of a kernel: memory, locks, threads, time
 *	acpi_osl_io.c   the same: ports, memory, configuration space, tables
 *	acpi_aml.c      whether byte code is well-formed
 *	acpi_access.c   which of these it may reach
 *	acpi_pci.c      its names for PCI's functions; _PRT, _OSC
 *	acpi_route.c, acpi_resource.c  what of that needs no interpreter
 *	acpi_devices.c  virtio by LNRO0005, generic event devices
 *	acpi_hotplug.c  Notify: arrivals, and departures that are asked for
 *
 * Context: threads that may sleep, and the boot; nothing here is called with
 * a lock held.
 */
#ifndef BUS_ACPI_H
#define BUS_ACPI_H

#include "kern/types.h"

struct boot_info;
struct device;

/* Boot step, after PCI's: has the interpreter started with the program. */
int acpi_init(const struct boot_info *bi);

/*
 * Called before the first program, by a thread: on boards whose devices are
 * named by ACPI alone (reduced hardware, no virtio_mmio.device=), finds them.
 */
void acpi_find_devices(void);

/*
 * Starts the interpreter if it has not been; waits while another starts it.
 *   -ENODEV  there is no ACPI, or its tables cannot be used
 */
int acpi_need(void);

/*
 * Where interrupt pin `pin` (0: INTA) of the function behind a node of a PCI
 * bus arrives, and how (INTR_*).
 *   -ENODEV  there is no ACPI;  -ENOENT  it does not say;  -ENOSPC  a link
 *   that can be connected to nothing
 */
int acpi_pci_route(struct device *dev, unsigned pin, unsigned *gsi,
    unsigned *flags);

/*
 * Whether PCI Express slots are this kernel's to watch: yes without ACPI, else
 * what _OSC answers, which is asked once.  Waits for the interpreter.
 */
bool acpi_pcie_hotplug_is_ours(void);

/*
 * Readies the board for being switched off (_PTS) if the interpreter runs, and
 * says what to write (_S5).
 *   -ENODEV  it does not run;  -ENOENT  there is no _S5
 */
int acpi_off_prepare(uint8_t type[2]);

#endif
