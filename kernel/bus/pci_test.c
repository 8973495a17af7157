/* SPDX-License-Identifier: ISC */
/*
 * pci_test.c - the PCI bus on a board that the test plays: who comes and goes,
 * bus numbers and addresses where nobody has assigned any, and boards whose
 * registers hold, and answer, anything.
 */
/* unit: kernel/bus/pci.c kernel/bus/pci_resource.c kernel/bus/pci_range.c kernel/bus/pci_parse.c kernel/bus/pci_dev.c kernel/bus/pci_cba.c kernel/bus/device.c kernel/bus/device_life.c kernel/bus/device_work.c kernel/bus/gate.c kernel/kern/sbuf.c */
/* threads */
#include "bus/device_impl.h"
#include "bus/firmware.h"
#include "bus/intr.h"
#include "bus/pci_impl.h"
#include "bus/pcie_slot.h"
#include "kern/boot.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "tests/host/host.h"
#include <linux/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the board ---- */

#define NFN 24

struct fn {
	bool present;
	int bridge; /* place of the bridge it is behind; -1: host */
	uint8_t dev, fn;
	uint8_t reg[256], writable[256];
	uint8_t cleared[256]; /* bits that a 1 clears */
};

static struct fn fns[NFN];
static unsigned lies; /* one read in so many is random; 0: none */

static struct fn *
find_fn(uint16_t bdf)
{
	struct fn *f;
	unsigned bus;

	for (f = fns; f < fns + NFN; f++) {
		bus = f->bridge < 0 ? 0 : fns[f->bridge].reg[0x19];
		if (f->present && (f->bridge < 0 || bus != 0) &&
		    PCI_BDF(bus, f->dev, f->fn) == bdf)
			return f;
	}
	return NULL;
}

static uint32_t
board_read(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width)
{
	struct fn *f = find_fn(bdf);
	uint32_t v = UINT32_MAX;

	(void)s;
	if (f != NULL)
		memcpy(&v, f->reg + reg, width);
	if (lies != 0 && host_random(lies) == 0)
		v = (uint32_t)host_random(1ul << 32);
	return v;
}

static void
board_write(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width, uint32_t v)
{
	struct fn *f = find_fn(bdf);
	unsigned i;

	(void)s;
	for (i = reg; f != NULL && i < reg + width; i++, v >>= 8)
		f->reg[i] = ((f->reg[i] & ~f->writable[i]) |
				(v & f->writable[i])) &
		    ~(v & f->cleared[i]);
}

int
pci_cfg_ports(struct pci_space *space)
{
	static const struct pci_cfg_ops ops = { board_read, board_write };

	*space = (struct pci_space){ .ops = &ops,
		.size = 256,
		.last_bus = 255 };
	return 0;
}

static void
put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, 4);
}

static struct fn *
add_fn(int bridge, unsigned dev, uint16_t device)
{
	struct fn *f = fns;

	while (f->present)
		f++;
	memset(f, 0, sizeof(*f));
	f->bridge = bridge;
	f->dev = dev;
	put32(f->reg, 0x1af4 | (uint32_t)device << 16);
	memset(f->writable + 4, 0xff, 2);
	f->writable[0x3c] = 0xff;
	f->present = true;
	return f;
}

/* 16 KiB of memory, 64 ports, 1 MiB that can be anywhere. */
static struct fn *
add_device(int bridge, unsigned dev)
{
	struct fn *f = add_fn(bridge, dev, 0x1042);

	f->reg[0x0b] = 1;
	put32(f->writable + 0x10, 0xffffc000);
	f->reg[0x14] = 1;
	put32(f->writable + 0x14, 0xffffffc0);
	f->reg[0x18] = 0xc;
	put32(f->writable + 0x18, 0xfff00000);
	put32(f->writable + 0x1c, 0xffffffff);
	return f;
}

static int
add_bridge(int bridge, unsigned dev)
{
	struct fn *f = add_fn(bridge, dev, 0x000c);

	put32(f->reg + 8, 0x06040000);
	f->reg[0x0e] = 1;
	memset(f->writable + 0x18, 0xff, 3);
	f->writable[0x1c] = f->writable[0x1d] = 0xf0;
	put32(f->writable + 0x20, 0xfff0fff0);
	put32(f->writable + 0x24, 0xfff0fff0);
	put32(f->reg + 0x24, 0x00010001);
	memset(f->writable + 0x28, 0xff, 8);
	return (int)(f - fns);
}

/* ---- the rest of the machine ---- */

static struct boot_info machine = {
	.range = { { 0x1000, 0x9f000, BOOT_MEM_RAM },
	    { 0x100000, 0x7ff00000, BOOT_MEM_RAM },
	    { 0xc0100000, 0x100000, BOOT_MEM_RESERVED } },
	.nranges = 3,
};
static const struct cpu_features cpu = { .phys_bits = 40 };
static struct bootargs args;

const struct boot_info *
boot_info(void)
{
	return &machine;
}

const struct bootargs *
bootargs(void)
{
	return &args;
}

const struct cpu_features *
cpu_features(void)
{
	return &cpu;
}

int
pci_cfg_ecam(struct pci_space *space, paddr_t base, uint16_t segment,
    uint8_t first_bus, uint8_t last_bus)
{
	(void)space;
	(void)base;
	(void)segment;
	return first_bus > last_bus ? -EINVAL : -ENOMEM;
}

int
firmware_acpi_table(const char *signature, unsigned nth, uint8_t **copy,
    size_t *len)
{
	(void)signature;
	(void)nth;
	(void)copy;
	(void)len;
	return -ENOENT;
}

int
firmware_acpi_copy(paddr_t pa, const char *signature, uint8_t **copy,
    size_t *len)
{
	(void)pa;
	return firmware_acpi_table(signature, 0, copy, len);
}

int
acpi_parse_fadt(const uint8_t *t, size_t len, struct acpi_fadt *out)
{
	(void)t;
	(void)len;
	(void)out;
	return -EINVAL;
}

int64_t
clock_mono_ns(void)
{
	return 0;
}

/* The page of a device's MSI-X table; without it nothing can be mapped. */
static uint32_t msix_page[1024];
static bool msix_mappable;

volatile void *
mmio_map(paddr_t pa, size_t size)
{
	(void)pa;
	return msix_mappable && size <= sizeof(msix_page) ? msix_page : NULL;
}

bool
intr_isa_known(unsigned irq)
{
	(void)irq;
	return false;
}

int
intr_isa_get(unsigned irq, struct intr_source **out)
{
	return intr_gsi_get(irq, 0, out);
}

int
acpi_pci_route(struct device *dev, unsigned pin, unsigned *gsi, unsigned *flags)
{
	(void)dev;
	(void)pin;
	(void)gsi;
	(void)flags;
	return -ENODEV;
}

int
intr_gsi_get(unsigned gsi, unsigned flags, struct intr_source **out)
{
	(void)gsi;
	(void)flags;
	*out = NULL;
	return -ENODEV;
}

/* Sources of messages: what was last made of them. */
#define NMSI 4
static struct {
	const struct msi_ops *ops;
	void *arg;
} msi[NMSI];
static unsigned nmsi, msi_room;
static bool established;

int
intr_msi_create(const struct msi_ops *ops, void *arg, const char *name,
    struct intr_source **out)
{
	(void)name;
	*out = NULL;
	if (nmsi == MIN(NMSI, msi_room))
		return -ENOSPC;
	msi[nmsi].ops = ops;
	msi[nmsi].arg = arg;
	*out = (struct intr_source *)&msi[nmsi++];
	return 0;
}

int
intr_establish(struct intr_source *src, bool (*fn)(void *arg), void *arg,
    const char *name, struct intr_handler **out)
{
	(void)fn;
	(void)arg;
	(void)name;
	*out = (struct intr_handler *)src;
	established = true;
	return 0;
}

void
intr_disestablish(struct intr_handler *h)
{
	if (h != NULL)
		established = false;
}

void
intr_put(struct intr_source *src)
{
	if (src != NULL)
		nmsi--;
}

static unsigned preferred[NMSI];

void
intr_prefer_cpu(struct intr_source *src, unsigned to)
{
	preferred[(typeof(&msi[0]))(void *)src - msi] = to;
}

unsigned
intr_number(const struct intr_source *src)
{
	assert_non_null(src);
	return 100;
}

/* Slots have a test of their own. */
bool
pcie_slot_is_there(struct device *port, unsigned *number)
{
	(void)port;
	(void)number;
	return false;
}

struct pcie_slot *
pcie_slot_begin(struct device *port, uint8_t bus)
{
	(void)port;
	(void)bus;
	fail();
	return NULL;
}

void
pcie_slot_end(struct pcie_slot *slot)
{
	assert_null(slot);
}

/* ---- a driver for what is no bridge ---- */

static unsigned attached, detached;

static int
disk_attach(struct device *dev)
{
	unsigned got;
	int error = pci_enable(dev);

	if (error == 0 && pci_intr_setup(dev, 2, &got) == 0)
		pci_intr_end(dev);
	if (error == 0)
		attached++;
	return error;
}

static void
disk_detach(struct device *dev, enum detach_kind kind)
{
	(void)kind;
	pci_disable(dev);
	detached++;
}

static const struct device_id disk_ids[] = {
	{ .vendor = 0x1af4, .device = 0x1042 }, { .vendor = 0 }
};
static const struct driver disk_driver = {
	.name = "disk",
	.bus = "pci",
	.softc_size = 8,
	.ids = disk_ids,
	.attach = disk_attach,
	.detach = disk_detach,
};
static const struct driver *const table[] = { &pci_host_driver,
	&pci_bridge_driver, &disk_driver, NULL };

static int
begin(void **state)
{
	(void)state;
	memset(fns, 0, sizeof(fns));
	attached = detached = lies = 0;
	nmsi = msi_room = 0;
	msix_mappable = false;
	host_random_seed(1);
	device_set_drivers(table);
	put32(add_fn(-1, 0, 0x1237)->reg + 8, 0x06000000);
	return 0;
}

static int
end(void **state)
{
	struct device *bus = device_find("pci0000:00");

	(void)state;
	lies = 0;
	if (bus != NULL) {
		device_remove(bus, DETACH_GONE);
		device_put(bus);
	}
	assert_int_equal(attached, detached);
	return 0;
}

static void
rescan(void)
{
	struct device *bus = device_find("pci0000:00");

	assert_non_null(bus);
	assert_int_equal(device_rescan(bus), 0);
	device_put(bus);
}

/* ---- what must hold ---- */

struct spans {
	unsigned n;
	struct {
		unsigned kind;
		uint64_t base, size;
	} span[NFN * PCI_NBARS];
};

/* Nobody is where another is, nor where RAM or what is reserved is. */
static bool
check_bars(struct device *dev, unsigned depth, void *arg)
{
	struct spans *s = arg;
	const struct pci_dev *pd;
	unsigned i, j;

	(void)depth;
	if (!pci_is_function(dev))
		return true;
	pd = pci_dev_of(dev);
	for (i = 0; i < PCI_NBARS; i++) {
		if (pd->range[i].size == 0)
			continue;
		assert_int_equal(pd->range[i].base, pd->bar[i].addr);
		for (j = 0; j < s->n; j++)
			assert_true(s->span[j].kind != pd->bar[i].kind ||
			    s->span[j].base >=
				pd->range[i].base + pd->range[i].size ||
			    pd->range[i].base >=
				s->span[j].base + s->span[j].size);
		assert_true(s->n < ARRAY_SIZE(s->span));
		s->span[s->n].kind = pd->bar[i].kind;
		s->span[s->n].base = pd->range[i].base;
		s->span[s->n++].size = pd->range[i].size;
	}
	return true;
}

static unsigned
check_all(void)
{
	static struct spans s;

	s.n = 0;
	s.span[s.n].kind = PCI_BAR_MEM;
	s.span[s.n].base = 0x100000;
	s.span[s.n++].size = 0x7ff00000;
	assert_int_equal(device_foreach(check_bars, &s), 0);
	return s.n - 1;
}

/* ---- tests ---- */

static void
nothing_with_pci_off(void **state)
{
	(void)state;
	args.pci_off = true;
	assert_int_equal(pci_init(&machine), 0);
	args.pci_off = false;
	assert_null(device_find("pci0000:00"));
}

static void
nothing_without_a_first_function(void **state)
{
	(void)state;
	fns[0].present = false;
	assert_int_equal(pci_init(&machine), 0);
	assert_null(device_find("pci0000:00"));
}

static void
addresses_where_nobody_gave_any(void **state)
{
	struct fn *f = add_device(-1, 3);
	struct pci_bar bar[PCI_NBARS];
	struct pci_space space;

	(void)state;
	add_device(-1, 4);
	assert_int_equal(pci_init(&machine), 0);
	assert_int_equal(attached, 2);
	assert_int_equal(check_all(), 6);
	pci_cfg_ports(&space);
	pci_parse_bars(&space, PCI_BDF(0, 3, 0), 6, bar);
	assert_int_equal(bar[0].addr, 0xc0000000);
	assert_int_equal(bar[1].addr, 0x1000);
	/* past what the memory map keeps for somebody */
	assert_int_equal(bar[2].addr, 0xc0200000);
	assert_int_equal(f->reg[4] & 7, 7);
}

static void
numbers_and_windows_for_bridges(void **state)
{
	int a = add_bridge(-1, 1), b = add_bridge(a, 0), c = add_bridge(-1, 2);

	(void)state;
	add_device(b, 5);
	add_device(c, 6);
	assert_int_equal(pci_init(&machine), 0);
	assert_int_equal(attached, 2);
	assert_int_equal(check_all(), 6);
	assert_true(fns[a].reg[0x19] < fns[b].reg[0x19]);
	assert_true(fns[b].reg[0x1a] <= fns[a].reg[0x1a]);
	assert_true(fns[a].reg[0x1a] < fns[c].reg[0x19]);
	assert_int_equal(fns[b].reg[0x18], fns[a].reg[0x19]);
}

static void
bridges_without_end(void **state)
{
	int at = -1;

	(void)state;
	for (unsigned i = 0; i < NFN - 1; i++)
		at = add_bridge(at, 0);
	for (unsigned i = 1; i < NFN; i++) {
		fns[i].reg[0x18] = i - 1;
		fns[i].reg[0x19] = i;
		fns[i].reg[0x1a] = NFN;
	}
	assert_int_equal(pci_init(&machine), 0);
	assert_null(device_find("0000:14:00.0"));
	rescan();
}

static void
one_address_for_two(void **state)
{
	struct fn *f = add_device(-1, 3), *g = add_device(-1, 4);

	(void)state;
	put32(f->reg + 0x10, 0xd0000000);
	put32(g->reg + 0x10, 0xd0000000);
	put32(g->reg + 0x18, 0x0010000c); /* where RAM is */
	assert_int_equal(pci_init(&machine), 0);
	assert_int_equal(check_all(), 6);
}

static void
another_one_in_the_same_slot(void **state)
{
	struct fn *f = add_device(-1, 3);

	(void)state;
	assert_int_equal(pci_init(&machine), 0);
	f->reg[2] = 0x43;
	rescan();
	assert_int_equal(detached, 1);
	f->reg[2] = 0x42;
	rescan();
	assert_int_equal(attached, 2);
	assert_int_equal(check_all(), 3);
}

static void
coming_and_going(void **state)
{
	int bridge[3];
	long blocks;

	(void)state;
	bridge[0] = -1;
	bridge[1] = add_bridge(-1, 1);
	bridge[2] = add_bridge(bridge[1], 0);
	assert_int_equal(pci_init(&machine), 0);
	blocks = host_kmem_blocks();
	for (unsigned step = 0; step < 3000; step++) {
		unsigned slot = host_random(12);
		struct fn *f = &fns[3 + slot];

		if (f->present) {
			f->present = false;
		} else {
			struct fn *g = add_device(bridge[slot % 3], slot + 3);

			if (g != f) { /* keep it in its own place */
				*f = *g;
				g->present = false;
			}
		}
		if (host_random(3) == 0) {
			rescan();
			check_all();
		}
	}
	for (unsigned i = 3; i < NFN; i++)
		fns[i].present = false;
	rescan();
	assert_int_equal(check_all(), 0);
	assert_int_equal(host_kmem_blocks(), blocks);
}

static bool
nobody(void *arg)
{
	(void)arg;
	return false;
}

/* MSI of 64 bits, one vector, at 0x40; `mask`: with a mask register. */
static struct fn *
add_msi_device(bool mask)
{
	struct fn *f = add_device(-1, 3);

	f->reg[6] = 0x10;
	f->reg[0x34] = 0x40;
	put32(f->reg + 0x40, mask ? 0x01800005 : 0x00800005);
	f->writable[0x42] = 0x71;
	memset(f->writable + 0x44, 0xff, 20);
	return f;
}

static void
messages_by_msi(void **state)
{
	for (unsigned mask = 0; mask < 2; mask++) {
		struct fn *f;
		struct device *dev;
		unsigned got;

		begin(state);
		f = add_msi_device(mask);
		assert_int_equal(pci_init(&machine), 0);
		dev = device_find("0000:00:03.0");
		msi_room = NMSI;
		assert_int_equal(pci_intr_setup(dev, 3, &got), 0);
		assert_int_equal(got, 1);
		assert_true(pci_intr_is_message(dev));
		assert_false(pci_intr_is_msix(dev));
		assert_int_equal(pci_intr_establish(dev, 0, nobody, NULL), 0);
		assert_int_equal(pci_intr_establish(dev, 1, nobody, NULL),
		    -EINVAL);
		msi[0].ops->write(msi[0].arg, 0x1fee00000, 0x41);
		msi[0].ops->mask(msi[0].arg, false);
		assert_int_equal(get32(f->reg + 0x44), 0xfee00000);
		assert_int_equal(get32(f->reg + 0x48), 1);
		assert_int_equal(get32(f->reg + 0x4c), 0x41);
		assert_int_equal(f->reg[0x42] & 1, 1);
		assert_int_equal(f->reg[5] & 4, 4); /* no line besides */
		msi[0].ops->mask(msi[0].arg, true);
		assert_int_equal(f->reg[0x42] & 1, mask);
		if (mask)
			assert_int_equal(f->reg[0x50] & 1, 1);
		pci_intr_end(dev);
		pci_intr_end(dev);
		assert_false(established);
		assert_int_equal(nmsi, 0);
		assert_int_equal(f->reg[0x42] & 1, 0);
		device_put(dev);
		end(state);
	}
}

/* Eight entries in BAR 0; the machine has room for four. */
static void
messages_by_msix(void **state)
{
	struct fn *f = add_device(-1, 3);
	struct device *dev;
	unsigned got;

	(void)state;
	f->reg[6] = 0x10;
	f->reg[0x34] = 0x60;
	put32(f->reg + 0x60, 0x00070011);
	f->writable[0x63] = 0xc0;
	assert_int_equal(pci_init(&machine), 0);
	dev = device_find("0000:00:03.0");
	msi_room = NMSI;
	assert_int_equal(pci_intr_setup(dev, 2, &got), -ENODEV);
	msix_mappable = true;
	assert_int_equal(pci_intr_setup(dev, 8, &got), 0);
	assert_int_equal(got, NMSI); /* fewer than asked for */
	pci_intr_end(dev);
	assert_int_equal(nmsi, 0);
	f->reg[0x63] = 0;
	assert_int_equal(pci_intr_setup(dev, 3, &got), 0);
	assert_int_equal(got, 3);
	assert_int_equal(f->reg[0x63], 0x80);
	assert_int_equal(msix_page[3], 1);
	assert_int_equal(msix_page[11], 1);
	msi[2].ops->write(msi[2].arg, 0x1fee00000, 0x42);
	assert_int_equal(msix_page[8], 0xfee00000);
	assert_int_equal(msix_page[9], 1);
	assert_int_equal(msix_page[10], 0x42);
	assert_int_equal(msix_page[11], 1);
	msi[2].ops->mask(msi[2].arg, false);
	assert_int_equal(msix_page[11], 0);
	pci_intr_prefer_cpu(dev, 2, 7);
	pci_intr_prefer_cpu(dev, 3, 9); /* there is none */
	assert_int_equal(preferred[2], 7);
	pci_intr_end(dev);
	args.pci_nomsi = true; /* and this one has no line */
	assert_int_equal(pci_intr_setup(dev, 3, &got), -ENODEV);
	args.pci_nomsi = false;
	assert_int_equal(f->reg[0x63], 0);
	assert_int_equal(nmsi, 0);
	device_put(dev);
}

/* ---- ejections ---- */

/* Switches the slot off, as a host whose firmware does not before the
 * function's wake-up events are off, and none is pending; HP8. */
static int
switch_off(void *arg)
{
	struct fn *f = arg;

	if ((f->reg[0x65] & 0x81) != 0)
		return -EBUSY;
	f->present = false;
	return 0;
}

static struct fn *
add_waking_device(unsigned dev)
{
	struct fn *f = add_device(-1, dev);

	f->reg[6] = 0x10;
	f->reg[0x34] = 0x60;
	put32(f->reg + 0x60, 0xc8030001);
	f->writable[0x64] = 3;
	f->writable[0x65] = 1;
	f->cleared[0x65] = 0x80;
	f->reg[0x65] = 0x81; /* enabled, and one is pending */
	return f;
}

static void
no_wake_up_event_outlives_an_ejection(void **state)
{
	struct fn *f = add_waking_device(5);
	struct device *bus, *dev;

	(void)state;
	assert_int_equal(pci_init(&machine), 0);
	bus = device_find("pci0000:00");
	assert_int_equal(f->reg[0x65], 0x81);
	assert_int_equal(pci_eject(bus, 5, switch_off, f), 0);
	assert_false(f->present);
	assert_null(device_find("0000:00:05.0"));
	assert_int_equal(detached, 1);
	/* The next one in the slot is attached at once. */
	f = add_waking_device(5);
	assert_int_equal(device_rescan(bus), 0);
	dev = device_find("0000:00:05.0");
	assert_non_null(dev);
	device_put(dev);
	assert_int_equal(attached, 2);
	device_put(bus);
}

static int
swap(void *arg)
{
	struct fn *f = arg;

	f->reg[8]++; /* another card is in the slot at once */
	return 0;
}

static int
refuse(void *arg)
{
	(void)arg;
	return -EIO;
}

static void
ejections_that_leave_something(void **state)
{
	struct fn *f = add_waking_device(5);
	struct device *bus;

	(void)state;
	assert_int_equal(pci_init(&machine), 0);
	bus = device_find("pci0000:00");
	assert_int_equal(pci_eject(bus, 5, swap, f), 1);
	assert_int_equal(attached, 2);
	assert_int_equal(pci_eject(bus, 5, refuse, f), -EIO);
	assert_int_equal(detached, 2);
	assert_int_equal(attached, 3);                        /* it works on */
	assert_int_equal(pci_eject(bus, 9, refuse, f), -EIO); /* nobody */
	f->present = false;
	assert_int_equal(pci_eject(bus, 5, switch_off, f), 0); /* HP7 */
	device_put(bus);
}

static void
random_bytes(uint8_t *at, unsigned n)
{
	while (n-- > 0)
		at[n] = host_random(4) != 0 ? host_random(256) :
		    host_random(2) != 0     ? 0xff :
					      0;
}

/* A board whose registers hold anything and can be written anyhow. */
static void
random_board(void)
{
	unsigned i, n = 1 + host_random(NFN - 1);

	for (i = 1; i < n; i++) {
		random_bytes(fns[i].reg, 256);
		random_bytes(fns[i].writable, 256);
		fns[i].present = true;
		fns[i].bridge = (int)host_random(i + 1) - 1;
		fns[i].dev = host_random(32);
		fns[i].fn = host_random(8);
		if (host_random(2) == 0)
			put32(fns[i].reg, 0x10421af4);
		if (host_random(2) == 0)
			put32(fns[i].reg + 8, 0x06040000);
		fns[i].reg[0x0e] = host_random(3) | host_random(2) << 7;
		fns[i].reg[6] |= 0x10;
	}
}

static void
anything(void **state)
{
	struct device *bus;
	unsigned fails;

	for (unsigned round = 0; round < 300; round++) {
		begin(state);
		host_random_seed(round);
		fails = host_random(4) == 0 ? 50 : 0;
		random_board();
		host_fail_one_in(fails);
		pci_init(&machine);
		lies = host_random(2) == 0 ? 1 + host_random(100) : 0;
		for (unsigned i = 0; i < 4; i++) {
			bus = device_find("pci0000:00");
			host_fail_one_in(fails);
			if (bus != NULL)
				device_rescan(bus);
			host_fail_one_in(0);
			device_put(bus);
			fns[1 + host_random(NFN - 1)].present = false;
			check_all();
		}
		host_fail_one_in(0);
		end(state);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_with_pci_off, begin,
		    end),
		cmocka_unit_test_setup_teardown(
		    nothing_without_a_first_function, begin, end),
		cmocka_unit_test_setup_teardown(addresses_where_nobody_gave_any,
		    begin, end),
		cmocka_unit_test_setup_teardown(numbers_and_windows_for_bridges,
		    begin, end),
		cmocka_unit_test_setup_teardown(bridges_without_end, begin,
		    end),
		cmocka_unit_test_setup_teardown(one_address_for_two, begin,
		    end),
		cmocka_unit_test_setup_teardown(another_one_in_the_same_slot,
		    begin, end),
		cmocka_unit_test_setup_teardown(coming_and_going, begin, end),
		cmocka_unit_test(messages_by_msi),
		cmocka_unit_test_setup_teardown(messages_by_msix, begin, end),
		cmocka_unit_test_setup_teardown(
		    no_wake_up_event_outlives_an_ejection, begin, end),
		cmocka_unit_test_setup_teardown(ejections_that_leave_something,
		    begin, end),
		cmocka_unit_test_setup_teardown(anything, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
