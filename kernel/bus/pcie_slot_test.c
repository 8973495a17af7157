/* SPDX-License-Identifier: ISC */
/*
 * pcie_slot_test.c - a slot, with a port that the test plays as QEMU does:
 * cards that come, are asked for, are pulled out, give no link, or all of that
 * at random, with a driver that counts.
 */
/* unit: kernel/bus/pcie_slot.c kernel/bus/device.c kernel/bus/device_life.c kernel/bus/device_work.c kernel/bus/gate.c */
/* threads */
#include "bus/acpi.h"
#include "bus/device_impl.h"
#include "bus/pci_impl.h"
#include "bus/pcie_slot.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "tests/host/host.h"
#include <errno.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define CAP 0x40
#define BUS 3

/* ---- the port; PCIe 5.0, 7.5.3 ---- */

static struct {
	pthread_mutex_t lock;
	bool gone;    /* reads as all ones */
	bool card;    /* is in the slot */
	bool asked;   /* the host wants it: power off ejects it */
	bool no_link; /* it never trains */
	bool eager;   /* the host asks for it as soon as it has power */
	uint16_t control, status;
	bool (*handler)(void *arg);
	void *arg;
	bool in_handler; /* under lock */
} port = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool
powered(void)
{
	return (port.control & PCI_EXP_SLTCTL_PCC) == PCI_EXP_SLTCTL_PWR_ON;
}

static bool
link_up(void)
{
	return port.card && powered() && !port.no_link;
}

/* The handler to call, if what is enabled is set and none runs. */
static bool (*handler_begins(void **arg))(void *)
{
	bool (*fn)(void *) = NULL;

	pthread_mutex_lock(&port.lock);
	if (!port.in_handler && port.handler != NULL &&
	    (port.control & PCI_EXP_SLTCTL_HPIE) != 0 &&
	    (port.status & port.control & 0x1f) != 0) {
		fn = port.handler;
		*arg = port.arg;
		port.in_handler = true;
	}
	pthread_mutex_unlock(&port.lock);
	return fn;
}

/* Delivers as long as there is something; no lock of ours is held meanwhile. */
static void
interrupts(void)
{
	bool (*fn)(void *);
	void *arg;

	while ((fn = handler_begins(&arg)) != NULL) {
		fn(arg);
		pthread_mutex_lock(&port.lock);
		port.in_handler = false;
		pthread_mutex_unlock(&port.lock);
	}
}

static uint32_t
read16_locked(unsigned reg)
{
	switch (reg) {
	case CAP + PCI_EXP_FLAGS:
		return PCI_EXP_TYPE_ROOT_PORT << 4 | PCI_EXP_FLAGS_SLOT | 2;
	case CAP + PCI_EXP_LNKSTA: return link_up() ? PCI_EXP_LNKSTA_DLLLA : 0;
	case CAP + PCI_EXP_SLTCTL: return port.control;
	case CAP + PCI_EXP_SLTSTA:
		return port.status | (port.card ? PCI_EXP_SLTSTA_PDS : 0);
	}
	return 0;
}

static uint32_t
port_read(const struct pci_space *s, uint16_t bdf, unsigned reg, unsigned width)
{
	uint32_t v;

	(void)s;
	pthread_mutex_lock(&port.lock);
	if (PCI_BUS(bdf) == BUS)
		v = link_up() && reg == PCI_VENDOR_ID ? 0x1af4 : UINT32_MAX;
	else if (port.gone)
		v = UINT32_MAX;
	else if (width == 4 && reg == CAP + PCI_EXP_SLTCAP)
		v = PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_PCP |
		    PCI_EXP_SLTCAP_AIP | PCI_EXP_SLTCAP_PIP |
		    PCI_EXP_SLTCAP_HPC | 7u << 19;
	else if (width == 4 && reg == CAP + PCI_EXP_LNKCAP)
		v = PCI_EXP_LNKCAP_DLLLARC;
	else
		v = read16_locked(reg);
	pthread_mutex_unlock(&port.lock);
	return v;
}

static void
set_control_locked(uint16_t v)
{
	bool had_power = powered();

	port.control = v;
	if (!had_power && powered() && port.card && port.eager) {
		port.eager = false;
		port.asked = true;
		port.status |= PCI_EXP_SLTSTA_ABP;
	}
	if (!powered() &&
	    (v & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PWR_IND_OFF &&
	    port.card && port.asked) {
		port.card = port.asked = false;
		port.status |= PCI_EXP_SLTSTA_PDC;
	}
	port.status |= PCI_EXP_SLTSTA_CC;
}

static void
port_write(const struct pci_space *s, uint16_t bdf, unsigned reg,
    unsigned width, uint32_t v)
{
	(void)s;
	assert_int_equal(width, 2);
	assert_int_not_equal(PCI_BUS(bdf), BUS);
	pthread_mutex_lock(&port.lock);
	if (reg == CAP + PCI_EXP_SLTCTL)
		set_control_locked(v);
	else if (reg == CAP + PCI_EXP_SLTSTA)
		port.status &= ~v;
	pthread_mutex_unlock(&port.lock);
	if (reg == CAP + PCI_EXP_SLTCTL) /* to clear them raises none */
		interrupts();
}

static const struct pci_cfg_ops cfg_ops = { port_read, port_write };
static const struct pci_space space = {
	.ops = &cfg_ops, .size = 256, .first_bus = 0, .last_bus = 255
};

/* ---- what the test does with it ---- */

static void
happens(unsigned events)
{
	pthread_mutex_lock(&port.lock);
	port.status |= events;
	pthread_mutex_unlock(&port.lock);
	interrupts();
}

static void
plug(bool card)
{
	pthread_mutex_lock(&port.lock);
	port.card = card;
	port.asked = false;
	pthread_mutex_unlock(&port.lock);
	happens(PCI_EXP_SLTSTA_PDC | (card ? PCI_EXP_SLTSTA_ABP : 0));
}

static void
ask(void)
{
	pthread_mutex_lock(&port.lock);
	port.asked = port.card;
	pthread_mutex_unlock(&port.lock);
	happens(PCI_EXP_SLTSTA_ABP);
}

/* ---- what slots need of the floors below ---- */

static struct bootargs args;

const struct bootargs *
bootargs(void)
{
	return &args;
}

int64_t
clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

bool
acpi_pcie_hotplug_is_ours(void)
{
	return true;
}

struct pci_dev *
pci_dev_of(const struct device *dev)
{
	return device_ivars(dev);
}

unsigned
pci_cap_find(const struct pci_caps *caps, uint8_t id)
{
	(void)caps;
	return id == PCI_CAP_ID_EXP ? CAP : 0;
}

int
pci_intr_setup(struct device *dev, unsigned want, unsigned *got)
{
	(void)dev;
	*got = want;
	return 0;
}

int
pci_intr_establish(struct device *dev, unsigned i, bool (*fn)(void *arg),
    void *arg)
{
	(void)dev;
	assert_int_equal(i, 0);
	pthread_mutex_lock(&port.lock);
	port.handler = fn;
	port.arg = arg;
	pthread_mutex_unlock(&port.lock);
	return 0;
}

void
pci_intr_end(struct device *dev)
{
	(void)dev;
	for (bool busy = true; busy;) {
		pthread_mutex_lock(&port.lock);
		port.handler = NULL;
		busy = port.in_handler;
		pthread_mutex_unlock(&port.lock);
	}
}

/* ---- the port's and the card's drivers ---- */

static unsigned attached, detached, pulled; /* atomic */
static struct device *port_node;

static int
card_attach(struct device *dev)
{
	(void)dev;
	__atomic_add_fetch(&attached, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void
card_detach(struct device *dev, enum detach_kind kind)
{
	(void)dev;
	if (kind == DETACH_GONE)
		__atomic_add_fetch(&pulled, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&detached, 1, __ATOMIC_SEQ_CST);
}

static int
port_rescan(struct device *dev)
{
	static const struct device_spec card = { .id = { .text = "card" },
		.address = "card" };
	struct device *child = device_child_after(dev, 0);
	bool there = pci_cfg_read16(&space, PCI_BDF(BUS, 0, 0), 0) != 0xffff;

	if (child != NULL && !there)
		device_remove(child, DETACH_GONE);
	device_put(child);
	return child == NULL && there ? device_add(dev, &card, NULL) : 0;
}

static const struct bus_ops port_ops = { .name = "port",
	.rescan = port_rescan };

static int
port_attach(struct device *dev)
{
	struct pcie_slot **slot = device_softc(dev);
	unsigned number = 0;

	device_set_bus(dev, &port_ops);
	assert_true(pcie_slot_is_there(dev, &number));
	assert_int_equal(number, 7);
	port_rescan(dev);
	*slot = pcie_slot_begin(dev, BUS);
	return *slot == NULL ? -ENOMEM : 0;
}

static void
port_detach(struct device *dev, enum detach_kind kind)
{
	struct pcie_slot **slot = device_softc(dev);

	(void)kind;
	pcie_slot_end(*slot);
}

static const struct driver port_driver = { .name = "port",
	.bus = "root",
	.softc_size = sizeof(struct pcie_slot *),
	.attach = port_attach,
	.detach = port_detach };
static const struct driver card_driver = { .name = "card",
	.bus = "port",
	.attach = card_attach,
	.detach = card_detach };
static const struct driver *const drivers[] = { &port_driver, &card_driver,
	NULL };

/* As bus/pci.c does it: all functions, the power, and one more look. */
int
pci_eject(struct device *bus, unsigned slot, int (*off)(void *arg), void *arg)
{
	struct device *child = device_child_after(bus, 0);
	int error;

	assert_int_equal(slot, 0);
	if (child != NULL)
		device_remove(child, DETACH_ASKED);
	device_put(child);
	error = off(arg);
	device_rescan(bus);
	return error;
}

static struct pci_dev pd = { .space = &space, .bdf = PCI_BDF(0, 1, 0) };

static void
begin_with(bool card, bool power)
{
	static const struct device_spec spec = { .address = "port",
		.ivars = &pd };

	port.card = card;
	port.control = power ? 0 : PCI_EXP_SLTCTL_PCC;
	port.status = power ? PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC : 0;
	port.gone = port.no_link = port.asked = port.eager = false;
	attached = detached = pulled = 0;
	device_set_drivers(drivers);
	assert_int_equal(device_add(device_root(), &spec, &port_node), 0);
}

static void
begin(bool card)
{
	begin_with(card, card);
}

static void
end(void)
{
	device_remove(port_node, DETACH_ASKED);
	device_put(port_node);
	assert_int_equal(attached, detached);
}

/* Sleeps a little until it is so, or for too long. */
#define UNTIL(cond)                                                        \
	do {                                                               \
		int64_t until_ = clock_mono_ns() + 120 * NSEC_PER_SEC;     \
		while (!(cond) && clock_mono_ns() < until_)                \
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL); \
		assert_true(cond);                                         \
	} while (0)
#define NOW(n) __atomic_load_n(&(n), __ATOMIC_SEQ_CST)

static uint16_t
control(void)
{
	uint16_t v;

	pthread_mutex_lock(&port.lock);
	v = port.control;
	pthread_mutex_unlock(&port.lock);
	return v;
}

static uint16_t
lamp(void)
{
	return control() & PCI_EXP_SLTCTL_PIC;
}

static bool
watched(void)
{
	return (control() & PCI_EXP_SLTCTL_HPIE) != 0;
}

/* ---- tests ---- */

static void
comes_and_is_asked_for(void **state)
{
	(void)state;
	begin(false);
	UNTIL(watched());
	plug(true);
	UNTIL(NOW(attached) == 1 && lamp() == PCI_EXP_SLTCTL_PWR_IND_ON);
	ask();
	UNTIL(NOW(detached) == 1 && lamp() == PCI_EXP_SLTCTL_PWR_IND_OFF);
	assert_int_equal(pulled, 0);
	assert_false(port.card);
	plug(true); /* and another one, after the power's rest */
	UNTIL(NOW(attached) == 2);
	end();
}

/* Asked for between its power and the first look at it. */
static void
is_asked_for_while_it_comes(void **state)
{
	(void)state;
	begin(false);
	UNTIL(watched());
	port.eager = true;
	plug(true);
	UNTIL(NOW(detached) == 1 && lamp() == PCI_EXP_SLTCTL_PWR_IND_OFF);
	assert_false(port.card);
	end();
}

/*
 * Of the next one's coming its port tells late, when the slot's thread is on
 * its way to switch it on: the button means no more than it did in time.
 */
static void
is_told_of_late(void **state)
{
	(void)state;
	begin(true);
	UNTIL(watched() && lamp() == PCI_EXP_SLTCTL_PWR_IND_ON);
	ask();
	UNTIL(NOW(detached) == 1 && lamp() == PCI_EXP_SLTCTL_PWR_IND_OFF);
	plug(true); /* while the power rests */
	pthread_mutex_lock(&port.lock);
	port.in_handler = true; /* no interrupt from now on */
	port.status |= PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_ABP;
	pthread_mutex_unlock(&port.lock);
	UNTIL((control() & PCI_EXP_SLTCTL_PCC) == PCI_EXP_SLTCTL_PWR_ON);
	pthread_mutex_lock(&port.lock);
	assert_int_equal(port.status & PCI_EXP_SLTSTA_ABP, 0);
	port.in_handler = false;
	pthread_mutex_unlock(&port.lock);
	interrupts();
	UNTIL(NOW(attached) == 2 && lamp() == PCI_EXP_SLTCTL_PWR_IND_ON);
	assert_int_equal(NOW(detached), 1);
	end();
}

/* The button that was pressed for it before anybody looked means nothing. */
static void
is_there_at_boot(void **state)
{
	(void)state;
	begin(true);
	UNTIL(watched() && lamp() == PCI_EXP_SLTCTL_PWR_IND_ON);
	assert_int_equal(NOW(detached), 0);
	assert_int_equal(NOW(attached), 1);
	end();
}

static void
is_there_without_power(void **state)
{
	(void)state;
	begin_with(true, false); /* and nobody says so */
	UNTIL(watched() && NOW(attached) == 1);
	end();
}

static void
is_pulled(void **state)
{
	(void)state;
	begin(true);
	UNTIL(watched() && NOW(attached) == 1);
	plug(false);
	UNTIL(NOW(detached) == 1 && lamp() == PCI_EXP_SLTCTL_PWR_IND_OFF);
	assert_int_equal(pulled, 1);
	end();
}

static void
is_called_off(void **state)
{
	(void)state;
	args.pci_button_s = 60;
	begin(true);
	UNTIL(watched() && lamp() == PCI_EXP_SLTCTL_PWR_IND_ON);
	happens(PCI_EXP_SLTSTA_ABP);
	UNTIL(lamp() == PCI_EXP_SLTCTL_PWR_IND_BLINK);
	happens(PCI_EXP_SLTSTA_ABP);
	UNTIL(lamp() == PCI_EXP_SLTCTL_PWR_IND_ON);
	assert_int_equal(NOW(detached), 0);
	args.pci_button_s = 0;
	end();
}

static void
gives_no_link(void **state)
{
	(void)state;
	begin(false);
	UNTIL(watched());
	port.no_link = true;
	plug(true);
	UNTIL((control() & PCI_EXP_SLTCTL_AIC) == PCI_EXP_SLTCTL_ATTN_IND_ON &&
	    lamp() == PCI_EXP_SLTCTL_PWR_IND_OFF);
	assert_int_equal(attached, 0);
	end();
}

static void
has_a_power_fault(void **state)
{
	(void)state;
	begin(true);
	UNTIL(watched() && NOW(attached) == 1);
	happens(PCI_EXP_SLTSTA_PFD | PCI_EXP_SLTSTA_PDC);
	UNTIL(NOW(detached) == 1 && NOW(pulled) == 1);
	end();
}

/* The port itself goes: nothing is waited for, nothing is written. */
static void
goes_with_its_port(void **state)
{
	(void)state;
	begin(true);
	UNTIL(watched() && NOW(attached) == 1);
	port.gone = true;
	device_remove(port_node, DETACH_GONE);
	device_put(port_node);
	assert_int_equal(attached, detached);
}

/* Everything at once; in the end it is there and works. */
static void
storm(void **state)
{
	unsigned i;

	(void)state;
	begin(false);
	UNTIL(watched());
	plug(true);
	UNTIL(NOW(attached) == 1);
	for (i = 0; i < 300; i++) {
		switch (host_random(4)) {
		case 0: plug(true); break;
		case 1: plug(false); break;
		case 2: ask(); break;
		default: happens(host_random(32) | PCI_EXP_SLTSTA_DLLSC); break;
		}
		if (host_random(8) == 0)
			nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
	plug(false);
	UNTIL(NOW(attached) == NOW(detached) &&
	    lamp() == PCI_EXP_SLTCTL_PWR_IND_OFF);
	i = NOW(attached);
	plug(true);
	UNTIL(NOW(attached) > i && lamp() == PCI_EXP_SLTCTL_PWR_IND_ON);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_and_is_asked_for),
		cmocka_unit_test(is_asked_for_while_it_comes),
		cmocka_unit_test(is_told_of_late),
		cmocka_unit_test(is_there_at_boot),
		cmocka_unit_test(is_there_without_power),
		cmocka_unit_test(is_pulled),
		cmocka_unit_test(is_called_off),
		cmocka_unit_test(gives_no_link),
		cmocka_unit_test(has_a_power_fault),
		cmocka_unit_test(goes_with_its_port),
		cmocka_unit_test(storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
