/* SPDX-License-Identifier: ISC */
/*
 * acpi_devices.c - the devices that ACPI alone names: virtio behind a page of
 * registers (LNRO0005), and generic event devices (ACPI0013; ACPI 6.4, 5.6.9),
 * whose interrupts are the GPEs of boards that have none.
 */
#include "bus/acpi_impl.h"
#include "bus/acpi_resource.h"
#include "bus/intr.h"
#include "bus/virtio_mmio.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

struct place { /* of an LNRO0005 */
	struct place *next;
	struct virtio_mmio_place at;
	unsigned flags; /* INTR_* */
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

static int
note_virtio(acpi_handle handle)
{
	struct acpi_resources r;
	struct place *p;
	int error = acpi_eval_resources(handle, METHOD_NAME__CRS, &r);

	if (error == -ENOMEM)
		return error;
	if (error != 0 || r.nirqs == 0 || r.size == 0) {
		acpi_complain("LNRO0005 without memory or interrupt, ignored");
		return 0;
	}
	p = kzalloc(sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	p->at = (struct virtio_mmio_place){ r.base, r.size, r.irq[0],
		UINT32_MAX };
	p->flags = r.irq_flags;
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
run_method(void *arg)
{
	struct event_line *l = arg;
	const uint64_t gsi = l->gsi;
	int error = acpi_eval_run(l->device, "_EVT", 1, &gsi);

	acpi_event_source(run_method, l);
	if (error != 0)
		acpi_complain("_EVT of interrupt %u: error %d", l->gsi, -error);
}

static void
run_event(void *arg)
{
	struct event_line *l = arg;

	run_method(l);
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

static int
note_events(acpi_handle handle)
{
	struct acpi_resources r;
	struct event_line *l;
	unsigned i;
	int error = acpi_eval_resources(handle, METHOD_NAME__CRS, &r);

	if (error == -ENOMEM)
		return error;
	if (error != 0)
		acpi_complain("ACPI0013 without interrupts, ignored");
	for (i = 0; i < r.nirqs; i++) {
		l = kzalloc(sizeof(*l));
		if (l == NULL)
			return -ENOMEM;
		l->device = handle;
		l->gsi = r.irq[i];
		l->flags = r.irq_flags;
		l->next = lines;
		lines = l;
	}
	return 0;
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
		*error = note_events(handle);
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

/* No line has been opened yet. */
void
acpi_devices_forget(void)
{
	struct place *p;
	struct event_line *l;

	while ((p = places) != NULL) {
		places = p->next;
		kfree(p);
	}
	last_place = &places;
	while ((l = lines) != NULL) {
		lines = l->next;
		kfree(l);
	}
	acpi_pci_forget();
}
