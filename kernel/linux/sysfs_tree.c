/* SPDX-License-Identifier: ISC */
/*
 * sysfs_tree.c - /sys/devices: a folder for each node of the device tree, and
 * in it for each class device.  sysfs(5).
 *
 * Nothing is kept here.  A folder is known by its device's serial, and what
 * stands in it is asked for at each look.
 */
#include "bus/classdev.h"
#include "bus/device.h"
#include "bus/uevent.h"
#include "fs/chrdev.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/sysfs.h"
#include <linux/errno.h>

#define NAME_SIZE 32 /* of pseudo_dir_ops.next */

static const struct pseudo_entry class_folder;

/* ---- what several share ---- */

static bool
is_named(const char *have, const char *name, size_t len)
{
	return strlen(have) == len && memcmp(have, name, len) == 0;
}

const struct pseudo_entry *
sysfs_find_in(const struct pseudo_entry *list, const char *name, size_t len)
{
	for (; list != NULL && list->name != NULL; list++)
		if (is_named(list->name, name, len))
			return list;
	return NULL;
}

bool
sysfs_list_file(const struct pseudo_entry *list, uint64_t place, char *name,
    const struct pseudo_entry **entry)
{
	uint64_t i;

	for (i = 0; list != NULL && list[i].name != NULL; i++) {
		if (i < place)
			continue;
		strlcpy(name, list[i].name, NAME_SIZE);
		*entry = &list[i];
		return true;
	}
	return false;
}

long
sysfs_link_text(char *buf, size_t size, unsigned up, const char *path)
{
	char text[SYS_PATH_MAX + 64];
	size_t len = 0;

	while (up-- > 0 && len < 48)
		len += strlcpy(text + len, "../", sizeof(text) - len);
	strlcpy(text + len, path + 1, sizeof(text) - len);
	len = MIN(strlen(text), size);
	memcpy(buf, text, len);
	return len;
}

/* From a folder at that path to another path below /sys. */
long
sysfs_link_from(const char *at, const char *to, char *buf, size_t size)
{
	unsigned up = 0;

	for (; *at != '\0'; at++)
		up += *at == '/';
	return sysfs_link_text(buf, size, up, to);
}

int
sysfs_asked(const char *text, bool *yes)
{
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	*yes = text[0] != '0' || (text[1] >= '1' && text[1] <= '9');
	return 0;
}

/* ---- folders by class, in a device's or in /sys/devices/virtual ---- */

/* id->sub is the struct class, which lives for ever; id->key the device's. */
struct in_class {
	const struct device *dev; /* NULL: virtual */
	uint64_t class;           /* 0: any */
	const char *name;         /* NULL: any; len */
	size_t len;
};

/* dev is compared only. */
static bool
is_in_class(const struct classdev *cd, const void *arg)
{
	const struct in_class *in = arg;

	return cd->parent == NULL && cd->dev == in->dev &&
	    (in->class == 0 || in->class == (uintptr_t)cd->class) &&
	    (in->name == NULL || is_named(cd->name, in->name, in->len));
}

static bool
is_of_class_named(const struct classdev *cd, const void *arg)
{
	const struct in_class *in = arg;

	return cd->parent == NULL && cd->dev == in->dev &&
	    is_named(cd->class->name, in->name, in->len);
}

static int
find_class(const struct device *dev, uint64_t key, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct in_class in = { .dev = dev, .name = name, .len = len };
	struct classdev *cd = classdev_after(0, is_of_class_named, &in);

	if (cd == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ key, (uintptr_t)cd->class };
	*entry = &class_folder;
	classdev_leave(cd);
	return 0;
}

/* A class stands where its first device stands in the list. */
static bool
is_first_of_class(const struct classdev *cd, const struct device *dev)
{
	struct in_class in = { .dev = dev, .class = (uintptr_t)cd->class };
	struct classdev *first = classdev_after(0, is_in_class, &in);
	bool is = first == cd;

	classdev_leave(first);
	return is;
}

static bool
next_class(const struct device *dev, uint64_t key, uint64_t *place, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct in_class in = { .dev = dev };
	uint64_t after = *place == 0 ? 0 : *place - 1;
	struct classdev *cd;
	bool first;

	while ((cd = classdev_after(after, is_in_class, &in)) != NULL) {
		after = cd->serial;
		first = is_first_of_class(cd, dev);
		if (first) {
			strlcpy(name, cd->class->name, NAME_SIZE);
			*id = (struct pseudo_id){ key, (uintptr_t)cd->class };
			*entry = &class_folder;
			*place = after;
		}
		classdev_leave(cd);
		if (first)
			return true;
	}
	return false;
}

/* The device of a class folder; *gone: it is not there any more. */
static struct device *
class_owner(const struct pseudo_id *id, bool *gone)
{
	struct device *dev = id->key == 0 ? NULL : sysfs_device(id);

	*gone = id->key != 0 && dev == NULL;
	return dev;
}

static int
find_in_class(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	bool gone;
	struct device *dev = class_owner(dir, &gone);
	struct in_class in = { dev, dir->sub, name, len };
	struct classdev *cd = gone ? NULL : classdev_after(0, is_in_class, &in);

	device_put(dev);
	if (cd == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ .key = cd->serial };
	*entry = &sysfs_classdev_folder;
	classdev_leave(cd);
	return 0;
}

bool
sysfs_emit_classdev(struct classdev *cd, char *name, struct pseudo_id *id,
    const struct pseudo_entry **entry, uint64_t *place)
{
	if (cd == NULL)
		return false;
	strlcpy(name, cd->name, NAME_SIZE);
	*id = (struct pseudo_id){ .key = cd->serial };
	*entry = &sysfs_classdev_folder;
	*place = cd->serial;
	classdev_leave(cd);
	return true;
}

static bool
next_in_class(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	bool gone;
	struct device *dev = class_owner(dir, &gone);
	struct in_class in = { .dev = dev, .class = dir->sub };
	struct classdev *cd = gone ?
	    NULL :
	    classdev_after(*pos == 0 ? 0 : *pos - 1, is_in_class, &in);

	device_put(dev);
	return sysfs_emit_classdev(cd, name, id, entry, pos);
}

static const struct pseudo_dir_ops class_folder_dir = {
	.find = find_in_class,
	.next = next_in_class,
};
static const struct pseudo_entry class_folder = {
	.name = "class",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.dir = &class_folder_dir,
};

static int
find_virtual(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	(void)dir;
	chrdev_publish();
	return find_class(NULL, 0, name, len, id, entry);
}

static bool
next_virtual(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	(void)dir;
	chrdev_publish();
	return next_class(NULL, 0, pos, name, id, entry);
}

const struct pseudo_dir_ops sysfs_virtual_dir = {
	.find = find_virtual,
	.next = next_virtual,
};

/* ---- files of a device ---- */

struct device *
sysfs_device(const struct pseudo_id *id)
{
	return device_find_serial(id->key);
}

static int
show_device_uevent(const struct pseudo_id *id, struct sbuf *sb)
{
	struct device *dev = sysfs_device(id);

	if (dev == NULL)
		return -ENODEV;
	uevent_print_device(dev, sb);
	device_put(dev);
	return 0;
}

/* What was asked for, then send(about, action, lines). */
static int
resend(const char *text,
    void (*send)(void *about, const char *action, const char *env), void *about)
{
	const char *action;
	struct sbuf env;
	int error;

	sbuf_init(&env);
	error = uevent_parse_asked(text, &action, &env);
	if (error == 0)
		error = env.error;
	if (error == 0)
		send(about, action, env.buf);
	sbuf_fini(&env);
	return error;
}

static void
send_device(void *dev, const char *action, const char *env)
{
	uevent_device(dev, action, env);
}

static int
store_device_uevent(const struct pseudo_id *id, const char *text, size_t len)
{
	struct device *dev = sysfs_device(id);
	int error = dev == NULL ? -ENODEV : resend(text, send_device, dev);

	(void)len;
	device_put(dev);
	return error;
}

/* Links of a device's folder: to its driver and to its bus. */
static long
device_link(const struct pseudo_id *id, char *buf, size_t size, bool driver)
{
	struct device *dev = sysfs_device(id);
	const struct driver *drv = dev == NULL ? NULL : device_driver(dev);
	const char *bus = dev == NULL ? NULL : device_subsystem(dev);
	char at[SYS_PATH_MAX], to[128];
	long len = -ENOENT;

	if (bus != NULL && (drv != NULL || !driver)) {
		snprintf(to, sizeof(to), "/bus/%s%s%s", bus,
		    driver ? "/drivers/" : "",
		    driver ? driver_sys_name(drv) : "");
		device_path(dev, at, sizeof(at));
		len = sysfs_link_from(at, to, buf, size);
	}
	device_put(dev);
	return len;
}

static long
driver_link(const struct pseudo_id *id, char *buf, size_t size)
{
	return device_link(id, buf, size, true);
}

static long
bus_link(const struct pseudo_id *id, char *buf, size_t size)
{
	return device_link(id, buf, size, false);
}

static const struct pseudo_entry device_entries[] = {
	SYSFS_BOTH("uevent", show_device_uevent, store_device_uevent),
	SYSFS_LINK("subsystem", bus_link),
	SYSFS_LINK("driver", driver_link),
	{ .name = NULL },
};

static bool
device_has(struct device *dev, const struct pseudo_entry *e)
{
	if (e == &device_entries[0])
		return true;
	if (e == &device_entries[1])
		return device_subsystem(dev) != NULL;
	return device_subsystem(dev) != NULL && device_driver(dev) != NULL;
}

/* ---- a device's folder: its files, nodes below, classes ---- */

enum { PART_COMMON, PART_BUS, PART_NODES, PART_CLASSES, PART_END };

static int
find_file(struct device *dev, const struct pseudo_entry *list,
    bool (*has)(struct device *dev, const struct pseudo_entry *e),
    const char *name, size_t len, const struct pseudo_entry **entry)
{
	for (; list != NULL && list->name != NULL; list++) {
		if (!is_named(list->name, name, len) ||
		    (has != NULL && !has(dev, list)))
			continue;
		*entry = list;
		return 0;
	}
	return -ENOENT;
}

static const struct sysfs_bus *
bus_of(const struct device *dev)
{
	static const struct sysfs_bus none;
	const char *name = device_subsystem(dev);
	const struct sysfs_bus *bus = name == NULL ? NULL :
						     sysfs_bus_named(name);

	return bus == NULL ? &none : bus;
}

/* A reference, or NULL. */
static struct device *
child_named(struct device *dev, const char *name, size_t len)
{
	struct device *child = NULL, *next;
	char text[64];

	while ((next = device_child_after(dev,
		    child == NULL ? 0 : device_serial(child))) != NULL) {
		device_put(child);
		child = next;
		device_sys_name(child, text, sizeof(text));
		if (is_named(text, name, len))
			return child;
	}
	device_put(child);
	return NULL;
}

static int
find_child(struct device *dev, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct device *child = child_named(dev, name, len);

	if (child == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ .key = device_serial(child) };
	*entry = &sysfs_device_folder;
	device_put(child);
	return 0;
}

static int
find_in_device(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct device *dev = sysfs_device(dir);
	int error;

	if (dev == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ .key = dir->key };
	error = find_file(dev, device_entries, device_has, name, len, entry);
	if (error != 0)
		error = find_file(dev, bus_of(dev)->device_files,
		    bus_of(dev)->has, name, len, entry);
	if (error != 0)
		error = find_child(dev, name, len, id, entry);
	if (error != 0)
		error = find_class(dev, dir->key, name, len, id, entry);
	device_put(dev);
	return error;
}

/* The first file at or after *place that the device has. */
static bool
next_file(struct device *dev, const struct pseudo_entry *list,
    bool (*has)(struct device *dev, const struct pseudo_entry *e),
    uint64_t *place, char *name, const struct pseudo_entry **entry)
{
	uint64_t i;

	for (i = 0; list != NULL && list[i].name != NULL; i++) {
		if (i < *place || (has != NULL && !has(dev, &list[i])))
			continue;
		strlcpy(name, list[i].name, NAME_SIZE);
		*entry = &list[i];
		*place = i;
		return true;
	}
	return false;
}

static bool
next_child(struct device *dev, bool (*fits)(const struct device *child),
    uint64_t *place, char *name, struct pseudo_id *id,
    const struct pseudo_entry **entry)
{
	uint64_t after = *place == 0 ? 0 : *place - 1;
	struct device *child;
	bool found = false;

	while (!found && (child = device_child_after(dev, after)) != NULL) {
		after = device_serial(child);
		found = fits == NULL || fits(child);
		if (found) {
			device_sys_name(child, name, NAME_SIZE);
			*id = (struct pseudo_id){ .key = after };
			*entry = &sysfs_device_folder;
			*place = after;
		}
		device_put(child);
	}
	return found;
}

static bool
next_of_part(struct device *dev, unsigned part, uint64_t *place, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	const struct sysfs_bus *bus;

	switch (part) {
	case PART_COMMON:
		return next_file(dev, device_entries, device_has, place, name,
		    entry);
	case PART_BUS:
		bus = bus_of(dev);
		return next_file(dev, bus->device_files, bus->has, place, name,
		    entry);
	case PART_NODES: return next_child(dev, NULL, place, name, id, entry);
	default:
		return next_class(dev, device_serial(dev), place, name, id,
		    entry);
	}
}

static bool
next_in_device(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct device *dev = sysfs_device(dir);
	uint64_t part = sysfs_pos_part(*pos), place = sysfs_pos_place(*pos);
	bool found = false;

	if (dev == NULL)
		return false;
	for (; part < PART_END && !found; part++, place = 0) {
		*id = (struct pseudo_id){ .key = dir->key };
		found = next_of_part(dev, part, &place, name, id, entry);
		if (found)
			*pos = sysfs_pos(part, place);
	}
	device_put(dev);
	return found;
}

static const struct pseudo_dir_ops device_folder_dir = {
	.find = find_in_device,
	.next = next_in_device,
};
const struct pseudo_entry sysfs_device_folder = {
	.name = "device",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.dir = &device_folder_dir,
};

/* ---- below the root: host bridges here, others in "platform" ---- */

static bool
is_on_top(const struct device *dev)
{
	return device_subsystem(dev) == NULL;
}

static bool
is_platform(const struct device *dev)
{
	return !is_on_top(dev);
}

static int
find_below_root(const char *name, size_t len,
    bool (*fits)(const struct device *), struct pseudo_id *id,
    const struct pseudo_entry **entry)
{
	struct device *dev = child_named(device_root(), name, len);
	bool ok = dev != NULL && fits(dev);

	if (ok) {
		*id = (struct pseudo_id){ .key = device_serial(dev) };
		*entry = &sysfs_device_folder;
	}
	device_put(dev);
	return ok ? 0 : -ENOENT;
}

static int
find_top(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	(void)dir;
	return find_below_root(name, len, is_on_top, id, entry);
}

static bool
next_top(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	(void)dir;
	return next_child(device_root(), is_on_top, pos, name, id, entry);
}

static int
find_platform(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	(void)dir;
	return find_below_root(name, len, is_platform, id, entry);
}

static bool
next_platform(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	(void)dir;
	return next_child(device_root(), is_platform, pos, name, id, entry);
}

const struct pseudo_dir_ops sysfs_devices_dir = {
	.find = find_top,
	.next = next_top,
};
const struct pseudo_dir_ops sysfs_platform_dir = {
	.find = find_platform,
	.next = next_platform,
};
