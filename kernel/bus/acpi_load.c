/* SPDX-License-Identifier: ISC */
/*
 * acpi_load.c - what becomes of ACPICA where it fails in ways that it does not
 * survive: tables that fail while they are loaded, and memory that runs out.
 *
 * ACPICA takes down what such a table has made, or goes on with it, and in both
 * ways uses what it has freed.  So a failure is only noted (mk/third.mk puts
 * these functions in the place of its own), all stays as it is, and nothing of
 * it is used.  That something is named twice, or is missing, ends no table.
 *
 * Where memory runs out in the middle of its work, it forgets to count a
 * reference here, uses a missing object there.  So it never does: the rest of
 * what is under way gets its memory from a reserve, and then nothing is asked
 * of it any more.
 */
#include "bus/acpi_impl.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

#define RESERVE 0x8000 /* bytes */

static bool failed;
static bool starved; /* [a] for ever */
static char *reserve;
static size_t reserve_used; /* [a] */

int
acpi_reserve_make(void)
{
	if (reserve == NULL)
		reserve = kmalloc(RESERVE);
	return reserve == NULL ? -ENOMEM : 0;
}

/* Once, the first time: for what is under way on any processor. */
static void *
reserve_take(size_t size)
{
	size_t at;

	if (!__atomic_exchange_n(&starved, true, __ATOMIC_ACQ_REL))
		log_warn("acpi0: out of memory, not used any more");
	size = ROUND_UP(size, 16);
	if (reserve == NULL || size > RESERVE)
		return NULL;
	at = __atomic_fetch_add(&reserve_used, size, __ATOMIC_RELAXED);
	return at > RESERVE - size ? NULL : memset(reserve + at, 0, size);
}

void *
acpi_os_allocate(acpi_size size)
{
	void *p = acpi_stack_is_short() ? NULL : kmalloc(size);

	return p != NULL ? p : reserve_take(size);
}

void *
acpi_os_allocate_zeroed(acpi_size size)
{
	void *p = acpi_stack_is_short() ? NULL : kzalloc(size);

	return p != NULL ? p : reserve_take(size);
}

void
acpi_os_free(void *p)
{
	uintptr_t at = (uintptr_t)p, begin = (uintptr_t)reserve;

	if (at < begin || at >= begin + RESERVE)
		kfree(p);
}

bool
acpi_has_starved(void)
{
	return __atomic_load_n(&starved, __ATOMIC_ACQUIRE);
}

void
acpi_note_failure(acpi_status status)
{
	if (status != AE_NOT_FOUND && status != AE_ALREADY_EXISTS)
		failed = true;
}

bool
acpi_load_has_failed(void)
{
	return failed || acpi_has_starved();
}

void
acpi_os_keep_nodes(acpi_owner_id id)
{
	(void)id;
	failed = true;
}

acpi_status
acpi_os_keep_owner(u32 index)
{
	(void)index;
	return AE_OK;
}

/* Of a method that is called, for a trace that nobody reads: NULL will do. */
char *
acpi_os_no_name(struct acpi_namespace_node *node, u8 no_trailing)
{
	(void)node;
	(void)no_trailing;
	return NULL;
}

acpi_status
acpi_os_loaded(void)
{
	return acpi_load_has_failed() ? AE_BAD_DATA :
					acpi_ns_initialize_objects();
}
