/* SPDX-License-Identifier: ISC */
/* acpi_access_test.c - what byte code may reach, and what it may not. */
/* unit: kernel/bus/acpi_access.c */
#include "bus/acpi_access.h"
#include "kern/boot_info.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MIB 0x100000ul

/* QEMU's pc with 64 MiB. */
static const struct boot_range map[] = {
	{ 0x1000, 0x9e000, BOOT_MEM_RAM },
	{ 0x9fc00, 0x400, BOOT_MEM_RESERVED },
	{ 0xf0000, 0x10000, BOOT_MEM_RESERVED },
	{ MIB, 0x3edf000, BOOT_MEM_RAM },
	{ 0x3fdf000, 0x21000, BOOT_MEM_RESERVED },
	{ 0xfffc0000, 0x40000, BOOT_MEM_RESERVED },
	{ 0x100000000, 64 * MIB, BOOT_MEM_RAM },
};

static enum acpi_reach
reach(uint64_t pa, uint64_t len)
{
	return acpi_memory_reach(map, sizeof(map) / sizeof(map[0]), pa, len);
}

static void
ram_is_refused(void **state)
{
	(void)state;
	assert_int_equal(reach(2 * MIB, 4), ACPI_REACH_NONE);
	assert_int_equal(reach(0x3fdeffc, 8), ACPI_REACH_NONE);
	assert_int_equal(reach(MIB - 1, 2), ACPI_REACH_NONE);
	assert_int_equal(reach(0x100000000, 1), ACPI_REACH_NONE);
	assert_int_equal(reach(0xffffffff, 2), ACPI_REACH_NONE);
	assert_int_equal(reach(0x5000, 1), ACPI_REACH_NONE);
}

static void
interrupt_controllers_are_refused(void **state)
{
	(void)state;
	assert_int_equal(reach(0xfec00000, 4), ACPI_REACH_NONE);
	assert_int_equal(reach(0xfee000b0, 4), ACPI_REACH_NONE);
	assert_int_equal(reach(0xfebfffff, 2), ACPI_REACH_NONE);
	assert_int_equal(reach(0xfebffffe, 2), ACPI_REACH_REGISTERS);
}

static void
firmware_s_memory_is_reached(void **state)
{
	(void)state;
	assert_int_equal(reach(0x3fdf000, 4096), ACPI_REACH_MEMORY);
	assert_int_equal(reach(0xe0000, 0x20000), ACPI_REACH_MEMORY);
	assert_int_equal(reach(0x9fc00, 0x400), ACPI_REACH_MEMORY);
	/* above what is mapped for good */
	assert_int_equal(reach(0xfffc0000, 16), ACPI_REACH_REGISTERS);
}

static void
registers_are_reached(void **state)
{
	(void)state;
	assert_int_equal(reach(0xfea00000, 0x200), ACPI_REACH_REGISTERS);
	assert_int_equal(reach(0xa0000, 1), ACPI_REACH_REGISTERS);
}

static void
nonsense_is_refused(void **state)
{
	(void)state;
	assert_int_equal(reach(0, 4), ACPI_REACH_NONE);
	assert_int_equal(reach(0xfea00000, 0), ACPI_REACH_NONE);
	assert_int_equal(reach(0xfd000000, ACPI_MAP_MAX + 1), ACPI_REACH_NONE);
	assert_int_equal(reach(UINT64_MAX, 1), ACPI_REACH_NONE);
	assert_int_equal(reach(UINT64_MAX - 2, 8), ACPI_REACH_NONE);
	assert_int_equal(reach(1ul << 46, 8), ACPI_REACH_NONE);
	assert_int_equal(reach((1ul << 46) - 4, 8), ACPI_REACH_NONE);
}

static void
ports_of_the_kernel_are_refused(void **state)
{
	(void)state;
	assert_false(acpi_ports_allowed(0x20, 1));
	assert_false(acpi_ports_allowed(0x1e, 4));
	assert_false(acpi_ports_allowed(0xa1, 1));
	assert_false(acpi_ports_allowed(0xcf8, 4));
	assert_false(acpi_ports_allowed(0xcf6, 4));
	assert_false(acpi_ports_allowed(0xcff, 1));
	assert_false(acpi_ports_allowed(0xffff, 2));
	assert_false(acpi_ports_allowed(0x10000, 1));
	assert_false(acpi_ports_allowed(UINT64_MAX, 1));
	assert_false(acpi_ports_allowed(0x80, 0));
	assert_false(acpi_ports_allowed(0x600, 8));
}

static void
other_ports_are_allowed(void **state)
{
	(void)state;
	assert_true(acpi_ports_allowed(0xae00, 4));
	assert_true(acpi_ports_allowed(0xcc0, 4));
	assert_true(acpi_ports_allowed(0x604, 2));
	assert_true(acpi_ports_allowed(0xcf9, 1));
	assert_true(acpi_ports_allowed(0xffff, 1));
	assert_true(acpi_ports_allowed(0x70, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_is_refused),
		cmocka_unit_test(interrupt_controllers_are_refused),
		cmocka_unit_test(firmware_s_memory_is_reached),
		cmocka_unit_test(registers_are_reached),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(ports_of_the_kernel_are_refused),
		cmocka_unit_test(other_ports_are_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
