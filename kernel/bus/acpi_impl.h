/* SPDX-License-Identifier: ISC */
/*
 * acpi_impl.h - what the files around ACPICA tell each other.
 */
#ifndef BUS_ACPI_IMPL_H
#define BUS_ACPI_IMPL_H

#include "bus/acpi.h"

#include <acpi/acpi.h>

/* Is it running?  What needs no start asks this. */
bool acpi_is_ready(void);

/* ACPICA's word for an errno; 0 for AE_OK. */
int acpi_errno(acpi_status status);

/* Warns, but not for ever: the byte code may repeat itself. */
void acpi_complain(const char *fmt, ...) __printflike(1, 2);

/* Its worker, where GPE methods and Notify handlers run.  -ENOMEM */
int acpi_worker_start(void);

/*
 * The integer that `name` below `handle` evaluates to.
 *   -ENOENT  there is none, or it is no integer; -EIO its method failed
 */
int acpi_eval_integer(acpi_handle handle, const char *name, uint64_t *out);
/*
 * The buffer that `name` evaluates to, read as resources.
 *   -EINVAL  they make no sense; the others as above
 */
struct acpi_resources;
int acpi_eval_resources(acpi_handle handle, const char *name,
    struct acpi_resources *out);
/* Runs a method with `nargs` integers, its result dropped; the same errors. */
int acpi_eval_run(acpi_handle handle, const char *name, unsigned nargs,
    const uint64_t *args);
/* Whether _HID is that one: "PNP0A03", as a number or as text. */
bool acpi_hid_is(acpi_handle handle, const char *id);
/* Whether _STA says that it is there; without _STA it is. */
bool acpi_is_present(acpi_handle handle);

/*
 * One walk over all devices, called when the namespace stands: notes PCI's
 * host bridge, virtio's places and event devices.  -ENOMEM
 */
int acpi_devices_look(void);
/* Adds what the walk has found to the device tree. */
void acpi_devices_add(void);
/* Frees what the walk has found, when the start fails after it. */
void acpi_devices_forget(void);
/* Has the event devices' interrupts arrive. */
void acpi_events_open(void);

void acpi_pci_host_set(acpi_handle handle); /* by the walk */
acpi_handle acpi_pci_host(void);            /* NULL: none */
bool acpi_handle_is_host(acpi_handle handle);
void acpi_pci_forget(void); /* with acpi_devices_forget() */

/*
 * While tables are loaded: their code failed; and whether any did, so that the
 * namespace is not to be trusted.
 */
void acpi_note_failure(acpi_status status);
bool acpi_load_has_failed(void);
/* What is left when there is no memory; before the start.  -ENOMEM */
int acpi_reserve_make(void);
/* Whether the running thread is near its stack's end. */
bool acpi_stack_is_short(void);
/*
 * An allocation of ACPICA's failed: from now on it is asked nothing, and runs
 * nothing by itself.  Any context.
 */
bool acpi_has_starved(void);
/* acpi_evaluate_object(), unless it is not to be asked: AE_NO_MEMORY. */
acpi_status acpi_eval(acpi_handle handle, const char *name,
    struct acpi_object_list *args, struct acpi_buffer *result);
struct acpi_namespace_node;

/* Called by ACPICA, in the place of its own functions: acpi_load.c. */
void acpi_os_keep_nodes(acpi_owner_id id);
acpi_status acpi_os_keep_owner(u32 index);
acpi_status acpi_os_loaded(void);
char *acpi_os_no_name(struct acpi_namespace_node *node, u8 no_trailing);
acpi_status acpi_ns_initialize_objects(void); /* its own next step */

/* What can be run to have everything told again; any context. */
void acpi_event_source(void (*again)(void *arg), void *arg);

/* Events that came before ACPICA's hardware start: noted, and made good. */
void acpi_events_note_early(void);
void acpi_events_catch_up(void);
/* What to write to a port where ACPICA wants to write that: of the events of
 * the time before, only those that were noted are cleared. */
u32 acpi_events_to_clear(acpi_io_address port, u32 value, u32 width);

/* Installs the handler of Notify; before GPEs are enabled. */
int acpi_hotplug_init(void);

#endif
