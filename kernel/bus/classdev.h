/* SPDX-License-Identifier: ISC */
/*
 * classdev.h - what programs see of a device by its class: a disk, a partition,
 * an interface, a terminal.  Each has a folder below /sys/devices, a link in
 * /sys/class/CLASS, and uevents when it arrives and departs; its attributes are
 * the files of the folder.
 *
 * The owner embeds a struct classdev, fills its upper part, and calls
 * classdev_arrive() once all of it can be used and classdev_depart() before
 * anything of it goes.  Whatever shows /sys, and whoever is told of uevents,
 * comes by itself.  Where the folder stands:
 *
 *   parent != NULL   in the parent's folder           .../block/vda/vda1
 *   dev != NULL      in the device's, by class        .../virtio0/block/vda
 *   neither          below /sys/devices/virtual       virtual/tty/console
 *
 * Context: threads; arrive and depart may sleep, show and store may, too.
 * Locking: a spin lock for the list; who looks at one holds its gate, so
 * depart() waits for shows and stores: neither may call it.
 */
#ifndef BUS_CLASSDEV_H
#define BUS_CLASSDEV_H

#include "bus/gate.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>

#define CLASSDEV_NAME 32
#define SYS_PATH_MAX  256 /* of "/devices/..." */

struct classdev;
struct device;
struct sbuf;

/*
 * A file of the folder.  "queue/rotational" stands in a folder of its own, a
 * name that ends in a slash is an empty folder.  One folder's files follow one
 * another in the table; it ends with a NULL name.
 */
struct classdev_attr {
	const char *name;
	uint32_t mode; /* permissions: 0444 */
	/* Prints all of the text; 0 or -errno.  NULL: reads are -EIO. */
	int (*show)(struct classdev *cd, struct sbuf *sb);
	/* NUL-terminated, shorter than a page; 0 or -errno.  NULL: -EIO. */
	int (*store)(struct classdev *cd, const char *text, size_t len);
};

struct class
{                                          /* lives for ever */
	const char *name;                  /* "block" */
	const struct classdev_attr *attrs; /* of all; NULL: none */
	/* Prints "KEY=value\n" lines, "DEVTYPE=disk\n"; NULL: none. */
	void (*uevent)(struct classdev *cd, struct sbuf *env);
};

struct classdev {
	/* The owner's, [I] between arrival and departure: */
	const struct class *class;
	char name[CLASSDEV_NAME];
	const struct classdev_attr *attrs; /* besides the class's; NULL */
	struct device *dev;                /* attached all the time; NULL */
	struct classdev *parent;           /* departs later; NULL */
	bool is_block;                     /* what the numbers are of */
	uint32_t major, minor;             /* of the node; major 0: none */
	const char *node;                  /* below /dev; NULL: name */
	void *arg;

	/* classdev.c's: */
	uint64_t serial; /* [I] device_serial_next() */
	struct gate gate;
	TAILQ_ENTRY(classdev) link;
};

/* It can be found from now on; uevent "add". */
void classdev_arrive(struct classdev *cd);
/*
 * Uevent "remove"; on return nobody looks at it.  Those whose parent it is have
 * departed.  Harmless for a zeroed struct, and once more.
 */
void classdev_depart(struct classdev *cd);
/* Another uevent: "change".  env: "RESIZE=1\n", or NULL. */
void classdev_uevent(struct classdev *cd, const char *action, const char *env);

/* ---- looking ---- */

/* The one with that serial, held until classdev_leave(); NULL: gone. */
struct classdev *classdev_find(uint64_t serial);
/* The next one by serial above `after` that fits, held; NULL: no more. */
struct classdev *classdev_after(uint64_t after,
    bool (*fits)(const struct classdev *cd, const void *arg), const void *arg);
void classdev_leave(struct classdev *cd);

/* Attribute number i, the class's first; NULL: no more. */
const struct classdev_attr *
classdev_attr_at(const struct classdev *cd, unsigned i);

/*
 * The folder below /sys: "/devices/pci0000:00/0000:00:04.0".  Cut at `size`;
 * the length that it has.
 */
size_t classdev_path(const struct classdev *cd, char *buf, size_t size);
size_t device_path(const struct device *dev, char *buf, size_t size);
/* The last part of a device's path. */
void device_sys_name(const struct device *dev, char *buf, size_t size);
/* "pci"; "platform" below the root; NULL: on no bus that programs know. */
const char *device_subsystem(const struct device *dev);
/* What /sys calls a driver. */
struct driver;
const char *driver_sys_name(const struct driver *drv);

#endif
