/* SPDX-License-Identifier: ISC */
/*
 * pci.h - PCI functions, for their drivers and for those who look at them.
 * PCI 3.0; PCIe 5.0.
 *
 * A bus is a node "pci0", "pci1", ... of the device tree: the first below the
 * root, the others in the place of the bridge that leads to them.  Functions
 * are the nodes below, with the address "0000:00:04.0".  A driver's attach()
 * asks for what it needs:
 *
 *	pci_enable() -> pci_map()... -> pci_intr_setup() ->
 *	pci_intr_establish()... -> ... -> pci_intr_end() -> pci_disable()
 *
 * each of the last two harmless without the others.  A function that has gone
 * reads as all ones; writes to it are lost.
 * Context: threads that may sleep, where nothing else is said.
 * Locking: a function's calls are made by its driver's attach() and detach(),
 * which the tree serialises.
 */
#ifndef BUS_PCI_H
#define BUS_PCI_H

#include "bus/pci_cfg.h"
#include "bus/pci_parse.h"
#include "bus/pci_range.h"
#include "kern/types.h"

struct boot_info;
struct device;
struct driver;
struct pci_vector;
struct sbuf;

/* A function, the node's ivars.  Filled before the node is there. */
struct pci_dev {
	const struct pci_space *space; /* [I] */
	uint16_t bdf;                  /* [I] */
	struct pci_header hdr;         /* [I] bus numbers: as now in use */
	struct pci_caps caps;          /* [I] */
	struct pci_bar bar[PCI_NBARS]; /* [I] addr 0: nowhere */
	struct pci_win win[PCI_NWINS]; /* [I] of a bridge */
	struct pci_msi msi;            /* [I] at 0: none */
	struct pci_msix msix;          /* [I] at 0: none */

	/* pci.c, pci_resource.c; under the parent bus's turn: */
	struct pci_dev *next;
	struct device *dev; /* the node, referenced; NULL: not yet */
	struct pci_range range[PCI_NBARS], win_range[PCI_NWINS];
	struct pci_map *map[PCI_NBARS], *win_map[PCI_NWINS];

	/* pci_dev.c; the driver's: */
	struct pci_vector *vector; /* nvectors of them; NULL: none */
	unsigned nvectors;
	unsigned irq; /* GSI of its pin, once a driver has asked; 0: not yet */
	volatile char *msix_table;
	bool enabled; /* pci_enable() */
};

/* The function behind a node of a PCI bus. */
struct pci_dev *pci_dev_of(const struct device *dev);
/* Whether the node is a function on a PCI bus. */
bool pci_is_function(const struct device *dev);

/* "pci:v00001AF4d...", by which programs find modules; and a newline. */
void pci_print_modalias(const struct pci_dev *pd, struct sbuf *sb);

/* Its vendor reads as all ones now.  Any context. */
bool pci_is_absent(const struct pci_dev *pd);

/*
 * Lets it decode the BARs it has and be a bus master; and no longer.
 *   -ENODEV  it is absent
 */
int pci_enable(struct device *dev);
void pci_disable(struct device *dev);

/*
 * Registers in a memory BAR, mapped uncached.  The mapping stays for ever and
 * is found again by the next to map the same place.
 *   NULL  the BAR is nowhere, or there is no memory
 */
volatile void *pci_map(struct device *dev, const struct pci_region *region);
/* First port of an I/O BAR; 0: it has none there. */
uint16_t pci_port(const struct device *dev, unsigned bar);

/* ---- interrupts ---- */

/*
 * Readies up to `want` vectors, each for its own handler: MSI-X, else one MSI,
 * else the interrupt line; *got says how many there are, at least 1.
 * pci=nomsi leaves the line.
 *   -ENODEV  it has no interrupts at all, -ENOMEM, -ENOSPC
 */
int pci_intr_setup(struct device *dev, unsigned want, unsigned *got);
/* Whether these are messages; else the line, which others may share. */
bool pci_intr_is_message(const struct device *dev);
/* Of the messages, whether they are MSI-X. */
bool pci_intr_is_msix(const struct device *dev);
/* "msix", "msi", "int 11": for the log. */
void pci_intr_name(const struct device *dev, char *buf, size_t size);
/* Vector i shall come to that processor, as soon as it runs, if it can be. */
void pci_intr_prefer_cpu(struct device *dev, unsigned i, unsigned cpu);
/*
 * Calls fn(arg), interrupts off, when vector `i` comes; fn says whether its
 * device had asked.  One handler a vector.
 */
int pci_intr_establish(struct device *dev, unsigned i, bool (*fn)(void *arg),
    void *arg);
/* The number that programs see of vector i; -1: there is none.  The node's turn
 * is held (device_call()). */
int pci_intr_number(const struct device *dev, unsigned i);
/* On return no handler runs, and none of the function's interrupts comes. */
void pci_intr_end(struct device *dev);

/* ---- the bus ---- */

/*
 * Before the boot step: where firmware's table (MCFG) has configuration space
 * in memory.  Segment 0 only; -EINVAL nonsense; -EOPNOTSUPP other segments.
 */
int pci_set_ecam(paddr_t base, uint16_t segment, uint8_t first_bus,
    uint8_t last_bus);

/*
 * Boot step: looks whether there is a PCI bus, and adds what is on it.  Not
 * with pci=off.  One look at function 0:0.0 decides.
 */
int pci_init(const struct boot_info *bi);

/* Configuration space of segment 0; NULL: there is no PCI bus. */
const struct pci_space *pci_host_space(void);

/*
 * The function at device << 3 | function on a bus, a node referenced; NULL:
 * nobody is known there.
 */
struct device *pci_find(struct device *bus, unsigned devfn);

/*
 * Empties a slot whose owner asks for it: takes its functions away in good
 * order, then has off(arg) switch it off, with the bus's turn held, so that no
 * look finds them again in between; then looks what is there now.
 *   1        somebody is in the slot: the next one, or one that did not leave
 *   -ENODEV  the bus is gone; else what off() said
 */
int
pci_eject(struct device *bus, unsigned slot, int (*off)(void *arg), void *arg);

/* Function-level reset, for bus_ops.reset. */
int pci_reset(struct device *dev);
bool pci_can_reset(const struct pci_dev *pd);

/* Buses: the first on "root", bridges on "pci". */
extern const struct driver pci_host_driver, pci_bridge_driver;

#endif
