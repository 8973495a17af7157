/* SPDX-License-Identifier: ISC */
/*
 * pci_fake.h - one PCI function for the host's tests: 256 bytes of registers,
 * and which of their bits can be written.
 */
#ifndef BUS_PCI_FAKE_H
#define BUS_PCI_FAKE_H

#include "bus/pci_parse.h"
#include <stdlib.h>
#include <string.h>

struct pci_fake {
	struct pci_space space;
	uint8_t reg[256];
	uint8_t writable[256]; /* bits */
};

static inline uint32_t
pci_fake_read(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width)
{
	struct pci_fake *f = s->arg;
	uint32_t v = 0;

	if (bdf != 0)
		return UINT32_MAX;
	if (width > 4 || reg > sizeof(f->reg) - width)
		abort();
	memcpy(&v, f->reg + reg, width);
	return v;
}

static inline void
pci_fake_write(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width, uint32_t v)
{
	struct pci_fake *f = s->arg;
	unsigned i;

	if (width > 4 || reg > sizeof(f->reg) - width)
		abort();
	for (i = 0; bdf == 0 && i < width; i++, v >>= 8)
		f->reg[reg + i] = (f->reg[reg + i] & ~f->writable[reg + i]) |
		    (v & f->writable[reg + i]);
}

static inline void
pci_fake_init(struct pci_fake *f)
{
	static const struct pci_cfg_ops ops = { pci_fake_read, pci_fake_write };

	memset(f, 0, sizeof(*f));
	f->space.ops = &ops;
	f->space.arg = f;
	f->space.size = sizeof(f->reg);
	f->space.last_bus = 255;
}

static inline void
pci_fake_put32(struct pci_fake *f, unsigned reg, uint32_t v)
{
	memcpy(f->reg + reg, &v, 4);
}

/* BAR i: what it holds, and the bits that can be set in it. */
static inline void
pci_fake_bar(struct pci_fake *f, unsigned i, uint32_t v, uint32_t mask)
{
	pci_fake_put32(f, 0x10 + 4 * i, v);
	memcpy(f->writable + 0x10 + 4 * i, &mask, 4);
}

#endif
