/* SPDX-License-Identifier: ISC */
/*
 * acpi_devices.c - the devices that ACPI alone names: virtio behind a page of
 * registers (LNRO0005), and generic event devices (ACPI0013; ACPI 6.4, 5.6.9),
 * whose interrupts are the GPEs of boards that have none.
 */
#include "bus/acpi_impl.h"
#include "bus/acpi_route.h"
#include "bus/intr.h"
#include "bus/virtio_mmio.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

struct place { /* of an LNRO0005 */
	struct place *next;
	struct virtio_mmio_place at;
	unsigned flags;
	bool has_irq;
};

struct event_line { /* one interrupt of an ACPI0013 */
	struct event_line *next;
	acpi_handle device;
	unsigned gsi, flags;
	struct intr_source *source;
	struct intr_handler *handler;
};

/* Filled by the walk, then read only. */
static struct place *places, **last_place = &places;
static struct event_line *lines;

/* ---- virtio ---- */

static acpi_status
read_place(struct acpi_resource *r, void *arg)
{
	struct place *p = arg;
	const struct acpi_resource_extended_irq *ext = &r->data.extended_irq;
	struct acpi_resource_address64 a;

	if (r->type == ACPI_RESOURCE_TYPE_EXTENDED_IRQ &&
	    ext->interrupt_count > 0 && !p->has_irq) {
		p->at.irq = ext->interrupts[0];
		p->flags = acpi_route_flags(ext->triggering, ext->polarity);
		p->has_irq = true;
	} else if (r->type == ACPI_RESOURCE_TYPE_FIXED_MEMORY32 &&
	    p->at.size == 0) {
		p->at.addr = r->data.fixed_memory32.address;
		p->at.size = r->data.fixed_memory32.address_length;
	} else if (p->at.size == 0 &&
	    ACPI_SUCCESS(acpi_resource_to_address64(r, &a)) &&
	    a.resource_type == ACPI_MEMORY_RANGE) {
		p->at.addr = a.address.minimum;
		p->at.size = a.address.address_length;
	}
	return AE_OK;
}

static int
note_virtio(acpi_handle handle)
{
	struct place *p = kzalloc(sizeof(*p));
	acpi_status status;

	if (p == NULL)
		return -ENOMEM;
	p->at.id = UINT32_MAX;
	status = acpi_walk_resources(handle, METHOD_NAME__CRS, read_place, p);
	if (ACPI_FAILURE(status) || !p->has_irq || p->at.size == 0) {
		acpi_complain("LNRO0005 without memory or interrupt, ignored");
		kfree(p);
		return 0;
	}
	*last_place = p;
	last_place = &p->next;
	return 0;
}

/* One that the command line has named is there already: -EEXIST. */
void
acpi_devices_add(void)
{
	struct place *p;
	int error;

	for (p = places; p != NULL; p = p->next) {
		error = virtio_mmio_add(&p->at, p->flags);
		if (error == -EINVAL)
			log_warn("acpi0: LNRO0005 at 0x%lx makes no sense, "
				 "ignored",
			    p->at.addr);
		else if (error != 0 && error != -ENODEV && error != -EEXIST)
			log_warn("acpi0: LNRO0005 at 0x%lx: error %d",
			    p->at.addr, -error);
	}
}

/* ---- generic event devices ---- */

static void
run_event(void *arg)
{
	struct event_line *l = arg;
	const uint64_t gsi = l->gsi;
	int error = acpi_eval_run(l->device, "_EVT", 1, &gsi);

	if (error != 0)
		acpi_complain("_EVT of interrupt %u: error %d", l->gsi, -error);
	if ((l->flags & INTR_LEVEL) != 0)
		intr_unmask(l->source);
}

/* A level stays until the method has asked the device: masked until then. */
static bool
event_intr(void *arg)
{
	struct event_line *l = arg;

	if ((l->flags & INTR_LEVEL) != 0)
		intr_mask(l->source);
	if (ACPI_FAILURE(acpi_os_execute(OSL_GPE_HANDLER, run_event, l))) {
		acpi_complain("event %u: out of memory, lost", l->gsi);
		if ((l->flags & INTR_LEVEL) != 0)
			intr_unmask(l->source);
	}
	return true;
}

static void
line_open(struct event_line *l)
{
	int error = intr_gsi_get(l->gsi, l->flags, &l->source);

	if (error == 0)
		error = intr_establish(l->source, event_intr, l, "acpi0",
		    &l->handler);
	if (error == 0)
		return;
	log_warn("acpi0: event interrupt %u: error %d", l->gsi, -error);
	intr_put(l->source);
	l->source = NULL;
}

static acpi_status
read_line(struct acpi_resource *r, void *arg)
{
	const struct acpi_resource_extended_irq *ext = &r->data.extended_irq;
	struct event_line *l;

	if (r->type != ACPI_RESOURCE_TYPE_EXTENDED_IRQ ||
	    ext->interrupt_count == 0)
		return AE_OK;
	l = kzalloc(sizeof(*l));
	if (l == NULL)
		return AE_NO_MEMORY;
	l->device = arg;
	l->gsi = ext->interrupts[0];
	l->flags = acpi_route_flags(ext->triggering, ext->polarity);
	l->next = lines;
	lines = l;
	return AE_OK;
}

void
acpi_events_open(void)
{
	struct event_line *l;

	for (l = lines; l != NULL; l = l->next)
		line_open(l);
}

/* ---- the walk ---- */

static acpi_status
visit(acpi_handle handle, u32 depth, void *arg, void **result)
{
	int *error = arg;
	acpi_handle hid;

	(void)depth;
	(void)result;
	if (ACPI_FAILURE(acpi_get_handle(handle, "_HID", &hid)))
		return AE_OK;
	if (acpi_hid_is(handle, "LNRO0005") && acpi_is_present(handle))
		*error = note_virtio(handle);
	else if (acpi_hid_is(handle, "ACPI0013") && acpi_is_present(handle))
		*error = acpi_errno(acpi_walk_resources(handle,
		    METHOD_NAME__CRS, read_line, handle));
	else if (acpi_hid_is(handle, "PNP0A03") ||
	    acpi_hid_is(handle, "PNP0A08"))
		acpi_pci_host_set(handle);
	return *error == -ENOMEM ? AE_NO_MEMORY : AE_OK;
}

int
acpi_devices_look(void)
{
	int error = 0;
	acpi_status status = acpi_walk_namespace(ACPI_TYPE_DEVICE,
	    ACPI_ROOT_OBJECT, UINT32_MAX, visit, NULL, &error, NULL);

	return ACPI_FAILURE(status) ? acpi_errno(status) : 0;
}
