/* SPDX-License-Identifier: ISC */
/*
 * device.c - nodes of the device tree: memory, references, names, drivers that
 * fit, observers, log lines.  What changes a node's state is device_life.c.
 */
#include "bus/device_impl.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/string.h"
#include <linux/errno.h>

#define LINE_MAX 160

static const struct bus_ops root_ops = { .name = "root" };

struct device device_the_root = {
	.refs = 1,
	.children = TAILQ_HEAD_INITIALIZER(device_the_root.children),
	.state = DEVICE_ATTACHED,
	.name = "root",
	.address = device_the_root.name,
	.unit = -1,
	.ops = &root_ops,
	.wq = WAITQ_INIT(device_the_root.wq),
};

struct tree device_tree = {
	.lock = SPINLOCK_INIT,
	.work = TAILQ_HEAD_INITIALIZER(device_tree.work),
	.work_wq = WAITQ_INIT(device_tree.work_wq),
	.settle_wq = WAITQ_INIT(device_tree.settle_wq),
};

struct device *
device_root(void)
{
	return &device_the_root;
}

void
device_set_drivers(const struct driver *const *table)
{
	device_tree.drivers = table;
}

/* ---- references ---- */

struct device *
device_get(struct device *dev)
{
	__atomic_add_fetch(&dev->refs, 1, __ATOMIC_RELAXED);
	return dev;
}

/* The bus's operations are constant and outlive its node. */
static void
device_free(struct device *dev)
{
	KASSERT(dev->state == DEVICE_GONE && dev->softc == NULL);
	KASSERT(TAILQ_EMPTY(&dev->children) && !dev->work_queued);
	if (dev->bus != NULL && dev->bus->free != NULL)
		dev->bus->free(dev->ivars);
	kfree(dev);
	__atomic_sub_fetch(&device_tree.live, 1, __ATOMIC_RELAXED);
}

void
device_put(struct device *dev)
{
	struct device *parent;

	while (dev != NULL &&
	    __atomic_sub_fetch(&dev->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		parent = dev->parent;
		device_free(dev);
		dev = parent;
	}
}

static char *
copy_string(char **to, const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s) + 1;
	char *at = *to;

	if (n == 0)
		return NULL;
	memcpy(at, s, n);
	*to += n;
	return at;
}

static size_t
string_size(const char *s)
{
	return s == NULL ? 0 : strlen(s) + 1;
}

struct device *
device_new(struct device *bus, const struct device_spec *spec)
{
	struct device *dev = kzalloc(sizeof(*dev) + string_size(spec->address) +
	    string_size(spec->where) + string_size(spec->what));
	char *strings;

	if (dev == NULL)
		return NULL;
	strings = (char *)(dev + 1);
	dev->refs = 1;
	dev->parent = device_get(bus);
	TAILQ_INIT(&dev->children);
	waitq_init(&dev->wq);
	dev->unit = -1;
	dev->id = spec->id;
	dev->serial = device_serial_next();
	dev->ivars = spec->ivars;
	dev->address = copy_string(&strings, spec->address);
	dev->where = copy_string(&strings, spec->where);
	dev->what = copy_string(&strings, spec->what);
	__atomic_add_fetch(&device_tree.live, 1, __ATOMIC_RELAXED);
	return dev;
}

/* ---- reading ---- */

void *
device_softc(const struct device *dev)
{
	return dev->softc;
}

void *
device_ivars(const struct device *dev)
{
	return dev->ivars;
}

struct device *
device_parent(const struct device *dev)
{
	return dev->parent;
}

const struct bus_ops *
device_bus_ops(const struct device *dev)
{
	return __atomic_load_n(&dev->ops, __ATOMIC_ACQUIRE);
}

const struct bus_ops *
device_bus(const struct device *dev)
{
	return dev->bus;
}

uint64_t
device_serial(const struct device *dev)
{
	return dev->serial;
}

uint64_t
device_serial_next(void)
{
	static uint64_t last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

void
device_set_bus(struct device *dev, const struct bus_ops *ops)
{
	__atomic_store_n(&dev->ops, ops, __ATOMIC_RELEASE);
}

const struct device_id *
device_id(const struct device *dev)
{
	return &dev->id;
}

enum device_state
device_state(const struct device *dev)
{
	return __atomic_load_n(&dev->state, __ATOMIC_ACQUIRE);
}

const struct driver *
device_driver(const struct device *dev)
{
	return __atomic_load_n(&dev->driver, __ATOMIC_ACQUIRE);
}

const char *
device_address(const struct device *dev)
{
	return dev->address;
}

const char *
device_name(const struct device *dev)
{
	return device_driver(dev) != NULL ? dev->name : dev->address;
}

void
device_copy_name(const struct device *dev, char *buf, size_t size)
{
	uint64_t state = tree_lock();

	strlcpy(buf, device_name(dev), size);
	tree_unlock(state);
}

int
device_unit(const struct device *dev)
{
	return dev->unit;
}

bool
device_is_gone(const struct device *dev)
{
	return __atomic_load_n(&dev->gone, __ATOMIC_SEQ_CST);
}

bool
device_is_disabled(const struct device *dev)
{
	return __atomic_load_n(&dev->disabled, __ATOMIC_RELAXED);
}

struct waitq *
device_waitq(struct device *dev)
{
	return &dev->wq;
}

/* ---- walks and names ---- */

struct device *
device_next_locked(struct device *dev, struct device *top)
{
	struct device *next = TAILQ_FIRST(&dev->children);

	while (next == NULL && dev != top) {
		next = TAILQ_NEXT(dev, link);
		dev = dev->parent;
	}
	return next;
}

void
device_mark_locked(struct device *top)
{
	struct device *dev;

	for (dev = top; dev != NULL; dev = device_next_locked(dev, top)) {
		__atomic_store_n(&dev->gone, true, __ATOMIC_SEQ_CST);
		waitq_wake_all(&dev->wq);
	}
}

static struct device *
find_locked(const char *name)
{
	struct device *top = &device_the_root, *dev = top;

	while ((dev = device_next_locked(dev, top)) != NULL)
		if (strcmp(device_name(dev), name) == 0)
			return dev;
	for (dev = top; (dev = device_next_locked(dev, top)) != NULL;)
		if (strcmp(dev->address, name) == 0)
			return dev;
	return NULL;
}

struct device *
device_find(const char *name)
{
	uint64_t state = tree_lock();
	struct device *dev = find_locked(name);

	if (dev == NULL && strcmp(name, device_the_root.name) == 0)
		dev = &device_the_root;
	if (dev != NULL)
		device_get(dev);
	tree_unlock(state);
	return dev;
}

struct device *
device_find_serial(uint64_t serial)
{
	uint64_t state = tree_lock();
	struct device *top = &device_the_root, *dev = top;

	while (dev != NULL && dev->serial != serial)
		dev = device_next_locked(dev, top);
	if (dev != NULL)
		device_get(dev);
	tree_unlock(state);
	return dev;
}

struct device *
device_child_after(struct device *dev, uint64_t after)
{
	uint64_t state = tree_lock();
	struct device *child, *best = NULL;

	TAILQ_FOREACH (child, &dev->children, link)
		if (child->serial > after &&
		    (best == NULL || child->serial < best->serial))
			best = child;
	if (best != NULL)
		device_get(best);
	tree_unlock(state);
	return best;
}

static bool
unit_taken_locked(const char *name, int unit)
{
	struct device *top = &device_the_root, *dev = top;

	while ((dev = device_next_locked(dev, top)) != NULL)
		if (dev->driver != NULL && dev->unit == unit &&
		    strcmp(dev->driver->name, name) == 0)
			return true;
	return false;
}

void
device_name_locked(struct device *dev, const struct driver *drv)
{
	int unit = 0;

	while (unit_taken_locked(drv->name, unit) ||
	    (drv->unit_in_use != NULL && drv->unit_in_use(unit)))
		unit++;
	dev->unit = unit;
	snprintf(dev->name, sizeof(dev->name), "%s%d", drv->name, unit);
}

/* ---- drivers ---- */

/* Identities that were added while the machine runs. */
struct added_id {
	struct added_id *next;
	const struct driver *drv;
	struct device_id id;
};
static struct added_id *added; /* only ever grows */

const struct driver device_no_driver = { .name = "none" };

static bool
id_ends(const struct device_id *p)
{
	return (p->vendor | p->device | p->subvendor | p->subdevice) == 0 &&
	    p->class_mask == 0 && p->text == NULL;
}

static bool
id_fits(const struct device_id *p, const struct device_id *id)
{
	return (p->vendor == 0 || p->vendor == id->vendor) &&
	    (p->device == 0 || p->device == id->device) &&
	    (p->subvendor == 0 || p->subvendor == id->subvendor) &&
	    (p->subdevice == 0 || p->subdevice == id->subdevice) &&
	    ((p->class ^ id->class) & p->class_mask) == 0 &&
	    (p->text == NULL ||
		(id->text != NULL && strcmp(p->text, id->text) == 0));
}

int
device_id_match(const struct device_id *ids, const struct device_id *id)
{
	for (; !id_ends(ids); ids++)
		if (id_fits(ids, id))
			return ids->device != 0 || ids->text != NULL ?
			    DRIVER_MATCH :
			    DRIVER_MATCH_CLASS;
	return 0;
}

static bool
is_added(const struct driver *drv, const struct device_id *id)
{
	struct added_id *a = __atomic_load_n(&added, __ATOMIC_ACQUIRE);

	for (; a != NULL; a = a->next)
		if (a->drv == drv && id_fits(&a->id, id))
			return true;
	return false;
}

static int
driver_fits(const struct driver *drv, struct device *dev)
{
	int worth = DRIVER_MATCH;

	if (strcmp(drv->bus, dev->bus->name) != 0)
		return 0;
	if (is_added(drv, &dev->id))
		return DRIVER_MATCH;
	if (drv->ids != NULL)
		worth = device_id_match(drv->ids, &dev->id);
	if (worth > 0 && drv->match != NULL)
		worth = drv->match(dev);
	return worth;
}

const struct driver *
device_choose(struct device *dev)
{
	const struct driver *const *d = device_tree.drivers, *best = NULL;
	int worth, best_worth = 0;

	if (dev->only != NULL)
		return dev->only == &device_no_driver ? NULL : dev->only;
	for (; d != NULL && *d != NULL; d++) {
		worth = driver_fits(*d, dev);
		if (worth > best_worth) {
			best_worth = worth;
			best = *d;
		}
	}
	return best;
}

bool
device_fits(struct device *dev, const struct driver *drv)
{
	return dev->only != NULL ? dev->only == drv : driver_fits(drv, dev) > 0;
}

const struct driver *
device_driver_named(struct device *dev, const char *name)
{
	const struct driver *const *d = device_tree.drivers;

	for (; d != NULL && *d != NULL; d++)
		if (strcmp((*d)->name, name) == 0 &&
		    strcmp((*d)->bus, dev->bus->name) == 0)
			return *d;
	return NULL;
}

const struct driver *
device_only(const struct device *dev)
{
	return __atomic_load_n(&dev->only, __ATOMIC_RELAXED);
}

static bool
offer(struct device *dev, unsigned depth, void *arg)
{
	(void)depth;
	if (device_driver(dev) == NULL && is_added(arg, &dev->id))
		(void)device_attach(dev); /* the log says why not */
	return true;
}

int
device_add_id(const struct driver *drv, const struct device_id *id)
{
	struct added_id *a;
	uint64_t state;

	if (is_added(drv, id))
		return -EEXIST;
	a = kzalloc(sizeof(*a));
	if (a == NULL)
		return -ENOMEM;
	a->drv = drv;
	a->id = *id;
	state = tree_lock();
	a->next = added;
	__atomic_store_n(&added, a, __ATOMIC_RELEASE);
	tree_unlock(state);
	return device_foreach(offer, (void *)drv);
}

/* ---- telling ---- */

void
device_observe(struct device_observer *obs)
{
	uint64_t state = tree_lock();

	obs->next = device_tree.observers;
	__atomic_store_n(&device_tree.observers, obs, __ATOMIC_RELEASE);
	tree_unlock(state);
}

void
device_tell(struct device *dev, enum device_event what)
{
	struct device_observer *obs = __atomic_load_n(&device_tree.observers,
	    __ATOMIC_ACQUIRE);

	for (; obs != NULL; obs = obs->next)
		obs->event(dev, what, device_name(dev));
}

void
device_announce(struct device *dev, const char *fmt, ...)
{
	char text[LINE_MAX], at[DEVICE_NAME];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	device_copy_name(dev->parent, at, sizeof(at));
	log_info("%s at %s%s%s%s%s", dev->name, at,
	    dev->where == NULL ? "" : " ", dev->where == NULL ? "" : dev->where,
	    text[0] == '\0' ? "" : ": ", text);
	dev->announced = true;
}
