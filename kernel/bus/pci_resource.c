/* SPDX-License-Identifier: ISC */
/*
 * pci_resource.c - bus numbers and addresses of PCI functions.  PCI 3.0, 6.2.5;
 * PCI-to-PCI bridges 1.2, 3.2.5.
 *
 * What firmware has assigned stays where it is.  What it left, or what came
 * later, gets the lowest place that fits: memory between RAM and the I/O APIC,
 * or above RAM for what can live there and finds no room below.  A bridge
 * that nobody has opened gets windows with room for those who come later.
 */
#include "bus/pci_impl.h"
#include "kern/boot.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "x86/cpu.h"
#include <linux/errno.h>

#define IO_LOWEST   0x1000ul     /* below: the board's own */
#define MEM_LOWEST  0xc0000000ul /* QEMU's and Firecracker's windows */
#define MEM_HIGHEST 0xfe7ffffful /* above: boards' registers, APICs */
#define MEM_ALL     ((1ul << 52) - 1)
#define BUSES_EACH  8 /* numbers for a bridge that firmware left alone */

/* A window for later arrivals: this much, or half, or half of that... */
#define WINDOW_WANT 0x2000000ul
#define WINDOW_DEEP 0x800000ul /* behind another bridge */

static struct mutex pci_lock = MUTEX_INIT(pci_lock);

/* ---- the host's maps ---- */

static uint64_t
range_end(const struct boot_range *r)
{
	return r->base + r->size;
}

int
pci_host_windows(struct pci_bus *bus)
{
	const struct boot_info *bi = boot_info();
	unsigned i;

	bus->ram = kcalloc(MAX(bi->nranges, 1), sizeof(bus->ram[0]));
	if (bus->ram == NULL)
		return -ENOMEM;
	pci_map_init(&bus->map[PCI_WIN_IO], 0, 0xffff);
	pci_map_init(&bus->map[PCI_WIN_MEM], PAGE_SIZE, MEM_ALL);
	bus->use[PCI_WIN_IO] = &bus->map[PCI_WIN_IO];
	bus->use[PCI_WIN_MEM] = &bus->map[PCI_WIN_MEM];
	bus->use[PCI_WIN_PREF] = &bus->map[PCI_WIN_MEM];
	for (i = 0; i < bi->nranges; i++)
		if (bi->range[i].type == BOOT_MEM_RAM &&
		    pci_map_claim(&bus->map[PCI_WIN_MEM], &bus->ram[bus->nram],
			bi->range[i].base, bi->range[i].size) == 0)
			bus->nram++;
	return 0;
}

void
pci_host_windows_end(struct pci_bus *bus)
{
	kfree(bus->ram);
	bus->ram = NULL;
}

/* A window that is closed leaves an empty map. */
void
pci_bridge_windows(struct pci_bus *bus)
{
	const struct pci_win *win = bus->bridge->win;
	unsigned i;

	for (i = 0; i < PCI_NWINS; i++) {
		pci_map_init(&bus->map[i], win[i].base, win[i].last);
		bus->use[i] = &bus->map[i];
	}
	if (win[PCI_WIN_PREF].base > win[PCI_WIN_PREF].last)
		bus->use[PCI_WIN_PREF] = &bus->map[PCI_WIN_MEM];
}

/* ---- finding room ---- */

struct want {
	unsigned which; /* PCI_WIN_* */
	bool wide;      /* may be above 4 GiB */
	uint64_t size, align;
};

/* What the memory map keeps for somebody, above `at`; 0: nothing there. */
static uint64_t
reserved_end(uint64_t at, uint64_t size)
{
	const struct boot_info *bi = boot_info();
	unsigned i;

	for (i = 0; i < bi->nranges; i++)
		if (bi->range[i].base < at + size &&
		    at < range_end(&bi->range[i]))
			return range_end(&bi->range[i]);
	return 0;
}

static int
alloc_between(struct pci_map *m, struct pci_range *r, const struct want *w,
    uint64_t lowest, uint64_t highest)
{
	uint64_t past;
	int error;

	for (;;) {
		error = pci_map_alloc(m, r, w->size, w->align, lowest, highest);
		if (error != 0 || w->which == PCI_WIN_IO)
			return error;
		past = reserved_end(r->base, r->size);
		if (past == 0)
			return 0;
		pci_map_release(m, r);
		lowest = past;
	}
}

/* The first place above RAM, where bridges and hosts look for wide ones. */
static uint64_t
above_ram(void)
{
	const struct boot_info *bi = boot_info();
	uint64_t top = 1ul << 32;
	unsigned i;

	for (i = 0; i < bi->nranges; i++)
		top = MAX(top, range_end(&bi->range[i]));
	return ROUND_UP(top, 1ul << 30);
}

static uint64_t
highest_address(void)
{
	unsigned bits = cpu_features()->phys_bits;

	return bits >= 52 ? MEM_ALL : (1ul << MAX(bits, 36)) - 1;
}

static int
host_alloc(struct pci_map *m, struct pci_range *r, const struct want *w)
{
	int error;

	if (w->which == PCI_WIN_IO)
		return alloc_between(m, r, w, IO_LOWEST, 0xffff);
	error = alloc_between(m, r, w, MEM_LOWEST, MEM_HIGHEST);
	if (error == -ENOSPC && w->wide)
		error = alloc_between(m, r, w, above_ram(), highest_address());
	return error;
}

/* Where it is taken from is noted in *from, for giving it back. */
static int
alloc(struct pci_bus *bus, struct pci_range *r, const struct want *w,
    struct pci_map **from)
{
	struct pci_map *m = bus->use[w->which];
	int error;

	mutex_lock(&pci_lock);
	if (bus->bridge == NULL)
		error = host_alloc(m, r, w);
	else
		error = alloc_between(m, r, w, 0,
		    w->which == PCI_WIN_IO ? 0xffff :
			w->wide            ? MEM_ALL :
					     UINT32_MAX);
	mutex_unlock(&pci_lock);
	if (error == 0)
		*from = m;
	return error;
}

static int
claim(struct pci_bus *bus, unsigned which, struct pci_range *r, uint64_t base,
    uint64_t size, struct pci_map **from)
{
	struct pci_map *m = bus->use[which];
	int error;

	mutex_lock(&pci_lock);
	error = pci_map_claim(m, r, base, size);
	if (error == -ERANGE && which == PCI_WIN_PREF) {
		m = &bus->map[PCI_WIN_MEM];
		error = pci_map_claim(m, r, base, size);
	}
	mutex_unlock(&pci_lock);
	if (error == 0)
		*from = m;
	return error;
}

/* ---- BARs ---- */

static unsigned
window_of(const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_IO ? PCI_WIN_IO :
	    bar->prefetch              ? PCI_WIN_PREF :
					 PCI_WIN_MEM;
}

static void
claim_bars(struct pci_bus *bus, struct pci_dev *pd)
{
	struct pci_bar *bar = pd->bar;
	unsigned i;

	for (i = 0; i < PCI_NBARS; i++) {
		if (bar[i].kind == PCI_BAR_NONE || bar[i].addr == 0)
			continue;
		if (claim(bus, window_of(&bar[i]), &pd->range[i], bar[i].addr,
			bar[i].size, &pd->map[i]) == 0)
			continue;
		log_info("%04x:%02x:%02x.%u: BAR %u at 0x%lx is in the way, "
			 "moved",
		    pd->space->segment, PCI_BUS(pd->bdf), PCI_DEV(pd->bdf),
		    PCI_FN(pd->bdf), i, bar[i].addr);
		bar[i].addr = 0;
	}
}

/* Registers of less than a page get one, so that nobody else is in it. */
static int
place_bar(struct pci_bus *bus, struct pci_dev *pd, unsigned i)
{
	struct pci_bar *bar = &pd->bar[i];
	struct want w = { window_of(bar), bar->wide, bar->size, bar->size };
	int error;

	if (bar->kind == PCI_BAR_MEM)
		w.size = w.align = MAX(bar->size, PAGE_SIZE);
	error = alloc(bus, &pd->range[i], &w, &pd->map[i]);
	if (error == -ENOSPC && w.which == PCI_WIN_PREF) {
		w.which = PCI_WIN_MEM;
		error = alloc(bus, &pd->range[i], &w, &pd->map[i]);
	}
	return error;
}

static void
place_bars(struct pci_bus *bus, struct pci_dev *pd)
{
	struct pci_bar *bar = pd->bar;
	unsigned i;

	for (i = 0; i < PCI_NBARS; i++) {
		if (bar[i].kind == PCI_BAR_NONE || bar[i].addr != 0)
			continue;
		if (place_bar(bus, pd, i) == 0) {
			bar[i].addr = pd->range[i].base;
			pci_bar_set(pd->space, pd->bdf, i, &bar[i]);
			continue;
		}
		log_warn("%04x:%02x:%02x.%u: no room for BAR %u, 0x%lx bytes",
		    pd->space->segment, PCI_BUS(pd->bdf), PCI_DEV(pd->bdf),
		    PCI_FN(pd->bdf), i, bar[i].size);
	}
}

/* ---- bridges' windows ---- */

static void
claim_windows(struct pci_bus *bus, struct pci_dev *pd)
{
	struct pci_win *win = pd->win;
	unsigned i;

	for (i = 0; i < PCI_NWINS; i++) {
		if (win[i].base > win[i].last)
			continue;
		if (claim(bus, i, &pd->win_range[i], win[i].base,
			win[i].last - win[i].base + 1, &pd->win_map[i]) == 0)
			continue;
		win[i].base = 1; /* in the way of another */
		win[i].last = 0;
	}
}

static int
open_window(struct pci_bus *bus, struct pci_dev *pd, unsigned i)
{
	struct want w = { .which = i, .wide = pd->win[i].wide };
	uint64_t grain = pci_window_grain(i);
	int error = -ENOSPC;

	w.align = grain;
	w.size = i == PCI_WIN_IO ? grain :
	    bus->bridge == NULL  ? WINDOW_WANT :
				   WINDOW_DEEP;
	for (; w.size >= grain && error == -ENOSPC; w.size /= 2)
		error = alloc(bus, &pd->win_range[i], &w, &pd->win_map[i]);
	if (error != 0)
		return error;
	pd->win[i].base = pd->win_range[i].base;
	pd->win[i].last = pd->win[i].base + pd->win_range[i].size - 1;
	return 0;
}

/* Without I/O or prefetchable memory many a bridge is good enough. */
static void
open_windows(struct pci_bus *bus, struct pci_dev *pd)
{
	unsigned i;

	for (i = 0; i < PCI_NWINS; i++) {
		if (!pd->win[i].exists || pd->win[i].base <= pd->win[i].last)
			continue;
		if (open_window(bus, pd, i) != 0 && i == PCI_WIN_MEM)
			log_warn("%04x:%02x:%02x.%u: no memory window",
			    pd->space->segment, PCI_BUS(pd->bdf),
			    PCI_DEV(pd->bdf), PCI_FN(pd->bdf));
		pci_window_set(pd->space, pd->bdf, i, &pd->win[i]);
	}
}

/* ---- bus numbers ---- */

bool
pci_numbers_fit(const struct pci_bus *bus, const struct pci_dev *pd)
{
	const struct pci_header *h = &pd->hdr, *o;
	const struct pci_dev *other;

	if (h->secondary <= bus->number || h->subordinate < h->secondary ||
	    h->subordinate > bus->last)
		return false;
	for (other = bus->first; other != NULL; other = other->next) {
		o = &other->hdr;
		if (other != pd && o->type == 1 && o->secondary != 0 &&
		    o->secondary <= h->subordinate &&
		    h->secondary <= o->subordinate)
			return false;
	}
	return true;
}

/* The lowest free number, and up to BUSES_EACH of them; none: 0. */
static void
find_numbers(struct pci_bus *bus, struct pci_dev *pd)
{
	struct pci_header *h = &pd->hdr;
	unsigned n;

	for (n = bus->number + 1u; n <= bus->last; n++) {
		h->secondary = h->subordinate = n;
		if (pci_numbers_fit(bus, pd))
			break;
	}
	if (n > bus->last) {
		h->secondary = h->subordinate = 0;
		log_warn("%04x:%02x:%02x.%u: no bus number left",
		    pd->space->segment, PCI_BUS(pd->bdf), PCI_DEV(pd->bdf),
		    PCI_FN(pd->bdf));
		return;
	}
	while (h->subordinate - h->secondary + 1 < BUSES_EACH) {
		h->subordinate++;
		if (h->subordinate == 0 || !pci_numbers_fit(bus, pd)) {
			h->subordinate--;
			break;
		}
	}
}

static void
number(struct pci_bus *bus, struct pci_dev *pd)
{
	struct pci_header *h = &pd->hdr;

	if (pci_numbers_fit(bus, pd) && h->primary == bus->number)
		return;
	if (!pci_numbers_fit(bus, pd))
		find_numbers(bus, pd);
	h->primary = bus->number;
	pci_cfg_write8(pd->space, pd->bdf, 0x18, h->primary);
	pci_cfg_write8(pd->space, pd->bdf, 0x1a, h->subordinate);
	pci_cfg_write8(pd->space, pd->bdf, 0x19, h->secondary);
}

/* ---- all of it ---- */

void
pci_assign(struct pci_bus *bus, struct pci_dev *first)
{
	struct pci_dev *pd;

	for (pd = first; pd != NULL; pd = pd->next) {
		if (pd->dev != NULL)
			continue;
		claim_bars(bus, pd);
		if (pd->hdr.type == 1)
			claim_windows(bus, pd);
	}
	for (pd = first; pd != NULL; pd = pd->next) {
		if (pd->dev != NULL)
			continue;
		place_bars(bus, pd);
		if (pd->hdr.type == 1) {
			number(bus, pd);
			open_windows(bus, pd);
		}
	}
}

void
pci_release(struct pci_dev *pd)
{
	unsigned i;

	mutex_lock(&pci_lock);
	for (i = 0; i < PCI_NBARS; i++)
		if (pd->map[i] != NULL)
			pci_map_release(pd->map[i], &pd->range[i]);
	for (i = 0; i < PCI_NWINS; i++)
		if (pd->win_map[i] != NULL)
			pci_map_release(pd->win_map[i], &pd->win_range[i]);
	mutex_unlock(&pci_lock);
}
