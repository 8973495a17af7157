/* SPDX-License-Identifier: ISC */
/*
 * pci_parse_test.c - headers, BARs, windows and capabilities, honest and not.
 */
/* unit: kernel/bus/pci_parse.c */
#include "bus/pci_parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/pci_fake.h"

static struct pci_fake fake;

static int
begin(void **state)
{
	(void)state;
	pci_fake_init(&fake);
	pci_fake_put32(&fake, 0x00, 0x10011af4);
	pci_fake_put32(&fake, 0x08, 0x01000001);
	pci_fake_put32(&fake, 0x2c, 0x00021af4);
	pci_fake_put32(&fake, 0x3c, 0x0000010b);
	return 0;
}

static void
header_is_decoded(void **state)
{
	struct pci_header h;

	(void)state;
	assert_int_equal(pci_parse_header(&fake.space, 0, &h), 0);
	assert_int_equal(h.vendor, 0x1af4);
	assert_int_equal(h.device, 0x1001);
	assert_int_equal(h.subvendor, 0x1af4);
	assert_int_equal(h.subdevice, 2);
	assert_int_equal(h.class, 0x010000);
	assert_int_equal(h.revision, 1);
	assert_int_equal(h.line, 11);
	assert_int_equal(h.pin, 1);
	assert_int_equal(h.nbars, 6);
	assert_false(h.multifunction);
}

static void
absent_functions(void **state)
{
	struct pci_header h;

	(void)state;
	assert_int_equal(pci_parse_header(&fake.space, 8, &h), -ENODEV);
	pci_fake_put32(&fake, 0, 0);
	assert_int_equal(pci_parse_header(&fake.space, 0, &h), -ENODEV);
	fake.space.first_bus = 1; /* a bus that cannot be reached */
	pci_fake_put32(&fake, 0, 0x10011af4);
	assert_int_equal(pci_parse_header(&fake.space, 0, &h), -ENODEV);
}

static void
bridge_header(void **state)
{
	struct pci_header h;

	(void)state;
	fake.reg[0x0e] = 0x81;
	pci_fake_put32(&fake, 0x18, 0x00070502);
	assert_int_equal(pci_parse_header(&fake.space, 0, &h), 0);
	assert_true(h.multifunction);
	assert_int_equal(h.nbars, 2);
	assert_int_equal(h.primary, 2);
	assert_int_equal(h.secondary, 5);
	assert_int_equal(h.subordinate, 7);
	assert_int_equal(h.subvendor, 0);
	fake.reg[0x0e] = 0x7f;
	fake.reg[0x3d] = 9;
	assert_int_equal(pci_parse_header(&fake.space, 0, &h), 0);
	assert_int_equal(h.nbars, 0);
	assert_int_equal(h.pin, 0);
}

struct bar_case {
	struct pci_bar_raw raw;
	int error;
	struct pci_bar bar;
};

static const struct bar_case bar_cases[] = {
	/* as QEMU's virtio-blk has them */
	{ { 0xc081, 0, 0xffffff81, 0, true }, 0,
	    { PCI_BAR_IO, false, false, 0xc080, 0x80 } },
	{ { 0xfebd1000, 0, 0xfffff000, 0, true }, 0,
	    { PCI_BAR_MEM, false, false, 0xfebd1000, 0x1000 } },
	{ { 0xfe00000c, 0, 0xffffc00c, 0xffffffff, true }, 0,
	    { PCI_BAR_MEM, true, true, 0xfe000000, 0x4000 } },
	/* above 4 GiB, and larger than 4 GiB */
	{ { 0x0000000c, 0x38, 0x0000000c, 0xfffffff8, true }, 0,
	    { PCI_BAR_MEM, true, true, 0x3800000000, 0x800000000 } },
	/* I/O without the upper half */
	{ { 0x1001, 0, 0xff01, 0, true }, 0,
	    { PCI_BAR_IO, false, false, 0x1000, 0x100 } },
	/* absent */
	{ { 0, 0, 0, 0, true }, -ENOENT, { 0 } },
	{ { 0, 0, 1, 0, true }, -ENOENT, { 0 } },
	{ { 0, 0, 8, 0, true }, -ENOENT, { 0 } },
	/* no upper half left */
	{ { 0, 0, 0xfffff004, 0, false }, -EINVAL, { 0 } },
	/* holes in the mask */
	{ { 0, 0, 0xf0fff000, 0, true }, -EINVAL, { 0 } },
	{ { 0, 0, 0xfff04, 0xffffffff, true }, -EINVAL, { .wide = true } },
	/* a bit in the middle only */
	{ { 0, 0, 0x00100000, 0, true }, -EINVAL, { 0 } },
	/* 2^63 bytes, and all of 2^64 */
	{ { 0, 0, 4, 0x80000000, true }, -EINVAL, { .wide = true } },
	{ { 0, 0, 4, 0, true }, -EINVAL, { .wide = true } },
	/* a kind that is reserved */
	{ { 0, 0, 0xfffff006, 0, true }, -EINVAL, { 0 } },
	/* gone meanwhile */
	{ { 0xffffffff, 0, 0xffffffff, 0, true }, -EINVAL, { 0 } },
	/* an address that is no multiple of the size */
	{ { 0xfeb01000, 0, 0xffff0000, 0, true }, -EINVAL, { 0 } },
	/* I/O of 4 GiB */
	{ { 1, 0, 0x80000001, 0, true }, -EINVAL, { 0 } },
};

static void
bars_are_computed(void **state)
{
	const struct bar_case *c;
	struct pci_bar bar;

	(void)state;
	for (c = bar_cases; c < bar_cases + ARRAY_SIZE(bar_cases); c++) {
		assert_int_equal(pci_parse_bar(&c->raw, &bar), c->error);
		assert_int_equal(bar.kind, c->bar.kind);
		assert_int_equal(bar.wide, c->bar.wide);
		assert_int_equal(bar.prefetch, c->bar.prefetch);
		assert_int_equal(bar.addr, c->bar.addr);
		assert_int_equal(bar.size, c->bar.size);
	}
}

static void
bars_are_sized_and_put_back(void **state)
{
	struct pci_bar bar[PCI_NBARS];
	uint8_t before[256];

	(void)state;
	pci_fake_bar(&fake, 0, 0xc001, 0xffffff80);
	pci_fake_bar(&fake, 1, 0xfeb00000, 0xfffff000);
	pci_fake_bar(&fake, 4, 0x0000000c, 0xffffc000);
	pci_fake_bar(&fake, 5, 0x00000040, 0xffffffff);
	memset(fake.writable + 4, 0xff, 2);
	fake.reg[4] = 7;
	memcpy(before, fake.reg, sizeof(before));
	assert_int_equal(pci_parse_bars(&fake.space, 0, 6, bar), 0);
	assert_memory_equal(before, fake.reg, sizeof(before));
	assert_int_equal(bar[0].kind, PCI_BAR_IO);
	assert_int_equal(bar[0].size, 0x80);
	assert_int_equal(bar[1].size, 0x1000);
	assert_int_equal(bar[2].kind, PCI_BAR_NONE);
	assert_int_equal(bar[4].addr, 0x4000000000);
	assert_int_equal(bar[4].size, 0x4000);
	assert_int_equal(bar[5].kind, PCI_BAR_NONE);
	bar[4].addr = 0x1234568000;
	pci_bar_set(&fake.space, 0, 4, &bar[4]);
	assert_int_equal(pci_cfg_read32(&fake.space, 0, 0x24), 0x12);
}

static void
a_wide_last_bar_is_nonsense(void **state)
{
	struct pci_bar bar[PCI_NBARS];

	(void)state;
	pci_fake_bar(&fake, 5, 0x00000004, 0xfffff000);
	assert_int_equal(pci_parse_bars(&fake.space, 0, 6, bar), 1 << 5);
	assert_int_equal(bar[5].kind, PCI_BAR_NONE);
}

static void
windows_of_a_bridge(void **state)
{
	struct pci_win win[PCI_NWINS];

	(void)state;
	memset(fake.writable + 0x1c, 0xf0, 2);
	memset(fake.writable + 0x20, 0xff, 0x14);
	fake.reg[0x24] = fake.reg[0x26] = 1;
	fake.writable[0x24] = fake.writable[0x26] = 0xf0;
	pci_parse_windows(&fake.space, 0, win);
	assert_true(win[PCI_WIN_IO].exists && win[PCI_WIN_PREF].exists);
	assert_true(win[PCI_WIN_PREF].wide && !win[PCI_WIN_IO].wide);
	assert_true(win[PCI_WIN_MEM].base > win[PCI_WIN_MEM].last);
	win[PCI_WIN_IO].base = 0xc000;
	win[PCI_WIN_IO].last = 0xdfff;
	win[PCI_WIN_MEM].base = 0xfe000000;
	win[PCI_WIN_MEM].last = 0xfe1fffff;
	win[PCI_WIN_PREF].base = 0x4000000000;
	win[PCI_WIN_PREF].last = 0x40001fffff;
	for (unsigned i = 0; i < PCI_NWINS; i++)
		pci_window_set(&fake.space, 0, i, &win[i]);
	memset(win, 0, sizeof(win));
	pci_parse_windows(&fake.space, 0, win);
	assert_int_equal(win[PCI_WIN_IO].base, 0xc000);
	assert_int_equal(win[PCI_WIN_IO].last, 0xdfff);
	assert_int_equal(win[PCI_WIN_MEM].base, 0xfe000000);
	assert_int_equal(win[PCI_WIN_MEM].last, 0xfe1fffff);
	assert_int_equal(win[PCI_WIN_PREF].base, 0x4000000000);
	assert_int_equal(win[PCI_WIN_PREF].last, 0x40001fffff);
}

static void
windows_close(void **state)
{
	const struct pci_win closed = { .base = 1, .last = 0 };
	struct pci_win win[PCI_NWINS];

	(void)state;
	memset(fake.writable + 0x1c, 0xff, 2);
	memset(fake.writable + 0x20, 0xff, 0x14);
	for (unsigned i = 0; i < PCI_NWINS; i++)
		pci_window_set(&fake.space, 0, i, &closed);
	pci_parse_windows(&fake.space, 0, win);
	for (unsigned i = 0; i < PCI_NWINS; i++)
		assert_true(win[i].base > win[i].last);
}

/* Each capability is a byte with its kind and one with the next one's place. */
static void
chain(const uint8_t *place, unsigned n)
{
	fake.reg[0x06] = 0x10;
	fake.reg[0x34] = place[0];
	for (unsigned i = 0; i < n; i++) {
		fake.reg[place[i]] = 0x40 + i;
		fake.reg[place[i] + 1] = i + 1 < n ? place[i + 1] : 0;
	}
}

static void
capabilities_are_walked(void **state)
{
	static const uint8_t place[] = { 0x98, 0x40, 0xfc };
	struct pci_caps caps;

	(void)state;
	assert_int_equal(pci_parse_caps(&fake.space, 0, &caps), 0);
	assert_int_equal(caps.n, 0);
	chain(place, 3);
	fake.reg[0x34] |= 3; /* bits to be ignored */
	assert_int_equal(pci_parse_caps(&fake.space, 0, &caps), 0);
	assert_int_equal(caps.n, 3);
	assert_int_equal(pci_cap_find(&caps, 0x41), 0x40);
	assert_int_equal(pci_cap_find(&caps, 0x42), 0xfc);
	assert_int_equal(pci_cap_find(&caps, 0x50), 0);
}

static void
capability_lists_end(void **state)
{
	static const uint8_t place[] = { 0x40, 0x44 };
	struct pci_caps caps;

	(void)state;
	chain(place, 2);
	fake.reg[0x45] = 0x40;
	assert_int_equal(pci_parse_caps(&fake.space, 0, &caps), -ELOOP);
	assert_int_equal(caps.n, 2);
	fake.reg[0x45] = 0x44;
	assert_int_equal(pci_parse_caps(&fake.space, 0, &caps), -ELOOP);
	fake.reg[0x45] = 0x10;
	assert_int_equal(pci_parse_caps(&fake.space, 0, &caps), -ERANGE);
	assert_int_equal(caps.n, 2);
	fake.reg[0x34] = 0x04;
	assert_int_equal(pci_parse_caps(&fake.space, 0, &caps), -ERANGE);
	assert_int_equal(caps.n, 0);
}

static void
as_many_capabilities_as_fit(void **state)
{
	struct pci_caps caps;

	(void)state;
	fake.reg[0x06] = 0x10;
	fake.reg[0x34] = 0x40;
	for (unsigned at = 0x40; at < 0x100; at += 4)
		fake.reg[at + 1] = at + 4;
	assert_int_equal(pci_parse_caps(&fake.space, 0, &caps), 0);
	assert_int_equal(caps.n, PCI_MAX_CAPS);
}

static void
one_cap(uint8_t id, uint8_t at)
{
	fake.reg[0x06] = 0x10;
	fake.reg[0x34] = at;
	fake.reg[at] = id;
	fake.reg[at + 1] = 0;
}

static void
msi_is_decoded(void **state)
{
	struct pci_caps caps;
	struct pci_msi msi;

	(void)state;
	pci_parse_caps(&fake.space, 0, &caps);
	assert_int_equal(pci_parse_msi(&fake.space, 0, &caps, &msi), -ENOENT);
	one_cap(5, 0x50);
	fake.reg[0x52] = 0x86; /* 64 bits, 8 vectors */
	fake.reg[0x53] = 1;
	pci_parse_caps(&fake.space, 0, &caps);
	assert_int_equal(pci_parse_msi(&fake.space, 0, &caps, &msi), 0);
	assert_int_equal(msi.at, 0x50);
	assert_int_equal(msi.vectors, 8);
	assert_true(msi.wide && msi.maskable);
	fake.reg[0x52] = 0x8e; /* 128 vectors are none */
	assert_int_equal(pci_parse_msi(&fake.space, 0, &caps, &msi), -EINVAL);
	assert_int_equal(msi.at, 0);
	one_cap(5, 0xf4); /* longer than what is left */
	fake.reg[0xf6] = 0x80;
	pci_parse_caps(&fake.space, 0, &caps);
	assert_int_equal(pci_parse_msi(&fake.space, 0, &caps, &msi), -EINVAL);
}

static void
msix_stays_inside_its_bar(void **state)
{
	struct pci_bar bar[PCI_NBARS] = {
		[1] = { PCI_BAR_MEM, false, false, 0xfeb00000, 0x1000 },
		[2] = { PCI_BAR_IO, false, false, 0xc000, 0x100 },
	};
	struct pci_caps caps;
	struct pci_msix x;

	(void)state;
	one_cap(0x11, 0x98);
	pci_fake_put32(&fake, 0x98, 0x00010011); /* 2 vectors */
	pci_fake_put32(&fake, 0x9c, 0x00000fe1); /* BAR 1, offset 0xfe0 */
	pci_parse_caps(&fake.space, 0, &caps);
	assert_int_equal(pci_parse_msix(&fake.space, 0, &caps, bar, &x), 0);
	assert_int_equal(x.at, 0x98);
	assert_int_equal(x.vectors, 2);
	assert_int_equal(x.table.bar, 1);
	assert_int_equal(x.table.offset, 0xfe0);
	pci_fake_put32(&fake, 0x98, 0x00020011); /* 3 do not fit */
	assert_int_equal(pci_parse_msix(&fake.space, 0, &caps, bar, &x),
	    -EINVAL);
	pci_fake_put32(&fake, 0x98, 0x00000011);
	for (unsigned bir = 0; bir < 8; bir++) {
		pci_fake_put32(&fake, 0x9c, bir);
		assert_int_equal(pci_parse_msix(&fake.space, 0, &caps, bar, &x),
		    bir == 1 ? 0 : -EINVAL);
	}
	pci_fake_put32(&fake, 0x9c, 0xfffffff9);
	assert_int_equal(pci_parse_msix(&fake.space, 0, &caps, bar, &x),
	    -EINVAL);
}

/* One virtio capability of QEMU's layout, in BAR 4. */
static void
virtio_cap(uint8_t at, uint8_t next, uint8_t type, uint32_t offset,
    uint32_t length)
{
	fake.reg[at] = 9;
	fake.reg[at + 1] = next;
	fake.reg[at + 2] = type == 2 ? 20 : 16;
	fake.reg[at + 3] = type;
	fake.reg[at + 4] = 4;
	pci_fake_put32(&fake, at + 8, offset);
	pci_fake_put32(&fake, at + 12, length);
	if (type == 2)
		pci_fake_put32(&fake, at + 16, 4);
}

static const struct pci_bar virtio_bars[PCI_NBARS] = {
	[4] = { PCI_BAR_MEM, true, true, 0xfe000000, 0x4000 },
};

static int
virtio(struct pci_virtio *v)
{
	struct pci_caps caps;

	pci_parse_caps(&fake.space, 0, &caps);
	return pci_parse_virtio(&fake.space, 0, &caps, virtio_bars, v);
}

static void
virtio_caps(void)
{
	fake.reg[0x06] = 0x10;
	fake.reg[0x34] = 0x40;
	virtio_cap(0x40, 0x50, 1, 0, 0x1000);
	virtio_cap(0x50, 0x60, 3, 0x1000, 0x1000);
	virtio_cap(0x60, 0x70, 4, 0x2000, 0x1000);
	virtio_cap(0x70, 0x84, 2, 0x3000, 0x1000);
	virtio_cap(0x84, 0, 5, 0, 0);
}

static void
virtio_regions(void **state)
{
	struct pci_virtio v;

	(void)state;
	assert_int_equal(virtio(&v), -ENOENT);
	virtio_caps();
	assert_int_equal(virtio(&v), 0);
	assert_int_equal(v.common.bar, 4);
	assert_int_equal(v.isr.offset, 0x1000);
	assert_int_equal(v.device.offset, 0x2000);
	assert_int_equal(v.notify.offset, 0x3000);
	assert_int_equal(v.notify_multiplier, 4);
}

static void
virtio_first_usable_counts(void **state)
{
	struct pci_virtio v;

	(void)state;
	virtio_caps();
	virtio_cap(0x84, 0x98, 1, 0x800, 0x1000); /* a second one */
	virtio_cap(0x98, 0, 77, 0, 0x1000);       /* an unknown one */
	assert_int_equal(virtio(&v), 0);
	assert_int_equal(v.common.offset, 0);
	fake.reg[0x44] = 6; /* the first names no BAR */
	assert_int_equal(virtio(&v), 0);
	assert_int_equal(v.common.offset, 0x800);
}

static void
virtio_regions_stay_inside(void **state)
{
	struct pci_virtio v;

	(void)state;
	virtio_caps();
	virtio_cap(0x40, 0x50, 1, 0xfffff000, 0x2000); /* wraps */
	assert_int_equal(virtio(&v), -EINVAL);
	virtio_cap(0x40, 0x50, 1, 0x3ff0, 0x38); /* crosses the end */
	assert_int_equal(virtio(&v), -EINVAL);
	virtio_cap(0x40, 0x50, 1, 0, 0x20); /* shorter than the registers */
	assert_int_equal(virtio(&v), -EINVAL);
	virtio_cap(0x40, 0x50, 1, 2, 0x38); /* not aligned */
	assert_int_equal(virtio(&v), -EINVAL);
	virtio_cap(0x40, 0x50, 1, 0, 0x38);
	assert_int_equal(virtio(&v), 0);
	fake.reg[0x42] = 8; /* the capability itself is too short */
	assert_int_equal(virtio(&v), -EINVAL);
	fake.reg[0x42] = 16;
	pci_fake_put32(&fake, 0x80, 3); /* odd multiplier */
	assert_int_equal(virtio(&v), -EINVAL);
	pci_fake_put32(&fake, 0x80, 0);
	assert_int_equal(virtio(&v), 0);
	virtio_cap(0x60, 0x70, 4, 0x4000, 0); /* no device region is fine */
	assert_int_equal(virtio(&v), 0);
	assert_int_equal(v.device.length, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(header_is_decoded, begin),
		cmocka_unit_test_setup(absent_functions, begin),
		cmocka_unit_test_setup(bridge_header, begin),
		cmocka_unit_test_setup(bars_are_computed, begin),
		cmocka_unit_test_setup(bars_are_sized_and_put_back, begin),
		cmocka_unit_test_setup(a_wide_last_bar_is_nonsense, begin),
		cmocka_unit_test_setup(windows_of_a_bridge, begin),
		cmocka_unit_test_setup(windows_close, begin),
		cmocka_unit_test_setup(capabilities_are_walked, begin),
		cmocka_unit_test_setup(capability_lists_end, begin),
		cmocka_unit_test_setup(as_many_capabilities_as_fit, begin),
		cmocka_unit_test_setup(msi_is_decoded, begin),
		cmocka_unit_test_setup(msix_stays_inside_its_bar, begin),
		cmocka_unit_test_setup(virtio_regions, begin),
		cmocka_unit_test_setup(virtio_first_usable_counts, begin),
		cmocka_unit_test_setup(virtio_regions_stay_inside, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
