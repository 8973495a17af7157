/* SPDX-License-Identifier: ISC */
/*
 * pci_cfg.h - PCI configuration space: where a function's registers are read
 * and written.  PCI 3.0, 3.2.2.3.2 (ports); PCIe 5.0, 7.2.2 (ECAM).
 *
 * A space is one segment.  Its operations are a table, so that the host's
 * tests play a space of their own.  What is absent reads as all ones (as
 * zeros on hosts that answer so for unclaimed ports).
 * Context: any, interrupts included; only the init functions may sleep.
 * Locking: inside; one access at a time where the ports need it.
 */
#ifndef BUS_PCI_CFG_H
#define BUS_PCI_CFG_H

#include "kern/types.h"

/* A function's place: bus << 8 | device << 3 | function. */
#define PCI_BDF(bus, dev, fn) ((uint16_t)((bus) << 8 | (dev) << 3 | (fn)))
#define PCI_BUS(bdf)          ((unsigned)(bdf) >> 8)
#define PCI_DEV(bdf)          ((unsigned)(bdf) >> 3 & 31)
#define PCI_FN(bdf)           ((unsigned)(bdf)&7)

struct pci_space;

/* width: 1, 2 or 4 bytes; reg is a multiple of it and below space->size. */
struct pci_cfg_ops {
	uint32_t (*read)(const struct pci_space *space, uint16_t bdf,
	    unsigned reg, unsigned width);
	void (*write)(const struct pci_space *space, uint16_t bdf, unsigned reg,
	    unsigned width, uint32_t v);
};

struct pci_space {
	const struct pci_cfg_ops *ops; /* [I] */
	void *arg;                     /* [I] the operations' own */
	uint16_t segment;              /* [I] */
	uint16_t size;                 /* [I] bytes a function: 256 or 4096 */
	uint8_t first_bus, last_bus;   /* [I] that can be reached */
};

/*
 * The space behind ports 0xcf8 and 0xcfc: segment 0, all buses.
 *   -ENODEV  there is no such mechanism
 */
int pci_cfg_ports(struct pci_space *space);

/*
 * A space in memory: `base` is where bus 0 stands, also when first_bus is
 * another (MCFG's way).
 *   -EINVAL  nonsense in the numbers
 *   -ENOMEM
 */
int pci_cfg_ecam(struct pci_space *space, paddr_t base, uint16_t segment,
    uint8_t first_bus, uint8_t last_bus);

/* Registers out of the space read as all ones; writes to them are dropped. */
static inline uint32_t
pci_cfg_read(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width)
{
	uint32_t ones = width == 4 ? UINT32_MAX : (1u << 8 * width) - 1;

	if (reg > s->size - width || PCI_BUS(bdf) < s->first_bus ||
	    PCI_BUS(bdf) > s->last_bus)
		return ones;
	return s->ops->read(s, bdf, reg, width) & ones;
}

static inline void
pci_cfg_write(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width, uint32_t v)
{
	if (reg <= s->size - width && PCI_BUS(bdf) >= s->first_bus &&
	    PCI_BUS(bdf) <= s->last_bus)
		s->ops->write(s, bdf, reg, width, v);
}

static inline uint8_t
pci_cfg_read8(const struct pci_space *s, uint16_t bdf, unsigned reg)
{
	return pci_cfg_read(s, bdf, reg, 1);
}
static inline uint16_t
pci_cfg_read16(const struct pci_space *s, uint16_t bdf, unsigned reg)
{
	return pci_cfg_read(s, bdf, reg, 2);
}
static inline uint32_t
pci_cfg_read32(const struct pci_space *s, uint16_t bdf, unsigned reg)
{
	return pci_cfg_read(s, bdf, reg, 4);
}
static inline void
pci_cfg_write8(const struct pci_space *s, uint16_t bdf, unsigned reg, uint8_t v)
{
	pci_cfg_write(s, bdf, reg, 1, v);
}
static inline void
pci_cfg_write16(const struct pci_space *s, uint16_t bdf, unsigned reg,
    uint16_t v)
{
	pci_cfg_write(s, bdf, reg, 2, v);
}
static inline void
pci_cfg_write32(const struct pci_space *s, uint16_t bdf, unsigned reg,
    uint32_t v)
{
	pci_cfg_write(s, bdf, reg, 4, v);
}

#endif
