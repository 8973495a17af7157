/* SPDX-License-Identifier: ISC */
/*
 * pci_cfg.c - access to PCI configuration space by ports and by memory.
 * PCI 3.0, 3.2.2.3.2; PCIe 5.0, 7.2.2.
 */
#include "bus/pci_cfg.h"
#include "kern/kmem.h"
#include "kern/spinlock.h"
#include "x86/io.h"
#include <linux/errno.h>

/* ---- ports ---- */

#define PCI_PORT_ADDRESS 0xcf8
#define PCI_PORT_ENABLE  0x80000000u
#define PCI_PORT_DATA    0xcfc

/* The address register is one for all. */
static struct spinlock ports_lock = SPINLOCK_INIT;

static uint32_t
port_address(uint16_t bdf, unsigned reg)
{
	return PCI_PORT_ENABLE | (uint32_t)bdf << 8 | (reg & 0xfc);
}

static uint32_t
ports_read(const struct pci_space *space, uint16_t bdf, unsigned reg,
    unsigned width)
{
	uint16_t port = PCI_PORT_DATA + (reg & 3);
	uint64_t state = spin_lock_irq(&ports_lock);
	uint32_t v;

	(void)space;
	outl(PCI_PORT_ADDRESS, port_address(bdf, reg));
	v = width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
	spin_unlock_irq(&ports_lock, state);
	return v;
}

static void
ports_write(const struct pci_space *space, uint16_t bdf, unsigned reg,
    unsigned width, uint32_t v)
{
	uint16_t port = PCI_PORT_DATA + (reg & 3);
	uint64_t state = spin_lock_irq(&ports_lock);

	(void)space;
	outl(PCI_PORT_ADDRESS, port_address(bdf, reg));
	if (width == 1)
		outb(port, v);
	else if (width == 2)
		outw(port, v);
	else
		outl(port, v);
	spin_unlock_irq(&ports_lock, state);
}

static const struct pci_cfg_ops ports_ops = { ports_read, ports_write };

int
pci_cfg_ports(struct pci_space *space)
{
	uint64_t state = spin_lock_irq(&ports_lock);
	uint32_t back;

	outl(PCI_PORT_ADDRESS, PCI_PORT_ENABLE);
	back = inl(PCI_PORT_ADDRESS);
	spin_unlock_irq(&ports_lock, state);
	if (back != PCI_PORT_ENABLE)
		return -ENODEV;
	*space = (struct pci_space){
		.ops = &ports_ops,
		.size = 256,
		.last_bus = 255,
	};
	return 0;
}

/* ---- memory ---- */

#define ECAM_BUS_SIZE 0x100000ul /* 256 functions of 4 KiB */

struct ecam {
	paddr_t base;            /* [I] of bus 0 */
	volatile char *bus[256]; /* atomic; NULL: not mapped yet */
};

/*
 * A bus is mapped when it is first looked at.  Two processors that do so at
 * once both map it, and the second mapping is left unused.
 */
static volatile char *
ecam_bus(struct ecam *e, unsigned bus)
{
	volatile char *va = __atomic_load_n(&e->bus[bus], __ATOMIC_ACQUIRE);

	if (va != NULL)
		return va;
	va = mmio_map(e->base + bus * ECAM_BUS_SIZE, ECAM_BUS_SIZE);
	if (va != NULL)
		__atomic_store_n(&e->bus[bus], va, __ATOMIC_RELEASE);
	return va;
}

static volatile void *
ecam_at(const struct pci_space *space, uint16_t bdf, unsigned reg)
{
	volatile char *va = ecam_bus(space->arg, PCI_BUS(bdf));

	return va == NULL ? NULL : va + ((bdf & 0xff) << 12) + reg;
}

/* Where there is no memory to map it, nobody is there. */
static uint32_t
ecam_read(const struct pci_space *space, uint16_t bdf, unsigned reg,
    unsigned width)
{
	volatile void *at = ecam_at(space, bdf, reg);

	if (at == NULL)
		return UINT32_MAX;
	return width == 1 ? *(volatile uint8_t *)at :
	    width == 2    ? *(volatile uint16_t *)at :
			    *(volatile uint32_t *)at;
}

static void
ecam_write(const struct pci_space *space, uint16_t bdf, unsigned reg,
    unsigned width, uint32_t v)
{
	volatile void *at = ecam_at(space, bdf, reg);

	if (at == NULL)
		return;
	if (width == 1)
		*(volatile uint8_t *)at = v;
	else if (width == 2)
		*(volatile uint16_t *)at = v;
	else
		*(volatile uint32_t *)at = v;
}

static const struct pci_cfg_ops ecam_ops = { ecam_read, ecam_write };

int
pci_cfg_ecam(struct pci_space *space, paddr_t base, uint16_t segment,
    uint8_t first_bus, uint8_t last_bus)
{
	struct ecam *e;

	if (base == 0 || base % ECAM_BUS_SIZE != 0 || base >> 52 != 0 ||
	    first_bus > last_bus)
		return -EINVAL;
	e = kzalloc(sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	e->base = base;
	*space = (struct pci_space){
		.ops = &ecam_ops,
		.arg = e,
		.segment = segment,
		.size = 4096,
		.first_bus = first_bus,
		.last_bus = last_bus,
	};
	return 0;
}
