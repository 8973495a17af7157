/* SPDX-License-Identifier: ISC */
/*
 * acpi_pci.c - PCI as ACPI's names know it: which of them is which function,
 * where its interrupt pins arrive (_PRT), who watches its slots (_OSC).
 * ACPI 6.4, 6.2.11, 6.2.13; PCI Firmware 3.3, 4.5.
 *
 * A link device is connected once, by who needs it first, and left so.
 */
#include "bus/acpi_impl.h"
#include "bus/acpi_resource.h"
#include "bus/acpi_route.h"
#include "bus/device.h"
#include "bus/intr.h"
#include "bus/pci.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include <linux/errno.h>

static acpi_handle host;

void
acpi_pci_host_set(acpi_handle handle)
{
	if (host == NULL)
		host = handle;
}

acpi_handle
acpi_pci_host(void)
{
	return host;
}

bool
acpi_handle_is_host(acpi_handle handle)
{
	return host != NULL && handle == host;
}

/* ---- names of functions ---- */

static acpi_handle
child_at(acpi_handle parent, uint64_t adr)
{
	acpi_handle child = NULL;
	uint64_t is;

	while (ACPI_SUCCESS(
	    acpi_get_next_object(ACPI_TYPE_DEVICE, parent, child, &child)))
		if (acpi_eval_integer(child, "_ADR", &is) == 0 && is == adr)
			return child;
	return NULL;
}

/* Of a bus's node, or of a function's; NULL: ACPI does not name it. */
static acpi_handle
companion(struct device *dev)
{
	const struct pci_dev *pd;
	acpi_handle above;

	if (!pci_is_function(dev))
		return host;
	above = companion(device_parent(dev));
	if (above == NULL)
		return NULL;
	pd = pci_dev_of(dev);
	return child_at(above, PCI_DEV(pd->bdf) << 16 | PCI_FN(pd->bdf));
}

/* ---- links ---- */

struct link {
	struct link *next; /* under links_lock; only grows */
	acpi_handle handle;
	unsigned gsi, flags;
	int error;
};

static struct link *links;
static struct mutex links_lock = MUTEX_INIT(links_lock);

static int
connect(acpi_handle handle, const struct acpi_resources *can, uint32_t irq)
{
	uint8_t srs[ACPI_SRS_SIZE];
	union acpi_object arg = { .buffer.type = ACPI_TYPE_BUFFER };
	struct acpi_object_list list = { 1, &arg };

	arg.buffer.pointer = srs;
	arg.buffer.length = acpi_resource_srs(can, irq, srs);
	if (arg.buffer.length == 0)
		return -ENOSPC;
	return acpi_errno(acpi_eval(handle, "_SRS", &list, NULL));
}

/* _PRS may be missing where a link is connected for good. */
static int
link_connect(struct link *l, struct acpi_resources *now,
    struct acpi_resources *can)
{
	uint64_t sta = 0;
	uint32_t is, to;
	int error = acpi_eval_resources(l->handle, METHOD_NAME__CRS, now);

	is = error == 0 && now->nirqs > 0 ? now->irq[0] : 0;
	error = acpi_eval_resources(l->handle, METHOD_NAME__PRS, can);
	if (error != 0 && error != -ENOENT)
		return error;
	to = can->nirqs == 0 ? is : acpi_route_choose(can->irq, can->nirqs, is);
	if (to == 0)
		return -ENOSPC;
	(void)acpi_eval_integer(l->handle, METHOD_NAME__STA, &sta);
	l->gsi = to;
	l->flags = can->nirqs == 0 ? now->irq_flags : can->irq_flags;
	if (can->nirqs == 0 ||
	    (to == is && (sta & ACPI_STA_DEVICE_ENABLED) != 0))
		return 0;
	return connect(l->handle, can, to);
}

static struct link *
link_make_locked(acpi_handle handle)
{
	struct link *l = kzalloc(sizeof(*l));
	struct acpi_resources *both = kmalloc(2 * sizeof(*both));

	if (l == NULL || both == NULL) {
		kfree(l);
		kfree(both);
		return NULL;
	}
	l->handle = handle;
	l->error = link_connect(l, &both[0], &both[1]);
	if (l->error != 0)
		acpi_complain("a link cannot be connected: error %d",
		    -l->error);
	kfree(both);
	l->next = links;
	links = l;
	return l;
}

static int
link_route(acpi_handle handle, unsigned *gsi, unsigned *flags)
{
	struct link *l;

	mutex_lock(&links_lock);
	for (l = links; l != NULL && l->handle != handle; l = l->next)
		;
	if (l == NULL)
		l = link_make_locked(handle);
	mutex_unlock(&links_lock);
	if (l == NULL)
		return -ENOMEM;
	*gsi = l->gsi;
	*flags = l->flags;
	return l->error;
}

/* ---- _PRT ---- */

static bool
row_is(const union acpi_object *row, unsigned device, unsigned pin)
{
	const union acpi_object *e;
	struct acpi_prt key;

	if (row->type != ACPI_TYPE_PACKAGE || row->package.count < 4)
		return false;
	e = row->package.elements;
	if (e[0].type != ACPI_TYPE_INTEGER || e[1].type != ACPI_TYPE_INTEGER)
		return false;
	key = (struct acpi_prt){ e[0].integer.value, e[1].integer.value };
	return acpi_prt_is(&key, device, pin);
}

/* A row without a link names a GSI, asked for as PCI's lines are. */
static int
row_route(acpi_handle bus, const union acpi_object *row, unsigned *gsi,
    unsigned *flags)
{
	const union acpi_object *e = row->package.elements;
	acpi_handle link = NULL;

	if (e[2].type == ACPI_TYPE_LOCAL_REFERENCE)
		link = e[2].reference.handle;
	else if (e[2].type == ACPI_TYPE_STRING &&
	    ACPI_FAILURE(acpi_get_handle(bus, e[2].string.pointer, &link)))
		return -EINVAL;
	if (link != NULL)
		return link_route(link, gsi, flags);
	if (e[3].type != ACPI_TYPE_INTEGER)
		return -EINVAL;
	*gsi = e[3].integer.value;
	*flags = INTR_LEVEL | INTR_LOW;
	return 0;
}

/* -ENOENT: this bus has no table, or none of its rows fits. */
static int
table_route(acpi_handle bus, unsigned device, unsigned pin, unsigned *gsi,
    unsigned *flags, bool *has_table)
{
	struct acpi_buffer buf = { ACPI_ALLOCATE_BUFFER, NULL };
	const union acpi_object *prt;
	unsigned i, n;
	int error = acpi_errno(acpi_eval(bus, METHOD_NAME__PRT, NULL, &buf));

	*has_table = error == 0;
	if (error != 0)
		return error;
	prt = buf.pointer;
	n = prt != NULL && prt->type == ACPI_TYPE_PACKAGE ? prt->package.count :
							    0;
	error = -ENOENT;
	for (i = 0; i < n && error == -ENOENT; i++)
		if (row_is(&prt->package.elements[i], device, pin))
			error = row_route(bus, &prt->package.elements[i], gsi,
			    flags);
	acpi_os_free(buf.pointer);
	return error;
}

int
acpi_pci_route(struct device *dev, unsigned pin, unsigned *gsi, unsigned *flags)
{
	struct device *bus;
	acpi_handle handle;
	unsigned device;
	bool has_table;
	int error = acpi_need();

	if (error != 0)
		return error;
	for (; pci_is_function(dev); dev = bus) {
		bus = device_parent(dev);
		device = PCI_DEV(pci_dev_of(dev)->bdf);
		handle = companion(bus);
		has_table = false;
		error = handle == NULL ?
		    -ENOENT :
		    table_route(handle, device, pin, gsi, flags, &has_table);
		if (has_table || (error != 0 && error != -ENOENT))
			return error;
		pin = acpi_route_swizzle(device, pin);
	}
	return -ENOENT;
}

/* ---- _OSC ---- */

#define OSC_SUPPORT    0x17 /* extended space, ASPM, clock PM, segments, MSI */
#define OSC_HOTPLUG    0x01
#define OSC_PME        0x04
#define OSC_CAPABILITY 0x10 /* PCI Express' own structure */

/* 33db4d5b-1ff7-401c-9657-7441c03dd766 */
static const uint8_t osc_uuid[16] = { 0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c,
	0x40, 0x96, 0x57, 0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66 };

/* Whether it grants hot-plug; -ENOENT: there is no _OSC. */
static int
osc_ask(acpi_handle handle, bool *granted)
{
	uint32_t word[3] = { 0, OSC_SUPPORT,
		OSC_HOTPLUG | OSC_PME | OSC_CAPABILITY };
	union acpi_object arg[4], *o;
	struct acpi_object_list list = { 4, arg };
	struct acpi_buffer buf = { ACPI_ALLOCATE_BUFFER, NULL };
	int error;

	arg[0].buffer.type = arg[3].buffer.type = ACPI_TYPE_BUFFER;
	arg[0].buffer.length = sizeof(osc_uuid);
	arg[0].buffer.pointer = (u8 *)osc_uuid;
	arg[1].integer.type = arg[2].integer.type = ACPI_TYPE_INTEGER;
	arg[1].integer.value = 1; /* revision */
	arg[2].integer.value = ARRAY_SIZE(word);
	arg[3].buffer.length = sizeof(word);
	arg[3].buffer.pointer = (u8 *)word;
	error = acpi_errno(acpi_eval(handle, "_OSC", &list, &buf));
	if (error != 0)
		return error;
	o = buf.pointer;
	if (o == NULL || o->type != ACPI_TYPE_BUFFER ||
	    o->buffer.length < sizeof(word)) {
		acpi_os_free(o);
		return -EIO;
	}
	memcpy(word, o->buffer.pointer, sizeof(word));
	acpi_os_free(o);
	*granted = (word[0] & 0x6) == 0 && (word[2] & OSC_HOTPLUG) != 0;
	return 0;
}

bool
acpi_pcie_hotplug_is_ours(void)
{
	static struct mutex lock = MUTEX_INIT(lock);
	static bool asked, granted;
	int error;

	if (acpi_need() != 0 || host == NULL)
		return true;
	mutex_lock(&lock);
	if (!asked) {
		error = osc_ask(host, &granted);
		if (error == -ENOENT)
			granted = true;
		else if (error != 0)
			acpi_complain("_OSC: error %d", -error);
		asked = true;
	}
	mutex_unlock(&lock);
	return granted;
}

void
acpi_pci_forget(void)
{
	struct link *l;

	host = NULL;
	while ((l = links) != NULL) {
		links = l->next;
		kfree(l);
	}
}
