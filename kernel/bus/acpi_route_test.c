/* SPDX-License-Identifier: ISC */
/* acpi_route_test.c - where an interrupt pin arrives. */
/* unit: kernel/bus/acpi_route.c */
#include "bus/acpi_route.h"
#include "bus/intr.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
pins_turn_at_a_bridge(void **state)
{
	(void)state;
	assert_int_equal(acpi_route_swizzle(0, 0), 0);
	assert_int_equal(acpi_route_swizzle(1, 0), 1);
	assert_int_equal(acpi_route_swizzle(3, 3), 2);
	assert_int_equal(acpi_route_swizzle(31, 1), 0);
}

static void
a_row_is_for_one_device_and_pin(void **state)
{
	const struct acpi_prt row = { 5ul << 16 | 0xffff, 2 };
	const struct acpi_prt odd = { 5ul << 16 | 3, 2 };
	const struct acpi_prt far = { 1ul << 48 | 5ul << 16, 2 };

	(void)state;
	assert_true(acpi_prt_is(&row, 5, 2));
	assert_false(acpi_prt_is(&row, 5, 1));
	assert_false(acpi_prt_is(&row, 4, 2));
	assert_true(acpi_prt_is(&odd, 5, 2)); /* some name a function */
	assert_false(acpi_prt_is(&far, 5, 2));
}

static void
flags_are_as_the_resource_says(void **state)
{
	(void)state;
	assert_int_equal(acpi_route_flags(0, 1), INTR_LEVEL | INTR_LOW);
	assert_int_equal(acpi_route_flags(0, 0), INTR_LEVEL);
	assert_int_equal(acpi_route_flags(1, 0), INTR_EDGE);
	assert_int_equal(acpi_route_flags(1, 1), INTR_EDGE | INTR_LOW);
}

static void
a_connected_link_stays(void **state)
{
	const uint32_t can[] = { 5, 10, 11 };

	(void)state;
	assert_int_equal(acpi_route_choose(can, 3, 11), 11);
	assert_int_equal(acpi_route_choose(can, 3, 7), 5);
	assert_int_equal(acpi_route_choose(can, 3, 0), 5);
}

static void
a_link_is_connected_to_a_free_one(void **state)
{
	const uint32_t both[] = { 3, 4, 10, 20, 21 };
	const uint32_t taken[] = { 3, 4, 6, 12 };
	const uint32_t absurd[] = { 0, 4096, UINT32_MAX };

	(void)state;
	assert_int_equal(acpi_route_choose(both, 5, 0), 20);
	assert_int_equal(acpi_route_choose(both, 3, 0), 10);
	assert_int_equal(acpi_route_choose(taken, 4, 0), 0);
	assert_int_equal(acpi_route_choose(taken, 4, 12), 12);
	assert_int_equal(acpi_route_choose(absurd, 3, 4096), 0);
	assert_int_equal(acpi_route_choose(NULL, 0, 9), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_turn_at_a_bridge),
		cmocka_unit_test(a_row_is_for_one_device_and_pin),
		cmocka_unit_test(flags_are_as_the_resource_says),
		cmocka_unit_test(a_connected_link_stays),
		cmocka_unit_test(a_link_is_connected_to_a_free_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
