/* SPDX-License-Identifier: ISC */
/*
 * acpi_hotplug.c - what Notify tells of PCI's buses and slots.  ACPI 6.4,
 * 5.6.6; QEMU's docs/specs/acpi_pci_hotplug.
 *
 * The handler only notes what it was told: a detach may wait for a program,
 * and byte code must go on meanwhile.  A thread, made with the first event,
 * takes the notes one by one, each of them once:
 *
 *   0  bus check     look at that bus
 *   1  device check  look at the bus that the slot is on
 *   3  eject         take away what is in the slot, then _EJ0; _OST if asked
 *
 * What is in a slot that was emptied without a word is found gone by any look.
 */
#include "bus/acpi_impl.h"
#include "bus/device.h"
#include "bus/pci.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/power.h"
#include "kern/spinlock.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>

#define OST_SUCCESS 0
#define OST_FAILURE 1

struct note {
	struct note *next;
	acpi_handle handle;
	uint32_t value;
};

static struct {
	struct spinlock lock;
	struct note *first; /* under lock */
	struct waitq wq;
	bool has_thread; /* only ACPICA's worker writes it */
} notes = { .wq = WAITQ_INIT(notes.wq) };

/* ---- places ---- */

static struct device *bus_node(acpi_handle handle);

/* The node of the function that a name below `parent` stands for, or NULL. */
static struct device *
function_node(acpi_handle parent, unsigned devfn)
{
	struct device *bus = bus_node(parent), *dev;

	if (bus == NULL)
		return NULL;
	dev = pci_find(bus, devfn);
	device_put(bus);
	return dev;
}

/* The bus that a name stands for; a reference, or NULL: none is there. */
static struct device *
bus_node(acpi_handle handle)
{
	acpi_handle parent;
	uint64_t adr;

	if (acpi_handle_is_host(handle))
		return device_find("pci0000:00");
	if (ACPI_FAILURE(acpi_get_parent(handle, &parent)) ||
	    acpi_eval_integer(handle, METHOD_NAME__ADR, &adr) != 0 ||
	    adr >> 16 > 31 || (adr & 0xffff) > 7)
		return NULL;
	return function_node(parent, (adr >> 16) << 3 | (adr & 0xffff));
}

/* The bus of the slot that a name stands for; NULL: it is none of PCI's. */
static struct device *
slot_bus(acpi_handle handle, unsigned *slot)
{
	acpi_handle parent;
	uint64_t adr;

	if (acpi_handle_is_host(handle) ||
	    ACPI_FAILURE(acpi_get_parent(handle, &parent)) ||
	    acpi_eval_integer(handle, METHOD_NAME__ADR, &adr) != 0 ||
	    adr >> 16 > 31)
		return NULL;
	*slot = adr >> 16;
	return bus_node(parent);
}

/* ---- what is done ---- */

static void
say_looked(struct device *bus, int error)
{
	if (error != 0 && error != -ENODEV && error != -EOPNOTSUPP)
		log_warn("%s: rescan: error %d", device_address(bus), -error);
}

static void
look_at_bus(acpi_handle handle)
{
	struct device *bus = bus_node(handle);

	if (bus == NULL)
		return;
	say_looked(bus, device_rescan(bus));
	device_put(bus);
}

static void
look_at_slot(acpi_handle handle)
{
	unsigned slot;
	struct device *bus = slot_bus(handle, &slot);

	if (bus == NULL) {
		look_at_bus(handle);
		return;
	}
	say_looked(bus, device_rescan(bus));
	device_put(bus);
}

static int
switch_off(void *arg)
{
	const uint64_t yes = 1;

	return acpi_eval_run(arg, "_EJ0", 1, &yes);
}

/* Most hosts do not want to know. */
static void
report(acpi_handle handle, uint32_t value, int error)
{
	const uint64_t args[2] = { value,
		error == 0 ? OST_SUCCESS : OST_FAILURE };
	acpi_handle ost;

	if (ACPI_SUCCESS(acpi_get_handle(handle, "_OST", &ost)))
		(void)acpi_eval_run(handle, "_OST", 2, args);
}

static void
eject(acpi_handle handle)
{
	unsigned slot;
	struct device *bus = slot_bus(handle, &slot);
	int error;

	if (bus == NULL) {
		acpi_complain("asked to eject what is not on a PCI bus");
		report(handle, ACPI_NOTIFY_EJECT_REQUEST, -ENODEV);
		return;
	}
	error = pci_eject(bus, slot, switch_off, handle);
	if (error != 0)
		log_warn("%s: slot %u: ejecting: error %d", device_address(bus),
		    slot, -error);
	report(handle, ACPI_NOTIFY_EJECT_REQUEST, error);
	device_put(bus);
}

static void
act(const struct note *n)
{
	switch (n->value) {
	case ACPI_NOTIFY_BUS_CHECK: look_at_bus(n->handle); break;
	case ACPI_NOTIFY_DEVICE_CHECK: look_at_slot(n->handle); break;
	case ACPI_NOTIFY_EJECT_REQUEST: eject(n->handle); break;
	}
}

/* ---- notes ---- */

static struct note *
take(void)
{
	uint64_t state = spin_lock_irq(&notes.lock);
	struct note *n = notes.first;

	if (n != NULL)
		notes.first = n->next;
	spin_unlock_irq(&notes.lock, state);
	return n;
}

static void
hotplug(void *arg)
{
	struct note *n;

	(void)arg;
	for (;;) {
		wait_event(&notes.wq, (n = take()) != NULL);
		act(n);
		kfree(n);
	}
}

static int
need_thread(void)
{
	struct thread *t;
	int error = 0;

	if (!notes.has_thread) {
		error = thread_create("acpi-hotplug", hotplug, NULL, &t);
		if (error == 0) {
			notes.has_thread = true;
			thread_start(t);
		}
	}
	return error;
}

/*
 * The same note that still waits at the end stands for both; one further ahead
 * does not, as what lies between may undo it.
 */
static bool
add(struct note *n)
{
	uint64_t state = spin_lock_irq(&notes.lock);
	struct note **at = &notes.first, *last = NULL;
	bool fresh;

	for (; *at != NULL; at = &last->next)
		last = *at;
	fresh = last == NULL || last->handle != n->handle ||
	    last->value != n->value;
	if (fresh)
		*at = n;
	spin_unlock_irq(&notes.lock, state);
	return fresh;
}

static void
note(acpi_handle handle, uint32_t value)
{
	struct note *n = kzalloc(sizeof(*n));
	int error = n == NULL ? -ENOMEM : need_thread();

	if (error != 0) {
		acpi_complain("a hot-plug event is lost: error %d", -error);
		kfree(n);
		return;
	}
	n->handle = handle;
	n->value = value;
	if (add(n))
		waitq_wake_all(&notes.wq);
	else
		kfree(n);
}

/* Called by ACPICA's worker. */
static void
notified(acpi_handle handle, u32 value, void *context)
{
	(void)context;
	switch (value) {
	case ACPI_NOTIFY_BUS_CHECK:
	case ACPI_NOTIFY_DEVICE_CHECK:
	case ACPI_NOTIFY_EJECT_REQUEST: note(handle, value); break;
	case 0x80: /* a button's own */
		if (acpi_hid_is(handle, "PNP0C0C")) {
			log_info("acpi0: power button pressed");
			power_button_pressed();
		}
		break;
	}
}

int
acpi_hotplug_init(void)
{
	return acpi_errno(acpi_install_notify_handler(ACPI_ROOT_OBJECT,
	    ACPI_ALL_NOTIFY, notified, NULL));
}
