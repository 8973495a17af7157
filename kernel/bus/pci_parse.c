/* SPDX-License-Identifier: ISC */
/*
 * pci_parse.c - headers, BARs, windows and capabilities of PCI functions.
 * PCI 3.0, 6.1, 6.2.5, 6.7, 6.8; PCI-to-PCI bridges 1.2, 3.2; Virtio 1.2,
 * 4.1.4.
 */
#include "bus/pci_parse.h"
#include <linux/errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

/* ---- header ---- */

static uint8_t
bars_of_type(uint8_t type)
{
	switch (type) {
	case PCI_HEADER_TYPE_NORMAL: return 6;
	case PCI_HEADER_TYPE_BRIDGE: return 2;
	default: return 0;
	}
}

static void
parse_by_type(const struct pci_space *s, uint16_t bdf, struct pci_header *h)
{
	uint32_t v;

	if (h->type == PCI_HEADER_TYPE_NORMAL) {
		v = pci_cfg_read32(s, bdf, PCI_SUBSYSTEM_VENDOR_ID);
		h->subvendor = v & 0xffff;
		h->subdevice = v >> 16;
	} else if (h->type == PCI_HEADER_TYPE_BRIDGE) {
		v = pci_cfg_read32(s, bdf, PCI_PRIMARY_BUS);
		h->primary = v & 0xff;
		h->secondary = v >> 8 & 0xff;
		h->subordinate = v >> 16 & 0xff;
	}
}

int
pci_parse_header(const struct pci_space *s, uint16_t bdf, struct pci_header *h)
{
	uint32_t v = pci_cfg_read32(s, bdf, PCI_VENDOR_ID);

	*h = (struct pci_header){ .vendor = v & 0xffff, .device = v >> 16 };
	if (h->vendor == 0xffff || h->vendor == 0)
		return -ENODEV;
	v = pci_cfg_read32(s, bdf, PCI_CLASS_REVISION);
	h->class = v >> 8;
	h->revision = v & 0xff;
	v = pci_cfg_read8(s, bdf, PCI_HEADER_TYPE);
	h->type = v & 0x7f;
	h->multifunction = (v & 0x80) != 0;
	v = pci_cfg_read16(s, bdf, PCI_INTERRUPT_LINE);
	h->line = v & 0xff;
	h->pin = v >> 8 <= 4 ? v >> 8 : 0;
	h->nbars = bars_of_type(h->type);
	parse_by_type(s, bdf, h);
	return 0;
}

/* ---- base addresses ---- */

bool
pci_bar_is_wide(uint32_t low)
{
	return (low & PCI_BASE_ADDRESS_SPACE_IO) == 0 &&
	    (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
	    PCI_BASE_ADDRESS_MEM_TYPE_64;
}

/* The bits that can be set are those of the address: ones above zeros. */
static uint64_t
size_of_mask(uint64_t mask)
{
	uint64_t size = ~mask + 1;

	return (size & (size - 1)) == 0 ? size : 0;
}

/* Upper halves that do not exist read as zeros; they count as ones. */
static int
parse_io_bar(const struct pci_bar_raw *raw, struct pci_bar *bar)
{
	uint32_t mask = raw->low_mask & ~3u;

	if (mask == 0)
		return -ENOENT;
	if (mask >> 16 == 0)
		mask |= 0xffff0000u;
	bar->kind = PCI_BAR_IO;
	bar->addr = raw->low & ~3u;
	bar->size = size_of_mask(mask | ~0xfffffffful);
	return bar->size == 0 || bar->size > 0x10000 ? -EINVAL : 0;
}

/* 46 bits: no more than 64 TiB, which is what a processor can address. */
#define BAR_MAX_SIZE (1ul << 46)

static int
parse_mem_bar(const struct pci_bar_raw *raw, struct pci_bar *bar)
{
	uint64_t mask = raw->low_mask & ~0xfu;

	bar->wide = pci_bar_is_wide(raw->low_mask);
	bar->prefetch = (raw->low_mask & PCI_BASE_ADDRESS_MEM_PREFETCH) != 0;
	bar->addr = raw->low & ~0xfu;
	mask |= (uint64_t)(bar->wide ? raw->high_mask : UINT32_MAX) << 32;
	if (bar->wide)
		bar->addr |= (uint64_t)raw->high << 32;
	if (!bar->wide && (raw->low_mask & ~0xfu) == 0)
		return -ENOENT;
	if (bar->wide && (!raw->has_next || mask == 0))
		return -EINVAL;
	if ((raw->low_mask & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
	    PCI_BASE_ADDRESS_MEM_TYPE_MASK)
		return -EINVAL;
	bar->kind = PCI_BAR_MEM;
	bar->size = size_of_mask(mask);
	return bar->size == 0 || bar->size > BAR_MAX_SIZE ? -EINVAL : 0;
}

int
pci_parse_bar(const struct pci_bar_raw *raw, struct pci_bar *out)
{
	int error;

	*out = (struct pci_bar){ .kind = PCI_BAR_NONE };
	if (raw->low_mask == 0)
		return -ENOENT;
	if (raw->low_mask == UINT32_MAX)
		return -EINVAL; /* nobody is there any more */
	error = (raw->low_mask & PCI_BASE_ADDRESS_SPACE_IO) != 0 ?
	    parse_io_bar(raw, out) :
	    parse_mem_bar(raw, out);
	if (error == 0 && (out->addr & (out->size - 1)) != 0)
		error = -EINVAL;
	if (error != 0)
		*out = (struct pci_bar){ .wide = out->wide && raw->has_next };
	return error;
}

static uint32_t
probe_bar(const struct pci_space *s, uint16_t bdf, unsigned i, uint32_t *mask)
{
	unsigned reg = PCI_BASE_ADDRESS_0 + 4 * i;
	uint32_t was = pci_cfg_read32(s, bdf, reg);

	pci_cfg_write32(s, bdf, reg, UINT32_MAX);
	*mask = pci_cfg_read32(s, bdf, reg);
	if (*mask != was)
		pci_cfg_write32(s, bdf, reg, was);
	return was;
}

unsigned
pci_parse_bars(const struct pci_space *s, uint16_t bdf, unsigned nbars,
    struct pci_bar bar[PCI_NBARS])
{
	uint16_t command = pci_cfg_read16(s, bdf, PCI_COMMAND);
	uint16_t decode = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	unsigned i, bad = 0;
	struct pci_bar_raw raw;

	for (i = 0; i < PCI_NBARS; i++)
		bar[i] = (struct pci_bar){ .kind = PCI_BAR_NONE };
	if ((command & decode) != 0 && nbars != 0)
		pci_cfg_write16(s, bdf, PCI_COMMAND, command & ~decode);
	for (i = 0; i < nbars; i++) {
		raw = (struct pci_bar_raw){ .has_next = i + 1 < nbars };
		raw.low = probe_bar(s, bdf, i, &raw.low_mask);
		if (raw.has_next && pci_bar_is_wide(raw.low_mask))
			raw.high = probe_bar(s, bdf, i + 1, &raw.high_mask);
		if (pci_parse_bar(&raw, &bar[i]) == -EINVAL)
			bad |= 1u << i;
		i += bar[i].wide;
	}
	if ((command & decode) != 0 && nbars != 0)
		pci_cfg_write16(s, bdf, PCI_COMMAND, command);
	return bad;
}

void
pci_bar_set(const struct pci_space *s, uint16_t bdf, unsigned index,
    const struct pci_bar *bar)
{
	unsigned reg = PCI_BASE_ADDRESS_0 + 4 * index;

	pci_cfg_write32(s, bdf, reg, bar->addr);
	if (bar->wide)
		pci_cfg_write32(s, bdf, reg + 4, bar->addr >> 32);
}

/* ---- windows of bridges ---- */

uint64_t
pci_window_grain(unsigned which)
{
	return which == PCI_WIN_IO ? 0x1000 : 0x100000;
}

/* A window that is not there reads as zeros and stays so. */
static bool
window_exists(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width, uint32_t probe)
{
	uint32_t was = pci_cfg_read(s, bdf, reg, width);
	bool exists = was != 0;

	if (!exists) {
		pci_cfg_write(s, bdf, reg, width, probe);
		exists = pci_cfg_read(s, bdf, reg, width) != 0;
		pci_cfg_write(s, bdf, reg, width, was);
	}
	return exists;
}

static void
parse_io_window(const struct pci_space *s, uint16_t bdf, struct pci_win *w)
{
	uint16_t v = pci_cfg_read16(s, bdf, PCI_IO_BASE);
	uint32_t upper;

	w->exists = window_exists(s, bdf, PCI_IO_BASE, 2, 0xe0f0);
	w->wide = (v & PCI_IO_RANGE_TYPE_MASK) == PCI_IO_RANGE_TYPE_32;
	w->base = (uint64_t)(v & 0xf0) << 8;
	w->last = (v & 0xf000) | 0xfff;
	if (w->wide) {
		upper = pci_cfg_read32(s, bdf, PCI_IO_BASE_UPPER16);
		w->base |= (uint64_t)(upper & 0xffff) << 16;
		w->last |= (uint64_t)(upper >> 16) << 16;
	}
}

static void
parse_mem_window(const struct pci_space *s, uint16_t bdf, unsigned which,
    struct pci_win *w)
{
	bool pref = which == PCI_WIN_PREF;
	unsigned reg = pref ? PCI_PREF_MEMORY_BASE : PCI_MEMORY_BASE;
	uint32_t v = pci_cfg_read32(s, bdf, reg);

	w->exists = !pref || window_exists(s, bdf, reg, 4, 0xffe0fff0u);
	w->wide = pref && (v & 0xf) == PCI_PREF_RANGE_TYPE_64;
	w->base = (v & 0xfff0ul) << 16;
	w->last = (v & 0xfff00000ul) | 0xfffff;
	if (w->wide) {
		w->base |=
		    (uint64_t)pci_cfg_read32(s, bdf, PCI_PREF_BASE_UPPER32)
		    << 32;
		w->last |=
		    (uint64_t)pci_cfg_read32(s, bdf, PCI_PREF_LIMIT_UPPER32)
		    << 32;
	}
}

/* From 0 on: nobody has set it.  It counts as closed. */
void
pci_parse_windows(const struct pci_space *s, uint16_t bdf,
    struct pci_win win[PCI_NWINS])
{
	unsigned i;

	parse_io_window(s, bdf, &win[PCI_WIN_IO]);
	parse_mem_window(s, bdf, PCI_WIN_MEM, &win[PCI_WIN_MEM]);
	parse_mem_window(s, bdf, PCI_WIN_PREF, &win[PCI_WIN_PREF]);
	for (i = 0; i < PCI_NWINS; i++)
		if (!win[i].exists || win[i].base == 0 ||
		    win[i].base > win[i].last) {
			win[i].base = 1;
			win[i].last = 0;
		}
}

/* Closed: the lowest border stands above the highest. */
static void
set_io_window(const struct pci_space *s, uint16_t bdf,
    const struct pci_win *win)
{
	bool closed = win->base > win->last;
	uint64_t base = closed ? 0xf000 : win->base;
	uint64_t last = closed ? 0xfff : win->last;

	pci_cfg_write32(s, bdf, PCI_IO_BASE_UPPER16,
	    (base >> 16 & 0xffff) | (last >> 16 & 0xffff) << 16);
	pci_cfg_write16(s, bdf, PCI_IO_BASE,
	    (base >> 8 & 0xf0) | (last & 0xf000));
}

void
pci_window_set(const struct pci_space *s, uint16_t bdf, unsigned which,
    const struct pci_win *win)
{
	bool closed = win->base > win->last;
	uint64_t base = closed ? 0xfff00000u : win->base;
	uint64_t last = closed ? 0xfffff : win->last;
	uint32_t v = (base >> 16 & 0xfff0) | (last & 0xfff00000u);

	if (which == PCI_WIN_IO) {
		set_io_window(s, bdf, win);
	} else if (which == PCI_WIN_MEM) {
		pci_cfg_write32(s, bdf, PCI_MEMORY_BASE, v);
	} else {
		pci_cfg_write32(s, bdf, PCI_PREF_MEMORY_BASE, v);
		pci_cfg_write32(s, bdf, PCI_PREF_BASE_UPPER32, base >> 32);
		pci_cfg_write32(s, bdf, PCI_PREF_LIMIT_UPPER32, last >> 32);
	}
}

/* ---- capabilities ---- */

int
pci_parse_caps(const struct pci_space *s, uint16_t bdf, struct pci_caps *out)
{
	uint16_t status = pci_cfg_read16(s, bdf, PCI_STATUS), v;
	uint64_t seen = 0; /* a bit for each of the 64 places */
	unsigned at;

	out->n = 0;
	if ((status & PCI_STATUS_CAP_LIST) == 0)
		return 0;
	at = pci_cfg_read8(s, bdf, PCI_CAPABILITY_LIST) & 0xfc;
	while (at != 0) {
		if (at < PCI_STD_HEADER_SIZEOF)
			return -ERANGE;
		if ((seen >> at / 4 & 1) != 0)
			return -ELOOP;
		seen |= 1ul << at / 4;
		v = pci_cfg_read16(s, bdf, at);
		if (v == 0xffff)
			return -ERANGE; /* gone in between */
		out->cap[out->n].id = v & 0xff;
		out->cap[out->n++].at = at;
		at = v >> 8 & 0xfc;
	}
	return 0;
}

unsigned
pci_cap_find(const struct pci_caps *caps, uint8_t id)
{
	unsigned i;

	for (i = 0; i < caps->n; i++)
		if (caps->cap[i].id == id)
			return caps->cap[i].at;
	return 0;
}

int
pci_parse_msi(const struct pci_space *s, uint16_t bdf,
    const struct pci_caps *caps, struct pci_msi *out)
{
	unsigned at = pci_cap_find(caps, PCI_CAP_ID_MSI), size, log2;
	uint16_t flags;

	*out = (struct pci_msi){ .at = 0 };
	if (at == 0)
		return -ENOENT;
	flags = pci_cfg_read16(s, bdf, at + PCI_MSI_FLAGS);
	out->wide = (flags & PCI_MSI_FLAGS_64BIT) != 0;
	out->maskable = (flags & PCI_MSI_FLAGS_MASKBIT) != 0;
	size = 10 + (out->wide ? 4 : 0) + (out->maskable ? 10 : 0);
	log2 = (flags & PCI_MSI_FLAGS_QMASK) >> 1;
	if (flags == 0xffff || at + size > 256 || log2 > 5)
		return -EINVAL;
	out->vectors = 1u << log2;
	out->at = at;
	return 0;
}

/* Whether r lies inside a memory BAR (or also an I/O one). */
static bool
region_fits(const struct pci_region *r, const struct pci_bar bar[PCI_NBARS],
    bool io_too)
{
	const struct pci_bar *b;

	if (r->bar >= PCI_NBARS)
		return false;
	b = &bar[r->bar];
	if (b->kind != PCI_BAR_MEM && !(io_too && b->kind == PCI_BAR_IO))
		return false;
	return r->length != 0 && r->length <= b->size &&
	    r->offset <= b->size - r->length;
}

int
pci_parse_msix(const struct pci_space *s, uint16_t bdf,
    const struct pci_caps *caps, const struct pci_bar bar[PCI_NBARS],
    struct pci_msix *out)
{
	unsigned at = pci_cap_find(caps, PCI_CAP_ID_MSIX);
	struct pci_region *r = &out->table;
	uint32_t flags, table;

	*out = (struct pci_msix){ .at = 0 };
	if (at == 0)
		return -ENOENT;
	if (at + PCI_CAP_MSIX_SIZEOF > 256)
		return -EINVAL;
	flags = pci_cfg_read16(s, bdf, at + PCI_MSIX_FLAGS);
	table = pci_cfg_read32(s, bdf, at + PCI_MSIX_TABLE);
	out->vectors = (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
	r->bar = table & PCI_MSIX_TABLE_BIR;
	r->offset = table & PCI_MSIX_TABLE_OFFSET;
	r->length = out->vectors * (uint64_t)PCI_MSIX_ENTRY_SIZE;
	if (flags == 0xffff || !region_fits(r, bar, false))
		return -EINVAL;
	out->at = at;
	return 0;
}

/* ---- virtio's own ---- */

static struct pci_region *
virtio_region(struct pci_virtio *v, uint8_t type)
{
	switch (type) {
	case VIRTIO_PCI_CAP_COMMON_CFG: return &v->common;
	case VIRTIO_PCI_CAP_NOTIFY_CFG: return &v->notify;
	case VIRTIO_PCI_CAP_ISR_CFG: return &v->isr;
	case VIRTIO_PCI_CAP_DEVICE_CFG: return &v->device;
	default: return NULL;
	}
}

static uint32_t
virtio_min_length(uint8_t type)
{
	switch (type) {
	case VIRTIO_PCI_CAP_COMMON_CFG:
		return sizeof(struct virtio_pci_common_cfg);
	case VIRTIO_PCI_CAP_NOTIFY_CFG: return 2;
	default: return 1;
	}
}

static void
parse_virtio_cap(const struct pci_space *s, uint16_t bdf, unsigned at,
    const struct pci_bar bar[PCI_NBARS], struct pci_virtio *out)
{
	uint8_t len = pci_cfg_read8(s, bdf, at + VIRTIO_PCI_CAP_LEN);
	uint8_t type = pci_cfg_read8(s, bdf, at + VIRTIO_PCI_CAP_CFG_TYPE);
	struct pci_region *r = virtio_region(out, type), found;
	unsigned need = sizeof(struct virtio_pci_cap);

	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		need = sizeof(struct virtio_pci_notify_cap);
	if (r == NULL || r->length != 0 || len < need || at + need > 256)
		return;
	found.bar = pci_cfg_read8(s, bdf, at + VIRTIO_PCI_CAP_BAR);
	found.offset = pci_cfg_read32(s, bdf, at + VIRTIO_PCI_CAP_OFFSET);
	found.length = pci_cfg_read32(s, bdf, at + VIRTIO_PCI_CAP_LENGTH);
	if (!region_fits(&found, bar, true) ||
	    found.length < virtio_min_length(type))
		return;
	*r = found;
	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		out->notify_multiplier = pci_cfg_read32(s, bdf,
		    at + VIRTIO_PCI_NOTIFY_CAP_MULT);
}

int
pci_parse_virtio(const struct pci_space *s, uint16_t bdf,
    const struct pci_caps *caps, const struct pci_bar bar[PCI_NBARS],
    struct pci_virtio *out)
{
	unsigned i;
	bool any = false;

	*out = (struct pci_virtio){ .notify_multiplier = 0 };
	for (i = 0; i < caps->n; i++) {
		if (caps->cap[i].id != PCI_CAP_ID_VNDR)
			continue;
		any = true;
		parse_virtio_cap(s, bdf, caps->cap[i].at, bar, out);
	}
	if (!any)
		return -ENOENT;
	if (out->common.length == 0 || out->notify.length == 0 ||
	    out->isr.length == 0 || out->common.offset % 4 != 0 ||
	    out->notify.offset % 2 != 0 || out->notify_multiplier % 2 != 0)
		return -EINVAL;
	return 0;
}
