/* SPDX-License-Identifier: ISC */
/*
 * pci_parse.h - what a PCI function says of itself, checked.  PCI 3.0, 6.1,
 * 6.2.5, 6.7, 6.8; Virtio 1.2, 4.1.4.
 *
 * Everything read is the device's word: offsets are kept inside the space,
 * lists end, sizes are powers of two, and windows lie inside their BAR.  Built
 * on the host too, where tests and a fuzzer play the space.
 * Context: any.  Sizing a BAR disturbs a device that works; the caller sees to
 * it that it does not decode.
 */
#ifndef BUS_PCI_PARSE_H
#define BUS_PCI_PARSE_H

#include "bus/pci_cfg.h"
#include "kern/types.h"

#define PCI_NBARS    6
#define PCI_MAX_CAPS 48 /* all that fit behind the header */

struct pci_header {
	uint16_t vendor, device;
	uint16_t subvendor, subdevice; /* 0 for bridges */
	uint32_t class;                /* base << 16 | sub << 8 | interface */
	uint8_t revision;
	uint8_t type;       /* 0 device, 1 bridge, others */
	bool multifunction; /* functions 1..7 may be there */
	uint8_t line;       /* interrupt line that firmware wrote */
	uint8_t pin;        /* 1..4: INTA..INTD; 0: none */
	uint8_t nbars;      /* 6, 2 or 0 */
	uint8_t primary, secondary, subordinate; /* of a bridge */
};

/*
 * Reads the header.
 *   -ENODEV  nobody is there: the vendor reads as all ones or as zeros
 */
int pci_parse_header(const struct pci_space *space, uint16_t bdf,
    struct pci_header *out);

/* ---- base addresses ---- */

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM };

struct pci_bar {
	enum pci_bar_kind kind;
	bool wide;     /* 64 bits: the next BAR is its upper half */
	bool prefetch; /* reads have no side effects */
	uint64_t addr; /* as it stands in the register; 0: none */
	uint64_t size; /* a power of two */
};

/* What was read from a BAR, and what after writing all ones to it. */
struct pci_bar_raw {
	uint32_t low, high; /* high: of the next BAR */
	uint32_t low_mask, high_mask;
	bool has_next; /* there is a next BAR */
};

/* Whether low names a 64-bit BAR, so that `high` counts. */
bool pci_bar_is_wide(uint32_t low);

/*
 * Computes what a BAR is.
 *   -ENOENT  it does not exist
 *   -EINVAL  its size or kind makes no sense
 */
int pci_parse_bar(const struct pci_bar_raw *raw, struct pci_bar *out);

/*
 * Sizes all BARs of a function, which decodes nothing meanwhile.  Returns a
 * mask of those that make no sense (their kind is PCI_BAR_NONE).
 */
unsigned pci_parse_bars(const struct pci_space *space, uint16_t bdf,
    unsigned nbars, struct pci_bar bar[PCI_NBARS]);

/* Writes bar->addr to register `index`. */
void pci_bar_set(const struct pci_space *space, uint16_t bdf, unsigned index,
    const struct pci_bar *bar);

/* ---- a bridge's windows ---- */

enum { PCI_WIN_IO, PCI_WIN_MEM, PCI_WIN_PREF, PCI_NWINS };

struct pci_win {
	bool exists;   /* the bridge has this window */
	bool wide;     /* addresses of 64 (I/O: 32) bits */
	uint64_t base; /* base > last: closed */
	uint64_t last;
};

/* Reads all of a bridge: which windows it has, and where they lie. */
void pci_parse_windows(const struct pci_space *space, uint16_t bdf,
    struct pci_win win[PCI_NWINS]);
/* Writes one window; base > last closes it. */
void pci_window_set(const struct pci_space *space, uint16_t bdf, unsigned which,
    const struct pci_win *win);
/* Bytes that a window's borders are multiples of. */
uint64_t pci_window_grain(unsigned which);

/* ---- capabilities ---- */

struct pci_caps {
	unsigned n;
	struct {
		uint8_t id, at; /* at: 0x40 .. 0xfc, a multiple of 4 */
	} cap[PCI_MAX_CAPS];
};

/*
 * Walks the list.
 *   -ELOOP   it comes back to where it was; `out` holds what came before
 *   -ERANGE  it leaves the space; the same
 */
int pci_parse_caps(const struct pci_space *space, uint16_t bdf,
    struct pci_caps *out);
/* Where the first one of this kind is; 0: there is none. */
unsigned pci_cap_find(const struct pci_caps *caps, uint8_t id);

struct pci_msi {
	uint8_t at;      /* of the capability; 0: none */
	bool wide;       /* 64-bit addresses */
	bool maskable;   /* has a mask register */
	uint8_t vectors; /* 1 .. 32 */
};
/* -ENOENT none; -EINVAL nonsense */
int pci_parse_msi(const struct pci_space *space, uint16_t bdf,
    const struct pci_caps *caps, struct pci_msi *out);

/* A piece of a BAR that lies inside it. */
struct pci_region {
	uint8_t bar;
	uint64_t offset, length; /* length 0: there is no such region */
};

struct pci_msix {
	uint8_t at;       /* of the capability; 0: none */
	uint16_t vectors; /* 1 .. 2048 */
	struct pci_region table;
};
/* -ENOENT none; -EINVAL the table is outside of its BAR */
int pci_parse_msix(const struct pci_space *space, uint16_t bdf,
    const struct pci_caps *caps, const struct pci_bar bar[PCI_NBARS],
    struct pci_msix *out);

struct pci_virtio {
	struct pci_region common, notify, isr, device;
	uint32_t notify_multiplier;
};
/*
 * The first usable capability of each kind; others are passed over.
 *   -ENOENT  no virtio capability at all: a legacy device
 *   -EINVAL  common, notify or ISR is missing or makes no sense
 */
int pci_parse_virtio(const struct pci_space *space, uint16_t bdf,
    const struct pci_caps *caps, const struct pci_bar bar[PCI_NBARS],
    struct pci_virtio *out);

#endif
