/* SPDX-License-Identifier: ISC */
/*
 * acpi.c - the interpreter's life: started once, by whoever needs it first or
 * by a thread of its own when the first program runs; never ended.
 *
 * What byte code does wrong ends its method, not the kernel: each such end is
 * one line in the log, up to COMPLAINTS of them.
 */
#include "bus/acpi_impl.h"
#include "bus/device.h"
#include "bus/acpi_tables.h"
#include "bus/firmware.h"
#include "bus/pci.h"
#include "kern/boot.h"
#include "kern/bootargs.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/power.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <linux/errno.h>

#define COMPLAINTS   32
#define LOOP_SECONDS 5 /* a While of the byte code ends after so long */

enum acpi_state {
	ACPI_ASLEEP, /* nobody has asked -> start_locked() */
	ACPI_READY,  /* tables are loaded, events arrive */
	ACPI_NONE,   /* no ACPI, or its tables cannot be used */
};

static struct {
	struct mutex lock;
	enum acpi_state state; /* under lock to change */
} acpi = { .lock = MUTEX_INIT(acpi.lock) };

static bool loaded; /* written once, before events arrive */

/* ---- what goes wrong ---- */

void
acpi_complain(const char *fmt, ...)
{
	static unsigned said;
	char text[128];
	va_list ap;
	unsigned n = __atomic_add_fetch(&said, 1, __ATOMIC_RELAXED);

	if (n > COMPLAINTS)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn("acpi0: %s%s", text,
	    n == COMPLAINTS ? "; no more is said" : "");
}

/* Called when a method ends in an error; that stays one. */
static acpi_status
method_failed(acpi_status status, acpi_name name, u16 opcode, u32 offset,
    void *context)
{
	char text[5] = { name, name >> 8, name >> 16, name >> 24, 0 };

	(void)context;
	if (!loaded)
		acpi_note_failure(status);
	acpi_complain("method %s: %s at 0x%x, opcode 0x%x",
	    name == 0 ? "outside" : text, acpi_format_exception(status), offset,
	    opcode);
	return status;
}

static int
check(const char *what, acpi_status status)
{
	if (ACPI_SUCCESS(status))
		return 0;
	log_warn("acpi0: not used: %s: %s", what,
	    acpi_format_exception(status));
	return acpi_errno(status);
}

/* ---- buttons ---- */

static void
pressed(void *context)
{
	(void)context;
	log_info("acpi0: power button pressed");
	power_button_pressed();
}

/* From its interrupt: what follows may take locks of any kind. */
static u32
power_button(void *context)
{
	if (ACPI_FAILURE(acpi_os_execute(OSL_NOTIFY_HANDLER, pressed, context)))
		acpi_complain("power button: out of memory");
	return ACPI_INTERRUPT_HANDLED;
}

/* ---- the start ---- */

/* The board is told that it has I/O APICs; one without _PIC need not know. */
static void
tell_pic(void)
{
	const uint64_t apic = 1;
	int error = acpi_eval_run(ACPI_ROOT_OBJECT, "_PIC", 1, &apic);

	if (error != 0 && error != -ENOENT)
		acpi_complain("_PIC: error %d", -error);
}

static int
load(void)
{
	int error;

	acpi_gbl_max_loop_iterations = LOOP_SECONDS;
	error = check("tables", acpi_initialize_tables(NULL, 16, TRUE));
	if (error == 0)
		error = check("subsystem", acpi_initialize_subsystem());
	if (error == 0)
		error = check("exceptions",
		    acpi_install_exception_handler(method_failed));
	if (error == 0)
		error = check("byte code", acpi_load_tables());
	if (error == 0 && acpi_load_has_failed())
		error = check("byte code", AE_BAD_DATA);
	loaded = true;
	return error;
}

static int
enable(void)
{
	int error = acpi_worker_start();

	acpi_events_note_early();
	if (error == 0)
		error = check("hardware",
		    acpi_enable_subsystem(ACPI_FULL_INITIALIZATION));
	if (error == 0)
		error = check("objects",
		    acpi_initialize_objects(ACPI_FULL_INITIALIZATION));
	if (error == 0)
		error = acpi_hotplug_init();
	return error;
}

/* Who was plugged in before anybody listened is found by a look. */
static void
look_once(void)
{
	struct device *bus = device_find("pci0000:00");

	if (bus != NULL)
		device_rescan_soon(bus);
	device_put(bus);
}

/* What is left is not worth giving up all the rest for. */
static void
events(void)
{
	acpi_status status = AE_OK;

	tell_pic();
	if (!acpi_gbl_reduced_hardware)
		status = acpi_install_fixed_event_handler(
		    ACPI_EVENT_POWER_BUTTON, power_button, NULL);
	if (ACPI_SUCCESS(status))
		status = acpi_update_all_gpes();
	acpi_events_open();
	acpi_events_catch_up();
	look_once();
	if (ACPI_FAILURE(status))
		acpi_complain("events: %s", acpi_format_exception(status));
}

static int
start_locked(void)
{
	const struct acpi_directory *dir = firmware_acpi();
	int error;

	if (dir == NULL)
		return -ENODEV;
	error = acpi_reserve_make();
	if (error == 0)
		error = load();
	if (error != 0)
		return error; /* half a namespace is best left alone */
	error = enable();
	if (error == 0)
		error = acpi_devices_look();
	if (error != 0) {
		acpi_devices_forget();
		if (!acpi_has_starved())
			(void)acpi_terminate(); /* says no more than AE_OK */
		return error;
	}
	events();
	if (acpi_gbl_reduced_hardware)
		log_info("acpi0 at root: ACPICA %x, %u tables, reduced "
			 "hardware",
		    ACPI_CA_VERSION, dir->ntables + 1);
	else
		log_info("acpi0 at root: ACPICA %x, %u tables, interrupt %u",
		    ACPI_CA_VERSION, dir->ntables + 1,
		    acpi_gbl_FADT.sci_interrupt);
	return 0;
}

bool
acpi_is_ready(void)
{
	return __atomic_load_n(&acpi.state, __ATOMIC_ACQUIRE) == ACPI_READY &&
	    !acpi_has_starved();
}

int
acpi_need(void)
{
	bool first;

	if (acpi_is_ready())
		return 0;
	if (bootargs()->acpi_off)
		return -ENODEV;
	mutex_lock(&acpi.lock);
	first = acpi.state == ACPI_ASLEEP;
	if (first)
		__atomic_store_n(&acpi.state,
		    start_locked() == 0 ? ACPI_READY : ACPI_NONE,
		    __ATOMIC_RELEASE);
	mutex_unlock(&acpi.lock);
	return acpi_is_ready() ? 0 : -ENODEV;
}

static void
background(void *arg)
{
	(void)arg;
	if (acpi_need() == 0)
		acpi_devices_add();
	thread_exit();
}

static void
with_program(void)
{
	struct thread *t;
	int error = thread_create("acpi-start", background, NULL, &t);

	if (error != 0) {
		log_warn("acpi0: no thread, error %d", -error);
		return;
	}
	t->nice = 19;
	thread_start(t);
}

/* Where nobody told of a root pointer, only boards with PCI have one. */
int
acpi_init(const struct boot_info *bi)
{
	static struct boot_later later = { .fn = with_program };

	if (!bootargs()->acpi_off &&
	    (bi->rsdp != 0 || pci_host_space() != NULL))
		boot_later(&later);
	return 0;
}

static bool
hardware_is_reduced(void)
{
	struct acpi_fadt fadt;
	uint8_t *t;
	size_t len;
	bool is;

	if (firmware_acpi_table("FACP", 0, &t, &len) != 0)
		return false;
	is = acpi_parse_fadt(t, len, &fadt) == 0 &&
	    (fadt.flags & ACPI_FADT_REDUCED) != 0;
	kfree(t);
	return is;
}

void
acpi_find_devices(void)
{
	const struct bootargs *args = bootargs();

	if (boot_info()->rsdp != 0 && !args->acpi_off && !args->virtio_mmio &&
	    hardware_is_reduced() && acpi_need() == 0)
		acpi_devices_add();
}

/* ---- the end ---- */

int
acpi_off_prepare(uint8_t type[2])
{
	acpi_status status;

	if (!acpi_is_ready())
		return -ENODEV;
	status = acpi_get_sleep_type_data(ACPI_STATE_S5, &type[0], &type[1]);
	if (ACPI_FAILURE(status))
		return acpi_errno(status);
	status = acpi_enter_sleep_state_prep(ACPI_STATE_S5);
	if (ACPI_FAILURE(status))
		acpi_complain("_PTS: %s", acpi_format_exception(status));
	return 0;
}
