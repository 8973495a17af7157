/* SPDX-License-Identifier: ISC */
/* acpi_resource_test.c - resource buffers, right and wrong. */
/* unit: kernel/bus/acpi_resource.c kernel/bus/acpi_route.c kernel/bus/platform.c */
#include "bus/acpi_resource.h"
#include "bus/intr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
virtio_s_place_is_read(void **state)
{
	static const uint8_t b[] = { 0x86, 9, 0, 1, 0, 0, 0xb0, 0xfe, 0, 2, 0,
		0, 0x89, 6, 0, 0x09, 1, 24, 0, 0, 0, 0x79, 0 };
	struct acpi_resources r;

	(void)state;
	assert_int_equal(acpi_resource_parse(b, sizeof(b), &r), 0);
	assert_int_equal(r.base, 0xfeb00000);
	assert_int_equal(r.size, 512);
	assert_int_equal(r.nirqs, 1);
	assert_int_equal(r.irq[0], 24);
	assert_int_equal(r.irq_flags, INTR_LEVEL);
}

static void
isa_s_interrupts_are_a_mask(void **state)
{
	static const uint8_t with[] = { 0x23, 0x20, 0x0c, 0x18, 0x79, 0 };
	static const uint8_t without[] = { 0x22, 0x10, 0x00, 0x79, 0 };
	struct acpi_resources r;

	(void)state;
	assert_int_equal(acpi_resource_parse(with, sizeof(with), &r), 0);
	assert_int_equal(r.nirqs, 3);
	assert_int_equal(r.irq[0], 5);
	assert_int_equal(r.irq[2], 11);
	assert_int_equal(r.irq_flags, INTR_LEVEL | INTR_LOW);
	assert_int_equal(acpi_resource_parse(without, sizeof(without), &r), 0);
	assert_int_equal(r.irq[0], 4);
	assert_int_equal(r.irq_flags, INTR_EDGE);
}

static void
wide_memory_is_read(void **state)
{
	uint8_t b[46 + 2] = { 0x8a, 43, 0, 0, 0, 0 };
	struct acpi_resources r;

	(void)state;
	b[3 + 11 + 4] = 1;    /* 4 GiB */
	b[3 + 35 + 1] = 0x10; /* 4 KiB */
	b[46] = 0x79;
	assert_int_equal(acpi_resource_parse(b, sizeof(b), &r), 0);
	assert_int_equal(r.base, 1ul << 32);
	assert_int_equal(r.size, 4096);
	b[3] = 1; /* ports, not memory */
	assert_int_equal(acpi_resource_parse(b, sizeof(b), &r), 0);
	assert_int_equal(r.size, 0);
}

static void
lengths_are_checked(void **state)
{
	static const uint8_t cut[] = { 0x86, 9, 0, 1, 0, 0 };
	static const uint8_t head[] = { 0x89, 6 };
	static const uint8_t brief[] = { 0x89, 1, 0, 9, 0x79, 0 };
	static const uint8_t many[] = { 0x89, 6, 0, 9, 2, 1, 0, 0, 0, 0x79, 0 };
	static const uint8_t mask[] = { 0x21, 0, 0x79, 0 };
	struct acpi_resources r;

	(void)state;
	assert_int_equal(acpi_resource_parse(cut, sizeof(cut), &r), -EINVAL);
	assert_int_equal(acpi_resource_parse(head, sizeof(head), &r), -EINVAL);
	assert_int_equal(acpi_resource_parse(brief, sizeof(brief), &r),
	    -EINVAL);
	assert_int_equal(acpi_resource_parse(many, sizeof(many), &r), -EINVAL);
	assert_int_equal(acpi_resource_parse(mask, sizeof(mask), &r), -EINVAL);
	assert_int_equal(acpi_resource_parse(mask, 0, &r), 0);
	assert_int_equal(r.nirqs + r.size, 0);
}

static void
what_is_asked_for_reads_back(void **state)
{
	static const uint8_t small[] = { 0x23, 0x20, 0x0c, 0x18, 0x79, 0 };
	static const uint8_t ext[] = { 0x89, 10, 0, 0x0d, 2, 16, 0, 0, 0, 17, 0,
		0, 0, 0x79, 0 };
	uint8_t buf[ACPI_SRS_SIZE];
	struct acpi_resources r, again;
	unsigned n;

	(void)state;
	assert_int_equal(acpi_resource_parse(small, sizeof(small), &r), 0);
	n = acpi_resource_srs(&r, 11, buf);
	assert_int_equal(acpi_resource_parse(buf, n, &again), 0);
	assert_int_equal(again.nirqs, 1);
	assert_int_equal(again.irq[0], 11);
	assert_int_equal(again.irq_flags, r.irq_flags);
	assert_int_equal(acpi_resource_srs(&r, 16, buf), 0);
	assert_int_equal(acpi_resource_parse(ext, sizeof(ext), &r), 0);
	n = acpi_resource_srs(&r, 0x12345678, buf);
	assert_int_equal(n, ACPI_SRS_SIZE);
	assert_int_equal(acpi_resource_parse(buf, n, &again), 0);
	assert_int_equal(again.irq[0], 0x12345678);
	assert_int_equal(again.irq_flags, INTR_LEVEL | INTR_LOW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(virtio_s_place_is_read),
		cmocka_unit_test(isa_s_interrupts_are_a_mask),
		cmocka_unit_test(wide_memory_is_read),
		cmocka_unit_test(lengths_are_checked),
		cmocka_unit_test(what_is_asked_for_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
