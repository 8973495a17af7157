/* SPDX-License-Identifier: ISC */
/*
 * classdev.c - the list of class devices, and the paths of folders below /sys.
 */
#include "bus/classdev.h"

#include "bus/device.h"
#include "bus/uevent.h"
#include "kern/spinlock.h"
#include "kern/string.h"

TAILQ_HEAD(classdev_list, classdev);

static struct spinlock list_lock = SPINLOCK_INIT;
/* By serial, as they came. */
static struct classdev_list all = TAILQ_HEAD_INITIALIZER(all);

void
classdev_arrive(struct classdev *cd)
{
	gate_init(&cd->gate);
	spin_lock(&list_lock);
	cd->serial = device_serial_next();
	TAILQ_INSERT_TAIL(&all, cd, link);
	spin_unlock(&list_lock);
	classdev_uevent(cd, "add", NULL);
}

void
classdev_depart(struct classdev *cd)
{
	if (cd->serial == 0)
		return;
	spin_lock(&list_lock);
	TAILQ_REMOVE(&all, cd, link);
	spin_unlock(&list_lock);
	gate_shut(&cd->gate);
	cd->serial = 0;
	classdev_uevent(cd, "remove", NULL);
}

struct classdev *
classdev_find(uint64_t serial)
{
	struct classdev *cd;

	spin_lock(&list_lock);
	TAILQ_FOREACH (cd, &all, link)
		if (cd->serial == serial)
			break;
	if (cd != NULL && !gate_enter(&cd->gate))
		cd = NULL;
	spin_unlock(&list_lock);
	return cd;
}

struct classdev *
classdev_after(uint64_t after,
    bool (*fits)(const struct classdev *cd, const void *arg), const void *arg)
{
	struct classdev *cd;

	spin_lock(&list_lock);
	TAILQ_FOREACH (cd, &all, link)
		if (cd->serial > after && fits(cd, arg) &&
		    gate_enter(&cd->gate))
			break;
	spin_unlock(&list_lock);
	return cd;
}

void
classdev_leave(struct classdev *cd)
{
	if (cd != NULL)
		gate_exit(&cd->gate);
}

const struct classdev_attr *
classdev_attr_at(const struct classdev *cd, unsigned i)
{
	const struct classdev_attr *a = cd->class->attrs;

	for (; a != NULL && a->name != NULL; a++)
		if (i-- == 0)
			return a;
	for (a = cd->attrs; a != NULL && a->name != NULL; a++)
		if (i-- == 0)
			return a;
	return NULL;
}

/* ---- paths ---- */

const char *
driver_sys_name(const struct driver *drv)
{
	return drv->linux_name != NULL ? drv->linux_name : drv->name;
}

/* The way to all PCI devices stands at the top, what else is there does not. */
static bool
is_host_bridge(const struct device *dev)
{
	const char *text = device_id(dev)->text;

	return device_parent(dev) == device_root() && text != NULL &&
	    strcmp(text, "pci") == 0;
}

const char *
device_subsystem(const struct device *dev)
{
	if (device_parent(dev) == NULL || is_host_bridge(dev))
		return NULL;
	if (device_parent(dev) == device_root())
		return "platform";
	return device_bus(dev)->name;
}

void
device_sys_name(const struct device *dev, char *buf, size_t size)
{
	const struct bus_ops *bus = device_bus(dev);

	if (bus != NULL && bus->sys_name != NULL)
		bus->sys_name(dev, buf, size);
	else
		strlcpy(buf, device_address(dev), size);
}

/* Appends to a text that is len long, as far as there is room. */
static size_t
append(char *buf, size_t size, size_t len, const char *a, const char *b)
{
	size_t at = MIN(len, size), n = strlen(a) + strlen(b);

	if (at < size)
		snprintf(buf + at, size - at, "%s%s", a, b);
	return len + n;
}

size_t
device_path(const struct device *dev, char *buf, size_t size)
{
	const struct device *parent = device_parent(dev);
	char name[64];
	size_t len;

	if (parent == NULL)
		return append(buf, size, 0, "/devices", "");
	len = device_path(parent, buf, size);
	if (parent == device_root() && !is_host_bridge(dev))
		len = append(buf, size, len, "/platform", "");
	device_sys_name(dev, name, sizeof(name));
	return append(buf, size, len, "/", name);
}

size_t
classdev_path(const struct classdev *cd, char *buf, size_t size)
{
	size_t len;

	if (cd->parent != NULL) {
		len = classdev_path(cd->parent, buf, size);
		return append(buf, size, len, "/", cd->name);
	}
	if (cd->dev != NULL)
		len = device_path(cd->dev, buf, size);
	else
		len = append(buf, size, 0, "/devices/virtual", "");
	len = append(buf, size, len, "/", cd->class->name);
	return append(buf, size, len, "/", cd->name);
}
