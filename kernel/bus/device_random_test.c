/* SPDX-License-Identifier: ISC */
/*
 * device_random_test.c - plugging, pulling, attaching, detaching and I/O, all
 * at once, from many threads.
 *
 * The test plays the hardware (a slot's device takes requests, answers them by
 * interrupt, falls silent or vanishes), a driver in the house's shape, an upper
 * floor that keeps names of disks and sleeps for requests, and people with
 * devctl(8).  In the end each request has ended exactly once, each attach has
 * its detach, and nothing is left.
 */
/* unit: kernel/bus/device.c kernel/bus/device_life.c kernel/bus/device_work.c kernel/bus/gate.c kernel/bus/intr.c */
/* threads */
#include "bus/device_impl.h"

#include "bus/gate.h"
#include "bus/intr.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "tests/host/host.h"
#include "x86/irq.h"
#include <linux/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NSLOTS     4
#define NREQS      8
#define RUN_MS     1500
#define CHECK(e)   KASSERT(e)
#define COUNT(n)   __atomic_add_fetch(&total.n, 1, __ATOMIC_RELAXED)
#define HEALTHY(h) __atomic_load_n(&(h)->healthy, __ATOMIC_ACQUIRE)

static struct {
	unsigned attached, detached, own_detached, submitted, ended, failed;
	unsigned add, remove, bind, unbind, freed, plugged;
} total;
static bool stop_all, stop_hardware; /* atomic */

static bool
running(const bool *stop)
{
	return !__atomic_load_n(stop, __ATOMIC_ACQUIRE);
}

bool
irq_info(unsigned i, struct irq_info *info)
{
	(void)i;
	(void)info;
	return false;
}

/* ---- the hardware ---- */

struct request {
	struct spinlock lock;
	struct waitq wq;
	unsigned ends; /* under lock */
	int error;
};

struct hardware {      /* what is plugged into a slot: the node's ivars */
	unsigned refs; /* atomic: the slot's, the node's */
	bool healthy;  /* atomic: else it answers nothing more */
	struct spinlock lock; /* of all below */
	struct request *ring[NREQS], *answer[NREQS];
	unsigned nring, nanswers;
	struct intr_source *line; /* where its interrupt goes, NULL: nowhere */
	unsigned inflight;        /* atomic: interrupts on their way */
};

static struct spinlock slots_lock = SPINLOCK_INIT;
static struct hardware *slots[NSLOTS]; /* under slots_lock */

static void
hw_put(struct hardware *hw)
{
	if (hw == NULL ||
	    __atomic_sub_fetch(&hw->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	CHECK(hw->line == NULL);
	COUNT(freed);
	free(hw);
}

static struct hardware *
hw_in(unsigned slot)
{
	struct hardware *hw;

	spin_lock(&slots_lock);
	hw = slots[slot];
	if (hw != NULL)
		__atomic_add_fetch(&hw->refs, 1, __ATOMIC_RELAXED);
	spin_unlock(&slots_lock);
	return hw;
}

/* Pulls what is in the slot, puts in something new or nothing. */
static void
replug(unsigned slot)
{
	struct hardware *hw = NULL, *was;

	if (host_random(3) != 0) {
		hw = calloc(1, sizeof(*hw));
		hw->refs = 1;
		hw->healthy = host_random(4) != 0;
		spin_init(&hw->lock);
		COUNT(plugged);
	}
	spin_lock(&slots_lock);
	was = slots[slot];
	slots[slot] = hw;
	spin_unlock(&slots_lock);
	if (was != NULL)
		__atomic_store_n(&was->healthy, false, __ATOMIC_RELEASE);
	hw_put(was);
}

/* As the processor does: found in the table first, called then. */
static void
interrupt(struct hardware *hw)
{
	struct intr_source *line;

	__atomic_add_fetch(&hw->inflight, 1, __ATOMIC_SEQ_CST);
	spin_lock(&hw->lock);
	line = hw->line;
	spin_unlock(&hw->lock);
	if (line != NULL)
		intr_dispatch(line);
	__atomic_sub_fetch(&hw->inflight, 1, __ATOMIC_SEQ_CST);
}

static void
hw_work(struct hardware *hw)
{
	if (!HEALTHY(hw))
		return;
	spin_lock(&hw->lock);
	while (hw->nring > 0 && hw->nanswers < NREQS && host_random(4) != 0)
		hw->answer[hw->nanswers++] = hw->ring[--hw->nring];
	spin_unlock(&hw->lock);
	interrupt(hw);
}

static void *
hw_thread(void *arg)
{
	struct hardware *hw;

	host_random_seed((uint64_t)arg);
	while (running(&stop_hardware)) {
		hw = hw_in(host_random(NSLOTS));
		if (hw != NULL)
			hw_work(hw);
		hw_put(hw);
		if (host_random(8) == 0)
			usleep(50);
	}
	return NULL;
}

/* Nothing of the ring is known to the device from here on. */
static void
hw_reset(struct hardware *hw)
{
	spin_lock(&hw->lock);
	hw->nring = hw->nanswers = 0;
	spin_unlock(&hw->lock);
}

/* Its line, a source that exists while the driver is attached. */
static int
line_enable(struct intr_source *src)
{
	struct hardware *hw = src->arg;

	spin_lock(&hw->lock);
	hw->line = src;
	spin_unlock(&hw->lock);
	return 0;
}

static void
line_disable(struct intr_source *src)
{
	struct hardware *hw = src->arg;

	spin_lock(&hw->lock);
	hw->line = NULL;
	spin_unlock(&hw->lock);
}

static void
line_free(struct intr_source *src)
{
	struct hardware *hw = src->arg;

	while (__atomic_load_n(&hw->inflight, __ATOMIC_SEQ_CST) != 0)
		sched_yield();
	kfree(src);
}

static const struct intr_ops line_ops = {
	.kind = "test",
	.enable = line_enable,
	.disable = line_disable,
	.free = line_free,
};

/* ---- the upper floor: names of disks ---- */

struct disk {
	unsigned refs; /* atomic */
	struct gate gate;
	struct fdisk_softc *sc; /* while inside the gate */
};

static struct spinlock disks_lock = SPINLOCK_INIT;
static struct disk *disks[NSLOTS]; /* under disks_lock */

static void
disk_put(struct disk *d)
{
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(d);
}

static int
disk_arrive(struct fdisk_softc *sc, struct disk **out)
{
	struct disk *d = kzalloc(sizeof(*d));
	unsigned i;

	if (d == NULL)
		return -ENOMEM;
	d->refs = 1;
	d->sc = sc;
	gate_init(&d->gate);
	spin_lock(&disks_lock);
	for (i = 0; i < NSLOTS && disks[i] != NULL; i++)
		;
	if (i < NSLOTS)
		disks[i] = d;
	spin_unlock(&disks_lock);
	if (i == NSLOTS) {
		kfree(d);
		return -ENOSPC;
	}
	*out = d;
	return 0;
}

static void
disk_depart(struct disk *d)
{
	unsigned i;

	if (d == NULL)
		return;
	spin_lock(&disks_lock);
	for (i = 0; i < NSLOTS; i++)
		if (disks[i] == d)
			disks[i] = NULL;
	spin_unlock(&disks_lock);
	disk_put(d);
}

static struct disk *
disk_named(unsigned i)
{
	struct disk *d;

	spin_lock(&disks_lock);
	d = disks[i];
	if (d != NULL)
		__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	spin_unlock(&disks_lock);
	return d;
}

/* The last touch of the request is the unlocking: its thread waits for it. */
static void
request_end(struct request *r, int error)
{
	spin_lock(&r->lock);
	r->ends++;
	r->error = error;
	waitq_wake_all(&r->wq);
	spin_unlock(&r->lock);
}

static bool
request_ended(struct request *r)
{
	bool is;

	spin_lock(&r->lock);
	is = r->ends != 0;
	spin_unlock(&r->lock);
	return is;
}

/* ---- the driver ---- */

struct fdisk_softc {
	struct hardware *hw;       /* [I] */
	struct device *dev;        /* [I] */
	struct intr_source *line;  /* [I] */
	struct intr_handler *intr; /* [I] */
	struct disk *disk;         /* [I] */
	struct spinlock lock;
	bool shut, awake;           /* [lock] */
	struct request *req[NREQS]; /* [lock] in the device's hands */
};

static bool
request_forget(struct fdisk_softc *sc, const struct request *r)
{
	unsigned i;

	for (i = 0; i < NREQS; i++) {
		if (sc->req[i] != r)
			continue;
		sc->req[i] = NULL;
		return true;
	}
	return false;
}

static struct request *
take_answered(struct fdisk_softc *sc)
{
	struct hardware *hw = sc->hw;
	struct request *r = NULL;

	spin_lock(&sc->lock);
	spin_lock(&hw->lock);
	if (hw->nanswers > 0)
		r = hw->answer[--hw->nanswers];
	spin_unlock(&hw->lock);
	if (r != NULL && !request_forget(sc, r))
		r = NULL; /* an answer to nothing */
	spin_unlock(&sc->lock);
	return r;
}

static bool
fdisk_intr(void *arg)
{
	struct fdisk_softc *sc = arg;
	struct request *r;

	spin_lock(&sc->lock);
	sc->awake = true;
	spin_unlock(&sc->lock);
	waitq_wake_all(device_waitq(sc->dev));
	while ((r = take_answered(sc)) != NULL)
		request_end(r, 0);
	if (host_random(500) == 0)
		device_report_gone(sc->dev); /* what came was nonsense */
	return true;
}

static int
fdisk_submit(struct fdisk_softc *sc, struct request *r)
{
	struct hardware *hw = sc->hw;
	unsigned i = 0;
	int error = 0;

	spin_lock(&sc->lock);
	while (i < NREQS && sc->req[i] != NULL)
		i++;
	spin_lock(&hw->lock);
	if (sc->shut)
		error = -ENODEV;
	else if (i == NREQS || hw->nring == NREQS)
		error = -EAGAIN;
	else
		sc->req[i] = hw->ring[hw->nring++] = r;
	spin_unlock(&hw->lock);
	spin_unlock(&sc->lock);
	return error;
}

static struct request *
take_unanswered(struct fdisk_softc *sc)
{
	struct request *r = NULL;
	unsigned i;

	spin_lock(&sc->lock);
	for (i = 0; i < NREQS && r == NULL; i++) {
		r = sc->req[i];
		sc->req[i] = NULL;
	}
	spin_unlock(&sc->lock);
	return r;
}

static void
fdisk_down(struct fdisk_softc *sc)
{
	struct request *r;

	spin_lock(&sc->lock);
	sc->shut = true;
	spin_unlock(&sc->lock);
	if (sc->disk != NULL)
		gate_shut(&sc->disk->gate);
	hw_reset(sc->hw);
	intr_disestablish(sc->intr);
	while ((r = take_unanswered(sc)) != NULL)
		request_end(r, -ENODEV);
	disk_depart(sc->disk);
	intr_put(sc->line);
}

static void
fdisk_detach(struct device *dev, enum detach_kind kind)
{
	struct fdisk_softc *sc = device_softc(dev);

	CHECK(kind == DETACH_ASKED || device_is_gone(dev));
	CHECK(device_state(dev) == DEVICE_DETACHING);
	fdisk_down(sc);
	COUNT(detached);
}

static bool
is_awake(struct fdisk_softc *sc)
{
	bool is;

	spin_lock(&sc->lock);
	is = sc->awake;
	spin_unlock(&sc->lock);
	return is;
}

static int
fdisk_make_line(struct fdisk_softc *sc)
{
	struct intr_source *line = kzalloc(sizeof(*line));
	int error = line == NULL ? -ENOMEM : 0;

	if (error == 0) {
		error = intr_source_init(line, &line_ops, sc->hw, "line");
		if (error != 0)
			kfree(line);
		else
			sc->line = line;
	}
	if (error == 0)
		error = intr_establish(line, fdisk_intr, sc, "fdisk",
		    &sc->intr);
	return error;
}

static int
fdisk_attach(struct device *dev)
{
	struct fdisk_softc *sc = device_softc(dev);
	int error;

	COUNT(attached);
	sc->dev = dev;
	sc->hw = device_ivars(dev);
	spin_init(&sc->lock);
	hw_reset(sc->hw);
	error = fdisk_make_line(sc);
	if (error == 0)
		wait_event(device_waitq(dev),
		    is_awake(sc) || device_is_gone(dev));
	if (error == 0 && device_is_gone(dev))
		error = -ENODEV;
	if (error == 0 && host_random(8) == 0)
		error = -EIO;
	if (error == 0)
		error = disk_arrive(sc, &sc->disk);
	if (error != 0) {
		fdisk_down(sc);
		COUNT(own_detached);
	}
	return error;
}

/* ---- the bus ---- */

static struct device *
node_at(unsigned slot)
{
	char address[16];

	snprintf(address, sizeof(address), "slot%u", slot);
	return device_find(address);
}

static int
fbus_rescan(struct device *bus)
{
	struct device_spec spec = { .id = { .vendor = 1, .device = 1 } };
	struct hardware *hw;
	struct device *dev;
	char address[16];
	unsigned i;

	for (i = 0; i < NSLOTS; i++) {
		hw = hw_in(i);
		dev = node_at(i);
		if (dev != NULL && device_ivars(dev) != hw) {
			device_remove(dev, DETACH_GONE);
			device_put(dev);
			dev = NULL;
		}
		snprintf(address, sizeof(address), "slot%u", i);
		spec.address = address;
		spec.ivars = hw; /* its reference is the node's from now on */
		if (dev != NULL || hw == NULL ||
		    device_add(bus, &spec, NULL) != 0)
			hw_put(hw);
		device_put(dev);
	}
	return 0;
}

static void
fbus_free(void *ivars)
{
	hw_put(ivars);
}

static int
fbus_reset(struct device *dev)
{
	hw_reset(device_ivars(dev));
	return 0;
}

static const struct bus_ops fbus_ops = {
	.name = "fbus",
	.rescan = fbus_rescan,
	.free = fbus_free,
	.reset = fbus_reset,
};

static int
fbus_attach(struct device *dev)
{
	device_set_bus(dev, &fbus_ops);
	return fbus_rescan(dev);
}

static void
fbus_detach(struct device *dev, enum detach_kind kind)
{
	(void)dev;
	(void)kind;
}

static const struct device_id fdisk_ids[] = {
	{ .vendor = 1, .device = 1 },
	{ 0 },
};
static const struct driver fdisk_driver = {
	.name = "fdisk",
	.bus = "fbus",
	.softc_size = sizeof(struct fdisk_softc),
	.ids = fdisk_ids,
	.attach = fdisk_attach,
	.detach = fdisk_detach,
};
static const struct driver fbus_driver = {
	.name = "fbus",
	.bus = "root",
	.attach = fbus_attach,
	.detach = fbus_detach,
};
static const struct driver *const table[] = { &fdisk_driver, &fbus_driver,
	NULL };

static void
observe(struct device *dev, enum device_event what, const char *name)
{
	(void)dev;
	CHECK(name[0] != '\0');
	__atomic_add_fetch(what == DEVICE_EVENT_ADD ? &total.add :
		what == DEVICE_EVENT_BIND           ? &total.bind :
		what == DEVICE_EVENT_UNBIND         ? &total.unbind :
						      &total.remove,
	    1, __ATOMIC_RELAXED);
}
static struct device_observer observer = { .event = observe };

/* ---- those who use it ---- */

static int
disk_submit(struct disk *d, struct request *r)
{
	int error;

	if (!gate_enter(&d->gate))
		return -ENODEV;
	error = fdisk_submit(d->sc, r);
	gate_exit(&d->gate);
	return error;
}

static void
one_request(struct disk *d)
{
	struct request r = { .lock = SPINLOCK_INIT };

	waitq_init(&r.wq);
	if (disk_submit(d, &r) == 0) {
		COUNT(submitted);
		wait_event(&r.wq, request_ended(&r));
		spin_lock(&r.lock);
		CHECK(r.ends == 1);
		spin_unlock(&r.lock);
		if (r.error == 0)
			COUNT(ended);
		else
			COUNT(failed);
	}
}

static void *
io_thread(void *arg)
{
	struct disk *d;

	host_random_seed((uint64_t)arg);
	while (running(&stop_all)) {
		d = disk_named(host_random(NSLOTS));
		if (d == NULL) {
			usleep(50);
			continue;
		}
		one_request(d);
		disk_put(d);
	}
	return NULL;
}

static void *
plug_thread(void *arg)
{
	struct device *bus;

	host_random_seed((uint64_t)arg);
	while (running(&stop_all)) {
		usleep(host_random(2000));
		replug(host_random(NSLOTS));
		bus = device_find("bus");
		if (bus != NULL)
			device_rescan_soon(bus);
		device_put(bus);
	}
	return NULL;
}

static void
bus_make(void)
{
	struct device_spec spec = { .address = "bus" };

	device_add(device_root(), &spec, NULL);
}

static void
administer(struct device *dev)
{
	switch (host_random(9)) {
	case 0: device_remove(dev, DETACH_ASKED); break;
	case 1: device_remove(dev, DETACH_GONE); break;
	case 2: device_report_gone(dev); break;
	case 3: device_detach(dev); break;
	case 4: device_attach(dev); break;
	case 5: device_disable(dev); break;
	case 6: device_enable(dev); break;
	case 7: device_set_driver(dev, "fdisk", true); break;
	case 8: device_reset(dev); break;
	}
}

static bool
look(struct device *dev, unsigned depth, void *arg)
{
	char name[DEVICE_NAME];

	(void)arg;
	device_copy_name(dev, name, sizeof(name));
	CHECK(name[0] != '\0' && depth >= 1 && depth <= 2);
	return true;
}

static void *
admin_thread(void *arg)
{
	struct device *dev;

	host_random_seed((uint64_t)arg);
	while (running(&stop_all)) {
		usleep(host_random(1000));
		dev = node_at(host_random(NSLOTS));
		if (dev != NULL && host_random(3) == 0)
			administer(dev);
		device_put(dev);
		if (host_random(50) == 0 &&
		    (dev = device_find("bus")) != NULL) {
			device_remove(dev, host_random(2));
			device_put(dev);
		}
		if (host_random(20) == 0)
			bus_make();
		if (host_random(20) == 0)
			device_foreach(look, NULL);
		if (host_random(40) == 0 && device_suspend_all() == 0)
			device_resume_all();
	}
	return NULL;
}

/* What never answers is found out by its bus sooner or later. */
static void *
doctor_thread(void *arg)
{
	struct hardware *hw;
	struct device *dev;

	host_random_seed((uint64_t)arg);
	while (running(&stop_hardware)) {
		usleep(2000);
		dev = node_at(host_random(NSLOTS));
		hw = dev == NULL ? NULL : device_ivars(dev);
		if (hw != NULL && !HEALTHY(hw))
			device_report_gone(dev);
		device_put(dev);
	}
	return NULL;
}

/* Users end first, while the hardware still works; then all is taken away. */
static void
end_all(pthread_t *t, unsigned nhardware, unsigned n)
{
	struct device *bus;
	unsigned i;

	__atomic_store_n(&stop_all, true, __ATOMIC_RELEASE);
	for (i = nhardware; i < n; i++)
		pthread_join(t[i], NULL);
	while ((bus = device_find("bus")) != NULL) {
		device_remove(bus, host_random(2));
		device_put(bus);
	}
	while (__atomic_load_n(&device_tree.live, __ATOMIC_SEQ_CST) != 0)
		usleep(100);
	__atomic_store_n(&stop_hardware, true, __ATOMIC_RELEASE);
	for (i = 0; i < nhardware; i++)
		pthread_join(t[i], NULL);
	for (i = 0; i < NSLOTS; i++) {
		hw_put(slots[i]);
		slots[i] = NULL;
	}
}

static void
run(unsigned fail_one_in)
{
	void *(*const roles[])(void *) = { hw_thread, hw_thread, doctor_thread,
		plug_thread, io_thread, io_thread, io_thread, admin_thread,
		admin_thread };
	pthread_t t[ARRAY_SIZE(roles)];
	unsigned i;

	memset(&total, 0, sizeof(total));
	stop_all = stop_hardware = false;
	host_fail_one_in(fail_one_in);
	bus_make();
	for (i = 0; i < ARRAY_SIZE(roles); i++)
		pthread_create(&t[i], NULL, roles[i],
		    (void *)(uintptr_t)(fail_one_in * 100 + i + 1));
	usleep(RUN_MS * 1000);
	end_all(t, 3, ARRAY_SIZE(roles));
	host_fail_one_in(0);
	print_message("# %u attached, %u gave up, %u requests, %u of them "
		      "ended by a removal, %u devices\n",
	    total.attached, total.own_detached, total.submitted, total.failed,
	    total.plugged);
	assert_int_equal(total.attached, total.detached + total.own_detached);
	assert_int_equal(total.submitted, total.ended + total.failed);
	assert_int_equal(total.add, total.remove);
	assert_int_equal(total.bind, total.unbind);
	assert_int_equal(total.freed, total.plugged);
	assert_int_equal(host_kmem_blocks(), 0);
	assert_true(total.ended > 0 && total.failed > 0);
}

static void
everything_ends_exactly_once(void **state)
{
	(void)state;
	run(0);
}

static void
and_without_memory(void **state)
{
	(void)state;
	run(20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_ends_exactly_once),
		cmocka_unit_test(and_without_memory),
	};

	device_set_drivers(table);
	device_observe(&observer);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
