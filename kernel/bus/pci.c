/* SPDX-License-Identifier: ISC */
/*
 * pci.c - PCI buses as drivers of the device tree: who is on them, who has
 * come, who has gone.  PCI 3.0, 6.1; PCI-to-PCI bridges 1.2, 3.1.
 *
 * A look at a bus reads each slot's function 0, and the others where function
 * 0 says that there are some; buses are found through bridges only.  A look
 * compares with who is known: other identities and absent ones are gone first,
 * then newcomers get addresses, all together, and then their nodes.
 */
#include "bus/device.h"
#include "bus/firmware.h"
#include "bus/pci_cba.h"
#include "bus/pci_impl.h"
#include "bus/pcie_slot.h"
#include "kern/boot.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>
#include <linux/pci_regs.h>

#define CLASS_BRIDGE 0x060400
/* Buses are attached one inside the other, each with its part of the stack. */
#define DEPTH_MAX 8

/* ---- one function ---- */

static void
log_bdf(const struct pci_dev *pd, const char *what, int error)
{
	log_warn("%04x:%02x:%02x.%u: %s, error %d", pd->space->segment,
	    PCI_BUS(pd->bdf), PCI_DEV(pd->bdf), PCI_FN(pd->bdf), what, -error);
}

/*
 * Reads all that is known of a function.  Nonsense in capabilities costs what
 * they stand for, with one line in the log.
 */
static void
read_function(struct pci_dev *pd)
{
	unsigned bad = pci_parse_bars(pd->space, pd->bdf, pd->hdr.nbars,
	    pd->bar);
	int error = pci_parse_caps(pd->space, pd->bdf, &pd->caps);

	if (bad != 0)
		log_bdf(pd, "BARs that make no sense are left out", -EINVAL);
	if (error != 0)
		log_bdf(pd, "the list of capabilities does not end", error);
	if (pci_parse_msi(pd->space, pd->bdf, &pd->caps, &pd->msi) == -EINVAL)
		log_bdf(pd, "MSI makes no sense, not used", -EINVAL);
	if (pci_parse_msix(pd->space, pd->bdf, &pd->caps, pd->bar, &pd->msix) ==
	    -EINVAL)
		log_bdf(pd, "MSI-X makes no sense, not used", -EINVAL);
	if (pd->hdr.type == PCI_HEADER_TYPE_BRIDGE)
		pci_parse_windows(pd->space, pd->bdf, pd->win);
}

static const struct bus_ops pci_bus_ops;

bool
pci_is_function(const struct device *dev)
{
	return device_parent(dev) != NULL &&
	    device_bus_ops(device_parent(dev)) == &pci_bus_ops;
}

static int
add_node(struct pci_bus *bus, struct pci_dev *pd)
{
	char address[24], where[32], what[64];
	struct device_spec spec = {
		.id = { pd->hdr.vendor, pd->hdr.device, pd->hdr.subvendor,
		    pd->hdr.subdevice, pd->hdr.class, 0, NULL },
		.address = address,
		.where = where,
		.what = what,
		.ivars = pd,
	};

	snprintf(address, sizeof(address), "%04x:%02x:%02x.%u",
	    pd->space->segment, PCI_BUS(pd->bdf), PCI_DEV(pd->bdf),
	    PCI_FN(pd->bdf));
	snprintf(where, sizeof(where), "dev %u function %u", PCI_DEV(pd->bdf),
	    PCI_FN(pd->bdf));
	snprintf(what, sizeof(what),
	    "vendor 0x%04x product 0x%04x (class 0x%06x)", pd->hdr.vendor,
	    pd->hdr.device, pd->hdr.class);
	return device_add(bus->dev, &spec, &pd->dev);
}

static void
forget(struct pci_bus *bus, struct pci_dev *pd)
{
	struct pci_dev **at = &bus->first;

	while (*at != pd)
		at = &(*at)->next;
	*at = pd->next;
	pci_release(pd);
	if (pd->dev != NULL)
		device_put(pd->dev); /* pd goes with the node */
	else
		kfree(pd);
}

static void
free_ivars(void *ivars)
{
	kfree(ivars);
}

/* ---- who is here ---- */

static struct pci_dev *
known(struct pci_bus *bus, uint16_t bdf)
{
	struct pci_dev *pd = bus->first;

	while (pd != NULL && pd->bdf != bdf)
		pd = pd->next;
	return pd;
}

/* Still there: the same one, with a node that nobody has taken away. */
static bool
is_still(const struct pci_dev *pd, const struct pci_header *h)
{
	return h->vendor == pd->hdr.vendor && h->device == pd->hdr.device &&
	    h->class == pd->hdr.class && h->subvendor == pd->hdr.subvendor &&
	    h->subdevice == pd->hdr.subdevice &&
	    device_state(pd->dev) != DEVICE_GONE;
}

static int
insert(struct pci_bus *bus, uint16_t bdf, const struct pci_header *h)
{
	struct pci_dev *pd = kzalloc(sizeof(*pd)), **at = &bus->first;

	if (pd == NULL)
		return -ENOMEM;
	pd->space = bus->space;
	pd->bdf = bdf;
	pd->hdr = *h;
	read_function(pd);
	while (*at != NULL && (*at)->bdf < bdf)
		at = &(*at)->next;
	pd->next = *at;
	*at = pd;
	return 0;
}

static void
departed(struct pci_bus *bus, struct pci_dev *pd)
{
	device_remove(pd->dev, DETACH_GONE);
	forget(bus, pd);
}

/* *more: there may be other functions in this slot. */
static int
look_at(struct pci_bus *bus, uint16_t bdf, bool *more)
{
	struct pci_dev *pd = known(bus, bdf);
	struct pci_header h;
	int error = pci_parse_header(bus->space, bdf, &h);

	*more = error == 0 && h.multifunction;
	if (pd != NULL && (error != 0 || !is_still(pd, &h))) {
		departed(bus, pd);
		pd = NULL;
	}
	return error != 0 || pd != NULL ? 0 : insert(bus, bdf, &h);
}

static int
look_at_slot(struct pci_bus *bus, unsigned slot)
{
	unsigned fn;
	bool many, ignored;
	int error = look_at(bus, PCI_BDF(bus->number, slot, 0), &many);

	for (fn = 1; fn < 8 && error == 0; fn++)
		if (many || known(bus, PCI_BDF(bus->number, slot, fn)) != NULL)
			error = look_at(bus, PCI_BDF(bus->number, slot, fn),
			    &ignored);
	return error;
}

static void
add_newcomers(struct pci_bus *bus)
{
	struct pci_dev *pd, *next;
	int error;

	for (pd = bus->first; pd != NULL; pd = next) {
		next = pd->next;
		if (pd->dev != NULL)
			continue;
		error = add_node(bus, pd);
		if (error == 0)
			continue;
		log_bdf(pd, "not added", error);
		forget(bus, pd);
	}
}

/* The bus's turn is held. */
static int
look(struct pci_bus *bus)
{
	unsigned slot, nslots = bus->one_slot ? 1 : 32;
	int error = 0;

	for (slot = 0; slot < nslots && error == 0; slot++)
		error = look_at_slot(bus, slot);
	pci_assign(bus, bus->first);
	add_newcomers(bus);
	return error;
}

/* And the buses behind bridges that were here before. */
static int
rescan(struct device *dev)
{
	struct pci_bus *bus = device_softc(dev);
	struct pci_dev *pd;
	int error = look(bus), below;

	for (pd = bus->first; pd != NULL; pd = pd->next) {
		if (device_driver(pd->dev) != &pci_bridge_driver)
			continue;
		below = device_rescan(pd->dev);
		if (below != -ENODEV && below != -EOPNOTSUPP && error == 0)
			error = below;
	}
	return error;
}

void
pci_print_modalias(const struct pci_dev *pd, struct sbuf *sb)
{
	sbuf_printf(sb, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n",
	    pd->hdr.vendor, pd->hdr.device, pd->hdr.subvendor,
	    pd->hdr.subdevice, pd->hdr.class >> 16, pd->hdr.class >> 8 & 0xff,
	    pd->hdr.class & 0xff);
}

static void
uevent(struct device *dev, struct sbuf *env)
{
	const struct pci_dev *pd = pci_dev_of(dev);

	sbuf_printf(env, "PCI_CLASS=%X\nPCI_ID=%04X:%04X\n", pd->hdr.class,
	    pd->hdr.vendor, pd->hdr.device);
	sbuf_printf(env, "PCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\nMODALIAS=",
	    pd->hdr.subvendor, pd->hdr.subdevice, device_address(dev));
	pci_print_modalias(pd, env);
}

struct finding {
	unsigned devfn;
	struct device *dev;
};

static int
find_here(struct device *dev, void *arg)
{
	struct pci_bus *bus = device_softc(dev);
	struct finding *f = arg;
	struct pci_dev *pd = known(bus, PCI_BDF(bus->number, 0, 0) | f->devfn);

	if (pd != NULL && pd->dev != NULL)
		f->dev = device_get(pd->dev);
	return 0;
}

struct device *
pci_find(struct device *bus, unsigned devfn)
{
	struct finding f = { devfn & 0xff, NULL };

	if (device_bus_ops(bus) == &pci_bus_ops)
		(void)device_call_bus(bus, find_here, &f); /* gone: none */
	return f.dev;
}

/*
 * Wake-up events are switched off, and one that waits is cleared: some hosts
 * (EC2's on Graviton) do not end an ejection before.
 */
static void
clear_pme(const struct pci_dev *pd)
{
	unsigned at = pci_cap_find(&pd->caps, PCI_CAP_ID_PM);
	uint16_t v;

	if (at == 0)
		return;
	v = pci_cfg_read16(pd->space, pd->bdf, at + PCI_PM_CTRL);
	v &= ~PCI_PM_CTRL_PME_ENABLE;
	pci_cfg_write16(pd->space, pd->bdf, at + PCI_PM_CTRL,
	    v | PCI_PM_CTRL_PME_STATUS);
}

struct ejection {
	unsigned slot;
	int (*off)(void *arg);
	void *arg;
};

static int
eject_here(struct device *dev, void *arg)
{
	struct pci_bus *bus = device_softc(dev);
	struct ejection *e = arg;
	struct pci_dev *pd, *next;
	int error, looked;

	for (pd = bus->first; pd != NULL; pd = next) {
		next = pd->next;
		if (PCI_DEV(pd->bdf) != e->slot)
			continue;
		(void)device_remove(pd->dev, DETACH_ASKED); /* or gone by now */
		clear_pme(pd);
		forget(bus, pd);
	}
	error = e->off(e->arg);
	looked = look_at_slot(bus, e->slot);
	pci_assign(bus, bus->first);
	add_newcomers(bus);
	for (pd = bus->first; pd != NULL && error == 0; pd = pd->next)
		if (PCI_DEV(pd->bdf) == e->slot)
			return 1;
	return error == 0 ? looked : error;
}

int
pci_eject(struct device *bus, unsigned slot, int (*off)(void *arg), void *arg)
{
	struct ejection e = { slot, off, arg };

	if (device_bus_ops(bus) != &pci_bus_ops)
		return -ENODEV;
	return device_call_bus(bus, eject_here, &e);
}

static const struct bus_ops pci_bus_ops = {
	.name = "pci",
	.uevent = uevent,
	.rescan = rescan,
	.free = free_ivars,
	.reset = pci_reset,
};

/* ---- buses ---- */

static int
bus_begin(struct pci_bus *bus)
{
	int error;

	device_set_bus(bus->dev, &pci_bus_ops);
	error = look(bus);
	if (error != 0)
		device_remove_below(bus->dev, DETACH_ASKED);
	return error;
}

/* The nodes below are gone; who was on the bus is forgotten. */
static void
bus_end(struct pci_bus *bus)
{
	while (bus->first != NULL)
		forget(bus, bus->first);
}

static struct {
	struct pci_space space;
	struct pci_range range; /* of the space itself */
	paddr_t ecam;
	bool found;
} host;

static void
host_detach(struct device *dev, enum detach_kind kind)
{
	struct pci_bus *bus = device_softc(dev);

	(void)kind;
	bus_end(bus);
	pci_host_windows_end(bus);
	host.range.size = 0;
}

static int
host_attach(struct device *dev)
{
	struct pci_bus *bus = device_softc(dev);
	int error;

	bus->dev = dev;
	bus->space = &host.space;
	bus->number = host.space.first_bus;
	bus->last = host.space.last_bus;
	error = pci_host_windows(bus);
	if (error == 0 && host.ecam != 0 &&
	    pci_map_claim(&bus->map[PCI_WIN_MEM], &host.range, host.ecam,
		(host.space.last_bus + 1ul) << 20) != 0)
		log_warn("pci: configuration space is where RAM is");
	if (error == 0) {
		device_announce(dev, "bus %u", bus->number);
		error = bus_begin(bus);
	}
	if (error != 0)
		host_detach(dev, DETACH_ASKED);
	return error;
}

static const struct device_id host_ids[] = {
	{ .text = "pci" },
	{ .vendor = 0 },
};

const struct driver pci_host_driver = {
	.name = "pci",
	.bus = "root",
	.softc_size = sizeof(struct pci_bus),
	.ids = host_ids,
	.attach = host_attach,
	.detach = host_detach,
};

/* Below a root port or a switch's downstream port there is one device. */
static bool
leads_to_one_slot(const struct pci_dev *pd)
{
	unsigned at = pci_cap_find(&pd->caps, PCI_CAP_ID_EXP), type;

	if (at == 0)
		return false;
	type = pci_cfg_read16(pd->space, pd->bdf, at + PCI_EXP_FLAGS);
	type = (type & PCI_EXP_FLAGS_TYPE) >> 4;
	return type == PCI_EXP_TYPE_ROOT_PORT ||
	    type == PCI_EXP_TYPE_DOWNSTREAM;
}

static int
bridge_match(struct device *dev)
{
	return pci_dev_of(dev)->hdr.type == PCI_HEADER_TYPE_BRIDGE ?
	    DRIVER_MATCH_CLASS :
	    0;
}

static void
bridge_detach(struct device *dev, enum detach_kind kind)
{
	struct pci_bus *bus = device_softc(dev);

	(void)kind;
	pcie_slot_end(bus->slot);
	bus->slot = NULL;
	bus_end(bus);
	pci_disable(dev);
}

static int
bridge_attach(struct device *dev)
{
	struct pci_bus *bus = device_softc(dev);
	struct pci_bus *above = device_softc(device_parent(dev));
	struct pci_dev *pd = pci_dev_of(dev);
	unsigned slot;
	bool has_slot;
	int error;

	bus->dev = dev;
	bus->space = pd->space;
	bus->bridge = pd;
	bus->number = pd->hdr.secondary;
	bus->last = pd->hdr.subordinate;
	bus->one_slot = leads_to_one_slot(pd);
	bus->depth = above->depth + 1;
	pci_bridge_windows(bus);
	if (bus->number == 0)
		return -ENOSPC;
	if (bus->depth > DEPTH_MAX)
		return -ELOOP;
	error = pci_enable(dev);
	if (error == 0) {
		has_slot = pcie_slot_is_there(dev, &slot);
		if (has_slot)
			device_announce(dev, "bus %u, slot %u", bus->number,
			    slot);
		else
			device_announce(dev, "bus %u", bus->number);
		error = bus_begin(bus);
		if (error == 0 && has_slot)
			bus->slot = pcie_slot_begin(dev, bus->number);
	}
	if (error != 0)
		bridge_detach(dev, DETACH_ASKED);
	return error;
}

static const struct device_id bridge_ids[] = {
	{ .class = CLASS_BRIDGE, .class_mask = 0xffff00 },
	{ .vendor = 0 },
};

const struct driver pci_bridge_driver = {
	.name = "pci",
	.bus = "pci",
	.linux_name = "pcieport",
	.softc_size = sizeof(struct pci_bus),
	.ids = bridge_ids,
	.match = bridge_match,
	.attach = bridge_attach,
	.detach = bridge_detach,
};

/* ---- the boot ---- */

int
pci_set_ecam(paddr_t base, uint16_t segment, uint8_t first_bus,
    uint8_t last_bus)
{
	int error;

	if (segment != 0 || host.space.ops != NULL)
		return -EOPNOTSUPP;
	error = pci_cfg_ecam(&host.space, base, segment, first_bus, last_bus);
	if (error == 0)
		host.ecam = base;
	return error;
}

/* Of a board that has neither ports nor MCFG: what its DSDT says. */
static int
find_cba(paddr_t *base)
{
	struct acpi_fadt fadt;
	uint8_t *copy;
	size_t len;
	int error = firmware_acpi_table("FACP", 0, &copy, &len);

	if (error != 0)
		return error;
	error = acpi_parse_fadt(copy, len, &fadt);
	kfree(copy);
	if (error == 0)
		error = firmware_acpi_copy(fadt.dsdt, "DSDT", &copy, &len);
	if (error != 0)
		return error;
	error = pci_parse_cba(copy, len, base);
	kfree(copy);
	return error;
}

/* By MCFG (pci_set_ecam() was called), ports or DSDT. */
static int
find_space(const struct boot_info *bi)
{
	paddr_t base;
	int error;

	if (host.space.ops != NULL || pci_cfg_ports(&host.space) == 0)
		return 0;
	if (bi->rsdp == 0)
		return -ENOENT;
	error = find_cba(&base);
	return error == 0 ? pci_set_ecam(base, 0, 0, 255) : error;
}

const struct pci_space *
pci_host_space(void)
{
	return host.found ? &host.space : NULL;
}

/* Where nothing tells of arrivals: looks, and looks again. */
static void
poll(void *arg)
{
	struct waitq never;
	int64_t every = bootargs()->pci_poll_s * NSEC_PER_SEC;

	waitq_init(&never);
	for (;;) {
		(void)wait_event_kind(&never, false, WAIT_UNINTERRUPTIBLE,
		    clock_mono_ns() + every);
		if (device_rescan(arg) == -ENODEV)
			break;
	}
	device_put(arg);
}

static void
poll_start(struct device *bus)
{
	struct thread *t;

	if (bootargs()->pci_poll_s == 0) {
		device_put(bus);
	} else if (thread_create("pci-poll", poll, bus, &t) == 0) {
		thread_start(t);
	} else {
		log_warn("pci: no memory for pci.poll=");
		device_put(bus);
	}
}

/* An absent bus is no error: many a machine has none. */
int
pci_init(const struct boot_info *bi)
{
	static const struct device_spec spec = {
		.id = { .text = "pci" },
		.address = "pci0000:00",
	};
	struct pci_header h;
	struct device *bus;
	int error;

	if (bootargs()->pci_off || find_space(bi) != 0)
		return 0;
	if (pci_parse_header(&host.space, PCI_BDF(host.space.first_bus, 0, 0),
		&h) != 0)
		return 0;
	host.found = true;
	error = device_add(device_root(), &spec, &bus);
	if (error == 0)
		poll_start(bus);
	return error;
}
