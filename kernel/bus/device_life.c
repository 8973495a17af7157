/* SPDX-License-Identifier: ISC */
/*
 * device_life.c - the device tree: all changes of a node's state.  The diagram
 * stands in device.h; tests/spin/device.pml is a model of this file.
 *
 * Every change is made by whoever has the node's turn, so that attach() and
 * detach() never meet.  Marks (gone, leaving) need no turn: they are set at
 * once and only ever in one direction.
 */
#include "bus/device_impl.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <linux/errno.h>

/* ---- turns ---- */

static bool
turn_try(struct device *dev)
{
	uint64_t state = tree_lock();
	bool free = !dev->turn;

	dev->turn = true;
	tree_unlock(state);
	return free;
}

void
device_turn(struct device *dev)
{
	wait_event(&dev->wq, turn_try(dev));
}

void
device_turn_end(struct device *dev)
{
	uint64_t state = tree_lock();

	dev->turn = false;
	waitq_wake_all(&dev->wq);
	tree_unlock(state);
}

/* Read without the lock, by device_state(). */
static void
state_set_locked(struct device *dev, enum device_state to)
{
	__atomic_store_n(&dev->state, to, __ATOMIC_RELEASE);
}

static void
state_set(struct device *dev, enum device_state to)
{
	uint64_t state = tree_lock();

	state_set_locked(dev, to);
	waitq_wake_all(&dev->wq);
	tree_unlock(state);
}

/* ---- attach ---- */

static bool
may_attach(struct device *dev)
{
	uint64_t state = tree_lock();
	bool may = !dev->gone && !dev->leaving && !dev->disabled;

	tree_unlock(state);
	return may;
}

static void
driver_enters(struct device *dev, const struct driver *drv, void *softc)
{
	uint64_t state = tree_lock();

	device_name_locked(dev, drv);
	dev->softc = softc;
	state_set_locked(dev, DEVICE_ATTACHING);
	__atomic_store_n(&dev->driver, drv, __ATOMIC_RELEASE);
	tree_unlock(state);
	dev->announced = false;
	dev->suspended = false;
}

static void
driver_leaves(struct device *dev)
{
	void *softc = dev->softc;
	uint64_t state = tree_lock();

	KASSERT(TAILQ_EMPTY(&dev->children));
	__atomic_store_n(&dev->driver, NULL, __ATOMIC_RELEASE);
	dev->softc = NULL;
	dev->unit = -1;
	dev->ops = NULL;
	state_set_locked(dev, DEVICE_FOUND);
	waitq_wake_all(&dev->wq);
	tree_unlock(state);
	kfree(softc);
}

/* Turn held, state FOUND. */
static int
attach_driver(struct device *dev, const struct driver *drv)
{
	void *softc;
	int error;

	softc = kzalloc(MAX(drv->softc_size, 1));
	if (softc == NULL)
		return -ENOMEM;
	driver_enters(dev, drv, softc);
	error = drv->attach(dev);
	if (error != 0) {
		log_warn("%s: not attached, error %d%s", dev->name, -error,
		    device_is_gone(dev) ? ", gone" : "");
		driver_leaves(dev);
		return error;
	}
	if (!dev->announced)
		device_announce(dev, "%s", "");
	device_tell(dev, DEVICE_EVENT_BIND);
	state_set(dev, DEVICE_ATTACHED);
	return 0;
}

static int
attach_turn(struct device *dev)
{
	const struct driver *drv;

	if (!may_attach(dev))
		return -ENODEV;
	drv = device_choose(dev);
	return drv == NULL ? -ENXIO : attach_driver(dev, drv);
}

static bool
address_taken_locked(struct device *bus, const char *address)
{
	struct device *dev;

	TAILQ_FOREACH (dev, &bus->children, link)
		if (strcmp(dev->address, address) == 0)
			return true;
	return false;
}

/* The new node comes with its turn taken and two references. */
static int
insert(struct device *bus, struct device *dev)
{
	uint64_t state = tree_lock();
	int error = 0;

	if (bus->gone || bus->leaving || bus->ops == NULL ||
	    (bus->state != DEVICE_ATTACHED && bus->state != DEVICE_ATTACHING)) {
		error = -ENODEV;
	} else if (address_taken_locked(bus, dev->address)) {
		error = -EEXIST;
	} else {
		dev->bus = bus->ops;
		dev->turn = true;
		device_get(dev);
		TAILQ_INSERT_TAIL(&bus->children, dev, link);
	}
	tree_unlock(state);
	return error;
}

static void
say_not_configured(struct device *dev)
{
	char at[DEVICE_NAME];

	device_copy_name(dev->parent, at, sizeof(at));
	log_info("%s at %s%s%s not configured",
	    dev->what == NULL ? dev->address : dev->what, at,
	    dev->where == NULL ? "" : " ",
	    dev->where == NULL ? "" : dev->where);
}

int
device_add(struct device *bus, const struct device_spec *spec,
    struct device **out)
{
	struct device *dev;
	int error = device_worker_need();

	if (error != 0)
		return error;
	dev = device_new(bus, spec);
	if (dev == NULL)
		return -ENOMEM;
	error = insert(bus, dev);
	if (error != 0) {
		state_set_locked(dev, DEVICE_GONE);
		device_put(dev); /* on no bus: ivars are untouched */
		return error;
	}
	device_tell(dev, DEVICE_EVENT_ADD);
	if (attach_turn(dev) == -ENXIO && dev->driver == NULL)
		say_not_configured(dev);
	device_turn_end(dev);
	if (out != NULL)
		*out = dev;
	else
		device_put(dev);
	return 0;
}

int
device_attach(struct device *dev)
{
	int error;

	device_turn(dev);
	error = dev->state == DEVICE_GONE ? -ENODEV :
	    dev->state == DEVICE_ATTACHED ? -EBUSY :
					    attach_turn(dev);
	device_turn_end(dev);
	return error;
}

int
device_attach_to(struct device *dev, const struct driver *drv)
{
	int error;

	device_turn(dev);
	if (dev->state == DEVICE_GONE || !may_attach(dev))
		error = -ENODEV;
	else if (dev->state == DEVICE_ATTACHED)
		error = -EBUSY;
	else if (!device_fits(dev, drv))
		error = -ENXIO;
	else
		error = attach_driver(dev, drv);
	device_turn_end(dev);
	return error;
}

/* ---- detach and removal ---- */

static struct device *
last_below(struct device *dev)
{
	uint64_t state = tree_lock();
	struct device *child = TAILQ_LAST(&dev->children, device_list);

	if (child != NULL)
		device_get(child);
	tree_unlock(state);
	return child;
}

/* The last to come is the first to go. */
void
device_remove_below(struct device *bus, enum detach_kind kind)
{
	struct device *child;

	while ((child = last_below(bus)) != NULL) {
		device_remove(child, kind);
		device_put(child);
	}
}

/* Turn held, state ATTACHED. */
static void
detach_turn(struct device *dev, enum detach_kind kind)
{
	state_set(dev, DEVICE_DETACHING); /* no more nodes below */
	device_remove_below(dev, kind);
	if (device_is_gone(dev))
		kind = DETACH_GONE;
	dev->driver->detach(dev, kind);
	device_tell(dev, DEVICE_EVENT_UNBIND);
	driver_leaves(dev);
}

int
device_detach(struct device *dev)
{
	int error = 0;

	device_turn(dev);
	if (dev->state == DEVICE_GONE)
		error = -ENODEV;
	else if (dev->state != DEVICE_ATTACHED)
		error = -ENXIO;
	else
		detach_turn(dev, DETACH_ASKED);
	device_turn_end(dev);
	return error;
}

static void
leave(struct device *dev)
{
	uint64_t state = tree_lock();

	TAILQ_REMOVE(&dev->parent->children, dev, link);
	state_set_locked(dev, DEVICE_GONE);
	tree_unlock(state);
	device_tell(dev, DEVICE_EVENT_REMOVE);
}

int
device_remove(struct device *dev, enum detach_kind kind)
{
	uint64_t state;
	bool last;

	KASSERT(dev != &device_the_root);
	device_get(dev);
	state = tree_lock();
	dev->leaving = true;
	if (kind == DETACH_GONE)
		device_mark_locked(dev);
	tree_unlock(state);
	device_turn(dev);
	last = dev->state != DEVICE_GONE;
	if (dev->state == DEVICE_ATTACHED)
		detach_turn(dev, kind);
	if (last)
		leave(dev);
	device_turn_end(dev);
	if (last)
		device_put(dev); /* the tree's */
	device_put(dev);
	return last ? 0 : -ENODEV;
}

/* ---- what devctl(8) does besides ---- */

static void
disabled_set(struct device *dev, bool to)
{
	uint64_t state = tree_lock();

	dev->disabled = to;
	tree_unlock(state);
}

int
device_enable(struct device *dev)
{
	int error = 0;

	device_turn(dev);
	disabled_set(dev, false);
	if (dev->state == DEVICE_GONE)
		error = -ENODEV;
	else if (dev->state == DEVICE_FOUND)
		error = attach_turn(dev);
	device_turn_end(dev);
	return error;
}

int
device_disable(struct device *dev)
{
	int error;

	device_turn(dev);
	error = dev->state == DEVICE_GONE ? -ENODEV : 0;
	disabled_set(dev, true);
	if (dev->state == DEVICE_ATTACHED)
		detach_turn(dev, DETACH_ASKED);
	device_turn_end(dev);
	return error;
}

static int
set_driver_turn(struct device *dev, const struct driver *drv, bool force)
{
	if (dev->state == DEVICE_GONE)
		return -ENODEV;
	if (dev->state == DEVICE_ATTACHED && dev->driver != drv) {
		if (!force)
			return -EBUSY;
		detach_turn(dev, DETACH_ASKED);
	}
	__atomic_store_n(&dev->only, drv, __ATOMIC_RELAXED);
	return dev->state == DEVICE_FOUND ? attach_turn(dev) : 0;
}

int
device_set_driver(struct device *dev, const char *name, bool force)
{
	const struct driver *drv = NULL;
	int error;

	if (dev->parent == NULL)
		return -EINVAL;
	if (name != NULL) {
		drv = device_driver_named(dev, name);
		if (drv == NULL)
			return -ENOENT;
	}
	device_turn(dev);
	error = set_driver_turn(dev, drv, force);
	device_turn_end(dev);
	return error;
}

static int
clear_driver_turn(struct device *dev, bool force)
{
	int error;

	if (dev->state == DEVICE_GONE)
		return -ENODEV;
	if (dev->only == NULL)
		return -ENXIO;
	if (dev->state == DEVICE_ATTACHED) {
		if (!force)
			return -EBUSY;
		detach_turn(dev, DETACH_ASKED);
	}
	__atomic_store_n(&dev->only, NULL, __ATOMIC_RELAXED);
	error = attach_turn(dev);
	return error == -ENXIO ? 0 : error;
}

int
device_clear_driver(struct device *dev, bool force)
{
	int error;

	device_turn(dev);
	error = clear_driver_turn(dev, force);
	device_turn_end(dev);
	return error;
}

int
device_override(struct device *dev, const char *name)
{
	const struct driver *drv = NULL;
	int error;

	if (dev->parent == NULL)
		return -EINVAL;
	if (name != NULL && strcmp(name, device_no_driver.name) == 0)
		drv = &device_no_driver;
	else if (name != NULL)
		drv = device_driver_named(dev, name);
	if (name != NULL && drv == NULL)
		return -ENOENT;
	device_turn(dev);
	error = dev->state == DEVICE_GONE ? -ENODEV : 0;
	if (error == 0)
		__atomic_store_n(&dev->only, drv, __ATOMIC_RELAXED);
	device_turn_end(dev);
	return error;
}

static int
reset_turn(struct device *dev, const struct bus_ops *ops)
{
	bool was = dev->state == DEVICE_ATTACHED;
	int error;

	if (dev->state == DEVICE_GONE || device_is_gone(dev))
		return -ENODEV;
	if (was)
		detach_turn(dev, DETACH_ASKED);
	error = ops->reset(dev);
	if (was && error == 0)
		error = attach_turn(dev);
	return error;
}

int
device_reset(struct device *dev)
{
	const struct bus_ops *ops = dev->parent == NULL ?
	    NULL :
	    device_bus_ops(dev->parent);
	int error;

	if (ops == NULL || ops->reset == NULL)
		return -EOPNOTSUPP;
	device_turn(dev);
	error = reset_turn(dev, ops);
	device_turn_end(dev);
	return error;
}

static int
rescan_turn(struct device *bus)
{
	const struct bus_ops *ops = bus->ops;

	if (bus->state == DEVICE_GONE || device_is_gone(bus))
		return -ENODEV;
	if (bus->state != DEVICE_ATTACHED || ops == NULL || ops->rescan == NULL)
		return -EOPNOTSUPP;
	return ops->rescan(bus);
}

/* A look that begun after this call was made, and has ended, is as good. */
int
device_rescan(struct device *bus)
{
	uint32_t before = __atomic_load_n(&bus->looks, __ATOMIC_ACQUIRE);
	int error;

	device_turn(bus);
	if (bus->looks == before) {
		__atomic_store_n(&bus->looks, before + 1, __ATOMIC_RELEASE);
		bus->look_error = rescan_turn(bus);
	}
	error = bus->look_error;
	device_turn_end(bus);
	return error;
}

int
device_call_bus(struct device *bus, int (*fn)(struct device *bus, void *arg),
    void *arg)
{
	int error;

	device_turn(bus);
	error = bus->state != DEVICE_ATTACHED || device_is_gone(bus) ?
	    -ENODEV :
	    fn(bus, arg);
	device_turn_end(bus);
	return error;
}

int
device_call(struct device *dev, int (*fn)(struct device *dev, void *arg),
    void *arg)
{
	int error;

	device_turn(dev);
	error = dev->state == DEVICE_GONE || device_is_gone(dev) ? -ENODEV :
								   fn(dev, arg);
	device_turn_end(dev);
	return error;
}
