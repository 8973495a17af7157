/* SPDX-License-Identifier: ISC */
/*
 * acpi_osl_io.c - what ACPICA asks of a kernel: its tables, and the ports, the
 * memory and the configuration space that byte code wants.  Each access goes
 * through acpi_access.h; a refused one is told in the log and ends the method.
 */
#include "bus/acpi_access.h"
#include "bus/acpi_aml.h"
#include "bus/acpi_impl.h"
#include "bus/firmware.h"
#include "bus/pci.h"
#include "kern/boot.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "x86/io.h"
#include "x86/layout.h"

#define CALL_SPARE    256       /* bytes, more than calls in calls can take */
#define REGISTERS_MAX 0x1000000 /* bytes, all mappings added up */

/* ---- tables ---- */

acpi_physical_address
acpi_os_get_root_pointer(void)
{
	return firmware_acpi_root();
}

acpi_status
acpi_os_predefined_override(const struct acpi_predefined_names *name,
    acpi_string *value)
{
	(void)name;
	*value = NULL;
	return AE_OK;
}

static bool
is_code(const struct acpi_table_header *t)
{
	return memcmp(t->signature, ACPI_SIG_DSDT, 4) == 0 ||
	    memcmp(t->signature, ACPI_SIG_SSDT, 4) == 0 ||
	    memcmp(t->signature, ACPI_SIG_PSDT, 4) == 0;
}

/* Without its contents, as the sum has to be right. */
static void
make_empty(struct acpi_table_header *t)
{
	t->length = sizeof(*t);
	t->checksum = 0;
	t->checksum = -bytes_sum((const uint8_t *)t, sizeof(*t));
}

/*
 * A call at the very end that lacks its arguments finds zeros there.
 *
 * The interpreter gets a copy of its own, which nobody changes behind its back,
 * and whose code is well-formed.  Tables stay for ever, and so do copies.
 */
acpi_status
acpi_os_table_override(struct acpi_table_header *table,
    struct acpi_table_header **other)
{
	uint32_t length = get32((const uint8_t *)table + 4); /* unaligned */
	struct acpi_table_header *copy;
	size_t at = 0;
	int error;

	*other = NULL;
	if (!is_code(table))
		return AE_OK;
	if (length < sizeof(*copy) || length > ACPI_MAP_MAX)
		return AE_BAD_HEADER;
	copy = kzalloc(length + CALL_SPARE);
	if (copy == NULL)
		return AE_NO_MEMORY;
	memcpy(copy, table, length);
	copy->length = length;
	error = acpi_aml_check((const uint8_t *)(copy + 1),
	    length - sizeof(*copy), &at);
	if (error != 0) {
		acpi_complain("table %.4s: malformed at 0x%lx, not used",
		    copy->signature, sizeof(*copy) + at);
		make_empty(copy);
	}
	*other = copy;
	return AE_OK;
}

acpi_status
acpi_os_physical_table_override(struct acpi_table_header *table,
    acpi_physical_address *at, u32 *length)
{
	(void)table;
	*at = 0;
	*length = 0;
	return AE_OK;
}

/* ---- memory ---- */

/* mmio_map() finds what was mapped before, so unmapping has nothing to do. */
static void *
map(acpi_physical_address pa, acpi_size len)
{
	const struct boot_info *bi = boot_info();

	switch (acpi_memory_reach(bi->range, bi->nranges, pa, len)) {
	case ACPI_REACH_MEMORY: return (void *)(KVA_DIRECT + pa);
	case ACPI_REACH_REGISTERS: return (void *)(uintptr_t)mmio_map(pa, len);
	default:
		acpi_complain("access to %lu bytes of memory at 0x%lx refused",
		    (unsigned long)len, (unsigned long)pa);
		return NULL;
	}
}

/* Mappings stay, so byte code may have only so many. */
void *
acpi_os_map_memory(acpi_physical_address pa, acpi_size len)
{
	static uint64_t mapped;

	if (len > REGISTERS_MAX - __atomic_load_n(&mapped, __ATOMIC_RELAXED)) {
		acpi_complain("memory at 0x%lx: 16 MiB are mapped already",
		    (unsigned long)pa);
		return NULL;
	}
	__atomic_add_fetch(&mapped, len, __ATOMIC_RELAXED);
	return map(pa, len);
}

void
acpi_os_unmap_memory(void *va, acpi_size len)
{
	(void)va;
	(void)len;
}

acpi_status
acpi_os_read_memory(acpi_physical_address pa, u64 *value, u32 width)
{
	volatile void *va = map(pa, width / 8);

	if (va == NULL)
		return AE_AML_ILLEGAL_ADDRESS;
	switch (width) {
	case 8: *value = *(volatile uint8_t *)va; break;
	case 16: *value = *(volatile uint16_t *)va; break;
	case 32: *value = *(volatile uint32_t *)va; break;
	case 64: *value = *(volatile uint64_t *)va; break;
	default: return AE_BAD_PARAMETER;
	}
	return AE_OK;
}

acpi_status
acpi_os_write_memory(acpi_physical_address pa, u64 value, u32 width)
{
	volatile void *va = map(pa, width / 8);

	if (va == NULL)
		return AE_AML_ILLEGAL_ADDRESS;
	switch (width) {
	case 8: *(volatile uint8_t *)va = value; break;
	case 16: *(volatile uint16_t *)va = value; break;
	case 32: *(volatile uint32_t *)va = value; break;
	case 64: *(volatile uint64_t *)va = value; break;
	default: return AE_BAD_PARAMETER;
	}
	return AE_OK;
}

/* ---- ports ---- */

static bool
ports_refused(acpi_io_address port, u32 width)
{
	if (acpi_ports_allowed(port, width / 8))
		return false;
	acpi_complain("access to port 0x%lx refused", (unsigned long)port);
	return true;
}

acpi_status
acpi_os_read_port(acpi_io_address port, u32 *value, u32 width)
{
	*value = UINT32_MAX;
	if (ports_refused(port, width))
		return AE_AML_ILLEGAL_ADDRESS;
	switch (width) {
	case 8: *value = inb(port); break;
	case 16: *value = inw(port); break;
	case 32: *value = inl(port); break;
	default: return AE_BAD_PARAMETER;
	}
	return AE_OK;
}

acpi_status
acpi_os_write_port(acpi_io_address port, u32 value, u32 width)
{
	if (ports_refused(port, width))
		return AE_AML_ILLEGAL_ADDRESS;
	value = acpi_events_to_clear(port, value, width);
	switch (width) {
	case 8: outb(port, value); break;
	case 16: outw(port, value); break;
	case 32: outl(port, value); break;
	default: return AE_BAD_PARAMETER;
	}
	return AE_OK;
}

/* ---- PCI configuration space ---- */

/* Which function; *space NULL: there is no PCI in this segment. */
static bool
config_place(const struct acpi_pci_id *id, u32 reg, u32 width,
    const struct pci_space **space, uint16_t *bdf)
{
	*space = id->segment == 0 ? pci_host_space() : NULL;
	*bdf = PCI_BDF(id->bus, id->device, id->function);
	return id->bus < 256 && id->device < 32 && id->function < 8 &&
	    (width == 8 || width == 16 || width == 32) &&
	    reg % (width / 8) == 0 && reg <= 4096 - width / 8;
}

acpi_status
acpi_os_read_pci_configuration(struct acpi_pci_id *id, u32 reg, u64 *value,
    u32 width)
{
	const struct pci_space *space;
	uint16_t bdf;

	*value = 0;
	if (!config_place(id, reg, width, &space, &bdf))
		return AE_BAD_PARAMETER;
	*value = space == NULL ? UINT32_MAX :
				 pci_cfg_read(space, bdf, reg, width / 8);
	return AE_OK;
}

acpi_status
acpi_os_write_pci_configuration(struct acpi_pci_id *id, u32 reg, u64 value,
    u32 width)
{
	const struct pci_space *space;
	uint16_t bdf;

	if (!config_place(id, reg, width, &space, &bdf))
		return AE_BAD_PARAMETER;
	if (space != NULL)
		pci_cfg_write(space, bdf, reg, width / 8, value);
	return AE_OK;
}
