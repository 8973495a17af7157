/* SPDX-License-Identifier: ISC */
/*
 * pci_parse_fuzz.c - any configuration space, with any bits that can be
 * written, also one whose answers change from read to read: nothing outside
 * of it is touched, and what comes out lies inside its BAR.
 */
/* unit: kernel/bus/pci_parse.c */
#include "bus/pci_parse.h"

#include <stdlib.h>
#include <string.h>

#include "bus/pci_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of the input answers reads in place of the registers. */
static const uint8_t *liar;
static size_t lies;

static uint32_t
lying_read(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width)
{
	uint32_t v = pci_fake_read(s, bdf, reg, width);

	if (lies >= 5) {
		if (liar[0] & 1)
			memcpy(&v, liar + 1, width);
		liar += 5;
		lies -= 5;
	}
	return v;
}

static void
check_region(const struct pci_region *r, const struct pci_bar *bar)
{
	if (r->length == 0)
		return;
	if (r->bar >= PCI_NBARS || bar[r->bar].kind == PCI_BAR_NONE ||
	    r->offset + r->length < r->offset ||
	    r->offset + r->length > bar[r->bar].size)
		abort();
}

static void
check_bars(const struct pci_bar *bar)
{
	for (unsigned i = 0; i < PCI_NBARS; i++)
		if (bar[i].kind != PCI_BAR_NONE &&
		    (bar[i].size == 0 || (bar[i].size & (bar[i].size - 1)) ||
			(bar[i].wide && i == PCI_NBARS - 1)))
			abort();
}

static void
parse_all(const struct pci_space *s)
{
	struct pci_bar bar[PCI_NBARS];
	struct pci_win win[PCI_NWINS];
	struct pci_virtio v;
	struct pci_header h;
	struct pci_caps caps;
	struct pci_msix x;
	struct pci_msi msi;

	if (pci_parse_header(s, 0, &h) != 0)
		return;
	pci_parse_bars(s, 0, h.nbars, bar);
	check_bars(bar);
	pci_parse_windows(s, 0, win);
	pci_parse_caps(s, 0, &caps);
	if (caps.n > PCI_MAX_CAPS)
		abort();
	if (pci_parse_msi(s, 0, &caps, &msi) == 0 &&
	    (msi.vectors == 0 || msi.vectors > 32 || msi.at < 0x40))
		abort();
	if (pci_parse_msix(s, 0, &caps, bar, &x) == 0) {
		if (x.table.length != x.vectors * 16ul)
			abort();
		check_region(&x.table, bar);
	}
	if (pci_parse_virtio(s, 0, &caps, bar, &v) == 0) {
		check_region(&v.common, bar);
		check_region(&v.notify, bar);
		check_region(&v.isr, bar);
		check_region(&v.device, bar);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pci_cfg_ops ops = { lying_read, pci_fake_write };
	struct pci_fake f;
	size_t n;

	pci_fake_init(&f);
	f.space.ops = &ops;
	n = MIN(size, sizeof(f.reg));
	memcpy(f.reg, data, n);
	data += n;
	size -= n;
	n = MIN(size, sizeof(f.writable));
	memcpy(f.writable, data, n);
	liar = data + n;
	lies = size - n;
	parse_all(&f.space);
	return 0;
}
