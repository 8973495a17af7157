/* SPDX-License-Identifier: ISC */
/*
 * device_test.c - the device tree, one case at a time: what attaches to what,
 * names, events, refusals, and devices that go at the worst moment.
 */
/* unit: kernel/bus/device.c kernel/bus/device_life.c kernel/bus/device_work.c kernel/bus/gate.c */
/* threads */
#include "bus/device_impl.h"

#include "bus/gate.h"
#include "kern/string.h"
#include "tests/host/host.h"
#include <linux/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a bus of slots, and drivers that do as they are told ---- */

#define NSLOTS 8

static struct machine {
	bool present[NSLOTS];
	int attach_error;                /* what the driver answers */
	bool attach_waits, detach_waits; /* for the device, or its end */
	bool inside;                     /* the driver waits */
	unsigned attached, detached, freed, resets;
	enum detach_kind last_kind;
	int refuse_suspend; /* unit that does not sleep, -1 none */
	char order[256];    /* what happened, a word each */
	char events[512];
} m;

static void
note(char *to, size_t size, const char *word, const char *name)
{
	strlcat(to, word, size);
	strlcat(to, name, size);
	strlcat(to, " ", size);
}

static void
word(const char *what, const char *name)
{
	note(m.order, sizeof(m.order), what, name);
}

static void
wait_for_device(struct device *dev)
{
	__atomic_store_n(&m.inside, true, __ATOMIC_SEQ_CST);
	wait_event(device_waitq(dev), device_is_gone(dev));
	__atomic_store_n(&m.inside, false, __ATOMIC_SEQ_CST);
}

struct leaf_softc {
	uint32_t magic;
	char pad[60];
};

static void
leaf_detach(struct device *dev, enum detach_kind kind)
{
	struct leaf_softc *sc = device_softc(dev);

	if (m.detach_waits && kind == DETACH_ASKED)
		wait_for_device(dev);
	m.last_kind = kind;
	m.detached++;
	sc->magic = 0;
	word("-", device_name(dev));
}

static int
leaf_attach(struct device *dev)
{
	struct leaf_softc *sc = device_softc(dev);

	assert_int_equal(sc->magic, 0);
	assert_int_equal(device_state(dev), DEVICE_ATTACHING);
	sc->magic = 0xfeed;
	m.attached++;
	word("+", device_name(dev));
	if (m.attach_waits)
		wait_for_device(dev);
	if (m.attach_error != 0 || device_is_gone(dev)) {
		leaf_detach(dev, DETACH_ASKED);
		return m.attach_error != 0 ? m.attach_error : -ENODEV;
	}
	device_announce(dev, "%u slots", NSLOTS);
	return 0;
}

static int
leaf_suspend(struct device *dev)
{
	if (device_unit(dev) == m.refuse_suspend)
		return -EBUSY;
	word("s", device_name(dev));
	return 0;
}

static int
leaf_resume(struct device *dev)
{
	word("r", device_name(dev));
	return 0;
}

static int
slots_rescan(struct device *bus)
{
	struct device_spec spec = { .id = { .vendor = 0x1af4, .device = 1 },
		.where = "dev 1" };
	struct device *dev;
	char address[16];
	unsigned i;

	for (i = 0; i < NSLOTS; i++) {
		snprintf(address, sizeof(address), "slot%u", i);
		dev = device_find(address);
		spec.address = address;
		spec.ivars = &m;
		if (dev == NULL && m.present[i])
			assert_int_equal(device_add(bus, &spec, NULL), 0);
		else if (dev != NULL && !m.present[i])
			device_remove(dev, DETACH_GONE);
		device_put(dev);
	}
	return 0;
}

static void
slots_free(void *ivars)
{
	assert_ptr_equal(ivars, &m);
	m.freed++;
}

static int
slots_reset(struct device *dev)
{
	assert_null(device_softc(dev));
	m.resets++;
	return 0;
}

static const struct bus_ops slots_ops = {
	.name = "slots",
	.rescan = slots_rescan,
	.free = slots_free,
	.reset = slots_reset,
};

static int
slots_attach(struct device *dev)
{
	word("+", device_name(dev));
	device_set_bus(dev, &slots_ops);
	return slots_rescan(dev);
}

static void
slots_detach(struct device *dev, enum detach_kind kind)
{
	(void)kind;
	word("-", device_name(dev));
}

static const struct device_id leaf_ids[] = {
	{ .vendor = 0x1af4, .device = 1 },
	{ 0 },
};
static const struct device_id any_of_class[] = {
	{ .class = 0x010000, .class_mask = 0xff0000 },
	{ 0 },
};
static const struct driver leaf_driver = {
	.name = "leaf",
	.bus = "slots",
	.softc_size = sizeof(struct leaf_softc),
	.ids = leaf_ids,
	.attach = leaf_attach,
	.detach = leaf_detach,
	.suspend = leaf_suspend,
	.resume = leaf_resume,
};
static const struct driver pass_driver = {
	.name = "pass",
	.bus = "slots",
	.ids = any_of_class,
	.softc_size = sizeof(struct leaf_softc),
	.attach = leaf_attach,
	.detach = leaf_detach,
};
static const struct driver slots_driver = {
	.name = "bus",
	.bus = "root",
	.attach = slots_attach,
	.detach = slots_detach,
};
static const struct driver *const table[] = { &pass_driver, &leaf_driver,
	&slots_driver, NULL };

static void
observe(struct device *dev, enum device_event what, const char *name)
{
	static const char *const words[] = { "add:", "bind:", "unbind:",
		"remove:" };

	(void)dev;
	note(m.events, sizeof(m.events), words[what], name);
}
static struct device_observer observer = { .event = observe };

static struct device *bus;

static int
begin(void **state)
{
	struct device_spec spec = { .address = "bus" };
	static bool observing;

	(void)state;
	m = (struct machine){ .refuse_suspend = -1 };
	if (!observing)
		device_observe(&observer);
	observing = true;
	device_set_drivers(table);
	if (device_add(device_root(), &spec, &bus) != 0)
		return -1;
	m.order[0] = m.events[0] = '\0';
	return 0;
}

/* Whatever happened, everything ends and nothing stays. */
static int
end(void **state)
{
	(void)state;
	m.attach_waits = m.detach_waits = false;
	if (device_state(bus) != DEVICE_GONE)
		device_remove(bus, DETACH_ASKED);
	device_put(bus);
	while (__atomic_load_n(&device_tree.live, __ATOMIC_SEQ_CST) != 0)
		usleep(100);
	return m.attached != m.detached || host_kmem_blocks() != 0 ||
	    !TAILQ_EMPTY(&device_the_root.children);
}

static struct device *
plug(unsigned slot)
{
	char address[16];

	m.present[slot] = true;
	assert_int_equal(device_rescan(bus), 0);
	snprintf(address, sizeof(address), "slot%u", slot);
	return device_find(address);
}

/* ---- cases ---- */

static void
names_are_the_lowest_free(void **state)
{
	struct device *a = plug(3), *b = plug(5), *c;
	char last[256];

	(void)state;
	host_log_last(last, sizeof(last));
	assert_string_equal(last, "leaf1 at bus0 dev 1: 8 slots");
	assert_string_equal(device_name(a), "leaf0");
	assert_int_equal(device_remove(a, DETACH_ASKED), 0);
	assert_int_equal(device_remove(a, DETACH_ASKED), -ENODEV);
	assert_int_equal(device_state(a), DEVICE_GONE);
	c = plug(3);
	assert_string_equal(device_name(c), "leaf0");
	assert_ptr_not_equal(a, c);
	device_put(a);
	a = device_find("leaf1");
	assert_ptr_equal(a, b);
	device_put(a);
	device_put(b);
	device_put(c);
	assert_null(device_find("leaf7"));
}

static void
a_bus_takes_its_nodes_along(void **state)
{
	(void)state;
	device_put(plug(0));
	device_put(plug(1));
	assert_int_equal(device_remove(bus, DETACH_ASKED), 0);
	assert_string_equal(m.order, "+leaf0 +leaf1 -leaf1 -leaf0 -bus0 ");
	assert_int_equal(m.last_kind, DETACH_ASKED);
	assert_int_equal(m.freed, 2);
	assert_string_equal(m.events,
	    "add:slot0 bind:leaf0 add:slot1 bind:leaf1 "
	    "unbind:leaf1 remove:slot1 unbind:leaf0 remove:slot0 "
	    "unbind:bus0 remove:bus ");
}

static void
a_bus_that_left_takes_nobody(void **state)
{
	struct device_spec spec = { .address = "late" };

	(void)state;
	assert_int_equal(device_detach(bus), 0);
	assert_int_equal(device_add(bus, &spec, NULL), -ENODEV);
	assert_int_equal(device_rescan(bus), -EOPNOTSUPP);
	assert_int_equal(device_attach(bus), 0);
	assert_int_equal(device_rescan(bus), 0);
	spec.address = "slot0";
	device_put(plug(0));
	assert_int_equal(device_add(bus, &spec, NULL), -EEXIST);
	assert_int_equal(device_remove(bus, DETACH_GONE), 0);
	assert_int_equal(device_rescan(bus), -ENODEV);
	assert_int_equal(m.last_kind, DETACH_GONE);
}

static void
a_failed_attach_leaves_a_free_node(void **state)
{
	struct device *dev;

	(void)state;
	m.attach_error = -EIO;
	dev = plug(0);
	assert_non_null(dev);
	assert_int_equal(device_state(dev), DEVICE_FOUND);
	assert_null(device_softc(dev));
	assert_string_equal(device_name(dev), "slot0");
	assert_int_equal(device_attach(dev), -EIO);
	m.attach_error = 0;
	assert_int_equal(device_attach(dev), 0);
	assert_int_equal(device_attach(dev), -EBUSY);
	assert_int_equal(device_detach(dev), 0);
	assert_int_equal(device_detach(dev), -ENXIO);
	device_put(dev);
}

static void
devctl_has_its_way(void **state)
{
	struct device *dev = plug(2);

	(void)state;
	assert_int_equal(device_set_driver(dev, "none", false), -ENOENT);
	assert_int_equal(device_set_driver(dev, "bus", false), -ENOENT);
	assert_int_equal(device_set_driver(dev, "pass", false), -EBUSY);
	assert_int_equal(device_set_driver(dev, "pass", true), 0);
	assert_string_equal(device_name(dev), "pass0");
	assert_int_equal(device_set_driver(dev, NULL, false), -EBUSY);
	assert_int_equal(device_set_driver(dev, NULL, true), 0);
	assert_string_equal(device_name(dev), "leaf0");
	assert_int_equal(device_reset(dev), 0);
	assert_int_equal(m.resets, 1);
	assert_int_equal(device_state(dev), DEVICE_ATTACHED);
	assert_int_equal(device_disable(dev), 0);
	assert_int_equal(device_attach(dev), -ENODEV);
	assert_true(device_is_disabled(dev));
	assert_int_equal(device_enable(dev), 0);
	assert_int_equal(device_state(dev), DEVICE_ATTACHED);
	assert_int_equal(device_reset(bus), -EOPNOTSUPP);
	assert_int_equal(device_set_driver(device_root(), NULL, true), -EINVAL);
	device_put(dev);
}

static void
ids_are_worth_what_they_say(void **state)
{
	struct device_id disk = { .vendor = 0x8086, .class = 0x010802 };
	struct device_id text = { .text = "LNRO0005" };
	struct device_id list[2] = { text, { 0 } };

	(void)state;
	assert_int_equal(device_id_match(any_of_class, &disk),
	    DRIVER_MATCH_CLASS);
	assert_int_equal(device_id_match(leaf_ids, &disk), 0);
	assert_int_equal(device_id_match(list, &text), DRIVER_MATCH);
	assert_int_equal(device_id_match(list, &disk), 0);
}

static void
nothing_fits_and_it_is_said(void **state)
{
	struct device_spec spec = { .address = "slot9",
		.ivars = &m,
		.what = "8086:100e",
		.where = "dev 9" };
	struct device *dev;
	char last[256];

	(void)state;
	assert_int_equal(device_add(bus, &spec, &dev), 0);
	host_log_last(last, sizeof(last));
	assert_string_equal(last, "8086:100e at bus0 dev 9 not configured");
	assert_int_equal(device_attach(dev), -ENXIO);
	device_put(dev);
}

static void
out_of_memory_is_an_error(void **state)
{
	struct device_spec spec = { .id = { .vendor = 0x1af4, .device = 1 },
		.address = "slot4",
		.ivars = &m };
	unsigned i, added = 0;
	struct device *dev;

	(void)state;
	host_fail_one_in(2);
	for (i = 0; i < 200; i++) {
		int error = device_add(bus, &spec, &dev);

		assert_true(error == 0 || error == -ENOMEM);
		if (error != 0)
			continue;
		added++;
		assert_true(device_state(dev) == DEVICE_ATTACHED ||
		    device_state(dev) == DEVICE_FOUND);
		device_remove(dev, DETACH_ASKED);
		device_put(dev);
	}
	host_fail_one_in(0);
	assert_int_equal(m.freed, added);
	assert_int_equal(m.attached, m.detached);
}

static void *
plug_zero(void *arg)
{
	(void)arg;
	device_put(plug(0));
	return NULL;
}

static void
wait_inside(void)
{
	while (!__atomic_load_n(&m.inside, __ATOMIC_SEQ_CST))
		usleep(100);
}

static void
gone_in_the_middle_of_attach(void **state)
{
	struct device *dev;
	pthread_t t;

	(void)state;
	m.attach_waits = true;
	pthread_create(&t, NULL, plug_zero, NULL);
	wait_inside();
	dev = device_find("leaf0");
	assert_int_equal(device_state(dev), DEVICE_ATTACHING);
	assert_int_equal(device_remove(dev, DETACH_GONE), 0);
	assert_int_equal(device_state(dev), DEVICE_GONE);
	assert_int_equal(m.detached, 1);
	device_put(dev);
	pthread_join(t, NULL);
	assert_string_equal(m.events, "add:slot0 remove:slot0 ");
}

static void *
detach_zero(void *arg)
{
	assert_int_equal(device_detach(arg), 0);
	return NULL;
}

static void
gone_while_asked_to_leave(void **state)
{
	struct device *dev = plug(0);
	pthread_t t;

	(void)state;
	m.detach_waits = true;
	pthread_create(&t, NULL, detach_zero, dev);
	wait_inside();
	device_report_gone(dev); /* as an interrupt handler does */
	pthread_join(t, NULL);
	assert_int_equal(m.detached, 1);
	wait_event(device_waitq(dev), device_state(dev) == DEVICE_GONE);
	device_put(dev);
}

static void
the_tree_does_what_handlers_ask(void **state)
{
	struct device *dev;

	(void)state;
	m.present[6] = true;
	device_rescan_soon(bus);
	while ((dev = device_find("leaf0")) == NULL)
		usleep(100);
	wait_event(device_waitq(dev), device_state(dev) == DEVICE_ATTACHED);
	device_report_gone(dev);
	device_report_gone(dev);
	assert_true(device_is_gone(dev));
	wait_event(device_waitq(dev), device_state(dev) == DEVICE_GONE);
	assert_int_equal(m.detached, 1);
	assert_int_equal(m.last_kind, DETACH_GONE);
	device_put(dev);
	assert_int_equal(device_remove(bus, DETACH_ASKED), 0);
	device_rescan_soon(bus);
	device_report_gone(bus);
}

static void
sleep_is_for_all_or_none(void **state)
{
	(void)state;
	device_put(plug(0));
	device_put(plug(1));
	m.order[0] = '\0';
	assert_int_equal(device_suspend_all(), 0);
	device_resume_all();
	assert_string_equal(m.order, "sleaf1 sleaf0 rleaf0 rleaf1 ");
	m.order[0] = '\0';
	m.refuse_suspend = 0;
	assert_int_equal(device_suspend_all(), -EBUSY);
	assert_string_equal(m.order, "sleaf1 rleaf1 ");
}

static bool
list_names(struct device *dev, unsigned depth, void *arg)
{
	char name[DEVICE_NAME];

	device_copy_name(dev, name, sizeof(name));
	snprintf((char *)arg + strlen(arg), 40, "%u%s ", depth, name);
	return true;
}

static void
the_tree_can_be_walked(void **state)
{
	char list[256] = "";
	struct device *root = device_find("root");

	(void)state;
	device_put(plug(1));
	device_put(plug(0));
	assert_int_equal(device_foreach(list_names, list), 0);
	assert_string_equal(list, "1bus0 2leaf0 2leaf1 ");
	assert_ptr_equal(root, device_root());
	device_put(root);
}

static void *
pass_gate(void *arg)
{
	while (gate_enter(arg))
		gate_exit(arg);
	return NULL;
}

static void
a_shut_gate_is_empty(void **state)
{
	struct gate *g = test_malloc(sizeof(*g));
	pthread_t t[3];
	unsigned i, round;

	(void)state;
	gate_init(g);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 3; i++)
			pthread_create(&t[i], NULL, pass_gate, g);
		usleep(host_random(300));
		gate_shut(g);
		assert_true(gate_is_shut(g));
		assert_false(gate_enter(g));
		assert_int_equal(__atomic_load_n(&g->word, __ATOMIC_RELAXED),
		    GATE_SHUT);
		for (i = 0; i < 3; i++)
			pthread_join(t[i], NULL);
		gate_reopen(g);
	}
	test_free(g);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_are_the_lowest_free),
		CASE(a_bus_takes_its_nodes_along),
		CASE(a_bus_that_left_takes_nobody),
		CASE(a_failed_attach_leaves_a_free_node),
		CASE(devctl_has_its_way),
		CASE(ids_are_worth_what_they_say),
		CASE(nothing_fits_and_it_is_said),
		CASE(out_of_memory_is_an_error),
		CASE(gone_in_the_middle_of_attach),
		CASE(gone_while_asked_to_leave),
		CASE(the_tree_does_what_handlers_ask),
		CASE(sleep_is_for_all_or_none),
		CASE(the_tree_can_be_walked),
		cmocka_unit_test(a_shut_gate_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
