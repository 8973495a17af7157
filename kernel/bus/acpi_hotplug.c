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
 *
 * A host tells of all that it waits for each time that anything happens, so a
 * request may be noted again while it is carried out; by the time that it is
 * taken, somebody else may be in the slot.  Hence, after an ejection, all notes
 * for that slot are dropped, and the host is asked once more: the method that
 * brought the notes runs again, and what is still wanted it tells again.
 */
#include "bus/acpi_impl.h"
#include "bus/device.h"
#include "bus/pci.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/power.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>

#define OST_SUCCESS 0
#define OST_FAILURE 1
#define OCCUPIED_MS 50
#define EARLY_BYTES 16 /* of GPE0's status */

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
	/* What brings notes: a GPE's method, or a device's event; under lock */
	void (*again)(void *arg);
	void *again_arg;
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

/* ---- asking again ---- */

void
acpi_event_source(void (*again)(void *arg), void *arg)
{
	uint64_t state = spin_lock_irq(&notes.lock);

	notes.again = again;
	notes.again_arg = arg;
	spin_unlock_irq(&notes.lock, state);
}

/* ACPI 6.4, 5.6.4.1: one of the two is there. */
static void
run_gpe(void *arg)
{
	unsigned number = (uintptr_t)arg;
	char path[16];

	snprintf(path, sizeof(path), "\\_GPE._E%02X", number);
	if (acpi_eval_run(NULL, path, 0, NULL) != -ENOENT)
		return;
	snprintf(path, sizeof(path), "\\_GPE._L%02X", number);
	(void)acpi_eval_run(NULL, path, 0, NULL);
}

/*
 * Events that came before anybody listened: ACPICA clears them when it starts.
 * So until then each write to their register reads it before, clears only what
 * was read, and notes that; the methods run afterwards.
 */
static struct {
	uint64_t at; /* first port */
	unsigned n;  /* bytes; 0: nobody is starting */
	uint8_t seen[EARLY_BYTES];
} early;

void
acpi_events_note_early(void)
{
	const struct acpi_generic_address *block = &acpi_gbl_FADT.xgpe0_block;

	if (acpi_gbl_reduced_hardware || block->address == 0 ||
	    block->space_id != ACPI_ADR_SPACE_SYSTEM_IO)
		return;
	early.at = block->address;
	early.n = MIN(acpi_gbl_FADT.gpe0_block_length / 2, EARLY_BYTES);
}

u32
acpi_events_to_clear(acpi_io_address port, u32 value, u32 width)
{
	uint64_t i = port - early.at; /* below: far too large */
	u32 seen;

	if (i >= early.n || width != 8 ||
	    ACPI_FAILURE(acpi_os_read_port(port, &seen, 8)))
		return value;
	if (seen != 0xff) /* all: nothing is there */
		__atomic_fetch_or(&early.seen[i], seen, __ATOMIC_RELAXED);
	return value & seen;
}

void
acpi_events_catch_up(void)
{
	unsigned i, n = early.n;

	early.n = 0;
	for (i = 0; i < 8 * n; i++)
		if ((early.seen[i / 8] >> i % 8 & 1) != 0 &&
		    ACPI_FAILURE(acpi_os_execute(OSL_GPE_HANDLER, run_gpe,
			(void *)(uintptr_t)i)))
			acpi_complain("event %u: out of memory, lost", i);
}

/* Called in its interrupt. */
static void
event_seen(u32 type, acpi_handle device, u32 number, void *context)
{
	(void)device;
	(void)context;
	if (type == ACPI_EVENT_TYPE_GPE)
		acpi_event_source(run_gpe, (void *)(uintptr_t)number);
}

static void
drop_notes(acpi_handle handle, uint32_t value)
{
	uint64_t state = spin_lock_irq(&notes.lock);
	struct note **at = &notes.first, *n, *dropped = NULL;

	while ((n = *at) != NULL) {
		if (n->handle != handle || n->value != value) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		n->next = dropped;
		dropped = n;
	}
	spin_unlock_irq(&notes.lock, state);
	while ((n = dropped) != NULL) {
		dropped = n->next;
		kfree(n);
	}
}

static void
ask_again(acpi_handle handle)
{
	void (*again)(void *arg);
	void *arg;
	uint64_t state;

	acpi_os_wait_events_complete(); /* what was on its way is noted now */
	drop_notes(handle, ACPI_NOTIFY_EJECT_REQUEST);
	state = spin_lock_irq(&notes.lock);
	again = notes.again;
	arg = notes.again_arg;
	spin_unlock_irq(&notes.lock, state);
	if (again != NULL &&
	    ACPI_FAILURE(acpi_os_execute(OSL_GPE_HANDLER, again, arg)))
		acpi_complain("out of memory, a request may be lost");
}

/* ---- ejections ---- */

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
	if (error < 0)
		log_warn("%s: slot %u: ejecting: error %d", device_address(bus),
		    slot, -error);
	if (error > 0) /* what never leaves is not asked for ever and ever */
		acpi_os_sleep(OCCUPIED_MS);
	if (error >= 0)
		ask_again(handle);
	report(handle, ACPI_NOTIFY_EJECT_REQUEST, MIN(error, 0));
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
	int error = acpi_errno(
	    acpi_install_global_event_handler(event_seen, NULL));

	return error != 0 ?
	    error :
	    acpi_errno(acpi_install_notify_handler(ACPI_ROOT_OBJECT,
		ACPI_ALL_NOTIFY, notified, NULL));
}
