/* SPDX-License-Identifier: ISC */
/*
 * sysfs_bus.c - /sys/bus, /sys/class, /sys/block and /sys/dev: who is there,
 * as links into /sys/devices; and the drivers of a bus.  sysfs(5).
 */
#include "block/block.h"
#include "bus/classdev.h"
#include "bus/device.h"
#include "dev/drivers.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/sysfs.h"
#include <linux/errno.h>

#define NAME_SIZE 32 /* of pseudo_dir_ops.next */

/* All buses whose devices programs see. */
static const struct sysfs_bus platform = { .name = "platform" };
static const struct sysfs_bus *const buses[] = {
	&sysfs_pci,
	&platform,
	&sysfs_virtio,
};

const struct sysfs_bus *
sysfs_bus_named(const char *name)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(buses); i++)
		if (strcmp(buses[i]->name, name) == 0)
			return buses[i];
	return NULL;
}

static bool
is_named(const char *have, const char *name, size_t len)
{
	return strlen(have) == len && memcmp(have, name, len) == 0;
}

static const char *
bus_name(const struct pseudo_id *id)
{
	return buses[id->key]->name;
}

/* ---- links to devices: id->key is the node's serial ---- */

static long
device_link_text(const struct pseudo_id *id, char *buf, size_t size,
    unsigned up)
{
	struct device *dev = sysfs_device(id);
	char path[SYS_PATH_MAX];

	if (dev == NULL)
		return -ENODEV;
	device_path(dev, path, sizeof(path));
	device_put(dev);
	return sysfs_link_text(buf, size, up, path);
}

static long
bus_device_link(const struct pseudo_id *id, char *buf, size_t size)
{
	return device_link_text(id, buf, size, 3);
}

static long
driver_device_link(const struct pseudo_id *id, char *buf, size_t size)
{
	return device_link_text(id, buf, size, 4);
}

static const struct pseudo_entry bus_device = SYSFS_LINK("device",
    bus_device_link);
static const struct pseudo_entry driver_device = SYSFS_LINK("device",
    driver_device_link);

/*
 * The first device on a bus, by serial above `after`, of that name (NULL: any)
 * and driver (NULL: any).
 */
struct search {
	const char *bus, *name, *driver;
	size_t len;
	uint64_t after;
	struct device *found; /* referenced */
};

static bool
search_one(struct device *dev, unsigned depth, void *arg)
{
	struct search *s = arg;
	const char *bus = device_subsystem(dev);
	const struct driver *drv = device_driver(dev);
	char name[64];

	(void)depth;
	if (bus == NULL || strcmp(bus, s->bus) != 0 ||
	    device_serial(dev) <= s->after)
		return true;
	if (s->driver != NULL &&
	    (drv == NULL || strcmp(driver_sys_name(drv), s->driver) != 0))
		return true;
	device_sys_name(dev, name, sizeof(name));
	if (s->name != NULL && !is_named(name, s->name, s->len))
		return true;
	if (s->found != NULL && device_serial(s->found) < device_serial(dev))
		return true;
	device_put(s->found);
	s->found = device_get(dev);
	return true;
}

static struct device *
search(struct search *s)
{
	return device_foreach(search_one, s) == 0 ? s->found : NULL;
}

/* For a look-up and for a list; the reference ends here. */
static int
found(struct search *s, const struct pseudo_entry *link, struct pseudo_id *id,
    const struct pseudo_entry **entry)
{
	struct device *dev = search(s);

	if (dev == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ .key = device_serial(dev) };
	*entry = link;
	device_put(dev);
	return 0;
}

static bool
listed(struct search *s, const struct pseudo_entry *link, uint64_t *pos,
    char *name, struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct device *dev;

	s->after = *pos == 0 ? 0 : *pos - 1;
	dev = search(s);
	if (dev == NULL)
		return false;
	device_sys_name(dev, name, NAME_SIZE);
	*id = (struct pseudo_id){ .key = device_serial(dev) };
	*entry = link;
	*pos = id->key;
	device_put(dev);
	return true;
}

static int
find_device(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct search s = { .bus = bus_name(dir), .name = name, .len = len };

	return found(&s, &bus_device, id, entry);
}

static bool
next_device(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct search s = { .bus = bus_name(dir) };

	return listed(&s, &bus_device, pos, name, id, entry);
}

static const struct pseudo_dir_ops devices_dir = {
	.find = find_device,
	.next = next_device,
};

/* ---- drivers: id->key is the place in drivers[] ---- */

/* struct driver's name for what programs call the platform. */
static const char *
tree_bus(const char *bus)
{
	return strcmp(bus, "platform") == 0 ? "root" : bus;
}

/* Drivers that programs know by one name are shown as one: the first. */
static bool
is_shown(unsigned i, const char *bus)
{
	unsigned j;

	if (strcmp(drivers[i]->bus, tree_bus(bus)) != 0)
		return false;
	for (j = 0; j < i; j++)
		if (strcmp(drivers[j]->bus, drivers[i]->bus) == 0 &&
		    strcmp(driver_sys_name(drivers[j]),
			driver_sys_name(drivers[i])) == 0)
			return false;
	return true;
}

const char *
sysfs_tree_name(const char *bus, const char *sys_name)
{
	unsigned i;

	for (i = 0; drivers[i] != NULL; i++)
		if (strcmp(drivers[i]->bus, tree_bus(bus)) == 0 &&
		    strcmp(driver_sys_name(drivers[i]), sys_name) == 0)
			return drivers[i]->name;
	return sys_name;
}

static const char *
subsystem_of(const struct driver *drv)
{
	return strcmp(drv->bus, "root") == 0 ? "platform" : drv->bus;
}

/* The text names a device of the driver's bus, newline or not. */
static struct device *
device_named(const struct driver *drv, const char *text, size_t len)
{
	struct search s = { .bus = subsystem_of(drv), .name = text };

	s.len = len > 0 && text[len - 1] == '\n' ? len - 1 : len;
	return search(&s);
}

/* Drivers that programs know by one name: the one that fits. */
static int
bind(struct device *dev, const struct driver *like)
{
	unsigned i;
	int error = -ENXIO;

	for (i = 0; drivers[i] != NULL && error == -ENXIO; i++)
		if (strcmp(drivers[i]->bus, like->bus) == 0 &&
		    strcmp(driver_sys_name(drivers[i]),
			driver_sys_name(like)) == 0)
			error = device_attach_to(dev, drivers[i]);
	return error == -ENXIO ? -ENODEV : error;
}

static int
store_bind(const struct pseudo_id *id, const char *text, size_t len)
{
	struct device *dev = device_named(drivers[id->key], text, len);
	int error = dev == NULL ? -ENODEV : bind(dev, drivers[id->key]);

	device_put(dev);
	block_settle(); /* so that who asked finds what has come */
	return error;
}

static int
store_unbind(const struct pseudo_id *id, const char *text, size_t len)
{
	struct device *dev = device_named(drivers[id->key], text, len);
	const struct driver *drv = dev == NULL ? NULL : device_driver(dev);
	int error = -ENODEV;

	if (drv != NULL &&
	    strcmp(driver_sys_name(drv), driver_sys_name(drivers[id->key])) ==
		0)
		error = device_detach(dev);
	device_put(dev);
	return error == -ENXIO ? -ENODEV : error;
}

static const struct pseudo_entry driver_entries[] = {
	SYSFS_ACTION("bind", store_bind),
	SYSFS_ACTION("unbind", store_unbind),
	{ .name = NULL },
};

static void
search_of_driver(const struct pseudo_id *dir, struct search *s)
{
	const struct driver *drv = drivers[dir->key];

	*s = (struct search){ .bus = subsystem_of(drv),
		.driver = driver_sys_name(drv) };
}

static const struct pseudo_entry *
files_of_driver(const struct pseudo_id *dir)
{
	const struct sysfs_bus *bus = sysfs_bus_named(
	    subsystem_of(drivers[dir->key]));

	return bus == NULL ? NULL : bus->driver_files;
}

static int
find_in_driver(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct search s;

	*id = *dir;
	*entry = sysfs_find_in(files_of_driver(dir), name, len);
	if (*entry != NULL)
		return 0;
	search_of_driver(dir, &s);
	s.name = name;
	s.len = len;
	return found(&s, &driver_device, id, entry);
}

static bool
next_in_driver(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	const struct pseudo_entry *files = files_of_driver(dir);
	uint64_t place = sysfs_pos_place(*pos);
	struct search s;
	bool more;

	if (sysfs_pos_part(*pos) == 0) {
		if (sysfs_list_file(files, place, name, entry)) {
			*id = *dir;
			return true;
		}
		place = 0;
	}
	search_of_driver(dir, &s);
	more = listed(&s, &driver_device, &place, name, id, entry);
	*pos = sysfs_pos(1, place);
	return more;
}

static const struct pseudo_dir_ops driver_dir = {
	.find = find_in_driver,
	.next = next_in_driver,
};
static const struct pseudo_entry driver_folder = {
	.name = "driver",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = driver_entries,
	.dir = &driver_dir,
};

static int
find_driver(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	unsigned i;

	for (i = 0; drivers[i] != NULL; i++) {
		if (!is_shown(i, bus_name(dir)) ||
		    !is_named(driver_sys_name(drivers[i]), name, len))
			continue;
		*id = (struct pseudo_id){ .key = i };
		*entry = &driver_folder;
		return 0;
	}
	return -ENOENT;
}

static bool
next_driver(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	uint64_t i = 0;

	while (drivers[i] != NULL && (i < *pos || !is_shown(i, bus_name(dir))))
		i++;
	if (drivers[i] == NULL)
		return false;
	*pos = i;
	strlcpy(name, driver_sys_name(drivers[i]), NAME_SIZE);
	*id = (struct pseudo_id){ .key = i };
	*entry = &driver_folder;
	return true;
}

static const struct pseudo_dir_ops drivers_dir = {
	.find = find_driver,
	.next = next_driver,
};

/* ---- /sys/bus: id->key is the place in buses[] ---- */

static const struct pseudo_entry bus_entries[] = {
	{ .name = "devices",
	    .kind = PSEUDO_DIR,
	    .mode = 0555,
	    .dir = &devices_dir },
	{ .name = "drivers",
	    .kind = PSEUDO_DIR,
	    .mode = 0555,
	    .dir = &drivers_dir },
	{ .name = NULL },
};

static int
find_in_bus(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	*id = *dir;
	*entry = sysfs_find_in(buses[dir->key]->bus_files, name, len);
	return *entry == NULL ? -ENOENT : 0;
}

static bool
next_in_bus(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	*id = *dir;
	return sysfs_list_file(buses[dir->key]->bus_files, *pos, name, entry);
}

static const struct pseudo_dir_ops one_bus_dir = {
	.find = find_in_bus,
	.next = next_in_bus,
};
static const struct pseudo_entry bus_folder = {
	.name = "bus",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = bus_entries,
	.dir = &one_bus_dir,
};

static int
find_bus(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	unsigned i;

	(void)dir;
	for (i = 0; i < ARRAY_SIZE(buses); i++) {
		if (!is_named(buses[i]->name, name, len))
			continue;
		*id = (struct pseudo_id){ .key = i };
		*entry = &bus_folder;
		return 0;
	}
	return -ENOENT;
}

static bool
next_bus(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	(void)dir;
	if (*pos >= ARRAY_SIZE(buses))
		return false;
	strlcpy(name, buses[*pos]->name, NAME_SIZE);
	*id = (struct pseudo_id){ .key = *pos };
	*entry = &bus_folder;
	return true;
}

const struct pseudo_dir_ops sysfs_bus_dir = {
	.find = find_bus,
	.next = next_bus,
};
