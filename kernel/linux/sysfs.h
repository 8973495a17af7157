/* SPDX-License-Identifier: ISC */
/*
 * sysfs.h - /sys: folders of devices and of class devices, made up from the
 * device tree (bus/device.h) and from those that have arrived (bus/classdev.h)
 * whenever they are looked at, and the links to them by bus, class and number.
 * sysfs(5).
 *
 * A driver or an upper floor adds nothing here: it calls classdev_arrive().  A
 * bus whose devices have files of their own is a row of buses[] in
 * sysfs_bus.c.
 *
 * In files of devices id->key is the node's serial, in those of class devices
 * the class device's.
 */
#ifndef LINUX_SYSFS_H
#define LINUX_SYSFS_H

#include "fs/pseudo.h"
#include "kern/types.h"
#include "linux/procfs.h"

struct classdev;
struct device;

/* What a bus shows; the lists end with a NULL name, or are NULL. */
struct sysfs_bus {
	const char *name; /* as device_subsystem() */
	/* Files of each device, and whether this one has it; NULL: all. */
	const struct pseudo_entry *device_files;
	bool (*has)(struct device *dev, const struct pseudo_entry *file);
	/* Files of each driver besides bind and unbind: id->key is its place
	 * in drivers[].  Files of the bus itself. */
	const struct pseudo_entry *driver_files, *bus_files;
};

/* The row of that name, or one without files.  NULL: no bus. */
const struct sysfs_bus *sysfs_bus_named(const char *name);

/* A reference to the node that a file is about; NULL: it has gone. */
struct device *sysfs_device(const struct pseudo_id *id);

/* "1" and so on: *yes; "0": nothing is asked for.  -EINVAL */
int sysfs_asked(const char *text, bool *yes);

/*
 * struct driver's name of the driver that /sys calls so; the same text when
 * there is none.
 */
const char *sysfs_tree_name(const char *bus, const char *sys_name);

/* All processors, as a list and as a mask. */
int sysfs_show_cpulist(const struct pseudo_id *id, struct sbuf *sb);
int sysfs_show_cpumask(const struct pseudo_id *id, struct sbuf *sb);

#define SYSFS_FILE(n, fn)                                       \
	{                                                       \
		.name = (n), .kind = PSEUDO_FILE, .mode = 0444, \
		.size = PAGE_SIZE, .show = (fn)                 \
	}
#define SYSFS_ACTION(n, fn)                                     \
	{                                                       \
		.name = (n), .kind = PSEUDO_FILE, .mode = 0200, \
		.size = PAGE_SIZE, .store = (fn)                \
	}
#define SYSFS_LINK(n, fn)                                       \
	{                                                       \
		.name = (n), .kind = PSEUDO_LINK, .mode = 0777, \
		.readlink = (fn)                                \
	}
#define SYSFS_BOTH(n, get, set)                                  \
	{                                                        \
		.name = (n), .kind = PSEUDO_FILE, .mode = 0644,  \
		.size = PAGE_SIZE, .show = (get), .store = (set) \
	}

/* ---- between sysfs*.c ---- */

/* sysfs_tree.c: what stands in /sys/devices, .../platform, .../virtual. */
extern const struct pseudo_dir_ops sysfs_devices_dir, sysfs_platform_dir,
    sysfs_virtual_dir;
/* sysfs_bus.c, sysfs_class.c: what stands in the other folders. */
extern const struct pseudo_dir_ops sysfs_bus_dir, sysfs_class_dir,
    sysfs_block_dir, sysfs_dev_block_dir, sysfs_dev_char_dir;
/* sysfs_cpu.c: /sys/devices/system. */
extern const struct pseudo_entry sysfs_system_entries[];
/* sysfs_pci.c, sysfs_virtio.c */
extern const struct sysfs_bus sysfs_pci, sysfs_virtio;

/*
 * "../" for each of `up` folders, then the path without its first slash: a
 * link's text.  Bytes of it, at most size.
 */
long sysfs_link_text(char *buf, size_t size, unsigned up, const char *path);

/* The text of a link from the folder at one path to another path. */
long sysfs_link_from(const char *at, const char *to, char *buf, size_t size);

/* Folders: of a node of the tree, of a class device (id->key: whose). */
extern const struct pseudo_entry sysfs_device_folder, sysfs_classdev_folder;

/*
 * For pseudo_dir_ops.next: one more class device in a list that goes by serial;
 * its hold ends here.  False: cd is NULL.
 */
bool sysfs_emit_classdev(struct classdev *cd, char *name, struct pseudo_id *id,
    const struct pseudo_entry **entry, uint64_t *place);

/* Positions in a list of several parts: the part, and the place in it. */
#define SYSFS_PART_SHIFT 40
static inline uint64_t
sysfs_pos(uint64_t part, uint64_t place)
{
	return part << SYSFS_PART_SHIFT | place;
}
static inline uint64_t
sysfs_pos_part(uint64_t pos)
{
	return pos >> SYSFS_PART_SHIFT;
}
static inline uint64_t
sysfs_pos_place(uint64_t pos)
{
	return pos & ((1ull << SYSFS_PART_SHIFT) - 1);
}

/* Number `place` of a list, for pseudo_dir_ops.next. */
bool sysfs_list_file(const struct pseudo_entry *list, uint64_t place,
    char *name, const struct pseudo_entry **entry);
/* The entry called so, or NULL. */
const struct pseudo_entry *
sysfs_find_in(const struct pseudo_entry *list, const char *name, size_t len);

#endif
