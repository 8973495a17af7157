/* SPDX-License-Identifier: ISC */
/*
 * acpi_pci.c - PCI as ACPI's names know it: which of them is which function,
 * where its interrupt pins arrive (_PRT), who watches its slots (_OSC).
 * ACPI 6.4, 6.2.11, 6.2.13; PCI Firmware 3.3, 4.5.
 *
 * A link device is connected once, by who needs it first, and left so.
 */
#include "bus/acpi_impl.h"
#include "bus/acpi_route.h"
#include "bus/device.h"
#include "bus/intr.h"
#include "bus/pci.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include <linux/errno.h>

#define NPOSSIBLE 32

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

struct interrupts { /* of a resource list, the first that names some */
	uint32_t number[NPOSSIBLE];
	unsigned n, flags;
	struct acpi_resource resource; /* as it was, without its source */
};

static bool
is_interrupt(const struct acpi_resource *r)
{
	return r->type == ACPI_RESOURCE_TYPE_IRQ ||
	    r->type == ACPI_RESOURCE_TYPE_EXTENDED_IRQ;
}

static acpi_status
note_interrupts(struct acpi_resource *r, void *arg)
{
	struct interrupts *out = arg;
	struct acpi_resource_irq *irq = &r->data.irq;
	struct acpi_resource_extended_irq *ext = &r->data.extended_irq;
	bool isa = r->type == ACPI_RESOURCE_TYPE_IRQ;
	unsigned i, n;

	if (!is_interrupt(r))
		return AE_OK;
	n = isa ? irq->interrupt_count : ext->interrupt_count;
	for (i = 0; i < n && out->n < NPOSSIBLE; i++)
		out->number[out->n++] = isa ? irq->interrupts[i] :
					      ext->interrupts[i];
	out->flags = isa ? acpi_route_flags(irq->triggering, irq->polarity) :
			   acpi_route_flags(ext->triggering, ext->polarity);
	memcpy(&out->resource, r, MIN(r->length, sizeof(out->resource)));
	return AE_CTRL_TERMINATE;
}

static int
interrupts_of(acpi_handle handle, char *method, struct interrupts *out)
{
	memset(out, 0, sizeof(*out));
	return acpi_errno(
	    acpi_walk_resources(handle, method, note_interrupts, out));
}

static int
connect(acpi_handle handle, struct interrupts *possible, uint32_t number)
{
	struct acpi_resource r[2] = { possible->resource };
	struct acpi_buffer buf = { sizeof(r), r };

	r[0].length = sizeof(r[0]);
	if (r[0].type == ACPI_RESOURCE_TYPE_IRQ) {
		r[0].data.irq.interrupt_count = 1;
		r[0].data.irq.interrupts[0] = number;
	} else {
		memset(&r[0].data.extended_irq.resource_source, 0,
		    sizeof(r[0].data.extended_irq.resource_source));
		r[0].data.extended_irq.interrupt_count = 1;
		r[0].data.extended_irq.interrupts[0] = number;
	}
	r[1].type = ACPI_RESOURCE_TYPE_END_TAG;
	r[1].length = sizeof(r[1]);
	return acpi_errno(acpi_set_current_resources(handle, &buf));
}

/* _PRS may be missing where a link is connected for good. */
static int
link_connect(struct link *l, struct interrupts *now, struct interrupts *can)
{
	uint64_t sta = 0;
	uint32_t is, to;
	int error = interrupts_of(l->handle, METHOD_NAME__CRS, now);

	is = error == 0 && now->n > 0 ? now->number[0] : 0;
	error = interrupts_of(l->handle, METHOD_NAME__PRS, can);
	if (error != 0 && error != -ENOENT)
		return error;
	if (can->n == 0 && is == 0)
		return -ENOSPC;
	to = can->n == 0 ? is : acpi_route_choose(can->number, can->n, is);
	if (to == 0)
		return -ENOSPC;
	(void)acpi_eval_integer(l->handle, METHOD_NAME__STA, &sta);
	if (to != is || (sta & ACPI_STA_DEVICE_ENABLED) == 0)
		error = can->n == 0 ? 0 : connect(l->handle, can, to);
	else
		error = 0;
	l->gsi = to;
	l->flags = can->n == 0 ? now->flags : can->flags;
	return error;
}

static struct link *
link_make_locked(acpi_handle handle)
{
	struct link *l = kzalloc(sizeof(*l));
	struct interrupts *both = kmalloc(2 * sizeof(*both));

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
link_route(const char *path, unsigned *gsi, unsigned *flags)
{
	acpi_handle handle;
	struct link *l;
	int error = acpi_errno(
	    acpi_get_handle(NULL, (acpi_string)path, &handle));

	if (error != 0)
		return error;
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

/* A row without a link names a GSI, asked for as PCI's lines are. */
static int
row_route(const struct acpi_pci_routing_table *row, unsigned *gsi,
    unsigned *flags)
{
	if (row->source[0] != '\0')
		return link_route(row->source, gsi, flags);
	*gsi = row->source_index;
	*flags = INTR_LEVEL | INTR_LOW;
	return 0;
}

/* -ENOENT: this bus has no table, or none of its rows fits. */
static int
table_route(acpi_handle bus, unsigned device, unsigned pin, unsigned *gsi,
    unsigned *flags, bool *has_table)
{
	struct acpi_buffer buf = { ACPI_ALLOCATE_BUFFER, NULL };
	const struct acpi_pci_routing_table *row;
	struct acpi_prt key;
	int error = acpi_errno(acpi_get_irq_routing_table(bus, &buf));

	*has_table = error == 0;
	if (error != 0)
		return error;
	error = -ENOENT;
	for (row = buf.pointer; row->length != 0;
	     row = (const void *)((const char *)row + row->length)) {
		key = (struct acpi_prt){ row->address, row->pin };
		if (!acpi_prt_is(&key, device, pin))
			continue;
		error = row_route(row, gsi, flags);
		break;
	}
	kfree(buf.pointer);
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
	error = acpi_errno(acpi_evaluate_object(handle, "_OSC", &list, &buf));
	if (error != 0)
		return error;
	o = buf.pointer;
	if (o == NULL || o->type != ACPI_TYPE_BUFFER ||
	    o->buffer.length < sizeof(word)) {
		kfree(o);
		return -EIO;
	}
	memcpy(word, o->buffer.pointer, sizeof(word));
	kfree(o);
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
