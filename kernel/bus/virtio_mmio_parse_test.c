/* SPDX-License-Identifier: ISC */
/* virtio_mmio_parse_test.c - virtio_mmio.device=, right and wrong. */
/* unit: kernel/bus/virtio_mmio_parse.c */
#include "bus/virtio_mmio.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
as_linux_takes_it(void **state)
{
	static const struct {
		const char *text;
		struct virtio_mmio_place p;
	} t[] = {
		{ "512@0xfeb00000:5", { 0xfeb00000, 512, 5, UINT32_MAX } },
		{ "4K@0xd0000000:5", { 0xd0000000, 4096, 5, UINT32_MAX } },
		{ "0x200@4272947200:23:7", { 0xfeb00000, 512, 23, 7 } },
		{ "01000@0XC0001000:010", { 0xc0001000, 512, 8, UINT32_MAX } },
		{ "1m@0:0:0", { 0, 1 << 20, 0, 0 } },
		{ "2G@1:1", { 1, 2ull << 30, 1, UINT32_MAX } },
	};
	struct virtio_mmio_place p;
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(virtio_mmio_parse(t[i].text, &p), 0);
		assert_int_equal(p.addr, t[i].p.addr);
		assert_int_equal(p.size, t[i].p.size);
		assert_int_equal(p.irq, t[i].p.irq);
		assert_int_equal(p.id, t[i].p.id);
	}
}

static void
nonsense(void **state)
{
	static const char *const t[] = { "", "512", "@0xfeb00000:5", "512@",
		"512@:5", "512@0xfeb00000",
		"512@0xfeb00000:", "512@0xfeb00000:5:", "512@0xfeb00000:5:x",
		"512@0xfeb00000:5:1:1", "512@0xfeb00000:5 ", "512@0xg:5",
		"0x@1:5", "-1@1:5", "512T@1:5", "512KK@1:5", "08@1:5",
		"512@99999999999999999999:5", "0x10000000000000000@1:1",
		"17179869184G@1:5", "512@1:4294967296", "512@1:1:4294967295" };
	struct virtio_mmio_place p;
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(virtio_mmio_parse(t[i], &p), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_linux_takes_it),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
